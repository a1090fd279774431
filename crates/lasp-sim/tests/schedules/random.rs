//! A random program at every node, of those that the theorem harness makes, and what it denotes.
//!
//! The harness runs programs on bare graphs and knows every fact; here they run on whole nodes. A node takes the part of one
//! of the program's replicas, so some hold inputs and some the results alone. When everything has come to rest, each result
//! is compared with what the harness's oracle says of the inputs.

use crate::cluster::Cluster;
use crate::generate::{self, Sizes};
use crate::oracle::{self, Mistake};
use crate::program::{Derivation, Kind, Program, Reading, Spec, Var, name_of};
use crate::rng::Rng;
use crate::values::{random_of, random_op};
use lasp_dataflow::{DerivationId, Facet, Name, Op, Output, Target, Type, Value, VarId};
use lasp_node::{Composition, Interests, Reply, Request, Source, Step};
use std::collections::{BTreeMap, BTreeSet};

/// A schedule takes long beside a program, so programs are large.
const SIZES: Sizes = Sizes { inputs: [3, 6], derivations: [8, 16] };

/// The nodes that hear only their part, where there are such.
const NARROW: [usize; 2] = [3, 4];

/// The values at each node, by variable.
type Values = BTreeMap<usize, Vec<Option<Output>>>;

/// A program and where it runs.
pub(crate) struct Random {
    program: Program,
    rng: Rng,
    sites: Vec<Site>,
    /// Whether there are nodes that hear only what their part of the program is about.
    some_are_narrow: bool,
    /// What the oracle does wrong on purpose, to see it noticed.
    mistake: Mistake,
    /// Whether a node lost its memory, and perhaps what nobody else knew.
    has_lost: bool,
    /// Whether a derivation ended whose results stay.
    has_ended: bool,
}

/// The program at one node.
#[derive(Default)]
struct Site {
    /// The handle of each variable that is here.
    vars: Vec<Option<VarId>>,
    running: BTreeMap<usize, DerivationId>,
}

fn name(var: usize) -> Name {
    Name::new(name_of(var)).expect("a short name")
}

impl Random {
    /// The program of a seed, at no node yet.
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let program = generate::program(&mut rng, SIZES);
        let some_are_narrow = rng.percent(50);
        let (sites, mistake) = (Vec::new(), Mistake::None);
        Self { program, rng, sites, some_are_narrow, mistake, has_lost: false, has_ended: false }
    }

    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// Which part of the program a node takes.
    fn part(&self, node: usize) -> usize {
        node % self.program.replicas
    }

    /// Whether a node hears of every variable. Few do not, since each needs a neighbour that does.
    pub(crate) fn hears_everything(&self, node: usize) -> bool {
        !self.some_are_narrow || !NARROW.contains(&node)
    }

    /// From now on the oracle makes a mistake.
    pub(crate) fn mistake(&mut self, mistake: Mistake) {
        self.mistake = mistake;
    }

    /// A node is about to lose its memory.
    pub(crate) fn loses(&mut self) {
        self.has_lost = true;
    }

    /// Starts the program at a node that is new. It hears of `others`, too.
    pub(crate) fn install(&mut self, cluster: &mut Cluster, node: usize, others: &[&str]) {
        let part = self.part(node);
        self.sites.resize_with(self.sites.len().max(node + 1), Site::default);
        self.sites[node] = Site { vars: vec![None; self.program.vars.len()], running: BTreeMap::new() };
        let here: Vec<usize> =
            (0..self.program.vars.len()).filter(|&v| self.program.vars[v].at.contains(part)).collect();
        if !self.hears_everything(node) {
            let names = here.iter().map(|&var| name_of(var)).chain(others.iter().map(|&name| name.to_owned()));
            cluster.ask(node, Request::Interests(Interests::prefixes(names))).expect("any will do");
        }
        for var in here {
            let Kind::Declared { ty, local } = &self.program.vars[var].kind else { continue };
            let request = Request::Declare { name: Some(name(var)), ty: ty.clone(), local: *local };
            let Ok(Reply::Var(id)) = cluster.ask(node, request) else { panic!("{} is not declared", name_of(var)) };
            self.sites[node].vars[var] = Some(id);
        }
        for id in self.program.derivations_at(part) {
            if !self.program.derivations[id].late {
                self.derive(cluster, node, id);
            }
        }
    }

    /// Starts a derivation, if its inputs are here.
    fn derive(&mut self, cluster: &mut Cluster, node: usize, id: usize) {
        let derivation = &self.program.derivations[id];
        let site = &mut self.sites[node];
        let inputs: Option<Vec<VarId>> = derivation.inputs.iter().map(|&input| site.vars[input]).collect();
        let Some(inputs) = inputs.filter(|_| !site.running.contains_key(&id)) else { return };
        let output = &self.program.vars[derivation.output];
        let into = match (&output.kind, site.vars[derivation.output]) {
            (Kind::Result, _) => Target::Local(derivation.named.then(|| name(derivation.output))),
            (Kind::Declared { .. }, Some(var)) => Target::Into(var),
            (Kind::Declared { .. }, None) => return,
        };
        let request = match (&derivation.spec, &into) {
            (Spec::Follow, &Target::Into(into)) => Request::BindTo { into, from: inputs[0] },
            _ => {
                let ty = &cluster.node(node).graph().info(inputs[0]).expect("an input").ty;
                let Some(operator) = derivation.spec.operator(ty, self.program.named_functions) else { return };
                let step = Step { operator, inputs: inputs.into_iter().map(Source::Var).collect() };
                Request::Compose { composition: Composition { steps: vec![step] }, into }
            }
        };
        match cluster.ask(node, request) {
            Ok(Reply::Derived { var, derivation: handle }) => {
                site.vars[derivation.output] = Some(var);
                site.running.insert(id, handle);
                if output.reading == Reading::Always {
                    cluster.ask(node, Request::Query(var)).expect("it is here");
                }
            }
            // Not every type has every threshold, and what was heard of already cannot follow another.
            Err(_) if matches!(derivation.spec, Spec::Reached(_) | Spec::Follow) => {}
            other => panic!("d{id}: {derivation} is refused: {other:?}"),
        }
    }

    /// Ends a derivation from which nothing follows here.
    fn remove(&mut self, cluster: &mut Cluster, node: usize, id: usize) {
        let derivation = &self.program.derivations[id];
        let is_result = self.program.vars[derivation.output].kind == Kind::Result;
        let site = &mut self.sites[node];
        let is_used = site.running.keys().any(|&id| self.program.derivations[id].inputs.contains(&derivation.output));
        if is_result && is_used || derivation.spec == Spec::Follow {
            return;
        }
        let Some(handle) = site.running.remove(&id) else { return };
        assert_eq!(cluster.ask(node, Request::RemoveDerivation(handle)), Ok(Reply::Bool(true)));
        if is_result {
            site.vars[derivation.output] = None;
        } else {
            self.has_ended = true;
        }
    }

    /// Does one random thing at a node.
    pub(crate) fn act(&mut self, cluster: &mut Cluster, node: usize) {
        match self.rng.below(20) {
            0..11 => self.update(cluster, node),
            11 | 12 => self.bind(cluster, node),
            13..16 => {
                if let Some(var) = self.pick(node, |_| true) {
                    cluster.ask(node, Request::Query(var.1)).expect("it is here");
                }
            }
            kind => {
                let all = self.program.derivations_at(self.part(node));
                let Some(&id) = self.rng.pick(&all) else { return };
                if kind < 19 { self.derive(cluster, node, id) } else { self.remove(cluster, node, id) }
            }
        }
    }

    /// A variable that is at a node.
    fn pick(&mut self, node: usize, fits: impl Fn(&Var) -> bool) -> Option<(usize, VarId)> {
        let here = self.sites[node].vars.iter().enumerate().filter_map(|(var, id)| Some((var, (*id)?)));
        let fitting: Vec<(usize, VarId)> = here.filter(|&(var, _)| fits(&self.program.vars[var])).collect();
        self.rng.pick(&fitting).copied()
    }

    /// What the state refuses changes nothing.
    fn update(&mut self, cluster: &mut Cluster, node: usize) {
        let Some((var, id)) = self.pick(node, |var| var.updated) else { return };
        let ty = self.program.vars[var].ty().expect("declared");
        let form = random_op(&mut self.rng, ty, &self.program.pool);
        let Ok(op) = Op::from_value(ty, &form) else { return };
        let refused = cluster.ask(node, Request::Update { var: id, op }).is_err();
        assert!(!(refused && ty.is_set()), "sets take every operation: {form}");
    }

    fn bind(&mut self, cluster: &mut Cluster, node: usize) {
        let Some((_, var)) = self.pick(node, |var| var.updated && var.ty().is_some_and(Type::is_set)) else { return };
        let value = Value::list([random_of(&mut self.rng, &self.program.pool)]);
        cluster.ask(node, Request::Bind { var, value }).expect("sets take every list");
    }

    /// Somebody wants to see every result, from now on.
    pub(crate) fn read_all(&self, cluster: &mut Cluster, node: usize) {
        for &var in self.sites[node].vars.iter().flatten() {
            cluster.ask(node, Request::Query(var)).expect("it is here");
        }
    }

    // ---- what must hold ----

    /// Compares everything with what the program denotes.
    pub(crate) fn check(&self, cluster: &Cluster, up: &[usize]) -> Result<(), String> {
        let declared = (0..self.program.vars.len()).filter(|&var| !self.program.vars[var].is_local());
        for var in declared.clone() {
            self.check_converged(cluster, up, var)?;
        }
        let values: Values = up.iter().map(|&node| (node, self.values(cluster, node))).collect();
        for &node in up {
            self.check_results(cluster, node, &values[&node])?;
        }
        declared.into_iter().try_for_each(|var| self.check_target(var, &values))
    }

    /// Who holds a variable holds the same.
    fn check_converged(&self, cluster: &Cluster, up: &[usize], var: usize) -> Result<(), String> {
        let state = |node: usize| Some((node, cluster.node(node).graph().state(self.sites[node].vars[var]?)?));
        let mut states = up.iter().filter_map(|&node| state(node));
        let Some((first, held)) = states.next() else { return Ok(()) };
        match states.find(|(_, other)| *other != held) {
            Some((other, _)) => Err(format!("{} differs between nodes {first} and {other}", name_of(var))),
            None => Ok(()),
        }
    }

    /// The values at a node: of what is declared, as it is; of results, as they should be.
    fn values(&self, cluster: &Cluster, node: usize) -> Vec<Option<Output>> {
        let site = &self.sites[node];
        let mut values: Vec<Option<Output>> = vec![None; self.program.vars.len()];
        let mut running: Vec<&Derivation> = site.running.keys().map(|&id| &self.program.derivations[id]).collect();
        running.sort_by_key(|derivation| derivation.output);
        for var in 0..values.len() {
            values[var] = match self.program.vars[var].kind {
                Kind::Declared { .. } => site.vars[var].and_then(|id| cluster.node(node).graph().peek(id)),
                Kind::Result => running
                    .iter()
                    .find(|derivation| derivation.output == var)
                    .and_then(|derivation| self.evaluate(derivation, &values)),
            };
        }
        values
    }

    fn evaluate(&self, derivation: &Derivation, values: &[Option<Output>]) -> Option<Output> {
        let inputs: Vec<Option<&Output>> = derivation.inputs.iter().map(|&input| values[input].as_ref()).collect();
        let first = derivation.inputs[0];
        let ty = if self.program.is_flag(first) { Some(&Type::Boolean) } else { self.program.vars[first].ty() };
        oracle::evaluate(&derivation.spec, &inputs, ty, self.mistake)
    }

    fn check_results(&self, cluster: &Cluster, node: usize, values: &[Option<Output>]) -> Result<(), String> {
        for (var, id) in self.sites[node].vars.iter().enumerate() {
            let Some(id) = id.filter(|_| self.program.vars[var].kind == Kind::Result) else { continue };
            let expected = values[var].clone().unwrap_or(Output::Unset);
            let found = cluster.node(node).graph().peek(id);
            if found.as_ref() != Some(&expected) {
                let found = found.map_or_else(|| "nothing".to_owned(), |found| found.to_string());
                return Err(format!("node {node}: {} is {found}, but denotes {expected}", name_of(var)));
            }
        }
        Ok(())
    }

    /// What a variable's derivations denote, at each node where they run.
    fn denotations<'a>(
        &'a self,
        var: usize,
        values: &'a Values,
    ) -> impl Iterator<Item = (usize, &'a Derivation, Output)> {
        let all = self.program.derivations.iter().enumerate().filter(move |(_, derivation)| derivation.output == var);
        all.flat_map(move |(id, derivation)| {
            let at = values.iter().filter(move |(node, _)| self.sites[**node].running.contains_key(&id));
            at.map(move |(&node, values)| {
                (node, derivation, self.evaluate(derivation, values).unwrap_or(Output::Unset))
            })
        })
    }

    /// What is derived into a variable is what its derivations denote, wherever they run. Where a node lost its memory, what
    /// it had derived from what nobody else knew may still be there, and nobody can tell that it should not.
    fn check_target(&self, var: usize, values: &Values) -> Result<(), String> {
        let Some(found) = values.values().find_map(|values| values[var].as_ref()) else { return Ok(()) };
        if self.program.vars[var].ty() == Some(&Type::AwSet) && self.program.is_target(var) {
            return self.check_set(var, found, values);
        }
        for (node, derivation, denoted) in self.denotations(var, values) {
            let must_equal = match derivation.spec {
                // A flag stays raised.
                Spec::Reached(_) => denoted == Output::Value(true.into()),
                // Each node follows one of its own.
                Spec::Follow if self.program.vars[derivation.inputs[0]].is_local() => false,
                _ => !self.has_lost,
            };
            if must_equal && *found != denoted {
                return Err(format!("{} is {found}, but denotes {denoted} at node {node}", name_of(var)));
            }
        }
        Ok(())
    }

    fn check_set(&self, var: usize, found: &Output, values: &Values) -> Result<(), String> {
        let all = self.denotations(var, values);
        let denoted: BTreeSet<Value> =
            all.flat_map(|(_, _, denoted)| oracle::elements_of(&denoted, Facet::Elements)).collect();
        let held = oracle::elements_of(found, Facet::Elements);
        let may_hold_more = self.has_lost || self.has_ended || self.program.vars[var].updated;
        if held == denoted || may_hold_more && held.is_superset(&denoted) {
            return Ok(());
        }
        Err(format!("{} is {found}, but denotes {}", name_of(var), Value::list(denoted)))
    }
}
