//! A host that notes down what a program builds on another.

use super::class::{NEWEST, class, growth, growth_through};
use super::model::{Derivation, Explanation, Growth, Origin, Plan, Reaction, Variable, VariableId};
use super::plan::plan;
use crate::host::{Fault, Host, HostEvent, HostPlan, Progress, Refusal, Size, TriggerId};
use crate::interrupt::Interrupt;
use crate::session::Failures;
use crate::show::type_name;
use crate::term::Handle;
use lasp_dataflow::{Op, Operator, Output, Threshold, Type, Value};
use std::collections::BTreeMap;

/// What is known of a variable.
#[derive(Debug)]
struct Noted {
    /// Where it was made.
    node: usize,
    /// The name it was declared under.
    declared: Option<String>,
    /// Whether it is the result of a derivation without a target.
    derived: bool,
    /// Whether it is a scalar that an operator computes.
    scalar: bool,
    growth: Growth,
}

/// A derivation by handles.
#[derive(Debug)]
struct Edge {
    node: usize,
    operator: &'static str,
    replicates: bool,
    what: String,
    inputs: Vec<Handle>,
    into: Handle,
    class: &'static str,
    cost: &'static str,
}

/// What something waits for or follows.
#[derive(Debug)]
struct Watched {
    id: TriggerId,
    node: usize,
    variable: Handle,
    what: &'static str,
}

/// Notes down what a program builds.
#[derive(Debug)]
pub struct Recorder<H> {
    inner: H,
    /// By handle, which is the order in which they were made.
    variables: BTreeMap<Handle, Noted>,
    edges: Vec<Edge>,
    /// Variables that something waits for or follows.
    watched: Vec<Watched>,
    /// Whether variables are forgotten for good: what is explained at the end is how the program was.
    forgets: bool,
}

impl<H: Host> Recorder<H> {
    /// Nothing noted yet.
    pub fn new(inner: H) -> Self {
        Self { inner, variables: BTreeMap::new(), edges: Vec::new(), watched: Vec::new(), forgets: true }
    }

    /// As [`Self::new`]; what a program forgets stays.
    pub fn of_everything(inner: H) -> Self {
        Self { forgets: false, ..Self::new(inner) }
    }

    /// What was noted, with the names that variables are bound to. `at_end` computes everything for its size.
    pub(super) fn explanation(
        &mut self,
        names: &BTreeMap<Handle, String>,
        failures: &BTreeMap<Handle, Failures>,
        at_end: bool,
    ) -> Explanation {
        let handles: Vec<Handle> = self.variables.keys().copied().collect();
        // The plan comes first: asking for what nobody wanted makes it be computed.
        let host_plan = self.inner.plan(1);
        if at_end {
            handles.iter().for_each(|handle| drop(self.inner.query(self.variables[handle].node, *handle)));
        }
        let variables = handles.iter().map(|handle| self.variable(*handle, names, failures)).collect();
        let id = |handle: Handle| handles.binary_search(&handle).expect("every variable that is used was noted");
        let derivations: Vec<Derivation> = self.edges.iter().map(|edge| edge.derivation(&id)).collect();
        let reaction =
            |watched: &Watched| Reaction { node: watched.node, variable: id(watched.variable), what: watched.what };
        let reactions = self.watched.iter().map(reaction).collect();
        let plan = match host_plan {
            Some(host_plan) => plan(&host_plan, &derivations, &|handle| handles.binary_search(&handle).ok()),
            None => Plan::as_written(&derivations),
        };
        Explanation { variables, derivations, reactions, plan }
    }

    fn variable(
        &mut self,
        handle: Handle,
        names: &BTreeMap<Handle, String>,
        failures: &BTreeMap<Handle, Failures>,
    ) -> Variable {
        let size = self.inner.size(self.variables[&handle].node, handle);
        let noted = &self.variables[&handle];
        let name = match (names.get(&handle), &noted.declared) {
            (Some(bound), _) => bound.clone(),
            (None, Some(declared)) => format!("{declared:?}"),
            (None, None) => format!("#{}", handle.0),
        };
        let derived_into = self.edges.iter().any(|edge| edge.into == handle);
        let origin = match noted.derived {
            true => Origin::Derived,
            false => Origin::Declared { name: noted.declared.clone(), derived_into },
        };
        let ty = if noted.scalar { "value".to_owned() } else { type_name(&self.inner.type_of(handle)) };
        let failures = failures.get(&handle).map(|failures| (failures.count, failures.last.clone()));
        Variable { name, ty, origin, growth: noted.growth, size, failures }
    }

    /// Nothing waits for this any more; what a whole program waited for stays part of how it was.
    fn unwatch(&mut self, id: TriggerId) {
        if self.forgets {
            self.watched.retain(|watched| watched.id != id);
        }
    }

    fn note_declared(&mut self, node: usize, handle: Handle, name: Option<&str>) {
        self.note(node, handle, None, &[]);
        if let (Some(name), Some(noted)) = (name, self.variables.get_mut(&handle)) {
            noted.declared = Some(name.to_owned());
        }
    }

    fn note(&mut self, node: usize, handle: Handle, operator: Option<&Operator>, inputs: &[Handle]) {
        if self.variables.contains_key(&handle) {
            return;
        }
        let of_a_scalar = inputs.iter().any(|input| self.inner.type_of(*input).facets().is_empty());
        let (scalar, growth) = match operator {
            None => (false, growth(&self.inner.type_of(handle))),
            Some(operator) => {
                let inputs: Vec<Growth> = inputs.iter().map(|input| self.variables[input].growth).collect();
                let of_a_scalar = matches!(operator, Operator::Map(_)) && of_a_scalar;
                let scalar = of_a_scalar || matches!(operator, Operator::Fold(_) | Operator::Reached(_));
                let growth = if of_a_scalar { Growth::Replaced } else { growth_through(operator, &inputs) };
                (scalar, growth)
            }
        };
        let noted = Noted { node, declared: None, derived: operator.is_some(), scalar, growth };
        self.variables.insert(handle, noted);
    }
}

impl Edge {
    fn derivation(&self, id: &dyn Fn(Handle) -> VariableId) -> Derivation {
        Derivation {
            node: self.node,
            operator: self.operator,
            replicates: self.replicates,
            what: self.what.clone(),
            inputs: self.inputs.iter().map(|input| id(*input)).collect(),
            output: id(self.into),
            class: self.class,
            cost: self.cost,
        }
    }
}

impl<H: Host> Host for Recorder<H> {
    fn nodes(&self) -> usize {
        self.inner.nodes()
    }

    fn declare(&mut self, node: usize, name: Option<&str>, ty: &Type) -> Result<Handle, Refusal> {
        let handle = self.inner.declare(node, name, ty)?;
        self.note_declared(node, handle, name);
        Ok(handle)
    }

    fn declare_dynamic(&mut self, node: usize, name: Option<&str>, ty: &Type) -> Result<Handle, Refusal> {
        let handle = self.inner.declare_dynamic(node, name, ty)?;
        self.note_declared(node, handle, name);
        Ok(handle)
    }

    fn undeclare(&mut self, node: usize, variable: Handle) -> Result<(), Refusal> {
        if !self.forgets {
            return Ok(());
        }
        self.inner.undeclare(node, variable)?;
        self.edges.retain(|edge| edge.node != node || edge.into != variable);
        self.watched.retain(|watched| watched.node != node || watched.variable != variable);
        let is_used = self.edges.iter().any(|edge| edge.into == variable || edge.inputs.contains(&variable))
            || self.watched.iter().any(|watched| watched.variable == variable);
        if self.inner.nodes() == 1 && !is_used {
            self.variables.remove(&variable);
        }
        Ok(())
    }

    fn type_of(&self, variable: Handle) -> Type {
        self.inner.type_of(variable)
    }

    fn update(&mut self, node: usize, variable: Handle, op: &Op) -> Result<(), Refusal> {
        self.inner.update(node, variable, op)
    }

    fn bind(&mut self, node: usize, variable: Handle, value: &Value) -> Result<(), Refusal> {
        self.inner.bind(node, variable, value)
    }

    fn bind_to(&mut self, node: usize, into: Handle, from: Handle) -> Result<(), Refusal> {
        self.inner.bind_to(node, into, from)?;
        self.edges.push(Edge {
            node,
            operator: "bind_to",
            replicates: true,
            what: "bind_to".to_owned(),
            inputs: vec![from],
            into,
            class: "morphism",
            cost: "the change",
        });
        Ok(())
    }

    fn derive(
        &mut self,
        node: usize,
        operator: Operator,
        inputs: &[Handle],
        into: Option<Handle>,
    ) -> Result<Handle, Refusal> {
        let of_a_scalar = inputs.iter().any(|input| self.inner.type_of(*input).facets().is_empty());
        let output = self.inner.derive(node, operator.clone(), inputs, into)?;
        self.note(node, output, Some(&operator), inputs);
        let (class, cost) = match class(&operator, of_a_scalar) {
            (_, cost) if into.is_some() && matches!(operator, Operator::Fold(_)) => (NEWEST, cost),
            class => class,
        };
        let what = format!("{operator:?}");
        self.edges.push(Edge {
            node,
            operator: operator.name(),
            replicates: into.is_some(),
            what,
            inputs: inputs.to_vec(),
            into: output,
            class,
            cost,
        });
        Ok(output)
    }

    fn query(&mut self, node: usize, variable: Handle) -> Result<Output, Refusal> {
        self.inner.query(node, variable)
    }

    fn size(&mut self, node: usize, variable: Handle) -> Size {
        self.inner.size(node, variable)
    }

    fn plan(&mut self, node: usize) -> Option<HostPlan> {
        self.inner.plan(node)
    }

    fn wait(&mut self, node: usize, variable: Handle, threshold: Threshold) -> Result<TriggerId, Refusal> {
        let id = self.inner.wait(node, variable, threshold)?;
        self.watched.push(Watched { id, node, variable, what: "a threshold on" });
        Ok(id)
    }

    fn wait_needed(&mut self, node: usize, variable: Handle, threshold: Threshold) -> Result<TriggerId, Refusal> {
        let id = self.inner.wait_needed(node, variable, threshold)?;
        self.watched.push(Watched { id, node, variable, what: "a need of" });
        Ok(id)
    }

    fn enforce_once(
        &mut self,
        node: usize,
        variable: Handle,
        threshold: Threshold,
        identity: u64,
    ) -> Result<TriggerId, Refusal> {
        let id = self.inner.enforce_once(node, variable, threshold, identity)?;
        self.watched.push(Watched { id, node, variable, what: "something that happens once, on" });
        Ok(id)
    }

    fn watch(&mut self, node: usize, variable: Handle) -> Result<TriggerId, Refusal> {
        let id = self.inner.watch(node, variable)?;
        self.watched.push(Watched { id, node, variable, what: "a stream of" });
        Ok(id)
    }

    fn cancel(&mut self, wait: TriggerId) {
        self.inner.cancel(wait);
        self.unwatch(wait);
    }

    fn begin_once(&mut self, node: usize, id: TriggerId) {
        self.inner.begin_once(node, id);
    }

    fn end_once(&mut self, node: usize, id: TriggerId) {
        self.inner.end_once(node, id);
    }

    fn identity_of(&self, variable: Handle) -> u64 {
        self.inner.identity_of(variable)
    }

    fn interests(&mut self, node: usize, patterns: Option<&[String]>) -> Result<(), Refusal> {
        self.inner.interests(node, patterns)
    }

    fn fault(&mut self, fault: &Fault) -> Result<(), Refusal> {
        self.inner.fault(fault)
    }

    fn poll(&mut self) -> Option<HostEvent> {
        let event = self.inner.poll();
        if let Some(HostEvent::Met(id)) = event {
            self.unwatch(id);
        }
        event
    }

    fn advance(&mut self, deadline_ms: Option<u64>) -> Progress {
        self.inner.advance(deadline_ms)
    }

    fn await_events(&mut self) -> Progress {
        self.inner.await_events()
    }

    fn interruptible(&mut self, interrupt: Interrupt) {
        self.inner.interruptible(interrupt);
    }

    fn now_ms(&self) -> u64 {
        self.inner.now_ms()
    }

    fn divergence(&mut self) -> Vec<String> {
        self.inner.divergence()
    }
}
