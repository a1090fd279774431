//! What must hold: of bounds at every moment, of everything else once the faults have stopped.

use crate::strategy::Strategy;
use crate::world::{Faults, SECOND, World};
use lasp_overlay::PeerId;
use lasp_overlay::membership::{Command, Membership, Standing};
use std::collections::BTreeSet;
use std::time::Duration;

/// Those that are there and have not left.
fn present(world: &World) -> BTreeSet<u64> {
    world.sim.peers().map(|(id, _)| id.0).filter(|n| !world.out.contains(n)).collect()
}

/// At every moment: views are within bounds and apart from each other, nobody knows itself, and what was told is true.
pub(super) fn check_bounds(world: &mut World, strategy: Strategy, count: u64, context: &str) {
    world.check_events();
    for (peer, state) in world.sim.peers() {
        let (active, passive) = (state.0.active(), state.0.passive());
        let (most_active, most_passive) = strategy.bounds(peer.0, count);
        assert!(active.len() <= most_active, "{context}: {peer} has {} neighbours", active.len());
        assert!(passive.len() <= most_passive, "{context}: {peer} knows {} others", passive.len());
        assert!(active.iter().chain(&passive).all(|contact| contact.id != peer), "{context}: {peer} knows itself");
        assert!(
            passive.iter().all(|contact| !state.0.is_active(contact.id)),
            "{context}: {peer} has one in both views"
        );
        assert!(!world.out.contains(&peer.0) || active.is_empty(), "{context}: {peer} is out and has neighbours");
    }
}

/// What is wrong with what peers believe, beyond their links. A member that left while nobody could hear it is
/// unreachable for the others until an operator says otherwise.
fn beliefs(world: &World, strategy: Strategy) -> Vec<String> {
    let present = present(world);
    let mut wrong = Vec::new();
    for (peer, state) in world.sim.peers().filter(|(peer, _)| !world.out.contains(&peer.0)) {
        let reachable: BTreeSet<u64> = state.0.reachable().iter().map(|contact| contact.id.0).collect();
        if let Some(ghost) = reachable.iter().find(|n| !present.contains(n)) {
            wrong.push(format!("{peer} believes in {ghost}"));
        }
        if strategy.knows_all(peer.0) && reachable.len() + 1 != present.len() {
            wrong.push(format!("{peer} knows {reachable:?} of {present:?}"));
        }
        let suspects = state.0.members().into_iter().filter(|(_, standing)| *standing != Standing::Alive);
        let suspects: Vec<u64> = suspects.map(|(contact, _)| contact.id.0).filter(|n| present.contains(n)).collect();
        if !suspects.is_empty() {
            wrong.push(format!("{peer} suspects {suspects:?}"));
        }
    }
    wrong
}

/// Runs until nothing is wrong: one component, symmetric, linked, nobody isolated, no ghosts.
pub(crate) fn settle(world: &mut World, strategy: Strategy, patience: Duration, context: &str) {
    let deadline = world.sim.now() + patience;
    loop {
        let (faults, beliefs) = (world.faults(), beliefs(world, strategy));
        if faults == Faults::default() && beliefs.is_empty() {
            return world.check_events();
        }
        assert!(world.sim.now() < deadline, "{context}: {faults:?} {beliefs:?}");
        world.run(SECOND);
    }
}

/// Evicts whoever is gone and still taken for a member, as an operator would; says whether there was anybody.
pub(super) fn evict_the_lost(world: &mut World) -> bool {
    let present = present(world);
    let mut lost: Vec<(PeerId, PeerId)> = Vec::new();
    for (peer, state) in world.sim.peers().filter(|(id, _)| present.contains(&id.0)) {
        let members = state.0.members().into_iter().map(|(contact, _)| contact.id);
        let accepts = |id: &PeerId| state.0.accepts(&Command::Evict(*id));
        lost.extend(members.filter(|id| !present.contains(&id.0)).filter(accepts).map(|id| (peer, id)));
    }
    for (peer, id) in &lost {
        world.sim.command(*peer, Command::Evict(*id));
    }
    !lost.is_empty()
}

/// Checks that from now on nothing changes, or hardly anything where views are partial, and little is said.
pub(super) fn check_quiet(world: &mut World, strategy: Strategy, context: &str) {
    let (begun, bytes) = (world.sim.now(), world.sim.stats().bytes_sent);
    let before = world.metrics();
    world.run(if strategy.is_partial() { SECOND * 120 } else { SECOND * 60 });
    let after = world.metrics();
    assert_eq!((after.failures, after.isolations), (before.failures, before.isolations), "{context}: at rest");
    if strategy.is_partial() {
        check_hardly_rewired(world, (before.downs, before.swaps_done), context);
    } else {
        assert_eq!((after.ups, after.downs), (before.ups, before.downs), "{context}: at rest");
        assert_eq!((after.suspicions, after.refutations), (before.suspicions, before.refutations), "{context}");
    }
    if strategy.is_partial() && world.faults() != Faults::default() {
        // One relation or another may be changing hands at this very moment: that is over soon.
        world.run(SECOND * 15);
    }
    assert_eq!(world.faults(), Faults::default(), "{context}: later");
    if strategy.is_scamp() {
        world.run(SECOND * 480); // it renews all of a view at once, twice an hour
    }
    let sent = (world.sim.stats().bytes_sent - bytes) as f64;
    let rate = sent / (world.sim.now() - begun).as_secs_f64() / world.sim.len() as f64;
    assert!(rate < strategy.idle(), "{context}: {rate:.1} B/s per peer at rest");
}

/// Partial views change a little for ever: a contact is asked now and then in case it is on another island, each time for up to
/// six relations; X-BOT takes the luck of two probes for a shorter way, and a place that is kept for a tag is passed around.
fn check_hardly_rewired(world: &World, (downs, swaps): (u64, u64), context: &str) {
    let after = world.metrics();
    let rewired = (after.downs - downs).saturating_sub(4 * (after.swaps_done - swaps));
    let relations: usize = world.views().values().map(Vec::len).sum();
    assert!(rewired <= relations as u64 / 5 + 6, "{context}: {rewired} of {relations} relations ended");
}
