//! Looks at all nodes of a run at once: the tree that they form, and the variables that they do not agree on.
//!
//! Hosts say what each node looks like at a tick; what is kept of it is small, whatever the number of nodes. Looks become
//! rarer as a run goes on: at most [`DENSE`] each time its length doubles.

use crate::tree::{self, Tree};
use crate::variables::{self, Disagreement};
use lasp_node::{Interests, Node};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Looks within a doubling of the run's length.
pub const DENSE: u64 = 128;

/// Most variables of a node that are looked at: those with the least hashes, which are the same everywhere.
pub const MOST_VARIABLES: usize = 64;

/// One node, as far as it is compared with others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Which.
    pub peer: u64,
    /// To whom it pushes payloads.
    pub eager: Vec<u64>,
    /// What it hears, by prefixes of names; nothing said: everything.
    pub hears: Option<BTreeSet<String>>,
    /// Hash of the key, name and fingerprint of its variables, ascending; at most [`MOST_VARIABLES`].
    pub sums: Vec<(u64, String, u64)>,
}

/// All nodes at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moment {
    /// When.
    pub t_us: u64,
    /// The tree.
    pub tree: Tree,
    /// Who disagrees on which variable; those that all agree on too.
    pub variables: BTreeMap<String, Disagreement>,
}

/// Whether nodes are looked at at this tick. Ticks are as far apart as samples.
pub const fn takes(tick: u64) -> bool {
    let doublings = if tick < 2 * DENSE { 0 } else { (tick / DENSE).ilog2() };
    tick.is_multiple_of(1 << doublings)
}

impl Look {
    /// A node as it is now. Cost: its links and the variables that are looked at.
    pub fn of(node: &Node) -> Self {
        let hears = match node.interests() {
            Interests::All => None,
            Interests::Prefixes(prefixes) => Some(prefixes.clone()),
        };
        let sums = node.fingerprints().take(MOST_VARIABLES);
        Self {
            peer: node.contact().id.0,
            eager: node.broadcast().eager().map(|peer| peer.0).collect(),
            hears,
            sums: sums.map(|(hash, name, sum)| (hash, name.to_owned(), sum)).collect(),
        }
    }
}

impl Moment {
    /// Of everybody who is up.
    pub fn of(t_us: u64, looks: &[Look]) -> Self {
        let views: Vec<tree::View<'_>> = looks.iter().map(|look| (look.peer, look.eager.as_slice())).collect();
        Self { t_us, tree: tree::examine(&views), variables: variables::disagreements(looks) }
    }
}

/// A look as one life of a node wrote it down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// At which tick.
    pub tick: u64,
    /// What.
    pub look: Look,
}

/// Moments from what lives wrote down, one list for each. A tick at which somebody who was up before and after it says nothing is
/// left out: it would look as if the tree were torn.
pub fn moments(lives: &[Vec<Written>], step_us: u64) -> Vec<Moment> {
    let span = |life: &Vec<Written>| Some((life.first()?.tick, life.last()?.tick));
    let spans: Vec<(u64, u64)> = lives.iter().filter_map(span).collect();
    let mut ticks: BTreeMap<u64, Vec<Look>> = BTreeMap::new();
    for written in lives.iter().flatten() {
        ticks.entry(written.tick).or_default().push(written.look.clone());
    }
    let up = |tick: u64| spans.iter().filter(|(first, last)| (*first..=*last).contains(&tick)).count();
    let whole = ticks.into_iter().filter(|(tick, looks)| looks.len() == up(*tick));
    whole.map(|(tick, looks)| Moment::of(tick * step_us, &looks)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_become_rarer_and_never_stop() {
        let taken = |ticks: std::ops::Range<u64>| ticks.filter(|tick| takes(*tick)).count() as u64;
        assert_eq!(taken(0..2 * DENSE), 2 * DENSE);
        for doubling in 1..12 {
            let from = DENSE << doubling;
            assert_eq!(taken(from..2 * from), DENSE, "{from}");
        }
    }

    fn written(tick: u64, peer: u64, eager: &[u64]) -> Written {
        Written { tick, look: Look { peer, eager: eager.to_vec(), ..Look::default() } }
    }

    #[test]
    fn a_moment_has_everybody_who_was_up() {
        let one = vec![written(1, 1, &[]), written(2, 1, &[2]), written(3, 1, &[2]), written(4, 1, &[])];
        // It was too busy at the third tick, and has left at the fourth.
        let two = vec![written(2, 2, &[1]), written(3, 2, &[1])];
        let late = vec![written(2, 3, &[1]), written(4, 3, &[1])];
        let moments = moments(&[one, two, late], 500);
        let seen: Vec<_> =
            moments.iter().map(|moment| (moment.t_us, moment.tree.nodes, moment.tree.components)).collect();
        assert_eq!(seen, [(500, 1, 1), (1000, 3, 1), (2000, 2, 1)]);
    }
}
