//! Views: derivations whose results stay on this node, kept up to date at the cost of each change.
//!
//! A view is a function of the *values* of its inputs, so its node counts, for each member, how many reasons there are for it,
//! and needs no provenance: counting is the classic way to maintain such views (Gupta, Mumick and Subrahmanian, SIGMOD'93), and
//! counts form a relation over the integers (Budiu et al., "DBSP", VLDB'23). What must travel and merge with what other nodes
//! derive is computed with provenance instead: see [`operators`](crate::operators).
//!
//! [`logical`] is what the program asked for, with equal views shared. Nothing is computed until somebody reads, watches or
//! waits; then [`build`] makes [`node`]s: chains of `map`, `filter` and `flat_map` become one, filters over products joins.
//! Changes then travel through the nodes by rank, each node once in a step. The nodes know variables as [`Sources`] only.

mod aggregate;
mod bag;
mod build;
mod chain;
mod change;
mod difference;
mod fold;
mod group;
mod intersection;
mod join;
mod logical;
mod node;
mod plan;
mod product;
mod reading;
mod sides;
mod union;

pub(crate) use aggregate::is_unset;
pub(crate) use change::{Change, Failure};
pub(crate) use logical::{Input, Shape, View};
pub use plan::{Plan, PlanInput, PlanNode, PlanView};

use crate::name::VarId;
use crate::operator::{Facet, Operator};
use crate::operators::Side;
use crate::output::Output;
use crate::threshold::{Level, Threshold};
use crate::value::Value;
use bag::Bag;
use change::Emitter;
use hashbrown::{HashMap, HashTable};
use lasp_crdt::fingerprint::{StableHasher, hash};
use logical::Key;
use node::{Kind, Node};
use reading::Reading;
use smallvec::SmallVec;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::hash::BuildHasherDefault;

/// A view, as a program wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ViewId(u32);

/// A node that computes one view or several at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(u32);

/// Where a node's input comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    /// A part of a variable.
    Members(VarId, Facet),
    /// The value of a variable.
    Value(VarId),
    Node(NodeId),
}

/// A node that takes what happens to a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tap {
    pub(crate) node: NodeId,
    pub(crate) side: Side,
    /// The part that it takes; `None` for the value.
    pub(crate) facet: Option<Facet>,
}

/// Variables, as views see them.
pub(crate) trait Sources {
    /// Calls `each` with every member of a part of a variable.
    fn for_each_member(&self, var: VarId, facet: Facet, each: &mut dyn FnMut(Value));

    /// The value of a variable that is no collection.
    fn value(&self, var: VarId) -> Value;

    fn is_met(&self, var: VarId, threshold: &Threshold) -> bool;

    fn rank(&self, var: VarId) -> u32;

    /// From now on, what happens to the variable is [pushed](Views::push) to the node.
    fn attach(&mut self, var: VarId, tap: Tap);

    fn detach(&mut self, var: VarId, node: NodeId);
}

/// A map whose order never shows.
type Table<V> = HashMap<Value, V, BuildHasherDefault<StableHasher>>;

/// Gives memory back when most of it lies idle; rarely enough that it costs O(1) a removal.
fn shrink<V>(table: &mut Table<V>) {
    if table.capacity() > 64 && table.len() < table.capacity() / 8 {
        table.shrink_to(table.len() * 2);
    }
}

/// The same for a table of members.
fn shrink_members<T>(table: &mut HashTable<(Value, T)>) {
    if table.capacity() > 64 && table.len() < table.capacity() / 8 {
        table.shrink_to(table.len() * 2, |(held, _)| hash(held));
    }
}

/// What is kept of the input on `side`, then of the other.
fn seen_from<T>(side: Side, [left, right]: &mut [T; 2]) -> (&mut T, &mut T) {
    match side {
        Side::Left => (left, right),
        Side::Right => (right, left),
    }
}

/// A pair in the order of the inputs, where `mine` is of the input on `side`.
fn pair(side: Side, mine: &Value, other: &Value) -> Value {
    match side {
        Side::Left => Value::pair(mine.clone(), other.clone()),
        Side::Right => Value::pair(other.clone(), mine.clone()),
    }
}

/// All views of a graph, and the nodes that compute those in use.
#[derive(Default)]
pub(crate) struct Views {
    views: BTreeMap<ViewId, View>,
    keys: BTreeMap<Key, ViewId>,
    next_view: u32,
    /// How many views are made of each variable.
    readers: BTreeMap<VarId, u32>,
    nodes: Vec<Option<Box<Node>>>,
    free: Vec<u32>,
    queue: BinaryHeap<Reverse<(u32, NodeId)>>,
    /// Reused from node to node.
    emitter: Emitter,
    told: Vec<Change>,
}

/// What came of a node's run.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The view that the node computes, if it is one.
    pub(crate) view: Option<ViewId>,
    /// Whether its value is another now; found out only where somebody watches.
    pub(crate) changed: bool,
    /// The members that came, of a map their keys; noted only where somebody waits for members.
    pub(crate) came: Option<Vec<Value>>,
    pub(crate) failures: Vec<Failure>,
}

impl std::fmt::Debug for Views {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Views({} views, {} nodes)", self.views.len(), self.nodes.len() - self.free.len())
    }
}

// ---- views ----

impl Views {
    /// The view of an operator on these inputs, with one more user; an equal one is the same.
    pub(crate) fn add(&mut self, operator: Operator, inputs: &[Input], shape: Shape) -> ViewId {
        let key = Key::of(&operator, inputs);
        let id = match self.keys.get(&key) {
            Some(&id) => id,
            None => self.insert(operator, inputs, shape, key),
        };
        self.view_mut(id).users += 1;
        id
    }

    fn insert(&mut self, operator: Operator, inputs: &[Input], shape: Shape, key: Key) -> ViewId {
        let id = ViewId(self.next_view);
        self.next_view += 1;
        for input in inputs {
            match input {
                Input::View(input) => self.view_mut(*input).users += 1,
                Input::Var(var) => *self.readers.entry(*var).or_default() += 1,
            }
        }
        self.keys.insert(key.clone(), id);
        let inputs = inputs.iter().copied().collect();
        self.views.insert(id, View { operator, inputs, shape, key, users: 0, node: None, vars: SmallVec::new() });
        id
    }

    /// Takes a user off a view; views that nobody uses any more are gone, and so on upwards.
    pub(crate) fn release(&mut self, view: ViewId) {
        let mut open = vec![view];
        while let Some(id) = open.pop() {
            let view = self.view_mut(id);
            view.users -= 1;
            if view.users == 0 {
                debug_assert!(view.node.is_none(), "a node's view is used as long as the node is");
                if let Some(view) = self.views.remove(&id) {
                    self.keys.remove(&view.key);
                    for input in view.inputs {
                        match input {
                            Input::View(input) => open.push(input),
                            Input::Var(var) => self.drop_reader(var),
                        }
                    }
                }
            }
        }
    }

    fn drop_reader(&mut self, var: VarId) {
        if let Some(readers) = self.readers.get_mut(&var) {
            *readers -= 1;
            if *readers == 0 {
                self.readers.remove(&var);
            }
        }
    }

    /// Whether some view is made of a variable.
    pub(crate) fn reads(&self, var: VarId) -> bool {
        self.readers.contains_key(&var)
    }

    /// Adds a user to a view.
    pub(crate) fn use_again(&mut self, view: ViewId) {
        self.view_mut(view).users += 1;
    }

    pub(crate) fn view(&self, id: ViewId) -> &View {
        &self.views[&id]
    }

    pub(crate) fn view_mut(&mut self, id: ViewId) -> &mut View {
        self.views.get_mut(&id).expect(USED)
    }

    fn node(&self, id: NodeId) -> &Node {
        self.nodes[id.0 as usize].as_ref().expect(USED)
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node {
        self.nodes[id.0 as usize].as_mut().expect(USED)
    }
}

const USED: &str = "what is referred to is there";

// ---- reading ----

impl Views {
    /// The node of a view in demand.
    fn read_from(&self, view: ViewId) -> Option<&Node> {
        self.view(view).node.map(|node| self.node(node))
    }

    /// The value of a view in demand. Cost: its size, and n·log n for the order.
    pub(crate) fn read(&self, view: ViewId) -> Output {
        let is_scalar = !self.view(view).shape.is_collection();
        self.read_from(view).map_or(Output::Unset, |node| node.read(is_scalar))
    }

    /// How many members a collection in demand has.
    pub(crate) fn cardinality(&self, view: ViewId) -> Option<usize> {
        let is_collection = self.view(view).shape.is_collection();
        self.read_from(view).filter(|_| is_collection).map(Node::cardinality)
    }

    /// Whether a collection in demand has this member, or a map this key.
    pub(crate) fn contains(&self, view: ViewId, member: &Value) -> bool {
        let is_collection = self.view(view).shape.is_collection();
        is_collection && self.read_from(view).is_some_and(|node| node.contains(member))
    }

    /// The one value of a scalar in demand; none of collections.
    pub(crate) fn scalar(&self, view: ViewId) -> Option<&Value> {
        let is_collection = self.view(view).shape.is_collection();
        self.read_from(view).filter(|_| !is_collection).and_then(Node::scalar)
    }

    /// Whether changes of the view's value are to be found out.
    pub(crate) fn set_watched(&mut self, view: ViewId, is_watched: bool) {
        if let Some(node) = self.view(view).node {
            self.node_mut(node).is_watched = is_watched;
        }
    }

    /// The number that a view in demand is measured by.
    pub(crate) fn level(&self, view: ViewId) -> Option<Level> {
        self.read_from(view).and_then(|node| Reading { node, shape: self.view(view).shape }.level())
    }

    /// Whether the members that come are to be noted.
    pub(crate) fn set_awaited(&mut self, view: ViewId, is_awaited: bool) {
        if let Some(node) = self.view(view).node {
            self.node_mut(node).is_awaited = is_awaited;
        }
    }

    /// Whether a view in demand has come so far.
    pub(crate) fn is_met(&self, view: ViewId, threshold: &Threshold) -> bool {
        self.read_from(view).is_some_and(|node| threshold.is_met_by(&Reading { node, shape: self.view(view).shape }))
    }
}

// ---- changes ----

impl Views {
    /// Something happened to an input of a node, which will run in its turn.
    pub(crate) fn push(&mut self, node: NodeId, side: Side, change: Change) {
        let held = self.node_mut(node);
        held.pending[side as usize].push(change);
        self.enqueue(node);
    }

    /// The value that a node shows may be another.
    pub(crate) fn touch(&mut self, node: NodeId) {
        self.enqueue(node);
    }

    fn enqueue(&mut self, id: NodeId) {
        let node = self.node_mut(id);
        if !node.is_queued {
            node.is_queued = true;
            let rank = node.rank;
            self.queue.push(Reverse((rank, id)));
        }
    }

    /// The rank of the node that runs next.
    pub(crate) fn next_rank(&self) -> Option<u32> {
        self.queue.peek().map(|Reverse((rank, _))| *rank)
    }

    /// Runs the next node on what happened to its inputs.
    pub(crate) fn run_next(&mut self, sources: &dyn Sources) -> Option<Ran> {
        let Reverse((_, id)) = self.queue.pop()?;
        let mut node = self.nodes[id.0 as usize].take().expect(USED);
        node.is_queued = false;
        let mut out = std::mem::take(&mut self.emitter);
        self.draw(&mut node, sources, &mut out);
        let mut told = std::mem::take(&mut self.told);
        let is_heard = node.is_watched || node.is_awaited || node.consumers.iter().any(|consumer| consumer.distinct);
        keep(&mut node.store, &out.changes, is_heard.then_some(&mut told));
        let is_told = node.store.is_some();
        let is_scalar = node.view.is_some_and(|view| !self.view(view).shape.is_collection());
        let changed = node.is_watched && differs(if is_told { &told } else { &out.changes }, is_scalar);
        let came = node.is_awaited.then(|| came(&node, if is_told { &told } else { &out.changes }));
        for consumer in &node.consumers {
            let changes = if consumer.distinct && is_told { &told } else { &out.changes };
            if !changes.is_empty() {
                self.node_mut(consumer.node).pending[consumer.side as usize].extend_from_slice(changes);
                self.enqueue(consumer.node);
            }
        }
        let mut failures = std::mem::take(&mut out.failures);
        failures.iter_mut().for_each(|failure| failure.view = failure.view.or(node.view));
        let ran = Ran { view: node.view, changed, came, failures };
        self.nodes[id.0 as usize] = Some(node);
        recycle(&mut told);
        recycle(&mut out.changes);
        (self.told, self.emitter) = (told, out);
        Some(ran)
    }

    fn draw(&self, node: &mut Node, sources: &dyn Sources, out: &mut Emitter) {
        for side in [Side::Left, Side::Right] {
            let mut changes = std::mem::take(&mut node.pending[side as usize]);
            if !changes.is_empty() {
                node.kind.run(side, &changes, out);
                recycle(&mut changes);
                node.pending[side as usize] = changes;
            }
        }
        match (&node.kind, node.inputs.first()) {
            (Kind::Scalar(_), Some(Port::Value(var))) => node.kind.set_scalar(sources.value(*var), out),
            (Kind::Reached(threshold, _), Some(&port)) => {
                let is_met = self.has_reached(port, threshold, sources);
                node.kind.set_reached(is_met, out);
            }
            _ => {}
        }
    }

    fn has_reached(&self, port: Port, threshold: &Threshold, sources: &dyn Sources) -> bool {
        match port {
            Port::Members(var, _) | Port::Value(var) => sources.is_met(var, threshold),
            Port::Node(input) => {
                let node = self.node(input);
                let shape = node.view.map_or(Shape::Scalar, |view| self.view(view).shape);
                threshold.is_met_by(&Reading { node, shape })
            }
        }
    }

    /// A node follows from something of rank `above`: it and all that follows from it rank higher. Gives the views whose
    /// ranks that are.
    pub(crate) fn raise_rank(&mut self, node: NodeId, above: u32) -> Vec<(ViewId, u32)> {
        let mut raised = Vec::new();
        let mut open = vec![(node, above)];
        while let Some((id, above)) = open.pop() {
            let node = self.node_mut(id);
            if node.rank <= above {
                node.rank = above + 1;
                let rank = node.rank;
                raised.extend(node.view.map(|view| (view, rank)));
                open.extend(node.consumers.iter().map(|consumer| (consumer.node, rank)));
            }
        }
        raised
    }

    /// The rank of a view in demand.
    pub(crate) fn rank(&self, view: ViewId) -> Option<u32> {
        self.read_from(view).map(|node| node.rank)
    }
}

/// Puts changes into a store, and says in `told` which members came and went by that.
fn keep(store: &mut Option<Bag>, changes: &[Change], mut told: Option<&mut Vec<Change>>) {
    let Some(store) = store else { return };
    if changes.len() > 64 {
        store.reserve(changes.len() / 2);
    }
    for change in changes {
        let weight = store.add(&change.member, change.weight).weight();
        if let (Some(told), true) = (told.as_deref_mut(), weight != 0) {
            told.push(Change::new(change.member.clone(), weight));
        }
    }
}

/// The members that came, of a map their keys.
fn came(node: &Node, changes: &[Change]) -> Vec<Value> {
    let came = changes.iter().filter(|change| change.weight > 0).map(|change| &change.member);
    let is_map = matches!(node.kind, Kind::Group(_));
    came.map(|member| match member {
        Value::Tuple(entry) if is_map => entry[0].clone(),
        member => member.clone(),
    })
    .collect()
}

/// Whether changes leave anything else than there was. A scalar that is `undefined` shows what one without a value shows.
fn differs(changes: &[Change], is_scalar: bool) -> bool {
    let shows = |change: &&Change| !is_scalar || !is_unset(&change.member);
    if let [one] = changes {
        return one.weight != 0 && shows(&one);
    }
    let mut sums: BTreeMap<&Value, i64> = BTreeMap::new();
    for change in changes.iter().filter(shows) {
        *sums.entry(&change.member).or_default() += change.weight;
    }
    sums.values().any(|&sum| sum != 0)
}

/// Empties a buffer for its next use; one that grew very large is given back.
fn recycle(buffer: &mut Vec<Change>) {
    const KEPT: usize = 1024;
    buffer.clear();
    buffer.shrink_to(KEPT);
}
