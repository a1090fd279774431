//! The picture: what a model looks like in so many columns and lines. A function of those and of nothing else.

use super::api::Status;
use super::model::{Model, Way};
use super::rows::{columns, rows};
use super::show::{age, bytes, thousandths};
use super::view::{Look, Pane, View};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, Clear, Paragraph, Row, Sparkline, Table, Widget as _, Wrap};

/// The least size in which everything has its place.
pub(super) const LEAST: (u16, u16) = (60, 18);

/// Lines of the charts.
const CHARTS: u16 = 9;

const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const TURNED: Style = Style::new().add_modifier(Modifier::REVERSED);
const ALARM: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);

const HELP: &str = "\
Tab, arrows, 1-4   change panes
Up, Down, PgUp, PgDn, Home, End   move in a pane
/   find lines; Enter keeps what is found, Esc ends it
s   sort by something else      r   the other way round
q   quit

Charts: the last seconds, one column each; bytes sent a
second by class, updates a second at this node, how many
nodes hold something else, memory, messages that wait.
CHANGED: how long ago the last change of the variable
reached this node.

Any key goes back.";

#[cfg(test)]
mod tests;

/// Draws the screen.
pub(super) fn screen(model: &Model, view: &View, area: Rect, buf: &mut Buffer) {
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let told = format!("{}x{} is too small: lasp top needs {}x{}", area.width, area.height, LEAST.0, LEAST.1);
        return Paragraph::new(told).wrap(Wrap { trim: true }).render(area, buf);
    }
    let [head, charts, tabs, list, foot] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(CHARTS),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(area);
    draw_head(model, head, buf);
    draw_charts(model, charts, buf);
    draw_tabs(model, view.pane, tabs, buf);
    draw_list(model, view.pane, view.look(), Some(view.look().selected), list, buf);
    draw_foot(view, foot, buf);
    if view.help {
        draw_help(area, buf);
    }
}

/// Everything once, for those who have no screen: all panes, with so many lines of each.
pub(super) fn page(model: &Model, width: u16, lines: u16) -> String {
    let look = Look::default();
    let height = |pane| 3 + (rows(model, pane, &look).len() as u16).min(lines).max(1);
    let whole = 2 + CHARTS + Pane::ALL.map(height).iter().sum::<u16>();
    let mut buf = Buffer::empty(Rect::new(0, 0, width, whole));
    draw_head(model, Rect::new(0, 0, width, 2), &mut buf);
    draw_charts(model, Rect::new(0, 2, width, CHARTS), &mut buf);
    let mut at = 2 + CHARTS;
    for pane in Pane::ALL {
        let height = height(pane);
        Line::styled(title(model, pane), BOLD).render(Rect::new(0, at + 1, width, 1), &mut buf);
        draw_list(model, pane, &look, None, Rect::new(0, at + 2, width, height - 2), &mut buf);
        at += height;
    }
    text(&buf)
}

/// What is written in a buffer.
pub(super) fn text(buf: &Buffer) -> String {
    let mut out = String::new();
    for line in buf.content().chunks(usize::from(buf.area().width).max(1)) {
        let mut written = String::new();
        let mut covered = 0;
        for cell in line {
            if covered == 0 {
                written += cell.symbol();
                covered = Line::raw(cell.symbol()).width().max(1); // wide characters cover the cells behind them
            }
            covered -= 1;
        }
        out += written.trim_end();
        out.push('\n');
    }
    out
}

fn draw_head(model: &Model, area: Rect, buf: &mut Buffer) {
    let [first, second] = Layout::vertical([Constraint::Length(1); 2]).areas(area);
    let (way, style) = match &model.way {
        Way::Connecting => ("connecting".to_owned(), BOLD),
        Way::Live => ("live".to_owned(), BOLD),
        Way::Lost(_, seconds) => (format!("LOST for {seconds} s"), ALARM),
    };
    let [left, right] = Layout::horizontal([Constraint::Min(0), Constraint::Length(way.len() as u16 + 2)]).areas(first);
    Line::styled(way, style).right_aligned().render(right, buf);
    let Some(status) = &model.status else { return };
    let known = format!(
        "  {}  in {}, {}, {}, up {}",
        status.me.id,
        status.cluster,
        status.membership,
        status.version,
        age(status.uptime_ms)
    );
    Line::from(vec![Span::styled(format!("lasp top  {}", status.name), BOLD), Span::raw(known)]).render(left, buf);
    match &model.way {
        Way::Lost(why, _) => Line::styled(format!("trying again: {why}"), ALARM).render(second, buf),
        _ => Line::raw(standing(model, status)).render(second, buf),
    }
}

/// The node in numbers, and in a word.
fn standing(model: &Model, status: &Status) -> String {
    let reachable = model.members.iter().filter(|member| member.reachable).count();
    let cpu = model.rate("cpu_ms").last().copied().flatten();
    let cpu = cpu.map_or_else(|| "-".to_owned(), |cpu| format!("{:.1} %", cpu as f64 / 1e4)); // ms a second, in thousandths
    let state = match () {
        () if status.active == 0 && model.members_total > 0 => "ISOLATED",
        () if status.active == 0 => "alone",
        () if status.quiescent => "quiet",
        () => "busy",
    };
    let members = model.members.iter().filter(|member| member.standing.is_some()).count();
    let more = if model.members.has_more() { "+" } else { "" }; // of those that have come
    format!(
        "{state}  {} active, {} passive, {members}{more} members, {reachable}{more} reachable; {} variables; cpu {cpu}",
        status.active, status.passive, status.variables
    )
}

/// One line of the charts: what, how much now, and how it was.
struct Chart {
    name: &'static str,
    now: String,
    past: Vec<Option<u64>>,
    color: Color,
}

fn charts(model: &Model) -> [Chart; CHARTS as usize] {
    let last = |past: &[Option<u64>]| past.last().copied().flatten();
    let unknown = || "-".to_owned();
    let sent = |name: &'static str, color| {
        let past = model.rate(&format!("bytes_sent_{name}"));
        let now = last(&past).map_or_else(unknown, |rate| format!("{}/s", bytes(rate / 1000)));
        Chart { name, now, past, color }
    };
    let updates = model.rate("updates");
    let divergence = model.divergence();
    let memory = model.level("memory_bytes");
    let waiting = model.level("waiting");
    [
        sent("membership", Color::Blue),
        sent("broadcast", Color::Green),
        sent("state", Color::Cyan),
        sent("sync", Color::Yellow),
        sent("unicast", Color::Magenta),
        Chart {
            name: "updates",
            now: last(&updates).map_or_else(unknown, |rate| format!("{}/s", thousandths(rate))),
            past: updates,
            color: Color::Green,
        },
        Chart {
            name: "divergence",
            now: model.differing().map_or_else(unknown, |differing| format!("{differing} of {}", model.answering())),
            past: divergence,
            color: Color::Red,
        },
        Chart { name: "memory", now: last(&memory).map_or_else(unknown, bytes), past: memory, color: Color::Blue },
        Chart {
            name: "waiting",
            now: last(&waiting).map_or_else(unknown, |waiting| waiting.to_string()),
            past: waiting,
            color: Color::Yellow,
        },
    ]
}

fn draw_charts(model: &Model, area: Rect, buf: &mut Buffer) {
    let lines = Layout::vertical([Constraint::Length(1); CHARTS as usize]).split(area);
    for (chart, &line) in charts(model).into_iter().zip(lines.iter()) {
        let places = [Constraint::Length(11), Constraint::Length(11), Constraint::Length(1), Constraint::Min(0)];
        let [name, now, _, past] = Layout::horizontal(places).areas(line);
        Line::styled(chart.name, DIM).render(name, buf);
        Line::raw(chart.now).right_aligned().render(now, buf);
        let begin = chart.past.len().saturating_sub(usize::from(past.width));
        Sparkline::default().data(&chart.past[begin..]).style(Style::new().fg(chart.color)).render(past, buf);
    }
}

/// A pane's name, and how much is in it.
fn title(model: &Model, pane: Pane) -> String {
    let count = match pane {
        Pane::Links => model.links.len().to_string(),
        Pane::Members => model.members_total.to_string(),
        Pane::Variables => {
            let more = if model.variables.has_more() { "+" } else { "" };
            format!("{}{more}", model.variables.len())
        }
        Pane::Events => model.events.len().to_string(),
    };
    format!("{} {count}", pane.name())
}

fn draw_tabs(model: &Model, shown: Pane, area: Rect, buf: &mut Buffer) {
    let tab = |pane: Pane| {
        let style = if pane == shown { TURNED } else { Style::new() };
        [Span::styled(format!(" {} {} ", pane as usize + 1, title(model, pane)), style), Span::raw(" ")]
    };
    Line::from(Pane::ALL.into_iter().flat_map(tab).collect::<Vec<_>>()).render(area, buf);
}

fn draw_list(model: &Model, pane: Pane, look: &Look, selected: Option<usize>, area: Rect, buf: &mut Buffer) {
    let all = rows(model, pane, look);
    let room = usize::from(area.height.saturating_sub(1));
    let selected = selected.map(|line| line.min(all.len().saturating_sub(1)));
    let begin = selected.map_or(0, |line| (line + 1).saturating_sub(room));
    let columns = columns(pane);
    let aligned = |(text, &(_, _, is_number)): (String, &(&str, u16, bool))| {
        let line = Line::raw(text);
        Cell::from(if is_number { line.right_aligned() } else { line })
    };
    let line = |(place, cells): (usize, Vec<String>)| {
        let row = Row::new(cells.into_iter().zip(columns).map(aligned).collect::<Vec<_>>());
        if selected == Some(place) { row.style(TURNED) } else { row }
    };
    let is_empty = all.is_empty();
    let shown = all.into_iter().enumerate().skip(begin).take(room).map(line);
    let titles = columns.iter().map(|column| aligned((column.0.to_owned(), column)));
    let widths = columns.iter().map(|&(_, width, _)| match width {
        0 => Constraint::Fill(1),
        width => Constraint::Length(width),
    });
    Table::new(shown, widths).header(Row::new(titles).style(DIM)).render(area, buf);
    if is_empty && area.height > 1 {
        let nothing = if look.search.is_empty() { "none" } else { "nothing found" };
        Line::styled(nothing, DIM).render(Rect { y: area.y + 1, height: 1, ..area }, buf);
    }
}

fn draw_foot(view: &View, area: Rect, buf: &mut Buffer) {
    let look = view.look();
    let order = view.pane.orders()[look.order];
    let way = if look.reversed { ", reversed" } else { "" };
    let text = match () {
        () if view.typing => format!("find: {}_   Enter keeps it, Esc ends it", look.search),
        () if look.search.is_empty() => {
            format!("q quit  Tab pane  / find  s sort ({order}{way})  r reverse  ? help")
        }
        () => format!("found: {}   Esc all  / find  s sort ({order}{way})  ? help", look.search),
    };
    Line::styled(text, if view.typing { BOLD } else { DIM }).render(area, buf);
}

fn draw_help(area: Rect, buf: &mut Buffer) {
    let (width, height) = (58, HELP.lines().count() as u16 + 2);
    let place = area.centered(Constraint::Length(width), Constraint::Length(height));
    Clear.render(place, buf);
    Paragraph::new(HELP).block(Block::bordered().title(" lasp top ")).render(place, buf);
}
