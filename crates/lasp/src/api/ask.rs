//! The future of one request, and the stream of a watch.

use super::handle::Lasp;
use super::life::Anchor;
use crate::error::Error;
use crate::host::port::{Answer, End, Submission};
use lasp_dataflow::{FromValueError, Output, Target};
use lasp_node::{Acknowledgement, Reply, Request, RequestId, SessionToken};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// A request to the node, and the future of its answer.
///
/// Nothing happens before it is first polled; requests are handled in the order of their first polls. To have many
/// under way at once, [`queue`](Self::queue) each, keep what that gives, and await the answers later. Dropping it
/// withdraws a wait (`read`, `read_any`, `wait_needed`, `sleep`, `watch`, `enforce_once`, `send`, an update's for
/// acknowledgements) at the node, and ends a derivation that nobody
/// will ever have a handle to; anything else that was sent takes its course.
#[must_use = "a request is sent when it is awaited"]
pub struct Ask<T> {
    anchor: Anchor,
    stage: Stage,
    /// What the node should do when this is dropped before its answer.
    end: End,
    read: fn(&Anchor, RequestId, Answer) -> Result<T, Error>,
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
        read: fn(&Anchor, RequestId, Answer) -> Result<T, Error>,
    ) -> Self {
        Self::anchored(Anchor::new(lasp), request, read)
    }

    /// The node that is asked.
    pub(super) fn lasp(&self) -> &Lasp {
        self.anchor.lasp()
    }

    /// A request that keeps derivations going while it is under way.
    pub(super) fn anchored(
        anchor: Anchor,
        request: Request,
        read: fn(&Anchor, RequestId, Answer) -> Result<T, Error>,
    ) -> Self {
        let end = match request {
            Request::Read { .. }
            | Request::ReadAny(_)
            | Request::WaitNeeded { .. }
            | Request::Watch(_)
            | Request::Notice(_)
            | Request::Sleep(_)
            | Request::Enforce { .. }
            | Request::UpdateAcknowledged { .. }
            | Request::Enter { .. }
            | Request::Send { .. }
            | Request::Survey { .. }
            | Request::Receive => End::Cancel,
            Request::Compose { into: Target::Local(None) | Target::Into(_), .. } => End::Undo,
            _ => End::Forget,
        };
        Self { anchor, stage: Stage::Unsent(Some(Submission::Request(Box::new(request)))), end, read }
    }

    pub(super) fn failed(lasp: &Lasp, error: impl Into<Error>) -> Self {
        let read = |_: &Anchor, _, answer| Err(mismatch(&answer));
        Self { anchor: Anchor::new(lasp), stage: Stage::Failed(error.into()), end: End::Forget, read }
    }

    /// Gives up after so long, in the node's time: then the error is [`Error::TimedOut`], and a wait is withdrawn.
    ///
    /// ```no_run
    /// # use lasp::AtLeast;
    /// # use std::time::Duration;
    /// # async fn example(views: lasp::GCounter) -> Result<(), lasp::Error> {
    /// let enough = views.read(AtLeast(50_000)).timeout(Duration::from_secs(5)).await;
    /// assert!(matches!(enough, Ok(50_000..) | Err(lasp::Error::TimedOut(_))));
    /// # Ok(()) }
    /// ```
    pub fn timeout(self, after: Duration) -> Timeout<T> {
        let sleep = self.anchor.lasp().sleep(after);
        Timeout { ask: self, sleep, after }
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
            Stage::Unsent(submission) => match self.anchor.port().poll_submit(cx, submission) {
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

impl<T> Ask<T> {
    /// The same update, made in a session.
    ///
    /// # Errors
    /// [`Error::NoUpdate`], or why the update cannot be made.
    pub(super) fn in_session(mut self, token: &SessionToken) -> Result<Ask<(Acknowledgement, SessionToken)>, Error> {
        let session = Some(Box::new(token.clone()));
        let request = match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Unsent(Some(Submission::Request(request))) => *request,
            Stage::Failed(error) => return Err(error),
            _ => return Err(Error::NoUpdate),
        };
        let request = match request {
            Request::Update { var, op } => {
                Request::UpdateAcknowledged { var, op, by: 0, within: Duration::ZERO, session }
            }
            Request::UpdateAcknowledged { var, op, by, within, .. } => {
                Request::UpdateAcknowledged { var, op, by, within, session }
            }
            _ => return Err(Error::NoUpdate),
        };
        Ok(Ask::anchored(self.anchor.clone(), request, |_, _, answer| match answer {
            Answer::Reply(Reply::Acknowledged { acknowledgement, session: Some(session) }) => {
                Ok((acknowledgement, *session))
            }
            other => Err(mismatch(&other)),
        }))
    }
}

impl<T: Send + 'static> Ask<T> {
    pub(super) fn look(lasp: &Lasp, look: impl FnOnce(&lasp_node::Node) -> T + Send + 'static) -> Self {
        let look = Submission::Look(Box::new(move |node| Box::new(look(node))));
        let read = |_: &Anchor, _, answer| match answer {
            Answer::Seen(seen) => match seen.downcast() {
                Ok(seen) => Ok(*seen),
                Err(seen) => Err(mismatch(&Answer::Seen(seen))),
            },
            reply => Err(mismatch(&reply)),
        };
        Self { anchor: Anchor::new(lasp), stage: Stage::Unsent(Some(look)), end: End::Forget, read }
    }
}

impl<T> Future for Ask<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(Err(error)) = self.poll_send(cx) {
            return Poll::Ready(Err(error));
        }
        let Stage::Sent(id) = self.stage else { return Poll::Pending };
        let Poll::Ready(answer) = self.anchor.port().poll_answer(cx, id) else { return Poll::Pending };
        self.stage = Stage::Over;
        Poll::Ready(answer.and_then(|answer| (self.read)(&self.anchor, id, answer)))
    }
}

impl<T> Drop for Ask<T> {
    fn drop(&mut self) {
        if let Stage::Sent(id) = self.stage {
            self.anchor.port().abandon(id, self.end);
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

/// A request with a limit of time; see [`Ask::timeout`].
#[must_use = "a request is sent when it is awaited"]
#[derive(Debug)]
pub struct Timeout<T> {
    ask: Ask<T>,
    sleep: Ask<()>,
    after: Duration,
}

impl<T> Future for Timeout<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(answer) = Pin::new(&mut self.ask).poll(cx) {
            return Poll::Ready(answer);
        }
        Pin::new(&mut self.sleep).poll(cx).map(|slept| Err(slept.err().unwrap_or(Error::TimedOut(self.after))))
    }
}

/// The values of a variable as they change, from when the watch began. A slow reader skips values, never the last one.
/// Dropping it ends the watch at the node.
#[must_use = "dropping a watch ends it"]
pub struct Watch<V = Output> {
    anchor: Anchor,
    id: RequestId,
    read: fn(&Output) -> Result<V, FromValueError>,
}

impl<V> Watch<V> {
    pub(super) fn started(
        anchor: &Anchor,
        id: RequestId,
        answer: Answer,
        read: fn(&Output) -> Result<V, FromValueError>,
    ) -> Result<Self, Error> {
        done(anchor, id, answer)?;
        Ok(Self { anchor: anchor.clone(), id, read })
    }

    /// The next value; `None` once the node has stopped. Nothing is lost if this future is dropped.
    ///
    /// # Errors
    /// [`Error::Value`] where another program has put something else there; later values may be good again.
    pub async fn next(&mut self) -> Result<Option<V>, Error> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`next`](Self::next), for those who write futures and streams by hand.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<V>, Error>> {
        let output = self.anchor.port().poll_changed(cx, self.id);
        output.map(|output| Ok(output.as_ref().map(self.read).transpose()?))
    }
}

impl Watch<()> {
    /// As [`Self::started`], of changes without their values.
    pub(super) fn noticing(anchor: &Anchor, id: RequestId, answer: Answer) -> Result<Self, Error> {
        Self::started(anchor, id, answer, |_| Ok(()))
    }
}

impl<V> Drop for Watch<V> {
    fn drop(&mut self) {
        self.anchor.port().abandon(self.id, End::Cancel);
    }
}

impl<V> fmt::Debug for Watch<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("id", &self.id).finish_non_exhaustive()
    }
}

// ---- what answers mean ----

pub(super) fn done(_: &Anchor, _: RequestId, answer: Answer) -> Result<(), Error> {
    match answer {
        Answer::Reply(Reply::Done | Reply::Slept | Reply::Bound(_) | Reply::Derived { .. }) => Ok(()),
        other => Err(mismatch(&other)),
    }
}

pub(super) fn output(_: &Anchor, _: RequestId, answer: Answer) -> Result<Output, Error> {
    match answer {
        Answer::Reply(Reply::Output(output)) => Ok(output),
        other => Err(mismatch(&other)),
    }
}

pub(super) fn truth(_: &Anchor, _: RequestId, answer: Answer) -> Result<bool, Error> {
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
