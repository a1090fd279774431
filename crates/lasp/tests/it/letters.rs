//! Letters between real nodes on loopback: acknowledged, in order, once; or the sender is told.

use super::toy::PATIENCE;
use lasp::{Error, Lasp, Membership, RequestError, Stop};
use tokio::time::timeout;

/// The end of a line of nodes: it joins through `before` alone.
async fn next(membership: Membership, before: Option<&Lasp>) -> Result<Lasp, Error> {
    let mut builder = Lasp::builder().cluster("letters").listen("127.0.0.1:0").membership(membership);
    if let Some(before) = before {
        builder = builder.join([before.me().await?.addr.as_str()]);
    }
    let lasp = builder.start().await.expect("starts");
    if before.is_some() {
        timeout(PATIENCE, lasp.joined()).await.expect("in time")?;
    }
    Ok(lasp)
}

#[tokio::test]
async fn letters_are_acknowledged_arrive_once_and_in_order_under_each_strategy() -> Result<(), Error> {
    for strategy in ["hyparview", "full", "static", "scamp"] {
        let membership: Membership = strategy.parse().expect("a strategy");
        let a = next(membership, None).await?;
        let b = next(membership, Some(&a)).await?;
        let c = next(membership, Some(&b)).await?;
        let (from, to) = (a.me().await?.id, c.me().await?.id);
        for number in 0..20u8 {
            let delivery = timeout(PATIENCE, a.send(to, vec![number])).await.expect("in time")?;
            // In a fixed list the two know only the one between them.
            let hops = if strategy == "static" { 2..=2 } else { 1..=2 };
            assert!(hops.contains(&delivery.hops), "{strategy}: {delivery:?}");
        }
        let mut letters = c.letters();
        for number in 0..20u8 {
            let letter = timeout(PATIENCE, letters.next()).await.expect("in time")?;
            assert_eq!(letter, Some((from, vec![number].into())), "{strategy}");
        }

        assert_eq!(c.shutdown().await, Stop::Shutdown);
        assert_eq!(letters.next().await?, None, "{strategy}: nothing came twice");
    }
    Ok(())
}

#[tokio::test]
async fn who_writes_to_a_node_that_is_gone_is_told() -> Result<(), Error> {
    let a = next(Membership::HYPARVIEW, None).await?;
    let b = next(Membership::HYPARVIEW, Some(&a)).await?;
    let to = b.me().await?.id;
    assert_eq!(b.shutdown().await, Stop::Shutdown);
    let lost = timeout(PATIENCE, a.send(to, vec![1])).await.expect("in time");
    assert!(matches!(lost, Err(Error::Refused(RequestError::Undelivered { .. }))), "{lost:?}");
    Ok(())
}
