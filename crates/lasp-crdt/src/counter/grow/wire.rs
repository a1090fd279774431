//! The encoding of a grow-only counter: `counts << 1 | folds`; the column of the replicas, ascending; that of their
//! counts, as a column of numbers; then, if there are any, the number of folds, and per steward, ascending: its id, the ids it has taken over, as
//! stretches (first, length less one), and their sum.

use super::{Count, Fold, GCounter};
use crate::codec::{Decode, DecodeError, Encode, Numbers, Reader, Writer};
use crate::context::wire::{decode_ids, encode_ids};
use crate::dot::ReplicaId;

impl Encode for GCounter {
    fn encode(&self, w: &mut Writer<'_>) {
        let len = self.counts.len();
        w.varint((len as u64) << 1 | u64::from(!self.folds.is_empty()));
        w.replicas(len, &mut self.counts.iter().map(|count| count.replica));
        let counts: Numbers = self.counts.iter().map(|count| count.n).collect();
        w.numbers(&counts);
        if !self.folds.is_empty() {
            w.len(self.folds.len());
            for (steward, fold) in self.folds.iter() {
                w.replica(steward);
                encode_ids(&fold.replicas, w);
                w.varint(fold.total);
            }
        }
    }
}

impl Decode for GCounter {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let head = r.varint("counts")?;
        let len = head >> 1;
        if len / 4 > r.remaining() as u64 {
            return Err(DecodeError::TooLong { what: "counts", len, at });
        }
        let mut counter = Self::new();
        let replicas = r.replicas(len as usize)?;
        let bad = r.not_canonical("counts");
        let counts = r.numbers(replicas.len(), "counts")?;
        if counts.contains(&0) {
            return Err(bad);
        }
        for (replica, n) in replicas.into_iter().zip(counts) {
            counter.append(Count { replica, n });
        }
        if head & 1 == 1 {
            decode_folds(r, &mut counter)?;
        }
        Ok(counter)
    }
}

fn decode_folds(r: &mut Reader<'_>, counter: &mut GCounter) -> Result<(), DecodeError> {
    let bad = r.not_canonical("folded counts");
    let (len, counts) = (r.len("folded counts")?, counter.counts.len());
    let mut last: Option<ReplicaId> = None;
    for _ in 0..len {
        let bad = r.not_canonical("folded counts");
        let steward = r.replica()?;
        let fold = Fold { replicas: decode_ids(r)?, total: r.varint("folded counts")? };
        if last.is_some_and(|last| last >= steward) {
            return Err(bad);
        }
        last = Some(steward);
        counter.raise_fold(steward, fold);
    }
    if len == 0 || counter.counts.len() < counts { Err(bad) } else { Ok(()) }
}
