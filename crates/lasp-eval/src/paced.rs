//! A simulated cluster behind a page: its time passes in small steps at the pace that the page asks for; between them whoever serves
//! the page looks and acts.

use lasp::Record;
use lasp::http::{Action, World, WorldState};
use lasp_node::Node;
use lasp_overlay::Time;
use lasp_sim::Simulator;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Real time of one round.
const ROUND: Duration = Duration::from_millis(16);

/// How much of a round may be spent on the cluster. A guess that leaves room for those who look.
const WORK: Duration = Duration::from_millis(12);

/// Virtual time between two looks at the real clock.
pub const STEP: Duration = Duration::from_millis(5);

/// A cluster that can be put behind a page.
pub trait Cluster: Send + 'static {
    /// The nodes and their network.
    fn simulator(&self) -> &Simulator<Node>;

    /// What the page shows of it; its pace is taken from here.
    fn state(&mut self) -> &mut WorldState;

    /// Serves whoever asks its nodes something.
    fn serve(&mut self);

    /// Does what the page asks for.
    ///
    /// # Errors
    /// Why it cannot be done; nothing has changed then.
    fn act(&mut self, action: Action) -> Result<(), String>;
}

/// So much real time has passed since the last round, and this one began then.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// Real time since the last one.
    pub real: Duration,
    /// When this one began.
    pub began: Instant,
}

impl Round {
    /// As much of the cluster's time as is due, or as there is room for, in steps up to a limit; ends when one of them does.
    pub fn pass<C: Cluster, E>(self, cluster: &mut C, mut step: impl FnMut(&mut C, Time) -> Option<E>) -> Option<E> {
        let from = cluster.simulator().now();
        let until = from + self.real.mul_f64(cluster.state().speed);
        let mut end = None;
        while end.is_none() && cluster.state().running && self.began.elapsed() < WORK {
            let now = cluster.simulator().now();
            if now >= until {
                break;
            }
            end = step(cluster, (now + STEP).min(until));
        }
        cluster.serve();
        let (now, up) = (cluster.simulator().now(), cluster.simulator().len() as u64);
        let passed = now.since(from).as_secs_f64() / self.real.as_secs_f64().max(0.001);
        let state = cluster.state();
        state.reached = 0.9 * state.reached + 0.1 * passed;
        (state.time_ms, state.up) = (now.as_micros() / 1000, up);
        end
    }
}

/// A cluster, shared by whoever lets its time pass and those who look.
pub struct Paced<C> {
    inner: Arc<Mutex<C>>,
    /// How many wait to look: they are let.
    waiting: Arc<AtomicUsize>,
}

impl<C> Clone for Paced<C> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), waiting: self.waiting.clone() }
    }
}

impl<C> fmt::Debug for Paced<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paced").finish_non_exhaustive()
    }
}

impl<C> Paced<C> {
    /// Its time stands still.
    pub fn new(cluster: C) -> Self {
        Self { inner: Arc::new(Mutex::new(cluster)), waiting: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, C> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look<T>(&self, look: impl FnOnce(&mut C) -> T) -> T {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let result = look(&mut self.lock());
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        result
    }

    /// Lets time pass round after round, until one says what came of it.
    pub fn live<T>(&self, mut round: impl FnMut(&mut C, Round) -> Option<T>) -> T {
        let mut before = Instant::now();
        loop {
            let began = Instant::now();
            let real = began.duration_since(before).min(Duration::from_millis(100));
            before = began;
            let end = round(&mut self.lock(), Round { real, began });
            if let Some(end) = end {
                return end;
            }
            let pause = ROUND.saturating_sub(began.elapsed());
            let crowd = self.waiting.load(Ordering::Relaxed) > 0;
            thread::sleep(pause.max(Duration::from_millis(if crowd { 2 } else { 1 })));
        }
    }
}

impl<C: Cluster> World for Paced<C> {
    fn records(&self, wide: bool) -> Vec<Record> {
        self.look(|cluster| cluster.simulator().peers().map(|(_, node)| node.describe(wide)).collect())
    }

    fn state(&self) -> WorldState {
        self.look(|cluster| cluster.state().clone())
    }

    fn act(&self, action: Action) -> Result<(), String> {
        self.look(|cluster| cluster.act(action))
    }
}
