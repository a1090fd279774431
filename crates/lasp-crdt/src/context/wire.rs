//! The encoding of a set of dots: what contexts, digests and lists of message ids cost on the wire.

use super::DotSet;
use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::dot::{Dot, ReplicaId};

/// The number of replicas; per replica, ascending: its id and the number of its ranges; per range
/// `gap << 1 | longer`, where `gap` counts the absent counters that separate it from the last range beyond the one
/// that must, and, where it is longer than one dot, its length less two.
impl Encode for DotSet {
    fn encode(&self, w: &mut Writer<'_>) {
        w.len(self.tracks.len());
        for track in &self.tracks {
            w.replica(track.replica);
            w.len(track.ranges.len());
            let mut next = 1;
            for range in &track.ranges {
                let longer = range.end > range.start;
                w.varint((range.start - next) << 1 | u64::from(longer));
                if longer {
                    w.varint(range.end - range.start - 1);
                }
                next = range.end + 2;
            }
        }
    }
}

impl Decode for DotSet {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut set = Self::new();
        let mut last = None;
        for _ in 0..r.len("replicas")? {
            let at = r.at();
            let replica = r.replica()?;
            if last.is_some_and(|last| last >= replica) {
                return Err(DecodeError::NotCanonical { what: "dot set", at });
            }
            last = Some(replica);
            decode_ranges(r, replica, &mut set)?;
        }
        Ok(set)
    }
}

fn decode_ranges(r: &mut Reader<'_>, replica: ReplicaId, set: &mut DotSet) -> Result<(), DecodeError> {
    let at = r.at();
    let bad = DecodeError::NotCanonical { what: "dot ranges", at };
    let count = r.len("dot ranges")?;
    let mut next = 1u64;
    for _ in 0..count {
        let head = r.varint("range start")?;
        let more = if head & 1 == 1 { r.varint("range length")?.checked_add(1) } else { Some(0) };
        // At most 2^63 + 2^62, so this cannot overflow; the end can, and has a limit anyway.
        let start = next + (head >> 1);
        let end = more.and_then(|more| start.checked_add(more)).filter(|&end| end <= Dot::MAX_COUNTER);
        let Some(end) = end else { return Err(bad) };
        set.insert_range(replica, start, end);
        next = end + 2;
    }
    if count == 0 { Err(bad) } else { Ok(()) }
}
