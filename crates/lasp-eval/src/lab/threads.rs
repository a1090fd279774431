//! Threads for the shards of one simulated world. They are started anew for each window: a few dozen microseconds, which
//! the simulator spends only where windows are long enough.

use lasp_sim::Executor;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// So many threads, the caller's included.
#[derive(Clone, Copy, Debug)]
pub struct Threads(pub usize);

impl Threads {
    /// One for each processor.
    pub fn all() -> Self {
        Self(thread::available_parallelism().map_or(1, NonZero::get))
    }
}

impl Executor for Threads {
    fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        let run = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                work(number);
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.0 {
                scope.spawn(run);
            }
            run();
        });
    }
}
