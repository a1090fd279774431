//! The future of one request, and the stream of a watch.

use super::handle::Lasp;
use crate::error::Error;
use crate::host::port::{Answer, Submission};
use lasp_dataflow::Output;
use lasp_node::{Reply, Request, RequestId};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A request to the node, and the future of its answer.
///
/// Nothing happens before it is first polled; requests are handled in the order of their first polls. To have many
/// under way at once, [`queue`](Self::queue) each, keep what that gives, and await the answers later. Dropping it
/// withdraws a wait (`read`, `sleep`, `watch`); anything else that was sent takes its course.
#[must_use = "a request is sent when it is awaited"]
pub struct Ask<T> {
    lasp: Lasp,
    stage: Stage,
    /// Whether the node should forget the request when this is dropped.
    withdraw: bool,
    read: fn(&Lasp, RequestId, Answer) -> Result<T, Error>,
}

enum Stage {
    Unsent(Option<Submission>),
    Failed(Error),
    Sent(RequestId),
    Over,
}

impl<T> Ask<T> {
    pub(super) fn request(
        lasp: &Lasp,
        request: Request,
        read: fn(&Lasp, RequestId, Answer) -> Result<T, Error>,
    ) -> Self {
        let withdraw = matches!(
            request,
            Request::Read { .. } | Request::WaitNeeded { .. } | Request::Watch(_) | Request::Sleep(_)
        );
        Self { lasp: lasp.clone(), stage: Stage::Unsent(Some(Submission::Request(Box::new(request)))), withdraw, read }
    }

    pub(super) fn failed(lasp: &Lasp, error: impl Into<Error>) -> Self {
        let read = |_: &Lasp, _, answer| Err(mismatch(&answer));
        Self { lasp: lasp.clone(), stage: Stage::Failed(error.into()), withdraw: false, read }
    }

    /// Hands the request over, waiting for room if need be; gives the future of its answer. The way to pipeline:
    ///
    /// ```no_run
    /// # async fn example(views: lasp::GCounter) -> Result<(), lasp::Error> {
    /// let mut answers = Vec::new();
    /// for _ in 0..1_000 {
    ///     answers.push(views.increment(1).queue().await?);
    /// }
    /// for answer in answers {
    ///     answer.await?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Stopped`], or why the request cannot be made.
    pub async fn queue(mut self) -> Result<Self, Error> {
        poll_fn(|cx| self.poll_send(cx)).await?;
        Ok(self)
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match &mut self.stage {
            Stage::Unsent(submission) => match self.lasp.port().poll_submit(cx, submission) {
                Poll::Ready(Ok(id)) => self.stage = Stage::Sent(id),
                Poll::Ready(Err(error)) => {
                    self.stage = Stage::Over;
                    return Poll::Ready(Err(error));
                }
                Poll::Pending => return Poll::Pending,
            },
            Stage::Failed(error) => {
                let error = error.clone();
                self.stage = Stage::Over;
                return Poll::Ready(Err(error));
            }
            Stage::Sent(_) | Stage::Over => {}
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: Send + 'static> Ask<T> {
    pub(super) fn look(lasp: &Lasp, look: impl FnOnce(&lasp_node::Node) -> T + Send + 'static) -> Self {
        let look = Submission::Look(Box::new(move |node| Box::new(look(node))));
        let read = |_: &Lasp, _, answer| match answer {
            Answer::Seen(seen) => match seen.downcast() {
                Ok(seen) => Ok(*seen),
                Err(seen) => Err(mismatch(&Answer::Seen(seen))),
            },
            reply => Err(mismatch(&reply)),
        };
        Self { lasp: lasp.clone(), stage: Stage::Unsent(Some(look)), withdraw: false, read }
    }
}

impl<T> Future for Ask<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(Err(error)) = self.poll_send(cx) {
            return Poll::Ready(Err(error));
        }
        let Stage::Sent(id) = self.stage else { return Poll::Pending };
        let Poll::Ready(answer) = self.lasp.port().poll_answer(cx, id) else { return Poll::Pending };
        self.stage = Stage::Over;
        Poll::Ready(answer.and_then(|answer| (self.read)(&self.lasp, id, answer)))
    }
}

impl<T> Drop for Ask<T> {
    fn drop(&mut self) {
        if let Stage::Sent(id) = self.stage {
            self.lasp.port().abandon(id, self.withdraw);
        }
    }
}

impl<T> fmt::Debug for Ask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::Unsent(_) => "unsent",
            Stage::Failed(_) => "failed",
            Stage::Sent(_) => "sent",
            Stage::Over => "over",
        };
        f.debug_struct("Ask").field("stage", &stage).finish()
    }
}

/// The values of a variable as they change. A slow reader skips values, never the last one. Dropping it ends the watch.
#[derive(Debug)]
pub struct Watch {
    lasp: Lasp,
    id: RequestId,
}

impl Watch {
    pub(super) fn started(lasp: &Lasp, id: RequestId, answer: Answer) -> Result<Self, Error> {
        done(lasp, id, answer)?;
        Ok(Self { lasp: lasp.clone(), id })
    }

    /// The next value; `None` once the node has stopped.
    pub async fn next(&mut self) -> Option<Output> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`next`](Self::next), for those who write futures by hand.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Output>> {
        self.lasp.port().poll_changed(cx, self.id)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.lasp.port().abandon(self.id, true);
    }
}

// ---- what answers mean ----

pub(super) fn done(_: &Lasp, _: RequestId, answer: Answer) -> Result<(), Error> {
    match answer {
        Answer::Reply(Reply::Done | Reply::Slept | Reply::Bound(_)) => Ok(()),
        other => Err(mismatch(&other)),
    }
}

pub(super) fn output(_: &Lasp, _: RequestId, answer: Answer) -> Result<Output, Error> {
    match answer {
        Answer::Reply(Reply::Output(output)) => Ok(output),
        other => Err(mismatch(&other)),
    }
}

pub(super) fn truth(_: &Lasp, _: RequestId, answer: Answer) -> Result<bool, Error> {
    match answer {
        Answer::Reply(Reply::Bool(yes) | Reply::Bound(yes)) => Ok(yes),
        other => Err(mismatch(&other)),
    }
}

/// A node answers each request with its own kind of reply; another one would be a bug in the node.
pub(super) fn mismatch(answer: &Answer) -> Error {
    match answer {
        Answer::Reply(reply) => unreachable!("{reply:?} answers another request"),
        Answer::Seen(_) => unreachable!("a look answers another request"),
    }
}
