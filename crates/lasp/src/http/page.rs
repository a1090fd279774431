//! The page's files, as they are in `web/`.

use super::model::Problem;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};

macro_rules! file {
    ($path:literal, $kind:literal) => {
        ($path, $kind, include_bytes!(concat!("../../../../web", $path)).as_slice())
    };
}

const HTML: &[u8] = include_bytes!("../../../../web/index.html");

/// Every file but the first, with its type.
const FILES: &[(&str, &str, &[u8])] = &[
    file!("/style.css", "text/css; charset=utf-8"),
    file!("/main.js", "text/javascript; charset=utf-8"),
    file!("/feed.js", "text/javascript; charset=utf-8"),
    file!("/dom.js", "text/javascript; charset=utf-8"),
    file!("/overlay.js", "text/javascript; charset=utf-8"),
    file!("/graph.js", "text/javascript; charset=utf-8"),
    file!("/layout-worker.js", "text/javascript; charset=utf-8"),
    file!("/variables.js", "text/javascript; charset=utf-8"),
    file!("/forms.js", "text/javascript; charset=utf-8"),
    file!("/dataflow.js", "text/javascript; charset=utf-8"),
    file!("/transmission.js", "text/javascript; charset=utf-8"),
    file!("/events.js", "text/javascript; charset=utf-8"),
    file!("/world.js", "text/javascript; charset=utf-8"),
    file!("/vendor/d3-dispatch.min.js", "text/javascript; charset=utf-8"),
    file!("/vendor/d3-quadtree.min.js", "text/javascript; charset=utf-8"),
    file!("/vendor/d3-timer.min.js", "text/javascript; charset=utf-8"),
    file!("/vendor/d3-force.min.js", "text/javascript; charset=utf-8"),
    file!("/vendor/uPlot.iife.min.js", "text/javascript; charset=utf-8"),
    file!("/vendor/uPlot.min.css", "text/css; charset=utf-8"),
    file!("/vendor/LICENCES.txt", "text/plain; charset=utf-8"),
];

/// A file of the page.
pub(super) async fn file(uri: Uri) -> Response {
    let found = match uri.path() {
        "/" => Some(("text/html; charset=utf-8", HTML)),
        path => FILES.iter().find(|(at, ..)| *at == path).map(|&(_, kind, bytes)| (kind, bytes)),
    };
    let Some((kind, bytes)) = found else {
        return Problem::not_found(format!("nothing is at {}", uri.path())).into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, bytes).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a browser loads before it shows anything.
    #[test]
    fn the_first_load_is_small() {
        let all: usize = FILES.iter().map(|(.., bytes)| bytes.len()).sum();
        assert!(all + HTML.len() <= 400_000, "{all} bytes");
    }

    #[test]
    fn the_page_names_no_file_that_is_not_here() {
        let html = std::str::from_utf8(HTML).expect("UTF-8");
        let named = html.split(['"', '\'']).filter(|text| text.starts_with('/') && text.contains('.'));
        let missing: Vec<&str> = named.filter(|path| !FILES.iter().any(|(at, ..)| at == path)).collect();
        assert_eq!(missing, [""; 0]);
        assert!(html.contains("/main.js"));
    }
}
