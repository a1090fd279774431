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
    /// Grow-only counter.
    GCounter,
    /// Counter that goes both ways.
    PnCounter,
    /// Register that keeps the greatest value written.
    Max,
    /// Register that keeps the least value written.
    Min,
    /// Flag that can only be raised.
    Boolean,
    /// Register that is set once.
    IVar,
    /// Register that keeps the last write.
    LwwRegister,
    /// Grow-only map to nested states.
    GMap(Box<Self>),
    /// Two states side by side.
    Pair(Box<Self>, Box<Self>),
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
        None => format!("; there are {}", NAMES.map(|(name, _)| name).join(", ")),
    }
}

fn parameters(n: usize) -> &'static str {
    match n {
        0 => "no parameters",
        1 => "one type",
        _ => "two types",
    }
}

/// Every name with its number of parameters, ascending.
const NAMES: [(&str, usize); 12] = [
    ("awset", 0),
    ("boolean", 0),
    ("gcounter", 0),
    ("gmap", 1),
    ("gset", 0),
    ("ivar", 0),
    ("lwwregister", 0),
    ("max", 0),
    ("min", 0),
    ("pair", 2),
    ("pncounter", 0),
    ("set", 0),
];

impl Type {
    /// The type called `name` with these parameters.
    ///
    /// # Errors
    /// [`TypeError::Unknown`] with the nearest name, [`TypeError::Arity`], [`TypeError::TooDeep`].
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
            "awset" | "set" => Self::AwSet,
            "boolean" => Self::Boolean,
            "gcounter" => Self::GCounter,
            "gmap" => Self::GMap(parameter()),
            "gset" => Self::GSet,
            "ivar" => Self::IVar,
            "lwwregister" => Self::LwwRegister,
            "max" => Self::Max,
            "min" => Self::Min,
            "pair" => Self::Pair(parameter(), parameter()),
            _ => Self::PnCounter,
        })
    }

    /// Every type's name, ascending; for completion and help.
    pub fn names() -> impl Iterator<Item = &'static str> {
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

    /// The type's name without parameters.
    pub fn name(&self) -> &'static str {
        match self {
            Self::GSet => "gset",
            Self::AwSet => "awset",
            Self::GCounter => "gcounter",
            Self::PnCounter => "pncounter",
            Self::Max => "max",
            Self::Min => "min",
            Self::Boolean => "boolean",
            Self::IVar => "ivar",
            Self::LwwRegister => "lwwregister",
            Self::GMap(_) => "gmap",
            Self::Pair(..) => "pair",
        }
    }

    /// How deeply this type nests: 1 for a type without parameters.
    pub fn depth(&self) -> usize {
        match self {
            Self::GMap(value) => 1 + value.depth(),
            Self::Pair(first, second) => 1 + first.depth().max(second.depth()),
            _ => 1,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GMap(value) => write!(f, "gmap({value})"),
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
    let (distance, name) = Type::names().map(|name| (near(name), name)).min()?;
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
        });
        match self {
            Self::GMap(value) => value.encode(w),
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
        for name in Type::names().filter(|name| !["gmap", "pair", "set"].contains(name)) {
            assert_eq!(parse(name).expect("a type").to_string(), name);
        }
        let nested = "gmap(pair(boolean, gmap(gset)))";
        assert_eq!(parse(nested).expect("a type").to_string(), nested);
        assert_eq!(parse(" pair( set ,max ) "), parse("pair(awset, max)"));
    }

    #[test]
    fn a_misspelt_type_names_the_nearest() {
        assert_eq!(parse("gcountr").unwrap_err(), "unknown type `gcountr`; did you mean `gcounter`?");
        assert!(parse("frobnicator").unwrap_err().starts_with("unknown type `frobnicator`; there are awset, boolean"));
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
        let ty = parse("pair(gmap(max), lwwregister)").expect("a type");
        assert_eq!(from_bytes::<Type>(&to_bytes(&ty)), Ok(ty));
        assert!(matches!(from_bytes::<Type>(&[9; 100]), Err(DecodeError::TooDeep { .. })));
        assert!(matches!(from_bytes::<Type>(&[11]), Err(DecodeError::BadTag { .. })));
    }
}
