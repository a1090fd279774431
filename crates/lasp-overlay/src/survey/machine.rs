//! The state machine of surveys: asking, passing on, answering. Knows no clock, no links but its neighbours, and nothing of
//! itself: what it says, its owner writes.

use super::config::Config;
use super::message::{Ask, MAX_RECORDS, Message, Record, SurveyId};
use crate::peer::PeerId;
use crate::protocol::{Input, Outbox, Protocol};
use crate::quota::Quota;
use crate::time::Time;
use crate::unicast::Stamp;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What the owner asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A peer has become a neighbour.
    NeighborUp(PeerId),
    /// It is none any more.
    NeighborDown(PeerId),
    /// Asks everybody. Ends in one [`Event::Done`] with this token.
    Begin {
        /// Names the request.
        token: u64,
        /// Whether peers known besides the neighbours are asked for, too.
        wide: bool,
    },
    /// Nobody wants to know any more.
    Forget(u64),
    /// What this peer says of itself: follows each [`Event::Describe`].
    Describe(SurveyId, Box<Record>),
}

/// What the owner is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody asks what this peer is like.
    Describe {
        /// In which survey.
        id: SurveyId,
        /// Whether peers known besides the neighbours are asked for, too.
        wide: bool,
    },
    /// A survey is done.
    Done {
        /// The request.
        token: u64,
        /// What peers say of themselves, ascending by id: this one among them. Of none where too many surveys run.
        records: Vec<Record>,
    },
}

/// What timers are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Parts have waited long enough.
    Gather(SurveyId),
    /// Has anything come of the own survey of this serial?
    Quiet(u64),
}

/// The surveys of one peer.
#[derive(Debug)]
pub struct Survey {
    config: Config,
    me: PeerId,
    life: u64,
    serial: u64,
    neighbors: BTreeMap<PeerId, Quota>,
    pub(super) own: BTreeMap<u64, Own>,
    pub(super) others: BTreeMap<SurveyId, Passing>,
    /// Others' surveys, oldest first.
    pub(super) order: VecDeque<SurveyId>,
}

/// A survey of this peer.
#[derive(Debug)]
pub(super) struct Own {
    token: u64,
    pub(super) records: BTreeMap<PeerId, Record>,
    began: Time,
    last: Time,
    longest: Duration,
}

/// A survey of another.
#[derive(Debug)]
pub(super) struct Passing {
    back: PeerId,
    /// Wait to be passed on; a timer runs if there are any.
    pub(super) waiting: Vec<Record>,
    /// How many parts may still be passed on.
    left: usize,
}

impl Survey {
    /// A peer in one of its lives.
    pub const fn new(config: Config, me: PeerId, life: u64) -> Self {
        Self {
            config,
            me,
            life,
            serial: 0,
            neighbors: BTreeMap::new(),
            own: BTreeMap::new(),
            others: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    fn begin(&mut self, now: Time, token: u64, wide: bool, out: &mut Outbox<Self>) {
        if self.own.len() >= self.config.own {
            return out.emit(Event::Done { token, records: Vec::new() });
        }
        self.serial += 1;
        let id = SurveyId { origin: self.me, stamp: Stamp { life: self.life, serial: self.serial } };
        let own = Own { token, records: BTreeMap::new(), began: now, last: now, longest: Duration::ZERO };
        self.own.insert(self.serial, own);
        self.spread(Ask { id, hops: 0, wide }, None, out);
        out.emit(Event::Describe { id, wide });
        out.set_timer(self.config.quiet, Timer::Quiet(self.serial));
    }

    fn spread(&self, ask: Ask, except: Option<PeerId>, out: &mut Outbox<Self>) {
        for &peer in self.neighbors.keys().filter(|&&peer| Some(peer) != except) {
            out.send(peer, Message::Ask(Ask { hops: ask.hops + 1, ..ask }));
        }
    }

    fn on_ask(&mut self, now: Time, from: PeerId, ask: Ask, out: &mut Outbox<Self>) {
        let per_second = self.config.per_second;
        let known = ask.id.origin == self.me || self.others.contains_key(&ask.id);
        if known || !self.neighbors.get_mut(&from).is_some_and(|quota| quota.take(now, per_second)) {
            return;
        }
        if self.order.len() >= self.config.remembered
            && let Some(oldest) = self.order.pop_front()
        {
            self.others.remove(&oldest);
        }
        self.order.push_back(ask.id);
        self.others.insert(ask.id, Passing { back: from, waiting: Vec::new(), left: self.config.parts });
        if ask.hops < self.config.max_hops {
            self.spread(ask, Some(from), out);
        }
        out.emit(Event::Describe { id: ask.id, wide: ask.wide });
    }

    fn on_tell(&mut self, now: Time, id: SurveyId, records: Vec<Record>, out: &mut Outbox<Self>) {
        if id.origin == self.me && id.stamp.life == self.life {
            return self.collect(now, id.stamp.serial, records);
        }
        let Some(passing) = self.others.get_mut(&id) else { return };
        let taken = records.len().min(passing.left);
        passing.left -= taken;
        let idle = passing.waiting.is_empty();
        passing.waiting.extend(records.into_iter().take(taken));
        while passing.waiting.len() >= MAX_RECORDS {
            let rest = passing.waiting.split_off(MAX_RECORDS);
            let records = std::mem::replace(&mut passing.waiting, rest);
            out.send(passing.back, Message::Tell { id, records });
        }
        // One that runs already will find what waits.
        if idle && !passing.waiting.is_empty() {
            out.set_timer(self.config.gather, Timer::Gather(id));
        }
    }

    fn collect(&mut self, now: Time, serial: u64, records: Vec<Record>) {
        let Some(own) = self.own.get_mut(&serial) else { return };
        for record in records {
            let room = own.records.len() < self.config.parts;
            if let Entry::Vacant(place) = own.records.entry(record.contact.id)
                && room
            {
                place.insert(record);
                own.longest = own.longest.max(now.since(own.last));
                own.last = now;
            }
        }
    }

    fn gathered(&mut self, id: SurveyId, out: &mut Outbox<Self>) {
        if let Some(passing) = self.others.get_mut(&id)
            && !passing.waiting.is_empty()
        {
            let records = std::mem::take(&mut passing.waiting);
            out.send(passing.back, Message::Tell { id, records });
        }
    }

    /// Ends a survey of which nothing has come for a while; else asks again later.
    fn is_quiet(&mut self, now: Time, serial: u64, out: &mut Outbox<Self>) {
        let Entry::Occupied(entry) = self.own.entry(serial) else { return };
        let own = entry.get();
        let pause = self.config.quiet.max(4 * own.longest);
        let end = (own.last + pause).min(own.began + self.config.patience);
        if now < end {
            return out.set_timer(end.since(now), Timer::Quiet(serial));
        }
        let Own { token, records, .. } = entry.remove();
        out.emit(Event::Done { token, records: records.into_values().collect() });
    }

    fn command(&mut self, now: Time, command: Command, out: &mut Outbox<Self>) {
        match command {
            Command::NeighborUp(peer) => {
                self.neighbors.insert(peer, Quota::new(now, self.config.per_second));
            }
            Command::NeighborDown(peer) => {
                self.neighbors.remove(&peer);
            }
            Command::Begin { token, wide } => self.begin(now, token, wide, out),
            Command::Forget(token) => self.own.retain(|_, own| own.token != token),
            Command::Describe(id, record) => self.on_tell(now, id, vec![*record], out),
        }
    }
}

impl Protocol for Survey {
    type Command = Command;
    type Message = Message;
    type Timer = Timer;
    type Event = Event;

    fn handle(&mut self, now: Time, input: Input<Self>, out: &mut Outbox<Self>) {
        match input {
            Input::Command(command) => self.command(now, command, out),
            Input::Received { from, message: Message::Ask(ask) } => self.on_ask(now, from, ask, out),
            Input::Received { message: Message::Tell { id, records }, .. } => self.on_tell(now, id, records, out),
            Input::Expired(Timer::Gather(id)) => self.gathered(id, out),
            Input::Expired(Timer::Quiet(serial)) => self.is_quiet(now, serial, out),
            // Links are the membership layer's.
            Input::Start | Input::LinkUp { .. } | Input::LinkDown(_) | Input::DialFailed(_) | Input::Drained { .. } => {
            }
        }
    }
}
