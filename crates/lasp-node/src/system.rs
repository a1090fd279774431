//! Variables of the runtime itself: how they are called, what may stand in them.
//!
//! They are replicated like all others, and heard by every node whatever its interests. Programs and owners cannot write
//! them; what comes from other nodes is looked at part by part, and a part that no node of this kind would have written is
//! left out. As with registers from a wrong clock, it stays a difference to those who hold it.

use crate::key::Key;
use crate::programs::registry;
use crate::{once, programs};
use lasp_crdt::{GMap, Lattice};
use lasp_dataflow::{Name, Slot, State, Type, Value};

/// What the names of these variables begin with.
pub const RESERVED: &str = "~lasp/";

/// The installed programs, see [`registry`].
pub(crate) const PROGRAMS: &str = "~lasp/programs";

/// What is enforced once, see [`once`].
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
        PROGRAMS => Some(programs::registry::ty()),
        ONCE => Some(once::record::ty()),
        _ => None,
    }
}

/// The name as names are given.
pub(crate) fn name(text: &'static str) -> Name {
    Name::new(text).expect("a short name")
}

/// What may be merged of a delta for a variable of the runtime that holds `held`, and how many parts were left out.
pub(crate) fn admitted(key: &Key, delta: &State, held: Option<&State>) -> (State, u64) {
    let mut admitted = GMap::default();
    let mut refused = 0;
    if let State::GMap(map) = delta {
        let known = match held {
            Some(State::GMap(known)) => Some(known),
            _ => None,
        };
        let mut room = Room::of(key.name().as_str(), known);
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
    Records { more: usize },
    None,
}

impl Room {
    fn of(name: &str, known: Option<&GMap<Value, Slot>>) -> Self {
        let len = known.map_or(0, GMap::len);
        match name {
            PROGRAMS => Self::Programs {
                names: (2 * registry::NAMES_MAX).saturating_sub(len),
                bytes: (2 * registry::BYTES_MAX).saturating_sub(known.map_or(0, registry::bytes)),
            },
            ONCE => Self::Records { more: once::record::RECORDS_MAX.saturating_sub(len) },
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
            Self::Records { more } => {
                if once::record::Record::read(at, state).is_none() || is_new && *more == 0 {
                    return false;
                }
                *more = more.saturating_sub(usize::from(is_new));
                true
            }
            Self::None => false,
        }
    }
}
