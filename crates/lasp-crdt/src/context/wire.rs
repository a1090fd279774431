//! The encoding of a set of dots: what contexts, digests and lists of message ids cost on the wire.
//!
//! `tracks << 1 | retired`; the column of the replicas with tracks, ascending; per track its ranges, in one of two forms:
//!
//! - `zigzag(end − previous end) << 1` for one range from 1, where the previous end is the highest counter of the track
//!   before: replicas that are in step cost a byte each beside their ids;
//! - `ranges << 1 | 1` for anything else, and per range `gap << 1 | longer`, where `gap` counts the absent counters that
//!   separate it from the last range beyond the one that must, and, where it is longer than one dot, its length less
//!   two.
//!
//! Then, if there are any, the number of stretches of retired replicas; per stretch its first id and its length less one.

use super::{DotSet, RETIRED, Range, Ranges, Track};
use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::dot::{Dot, ReplicaId};
use crate::sorted::Keyed;

impl Encode for DotSet {
    fn encode(&self, w: &mut Writer<'_>) {
        w.varint((self.tracks.len() as u64) << 1 | u64::from(self.retired.is_some()));
        w.replicas(self.tracks.len(), &mut self.replicas());
        let mut previous = 0;
        for track in self.tracks.iter() {
            previous = encode_ranges(&track.ranges, previous, w);
        }
        if let Some(ids) = &self.retired {
            encode_ids(ids, w);
        }
    }
}

/// Returns the highest counter.
fn encode_ranges(ranges: &Ranges, previous: u64, w: &mut Writer<'_>) -> u64 {
    if let Some(range) = ranges.single().filter(|range| range.start == 1) {
        let step = range.end.wrapping_sub(previous) as i64;
        w.varint((((step << 1) ^ (step >> 63)) as u64) << 1);
        return range.end;
    }
    w.varint((ranges.count() as u64) << 1 | 1);
    let mut next = 1;
    for range in ranges.iter() {
        let longer = range.end > range.start;
        w.varint((range.start - next) << 1 | u64::from(longer));
        if longer {
            w.varint(range.end - range.start - 1);
        }
        next = range.end + 2;
    }
    next - 2
}

impl Decode for DotSet {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let head = r.varint("dot set")?;
        let len = head >> 1;
        if len > r.remaining() as u64 {
            return Err(DecodeError::TooLong { what: "replicas", len, at });
        }
        let mut set = Self::new();
        let mut previous = 0;
        for replica in r.replicas(len as usize)? {
            let ranges = decode_ranges(r, previous)?;
            previous = ranges.last().map_or(0, |range| range.end);
            set.gain(ranges.fingerprint(replica.0));
            set.tracks.push(Track { replica, ranges });
        }
        if head & 1 == 1 {
            decode_retired(r, &mut set)?;
        }
        Ok(set)
    }
}

fn decode_ranges(r: &mut Reader<'_>, previous: u64) -> Result<Ranges, DecodeError> {
    let bad = r.not_canonical("dot ranges");
    let head = r.varint("dot ranges")?;
    if head & 1 == 0 {
        let zigzag = head >> 1;
        let end = previous.wrapping_add(((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64)) as u64);
        let is_track = (1..Dot::MAX_COUNTER).contains(&end);
        return if is_track { Ok(Ranges::one(Range { start: 1, end })) } else { Err(bad) };
    }
    let count = head >> 1;
    if count > r.remaining() as u64 {
        return Err(bad);
    }
    let mut ranges = Ranges::default();
    let mut next = 1u64;
    for _ in 0..count {
        let head = r.varint("range start")?;
        let more = if head & 1 == 1 { r.varint("range length")?.checked_add(1) } else { Some(0) };
        // At most 2^63 + 2^62, so this cannot overflow; the end can, and has a limit anyway.
        let start = next + (head >> 1);
        let end = more.and_then(|more| start.checked_add(more)).filter(|&end| end <= Dot::MAX_COUNTER);
        let Some(end) = end else { return Err(bad) };
        ranges.push(Range { start, end });
        next = end + 2;
    }
    let is_plain = ranges.single().is_some_and(|range| range.start == 1);
    if ranges.is_empty() || is_plain { Err(bad) } else { Ok(ranges) }
}

fn decode_retired(r: &mut Reader<'_>, set: &mut DotSet) -> Result<(), DecodeError> {
    let bad = r.not_canonical("retired replicas");
    let ids = decode_ids(r)?;
    let has_track = |range: Range| {
        let at = set.tracks.partition_point(|track| track.key() < range.start);
        set.tracks.get(at).is_some_and(|track| track.key() <= range.end)
    };
    if ids.iter().any(has_track) {
        return Err(bad);
    }
    set.gain(ids.fingerprint(RETIRED));
    set.retired = Some(Box::new(ids));
    Ok(())
}

/// The number of stretches of replica ids; per stretch its first id and its length less one.
pub(crate) fn encode_ids(ids: &Ranges, w: &mut Writer<'_>) {
    w.len(ids.count());
    for range in ids.iter() {
        w.replica(ReplicaId(range.start));
        w.varint(range.end - range.start);
    }
}

/// Reads what [`encode_ids`] wrote, at least one.
pub(crate) fn decode_ids(r: &mut Reader<'_>) -> Result<Ranges, DecodeError> {
    let bad = r.not_canonical("stretches of replicas");
    let mut ids = Ranges::default();
    for _ in 0..r.len("stretches of replicas")? {
        let start = r.replica()?.0;
        let end = start.checked_add(r.varint("stretch of replicas")?);
        let is_ascending = ids.last().is_none_or(|last| last.end.checked_add(1).is_some_and(|gap| gap < start));
        let Some(end) = end.filter(|_| is_ascending) else { return Err(bad) };
        ids.push(Range { start, end });
    }
    if ids.is_empty() { Err(bad) } else { Ok(ids) }
}
