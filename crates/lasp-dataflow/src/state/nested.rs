//! What is below a key of an add-wins map: a dot store of one of the types that live in a causal context.
//!
//! A store needs a bottom without being told its type; here that is [`Nested::Nothing`], which equals every store without
//! dots. Stores share the context of the map, also those of a pair. The type comes from elsewhere, as for states.

use super::look::Look;
use crate::types::Type;
use crate::value::Value;
use lasp_crdt::fingerprint::mix;
use lasp_crdt::flag::{DisableDots, EnableDots};
use lasp_crdt::{
    DecodeError, DecodeStore, Dot, DotChange, DotSet, DotStore, Dotted, Elements, EncodeStore, Fingerprint, GraphDots,
    Keys, MvRegister, Reader, RwElements, Values, Writer,
};

/// The value under a key of an add-wins map.
#[derive(Clone, Debug, Default)]
pub enum Nested {
    /// Nothing yet, of any type.
    #[default]
    Nothing,
    /// Of [`Type::AwSet`].
    AwSet(Box<Elements<Value>>),
    /// Of [`Type::RwSet`].
    RwSet(Box<RwElements<Value>>),
    /// Of [`Type::EwFlag`].
    EwFlag(EnableDots),
    /// Of [`Type::DwFlag`].
    DwFlag(DisableDots),
    /// Of [`Type::MvRegister`].
    MvRegister(Values<Value>),
    /// Of [`Type::AwMap`].
    AwMap(Box<Keys<Value, Dotted<Self>>>),
    /// Of [`Type::MvMap`].
    MvMap(Box<Keys<Value, MvRegister<Value>>>),
    /// Of [`Type::AwGraph`].
    AwGraph(Box<GraphDots<Value>>),
    /// Of [`Type::Pair`].
    Pair(Box<(Self, Self)>),
}

/// Runs `$body` with `$x` bound to the store inside `$nested`, and `$wrap` to what makes a `Nested` of it; nothing and pairs
/// go their own way.
macro_rules! with_store {
    ([$($variant:ident)*] $nested:expr, ($x:pat, $wrap:pat) => $body:expr, nothing $nothing:expr,
        $pair:ident => $of_pair:expr) => {
        match $nested {
            Nested::Nothing => $nothing,
            $(Nested::$variant($x) => { let $wrap = Nested::$variant; $body })*
            Nested::Pair($pair) => $of_pair,
        }
    };
    ($($with:tt)*) => {
        with_store!([AwSet RwSet EwFlag DwFlag MvRegister AwMap MvMap AwGraph] $($with)*)
    };
}

/// Runs `$body` on two stores of one kind.
macro_rules! zip_stores {
    ([$($variant:ident)*] $left:expr, $right:expr, ($x:ident, $y:ident) => $body:expr,
        ($p:ident, $q:ident) => $of_pairs:expr, else $otherwise:expr) => {
        match ($left, $right) {
            $((Nested::$variant($x), Nested::$variant($y)) => $body,)*
            (Nested::Pair($p), Nested::Pair($q)) => $of_pairs,
            _ => $otherwise,
        }
    };
    ($($with:tt)*) => {
        zip_stores!([AwSet RwSet EwFlag DwFlag MvRegister AwMap MvMap AwGraph] $($with)*)
    };
}

impl Nested {
    /// The store without dots of type `ty`; nothing of a type that no value of an add-wins map has.
    pub(super) fn bottom(ty: &Type) -> Self {
        match ty {
            Type::AwSet => Self::AwSet(Box::default()),
            Type::RwSet => Self::RwSet(Box::default()),
            Type::EwFlag => Self::EwFlag(EnableDots::default()),
            Type::DwFlag => Self::DwFlag(DisableDots::default()),
            Type::MvRegister => Self::MvRegister(Values::default()),
            Type::AwMap(_) => Self::AwMap(Box::default()),
            Type::MvMap => Self::MvMap(Box::default()),
            Type::AwGraph => Self::AwGraph(Box::default()),
            Type::Pair(first, second) => Self::Pair(Box::new((Self::bottom(first), Self::bottom(second)))),
            _ => Self::Nothing,
        }
    }

    /// The store without dots of this one's type.
    pub(super) fn bottom_alike(&self) -> Self {
        with_store!(self, (_, wrap) => wrap(Default::default()), nothing Self::Nothing, pair => {
            Self::Pair(Box::new((pair.0.bottom_alike(), pair.1.bottom_alike())))
        })
    }

    /// Whether this is a store of type `ty`. Cost: the keys of maps.
    pub(super) fn is_of(&self, ty: &Type) -> bool {
        match (self, ty) {
            (Self::Nothing, _) => true,
            (Self::AwMap(map), Type::AwMap(inner)) => map.unordered().all(|(_, nested)| nested.is_of(inner)),
            (Self::Pair(pair), Type::Pair(first, second)) => pair.0.is_of(first) && pair.1.is_of(second),
            (Self::AwSet(_), Type::AwSet)
            | (Self::RwSet(_), Type::RwSet)
            | (Self::EwFlag(_), Type::EwFlag)
            | (Self::DwFlag(_), Type::DwFlag)
            | (Self::MvRegister(_), Type::MvRegister)
            | (Self::MvMap(_), Type::MvMap)
            | (Self::AwGraph(_), Type::AwGraph) => true,
            _ => false,
        }
    }

    pub(crate) fn look(&self) -> Look<'_> {
        match self {
            Self::Nothing => Look::Nothing,
            Self::AwSet(set) => Look::Set(&**set),
            Self::RwSet(set) => Look::Set(&**set),
            Self::EwFlag(flag) => Look::Flag(flag.value()),
            Self::DwFlag(flag) => Look::Flag(flag.value()),
            Self::MvRegister(values) => Look::Many(values),
            Self::AwMap(map) => Look::Map(&**map),
            Self::MvMap(map) => Look::Map(&**map),
            Self::AwGraph(graph) => Look::Graph(lasp_crdt::Graph::adjacency(&**graph)),
            Self::Pair(pair) => Look::NestedPair(pair),
        }
    }

    /// Reads a store of type `ty`, as [`DecodeStore::decode_store`].
    pub(super) fn decode_store(ty: &Type, r: &mut Reader<'_>, live: &mut DotSet) -> Result<(Self, bool), DecodeError> {
        fn read<S: DecodeStore>(
            r: &mut Reader<'_>,
            live: &mut DotSet,
            wrap: fn(S) -> Nested,
        ) -> Result<(Nested, bool), DecodeError> {
            S::decode_store(r, live).map(|(store, flag)| (wrap(store), flag))
        }
        match ty {
            Type::AwSet => read(r, live, Self::AwSet),
            Type::RwSet => read(r, live, Self::RwSet),
            Type::EwFlag => read(r, live, Self::EwFlag),
            Type::DwFlag => read(r, live, Self::DwFlag),
            Type::MvRegister => read(r, live, Self::MvRegister),
            Type::AwMap(inner) => {
                let value = |r: &mut Reader<'_>, live: &mut _| Self::decode_store(inner, r, live);
                Keys::decode_store_with(r, live, value).map(|(keys, flag)| (Self::AwMap(Box::new(keys)), flag))
            }
            Type::MvMap => read(r, live, Self::MvMap),
            Type::AwGraph => read(r, live, Self::AwGraph),
            Type::Pair(first, second) => decode_pair(first, second, r, live),
            // No such type gets this far.
            _ => Err(r.not_canonical("value of an awmap")),
        }
    }
}

const FIRST: u64 = 2;
const SECOND: u64 = 4;

fn decode_pair(
    first: &Type,
    second: &Type,
    r: &mut Reader<'_>,
    live: &mut DotSet,
) -> Result<(Nested, bool), DecodeError> {
    let bad = r.not_canonical("pair");
    let head = r.varint("pair")?;
    if head > FIRST | SECOND | 1 {
        return Err(bad);
    }
    let mut half = |ty: &Type, is_there: bool| {
        if !is_there {
            return Ok(Nested::bottom(ty));
        }
        let bad = r.not_canonical("half of a pair");
        let (store, flag) = r.nested(|r| Nested::decode_store(ty, r, live))?;
        if flag || store.dot_count() == 0 { Err(bad) } else { Ok(store) }
    };
    let first = half(first, head & FIRST != 0)?;
    let second = half(second, head & SECOND != 0)?;
    Ok((Nested::Pair(Box::new((first, second))), head & 1 == 1))
}

/// A pair is `flag`, plus 2 if the first has dots and 4 if the second has; then those. All others as themselves.
impl EncodeStore for Nested {
    fn encode_store(&self, live: &DotSet, flag: bool, w: &mut Writer<'_>) {
        with_store!(self, (x, _) => x.encode_store(live, flag, w), nothing w.varint(u64::from(flag)), pair => {
            let halves = [(&pair.0, FIRST), (&pair.1, SECOND)];
            let there = || halves.into_iter().filter(|(half, _)| half.dot_count() > 0);
            w.varint(there().map(|(_, bit)| bit).sum::<u64>() | u64::from(flag));
            there().for_each(|(half, _)| half.encode_store(&half.live(), false, w));
        });
    }
}

impl PartialEq for Nested {
    fn eq(&self, other: &Self) -> bool {
        let otherwise = self.dot_count() == 0 && other.dot_count() == 0;
        zip_stores!(self, other, (x, y) => x == y, (x, y) => x == y, else otherwise)
    }
}

impl Fingerprint for Nested {
    fn fingerprint(&self) -> u64 {
        with_store!(self, (x, _) => x.fingerprint(), nothing 0, pair => {
            match (pair.0.fingerprint(), pair.1.fingerprint()) {
                (0, 0) => 0,
                (first, second) => mix(first, second),
            }
        })
    }
}

impl DotStore for Nested {
    fn dot_count(&self) -> usize {
        with_store!(self, (x, _) => x.dot_count(), nothing 0, pair => pair.0.dot_count() + pair.1.dot_count())
    }

    fn holds_dot(&self, dot: Dot) -> bool {
        with_store!(self, (x, _) => x.holds_dot(dot), nothing false, pair => {
            pair.0.holds_dot(dot) || pair.1.holds_dot(dot)
        })
    }

    fn each_dot(&self, on: &mut dyn FnMut(Dot)) {
        with_store!(self, (x, _) => x.each_dot(on), nothing (), pair => {
            pair.0.each_dot(on);
            pair.1.each_dot(on);
        });
    }

    /// A store of another type is taken for nothing: what it holds is not here, what it has seen dies.
    fn join(&mut self, mine: &DotSet, mut other: Self, theirs: &DotSet, on: &mut dyn FnMut(DotChange)) -> bool {
        if matches!(self, Self::Nothing) {
            *self = other.bottom_alike();
        }
        if std::mem::discriminant(self) != std::mem::discriminant(&other) {
            other = self.bottom_alike();
        }
        zip_stores!(self, other, (x, y) => x.join(mine, y, theirs, on), (x, y) => {
            let first = x.0.join(mine, y.0, theirs, on);
            x.1.join(mine, y.1, theirs, on) || first
        }, else false)
    }

    fn dying(&self, other: &Self, common: &DotSet, on: &mut dyn FnMut(Dot)) {
        let is_alike = std::mem::discriminant(self) == std::mem::discriminant(other);
        let nothing = if is_alike { Self::Nothing } else { self.bottom_alike() };
        let other = if is_alike { other } else { &nothing };
        zip_stores!(self, other, (x, y) => x.dying(y, common, on), (x, y) => {
            x.0.dying(&y.0, common, on);
            x.1.dying(&y.1, common, on);
        }, else ());
    }

    fn kill(&mut self, dot: Dot) -> bool {
        with_store!(self, (x, _) => x.kill(dot), nothing false, pair => pair.0.kill(dot) || pair.1.kill(dot))
    }

    fn within(&self, dots: &DotSet) -> Self {
        with_store!(self, (x, wrap) => wrap(x.within(dots)), nothing Self::Nothing, pair => {
            Self::Pair(Box::new((pair.0.within(dots), pair.1.within(dots))))
        })
    }
}
