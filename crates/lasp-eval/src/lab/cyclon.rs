//! Cyclon, for comparison: Voulgaris, Gavidia, van Steen, "CYCLON: Inexpensive Membership Management for Unstructured P2P
//! Overlays", JNSM 2005. A model in rounds, for experiments alone, with the settings of the HyParView paper.
//!
//! Every cycle a node exchanges a sample of its view with the oldest peer in it; messages go to some random peers of
//! the view. *Acked*, as the HyParView paper compares it, is the same with one reaction: a peer that does not
//! acknowledge a message is dropped from the view.

use super::gossip::{self, Gossip};
use super::graph::Graph;
use super::strategy::{Overlay, Spread};

/// Entries of a view: as many ids as HyParView knows with 5 and 30 (HyParView paper, §5.1).
const VIEW: usize = 35;

/// Entries of an exchange (ibid.).
const EXCHANGE: usize = 14;

/// Steps of a joining node's walks (ibid.).
const WALK: usize = 5;

#[derive(Clone, Copy, Debug)]
struct Entry {
    node: u32,
    age: u32,
}

impl gossip::Entry for Entry {
    fn node(self) -> u32 {
        self.node
    }
}

/// A network of Cyclon nodes.
#[derive(Clone, Debug)]
pub struct Cyclon(Gossip<Entry>);

impl Cyclon {
    /// Joins nodes one by one through the first.
    pub fn grow(nodes: usize, seed: u64, acked: bool) -> Self {
        let mut cyclon = Self(Gossip::new(vec![Vec::new(); nodes], seed, acked));
        for node in 1..nodes as u32 {
            cyclon.join(node);
        }
        cyclon
    }

    /// As many walks start at the contact as a view has entries. Where one ends, the new node takes an entry's place, and gets
    /// that entry.
    fn join(&mut self, new: u32) {
        for _ in 0..VIEW {
            let mut at = 0;
            for _ in 0..WALK {
                at = self.0.rng.choose(&self.0.views[at]).map_or(at, |entry| entry.node as usize);
            }
            if self.knows(at, new) || at == new as usize {
                continue;
            }
            let entry = Entry { node: new, age: 0 };
            if self.0.views[at].len() < VIEW {
                self.0.views[at].push(entry);
                self.learn(new as usize, Entry { node: at as u32, age: 0 });
            } else {
                let place = self.0.rng.index(VIEW);
                let replaced = std::mem::replace(&mut self.0.views[at][place], entry);
                self.learn(new as usize, replaced);
            }
        }
    }

    fn knows(&self, node: usize, other: u32) -> bool {
        self.0.views[node].iter().any(|entry| entry.node == other)
    }

    fn learn(&mut self, node: usize, entry: Entry) -> bool {
        let room = self.0.views[node].len() < VIEW;
        let new = room && entry.node as usize != node && !self.knows(node, entry.node);
        if new {
            self.0.views[node].push(entry);
        }
        new
    }

    /// Takes a sample out of a view.
    fn take(&mut self, node: usize, count: usize) -> Vec<Entry> {
        let view = &mut self.0.views[node];
        self.0.rng.shuffle(view);
        view.split_off(view.len().saturating_sub(count))
    }

    fn exchange(&mut self, node: usize) {
        self.0.views[node].iter_mut().for_each(|entry| entry.age += 1);
        let Some(oldest) = (0..self.0.views[node].len()).max_by_key(|at| self.0.views[node][*at].age) else { return };
        let partner = self.0.views[node].swap_remove(oldest).node as usize;
        if self.0.dead[partner] {
            return;
        }
        let mut offered = self.take(node, EXCHANGE - 1);
        let mut answered = self.take(partner, EXCHANGE);
        self.merge(node, &answered.clone(), &mut offered);
        offered.push(Entry { node: node as u32, age: 0 });
        self.merge(partner, &offered, &mut answered);
    }

    /// Fills a view with what came, and what room is left with what went.
    fn merge(&mut self, node: usize, came: &[Entry], went: &mut [Entry]) {
        for &entry in came.iter().chain(went.iter()) {
            self.learn(node, entry);
        }
    }
}

impl Overlay for Cyclon {
    fn cycle(&mut self) {
        let mut order = self.alive();
        self.0.rng.shuffle(&mut order);
        for node in order {
            self.exchange(node);
        }
    }

    fn hold(&mut self) {}

    fn fork(&self) -> Self {
        self.clone()
    }

    fn fail(&mut self, nodes: &[usize]) {
        self.0.fail(nodes);
    }

    fn broadcast(&mut self, from: usize) -> Spread {
        self.0.broadcast(from)
    }

    fn alive(&self) -> Vec<usize> {
        self.0.alive()
    }

    fn neighbors(&self) -> Graph {
        self.0.neighbors()
    }

    fn known(&self) -> Graph {
        self.0.known()
    }

    fn trace_hash(&self) -> Option<u64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_fill_hold_nobody_twice_and_never_oneself() {
        let mut cyclon = Cyclon::grow(300, 1, false);
        for _ in 0..20 {
            cyclon.cycle();
        }
        for (node, view) in cyclon.0.views.iter().enumerate() {
            let mut known: Vec<u32> = view.iter().map(|entry| entry.node).collect();
            assert!(known.len() > 25 && !known.contains(&(node as u32)), "{node}: {known:?}");
            let before = known.len();
            known.sort_unstable();
            known.dedup();
            assert_eq!(known.len(), before);
        }
    }

    #[test]
    fn acknowledgements_drop_the_dead_and_nothing_else_does_between_cycles() {
        for (acked, better) in [(false, false), (true, true)] {
            let mut cyclon = Cyclon::grow(500, 2, acked);
            (0..20).for_each(|_| cyclon.cycle());
            cyclon.fail(&(0..300).collect::<Vec<_>>());
            let mut reached = |count: usize| (0..count).map(|_| cyclon.broadcast(400).reached).sum::<usize>() / count;
            reached(50);
            let later = reached(200);
            assert_eq!(later > 190, better, "{later} of 200");
            assert_eq!(later < 150, !better, "{later} of 200");
        }
    }
}
