//! Sessions that go from node to node: whatever the network does, they are shown what they wrote and read, or told that it is
//! not there.

use crate::rig::Rig;
use lasp_dataflow::{Name, Op, Operator, Output, Target, Type, Value, VarId};
use lasp_node::session::There;
use lasp_node::{Behind, Command, Config, Event, Interests, Reply, Request, RequestError, RequestId, SessionToken};
use lasp_overlay::{PeerId, Rng};
use std::collections::BTreeSet;
use std::time::Duration;

const NODES: u64 = 12;

/// Longer than a comparison takes to come round.
const LONG: Duration = Duration::from_secs(60);

/// One session, and what it has seen.
struct Walker {
    rig: Rig,
    asked: u64,
    token: SessionToken,
    /// What was last seen of the set.
    seen: BTreeSet<i64>,
    removed: BTreeSet<i64>,
    count: i64,
}

impl Walker {
    fn new(network: lasp_sim::Config) -> Self {
        let mut rig = Rig::new(network, vec![Config::default(); NODES as usize]);
        rig.run(10);
        let (token, seen, removed) = (SessionToken::default(), BTreeSet::new(), BTreeSet::new());
        Self { rig, asked: 1 << 32, token, seen, removed, count: 0 }
    }

    /// Asks, and waits as long as it takes.
    fn wait(&mut self, node: u64, request: Request, within: Duration) -> Result<Reply, RequestError> {
        self.asked += 1;
        let asked = RequestId(self.asked);
        self.rig.sim.drain_events();
        self.rig.sim.command(PeerId(node), Command::Request { id: asked, request });
        for _ in 0..=within.as_millis() / 10 + 1 {
            for (_, _, event) in self.rig.sim.drain_events() {
                if let Event::Reply { id, result } = event
                    && id == asked
                {
                    return result;
                }
            }
            self.rig.sim.run_for(Duration::from_millis(10));
        }
        panic!("no answer within {within:?}");
    }

    /// The token as it travels.
    fn session(&self) -> Box<SessionToken> {
        let text = self.token.to_string();
        assert!(text.len() < 5_500, "{}", text.len());
        Box::new(text.parse().expect("a token"))
    }

    /// Goes to a node; `false` if what it has seen does not come there in time.
    fn enter(&mut self, node: u64, within: Duration) -> Result<(), Behind> {
        let session = self.session();
        match self.wait(node, Request::Enter { session, within }, within) {
            Ok(Reply::Done) => Ok(()),
            Err(RequestError::SessionBehind(behind)) => Err(behind),
            other => panic!("{other:?}"),
        }
    }

    fn var(&mut self, node: u64, name: &str) -> VarId {
        let ty = if name == "count" { Type::GCounter } else { Type::AwSet };
        self.rig.declare(node, name, ty)
    }

    fn update(&mut self, node: u64, name: &str, op: Op) {
        let (var, session) = (self.var(node, name), Some(self.session()));
        let request = Request::UpdateAcknowledged { var, op, by: 0, within: LONG, session };
        match self.rig.ask(node, request) {
            Ok(Reply::Acknowledged { session: Some(session), .. }) => self.token = *session,
            other => panic!("{other:?}"),
        }
    }

    fn add(&mut self, node: u64, element: i64) {
        self.update(node, "set", Op::Add(element.into()));
        self.seen.insert(element);
        self.removed.remove(&element);
    }

    fn remove(&mut self, node: u64, element: i64) {
        self.update(node, "set", Op::Remove(element.into()));
        self.seen.remove(&element);
        self.removed.insert(element);
    }

    fn read(&mut self, node: u64, name: &str) -> Output {
        let (var, session) = (self.var(node, name), self.session());
        match self.rig.ask(node, Request::QueryIn { var, session }) {
            Ok(Reply::Noted { output, session }) => {
                self.token = *session;
                output
            }
            other => panic!("{other:?}"),
        }
    }

    /// Reads everything; what was seen is there, and what was removed is not.
    fn check(&mut self, node: u64) {
        let Output::Set(elements) = self.read(node, "set") else { panic!("a set") };
        let elements: BTreeSet<i64> =
            elements.iter().filter_map(|element| if let Value::Int(n) = element { Some(*n) } else { None }).collect();
        let lost: Vec<_> = self.seen.difference(&elements).collect();
        let back: Vec<_> = self.removed.intersection(&elements).collect();
        assert!(lost.is_empty() && back.is_empty(), "at {node}: lost {lost:?}, back {back:?}");
        self.seen = elements;
        let Output::Value(Value::Int(count)) = self.read(node, "count") else { panic!("a count") };
        assert!(count >= self.count, "{count} after {}", self.count);
        self.count = count;
    }
}

/// What others do meanwhile: they add elements above a thousand, and count.
fn others(walker: &mut Walker, rng: &mut Rng) {
    for _ in 0..3 {
        let node = 1 + rng.below(NODES);
        if walker.rig.sim.peer(PeerId(node)).is_none() {
            continue;
        }
        let (set, count) = (walker.var(node, "set"), walker.var(node, "count"));
        let op = Op::Add((1_000 + rng.below(100_000) as i64).into());
        walker.rig.ask(node, Request::Update { var: set, op }).expect("added");
        walker.rig.ask(node, Request::Update { var: count, op: Op::Increment(1) }).expect("counted");
    }
}

fn walk(walker: &mut Walker, rng: &mut Rng, steps: i64, within: Duration) -> (usize, usize) {
    let (mut served, mut behind) = (0, 0);
    for step in 0..steps {
        others(walker, rng);
        let node = 1 + rng.below(NODES);
        if walker.rig.sim.peer(PeerId(node)).is_none() {
            continue;
        }
        if walker.enter(node, within).is_err() {
            behind += 1;
            continue;
        }
        served += 1;
        walker.check(node);
        match rng.below(4) {
            0 => walker.add(node, step),
            1 => walker.update(node, "count", Op::Increment(1)),
            2 if walker.seen.contains(&(step / 2)) => walker.remove(node, step / 2),
            _ => walker.add(node, step),
        }
        walker.check(node);
        walker.rig.sim.run_for(Duration::from_millis(rng.below(30)));
    }
    (served, behind)
}

#[test]
fn a_session_finds_what_it_wrote_and_read_at_every_node_under_loss_and_reordering() {
    for seed in 0..8 {
        let network = lasp_sim::Config { loss: 0.1, duplicate: 0.1, reorder: 0.3, ..lasp_sim::Config::seeded(seed) };
        let mut walker = Walker::new(network);
        let (served, behind) = walk(&mut walker, &mut Rng::new(seed), 40, LONG);
        assert_eq!((served, behind), (40, 0), "world {seed}");
        let waited: u64 = (1..=NODES).map(|id| walker.rig.node(id).metrics().sessions_waited).sum();
        assert!(waited > 0, "it was never ahead of a node");
    }
}

#[test]
fn a_large_set_is_asked_for_where_it_was_read() {
    let mut walker = Walker::new(lasp_sim::Config::seeded(20));
    let var = walker.var(1, "set");
    let all = Op::AddAll((1_000..3_000).map(Value::Int).collect());
    walker.rig.ask(1, Request::Update { var, op: all }).expect("added");
    walker.rig.run(5);
    let mut rng = Rng::new(20);
    assert_eq!(walk(&mut walker, &mut rng, 40, LONG), (40, 0));
    let asked: u64 = (1..=NODES).map(|id| walker.rig.node(id).metrics().sessions_asked).sum();
    assert!(asked > 5, "{asked} questions");
    assert!(walker.token.to_string().len() < 260, "{}", walker.token);
}

#[test]
fn a_cut_serves_nobody_old_values_and_what_is_seen_on_one_side_waits_on_the_other() {
    for seed in 30..34 {
        let mut walker = Walker::new(lasp_sim::Config::seeded(seed));
        let mut rng = Rng::new(seed);
        walk(&mut walker, &mut rng, 10, LONG);
        let side: Vec<PeerId> = (1..=NODES / 2).map(PeerId).collect();
        walker.rig.sim.partition(std::slice::from_ref(&side));
        let (served, behind) = walk(&mut walker, &mut rng, 30, Duration::from_millis(300));
        assert!(served > 0 && behind > 0, "world {seed}: served {served}, behind {behind}");
        walker.rig.sim.heal();
        walker.rig.run(60);
        assert_eq!(walk(&mut walker, &mut rng, 10, LONG), (10, 0), "world {seed}");
    }
}

#[test]
fn nodes_that_lost_their_memory_show_a_session_nothing_old() {
    for seed in 40..44 {
        let mut walker = Walker::new(lasp_sim::Config::seeded(seed));
        let mut rng = Rng::new(seed);
        walk(&mut walker, &mut rng, 10, LONG);
        walker.rig.run(5);
        for round in 0..3 {
            let gone = 2 + rng.below(NODES - 1);
            walker.rig.crash(gone);
            walk(&mut walker, &mut rng, 5, Duration::from_secs(1));
            walker.rig.restart(gone, 2 + round, 1);
            let _ = walker.enter(gone, Duration::from_millis(20)).map(|()| walker.check(gone));
            walk(&mut walker, &mut rng, 5, Duration::from_secs(5));
        }
    }
}

#[test]
fn what_is_lost_with_its_node_is_told() {
    let mut walker = Walker::new(lasp_sim::Config::seeded(50));
    let alone = vec![PeerId(3)];
    walker.rig.sim.partition(std::slice::from_ref(&alone));
    walker.add(3, 1);
    walker.rig.crash(3);
    walker.rig.sim.heal();
    walker.rig.run(30);
    let behind = walker.enter(4, Duration::from_secs(2)).expect_err("nobody has it");
    assert_eq!((behind.variable.as_str(), behind.at), ("set", None));
    let var = walker.var(4, "set");
    let (op, session) = (Op::Add(2.into()), Some(walker.session()));
    let refused = walker.rig.ask(4, Request::UpdateAcknowledged { var, op, by: 0, within: LONG, session });
    assert!(matches!(refused, Err(RequestError::SessionBehind(_))), "{refused:?}");
    assert_eq!(walker.rig.cardinality(4, "set"), 0, "what is refused is not applied");

    walker.token = SessionToken::default();
    let all = Op::AddAll((0..300).map(|n| Value::text(format!("{n}-{}", n * n))).collect());
    let far = walker.var(5, "far");
    walker.rig.sim.partition(&[vec![PeerId(5)]]);
    walker.rig.ask(5, Request::Update { var: far, op: all }).expect("added");
    walker.read(5, "far");
    walker.rig.crash(5);
    walker.rig.sim.heal();
    walker.rig.run(20);
    let behind = walker.enter(6, Duration::from_secs(20)).expect_err("nobody has it");
    assert_eq!((behind.at, behind.there), (Some(PeerId(5)), There::Silent));
    walker.rig.restart(5, 9, 1);
    walker.rig.run(10);
    let behind = walker.enter(6, Duration::from_secs(20)).expect_err("it has forgotten");
    assert_eq!((behind.at, behind.there), (Some(PeerId(5)), There::Gone));
    assert!(behind.to_string().contains("was restarted since"), "{behind}");
}

#[test]
fn what_follows_from_an_update_is_seen_with_it_and_a_view_is_its_inputs() {
    let mut walker = Walker::new(lasp_sim::Config::seeded(60));
    let (set, into) = (walker.var(1, "set"), walker.var(1, "double"));
    let double = || {
        Operator::Map(lasp_dataflow::function(|args| match &args[0] {
            Value::Int(n) => Ok(Value::Int(2 * n)),
            other => Ok(other.clone()),
        }))
    };
    let request = Request::Derive { operator: double(), inputs: vec![set], into: Target::Into(into) };
    walker.rig.ask(1, request).expect("derived");
    assert_eq!(walker.rig.ask(7, Request::Interests(Interests::prefixes(["double"]))), Ok(Reply::Done));
    walker.rig.run(2);
    walker.add(1, 21);
    walker.enter(7, LONG).expect("it comes");
    assert_eq!(walker.read(7, "double"), Output::Set(vec![Value::Int(42)]), "where its input is not heard");

    walker.token = SessionToken::default();
    let set = walker.var(8, "set");
    let name = Some(Name::new("view").expect("a name"));
    let request = Request::Derive { operator: double(), inputs: vec![set], into: Target::Local(name) };
    let Ok(Reply::Var(view)) = walker.rig.ask(8, request) else { panic!("no view") };
    let Ok(Reply::Noted { output, session }) =
        walker.rig.ask(8, Request::QueryIn { var: view, session: Box::default() })
    else {
        panic!("not read")
    };
    assert_eq!(output, Output::Set(vec![Value::Int(42)]));
    assert_eq!((session.len(), session.type_of("set")), (1, Some(&Type::AwSet)));
}

#[test]
fn who_waits_no_longer_hears_nothing() {
    let mut walker = Walker::new(lasp_sim::Config::seeded(70));
    walker.rig.sim.partition(&[vec![PeerId(3)]]);
    walker.add(3, 1);
    walker.asked += 1;
    let (asked, session) = (RequestId(walker.asked), walker.session());
    let request = Request::Enter { session, within: Duration::from_secs(1) };
    walker.rig.sim.command(PeerId(4), Command::Request { id: asked, request });
    assert!(!walker.rig.node(4).is_quiescent());
    walker.rig.sim.command(PeerId(4), Command::Cancel(asked));
    walker.rig.sim.heal();
    walker.rig.run(30);
    let events = walker.rig.sim.drain_events();
    assert!(!events.iter().any(|(_, _, event)| matches!(event, Event::Reply { id, .. } if *id == asked)));
    walker.enter(4, LONG).expect("it has come");
    walker.check(4);
}
