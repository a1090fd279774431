//! What the peers of a full mesh say to each other, and its encoding.
//!
//! Maps of members are compared by fingerprint. Where two differ, the smaller one is listed as summary (who, which
//! version; no addresses) and the other side answers with exactly the members that are news, and asks for those
//! that would be news to itself.

use super::member::{Member, Version};
use crate::peer::{Contact, PeerId};
use crate::wire::Wire;
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer, codec::to_bytes};

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
    /// Every member that the sender knows, by version.
    Summary(Vec<(PeerId, Version)>),
    /// Members in a version that may be news.
    News {
        /// The members.
        members: Vec<Member>,
        /// Of whom the sender would like to hear.
        want: Vec<PeerId>,
    },
    /// Is the receiver there?
    Ping,
    /// It is.
    Pong,
}

/// The first of the tags that this strategy owns; one byte names strategy and kind.
const FIRST_TAG: u8 = 32;

impl Message {
    /// Reads the rest of a message whose tag, found at byte `at`, has been read.
    pub(in crate::membership) fn decode_after(tag: u8, at: usize, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match tag.wrapping_sub(FIRST_TAG) {
            0 => Self::Digest { fingerprint: r.fixed_u64("fingerprint")?, count: r.varint("member count")? },
            1 => Self::Ask,
            2 => Self::Summary(read_list(r, |r| Ok((PeerId::decode(r)?, Version::decode(r)?)))?),
            3 => Self::News { members: read_list(r, Member::decode)?, want: read_list(r, PeerId::decode)? },
            4 => Self::Ping,
            5 => Self::Pong,
            _ => {
                return Err(DecodeError::BadTag { what: "membership message", tag: tag.into(), at });
            }
        })
    }
}

fn read_list<T>(
    r: &mut Reader<'_>,
    mut item: impl FnMut(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let len = r.len("members")?;
    // Not reserved up front: a claimed length costs one byte, an item many.
    let mut items = Vec::new();
    for _ in 0..len {
        items.push(item(r)?);
    }
    Ok(items)
}

fn write_list<T>(items: &[T], w: &mut Writer<'_>, mut item: impl FnMut(&T, &mut Writer<'_>)) {
    w.len(items.len());
    for each in items {
        item(each, w);
    }
}

impl Encode for Message {
    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::Digest { fingerprint, count } => {
                w.u8(FIRST_TAG);
                w.fixed_u64(*fingerprint);
                w.varint(*count);
            }
            Self::Ask => w.u8(FIRST_TAG + 1),
            Self::Summary(entries) => {
                w.u8(FIRST_TAG + 2);
                write_list(entries, w, |(id, version), w| {
                    id.encode(w);
                    version.encode(w);
                });
            }
            Self::News { members, want } => {
                w.u8(FIRST_TAG + 3);
                write_list(members, w, Member::encode);
                write_list(want, w, PeerId::encode);
            }
            Self::Ping => w.u8(FIRST_TAG + 4),
            Self::Pong => w.u8(FIRST_TAG + 5),
        }
    }
}

impl Decode for Message {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let tag = r.u8("membership message")?;
        Self::decode_after(tag, at, r)
    }
}

impl Encode for Member {
    fn encode(&self, w: &mut Writer<'_>) {
        self.contact.encode(w);
        w.varint(self.change);
    }
}

impl Decode for Member {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { contact: Contact::decode(r)?, change: r.varint("change")? })
    }
}

impl Encode for Version {
    fn encode(&self, w: &mut Writer<'_>) {
        w.varint(self.incarnation);
        w.varint(self.change);
    }
}

impl Decode for Version {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { incarnation: r.varint("incarnation")?, change: r.varint("change")? })
    }
}

impl Wire for Message {
    fn size(&self) -> usize {
        to_bytes(self).len()
    }

    fn digest(&self) -> u64 {
        to_bytes(self).as_slice().digest()
    }
}
