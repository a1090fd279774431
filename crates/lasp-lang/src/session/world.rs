//! The effects of a session: operations go to the host, its events become actions of the program, prints become lines.

use super::derived::Derived;
use super::identity::Identities;
use super::views::Views;
use super::{Line, resolve};
use crate::diagnostic::Diagnostic;
use crate::fault::{Problem, Trap};
use crate::function::Function;
use crate::host::{Host, HostEvent, Progress, TriggerId};
use crate::interrupt::Interrupt;
use crate::machine::{Action, Effects, Place, Step, Waiting};
use crate::show;
use crate::source::Span;
use crate::term::{Handle, Term, Variable};
use lasp_dataflow::FunctionError;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What runs when the host reports a trigger.
#[derive(Debug)]
pub(super) struct Trigger {
    pub(super) node: usize,
    pub(super) function: Function,
    /// Of an `invariant`: what it is known by when it has fired.
    pub(super) identity: Option<u64>,
}

/// An action that is to run, and the enforcement it belongs to.
#[derive(Debug)]
struct Due {
    action: Action,
    once: Option<TriggerId>,
}

/// What went wrong where a variable is derived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many elements were left out so far, on all nodes.
    pub count: u64,
    /// The last of them.
    pub last: String,
}

impl Failures {
    fn note(&mut self, node: usize, message: &str) {
        self.count += 1;
        self.last = format!("at node {node}, {message}");
    }
}

/// A host with what a session remembers of it.
pub struct World<H> {
    pub(super) host: H,
    pub(super) triggers: BTreeMap<TriggerId, Trigger>,
    pub(super) identities: Identities,
    /// Thresholds met that a `read` waits for.
    met: BTreeSet<TriggerId>,
    due: VecDeque<Due>,
    /// The enforcement whose action runs, and where.
    firing: Option<(usize, TriggerId)>,
    lines: Vec<Line>,
    /// Where lines go as they come, instead of `lines`.
    sink: Option<Box<dyn FnMut(Line) + Send>>,
    /// Where the operation under way is called.
    called_at: Option<Place>,
    derived: Derived,
    /// Derived variables that nobody has read, and from which nothing else follows.
    pub(super) unread: BTreeSet<(usize, Handle)>,
    /// What SQL knows of this session.
    pub(super) views: Views,
    /// Derived variables that are no sets: they have the type of their value.
    pub(super) folds: BTreeSet<Handle>,
    pub(super) patterns: BTreeMap<usize, BTreeSet<String>>,
    failures: BTreeMap<Handle, Failures>,
    pub(super) interrupt: Interrupt,
    form: usize,
}

impl<H> std::fmt::Debug for World<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "World({} triggers, form {})", self.triggers.len(), self.form)
    }
}

impl<H> World<H> {
    pub(super) fn new(host: H) -> Self {
        Self {
            host,
            triggers: BTreeMap::new(),
            identities: Identities::default(),
            met: BTreeSet::new(),
            due: VecDeque::new(),
            firing: None,
            lines: Vec::new(),
            sink: None,
            called_at: None,
            derived: Derived::default(),
            unread: BTreeSet::new(),
            views: Views::default(),
            folds: BTreeSet::new(),
            patterns: BTreeMap::new(),
            failures: BTreeMap::new(),
            interrupt: Interrupt::default(),
            form: 0,
        }
    }

    pub(super) fn host(&mut self) -> &mut H {
        &mut self.host
    }

    /// The same on another host, which knows the variables and triggers by the same numbers; and the one before.
    pub(super) fn rehost<G>(self, host: G) -> (World<G>, H) {
        let Self { host: before, triggers, identities, met, due, firing, lines, sink, .. } = self;
        let Self { called_at, derived, unread, views, folds, patterns, failures, interrupt, form, .. } = self;
        let world = World {
            host,
            triggers,
            identities,
            met,
            due,
            firing,
            lines,
            sink,
            called_at,
            derived,
            unread,
            views,
            folds,
            patterns,
            failures,
            interrupt,
            form,
        };
        (world, before)
    }

    pub(super) fn host_ref(&self) -> &H {
        &self.host
    }
}

impl<H: Host> World<H> {
    /// What comes from now on belongs to form number `form`. Actions that a failed form left behind are dropped.
    pub(super) fn start_form(&mut self, form: usize) {
        self.form = form;
        self.end_firing();
        self.due.clear();
        self.met.clear();
    }

    pub(super) fn stream_to(&mut self, sink: Box<dyn FnMut(Line) + Send>) {
        self.sink = Some(sink);
    }

    fn emit(&mut self, line: Line) {
        match &mut self.sink {
            Some(sink) => sink(line),
            None => self.lines.push(line),
        }
    }

    pub(super) fn flush(&mut self, out: &mut dyn FnMut(Line)) {
        self.absorb();
        self.lines.drain(..).for_each(out);
    }

    /// `term` with its variables replaced by their values, and what it was: a variable's type or a value's kind.
    pub(super) fn resolve_with_kind(&mut self, term: &Term) -> Result<(String, Term), Problem> {
        let kind = match term {
            Term::Variable(variable) if !self.folds.contains(&variable.handle) => {
                Some(show::type_name(&self.host.type_of(variable.handle)))
            }
            _ => None,
        };
        let resolved = resolve(term, &mut |variable| self.value(variable))?;
        Ok((kind.unwrap_or_else(|| show::kind_name(&resolved).to_owned()), resolved))
    }

    pub(super) fn failures(&self) -> &BTreeMap<Handle, Failures> {
        &self.failures
    }

    /// Reads what nobody has read, so that what fails there is told.
    pub(super) fn read_rest(&mut self) {
        for (node, handle) in std::mem::take(&mut self.unread) {
            // A node that is down has nothing to tell.
            _ = self.host.query(node, handle);
        }
    }

    pub(super) fn value(&mut self, variable: Variable) -> Result<Term, Problem> {
        self.unread.remove(&(variable.node, variable.handle));
        self.host.query(variable.node, variable.handle).map(Term::output)
    }

    pub(super) fn print(&mut self, node: usize, term: &Term) -> Result<(), Problem> {
        let (kind, resolved) = self.resolve_with_kind(term)?;
        let (text, json) = (show::plain(&resolved), show::json(&resolved));
        self.emit(Line::Printed { form: self.form, node, kind, text, json });
        Ok(())
    }

    /// Takes what the host reports: a met threshold, an action that is due, a derivation that failed.
    fn absorb(&mut self) {
        while let Some(event) = self.host.poll() {
            match event {
                HostEvent::Met(id) => match self.triggers.remove(&id) {
                    Some(trigger) => {
                        self.identities.fired.extend(trigger.identity);
                        self.enqueue(trigger.node, trigger.function, Vec::new());
                    }
                    None => drop(self.met.insert(id)),
                },
                HostEvent::Due { id, node } => {
                    if let Some(trigger) = self.triggers.get(&id) {
                        let action = Action { node, function: trigger.function.clone(), args: Vec::new() };
                        self.due.push_back(Due { action, once: Some(id) });
                    }
                }
                HostEvent::Changed(id, output) => {
                    if let Some(trigger) = self.triggers.get(&id) {
                        let (node, function) = (trigger.node, trigger.function.clone());
                        self.enqueue(node, function, vec![Term::output(output)]);
                    }
                }
                HostEvent::DerivationFailed { node, variable, message, operator, error } => {
                    if let Some(variable) = variable {
                        self.failures.entry(variable).or_default().note(node, &message);
                    }
                    let place = variable.and_then(|variable| self.place_of_failure(variable, operator, &error));
                    let report = place.map(|((source, span), label)| {
                        let report = Diagnostic::error(span, format!("at node {node}, {message}")).label(label);
                        (source, Box::new(report))
                    });
                    self.emit(Line::DerivationFailed { form: self.form, node, message, report });
                }
            }
        }
    }

    /// The part of a function that failed, else the call that derives the variable, and what to say about that.
    fn place_of_failure(
        &self,
        variable: Handle,
        operator: &str,
        error: &FunctionError,
    ) -> Option<(Place, &'static str)> {
        if let (Some((start, end)), None) = (error.at, &error.program)
            && let Some(place) = self.views.place(variable, Span::new(start, end))
        {
            return Some((place, ""));
        }
        self.derived.place(variable, operator, error)
    }

    /// Remembers where `variable` is derived, and the programs of the functions that derive it, for reports.
    pub(super) fn derived_by(&mut self, operation: &str, variable: Handle, args: &[Term]) {
        self.derived.note(operation, variable, self.called_at.clone(), args);
    }

    /// Notes that `result` follows from `inputs`: whoever reads it reads them, too.
    pub(super) fn follows(&mut self, node: usize, result: Handle, inputs: &[Handle], is_local: bool) {
        for input in inputs {
            self.unread.remove(&(node, *input));
        }
        if is_local {
            self.unread.insert((node, result));
        }
    }

    fn enqueue(&mut self, node: usize, function: Function, args: Vec<Term>) {
        self.due.push_back(Due { action: Action { node, function, args }, once: None });
    }

    /// Whether an action waits to be run.
    pub(super) fn has_due(&mut self) -> bool {
        self.absorb();
        !self.due.is_empty()
    }

    /// The action of the enforcement that was under way has ended.
    pub(super) fn end_firing(&mut self) {
        if let Some((node, id)) = self.firing.take() {
            self.host.end_once(node, id);
        }
    }

    /// The first of the thresholds that is met already, else the wait itself.
    pub(super) fn first_met(&mut self, waiting: Waiting) -> Result<Step, Problem> {
        self.absorb();
        let Waiting::Thresholds { waits, any, .. } = &waiting else {
            return Ok(Step::Wait(waiting));
        };
        let Some((_, variable)) = waits.iter().find(|(id, _)| self.met.contains(id)) else {
            return Ok(Step::Wait(waiting));
        };
        self.give_up(waits);
        if *any { Ok(Step::Done(Term::Variable(*variable))) } else { self.value(*variable).map(Step::Done) }
    }

    fn give_up(&mut self, waits: &[(TriggerId, Variable)]) {
        for (id, _) in waits {
            if !self.met.remove(id) {
                self.host.cancel(*id);
            }
        }
    }

    fn settle(&mut self, waiting: &Waiting) -> Result<Step, Problem> {
        match self.host.advance(None) {
            Progress::Events | Progress::Interrupted => return Ok(Step::Wait(waiting.clone())),
            Progress::Deadline => {
                let problem = Problem::new("the node did not come to rest: others keep changing what it holds");
                return Err(problem.hint("`read` waits for a value, `sleep` for a time"));
            }
            Progress::Quiet => {}
        }
        let names = self.host.divergence();
        if names.is_empty() {
            return Ok(Step::Done(Term::atom("converged")));
        }
        let names = names.into_iter().map(Term::scalar).collect();
        Ok(Step::Done(Term::tuple(vec![Term::atom("diverged"), Term::list(names)])))
    }

    fn sleep(&mut self, deadline_ms: u64, waiting: &Waiting) -> Result<Step, Problem> {
        if self.host.now_ms() >= deadline_ms {
            return Ok(Step::Done(Term::ok()));
        }
        match self.host.advance(Some(deadline_ms)) {
            Progress::Events | Progress::Interrupted => Ok(Step::Wait(waiting.clone())),
            Progress::Deadline | Progress::Quiet => Ok(Step::Done(Term::ok())),
        }
    }

    fn thresholds(
        &mut self,
        waits: &[(TriggerId, Variable)],
        deadline_ms: Option<u64>,
        waiting: &Waiting,
    ) -> Result<Step, Problem> {
        if let done @ Step::Done(_) = self.first_met(waiting.clone())? {
            return Ok(done);
        }
        let progress = if deadline_ms.is_some() { self.host.advance(deadline_ms) } else { self.host.await_events() };
        match progress {
            Progress::Interrupted => {
                self.give_up(waits);
                return Ok(Step::Wait(waiting.clone()));
            }
            Progress::Events => return Ok(Step::Wait(waiting.clone())),
            _ if !self.due.is_empty() => return Ok(Step::Wait(waiting.clone())),
            Progress::Deadline | Progress::Quiet => {}
        }
        if deadline_ms.is_some() {
            self.give_up(waits);
            return Ok(Step::Done(Term::atom("timeout")));
        }
        let (_, variable) = waits.first().ok_or_else(|| Problem::new("there is nothing to wait for"))?;
        let now = show::short(&self.value(*variable)?);
        Err(Problem::new("this would wait for ever: nothing is in flight and the threshold is not reached")
            .hint(format!("at node {} the value is {now}", variable.node)))
    }
}

impl<H: Host> Effects for World<H> {
    fn operate(&mut self, node: usize, name: &str, args: Vec<Term>, at: Option<Place>) -> Result<Step, Trap> {
        self.called_at = at;
        self.perform(node, name, &args)
    }

    fn resume(&mut self, waiting: &Waiting) -> Result<Step, Problem> {
        match waiting {
            Waiting::Settle => self.settle(waiting),
            Waiting::Until(deadline_ms) => self.sleep(*deadline_ms, waiting),
            Waiting::Thresholds { waits, deadline_ms, .. } => self.thresholds(waits, *deadline_ms, waiting),
        }
    }

    fn abandon(&mut self, waiting: &Waiting) {
        if let Waiting::Thresholds { waits, .. } = waiting {
            self.give_up(waits);
        }
    }

    /// Asked for when the one before has ended.
    fn next_action(&mut self) -> Option<Action> {
        self.end_firing();
        self.absorb();
        let Due { action, once } = self.due.pop_front()?;
        if let Some(id) = once {
            self.host.begin_once(action.node, id);
            self.firing = Some((action.node, id));
        }
        Some(action)
    }

    fn nodes(&self) -> usize {
        self.host.nodes()
    }

    fn interrupted(&self) -> bool {
        self.interrupt.is_raised()
    }
}
