//! The linear sum: every state of one lattice below every state of another.
//!
//! Source: Almeida et al., "Composition in State-based Replicated Data Types" (2017); Enes et al. (ICDE'19, appendix)
//! for the decomposition.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};
use thiserror::Error;

/// A state of one type that gives way, for good, to a state of another. Bottom is the low bottom; the high bottom is
/// above everything low.
///
/// ```
/// use lasp_crdt::{GSet, IVar, Lattice, Sum};
///
/// // Bids come in until somebody closes the auction with a price.
/// let mut auction: Sum<GSet<u64>, IVar<u64>> = Sum::default();
/// auction.merge(auction.low(|bids| bids.add(7)).unwrap());
/// let late = auction.low(|bids| bids.add(9)).unwrap();
/// auction.merge(auction.high(|price| price.set(7).unwrap()));
/// auction.merge(late); // elsewhere, nobody knew of that
/// assert!(matches!(auction, Sum::High(_)));
/// assert!(auction.low(|bids| bids.add(10)).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sum<A, B> {
    /// Not yet.
    Low(A),
    /// Above everything low.
    High(B),
}

/// The variable has gone on to a type above this one; it is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the variable has gone on to another type")]
pub struct Superseded;

impl<A: Lattice, B: Lattice> Sum<A, B> {
    /// The delta that changes the low state by the delta that `mutate` makes for it.
    ///
    /// # Errors
    /// [`Superseded`] if the state is high already.
    pub fn low(&self, mutate: impl FnOnce(&A) -> A) -> Result<Self, Superseded> {
        match self {
            Self::Low(low) => Ok(Self::Low(mutate(low))),
            Self::High(_) => Err(Superseded),
        }
    }

    /// The delta that changes the high state by the delta that `mutate` makes for it, and makes the state high if it
    /// is low, even if `mutate` says nothing.
    pub fn high(&self, mutate: impl FnOnce(&B) -> B) -> Self {
        match self {
            Self::Low(_) => Self::High(mutate(&B::default())),
            Self::High(high) => Self::high_news(mutate(high)),
        }
    }

    /// What is news to one who is high; bottom if it says nothing.
    fn high_news(news: B) -> Self {
        if news.is_bottom() { Self::default() } else { Self::High(news) }
    }
}

impl<A: Default, B> Default for Sum<A, B> {
    fn default() -> Self {
        Self::Low(A::default())
    }
}

impl<A: Lattice, B: Lattice> Lattice for Sum<A, B> {
    fn merge(&mut self, other: Self) -> bool {
        match (&mut *self, other) {
            (Self::Low(mine), Self::Low(theirs)) => mine.merge(theirs),
            (Self::High(mine), Self::High(theirs)) => mine.merge(theirs),
            (Self::High(_), Self::Low(_)) => false,
            (Self::Low(_), high) => {
                *self = high;
                true
            }
        }
    }

    fn leq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Low(mine), Self::Low(theirs)) => mine.leq(theirs),
            (Self::High(mine), Self::High(theirs)) => mine.leq(theirs),
            (Self::Low(_), Self::High(_)) => true,
            (Self::High(_), Self::Low(_)) => false,
        }
    }

    fn is_bottom(&self) -> bool {
        matches!(self, Self::Low(low) if low.is_bottom())
    }
}

impl<A: Decompose, B: Decompose> Decompose for Sum<A, B> {
    /// The parts of the state; the high bottom is one part by itself.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        let (low, high) = match self {
            Self::Low(low) => (Some(low), None),
            Self::High(high) => (None, Some(high)),
        };
        let bare = high.filter(|high| high.is_bottom()).map(|_| Self::High(B::default()));
        let lows = low.into_iter().flat_map(|low| low.decompose().map(Self::Low));
        let highs = high.into_iter().flat_map(|high| high.decompose().map(Self::High));
        lows.chain(highs).chain(bare)
    }
}

impl<A: Delta, B: Delta> Delta for Sum<A, B> {
    /// The digest of whichever it is.
    type Digest = Sum<A::Digest, B::Digest>;

    fn digest(&self) -> Self::Digest {
        match self {
            Self::Low(low) => Sum::Low(low.digest()),
            Self::High(high) => Sum::High(high.digest()),
        }
    }

    fn delta(&self, since: &Self::Digest) -> Self {
        match (self, since) {
            (Self::Low(low), Sum::Low(since)) => Self::Low(low.delta(since)),
            (Self::High(high), Sum::High(since)) => Self::high_news(high.delta(since)),
            (Self::High(_), Sum::Low(_)) => self.clone(),
            (Self::Low(_), Sum::High(_)) => Self::default(),
        }
    }

    fn difference(&self, known: &Self) -> Self {
        match (self, known) {
            (Self::Low(low), Self::Low(known)) => Self::Low(low.difference(known)),
            (Self::High(high), Self::High(known)) => Self::high_news(high.difference(known)),
            (Self::High(_), Self::Low(_)) => self.clone(),
            (Self::Low(_), Self::High(_)) => Self::default(),
        }
    }
}

impl<A: Fingerprint, B: Fingerprint> Fingerprint for Sum<A, B> {
    fn fingerprint(&self) -> u64 {
        match self {
            Self::Low(low) => low.fingerprint(),
            Self::High(high) => fingerprint::mix(HIGH, high.fingerprint()),
        }
    }
}

/// Sets the high states apart from the low ones in fingerprints.
const HIGH: u64 = 0x4869_6768;

/// 0 for low, 1 for high; then the state.
impl<A: Encode, B: Encode> Encode for Sum<A, B> {
    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::Low(low) => {
                w.u8(0);
                low.encode(w);
            }
            Self::High(high) => {
                w.u8(1);
                high.encode(w);
            }
        }
    }
}

impl<A: Decode, B: Decode> Decode for Sum<A, B> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        match r.u8("sum")? {
            0 => r.nested(A::decode).map(Self::Low),
            1 => r.nested(B::decode).map(Self::High),
            tag => Err(DecodeError::BadTag { what: "sum", tag: tag.into(), at }),
        }
    }
}
