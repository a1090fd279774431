//! What peers say to each other along the tree, and how it is encoded.
//!
//! The first byte holds the kind (3 bits) and the round or depth (5 bits; 31 means that a varint follows). A payload's single id
//! costs a replica id and a varint; announcements are columns (`columns`), so an id costs about its origin.

use super::columns::{decode_ids, encode_ids};
use lasp_crdt::context::Range;
use lasp_crdt::{Decode, DecodeError, Dot, DotSet, Encode, Reader, ReplicaId, Writer};

/// A message between neighbours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<P> {
    /// A payload, pushed on an eager link or sent because it was asked for.
    Gossip {
        /// The ids that it covers: several, where a slow link merged payloads.
        ids: Ids,
        /// How many hops it has made when it arrives.
        round: u16,
        /// The payload.
        payload: P,
    },
    /// On a lazy link: these payloads are here.
    IHave(DotSet),
    /// Make the link eager and send these payloads, if any.
    Graft(DotSet),
    /// Make the link lazy.
    Prune,
    /// The tree is to be as shallow as can be: sent over every link, by who is so far from the root.
    Wave {
        /// Which wave: its root, and a number of its own.
        id: Dot,
        /// Hops from the root to the sender.
        depth: u16,
        /// Whether it is an old one, told over a new link, which is lazy at the sender's end.
        lazy: bool,
    },
}

/// The ids of one payload: at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids(Repr);

/// `Many` holds at least two dots.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Repr {
    One(Dot),
    /// The one message of its time that shapes the tree.
    Shaping(Dot),
    Many(DotSet),
}

impl Ids {
    /// The ids in `set`; `None` if there is none.
    pub fn from_set(set: DotSet) -> Option<Self> {
        let (replica, first) = set.ranges().next()?;
        let single = first.start == first.end && set.range_count() == 1;
        Some(if single { Self::from(Dot::new(replica, first.start)) } else { Self(Repr::Many(set)) })
    }

    /// The id, if it is one.
    pub const fn single(&self) -> Option<Dot> {
        match &self.0 {
            Repr::One(dot) | Repr::Shaping(dot) => Some(*dot),
            Repr::Many(_) => None,
        }
    }

    /// The id of a message that shapes the tree: links that bring it again are pruned.
    pub const fn shaping(id: Dot) -> Self {
        Self(Repr::Shaping(id))
    }

    /// The id, if the message shapes the tree.
    pub const fn shapes(&self) -> Option<Dot> {
        match &self.0 {
            Repr::Shaping(dot) => Some(*dot),
            Repr::One(_) | Repr::Many(_) => None,
        }
    }

    /// Every range of ids, ascending by origin and counter.
    pub fn ranges(&self) -> impl Iterator<Item = (ReplicaId, Range)> {
        let (one, many) = match &self.0 {
            Repr::One(dot) | Repr::Shaping(dot) => {
                (Some((dot.replica, Range { start: dot.counter, end: dot.counter })), None)
            }
            Repr::Many(set) => (None, Some(set.ranges())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// Adds the ids of another payload that was merged into this one. A merged payload does not shape the tree: it was
    /// held up on its way.
    pub fn merge(&mut self, other: &Self) {
        if self.single().is_some() && self.single() == other.single() {
            return;
        }
        let mut set = self.to_set();
        for (replica, range) in other.ranges() {
            set.insert_range(replica, range.start, range.end);
        }
        self.0 = Repr::Many(set);
    }

    /// How many ids. Cost: the number of ranges.
    pub fn count(&self) -> usize {
        self.ranges().map(|(_, range)| (range.end - range.start) as usize + 1).sum()
    }

    /// The ids as a set.
    pub fn to_set(&self) -> DotSet {
        match &self.0 {
            Repr::One(dot) | Repr::Shaping(dot) => DotSet::from_iter([*dot]),
            Repr::Many(set) => set.clone(),
        }
    }
}

impl From<Dot> for Ids {
    fn from(dot: Dot) -> Self {
        Self(Repr::One(dot))
    }
}

const GOSSIP_ONE: u8 = 0;
const GOSSIP_MANY: u8 = 1;
const IHAVE: u8 = 2;
const GRAFT: u8 = 3;
const PRUNE: u8 = 4;
const GOSSIP_SHAPING: u8 = 5;
const WAVE: u8 = 6;
const OLD_WAVE: u8 = 7;

/// Rounds from here on do not fit into the first byte.
const LONG_ROUND: u16 = 31;

fn write_head(w: &mut Writer<'_>, kind: u8, round: u16) {
    let short = round.min(LONG_ROUND);
    w.u8(kind | ((short as u8) << 3));
    if short == LONG_ROUND {
        w.varint(u64::from(round - LONG_ROUND));
    }
}

fn read_round(r: &mut Reader<'_>, short: u8) -> Result<u16, DecodeError> {
    let short = u16::from(short);
    if short < LONG_ROUND {
        return Ok(short);
    }
    let at = r.at();
    let rest = r.varint("round")?;
    u16::try_from(rest).ok().and_then(|rest| rest.checked_add(LONG_ROUND)).ok_or(DecodeError::BadVarint { at })
}

impl<P: Encode> Encode for Message<P> {
    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::Gossip { ids: Ids(ids @ (Repr::One(dot) | Repr::Shaping(dot))), round, payload } => {
                write_head(w, if matches!(ids, Repr::One(_)) { GOSSIP_ONE } else { GOSSIP_SHAPING }, *round);
                w.dot(*dot);
                payload.encode(w);
            }
            Self::Gossip { ids: Ids(Repr::Many(ids)), round, payload } => {
                write_head(w, GOSSIP_MANY, *round);
                encode_ids(ids, w);
                payload.encode(w);
            }
            Self::IHave(ids) => {
                write_head(w, IHAVE, 0);
                encode_ids(ids, w);
            }
            Self::Graft(ids) => {
                write_head(w, GRAFT, 0);
                encode_ids(ids, w);
            }
            Self::Prune => write_head(w, PRUNE, 0),
            Self::Wave { id, depth, lazy } => {
                write_head(w, if *lazy { OLD_WAVE } else { WAVE }, *depth);
                w.dot(*id);
            }
        }
    }
}

impl<P: Decode> Decode for Message<P> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let head = r.u8("broadcast message")?;
        match (head & 7, head >> 3) {
            (kind @ (GOSSIP_ONE | GOSSIP_SHAPING), round) => {
                let round = read_round(r, round)?;
                let dot = decode_id(r)?;
                let ids = if kind == GOSSIP_ONE { Ids::from(dot) } else { Ids::shaping(dot) };
                Ok(Self::Gossip { ids, round, payload: P::decode(r)? })
            }
            (GOSSIP_MANY, round) => {
                let round = read_round(r, round)?;
                let at = r.at();
                let ids = Ids::from_set(decode_ids(r)?).filter(|ids| matches!(ids.0, Repr::Many(_)));
                let ids = ids.ok_or(DecodeError::NotCanonical { what: "message ids", at })?;
                Ok(Self::Gossip { ids, round, payload: P::decode(r)? })
            }
            (IHAVE, 0) => decode_ids(r).map(Self::IHave),
            (GRAFT, 0) => decode_ids(r).map(Self::Graft),
            (PRUNE, 0) => Ok(Self::Prune),
            (kind @ (WAVE | OLD_WAVE), depth) => {
                Ok(Self::Wave { depth: read_round(r, depth)?, id: decode_id(r)?, lazy: kind == OLD_WAVE })
            }
            _ => Err(DecodeError::BadTag { what: "broadcast message", tag: u64::from(head), at }),
        }
    }
}

/// One id. Counters stay below the maximum, as everywhere.
fn decode_id(r: &mut Reader<'_>) -> Result<Dot, DecodeError> {
    let at = r.at();
    let dot = r.dot()?;
    if dot.counter == u64::MAX { Err(DecodeError::NotCanonical { what: "message id", at }) } else { Ok(dot) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use lasp_crdt::codec::{from_bytes, to_bytes};

    /// A payload of one number.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Number(u64);

    impl Encode for Number {
        fn encode(&self, w: &mut Writer<'_>) {
            w.varint(self.0);
        }
    }

    impl Decode for Number {
        fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
            r.varint("number").map(Self)
        }
    }

    fn random_set(rng: &mut Rng) -> DotSet {
        let mut set = DotSet::new();
        for _ in 0..1 + rng.below(6) {
            let start = 1 + rng.below(300);
            set.insert_range(ReplicaId(rng.below(4)), start, start + rng.below(20));
        }
        set
    }

    fn random_message(rng: &mut Rng) -> Message<Number> {
        let reach = [20, 31, 32, 65_536][rng.index(4)];
        let round = rng.below(reach) as u16;
        let payload = Number(rng.next_u64() >> rng.below(64));
        let id = Dot::new(ReplicaId(rng.below(9)), 1 + rng.below(500));
        match rng.below(7) {
            0 => Message::Gossip { ids: id.into(), round, payload },
            6 => Message::Wave { id, depth: round, lazy: rng.chance(0.5) },
            5 => Message::Gossip { ids: Ids::shaping(id), round, payload },
            1 => {
                let ids = Ids::from_set(random_set(rng)).expect("not empty");
                Message::Gossip { ids, round, payload }
            }
            2 => Message::IHave(random_set(rng)),
            3 => Message::Graft(if rng.chance(0.2) { DotSet::new() } else { random_set(rng) }),
            _ => Message::Prune,
        }
    }

    #[test]
    fn messages_survive_the_codec() {
        let mut rng = Rng::new(1);
        for _ in 0..5_000 {
            let message = random_message(&mut rng);
            assert_eq!(from_bytes(&to_bytes(&message)), Ok(message));
        }
    }

    #[test]
    fn mutilated_bytes_are_refused_or_canonical() {
        let mut rng = Rng::new(2);
        for _ in 0..20_000 {
            let mut bytes = to_bytes(&random_message(&mut rng));
            for _ in 0..1 + rng.below(3) {
                let at = rng.index(bytes.len().max(1));
                match rng.below(3) {
                    0 if !bytes.is_empty() => bytes[at] = rng.next_u64() as u8,
                    1 => bytes.truncate(at),
                    _ => bytes.insert(at.min(bytes.len()), rng.next_u64() as u8),
                }
            }
            if let Ok(message) = from_bytes::<Message<Number>>(&bytes) {
                assert_eq!(to_bytes(&message), bytes, "{message:?}");
            }
        }
    }

    #[test]
    fn a_payload_costs_its_id_and_one_byte_and_an_announced_run_of_ids_a_few() {
        // With a replica id of one byte, as on a link that has named it.
        let gossip = Message::Gossip { ids: Dot::new(ReplicaId(7), 100).into(), round: 3, payload: Number(0) };
        assert_eq!(to_bytes(&gossip).len(), 1 + 1 + 1 + 1);
        let mut ids = DotSet::new();
        ids.insert_range(ReplicaId(7), 1_000, 1_100);
        let ihave = Message::<Number>::IHave(ids);
        assert_eq!(to_bytes(&ihave).len(), 1 + 1 + 1 + 1 + 1 + 2 + 1);
        assert_eq!(to_bytes(&Message::<Number>::Prune).len(), 1);
    }

    #[test]
    fn merged_ids_are_their_union_whatever_form_they_had() {
        let dot = |counter| Dot::new(ReplicaId(1), counter);
        let mut ids = Ids::from(dot(1));
        ids.merge(&Ids::shaping(dot(1)));
        assert_eq!(ids, dot(1).into());
        ids.merge(&dot(3).into());
        ids.merge(&dot(2).into());
        assert_eq!(ids.ranges().collect::<Vec<_>>(), [(ReplicaId(1), Range { start: 1, end: 3 })]);
        assert_eq!(Ids::from_set([dot(5)].into_iter().collect()), Some(dot(5).into()));
        assert_eq!(Ids::from_set(DotSet::new()), None);
    }
}
