//! A delta that is too large for one frame, taken apart once: as stretches where its type has an order for that, else along its
//! join decomposition. Each piece is a delta of its own.

use crate::key::Key;
use crate::wire::{PIECE, entry_len};
use lasp_dataflow::{Rest, State};
use std::collections::VecDeque;

/// Entries of the first stretch; how many the next ones have follows from their bytes.
pub(crate) const FIRST: usize = 512;

/// Most entries of a stretch: what is dead or not wanted takes no bytes, but time. A guess.
const MOST: usize = 1 << 16;

/// How many entries the next stretch has, after one that took so many bytes, to take about `wanted`.
pub(crate) fn next_len(entries: usize, bytes: usize, wanted: usize) -> usize {
    if bytes < wanted / 2 { (entries * 2).min(MOST) } else { (entries * wanted / bytes).clamp(1, MOST) }
}

/// What is left of a delta.
#[derive(Debug)]
pub(crate) struct Pieces {
    key: Key,
    /// The delta, where it goes on, and how many entries the next stretch has.
    delta: Option<(State, Rest, usize)>,
    /// What goes before that.
    parts: VecDeque<State>,
}

impl Pieces {
    /// All of a delta. Cost: the size of the delta.
    pub(crate) fn of(key: Key, delta: State) -> Self {
        if key.ty().comes_in_stretches() && delta.entries() > 1 {
            let rest = delta.rest(None);
            return Self { key, delta: Some((delta, rest, FIRST)), parts: VecDeque::new() };
        }
        Self { parts: parts(&key, &delta, PIECE), key, delta: None }
    }

    /// The variable.
    pub(crate) const fn key(&self) -> &Key {
        &self.key
    }

    /// What it keeps: the delta as long as a stretch of it is left, the parts that are left.
    pub(crate) fn left(&self) -> impl Iterator<Item = (&Key, &State)> {
        let delta = self.delta.iter().map(|(delta, ..)| delta);
        delta.chain(&self.parts).map(|state| (&self.key, state))
    }

    /// The next piece, of about so many bytes. A single part of a delta is never cut, and parts that go one by one are
    /// merged to [`PIECE`]s at most.
    pub(crate) fn next(&mut self, wanted: usize) -> Option<State> {
        loop {
            if let Some(part) = self.parts.pop_front() {
                return Some(part);
            }
            let (delta, rest, entries) = self.delta.as_mut()?;
            let piece = delta.stretch(rest, *entries);
            let bytes = entry_len(&self.key, &piece);
            *entries = next_len(*entries, bytes, wanted);
            if rest.is_over() {
                self.delta = None;
            }
            if bytes > 2 * wanted {
                self.parts = parts(&self.key, &piece, wanted);
            } else if !piece.is_bottom() {
                return Some(piece);
            }
        }
    }
}

/// The parts of a delta, merged to pieces of so many bytes.
fn parts(key: &Key, delta: &State, most: usize) -> VecDeque<State> {
    let (mut pieces, mut size) = (VecDeque::new(), most);
    for part in delta.decompose() {
        let part_size = entry_len(key, &part);
        match pieces.back_mut().filter(|_| size + part_size <= most) {
            Some(piece) => {
                let piece: &mut State = piece;
                piece.merge(part);
                size += part_size;
            }
            None => {
                pieces.push_back(part);
                size = part_size;
            }
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::{AwSet, GCounter, Lattice as _, ReplicaId};
    use lasp_dataflow::{Name, Type, Value};

    fn key(ty: Type) -> Key {
        Key::new(Name::new("much").unwrap(), ty)
    }

    /// All pieces merge to the delta, and are as many as its bytes need, or twice that.
    fn check(key: &Key, delta: &State) {
        let mut merged = State::bottom(key.ty());
        let mut count = 0;
        let mut pieces = Pieces::of(key.clone(), delta.clone());
        while let Some(piece) = pieces.next(PIECE) {
            assert!(entry_len(key, &piece) <= (2 * PIECE).max(40_100), "{} bytes", entry_len(key, &piece));
            assert!(merged.merge(piece), "every piece is news");
            count += 1;
        }
        assert_eq!(merged, *delta);
        let least = entry_len(key, delta).div_ceil((2 * PIECE).max(40_100));
        assert!((least..=6 * least + 10).contains(&count), "{count} pieces, {least} at least");
    }

    #[test]
    fn a_set_goes_in_stretches_whatever_the_size_of_its_elements() {
        let replica = ReplicaId(1);
        for sizes in [[10, 10], [10, 5_000], [5_000, 10], [40_000, 40_000]] {
            let mut set = AwSet::new();
            for (n, size) in (0..400).map(|n| (n, sizes[n / 200])) {
                set.merge(set.add(replica, Value::from(format!("{n:0>size$}"))));
            }
            set.merge(set.remove(&Value::from(format!("{:0>1$}", 0, sizes[0]))));
            check(&key(Type::AwSet), &State::from(set));
        }
    }

    #[test]
    fn a_counter_goes_part_by_part() {
        let mut counter = GCounter::default();
        for replica in 1..20_000 {
            counter.merge(GCounter::default().increment(ReplicaId(replica << 40), replica));
        }
        check(&key(Type::GCounter), &State::GCounter(counter));
    }
}
