//! The event queue: earliest first, and first come first served among equals.
//!
//! A hierarchical timing wheel (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987): slots of 256 µs, a
//! thousand of them to a round, a thousand rounds, and a map for what lies beyond. Unlike theirs it does not tick: bitmaps
//! find the next slot in use. An event is written to the end of a slot and moved at most twice, each time in a row
//! with its companions; a slot is sorted when its time has come, by 8 bytes each. Adding and taking cost the same
//! however many events are pending.
//!
//! Why ties keep their order: where a time belongs follows from it and from the slot that is open, so events of one
//! time are always together, in the order of their arrival.

use lasp_overlay::Time;
use std::collections::BTreeMap;

/// A slot lasts 2 to the power of this, in microseconds.
const SLOT_BITS: u32 = 8;

/// A wheel has 2 to the power of this many slots.
const WHEEL_BITS: u32 = 10;

/// The bits of a time below those that name a round of the first wheel, and one of the second.
const ROUND: u32 = SLOT_BITS + WHEEL_BITS;
const ERA: u32 = ROUND + WHEEL_BITS;

/// How many emptied buffers are kept for slots to come.
const SPARE: usize = 16;

#[derive(Clone, Debug)]
struct Entry<T> {
    time: u64,
    /// Taken when its turn has come.
    item: Option<T>,
}

/// A queue of events by time.
#[derive(Clone, Debug)]
pub(crate) struct Queue<T> {
    /// The time of the last event taken; it lies in the open slot.
    last: u64,
    len: usize,
    /// The open slot's events, in the order of their arrival.
    open: Vec<Entry<T>>,
    /// Of those, the ones not yet taken: microseconds into the slot, then place in `open`; ascending from `next` on.
    order: Vec<u64>,
    next: usize,
    /// Slots of the round under way, rounds of the era under way, eras to come.
    slots: Wheel<T>,
    rounds: Wheel<T>,
    eras: BTreeMap<u64, Vec<Entry<T>>>,
    spare: Vec<Vec<Entry<T>>>,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        Self {
            last: 0,
            len: 0,
            open: Vec::new(),
            order: Vec::new(),
            next: 0,
            slots: Wheel::new(SLOT_BITS),
            rounds: Wheel::new(ROUND),
            eras: BTreeMap::new(),
            spare: Vec::new(),
        }
    }

    /// How many events are pending.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Adds an event.
    ///
    /// # Panics
    /// If `time` is before that of the last event taken.
    pub(crate) fn push(&mut self, time: Time, value: T) {
        let time = time.as_micros();
        assert!(time >= self.last, "an event lies in the past");
        self.len += 1;
        self.place(Entry { time, item: Some(value) });
    }

    /// The time of the next event. Until it is taken, earlier ones may still be added.
    pub(crate) fn next_time(&self) -> Option<Time> {
        if let Some(key) = self.order.get(self.next) {
            return Some(Time::from_micros(self.slot_start() + (key >> 32)));
        }
        let of_era = || self.eras.first_key_value().and_then(|(_, entries)| entries.iter().map(|e| e.time).min());
        self.slots.earliest().or_else(|| self.rounds.earliest()).or_else(of_era).map(Time::from_micros)
    }

    /// Takes the next event.
    pub(crate) fn pop(&mut self) -> Option<(Time, T)> {
        if self.next == self.order.len() {
            self.open_next()?;
        }
        let key = self.order[self.next];
        self.next += 1;
        self.len -= 1;
        self.last = self.slot_start() + (key >> 32);
        let value = self.open[key as u32 as usize].item.take()?;
        Some((Time::from_micros(self.last), value))
    }

    /// The events to be taken next, as far as the open slot goes.
    pub(crate) fn upcoming(&self, count: usize) -> impl Iterator<Item = &T> {
        let keys = self.order[self.next..].iter().take(count);
        keys.filter_map(|key| self.open[*key as u32 as usize].item.as_ref())
    }

    const fn slot_start(&self) -> u64 {
        self.last >> SLOT_BITS << SLOT_BITS
    }

    fn place(&mut self, entry: Entry<T>) {
        let (time, differs) = (entry.time, entry.time ^ self.last);
        if differs >> SLOT_BITS == 0 {
            self.place_open(entry);
        } else if differs >> ROUND == 0 {
            self.slots.push(entry, &mut self.spare);
        } else if differs >> ERA == 0 {
            self.rounds.push(entry, &mut self.spare);
        } else {
            self.eras.entry(time >> ERA).or_default().push(entry);
        }
    }

    fn place_open(&mut self, entry: Entry<T>) {
        let place = u64::from(u32::try_from(self.open.len()).expect("fewer than 2^32 events in a slot"));
        let key = (entry.time - self.slot_start()) << 32 | place;
        self.open.push(entry);
        match self.order.last() {
            Some(last) if *last > key => {
                let at = self.next + self.order[self.next..].partition_point(|other| *other < key);
                self.order.insert(at, key);
            }
            _ => self.order.push(key),
        }
    }

    /// Opens the slot of the next event.
    fn open_next(&mut self) -> Option<()> {
        self.open.clear();
        self.order.clear();
        self.next = 0;
        loop {
            if let Some((start, entries)) = self.slots.take_first() {
                self.last = start;
                let emptied = std::mem::replace(&mut self.open, entries);
                self.keep(emptied);
                self.sort_open();
                return Some(());
            }
            let (start, mut entries) = match self.rounds.take_first() {
                Some(round) => round,
                None => self.eras.pop_first().map(|(era, entries)| (era << ERA, entries))?,
            };
            self.last = start;
            for entry in entries.drain(..) {
                self.place(entry);
            }
            self.keep(entries);
            if !self.order.is_empty() {
                return Some(());
            }
        }
    }

    fn sort_open(&mut self) {
        let start = self.slot_start();
        let keys = self.open.iter().enumerate().map(|(place, entry)| (entry.time - start) << 32 | place as u64);
        self.order.extend(keys);
        self.order.sort_unstable();
    }

    fn keep(&mut self, buffer: Vec<Entry<T>>) {
        if self.spare.len() < SPARE && buffer.capacity() > 0 {
            self.spare.push(buffer);
        }
    }
}

/// What is due in one slot.
#[derive(Clone, Debug)]
struct Slot<T> {
    entries: Vec<Entry<T>>,
    earliest: u64,
}

/// Slots of equal length, all within one turn of the wheel.
#[derive(Clone, Debug)]
struct Wheel<T> {
    slots: Vec<Slot<T>>,
    /// Bit i: slot i is in use.
    used: [u64; 1 << (WHEEL_BITS - 6)],
    /// How many low bits of a time lie within a slot.
    bits: u32,
}

impl<T> Wheel<T> {
    fn new(bits: u32) -> Self {
        let slots = (0..1 << WHEEL_BITS).map(|_| Slot { entries: Vec::new(), earliest: u64::MAX }).collect();
        Self { slots, used: [0; 1 << (WHEEL_BITS - 6)], bits }
    }

    fn push(&mut self, entry: Entry<T>, spare: &mut Vec<Vec<Entry<T>>>) {
        let at = (entry.time >> self.bits) as usize & ((1 << WHEEL_BITS) - 1);
        let slot = &mut self.slots[at];
        if slot.entries.is_empty() {
            self.used[at / 64] |= 1 << (at % 64);
            if let Some(buffer) = spare.pop() {
                slot.entries = buffer;
            }
        }
        slot.earliest = slot.earliest.min(entry.time);
        slot.entries.push(entry);
    }

    fn first(&self) -> Option<usize> {
        let word = self.used.iter().position(|word| *word != 0)?;
        Some(word * 64 + self.used[word].trailing_zeros() as usize)
    }

    fn earliest(&self) -> Option<u64> {
        self.first().map(|at| self.slots[at].earliest)
    }

    /// Empties the first slot in use: its start, and what is due in it.
    fn take_first(&mut self) -> Option<(u64, Vec<Entry<T>>)> {
        let at = self.first()?;
        self.used[at / 64] &= !(1 << (at % 64));
        let slot = &mut self.slots[at];
        let start = slot.earliest >> self.bits << self.bits;
        slot.earliest = u64::MAX;
        Some((start, std::mem::take(&mut slot.entries)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_overlay::Rng;
    use std::collections::BTreeMap;

    #[test]
    fn agrees_with_a_sorted_map_under_random_pushes_and_pops() {
        for seed in 0..50 {
            let mut rng = Rng::new(seed);
            let mut queue = Queue::new();
            let mut model: BTreeMap<(u64, u64), u64> = BTreeMap::new();
            let mut now = 0;
            for serial in 0..2_000 {
                if rng.chance(0.55) {
                    let reach = 1 << rng.below(34);
                    let after = if rng.chance(0.3) { 0 } else { rng.below(reach) };
                    queue.push(Time::from_micros(now + after), serial);
                    model.insert((now + after, serial), serial);
                } else {
                    let expected = model.pop_first().map(|((time, _), serial)| (Time::from_micros(time), serial));
                    assert_eq!(queue.next_time(), expected.map(|(time, _)| time));
                    assert_eq!(queue.pop(), expected, "seed {seed}");
                    now = expected.map_or(now, |(time, _)| time.as_micros());
                }
                assert_eq!(queue.len(), model.len());
            }
        }
    }

    #[test]
    fn looking_at_the_next_time_does_not_close_the_time_before_it() {
        let mut queue = Queue::new();
        queue.push(Time::from_micros(1_000), "late");
        assert_eq!(queue.next_time(), Some(Time::from_micros(1_000)));
        queue.push(Time::from_micros(10), "early");
        assert_eq!(queue.pop(), Some((Time::from_micros(10), "early")));
        assert_eq!(queue.pop(), Some((Time::from_micros(1_000), "late")));
        assert_eq!(queue.pop(), None);
    }
}
