//! A host of one node: a bare graph without peers. For tests, `lasp check`, `lasp explain`, and embedding.
//!
//! Everything happens at once, so nothing is ever in flight. It can stand for a cluster of any size whose nodes are always
//! in touch ([`GraphHost::standing_for`]), which is how a program for several nodes is explained without running them.

use crate::host::{Fault, Host, HostEvent, HostPlan, Progress, Refusal, Size, TriggerId};
use crate::term::Handle;
use lasp_crdt::{ReplicaId, Stamp, Timestamp};
use lasp_dataflow::{Graph, Name, Op, Operator, Output, Target, Threshold, Type, Value, VarId, WaiterId, WatcherId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One graph as a host.
#[derive(Debug)]
pub struct GraphHost {
    graph: Graph,
    nodes: usize,
    handles: Vec<VarId>,
    known: BTreeMap<VarId, Handle>,
    fresh: u32,
    triggers: u64,
    watched: BTreeMap<TriggerId, VarId>,
    /// What is to be enforced once, by its identity; and the triggers that are enforcements.
    enforced: BTreeMap<u64, TriggerId>,
    enforcements: BTreeSet<TriggerId>,
    events: VecDeque<HostEvent>,
    clock_ms: u64,
    writes: u64,
}

impl Default for GraphHost {
    fn default() -> Self {
        Self::standing_for(1)
    }
}

impl GraphHost {
    /// One graph in place of `nodes` nodes.
    pub fn standing_for(nodes: usize) -> Self {
        Self {
            graph: Graph::new(ReplicaId(1)),
            nodes,
            handles: Vec::new(),
            known: BTreeMap::new(),
            fresh: 0,
            triggers: 0,
            watched: BTreeMap::new(),
            enforced: BTreeMap::new(),
            enforcements: BTreeSet::new(),
            events: VecDeque::new(),
            clock_ms: 0,
            writes: 0,
        }
    }

    /// The graph behind it.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The graph's own name for a variable.
    pub fn variable(&self, variable: Handle) -> VarId {
        self.handles[variable.0 as usize]
    }

    fn handle(&mut self, variable: VarId) -> Handle {
        *self.known.entry(variable).or_insert_with(|| {
            self.handles.push(variable);
            Handle(self.handles.len() as u32 - 1)
        })
    }

    /// The replica that stands for a node of this number, if there is such a node: one graph has one for all of them, so that
    /// what a node gives to another stays to be used.
    fn replica_of(&self, number: &Value) -> Option<ReplicaId> {
        let number = u64::try_from(number).ok()?;
        (1..=self.nodes as u64).contains(&number).then(|| self.graph.replica())
    }

    /// The name asked for, or a fresh one.
    fn name(&mut self, name: Option<&str>) -> Result<Name, Refusal> {
        match name {
            Some(name) => Name::new(name).map_err(refused),
            None => {
                self.fresh += 1;
                Name::new(format!("~{}", self.fresh)).map_err(refused)
            }
        }
    }

    fn next_trigger(&mut self) -> TriggerId {
        self.triggers += 1;
        TriggerId(self.triggers)
    }

    fn met(&mut self, id: TriggerId) {
        let enforced = self.enforcements.remove(&id);
        self.events.push_back(if enforced { HostEvent::Due { id, node: 1 } } else { HostEvent::Met(id) });
    }

    /// Takes what came of the last request out of the graph.
    fn collect(&mut self) {
        let effects = self.graph.drain();
        for waiter in effects.met {
            self.met(TriggerId(waiter.0));
        }
        for watcher in effects.changed {
            let id = TriggerId(watcher.0);
            if let Some(output) = self.watched.get(&id).and_then(|variable| self.graph.read(*variable)) {
                self.events.push_back(HostEvent::Changed(id, output));
            }
        }
        for error in effects.errors {
            let variable = self.known.get(&error.var).copied();
            self.events.push_back(HostEvent::derivation_failed(1, variable, &error));
        }
    }
}

fn refused(error: impl std::fmt::Display) -> Refusal {
    Refusal::worded(error)
}

impl Host for GraphHost {
    fn nodes(&self) -> usize {
        self.nodes
    }

    fn declare(&mut self, _node: usize, name: Option<&str>, ty: &Type) -> Result<Handle, Refusal> {
        let name = self.name(name)?;
        let variable = self.graph.declare(name, ty.clone()).map_err(refused)?;
        Ok(self.handle(variable))
    }

    fn declare_dynamic(&mut self, _node: usize, name: Option<&str>, ty: &Type) -> Result<Handle, Refusal> {
        let name = self.name(name)?;
        let variable = self.graph.declare_local(name, ty.clone()).map_err(refused)?;
        Ok(self.handle(variable))
    }

    fn undeclare(&mut self, _node: usize, variable: Handle) -> Result<(), Refusal> {
        let gone = self.variable(variable);
        self.graph.undeclare(gone).map_err(refused)?;
        self.known.remove(&gone);
        Ok(())
    }

    fn type_of(&self, variable: Handle) -> Type {
        let info = self.graph.info(self.variable(variable));
        info.map_or(Type::AwSet, |info| info.ty.clone())
    }

    fn update(&mut self, _node: usize, variable: Handle, op: &Op) -> Result<(), Refusal> {
        self.writes += 1;
        let stamp = Stamp { time: Timestamp(self.writes), replica: self.graph.replica() };
        let mut op = op.clone();
        op.resolve(&mut |name| self.replica_of(name)).map_err(refused)?;
        let result = self.graph.update(self.variable(variable), &op, stamp).map_err(refused);
        self.collect();
        result
    }

    fn bind(&mut self, _node: usize, variable: Handle, value: &Value) -> Result<(), Refusal> {
        let result = self.graph.bind(self.variable(variable), value).map_err(refused);
        self.collect();
        result.map(drop)
    }

    fn bind_to(&mut self, _node: usize, into: Handle, from: Handle) -> Result<(), Refusal> {
        let result = self.graph.bind_to(self.variable(into), self.variable(from)).map_err(refused);
        self.collect();
        result.map(drop)
    }

    fn derive(
        &mut self,
        _node: usize,
        operator: Operator,
        inputs: &[Handle],
        into: Option<Handle>,
    ) -> Result<Handle, Refusal> {
        let inputs: Vec<VarId> = inputs.iter().map(|input| self.variable(*input)).collect();
        let target = into.map_or(Target::Local(None), |into| Target::Into(self.variable(into)));
        let derived = self.graph.derive(operator, &inputs, target).map_err(refused);
        // Known first: failures at its first elements name it.
        let handle = derived.map(|variable| self.handle(variable));
        self.collect();
        handle
    }

    fn query(&mut self, _node: usize, variable: Handle) -> Result<Output, Refusal> {
        let output = self.graph.read(self.variable(variable));
        self.collect();
        output.ok_or_else(|| Refusal::new("there is no such variable"))
    }

    fn size(&mut self, _node: usize, variable: Handle) -> Size {
        let variable = self.variable(variable);
        let is_local = self.graph.info(variable).is_some_and(|info| info.local);
        let state = self.graph.state(variable).filter(|_| !is_local);
        Size::of(self.graph.peek(variable).as_ref(), state)
    }

    fn plan(&mut self, _node: usize) -> Option<HostPlan> {
        Some(HostPlan { plan: self.graph.plan(), handles: self.known.clone() })
    }

    fn wait(&mut self, _node: usize, variable: Handle, threshold: Threshold) -> Result<TriggerId, Refusal> {
        let id = self.next_trigger();
        if self.graph.wait(WaiterId(id.0), self.variable(variable), threshold).map_err(refused)? {
            self.met(id);
        }
        // Somebody may be told that this is needed.
        self.collect();
        Ok(id)
    }

    fn wait_needed(&mut self, _node: usize, variable: Handle, threshold: Threshold) -> Result<TriggerId, Refusal> {
        let id = self.next_trigger();
        if self.graph.wait_needed(WaiterId(id.0), self.variable(variable), threshold).map_err(refused)? {
            self.events.push_back(HostEvent::Met(id));
        }
        Ok(id)
    }

    fn cancel(&mut self, wait: TriggerId) {
        self.graph.cancel(WaiterId(wait.0));
    }

    /// One node is the whole cluster: the first that asks enforces, at once.
    fn enforce_once(
        &mut self,
        node: usize,
        variable: Handle,
        threshold: Threshold,
        identity: u64,
    ) -> Result<TriggerId, Refusal> {
        if self.enforced.contains_key(&identity) {
            return Ok(self.next_trigger());
        }
        let upcoming = TriggerId(self.triggers + 1);
        self.enforcements.insert(upcoming);
        let id = self.wait(node, variable, threshold).inspect_err(|_| _ = self.enforcements.remove(&upcoming))?;
        self.enforced.insert(identity, id);
        Ok(id)
    }

    fn watch(&mut self, _node: usize, variable: Handle) -> Result<TriggerId, Refusal> {
        let id = self.next_trigger();
        let variable = self.variable(variable);
        self.graph.watch(WatcherId(id.0), variable);
        self.watched.insert(id, variable);
        Ok(id)
    }

    fn interests(&mut self, _node: usize, _patterns: Option<&[String]>) -> Result<(), Refusal> {
        Ok(())
    }

    fn fault(&mut self, _fault: &Fault) -> Result<(), Refusal> {
        if self.nodes > 1 {
            return Ok(());
        }
        Err(Refusal::new("there is only one node").hint("`lasp run --nodes N` starts a cluster"))
    }

    fn poll(&mut self) -> Option<HostEvent> {
        self.events.pop_front()
    }

    fn advance(&mut self, deadline_ms: Option<u64>) -> Progress {
        if !self.events.is_empty() {
            return Progress::Events;
        }
        match deadline_ms {
            Some(deadline_ms) => {
                self.clock_ms = self.clock_ms.max(deadline_ms);
                Progress::Deadline
            }
            None => Progress::Quiet,
        }
    }

    fn now_ms(&self) -> u64 {
        self.clock_ms
    }

    fn divergence(&mut self) -> Vec<String> {
        Vec::new()
    }
}
