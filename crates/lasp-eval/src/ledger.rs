//! What agreeing took in experiments whose nodes keep no records: they are looked at from outside, again and again, and what they
//! had counted before is taken off.
//!
//! A [`Ledger`] is kept for each run, and closed into an [`Account`]. [`Accounts`] are those of all runs of an experiment: by
//! part, which is a configuration that it compares, over seeds.

use crate::economy::{Buffers, Economy};
use crate::flow::Flow;
use crate::plot::{self, Chart, Run};
use crate::record::{Bytes, Probe};
use crate::series::{Series, Total};
use crate::span::Span;
use crate::summary::{Summary, Traffic};
use crate::tree::{self, Tree};
use crate::watch::{self, Look, Moment};
use lasp_node::Node;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which node, and which life of it.
type Life = (u64, u64);

/// One node as it is seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    life: Life,
    bytes: Bytes,
    flow: Flow,
    look: Look,
}

impl Seen {
    /// A node as it is now; `whole`: with its place in the tree and its variables. Cost: that of what it keeps for its neighbours.
    pub fn of(node: &Node, whole: bool) -> Self {
        let Probe { peer, incarnation, bytes, flow, .. } = Probe::of(node);
        let look = if whole { Look::of(node) } else { Look::default() };
        Self { life: (peer, incarnation), bytes, flow, look }
    }
}

/// A run's nodes over time.
#[derive(Clone, Debug)]
pub struct Ledger {
    start_us: u64,
    step: Span,
    /// What each life had sent and counted when the ledger was opened.
    before: BTreeMap<Life, (Bytes, Flow)>,
    /// What it has sent and counted since, as it was last seen.
    latest: BTreeMap<Life, (Bytes, Flow)>,
    totals: Vec<Total>,
    moments: Vec<Moment>,
    buffers: Buffers,
    looks: u64,
}

impl Ledger {
    /// Begins at a time, with all nodes that are up, seen whole; looks are to be some `step` apart.
    pub fn open(now_us: u64, step: Span, seen: &[Seen]) -> Self {
        let mut ledger = Self {
            start_us: now_us,
            step,
            before: seen.iter().map(|node| (node.life, (node.bytes, node.flow))).collect(),
            latest: BTreeMap::new(),
            totals: Vec::new(),
            moments: Vec::new(),
            buffers: Buffers::default(),
            looks: 0,
        };
        ledger.enter(now_us, seen, true);
        ledger
    }

    /// Whether the next look is to see nodes whole: seldom, in a long run.
    pub const fn is_whole(&self) -> bool {
        watch::takes(self.looks)
    }

    /// All nodes that are up, at a later time; whole if [`is_whole`](Self::is_whole) said so.
    pub fn look(&mut self, now_us: u64, seen: &[Seen]) {
        let whole = self.is_whole();
        self.enter(now_us, seen, whole);
    }

    fn enter(&mut self, now_us: u64, seen: &[Seen], whole: bool) {
        for node in seen {
            let (bytes, flow) = self.before.get(&node.life).copied().unwrap_or_default();
            self.latest.insert(node.life, (node.bytes.since(&bytes), node.flow.since(&flow)));
            self.buffers.raise(&node.flow);
        }
        let t_us = now_us.saturating_sub(self.start_us);
        let lives = self.latest.values().map(|(bytes, flow)| (bytes, flow));
        self.totals.push(Total::of(t_us, lives, seen.iter().map(|node| &node.flow)));
        if whole {
            let looks: Vec<Look> = seen.iter().map(|node| node.look.clone()).collect();
            self.moments.push(Moment::of(t_us, &looks));
        }
        self.looks += 1;
    }

    /// Ends with all nodes that are up, seen whole; all that was sent was for so many updates, or for nothing that can be counted.
    pub fn close(mut self, now_us: u64, seen: &[Seen], updates: u64) -> Account {
        self.enter(now_us, seen, true);
        let mut nodes: BTreeMap<u64, Bytes> = BTreeMap::new();
        let mut counted = Flow::default();
        for (&(peer, _), (bytes, flow)) in &self.latest {
            *nodes.entry(peer).or_default() += *bytes;
            counted.count(flow);
        }
        let views: Vec<tree::View<'_>> = seen.iter().map(|node| (node.look.peer, node.look.eager.as_slice())).collect();
        Account {
            part: Part {
                bytes: Traffic::of(&nodes.into_values().collect::<Vec<_>>(), updates),
                economy: Economy::of(&counted, self.buffers, tree::examine(&views), &self.moments),
            },
            series: Series::of_totals(&self.totals, self.step),
            moments: self.moments,
        }
    }
}

/// What one configuration spent: over several seeds, means of what is counted and the greatest peaks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Sent by all nodes while they were measured.
    pub bytes: Traffic,
    /// What agreeing took.
    #[serde(flatten)]
    pub economy: Economy,
}

/// What one run spent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// In all.
    pub part: Part,
    /// Over time.
    pub series: Series,
    /// All nodes at once, now and then.
    pub moments: Vec<Moment>,
}

impl Account {
    /// The same where nothing is pushed along a tree, or two nodes are one.
    #[must_use]
    pub fn without_tree(mut self) -> Self {
        self.part.economy.tree = Tree::default();
        self.moments.iter_mut().for_each(|moment| moment.tree = Tree::default());
        self
    }
}

/// Accounts by part, each over its seeds.
#[derive(Clone, Debug, Default)]
pub struct Accounts(BTreeMap<String, Vec<Account>>);

impl Accounts {
    /// Of all runs that came to an end, each with the name of its part.
    pub fn of<'a>(runs: impl IntoIterator<Item = (String, &'a Option<Account>)>) -> Self {
        let mut parts: BTreeMap<String, Vec<Account>> = BTreeMap::new();
        for (name, account) in runs {
            if let Some(account) = account {
                parts.entry(name).or_default().push(account.clone());
            }
        }
        Self(parts)
    }

    /// Writes into a summary what each part spent; the figures of one of them over time, the first if there is none of this name.
    pub fn tell(self, shown: &str, summary: &mut Summary) -> Vec<Chart> {
        summary.parts = self.0.iter().map(|(name, accounts)| (name.clone(), merged(accounts))).collect();
        let Some((name, accounts)) = self.0.get_key_value(shown).or_else(|| self.0.first_key_value()) else {
            return Vec::new();
        };
        let mut charts = plot::agreeing(&runs(accounts, summary));
        charts.iter_mut().for_each(|chart| chart.caption += &format!(" Shown: {name}."));
        charts
    }

    /// The same of an experiment that compares nothing: what it spent is what the summary is about.
    pub fn tell_all(self, summary: &mut Summary) -> Vec<Chart> {
        let accounts: Vec<Account> = self.0.into_values().flatten().collect();
        if accounts.is_empty() {
            return Vec::new();
        }
        let Part { bytes, economy } = merged(&accounts);
        (summary.bytes, summary.economy) = (bytes, Some(economy));
        plot::agreeing(&runs(&accounts, summary))
    }
}

fn merged(accounts: &[Account]) -> Part {
    let economies: Vec<&Economy> = accounts.iter().map(|account| &account.part.economy).collect();
    Part {
        bytes: Traffic::of_runs(&accounts.iter().map(|account| &account.part.bytes).collect::<Vec<_>>()),
        economy: Economy::of_runs(&economies),
    }
}

/// Accounts as runs that can be drawn.
fn runs(accounts: &[Account], summary: &Summary) -> Vec<Run> {
    let run = |Account { part, series, moments }: &Account| Run {
        summary: Summary { bytes: part.bytes, economy: Some(part.economy.clone()), ..summary.clone() },
        series: series.clone(),
        moments: moments.clone(),
        convergence_ms: Vec::new(),
        visibility_ms: Vec::new(),
    };
    accounts.iter().map(run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::lab::run::blank;

    const STEP: Span = Span::from_millis(100);

    /// A node that has sent and counted so much, and pushes to another.
    fn seen(peer: u64, counted: u64, kept: u64, sum: u64) -> Seen {
        let flow = Flow {
            state_received: 3 * counted,
            state_needed: counted,
            payloads_received: 2 * counted,
            payloads_needed: counted,
            digests_received: 4,
            digests_equal: 1,
            kept_entries: kept,
            link_bytes_peak: 7,
            ..Flow::default()
        };
        let sums = vec![(1, "x".to_owned(), sum)];
        let look = Look { peer, eager: vec![3 - peer], hears: None, sums };
        Seen { life: (peer, 1), bytes: Bytes { state: counted, sync: 1, ..Bytes::default() }, flow, look }
    }

    fn account() -> Account {
        let mut ledger = Ledger::open(5_000_000, STEP, &[seen(1, 100, 2, 7), seen(2, 100, 0, 7)]);
        assert!(ledger.is_whole());
        ledger.look(5_100_000, &[seen(1, 110, 9, 8), seen(2, 100, 0, 7)]);
        // A third one comes, and is gone before the end.
        ledger.look(5_200_000, &[seen(1, 110, 1, 8), seen(2, 120, 0, 8), seen(3, 50, 0, 8)]);
        ledger.close(5_300_000, &[seen(1, 110, 1, 8), seen(2, 120, 0, 8)], 16)
    }

    #[test]
    fn what_was_before_is_taken_off_and_who_has_left_stays_counted() {
        let Account { part: Part { bytes, economy }, series, moments } = account();
        // The third one had not been seen before: all that it sent counts, its digest's byte too.
        assert_eq!((bytes.state, bytes.sync, bytes.total, bytes.per_update), (80, 1, 81, 81.0 / 16.0));
        assert_eq!((economy.redundancy.state_received, economy.redundancy.state), (240, 3.0));
        assert_eq!((economy.digests.received, economy.digests.hit_rate), (4, 0.25));
        assert_eq!((economy.buffers.kept_entries, economy.buffers.link_bytes), (9, 7));
        assert_eq!((economy.tree.nodes, economy.tree.links), (2, 1.0));
        assert_eq!(series.t, [0.0, 0.1, 0.2, 0.3]);
        assert_eq!(series.state, [0.0, 10.0, 80.0, 80.0]);
        assert_eq!(moments.len(), 4);
        let x = &economy.variables[0];
        assert_eq!((x.name.as_str(), x.seconds, x.max_percent), ("x", 0.1, 50.0));
    }

    #[test]
    fn seldom_looks_are_whole_in_a_long_run() {
        let mut ledger = Ledger::open(0, STEP, &[seen(1, 0, 0, 0)]);
        (1..2_000).for_each(|look| ledger.look(look * 100_000, &[seen(1, look, 0, 0)]));
        let account = ledger.close(200_000_000, &[seen(1, 2_000, 0, 0)], 0);
        assert!((256..800).contains(&account.moments.len()), "{}", account.moments.len());
        assert_eq!((account.series.t.len(), account.part.bytes.per_update), (2_001, 0.0));
    }

    #[test]
    fn parts_are_told_by_name_and_one_is_drawn() {
        let mut summary = blank(&Config::default());
        let (one, none) = (Some(account()), None);
        let runs = [("a", &one), ("b", &one), ("b", &one), ("c", &none)].map(|(name, of)| (name.to_owned(), of));
        let charts = Accounts::of(runs).tell("b", &mut summary);
        assert_eq!(summary.parts.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(summary.parts["b"], account().part, "two that are equal are as one");
        assert!(summary.economy.is_none() && summary.bytes.total == 0);
        let ids: Vec<&str> = charts.iter().map(|chart| chart.id).collect();
        assert!(["traffic", "redundancy", "digests", "buffers", "tree", "variables"].iter().all(|id| ids.contains(id)));
        assert!(charts.iter().all(|chart| chart.caption.ends_with("Shown: b.")));
        let json = serde_json::to_value(&summary).unwrap();
        assert_eq!(json["parts"]["a"]["redundancy"]["state"], 3.0);
        assert_eq!(serde_json::from_value::<Summary>(json).unwrap(), summary);
    }

    #[test]
    fn an_experiment_of_one_part_is_told_as_a_run_is() {
        let mut summary = blank(&Config::default());
        let charts = Accounts::of([(String::new(), &Some(account().without_tree()))]).tell_all(&mut summary);
        assert_eq!((summary.bytes.total, summary.economy.unwrap().tree), (81, Tree::default()));
        assert!(summary.parts.is_empty() && charts.iter().all(|chart| chart.id != "tree" && chart.id != "depth"));
        assert!(Accounts::default().tell_all(&mut blank(&Config::default())).is_empty());
    }
}
