//! The laws of each operator over each type of collection: what derivations into replicated variables rest on,
//! `f(a ⊔ b) = f(a) ⊔ f(b)`; that deltas in any order give what the whole gives; that removals retract.

use crate::functions::Fun;
use crate::oracle::{self, Mistake};
use crate::program::{Agg, Shape, Spec};
use crate::rng::Rng;
use crate::values::{random_op, random_pool};
use lasp_crdt::{ReplicaId, Stamp, Timestamp};
use lasp_dataflow::{Facet, Graph, Name, Op, Operator, Output, State, Target, Type, Value, VarId};

/// How many random histories each operator is tried on, over each type.
const ROUNDS: u64 = 12;

/// A collection that derivations take.
#[derive(Clone, Debug)]
struct Source {
    ty: Type,
    facet: Facet,
}

/// Every collection that a variable of some type is, or has.
fn sources() -> Vec<Source> {
    let types = [
        "gset",
        "awset",
        "twopset",
        "rwset",
        "mvregister",
        "gmap(max)",
        "gmap(awset)",
        "awmap(pncounter)",
        "awmap(awset)",
        "mvmap",
        "ggraph",
        "twopgraph",
        "awgraph",
    ];
    let known = types.iter().filter_map(|text| text.parse::<Type>().ok());
    known.flat_map(|ty| ty.facets().iter().map(move |&facet| Source { ty: ty.clone(), facet })).collect()
}

fn specs() -> Vec<Spec> {
    let of_kind = || Box::new(Agg::Count);
    vec![
        Spec::Map(Fun::Modulo(2)),
        Spec::Map(Fun::Kind),
        Spec::Map(Fun::Tagged),
        Spec::Filter(Fun::IsEven),
        Spec::Filter(Fun::AtMost(Value::Int(2))),
        Spec::FlatMap(Fun::AndNext),
        Spec::FlatMap(Fun::Parts),
        Spec::Union,
        Spec::Intersection,
        Spec::Difference,
        Spec::Product,
        Spec::Join(Fun::Kind, Fun::Kind),
        Spec::Join(Fun::Modulo(2), Fun::Same),
        Spec::Fold(Agg::Count),
        Spec::Fold(Agg::Sum),
        Spec::Fold(Agg::Min),
        Spec::Fold(Agg::Max),
        Spec::Fold(Agg::Avg),
        Spec::Fold(Agg::Custom { step: Fun::Add, init: Value::Int(0), inverse: Some(Fun::Subtract) }),
        Spec::Fold(Agg::Custom { step: Fun::Greater, init: Value::Int(0), inverse: None }),
        Spec::Group(Fun::Kind, Agg::Count),
        Spec::Group(Fun::Modulo(2), Agg::Sum),
        Spec::Group(Fun::Kind, Agg::All(vec![Agg::Min, Agg::Of(Fun::Kind, of_kind())])),
    ]
}

/// States and deltas of one variable, as two replicas come to have them.
fn history(rng: &mut Rng, ty: &Type, pool: &[Value]) -> Vec<State> {
    let mut graphs = [1, 2].map(|id| Graph::new(ReplicaId(id)));
    let vars = graphs.each_mut().map(|graph| graph.declare(name("x"), ty.clone()).expect("a free name"));
    let mut states = vec![State::bottom(ty)];
    for tick in 1..=rng.within(2, 12) {
        let at = rng.below(2);
        if let Ok(op) = Op::from_value(ty, &random_op(rng, ty, pool)) {
            let stamp = Stamp { time: Timestamp(tick as u64), replica: graphs[at].replica() };
            _ = graphs[at].update(vars[at], &op, stamp);
        }
        let deltas: Vec<State> = graphs[at].drain().deltas.into_iter().map(|delta| delta.delta).collect();
        if rng.percent(50) {
            deltas.iter().for_each(|delta| _ = graphs[1 - at].merge(vars[1 - at], delta.clone()));
        }
        states.extend(deltas);
        states.extend(graphs[at].state(vars[at]).cloned());
    }
    states
}

/// A graph in which `spec` is derived from two variables.
struct Applied {
    graph: Graph,
    sources: [VarId; 2],
    inputs: Vec<VarId>,
    operator: Operator,
}

impl Applied {
    fn new(spec: &Spec, sources: [&Source; 2]) -> Self {
        let mut graph = Graph::new(ReplicaId(9));
        let vars = [0, 1].map(|at| graph.declare(name(["x", "y"][at]), sources[at].ty.clone()).expect("a free name"));
        let operator = spec.operator(&sources[0].ty, false).expect("an operator");
        let inputs = vars.iter().zip(sources).take(operator.arity());
        let inputs = inputs.map(|(&var, source)| match source.facet {
            Facet::Elements => var,
            facet => graph.derive(Operator::View(facet), &[var], Target::Local(None)).expect("a view"),
        });
        let inputs = inputs.collect();
        Self { graph, sources: vars, inputs, operator }
    }

    fn local(&mut self) -> VarId {
        self.graph.derive(self.operator.clone(), &self.inputs, Target::Local(None)).expect("a derivation")
    }

    fn derive_into(&mut self, target: &str) -> VarId {
        let target = self.graph.declare(name(target), Type::AwSet).expect("a free name");
        self.graph.derive(self.operator.clone(), &self.inputs, Target::Into(target)).expect("a derivation")
    }

    fn feed(&mut self, at: usize, state: &State) {
        self.graph.merge(self.sources[at], state.clone());
    }

    fn denoted(&mut self, spec: &Spec, sources: [&Source; 2]) -> Output {
        let values = [0, 1].map(|at| {
            let value = self.graph.read(self.sources[at]).expect("a variable");
            Output::Set(oracle::elements_of(&value, sources[at].facet).into_iter().collect())
        });
        let values: Vec<Option<&Output>> = values.iter().take(self.operator.arity()).map(Some).collect();
        oracle::evaluate(spec, &values, None, Mistake::None).expect("collections have results")
    }
}

/// Runs `check` on every operator over every two sources that it takes; the second is that of one kind or another.
fn for_each_case(check: impl Fn(&mut Rng, &Spec, [&Source; 2], &[Value])) {
    let sources = sources();
    for (number, first) in sources.iter().enumerate() {
        for (which, spec) in specs().iter().enumerate() {
            for round in 0..ROUNDS {
                let mut rng = Rng::new(round << 32 | (number as u64) << 16 | which as u64);
                let second = &sources[rng.below(sources.len())];
                let pool = random_pool(&mut rng);
                check(&mut rng, spec, [first, second], &pool);
            }
        }
    }
}

/// Whether what the operator gives of these can be derived into a replicated set.
fn travels(spec: &Spec, sources: [&Source; 2]) -> bool {
    let shape = Shape::of(spec);
    shape.goes_into_sets() && sources.iter().take(1 + usize::from(shape.is_binary())).all(|source| source.ty.is_set())
}

/// Any of the states that `history` gave, or several of them.
fn some_state(rng: &mut Rng, states: &[State]) -> State {
    let mut state = rng.pick(states).cloned().expect("the bottom at least");
    if rng.percent(40) {
        rng.pick(states).into_iter().for_each(|other| _ = state.merge(other.clone()));
    }
    state
}

#[test]
fn derivations_are_morphisms_in_each_argument() {
    for_each_case(|rng, spec, sources, pool| {
        if !travels(spec, sources) {
            return;
        }
        let histories = sources.map(|source| history(rng, &source.ty, pool));
        for (this, that) in [(0, 1), (1, 0)] {
            let [a, b] = [some_state(rng, &histories[this]), some_state(rng, &histories[this])];
            let other = some_state(rng, &histories[that]);
            let f = |states: &[(usize, &State)]| {
                let mut applied = Applied::new(spec, sources);
                let target = applied.derive_into("t");
                states.iter().for_each(|(at, state)| applied.feed(*at, state));
                applied.graph.state(target).expect("a set").clone()
            };
            let mut both = a.clone();
            both.merge(b.clone());
            let whole = f(&[(that, &other), (this, &both)]);
            let mut parts = f(&[(that, &other), (this, &a)]);
            parts.merge(f(&[(that, &other), (this, &b)]));
            assert_eq!(parts, whole, "{spec:?} of {sources:?} in argument {this}:\n{a:?}\n{b:?}\nbeside {other:?}");
            let fed = f(&[(this, &b), (that, &other), (this, &a)]);
            assert_eq!(fed, whole, "{spec:?} of {sources:?}, fed: {a:?}\n{b:?}\nbeside {other:?}");
        }
    });
}

#[test]
fn deltas_in_any_order_give_what_the_whole_gives() {
    for_each_case(|rng, spec, sources, pool| {
        let histories = sources.map(|source| history(rng, &source.ty, pool));
        let mut feeds: Vec<(usize, &State)> = Vec::new();
        for (at, history) in histories.iter().enumerate() {
            feeds.extend(history.iter().map(|state| (at, state)));
        }
        let mut at_once = Applied::new(spec, sources);
        feeds.iter().for_each(|(at, state)| at_once.feed(*at, state));
        let late = at_once.local();
        let expected = at_once.denoted(spec, sources);
        let found = at_once.graph.read(late);
        assert_eq!(found.as_ref(), Some(&expected), "{spec:?} of {sources:?}, from scratch");
        for _ in 0..3 {
            let mut applied = Applied::new(spec, sources);
            let local = applied.local();
            let into = travels(spec, sources).then(|| applied.derive_into("t"));
            let mut open = feeds.clone();
            while !open.is_empty() {
                let (at, state) = open.swap_remove(rng.below(open.len()));
                applied.feed(at, state);
                if rng.percent(30) {
                    let found = applied.graph.read(local);
                    assert_eq!(found, Some(applied.denoted(spec, sources)), "{spec:?} of {sources:?}, on the way");
                }
            }
            for var in [Some(local), into].into_iter().flatten() {
                let found = applied.graph.read(var);
                assert_eq!(found.as_ref(), Some(&expected), "{spec:?} of {sources:?}: {feeds:?}");
            }
        }
    });
}

/// An operation that takes everything away again; `None` where the type has none.
fn removals(ty: &Type, held: &Output) -> Option<Vec<Value>> {
    let form = |name: &str, x: &Value| Value::tuple([Value::atom(name), x.clone()]);
    Some(match (ty.name(), held) {
        ("set" | "twopset" | "rwset", Output::Set(items)) => items.iter().map(|x| form("rmv", x)).collect(),
        ("awmap" | "mvmap", Output::Map(entries)) => entries.iter().map(|(key, _)| form("rmv_key", key)).collect(),
        _ => return None,
    })
}

#[test]
fn removals_retract() {
    for_each_case(|rng, spec, sources, pool| {
        let histories = sources.map(|source| history(rng, &source.ty, pool));
        let mut applied = Applied::new(spec, sources);
        let vars = [Some(applied.local()), travels(spec, sources).then(|| applied.derive_into("t"))];
        for (at, history) in histories.iter().enumerate() {
            history.iter().for_each(|state| applied.feed(at, state));
        }
        for var in vars.into_iter().flatten() {
            let expected = Some(applied.denoted(spec, sources));
            assert_eq!(applied.graph.read(var), expected, "{spec:?} of {sources:?}");
        }
        for (at, source) in sources.iter().enumerate() {
            let held = applied.graph.read(applied.sources[at]).expect("a variable");
            for form in removals(&source.ty, &held).into_iter().flatten() {
                let op = Op::from_value(&source.ty, &form).expect("an operation");
                applied.graph.update(applied.sources[at], &op, Stamp::default()).expect("a removal");
            }
            if removals(&source.ty, &held).is_some() {
                let left =
                    applied.graph.read(applied.sources[at]).map(|left| oracle::elements_of(&left, Facet::Elements));
                assert_eq!(left, Some(oracle::Set::new()));
            }
        }
        for var in vars.into_iter().flatten() {
            let expected = Some(applied.denoted(spec, sources));
            assert_eq!(applied.graph.read(var), expected, "{spec:?} of {sources:?} when all is removed");
        }
    });
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a short name")
}
