//! Worlds without a thread, stepped by hand.

use super::*;
use lasp::Lasp;
use lasp::host::HostConfig;
use lasp::http::Action;
use lasp_eval::paced::STEP;

fn world(nodes: u64) -> (Inner, Lasp) {
    let (host, lasp) = Host::new(HostConfig::default());
    (Inner::new(host, nodes, 7, 1.0), lasp)
}

fn run(inner: &mut Inner, millis: u64) {
    for _ in 0..millis / 5 {
        inner.step(inner.simulator.now() + STEP);
    }
}

/// How many parts the links of those who are up make, as they say.
fn parts(inner: &Inner) -> usize {
    let mut left: BTreeSet<PeerId> = inner.simulator.peers().map(|(peer, _)| peer).collect();
    let mut parts = 0;
    while let Some(first) = left.pop_first() {
        parts += 1;
        let mut next = vec![first];
        while let Some(peer) = next.pop() {
            let node = inner.simulator.peer(peer).expect("up");
            next.extend(node.active_view().iter().map(|it| it.id).filter(|it| left.remove(it)));
        }
    }
    parts
}

#[test]
fn a_world_grows_falls_apart_and_heals() {
    let (mut inner, _lasp) = world(40);
    run(&mut inner, 8_000);
    assert_eq!((inner.simulator.len(), parts(&inner)), (40, 1));
    inner.act(Action::Split { parts: 2 }).expect("done");
    run(&mut inner, 10_000);
    assert!(inner.state.cut && parts(&inner) >= 2);
    inner.act(Action::Heal {}).expect("done");
    run(&mut inner, 60_000);
    assert_eq!(parts(&inner), 1);
}

#[test]
fn nodes_crash_and_come_back_but_the_first() {
    let (mut inner, _lasp) = world(20);
    run(&mut inner, 6_000);
    inner.act(Action::Crash { percent: 50.0 }).expect("done");
    assert_eq!(inner.simulator.len(), 20 - 10, "half of nineteen, rounded");
    let id = |peer: PeerId| Action::Kill { node: peer.to_string() };
    assert!(inner.act(id(FIRST)).is_err() && inner.act(id(PeerId(99))).is_err());
    let victim = inner.others()[0];
    inner.act(id(victim)).expect("done");
    assert!(inner.simulator.peer(victim).is_none());
    inner.act(Action::Revive {}).expect("done");
    run(&mut inner, 20_000);
    assert_eq!((inner.simulator.len(), parts(&inner)), (20, 1));
    assert_eq!(inner.simulator.contact(victim).map(|contact| contact.incarnation), Some(2));
}

#[test]
fn churn_replaces_and_updates_arrive_everywhere() {
    let (mut inner, _lasp) = world(20);
    run(&mut inner, 6_000);
    inner.act(Action::Churn { percent: 300.0 }).expect("done");
    inner.act(Action::Updates { rate: 20.0 }).expect("done");
    run(&mut inner, 10_000);
    assert!(inner.simulator.len() == 20 && inner.next > 25, "{}", inner.next);
    inner.act(Action::Churn { percent: 0.0 }).expect("done");
    inner.act(Action::Updates { rate: 0.0 }).expect("done");
    run(&mut inner, 30_000);
    let marks: BTreeSet<u64> = inner.simulator.peers().map(|(_, node)| node.fingerprint()).collect();
    assert_eq!(marks.len(), 1, "all hold the same");
    assert_ne!(marks.first(), Some(&0));
}

#[test]
fn the_same_seed_gives_the_same_world_again() {
    let trace = |seed| {
        let (mut inner, _lasp) = world(12);
        inner.act(Action::Restart { seed, nodes: 30 }).expect("done");
        run(&mut inner, 5_000);
        inner.act(Action::Crash { percent: 20.0 }).expect("done");
        run(&mut inner, 5_000);
        inner.simulator.trace_hash()
    };
    assert_eq!(trace(3), trace(3));
    assert_ne!(trace(3), trace(4));
}
