//! What servers and clients say to each other, and its encoding.

use super::config::Role;
use crate::membership::coding::tagged_message;
use crate::membership::{Hail, full};
use crate::peer::Contact;
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};

/// Most clients of one server.
pub const MAX_CLIENTS: usize = 256;

/// Most servers in one message.
pub const MAX_SERVERS: usize = 64;

/// A client in one of its stays: how often it has come back in its life.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Client {
    /// Who.
    pub contact: Contact,
    /// Which stay.
    pub stay: u64,
}

/// A message between two peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Between servers: of the full membership that they form.
    Mesh(full::Message),
    /// Let us be neighbours; or how far the sender is with that.
    Hello {
        /// What the sender is.
        role: Role,
        /// Which stay of it.
        stay: u64,
        /// How far the sender is.
        hail: Hail,
    },
    /// Is the receiver there?
    Ping,
    /// It is.
    Pong,
    /// The sender does not want the link any more.
    Bye,
    /// To a client: there is no room for it.
    Full,
    /// To a client: all servers known.
    Servers(Vec<Contact>),
    /// Between servers: how the sender's clients stand.
    Roster {
        /// Which of its lists of clients is the last.
        version: u64,
    },
    /// Between servers: tell me your clients.
    Ask,
    /// Between servers: the sender's clients.
    Clients {
        /// Which of its lists this is.
        version: u64,
        /// All of them.
        clients: Vec<Client>,
    },
    /// Between servers: an operator has evicted a client.
    Expel(Client),
    /// To a client: an operator has evicted it.
    Evicted,
}

/// The first of the tags that this strategy owns.
const FIRST_TAG: u8 = 96;

impl Message {
    /// Reads the rest of a message whose tag, found at byte `at`, has been read.
    pub(in crate::membership) fn decode_after(tag: u8, at: usize, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match tag.wrapping_sub(FIRST_TAG) {
            0 => Self::Mesh(full::Message::decode(r)?),
            kind @ 1..=6 => Self::Hello {
                role: if kind <= 3 { Role::Server } else { Role::Client },
                stay: r.varint("stay")?,
                hail: Hail::ALL[usize::from(kind - 1) % 3],
            },
            7 => Self::Ping,
            8 => Self::Pong,
            9 => Self::Bye,
            10 => Self::Full,
            11 => Self::Servers(read_list(r, "servers", MAX_SERVERS)?),
            12 => Self::Roster { version: r.varint("version")? },
            13 => Self::Ask,
            14 => Self::Clients { version: r.varint("version")?, clients: read_list(r, "clients", MAX_CLIENTS)? },
            15 => Self::Expel(Client::decode(r)?),
            16 => Self::Evicted,
            _ => return Err(DecodeError::BadTag { what: "membership message", tag: tag.into(), at }),
        })
    }

    const fn tag(&self) -> u8 {
        FIRST_TAG
            + match self {
                Self::Mesh(_) => 0,
                Self::Hello { role: Role::Server, hail, .. } => 1 + *hail as u8,
                Self::Hello { role: Role::Client, hail, .. } => 4 + *hail as u8,
                Self::Ping => 7,
                Self::Pong => 8,
                Self::Bye => 9,
                Self::Full => 10,
                Self::Servers(_) => 11,
                Self::Roster { .. } => 12,
                Self::Ask => 13,
                Self::Clients { .. } => 14,
                Self::Expel(_) => 15,
                Self::Evicted => 16,
            }
    }
}

fn read_list<T: Decode>(r: &mut Reader<'_>, what: &'static str, most: usize) -> Result<Vec<T>, DecodeError> {
    let at = r.at();
    let len = r.len(what)?;
    if len > most {
        return Err(DecodeError::TooLong { what, len: len as u64, at });
    }
    (0..len).map(|_| T::decode(r)).collect()
}

fn write_list<T: Encode>(items: &[T], most: usize, w: &mut Writer<'_>) {
    let items = &items[..items.len().min(most)];
    w.len(items.len());
    items.iter().for_each(|item| item.encode(w));
}

impl Encode for Message {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.tag());
        match self {
            Self::Mesh(message) => message.encode(w),
            Self::Hello { stay, .. } => w.varint(*stay),
            Self::Servers(servers) => write_list(servers, MAX_SERVERS, w),
            Self::Roster { version } => w.varint(*version),
            Self::Clients { version, clients } => {
                w.varint(*version);
                write_list(clients, MAX_CLIENTS, w);
            }
            Self::Expel(client) => client.encode(w),
            Self::Ping | Self::Pong | Self::Bye | Self::Full | Self::Ask | Self::Evicted => {}
        }
    }
}

impl Encode for Client {
    fn encode(&self, w: &mut Writer<'_>) {
        self.contact.encode(w);
        w.varint(self.stay);
    }
}

impl Decode for Client {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { contact: Contact::decode(r)?, stay: r.varint("stay")? })
    }
}

tagged_message!(Message);
