//! The dataflow graph of a program: its variables, what follows from what, and what a change costs.
//!
//! A program is explained by running it on one graph that stands for all its nodes, while everything that enters the graph
//! is noted down. The classes follow the operators' algebra: morphisms and bimorphisms need only the change (and an index
//! of the other side); folds summarise and are computed anew where they cannot be undone.

use crate::graph_host::GraphHost;
use crate::host::{Fault, Host, HostEvent, Progress, Refusal, TriggerId};
use crate::session::{Session, Stop};
use crate::show::type_name;
use crate::source::Source;
use crate::term::{Handle, Term};
use lasp_dataflow::{Aggregate, Op, Operator, Output, Threshold, Type, Value};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

/// More nodes than a program names.
const NODES: usize = 1024;

/// The graph of `source` as text, and what stopped the program if it did not run to its end: then the graph is that of
/// the part before.
pub fn explain(source: &Arc<Source>) -> (String, Option<Stop>) {
    let mut session = Session::new(Recorder { inner: GraphHost::standing_for(NODES), ..Recorder::default() });
    let stop = session.run(source, &mut |_| {}).err();
    let mut names = BTreeMap::new();
    for (name, term) in session.terms() {
        if let Term::Variable(variable) = term {
            names.entry(variable.handle).or_insert_with(|| name.to_owned());
        }
    }
    (session.host().report(&names), stop)
}

/// One line of the graph.
#[derive(Debug)]
struct Edge {
    node: usize,
    into: Handle,
    inputs: Vec<Handle>,
    what: String,
    class: &'static str,
    cost: &'static str,
}

/// A host that notes down what a program builds.
#[derive(Debug, Default)]
struct Recorder {
    inner: GraphHost,
    /// In the order of declaration, with the name if there is one.
    variables: BTreeMap<Handle, Option<String>>,
    edges: Vec<Edge>,
    /// Variables that something waits for or follows.
    watched: Vec<(usize, Handle, &'static str)>,
}

impl Recorder {
    fn report(&self, names: &BTreeMap<Handle, String>) -> String {
        let name = |handle: &Handle| match (names.get(handle), self.variables.get(handle)) {
            (Some(bound), _) => bound.clone(),
            (None, Some(Some(declared))) => format!("{declared:?}"),
            _ => format!("#{}", handle.0),
        };
        let mut text = String::from("variables\n");
        let width = self.variables.keys().map(|handle| name(handle).chars().count()).max().unwrap_or(0);
        for (handle, declared) in &self.variables {
            let ty = self.inner.type_of(*handle);
            let origin = self.origin(*handle, declared.as_deref());
            let growth = growth(&ty, self.is_fold(*handle));
            let ty = if self.is_fold(*handle) { "value".to_owned() } else { type_name(&ty) };
            _ = writeln!(text, "  {:width$}  {ty:<12} {origin}; {growth}", name(handle));
        }
        text += "derivations\n";
        for edge in &self.edges {
            let inputs: Vec<String> = edge.inputs.iter().map(&name).collect();
            _ = writeln!(text, "  {} <- {}({}) at node {}", name(&edge.into), edge.what, inputs.join(", "), edge.node);
            _ = writeln!(text, "      {}; a change costs {}", edge.class, edge.cost);
        }
        for (node, handle, what) in &self.watched {
            _ = writeln!(text, "  {what} {} at node {node}", name(handle));
        }
        text
    }

    fn origin(&self, handle: Handle, declared: Option<&str>) -> String {
        let derived = self.edges.iter().any(|edge| edge.into == handle);
        match (declared, derived) {
            (Some(name), true) => format!("declared as {name:?} and derived into"),
            (Some(name), false) => format!("declared as {name:?}"),
            (None, _) if self.is_local(handle) => "derived, local to its node".to_owned(),
            (None, true) => "declared and derived into".to_owned(),
            (None, false) => "declared".to_owned(),
        }
    }

    fn is_local(&self, handle: Handle) -> bool {
        self.inner.graph().info(self.inner.variable(handle)).is_some_and(|info| info.local)
    }

    fn is_fold(&self, handle: Handle) -> bool {
        self.edges.iter().any(|edge| edge.into == handle && edge.what.starts_with("fold"))
    }
}

fn growth(ty: &Type, fold: bool) -> &'static str {
    match ty {
        _ if fold => "its value may go up and down",
        Type::GSet | Type::GCounter | Type::Max | Type::Min | Type::Boolean | Type::IVar => {
            "its value only grows: a threshold once met stays met"
        }
        _ => "its value may go back: a threshold is met at a moment",
    }
}

/// What an operator is, its algebra, and its cost.
fn class(operator: &Operator) -> (String, &'static str, &'static str) {
    let what = format!("{operator:?}");
    let (class, cost) = match operator {
        Operator::Map(_) | Operator::Filter(_) => ("morphism", "one call for each new element, none for a removed one"),
        Operator::FlatMap(_) => ("morphism", "one call for each new element, and the size of what it gives"),
        Operator::Union => ("morphism", "the change"),
        Operator::Intersection => ("bimorphism", "one look-up for each changed element"),
        Operator::Product => ("bimorphism", "each changed element with all of the other side"),
        Operator::Join { .. } => ("bimorphism", "one key for each changed element, and its partners"),
        Operator::Fold(Aggregate::Count | Aggregate::Sum | Aggregate::Avg) => {
            ("not a morphism", "constant for each changed element")
        }
        Operator::Fold(Aggregate::Min | Aggregate::Max) => ("not a morphism", "logarithmic for each changed element"),
        Operator::Fold(Aggregate::Custom { inverse: Some(_), .. }) => {
            ("not a morphism", "one call for each changed element")
        }
        Operator::Fold(Aggregate::Custom { inverse: None, .. }) => {
            ("not a morphism", "one call for each new element; after a removal, one for each element left")
        }
        Operator::Fold(Aggregate::Of(..) | Aggregate::All(_)) | Operator::Group { .. } => {
            ("not a morphism", "one call for each changed element")
        }
        Operator::View(_) => ("morphism", "the change"),
        Operator::Difference => ("monotone in metadata only", "one look-up for each changed element"),
        Operator::Reached(_) => ("morphism where the variable only grows", "constant for each change"),
    };
    (what, class, cost)
}

impl Host for Recorder {
    fn nodes(&self) -> usize {
        self.inner.nodes()
    }

    fn declare(&mut self, node: usize, name: Option<&str>, ty: &Type) -> Result<Handle, Refusal> {
        let handle = self.inner.declare(node, name, ty)?;
        self.variables.entry(handle).or_insert_with(|| name.map(str::to_owned));
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
        let (class, cost) = ("morphism", "the change");
        self.edges.push(Edge { node, into, inputs: vec![from], what: "bind_to".to_owned(), class, cost });
        Ok(())
    }

    fn derive(
        &mut self,
        node: usize,
        operator: Operator,
        inputs: &[Handle],
        into: Option<Handle>,
    ) -> Result<Handle, Refusal> {
        let (what, class, cost) = class(&operator);
        let into = self.inner.derive(node, operator, inputs, into)?;
        self.variables.entry(into).or_insert(None);
        self.edges.push(Edge { node, into, inputs: inputs.to_vec(), what, class, cost });
        Ok(into)
    }

    fn query(&mut self, node: usize, variable: Handle) -> Result<Output, Refusal> {
        self.inner.query(node, variable)
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

    fn now_ms(&self) -> u64 {
        self.inner.now_ms()
    }

    fn divergence(&mut self) -> Vec<String> {
        self.inner.divergence()
    }
}
