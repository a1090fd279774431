//! The simulator as its user sees it: peers come, are told things, crash; networks fall apart; time passes.
//!
//! What happens inside an instant is in `effect` (what protocols ask for) and `event` (what comes of
//! it).

use crate::config::Config;
use crate::event::Event;
use crate::fault::Faults;
use crate::link::{Handle, Link, Phase};
use crate::peers::Peers;
use crate::queue::Queue;
use crate::rule::{Rule, RuleId, Rules};
use crate::slab::{Key, Slab};
use crate::stats::Stats;
use crate::trace::{Occurrence, Trace};
use lasp_overlay::{Addr, Contact, Input, Outbox, PeerId, Protocol, Rng, Time, Wire};
use std::fmt;
use std::time::Duration;

/// Many peers that run one protocol, in virtual time, with one seed. The same calls on the same seed give the same
/// run, event by event.
pub struct Simulator<P: Protocol> {
    pub(crate) config: Config,
    pub(crate) now: Time,
    pub(crate) rng: Rng,
    pub(crate) queue: Queue<Event<P>>,
    pub(crate) peers: Peers<P>,
    pub(crate) links: Slab<Link>,
    pub(crate) faults: Faults,
    pub(crate) rules: Rules,
    pub(crate) stats: Stats,
    pub(crate) trace: Trace,
    /// Whether any peer was ever slowed down.
    pub(crate) some_are_slow: bool,
    pub(crate) emitted: Vec<(Time, PeerId, P::Event)>,
    /// Buffers, kept between inputs.
    pub(crate) outbox: Outbox<P>,
    pub(crate) drained: Vec<(PeerId, usize)>,
}

impl<P> Simulator<P>
where
    P: Protocol,
    P::Message: Wire + Clone,
{
    /// An empty world.
    pub fn new(config: Config) -> Self {
        let rng = Rng::new(config.seed);
        Self {
            config,
            now: Time::ZERO,
            rng,
            queue: Queue::new(),
            peers: Peers::new(),
            links: Slab::new(),
            faults: Faults::default(),
            rules: Rules::default(),
            stats: Stats::default(),
            trace: Trace::default(),
            some_are_slow: false,
            emitted: Vec::new(),
            outbox: Outbox::new(),
            drained: Vec::new(),
        }
    }

    /// The same world once more, to try something else in it: what happens in one of them does not show in the other, and
    /// the same calls have the same consequences in both. Rules and the listener stay with the original.
    pub fn fork(&self) -> Self
    where
        P: Clone,
        P::Timer: Clone,
        P::Event: Clone,
    {
        Self {
            config: self.config.clone(),
            now: self.now,
            rng: self.rng.clone(),
            queue: self.queue.clone(),
            peers: self.peers.clone(),
            links: self.links.clone(),
            faults: self.faults.clone(),
            rules: Rules::default(),
            stats: self.stats.clone(),
            trace: self.trace.fork(),
            some_are_slow: self.some_are_slow,
            emitted: self.emitted.clone(),
            outbox: Outbox::new(),
            drained: Vec::new(),
        }
    }

    /// Starts a peer, now. A restart is a crash and another spawn, usually with a higher incarnation.
    ///
    /// # Panics
    /// If a peer with this identity or address is alive.
    pub fn spawn(&mut self, contact: Contact, protocol: P) {
        let id = contact.id;
        let life = self.peers.insert(contact, protocol);
        self.trace.record(self.now, Occurrence::Spawned(id));
        self.handle(life, Input::Start);
    }

    /// Tells a peer something, now; `false` if it is not alive.
    pub fn command(&mut self, id: PeerId, command: P::Command) -> bool {
        let Some(life) = self.peers.life_of(id) else {
            return false;
        };
        self.trace.record(self.now, Occurrence::Commanded(id));
        self.handle(life, Input::Command(command));
        true
    }

    /// Stops a peer without notice and hands back its state, as a disk might have kept it. Its neighbours notice after
    /// [`Config::crash_detection`]; what is on its way to it vanishes.
    pub fn crash(&mut self, id: PeerId) -> Option<P> {
        let life = self.peers.life_of(id)?;
        let peer = self.peers.remove(life)?;
        self.trace.record(self.now, Occurrence::Crashed(id));
        let (low, high) = self.config.crash_detection;
        for (_, handle) in peer.links() {
            let noticed = self.now + self.rng.duration(low, high);
            self.abandon(handle, noticed);
        }
        Some(peer.protocol)
    }

    /// Stops a peer as a power failure does: nobody is told. Whoever sends to it hears a latency later that the link is
    /// gone; a dial to it fails.
    pub fn crash_silently(&mut self, id: PeerId) -> Option<P> {
        let life = self.peers.life_of(id)?;
        let peer = self.peers.remove(life)?;
        self.trace.record(self.now, Occurrence::Crashed(id));
        for (_, handle) in peer.links() {
            self.vanish(handle);
        }
        Some(peer.protocol)
    }

    /// Separates groups of peers from each other, and from all that are in none. Messages across vanish from now on,
    /// dials across fail after [`Config::dial_timeout`], links across go down after
    /// [`Config::partition_detection`]. Replaces an earlier partition; blocks stay.
    pub fn partition(&mut self, groups: &[Vec<PeerId>]) {
        self.faults.partition(groups);
        self.schedule_cuts();
    }

    /// Makes what `from` sends to `to` vanish: an asymmetric partition. As connecting and staying connected need both
    /// directions, links between them go down as in a [`partition`](Self::partition).
    pub fn block(&mut self, from: PeerId, to: PeerId) {
        self.faults.block(from, to);
        self.schedule_cuts();
    }

    /// Ends every partition and block. Links that only one end believes in go down a latency later.
    pub fn heal(&mut self) {
        self.faults.clear();
        let half_open: Vec<Key> = self.links.iter().filter(|(_, link)| link.half_open).map(|(key, _)| key).collect();
        for link in half_open {
            for side in [0, 1] {
                self.reset(Handle { link, side });
            }
        }
    }

    /// Makes a peer take `each` for every message that reaches it, one after the other.
    pub fn slow_down(&mut self, id: PeerId, each: Duration) {
        let Some(life) = self.peers.life_of(id) else {
            return;
        };
        self.some_are_slow |= !each.is_zero();
        if let Some(peer) = self.peers.get_mut(life) {
            peer.slowness = each;
        }
    }

    /// Makes a peer's clock run faster from now on, by parts per million (slower if negative; at most by half): the time it is
    /// told, and the timers it sets.
    pub fn drift(&mut self, id: PeerId, ppm: i32) {
        let now = self.now;
        if let Some(peer) = self.peers.life_of(id).and_then(|life| self.peers.get_mut(life)) {
            peer.clock.drift(now, ppm);
        }
    }

    /// Adds a rule behind those in force.
    pub fn add_rule(&mut self, rule: impl Rule + 'static) -> RuleId {
        self.rules.add(Box::new(rule))
    }

    /// Removes a rule; `false` if it was gone.
    pub fn remove_rule(&mut self, id: RuleId) -> bool {
        self.rules.remove(id)
    }

    /// Processes the next event; `false` if there is none.
    pub fn step(&mut self) -> bool {
        let Some((time, event)) = self.queue.pop() else {
            return false;
        };
        self.now = time;
        self.stats.events += 1;
        self.process(event);
        true
    }

    /// Processes every event up to and including `time`, and makes it `time`.
    pub fn run_until(&mut self, time: Time) {
        while self.queue.next_time().is_some_and(|next| next <= time) {
            self.step();
        }
        self.now = self.now.max(time);
    }

    /// Processes the events of a stretch of time.
    pub fn run_for(&mut self, stretch: Duration) {
        self.run_until(self.now + stretch);
    }

    /// Processes events while `condition` holds, at most up to `deadline`; `true` if the condition ended it. The
    /// condition is asked before each event.
    pub fn run_while(&mut self, deadline: Time, mut condition: impl FnMut(&Self) -> bool) -> bool {
        while condition(self) {
            if self.queue.next_time().is_none_or(|next| next > deadline) {
                self.now = self.now.max(deadline);
                return false;
            }
            self.step();
        }
        true
    }

    /// What protocols told their owners since the last call, oldest first.
    pub fn drain_events(&mut self) -> Vec<(Time, PeerId, P::Event)> {
        std::mem::take(&mut self.emitted)
    }

    /// The time.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// The simulator's own source of randomness, for schedules that shall follow from the same seed.
    pub const fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    /// What the network is like, to be changed at will.
    pub const fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }

    /// A peer that is alive.
    pub fn peer(&self, id: PeerId) -> Option<&P> {
        Some(&self.peers.get(self.peers.life_of(id)?)?.protocol)
    }

    /// A peer that is alive, to be tampered with.
    pub fn peer_mut(&mut self, id: PeerId) -> Option<&mut P> {
        Some(&mut self.peers.get_mut(self.peers.life_of(id)?)?.protocol)
    }

    /// Every peer alive, ascending by identity.
    pub fn peers(&self) -> impl Iterator<Item = (PeerId, &P)> {
        self.peers.iter().map(|(id, peer)| (id, &peer.protocol))
    }

    /// How many peers are alive.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Whether no peer is alive.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Who and where a peer is.
    pub fn contact(&self, id: PeerId) -> Option<&Contact> {
        Some(&self.peers.get(self.peers.life_of(id)?)?.contact)
    }

    /// Who listens at an address.
    pub fn listening_at(&self, addr: &Addr) -> Option<&Contact> {
        Some(&self.peers.get(self.peers.listening_at(addr)?)?.contact)
    }

    /// The peers to which `id` believes it has a link, ascending.
    pub fn links(&self, id: PeerId) -> Vec<PeerId> {
        let Some(peer) = self.peers.life_of(id).and_then(|life| self.peers.get(life)) else {
            return Vec::new();
        };
        let up = |handle: Handle| self.links.get(handle.link).is_some_and(|l| l.ends[handle.near()].phase == Phase::Up);
        peer.links().filter(|(_, handle)| up(*handle)).map(|(peer, _)| peer).collect()
    }

    /// Whether messages of `from` reach `to` through the partitions and blocks in force.
    pub fn reaches(&self, from: PeerId, to: PeerId) -> bool {
        self.faults.passes(from, to)
    }

    /// How many events are pending, timers and messages on their way alike.
    pub fn pending(&self) -> usize {
        self.queue.len()
    }

    /// Counters.
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    /// A hash of everything that happened so far: equal for equal runs.
    pub const fn trace_hash(&self) -> u64 {
        self.trace.hash()
    }

    /// Has every occurrence from now on told to `listener`.
    pub fn on_trace(&mut self, listener: impl FnMut(Time, &Occurrence) + Send + 'static) {
        self.trace.listen(Box::new(listener));
    }
}

impl<P: Protocol> fmt::Debug for Simulator<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator")
            .field("now", &self.now)
            .field("peers", &self.peers.len())
            .field("pending", &self.queue.len())
            .field("trace_hash", &self.trace.hash())
            .finish()
    }
}
