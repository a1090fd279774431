//! What owners are told of installed programs.

use lasp_dataflow::{Name, Type};
use std::sync::Arc;
use thiserror::Error;

/// An installed program as one node knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ProgramInfo {
    /// Its name.
    pub name: Name,
    /// Which of those that were installed under this name; grows.
    pub version: u64,
    /// What has become of it here.
    pub state: ProgramState,
    /// What went wrong while it ran here, oldest first, the last few: functions that failed on an element, actions that
    /// failed, each with its place in the program.
    pub errors: Vec<Arc<str>>,
    /// How many errors there were altogether.
    pub errors_total: u64,
    /// The variables it declares, by name.
    pub variables: Vec<(Name, Type)>,
    /// Its text.
    pub source: Arc<str>,
}

/// What has become of a program at one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramState {
    /// Its derivations and triggers are at work.
    Running,
    /// This node hears none of the variables that it starts from.
    NotInterested,
    /// It is none that can be installed: the diagnostics. It came from elsewhere; here it would have been refused.
    Refused(Arc<str>),
    /// It could not be set up here, and nothing of it is: why.
    Failed(Arc<str>),
}

impl ProgramState {
    /// In a word: `running`, `not interested`, `refused`, `failed`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::NotInterested => "not interested",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
        }
    }

    /// The diagnostics, or why it failed.
    pub fn report(&self) -> Option<&str> {
        match self {
            Self::Running | Self::NotInterested => None,
            Self::Refused(report) | Self::Failed(report) => Some(report),
        }
    }
}

/// Why a program was not installed or removed. Nothing has spread, and nothing is changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProgramError {
    /// It has errors, or does what an installed program cannot: the diagnostics, rendered with their places.
    #[error("{0}")]
    Rejected(Arc<str>),
    /// It could not be set up at this node.
    #[error("the program was not installed: {0}")]
    Failed(Arc<str>),
    /// Its text is too long.
    #[error("the program has {size} bytes; at most {limit} can be installed")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The most that can be installed.
        limit: usize,
    },
    /// There is no room for it.
    #[error("there is no room: at most {programs} names and {bytes} bytes of programs; `uninstall` what is not needed")]
    Full {
        /// How many names there may be, those of removed programs included.
        programs: usize,
        /// How many bytes of text there may be.
        bytes: usize,
    },
    /// No program of this name is installed.
    #[error("no program {0} is installed")]
    Unknown(Name),
    /// Its version is the greatest there is.
    #[error("program {0} has had all versions that there are; install it under another name")]
    Exhausted(Name),
}
