//! The phases of the experiment: everybody joins, some crash, some hear badly, some are heard badly.

use super::options::Rapid;
use super::world::{LOOK_EVERY, Look, World};
use crate::lab::seeds::Pace;
use crate::lab::traffic::{Meter, Rates};
use lasp_overlay::membership::full::Config;
use lasp_overlay::{PeerId, Rng, Time};
use lasp_sim::model::{Direction, Flapping};
use lasp_sim::{Route, Verdict};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a cluster is given to agree, to notice, or to recover.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long it is left alone before what it costs at rest is counted, and how long that takes: some rounds of every timer.
const REST: Duration = Duration::from_secs(60);

/// How often nodes are looked at while they join.
const GLANCE_EVERY: Duration = Duration::from_millis(10);

/// The same in a second.
const GLANCES: u32 = 100;

/// Looks in a second.
const LOOKS: u32 = 10;

/// How many steps of [`run`] there are.
pub const STEPS: u64 = 6;

/// Everybody joins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bootstrap {
    /// Seconds until all nodes had the same map of all of them; none if they did not get there.
    pub agreed: Option<f64>,
    /// Seconds until everybody was linked to everybody.
    pub linked: Option<f64>,
    /// Different sizes of the cluster that any node saw at the full seconds, and at all looks.
    pub sizes: (usize, usize),
    /// At each look: seconds, how many different sizes there are, the mean size.
    pub curve: Vec<(f64, usize, f64)>,
    /// What it cost a node in all.
    pub bytes: f64,
    /// Messages a node sent.
    pub messages: f64,
    /// What the contact sent.
    pub contact_bytes: f64,
}

/// Some crash at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Crash {
    /// Seconds until a survivor suspected one, by victim.
    pub first: Vec<f64>,
    /// Seconds until every survivor suspected all.
    pub all_suspect: Option<f64>,
    /// Seconds until a survivor counted one as unreachable.
    pub first_removed: Option<f64>,
    /// Seconds until every survivor counted all as unreachable.
    pub all_removed: Option<f64>,
    /// Healthy nodes that some survivor suspected, that some survivor took for unreachable.
    pub healthy: (usize, usize),
    /// At each second: share of survivors' verdicts that are suspicion, and unreachable.
    pub curve: Vec<(f64, f64, f64)>,
    /// What it cost.
    pub rates: Rates,
}

/// Some nodes are faulty for a while.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trouble {
    /// Healthy nodes that some healthy node suspected at some time, that some took for unreachable.
    pub healthy: (usize, usize),
    /// The same of faulty nodes.
    pub faulty: (usize, usize),
    /// At each second: members that count as reachable at a healthy node, least and mean.
    pub curve: Vec<(f64, usize, f64)>,
    /// Seconds after its end until nobody suspected anybody and everybody was reachable again.
    pub recovered: Option<f64>,
    /// What it cost.
    pub rates: Rates,
}

/// One seed's run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Everybody joins.
    pub bootstrap: Bootstrap,
    /// At rest.
    pub rest: Rates,
    /// Suspicions begun at rest.
    pub rest_suspicions: u64,
    /// Hosts go dark: nothing is reset, nothing answers.
    pub dark: Crash,
    /// Processes die: their connections are reset.
    pub reset: Crash,
    /// Nothing reaches some, then all does, again and again.
    pub flip: Trouble,
    /// Most of what some send is lost.
    pub loss: Trouble,
    /// Hash of all that happened in the last world.
    pub trace_hash: u64,
}

/// Runs all phases, each but the first from a copy of what the first came to.
pub fn run(nodes: usize, seed: u64, options: &Rapid, pace: &Pace<'_>) -> Outcome {
    let evict_after = options.evict_after.map(crate::span::Span::duration);
    let config = Config { evict_after, ..Config::default() };
    let mut outcome = Outcome::default();
    let mut world = World::seed(nodes, seed, &config);
    outcome.bootstrap = bootstrap(&mut world, &config, pace);
    pace.step();
    (outcome.rest, outcome.rest_suspicions) = rest(&mut world, pace);
    pace.step();
    outcome.dark = crash(world.fork(), options, true, pace);
    pace.step();
    outcome.reset = crash(world.fork(), options, false, pace);
    pace.step();
    outcome.flip = flip(world.fork(), options, pace);
    pace.step();
    outcome.loss = lose(&mut world, options, pace);
    pace.step();
    outcome.trace_hash = world.simulator.trace_hash();
    outcome
}

/// Seconds since a moment.
fn since(world: &World, begun: Time) -> f64 {
    world.now().since(begun).as_secs_f64()
}

fn looks(time: Duration) -> u32 {
    (time.as_micros() / LOOK_EVERY.as_micros()) as u32
}

fn bootstrap(world: &mut World, config: &Config, pace: &Pace<'_>) -> Bootstrap {
    let begun = world.now();
    let mut seen = Bootstrap::default();
    let (mut logged, mut any) = (BTreeSet::<usize>::new(), BTreeSet::<usize>::new());
    world.join_all(config);
    for glance in 1..=looks(PATIENCE) * (GLANCES / LOOKS) {
        world.pass_for(GLANCE_EVERY);
        let sizes: Vec<usize> = world.sizes().collect();
        let distinct: BTreeSet<usize> = sizes.iter().copied().collect();
        if glance % GLANCES == 0 {
            logged.extend(&distinct);
        }
        any.extend(&distinct);
        let mean = sizes.iter().sum::<usize>() as f64 / sizes.len() as f64;
        seen.curve.push((since(world, begun), distinct.len(), mean));
        if seen.agreed.is_none() && world.agrees() {
            seen.agreed = Some(since(world, begun));
        }
        if seen.linked.is_none() && seen.agreed.is_some() && world.is_linked() {
            seen.linked = Some(since(world, begun));
        }
        // To the next full second, for that is when nodes log what they see.
        if (seen.linked.is_some() && glance % GLANCES == 0) || !pace.goes_on() {
            break;
        }
    }
    seen.sizes = (logged.len(), any.len());
    let mut totals = world.simulator.peers().map(|(_, peer)| peer.total());
    let contact = totals.next().unwrap_or_default();
    let all = totals.fold(contact, |all, sent| all.and(sent));
    let each = world.simulator.len().max(1) as f64;
    (seen.bytes, seen.messages) = (all.bytes as f64 / each, all.messages as f64 / each);
    seen.contact_bytes = contact.bytes as f64;
    seen
}

fn rest(world: &mut World, pace: &Pace<'_>) -> (Rates, u64) {
    let seconds = REST.as_secs();
    for _ in 0..looks(REST) {
        world.pass();
    }
    let suspicions = |world: &World| world.peers().map(|(_, peer)| metric(peer)).sum::<u64>();
    let (before, mut meter) = (suspicions(world), Meter::new(world.sent(&BTreeSet::new())));
    for _ in 0..seconds {
        if !pace.goes_on() {
            break;
        }
        (0..LOOKS).for_each(|_| world.pass());
        meter.second(world.sent(&BTreeSet::new()));
    }
    (meter.rates(seconds as f64), suspicions(world) - before)
}

fn metric(peer: &lasp_overlay::membership::full::FullMesh) -> u64 {
    use lasp_overlay::membership::Membership as _;
    peer.metrics().suspicions
}

/// What healthy nodes think of healthy and of faulty ones, over time.
#[derive(Default)]
struct Judged {
    healthy: (BTreeSet<PeerId>, BTreeSet<PeerId>),
    faulty: (BTreeSet<PeerId>, BTreeSet<PeerId>),
}

impl Judged {
    fn add(&mut self, look: &Look, faulty: &BTreeSet<PeerId>) {
        for (all, slots) in [
            (&look.suspected, [&mut self.healthy.0, &mut self.faulty.0]),
            (&look.removed, [&mut self.healthy.1, &mut self.faulty.1]),
        ] {
            let [good, bad] = slots;
            for peer in all {
                if faulty.contains(peer) {
                    bad.insert(*peer)
                } else {
                    good.insert(*peer)
                };
            }
        }
    }

    fn counts((suspected, removed): &(BTreeSet<PeerId>, BTreeSet<PeerId>)) -> (usize, usize) {
        (suspected.len(), removed.len())
    }
}

fn crash(mut world: World, options: &Rapid, dark: bool, pace: &Pace<'_>) -> Crash {
    let victims = world.choose(options.crashes);
    // At any moment of a period, not at one that the last phase ended with.
    let lead = world.simulator.rng().duration(Duration::ZERO, Duration::from_secs(2));
    world.simulator.run_for(lead);
    let begun = world.now();
    if dark {
        world.simulator.partition(&victims.iter().map(|victim| vec![*victim]).collect::<Vec<_>>());
    } else {
        victims.iter().for_each(|victim| drop(world.simulator.crash(*victim)));
    }
    let survivors = world.peers().filter(|(id, _)| !victims.contains(id)).count();
    let verdicts = (survivors * victims.len()) as f64;
    let (mut seen, mut judged, mut meter) = (Crash::default(), Judged::default(), Meter::new(world.sent(&victims)));
    let mut found = BTreeSet::new();
    for at in 1..=looks(PATIENCE) {
        world.pass();
        judged.add(&world.look(&victims, None), &victims);
        let look = world.look(&victims, Some(&victims));
        for victim in &look.suspected {
            if found.insert(*victim) {
                seen.first.push(since(&world, begun));
            }
        }
        let reached = |share: usize, at: f64| (share as f64 >= at).then(|| since(&world, begun));
        let positive = 1.0;
        seen.all_suspect = seen.all_suspect.or_else(|| reached(look.suspecting, verdicts));
        seen.first_removed = seen.first_removed.or_else(|| reached(look.removing, positive));
        seen.all_removed = seen.all_removed.or_else(|| reached(look.removing, verdicts));
        if at % LOOKS == 0 {
            meter.second(world.sent(&victims));
            let share = |count: usize| 100.0 * count as f64 / verdicts;
            seen.curve.push((since(&world, begun), share(look.suspecting), share(look.removing)));
            if seen.all_removed.is_some() || !pace.goes_on() {
                break;
            }
        }
    }
    seen.healthy = Judged::counts(&judged.healthy);
    seen.rates = meter.rates(since(&world, begun));
    seen
}

fn flip(mut world: World, options: &Rapid, pace: &Pace<'_>) -> Trouble {
    let faulty = world.choose(options.faulty_nodes(world.simulator.len()));
    let (up, down) = (options.flip.duration(), options.flip.duration());
    let rule = Flapping { group: faulty.clone(), up, down, direction: Direction::In };
    let id = world.simulator.add_rule(rule);
    let seen = trouble(&mut world, options, &faulty, pace);
    world.simulator.remove_rule(id);
    recover(&mut world, seen, pace)
}

fn lose(world: &mut World, options: &Rapid, pace: &Pace<'_>) -> Trouble {
    let faulty = world.choose(options.faulty_nodes(world.simulator.len()));
    let (senders, share) = (faulty.clone(), f64::from(options.egress_loss) / 100.0);
    let rule = move |_: Time, route: Route, rng: &mut Rng| {
        if senders.contains(&route.from) && rng.chance(share) { Verdict::Drop } else { Verdict::Pass }
    };
    let id = world.simulator.add_rule(rule);
    let seen = trouble(world, options, &faulty, pace);
    world.simulator.remove_rule(id);
    recover(world, seen, pace)
}

fn trouble(world: &mut World, options: &Rapid, faulty: &BTreeSet<PeerId>, pace: &Pace<'_>) -> Trouble {
    let begun = world.now();
    let (mut seen, mut judged, mut meter) =
        (Trouble::default(), Judged::default(), Meter::new(world.sent(&BTreeSet::new())));
    for at in 1..=looks(options.trouble.duration()) {
        world.pass();
        let look = world.look(faulty, None);
        judged.add(&look, faulty);
        if at % LOOKS == 0 {
            meter.second(world.sent(&BTreeSet::new()));
            seen.curve.push((since(world, begun), look.reachable.0, look.reachable.1));
            if !pace.goes_on() {
                break;
            }
        }
    }
    (seen.healthy, seen.faulty) = (Judged::counts(&judged.healthy), Judged::counts(&judged.faulty));
    seen.rates = meter.rates(since(world, begun));
    seen
}

/// The faults are over: how long it takes until nothing is held against anybody. Who was evicted stays out.
fn recover(world: &mut World, mut seen: Trouble, pace: &Pace<'_>) -> Trouble {
    let begun = world.now();
    for _ in 0..looks(PATIENCE) {
        if !pace.goes_on() {
            break;
        }
        world.pass();
        let look = world.look(&BTreeSet::new(), None);
        if look.suspecting == 0 {
            seen.recovered = Some(since(world, begun));
            break;
        }
    }
    seen
}
