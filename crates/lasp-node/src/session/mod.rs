//! Sessions: whoever goes from node to node finds there what he has written and what he has read.
//!
//! The guarantees are read-your-writes and monotonic reads (Terry, Demers, Petersen, Spreitzer, Theimer, Welch, "Session
//! Guarantees for Weakly Consistent Replicated Data", PDIS 1994). A session is a *token*: of each variable that it has
//! touched, what it has seen. A node serves it when its own states are at least that. States are lattices, so what was seen
//! is either a small state, which the node's own must be above, or a *mark*: where a large one was seen, and its
//! fingerprint. Whether a node is above a mark is asked of the node where it was made: it gives what is missing.
//!
//! ```text
//! B -> A  Beyond{variable, what B has}          B and A need not be neighbours: these are letters
//! A -> B  Caught{what B lacks}                  Unclear: say more of what B has. Gone: A has forgotten
//! ```
//!
//! - `token`: what a session has seen, and its text. Start here.
//! - `waits`: who waits for this node to come so far. `since`: what a node says that it has, and what is beyond.
//! - `message`: what nodes say. `serve`: the node's side of it.

pub(crate) mod message;
mod serve;
mod since;
mod token;
mod waits;

pub(crate) use message::Message;
pub use token::{MAX_TOKEN, SessionToken, TokenError};
pub(crate) use waits::Sessions;
pub use waits::Timer;

use lasp_dataflow::Name;
use lasp_overlay::PeerId;
use std::time::Duration;
use thiserror::Error;

/// How sessions are paced and bounded.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionConfig {
    /// From asking where something was seen to asking again; doubles each time. Default 500 ms (guess: a letter's way
    /// through a large overlay and back).
    pub patience: Duration,
    /// The longest it gets. Default 5 s (guess).
    pub patience_most: Duration,
    /// Sessions that may wait at once; further ones are refused. Default 256 (guess).
    pub open: usize,
    /// Marks known to be reached that are remembered; the oldest go, and are asked about again. Default 1,024 (guess).
    pub reached: usize,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self { patience: Duration::from_millis(500), patience_most: Duration::from_secs(5), open: 256, reached: 1_024 }
    }
}

/// What a node does not have that a session has seen.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("what the session has seen of {:?} has not come to this node{}", self.variable.as_str(), self.why())]
pub struct Behind {
    /// The variable, or one of several.
    pub variable: Name,
    /// Where it was seen, if it is too large to be part of the token.
    pub at: Option<PeerId>,
    /// What is known of that node.
    pub there: There,
}

/// What is known of a node where a session saw something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum There {
    /// Nothing was heard from it yet.
    Silent,
    /// It is further on; what is missing is on its way.
    Ahead,
    /// It was restarted since, or does not keep the variable any more.
    Gone,
}

impl Behind {
    fn why(&self) -> String {
        let Some(node) = self.at else { return String::new() };
        let there = match self.there {
            There::Silent => "does not answer",
            There::Ahead => "is further on; what is missing is on its way",
            There::Gone => "was restarted since, or does not keep it any more",
        };
        format!("; it was seen at node {node}, which {there}")
    }
}

#[cfg(test)]
mod tests;
