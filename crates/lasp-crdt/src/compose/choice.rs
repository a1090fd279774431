//! One of several types, with names: a later one wins over an earlier one.
//!
//! Source: the linear sum of Almeida et al., "Composition in State-based Replicated Data Types" (2017), repeated.

/// Makes an enum of lattices a lattice itself: the linear sum of its variants, above a bottom named `Nothing`. Two states
/// of one variant merge; of two variants the one that is written later in the enum wins, whichever came first in time.
/// So replicas that choose differently, without knowing of each other, come to one answer.
///
/// It has `Clone`, `Debug`, `Default`, `PartialEq`, `Eq`, [`Lattice`](crate::Lattice), [`Decompose`](crate::Decompose),
/// [`Delta`](crate::Delta), [`Fingerprint`](crate::Fingerprint), [`Encode`](crate::Encode) and [`Decode`](crate::Decode).
/// Its delta-mutator `apply` takes the variant and what to change in it, and is refused with
/// [`Superseded`](crate::Superseded) where a later variant is known. A new variant goes to the end of the enum: the
/// encoding numbers them.
///
/// As the value of a [`GMap`](crate::GMap) it makes a map with a type per key:
///
/// ```
/// use lasp_crdt::{GCounter, GMap, GSet, Lattice, ReplicaId, Superseded, choice};
///
/// choice! {
///     /// What a key holds.
///     pub enum Slot {
///         /// Words.
///         Tags(GSet<String>),
///         /// A number.
///         Count(GCounter),
///     }
/// }
///
/// # fn main() -> Result<(), Superseded> {
/// let count = |slot: &Slot| slot.apply(Slot::Count, |count| count.increment(ReplicaId(1), 1));
/// let tag = |slot: &Slot| slot.apply(Slot::Tags, |tags| tags.add("new".to_owned()));
///
/// let mut here: GMap<&str, Slot> = GMap::new();
/// here.merge(here.try_apply("hits", count)?);
/// here.merge(here.try_apply("labels", tag)?);
/// assert!(matches!(here.get(&"labels"), Some(Slot::Tags(tags)) if tags.len() == 1));
/// assert_eq!(here.try_apply("hits", tag), Err(Superseded));
///
/// // Elsewhere, nobody knew that "hits" is a count.
/// let elsewhere = GMap::new().try_apply("hits", tag)?;
/// here.merge(elsewhere);
/// assert!(matches!(here.get(&"hits"), Some(Slot::Count(count)) if count.value() == 1));
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! choice {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident($ty:ty)),+ $(,)?
        }
    ) => {
        $crate::__choice! {
            [$(#[$meta])* $vis] [$vis] $name [] []
            $([$(#[$variant_meta])*] $variant: $ty),+
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident<$($parameter:ident),+ $(,)?> {
            $($(#[$variant_meta:meta])* $variant:ident($ty:ty)),+ $(,)?
        }
    ) => {
        $crate::__choice! {
            [$(#[$meta])* $vis] [$vis] $name [$($parameter),+] [$($ty),+]
            $([$(#[$variant_meta])*] $variant: $ty),+
        }
    };
}

/// What [`choice!`] expands to: head, visibility, name, parameters, the types that need bounds (those of the variants, if
/// there are parameters), variants.
#[doc(hidden)]
#[macro_export]
macro_rules! __choice {
    (
        [$($head:tt)*] [$vis:vis] $name:ident [$($parameter:ident),*] [$($bound:ty),*]
        $([$($variant_head:tt)*] $variant:ident: $ty:ty),+
    ) => {
        $($head)* enum $name<$($parameter),*> {
            /// Nothing yet: the bottom.
            Nothing,
            $($($variant_head)* $variant($ty)),+
        }

        const _: () = {
            /// The variants by number.
            enum __Rank {
                Nothing,
                $($variant),+
            }

            /// The digest of whichever variant it is.
            #[derive(Clone, Debug, PartialEq)]
            #[allow(unreachable_pub, missing_docs, reason = "it has no name outside, but types outside have it")]
            pub enum __Digest<$($variant),+> {
                Nothing,
                $($variant($variant)),+
            }

            impl<$($variant: $crate::Encode),+> $crate::Encode for __Digest<$($variant),+> {
                fn encode(&self, w: &mut $crate::Writer<'_>) {
                    match self {
                        Self::Nothing => w.varint(__Rank::Nothing as u64),
                        $(Self::$variant(digest) => {
                            w.varint(__Rank::$variant as u64);
                            $crate::Encode::encode(digest, w);
                        })+
                    }
                }
            }

            impl<$($variant: $crate::Decode),+> $crate::Decode for __Digest<$($variant),+> {
                fn decode(r: &mut $crate::Reader<'_>) -> ::std::result::Result<Self, $crate::DecodeError> {
                    let at = r.at();
                    let tag = r.varint("choice")?;
                    $(if tag == __Rank::$variant as u64 {
                        return r.nested($crate::Decode::decode).map(Self::$variant);
                    })+
                    $crate::compose::choice::nothing(tag, at).map(|()| Self::Nothing)
                }
            }

            #[allow(dead_code, reason = "a choice may be changed by merging alone")]
            impl<$($parameter),*> $name<$($parameter),*>
            where
                $($bound: $crate::Lattice),*
            {
                /// The delta that changes the state of `variant` by the delta that `mutate` makes for it, and chooses this
                /// variant if only earlier ones are known, even if `mutate` says nothing.
                ///
                /// # Errors
                /// [`Superseded`]($crate::Superseded) if a later variant is known already.
                $vis fn apply<State: $crate::Lattice + 'static>(
                    &self,
                    variant: fn(State) -> Self,
                    mutate: impl ::std::ops::FnOnce(&State) -> State,
                ) -> ::std::result::Result<Self, $crate::Superseded>
                where
                    $($bound: 'static),*
                {
                    let wanted = variant(State::default()).__rank();
                    if self.__rank() > wanted {
                        return ::std::result::Result::Err($crate::Superseded);
                    }
                    let state: ::std::option::Option<&dyn ::std::any::Any> = match self {
                        $(Self::$variant(state) if self.__rank() == wanted => ::std::option::Option::Some(state),)+
                        _ => ::std::option::Option::None,
                    };
                    ::std::result::Result::Ok(match state.and_then(|state| state.downcast_ref::<State>()) {
                        ::std::option::Option::Some(state) => Self::__news(mutate(state), variant),
                        ::std::option::Option::None => variant(mutate(&State::default())),
                    })
                }

                /// What is news to one who has chosen the same; bottom if it says nothing.
                fn __news<State: $crate::Lattice>(
                    news: State,
                    variant: impl ::std::ops::FnOnce(State) -> Self,
                ) -> Self {
                    if news.is_bottom() { Self::Nothing } else { variant(news) }
                }
            }

            impl<$($parameter),*> $name<$($parameter),*> {
                fn __rank(&self) -> u64 {
                    match self {
                        Self::Nothing => __Rank::Nothing as u64,
                        $(Self::$variant(_) => __Rank::$variant as u64,)+
                    }
                }
            }

            impl<$($parameter),*> ::std::clone::Clone for $name<$($parameter),*>
            where
                $($bound: ::std::clone::Clone),*
            {
                fn clone(&self) -> Self {
                    match self {
                        Self::Nothing => Self::Nothing,
                        $(Self::$variant(state) => Self::$variant(::std::clone::Clone::clone(state)),)+
                    }
                }
            }

            impl<$($parameter),*> ::std::fmt::Debug for $name<$($parameter),*>
            where
                $($bound: ::std::fmt::Debug),*
            {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    match self {
                        Self::Nothing => f.write_str("Nothing"),
                        $(Self::$variant(state) => {
                            f.debug_tuple(::std::stringify!($variant)).field(state).finish()
                        })+
                    }
                }
            }

            impl<$($parameter),*> ::std::default::Default for $name<$($parameter),*> {
                fn default() -> Self {
                    Self::Nothing
                }
            }

            impl<$($parameter),*> ::std::cmp::PartialEq for $name<$($parameter),*>
            where
                $($bound: ::std::cmp::PartialEq),*
            {
                fn eq(&self, other: &Self) -> bool {
                    match (self, other) {
                        $((Self::$variant(mine), Self::$variant(theirs)) => mine == theirs,)+
                        (mine, theirs) => mine.__rank() == theirs.__rank(),
                    }
                }
            }

            impl<$($parameter),*> ::std::cmp::Eq for $name<$($parameter),*>
            where
                $($bound: ::std::cmp::Eq),*
            {
            }

            impl<$($parameter),*> $crate::Lattice for $name<$($parameter),*>
            where
                $($bound: $crate::Lattice),*
            {
                fn merge(&mut self, other: Self) -> bool {
                    match (&mut *self, other) {
                        $((Self::$variant(mine), Self::$variant(theirs)) => $crate::Lattice::merge(mine, theirs),)+
                        (mine, theirs) => {
                            let is_later = theirs.__rank() > mine.__rank();
                            if is_later {
                                *mine = theirs;
                            }
                            is_later
                        }
                    }
                }

                fn leq(&self, other: &Self) -> bool {
                    match (self, other) {
                        $((Self::$variant(mine), Self::$variant(theirs)) => $crate::Lattice::leq(mine, theirs),)+
                        (mine, theirs) => mine.__rank() <= theirs.__rank(),
                    }
                }

                fn is_bottom(&self) -> bool {
                    ::std::matches!(self, Self::Nothing)
                }
            }

            impl<$($parameter),*> $crate::Decompose for $name<$($parameter),*>
            where
                $($bound: $crate::Decompose),*
            {
                /// The parts of the state; a variant whose state is bottom is one part by itself.
                fn decompose(&self) -> impl ::std::iter::Iterator<Item = Self> {
                    let parts = ::std::iter::empty();
                    $(
                        let state = match self {
                            Self::$variant(state) => ::std::option::Option::Some(state),
                            _ => ::std::option::Option::None,
                        };
                        let parts = ::std::iter::Iterator::chain(
                            parts,
                            ::std::iter::Iterator::map(
                                $crate::compose::choice::parts(state),
                                Self::$variant,
                            ),
                        );
                    )+
                    parts
                }
            }

            impl<$($parameter),*> $crate::Delta for $name<$($parameter),*>
            where
                $($bound: $crate::Delta),*
            {
                type Digest = __Digest<$(<$ty as $crate::Delta>::Digest),+>;

                fn digest(&self) -> Self::Digest {
                    match self {
                        Self::Nothing => __Digest::Nothing,
                        $(Self::$variant(state) => __Digest::$variant($crate::Delta::digest(state)),)+
                    }
                }

                fn delta(&self, since: &Self::Digest) -> Self {
                    let known = match since {
                        __Digest::Nothing => __Rank::Nothing as u64,
                        $(__Digest::$variant(_) => __Rank::$variant as u64,)+
                    };
                    match (self, since) {
                        $((Self::$variant(state), __Digest::$variant(since)) => {
                            Self::__news($crate::Delta::delta(state, since), Self::$variant)
                        })+
                        (state, _) if state.__rank() > known => ::std::clone::Clone::clone(state),
                        _ => Self::Nothing,
                    }
                }

                fn difference(&self, known: &Self) -> Self {
                    match (self, known) {
                        $((Self::$variant(state), Self::$variant(known)) => {
                            Self::__news($crate::Delta::difference(state, known), Self::$variant)
                        })+
                        (state, known) if state.__rank() > known.__rank() => ::std::clone::Clone::clone(state),
                        _ => Self::Nothing,
                    }
                }
            }

            impl<$($parameter),*> $crate::Fingerprint for $name<$($parameter),*>
            where
                $($bound: $crate::Fingerprint),*
            {
                fn fingerprint(&self) -> u64 {
                    match self {
                        Self::Nothing => 0,
                        $(Self::$variant(state) => {
                            $crate::fingerprint::mix(self.__rank(), $crate::Fingerprint::fingerprint(state))
                        })+
                    }
                }
            }

            /// The number of the variant, 0 for nothing; then the state.
            impl<$($parameter),*> $crate::Encode for $name<$($parameter),*>
            where
                $($bound: $crate::Encode),*
            {
                fn encode(&self, w: &mut $crate::Writer<'_>) {
                    w.varint(self.__rank());
                    match self {
                        Self::Nothing => {}
                        $(Self::$variant(state) => $crate::Encode::encode(state, w),)+
                    }
                }
            }

            impl<$($parameter),*> $crate::Decode for $name<$($parameter),*>
            where
                $($bound: $crate::Decode),*
            {
                fn decode(r: &mut $crate::Reader<'_>) -> ::std::result::Result<Self, $crate::DecodeError> {
                    let at = r.at();
                    let tag = r.varint("choice")?;
                    $(if tag == __Rank::$variant as u64 {
                        return r.nested($crate::Decode::decode).map(Self::$variant);
                    })+
                    $crate::compose::choice::nothing(tag, at).map(|()| Self::Nothing)
                }
            }
        };
    };
}

use crate::codec::DecodeError;
use crate::lattice::Decompose;

/// The parts of a chosen state, of which there is at least one: bottom itself, if it has none.
#[doc(hidden)]
pub fn parts<T: Decompose>(state: Option<&T>) -> impl Iterator<Item = T> {
    let bare = state.filter(|state| state.is_bottom()).map(|_| T::default());
    state.into_iter().flat_map(T::decompose).chain(bare)
}

/// Insists that a tag which is no variant's is that of nothing.
#[doc(hidden)]
pub fn nothing(tag: u64, at: usize) -> Result<(), DecodeError> {
    if tag == 0 { Ok(()) } else { Err(DecodeError::BadTag { what: "choice", tag, at }) }
}
