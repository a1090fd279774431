//! Who may ask what.
//!
//! Whoever serves this machine alone answers requests that name this machine: a page of another site that has its name lead
//! here (DNS rebinding) is turned away by the name it asks for. Beyond this machine a token is wanted, as `Authorization:
//! Bearer` or as the cookie that `/?token=` leaves. What changes something must come from the page itself or from no page
//! at all (`Origin`, `Sec-Fetch-Site`).

use super::Shared;
use super::model::Problem;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;

/// The cookie that holds a token.
const COOKIE: &str = "lasp_token";

/// What may be asked without a token.
pub(super) const FREE: &str = "/healthz";

/// Who may ask.
#[derive(Debug)]
pub(super) struct Guard {
    token: Option<String>,
    open: bool,
}

impl Guard {
    pub(super) const fn new(token: Option<String>, open: bool) -> Self {
        Self { token, open }
    }

    fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let host = text(headers, header::HOST).or_else(|| uri.authority().map(|authority| authority.as_str()));
        if self.token.is_none() && !self.open && !host.is_some_and(names_this_machine) {
            let detail = format!("this node answers to localhost, not to {:?}", host.unwrap_or(""));
            return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, detail));
        }
        if let Some(token) = &self.token
            && uri.path() != FREE
            && !presented(headers).is_some_and(|given| same(given, token))
        {
            let problem = Problem::new(StatusCode::UNAUTHORIZED, "this node asks for its token");
            return Err(problem.hint("send it as `Authorization: Bearer TOKEN`, or open /?token=TOKEN"));
        }
        if !method.is_safe() && !is_from_here(headers, host) {
            let detail = "pages of other sites may not change anything here";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        Ok(())
    }

    /// The token in `/?token=`, if it is the right one.
    fn login(&self, uri: &Uri) -> Option<&str> {
        let token = self.token.as_deref()?;
        let given = uri.query()?.split('&').find_map(|pair| pair.strip_prefix("token="))?;
        (uri.path() == "/" && same(given, token)).then_some(token)
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Whether a host is an address or localhost: names that nobody else can have lead here.
fn names_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or(""),
    };
    let local = name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost");
    local || name.parse::<IpAddr>().is_ok()
}

fn presented(headers: &HeaderMap) -> Option<&str> {
    let bearer = text(headers, header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    bearer.or_else(|| {
        let cookies = text(headers, header::COOKIE)?.split(';');
        cookies.filter_map(|cookie| cookie.trim().split_once('=')).find(|(name, _)| *name == COOKIE).map(|(_, it)| it)
    })
}

/// Whether two texts are the same, in a time that tells nothing but their lengths.
fn same(a: &str, b: &str) -> bool {
    let difference = a.bytes().zip(b.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    a.len() == b.len() && difference == 0
}

/// Whether no page, or the page that this node serves, is behind a request.
fn is_from_here(headers: &HeaderMap, host: Option<&str>) -> bool {
    let site = text(headers, header::HeaderName::from_static("sec-fetch-site"));
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        return false;
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && origin == host
}

/// Lets a request through or refuses it; says to browsers what this node's pages may do.
pub(super) async fn check(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let guard = &shared.guard;
    if let Some(token) = guard.login(request.uri()) {
        return logged_in(token);
    }
    let mut response = match guard.check(request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn logged_in(token: &str) -> Response {
    let cookie = HeaderValue::from_str(&format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/"));
    let Ok(cookie) = cookie else {
        return Problem::bad("the token cannot be a cookie; send it as a header").into_response();
    };
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn verdict(guard: &Guard, method: &Method, path: &str, headers: &[(&str, &str)]) -> u16 {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(header::HeaderName::try_from(*name).expect("a name"), value.parse().expect("a value"));
        }
        guard.check(method, &path.parse().expect("a path"), &map).err().map_or(200, |problem| problem.status)
    }

    #[test]
    fn a_name_that_somebody_else_can_have_is_turned_away() {
        let guard = Guard::new(None, false);
        let get = |host| verdict(&guard, &Method::GET, "/", &[("host", host)]);
        let ours = ["localhost", "localhost:80", "LOCALHOST:1", "a.localhost:1", "127.0.0.1:9", "[::1]:9", "10.0.0.7"];
        assert!(ours.iter().all(|host| get(host) == 200));
        assert!(
            ["evil.example", "evil.example:80", "localhost.evil.example", "", "[::1"].iter().all(|it| get(it) == 421)
        );
        assert_eq!(verdict(&guard, &Method::GET, "/", &[]), 421);
        assert_eq!(verdict(&Guard::new(None, true), &Method::GET, "/", &[("host", "evil.example")]), 200);
    }

    #[test]
    fn a_token_is_wanted_for_all_but_health() {
        let guard = Guard::new(Some(TOKEN.to_owned()), false);
        let get = |path, name, value: &str| verdict(&guard, &Method::GET, path, &[("host", "a"), (name, value)]);
        assert_eq!(get("/healthz", "accept", "*/*"), 200);
        for (name, value) in
            [("accept", "*/*"), ("authorization", "Bearer 0123456789abcdeg"), ("cookie", "lasp_token=")]
        {
            assert_eq!(get("/api/v1/status", name, value), 401, "{value}");
        }
        assert_eq!(get("/", "authorization", &format!("Bearer {TOKEN}")), 200);
        assert_eq!(get("/", "cookie", &format!("a=b; lasp_token={TOKEN}")), 200);
        let login = |uri: &str| guard.login(&uri.parse().expect("a path")).is_some();
        assert!(login(&format!("/?a=b&token={TOKEN}")) && !login("/?token=x") && !login(&format!("/x?token={TOKEN}")));
    }

    #[test]
    fn only_the_page_itself_or_no_page_changes_anything() {
        let guard = Guard::new(None, false);
        let post = |headers: &[(&str, &str)]| {
            let all = [&[("host", "localhost:9")], headers].concat();
            verdict(&guard, &Method::POST, "/", &all)
        };
        assert_eq!(post(&[]), 200);
        assert_eq!(post(&[("origin", "http://localhost:9"), ("sec-fetch-site", "same-origin")]), 200);
        assert_eq!(post(&[("sec-fetch-site", "none")]), 200);
        for origin in ["http://localhost:8", "https://evil.example", "null"] {
            assert_eq!(post(&[("origin", origin)]), 403, "{origin}");
        }
        assert_eq!(post(&[("sec-fetch-site", "cross-site")]), 403);
        assert_eq!(post(&[("sec-fetch-site", "same-site")]), 403);
    }
}
