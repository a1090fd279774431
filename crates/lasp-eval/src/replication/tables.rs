//! Runs side by side: tables for the terminal and for the report, out of a summary alone.

use crate::figure::{Figure, Varied};
use crate::report::{escape, number};
use crate::summary::Summary;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// What it is about.
    pub title: String,
    /// What its columns are.
    pub header: Vec<&'static str>,
    /// A name, then a cell for each column.
    pub rows: Vec<(String, Vec<String>)>,
}

impl Table {
    /// For a terminal: every column as wide as it must be.
    pub fn text(&self) -> String {
        let widths: Vec<usize> = (0..self.header.len())
            .map(|at| {
                self.rows.iter().map(|(_, cells)| cells[at].len()).chain([self.header[at].len()]).max().unwrap_or(0)
            })
            .collect();
        let first = self.rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let mut out = format!("{}\n  {:first$}", self.title, "");
        self.header.iter().zip(&widths).for_each(|(name, &width)| _ = write!(out, "  {name:>width$}"));
        for (name, cells) in &self.rows {
            let _ = write!(out, "\n  {name:first$}");
            cells.iter().zip(&widths).for_each(|(cell, &width)| _ = write!(out, "  {cell:>width$}"));
        }
        out.push('\n');
        out
    }

    /// For the report.
    pub fn html(&self) -> String {
        let mut out = format!("<h3>{}</h3>\n<div class=\"wide\"><table>\n<tr><th></th>", escape(&self.title));
        self.header.iter().for_each(|name| _ = write!(out, "<th class=\"number\">{name}</th>"));
        for (name, cells) in &self.rows {
            let _ = write!(out, "</tr>\n<tr><th>{name}</th>");
            cells.iter().for_each(|cell| _ = write!(out, "<td class=\"number\">{cell}</td>"));
        }
        out += "</tr>\n</table></div>\n";
        out
    }
}

/// The tables of a summary; none if it is about something else.
pub fn tables(summary: &Summary) -> Vec<Table> {
    match summary.scenario.as_str() {
        "broadcast" => crate::lab::broadcast::figures::tables(summary),
        "interest" => super::interest::figures::tables(summary),
        "first-sync" => crate::loopback::first_sync::figures::tables(summary),
        "heal" => super::heal::figures::tables(summary),
        "joiner" => crate::loopback::joiner::figures::tables(summary),
        "micro" => super::micro::figures::tables(summary),
        "reconcile" => super::reconcile::figures::tables(summary),
        "slow-peer" => super::slow_peer::figures::tables(summary),
        "retwis" => super::retwis::figures::tables(summary),
        _ => Vec::new(),
    }
}

/// A figure that is a curve.
pub(crate) fn curve<'a>(summary: &'a Summary, name: &str) -> Option<&'a BTreeMap<String, Varied>> {
    match summary.results.get(name) {
        Some(Figure::Curve(points)) => Some(points),
        _ => None,
    }
}

/// The mean at a point of a curve.
pub(crate) fn at(summary: &Summary, name: &str, point: &str) -> Option<f64> {
    curve(summary, name)?.get(point).map(|varied| varied.mean)
}

/// A number, or nothing.
pub(crate) fn cell(value: Option<f64>) -> String {
    value.map_or_else(String::new, number)
}

/// How many times a number is another, to three digits.
pub(super) fn times(value: Option<f64>, of: Option<f64>) -> String {
    value.zip(of).map_or_else(String::new, |(value, of)| format!("{:.3}", value / of))
}

/// Curves out of runs: for each name a point for each place, over all seeds.
#[derive(Debug, Default)]
pub(crate) struct Curves(BTreeMap<String, BTreeMap<String, Vec<f64>>>);

impl Curves {
    /// Adds a value of one seed.
    pub(crate) fn add(&mut self, name: String, point: &str, value: f64) {
        self.0.entry(name).or_default().entry(point.to_owned()).or_default().push(value);
    }

    /// All of them.
    pub(crate) fn figures(self) -> BTreeMap<String, Figure> {
        let points = |points: BTreeMap<String, Vec<f64>>| {
            points.into_iter().map(|(point, values)| (point, Varied::of(&values))).collect()
        };
        self.0.into_iter().map(|(name, curve)| (name, Figure::Curve(points(curve)))).collect()
    }
}
