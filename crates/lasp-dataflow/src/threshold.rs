//! Thresholds: how far a variable must have come before a reader goes on.
//!
//! Lasp's threshold reads (Meiklejohn and Van Roy, PPDP'15) wait for a point in the lattice; here every type also offers
//! what can be said in the language: a value, `{strict, Value}`, `{value, N}` for numbers, `{cardinality, N}` for
//! collections. On types that only grow a met threshold stays met; on the others it is met at the moment of waking.

use crate::output::Output;
use crate::state::{GraphLiteral, Look, Nested, Slot, State};
use crate::types::Type;
use crate::value::Value;
use lasp_crdt::{Adjacency, DotStore};
use std::fmt;
use thiserror::Error;

/// What to wait for.
#[derive(Clone, Debug, PartialEq)]
pub enum Threshold {
    /// Anything at all: strictly above bottom.
    Bound,
    /// At or above this state.
    State(State),
    /// Above this state.
    Strict(State),
    /// A number of at least this much: a counter's or register's value, a collection's cardinality.
    AtLeast(i64),
    /// A greater number than this.
    MoreThan(i64),
    /// A set that holds all of these elements, a map that has these keys, a multi-value register with these among its
    /// concurrent values; with `more`, also another one.
    Contains {
        /// The elements, ascending, without repetition.
        elements: Vec<Value>,
        /// Whether these alone are not enough.
        more: bool,
    },
    /// A graph that has all of these vertices and edges; with `more`, also another vertex or edge.
    Graph {
        /// The vertices, the ends of the edges among them; ascending, without repetition.
        vertices: Vec<Value>,
        /// The edges, ascending, without repetition.
        edges: Vec<(Value, Value)>,
        /// Whether these alone are not enough.
        more: bool,
    },
    /// A last-writer-wins register, a fold's result or a flag that goes both ways, which holds just this.
    Holds(Value),
    /// A map in which what is under each of these keys has come so far.
    Entries(Vec<UnderKey>),
    /// A pair whose two sides have each come so far.
    Both(Box<(Self, Self)>),
}

/// How far what is under a key of a map must have come.
#[derive(Clone, Debug, PartialEq)]
pub struct UnderKey {
    /// The key.
    pub key: Value,
    /// How far.
    pub threshold: Threshold,
    /// Whether a map without the key will do, since a state to which nothing has happened meets the threshold.
    pub or_absent: bool,
}

/// As it is written, but for numbers: whether `{value, N}` or `{cardinality, N}` was meant is the type's to say.
impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bound => f.write_str("{strict, undefined}"),
            Self::State(state) => write!(f, "{}", state.read()),
            Self::Strict(state) => write!(f, "{{strict, {}}}", state.read()),
            Self::AtLeast(n) => write!(f, "at least {n}"),
            Self::MoreThan(n) => write!(f, "more than {n}"),
            Self::Contains { elements, more } => strictly(f, *more, &Value::list(elements.iter().cloned())),
            Self::Graph { vertices, edges, more } => {
                let graph = Output::Graph { vertices: vertices.clone(), edges: edges.clone() };
                strictly(f, *more, &graph)
            }
            Self::Holds(value) => write!(f, "{value}"),
            Self::Entries(entries) => {
                f.write_str("#{")?;
                for (position, UnderKey { key, threshold, .. }) in entries.iter().enumerate() {
                    let comma = if position > 0 { ", " } else { "" };
                    write!(f, "{comma}{key} => {threshold}")?;
                }
                f.write_str("}")
            }
            Self::Both(both) => write!(f, "{{{}, {}}}", both.0, both.1),
        }
    }
}

fn strictly(f: &mut fmt::Formatter<'_>, strict: bool, what: &dyn fmt::Display) -> fmt::Result {
    if strict { write!(f, "{{strict, {what}}}") } else { write!(f, "{what}") }
}

/// A threshold that a type does not offer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{ty} cannot be waited on for {found}; it offers {}", offers(.ty))]
pub struct ThresholdError {
    /// The variable's type.
    pub ty: Type,
    /// What was asked for.
    pub found: Box<str>,
}

fn offers(ty: &Type) -> &'static str {
    match ty {
        Type::GSet | Type::AwSet | Type::TwoPSet | Type::RwSet => {
            "a list of elements, {strict, List}, {cardinality, N}, {strict, {cardinality, N}}, {strict, undefined}"
        }
        Type::GCounter | Type::PnCounter | Type::LexCounter | Type::BCounter => {
            "{value, N}, {strict, {value, N}}, {strict, undefined}"
        }
        Type::Max => "a value, {strict, Value}, {value, N}, {strict, {value, N}}, {strict, undefined}",
        Type::Min => {
            "a value or less, {strict, Value}, {value, N} for N or less, {strict, {value, N}}, {strict, undefined}"
        }
        Type::IVar => "a value, {value, N}, {strict, {value, N}}, {strict, undefined}",
        Type::Boolean => "a value, {strict, Value}, {strict, undefined}",
        Type::EwFlag | Type::DwFlag => "true, false, {strict, undefined}",
        Type::LwwRegister | Type::Summary => "the value to hold, {value, N}, {strict, {value, N}}, {strict, undefined}",
        Type::MvRegister => {
            "a value to hold, {strict, Value} for another one beside it, {cardinality, N}, {strict, {cardinality, N}}, \
             {strict, undefined}"
        }
        Type::GMap(_) | Type::AwMap(_) | Type::MvMap => {
            "a list of keys, a map #{Key => Threshold}, {cardinality, N}, {strict, {cardinality, N}}, {strict, undefined}"
        }
        Type::Pair(..) => "a tuple of two thresholds, {strict, undefined}",
        Type::GGraph | Type::TwoPGraph | Type::AwGraph => {
            "a map #{vertices => [V, ...], edges => [{V, W}, ...]}, {strict, Map}, {cardinality, N} for N vertices, \
             {strict, {cardinality, N}}, {strict, undefined}"
        }
    }
}

impl Threshold {
    /// What variables of type `ty` can be waited on for, in words.
    pub fn forms(ty: &Type) -> &'static str {
        offers(ty)
    }

    /// Reads the language's form of a threshold on a variable of type `ty`.
    ///
    /// # Errors
    /// [`ThresholdError`], which names what the type offers.
    pub fn from_value(ty: &Type, form: &Value) -> Result<Self, ThresholdError> {
        let (strict, inner) = match tagged(form, "strict") {
            Some(inner) => (true, inner),
            None => (false, form),
        };
        let threshold = if is_undefined(inner) {
            Some(if strict { Self::Bound } else { Self::State(State::bottom(ty)) })
        } else if let Some(n) = tagged(inner, "value").filter(|_| has_value(ty)) {
            number(n, strict)
        } else if let Some(n) = tagged(inner, "value").filter(|n| *ty == Type::Min && matches!(n, Value::Int(_))) {
            Self::state(ty, n, strict)
        } else if let Some(n) = tagged(inner, "cardinality").filter(|_| has_cardinality(ty)) {
            number(n, strict)
        } else if is_of_another_type(ty, inner) {
            None
        } else {
            Self::plain(ty, inner, strict)
        };
        threshold.ok_or_else(|| ThresholdError { ty: ty.clone(), found: form.to_string().into() })
    }

    fn plain(ty: &Type, value: &Value, strict: bool) -> Option<Self> {
        match (ty, value) {
            (Type::GSet | Type::AwSet | Type::TwoPSet | Type::RwSet, Value::List(items)) => {
                Some(Self::Contains { elements: ascending(items.to_vec()), more: strict })
            }
            (Type::GCounter | Type::PnCounter | Type::LexCounter | Type::BCounter, _) => number(value, strict),
            (Type::LwwRegister | Type::Summary, _) | (Type::EwFlag | Type::DwFlag, Value::Bool(_)) => {
                (!strict).then(|| Self::Holds(value.clone()))
            }
            (Type::MvRegister, _) => Some(Self::Contains { elements: vec![value.clone()], more: strict }),
            (Type::GGraph | Type::TwoPGraph | Type::AwGraph, _) => Self::graph(GraphLiteral::of(value)?, strict),
            // What can be said by a state is: it is compared in one go.
            _ => Self::state(ty, value, strict).or_else(|| Self::of_parts(ty, value).filter(|_| !strict)),
        }
    }

    fn state(ty: &Type, value: &Value, strict: bool) -> Option<Self> {
        let state = State::from_value(ty, value).ok()?;
        Some(if strict { Self::Strict(state) } else { Self::State(state) })
    }

    fn graph(graph: GraphLiteral, more: bool) -> Option<Self> {
        let ends = graph.edges.iter().flat_map(|(from, to)| [from.clone(), to.clone()]);
        let vertices = graph.vertices.iter().cloned().chain(ends).collect();
        Some(Self::Graph { vertices: ascending(vertices), edges: ascending(graph.edges), more })
    }

    fn of_parts(ty: &Type, value: &Value) -> Option<Self> {
        match (ty, value) {
            (Type::GMap(_) | Type::AwMap(_) | Type::MvMap, Value::List(keys)) => {
                Some(Self::Contains { elements: ascending(keys.to_vec()), more: false })
            }
            (Type::GMap(_) | Type::AwMap(_) | Type::MvMap, Value::Map(entries)) => {
                let inner = under_keys(ty)?;
                let under = |(key, form): (&Value, &Value)| {
                    let threshold = Self::from_value(inner, form).ok()?;
                    let or_absent = threshold.is_met(&State::bottom(inner));
                    Some(UnderKey { key: key.clone(), threshold, or_absent })
                };
                entries.iter().map(|(key, form)| under((key, form))).collect::<Option<_>>().map(Self::Entries)
            }
            (Type::Pair(first, second), Value::Tuple(items)) => match &**items {
                [x, y] => {
                    let both = (Self::from_value(first, x).ok()?, Self::from_value(second, y).ok()?);
                    Some(Self::Both(Box::new(both)))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Refuses a threshold that variables of type `ty` can never be measured by.
    ///
    /// # Errors
    /// [`ThresholdError`].
    pub(crate) fn check(&self, ty: &Type) -> Result<(), ThresholdError> {
        let fits = match (self, ty) {
            (Self::Bound, _) => true,
            (Self::State(state) | Self::Strict(state), _) => state.is_of(ty),
            (Self::AtLeast(_) | Self::MoreThan(_), _) => has_value(ty) || has_cardinality(ty),
            (Self::Contains { .. }, _) => has_cardinality(ty) && !is_graph(ty),
            (Self::Graph { .. }, _) => is_graph(ty),
            (Self::Holds(_), _) => matches!(ty, Type::LwwRegister | Type::Summary | Type::EwFlag | Type::DwFlag),
            (Self::Entries(entries), _) => match under_keys(ty) {
                Some(inner) => return entries.iter().try_for_each(|entry| entry.threshold.check(inner)),
                None => false,
            },
            (Self::Both(both), Type::Pair(first, second)) => {
                return both.0.check(first).and_then(|()| both.1.check(second));
            }
            (Self::Both(_), _) => false,
        };
        if fits { Ok(()) } else { Err(ThresholdError { ty: ty.clone(), found: self.describe().into() }) }
    }

    fn describe(&self) -> &'static str {
        match self {
            Self::Bound => "any value",
            Self::State(_) | Self::Strict(_) => "a state of another type",
            Self::AtLeast(_) | Self::MoreThan(_) => "a number",
            Self::Contains { .. } => "elements",
            Self::Graph { .. } => "vertices and edges",
            Self::Holds(_) => "one value",
            Self::Entries(_) => "entries",
            Self::Both(_) => "two sides",
        }
    }

    /// Whether every variable is this far from the start.
    pub(crate) fn is_trivial(&self) -> bool {
        matches!(self, Self::State(state) if state.is_bottom())
    }

    /// Whether whoever waits for this waits for at least as much as `wanted`.
    pub(crate) fn implies(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (_, Self::State(wanted)) if wanted.is_bottom() => true,
            (_, Self::Bound) => self.is_above_bottom(),
            (Self::State(state) | Self::Strict(state), Self::State(wanted)) => wanted.leq(state),
            (Self::State(state), Self::Strict(wanted)) => wanted.leq(state) && !state.leq(wanted),
            (Self::Strict(state), Self::Strict(wanted)) => wanted.leq(state),
            (Self::AtLeast(n), Self::AtLeast(wanted)) => n >= wanted,
            (Self::AtLeast(n), Self::MoreThan(wanted)) | (Self::MoreThan(n), Self::MoreThan(wanted)) => {
                n > wanted || n == wanted && matches!(self, Self::MoreThan(_))
            }
            (Self::MoreThan(n), Self::AtLeast(wanted)) => n >= wanted,
            (Self::Contains { elements, more }, Self::Contains { elements: wanted, more: wanted_more }) => {
                let has_all = wanted.iter().all(|element| elements.binary_search(element).is_ok());
                has_all && (!wanted_more || *more || elements.len() > wanted.len())
            }
            (Self::Contains { elements, more }, Self::AtLeast(n)) => {
                i64::try_from(elements.len()).is_ok_and(|len| len + i64::from(*more) >= *n)
            }
            (Self::Holds(value), Self::Holds(wanted)) => value == wanted,
            (
                Self::Graph { vertices, edges, more },
                Self::Graph { vertices: wanted_vertices, edges: wanted_edges, more: wanted_more },
            ) => {
                let has_all = wanted_vertices.iter().all(|vertex| vertices.binary_search(vertex).is_ok())
                    && wanted_edges.iter().all(|edge| edges.binary_search(edge).is_ok());
                let has_more = vertices.len() > wanted_vertices.len() || edges.len() > wanted_edges.len();
                has_all && (!wanted_more || *more || has_more)
            }
            (Self::Graph { vertices, .. }, Self::AtLeast(n)) => {
                i64::try_from(vertices.len()).is_ok_and(|len| len >= *n)
            }
            (Self::Entries(entries), Self::Entries(wanted)) => wanted.iter().all(|wanted| {
                entries.iter().any(|entry| entry.key == wanted.key && entry.threshold.implies(&wanted.threshold))
            }),
            (Self::Both(both), Self::Both(wanted)) => both.0.implies(&wanted.0) && both.1.implies(&wanted.1),
            _ => false,
        }
    }

    /// Whether a state to which nothing has happened does not meet this; or it is met there, and then nobody waits for it.
    fn is_above_bottom(&self) -> bool {
        match self {
            Self::State(state) => !state.is_bottom(),
            Self::AtLeast(n) => *n > 0,
            Self::MoreThan(n) => *n >= 0,
            Self::Contains { elements, more } => *more || !elements.is_empty(),
            Self::Graph { vertices, more, .. } => *more || !vertices.is_empty(),
            Self::Entries(entries) => entries.iter().any(|entry| !entry.or_absent),
            Self::Both(both) => both.0.is_above_bottom() || both.1.is_above_bottom(),
            Self::Bound | Self::Strict(_) | Self::Holds(_) => true,
        }
    }

    /// Whether `state` has come this far. Cost: that of the threshold; for `more` of a graph, that of the graph.
    pub fn is_met(&self, state: &State) -> bool {
        match (self, state) {
            // A fold may have come to nothing.
            (Self::Bound, State::Summary(_)) => self.is_seen_in(state.look()),
            (Self::Bound, _) => !state.is_bottom(),
            (Self::State(wanted), _) => wanted.leq(state),
            (Self::Strict(wanted), _) => wanted.leq(state) && !state.leq(wanted),
            (Self::Entries(entries), State::GMap(map)) => entries.iter().all(|entry| {
                map.get(&entry.key).and_then(Slot::get).map_or(entry.or_absent, |state| entry.threshold.is_met(state))
            }),
            (Self::Entries(entries), State::AwMap(map)) => entries.iter().all(|entry| {
                map.get(&entry.key).map_or(entry.or_absent, |nested| entry.threshold.is_met_by_nested(nested))
            }),
            (Self::Both(both), State::Pair(pair)) => both.0.is_met(&pair.0) && both.1.is_met(&pair.1),
            _ => self.is_seen_in(state.look()),
        }
    }

    /// As [`is_met`](Self::is_met), of what is below a key of an add-wins map.
    fn is_met_by_nested(&self, nested: &Nested) -> bool {
        match (self, nested) {
            (Self::Bound, _) => nested.dot_count() > 0,
            (Self::Entries(entries), Nested::AwMap(map)) => entries.iter().all(|entry| {
                map.get(&entry.key).map_or(entry.or_absent, |nested| entry.threshold.is_met_by_nested(nested))
            }),
            (Self::Both(both), Nested::Pair(pair)) => {
                both.0.is_met_by_nested(&pair.0) && both.1.is_met_by_nested(&pair.1)
            }
            _ => self.is_seen_in(nested.look()),
        }
    }

    /// As [`is_met`](Self::is_met), of what can be told by a look alone.
    pub(crate) fn is_seen_in(&self, look: Look<'_>) -> bool {
        match self {
            // Of the types that only have a look here, bottom is the only state that a value can say.
            Self::State(wanted) => wanted.is_bottom(),
            Self::Bound => !matches!(look, Look::Nothing | Look::Register(None)),
            Self::AtLeast(n) => look.level().is_some_and(|level| level.is_at_least(*n)),
            Self::MoreThan(n) => look.level().is_some_and(|level| level.is_more_than(*n)),
            Self::Contains { elements, more } => {
                (!more || look.cardinality().is_some_and(|n| n > elements.len()))
                    && elements.iter().all(|element| look.contains(element))
            }
            Self::Graph { vertices, edges, more } => match look {
                Look::Graph(graph) => has_all(graph, vertices, edges) && (!more || has_more(graph, vertices, edges)),
                _ => false,
            },
            Self::Holds(value) => match look {
                Look::Register(held) => held == Some(value),
                Look::Flag(flag) => *value == Value::Bool(flag),
                _ => false,
            },
            Self::Entries(entries) => match look {
                Look::Map(map) => entries
                    .iter()
                    .all(|entry| map.get(&entry.key).map_or(entry.or_absent, |look| entry.threshold.is_seen_in(look))),
                _ => false,
            },
            Self::Strict(_) | Self::Both(_) => false,
        }
    }
}

fn has_all(graph: &Adjacency<Value>, vertices: &[Value], edges: &[(Value, Value)]) -> bool {
    vertices.iter().all(|vertex| graph.contains_vertex(vertex))
        && edges.iter().all(|(from, to)| graph.contains_edge(from, to))
}

fn has_more(graph: &Adjacency<Value>, vertices: &[Value], edges: &[(Value, Value)]) -> bool {
    let is_shown = |&(from, to): &(&Value, &Value)| graph.contains_vertex(from) && graph.contains_vertex(to);
    graph.vertex_count() > vertices.len() || graph.held_edges().filter(is_shown).nth(edges.len()).is_some()
}

/// The same, in order and each once.
fn ascending<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort_unstable();
    items.dedup();
    items
}

/// A number as thresholds see it: between two integers, equal where it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) floor: i64,
    pub(crate) ceil: i64,
}

impl Level {
    pub(crate) fn exactly(n: i64) -> Self {
        Self { floor: n, ceil: n }
    }

    /// The level of a number; none for other values.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Int(n) => Some(Self::exactly(*n)),
            // Casts saturate.
            Value::Float(x) => Some(Self { floor: x.get().floor() as i64, ceil: x.get().ceil() as i64 }),
            _ => None,
        }
    }

    pub(crate) fn is_at_least(self, n: i64) -> bool {
        self.floor >= n
    }

    pub(crate) fn is_more_than(self, n: i64) -> bool {
        self.ceil > n
    }
}

fn has_value(ty: &Type) -> bool {
    matches!(
        ty,
        Type::GCounter
            | Type::PnCounter
            | Type::LexCounter
            | Type::BCounter
            | Type::Max
            | Type::IVar
            | Type::LwwRegister
            | Type::Summary
    )
}

fn has_cardinality(ty: &Type) -> bool {
    matches!(
        ty,
        Type::GSet
            | Type::AwSet
            | Type::TwoPSet
            | Type::RwSet
            | Type::MvRegister
            | Type::GMap(_)
            | Type::AwMap(_)
            | Type::MvMap
    ) || is_graph(ty)
}

fn is_graph(ty: &Type) -> bool {
    matches!(ty, Type::GGraph | Type::TwoPGraph | Type::AwGraph)
}

/// Whether this says how far another type must have come, and so hardly the value that this one is to hold: who waits for a
/// register to hold `{cardinality, 3}` has most likely taken it for a collection. In a pair, it is two thresholds.
fn is_of_another_type(ty: &Type, form: &Value) -> bool {
    let is_number = |tag| matches!(tagged(form, tag), Some(Value::Int(_) | Value::Float(_)));
    !matches!(ty, Type::Pair(..)) && (is_number("value") || is_number("cardinality"))
}

/// The type of what is under the keys of a map.
fn under_keys(ty: &Type) -> Option<&Type> {
    match ty {
        Type::GMap(inner) | Type::AwMap(inner) => Some(inner),
        Type::MvMap => Some(&Type::MvRegister),
        _ => None,
    }
}

fn number(value: &Value, strict: bool) -> Option<Threshold> {
    let n = i64::try_from(value).ok()?;
    Some(if strict { Threshold::MoreThan(n) } else { Threshold::AtLeast(n) })
}

/// `X` of `{tag, X}`.
fn tagged<'a>(form: &'a Value, tag: &str) -> Option<&'a Value> {
    match form {
        Value::Tuple(items) => match &**items {
            [Value::Atom(found), inner] if **found == *tag => Some(inner),
            _ => None,
        },
        _ => None,
    }
}

fn is_undefined(value: &Value) -> bool {
    matches!(value, Value::Atom(name) if **name == *"undefined")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(ty: &str, form: Value) -> Result<Threshold, String> {
        Threshold::from_value(&ty.parse().expect("a type"), &form).map_err(|e| e.to_string())
    }

    fn tag(name: &str, inner: impl Into<Value>) -> Value {
        Value::tuple([Value::atom(name), inner.into()])
    }

    #[test]
    fn the_forms_of_the_language_are_read() {
        let undefined = Value::atom("undefined");
        assert_eq!(read("set", tag("strict", undefined.clone())), Ok(Threshold::Bound));
        assert_eq!(read("max", undefined), Ok(Threshold::State(State::bottom(&Type::Max))));
        assert_eq!(read("gcounter", tag("value", 3)), Ok(Threshold::AtLeast(3)));
        assert_eq!(read("pncounter", tag("strict", tag("value", 3))), Ok(Threshold::MoreThan(3)));
        assert_eq!(read("gcounter", 3.into()), Ok(Threshold::AtLeast(3)));
        assert_eq!(read("set", tag("cardinality", 2)), Ok(Threshold::AtLeast(2)));
        assert_eq!(read("gmap(max)", tag("strict", tag("cardinality", 2))), Ok(Threshold::MoreThan(2)));
        let elements = vec![Value::Int(1), Value::Int(2)];
        let form = Value::list([2, 1, 2]);
        assert_eq!(read("gset", form.clone()), Ok(Threshold::Contains { elements: elements.clone(), more: false }));
        assert_eq!(read("set", tag("strict", form)), Ok(Threshold::Contains { elements, more: true }));
        assert_eq!(read("lwwregister", 7.into()), Ok(Threshold::Holds(7.into())));
        assert!(matches!(read("ivar", 7.into()), Ok(Threshold::State(_))));
        assert!(matches!(read("boolean", tag("strict", false)), Ok(Threshold::Strict(_))));
        assert!(matches!(read("pair(boolean, max)", (true, 3).into()), Ok(Threshold::State(_))));
        assert!(matches!(read("min", tag("value", 3)), Ok(Threshold::State(_))));
        assert_eq!(read("dwflag", false.into()), Ok(Threshold::Holds(false.into())));
        let both = Threshold::Both(Box::new((Threshold::AtLeast(3), Threshold::AtLeast(2))));
        assert_eq!(read("pair(bcounter, rwset)", (tag("value", 3), tag("cardinality", 2)).into()), Ok(both));
        let under = |key: i64, threshold, or_absent| UnderKey { key: key.into(), threshold, or_absent };
        let one = Threshold::Contains { elements: vec![7.into()], more: false };
        assert_eq!(
            read("mvmap", Value::map([(1.into(), 7.into()), (2.into(), tag("cardinality", 0))])),
            Ok(Threshold::Entries(vec![under(1, one, false), under(2, Threshold::AtLeast(0), true)]))
        );
        let edge = Value::from((1, 2));
        let graph = Value::map([(Value::atom("edges"), Value::list([edge]))]);
        let vertices = vec![1.into(), 2.into()];
        let edges = vec![(1.into(), 2.into())];
        assert_eq!(read("awgraph", tag("strict", graph)), Ok(Threshold::Graph { vertices, edges, more: true }));
    }

    #[test]
    fn what_a_type_does_not_offer_is_refused_with_what_it_offers() {
        let error = read("gcounter", tag("cardinality", 3)).unwrap_err();
        assert_eq!(
            error,
            "gcounter cannot be waited on for {cardinality, 3}; it offers {value, N}, {strict, {value, N}}, \
             {strict, undefined}"
        );
        assert!(read("set", tag("value", 3)).unwrap_err().contains("it offers a list of elements"));
        assert!(read("set", tag("cardinality", Value::atom("many"))).is_err());
        assert!(read("boolean", 3.into()).is_err());
        let error = read("mvregister", tag("value", 3)).unwrap_err();
        assert!(error.contains("it offers a value to hold, ") && error.contains("{cardinality, N}"), "{error}");
        for ty in ["ivar", "lwwregister", "summary", "max", "min", "boolean", "ewflag", "gcounter"] {
            assert!(read(ty, tag("cardinality", 3)).is_err(), "{ty}");
            assert!(read(ty, tag("strict", tag("cardinality", 3))).is_err(), "{ty}");
        }
        for ty in ["gset", "mvregister", "mvmap", "gmap(max)", "awgraph", "ewflag", "boolean"] {
            assert!(read(ty, tag("value", 3)).is_err() && read(ty, tag("strict", tag("value", 3))).is_err(), "{ty}");
        }
        assert!(read("mvregister", tag("value", Value::atom("x"))).is_ok(), "a tuple like any other");
        assert!(read("ewflag", 3.into()).is_err());
        assert!(read("pair(boolean, boolean)", true.into()).is_err());
        assert!(read("awmap(ewflag)", Value::map([(1.into(), 3.into())])).is_err());
        assert!(read("awgraph", Value::map([(Value::atom("vertexes"), Value::list([1]))])).is_err());
        assert!(Threshold::Holds(1.into()).check(&Type::Max).is_err());
        assert!(Threshold::State(State::bottom(&Type::Max)).check(&Type::Min).is_err());
    }

    #[test]
    fn thresholds_print_as_they_are_written() {
        let shown = |ty: &str, form: Value| read(ty, form).expect("a threshold").to_string();
        assert_eq!(shown("gcounter", tag("value", 3)), "at least 3");
        assert_eq!(shown("set", tag("strict", Value::list([2, 1]))), "{strict, [1, 2]}");
        assert_eq!(shown("max", tag("strict", 7)), "{strict, 7}");
        assert_eq!(shown("lwwregister", Value::atom("open")), "open");
        assert_eq!(shown("mvregister", tag("strict", Value::atom("undefined"))), "{strict, undefined}");
        let map = Value::map([(1.into(), 7.into()), (2.into(), tag("cardinality", 0))]);
        assert_eq!(shown("mvmap", map), "#{1 => [7], 2 => at least 0}");
    }

    #[test]
    fn fractions_lie_between_their_neighbours() {
        let level = Level::of(&Value::Float(crate::F64::new(3.5).expect("finite"))).expect("a number");
        assert!(level.is_at_least(3) && !level.is_at_least(4));
        assert!(level.is_more_than(3) && !level.is_more_than(4));
    }
}
