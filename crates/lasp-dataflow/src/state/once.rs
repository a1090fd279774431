//! Operations that may be applied twice: what two replicas do on behalf of the same author comes to the same.
//!
//! An author here is a replica id that stands for one operation and nothing else. So its additions have the same dots and
//! its counts the same places wherever it acts, and the two merge as one. What a state already holds of the author is not
//! done again.

use super::apply::Author;
use super::{Slot, State};
use crate::op::{Op, OpError};
use crate::types::Type;
use lasp_crdt::GMap;

impl State {
    /// The delta of `op` on this state of type `ty`, by an author of nothing else; bottom where it has been applied before.
    /// Where the operation needs what only a node has (rights of a bounded counter), it is done by `node`, and a second
    /// time counts. Cost: as of [`apply`](Self::apply), twice.
    pub(crate) fn apply_once(&self, ty: &Type, op: &Op, by: Author, node: Author) -> Result<Self, OpError> {
        match (self, ty, op) {
            // The write of another, later one may hide that it was never written: it counts as the later of the two.
            (Self::LwwRegister(register), _, Op::Set(_))
                if register.stamp().is_some_and(|s| s.replica == by.replica) =>
            {
                Ok(Self::bottom(ty))
            }
            (Self::LwwRegister(_), _, _) => self.apply(ty, op, by),
            (Self::GMap(map), Type::GMap(inner), Op::Apply(key, op)) => {
                let delta = match map.get(key).and_then(Slot::get) {
                    Some(state) => state.apply_once(inner, op, by, node),
                    None => Self::bottom(inner).apply_once(inner, op, by, node),
                };
                Ok(Self::GMap(GMap::single(key.clone(), Slot::from(delta?))))
            }
            (Self::Pair(pair), Type::Pair(first, _), Op::Fst(op)) => {
                Ok(Self::Pair(Box::new((pair.0.apply_once(first, op, by, node)?, pair.1.bottom_alike()))))
            }
            (Self::Pair(pair), Type::Pair(_, second), Op::Snd(op)) => {
                Ok(Self::Pair(Box::new((pair.0.bottom_alike(), pair.1.apply_once(second, op, by, node)?))))
            }
            _ if ty.name() == "bcounter" => self.apply(ty, op, node),
            _ => self.what_is_missing_of(ty, op, by),
        }
    }

    fn what_is_missing_of(&self, ty: &Type, op: &Op, by: Author) -> Result<Self, OpError> {
        // What it does where nothing was before shows all that bears the author's name.
        let mark = match Self::bottom(ty).apply(ty, op, by) {
            Ok(mark) if !mark.is_bottom() => mark,
            // It only removes, or needs what is there: nothing to know it by.
            _ => return self.apply(ty, op, by),
        };
        let missing = mark.difference(self);
        if missing == mark { self.apply(ty, op, by) } else { Ok(missing) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;
    use lasp_crdt::{ReplicaId, Stamp, Timestamp};

    fn author(replica: u64, time: u64) -> Author {
        let replica = ReplicaId(replica);
        Author { replica, stamp: Stamp { time: Timestamp(time), replica } }
    }

    fn applied(state: &State, ty: &Type, op: &Op, by: Author) -> State {
        let mut after = state.clone();
        after.merge(state.apply(ty, op, by).expect("it is offered"));
        after
    }

    fn once(state: &State, ty: &Type, op: &Op, time: u64) -> State {
        let mut after = state.clone();
        after.merge(state.apply_once(ty, op, author(77, time), author(1, time)).expect("it is offered"));
        after
    }

    fn merged(left: &State, right: &State) -> State {
        let mut both = left.clone();
        both.merge(right.clone());
        both
    }

    fn cases() -> Vec<(Type, Op, Op)> {
        let ty = |text: &str| text.parse::<Type>().expect("a type");
        let add = |n| Op::AddAll(vec![Value::Int(n), Value::Int(n + 1)]);
        let nested = |op| Op::Apply("key".into(), Box::new(op));
        vec![
            (ty("gset"), add(1), add(7)),
            (ty("awset"), add(1), add(7)),
            (ty("awset"), add(1), Op::Add(Value::Int(1))),
            (ty("gcounter"), Op::Increment(3), Op::Increment(5)),
            (ty("pncounter"), Op::Decrement(3), Op::Increment(5)),
            (ty("max"), Op::Set(Value::Int(3)), Op::Set(Value::Int(5))),
            (ty("min"), Op::Set(Value::Int(3)), Op::Set(Value::Int(5))),
            (ty("boolean"), Op::Enable, Op::Enable),
            (ty("lwwregister"), Op::Set("done".into()), Op::Set("before".into())),
            (ty("gmap(gcounter)"), nested(Op::Increment(3)), nested(Op::Increment(5))),
            (ty("gmap(lwwregister)"), nested(Op::Set("done".into())), nested(Op::Set("before".into()))),
            (ty("pair(awset, gcounter)"), Op::Snd(Box::new(Op::Increment(3))), Op::Fst(Box::new(add(7)))),
        ]
    }

    #[test]
    fn twice_at_one_place_is_once() {
        for (ty, op, other) in cases() {
            let before = applied(&State::bottom(&ty), &ty, &other, author(2, 10));
            let first = once(&before, &ty, &op, 20);
            assert_eq!(once(&first, &ty, &op, 30), first, "{op:?} of {ty}");
        }
    }

    #[test]
    fn at_two_places_that_know_nothing_of_each_other_it_is_once() {
        for (ty, op, other) in cases() {
            let before = applied(&State::bottom(&ty), &ty, &other, author(2, 10));
            let (left, right) = (once(&before, &ty, &op, 20), once(&before, &ty, &op, 20));
            let ahead = once(&applied(&before, &ty, &other, author(3, 15)), &ty, &op, 20);
            assert_eq!(merged(&left, &right).read(), left.read(), "{op:?} of {ty}");
            assert_eq!(merged(&left, &ahead).read(), ahead.read(), "{op:?} of {ty}");
        }
    }

    #[test]
    fn what_came_in_part_is_completed() {
        let op = Op::AddAll((1..=4).map(Value::Int).collect());
        let whole = once(&State::bottom(&Type::AwSet), &Type::AwSet, &op, 20);
        let parts = whole.decompose();
        assert!(parts.len() > 1, "{} parts", parts.len());
        for part in parts {
            assert_eq!(merged(&once(&part, &Type::AwSet, &op, 20), &whole), whole);
        }
    }

    #[test]
    fn what_was_removed_since_does_not_come_back() {
        let op = Op::Add(Value::Int(1));
        let added = once(&State::bottom(&Type::AwSet), &Type::AwSet, &op, 20);
        let removed = applied(&added, &Type::AwSet, &Op::Remove(Value::Int(1)), author(2, 30));
        assert_eq!(once(&removed, &Type::AwSet, &op, 40), removed);
        assert_eq!(merged(&once(&State::bottom(&Type::AwSet), &Type::AwSet, &op, 20), &removed), removed);
    }

    #[test]
    fn a_removal_takes_away_what_is_there() {
        let held = applied(&State::bottom(&Type::AwSet), &Type::AwSet, &Op::Add(Value::Int(1)), author(2, 10));
        assert_eq!(once(&held, &Type::AwSet, &Op::Remove(Value::Int(1)), 20).cardinality(), Some(0));
    }
}
