//! Sets of dots as dot stores: what merging does to flags.

use crate::codec::{DecodeError, Reader, Writer};
use crate::context::DotSet;
use crate::dot::Dot;
use crate::dotted::{DecodeStore, DotChange, DotStore, EncodeStore, add_live};
use crate::fingerprint::Fingerprint;

/// The dots of the enablings that no one has undone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnableDots(DotSet);

/// The dots of the disablings that no one has undone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DisableDots(DotSet);

/// A newtype around a [`DotSet`] is a dot store as the set is.
macro_rules! dot_set_store {
    ($store:ident) => {
        impl $store {
            pub(super) fn of(dot: Dot) -> Self {
                Self(DotSet::single(dot))
            }

            pub(super) const fn dots(&self) -> &DotSet {
                &self.0
            }
        }

        impl Fingerprint for $store {
            fn fingerprint(&self) -> u64 {
                self.0.fingerprint()
            }
        }

        impl DotStore for $store {
            fn dot_count(&self) -> usize {
                self.0.dot_count()
            }

            fn holds_dot(&self, dot: Dot) -> bool {
                self.0.contains(dot)
            }

            fn each_dot(&self, on: &mut dyn FnMut(Dot)) {
                self.0.each_dot(on);
            }

            fn join(&mut self, mine: &DotSet, other: Self, theirs: &DotSet, on: &mut dyn FnMut(DotChange)) -> bool {
                self.0.join(mine, other.0, theirs, on)
            }

            fn dying(&self, other: &Self, common: &DotSet, on: &mut dyn FnMut(Dot)) {
                self.0.dying(&other.0, common, on);
            }

            fn kill(&mut self, dot: Dot) -> bool {
                self.0.remove(dot)
            }

            fn within(&self, dots: &DotSet) -> Self {
                Self(self.0.within(dots))
            }
        }

        impl EncodeStore for $store {
            fn encode_store(&self, live: &DotSet, flag: bool, w: &mut Writer<'_>) {
                self.0.encode_store(live, flag, w);
            }
        }

        impl DecodeStore for $store {
            fn decode_store(r: &mut Reader<'_>, live: &mut DotSet) -> Result<(Self, bool), DecodeError> {
                DotSet::decode_store(r, live).map(|(dots, flag)| (Self(dots), flag))
            }
        }
    };
}

dot_set_store!(EnableDots);
dot_set_store!(DisableDots);

/// Live dots that keep nothing alive but themselves.
impl DotStore for DotSet {
    fn dot_count(&self) -> usize {
        usize::try_from(self.countable()).unwrap_or(usize::MAX)
    }

    fn holds_dot(&self, dot: Dot) -> bool {
        self.contains(dot)
    }

    fn each_dot(&self, on: &mut dyn FnMut(Dot)) {
        self.dots().for_each(on);
    }

    fn join(&mut self, mine: &DotSet, other: Self, theirs: &DotSet, on: &mut dyn FnMut(DotChange)) -> bool {
        // In this order at the cost of what is here, not of all that `theirs` speaks of.
        let dead = self.intersection(theirs).difference(&other);
        let fresh = other.difference(mine);
        self.subtract(&dead);
        self.union_with(&fresh);
        fresh.dots().for_each(|dot| on(DotChange::Live(dot)));
        dead.dots().for_each(|dot| on(DotChange::Dead(dot)));
        !dead.is_empty() || !fresh.is_empty()
    }

    fn dying(&self, other: &Self, common: &DotSet, on: &mut dyn FnMut(Dot)) {
        common.intersection(self).difference(other).dots().for_each(on);
    }

    fn kill(&mut self, dot: Dot) -> bool {
        self.remove(dot)
    }

    fn within(&self, dots: &DotSet) -> Self {
        dots.intersection(self)
    }
}

/// How many dots, as far as a head tells: none, one, several.
pub(crate) fn kind(dots: &DotSet) -> u64 {
    dots.countable().min(SEVERAL)
}

const SEVERAL: u64 = 2;

/// The dots one by one, ascending; before several, their number. Ranges would let a few bytes claim more live dots than
/// anybody could walk.
pub(crate) fn encode_dots(dots: &DotSet, w: &mut Writer<'_>) {
    if kind(dots) == SEVERAL {
        w.len(dots.dot_count());
    }
    dots.dots().for_each(|dot| w.dot(dot));
}

/// Reads dots of a [`kind`], and adds them to `live`.
pub(crate) fn decode_dots(kind: u64, r: &mut Reader<'_>, live: &mut DotSet) -> Result<DotSet, DecodeError> {
    let bad = r.not_canonical("live dots");
    let count = match kind {
        0 | 1 => kind as usize,
        SEVERAL => r.len("live dots")?,
        _ => return Err(bad),
    };
    let (mut dots, mut last) = (DotSet::new(), None);
    for _ in 0..count {
        let dot = r.dot()?;
        if last.is_some_and(|last| last >= dot) {
            return Err(bad);
        }
        dots.insert(dot);
        last = Some(dot);
    }
    if self::kind(&dots) != kind {
        return Err(bad);
    }
    add_live(live, &dots, bad)?;
    Ok(dots)
}

/// The kind, above the flag; then the dots.
impl EncodeStore for DotSet {
    fn encode_store(&self, _live: &DotSet, flag: bool, w: &mut Writer<'_>) {
        w.varint(kind(self) << 1 | u64::from(flag));
        encode_dots(self, w);
    }
}

impl DecodeStore for DotSet {
    fn decode_store(r: &mut Reader<'_>, live: &mut DotSet) -> Result<(Self, bool), DecodeError> {
        let head = r.varint("dots")?;
        Ok((decode_dots(head >> 1, r, live)?, head & 1 == 1))
    }
}
