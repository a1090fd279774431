//! What one run spent.

use crate::ledger::Account;

/// Everything a run came to, all nodes together unless said otherwise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Entries sent: elements, keys, replicas of a counter.
    pub entries: u64,
    /// Bytes sent, frame headers and length prefixes included.
    pub bytes: u64,
    /// Of these, what is no delta or state: digests, announcements, acknowledgements, headers.
    pub protocol_bytes: u64,
    /// Frames sent.
    pub frames: u64,
    /// Entries a node keeps, of its variables and for synchronisation: mean over nodes and time.
    pub memory: f64,
    /// Entries sent and bytes sent before the load, while the overlay and its tree formed.
    pub before: (u64, u64),
    /// Processor time from the first event to the end, in milliseconds, simulator included; 0 where the system does not tell.
    pub cpu_ms: f64,
    /// From the first event until all had arrived everywhere, in virtual seconds, up to the next look.
    pub seconds: f64,
    /// Updates made.
    pub updates: u64,
    /// Whether everybody had everything in the end.
    pub converged: bool,
    /// What the variables hold in the end, as one number.
    pub value: u64,
    /// Bytes sent by all nodes in each interval.
    pub series: Vec<f64>,
    /// The same by class, and over time; none of a run that did not end.
    pub account: Option<Account>,
    /// Hash of all that happened.
    pub trace_hash: u64,
}

impl Outcome {
    /// Bytes per node and second in the second half of the load, which took `seconds`.
    pub fn later_rate(&self, nodes: usize, seconds: f64) -> f64 {
        let load = self.series.len().min(seconds.ceil() as usize);
        let half = &self.series[load / 2..load];
        if half.is_empty() { 0.0 } else { half.iter().sum::<f64>() / (half.len() * nodes) as f64 }
    }
}
