//! Graphs: who follows whom, and in which order to build things. `cargo run -p lasp-crdt --example friends`

use lasp_crdt::{GGraph, Graph, Lattice, TwoPGraph};
use std::error::Error;
use std::io::{self, Write};

pub(crate) fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    follows(out)?;
    builds(out)
}

/// Accounts come, and go for good; the edges of one that is gone go with it.
fn follows(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut here = TwoPGraph::new();
    here.merge(here.add_vertices(["ann", "bob", "cid", "dan"]));
    here.merge(here.add_edge("ann", "bob")?);
    here.merge(here.add_edge("bob", "cid")?);
    here.merge(here.add_edge("dan", "ann")?);
    writeln!(out, "ann reaches {:?}", Vec::from_iter(here.reachable(&"ann")))?;
    assert!(here.add_edge("ann", "eve").is_err(), "there is no eve");
    assert!(here.remove_vertex(&"bob").is_err(), "bob has edges");

    // Bob closes his account here, while somebody begins to follow him elsewhere.
    let mut elsewhere = here.clone();
    elsewhere.merge(elsewhere.add_edge("dan", "bob")?);
    here.merge(here.remove_edge(&"ann", &"bob"));
    here.merge(here.remove_edge(&"bob", &"cid"));
    here.merge(here.remove_vertex(&"bob")?);
    here.merge(elsewhere);
    assert!(here.edges().eq([(&"dan", &"ann")]) && here.is_removed(&"bob"));
    writeln!(out, "without bob: {:?}", Vec::from_iter(here.edges()))?;
    Ok(())
}

/// Vertices and edges that are never removed; concurrent edges may close a cycle, and it is named.
fn builds(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut here = GGraph::new();
    here.merge(here.add_edges([("core", "net"), ("core", "ui"), ("net", "app"), ("ui", "app")]));
    let order = here.topological_order().map_err(|cycle| cycle.to_string())?;
    assert_eq!(order, [&"core", &"net", &"ui", &"app"]);
    writeln!(out, "build order: {order:?}")?;
    here.merge(GGraph::new().add_edge("app", "core"));
    let cycle = here.topological_order().expect_err("a cycle").vertices;
    writeln!(out, "no order: {cycle:?}")?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut io::stdout().lock())
}
