//! What `report.html` says of an experiment on overlays, before its plots: the verdict, and our figures beside the published.

use super::published::{CYCLON, CYCLON_ACKED, HYPARVIEW, Published, SCAMP};
use crate::aggregate::Overall;
use crate::figure::{Figure, Varied};
use crate::report::{escape, say, table};
use crate::summary::Summary;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Rows of the strategy under test, and the results that they are made of.
const OURS: [(&str, &str); 10] = [
    ("HyParView", "reliability"),
    ("the most that could be", "reliability_ceiling"),
    ("senders with a neighbour alone", "reliability_joined_sender"),
    ("no spare links", "reliability_no_spares"),
    ("no spare links: the most that could be", "reliability_ceiling_no_spares"),
    ("no spare links: senders with a neighbour alone", "reliability_joined_sender_no_spares"),
    ("larger passive view, no spare links", "reliability_large_passive"),
    ("crashes without a sign", "reliability_silent"),
    ("cycles to heal", "healing_cycles"),
    ("cycles to heal from crashes without a sign", "healing_cycles_silent"),
];

/// Rows of others.
const OTHERS: [(&str, &str); 3] =
    [("Cyclon", "reliability_cyclon"), ("Cyclon acked", "reliability_cyclon_acked"), ("SCAMP", "reliability_scamp")];

/// Verdict, comparison, everything else.
pub fn body(overall: &Overall) -> String {
    let summary = &overall.summary;
    let mut out = verdict(summary);
    if summary.results.contains_key("reliability") {
        out += &comparison(summary);
    }
    crate::replication::tables::tables(summary).iter().for_each(|table| out += &table.html());
    let rows: Vec<(String, String)> =
        summary.results.iter().map(|(name, figure)| (name.replace('_', " "), say(figure))).collect();
    let _ = write!(out, "<h2>Figures</h2>\n{}", table(&rows));
    out
}

fn verdict(summary: &Summary) -> String {
    if summary.converged {
        return "<section class=\"verdict good\"><strong>Completed.</strong></section>\n".to_owned();
    }
    let items: String = summary.problems.iter().map(|problem| format!("<li>{}</li>", escape(problem))).collect();
    format!("<section class=\"verdict bad\"><strong>Not as it should be.</strong><ul>{items}</ul></section>\n")
}

fn curve<'a>(summary: &'a Summary, name: &str) -> Option<&'a BTreeMap<String, Varied>> {
    match summary.results.get(name) {
        Some(Figure::Curve(points)) => Some(points),
        _ => None,
    }
}

fn comparison(summary: &Summary) -> String {
    let mut failed: Vec<u32> =
        curve(summary, "reliability").into_iter().flatten().filter_map(|(failed, _)| failed.parse().ok()).collect();
    failed.sort_unstable();
    let mut out = String::from(
        "<h2>Reliability (%) and healing (cycles) by percent failed</h2>\n<div class=\"wide\"><table>\n<tr><th></th>",
    );
    failed.iter().for_each(|percent| out += &format!("<th class=\"number\">{percent}</th>"));
    out += "</tr>\n";
    let mut rows = |names: &[(&str, &str)]| {
        for (name, key) in names {
            if let Some(points) = curve(summary, key) {
                let cell = |percent: &u32| points.get(&percent.to_string()).map_or_else(String::new, cell);
                row(&mut out, name, failed.iter().map(cell));
            }
        }
    };
    rows(&OURS);
    rows(&OTHERS);
    let at = |values: &[f64], percent: &u32| {
        let place = super::experiment::FAILED.iter().position(|share| share == percent);
        place.and_then(|place| values.get(place)).map_or_else(String::new, f64::to_string)
    };
    for Published { name, reliability, .. } in [HYPARVIEW, CYCLON, CYCLON_ACKED, SCAMP] {
        row(&mut out, name, failed.iter().map(|percent| at(&reliability, percent)));
    }
    row(&mut out, "HyParView, published: cycles to heal", failed.iter().map(|percent| at(&HYPARVIEW.healing, percent)));
    out += "</table></div>\n";
    out
}

fn cell(varied: &Varied) -> String {
    let digits = |value: f64| format!("{value:.2}").trim_end_matches('0').trim_end_matches('.').to_owned();
    if varied.sd < 0.005 {
        return digits(varied.mean);
    }
    format!("{}<small>± {}</small>", digits(varied.mean), digits(varied.sd))
}

fn row(out: &mut String, name: &str, cells: impl Iterator<Item = String>) {
    let _ = write!(out, "<tr><th>{name}</th>");
    cells.for_each(|cell| *out += &format!("<td class=\"number\">{cell}</td>"));
    *out += "</tr>\n";
}
