//! From views to nodes: what is demanded is built, with its inputs first, and taken down when nobody uses it any more.
//!
//! Three rewrites happen here, none of which changes a result. A chain of `map`, `filter` and `flat_map` becomes one node; a view in
//! its middle gets a node of its own only once somebody reads it. A filter that demands equal keys of a product's halves
//! becomes a join. A part of a variable needs no node: its reader takes it from the variable.

use super::bag::Bag;
use super::chain::{self, Does, Stage};
use super::change::{Change, Emitter, Failure};
use super::fold::Fold;
use super::group::Group;
use super::join::Join;
use super::node::{Consumer, Kind, Node};
use super::product::Product;
use super::sides::Sides;
use super::{Input, NodeId, Port, Sources, Tap, USED, ViewId, Views, difference, intersection, keep, logical};
use crate::operator::{EquiJoin, Facet, Operator};
use crate::operators::Side;
use crate::value::Value;
use smallvec::{SmallVec, smallvec};

/// How many nodes without a store may stand in a row: so deep is the recursion that looks through them. A guess.
const MAX_DEPTH: u32 = 64;

/// How many members are fed to a new node at a time.
const LOADED: usize = 4096;

/// What a view is to be built as.
pub(super) enum Blueprint {
    /// A part of a variable as it is.
    Scan,
    /// Stages over one input.
    Chain(Input, Vec<Stage>),
    /// A join that a filter made of a product, and the stages after it.
    Matched(SmallVec<[Input; 2]>, Box<EquiJoin>, Vec<Stage>),
    /// The operator itself.
    Plain(SmallVec<[Input; 2]>),
}

impl Blueprint {
    pub(super) fn inputs(&self) -> &[Input] {
        match self {
            Self::Scan => &[],
            Self::Chain(input, _) => std::slice::from_ref(input),
            Self::Matched(inputs, ..) | Self::Plain(inputs) => inputs,
        }
    }
}

impl Views {
    /// Makes sure that a view is computed, and that it can be read, for one more user. Gives what failed on the way. Cost:
    /// the sizes of what had to be built.
    pub(crate) fn demand(&mut self, view: ViewId, sources: &mut dyn Sources) -> Vec<Failure> {
        let mut failures = Vec::new();
        let node = self.build_all(view, true, sources, &mut failures);
        self.ensure_store(node, sources);
        self.node_mut(node).users += 1;
        failures
    }

    /// Takes back a [`demand`](Self::demand).
    pub(crate) fn undemand(&mut self, view: ViewId, sources: &mut dyn Sources) {
        if let Some(node) = self.view(view).node {
            self.drop_user(node, sources);
        }
    }

    /// What a view would be built as, given the nodes there are.
    pub(super) fn blueprint(&self, id: ViewId) -> Blueprint {
        if logical::facet(&self.view(id).operator).is_some() {
            return Blueprint::Scan;
        }
        let (base, mut stages) = self.contract(id);
        if let (Input::View(base), true) = (base, !stages.is_empty())
            && self.view(base).node.is_none()
            && matches!(self.view(base).operator, Operator::Product)
            && let Some(found) = take_equi_join(&mut stages)
        {
            return Blueprint::Matched(self.view(base).inputs.clone(), Box::new(found), stages);
        }
        if stages.is_empty() { Blueprint::Plain(self.view(id).inputs.clone()) } else { Blueprint::Chain(base, stages) }
    }

    /// The stages that end in a view, as far up as nothing has a node, and what they start from.
    fn contract(&self, id: ViewId) -> (Input, Vec<Stage>) {
        let mut stages = Vec::new();
        let mut at = Input::View(id);
        while let Input::View(id) = at {
            let view = self.view(id);
            if view.node.is_some() && !stages.is_empty() {
                break;
            }
            let (does, function) = match &view.operator {
                Operator::Map(function) => (Does::Map, function),
                Operator::Filter(function) => (Does::Filter, function),
                Operator::FlatMap(function) => (Does::FlatMap, function),
                _ => break,
            };
            stages.push(Stage { does, function: function.clone(), view: id });
            at = view.inputs[0];
        }
        stages.reverse();
        (at, stages)
    }

    /// The node of a view, with a store from the start if it `keeps` one; those it needs are built before it.
    fn build_all(
        &mut self,
        view: ViewId,
        keeps: bool,
        sources: &mut dyn Sources,
        failures: &mut Vec<Failure>,
    ) -> NodeId {
        let mut open = vec![view];
        while let Some(&id) = open.last() {
            if self.view(id).node.is_some() {
                open.pop();
                continue;
            }
            let blueprint = self.blueprint(id);
            let missing = |input: &&Input| match input {
                Input::View(input) => self.needs_node(*input),
                Input::Var(_) => false,
            };
            let missing: Vec<ViewId> = blueprint
                .inputs()
                .iter()
                .filter(missing)
                .filter_map(|input| match input {
                    Input::View(input) => Some(*input),
                    Input::Var(_) => None,
                })
                .collect();
            if missing.is_empty() {
                self.build(id, blueprint, keeps && id == view, sources, failures);
                open.pop();
            } else {
                open.extend(missing);
            }
        }
        self.view(view).node.expect(USED)
    }

    /// Whether a view that is an input has no node and needs one.
    fn needs_node(&self, id: ViewId) -> bool {
        let view = self.view(id);
        view.node.is_none() && logical::facet(&view.operator).is_none()
    }

    fn build(
        &mut self,
        id: ViewId,
        blueprint: Blueprint,
        keeps: bool,
        sources: &mut dyn Sources,
        failures: &mut Vec<Failure>,
    ) {
        let node = match blueprint {
            Blueprint::Scan => {
                let port = self.scanned(id);
                self.place(Kind::Chain(Box::default()), smallvec![port], Some(id), keeps, sources, failures)
            }
            Blueprint::Chain(base, stages) => {
                let port = self.port(base, self.is_scalar_chain(id), sources);
                self.place(Kind::Chain(stages.into()), smallvec![port], Some(id), keeps, sources, failures)
            }
            Blueprint::Matched(inputs, found, stages) => {
                let ports = inputs.iter().map(|input| self.port(*input, false, sources)).collect();
                let join = Kind::Join(Join::new(found.left_key, found.right_key));
                let node = self.place(join, ports, Some(id), keeps && stages.is_empty(), sources, failures);
                if stages.is_empty() {
                    node
                } else {
                    self.place(
                        Kind::Chain(stages.into()),
                        smallvec![Port::Node(node)],
                        Some(id),
                        keeps,
                        sources,
                        failures,
                    )
                }
            }
            Blueprint::Plain(inputs) => self.build_plain(id, &inputs, keeps, sources, failures),
        };
        self.view_mut(id).node = Some(node);
    }

    fn build_plain(
        &mut self,
        id: ViewId,
        inputs: &[Input],
        keeps: bool,
        sources: &mut dyn Sources,
        failures: &mut Vec<Failure>,
    ) -> NodeId {
        let operator = self.view(id).operator.clone();
        let wants_value = matches!(operator, Operator::Reached(_));
        let ports: SmallVec<[Port; 2]> =
            inputs.iter().map(|input| self.input_port(*input, wants_value, sources)).collect();
        let distinct = ports.iter().all(|port| self.is_distinct(*port));
        let kind = match operator {
            Operator::Union => Kind::Union,
            Operator::Intersection => Kind::Intersection(Sides::new(intersection::holds)),
            Operator::Difference => Kind::Difference(Sides::new(difference::holds)),
            Operator::Product => Kind::Product(Product::default()),
            Operator::Join { left_key, right_key } => Kind::Join(Join::new(left_key, right_key)),
            Operator::Fold(aggregate) => Kind::Fold(Fold::new(&aggregate, distinct)),
            Operator::Group { key, aggregate } => Kind::Group(Group::new(key, aggregate, distinct)),
            Operator::Reached(threshold) => Kind::Reached(*threshold, None),
            Operator::Map(_) | Operator::Filter(_) | Operator::FlatMap(_) | Operator::View(_) => {
                unreachable!("these are stages")
            }
        };
        self.place(kind, ports, Some(id), keeps, sources, failures)
    }

    /// A port for an input of `reached`, which looks at the whole of a variable or view.
    fn input_port(&mut self, input: Input, wants_value: bool, sources: &mut dyn Sources) -> Port {
        match (input, wants_value) {
            (Input::Var(var), true) => Port::Value(var),
            (Input::View(view), true) => {
                // A part of a variable has no node unless it is read.
                let node = match self.view(view).node {
                    Some(node) => node,
                    None => self.build_all(view, true, sources, &mut Vec::new()),
                };
                self.ensure_store(node, sources);
                Port::Node(node)
            }
            (input, false) => self.port(input, false, sources),
        }
    }

    fn is_scalar_chain(&self, id: ViewId) -> bool {
        !self.view(id).shape.is_collection()
    }

    /// Where members of an input come from.
    fn port(&mut self, input: Input, is_scalar: bool, sources: &mut dyn Sources) -> Port {
        match input {
            Input::Var(var) if is_scalar => {
                let kind = Kind::Scalar(None);
                Port::Node(self.place(kind, smallvec![Port::Value(var)], None, false, sources, &mut Vec::new()))
            }
            Input::Var(var) => Port::Members(var, Facet::Elements),
            Input::View(view) => match (self.view(view).node, logical::facet(&self.view(view).operator)) {
                (Some(node), _) => Port::Node(node),
                (None, Some(_)) => self.scanned(view),
                (None, None) => unreachable!("inputs are built first"),
            },
        }
    }

    /// The port that a view of a part of a variable reads.
    fn scanned(&self, view: ViewId) -> Port {
        let view = self.view(view);
        match (view.inputs[0], logical::facet(&view.operator)) {
            (Input::Var(var), Some(facet)) => Port::Members(var, facet),
            _ => unreachable!("parts are of variables"),
        }
    }

    /// Whether a port tells of each member once.
    fn is_distinct(&self, port: Port) -> bool {
        match port {
            Port::Members(..) | Port::Value(_) => true,
            Port::Node(node) => {
                let node = self.node(node);
                node.distinct || node.store.is_some()
            }
        }
    }

    /// Puts a node in its place and feeds it with what its inputs hold.
    fn place(
        &mut self,
        kind: Kind,
        inputs: SmallVec<[Port; 2]>,
        view: Option<ViewId>,
        keeps: bool,
        sources: &mut dyn Sources,
        failures: &mut Vec<Failure>,
    ) -> NodeId {
        let mut rank = 0;
        let mut depth = 0;
        for port in &inputs {
            match *port {
                Port::Members(var, _) | Port::Value(var) => rank = rank.max(sources.rank(var)),
                Port::Node(input) => {
                    let input = self.node(input);
                    rank = rank.max(input.rank);
                    depth = depth.max(if input.store.is_none() { input.depth } else { 0 });
                }
            }
        }
        let distinct = match &kind {
            Kind::Chain(stages) => stages.iter().all(|stage| stage.does == Does::Filter) && self.is_distinct(inputs[0]),
            Kind::Union => false,
            _ => true,
        };
        let depth = if kind.is_stateless() { depth + 1 } else { 0 };
        let mut hears_members = [false; 2];
        for (hears, port) in hears_members.iter_mut().zip(&inputs) {
            *hears = self.is_distinct(*port);
        }
        let mut node = Box::new(Node {
            store: (depth > MAX_DEPTH || keeps && kind.needs_store()).then(Bag::default),
            kind,
            inputs,
            hears_members,
            consumers: Vec::new(),
            distinct,
            rank: rank + 1,
            depth,
            pending: Default::default(),
            is_queued: false,
            users: 0,
            is_watched: false,
            is_awaited: false,
            view,
        });
        self.load(&mut node, sources, failures);
        let id = match self.free.pop() {
            Some(at) => NodeId(at),
            None => {
                self.nodes.push(None);
                NodeId(u32::try_from(self.nodes.len() - 1).expect("fewer than 2^32 nodes"))
            }
        };
        for (side, port) in [Side::Left, Side::Right].into_iter().zip(node.inputs.clone()) {
            match port {
                Port::Members(var, facet) => sources.attach(var, Tap { node: id, side, facet: Some(facet) }),
                Port::Value(var) => sources.attach(var, Tap { node: id, side, facet: None }),
                Port::Node(input) => {
                    let distinct = hears_members[side as usize];
                    let input = self.node_mut(input);
                    input.consumers.push(Consumer { node: id, side, distinct });
                    input.users += 1;
                }
            }
        }
        self.nodes[id.0 as usize] = Some(node);
        id
    }

    /// Feeds a new node with all that its inputs hold.
    fn load(&self, node: &mut Node, sources: &dyn Sources, failures: &mut Vec<Failure>) {
        let mut out = Emitter::default();
        for (side, port) in [Side::Left, Side::Right].into_iter().zip(node.inputs.clone()) {
            let mut waiting: Vec<Change> = Vec::new();
            let mut feed = |changes: &mut Vec<Change>| {
                node.kind.run(side, changes, &mut out);
                keep(&mut node.store, &out.changes, None);
                out.changes.clear();
                changes.clear();
            };
            self.for_each(port, node.hears_members[side as usize], sources, &mut |member, weight| {
                waiting.push(Change::new(member.clone(), weight));
                if waiting.len() == LOADED {
                    feed(&mut waiting);
                }
            });
            feed(&mut waiting);
        }
        self.draw(node, sources, &mut out);
        keep(&mut node.store, &out.changes, None);
        let of_node = node.view;
        failures.extend(out.failures.into_iter().map(|failure| Failure { view: failure.view.or(of_node), ..failure }));
    }

    /// Calls `each` with all that a port has told so far: to one who hears of members, or of every reason for one.
    fn for_each(&self, port: Port, members: bool, sources: &dyn Sources, each: &mut dyn FnMut(&Value, i64)) {
        match port {
            Port::Members(var, facet) => sources.for_each_member(var, facet, &mut |member| each(&member, 1)),
            Port::Value(_) => {}
            Port::Node(id) => match &self.node(id).store {
                Some(store) if members => store.iter().for_each(|member| each(member, 1)),
                Some(store) => store.counted().for_each(|(member, weight)| each(member, weight)),
                None => self.for_each_of(self.node(id), sources, each),
            },
        }
    }

    /// Calls `each` with every reason for a member of a node without a store.
    fn for_each_of(&self, node: &Node, sources: &dyn Sources, each: &mut dyn FnMut(&Value, i64)) {
        match &node.kind {
            Kind::Chain(stages) => {
                let mut out = Emitter::default();
                self.for_each(node.inputs[0], node.hears_members[0], sources, &mut |member, weight| {
                    chain::run(stages, &[Change::new(member.clone(), weight)], &mut out);
                    out.changes.drain(..).for_each(|change| each(&change.member, change.weight));
                    out.failures.clear();
                });
            }
            Kind::Union => {
                for (port, members) in node.inputs.iter().zip(node.hears_members) {
                    self.for_each(*port, members, sources, each);
                }
            }
            Kind::Intersection(sides) | Kind::Difference(sides) => sides.iter().for_each(|member| each(member, 1)),
            Kind::Product(product) => product.for_each(&mut |pair| each(&pair, 1)),
            Kind::Join(join) => join.for_each(&mut |pair| each(&pair, 1)),
            Kind::Fold(fold) => fold.emitted().into_iter().for_each(|result| each(result, 1)),
            Kind::Group(group) => group.for_each(&mut |entry| each(&entry, 1)),
            Kind::Scalar(value) => value.iter().for_each(|value| each(value, 1)),
            Kind::Reached(_, met) => met.iter().for_each(|met| each(&Value::Bool(*met), 1)),
        }
    }

    /// Makes a node keep what it emits. Its consumers so far go on being told of every reason.
    fn ensure_store(&mut self, id: NodeId, sources: &dyn Sources) {
        let node = self.node(id);
        if node.store.is_some() || !node.kind.needs_store() {
            return;
        }
        let mut store = Bag::default();
        self.for_each_of(node, sources, &mut |member, weight| _ = store.add(member, weight));
        self.node_mut(id).store = Some(store);
    }

    /// Takes a user off a node; nodes that nobody uses any more are gone, and so on upwards.
    fn drop_user(&mut self, node: NodeId, sources: &mut dyn Sources) {
        let mut open = vec![node];
        while let Some(id) = open.pop() {
            let node = self.node_mut(id);
            node.users -= 1;
            if node.users > 0 {
                continue;
            }
            let Some(node) = self.nodes[id.0 as usize].take() else { continue };
            self.free.push(id.0);
            self.queue.retain(|queued| queued.0.1 != id);
            if let Some(view) = node.view.and_then(|view| self.views.get_mut(&view))
                && view.node == Some(id)
            {
                view.node = None;
            }
            for port in &node.inputs {
                match *port {
                    Port::Members(var, _) | Port::Value(var) => sources.detach(var, id),
                    Port::Node(input) => {
                        self.node_mut(input).consumers.retain(|consumer| consumer.node != id);
                        open.push(input);
                    }
                }
            }
        }
    }
}

/// Takes out of the leading filters the first that makes a join; what else it demands stays behind.
fn take_equi_join(stages: &mut Vec<Stage>) -> Option<EquiJoin> {
    let filters = stages.iter().take_while(|stage| stage.does == Does::Filter);
    let (at, mut found) = filters.enumerate().find_map(|(at, stage)| Some((at, stage.function.equi_join()?)))?;
    match found.rest.take() {
        Some(rest) => stages[at].function = rest,
        None => _ = stages.remove(at),
    }
    Some(found)
}
