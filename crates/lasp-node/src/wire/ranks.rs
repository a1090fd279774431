//! Columns of replica ids by rank: where an id stands among those that both ends know, in ascending order.
//!
//! A column ascends, so ranks do, and what is written is the gaps between them, as varints or Rice codes, or a bitmap: a known id
//! costs a byte or less where few of many are named, and an eighth of a bit to two bits where most are. Which ids are ranked is
//! said by how many of the table's first entries are: a step of the [`ladder`], so that it seldom changes and a byte says it.
//! The few ids beyond that step follow by their indices ([`Others`]).

use super::rice::{self, Rice};
use lasp_crdt::ReplicaId;
use lasp_crdt::codec::{Bytes, write_varint};
use lasp_crdt::{DecodeError, codec};

/// The least number of ids that are worth ranking.
const FIRST: u64 = 16;

/// How many steps the [`ladder`] has; the last ones are beyond every table.
const RUNGS: usize = 64;

/// How many ids are ranked, step by step: each an eighth above the last, in whole sixteens at least.
const LADDER: [u64; RUNGS] = {
    let mut ladder = [FIRST; RUNGS];
    let mut at = 1;
    while at < RUNGS {
        let grown = ladder[at - 1] / 8 / FIRST * FIRST;
        ladder[at] = ladder[at - 1] + if grown < FIRST { FIRST } else { grown };
        at += 1;
    }
    ladder
};

/// How many of `known` ids are ranked: the greatest step of the ladder that is at most that; 0 if there is none.
pub(super) fn ladder(known: u64) -> u64 {
    LADDER.partition_point(|step| *step <= known).checked_sub(1).map_or(0, |at| LADDER[at])
}

/// Which step that is, which a byte says.
pub(super) fn rung(ranked: u64) -> u8 {
    LADDER.partition_point(|step| *step < ranked) as u8
}

/// How many ids are ranked at a step; `None` if there is no such step.
pub(super) fn ranked_at(rung: u8) -> Option<u64> {
    LADDER.get(usize::from(rung)).copied()
}

/// How a column is written.
#[derive(Debug)]
pub(super) enum Form {
    /// The gaps between ranks.
    Gaps(Vec<u64>),
    /// The same as Rice codes, with this parameter.
    Rice(Vec<u8>, u32),
    /// A bit for each rank.
    Bitmap(Vec<u8>),
}

impl Form {
    /// The shortest form of these ranks, of `count` that there are; `None` if they do not ascend.
    pub(super) fn of(ranks: impl ExactSizeIterator<Item = u64>, count: usize) -> Option<Self> {
        let (mut gaps, mut next, mut len, mut sum) = (Vec::with_capacity(ranks.len()), 0, 0, 0);
        for rank in ranks {
            let gap = rank.checked_sub(next)?;
            len += if gap < 128 { 1 } else { 2 };
            gaps.push(gap);
            sum += gap;
            next = rank + 1;
        }
        let k = rice::parameter(sum, gaps.len());
        let (packed, bitmap) = (rice::len(&gaps, k), count.div_ceil(8));
        if len <= packed.min(bitmap) {
            return Some(Self::Gaps(gaps));
        }
        if packed <= bitmap {
            let mut bits = Vec::with_capacity(packed);
            rice::write(&gaps, k, &mut bits);
            return Some(Self::Rice(bits, k));
        }
        let (mut bits, mut at) = (vec![0u8; bitmap], 0);
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
            Self::Rice(bits, _) | Self::Bitmap(bits) => bits.len(),
        }
    }

    /// Appends it.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Gaps(gaps) => gaps.iter().for_each(|gap| write_varint(out, *gap)),
            Self::Rice(bits, _) | Self::Bitmap(bits) => out.extend_from_slice(bits),
        }
    }
}

/// The ids of a column that are not ranked, ascending by id: how far beyond the ranked ones their indices are.
#[derive(Debug, Default)]
pub(super) struct Others(Vec<u64>);

impl Others {
    /// One more, with an index beyond the `ranked` first ones.
    pub(super) fn push(&mut self, index: u64, ranked: usize) {
        self.0.push(index - ranked as u64 - 1);
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its length in bytes, at least.
    pub(super) fn len(&self) -> usize {
        let of = |number: u64| if number < 128 { 1 } else { 2 };
        if self.is_empty() { 0 } else { of(self.0.len() as u64) + self.0.iter().copied().map(of).sum::<usize>() }
    }

    /// Appends them: how many there are, then each.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        write_varint(out, self.0.len() as u64);
        self.0.iter().for_each(|number| write_varint(out, *number));
    }

    /// Reads those of a column of `len` ids.
    pub(super) fn read(
        len: usize,
        ranked: &Ranks<'_, ReplicaId>,
        bytes: &mut Bytes<'_>,
    ) -> Result<codec::Replicas, DecodeError> {
        let at = bytes.at();
        let count = bytes.varint("other ids")?;
        if !(1..len as u64).contains(&count) {
            return Err(DecodeError::NotCanonical { what: "other ids", at });
        }
        let mut ids = codec::Replicas::new();
        for _ in 0..count {
            let at = bytes.at();
            let beyond = bytes.varint("other id")?;
            let index = usize::try_from(beyond).ok().and_then(|beyond| ranked.len().checked_add(beyond));
            let id = index.and_then(|index| ranked.entries.get(index));
            let id = *id.ok_or_else(|| DecodeError::UnknownReference { index: beyond.saturating_add(1), at })?;
            if ids.last().is_some_and(|last| *last >= id) {
                return Err(DecodeError::NotCanonical { what: "other ids", at });
            }
            ids.push(id);
        }
        Ok(ids)
    }
}

/// All of two columns that ascend; `None` if an id is in both.
pub(super) fn merged(one: codec::Replicas, two: &[ReplicaId]) -> Option<codec::Replicas> {
    let (mut all, mut two) = (codec::Replicas::new(), two.iter().copied().peekable());
    for id in one {
        while let Some(before) = two.next_if(|other| *other < id) {
            all.push(before);
        }
        if two.peek() == Some(&id) {
            return None;
        }
        all.push(id);
    }
    all.extend(two);
    Some(all)
}

/// The ids that are ranked: their positions in a table, ascending by id, and the table.
#[derive(Debug)]
pub(super) struct Ranks<'a, V> {
    pub(super) slots: &'a [u16],
    pub(super) entries: &'a [V],
}

impl Ranks<'_, ReplicaId> {
    const fn len(&self) -> usize {
        self.slots.len()
    }

    fn id(&self, rank: usize) -> ReplicaId {
        self.entries[usize::from(self.slots[rank])]
    }
}

/// Reads `len` ids by the gaps between their ranks.
pub(super) fn read_gaps(
    len: usize,
    ranked: &Ranks<'_, ReplicaId>,
    bytes: &mut Bytes<'_>,
) -> Result<codec::Replicas, DecodeError> {
    let (mut ids, mut next) = (codec::Replicas::new(), 0u64);
    for _ in 0..len {
        let at = bytes.at();
        let rank = bytes.varint("rank")?.checked_add(next).filter(|rank| *rank < ranked.len() as u64);
        let Some(rank) = rank else { return Err(DecodeError::NotCanonical { what: "rank", at }) };
        ids.push(ranked.id(rank as usize));
        next = rank + 1;
    }
    Ok(ids)
}

/// Reads `len` ids by the gaps between their ranks as Rice codes.
pub(super) fn read_rice(
    len: usize,
    k: u32,
    ranked: &Ranks<'_, ReplicaId>,
    bytes: &mut Bytes<'_>,
) -> Result<codec::Replicas, DecodeError> {
    let bad = DecodeError::NotCanonical { what: "rank", at: bytes.at() };
    let (mut ids, mut next, mut gaps) = (codec::Replicas::new(), 0, Rice::new(bytes, k));
    for _ in 0..len {
        let Some(gap) = gaps.next((ranked.len() - next) as u64)? else { return Err(bad) };
        let rank = next + gap as usize;
        ids.push(ranked.id(rank));
        next = rank + 1;
    }
    if gaps.is_padded() { Ok(ids) } else { Err(bad) }
}

/// Reads `len` ids from a bitmap.
pub(super) fn read_bitmap(
    len: usize,
    ranked: &Ranks<'_, ReplicaId>,
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
    Ok((0..ranked.len()).filter(|&rank| is_set(rank)).map(|rank| ranked.id(rank)).collect())
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
        assert!(steps.into_iter().filter(|step| *step > 0).all(|step| ranked_at(rung(step)) == Some(step)));
        assert_eq!((rung(16), ranked_at(RUNGS as u8)), (0, None));
    }

    fn ids(step: u64, count: u64) -> Vec<ReplicaId> {
        (0..count).map(|n| ReplicaId(step * n)).collect()
    }

    #[test]
    fn few_of_many_are_gaps_and_most_are_bits() {
        let (slots, entries): (Vec<u16>, _) = ((0..1000).collect(), ids(7, 1000));
        let ranked = Ranks { slots: &slots, entries: &entries };
        let few: Vec<u64> = (0..1000).step_by(100).collect();
        let some: Vec<u64> = (0..1000).step_by(20).collect();
        let most: Vec<u64> = (0..1000).filter(|rank| rank % 5 != 0).collect();
        for (ranks, len) in [(few, 10), (some, 38), (most, 125)] {
            let form = Form::of(ranks.iter().copied(), 1000).expect("all are ranked");
            let mut out = Vec::new();
            form.write(&mut out);
            assert_eq!((out.len(), form.len()), (len, len));
            let (mut bytes, count) = (Bytes::new(&out), ranks.len());
            let read = match form {
                Form::Gaps(_) => read_gaps(count, &ranked, &mut bytes),
                Form::Rice(_, k) => read_rice(count, k, &ranked, &mut bytes),
                Form::Bitmap(_) => read_bitmap(count, &ranked, &mut bytes),
            };
            let expected: Vec<ReplicaId> = ranks.iter().map(|rank| ReplicaId(7 * rank)).collect();
            assert_eq!(read.expect("readable").to_vec(), expected);
        }
        assert!(Form::of([2, 1].into_iter(), 1000).is_none());
    }

    #[test]
    fn ids_beyond_the_ranked_ones_follow_by_index() {
        let (slots, entries): (Vec<u16>, _) = ((0..20).collect(), ids(1, 30));
        let ranked = Ranks { slots: &slots, entries: &entries };
        let mut others = Others::default();
        [22, 30].into_iter().for_each(|index| others.push(index, 20));
        let mut out = Vec::new();
        others.write(&mut out);
        assert_eq!((out.as_slice(), others.len()), (&[2, 1, 9][..], 3));
        let read = |len, bytes: &[u8]| Others::read(len, &ranked, &mut Bytes::new(bytes)).map(|ids| ids.to_vec());
        assert_eq!(read(3, &out), Ok(vec![ReplicaId(21), ReplicaId(29)]));
        for (len, bad) in
            [(2, &[2, 1, 9][..]), (3, &[0]), (3, &[2, 9, 1]), (3, &[2, 1, 1]), (3, &[1, 10]), (3, &[2, 1])]
        {
            assert!(read(len, bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn columns_that_share_an_id_are_none() {
        let column = |numbers: &[u64]| numbers.iter().copied().map(ReplicaId).collect::<codec::Replicas>();
        let both = |one: &[u64], two: &[u64]| merged(column(one), &column(two));
        assert_eq!(both(&[1, 5], &[0, 2, 9]), Some(column(&[0, 1, 2, 5, 9])));
        assert_eq!(both(&[], &[3]), Some(column(&[3])));
        assert_eq!(both(&[1, 5], &[2, 5]), None);
    }

    #[test]
    fn ranks_that_no_id_has_are_refused() {
        let (slots, entries): (Vec<u16>, _) = ((0..20).collect(), ids(1, 20));
        let ranked = Ranks { slots: &slots, entries: &entries };
        assert!(read_gaps(2, &ranked, &mut Bytes::new(&[18, 1])).is_err());
        assert!(read_gaps(2, &ranked, &mut Bytes::new(&[18, 0])).is_ok());
        assert!(read_rice(1, 4, &ranked, &mut Bytes::new(&[0b0110_0010])).is_err(), "there is no rank 24");
        assert!(read_rice(1, 4, &ranked, &mut Bytes::new(&[0b0100_0110])).is_err(), "bits behind the last");
        assert!(read_rice(1, 4, &ranked, &mut Bytes::new(&[0b0000_0110])).is_ok());
        assert!(read_bitmap(1, &ranked, &mut Bytes::new(&[0, 0, 0x10])).is_err(), "beyond the last");
        assert!(read_bitmap(2, &ranked, &mut Bytes::new(&[1, 0, 0])).is_err(), "one is set, not two");
    }
}
