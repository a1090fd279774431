//! What one neighbour has not acknowledged: a lattice, not a log.
//!
//! Deltas of one variable merge while they wait, so a neighbour costs at most the size of the state, however long it
//! is silent. What was sent and not acknowledged in time waits again, merged with what came meanwhile.

use super::ExchangeConfig;
use crate::key::Key;
use crate::payload::Batch;
use crate::pieces::Pieces;
use crate::wire::{CHUNK, entry_len};
use lasp_dataflow::State;
use lasp_overlay::Time;
use std::collections::BTreeMap;

/// A group of deltas as it travels, acknowledged by its number.
pub(super) type Group = (u64, Batch);

/// What is still to be said to one neighbour.
#[derive(Debug)]
pub(super) struct Outgoing {
    waiting: Waiting,
    /// Sent and not acknowledged, by number.
    flight: BTreeMap<u64, Flight>,
    /// When the oldest of it was sent.
    sent: Time,
    /// How often in a row it was not acknowledged in time.
    silent: u32,
}

#[derive(Debug)]
enum Waiting {
    /// Everything: the neighbour is new, or was silent for so long that no more is remembered for it.
    Everything,
    /// These deltas.
    Deltas(BTreeMap<Key, State>),
}

/// What a group said.
#[derive(Debug)]
enum Flight {
    /// A part of the whole state, which is at hand anyway.
    Part,
    Deltas(Batch),
}

impl Outgoing {
    /// A neighbour of which nothing is known.
    pub(super) const fn new() -> Self {
        Self { waiting: Waiting::Everything, flight: BTreeMap::new(), sent: Time::ZERO, silent: 0 }
    }

    /// Whether there is anything to say.
    pub(super) fn is_idle(&self) -> bool {
        let nothing = matches!(&self.waiting, Waiting::Deltas(deltas) if deltas.is_empty());
        nothing && self.flight.is_empty()
    }

    /// How many entries of deltas are kept. Cost: the number of deltas.
    pub(super) fn entries(&self) -> usize {
        let waiting = match &self.waiting {
            Waiting::Everything => 0,
            Waiting::Deltas(deltas) => deltas.values().map(State::entries).sum(),
        };
        let flight = |flight: &Flight| match flight {
            Flight::Part => 0,
            Flight::Deltas(batch) => batch.entries(),
        };
        waiting + self.flight.values().map(flight).sum::<usize>()
    }

    /// News. Cost: that of the delta.
    pub(super) fn absorb(&mut self, key: &Key, delta: &State) {
        let Waiting::Deltas(deltas) = &mut self.waiting else { return };
        match deltas.get_mut(key) {
            Some(waiting) => _ = waiting.merge(delta.clone()),
            None => _ = deltas.insert(key.clone(), delta.clone()),
        }
    }

    /// It wants to hear something that it did not.
    pub(super) fn starts_over(&mut self) {
        self.waiting = Waiting::Everything;
        self.flight.clear();
    }

    /// It has this group. A neighbour that was given up is told everything.
    pub(super) fn acknowledged(&mut self, number: u64) {
        self.flight.remove(&number);
        self.silent = 0;
    }

    /// What to say now, in groups of about a frame each, under the numbers from `next` on. Nothing while something is
    /// under way; once that is overdue it is said again.
    pub(super) fn take(
        &mut self,
        now: Time,
        config: &ExchangeConfig,
        next: &mut u64,
        everything: impl FnOnce() -> Vec<(Key, State)>,
    ) -> Vec<Group> {
        if !self.flight.is_empty() {
            if now < self.sent + config.overdue() {
                return Vec::new();
            }
            self.take_back(config.give_up);
        }
        self.sent = now;
        let whole = matches!(self.waiting, Waiting::Everything);
        let deltas = match std::mem::replace(&mut self.waiting, Waiting::Deltas(BTreeMap::new())) {
            Waiting::Everything if self.silent >= config.give_up => {
                // Whether it lives is for the membership layer to find out: one small group asks.
                self.waiting = Waiting::Everything;
                let number = self.number(next, Flight::Part);
                return vec![(number, Batch::default())];
            }
            Waiting::Everything => everything(),
            Waiting::Deltas(deltas) => deltas.into_iter().collect(),
        };
        let mut groups = Vec::new();
        for batch in pieces(deltas) {
            let flight = if whole { Flight::Part } else { Flight::Deltas(batch.clone()) };
            groups.push((self.number(next, flight), batch));
        }
        groups
    }

    fn number(&mut self, next: &mut u64, flight: Flight) -> u64 {
        *next += 1;
        self.flight.insert(*next, flight);
        *next
    }

    /// What was not acknowledged waits again.
    fn take_back(&mut self, give_up: u32) {
        self.silent = self.silent.saturating_add(1);
        for flight in std::mem::take(&mut self.flight).into_values() {
            match flight {
                Flight::Part => self.waiting = Waiting::Everything,
                Flight::Deltas(batch) => batch.iter().for_each(|(key, delta)| self.absorb(key, delta)),
            }
        }
        if self.silent >= give_up {
            self.waiting = Waiting::Everything;
        }
    }
}

/// Cuts deltas into batches of about [`CHUNK`] bytes each; a single part of a delta is never cut.
pub(crate) fn pieces(deltas: Vec<(Key, State)>) -> Vec<Batch> {
    let (mut batches, mut batch, mut size) = (Vec::new(), Batch::default(), 0);
    let mut put = |key: &Key, piece: &State, len: usize| {
        if size > 0 && size + len > CHUNK {
            batches.push(std::mem::take(&mut batch));
            size = 0;
        }
        batch.absorb(key, piece);
        size += len;
    };
    for (key, delta) in deltas {
        let len = entry_len(&key, &delta);
        if len <= CHUNK {
            put(&key, &delta, len);
        } else {
            let mut pieces = Pieces::of(key.clone(), delta);
            while let Some(piece) = pieces.next(CHUNK / 2) {
                put(&key, &piece, entry_len(&key, &piece).min(CHUNK));
            }
        }
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::GSet;
    use lasp_dataflow::{Name, Type, Value};
    use std::time::Duration;

    fn key() -> Key {
        Key::new(Name::new("words").unwrap(), Type::GSet)
    }

    fn words(words: &[&str]) -> State {
        let mut state = State::bottom(&Type::GSet);
        for word in words {
            state.merge(State::GSet(GSet::default().add(Value::from(*word))));
        }
        state
    }

    fn at(secs: u64) -> Time {
        Time::from_millis(1000 * secs)
    }

    struct Fixture {
        outgoing: Outgoing,
        next: u64,
        config: ExchangeConfig,
    }

    impl Fixture {
        /// A neighbour that has acknowledged everything.
        fn acquainted() -> Self {
            let config = ExchangeConfig { interval: Duration::from_secs(5), ..ExchangeConfig::default() };
            let mut fixture = Self { outgoing: Outgoing::new(), next: 0, config };
            assert_eq!(fixture.take(0), [(1, vec![(key(), words(&["all"]))])]);
            fixture.outgoing.acknowledged(1);
            fixture
        }

        fn take(&mut self, secs: u64) -> Vec<(u64, Vec<(Key, State)>)> {
            let groups = self.outgoing.take(at(secs), &self.config, &mut self.next, || vec![(key(), words(&["all"]))]);
            let listed = |batch: &Batch| batch.iter().map(|(key, delta)| (key.clone(), delta.clone())).collect();
            groups.iter().map(|(number, batch)| (*number, listed(batch))).collect()
        }
    }

    #[test]
    fn a_new_neighbour_is_told_everything_once() {
        let mut f = Fixture::acquainted();
        assert!(f.outgoing.is_idle());
        assert_eq!(f.take(5), []);
    }

    #[test]
    fn what_waits_for_an_acknowledgement_merges_with_what_comes() {
        let mut f = Fixture::acquainted();
        f.outgoing.absorb(&key(), &words(&["a"]));
        assert_eq!(f.take(5), [(2, vec![(key(), words(&["a"]))])]);
        f.outgoing.absorb(&key(), &words(&["b"]));
        assert_eq!(f.take(10), [], "one exchange is under way");
        assert_eq!(f.take(15), [(3, vec![(key(), words(&["a", "b"]))])], "overdue: said again, with what came");
        f.outgoing.acknowledged(3);
        assert!(f.outgoing.is_idle());
    }

    #[test]
    fn a_silent_neighbour_costs_nothing_and_is_told_everything_when_it_is_back() {
        let mut f = Fixture::acquainted();
        f.outgoing.absorb(&key(), &words(&["a"]));
        let mut secs = 5;
        for _ in 0..f.config.give_up {
            assert_eq!(f.take(secs).len(), 1);
            secs += 10;
        }
        let probe = f.take(secs);
        assert!(matches!(&probe[..], [(_, entries)] if entries.is_empty()), "{probe:?}");
        assert!(matches!(f.outgoing.waiting, Waiting::Everything));
        f.outgoing.acknowledged(probe[0].0);
        let all = f.take(secs + 5);
        assert!(matches!(&all[..], [(_, entries)] if entries[..] == [(key(), words(&["all"]))]), "{all:?}");
    }

    #[test]
    fn what_is_larger_than_a_frame_goes_in_pieces_that_make_the_whole() {
        let long = "x".repeat(40_000);
        let all: Vec<String> = (0..6).map(|n| format!("{n}{long}")).collect();
        let whole = words(&all.iter().map(String::as_str).collect::<Vec<_>>());
        let batches = pieces(vec![(key(), whole.clone())]);
        assert!(batches.len() > 2, "{}", batches.len());
        let mut together = State::bottom(&Type::GSet);
        for batch in &batches {
            for (key, piece) in batch.iter() {
                assert!(entry_len(key, piece) <= CHUNK);
                together.merge(piece.clone());
            }
        }
        assert_eq!(together, whole);
    }
}
