//! Many elements at once: loading a view, batches, memory.

use crate::ours;
use crate::peer;
use crate::shape::Shape;
use harness::heap::live_bytes;
use harness::measure::seconds;
use harness::{Measure, Probe, Scale, Unit};
use lasp_dataflow::Op;

const VIEW: Shape = Shape::MapFilter;
/// Updates of a batch.
const BATCH: u64 = 10_000;

pub(crate) fn measures(scale: &Scale) -> Vec<Measure> {
    let many = scale.elements;
    vec![
        Measure::new("load/derived", format!("{}: derived over {many} elements", VIEW.what()), Unit::Time, |scale| {
            let elements = scale.elements;
            Box::new(move || {
                let mut rig = ours::Rig::bare(VIEW, elements);
                seconds(move || {
                    rig.derive();
                    rig
                })
            })
        })
        .target(30e-3),
        Measure::new("load/filled", format!("{}: {many} elements added under it", VIEW.what()), Unit::Time, |scale| {
            let elements = scale.elements;
            Box::new(move || fill(elements, true))
        })
        .beside(peer::NAME, |scale| {
            let elements = scale.elements;
            Box::new(move || {
                let mut rig = peer::Rig::empty(VIEW, elements);
                seconds(move || {
                    rig.load();
                    rig
                })
            })
        })
        .target(30e-3),
        Measure::new("load/bare", format!("the set alone: {many} elements added"), Unit::Time, |scale| {
            let elements = scale.elements;
            Box::new(move || fill(elements, false))
        }),
        Measure::new("batch/whole", what_of_a_batch("the whole update, each"), Unit::Time, |scale| {
            batch(scale, |with, _| with)
        })
        .beside(peer::NAME, peer_batch),
        Measure::new("batch/view", what_of_a_batch("the view's share, each"), Unit::Time, |scale| {
            batch(scale, |with, without| with - without)
        })
        .beside(peer::NAME, peer_batch)
        .target(0.1e-6),
        Measure::new("memory/map", "chain of one map: heap per derived element", Unit::Bytes, |scale| {
            let elements = scale.elements;
            Box::new(move || {
                let mut rig = ours::Rig::bare(Shape::Chain(1), elements);
                let (count, bytes) = live_bytes(|| {
                    rig.derive();
                    rig.look()
                });
                bytes / count as f64
            })
        })
        .beside(peer::NAME, |scale| {
            let elements = scale.elements;
            Box::new(move || {
                let mut rig = peer::Rig::empty(Shape::Chain(1), elements);
                live_bytes(|| rig.load()).1 / elements as f64
            })
        })
        .target(64.0),
    ]
}

/// How long it takes to add all elements to an empty set, under a view or not.
fn fill(elements: u64, viewed: bool) -> f64 {
    let mut rig = ours::Rig::bare(VIEW, 0);
    if viewed {
        rig.derive();
    }
    let all = Op::AddAll((0..elements).map(|n| VIEW.element(n)).collect());
    seconds(move || {
        rig.apply(&all);
        if viewed {
            assert_eq!(rig.look() as u64, elements.div_ceil(2));
        }
        rig
    })
}

fn what_of_a_batch(part: &str) -> String {
    format!("{}: {BATCH} elements added or removed in one update: {part}", VIEW.what())
}

/// Adds and removes a batch in a set with the view and in one without; what `figure` makes of the two times per update.
fn batch(scale: &Scale, figure: fn(f64, f64) -> f64) -> Probe {
    let elements = scale.elements;
    let (mut with, mut without) = (ours::Rig::new(VIEW, elements), ours::Rig::bare(VIEW, elements));
    let batch: Vec<_> = (elements..elements + BATCH).map(|n| VIEW.element(n)).collect();
    let (add, remove) = (Op::AddAll(batch.clone()), Op::RemoveAll(batch));
    Box::new(move || {
        let both = |rig: &mut ours::Rig, viewed: bool| {
            let taken = seconds(|| {
                for op in [&add, &remove] {
                    rig.apply(op);
                    if viewed {
                        rig.look();
                    }
                }
            });
            taken / (2 * BATCH) as f64
        };
        figure(both(&mut with, true), both(&mut without, false))
    })
}

fn peer_batch(scale: &Scale) -> Probe {
    let elements = scale.elements;
    let mut rig = peer::Rig::new(VIEW, elements);
    Box::new(move || {
        let taken = seconds(|| {
            rig.batch(elements..elements + BATCH, 1);
            rig.batch(elements..elements + BATCH, -1);
        });
        taken / (2 * BATCH) as f64
    })
}
