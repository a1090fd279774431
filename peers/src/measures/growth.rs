//! How the time of one update grows with the state: it should follow the change alone.
//!
//! Updates meet random entries, so that larger states also pay for missing the processor's caches.

use crate::inputs::scrambled;
use crate::measure::{Measure, Unit, seconds_each};
use lasp_crdt::{AwSet, GCounter, GMap, Lattice, ReplicaId};

pub(crate) fn measures(sizes: &[u64]) -> Vec<Measure> {
    [SET.measures(sizes), MAP.measures(sizes), NESTED_MAP.measures(sizes)].into_iter().flatten().collect()
}

/// A type whose updates are measured at several sizes.
struct Growing<S> {
    id: &'static str,
    what: &'static str,
    /// The state of so many entries, numbered from 0.
    build: fn(u64) -> S,
    /// Changes the entry of this number: makes the delta, and merges it.
    update: fn(&mut S, u64),
}

const SET: Growing<AwSet<u64>> = Growing {
    id: "growth/set",
    what: "set",
    build: |size| AwSet::new().add_all(HERE, 0..size),
    update: |set, element| {
        let delta = set.add(HERE, element);
        set.merge(delta);
    },
};

const MAP: Growing<GMap<u64, GCounter>> = Growing {
    id: "growth/map",
    what: "map of counters",
    build: |size| (0..size).map(|key| (key, GCounter::new().increment(HERE, 1))).collect(),
    update: |map, key| {
        let delta = map.apply(key, |count| count.increment(HERE, 1));
        map.merge(delta);
    },
};

/// A hundred entries in each inner map.
const NESTED_MAP: Growing<GMap<u64, GMap<u64, AwSet<u64>>>> = Growing {
    id: "growth/nested-map",
    what: "map of maps of sets",
    build: |size| {
        let inner = |key| (0..100).map(move |inner_key| (inner_key, AwSet::new().add(HERE, key)));
        (0..size / 100).map(|key| (key, inner(key).collect())).collect()
    },
    update: |map, entry| {
        let (key, inner_key) = (entry / 100, entry % 100);
        let delta = map.apply(key, |inner| inner.apply(inner_key, |set| set.add(HERE, key)));
        map.merge(delta);
    },
};

const HERE: ReplicaId = ReplicaId(1);
const UPDATES: u64 = 20_000;

impl<S: 'static> Growing<S> {
    /// The time at each size, and the quotient of the last and the first.
    fn measures(&self, sizes: &[u64]) -> Vec<Measure> {
        let at_each_size = sizes.iter().map(|&size| self.at(size));
        let growth = sizes.first().zip(sizes.last()).map(|(&small, &large)| self.growth(small, large));
        at_each_size.chain(growth).collect()
    }

    fn at(&self, size: u64) -> Measure {
        let what = format!("{}: one update at {size} entries", self.what);
        let Self { build, update, .. } = *self;
        Measure::new(format!("{}/{size}", self.id), what, Unit::Time, move |_| {
            let mut state = build(size);
            Box::new(move || per_update(&mut state, size, update))
        })
    }

    fn growth(&self, small: u64, large: u64) -> Measure {
        let what = format!("{}: one update at {large} entries, against one at {small}", self.what);
        let Self { build, update, .. } = *self;
        let measure = Measure::new(format!("{}/factor", self.id), what, Unit::Factor, move |_| {
            let (mut less, mut more) = (build(small), build(large));
            Box::new(move || per_update(&mut more, large, update) / per_update(&mut less, small, update))
        });
        measure.target(3.0)
    }
}

/// The mean time of an update of a random entry.
fn per_update<S>(state: &mut S, size: u64, update: fn(&mut S, u64)) -> f64 {
    seconds_each(UPDATES, |n| update(state, scrambled(n) % size))
}
