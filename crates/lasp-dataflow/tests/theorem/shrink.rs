//! Makes a counterexample small: takes away events, derivations, variables and replicas, and makes functions and elements
//! simpler, as long as something still goes wrong.

use crate::functions::Fun;
use crate::program::{Agg, Program, Reading, Replicas, Spec};
use crate::run::Failure;
use crate::schedule::{Event, Schedule};
use lasp_dataflow::Value;

/// How many runs shrinking may take: most counterexamples are small after some hundreds.
const RUNS_MAX: usize = 6_000;

/// A program and a schedule that fail.
#[derive(Clone, Debug)]
pub(crate) struct Counterexample {
    pub(crate) program: Program,
    pub(crate) schedule: Schedule,
    pub(crate) failure: Failure,
}

/// A smaller counterexample, which nothing simple makes smaller. `run` says what goes wrong, if anything.
pub(crate) fn shrink(
    found: Counterexample,
    run: impl Fn(&Program, &Schedule) -> Result<(), Failure>,
) -> Counterexample {
    let mut shrinker = Shrinker { best: found, run, runs: 0 };
    while shrinker.round() {}
    shrinker.best
}

struct Shrinker<R> {
    best: Counterexample,
    run: R,
    runs: usize,
}

impl<R: Fn(&Program, &Schedule) -> Result<(), Failure>> Shrinker<R> {
    /// One pass over everything that can be made smaller; `true` if something was.
    fn round(&mut self) -> bool {
        let events = self.fewer_events();
        let parts = self.fewer_parts();
        let replicas = self.fewer_replicas();
        let simpler = self.simpler_program() | self.simpler_events();
        events | parts | replicas | simpler
    }

    /// Keeps a candidate that fails too.
    fn try_out(&mut self, program: Program, schedule: Schedule) -> bool {
        if self.runs >= RUNS_MAX {
            return false;
        }
        self.runs += 1;
        match (self.run)(&program, &schedule) {
            Ok(()) => false,
            Err(failure) => {
                self.best = Counterexample { program, schedule, failure };
                true
            }
        }
    }

    fn try_program(&mut self, change: impl FnOnce(&mut Program)) -> bool {
        let mut program = self.best.program.clone();
        change(&mut program);
        self.try_out(program, self.best.schedule.clone())
    }

    /// Takes away stretches of events, long ones first.
    fn fewer_events(&mut self) -> bool {
        let mut any = false;
        let mut length = self.best.schedule.len().div_ceil(2).max(1);
        loop {
            let mut start = 0;
            while start < self.best.schedule.len() {
                let mut schedule = self.best.schedule.clone();
                let end = (start + length).min(schedule.len());
                schedule.drain(start..end);
                if self.try_out(self.best.program.clone(), schedule) {
                    any = true;
                } else {
                    start += length;
                }
            }
            if length == 1 {
                return any;
            }
            length /= 2;
        }
    }

    fn fewer_parts(&mut self) -> bool {
        let mut any = false;
        for id in (0..self.best.program.derivations.len()).rev() {
            if self.best.program.derivations[id].on {
                any |= self.try_program(|program| program.derivations[id].on = false);
            }
        }
        for var in (0..self.best.program.vars.len()).rev() {
            if self.best.program.vars[var].on {
                any |= self.try_program(|program| program.vars[var].on = false);
            }
        }
        any
    }

    fn fewer_replicas(&mut self) -> bool {
        let mut any = false;
        while self.best.program.replicas > 1 {
            let last = self.best.program.replicas - 1;
            if !self.try_program(|program| program.replicas = last) {
                break;
            }
            any = true;
        }
        for id in 0..self.best.program.derivations.len() {
            for replica in self.best.program.derivations[id].at.iter() {
                let fewer = Replicas(self.best.program.derivations[id].at.0 & !(1 << replica));
                if self.best.program.derivations[id].on && !fewer.is_empty() {
                    any |= self.try_program(|program| program.derivations[id].at = fewer);
                }
            }
        }
        any
    }

    fn simpler_program(&mut self) -> bool {
        let mut any = false;
        if self.best.program.named_functions {
            any |= self.try_program(|program| program.named_functions = false);
        }
        for id in 0..self.best.program.derivations.len() {
            if !self.best.program.derivations[id].on {
                continue;
            }
            if self.best.program.derivations[id].late {
                any |= self.try_program(|program| program.derivations[id].late = false);
            }
            if self.best.program.derivations[id].named {
                any |= self.try_program(|program| program.derivations[id].named = false);
            }
            for spec in simpler_specs(&self.best.program.derivations[id].spec) {
                if self.try_program(|program| program.derivations[id].spec = spec) {
                    any = true;
                    break;
                }
            }
        }
        for var in 0..self.best.program.vars.len() {
            if self.best.program.vars[var].on && self.best.program.vars[var].reading != Reading::Always {
                any |= self.try_program(|program| program.vars[var].reading = Reading::Always);
            }
        }
        any
    }

    fn simpler_events(&mut self) -> bool {
        let mut any = false;
        for at in 0..self.best.schedule.len() {
            for event in simpler_event(&self.best.schedule[at].1) {
                let mut schedule = self.best.schedule.clone();
                schedule[at].1 = event;
                if self.try_out(self.best.program.clone(), schedule) {
                    any = true;
                    break;
                }
            }
        }
        any
    }
}

fn simpler_specs(spec: &Spec) -> Vec<Spec> {
    let with = |fun: &Fun, make: &dyn Fn(Fun) -> Spec| fun.simpler().into_iter().map(make).collect::<Vec<_>>();
    match spec {
        Spec::Map(fun) => with(fun, &Spec::Map),
        Spec::Filter(fun) => with(fun, &Spec::Filter),
        Spec::FlatMap(fun) => with(fun, &Spec::FlatMap),
        Spec::Join(left, right) => {
            let mut simpler = with(left, &|left| Spec::Join(left, right.clone()));
            simpler.extend(with(right, &|right| Spec::Join(left.clone(), right)));
            simpler
        }
        Spec::Fold(agg) => simpler_aggregates(agg).into_iter().map(Spec::Fold).collect(),
        Spec::Group(key, agg) => {
            let mut simpler = with(key, &|key| Spec::Group(key, agg.clone()));
            simpler.extend(simpler_aggregates(agg).into_iter().map(|agg| Spec::Group(key.clone(), agg)));
            simpler
        }
        _ => vec![],
    }
}

fn simpler_aggregates(agg: &Agg) -> Vec<Agg> {
    match agg {
        Agg::Count => vec![],
        Agg::Of(fun, inner) => {
            let mut simpler = vec![(**inner).clone()];
            simpler.extend(fun.simpler().into_iter().map(|fun| Agg::Of(fun, inner.clone())));
            simpler.extend(simpler_aggregates(inner).into_iter().map(|inner| Agg::Of(fun.clone(), Box::new(inner))));
            simpler
        }
        Agg::All(all) => {
            let mut simpler = all.clone();
            simpler.extend((0..all.len()).filter(|_| all.len() > 1).map(|at| {
                let mut fewer = all.clone();
                fewer.remove(at);
                Agg::All(fewer)
            }));
            simpler
        }
        _ => vec![Agg::Count],
    }
}

fn simpler_event(event: &Event) -> Vec<Event> {
    match event {
        Event::Update { at, var, form } => {
            let make = |form| Event::Update { at: *at, var: *var, form };
            simpler_forms(form).into_iter().map(make).collect()
        }
        Event::Deliver { to, sent, part: Some(_) } => vec![Event::Deliver { to: *to, sent: *sent, part: None }],
        Event::Crash { at, keeps: false } => vec![Event::Crash { at: *at, keeps: true }],
        _ => vec![],
    }
}

/// The form with simpler arguments.
fn simpler_forms(form: &Value) -> Vec<Value> {
    let Value::Tuple(items) = form else { return vec![] };
    let with = |at: usize, item: Value| {
        let mut items = items.to_vec();
        items[at] = item;
        Value::tuple(items)
    };
    (1..items.len()).flat_map(|at| simpler_values(&items[at]).into_iter().map(move |item| with(at, item))).collect()
}

fn simpler_values(value: &Value) -> Vec<Value> {
    match value {
        Value::Int(0) => vec![],
        Value::Int(n) => (0..(*n).clamp(0, 2)).map(Value::Int).collect(),
        Value::List(items) => (0..items.len())
            .map(|at| Value::list(items.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, item)| item.clone())))
            .collect(),
        Value::Tuple(items) => {
            let inner = (0..items.len()).flat_map(|at| {
                simpler_values(&items[at]).into_iter().map(move |item| {
                    let mut items = items.to_vec();
                    items[at] = item;
                    Value::tuple(items)
                })
            });
            inner.collect()
        }
        Value::Atom(_) => vec![],
        _ => vec![Value::Int(0), Value::Int(1)],
    }
}
