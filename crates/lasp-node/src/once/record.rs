//! What is known in the cluster of one enforcement: who claims it, and whether it is done.
//!
//! The record is a lattice, so claims settle by themselves: a later round counts more, within a round the earlier claim,
//! of two at one time that of the greater replica. *Done* is never taken back.

use super::Token;
use crate::store::Store;
use crate::system::{self, ONCE};
use lasp_crdt::{ReplicaId, Stamp, Timestamp};
use lasp_dataflow::{Op, State, Type, Value};

/// How many records a node keeps. A guess: each is some 60 bytes, and stays.
pub(crate) const RECORDS_MAX: usize = 1 << 16;

/// The greatest round (guess: as many owners that crashed one after the other).
const ROUND_MAX: i64 = 1 << 20;

/// The variable's type: from tokens to the claim that counts, and whether it is done.
pub(crate) fn ty() -> Type {
    Type::GMap(Box::new(Type::Pair(Box::new(Type::Max), Box::new(Type::Boolean))))
}

/// That a node is about to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// One more than that of the claim it replaces.
    pub(crate) round: i64,
    /// When it was made.
    pub(crate) time: Timestamp,
    /// By whom.
    pub(crate) replica: ReplicaId,
    /// What registers are stamped with by the action: the time of the first claim that the claimant knew of, so that who
    /// follows on an owner that crashed writes what that one wrote.
    pub(crate) stamp: Timestamp,
}

/// What is known of one enforcement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// The claim that counts.
    pub(crate) claim: Option<Claim>,
    /// The action has run somewhere.
    pub(crate) done: bool,
}

impl Claim {
    /// The greatest counts.
    fn value(self) -> Value {
        let earlier = -(self.time.0.min(i64::MAX as u64) as i64);
        let numbers = [self.round, earlier, self.replica.0 as i64, self.stamp.0.min(i64::MAX as u64) as i64];
        Value::tuple(numbers.map(Value::Int))
    }

    fn read(value: &Value) -> Option<Self> {
        let Value::Tuple(fields) = value else { return None };
        let [Value::Int(round), Value::Int(earlier), Value::Int(replica), Value::Int(stamp)] = &fields[..] else {
            return None;
        };
        let time = |n: i64| u64::try_from(n).ok().map(Timestamp);
        let (time, stamp) = (time(earlier.checked_neg()?)?, time(*stamp)?);
        let claim = Self { round: *round, time, replica: ReplicaId(*replica as u64), stamp };
        (1..=ROUND_MAX).contains(round).then_some(claim)
    }
}

impl Record {
    /// Whether its claim is stamped at most `bound_ms` ahead of physical time: as for registers, which are written with it.
    pub(crate) fn is_timely(&self, now_ms: u64, bound_ms: u64) -> bool {
        self.claim.is_none_or(|claim| claim.time.max(claim.stamp).check(now_ms, bound_ms).is_ok())
    }

    /// Reads what stands under a key; `None` for what no node would have written.
    pub(crate) fn read(key: &Value, state: &State) -> Option<Self> {
        let (Value::Int(_), State::Pair(pair)) = (key, state) else { return None };
        let (State::Max(claim), State::Boolean(done)) = &**pair else { return None };
        let claim = match claim.value() {
            Some(value) => Some(Claim::read(value)?),
            None => None,
        };
        Some(Self { claim, done: done.value() })
    }

    /// What is known here.
    pub(crate) fn of(store: &Store, token: Token) -> Self {
        let key = key(token);
        let read = || {
            let State::GMap(map) = store.graph().state(store.graph().lookup(ONCE)?)? else { return None };
            Self::read(&key, map.get(&key)?.get()?)
        };
        read().unwrap_or_default()
    }

    /// The claim that would count more than this one.
    pub(crate) fn next_claim(self, time: Timestamp, replica: ReplicaId) -> Claim {
        let (round, stamp) = self.claim.map_or((0, time), |claim| (claim.round, claim.stamp));
        Claim { round: (round + 1).min(ROUND_MAX), time, replica, stamp }
    }
}

fn key(token: Token) -> Value {
    Value::Int(token.0 as i64)
}

/// The token of a key; `None` for what is none.
pub(crate) fn token_of(key: &Value) -> Option<Token> {
    match key {
        Value::Int(n) => Some(Token(*n as u64)),
        _ => None,
    }
}

fn write(store: &mut Store, token: Token, op: Op) {
    let op = Op::Apply(key(token), Box::new(op));
    if let Ok(var) = store.declare_system(system::name(ONCE), ty()) {
        // The type takes these operations; neither has a stamp.
        _ = store.graph_mut().update(var, &op, Stamp::default());
    }
}

/// Says that this node is about to act.
pub(crate) fn claim(store: &mut Store, token: Token, claim: Claim) {
    write(store, token, Op::Fst(Box::new(Op::Set(claim.value()))));
}

/// Says that the action has run.
pub(crate) fn done(store: &mut Store, token: Token) {
    write(store, token, Op::Snd(Box::new(Op::Enable)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interest::Interests;

    fn at(round: i64, time: u64, replica: u64) -> Claim {
        Claim { round, time: Timestamp(time), replica: ReplicaId(replica), stamp: Timestamp(5) }
    }

    #[test]
    fn the_later_round_counts_then_the_earlier_claim_whatever_the_order() {
        let claims = [at(1, 20, 7), at(1, 10, 3), at(2, 40, 1), at(2, 40, u64::MAX)];
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let mut store = Store::new(ReplicaId(1), Interests::All);
            let mut counted = Vec::new();
            for index in order {
                claim(&mut store, Token(9), claims[index]);
                counted.push(Record::of(&store, Token(9)).claim);
            }
            // Negative as numbers, the greatest ids come before all others.
            assert_eq!(counted[3], Some(claims[2]), "{order:?}");
        }
        let mut store = Store::new(ReplicaId(1), Interests::All);
        claim(&mut store, Token(9), claims[0]);
        claim(&mut store, Token(9), claims[1]);
        assert_eq!(Record::of(&store, Token(9)), Record { claim: Some(claims[1]), done: false });
        done(&mut store, Token(9));
        assert_eq!(Record::of(&store, Token(9)), Record { claim: Some(claims[1]), done: true });
        assert_eq!(Record::of(&store, Token(8)), Record::default());
    }

    #[test]
    fn who_follows_stamps_as_the_first_did() {
        let first = Record::default().next_claim(Timestamp(10), ReplicaId(1));
        assert_eq!((first.round, first.stamp), (1, Timestamp(10)));
        let second = Record { claim: Some(first), done: false }.next_claim(Timestamp(99), ReplicaId(2));
        assert_eq!((second.round, second.stamp, second.time), (2, Timestamp(10), Timestamp(99)));
    }

    #[test]
    fn what_no_node_would_have_written_is_no_record() {
        let record = |claim: Value| {
            let mut map = State::bottom(&ty());
            if let State::GMap(_) = &map {
                let mut store = Store::new(ReplicaId(1), Interests::All);
                write(&mut store, Token(1), Op::Fst(Box::new(Op::Set(claim))));
                map = store.graph().state(store.graph().lookup(ONCE).unwrap()).unwrap().clone();
            }
            let State::GMap(map) = map else { unreachable!("it is one") };
            Record::read(&key(Token(1)), map.get(&key(Token(1))).and_then(|slot| slot.get()).unwrap())
        };
        assert!(record(at(1, 1, 1).value()).is_some());
        assert_eq!(record("a text".into()), None);
        assert_eq!(record(at(0, 1, 1).value()), None);
        assert_eq!(record(at(ROUND_MAX + 1, 1, 1).value()), None);
        assert_eq!(record(Value::tuple([1, i64::MIN, 1, 1].map(Value::Int))), None);
        assert_eq!(record(Value::tuple([1, -1, 1, -1].map(Value::Int))), None);
    }
}
