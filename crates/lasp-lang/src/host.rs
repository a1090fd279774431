//! What a script acts on: one node's graph, or a cluster of them. The language knows nothing else of the world.
//!
//! Nodes are numbered from 1. A variable has one [`Handle`] for all nodes: a host makes it known at a node when it is first
//! used there; a derived variable that is local to a node is derived again where it is asked for.

use crate::interrupt::Interrupt;
use crate::term::Handle;
use lasp_crdt::codec::to_bytes;
use lasp_dataflow::{DerivationError, FunctionError, Op, Operator, Output, Plan, State, Threshold, Type, Value, VarId};
use std::collections::BTreeMap;
use std::fmt;

/// A reason why a node refused. Its state is unchanged.
pub type Refusal = crate::fault::Problem;

/// Names what a wait or watch told about; unique in a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TriggerId(pub u64);

/// What happened at a node.
#[derive(Clone, Debug, PartialEq)]
pub enum HostEvent {
    /// A threshold that was waited for is met.
    Met(TriggerId),
    /// A watched variable changed; its value now.
    Changed(TriggerId, Output),
    /// It falls to a node to run the action of [`Host::enforce_once`].
    Due {
        /// Which.
        id: TriggerId,
        /// The node.
        node: usize,
    },
    /// A function failed on an element; that element is left out, everything else goes on.
    DerivationFailed {
        /// Where.
        node: usize,
        /// The derived variable, if a script has a handle for it.
        variable: Option<Handle>,
        /// What failed, on which element, and why.
        message: String,
        /// What failed.
        operator: &'static str,
        /// Why, and where in the text of the function.
        error: FunctionError,
    },
}

impl HostEvent {
    /// The event for what a graph at `node` reports.
    pub fn derivation_failed(node: usize, variable: Option<Handle>, error: &DerivationError) -> Self {
        let DerivationError { operator, element, error, .. } = error;
        let message = format!("{operator} failed on {element}: {}", error.message);
        Self::DerivationFailed { node, variable, message, operator, error: error.clone() }
    }
}

/// Why a script cannot use `name` where it is no cluster of its own that it runs on.
pub(crate) fn no_cluster(name: &str) -> Refusal {
    Refusal::new(format!("`{name}` acts on an embedded cluster, and this script runs at one node of a real one"))
        .hint("`lasp run FILE --nodes N` and `lasp repl --nodes N` have a cluster to disturb")
}

/// How far time was run.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// Events are waiting in [`Host::poll`].
    Events,
    /// The deadline is reached.
    Deadline,
    /// Nothing is in flight: nothing will happen until something is done.
    Quiet,
    /// The [`Interrupt`] was raised.
    Interrupted,
}

/// How large a variable is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// How many elements, entries or concurrent values it has; `None` for scalars.
    pub elements: Option<usize>,
    /// The length of its encoded state; `None` for a local result, which has none.
    pub bytes: Option<usize>,
}

impl Size {
    /// Of a value, and of the state behind it.
    pub fn of(value: Option<&Output>, state: Option<&State>) -> Self {
        let elements = match value {
            Some(Output::Set(items) | Output::Many(items)) => Some(items.len()),
            Some(Output::Map(entries)) => Some(entries.len()),
            _ => None,
        };
        Self { elements, bytes: state.map(|state| to_bytes(state).len()) }
    }
}

/// "3 elements, 41 bytes"; empty if nothing is known.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let parts = [self.elements.map(|n| count(n, "element")), self.bytes.map(|n| count(n, "byte"))];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// What a node computes for its local derivations, with the handles of its variables.
#[derive(Clone, Debug, Default)]
pub struct HostPlan {
    /// As the node's graph tells it.
    pub plan: Plan,
    /// What its variables are called in scripts.
    pub handles: BTreeMap<VarId, Handle>,
}

/// A disturbance of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Cuts the links between groups of nodes; nodes in no group are one more.
    Partition(Vec<Vec<usize>>),
    /// Mends all links.
    Heal,
    /// Stops a node; its memory is lost.
    Crash(usize),
    /// Starts a crashed node, empty.
    Restart(usize),
}

/// A place where scripts run.
pub trait Host {
    /// How many nodes there are; 0 where the script runs at one node of a cluster that is not its own, where it can
    /// neither choose nor disturb nodes.
    fn nodes(&self) -> usize;

    /// A variable at `node`; without a name, one that no other declaration gives.
    ///
    /// # Errors
    /// A bad name, or a name that is taken by another type.
    fn declare(&mut self, node: usize, name: Option<&str>, ty: &Type) -> Result<Handle, Refusal>;

    /// A variable that each node has for itself; without a name, one that no other declaration gives.
    ///
    /// # Errors
    /// As [`declare`](Self::declare), or a host without such variables.
    fn declare_dynamic(&mut self, node: usize, name: Option<&str>, ty: &Type) -> Result<Handle, Refusal> {
        let _ = (node, name, ty);
        Err(Refusal::new("dynamic variables cannot be declared here"))
    }

    /// Forgets a variable at `node`.
    ///
    /// # Errors
    /// A variable that something follows from, is derived into or waits for.
    fn undeclare(&mut self, node: usize, variable: Handle) -> Result<(), Refusal> {
        let _ = (node, variable);
        Err(Refusal::new("variables cannot be undeclared here"))
    }

    /// The type of a variable.
    fn type_of(&self, variable: Handle) -> Type;

    /// Applies an operation at `node`. Where it names other nodes, the host knows them by their numbers, or as it will.
    ///
    /// # Errors
    /// What the state refuses, or a node that is down; so in all that follow.
    fn update(&mut self, node: usize, variable: Handle, op: &Op) -> Result<(), Refusal>;

    /// Joins a value in.
    ///
    /// # Errors
    /// A value that is none of the type.
    fn bind(&mut self, node: usize, variable: Handle, value: &Value) -> Result<(), Refusal>;

    /// Joins all of `from`, now and later, into `into`.
    ///
    /// # Errors
    /// Different types, or a cycle.
    fn bind_to(&mut self, node: usize, into: Handle, from: Handle) -> Result<(), Refusal>;

    /// Derives a variable, a new one unless `into` is given.
    ///
    /// # Errors
    /// Inputs that are no sets, or a cycle.
    fn derive(
        &mut self,
        node: usize,
        operator: Operator,
        inputs: &[Handle],
        into: Option<Handle>,
    ) -> Result<Handle, Refusal>;

    /// The value at `node`.
    ///
    /// # Errors
    /// A node that is down.
    fn query(&mut self, node: usize, variable: Handle) -> Result<Output, Refusal>;

    /// How large a variable is at `node`; nothing is computed for that.
    fn size(&mut self, _node: usize, _variable: Handle) -> Size {
        Size::default()
    }

    /// What `node` computes for its local derivations; `None` where that is not known.
    fn plan(&mut self, _node: usize) -> Option<HostPlan> {
        None
    }

    /// Asks for one [`HostEvent::Met`].
    ///
    /// # Errors
    /// A threshold that the type does not offer.
    fn wait(&mut self, node: usize, variable: Handle, threshold: Threshold) -> Result<TriggerId, Refusal>;

    /// Asks for one [`HostEvent::Met`] when somebody waits for the variable to come at least this far.
    ///
    /// # Errors
    /// A threshold that the type does not offer, or a host that does not know who waits.
    fn wait_needed(&mut self, node: usize, variable: Handle, threshold: Threshold) -> Result<TriggerId, Refusal> {
        let _ = (node, variable, threshold);
        Err(Refusal::new("it is not known here who waits for what"))
    }

    /// Takes a [`wait`](Self::wait) back. Hosts whose scripts end with them need not care.
    fn cancel(&mut self, _wait: TriggerId) {}

    /// Asks for [`HostEvent::Changed`] at every change from now on.
    ///
    /// # Errors
    /// A node that is down.
    fn watch(&mut self, node: usize, variable: Handle) -> Result<TriggerId, Refusal>;

    /// Asks for one [`HostEvent::Due`] in the whole cluster when the variable has reached the threshold. `identity` is the
    /// same for the same enforcement, wherever and however often it is asked for.
    ///
    /// # Errors
    /// A threshold that the type does not offer, or a host that enforces nothing.
    fn enforce_once(
        &mut self,
        node: usize,
        variable: Handle,
        threshold: Threshold,
        identity: u64,
    ) -> Result<TriggerId, Refusal> {
        let _ = (node, variable, threshold, identity);
        Err(Refusal::new("nothing can be enforced here"))
    }

    /// The action of an enforcement begins at `node`: until [`end_once`](Self::end_once), what is updated there is updated
    /// on its behalf, so that another node which runs it too makes the same of it.
    fn begin_once(&mut self, node: usize, id: TriggerId) {
        let _ = (node, id);
    }

    /// The action has ended, well or not.
    fn end_once(&mut self, node: usize, id: TriggerId) {
        let _ = (node, id);
    }

    /// A number that stands for a variable in the identity of what depends on it: the same for the same variable in
    /// another version of the program.
    fn identity_of(&self, variable: Handle) -> u64 {
        u64::from(variable.0)
    }

    /// What `node` hears: everything whose name matches one of `patterns`; `None` for all.
    ///
    /// # Errors
    /// A pattern that cannot be heard.
    fn interests(&mut self, node: usize, patterns: Option<&[String]>) -> Result<(), Refusal>;

    /// Disturbs the cluster.
    ///
    /// # Errors
    /// Nodes that do not exist, are down, or are up.
    fn fault(&mut self, fault: &Fault) -> Result<(), Refusal>;

    /// The next event that happened already.
    fn poll(&mut self) -> Option<HostEvent>;

    /// Lets time pass until there are events, or the deadline, or (without one) nothing is in flight. Time is virtual, unless
    /// the host says otherwise.
    fn advance(&mut self, deadline_ms: Option<u64>) -> Progress;

    /// Lets time pass until there are events; [`Progress::Quiet`] where none can come any more. Where time is real, others
    /// may always make some: then this waits for as long as nobody interrupts it.
    fn await_events(&mut self) -> Progress {
        self.advance(None)
    }

    /// Hands over the flag at which [`Host::advance`] stops. A host where time never takes long may ignore it.
    fn interruptible(&mut self, _interrupt: Interrupt) {}

    /// The host's clock in milliseconds.
    fn now_ms(&self) -> u64;

    /// The names of the replicated variables on which two nodes that should agree do not, ascending.
    fn divergence(&mut self) -> Vec<String>;
}
