//! What requests are refused for, in the API's description: what the guard and the reading of parameters and bodies refuse
//! anywhere, beside what handlers say of themselves; and all of it as problem descriptions.

use super::guard::FREE;
use axum::http::StatusCode;
use utoipa::Modify;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, Response, ResponseBuilder};

/// Adds them to a description.
pub(super) struct Refusals;

impl Modify for Refusals {
    fn modify(&self, openapi: &mut OpenApi) {
        for (path, item) in &mut openapi.paths.paths {
            for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
                add(operation, path);
            }
        }
    }
}

fn add(operation: &mut Operation, path: &str) {
    let has_body = operation.request_body.is_some();
    let has_input = has_body || operation.parameters.as_ref().is_some_and(|all| !all.is_empty());
    let refusals = [
        (StatusCode::BAD_REQUEST, has_input),
        (StatusCode::UNAUTHORIZED, path != FREE),
        (StatusCode::FORBIDDEN, has_body),
        (StatusCode::PAYLOAD_TOO_LARGE, has_body),
        (StatusCode::MISDIRECTED_REQUEST, true),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, has_body),
        (StatusCode::SERVICE_UNAVAILABLE, path != FREE),
    ];
    let responses = &mut operation.responses.responses;
    let own: Vec<StatusCode> = responses.keys().filter_map(|code| code.parse().ok()).collect();
    let common = refusals.into_iter().filter(|(_, may_be)| *may_be).map(|(status, _)| status);
    for status in own.into_iter().filter(|status| !status.is_success()).chain(common) {
        responses.insert(status.as_str().to_owned(), problem(status).into());
    }
}

fn problem(status: StatusCode) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let description = status.canonical_reason().unwrap_or("Refused");
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}
