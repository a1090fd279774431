//! A host that notes down what a program builds on another.

use super::class::{class, growth, growth_through};
use super::model::{Derivation, Explanation, Growth, Origin, Plan, Reaction, Size, Variable, VariableId};
use crate::host::{Fault, Host, HostEvent, Progress, Refusal, TriggerId};
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
    what: String,
    inputs: Vec<Handle>,
    into: Handle,
    class: &'static str,
    cost: &'static str,
}

/// Notes down what a program builds.
#[derive(Debug)]
pub struct Recorder<H> {
    inner: H,
    /// By handle, which is the order in which they were made.
    variables: BTreeMap<Handle, Noted>,
    edges: Vec<Edge>,
    /// Variables that something waits for or follows.
    watched: Vec<(usize, Handle, &'static str)>,
}

impl<H: Host> Recorder<H> {
    /// Nothing noted yet.
    pub fn new(inner: H) -> Self {
        Self { inner, variables: BTreeMap::new(), edges: Vec::new(), watched: Vec::new() }
    }

    /// What was noted, with the names that variables are bound to.
    pub(super) fn explanation(
        &mut self,
        names: &BTreeMap<Handle, String>,
        failures: &BTreeMap<Handle, Failures>,
    ) -> Explanation {
        let handles: Vec<Handle> = self.variables.keys().copied().collect();
        let variables = handles.iter().map(|handle| self.variable(*handle, names, failures)).collect();
        let id = |handle: Handle| handles.binary_search(&handle).expect("every variable that is used was noted");
        let derivations: Vec<Derivation> = self.edges.iter().map(|edge| edge.derivation(&id)).collect();
        let reaction = |(node, handle, what): &(usize, Handle, &'static str)| Reaction {
            node: *node,
            variable: id(*handle),
            what,
        };
        let reactions = self.watched.iter().map(reaction).collect();
        let plan = Plan::as_written(&derivations);
        Explanation { variables, derivations, reactions, plan }
    }

    fn variable(
        &mut self,
        handle: Handle,
        names: &BTreeMap<Handle, String>,
        failures: &BTreeMap<Handle, Failures>,
    ) -> Variable {
        let size = self.size(handle);
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

    fn size(&mut self, handle: Handle) -> Size {
        let node = self.variables[&handle].node;
        let elements = match self.inner.query(node, handle) {
            Ok(Output::Set(items) | Output::Many(items)) => Some(items.len()),
            Ok(Output::Map(entries)) => Some(entries.len()),
            _ => None,
        };
        Size { elements, bytes: self.inner.state_bytes(node, handle) }
    }

    fn note(&mut self, node: usize, handle: Handle, operator: Option<&Operator>, inputs: &[Handle]) {
        if self.variables.contains_key(&handle) {
            return;
        }
        let (scalar, growth) = match operator {
            None => (false, growth(&self.inner.type_of(handle))),
            Some(operator) => {
                let inputs: Vec<Growth> = inputs.iter().map(|input| self.variables[input].growth).collect();
                let scalar = matches!(operator, Operator::Fold(_) | Operator::Reached(_));
                (scalar, growth_through(operator, &inputs))
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
        self.note(node, handle, None, &[]);
        if let (Some(name), Some(noted)) = (name, self.variables.get_mut(&handle)) {
            noted.declared = Some(name.to_owned());
        }
        Ok(handle)
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
        let output = self.inner.derive(node, operator.clone(), inputs, into)?;
        self.note(node, output, Some(&operator), inputs);
        let (class, cost) = class(&operator);
        let what = format!("{operator:?}");
        self.edges.push(Edge {
            node,
            operator: operator.name(),
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

    fn state_bytes(&mut self, node: usize, variable: Handle) -> Option<usize> {
        self.inner.state_bytes(node, variable)
    }

    fn wait(&mut self, node: usize, variable: Handle, threshold: Threshold) -> Result<TriggerId, Refusal> {
        let id = self.inner.wait(node, variable, threshold)?;
        self.watched.push((node, variable, "a threshold on"));
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
        self.watched.push((node, variable, "enforced once, at a threshold on"));
        Ok(id)
    }

    fn watch(&mut self, node: usize, variable: Handle) -> Result<TriggerId, Refusal> {
        let id = self.inner.watch(node, variable)?;
        self.watched.push((node, variable, "a stream of"));
        Ok(id)
    }

    fn cancel(&mut self, wait: TriggerId) {
        self.inner.cancel(wait);
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
        self.inner.poll()
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
