//! How the time of one update grows with the state: it should follow the change alone.
//!
//! Two ways to choose the updated entries: the same thousand again and again, spread over the whole state, so that the
//! factor shows what the type does; or any at random, so that a large state also misses the processor's caches, as a
//! plain `BTreeMap` does, which stands beside.

use harness::inputs::scrambled;
use harness::measure::{Measure, Probe, Unit, seconds_each};
use lasp_crdt::{AwGraph, AwMap, AwSet, GCounter, GMap, Lattice, ReplicaId};
use std::collections::BTreeMap;

pub(crate) fn measures(sizes: &[u64]) -> Vec<Measure> {
    let sets = [SET.measures(sizes), GRAPH.measures(sizes)];
    let maps = [MAP.measures(sizes), NESTED_MAP.measures(sizes)];
    let add_wins_maps = [ADD_WINS_MAP.measures(sizes), NESTED_ADD_WINS_MAP.measures(sizes)];
    sets.into_iter().chain(maps).chain(add_wins_maps).flatten().collect()
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

impl<S> Copy for Growing<S> {}

impl<S> Clone for Growing<S> {
    fn clone(&self) -> Self {
        *self
    }
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

const ADD_WINS_MAP: Growing<AwMap<u64, AwSet<u64>>> = Growing {
    id: "growth/awmap",
    what: "add-wins map of sets",
    build: |size| {
        let mut map = AwMap::<u64, AwSet<u64>>::new();
        for key in 0..size {
            map.merge(map.apply(key, |set| set.add(HERE, key)));
        }
        map
    },
    update: |map, key| {
        let delta = map.apply(key, |set| set.add(HERE, key));
        map.merge(delta);
    },
};

/// A hundred entries in each inner map.
const NESTED_ADD_WINS_MAP: Growing<AwMap<u64, AwMap<u64, AwSet<u64>>>> = Growing {
    id: "growth/nested-awmap",
    what: "add-wins map of maps of sets",
    build: |size| {
        let mut map = AwMap::<u64, AwMap<u64, AwSet<u64>>>::new();
        for entry in 0..size {
            map.merge(map.apply(entry / 100, |inner| inner.apply(entry % 100, |set| set.add(HERE, entry))));
        }
        map
    },
    update: |map, entry| {
        let delta = map.apply(entry / 100, |inner| inner.apply(entry % 100, |set| set.add(HERE, entry)));
        map.merge(delta);
    },
};

/// A ring of vertices with an edge to the next each; an update adds an edge again.
const GRAPH: Growing<AwGraph<u64>> = Growing {
    id: "growth/graph",
    what: "add-wins graph",
    build: |size| {
        let mut graph = AwGraph::new();
        graph.merge(graph.add_vertices(HERE, 0..size));
        graph.merge(graph.add_edges(HERE, (0..size).map(|n| (n, (n + 1) % size))));
        graph
    },
    update: |graph, n| {
        let delta = graph.add_edge(HERE, n, n + 1);
        graph.merge(delta);
    },
};

/// What a map costs that replicates nothing.
const PLAIN: Growing<BTreeMap<u64, u64>> = Growing {
    id: "growth/plain",
    what: "plain map",
    build: |size| (0..size).map(|key| (key, 1)).collect(),
    update: |map, key| *map.entry(key).or_default() += 1,
};

const HERE: ReplicaId = ReplicaId(1);
const UPDATES: u64 = 20_000;

impl<S: 'static> Growing<S> {
    /// The time at each size, and the quotients of the last and the first.
    fn measures(&self, sizes: &[u64]) -> Vec<Measure> {
        let at_each_size = sizes.iter().map(|&size| self.at(size));
        let growth = sizes.first().zip(sizes.last()).map(|(&small, &large)| self.growth(small, large));
        at_each_size.chain(growth.into_iter().flatten()).collect()
    }

    fn at(&self, size: u64) -> Measure {
        let what = format!("{}: one update at {size} entries, random ones", self.what);
        let growing = *self;
        Measure::new(format!("{}/{size}", self.id), what, Unit::Time, move |_| {
            let mut state = (growing.build)(size);
            Box::new(move || growing.per_update(&mut state, |n| any(n, size)))
        })
    }

    fn growth(&self, small: u64, large: u64) -> [Measure; 2] {
        let what = format!("{}: one update at {large} entries, against one at {small}", self.what);
        let growing = *self;
        let same = Measure::new(format!("{}/factor", self.id), format!("{what}, the same 1,000"), Unit::Factor, {
            move |_| growing.factor(small, large, the_same)
        });
        let random =
            Measure::new(format!("{}/factor-random", self.id), format!("{what}, random ones"), Unit::Factor, {
                move |_| growing.factor(small, large, any)
            });
        [same.target(3.0), random.beside("std's BTreeMap", move |_| PLAIN.factor(small, large, any))]
    }

    fn factor(self, small: u64, large: u64, choose: fn(u64, u64) -> u64) -> Probe {
        let (mut less, mut more) = ((self.build)(small), (self.build)(large));
        Box::new(move || {
            let large = self.per_update(&mut more, |n| choose(n, large));
            large / self.per_update(&mut less, |n| choose(n, small))
        })
    }

    /// The mean time of an update of the entries that `choose` chooses.
    fn per_update(self, state: &mut S, choose: impl Fn(u64) -> u64) -> f64 {
        seconds_each(UPDATES, |n| (self.update)(state, choose(n)))
    }
}

/// Any of `size` entries.
fn any(n: u64, size: u64) -> u64 {
    scrambled(n) % size
}

/// One of a thousand among `size` entries.
fn the_same(n: u64, size: u64) -> u64 {
    scrambled(n) % 1_000 * (size / 1_000).max(1) % size
}
