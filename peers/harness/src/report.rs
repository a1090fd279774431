//! The table: as text, as Markdown, as JSON.

use crate::measure::{Measure, Sampled, Scale, Unit};
use crate::versions;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write;

/// What was measured.
pub struct Report {
    /// The crate that is measured.
    ours: &'static str,
    scale: Scale,
    rows: Vec<Row>,
}

/// One measure's figures in base units: operations a second, seconds, bytes, factors.
#[derive(Serialize)]
struct Row {
    id: String,
    what: String,
    #[serde(serialize_with = "unit_name")]
    unit: Unit,
    ours: f64,
    p99: Option<f64>,
    peers: Vec<Peer>,
    target: Option<f64>,
    met: Option<bool>,
}

#[derive(Serialize)]
struct Peer {
    name: &'static str,
    version: Option<&'static str>,
    figure: f64,
    p99: Option<f64>,
    /// How many times better ours is.
    advantage: Option<f64>,
}

#[derive(Serialize)]
struct Document<'a> {
    elements: u64,
    rounds: usize,
    processor: String,
    measures: &'a [Row],
}

impl Report {
    pub fn new(ours: &'static str, scale: Scale) -> Self {
        Self { ours, scale, rows: Vec::new() }
    }

    /// Adds what was measured, ours first.
    pub fn push(&mut self, measure: &Measure, sampled: &[Sampled]) {
        let [ours, peers @ ..] = sampled else { return };
        let peer = |peer: &Sampled| Peer {
            name: peer.name,
            version: versions::of(peer.name),
            figure: peer.median,
            p99: peer.p99,
            advantage: measure.advantage(ours.median, peer.median),
        };
        self.rows.push(Row {
            id: measure.id.clone(),
            what: measure.what.clone(),
            unit: measure.unit,
            ours: ours.median,
            p99: ours.p99,
            peers: peers.iter().map(peer).collect(),
            target: measure.target,
            met: measure.is_met_by(ours.median),
        });
    }

    /// Columns of equal width.
    pub fn text(&self) -> String {
        let lines = self.lines();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; COLUMNS] = std::array::from_fn(width);
        let mut text = String::new();
        for line in &lines {
            let mut row = String::new();
            for (cell, width) in line.iter().zip(widths) {
                write!(row, "{cell:<width$}  ").expect("a string takes everything");
            }
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text + "\n" + &self.conditions() + "\n"
    }

    pub fn markdown(&self) -> String {
        let lines = self.lines();
        let mut text = String::new();
        for (at, line) in lines.into_iter().enumerate() {
            let cells = line.map(|cell| if cell == "no" { "**no**".to_owned() } else { cell });
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
            if at == 0 {
                text.push_str("|---|---|---|---|---|---|\n");
            }
        }
        text + "\n" + &self.conditions() + "\n"
    }

    pub fn json(&self) -> String {
        let Scale { elements, rounds, .. } = self.scale;
        let document = Document { elements, rounds, processor: processor(), measures: &self.rows };
        serde_json::to_string_pretty(&document).expect("names and numbers") + "\n"
    }

    /// The heading, then a line for each measure and peer.
    fn lines(&self) -> Vec<[String; COLUMNS]> {
        let heading = ["measure", self.ours, "peer", "better by", "target", "met"].map(str::to_owned);
        std::iter::once(heading).chain(self.rows.iter().flat_map(Row::lines)).collect()
    }

    fn conditions(&self) -> String {
        let Scale { elements, rounds, .. } = self.scale;
        let peers: BTreeSet<String> = self.rows.iter().flat_map(|row| &row.peers).map(Peer::title).collect();
        let peers = if peers.is_empty() { "nothing".to_owned() } else { Vec::from_iter(peers).join(", ") };
        let singly = if self.rows.iter().any(|row| row.p99.is_some()) {
            " (single updates by the wall clock, with their 99th percentile)"
        } else {
            ""
        };
        format!(
            "Sets of {elements} elements; medians of {rounds} samples (3 where one takes long), the libraries taking \
             turns on one thread, by its processor time{singly}; beside {peers}; {}.",
            processor()
        )
    }
}

impl Peer {
    /// Its name, with its version.
    fn title(&self) -> String {
        self.version.map_or_else(|| self.name.to_owned(), |version| format!("{} {version}", self.name))
    }
}

impl Row {
    fn lines(&self) -> Vec<[String; COLUMNS]> {
        let first = self.line(self.peers.first(), true);
        let more = self.peers.iter().skip(1).map(|peer| self.line(Some(peer), false));
        std::iter::once(first).chain(more).collect()
    }

    /// A further peer's line does not repeat what the first line says.
    fn line(&self, peer: Option<&Peer>, is_first: bool) -> [String; COLUMNS] {
        let once = |cell: String| if is_first { cell } else { String::new() };
        let bound = if self.unit.more_is_better() { "≥" } else { "≤" };
        let met = match self.met {
            Some(true) => "yes",
            Some(false) => "no",
            None => "",
        };
        [
            once(self.what.clone()),
            once(with_p99(self.ours, self.p99, self.unit)),
            peer.map_or_else(String::new, |peer| {
                format!("{} {}", peer.name, with_p99(peer.figure, peer.p99, self.unit))
            }),
            peer.and_then(|peer| peer.advantage).map_or_else(String::new, times),
            once(self.target.map_or_else(String::new, |target| format!("{bound} {}", shown(target, self.unit)))),
            once(met.to_owned()),
        ]
    }
}

/// A figure with its unit, and with its 99th percentile where there is one.
fn with_p99(figure: f64, p99: Option<f64>, unit: Unit) -> String {
    let median = shown(figure, unit);
    p99.map_or_else(|| median.clone(), |p99| format!("{median} (p99 {})", shown(p99, unit)))
}

/// A figure with its unit.
fn shown(figure: f64, unit: Unit) -> String {
    match unit {
        Unit::Rate if figure >= 1e6 => format!("{} M/s", digits(figure / 1e6)),
        Unit::Rate => format!("{} k/s", digits(figure / 1e3)),
        Unit::Time if figure >= 0.999_5 => format!("{} s", digits(figure)),
        Unit::Time if figure >= 0.999_5e-3 => format!("{} ms", digits(figure * 1e3)),
        Unit::Time if figure >= 0.999_5e-6 => format!("{} µs", digits(figure * 1e6)),
        Unit::Time => format!("{} ns", digits(figure * 1e9)),
        Unit::Bytes => format!("{} B", digits(figure)),
        Unit::Factor => times(figure),
    }
}

/// A quotient.
fn times(factor: f64) -> String {
    if factor >= 1e6 { format!("{}·10⁶×", digits(factor / 1e6)) } else { format!("{}×", digits(factor)) }
}

/// Three significant digits, or all before the point; whole numbers without a point.
fn digits(figure: f64) -> String {
    let decimals = match figure.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.995 => 2,
        _ => 3,
    };
    let text = format!("{figure:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// The processor's name, where the system tells (Linux).
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

fn unit_name<S: serde::Serializer>(unit: &Unit, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match unit {
        Unit::Rate => "operations per second",
        Unit::Time => "seconds",
        Unit::Bytes => "bytes",
        Unit::Factor => "factor",
    })
}

const COLUMNS: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_a_unit() {
        assert_eq!(shown(4_126_000.0, Unit::Rate), "4.13 M/s");
        assert_eq!(shown(40_000.0, Unit::Rate), "40 k/s");
        assert_eq!(shown(0.25e-6, Unit::Time), "250 ns");
        assert_eq!(shown(0.9999e-3, Unit::Time), "1 ms");
        assert_eq!(shown(1.452, Unit::Time), "1.45 s");
        assert_eq!(shown(3874.0, Unit::Bytes), "3874 B");
        assert_eq!(shown(0.0, Unit::Bytes), "0 B");
        assert_eq!(shown(2.5, Unit::Factor), "2.5×");
        assert_eq!(times(0.0451), "0.045×");
        assert_eq!(times(12_340_000.0), "12.3·10⁶×");
    }

    #[test]
    fn each_peer_has_a_line_and_a_measure_is_named_once() {
        let measure = Measure::new("id", "merging", Unit::Time, |_| Box::new(|| 0.0)).target(1e-3);
        let sampled = |name, median| Sampled { name, median, p99: (name == "crdts").then_some(9e-3) };
        let mut report = Report::new("lasp-crdt", Scale::QUICK);
        report.push(&measure, &[sampled("ours", 2e-3), sampled("crdts", 8e-3), sampled("yrs", 1e-3)]);
        let markdown = report.markdown();
        let lines: Vec<&str> = markdown.lines().take(4).collect();
        assert_eq!(
            lines,
            [
                "| measure | lasp-crdt | peer | better by | target | met |",
                "|---|---|---|---|---|---|",
                "| merging | 2 ms | crdts 8 ms (p99 9 ms) | 4× | ≤ 1 ms | **no** |",
                "|  |  | yrs 1 ms | 0.5× |  |  |",
            ]
        );
        assert!(report.json().contains("\"advantage\": 4.0"));
    }
}
