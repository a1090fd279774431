//! Why a call of the API failed.

use lasp_dataflow::{FromValueError, NameError, ThresholdError, ToValueError};
use lasp_node::{Acknowledgement, RequestError};
use lasp_overlay::Contact;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// Why a call failed. Unless it says otherwise, the node's state is as it was.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Error {
    /// The node refused the request.
    #[error(transparent)]
    Refused(#[from] RequestError),
    /// The text cannot name a variable.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The variable holds a value that is not of the asked-for Rust type.
    #[error("the value is not of the expected type: {0}")]
    Value(#[from] FromValueError),
    /// What was given cannot be replicated: a float that is no number, for instance.
    #[error(transparent)]
    Element(#[from] ToValueError),
    /// The variable's kind does not offer the threshold.
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
    /// Fewer nodes than wanted acknowledged an update in time. It *is* applied, and on its way to the others.
    #[error("the update is applied and on its way, but not acknowledged in time: {0}")]
    Unacknowledged(Acknowledgement),
    /// Something else than an update was to be made in a [`Session`](crate::Session), or one that was sent already.
    #[error("only an update that has not been sent can be made in a session")]
    NoUpdate,
    /// The time given to [`Ask::timeout`](crate::Ask::timeout) was over first. A wait was withdrawn; an update that had
    /// been sent takes its course.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The node has stopped, before or while it was asked. An update may or may not have been applied.
    #[error("the node has stopped: {0}")]
    Stopped(Stop),
}

/// Why a node no longer runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It was asked to.
    Shutdown,
    /// Another process, alive, holds its identity.
    IdentityInUse(Contact),
    /// Whatever ran it is gone.
    HostGone,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shutdown => f.write_str("shut down"),
            Self::IdentityInUse(holder) => write!(
                f,
                "its identity is in use by {holder}; stop that process, or give this one another name or data directory"
            ),
            Self::HostGone => f.write_str("the executor that ran it is gone"),
        }
    }
}
