//! Refusals as JSON problem descriptions (RFC 9457).

use super::model::Problem;
use crate::control::protocol::Refused;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

impl Problem {
    /// A refusal; nothing was changed.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            hint: None,
        }
    }

    /// With what to do about it.
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// The node has stopped, or could not do it.
    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }
}

/// What the node refuses is somebody's mistake, unless the node is going.
impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let status = match refused.rejected {
            true => StatusCode::UNPROCESSABLE_ENTITY,
            false if refused.message.contains("has no variable") => StatusCode::NOT_FOUND,
            false if refused.message.starts_with("what the session has seen of") => StatusCode::GATEWAY_TIMEOUT,
            false => StatusCode::CONFLICT,
        };
        Self { hint: refused.hint, ..Self::new(status, refused.message) }
    }
}

impl From<crate::Error> for Problem {
    fn from(error: crate::Error) -> Self {
        match error {
            crate::Error::Stopped(_) => Self::unavailable(error.to_string()),
            error => Self::new(StatusCode::CONFLICT, error.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default(); // plain strings and numbers
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
