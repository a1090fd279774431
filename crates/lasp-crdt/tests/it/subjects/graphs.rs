//! The graphs.

use super::{AddWinsSet, SetOp, element, elements, of_known, said};
use crate::world::{Logged, Sequential, Subject};
use lasp_crdt::{AwGraph, GGraph, Graph, ReplicaId, TwoPGraph};
use proptest::prelude::*;
use std::collections::BTreeSet;

type Vertices = BTreeSet<u64>;
type Edges = BTreeSet<(u64, u64)>;

#[derive(Clone, Debug)]
pub(crate) enum GraphOp {
    AddVertices(Vec<u64>),
    AddEdge(u64, u64),
    RemoveVertex(u64),
    RemoveEdge(u64, u64),
}

fn value<G: Graph<Vertex = u64>>(graph: &G) -> (Vertices, Edges) {
    assert_eq!(graph.vertex_count(), graph.vertices().len());
    (graph.vertices().copied().collect(), graph.edges().map(|(&from, &to)| (from, to)).collect())
}

pub(crate) struct GrowOnlyGraph;

impl GrowOnlyGraph {
    fn all(all: &[(Vertices, Edges)]) -> (Vertices, Edges) {
        let vertices = all.iter().flat_map(|(vertices, _)| vertices).copied().collect();
        (vertices, all.iter().flat_map(|(_, edges)| edges).copied().collect())
    }

    fn says((vertices, edges): (Vertices, Edges), op: &GraphOp) -> (Vertices, Edges) {
        match op {
            GraphOp::AddVertices(new) => {
                (new.iter().copied().filter(|v| !vertices.contains(v)).collect(), Edges::new())
            }
            GraphOp::AddEdge(from, to) if !edges.contains(&(*from, *to)) => {
                ([*from, *to].into(), [(*from, *to)].into())
            }
            _ => Default::default(),
        }
    }
}

impl Subject for GrowOnlyGraph {
    type State = GGraph<u64>;
    type Op = GraphOp;
    type Value = (Vertices, Edges);

    fn op() -> BoxedStrategy<GraphOp> {
        prop_oneof![
            1 => element().prop_map(|vertex| GraphOp::AddVertices(vec![vertex])),
            1 => elements().prop_map(GraphOp::AddVertices),
            4 => (element(), element()).prop_map(|(from, to)| GraphOp::AddEdge(from, to)),
        ]
        .boxed()
    }

    fn mutate(state: &GGraph<u64>, _: ReplicaId, op: &GraphOp) -> GGraph<u64> {
        match op {
            GraphOp::AddVertices(vertices) => state.add_vertices(vertices.iter().copied()),
            GraphOp::AddEdge(from, to) => state.add_edge(*from, *to),
            GraphOp::RemoveVertex(_) | GraphOp::RemoveEdge(..) => GGraph::new(),
        }
    }

    fn value(state: &GGraph<u64>) -> Self::Value {
        assert_eq!(state.edge_count(), state.edges().count());
        value(state)
    }

    fn denotation(log: &[Logged<GraphOp>], known: &BTreeSet<usize>) -> Self::Value {
        let said = said(log, |observed, logged| Self::says(Self::all(observed), &logged.op));
        Self::all(&of_known(&said, known))
    }
}

impl Sequential for GrowOnlyGraph {
    type Model = (Vertices, Edges);

    fn step((vertices, edges): &mut Self::Model, op: &GraphOp) {
        match op {
            GraphOp::AddVertices(new) => vertices.extend(new),
            GraphOp::AddEdge(from, to) => {
                vertices.extend([*from, *to]);
                edges.insert((*from, *to));
            }
            GraphOp::RemoveVertex(_) | GraphOp::RemoveEdge(..) => {}
        }
    }

    fn read(model: &Self::Model) -> Self::Value {
        model.clone()
    }
}

pub(crate) struct TwoPhaseGraph;

/// The four sets of the paper.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    vertices: Vertices,
    gone: Vertices,
    edges: Edges,
    cut: Edges,
}

impl Facts {
    fn all(all: &[Self]) -> Self {
        let mut sum = Self::default();
        for facts in all {
            sum.vertices.extend(&facts.vertices);
            sum.gone.extend(&facts.gone);
            sum.edges.extend(&facts.edges);
            sum.cut.extend(&facts.cut);
        }
        sum
    }

    fn value(&self) -> (Vertices, Edges) {
        let vertices = &self.vertices - &self.gone;
        let shows = |(from, to): &&(u64, u64)| vertices.contains(from) && vertices.contains(to);
        let edges = self.edges.difference(&self.cut).filter(shows).copied().collect();
        (vertices, edges)
    }

    fn says(&self, op: &GraphOp) -> Self {
        let (vertices, edges) = self.value();
        let nothing = Self::default();
        match *op {
            GraphOp::AddVertices(ref new) => {
                let is_new = |vertex: &u64| !self.vertices.contains(vertex) && !self.gone.contains(vertex);
                Self { vertices: new.iter().copied().filter(is_new).collect(), ..nothing }
            }
            GraphOp::AddEdge(from, to) if vertices.contains(&from) && vertices.contains(&to) => {
                let is_new = !self.edges.contains(&(from, to)) && !self.cut.contains(&(from, to));
                // An edge brings its vertices.
                let ends = if is_new { [from, to].into() } else { Vertices::new() };
                Self { vertices: ends, edges: is_new.then_some((from, to)).into_iter().collect(), ..nothing }
            }
            GraphOp::RemoveVertex(vertex) if vertices.contains(&vertex) => {
                let is_end = edges.iter().any(|&(from, to)| from == vertex || to == vertex);
                Self { gone: (!is_end).then_some(vertex).into_iter().collect(), ..nothing }
            }
            GraphOp::RemoveEdge(from, to) if edges.contains(&(from, to)) => {
                Self { vertices: [from, to].into(), cut: [(from, to)].into(), ..nothing }
            }
            _ => nothing,
        }
    }
}

impl Subject for TwoPhaseGraph {
    type State = TwoPGraph<u64>;
    type Op = GraphOp;
    type Value = (Vertices, Edges);

    fn op() -> BoxedStrategy<GraphOp> {
        let vertex = || 0..5u64;
        prop_oneof![
            2 => vertex().prop_map(|vertex| GraphOp::AddVertices(vec![vertex])),
            1 => elements().prop_map(GraphOp::AddVertices),
            4 => (vertex(), vertex()).prop_map(|(from, to)| GraphOp::AddEdge(from, to)),
            2 => vertex().prop_map(GraphOp::RemoveVertex),
            2 => (vertex(), vertex()).prop_map(|(from, to)| GraphOp::RemoveEdge(from, to)),
        ]
        .boxed()
    }

    fn mutate(state: &TwoPGraph<u64>, _: ReplicaId, op: &GraphOp) -> TwoPGraph<u64> {
        // An error changes nothing.
        match op {
            GraphOp::AddVertices(vertices) => state.add_vertices(vertices.iter().copied()),
            GraphOp::AddEdge(from, to) => state.add_edge(*from, *to).unwrap_or_default(),
            GraphOp::RemoveVertex(vertex) => state.remove_vertex(vertex).unwrap_or_default(),
            GraphOp::RemoveEdge(from, to) => state.remove_edge(from, to),
        }
    }

    fn value(state: &TwoPGraph<u64>) -> Self::Value {
        assert_eq!(state.edge_count(), state.edges().count(), "no edge is hidden");
        value(state)
    }

    fn denotation(log: &[Logged<GraphOp>], known: &BTreeSet<usize>) -> Self::Value {
        let said = said(log, |observed, logged| Facts::all(observed).says(&logged.op));
        Facts::all(&of_known(&said, known)).value()
    }
}

impl Sequential for TwoPhaseGraph {
    /// What is there, and what is gone for good.
    type Model = ((Vertices, Edges), (Vertices, Edges));

    fn step(((vertices, edges), (gone, cut)): &mut Self::Model, op: &GraphOp) {
        match *op {
            GraphOp::AddVertices(ref new) => vertices.extend(new.iter().filter(|vertex| !gone.contains(vertex))),
            GraphOp::AddEdge(from, to) => {
                let can_be = vertices.contains(&from) && vertices.contains(&to) && !cut.contains(&(from, to));
                edges.extend(can_be.then_some((from, to)));
            }
            GraphOp::RemoveVertex(vertex) => {
                let is_end = edges.iter().any(|&(from, to)| from == vertex || to == vertex);
                if !is_end && vertices.remove(&vertex) {
                    gone.insert(vertex);
                }
            }
            GraphOp::RemoveEdge(from, to) => {
                if edges.remove(&(from, to)) {
                    cut.insert((from, to));
                }
            }
        }
    }

    fn read((there, _): &Self::Model) -> Self::Value {
        there.clone()
    }
}

pub(crate) struct AddWinsGraph;

impl AddWinsGraph {
    /// Vertices are few enough that an edge has a number among the elements of sets.
    const VERTICES: u64 = 4;

    /// What the operations do to one of the two sets.
    fn part(log: &[Logged<GraphOp>], of: impl Fn(&GraphOp) -> Option<SetOp>) -> Vec<Logged<SetOp>> {
        let part = |logged: &Logged<GraphOp>| Logged {
            op: of(&logged.op).unwrap_or(SetOp::RemoveAll(Vec::new())),
            replica: logged.replica,
            observed: logged.observed.clone(),
        };
        log.iter().map(part).collect()
    }

    fn of_vertices(op: &GraphOp) -> Option<SetOp> {
        match op {
            GraphOp::AddVertices(vertices) => Some(SetOp::AddAll(vertices.clone())),
            GraphOp::RemoveVertex(vertex) => Some(SetOp::Remove(*vertex)),
            GraphOp::AddEdge(..) | GraphOp::RemoveEdge(..) => None,
        }
    }

    fn of_edges(op: &GraphOp) -> Option<SetOp> {
        match op {
            GraphOp::AddEdge(from, to) => Some(SetOp::Add(from * Self::VERTICES + to)),
            GraphOp::RemoveEdge(from, to) => Some(SetOp::Remove(from * Self::VERTICES + to)),
            GraphOp::AddVertices(_) | GraphOp::RemoveVertex(_) => None,
        }
    }

    fn seen(vertices: Vertices, edges: &Edges) -> (Vertices, Edges) {
        let shows = |(from, to): &&(u64, u64)| vertices.contains(from) && vertices.contains(to);
        let edges = edges.iter().filter(shows).copied().collect();
        (vertices, edges)
    }
}

impl Subject for AddWinsGraph {
    type State = AwGraph<u64>;
    type Op = GraphOp;
    type Value = (Vertices, Edges);

    fn op() -> BoxedStrategy<GraphOp> {
        let vertex = || 0..Self::VERTICES;
        prop_oneof![
            2 => prop::collection::vec(vertex(), 1..4).prop_map(GraphOp::AddVertices),
            3 => (vertex(), vertex()).prop_map(|(from, to)| GraphOp::AddEdge(from, to)),
            2 => vertex().prop_map(GraphOp::RemoveVertex),
            2 => (vertex(), vertex()).prop_map(|(from, to)| GraphOp::RemoveEdge(from, to)),
        ]
        .boxed()
    }

    fn mutate(state: &AwGraph<u64>, replica: ReplicaId, op: &GraphOp) -> AwGraph<u64> {
        match op {
            GraphOp::AddVertices(vertices) => state.add_vertices(replica, vertices.iter().copied()),
            GraphOp::AddEdge(from, to) => state.add_edge(replica, *from, *to),
            GraphOp::RemoveVertex(vertex) => state.remove_vertex(vertex),
            GraphOp::RemoveEdge(from, to) => state.remove_edge(from, to),
        }
    }

    fn value(state: &AwGraph<u64>) -> Self::Value {
        value(state)
    }

    fn denotation(log: &[Logged<GraphOp>], known: &BTreeSet<usize>) -> Self::Value {
        let vertices = AddWinsSet::denotation(&Self::part(log, Self::of_vertices), known);
        let edges = AddWinsSet::denotation(&Self::part(log, Self::of_edges), known);
        let edges = edges.into_iter().map(|edge| (edge / Self::VERTICES, edge % Self::VERTICES)).collect();
        Self::seen(vertices, &edges)
    }
}

impl Sequential for AddWinsGraph {
    /// The vertices, and the edges whether or not they show.
    type Model = (Vertices, Edges);

    fn step((vertices, edges): &mut Self::Model, op: &GraphOp) {
        match op {
            GraphOp::AddVertices(new) => vertices.extend(new),
            GraphOp::AddEdge(from, to) => _ = edges.insert((*from, *to)),
            GraphOp::RemoveVertex(vertex) => _ = vertices.remove(vertex),
            GraphOp::RemoveEdge(from, to) => _ = edges.remove(&(*from, *to)),
        }
    }

    fn read((vertices, edges): &Self::Model) -> Self::Value {
        Self::seen(vertices.clone(), edges)
    }
}
