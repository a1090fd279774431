//! A cluster of any strategy in virtual time, whose nodes come and go.

use super::options::Churn;
use crate::config::Membership;
use crate::lab::metered::{address, contact};
use crate::overlay::{self, Shape};
use lasp_overlay::membership::{AnyMembership, Command, Event, Membership as _, MembershipConfig};
use lasp_overlay::{PeerId, Time};
use lasp_sim::{Change, Simulator};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// How long a node that leaves keeps its links, for what is under way: as long as a node does.
const LEAVE_WITHIN: Duration = Duration::from_millis(500);

/// How a node goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It says so.
    Leaves,
    /// Its connections are reset.
    IsReset,
    /// Nothing is heard of it again; who sends to it learns that it is gone.
    Vanishes,
}

/// The cluster.
pub struct World {
    simulator: Simulator<AnyMembership>,
    config: MembershipConfig,
    contacts: usize,
    leaving: u32,
    /// Who has left and still has links, and until when.
    farewells: VecDeque<(Time, PeerId)>,
    gone: BTreeSet<PeerId>,
    /// Neighbours that each node has lost without their leaving, as it said when last looked at.
    failures: BTreeMap<PeerId, u64>,
    /// How many nodes went in which way, in the order of [`Departure`].
    pub departed: [u64; 3],
    /// Neighbours lost that were there all the time.
    pub false_disconnects: u64,
}

impl World {
    /// Nobody yet.
    pub fn new(seed: u64, membership: Membership, options: &Churn) -> Self {
        Self {
            simulator: Simulator::new(lasp_sim::Config::seeded(seed)),
            config: MembershipConfig::named(membership.name()).unwrap_or_default(),
            contacts: options.contacts,
            leaving: options.leaving,
            farewells: VecDeque::new(),
            gone: BTreeSet::new(),
            failures: BTreeMap::new(),
            departed: [0; 3],
            false_disconnects: 0,
        }
    }

    /// A node joins through one of the contacts; contacts through the first.
    pub fn join(&mut self, node: u64) {
        let contact = contact(node as usize);
        let rng = self.simulator.rng().fork();
        self.simulator.spawn(contact.clone(), AnyMembership::new(self.config.clone(), contact, rng));
        if node > 0 {
            let contacts = if node < self.contacts as u64 { 1 } else { self.contacts };
            let through = self.simulator.rng().index(contacts);
            self.simulator.command(PeerId(node), Command::Join(vec![address(through)]));
        }
    }

    /// What a trace says happens, in one of the ways in which nodes go.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Joins(node) | Change::Returns(node) => self.join(node),
            Change::Crashes(node) => {
                let rng = self.simulator.rng();
                let how = match (rng.below(100) < u64::from(self.leaving), rng.chance(0.5)) {
                    (true, _) => Departure::Leaves,
                    (false, true) => Departure::IsReset,
                    (false, false) => Departure::Vanishes,
                };
                self.depart(PeerId(node), how);
            }
        }
    }

    fn depart(&mut self, peer: PeerId, how: Departure) {
        match how {
            Departure::Leaves => {
                self.simulator.command(peer, Command::Leave);
                self.farewells.push_back((self.simulator.now() + LEAVE_WITHIN, peer));
            }
            Departure::IsReset => drop(self.simulator.crash(peer)),
            Departure::Vanishes => drop(self.simulator.crash_silently(peer)),
        }
        self.departed[how as usize] += 1;
        self.gone.insert(peer);
        self.failures.remove(&peer);
    }

    /// Lets time pass until a moment.
    pub fn run_until(&mut self, time: Time) {
        while let Some((due, peer)) = self.farewells.front().copied().filter(|(due, _)| *due <= time) {
            self.farewells.pop_front();
            self.simulator.run_until(due);
            self.simulator.crash(peer);
        }
        self.simulator.run_until(time);
    }

    /// The time.
    pub fn now(&self) -> Time {
        self.simulator.now()
    }

    /// The source of randomness of all that happens here.
    pub fn rng(&mut self) -> &mut lasp_overlay::Rng {
        self.simulator.rng()
    }

    /// A hash of all that happened.
    pub fn trace_hash(&self) -> u64 {
        self.simulator.trace_hash()
    }

    /// Bytes of all messages so far, without frames.
    pub fn bytes(&self) -> u64 {
        self.simulator.stats().bytes_sent
    }

    /// Looks at everybody who is there and not about to go, and counts what was lost without cause since the last time.
    pub fn look(&mut self) -> Shape {
        self.count_false_disconnects();
        let there = self.simulator.peers().filter(|(id, _)| !self.gone.contains(id));
        let view = |(id, peer): (PeerId, &AnyMembership)| {
            let mut neighbors = Vec::new();
            peer.each_active(&mut |other| neighbors.push(other.0));
            (id.0, neighbors)
        };
        overlay::examine(&there.map(view).collect::<Vec<_>>())
    }

    /// A node counts neighbours that failed, not who they were. So of those, as many as it lost that were gone are taken off.
    fn count_false_disconnects(&mut self) {
        let mut rightly: BTreeMap<PeerId, u64> = BTreeMap::new();
        for (_, node, event) in self.simulator.drain_events() {
            if let Event::Down(peer) = event
                && self.gone.contains(&peer)
            {
                *rightly.entry(node).or_default() += 1;
            }
        }
        for (id, peer) in self.simulator.peers().filter(|(id, _)| !self.gone.contains(id)) {
            let failures = peer.metrics().failures;
            let before = self.failures.insert(id, failures).unwrap_or(0);
            self.false_disconnects += (failures - before).saturating_sub(rightly.get(&id).copied().unwrap_or(0));
        }
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("simulator", &self.simulator).finish_non_exhaustive()
    }
}
