//! Sessions over real nodes: from one to the next at once, and shown what they wrote and read.

use super::toy::PATIENCE;
use lasp::{Error, Lasp, RequestError, Session, TokenError};
use std::time::Duration;
use tokio::time::timeout;

async fn start(name: &str, contacts: &[&Lasp]) -> Lasp {
    let mut builder = Lasp::builder().name(name).cluster("sessions").listen("127.0.0.1:0");
    for contact in contacts {
        builder = builder.join([contact.me().await.expect("runs").addr.as_str()]);
    }
    builder.start().await.expect("starts")
}

async fn cluster() -> [Lasp; 3] {
    let a = start("a", &[]).await;
    let (b, c) = (start("b", &[&a]).await, start("c", &[&a]).await);
    for lasp in [&a, &b, &c] {
        timeout(PATIENCE, lasp.joined()).await.expect("in time").expect("joins");
    }
    [a, b, c]
}

fn session() -> Session {
    Session::new().within(PATIENCE)
}

#[tokio::test]
async fn what_is_written_at_one_node_is_read_at_the_next() -> Result<(), Error> {
    let nodes = cluster().await;
    let mut session = session();
    for n in 0..60_i64 {
        let (here, there) = (&nodes[n as usize % 3], &nodes[(n as usize + 1) % 3]);
        let mut travelling: Session = session.to_string().parse::<Session>().expect("a token").within(PATIENCE);
        travelling.update(here.set::<i64>("orders").await?.add(n)).await?;
        let orders = travelling.value(&there.set::<i64>("orders").await?).await?;
        assert_eq!(orders, (0..=n).collect::<Vec<_>>());
        session = travelling;
    }
    assert!(session.to_string().len() < 500, "{session}");
    Ok(())
}

#[tokio::test]
async fn a_large_set_that_was_read_is_asked_for_where_it_was() -> Result<(), Error> {
    let nodes = cluster().await;
    nodes[0].gset::<i64>("numbers").await?.add_all(0..5_000).await?;
    let mut session = session();
    for n in 0..12_usize {
        let (here, there) = (&nodes[n % 3], &nodes[(n + 1) % 3]);
        here.gset::<i64>("numbers").await?.add(10_000 + n as i64).await?;
        let before = session.value(&here.gset::<i64>("numbers").await?).await?;
        assert!(session.to_string().len() < 100, "{session}");
        let after = session.value(&there.gset::<i64>("numbers").await?).await?;
        assert!(
            before.iter().all(|number| after.binary_search(number).is_ok()),
            "{} then {}",
            before.len(),
            after.len()
        );
    }
    Ok(())
}

#[tokio::test]
async fn only_updates_are_made_in_a_session_and_what_few_acknowledge_is_seen() -> Result<(), Error> {
    let [a, b, _c] = cluster().await;
    let (orders, at_b) = (a.set::<i64>("orders").await?, b.set::<i64>("orders").await?);
    let mut session = session();
    assert_eq!(session.update(orders.undeclare()).await, Err(Error::NoUpdate));
    assert!(session.token().is_empty());
    session.update(orders.acknowledged_by(2, PATIENCE).add(1)).await?;
    let few = session.update(orders.acknowledged_by(3, Duration::from_millis(200)).add(2)).await;
    assert!(matches!(&few, Err(Error::Unacknowledged(few)) if few.by.len() == 2), "{few:?}");
    assert_eq!(session.value(&at_b).await?, [1, 2]);
    assert_eq!("x".parse::<Session>(), Err(TokenError::Text));

    let stranger = start("stranger", &[]).await;
    let mut hasty = session.clone().within(Duration::from_millis(100));
    let orders = stranger.set::<i64>("orders").await?;
    for refused in [hasty.value(&orders).await.map(|_| ()), hasty.update(orders.add(3)).await] {
        let Err(Error::Refused(RequestError::SessionBehind(behind))) = refused else { panic!("{refused:?}") };
        assert_eq!(behind.variable.as_str(), "orders");
    }
    assert_eq!(orders.value().await?, [0_i64; 0], "what is refused is not applied");
    assert_eq!(hasty.token(), session.token());
    Ok(())
}
