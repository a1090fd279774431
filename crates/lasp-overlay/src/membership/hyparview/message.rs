//! What HyParView peers say to each other, and its encoding.
//!
//! The paper's messages, with three changes. Whatever concerns one neighbour relation names it by its [`LinkId`].
//! A shuffle's random walk carries only its origin; the peer where it ends offers a sample to the origin, which
//! answers with its own, so that samples travel one hop each instead of seven. `Ping` and `Pong` confirm that both
//! sides hold the same relation.

use super::tag::Tag;
use crate::membership::coding::tagged_message;
use crate::peer::{Contact, PeerId};
use lasp_crdt::{Decode, DecodeError, Dot, Encode, Reader, Writer};

/// Names one neighbour relation of two peers. Of two links of the same pair, the greater is the newer: ids are
/// Lamport timestamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// How much a peer needs a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// It has none: make room if need be.
    High,
    /// It has a free place: accept if there is one here too.
    Low,
    /// The two may be on different islands: make room if need be, but not often.
    Mend,
}

/// A message between two peers. Who sent it is known from the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The sender joins through the receiver: become neighbours (as [`Priority::High`]) and spread the word.
    Join {
        /// The relation asked for.
        link: LinkId,
    },
    /// A peer has joined; on its random walk.
    ForwardJoin {
        /// Steps left.
        ttl: u8,
        /// Who joined.
        peer: Contact,
    },
    /// Asks the receiver to become a neighbour (the paper's NEIGHBOR).
    Request {
        /// The relation asked for.
        link: LinkId,
        /// How much it matters.
        priority: Priority,
    },
    /// Answers `Join` and `Request`: the sender now has the receiver in its active view.
    Accept {
        /// The relation asked for.
        link: LinkId,
        /// Others to know, for one that has just joined.
        peers: Vec<Contact>,
    },
    /// Answers `Request`: no room.
    Reject {
        /// The relation asked for.
        link: LinkId,
    },
    /// The sender no longer has the receiver in its active view.
    Disconnect {
        /// The relation that ends.
        link: LinkId,
        /// Whether the sender stays in the cluster and may be kept as passive peer.
        alive: bool,
    },
    /// Looks for a random peer to exchange samples with.
    Shuffle {
        /// Steps left.
        ttl: u8,
        /// Who looks.
        origin: Contact,
    },
    /// A sample of the sender's views.
    Exchange {
        /// Peers, the sender among them.
        peers: Vec<Contact>,
        /// Whether a sample is expected back.
        answer: bool,
    },
    /// The sender has the receiver as neighbour; the receiver says whether that is mutual.
    Ping {
        /// The relation as the sender knows it.
        link: LinkId,
    },
    /// Answers `Ping`.
    Pong {
        /// If known, the relation as the sender knows it, else the one asked about.
        link: LinkId,
        /// Whether the sender has the receiver as neighbour.
        known: bool,
    },
    /// The sender bears this tag.
    Tag {
        /// What it is.
        tag: Tag,
    },
    /// Looks for a peer with a tag, to become the neighbour of `origin`; on its random walk.
    Seek {
        /// Steps left.
        ttl: u8,
        /// What it looks for.
        tag: Tag,
        /// Who looks.
        origin: Contact,
    },
    /// Begins an exchange of links: the sender wants the receiver as neighbour instead of another. Answered like `Request`.
    Optimise {
        /// The relation asked for.
        link: LinkId,
        /// The neighbour that the sender gives up.
        old: Contact,
    },
    /// Asks the receiver, a neighbour, to take another peer instead of the sender, which answers by `Disconnect` or `Keep`.
    Replace {
        /// The relation to end.
        link: LinkId,
        /// The peer to take.
        old: Contact,
        /// Who gives that peer up.
        initiator: PeerId,
    },
    /// Answers `Replace`: the relation stays.
    Keep {
        /// The relation.
        link: LinkId,
    },
    /// Asks the receiver to take the sender as neighbour instead of another. Answered like `Request`.
    Switch {
        /// The relation asked for.
        link: LinkId,
        /// The neighbour that the receiver gives up.
        initiator: PeerId,
    },
    /// Measures a round trip.
    Probe {
        /// What the answer must repeat.
        nonce: u32,
    },
    /// Answers `Probe`.
    Echo {
        /// What was sent.
        nonce: u32,
    },
    /// Asks to become a neighbour as `Request` with `Priority::Mend` does, if the receiver is on another island: if it has not
    /// heard what has lately reached everybody on the sender's.
    Visit {
        /// The relation asked for.
        link: LinkId,
        /// What has reached everybody.
        mark: Dot,
    },
}

/// Most contacts in one message.
pub const MAX_PEERS: usize = 64;

impl Message {
    const fn tag(&self) -> u8 {
        match self {
            Self::Join { .. } => 0,
            Self::ForwardJoin { .. } => 1,
            Self::Request { priority: Priority::High, .. } => 2,
            Self::Request { priority: Priority::Low, .. } => 3,
            Self::Request { priority: Priority::Mend, .. } => 4,
            Self::Accept { .. } => 5,
            Self::Reject { .. } => 6,
            Self::Disconnect { alive: true, .. } => 7,
            Self::Disconnect { alive: false, .. } => 8,
            Self::Shuffle { .. } => 9,
            Self::Exchange { answer: true, .. } => 10,
            Self::Exchange { answer: false, .. } => 11,
            Self::Ping { .. } => 12,
            Self::Pong { known: true, .. } => 13,
            Self::Pong { known: false, .. } => 14,
            Self::Tag { .. } => 15,
            Self::Seek { .. } => 16,
            Self::Optimise { .. } => 17,
            Self::Replace { .. } => 18,
            Self::Keep { .. } => 19,
            Self::Switch { .. } => 20,
            Self::Probe { .. } => 21,
            Self::Echo { .. } => 22,
            Self::Visit { .. } => 23,
        }
    }

    /// Reads the rest of a message whose tag, found at byte `at`, has been read.
    pub(in crate::membership) fn decode_after(tag: u8, at: usize, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match tag {
            0 => Self::Join { link: LinkId::decode(r)? },
            1 => Self::ForwardJoin { ttl: r.u8("ttl")?, peer: Contact::decode(r)? },
            2 => Self::Request { link: LinkId::decode(r)?, priority: Priority::High },
            3 => Self::Request { link: LinkId::decode(r)?, priority: Priority::Low },
            4 => Self::Request { link: LinkId::decode(r)?, priority: Priority::Mend },
            5 => Self::Accept { link: LinkId::decode(r)?, peers: read_peers(r)? },
            6 => Self::Reject { link: LinkId::decode(r)? },
            7 | 8 => Self::Disconnect { link: LinkId::decode(r)?, alive: tag == 7 },
            9 => Self::Shuffle { ttl: r.u8("ttl")?, origin: Contact::decode(r)? },
            10 | 11 => Self::Exchange { peers: read_peers(r)?, answer: tag == 10 },
            12 => Self::Ping { link: LinkId::decode(r)? },
            13 | 14 => Self::Pong { link: LinkId::decode(r)?, known: tag == 13 },
            15 => Self::Tag { tag: Tag::decode(r)? },
            16 => Self::Seek { ttl: r.u8("ttl")?, tag: Tag::decode(r)?, origin: Contact::decode(r)? },
            17 => Self::Optimise { link: LinkId::decode(r)?, old: Contact::decode(r)? },
            18 => Self::Replace { link: LinkId::decode(r)?, old: Contact::decode(r)?, initiator: PeerId::decode(r)? },
            19 => Self::Keep { link: LinkId::decode(r)? },
            20 => Self::Switch { link: LinkId::decode(r)?, initiator: PeerId::decode(r)? },
            21 => Self::Probe { nonce: read_nonce(r)? },
            22 => Self::Echo { nonce: read_nonce(r)? },
            23 => Self::Visit { link: LinkId::decode(r)?, mark: r.dot()? },
            _ => {
                return Err(DecodeError::BadTag { what: "membership message", tag: tag.into(), at });
            }
        })
    }
}

fn read_nonce(r: &mut Reader<'_>) -> Result<u32, DecodeError> {
    let at = r.at();
    let nonce = r.varint("nonce")?;
    u32::try_from(nonce).map_err(|_| DecodeError::TooLong { what: "nonce", len: nonce, at })
}

fn read_peers(r: &mut Reader<'_>) -> Result<Vec<Contact>, DecodeError> {
    let at = r.at();
    let len = r.len("peers")?;
    if len > MAX_PEERS {
        return Err(DecodeError::TooLong { what: "peers", len: len as u64, at });
    }
    (0..len).map(|_| Contact::decode(r)).collect()
}

fn write_peers(peers: &[Contact], w: &mut Writer<'_>) {
    let peers = &peers[..peers.len().min(MAX_PEERS)];
    w.len(peers.len());
    for peer in peers {
        peer.encode(w);
    }
}

impl Encode for LinkId {
    fn encode(&self, w: &mut Writer<'_>) {
        w.varint(self.0);
    }
}

impl Decode for LinkId {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.varint("link id").map(Self)
    }
}

impl Encode for Message {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.tag());
        match self {
            Self::Join { link }
            | Self::Request { link, .. }
            | Self::Reject { link }
            | Self::Disconnect { link, .. }
            | Self::Keep { link }
            | Self::Ping { link }
            | Self::Pong { link, .. } => link.encode(w),
            Self::Accept { link, peers } => {
                link.encode(w);
                write_peers(peers, w);
            }
            Self::ForwardJoin { ttl, peer } | Self::Shuffle { ttl, origin: peer } => {
                w.u8(*ttl);
                peer.encode(w);
            }
            Self::Exchange { peers, .. } => write_peers(peers, w),
            Self::Optimise { link, old } => {
                link.encode(w);
                old.encode(w);
            }
            Self::Replace { link, old, initiator } => {
                link.encode(w);
                old.encode(w);
                initiator.encode(w);
            }
            Self::Switch { link, initiator } => {
                link.encode(w);
                initiator.encode(w);
            }
            Self::Probe { nonce } | Self::Echo { nonce } => w.varint((*nonce).into()),
            Self::Visit { link, mark } => {
                link.encode(w);
                w.dot(*mark);
            }
            Self::Tag { tag } => tag.encode(w),
            Self::Seek { ttl, tag, origin } => {
                w.u8(*ttl);
                tag.encode(w);
                origin.encode(w);
            }
        }
    }
}

tagged_message!(Message);
