//! The simulator as its user sees it: peers come, are told things, crash; networks fall apart; time passes.
//!
//! How time passes is in [`window`](crate::window); what happens inside an instant in `effect` (what protocols ask for) and
//! `event` (what comes of it).

use crate::config::Config;
use crate::directory::Directory;
use crate::fault::Faults;
use crate::link::{End, Phase};
use crate::peers::{Ghost, Oddity, Peer};
use crate::rule::{Rule, RuleId, Rules};
use crate::shard::{Shard, Turn, World};
use crate::slab::Key;
use crate::stats::Stats;
use crate::trace::{Listener, Occurrence};
use lasp_crdt::fingerprint::mix;
use lasp_overlay::{Addr, Contact, Input, PeerId, Protocol, Rng, Time, Wire};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Many peers that run one protocol, in virtual time, with one seed. The same calls on the same seed give the same
/// run, event by event.
pub struct Simulator<P: Protocol> {
    pub(crate) world: World,
    pub(crate) now: Time,
    pub(crate) shards: Vec<Shard<P>>,
    pub(crate) rules: Rules,
    /// The counters of all shards, if there are several.
    pub(crate) total: Stats,
    pub(crate) listener: Option<Listener>,
}

impl<P> Simulator<P>
where
    P: Protocol,
    P::Message: Wire + Clone,
{
    /// An empty world.
    pub fn new(config: Config) -> Self {
        let bits = config.shards.clamp(1, 256).next_power_of_two().ilog2();
        let shard = |number: usize| {
            let seed = if number == 0 { config.seed } else { mix(config.seed, number as u64) };
            Shard::new(number, bits, Rng::new(seed))
        };
        let shards = (0..1 << bits).map(shard).collect();
        let (directory, faults) = (Directory::new(), Faults::default());
        let world = World { config, directory, faults, some_are_slow: false, readers: BTreeMap::new(), bits };
        Self { world, now: Time::ZERO, shards, rules: Rules::default(), total: Stats::default(), listener: None }
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
            world: self.world.clone(),
            now: self.now,
            shards: self.shards.iter().map(Shard::fork).collect(),
            rules: Rules::default(),
            total: self.total.clone(),
            listener: None,
        }
    }

    /// Starts a peer, now. A restart is a crash and another spawn, usually with a higher incarnation.
    ///
    /// # Panics
    /// If a peer with this identity or address is alive.
    pub fn spawn(&mut self, contact: Contact, protocol: P) {
        let id = contact.id;
        let life = self.world.directory.insert(contact);
        self.shard_mut(life).peers.insert(life, id, protocol);
        self.act(life, |turn| {
            turn.record(Occurrence::Spawned(id));
            turn.handle(life, Input::Start);
        });
    }

    /// Tells a peer something, now; `false` if it is not alive.
    pub fn command(&mut self, id: PeerId, command: P::Command) -> bool {
        let Some(life) = self.world.directory.life_of(id) else {
            return false;
        };
        self.act(life, |turn| {
            turn.record(Occurrence::Commanded(id));
            turn.handle(life, Input::Command(command));
        });
        true
    }

    /// Stops a peer without notice and hands back its state, as a disk might have kept it. Its neighbours notice after
    /// [`Config::crash_detection`]; what is on its way to it vanishes.
    pub fn crash(&mut self, id: PeerId) -> Option<P> {
        let (low, high) = self.world.config.crash_detection;
        self.stop(id, |turn, end| {
            let noticed = turn.shard.now + turn.shard.rng.duration(low, high);
            turn.abandon(id, end, noticed)
        })
    }

    /// Stops a peer as a power failure does: nobody is told. Whoever sends to it hears a latency later that the link is
    /// gone; a dial to it fails.
    pub fn crash_silently(&mut self, id: PeerId) -> Option<P> {
        self.stop(id, |_, _| true)
    }

    /// Ends a life; `each` deals with the ends of its links and says whether the other end is left in ignorance.
    fn stop(&mut self, id: PeerId, mut each: impl FnMut(&mut Turn<'_, P>, &End) -> bool) -> Option<P> {
        let life = self.world.directory.life_of(id)?;
        let Peer { mut ends, protocol, .. } = *self.shard_mut(life).peers.remove(life)?;
        self.world.directory.remove(life);
        let whole = ends.take();
        self.act(life, |turn| {
            turn.record(Occurrence::Crashed(id));
            turn.shard.peers.haunt(life, Ghost { id, ends });
            for end in whole {
                let half_open = each(turn, &end);
                turn.part(life, &end, half_open);
            }
            turn.shard.peers.rest(life);
        });
        Some(protocol)
    }

    /// Separates groups of peers from each other, and from all that are in none. Messages across vanish from now on,
    /// dials across fail after [`Config::dial_timeout`], links across go down after
    /// [`Config::partition_detection`]. Replaces an earlier partition; blocks stay.
    pub fn partition(&mut self, groups: &[Vec<PeerId>]) {
        self.world.faults.partition(groups);
        self.each_shard(|turn| turn.schedule_cuts());
    }

    /// Makes what `from` sends to `to` vanish: an asymmetric partition. As connecting and staying connected need both
    /// directions, links between them go down as in a [`partition`](Self::partition).
    pub fn block(&mut self, from: PeerId, to: PeerId) {
        self.world.faults.block(from, to);
        self.each_shard(|turn| turn.schedule_cuts());
    }

    /// Ends every partition and block. Links that only one end believes in go down a latency later.
    pub fn heal(&mut self) {
        self.world.faults.clear();
        self.each_shard(|turn| turn.reset_half_open());
    }

    /// Makes a peer take `each` for every message that reaches it, one after the other.
    pub fn slow_down(&mut self, id: PeerId, each: Duration) {
        let odd = self.oddity(id).map(|odd| odd.slowness = each);
        self.world.some_are_slow |= odd.is_some() && !each.is_zero();
    }

    /// Makes each link towards a peer take so many bytes per second from now on, at most: it reads slowly.
    pub fn throttle(&mut self, id: PeerId, bytes_per_second: u64) {
        self.world.readers.insert(id, bytes_per_second);
    }

    /// Makes a peer's clock run faster from now on, by parts per million (slower if negative; at most by half): the time it is
    /// told, and the timers it sets.
    pub fn drift(&mut self, id: PeerId, ppm: i32) {
        let now = self.now;
        if let Some(odd) = self.oddity(id) {
            odd.clock.drift(now, ppm);
        }
    }

    fn oddity(&mut self, id: PeerId) -> Option<&mut Oddity> {
        let life = self.world.directory.life_of(id)?;
        self.shard_mut(life).peers.get_mut(life).map(Peer::oddity)
    }

    /// Adds a rule behind those in force.
    pub fn add_rule(&mut self, rule: impl Rule + 'static) -> RuleId {
        self.rules.add(Box::new(rule))
    }

    /// Removes a rule; `false` if it was gone.
    pub fn remove_rule(&mut self, id: RuleId) -> bool {
        self.rules.remove(id)
    }

    /// What protocols told their owners since the last call, oldest first.
    pub fn drain_events(&mut self) -> Vec<(Time, PeerId, P::Event)> {
        let mut shards = self.shards.iter_mut();
        let mut events = shards.next().map(|shard| std::mem::take(&mut shard.emitted)).unwrap_or_default();
        shards.for_each(|shard| events.append(&mut shard.emitted));
        events.sort_by_key(|(time, ..)| *time);
        events
    }

    /// The time.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// The simulator's own source of randomness, for schedules that shall follow from the same seed.
    pub fn rng(&mut self) -> &mut Rng {
        &mut self.shards[0].rng
    }

    /// What the network is like, to be changed at will but for the number of shards.
    pub const fn config_mut(&mut self) -> &mut Config {
        &mut self.world.config
    }

    /// A peer that is alive.
    pub fn peer(&self, id: PeerId) -> Option<&P> {
        self.resident(self.world.directory.life_of(id)?).map(|peer| &peer.protocol)
    }

    /// A peer that is alive, to be tampered with.
    pub fn peer_mut(&mut self, id: PeerId) -> Option<&mut P> {
        let life = self.world.directory.life_of(id)?;
        Some(&mut self.shard_mut(life).peers.get_mut(life)?.protocol)
    }

    /// Every peer alive, ascending by identity.
    pub fn peers(&self) -> impl Iterator<Item = (PeerId, &P)> {
        self.world.directory.iter().filter_map(|(id, life)| Some((id, &self.resident(life)?.protocol)))
    }

    /// How many peers are alive.
    pub fn len(&self) -> usize {
        self.world.directory.len()
    }

    /// Whether no peer is alive.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Who and where a peer is.
    pub fn contact(&self, id: PeerId) -> Option<&Contact> {
        self.world.directory.get(self.world.directory.life_of(id)?)
    }

    /// Who listens at an address.
    pub fn listening_at(&self, addr: &Addr) -> Option<&Contact> {
        self.world.directory.get(self.world.directory.listening_at(addr)?)
    }

    /// The peers to which `id` believes it has a link, ascending.
    pub fn links(&self, id: PeerId) -> Vec<PeerId> {
        let Some(peer) = self.world.directory.life_of(id).and_then(|life| self.resident(life)) else {
            return Vec::new();
        };
        peer.ends.iter().filter(|end| end.phase == Phase::Up).map(|end| end.peer).collect()
    }

    /// Whether messages of `from` reach `to` through the partitions and blocks in force.
    pub fn reaches(&self, from: PeerId, to: PeerId) -> bool {
        self.world.faults.passes(from, to)
    }

    /// How many events are pending, timers and messages on their way alike.
    pub fn pending(&self) -> usize {
        self.shards.iter().map(|shard| shard.queue.len()).sum()
    }

    /// Counters.
    pub fn stats(&self) -> &Stats {
        if let [only] = &self.shards[..] { &only.stats } else { &self.total }
    }

    /// A hash of everything that happened so far: equal for equal runs.
    pub fn trace_hash(&self) -> u64 {
        self.shards.iter().map(|shard| shard.trace.hash()).reduce(mix).unwrap_or_default()
    }

    /// Has every occurrence from now on told to `listener`, in the order of time.
    pub fn on_trace(&mut self, listener: impl FnMut(Time, &Occurrence) + Send + 'static) {
        self.shards.iter_mut().for_each(|shard| shard.trace.keep());
        self.listener = Some(Box::new(listener));
    }

    fn resident(&self, life: Key) -> Option<&Peer<P>> {
        self.shards[self.world.shard_of(life)].peers.get(life)
    }

    fn shard_mut(&mut self, life: Key) -> &mut Shard<P> {
        &mut self.shards[self.world.shard_of(life)]
    }

    /// Does something at the shard of a life, now.
    fn act(&mut self, life: Key, act: impl FnOnce(&mut Turn<'_, P>)) {
        let shard = self.world.shard_of(life);
        self.turn(shard, act);
        self.deliver_from(shard);
        self.take_stock();
    }

    fn each_shard(&mut self, mut act: impl FnMut(&mut Turn<'_, P>)) {
        for shard in 0..self.shards.len() {
            self.turn(shard, &mut act);
            self.deliver_from(shard);
        }
        self.take_stock();
    }

    fn turn(&mut self, shard: usize, act: impl FnOnce(&mut Turn<'_, P>)) {
        let shard = &mut self.shards[shard];
        (shard.now, shard.border) = (self.now, self.now);
        act(&mut Turn { shard, world: &self.world, rules: &mut self.rules });
    }
}

impl<P: Protocol> fmt::Debug for Simulator<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator")
            .field("now", &self.now)
            .field("peers", &self.world.directory.len())
            .field("shards", &self.shards.len())
            .finish_non_exhaustive()
    }
}
