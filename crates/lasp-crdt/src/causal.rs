//! The causal skeleton of add-wins state: which dots were seen, and which of them are still live.
//!
//! Source: Almeida et al., "Delta State Replicated Data Types" (JPDC'18), the causal dot-set lattice. It is the
//! digest of an add-wins set and the memory a derived set keeps of each of its bases. The live dots are part of it
//! because a removal mints no dot: equal contexts do not mean equal states. It knows no elements.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::context::DotSet;
use crate::dot::Dot;
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};
use std::borrow::Cow;

/// Dots seen, and those of them that live. A dot goes from unseen to live to dead, never back.
///
/// ```
/// use lasp_crdt::{Causal, Dot, Lattice, ReplicaId};
///
/// let dot = Dot::new(ReplicaId(1), 1);
/// let (mut added, mut removed) = (Causal::new(), Causal::new());
/// added.see_live(dot);
/// removed.see(dot);
/// added.merge(removed);
/// assert!(added.is_dead(dot));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Causal {
    /// Every dot that was ever heard of.
    seen: DotSet,
    /// A subset of `seen`.
    live: DotSet,
}

impl Causal {
    /// Nothing seen.
    pub fn new() -> Self {
        Self::default()
    }

    /// Dots seen, of which `live` live; live ones count as seen.
    pub fn from_parts(mut seen: DotSet, live: DotSet) -> Self {
        seen.union_with(&live);
        Self { seen, live }
    }

    /// Every dot that was seen.
    pub fn seen(&self) -> &DotSet {
        &self.seen
    }

    /// The dots that live.
    pub fn live(&self) -> &DotSet {
        &self.live
    }

    /// The dots that were seen and no longer live. Cost: the ranges of both.
    pub fn dead(&self) -> DotSet {
        self.seen.difference(&self.live)
    }

    /// Whether `dot` was seen and no longer lives.
    pub fn is_dead(&self, dot: Dot) -> bool {
        self.seen.contains(dot) && !self.live.contains(dot)
    }

    /// Learns that `dot` is dead; `true` if that is new.
    pub fn see(&mut self, dot: Dot) -> bool {
        let unseen = self.seen.insert(dot);
        let lived = self.live.remove(dot);
        unseen || lived
    }

    /// Learns that `dot` was minted; `true` if it is now live and was unseen. A dead dot stays dead.
    pub fn see_live(&mut self, dot: Dot) -> bool {
        self.seen.insert(dot) && self.live.insert(dot)
    }

    /// Merges `other` in. Cost: the ranges of `other`.
    pub fn merge_from(&mut self, other: &Self) -> bool {
        let fresh = other.live.difference(&self.seen);
        let died = self.live.subtract(&other.dead());
        self.live.union_with(&fresh);
        self.seen.union_with(&other.seen) || died
    }
}

impl Lattice for Causal {
    fn merge(&mut self, other: Self) -> bool {
        if self.is_bottom() {
            let grew = !other.is_bottom();
            *self = other;
            return grew;
        }
        self.merge_from(&other)
    }

    fn leq(&self, other: &Self) -> bool {
        // Nothing unseen there, and nothing live there that is dead here.
        self.seen.is_subset(&other.seen) && self.dead().intersection(&other.live).is_empty()
    }

    fn is_bottom(&self) -> bool {
        self.seen.is_empty()
    }
}

impl Decompose for Causal {
    /// One part per dot, live or dead, and one per retired replica. Cost: the number of dots ever seen.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        self.seen.atoms().map(|seen| {
            let live = seen.intersection(&self.live);
            Self { seen, live }
        })
    }
}

impl Delta for Causal {
    type Digest = Self;

    fn digest(&self) -> Self {
        self.clone()
    }

    fn delta(&self, since: &Self) -> Self {
        let mut seen = self.seen.difference(&since.seen);
        let live = self.live.difference(&since.seen);
        seen.union_with(&self.dead().intersection(&since.live));
        Self { seen, live }
    }

    fn difference(&self, known: &Self) -> Self {
        self.delta(known)
    }
}

impl Fingerprint for Causal {
    fn fingerprint(&self) -> u64 {
        if self.is_bottom() { 0 } else { fingerprint::mix(self.seen.fingerprint(), self.live.fingerprint()) }
    }
}

/// What follows the dots seen: those of them that live, or those that do not.
const LIVE: u8 = 0;
const DEAD: u8 = 1;

impl Causal {
    /// What tells live dots from dead ones: the dead ones where they are fewer ranges.
    fn told(&self) -> (u8, Cow<'_, DotSet>) {
        let dead = self.dead();
        let is_shorter = dead.range_count() < self.live.range_count();
        if is_shorter { (DEAD, Cow::Owned(dead)) } else { (LIVE, Cow::Borrowed(&self.live)) }
    }
}

/// The dots seen, which of them follow, and these.
impl Encode for Causal {
    fn encode(&self, w: &mut Writer<'_>) {
        self.seen.encode(w);
        let (kind, dots) = self.told();
        w.u8(kind);
        dots.encode(w);
    }
}

impl Decode for Causal {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let seen = DotSet::decode(r)?;
        let bad = r.not_canonical("live dots");
        let kind = r.u8("live dots")?;
        let dots = DotSet::decode(r)?;
        if !dots.is_subset(&seen) {
            return Err(bad);
        }
        let live = match kind {
            LIVE => dots,
            DEAD => seen.difference(&dots),
            _ => return Err(bad),
        };
        let causal = Self { seen, live };
        if causal.told().0 == kind { Ok(causal) } else { Err(bad) }
    }
}
