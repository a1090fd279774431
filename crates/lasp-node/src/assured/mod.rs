//! Updates that are answered when other nodes hold them: how many, counted by node.
//!
//! An update spreads as every update does; besides, its delta is *entrusted* to neighbours that want the variable. Each
//! merges it and says that it holds it; a node that says so has it in memory. Where fewer neighbours want the variable than
//! are to hold it, they pass the question on, and the answers come back the way the question went: an expanding ring, as
//! routes are searched for in AODV (Perkins and Royer, WMCSA 1999), with the feedback of an echo wave (Chang, IEEE TSE 1982)
//! that names nodes, so that none counts twice. What is lost is asked again, of more neighbours or further away.
//!
//! ```text
//! A -> B  Entrust{number, deltas, passing}        to as many neighbours as are to hold it, or to all, to be passed on
//! B -> A  Held{number}                            B holds it
//! B -> C  Entrust{B's number, deltas, passing}    C is no neighbour of A
//! C -> B  Held{B's number}      B -> A  Held{number, by C}
//! ```
//!
//! - `own`: this node's updates, and who holds them. Start here.
//! - `witness`: what is held and passed on for others.
//! - `message`: what nodes say. `serve`: the node's side of it.

pub(crate) mod message;
mod own;
mod serve;
mod witness;

pub(crate) use message::Message;
pub(crate) use own::{Assured, Turn};
pub(crate) use witness::Witness;

use crate::command::RequestId;
use crate::key::Key;
use crate::session::SessionToken;
use lasp_overlay::PeerId;
use std::fmt;
use std::time::Duration;

/// Most nodes that an update may wait for. A guess: far above what anybody wants.
pub const MOST: usize = 1_024;

/// How updates that are to be acknowledged are paced and bounded.
#[derive(Clone, Debug, PartialEq)]
pub struct AssuredConfig {
    /// From asking to asking again; doubles each time. Default 200 ms (guess: several round trips).
    pub patience: Duration,
    /// The longest it gets. Default 5 s (guess).
    pub patience_most: Duration,
    /// Own updates that may wait at once; those beyond are refused before they are applied. Default 256 (guess).
    pub open: usize,
    /// Encoded bytes of their deltas, all together. Default 8 MiB (guess).
    pub open_bytes: usize,
    /// Updates of others that are passed on at once; the oldest go, and are asked again. Default 256 (guess).
    pub passing: usize,
    /// Updates that are passed on for one neighbour in a second. Default 64 (guess: a flood costs others no more).
    pub passing_per_second: u32,
}

impl Default for AssuredConfig {
    fn default() -> Self {
        Self {
            patience: Duration::from_millis(200),
            patience_most: Duration::from_secs(5),
            open: 256,
            open_bytes: 8 << 20,
            passing: 256,
            passing_per_second: 64,
        }
    }
}

/// Who holds an update besides the node that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The nodes, ascending. Each held the update in memory when it said so.
    pub by: Vec<PeerId>,
    /// How many were waited for.
    pub wanted: usize,
    /// How many other members of the cluster this node knew of in the end: all of them only where the membership strategy
    /// knows all.
    pub known: usize,
}

impl Acknowledgement {
    /// Whether as many hold it as were waited for.
    pub fn is_enough(&self) -> bool {
        self.by.len() >= self.wanted
    }
}

/// How many of how many, who they are, and whether there can be more.
impl fmt::Display for Acknowledgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} nodes hold it", self.by.len(), self.wanted)?;
        let separator = |n: usize| if n == 0 { " (" } else { ", " };
        self.by.iter().enumerate().try_for_each(|(n, peer)| write!(f, "{}{peer}", separator(n)))?;
        f.write_str(if self.by.is_empty() { "" } else { ")" })?;
        if self.known < self.wanted {
            write!(f, "; this node knows of {} others in the cluster", self.known)?;
        }
        Ok(())
    }
}

/// An assurance has waited long enough, for answers or altogether.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Which.
    pub(crate) number: u64,
    /// For what.
    pub(crate) turn: Turn,
}

/// The neighbours, as far as they matter here.
pub(crate) struct Around<'a> {
    /// Who is there, ascending.
    pub(crate) neighbours: &'a [PeerId],
    /// Who wants to hear a variable.
    pub(crate) wants: &'a dyn Fn(PeerId, &Key) -> bool,
}

/// What follows from an input.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    /// What to say to whom.
    pub(crate) say: Vec<(PeerId, Message)>,
    /// What to be reminded of.
    pub(crate) timers: Vec<(Duration, Timer)>,
    /// Whom to tell who holds its update.
    pub(crate) answers: Vec<Answer>,
}

/// Who holds an update, for who waits for that.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    /// Who waits.
    pub(crate) request: RequestId,
    /// Who holds it.
    pub(crate) acknowledgement: Acknowledgement,
    /// The session that made the update.
    pub(crate) session: Option<Box<SessionToken>>,
}

#[cfg(test)]
mod tests;
