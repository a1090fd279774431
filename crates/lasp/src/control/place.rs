//! A running node as a program sees it: a host in real time, whose thread waits for the node and never the other way round.
//!
//! The variables that a program declares without a name stay at this node, where they end with it: nobody else could name
//! them. So do its derivations (what they brought into declared variables stays there), what it waits for and watches.

use super::session::Job;
use super::signals::{Interrupted, Signals};
use crate::api::{Ask, Lasp, Watch};
use crate::error::Error;
use crate::host::failures::Failures;
use lasp_dataflow::{DerivationId, Op, Operator, Output, Target, Threshold, Type, Value, VarId};
use lasp_lang::fault::Problem;
use lasp_lang::host::{Fault, Host, HostEvent, Progress, Refusal, TriggerId};
use lasp_lang::term::Handle;
use lasp_node::{Composition, Interests, Reply, Request, Source, Step};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// What the thread is woken for besides triggers, whose numbers begin behind it.
const FAILURES: u64 = 1;

/// Waits and watches of one session. A guess: far above what a person has.
const MAX_TRIGGERS: usize = 4096;

/// A node counts as settled when for this long nothing was under way and nothing changed there. A guess: a few round trips.
const REST: Duration = Duration::from_millis(300);

/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// How long `settle` may take: where others keep changing things it would never end. A guess.
const SETTLE_MAX: Duration = Duration::from_secs(60);

/// What a program waits for.
enum Trigger {
    Read(Ask<Output>),
    Need(Ask<()>),
    Watch(Watch),
}

/// One node, for one program.
pub(super) struct Place {
    lasp: Lasp,
    signals: Arc<Signals<Job>>,
    start: Instant,
    variables: Vec<(VarId, Type)>,
    known: BTreeMap<VarId, Handle>,
    triggers: BTreeMap<u64, Trigger>,
    last_trigger: u64,
    failures: Arc<Failures>,
    events: VecDeque<HostEvent>,
    /// Whether something was done whose consequences may not have been heard yet.
    unheard: bool,
    interested: BTreeSet<String>,
    /// What the program derives, and the variables that it declared without a name: they end with it.
    derivations: Vec<DerivationId>,
    nameless: Vec<VarId>,
}

impl Place {
    pub(super) fn new(lasp: Lasp, signals: Arc<Signals<Job>>) -> Self {
        let failures = lasp.failures();
        let mut place = Self {
            lasp,
            signals,
            start: Instant::now(),
            variables: Vec::new(),
            known: BTreeMap::new(),
            triggers: BTreeMap::new(),
            last_trigger: FAILURES,
            failures,
            events: VecDeque::new(),
            unheard: false,
            interested: BTreeSet::new(),
            derivations: Vec::new(),
            nameless: Vec::new(),
        };
        place.take_failures();
        place
    }

    /// What the node answers.
    fn ask<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Refusal> {
        match self.signals.block_on(work) {
            Ok(answer) => answer.map_err(refused),
            Err(Interrupted) => Err(Problem::new("this was interrupted").hint("it may or may not have been done")),
        }
    }

    /// Asks for a derivation, which ends with the session.
    fn derived(&mut self, request: Request) -> Result<VarId, Refusal> {
        self.unheard = true;
        match self.ask(self.lasp.request(request))? {
            Reply::Derived { var, derivation } => {
                self.derivations.push(derivation);
                Ok(var)
            }
            _ => no_reply(),
        }
    }

    fn variable(&self, handle: Handle) -> VarId {
        self.variables[handle.0 as usize].0
    }

    fn handle(&mut self, var: VarId, ty: Type) -> Handle {
        let next = Handle(u32::try_from(self.variables.len()).unwrap_or(u32::MAX));
        let handle = *self.known.entry(var).or_insert(next);
        if handle == next {
            self.variables.push((var, ty));
        }
        handle
    }

    // ---- events ----

    /// After everything that was asked so far has been done, with all its consequences.
    fn fence(&mut self) {
        if std::mem::take(&mut self.unheard) && !(self.derivations.is_empty() && self.triggers.is_empty()) {
            let _ = self.ask(self.lasp.inspect(|_| ())); // whether it was interrupted shows elsewhere
        }
    }

    /// Takes in what the futures that were woken have to say.
    fn collect(&mut self) {
        for id in self.signals.take_woken() {
            if id == FAILURES {
                self.take_failures();
            } else {
                self.poll_trigger(id);
            }
        }
    }

    fn take_failures(&mut self) {
        let waker = self.signals.waker(FAILURES);
        while let Poll::Ready(error) = self.failures.poll_next(&Context::from_waker(&waker)) {
            if let Some(handle) = self.known.get(&error.var) {
                self.events.push_back(HostEvent::derivation_failed(1, Some(*handle), &error));
            }
        }
    }

    /// Polls a trigger until it has nothing to say; one that has ended is dropped.
    fn poll_trigger(&mut self, id: u64) {
        let waker = self.signals.waker(id);
        let mut cx = Context::from_waker(&waker);
        let Some(trigger) = self.triggers.get_mut(&id) else { return };
        let over = match trigger {
            Trigger::Read(ask) => is_over(Pin::new(ask).poll(&mut cx), id, &mut self.events),
            Trigger::Need(ask) => is_over(Pin::new(ask).poll(&mut cx), id, &mut self.events),
            Trigger::Watch(watch) => loop {
                match watch.poll_next(&mut cx) {
                    Poll::Ready(Ok(Some(output))) => self.events.push_back(HostEvent::Changed(TriggerId(id), output)),
                    Poll::Ready(Ok(None) | Err(_)) => break true,
                    Poll::Pending => break false,
                }
            },
        };
        if over {
            self.triggers.remove(&id);
        }
    }

    fn add_trigger(&mut self, trigger: Trigger) -> u64 {
        self.last_trigger += 1;
        self.triggers.insert(self.last_trigger, trigger);
        self.poll_trigger(self.last_trigger);
        self.last_trigger
    }

    fn declare_nameless(&mut self, ty: &Type) -> Result<Handle, Refusal> {
        match self.ask(self.lasp.request(Request::Declare { name: None, ty: ty.clone(), local: true }))? {
            Reply::Var(var) => {
                self.nameless.push(var);
                Ok(self.handle(var, ty.clone()))
            }
            _ => no_reply(),
        }
    }

    /// Asks for something that takes its time; refused at once where it is refused.
    fn wait_for<T>(&mut self, ask: Ask<T>, trigger: fn(Ask<T>) -> Trigger) -> Result<TriggerId, Refusal> {
        self.has_room()?;
        let mut ask = self.ask(ask.queue())?;
        self.ask(self.lasp.inspect(|_| ()))?; // a threshold that the type has not is refused by now
        let waker = self.signals.waker(0);
        match Pin::new(&mut ask).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(answer) => {
                answer.map_err(refused)?;
                self.last_trigger += 1;
                self.events.push_back(HostEvent::Met(TriggerId(self.last_trigger)));
                Ok(TriggerId(self.last_trigger))
            }
            Poll::Pending => Ok(TriggerId(self.add_trigger(trigger(ask)))),
        }
    }

    fn has_room(&self) -> Result<(), Refusal> {
        if self.triggers.len() < MAX_TRIGGERS {
            return Ok(());
        }
        Err(Problem::new(format!("this session has {MAX_TRIGGERS} triggers and waits already"))
            .hint("`lasp install` runs a program at the nodes themselves"))
    }

    /// Waits for events until `until`; [`Progress::Deadline`] then.
    fn wait_until(&mut self, until: Option<Instant>) -> Progress {
        loop {
            self.collect();
            if !self.events.is_empty() {
                return Progress::Events;
            }
            match self.signals.wait(until) {
                Ok(true) => {}
                Ok(false) => return Progress::Deadline,
                Err(Interrupted) => return Progress::Interrupted,
            }
        }
    }

    /// Waits until the node is at rest.
    fn settle(&mut self) -> Progress {
        let begun = Instant::now();
        let (mut seen, mut since) = (None, begun);
        loop {
            let look = self.lasp.inspect(|node| (node.is_quiescent(), node.fingerprint(), node.waiting()));
            let now = match self.signals.block_on(look) {
                Ok(Ok(now)) => now,
                Ok(Err(_)) | Err(Interrupted) => return Progress::Interrupted,
            };
            if seen != Some(now) || !now.0 {
                (seen, since) = (Some(now), Instant::now());
            }
            if since.elapsed() >= REST {
                return Progress::Quiet;
            }
            if begun.elapsed() >= SETTLE_MAX {
                return Progress::Deadline;
            }
            match self.wait_until(Some(Instant::now() + LOOK)) {
                Progress::Deadline => {}
                other => return other,
            }
        }
    }
}

/// What nobody else could name goes, the latest first. A variable that something else has come to depend on stays.
impl Drop for Place {
    fn drop(&mut self) {
        self.triggers.clear();
        let lasp = self.lasp.clone();
        let (derivations, nameless) = (std::mem::take(&mut self.derivations), std::mem::take(&mut self.nameless));
        self.lasp.spawn(async move {
            for derivation in derivations.into_iter().rev() {
                let _ = lasp.request(Request::RemoveDerivation(derivation)).await;
            }
            for var in nameless.into_iter().rev() {
                let _ = lasp.undeclare(var).await;
            }
        });
    }
}

/// Whether a wait has ended, which is told if it has ended well.
fn is_over<T>(answer: Poll<Result<T, Error>>, id: u64, events: &mut VecDeque<HostEvent>) -> bool {
    if let Poll::Ready(Ok(_)) = answer {
        events.push_back(HostEvent::Met(TriggerId(id)));
    }
    answer.is_ready()
}

fn refused(error: Error) -> Refusal {
    Problem::new(error.to_string())
}

fn no_reply<T>() -> Result<T, Refusal> {
    Err(Problem::new("the node gave an answer to another request"))
}

impl Host for Place {
    fn nodes(&self) -> usize {
        0
    }

    fn declare(&mut self, _node: usize, name: Option<&str>, ty: &Type) -> Result<Handle, Refusal> {
        match name {
            Some(name) => {
                let var = self.ask(self.lasp.declare(name, ty.clone()))?;
                Ok(self.handle(var, ty.clone()))
            }
            None => self.declare_nameless(ty),
        }
    }

    fn declare_dynamic(&mut self, _node: usize, name: Option<&str>, ty: &Type) -> Result<Handle, Refusal> {
        match name {
            Some(name) => {
                let var = self.ask(self.lasp.declare_local(name, ty.clone()))?;
                Ok(self.handle(var, ty.clone()))
            }
            None => self.declare_nameless(ty),
        }
    }

    fn undeclare(&mut self, _node: usize, variable: Handle) -> Result<(), Refusal> {
        let var = self.variable(variable);
        self.ask(self.lasp.undeclare(var))?;
        self.known.remove(&var);
        self.nameless.retain(|nameless| *nameless != var);
        Ok(())
    }

    fn type_of(&self, variable: Handle) -> Type {
        self.variables[variable.0 as usize].1.clone()
    }

    fn update(&mut self, _node: usize, variable: Handle, op: &Op) -> Result<(), Refusal> {
        self.unheard = true;
        self.ask(self.lasp.update(self.variable(variable), op.clone()))
    }

    fn bind(&mut self, _node: usize, variable: Handle, value: &Value) -> Result<(), Refusal> {
        self.unheard = true;
        self.ask(self.lasp.bind(self.variable(variable), value.clone())).map(drop)
    }

    fn bind_to(&mut self, _node: usize, into: Handle, from: Handle) -> Result<(), Refusal> {
        let (into, from) = (self.variable(into), self.variable(from));
        self.derived(Request::BindTo { into, from }).map(drop)
    }

    fn derive(
        &mut self,
        _node: usize,
        operator: Operator,
        inputs: &[Handle],
        into: Option<Handle>,
    ) -> Result<Handle, Refusal> {
        let inputs = inputs.iter().map(|input| Source::Var(self.variable(*input))).collect();
        let into = into.map_or(Target::Local(None), |into| Target::Into(self.variable(into)));
        let composition = Composition { steps: vec![Step { operator, inputs }] };
        let var = self.derived(Request::Compose { composition, into })?;
        let ty = self.ask(self.lasp.inspect(move |node| node.graph().info(var).map(|info| info.ty.clone())))?;
        Ok(self.handle(var, ty.unwrap_or(Type::AwSet)))
    }

    fn query(&mut self, _node: usize, variable: Handle) -> Result<Output, Refusal> {
        self.unheard = true; // a derived variable is computed when it is first read, and may fail then
        self.ask(self.lasp.query(self.variable(variable)))
    }

    fn wait(&mut self, _node: usize, variable: Handle, threshold: Threshold) -> Result<TriggerId, Refusal> {
        let read = self.lasp.read(self.variable(variable), threshold);
        self.wait_for(read, Trigger::Read)
    }

    fn wait_needed(&mut self, _node: usize, variable: Handle, threshold: Threshold) -> Result<TriggerId, Refusal> {
        let need = self.lasp.wait_needed(self.variable(variable), threshold);
        self.wait_for(need, Trigger::Need)
    }

    fn cancel(&mut self, wait: TriggerId) {
        self.triggers.remove(&wait.0);
        self.events.retain(|event| *event != HostEvent::Met(wait));
    }

    fn watch(&mut self, _node: usize, variable: Handle) -> Result<TriggerId, Refusal> {
        self.has_room()?;
        let watch = self.ask(self.lasp.watch(self.variable(variable)))?;
        Ok(TriggerId(self.add_trigger(Trigger::Watch(watch))))
    }

    fn enforce_once(&mut self, _: usize, _: Handle, _: Threshold, _: u64) -> Result<TriggerId, Refusal> {
        Err(Problem::new("`enforce_once` must outlive this session, which ends with its client")
            .hint("`lasp install FILE` makes a program the cluster's own"))
    }

    /// What the session is interested in is added to what the node hears, and taken off it where the session no longer
    /// is; a node that hears everything goes on hearing everything.
    fn interests(&mut self, _node: usize, patterns: Option<&[String]>) -> Result<(), Refusal> {
        let Interests::Prefixes(wanted) = Interests::prefixes(patterns.unwrap_or_default().iter().cloned()) else {
            return no_reply();
        };
        let heard = self.ask(self.lasp.inspect(|node| node.interests().clone()))?;
        let interests = match (patterns, heard) {
            (None, _) => Interests::All,
            (_, Interests::All) => return Ok(()),
            (_, Interests::Prefixes(mut heard)) => {
                heard.retain(|prefix| wanted.contains(prefix) || !self.interested.contains(prefix));
                heard.extend(wanted.iter().cloned());
                Interests::Prefixes(heard)
            }
        };
        self.ask(self.lasp.interested(interests))?;
        self.interested = wanted;
        Ok(())
    }

    fn fault(&mut self, _fault: &Fault) -> Result<(), Refusal> {
        Err(Problem::new("a real cluster cannot be disturbed"))
    }

    fn poll(&mut self) -> Option<HostEvent> {
        self.fence();
        self.collect();
        self.events.pop_front()
    }

    fn advance(&mut self, deadline_ms: Option<u64>) -> Progress {
        match deadline_ms {
            Some(deadline_ms) => self.wait_until(Some(self.start + Duration::from_millis(deadline_ms))),
            None => self.settle(),
        }
    }

    fn await_events(&mut self) -> Progress {
        self.wait_until(None)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn divergence(&mut self) -> Vec<String> {
        Vec::new() // one node knows itself alone
    }
}
