//! A node whose wall clock is wrong: its writes wait, and nobody else's do.

use crate::rig::Rig;
use lasp_dataflow::{Op, Output, Type, Value, VarId};
use lasp_node::{Config, Reply, Request};
use lasp_overlay::PeerId;

/// A wall clock that is this many milliseconds ahead of the others.
fn ahead(millis: u64) -> Config {
    Config { wall_epoch_ms: NOON + millis, ..Config::default() }
}

const NOON: u64 = 1_700_000_000_000;
const TEN_YEARS: u64 = 10 * 365 * 86_400_000;

fn write(rig: &mut Rig, id: u64, var: VarId, op: Op) {
    assert_eq!(rig.ask(id, Request::Update { var, op }), Ok(Reply::Done));
}

fn shown(value: i64) -> Option<Output> {
    Some(Output::Value(Value::Int(value)))
}

#[test]
fn one_clock_ten_years_ahead_locks_no_register() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(1), vec![ahead(0), ahead(0), ahead(TEN_YEARS)]);
    let register = |rig: &mut Rig, id| rig.declare(id, "leader", Type::LwwRegister);
    let vars = [1, 2, 3].map(|id| register(&mut rig, id));
    write(&mut rig, 3, vars[2], Op::Set(666.into()));
    rig.run(30);
    for id in [1, 2] {
        assert_eq!(rig.value(id, "leader"), Some(Output::Unset), "at {id}");
        assert!(rig.node(id).metrics().drifted > 0, "counted at {id}");
    }
    for (id, value) in [(1, 10), (2, 20), (1, 11)] {
        write(&mut rig, id, vars[id as usize - 1], Op::Set(value.into()));
        rig.run(3);
        assert_eq!([1, 2].map(|id| rig.value(id, "leader")), [shown(value), shown(value)]);
    }
    assert_eq!(rig.value(3, "leader"), shown(666), "the wrong one is alone with it");
}

#[test]
fn what_else_a_wrong_clock_says_is_heard() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(2), vec![ahead(0), ahead(TEN_YEARS)]);
    rig.add_all(2, "set", [1]);
    let map = rig.declare(2, "map", "gmap(pair(gcounter, lwwregister))".parse().unwrap());
    write(&mut rig, 2, map, Op::Apply(1.into(), Box::new(Op::Snd(Box::new(Op::Set(666.into()))))));
    write(&mut rig, 2, map, Op::Apply(1.into(), Box::new(Op::Fst(Box::new(Op::Increment(5))))));
    write(&mut rig, 2, map, Op::Apply(2.into(), Box::new(Op::Fst(Box::new(Op::Increment(7))))));
    rig.run(30);
    assert_eq!(rig.cardinality(1, "set"), 1);
    let value = rig.value(1, "map").expect("it was declared").to_value().to_string();
    assert!(value.contains('5') && value.contains('7') && !value.contains("666"), "{value}");
}

#[test]
fn a_clock_a_little_ahead_is_followed_and_then_overtaken() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(3), vec![ahead(0), ahead(5_000)]);
    let vars = [1, 2].map(|id| rig.declare(id, "leader", Type::LwwRegister));
    write(&mut rig, 2, vars[1], Op::Set(1.into()));
    rig.run(1);
    assert_eq!(rig.value(1, "leader"), shown(1));
    write(&mut rig, 1, vars[0], Op::Set(2.into()));
    rig.run(1);
    assert_eq!([1, 2].map(|id| rig.value(id, "leader")), [shown(2), shown(2)]);
}

#[test]
fn a_write_too_early_comes_in_when_its_time_has_come() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(4), vec![ahead(0), ahead(25_000)]);
    let var = rig.declare(2, "leader", Type::LwwRegister);
    write(&mut rig, 2, var, Op::Set(1.into()));
    rig.run(5);
    assert_eq!(rig.value(1, "leader"), None, "refused; not even the name is known");
    rig.run(40);
    assert_eq!(rig.value(1, "leader"), shown(1), "by comparing");
}

#[test]
fn a_node_with_a_wrong_clock_passes_on_what_it_refuses() {
    // Node 1, the only link between the two others, is ten years behind.
    let mut rig = Rig::new(lasp_sim::Config::seeded(5), vec![ahead(0)]);
    rig.sim.block(PeerId(2), PeerId(3));
    rig.sim.block(PeerId(3), PeerId(2));
    rig.add(2, ahead(TEN_YEARS));
    rig.add(3, ahead(TEN_YEARS));
    rig.run(2);
    let neighbours = |id| rig.node(id).active_view().into_iter().map(|contact| contact.id.0).collect::<Vec<_>>();
    assert_eq!((neighbours(2), neighbours(3)), (vec![1], vec![1]));
    let var = rig.declare(2, "leader", Type::LwwRegister);
    write(&mut rig, 2, var, Op::Set(1.into()));
    rig.run(2);
    assert_eq!([1, 3].map(|id| rig.value(id, "leader")), [None, shown(1)]);
}
