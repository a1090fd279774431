//! What a broadcast carries: deltas of variables, shared between the links they wait for.

use crate::key::Key;
use lasp_crdt::codec::to_bytes;
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use lasp_dataflow::State;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Deltas by variable.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Batch {
    entries: BTreeMap<Key, State>,
}

impl Batch {
    /// Whether there is no delta.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many variables it speaks of.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds a delta; `true` if it was merged with one that waited.
    pub(crate) fn absorb(&mut self, key: &Key, delta: &State) -> bool {
        if let Some(waiting) = self.entries.get_mut(key) {
            waiting.merge(delta.clone());
            return true;
        }
        self.entries.insert(key.clone(), delta.clone());
        false
    }

    /// Takes out what `known` says already.
    pub(crate) fn subtract(&mut self, key: &Key, known: &State) {
        let Some(waiting) = self.entries.get_mut(key) else { return };
        *waiting = waiting.difference(known);
        if waiting.is_bottom() {
            self.entries.remove(key);
        }
    }

    /// Every delta, in key order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Key, &State)> {
        self.entries.iter()
    }

    /// Takes the first delta out.
    pub(crate) fn pop_first(&mut self) -> Option<(Key, State)> {
        self.entries.pop_first()
    }
}

impl FromIterator<(Key, State)> for Batch {
    fn from_iter<I: IntoIterator<Item = (Key, State)>>(entries: I) -> Self {
        Self { entries: entries.into_iter().collect() }
    }
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
        for (key, delta) in &self.entries {
            encode_entry(key, delta, w);
        }
    }
}

impl Decode for Batch {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut entries: BTreeMap<Key, State> = BTreeMap::new();
        for _ in 0..r.len("deltas")? {
            let at = r.at();
            let (key, delta) = decode_entry(r)?;
            if entries.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(DecodeError::NotCanonical { what: "deltas", at });
            }
            entries.insert(key, delta);
        }
        Ok(Self { entries })
    }
}

/// A batch as the broadcast layer sees it: opaque, cheap to clone.
#[derive(Clone, Debug)]
pub struct Payload {
    batch: Arc<Batch>,
    /// Encoded size: what it costs to keep.
    weight: usize,
}

impl Payload {
    /// Wraps a batch made here. Cost: one encoding.
    pub(crate) fn new(batch: Batch) -> Self {
        let weight = to_bytes(&batch).len();
        Self { batch: Arc::new(batch), weight }
    }

    /// The deltas.
    pub(crate) const fn batch(&self) -> &Arc<Batch> {
        &self.batch
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.batch == other.batch
    }
}

impl lasp_overlay::broadcast::Payload for Payload {
    fn weight(&self) -> usize {
        self.weight
    }
}

impl Encode for Payload {
    fn encode(&self, w: &mut Writer<'_>) {
        self.batch.encode(w);
    }
}

impl Decode for Payload {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let from = r.at();
        let batch = Arc::new(Batch::decode(r)?);
        Ok(Self { batch, weight: r.at() - from })
    }
}
