//! What the peers of a full membership say to each other, and its encoding.
//!
//! Maps of members are compared by fingerprint. Where two differ, the smaller one is listed as summary (who, which
//! version; no addresses) and the other side answers with exactly the members that are news, and asks for those
//! that would be news to itself. Every list has a limit; what is longer goes in several messages.

use super::member::{Member, Status, Version};
use crate::membership::coding::tagged_message;
use crate::peer::{Contact, PeerId};
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use std::sync::Arc;

/// A statement about a peer, and how long ago it departed, if it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rumour {
    /// The statement.
    pub member: Member,
    /// Seconds since the departure became known; 0 for a member. No part of the statement: it only says when it may be
    /// forgotten.
    pub age: u64,
}

/// A message between two peers. Who sent it is known from the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// What the sender's map of members amounts to.
    Digest {
        /// The fingerprint of the map.
        fingerprint: u64,
        /// How many members it names.
        count: u64,
    },
    /// The maps differ and the receiver's is the smaller one: list it.
    Ask,
    /// Every peer between two ids that the sender knows, by version.
    Summary {
        /// The first id of the range.
        first: PeerId,
        /// The last one.
        last: PeerId,
        /// Who is known there, ascending.
        entries: Vec<(PeerId, Version)>,
    },
    /// Statements that may be news.
    News {
        /// The statements; shared, for the same go to many.
        rumours: Arc<[Rumour]>,
        /// Of whom the sender would like to hear.
        want: Vec<PeerId>,
    },
    /// Is the receiver there?
    Ping {
        /// Names the probe.
        seq: u64,
        /// What is said of the receiver, if it is suspected: it may want to refute that (Lifeguard's buddy system).
        suspected: Option<Version>,
    },
    /// It is; or, for a probe on the sender's behalf, the other is.
    Pong {
        /// Which probe.
        seq: u64,
    },
    /// Probe another on the sender's behalf.
    Probe {
        /// Names the probe.
        seq: u64,
        /// Whom.
        target: PeerId,
    },
    /// The receiver's probe of another has not been answered: at least the sender is there (Lifeguard's nack).
    Nack {
        /// Which probe.
        seq: u64,
    },
    /// Somebody suspects a member.
    Suspect {
        /// Whom.
        peer: PeerId,
        /// Which version of it: its status is a suspicion.
        version: Version,
        /// Who suspects it by its own probes.
        by: PeerId,
    },
}

/// Most statements, and most wishes, in one message.
pub const MAX_RUMOURS: usize = 64;

/// Most entries of one summary.
pub const MAX_ENTRIES: usize = 1024;

/// The first of the tags that this strategy owns; one byte names strategy and kind.
const FIRST_TAG: u8 = 32;

impl Message {
    /// Statements, and no wish.
    pub(super) fn news(rumours: impl Into<Arc<[Rumour]>>) -> Self {
        Self::News { rumours: rumours.into(), want: Vec::new() }
    }

    /// Reads the rest of a message whose tag, found at byte `at`, has been read.
    pub(in crate::membership) fn decode_after(tag: u8, at: usize, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match tag.wrapping_sub(FIRST_TAG) {
            0 => Self::Digest { fingerprint: r.fixed_u64("fingerprint")?, count: r.varint("member count")? },
            1 => Self::Ask,
            2 => Self::Summary {
                first: PeerId::decode(r)?,
                last: PeerId::decode(r)?,
                entries: read_list(r, MAX_ENTRIES, |r| Ok((PeerId::decode(r)?, Version::decode(r)?)))?,
            },
            3 => Self::News {
                rumours: read_list(r, MAX_RUMOURS, Rumour::decode)?.into(),
                want: read_list(r, MAX_RUMOURS, PeerId::decode)?,
            },
            4 => Self::Ping { seq: r.varint("probe")?, suspected: None },
            5 => Self::Pong { seq: r.varint("probe")? },
            6 => Self::Probe { seq: r.varint("probe")?, target: PeerId::decode(r)? },
            7 => Self::Nack { seq: r.varint("probe")? },
            8 => Self::Suspect { peer: PeerId::decode(r)?, version: Version::decode(r)?, by: PeerId::decode(r)? },
            9 => Self::Ping { seq: r.varint("probe")?, suspected: Some(Version::decode(r)?) },
            _ => {
                return Err(DecodeError::BadTag { what: "membership message", tag: tag.into(), at });
            }
        })
    }

    const fn tag(&self) -> u8 {
        FIRST_TAG
            + match self {
                Self::Digest { .. } => 0,
                Self::Ask => 1,
                Self::Summary { .. } => 2,
                Self::News { .. } => 3,
                Self::Ping { suspected: None, .. } => 4,
                Self::Pong { .. } => 5,
                Self::Probe { .. } => 6,
                Self::Nack { .. } => 7,
                Self::Suspect { .. } => 8,
                Self::Ping { suspected: Some(_), .. } => 9,
            }
    }
}

fn read_list<T>(
    r: &mut Reader<'_>,
    most: usize,
    mut item: impl FnMut(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let at = r.at();
    let len = r.len("members")?;
    if len > most {
        return Err(DecodeError::TooLong { what: "members", len: len as u64, at });
    }
    (0..len).map(|_| item(r)).collect()
}

fn write_list<T>(items: &[T], most: usize, w: &mut Writer<'_>, mut item: impl FnMut(&T, &mut Writer<'_>)) {
    let items = &items[..items.len().min(most)];
    w.len(items.len());
    for each in items {
        item(each, w);
    }
}

impl Encode for Message {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.tag());
        match self {
            Self::Digest { fingerprint, count } => {
                w.fixed_u64(*fingerprint);
                w.varint(*count);
            }
            Self::Ask => {}
            Self::Summary { first, last, entries } => {
                first.encode(w);
                last.encode(w);
                write_list(entries, MAX_ENTRIES, w, |(id, version), w| {
                    id.encode(w);
                    version.encode(w);
                });
            }
            Self::News { rumours, want } => {
                write_list(rumours, MAX_RUMOURS, w, Rumour::encode);
                write_list(want, MAX_RUMOURS, w, PeerId::encode);
            }
            Self::Ping { seq, suspected } => {
                w.varint(*seq);
                suspected.iter().for_each(|version| version.encode(w));
            }
            Self::Pong { seq } | Self::Nack { seq } => w.varint(*seq),
            Self::Probe { seq, target } => {
                w.varint(*seq);
                target.encode(w);
            }
            Self::Suspect { peer, version, by } => {
                peer.encode(w);
                version.encode(w);
                by.encode(w);
            }
        }
    }
}

impl Encode for Rumour {
    fn encode(&self, w: &mut Writer<'_>) {
        self.member.contact.encode(w);
        w.varint(self.member.stay);
        self.member.status.encode(w);
        if !self.member.is_in() {
            w.varint(self.age);
        }
    }
}

impl Decode for Rumour {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (contact, stay, status) = (Contact::decode(r)?, r.varint("stay")?, Status::decode(r)?);
        let member = Member { contact, stay, status };
        let age = if member.is_in() { 0 } else { r.varint("age")? };
        Ok(Self { member, age })
    }
}

impl Encode for Status {
    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::In { refutation, suspect } => {
                w.u8(u8::from(*suspect));
                w.varint(*refutation);
            }
            Self::Left => w.u8(2),
            Self::Evicted => w.u8(3),
        }
    }
}

impl Decode for Status {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        Ok(match r.u8("status")? {
            tag @ (0 | 1) => Self::In { refutation: r.varint("refutation")?, suspect: tag == 1 },
            2 => Self::Left,
            3 => Self::Evicted,
            tag => return Err(DecodeError::BadTag { what: "status", tag: tag.into(), at }),
        })
    }
}

impl Encode for Version {
    fn encode(&self, w: &mut Writer<'_>) {
        w.varint(self.incarnation);
        w.varint(self.stay);
        self.status.encode(w);
    }
}

impl Decode for Version {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { incarnation: r.varint("incarnation")?, stay: r.varint("stay")?, status: Status::decode(r)? })
    }
}

tagged_message!(Message);
