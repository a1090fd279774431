//! What happens once in the cluster: whose turn it is, and what is done in it.

use super::ask::{Ask, done, mismatch};
use super::handle::Lasp;
use super::life::Anchor;
use crate::error::Error;
use crate::host::port::Answer;
use lasp_crdt::fingerprint::hash;
use lasp_dataflow::{Op, Threshold, VarId};
use lasp_node::{Reply, Request, RequestId, Token};

/// That it falls to this node to act on behalf of an enforcement.
///
/// What is updated through it counts once, even if another node acts as well. If it is dropped without
/// [`done`](Self::done), another node acts some seconds later.
#[derive(Debug)]
#[must_use = "it is this node's turn to act"]
pub struct Turn {
    lasp: Lasp,
    token: Token,
}

impl Lasp {
    /// Waits until a variable has reached the threshold and it falls to this node to act; `None` once another node has.
    /// `name` is the same on all nodes that are to know it as the same enforcement; one that is done is done for good.
    ///
    /// ```no_run
    /// # async fn example(lasp: lasp::Lasp) -> Result<(), lasp::Error> {
    /// let views = lasp.gcounter("views").await?;
    /// let prizes = lasp.gcounter("prizes").await?;
    /// if let Some(turn) = lasp.enforce_once("prize", views.id(), lasp::AtLeast(100)).await? {
    ///     turn.update(prizes.id(), lasp::Op::Increment(1)).await?;
    ///     turn.done().await?;
    /// }
    /// # Ok(()) }
    /// ```
    pub fn enforce_once(&self, name: &str, var: VarId, threshold: Threshold) -> Ask<Option<Turn>> {
        let token = Token::of("owner", hash(name));
        Ask::request(self, Request::Enforce { token, var, threshold }, turn)
    }
}

fn turn(anchor: &Anchor, _: RequestId, answer: Answer) -> Result<Option<Turn>, Error> {
    match answer {
        Answer::Reply(Reply::Due(token)) => Ok(Some(Turn { lasp: anchor.lasp().clone(), token })),
        Answer::Reply(Reply::Done) => Ok(None),
        other => Err(mismatch(&other)),
    }
}

impl Turn {
    /// Applies an operation on behalf of the enforcement.
    pub fn update(&self, var: VarId, op: Op) -> Ask<()> {
        Ask::request(&self.lasp, Request::Act { token: self.token, var, op }, done)
    }

    /// Says that the action has run.
    pub fn done(self) -> Ask<()> {
        Ask::request(&self.lasp, Request::Acted(self.token), done)
    }
}
