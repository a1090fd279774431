//! What the terminal shows at the end: verdict first, within 80 columns.

use lasp_eval::aggregate::Overall;
use lasp_eval::figure::Figure;
use lasp_eval::replication::tables::tables;
use lasp_eval::report::{bytes, flaws, millis, say};
use lasp_eval::summary::Summary;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Experiments on parts of nodes: there are no updates to speak of, only results.
const LAB: [&str; 15] = [
    "broadcast",
    "hyparview",
    "overlay-scale",
    "overlay-processes",
    "rapid",
    "churn",
    "idle",
    "micro",
    "retwis",
    "reconcile",
    "interest",
    "heal",
    "slow-peer",
    "joiner",
    "first-sync",
];

/// Widest line.
const WIDTH: usize = 80;

/// The verdict, what stands against it, and the figures.
pub(crate) fn table(overall: &Overall) -> String {
    let summary = &overall.summary;
    let mut out = String::new();
    let verdict = match (summary.converged, LAB.contains(&summary.scenario.as_str())) {
        (true, false) => "Converged",
        (false, false) => "Not converged",
        (true, true) => "Completed",
        (false, true) => "Not as it should be",
    };
    let runs = if overall.runs.is_empty() { String::new() } else { format!(", {} runs", overall.runs.len()) };
    let _ = writeln!(
        out,
        "{verdict}: {}, {} nodes, seed {}{runs}, {:.1} s",
        summary.scenario, summary.nodes, summary.seed, summary.run_seconds
    );
    for problem in summary.problems.iter().chain(&flaws(summary)) {
        bullet(&mut out, problem);
    }
    out.push('\n');
    let tables = tables(summary);
    for table in &tables {
        let _ = writeln!(out, "{}", table.text());
    }
    for (name, value) in rows(summary) {
        let _ = writeln!(out, "  {name:<27} {value}");
    }
    out
}

/// An indented line, broken at spaces where it is too long.
fn bullet(out: &mut String, text: &str) {
    let mut line = String::from("  -");
    for word in text.split(' ') {
        if line.len() + 1 + word.len() > WIDTH && line.len() > 4 {
            let _ = writeln!(out, "{line}");
            line = String::from("   ");
        }
        let _ = write!(line, " {word}");
    }
    let _ = writeln!(out, "{line}");
}

fn rows(summary: &Summary) -> Vec<(String, String)> {
    if LAB.contains(&summary.scenario.as_str()) {
        return lab_rows(summary);
    }
    let convergence = &summary.convergence_ms;
    let traffic = &summary.bytes;
    let mut rows = vec![
        row("updates", format!("{} acknowledged, {} lost", summary.updates, summary.lost_updates)),
        row(
            "convergence",
            format!(
                "p50 {}, p99 {}, max {}",
                millis(convergence.p50),
                millis(convergence.p99),
                millis(convergence.max)
            ),
        ),
        row(
            "sent",
            format!(
                "{} (state {}, protocol {})",
                bytes(traffic.total as f64),
                bytes(traffic.state as f64),
                bytes(traffic.protocol as f64)
            ),
        ),
        row("sent per update", format!("{}, cluster-wide", bytes(traffic.per_update))),
    ];
    if !summary.overcounting.is_empty() {
        rows.push(row("overcounting", format!("{:.2} %, mean over ads", summary.overcounting_percent)));
    }
    if summary.crashes > 0 {
        rows.push(row(
            "crashes",
            format!("{} ({} updates by lives that crashed)", summary.crashes, summary.crashed_updates),
        ));
    }
    rows.push(row(
        "overlay",
        format!(
            "{} isolated, {} asymmetric, {} component{}",
            summary.isolated_nodes,
            summary.asymmetric_links,
            summary.components,
            if summary.components == 1 { "" } else { "s" }
        ),
    ));
    rows.push(row(
        "memory per node",
        format!("{} (max {})", bytes(summary.rss_bytes.mean), bytes(summary.rss_bytes.max)),
    ));
    rows.push(row(
        "time",
        format!("{:.1} s on the wall, {:.1} s of processors", summary.wall_seconds, summary.cpu_seconds),
    ));
    rows.extend(summary.results.iter().map(|(name, value)| (name.replace('_', " "), say(value))));
    rows.extend(summary.trace_hash.iter().map(|hash| row("trace hash", hash.clone())));
    rows
}

/// Results and costs; curves point by point, so that no line is too wide.
fn lab_rows(summary: &Summary) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    // What stands in tables is not said again.
    let results = if tables(summary).is_empty() { &summary.results } else { &BTreeMap::new() };
    for (name, figure) in results {
        let name = name.replace('_', " ");
        match figure {
            Figure::Curve(points) => {
                rows.push((name, String::new()));
                let unit = if summary.scenario == "idle" { "nodes" } else { "%" };
                rows.extend(points.iter().map(|(at, v)| (format!("  {at} {unit}"), say(&Figure::Varied(*v)))));
            }
            _ => rows.push((name, say(figure))),
        }
    }
    let time = format!("{:.1} s on the wall, {:.1} s of processors", summary.wall_seconds, summary.cpu_seconds);
    rows.push(row("time", time));
    rows.extend(summary.trace_hash.iter().map(|hash| row("trace hash", hash.clone())));
    rows
}

fn row(name: &str, value: String) -> (String, String) {
    (name.to_owned(), value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_eval::aggregate::aggregate;
    use lasp_eval::config::Config;
    use lasp_eval::summary::{Outside, summarize};

    #[test]
    fn the_verdict_comes_first_and_no_line_is_too_wide() {
        let problem =
            "client-1, client-2, client-3, client-4 and 9 more did not complete (3 of 16 saw the end, 0 pushed)";
        let outside = Outside { problems: vec![problem.to_owned()], ..Outside::default() };
        let text = table(&aggregate(vec![summarize(&Config::default(), &[], &[], outside)]).unwrap());
        assert!(text.starts_with("Not converged: advertisement-counter, 16 nodes, seed 1"), "{text}");
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert!(text.replace("\n   ", "").contains("did not complete (3 of 16"), "{text}");
    }
}
