//! What an owner asks of a node, and what the node tells its owner.

use crate::interest::Interests;
use lasp_dataflow::{
    BindError, DeclareError, DeriveError, Name, Op, Operator, Output, Target, Threshold, ThresholdError, Type,
    UndeclareError, UpdateError, Value, VarId,
};
use lasp_overlay::membership;
use lasp_overlay::{Addr, Contact};
use std::time::Duration;
use thiserror::Error;

/// Names one request of one owner; the owner chooses it and does not reuse it while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What an owner tells a node to do.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "requests are moved once, straight to where they are served")]
pub enum Command {
    /// Joins the cluster through whoever listens at these addresses; retried until it succeeds.
    Join(Vec<Addr>),
    /// Leaves the overlay; links close once what was sent has gone out.
    Leave,
    /// Asks something; answered by exactly one [`Event::Reply`].
    Request {
        /// Its name.
        id: RequestId,
        /// What is asked.
        request: Request,
    },
    /// Forgets an open `Read`, `Watch` or `Sleep`; no reply follows.
    Cancel(RequestId),
}

/// A request; the reply it gets is named at each.
#[derive(Debug)]
pub enum Request {
    /// Declares a variable, under a fresh name if none is given: [`Reply::Var`].
    Declare {
        /// Its name.
        name: Option<Name>,
        /// Its type.
        ty: Type,
        /// Never leaves this node.
        local: bool,
    },
    /// Applies an operation: [`Reply::Done`] once applied here; it is on its way to the others by then.
    Update {
        /// The variable.
        var: VarId,
        /// The operation.
        op: Op,
    },
    /// Merges a value in: [`Reply::Bound`], true if the variable grew.
    Bind {
        /// The variable.
        var: VarId,
        /// The value.
        value: Value,
    },
    /// Merges all of `from`, now and later, into `into`: [`Reply::Done`].
    BindTo {
        /// The variable that receives.
        into: VarId,
        /// The variable that gives.
        from: VarId,
    },
    /// Adds a derivation: [`Reply::Var`], its output.
    Derive {
        /// What to compute.
        operator: Operator,
        /// From which variables.
        inputs: Vec<VarId>,
        /// Into what.
        into: Target,
    },
    /// The current value: [`Reply::Output`].
    Query(VarId),
    /// Whether a collection holds a value: [`Reply::Bool`].
    Contains(VarId, Value),
    /// Waits until the threshold is reached: [`Reply::Output`], the value then.
    Read {
        /// The variable.
        var: VarId,
        /// The threshold.
        threshold: Threshold,
    },
    /// Waits until somebody here waits for the variable to come at least this far, or it has: [`Reply::Output`], the value
    /// then.
    WaitNeeded {
        /// The variable.
        var: VarId,
        /// The threshold.
        threshold: Threshold,
    },
    /// Forgets a variable at this node: [`Reply::Done`]. A replicated one comes back when this node declares it again, or
    /// hears of it.
    Undeclare(VarId),
    /// Follows a variable: [`Reply::Done`], then an [`Event::Changed`] for each change.
    Watch(VarId),
    /// Replaces what this node wants to hear: [`Reply::Done`].
    Interests(Interests),
    /// Waits: [`Reply::Slept`].
    Sleep(Duration),
    /// Who is there: [`Reply::Members`].
    Members,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A variable.
    Var(VarId),
    /// It is done.
    Done,
    /// Whether a bind made the variable grow.
    Bound(bool),
    /// A value.
    Output(Output),
    /// Yes or no.
    Bool(bool),
    /// The time is over.
    Slept,
    /// Who is there.
    Members {
        /// This node.
        me: Contact,
        /// Its neighbours in the overlay.
        active: Vec<Contact>,
        /// Others it knows of.
        passive: Vec<Contact>,
    },
}

/// Why a request was refused; the state is as it was.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum RequestError {
    /// The id names no variable of this node.
    #[error("no such variable: {0:?} was not declared at this node")]
    UnknownVariable(VarId),
    /// The value is too large to be sent to the others in one piece.
    #[error("the value takes {size} bytes; at most {limit} can be sent to other nodes")]
    TooLarge {
        /// Encoded size.
        size: usize,
        /// The most that fits.
        limit: usize,
    },
    /// Declaring failed.
    #[error(transparent)]
    Declare(#[from] DeclareError),
    /// Updating failed.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// Binding failed.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Deriving failed.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// The threshold does not fit the variable.
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
    /// The variable is in use.
    #[error(transparent)]
    Undeclare(#[from] UndeclareError),
}

/// What a node tells its owner.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The answer to a request.
    Reply {
        /// Which request.
        id: RequestId,
        /// The answer, or why there is none.
        result: Result<Reply, RequestError>,
    },
    /// A watched variable changed.
    Changed {
        /// The `Watch` request.
        id: RequestId,
        /// The value now.
        output: Output,
    },
    /// The overlay changed around this node.
    Membership(membership::Event),
    /// A derivation's function failed on an element; the others go on.
    DerivationFailed(lasp_dataflow::DerivationError),
    /// A peer calls a variable by a name this node knows under another type; what it sent is ignored.
    TypeConflict {
        /// The name.
        name: Name,
        /// The type here.
        here: Type,
        /// The type there.
        there: Type,
    },
}
