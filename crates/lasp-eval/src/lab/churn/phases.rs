//! The experiment: all join within a cycle, nodes are replaced for some time, then all is quiet.

use super::options::Churn;
use super::world::World;
use crate::config::Config;
use crate::lab::seeds::Pace;
use crate::overlay::Shape;
use lasp_overlay::Time;
use lasp_sim::Churn as Trace;
use std::time::Duration;

/// What is counted as one cycle: a shuffle's interval.
pub const CYCLE: Duration = Duration::from_secs(10);

/// How long it takes at most until both ends of a link have confirmed it to each other, or found that they cannot: the interval
/// of confirmations (15 s), and of probes (5 s).
pub const REPAIR: Duration = Duration::from_secs(20);

/// Cycles that the overlay is left alone after all have joined, the one in which they do included.
const SETTLE: u32 = 6;

/// Cycles that it is watched after churn has stopped.
const WATCH: u32 = 6;

/// The overlay at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Seconds since the first node came.
    pub seconds: f64,
    /// Nodes there.
    pub nodes: usize,
    /// Nodes without a neighbour.
    pub isolated: usize,
    /// Sets of nodes with no link between them.
    pub components: usize,
    /// Links that one end alone knows.
    pub asymmetric: usize,
    /// Links to nodes that are gone.
    pub dangling: usize,
    /// Neighbours of a node, mean.
    pub degree: f64,
}

/// One seed's run at one rate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Percent replaced per minute.
    pub rate: u32,
    /// At the end of the cycle in which all joined, and one later.
    pub joined: [Sample; 2],
    /// Cycle by cycle while nodes are replaced.
    pub churning: Vec<Sample>,
    /// After churn has stopped: one cycle, one repair period.
    pub after: [Sample; 2],
    /// Seconds after its end until nobody was isolated, no link was asymmetric or dangling, all were one; none if never seen.
    pub whole: Option<f64>,
    /// Every sample.
    pub curve: Vec<Sample>,
    /// Nodes that left, were reset, vanished.
    pub departed: [u64; 3],
    /// Neighbours lost that were there all the time, while nodes were replaced; and in all.
    pub false_disconnects: [u64; 2],
    /// Bytes of messages per node and second while nodes were replaced.
    pub bytes: f64,
    /// Hash of all that happened.
    pub trace_hash: u64,
}

/// How many steps of [`run`] there are.
pub const fn steps(options: &Churn) -> u64 {
    (SETTLE + cycles(options) + WATCH) as u64
}

const fn cycles(options: &Churn) -> u32 {
    options.minutes * 60 / CYCLE.as_secs() as u32
}

/// Runs it.
pub fn run(config: &Config, options: &Churn, rate: u32, seed: u64, pace: &Pace<'_>) -> Outcome {
    let mut run = Run {
        world: World::new(seed, config.membership, options),
        outcome: Outcome { rate, ..Outcome::default() },
        pace,
    };
    run.join(config.nodes);
    run.churn(config.nodes, options);
    run.watch();
    run.outcome.departed = run.world.departed;
    run.outcome.trace_hash = run.world.trace_hash();
    run.outcome
}

struct Run<'a> {
    world: World,
    outcome: Outcome,
    pace: &'a Pace<'a>,
}

impl Run<'_> {
    fn sample(&mut self) -> Sample {
        let Shape { isolated_nodes, asymmetric_links, dangling_links, components, degrees } = self.world.look();
        let sample = Sample {
            seconds: self.world.now().as_secs_f64(),
            nodes: degrees.len(),
            isolated: isolated_nodes,
            components,
            asymmetric: asymmetric_links,
            dangling: dangling_links,
            degree: degrees.iter().sum::<usize>() as f64 / degrees.len().max(1) as f64,
        };
        self.outcome.curve.push(sample.clone());
        sample
    }

    /// All join within one cycle, at even distances.
    fn join(&mut self, nodes: usize) {
        for node in 0..nodes as u64 {
            self.world.run_until(Time::ZERO + CYCLE * node as u32 / nodes as u32);
            self.world.join(node);
        }
        for cycle in 1..=SETTLE {
            if !self.pace.step() {
                return;
            }
            self.world.run_until(Time::ZERO + CYCLE * cycle);
            let sample = self.sample();
            if let Some(slot) = self.outcome.joined.get_mut(cycle as usize - 1) {
                *slot = sample;
            }
        }
    }

    fn churn(&mut self, nodes: usize, options: &Churn) {
        let (begun, bytes) = (self.world.now(), self.world.bytes());
        let before = self.world.false_disconnects;
        let (share, stretch) = (f64::from(self.outcome.rate) / 100.0, CYCLE * cycles(options));
        let spared = options.contacts as u64;
        let mut trace = Trace::replacing(self.world.rng(), nodes as u64, spared, share, begun, stretch);
        for cycle in 1..=cycles(options) {
            if !self.pace.step() {
                return;
            }
            let until = begun + CYCLE * cycle;
            while let Some(time) = trace.next_time().filter(|time| *time <= until) {
                self.world.run_until(time);
                while let Some(change) = trace.due(time) {
                    self.world.apply(change);
                }
            }
            self.world.run_until(until);
            let sample = self.sample();
            self.outcome.churning.push(sample);
        }
        let all = self.world.false_disconnects;
        self.outcome.false_disconnects = [all - before, all];
        self.outcome.bytes = (self.world.bytes() - bytes) as f64 / nodes as f64 / stretch.as_secs_f64();
    }

    /// Second by second, until all is well and beyond the moments that are asked about.
    fn watch(&mut self) {
        let begun = self.world.now();
        for second in 1..=WATCH * CYCLE.as_secs() as u32 {
            if !self.pace.goes_on() {
                return;
            }
            let passed = Duration::from_secs(second.into());
            self.world.run_until(begun + passed);
            let sample = self.sample();
            let flaws = sample.isolated + sample.asymmetric + sample.dangling;
            if self.outcome.whole.is_none() && flaws == 0 && sample.components == 1 {
                self.outcome.whole = Some(passed.as_secs_f64());
            }
            for (moment, slot) in [CYCLE, REPAIR].into_iter().zip(&mut self.outcome.after) {
                if passed == moment {
                    *slot = sample.clone();
                }
            }
            if second % CYCLE.as_secs() as u32 == 0 {
                self.pace.step();
            }
        }
        self.outcome.false_disconnects[1] = self.world.false_disconnects;
    }
}
