//! Random programs and random schedules for them.

use crate::functions::Fun;
use crate::program::{Agg, Derivation, Kind, Limit, Program, Reading, Replicas, Shape, Spec, Var};
use crate::rng::Rng;
use crate::schedule::{Event, Repair, Schedule};
use crate::values::{random_of, random_op, random_pool, random_type};
use lasp_dataflow::{Facet, Type, Value};

/// Operators, with how often programs use them.
const OPERATORS: &[(usize, Shape)] = &[
    (8, Shape::Map),
    (6, Shape::Filter),
    (4, Shape::FlatMap),
    (5, Shape::Union),
    (5, Shape::Intersection),
    (5, Shape::Product),
    (4, Shape::Join),
    (6, Shape::Fold),
    (3, Shape::Follow),
    (3, Shape::View),
    (5, Shape::Difference),
    (6, Shape::Group),
    (5, Shape::Reached),
];

/// What is known of a variable while the program grows.
#[derive(Clone, Debug)]
struct Known {
    /// About how many elements with their supports, so that products of products stay small.
    size: usize,
    /// Whether its elements are pairs.
    pairs: bool,
    /// The collections that it is, or has; none of a scalar.
    facets: Vec<Facet>,
    /// Whether its elements carry why they are there, so that they can be derived into replicated sets.
    carried: bool,
    /// Whether it can be told how far all that it is computed from has come, so that folds of it can travel.
    measured: bool,
}

impl Known {
    fn set(size: usize, pairs: bool, carried: bool, measured: bool) -> Self {
        Self { size, pairs, facets: vec![Facet::Elements], carried, measured }
    }

    fn scalar() -> Self {
        Self { size: 1, pairs: false, facets: vec![], carried: false, measured: false }
    }

    /// Whether operators take it as it is.
    fn is_collection(&self) -> bool {
        self.facets.contains(&Facet::Elements)
    }

    fn is_scalar(&self) -> bool {
        self.facets.is_empty()
    }
}

/// The largest collection that a program may derive, by guess.
const SIZE_MAX: usize = 150;

struct Builder<'r> {
    rng: &'r mut Rng,
    program: Program,
    known: Vec<Known>,
}

/// How large programs are: the least and the most of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) inputs: [usize; 2],
    pub(crate) derivations: [usize; 2],
}

/// Small, so that thousands of them run, and counterexamples are small to begin with.
pub(crate) const SMALL: Sizes = Sizes { inputs: [1, 4], derivations: [1, 9] };

/// A program.
pub(crate) fn program(rng: &mut Rng, sizes: Sizes) -> Program {
    let replicas = rng.weighted(&[(1, 1), (3, 2), (3, 3), (1, 4)]);
    let pool = random_pool(rng);
    let named_functions = rng.percent(50);
    let program = Program { replicas, vars: vec![], derivations: vec![], named_functions, pool };
    let mut builder = Builder { rng, program, known: vec![] };
    for _ in 0..builder.rng.within(sizes.inputs[0], sizes.inputs[1]) {
        builder.declare();
    }
    for _ in 0..builder.rng.within(sizes.derivations[0], sizes.derivations[1]) {
        builder.derive();
    }
    if builder.rng.percent(25) {
        builder.sum_up();
    }
    builder.program
}

impl Builder<'_> {
    fn all(&self) -> Replicas {
        Replicas((1 << self.program.replicas) - 1)
    }

    /// Some of these, mostly all; never none.
    fn some_of(&mut self, of: Replicas) -> Replicas {
        if self.rng.percent(60) {
            return of;
        }
        let some = Replicas(self.rng.next() as u8 & of.0);
        if some.is_empty() { of } else { some }
    }

    fn reading(&mut self) -> Reading {
        self.rng.weighted(&[(4, Reading::Always), (3, Reading::WhenAsked), (2, Reading::AtTheEnd), (2, Reading::Never)])
    }

    fn var(&mut self, kind: Kind, at: Replicas, updated: bool, known: Known) -> usize {
        let reading = if matches!(kind, Kind::Result) { self.reading() } else { Reading::Always };
        self.program.vars.push(Var { kind, at, reading, updated, on: true });
        self.known.push(known);
        self.program.vars.len() - 1
    }

    fn declare(&mut self) {
        let ty = random_type(self.rng);
        let at = self.all();
        let at = self.some_of(at);
        let pairs = ty.name().ends_with("map");
        let carried = ty.is_set();
        let local = self.rng.percent(6);
        let (size, facets) = (self.program.pool.len(), ty.facets().to_vec());
        let known = Known { size, pairs, facets, carried, measured: carried && !local };
        self.var(Kind::Declared { ty, local }, at, true, known);
    }

    fn derive(&mut self) {
        if self.rng.percent(12) && self.repeat() {
            return;
        }
        let shape = self.rng.weighted(OPERATORS);
        let Some(inputs) = self.inputs(shape) else { return };
        let spec = self.spec(shape, &inputs);
        let common = inputs.iter().fold(self.all(), |at, &input| at.and(self.program.vars[input].at));
        let at = self.some_of(common);
        let known = self.result(&spec, &inputs);
        let output = match shape {
            Shape::Reached if self.rng.percent(30) => self.flag(at),
            Shape::Fold if self.known[inputs[0]].measured && self.rng.percent(40) => self.summary(at),
            Shape::Follow => self.follower(inputs[0], at, known),
            _ if known.carried && self.rng.percent(30) => self.target(&inputs, at, known),
            _ => self.var(Kind::Result, at, false, known),
        };
        self.add(spec, inputs, output, at);
    }

    fn add(&mut self, spec: Spec, inputs: Vec<usize>, output: usize, at: Replicas) {
        let (late, named) = (self.rng.percent(25), self.rng.percent(50));
        self.program.derivations.push(Derivation { spec, inputs, output, at, late, named, on: true });
    }

    /// A fold whose result travels, of whatever it can be of.
    fn sum_up(&mut self) {
        let fits = |&var: &usize| self.known[var].measured && self.known[var].is_collection();
        let fitting: Vec<usize> = (0..self.known.len()).filter(fits).collect();
        let Some(&input) = self.rng.pick(&fitting) else { return };
        let spec = self.spec(Shape::Fold, &[input]);
        let at = self.some_of(self.program.vars[input].at);
        let output = self.summary(at);
        self.add(spec, vec![input], output, at);
    }

    /// The same derivation again.
    fn repeat(&mut self) -> bool {
        let Some(again) = self.rng.pick(&self.program.derivations).cloned() else { return false };
        if self.program.vars[again.output].kind != Kind::Result {
            return false;
        }
        let output = self.var(Kind::Result, again.at, false, self.known[again.output].clone());
        self.add(again.spec, again.inputs, output, again.at);
        true
    }

    fn fits(&self, shape: Shape, var: usize, scalars: bool) -> bool {
        let known = &self.known[var];
        match shape {
            Shape::Follow => self.program.vars[var].ty().is_some(),
            Shape::View => !known.is_scalar(),
            Shape::Reached => true,
            Shape::Map if scalars => known.is_scalar(),
            _ => known.is_collection(),
        }
    }

    fn inputs(&mut self, shape: Shape) -> Option<Vec<usize>> {
        let scalars = self.rng.percent(20);
        let candidates: Vec<usize> = (0..self.known.len()).filter(|&var| self.fits(shape, var, scalars)).collect();
        let first = *self.rng.pick(&candidates)?;
        if !shape.is_binary() {
            return Some(vec![first]);
        }
        let at = self.program.vars[first].at;
        let beside: Vec<usize> =
            candidates.into_iter().filter(|&var| !self.program.vars[var].at.and(at).is_empty()).collect();
        let second = *self.rng.pick(&beside)?;
        let size = self.known[first].size * self.known[second].size;
        (size <= SIZE_MAX).then(|| vec![first, second])
    }

    fn result(&self, spec: &Spec, inputs: &[usize]) -> Known {
        let first = &self.known[inputs[0]];
        let carried = Shape::of(spec).goes_into_sets() && inputs.iter().all(|&input| self.known[input].carried);
        let measured = inputs.iter().all(|&input| self.known[input].measured);
        let set = |size, pairs| Known::set(size, pairs, carried, measured);
        let sizes: Vec<usize> = inputs.iter().map(|&input| self.known[input].size).collect();
        match spec {
            Spec::Map(_) if first.is_scalar() => Known::scalar(),
            Spec::Fold(_) | Spec::Reached(_) => Known::scalar(),
            Spec::Group(..) => {
                let facets = vec![Facet::Elements, Facet::Keys];
                Known { size: sizes[0], pairs: true, facets, carried: false, measured }
            }
            Spec::View(facet) => {
                let pairs = *facet == Facet::Edges || *facet == Facet::Elements && first.pairs;
                set(sizes[0], pairs)
            }
            Spec::FlatMap(_) => set(sizes[0] * 2, false),
            Spec::Map(_) => set(sizes[0], false),
            Spec::Union => set(sizes[0] + sizes[1], first.pairs),
            Spec::Intersection => set(sizes[0] * sizes[1], first.pairs),
            Spec::Product | Spec::Join(..) => set(sizes[0] * sizes[1], true),
            Spec::Filter(_) | Spec::Difference => set(sizes[0], first.pairs),
            Spec::Follow => first.clone(),
        }
    }

    fn spec(&mut self, shape: Shape, inputs: &[usize]) -> Spec {
        let first = self.known[inputs[0]].clone();
        let pairs = first.pairs;
        match shape {
            Shape::View => Spec::View(self.rng.pick(&first.facets).copied().unwrap_or_default()),
            Shape::Map => Spec::Map(self.fun(pairs)),
            Shape::Filter => Spec::Filter(self.predicate(pairs)),
            Shape::FlatMap => Spec::FlatMap(Fun::random_list(self.rng)),
            Shape::Union => Spec::Union,
            Shape::Intersection => Spec::Intersection,
            Shape::Difference => Spec::Difference,
            Shape::Product => Spec::Product,
            Shape::Join => Spec::Join(self.fun(pairs), self.fun(self.known[inputs[1]].pairs)),
            Shape::Fold => Spec::Fold(self.aggregate(pairs, 2)),
            Shape::Group => Spec::Group(self.fun(pairs), self.aggregate(pairs, 2)),
            Shape::Reached => Spec::Reached(random_limit(self.rng, &self.program.pool)),
            Shape::Follow => Spec::Follow,
        }
    }

    fn fun(&mut self, pairs: bool) -> Fun {
        let pool = &self.program.pool;
        if pairs { Fun::random_of_pairs(self.rng, pool) } else { Fun::random(self.rng, pool) }
    }

    fn predicate(&mut self, pairs: bool) -> Fun {
        let pool = &self.program.pool;
        if pairs { Fun::random_predicate_of_pairs(self.rng, pool) } else { Fun::random_predicate(self.rng, pool) }
    }

    fn aggregate(&mut self, pairs: bool, depth: usize) -> Agg {
        if depth > 0 && self.rng.percent(35) {
            return if self.rng.percent(60) {
                Agg::Of(self.fun(pairs), Box::new(self.aggregate(false, depth - 1)))
            } else {
                let count = self.rng.within(1, 3);
                Agg::All((0..count).map(|_| self.aggregate(pairs, depth - 1)).collect())
            };
        }
        match self.rng.below(8) {
            0 | 1 => Agg::Count,
            2 => Agg::Sum,
            3 => Agg::Min,
            4 => Agg::Max,
            5 => Agg::Avg,
            _ => self.custom(),
        }
    }

    fn custom(&mut self) -> Agg {
        let (step, inverse) = match self.rng.below(5) {
            0 | 1 => (Fun::Add, Some(Fun::Subtract)),
            2 | 3 => (Fun::AddInteger, Some(Fun::SubtractInteger)),
            _ => (Fun::Greater, None),
        };
        let init = Value::Int(self.rng.below(3) as i64);
        let inverse = inverse.filter(|_| self.rng.percent(60));
        Agg::Custom { step, init, inverse }
    }

    /// A declared set to derive into: a new one, or one that others derive into already, or that takes updates too.
    fn target(&mut self, inputs: &[usize], at: Replicas, known: Known) -> usize {
        let last = inputs.iter().max().copied().unwrap_or(0);
        let fits = |builder: &Self, var: usize| {
            let held = &builder.program.vars[var];
            held.ty() == Some(&Type::AwSet) && held.at.and(at) == at
        };
        let existing: Vec<usize> = (last + 1..self.known.len()).filter(|&var| fits(self, var)).collect();
        if let Some(&var) = self.rng.pick(&existing).filter(|_| self.rng.clone().percent(60)) {
            self.known[var].size += known.size;
            self.known[var].pairs &= known.pairs;
            return var;
        }
        let holders = self.holders(at);
        let updated = self.rng.percent(30);
        let known = Known { measured: true, ..known };
        self.var(Kind::Declared { ty: Type::AwSet, local: false }, holders, updated, known)
    }

    /// A declared flag that is raised when something is reached.
    fn flag(&mut self, at: Replicas) -> usize {
        let holders = self.holders(at);
        self.var(Kind::Declared { ty: Type::Boolean, local: false }, holders, false, Known::scalar())
    }

    /// A declared variable for what a fold comes to.
    fn summary(&mut self, at: Replicas) -> usize {
        let holders = self.holders(at);
        self.var(Kind::Declared { ty: Type::Summary, local: false }, holders, false, Known::scalar())
    }

    /// These replicas, and perhaps others who only hear.
    fn holders(&mut self, at: Replicas) -> Replicas {
        let all = self.all();
        if self.rng.percent(60) { all } else { Replicas(at.0 | self.rng.next() as u8 & all.0) }
    }

    /// A variable of the same type that follows `source`. Only sets take updates besides.
    fn follower(&mut self, source: usize, at: Replicas, known: Known) -> usize {
        let ty = self.program.vars[source].ty().expect("declared").clone();
        if ty == Type::AwSet {
            return self.target(&[source], at, known);
        }
        let holders = self.holders(at);
        let measured = ty.is_set();
        self.var(Kind::Declared { ty, local: false }, holders, false, Known { measured, ..known })
    }
}

/// A schedule for a program.
pub(crate) fn schedule(program: &Program, rng: &mut Rng) -> Schedule {
    let length = match rng.below(10) {
        0..5 => rng.within(3, 20),
        5..9 => rng.within(10, 45),
        _ => rng.within(40, 90),
    };
    let mut scheduler = Scheduler { program, rng, events: vec![], calm: false, faults: false, changes: false };
    scheduler.faults = scheduler.rng.percent(50);
    scheduler.calm = scheduler.rng.percent(30);
    scheduler.changes = scheduler.rng.percent(35);
    for number in 0..length {
        if let Some(event) = scheduler.event() {
            scheduler.events.push((number, event));
        }
    }
    scheduler.events
}

struct Scheduler<'p> {
    program: &'p Program,
    rng: &'p mut Rng,
    events: Schedule,
    /// News mostly arrives, at once.
    calm: bool,
    /// Replicas crash, and partitions come and go.
    faults: bool,
    /// Derivations end and start again, variables are forgotten and declared again.
    changes: bool,
}

impl Scheduler<'_> {
    fn event(&mut self) -> Option<Event> {
        let at = self.rng.below(self.program.replicas);
        let (tell, deliver) = if self.calm { (22, 4) } else { (4, 20) };
        let (faults, changes) = (usize::from(self.faults), usize::from(self.changes));
        let kind = self.rng.weighted(&[
            (40, 0),
            (2, 1),
            (10, 2),
            (deliver, 3),
            (tell, 4),
            (5, 5),
            (6, 6),
            (4, 7),
            (1, 8),
            (6, 9),
            (1, 10),
            (2, 18),
            (6, 11),
            (3 * faults, 12),
            (3 * faults, 13),
            (2 * faults, 14),
            (3 * changes, 15),
            (2 * changes, 16),
            (3 * changes, 17),
        ]);
        match kind {
            0 => self.update(at),
            1 => self.bind(at),
            2 => Some(Event::Send { at }),
            3 => self.deliver(at),
            4 => Some(Event::Tell { at }),
            5 => self.repair(at),
            6 => self.var_at(at, |var| var.kind == Kind::Result).map(|var| Event::Read { at, var }),
            7 => self.var_at(at, |_| true).map(|var| Event::Watch { at, var, watcher: self.rng.below(3) }),
            8 => Some(Event::Unwatch { at, watcher: self.rng.below(3) }),
            9 => self.wait(at),
            10 => self
                .number_of(
                    |event| matches!(event, Event::Wait { at: of, .. } | Event::Need { at: of, .. } if *of == at),
                )
                .map(|since| Event::Cancel { at, since }),
            11 => self.derive(at),
            12 => Some(Event::Crash { at, keeps: self.rng.percent(65) }),
            13 => Some(Event::Cut { side: Replicas(self.rng.next() as u8) }),
            14 => Some(Event::Heal),
            15 => self.derivation(at, |_| true).map(|derivation| Event::Remove { at, derivation }),
            16 => self.var_at(at, |_| true).map(|var| Event::Undeclare { at, var }),
            18 => {
                let least = self.rng.percent(40).then(|| self.rng.within(1, 4) as i64);
                self.var_at(at, |_| true).map(|var| Event::Need { at, var, least })
            }
            _ => self
                .number_of(|event| matches!(event, Event::Undeclare { at: of, .. } if *of == at))
                .and_then(|number| self.events.iter().find(|(n, _)| *n == number).cloned())
                .and_then(|(_, event)| match event {
                    Event::Undeclare { var, .. } => Some(Event::Declare { at, var }),
                    _ => None,
                }),
        }
    }

    fn var_at(&mut self, at: usize, fits: impl Fn(&Var) -> bool) -> Option<usize> {
        let vars = &self.program.vars;
        let fitting: Vec<usize> = (0..vars.len()).filter(|&v| vars[v].at.contains(at) && fits(&vars[v])).collect();
        self.rng.pick(&fitting).copied()
    }

    fn update(&mut self, at: usize) -> Option<Event> {
        let var = self.var_at(at, |var| var.updated)?;
        let form = random_op(self.rng, self.program.vars[var].ty()?, &self.program.pool);
        Some(Event::Update { at, var, form })
    }

    fn bind(&mut self, at: usize) -> Option<Event> {
        let var = self.var_at(at, |var| var.updated)?;
        let x = random_of(self.rng, &self.program.pool);
        let value = if self.known_as_set(var) { Value::list([x]) } else { x };
        Some(Event::Bind { at, var, value })
    }

    fn known_as_set(&self, var: usize) -> bool {
        self.program.vars[var].ty().is_some_and(Type::is_set)
    }

    fn number_of(&mut self, fits: impl Fn(&Event) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = self.events.iter().filter(|(_, event)| fits(event)).map(|(n, _)| *n).collect();
        self.rng.pick(&fitting).copied()
    }

    fn deliver(&mut self, to: usize) -> Option<Event> {
        let sent = self.number_of(|event| matches!(event, Event::Send { at } | Event::Tell { at } if *at != to))?;
        let part = self.rng.percent(35).then(|| self.rng.below(4));
        Some(Event::Deliver { to, sent, part })
    }

    fn repair(&mut self, to: usize) -> Option<Event> {
        let from = self.rng.below(self.program.replicas);
        let var = self.var_at(to, |var| !var.is_local() && var.at.contains(from))?;
        let by = if self.rng.percent(50) { Repair::Whole } else { Repair::Digest };
        (from != to).then_some(Event::Repair { from, to, var, by })
    }

    fn derive(&mut self, at: usize) -> Option<Event> {
        let changes = self.changes;
        self.derivation(at, |derivation| derivation.late || changes).map(|derivation| Event::Derive { at, derivation })
    }

    fn derivation(&mut self, at: usize, fits: impl Fn(&Derivation) -> bool) -> Option<usize> {
        let derivations = &self.program.derivations;
        let fitting: Vec<usize> =
            (0..derivations.len()).filter(|&id| derivations[id].at.contains(at) && fits(&derivations[id])).collect();
        self.rng.pick(&fitting).copied()
    }

    fn wait(&mut self, at: usize) -> Option<Event> {
        let var = self.var_at(at, |_| true)?;
        let limit = random_limit(self.rng, &self.program.pool);
        Some(Event::Wait { at, var, limit })
    }
}

/// A threshold, which some types have.
fn random_limit(rng: &mut Rng, pool: &[Value]) -> Limit {
    let x = random_of(rng, pool);
    let n = rng.within(0, 5) as i64;
    let mut elements: Vec<Value> = (0..rng.within(0, 2)).map(|_| random_of(rng, pool)).collect();
    elements.sort_unstable();
    elements.dedup();
    rng.weighted(&[
        (3, Limit::AtLeast(n)),
        (3, Limit::MoreThan(n)),
        (2, Limit::Contains(elements.clone(), false)),
        (2, Limit::Contains(elements, true)),
        (1, Limit::Holds(x.clone())),
        (1, Limit::Reach(x.clone())),
        (1, Limit::Pass(x)),
    ])
}
