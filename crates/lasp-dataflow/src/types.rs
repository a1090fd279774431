//! Types of variables: which lattice a variable holds, by name.
//!
//! The names are the language's: `set` is an add-wins set, `gmap(pair(boolean, boolean))` nests. Knows what each type is
//! called and which operations it offers, not how it works.

use crate::catalogue::{self, OpForm};
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// How deeply types may nest.
pub const MAX_TYPE_DEPTH: usize = 12;

/// The lattice that a variable holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// Grow-only set.
    GSet,
    /// Add-wins set; what `set` means.
    AwSet,
    /// Set whose elements, once removed, never come back.
    TwoPSet,
    /// Remove-wins set.
    RwSet,
    /// Grow-only counter.
    GCounter,
    /// Counter that goes both ways.
    PnCounter,
    /// Counter that goes both ways, one number for each replica.
    LexCounter,
    /// Counter that never goes below zero: a replica subtracts what it has rights for.
    BCounter,
    /// Register that keeps the greatest value written.
    Max,
    /// Register that keeps the least value written.
    Min,
    /// Flag that can only be raised.
    Boolean,
    /// Flag, at first disabled, of which a concurrent enabling wins.
    EwFlag,
    /// Flag, at first enabled, of which a concurrent disabling wins.
    DwFlag,
    /// Register that is set once.
    IVar,
    /// Register that keeps the last write.
    LwwRegister,
    /// Register that keeps concurrent writes side by side.
    MvRegister,
    /// What a fold came to, with what it was folded from: the newest result.
    Summary,
    /// Grow-only map to nested states.
    GMap(Box<Self>),
    /// Map whose keys can be removed, to nested states of a type that [can be](Self::nests_in_awmap).
    AwMap(Box<Self>),
    /// Map whose keys can be removed, to multi-value registers.
    MvMap,
    /// Two states side by side.
    Pair(Box<Self>, Box<Self>),
    /// Grow-only graph.
    GGraph,
    /// Graph whose vertices and edges, once removed, never come back.
    TwoPGraph,
    /// Add-wins graph.
    AwGraph,
}

/// Text that names no type.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TypeError {
    /// No type has this name.
    #[error("unknown type `{found}`{}", hint(.nearest))]
    Unknown {
        /// The name.
        found: Box<str>,
        /// The type whose name is nearest, if one is near.
        nearest: Option<&'static str>,
    },
    /// The type takes another number of parameters.
    #[error("`{name}` takes {} in parentheses, found {found}", parameters(*.expected))]
    Arity {
        /// The type's name.
        name: &'static str,
        /// How many parameters it takes.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// The values of an `awmap` cannot be of this type.
    #[error(
        "the values of an awmap cannot be {found}: they share the map's causal context, which it does not have; they can \
         be {AWMAP_VALUES}. A gmap takes any type"
    )]
    AwMapValue {
        /// The type.
        found: Type,
    },
    /// Not of the form `name` or `name(type, ...)`.
    #[error("malformed type at byte {at}: expected {expected}")]
    Syntax {
        /// Where.
        at: usize,
        /// What should have been there.
        expected: &'static str,
    },
    /// Nested deeper than [`MAX_TYPE_DEPTH`].
    #[error("types nest at most {MAX_TYPE_DEPTH} deep")]
    TooDeep,
}

fn hint(nearest: &Option<&'static str>) -> String {
    match nearest {
        Some(name) => format!("; did you mean `{name}`?"),
        None => format!("; there are {}", Type::names().collect::<Vec<_>>().join(", ")),
    }
}

fn parameters(n: usize) -> &'static str {
    match n {
        0 => "no parameters",
        1 => "one type",
        _ => "two types",
    }
}

/// What [`Type::nests_in_awmap`] says yes to.
const AWMAP_VALUES: &str = "set, rwset, ewflag, dwflag, mvregister, awmap(T), mvmap, awgraph, or a pair of these";

/// Every name with its number of parameters, ascending.
const NAMES: [(&str, usize); 25] = [
    ("awgraph", 0),
    ("awmap", 1),
    ("awset", 0),
    ("bcounter", 0),
    ("boolean", 0),
    ("dwflag", 0),
    ("ewflag", 0),
    ("gcounter", 0),
    ("ggraph", 0),
    ("gmap", 1),
    ("gset", 0),
    ("ivar", 0),
    ("lexcounter", 0),
    ("lwwregister", 0),
    ("max", 0),
    ("min", 0),
    ("mvmap", 0),
    ("mvregister", 0),
    ("pair", 2),
    ("pncounter", 0),
    ("rwset", 0),
    ("set", 0),
    ("summary", 0),
    ("twopgraph", 0),
    ("twopset", 0),
];

impl Type {
    /// The type called `name` with these parameters.
    ///
    /// # Errors
    /// [`TypeError::Unknown`] with the nearest name, [`TypeError::Arity`], [`TypeError::TooDeep`],
    /// [`TypeError::AwMapValue`].
    pub fn new(name: &str, parameters: Vec<Self>) -> Result<Self, TypeError> {
        let Some(&(name, expected)) = NAMES.iter().find(|(known, _)| *known == name) else {
            return Err(TypeError::Unknown { found: name.into(), nearest: nearest(name) });
        };
        if parameters.len() != expected {
            return Err(TypeError::Arity { name, expected, found: parameters.len() });
        }
        if parameters.iter().any(|p| p.depth() >= MAX_TYPE_DEPTH) {
            return Err(TypeError::TooDeep);
        }
        let mut parameters = parameters.into_iter().map(Box::new);
        let mut parameter = || parameters.next().expect("as many as counted above");
        Ok(match name {
            "awgraph" => Self::AwGraph,
            "awmap" => {
                let value = parameter();
                if !value.nests_in_awmap() {
                    return Err(TypeError::AwMapValue { found: *value });
                }
                Self::AwMap(value)
            }
            "awset" | "set" => Self::AwSet,
            "bcounter" => Self::BCounter,
            "boolean" => Self::Boolean,
            "dwflag" => Self::DwFlag,
            "ewflag" => Self::EwFlag,
            "gcounter" => Self::GCounter,
            "ggraph" => Self::GGraph,
            "gmap" => Self::GMap(parameter()),
            "gset" => Self::GSet,
            "ivar" => Self::IVar,
            "lexcounter" => Self::LexCounter,
            "lwwregister" => Self::LwwRegister,
            "max" => Self::Max,
            "min" => Self::Min,
            "mvmap" => Self::MvMap,
            "mvregister" => Self::MvRegister,
            "pair" => Self::Pair(parameter(), parameter()),
            "rwset" => Self::RwSet,
            "summary" => Self::Summary,
            "twopgraph" => Self::TwoPGraph,
            "twopset" => Self::TwoPSet,
            _ => Self::PnCounter,
        })
    }

    /// Every type's name, ascending; for completion and help. Another name of a type is not among them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::names_and_aliases().filter(|name| Self::ALIASES.iter().all(|(alias, _)| alias != name))
    }

    /// Names that are read beside those that types are called by, and the names that they stand for.
    pub const ALIASES: [(&'static str, &'static str); 1] = [("awset", "set")];

    /// Every name that is read as a type, ascending.
    pub fn names_and_aliases() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// The operations that variables of this type offer, in the order to show them.
    pub fn catalogue(&self) -> &'static [OpForm] {
        catalogue::of(self)
    }

    /// Whether values of this type are sets, which derivations take.
    pub fn is_set(&self) -> bool {
        matches!(self, Self::GSet | Self::AwSet)
    }

    /// Whether a state of this type has no more parts than content: those with a causal context have one for every dot ever
    /// seen.
    pub fn parts_follow_content(&self) -> bool {
        match self {
            Self::AwSet | Self::RwSet | Self::EwFlag | Self::DwFlag | Self::MvRegister | Self::Summary => false,
            Self::AwMap(_) | Self::MvMap | Self::AwGraph => false,
            Self::GMap(values) => values.parts_follow_content(),
            Self::Pair(first, second) => first.parts_follow_content() && second.parts_follow_content(),
            Self::GSet | Self::TwoPSet | Self::GCounter | Self::PnCounter | Self::LexCounter | Self::BCounter => true,
            Self::Max | Self::Min | Self::Boolean | Self::IVar | Self::LwwRegister => true,
            Self::GGraph | Self::TwoPGraph => true,
        }
    }

    /// Whether the values of an `awmap` can be of this type: those that live in a causal context, and so in that of the map.
    pub fn nests_in_awmap(&self) -> bool {
        match self {
            Self::AwSet
            | Self::RwSet
            | Self::EwFlag
            | Self::DwFlag
            | Self::MvRegister
            | Self::AwMap(_)
            | Self::MvMap
            | Self::AwGraph => true,
            Self::Pair(first, second) => first.nests_in_awmap() && second.nests_in_awmap(),
            Self::GSet
            | Self::TwoPSet
            | Self::GCounter
            | Self::PnCounter
            | Self::LexCounter
            | Self::BCounter
            | Self::Max
            | Self::Min
            | Self::Boolean
            | Self::IVar
            | Self::LwwRegister
            | Self::Summary
            | Self::GMap(_)
            | Self::GGraph
            | Self::TwoPGraph => false,
        }
    }

    /// Whether states of two variables of this type can be joined without their parts being taken for one another's: they
    /// say what is, not who did it.
    pub(crate) fn joins_freely(&self) -> bool {
        match self {
            Self::GSet
            | Self::TwoPSet
            | Self::Max
            | Self::Min
            | Self::Boolean
            | Self::IVar
            | Self::LwwRegister
            | Self::GGraph
            | Self::TwoPGraph => true,
            Self::AwSet
            | Self::RwSet
            | Self::GCounter
            | Self::PnCounter
            | Self::LexCounter
            | Self::BCounter
            | Self::EwFlag
            | Self::DwFlag
            | Self::MvRegister
            | Self::Summary
            | Self::AwMap(_)
            | Self::MvMap
            | Self::AwGraph => false,
            Self::GMap(inner) => inner.joins_freely(),
            Self::Pair(first, second) => first.joins_freely() && second.joins_freely(),
        }
    }

    /// The type's name without parameters.
    pub fn name(&self) -> &'static str {
        match self {
            Self::GSet => "gset",
            Self::AwSet => "set",
            Self::TwoPSet => "twopset",
            Self::RwSet => "rwset",
            Self::GCounter => "gcounter",
            Self::PnCounter => "pncounter",
            Self::LexCounter => "lexcounter",
            Self::BCounter => "bcounter",
            Self::Max => "max",
            Self::Min => "min",
            Self::Boolean => "boolean",
            Self::EwFlag => "ewflag",
            Self::DwFlag => "dwflag",
            Self::IVar => "ivar",
            Self::LwwRegister => "lwwregister",
            Self::MvRegister => "mvregister",
            Self::Summary => "summary",
            Self::GMap(_) => "gmap",
            Self::AwMap(_) => "awmap",
            Self::MvMap => "mvmap",
            Self::Pair(..) => "pair",
            Self::GGraph => "ggraph",
            Self::TwoPGraph => "twopgraph",
            Self::AwGraph => "awgraph",
        }
    }

    /// How deeply this type nests: 1 for a type without parameters.
    pub fn depth(&self) -> usize {
        match self {
            Self::GMap(value) | Self::AwMap(value) => 1 + value.depth(),
            Self::Pair(first, second) => 1 + first.depth().max(second.depth()),
            _ => 1,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GMap(value) | Self::AwMap(value) => write!(f, "{}({value})", self.name()),
            Self::Pair(first, second) => write!(f, "pair({first}, {second})"),
            plain => f.write_str(plain.name()),
        }
    }
}

impl FromStr for Type {
    type Err = TypeError;

    fn from_str(text: &str) -> Result<Self, TypeError> {
        let mut parser = Parser { text, at: 0 };
        let ty = parser.ty(0)?;
        parser.spaces();
        if parser.at < text.len() { Err(parser.expected("the end")) } else { Ok(ty) }
    }
}

/// Reads `name` or `name(type, ...)`.
struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn ty(&mut self, depth: usize) -> Result<Type, TypeError> {
        if depth == MAX_TYPE_DEPTH {
            return Err(TypeError::TooDeep);
        }
        self.spaces();
        let start = self.at;
        let rest = &self.text[start..];
        self.at += rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let name = &self.text[start..self.at];
        if name.is_empty() {
            return Err(self.expected("a type's name"));
        }
        let mut parameters = Vec::new();
        if self.take('(') {
            loop {
                parameters.push(self.ty(depth + 1)?);
                if self.take(')') {
                    break;
                }
                if !self.take(',') {
                    return Err(self.expected("`,` or `)`"));
                }
            }
        }
        Type::new(name, parameters)
    }

    fn take(&mut self, wanted: char) -> bool {
        self.spaces();
        let found = self.text[self.at..].starts_with(wanted);
        self.at += if found { wanted.len_utf8() } else { 0 };
        found
    }

    fn spaces(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn expected(&self, expected: &'static str) -> TypeError {
        TypeError::Syntax { at: self.at, expected }
    }
}

/// The known name nearest to `found`, unless all are far.
fn nearest(found: &str) -> Option<&'static str> {
    let near = |name: &str| catalogue::distance(found, name);
    let (distance, name) = Type::names_and_aliases().map(|name| (near(name), name)).min()?;
    (distance <= 1 + name.len() / 4).then_some(name)
}

/// A tag, then the parameters.
impl Encode for Type {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(match self {
            Self::GSet => 0,
            Self::AwSet => 1,
            Self::GCounter => 2,
            Self::PnCounter => 3,
            Self::Max => 4,
            Self::Min => 5,
            Self::Boolean => 6,
            Self::IVar => 7,
            Self::LwwRegister => 8,
            Self::GMap(_) => 9,
            Self::Pair(..) => 10,
            Self::TwoPSet => 11,
            Self::RwSet => 12,
            Self::LexCounter => 13,
            Self::BCounter => 14,
            Self::EwFlag => 15,
            Self::DwFlag => 16,
            Self::MvRegister => 17,
            Self::AwMap(_) => 18,
            Self::MvMap => 19,
            Self::GGraph => 20,
            Self::TwoPGraph => 21,
            Self::AwGraph => 22,
            Self::Summary => 23,
        });
        match self {
            Self::GMap(value) | Self::AwMap(value) => value.encode(w),
            Self::Pair(first, second) => {
                first.encode(w);
                second.encode(w);
            }
            _ => {}
        }
    }
}

impl Decode for Type {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let ty = decode_any_depth(r)?;
        if ty.depth() > MAX_TYPE_DEPTH { Err(DecodeError::TooDeep { at: r.at() }) } else { Ok(ty) }
    }
}

fn decode_any_depth(r: &mut Reader<'_>) -> Result<Type, DecodeError> {
    let at = r.at();
    let nested = |r: &mut Reader<'_>| r.nested(decode_any_depth).map(Box::new);
    Ok(match r.u8("type")? {
        0 => Type::GSet,
        1 => Type::AwSet,
        2 => Type::GCounter,
        3 => Type::PnCounter,
        4 => Type::Max,
        5 => Type::Min,
        6 => Type::Boolean,
        7 => Type::IVar,
        8 => Type::LwwRegister,
        9 => Type::GMap(nested(r)?),
        10 => Type::Pair(nested(r)?, nested(r)?),
        11 => Type::TwoPSet,
        12 => Type::RwSet,
        13 => Type::LexCounter,
        14 => Type::BCounter,
        15 => Type::EwFlag,
        16 => Type::DwFlag,
        17 => Type::MvRegister,
        18 => {
            let bad = r.not_canonical("type of an awmap's values");
            let value = nested(r)?;
            if !value.nests_in_awmap() {
                return Err(bad);
            }
            Type::AwMap(value)
        }
        19 => Type::MvMap,
        20 => Type::GGraph,
        21 => Type::TwoPGraph,
        22 => Type::AwGraph,
        23 => Type::Summary,
        tag => {
            return Err(DecodeError::BadTag { what: "type", tag: tag.into(), at });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::codec::{from_bytes, to_bytes};

    fn parse(text: &str) -> Result<Type, String> {
        text.parse().map_err(|e: TypeError| e.to_string())
    }

    #[test]
    fn types_read_back_as_they_print() {
        for name in Type::names().filter(|name| !["awmap", "gmap", "pair"].contains(name)) {
            assert_eq!(parse(name).expect("a type").to_string(), name);
        }
        for nested in ["gmap(pair(boolean, gmap(gset)))", "pair(gmap(awmap(awmap(pair(rwset, mvmap)))), ggraph)"] {
            assert_eq!(parse(nested).expect("a type").to_string(), nested);
        }
        assert_eq!(parse(" pair( set ,max ) "), parse("pair(awset, max)"));
        assert_eq!(parse("awset").expect("a type").to_string(), "set");
    }

    #[test]
    fn a_misspelt_type_names_the_nearest() {
        assert_eq!(parse("gcountr").unwrap_err(), "unknown type `gcountr`; did you mean `gcounter`?");
        assert!(
            parse("frobnicator")
                .unwrap_err()
                .starts_with("unknown type `frobnicator`; there are awgraph, awmap, bcounter")
        );
    }

    #[test]
    fn what_has_no_causal_context_is_no_value_of_an_awmap() {
        let error = parse("gmap(awmap(gcounter))").unwrap_err();
        assert!(error.starts_with("the values of an awmap cannot be gcounter: "), "{error}");
        assert!(
            error.contains("they can be set, rwset, ewflag, dwflag, mvregister, awmap(T), mvmap, awgraph"),
            "{error}"
        );
        assert!(parse("awmap(pair(set, max))").unwrap_err().contains("cannot be pair(set, max)"));
        let named = AWMAP_VALUES.split(", ").filter(|name| !name.contains(['(', ' ']));
        assert!(named.clone().count() > 5);
        for name in named {
            assert!(parse(&format!("awmap({name})")).is_ok(), "{name}");
        }
        for ty in NAMES.iter().filter(|(_, arity)| *arity == 0).map(|(name, _)| parse(name).expect("a type")) {
            let is_named = AWMAP_VALUES.split(", ").any(|name| name == ty.name());
            assert_eq!(ty.nests_in_awmap(), is_named, "{ty}");
        }
    }

    #[test]
    fn malformed_types_say_what_was_expected() {
        assert_eq!(parse("gmap").unwrap_err(), "`gmap` takes one type in parentheses, found 0");
        assert_eq!(parse("set(max)").unwrap_err(), "`set` takes no parameters in parentheses, found 1");
        assert_eq!(parse("pair(max, min").unwrap_err(), "malformed type at byte 13: expected `,` or `)`");
        assert_eq!(parse("max min").unwrap_err(), "malformed type at byte 4: expected the end");
        assert_eq!(parse("gmap()").unwrap_err(), "malformed type at byte 5: expected a type's name");
        assert_eq!(parse(&"gmap(".repeat(100_000)).unwrap_err(), "types nest at most 12 deep");
    }

    #[test]
    fn types_survive_the_wire_and_bottomless_ones_are_refused() {
        let mut tags = std::collections::BTreeSet::new();
        for (name, arity) in NAMES {
            let ty = Type::new(name, vec![Type::AwSet; arity]).expect("a type");
            let bytes = to_bytes(&ty);
            assert!(tags.insert(bytes[0]) || name == "set", "{name}");
            assert_eq!(from_bytes::<Type>(&bytes), Ok(ty));
        }
        assert!(tags.into_iter().eq(0..=23));
        let ty = parse("pair(gmap(max), awmap(ewflag))").expect("a type");
        assert_eq!(to_bytes(&ty), [10, 9, 4, 18, 15]);
        assert_eq!(from_bytes::<Type>(&[10, 9, 4, 18, 15]), Ok(ty));
        assert!(matches!(from_bytes::<Type>(&[18, 2]), Err(DecodeError::NotCanonical { .. })));
        assert!(matches!(from_bytes::<Type>(&[9; 100]), Err(DecodeError::TooDeep { .. })));
        assert!(matches!(from_bytes::<Type>(&[24]), Err(DecodeError::BadTag { .. })));
    }
}
