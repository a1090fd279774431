//! What a node counts about itself; all since its start.

/// What bytes are spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Views, probes, joins.
    Membership,
    /// Announcements, grafts, prunes, ids; frame headers.
    Broadcast,
    /// Deltas: what the application wrote.
    State,
    /// Digests and requests of anti-entropy, interests.
    Sync,
    /// Messages to single nodes, and searches for them.
    Unicast,
}

/// How many classes there are.
pub const CLASSES: usize = 5;

/// Counters of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Bytes sent by class, frame headers and length prefixes included; index by `Class as usize`.
    pub bytes_sent: [u64; CLASSES],
    /// Entries of the deltas and states sent: elements, keys, replicas of counters.
    pub entries_sent: u64,
    /// Bytes received, length prefixes included.
    pub bytes_received: u64,
    /// Of these, bytes of deltas and states.
    pub state_received: u64,
    /// Of these, bytes that brought something new to what this node keeps: by entries, where an item brought some that were
    /// new and some that were not. `state_received / state_needed` is the redundancy.
    pub state_needed: u64,
    /// Items received that carried deltas: payloads of broadcasts, relays, what comparing found, exchanged groups.
    pub payloads_received: u64,
    /// Of these, those that brought anything new.
    pub payloads_needed: u64,
    /// Entries of the deltas and states received.
    pub entries_received: u64,
    /// Entries that were new to what this node keeps.
    pub entries_needed: u64,
    /// Frames sent.
    pub frames_sent: u64,
    /// Frames received.
    pub frames_received: u64,
    /// Frames refused: malformed, or over an unknown link.
    pub frames_refused: u64,
    /// Messages dropped for want of a link, or at a full buffer; lattices and retries cover them.
    pub dropped: u64,
    /// Updates applied here by the owner.
    pub updates: u64,
    /// Deltas received that grew a variable.
    pub merges: u64,
    /// Deltas received that brought nothing new.
    pub redundant: u64,
    /// Deltas received of which something was left out because it was stamped too far ahead of the clock here: one of two
    /// clocks is wrong.
    pub drifted: u64,
    /// Programs installed by this node's owner.
    pub programs_installed: u64,
    /// Programs that came from elsewhere and cannot be installed.
    pub programs_refused: u64,
    /// Programs that could not be set up here.
    pub programs_failed: u64,
    /// Actions of programs that failed.
    pub actions_failed: u64,
    /// Enforcements whose action ran here.
    pub enforced: u64,
    /// Parts of received deltas for the runtime's own variables that no node of this kind would have sent; left out.
    pub entries_refused: u64,
    /// Own updates that as many other nodes acknowledged as were to.
    pub assured: u64,
    /// Own updates that fewer did in time.
    pub unassured: u64,
    /// Deltas of others that this node has acknowledged.
    pub entrusted: u64,
    /// Questions of others whether an update is held that were not passed on, for a neighbour asked too much.
    pub entrusts_refused: u64,
    /// Intervals of causal groups that were merged.
    pub intervals: u64,
    /// Those that were not: too large to be put together, or stamped too far ahead of the clock here. They are told again.
    pub intervals_refused: u64,
    /// Sessions that had to wait for this node to come as far as they had seen.
    pub sessions_waited: u64,
    /// Those that it did not do so for in time.
    pub sessions_behind: u64,
    /// Questions of others what this node has beyond them, for sessions that saw something here.
    pub sessions_asked: u64,
    /// Deltas that waited for a slow link and were merged with what waited before.
    pub coalesced: u64,
    /// Most messages that ever waited on one link.
    pub queue_peak: u64,
    /// Most entries of deltas that ever waited on one link, with what went at once.
    pub link_entries_peak: u64,
    /// Most entries of deltas that ever waited on all links together.
    pub node_entries_peak: u64,
    /// Most bytes of deltas that ever waited on one link, written in full, with what was under way on it. What waits is
    /// written whenever as many entries wait on a link as never before, by an eighth; what grows in bytes alone is not seen.
    pub link_bytes_peak: u64,
    /// Summaries of interests told to neighbours, and changes of them.
    pub summaries_sent: u64,
    /// Comparisons with neighbours begun.
    pub syncs: u64,
    /// Comparisons that found a difference.
    pub sync_differences: u64,
    /// Digests of neighbours, each of which begins a comparison, that were compared with the own.
    pub digests_received: u64,
    /// Of these, those that were equal to it, so that nothing more was said. `digests_equal / digests_received` is the hit
    /// rate.
    pub digests_equal: u64,
}

impl Metrics {
    /// Bytes sent of every class.
    pub fn total_sent(&self) -> u64 {
        self.bytes_sent.iter().sum()
    }

    /// Bytes sent of one class.
    pub fn sent(&self, class: Class) -> u64 {
        self.bytes_sent[class as usize]
    }
}
