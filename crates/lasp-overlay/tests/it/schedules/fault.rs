//! What goes wrong in a schedule: a network drawn before it begins, and one bad thing after the other while it runs.

use crate::strategy::{CONTACTS, Strategy};
use crate::world::{SECOND, World, id};
use lasp_overlay::membership::Metrics;
use lasp_overlay::{Addr, PeerId, Rng};
use lasp_sim::model::{Direction, Flapping, GilbertElliott};
use lasp_sim::{Config, Latency, RuleId};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

pub(super) const MILLI: Duration = Duration::from_millis(1);

/// The kinds of faults, by name; how often each was drawn is counted.
pub(super) const KINDS: &[&str] = &[
    "loss",
    "bursts",
    "duplication",
    "reordering",
    "long tail",
    "links that never notice",
    "crash",
    "power failure",
    "restart",
    "restart elsewhere",
    "recycled address",
    "total partition",
    "asymmetric partition",
    "flapping partition",
    "one-way block",
    "healing",
    "leave",
    "rejoin",
    "slow peer",
    "clock drift",
    "churn",
];

/// What was drawn so far, and what the peers that were there in the end have counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Drawn(pub(super) BTreeMap<&'static str, u64>, pub(super) Metrics);

impl Drawn {
    fn note(&mut self, kind: &'static str) {
        debug_assert!(KINDS.contains(&kind), "{kind}");
        *self.0.entry(kind).or_default() += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (kind, count) in &other.0 {
            *self.0.entry(kind).or_default() += count;
        }
        self.1 = self.1 + other.1;
    }
}

/// The troubles of one schedule.
pub(super) struct Trouble {
    pub(super) drawn: Drawn,
    pub(super) strategy: Strategy,
    pub(super) count: u64,
    rules: Vec<RuleId>,
    bursts: Option<GilbertElliott>,
    pub(super) network: String,
}

impl Trouble {
    /// Draws what the network is like.
    pub(super) fn new(strategy: Strategy, count: u64, seed: u64, rng: &mut Rng) -> (Self, Config) {
        let mut drawn = Drawn::default();
        let mut network = Config::seeded(seed);
        let mut text = String::new();
        let mut share = |kind, chance: f64, most: f64, rng: &mut Rng| {
            let share = if rng.chance(chance) { rng.unit() * most } else { 0.0 };
            if share > 0.0 {
                drawn.note(kind);
                let _ = write!(text, ", {kind} {share:.2}");
            }
            share
        };
        network.loss = share("loss", 0.4, 0.25, rng);
        let bursts = share("bursts", 0.2, 0.2, rng);
        network.duplicate = share("duplication", 0.4, 0.2, rng);
        network.reorder = share("reordering", 0.4, 0.3, rng);
        if rng.chance(0.2) {
            drawn.note("long tail");
            text.push_str(", long tail");
            network.latency = Latency::LongTail { low: MILLI, high: MILLI * 20, most: MILLI * 500 };
        }
        if rng.chance(0.2) {
            drawn.note("links that never notice");
            text.push_str(", links never notice");
            network.partition_detection = None;
        }
        let bursts = (bursts > 0.0).then(|| GilbertElliott::bursts(bursts, 8.0));
        (Self { drawn, strategy, count, rules: Vec::new(), bursts, network: text }, network)
    }

    /// Puts the network's rules in force.
    pub(super) fn begin(&mut self, world: &mut World) {
        if let Some(bursts) = self.bursts.take() {
            self.rules.push(world.sim.add_rule(bursts));
        }
    }

    fn pick(&self, rng: &mut Rng, which: impl Fn(u64) -> bool) -> Option<u64> {
        let fitting: Vec<u64> = (0..self.count).filter(|n| which(*n)).collect();
        rng.choose(&fitting).copied()
    }

    fn some(&self, rng: &mut Rng) -> BTreeSet<PeerId> {
        (0..self.count).filter(|_| rng.chance(0.5)).map(id).collect()
    }

    /// Whether a peer may listen elsewhere.
    fn may_move(&self, n: u64) -> bool {
        !self.strategy.is_by_address() || !CONTACTS.contains(&n)
    }

    /// Does one bad thing, or undoes one, if there is occasion.
    pub(super) fn strike(&mut self, world: &mut World, rng: &mut Rng) {
        let kind = match rng.below(16) {
            0 | 1 => self.crash(world, rng),
            2 | 3 => self.restart(world, rng),
            4 => self.move_away(world, rng),
            5 => self.swap_addresses(world, rng),
            6 => {
                let group = self.some(rng).into_iter().collect();
                world.sim.partition(&[group]);
                Some("total partition")
            }
            7 => Some(self.flap(world, rng)),
            8 => self.block(world, rng),
            9 | 10 => Some(self.heal(world)),
            11 => self.leave(world, rng),
            12 => self.rejoin(world, rng),
            13 => self.pick(rng, |n| world.is_up(n)).map(|n| {
                world.sim.slow_down(id(n), rng.duration(Duration::ZERO, MILLI * 50));
                "slow peer"
            }),
            14 => self.pick(rng, |n| world.is_up(n)).map(|n| {
                world.sim.drift(id(n), rng.below(100_000) as i32 - 50_000);
                "clock drift"
            }),
            _ => self.churn(world, rng),
        };
        if let Some(kind) = kind {
            self.drawn.note(kind);
        }
    }

    fn crash(&self, world: &mut World, rng: &mut Rng) -> Option<&'static str> {
        let n = self.pick(rng, |n| world.is_up(n))?;
        let silently = rng.chance(0.3);
        world.stop(n, silently);
        Some(if silently { "power failure" } else { "crash" })
    }

    fn restart(&self, world: &mut World, rng: &mut Rng) -> Option<&'static str> {
        let n = self.pick(rng, |n| !world.is_up(n))?;
        world.spawn_joining(n, &CONTACTS);
        Some("restart")
    }

    fn move_away(&self, world: &mut World, rng: &mut Rng) -> Option<&'static str> {
        let n = self.pick(rng, |n| !world.is_up(n) && self.may_move(n))?;
        world.move_to(n, Addr::new(&format!("peer-{n}-elsewhere-{}", rng.below(1000))).expect("short"));
        world.spawn_joining(n, &CONTACTS);
        Some("restart elsewhere")
    }

    /// Of two that are down, one comes back where the other was.
    fn swap_addresses(&self, world: &mut World, rng: &mut Rng) -> Option<&'static str> {
        let n = self.pick(rng, |n| !world.is_up(n) && self.may_move(n))?;
        let other = self.pick(rng, |m| m != n && !world.is_up(m) && self.may_move(m))?;
        let (mine, theirs) = (world.addr(n), world.addr(other));
        world.move_to(n, theirs);
        world.move_to(other, mine);
        world.spawn_joining(n, &CONTACTS);
        Some("recycled address")
    }

    /// A partition that comes and goes, or one that is there to stay in one direction; links stay and are half-open.
    fn flap(&mut self, world: &mut World, rng: &mut Rng) -> &'static str {
        let direction = [Direction::Both, Direction::Out, Direction::In][rng.index(3)];
        let steady = rng.chance(0.3);
        let up = if steady { Duration::ZERO } else { rng.duration(MILLI * 200, SECOND * 8) };
        let rule = Flapping { group: self.some(rng), up, down: rng.duration(MILLI * 200, SECOND * 8), direction };
        self.rules.push(world.sim.add_rule(rule));
        if steady && direction != Direction::Both { "asymmetric partition" } else { "flapping partition" }
    }

    fn block(&self, world: &mut World, rng: &mut Rng) -> Option<&'static str> {
        let n = self.pick(rng, |_| true)?;
        let other = self.pick(rng, |m| m != n)?;
        world.sim.block(id(n), id(other));
        Some("one-way block")
    }

    fn heal(&mut self, world: &mut World) -> &'static str {
        world.sim.heal();
        for rule in self.rules.drain(..) {
            world.sim.remove_rule(rule);
        }
        "healing"
    }

    fn leave(&self, world: &mut World, rng: &mut Rng) -> Option<&'static str> {
        let n = self.pick(rng, |n| world.is_up(n) && !world.out.contains(&n))?;
        world.leave(n);
        Some("leave")
    }

    fn rejoin(&self, world: &mut World, rng: &mut Rng) -> Option<&'static str> {
        let n = self.pick(rng, |n| world.out.contains(&n))?;
        world.join(n, &CONTACTS);
        Some("rejoin")
    }

    /// A third of the peers comes and goes within a few seconds.
    fn churn(&self, world: &mut World, rng: &mut Rng) -> Option<&'static str> {
        for _ in 0..=self.count / 3 {
            let n = rng.below(self.count);
            if world.is_up(n) {
                world.stop(n, false);
            } else {
                world.spawn_joining(n, &CONTACTS);
            }
            world.run(rng.duration(Duration::ZERO, MILLI * 800));
        }
        Some("churn")
    }

    /// Ends every fault. The contacts are there in the end, or nobody could meet; of the others that are down some stay so.
    pub(super) fn end(&mut self, world: &mut World, rng: &mut Rng) {
        self.heal(world);
        let network = world.sim.config_mut();
        (network.loss, network.duplicate, network.reorder) = (0.0, 0.0, 0.0);
        for n in 0..self.count {
            if !world.is_up(n) && (CONTACTS.contains(&n) || rng.chance(0.7)) {
                world.spawn_joining(n, &CONTACTS);
            }
            world.sim.slow_down(id(n), Duration::ZERO);
        }
        for n in CONTACTS {
            if world.out.contains(&n) {
                world.join(n, &CONTACTS);
            }
        }
    }
}
