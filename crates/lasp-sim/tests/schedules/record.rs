//! A small program that every node runs, what it denotes, and a record of what was done to its inputs: nothing is lost, and
//! nothing comes back.

use crate::cluster::Cluster;
use lasp_dataflow::{Aggregate, FunctionError, Name, Op, Operator, Output, Target, Type, Value, function};
use lasp_overlay::Rng;
use std::collections::{BTreeMap, BTreeSet};

/// The replicated inputs that are compared at the end.
pub(crate) const INPUTS: [&str; 4] = ["left", "right", "count", "flags"];

/// Every replicated variable of this program.
pub(crate) const VARIABLES: [&str; 5] = ["left", "right", "count", "flags", "published"];

/// One life of one node.
pub(crate) type LifeOf = (usize, u64);

fn int(value: &Value) -> Result<i64, FunctionError> {
    match value {
        Value::Int(n) => Ok(*n),
        other => Err(FunctionError::new(format!("{other} is no integer"))),
    }
}

fn double() -> Operator {
    Operator::Map(function(|args| Ok(Value::Int(int(&args[0])? * 2))))
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

/// Declares the inputs at a node and derives from them; `publishes` also derives into a replicated set.
pub(crate) fn install(cluster: &mut Cluster, node: usize, publishes: bool) {
    let left = cluster.declare(node, "left", Type::AwSet);
    let right = cluster.declare(node, "right", Type::AwSet);
    cluster.declare(node, "count", Type::GCounter);
    cluster.declare(node, "flags", Type::GMap(Box::new(Type::Pair(Box::new(Type::Boolean), Box::new(Type::Boolean)))));
    let published = cluster.declare(node, "published", Type::AwSet);
    let local = |text| Target::Local(Some(name(text)));
    let pairs = cluster.derive(node, Operator::Product, vec![left, right], local("pairs"));
    cluster.derive(node, Operator::Fold(Aggregate::Count), vec![pairs], local("pair-count"));
    cluster.derive(node, Operator::Fold(Aggregate::Sum), vec![left], local("sum"));
    if publishes {
        cluster.derive(node, double(), vec![left], Target::Into(published));
    }
}

/// Compares every derivation at a node with what it denotes.
///
/// The published set may hold more: what follows from an input of which only nodes knew that then crashed, memory and all,
/// after one of them had published it. Nobody can tell that it was ever taken back, since it was not.
pub(crate) fn check_denotation(cluster: &Cluster, record: &Record, node: usize) -> Result<(), String> {
    let read = |set: &str| cluster.elements(node, set).iter().filter_map(|v| int(v).ok()).collect::<BTreeSet<i64>>();
    let (left, right) = (read("left"), read("right"));
    let expected: BTreeSet<i64> = left.iter().map(|n| n * 2).collect();
    let orphan = |n: &i64| record.died_with_its_nodes(cluster, n / 2);
    let found: BTreeSet<i64> = read("published").into_iter().filter(|n| expected.contains(n) || !orphan(n)).collect();
    if found != expected {
        return Err(format!("node {node}: published is {found:?}, but denotes {expected:?}"));
    }
    let scalars = [("pair-count", (left.len() * right.len()) as i64), ("sum", left.iter().sum())];
    for (derived, expected) in scalars {
        if cluster.value(node, derived) != Output::Value(Value::Int(expected)) {
            return Err(format!("node {node}: {derived} is {}, but denotes {expected}", cluster.value(node, derived)));
        }
    }
    Ok(())
}

/// What was done, by whom.
#[derive(Debug, Default)]
pub(crate) struct Record {
    next: i64,
    added: BTreeMap<(bool, i64), LifeOf>,
    removed: BTreeMap<(bool, i64), LifeOf>,
    increments: BTreeMap<LifeOf, u64>,
    /// Elements of a crashed life that another life had seen when it crashed.
    witnessed: Vec<((bool, i64), LifeOf)>,
}

const fn side(left: bool) -> &'static str {
    if left { "left" } else { "right" }
}

impl Record {
    /// Does one random thing at a node and notes it.
    pub(crate) fn act(&mut self, cluster: &mut Cluster, node: usize, rng: &mut Rng) {
        let life = (node, cluster.lives[node].contact.incarnation);
        let left = rng.chance(0.5);
        match rng.below(10) {
            0..4 => self.add(cluster, life, left),
            4..6 => self.remove(cluster, life, left, rng),
            6..9 => self.increment(cluster, life, rng),
            _ => raise_flag(cluster, node),
        }
    }

    /// Elements are unique, but every fourth goes to both sets, so that the intersection has members.
    fn add(&mut self, cluster: &mut Cluster, life: LifeOf, left: bool) {
        self.next += 1;
        let both = self.next % 4 == 0;
        for left in [left, !left].into_iter().take(1 + usize::from(both)) {
            self.added.insert((left, self.next), life);
            let var = cluster.node(life.0).graph().lookup(side(left)).expect("declared");
            cluster.update(life.0, var, Op::Add(Value::Int(self.next)));
        }
    }

    fn remove(&mut self, cluster: &mut Cluster, life: LifeOf, left: bool, rng: &mut Rng) {
        let present = cluster.elements(life.0, side(left));
        let Some(element) = rng.choose(&present).cloned() else { return };
        let var = cluster.node(life.0).graph().lookup(side(left)).expect("declared");
        cluster.update(life.0, var, Op::Remove(element.clone()));
        self.removed.insert((left, int(&element).unwrap_or_default()), life);
    }

    fn increment(&mut self, cluster: &mut Cluster, life: LifeOf, rng: &mut Rng) {
        let by = 1 + rng.below(3);
        let var = cluster.node(life.0).graph().lookup("count").expect("declared");
        cluster.update(life.0, var, Op::Increment(by));
        *self.increments.entry(life).or_default() += by;
    }

    /// A node is about to crash: what others have seen of its doing must not be lost.
    pub(crate) fn witness(&mut self, cluster: &Cluster, node: usize) {
        let dying = (node, cluster.lives[node].contact.incarnation);
        for other in cluster.up().into_iter().filter(|&other| other != node) {
            let life = (other, cluster.lives[other].contact.incarnation);
            for left in [true, false] {
                for element in cluster.elements(other, side(left)) {
                    let key = (left, int(&element).unwrap_or_default());
                    if self.added.get(&key) == Some(&dying) {
                        self.witnessed.push((key, life));
                    }
                }
            }
        }
    }

    /// Whether an element of `left` was added by a life that is over and removed by none that goes on.
    fn died_with_its_nodes(&self, cluster: &Cluster, element: i64) -> bool {
        let over = |life: &LifeOf| cluster.lives[life.0].contact.incarnation != life.1;
        let removed = self.removed.get(&(true, element));
        self.added.get(&(true, element)).is_some_and(over) && removed.is_none_or(over)
    }

    /// Compares what a node holds with what must, and must not, be there.
    pub(crate) fn check_nothing_lost(&self, cluster: &Cluster, node: usize) -> Result<(), String> {
        let survives = |life: &LifeOf| cluster.lives[life.0].up && cluster.lives[life.0].contact.incarnation == life.1;
        for left in [true, false] {
            let present: BTreeSet<i64> =
                cluster.elements(node, side(left)).iter().filter_map(|v| int(v).ok()).collect();
            let by_survivors = self.added.iter().filter(|(_, life)| survives(life)).map(|(key, _)| key);
            let seen = self.witnessed.iter().filter(|(_, life)| survives(life)).map(|(key, _)| key);
            for key in by_survivors.chain(seen).filter(|key| key.0 == left && !self.removed.contains_key(key)) {
                if !present.contains(&key.1) {
                    return Err(format!("node {node}: {} lost {}", side(left), key.1));
                }
            }
            for (key, _) in self.removed.iter().filter(|(key, life)| key.0 == left && survives(life)) {
                if present.contains(&key.1) {
                    return Err(format!("node {node}: {} came back in {}", key.1, side(left)));
                }
            }
        }
        let least: u64 = self.increments.iter().filter(|(life, _)| survives(life)).map(|(_, n)| n).sum();
        let most: u64 = self.increments.values().sum();
        match cluster.value(node, "count") {
            Output::Value(Value::Int(n)) if (least..=most).contains(&(n as u64)) => Ok(()),
            other => Err(format!("node {node}: count is {other}, not within {least}..={most}")),
        }
    }
}

/// The node notes in the map that it saw, then that it did.
fn raise_flag(cluster: &mut Cluster, node: usize) {
    let var = cluster.node(node).graph().lookup("flags").expect("declared");
    let key = Value::Int(node as i64);
    for op in [Op::Fst(Box::new(Op::Enable)), Op::Snd(Box::new(Op::Enable))] {
        cluster.update(node, var, Op::Apply(key.clone(), Box::new(op)));
    }
}
