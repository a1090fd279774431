//! The graphs.

use super::{A, B, after, concurrently};
use lasp_crdt::{AwGraph, GGraph, Graph, TwoPGraph};

#[test]
fn ggraph_additions_of_one_edge_are_one() {
    let graph = concurrently(&GGraph::new(), |g| g.add_edge('a', 'b'), |g| g.add_edge('a', 'b'));
    assert_eq!((graph.vertex_count(), graph.edge_count()), (2, 1));
}

#[test]
fn ggraph_edges_meet_at_a_vertex_both_brought() {
    let graph = concurrently(&GGraph::new(), |g| g.add_edge('a', 'b'), |g| g.add_edge('b', 'c'));
    assert!(graph.reachable(&'a').eq(&['a', 'b', 'c']));
}

#[test]
fn ggraph_edges_that_close_a_cycle_concurrently_are_both_there() {
    let graph = concurrently(&GGraph::new(), |g| g.add_edge('a', 'b'), |g| g.add_edge('b', 'a'));
    assert_eq!(graph.topological_order().unwrap_err().vertices, [&'a', &'b']);
}

fn two_vertices() -> TwoPGraph<char> {
    after(TwoPGraph::new(), |g| g.add_vertices(['a', 'b']))
}

fn one_edge() -> TwoPGraph<char> {
    after(two_vertices(), |g| g.add_edge('a', 'b').unwrap())
}

#[test]
fn twopgraph_removal_of_a_vertex_takes_an_edge_added_concurrently() {
    let graph = concurrently(&two_vertices(), |g| g.add_edge('a', 'b').unwrap(), |g| g.remove_vertex(&'a').unwrap());
    assert!(graph.vertices().eq(&['b']) && graph.edge_count() == 0);
    assert!(graph.remove_vertex(&'b').is_ok(), "the edge that is gone keeps nobody");
}

#[test]
fn twopgraph_vertex_added_and_removed_is_gone() {
    let graph = concurrently(&two_vertices(), |g| g.remove_vertex(&'a').unwrap(), |_| TwoPGraph::new().add_vertex('a'));
    assert!(graph.vertices().eq(&['b']));
}

#[test]
fn twopgraph_edge_added_and_removed_is_gone() {
    let again = |_: &TwoPGraph<char>| two_vertices().add_edge('a', 'b').unwrap();
    let graph = concurrently(&one_edge(), again, |g| g.remove_edge(&'a', &'b'));
    assert_eq!((graph.vertex_count(), graph.edge_count()), (2, 0));
}

#[test]
fn twopgraph_edge_removed_twice_is_gone() {
    let graph = concurrently(&one_edge(), |g| g.remove_edge(&'a', &'b'), |g| g.remove_edge(&'a', &'b'));
    assert_eq!(graph.edge_count(), 0);
}

#[test]
fn twopgraph_edge_and_vertex_removed_are_gone() {
    // One side removes the edge and then its vertex, the other the edge alone.
    let base = one_edge();
    let both = |g: &TwoPGraph<char>| {
        let cut = after(g.clone(), |g| g.remove_edge(&'a', &'b'));
        after(cut, |g| g.remove_vertex(&'a').unwrap())
    };
    let graph = concurrently(&base, both, |g| g.remove_edge(&'a', &'b'));
    assert!(graph.vertices().eq(&['b']) && graph.edge_count() == 0);
}

#[test]
fn twopgraph_different_vertices_and_edges_are_independent() {
    let graph = concurrently(&one_edge(), |g| g.add_edge('b', 'a').unwrap(), |g| g.add_vertex('c'));
    assert_eq!((graph.vertex_count(), graph.edge_count()), (3, 2));
}

#[test]
fn twopgraph_edge_that_arrives_before_its_vertices_brings_them() {
    let edge = two_vertices().add_edge('a', 'b').unwrap();
    let graph = after(TwoPGraph::new(), |_| edge.clone());
    assert!(graph.edges().eq([(&'a', &'b')]));
}

fn friends() -> AwGraph<char> {
    after(after(AwGraph::new(), |g| g.add_vertices(A, ['a', 'b'])), |g| g.add_edge(A, 'a', 'b'))
}

#[test]
fn awgraph_additions_of_one_vertex_are_one_under_both_dots() {
    let graph = concurrently(&AwGraph::new(), |g| g.add_vertex(A, 'a'), |g| g.add_vertex(B, 'a'));
    assert_eq!((graph.vertex_count(), graph.vertex_dots(&'a').len()), (1, 2));
}

#[test]
fn awgraph_addition_of_a_vertex_wins_over_its_removal() {
    let graph = concurrently(&friends(), |g| g.add_vertex(A, 'b'), |g| g.remove_vertex(&'b'));
    assert!(graph.contains_edge(&'a', &'b'), "and its edges never went");
}

#[test]
fn awgraph_removals_of_one_vertex_hide_its_edges_until_it_comes_back() {
    let graph = concurrently(&friends(), |g| g.remove_vertex(&'b'), |g| g.remove_vertex(&'b'));
    assert!(graph.vertices().eq(&['a']) && !graph.contains_edge(&'a', &'b') && graph.holds_edge(&'a', &'b'));
    assert!(graph.successors(&'a').len() == 0 && graph.edges().count() == 0);
    assert!(after(graph, |g| g.add_vertex(B, 'b')).successors(&'a').eq(&['b']));
}

#[test]
fn awgraph_additions_of_one_edge_are_one_under_both_dots() {
    let base = after(AwGraph::new(), |g| g.add_vertices(A, ['a', 'b']));
    let graph = concurrently(&base, |g| g.add_edge(A, 'a', 'b'), |g| g.add_edge(B, 'a', 'b'));
    assert_eq!((graph.edges().count(), graph.edge_dots(&'a', &'b').len()), (1, 2));
}

#[test]
fn awgraph_addition_of_an_edge_wins_over_its_removal() {
    let graph = concurrently(&friends(), |g| g.add_edge(A, 'a', 'b'), |g| g.remove_edge(&'a', &'b'));
    assert!(graph.contains_edge(&'a', &'b'));
}

#[test]
fn awgraph_removals_of_one_edge_remove_it() {
    let graph = concurrently(&friends(), |g| g.remove_edge(&'a', &'b'), |g| g.remove_edge(&'a', &'b'));
    assert!(!graph.holds_edge(&'a', &'b') && graph.vertex_count() == 2);
}

#[test]
fn awgraph_removal_of_a_vertex_hides_an_edge_added_concurrently() {
    let graph = concurrently(&friends(), |g| g.remove_vertex(&'a'), |g| g.add_edge(B, 'b', 'a'));
    assert!(!graph.contains_edge(&'b', &'a') && graph.holds_edge(&'b', &'a'));
    assert!(after(graph, |g| g.add_vertex(A, 'a')).contains_edge(&'b', &'a'));
}

#[test]
fn awgraph_removal_of_a_vertex_and_of_its_edge_removes_both() {
    let graph = concurrently(&friends(), |g| g.remove_vertex(&'a'), |g| g.remove_edge(&'a', &'b'));
    assert!(!after(graph, |g| g.add_vertex(A, 'a')).contains_edge(&'a', &'b'));
}

#[test]
fn awgraph_edge_shows_once_an_end_added_concurrently_is_there() {
    let base = after(AwGraph::new(), |g| g.add_vertex(A, 'a'));
    let graph = concurrently(&base, |g| g.add_vertex(A, 'b'), |g| g.add_edge(B, 'a', 'b'));
    assert!(graph.contains_edge(&'a', &'b'));
}

#[test]
fn awgraph_addition_of_a_vertex_and_removal_of_its_edge_are_independent() {
    let graph = concurrently(&friends(), |g| g.add_vertex(A, 'b'), |g| g.remove_edge(&'a', &'b'));
    assert!(graph.contains_vertex(&'b') && !graph.holds_edge(&'a', &'b'));
}
