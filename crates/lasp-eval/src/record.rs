//! What a node leaves behind: samples while it runs, one record when it ends.
//!
//! Times are microseconds since the run began, on one clock for all nodes: virtual time in the simulator, the
//! machine's wall clock between processes.

use crate::choice::choice;
use crate::flow::{self, Flow};
use lasp_node::{Class, Node};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;

choice! {
    /// What a node is in its scenario.
    pub enum Role("role") {
        /// Publishes and enforces.
        Server = "server",
        /// Everyone else.
        Client = "client",
    }
}

/// Bytes sent since the node started, by what they carried; frames and headers included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bytes {
    /// Variables' states and deltas.
    pub state: u64,
    /// Membership: joins, shuffles, probes.
    pub membership: u64,
    /// The broadcast tree: announcements, grafts, prunes; messages to single nodes.
    pub broadcast: u64,
    /// Synchronisation: digests, requests, hellos.
    pub sync: u64,
}

impl Bytes {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.state + self.protocol()
    }

    /// All but states.
    pub const fn protocol(&self) -> u64 {
        self.membership + self.broadcast + self.sync
    }

    /// What was sent since `earlier`.
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            state: self.state.saturating_sub(earlier.state),
            membership: self.membership.saturating_sub(earlier.membership),
            broadcast: self.broadcast.saturating_sub(earlier.broadcast),
            sync: self.sync.saturating_sub(earlier.sync),
        }
    }
}

impl std::ops::AddAssign for Bytes {
    fn add_assign(&mut self, other: Self) {
        self.state += other.state;
        self.membership += other.membership;
        self.broadcast += other.broadcast;
        self.sync += other.sync;
    }
}

/// A node seen from inside at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Its identity.
    pub peer: u64,
    /// Which life of it.
    pub incarnation: u64,
    /// Bytes sent.
    pub bytes: Bytes,
    /// Frames sent.
    pub frames: u64,
    /// Most messages that ever waited on one link.
    pub queue_peak: u64,
    /// Its neighbours.
    pub active: Vec<u64>,
    /// Those to whom it pushes payloads.
    #[serde(default)]
    pub eager: Vec<u64>,
    /// What it received, compared and kept waiting.
    #[serde(default)]
    pub flow: Flow,
}

impl Probe {
    /// A node as it is now.
    pub fn of(node: &Node) -> Self {
        let metrics = node.metrics();
        let contact = node.contact();
        Self {
            peer: contact.id.0,
            incarnation: contact.incarnation,
            bytes: Bytes {
                state: metrics.sent(Class::State),
                membership: metrics.sent(Class::Membership),
                broadcast: metrics.sent(Class::Broadcast) + metrics.sent(Class::Unicast),
                sync: metrics.sent(Class::Sync),
            },
            frames: metrics.frames_sent,
            queue_peak: metrics.queue_peak,
            active: node.active_view().iter().map(|contact| contact.id.0).collect(),
            eager: node.broadcast().eager().map(|peer| peer.0).collect(),
            flow: Flow::of(node),
        }
    }
}

/// What the operating system says of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Resident memory.
    pub rss_bytes: u64,
    /// Processor time used.
    pub cpu_ms: u64,
}

/// One row of `metrics.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub t_us: u64,
    /// Which node.
    pub node: String,
    /// What it is.
    pub role: Role,
    /// Which life of it.
    pub incarnation: u64,
    /// How many neighbours it has.
    pub active_view: u64,
    /// Bytes sent so far.
    pub bytes: Bytes,
    /// Frames sent so far.
    pub frames: u64,
    /// The total of all counters that it sees.
    pub observed: u64,
    /// What it added to them.
    pub own: u64,
    /// Its process; nothing in the simulator.
    pub usage: Option<Usage>,
    /// Most messages that ever waited on one link.
    pub queue_peak: u64,
    /// What it received, compared and kept waiting.
    pub flow: Flow,
}

/// The first line of `metrics.csv` up to what a [`Flow`] adds.
const CSV_START: &str = "t_us,node,role,incarnation,active_view,bytes_state,bytes_membership,bytes_broadcast,bytes_sync,\
frames,observed,own,rss_bytes,cpu_ms,queue_peak";

/// The first line of `metrics.csv`.
pub fn csv_header() -> String {
    format!("{CSV_START},{}", flow::NAMES.join(","))
}

impl Sample {
    /// A node at `t_us`, from what it wrote down and what it is seen to be.
    pub fn of(record: &NodeRecord, t_us: u64, probe: &Probe, usage: Option<Usage>) -> Self {
        Self {
            t_us,
            node: record.node.clone(),
            role: record.role,
            incarnation: probe.incarnation,
            active_view: probe.active.len() as u64,
            bytes: probe.bytes,
            frames: probe.frames,
            observed: record.observed(),
            own: record.own(),
            usage,
            queue_peak: probe.queue_peak,
            flow: probe.flow,
        }
    }

    /// One line, without its end.
    pub fn to_csv(&self) -> String {
        let Self { t_us, node, role, incarnation, active_view, bytes, frames, observed, own, usage, queue_peak, flow } =
            self;
        let Bytes { state, membership, broadcast, sync } = bytes;
        let mut line = format!(
            "{t_us},{node},{role},{incarnation},{active_view},{state},{membership},{broadcast},{sync},{frames},{observed},{own},"
        );
        if let Some(Usage { rss_bytes, cpu_ms }) = usage {
            let _ = write!(line, "{rss_bytes},{cpu_ms}");
        } else {
            line.push(',');
        }
        let _ = write!(line, ",{queue_peak}");
        for value in flow.values() {
            let _ = write!(line, ",{value}");
        }
        line
    }

    /// Reads what [`to_csv`](Self::to_csv) wrote; `None` for a header or a line cut short by a crash.
    pub fn from_csv(line: &str) -> Option<Self> {
        let mut fields = line.split(',');
        let t_us = fields.next()?.parse().ok()?;
        let node = fields.next()?.to_owned();
        let role = fields.next()?.parse().ok()?;
        let mut number = || fields.next()?.parse::<u64>().ok();
        let (incarnation, active_view) = (number()?, number()?);
        let bytes = Bytes { state: number()?, membership: number()?, broadcast: number()?, sync: number()? };
        let (frames, observed, own) = (number()?, number()?, number()?);
        let (rss, cpu) = (fields.next()?, fields.next()?);
        let usage = match rss {
            "" => None,
            rss => Some(Usage { rss_bytes: rss.parse().ok()?, cpu_ms: cpu.parse().ok()? }),
        };
        let mut number = || fields.next()?.parse::<u64>().ok();
        let queue_peak = number()?;
        let mut values = [0; flow::COLUMNS];
        for value in &mut values {
            *value = number()?;
        }
        let flow = Flow::from_values(values);
        Some(Self { t_us, node, role, incarnation, active_view, bytes, frames, observed, own, usage, queue_peak, flow })
    }
}

/// One replicated quantity as one node accounts for it: what it put in, what it sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// What this node's acknowledged updates added.
    pub acknowledged: u64,
    /// The whole as this node last saw it.
    pub seen: u64,
}

/// One life of one node, whole if it ended well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Its name: the key in the convergence structure.
    pub node: String,
    /// What it is.
    pub role: Role,
    /// Whether it went all the way: saw the end, pushed its logs, and learnt that everyone had.
    pub completed: bool,
    /// When it was up.
    pub started_us: u64,
    /// When its updates were acknowledged: those that count something.
    pub counted_us: Vec<u64>,
    /// All its acknowledged updates, those that count nothing too.
    pub updates: u64,
    /// When the last of them was.
    pub last_update_us: Option<u64>,
    /// When the data it holds last changed.
    pub last_change_us: Option<u64>,
    /// When it saw that there is nothing left to do.
    pub saw_end_us: Option<u64>,
    /// When it learnt that all had seen the end, and pushed its logs.
    pub pushed_us: Option<u64>,
    /// When it learnt that all had pushed their logs.
    pub ended_us: Option<u64>,
    /// Counters and sets by name.
    pub tallies: BTreeMap<String, Tally>,
    /// Final values, as text, of the variables that all nodes of the run keep.
    pub values: BTreeMap<String, String>,
    /// `latency`: when this node sent, or first saw, update 1, 2, 3, ...
    pub rounds_us: Vec<u64>,
    /// Bytes when its load began.
    pub load_from: Option<Bytes>,
    /// Bytes when it saw the load's final values.
    pub load_to: Option<Bytes>,
    /// The node when all had pushed their logs and nobody had left.
    pub probe: Probe,
    /// Its process at the end; nothing in the simulator.
    pub usage: Option<Usage>,
}

impl NodeRecord {
    /// The record of a node that has just come up.
    pub fn new(node: &str, role: Role, started_us: u64) -> Self {
        Self {
            node: node.to_owned(),
            role,
            completed: false,
            started_us,
            counted_us: Vec::new(),
            updates: 0,
            last_update_us: None,
            last_change_us: None,
            saw_end_us: None,
            pushed_us: None,
            ended_us: None,
            tallies: BTreeMap::new(),
            values: BTreeMap::new(),
            rounds_us: Vec::new(),
            load_from: None,
            load_to: None,
            probe: Probe::default(),
            usage: None,
        }
    }

    /// The total of all quantities that it sees.
    pub fn observed(&self) -> u64 {
        self.tallies.values().map(|tally| tally.seen).sum()
    }

    /// What it added to them.
    pub fn own(&self) -> u64 {
        self.tallies.values().map(|tally| tally.acknowledged).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(usage: Option<Usage>) -> Sample {
        Sample {
            t_us: 1_250_000,
            node: "client-3".into(),
            role: Role::Client,
            incarnation: 2,
            active_view: 5,
            bytes: Bytes { state: 1, membership: 2, broadcast: 3, sync: 4 },
            frames: 9,
            observed: 40,
            own: 8,
            usage,
            queue_peak: 77,
            flow: Flow::from_values(std::array::from_fn(|at| 100 + at as u64)),
        }
    }

    #[test]
    fn a_row_reads_back_as_it_was_written() {
        for usage in [None, Some(Usage { rss_bytes: 5_000_000, cpu_ms: 31 })] {
            let row = sample(usage);
            assert_eq!(Sample::from_csv(&row.to_csv()), Some(row.clone()));
            assert_eq!(row.to_csv().split(',').count(), csv_header().split(',').count());
        }
    }

    #[test]
    fn a_line_cut_short_by_a_crash_is_skipped() {
        let line = sample(None).to_csv();
        let cut = line.rfind(',').unwrap();
        assert_eq!(Sample::from_csv(&line[..cut]), None);
        assert_eq!(Sample::from_csv(&csv_header()), None);
    }
}
