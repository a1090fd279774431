//! On which variables nodes disagree, and for how long: by fingerprints of states, not by states.
//!
//! A node *differs* on a variable that it hears if its state is not the one that most have who hear it.

use crate::flow::share;
use crate::watch::{Look, MOST_VARIABLES, Moment};
use lasp_node::Interests;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most variables that are listed: those that nodes disagree on longest.
pub const LISTED: usize = 10;

/// Who hears a variable at one moment, and who differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disagreement {
    /// Nodes that hear it.
    pub hear: u64,
    /// Of these, those that differ.
    pub differ: u64,
}

/// How long and how far nodes disagreed on a variable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Diverging {
    /// Its name.
    pub name: String,
    /// Seconds during which anybody differed, as far as looks tell.
    pub seconds: f64,
    /// Percent of those who heard it that differed, mean over the run.
    pub mean_percent: f64,
    /// The same at worst.
    pub max_percent: f64,
}

/// Every variable that anybody has, with who hears it and who differs.
///
/// What is declared and has not been heard of counts as bottom. Variables beyond the last that some node of many names are left
/// out, since it may have them as well.
pub fn disagreements(looks: &[Look]) -> BTreeMap<String, Disagreement> {
    let last = |look: &Look| (look.sums.len() >= MOST_VARIABLES).then(|| look.sums.last().map(|(hash, ..)| *hash));
    let end = looks.iter().filter_map(last).flatten().min().unwrap_or(u64::MAX);
    let named = || looks.iter().flat_map(|look| &look.sums).filter(|(hash, ..)| *hash <= end);
    let mut sums: BTreeMap<(u64, &str), BTreeMap<u64, u64>> = BTreeMap::new();
    for (hash, name, sum) in named() {
        *sums.entry((*hash, name)).or_default().entry(*sum).or_default() += 1;
    }
    for look in looks {
        let hears = look.hears.clone().map_or(Interests::All, Interests::Prefixes);
        for ((hash, name), sums) in &mut sums {
            let has = look.sums.binary_search_by_key(hash, |(hash, ..)| *hash).is_ok();
            if !has && hears.covers(name) {
                *sums.entry(0).or_default() += 1;
            }
        }
    }
    let mut found = BTreeMap::new();
    for ((_, name), sums) in sums {
        let (hear, most) = (sums.values().sum(), sums.values().copied().max().unwrap_or(0));
        found.insert(name.to_owned(), Disagreement { hear, differ: hear - most });
    }
    found
}

impl Disagreement {
    /// Percent of those who hear it that differ.
    pub fn percent(&self) -> f64 {
        100.0 * share(self.differ, self.hear)
    }
}

/// The variables that nodes disagreed on longest, the longest first. A look stands for the time until the next.
pub fn longest(moments: &[Moment]) -> Vec<Diverging> {
    let mut found: BTreeMap<&str, Diverging> = BTreeMap::new();
    let mut length = 0.0;
    for pair in moments.windows(2) {
        let seconds = pair[1].t_us.saturating_sub(pair[0].t_us) as f64 / 1e6;
        length += seconds;
        for (name, disagreement) in &pair[0].variables {
            let of = found.entry(name).or_insert_with(|| Diverging { name: name.clone(), ..Diverging::default() });
            of.seconds += if disagreement.differ > 0 { seconds } else { 0.0 };
            of.mean_percent += disagreement.percent() * seconds;
            of.max_percent = of.max_percent.max(disagreement.percent());
        }
    }
    let mut found: Vec<Diverging> = found.into_values().filter(|of| of.seconds > 0.0).collect();
    found.iter_mut().for_each(|of| of.mean_percent /= length);
    ranked(found)
}

fn ranked(mut found: Vec<Diverging>) -> Vec<Diverging> {
    found.sort_by(|a, b| b.seconds.total_cmp(&a.seconds).then_with(|| a.name.cmp(&b.name)));
    found.truncate(LISTED);
    found
}

/// Those of several runs as one: mean times and shares, and the worst moment of all.
pub fn of_runs(runs: &[&[Diverging]]) -> Vec<Diverging> {
    let count = runs.len().max(1) as f64;
    let mut found: BTreeMap<&str, Diverging> = BTreeMap::new();
    for one in runs.iter().copied().flatten() {
        let of = found.entry(&one.name).or_insert_with(|| Diverging { name: one.name.clone(), ..Diverging::default() });
        of.seconds += one.seconds / count;
        of.mean_percent += one.mean_percent / count;
        of.max_percent = of.max_percent.max(one.max_percent);
    }
    ranked(found.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn look(peer: u64, sums: &[(&str, u64)]) -> Look {
        let hash = |name: &str| u64::from(name.as_bytes()[0]);
        let sums = sums.iter().map(|(name, sum)| (hash(name), (*name).to_owned(), *sum)).collect();
        Look { peer, sums, ..Look::default() }
    }

    #[test]
    fn who_does_not_have_what_most_have_differs() {
        let mut narrow = look(4, &[("a", 7)]);
        narrow.hears = Some(BTreeSet::from(["a".to_owned()]));
        let looks = [look(1, &[("a", 7), ("b", 1)]), look(2, &[("a", 7), ("b", 2)]), look(3, &[("a", 8)]), narrow];
        let found = disagreements(&looks);
        assert_eq!(found["a"], Disagreement { hear: 4, differ: 1 });
        // The third hears it, and has heard nothing; the fourth does not.
        assert_eq!(found["b"], Disagreement { hear: 3, differ: 2 });
    }

    #[test]
    fn of_many_variables_those_that_all_would_name_count() {
        let many = |from: u64| Look {
            sums: (from..from + MOST_VARIABLES as u64).map(|at| (at, format!("v{at}"), 1)).collect(),
            ..Look::default()
        };
        let found = disagreements(&[many(0), many(0), many(10)]);
        assert_eq!(found.len(), MOST_VARIABLES);
        assert!(!found.contains_key("v70") && found["v63"] == Disagreement { hear: 3, differ: 0 });
        assert_eq!(found["v5"], Disagreement { hear: 3, differ: 1 });
    }

    #[test]
    fn time_counts_from_look_to_look() {
        let moment = |t_s: u64, differ: u64| Moment {
            t_us: t_s * 1_000_000,
            variables: BTreeMap::from([
                ("x".to_owned(), Disagreement { hear: 4, differ }),
                ("calm".to_owned(), Disagreement { hear: 4, differ: 0 }),
            ]),
            ..Moment::default()
        };
        let found = longest(&[moment(0, 0), moment(1, 2), moment(3, 1), moment(4, 0), moment(8, 3)]);
        let x =
            Diverging { name: "x".into(), seconds: 3.0, mean_percent: (50.0 * 2.0 + 25.0) / 8.0, max_percent: 50.0 };
        assert_eq!(found, std::slice::from_ref(&x));
        let both = of_runs(&[&found, &[]]);
        assert_eq!((both[0].seconds, both[0].max_percent), (1.5, 50.0));
        assert_eq!(longest(&[]), []);
    }
}
