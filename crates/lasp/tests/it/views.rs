//! Changes around a node, as whoever listens hears them.

use lasp::{Contact, Lasp, Membership, ViewChange, ViewChanges};
use std::time::Duration;
use tokio::time::timeout;

async fn node(membership: Membership, join: &[&str]) -> Lasp {
    let builder = Lasp::builder().listen("127.0.0.1:0").membership(membership).join(join.iter().copied());
    builder.start().await.expect("starts")
}

async fn me(lasp: &Lasp) -> Contact {
    lasp.me().await.expect("runs")
}

async fn next(changes: &mut ViewChanges) -> ViewChange {
    timeout(Duration::from_secs(60), changes.next()).await.expect("in time").expect("the node runs")
}

#[tokio::test]
async fn a_goodbye_is_told_apart_from_a_neighbour_that_is_down() {
    for membership in [Membership::HYPARVIEW, Membership::FULL, Membership::STATIC, Membership::SCAMP] {
        let a = node(membership, &[]).await;
        let mut changes = a.view_changes();
        let b = node(membership, &[me(&a).await.addr.as_str()]).await;
        let other = me(&b).await;
        b.joined().await.expect("runs"); // or it would leave without having come
        let mut seen = Vec::new();
        while !seen.contains(&other) {
            let change = next(&mut changes).await;
            assert_eq!((&change.down, &change.left), (&vec![], &vec![]), "{membership}");
            seen = change.view;
        }
        b.shutdown().await;
        let (mut left, mut down) = (Vec::new(), Vec::new());
        while down.is_empty() {
            let change = next(&mut changes).await;
            left.extend(change.left);
            down.extend(change.down);
        }
        assert_eq!((left, down), (vec![other.id], vec![other.id]), "{membership}");
        a.shutdown().await;
        while let Some(change) = changes.next().await {
            assert_eq!(change.up, [], "{membership}: nothing but departures comes before the end");
        }
    }
}

#[tokio::test]
async fn who_does_not_listen_for_a_while_hears_in_one_change_what_lasts() {
    let a = node(Membership::FULL, &[]).await;
    let (mut keen, mut slow) = (a.view_changes(), a.view_changes());
    let contact = me(&a).await.addr;
    let b = node(Membership::FULL, &[contact.as_str()]).await;
    while next(&mut keen).await.up.is_empty() {}
    let gone = me(&b).await;
    b.shutdown().await;
    while next(&mut keen).await.down.is_empty() {}
    let c = node(Membership::FULL, &[contact.as_str()]).await;
    let stays = me(&c).await;
    while next(&mut keen).await.view != [stays.clone()] {}
    let change = next(&mut slow).await;
    assert_eq!((change.up, change.down), (vec![stays.clone()], vec![]), "who came and went in between is not told");
    assert_eq!((change.left, change.view), (vec![gone.id], vec![stays]), "but that it said goodbye");
}
