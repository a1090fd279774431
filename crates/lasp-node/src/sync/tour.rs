//! What is still to be given to a neighbour: places in the store, and no copies of it.
//!
//! A neighbour that lacks much is given it stretch by stretch, each when the link has taken the one before: variables that it
//! lacks whole in the order of the hash tree, large variables in an order of their own (`lasp_dataflow::Rest`). What
//! changes meanwhile is taken as it is by then, or is told as changes are. If the link breaks the tour is over; the next
//! comparison finds what is missing, since what was given is there.

use super::filter::Filter;
use super::message::Scope;
use super::sketch::short;
use super::tree::bucket_of;
use crate::key::Key;
use crate::payload::Batch;
use crate::pieces::{FIRST, next_len};
use crate::routes::Common;
use crate::store::Store;
use crate::wire::{PIECE, entry_len};
use lasp_crdt::fingerprint::mix;
use lasp_dataflow::{Rest, State};
use std::collections::{BTreeMap, BTreeSet};

/// From how many entries on a state is given in stretches. A guess: below, it takes a frame or less, as a rule.
pub(super) const LARGE: usize = 1024;

/// Which parts of a state are given.
#[derive(Debug)]
pub(super) enum Sieve {
    /// All.
    Everything,
    /// Those that this filter does not hold, with the salt of its hashes.
    NotIn(Filter, u64),
    /// Those with these hashes, with their salt.
    In(BTreeSet<u64>, u64),
}

impl Sieve {
    fn is_whole(&self) -> bool {
        matches!(self, Self::Everything)
    }

    fn lets_through(&self, part: u64) -> bool {
        match self {
            Self::Everything => true,
            Self::NotIn(filter, salt) => !filter.may_hold(mix(*salt, part)),
            Self::In(hashes, salt) => hashes.contains(&short(mix(*salt, part))),
        }
    }

    /// The parts of a state that are given. Cost: the size of the state.
    pub(super) fn sift(&self, state: State) -> State {
        if self.is_whole() { state } else { state.parts(|part| self.lets_through(part)) }
    }
}

/// A large variable.
#[derive(Debug)]
struct Large {
    rest: Rest,
    sieve: Sieve,
    /// Entries of the next stretch.
    entries: usize,
}

impl Large {
    /// The next stretch, of about so many bytes.
    fn step(&mut self, key: &Key, state: &State, wanted: usize) -> State {
        let stretch = self.sieve.sift(state.stretch(&mut self.rest, self.entries));
        self.entries = next_len(self.entries, entry_len(key, &stretch), wanted);
        stretch
    }
}

/// The variables in some buckets, but for those that the neighbour has, from a place on.
#[derive(Debug)]
struct Walk {
    scope: Scope,
    except: BTreeSet<u64>,
    /// No variable whose key has a smaller hash is to be given any more.
    from: u64,
}

/// What is still to be given to one neighbour.
#[derive(Debug, Default)]
pub(super) struct Tour {
    walk: Option<Walk>,
    large: BTreeMap<Key, Large>,
}

impl Tour {
    /// Whether nothing is.
    pub(super) fn is_over(&self) -> bool {
        self.walk.is_none() && self.large.is_empty()
    }

    /// Gives the variables in these buckets, but for those with these hashes. One walk at a time: what a second one would give
    /// is found by the next comparison.
    pub(super) fn give_variables(&mut self, scope: Scope, except: BTreeSet<u64>) {
        self.walk.get_or_insert(Walk { scope, except, from: 0 });
    }

    /// Gives what is left of a variable, unless it is being given.
    pub(super) fn give(&mut self, key: Key, rest: Rest, sieve: Sieve) {
        self.large.entry(key).or_insert(Large { rest, sieve, entries: FIRST });
    }

    /// The next of it, of about so many bytes: some variables, or a stretch of one.
    pub(super) fn step(&mut self, store: &Store, common: &Common, wanted: usize) -> Batch {
        if let Some(entry) = self.large.first_entry() {
            let key = entry.key().clone();
            let mut batch = Batch::default();
            let large = entry.into_mut();
            let stretch = store.state(&key).map(|state| large.step(&key, state, wanted.min(PIECE)));
            if stretch.is_none() || large.rest.is_over() {
                self.large.pop_first();
            }
            if let Some(stretch) = stretch.filter(|stretch| !stretch.is_bottom()) {
                batch.append(key, stretch);
            }
            return batch;
        }
        self.step_on(store, common, wanted)
    }

    /// Walks on, up to the first large variable.
    fn step_on(&mut self, store: &Store, common: &Common, wanted: usize) -> Batch {
        let (mut batch, mut bytes) = (Batch::default(), 0);
        let Some(walk) = &mut self.walk else { return batch };
        let forest = store.forest();
        let from = walk.from;
        let buckets = walk.scope.iter().filter(|&bucket| bucket >= bucket_of(from));
        let vars = buckets.flat_map(|bucket| forest.bucket_from(bucket, from, common));
        for (hash, _, var) in vars {
            walk.from = hash;
            if bytes >= wanted || !self.large.is_empty() {
                return batch;
            }
            let (Some(key), Some(state)) = (store.key(var), store.graph().state(var)) else { continue };
            if walk.except.contains(&hash) {
                continue;
            }
            if state.entries() >= LARGE && key.ty().comes_in_stretches() {
                let large = Large { rest: state.rest(None), sieve: Sieve::Everything, entries: FIRST };
                self.large.insert(key.clone(), large);
                continue;
            }
            bytes += entry_len(key, state);
            batch.append(key.clone(), state.clone());
        }
        self.walk = None;
        batch
    }
}
