//! Sessions in a header: `Lasp-Session` comes with a request and goes with its response.

use super::model::Problem;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;

/// The header.
pub(super) const HEADER: HeaderName = HeaderName::from_static("lasp-session");

/// Longest wait of a request. A guess: proxies do not wait longer.
const MAX_WAIT_MS: u64 = 60_000;

/// How long is waited unless asked otherwise.
const WAIT_MS: u64 = 10_000;

/// The token of the session that a request belongs to, if it belongs to one; empty to begin one.
pub(super) struct Token(pub(super) Option<String>);

impl<S: Sync> FromRequestParts<S> for Token {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(HEADER) else { return Ok(Self(None)) };
        let text = value.to_str().map_err(|_| Problem::bad("Lasp-Session is no token of a node"))?;
        Ok(Self(Some(text.trim().to_owned())))
    }
}

/// How long a request is to wait, in milliseconds.
///
/// # Errors
/// Too long.
pub(super) fn wait_ms(asked: Option<u64>) -> Result<u64, Problem> {
    match asked.unwrap_or(WAIT_MS) {
        ms if ms <= MAX_WAIT_MS => Ok(ms),
        ms => Err(Problem::bad(format!("timeout_ms is {ms}; it must be at most {MAX_WAIT_MS}"))),
    }
}

/// A response that says what the session has seen by then.
pub(super) fn with_token(mut response: Response, token: Option<&str>) -> Response {
    if let Some(value) = token.and_then(|token| HeaderValue::from_str(token).ok()) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}
