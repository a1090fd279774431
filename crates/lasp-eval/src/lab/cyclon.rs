//! Cyclon, for comparison: Voulgaris, Gavidia, van Steen, "CYCLON: Inexpensive Membership Management for Unstructured P2P
//! Overlays", JNSM 2005. A model in rounds, for experiments alone, with the settings of the HyParView paper.
//!
//! Every cycle a node exchanges a sample of its view with the oldest peer in it; messages go to some random peers of
//! the view. *Acked*, as the HyParView paper compares it, is the same with one reaction: a peer that does not
//! acknowledge a message is dropped from the view.

use super::graph::Graph;
use super::strategy::{Overlay, Spread};
use lasp_overlay::Rng;

/// Entries of a view: as many ids as HyParView knows with 5 and 30 (HyParView paper, §5.1).
const VIEW: usize = 35;

/// Entries of an exchange (ibid.).
const EXCHANGE: usize = 14;

/// Steps of a joining node's walks (ibid.).
const WALK: usize = 5;

/// To how many peers a message is passed on (ibid.).
const FANOUT: usize = 4;

#[derive(Clone, Copy, Debug)]
struct Entry {
    node: u32,
    age: u32,
}

/// A network of Cyclon nodes.
#[derive(Clone, Debug)]
pub struct Cyclon {
    views: Vec<Vec<Entry>>,
    dead: Vec<bool>,
    acked: bool,
    heard: Vec<u32>,
    number: u32,
    rng: Rng,
}

impl Cyclon {
    /// Joins nodes one by one through the first.
    pub fn grow(nodes: usize, seed: u64, acked: bool) -> Self {
        let (dead, heard) = (vec![false; nodes], vec![0; nodes]);
        let mut cyclon = Self { views: Vec::new(), dead, acked, heard, number: 0, rng: Rng::new(seed) };
        for node in 0..nodes as u32 {
            cyclon.views.push(Vec::new());
            if node > 0 {
                cyclon.join(node);
            }
        }
        cyclon
    }

    /// As many walks start at the contact as a view has entries. Where one ends, the new node takes an entry's place, and gets
    /// that entry.
    fn join(&mut self, new: u32) {
        for _ in 0..VIEW {
            let mut at = 0;
            for _ in 0..WALK {
                at = self.rng.choose(&self.views[at]).map_or(at, |entry| entry.node as usize);
            }
            if self.knows(at, new) || at == new as usize {
                continue;
            }
            let entry = Entry { node: new, age: 0 };
            if self.views[at].len() < VIEW {
                self.views[at].push(entry);
                self.learn(new as usize, Entry { node: at as u32, age: 0 });
            } else {
                let place = self.rng.index(VIEW);
                let replaced = std::mem::replace(&mut self.views[at][place], entry);
                self.learn(new as usize, replaced);
            }
        }
    }

    fn knows(&self, node: usize, other: u32) -> bool {
        self.views[node].iter().any(|entry| entry.node == other)
    }

    fn learn(&mut self, node: usize, entry: Entry) -> bool {
        let room = self.views[node].len() < VIEW;
        let new = room && entry.node as usize != node && !self.knows(node, entry.node);
        if new {
            self.views[node].push(entry);
        }
        new
    }

    /// Takes a sample out of a view.
    fn take(&mut self, node: usize, count: usize) -> Vec<Entry> {
        let view = &mut self.views[node];
        self.rng.shuffle(view);
        view.split_off(view.len().saturating_sub(count))
    }

    fn exchange(&mut self, node: usize) {
        self.views[node].iter_mut().for_each(|entry| entry.age += 1);
        let Some(oldest) = (0..self.views[node].len()).max_by_key(|at| self.views[node][*at].age) else { return };
        let partner = self.views[node].swap_remove(oldest).node as usize;
        if self.dead[partner] {
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
        self.rng.shuffle(&mut order);
        for node in order {
            self.exchange(node);
        }
    }

    fn hold(&mut self) {}

    fn fork(&self) -> Self {
        self.clone()
    }

    fn fail(&mut self, nodes: &[usize]) {
        nodes.iter().for_each(|&node| self.dead[node] = true);
    }

    fn broadcast(&mut self, from: usize) -> Spread {
        self.number += 1;
        self.heard[from] = self.number;
        let (mut here, mut next) = (vec![from as u32], Vec::new());
        let mut spread = Spread { reached: 1, hops: 0 };
        while !here.is_empty() {
            for &node in &here {
                let targets = self.rng.sample(&self.views[node as usize], FANOUT);
                for Entry { node: to, .. } in targets {
                    if self.dead[to as usize] {
                        if self.acked {
                            self.views[node as usize].retain(|entry| entry.node != to);
                        }
                    } else if std::mem::replace(&mut self.heard[to as usize], self.number) != self.number {
                        next.push(to);
                    }
                }
            }
            spread.reached += next.len();
            spread.hops += u32::from(!next.is_empty());
            here = std::mem::take(&mut next);
        }
        spread
    }

    fn alive(&self) -> Vec<usize> {
        (0..self.views.len()).filter(|node| !self.dead[*node]).collect()
    }

    fn neighbors(&self) -> Graph {
        let lives = |node: &u32| !self.dead[*node as usize];
        let of = |(node, view): (usize, &Vec<Entry>)| {
            if self.dead[node] { Vec::new() } else { view.iter().map(|entry| entry.node).filter(lives).collect() }
        };
        self.views.iter().enumerate().map(of).collect()
    }

    fn known(&self) -> Graph {
        self.neighbors()
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
        for (node, view) in cyclon.views.iter().enumerate() {
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
