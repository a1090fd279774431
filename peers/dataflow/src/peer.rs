//! The same views in differential-dataflow, used as its examples use it: one worker on this thread, an update as a time
//! of its own, done when a probe behind the view has passed that time. Results are kept to be read, as ours are: arranged,
//! and compacted up to the present (what `distinct` and `count` give, they keep themselves).

use crate::shape::{SHARED, Shape};
use differential_dataflow::hashable::Hashable;
use differential_dataflow::input::{Input, InputSession};
use differential_dataflow::trace::TraceReader;
use differential_dataflow::{Data, ExchangeData, VecCollection};
use std::cell::Cell;
use std::rc::Rc;
use timely::dataflow::operators::Probe;
use timely::dataflow::operators::probe::Handle;
use timely::progress::frontier::AntichainRef;
use timely::worker::Worker;

/// Its crate.
pub(crate) const NAME: &str = "differential-dataflow";

type Time = u64;
type Pair = (i64, i64);

/// A worker with a view of one or two collections.
pub(crate) struct Rig {
    worker: Worker,
    probe: Handle<Time>,
    first: Box<dyn Feed>,
    /// Kept open, as a second source that might change.
    second: Option<Box<dyn Feed>>,
    time: Time,
    /// Keeps the results, without what they were before this time.
    keep: Keep,
    told: Rc<Cell<isize>>,
    shape: Shape,
    size: u64,
}

type Keep = Box<dyn FnMut(Time)>;

/// A collection under change.
trait Feed {
    fn update(&mut self, n: u64, diff: isize);
    fn advance_to(&mut self, time: Time);
}

struct Session<D: Data>(InputSession<Time, D, isize>, fn(u64) -> D);

impl<D: Data> Feed for Session<D> {
    fn update(&mut self, n: u64, diff: isize) {
        self.0.update((self.1)(n), diff);
    }

    fn advance_to(&mut self, time: Time) {
        self.0.advance_to(time);
        self.0.flush();
    }
}

impl Rig {
    /// The view over nothing yet.
    pub(crate) fn empty(shape: Shape, size: u64) -> Self {
        use timely::communication::Allocator;
        let allocator = Allocator::Thread(timely::communication::allocator::Thread::default());
        let mut worker = Worker::new(timely::WorkerConfig::default(), allocator, Some(std::time::Instant::now()));
        let told = Rc::new(Cell::new(0));
        let teller = Rc::clone(&told);
        let (first, second, (probe, keep)) = worker.dataflow::<Time, _, _>(|scope| {
            let tell = move |diff: isize| teller.set(teller.get() + diff);
            if shape == Shape::Join {
                let (left, lefts) = scope.new_collection::<Pair, isize>();
                let (right, rights) = scope.new_collection::<Pair, isize>();
                let first: Box<dyn Feed> = Box::new(Session(left, |n| (n as i64, n as i64 + 1)));
                let second: Box<dyn Feed> = Box::new(Session(right, |n| (n as i64, n as i64 + 2)));
                return (first, Some(second), kept(lefts.join(rights), tell));
            }
            let (left, lefts) = scope.new_collection::<i64, isize>();
            let first: Box<dyn Feed> = Box::new(Session(left, |n| n as i64));
            if shape.second(1).is_none() {
                return (first, None, one(shape, lefts, tell));
            }
            let (right, rights) = scope.new_collection::<i64, isize>();
            let second: Box<dyn Feed> = Box::new(Session(right, |n| n as i64));
            (first, Some(second), two(shape, lefts, rights, tell))
        });
        Self { worker, probe, first, second, time: 0, keep, told, shape, size: shape.first(size) }
    }

    /// The view over sets of `size` elements.
    pub(crate) fn new(shape: Shape, size: u64) -> Self {
        let mut rig = Self::empty(shape, size);
        rig.load();
        rig
    }

    /// Loads the sets.
    pub(crate) fn load(&mut self) {
        for n in self.shape.second(self.size).into_iter().flatten() {
            self.second.as_mut().expect("a second set").update(n, 1);
        }
        self.batch(0..self.size, 1);
        assert!(self.told.get() != 0, "{:?} tells nothing", self.shape);
    }

    /// So many updates at one time.
    pub(crate) fn batch(&mut self, elements: impl IntoIterator<Item = u64>, diff: isize) {
        elements.into_iter().for_each(|n| self.first.update(n, diff));
        self.time += 1;
        let time = self.time;
        self.first.advance_to(time);
        self.second.iter_mut().for_each(|second| second.advance_to(time));
        (self.keep)(time);
        self.worker.step_while(|| self.probe.less_than(&time));
    }

    /// One update of the `n`-th element, and all that follows from it.
    pub(crate) fn change(&mut self, n: u64, adds: bool) {
        self.batch([n], if adds { 1 } else { -1 });
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }
}

fn one(shape: Shape, set: VecCollection<'_, Time, i64>, tell: impl Fn(isize) + 'static) -> (Handle<Time>, Keep) {
    match shape {
        Shape::MapFilter => kept(set.map(|n| n * 3).filter(|n| n % 2 == 0), tell),
        Shape::Distinct => told(set.filter(|n| n % 2 == 0).map(|n| n / SHARED as i64).distinct(), tell),
        Shape::Count => told(set.map(|_| ()).count(), tell),
        Shape::Sum => told(set.explode(|n| Some(((), n as isize))).count(), tell),
        Shape::Chain(length) => kept((0..length).fold(set, |set, _| set.map(|n| n + 1)), tell),
        Shape::Intersection | Shape::Union | Shape::Join | Shape::Product => unreachable!("of two sets"),
    }
}

fn two<'a>(
    shape: Shape,
    left: VecCollection<'a, Time, i64>,
    right: VecCollection<'a, Time, i64>,
    tell: impl Fn(isize) + 'static,
) -> (Handle<Time>, Keep) {
    match shape {
        Shape::Intersection => kept(left.map(|n| (n, ())).semijoin(right).map(|(n, ())| n), tell),
        Shape::Union => told(left.concat(right).distinct(), tell),
        Shape::Product => kept(left.map(|n| ((), n)).join(right.map(|n| ((), n))).map(|((), pair)| pair), tell),
        _ => unreachable!("of one set, or of pairs"),
    }
}

/// Results that their operator keeps.
fn told<D: Data>(results: VecCollection<'_, Time, D>, tell: impl Fn(isize) + 'static) -> (Handle<Time>, Keep) {
    (results.inspect(move |(_, _, diff)| tell(*diff)).probe().0, Box::new(|_| {}))
}

/// Results in an arrangement of their own.
fn kept<D>(results: VecCollection<'_, Time, D>, tell: impl Fn(isize) + 'static) -> (Handle<Time>, Keep)
where
    D: ExchangeData + Hashable,
{
    let arranged = results.inspect(move |(_, _, diff)| tell(*diff)).arrange_by_self();
    let (probe, _) = arranged.stream.probe();
    let mut trace = arranged.trace;
    let keep = move |time: Time| {
        let now = [time];
        trace.set_logical_compaction(AntichainRef::new(&now));
        trace.set_physical_compaction(AntichainRef::new(&now));
    };
    (probe, Box::new(keep))
}
