//! Letters: bytes for one node, wherever it is in the cluster.

use super::ask::{Ask, mismatch};
use super::handle::Lasp;
use crate::error::Error;
use crate::host::port::Answer;
use lasp_node::{Letter, Reply, Request};
use lasp_overlay::PeerId;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// How a letter arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// How many links it crossed.
    pub hops: u8,
    /// From when it was sent until its acknowledgement came back.
    pub after: Duration,
}

impl Lasp {
    /// Sends bytes to a node, neighbour or not, over the links of the overlay: at most once, and acknowledged by the node
    /// before this is ready. It does not wait for a program there to take them, but for room among those not yet taken.
    /// An empty letter only asks whether the node is there.
    ///
    /// For what all shall come to know, update a variable: that survives either node. Letters are for what concerns one
    /// node, now.
    ///
    /// ```no_run
    /// # async fn example(lasp: lasp::Lasp, to: lasp::PeerId) -> Result<(), lasp::Error> {
    /// let delivery = lasp.send(to, b"cache/flush".as_slice()).await?;
    /// println!("there after {:?}, over {} links", delivery.after, delivery.hops);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`RequestError::Undelivered`](crate::RequestError::Undelivered): the node was not found, did not acknowledge, or the
    /// letter is above 16 KiB. One that was not acknowledged may have arrived all the same.
    pub fn send(&self, to: PeerId, bytes: impl Into<Arc<[u8]>>) -> Ask<Delivery> {
        Ask::request(self, Request::Send { to, letter: Letter(bytes.into()) }, |_, _, answer| match answer {
            Answer::Reply(Reply::Delivered { hops, after }) => Ok(Delivery { hops, after }),
            other => Err(mismatch(&other)),
        })
    }

    /// The letters that are sent to this node. Where several take them, each letter goes to one.
    pub fn letters(&self) -> Letters {
        Letters { lasp: self.clone(), next: None }
    }
}

/// A letter, and who sent it.
pub type Received = (PeerId, Arc<[u8]>);

/// The letters sent to a node, as they come; see [`Lasp::letters`].
///
/// Up to 256 wait at the node for somebody to take them. More are not acknowledged.
#[derive(Debug)]
pub struct Letters {
    lasp: Lasp,
    next: Option<Ask<Received>>,
}

impl Letters {
    /// The next letter, and who sent it; `None` once the node has stopped. Nothing is lost if this future is dropped.
    ///
    /// # Errors
    /// Why none can be had.
    pub async fn next(&mut self) -> Result<Option<Received>, Error> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`next`](Self::next), for those who write futures and streams by hand.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Received>, Error>> {
        let ask = self.next.get_or_insert_with(|| {
            Ask::request(&self.lasp, Request::Receive, |_, _, answer| match answer {
                Answer::Reply(Reply::Letter { from, letter }) => Ok((from, letter.0)),
                other => Err(mismatch(&other)),
            })
        });
        let answer = std::task::ready!(Pin::new(ask).poll(cx));
        self.next = None;
        Poll::Ready(match answer {
            Err(Error::Stopped(_)) => Ok(None),
            answer => answer.map(Some),
        })
    }
}
