//! How long derivations live.

use super::virtual_node::Virtual;
use lasp::{AtLeast, Collection as _, Error, Lasp, Set, Table, View};
use std::future::IntoFuture as _;
use std::task::Poll;

/// Variables and derivations of the node.
fn size(node: &Virtual) -> (usize, usize) {
    (node.node.graph().vars().count(), node.node.graph().derivations().count())
}

fn start() -> (Virtual, Lasp, Set<i64>) {
    let (mut node, lasp) = Virtual::new();
    let set: Set<i64> = node.run(lasp.set("set")).expect("served");
    node.run(set.add_all([1, 2, 3])).expect("served");
    (node, lasp, set)
}

#[test]
fn a_chain_is_one_variable_however_long() {
    let (mut node, _lasp, set) = start();
    let chain = set.map(|n| n + 1).filter(|n| n % 2 == 0).map(|n| n * 10).union(&set.map(|n| -n));
    assert_eq!(size(&node), (1, 0), "nothing happens before it is awaited");
    let view = node.run(chain.into_future()).expect("served");
    assert_eq!(size(&node), (2, 1));
    assert_eq!(node.run(view.value()), Ok(vec![-3, -2, -1, 20, 40]));
    assert_eq!(size(&node), (2, 1), "reading it makes no others");
}

#[test]
fn a_derivation_ends_with_its_last_handle() {
    let (mut node, _lasp, set) = start();
    let view: View<i64> = node.run(set.map(|n| n * 2).into_future()).expect("served");
    let again = view.clone();
    drop(view);
    node.serve();
    assert_eq!(node.run(again.value()), Ok(vec![2, 4, 6]));
    drop(again);
    node.serve();
    assert_eq!(size(&node), (1, 0));
}

#[test]
fn what_follows_from_a_derived_set_and_what_waits_for_it_keep_it() {
    let (mut node, _lasp, set) = start();
    let doubled = node.run(set.map(|n| n * 2).into_future()).expect("served");
    let large = doubled.filter(|n| *n > 2);
    let mut four = doubled.read(AtLeast(4));
    let mut watch = node.run(doubled.watch()).expect("served");
    drop(doubled);
    let large = node.run(large.into_future()).expect("its input is still there");
    assert!(node.poll(&mut four).is_pending());
    node.run(set.add(4)).expect("served");
    assert_eq!(node.poll(&mut four), Poll::Ready(Ok(vec![2, 4, 6, 8])));
    assert_eq!(node.run(watch.next()), Ok(Some(vec![2, 4, 6, 8])));
    drop((four, watch));
    node.serve();
    assert_eq!(size(&node), (2, 1), "only what follows from it is left");
    node.run(set.remove(4)).expect("served");
    assert_eq!(node.run(large.value()), Ok(vec![4, 6]));
}

#[test]
fn a_detached_or_named_derivation_goes_on() {
    let (mut node, lasp, set) = start();
    let detached = node.run(set.map(|n| n * 2).into_future()).expect("served").detach();
    let named = node.run(set.map(|n| n * 3).named("tripled")).expect("served");
    assert!(matches!(node.run(set.map(|n| n * 3).named("tripled")), Err(Error::Refused(_))), "the name is taken");
    assert!(matches!(node.run(set.map(|n| n * 3).named("")), Err(Error::Name(_))));
    let (detached_id, named_id) = (detached.id(), named.id());
    drop((detached, named));
    node.serve();
    assert_eq!(size(&node), (3, 2));
    assert_eq!(node.run(lasp.query(detached_id)).map(|output| output.to_string()), Ok("set[2, 4, 6]".to_owned()));
    assert_eq!(node.run(lasp.undeclare(named_id)), Ok(()));
    assert_eq!(size(&node), (2, 1));
}

#[test]
fn a_derivation_nobody_waits_for_any_more_is_not_made() {
    let (mut node, _lasp, set) = start();
    let mut unsent = set.count().into_future();
    let mut unanswered = set.map(|n| n + 1).into_future();
    let mut answered = set.map(|n| n + 2).into_future();
    let waker = std::task::Waker::noop();
    let mut cx = std::task::Context::from_waker(waker);
    assert!(std::pin::Pin::new(&mut answered).poll(&mut cx).is_pending());
    node.serve();
    assert_eq!(size(&node), (2, 1), "it is there, but its asker has not looked");
    assert!(std::pin::Pin::new(&mut unanswered).poll(&mut cx).is_pending());
    drop((unanswered, answered));
    node.serve();
    assert_eq!(size(&node), (1, 0));
    assert!(node.poll(&mut unsent).is_ready());
}

#[test]
fn a_refused_chain_leaves_nothing_behind() {
    let (mut node, _lasp, set) = start();
    let target: Set<i64> = node.run(set.lasp().set("target")).expect("served");
    let feed = node.run(set.map(|n| n + 1).derive_into(&target)).expect("served");
    let circle = target.filter(|n| n % 2 == 0).map(|n| n * 2).derive_into(&set);
    let before = size(&node);
    assert!(matches!(node.run(circle), Err(Error::Refused(_))));
    assert_eq!(size(&node), before);
    drop(feed);
}

#[test]
fn a_feed_ends_with_its_last_handle_and_what_it_derived_stays() {
    let (mut node, _lasp, set) = start();
    let target: Set<i64> = node.run(set.lasp().set("target")).expect("served");
    let feed = node.run(set.filter(|n| *n > 1).map(|n| n * 10).derive_into(&target)).expect("served");
    assert_eq!(node.run(target.value()), Ok(vec![20, 30]));
    node.run(set.remove(2)).expect("served");
    assert_eq!(node.run(target.value()), Ok(vec![30]));
    drop(feed);
    node.serve();
    node.run(set.add(4)).expect("served");
    assert_eq!(node.run(target.value()), Ok(vec![30]));
    let copy: Set<i64> = node.run(set.lasp().set("copy")).expect("served");
    node.run(set.derivation().derive_into(&copy)).expect("served").detach();
    assert_eq!(node.run(copy.value()), Ok(vec![1, 3, 4]));
}

#[test]
fn handles_can_be_kept_in_structs() {
    struct Board {
        counts: Table<bool, i64>,
    }
    let (mut node, _lasp, set) = start();
    let counts = node.run(set.group_by(|n| n % 2 == 0).count().into_future()).expect("served");
    let board = Board { counts };
    assert_eq!(node.run(board.counts.value()), Ok(vec![(false, 2), (true, 1)]));
    drop(board);
    node.serve();
    assert_eq!(size(&node), (1, 0));
}
