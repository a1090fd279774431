//! What a broadcast carries: deltas of variables, shared between the links they wait for.

use crate::key::Key;
use lasp_crdt::codec::{from_bytes, to_bytes};
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use lasp_dataflow::State;
use std::sync::Arc;

/// Deltas by variable, ascending by key; mostly one, so a list and no tree.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Batch {
    entries: Vec<(Key, State)>,
}

impl Batch {
    /// One delta.
    pub(crate) fn single(key: Key, delta: State) -> Self {
        Self { entries: vec![(key, delta)] }
    }

    /// Whether there is no delta.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many variables it speaks of.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many entries its deltas have. Cost: the number of deltas.
    pub(crate) fn entries(&self) -> usize {
        self.iter().map(|(_, delta)| delta.entries()).sum()
    }

    fn position(&self, key: &Key) -> Result<usize, usize> {
        self.entries.binary_search_by(|(other, _)| other.cmp(key))
    }

    /// Adds a delta; `true` if it was merged with one that waited.
    pub(crate) fn absorb(&mut self, key: &Key, delta: &State) -> bool {
        match self.position(key) {
            Ok(at) => {
                self.entries[at].1.merge(delta.clone());
                true
            }
            Err(at) => {
                self.entries.reserve_exact(usize::from(self.entries.is_empty()));
                self.entries.insert(at, (key.clone(), delta.clone()));
                false
            }
        }
    }

    /// Adds a delta of a variable that comes after all that are in.
    pub(crate) fn append(&mut self, key: Key, delta: State) {
        debug_assert!(self.entries.last().is_none_or(|(last, _)| *last < key), "batches ascend by key");
        self.entries.push((key, delta));
    }

    /// Adds the deltas of another.
    pub(crate) fn join(&mut self, other: Self) {
        for (key, delta) in other.entries {
            if self.entries.last().is_none_or(|(last, _)| *last < key) {
                self.entries.push((key, delta));
            } else {
                self.absorb(&key, &delta);
            }
        }
    }

    /// The deltas of some variables.
    pub(crate) fn filtered(&self, wanted: impl Fn(&Key) -> bool) -> Self {
        Self { entries: self.entries.iter().filter(|(key, _)| wanted(key)).cloned().collect() }
    }

    /// The delta of a variable.
    pub(crate) fn get(&self, key: &Key) -> Option<&State> {
        self.position(key).ok().map(|at| &self.entries[at].1)
    }

    /// Takes out what `known` says already.
    pub(crate) fn subtract(&mut self, key: &Key, known: &State) {
        let Ok(at) = self.position(key) else { return };
        let rest = self.entries[at].1.difference(known);
        if rest.is_bottom() {
            self.entries.remove(at);
        } else {
            self.entries[at].1 = rest;
        }
    }

    /// What of a delta it says too.
    pub(crate) fn shared(&self, key: &Key, delta: &State) -> State {
        self.position(key).map_or_else(|_| State::bottom(key.ty()), |at| shared(key, delta, &self.entries[at].1))
    }

    /// Those deltas whose variables `picks` picks; `None` if that is all of them.
    pub(crate) fn restricted(&self, picks: impl Fn(&Key) -> bool) -> Option<Self> {
        let whole = self.entries.iter().all(|(key, _)| picks(key));
        let picked = || self.entries.iter().filter(|(key, _)| picks(key)).cloned().collect();
        (!whole).then(|| Self { entries: picked() })
    }

    /// The deltas, in key order.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = (Key, State)> {
        self.entries.into_iter()
    }

    /// Every delta, in key order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Key, &State)> {
        self.entries.iter().map(|(key, delta)| (key, delta))
    }
}

/// A message that may carry deltas: on a link they count as state, the rest of it as overhead.
pub(crate) trait Laden {
    /// Writes all but the deltas.
    fn encode_head(&self, w: &mut Writer<'_>);

    /// The deltas, if it carries some. They come last.
    fn batch(&self) -> Option<&Batch>;

    /// Writes all of it.
    fn encode_whole(&self, w: &mut Writer<'_>) {
        self.encode_head(w);
        if let Some(batch) = self.batch() {
            batch.encode(w);
        }
    }
}

/// Reads `count` items in strictly ascending order of their keys, the only one that they are written in. `what` they are is for
/// the error.
pub(crate) fn decode_ascending<T, K: Ord>(
    r: &mut Reader<'_>,
    count: usize,
    what: &'static str,
    decode: impl Fn(&mut Reader<'_>) -> Result<T, DecodeError>,
    key: impl Fn(&T) -> &K,
) -> Result<Vec<T>, DecodeError> {
    // An item takes a byte at least: no more is reserved than the input could hold.
    let mut items: Vec<T> = Vec::with_capacity(count.min(r.remaining() / size_of::<T>() + 1));
    for _ in 0..count {
        let at = r.at();
        let item = decode(r)?;
        if items.last().is_some_and(|last| key(last) >= key(&item)) {
            return Err(DecodeError::NotCanonical { what, at });
        }
        items.push(item);
    }
    Ok(items)
}

/// Those parts of a delta that `known` has too. Cost: that of the delta.
pub(crate) fn shared(key: &Key, delta: &State, known: &State) -> State {
    let mut both = State::bottom(key.ty());
    for part in delta.decompose() {
        if part.difference(known).is_bottom() {
            both.merge(part);
        }
    }
    both
}

/// Writes one delta: its variable, its state in the encoding of the variable's type.
pub(crate) fn encode_entry(key: &Key, delta: &State, w: &mut Writer<'_>) {
    key.encode(w);
    delta.encode(w);
}

/// Reads what [`encode_entry`] wrote.
pub(crate) fn decode_entry(r: &mut Reader<'_>) -> Result<(Key, State), DecodeError> {
    let key = Key::decode(r)?;
    let delta = State::decode(key.ty(), r)?;
    Ok((key, delta))
}

/// A count, then the entries in key order.
impl Encode for Batch {
    fn encode(&self, w: &mut Writer<'_>) {
        w.len(self.entries.len());
        for (key, delta) in self.iter() {
            encode_entry(key, delta, w);
        }
    }
}

impl Decode for Batch {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = r.len("deltas")?;
        let entries = decode_ascending(r, count, "deltas", decode_entry, |(key, _)| key)?;
        Ok(Self { entries })
    }
}

/// A batch as the broadcast layer sees it: opaque, cheap to clone.
///
/// In memory a batch is many times its encoding (each state is as large as the largest kind of state), so it is
/// remembered encoded, and read again for the few that ask.
#[derive(Clone, Debug)]
pub struct Payload(Form);

#[derive(Clone, Debug)]
enum Form {
    /// Just made or received; its encoding if it is known, and the size of that.
    Open { batch: Arc<Batch>, bytes: Option<Arc<[u8]>>, weight: usize },
    /// Remembered.
    Packed(Arc<[u8]>),
}

impl Payload {
    /// Wraps a batch made here. Cost: one encoding.
    pub(crate) fn new(batch: Batch) -> Self {
        let bytes: Arc<[u8]> = to_bytes(&batch).into();
        let weight = bytes.len();
        Self(Form::Open { batch: Arc::new(batch), bytes: Some(bytes), weight })
    }

    /// The deltas. Cost: one decoding if it comes from memory.
    pub(crate) fn batch(&self) -> Arc<Batch> {
        match &self.0 {
            Form::Open { batch, .. } => Arc::clone(batch),
            // What was encoded here can be read; and if it could not, anti-entropy would bring what is missing.
            Form::Packed(bytes) => Arc::new(from_bytes(bytes).unwrap_or_default()),
        }
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.batch() == other.batch()
    }
}

impl lasp_overlay::broadcast::Payload for Payload {
    fn weight(&self) -> usize {
        match &self.0 {
            Form::Open { weight, .. } => *weight,
            Form::Packed(bytes) => bytes.len(),
        }
    }

    /// Also one in which nothing is left for this part of the tree: who asks for it is to know that it was here.
    fn packed(self) -> Option<Self> {
        let Form::Open { batch, bytes, .. } = self.0 else { return Some(self) };
        Some(Self(Form::Packed(bytes.unwrap_or_else(|| to_bytes(&*batch).into()))))
    }
}

impl Encode for Payload {
    fn encode(&self, w: &mut Writer<'_>) {
        self.batch().encode(w);
    }
}

impl Decode for Payload {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let from = r.at();
        let batch = Arc::new(Batch::decode(r)?);
        Ok(Self(Form::Open { batch, bytes: None, weight: r.at() - from }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::{GCounter, ReplicaId};
    use lasp_dataflow::{Name, Type};
    use lasp_overlay::broadcast::Payload as _;

    #[test]
    fn what_is_remembered_reads_back_as_it_was() {
        let delta = State::GCounter(GCounter::default().increment(ReplicaId(7), 3));
        let key = Key::new(Name::new("views").unwrap(), Type::GCounter);
        let mut batch = Batch::default();
        batch.absorb(&key, &delta);
        let made = Payload::new(batch);
        let received: Payload = from_bytes(&to_bytes(&made)).unwrap();
        for payload in [made, received] {
            let packed = payload.clone().packed().unwrap();
            assert_eq!(packed, payload);
            assert_eq!(packed.weight(), to_bytes(&payload).len());
            assert_eq!(packed.clone().packed(), Some(payload));
        }
        let nothing = Payload::new(Batch::default());
        assert_eq!(nothing.clone().packed(), Some(nothing));
    }
}
