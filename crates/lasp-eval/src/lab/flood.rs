//! A peer of an experiment on membership alone: the strategy under test, and the plainest broadcast over its active view.
//!
//! The broadcast is that of the HyParView paper (Leitão, Pereira, Rodrigues, DSN 2007, §4.4): a message is passed on,
//! the first time that it is heard, to every neighbour but the one that it came from; and to neighbours that come up
//! afterwards, for they stand in for some that failed to take it. Messages are numbered upwards and one is at rest
//! before the next begins, so a peer remembers a single one.
//!
//! What is periodic in the strategy can be held still: then only what messages set off happens.

use lasp_crdt::fingerprint::mix;
use lasp_overlay::membership::{Command as MembershipCommand, Event as MembershipEvent, Membership, hyparview, scamp};
use lasp_overlay::{Input, Outbox, PeerId, Protocol, Time, Wire};
use std::time::Duration;

/// Through whom nodes join, one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// Through the first node, all of them.
    First,
    /// Through any that has joined before.
    Any,
}

/// A membership strategy whose periodic work is known.
pub trait Paced: Membership {
    /// What the paper counts as one cycle.
    const CYCLE: Duration;

    /// Through whom the paper has nodes join.
    const ENTRANCE: Entrance;

    /// How long a join is left alone before the next, where a message takes 1 ms: its walks are over by then.
    const JOINING: Duration;

    /// Whether a timer is part of the periodic work.
    fn is_periodic(timer: &Self::Timer) -> bool;
}

impl Paced for hyparview::HyParView {
    /// A shuffle's interval.
    const CYCLE: Duration = Duration::from_secs(10);

    const ENTRANCE: Entrance = Entrance::First;

    const JOINING: Duration = Duration::from_millis(20);

    fn is_periodic(timer: &Self::Timer) -> bool {
        matches!(
            timer,
            hyparview::Timer::Tick { .. } | hyparview::Timer::Shuffle { .. } | hyparview::Timer::Optimise { .. }
        )
    }
}

impl Paced for scamp::Scamp {
    /// As HyParView's.
    const CYCLE: Duration = Duration::from_secs(10);

    /// The paper (§5.1) has nodes join SCAMP through random members. Through one contact in its first version they would all hold
    /// it in their views, so that walks return there: its view grows, decides how many copies are made, and all know the same few.
    const ENTRANCE: Entrance = Entrance::Any;

    /// A copy makes as many steps as views have entries, in the mean.
    const JOINING: Duration = Duration::from_millis(100);

    fn is_periodic(timer: &Self::Timer) -> bool {
        matches!(timer, scamp::Timer::Tick { .. })
    }
}

/// One peer.
pub struct Flood<M: Paced> {
    membership: M,
    /// The last message heard, and how many hops it made.
    last: (u32, u32),
    /// Periodic timers that ran out while everything periodic was held still.
    held: Option<Vec<M::Timer>>,
}

/// What is asked of a peer.
#[derive(Clone, Debug)]
pub enum Command {
    /// Of its membership strategy.
    Membership(MembershipCommand),
    /// To broadcast the message of this number.
    Broadcast(u32),
    /// To hold what is periodic still.
    Hold,
    /// To go on with it, from a random moment of a cycle.
    Resume,
}

/// What peers say to each other.
#[derive(Clone, Debug)]
pub enum Message<M> {
    /// Of the membership strategy.
    Membership(M),
    /// A broadcast.
    Gossip {
        /// Its number.
        number: u32,
        /// How many hops it made when it arrives.
        hops: u32,
    },
}

/// A peer heard a broadcast for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its number.
    pub number: u32,
    /// How many hops it made.
    pub hops: u32,
}

impl<M: Paced> Flood<M> {
    /// A peer with this strategy.
    pub const fn new(membership: M) -> Self {
        Self { membership, last: (0, 0), held: None }
    }

    /// Its strategy.
    pub const fn membership(&self) -> &M {
        &self.membership
    }

    fn inner(&mut self, now: Time, input: Input<M>, out: &mut Outbox<Self>) {
        let mut effects = Outbox::new();
        self.membership.handle(now, input, &mut effects);
        for effect in effects.drain() {
            match effect.lift(Message::Membership, |timer| timer) {
                Ok(output) => out.push(output),
                Err(MembershipEvent::Up(contact)) => self.pass_on(contact.id, out),
                // What else the strategy tells shows in its views.
                Err(_) => {}
            }
        }
    }

    fn spread(&mut self, from: Option<PeerId>, number: u32, hops: u32, out: &mut Outbox<Self>) {
        if number <= self.last.0 {
            return;
        }
        self.last = (number, hops);
        out.emit(Heard { number, hops });
        self.membership.each_active(&mut |peer| {
            if Some(peer) != from {
                out.send(peer, Message::Gossip { number, hops: hops + 1 });
            }
        });
    }

    fn pass_on(&self, to: PeerId, out: &mut Outbox<Self>) {
        let (number, hops) = self.last;
        if number > 0 {
            out.send(to, Message::Gossip { number, hops: hops + 1 });
        }
    }

    fn resume(&mut self, out: &mut Outbox<Self>) {
        let id = self.membership.contact().id;
        for (at, timer) in self.held.take().into_iter().flatten().enumerate() {
            let micros = mix(id.0, at as u64) % M::CYCLE.as_micros() as u64;
            out.set_timer(Duration::from_micros(micros), timer);
        }
    }
}

impl<M: Paced> Protocol for Flood<M> {
    type Command = Command;
    type Message = Message<M::Message>;
    type Timer = M::Timer;
    type Event = Heard;

    fn handle(&mut self, now: Time, input: Input<Self>, out: &mut Outbox<Self>) {
        let input = match input {
            Input::Command(Command::Broadcast(number)) => return self.spread(None, number, 0, out),
            Input::Command(Command::Hold) => {
                self.held.get_or_insert_default();
                return;
            }
            Input::Command(Command::Resume) => return self.resume(out),
            Input::Received { from, message: Message::Gossip { number, hops } } => {
                self.membership.heard(now, from);
                return self.spread(Some(from), number, hops, out);
            }
            Input::Expired(timer) => {
                if let Some(held) = self.held.as_mut().filter(|_| M::is_periodic(&timer)) {
                    return held.push(timer);
                }
                Input::Expired(timer)
            }
            Input::Start => Input::Start,
            Input::Command(Command::Membership(command)) => Input::Command(command),
            Input::Received { from, message: Message::Membership(message) } => Input::Received { from, message },
            Input::LinkUp { peer, dialed } => Input::LinkUp { peer, dialed },
            Input::DialFailed(addr) => Input::DialFailed(addr),
            Input::LinkDown(peer) => Input::LinkDown(peer),
            Input::Drained { .. } => return,
        };
        self.inner(now, input, out);
    }
}

impl<M: Wire> Wire for Message<M> {
    fn size(&self) -> usize {
        match self {
            Self::Membership(message) => message.size(),
            Self::Gossip { .. } => 8,
        }
    }

    fn digest(&self) -> u64 {
        match self {
            Self::Membership(message) => message.digest(),
            Self::Gossip { number, hops } => mix(u64::from(*number), u64::from(*hops)),
        }
    }

    fn measure(&self) -> (usize, u64) {
        match self {
            Self::Membership(message) => message.measure(),
            Self::Gossip { .. } => (self.size(), self.digest()),
        }
    }
}

impl<M: Paced + Clone> Clone for Flood<M>
where
    M::Timer: Clone,
{
    fn clone(&self) -> Self {
        Self { membership: self.membership.clone(), last: self.last, held: self.held.clone() }
    }
}

impl<M: Paced> std::fmt::Debug for Flood<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flood").field("last", &self.last.0).field("held", &self.held.is_some()).finish_non_exhaustive()
    }
}
