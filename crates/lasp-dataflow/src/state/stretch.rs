//! A large state, handed over stretch by stretch: where the next one begins, and what is in it.
//!
//! Each stretch is a delta of the state as it is when it is taken, and all of them together are at least what was asked for.
//! What changes meanwhile behind the place that was reached goes the way of changes. So no state is copied ahead. A place is
//! the dots that are still to be spoken of, which are a few ranges; or the last element; or the hashes of the keys to come.

use super::{State, StateDigest};
use crate::types::Type;
use crate::value::Value;
use lasp_crdt::{Causal, DotSet, DotStore, Dotted, Lattice};

/// What of a state is still to be handed over.
#[derive(Clone, Debug, PartialEq)]
pub struct Rest(Place);

#[derive(Clone, Debug, PartialEq)]
enum Place {
    /// What it says of these dots.
    Dots(DotSet),
    /// Elements above this one.
    Above(Option<Value>),
    /// The keys with these hashes, from the end.
    Keys(Vec<u64>),
    /// What a replica with this digest lacks, at once.
    Once(Option<StateDigest>),
    /// Nothing.
    End,
}

impl Rest {
    /// Whether nothing is left.
    pub fn is_over(&self) -> bool {
        self.0 == Place::End
    }
}

fn dots<S: DotStore>(state: &Dotted<S>, since: Option<&Causal>) -> Place {
    Place::Dots(since.map_or_else(|| state.context().clone(), |since| state.dots_beyond(since)))
}

fn said<S: DotStore>(state: &Dotted<S>, rest: &mut DotSet, most: usize) -> Dotted<S> {
    state.saying_of(&rest.take_first(most as u64))
}

impl State {
    /// What a replica with this digest lacks, to be handed over by [`stretch`](Self::stretch); everything where there is no
    /// digest. At once, where the type has no order to do it in: counters, two-phase sets, graphs, pairs, sets that hold
    /// derived elements. Cost: that of the digest; of a set with dots n·log n at most; of a map that only grows the number of
    /// its keys, and 8 bytes for each.
    pub fn rest(&self, since: Option<&StateDigest>) -> Rest {
        Rest(match (self, since) {
            (Self::AwSet(set), None) if set.derived().is_bottom() => dots(set.own(), None),
            (Self::AwSet(set), Some(StateDigest::AwSet(since))) if set.derived().is_bottom() => {
                dots(set.own(), Some(&since.0))
            }
            (Self::AwMap(map), None) => dots(map, None),
            (Self::AwMap(map), Some(StateDigest::AwMap(since))) => dots(map, Some(since)),
            (Self::MvMap(map), None) => dots(map, None),
            (Self::MvMap(map), Some(StateDigest::MvMap(since))) => dots(map, Some(since)),
            (Self::RwSet(set), None) => dots(set, None),
            (Self::RwSet(set), Some(StateDigest::RwSet(since))) => dots(set, Some(since)),
            (Self::GSet(_), None) => Place::Above(None),
            (Self::GMap(map), None) => Place::Keys(map.hashes().collect()),
            (_, since) => Place::Once(since.cloned()),
        })
    }

    /// The next stretch, of about `most` entries or fewer; bottom where nothing is left. Cost: that of the stretch.
    pub fn stretch(&self, rest: &mut Rest, most: usize) -> Self {
        let most = most.max(1);
        let place = std::mem::replace(&mut rest.0, Place::End);
        let (stretch, next) = match (self, place) {
            (Self::AwSet(set), Place::Dots(mut dots)) => {
                let own = said(set.own(), &mut dots, most);
                (own.into(), Place::Dots(dots))
            }
            (Self::AwMap(map), Place::Dots(mut dots)) => {
                (Self::AwMap(Box::new(said(map, &mut dots, most))), Place::Dots(dots))
            }
            (Self::MvMap(map), Place::Dots(mut dots)) => {
                (Self::MvMap(Box::new(said(map, &mut dots, most))), Place::Dots(dots))
            }
            (Self::RwSet(set), Place::Dots(mut dots)) => {
                (Self::RwSet(Box::new(said(set, &mut dots, most))), Place::Dots(dots))
            }
            (Self::GSet(set), Place::Above(after)) => {
                let some = set.stretch(after.as_ref(), most);
                let last = some.last().cloned();
                let next = if last.as_ref() == set.last() { Place::End } else { Place::Above(last) };
                (Self::GSet(some), next)
            }
            (Self::GMap(map), Place::Keys(mut hashes)) => {
                let some = hashes.split_off(hashes.len().saturating_sub(most));
                (Self::GMap(map.of_hashes(&some)), Place::Keys(hashes))
            }
            (_, Place::Once(since)) => (since.map_or_else(|| self.clone(), |since| self.delta(&since)), Place::End),
            // A place in a state of another type.
            _ => (self.bottom_alike(), Place::End),
        };
        rest.0 = match next {
            Place::Dots(dots) if dots.is_empty() => Place::End,
            Place::Keys(hashes) if hashes.is_empty() => Place::End,
            next => next,
        };
        stretch
    }
}

impl Type {
    /// Whether states of this type are handed over stretch by stretch ([`State::rest`]).
    pub fn comes_in_stretches(&self) -> bool {
        matches!(self, Self::AwSet | Self::AwMap(_) | Self::MvMap | Self::RwSet | Self::GSet | Self::GMap(_))
    }
}
