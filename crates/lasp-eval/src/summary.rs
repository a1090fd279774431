//! What a run came to: `summary.json`, computed from the nodes' records and samples alone.

use crate::config::{Config, Scenario};
use crate::economy::{Economy, economy};
use crate::figure::Figure;
use crate::flow::share;
use crate::ledger::Part;
use crate::overlay::{self, Shape};
use crate::record::{Bytes, NodeRecord, Sample, Tally};
use crate::series::Timeline;
use crate::stats::{self, Quantiles};
use crate::watch::Moment;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A run's outcome.
///
/// In virtual time everything but the last four fields follows from the configuration, to the last digit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Which scenario.
    pub scenario: String,
    /// From which seed.
    pub seed: u64,
    /// How many nodes were to take part.
    pub nodes: usize,
    /// Membership strategy.
    pub membership: String,
    /// Dissemination strategy.
    pub dissemination: String,
    /// Synchronisation strategy.
    pub sync: String,
    /// In the simulator or in processes.
    #[serde(rename = "where")]
    pub place: String,
    /// All nodes saw the end and agree, and nothing acknowledged is missing.
    pub converged: bool,
    /// Why not, if not.
    pub problems: Vec<String>,
    /// Milliseconds from the last update anywhere until a node's data was final: over nodes.
    pub convergence_ms: Quantiles,
    /// Share of all counted updates that a node did not see at its end: mean over nodes, 0 to 1.
    pub divergence_final: f64,
    /// Acknowledged updates.
    pub updates: u64,
    /// Updates acknowledged by a node that lived to the end, and yet missing somewhere.
    pub lost_updates: u64,
    /// Updates acknowledged by lives that crashed: those not yet sent died with them, and none is counted as lost.
    pub crashed_updates: u64,
    /// Lives that ended in a crash.
    pub crashes: usize,
    /// Traffic.
    pub bytes: Traffic,
    /// How far counters ran past their contracts: mean over ads.
    pub overcounting_percent: f64,
    /// The same for each ad.
    pub overcounting: BTreeMap<String, f64>,
    /// Nodes without a neighbour.
    pub isolated_nodes: usize,
    /// Views that name a neighbour who does not name them.
    pub asymmetric_links: usize,
    /// Views that name nobody of this run.
    pub dangling_links: usize,
    /// Parts of the overlay with no link between them.
    pub components: usize,
    /// Neighbours of each node, ascending.
    pub degrees: Vec<usize>,
    /// Most messages that ever waited on one link.
    pub queue_peak: u64,
    /// What agreeing took: `redundancy`, `digests`, `buffers`, `tree`, `variables`; nothing where nodes keep no records.
    #[serde(flatten, skip_serializing_if = "Option::is_none", default)]
    pub economy: Option<Economy>,
    /// `bytes` and what agreeing took of each of the configurations that an experiment compares, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub parts: BTreeMap<String, Part>,
    /// Further figures of the scenario, named with their units.
    pub results: BTreeMap<String, Figure>,
    /// Seconds from the first start to the last end, on the run's clock.
    pub run_seconds: f64,
    /// Hash of everything that happened, in the simulator.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub trace_hash: Option<String>,
    /// Resident memory of a process; in the simulator, its process's memory divided by the nodes.
    pub rss_bytes: Memory,
    /// Processor time of all nodes.
    pub cpu_seconds: f64,
    /// Seconds that the run took to whoever waited for it.
    pub wall_seconds: f64,
}

/// Bytes sent by all nodes, frames included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// All.
    pub total: u64,
    /// Variables' states and deltas.
    pub state: u64,
    /// Everything else.
    pub protocol: u64,
    /// Of this, membership: joins, shuffles, probes.
    #[serde(default)]
    pub membership: u64,
    /// Of this, the broadcast tree: announcements, grafts, prunes; frame headers; messages to single nodes.
    #[serde(default)]
    pub broadcast: u64,
    /// Of this, synchronisation: digests, requests, interests.
    #[serde(default)]
    pub sync: u64,
    /// Mean over nodes.
    pub per_node_mean: f64,
    /// 99 nodes in 100 sent at most this.
    pub per_node_p99: f64,
    /// Total, divided by acknowledged updates.
    pub per_update: f64,
}

impl Traffic {
    /// From what each node sent, and how many updates that was for; of none, `per_update` is 0.
    pub fn of(nodes: &[Bytes], updates: u64) -> Self {
        let mut whole = Bytes::default();
        nodes.iter().for_each(|sent| whole += *sent);
        let each = stats::sorted(nodes.iter().map(|sent| sent.total() as f64).collect());
        Self {
            total: whole.total(),
            state: whole.state,
            protocol: whole.protocol(),
            membership: whole.membership,
            broadcast: whole.broadcast,
            sync: whole.sync,
            per_node_mean: stats::mean(&each),
            per_node_p99: stats::quantile(&each, 0.99),
            per_update: share(whole.total(), updates),
        }
    }

    /// That of several runs as one: means.
    pub fn of_runs(runs: &[&Self]) -> Self {
        let mean = |pick: fn(&Self) -> f64| stats::mean(&runs.iter().map(|run| pick(run)).collect::<Vec<_>>());
        let whole = |pick: fn(&Self) -> f64| mean(pick).round() as u64;
        Self {
            total: whole(|run| run.total as f64),
            state: whole(|run| run.state as f64),
            protocol: whole(|run| run.protocol as f64),
            membership: whole(|run| run.membership as f64),
            broadcast: whole(|run| run.broadcast as f64),
            sync: whole(|run| run.sync as f64),
            per_node_mean: mean(|run| run.per_node_mean),
            per_node_p99: mean(|run| run.per_node_p99),
            per_update: mean(|run| run.per_update),
        }
    }
}

/// Resident memory over nodes, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Mean.
    pub mean: f64,
    /// Greatest.
    pub max: f64,
}

/// What the host measured around a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outside {
    /// Hash of the simulation.
    pub trace_hash: Option<u64>,
    /// Memory that nodes cannot tell of themselves.
    pub rss_bytes: Option<Memory>,
    /// Processor time that nodes cannot tell of themselves.
    pub cpu_seconds: Option<f64>,
    /// Seconds that the run took.
    pub wall_seconds: f64,
    /// What the host has to say against the outcome.
    pub problems: Vec<String>,
    /// All nodes at once, now and then.
    pub moments: Vec<Moment>,
}

/// The lives of a run: the latest of each node, and those that crashed before.
struct Lives<'a> {
    last: Vec<&'a NodeRecord>,
    crashed: Vec<&'a NodeRecord>,
}

impl<'a> Lives<'a> {
    fn of(records: &'a [NodeRecord]) -> Self {
        let mut latest: BTreeMap<&str, &NodeRecord> = BTreeMap::new();
        let mut crashed = Vec::new();
        let mut ordered: Vec<&NodeRecord> = records.iter().collect();
        ordered.sort_by_key(|record| (record.started_us, record.probe.incarnation));
        for record in ordered {
            if let Some(earlier) = latest.insert(&record.node, record) {
                crashed.push(earlier);
            }
        }
        Self { last: latest.into_values().collect(), crashed }
    }
}

/// Sums a run up.
pub fn summarize(config: &Config, records: &[NodeRecord], samples: &[Sample], outside: Outside) -> Summary {
    let lives = Lives::of(records);
    let shape = shape(&lives.last);
    let lost_updates = lost(&lives.last);
    let problems = problems(config, &lives, lost_updates, outside.problems);
    let updates = records.iter().map(|record| record.updates).sum();
    let overcounting = overcounting(config, &lives.last);
    let economy = (!records.is_empty()).then(|| economy(records, &lives.last, samples, &outside.moments));
    Summary {
        scenario: config.scenario.name().to_owned(),
        seed: config.seed,
        nodes: config.nodes,
        membership: config.membership.to_string(),
        dissemination: config.dissemination.to_string(),
        sync: config.sync.to_string(),
        place: config.place.to_string(),
        converged: problems.is_empty(),
        problems,
        convergence_ms: Quantiles::of(convergence_ms(records)),
        divergence_final: divergence_final(records, &lives.last),
        updates,
        lost_updates,
        crashed_updates: lives.crashed.iter().map(|record| record.own()).sum(),
        crashes: lives.crashed.len(),
        bytes: traffic(records, samples, updates),
        overcounting_percent: stats::mean(&overcounting.values().copied().collect::<Vec<_>>()),
        overcounting,
        isolated_nodes: shape.isolated_nodes,
        asymmetric_links: shape.asymmetric_links,
        dangling_links: shape.dangling_links,
        components: shape.components,
        degrees: shape.degrees,
        queue_peak: records.iter().map(|record| record.probe.queue_peak).max().unwrap_or(0),
        economy,
        parts: BTreeMap::new(),
        results: results(config, records, &lives.last),
        run_seconds: run_seconds(records, samples),
        trace_hash: outside.trace_hash.map(|hash| format!("{hash:016x}")),
        rss_bytes: outside.rss_bytes.unwrap_or_else(|| memory(records, samples)),
        cpu_seconds: outside.cpu_seconds.unwrap_or_else(|| cpu_seconds(records, samples)),
        wall_seconds: outside.wall_seconds,
    }
}

fn shape(last: &[&NodeRecord]) -> Shape {
    let views: Vec<(u64, Vec<u64>)> =
        last.iter().map(|record| (record.probe.peer, record.probe.active.clone())).collect();
    overlay::examine(&views)
}

/// Milliseconds from the last update anywhere until each node's data last changed.
pub fn convergence_ms(records: &[NodeRecord]) -> Vec<f64> {
    let Some(end) = records.iter().filter_map(|record| record.last_update_us).max() else {
        return Vec::new();
    };
    let finished = records.iter().filter(|record| record.completed);
    finished.map(|record| record.last_change_us.unwrap_or(0).saturating_sub(end) as f64 / 1000.0).collect()
}

fn divergence_final(records: &[NodeRecord], last: &[&NodeRecord]) -> f64 {
    // What crashed lives had not sent is nobody's to see: the most that any node saw stands for the whole.
    let counted = Timeline::of(records).count_at(u64::MAX);
    let most = last.iter().map(|record| record.observed()).max().unwrap_or(0);
    let total = if last.len() < records.len() { most } else { counted.max(most) };
    if total == 0 {
        return 0.0;
    }
    let missing = |record: &&NodeRecord| (1.0 - record.observed() as f64 / total as f64).max(0.0);
    stats::mean(&last.iter().map(missing).collect::<Vec<_>>())
}

/// Every quantity: what surviving nodes put in, the least and the most that one of them sees.
fn tallies<'a>(last: &[&'a NodeRecord]) -> BTreeMap<&'a str, (u64, u64, u64)> {
    let mut whole = BTreeMap::new();
    for (name, &Tally { acknowledged, seen }) in last.iter().flat_map(|record| &record.tallies) {
        let (sum, least, most) = whole.entry(name.as_str()).or_insert((0, u64::MAX, 0));
        *sum += acknowledged;
        *least = seen.min(*least);
        *most = seen.max(*most);
    }
    whole
}

fn lost(last: &[&NodeRecord]) -> u64 {
    tallies(last).values().map(|(acknowledged, least, _)| acknowledged.saturating_sub(*least)).sum()
}

fn problems(config: &Config, lives: &Lives<'_>, lost: u64, outside: Vec<String>) -> Vec<String> {
    let mut problems = outside;
    let absent = config.nodes.saturating_sub(lives.last.len());
    if absent > 0 {
        problems.push(format!("{absent} of {} nodes left no record", config.nodes));
    }
    let unfinished: Vec<&str> = lives.last.iter().filter(|r| !r.completed).map(|r| r.node.as_str()).collect();
    if !unfinished.is_empty() {
        let stage = |test: fn(&NodeRecord) -> bool| lives.last.iter().filter(|record| test(record)).count();
        problems.push(format!(
            "{} did not complete ({} of {} saw the end, {} pushed their logs)",
            shorten(&unfinished),
            stage(|record| record.saw_end_us.is_some()),
            config.nodes,
            stage(|record| record.pushed_us.is_some()),
        ));
    }
    for (name, values) in disagreements(&lives.last) {
        problems.push(format!("nodes disagree on `{name}`: {values} different final values"));
    }
    if lost > 0 {
        problems.push(format!("{lost} acknowledged updates are missing"));
    }
    problems
}

/// Up to four names, then how many more.
fn shorten(names: &[&str]) -> String {
    let shown = names.iter().take(4).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(4) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Variables that finished nodes end with different values of, and how many values there are.
fn disagreements<'a>(last: &[&'a NodeRecord]) -> Vec<(&'a str, usize)> {
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in last.iter().flat_map(|record| &record.values) {
        values.entry(name).or_default().insert(value);
    }
    values.into_iter().map(|(name, seen)| (name, seen.len())).filter(|(_, seen)| *seen > 1).collect()
}

fn overcounting(config: &Config, last: &[&NodeRecord]) -> BTreeMap<String, f64> {
    let Scenario::AdvertisementCounter(options) = &config.scenario else {
        return BTreeMap::new();
    };
    let contract = options.impressions as f64;
    let over = |most: u64| (most as f64 - contract).max(0.0) * 100.0 / contract;
    tallies(last).into_iter().map(|(name, (_, _, most))| (name.to_owned(), over(most))).collect()
}

/// Bytes of every life: from its final probe, or its last sample if it crashed before it could be probed.
fn bytes_by_life(records: &[NodeRecord], samples: &[Sample]) -> BTreeMap<(String, u64), Bytes> {
    let mut lives: BTreeMap<(String, u64), Bytes> = BTreeMap::new();
    let sampled = samples.iter().map(|row| (&row.node, row.incarnation, row.bytes));
    let probed = records.iter().map(|record| (&record.node, record.probe.incarnation, record.probe.bytes));
    for (node, incarnation, bytes) in sampled.chain(probed) {
        let known = lives.entry((node.clone(), incarnation)).or_default();
        if bytes.total() > known.total() {
            *known = bytes;
        }
    }
    lives
}

fn traffic(records: &[NodeRecord], samples: &[Sample], updates: u64) -> Traffic {
    let mut nodes: BTreeMap<String, Bytes> = BTreeMap::new();
    for ((node, _), bytes) in bytes_by_life(records, samples) {
        *nodes.entry(node).or_default() += bytes;
    }
    Traffic::of(&nodes.into_values().collect::<Vec<_>>(), updates)
}

fn memory(records: &[NodeRecord], samples: &[Sample]) -> Memory {
    let mut peak: BTreeMap<&str, u64> = BTreeMap::new();
    let sampled = samples.iter().map(|row| (&row.node, row.usage));
    for (node, usage) in sampled.chain(records.iter().map(|record| (&record.node, record.usage))) {
        let known = peak.entry(node).or_default();
        *known = usage.map_or(0, |usage| usage.rss_bytes).max(*known);
    }
    let peaks: Vec<f64> = peak.values().map(|&bytes| bytes as f64).collect();
    Memory { mean: stats::mean(&peaks), max: stats::max(&peaks) }
}

fn cpu_seconds(records: &[NodeRecord], samples: &[Sample]) -> f64 {
    let mut used: BTreeMap<(&str, u64), u64> = BTreeMap::new();
    let sampled = samples.iter().map(|row| (&row.node, row.incarnation, row.usage));
    let ended = records.iter().map(|record| (&record.node, record.probe.incarnation, record.usage));
    for (node, incarnation, usage) in sampled.chain(ended) {
        let known = used.entry((node, incarnation)).or_default();
        *known = usage.map_or(0, |usage| usage.cpu_ms).max(*known);
    }
    used.values().sum::<u64>() as f64 / 1000.0
}

fn run_seconds(records: &[NodeRecord], samples: &[Sample]) -> f64 {
    let ended = records.iter().filter_map(|record| record.ended_us);
    let end = ended.chain(samples.iter().map(|row| row.t_us)).max().unwrap_or(0);
    end as f64 / 1e6
}

fn results(config: &Config, records: &[NodeRecord], last: &[&NodeRecord]) -> BTreeMap<String, Figure> {
    let mut results = BTreeMap::new();
    match &config.scenario {
        Scenario::AdvertisementCounter(options) => {
            let shown: u64 = tallies(last).values().map(|(_, _, most)| most).sum();
            results.insert("impressions".to_owned(), shown as f64);
            results.insert("impressions_contracted".to_owned(), (options.impressions * options.ads as u64) as f64);
        }
        Scenario::SharedLoad(_) => load_results(records, &mut results),
        Scenario::Latency(_) => latency_results(last, &mut results),
        // Experiments on overlays keep no records; they fill their results in themselves.
        _ => {}
    }
    results.into_iter().map(|(name, value)| (name, value.into())).collect()
}

fn load_results(records: &[NodeRecord], results: &mut BTreeMap<String, f64>) {
    let mut sent = Bytes::default();
    for record in records {
        let (Some(from), Some(to)) = (record.load_from, record.load_to) else {
            continue;
        };
        sent += to.since(&from);
    }
    let updates = records.iter().map(|record| record.updates).sum::<u64>().max(1);
    results.insert("load_bytes".to_owned(), sent.total() as f64);
    results.insert("load_bytes_state".to_owned(), sent.state as f64);
    results.insert("load_bytes_per_update".to_owned(), sent.total() as f64 / updates as f64);
    results.insert("load_converged_after_ms".to_owned(), stats::max(&convergence_ms(records)));
}

/// Milliseconds from each update at the writer until each other node saw it, round by round.
pub fn visibility_ms(last: &[&NodeRecord]) -> Vec<Vec<f64>> {
    let Some(writer) = last.iter().find(|record| record.role == crate::record::Role::Server) else {
        return Vec::new();
    };
    let readers = || last.iter().filter(|record| record.node != writer.node);
    let round = |(at, sent): (usize, &u64)| {
        readers().filter_map(|r| r.rounds_us.get(at)).map(|&seen| seen.saturating_sub(*sent) as f64 / 1000.0).collect()
    };
    writer.rounds_us.iter().enumerate().map(round).collect()
}

fn latency_results(last: &[&NodeRecord], results: &mut BTreeMap<String, f64>) {
    let rounds = visibility_ms(last);
    let all = Quantiles::of(rounds.iter().filter(|round| !round.is_empty()).map(|round| stats::max(round)).collect());
    let each = Quantiles::of(rounds.concat());
    for (who, Quantiles { p50, p99, max }) in [("all", all), ("one", each)] {
        results.insert(format!("visible_at_{who}_ms_p50"), p50);
        results.insert(format!("visible_at_{who}_ms_p99"), p99);
        results.insert(format!("visible_at_{who}_ms_max"), max);
    }
}

#[cfg(test)]
mod tests;
