//! States behind a pointer: `Box<L>` is the lattice that `L` is, for states that are large where others beside them are
//! small. Its encoding is that of what is inside.

use crate::codec::{DecodeError, Reader, Writer};
use crate::context::DotSet;
use crate::dot::Dot;
use crate::dotted::{DecodeStore, DotChange, DotStore, EncodeStore};
use crate::fingerprint::Fingerprint;
use crate::lattice::{Decompose, Delta, Lattice};

impl<L: Lattice> Lattice for Box<L> {
    fn merge(&mut self, other: Self) -> bool {
        (**self).merge(*other)
    }

    fn leq(&self, other: &Self) -> bool {
        (**self).leq(other)
    }

    fn is_bottom(&self) -> bool {
        (**self).is_bottom()
    }
}

impl<L: Decompose> Decompose for Box<L> {
    fn decompose(&self) -> impl Iterator<Item = Self> {
        (**self).decompose().map(Self::new)
    }
}

impl<L: Delta> Delta for Box<L> {
    type Digest = L::Digest;

    fn digest(&self) -> Self::Digest {
        (**self).digest()
    }

    fn delta(&self, since: &Self::Digest) -> Self {
        Self::new((**self).delta(since))
    }

    fn difference(&self, known: &Self) -> Self {
        Self::new((**self).difference(known))
    }
}

impl<L: Fingerprint> Fingerprint for Box<L> {
    fn fingerprint(&self) -> u64 {
        (**self).fingerprint()
    }
}

impl<S: DotStore> DotStore for Box<S> {
    fn dot_count(&self) -> usize {
        (**self).dot_count()
    }

    fn holds_dot(&self, dot: Dot) -> bool {
        (**self).holds_dot(dot)
    }

    fn each_dot(&self, on: &mut dyn FnMut(Dot)) {
        (**self).each_dot(on);
    }

    fn is_present(&self) -> bool {
        (**self).is_present()
    }

    fn live(&self) -> DotSet {
        (**self).live()
    }

    fn join(&mut self, mine: &DotSet, other: Self, theirs: &DotSet, on: &mut dyn FnMut(DotChange)) -> bool {
        (**self).join(mine, *other, theirs, on)
    }

    fn dying(&self, other: &Self, common: &DotSet, on: &mut dyn FnMut(Dot)) {
        (**self).dying(other, common, on);
    }

    fn kill(&mut self, dot: Dot) -> bool {
        (**self).kill(dot)
    }

    fn within(&self, dots: &DotSet) -> Self {
        Self::new((**self).within(dots))
    }
}

impl<S: EncodeStore> EncodeStore for Box<S> {
    fn encode_store(&self, live: &DotSet, flag: bool, w: &mut Writer<'_>) {
        (**self).encode_store(live, flag, w);
    }
}

impl<S: DecodeStore> DecodeStore for Box<S> {
    fn decode_store(r: &mut Reader<'_>, live: &mut DotSet) -> Result<(Self, bool), DecodeError> {
        S::decode_store(r, live).map(|(store, flag)| (Self::new(store), flag))
    }
}
