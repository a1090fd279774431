//! What agreeing took, as tables of a page.

use super::{bytes, escape, number, range_of, table};
use crate::economy::{Buffers, Economy};
use crate::ledger::Part;
use crate::replication::tables::Table;
use crate::summary::Summary;
use crate::tree::Tree;
use crate::variables::Diverging;
use std::fmt::Write as _;

/// The figures that matter most: name, value, note.
pub(super) fn tiles(summary: &Summary) -> Vec<(&'static str, String, String)> {
    let Some(Economy { redundancy, digests, .. }) = &summary.economy else { return Vec::new() };
    let mut tiles = Vec::new();
    if redundancy.payloads_needed > 0 {
        let note = format!("of state received ÷ needed; {} of messages", number(redundancy.payloads));
        tiles.push(("Redundancy", number(redundancy.state), note));
    }
    if digests.received > 0 {
        let note = format!("of {} comparisons found equal stores at once", digests.received);
        tiles.push(("Digests that hit", format!("{} %", number(100.0 * digests.hit_rate)), note));
    }
    tiles
}

/// The section about it; nothing where there are no figures.
pub(super) fn section(summary: &Summary) -> String {
    if !summary.parts.is_empty() {
        return format!("<h2>What agreeing took</h2>\n{}", parts(summary));
    }
    let Some(economy) = &summary.economy else { return String::new() };
    let mut rows = traffic(summary);
    rows.extend(received(economy));
    rows.extend(buffers(&economy.buffers));
    if economy.tree.nodes > 0 {
        rows.extend(tree(&economy.tree));
    }
    format!("<h2>What agreeing took</h2>\n{}{}", table(&rows), variables(&economy.variables))
}

/// Of an experiment that compares several configurations: a row for each.
fn parts(summary: &Summary) -> String {
    let mut parts: Vec<(&String, &Part)> = summary.parts.iter().collect();
    let place = |name: &str| name.parse().unwrap_or(f64::MAX);
    parts.sort_by(|(a, _), (b, _)| place(a).total_cmp(&place(b)).then_with(|| a.cmp(b)));
    let table = Table {
        title: "Sent, received ÷ needed, digests that were equal, most that waited or was kept, the tree".to_owned(),
        header: PARTS.to_vec(),
        rows: parts.into_iter().map(|(name, part)| (name.replace('_', " "), cells(part))).collect(),
    };
    table.html()
}

/// What the columns of [`parts`] are.
const PARTS: [&str; 13] = [
    "state",
    "membership",
    "broadcast",
    "sync",
    "state ÷",
    "messages ÷",
    "equal %",
    "on a link",
    "at a node",
    "entries kept",
    "links ÷ (n − 1)",
    "depth",
    "disagreed on longest",
];

fn cells(Part { bytes: sent, economy }: &Part) -> Vec<String> {
    let Economy { redundancy, digests, buffers, tree, variables } = economy;
    let some = |there: bool, value: f64| if there { number(value) } else { String::new() };
    let longest = variables.first().map(|of| format!("{} ({} s)", escape(&of.name), number(of.seconds)));
    vec![
        bytes(sent.state as f64),
        bytes(sent.membership as f64),
        bytes(sent.broadcast as f64),
        bytes(sent.sync as f64),
        some(redundancy.state_needed > 0, redundancy.state),
        some(redundancy.payloads_needed > 0, redundancy.payloads),
        some(digests.received > 0, 100.0 * digests.hit_rate),
        bytes(buffers.link_bytes as f64),
        bytes(buffers.node_bytes as f64),
        buffers.kept_entries.to_string(),
        some(tree.nodes > 0, tree.links_ratio),
        some(tree.nodes > 0, tree.depth() as f64),
        longest.unwrap_or_default(),
    ]
}

fn traffic(summary: &Summary) -> Vec<(String, String)> {
    let sent = &summary.bytes;
    let share = |of: u64| 100.0 * of as f64 / sent.total.max(1) as f64;
    let row = |name: &str, of: u64| (format!("sent: {name}"), format!("{} ({:.1} %)", bytes(of as f64), share(of)));
    vec![
        row("state", sent.state),
        row("membership", sent.membership),
        row("broadcast tree", sent.broadcast),
        row("synchronisation", sent.sync),
    ]
}

fn received(Economy { redundancy, digests, .. }: &Economy) -> Vec<(String, String)> {
    let of = |ratio: f64, received: String, needed: String| format!("{} ({received} ÷ {needed})", number(ratio));
    let state = [redundancy.state_received, redundancy.state_needed].map(|count| bytes(count as f64));
    let payloads = [redundancy.payloads_received, redundancy.payloads_needed].map(|count| count.to_string());
    let [received, needed] = state;
    let mut rows = vec![("state received ÷ needed".to_owned(), of(redundancy.state, received, needed))];
    let [received, needed] = payloads;
    rows.push(("messages with state received ÷ needed".to_owned(), of(redundancy.payloads, received, needed)));
    let hits = format!("{} of {} ({} %)", digests.equal, digests.received, number(100.0 * digests.hit_rate));
    rows.push(("digests that were equal".to_owned(), hits));
    rows
}

fn buffers(peaks: &Buffers) -> Vec<(String, String)> {
    let row = |name: &str, entries: u64, size: u64| {
        (format!("most that waited {name}"), format!("{entries} entries; {}", bytes(size as f64)))
    };
    vec![
        row("on one link", peaks.link_entries, peaks.link_bytes),
        row("at one node, for all its links", peaks.node_entries, peaks.node_bytes),
        ("most that one node kept beside its variables".to_owned(), format!("{} entries", peaks.kept_entries)),
    ]
}

fn tree(tree: &Tree) -> Vec<(String, String)> {
    let links = format!(
        "{} between {} nodes: {} of what a tree has",
        number(tree.links),
        tree.nodes,
        number(tree.links_ratio),
    );
    let parts = format!("{} / {}", tree.components, tree.one_sided);
    let depth = format!("{} from its middle, {} across", tree.depth(), tree.diameter);
    vec![
        ("links that payloads are pushed over".to_owned(), links),
        ("parts of the tree / links of which one end knows".to_owned(), parts),
        ("depth of the tree".to_owned(), depth),
        ("nodes by how many are next behind them".to_owned(), range_of(&tree.children)),
    ]
}

fn variables(listed: &[Diverging]) -> String {
    if listed.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<div class=\"wide\"><table>\n<tr><th>variables that nodes disagreed on longest</th><th>seconds</th>\
         <th>nodes that differed, mean</th><th>most</th></tr>\n",
    );
    for Diverging { name, seconds, mean_percent, max_percent } in listed {
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{} %</td><td class=\"number\">{} %</td></tr>",
            escape(name),
            number(*seconds),
            number(*mean_percent),
            number(*max_percent),
        );
    }
    out += "</table></div>\n";
    out
}
