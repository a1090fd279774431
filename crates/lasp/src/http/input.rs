//! What a request brings along, checked: parameters of the query, bodies, names in paths; and answers as JSON.

use super::model::Problem;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Largest body, in bytes: an operation is a line, a page at most.
pub(super) const MAX_BODY: usize = 256 * 1024;

/// Parameters of the query.
pub(super) struct Params<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => Err(Problem::bad(rejection.body_text())),
        }
    }
}

/// The one parameter of a path: a variable's name.
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let wrong = || Problem::bad("the name in the path is not UTF-8 behind its percent signs");
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| wrong())?;
        params.iter().next().map(|(_, name)| Self(name.to_owned())).ok_or_else(wrong)
    }
}

/// A body of JSON.
pub(super) struct Json<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
        if kind.split(';').next().map(str::trim) != Some("application/json") {
            let detail = format!("a body of application/json is expected, not of {kind:?}");
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let body = Bytes::from_request(request, state).await.map_err(|rejection: BytesRejection| {
            match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => {
                    let detail = format!("the body has more than {MAX_BODY} bytes");
                    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
                }
                status => Problem::new(status, rejection.body_text()),
            }
        })?;
        serde_json::from_slice(&body).map(Self).map_err(|error| Problem::bad(format!("the body: {error}")))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => json(body),
            Err(error) => Problem::unavailable(error.to_string()).into_response(),
        }
    }
}

/// A response of JSON that is written already.
pub(super) fn json(body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
