//! Two replicas of a large set meet once: the set-up of ConflictSync (Gomes et al., 2025), of whole nodes. Both hold as many
//! random strings, of which they share what the Jaccard similarity says; every byte that either sends is held against the
//! strings that the other lacks.

pub mod figures;
pub mod options;

use super::bench::{Bench, Sent};
use crate::config::Config;
use crate::lab::metered::address;
use crate::lab::seeds::{Pace, concluded, each, seeds};
use crate::ledger::{Account, Accounts};
use crate::plot::Chart;
use crate::progress::Observer;
use crate::run::Context;
use crate::stats::sorted;
use crate::summary::Summary;
use lasp_dataflow::{Op, Type, Value};
use lasp_overlay::Rng;
use lasp_overlay::membership::{MembershipConfig, list};
use lasp_sim::Latency;
use options::Reconcile;
use std::time::Duration;

/// One way of every message. A guess: one data centre.
const LATENCY: Duration = Duration::from_millis(1);

/// Elements of one operation: well below what one may carry.
const BATCH: usize = 1000;

/// How long the replicas stay apart after they were filled, so that nothing of it is under way.
const APART: Duration = Duration::from_secs(30);

/// Between two looks whether they are equal.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// After how long a run is given up.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long two that are equal are watched.
const WATCHED: Duration = Duration::from_secs(120);

/// The variable.
const VARIABLE: &str = "strings";

/// One run: how similar, from which seed.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// The Jaccard similarity in percent.
    pub similarity: f64,
    /// From which all random choices follow.
    pub seed: u64,
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Bytes of the strings that one of the two lacks.
    pub least: u64,
    /// How many they are.
    pub differing: u64,
    /// Sent from the moment they could meet until they were equal.
    pub sent: Sent,
    /// For how long, in seconds.
    pub seconds: f64,
    /// Whether they were equal in the end.
    pub equal: bool,
    /// Bytes of one comparison of the equal.
    pub equal_bytes: f64,
    /// The same as `sent`, by class and over time.
    pub account: Option<Account>,
    /// Hash of all that happened.
    pub trace_hash: u64,
}

/// A job and what it came to.
pub type Run = (Job, Outcome);

/// Runs all of it.
pub(crate) fn evaluate(
    config: &Config,
    options: &Reconcile,
    context: &Context<'_>,
    observer: &mut dyn Observer,
) -> (Summary, Vec<Chart>) {
    let jobs: Vec<Job> = seeds(config)
        .flat_map(|seed| options.similarity.iter().map(move |&similarity| Job { similarity, seed }))
        .collect();
    let outcomes = each(&jobs, jobs.len() as u64, 2, config, context, observer, |job, pace| {
        (*job, run(job, options.elements, pace))
    });
    let hashes = outcomes.iter().map(|(_, outcome)| outcome.trace_hash);
    let found = (figures::results(&outcomes), figures::problems(&outcomes));
    let mut summary = concluded(config, found, [outcomes.len(), jobs.len()], hashes);
    let mut charts = figures::charts(&summary);
    let accounts = outcomes.iter().map(|(job, outcome)| (job.similarity.to_string(), &outcome.account));
    charts.extend(Accounts::of(accounts).tell(&middle(&options.similarity), &mut summary));
    (summary, charts)
}

/// The similarity whose meeting is drawn: as many are greater as are less.
fn middle(similarities: &[f64]) -> String {
    let sorted = sorted(similarities.to_vec());
    sorted.get(sorted.len() / 2).map_or_else(String::new, f64::to_string)
}

/// A string of 5 to 80 letters and digits.
fn string(rng: &mut Rng) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let len = 5 + rng.below(76);
    (0..len).map(|_| char::from(LETTERS[rng.below(62) as usize])).collect()
}

/// Of `elements` on either side, how many are shared at a similarity in percent.
fn shared(elements: usize, similarity: f64) -> usize {
    let share = similarity / 100.0;
    (2.0 * share * elements as f64 / (1.0 + share)).round() as usize
}

/// Both sides' strings, and the bytes and number of those that only one has.
fn strings(job: &Job, elements: usize) -> ([Vec<String>; 2], u64, u64) {
    let mut rng = Rng::new(job.seed);
    let common: Vec<String> = (0..shared(elements, job.similarity)).map(|_| string(&mut rng)).collect();
    let mut own = || -> Vec<String> { (common.len()..elements).map(|_| string(&mut rng)).collect() };
    let sides = [own(), own()];
    let least = sides.iter().flatten().map(|text| text.len() as u64).sum();
    let differing = sides.iter().map(|side| side.len() as u64).sum();
    (sides.map(|side| side.into_iter().chain(common.iter().cloned()).collect()), least, differing)
}

fn run(job: &Job, elements: usize, pace: &Pace<'_>) -> Outcome {
    let (sides, least, differing) = strings(job, elements);
    let mut bench = Bench::new(Latency::Constant(LATENCY), job.seed);
    let mut rng = Rng::new(job.seed);
    bench.cut(1, 2);
    for (node, side) in sides.into_iter().enumerate() {
        let list = list::Config { peers: vec![address(1 - node)], ..list::Config::default() };
        let membership = MembershipConfig::Static(list);
        bench.spawn(node, lasp_node::Config { membership, ..lasp_node::Config::default() }, &mut rng);
        for some in side.chunks(BATCH) {
            let texts = some.iter().map(|text| Value::from(text.clone())).collect();
            bench.update(node, VARIABLE, &Type::GSet, Op::AddAll(texts));
        }
    }
    bench.simulator.run_for(APART);
    bench.simulator.heal();
    let (before, start, mut ledger) = (bench.sent(), bench.now(), bench.open(LOOK_EVERY));
    let linked = |bench: &Bench| bench.sent().comparisons > before.comparisons;
    while bench.now() < start + PATIENCE && !(linked(&bench) && bench.agreeing() == 2) {
        bench.simulator.run_for(LOOK_EVERY);
        bench.note(&mut ledger);
    }
    // The last look may have caught an answer to equal stores under way.
    bench.simulator.run_for(LOOK_EVERY);
    let (sent, seconds, equal) =
        (bench.sent().since(before), (bench.now() - start).as_secs_f64(), bench.agreeing() == 2);
    let account = bench.close(ledger, differing).without_tree();
    bench.simulator.run_for(APART);
    let settled = bench.sent();
    bench.simulator.run_for(WATCHED);
    let watched = bench.sent().since(settled);
    pace.step();
    Outcome {
        least,
        differing,
        sent,
        seconds,
        equal,
        equal_bytes: watched.sync as f64 / watched.comparisons.max(1) as f64,
        account: Some(account),
        trace_hash: bench.simulator.trace_hash(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_as_similar_as_they_are_to_be() {
        for (similarity, common) in [(0.0, 0), (50.0, 667), (100.0, 1000)] {
            let ([left, right], least, differing) = strings(&Job { similarity, seed: 3 }, 1000);
            assert_eq!([left.len(), right.len()], [1000, 1000]);
            let of = |side: &[String]| side.iter().cloned().collect::<std::collections::BTreeSet<_>>();
            let (left, right) = (of(&left), of(&right));
            assert_eq!(left.intersection(&right).count(), common);
            let only: Vec<&String> = left.symmetric_difference(&right).collect();
            assert_eq!(only.len() as u64, differing);
            assert_eq!(only.iter().map(|text| text.len() as u64).sum::<u64>(), least);
            assert!(left.iter().all(|text| (5..=80).contains(&text.len())));
        }
    }
}
