//! A sorted list in chunks: what is kept per replica, the ranges of one replica, and the elements of a set that grows.
//!
//! One item takes no allocation (nearly every delta), a few take one vector, many take vectors of at most
//! [`CHUNK`] items, so that an insertion in the middle of a million moves a chunk, not the list. It knows no dots.

use std::cmp::Ordering;

/// Most items of one chunk. A guess: a few kilobytes, which move in about the time of a cache miss or two.
const CHUNK: usize = 256;

/// An item with the number that the list is sorted by; no two items of a list have the same.
pub(crate) trait Keyed {
    fn key(&self) -> u64;
}

/// Items, strictly ascending by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sorted<T>(Repr<T>);

#[derive(Clone, Debug)]
enum Repr<T> {
    One(T),
    /// Never one item; at most [`CHUNK`].
    Few(Vec<T>),
    /// Chunks, none empty, together more than `CHUNK / 2` items.
    #[expect(clippy::box_collection, reason = "a list has the size of its commonest form")]
    Many(Box<Vec<Vec<T>>>),
}

/// The position of an item, or of the gap in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At {
    chunk: usize,
    item: usize,
}

impl At {
    pub(crate) const FIRST: Self = Self { chunk: 0, item: 0 };
}

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// By items, whatever the chunks.
impl<T: PartialEq> PartialEq for Repr<T> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::One(mine), Self::One(theirs)) => mine == theirs,
            (Self::Few(mine), Self::Few(theirs)) => mine == theirs,
            _ => self.chunks().flatten().eq(other.chunks().flatten()),
        }
    }
}

impl<T: Eq> Eq for Repr<T> {}

impl<T> Repr<T> {
    fn chunks(&self) -> impl DoubleEndedIterator<Item = &[T]> {
        let (whole, many): (&[T], &[Vec<T>]) = match self {
            Self::One(item) => (std::slice::from_ref(item), &[]),
            Self::Few(items) => (items, &[]),
            Self::Many(chunks) => (&[], chunks),
        };
        std::iter::once(whole).chain(many.iter().map(Vec::as_slice))
    }
}

impl<T> Sorted<T> {
    pub(crate) const fn new() -> Self {
        Self(Repr::Few(Vec::new()))
    }

    pub(crate) const fn one(item: T) -> Self {
        Self(Repr::One(item))
    }

    /// The list of these items, which must be strictly ascending.
    pub(crate) fn from_ascending(mut items: Vec<T>) -> Self {
        match items.len() {
            1 => Self(items.pop().map_or_else(|| Repr::Few(Vec::new()), Repr::One)),
            ..=CHUNK => {
                items.shrink_to_fit();
                Self(Repr::Few(items))
            }
            _ => {
                let mut items = items.into_iter();
                let mut chunks = Vec::with_capacity(items.len().div_ceil(CHUNK));
                while items.len() > 0 {
                    chunks.push(items.by_ref().take(CHUNK).collect());
                }
                Self(Repr::Many(Box::new(chunks)))
            }
        }
    }

    /// Cost: the number of chunks.
    pub(crate) fn len(&self) -> usize {
        self.0.chunks().map(<[T]>::len).sum()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.0, Repr::Few(items) if items.is_empty())
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.0.chunks().flatten()
    }

    /// The items, to change all but their keys.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let (whole, many): (&mut [T], &mut [Vec<T>]) = match &mut self.0 {
            Repr::One(item) => (std::slice::from_mut(item), &mut []),
            Repr::Few(items) => (items, &mut []),
            Repr::Many(chunks) => (&mut [], chunks),
        };
        whole.iter_mut().chain(many.iter_mut().flatten())
    }

    pub(crate) fn into_vec(self) -> Vec<T> {
        match self.0 {
            Repr::One(item) => vec![item],
            Repr::Few(items) => items,
            Repr::Many(chunks) => chunks.into_iter().flatten().collect(),
        }
    }

    /// The only item, if there is one.
    #[inline]
    pub(crate) fn single(&self) -> Option<&T> {
        match &self.0 {
            Repr::One(item) => Some(item),
            _ => None,
        }
    }

    /// As [`single`](Self::single), to change all but the key, or the key as well.
    #[inline]
    pub(crate) fn single_mut(&mut self) -> Option<&mut T> {
        match &mut self.0 {
            Repr::One(item) => Some(item),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn last(&self) -> Option<&T> {
        match &self.0 {
            Repr::One(item) => Some(item),
            Repr::Few(items) => items.last(),
            Repr::Many(chunks) => chunks.last()?.last(),
        }
    }

    #[inline]
    pub(crate) fn last_mut(&mut self) -> Option<&mut T> {
        match &mut self.0 {
            Repr::One(item) => Some(item),
            Repr::Few(items) => items.last_mut(),
            Repr::Many(chunks) => chunks.last_mut()?.last_mut(),
        }
    }

    /// The item at a position, or the first one after a gap at the end of a chunk.
    #[inline]
    pub(crate) fn get(&self, at: At) -> Option<&T> {
        match &self.0 {
            Repr::One(item) => (at == At::FIRST).then_some(item),
            Repr::Few(items) => items.get(at.item),
            Repr::Many(chunks) => match chunks.get(at.chunk)?.get(at.item) {
                Some(item) => Some(item),
                None => chunks.get(at.chunk + 1)?.first(),
            },
        }
    }

    /// As [`get`](Self::get), to change all but the key.
    #[inline]
    pub(crate) fn get_mut(&mut self, at: At) -> Option<&mut T> {
        match &mut self.0 {
            Repr::One(item) => (at == At::FIRST).then_some(item),
            Repr::Few(items) => items.get_mut(at.item),
            Repr::Many(chunks) => {
                let at = if at.item < chunks.get(at.chunk)?.len() { at } else { At { chunk: at.chunk + 1, item: 0 } };
                chunks.get_mut(at.chunk)?.get_mut(at.item)
            }
        }
    }

    /// The items from a position on.
    pub(crate) fn iter_from(&self, at: At) -> impl Iterator<Item = &T> {
        let (whole, many): (&[T], &[Vec<T>]) = match &self.0 {
            Repr::One(item) => (std::slice::from_ref(item), &[]),
            Repr::Few(items) => (items, &[]),
            Repr::Many(chunks) => {
                (chunks.get(at.chunk).map_or(&[], Vec::as_slice), chunks.get(at.chunk + 1..).unwrap_or(&[]))
            }
        };
        whole.get(at.item..).unwrap_or(&[]).iter().chain(many.iter().flatten())
    }

    /// The position of the first item for which `is_before` is false, which must be true of a prefix.
    pub(crate) fn partition_point(&self, is_before: impl Fn(&T) -> bool) -> At {
        match &self.0 {
            Repr::One(item) => At { chunk: 0, item: usize::from(is_before(item)) },
            Repr::Few(items) => At { chunk: 0, item: items.partition_point(is_before) },
            Repr::Many(chunks) => {
                let chunk = chunks.partition_point(|chunk| is_before(&chunk[0])).saturating_sub(1);
                At { chunk, item: chunks[chunk].partition_point(is_before) }
            }
        }
    }

    /// The position after this one.
    pub(crate) fn after(&self, at: At) -> At {
        let next = At { chunk: at.chunk, item: at.item + 1 };
        match &self.0 {
            Repr::Many(chunks) if next.item >= chunks[at.chunk].len() && at.chunk + 1 < chunks.len() => {
                At { chunk: at.chunk + 1, item: 0 }
            }
            _ => next,
        }
    }

    /// Appends an item, whose key must be above all others.
    pub(crate) fn push(&mut self, item: T) {
        self.insert(self.end(), item);
    }

    /// Inserts where [`find`](Self::find) or [`partition_point`](Self::partition_point) said.
    pub(crate) fn insert(&mut self, at: At, item: T) {
        match &mut self.0 {
            Repr::One(_) => {
                let Repr::One(old) = std::mem::replace(&mut self.0, Repr::Few(Vec::new())) else { return };
                self.0 = Repr::Few(if at.item == 0 { vec![item, old] } else { vec![old, item] });
            }
            Repr::Few(items) if items.is_empty() => self.0 = Repr::One(item),
            Repr::Few(items) => {
                items.insert(at.item, item);
                if items.len() > CHUNK {
                    *self = Self::from_ascending(std::mem::take(items));
                }
            }
            Repr::Many(chunks) => insert_in_chunk(chunks, at, item),
        }
    }

    /// Removes the item at the position that [`find`](Self::find) said.
    pub(crate) fn remove(&mut self, at: At) -> Option<T> {
        match &mut self.0 {
            Repr::One(_) => match std::mem::replace(&mut self.0, Repr::Few(Vec::new())) {
                Repr::One(item) => Some(item),
                _ => None,
            },
            Repr::Few(items) => {
                let item = (at.item < items.len()).then(|| items.remove(at.item))?;
                self.settle();
                Some(item)
            }
            Repr::Many(chunks) => {
                let chunk = chunks.get_mut(at.chunk)?;
                let item = (at.item < chunk.len()).then(|| chunk.remove(at.item))?;
                if chunk.len() < CHUNK / 4 {
                    fuse(chunks, at.chunk);
                }
                self.settle();
                Some(item)
            }
        }
    }

    /// The form that the number of items asks for, and no memory far beyond it.
    fn settle(&mut self) {
        match &mut self.0 {
            Repr::Few(items) if items.len() == 1 => {
                let item = items.pop();
                self.0 = item.map_or_else(|| Repr::Few(Vec::new()), Repr::One);
            }
            Repr::Few(items) if items.len() * 4 <= items.capacity() => items.shrink_to(items.len() * 2),
            Repr::Many(chunks) if chunks.len() == 1 && chunks[0].len() <= CHUNK / 2 => {
                *self = Self::from_ascending(std::mem::take(&mut chunks[0]));
            }
            _ => {}
        }
    }
}

impl<T: Ord> Sorted<T> {
    /// The position of this item in a list that is sorted by items, or where it would go.
    pub(crate) fn search(&self, item: &T) -> Result<At, At> {
        self.locate(|mine| mine.cmp(item))
    }
}

impl<T: Keyed> Sorted<T> {
    /// The position of the item with this key, or where it would go.
    pub(crate) fn find(&self, key: u64) -> Result<At, At> {
        self.locate(|item| item.key().cmp(&key))
    }

    /// As [`find`](Self::find), for a key beyond the item before `from`: the quicker the closer it is behind (exponential
    /// search: Bentley and Yao, "An almost optimal algorithm for unbounded searching", 1976).
    #[inline]
    pub(crate) fn seek(&self, from: At, key: u64) -> Result<At, At> {
        let chunk = match &self.0 {
            Repr::One(item) => std::slice::from_ref(item),
            Repr::Few(items) => items.as_slice(),
            Repr::Many(chunks) => chunks.get(from.chunk).map_or(&[][..], Vec::as_slice),
        };
        let rest = chunk.get(from.item..).unwrap_or_default();
        if rest.last().is_none_or(|last| last.key() < key) {
            return self.find(key);
        }
        self.hit(At { item: from.item + gallop(rest, |item| item.key() < key), ..from }, |item| item.key() == key)
    }

    pub(crate) fn by_key(&self, key: u64) -> Option<&T> {
        self.find(key).ok().and_then(|at| self.get(at))
    }

    /// Puts items in whose keys are not here; they must be ascending. Cost: theirs, or that of one pass over all.
    pub(crate) fn insert_all(&mut self, items: Vec<T>) {
        if items.len() < CHUNK / 4 || items.len() * 16 < self.len() {
            for item in items {
                let (Ok(at) | Err(at)) = self.find(item.key());
                self.insert(at, item);
            }
            return;
        }
        let mine = std::mem::take(self).into_vec();
        let mut all = Vec::with_capacity(mine.len() + items.len());
        let mut theirs = items.into_iter().peekable();
        for item in mine {
            while let Some(next) = theirs.next_if(|next| next.key() < item.key()) {
                all.push(next);
            }
            all.push(item);
        }
        all.extend(theirs);
        *self = Self::from_ascending(all);
    }
}

impl<T> Sorted<T> {
    /// The position of the item that is what is sought, or where it would go; `order` says how an item compares with that.
    fn locate(&self, order: impl Fn(&T) -> Ordering) -> Result<At, At> {
        // Deltas and decoding append.
        if self.last().is_none_or(|last| order(last).is_lt()) {
            return Err(self.end());
        }
        let at = self.partition_point(|item| order(item).is_lt());
        self.hit(at, |item| order(item).is_eq())
    }

    fn hit(&self, at: At, is_it: impl Fn(&T) -> bool) -> Result<At, At> {
        if self.get(at).is_some_and(is_it) { Ok(self.normal(at)) } else { Err(at) }
    }

    /// The gap behind the last item.
    fn end(&self) -> At {
        match &self.0 {
            Repr::One(_) => At { chunk: 0, item: 1 },
            Repr::Few(items) => At { chunk: 0, item: items.len() },
            Repr::Many(chunks) => At { chunk: chunks.len() - 1, item: chunks[chunks.len() - 1].len() },
        }
    }

    /// The same position, said by the chunk that holds its item.
    fn normal(&self, at: At) -> At {
        match &self.0 {
            Repr::Many(chunks) if at.item >= chunks[at.chunk].len() => At { chunk: at.chunk + 1, item: 0 },
            _ => at,
        }
    }
}

/// How many of the first items fulfil `is_before`, which must be true of a prefix. Cost: the logarithm of that number.
fn gallop<T>(items: &[T], is_before: impl Fn(&T) -> bool) -> usize {
    let mut bound = 1;
    while items.get(bound - 1).is_some_and(&is_before) {
        bound *= 2;
    }
    let (low, high) = (bound / 2, items.len().min(bound - 1));
    low + items[low..high].partition_point(is_before)
}

fn insert_in_chunk<T>(chunks: &mut Vec<Vec<T>>, at: At, item: T) {
    if chunks[at.chunk].len() < CHUNK {
        chunks[at.chunk].insert(at.item, item);
    } else if at.chunk + 1 == chunks.len() && at.item == CHUNK {
        // Appending leaves full chunks behind.
        chunks.push(vec![item]);
    } else {
        let half = chunks[at.chunk].split_off(CHUNK / 2);
        chunks[at.chunk].shrink_to_fit();
        chunks.insert(at.chunk + 1, half);
        if at.item <= CHUNK / 2 {
            chunks[at.chunk].insert(at.item, item);
        } else {
            chunks[at.chunk + 1].insert(at.item - CHUNK / 2, item);
        }
    }
}

/// Fuses a small chunk with a neighbour that has room.
fn fuse<T>(chunks: &mut Vec<Vec<T>>, small: usize) {
    let fits = |other: usize| chunks.get(other).is_some_and(|chunk| chunk.len() + chunks[small].len() <= CHUNK / 2);
    let first = if fits(small + 1) {
        small
    } else if small > 0 && fits(small - 1) {
        small - 1
    } else {
        if chunks[small].is_empty() {
            chunks.remove(small);
        }
        return;
    };
    let second = chunks.remove(first + 1);
    chunks[first].extend(second);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::mix;
    use std::collections::BTreeSet;

    impl Keyed for u64 {
        fn key(&self) -> u64 {
            *self
        }
    }

    /// Grows beyond several chunks and shrinks to nothing, against a tree.
    #[test]
    fn a_list_agrees_with_a_tree() {
        let mut list = Sorted::new();
        let mut model = BTreeSet::new();
        for step in 0..40_000u64 {
            let random = mix(7, step);
            let key = random % 3_000;
            let grows = (step / 10_000) % 2 == 0;
            if (random >> 40) % 8 < if grows { 7 } else { 1 } {
                match list.find(key) {
                    Ok(_) => assert!(model.contains(&key)),
                    Err(at) => {
                        list.insert(at, key);
                        assert!(model.insert(key));
                    }
                }
            } else if let Ok(at) = list.find(key) {
                assert_eq!(list.remove(at), Some(key));
                assert!(model.remove(&key));
            }
            if step % 997 == 0 {
                assert!(list.iter().eq(&model));
                assert_eq!((list.len(), list.last(), list.get(At::FIRST)), (model.len(), model.last(), model.first()));
                let at = list.partition_point(|&item| item < key);
                assert!(list.iter_from(at).eq(model.range(key..)));
                assert_eq!(list.get(at), model.range(key..).next());
                assert_eq!(list, Sorted::from_ascending(model.iter().copied().collect()));
            }
        }
        for key in std::mem::take(&mut model) {
            let at = list.find(key).expect("it is there");
            list.remove(at);
        }
        assert!(list.is_empty() && matches!(&list.0, Repr::Few(items) if items.capacity() == 0 || items.is_empty()));
    }

    #[test]
    fn many_are_inserted_in_one_pass() {
        let mut list = Sorted::from_ascending((0..2_000u64).map(|n| n * 2).collect());
        list.insert_all((0..2_000u64).map(|n| n * 2 + 1).collect());
        assert!(list.iter().copied().eq(0..4_000));
        list.insert_all(vec![5_000, 6_000]);
        assert_eq!(list.last(), Some(&6_000));
    }

    #[test]
    fn seeking_from_anywhere_before_is_finding() {
        let list = Sorted::from_ascending((0..1_500u64).map(|n| n * 3).collect());
        for step in 0..5_000u64 {
            let (one, other) = (mix(1, step) % 4_600, mix(2, step) % 4_600);
            let (before, key) = (one.min(other), one.max(other));
            let (Ok(from) | Err(from)) = list.find(before);
            let (found, sought) = (list.find(key), list.seek(from, key));
            assert_eq!(found.is_ok(), sought.is_ok());
            let (Ok(found) | Err(found), Ok(sought) | Err(sought)) = (found, sought);
            assert_eq!(list.get(found), list.get(sought), "{key} from {before}");
        }
    }

    #[test]
    fn a_walk_visits_every_item_once() {
        let list = Sorted::from_ascending((0..1_000u64).collect());
        let mut at = At::FIRST;
        for key in 0..1_000 {
            at = list.seek(at, key).expect("every key is there");
            assert_eq!(list.get(at), Some(&key));
            at = list.after(at);
        }
        assert_eq!(list.get(at), None);
    }
}
