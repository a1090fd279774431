//! What happens to a program's replicas, as data: updates, messages that come late, twice or never, partitions, crashes,
//! and changes of the program itself.
//!
//! An event keeps its number when others are taken away, and one that makes no sense any more (a message that was never
//! sent, a variable that is not there) is no event. So any part of a schedule is a schedule.

use crate::program::{Limit, Replicas, name_of};
use lasp_dataflow::Value;
use std::fmt;

/// How a replica that missed something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repair {
    /// By the whole state.
    Whole,
    /// By what its digest says it lacks.
    Digest,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// An operation, in the language's form.
    Update {
        at: usize,
        var: usize,
        form: Value,
    },
    /// Joins a value.
    Bind {
        at: usize,
        var: usize,
        value: Value,
    },
    /// Takes out what is new, as a message that is on its way from now on.
    Send {
        at: usize,
    },
    /// The message that was sent in that event arrives, or one variable's part of it.
    Deliver {
        to: usize,
        sent: usize,
        part: Option<usize>,
    },
    /// Takes out what is new and delivers it to everybody who can be reached.
    Tell {
        at: usize,
    },
    /// One variable at `to` is brought up to what `from` has.
    Repair {
        from: usize,
        to: usize,
        var: usize,
        by: Repair,
    },
    /// Reads a variable that is read when asked.
    Read {
        at: usize,
        var: usize,
    },
    Watch {
        at: usize,
        var: usize,
        watcher: usize,
    },
    Unwatch {
        at: usize,
        watcher: usize,
    },
    Wait {
        at: usize,
        var: usize,
        limit: Limit,
    },
    /// Waits until somebody wants the variable at all, or to be this much.
    Need {
        at: usize,
        var: usize,
        least: Option<i64>,
    },
    /// The reader that waits since that event gives up.
    Cancel {
        at: usize,
        since: usize,
    },
    /// Starts a derivation.
    Derive {
        at: usize,
        derivation: usize,
    },
    /// Ends it.
    Remove {
        at: usize,
        derivation: usize,
    },
    /// Forgets a variable, if nothing follows from it.
    Undeclare {
        at: usize,
        var: usize,
    },
    /// Declares it again.
    Declare {
        at: usize,
        var: usize,
    },

    /// A replica stops; it comes back with what it had, or with nothing and as another.
    Crash {
        at: usize,
        keeps: bool,
    },
    /// These and the others cannot reach one another from now on.
    Cut {
        side: Replicas,
    },
    Heal,
}

/// Events with their numbers.
pub(crate) type Schedule = Vec<(usize, Event)>;

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let replica = |at: &usize| at + 1;
        match self {
            Self::Update { at, var, form } => write!(f, "on({}, update({}, {form}))", replica(at), name_of(*var)),
            Self::Bind { at, var, value } => write!(f, "on({}, bind({}, {value}))", replica(at), name_of(*var)),
            Self::Send { at } => write!(f, "replica {} sends what is new", replica(at)),
            Self::Deliver { to, sent, part: None } => write!(f, "message {sent} reaches replica {}", replica(to)),
            Self::Deliver { to, sent, part: Some(part) } => {
                write!(f, "part {part} of message {sent} reaches replica {}", replica(to))
            }
            Self::Tell { at } => write!(f, "replica {} tells everybody what is new", replica(at)),
            Self::Repair { from, to, var, by } => {
                let by = if *by == Repair::Whole { "its state" } else { "digest" };
                write!(f, "replica {} sends {} to replica {} by {by}", replica(from), name_of(*var), replica(to))
            }
            Self::Read { at, var } => write!(f, "on({}, query({}))", replica(at), name_of(*var)),
            Self::Watch { at, var, watcher } => {
                write!(f, "on({}, stream({}, watcher {watcher}))", replica(at), name_of(*var))
            }
            Self::Unwatch { at, watcher } => write!(f, "watcher {watcher} leaves replica {}", replica(at)),
            Self::Wait { at, var, limit } => write!(f, "on({}, read({}, {limit}))", replica(at), name_of(*var)),
            Self::Need { at, var, least } => {
                let least = least.map_or_else(|| "undefined".into(), |n| n.to_string());
                write!(f, "on({}, wait_needed({}, {least}))", replica(at), name_of(*var))
            }
            Self::Cancel { at, since } => write!(f, "reader {since} leaves replica {}", replica(at)),
            Self::Derive { at, derivation } => write!(f, "on({}, d{derivation})", replica(at)),
            Self::Remove { at, derivation } => write!(f, "on({}, remove d{derivation})", replica(at)),
            Self::Undeclare { at, var } => write!(f, "on({}, undeclare({}))", replica(at), name_of(*var)),
            Self::Declare { at, var } => write!(f, "on({}, declare({}))", replica(at), name_of(*var)),
            Self::Crash { at, keeps: true } => write!(f, "replica {} stops and comes back", replica(at)),
            Self::Crash { at, keeps: false } => write!(f, "replica {} loses everything", replica(at)),
            Self::Cut { side } => write!(f, "partition: {side} from the others"),
            Self::Heal => f.write_str("heal()"),
        }
    }
}
