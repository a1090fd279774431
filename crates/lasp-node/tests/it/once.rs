//! What happens once in the cluster: faults at every moment, and the state of one firing at the end.

use crate::rig::Rig;
use lasp_dataflow::{Op, Output, Threshold, Type, Value};
use lasp_node::{Command, Config, Event, Reply, Request, RequestId, Token};
use lasp_overlay::PeerId;
use std::time::Duration;

const TOKEN: Token = Token(77);

/// What the action does: one update of each kind, of which two firings must make one.
fn updates() -> [(&'static str, Type, Op); 5] {
    [
        ("count", Type::GCounter, Op::Increment(5)),
        ("balance", Type::PnCounter, Op::Decrement(2)),
        ("log", Type::AwSet, Op::AddAll(vec!["a".into(), "b".into()])),
        ("last", Type::LwwRegister, Op::Set("fired".into())),
        ("twice", Type::GCounter, Op::Increment(1)),
    ]
}

/// What every node has to show after one firing.
fn shown(rig: &Rig, id: u64) -> Vec<String> {
    updates()
        .iter()
        .map(|(name, ..)| rig.value(id, name).map_or_else(|| "nothing".into(), |output| output.to_string()))
        .collect()
}

const ONE_FIRING: [&str; 5] = ["5", "-2", "set[\"a\", \"b\"]", "\"fired\"", "2"];

fn network(seed: u64) -> lasp_sim::Config {
    lasp_sim::Config { loss: 0.02, duplicate: 0.02, reorder: 0.1, ..lasp_sim::Config::seeded(seed) }
}

fn cluster(seed: u64, nodes: u64) -> Rig {
    let mut rig = Rig::new(network(seed), vec![Config::default(); nodes as usize]);
    (1..=nodes).for_each(|id| enforce(&mut rig, id));
    rig
}

fn enforce(rig: &mut Rig, id: u64) {
    let var = rig.declare(id, "views", Type::GCounter);
    let request = Request::Enforce { token: TOKEN, var, threshold: Threshold::AtLeast(10) };
    assert!(rig.sim.command(PeerId(id), Command::Request { id: RequestId(1_000_000 + id), request }));
}

fn view(rig: &mut Rig, id: u64, times: u64) {
    let var = rig.declare(id, "views", Type::GCounter);
    assert_eq!(rig.ask(id, Request::Update { var, op: Op::Increment(times) }), Ok(Reply::Done));
}

/// Runs the action at a node that it has fallen to.
fn act(rig: &mut Rig, id: u64) {
    for (name, ty, op) in updates() {
        let var = rig.declare(id, name, ty);
        let request = || Request::Act { token: TOKEN, var, op: op.clone() };
        assert_eq!(rig.ask(id, request()), Ok(Reply::Done), "{name}");
        if name == "twice" {
            assert_eq!(rig.ask(id, request()), Ok(Reply::Done), "{name}");
        }
    }
    assert_eq!(rig.ask(id, Request::Acted(TOKEN)), Ok(Reply::Done));
}

/// Runs for some seconds; whom it falls to, is given to `due`. How often it fell to somebody.
fn serve(rig: &mut Rig, seconds: u64, mut due: impl FnMut(&mut Rig, u64)) -> usize {
    let mut firings = 0;
    for _ in 0..seconds * 20 {
        rig.sim.run_for(Duration::from_millis(50));
        let fallen: Vec<u64> = rig
            .sim
            .drain_events()
            .into_iter()
            .filter_map(|(_, peer, event)| match event {
                Event::Reply { result: Ok(Reply::Due(TOKEN)), .. } => Some(peer.0),
                _ => None,
            })
            .collect();
        for id in fallen {
            firings += 1;
            due(rig, id);
        }
    }
    firings
}

fn assert_one_firing(rig: &Rig, ids: impl IntoIterator<Item = u64>) {
    for id in ids {
        assert_eq!(shown(rig, id), ONE_FIRING, "node {id}");
        assert!(rig.node(id).is_quiescent(), "node {id}");
    }
}

#[test]
fn without_faults_one_node_acts_whoever_reaches_the_threshold() {
    for seed in 1..=5 {
        let mut rig = cluster(seed, 8);
        view(&mut rig, 2, 4);
        assert_eq!(serve(&mut rig, 3, act), 0, "not reached");
        view(&mut rig, 7, 6);
        assert!(!rig.node(7).is_quiescent(), "it is to happen");
        assert_eq!(serve(&mut rig, 30, act), 1, "seed {seed}");
        assert_one_firing(&rig, 1..=8);
        view(&mut rig, 3, 100);
        assert_eq!(serve(&mut rig, 15, act), 0, "once");
    }
}

#[test]
fn an_owner_that_crashes_before_it_acts_is_replaced() {
    let mut rig = cluster(11, 8);
    view(&mut rig, 1, 10);
    let mut crashed = None;
    let mut acted = 0;
    serve(&mut rig, 40, |rig, id| {
        if crashed.is_none() {
            crashed = Some(id);
            return rig.crash(id);
        }
        acted += 1;
        act(rig, id);
    });
    let crashed = crashed.expect("it fell to somebody");
    assert_eq!(acted, 1);
    assert_one_firing(&rig, (1..=8).filter(|id| *id != crashed));
}

#[test]
fn an_owner_that_crashes_after_it_acted_is_followed_by_one_that_makes_the_same_of_it() {
    for wait_ms in [0, 20, 200, 1_500] {
        let mut rig = cluster(21 + wait_ms, 8);
        view(&mut rig, 1, 10);
        let mut crashed = None;
        let firings = serve(&mut rig, 40, |rig, id| {
            act(rig, id);
            if crashed.is_none() {
                crashed = Some(id);
                rig.sim.run_for(Duration::from_millis(wait_ms));
                rig.crash(id);
            }
        });
        let crashed = crashed.expect("it fell to somebody");
        assert_eq!(firings, 2, "after {wait_ms} ms: not known to be done, it is done again");
        assert_one_firing(&rig, (1..=8).filter(|id| *id != crashed));
    }
}

#[test]
fn an_owner_whose_action_nobody_heard_of_is_replaced() {
    let mut rig = cluster(31, 8);
    view(&mut rig, 1, 10);
    let mut crashed = None;
    let firings = serve(&mut rig, 60, |rig, id| {
        if crashed.is_none() {
            rig.sim.partition(&[vec![PeerId(id)]]);
            act(rig, id);
            crashed = Some(id);
            rig.run(1);
            rig.crash(id);
            return rig.sim.heal();
        }
        act(rig, id);
    });
    assert_eq!(firings, 2);
    let crashed = crashed.expect("it fell to somebody");
    assert_one_firing(&rig, (1..=8).filter(|id| *id != crashed));
}

#[test]
fn two_sides_of_a_partition_act_and_come_to_one_firing() {
    for seed in 41..=44 {
        let mut rig = cluster(seed, 8);
        let side = |ids: [u64; 4]| ids.map(PeerId).to_vec();
        rig.sim.partition(&[side([1, 2, 3, 4]), side([5, 6, 7, 8])]);
        view(&mut rig, 1, 10);
        view(&mut rig, 8, 20);
        let mut where_ = Vec::new();
        assert_eq!(
            serve(&mut rig, 30, |rig, id| {
                where_.push(id);
                act(rig, id)
            }),
            2,
            "seed {seed}"
        );
        where_.sort_unstable();
        assert!(where_[0] <= 4 && where_[1] > 4, "{where_:?}");
        rig.sim.heal();
        assert_eq!(serve(&mut rig, 60, act), 0);
        assert_one_firing(&rig, 1..=8);
    }
}

#[test]
fn who_joins_after_it_is_done_does_not_act() {
    let mut rig = cluster(51, 4);
    view(&mut rig, 1, 10);
    assert_eq!(serve(&mut rig, 20, act), 1);
    rig.add(5, Config::default());
    enforce(&mut rig, 5);
    assert_eq!(serve(&mut rig, 20, act), 0);
    assert_eq!(rig.value(5, "views"), Some(Output::Value(Value::Int(10))));
    assert_one_firing(&rig, 1..=5);
}

#[test]
fn what_was_removed_since_is_not_put_back_by_a_second_firing() {
    let mut rig = cluster(61, 6);
    view(&mut rig, 1, 10);
    let mut first = None;
    let firings = serve(&mut rig, 40, |rig, id| {
        act(rig, id);
        if first.is_none() {
            first = Some(id);
            rig.run(1);
            let other = if id == 6 { 5 } else { 6 };
            let var = rig.declare(other, "log", Type::AwSet);
            assert_eq!(rig.ask(other, Request::Update { var, op: Op::Remove("a".into()) }), Ok(Reply::Done));
            rig.crash(id);
        }
    });
    assert_eq!(firings, 2);
    let survivor = (1..=6).find(|id| Some(*id) != first).expect("six");
    assert_eq!(rig.value(survivor, "log").map(|log| log.to_string()), Some("set[\"b\"]".to_owned()));
}

#[test]
fn acting_out_of_turn_is_refused() {
    let mut rig = cluster(71, 2);
    let var = rig.declare(1, "count", Type::GCounter);
    let refused = rig.ask(1, Request::Act { token: TOKEN, var, op: Op::Increment(1) });
    assert!(matches!(refused, Err(lasp_node::RequestError::NotDue(_))), "{refused:?}");
    assert!(rig.ask(1, Request::Acted(TOKEN)).is_err());
}
