//! Which programs are installed: a replicated map from names to the last version, a text or the note that it was removed.
//!
//! An entry is a register whose time is the version, so a removal that is heard before what it removes wins over it. Of
//! two entries of one version the greater hash wins, the same at every node; and an installation over a removal.

use crate::store::Store;
use crate::system::{self, PROGRAMS};
use lasp_crdt::{GMap, ReplicaId, Stamp, Timestamp, fingerprint};
use lasp_dataflow::{Name, Op, Slot, State, Type, Value, VarId};
use std::sync::Arc;

/// The longest text in bytes: half a frame with its wrapping, as for every value that is sent.
pub const TEXT_MAX: usize = 120 * 1024;

/// How many names there may be, those of removed programs included (guess: far above what a cluster runs).
pub const NAMES_MAX: usize = 1024;

/// How many bytes of text there may be (guess: each node keeps them all).
pub const BYTES_MAX: usize = 4 << 20;

/// The greatest version (guess: a program a second for a hundred years).
const VERSION_MAX: u64 = u32::MAX as u64;

/// What stands in place of a hash where a program was removed: less than every hash.
const REMOVED: i64 = -1;

/// The variable's type.
pub(crate) fn ty() -> Type {
    Type::GMap(Box::new(Type::LwwRegister))
}

/// One name's last version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Counts the installations and removals under this name.
    pub(crate) version: u64,
    /// The version that was the first after the last removal: what is enforced once belongs to one generation.
    pub(crate) generation: u64,
    /// The program; `None` where it was removed.
    pub(crate) text: Option<Arc<str>>,
}

/// A hash of a program's text, not negative.
pub(crate) fn hash(text: &str) -> i64 {
    (fingerprint::hash(text) >> 1) as i64
}

impl Entry {
    /// What is to follow on `last`: another text, or nothing. `None` where there is no version left.
    pub(crate) fn next(last: Option<&Self>, text: Option<Arc<str>>) -> Option<Self> {
        let version = last.map_or(0, |last| last.version) + 1;
        let generation = match last {
            Some(Self { text: Some(_), generation, .. }) => *generation,
            _ => version,
        };
        (version <= VERSION_MAX).then_some(Self { version, generation, text })
    }

    /// The hash of the text, or what stands in its place.
    pub(crate) fn hash(&self) -> i64 {
        self.text.as_deref().map_or(REMOVED, hash)
    }

    fn stamp(&self) -> Stamp {
        Stamp { time: Timestamp(self.version), replica: ReplicaId(self.hash() as u64) }
    }

    fn value(&self) -> Value {
        let text = self.text.clone().map_or_else(|| Value::atom("removed"), Value::Text);
        Value::tuple([Value::Int(self.hash()), Value::Int(self.generation as i64), text])
    }

    /// Reads what stands under a key; `None` for what [`put`] would not have written.
    pub(crate) fn read(key: &Value, state: &State) -> Option<Self> {
        let State::LwwRegister(register) = state else { return None };
        name_of(key)?;
        let (Value::Tuple(fields), stamp) = (register.value()?, register.stamp()?) else { return None };
        let [Value::Int(_), Value::Int(generation), text] = &fields[..] else { return None };
        let text = match text {
            Value::Text(text) if text.len() <= TEXT_MAX => Some(text.clone()),
            Value::Atom(word) if **word == *"removed" => None,
            _ => return None,
        };
        let entry = Self { version: stamp.time.0, generation: u64::try_from(*generation).ok()?, text };
        let in_range = (1..=VERSION_MAX).contains(&entry.version) && (1..=entry.version).contains(&entry.generation);
        (in_range && entry.stamp() == stamp && entry.value() == *register.value()?).then_some(entry)
    }
}

fn name_of(key: &Value) -> Option<Name> {
    match key {
        Value::Text(text) => Name::new(text.clone()).ok(),
        _ => None,
    }
}

fn variable(store: &Store) -> Option<VarId> {
    store.graph().lookup(PROGRAMS)
}

fn map(store: &Store) -> Option<&GMap<Value, Slot>> {
    match store.graph().state(variable(store)?)? {
        State::GMap(map) => Some(map),
        _ => None,
    }
}

/// The last version of one name.
pub(crate) fn get(store: &Store, name: &Name) -> Option<Entry> {
    let key = Value::Text(name.as_str().into());
    Entry::read(&key, map(store)?.get(&key)?.get()?)
}

/// The last version of every name.
pub(crate) fn entries(store: &Store) -> Vec<(Name, Entry)> {
    let entry = |(key, slot): (&Value, &Slot)| Some((name_of(key)?, Entry::read(key, slot.get()?)?));
    map(store).into_iter().flat_map(GMap::iter).filter_map(entry).collect()
}

/// How many bytes of text a map holds.
pub(crate) fn bytes(map: &GMap<Value, Slot>) -> usize {
    let text = |state: &State| match state {
        State::LwwRegister(register) => match register.value() {
            Some(Value::Tuple(fields)) => fields.iter().map(|field| <&str>::try_from(field).map_or(0, str::len)).sum(),
            _ => 0,
        },
        _ => 0,
    };
    map.iter().filter_map(|(_, slot)| slot.get()).map(text).sum()
}

/// Whether there is room for a text of so many bytes under this name.
pub(crate) fn has_room(store: &Store, name: &Name, size: usize) -> bool {
    let Some(map) = map(store) else { return true };
    let held = get(store, name);
    let in_place = held.as_ref().and_then(|entry| entry.text.as_deref()).map_or(0, str::len);
    (held.is_some() || map.len() < NAMES_MAX) && bytes(map) - in_place + size <= BYTES_MAX
}

/// Writes a name's next version.
pub(crate) fn put(store: &mut Store, name: &Name, entry: &Entry) {
    let declared = store.declare_system(system::name(PROGRAMS), ty());
    let op = Op::Apply(Value::Text(name.as_str().into()), Box::new(Op::Set(entry.value())));
    if let Ok(var) = declared {
        // The type takes this operation, and the value is shallow.
        _ = store.graph_mut().update(var, &op, entry.stamp());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interest::Interests;

    fn store() -> Store {
        Store::new(ReplicaId(1), Interests::All)
    }

    fn name() -> Name {
        Name::new("p").unwrap()
    }

    fn install(store: &mut Store, text: &str) -> Entry {
        let entry = Entry::next(get(store, &name()).as_ref(), Some(text.into())).unwrap();
        put(store, &name(), &entry);
        entry
    }

    fn remove(store: &mut Store) -> Entry {
        let entry = Entry::next(get(store, &name()).as_ref(), None).unwrap();
        put(store, &name(), &entry);
        entry
    }

    fn merge(into: &mut Store, from: &Store) {
        let state = from.graph().state(variable(from).unwrap()).unwrap().clone();
        let var = into.declare_system(system::name(PROGRAMS), ty()).unwrap();
        into.graph_mut().merge(var, state);
    }

    #[test]
    fn versions_count_on_and_generations_end_with_a_removal() {
        let mut store = store();
        let steps = [install(&mut store, "a"), install(&mut store, "b"), remove(&mut store), install(&mut store, "c")];
        let numbers: Vec<(u64, u64)> = steps.iter().map(|entry| (entry.version, entry.generation)).collect();
        assert_eq!(numbers, [(1, 1), (2, 1), (3, 1), (4, 4)]);
        assert_eq!(entries(&store), [(name(), steps[3].clone())]);
    }

    #[test]
    fn a_removal_heard_first_wins_over_what_it_removes() {
        let (mut here, mut there) = (store(), store());
        install(&mut here, "a");
        merge(&mut there, &here);
        let removed = remove(&mut there);
        let mut late = store();
        merge(&mut late, &there);
        merge(&mut late, &here);
        assert_eq!(get(&late, &name()), Some(removed));
    }

    #[test]
    fn of_two_at_once_the_same_wins_everywhere_and_an_installation_over_a_removal() {
        let (mut here, mut there) = (store(), store());
        let (one, other) = (install(&mut here, "a"), install(&mut there, "b"));
        let (before_here, before_there) = (here.graph().fingerprint(), there.graph().fingerprint());
        assert_ne!(before_here, before_there);
        merge(&mut here, &there);
        merge(&mut there, &here);
        let winner = if one.hash() > other.hash() { one } else { other };
        assert_eq!((get(&here, &name()), get(&there, &name())), (Some(winner.clone()), Some(winner)));
        let (installed, _) = (install(&mut here, "c"), remove(&mut there));
        merge(&mut there, &here);
        assert_eq!(get(&there, &name()), Some(installed));
    }

    #[test]
    fn what_nobody_would_have_written_is_no_entry() {
        let entry = Entry { version: 3, generation: 1, text: Some("a".into()) };
        let state = |stamp: Stamp, value: Value| State::LwwRegister(lasp_crdt::LwwRegister::new().write(stamp, value));
        let key = Value::Text("p".into());
        assert_eq!(Entry::read(&key, &state(entry.stamp(), entry.value())), Some(entry.clone()));
        let other = Stamp { replica: ReplicaId(7), ..entry.stamp() };
        assert_eq!(Entry::read(&key, &state(other, entry.value())), None, "another author");
        let forged = Value::tuple([Value::Int(i64::MAX), Value::Int(1), "a".into()]);
        assert_eq!(Entry::read(&key, &state(entry.stamp(), forged)), None, "another hash");
        assert_eq!(Entry::read(&Value::Int(1), &state(entry.stamp(), entry.value())), None, "no name");
        let huge = Entry { text: Some("x".repeat(TEXT_MAX + 1).into()), ..entry.clone() };
        assert_eq!(Entry::read(&key, &state(huge.stamp(), huge.value())), None, "too long");
        for odd in [Entry { version: VERSION_MAX + 1, ..entry.clone() }, Entry { generation: 9, ..entry }] {
            assert_eq!(Entry::read(&key, &state(odd.stamp(), odd.value())), None, "{odd:?}");
        }
    }

    #[test]
    fn the_longest_text_fits_into_what_can_be_sent() {
        let entry = Entry { version: 1, generation: 1, text: Some("x".repeat(TEXT_MAX).into()) };
        assert!(lasp_crdt::codec::to_bytes(&entry.value()).len() < crate::MAX_FRAME / 2);
    }
}
