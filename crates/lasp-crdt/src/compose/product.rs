//! Records as lattices: fields with names, merged each on its own.
//!
//! Source: Almeida et al., "Delta State Replicated Data Types" (JPDC'18), the product lattice.

/// Makes a struct whose fields are lattices a lattice itself, of as many fields as you like: `Clone`, `Debug`, `Default`,
/// `PartialEq`, `Eq`, [`Lattice`](crate::Lattice), [`Decompose`](crate::Decompose), [`Delta`](crate::Delta),
/// [`Fingerprint`](crate::Fingerprint), [`Encode`](crate::Encode) and [`Decode`](crate::Decode), field by field.
///
/// Each field has a delta-mutator of its own name, as visible as the field: it makes the delta that changes this field
/// alone. To change several fields at once, merge their deltas.
///
/// ```
/// use lasp_crdt::{AwSet, GCounter, Lattice, ReplicaId, product};
///
/// product! {
///     /// Somebody who plays.
///     pub struct Player {
///         /// Grows.
///         pub score: GCounter,
///         /// Come and go.
///         pub items: AwSet<String>,
///     }
/// }
///
/// let me = ReplicaId(1);
/// let mut player = Player::default();
/// player.merge(player.score(|score| score.increment(me, 10)));
/// player.merge(player.items(|items| items.add(me, "lamp".to_owned())));
/// assert_eq!((player.score.value(), player.items.len()), (10, 1));
/// ```
///
/// Types may be parameters; what they need is whatever the fields need:
///
/// ```
/// use lasp_crdt::{Boolean, GSet, Lattice, product};
///
/// product! {
///     struct Checked<E> {
///         entries: GSet<E>,
///         is_complete: Boolean,
///     }
/// }
///
/// let mut list: Checked<u64> = Checked::default();
/// let mut delta = list.entries(|entries| entries.add_all([1, 2]));
/// delta.merge(list.is_complete(|flag| flag.enable()));
/// list.merge(delta);
/// assert!(list.is_complete.value());
/// ```
#[macro_export]
macro_rules! product {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $ty:ty),+ $(,)?
        }
    ) => {
        $crate::__product! {
            [$(#[$meta])* $vis] $name [] []
            $([$(#[$field_meta])* $field_vis] [$field_vis] $field: $ty),+
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident<$($parameter:ident),+ $(,)?> {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $ty:ty),+ $(,)?
        }
    ) => {
        $crate::__product! {
            [$(#[$meta])* $vis] $name [$($parameter),+] [$($ty),+]
            $([$(#[$field_meta])* $field_vis] [$field_vis] $field: $ty),+
        }
    };
}

/// What [`product!`] expands to: head, name, parameters, the types that need bounds (those of the fields, if there are
/// parameters), fields.
#[doc(hidden)]
#[macro_export]
macro_rules! __product {
    (
        [$($head:tt)*] $name:ident [$($parameter:ident),*] [$($bound:ty),*]
        $([$($field_head:tt)*] [$field_vis:vis] $field:ident: $ty:ty),+
    ) => {
        $($head)* struct $name<$($parameter),*> {
            $($($field_head)* $field: $ty),+
        }

        #[allow(dead_code, reason = "not every field need be changed by its mutator")]
        impl<$($parameter),*> $name<$($parameter),*>
        where
            $($bound: $crate::Lattice),*
        {
            $(
                #[doc = ::std::concat!(
                    "The delta that changes `",
                    ::std::stringify!($field),
                    "` alone, by the delta that `mutate` makes for it."
                )]
                $field_vis fn $field(&self, mutate: impl ::std::ops::FnOnce(&$ty) -> $ty) -> Self {
                    let mut delta = <Self as ::std::default::Default>::default();
                    delta.$field = mutate(&self.$field);
                    delta
                }
            )+
        }

        impl<$($parameter),*> ::std::clone::Clone for $name<$($parameter),*>
        where
            $($bound: ::std::clone::Clone),*
        {
            fn clone(&self) -> Self {
                Self { $($field: ::std::clone::Clone::clone(&self.$field)),+ }
            }
        }

        impl<$($parameter),*> ::std::fmt::Debug for $name<$($parameter),*>
        where
            $($bound: ::std::fmt::Debug),*
        {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(::std::stringify!($name))
                    $(.field(::std::stringify!($field), &self.$field))+
                    .finish()
            }
        }

        impl<$($parameter),*> ::std::default::Default for $name<$($parameter),*>
        where
            $($bound: ::std::default::Default),*
        {
            fn default() -> Self {
                Self { $($field: ::std::default::Default::default()),+ }
            }
        }

        impl<$($parameter),*> ::std::cmp::PartialEq for $name<$($parameter),*>
        where
            $($bound: ::std::cmp::PartialEq),*
        {
            fn eq(&self, other: &Self) -> bool {
                $(self.$field == other.$field)&&+
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
                [$($crate::Lattice::merge(&mut self.$field, other.$field)),+].contains(&true)
            }

            fn leq(&self, other: &Self) -> bool {
                $($crate::Lattice::leq(&self.$field, &other.$field))&&+
            }

            fn is_bottom(&self) -> bool {
                $($crate::Lattice::is_bottom(&self.$field))&&+
            }
        }

        impl<$($parameter),*> $crate::Decompose for $name<$($parameter),*>
        where
            $($bound: $crate::Decompose),*
        {
            /// The parts of each field, in order.
            fn decompose(&self) -> impl ::std::iter::Iterator<Item = Self> {
                let parts = ::std::iter::empty();
                $(
                    let parts = ::std::iter::Iterator::chain(
                        parts,
                        ::std::iter::Iterator::map($crate::Decompose::decompose(&self.$field), |part| {
                            let mut product = <Self as ::std::default::Default>::default();
                            product.$field = part;
                            product
                        }),
                    );
                )+
                parts
            }
        }

        impl<$($parameter),*> $crate::Delta for $name<$($parameter),*>
        where
            $($bound: $crate::Delta),*
        {
            /// The digest of each field, nested pair in pair.
            type Digest = $crate::__nest!($([<$ty as $crate::Delta>::Digest])+);

            fn digest(&self) -> Self::Digest {
                $crate::__nest!($([$crate::Delta::digest(&self.$field)])+)
            }

            fn delta(&self, since: &Self::Digest) -> Self {
                let $crate::__nest!($([$field])+) = since;
                Self { $($field: $crate::Delta::delta(&self.$field, $field)),+ }
            }

            fn difference(&self, known: &Self) -> Self {
                Self { $($field: $crate::Delta::difference(&self.$field, &known.$field)),+ }
            }
        }

        impl<$($parameter),*> $crate::Fingerprint for $name<$($parameter),*>
        where
            $($bound: $crate::Fingerprint),*
        {
            fn fingerprint(&self) -> u64 {
                $crate::compose::tuple::fingerprint_of(&[$($crate::Fingerprint::fingerprint(&self.$field)),+])
            }
        }

        /// Each field, in order.
        impl<$($parameter),*> $crate::Encode for $name<$($parameter),*>
        where
            $($bound: $crate::Encode),*
        {
            fn encode(&self, w: &mut $crate::Writer<'_>) {
                $($crate::Encode::encode(&self.$field, w);)+
            }
        }

        impl<$($parameter),*> $crate::Decode for $name<$($parameter),*>
        where
            $($bound: $crate::Decode),*
        {
            fn decode(r: &mut $crate::Reader<'_>) -> ::std::result::Result<Self, $crate::DecodeError> {
                r.nested(|r| ::std::result::Result::Ok(Self { $($field: $crate::Decode::decode(r)?),+ }))
            }
        }
    };
}

/// Right-nested pairs of any number of types, expressions or patterns, each in brackets.
#[doc(hidden)]
#[macro_export]
macro_rules! __nest {
    ([$($one:tt)+]) => { $($one)+ };
    ([$($one:tt)+] $($rest:tt)+) => { ($($one)+, $crate::__nest!($($rest)+)) };
}
