//! The same experiment under several seeds, on all processors.
//!
//! Each job is on one thread and shares nothing, so the number of processors changes nothing but the time.

use super::run::blank;
use crate::config::Config;
use crate::figure::Figure;
use crate::progress::{Observer, Progress};
use crate::run::Context;
use crate::summary::Summary;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often whoever watches is told.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// What a job says while it runs.
#[derive(Debug)]
pub struct Pace<'a> {
    done: &'a AtomicU64,
    context: &'a Context<'a>,
}

impl Pace<'_> {
    /// One more step is done; `false` if there is a wish to end.
    pub fn step(&self) -> bool {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.goes_on()
    }

    /// Whether there is no wish to end.
    pub fn goes_on(&self) -> bool {
        !self.context.stop.is_set()
    }
}

/// The seeds of a configuration's runs.
pub fn seeds(config: &Config) -> impl Iterator<Item = u64> {
    (0..config.runs).map(|index| config.seed.wrapping_add(index as u64))
}

/// Does every job, `steps` steps in all, `most` at a time, and gives the outcomes in their order: of all jobs, unless there was a wish to end;
/// then of those that had ended.
pub fn each<J: Sync, T: Send>(
    jobs: &[J],
    steps: u64,
    most: usize,
    config: &Config,
    context: &Context<'_>,
    observer: &mut dyn Observer,
    work: impl Fn(&J, &Pace<'_>) -> T + Sync,
) -> Vec<T> {
    let (next, done) = (AtomicUsize::new(0), AtomicU64::new(0));
    let outcomes: Mutex<Vec<Option<T>>> = Mutex::new(jobs.iter().map(|_| None).collect());
    let pace = Pace { done: &done, context };
    let worker = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(at).filter(|_| pace.goes_on()) else { return };
            let outcome = work(job, &pace);
            if pace.goes_on() {
                outcomes.lock().unwrap_or_else(PoisonError::into_inner)[at] = Some(outcome);
            }
        }
    };
    let started = Instant::now();
    std::thread::scope(|scope| {
        let workers =
            std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(jobs.len()).min(most.max(1));
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            std::thread::sleep(TELL_EVERY);
            observer.progress(&Progress {
                runs: 1,
                seconds: started.elapsed().as_secs_f64(),
                nodes: config.nodes,
                up: config.nodes,
                what: "steps",
                counted: done.load(Ordering::Relaxed),
                expected: steps,
                ..Progress::default()
            });
        }
    });
    outcomes.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().flatten().collect()
}

/// The summary of an experiment on parts of nodes: its figures and what was not as it should be, how many of its runs were done, and what
/// they came to, event by event.
pub fn concluded(
    config: &Config,
    (results, problems): (BTreeMap<String, Figure>, Vec<String>),
    [done, jobs]: [usize; 2],
    hashes: impl Iterator<Item = u64>,
) -> Summary {
    let mut summary = Summary { results, problems, components: 1, ..blank(config) };
    conclude(&mut summary, done, jobs, hashes);
    summary
}

/// Says in a summary how many of its runs were done, if not all, and what they came to, event by event.
pub fn conclude(summary: &mut Summary, done: usize, jobs: usize, hashes: impl Iterator<Item = u64>) {
    if done < jobs {
        summary.problems.push(format!("stopped: {done} of {jobs} runs were done"));
    }
    summary.trace_hash = hashes.reduce(lasp_crdt::fingerprint::mix).map(|hash| format!("{hash:016x}"));
}
