//! The outcomes of all seeds, by what was run, and the figures that they come to.

use super::experiment::{Level, Outcome, PATIENCE};
use super::subject::Subject;
use crate::figure::{Figure, Varied};
use crate::stats;
use std::collections::BTreeMap;

/// Outcomes by subject, one for each seed.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Seeds ascend.
    pub outcomes: BTreeMap<Subject, Vec<Outcome>>,
}

impl Measured {
    /// The outcomes of a subject.
    pub fn of(&self, subject: Subject) -> &[Outcome] {
        self.outcomes.get(&subject).map_or(&[], Vec::as_slice)
    }

    /// One figure of each seed.
    pub fn varied(&self, subject: Subject, pick: impl Fn(&Outcome) -> f64) -> Varied {
        Varied::of(&self.of(subject).iter().map(pick).collect::<Vec<_>>())
    }

    /// One figure of each seed at each share of failures; shares at which no seed has it are left out.
    pub fn levels(&self, subject: Subject, pick: impl Fn(&Level) -> Option<f64>) -> BTreeMap<u32, Varied> {
        let mut points: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        for (failed, level) in self.of(subject).iter().flat_map(|outcome| &outcome.levels) {
            points.entry(*failed).or_default().extend(pick(level));
        }
        points.retain(|_, values| !values.is_empty());
        points.into_iter().map(|(failed, values)| (failed, Varied::of(&values))).collect()
    }

    /// Reliability in percent.
    pub fn reliability(&self, subject: Subject) -> BTreeMap<u32, Varied> {
        self.levels(subject, |level| Some(100.0 * level.reliability))
    }

    /// Cycles to heal; one that did not within [`PATIENCE`] counts one more.
    pub fn healing(&self, subject: Subject) -> BTreeMap<u32, Varied> {
        self.levels(subject, |level| level.healing.map(|healing| f64::from(healing.unwrap_or(PATIENCE + 1))))
    }

    /// The mean over seeds of a histogram, in percent of all.
    pub fn histogram<T: Copy + Into<u64>>(&self, subject: Subject, pick: impl Fn(&Outcome) -> Vec<T>) -> Vec<f64> {
        let columns: Vec<Vec<u64>> =
            self.of(subject).iter().map(|outcome| pick(outcome).into_iter().map(Into::into).collect()).collect();
        let longest = columns.iter().map(Vec::len).max().unwrap_or(0);
        let share = |column: &Vec<u64>, at: usize| {
            let all = column.iter().sum::<u64>().max(1) as f64;
            100.0 * column.get(at).copied().unwrap_or(0) as f64 / all
        };
        let mean = |at| stats::mean(&columns.iter().map(|column| share(column, at)).collect::<Vec<_>>());
        (0..longest).map(mean).collect()
    }

    /// Everything as it stands in `summary.json`.
    pub fn results(&self) -> BTreeMap<String, Figure> {
        let mut results = BTreeMap::new();
        self.main_results(&mut results);
        let variants =
            [(Subject::Large, "large_passive"), (Subject::NoSpares, "no_spares"), (Subject::Silent, "silent")];
        for (subject, name) in variants.into_iter().filter(|(subject, _)| !self.of(*subject).is_empty()) {
            self.curves(&mut results, subject, &format!("_{name}"));
        }
        let others = [(Subject::Cyclon, "cyclon"), (Subject::CyclonAcked, "cyclon_acked"), (Subject::Scamp, "scamp")];
        for (subject, name) in others.into_iter().filter(|(subject, _)| !self.of(*subject).is_empty()) {
            curve(&mut results, &format!("reliability_{name}"), self.reliability(subject));
            self.shape(&mut results, subject, &format!("_{name}"));
        }
        results
    }

    fn main_results(&self, results: &mut BTreeMap<String, Figure>) {
        let subject = Subject::HyParView;
        self.curves(results, subject, "");
        self.shape(results, subject, "");
        let mut put = |name: &str, varied: Varied| results.insert(name.to_owned(), Figure::Varied(varied));
        put("reliability_before", self.varied(subject, |outcome| 100.0 * outcome.before));
        put("asymmetric_links", self.varied(subject, |outcome| outcome.asymmetric as f64));
        put("links_per_node", self.varied(subject, |outcome| outcome.links));
        let round_trips: Vec<[f64; 2]> = self.of(subject).iter().filter_map(|outcome| outcome.round_trips).collect();
        if !round_trips.is_empty() {
            let at = |place: usize| Varied::of(&round_trips.iter().map(|each| each[place]).collect::<Vec<_>>());
            put("link_round_trip_ms_before", at(0));
            put("link_round_trip_ms", at(1));
        }
    }

    fn curves(&self, results: &mut BTreeMap<String, Figure>, subject: Subject, suffix: &str) {
        let mut put = |name: &str, points| curve(results, &format!("{name}{suffix}"), points);
        put("reliability", self.reliability(subject));
        put("reliability_ceiling", self.levels(subject, |level| Some(100.0 * level.ceiling)));
        put("reliability_joined_sender", self.levels(subject, |level| Some(100.0 * level.joined)));
        put("healing_cycles", self.healing(subject));
    }

    fn shape(&self, results: &mut BTreeMap<String, Figure>, subject: Subject, suffix: &str) {
        let mut put = |name: &str, varied| results.insert(format!("{name}{suffix}"), Figure::Varied(varied));
        put("clustering", self.varied(subject, |outcome| outcome.clustering));
        put("shortest_path", self.varied(subject, |outcome| outcome.paths.mean()));
        put("max_hops", self.varied(subject, |outcome| outcome.max_hops));
        put("degree", self.varied(subject, Outcome::mean_degree));
    }
}

fn curve(results: &mut BTreeMap<String, Figure>, name: &str, points: BTreeMap<u32, Varied>) {
    let points = points.into_iter().map(|(failed, varied)| (failed.to_string(), varied)).collect();
    results.insert(name.to_owned(), Figure::Curve(points));
}
