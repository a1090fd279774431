//! The encoding of sets of message ids.
//!
//! Most sets name one message of each of many origins, which are in step: `origins << 1 | more`, the column of those origins of
//! which one id is named, that of their counters (a few bits each, where origins are in step), and, where `more` is set, all other
//! ids as a set of dots. It knows no messages.

use lasp_crdt::codec::Numbers;
use lasp_crdt::{Decode, DecodeError, Dot, DotSet, Encode, Reader, ReplicaId, Writer};

/// Ids that are the only ones of their origins, ascending, and the rest.
#[derive(Debug, Default)]
struct Columns {
    origins: Vec<ReplicaId>,
    counters: Numbers,
    rest: DotSet,
}

impl Columns {
    /// Cost: the number of ranges.
    fn of(ids: &DotSet) -> Self {
        let mut columns = Self::default();
        let mut ranges = ids.ranges().peekable();
        let mut last = None;
        while let Some((origin, range)) = ranges.next() {
            let follows = ranges.peek().is_some_and(|(next, _)| *next == origin);
            if range.start == range.end && !follows && last != Some(origin) {
                columns.origins.push(origin);
                columns.counters.push(range.start);
            } else {
                columns.rest.insert_range(origin, range.start, range.end);
            }
            last = Some(origin);
        }
        columns
    }
}

/// Appends ids. None of their origins is retired.
pub(super) fn encode_ids(ids: &DotSet, w: &mut Writer<'_>) {
    let Columns { origins, counters, rest } = Columns::of(ids);
    w.varint((origins.len() as u64) << 1 | u64::from(!rest.is_empty()));
    w.replicas(origins.len(), &mut origins.iter().copied());
    w.numbers(&counters);
    if !rest.is_empty() {
        rest.encode(w);
    }
}

/// Reads what [`encode_ids`] wrote.
pub(super) fn decode_ids(r: &mut Reader<'_>) -> Result<DotSet, DecodeError> {
    let bad = r.not_canonical("message ids");
    let head = r.varint("message ids")?;
    let origins = r.replicas(usize::try_from(head >> 1).unwrap_or(usize::MAX))?;
    let counters = r.numbers(origins.len(), "message ids")?;
    if counters.iter().any(|counter| !(1..=Dot::MAX_COUNTER).contains(counter)) {
        return Err(bad);
    }
    let ids: DotSet = origins.iter().zip(&counters).map(|(&origin, &counter)| Dot::new(origin, counter)).collect();
    if head & 1 == 0 {
        return Ok(ids);
    }
    let mut rest = DotSet::decode(r)?;
    let is_rest = !rest.is_empty()
        && rest.retired().next().is_none()
        && Columns::of(&rest).origins.is_empty()
        && rest.replicas().all(|origin| origins.binary_search(&origin).is_err());
    if !is_rest {
        return Err(bad);
    }
    rest.union_with(&ids);
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::codec::{from_bytes, to_bytes};

    struct Coded(DotSet);

    impl Encode for Coded {
        fn encode(&self, w: &mut Writer<'_>) {
            encode_ids(&self.0, w);
        }
    }

    impl Decode for Coded {
        fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
            decode_ids(r).map(Self)
        }
    }

    #[test]
    fn one_id_each_of_many_origins_in_step_costs_a_few_bits_beside_the_origin() {
        let ids: DotSet = (0..100).map(|n| Dot::new(ReplicaId(n), 1_000 + n * 7 % 16)).collect();
        let origins = 2; // one stretch
        assert_eq!(to_bytes(&Coded(ids)).len(), 2 + origins + 2 + 1 + 50);
    }

    #[test]
    fn every_set_has_one_encoding() {
        let dot = |origin, counter| Dot::new(ReplicaId(origin), counter);
        let alone: DotSet = [dot(1, 5), dot(2, 6)].into_iter().collect();
        let mixed: DotSet = [dot(1, 5), dot(2, 6), dot(2, 7), dot(3, 1), dot(3, 4), dot(4, 9)].into_iter().collect();
        for set in [DotSet::new(), alone.clone(), mixed] {
            assert_eq!(from_bytes::<Coded>(&to_bytes(&Coded(set.clone()))).map(|coded| coded.0), Ok(set));
        }
        // The same ids as the rest, an empty rest, an origin in both.
        let with_rest = |first: Option<Dot>, rest: &DotSet| {
            let mut bytes = to_bytes(&Coded(first.into_iter().collect()));
            bytes[0] |= 1;
            [bytes, to_bytes(rest)].concat()
        };
        let range: DotSet = [dot(1, 7), dot(1, 8)].into_iter().collect();
        let nothing = DotSet::new();
        for bad in [with_rest(None, &alone), with_rest(None, &nothing), with_rest(Some(dot(1, 5)), &range)] {
            assert!(from_bytes::<Coded>(&bad).is_err(), "{bad:?}");
        }
        assert!(from_bytes::<Coded>(&with_rest(Some(dot(2, 5)), &range)).is_ok());
        let mut bytes = to_bytes(&Coded([dot(1, 5)].into_iter().collect()));
        *bytes.last_mut().expect("there are some") = 0;
        assert!(from_bytes::<Coded>(&bytes).is_err(), "counters begin with 1");
    }
}
