//! Timers of one driver: a heap, no task per timer, nothing is ever cancelled.

use lasp_overlay::Time;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Timer values in the order in which they run out; equal times in the order in which they were set.
#[derive(Debug)]
pub struct Timers<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    set: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: Time,
    order: u64,
    timer: T,
}

impl<T> Timers<T> {
    /// Sets a timer. O(log n).
    pub fn set(&mut self, at: Time, timer: T) {
        self.heap.push(Reverse(Entry { at, order: self.set, timer }));
        self.set += 1;
    }

    /// When the next one runs out.
    pub fn next_at(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    /// Takes the next one, if it has run out by `now`. O(log n).
    pub fn pop(&mut self, now: Time) -> Option<T> {
        self.next_at().filter(|at| *at <= now)?;
        self.heap.pop().map(|Reverse(entry)| entry.timer)
    }
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), set: 0 }
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn timers_run_out_by_time_then_by_order(times in proptest::collection::vec(0u64..20, 0..60), now in 0u64..25) {
            let mut timers = Timers::default();
            for (index, at) in times.iter().enumerate() {
                timers.set(Time::from_micros(*at), (*at, index));
            }
            let expired: Vec<_> = std::iter::from_fn(|| timers.pop(Time::from_micros(now))).collect();
            let mut model: Vec<_> = times.iter().copied().enumerate().map(|(i, at)| (at, i)).filter(|(at, _)| *at <= now).collect();
            model.sort_unstable();
            prop_assert_eq!(expired, model);
            prop_assert!(timers.next_at().is_none_or(|at| at > Time::from_micros(now)));
        }
    }
}
