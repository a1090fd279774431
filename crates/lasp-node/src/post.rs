//! Letters: what a node sends to one other, and what it passes on for others. Searches go along the broadcast tree.

use crate::command::{Reply, RequestError, RequestId};
use crate::letter::Letter;
use crate::node::{Node, Timer};
use crate::open::reply;
use crate::session;
use crate::wire::{Control, Item};
use lasp_crdt::codec::to_bytes;
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use lasp_overlay::membership::Membership;
use lasp_overlay::unicast::{self, Search, Unicast};
use lasp_overlay::{Contact, Input, Outbox, Output, PeerId, Protocol, Time};
use std::collections::{BTreeMap, VecDeque};

/// The letters of one node.
#[derive(Debug)]
pub(crate) struct Post {
    machine: Unicast<Mail>,
    /// To whom the letters go that are not yet acknowledged.
    receivers: BTreeMap<RequestId, PeerId>,
    /// Letters to this node that its owner has not taken.
    inbox: VecDeque<(PeerId, Letter)>,
    /// Who waits for letters.
    readers: VecDeque<RequestId>,
    /// Questions for sessions under way, by what the machine calls them; and how many have been sent.
    questions: BTreeMap<u64, u64>,
    sent: u64,
}

/// What travels to single nodes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mail {
    /// A letter of an application.
    Letter(Letter),
    /// What nodes say to each other about sessions.
    Session(Box<session::Message>),
}

impl unicast::Payload for Mail {
    fn weight(&self) -> usize {
        match self {
            Self::Letter(letter) => letter.weight(),
            Self::Session(message) => to_bytes(&**message).len(),
        }
    }
}

impl Encode for Mail {
    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::Letter(letter) => {
                w.u8(0);
                letter.encode(w);
            }
            Self::Session(message) => {
                w.u8(1);
                message.encode(w);
            }
        }
    }
}

impl Decode for Mail {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        match r.u8("mail")? {
            0 => Letter::decode(r).map(Self::Letter),
            1 => session::Message::decode(r).map(Box::new).map(Self::Session),
            tag => Err(DecodeError::BadTag { what: "mail", tag: tag.into(), at }),
        }
    }
}

/// Most letters that wait for this node's owner. Those beyond it are not acknowledged: to their senders this node is slow. A
/// guess.
const MAX_INBOX: usize = 256;

impl Post {
    pub(crate) fn new(config: unicast::Config, me: &Contact) -> Self {
        Self {
            machine: Unicast::new(config, me.id, me.incarnation),
            receivers: BTreeMap::new(),
            inbox: VecDeque::new(),
            readers: VecDeque::new(),
            questions: BTreeMap::new(),
            sent: 0,
        }
    }

    /// What the machine is to call a question or answer of sessions: counted down from the end, requests are counted up.
    pub(crate) fn token_for(&mut self, question: Option<u64>) -> u64 {
        self.sent += 1;
        let token = u64::MAX - self.sent;
        if let Some(question) = question {
            self.questions.insert(token, question);
        }
        token
    }

    pub(crate) const fn metrics(&self) -> &unicast::Metrics {
        self.machine.metrics()
    }
}

impl Node {
    /// Sends a letter; the reply comes when it has been acknowledged or given up.
    pub(crate) fn send_letter(&mut self, now: Time, id: RequestId, to: PeerId, letter: Letter, out: &mut Outbox<Self>) {
        if to == self.contact().id && self.post.inbox.len() >= MAX_INBOX {
            return reply(id, Err(RequestError::Undelivered { to, reason: unicast::Failure::Busy }), out);
        }
        self.post.receivers.insert(id, to);
        let command = unicast::Command::Send { token: id.0, to, payload: Mail::Letter(letter) };
        self.feed_unicast(now, Input::Command(command), out);
    }

    /// The oldest letter; if there is none, the reply comes with the next one.
    pub(crate) fn receive_letter(&mut self, id: RequestId) -> Option<Reply> {
        let oldest = self.post.inbox.pop_front();
        if oldest.is_none() {
            self.post.readers.push_back(id);
        }
        oldest.map(|(from, letter)| Reply::Letter { from, letter })
    }

    fn arrived(&mut self, from: PeerId, letter: Letter, out: &mut Outbox<Self>) {
        if letter.0.is_empty() {
            return;
        }
        match self.post.readers.pop_front() {
            Some(id) => reply(id, Ok(Reply::Letter { from, letter }), out),
            None => self.post.inbox.push_back((from, letter)),
        }
    }

    /// A message of another node about letters. A letter to this node for which there is no room is as if it had not come.
    pub(crate) fn on_letter(
        &mut self,
        now: Time,
        from: PeerId,
        message: unicast::Message<Mail>,
        out: &mut Outbox<Self>,
    ) {
        let full = self.post.inbox.len() >= MAX_INBOX;
        let is_ours = |walk: &unicast::Walk| walk.target == self.contact().id;
        if full && matches!(&message, unicast::Message::Carry { walk, payload: Mail::Letter(_), .. } if is_ours(walk)) {
            self.metrics.dropped += 1;
            return;
        }
        self.feed_unicast(now, Input::Received { from, message }, out);
    }

    /// The owner no longer waits for a letter, to arrive elsewhere or here.
    pub(crate) fn forget_letter(&mut self, now: Time, id: RequestId, out: &mut Outbox<Self>) {
        self.post.readers.retain(|reader| *reader != id);
        if self.post.receivers.remove(&id).is_some() {
            self.feed_unicast(now, Input::Command(unicast::Command::Forget(id.0)), out);
        }
    }

    pub(crate) fn feed_unicast(&mut self, now: Time, input: Input<Unicast<Mail>>, out: &mut Outbox<Self>) {
        let mut effects = Outbox::new();
        self.post.machine.handle(now, input, &mut effects);
        for effect in effects.drain() {
            match effect {
                Output::Send { to, message } => self.push(to, Item::Control(Control::Unicast(message))),
                Output::SetTimer { after, timer } => out.set_timer(after, Timer::Unicast(timer)),
                Output::Emit(event) => self.on_post(now, event, out),
                // Links are the membership layer's: this layer asks for none.
                Output::Dial(_) | Output::Link(_) | Output::Close(_) => {}
            }
        }
    }

    fn on_post(&mut self, now: Time, event: unicast::Event<Mail>, out: &mut Outbox<Self>) {
        match event {
            unicast::Event::Arrived { from, payload: Mail::Letter(letter) } => self.arrived(from, letter, out),
            unicast::Event::Arrived { from, payload: Mail::Session(message) } => {
                self.on_session(now, from, *message, out);
            }
            unicast::Event::Delivered { token, hops, after } => {
                let id = RequestId(token);
                self.post.questions.remove(&token);
                if self.post.receivers.remove(&id).is_some() {
                    reply(id, Ok(Reply::Delivered { hops, after }), out);
                }
            }
            unicast::Event::Failed { token, reason } => {
                if let Some(question) = self.post.questions.remove(&token) {
                    self.sessions.unheard(question);
                }
                let id = RequestId(token);
                if let Some(to) = self.post.receivers.remove(&id) {
                    reply(id, Err(RequestError::Undelivered { to, reason }), out);
                }
            }
            unicast::Event::Spread { search, except } => self.spread_search(search, except),
        }
    }

    fn spread_search(&mut self, search: Search, except: Option<PeerId>) {
        let others: Vec<PeerId> = if search.wide {
            self.membership().active().iter().map(|contact| contact.id).collect()
        } else {
            self.broadcast().eager().collect()
        };
        for peer in others.into_iter().filter(|&peer| Some(peer) != except) {
            self.push(peer, Item::Control(Control::Unicast(unicast::Message::Search(search))));
        }
    }
}
