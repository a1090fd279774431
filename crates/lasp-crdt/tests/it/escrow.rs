//! The invariant of the bounded counter, against a plain sum: never below zero, whatever was concurrent, lost or late.

use crate::subjects::{Escrow, EscrowOp};
use crate::world::{REPLICAS, Subject, World, history, replica};
use lasp_crdt::{BoundedCounter, Lattice, codec};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// The counter as somebody would have it who sees each operation when it is accepted.
fn in_truth<'a>(ops: impl Iterator<Item = &'a EscrowOp>) -> Vec<i64> {
    let amounts = ops.map(|op| match *op {
        EscrowOp::Increment(n) => n as i64,
        EscrowOp::Decrement(n) => -(n as i64),
        EscrowOp::Transfer(..) => 0,
    });
    let sums = amounts.scan(0, |sum, n| {
        *sum += n;
        Some(*sum)
    });
    sums.collect()
}

proptest! {
    #[test]
    fn the_counter_is_never_below_zero(history in history(Escrow::op())) {
        let world = World::<Escrow>::run(&history);
        let refused = |at: usize| match world.log[at].op {
            EscrowOp::Increment(_) => false,
            EscrowOp::Decrement(n) => n > 0 && world.deltas[at].is_bottom(),
            EscrowOp::Transfer(to, n) => n > 0 && replica(to) != world.log[at].replica && world.deltas[at].is_bottom(),
        };
        let accepted = (0..world.log.len()).filter(|&at| !refused(at)).map(|at| &world.log[at].op);
        let sums = in_truth(accepted);
        prop_assert!(sums.iter().all(|&sum| sum >= 0), "{sums:?}");

        let mut all = BoundedCounter::new();
        // A crash may lose what no replica holds any more.
        for delta in &world.deltas {
            all.merge(delta.clone());
        }
        prop_assert_eq!(all.value(), sums.last().map_or(0, |&sum| sum as u64), "all that was accepted, and no more");
        let ever = world.log.iter().map(|logged| logged.replica).chain((0..REPLICAS).map(replica));
        let rights: u64 = ever.collect::<BTreeSet<_>>().into_iter().map(|id| all.rights(id)).sum();
        prop_assert_eq!(rights, all.value(), "every unit has an owner");
        for (at, state) in world.states.iter().enumerate() {
            // Of its own: those of a former life are out of date, and nobody uses them any more.
            let me = world.writer(at);
            prop_assert!(state.rights(me) <= all.rights(me), "nobody sees rights that it has not");
        }
    }

    #[test]
    fn a_hostile_state_neither_panics_nor_gives_more_than_it_says(
        (cells, asked) in (prop::collection::vec((0..4u8, 0..3u8, 0..4u8, any::<u64>()), 0..12), any::<u64>())
    ) {
        let state = contradictory(&cells);
        for at in 0..REPLICAS {
            let (from, to) = (replica(at), replica((at + 1) % REPLICAS));
            let owned = state.rights(from);
            for spent in [state.decrement(from, asked), state.transfer(from, to, asked)] {
                match spent {
                    Ok(delta) => {
                        prop_assert!(asked <= owned);
                        let mut after = state.clone();
                        after.merge(delta);
                        prop_assert!(after.value() <= state.value() && after.rights(from) <= owned);
                    }
                    Err(error) => {
                        prop_assert!(error.owned < asked && error.owned <= owned);
                        prop_assert_eq!((error.replica, error.asked), (from, asked));
                    }
                }
            }
            let mut after = state.clone();
            after.merge(state.increment(from, asked));
            prop_assert!(after.value() >= state.value());
        }
        prop_assert_eq!(codec::from_bytes(&codec::to_bytes(&state)), Ok(state));
    }
}

/// A state that no history reaches: used but never created, given but never had.
fn contradictory(cells: &[(u8, u8, u8, u64)]) -> BoundedCounter {
    let mut state = BoundedCounter::new();
    for &(by, what, to, amount) in cells {
        let (by, to) = (replica(usize::from(by) % REPLICAS), replica(usize::from(to) % REPLICAS));
        // With the means to do it, which are then left out.
        let funded = BoundedCounter::new().increment(by, u64::MAX);
        let delta = match what {
            0 => state.increment(by, amount),
            1 => funded.decrement(by, amount).expect("it is funded"),
            _ => funded.transfer(by, to, amount).expect("it is funded"),
        };
        state.merge(delta);
    }
    state
}
