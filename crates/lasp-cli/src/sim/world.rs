//! The simulated cluster: a thread lets its time pass in small steps; between them whoever serves the page looks and acts.
//!
//! The first node has a host, so that pages read and write its variables as those of any node. All others are bare machines.

use lasp::host::{Host, HostConfig};
use lasp::http::{Action, World, WorldState};
use lasp::{Lasp, Record};
use lasp_dataflow::{Name, Op, Type};
use lasp_node::{Command, Event, Label, Node, Reply, Request, RequestId};
use lasp_overlay::{Addr, Contact, PeerId, Rng, Time};
use lasp_sim::Simulator;
use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Real time of one round of the thread.
const ROUND: Duration = Duration::from_millis(16);

/// How much of a round may be spent on the world. A guess that leaves room for those who look.
const WORK: Duration = Duration::from_millis(12);

/// Virtual time between two looks at the real clock.
const STEP: Duration = Duration::from_millis(5);

/// Nodes start one after the other, all of them within this virtual time.
const ALL_STARTED: Duration = Duration::from_secs(5);

/// The node that serves the page: it is never taken down.
const FIRST: PeerId = PeerId(1);

/// What updates are made to.
const PULSE: &str = "pulse";

/// Requests of the world's own; hosts count theirs from 0.
const OWN: RequestId = RequestId(u64::MAX);

/// Shared by the thread and whoever looks.
#[derive(Debug)]
pub(super) struct Simulated {
    inner: Arc<Mutex<Inner>>,
    /// How many wait to look: the thread lets them.
    waiting: Arc<AtomicUsize>,
}

struct Inner {
    simulator: Simulator<Node>,
    host: Host,
    rng: Rng,
    /// The number of the next new node.
    next: u64,
    /// Nodes to be started, and when.
    births: Vec<(Time, u64)>,
    /// Who crashed and may come back, with the life that is next.
    crashed: BTreeSet<(PeerId, u64)>,
    state: WorldState,
    /// What churn and updates have come to beyond what was done.
    owed: (f64, f64),
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Simulated {
    /// A world whose time passes from now on, and a handle to its first node.
    ///
    /// # Errors
    /// If no thread can be had.
    pub(super) fn start(nodes: u64, seed: u64, speed: f64) -> io::Result<(Self, Lasp)> {
        let (host, lasp) = Host::new(HostConfig::default());
        let inner = Arc::new(Mutex::new(Inner::new(host, nodes, seed, speed)));
        let world = Self { inner: inner.clone(), waiting: Arc::default() };
        let waiting = world.waiting.clone();
        thread::Builder::new().name("world".to_owned()).spawn(move || live(&inner, &waiting))?;
        Ok((world, lasp))
    }

    fn look<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let result = look(&mut lock(&self.inner));
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        result
    }
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets time pass for ever.
fn live(inner: &Mutex<Inner>, waiting: &AtomicUsize) {
    let mut before = Instant::now();
    loop {
        let began = Instant::now();
        let real = began.duration_since(before).min(Duration::from_millis(100));
        before = began;
        lock(inner).round(real, began);
        let pause = ROUND.saturating_sub(began.elapsed());
        let crowd = waiting.load(Ordering::Relaxed) > 0;
        thread::sleep(pause.max(Duration::from_millis(if crowd { 2 } else { 1 })));
    }
}

impl World for Simulated {
    fn records(&self, wide: bool) -> Vec<Record> {
        self.look(|inner| inner.simulator.peers().map(|(_, node)| node.describe(wide)).collect())
    }

    fn state(&self) -> WorldState {
        self.look(|inner| inner.state.clone())
    }

    fn act(&self, action: Action) -> Result<(), String> {
        self.look(|inner| inner.act(action))
    }
}

fn contact(number: u64, incarnation: u64) -> Contact {
    let addr = Addr::new(&format!("node-{number}:1")).expect("a short address");
    Contact { id: PeerId(number), incarnation, addr }
}

/// When nodes are born: the first at once, the others evenly, the last first in the list.
fn births(nodes: u64, from: Time) -> Vec<(Time, u64)> {
    let each = (ALL_STARTED / u32::try_from(nodes).unwrap_or(u32::MAX)).min(Duration::from_millis(50));
    (1..=nodes).rev().map(|number| (from + each * (number as u32 - 1), number)).collect()
}

impl Inner {
    fn new(host: Host, nodes: u64, seed: u64, speed: f64) -> Self {
        let state = WorldState {
            running: true,
            speed,
            reached: 0.0,
            time_ms: 0,
            seed,
            nodes,
            up: 0,
            cut: false,
            churn: 0.0,
            updates: 2.0, // enough for a broadcast tree to grow
        };
        Self {
            simulator: Simulator::new(lasp_sim::Config::seeded(seed)),
            host,
            rng: Rng::new(seed ^ 0x0077_6f72_6c64),
            next: nodes + 1,
            births: births(nodes, Time::ZERO),
            crashed: BTreeSet::new(),
            state,
            owed: (0.0, 0.0),
        }
    }

    /// As much of the world's time as is due, or as there is room for.
    fn round(&mut self, real: Duration, began: Instant) {
        let from = self.simulator.now();
        let until = from + real.mul_f64(self.state.speed);
        while self.state.running && self.simulator.now() < until && began.elapsed() < WORK {
            self.step((self.simulator.now() + STEP).min(until));
        }
        self.serve();
        let passed = self.simulator.now().since(from).as_secs_f64() / real.as_secs_f64().max(0.001);
        self.state.reached = 0.9 * self.state.reached + 0.1 * passed;
        self.state.time_ms = self.simulator.now().as_micros() / 1000;
        self.state.up = self.simulator.len() as u64;
    }

    fn step(&mut self, until: Time) {
        let stretch = until.since(self.simulator.now());
        while self.births.last().is_some_and(|(at, _)| *at <= until) {
            if let Some((_, number)) = self.births.pop() {
                self.bear(number, 1);
            }
        }
        self.simulator.run_until(until);
        self.owed.0 += self.state.churn / 100.0 * self.simulator.len() as f64 * stretch.as_secs_f64() / 60.0;
        self.owed.1 += self.state.updates * stretch.as_secs_f64();
        while self.owed.0 >= 1.0 {
            self.owed.0 -= 1.0;
            self.replace_one();
        }
        while self.owed.1 >= 1.0 {
            self.owed.1 -= 1.0;
            self.update_one();
        }
        self.hand_out(None);
    }

    /// Starts a life of a node, joined through a random one.
    fn bear(&mut self, number: u64, incarnation: u64) {
        let contact = contact(number, incarnation);
        let label = Label { name: format!("n{number}"), role: String::new() };
        let config = lasp_node::Config { label, ..lasp_node::Config::default() };
        let seed = self.state.seed ^ number.rotate_left(20) ^ incarnation.rotate_left(50);
        let others = self.others();
        self.simulator.spawn(contact.clone(), Node::new(config, contact, seed));
        let through = self.rng.choose(&others).copied().unwrap_or(FIRST);
        if number != FIRST.0
            && let Some(through) = self.simulator.contact(through).map(|contact| contact.addr.clone())
        {
            self.simulator.command(PeerId(number), Command::Join(vec![through]));
        }
    }

    /// All that are up but the first.
    fn others(&self) -> Vec<PeerId> {
        self.simulator.peers().map(|(peer, _)| peer).filter(|peer| *peer != FIRST).collect()
    }

    fn crash(&mut self, peer: PeerId) {
        let incarnation = self.simulator.contact(peer).map_or(1, |contact| contact.incarnation);
        if self.simulator.crash(peer).is_some() {
            self.crashed.insert((peer, incarnation + 1));
        }
    }

    fn replace_one(&mut self) {
        let others = self.others();
        if let Some(&peer) = self.rng.choose(&others) {
            self.simulator.crash(peer);
            let number = self.next;
            self.next += 1;
            self.bear(number, 1);
        }
    }

    fn update_one(&mut self) {
        let peers: Vec<PeerId> = self.simulator.peers().map(|(peer, _)| peer).collect();
        let Some(&peer) = self.rng.choose(&peers) else { return };
        let name = Name::new(PULSE).ok();
        let declared = self.ask(peer, Request::Declare { name, ty: Type::GCounter, local: false });
        if let Some(Reply::Var(var)) = declared {
            self.ask(peer, Request::Update { var, op: Op::Increment(1) });
        }
    }

    /// Asks a node what is answered at once.
    fn ask(&mut self, peer: PeerId, request: Request) -> Option<Reply> {
        self.hand_out(None);
        self.simulator.command(peer, Command::Request { id: OWN, request });
        self.hand_out(Some(peer))
    }

    /// Gives the first node's host what it emitted; the answer to a request of the world's own, if one is awaited.
    fn hand_out(&mut self, awaited: Option<PeerId>) -> Option<Reply> {
        let mut answer = None;
        for (_, peer, event) in self.simulator.drain_events() {
            match event {
                Event::Reply { id: OWN, result } => answer = result.ok().filter(|_| awaited == Some(peer)).or(answer),
                event if peer == FIRST => self.host.event(event),
                _ => {}
            }
        }
        answer
    }

    /// Serves whoever asks the first node something, until nobody does.
    fn serve(&mut self) {
        let mut commands = Vec::new();
        loop {
            self.hand_out(None);
            self.host.set_now(self.simulator.now());
            let ran = self.host.run_tasks();
            let Some(node) = self.simulator.peer(FIRST) else { return };
            let asked = self.host.commands(node, &mut commands);
            for command in commands.drain(..) {
                self.simulator.command(FIRST, command);
            }
            if !ran && !asked {
                return;
            }
        }
    }

    fn act(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Play {} => self.state.running = true,
            Action::Pause {} => self.state.running = false,
            Action::Speed { factor } => self.state.speed = factor,
            Action::Restart { seed, nodes } => self.restart(seed, nodes),
            Action::Split { parts } => self.split(parts),
            Action::Links { percent } => self.cut_links(percent),
            Action::Heal {} => {
                self.simulator.heal();
                self.state.cut = false;
            }
            Action::Crash { percent } => {
                let others = self.others();
                let count = (others.len() as f64 * percent / 100.0).round() as usize;
                self.rng.sample(&others, count).into_iter().for_each(|peer| self.crash(peer));
            }
            Action::Kill { .. } => self.kill(&action)?,
            Action::Revive {} => {
                for (peer, incarnation) in std::mem::take(&mut self.crashed) {
                    self.bear(peer.0, incarnation);
                }
            }
            Action::Churn { percent } => self.state.churn = percent,
            Action::Updates { rate } => self.state.updates = rate,
        }
        Ok(())
    }

    fn kill(&mut self, action: &Action) -> Result<(), String> {
        match action.victim()? {
            Some(FIRST) => Err("this is the node that serves the page".to_owned()),
            Some(peer) if self.simulator.peer(peer).is_some() => {
                self.crash(peer);
                Ok(())
            }
            _ => Err("no such node is up".to_owned()),
        }
    }

    /// Everything anew, behind the same handle.
    fn restart(&mut self, seed: u64, nodes: u64) {
        let (unused, _lasp) = Host::new(HostConfig::default());
        let (running, speed) = (self.state.running, self.state.speed);
        let host = std::mem::replace(&mut self.host, unused);
        *self = Self::new(host, nodes, seed, speed);
        self.state.running = running;
    }

    fn split(&mut self, parts: u64) {
        let mut peers: Vec<PeerId> = self.simulator.peers().map(|(peer, _)| peer).collect();
        self.rng.shuffle(&mut peers);
        let size = peers.len().div_ceil(parts as usize).max(1);
        let groups: Vec<Vec<PeerId>> = peers.chunks(size).skip(1).map(<[PeerId]>::to_vec).collect();
        self.simulator.partition(&groups);
        self.state.cut = true;
    }

    fn cut_links(&mut self, percent: f64) {
        let links: Vec<(PeerId, PeerId)> = self
            .simulator
            .peers()
            .flat_map(|(peer, node)| node.active_view().into_iter().map(move |other| (peer, other.id)))
            .filter(|(peer, other)| peer < other)
            .collect();
        let count = (links.len() as f64 * percent / 100.0).round() as usize;
        for (a, b) in self.rng.sample(&links, count) {
            self.simulator.block(a, b);
            self.simulator.block(b, a);
        }
        self.state.cut = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(nodes: u64) -> (Inner, Lasp) {
        let (host, lasp) = Host::new(HostConfig::default());
        (Inner::new(host, nodes, 7, 1.0), lasp)
    }

    fn run(inner: &mut Inner, millis: u64) {
        for _ in 0..millis / 5 {
            inner.step(inner.simulator.now() + STEP);
        }
    }

    /// How many parts the links of those who are up make, as they say.
    fn parts(inner: &Inner) -> usize {
        let mut left: BTreeSet<PeerId> = inner.simulator.peers().map(|(peer, _)| peer).collect();
        let mut parts = 0;
        while let Some(first) = left.pop_first() {
            parts += 1;
            let mut next = vec![first];
            while let Some(peer) = next.pop() {
                let node = inner.simulator.peer(peer).expect("up");
                next.extend(node.active_view().iter().map(|it| it.id).filter(|it| left.remove(it)));
            }
        }
        parts
    }

    #[test]
    fn a_world_grows_falls_apart_and_heals() {
        let (mut inner, _lasp) = world(40);
        run(&mut inner, 8_000);
        assert_eq!((inner.simulator.len(), parts(&inner)), (40, 1));
        inner.act(Action::Split { parts: 2 }).expect("done");
        run(&mut inner, 10_000);
        assert!(inner.state.cut && parts(&inner) >= 2);
        inner.act(Action::Heal {}).expect("done");
        run(&mut inner, 60_000);
        assert_eq!(parts(&inner), 1);
    }

    #[test]
    fn nodes_crash_and_come_back_but_the_first() {
        let (mut inner, _lasp) = world(20);
        run(&mut inner, 6_000);
        inner.act(Action::Crash { percent: 50.0 }).expect("done");
        assert_eq!(inner.simulator.len(), 20 - 10, "half of nineteen, rounded");
        let id = |peer: PeerId| Action::Kill { node: peer.to_string() };
        assert!(inner.act(id(FIRST)).is_err() && inner.act(id(PeerId(99))).is_err());
        let victim = inner.others()[0];
        inner.act(id(victim)).expect("done");
        assert!(inner.simulator.peer(victim).is_none());
        inner.act(Action::Revive {}).expect("done");
        run(&mut inner, 20_000);
        assert_eq!((inner.simulator.len(), parts(&inner)), (20, 1));
        assert_eq!(inner.simulator.contact(victim).map(|contact| contact.incarnation), Some(2));
    }

    #[test]
    fn churn_replaces_and_updates_arrive_everywhere() {
        let (mut inner, _lasp) = world(20);
        run(&mut inner, 6_000);
        inner.act(Action::Churn { percent: 300.0 }).expect("done");
        inner.act(Action::Updates { rate: 20.0 }).expect("done");
        run(&mut inner, 10_000);
        assert!(inner.simulator.len() == 20 && inner.next > 25, "{}", inner.next);
        inner.act(Action::Churn { percent: 0.0 }).expect("done");
        inner.act(Action::Updates { rate: 0.0 }).expect("done");
        run(&mut inner, 30_000);
        let marks: BTreeSet<u64> = inner.simulator.peers().map(|(_, node)| node.fingerprint()).collect();
        assert_eq!(marks.len(), 1, "all hold the same");
        assert_ne!(marks.first(), Some(&0));
    }

    #[test]
    fn the_same_seed_gives_the_same_world_again() {
        let trace = |seed| {
            let (mut inner, _lasp) = world(12);
            inner.act(Action::Restart { seed, nodes: 30 }).expect("done");
            run(&mut inner, 5_000);
            inner.act(Action::Crash { percent: 20.0 }).expect("done");
            run(&mut inner, 5_000);
            inner.simulator.trace_hash()
        };
        assert_eq!(trace(3), trace(3));
        assert_ne!(trace(3), trace(4));
    }
}
