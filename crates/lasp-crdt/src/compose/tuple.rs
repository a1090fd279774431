//! Tuples as lattices: up to twelve side by side, merged each on its own.
//!
//! Source: Almeida et al., "Delta State Replicated Data Types" (JPDC'18), the product lattice. Beyond twelve, or to have
//! names, use [`product!`](crate::product).
//!
//! The delta of a change to one side is the tuple of that side's delta and of bottoms:
//!
//! ```
//! use lasp_crdt::{Boolean, GCounter, GSet, Lattice, ReplicaId};
//!
//! let mut run: (Boolean, GCounter, GSet<&str>) = Default::default();
//! run.merge((Boolean::new(), run.1.increment(ReplicaId(1), 4), GSet::new()));
//! run.merge((run.0.enable(), GCounter::new(), run.2.add("done")));
//! assert_eq!((run.0.value(), run.1.value(), run.2.len()), (true, 4, 1));
//! ```

use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};

/// The fingerprint of a product of states with these fingerprints, in order: 0 if all are.
pub fn fingerprint_of(parts: &[u64]) -> u64 {
    match parts {
        [first, rest @ ..] if parts.iter().any(|&part| part != 0) => {
            rest.iter().fold(*first, |sum, &part| fingerprint::mix(sum, part))
        }
        _ => 0,
    }
}

macro_rules! tuple {
    ($($side:ident $at:tt),+) => {
        impl<$($side: Lattice),+> Lattice for ($($side,)+) {
            fn merge(&mut self, other: Self) -> bool {
                [$(self.$at.merge(other.$at)),+].contains(&true)
            }

            fn leq(&self, other: &Self) -> bool {
                $(self.$at.leq(&other.$at))&&+
            }

            fn is_bottom(&self) -> bool {
                $(self.$at.is_bottom())&&+
            }
        }

        impl<$($side: Decompose),+> Decompose for ($($side,)+) {
            /// The parts of each side, in order.
            fn decompose(&self) -> impl Iterator<Item = Self> {
                let parts = std::iter::empty();
                $(let parts = parts.chain(self.$at.decompose().map(|part| {
                    let mut product = Self::default();
                    product.$at = part;
                    product
                }));)+
                parts
            }
        }

        impl<$($side: Delta),+> Delta for ($($side,)+) {
            /// The digest of each side.
            type Digest = ($($side::Digest,)+);

            fn digest(&self) -> Self::Digest {
                ($(self.$at.digest(),)+)
            }

            fn delta(&self, since: &Self::Digest) -> Self {
                ($(self.$at.delta(&since.$at),)+)
            }

            fn difference(&self, known: &Self) -> Self {
                ($(self.$at.difference(&known.$at),)+)
            }
        }

        impl<$($side: Fingerprint),+> Fingerprint for ($($side,)+) {
            fn fingerprint(&self) -> u64 {
                fingerprint_of(&[$(self.$at.fingerprint()),+])
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
