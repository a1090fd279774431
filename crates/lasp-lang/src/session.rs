//! A program under way: its bindings, its host, and what it printed. Serves `run`, the shell, and `explain` alike.

mod derivations;
mod derived;
mod identity;
mod operations;
#[cfg_attr(not(feature = "sql"), path = "session/no_views.rs")]
mod views;
mod world;

use crate::ast::Form;
use crate::check::{Checker, bounded};
use crate::diagnostic::Diagnostic;
use crate::env::Env;
use crate::fault::Fault;
use crate::host::Host;
use crate::interrupt::Interrupt;
use crate::machine::{FORM_STEPS, Machine};
use crate::parse::parse;
use crate::show;
use crate::source::{Source, Span};
use crate::term::{Handle, Mixed, Term};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) use derivations::{AGGREGATE_FORMS, AGGREGATES, is_derivation, shape, takes, target};
pub(crate) use operations::{operation_hint, operation_name, operation_names};
pub use world::{Failures, World};

/// A line that a program produced.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// A form's value.
    Value {
        /// The form's number, from 1.
        form: usize,
        /// The type of a variable, or the kind of a value.
        kind: String,
        /// In the language's syntax.
        text: String,
        /// As JSON.
        json: String,
    },
    /// What `print` was given.
    Printed {
        /// The form under way.
        form: usize,
        /// The node that printed.
        node: usize,
        /// The type of a variable, or the kind of a value.
        kind: String,
        /// A text as it is, else in the language's syntax.
        text: String,
        /// As JSON.
        json: String,
    },
    /// An operator's function failed on an element.
    DerivationFailed {
        /// The form under way.
        form: usize,
        /// The node.
        node: usize,
        /// What failed, on which element, and why.
        message: String,
        /// The same as a diagnostic of the function's program.
        report: Option<(Arc<Source>, Box<Diagnostic>)>,
    },
}

impl Line {
    /// As one JSON object.
    pub fn to_json(&self) -> String {
        match self {
            Self::Value { form, kind, json, .. } => {
                format!("{{\"form\":{form},\"type\":{},\"value\":{json}}}", show::json_text(kind))
            }
            Self::Printed { form, node, kind, json, .. } => {
                let kind = show::json_text(kind);
                format!("{{\"form\":{form},\"print\":true,\"node\":{node},\"type\":{kind},\"value\":{json}}}")
            }
            Self::DerivationFailed { form, node, message, .. } => {
                format!("{{\"form\":{form},\"error\":{},\"node\":{node}}}", show::json_text(message))
            }
        }
    }

    /// Whether it belongs to the errors.
    pub fn is_error(&self) -> bool {
        matches!(self, Self::DerivationFailed { .. })
    }
}

/// For people.
impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value { text, .. } | Self::Printed { text, .. } => f.write_str(text),
            Self::DerivationFailed { node, message, .. } => write!(f, "error: at node {node}: {message}"),
        }
    }
}

/// A bound name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The name.
    pub name: String,
    /// The type of a variable, or the kind of a value.
    pub kind: String,
    /// Whether it is a dataflow variable.
    pub is_variable: bool,
    /// The value, or a variable's current value, cut short where it is long.
    pub value: String,
    /// What went wrong where the variable is derived, if anything did.
    pub failures: Option<Failures>,
}

/// Why a program did not run to its end.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// It has errors; nothing of it was run.
    Rejected(Vec<Diagnostic>),
    /// It failed here; what came before is done.
    Failed(Box<Fault>),
}

/// A program under way on a host.
#[derive(Debug)]
pub struct Session<H> {
    world: World<H>,
    env: Env,
    checker: Checker,
    forms: usize,
    steps: u64,
    /// For all forms together, where that is bounded.
    steps_left: Option<u64>,
    /// Whether forms have lines for their values.
    shows_values: bool,
    /// Whether what nobody read is read in the end, so that what fails there is told.
    reads_rest: bool,
}

impl<H> Session<H> {
    /// Nothing bound yet.
    pub fn new(host: H) -> Self {
        Self {
            world: World::new(host),
            env: Env::default(),
            checker: Checker::default(),
            forms: 0,
            steps: FORM_STEPS,
            steps_left: None,
            shows_values: true,
            reads_rest: true,
        }
    }

    /// Each form, and each action that [`react`](Self::react) runs, ends within `steps`.
    #[must_use]
    pub fn limited(self, steps: u64) -> Self {
        Self { steps, ..self }
    }

    /// All forms together end within `steps`.
    #[must_use]
    pub fn limited_in_all(self, steps: u64) -> Self {
        Self { steps_left: Some(steps), ..self }
    }

    /// The values of forms are not looked at, so that what a program costs does not follow the size of its variables.
    #[must_use]
    pub fn silent(self) -> Self {
        Self { shows_values: false, reads_rest: false, ..self }
    }

    /// Moves the program to another host that knows its variables and triggers by the same numbers; gives the one before.
    /// A program that stays at a node is at rest between two inputs: then its host is what the node remembers of it.
    pub fn rehost<G>(self, host: G) -> (Session<G>, H) {
        let Self { world, env, checker, forms, steps, steps_left, shows_values, reads_rest } = self;
        let (world, before) = world.rehost(host);
        (Session { world, env, checker, forms, steps, steps_left, shows_values, reads_rest }, before)
    }

    /// Takes the place of another version of the program: of triggers that are the same in both, those that fired there do
    /// not fire again.
    #[must_use]
    pub fn after(mut self, fired: BTreeSet<u64>) -> Self {
        self.world.identities.before = fired;
        self
    }

    /// What has fired so far: for [`after`](Self::after).
    pub fn fired(&self) -> BTreeSet<u64> {
        self.world.identities.fired.union(&self.world.identities.before).copied().collect()
    }

    /// The host.
    pub fn host(&mut self) -> &mut H {
        self.world.host()
    }

    /// The host, to look at.
    pub fn host_ref(&self) -> &H {
        self.world.host_ref()
    }
}

impl<H: Host> Session<H> {
    /// Checks `source` and runs it form by form; every line goes to `out` as it comes. Derivations that failed are lines,
    /// too. Warnings are returned.
    ///
    /// # Errors
    /// [`Stop`]: nothing was run, or everything before the failure was.
    pub fn run(&mut self, source: &Arc<Source>, out: &mut dyn FnMut(Line)) -> Result<Vec<Diagnostic>, Stop> {
        let parsed = parse(source);
        let mut diagnostics = parsed.diagnostics;
        let before = self.checker.clone();
        diagnostics.extend(self.checker.check(&parsed.program, source));
        diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
        let diagnostics = bounded(diagnostics);
        if diagnostics.iter().any(Diagnostic::is_error) {
            self.checker = before;
            return Err(Stop::Rejected(diagnostics));
        }
        for form in &parsed.program.forms {
            if let Err(fault) = self.form(form, source, out) {
                self.checker.forget_unbound(&self.env);
                return Err(Stop::Failed(fault));
            }
        }
        if self.reads_rest {
            self.world.read_rest();
        }
        self.world.flush(out);
        Ok(diagnostics)
    }

    fn form(&mut self, form: &Form, source: &Arc<Source>, out: &mut dyn FnMut(Line)) -> Result<(), Box<Fault>> {
        self.forms += 1;
        self.world.start_form(self.forms);
        self.world.views.read(form, source);
        let mark = self.env.mark();
        let steps = self.steps.min(self.steps_left.unwrap_or(u64::MAX));
        let mut machine = Machine::script(source.clone(), &mut self.world).limited(steps);
        let mut result = machine.body(&form.body, &mut self.env);
        if let (Ok(_), Err(fault)) = (&result, machine.run_actions(form.span)) {
            result = Err(fault);
        }
        let spent = steps - machine.steps_left();
        self.steps_left = self.steps_left.map(|left| left - spent);
        let line = result.and_then(|term| self.value_line(term, form, source));
        self.world.flush(out);
        match line {
            Ok(line) => {
                line.into_iter().for_each(out);
                Ok(())
            }
            Err(fault) => {
                self.env.forget_after(mark);
                Err(fault)
            }
        }
    }

    /// The line of a form's value; nothing if values are not shown.
    fn value_line(&mut self, term: Term, form: &Form, source: &Arc<Source>) -> Result<Option<Line>, Box<Fault>> {
        if !self.shows_values {
            return Ok(None);
        }
        let (kind, resolved) = self.world.resolve_with_kind(&term).map_err(|problem| {
            let span = form.body.last().map_or(form.span, |last| last.span);
            let source = source.clone();
            Box::new(Fault { message: problem.message, hint: problem.hint, source, span, limit: false })
        })?;
        Ok(Some(Line::Value { form: self.forms, kind, text: resolved.to_string(), json: show::json(&resolved) }))
    }

    /// As [`react`](Self::react), for hosts where time passes by itself: what is due now, within the steps of one form, so
    /// that actions which set each other off come to an end.
    ///
    /// # Errors
    /// The first failure; the actions behind it are left for the next call.
    pub fn act(&mut self, out: &mut dyn FnMut(Line)) -> Result<(), Box<Fault>> {
        let mut machine = Machine::script(Source::new("action", ""), &mut self.world).limited(self.steps);
        let result = machine.run_actions(Span::default());
        self.world.end_firing();
        self.world.flush(out);
        result
    }

    /// Gives what programs print, and derivations that fail, to `sink` at once from now on, even while a program waits.
    /// Values of forms still go to the `out` of [`Self::run`].
    pub fn stream_to(&mut self, sink: Box<dyn FnMut(Line) + Send>) {
        self.world.stream_to(sink);
    }

    /// Runs the actions that are due: after the host has told of something outside of [`run`](Self::run). What fails does
    /// not keep the others from running.
    pub fn react(&mut self, out: &mut dyn FnMut(Line)) -> Vec<Box<Fault>> {
        let mut faults = Vec::new();
        let nowhere = Source::new("", "");
        while self.world.has_due() {
            let mut machine = Machine::script(nowhere.clone(), &mut self.world).limited(self.steps);
            faults.extend(machine.run_actions(Span::default()).err());
            self.world.end_firing();
        }
        self.world.flush(out);
        faults
    }

    /// The names bound so far with their terms; an inner one after those it hides.
    pub fn terms(&self) -> impl Iterator<Item = (&str, &Term)> {
        self.env.iter().map(|(name, term)| (&**name, term))
    }

    /// The names bound so far, each once, in the order in which they were bound, with what they stand for now.
    pub fn bindings(&mut self) -> Vec<Binding> {
        let mut latest: Vec<(String, Term)> = Vec::new();
        for (name, term) in self.env.iter() {
            latest.retain(|(known, _)| **known != **name);
            latest.push((name.to_string(), term.clone()));
        }
        latest.into_iter().map(|(name, term)| self.binding(name, &term)).collect()
    }

    fn binding(&mut self, name: String, term: &Term) -> Binding {
        let failures = match term {
            Term::Variable(variable) => self.world.failures().get(&variable.handle).cloned(),
            _ => None,
        };
        let (kind, value) = match self.world.resolve_with_kind(term) {
            Ok((kind, value)) => (kind, show::short(&value)),
            Err(problem) => (show::kind_name(term).to_owned(), format!("({})", problem.message)),
        };
        Binding { name, kind, is_variable: matches!(term, Term::Variable(_)), value, failures }
    }

    pub(crate) fn failures(&self) -> BTreeMap<Handle, Failures> {
        self.world.failures().clone()
    }

    /// Whether the value of each form becomes a line, as it does at first. Showing a variable reads it.
    pub fn show_values(&mut self, shows_values: bool) {
        self.shows_values = shows_values;
    }

    /// Lets `interrupt` stop the form under way; it fails then, and what it did before stays done.
    pub fn interrupt_by(&mut self, interrupt: Interrupt) {
        self.world.host().interruptible(interrupt.clone());
        self.world.interrupt = interrupt;
    }

    /// Unbinds a name; whether it was bound.
    pub fn forget(&mut self, name: &str) -> bool {
        self.checker.forget(name);
        self.env.forget(name)
    }
}

/// Replaces the variables in `term` by what `look_up` gives for them.
fn resolve<E>(term: &Term, look_up: &mut dyn FnMut(crate::term::Variable) -> Result<Term, E>) -> Result<Term, E> {
    match term {
        Term::Variable(variable) => look_up(*variable),
        Term::Mixed(mixed, _) => Ok(match &**mixed {
            Mixed::Tuple(items) => {
                Term::tuple(items.iter().map(|item| resolve(item, look_up)).collect::<Result<_, E>>()?)
            }
            Mixed::List(items) => {
                Term::list(items.iter().map(|item| resolve(item, look_up)).collect::<Result<_, E>>()?)
            }
            Mixed::Map(entries) => {
                let entries = entries.iter().map(|(key, item)| Ok((key.clone(), resolve(item, look_up)?)));
                Term::map(entries.collect::<Result<_, E>>()?)
            }
        }),
        other => Ok(other.clone()),
    }
}
