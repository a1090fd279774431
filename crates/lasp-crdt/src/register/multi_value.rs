//! The multi-value register: a write replaces what it has seen; concurrent writes are all kept until a later one.
//!
//! Source: Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data Types" (2011), §3.2.2;
//! Almeida et al., "Delta State Replicated Data Types" (JPDC'18), §7.4.2: a map from dots to values in a causal context.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::context::DotSet;
use crate::dot::{Dot, ReplicaId};
use crate::dotted::{DecodeStore, DotChange, DotStore, Dotted, EncodeStore, View, add_live};
use crate::fingerprint::{Fingerprint, hash, mix};
use smallvec::SmallVec;
use std::collections::BTreeSet;
use std::hash::Hash;

/// A register that keeps concurrent writes.
///
/// ```
/// use lasp_crdt::{Lattice, MvRegister, ReplicaId};
///
/// let (a, b) = (ReplicaId(1), ReplicaId(2));
/// let mut left = MvRegister::new();
/// left.merge(left.write(a, "red"));
/// let mut right = MvRegister::new();
/// right.merge(right.write(b, "blue"));
/// left.merge(right);
/// assert_eq!(left.values().into_iter().collect::<Vec<_>>(), [&"blue", &"red"]);
///
/// left.merge(left.write(a, "violet"));
/// assert_eq!(left.values().into_iter().collect::<Vec<_>>(), [&"violet"]);
/// ```
pub type MvRegister<V> = Dotted<Values<V>>;

/// The values of a multi-value register: a [dot store](DotStore), as large as there are concurrent writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values<V> {
    /// Ascending by dot.
    list: SmallVec<[(Dot, V); 1]>,
    fingerprint: u64,
}

impl<V> Default for Values<V> {
    fn default() -> Self {
        Self { list: SmallVec::new(), fingerprint: 0 }
    }
}

/// The share of one value in the fingerprint.
fn part<V: Hash>(dot: Dot, value: &V) -> u64 {
    mix(mix(dot.replica.0, dot.counter), hash(value))
}

impl<V: Ord> Values<V> {
    /// The different values: none if nothing was written, several if they were written concurrently.
    pub fn values(&self) -> BTreeSet<&V> {
        self.list.iter().map(|(_, value)| value).collect()
    }

    /// The value, if there is just one.
    pub fn single(&self) -> Option<&V> {
        let (_, first) = self.list.first()?;
        self.list.iter().all(|(_, value)| value == first).then_some(first)
    }
}

impl<V> Values<V> {
    /// The values with the dots of their writes, ascending by dot.
    pub fn writes(&self) -> impl ExactSizeIterator<Item = (Dot, &V)> {
        self.list.iter().map(|(dot, value)| (*dot, value))
    }

    fn find(&self, dot: Dot) -> Result<usize, usize> {
        self.list.binary_search_by_key(&dot, |&(held, _)| held)
    }
}

impl<V: Clone + Ord + Hash> Values<V> {
    fn insert(&mut self, dot: Dot, value: V) {
        if let Err(at) = self.find(dot) {
            self.fingerprint = self.fingerprint.wrapping_add(part(dot, &value));
            self.list.insert(at, (dot, value));
        }
    }
}

impl<V: Clone + Ord + Hash> View<'_, Values<V>> {
    /// The delta that writes `value` in place of all that is here.
    pub fn write(self, replica: ReplicaId, value: V) -> MvRegister<V> {
        let Some(dot) = self.mint(replica) else { return MvRegister::new() };
        let mut values = Values::default();
        values.insert(dot, value);
        Dotted::from_raw(values, self.live().and(dot))
    }
}

impl<V: Clone + Ord + Hash> MvRegister<V> {
    /// The delta that writes `value` in place of all that is here.
    pub fn write(&self, replica: ReplicaId, value: V) -> Self {
        self.view().write(replica, value)
    }
}

impl<V: Clone + Ord + Hash> Fingerprint for Values<V> {
    fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

impl<V: Clone + Ord + Hash> DotStore for Values<V> {
    fn dot_count(&self) -> usize {
        self.list.len()
    }

    fn holds_dot(&self, dot: Dot) -> bool {
        self.find(dot).is_ok()
    }

    fn each_dot(&self, on: &mut dyn FnMut(Dot)) {
        self.list.iter().for_each(|&(dot, _)| on(dot));
    }

    fn join(&mut self, mine: &DotSet, other: Self, theirs: &DotSet, on: &mut dyn FnMut(DotChange)) -> bool {
        let mut dying: SmallVec<[Dot; 2]> = SmallVec::new();
        self.dying(&other, theirs, &mut |dot| dying.push(dot));
        let mut changed = !dying.is_empty();
        for &dot in &dying {
            self.kill(dot);
            on(DotChange::Dead(dot));
        }
        for (dot, value) in other.list.into_iter().filter(|&(dot, _)| !mine.contains(dot)) {
            self.insert(dot, value);
            on(DotChange::Live(dot));
            changed = true;
        }
        changed
    }

    fn dying(&self, other: &Self, common: &DotSet, on: &mut dyn FnMut(Dot)) {
        let stays = |dot, value: &V| other.find(dot).is_ok_and(|at| other.list[at].1 == *value);
        for (dot, value) in &self.list {
            if common.contains(*dot) && !stays(*dot, value) {
                on(*dot);
            }
        }
    }

    fn kill(&mut self, dot: Dot) -> bool {
        let Ok(at) = self.find(dot) else { return false };
        let (dot, value) = self.list.remove(at);
        self.fingerprint = self.fingerprint.wrapping_sub(part(dot, &value));
        if self.list.spilled() && self.list.len() <= 1 {
            self.list.shrink_to_fit();
        }
        true
    }

    fn within(&self, dots: &DotSet) -> Self {
        let mut within = Self::default();
        for (dot, value) in self.list.iter().filter(|(dot, _)| dots.contains(*dot)) {
            within.insert(*dot, value.clone());
        }
        within
    }
}

/// `values << 1 | flag`; a single value's dot, or all dots; then the values in the order of the dots.
impl<V: Encode + Clone + Ord + Hash> EncodeStore for Values<V> {
    fn encode_store(&self, live: &DotSet, flag: bool, w: &mut Writer<'_>) {
        w.varint((self.list.len() as u64) << 1 | u64::from(flag));
        match &self.list[..] {
            [] => {}
            [(dot, _)] => w.dot(*dot),
            _ => live.encode(w),
        }
        self.list.iter().for_each(|(_, value)| value.encode(w));
    }
}

impl<V: Decode + Clone + Ord + Hash> DecodeStore for Values<V> {
    fn decode_store(r: &mut Reader<'_>, live: &mut DotSet) -> Result<(Self, bool), DecodeError> {
        let bad = r.not_canonical("values");
        let head = r.varint("values")?;
        let dots = match head >> 1 {
            0 => DotSet::new(),
            1 => DotSet::single(r.dot()?),
            _ => DotSet::decode(r)?,
        };
        if dots.countable() != head >> 1 || dots.retired().next().is_some() {
            return Err(bad);
        }
        add_live(live, &dots, bad)?;
        let mut values = Self::default();
        for dot in dots.dots() {
            let bad = r.not_canonical("values");
            if values.list.len() > r.at() {
                // Values that take no bytes: no more of them than bytes before.
                return Err(bad);
            }
            values.list.push((dot, V::decode(r)?));
        }
        values.fingerprint = values.list.iter().fold(0, |sum, (dot, value)| sum.wrapping_add(part(*dot, value)));
        Ok((values, head & 1 == 1))
    }
}
