//! Panels as one SVG picture.
//!
//! Dark text on light boxes and grey arrows on no ground at all: it reads on light and on dark pages.

use super::drawing::{Kind, Panel, Shape};
use super::layout::{Point, layout};
use lasp_lang::explain::Growth;
use std::fmt::Write;

/// How many boxes are drawn: more cannot be read.
const BOXES_MAX: usize = 1500;
const FONT: f64 = 11.0;
/// The advance of a character in the monospaced font.
const ADVANCE: f64 = FONT * 0.602;
const LINE: f64 = 15.0;
const MARGIN: f64 = 16.0;
const TITLE: f64 = 26.0;
const GREY: &str = "#808890";

/// The picture; the error says why there is none.
pub(super) fn render(panels: &[Panel]) -> Result<String, String> {
    let boxes: usize = panels.iter().map(|panel| panel.boxes.len()).sum();
    if boxes > BOXES_MAX {
        return Err(format!("error: {boxes} boxes are too many for a picture (at most {BOXES_MAX}); use --format dot"));
    }
    let mut body = String::new();
    let mut width: f64 = 0.0;
    let mut y = MARGIN;
    for panel in panels {
        let (panel_width, panel_height) = draw(panel, y, &mut body);
        width = width.max(panel_width);
        y += panel_height + MARGIN;
    }
    width = width.max(legend(y, &mut body)) + 2.0 * MARGIN;
    let height = y + LINE + MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} \
         {height:.0}\" font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"{FONT}\">\n",
    );
    _ = writeln!(
        out,
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\"><path d=\"M0 0.5L8 4L0 7.5z\" fill=\"{GREY}\"/></marker></defs>"
    );
    Ok(out + &body + "</svg>\n")
}

/// Draws a panel from `top` on; its width and height.
fn draw(panel: &Panel, top: f64, out: &mut String) -> (f64, f64) {
    let sizes: Vec<(f64, f64)> = panel.boxes.iter().map(size).collect();
    let layout = layout(&sizes, &panel.arrows);
    let (x, y) = (MARGIN, top + TITLE);
    _ = writeln!(
        out,
        "<text x=\"{x}\" y=\"{:.1}\" fill=\"{GREY}\" font-size=\"13\">{}</text>",
        top + 12.0,
        escaped(&panel.title)
    );
    _ = writeln!(out, "<g transform=\"translate({x} {y})\">");
    for points in &layout.arrows {
        _ = writeln!(
            out,
            "<path d=\"{}\" fill=\"none\" stroke=\"{GREY}\" stroke-width=\"1.2\" marker-end=\"url(#tip)\"/>",
            curve(points)
        );
    }
    for ((shape, size), middle) in panel.boxes.iter().zip(&sizes).zip(&layout.boxes) {
        draw_box(shape, *size, *middle, out);
    }
    *out += "</g>\n";
    let title_width = width_of(&panel.title) * 1.2;
    (layout.width.max(title_width), layout.height + TITLE)
}

/// How wide a line is in the monospaced font; wide characters count twice.
fn width_of(line: &str) -> f64 {
    let columns: usize = line.chars().map(|c| if (c as u32) >= 0x1100 && c != '…' { 2 } else { 1 }).sum();
    columns as f64 * ADVANCE
}

fn size(shape: &Shape) -> (f64, f64) {
    let widest = shape.lines.iter().map(|line| width_of(line)).fold(0.0, f64::max);
    (widest + 20.0, shape.lines.len() as f64 * LINE + 10.0)
}

/// Down through all points, upright at each of them.
fn curve(points: &[Point]) -> String {
    let mut path = String::new();
    for (at, (x, y)) in points.iter().enumerate() {
        let Some((from_x, from_y)) = at.checked_sub(1).map(|before| points[before]) else {
            _ = write!(path, "M{x:.1} {y:.1}");
            continue;
        };
        if (from_x - x).abs() < 0.5 {
            _ = write!(path, "L{x:.1} {y:.1}");
        } else {
            let bend = (from_y + y) / 2.0;
            _ = write!(path, "C{from_x:.1} {bend:.1} {x:.1} {bend:.1} {x:.1} {y:.1}");
        }
    }
    path
}

fn draw_box(shape: &Shape, (width, height): (f64, f64), (x, y): Point, out: &mut String) {
    let Look { stroke, fill, dash, radius, stroke_width } = look(shape.kind);
    _ = writeln!(
        out,
        "<g><title>{}</title><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{radius}\" \
         fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"{stroke_width}\"{dash}/>",
        escaped(&shape.details),
        x - width / 2.0,
        y - height / 2.0,
    );
    let first = y - height / 2.0 + 5.0 + FONT;
    for (number, line) in shape.lines.iter().enumerate() {
        let weight = if number == 0 { " font-weight=\"bold\" fill=\"#1f2328\"" } else { " fill=\"#4a5058\"" };
        _ = writeln!(
            out,
            "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" xml:space=\"preserve\"{weight}>{}</text>",
            first + number as f64 * LINE,
            escaped(line)
        );
    }
    *out += "</g>\n";
}

struct Look {
    stroke: &'static str,
    fill: &'static str,
    dash: &'static str,
    radius: f64,
    stroke_width: f64,
}

fn look(kind: Kind) -> Look {
    let (stroke, fill) = match kind {
        Kind::Replicated(growth) | Kind::Local(growth) => growth_colors(growth),
        Kind::Operator => ("#808890", "#f4f5f7"),
        Kind::Made => ("#8a63d2", "#f3eefc"),
        Kind::Reaction => ("#808890", "#fffbe6"),
    };
    let dash = if matches!(kind, Kind::Local(_)) { " stroke-dasharray=\"5 3\"" } else { "" };
    let radius = match kind {
        Kind::Replicated(_) | Kind::Local(_) => 5.0,
        Kind::Operator | Kind::Made => 13.0,
        Kind::Reaction => 0.0,
    };
    let stroke_width = if matches!(kind, Kind::Replicated(_) | Kind::Made) { 1.8 } else { 1.2 };
    Look { stroke, fill, dash, radius, stroke_width }
}

fn growth_colors(growth: Growth) -> (&'static str, &'static str) {
    match growth {
        Growth::Value => ("#2e8b57", "#ecf7f0"),
        Growth::Metadata => ("#3b7dd8", "#edf3fc"),
        Growth::Replaced => ("#c07a1e", "#fcf4e8"),
    }
}

/// What colours mean; its width.
fn legend(y: f64, out: &mut String) -> f64 {
    let entries = [
        (Kind::Replicated(Growth::Value), "value only grows"),
        (Kind::Replicated(Growth::Metadata), "only metadata grows"),
        (Kind::Replicated(Growth::Replaced), "replaced by newer"),
        (Kind::Local(Growth::Metadata), "local to its node"),
        (Kind::Made, "by the optimiser"),
    ];
    let mut x = MARGIN;
    for (kind, text) in entries {
        let Look { stroke, fill, dash, .. } = look(kind);
        _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"14\" height=\"10\" rx=\"3\" fill=\"{fill}\" stroke=\"{stroke}\"{dash}/>\
             <text x=\"{:.1}\" y=\"{:.1}\" fill=\"{GREY}\" font-size=\"10\">{text}</text>",
            x + 19.0,
            y + 9.0,
        );
        x += 19.0 + width_of(text) * 10.0 / FONT + 16.0;
    }
    x - MARGIN
}

/// Text in XML: markup escaped, characters that XML does not allow replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\n' | '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_control_characters_are_escaped() {
        assert_eq!(escaped("a<b> & \"c\"\u{1}\n"), "a&lt;b&gt; &amp; &quot;c&quot;\u{fffd} ");
    }

    #[test]
    fn too_many_boxes_are_refused() {
        let shape = Shape { kind: Kind::Operator, lines: vec!["map".to_owned()], details: String::new() };
        let panel = |boxes| Panel { boxes: vec![shape.clone(); boxes], ..Panel::default() };
        assert!(render(&[panel(BOXES_MAX + 1)]).is_err_and(|message| message.contains("--format dot")));
        assert!(render(&[panel(3)]).is_ok_and(|picture| picture.matches("<rect").count() == 3 + 5));
    }
}
