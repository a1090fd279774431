//! The membership strategy as a choice made at run time.
//!
//! [`AnyMembership`] dispatches to one strategy and is itself a [`Protocol`] and a [`Membership`]. One byte names
//! both the strategy and the kind of a message. A message of a strategy that this peer does not run is ignored.

use super::full::{self, FullMesh};
use super::hyparview::{self, HyParView};
use super::{Command, Event, Membership, Metrics};
use crate::peer::{Contact, PeerId};
use crate::protocol::{Input, Outbox, Output, Protocol};
use crate::rng::Rng;
use crate::time::Time;
use crate::wire::Wire;
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer, codec::to_bytes};

/// Which strategy, and its settings.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there is one per peer, and only while it starts")]
pub enum MembershipConfig {
    /// Partial views.
    HyParView(hyparview::Config),
    /// Everybody links to everybody.
    FullMesh(full::Config),
}

impl Default for MembershipConfig {
    fn default() -> Self {
        Self::HyParView(hyparview::Config::default())
    }
}

/// One of the strategies.
#[derive(Debug)]
pub enum AnyMembership {
    /// Partial views.
    HyParView(Box<HyParView>),
    /// Everybody links to everybody.
    FullMesh(Box<FullMesh>),
}

/// A message of either strategy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnyMessage {
    /// Of HyParView.
    HyParView(hyparview::Message),
    /// Of the full mesh.
    FullMesh(full::Message),
}

/// A timer of either strategy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnyTimer {
    /// Of HyParView.
    HyParView(hyparview::Timer),
    /// Of the full mesh.
    FullMesh(full::Timer),
}

impl AnyMembership {
    /// The strategy that `config` names, for the peer `contact`.
    pub fn new(config: MembershipConfig, contact: Contact, rng: Rng) -> Self {
        match config {
            MembershipConfig::HyParView(config) => Self::HyParView(Box::new(HyParView::new(config, contact, rng))),
            MembershipConfig::FullMesh(config) => Self::FullMesh(Box::new(FullMesh::new(config, contact, rng))),
        }
    }
}

/// Does the same with whichever strategy it is.
macro_rules! each {
    ($any:expr, $inner:ident => $does:expr) => {
        match $any {
            AnyMembership::HyParView($inner) => $does,
            AnyMembership::FullMesh($inner) => $does,
        }
    };
}

impl Protocol for AnyMembership {
    type Command = Command;
    type Message = AnyMessage;
    type Timer = AnyTimer;
    type Event = Event;

    fn handle(&mut self, now: Time, input: Input<Self>, out: &mut Outbox<Self>) {
        match self {
            Self::HyParView(inner) => {
                let of_ours = |m| {
                    if let AnyMessage::HyParView(m) = m { Some(m) } else { None }
                };
                let timer_of_ours = |t| {
                    if let AnyTimer::HyParView(t) = t { Some(t) } else { None }
                };
                let Some(input) = narrow(input, of_ours, timer_of_ours) else {
                    return;
                };
                run(&mut **inner, now, input, out, AnyMessage::HyParView, AnyTimer::HyParView);
            }
            Self::FullMesh(inner) => {
                let of_ours = |m| {
                    if let AnyMessage::FullMesh(m) = m { Some(m) } else { None }
                };
                let timer_of_ours = |t| {
                    if let AnyTimer::FullMesh(t) = t { Some(t) } else { None }
                };
                let Some(input) = narrow(input, of_ours, timer_of_ours) else {
                    return;
                };
                run(&mut **inner, now, input, out, AnyMessage::FullMesh, AnyTimer::FullMesh);
            }
        }
    }
}

/// The input as the strategy `P` takes it; nothing if it is meant for another.
fn narrow<P: Membership>(
    input: Input<AnyMembership>,
    message: impl FnOnce(AnyMessage) -> Option<P::Message>,
    timer: impl FnOnce(AnyTimer) -> Option<P::Timer>,
) -> Option<Input<P>> {
    Some(match input {
        Input::Start => Input::Start,
        Input::Command(command) => Input::Command(command),
        Input::Received { from, message: outer } => Input::Received { from, message: message(outer)? },
        Input::Expired(outer) => Input::Expired(timer(outer)?),
        Input::LinkUp { peer, dialed } => Input::LinkUp { peer, dialed },
        Input::DialFailed(addr) => Input::DialFailed(addr),
        Input::LinkDown(peer) => Input::LinkDown(peer),
        Input::Drained { peer, bytes } => Input::Drained { peer, bytes },
    })
}

/// Gives `inner` its input and lifts the effects.
fn run<P: Membership>(
    inner: &mut P,
    now: Time,
    input: Input<P>,
    out: &mut Outbox<AnyMembership>,
    message: impl Fn(P::Message) -> AnyMessage,
    timer: impl Fn(P::Timer) -> AnyTimer,
) {
    let mut effects = Outbox::new();
    inner.handle(now, input, &mut effects);
    for effect in effects.drain() {
        out.push(effect.lift(&message, &timer).unwrap_or_else(Output::Emit));
    }
}

impl Membership for AnyMembership {
    fn contact(&self) -> &Contact {
        each!(self, inner => inner.contact())
    }

    fn active(&self) -> Vec<Contact> {
        each!(self, inner => inner.active())
    }

    fn passive(&self) -> Vec<Contact> {
        each!(self, inner => inner.passive())
    }

    fn contact_of(&self, peer: PeerId) -> Option<&Contact> {
        each!(self, inner => inner.contact_of(peer))
    }

    fn is_active(&self, peer: PeerId) -> bool {
        each!(self, inner => inner.is_active(peer))
    }

    fn heard(&mut self, now: Time, from: PeerId) {
        each!(self, inner => inner.heard(now, from));
    }

    fn metrics(&self) -> &Metrics {
        each!(self, inner => inner.metrics())
    }
}

impl Encode for AnyMessage {
    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::HyParView(message) => message.encode(w),
            Self::FullMesh(message) => message.encode(w),
        }
    }
}

impl Decode for AnyMessage {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let tag = r.u8("membership message")?;
        if tag < full::FIRST_TAG {
            hyparview::Message::decode_after(tag, at, r).map(Self::HyParView)
        } else {
            full::Message::decode_after(tag, at, r).map(Self::FullMesh)
        }
    }
}

impl Wire for AnyMessage {
    fn size(&self) -> usize {
        to_bytes(self).len()
    }

    fn digest(&self) -> u64 {
        to_bytes(self).as_slice().digest()
    }
}
