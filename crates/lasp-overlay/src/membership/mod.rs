//! Who is in the cluster, and with whom this peer keeps links.
//!
//! A membership strategy keeps an *active view*: the peers with which both sides have agreed to be neighbours and
//! over whose links everything else travels. Every change of it is told once, as [`Event::Up`] or [`Event::Down`].
//! Strategies: [`hyparview`] (partial views, for any size) and [`full`] (everybody links to everybody, for small
//! clusters). [`any`] chooses one at run time. Knows nothing of broadcast, data, sockets or clocks.
//!
//! Whoever drives a strategy tells it of every frame that arrives ([`Membership::heard`]), so that a busy link is
//! never probed; and sends only to active peers, for other links are closed when the strategy is done with them.

pub mod any;
pub mod full;
pub mod hyparview;

mod backoff;

pub use any::{AnyMembership, AnyMessage, AnyTimer, MembershipConfig};

use crate::peer::{Addr, Contact, PeerId};
use crate::protocol::Protocol;
use crate::time::Time;

/// What the owner asks of a membership strategy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Joins the cluster through any of these addresses, retrying until one answers. They are remembered: a peer
    /// that finds itself alone or cut off asks them again.
    Join(Vec<Addr>),
    /// Leaves in an orderly way: neighbours replace this peer at once. `Join` undoes it.
    Leave,
}

/// What a membership strategy tells its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A peer entered the active view.
    Up(Contact),
    /// A peer left the active view.
    Down(PeerId),
    /// The active view has become empty, not by `Leave`; the strategy is looking for peers.
    Isolated,
    /// The active view is no longer empty.
    Joined,
}

/// A membership strategy, as the layers above see it.
pub trait Membership: Protocol<Command = Command, Event = Event> {
    /// This peer.
    fn contact(&self) -> &Contact;
    /// The neighbours, ascending by id.
    fn active(&self) -> Vec<Contact>;
    /// Does something for the id of each neighbour, ascending.
    fn each_active(&self, each: &mut dyn FnMut(PeerId)) {
        self.active().iter().for_each(|contact| each(contact.id));
    }
    /// Peers that are known but not neighbours, ascending by id.
    fn passive(&self) -> Vec<Contact>;
    /// What is known of a peer in either view.
    fn contact_of(&self, peer: PeerId) -> Option<&Contact>;
    /// Whether a peer is a neighbour.
    fn is_active(&self, peer: PeerId) -> bool;
    /// Says that something, of whatever layer, has just arrived from a peer: it lives.
    fn heard(&mut self, now: Time, from: PeerId);
    /// What has happened so far.
    fn metrics(&self) -> &Metrics;
}

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Peers that entered the active view.
    pub ups: u64,
    /// Peers that left it, for whatever reason.
    pub downs: u64,
    /// Of those, peers whose link broke or that stopped answering.
    pub failures: u64,
    /// Of those, healthy peers that had to make room.
    pub evictions: u64,
    /// Times the active view became empty.
    pub isolations: u64,
    /// Probes sent over silent links.
    pub probes: u64,
    /// Exchanges of passive views (HyParView) or of digests (full mesh) begun.
    pub exchanges: u64,
}
