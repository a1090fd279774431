//! What each node costs: memory and processor as the system counts them, bytes as the node does.

use super::herd::Herd;
use super::survey::{counter, sent};
use crate::figure::{Figure, Varied};
use crate::flow::Flow;
use crate::record::{Role, Sample, Usage};
use crate::usage::{Footprint, footprint};
use lasp::control::protocol::StatusReport;
use std::collections::BTreeMap;
use std::time::Duration;

/// What nodes have counted, by id.
pub(super) type Reports = BTreeMap<u64, Box<StatusReport>>;

/// What is counted of each kind of message, and its figure's name.
const KINDS: [(&str, &str); 3] = [
    ("bytes_sent_membership", "rest_bytes_membership"),
    ("bytes_sent_broadcast", "rest_bytes_broadcast"),
    ("bytes_sent_sync", "rest_bytes_sync"),
];

/// Costs at rest, one value per node, in no order; and the samples that they come from.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Written to sockets to peers, bytes per second.
    pub(super) bytes: Vec<f64>,
    /// Of this what layers above the transport sent, mean over nodes, bytes per second.
    kinds: BTreeMap<&'static str, f64>,
    /// Processor time, milliseconds per second.
    pub(super) cpu: Vec<f64>,
    wakeups: Vec<f64>,
    /// Resident memory, what is shared divided by those who share it, and what is shared with nobody; bytes.
    pub(super) memory: [Vec<f64>; 3],
    threads: Vec<f64>,
    cpu_us: u64,
    /// Rows of `metrics.csv`.
    pub(super) samples: Vec<Sample>,
}

/// What every living node's process takes, by process id.
pub(super) fn footprints(herd: &Herd) -> BTreeMap<u32, Footprint> {
    herd.living().filter_map(|node| Some((node.pid()?, footprint(node.pid()?)?))).collect()
}

/// What a node tells of what it received and compared, and of its peaks.
fn flow(report: &StatusReport) -> Flow {
    Flow {
        payloads_received: counter(report, "payloads_received"),
        payloads_needed: counter(report, "payloads_needed"),
        state_received: counter(report, "state_received"),
        state_needed: counter(report, "state_needed"),
        digests_received: counter(report, "digests_received"),
        digests_equal: counter(report, "digests_equal"),
        link_entries_peak: counter(report, "link_entries_peak"),
        node_entries_peak: counter(report, "node_entries_peak"),
        link_bytes_peak: counter(report, "link_bytes_peak"),
        ..Flow::default()
    }
}

impl Ledger {
    /// Notes what nodes count just now.
    pub(super) fn sample(&mut self, herd: &Herd, reports: &Reports, since_start: Duration) {
        let t_us = u64::try_from(since_start.as_micros()).unwrap_or(u64::MAX);
        for (index, node) in herd.nodes().iter().enumerate() {
            let Some(report) = reports.get(&node.peer) else { continue };
            let taken = node.pid().and_then(footprint);
            self.samples.push(Sample {
                t_us,
                node: node.name.clone(),
                role: if index == 0 { Role::Server } else { Role::Client },
                incarnation: 1,
                active_view: report.active,
                bytes: sent(report),
                frames: counter(report, "frames_sent"),
                observed: 0,
                own: 0,
                usage: taken.map(|f| Usage { rss_bytes: f.rss_bytes, cpu_ms: f.cpu_us / 1000 }),
                queue_peak: counter(report, "queue_peak"),
                flow: flow(report),
            });
        }
    }

    /// Takes in the traffic between two counts.
    pub(super) fn traffic(&mut self, before: &Reports, after: &Reports) {
        let pairs = before.iter().filter_map(|(peer, before)| Some((before.as_ref(), after.get(peer)?.as_ref())));
        let pairs: Vec<(&StatusReport, &StatusReport)> = pairs.collect();
        let per_second = |(before, after): &(&StatusReport, &StatusReport), name| {
            let seconds = after.uptime_ms.saturating_sub(before.uptime_ms) as f64 / 1000.0;
            counter(after, name).saturating_sub(counter(before, name)) as f64 / seconds.max(0.001)
        };
        self.bytes = pairs.iter().map(|pair| per_second(pair, "wire_bytes_sent")).collect();
        for (kind, name) in KINDS {
            let all: f64 = pairs.iter().map(|pair| per_second(pair, kind)).sum();
            self.kinds.insert(name, all / pairs.len().max(1) as f64);
        }
    }

    /// Takes in what processes took within some seconds.
    pub(super) fn processes(
        &mut self,
        first: &BTreeMap<u32, Footprint>,
        last: &BTreeMap<u32, Footprint>,
        seconds: f64,
    ) {
        for (pid, now) in last {
            let Some(before) = first.get(pid) else { continue };
            self.cpu.push(now.cpu_us.saturating_sub(before.cpu_us) as f64 / 1000.0 / seconds);
            self.wakeups.push(now.wakeups.saturating_sub(before.wakeups) as f64 / seconds);
            let memory = [now.rss_bytes, now.pss_bytes, now.private_bytes];
            self.memory.iter_mut().zip(memory).for_each(|(all, bytes)| all.push(bytes as f64));
            self.threads.push(now.threads as f64);
            self.cpu_us += now.cpu_us;
        }
    }

    /// The figures, for `summary.json`; empty before anything was measured, and where the system does not tell.
    pub(super) fn results(&self) -> Vec<(String, Figure)> {
        let [rss, pss, private] = &self.memory;
        let measured = [
            ("rest_bytes_per_second", &self.bytes),
            ("rest_cpu_ms_per_second", &self.cpu),
            ("rest_wakeups_per_second", &self.wakeups),
            ("rss_bytes", rss),
            ("pss_bytes", pss),
            ("private_bytes", private),
            ("threads", &self.threads),
        ];
        let varied = measured.into_iter().filter(|(_, values)| !values.is_empty());
        let varied = varied.map(|(name, values)| (name.to_owned(), Figure::Varied(Varied::of(values))));
        let kinds = self.kinds.iter().map(|(kind, rate)| ((*kind).to_owned(), Figure::Number(*rate)));
        varied.chain(kinds).collect()
    }

    /// Resident memory over nodes.
    pub(super) fn rss(&self) -> Varied {
        Varied::of(&self.memory[0])
    }

    /// Processor time of all nodes until the end of the rest.
    pub(super) fn cpu_seconds(&self) -> f64 {
        self.cpu_us as f64 / 1e6
    }

    /// Bytes that all had sent at the last count.
    pub(super) fn sent(&self) -> u64 {
        let last = self.samples.last().map(|sample| sample.t_us);
        self.samples.iter().rev().take_while(|row| Some(row.t_us) == last).map(|row| row.bytes.total()).sum()
    }
}
