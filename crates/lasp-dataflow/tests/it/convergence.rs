//! Replicas that hear of each other's changes in any order, repeatedly or late, derive what the functional program says of
//! the converged inputs. The program is written twice: as derivations, and over plain standard collections.

use crate::support::{Node, double, int, is_even, modulo, of_int, set_op, total};
use lasp_dataflow::{Aggregate, Op, Operator, Output, State, Target, Type, Value, VarId, function};
use proptest::prelude::*;
use std::collections::BTreeSet;

type Set = BTreeSet<Value>;
type News = (String, Type, State);

/// A node with everything: inputs, a derived variable of each operator and of compositions.
struct Full {
    node: Node,
    inputs: [VarId; 3],
    derived: Vec<VarId>,
}

fn n_and_next() -> lasp_dataflow::Function {
    function(|args| Ok(Value::list([int(&args[0])?, int(&args[0])? + 1])))
}

fn negate() -> lasp_dataflow::Function {
    of_int(|n| Value::Int(-n))
}

fn adder(sign: i64) -> lasp_dataflow::Function {
    function(move |args| Ok(Value::Int(int(&args[1])? + sign * int(&args[0])?)))
}

impl Full {
    fn new(replica: u64) -> Self {
        let mut node = Node::new(replica);
        let [a, b, g] = [("a", "set"), ("b", "set"), ("g", "gset")].map(|(name, ty)| node.declare(name, ty));
        let mapped = node.derive(Operator::Map(double()), &[a]);
        let filtered = node.derive(Operator::Filter(is_even()), &[b]);
        let flat = node.derive(Operator::FlatMap(n_and_next()), &[a]);
        let union = node.derive(Operator::Union, &[a, b]);
        let both = node.derive(Operator::Intersection, &[mapped, b]);
        let pairs = node.derive(Operator::Product, &[filtered, a]);
        let joined = node.derive(Operator::Join { left_key: modulo(3), right_key: modulo(3) }, &[a, b]);
        let totals = node.derive(Operator::Map(total()), &[pairs]);
        let grown = node.derive(Operator::Intersection, &[g, a]);
        let mixed = node.derive(Operator::Union, &[both, grown]);
        let count = node.derive(Operator::Fold(Aggregate::Count), &[totals]);
        let least = node.derive(Operator::Fold(Aggregate::Min), &[mixed]);
        let inverse = Some(adder(-1));
        let sum = node.derive(Operator::Fold(Aggregate::Custom { step: adder(1), init: 0.into(), inverse }), &[flat]);
        let slow = Aggregate::Custom { step: adder(1), init: 0.into(), inverse: None };
        let slow_sum = node.derive(Operator::Fold(slow), &[flat]);
        let derived =
            vec![mapped, filtered, flat, union, both, pairs, joined, totals, grown, mixed, count, least, sum, slow_sum];
        Self { node, inputs: [a, b, g], derived }
    }

    fn check(&mut self) -> Result<(), TestCaseError> {
        let [a, b, g] = self.inputs.map(|input| elements(&mut self.node, input));
        let outputs: Vec<Output> = self.derived.iter().map(|&var| self.node.read(var)).collect();
        prop_assert_eq!(outputs, program(&a, &b, &g));
        for &var in &self.derived {
            let counted = self.node.graph.cardinality(var);
            prop_assert!(counted.is_none_or(|n| n == elements(&mut self.node, var).len()));
        }
        Ok(())
    }
}

/// The same program over plain sets.
fn program(a: &Set, b: &Set, g: &Set) -> Vec<Output> {
    let n = |value: &Value| int(value).expect("an integer");
    let mapped: Set = a.iter().map(|x| Value::Int(n(x) * 2)).collect();
    let filtered: Set = b.iter().filter(|x| n(x) % 2 == 0).cloned().collect();
    let flat: Set = a.iter().flat_map(|x| [x.clone(), Value::Int(n(x) + 1)]).collect();
    let pairs = |left: &Set, right: &Set, keep: &dyn Fn(&Value, &Value) -> bool| -> Set {
        let all = left.iter().flat_map(|x| right.iter().map(move |y| (x, y)));
        all.filter(|(x, y)| keep(x, y)).map(|(x, y)| Value::pair(x.clone(), y.clone())).collect()
    };
    let product = pairs(&filtered, a, &|_, _| true);
    let joined = pairs(a, b, &|x, y| n(x).rem_euclid(3) == n(y).rem_euclid(3));
    let totals: Set = filtered.iter().flat_map(|x| a.iter().map(|y| Value::Int(n(x) + n(y)))).collect();
    let both = &mapped & b;
    let grown = g & a;
    let mixed = &both | &grown;
    let sum = Value::Int(flat.iter().map(n).sum());
    let count = Value::from(totals.len() as u64);
    let least = mixed.first().map_or(Output::Unset, |least| Output::Value(least.clone()));
    let sets = [mapped, filtered, flat, a | b, both, product, joined, totals, grown, mixed];
    let results = [Output::Value(count), least, Output::Value(sum.clone()), Output::Value(sum)];
    sets.into_iter().map(|set| Output::Set(set.into_iter().collect())).chain(results).collect()
}

fn elements(node: &mut Node, var: VarId) -> Set {
    match node.read(var) {
        Output::Set(elements) => elements.into_iter().collect(),
        _ => Set::new(),
    }
}

/// One thing that happens.
#[derive(Clone, Debug)]
enum Event {
    /// A replica changes one of its inputs, by its number.
    Change { at: usize, input: usize, op: Op },
    /// A replica hears of some earlier change, perhaps again.
    Hear { at: usize, which: usize },
}

fn event() -> impl Strategy<Value = Event> {
    let op = set_op(8);
    prop_oneof![
        2 => (0usize..3, 0usize..4, op).prop_map(|(at, input, op)| Event::Change { at, input, op }),
        3 => (0usize..3, any::<usize>()).prop_map(|(at, which)| Event::Hear { at, which }),
    ]
}

/// Delivers everything everywhere until nobody has news.
fn settle(nodes: &mut [&mut Node], sent: &mut Vec<Vec<News>>) {
    loop {
        let before = sent.len();
        for node in nodes.iter_mut() {
            sent.iter().rev().for_each(|news| node.hear(news));
        }
        for node in nodes.iter_mut() {
            let news = node.news();
            if !news.is_empty() {
                sent.push(news);
            }
        }
        if sent.len() == before {
            return;
        }
    }
}

proptest! {
    #[test]
    fn local_results_equal_the_program_at_every_moment(events in proptest::collection::vec(event(), 0..40)) {
        let mut replicas = [1, 2, 3].map(Full::new);
        let mut sent: Vec<Vec<News>> = Vec::new();
        for event in events {
            let at = match event {
                Event::Change { at, input, op } => {
                    // A grow-only set refuses removals; that is no event.
                    let _ = { let var = replicas[at].inputs[input % 3]; replicas[at].node.try_update(var, op) };
                    sent.push(replicas[at].node.news());
                    at
                }
                Event::Hear { at, which } => {
                    if let Some(news) = sent.get(which % sent.len().max(1)) {
                        replicas[at].node.hear(news);
                    }
                    at
                }
            };
            replicas[at].check()?;
        }
        settle(&mut replicas.each_mut().map(|full| &mut full.node), &mut sent);
        let first = replicas[0].node.graph.fingerprint();
        for full in &mut replicas {
            full.check()?;
            prop_assert_eq!(full.node.graph.fingerprint(), first);
        }
    }

    #[test]
    fn a_variable_that_nodes_derive_into_converges_everywhere(events in proptest::collection::vec(event(), 0..40)) {
        // Two nodes derive different things into one variable; the third hears only of that variable.
        let mut nodes = [1, 2, 3].map(Node::new);
        for (i, node) in nodes.iter_mut().enumerate() {
            let target = node.declare("target", "set");
            if i < 2 {
                let (a, b) = (node.declare("a", "set"), node.declare("b", "set"));
                let operator = if i == 0 { Operator::Map(negate()) } else { Operator::Filter(is_even()) };
                node.graph.derive(operator, &[if i == 0 { a } else { b }], Target::Into(target)).expect("no cycle");
                let pairs = node.derive(Operator::Product, &[a, b]);
                node.graph.derive(Operator::Map(total()), &[pairs], Target::Into(target)).expect("no cycle");
            }
            let further = Operator::Map(double());
            node.graph.derive(further, &[target], Target::Local(Some(crate::support::name("twice")))).expect("fine");
        }
        let mut sent: Vec<Vec<News>> = Vec::new();
        for event in events {
            match event {
                Event::Change { at, input, op } => {
                    let var = nodes[at].graph.lookup(["a", "b", "target", "target"][input]);
                    if let Some(var) = var {
                        nodes[at].update(var, op);
                        sent.push(nodes[at].news());
                    }
                }
                Event::Hear { at, which } => {
                    if let Some(news) = sent.get(which % sent.len().max(1)) {
                        nodes[at].hear(news);
                        sent.push(nodes[at].news());
                    }
                }
            }
        }
        settle(&mut nodes.each_mut(), &mut sent);
        let mut input = |name| {
            let var = nodes[0].graph.lookup(name).expect("declared");
            elements(&mut nodes[0], var)
        };
        let (a, b) = (input("a"), input("b"));
        let n = |value: &Value| int(value).expect("an integer");
        let mut target: Set = a.iter().map(|x| Value::Int(-n(x))).collect();
        target.extend(b.iter().filter(|x| n(x) % 2 == 0).cloned());
        target.extend(a.iter().flat_map(|x| b.iter().map(move |y| Value::Int(n(x) + n(y)))));
        let first = nodes[0].graph.lookup("target").and_then(|var| nodes[0].graph.state(var)).cloned();
        for node in &mut nodes {
            let var = node.graph.lookup("target").expect("declared");
            let Some(State::AwSet(set)) = node.graph.state(var) else { panic!("a set") };
            let whole: Set = target.iter().chain(set.own().iter()).cloned().collect();
            prop_assert_eq!(elements(node, var), whole.clone());
            prop_assert_eq!(node.graph.cardinality(var), Some(whole.len()));
            let twice: Set = whole.iter().map(|x| Value::Int(n(x) * 2)).collect();
            let var_twice = node.graph.lookup("twice").expect("declared");
            prop_assert_eq!(elements(node, var_twice), twice);
            prop_assert_eq!(node.graph.state(var), first.as_ref());
        }
    }

    #[test]
    fn a_node_that_was_away_catches_up_by_digest(events in proptest::collection::vec(event(), 0..40)) {
        let mut here = Node::new(1);
        let mut there = Node::new(2);
        let mut vars = Vec::new();
        for node in [&mut here, &mut there] {
            vars = ["a", "b", "target"].map(|name| node.declare(name, "set")).to_vec();
        }
        // Only one of them derives.
        here.graph.derive(Operator::Union, &vars[..2], Target::Into(vars[2])).expect("no cycle");
        let twice = there.derive(Operator::Map(double()), &vars[2..]);
        for event in events {
            match event {
                Event::Change { at, input, op } => {
                    [&mut here, &mut there][at % 2].update(vars[input % 3], op);
                }
                // Some variable of one is brought up to what the other has, and only that one.
                Event::Hear { at, which } => {
                    let var = vars[which % 3];
                    let (from, to) = if at % 2 == 0 { (&here, &mut there) } else { (&there, &mut here) };
                    catch_up(from, to, var);
                }
            }
        }
        for _ in 0..2 {
            for &var in &vars {
                catch_up(&here, &mut there, var);
                catch_up(&there, &mut here, var);
            }
        }
        prop_assert_eq!(here.graph.fingerprint(), there.graph.fingerprint());
        let doubled: Set = elements(&mut here, vars[2]).iter().map(|x| Value::Int(2 * int(x).expect("an integer"))).collect();
        prop_assert_eq!(elements(&mut there, twice), doubled);
        let either = &elements(&mut here, vars[0]) | &elements(&mut here, vars[1]);
        prop_assert!(either.is_subset(&elements(&mut there, vars[2])));
    }
}

/// Gives `to` what its digest says it lacks.
fn catch_up(from: &Node, to: &mut Node, var: VarId) {
    let digest = to.graph.state(var).expect("declared").digest();
    let delta = from.graph.state(var).expect("declared").delta(&digest);
    to.graph.merge(var, delta);
}
