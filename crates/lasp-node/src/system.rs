//! Variables of the runtime itself: how they are called, what may stand in them.
//!
//! They are replicated like all others, and heard by every node whatever its interests. Programs and owners cannot write
//! them; what comes from other nodes is looked at part by part, and a part that no node of this kind would have written is
//! left out. As with registers from a wrong clock, it stays a difference to those who hold it.

use crate::clock::MAX_DRIFT_MS;
use crate::key::Key;
use crate::once::record;
use crate::programs::registry;
use lasp_crdt::{GMap, Lattice};
use lasp_dataflow::{Name, Slot, State, Type, Value};

/// What the names of these variables begin with.
pub const RESERVED: &str = "~lasp/";

/// The installed programs, see [`registry`].
pub(crate) const PROGRAMS: &str = "~lasp/programs";

/// What is enforced once, see [`record`].
pub(crate) const ONCE: &str = "~lasp/once";

/// Whether a name is one of the runtime's own.
pub fn is_reserved(name: &str) -> bool {
    name.starts_with(RESERVED)
}

/// Whether every node hears a variable of this name.
pub(crate) fn is_heard_by_all(name: &str) -> bool {
    is_reserved(name) && matches!(name, PROGRAMS | ONCE)
}

/// The type of a variable of the runtime; `None` for any other name.
pub(crate) fn type_of(name: &str) -> Option<Type> {
    match name {
        PROGRAMS => Some(registry::ty()),
        ONCE => Some(record::ty()),
        _ => None,
    }
}

/// The name as names are given.
pub(crate) fn name(text: &'static str) -> Name {
    Name::new(text).expect("a short name")
}

/// What may be merged at `now_ms` of a delta for a variable of the runtime that holds `held`, and how many parts were left
/// out.
pub(crate) fn admitted(key: &Key, delta: &State, held: Option<&State>, now_ms: u64) -> (State, u64) {
    let mut admitted = GMap::default();
    let mut refused = 0;
    if let State::GMap(map) = delta {
        let known = match held {
            Some(State::GMap(known)) => Some(known),
            _ => None,
        };
        let mut room = Room::of(key.name().as_str(), known, now_ms);
        for (at, slot) in map.iter() {
            let is_new = known.is_none_or(|known| known.get(at).is_none());
            match slot.get() {
                Some(state) if room.takes(at, state, is_new) => {
                    _ = admitted.merge(GMap::single(at.clone(), slot.clone()))
                }
                _ => refused += 1,
            }
        }
    }
    (State::GMap(admitted), refused)
}

/// How much more a variable of the runtime may hold. Installing is refused well before receiving is, so that what was
/// installed at several nodes at once finds its place.
enum Room {
    Programs { names: usize, bytes: usize },
    Records { more: usize, now_ms: u64 },
    None,
}

impl Room {
    fn of(name: &str, known: Option<&GMap<Value, Slot>>, now_ms: u64) -> Self {
        let len = known.map_or(0, GMap::len);
        match name {
            PROGRAMS => Self::Programs {
                names: (2 * registry::NAMES_MAX).saturating_sub(len),
                bytes: (2 * registry::BYTES_MAX).saturating_sub(known.map_or(0, registry::bytes)),
            },
            ONCE => Self::Records { more: record::RECORDS_MAX.saturating_sub(len), now_ms },
            _ => Self::None,
        }
    }

    /// Whether an entry is one, and there is room for it; that is taken.
    fn takes(&mut self, at: &Value, state: &State, is_new: bool) -> bool {
        match self {
            Self::Programs { names, bytes } => {
                let Some(entry) = registry::Entry::read(at, state) else { return false };
                let size = entry.text.as_ref().map_or(0, |text| text.len());
                if size > *bytes || is_new && *names == 0 {
                    return false;
                }
                (*names, *bytes) = (names.saturating_sub(usize::from(is_new)), *bytes - size);
                true
            }
            Self::Records { more, now_ms } => {
                let Some(record) = record::Record::read(at, state) else { return false };
                if !record.is_timely(*now_ms, MAX_DRIFT_MS) || is_new && *more == 0 {
                    return false;
                }
                *more = more.saturating_sub(usize::from(is_new));
                true
            }
            Self::None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::intern::Tables;
    use crate::wire::{Builder, entry_len};
    use crate::{Config, Frame, Node, ProgramState};
    use lasp_crdt::{LwwRegister, ReplicaId, Stamp, Timestamp};
    use lasp_overlay::{Addr, Contact, Input, Outbox, PeerId, Protocol, Time};

    fn contact(id: u64) -> Contact {
        Contact { id: PeerId(id), incarnation: 1, addr: Addr::new(&format!("node-{id}:1")).expect("short") }
    }

    /// A node with a link to a peer that says whatever it likes.
    struct Link {
        node: Node,
        tables: Tables,
    }

    impl std::ops::Deref for Link {
        type Target = Node;

        fn deref(&self) -> &Node {
            &self.node
        }
    }

    fn node() -> Link {
        let mut node = Node::new(Config::default(), contact(1), 1);
        for input in [Input::Start, Input::LinkUp { peer: contact(2), dialed: None }] {
            node.handle(Time::ZERO, input, &mut Outbox::new());
        }
        Link { node, tables: Tables::new() }
    }

    fn say(link: &mut Link, relayed: bool, key: &Key, delta: &State) {
        let mut builder = Builder::new(&mut link.tables, false);
        if relayed {
            builder.relay(key, delta);
        } else {
            builder.data(key, delta);
        }
        let message: Frame = builder.finish().0;
        link.node.handle(Time::ZERO, Input::Received { from: PeerId(2), message }, &mut Outbox::new());
        assert_eq!(link.metrics().frames_refused, 0);
    }

    fn programs() -> Key {
        Key::new(name(PROGRAMS), type_of(PROGRAMS).expect("known"))
    }

    fn entry(at: Value, version: u64, value: Value, replica: u64) -> State {
        let stamp = Stamp { time: Timestamp(version), replica: ReplicaId(replica) };
        let register = State::LwwRegister(LwwRegister::new().write(stamp, value));
        State::GMap(GMap::single(at, Slot::from(register)))
    }

    /// As it would be written.
    fn program(at: &str, version: u64, text: &str) -> State {
        let hash = registry::hash(text);
        entry(at.into(), version, Value::tuple([Value::Int(hash), Value::Int(1), text.into()]), hash as u64)
    }

    #[test]
    fn parts_that_no_node_would_have_written_are_left_out_and_the_others_taken() {
        for relayed in [false, true] {
            let mut node = node();
            let mut delta = program("good", 1, "declare(\"a\", set).");
            delta.merge(program("far", 1 << 40, "declare(\"a\", set)."));
            delta.merge(entry("forged".into(), 1, Value::tuple([Value::Int(1), Value::Int(1), "x".into()]), 1));
            delta.merge(entry("odd".into(), 1, Value::Int(3), 3));
            delta.merge(entry(Value::Int(3), 1, Value::Int(3), 3));
            say(&mut node, relayed, &programs(), &delta);
            let known: Vec<_> = node.programs().into_iter().map(|info| (info.name.to_string(), info.state)).collect();
            assert_eq!(known, [("good".to_owned(), ProgramState::Running)]);
            assert_eq!(node.metrics().entries_refused, 4);
        }
    }

    #[test]
    fn a_program_that_would_have_been_refused_elsewhere_is_kept_and_not_run() {
        let mut node = node();
        let text = "A = declare(\"a\", set).\nupdate(A, {add, 1}).";
        say(&mut node, false, &programs(), &program("p", 1, text));
        let [info] = &node.programs()[..] else { panic!("it is known") };
        assert!(matches!(&info.state, ProgramState::Refused(report) if report.contains("p:2:1")), "{:?}", info.state);
        assert!(node.graph().lookup("a").is_none());
        assert_eq!(node.metrics().programs_refused, 1);
    }

    #[test]
    fn a_variable_of_the_runtime_has_one_type() {
        let mut node = node();
        let key = Key::new(name(PROGRAMS), Type::GSet);
        let delta = State::GSet(lasp_crdt::GSet::default().add(Value::Int(1)));
        say(&mut node, false, &key, &delta);
        assert!(node.graph().lookup(PROGRAMS).is_none());
        say(&mut node, false, &programs(), &program("p", 1, "declare(\"a\", set)."));
        assert_eq!(node.programs().len(), 1);
    }

    #[test]
    fn no_flood_fills_a_node() {
        let mut node = node();
        let text = "x".repeat(registry::TEXT_MAX);
        let fitting = 2 * registry::BYTES_MAX / registry::TEXT_MAX;
        for number in 0..fitting + 5 {
            let delta = program(&format!("p{number}"), 1, &text);
            assert!(entry_len(&programs(), &delta) < crate::MAX_FRAME);
            say(&mut node, false, &programs(), &delta);
        }
        assert_eq!(node.programs().len(), fitting);
        let names = (0..2 * registry::NAMES_MAX).map(|number| program(&format!("q{number}"), 1, ""));
        let all = names.fold(State::bottom(programs().ty()), |mut all, one| {
            all.merge(one);
            all
        });
        say(&mut node, false, &programs(), &all);
        assert_eq!(node.programs().len(), 2 * registry::NAMES_MAX);
    }

    #[test]
    fn records_that_are_none_are_left_out() {
        let mut node = node();
        let key = Key::new(name(ONCE), type_of(ONCE).expect("known"));
        let mut store = crate::store::Store::new(ReplicaId(5), crate::Interests::All);
        let token = crate::Token(9);
        record::done(&mut store, token);
        let var = store.graph().lookup(ONCE).expect("written");
        let ahead = Timestamp::from_millis(MAX_DRIFT_MS + 1);
        for (other, time) in [(1, Timestamp(7)), (2, ahead)] {
            let claim = record::Record::default().next_claim(time, ReplicaId(5));
            record::claim(&mut store, crate::Token(other), claim);
        }
        let mut delta = store.graph().state(var).expect("held").clone();
        let State::GMap(map) = &delta else { panic!("a map") };
        let slot = map.unordered().next().expect("one").1.clone();
        delta.merge(State::GMap(GMap::single("no token".into(), slot)));
        say(&mut node, false, &key, &delta);
        let held = node.graph().lookup(ONCE).and_then(|var| node.graph().state(var)?.cardinality());
        assert_eq!((held, node.metrics().entries_refused), (Some(2), 2), "one is no record, one from a wrong clock");
    }
}
