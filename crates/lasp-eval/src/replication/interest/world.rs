//! The nodes, what each of them wants, and the load.
//!
//! Every variable is an add-wins set; an update adds an element of random letters. Who updates is drawn from those who want the
//! variable, or now and then from all others. What is drawn does not depend on what nodes hear.

use super::options::Interest;
use super::{Hearing, Job};
use crate::lab::metered::address;
use crate::lab::seeds::Pace;
use crate::ledger::{Account, Ledger};
use crate::replication::bench::{Bench, Sent};
use crate::stats::mean;
use crate::tree::Search;
use lasp_dataflow::{Op, State, Type, Value};
use lasp_node::{Command, Interests, Node, Request};
use lasp_overlay::{PeerId, Rng};
use lasp_sim::Latency;
use std::time::Duration;

/// One way of a message: a data centre's, as the simulator has it by default.
const LATENCY: Latency = Latency::Uniform(Duration::from_millis(1), Duration::from_millis(5));

/// Over how long nodes join.
const JOINING: Duration = Duration::from_secs(20);

/// Between two looks whether everybody has everything.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Between two looks at all nodes while the load goes on. A guess: a hundred.
const SEE_EVERY: Duration = Duration::from_secs(1);

/// After how many looks a run is given up.
const LOOKS: u32 = 600;

/// What one run came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Bytes of deltas and states that each node received for the load, ascending.
    pub received: Vec<u64>,
    /// What all nodes sent for the load.
    pub load: Sent,
    /// What they had sent before, while overlay, tree and summaries formed.
    pub before: Sent,
    /// Pairs of a node and a variable that it wants, and of these, those that have all that was written.
    pub pairs: (u64, u64),
    /// From the last update until all were complete, in seconds.
    pub settled_after: f64,
    /// Variables that a node keeps, mean.
    pub kept: f64,
    /// Entries that a node keeps, in variables and for synchronisation, mean.
    pub entries: f64,
    /// Nodes that lie in the broadcast tree between those that want a variable, and those, in percent of all: mean over
    /// variables.
    pub between: f64,
    /// The longest way in the tree from node 0, in hops.
    pub deepest: f64,
    /// Updates made.
    pub updates: u64,
    /// How long the load took, in seconds.
    pub seconds: f64,
    /// From the moment that some nodes wanted another variable until they had it, in seconds; and the bytes of deltas and
    /// states that all nodes sent in the meantime. `None` where nodes hear everything, or none changed.
    pub changed: Option<(f64, u64)>,
    /// What they sent for the load, by class and over time.
    pub account: Option<Account>,
    /// Hash of all that happened.
    pub trace_hash: u64,
}

/// The nodes and their load.
#[derive(Debug)]
pub struct World {
    bench: Bench,
    options: Interest,
    hearing: Hearing,
    rng: Rng,
    /// Variables by node, ascending.
    wanted: Vec<Vec<usize>>,
    /// How many elements each variable was given.
    written: Vec<usize>,
    nodes: usize,
}

/// What a variable is called: none is the beginning of another.
fn name(variable: usize) -> String {
    format!("v{variable:06}")
}

impl World {
    /// Nodes that join one after the other.
    pub fn new(nodes: usize, options: &Interest, job: &Job) -> Self {
        let mut rng = Rng::new(job.seed);
        let wanted: Vec<Vec<usize>> = (0..nodes).map(|_| draw(&mut rng, options)).collect();
        let mut bench = Bench::new(LATENCY, job.seed);
        for (node, wanted) in wanted.iter().enumerate() {
            let interests = match job.hearing {
                Hearing::Wanted => Interests::prefixes(wanted.iter().map(|&variable| name(variable))),
                Hearing::Everything => Interests::All,
            };
            bench.spawn(node, lasp_node::Config { interests, ..lasp_node::Config::default() }, &mut rng);
            if node > 0 {
                let through = address(rng.index(node));
                bench.simulator.command(PeerId(node as u64), Command::Join(vec![through]));
            }
            bench.simulator.run_for(JOINING / nodes as u32);
        }
        let written = vec![0; options.variables];
        Self { bench, options: options.clone(), hearing: job.hearing, rng, wanted, written, nodes }
    }

    /// Runs the load, and waits until everybody has what it wants.
    pub fn run(mut self, pace: &Pace<'_>) -> Outcome {
        self.bench.simulator.run_for(self.options.forming.duration());
        self.bench.simulator.drain_events();
        let (before, start) = (self.bench.sent(), self.bench.now());
        let received: Vec<u64> = self.received();
        let mut ledger = self.bench.open(SEE_EVERY);
        let Some(updates) = self.load(&mut ledger, pace) else { return Outcome::default() };
        let ended = self.bench.now();
        let complete = self.wait(Some(&mut ledger));
        let account = Some(self.bench.close(ledger, updates));
        let load = self.bench.sent().since(before);
        let mut received: Vec<u64> =
            self.received().into_iter().zip(received).map(|(after, before)| after - before).collect();
        received.sort_unstable();
        let (links, deepest) = self.tree();
        let outcome = Outcome {
            received,
            load,
            before,
            pairs: (self.pairs(), complete),
            settled_after: (self.bench.now() - ended).as_secs_f64(),
            kept: self.mean(|node| {
                node.graph()
                    .vars()
                    .filter(|(var, _)| node.graph().state(*var).is_some_and(|state| !state.is_bottom()))
                    .count()
            }),
            entries: self.mean(entries),
            updates,
            between: between(&links, &self.wanted, self.options.variables),
            deepest: deepest as f64,
            seconds: (ended - start).as_secs_f64(),
            account,
            ..Outcome::default()
        };
        let changed = self.change();
        Outcome { changed, trace_hash: self.bench.simulator.trace_hash(), ..outcome }
    }

    /// Makes the updates, one after the other; `None` if there was a wish to end.
    fn load(&mut self, ledger: &mut Ledger, pace: &Pace<'_>) -> Option<u64> {
        let mut order: Vec<usize> =
            (0..self.options.variables).flat_map(|variable| vec![variable; self.options.updates]).collect();
        self.rng.shuffle(&mut order);
        let (mut updates, mut next) = (0, self.bench.now() + SEE_EVERY);
        for (at, variable) in order.into_iter().enumerate() {
            updates += u64::from(self.update(variable));
            self.bench.simulator.run_for(Duration::from_secs(1) / self.options.rate as u32);
            if self.bench.now() >= next {
                self.bench.note(ledger);
                next = next + SEE_EVERY;
            }
            if at % 64 == 0 {
                self.bench.simulator.drain_events();
            }
            if !pace.step() {
                return None;
            }
        }
        Some(updates)
    }

    /// Somebody adds an element to a variable.
    fn update(&mut self, variable: usize) -> bool {
        let stranger = self.rng.unit() < self.options.strangers;
        let wants = |node: &usize| self.wanted[*node].binary_search(&variable).is_ok();
        let (wanting, others): (Vec<usize>, Vec<usize>) = (0..self.nodes).partition(wants);
        let drawn = if stranger { &others } else { &wanting };
        if wanting.is_empty() || drawn.is_empty() {
            return false;
        }
        let node = drawn[self.rng.index(drawn.len())];
        let element = letters(self.options.letters, &mut self.rng);
        self.written[variable] += 1;
        self.bench.update_unheard(node, &name(variable), &Type::AwSet, Op::Add(Value::from(element)))
    }

    /// Links of the broadcast tree by node, and the longest way in it from node 0.
    fn tree(&self) -> (Vec<Vec<usize>>, usize) {
        let eager = |node: usize| self.bench.node(node).broadcast().eager().map(|peer| peer.0 as usize);
        let links: Vec<Vec<usize>> = (0..self.nodes)
            .map(|node| eager(node).filter(|&other| eager(other).any(|back| back == node)).collect())
            .collect();
        let deepest = Search::from(&links, 0).farthest();
        (links, deepest)
    }

    fn received(&self) -> Vec<u64> {
        self.bench.simulator.peers().map(|(_, node)| node.metrics().state_received).collect()
    }

    fn mean(&self, of: impl Fn(&Node) -> usize) -> f64 {
        self.bench.simulator.peers().map(|(_, node)| of(node) as f64).sum::<f64>() / self.nodes as f64
    }

    /// Nodes and variables that they want.
    fn pairs(&self) -> u64 {
        self.wanted.iter().flatten().filter(|&&variable| self.written[variable] > 0).count() as u64
    }

    /// Of these, those that have every element.
    fn complete(&self) -> u64 {
        let has = |node: usize, variable: usize| self.elements(node, variable) == self.written[variable];
        let pairs =
            self.wanted.iter().enumerate().flat_map(|(node, wanted)| wanted.iter().map(move |&var| (node, var)));
        pairs.filter(|&(node, variable)| self.written[variable] > 0 && has(node, variable)).count() as u64
    }

    fn elements(&self, node: usize, variable: usize) -> usize {
        let graph = self.bench.node(node).graph();
        let state = graph.lookup(&name(variable)).and_then(|var| graph.state(var));
        state.and_then(State::cardinality).unwrap_or(0)
    }

    /// Waits until every pair is complete, or not any more; how many are.
    fn wait(&mut self, mut ledger: Option<&mut Ledger>) -> u64 {
        let mut complete = self.complete();
        for _ in 0..LOOKS {
            if complete == self.pairs() {
                break;
            }
            self.bench.simulator.run_for(LOOK_EVERY);
            if let Some(ledger) = &mut ledger {
                self.bench.note(ledger);
            }
            complete = self.complete();
        }
        self.bench.simulator.drain_events();
        complete
    }

    /// Some nodes want another variable instead of one of theirs.
    fn change(&mut self) -> Option<(f64, u64)> {
        if self.hearing == Hearing::Everything || self.options.changes == 0 {
            return None;
        }
        let (start, before) = (self.bench.now(), self.bench.sent());
        for _ in 0..self.options.changes {
            let node = self.rng.index(self.nodes);
            let written: Vec<usize> = (0..self.written.len())
                .filter(|variable| self.written[*variable] > 0 && self.wanted[node].binary_search(variable).is_err())
                .collect();
            let Some(&other) = written.get(self.rng.index(written.len().max(1))) else { continue };
            let place = self.rng.index(self.wanted[node].len());
            self.wanted[node][place] = other;
            self.wanted[node].sort_unstable();
            let names = self.wanted[node].iter().map(|&variable| name(variable));
            let interests = Interests::prefixes(names);
            self.bench.request(node, Request::Interests(interests));
        }
        let complete = self.wait(None) == self.pairs();
        let sent = self.bench.sent().since(before);
        complete.then(|| ((self.bench.now() - start).as_secs_f64(), sent.state))
    }
}

/// Which nodes lie between those that want the same variable in a tree, in percent of all: mean over variables. Those that want it
/// are among them.
fn between(links: &[Vec<usize>], wanted: &[Vec<usize>], variables: usize) -> f64 {
    let mut shares = Vec::new();
    for variable in 0..variables {
        let wants: Vec<bool> = wanted.iter().map(|wanted| wanted.binary_search(&variable).is_ok()).collect();
        let mut degree: Vec<usize> = links.iter().map(Vec::len).collect();
        let mut left = vec![true; links.len()];
        let mut ends: Vec<usize> = (0..links.len()).filter(|&node| degree[node] <= 1 && !wants[node]).collect();
        while let Some(node) = ends.pop() {
            left[node] = false;
            for &other in links[node].iter().filter(|&&other| left[other]) {
                degree[other] -= 1;
                if degree[other] == 1 && !wants[other] {
                    ends.push(other);
                }
            }
        }
        shares.push(100.0 * left.iter().filter(|&&left| left).count() as f64 / links.len() as f64);
    }
    mean(&shares)
}

/// Entries that a node keeps.
fn entries(node: &Node) -> usize {
    let graph = node.graph();
    let held: usize = graph.vars().filter_map(|(var, _)| graph.state(var)).map(State::entries).sum();
    held + node.buffered_entries()
}

/// What a node wants, ascending.
fn draw(rng: &mut Rng, options: &Interest) -> Vec<usize> {
    let mut all: Vec<usize> = (0..options.variables).collect();
    rng.shuffle(&mut all);
    all.truncate(options.wanted_each());
    all.sort_unstable();
    all
}

fn letters(count: usize, rng: &mut Rng) -> String {
    (0..count).map(|_| char::from(b'a' + rng.below(26) as u8)).collect()
}
