//! Gossip in rounds over partial views, as the HyParView paper (Leitão, Pereira, Rodrigues, DSN 2007, §5.1) compares with: who
//! hears a message for the first time passes it on to some random peers of its view, dead or not. A model, for experiments alone.

use super::graph::Graph;
use super::strategy::{Overlay, Spread};
use lasp_overlay::Rng;

/// To how many peers a message is passed on (ibid.).
const FANOUT: usize = 4;

/// What a view holds of a peer.
pub trait Entry: Copy {
    /// Its number.
    fn node(self) -> u32;
}

impl Entry for u32 {
    fn node(self) -> u32 {
        self
    }
}

/// Nodes with views that nothing changes but, if messages are *acked*, the peers in them that do not acknowledge one.
#[derive(Clone, Debug)]
pub struct Gossip<E> {
    pub(super) views: Vec<Vec<E>>,
    pub(super) dead: Vec<bool>,
    pub(super) rng: Rng,
    acked: bool,
    heard: Vec<u32>,
    number: u32,
}

impl<E: Entry> Gossip<E> {
    /// Nodes with these views.
    pub fn new(views: Vec<Vec<E>>, seed: u64, acked: bool) -> Self {
        let (dead, heard) = (vec![false; views.len()], vec![0; views.len()]);
        Self { views, dead, rng: Rng::new(seed), acked, heard, number: 0 }
    }
}

impl<E: Entry> Overlay for Gossip<E> {
    fn cycle(&mut self) {}

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
                for to in self.rng.sample(&self.views[node as usize], FANOUT).into_iter().map(Entry::node) {
                    if self.dead[to as usize] {
                        if self.acked {
                            self.views[node as usize].retain(|entry| entry.node() != to);
                        }
                    } else if std::mem::replace(&mut self.heard[to as usize], self.number) != self.number {
                        next.push(to);
                    }
                }
            }
            spread.reached += next.len();
            spread.hops += u32::from(!next.is_empty());
            here.clear();
            std::mem::swap(&mut here, &mut next);
        }
        spread
    }

    fn alive(&self) -> Vec<usize> {
        (0..self.views.len()).filter(|node| !self.dead[*node]).collect()
    }

    fn neighbors(&self) -> Graph {
        let lives = |node: &u32| !self.dead[*node as usize];
        let of = |(node, view): (usize, &Vec<E>)| {
            if self.dead[node] { Vec::new() } else { view.iter().map(|entry| entry.node()).filter(lives).collect() }
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
    fn views_without_acknowledgements_stay_as_they_are_and_lead_to_the_dead() {
        let ring: Vec<Vec<u32>> = (0..10).map(|node| vec![(node + 1) % 10]).collect();
        let mut gossip = Gossip::new(ring.clone(), 1, false);
        assert_eq!(gossip.broadcast(3), Spread { reached: 10, hops: 9 });
        gossip.fail(&[7]);
        for _ in 0..2 {
            assert_eq!(gossip.broadcast(3), Spread { reached: 4, hops: 3 });
        }
        gossip.cycle();
        assert_eq!(gossip.views, ring);
    }
}
