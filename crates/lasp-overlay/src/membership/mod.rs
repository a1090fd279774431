//! Who is in the cluster, and with whom this peer keeps links.
//!
//! A membership strategy keeps an *active view*: the peers with which both sides have agreed to be neighbours and
//! over whose links everything else travels. Every change of it is told once, as [`Event::Up`] or [`Event::Down`].
//! Strategies: [`hyparview`] (partial views, for any size), [`scamp`] (partial views that find their size by themselves),
//! [`full`] (everybody links to everybody, for small clusters), [`client_server`] (servers that do, and clients of theirs),
//! [`list`] (links by a list of addresses, fixed or changed by command). [`any`] chooses one at run time; [`change`] is the difference of two moments. Knows nothing of
//! broadcast, data, sockets or clocks.
//!
//! Whoever drives a strategy tells it of every frame that arrives ([`Membership::heard`]), so that a busy link is
//! never probed; and sends only to active peers, for other links are closed when the strategy is done with them.

pub mod any;
pub mod change;
pub mod client_server;
pub mod full;
pub mod hyparview;
pub mod list;
pub mod scamp;

mod backoff;
#[cfg(test)]
mod bench;
mod coding;
mod contradiction;
mod dialler;
mod greeting;

pub use dialler::Pace;
pub use greeting::{Hail, Patience};

pub use any::{AnyMembership, AnyMessage, AnyTimer, MembershipConfig};
pub use contradiction::Contradiction;

use crate::peer::{Addr, Contact, PeerId};
use crate::protocol::Protocol;
use crate::time::Time;
use lasp_crdt::Dot;

/// What the owner asks of a membership strategy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Joins the cluster through any of these addresses, retrying until one answers. They are remembered: a peer
    /// that finds itself alone or cut off asks them again.
    Join(Vec<Addr>),
    /// Leaves in an orderly way: neighbours replace this peer at once. `Join` undoes it.
    Leave,
    /// Removes another member for good, in its present life: an operator's word.
    Evict(PeerId),
    /// Keeps a link to whoever listens at an address, from now on.
    Connect(Addr),
    /// Ends that.
    Disconnect(Addr),
    /// Something has just come here that reaches everybody whom this peer can reach: who has it, too, is on the same island.
    Mark(Dot),
}

/// What a membership strategy tells its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A peer entered the active view.
    Up(Contact),
    /// A peer left the active view.
    Down(PeerId),
    /// A peer has left the cluster, as it said itself: told once, and before its `Down` if it was in the active view.
    Left(PeerId),
    /// The active view has become empty, not by `Leave`; the strategy is looking for peers.
    Isolated,
    /// The active view is no longer empty.
    Joined,
    /// Somebody has evicted this peer. It stays out until it is told to join.
    Evicted,
}

/// How it stands with a peer, as far as another knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It is a member, and nothing is held against it.
    Alive,
    /// It is a member that does not answer. It has time to refute that, and stays a member if it does not.
    Suspect,
    /// It has left, as it said itself.
    Left,
    /// An operator, or a policy, has removed it.
    Evicted,
}

impl Standing {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Suspect => "suspect",
            Self::Left => "left",
            Self::Evicted => "evicted",
        }
    }
}

/// A membership strategy, as the layers above see it.
///
/// Three questions are kept apart: who belongs to the cluster ([`members`](Self::members)), with whom this peer keeps
/// links ([`active`](Self::active)), and who is thought to be there just now ([`reachable`](Self::reachable)).
pub trait Membership: Protocol<Command = Command, Event = Event> {
    /// This peer.
    fn contact(&self) -> &Contact;
    /// The active view: the neighbours, ascending by id.
    fn active(&self) -> Vec<Contact>;
    /// Does something for the id of each neighbour, ascending.
    fn each_active(&self, each: &mut dyn FnMut(PeerId)) {
        self.active().iter().for_each(|contact| each(contact.id));
    }
    /// Peers that are known but not neighbours, ascending by id.
    fn passive(&self) -> Vec<Contact>;
    /// The other members of the cluster as far as this peer knows, ascending by id: all of them where the strategy knows all,
    /// else those in its views.
    fn members(&self) -> Vec<(Contact, Standing)> {
        let known = self.active().into_iter().chain(self.passive());
        let mut members: Vec<(Contact, Standing)> = known.map(|contact| (contact, Standing::Alive)).collect();
        members.sort_unstable_by_key(|(contact, _)| contact.id);
        members
    }
    /// The members that are thought to be there just now, ascending by id: all that have not failed to answer where the
    /// strategy finds that out, else the neighbours.
    fn reachable(&self) -> Vec<Contact> {
        self.active()
    }
    /// What is known of a peer in either view.
    fn contact_of(&self, peer: PeerId) -> Option<&Contact>;
    /// Whether a peer is a neighbour.
    fn is_active(&self, peer: PeerId) -> bool;
    /// Says that something, of whatever layer, has just arrived from a peer: it lives.
    fn heard(&mut self, now: Time, from: PeerId);
    /// Whether the strategy knows what to do with a command; it ignores others.
    fn accepts(&self, command: &Command) -> bool {
        matches!(command, Command::Join(_) | Command::Leave)
    }
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
    /// Exchanges of passive views (HyParView) or of digests (full mesh) begun, subscriptions (SCAMP) made.
    pub exchanges: u64,
    /// Times another was asked to probe a silent member.
    pub indirect_probes: u64,
    /// Suspicions begun, by this peer's own probes or by hearsay.
    pub suspicions: u64,
    /// Suspicions and false departures of itself that this peer has refuted.
    pub refutations: u64,
    /// Suspicions that ran out: members taken for unreachable.
    pub lost: u64,
    /// Members evicted by this peer, by command or policy.
    pub evicted: u64,
    /// Departures forgotten because everybody knows of them.
    pub forgotten: u64,
    /// What was asked and not done, for a limit or because it makes no sense.
    pub refused: u64,
    /// Signs of another life under this peer's identity.
    pub conflicts: u64,
    /// Exchanges of links for cheaper ones that this peer began (X-BOT).
    pub swaps_begun: u64,
    /// Of those, done.
    pub swaps_done: u64,
    /// Of those, given up: the links are as they were, or such as were found instead.
    pub swaps_rolled_back: u64,
    /// Not a count: the mean round trip to a neighbour at present, in microseconds; 0 if it is not measured (X-BOT).
    pub link_cost_us: u64,
}

impl std::ops::Add for Metrics {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            ups: self.ups + other.ups,
            downs: self.downs + other.downs,
            failures: self.failures + other.failures,
            evictions: self.evictions + other.evictions,
            isolations: self.isolations + other.isolations,
            probes: self.probes + other.probes,
            exchanges: self.exchanges + other.exchanges,
            indirect_probes: self.indirect_probes + other.indirect_probes,
            suspicions: self.suspicions + other.suspicions,
            refutations: self.refutations + other.refutations,
            lost: self.lost + other.lost,
            evicted: self.evicted + other.evicted,
            forgotten: self.forgotten + other.forgotten,
            refused: self.refused + other.refused,
            conflicts: self.conflicts + other.conflicts,
            swaps_begun: self.swaps_begun + other.swaps_begun,
            swaps_done: self.swaps_done + other.swaps_done,
            swaps_rolled_back: self.swaps_rolled_back + other.swaps_rolled_back,
            link_cost_us: self.link_cost_us + other.link_cost_us,
        }
    }
}
