//! Clients that go from node to node: what each has seen comes with its requests, and goes with the answers.

use super::answers::{Answers, Found, failed, value};
use super::protocol::{Refused, Say, Style};
use crate::api::Session;
use crate::error::Error;
use lasp_dataflow::Output;
use lasp_node::RequestError;
use std::time::Duration;

/// What to do where a node is behind a session.
const HINT: &str = "wait longer, ask the node where it was seen, or begin a new session";

/// The session of a token; a new one of an empty text.
///
/// # Errors
/// Why the text is no token.
pub(crate) fn session(token: &str, within_ms: u64) -> Result<Session, Refused> {
    let within = Duration::from_millis(within_ms);
    if token.trim().is_empty() {
        return Ok(Session::new().within(within));
    }
    let session: Result<Session, _> = token.parse();
    let refused = |error: lasp_node::TokenError| Refused::failed(error.to_string()).hint("begin a new session");
    session.map(|session| session.within(within)).map_err(refused)
}

/// Why a request of a session failed.
pub(super) fn failed_in(error: Error) -> Refused {
    let behind = matches!(error, Error::Refused(RequestError::SessionBehind(_)));
    let refused = failed(error);
    if behind { refused.hint(HINT) } else { refused }
}

/// A value as it is told in a session, if there is one: with what that has seen by now.
pub(super) fn in_session(say: Say, session: Option<&Session>) -> Say {
    match (say, session) {
        (Say::Value { ty, text }, Some(session)) => Say::ValueIn { ty, text, session: session.to_string() },
        (say, _) => say,
    }
}

impl Answers {
    pub(super) async fn get_in(&self, name: &str, token: &str, within_ms: u64, style: Style) -> Result<Say, Refused> {
        let mut session = session(token, within_ms)?;
        self.enter(&session).await?;
        let found = self.find(name).await?;
        let output = self.query_in(&found, &mut session).await?;
        Ok(in_session(value(found.ty, output, style).await?, Some(&session)))
    }

    /// Waits until the node is as far as a session.
    pub(crate) async fn enter(&self, session: &Session) -> Result<(), Refused> {
        session.enter(&self.lasp).await.map_err(failed_in)
    }

    /// A value, read in a session.
    pub(crate) async fn query_in(&self, found: &Found, session: &mut Session) -> Result<Output, Refused> {
        session.query(&self.lasp, found.var).await.map_err(failed_in)
    }
}
