//! A program's place at one node: what it has set up there; and the node as a host, while the program runs.

use super::Tools;
use crate::once::{Party, Token};
use crate::requests;
use crate::system;
use lasp_crdt::fingerprint::{hash, mix};
use lasp_dataflow::{DerivationId, Name, Op, Operator, Output, State, Target, Threshold, Type, Value, VarId, WaiterId};
use lasp_lang::host::{Fault, Host, HostEvent, Progress, Refusal, TriggerId};
use lasp_lang::term::Handle;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a program has set up at one node. Handles and triggers of its session are numbers of this.
#[derive(Debug)]
pub(super) struct Site {
    program: Name,
    /// What its enforcements belong to.
    scope: String,
    variables: Vec<VarId>,
    handles: BTreeMap<VarId, Handle>,
    /// What stands for each variable in the identity of a trigger.
    identities: Vec<u64>,
    pub(super) declared: BTreeMap<Name, Type>,
    pub(super) patterns: BTreeSet<String>,
    derivations: Vec<DerivationId>,
    waiting: BTreeSet<WaiterId>,
    enforced: BTreeMap<TriggerId, Token>,
    events: VecDeque<HostEvent>,
    /// The enforcement whose action runs.
    acting: Option<Token>,
    /// Whether actions may run: not before all is set up.
    open: bool,
}

impl Site {
    /// Nothing set up yet. What is enforced once is the same for every version of a generation.
    pub(super) fn new(program: Name, generation: u64) -> Self {
        let scope = format!("program {program} {generation}");
        Self {
            program,
            scope,
            variables: Vec::new(),
            handles: BTreeMap::new(),
            identities: Vec::new(),
            declared: BTreeMap::new(),
            patterns: BTreeSet::new(),
            derivations: Vec::new(),
            waiting: BTreeSet::new(),
            enforced: BTreeMap::new(),
            events: VecDeque::new(),
            acting: None,
            open: false,
        }
    }

    /// All is set up: what is due may run.
    pub(super) fn open(&mut self) {
        self.open = true;
    }

    fn handle(&mut self, variable: VarId, identity: u64) -> Handle {
        if let Some(known) = self.handles.get(&variable) {
            return *known;
        }
        let handle = Handle(self.variables.len() as u32);
        self.variables.push(variable);
        self.identities.push(identity);
        self.handles.insert(variable, handle);
        handle
    }

    fn variable(&self, handle: Handle) -> VarId {
        self.variables[handle.0 as usize]
    }

    /// Every variable it uses, derived ones included.
    pub(super) fn variables(&self) -> &[VarId] {
        &self.variables
    }

    /// What it enforces.
    pub(super) fn tokens(&self) -> BTreeSet<Token> {
        self.enforced.values().copied().collect()
    }

    /// A threshold that a trigger waits for is reached.
    pub(super) fn met(&mut self, waiter: WaiterId) {
        if self.waiting.remove(&waiter) {
            self.events.push_back(HostEvent::Met(TriggerId(waiter.0)));
        }
    }

    /// It falls to this node to run an enforcement's action.
    pub(super) fn due(&mut self, trigger: u64) {
        self.events.push_back(HostEvent::Due { id: TriggerId(trigger), node: 1 });
    }

    /// Takes out of the node all that was set up, but for its enforcements and what it derived into variables.
    pub(super) fn dismantle(self, tools: &mut Tools<'_>) -> BTreeSet<Token> {
        let graph = tools.store.graph_mut();
        for waiter in &self.waiting {
            graph.cancel(*waiter);
            tools.ids.release(*waiter);
        }
        // What was derived from others goes before what it was derived from.
        for derivation in self.derivations.iter().rev() {
            graph.remove_derivation(*derivation);
        }
        self.tokens()
    }
}

/// What an operator is: functions with other surroundings are others.
fn identity_of(operator: &Operator) -> u64 {
    let functions: &[&lasp_dataflow::Function] = match operator {
        Operator::Map(function) | Operator::Filter(function) | Operator::FlatMap(function) => &[function],
        Operator::Join { left_key, right_key } => &[left_key, right_key],
        Operator::Group { key, .. } => &[key],
        _ => &[],
    };
    let told = functions.iter().filter_map(|function| function.identity());
    told.fold(hash(format!("{operator:?}").as_str()), |sum, text| mix(sum, hash(&*text)))
}

/// A node as the host of one of its programs.
pub(super) struct Here<'a, 'n> {
    pub(super) tools: &'a mut Tools<'n>,
    pub(super) site: Site,
}

impl std::fmt::Debug for Here<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Here({:?})", self.site)
    }
}

fn refused(error: impl std::fmt::Display) -> Refusal {
    Refusal::new(error.to_string())
}

fn not_here<T>(what: &str) -> Result<T, Refusal> {
    Err(Refusal::new(format!("an installed program cannot {what}")))
}

impl Here<'_, '_> {
    fn name_of(&self, variable: VarId) -> Result<Name, Refusal> {
        let info = self.tools.store.graph().info(variable);
        info.map(|info| info.name.clone()).ok_or_else(|| Refusal::new("there is no such variable"))
    }

    fn update_as(&mut self, token: Token, variable: VarId, op: &Op) -> Result<(), Refusal> {
        let name = self.name_of(variable)?;
        let Some(stamp) = self.tools.once.author(self.tools.store, token, &name, op) else {
            return not_here("act on behalf of an enforcement that has not fallen to it");
        };
        requests::check_op(op).map_err(refused)?;
        self.tools.store.graph_mut().update_once(variable, op, stamp).map_err(refused)?;
        self.tools.metrics.updates += 1;
        Ok(())
    }

    /// What of a list is not in the set yet: joining a value adds that.
    fn absent(&mut self, variable: VarId, items: &[Value]) -> Op {
        let graph = self.tools.store.graph_mut();
        Op::AddAll(items.iter().filter(|item| !graph.contains(variable, item)).cloned().collect())
    }
}

impl Host for Here<'_, '_> {
    fn nodes(&self) -> usize {
        1
    }

    fn declare(&mut self, _node: usize, name: Option<&str>, ty: &Type) -> Result<Handle, Refusal> {
        let Some(name) = name else { return not_here("declare a variable without a name") };
        if system::is_reserved(name) {
            return Err(super::reserved(name));
        }
        let name = Name::new(name).map_err(refused)?;
        let variable = self.tools.store.declare_for_program(name.clone(), ty.clone()).map_err(refused)?;
        let identity = hash(name.as_str());
        self.site.declared.insert(name, ty.clone());
        Ok(self.site.handle(variable, identity))
    }

    fn type_of(&self, variable: Handle) -> Type {
        let info = self.tools.store.graph().info(self.site.variable(variable));
        info.map_or(Type::AwSet, |info| info.ty.clone())
    }

    fn update(&mut self, _node: usize, variable: Handle, op: &Op) -> Result<(), Refusal> {
        let variable = self.site.variable(variable);
        match self.site.acting {
            Some(token) => self.update_as(token, variable, op),
            None => self.tools.update(variable, op).map_err(refused),
        }
    }

    fn bind(&mut self, _node: usize, variable: Handle, value: &Value) -> Result<(), Refusal> {
        let variable = self.site.variable(variable);
        requests::check_size(value).map_err(refused)?;
        match (self.site.acting, self.tools.store.graph().state(variable), value) {
            (Some(token), Some(State::AwSet(_)), Value::List(items)) => {
                let op = self.absent(variable, items);
                self.update_as(token, variable, &op)
            }
            _ => self.tools.store.graph_mut().bind(variable, value).map(drop).map_err(refused),
        }
    }

    fn bind_to(&mut self, _node: usize, into: Handle, from: Handle) -> Result<(), Refusal> {
        let (into, from) = (self.site.variable(into), self.site.variable(from));
        let derivation = self.tools.store.graph_mut().bind_to(into, from).map_err(refused)?;
        self.site.derivations.push(derivation);
        Ok(())
    }

    fn derive(
        &mut self,
        _node: usize,
        operator: Operator,
        inputs: &[Handle],
        into: Option<Handle>,
    ) -> Result<Handle, Refusal> {
        let told = inputs.iter().map(|input| self.site.identities[input.0 as usize]);
        let identity = told.fold(identity_of(&operator), mix);
        let inputs: Vec<VarId> = inputs.iter().map(|input| self.site.variable(*input)).collect();
        let target = into.map_or(Target::Local(None), |into| Target::Into(self.site.variable(into)));
        let graph = self.tools.store.graph_mut();
        let (variable, derivation) = graph.derive_removable(operator, &inputs, target).map_err(refused)?;
        self.site.derivations.push(derivation);
        Ok(self.site.handle(variable, identity))
    }

    fn query(&mut self, _node: usize, variable: Handle) -> Result<Output, Refusal> {
        let output = self.tools.store.graph_mut().read(self.site.variable(variable));
        output.ok_or_else(|| Refusal::new("there is no such variable"))
    }

    fn wait(&mut self, _node: usize, variable: Handle, threshold: Threshold) -> Result<TriggerId, Refusal> {
        let waiter = self.tools.ids.next();
        let variable = self.site.variable(variable);
        self.site.waiting.insert(waiter);
        self.tools.ids.belongs(waiter, &self.site.program);
        if self.tools.store.graph_mut().wait(waiter, variable, threshold).map_err(refused)? {
            self.site.met(waiter);
        }
        Ok(TriggerId(waiter.0))
    }

    fn watch(&mut self, _node: usize, _variable: Handle) -> Result<TriggerId, Refusal> {
        not_here("stream")
    }

    fn enforce_once(
        &mut self,
        _node: usize,
        variable: Handle,
        threshold: Threshold,
        identity: u64,
    ) -> Result<TriggerId, Refusal> {
        let waiter = self.tools.ids.next();
        let (token, id) = (Token::of(&self.site.scope, identity), TriggerId(waiter.0));
        let party = Party::Program(self.site.program.clone(), id.0);
        let condition = (waiter, self.site.variable(variable), threshold);
        self.tools.once.enforce(self.tools.store, token, party, condition).map_err(refused)?;
        self.site.enforced.insert(id, token);
        Ok(id)
    }

    fn begin_once(&mut self, _node: usize, id: TriggerId) {
        self.site.acting = self.site.enforced.get(&id).copied();
        self.tools.metrics.enforced += 1;
    }

    fn end_once(&mut self, _node: usize, _id: TriggerId) {
        if let Some(token) = self.site.acting.take() {
            self.tools.once.acted(token);
        }
    }

    fn identity_of(&self, variable: Handle) -> u64 {
        self.site.identities[variable.0 as usize]
    }

    fn interests(&mut self, _node: usize, patterns: Option<&[String]>) -> Result<(), Refusal> {
        let all = [String::new()];
        let stem = |pattern: &String| pattern.strip_suffix('*').unwrap_or(pattern).to_owned();
        self.site.patterns = patterns.unwrap_or(&all).iter().map(stem).collect();
        Ok(())
    }

    fn fault(&mut self, _fault: &Fault) -> Result<(), Refusal> {
        not_here("disturb the cluster")
    }

    fn poll(&mut self) -> Option<HostEvent> {
        if self.site.open { self.site.events.pop_front() } else { None }
    }

    fn advance(&mut self, _deadline_ms: Option<u64>) -> Progress {
        Progress::Quiet
    }

    fn now_ms(&self) -> u64 {
        0
    }

    fn divergence(&mut self) -> Vec<String> {
        Vec::new()
    }
}
