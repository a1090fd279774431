//! One measure: what is measured of whom, in which unit, against which target; and how samples are taken.

use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Takes one sample, in the measure's unit, each time it is called; what it needs beforehand was prepared, and
/// is not timed.
pub type Probe = Box<dyn FnMut() -> f64>;

/// Takes the times of many single updates, in seconds, each time it is called. Their median says what one takes, their
/// 99th percentile what it takes when it goes badly.
pub type Latencies = Box<dyn FnMut() -> Vec<f64>>;

/// How large and how often.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Elements of a set.
    pub elements: u64,
    /// Samples of each.
    pub rounds: usize,
    /// The sizes between which the growth of an update's time is measured.
    pub sizes: &'static [u64],
}

impl Scale {
    pub const FULL: Self = Self { elements: 100_000, rounds: 9, sizes: &[1_000, 10_000, 100_000, 1_000_000] };
    pub const QUICK: Self = Self { elements: 10_000, rounds: 3, sizes: &[1_000, 10_000] };
}

/// What a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Operations a second.
    Rate,
    /// Seconds.
    Time,
    /// Bytes, the same in every repetition.
    Bytes,
    /// A quotient of two times.
    Factor,
}

impl Unit {
    pub fn more_is_better(self) -> bool {
        self == Self::Rate
    }
}

/// One line of the table.
pub struct Measure {
    pub id: String,
    pub what: String,
    pub unit: Unit,
    /// At least this for a rate, at most this for anything else.
    pub target: Option<f64>,
    /// Ours first.
    subjects: Vec<Subject>,
}

struct Subject {
    name: &'static str,
    prepare: Box<dyn Fn(&Scale) -> Sampler>,
}

/// What takes samples of one library.
enum Sampler {
    One(Probe),
    Many(Latencies),
}

/// What was measured of one library.
pub struct Sampled {
    pub name: &'static str,
    pub median: f64,
    /// The 99th percentile, where single updates were timed.
    pub p99: Option<f64>,
}

impl Measure {
    /// A measure of ours.
    pub fn new(
        id: impl Into<String>,
        what: impl Into<String>,
        unit: Unit,
        ours: impl Fn(&Scale) -> Probe + 'static,
    ) -> Self {
        Self::empty(id.into(), what.into(), unit).beside(OURS, ours)
    }

    /// A measure of ours by the times of single updates.
    pub fn latency(
        id: impl Into<String>,
        what: impl Into<String>,
        ours: impl Fn(&Scale) -> Latencies + 'static,
    ) -> Self {
        Self::empty(id.into(), what.into(), Unit::Time).latency_beside(OURS, ours)
    }

    fn empty(id: String, what: String, unit: Unit) -> Self {
        Self { id, what, unit, target: None, subjects: Vec::new() }
    }

    /// The same of a peer; `name` is its crate's.
    pub fn beside(mut self, name: &'static str, prepare: impl Fn(&Scale) -> Probe + 'static) -> Self {
        self.subjects.push(Subject { name, prepare: Box::new(move |scale| Sampler::One(prepare(scale))) });
        self
    }

    /// The same of a peer, where single updates are timed.
    pub fn latency_beside(mut self, name: &'static str, prepare: impl Fn(&Scale) -> Latencies + 'static) -> Self {
        self.subjects.push(Subject { name, prepare: Box::new(move |scale| Sampler::Many(prepare(scale))) });
        self
    }

    /// What ours should reach, in the base unit.
    pub fn target(mut self, target: f64) -> Self {
        self.target = Some(target);
        self
    }

    /// Whether a figure reaches the target, if there is one.
    pub fn is_met_by(&self, figure: f64) -> Option<bool> {
        self.target.map(|target| if self.unit.more_is_better() { figure >= target } else { figure <= target })
    }

    /// How many times better ours is, if that can be said.
    pub fn advantage(&self, ours: f64, peer: f64) -> Option<f64> {
        let factor = if self.unit.more_is_better() { ours / peer } else { peer / ours };
        factor.is_normal().then_some(factor)
    }

    /// The medians, ours first. The libraries take turns, so that a noisy moment hits all of them.
    pub fn run(&self, scale: &Scale) -> Vec<Sampled> {
        let rounds = if self.unit == Unit::Bytes { 1 } else { scale.rounds };
        let mut runners: Vec<Runner> = self.subjects.iter().map(|subject| Runner::new(subject, scale)).collect();
        for _ in 0..rounds {
            runners.iter_mut().for_each(Runner::sample);
        }
        runners.into_iter().map(Runner::finish).collect()
    }
}

/// One library in the middle of a measure.
struct Runner {
    name: &'static str,
    sampler: Sampler,
    samples: Vec<f64>,
    rounds: usize,
    spent: Duration,
}

impl Runner {
    fn new(subject: &Subject, scale: &Scale) -> Self {
        let sampler = (subject.prepare)(scale);
        Self { name: subject.name, sampler, samples: Vec::new(), rounds: 0, spent: Duration::ZERO }
    }

    /// Takes a sample, unless it took long to take enough of them.
    fn sample(&mut self) {
        if self.rounds < FEW || self.spent < PATIENCE {
            let started = Instant::now();
            match &mut self.sampler {
                Sampler::One(probe) => self.samples.push(probe()),
                Sampler::Many(latencies) => self.samples.extend(latencies()),
            }
            self.rounds += 1;
            self.spent += started.elapsed();
        }
    }

    fn finish(mut self) -> Sampled {
        self.samples.sort_unstable_by(f64::total_cmp);
        let p99 = matches!(self.sampler, Sampler::Many(_)).then(|| self.samples[self.samples.len() * 99 / 100]);
        Sampled { name: self.name, median: median(self.samples), p99 }
    }
}

/// How long `run` takes, in seconds of this thread's time on a processor, so that other programs on the machine are not
/// measured with it; what it returns is dropped afterwards.
pub fn seconds<T>(run: impl FnOnce() -> T) -> f64 {
    let started = processor_time();
    let result = black_box(run());
    let taken = processor_time() - started;
    drop(result);
    taken
}

fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// How long one call takes, in seconds by the wall clock, and what it returns.
pub fn timed<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let started = Instant::now();
    let result = black_box(run());
    (started.elapsed().as_secs_f64(), result)
}

/// How long one of `times` calls takes, in seconds.
pub fn seconds_each(times: u64, run: impl FnMut(u64)) -> f64 {
    seconds(|| (0..times).for_each(run)) / times as f64
}

/// How long a short `run` takes, in seconds: the median over inputs, whose making is not timed. They are made one by one:
/// as in life, what has just arrived is in the processor's caches. By the wall clock, which is cheaper to read; a short
/// run is seldom interrupted.
pub fn seconds_on_fresh<I, T>(inputs: impl IntoIterator<Item = I>, mut run: impl FnMut(I) -> T) -> f64 {
    let time = |input| {
        let started = Instant::now();
        let result = black_box(run(input));
        let taken = started.elapsed();
        drop(result);
        taken.as_secs_f64()
    };
    median(inputs.into_iter().map(time).collect())
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_unstable_by(f64::total_cmp);
    let middle = samples.len() / 2;
    if samples.len() % 2 == 1 { samples[middle] } else { f64::midpoint(samples[middle - 1], samples[middle]) }
}

/// What ours is called among the libraries.
pub const OURS: &str = "ours";
/// Samples that are enough when each takes long.
const FEW: usize = 3;
/// After so long, few samples are enough.
const PATIENCE: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_middle_ones() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 2.5);
    }

    #[test]
    fn a_rate_must_exceed_its_target_and_a_time_must_not() {
        let measure = |unit| Measure::new("id", "what", unit, |_| Box::new(|| 0.0)).target(2.0);
        assert_eq!(measure(Unit::Rate).is_met_by(3.0), Some(true));
        assert_eq!(measure(Unit::Time).is_met_by(3.0), Some(false));
        assert_eq!(measure(Unit::Bytes).is_met_by(2.0), Some(true));
        assert_eq!(measure(Unit::Rate).advantage(3.0, 1.5), Some(2.0));
        assert_eq!(measure(Unit::Time).advantage(3.0, 1.5), Some(0.5));
        assert_eq!(measure(Unit::Time).advantage(0.0, 1.5), None);
    }

    #[test]
    fn single_updates_are_pooled_over_the_rounds() {
        let hundred = |_: &Scale| -> Latencies { Box::new(|| (1..=100).map(f64::from).collect()) };
        let measure = Measure::latency("id", "what", hundred);
        let sampled = measure.run(&Scale { rounds: 2, ..Scale::QUICK });
        assert!(sampled.iter().map(|s| (s.median, s.p99)).eq([(50.5, Some(100.0))]));
    }

    /// Rounds alternate between the libraries instead of measuring one after the other.
    #[test]
    fn libraries_take_turns() {
        use std::cell::RefCell;
        use std::rc::Rc;
        let log = Rc::new(RefCell::new(Vec::new()));
        let logging = |name: &'static str| {
            let log = Rc::clone(&log);
            move |_: &Scale| {
                let log = Rc::clone(&log);
                let probe: Probe = Box::new(move || {
                    log.borrow_mut().push(name);
                    1.0
                });
                probe
            }
        };
        let measure = Measure::new("id", "what", Unit::Time, logging("a")).beside("peer", logging("b"));
        let medians = measure.run(&Scale { rounds: 2, ..Scale::QUICK });
        assert_eq!(log.borrow().as_slice(), ["a", "b", "a", "b"]);
        assert!(medians.iter().map(|sampled| (sampled.name, sampled.median)).eq([(OURS, 1.0), ("peer", 1.0)]));
    }
}
