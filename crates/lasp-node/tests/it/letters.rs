//! Letters between whole nodes that are no neighbours: found, acknowledged, taken once, or the sender is told.

use crate::rig::Rig;
use lasp_node::{Command, Config, Event, Letter, Reply, Request, RequestError, RequestId};
use lasp_overlay::PeerId;
use lasp_overlay::unicast::Failure;
use std::collections::BTreeMap;
use std::time::Duration;

const NODES: u64 = 40;

/// Requests under way, and what became of them.
struct Post {
    rig: Rig,
    asked: u64,
    answers: BTreeMap<(u64, u64), Result<Reply, RequestError>>,
}

impl Post {
    fn new() -> Self {
        let mut rig = Rig::new(lasp_sim::Config::seeded(7), vec![Config::default(); NODES as usize]);
        rig.run(10);
        Self { rig, asked: 1 << 32, answers: BTreeMap::new() }
    }

    /// Asks; the name of the answer.
    fn ask(&mut self, node: u64, request: Request) -> (u64, u64) {
        self.asked += 1;
        self.rig.sim.command(PeerId(node), Command::Request { id: RequestId(self.asked), request });
        (node, self.asked)
    }

    fn send(&mut self, from: u64, to: u64, text: &str) -> (u64, u64) {
        self.ask(from, Request::Send { to: PeerId(to), letter: Letter(text.as_bytes().into()) })
    }

    fn run(&mut self, time: Duration) {
        self.rig.sim.run_for(time);
        for (_, node, event) in self.rig.sim.drain_events() {
            if let Event::Reply { id, result } = event {
                assert_eq!(self.answers.insert((node.0, id.0), result), None, "answered twice");
            }
        }
    }

    fn hops(&self, asked: (u64, u64)) -> u8 {
        match &self.answers[&asked] {
            Ok(Reply::Delivered { hops, .. }) => *hops,
            other => panic!("{other:?}"),
        }
    }

    fn failure(&self, asked: (u64, u64)) -> Failure {
        match &self.answers[&asked] {
            Err(RequestError::Undelivered { reason, .. }) => *reason,
            other => panic!("{other:?}"),
        }
    }

    fn text(&self, asked: (u64, u64)) -> (u64, String) {
        match &self.answers[&asked] {
            Ok(Reply::Letter { from, letter }) => (from.0, String::from_utf8(letter.0.to_vec()).expect("text")),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn every_node_reaches_every_other_over_the_links_there_are() {
    let mut post = Post::new();
    let mut asked = Vec::new();
    for from in 1..=NODES {
        for to in 1..=NODES {
            asked.push((to, post.send(from, to, "")));
        }
        post.run(Duration::from_millis(500));
    }
    post.run(Duration::from_secs(10));
    for (to, name) in asked {
        let hops = post.hops(name);
        assert_eq!(hops == 0, name.0 == to);
        assert!(hops < 12, "{hops} links from {} to {to}", name.0);
    }
    let failed: u64 = (1..=NODES).map(|node| post.rig.node(node).letters().failed).sum();
    assert_eq!(failed, 0);
}

#[test]
fn letters_are_taken_in_order_and_wait_for_whoever_takes_them() {
    let mut post = Post::new();
    let waits = post.ask(9, Request::Receive);
    post.send(30, 9, "first");
    post.run(Duration::from_secs(1));
    post.send(31, 9, "second");
    post.send(31, 9, "");
    post.run(Duration::from_secs(1));
    let later = post.ask(9, Request::Receive);
    let given_up = post.ask(9, Request::Receive);
    post.rig.sim.command(PeerId(9), Command::Cancel(RequestId(given_up.1)));
    let last = post.ask(9, Request::Receive);
    post.send(32, 9, "third");
    post.run(Duration::from_secs(1));
    assert_eq!(post.text(waits), (30, "first".to_owned()));
    assert_eq!(post.text(later), (31, "second".to_owned()), "an empty letter is nothing to take");
    assert_eq!(post.text(last), (32, "third".to_owned()));
    assert!(!post.answers.contains_key(&given_up));
}

#[test]
fn the_sender_hears_of_a_node_that_is_dead_cut_off_or_full() {
    let mut post = Post::new();
    post.rig.crash(17);
    let dead = post.send(3, 17, "anybody?");
    let never = post.send(3, 4_711, "anybody?");
    let large = post.ask(3, Request::Send { to: PeerId(5), letter: Letter(vec![0; 20_000].into()) });
    post.run(Duration::from_secs(15));
    assert_eq!(post.failure(never), Failure::NoRoute);
    assert!(matches!(post.failure(dead), Failure::NoRoute | Failure::NotAcknowledged));
    assert_eq!(post.failure(large), Failure::TooLarge);
    post.rig.restart(17, 2, 1);
    post.run(Duration::from_secs(10));
    let again = post.send(3, 17, "back?");
    post.run(Duration::from_secs(5));
    assert!(post.hops(again) > 0);

    let far: Vec<PeerId> = (21..=NODES).map(PeerId).collect();
    post.rig.sim.partition(&[far]);
    post.run(Duration::from_secs(20));
    let (cut, near) = (post.send(3, 33, "still there?"), post.send(3, 12, "and you?"));
    post.run(Duration::from_secs(15));
    assert_eq!(post.failure(cut), Failure::NoRoute);
    assert!(post.hops(near) > 0);
    post.rig.sim.heal();
    post.run(Duration::from_secs(60));
    let healed = post.send(3, 33, "and now?");
    post.run(Duration::from_secs(10));
    assert!(post.hops(healed) > 0);
}

#[test]
fn what_has_no_room_is_not_acknowledged_and_nothing_acknowledged_is_lost() {
    let mut post = Post::new();
    let mut sent = Vec::new();
    for n in 0..300 {
        sent.push(post.send(2, 25, &n.to_string()));
        post.run(Duration::from_millis(100));
    }
    post.run(Duration::from_secs(20));
    let arrived = sent.iter().filter(|name| matches!(post.answers[name], Ok(Reply::Delivered { .. }))).count();
    assert_eq!(arrived, 256);
    let taken: Vec<_> = (0..256).map(|_| post.ask(25, Request::Receive)).collect();
    post.run(Duration::from_secs(1));
    let texts: Vec<String> = taken.into_iter().map(|name| post.text(name).1).collect();
    assert_eq!(texts, (0..256).map(|n| n.to_string()).collect::<Vec<_>>());
}
