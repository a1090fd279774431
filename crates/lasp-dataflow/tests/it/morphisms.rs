//! The law that lets operators be fed with deltas: `f(a ⊔ δ) = f(a) ⊔ f(δ)`, for each operator, in each argument, with
//! all its bookkeeping.

use crate::support::{Node, double, int, is_even, modulo};
use lasp_dataflow::{Op, Operator, State, Value, function};
use proptest::prelude::*;

fn operators() -> Vec<Operator> {
    let flat = function(|args| Ok(Value::list([int(&args[0])? / 2, int(&args[0])? + 1])));
    vec![
        Operator::Map(modulo(3)),
        Operator::Map(double()),
        Operator::Filter(is_even()),
        Operator::FlatMap(flat),
        Operator::Union,
        Operator::Intersection,
        Operator::Product,
        Operator::Join { left_key: modulo(2), right_key: modulo(3) },
    ]
}

/// The operator applied to inputs that have these states, in the order in which they are given.
fn applied(operator: &Operator, states: &[(&str, &State)]) -> State {
    let mut node = Node::new(9);
    let inputs = ["x", "y"].map(|name| node.declare(name, "set"));
    let derived = node.derive(operator.clone(), &inputs[..operator.arity()]);
    for (name, state) in states {
        let var = node.graph.lookup(name).expect("declared");
        node.graph.merge(var, (*state).clone());
    }
    node.graph.state(derived).expect("a variable").clone()
}

fn joined(a: &State, b: &State) -> State {
    let mut both = a.clone();
    both.merge(b.clone());
    both
}

/// States and deltas of one set as two replicas may come to have them.
fn history() -> impl Strategy<Value = Vec<State>> {
    let op = || {
        let element = (0i64..5).prop_map(Value::Int);
        prop_oneof![2 => element.clone().prop_map(Op::Add), 1 => element.prop_map(Op::Remove)]
    };
    proptest::collection::vec((0usize..2, op(), any::<bool>()), 1..14).prop_map(|steps| {
        let mut nodes = [Node::new(1), Node::new(2)];
        let vars = nodes.each_mut().map(|node| node.declare("s", "set"));
        let mut states = vec![];
        for (at, op, hear) in steps {
            nodes[at].update(vars[at], op);
            let news = nodes[at].news();
            states.extend(news.iter().map(|(_, _, delta)| delta.clone()));
            if hear {
                nodes[1 - at].hear(&news);
            }
            states.push(nodes[at].graph.state(vars[at]).expect("declared").clone());
        }
        states
    })
}

proptest! {
    #[test]
    fn operators_are_morphisms_in_each_argument(
        xs in history(), ys in history(), picks in proptest::array::uniform3(any::<prop::sample::Index>()),
    ) {
        let [a, delta] = [picks[0].get(&xs), picks[1].get(&xs)];
        let other = picks[2].get(&ys);
        for operator in operators() {
            for (this, that) in [("x", "y"), ("y", "x")] {
                let f = |state: &State| applied(&operator, &[(that, other), (this, state)]);
                let by_parts = joined(&f(a), &f(delta));
                prop_assert_eq!(&by_parts, &f(&joined(a, delta)), "{:?} in {}", operator, this);
                // Fed one after the other, in either order, and before the other argument.
                let fed = |order: [(&str, &State); 3]| applied(&operator, &order);
                prop_assert_eq!(&by_parts, &fed([(that, other), (this, a), (this, delta)]), "{:?} fed", operator);
                prop_assert_eq!(&by_parts, &fed([(this, delta), (that, other), (this, a)]), "{:?} fed late", operator);
            }
        }
    }

    #[test]
    fn a_derivation_made_late_equals_one_made_early(xs in history(), ys in history()) {
        for operator in operators() {
            let mut node = Node::new(9);
            let inputs = ["x", "y"].map(|name| node.declare(name, "set"));
            let early = node.derive(operator.clone(), &inputs[..operator.arity()]);
            for (state, input) in xs.iter().map(|x| (x, inputs[0])).chain(ys.iter().map(|y| (y, inputs[1]))) {
                node.graph.merge(input, state.clone());
            }
            let late = node.derive(operator.clone(), &inputs[..operator.arity()]);
            prop_assert_eq!(node.graph.state(early), node.graph.state(late), "{:?}", operator);
        }
    }
}
