//! Whether a program can be installed: it sets up variables, derivations and triggers, the same at every node.
//!
//! An installed program has no node of its own, no beginning in time and nobody who reads what it prints. So at its top
//! level it may only say what is to hold; what it does, it does in the actions of its triggers. That is checked twice: in
//! the text, where every mistake is told of at once, and by setting the program up on a bare graph, which finds what the
//! text does not show (a function that updates, a cycle, a division by zero). Both are the same everywhere, since nothing
//! that is allowed depends on the state of a variable.

use crate::ast::{Callee, Expr, ExprKind, Program};
use crate::check::Checker;
use crate::diagnostic::Diagnostic;
use crate::fault::Fault as Failure;
use crate::graph_host::GraphHost;
use crate::host::{Fault, Host, HostEvent, Progress, Refusal, TriggerId};
use crate::library;
use crate::parse::parse;
use crate::session::{Line, Session, Stop};
use crate::signature;
use crate::source::{Source, Span};
use crate::term::Handle;
use lasp_dataflow::{Op, Operator, Output, Threshold, Type, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Steps that a form of an installed program may take (guess: some milliseconds; a node does nothing else meanwhile).
pub const SETUP_STEPS: u64 = 100_000;

/// Steps that setting up a whole program may take (guess: as long as an element's function may take).
pub const PROGRAM_STEPS: u64 = 1_000_000;

/// What an installed program sets up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The variables it declares, by name.
    pub variables: BTreeMap<String, Type>,
    /// Those of them that it derives nothing into: what it starts from.
    pub sources: BTreeSet<String>,
}

/// What the program sets up, if it can be installed. `known` tells the type of a variable that exists already, and whether
/// a name may be declared at all.
///
/// # Errors
/// Everything that is wrong with it, by place.
pub fn installable(
    source: &Arc<Source>,
    known: &dyn Fn(&str) -> Result<Option<Type>, String>,
) -> Result<Outline, Vec<Diagnostic>> {
    let parsed = parse(source);
    let mut diagnostics = parsed.diagnostics;
    diagnostics.extend(Checker::default().check(&parsed.program, source));
    diagnostics.extend(misplaced(&parsed.program));
    if !diagnostics.iter().any(Diagnostic::is_error) {
        match set_up(source, &parsed.program, known) {
            Ok(outline) => return Ok(outline),
            Err(failed) => diagnostics.push(failed),
        }
    }
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    Err(diagnostics)
}

// ---- by the text ----

/// The operations that stand where an installed program cannot have them.
fn misplaced(program: &Program) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let top_level = program.forms.iter().flat_map(|form| &form.body);
    let mut open: Vec<(&Expr, bool)> = top_level.map(|expr| (expr, false)).collect();
    while let Some((expr, in_function)) = open.pop() {
        if let ExprKind::Call(Callee::Named(name, at), args) = &expr.kind
            && signature::is_operation(name)
            && library::find(name).is_none_or(|builtin| !builtin.signature.takes(args.len()))
        {
            found.extend(refused(name, args.len(), *at, in_function));
        }
        let in_function = in_function || matches!(expr.kind, ExprKind::Fun(_));
        expr.kind.each_child(&mut |child| open.push((child, in_function)));
    }
    found
}

fn refused(name: &str, args: usize, at: Span, in_function: bool) -> Option<Diagnostic> {
    let (why, hint) = match name {
        "on" | "partition" | "heal" | "crash" | "restart" => (
            "it runs at every node that is interested, and knows no other",
            "`lasp run --nodes N` runs a script on several nodes",
        ),
        "settle" | "sleep" | "read" | "read_any" | "wait_needed" => (
            "it is set up at once, and nothing in it can wait",
            "`invariant(V, Threshold, fun() -> ... end)` acts when V has got there",
        ),
        "stream" => (
            "every node would act at every change",
            "derive what follows from each element; `invariant` acts when a threshold is reached",
        ),
        "undeclare" => ("others may use the variable", "what a program derived ends with the program"),
        "declare_dynamic" => {
            ("each node would have a value of its own", "`declare` gives a variable that is the same everywhere")
        }
        "help" => ("nobody is there to be helped", "`lasp repl` has `help`"),
        "declare" if args == 1 => (
            "each node would have a variable of its own",
            "give it a name that is the same everywhere: declare(\"views\", gcounter)",
        ),
        "update" | "bind" if !in_function => (
            "every node that runs it would do it, and each that starts again once more",
            "it belongs into the action of an `invariant` or `enforce_once`, or to a client",
        ),
        "query" if !in_function => (
            "nodes would not all see the same",
            "derive from the variable, or ask in the action of an `invariant` or `enforce_once`",
        ),
        "print" if !in_function => ("nobody reads it", "an action may print into the log of its node"),
        _ => return None,
    };
    let what = if in_function { "" } else { " at its top level" };
    Some(Diagnostic::error(at, format!("an installed program cannot `{name}`{what}: {why}")).hint(hint))
}

// ---- by setting it up ----

fn set_up(
    source: &Arc<Source>,
    program: &Program,
    known: &dyn Fn(&str) -> Result<Option<Type>, String>,
) -> Result<Outline, Diagnostic> {
    let site = Site {
        inner: GraphHost::default(),
        known,
        outline: Outline::default(),
        into: BTreeSet::new(),
        names: BTreeMap::new(),
    };
    let mut session = Session::new(site).limited(SETUP_STEPS).limited_in_all(PROGRAM_STEPS).silent();
    let mut printed = None;
    let result = session.run(source, &mut |line| {
        if let Line::Printed { form, .. } = line {
            printed.get_or_insert(form);
        }
    });
    match result {
        Err(Stop::Failed(fault)) => Err(of_fault(&fault, source)),
        Err(Stop::Rejected(diagnostics)) => Err(diagnostics
            .into_iter()
            .next()
            .unwrap_or_else(|| Diagnostic::error(Span::default(), "the program cannot be checked"))),
        Ok(_) => match printed.and_then(|form| program.forms.get(form - 1)) {
            Some(form) => Err(refused_print(form.span)),
            None => Ok(session.rehost(()).1.outline()),
        },
    }
}

fn refused_print(at: Span) -> Diagnostic {
    refused("print", 1, at, false).unwrap_or_else(|| Diagnostic::error(at, "an installed program cannot print"))
}

fn of_fault(fault: &Failure, source: &Arc<Source>) -> Diagnostic {
    if Arc::ptr_eq(&fault.source, source) {
        return fault.diagnostic();
    }
    Diagnostic::error(Span::default(), fault.one_line())
}

/// A bare graph that refuses what is not for the top level, and notes what is set up.
struct Site<'a> {
    inner: GraphHost,
    known: &'a dyn Fn(&str) -> Result<Option<Type>, String>,
    outline: Outline,
    into: BTreeSet<Handle>,
    names: BTreeMap<Handle, String>,
}

impl std::fmt::Debug for Site<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Site({:?})", self.outline)
    }
}

impl Site<'_> {
    fn outline(self) -> Outline {
        let derived = self.into.iter().filter_map(|into| self.names.get(into)).cloned().collect::<BTreeSet<String>>();
        let sources = self.outline.variables.keys().filter(|name| !derived.contains(*name)).cloned().collect();
        Outline { sources, ..self.outline }
    }
}

/// What is not for the top level, though the text did not show it.
fn not_here<T>(name: &str) -> Result<T, Refusal> {
    let why = refused(name, 2, Span::default(), false);
    let (message, hint) = why.map_or_else(|| (format!("`{name}` cannot stand here"), None), |d| (d.message, d.hint));
    Err(Refusal { message, hint })
}

impl Host for Site<'_> {
    fn nodes(&self) -> usize {
        1
    }

    fn declare(&mut self, node: usize, name: Option<&str>, ty: &Type) -> Result<Handle, Refusal> {
        let Some(name) = name else { return not_here("declare") };
        if let Some(held) = (self.known)(name).map_err(Refusal::new)?.filter(|held| held != ty) {
            return Err(Refusal::new(format!("{name} is already declared as {held}, not {ty}")));
        }
        let handle = self.inner.declare(node, Some(name), ty)?;
        self.outline.variables.insert(name.to_owned(), ty.clone());
        self.names.insert(handle, name.to_owned());
        Ok(handle)
    }

    fn type_of(&self, variable: Handle) -> Type {
        self.inner.type_of(variable)
    }

    fn update(&mut self, _node: usize, _variable: Handle, _op: &Op) -> Result<(), Refusal> {
        not_here("update")
    }

    fn bind(&mut self, _node: usize, _variable: Handle, _value: &Value) -> Result<(), Refusal> {
        not_here("bind")
    }

    fn bind_to(&mut self, node: usize, into: Handle, from: Handle) -> Result<(), Refusal> {
        self.inner.bind_to(node, into, from)?;
        self.into.insert(into);
        Ok(())
    }

    fn derive(
        &mut self,
        node: usize,
        operator: Operator,
        inputs: &[Handle],
        into: Option<Handle>,
    ) -> Result<Handle, Refusal> {
        self.into.extend(into);
        self.inner.derive(node, operator, inputs, into)
    }

    fn query(&mut self, _node: usize, _variable: Handle) -> Result<Output, Refusal> {
        not_here("query")
    }

    fn wait(&mut self, node: usize, variable: Handle, threshold: Threshold) -> Result<TriggerId, Refusal> {
        self.inner.wait(node, variable, threshold)
    }

    fn watch(&mut self, _node: usize, _variable: Handle) -> Result<TriggerId, Refusal> {
        not_here("stream")
    }

    fn enforce_once(
        &mut self,
        node: usize,
        variable: Handle,
        threshold: Threshold,
        _identity: u64,
    ) -> Result<TriggerId, Refusal> {
        self.inner.wait(node, variable, threshold)
    }

    fn interests(&mut self, _node: usize, _patterns: Option<&[String]>) -> Result<(), Refusal> {
        Ok(())
    }

    fn fault(&mut self, fault: &Fault) -> Result<(), Refusal> {
        not_here(match fault {
            Fault::Partition(_) => "partition",
            Fault::Heal => "heal",
            Fault::Crash(_) => "crash",
            Fault::Restart(_) => "restart",
        })
    }

    /// Thresholds that nothing has to reach do not matter here: no action is run.
    fn poll(&mut self) -> Option<HostEvent> {
        None
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
