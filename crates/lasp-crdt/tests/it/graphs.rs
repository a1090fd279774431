//! Graphs beyond their laws: queries against plain programs, hidden edges, orders, what is refused.

use lasp_crdt::fingerprint::mix;
use lasp_crdt::{
    Adjacency, AwGraph, Cycle, DecodeError, Delta, Fingerprint, GGraph, Graph, HasEdges, Lattice, MissingVertex,
    ReplicaId, TwoPGraph, codec, laws,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What an adjacency should be: every query by looking at everything.
#[derive(Clone, Debug, Default)]
struct Plain {
    vertices: BTreeSet<u64>,
    held: BTreeSet<(u64, u64)>,
}

impl Plain {
    fn edges(&self) -> impl Iterator<Item = (u64, u64)> {
        self.held.iter().copied().filter(|(from, to)| self.vertices.contains(from) && self.vertices.contains(to))
    }

    fn reachable(&self, from: u64) -> BTreeSet<u64> {
        let mut reached: BTreeSet<u64> = self.vertices.get(&from).copied().into_iter().collect();
        loop {
            let next: BTreeSet<u64> =
                self.edges().filter(|(from, _)| reached.contains(from)).map(|(_, to)| to).collect();
            if next.is_subset(&reached) {
                return reached;
            }
            reached.extend(next);
        }
    }

    /// Again and again the least vertex that no other waits for; `None` if there is none before the end.
    fn order(&self) -> Option<Vec<u64>> {
        let mut left = self.vertices.clone();
        let mut order = Vec::new();
        while !left.is_empty() {
            let is_free = |v: &&u64| !self.edges().any(|(from, to)| to == **v && left.contains(&from));
            let next = *left.iter().find(is_free)?;
            left.remove(&next);
            order.push(next);
        }
        Some(order)
    }
}

#[derive(Clone, Debug)]
enum Change {
    InsertVertex(u64),
    RemoveVertex(u64),
    PurgeVertex(u64),
    InsertEdge(u64, u64),
    RemoveEdge(u64, u64),
}

/// Few vertices with many edges each, or many with few.
fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = |n: u64| {
        let vertex = move || 0..n;
        prop_oneof![
            6 => vertex().prop_map(Change::InsertVertex),
            2 => vertex().prop_map(Change::RemoveVertex),
            1 => vertex().prop_map(Change::PurgeVertex),
            8 => (vertex(), vertex()).prop_map(|(from, to)| Change::InsertEdge(from, to)),
            3 => (vertex(), vertex()).prop_map(|(from, to)| Change::RemoveEdge(from, to)),
        ]
    };
    prop_oneof![prop::collection::vec(change(5), 0..60), prop::collection::vec(change(40), 0..120)]
}

fn change(graph: &mut Adjacency<u64>, plain: &mut Plain, change: &Change) {
    match *change {
        Change::InsertVertex(v) => assert_eq!(graph.insert_vertex(v), plain.vertices.insert(v)),
        Change::RemoveVertex(v) => assert_eq!(graph.remove_vertex(&v), plain.vertices.remove(&v)),
        Change::PurgeVertex(v) => {
            graph.purge_vertex(&v);
            plain.vertices.remove(&v);
            plain.held.retain(|&(from, to)| from != v && to != v);
        }
        Change::InsertEdge(from, to) => assert_eq!(graph.insert_edge(from, to), plain.held.insert((from, to))),
        Change::RemoveEdge(from, to) => assert_eq!(graph.remove_edge(&from, &to), plain.held.remove(&(from, to))),
    }
}

fn check_queries(graph: &Adjacency<u64>, plain: &Plain) {
    assert!(graph.vertices().eq(&plain.vertices));
    assert!(graph.edges().map(|(&from, &to)| (from, to)).eq(plain.edges()));
    assert_eq!((graph.vertex_count(), graph.held_count()), (plain.vertices.len(), plain.held.len()));
    assert_eq!(graph.is_empty(), plain.vertices.is_empty() && plain.held.is_empty());
    for v in 0..40 {
        assert!(graph.successors(&v).copied().eq(plain.edges().filter(|&(from, _)| from == v).map(|(_, to)| to)));
        assert!(graph.predecessors(&v).copied().eq(plain.edges().filter(|&(_, to)| to == v).map(|(from, _)| from)));
        assert_eq!(graph.contains_vertex(&v), plain.vertices.contains(&v));
        assert_eq!(graph.has_edges(&v), plain.edges().any(|(from, to)| from == v || to == v));
        assert_eq!(graph.is_end(&v), plain.held.iter().any(|&(from, to)| from == v || to == v));
    }
    for v in [0, 1, 7] {
        assert!(graph.reachable(&v).copied().eq(plain.reachable(v)));
    }
}

proptest! {
    #[test]
    fn an_adjacency_answers_as_a_list_of_edges_would(changes in changes()) {
        let (mut graph, mut plain) = (Adjacency::new(), Plain::default());
        for step in &changes {
            change(&mut graph, &mut plain, step);
        }
        check_queries(&graph, &plain);
        match (graph.topological_order(), plain.order()) {
            (Ok(order), expected) => prop_assert_eq!(Some(order.into_iter().copied().collect()), expected),
            (Err(Cycle { vertices }), expected) => {
                prop_assert_eq!(expected, None);
                let next = vertices.iter().cycle().skip(1);
                prop_assert!(vertices.iter().zip(next).all(|(from, to)| graph.contains_edge(from, to)), "{:?}", vertices);
                prop_assert_eq!(vertices.iter().min(), vertices.first());
                prop_assert_eq!(vertices.iter().collect::<BTreeSet<_>>().len(), vertices.len());
            }
        }
        // What is there counts, not how it came to be.
        let mut rebuilt = Adjacency::new();
        plain.held.iter().rev().for_each(|&(from, to)| assert!(rebuilt.insert_edge(from, to)));
        plain.vertices.iter().rev().for_each(|&v| assert!(rebuilt.insert_vertex(v)));
        prop_assert_eq!(rebuilt.fingerprint(), graph.fingerprint());
        prop_assert_eq!(rebuilt, graph);
    }

    #[test]
    fn merging_adjacencies_unites_vertices_and_edges((left, right) in (changes(), changes())) {
        let build = |changes: &[Change]| {
            let (mut graph, mut plain) = (Adjacency::new(), Plain::default());
            changes.iter().for_each(|step| change(&mut graph, &mut plain, step));
            (graph, plain)
        };
        let ((mut graph, mut plain), (other, more)) = (build(&left), build(&right));
        let is_within = other.is_within(&graph);
        let grew = graph.merge(other);
        plain.vertices.extend(more.vertices);
        plain.held.extend(more.held);
        prop_assert_eq!(grew, !is_within);
        check_queries(&graph, &plain);
    }

    #[test]
    fn graphs_that_came_over_the_wire_answer_alike(edges in prop::collection::vec((0..30u64, 0..30u64), 0..80)) {
        let mut graph = GGraph::new();
        for &(from, to) in &edges {
            graph.merge(graph.add_edge(from, to));
        }
        let read: GGraph<u64> = codec::from_bytes(&codec::to_bytes(&graph)).unwrap();
        prop_assert!(read.edges().eq(graph.edges()));
        prop_assert_eq!(read.fingerprint(), graph.fingerprint());
        prop_assert_eq!(read.topological_order().ok(), graph.topological_order().ok());
    }
}

#[test]
fn an_edge_hides_with_its_vertex_and_comes_back_with_it() {
    let mut graph = Adjacency::new();
    graph.insert_edge('a', 'b');
    graph.insert_vertex('a');
    assert!(!graph.contains_edge(&'a', &'b') && graph.holds_edge(&'a', &'b'));
    graph.insert_vertex('b');
    assert!(graph.contains_edge(&'a', &'b'));
    graph.remove_vertex(&'b');
    assert!(graph.topological_order().unwrap().iter().eq(&[&'a']));
    assert_eq!(graph.reachable(&'a').count(), 1);
    graph.insert_vertex('b');
    assert!(graph.successors(&'a').eq(&['b']));
}

/// An end that two edges share, one each way, was dropped twice, and with it whatever had its position by then.
#[test]
fn purging_a_vertex_with_edges_both_ways_drops_each_end_once() {
    let mut graph = Adjacency::new();
    graph.insert_edge(2, 4);
    graph.insert_edge(4, 2);
    graph.purge_vertex(&2);
    assert!(graph.is_empty() && graph.fingerprint() == 0);
}

/// A vertex with ten thousand edges, grown and cut down again.
#[test]
fn a_hub_finds_its_edges() {
    let mut graph = Adjacency::new();
    graph.insert_vertex(0u64);
    for spoke in 1..10_000 {
        graph.insert_vertex(spoke);
        graph.insert_edge(0, spoke);
        graph.insert_edge(spoke, 0);
    }
    assert!(graph.successors(&0).copied().eq(1..10_000) && graph.predecessors(&0).copied().eq(1..10_000));
    for spoke in (1..10_000).filter(|&spoke| !mix(1, spoke).is_multiple_of(1000)) {
        assert!(graph.remove_edge(&0, &spoke));
    }
    assert!(graph.successors(&0).all(|&spoke| mix(1, spoke).is_multiple_of(1000)));
    assert_eq!(graph.predecessors(&0).len(), 9_999);
}

#[test]
fn the_least_cycle_is_named_from_its_least_vertex() {
    let graph = GGraph::new().add_edges([(1, 2), (5, 3), (3, 4), (4, 5), (2, 3), (7, 8), (8, 7), (5, 9)]);
    assert_eq!(graph.topological_order(), Err(Cycle { vertices: vec![&3, &4, &5] }));
    assert_eq!(graph.topological_order().unwrap_err().to_string(), "the graph has a cycle of 3");
    let own = GGraph::new().add_edge(1, 1);
    assert_eq!(own.topological_order(), Err(Cycle { vertices: vec![&1] }));
}

#[test]
fn ties_in_a_topological_order_are_ascending() {
    let graph = GGraph::new().add_edges([(9, 1), (8, 2), (7, 2)]);
    assert_eq!(graph.topological_order(), Ok(vec![&7, &8, &2, &9, &1]));
}

#[test]
fn a_graph_is_its_vertices_once_and_ranks() {
    let edge = GGraph::new().add_edge(70u64, 80);
    //                             2 vertices; 1 begins edges: rank 0, 1 edge: to rank 1
    assert_eq!(codec::to_bytes(&edge), [2, 70, 80, 1, 0, 1, 1]);
    assert_eq!(codec::to_bytes(&GGraph::new().add_vertex(70u64)), [1, 70, 0]);
    let refused =
        |bytes: &[u8]| matches!(codec::from_bytes::<GGraph<u64>>(bytes), Err(DecodeError::NotCanonical { .. }));
    assert!(refused(&[2, 80, 70, 0]), "vertices that descend");
    assert!(refused(&[2, 70, 80, 1, 0, 0]), "a vertex that begins no edge among those that do");
    assert!(refused(&[2, 70, 80, 1, 0, 1, 2]), "an edge to a vertex that is not in the table");
    assert!(refused(&[2, 70, 80, 1, 2, 1, 0]), "an edge from one");
    let huge = [1, 70, 1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f];
    assert!(matches!(codec::from_bytes::<GGraph<u64>>(&huge), Err(DecodeError::TooLong { .. })));
    let far = [1, 70, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1, 0];
    assert!(refused(&far), "a rank beyond all numbers");
}

#[test]
fn two_phase_graphs_that_contradict_themselves_are_refused() {
    let refused =
        |bytes: &[u8]| matches!(codec::from_bytes::<TwoPGraph<u64>>(bytes), Err(DecodeError::NotCanonical { .. }));
    assert!(refused(&[1, 7, 0, 0, 1, 7]), "a vertex both there and removed");
    assert!(refused(&[1, 7, 1, 0, 1, 0, 1, 0, 1, 0, 0]), "an edge both there and removed");
    assert!(refused(&[0, 0, 0, 2, 8, 7]), "removed vertices that descend");
}

#[test]
fn a_two_phase_graph_refuses_what_its_rules_forbid() {
    let mut graph = TwoPGraph::new();
    graph.merge(graph.add_vertices(['a', 'b']));
    assert_eq!(graph.add_edge('a', 'c'), Err(MissingVertex));
    graph.merge(graph.add_edge('a', 'b').unwrap());
    assert_eq!((graph.remove_vertex(&'a'), graph.remove_vertex(&'b')), (Err(HasEdges), Err(HasEdges)));
    graph.merge(graph.remove_edge(&'a', &'b'));
    assert!(graph.add_edge('a', 'b').unwrap().is_bottom() && graph.is_edge_removed(&'a', &'b'));
    graph.merge(graph.remove_vertex(&'b').unwrap());
    assert!(graph.add_vertex('b').is_bottom() && graph.is_removed(&'b'));
    assert_eq!(graph.add_edge('a', 'b'), Err(MissingVertex));
    assert!(graph.remove_vertex(&'z').unwrap().is_bottom() && graph.remove_edge(&'z', &'a').is_bottom());
}

/// Nothing is kept of the edges of a vertex that is gone: neither those removed before nor those that come later.
#[test]
fn a_removed_vertex_takes_the_memory_of_its_edges_along() {
    let mut graph = TwoPGraph::new();
    graph.merge(graph.add_vertices(0..3u64));
    let edge = graph.add_edge(0, 1).unwrap();
    graph.merge(edge.clone());
    graph.merge(graph.remove_edge(&0, &1));
    let before = codec::to_bytes(&graph);
    graph.merge(graph.remove_vertex(&0).unwrap());
    assert_eq!(codec::to_bytes(&graph), [2, 1, 2, 0, 0, 1, 0]);
    assert!(before.len() > 7);
    assert!(edge.leq(&graph) && !graph.merge(edge.clone()), "the edge is no news");
    let brief = TwoPGraph::new().add_vertices(0..3);
    let late = graph.delta(&brief.digest());
    assert!(late.vertices().count() == 0 && late.is_removed(&0));
    laws::check_lattice(&graph, &brief, &edge);
    laws::check_delta(&graph, &edge);
    laws::check_delta(&edge, &graph);
}

/// Twenty thousand operations on up to 200 vertices and their edges, growing and shrinking several times, against sets.
#[test]
fn a_large_add_wins_graph_agrees_with_plain_sets() {
    let mut graph = AwGraph::new();
    let (mut vertices, mut edges) = (BTreeSet::new(), BTreeSet::new());
    for step in 0..20_000u64 {
        let random = mix(0x6eaf, step);
        let (from, to, writer) = (random % 200, (random >> 16) % 200, ReplicaId(random >> 60));
        let grows = (step / 2_500) % 2 == 0;
        let adds = random >> 40 & 7 < if grows { 6 } else { 1 };
        let delta = match (random >> 50 & 1 == 0, adds) {
            (true, true) => {
                vertices.insert(from);
                graph.add_vertex(writer, from)
            }
            (true, false) => {
                vertices.remove(&from);
                graph.remove_vertex(&from)
            }
            (false, true) => {
                edges.insert((from, to));
                graph.add_edge(writer, from, to)
            }
            (false, false) => {
                edges.remove(&(from, to));
                graph.remove_edge(&from, &to)
            }
        };
        graph.merge(delta);
        if step % 500 == 0 {
            let shows = |(from, to): &&(u64, u64)| vertices.contains(from) && vertices.contains(to);
            assert!(graph.vertices().eq(&vertices));
            assert!(graph.edges().map(|(&from, &to)| (from, to)).eq(edges.iter().filter(shows).copied()));
            let rebuilt: AwGraph<u64> = codec::from_bytes(&codec::to_bytes(&graph)).expect("a state decodes");
            assert_eq!(rebuilt, graph);
            assert_eq!(rebuilt.adjacency().fingerprint(), graph.adjacency().fingerprint());
        }
    }
}

#[test]
fn edges_are_found_at_their_ends_hidden_or_not() {
    let mut graph = Adjacency::new();
    graph.insert_vertex("b");
    for (from, to) in [("a", "b"), ("b", "c"), ("b", "b"), ("c", "a")] {
        graph.insert_edge(from, to);
    }
    let sorted = |edges: &mut dyn Iterator<Item = (&&'static str, &&'static str)>| {
        let mut edges: Vec<_> = edges.map(|(from, to)| (*from, *to)).collect();
        edges.sort_unstable();
        edges
    };
    assert_eq!(sorted(&mut graph.held_at(&"b")), [("a", "b"), ("b", "b"), ("b", "b"), ("b", "c")]);
    assert_eq!(sorted(&mut graph.held_at(&"d")), []);
    assert_eq!(sorted(&mut graph.held_edges()), [("a", "b"), ("b", "b"), ("b", "c"), ("c", "a")]);
    assert_eq!(graph.unordered_vertices().collect::<Vec<_>>(), [&"b"]);
}
