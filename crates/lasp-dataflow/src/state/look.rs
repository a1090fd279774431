//! A look at a state, whatever it lives in: what reading, thresholds and derivations need of a variable or of what is
//! below a key of a map.

use super::nested::Nested;
use super::{SetState, Slot, State};
use crate::output::Output;
use crate::threshold::Level;
use crate::value::Value;
use crate::views::is_unset;
use lasp_crdt::{
    Adjacency, Dotted, Elements, GMap, GSet, Graph, Keys, Lattice, MvRegister, Reading, RwElements, Summary, TwoPSet,
    Values,
};

/// What a reader sees of a state.
#[derive(Clone, Copy)]
pub(crate) enum Look<'a> {
    /// Nothing yet, of a type that is not known here.
    Nothing,
    /// A counter.
    Number(i64),
    /// A flag.
    Flag(bool),
    /// A register.
    Register(Option<&'a Value>),
    /// A single-assignment register that was set to several values; of these the least and the greatest.
    Conflict(&'a Value, &'a Value),
    /// A multi-value register.
    Many(&'a Values<Value>),
    /// Results of concurrent folds, more than one.
    Results(&'a Summary<Value>),
    /// A set.
    Set(&'a dyn Collection),
    /// A map.
    Map(&'a dyn Entries),
    /// A graph.
    Graph(&'a Adjacency<Value>),
    /// A pair of states.
    Pair(&'a (State, State)),
    /// A pair below a key of an add-wins map.
    NestedPair(&'a (Nested, Nested)),
}

/// A set.
pub(crate) trait Collection {
    fn len(&self) -> usize;
    fn contains(&self, element: &Value) -> bool;
    /// In no order that means anything.
    fn each<'a>(&'a self, on: &mut dyn FnMut(&'a Value));
}

macro_rules! collection {
    ($($set:ty)*) => {
        $(impl Collection for $set {
            fn len(&self) -> usize {
                self.len()
            }

            fn contains(&self, element: &Value) -> bool {
                self.contains(element)
            }

            fn each<'a>(&'a self, on: &mut dyn FnMut(&'a Value)) {
                self.unordered().for_each(on);
            }
        })*
    };
}

collection!(SetState Elements<Value> TwoPSet<Value> RwElements<Value>);

impl Collection for GSet<Value> {
    fn len(&self) -> usize {
        self.len()
    }

    fn contains(&self, element: &Value) -> bool {
        self.contains(element)
    }

    fn each<'a>(&'a self, on: &mut dyn FnMut(&'a Value)) {
        self.iter().for_each(on);
    }
}

/// A map.
pub(crate) trait Entries {
    fn len(&self) -> usize;
    fn get(&self, key: &Value) -> Option<Look<'_>>;
    /// In no order that means anything.
    fn each<'a>(&'a self, on: &mut dyn FnMut(&'a Value, Look<'a>));
}

impl Entries for GMap<Value, Slot> {
    fn len(&self) -> usize {
        self.len()
    }

    fn get(&self, key: &Value) -> Option<Look<'_>> {
        self.get(key).and_then(Slot::get).map(State::look)
    }

    fn each<'a>(&'a self, on: &mut dyn FnMut(&'a Value, Look<'a>)) {
        self.unordered().for_each(|(key, slot)| slot.get().into_iter().for_each(|state| on(key, state.look())));
    }
}

macro_rules! entries {
    ($value:ty, $look:expr) => {
        impl Entries for Keys<Value, $value> {
            fn len(&self) -> usize {
                self.len()
            }

            fn get(&self, key: &Value) -> Option<Look<'_>> {
                self.get(key).map($look)
            }

            fn each<'a>(&'a self, on: &mut dyn FnMut(&'a Value, Look<'a>)) {
                self.unordered().for_each(|(key, value)| on(key, $look(value)));
            }
        }
    };
}

entries!(Dotted<Nested>, Nested::look);
entries!(MvRegister<Value>, Look::Many);

impl State {
    pub(crate) fn look(&self) -> Look<'_> {
        match self {
            Self::GSet(set) => Look::Set(set),
            Self::AwSet(set) => Look::Set(&**set),
            Self::TwoPSet(set) => Look::Set(set),
            Self::RwSet(set) => Look::Set(set.store()),
            Self::GCounter(counter) => Look::Number(i64::try_from(counter.value()).unwrap_or(i64::MAX)),
            Self::PnCounter(counter) => Look::Number(counter.value()),
            Self::LexCounter(counter) => Look::Number(counter.value()),
            Self::BCounter(counter) => Look::Number(i64::try_from(counter.value()).unwrap_or(i64::MAX)),
            Self::Max(register) => Look::Register(register.value().as_ref()),
            Self::Min(register) => Look::Register(register.value()),
            Self::Boolean(flag) => Look::Flag(flag.value()),
            Self::EwFlag(flag) => Look::Flag(flag.value()),
            Self::DwFlag(flag) => Look::Flag(flag.value()),
            Self::IVar(register) => match register.get() {
                Reading::Unset => Look::Register(None),
                Reading::Set(value) => Look::Register(Some(value)),
                Reading::Conflict(least, greatest) => Look::Conflict(least, greatest),
            },
            Self::LwwRegister(register) => Look::Register(register.value()),
            Self::MvRegister(register) => Look::Many(register.store()),
            Self::Summary(summary) => match summary.value() {
                Some(value) => Look::Register(Some(value).filter(|value| !is_unset(value))),
                None if summary.is_bottom() => Look::Register(None),
                None => Look::Results(summary),
            },
            Self::GMap(map) => Look::Map(map),
            Self::AwMap(map) => Look::Map(map.store()),
            Self::MvMap(map) => Look::Map(map.store()),
            Self::Pair(pair) => Look::Pair(pair),
            Self::GGraph(graph) => Look::Graph(graph.adjacency()),
            Self::TwoPGraph(graph) => Look::Graph(graph.adjacency()),
            Self::AwGraph(graph) => Look::Graph(graph.adjacency()),
        }
    }
}

impl<'a> Look<'a> {
    /// The value. Cost: the size of the state, times the logarithm of it where it has to be sorted.
    pub(crate) fn read(self) -> Output {
        match self {
            Self::Nothing => Output::Unset,
            Self::Number(n) => Output::Value(n.into()),
            Self::Flag(flag) => Output::Value(flag.into()),
            Self::Register(value) => value.map_or(Output::Unset, |value| Output::Value(value.clone())),
            Self::Conflict(least, greatest) => Output::Many(vec![least.clone(), greatest.clone()]),
            Self::Many(values) => Output::Many(values.values().into_iter().cloned().collect()),
            Self::Results(summary) => Output::Many(summary.values().into_iter().cloned().collect()),
            Self::Set(_) => Output::Set(self.elements()),
            Self::Map(map) => {
                let mut entries = Vec::with_capacity(map.len());
                map.each(&mut |key, value| entries.push((key, value)));
                entries.sort_unstable_by_key(|(key, _)| *key);
                Output::Map(entries.into_iter().map(|(key, value)| (key.clone(), value.read())).collect())
            }
            Self::Graph(graph) => Output::Graph {
                vertices: graph.vertices().cloned().collect(),
                edges: graph.edges().map(|(from, to)| (from.clone(), to.clone())).collect(),
            },
            Self::Pair(_) | Self::NestedPair(_) => {
                let (first, second) = self.halves().expect("a pair has two");
                Output::Pair(Box::new(first.read()), Box::new(second.read()))
            }
        }
    }

    /// The two sides of a pair.
    pub(crate) fn halves(self) -> Option<(Self, Self)> {
        match self {
            Self::Pair((first, second)) => Some((first.look(), second.look())),
            Self::NestedPair((first, second)) => Some((first.look(), second.look())),
            _ => None,
        }
    }

    /// A set's elements, ascending; of others none.
    pub(crate) fn elements(self) -> Vec<Value> {
        let Self::Set(set) = self else { return Vec::new() };
        let mut elements = Vec::with_capacity(set.len());
        set.each(&mut |element| elements.push(element.clone()));
        elements.sort_unstable();
        elements
    }

    /// Whether a set holds `element`, a map has this key, a graph this vertex, a register this value. O(1).
    pub(crate) fn contains(self, element: &Value) -> bool {
        match self {
            Self::Set(set) => set.contains(element),
            Self::Map(map) => map.get(element).is_some(),
            Self::Graph(graph) => graph.contains_vertex(element),
            Self::Many(values) => values.writes().any(|(_, value)| value == element),
            Self::Results(summary) => summary.entries().any(|(_, value)| value == element),
            _ => false,
        }
    }

    /// How many elements, keys, vertices or concurrent values a collection has. O(1), or the concurrent values.
    pub(crate) fn cardinality(self) -> Option<usize> {
        match self {
            Self::Set(set) => Some(set.len()),
            Self::Map(map) => Some(map.len()),
            Self::Graph(graph) => Some(graph.vertex_count()),
            Self::Many(values) => Some(values.values().len()),
            Self::Results(summary) => Some(summary.values().len()),
            _ => None,
        }
    }

    /// The number that numeric thresholds measure: a counter's or register's value, a collection's cardinality. O(1).
    pub(crate) fn level(self) -> Option<Level> {
        match self {
            Self::Number(n) => Some(Level::exactly(n)),
            Self::Register(value) => value.and_then(Level::of),
            // Which is right, nobody knows yet.
            Self::Results(_) => None,
            // The greater one, so that who waited for a number does not wait on.
            Self::Conflict(_, greatest) => Level::of(greatest),
            collection => Some(Level::exactly(i64::try_from(collection.cardinality()?).unwrap_or(i64::MAX))),
        }
    }
}
