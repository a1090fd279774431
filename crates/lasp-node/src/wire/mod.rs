//! Frames: what two nodes say to each other on one link, compact to write and safe to read.
//!
//! ```text
//! frame    = flags [ack-replicas ack-symbols] item*
//! item     = tag body
//! ```
//!
//! Flags: 1 = an acknowledgement of definitions follows, 2 = the sender could not resolve a reference: define
//! everything again. Items are read until the frame ends; an error anywhere refuses the whole frame. See
//! [`intern`] for the short references.

pub(crate) mod intern;
mod load;
mod ranks;
mod rice;

pub(crate) use load::Load;

use crate::assured;
use crate::causal;
use crate::frame::{Frame, MAX_FRAME};
use crate::handover::Handed;
use crate::key::Key;
use crate::metrics::{CLASSES, Class};
use crate::payload::{Batch, Laden, Payload, decode_entry, encode_entry};
use crate::post::Mail;
use crate::routes;
use crate::sync;
use intern::{Known, Tables};
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use lasp_dataflow::State;
use lasp_overlay::broadcast::{self, Ids};
use lasp_overlay::{membership, survey, unicast};
use std::cell::Cell;

const ACK: u8 = 1;
const LOST: u8 = 2;

const MEMBERSHIP: u8 = 0;
const BROADCAST: u8 = 1;
const SYNC: u8 = 2;
const DATA: u8 = 3;
const RELAY: u8 = 4;
const UNICAST: u8 = 5;
const GROUP: u8 = 6;
const ACKNOWLEDGED: u8 = 7;
const SURVEY: u8 = 8;
const ASSURED: u8 = 9;
const CAUSAL: u8 = 10;
const INTERESTS: u8 = 11;
const HANDED: u8 = 12;
const TAKEN: u8 = 13;

/// What is said to keep overlay and stores in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Control {
    /// Of the membership layer.
    Membership(membership::AnyMessage),
    /// Of the broadcast layer: all but payloads.
    Broadcast(broadcast::Message<Payload>),
    /// Of anti-entropy.
    Sync(sync::Message),
    /// What is wanted at the sender and beyond it.
    Interests(routes::Message),
    /// Deltas that their node does not hear, in search of one that keeps them.
    Handed(Handed),
    /// They have found one.
    Taken(u64),
    /// To one node, or in search of it.
    Unicast(unicast::Message<Mail>),
    /// What the overlay looks like.
    Survey(survey::Message),
    /// A group of deltas has come.
    Acknowledged(u64),
    /// An update that others are to hold.
    Assured(assured::Message),
    /// Of causal groups.
    Causal(causal::Message),
}

/// One thing said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    /// Of one of the layers.
    Control(Control),
    /// Of the broadcast layer: a payload and its ids.
    Gossip {
        /// The messages it carries.
        ids: Ids,
        /// Hops so far.
        round: u16,
        /// What they say, merged.
        payload: Payload,
    },
    /// Deltas of broadcasts too large for one frame: to be passed on along the tree.
    Relay(Batch),
    /// Deltas that anti-entropy found missing.
    Data(Batch),
    /// What grew since the last exchange, to be acknowledged by its number.
    Group {
        /// Names it on this link.
        number: u64,
        /// The deltas.
        batch: Batch,
    },
}

/// A frame as read.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Parsed {
    /// What the peer says it knows of this side's tables.
    pub(crate) known: Option<Known>,
    /// The peer could not resolve a reference.
    pub(crate) lost: bool,
    /// What it says, in order.
    pub(crate) items: Vec<Item>,
    /// What of each of them is deltas.
    pub(crate) loads: Vec<Load>,
}

/// Reads a frame; the link's tables learn its definitions.
///
/// # Errors
/// [`DecodeError`]: nothing of the frame is to be believed but the definitions before the error.
pub(crate) fn parse(bytes: &[u8], tables: &mut Tables) -> Result<Parsed, DecodeError> {
    let mut r = Reader::new(bytes, tables);
    let flags = r.u8("frame")?;
    if flags > (ACK | LOST) {
        return Err(DecodeError::BadTag { what: "frame flags", tag: flags.into(), at: 0 });
    }
    let mut parsed = Parsed { lost: flags & LOST != 0, ..Parsed::default() };
    if flags & ACK != 0 {
        parsed.known = Some(Known { replicas: r.varint("known")?, symbols: r.varint("known")? });
    }
    while r.remaining() > 0 {
        let from = r.at();
        let item = parse_item(&mut r)?;
        let load = Load::of(&item, r.at() - from);
        match (parsed.items.last_mut(), parsed.loads.last_mut(), item) {
            // What was found missing is merged as one.
            (Some(Item::Data(batch)), Some(loaded), Item::Data(more)) => {
                batch.join(more);
                loaded.join(load);
            }
            (_, _, item) => {
                parsed.items.push(item);
                parsed.loads.push(load);
            }
        }
    }
    Ok(parsed)
}

fn parse_item(r: &mut Reader<'_>) -> Result<Item, DecodeError> {
    let at = r.at();
    match r.u8("item")? {
        MEMBERSHIP => membership::AnyMessage::decode(r).map(Control::Membership).map(Item::Control),
        BROADCAST => broadcast::Message::decode(r).map(Item::from),
        SYNC => sync::Message::decode(r).map(Control::Sync).map(Item::Control),
        HANDED => Handed::decode(r).map(Control::Handed).map(Item::Control),
        TAKEN => r.varint("handed").map(Control::Taken).map(Item::Control),
        INTERESTS => routes::Message::decode(r).map(Control::Interests).map(Item::Control),
        UNICAST => unicast::Message::decode(r).map(Control::Unicast).map(Item::Control),
        SURVEY => survey::Message::decode(r).map(Control::Survey).map(Item::Control),
        GROUP => Ok(Item::Group { number: r.varint("group")?, batch: Batch::decode(r)? }),
        ASSURED => assured::Message::decode(r).map(Control::Assured).map(Item::Control),
        CAUSAL => causal::Message::decode(r).map(Control::Causal).map(Item::Control),
        ACKNOWLEDGED => r.varint("group").map(Control::Acknowledged).map(Item::Control),
        DATA => decode_entry(r).map(|(key, delta)| Item::Data(Batch::single(key, delta))),
        RELAY => decode_entry(r).map(|(key, delta)| Item::Relay(Batch::single(key, delta))),
        tag => Err(DecodeError::BadTag { what: "item", tag: tag.into(), at }),
    }
}

/// Payloads are told from control.
impl From<broadcast::Message<Payload>> for Item {
    fn from(message: broadcast::Message<Payload>) -> Self {
        match message {
            broadcast::Message::Gossip { ids, round, payload } => Self::Gossip { ids, round, payload },
            control => Self::Control(Control::Broadcast(control)),
        }
    }
}

/// A number in as few bytes as it needs.
struct Varint(u64);

impl Encode for Varint {
    fn encode(&self, w: &mut Writer<'_>) {
        w.varint(self.0);
    }
}

/// All of a message but its deltas.
struct Head<'a, M>(&'a M);

impl<M: Laden> Encode for Head<'_, M> {
    fn encode(&self, w: &mut Writer<'_>) {
        self.0.encode_head(w);
    }
}

/// A batch that notes how many bytes it took.
struct Measured<'a> {
    batch: &'a Batch,
    bytes: &'a Cell<usize>,
}

impl Encode for Measured<'_> {
    fn encode(&self, w: &mut Writer<'_>) {
        let from = w.position();
        self.batch.encode(w);
        self.bytes.set(w.position() - from);
    }
}

/// A point in a frame being written.
#[derive(Debug)]
pub(crate) struct Mark {
    len: usize,
    tally: Tally,
}

/// What a frame carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Bytes by class.
    pub(crate) by_class: [u64; CLASSES],
    /// Entries of the deltas in it.
    pub(crate) entries: u64,
}

/// A frame being written.
#[derive(Debug)]
pub(crate) struct Builder<'a> {
    bytes: Vec<u8>,
    tables: &'a mut Tables,
    tally: Tally,
}

impl<'a> Builder<'a> {
    /// Starts a frame: flags, and the acknowledgement that is owed.
    pub(crate) fn new(tables: &'a mut Tables, lost: bool) -> Self {
        let mut bytes = Vec::with_capacity(64);
        let owed = tables.take_owed();
        bytes.push((u8::from(owed.is_some()) * ACK) | (u8::from(lost) * LOST));
        let mut this = Self { bytes, tables, tally: Tally::default() };
        if let Some(known) = owed {
            let mut w = this.writer();
            w.varint(known.replicas);
            w.varint(known.symbols);
        }
        this
    }

    fn writer(&mut self) -> Writer<'_> {
        Writer::new(&mut self.bytes, self.tables)
    }

    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    fn count(&mut self, class: Class, from: usize) {
        self.tally.by_class[class as usize] += (self.bytes.len() - from) as u64;
    }

    fn put(&mut self, class: Class, tag: u8, body: &impl Encode) {
        let from = self.len();
        let mut w = self.writer();
        w.u8(tag);
        body.encode(&mut w);
        self.count(class, from);
    }

    /// Appends a message of one of the layers.
    pub(crate) fn control(&mut self, message: &Control) {
        match message {
            Control::Membership(message) => self.put(Class::Membership, MEMBERSHIP, message),
            Control::Broadcast(message) => self.put(Class::Broadcast, BROADCAST, message),
            Control::Sync(message) => self.put(Class::Sync, SYNC, message),
            Control::Handed(handed) => {
                self.put(Class::State, HANDED, handed);
                self.count_entries(&handed.batch);
            }
            Control::Taken(number) => self.put(Class::Sync, TAKEN, &Varint(*number)),
            Control::Interests(message) => self.put(Class::Sync, INTERESTS, message),
            Control::Unicast(message) => self.put(Class::Unicast, UNICAST, message),
            Control::Survey(message) => self.put(Class::Membership, SURVEY, message),
            Control::Acknowledged(number) => self.put(Class::Sync, ACKNOWLEDGED, &Varint(*number)),
            Control::Assured(message) => self.laden(ASSURED, message),
            Control::Causal(message) => self.laden(CAUSAL, message),
        }
    }

    /// Appends a message that may carry deltas: they count as state, the rest as overhead.
    fn laden(&mut self, tag: u8, message: &impl Laden) {
        self.put(Class::Sync, tag, &Head(message));
        if let Some(batch) = message.batch() {
            self.batch(batch);
        }
    }

    /// Appends a payload with its ids: the ids count as overhead, the payload as state.
    pub(crate) fn gossip(&mut self, ids: Ids, round: u16, batch: &Batch) {
        let bytes = Cell::new(0);
        let payload = Measured { batch, bytes: &bytes };
        self.put(Class::Broadcast, BROADCAST, &broadcast::Message::Gossip { ids, round, payload });
        // What is empty says only that nothing is left for this part of the tree.
        let state = if batch.is_empty() { 0 } else { bytes.get() as u64 };
        self.tally.by_class[Class::Broadcast as usize] -= state;
        self.tally.by_class[Class::State as usize] += state;
        self.count_entries(batch);
    }

    /// Appends a group of deltas: its number counts as overhead, the deltas as state.
    pub(crate) fn group(&mut self, number: u64, batch: &Batch) {
        self.put(Class::Sync, GROUP, &Varint(number));
        self.batch(batch);
    }

    fn batch(&mut self, batch: &Batch) {
        let from = self.len();
        batch.encode(&mut self.writer());
        self.count(Class::State, from);
        self.count_entries(batch);
    }

    fn count_entries(&mut self, batch: &Batch) {
        self.tally.entries += batch.entries() as u64;
    }

    /// Appends a delta that anti-entropy found missing.
    pub(crate) fn data(&mut self, key: &Key, delta: &State) {
        self.entry(DATA, key, delta);
    }

    /// Appends a delta to be passed on.
    pub(crate) fn relay(&mut self, key: &Key, delta: &State) {
        self.entry(RELAY, key, delta);
    }

    fn entry(&mut self, tag: u8, key: &Key, delta: &State) {
        let from = self.len();
        let mut w = self.writer();
        w.u8(tag);
        encode_entry(key, delta, &mut w);
        self.count(Class::State, from);
        self.tally.entries += delta.entries() as u64;
    }

    /// A point to come back to.
    pub(crate) const fn mark(&self) -> Mark {
        Mark { len: self.bytes.len(), tally: self.tally }
    }

    /// How many bytes were appended since.
    pub(crate) fn grown_since(&self, mark: &Mark) -> usize {
        self.len() - mark.len
    }

    /// Takes back what was appended since. The link's tables keep the indices they gave out: they are defined when
    /// next written.
    pub(crate) fn rewind(&mut self, mark: Mark) {
        self.bytes.truncate(mark.len);
        self.tally = mark.tally;
    }

    /// The frame, and what it carries: what no item accounts for (flags, acknowledgement, length prefix) is
    /// overhead of the broadcast layer.
    pub(crate) fn finish(mut self) -> (Frame, Tally) {
        let frame = Frame::from(self.bytes);
        let attributed: u64 = self.tally.by_class.iter().sum();
        self.tally.by_class[Class::Broadcast as usize] += frame.wire_len() as u64 - attributed;
        (frame, self.tally)
    }
}

/// How many bytes one delta takes, ids in full: an upper bound of what it takes on any link.
pub(crate) fn entry_len(key: &Key, delta: &State) -> usize {
    let mut bytes = Vec::new();
    encode_entry(key, delta, &mut Writer::new(&mut bytes, &mut lasp_crdt::codec::Plain));
    bytes.len()
}

/// Deltas are cut to pieces of about this size, so that nothing small waits long behind a large one.
pub(crate) const CHUNK: usize = MAX_FRAME / 4;

/// Bytes of a frame of nothing but such pieces, about. A guess: it is sent within 15 ms over ten megabits a second.
pub(crate) const PIECE: usize = CHUNK / 4;
