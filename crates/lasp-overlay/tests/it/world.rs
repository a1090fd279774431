//! A cluster of membership peers in the simulator, and what must hold of it.

use crate::strategy::Strategy;
use lasp_crdt::codec::{from_bytes, to_bytes};
use lasp_overlay::membership::{AnyMembership, Command, Event, Membership, MembershipConfig, Metrics};
use lasp_overlay::{Addr, Contact, Input, Outbox, Output, PeerId, Protocol, Rng, Time};
use lasp_sim::{Config, Simulator};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A membership whose messages travel as bytes, as they do between processes.
pub(crate) struct Coded(pub(crate) AnyMembership);

impl Protocol for Coded {
    type Command = Command;
    type Message = Arc<[u8]>;
    type Timer = <AnyMembership as Protocol>::Timer;
    type Event = Event;

    fn handle(&mut self, now: Time, input: Input<Self>, out: &mut Outbox<Self>) {
        let input = match input {
            Input::Start => Input::Start,
            Input::Command(command) => Input::Command(command),
            Input::Received { from, message } => {
                Input::Received { from, message: from_bytes(&message).expect("what was encoded decodes") }
            }
            Input::Expired(timer) => Input::Expired(timer),
            Input::LinkUp { peer, dialed } => Input::LinkUp { peer, dialed },
            Input::DialFailed(addr) => Input::DialFailed(addr),
            Input::LinkDown(peer) => Input::LinkDown(peer),
            Input::Drained { peer, bytes } => Input::Drained { peer, bytes },
        };
        let mut effects = Outbox::new();
        self.0.handle(now, input, &mut effects);
        for effect in effects.drain() {
            let encode = |message| Arc::from(to_bytes(&message));
            out.push(effect.lift(encode, |timer| timer).unwrap_or_else(Output::Emit));
        }
    }
}

/// A cluster.
pub(crate) struct World {
    pub(crate) sim: Simulator<Coded>,
    /// What peers started from now on are given.
    pub(crate) config: MembershipConfig,
    lives: BTreeMap<u64, u64>,
    /// Where peers listen that have moved.
    moved: BTreeMap<u64, Addr>,
    /// Those that live and have left: they are expected to be out.
    pub(crate) out: BTreeSet<u64>,
    /// The strategy that gives peers their settings, if one does.
    strategy: Option<Strategy>,
    /// What the events told so far amount to: each peer's active view.
    told: BTreeMap<PeerId, BTreeSet<PeerId>>,
    /// Who has left, and to whom that was told: it must not come up there again before it joins.
    departed: BTreeMap<PeerId, BTreeSet<PeerId>>,
}

/// What is wrong with an overlay.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// Components beyond the first.
    pub(crate) islands: usize,
    pub(crate) isolated: Vec<PeerId>,
    /// Pairs of which only the first has the second as neighbour.
    pub(crate) one_sided: Vec<(PeerId, PeerId)>,
    /// Pairs of which the first has the second as neighbour without a link.
    pub(crate) unlinked: Vec<(PeerId, PeerId)>,
    /// Peers that know of a peer by another incarnation than its present one, as neighbour.
    pub(crate) outdated: Vec<PeerId>,
}

pub(crate) fn addr(n: u64) -> Addr {
    Addr::new(&format!("peer-{n}")).unwrap()
}

pub(crate) const fn id(n: u64) -> PeerId {
    PeerId(n)
}

impl World {
    pub(crate) fn new(sim: Config, config: MembershipConfig) -> Self {
        Self {
            sim: Simulator::new(sim),
            config,
            lives: BTreeMap::new(),
            moved: BTreeMap::new(),
            out: BTreeSet::new(),
            strategy: None,
            told: BTreeMap::new(),
            departed: BTreeMap::new(),
        }
    }

    /// A cluster of one strategy.
    pub(crate) fn of(strategy: Strategy, sim: Config) -> Self {
        Self { strategy: Some(strategy), ..Self::new(sim, strategy.config(0)) }
    }

    pub(crate) fn is_up(&self, n: u64) -> bool {
        self.sim.peer(id(n)).is_some()
    }

    /// Where a peer listens, or last did.
    pub(crate) fn addr(&self, n: u64) -> Addr {
        self.moved.get(&n).cloned().unwrap_or_else(|| addr(n))
    }

    /// Has a peer listen elsewhere in its next life.
    pub(crate) fn move_to(&mut self, n: u64, addr: Addr) {
        self.moved.insert(n, addr);
    }

    /// Starts a peer in its next life, without joining.
    pub(crate) fn spawn(&mut self, n: u64) {
        let config = self.strategy.map_or_else(|| self.config.clone(), |strategy| strategy.config(n));
        let addr = self.addr(n);
        let life = self.lives.entry(n).or_default();
        *life += 1;
        let contact = Contact { id: id(n), incarnation: *life, addr };
        let rng = self.sim.rng().fork();
        let membership = AnyMembership::new(config, contact.clone(), rng);
        self.comes_in(n);
        self.told.insert(id(n), BTreeSet::new());
        self.sim.spawn(contact, Coded(membership));
    }

    /// Starts a peer and has it join through others.
    pub(crate) fn spawn_joining(&mut self, n: u64, contacts: &[u64]) {
        self.spawn(n);
        self.join(n, contacts);
    }

    pub(crate) fn join(&mut self, n: u64, contacts: &[u64]) {
        let contacts = contacts.iter().map(|n| self.addr(*n)).collect();
        self.comes_in(n);
        self.sim.command(id(n), Command::Join(contacts));
    }

    /// A peer is about to join: it may come up anywhere from now on, and has forgotten what it was told.
    fn comes_in(&mut self, n: u64) {
        self.absorb_events();
        self.out.remove(&n);
        self.departed.remove(&id(n));
        self.forgets(n);
    }

    fn forgets(&mut self, n: u64) {
        for told in self.departed.values_mut() {
            told.remove(&id(n));
        }
    }

    pub(crate) fn leave(&mut self, n: u64) {
        self.absorb_events(); // what was told before is not about this departure
        if self.sim.command(id(n), Command::Leave) {
            self.out.insert(n);
        }
    }

    /// Peers `0..count`, the others joining through peer 0, one every `pause`.
    pub(crate) fn grown(sim: Config, config: MembershipConfig, count: u64, pause: Duration) -> Self {
        let mut world = Self::new(sim, config);
        for n in 0..count {
            world.spawn_joining(n, &[0]);
            world.sim.run_for(pause);
        }
        world
    }

    /// Does one bad thing to a cluster of peers `0..count`, or undoes one.
    pub(crate) fn harm(&mut self, count: u64, rng: &mut Rng) {
        let n = rng.below(count);
        let other = rng.below(count);
        match rng.below(8) {
            0 | 1 if self.sim.peer(id(n)).is_some() => self.crash(n),
            0..=2 if self.sim.peer(id(n)).is_none() => self.spawn_joining(n, &[other, 0]),
            3 => {
                let group = (0..count).filter(|_| rng.chance(0.5)).map(id).collect();
                self.sim.partition(&[group]);
            }
            4 if n != other => self.sim.block(id(n), id(other)),
            5 => self.sim.heal(),
            6 => self.sim.slow_down(id(n), rng.duration(Duration::ZERO, Duration::from_millis(50))),
            _ => {}
        }
    }

    /// Ends every fault and starts every dead peer of `0..count`.
    pub(crate) fn revive(&mut self, count: u64, rng: &mut Rng) {
        self.sim.heal();
        for n in 0..count {
            if self.sim.peer(id(n)).is_none() {
                self.spawn_joining(n, &[rng.below(count), 0]);
            }
            self.sim.slow_down(id(n), Duration::ZERO);
        }
    }

    pub(crate) fn crash(&mut self, n: u64) {
        self.stop(n, false);
    }

    /// Stops a peer; `silently`, as a power failure does.
    pub(crate) fn stop(&mut self, n: u64, silently: bool) {
        self.absorb_events();
        self.out.remove(&n);
        if silently {
            self.sim.crash_silently(id(n))
        } else {
            self.sim.crash(id(n))
        };
        self.told.remove(&id(n));
        self.forgets(n);
    }

    pub(crate) fn run(&mut self, stretch: Duration) {
        self.sim.run_for(stretch);
    }

    pub(crate) fn peer(&self, n: u64) -> &AnyMembership {
        &self.sim.peer(id(n)).unwrap().0
    }

    pub(crate) fn views(&self) -> BTreeMap<PeerId, Vec<Contact>> {
        self.sim.peers().map(|(id, peer)| (id, peer.0.active())).collect()
    }

    pub(crate) fn metrics(&self) -> Metrics {
        self.sim.peers().map(|(_, peer)| *peer.0.metrics()).fold(Metrics::default(), |sum, one| sum + one)
    }

    /// What is wrong with the active views of all but `gone` at this moment.
    pub(crate) fn faults(&self) -> Faults {
        let mut views = self.views();
        views.retain(|peer, _| !self.out.contains(&peer.0));
        let mut faults = Faults::default();
        for (peer, view) in &views {
            if view.is_empty() && views.len() > 1 {
                faults.isolated.push(*peer);
            }
            let links = self.sim.links(*peer);
            for other in view {
                let back = views.get(&other.id);
                if !back.is_some_and(|back| back.iter().any(|contact| contact.id == *peer)) {
                    faults.one_sided.push((*peer, other.id));
                }
                if !links.contains(&other.id) {
                    faults.unlinked.push((*peer, other.id));
                }
                if self.sim.contact(other.id) != Some(other) {
                    faults.outdated.push(*peer);
                }
            }
        }
        faults.islands = components(&views).saturating_sub(1);
        faults
    }

    /// Runs until nothing is wrong, and says how long that took.
    ///
    /// # Panics
    /// If something is still wrong after `patience`.
    pub(crate) fn settle(&mut self, patience: Duration, context: &str) -> Duration {
        let begun = self.sim.now();
        while self.faults() != Faults::default() {
            let waited = self.sim.now() - begun;
            assert!(waited < patience, "{context}: after {waited:?} {:?}", self.faults());
            self.run(SECOND);
        }
        self.sim.now() - begun
    }

    fn absorb_events(&mut self) {
        for (_, peer, event) in self.sim.drain_events() {
            let view = self.told.entry(peer).or_default();
            match event {
                Event::Up(contact) => {
                    assert!(view.insert(contact.id), "{peer}: up twice");
                    let told = self.departed.get(&contact.id).is_some_and(|told| told.contains(&peer));
                    assert!(!told, "{peer}: {} has left and is up", contact.id);
                }
                Event::Down(other) => assert!(view.remove(&other), "{peer}: down without up"),
                Event::Left(other) if self.out.contains(&other.0) => {
                    let is_new = self.departed.entry(other).or_default().insert(peer);
                    assert!(is_new, "{peer}: {other} left twice");
                }
                Event::Left(_) => {}
                Event::Joined => assert_eq!(view.len(), 1, "{peer}: joined"),
                Event::Isolated => assert!(view.is_empty(), "{peer}: isolated"),
                Event::Evicted => assert!(view.is_empty(), "{peer}: evicted"),
            }
        }
    }

    /// Checks that the events told amount to the active views, event by event.
    pub(crate) fn check_events(&mut self) {
        self.absorb_events();
        for (peer, view) in self.views() {
            let view: BTreeSet<PeerId> = view.iter().map(|contact| contact.id).collect();
            assert_eq!(self.told.get(&peer), Some(&view), "{peer}");
        }
    }
}

/// How many components the undirected graph of views has.
fn components(views: &BTreeMap<PeerId, Vec<Contact>>) -> usize {
    let mut edges: BTreeMap<PeerId, BTreeSet<PeerId>> = BTreeMap::new();
    for (peer, view) in views {
        for other in view.iter().filter(|other| views.contains_key(&other.id)) {
            edges.entry(*peer).or_default().insert(other.id);
            edges.entry(other.id).or_default().insert(*peer);
        }
    }
    let mut seen = BTreeSet::new();
    let mut count = 0;
    for start in views.keys() {
        let mut frontier = vec![*start];
        count += usize::from(!seen.contains(start));
        while let Some(peer) = frontier.pop() {
            if seen.insert(peer) {
                frontier.extend(edges.get(&peer).into_iter().flatten());
            }
        }
    }
    count
}
