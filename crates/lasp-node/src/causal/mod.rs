//! Groups of variables that are seen in causal order: nobody sees an update without those of the group that its author had
//! seen.
//!
//! A variable belongs to a group by its name: `causal/NAME/...`. What a node shows of a group is always a join of states
//! that were whole, so whatever caused an update is there with it. That is kept by *delta-intervals* (Almeida, Shoker,
//! Baquero, "Delta State Replicated Data Types", JPDC 2018, algorithm 2): a neighbour is told everything of the group that
//! has changed here since the state that it has acknowledged, all variables in one piece, merged in one step. What is merged
//! is then the whole state that the sender had; there are no vectors of versions, and nothing waits for what has not come.
//! So variables of groups travel neither along the broadcast tree nor by comparisons of single variables, and a node hears all
//! of a group or nothing.
//!
//! ```text
//! A -> B  Compare{number, group, fingerprint}              new neighbours; again with digests if B says More
//! B -> A  Interval{number, answers, deltas}                what B has beyond; empty where both have the same
//! A -> B  Acknowledged{number}                             A is above B's state of then, and B keeps what changes since
//! B -> A  Interval{number, deltas}                         what has changed since the last acknowledged one
//! ```
//!
//! - `links`: what each neighbour has acknowledged, and what it is told. Start here. `assembly`: intervals in pieces.
//! - `message`: what neighbours say. `serve`: the node's side of it.

mod assembly;
mod links;
pub(crate) mod message;
mod serve;

pub(crate) use links::Groups;
pub(crate) use message::{Interval, Message};

use lasp_overlay::PeerId;
use std::time::Duration;

/// What the names of variables in groups begin with.
pub const CAUSAL: &str = "causal/";

/// The group of a variable, as the beginning of its name: `causal/NAME/`.
pub fn group_of(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(CAUSAL)?;
    let end = rest.find('/').filter(|end| *end > 0 && *end + 1 < rest.len())?;
    Some(&name[..CAUSAL.len() + end + 1])
}

/// How groups are paced and bounded.
#[derive(Clone, Debug, PartialEq)]
pub struct CausalConfig {
    /// From telling a neighbour something to telling it again; doubles each time. Default 250 ms (guess: several round
    /// trips).
    pub patience: Duration,
    /// The longest it gets. Default 10 s (guess: as comparisons).
    pub patience_most: Duration,
    /// Bytes of an interval that is put together from pieces, one at a time. Default 64 MiB (guess); a group that is larger
    /// than that does not reach new nodes.
    pub assembly: usize,
}

impl Default for CausalConfig {
    fn default() -> Self {
        Self { patience: Duration::from_millis(250), patience_most: Duration::from_secs(10), assembly: 64 << 20 }
    }
}

/// A neighbour has had time enough to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    pub(crate) peer: PeerId,
    pub(crate) number: u64,
    /// Whether all that was said had left for as long as that.
    pub(crate) left: bool,
}

#[cfg(test)]
mod tests;
