//! The handshake: who speaks, for which cluster, in which versions; and why one side says no.
//!
//! `Hello` (dialler) → `Welcome` (listener) → `Ready` (dialler). Only after `Ready` is a link up, on either side: so
//! the dialler, who now knows both identities, decides alone whether this connection is wanted. Either side may
//! answer with a [`Refusal`] instead and closes. A version range comes first in every hello and never moves, so
//! that versions which share nothing else can still refuse each other politely.

use lasp_crdt::codec::{Plain, from_bytes, to_bytes};
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use lasp_overlay::{Contact, PeerId};
use std::fmt;
use thiserror::Error;

/// The oldest version of stream and frames that this build speaks.
pub const OLDEST_VERSION: u64 = 12;

/// The newest version of stream and frames that this build speaks.
pub const NEWEST_VERSION: u64 = 12;

/// Longest cluster name in bytes.
pub const MAX_CLUSTER: usize = 64;

/// Longest text of a refusal in bytes; more is cut.
const MAX_TEXT: usize = 512;

/// What a dialler and, in a `Welcome`, a listener say of themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The cluster it belongs to.
    pub cluster: String,
    /// What its messages presuppose in common, beyond versions: its membership strategy.
    pub dialect: String,
    /// Identity, incarnation, and where it listens.
    pub contact: Contact,
    /// Names this attempt; a `Welcome` repeats it, so that it cannot be taken for the answer to another.
    pub nonce: u64,
    /// The identity and incarnation that the dialler wants to reach, if it cares.
    pub expected: Option<(PeerId, u64)>,
}

/// Why a hello could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HelloError {
    /// No version in common.
    #[error("it speaks versions {oldest} to {newest}, this node {OLDEST_VERSION} to {NEWEST_VERSION}")]
    Version {
        /// Its oldest.
        oldest: u64,
        /// Its newest.
        newest: u64,
    },
    /// Not a hello.
    #[error("malformed hello: {0}")]
    Malformed(#[from] DecodeError),
}

impl Hello {
    /// The body of a `Hello` or `Welcome`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut plain = Plain;
        let mut w = Writer::new(&mut out, &mut plain);
        w.varint(OLDEST_VERSION);
        w.varint(NEWEST_VERSION);
        w.text(&self.cluster);
        w.text(&self.dialect);
        self.contact.encode(&mut w);
        w.fixed_u64(self.nonce);
        match self.expected {
            None => w.u8(0),
            Some((id, incarnation)) => {
                w.u8(1);
                id.encode(&mut w);
                w.varint(incarnation);
            }
        }
        out
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`HelloError`]; an unknown version is told from garbage by the range in front.
    pub fn from_bytes(body: &[u8]) -> Result<Self, HelloError> {
        let mut plain = Plain;
        let mut r = Reader::new(body, &mut plain);
        let oldest = r.varint("oldest version")?;
        let newest = r.varint("newest version")?;
        if oldest > NEWEST_VERSION || newest < OLDEST_VERSION {
            return Err(HelloError::Version { oldest, newest });
        }
        let hello = Self {
            cluster: bounded_text(&mut r, "cluster name", MAX_CLUSTER)?,
            dialect: bounded_text(&mut r, "dialect", MAX_CLUSTER)?,
            contact: Contact::decode(&mut r)?,
            nonce: r.fixed_u64("nonce")?,
            expected: decode_expected(&mut r)?,
        };
        if newest == NEWEST_VERSION {
            r.finish()?; // a newer version may say more
        }
        Ok(hello)
    }
}

fn decode_expected(r: &mut Reader<'_>) -> Result<Option<(PeerId, u64)>, DecodeError> {
    let at = r.at();
    match r.u8("expected peer")? {
        0 => Ok(None),
        1 => Ok(Some((PeerId::decode(r)?, r.varint("expected incarnation")?))),
        tag => Err(DecodeError::BadTag { what: "expected peer", tag: tag.into(), at }),
    }
}

fn bounded_text(r: &mut Reader<'_>, what: &'static str, limit: usize) -> Result<String, DecodeError> {
    let at = r.at();
    let text = r.text(what)?;
    if text.len() > limit {
        return Err(DecodeError::TooLong { what, len: text.len() as u64, at });
    }
    Ok(text.to_owned())
}

/// Why a connection is not wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The stream was not Lasp's.
    NotLasp = 1,
    /// No common version.
    Version = 2,
    /// Another cluster.
    Cluster = 3,
    /// The identity belongs to another incarnation, which is alive.
    IdentityInUse = 4,
    /// There already is a link between the two.
    Duplicate = 5,
    /// The dialler expected someone else here.
    WrongPeer = 6,
    /// The dialler reached itself.
    Itself = 7,
    /// Too many handshakes at once; try later.
    Busy = 8,
    /// What came was malformed or out of turn.
    Violation = 9,
    /// No handshake within the time.
    Timeout = 10,
    /// The node is leaving.
    Leaving = 11,
    /// The right cluster, but messages that the other would not understand.
    Dialect = 12,
    /// Clients are not served, or not from there.
    Client = 13,
}

impl Reason {
    fn from_code(code: u64) -> Option<Self> {
        use Reason::*;
        const ALL: [Reason; 13] = [
            NotLasp,
            Version,
            Cluster,
            IdentityInUse,
            Duplicate,
            WrongPeer,
            Itself,
            Busy,
            Violation,
            Timeout,
            Leaving,
            Dialect,
            Client,
        ];
        ALL.into_iter().find(|reason| *reason as u64 == code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotLasp => "not a Lasp peer",
            Self::Version => "unsupported version",
            Self::Cluster => "wrong cluster",
            Self::IdentityInUse => "identity in use",
            Self::Duplicate => "already linked",
            Self::WrongPeer => "another node listens there",
            Self::Itself => "that is this node itself",
            Self::Busy => "busy",
            Self::Violation => "protocol violation",
            Self::Timeout => "handshake timed out",
            Self::Leaving => "leaving",
            Self::Dialect => "another dialect",
            Self::Client => "clients are not served",
        })
    }
}

/// A refusal, as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why, for programs.
    pub reason: Reason,
    /// Why, for people.
    pub text: String,
    /// The peer that the reason speaks of: the holder of the identity, or who is there instead.
    pub about: Option<Contact>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.text)
    }
}

impl Refusal {
    /// A refusal; overlong text is cut at a character.
    pub fn new(reason: Reason, text: impl Into<String>, about: Option<Contact>) -> Self {
        let mut text = text.into();
        text.truncate(text.floor_char_boundary(MAX_TEXT));
        Self { reason, text, about }
    }

    /// The body of a `Refuse`.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_bytes(self)
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn from_bytes(body: &[u8]) -> Result<Self, DecodeError> {
        from_bytes(body)
    }
}

impl Encode for Refusal {
    fn encode(&self, w: &mut Writer<'_>) {
        w.varint(self.reason as u64);
        w.text(&self.text);
        match &self.about {
            None => w.u8(0),
            Some(contact) => {
                w.u8(1);
                contact.encode(w);
            }
        }
    }
}

impl Decode for Refusal {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let code = r.varint("refusal")?;
        let reason = Reason::from_code(code).ok_or(DecodeError::BadTag { what: "refusal", tag: code, at })?;
        let text = bounded_text(r, "refusal", MAX_TEXT)?;
        let at = r.at();
        let about = match r.u8("refusal")? {
            0 => None,
            1 => Some(Contact::decode(r)?),
            tag => return Err(DecodeError::BadTag { what: "refusal", tag: tag.into(), at }),
        };
        Ok(Self { reason, text, about })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_overlay::Addr;
    use proptest::prelude::*;

    fn contact(id: u64) -> Contact {
        Contact { id: PeerId(id), incarnation: 7, addr: Addr::new("127.0.0.1:4100").expect("short") }
    }

    fn hello(expected: Option<(PeerId, u64)>) -> Hello {
        Hello { cluster: "shop".to_owned(), dialect: "full".to_owned(), contact: contact(1), nonce: 99, expected }
    }

    #[test]
    fn hellos_round_trip_and_their_bytes_are_stable() {
        for expected in [None, Some((PeerId(5), 300))] {
            let hello = hello(expected);
            assert_eq!(Hello::from_bytes(&hello.to_bytes()), Ok(hello));
        }
        let expected = b"\x0c\x0c\x04shop\x04full\x01\0\0\0\0\0\0\0\x07\x0e127.0.0.1:4100\x63\0\0\0\0\0\0\0\0";
        assert_eq!(hello(None).to_bytes(), expected);
    }

    #[test]
    fn another_version_is_told_from_garbage() {
        let mut body = hello(None).to_bytes();
        for (oldest, newest) in [(NEWEST_VERSION + 1, 13), (0, OLDEST_VERSION - 1)] {
            (body[0], body[1]) = (oldest as u8, newest as u8);
            assert_eq!(Hello::from_bytes(&body), Err(HelloError::Version { oldest, newest }));
        }
        assert!(matches!(Hello::from_bytes(&body[..1]), Err(HelloError::Malformed(_))));
    }

    #[test]
    fn a_newer_hello_that_says_more_is_understood_and_extra_bytes_in_ours_are_not() {
        let mut body = hello(None).to_bytes();
        body.extend_from_slice(b"more");
        assert!(matches!(Hello::from_bytes(&body), Err(HelloError::Malformed(_))));
        body[1] = NEWEST_VERSION as u8 + 1;
        assert_eq!(Hello::from_bytes(&body), Ok(hello(None)));
    }

    #[test]
    fn refusals_round_trip_and_long_texts_are_cut() {
        let refusal = Refusal::new(Reason::IdentityInUse, "é".repeat(400), Some(contact(3)));
        assert_eq!(refusal.text.len(), MAX_TEXT);
        assert_eq!(Refusal::from_bytes(&refusal.to_bytes()), Ok(refusal));
    }

    proptest! {
        #[test]
        fn random_bodies_never_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Hello::from_bytes(&body);
            let _ = Refusal::from_bytes(&body);
        }
    }
}
