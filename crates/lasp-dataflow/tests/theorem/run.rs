//! Runs a program under a schedule, repairs what was lost, and compares everything with what the program denotes.

use crate::oracle::{self, Mistake};
use crate::program::{Program, Replicas, Spec, name_of};
use crate::replica::{Part, Replica, Wrong};
use crate::schedule::{Event, Repair, Schedule};
use lasp_dataflow::{Facet, Output, Type, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How a run is spoilt on purpose, to see that it is noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sabotage {
    pub(crate) mistake: Mistake,
    /// What was lost stays lost.
    pub(crate) no_repair: bool,
}

/// When something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Start,
    Event(usize),
    Repair,
    End,
}

/// What went wrong, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) when: When,
    pub(crate) replica: Option<usize>,
    pub(crate) what: Wrong,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.when {
            When::Start => f.write_str("at the start")?,
            When::Event(number) => write!(f, "at {number}")?,
            When::Repair => f.write_str("while all is repaired")?,
            When::End => f.write_str("when all is repaired")?,
        }
        self.replica.map_or(Ok(()), |replica| write!(f, ", at replica {}", replica + 1))?;
        write!(f, ": {}", self.what)
    }
}

/// Runs it all. A panic of the engine is a failure like others.
pub(crate) fn run(program: &Program, schedule: &Schedule, sabotage: Sabotage) -> Result<(), Failure> {
    let mut at = When::Start;
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        run_unprotected(program, schedule, sabotage, &mut at).map_err(|(replica, what)| Failure {
            when: at,
            replica,
            what,
        })
    }));
    outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Failure { when: at, replica: None, what: format!("panic: {}", text.unwrap_or_default()) })
    })
}

fn run_unprotected(program: &Program, schedule: &Schedule, sabotage: Sabotage, at: &mut When) -> Result<(), Trouble> {
    let replicas: Result<Vec<_>, _> = (0..program.replicas)
        .map(|n| Replica::new(program, n, sabotage.mistake).map_err(|what| failure(Some(n), what)))
        .collect();
    let mut world = World { program, replicas: replicas?, messages: BTreeMap::new(), cut: None, orphans: false };
    for (number, event) in schedule {
        *at = When::Event(*number);
        world.happen(*number, event)?;
    }
    *at = When::Repair;
    if !sabotage.no_repair {
        world.repair_all()?;
    }
    *at = When::End;
    world.compare()
}

/// What went wrong, and where.
type Trouble = (Option<usize>, Wrong);

fn failure(replica: Option<usize>, what: Wrong) -> Trouble {
    (replica, what)
}

struct World<'p> {
    program: &'p Program,
    replicas: Vec<Replica<'p>>,
    messages: BTreeMap<usize, (usize, Vec<Part>)>,
    cut: Option<Replicas>,
    /// Whether something may have been derived from what nobody remembers, or may not follow what is known elsewhere.
    orphans: bool,
}

impl World<'_> {
    fn happen(&mut self, number: usize, event: &Event) -> Result<(), Trouble> {
        let at = match event {
            Event::Cut { side } => {
                self.cut = Some(*side);
                return Ok(());
            }
            Event::Heal => {
                self.cut = None;
                return Ok(());
            }
            Event::Deliver { to, sent, part } => return self.deliver(*to, *sent, *part),
            Event::Repair { from, to, var, by } => return self.repair(*from, *to, *var, *by).map(|_| ()),
            Event::Send { at } => return self.send(*at, number),
            Event::Tell { at } => {
                self.send(*at, number)?;
                return (0..self.replicas.len()).try_for_each(|to| self.deliver(to, number, None));
            }
            Event::Update { at, .. }
            | Event::Bind { at, .. }
            | Event::Read { at, .. }
            | Event::Watch { at, .. }
            | Event::Unwatch { at, .. }
            | Event::Wait { at, .. }
            | Event::Need { at, .. }
            | Event::Cancel { at, .. }
            | Event::Derive { at, .. }
            | Event::Remove { at, .. }
            | Event::Undeclare { at, .. }
            | Event::Declare { at, .. }
            | Event::Crash { at, .. } => *at,
        };
        let Some(replica) = self.replicas.get_mut(at) else { return Ok(()) };
        let outcome = match event {
            Event::Update { var, form, .. } => replica.update(*var, form, number as u64 + 1),
            Event::Bind { var, value, .. } => replica.bind(*var, value),
            Event::Read { var, .. } => replica.check(*var),
            Event::Watch { var, watcher, .. } => {
                replica.watch(*var, *watcher);
                Ok(())
            }
            Event::Unwatch { watcher, .. } => {
                replica.unwatch(*watcher);
                Ok(())
            }
            Event::Wait { var, limit, .. } => replica.wait(number, *var, limit),
            Event::Need { var, least, .. } => replica.need(number, *var, *least),
            Event::Cancel { since, .. } => {
                replica.cancel(*since);
                Ok(())
            }
            Event::Derive { derivation, .. } => replica.derive(*derivation),
            Event::Remove { derivation, .. } => {
                self.orphans = true;
                replica.remove(*derivation)
            }
            Event::Undeclare { var, .. } => {
                self.orphans = true;
                replica.undeclare(*var)
            }
            Event::Declare { var, .. } => replica.declare_again(*var),
            Event::Crash { keeps, .. } => {
                self.orphans |= !keeps;
                replica.crash(*keeps)
            }
            _ => Ok(()),
        };
        outcome.map_err(|what| failure(Some(at), what))
    }

    fn send(&mut self, at: usize, number: usize) -> Result<(), Trouble> {
        let Some(replica) = self.replicas.get_mut(at) else { return Ok(()) };
        let parts = replica.drain().map_err(|what| failure(Some(at), what))?;
        self.messages.insert(number, (at, parts));
        Ok(())
    }

    fn can_reach(&self, from: usize, to: usize) -> bool {
        from != to && self.cut.is_none_or(|side| side.contains(from) == side.contains(to))
    }

    fn deliver(&mut self, to: usize, sent: usize, part: Option<usize>) -> Result<(), Trouble> {
        let Some((from, parts)) = self.messages.get(&sent) else { return Ok(()) };
        if to >= self.replicas.len() || !self.can_reach(*from, to) {
            return Ok(());
        }
        let parts: Vec<&Part> = match part {
            Some(part) => parts.get(part % parts.len().max(1)).into_iter().collect(),
            None => parts.iter().collect(),
        };
        for part in parts {
            self.replicas[to].hear(part).map_err(|what| failure(Some(to), what))?;
        }
        Ok(())
    }

    /// `true` if that told anything new.
    fn repair(&mut self, from: usize, to: usize, var: usize, by: Repair) -> Result<bool, Trouble> {
        if from.max(to) >= self.replicas.len() || !self.can_reach(from, to) || !self.replicas[to].has(var) {
            return Ok(false);
        }
        let part = match by {
            Repair::Whole => self.replicas[from].whole(var),
            Repair::Digest => self.replicas[from].missing(var, &self.replicas[to]),
        };
        let Some(part) = part.map_err(|what| failure(Some(from), what))? else { return Ok(false) };
        self.replicas[to].hear(&part).map_err(|what| failure(Some(to), what))
    }

    /// Everybody repairs everything with everybody, until nobody hears anything new.
    fn repair_all(&mut self) -> Result<(), Trouble> {
        self.cut = None;
        let count = self.replicas.len();
        // A chain of derivations, each at another replica, takes a round for each link.
        let rounds = 3 + 2 * self.program.vars.len();
        for round in 0..rounds {
            let mut grew = false;
            for (from, to) in (0..count).flat_map(|from| (0..count).map(move |to| (from, to))) {
                for var in (0..self.program.vars.len()).filter(|&var| !self.program.vars[var].is_local()) {
                    let by = if (round + from + to + var) % 2 == 0 { Repair::Digest } else { Repair::Whole };
                    grew |= self.repair(from, to, var, by)?;
                }
            }
            for at in 0..count {
                self.replicas[at].drain().map_err(|what| failure(Some(at), what))?;
            }
            if !grew {
                return Ok(());
            }
        }
        Err(failure(None, format!("replicas still tell one another news after {rounds} rounds")))
    }

    /// The theorem.
    fn compare(&mut self) -> Result<(), Trouble> {
        for (at, replica) in self.replicas.iter_mut().enumerate() {
            replica.check_all().map_err(|what| failure(Some(at), what))?;
        }
        for var in (0..self.program.vars.len()).filter(|&var| !self.program.vars[var].is_local()) {
            self.compare_replicas(var)?;
            self.compare_target(var)?;
        }
        self.compare_fingerprints()
    }

    /// Who holds a variable holds the same.
    fn compare_replicas(&self, var: usize) -> Result<(), Trouble> {
        let mut states = self.replicas.iter().enumerate().filter_map(|(at, replica)| Some((at, replica.state(var)?)));
        let Some((first, state)) = states.next() else { return Ok(()) };
        match states.find(|(_, other)| *other != state) {
            Some((other, _)) => {
                let what = format!("{} differs between replicas {} and {}", name_of(var), first + 1, other + 1);
                Err(failure(None, what))
            }
            None => Ok(()),
        }
    }

    fn compare_fingerprints(&self) -> Result<(), Trouble> {
        let holds_all = |replica: &&Replica<'_>| {
            (0..self.program.vars.len()).all(|var| {
                let held = &self.program.vars[var];
                held.is_local() || !held.on || replica.has(var)
            })
        };
        let prints: BTreeSet<u64> = self.replicas.iter().filter(holds_all).map(Replica::fingerprint).collect();
        if prints.len() > 1 {
            return Err(failure(None, "replicas with the same variables have unequal fingerprints".into()));
        }
        Ok(())
    }

    /// What is derived into a variable is what its derivations denote, of the converged inputs, wherever they run.
    fn compare_target(&self, var: usize) -> Result<(), Trouble> {
        let program = self.program;
        if self.orphans || !program.is_target(var) {
            return Ok(());
        }
        let Some(holder) = self.replicas.iter().position(|replica| replica.has(var)) else { return Ok(()) };
        let Some(found) = &self.replicas[holder].values()[var] else { return Ok(()) };
        match program.vars[var].ty() {
            Some(Type::AwSet) => {}
            Some(Type::Summary) => return self.compare_summary(var, found),
            _ => return self.compare_follower(var, found),
        }
        let mut denoted = self.replicas[holder].own_elements(var);
        for (id, derivation) in program.derivations.iter().enumerate().filter(|(_, d)| d.output == var) {
            for replica in self.replicas.iter().filter(|replica| replica.runs(id)) {
                let value = replica.evaluate_one(derivation, replica.values());
                denoted.extend(value.iter().flat_map(|value| oracle::elements_of(value, Facet::Elements)));
            }
        }
        let elements = oracle::elements_of(found, Facet::Elements);
        if elements == denoted {
            return Ok(());
        }
        let denoted = Value::list(denoted);
        Err(failure(Some(holder), format!("{} is {found}, but the program says {denoted}", name_of(var))))
    }

    /// What a fold came to is the aggregate of the converged inputs, wherever it is computed and wherever it is heard of.
    fn compare_summary(&self, var: usize, found: &Output) -> Result<(), Trouble> {
        for (id, derivation) in self.program.derivations.iter().enumerate().filter(|(_, d)| d.output == var) {
            if derivation.spec == Spec::Follow {
                return self.compare_follower(var, found);
            }
            for (at, replica) in self.replicas.iter().enumerate().filter(|(_, replica)| replica.runs(id)) {
                let denoted = replica.evaluate_one(derivation, replica.values()).unwrap_or(Output::Unset);
                if denoted != *found {
                    let what = format!("{} is {found}, but the program says {denoted}", name_of(var));
                    return Err(failure(Some(at), what));
                }
            }
        }
        Ok(())
    }

    /// A variable of another type that only follows others is what they are.
    fn compare_follower(&self, var: usize, found: &Output) -> Result<(), Trouble> {
        for (id, derivation) in self.program.derivations.iter().enumerate() {
            let followed = &self.program.vars[derivation.inputs[0]];
            if derivation.output != var || derivation.spec != Spec::Follow || followed.is_local() {
                continue;
            }
            let Some(at) = self.replicas.iter().position(|replica| replica.runs(id)) else { continue };
            let followed = &self.replicas[at].values()[derivation.inputs[0]];
            if followed.as_ref() != Some(found) {
                let what = format!("{} is {found}, and not as {}", name_of(var), name_of(derivation.inputs[0]));
                return Err(failure(Some(at), what));
            }
        }
        Ok(())
    }
}
