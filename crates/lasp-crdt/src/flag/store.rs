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
        let dead = self.intersection(&theirs.difference(&other));
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

/// `0`, `1` and a dot, or `2` and several dots; above the flag.
impl EncodeStore for DotSet {
    fn encode_store(&self, _live: &DotSet, flag: bool, w: &mut Writer<'_>) {
        let mut dots = self.dots();
        let (first, second) = (dots.next(), dots.next());
        let flag = u64::from(flag);
        match (first, second) {
            (None, _) => w.varint(flag),
            (Some(dot), None) => {
                w.varint(1 << 1 | flag);
                w.dot(dot);
            }
            (Some(_), Some(_)) => {
                w.varint(2 << 1 | flag);
                crate::codec::Encode::encode(self, w);
            }
        }
    }
}

impl DecodeStore for DotSet {
    fn decode_store(r: &mut Reader<'_>, live: &mut DotSet) -> Result<(Self, bool), DecodeError> {
        let bad = r.not_canonical("dots");
        let head = r.varint("dots")?;
        let dots = match head >> 1 {
            0 => Self::new(),
            1 => Self::single(r.dot()?),
            2 => crate::codec::Decode::decode(r)?,
            _ => return Err(bad),
        };
        if dots.retired().next().is_some() || head >> 1 == 2 && dots.countable() < 2 {
            return Err(bad);
        }
        add_live(live, &dots, bad)?;
        Ok((dots, head & 1 == 1))
    }
}
