//! How time passes: event by event in one shard, window by window in several.
//!
//! Nothing travels faster than the least latency. So what happens within a window of that length in one shard cannot
//! matter to another before the window ends, and the shards can go through it side by side (Chandy and Misra,
//! "Distributed Simulation", IEEE TSE 1979; the windows are those of Nicol, JACM 1993). Between windows the shards' mail is
//! delivered, in the order of the shards' numbers. A window begins with the next event anywhere, so idle times cost
//! nothing.
//!
//! The run follows from the seed, the number of shards and the calls: never from who runs the shards, or in which order.
//! What would reach another shard before the window ends is put off until then: a rule that delivers faster than the
//! configured network, a latency of zero (which becomes a microsecond), the news that a partition cut a link.
//!
//! This crate has no threads: an [`Executor`] brings them. Rules keep state of their own that every message may change, so
//! while there are any the shards go one after the other.

use crate::mail::Mail;
use crate::rule::Rules;
use crate::shard::{Shard, Turn, World};
use crate::simulator::Simulator;
use crate::stats::Stats;
use lasp_overlay::{Protocol, Time, Wire};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Who runs the shards of a window.
pub trait Executor {
    /// Calls `work` once for each number below `count`, in any order, at the same time or not, and returns when all are
    /// done.
    fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync));
}

/// Windows with fewer events than this are not worth more than one thread. A guess: they take some hundred microseconds.
const WORTHWHILE: u64 = 500;

/// The shortest time.
const TICK: Duration = Duration::from_micros(1);

/// Up to when one window goes.
#[derive(Clone, Copy, Debug)]
struct Window {
    /// The last moment of it.
    limit: Time,
    /// Nothing crosses shards earlier.
    border: Time,
}

impl<P> Simulator<P>
where
    P: Protocol,
    P::Message: Wire + Clone,
{
    /// Processes the next event; `false` if there is none. Of several shards, the lowest goes first among equal times.
    pub fn step(&mut self) -> bool {
        let earliest = |(at, shard): (usize, &Shard<P>)| Some((shard.next_time()?, at));
        let Some((time, shard)) = self.shards.iter().enumerate().filter_map(earliest).min() else {
            return false;
        };
        let turn = &mut self.shards[shard];
        turn.border = time;
        Turn { shard: turn, world: &self.world, rules: &mut self.rules }.step(time);
        self.now = time;
        self.deliver_from(shard);
        self.take_stock();
        true
    }

    /// Processes every event up to and including `time`, and makes it `time`.
    pub fn run_until(&mut self, time: Time) {
        if self.shards.len() == 1 {
            self.run_only_shard(time);
        }
        while let Some(window) = self.next_window(time) {
            self.run_in_turn(window);
        }
        self.arrive(time);
    }

    /// The same as [`run_until`](Self::run_until), with the same outcome, but the shards run by an executor.
    pub fn run_until_on(&mut self, time: Time, executor: &(impl Executor + ?Sized))
    where
        P: Send,
        P::Message: Send,
        P::Timer: Send,
        P::Event: Send,
    {
        if self.shards.len() == 1 || !self.rules.is_empty() {
            return self.run_until(time);
        }
        let mut worth = false;
        while let Some(window) = self.next_window(time) {
            let before = self.total.events;
            if worth {
                self.run_side_by_side(window, executor)
            } else {
                self.run_in_turn(window)
            }
            worth = self.total.events - before >= WORTHWHILE;
        }
        self.arrive(time);
    }

    /// Processes the events of a stretch of time.
    pub fn run_for(&mut self, stretch: Duration) {
        self.run_until(self.now + stretch);
    }

    /// Processes events while `condition` holds, at most up to `deadline`; `true` if the condition ended it. The
    /// condition is asked before each event; of several shards, before each window.
    pub fn run_while(&mut self, deadline: Time, mut condition: impl FnMut(&Self) -> bool) -> bool {
        while condition(self) {
            if self.next_time().is_none_or(|next| next > deadline) {
                self.arrive(deadline);
                return false;
            }
            if self.shards.len() == 1 {
                self.step();
            } else if let Some(window) = self.next_window(deadline) {
                self.run_in_turn(window);
                self.arrive(window.limit);
            }
        }
        true
    }

    fn next_time(&self) -> Option<Time> {
        self.shards.iter().filter_map(Shard::next_time).min()
    }

    /// The window that begins with the next event, if that is due by `time`.
    fn next_window(&self, time: Time) -> Option<Window> {
        let first = self.next_time().filter(|first| *first <= time)?;
        let border = first + self.world.config.latency.least().max(TICK);
        let last = Time::from_micros(border.as_micros() - 1);
        Some(Window { limit: last.min(time), border })
    }

    fn run_only_shard(&mut self, limit: Time) {
        let [shard] = &mut self.shards[..] else { return };
        let mut turn = Turn { shard, world: &self.world, rules: &mut self.rules };
        if self.listener.is_none() {
            return turn.run(limit);
        }
        while self.shards[0].next_time().is_some_and(|next| next <= limit) {
            self.step();
        }
    }

    fn run_in_turn(&mut self, window: Window) {
        for shard in &mut self.shards {
            shard.run(&self.world, &mut self.rules, window);
        }
        self.exchange();
    }

    fn run_side_by_side(&mut self, window: Window, executor: &(impl Executor + ?Sized))
    where
        P: Send,
        P::Message: Send,
        P::Timer: Send,
        P::Event: Send,
    {
        let world = &self.world;
        let shards: Vec<Mutex<&mut Shard<P>>> = self.shards.iter_mut().map(Mutex::new).collect();
        executor.each(shards.len(), &|number| {
            let mut shard = shards[number].lock().unwrap_or_else(PoisonError::into_inner);
            shard.run(world, &mut Rules::default(), window);
        });
        drop(shards);
        self.exchange();
    }

    /// Makes it `time`, with all mail read: the world as its user sees it.
    fn arrive(&mut self, time: Time) {
        self.now = self.now.max(time);
        self.shards.iter_mut().for_each(Shard::open_mail);
    }

    /// Hands over the mail, to be read by its receivers when they go on.
    fn exchange(&mut self) {
        for from in 1..self.shards.len() {
            let (lower, upper) = self.shards.split_at_mut(from);
            for (to, other) in lower.iter_mut().enumerate() {
                std::mem::swap(&mut other.outgoing[from], &mut upper[0].incoming[to]);
                std::mem::swap(&mut upper[0].outgoing[to], &mut other.incoming[from]);
            }
        }
        self.take_stock();
    }

    /// Hands over the mail of one shard and has it read.
    pub(crate) fn deliver_from(&mut self, from: usize) {
        for to in 0..self.shards.len() {
            if !self.shards[from].outgoing[to].is_empty() {
                let mut mail = std::mem::replace(&mut self.shards[from].outgoing[to], Mail::new());
                self.shards[to].read(&mut mail);
            }
        }
    }

    /// Sums up the counters and tells the listener what happened.
    pub(crate) fn take_stock(&mut self) {
        if self.shards.len() > 1 {
            self.total = Stats::sum(self.shards.iter().map(|shard| &shard.stats));
        }
        self.tell_listener();
    }

    fn tell_listener(&mut self) {
        let Some(listener) = &mut self.listener else { return };
        let mut happened: Vec<_> = self.shards.iter_mut().flat_map(|shard| shard.trace.take()).collect();
        happened.sort_by_key(|(time, _)| *time);
        happened.iter().for_each(|(time, occurrence)| listener(*time, occurrence));
    }
}

impl<P> Shard<P>
where
    P: Protocol,
    P::Message: Wire + Clone,
{
    /// Reads its mail and processes its events of a window.
    fn run(&mut self, world: &World, rules: &mut Rules, window: Window) {
        self.open_mail();
        self.border = window.border;
        Turn { shard: self, world, rules }.run(window.limit);
    }
}
