//! One replica: its graph, what it should hold, and whom it should have woken and told.

use crate::oracle::{self, Mistake};
use crate::program::{Derivation, Kind, Limit, Program, Reading, Spec, name_of};
use crate::provenance::Supported;
use lasp_crdt::{ReplicaId, Stamp, Timestamp};
use lasp_dataflow::{
    BindError, Cause, DeriveError, Graph, Name, Op, Output, State, Target, Type, Value, VarId, WaiterId, WatcherId,
};
use std::collections::{BTreeMap, BTreeSet};

/// What is wrong.
pub(crate) type Wrong = String;

/// A part of a message: news of one variable.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) var: usize,
    state: State,
    supported: Supported,
}

/// A reader that waits.
#[derive(Debug)]
struct Waiting {
    var: usize,
    limit: Limit,
}

pub(crate) struct Replica<'p> {
    program: &'p Program,
    mistake: Mistake,
    number: usize,
    lives: u64,
    graph: Graph,
    /// The handle of each variable that is here.
    vars: Vec<Option<VarId>>,
    /// Which derivations run.
    running: BTreeSet<usize>,
    /// What is derived into replicated variables, as far as it is known here.
    supported: BTreeMap<usize, Supported>,
    /// News of it that were not taken out yet.
    outbox: BTreeMap<(usize, Cause), Supported>,
    /// The values after the last step.
    values: Vec<Option<Output>>,
    watching: BTreeSet<(usize, usize)>,
    waiting: BTreeMap<usize, Waiting>,
    to_be_told: BTreeSet<WatcherId>,
    to_be_woken: BTreeSet<WaiterId>,
}

impl<'p> Replica<'p> {
    /// A replica whose program runs, as far as it runs from the start.
    pub(crate) fn new(program: &'p Program, number: usize, mistake: Mistake) -> Result<Self, Wrong> {
        let mut replica = Self {
            program,
            mistake,
            number,
            lives: 0,
            graph: Graph::new(id(number, 0)),
            vars: vec![None; program.vars.len()],
            running: BTreeSet::new(),
            supported: BTreeMap::new(),
            outbox: BTreeMap::new(),
            values: vec![None; program.vars.len()],
            watching: BTreeSet::new(),
            waiting: BTreeMap::new(),
            to_be_told: BTreeSet::new(),
            to_be_woken: BTreeSet::new(),
        };
        replica.declare_all()?;
        for id in program.derivations_at(number) {
            if !program.derivations[id].late {
                replica.derive(id)?;
            }
        }
        Ok(replica)
    }

    fn declare_all(&mut self) -> Result<(), Wrong> {
        for (at, var) in self.program.vars.iter().enumerate() {
            let Kind::Declared { ty, local } = &var.kind else { continue };
            if !var.on || !var.at.contains(self.number) {
                continue;
            }
            let name = name(at);
            let declared =
                if *local { self.graph.declare_local(name, ty.clone()) } else { self.graph.declare(name, ty.clone()) };
            self.vars[at] = Some(declared.map_err(|error| format!("declare: {error}"))?);
        }
        self.after_step()
    }

    /// Starts a derivation, if its inputs are here and it does not run yet.
    pub(crate) fn derive(&mut self, id: usize) -> Result<(), Wrong> {
        let program = self.program;
        let derivation = &program.derivations[id];
        let inputs: Option<Vec<VarId>> = derivation.inputs.iter().map(|&input| self.vars[input]).collect();
        let Some(inputs) = inputs.filter(|_| self.may_start(id)) else {
            return Ok(());
        };
        let output = &program.vars[derivation.output];
        let target = match (&output.kind, self.vars[derivation.output]) {
            (Kind::Result, _) => Target::Local(derivation.named.then(|| name(derivation.output))),
            (Kind::Declared { .. }, Some(var)) => Target::Into(var),
            (Kind::Declared { .. }, None) => return Ok(()),
        };
        let refused = |error: &dyn std::fmt::Display| format!("d{id} is refused: {error}");
        let var = if derivation.spec == Spec::Follow {
            let Target::Into(into) = target else { return Ok(()) };
            match self.graph.bind_to(into, inputs[0]) {
                Ok(()) => into,
                // It has been heard of already.
                Err(DeriveError::NotFresh(..)) => return Ok(()),
                Err(error) => return Err(refused(&error)),
            }
        } else {
            let ty = &self.graph.info(inputs[0]).expect("an input").ty;
            let Some(operator) = derivation.spec.operator(ty, program.named_functions) else { return Ok(()) };
            self.graph.derive(operator, &inputs, target).map_err(|error| refused(&error))?
        };
        self.vars[derivation.output] = Some(var);
        self.running.insert(id);
        self.after_step()
    }

    fn may_start(&self, id: usize) -> bool {
        let derivation = &self.program.derivations[id];
        self.program.has(derivation) && derivation.at.contains(self.number) && !self.running.contains(&id)
    }

    fn type_of(&self, var: usize) -> Option<&Type> {
        Some(&self.graph.info(self.vars[var]?)?.ty)
    }

    // What comes in.

    /// Applies an operation; one that is refused must change nothing.
    pub(crate) fn update(&mut self, var: usize, form: &Value, tick: u64) -> Result<(), Wrong> {
        let (Some(id), Some(ty)) = (self.vars[var], self.type_of(var)) else { return Ok(()) };
        let Ok(op) = Op::from_value(ty, form) else { return Ok(()) };
        let stamp = Stamp { time: Timestamp(tick), replica: self.graph.replica() };
        let before = self.graph.state(id).cloned();
        let refused = self.graph.update(id, &op, stamp).is_err();
        if refused && before.as_ref() != self.graph.state(id) {
            return Err(format!("the refused {form} changed {}", name_of(var)));
        }
        self.after_step()
    }

    pub(crate) fn bind(&mut self, var: usize, value: &Value) -> Result<(), Wrong> {
        let Some(id) = self.vars[var] else { return Ok(()) };
        match self.graph.bind(id, value) {
            Ok(_) | Err(BindError::Literal(_) | BindError::Clash { .. }) => self.after_step(),
            Err(error) => Err(format!("bind: {error}")),
        }
    }

    /// Takes a part of a message; `true` if it said anything new. What has no variable here is not heard.
    pub(crate) fn hear(&mut self, part: &Part) -> Result<bool, Wrong> {
        let Some(id) = self.vars[part.var].filter(|_| !self.program.vars[part.var].is_local()) else {
            return Ok(false);
        };
        let grew = self.graph.merge(id, part.state.clone());
        self.learn(part.var, &part.supported, Cause::Received);
        self.after_step()?;
        Ok(grew)
    }

    fn learn(&mut self, var: usize, supported: &Supported, cause: Cause) {
        let news = self.supported.entry(var).or_default().join(supported);
        if !news.is_empty() {
            self.outbox.entry((var, cause)).or_default().join(&news);
        }
    }

    // What goes out.

    /// Takes out what is new, and checks who was woken and told.
    pub(crate) fn drain(&mut self) -> Result<Vec<Part>, Wrong> {
        let effects = self.graph.drain();
        let told: BTreeSet<WatcherId> = effects.changed.iter().copied().collect();
        let expected = std::mem::take(&mut self.to_be_told);
        if told != expected {
            return Err(format!("watchers {told:?} were told, but {expected:?} should have been"));
        }
        let woken: BTreeSet<WaiterId> = effects.met.iter().copied().collect();
        let expected = std::mem::take(&mut self.to_be_woken);
        if woken != expected {
            return Err(format!("readers {woken:?} were woken, but {expected:?} should have been"));
        }
        let mut parts = Vec::new();
        for delta in effects.deltas {
            let var = self.vars.iter().position(|held| *held == Some(delta.var)).ok_or("news of no variable")?;
            let supported = self.outbox.remove(&(var, delta.cause)).unwrap_or_default();
            parts.push(self.part(var, delta.delta, supported)?);
        }
        for ((var, _), supported) in std::mem::take(&mut self.outbox) {
            if !self.program.vars[var].is_local() {
                return Err(format!("{} has news that did not come out: {supported:?}", name_of(var)));
            }
        }
        Ok(parts)
    }

    /// A part of a message, as it comes off the wire.
    fn part(&self, var: usize, state: State, supported: Supported) -> Result<Part, Wrong> {
        let ty = self.type_of(var).ok_or("news of no variable")?;
        let bytes = lasp_crdt::codec::to_bytes(&state);
        let mut plain = lasp_crdt::codec::Plain;
        let mut reader = lasp_crdt::codec::Reader::new(&bytes, &mut plain);
        let read = State::decode(ty, &mut reader).map_err(|error| format!("{state:?} does not decode: {error}"))?;
        if read != state || reader.remaining() > 0 {
            return Err(format!("{state:?} is {read:?} when decoded"));
        }
        Ok(Part { var, state: read, supported })
    }

    /// All that is known of a variable.
    pub(crate) fn whole(&self, var: usize) -> Result<Option<Part>, Wrong> {
        let Some(id) = self.vars[var] else { return Ok(None) };
        let state = self.graph.state(id).ok_or_else(|| format!("{} has no state", name_of(var)))?;
        let supported = self.supported.get(&var).cloned().unwrap_or_default();
        self.part(var, state.clone(), supported).map(Some)
    }

    /// What of a variable another replica lacks, by its digest.
    pub(crate) fn missing(&self, var: usize, at: &Self) -> Result<Option<Part>, Wrong> {
        let (Some(here), Some(there)) = (self.vars[var], at.vars[var]) else { return Ok(None) };
        let Some((state, known)) = self.graph.state(here).zip(at.graph.state(there)) else { return Ok(None) };
        let supported = self.supported.get(&var).cloned().unwrap_or_default();
        self.part(var, state.delta(&known.digest()), supported).map(Some)
    }

    // Readers.

    pub(crate) fn watch(&mut self, var: usize, watcher: usize) {
        let Some(id) = self.vars[var] else { return };
        self.graph.watch(WatcherId(watcher as u64), id);
        self.watching.insert((watcher, var));
    }

    pub(crate) fn unwatch(&mut self, watcher: usize) {
        self.graph.unwatch(WatcherId(watcher as u64));
        self.watching.retain(|(held, _)| *held != watcher);
        self.to_be_told.remove(&WatcherId(watcher as u64));
    }

    /// Waits from now on, as reader `number`.
    pub(crate) fn wait(&mut self, number: usize, var: usize, limit: &Limit) -> Result<(), Wrong> {
        let (Some(id), Some(ty)) = (self.vars[var], self.type_of(var)) else { return Ok(()) };
        let Some(threshold) = limit.threshold(ty) else { return Ok(()) };
        let Ok(met) = self.graph.wait(WaiterId(number as u64), id, threshold) else { return Ok(()) };
        let expected = self.is_met(var, limit);
        if met != expected {
            return Err(format!("a reader of {} waits for {limit}: met is {met}, not {expected}", name_of(var)));
        }
        if !met {
            self.waiting.insert(number, Waiting { var, limit: limit.clone() });
        }
        Ok(())
    }

    pub(crate) fn cancel(&mut self, number: usize) {
        self.graph.cancel(WaiterId(number as u64));
        self.waiting.remove(&number);
        self.to_be_woken.remove(&WaiterId(number as u64));
    }

    fn is_met(&self, var: usize, limit: &Limit) -> bool {
        let Some(value) = &self.values[var] else { return false };
        oracle::is_reached(limit, value, self.type_of(var))
    }

    // Faults.

    /// Stops, and comes back: with all it held that is durable, or with nothing and under another id.
    pub(crate) fn crash(&mut self, keeps: bool) -> Result<(), Wrong> {
        let saved: Vec<(usize, State)> = (0..self.vars.len())
            .filter(|&var| keeps && self.program.vars[var].ty().is_some())
            .filter_map(|var| Some((var, self.graph.state(self.vars[var]?)?.clone())))
            .collect();
        let supported = std::mem::take(&mut self.supported);
        let running = self.running.clone();
        if !keeps {
            self.lives += 1;
        }
        let mut fresh = Self::new_life(self.program, self.number, self.lives, self.mistake)?;
        let rerun = |fresh: &mut Self| running.iter().try_for_each(|&id| fresh.derive(id));
        // Programs start before or after what was stored is back.
        let early = saved.len() % 2 == 0;
        if early {
            rerun(&mut fresh)?;
        }
        for (var, state) in saved {
            let Some(id) = fresh.vars[var] else { continue };
            fresh.graph.merge(id, state);
            if let Some(held) = supported.get(&var) {
                fresh.learn(var, held, Cause::Received);
            }
            fresh.after_step()?;
        }
        if !early {
            rerun(&mut fresh)?;
        }
        *self = fresh;
        Ok(())
    }

    fn new_life(program: &'p Program, number: usize, lives: u64, mistake: Mistake) -> Result<Self, Wrong> {
        let mut fresh = Self {
            program,
            mistake,
            number,
            lives,
            graph: Graph::new(id(number, lives)),
            vars: vec![None; program.vars.len()],
            running: BTreeSet::new(),
            supported: BTreeMap::new(),
            outbox: BTreeMap::new(),
            values: vec![None; program.vars.len()],
            watching: BTreeSet::new(),
            waiting: BTreeMap::new(),
            to_be_told: BTreeSet::new(),
            to_be_woken: BTreeSet::new(),
        };
        fresh.declare_all()?;
        Ok(fresh)
    }

    // What must hold.

    /// Everything that must hold between two steps.
    fn after_step(&mut self) -> Result<(), Wrong> {
        self.follow_provenance();
        let values = self.evaluate()?;
        let before = std::mem::replace(&mut self.values, values);
        for &(watcher, var) in &self.watching {
            if before[var] != self.values[var] {
                self.to_be_told.insert(WatcherId(watcher as u64));
            }
        }
        let met: Vec<usize> =
            self.waiting.iter().filter(|(_, w)| self.is_met(w.var, &w.limit)).map(|(number, _)| *number).collect();
        for number in met {
            self.waiting.remove(&number);
            self.to_be_woken.insert(WaiterId(number as u64));
        }
        for var in 0..self.vars.len() {
            if self.program.vars[var].reading == Reading::Always {
                self.check(var)?;
            }
        }
        Ok(())
    }

    /// Draws the consequences of what is known, for variables that are derived into.
    fn follow_provenance(&mut self) {
        let mut known: BTreeMap<usize, Supported> = BTreeMap::new();
        let program = self.program;
        let running: Vec<&Derivation> = program
            .derivations_at(self.number)
            .into_iter()
            .filter(|id| self.running.contains(id))
            .map(|id| &program.derivations[id])
            .collect();
        for derivation in running {
            for &input in &derivation.inputs {
                if !known.contains_key(&input) && program.vars[input].ty().is_some() {
                    known.insert(input, self.all_supports(input));
                }
            }
            let inputs: Option<Vec<&Supported>> = derivation.inputs.iter().map(|input| known.get(input)).collect();
            let derived = inputs.and_then(|inputs| Supported::derive(&derivation.spec, &inputs));
            let Some(derived) = derived else { continue };
            match &program.vars[derivation.output].kind {
                Kind::Result => _ = known.insert(derivation.output, derived),
                Kind::Declared { ty: Type::AwSet, .. } => self.learn(derivation.output, &derived, Cause::Derived),
                Kind::Declared { .. } => {}
            }
        }
    }

    /// What supports a declared variable's elements.
    fn all_supports(&self, var: usize) -> Supported {
        let state = self.vars[var].and_then(|id| self.graph.state(id));
        let mut all = state.map(|state| Supported::of(var, state)).unwrap_or_default();
        if let Some(derived) = self.supported.get(&var) {
            all.join(derived);
        }
        all
    }

    /// What every variable here should be, given what the inputs are.
    fn evaluate(&mut self) -> Result<Vec<Option<Output>>, Wrong> {
        let mut values: Vec<Option<Output>> = vec![None; self.vars.len()];
        for (at, value) in values.iter_mut().enumerate() {
            if self.program.vars[at].ty().is_some() {
                *value = self.input(at)?;
            }
        }
        for id in self.program.derivations_at(self.number) {
            let derivation = &self.program.derivations[id];
            if self.running.contains(&id) && self.program.vars[derivation.output].kind == Kind::Result {
                values[derivation.output] = self.evaluate_one(derivation, &values);
            }
        }
        Ok(values)
    }

    /// A derivation's value, given those of its inputs.
    pub(crate) fn evaluate_one(&self, derivation: &Derivation, values: &[Option<Output>]) -> Option<Output> {
        let inputs: Option<Vec<&Output>> = derivation.inputs.iter().map(|&input| values[input].as_ref()).collect();
        Some(oracle::evaluate(&derivation.spec, &inputs?, self.type_of(derivation.inputs[0]), self.mistake))
    }

    /// The value of a declared variable: its own, and what was derived into it.
    fn input(&mut self, var: usize) -> Result<Option<Output>, Wrong> {
        let Some(id) = self.vars[var] else { return Ok(None) };
        let Some(State::AwSet(set)) = self.graph.state(id) else { return Ok(self.graph.read(id)) };
        let mut elements: BTreeSet<Value> = set.own().iter().cloned().collect();
        elements.extend(self.supported.get(&var).into_iter().flat_map(Supported::elements));
        Ok(Some(Output::Set(elements.into_iter().collect())))
    }

    /// Reads a variable and compares it with what it should be.
    pub(crate) fn check(&mut self, var: usize) -> Result<(), Wrong> {
        let (Some(id), Some(expected)) = (self.vars[var], &self.values[var]) else { return Ok(()) };
        let found = self.graph.read(id);
        if found.as_ref() != Some(expected) {
            let found = found.map_or_else(|| "nothing".into(), |found| found.to_string());
            return Err(format!("{} is {found}, but should be {expected}", name_of(var)));
        }
        let size = match expected {
            Output::Set(items) => Some(items.len()),
            Output::Map(entries) => Some(entries.len()),
            _ => return Ok(()),
        };
        if self.graph.cardinality(id) != size {
            return Err(format!("{} has {size:?} elements, not {:?}", name_of(var), self.graph.cardinality(id)));
        }
        for element in &self.program.pool {
            let expected = match expected {
                Output::Set(items) => items.contains(element),
                Output::Map(entries) => entries.iter().any(|(key, _)| key == element),
                _ => false,
            };
            if self.graph.contains(id, element) != expected {
                return Err(format!("whether {} contains {element} is not {expected}", name_of(var)));
            }
        }
        Ok(())
    }

    /// Checks what is read at the end; and at the very end everything.
    pub(crate) fn check_all(&mut self) -> Result<(), Wrong> {
        for var in 0..self.vars.len() {
            if self.program.vars[var].reading != Reading::Never {
                self.check(var)?;
            }
        }
        for var in (0..self.vars.len()).rev() {
            self.check(var)?;
        }
        Ok(())
    }

    // For comparisons with other replicas.

    pub(crate) fn has(&self, var: usize) -> bool {
        self.vars[var].is_some()
    }

    pub(crate) fn runs(&self, derivation: usize) -> bool {
        self.running.contains(&derivation)
    }

    pub(crate) fn state(&self, var: usize) -> Option<&State> {
        self.graph.state(self.vars[var]?)
    }

    pub(crate) fn values(&self) -> &[Option<Output>] {
        &self.values
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        self.graph.fingerprint()
    }

    /// A set's elements that were added by hand.
    pub(crate) fn own_elements(&self, var: usize) -> BTreeSet<Value> {
        match self.state(var) {
            Some(State::AwSet(set)) => set.own().iter().cloned().collect(),
            _ => BTreeSet::new(),
        }
    }
}

fn id(number: usize, lives: u64) -> ReplicaId {
    ReplicaId(number as u64 + 1 + 10 * lives)
}

fn name(var: usize) -> Name {
    Name::new(name_of(var)).expect("a short name")
}
