//! What an owner asks of a node, and what the node tells its owner.

use crate::assured::Acknowledgement;
use crate::composition::Composition;
use crate::interest::{InterestError, Interests};
use crate::letter::Letter;
use crate::once::Token;
use crate::programs::{ProgramError, ProgramInfo};
use crate::session::{Behind, SessionToken};
use lasp_dataflow::{
    BindError, DeclareError, DerivationId, DeriveError, Name, Op, Operator, Output, Target, Threshold, ThresholdError,
    Type, UndeclareError, UpdateError, Value, VarId,
};
use lasp_overlay::membership::{self, Standing};
use lasp_overlay::{Addr, Contact, PeerId, survey, unicast};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Names one request of one owner; the owner chooses it and does not reuse it while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What an owner tells a node to do.
#[derive(Debug)]
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
    /// Forgets an open `UpdateAcknowledged`, `Enter`, `Read`, `ReadAny`, `WaitNeeded`, `Watch`, `Notice`, `Sleep`, `Enforce`, `Send`,
    /// `Survey` or `Receive`; no reply follows. What was applied stays.
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
    /// Declares a variable to write it without hearing it, where the node's interests do not cover it: [`Reply::Var`]. Only
    /// what is written here is kept, and each update until a node that keeps the variable has it. An operation sees no more
    /// than that: it removes what was added here, and a register's write may be older than others.
    DeclareUnheard {
        /// Its name.
        name: Name,
        /// Its type.
        ty: Type,
    },
    /// Applies an operation: [`Reply::Done`] once applied here; it is on its way to the others by then.
    Update {
        /// The variable.
        var: VarId,
        /// The operation.
        op: Op,
    },
    /// Applies an operation, and waits until so many other nodes hold it: [`Reply::Acknowledged`] then, or when the time is
    /// over. In any case it is applied here and on its way to the others, and stays so. See [`assured`](crate::assured).
    UpdateAcknowledged {
        /// The variable.
        var: VarId,
        /// The operation.
        op: Op,
        /// How many other nodes.
        by: usize,
        /// How long to wait.
        within: Duration,
        /// The session that makes it, if it is one's; this node must be as far as it has seen.
        session: Option<Box<SessionToken>>,
    },
    /// Waits until this node is as far as a session has seen, in the variables that it hears: [`Reply::Done`]. See
    /// [`session`](crate::session).
    Enter {
        /// The session.
        session: Box<SessionToken>,
        /// How long to wait.
        within: Duration,
    },
    /// The current value, read in a session as far as which this node must be: [`Reply::Noted`].
    QueryIn {
        /// The variable.
        var: VarId,
        /// The session.
        session: Box<SessionToken>,
    },
    /// Merges a value in: [`Reply::Bound`], true if the variable grew.
    Bind {
        /// The variable.
        var: VarId,
        /// The value.
        value: Value,
    },
    /// Merges all of `from`, now and later, into `into`: [`Reply::Derived`].
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
    /// Adds derivations of one another, all or none: [`Reply::Derived`], the last one.
    Compose {
        /// What to compute.
        composition: Composition,
        /// Into what.
        into: Target,
    },
    /// Ends a derivation: [`Reply::Bool`], whether there was one. A local result is forgotten; what was derived into a
    /// declared variable stays there.
    RemoveDerivation(DerivationId),
    /// Forgets a variable and gives its memory back: [`Reply::Done`]. Of a replicated one, which this node must not be
    /// interested in any more (but by its declaration), only the copy here.
    Undeclare(VarId),
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
    /// Waits until one of the thresholds is reached: [`Reply::Any`], the first that is.
    ReadAny(Vec<(VarId, Threshold)>),
    /// Waits until somebody reads the variable, or waits for it to come at least so far: [`Reply::Done`].
    WaitNeeded {
        /// The variable.
        var: VarId,
        /// How far.
        threshold: Threshold,
    },
    /// Follows a variable: [`Reply::Done`], then an [`Event::Changed`] for each change.
    Watch(VarId),
    /// Follows a variable without its value: [`Reply::Done`], then an [`Event::Noticed`] for each change. A change costs
    /// the node nothing but that; who wants the value asks for it when there is time.
    Notice(VarId),
    /// Replaces what this node wants to hear: [`Reply::Done`].
    Interests(Interests),
    /// Waits: [`Reply::Slept`].
    Sleep(Duration),
    /// Who is there: [`Reply::Members`].
    Members,
    /// Removes a member of the cluster for good, in its present life: [`Reply::Done`] once this node knows; the others hear of
    /// it.
    Evict(PeerId),
    /// Keeps a link to whoever listens at an address, where the membership strategy leaves that to its owner:
    /// [`Reply::Done`].
    Connect(Addr),
    /// Ends that: [`Reply::Done`].
    Disconnect(Addr),
    /// Installs a program in the cluster, in place of an earlier one of its name: [`Reply::Installed`]. It runs here by
    /// then, if this node is interested in it, and is on its way to the others.
    Install {
        /// Its name; without one, one that says what its text is.
        name: Option<Name>,
        /// Its text.
        source: Arc<str>,
    },
    /// Removes an installed program from the cluster: [`Reply::Done`].
    Uninstall {
        /// Its name.
        name: Name,
    },
    /// Which programs are installed: [`Reply::Programs`].
    Programs,
    /// Asks to be told, once in the cluster, when the variable has reached the threshold: [`Reply::Due`] where it falls to
    /// this node to act, which it then does by [`Act`](Self::Act) and ends by [`Acted`](Self::Acted); [`Reply::Done`] where
    /// another node has. See [`once`](crate::once).
    Enforce {
        /// Which enforcement: the same on all nodes that are to know it as one.
        token: Token,
        /// The variable.
        var: VarId,
        /// The threshold.
        threshold: Threshold,
    },
    /// Applies an operation on behalf of an enforcement that has fallen to this node: [`Reply::Done`]. If another node acts
    /// as well, what both do alike counts once.
    Act {
        /// Which enforcement.
        token: Token,
        /// The variable.
        var: VarId,
        /// The operation.
        op: Op,
    },
    /// The action of an enforcement has run here: [`Reply::Done`].
    Acted(Token),
    /// Sends bytes to a node anywhere in the cluster, where they can be taken by [`Receive`](Self::Receive), at most once:
    /// [`Reply::Delivered`] once the node has acknowledged them. An empty letter only asks whether it is there. At most
    /// 16 KiB, by the default configuration.
    Send {
        /// The receiver.
        to: PeerId,
        /// The bytes.
        letter: Letter,
    },
    /// Asks every node for its views: [`Reply::Survey`], when no more answers come.
    Survey {
        /// Whether for those known besides the neighbours, too.
        wide: bool,
    },
    /// Takes the oldest letter that was sent to this node, or waits for one: [`Reply::Letter`].
    Receive,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A variable.
    Var(VarId),
    /// It is done.
    Done,
    /// An update is applied, and so many others hold it.
    Acknowledged {
        /// Who.
        acknowledgement: Acknowledgement,
        /// The session after the update, if one made it.
        session: Option<Box<SessionToken>>,
    },
    /// A value, and the session that has read it.
    Noted {
        /// The value.
        output: Output,
        /// The session.
        session: Box<SessionToken>,
    },
    /// Whether a bind made the variable grow.
    Bound(bool),
    /// A value.
    Output(Output),
    /// Yes or no.
    Bool(bool),
    /// A derivation.
    Derived {
        /// Its output.
        var: VarId,
        /// To end it with.
        derivation: DerivationId,
    },
    /// Which of several thresholds was reached.
    Any {
        /// Its place among them.
        index: usize,
        /// The variable's value.
        output: Output,
    },
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
        /// The other members of the cluster as far as it knows, and how it stands with them.
        members: Vec<(Contact, Standing)>,
        /// Those that are thought to be there just now.
        reachable: Vec<Contact>,
    },
    /// A program is installed.
    Installed {
        /// Its name.
        name: Name,
        /// Which of those that were installed under this name.
        version: u64,
    },
    /// The installed programs, by name.
    Programs(Vec<ProgramInfo>),
    /// It falls to this node to act on behalf of this enforcement.
    Due(Token),
    /// A letter to this node.
    Letter {
        /// Who sent it.
        from: PeerId,
        /// What it says.
        letter: Letter,
    },
    /// What nodes say of themselves, ascending by id; of none where too many surveys run at once.
    Survey(Vec<survey::Record>),
    /// A letter has arrived.
    Delivered {
        /// How many links it crossed.
        hops: u8,
        /// From the request to the acknowledgement.
        after: Duration,
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
    /// More nodes were to acknowledge an update than can be waited for.
    #[error("{wanted} nodes cannot be waited for; at most {most} can")]
    TooManyWanted {
        /// How many were.
        wanted: usize,
        /// How many can be.
        most: usize,
    },
    /// Too many updates of this node wait for other nodes to hold them.
    #[error("{open} updates wait to be acknowledged by other nodes already; this one was not applied: try again later")]
    TooManyAssured {
        /// How many.
        open: usize,
    },
    /// No other node can ever hold the variable.
    #[error("{0} never leaves this node: no other node can acknowledge an update of it")]
    NotReplicated(Name),
    /// This node is not as far as a session has seen.
    #[error(transparent)]
    SessionBehind(Behind),
    /// A session has seen more variables than its token can tell of.
    #[error(
        "a session's token has no room for more variables: it tells of {variables}. Nothing was changed; begin a new session, or          use one for each task"
    )]
    SessionFull {
        /// How many.
        variables: usize,
    },
    /// Too many sessions wait at this node.
    #[error("{open} sessions wait for this node to come as far as they have seen: try again later, or at another node")]
    TooManySessions {
        /// How many.
        open: usize,
    },
    /// One variable of a causal group cannot be forgotten: what it caused would be seen without it.
    #[error(
        "{0} belongs to a causal group, of which a node hears all or nothing: no longer being interested in the group comes first"
    )]
    InGroup(Name),
    /// A composition without a last step, or with a step that reaches for itself or a later one.
    #[error("the steps of a composition follow from variables and earlier steps, and there is at least one")]
    Composition,
    /// A wait for none of nothing would never end.
    #[error("nothing to wait for: no variable was given")]
    NothingToWaitFor,
    /// Undeclaring failed.
    #[error(transparent)]
    Undeclare(#[from] UndeclareError),
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
    /// The membership strategy leaves no such thing to its owner.
    #[error("membership {strategy:?} does not {what}")]
    NotOfStrategy {
        /// The strategy.
        strategy: &'static str,
        /// What was asked.
        what: &'static str,
    },
    /// Nobody to be evicted.
    #[error("no member of the cluster has the id {0}, as far as this node knows")]
    UnknownMember(PeerId),
    /// The name is one of the runtime's own.
    #[error("{0} is a variable of the runtime itself, and cannot be declared or written")]
    Reserved(Name),
    /// It has not fallen to this node to act, or it has acted.
    #[error("the action of {0:?} has not fallen to this node")]
    NotDue(Token),
    /// What cannot be wanted.
    #[error(transparent)]
    Interests(#[from] InterestError),
    /// A program cannot be installed or removed.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A letter could not be delivered, as far as this node knows.
    #[error("nothing could be sent to node {to}: {reason}")]
    Undelivered {
        /// To whom.
        to: PeerId,
        /// Why.
        reason: unicast::Failure,
    },
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
    /// A variable changed that is followed without its value.
    Noticed(RequestId),
    /// The overlay changed around this node.
    Membership(membership::Event),
    /// The action of an installed program printed something.
    Printed {
        /// The program.
        program: Name,
        /// What it printed.
        text: String,
    },
    /// The action of an installed program failed; what it did before stays done.
    ActionFailed {
        /// The program.
        program: Name,
        /// Why, and where in the program.
        message: Arc<str>,
    },
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
