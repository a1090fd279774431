//! What a remove-wins set knows of one element: the dots of its additions and of its removals.

use crate::codec::{DecodeError, Reader, Writer};
use crate::context::DotSet;
use crate::dot::Dot;
use crate::dotted::{DecodeStore, DotChange, DotStore, EncodeStore};
use crate::fingerprint::{Fingerprint, mix};
use crate::flag::store::{decode_dots, encode_dots, kind};

/// The additions and the removals of one element that nothing has superseded: a [dot store](DotStore). The element is
/// present if there are additions and no removals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    additions: DotSet,
    removals: DotSet,
}

impl Sides {
    pub(super) fn added(dot: Dot) -> Self {
        Self { additions: DotSet::single(dot), ..Self::default() }
    }

    pub(super) fn removed(dot: Dot) -> Self {
        Self { removals: DotSet::single(dot), ..Self::default() }
    }
}

impl Fingerprint for Sides {
    fn fingerprint(&self) -> u64 {
        if self.dot_count() == 0 { 0 } else { mix(self.additions.fingerprint(), self.removals.fingerprint()) }
    }
}

impl DotStore for Sides {
    fn dot_count(&self) -> usize {
        self.additions.dot_count() + self.removals.dot_count()
    }

    fn holds_dot(&self, dot: Dot) -> bool {
        self.additions.contains(dot) || self.removals.contains(dot)
    }

    fn each_dot(&self, on: &mut dyn FnMut(Dot)) {
        self.additions.each_dot(on);
        self.removals.each_dot(on);
    }

    fn is_present(&self) -> bool {
        !self.additions.is_empty() && self.removals.is_empty()
    }

    fn join(&mut self, mine: &DotSet, other: Self, theirs: &DotSet, on: &mut dyn FnMut(DotChange)) -> bool {
        let additions = self.additions.join(mine, other.additions, theirs, on);
        self.removals.join(mine, other.removals, theirs, on) || additions
    }

    fn dying(&self, other: &Self, common: &DotSet, on: &mut dyn FnMut(Dot)) {
        self.additions.dying(&other.additions, common, on);
        self.removals.dying(&other.removals, common, on);
    }

    fn kill(&mut self, dot: Dot) -> bool {
        self.additions.kill(dot) || self.removals.kill(dot)
    }

    fn within(&self, dots: &DotSet) -> Self {
        Self { additions: self.additions.within(dots), removals: self.removals.within(dots) }
    }
}

/// `(additions · 3 + removals) << 1 | flag`, where either number is 0, 1, or 2 for several; then the dots of the additions
/// and those of the removals.
impl EncodeStore for Sides {
    fn encode_store(&self, _live: &DotSet, flag: bool, w: &mut Writer<'_>) {
        w.varint((kind(&self.additions) * KINDS + kind(&self.removals)) << 1 | u64::from(flag));
        encode_dots(&self.additions, w);
        encode_dots(&self.removals, w);
    }
}

/// How many kinds of dots there are: none, one, several.
const KINDS: u64 = 3;

impl DecodeStore for Sides {
    fn decode_store(r: &mut Reader<'_>, live: &mut DotSet) -> Result<(Self, bool), DecodeError> {
        let head = r.varint("additions and removals")?;
        let kinds = head >> 1;
        let additions = decode_dots(kinds / KINDS, r, live)?;
        let removals = decode_dots(kinds % KINDS, r, live)?;
        Ok((Self { additions, removals }, head & 1 == 1))
    }
}
