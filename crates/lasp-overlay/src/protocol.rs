//! The one trait that layers, nodes, the simulator and the driver share.
//!
//! A protocol is a state machine: [`Protocol::handle`] takes one input and pushes effects to an [`Outbox`]. It
//! cannot fail, block or look around. Timers carry a value and are never cancelled: a stale one is recognised by
//! what it names.
//!
//! Links are explicit. A protocol asks for one with [`Output::Dial`] (an address) or [`Output::Link`] (a known
//! contact) and hears [`Input::LinkUp`] or [`Input::DialFailed`]/[`Input::LinkDown`]. Links are duplex, FIFO while
//! up, and either side may close one. A `Send` to a peer without a link is dropped (and counted by whoever
//! drives the protocol).

use crate::peer::{Addr, Contact, PeerId};
use crate::time::Time;
use std::fmt;
use std::time::Duration;

/// One layer of one peer, or a whole peer.
pub trait Protocol {
    /// What its owner asks of it.
    type Command;
    /// What it says to its counterpart at another peer.
    type Message;
    /// What its timers carry.
    type Timer;
    /// What it tells its owner.
    type Event;

    /// Takes one input at `now` and pushes what follows to `out`.
    fn handle(&mut self, now: Time, input: Input<Self>, out: &mut Outbox<Self>);

    /// Looks at what the next input will need, so that it is in the processor's caches by then; what it returns follows from that
    /// and means nothing. A hint for whoever drives a million peers, most of which lie idle in memory. Default: looks at
    /// nothing.
    fn look_ahead(&self) -> u64 {
        0
    }
}

/// What happens to a protocol.
pub enum Input<P: Protocol + ?Sized> {
    /// The first input, once.
    Start,
    /// The owner asks something.
    Command(P::Command),
    /// A message came over the link from `from`.
    Received {
        /// The sender.
        from: PeerId,
        /// The message.
        message: P::Message,
    },
    /// A timer ran out.
    Expired(P::Timer),
    /// A link is up, whoever dialled. Said again if the peer is linked anew.
    LinkUp {
        /// Who is at the other end.
        peer: Contact,
        /// The address this side dialled, if it did.
        dialed: Option<Addr>,
    },
    /// No link could be had to an address asked for with [`Output::Dial`] or [`Output::Link`].
    DialFailed(Addr),
    /// The link to a peer is gone: closed by either side, reset, or timed out.
    LinkDown(PeerId),
    /// The transport has taken `bytes` of what was sent to `peer`: room for as many more.
    Drained {
        /// The receiver of those bytes.
        peer: PeerId,
        /// How many bytes of messages left the buffer.
        bytes: usize,
    },
}

/// An effect.
pub enum Output<P: Protocol + ?Sized> {
    /// Sends a message over the link to a peer.
    Send {
        /// The receiver.
        to: PeerId,
        /// The message.
        message: P::Message,
    },
    /// Asks for [`Input::Expired`] with this value later.
    SetTimer {
        /// How much later.
        after: Duration,
        /// The value.
        timer: P::Timer,
    },
    /// Asks for a link to whoever listens at an address.
    Dial(Addr),
    /// Asks for a link to a peer; answered with `LinkUp` at once if there is one.
    Link(Contact),
    /// Closes the link to a peer after what was sent has left. This side hears no `LinkDown`.
    Close(PeerId),
    /// Tells the owner.
    Emit(P::Event),
}

/// The effects of one or several inputs, in order.
pub struct Outbox<P: Protocol + ?Sized> {
    outputs: Vec<Output<P>>,
}

impl<P: Protocol + ?Sized> Outbox<P> {
    /// An empty outbox.
    pub const fn new() -> Self {
        Self { outputs: Vec::new() }
    }

    /// Adds an effect.
    pub fn push(&mut self, output: Output<P>) {
        self.outputs.push(output);
    }

    /// Sends a message.
    pub fn send(&mut self, to: PeerId, message: P::Message) {
        self.push(Output::Send { to, message });
    }

    /// Sets a timer.
    pub fn set_timer(&mut self, after: Duration, timer: P::Timer) {
        self.push(Output::SetTimer { after, timer });
    }

    /// Tells the owner.
    pub fn emit(&mut self, event: P::Event) {
        self.push(Output::Emit(event));
    }

    /// Takes every effect, oldest first; the buffer is kept.
    pub fn drain(&mut self) -> impl Iterator<Item = Output<P>> {
        self.outputs.drain(..)
    }

    /// Takes every effect as a list: for tests.
    pub fn take(&mut self) -> Vec<Output<P>> {
        std::mem::take(&mut self.outputs)
    }

    /// Whether there is no effect.
    pub fn is_empty(&self) -> bool {
        self.outputs.is_empty()
    }
}

impl<P: Protocol + ?Sized> Output<P> {
    /// Lifts an inner layer's effect to the outer layer's type; its event, if it is one, is handed back.
    ///
    /// # Errors
    /// The event of an `Emit`: the outer layer acts on it.
    pub fn lift<Q: Protocol + ?Sized>(
        self,
        message: impl FnOnce(P::Message) -> Q::Message,
        timer: impl FnOnce(P::Timer) -> Q::Timer,
    ) -> Result<Output<Q>, P::Event> {
        Ok(match self {
            Self::Send { to, message: inner } => Output::Send { to, message: message(inner) },
            Self::SetTimer { after, timer: inner } => Output::SetTimer { after, timer: timer(inner) },
            Self::Dial(addr) => Output::Dial(addr),
            Self::Link(contact) => Output::Link(contact),
            Self::Close(peer) => Output::Close(peer),
            Self::Emit(event) => return Err(event),
        })
    }
}

impl<P: Protocol + ?Sized> Default for Outbox<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Protocol + ?Sized> fmt::Debug for Outbox<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("len", &self.outputs.len()).finish()
    }
}

impl<P: Protocol + ?Sized> fmt::Debug for Input<P>
where
    P::Command: fmt::Debug,
    P::Message: fmt::Debug,
    P::Timer: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("Start"),
            Self::Command(command) => f.debug_tuple("Command").field(command).finish(),
            Self::Received { from, message } => {
                f.debug_struct("Received").field("from", from).field("message", message).finish()
            }
            Self::Expired(timer) => f.debug_tuple("Expired").field(timer).finish(),
            Self::LinkUp { peer, dialed } => {
                f.debug_struct("LinkUp").field("peer", peer).field("dialed", dialed).finish()
            }
            Self::DialFailed(addr) => f.debug_tuple("DialFailed").field(addr).finish(),
            Self::LinkDown(peer) => f.debug_tuple("LinkDown").field(peer).finish(),
            Self::Drained { peer, bytes } => {
                f.debug_struct("Drained").field("peer", peer).field("bytes", bytes).finish()
            }
        }
    }
}

impl<P: Protocol + ?Sized> fmt::Debug for Output<P>
where
    P::Message: fmt::Debug,
    P::Timer: fmt::Debug,
    P::Event: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send { to, message } => f.debug_struct("Send").field("to", to).field("message", message).finish(),
            Self::SetTimer { after, timer } => {
                f.debug_struct("SetTimer").field("after", after).field("timer", timer).finish()
            }
            Self::Dial(addr) => f.debug_tuple("Dial").field(addr).finish(),
            Self::Link(contact) => f.debug_tuple("Link").field(contact).finish(),
            Self::Close(peer) => f.debug_tuple("Close").field(peer).finish(),
            Self::Emit(event) => f.debug_tuple("Emit").field(event).finish(),
        }
    }
}

impl<P: Protocol + ?Sized> PartialEq for Output<P>
where
    P::Message: PartialEq,
    P::Timer: PartialEq,
    P::Event: PartialEq,
{
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Send { to: a, message: m }, Self::Send { to: b, message: n }) => a == b && m == n,
            (Self::SetTimer { after: a, timer: t }, Self::SetTimer { after: b, timer: u }) => a == b && t == u,
            (Self::Dial(a), Self::Dial(b)) => a == b,
            (Self::Link(a), Self::Link(b)) => a == b,
            (Self::Close(a), Self::Close(b)) => a == b,
            (Self::Emit(a), Self::Emit(b)) => a == b,
            _ => false,
        }
    }
}
