//! Short references for what recurs on a link: replica ids and variable keys.
//!
//! Each direction of a link has a table. The sender writes an entry in full, with its index, until the peer has
//! acknowledged that index; from then on it writes the index alone, one byte for the first 63 entries. Lost,
//! repeated and reordered frames are harmless: a reference is used only when the definition is known to have
//! arrived. A table that is full writes its further entries in full.
//!
//! A reference is a varint: `0` = in full, unindexed; `2i` = index `i` (from 1) and its definition; `2i + 1` =
//! index `i`, defined before. A column of several replica ids is `0` and a reference each; or, if all were defined
//! before, the shortest of `1` and the bare indices, and `2` or more, how many of the first entries are ranked, and the gaps
//! between ranks or a bitmap of them (`ranks`): of ten thousand known ids, a hundred cost a byte each, and all of them one
//! bit. Ids beyond the ranked ones follow by their indices.

use super::ranks::{self, Form, Others, Ranks};
use super::rice;
use hashbrown::HashTable;
use lasp_crdt::codec::{Bytes, ReplicaCoder, Replicas, write_varint};
use lasp_crdt::{DecodeError, ReplicaId, fingerprint};
use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::Arc;

/// Most entries of one table: beyond it, ids are written in full. A guess: 16 Ki ids cost about half a MiB a link.
const MAX_ENTRIES: usize = 16 * 1024;

/// What a decode error is about when the peer redefines an index: its tables are newer than ours.
pub(crate) const REDEFINED: &str = "redefined reference";

/// How a column of ids is written.
const REFERENCES: u8 = 0;
const INDICES: u8 = 1;
const GAPS: u8 = 2;
const BITMAP: u8 = 3;
/// And the parameter of Rice codes, at least 1.
const RICE: u8 = 4;
const FIRST_RICE: u8 = RICE + 1;
const LAST_RICE: u8 = RICE + rice::MAX_PARAMETER as u8;
/// Added to the ranked forms: other ids follow.
const AND_OTHERS: u8 = 0x40;

/// Longest symbol in bytes: a type and a name.
const MAX_SYMBOL: usize = 1024;

/// How far a peer's knowledge of this side's tables reaches, or this side's of the peer's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Replica ids `1..=replicas` are defined.
    pub(crate) replicas: u64,
    /// Symbols `1..=symbols` are defined.
    pub(crate) symbols: u64,
}

/// Where a key stands in a table: its position, from 0. Two bytes, for tables are there for every link.
type Slot = u16;

const _: () = assert!(MAX_ENTRIES <= 1 << Slot::BITS);

/// The first entries of a table in ascending order, by their positions.
#[derive(Clone, Debug, Default)]
struct Ranked(Vec<Slot>);

impl Ranked {
    fn of<K: Ord>(first: &[K]) -> Self {
        let mut slots: Vec<Slot> = (0..first.len() as u64).map(|slot| slot as Slot).collect();
        slots.sort_unstable_by(|one, other| first[usize::from(*one)].cmp(&first[usize::from(*other)]));
        Self(slots)
    }
}

/// Appends, with room for an eighth more: a node has these tables for every link.
fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len() / 8 + 4);
    }
    list.push(item);
}

/// The sending side's table of one kind.
#[derive(Clone, Debug)]
struct Sent<K> {
    /// In the order of their indices, which begin with 1.
    keys: Vec<K>,
    slots: HashTable<Slot>,
    acked: u64,
    /// The rank of each of the first entries: as many as are ranked.
    ranks: Vec<Slot>,
}

impl<K: Ord + Hash + Clone> Sent<K> {
    const fn new() -> Self {
        Self { keys: Vec::new(), slots: HashTable::new(), acked: 0, ranks: Vec::new() }
    }

    fn find(&self, key: &K) -> Option<u64> {
        let is_it = |slot: &Slot| self.keys[usize::from(*slot)] == *key;
        self.slots.find(fingerprint::hash(key), is_it).map(|slot| u64::from(*slot) + 1)
    }

    /// The index of `key`, from now on if it has none; 0 if the table is full.
    fn index(&mut self, key: &K) -> u64 {
        if let Some(index) = self.find(key) {
            return index;
        }
        if self.keys.len() == MAX_ENTRIES {
            return 0;
        }
        let (slot, keys) = (self.keys.len() as Slot, &mut self.keys);
        push(keys, key.clone());
        self.slots.insert_unique(fingerprint::hash(key), slot, |slot| fingerprint::hash(&keys[usize::from(*slot)]));
        keys.len() as u64
    }

    /// Writes the reference of `key`; `true` if the definition must follow.
    fn write(&mut self, key: &K, out: &mut Vec<u8>) -> bool {
        let index = self.index(key);
        let known = index > 0 && index <= self.acked;
        write_varint(out, 2 * index + u64::from(known));
        !known
    }

    /// The index of `key`, if the peer knows it.
    fn known(&self, key: &K) -> Option<u64> {
        self.find(key).filter(|&index| index <= self.acked)
    }

    /// Takes an acknowledgement; one beyond what was ever defined is a lie and is ignored.
    fn acknowledge(&mut self, known: u64) {
        if known <= self.keys.len() as u64 {
            self.acked = self.acked.max(known);
        }
    }

    /// The ranks of the first entries: as many as the ladder allows. Cost: sorting them, each time it grows by an eighth.
    fn rank(&mut self) -> &[Slot] {
        let count = ranks::ladder(self.acked) as usize;
        if self.ranks.len() != count {
            let ranked = Ranked::of(&self.keys[..count]);
            self.ranks = vec![0; count];
            for (rank, slot) in ranked.0.into_iter().enumerate() {
                self.ranks[usize::from(slot)] = rank as Slot;
            }
        }
        &self.ranks
    }
}

/// The receiving side's table of one kind.
#[derive(Clone, Debug)]
struct Heard<V> {
    /// In the order of their indices, without a gap.
    entries: Vec<V>,
    /// Those beyond the first gap, by their positions.
    beyond: BTreeMap<usize, V>,
    /// The first entries, ascending: as many as the sender ranks, and as it ranked before that.
    ranked: [Ranked; 2],
}

impl<V: Clone + Ord> Heard<V> {
    const fn new() -> Self {
        Self { entries: Vec::new(), beyond: BTreeMap::new(), ranked: [Ranked(Vec::new()), Ranked(Vec::new())] }
    }

    /// The first entries, ascending, as many as a step of the ladder says. What is asked for ascends; one step back is remembered
    /// for frames that were overtaken, so nobody can have entries sorted again and again.
    fn rank(&mut self, rung: u8, at: usize) -> Result<Ranks<'_, V>, DecodeError> {
        let step = ranks::ranked_at(rung).unwrap_or(u64::MAX);
        let unknown = DecodeError::UnknownReference { index: step, at };
        let count = usize::try_from(step).unwrap_or(usize::MAX);
        if count > self.ranked[0].0.len() && count <= self.entries.len() {
            let ranked = Ranked::of(&self.entries[..count]);
            if !ranked.0.is_sorted_by(|one, next| self.entries[usize::from(*one)] < self.entries[usize::from(*next)]) {
                return Err(unknown);
            }
            self.ranked.swap(0, 1);
            self.ranked[0] = ranked;
        }
        let ranked = self.ranked.iter().find(|ranked| ranked.0.len() == count);
        ranked.map(|ranked| Ranks { slots: &ranked.0, entries: &self.entries }).ok_or(unknown)
    }

    fn define(&mut self, index: u64, value: V, at: usize) -> Result<(), DecodeError> {
        if index > MAX_ENTRIES as u64 {
            return Err(DecodeError::UnknownReference { index, at });
        }
        let slot = index as usize - 1;
        match self.entries.get(slot).or_else(|| self.beyond.get(&slot)) {
            Some(old) if *old != value => return Err(DecodeError::NotCanonical { what: REDEFINED, at }),
            Some(_) => {}
            None => _ = self.beyond.insert(slot, value),
        }
        while let Some(next) = self.beyond.remove(&self.entries.len()) {
            push(&mut self.entries, next);
        }
        Ok(())
    }

    fn resolve(&self, index: u64, at: usize) -> Result<V, DecodeError> {
        let slot = usize::try_from(index).ok().and_then(|i| i.checked_sub(1));
        let value = slot.and_then(|slot| self.entries.get(slot).or_else(|| self.beyond.get(&slot)));
        value.cloned().ok_or(DecodeError::UnknownReference { index, at })
    }
}

/// Both directions' tables of one link.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    sent_replicas: Sent<ReplicaId>,
    sent_symbols: Sent<Arc<[u8]>>,
    heard_replicas: Heard<ReplicaId>,
    heard_symbols: Heard<Arc<[u8]>>,
    /// A definition came in since [`take_owed`](Self::take_owed): the peer waits for an acknowledgement.
    owed: bool,
}

impl Tables {
    /// Empty tables of a new link.
    pub(crate) const fn new() -> Self {
        Self {
            sent_replicas: Sent::new(),
            sent_symbols: Sent::new(),
            heard_replicas: Heard::new(),
            heard_symbols: Heard::new(),
            owed: false,
        }
    }

    /// Whether the peer waits for an acknowledgement.
    pub(crate) const fn owes(&self) -> bool {
        self.owed
    }

    /// The acknowledgement to send now, if the peer waits for one.
    pub(crate) fn take_owed(&mut self) -> Option<Known> {
        let known = Known {
            replicas: self.heard_replicas.entries.len() as u64,
            symbols: self.heard_symbols.entries.len() as u64,
        };
        std::mem::take(&mut self.owed).then_some(known)
    }

    /// The peer says what it knows.
    pub(crate) fn acknowledge(&mut self, known: Known) {
        self.sent_replicas.acknowledge(known.replicas);
        self.sent_symbols.acknowledge(known.symbols);
    }

    /// The peer's tables are not what this side heard: listen anew.
    pub(crate) fn forget_heard(&mut self) {
        self.heard_replicas = Heard::new();
        self.heard_symbols = Heard::new();
        self.owed = false;
    }

    /// The peer lost its tables: define everything again.
    pub(crate) fn forget_acknowledged(&mut self) {
        self.sent_replicas.acked = 0;
        self.sent_replicas.ranks = Vec::new();
        self.sent_symbols.acked = 0;
    }
}

/// Reads a reference: the index, and whether its definition follows.
fn read_reference(bytes: &mut Bytes<'_>) -> Result<(u64, bool), DecodeError> {
    let reference = bytes.varint("reference")?;
    Ok((reference >> 1, reference & 1 == 0))
}

impl Tables {
    /// Reads ids one by one, by reference or by index.
    fn read_each(&mut self, len: usize, known: bool, bytes: &mut Bytes<'_>) -> Result<Replicas, DecodeError> {
        let mut ids = Replicas::new();
        for _ in 0..len {
            let at = bytes.at();
            let id = if known {
                let index = bytes.varint("reference")?;
                self.heard_replicas.resolve(index, at)?
            } else {
                self.read(bytes)?
            };
            if ids.last().is_some_and(|&last| last >= id) {
                return Err(DecodeError::NotCanonical { what: "replicas", at });
            }
            ids.push(id);
        }
        Ok(ids)
    }

    /// Writes ids that the peer knows, by their indices, in the shortest form.
    fn write_known(&mut self, indices: &[u64], out: &mut Vec<u8>) {
        let bare: usize = indices.iter().map(|index| if *index < 128 { 1 } else { 2 }).sum();
        let ranks = self.sent_replicas.rank();
        let (mut ranked, mut others) = (Vec::with_capacity(indices.len()), Others::default());
        for &index in indices {
            match ranks.get(index as usize - 1) {
                Some(rank) => ranked.push(u64::from(*rank)),
                None => others.push(index, ranks.len()),
            }
        }
        let form = Form::of(ranked.iter().copied(), ranks.len()).filter(|_| !ranked.is_empty());
        match form.filter(|form| form.len() + others.len() + 1 < bare) {
            Some(form) => {
                let tag = match form {
                    Form::Gaps(_) => GAPS,
                    Form::Bitmap(_) => BITMAP,
                    Form::Rice(_, k) => RICE + k as u8,
                };
                let and_others = if others.is_empty() { 0 } else { AND_OTHERS };
                out.extend_from_slice(&[tag | and_others, ranks::rung(ranks.len() as u64)]);
                if !others.is_empty() {
                    others.write(out);
                }
                form.write(out);
            }
            None => {
                out.push(INDICES);
                indices.iter().for_each(|&index| write_varint(out, index));
            }
        }
    }
}

/// Reads `len` ids by their ranks.
fn read_form(
    form: u8,
    len: usize,
    ranked: &Ranks<'_, ReplicaId>,
    bytes: &mut Bytes<'_>,
) -> Result<Replicas, DecodeError> {
    match form {
        GAPS => ranks::read_gaps(len, ranked, bytes),
        BITMAP => ranks::read_bitmap(len, ranked, bytes),
        rice => ranks::read_rice(len, u32::from(rice - RICE), ranked, bytes),
    }
}

impl ReplicaCoder for Tables {
    fn write(&mut self, id: ReplicaId, out: &mut Vec<u8>) {
        if self.sent_replicas.write(&id, out) {
            out.extend_from_slice(&id.0.to_le_bytes());
        }
    }

    fn read(&mut self, bytes: &mut Bytes<'_>) -> Result<ReplicaId, DecodeError> {
        let at = bytes.at();
        let (index, defined_here) = read_reference(bytes)?;
        if !defined_here {
            return self.heard_replicas.resolve(index, at);
        }
        let id = ReplicaId(bytes.fixed_u64("replica id")?);
        if index > 0 {
            self.heard_replicas.define(index, id, at)?;
            self.owed = true;
        }
        Ok(id)
    }

    fn write_all(&mut self, len: usize, ids: &mut dyn Iterator<Item = ReplicaId>, out: &mut Vec<u8>) {
        if len < 2 {
            return ids.for_each(|id| self.write(id, out));
        }
        let ids: Vec<ReplicaId> = ids.collect();
        let known: Option<Vec<u64>> = ids.iter().map(|id| self.sent_replicas.known(id)).collect();
        match known {
            Some(indices) => self.write_known(&indices, out),
            None => {
                out.push(REFERENCES);
                ids.into_iter().for_each(|id| self.write(id, out));
            }
        }
    }

    fn read_all(&mut self, len: usize, bytes: &mut Bytes<'_>) -> Result<Replicas, DecodeError> {
        if len < 2 {
            return self.read_each(len, false, bytes);
        }
        let at = bytes.at();
        match bytes.u8("replicas")? {
            REFERENCES => self.read_each(len, false, bytes),
            INDICES => self.read_each(len, true, bytes),
            tag => {
                let form = tag & !AND_OTHERS;
                if !matches!(form, GAPS | BITMAP | FIRST_RICE..=LAST_RICE) {
                    return Err(DecodeError::BadTag { what: "replicas", tag: tag.into(), at });
                }
                let at = bytes.at();
                let ranked = self.heard_replicas.rank(bytes.u8("ranked")?, at)?;
                let others = (tag != form).then(|| Others::read(len, &ranked, bytes)).transpose()?;
                let first = read_form(form, len - others.as_ref().map_or(0, |others| others.len()), &ranked, bytes)?;
                match others {
                    None => Ok(first),
                    Some(others) => {
                        ranks::merged(first, &others).ok_or(DecodeError::NotCanonical { what: "replicas", at })
                    }
                }
            }
        }
    }

    fn write_symbol(&mut self, symbol: &Arc<[u8]>, out: &mut Vec<u8>) {
        if self.sent_symbols.write(symbol, out) {
            write_varint(out, symbol.len() as u64);
            out.extend_from_slice(symbol);
        }
    }

    fn read_symbol(&mut self, bytes: &mut Bytes<'_>) -> Result<Arc<[u8]>, DecodeError> {
        let at = bytes.at();
        let (index, defined_here) = read_reference(bytes)?;
        if !defined_here {
            return self.heard_symbols.resolve(index, at);
        }
        let len = bytes.len("symbol")?;
        if len > MAX_SYMBOL {
            return Err(DecodeError::TooLong { what: "symbol", len: len as u64, at });
        }
        let symbol: Arc<[u8]> = bytes.take(len, "symbol")?.into();
        if index > 0 {
            self.heard_symbols.define(index, symbol.clone(), at)?;
            self.owed = true;
        }
        Ok(symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(tables: &mut Tables, id: u64) -> Vec<u8> {
        let mut out = Vec::new();
        tables.write(ReplicaId(id), &mut out);
        out
    }

    fn read(tables: &mut Tables, bytes: &[u8]) -> Result<ReplicaId, DecodeError> {
        tables.read(&mut Bytes::new(bytes))
    }

    #[test]
    fn an_id_is_one_byte_once_its_definition_is_acknowledged() {
        let (mut a, mut b) = (Tables::new(), Tables::new());
        let first = write(&mut a, 77);
        assert_eq!(first.len(), 9);
        assert_eq!(read(&mut b, &first), Ok(ReplicaId(77)));
        assert_eq!(write(&mut a, 77).len(), 9, "not yet acknowledged");
        a.acknowledge(b.take_owed().expect("a definition came in"));
        let short = write(&mut a, 77);
        assert_eq!(short.len(), 1);
        assert_eq!(read(&mut b, &short), Ok(ReplicaId(77)));
        assert_eq!(b.take_owed(), None, "nothing new to acknowledge");
    }

    #[test]
    fn a_column_of_known_ids_is_their_indices() {
        let (mut a, mut b) = (Tables::new(), Tables::new());
        let column = |a: &mut Tables, ids: &[u64]| {
            let mut out = Vec::new();
            a.write_all(ids.len(), &mut ids.iter().map(|&id| ReplicaId(id)), &mut out);
            out
        };
        let first = column(&mut a, &[70, 80]);
        let ids: Replicas = [ReplicaId(70), ReplicaId(80)].into_iter().collect();
        assert_eq!(b.read_all(2, &mut Bytes::new(&first)), Ok(ids.clone()));
        a.acknowledge(b.take_owed().expect("definitions came in"));
        let short = column(&mut a, &[70, 80]);
        assert_eq!(short, [1, 1, 2]);
        assert_eq!(b.read_all(2, &mut Bytes::new(&short)), Ok(ids));
        assert_eq!(column(&mut a, &[70, 75])[0], 0, "one of them is new");
        for bad in [&[1, 2, 1][..], &[1, 1, 9], &[2, 1, 2], &[3, 0, 3, 0], &[4, 1, 2], &[1, 1]] {
            assert!(b.read_all(2, &mut Bytes::new(bad)).is_err(), "{bad:?}");
        }
    }

    /// A link that has told its peer so many ids, in an order of its own.
    fn acquainted(ids: u64) -> (Tables, Tables) {
        let (mut a, mut b) = (Tables::new(), Tables::new());
        for id in 0..ids {
            let bytes = write(&mut a, id * 7919 % 10_007);
            read(&mut b, &bytes).expect("defined");
        }
        a.acknowledge(b.take_owed().expect("definitions came in"));
        (a, b)
    }

    #[test]
    fn many_known_ids_go_by_rank() {
        let (mut a, mut b) = acquainted(1000);
        let mut all: Vec<ReplicaId> = (0..900).map(|id| ReplicaId(id * 7919 % 10_007)).collect();
        all.sort_unstable();
        let few: Vec<ReplicaId> = all.iter().copied().step_by(20).collect();
        // Of a thousand 912 are ranked.
        let mut last: Vec<ReplicaId> = (880..940).map(|id| ReplicaId(id * 7919 % 10_007)).collect();
        last.sort_unstable();
        for (ids, most) in [(all, 3 + 125), (few, 3 + 45), (last, 3 + 1 + 28 + 32)] {
            let mut out = Vec::new();
            a.write_all(ids.len(), &mut ids.iter().copied(), &mut out);
            assert!(out.len() <= most, "{} ids in {} bytes", ids.len(), out.len());
            assert_eq!(b.read_all(ids.len(), &mut Bytes::new(&out)).expect("readable").to_vec(), ids);
        }
    }

    #[test]
    fn ranks_grow_with_the_table_and_what_is_overtaken_still_reads() {
        let (mut a, mut b) = acquainted(200);
        let column = |a: &mut Tables| {
            let mut out = Vec::new();
            let mut ids: Vec<ReplicaId> = (0..100).map(|id| ReplicaId(id * 7919 % 10_007)).collect();
            ids.sort_unstable();
            a.write_all(ids.len(), &mut ids.into_iter(), &mut out);
            out
        };
        let before = column(&mut a);
        for id in 20_000..20_100 {
            let bytes = write(&mut a, id);
            read(&mut b, &bytes).expect("defined");
        }
        a.acknowledge(b.take_owed().expect("definitions came in"));
        let after = column(&mut a);
        assert_ne!(before, after);
        for bytes in [&before, &after, &before, &after] {
            assert_eq!(b.read_all(100, &mut Bytes::new(bytes)).map(|ids| ids.len()), Ok(100));
        }
        let unknown = b.read_all(2, &mut Bytes::new(&[GAPS, ranks::rung(64), 0, 0]));
        assert_eq!(
            unknown,
            Err(DecodeError::UnknownReference { index: 64, at: 1 }),
            "no step back is remembered but one"
        );
    }

    #[test]
    fn a_lost_definition_is_repeated_and_later_ones_are_not_acknowledged_over_the_gap() {
        let (mut a, mut b) = (Tables::new(), Tables::new());
        let _lost = write(&mut a, 1);
        let second = write(&mut a, 2);
        assert_eq!(read(&mut b, &second), Ok(ReplicaId(2)));
        assert_eq!(b.take_owed(), Some(Known { replicas: 0, symbols: 0 }));
        let again = write(&mut a, 1);
        assert_eq!(read(&mut b, &again), Ok(ReplicaId(1)));
        assert_eq!(b.take_owed(), Some(Known { replicas: 2, symbols: 0 }));
    }

    #[test]
    fn undefined_references_and_redefinitions_are_refused() {
        let mut b = Tables::new();
        assert_eq!(read(&mut b, &[3]), Err(DecodeError::UnknownReference { index: 1, at: 0 }));
        assert_eq!(read(&mut b, &[1]), Err(DecodeError::UnknownReference { index: 0, at: 0 }));
        assert!(read(&mut b, &[2, 1, 0, 0, 0, 0, 0, 0, 0]).is_ok());
        assert!(read(&mut b, &[2, 2, 0, 0, 0, 0, 0, 0, 0]).is_err());
        let far = [&[0xfe, 0xff, 0x7f][..], &[0; 8]].concat();
        assert!(read(&mut b, &far).is_err(), "an index beyond the table must not allocate");
    }

    #[test]
    fn an_acknowledgement_of_what_was_never_defined_is_ignored() {
        let mut a = Tables::new();
        a.acknowledge(Known { replicas: 9, symbols: 9 });
        assert_eq!(write(&mut a, 5).len(), 9);
        assert_eq!(write(&mut a, 5).len(), 9);
    }

    #[test]
    fn a_full_table_writes_ids_in_full_without_an_index() {
        let (mut a, mut b) = (Tables::new(), Tables::new());
        for id in 0..MAX_ENTRIES as u64 {
            write(&mut a, id);
        }
        let bytes = write(&mut a, u64::MAX);
        assert_eq!((bytes[0], bytes.len()), (0, 9));
        assert_eq!(read(&mut b, &bytes), Ok(ReplicaId(u64::MAX)));
        assert_eq!(b.take_owed(), None);
    }
}
