//! The effects of a session: operations go to the host, its events become actions of the program, prints become lines.

use super::views::Views;
use super::{Line, resolve};
use crate::diagnostic::Diagnostic;
use crate::fault::{Problem, Trap};
use crate::function::Function;
use crate::host::{Host, HostEvent, Progress, TriggerId};
use crate::interrupt::Interrupt;
use crate::machine::{Action, Effects, Step, Waiting};
use crate::show;
use crate::source::Source;
use crate::term::{Handle, Term, Variable};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// What runs when the host reports a trigger.
#[derive(Debug)]
pub(super) struct Trigger {
    pub(super) node: usize,
    pub(super) function: Function,
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
pub struct World<H: Host> {
    pub(super) host: H,
    pub(super) triggers: BTreeMap<TriggerId, Trigger>,
    /// Thresholds met that a `read` waits for.
    met: BTreeSet<TriggerId>,
    due: VecDeque<Action>,
    lines: Vec<Line>,
    /// Where the functions of derived variables stand; `None` for functions of several programs.
    sources: BTreeMap<Handle, Option<Arc<Source>>>,
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

impl<H: Host> std::fmt::Debug for World<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "World({} triggers, form {})", self.triggers.len(), self.form)
    }
}

impl<H: Host> World<H> {
    pub(super) fn new(host: H) -> Self {
        Self {
            host,
            triggers: BTreeMap::new(),
            met: BTreeSet::new(),
            due: VecDeque::new(),
            lines: Vec::new(),
            sources: BTreeMap::new(),
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

    /// What comes from now on belongs to form number `form`. Actions that a failed form left behind are dropped.
    pub(super) fn start_form(&mut self, form: usize) {
        self.form = form;
        self.due.clear();
        self.met.clear();
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
        self.lines.push(Line::Printed { form: self.form, node, kind, text, json });
        Ok(())
    }

    /// Takes what the host reports: a met threshold, an action that is due, a derivation that failed.
    fn absorb(&mut self) {
        while let Some(event) = self.host.poll() {
            match event {
                HostEvent::Met(id) => match self.triggers.remove(&id) {
                    Some(trigger) => self.enqueue(trigger.node, trigger.function, Vec::new()),
                    None => drop(self.met.insert(id)),
                },
                HostEvent::Changed(id, output) => {
                    if let Some(trigger) = self.triggers.get(&id) {
                        let (node, function) = (trigger.node, trigger.function.clone());
                        self.enqueue(node, function, vec![Term::output(output)]);
                    }
                }
                HostEvent::DerivationFailed { node, variable, message, at } => {
                    if let Some(variable) = variable {
                        self.failures.entry(variable).or_default().note(node, &message);
                    }
                    let place = at.and_then(|at| {
                        let variable = variable?;
                        let in_program = || Some((self.sources.get(&variable)?.clone()?, at));
                        self.views.place(variable, at).or_else(in_program)
                    });
                    let report = place.map(|(source, span)| {
                        (source, Box::new(Diagnostic::error(span, format!("at node {node}, {message}"))))
                    });
                    self.lines.push(Line::DerivationFailed { form: self.form, node, message, report });
                }
            }
        }
    }

    /// Remembers the programs of the functions that derive `variable`, for reports.
    pub(super) fn derived_by(&mut self, variable: Handle, args: &[Term]) {
        let mut open: Vec<Term> = args.to_vec();
        while let Some(arg) = open.pop() {
            let Term::Function(function) = &arg else {
                open.extend(arg.mixed_parts().cloned());
                continue;
            };
            let source = function.source().cloned();
            let known = self.sources.entry(variable).or_insert_with(|| source.clone());
            let same = matches!((&*known, &source), (Some(a), Some(b)) if Arc::ptr_eq(a, b));
            if !same {
                *known = None;
            }
        }
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
        self.due.push_back(Action { node, function, args });
    }

    /// The first of the thresholds that is met already, else the wait itself.
    pub(super) fn first_met(&mut self, waiting: Waiting) -> Result<Step, Problem> {
        self.absorb();
        let Waiting::Thresholds { waits, any, .. } = &waiting else {
            return Ok(Step::Wait(waiting));
        };
        match waits.iter().find(|(id, _)| self.met.contains(id)) {
            Some((_, variable)) if *any => Ok(Step::Done(Term::Variable(*variable))),
            Some((_, variable)) => self.value(*variable).map(Step::Done),
            None => Ok(Step::Wait(waiting)),
        }
    }

    fn settle(&mut self, waiting: &Waiting) -> Step {
        if matches!(self.host.advance(None), Progress::Events | Progress::Interrupted) {
            return Step::Wait(waiting.clone());
        }
        let names = self.host.divergence();
        if names.is_empty() {
            return Step::Done(Term::atom("converged"));
        }
        let names = names.into_iter().map(Term::scalar).collect();
        Step::Done(Term::tuple(vec![Term::atom("diverged"), Term::list(names)]))
    }

    fn sleep(&mut self, deadline_ms: u64, waiting: &Waiting) -> Step {
        if self.host.now_ms() >= deadline_ms {
            return Step::Done(Term::ok());
        }
        match self.host.advance(Some(deadline_ms)) {
            Progress::Events | Progress::Interrupted => Step::Wait(waiting.clone()),
            Progress::Deadline | Progress::Quiet => Step::Done(Term::ok()),
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
        let stopped = matches!(self.host.advance(deadline_ms), Progress::Events | Progress::Interrupted);
        if stopped || !self.due.is_empty() {
            return Ok(Step::Wait(waiting.clone()));
        }
        if deadline_ms.is_some() {
            return Ok(Step::Done(Term::atom("timeout")));
        }
        let (_, variable) = waits.first().ok_or_else(|| Problem::new("there is nothing to wait for"))?;
        let now = show::short(&self.value(*variable)?);
        Err(Problem::new("this would wait for ever: nothing is in flight and the threshold is not reached")
            .hint(format!("at node {} the value is {now}", variable.node)))
    }
}

impl<H: Host> Effects for World<H> {
    fn operate(&mut self, node: usize, name: &str, args: Vec<Term>) -> Result<Step, Trap> {
        self.perform(node, name, &args)
    }

    fn resume(&mut self, waiting: &Waiting) -> Result<Step, Problem> {
        match waiting {
            Waiting::Settle => Ok(self.settle(waiting)),
            Waiting::Until(deadline_ms) => Ok(self.sleep(*deadline_ms, waiting)),
            Waiting::Thresholds { waits, deadline_ms, .. } => self.thresholds(waits, *deadline_ms, waiting),
        }
    }

    fn next_action(&mut self) -> Option<Action> {
        self.absorb();
        self.due.pop_front()
    }

    fn nodes(&self) -> usize {
        self.host.nodes()
    }

    fn interrupted(&self) -> bool {
        self.interrupt.is_raised()
    }
}
