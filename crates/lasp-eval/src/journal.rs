//! What one node writes down while it plays its part: shared by the scenario, which writes, and the host, which samples.

use crate::record::{Bytes, NodeRecord, Probe, Role, Usage};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The run's clock: microseconds since it began, the same for all nodes.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Where a node's logs are pushed to.
pub trait Logs: Send + Sync {
    /// Keeps the record; a later one of the same life replaces it.
    fn push(&self, record: &NodeRecord);
}

/// One node's book.
#[derive(Clone)]
pub struct Journal {
    record: Arc<Mutex<NodeRecord>>,
    clock: Clock,
    logs: Arc<dyn Logs>,
}

impl Journal {
    /// The book of a node that has just come up.
    pub fn new(node: &str, role: Role, clock: Clock, logs: Arc<dyn Logs>) -> Self {
        let record = NodeRecord::new(node, role, clock());
        Self { record: Arc::new(Mutex::new(record)), clock, logs }
    }

    /// The time.
    pub fn now(&self) -> u64 {
        (self.clock)()
    }

    /// Everything so far.
    pub fn snapshot(&self) -> NodeRecord {
        self.lock().clone()
    }

    /// Looks at the record without copying it.
    pub fn with<T>(&self, look: impl FnOnce(&NodeRecord) -> T) -> T {
        look(&self.lock())
    }

    /// An update was acknowledged that adds `amount` to a quantity.
    pub fn counted(&self, quantity: &str, amount: u64) {
        let now = self.updated();
        let mut record = self.lock();
        record.counted_us.push(now);
        record.tallies.entry(quantity.to_owned()).or_default().acknowledged += amount;
    }

    /// An update was acknowledged that counts nothing; when.
    pub fn updated(&self) -> u64 {
        let now = self.now();
        let mut record = self.lock();
        record.updates += 1;
        record.last_update_us = Some(now);
        now
    }

    /// A quantity is seen to be so large now.
    pub fn seen(&self, quantity: &str, amount: u64) {
        let now = self.now();
        let mut record = self.lock();
        let tally = record.tallies.entry(quantity.to_owned()).or_default();
        if amount != tally.seen {
            tally.seen = amount;
            record.last_change_us = Some(now);
        }
    }

    /// Data that is no quantity has changed.
    pub fn changed(&self) {
        let now = self.now();
        self.lock().last_change_us = Some(now);
    }

    /// The next round has come.
    pub fn round(&self) {
        let now = self.now();
        self.lock().rounds_us.push(now);
    }

    /// The load begins, with so many bytes sent before it.
    pub fn load_from(&self, bytes: Bytes) {
        self.lock().load_from = Some(bytes);
    }

    /// The load's final values are seen, with so many bytes sent.
    pub fn load_to(&self, bytes: Bytes) {
        self.lock().load_to = Some(bytes);
    }

    /// There is nothing left to do.
    pub fn saw_end(&self) {
        let now = self.now();
        self.lock().saw_end_us = Some(now);
    }

    /// All have seen the end: what was written so far goes to the archive.
    pub fn push(&self) {
        let now = self.now();
        self.lock().pushed_us = Some(now);
        self.logs.push(&self.lock());
    }

    /// All have pushed their logs: the node as it is while everybody is still there.
    pub fn ended(&self, probe: Probe) {
        let now = self.now();
        let mut record = self.lock();
        record.ended_us = Some(now);
        record.probe = probe;
    }

    /// The node's part is over; its final values, and the last word to the archive.
    pub fn close(&self, values: BTreeMap<String, String>) {
        let mut record = self.lock();
        record.values = values;
        record.completed = true;
        self.logs.push(&record);
    }

    /// The node is looked at from outside while it runs, so that a crash leaves something.
    pub fn checkpoint(&self, probe: Probe, usage: Option<Usage>) {
        let mut record = self.lock();
        if record.ended_us.is_none() {
            record.probe = probe;
        }
        record.usage = usage.or(record.usage);
        self.logs.push(&record);
    }

    /// The last word on the node's process.
    pub fn note_usage(&self, usage: Option<Usage>) {
        let mut record = self.lock();
        record.usage = usage.or(record.usage);
        self.logs.push(&record);
    }

    fn lock(&self) -> MutexGuard<'_, NodeRecord> {
        // Nothing panics under this lock.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Journal").field(&*self.lock()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Tally;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Default)]
    struct Shelf(Mutex<Vec<NodeRecord>>);

    impl Logs for Shelf {
        fn push(&self, record: &NodeRecord) {
            self.0.lock().unwrap().push(record.clone());
        }
    }

    fn ticking() -> Clock {
        let ticks = AtomicU64::new(0);
        Arc::new(move || ticks.fetch_add(1, Ordering::Relaxed))
    }

    #[test]
    fn only_a_change_counts_as_one() {
        let journal = Journal::new("a", Role::Client, ticking(), Arc::new(Shelf::default()));
        journal.seen("ad", 3);
        let first = journal.snapshot().last_change_us;
        journal.seen("ad", 3);
        assert_eq!(journal.snapshot().last_change_us, first);
        journal.seen("ad", 4);
        assert!(journal.snapshot().last_change_us > first);
    }

    #[test]
    fn the_archive_gets_the_record_at_the_push_and_whole_at_the_close() {
        let shelf = Arc::new(Shelf::default());
        let journal = Journal::new("a", Role::Client, ticking(), Arc::clone(&shelf) as Arc<dyn Logs>);
        journal.counted("ad", 1);
        journal.saw_end();
        journal.push();
        journal.ended(Probe { peer: 7, ..Probe::default() });
        journal.checkpoint(Probe::default(), None);
        journal.close(BTreeMap::from([("ad".to_owned(), "1".to_owned())]));
        let pushed = shelf.0.lock().unwrap();
        assert!(pushed[0].pushed_us.is_some() && !pushed[0].completed);
        let last = pushed.last().unwrap();
        assert!(last.completed);
        assert_eq!(last.probe.peer, 7, "the view before anybody left is kept");
        assert_eq!(last.tallies["ad"], Tally { acknowledged: 1, seen: 0 });
        assert_eq!((last.updates, last.counted_us.len()), (1, 1));
    }
}
