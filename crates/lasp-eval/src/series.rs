//! Curves over time, from samples: one grid for all nodes, so that runs can be laid over each other.

use crate::flow::{Flow, share};
use crate::record::{Bytes, NodeRecord, Sample, Usage};
use crate::span::Span;
use crate::stats;
use std::collections::BTreeMap;

/// One run as curves; all of one length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Seconds since the run began.
    pub t: Vec<f64>,
    /// Bytes of state sent so far by all nodes.
    pub state: Vec<f64>,
    /// Other bytes sent so far by all nodes.
    pub protocol: Vec<f64>,
    /// Bytes per second sent by all nodes, over the last twentieth of the run: state.
    pub state_rate: Vec<f64>,
    /// The same: the broadcast tree and synchronisation.
    pub protocol_rate: Vec<f64>,
    /// The same: membership.
    pub membership_rate: Vec<f64>,
    /// Bytes of state received over those needed, over the last twentieth of the run; from when any were needed.
    pub redundancy_state: Vec<f64>,
    /// The same of messages.
    pub redundancy_payloads: Vec<f64>,
    /// Percent of the digests received over the last twentieth of the run that were equal; from when there was one.
    pub digest_hits: Vec<f64>,
    /// Entries of deltas that a node keeps beside its variables: mean over the nodes that are up.
    pub kept: Vec<f64>,
    /// The same of the node that keeps most.
    pub kept_max: Vec<f64>,
    /// Entries that wait for the links of the node at which most do.
    pub waiting_max: Vec<f64>,
    /// Percent of all updates so far that a node does not yet see: mean over the nodes that are up.
    pub divergence: Vec<f64>,
    /// The same for the node that is furthest behind.
    pub divergence_max: Vec<f64>,
    /// Resident bytes of a process: mean; empty in the simulator.
    pub rss_mean: Vec<f64>,
    /// Resident bytes of the greatest process; empty in the simulator.
    pub rss_max: Vec<f64>,
}

/// Every counted update of a run, to tell how many there were at any time.
#[derive(Clone, Debug)]
pub struct Timeline(Vec<u64>);

impl Timeline {
    /// Of all nodes' updates.
    pub fn of(records: &[NodeRecord]) -> Self {
        let mut times: Vec<u64> = records.iter().flat_map(|record| record.counted_us.iter().copied()).collect();
        times.sort_unstable();
        Self(times)
    }

    /// How many updates there were up to and including `t_us`.
    pub fn count_at(&self, t_us: u64) -> u64 {
        self.0.partition_point(|&time| time <= t_us) as u64
    }

    /// The share of updates up to now that a node which sees `observed` of them lacks: 0 to 1.
    fn divergence(&self, sample: &Sample) -> f64 {
        match self.count_at(sample.t_us) {
            0 => 0.0,
            // A sample may be taken between an update and its acknowledgement, and see more than was counted.
            total => (1.0 - sample.observed as f64 / total as f64).max(0.0),
        }
    }
}

/// All nodes together at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Total {
    /// When.
    pub t_us: u64,
    /// What all lives have sent so far.
    pub bytes: Bytes,
    /// What they have counted so far.
    pub flow: Flow,
    /// Entries that a node keeps beside its variables: mean over those that are up.
    pub kept: f64,
    /// The same of the node that keeps most.
    pub kept_max: f64,
    /// Entries that wait for the links of the node at which most do.
    pub waiting_max: f64,
}

impl Total {
    /// What all lives have sent and counted, and what those that are up keep.
    pub fn of<'a>(
        t_us: u64,
        lives: impl Iterator<Item = (&'a Bytes, &'a Flow)>,
        up: impl Iterator<Item = &'a Flow>,
    ) -> Self {
        let mut total = Self { t_us, ..Self::default() };
        for (bytes, flow) in lives {
            total.bytes += *bytes;
            total.flow.count(flow);
        }
        let (kept, waiting): (Vec<f64>, Vec<f64>) =
            up.map(|flow| (flow.kept_entries as f64, flow.waiting_entries as f64)).unzip();
        Self { kept: stats::mean(&kept), kept_max: stats::max(&kept), waiting_max: stats::max(&waiting), ..total }
    }
}

/// The curves of a run, on a grid of `step`.
pub fn series(records: &[NodeRecord], samples: &[Sample], step: Span) -> Series {
    let timeline = Timeline::of(records);
    let mut rows: Vec<&Sample> = samples.iter().collect();
    rows.sort_by(|a, b| (a.t_us, &a.node, a.incarnation).cmp(&(b.t_us, &b.node, b.incarnation)));
    let Some(last) = rows.last().map(|row| row.t_us) else {
        return Series::default();
    };
    let mut series = Series::default();
    let mut totals: Vec<Total> = Vec::new();
    let mut latest: BTreeMap<(&str, u64), &Sample> = BTreeMap::new();
    let mut rows = rows.into_iter().peekable();
    for tick in 0..=last.div_ceil(step.as_micros()) {
        let t_us = tick * step.as_micros();
        while let Some(row) = rows.next_if(|row| row.t_us <= t_us) {
            latest.insert((&row.node, row.incarnation), row);
        }
        let fresh = |row: &&&Sample| row.t_us + 2 * step.as_micros() > t_us;
        let alive: Vec<&Sample> = latest.values().filter(fresh).copied().collect();
        let lives = latest.values().map(|row| (&row.bytes, &row.flow));
        totals.push(Total::of(t_us, lives, alive.iter().map(|row| &row.flow)));
        series.push(&alive, &timeline);
    }
    series.take_totals(&totals, step);
    series
}

/// How many windows a run has, over which rates and ratios are taken.
const WINDOWS: usize = 20;

/// The next point of a ratio: that of a window in which there was something, else the last one.
fn ratio(curve: &mut Vec<f64>, of: u64, by: u64) {
    let last = curve.last().copied();
    curve.extend(if by > 0 { Some(share(of, by)) } else { last });
}

impl Series {
    /// Those of nodes whose updates are not counted: of moments, ascending, the latest at each point of a grid of `step`.
    pub fn of_totals(moments: &[Total], step: Span) -> Self {
        let mut series = Self::default();
        let (Some(first), Some(last)) = (moments.first(), moments.last()) else { return series };
        let mut moments = moments.iter().peekable();
        let (mut totals, mut latest) = (Vec::new(), *first);
        for tick in 0..=last.t_us.div_ceil(step.as_micros()) {
            let t_us = tick * step.as_micros();
            while let Some(total) = moments.next_if(|total| total.t_us <= t_us) {
                latest = *total;
            }
            totals.push(Total { t_us, ..latest });
        }
        series.take_totals(&totals, step);
        series
    }

    /// Adds the curves of all nodes together.
    fn take_totals(&mut self, totals: &[Total], step: Span) {
        let window = totals.len().div_ceil(WINDOWS).max(1);
        for (at, now) in totals.iter().enumerate() {
            self.t.push(now.t_us as f64 / 1e6);
            self.state.push(now.bytes.state as f64);
            self.protocol.push(now.bytes.protocol() as f64);
            self.kept.push(now.kept);
            self.kept_max.push(now.kept_max);
            self.waiting_max.push(now.waiting_max);
            let from = at.saturating_sub(window);
            let before = &totals[from];
            let seconds = ((at - from) as f64 * step.as_micros() as f64 / 1e6).max(f64::MIN_POSITIVE);
            let sent = now.bytes.since(&before.bytes);
            self.state_rate.push(sent.state as f64 / seconds);
            self.protocol_rate.push((sent.broadcast + sent.sync) as f64 / seconds);
            self.membership_rate.push(sent.membership as f64 / seconds);
            let flow = now.flow.since(&before.flow);
            ratio(&mut self.redundancy_state, flow.state_received, flow.state_needed);
            ratio(&mut self.redundancy_payloads, flow.payloads_received, flow.payloads_needed);
            ratio(&mut self.digest_hits, 100 * flow.digests_equal, flow.digests_received);
        }
    }

    /// Adds one point of what nodes that are up see, and of their processes.
    fn push(&mut self, alive: &[&Sample], timeline: &Timeline) {
        let divergence: Vec<f64> = alive.iter().map(|row| 100.0 * timeline.divergence(row)).collect();
        let rss: Vec<f64> =
            alive.iter().filter_map(|row| row.usage).map(|Usage { rss_bytes, .. }| rss_bytes as f64).collect();
        self.divergence.push(stats::mean(&divergence));
        self.divergence_max.push(stats::max(&divergence));
        if !rss.is_empty() || !self.rss_mean.is_empty() {
            self.rss_mean.push(stats::mean(&rss));
            self.rss_max.push(stats::max(&rss));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Role;

    fn row(t_ms: u64, node: &str, incarnation: u64, observed: u64, state: u64) -> Sample {
        Sample {
            t_us: t_ms * 1000,
            node: node.into(),
            role: Role::Client,
            incarnation,
            active_view: 1,
            bytes: Bytes { state, membership: 1, ..Bytes::default() },
            frames: 1,
            observed,
            own: 0,
            usage: None,
            queue_peak: 0,
            flow: Flow::default(),
        }
    }

    fn counted(times_ms: &[u64]) -> NodeRecord {
        let mut record = NodeRecord::new("a", Role::Client, 0);
        record.counted_us = times_ms.iter().map(|ms| ms * 1000).collect();
        record
    }

    #[test]
    fn divergence_compares_each_sample_with_the_updates_up_to_its_own_time() {
        let records = [counted(&[50, 90, 150, 190])];
        let samples = [row(100, "a", 1, 2, 0), row(100, "b", 1, 1, 0), row(200, "a", 1, 4, 0), row(200, "b", 1, 4, 0)];
        let series = series(&records, &samples, Span::from_millis(100));
        assert_eq!(series.t, [0.0, 0.1, 0.2]);
        assert_eq!(series.divergence, [0.0, 25.0, 0.0]);
        assert_eq!(series.divergence_max, [0.0, 50.0, 0.0]);
    }

    #[test]
    fn bytes_of_a_crashed_life_stay_counted() {
        let samples = [row(100, "a", 1, 0, 10), row(1000, "a", 2, 0, 3)];
        let series = series(&[], &samples, Span::from_millis(500));
        assert_eq!(series.state, [0.0, 10.0, 13.0]);
        assert_eq!(series.protocol, [0.0, 1.0, 2.0]);
    }

    #[test]
    fn rates_and_ratios_are_those_of_the_last_while() {
        let at = |t_ms: u64, sent: u64, received: u64, needed: u64, digests: (u64, u64)| {
            let flow = Flow {
                state_received: received,
                state_needed: needed,
                digests_received: digests.0,
                digests_equal: digests.1,
                kept_entries: received,
                ..Flow::default()
            };
            Sample { flow, ..row(t_ms, "a", 1, 0, sent) }
        };
        let samples = [at(500, 100, 0, 0, (0, 0)), at(1000, 100, 30, 10, (4, 4)), at(1500, 400, 30, 10, (8, 5))];
        let series = series(&[], &samples, Span::from_millis(500));
        assert_eq!(series.state_rate, [0.0, 200.0, 0.0, 600.0]);
        assert_eq!(series.membership_rate, [0.0, 2.0, 0.0, 0.0]);
        // From when anything was needed; what is not needed any more says nothing new.
        assert_eq!(series.redundancy_state, [3.0, 3.0]);
        assert_eq!(series.digest_hits, [100.0, 25.0]);
        assert_eq!(series.kept_max, [0.0, 0.0, 30.0, 30.0]);
        assert!(series.redundancy_payloads.is_empty());
    }

    #[test]
    fn looks_that_come_late_stand_from_when_they_came() {
        let total = |t_ms: u64, state: u64| {
            let flow = Flow { kept_entries: state, ..Flow::default() };
            let bytes = Bytes { state, ..Bytes::default() };
            Total::of(t_ms * 1000, [(&bytes, &flow)].into_iter(), [&flow].into_iter())
        };
        let series = Series::of_totals(&[total(0, 1), total(110, 5), total(190, 9)], Span::from_millis(100));
        assert_eq!(
            (series.t.as_slice(), series.state.as_slice()),
            ([0.0, 0.1, 0.2].as_slice(), [1.0, 1.0, 9.0].as_slice())
        );
        assert_eq!((series.kept, series.state_rate), (vec![1.0, 1.0, 9.0], vec![0.0, 0.0, 80.0]));
        assert!(series.divergence.is_empty() && series.digest_hits.is_empty());
        assert_eq!(Series::of_totals(&[], Span::from_millis(100)), Series::default());
    }

    #[test]
    fn a_run_without_samples_has_no_curves() {
        assert_eq!(series(&[], &[], Span::from_millis(100)), Series::default());
    }
}
