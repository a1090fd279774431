//! One node asks all what the overlay looks like: what comes back, also when nodes die or the network loses.

use crate::rig::Rig;
use lasp_node::{Command, Config, Event, Label, Reply, Request, RequestId};
use lasp_overlay::PeerId;
use lasp_overlay::survey::Record;
use std::collections::BTreeMap;

const NODES: u64 = 40;

fn cluster(network: lasp_sim::Config) -> Rig {
    let named = |id: u64| Config {
        label: Label { name: format!("n{id}"), role: if id == 1 { "first" } else { "" }.to_owned() },
        ..Config::default()
    };
    let mut rig = Rig::new(network, (1..=NODES).map(named).collect());
    rig.run(20);
    rig
}

/// What a survey of node 1 brings.
fn survey(rig: &mut Rig, wide: bool) -> BTreeMap<u64, Record> {
    rig.sim.drain_events();
    let id = RequestId(u64::MAX);
    rig.sim.command(PeerId(1), Command::Request { id, request: Request::Survey { wide } });
    rig.run(4);
    let answer = rig.sim.drain_events().into_iter().find_map(|(_, _, event)| match event {
        Event::Reply { id: at, result: Ok(Reply::Survey(records)) } if at == id => Some(records),
        _ => None,
    });
    let records = answer.expect("it ends within the patience");
    records.into_iter().map(|record| (record.contact.id.0, record)).collect()
}

#[test]
fn everybody_says_what_its_views_are() {
    let mut rig = cluster(lasp_sim::Config::default());
    rig.add_all(1, "ads", [1, 2]);
    rig.run(5);
    let map = survey(&mut rig, false);
    assert_eq!(map.len() as u64, NODES);
    for (&id, record) in &map {
        // The passive views go on changing.
        let there = Record { known: record.known, ..rig.node(id).describe(false) };
        assert_eq!(*record, there, "as it is there");
        assert!(record.others.is_empty() && record.known > 0);
    }
    assert_eq!((&*map[&1].name, &*map[&1].role, &*map[&7].name), ("n1", "first", "n7"));
    assert!(map.values().all(|record| record.mark == map[&1].mark), "all hold the same");
    let links = |eager: bool| map.values().flat_map(|r| &r.neighbors).filter(|n| n.eager == eager).count();
    assert!(links(true) as u64 >= 2 * (NODES - 1), "the eager links hold a tree");
    let wide = survey(&mut rig, true);
    assert!(wide.values().all(|record| record.others.len() as u64 == record.known));
}

#[test]
fn who_is_dead_says_nothing_and_keeps_nobody_from_answering() {
    let mut rig = cluster(lasp_sim::Config::default());
    for id in [7, 8, 9] {
        rig.crash(id);
    }
    rig.run(20);
    let map = survey(&mut rig, false);
    assert_eq!(map.len() as u64, NODES - 3);
    assert!(map.values().all(|record| record.neighbors.iter().all(|near| ![7, 8, 9].contains(&near.id.0))));
}

#[test]
fn nothing_is_said_unless_somebody_asks_and_it_costs_little() {
    let mut rig = cluster(lasp_sim::Config::default());
    let sent = |rig: &Rig| -> u64 { (1..=NODES).map(|id| rig.node(id).metrics().total_sent()).sum() };
    let before = sent(&rig);
    rig.run(4);
    let rest = sent(&rig) - before;
    let before = sent(&rig);
    assert_eq!(survey(&mut rig, false).len() as u64, NODES);
    let asked = (sent(&rig) - before).saturating_sub(rest);
    // A question over each of about a hundred links, twice; a part of about a hundred bytes over three or four.
    assert!(asked < NODES * 800, "{asked} bytes");
}
