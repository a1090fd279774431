//! A peer whose messages are weighed as they leave: how many of which kind, and what they cost on the wire.
//!
//! A message is counted as the only one in its frame, with the frame's header and length prefix, as a node at rest sends
//! it ([docs/wire.md](../../../docs/wire.md)); a link that comes up is counted with each end's half of the handshake. What is
//! counted is what a node's own count says, and what any node spends beneath it (TCP, IP) is not.

use lasp_overlay::{Addr, Contact, Input, Outbox, Output, PeerId, Protocol, Time, Wire};
use std::collections::BTreeSet;

/// How many kinds are told apart at most.
pub const KINDS: usize = 8;

/// The kind under which handshakes are counted.
pub const HANDSHAKE: usize = KINDS - 1;

/// The node's frame around a membership message: flags, and the item's tag.
const ENVELOPE: usize = 2;

/// Bytes of a handshake from the dialler: preface, Hello with cluster and dialect of nine letters, address of fourteen, a peer
/// that is expected, Ready.
pub const HELLO: u64 = 86;

/// Bytes of a handshake from the listener: preface and Welcome.
pub const WELCOME: u64 = 68;

/// Messages and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// How many.
    pub messages: u64,
    /// How large in all.
    pub bytes: u64,
}

impl Sent {
    fn add(&mut self, bytes: u64) {
        self.messages += 1;
        self.bytes += bytes;
    }

    /// What has come since.
    #[must_use]
    pub const fn since(self, before: Self) -> Self {
        Self { messages: self.messages - before.messages, bytes: self.bytes - before.bytes }
    }

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { messages: self.messages + other.messages, bytes: self.bytes + other.bytes }
    }
}

/// What a frame around so many bytes costs on a connection.
pub const fn framed(bytes: usize) -> u64 {
    let frame = bytes + ENVELOPE;
    let prefix = if frame < 1 << 7 { 1 } else { 2 + (frame >= 1 << 14) as usize };
    (frame + prefix) as u64
}

/// A protocol whose messages have kinds.
pub trait Kinds: Protocol {
    /// The names of the kinds, at most seven: [`HANDSHAKE`] is the last of all.
    const NAMES: &'static [&'static str];

    /// Which of them a message is.
    fn kind(message: &Self::Message) -> usize;
}

/// The peer.
#[derive(Clone, Debug)]
pub struct Metered<P> {
    inner: P,
    sent: [Sent; KINDS],
    linked: BTreeSet<PeerId>,
}

/// A message and what it was found to weigh, so that it is encoded once.
#[derive(Clone, Debug)]
pub struct Weighed<M> {
    message: M,
    bytes: u32,
    digest: u64,
}

impl<M> Wire for Weighed<M> {
    fn size(&self) -> usize {
        self.bytes as usize
    }

    fn digest(&self) -> u64 {
        self.digest
    }
}

impl<P: Kinds> Metered<P> {
    /// A peer that has sent nothing yet.
    pub const fn new(inner: P) -> Self {
        Self { inner, sent: [Sent { messages: 0, bytes: 0 }; KINDS], linked: BTreeSet::new() }
    }

    /// The peer within.
    pub const fn inner(&self) -> &P {
        &self.inner
    }

    /// What it has sent so far, by kind; [`HANDSHAKE`] counts ends of links.
    pub const fn sent(&self) -> &[Sent; KINDS] {
        &self.sent
    }

    /// All that it has sent so far.
    pub fn total(&self) -> Sent {
        self.sent.iter().fold(Sent::default(), |all, sent| all.and(*sent))
    }
}

impl<P: Kinds> Protocol for Metered<P>
where
    P::Message: Wire,
{
    type Command = P::Command;
    type Message = Weighed<P::Message>;
    type Timer = P::Timer;
    type Event = P::Event;

    fn handle(&mut self, now: Time, input: Input<Self>, out: &mut Outbox<Self>) {
        let input = match input {
            Input::Start => Input::Start,
            Input::Command(command) => Input::Command(command),
            Input::Received { from, message } => Input::Received { from, message: message.message },
            Input::Expired(timer) => Input::Expired(timer),
            Input::LinkUp { peer, dialed } => {
                if self.linked.insert(peer.id) {
                    self.sent[HANDSHAKE].add(if dialed.is_some() { HELLO } else { WELCOME });
                }
                Input::LinkUp { peer, dialed }
            }
            Input::DialFailed(addr) => Input::DialFailed(addr),
            Input::LinkDown(peer) => {
                self.linked.remove(&peer);
                Input::LinkDown(peer)
            }
            Input::Drained { peer, bytes } => Input::Drained { peer, bytes },
        };
        let mut effects = Outbox::new();
        self.inner.handle(now, input, &mut effects);
        for effect in effects.drain() {
            let weigh = |message: P::Message| {
                let kind = P::kind(&message);
                let (bytes, digest) = message.measure();
                self.sent[kind].add(framed(bytes));
                Weighed { message, bytes: framed(bytes) as u32, digest }
            };
            if let Output::Close(peer) = &effect {
                self.linked.remove(peer);
            }
            out.push(effect.lift(weigh, |timer| timer).unwrap_or_else(Output::Emit));
        }
    }
}

/// Where node `node` listens: an address of the usual length.
pub fn address(node: usize) -> Addr {
    let [_, a, b, c] = (node as u32).to_be_bytes();
    Addr::new(&format!("10.{a}.{b}.{c}:7700")).unwrap_or_else(|| unreachable!("it is short"))
}

/// The first life of node `node`. Incarnations are milliseconds of the wall clock in a node, so these are as long.
pub fn contact(node: usize) -> Contact {
    Contact { id: PeerId(node as u64), incarnation: 1_790_000_000_000, addr: address(node) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_costs_its_header_and_its_length() {
        assert_eq!(
            [framed(0), framed(125), framed(126), framed(16_381), framed(16_382)],
            [3, 128, 130, 16_385, 16_387]
        );
    }

    #[test]
    fn addresses_differ() {
        let all: BTreeSet<Addr> = (0..100_000).map(address).collect();
        assert_eq!(all.len(), 100_000);
    }
}
