//! [`Lasp`]: a node, as a program sees it.

use super::Element;
use super::ask::{Ask, Watch, done, mismatch, output, truth};
use super::condition::{Condition, Met};
use super::kind::{Causal, Kind};
use super::life::Anchor;
use super::variable::Var;
use super::{
    AwGraph, AwMap, BCounter, DwFlag, EwFlag, Flag, GCounter, GGraph, GMap, GSet, IVar, LexCounter, Max, Min, MvMap,
    MvRegister, Pair, PnCounter, Register, RwSet, Set, Summary, TwoPGraph, TwoPSet,
};
use crate::epmd::{Counts, EpmdStats};
use crate::error::{Error, Stop};
use crate::host::failures::Failures;
use crate::host::port::{Answer, Port};
use crate::transport::TransportStats;
use lasp_dataflow::{Name, Op, Operator, Output, Target, Threshold, Type, Value, VarId};
use lasp_node::{Acknowledgement, Interests, Metrics, Node, ProgramInfo, Reply, Request, RequestId};
use lasp_overlay::membership::Standing;
use lasp_overlay::{Addr, Contact, PeerId, Time};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A handle to a node. Cheap to clone; when the last one is gone, the node leaves the cluster and stops.
///
/// It works wherever a [`Host`](crate::host::Host) serves the node: over sockets or in virtual time. No method needs
/// a particular executor.
#[derive(Clone, Debug)]
pub struct Lasp(Arc<Handle>);

#[derive(Debug)]
struct Handle {
    port: Arc<Port>,
    /// Whether the node runs on without this handle.
    guest: bool,
}

impl Drop for Handle {
    fn drop(&mut self) {
        if !self.guest {
            self.port.stop();
        }
    }
}

/// Who is in the cluster, as one node knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members {
    /// The node asked.
    pub me: Contact,
    /// Its neighbours in the overlay.
    pub active: Vec<Contact>,
    /// Others that it knows of.
    pub passive: Vec<Contact>,
    /// The other members, and how it stands with them: all of them where the membership strategy knows all, else those in
    /// its views.
    pub members: Vec<(Contact, Standing)>,
    /// The members that are thought to be there just now.
    pub reachable: Vec<Contact>,
}

/// A program that was installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its name.
    pub name: Name,
    /// Which of those that were installed under this name; grows.
    pub version: u64,
}

/// A node at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The node.
    pub me: Contact,
    /// Its neighbours in the overlay.
    pub active: Vec<Contact>,
    /// Others that it knows of.
    pub passive: Vec<Contact>,
    /// What it counted.
    pub metrics: Metrics,
    /// Equal for nodes with equal variables.
    pub fingerprint: u64,
    /// Whether nothing is under way there.
    pub quiescent: bool,
}

impl Lasp {
    pub(crate) fn new(port: Arc<Port>) -> Self {
        Self(Arc::new(Handle { port, guest: false }))
    }

    /// A handle that keeps no node running: once all others are gone, it is of no more use.
    pub(crate) fn guest(&self) -> Self {
        Self(Arc::new(Handle { port: self.0.port.clone(), guest: true }))
    }

    pub(crate) fn port(&self) -> &Port {
        &self.0.port
    }

    /// Asks the node anything.
    pub(crate) fn request(&self, request: Request) -> Ask<Reply> {
        Ask::request(self, request, |_, _, answer| match answer {
            Answer::Reply(reply) => Ok(reply),
            seen => Err(mismatch(&seen)),
        })
    }

    /// What derivations at this node fail on from now on.
    pub(crate) fn failures(&self) -> Arc<Failures> {
        self.port().failures()
    }

    // ---- typed variables ----

    /// The variable of this name, which holds what the kind says; declares it where it is new.
    pub fn variable<K: Kind>(&self, name: &str) -> Ask<Var<K>> {
        self.declare_kind(name, false)
    }

    /// The same, but it never leaves this node (Lasp's dynamic variables): for what is this node's own, or to be derived
    /// from there.
    pub fn local<K: Kind>(&self, name: &str) -> Ask<Var<K>> {
        self.declare_kind(name, true)
    }

    fn declare_kind<K: Kind>(&self, name: &str, local: bool) -> Ask<Var<K>> {
        match Name::new(name) {
            Ok(name) => {
                let request = Request::Declare { name: Some(name), ty: K::ty(), local };
                Ask::request(self, request, |anchor, id, answer| {
                    Ok(Var::new(anchor.lasp(), declared(anchor, id, answer)?))
                })
            }
            Err(error) => Ask::failed(self, error),
        }
    }

    /// An add-wins set: elements come and go; an addition wins over a concurrent removal.
    pub fn set<T: Element>(&self, name: &str) -> Ask<Set<T>> {
        self.variable(name)
    }

    /// A grow-only set.
    pub fn gset<T: Element>(&self, name: &str) -> Ask<GSet<T>> {
        self.variable(name)
    }

    /// A grow-only counter.
    pub fn gcounter(&self, name: &str) -> Ask<GCounter> {
        self.variable(name)
    }

    /// A counter that goes both ways.
    pub fn pncounter(&self, name: &str) -> Ask<PnCounter> {
        self.variable(name)
    }

    /// A register that keeps the greatest value written.
    pub fn max<T: Element>(&self, name: &str) -> Ask<Max<T>> {
        self.variable(name)
    }

    /// A register that keeps the least value written.
    pub fn min<T: Element>(&self, name: &str) -> Ask<Min<T>> {
        self.variable(name)
    }

    /// A flag that can only be raised.
    pub fn flag(&self, name: &str) -> Ask<Flag> {
        self.variable(name)
    }

    /// A register that is set once.
    pub fn ivar<T: Element>(&self, name: &str) -> Ask<IVar<T>> {
        self.variable(name)
    }

    /// A register that keeps the last write, by wall-clock time.
    pub fn register<T: Element>(&self, name: &str) -> Ask<Register<T>> {
        self.variable(name)
    }

    /// What a fold comes to, for nodes that do not hold what is folded.
    pub fn summary<T: Element>(&self, name: &str) -> Ask<Summary<T>> {
        self.variable(name)
    }

    /// A grow-only map to variables of one kind.
    pub fn gmap<K: Element, V: Kind>(&self, name: &str) -> Ask<GMap<K, V>> {
        self.variable(name)
    }

    /// Two variables side by side.
    pub fn pair<A: Kind, B: Kind>(&self, name: &str) -> Ask<Pair<A, B>> {
        self.variable(name)
    }

    /// A set whose elements, once removed, never come back.
    pub fn twopset<T: Element>(&self, name: &str) -> Ask<TwoPSet<T>> {
        self.variable(name)
    }

    /// A set of which a removal wins over a concurrent addition.
    pub fn rwset<T: Element>(&self, name: &str) -> Ask<RwSet<T>> {
        self.variable(name)
    }

    /// A counter that goes both ways, one number for each replica.
    pub fn lexcounter(&self, name: &str) -> Ask<LexCounter> {
        self.variable(name)
    }

    /// A counter that never goes below zero.
    pub fn bcounter(&self, name: &str) -> Ask<BCounter> {
        self.variable(name)
    }

    /// A flag, at first disabled, of which a concurrent enabling wins.
    pub fn ewflag(&self, name: &str) -> Ask<EwFlag> {
        self.variable(name)
    }

    /// A flag, at first enabled, of which a concurrent disabling wins.
    pub fn dwflag(&self, name: &str) -> Ask<DwFlag> {
        self.variable(name)
    }

    /// A register that keeps concurrent writes side by side.
    pub fn mvregister<T: Element>(&self, name: &str) -> Ask<MvRegister<T>> {
        self.variable(name)
    }

    /// A map whose keys can be removed, to variables of one causal kind.
    pub fn awmap<K: Element, V: Causal>(&self, name: &str) -> Ask<AwMap<K, V>> {
        self.variable(name)
    }

    /// A map whose keys can be removed, to all that was concurrently written under each.
    pub fn mvmap<K: Element, T: Element>(&self, name: &str) -> Ask<MvMap<K, T>> {
        self.variable(name)
    }

    /// A grow-only graph.
    pub fn ggraph<V: Element>(&self, name: &str) -> Ask<GGraph<V>> {
        self.variable(name)
    }

    /// A graph whose vertices and edges, once removed, never come back.
    pub fn twopgraph<V: Element>(&self, name: &str) -> Ask<TwoPGraph<V>> {
        self.variable(name)
    }

    /// An add-wins graph.
    pub fn awgraph<V: Element>(&self, name: &str) -> Ask<AwGraph<V>> {
        self.variable(name)
    }

    // ---- untyped variables ----

    /// Declares a variable; again with the same type, the same variable.
    pub fn declare(&self, name: &str, ty: Type) -> Ask<VarId> {
        match Name::new(name) {
            Ok(name) => Ask::request(self, Request::Declare { name: Some(name), ty, local: false }, declared),
            Err(error) => Ask::failed(self, error),
        }
    }

    /// Declares a variable to write it without hearing it, where the node's interests do not cover it. Only what is written
    /// here is kept, and an operation sees no more than that.
    pub fn declare_unheard(&self, name: &str, ty: Type) -> Ask<VarId> {
        match Name::new(name) {
            Ok(name) => Ask::request(self, Request::DeclareUnheard { name, ty }, declared),
            Err(error) => Ask::failed(self, error),
        }
    }

    /// Declares a variable under a fresh name.
    pub fn declare_fresh(&self, ty: Type) -> Ask<VarId> {
        Ask::request(self, Request::Declare { name: None, ty, local: false }, declared)
    }

    /// Declares a variable that never leaves this node.
    pub fn declare_local(&self, name: &str, ty: Type) -> Ask<VarId> {
        match Name::new(name) {
            Ok(name) => Ask::request(self, Request::Declare { name: Some(name), ty, local: true }, declared),
            Err(error) => Ask::failed(self, error),
        }
    }

    /// Applies an operation; done once it is applied here, on its way to the others by then.
    pub fn update(&self, var: VarId, op: Op) -> Ask<()> {
        Ask::request(self, Request::Update { var, op }, done)
    }

    /// Applies an operation, and waits until so many other nodes hold it in memory, or the time is over: who holds it then.
    /// In either case it is applied, and on its way to the others; see [`Var::acknowledged_by`].
    pub fn update_acknowledged(&self, var: VarId, op: Op, nodes: usize, within: Duration) -> Ask<Acknowledgement> {
        let request = Request::UpdateAcknowledged { var, op, by: nodes, within, session: None };
        Ask::request(self, request, |_, _, answer| acknowledgement(answer))
    }

    /// The same; an error where too few hold it in time.
    pub(super) fn assured(&self, var: VarId, op: Op, nodes: usize, within: Duration) -> Ask<()> {
        let request = Request::UpdateAcknowledged { var, op, by: nodes, within, session: None };
        Ask::request(self, request, |_, _, answer| match acknowledgement(answer)? {
            enough if enough.is_enough() => Ok(()),
            few => Err(Error::Unacknowledged(few)),
        })
    }

    /// Merges a value in; whether the variable grew.
    pub fn bind(&self, var: VarId, value: Value) -> Ask<bool> {
        Ask::request(self, Request::Bind { var, value }, truth)
    }

    /// Merges all of `from`, now and later, into `into`.
    pub fn bind_to(&self, into: VarId, from: VarId) -> Ask<()> {
        Ask::request(self, Request::BindTo { into, from }, done)
    }

    /// Adds a derivation; its output variable.
    pub fn derive(&self, operator: Operator, inputs: Vec<VarId>, into: Target) -> Ask<VarId> {
        Ask::request(self, Request::Derive { operator, inputs, into }, declared)
    }

    /// The current value.
    pub fn query(&self, var: VarId) -> Ask<Output> {
        Ask::request(self, Request::Query(var), output)
    }

    /// Whether a collection holds a value. Cheaper than a query of it all.
    pub fn contains(&self, var: VarId, value: Value) -> Ask<bool> {
        Ask::request(self, Request::Contains(var, value), truth)
    }

    /// Waits until the variable has reached the threshold; its value then.
    pub fn read(&self, var: VarId, threshold: Threshold) -> Ask<Output> {
        Ask::request(self, Request::Read { var, threshold }, output)
    }

    /// Waits until one of several conditions is met; the first that is.
    ///
    /// ```
    /// use lasp::AtLeast;
    ///
    /// # async fn example(lasp: lasp::Lasp, views: lasp::GCounter, stop: lasp::Flag) -> Result<(), lasp::Error> {
    /// let met = lasp.read_any([views.at(AtLeast(50_000)), stop.at(lasp::Reaches(true))]).await?;
    /// println!("{}", ["sold out", "stopped"][met.index]);
    /// # Ok(()) }
    /// ```
    pub fn read_any(&self, conditions: impl IntoIterator<Item = Condition>) -> Ask<Met> {
        let mut anchor = Anchor::new(self);
        let mut wanted = Vec::new();
        for condition in conditions {
            anchor = anchor.and(&condition.anchor);
            match condition.wanted {
                Ok(one) => wanted.push(one),
                Err(error) => return Ask::failed(self, error),
            }
        }
        Ask::anchored(anchor, Request::ReadAny(wanted), |_, _, answer| match answer {
            Answer::Reply(Reply::Any { index, output }) => Ok(Met { index, output }),
            other => Err(mismatch(&other)),
        })
    }

    /// Waits until somebody reads the variable, or waits for it to come at least so far.
    pub fn wait_needed(&self, var: VarId, threshold: Threshold) -> Ask<()> {
        Ask::request(self, Request::WaitNeeded { var, threshold }, done)
    }

    /// Follows a variable.
    pub fn watch(&self, var: VarId) -> Ask<Watch> {
        Ask::request(self, Request::Watch(var), |anchor, id, answer| {
            Watch::started(anchor, id, answer, |output| Ok(output.clone()))
        })
    }

    /// Follows a variable without its value: whether it has changed since the last time. That costs the node nothing, however
    /// large the value is; [`query`](Self::query) gives it when there is time for it.
    pub fn notice(&self, var: VarId) -> Ask<Watch<()>> {
        Ask::request(self, Request::Notice(var), Watch::noticing)
    }

    /// Forgets a variable at this node; see [`Var::undeclare`].
    pub fn undeclare(&self, var: VarId) -> Ask<()> {
        Ask::request(self, Request::Undeclare(var), done)
    }

    // ---- programs ----

    /// Installs a program in the cluster, in place of an earlier one of this name: done once it runs here, if this node
    /// is interested in it, and is on its way to the others. A program that cannot be installed is refused with its
    /// diagnostics, before it spreads.
    pub fn install(&self, name: &str, source: impl Into<Arc<str>>) -> Ask<Installed> {
        match Name::new(name) {
            Ok(name) => {
                let request = Request::Install { name: Some(name), source: source.into() };
                Ask::request(self, request, |_, _, answer| match answer {
                    Answer::Reply(Reply::Installed { name, version }) => Ok(Installed { name, version }),
                    other => Err(mismatch(&other)),
                })
            }
            Err(error) => Ask::failed(self, error),
        }
    }

    /// Removes an installed program from the cluster. What it derived into replicated variables stays in them.
    pub fn uninstall(&self, name: &str) -> Ask<()> {
        match Name::new(name) {
            Ok(name) => Ask::request(self, Request::Uninstall { name }, done),
            Err(error) => Ask::failed(self, error),
        }
    }

    /// Which programs are installed, by name, and what has become of them at this node.
    pub fn programs(&self) -> Ask<Vec<ProgramInfo>> {
        Ask::request(self, Request::Programs, |_, _, answer| match answer {
            Answer::Reply(Reply::Programs(programs)) => Ok(programs),
            other => Err(mismatch(&other)),
        })
    }

    // ---- the node ----

    /// Replaces what this node wants to hear.
    pub fn interested(&self, interests: Interests) -> Ask<()> {
        Ask::request(self, Request::Interests(interests), done)
    }

    /// Who is in the cluster, as this node knows it.
    pub fn members(&self) -> Ask<Members> {
        Ask::request(self, Request::Members, |_, _, answer| match answer {
            Answer::Reply(Reply::Members { me, active, passive, members, reachable }) => {
                Ok(Members { me, active, passive, members, reachable })
            }
            other => Err(mismatch(&other)),
        })
    }

    /// Removes a member of the cluster for good: one that is gone and did not say so, for instance. It may come back in
    /// another life, or if it is told to join.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is no such member, or where the membership strategy knows no such thing.
    pub fn evict(&self, peer: PeerId) -> Ask<()> {
        Ask::request(self, Request::Evict(peer), done)
    }

    /// Keeps a link to whoever listens at an address, for ever; for the membership strategy `manual`.
    ///
    /// # Errors
    /// [`Error::Refused`] where another strategy decides on links.
    pub fn connect(&self, addr: Addr) -> Ask<()> {
        Ask::request(self, Request::Connect(addr), done)
    }

    /// Ends that, and the link.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn disconnect(&self, addr: Addr) -> Ask<()> {
        Ask::request(self, Request::Disconnect(addr), done)
    }

    /// Looks at the node where it is, after everything that was asked before. The closure should be quick: the node
    /// waits for it.
    pub fn inspect<T: Send + 'static>(&self, look: impl FnOnce(&Node) -> T + Send + 'static) -> Ask<T> {
        Ask::look(self, look)
    }

    /// The node's state of affairs.
    pub fn status(&self) -> Ask<Status> {
        self.inspect(|node| Status {
            me: node.contact().clone(),
            active: node.active_view(),
            passive: node.passive_view(),
            metrics: node.metrics().clone(),
            fingerprint: node.fingerprint(),
            quiescent: node.is_quiescent(),
        })
    }

    /// What the node counted.
    pub fn metrics(&self) -> Ask<Metrics> {
        self.inspect(|node| node.metrics().clone())
    }

    /// What the transport counted; `None` where the host has no sockets.
    pub fn transport_stats(&self) -> Option<TransportStats> {
        self.port().transport_stats()
    }

    pub(crate) fn set_transport_stats(&self, stats: Arc<Mutex<TransportStats>>) {
        self.port().set_transport_stats(stats);
    }

    /// What was counted of dealings with port mapper daemons; `None` where membership is not by epmd.
    pub fn epmd_stats(&self) -> Option<EpmdStats> {
        self.port().epmd_stats()
    }

    pub(crate) fn set_epmd_counts(&self, counts: Counts) {
        self.port().set_epmd_counts(counts);
    }

    /// The node's name; `None` where its host gave it none.
    pub fn name(&self) -> Option<&str> {
        self.port().name()
    }

    pub(crate) fn set_name(&self, name: String) {
        self.port().set_name(name);
    }

    /// Where the node serves its live view over HTTP; `None` where it does not.
    pub fn http(&self) -> Option<SocketAddr> {
        self.port().http()
    }

    pub(crate) fn set_http(&self, addr: SocketAddr) {
        self.port().set_http(addr);
    }

    /// This node, as others know it.
    pub fn me(&self) -> Ask<Contact> {
        self.inspect(|node| node.contact().clone())
    }

    /// Joins the cluster through whoever listens at these addresses; retried until it succeeds.
    pub fn join(&self, contacts: Vec<Addr>) {
        self.port().join(contacts);
    }

    /// Waits until the node has a neighbour in the overlay.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn joined(&self) -> Result<(), Error> {
        poll_fn(|cx| self.port().poll_joined(cx)).await
    }

    /// Leaves the cluster, sends what is to be sent, closes every link; waits until that is done.
    pub async fn shutdown(&self) -> Stop {
        self.port().stop();
        self.stopped().await
    }

    /// Waits until the node has stopped, for whatever reason.
    pub async fn stopped(&self) -> Stop {
        poll_fn(|cx| self.port().poll_stopped(cx)).await
    }

    // ---- time and tasks, wherever the node runs ----

    /// Time since the node's host began, real or virtual.
    pub fn now(&self) -> Time {
        self.port().now()
    }

    /// Waits, in the host's time.
    pub fn sleep(&self, duration: Duration) -> Ask<()> {
        Ask::request(self, Request::Sleep(duration), done)
    }

    /// Runs a future beside the node, on whatever the host runs on.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.port().spawn(Box::pin(work));
    }
}

fn acknowledgement(answer: Answer) -> Result<Acknowledgement, Error> {
    match answer {
        Answer::Reply(Reply::Acknowledged { acknowledgement, .. }) => Ok(acknowledgement),
        other => Err(mismatch(&other)),
    }
}

fn declared(_: &Anchor, _: RequestId, answer: Answer) -> Result<VarId, Error> {
    match answer {
        Answer::Reply(Reply::Var(var)) => Ok(var),
        other => Err(mismatch(&other)),
    }
}
