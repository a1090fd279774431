//! The cluster behind a page: a thread lets its time pass in small steps; between them whoever serves the page looks and acts.

use super::Inner;
use lasp::host::{Host, HostConfig};
use lasp::http::{Action, World, WorldState};
use lasp::{Lasp, Record};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Real time of one round of the thread.
const ROUND: Duration = Duration::from_millis(16);

/// Shared by the thread and whoever looks.
#[derive(Debug)]
pub(in crate::sim) struct Simulated {
    inner: Arc<Mutex<Inner>>,
    /// How many wait to look: the thread lets them.
    waiting: Arc<AtomicUsize>,
}

impl Simulated {
    /// A world whose time passes from now on, and a handle to its first node.
    ///
    /// # Errors
    /// If no thread can be had.
    pub(in crate::sim) fn start(nodes: u64, seed: u64, speed: f64) -> io::Result<(Self, Lasp)> {
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
