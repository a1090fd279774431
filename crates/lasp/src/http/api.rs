//! The routes, and their OpenAPI description, generated from the handlers.

use super::input::{MAX_BODY, json};
use super::model::Problem;
use super::refusals::Refusals;
use super::{Shared, cluster, flow, guard, origins, page, prometheus, stream, variables, world};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode, Uri, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::sync::Arc;
use utoipa::OpenApi;

/// What a node serves over HTTP.
#[derive(OpenApi)]
#[openapi(
    info(title = "Lasp node", description = "A running node: its neighbourhood, variables and counts."),
    modifiers(&Refusals),
    paths(
        health,
        prometheus::metrics,
        cluster::status,
        cluster::members,
        cluster::links,
        cluster::tree,
        cluster::overlay,
        cluster::programs,
        cluster::events,
        cluster::statistics,
        variables::variables,
        variables::one,
        variables::value,
        variables::update,
        origins::origins,
        flow::dataflow,
        stream::stream,
        world::world,
        world::act,
    )
)]
struct Description;

/// The API's OpenAPI description, as JSON.
pub fn description() -> String {
    Description::openapi().to_json().unwrap_or_default() // plain data
}

/// Whether the node is there.
#[utoipa::path(get, path = "/healthz", responses((status = 200, content_type = "text/plain", body = String)))]
async fn health() -> &'static str {
    "ok\n"
}

async fn openapi() -> Response {
    json(description().into_bytes())
}

/// All routes.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/metrics", get(prometheus::metrics))
        .route("/api/v1/openapi.json", get(openapi))
        .route("/api/v1/status", get(cluster::status))
        .route("/api/v1/members", get(cluster::members))
        .route("/api/v1/links", get(cluster::links))
        .route("/api/v1/tree", get(cluster::tree))
        .route("/api/v1/overlay", get(cluster::overlay))
        .route("/api/v1/programs", get(cluster::programs))
        .route("/api/v1/events", get(cluster::events))
        .route("/api/v1/statistics", get(cluster::statistics))
        .route("/api/v1/variables", get(variables::variables))
        .route("/api/v1/variables/{name}", get(variables::one))
        .route("/api/v1/variables/{name}/value", get(variables::value))
        .route("/api/v1/variables/{name}/origins", get(origins::origins))
        .route("/api/v1/variables/{name}/update", post(variables::update))
        .route("/api/v1/dataflow", get(flow::dataflow))
        .route("/api/v1/stream", get(stream::stream))
        .route("/api/v1/world", get(world::world).post(world::act))
        .fallback(elsewhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(shared.clone(), guard::check))
        .with_state(shared)
}

async fn elsewhere(method: Method, uri: Uri) -> Response {
    if method == Method::GET || method == Method::HEAD {
        return page::file(uri).await;
    }
    Problem::not_found(format!("nothing is at {}", uri.path())).into_response()
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let allow = match uri.path() {
        "/api/v1/world" => "GET, HEAD, POST",
        path if path.ends_with("/update") => "POST",
        _ => "GET, HEAD",
    };
    let detail = format!("{} takes {allow}, not {method}", uri.path());
    let mut response = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response();
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(allow));
    response
}
