//! What arrived lately: who delivered it, after how many hops, and the payload in case someone asks for it.
//!
//! Bounded: the oldest records go when there are too many or they cover too many ranges of ids (those of merged payloads are
//! many), the oldest payloads when they weigh too much. Ids that went are answered with nothing, and their duplicates prune nothing.

use super::Payload;
use super::message::Ids;
use crate::peer::PeerId;
use lasp_crdt::{Dot, DotSet};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One payload that arrived or was broadcast here.
#[derive(Clone, Debug)]
pub(super) struct Record<P> {
    pub(super) ids: Ids,
    /// The neighbour that delivered it first; `None`: this peer broadcast it.
    pub(super) from: Option<PeerId>,
    /// How many hops it made to here.
    pub(super) round: u16,
    /// Gone once newer payloads needed the room.
    pub(super) payload: Option<P>,
}

/// The records, oldest first, found by id.
#[derive(Clone, Debug)]
pub(super) struct Cache<P> {
    records: VecDeque<Record<P>>,
    /// The serial number of the first record.
    first: u64,
    /// Start of a range of ids -> its last counter, and the serial number of its record. Ranges are disjoint.
    index: BTreeMap<Dot, (u64, u64)>,
    /// The serial number of the first record that still has its payload.
    first_payload: u64,
    weight: usize,
    limits: Limits,
}

/// The most that is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) records: usize,
    /// Of ids, of all records together.
    pub(super) ranges: usize,
    /// Of the payloads together.
    pub(super) weight: usize,
}

impl<P: Payload> Cache<P> {
    pub(super) fn new(limits: Limits) -> Self {
        let (records, index) = (VecDeque::new(), BTreeMap::new());
        Self { records, first: 0, index, first_payload: 0, weight: 0, limits }
    }

    /// Adds a record; none of its ids may be in the cache.
    pub(super) fn insert(&mut self, record: Record<P>) {
        let serial = self.first + self.records.len() as u64;
        for (replica, range) in record.ids.ranges() {
            self.index.insert(Dot::new(replica, range.start), (range.end, serial));
        }
        self.weight += record.payload.as_ref().map_or(0, P::weight);
        self.records.push_back(record);
        while self.weight > self.limits.weight {
            self.drop_payload();
        }
        while self.records.len() > self.limits.records || self.index.len() > self.limits.ranges {
            self.drop_record();
        }
    }

    /// The record that covers `dot`.
    pub(super) fn get(&self, dot: Dot) -> Option<&Record<P>> {
        let (start, &(end, serial)) = self.index.range(..=dot).next_back()?;
        let covered = start.replica == dot.replica && dot.counter <= end;
        if covered { self.at(serial) } else { None }
    }

    /// The records that cover any of `ids`, oldest first, each once.
    pub(super) fn covering(&self, ids: &DotSet) -> impl Iterator<Item = &Record<P>> {
        let mut serials = BTreeSet::new();
        for (replica, range) in ids.ranges() {
            let (low, high) = (Dot::new(replica, range.start), Dot::new(replica, range.end));
            let before = self.index.range(..low).next_back();
            let before = before.filter(|(start, (end, _))| start.replica == replica && *end >= range.start);
            serials.extend(before.into_iter().chain(self.index.range(low..=high)).map(|(_, (_, serial))| *serial));
        }
        serials.into_iter().filter_map(|serial| self.at(serial))
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    fn at(&self, serial: u64) -> Option<&Record<P>> {
        self.records.get(usize::try_from(serial.checked_sub(self.first)?).ok()?)
    }

    fn drop_payload(&mut self) {
        self.first_payload = self.first_payload.max(self.first);
        let Some(record) = self.records.get_mut((self.first_payload - self.first) as usize) else { return };
        self.weight -= record.payload.take().as_ref().map_or(0, P::weight);
        self.first_payload += 1;
    }

    fn drop_record(&mut self) {
        let Some(record) = self.records.pop_front() else { return };
        self.first += 1;
        self.weight -= record.payload.as_ref().map_or(0, P::weight);
        for (replica, range) in record.ids.ranges() {
            self.index.remove(&Dot::new(replica, range.start));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::ReplicaId;
    use std::sync::Arc;

    type Bytes = Arc<[u8]>;

    fn dot(counter: u64) -> Dot {
        Dot::new(ReplicaId(1), counter)
    }

    fn record(start: u64, end: u64, size: usize) -> Record<Bytes> {
        let mut ids = DotSet::new();
        ids.insert_range(ReplicaId(1), start, end);
        let payload = Some(vec![start as u8; size].into());
        Record { ids: Ids::from_set(ids).expect("not empty"), from: Some(PeerId(start)), round: 1, payload }
    }

    fn cache(records: usize, ranges: usize, weight: usize) -> Cache<Bytes> {
        Cache::new(Limits { records, ranges, weight })
    }

    fn found(cache: &Cache<Bytes>, ids: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let ids: DotSet = ids.into_iter().map(dot).collect();
        cache.covering(&ids).filter_map(|record| record.from).map(|from| from.0).collect()
    }

    #[test]
    fn records_are_found_by_any_id_that_they_cover_and_once_each() {
        let mut cache = cache(10, 100, 1_000);
        for (start, end) in [(1, 1), (2, 5), (9, 9), (20, 30)] {
            cache.insert(record(start, end, 1));
        }
        assert_eq!(cache.get(dot(4)).and_then(|r| r.from), Some(PeerId(2)));
        assert!(cache.get(dot(6)).is_none() && cache.get(dot(31)).is_none());
        assert!(cache.get(Dot::new(ReplicaId(2), 4)).is_none());
        assert_eq!(found(&cache, 3..=9), [2, 9]);
        assert_eq!(found(&cache, [1, 25, 27]), [1, 20]);
        assert_eq!(found(&cache, [6, 7, 100]), []);
    }

    #[test]
    fn too_many_records_push_out_the_oldest() {
        let mut cache = cache(3, 100, 1_000);
        for n in 1..=5 {
            cache.insert(record(n, n, 1));
        }
        assert_eq!((cache.len(), found(&cache, 1..=5)), (3, vec![3, 4, 5]));
    }

    #[test]
    fn too_many_ranges_of_ids_push_out_the_oldest_records() {
        let mut cache = cache(100, 4, 1_000);
        for n in [1, 2, 3] {
            let apart: DotSet = [10 * n, 10 * n + 2].into_iter().map(dot).collect();
            cache.insert(Record { ids: Ids::from_set(apart).expect("not empty"), ..record(n, n, 1) });
        }
        assert_eq!((cache.len(), cache.index.len()), (2, 4));
        assert_eq!(found(&cache, 1..=40), [2, 3]);
        let flood: DotSet = (50..60).map(|n| dot(2 * n)).collect();
        cache.insert(Record { ids: Ids::from_set(flood).expect("not empty"), ..record(4, 4, 1) });
        assert_eq!((cache.len(), cache.index.len(), cache.weight), (0, 0, 0));
    }

    #[test]
    fn too_much_weight_pushes_out_the_oldest_payloads_and_keeps_who_delivered_them() {
        let mut cache = cache(3, 100, 10);
        for (n, size) in [(1, 4), (2, 4), (3, 4), (4, 2), (5, 100), (6, 1)] {
            cache.insert(record(n, n, size));
        }
        let payloads: Vec<_> = [4, 5, 6].map(|n| cache.get(dot(n)).map(|r| r.payload.is_some())).into();
        assert_eq!(payloads, [Some(false), Some(false), Some(true)]);
        assert_eq!(cache.weight, 1);
    }
}
