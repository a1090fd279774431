//! States as collections: which members a facet of a variable has, and which a merge brings and takes away.
//!
//! This is all that derivations see of a variable. What a merge may move is known beforehand from the news and from the
//! dots that they cover; only that is looked at before and after. Knows no operators.

use super::{Look, State};
use crate::operator::Facet;
use crate::types::Type;
use crate::value::Value;
use lasp_crdt::{AwGraph, Dot, DotSet, DotStore, Graph, Lattice, TwoPGraph};
use std::collections::BTreeSet;

/// A member of a facet that came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) facet: Facet,
    pub(crate) member: Value,
    /// `true` if it came, `false` if it went.
    pub(crate) came: bool,
}

/// Some facets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facets(u8);

impl Facets {
    pub(crate) fn contains(self, facet: Facet) -> bool {
        self.0 & 1 << facet as u8 != 0
    }

    pub(crate) fn with(self, facet: Facet) -> Self {
        Self(self.0 | 1 << facet as u8)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Type {
    /// The collections that derivations can take from variables of this type; none of scalars and pairs.
    pub fn facets(&self) -> &'static [Facet] {
        match self {
            Self::GSet | Self::AwSet | Self::TwoPSet | Self::RwSet | Self::MvRegister => &[Facet::Elements],
            Self::GMap(_) | Self::AwMap(_) | Self::MvMap => &[Facet::Elements, Facet::Keys],
            Self::GGraph | Self::TwoPGraph | Self::AwGraph => &[Facet::Vertices, Facet::Edges],
            Self::GCounter
            | Self::PnCounter
            | Self::LexCounter
            | Self::BCounter
            | Self::Max
            | Self::Min
            | Self::Boolean
            | Self::EwFlag
            | Self::DwFlag
            | Self::IVar
            | Self::LwwRegister
            | Self::Summary
            | Self::Pair(..) => &[],
        }
    }
}

impl State {
    /// Calls `each` with every member, in no order that means anything.
    pub(crate) fn for_each_member(&self, facet: Facet, each: &mut dyn FnMut(Value)) {
        match (self.look(), facet) {
            (Look::Set(set), Facet::Elements) => set.each(&mut |element| each(element.clone())),
            (Look::Many(values), Facet::Elements) => values.values().into_iter().cloned().for_each(each),
            (Look::Map(map), Facet::Elements) => map.each(&mut |key, value| each(entry(key, value))),
            (Look::Map(map), Facet::Keys) => map.each(&mut |key, _| each(key.clone())),
            (Look::Graph(graph), Facet::Vertices) => graph.unordered_vertices().cloned().for_each(each),
            (Look::Graph(graph), Facet::Edges) => {
                let is_shown =
                    |&(from, to): &(&Value, &Value)| graph.contains_vertex(from) && graph.contains_vertex(to);
                graph.held_edges().filter(is_shown).for_each(|(from, to)| each(Value::pair(from.clone(), to.clone())));
            }
            _ => {}
        }
    }

    /// Merges `news`, of which nothing is known yet, and notes the members of the `wanted` facets that came or went; none
    /// that is as it was before. Cost: that of the merge, of the values under the keys of a map that it changes, and of the
    /// edges of the vertices of a graph that come or go.
    pub(crate) fn merge_moving(&mut self, news: Self, wanted: Facets, moved: &mut Vec<Moved>) {
        if wanted.is_empty() {
            self.merge(news);
            return;
        }
        let facet = Facet::Elements;
        match (self, news) {
            (Self::GSet(set), Self::GSet(news)) => {
                moved.extend(news.iter().map(|member| Moved { facet, member: member.clone(), came: true }));
                set.merge(news);
            }
            (Self::AwSet(set), Self::AwSet(news)) => {
                set.merge_moving(*news, |member, came| moved.push(Moved { facet, member, came }));
            }
            (state, news) if state.may_retire(&news) => state.merge_comparing(news, wanted, moved),
            (state, news) => {
                let touched = state.touched_by(&news, wanted);
                let before: Vec<Was> = touched.iter().map(|place| state.at(place, wanted)).collect();
                state.merge(news);
                for (place, was) in touched.into_iter().zip(before) {
                    let is = state.at(&place, wanted);
                    place.note(was, is, wanted, moved);
                }
            }
        }
    }

    /// The places that a merge of `news` may change. Others stay as they are, unless a replica comes to be retired.
    fn touched_by(&self, news: &Self, wanted: Facets) -> BTreeSet<Place> {
        let mut touched = BTreeSet::new();
        let mut add = |place: Place| _ = touched.insert(place);
        match (self, news) {
            (Self::TwoPSet(_), Self::TwoPSet(news)) => news.known().cloned().for_each(|x| add(Place::Member(x))),
            (Self::RwSet(set), Self::RwSet(news)) => {
                let dying = set.store().within(news.context());
                news.known().chain(dying.known()).cloned().for_each(|x| add(Place::Member(x)));
            }
            (Self::MvRegister(held), Self::MvRegister(news)) => {
                news.values().into_iter().chain(held.values()).cloned().for_each(|x| add(Place::Member(x)));
            }
            (Self::GMap(_), Self::GMap(news)) => news.unordered().for_each(|(key, _)| add(Place::Key(key.clone()))),
            (Self::AwMap(map), Self::AwMap(news)) => {
                let dying = map.store().within(news.context());
                news.unordered().chain(dying.unordered()).for_each(|(key, _)| add(Place::Key(key.clone())));
            }
            (Self::MvMap(map), Self::MvMap(news)) => {
                let dying = map.store().within(news.context());
                news.unordered().chain(dying.unordered()).for_each(|(key, _)| add(Place::Key(key.clone())));
            }
            (Self::GGraph(_), Self::GGraph(news)) => touched_in_graph(news, wanted, &mut add),
            (Self::TwoPGraph(graph), Self::TwoPGraph(news)) => {
                touched_in_graph(&**news, wanted, &mut add);
                touched_by_removals(graph, news, wanted, &mut add);
            }
            (Self::AwGraph(graph), Self::AwGraph(news)) => touched_in_aw_graph(graph, news, wanted, &mut add),
            _ => {}
        }
        touched
    }

    /// What is at a place.
    fn at(&self, place: &Place, wanted: Facets) -> Was {
        match (place, self.look()) {
            (Place::Member(element), look) => Was::There(look.contains(element)),
            (Place::Key(key), Look::Map(map)) => match map.get(key) {
                Some(look) if wanted.contains(Facet::Elements) => Was::Entry(entry(key, look)),
                Some(_) => Was::There(true),
                None => Was::There(false),
            },
            (Place::Vertex(vertex), Look::Graph(graph)) => Was::There(graph.contains_vertex(vertex)),
            (Place::Edge(from, to), Look::Graph(graph)) => Was::There(graph.contains_edge(from, to)),
            _ => Was::There(false),
        }
    }

    /// Whether merging `news` may complete what is known of a replica, so that it is retired and all dots of it die, also
    /// those that the news do not speak of (see [`Dotted::merge_reporting`](lasp_crdt::Dotted::merge_reporting)).
    fn may_retire(&self, news: &Self) -> bool {
        let Some((held, news)) = self.context().zip(news.context()) else { return false };
        let reaches_the_end = |replica| held.max(replica).max(news.max(replica)) >= Dot::MAX_COUNTER;
        news.retired().next().is_some()
            || news.replicas().any(|replica| !held.is_retired(replica) && reaches_the_end(replica))
    }

    /// The causal context of types whose members live in one, but for add-wins sets.
    fn context(&self) -> Option<&DotSet> {
        match self {
            Self::RwSet(set) => Some(set.context()),
            Self::MvRegister(register) => Some(register.context()),
            Self::AwMap(map) => Some(map.context()),
            Self::MvMap(map) => Some(map.context()),
            Self::AwGraph(graph) => Some(graph.context()),
            _ => None,
        }
    }

    /// As [`merge_moving`](Self::merge_moving), by comparing all before and after.
    fn merge_comparing(&mut self, news: Self, wanted: Facets, moved: &mut Vec<Moved>) {
        const FACETS: [Facet; 4] = [Facet::Elements, Facet::Keys, Facet::Vertices, Facet::Edges];
        let all = |state: &Self| {
            FACETS
                .into_iter()
                .filter(|facet| wanted.contains(*facet))
                .map(|facet| state.members(facet))
                .collect::<Vec<_>>()
        };
        let before = all(self);
        self.merge(news);
        let facets = FACETS.into_iter().filter(|facet| wanted.contains(*facet));
        for ((facet, before), after) in facets.zip(before).zip(all(self)) {
            let went = before.difference(&after).map(|member| Moved { facet, member: member.clone(), came: false });
            let came = after.difference(&before).map(|member| Moved { facet, member: member.clone(), came: true });
            moved.extend(went.chain(came));
        }
    }

    /// Every member.
    fn members(&self, facet: Facet) -> BTreeSet<Value> {
        let mut members = BTreeSet::new();
        self.for_each_member(facet, &mut |member| _ = members.insert(member));
        members
    }
}

/// Where in a state something may change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Member(Value),
    Key(Value),
    Vertex(Value),
    Edge(Value, Value),
}

/// What is at a place.
#[derive(Debug, PartialEq)]
enum Was {
    There(bool),
    /// The entry of a key.
    Entry(Value),
}

impl Place {
    /// Notes what changed here.
    fn note(self, was: Was, is: Was, wanted: Facets, moved: &mut Vec<Moved>) {
        if was == is {
            return;
        }
        let (facet, member) = match self {
            Self::Member(element) => (Facet::Elements, element),
            Self::Vertex(vertex) => (Facet::Vertices, vertex),
            Self::Edge(from, to) => (Facet::Edges, Value::pair(from, to)),
            Self::Key(key) => (Facet::Keys, key),
        };
        let is_there = |was: &Was| *was != Was::There(false);
        let (was_there, came) = (is_there(&was), is_there(&is));
        if wanted.contains(facet) && was_there != came {
            moved.push(Moved { facet, member, came });
        }
        let facet = Facet::Elements;
        for (entry, came) in [(was, false), (is, true)] {
            if let Was::Entry(member) = entry {
                moved.push(Moved { facet, member, came });
            }
        }
    }
}

/// An entry of a map as a member.
fn entry(key: &Value, value: Look<'_>) -> Value {
    Value::pair(key.clone(), value.read().to_value())
}

/// The vertices and edges of `news`.
fn touched_in_graph(news: &impl Graph<Vertex = Value>, wanted: Facets, add: &mut impl FnMut(Place)) {
    let news = news.adjacency();
    if wanted.contains(Facet::Vertices) {
        news.unordered_vertices().for_each(|vertex| add(Place::Vertex(vertex.clone())));
    }
    if wanted.contains(Facet::Edges) {
        news.held_edges().for_each(|(from, to)| add(Place::Edge(from.clone(), to.clone())));
    }
}

/// What `news` remove: a vertex takes its edges along.
fn touched_by_removals(graph: &TwoPGraph<Value>, news: &TwoPGraph<Value>, wanted: Facets, add: &mut impl FnMut(Place)) {
    for vertex in news.removed_vertices() {
        if wanted.contains(Facet::Vertices) {
            add(Place::Vertex(vertex.clone()));
        }
        if wanted.contains(Facet::Edges) {
            let edges = graph.adjacency().held_at(vertex);
            edges.for_each(|(from, to)| add(Place::Edge(from.clone(), to.clone())));
        }
    }
    if wanted.contains(Facet::Edges) {
        news.removed_edges().for_each(|(from, to)| add(Place::Edge(from.clone(), to.clone())));
    }
}

/// What `news` add and remove, and the edges that show or hide with the vertices that come or go.
fn touched_in_aw_graph(graph: &AwGraph<Value>, news: &AwGraph<Value>, wanted: Facets, add: &mut impl FnMut(Place)) {
    let dying = graph.store().within(news.context());
    touched_in_graph(news, wanted, add);
    touched_in_graph(&dying, wanted, add);
    if !wanted.contains(Facet::Edges) {
        return;
    }
    let coming = news.adjacency().unordered_vertices().filter(|vertex| !graph.contains_vertex(vertex));
    let is_going = |vertex: &&Value| {
        !news.contains_vertex(vertex) && dying.vertex_dots(vertex).len() == graph.vertex_dots(vertex).len()
    };
    let going = dying.adjacency().unordered_vertices().filter(is_going);
    for vertex in coming.chain(going) {
        let edges = graph.adjacency().held_at(vertex);
        edges.for_each(|(from, to)| add(Place::Edge(from.clone(), to.clone())));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{history, scripts, types};
    use super::*;
    use lasp_crdt::{Dotted, ReplicaId, RwSet};
    use proptest::prelude::*;

    const FACETS: [Facet; 4] = [Facet::Elements, Facet::Keys, Facet::Vertices, Facet::Edges];

    /// Merges, and checks that just what differs in each facet was noted, once.
    fn check(state: &mut State, news: State, wanted: Facets) {
        let news = news.difference(state);
        let members = |state: &State| FACETS.map(|facet| state.members(facet));
        let (before, mut expected) = (members(state), state.clone());
        expected.merge(news.clone());
        let mut moved = Vec::new();
        state.merge_moving(news, wanted, &mut moved);
        assert_eq!(*state, expected);
        for ((facet, before), after) in FACETS.into_iter().zip(before).zip(members(state)) {
            let noted = |came| moved.iter().filter(move |moved| moved.facet == facet && moved.came == came);
            let (came, went) = (noted(true), noted(false));
            if !wanted.contains(facet) {
                assert_eq!(came.chain(went).count(), 0, "{facet:?} was not asked for");
                continue;
            }
            let in_order = |moved: &mut dyn Iterator<Item = &Moved>| {
                let mut members: Vec<Value> = moved.map(|moved| moved.member.clone()).collect();
                members.sort_unstable();
                members
            };
            assert_eq!(
                in_order(&mut { came }),
                after.difference(&before).cloned().collect::<Vec<_>>(),
                "came, {facet:?}"
            );
            assert_eq!(
                in_order(&mut { went }),
                before.difference(&after).cloned().collect::<Vec<_>>(),
                "went, {facet:?}"
            );
        }
    }

    fn facets(of: &[Facet]) -> Facets {
        of.iter().fold(Facets::default(), |facets, facet| facets.with(*facet))
    }

    proptest! {
        #[test]
        fn a_merge_notes_the_members_that_came_or_went((script, picks) in scripts(), which in 0usize..4) {
            for ty in types() {
                let all = ty.facets();
                if all.is_empty() {
                    prop_assert!(FACETS.iter().all(|facet| State::bottom(&ty).members(*facet).is_empty()));
                    continue;
                }
                let wanted = if which % 2 == 0 { facets(all) } else { facets(&all[which / 2 % all.len()..][..1]) };
                let states = history(&ty, &script);
                let mut state = State::bottom(&ty);
                for pick in picks {
                    check(&mut state, pick.get(&states).clone(), wanted);
                    // Parts tell what died without telling what that kept alive.
                    for part in pick.get(&states).decompose() {
                        check(&mut state, part, wanted);
                    }
                }
                for state_or_delta in &states {
                    check(&mut state, state_or_delta.clone(), wanted);
                }
            }
        }

        #[test]
        fn parts_in_any_order_note_the_same((script, picks) in scripts()) {
            for ty in types().into_iter().filter(|ty| !ty.facets().is_empty()) {
                let whole = picks[0].get(&history(&ty, &script)).clone();
                let mut parts = whole.decompose();
                if !parts.is_empty() {
                    let middle = picks[1].index(parts.len());
                    parts.rotate_left(middle);
                }
                let mut state = State::bottom(&ty);
                parts.into_iter().for_each(|part| check(&mut state, part, facets(ty.facets())));
                prop_assert_eq!(state, whole);
            }
        }
    }

    #[test]
    fn who_is_retired_in_parts_leaves_no_member() {
        let by = ReplicaId(1);
        let mut set: RwSet<Value> = RwSet::new();
        set.merge(set.add(by, 1.into()));
        let rest = |from, to| {
            let mut context = DotSet::new();
            context.insert_range(by, from, to);
            State::RwSet(Box::new(Dotted::with_context(Default::default(), context)))
        };
        let mut state = State::RwSet(Box::new(set));
        check(&mut state, rest(3, Dot::MAX_COUNTER), facets(&[Facet::Elements]));
        assert_eq!(state.cardinality(), Some(1));
        check(&mut state, rest(2, 2), facets(&[Facet::Elements]));
        assert_eq!(state.cardinality(), Some(0));
    }
}
