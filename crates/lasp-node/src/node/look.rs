//! What a node lets others see of it.

use super::Node;
use crate::changes::LastChange;
use crate::link::{Link, LinkLoad};
use crate::metrics::Metrics;
use crate::payload::Payload;
use crate::programs::ProgramInfo;
use crate::wire;
use lasp_dataflow::{Graph, VarId};
use lasp_overlay::broadcast::Plumtree;
use lasp_overlay::membership::{AnyMembership, Membership as _};
use lasp_overlay::{Contact, PeerId, unicast};

impl Node {
    /// This peer.
    pub fn contact(&self) -> &Contact {
        self.membership.contact()
    }

    /// The neighbours in the overlay, ascending by id.
    pub fn active_view(&self) -> Vec<Contact> {
        self.membership.active()
    }

    /// Other peers it knows of, ascending by id.
    pub fn passive_view(&self) -> Vec<Contact> {
        self.membership.passive()
    }

    /// The membership strategy.
    pub const fn membership(&self) -> &AnyMembership {
        &self.membership
    }

    /// Grows whenever views may have changed: as long as it is the same, so are they.
    pub const fn membership_stirs(&self) -> u64 {
        self.stirs
    }

    /// The broadcast tree as this node sees it.
    pub const fn broadcast(&self) -> &Plumtree<Payload> {
        &self.broadcast
    }

    /// The variables.
    pub const fn graph(&self) -> &Graph {
        self.store.graph()
    }

    /// What this node hears.
    pub const fn interests(&self) -> &crate::Interests {
        self.store.interests()
    }

    /// What it counted.
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What it counted of letters: its own, and those it passes on.
    pub const fn letters(&self) -> &unicast::Metrics {
        self.post.metrics()
    }

    /// The fingerprint of all replicated variables: equal for equal stores.
    pub fn fingerprint(&self) -> u64 {
        self.store.graph().fingerprint()
    }

    /// The variables that are compared with neighbours by themselves, ascending by the hash of their keys: hash, name,
    /// fingerprint of the state (0 at bottom). A variable that was declared and has neither been written nor heard of need not
    /// be among them. O(1) for each. Of many variables, all nodes look at the same if they look at the first.
    pub fn fingerprints(&self) -> impl Iterator<Item = (u64, &str, u64)> {
        self.store.forest().leaves()
    }

    /// The last change of a variable, if it is remembered ([`Config::changes`](crate::Config::changes)), and its time in milliseconds
    /// since 1970.
    pub fn last_change(&self, var: VarId) -> Option<(LastChange, u64)> {
        let change = self.store.changes().of(var)?;
        Some((change, self.config.wall_epoch_ms.saturating_add(change.at.as_millis())))
    }

    /// What is known here of each installed program, by name.
    pub fn programs(&self) -> Vec<ProgramInfo> {
        self.programs.infos(&self.store)
    }

    /// Whether nothing is under way here: no message waits, none is known to be missing, nothing that is to happen once in
    /// the cluster is still to happen.
    pub fn is_quiescent(&self) -> bool {
        let calm = self.links.values().all(Link::is_idle) && self.broadcast.is_quiescent() && self.echo.is_empty();
        let calm = calm && self.exchange.is_idle() && self.sync.is_idle() && !self.once.is_busy();
        let calm = calm && self.handover.is_idle() && self.assured.is_idle();
        calm && self.sessions.is_idle() && self.groups.is_idle()
    }

    /// How many messages wait for links.
    pub fn waiting(&self) -> usize {
        self.links.values().map(Link::waiting).sum()
    }

    /// How many entries of deltas wait for links; of what is partly gone, all that it had. O(1).
    pub const fn waiting_entries(&self) -> usize {
        self.backlog.entries()
    }

    /// How many entries of deltas are kept beside the variables, for neighbours that are still to hear them: what the
    /// literature counts as the memory of synchronisation. A payload that the broadcast layer remembers counts as one.
    /// Cost: the number of deltas kept.
    pub fn buffered_entries(&self) -> usize {
        let waiting: usize = self.links.values().map(Link::entries).sum();
        waiting
            + self.handover.entries()
            + self.groups.entries()
            + self.exchange.entries()
            + self.detours.entries()
            + self.passed.entries()
            + self.broadcast.cached()
    }

    /// Bytes of the deltas that wait for a neighbour, written in full, and of what is under way to it; 0 without a link. Cost:
    /// that of writing them.
    pub fn buffered_bytes(&self, peer: PeerId) -> usize {
        self.links.get(&peer).map_or(0, Link::bytes)
    }

    /// Bytes of all replicated variables, written in full. Cost: that of writing them.
    pub fn state_bytes(&self) -> usize {
        self.store.replicated().map(|(key, state)| wire::entry_len(key, state)).sum()
    }

    /// What is under way to a neighbour.
    pub fn link_load(&self, peer: PeerId) -> Option<LinkLoad> {
        self.links.get(&peer).map(Link::load)
    }
}
