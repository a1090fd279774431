//! Who is behind a state, as far as it tells: the replica whose events a delta adds, and why an element is in a set.

use super::State;
use crate::value::Value;
use lasp_crdt::{BaseId, Causal, Delta as _, Dot, DotSet, Support};

impl State {
    /// Of a delta: the last event that it adds, if all that it adds are events of one replica. Of counters the event's number
    /// is the replica's count, of last-writer-wins registers the time in milliseconds. A removal adds none, and types without
    /// replicas in their states tell nothing. Cost: the size of the delta.
    pub fn author(&self) -> Option<Dot> {
        match self {
            Self::AwSet(set) => last_of(&set.own().live()),
            Self::RwSet(it) => last(&it.digest()),
            Self::EwFlag(it) => last(&it.digest()),
            Self::DwFlag(it) => last(&it.digest()),
            Self::MvRegister(it) => last(&it.digest()),
            Self::AwMap(it) => last(&it.digest()),
            Self::MvMap(it) => last(&it.digest()),
            Self::AwGraph(it) => last(&it.digest()),
            Self::GCounter(counter) => only(counter.counts()).map(|(replica, count)| Dot::new(replica, count)),
            Self::LwwRegister(register) => register.stamp().map(|stamp| Dot::new(stamp.replica, stamp.time.millis())),
            _ => None,
        }
    }

    /// Why an element is in an add-wins set: each support is a product of additions that keeps it there, an addition to this
    /// set itself being an event of `base`. Nothing of another type. Cost: that of the supports.
    pub fn reasons(&self, base: BaseId, element: &Value) -> Vec<Support> {
        let Self::AwSet(set) = self else { return Vec::new() };
        let mut reasons: Vec<Support> = set.supports(base, element).collect();
        reasons.sort_unstable();
        reasons
    }
}

fn last(causal: &Causal) -> Option<Dot> {
    last_of(causal.live())
}

fn last_of(dots: &DotSet) -> Option<Dot> {
    let replica = only(dots.replicas())?;
    let last = dots.ranges_of(replica).last()?;
    Some(Dot::new(replica, last.end))
}

/// The one thing that there is.
fn only<T>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next()?;
    all.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::SetState;
    use lasp_crdt::{AwSet, Derived, GCounter, Lattice as _, ReplicaId};

    const A: ReplicaId = ReplicaId(1);
    const B: ReplicaId = ReplicaId(2);

    fn set(own: AwSet<Value>) -> State {
        State::AwSet(Box::new(SetState::new(own, Derived::new())))
    }

    #[test]
    fn a_delta_tells_whose_event_it_adds() {
        let mut state = AwSet::new();
        state.merge(state.add(A, 1.into()));
        let second = state.add(A, 2.into());
        assert_eq!(set(second.clone()).author(), Some(Dot::new(A, 2)));
        state.merge(second);
        assert_eq!(set(state.remove(&1.into())).author(), None, "a removal is no event");
        let other = AwSet::new().add(B, 3.into());
        state.merge(other);
        assert_eq!(set(state).author(), None, "two are behind it");
        assert_eq!(State::GCounter(GCounter::new().increment(B, 5)).author(), Some(Dot::new(B, 5)));
        assert_eq!(State::GSet(lasp_crdt::GSet::default()).author(), None);
    }

    #[test]
    fn an_element_is_there_for_its_additions_and_what_was_derived() {
        let (base, other) = (BaseId::of("ads"), BaseId::of("bids"));
        let mut own = AwSet::new().add(A, Value::from(7));
        own.merge(AwSet::new().add(B, Value::from(7)));
        let mut derived = Derived::new();
        derived.see_live(other, Dot::new(B, 9));
        let from = Support::event(other, Dot::new(B, 9));
        derived.add_support(Value::from(7), from.clone());
        let state = State::AwSet(Box::new(SetState::new(own, derived)));
        let mut expected = vec![Support::event(base, Dot::new(A, 1)), Support::event(base, Dot::new(B, 1)), from];
        expected.sort_unstable();
        assert_eq!(state.reasons(base, &7.into()), expected);
        assert_eq!(state.reasons(base, &8.into()), []);
    }
}
