//! What a run's nodes spent on agreeing, beyond bytes sent: how often what was needed came, how often digests were equal, how
//! much waited at most, what the tree looked like, and which variables they disagreed on.

use crate::flow::{Flow, share};
use crate::record::{NodeRecord, Sample};
use crate::stats;
use crate::tree::{self, Tree};
use crate::variables::{self, Diverging};
use crate::watch::Moment;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Economy {
    /// What was received over what was needed.
    pub redundancy: Redundancy,
    /// What comparisons began with.
    pub digests: Digests,
    /// The most that waited.
    pub buffers: Buffers,
    /// The broadcast tree, when all had pushed their logs and nobody had left.
    pub tree: Tree,
    /// The variables that nodes disagreed on longest.
    pub variables: Vec<Diverging>,
}

/// What all nodes received together, and what of it was new to them. Ratios are 0 where nothing was needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Redundancy {
    /// Bytes of deltas received, over those needed.
    pub state: f64,
    /// Messages with deltas received, over those that brought anything new.
    pub payloads: f64,
    /// Bytes of deltas received.
    pub state_received: u64,
    /// Of these, those needed.
    pub state_needed: u64,
    /// Messages with deltas received.
    pub payloads_received: u64,
    /// Of these, those needed.
    pub payloads_needed: u64,
}

/// The digests that comparisons begin with, as those saw them who received them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Digests {
    /// How many were compared.
    pub received: u64,
    /// How many were equal, and ended the comparison.
    pub equal: u64,
    /// The share of these: 0 to 1; 0 of none.
    pub hit_rate: f64,
}

/// Peaks over all nodes and the whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Buffers {
    /// Most entries of deltas that waited on one link.
    pub link_entries: u64,
    /// Most bytes that waited on one link or were under way on it.
    pub link_bytes: u64,
    /// Most entries that waited at one node, on all links.
    pub node_entries: u64,
    /// Most bytes that waited at one node or were under way, at any sample.
    pub node_bytes: u64,
    /// Most entries that one node kept beside its variables, at any sample.
    pub kept_entries: u64,
}

/// Sums a run up.
pub fn economy(records: &[NodeRecord], last: &[&NodeRecord], samples: &[Sample], moments: &[Moment]) -> Economy {
    let views: Vec<tree::View<'_>> =
        last.iter().map(|record| (record.probe.peer, record.probe.eager.as_slice())).collect();
    let (mut counted, mut buffers) = (Flow::default(), Buffers::default());
    by_life(records, samples).values().for_each(|flow| counted.count(flow));
    let all = samples.iter().map(|row| &row.flow).chain(records.iter().map(|record| &record.probe.flow));
    all.for_each(|flow| buffers.raise(flow));
    Economy::of(&counted, buffers, tree::examine(&views), moments)
}

/// The counters of every life: the latest that are known of it.
fn by_life(records: &[NodeRecord], samples: &[Sample]) -> BTreeMap<(String, u64), Flow> {
    let mut lives: BTreeMap<(String, u64), Flow> = BTreeMap::new();
    let sampled = samples.iter().map(|row| (&row.node, row.incarnation, row.flow));
    let probed = records.iter().map(|record| (&record.node, record.probe.incarnation, record.probe.flow));
    for (node, incarnation, flow) in sampled.chain(probed) {
        let known = lives.entry((node.clone(), incarnation)).or_default();
        let heard = |flow: &Flow| (flow.payloads_received, flow.digests_received);
        if heard(&flow) >= heard(known) {
            *known = flow;
        }
    }
    lives
}

impl Redundancy {
    fn with_ratios(self) -> Self {
        let state = share(self.state_received, self.state_needed);
        Self { state, payloads: share(self.payloads_received, self.payloads_needed), ..self }
    }
}

impl Digests {
    fn with_rate(self) -> Self {
        Self { hit_rate: share(self.equal, self.received), ..self }
    }
}

impl Buffers {
    /// Takes a node as it is, or was, for the most if it is.
    pub fn raise(&mut self, flow: &Flow) {
        self.link_entries = self.link_entries.max(flow.link_entries_peak);
        self.link_bytes = self.link_bytes.max(flow.link_bytes_peak);
        self.node_entries = self.node_entries.max(flow.node_entries_peak);
        self.node_bytes = self.node_bytes.max(flow.waiting_bytes).max(flow.link_bytes_peak);
        self.kept_entries = self.kept_entries.max(flow.kept_entries);
    }
}

impl Economy {
    /// From what all nodes together counted, the most that waited, the tree in the end, and all looks.
    pub fn of(counted: &Flow, buffers: Buffers, tree: Tree, moments: &[Moment]) -> Self {
        let Flow { state_received, state_needed, payloads_received, payloads_needed, .. } = *counted;
        let received =
            Redundancy { state_received, state_needed, payloads_received, payloads_needed, ..Redundancy::default() };
        let digests = Digests { received: counted.digests_received, equal: counted.digests_equal, hit_rate: 0.0 };
        Self {
            redundancy: received.with_ratios(),
            digests: digests.with_rate(),
            buffers,
            tree,
            variables: variables::longest(moments),
        }
    }

    /// Those of several runs as one: counts are means, ratios those of the counts, peaks the greatest.
    pub fn of_runs(runs: &[&Self]) -> Self {
        let mean = |pick: fn(&Self) -> u64| {
            stats::mean(&runs.iter().map(|run| pick(run) as f64).collect::<Vec<_>>()).round() as u64
        };
        let most = |pick: fn(&Self) -> u64| runs.iter().map(|run| pick(run)).max().unwrap_or(0);
        let variables: Vec<&[Diverging]> = runs.iter().map(|run| run.variables.as_slice()).collect();
        Self {
            redundancy: Redundancy {
                state_received: mean(|run| run.redundancy.state_received),
                state_needed: mean(|run| run.redundancy.state_needed),
                payloads_received: mean(|run| run.redundancy.payloads_received),
                payloads_needed: mean(|run| run.redundancy.payloads_needed),
                ..Redundancy::default()
            }
            .with_ratios(),
            digests: Digests {
                received: mean(|run| run.digests.received),
                equal: mean(|run| run.digests.equal),
                hit_rate: 0.0,
            }
            .with_rate(),
            buffers: Buffers {
                link_entries: most(|run| run.buffers.link_entries),
                link_bytes: most(|run| run.buffers.link_bytes),
                node_entries: most(|run| run.buffers.node_entries),
                node_bytes: most(|run| run.buffers.node_bytes),
                kept_entries: most(|run| run.buffers.kept_entries),
            },
            tree: Tree::of_runs(&runs.iter().map(|run| &run.tree).collect::<Vec<_>>()),
            variables: variables::of_runs(&variables),
        }
    }
}
