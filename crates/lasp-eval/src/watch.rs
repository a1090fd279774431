//! Looks at all nodes of a run at once: the tree that they form, and the variables that they do not agree on.
//!
//! Hosts say what each node looks like at a tick; what is kept of it is small, whatever the number of nodes. Looks become
//! rarer as a run goes on: at most [`DENSE`] each time its length doubles.

use crate::tree::{self, Tree};
use crate::variables::{self, Disagreement};
use lasp_node::{Interests, Node};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

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

/// `moments.csv`: a row for each moment, with the tree that there was.
pub fn moments_csv(moments: &[Moment]) -> String {
    let mut text =
        String::from("t_us,nodes,links,components,one_sided,diameter,depth,depth_mean,variables_differing\n");
    for Moment { t_us, tree, variables } in moments {
        let Tree { nodes, links, components, one_sided, diameter, .. } = tree;
        let (depth, mean) = (tree.depth(), tree.mean_depth());
        let differing = variables.values().filter(|of| of.differ > 0).count();
        let _ =
            writeln!(text, "{t_us},{nodes},{links},{components},{one_sided},{diameter},{depth},{mean:.3},{differing}");
    }
    text
}

/// `variables.csv`: a row for each moment and variable on which anybody differs.
pub fn variables_csv(moments: &[Moment]) -> String {
    let mut text = String::from("t_us,variable,hear,differ\n");
    for Moment { t_us, variables, .. } in moments {
        for (name, Disagreement { hear, differ }) in variables.iter().filter(|(_, of)| of.differ > 0) {
            let _ = writeln!(text, "{t_us},{},{hear},{differ}", quoted(name));
        }
    }
    text
}

/// A text as a field of CSV (RFC 4180).
fn quoted(text: &str) -> Cow<'_, str> {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")).into(),
        false => text.into(),
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

    #[test]
    fn rows_say_what_differs_and_nothing_of_what_does_not() {
        let variables = [("a,\"b\"", 1), ("calm", 0)];
        let variables = variables.map(|(name, differ)| (name.to_owned(), Disagreement { hear: 3, differ })).into();
        let tree = Tree { nodes: 3, links: 2.0, components: 1, depths: vec![1.0, 2.0], diameter: 2, ..Tree::default() };
        let moments = [Moment { t_us: 500, tree, variables }];
        assert_eq!(variables_csv(&moments), "t_us,variable,hear,differ\n500,\"a,\"\"b\"\"\",3,1\n");
        assert_eq!(moments_csv(&moments).lines().nth(1), Some("500,3,2,1,0,2,1,0.667,1"));
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
