//! Columns of replica ids by rank: where an id stands among those that both ends know, in ascending order.
//!
//! A column ascends, so ranks do, and what is written is the gaps between them, or a bitmap: a known id costs one byte
//! where few of many are named, and an eighth of a bit to two bits where most are. Which ids are ranked is said by how
//! many of the table's first entries are: a number of the [`ladder`], so that it seldom changes.

use lasp_crdt::ReplicaId;
use lasp_crdt::codec::{Bytes, write_varint};
use lasp_crdt::{DecodeError, codec};

/// The least number of ids that are worth ranking.
const FIRST: u64 = 16;

/// The greatest step of the ladder that is at most `known`: each is an eighth above the last, in whole sixteens at least; 0
/// if there is none.
pub(super) const fn ladder(known: u64) -> u64 {
    let mut step = FIRST;
    if known < step {
        return 0;
    }
    loop {
        let grown = step / 8 / FIRST * FIRST;
        let next = step + if grown < FIRST { FIRST } else { grown };
        if next > known {
            return step;
        }
        step = next;
    }
}

/// How a column is written.
#[derive(Debug)]
pub(super) enum Form {
    /// The gaps between ranks.
    Gaps(Vec<u64>),
    /// A bit for each rank.
    Bitmap(Vec<u8>),
}

impl Form {
    /// The shorter form of `ids`, which ascend, among `ranked`, which ascend, too; `None` if one is not there.
    pub(super) fn of(ids: &[ReplicaId], ranked: &[ReplicaId]) -> Option<Self> {
        let (mut gaps, mut at, mut len) = (Vec::with_capacity(ids.len()), 0, 0);
        for id in ids {
            let gap = ranked[at..].partition_point(|other| other < id);
            if ranked.get(at + gap) != Some(id) {
                return None;
            }
            at += gap + 1;
            len += if gap < 128 { 1 } else { 2 };
            gaps.push(gap as u64);
        }
        if len <= ranked.len().div_ceil(8) {
            return Some(Self::Gaps(gaps));
        }
        let (mut bits, mut at) = (vec![0u8; ranked.len().div_ceil(8)], 0);
        for gap in gaps {
            let rank = at + gap as usize;
            bits[rank / 8] |= 1 << (rank % 8);
            at = rank + 1;
        }
        Some(Self::Bitmap(bits))
    }

    /// Its length in bytes, at least.
    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Gaps(gaps) => gaps.len(),
            Self::Bitmap(bits) => bits.len(),
        }
    }

    /// Appends it.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Gaps(gaps) => gaps.iter().for_each(|gap| write_varint(out, *gap)),
            Self::Bitmap(bits) => out.extend_from_slice(bits),
        }
    }
}

/// Reads `len` ids by the gaps between their ranks.
pub(super) fn read_gaps(
    len: usize,
    ranked: &[ReplicaId],
    bytes: &mut Bytes<'_>,
) -> Result<codec::Replicas, DecodeError> {
    let (mut ids, mut next) = (codec::Replicas::new(), 0u64);
    for _ in 0..len {
        let at = bytes.at();
        let rank = bytes.varint("rank")?.checked_add(next).filter(|rank| *rank < ranked.len() as u64);
        let Some(rank) = rank else { return Err(DecodeError::NotCanonical { what: "rank", at }) };
        ids.push(ranked[rank as usize]);
        next = rank + 1;
    }
    Ok(ids)
}

/// Reads `len` ids from a bitmap.
pub(super) fn read_bitmap(
    len: usize,
    ranked: &[ReplicaId],
    bytes: &mut Bytes<'_>,
) -> Result<codec::Replicas, DecodeError> {
    let at = bytes.at();
    let bits = bytes.take(ranked.len().div_ceil(8), "ranks")?;
    let is_set = |rank: usize| bits[rank / 8] >> (rank % 8) & 1 == 1;
    let set: u32 = bits.iter().map(|byte| byte.count_ones()).sum();
    let beyond = (ranked.len()..bits.len() * 8).any(is_set);
    if beyond || set as usize != len {
        return Err(DecodeError::NotCanonical { what: "ranks", at });
    }
    Ok((0..ranked.len()).filter(|&rank| is_set(rank)).map(|rank| ranked[rank]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_has_few_steps() {
        let steps: std::collections::BTreeSet<u64> = (0..=16_384).map(ladder).collect();
        assert!(steps.len() < 60, "{}", steps.len());
        assert_eq!([0, 15, 16, 31, 32, 100].map(ladder), [0, 0, 16, 16, 32, 96]);
        assert!((16..16_384).all(|known| ladder(known) * 9 / 8 + 16 >= known));
    }

    #[test]
    fn few_of_many_are_gaps_and_most_are_bits() {
        let ranked: Vec<ReplicaId> = (0..1000).map(|n| ReplicaId(7 * n)).collect();
        let few: Vec<ReplicaId> = ranked.iter().copied().step_by(20).collect();
        let most: Vec<ReplicaId> = ranked.iter().copied().filter(|id| id.0 % 5 != 0).collect();
        for (ids, len, bitmap) in [(few, 50, false), (most, 125, true)] {
            let form = Form::of(&ids, &ranked).expect("all are ranked");
            let mut out = Vec::new();
            form.write(&mut out);
            assert_eq!((out.len(), matches!(form, Form::Bitmap(_))), (len, bitmap));
            let mut bytes = Bytes::new(&out);
            let read = if bitmap { read_bitmap } else { read_gaps };
            assert_eq!(read(ids.len(), &ranked, &mut bytes).expect("readable").to_vec(), ids);
        }
        assert!(Form::of(&[ReplicaId(7), ReplicaId(8)], &ranked).is_none());
    }

    #[test]
    fn ranks_that_no_id_has_are_refused() {
        let ranked: Vec<ReplicaId> = (0..20).map(ReplicaId).collect();
        assert!(read_gaps(2, &ranked, &mut Bytes::new(&[18, 1])).is_err());
        assert!(read_gaps(2, &ranked, &mut Bytes::new(&[18, 0])).is_ok());
        assert!(read_bitmap(1, &ranked, &mut Bytes::new(&[0, 0, 0x10])).is_err(), "beyond the last");
        assert!(read_bitmap(2, &ranked, &mut Bytes::new(&[1, 0, 0])).is_err(), "one is set, not two");
    }
}
