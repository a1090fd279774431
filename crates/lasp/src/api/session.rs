//! Sessions: whoever goes from node to node finds what he has written and read.

use super::ask::{Ask, done, mismatch};
use super::handle::Lasp;
use super::kind::Kind;
use super::variable::Var;
use crate::error::Error;
use crate::host::port::Answer;
use lasp_dataflow::{Output, VarId};
use lasp_node::{Acknowledgement, Reply, Request, SessionToken, TokenError};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How long a node may take to come as far as a session has seen, unless told otherwise. A guess.
const WITHIN: Duration = Duration::from_secs(10);

/// One who reads and writes at one node after the other, and is shown at each what he has written (read-your-writes), and
/// nothing older than what he has been shown (monotonic reads): Terry et al., "Session Guarantees for Weakly Consistent
/// Replicated Data", PDIS 1994. What a node does not have yet is waited for; updates wait, too, so each is made at a node
/// that knows what the session knew.
///
/// It is a token of a few hundred bytes, at most 5,462, that travels with whoever it is about: as text by [`Display`](fmt::Display)
/// and [`FromStr`], in a header or a file. What one holds at a time it borrows exclusively: a session is one thing after the
/// other.
///
/// ```
/// use lasp::{Lasp, Session};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let a = Lasp::builder().cluster("session").listen("127.0.0.1:0").start().await?;
/// # let contact = a.me().await?.addr;
/// # let b = Lasp::builder().cluster("session").listen("127.0.0.1:0").join([contact.as_str()]).start().await?;
/// let mut session = Session::new();
/// session.update(a.set::<i64>("orders").await?.add(4711)).await?;
/// let text = session.to_string(); // a cookie, a header
///
/// let mut session: Session = text.parse()?;
/// let orders = session.value(&b.set::<i64>("orders").await?).await?; // at another node, at once
/// assert_eq!(orders, [4711]);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    token: SessionToken,
    within: Duration,
}

impl Default for Session {
    fn default() -> Self {
        Self { token: SessionToken::default(), within: WITHIN }
    }
}

impl Session {
    /// One that has seen nothing. Nodes may take 10 s to come as far as it will have seen.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with another limit of time for that.
    #[must_use]
    pub fn within(self, within: Duration) -> Self {
        Self { within, ..self }
    }

    /// What it has seen.
    pub const fn token(&self) -> &SessionToken {
        &self.token
    }

    /// Waits until a node is as far as this has seen, in the variables that the node hears. [`value`](Self::value) and
    /// [`update`](Self::update) do so by themselves.
    ///
    /// # Errors
    /// [`RequestError::SessionBehind`](crate::RequestError::SessionBehind): it is not, in time; what is missing, and where that was seen.
    pub async fn enter(&self, lasp: &Lasp) -> Result<(), Error> {
        if self.token.is_empty() {
            return Ok(());
        }
        let (session, within) = (Box::new(self.token.clone()), self.within);
        Ask::request(lasp, Request::Enter { session, within }, done).await
    }

    /// The value of a variable, at its node.
    ///
    /// # Errors
    /// As [`enter`](Self::enter); or the session has no room for another variable.
    pub async fn value<K: Kind>(&mut self, var: &Var<K>) -> Result<K::Value, Error> {
        let output = self.query(var.lasp(), var.id()).await?;
        var.read_output(&output)
    }

    /// The value of an untyped variable.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub async fn query(&mut self, lasp: &Lasp, var: VarId) -> Result<Output, Error> {
        self.enter(lasp).await?;
        let session = Box::new(self.token.clone());
        let noted = Ask::request(lasp, Request::QueryIn { var, session }, |_, _, answer| match answer {
            Answer::Reply(Reply::Noted { output, session }) => Ok((output, session)),
            other => Err(mismatch(&other)),
        });
        let (output, token) = noted.await?;
        self.token = *token;
        Ok(output)
    }

    /// Makes an update: any that a variable offers, also through [`acknowledged_by`](Var::acknowledged_by).
    ///
    /// # Errors
    /// As [`value`](Self::value), and nothing is updated then; [`Error::NoUpdate`]; [`Error::Unacknowledged`], where the update is
    /// made and seen.
    pub async fn update(&mut self, update: Ask<()>) -> Result<(), Error> {
        let told = self.acknowledged(update).await?;
        if told.is_enough() { Ok(()) } else { Err(Error::Unacknowledged(told)) }
    }

    /// Makes an update, of whatever kind: who holds it in the end.
    pub(crate) async fn acknowledged<T>(&mut self, update: Ask<T>) -> Result<Acknowledgement, Error> {
        self.enter(update.lasp()).await?;
        let (acknowledgement, token) = update.in_session(&self.token)?.await?;
        self.token = token;
        Ok(acknowledgement)
    }
}

/// The token's text.
impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.token.fmt(f)
    }
}

impl FromStr for Session {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        Ok(Self { token: text.parse()?, ..Self::default() })
    }
}
