//! The machine of one node, input by input: what it wants done, and what it writes.

use super::record::{Claim, Record};
use super::*;
use crate::interest::Interests;
use lasp_dataflow::{Type, Value};
use lasp_overlay::Time;

const TOKEN: Token = Token(42);
const WAITER: WaiterId = WaiterId(u64::MAX - 1);

struct Bench {
    store: Store,
    once: Once,
    counter: VarId,
    config: OnceConfig,
}

fn party() -> Party {
    Party::Request(RequestId(7))
}

impl Bench {
    /// A node that enforces at a counter of 3.
    fn new(replica: u64) -> Self {
        let replica = ReplicaId(replica);
        let mut store = Store::new(replica, Interests::All);
        let (counter, _) = store.declare(Time::ZERO, Some(Name::new("c").unwrap()), Type::GCounter, false).unwrap();
        let config = OnceConfig::default();
        let mut once = Once::new(config.clone(), replica);
        once.enforce(&mut store, TOKEN, party(), (WAITER, counter, Threshold::AtLeast(3))).unwrap();
        assert_eq!(once.take(), Outcome::default());
        Self { store, once, counter, config }
    }

    fn reach(&mut self) -> Outcome {
        self.store.graph_mut().update(self.counter, &Op::Increment(3), Stamp::default()).unwrap();
        for waiter in self.store.settle().met {
            assert!(self.once.met(&self.store, waiter));
        }
        self.once.take()
    }

    fn expire(&mut self, turn: u32, now: u64) -> Outcome {
        self.once.expired(&mut self.store, TOKEN, turn, Timestamp(now));
        self.once.take()
    }

    fn record(&self) -> Record {
        Record::of(&self.store, TOKEN)
    }

    /// Hears of another node's claim.
    fn hear(&mut self, claim: Claim) -> Outcome {
        record::claim(&mut self.store, TOKEN, claim);
        self.once.heard(&self.store, TOKEN);
        self.once.take()
    }

    fn hear_done(&mut self) -> Outcome {
        record::done(&mut self.store, TOKEN);
        self.once.heard(&self.store, TOKEN);
        self.once.take()
    }

    fn delay(&self) -> Duration {
        self.once.delay(TOKEN)
    }
}

fn timer(after: Duration, turn: u32) -> Outcome {
    Outcome { timers: vec![(after, TOKEN, turn)], ..Outcome::default() }
}

fn claim(round: i64, time: u64, replica: u64) -> Claim {
    Claim { round, time: Timestamp(time), replica: ReplicaId(replica), stamp: Timestamp(time) }
}

#[test]
fn a_node_alone_claims_settles_acts_and_says_so() {
    let mut bench = Bench::new(1);
    let delay = bench.delay();
    assert!((bench.config.patience..=bench.config.patience + bench.config.spread).contains(&delay));
    assert_eq!(bench.reach(), timer(delay, 1));
    assert!(bench.once.is_busy());
    assert_eq!(bench.expire(1, 100), timer(bench.config.settle, 2));
    assert_eq!(bench.record(), Record { claim: Some(claim(1, 100, 1)), done: false });
    assert_eq!(bench.expire(2, 200), Outcome { due: vec![(TOKEN, party())], ..Outcome::default() });
    assert!(bench.once.acted(TOKEN));
    assert_eq!(bench.once.take(), timer(bench.config.mark, 3));
    assert_eq!(bench.expire(3, 300), Outcome::default());
    assert!(bench.record().done && !bench.once.is_busy());
    assert!(!bench.once.acted(TOKEN), "it acts once");
}

#[test]
fn a_claim_that_is_known_is_watched_and_one_that_is_not_followed_up_is_replaced() {
    let mut bench = Bench::new(1);
    bench.reach();
    let lease = bench.config.lease + bench.delay();
    assert_eq!(bench.hear(claim(1, 50, 2)), timer(lease, 2));
    assert_eq!(bench.expire(1, 100), Outcome::default(), "the timer before it is stale");
    assert_eq!(bench.expire(2, 900), timer(bench.config.settle, 3));
    let expected = Claim { stamp: Timestamp(50), ..claim(2, 900, 1) };
    assert_eq!(bench.record().claim, Some(expected));
    assert_eq!(bench.expire(3, 950).due, [(TOKEN, party())]);
}

#[test]
fn an_earlier_claim_of_the_same_round_takes_precedence() {
    let mut bench = Bench::new(1);
    bench.reach();
    bench.expire(1, 100);
    assert_eq!(bench.hear(claim(1, 101, 2)), Outcome::default(), "a later one does not");
    let lease = bench.config.lease + bench.delay();
    assert_eq!(bench.hear(claim(1, 99, 2)), timer(lease, 3));
    assert_eq!(bench.expire(2, 200), Outcome::default(), "it does not act");
}

#[test]
fn what_is_done_elsewhere_is_over_here() {
    for steps in 0..3 {
        let mut bench = Bench::new(1);
        bench.reach();
        if steps > 0 {
            bench.expire(1, 100);
        }
        if steps > 1 {
            bench.hear(claim(2, 10, 2));
        }
        assert_eq!(bench.hear_done(), Outcome { over: vec![party()], ..Outcome::default() });
        assert!(!bench.once.is_busy());
        for turn in 0..5 {
            assert_eq!(bench.expire(turn, 500), Outcome::default());
        }
    }
}

#[test]
fn a_late_comer_that_knows_it_is_done_does_nothing() {
    let mut bench = Bench::new(1);
    assert_eq!(bench.hear_done(), Outcome::default(), "it has not reached it: nobody waits");
    bench.store.graph_mut().update(bench.counter, &Op::Increment(3), Stamp::default()).unwrap();
    let again = (WaiterId(1 << 40), bench.counter, Threshold::AtLeast(3));
    bench.once.enforce(&mut bench.store, TOKEN, party(), again).unwrap();
    assert_eq!(bench.once.take(), Outcome { over: vec![party()], ..Outcome::default() });
}

#[test]
fn a_party_that_asks_again_takes_over_what_is_under_way() {
    let mut bench = Bench::new(1);
    bench.reach();
    bench.expire(1, 100);
    let program = Party::Program(Name::new("p").unwrap(), 3);
    let again = (WaiterId(1 << 40), bench.counter, Threshold::AtLeast(3));
    bench.once.enforce(&mut bench.store, TOKEN, program.clone(), again).unwrap();
    assert_eq!(bench.once.take(), Outcome::default());
    assert_eq!(bench.expire(2, 200).due, [(TOKEN, program)]);
}

#[test]
fn what_is_cancelled_is_not_enforced() {
    let mut bench = Bench::new(1);
    bench.once.cancel(&mut bench.store, RequestId(7));
    bench.store.graph_mut().update(bench.counter, &Op::Increment(3), Stamp::default()).unwrap();
    assert_eq!(bench.store.settle().met, []);
    assert_eq!(bench.expire(1, 100), Outcome::default());
}

#[test]
fn who_gives_it_up_says_first_what_it_did() {
    for acted in [false, true] {
        let mut bench = Bench::new(1);
        bench.reach();
        bench.expire(1, 100);
        bench.expire(2, 200);
        assert!(!acted || bench.once.acted(TOKEN));
        bench.once.forget(&mut bench.store, TOKEN);
        assert_eq!(bench.record().done, acted);
    }
}

#[test]
fn who_leaves_says_first_what_it_did() {
    let mut bench = Bench::new(1);
    bench.reach();
    bench.expire(1, 100);
    bench.once.leave(&mut bench.store);
    assert!(!bench.record().done, "it has not acted");
    bench.expire(2, 200);
    bench.once.acted(TOKEN);
    bench.once.leave(&mut bench.store);
    assert!(bench.record().done);
}

#[test]
fn the_same_update_has_the_same_author_everywhere_and_no_other_has() {
    let authors = |replica: u64, ops: &[(&str, Op)]| {
        let mut bench = Bench::new(replica);
        bench.hear(claim(1, 50, 9));
        bench.reach();
        let turn = bench.once.enforcements[&TOKEN].turn;
        bench.expire(turn, 100 + replica);
        bench.expire(turn + 1, 200);
        let author = |(name, op): &(&str, Op)| bench.once.author(&bench.store, TOKEN, &Name::new(*name).unwrap(), op);
        ops.iter().map(author).map(|stamp| stamp.expect("it is due")).collect::<Vec<_>>()
    };
    let one = ("a", Op::Increment(1));
    let all =
        [one.clone(), one.clone(), ("b", Op::Increment(1)), ("a", Op::Increment(2)), ("a", Op::Set(Value::Int(1)))];
    let here = authors(1, &all);
    let mut distinct: Vec<ReplicaId> = here.iter().map(|stamp| stamp.replica).collect();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), all.len());
    assert!(here.iter().all(|stamp| stamp.time == Timestamp(50)), "the time of the first claim");
    assert_eq!(authors(2, &all), here);
    let [a, b, c, d, e] = all;
    assert_eq!(authors(2, &[c, e, a, d, b]).iter().map(|s| s.replica).collect::<std::collections::BTreeSet<_>>(), {
        here.iter().map(|s| s.replica).collect()
    });
}

#[test]
fn nobody_acts_before_it_is_due() {
    let mut bench = Bench::new(1);
    let name = Name::new("a").unwrap();
    assert_eq!(bench.once.author(&bench.store, TOKEN, &name, &Op::Enable), None);
    bench.reach();
    bench.expire(1, 100);
    assert_eq!(bench.once.author(&bench.store, TOKEN, &name, &Op::Enable), None);
    bench.expire(2, 200);
    assert!(bench.once.author(&bench.store, TOKEN, &name, &Op::Enable).is_some());
}
