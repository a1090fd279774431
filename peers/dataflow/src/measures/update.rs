//! One element changes: how long until the view says so.
//!
//! Ours is one update of the set, its effects taken out, and the result that follows from it read in the view. Some of the
//! elements, any, are removed and then added again; each kind of update is a measure of its own.

use crate::ours;
use crate::peer;
use crate::shape::Shape;
use harness::inputs::scrambled;
use harness::measure::{seconds_each, timed};
use harness::{Latencies, Measure, Probe, Scale, Unit};
use std::collections::BTreeSet;

const MICROSECOND: f64 = 1e-6;

/// The views, with the targets of one update.
const VIEWS: &[(Shape, Option<f64>)] = &[
    (Shape::MapFilter, Some(1.0)),
    (Shape::Distinct, Some(1.5)),
    (Shape::Count, Some(1.0)),
    (Shape::Sum, Some(1.0)),
    (Shape::Intersection, Some(2.0)),
    (Shape::Union, Some(2.0)),
    (Shape::Join, Some(3.0)),
    (CHAIN, Some(2.0)),
    (Shape::Product, None),
];
const CHAIN: Shape = Shape::Chain(64);

/// Updates of one sample.
const UPDATES: u64 = 2_000;
/// The small side of the growth.
const FEW: u64 = 100;

pub(crate) fn measures(scale: &Scale) -> Vec<Measure> {
    let singly = VIEWS.iter().flat_map(|&(shape, target)| [single(shape, target, true), single(shape, target, false)]);
    let unfused = [stages_read(true), stages_read(false)];
    let most = scale.elements * 10;
    let grown = VIEWS.iter().filter(|(shape, _)| !matches!(shape, Shape::Chain(_) | Shape::Product));
    singly.chain(unfused).chain(grown.flat_map(|&(shape, _)| growth(shape, most))).collect()
}

/// Whether the timed updates add.
fn kind(adds: bool) -> (&'static str, &'static str) {
    if adds { ("add", "one element added") } else { ("remove", "one element removed") }
}

fn single(shape: Shape, target: Option<f64>, adds: bool) -> Measure {
    let (id, what) = kind(adds);
    let (id, what) = (format!("update/{}/{id}", shape.id()), format!("{}: {what}", shape.what()));
    let ours = move |scale: &Scale| latencies(ours::Rig::new(shape, scale.elements), adds);
    let measure = Measure::latency(id, what, ours).latency_beside(peer::NAME, move |scale| {
        let mut rig = peer::Rig::new(shape, scale.elements);
        let mut numbers = (0..).map(scrambled);
        Box::new(move || {
            let some = chosen(&mut numbers, UPDATES / 4, shape, rig.size());
            let mut all = |adds| some.iter().map(|&n| timed(|| rig.change(n, adds)).0).collect::<Vec<f64>>();
            let (removed, added) = (all(false), all(true));
            if adds { added } else { removed }
        })
    });
    match target {
        Some(micros) => measure.target(micros * MICROSECOND),
        None => measure,
    }
}

fn stages_read(adds: bool) -> Measure {
    let (id, what) = kind(adds);
    let (id, what) = (format!("update/chain-unfused/{id}"), format!("{}, every stage read: {what}", CHAIN.what()));
    Measure::latency(id, what, move |scale| latencies(ours::Rig::with_stages_read(CHAIN, scale.elements), adds))
}

fn latencies(mut rig: ours::Rig, adds: bool) -> Latencies {
    let mut numbers = (0..).map(scrambled);
    Box::new(move || {
        let some = chosen(&mut numbers, UPDATES, rig.shape(), rig.size());
        let mut all = |adds| {
            let changes: Vec<_> = some.iter().map(|&n| rig.prepare(n, adds)).collect();
            changes.iter().map(|change| timed(|| rig.change(change)).0).collect::<Vec<f64>>()
        };
        let (removed, added) = (all(false), all(true));
        if adds { added } else { removed }
    })
}

/// So many elements of the first set, no two alike. All are removed before the first is added again, so that neither kind of
/// update finds in the processor's caches what the other has just touched.
fn chosen(numbers: &mut impl Iterator<Item = u64>, count: u64, shape: Shape, size: u64) -> Vec<u64> {
    let mut seen = BTreeSet::new();
    let some = numbers.take(count as usize).map(|n| shape.relevant(n % size, size));
    some.filter(|&n| seen.insert(n)).collect()
}

/// An update of a large view against one of a small view: the same hundred elements, or any, which in the large view are
/// not in the processor's caches.
fn growth(shape: Shape, most: u64) -> [Measure; 2] {
    let what = format!("{}: one update at {most} elements, against one at {FEW}", shape.what());
    let same = Measure::new(
        format!("growth/{}/same", shape.id()),
        format!("{what}, the same {FEW}"),
        Unit::Factor,
        move |_| factor(shape, most, |n, size| n % FEW * (size / FEW).max(1)),
    );
    let random =
        Measure::new(format!("growth/{}/random", shape.id()), format!("{what}, any"), Unit::Factor, move |_| {
            factor(shape, most, |n, size| n % size)
        });
    [same.target(3.0), random.target(3.0)]
}

fn factor(shape: Shape, most: u64, choose: fn(u64, u64) -> u64) -> Probe {
    let (mut small, mut large) = (ours::Rig::new(shape, FEW), ours::Rig::new(shape, most));
    let mut round = 0;
    Box::new(move || {
        round += 1;
        let per_update = |rig: &mut ours::Rig| {
            let chosen = (0..UPDATES).map(|n| choose(scrambled(n + round * UPDATES), rig.size()));
            let chosen = chosen.map(|n| shape.relevant(n, rig.size()));
            let changes: Vec<_> = chosen.map(|n| (rig.prepare(n, false), rig.prepare(n, true))).collect();
            seconds_each(UPDATES, |n| {
                let (remove, add) = &changes[n as usize];
                rig.change(remove);
                rig.change(add);
            })
        };
        per_update(&mut large) / per_update(&mut small)
    })
}
