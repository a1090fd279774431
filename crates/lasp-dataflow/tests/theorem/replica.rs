//! One replica: its graph, what it should hold, and whom it should have woken and told.

use crate::known::Known;
use crate::oracle::{self, Mistake};
use crate::program::{Derivation, Kind, Limit, Program, Reading, Spec, name_of};
use crate::provenance::Supported;
use crate::results::{Basis, Extent, Results};
use lasp_crdt::{ReplicaId, Stamp, Timestamp};
use lasp_dataflow::{
    BindError, Cause, DerivationId, DeriveError, Graph, Name, Op, Output, State, Target, Threshold, Type, Value, VarId,
    WaiterId, WatcherId,
};
use std::collections::{BTreeMap, BTreeSet};

/// What is wrong.
pub(crate) type Wrong = String;

/// A part of a message: news of one variable.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) var: usize,
    state: State,
    known: Known,
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
    running: BTreeMap<usize, DerivationId>,
    /// Local results whose derivation ended, but from which others may still follow.
    ended: BTreeSet<usize>,
    /// What is known here of each variable.
    known: BTreeMap<usize, Known>,
    /// How many additions were made here, and how often each variable was forgotten.
    events: u64,
    forgotten: BTreeMap<usize, u64>,
    /// News of it that were not taken out yet.
    outbox: BTreeMap<(usize, Cause), Known>,
    /// The values after the last step.
    values: Vec<Option<Output>>,
    watching: BTreeSet<(usize, usize)>,
    waiting: BTreeMap<usize, Waiting>,
    /// Those who wait for somebody to want a variable at all, or to be this much.
    needed: BTreeMap<usize, (usize, Option<i64>)>,
    to_be_told: BTreeSet<WatcherId>,
    to_be_woken: BTreeSet<WaiterId>,
}

impl<'p> Replica<'p> {
    /// A replica whose program runs, as far as it runs from the start.
    pub(crate) fn new(program: &'p Program, number: usize, mistake: Mistake) -> Result<Self, Wrong> {
        let mut replica = Self::new_life(program, number, 0, mistake)?;
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
        let (var, handle) = if derivation.spec == Spec::Follow {
            let Target::Into(into) = target else { return Ok(()) };
            match self.graph.bind_to(into, inputs[0]) {
                Ok(handle) => (into, handle),
                // It has been heard of already.
                Err(DeriveError::NotFresh(..) | DeriveError::ReadOnly(_)) => return Ok(()),
                Err(error) => return Err(refused(&error)),
            }
        } else {
            let ty = &self.graph.info(inputs[0]).expect("an input").ty;
            let Some(operator) = derivation.spec.operator(ty, program.named_functions) else { return Ok(()) };
            match self.graph.derive_removable(operator, &inputs, target) {
                Ok(made) => made,
                // Not every type has every threshold.
                Err(DeriveError::Threshold(_)) => return Ok(()),
                Err(error) => return Err(refused(&error)),
            }
        };
        self.vars[derivation.output] = Some(var);
        self.running.insert(id, handle);
        self.ended.remove(&id);
        self.after_step()
    }

    /// Ends a derivation. A local result is gone with it; what follows from it goes on.
    pub(crate) fn remove(&mut self, id: usize) -> Result<(), Wrong> {
        let Some(handle) = self.running.remove(&id) else { return Ok(()) };
        let output = self.program.derivations[id].output;
        if self.program.vars[output].kind == Kind::Result {
            self.gone(output);
            self.ended.insert(id);
        }
        if !self.graph.remove_derivation(handle) || self.graph.remove_derivation(handle) {
            return Err(format!("d{id} cannot be removed just once"));
        }
        self.after_step()
    }

    /// Forgets a variable where that is possible; elsewhere it must be refused.
    pub(crate) fn undeclare(&mut self, var: usize) -> Result<(), Wrong> {
        let Some(id) = self.vars[var] else { return Ok(()) };
        let is_awaited = self.watching.iter().any(|(_, held)| *held == var)
            || self.waiting.values().any(|waiting| waiting.var == var)
            || self.needed.values().any(|(held, _)| *held == var);
        let is_result = self.program.vars[var].kind == Kind::Result;
        let is_used = !is_result && (self.needed().contains(&var) || self.made_here(var));
        match self.graph.undeclare(id) {
            Ok(()) if is_awaited || is_used => Err(format!("{} is forgotten while in use", name_of(var))),
            Err(error) if !is_awaited && !is_used => Err(format!("{} cannot be forgotten: {error}", name_of(var))),
            Err(_) => self.after_step(),
            Ok(()) => {
                if is_result {
                    let made = |id: &usize| self.program.derivations[*id].output == var;
                    let made: Vec<usize> = self.running.keys().copied().filter(made).collect();
                    for id in made {
                        self.running.remove(&id);
                        self.ended.insert(id);
                    }
                }
                self.gone(var);
                self.known.remove(&var);
                *self.forgotten.entry(var).or_default() += 1;
                self.outbox.retain(|(held, _), _| *held != var);
                self.after_step()
            }
        }
    }

    /// Declares a variable that was forgotten.
    pub(crate) fn declare_again(&mut self, var: usize) -> Result<(), Wrong> {
        match (&self.program.vars[var].kind, self.vars[var]) {
            (Kind::Declared { .. }, None) => self.declare_all(),
            _ => Ok(()),
        }
    }

    fn gone(&mut self, var: usize) {
        self.vars[var] = None;
        self.watching.retain(|(_, held)| *held != var);
        self.waiting.retain(|_, waiting| waiting.var != var);
        self.needed.retain(|_, (held, _)| *held != var);
    }

    fn made_here(&self, var: usize) -> bool {
        self.running.keys().any(|&id| self.program.derivations[id].output == var)
    }

    /// The variables from which something follows here, also by way of results that are gone.
    fn needed(&self) -> BTreeSet<usize> {
        let mut needed = BTreeSet::new();
        let mut open: Vec<usize> = self.running.keys().copied().collect();
        while let Some(id) = open.pop() {
            for &input in &self.program.derivations[id].inputs {
                if needed.insert(input) {
                    let gone = self.ended.iter().filter(|&&id| self.program.derivations[id].output == input);
                    open.extend(gone.copied());
                }
            }
        }
        needed
    }

    fn may_start(&self, id: usize) -> bool {
        let derivation = &self.program.derivations[id];
        self.program.has(derivation) && derivation.at.contains(self.number) && !self.running.contains_key(&id)
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
        let ty = ty.clone();
        if self.graph.update(id, &op, stamp).is_ok() {
            let author = self.author(var);
            let (known, mint) = self.known_and_mint(var);
            let news = known.act(&ty, form, author, mint);
            self.learn(var, &news, Cause::Local);
        } else if before.as_ref() != self.graph.state(id) {
            return Err(format!("the refused {form} changed {}", name_of(var)));
        }
        self.after_step()
    }

    pub(crate) fn bind(&mut self, var: usize, value: &Value) -> Result<(), Wrong> {
        let (Some(id), Some(ty)) = (self.vars[var], self.type_of(var).cloned()) else { return Ok(()) };
        match self.graph.bind(id, value) {
            Ok(_) => {
                let (known, mint) = self.known_and_mint(var);
                let news = known.bind(&ty, value, mint);
                self.learn(var, &news, Cause::Local);
                self.after_step()
            }
            Err(BindError::Literal(_) | BindError::Clash { .. }) => self.after_step(),
            Err(error) => Err(format!("bind: {error}")),
        }
    }

    /// Who counts here, at present: nobody else ever, also where something was forgotten.
    fn author(&self, var: usize) -> u64 {
        (self.number as u64) << 56 | self.lives << 40 | self.forgotten.get(&var).copied().unwrap_or_default()
    }

    /// What is known of a variable, and numbers for additions to it.
    fn known_and_mint(&mut self, var: usize) -> (&Known, impl FnMut() -> u64) {
        let life = (self.number as u64) << 56 | self.lives << 40;
        let events = &mut self.events;
        let mint = move || {
            *events += 1;
            life | *events
        };
        (self.known.entry(var).or_default(), mint)
    }

    /// Takes a part of a message; `true` if it said anything new. What has no variable here is not heard.
    pub(crate) fn hear(&mut self, part: &Part) -> Result<bool, Wrong> {
        let Some(id) = self.vars[part.var].filter(|_| !self.program.vars[part.var].is_local()) else {
            return Ok(false);
        };
        let grew = self.graph.merge(id, part.state.clone());
        self.learn(part.var, &part.known, Cause::Received);
        self.after_step()?;
        Ok(grew)
    }

    fn learn(&mut self, var: usize, known: &Known, cause: Cause) {
        let news = self.known.entry(var).or_default().join(known);
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
            let known = self.outbox.remove(&(var, delta.cause)).unwrap_or_default();
            parts.push(self.part(var, delta.delta, known)?);
        }
        for ((var, _), known) in std::mem::take(&mut self.outbox) {
            if !self.program.vars[var].is_local() {
                return Err(format!("{} has news that did not come out: {known:?}", name_of(var)));
            }
        }
        Ok(parts)
    }

    /// A part of a message, as it comes off the wire.
    fn part(&self, var: usize, state: State, known: Known) -> Result<Part, Wrong> {
        let ty = self.type_of(var).ok_or("news of no variable")?;
        let bytes = lasp_crdt::codec::to_bytes(&state);
        let mut plain = lasp_crdt::codec::Plain;
        let mut reader = lasp_crdt::codec::Reader::new(&bytes, &mut plain);
        let read = State::decode(ty, &mut reader).map_err(|error| format!("{state:?} does not decode: {error}"))?;
        if read != state || reader.remaining() > 0 {
            return Err(format!("{state:?} is {read:?} when decoded"));
        }
        Ok(Part { var, state: read, known })
    }

    /// All that is known of a variable.
    pub(crate) fn whole(&self, var: usize) -> Result<Option<Part>, Wrong> {
        let Some(id) = self.vars[var] else { return Ok(None) };
        let state = self.graph.state(id).ok_or_else(|| format!("{} has no state", name_of(var)))?;
        let known = self.known.get(&var).cloned().unwrap_or_default();
        self.part(var, state.clone(), known).map(Some)
    }

    /// What of a variable another replica lacks, by its digest.
    pub(crate) fn missing(&self, var: usize, at: &Self) -> Result<Option<Part>, Wrong> {
        let (Some(here), Some(there)) = (self.vars[var], at.vars[var]) else { return Ok(None) };
        let Some((state, lacking)) = self.graph.state(here).zip(at.graph.state(there)) else { return Ok(None) };
        let known = self.known.get(&var).cloned().unwrap_or_default();
        self.part(var, state.delta(&lacking.digest()), known).map(Some)
    }

    // Readers.

    pub(crate) fn watch(&mut self, var: usize, watcher: usize) {
        let Some(id) = self.vars[var] else { return };
        self.graph.watch(WatcherId(watcher as u64), id);
        self.watching.insert((watcher, var));
        self.is_wanted(var, None);
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
            self.is_wanted(var, Some(limit));
            self.waiting.insert(number, Waiting { var, limit: limit.clone() });
        } else {
            self.is_wanted(var, None);
        }
        Ok(())
    }

    /// Waits for somebody to want a variable.
    pub(crate) fn need(&mut self, number: usize, var: usize, least: Option<i64>) -> Result<(), Wrong> {
        let (Some(id), Some(ty)) = (self.vars[var], self.type_of(var)) else { return Ok(()) };
        let threshold = least.map_or_else(|| Threshold::State(State::bottom(ty)), Threshold::AtLeast);
        let Ok(wanted) = self.graph.wait_needed(WaiterId(number as u64), id, threshold) else { return Ok(()) };
        let has_come = least.is_some_and(|n| self.is_met(var, &Limit::AtLeast(n)));
        let is_wanted = self.waiting.values().any(|held| held.var == var && held.limit.demands(least));
        // What nobody has wanted yet may have been computed for others, or not.
        let has_value = self.program.vars[var].ty().is_some() || self.graph.peek(id).is_some();
        let must = is_wanted || has_come && has_value;
        let may = must || has_come;
        if wanted && !may || !wanted && must {
            return Err(format!("whether {} is wanted ({least:?}) is {wanted}, not {must}", name_of(var)));
        }
        if !wanted {
            self.needed.insert(number, (var, least));
        }
        Ok(())
    }

    /// Somebody wants a variable: to be so, or just to see it.
    fn is_wanted(&mut self, var: usize, limit: Option<&Limit>) {
        let wakes = |(held, least): &(usize, Option<i64>)| {
            *held == var && (least.is_none() || limit.is_some_and(|limit| limit.demands(*least)))
        };
        let woken: Vec<usize> = self.needed.iter().filter(|(_, held)| wakes(held)).map(|(number, _)| *number).collect();
        for number in woken {
            self.needed.remove(&number);
            self.to_be_woken.insert(WaiterId(number as u64));
        }
    }

    pub(crate) fn cancel(&mut self, number: usize) {
        self.graph.cancel(WaiterId(number as u64));
        self.waiting.remove(&number);
        self.needed.remove(&number);
        self.to_be_woken.remove(&WaiterId(number as u64));
    }

    fn is_met(&self, var: usize, limit: &Limit) -> bool {
        oracle::is_reached(limit, self.values[var].as_ref().unwrap_or(&Output::Unset), self.type_of(var))
    }

    // Faults.

    /// Stops, and comes back: with all it held that is durable, or with nothing and under another id.
    pub(crate) fn crash(&mut self, keeps: bool) -> Result<(), Wrong> {
        let saved: Vec<(usize, State)> = (0..self.vars.len())
            .filter(|&var| keeps && self.program.vars[var].ty().is_some())
            .filter_map(|var| Some((var, self.graph.state(self.vars[var]?)?.clone())))
            .collect();
        let known = std::mem::take(&mut self.known);
        let running = self.running.clone();
        // Who forgot something does not know what its id has done.
        if !keeps || !self.forgotten.is_empty() {
            self.lives += 1;
        }
        let mut fresh = Self::new_life(self.program, self.number, self.lives, self.mistake)?;
        (fresh.events, fresh.forgotten) = (self.events, self.forgotten.clone());
        let rerun = |fresh: &mut Self| running.keys().try_for_each(|&id| fresh.derive(id));
        // Programs start before or after what was stored is back.
        let early = saved.len().is_multiple_of(2);
        if early {
            rerun(&mut fresh)?;
        }
        for (var, state) in saved {
            let Some(id) = fresh.vars[var] else { continue };
            fresh.graph.merge(id, state);
            if let Some(held) = known.get(&var) {
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
            running: BTreeMap::new(),
            ended: BTreeSet::new(),
            known: BTreeMap::new(),
            events: 0,
            forgotten: BTreeMap::new(),
            outbox: BTreeMap::new(),
            values: vec![None; program.vars.len()],
            watching: BTreeSet::new(),
            waiting: BTreeMap::new(),
            needed: BTreeMap::new(),
            to_be_told: BTreeSet::new(),
            to_be_woken: BTreeSet::new(),
        };
        fresh.declare_all()?;
        Ok(fresh)
    }

    // What must hold.

    /// Everything that must hold between two steps.
    fn after_step(&mut self) -> Result<(), Wrong> {
        let values = self.propagate();
        let before = std::mem::replace(&mut self.values, values);
        for &(watcher, var) in &self.watching {
            let shown = |values: &[Option<Output>]| values[var].clone().unwrap_or(Output::Unset);
            if shown(&before) != shown(&self.values) {
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

    fn computes(&self, id: usize) -> bool {
        self.running.contains_key(&id) || self.ended.contains(&id)
    }

    /// What every variable here should be, given what is known; draws the consequences for variables that are derived into.
    fn propagate(&mut self) -> Vec<Option<Output>> {
        let program = self.program;
        let mut values: Vec<Option<Output>> = vec![None; self.vars.len()];
        let mut supports: Vec<Option<Supported>> = vec![None; self.vars.len()];
        let computed: Vec<&Derivation> = program
            .derivations_at(self.number)
            .into_iter()
            .filter(|&id| self.computes(id))
            .map(|id| &program.derivations[id])
            .collect();
        let mut computed = computed.into_iter().peekable();
        for var in 0..self.vars.len() {
            while let Some(derivation) = computed.next_if(|derivation| derivation.output == var) {
                let value = self.evaluate_one(derivation, &values);
                let inputs: Option<Vec<&Supported>> =
                    derivation.inputs.iter().map(|&input| supports[input].as_ref()).collect();
                let supported = inputs.and_then(|inputs| Supported::derive(&derivation.spec, &inputs));
                if program.vars[var].kind == Kind::Result {
                    (values[var], supports[var]) = (value, supported);
                } else {
                    let news = self.derived(derivation, value, supported);
                    self.learn(var, &news, Cause::Derived);
                }
            }
            if let Some(ty) = program.vars[var].ty() {
                values[var] = self.input(var, ty);
                let known = self.known.get(&var).filter(|_| ty.is_set() && self.vars[var].is_some());
                supports[var] = known.map(Known::supports).or_else(|| ty.is_set().then(Supported::default));
            }
        }
        values
    }

    /// What a derivation into a declared variable says.
    fn derived(&self, derivation: &Derivation, value: Option<Output>, supported: Option<Supported>) -> Known {
        let ty = self.program.vars[derivation.output].ty();
        match (&derivation.spec, ty) {
            (Spec::Reached(_), _) if value == Some(Output::Value(Value::Bool(true))) => Known::raised(),
            (Spec::Reached(_), _) => Known::default(),
            (Spec::Fold(_), _) if self.program.is_told(derivation.output) => {
                let value = value.as_ref().map_or_else(|| Value::atom("undefined"), Output::to_value);
                Known::results(Results::of(self.basis(derivation), value))
            }
            (Spec::Fold(_), _) => Known::default(),
            (_, Some(Type::AwSet)) => Known::derived(supported.unwrap_or_default()),
            // `bind_to` between variables of another type: all that is known of one.
            _ => self.known.get(&derivation.inputs[0]).cloned().unwrap_or_default(),
        }
    }

    /// How far all that a fold is computed from has come here.
    fn basis(&self, fold: &Derivation) -> Basis {
        let extent = |known: &Known, ty: Option<&Type>| {
            if ty == Some(&Type::GSet) {
                return Extent { gone: known.own().collect(), ..Extent::default() };
            }
            let (seen, gone) = known.events();
            Extent { seen, gone: gone.iter().map(|&event| Value::text(event.to_string())).collect() }
        };
        let of = |base: usize| Some((base, extent(self.known.get(&base)?, self.program.vars[base].ty())));
        let bases = self.program.bases_of(fold.inputs[0]).into_iter().filter_map(of);
        bases.filter(|(_, extent)| *extent != Extent::default()).collect()
    }

    /// A derivation's value, given those of its inputs.
    pub(crate) fn evaluate_one(&self, derivation: &Derivation, values: &[Option<Output>]) -> Option<Output> {
        let inputs: Vec<Option<&Output>> = derivation.inputs.iter().map(|&input| values[input].as_ref()).collect();
        let ty = match self.program.vars[derivation.inputs[0]].ty() {
            None if self.program.is_flag(derivation.inputs[0]) => Some(&Type::Boolean),
            ty => ty,
        };
        oracle::evaluate(&derivation.spec, &inputs, ty, self.mistake)
    }

    /// The value of a declared variable, by what is known of it; where that does not tell, as it is read.
    fn input(&mut self, var: usize, ty: &Type) -> Option<Output> {
        let id = self.vars[var]?;
        let told = *ty != Type::Summary || self.program.is_told(var);
        let by_facts = self.known.entry(var).or_default().value(ty).filter(|_| told);
        match by_facts.or_else(|| self.graph.peek(id)) {
            Some(Output::Many(mut results))
                if *ty == Type::Summary && self.mistake == Mistake::ResultsAreNotKeptApart =>
            {
                results.pop().map(Output::Value)
            }
            value => value,
        }
    }

    /// Reads a variable and compares it with what it should be.
    pub(crate) fn check(&mut self, var: usize) -> Result<(), Wrong> {
        let Some(id) = self.vars[var] else { return Ok(()) };
        let expected = self.values[var].as_ref().unwrap_or(&Output::Unset);
        let expected = expected.clone();
        self.is_wanted(var, None);
        let expected = &expected;
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
        self.running.contains_key(&derivation)
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
        self.known.get(&var).into_iter().flat_map(Known::own).collect()
    }
}

fn id(number: usize, lives: u64) -> ReplicaId {
    ReplicaId(number as u64 + 1 + 10 * lives)
}

fn name(var: usize) -> Name {
    Name::new(name_of(var)).expect("a short name")
}
