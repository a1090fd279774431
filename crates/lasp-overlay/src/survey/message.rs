//! What peers say to each other in a survey, and its encoding.

use crate::peer::{Contact, PeerId};
use crate::unicast::Stamp;
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use std::sync::Arc;

/// Most neighbours, and most others, that one part names; how many there are it says besides.
pub const MAX_PEERS: usize = 64;

/// Most parts in one message.
pub const MAX_RECORDS: usize = 64;

/// Longest name or role, in bytes.
pub const MAX_TEXT: usize = 64;

/// Names a survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SurveyId {
    /// Who asks.
    pub origin: PeerId,
    /// When it did, on its own count.
    pub stamp: Stamp,
}

/// A question to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Of which survey.
    pub id: SurveyId,
    /// How many links it has crossed.
    pub hops: u8,
    /// Whether peers known besides the neighbours are asked for, too.
    pub wide: bool,
}

/// A neighbour, as a peer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbor {
    /// Who.
    pub id: PeerId,
    /// Whether broadcasts go to it along the link; else they are announced only.
    pub eager: bool,
}

/// What one peer says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Who it is.
    pub contact: Contact,
    /// What its owner calls it, at most [`MAX_TEXT`] bytes; may be empty.
    pub name: Arc<str>,
    /// What it is among peers: a role, a tag; may be empty.
    pub role: Arc<str>,
    /// A number of its owner's, opaque here: equal for peers in equal states.
    pub mark: u64,
    /// How many neighbours it has.
    pub degree: u64,
    /// The first [`MAX_PEERS`] of them.
    pub neighbors: Vec<Neighbor>,
    /// How many others it knows.
    pub known: u64,
    /// The first [`MAX_PEERS`] of those, if they were asked for.
    pub others: Vec<PeerId>,
}

/// A message between neighbours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Who is there?
    Ask(Ask),
    /// These, on their way to who asked.
    Tell {
        /// Of which survey.
        id: SurveyId,
        /// At most [`MAX_RECORDS`] parts.
        records: Vec<Record>,
    },
}

/// A text, cut to what a part may carry.
pub fn limited(text: &str) -> Arc<str> {
    let end = (0..=text.len().min(MAX_TEXT)).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    text[..end].into()
}

impl Encode for SurveyId {
    fn encode(&self, w: &mut Writer<'_>) {
        self.origin.encode(w);
        self.stamp.encode(w);
    }
}

impl Decode for SurveyId {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { origin: PeerId::decode(r)?, stamp: Stamp::decode(r)? })
    }
}

impl Encode for Record {
    fn encode(&self, w: &mut Writer<'_>) {
        self.contact.encode(w);
        w.text(&self.name);
        w.text(&self.role);
        w.fixed_u64(self.mark);
        w.varint(self.degree);
        w.len(self.neighbors.len());
        for neighbor in &self.neighbors {
            neighbor.id.encode(w);
            w.u8(u8::from(neighbor.eager));
        }
        w.varint(self.known);
        w.len(self.others.len());
        self.others.iter().for_each(|peer| peer.encode(w));
    }
}

impl Decode for Record {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let contact = Contact::decode(r)?;
        let (name, role) = (short(r, "name")?, short(r, "role")?);
        let mark = r.fixed_u64("mark")?;
        let degree = r.varint("degree")?;
        let neighbors = list(r, "neighbours", MAX_PEERS, neighbor)?;
        let known = r.varint("known")?;
        let others = list(r, "others", MAX_PEERS, PeerId::decode)?;
        Ok(Self { contact, name, role, mark, degree, neighbors, known, others })
    }
}

fn neighbor(r: &mut Reader<'_>) -> Result<Neighbor, DecodeError> {
    let id = PeerId::decode(r)?;
    Ok(Neighbor { id, eager: truth(r, "neighbour")? })
}

fn truth(r: &mut Reader<'_>, what: &'static str) -> Result<bool, DecodeError> {
    let at = r.at();
    match r.u8(what)? {
        0 => Ok(false),
        1 => Ok(true),
        tag => Err(DecodeError::BadTag { what, tag: tag.into(), at }),
    }
}

fn short(r: &mut Reader<'_>, what: &'static str) -> Result<Arc<str>, DecodeError> {
    let at = r.at();
    let text = r.text(what)?;
    if text.len() > MAX_TEXT {
        return Err(DecodeError::TooLong { what, len: text.len() as u64, at });
    }
    Ok(text.into())
}

fn list<T>(
    r: &mut Reader<'_>,
    what: &'static str,
    limit: usize,
    read: fn(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let at = r.at();
    let len = r.len(what)?;
    if len > limit {
        return Err(DecodeError::TooLong { what, len: len as u64, at });
    }
    (0..len).map(|_| read(r)).collect()
}

const ASK: u8 = 0;
const TELL: u8 = 1;

impl Encode for Message {
    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::Ask(ask) => {
                w.u8(ASK);
                ask.id.encode(w);
                w.u8(ask.hops);
                w.u8(u8::from(ask.wide));
            }
            Self::Tell { id, records } => {
                w.u8(TELL);
                id.encode(w);
                w.len(records.len());
                records.iter().for_each(|record| record.encode(w));
            }
        }
    }
}

impl Decode for Message {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        match r.u8("survey")? {
            ASK => {
                let id = SurveyId::decode(r)?;
                let hops = r.u8("hops")?;
                Ok(Self::Ask(Ask { id, hops, wide: truth(r, "width of a survey")? }))
            }
            TELL => {
                let id = SurveyId::decode(r)?;
                Ok(Self::Tell { id, records: list(r, "parts of a survey", MAX_RECORDS, Record::decode)? })
            }
            tag => Err(DecodeError::BadTag { what: "survey", tag: tag.into(), at }),
        }
    }
}
