//! Variables: found, shown by parts, updated.

use super::State;
use super::cluster::{MAX_PART, PART, bounds};
use super::input::{Json, Named, Params};
use super::model::{Done, Problem, Update, ValuePart, ValueWanted, Variable, Variables, Wanted};
use super::origins;
use super::recorder::Recorder;
use super::session::{Token, wait_ms, with_token};
use crate::api::Session;
use crate::control::answers::{NAMES, Seen, elsewhere, page};
use crate::control::protocol::{Style, Terms};
use crate::control::sessions::session;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use lasp_dataflow::Output;
use lasp_lang::show::type_name;
use lasp_node::is_reserved;

/// Variables whose names are looked at for one answer, at most; the next part goes on. A guess: some milliseconds, in many
/// looks.
const MAX_LOOKED: usize = 64 * NAMES;

/// Longest element shown, in bytes.
const MAX_ELEMENT: usize = 4096;

/// Which names are wanted.
fn wants(wanted: &Wanted) -> impl Fn(&str) -> bool + Clone + Send + use<> {
    let prefix = wanted.prefix.clone().unwrap_or_default();
    let part = wanted.q.clone().unwrap_or_default().to_lowercase();
    let all = wanted.all.unwrap_or(false);
    move |name| name.starts_with(&prefix) && holds(name, &part) && (all || !is_reserved(name))
}

/// Whether a name contains a text that is in small letters. Names are looked at by the hundred thousand: of most, nothing is made.
fn holds(name: &str, part: &str) -> bool {
    match name.is_ascii() {
        _ if part.is_empty() => true,
        true => name.as_bytes().windows(part.len()).any(|some| some.eq_ignore_ascii_case(part.as_bytes())),
        false => name.to_lowercase().contains(part),
    }
}

/// The node's variables.
#[utoipa::path(get, path = "/api/v1/variables", params(Wanted),
    responses((status = 200, body = Variables), (status = 400, body = Problem)))]
pub(super) async fn variables(state: State, Params(wanted): Params<Wanted>) -> Result<Json<Variables>, Problem> {
    Ok(Json(variables_of(&state, &wanted).await?))
}

pub(super) async fn variables_of(shared: &super::Shared, wanted: &Wanted) -> Result<Variables, Problem> {
    let limit = wanted.limit.unwrap_or(PART);
    bounds(None, Some(limit), PART, 0)?;
    let from = usize::try_from(wanted.from.unwrap_or(0)).unwrap_or(usize::MAX);
    let (mut at, mut seen, mut ended) = (from, Vec::new(), false);
    while !ended && seen.len() < limit as usize && at - from < MAX_LOOKED {
        let wants = wants(wanted);
        let looked = shared.lasp.inspect(move |node| page(node, wants, at)).await?;
        (at, ended) = (looked.next, looked.ended);
        // What does not fit is looked at again for the next part.
        for (place, one) in looked.seen {
            if seen.len() == limit as usize {
                (at, ended) = (place, false);
                break;
            }
            seen.push(one);
        }
    }
    let total = shared.lasp.inspect(|node| node.graph().vars_count() as u64).await?;
    let recorder = shared.recorder.clone();
    let variables = elsewhere(move || seen.into_iter().map(|seen| variable(seen, &recorder)).collect()).await?;
    Ok(Variables { total, variables, next: (!ended).then_some(at as u64) })
}

/// A variable as it was seen.
pub(super) fn variable(seen: Seen, recorder: &Recorder) -> Variable {
    let digest = seen.digest;
    let changed = origins::changed(&seen);
    let report = seen.report();
    let kind = match (report.local, report.derived) {
        (true, true) => "view",
        (true, false) => "local",
        (false, true) => "derived",
        (false, false) => "replicated",
    };
    let recent = report.recent.iter().map(|error| {
        let place = error.place.as_ref().map(|at| format!(" ({}:{}:{})", at.program, at.line, at.column));
        format!("{} of {}: {}{}", error.operator, error.element, error.message, place.unwrap_or_default())
    });
    Variable {
        kind: kind.to_owned(),
        elements: report.elements,
        bytes: report.bytes,
        digest: digest.map(|digest| format!("{digest:016x}")),
        seen_since_ms: digest.map(|digest| recorder.seen_since(&report.name, digest)),
        changed,
        value: report.value.map(|(text, _)| text),
        errors: report.errors,
        recent: recent.collect(),
        ty: report.ty,
        name: report.name,
    }
}

/// One variable.
#[utoipa::path(get, path = "/api/v1/variables/{name}", params(("name" = String, Path, description = "Its name.")),
    responses((status = 200, body = Variable), (status = 404, body = Problem)))]
pub(super) async fn one(state: State, Named(name): Named) -> Result<Json<Variable>, Problem> {
    let found = state.answers.find(&name).await?;
    let seen = state.lasp.inspect(move |node| Seen::of(node, found.var)).await?;
    let seen = seen.ok_or_else(|| Problem::not_found(format!("variable {name:?} has just gone")))?;
    let recorder = state.recorder.clone();
    Ok(Json(elsewhere(move || variable(seen, &recorder)).await?))
}

/// A part of a variable's value. In a session (`Lasp-Session`, empty to begin one), once the node is as far as the session:
/// 504 where it is not in time. The response's `Lasp-Session` is the session from then on.
#[utoipa::path(get, path = "/api/v1/variables/{name}/value",
    params(("name" = String, Path, description = "Its name."), ValueWanted,
        ("Lasp-Session" = Option<String>, Header, description = "The session; empty for a new one.")),
    responses((status = 200, body = ValuePart, headers(("Lasp-Session" = String, description = "The session."))),
        (status = 400, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 504, body = Problem)))]
pub(super) async fn value(
    state: State,
    Named(name): Named,
    Token(token): Token,
    Params(part): Params<ValueWanted>,
) -> Result<Response, Problem> {
    bounds(part.offset, part.limit, PART, 0)?;
    let mut session = token.map(|token| begun(&token, part.timeout_ms)).transpose()?;
    if let Some(session) = &session {
        state.answers.enter(session).await?;
    }
    let found = state.answers.find(&name).await?;
    let output = match &mut session {
        None => state.lasp.query(found.var).await?,
        Some(session) => state.answers.query_in(&found, session).await?,
    };
    let ty = type_name(&found.ty);
    let value = elsewhere(move || {
        let total = length(&output);
        let (from, to, next) = bounds(part.offset, part.limit, PART, total)?;
        let elements = elements(output, from, to).into_iter().map(shortened).collect();
        Ok::<_, Problem>(Json(ValuePart { name, ty, total: total as u64, elements, next }))
    });
    let value = value.await??.into_response();
    Ok(with_token(value, session.map(|session| session.to_string()).as_deref()))
}

/// The session of a token, which waits so long.
fn begun(token: &str, timeout_ms: Option<u64>) -> Result<Session, Problem> {
    let session = session(token, wait_ms(timeout_ms)?);
    session.map_err(|refused| Problem { hint: refused.hint, ..Problem::bad(refused.message) })
}

fn length(output: &Output) -> usize {
    match output {
        Output::Set(items) | Output::Many(items) => items.len(),
        Output::Map(entries) => entries.len(),
        Output::Graph { vertices, edges } => vertices.len() + edges.len(),
        Output::Unset => 0,
        Output::Value(_) | Output::Pair(..) => 1,
    }
}

fn elements(output: Output, from: usize, to: usize) -> Vec<String> {
    let part = |items: Vec<String>| items;
    let (skip, take) = (from, to - from);
    match output {
        Output::Set(items) | Output::Many(items) => {
            part(items.iter().skip(skip).take(take).map(ToString::to_string).collect())
        }
        Output::Map(entries) => {
            part(entries.iter().skip(skip).take(take).map(|(key, value)| format!("{key} => {value}")).collect())
        }
        Output::Graph { vertices, edges } => {
            let edges = edges.iter().map(|(from, to)| format!("{from} -> {to}"));
            vertices.iter().map(ToString::to_string).chain(edges).skip(skip).take(take).collect()
        }
        Output::Unset => Vec::new(),
        single => std::iter::once(single.to_string()).skip(skip).take(take).collect(),
    }
}

pub(super) fn shortened(mut text: String) -> String {
    if text.len() > MAX_ELEMENT {
        let end = (0..=MAX_ELEMENT).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Applies an operation; done once it is applied here, on its way to the others by then. With `acknowledged_by`, done once
/// so many other nodes hold it; 202 where fewer do in time, and it stays applied and under way. In a session (`Lasp-Session`,
/// empty to begin one), applied once the node is as far as the session: 504 where it is not in time, and nothing is applied.
#[utoipa::path(post, path = "/api/v1/variables/{name}/update",
    params(("name" = String, Path, description = "Its name."),
        ("Lasp-Session" = Option<String>, Header, description = "The session; empty for a new one.")),
    request_body = Update,
    responses((status = 200, body = Done, headers(("Lasp-Session" = String, description = "The session."))),
        (status = 202, body = Done), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem), (status = 504, body = Problem)))]
pub(super) async fn update(
    state: State,
    Named(name): Named,
    Token(token): Token,
    Json(update): Json<Update>,
) -> Result<Response, Problem> {
    let Update { operation, declare, acknowledged_by, timeout_ms } = update;
    let within_ms = wait_ms(timeout_ms)?;
    if let Some(token) = &token {
        begun(token, timeout_ms)?;
    }
    if acknowledged_by == 0 && token.is_none() {
        state.answers.update(&name, operation, declare, Style::default()).await?;
        return Ok(Json(Done { name, acknowledged_by: None }).into_response());
    }
    let terms = Terms { acknowledged_by, within_ms, session: token };
    let report = state.answers.update_on(&name, operation, declare, &terms, Style::default()).await?;
    let status = if report.is_enough() { StatusCode::OK } else { StatusCode::ACCEPTED };
    let by = (acknowledged_by > 0).then_some(report.acknowledged_by);
    let done = (status, Json(Done { name, acknowledged_by: by })).into_response();
    Ok(with_token(done, report.session.as_deref()))
}

const _: () = assert!(PART <= MAX_PART);

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_dataflow::Value;

    #[test]
    fn names_are_wanted_by_prefix_and_part() {
        let wants = |prefix: Option<&str>, q: Option<&str>, all| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            wants(&Wanted { prefix: own(prefix), q: own(q), all, ..Wanted::default() })
        };
        assert!(wants(None, None, None)("ads") && !wants(None, None, None)("~lasp/programs"));
        assert!(wants(None, None, Some(true))("~lasp/programs"));
        assert!(wants(Some("shop/"), Some("ADS"), None)("shop/Ads") && !wants(Some("shop/"), None, None)("ads"));
        assert!(wants(None, Some("ÄPFEL"), None)("rote äpfel") && wants(None, Some("apfel"), None)("APFELBÄUME"));
        assert!(!wants(None, Some("ads and more"), None)("ads") && !wants(None, Some("äpfel"), None)("apfel"));
    }

    #[test]
    fn values_come_by_parts() {
        let set = Output::Set((0..5).map(Value::Int).collect());
        assert_eq!((length(&set), elements(set, 1, 3)), (5, vec!["1".to_owned(), "2".to_owned()]));
        let map = Output::Map(vec![("a".into(), Output::Value(1.into()))]);
        assert_eq!(elements(map, 0, 1), ["\"a\" => 1"]);
        let graph = Output::Graph { vertices: vec![1.into(), 2.into()], edges: vec![(1.into(), 2.into())] };
        assert_eq!((length(&graph), elements(graph, 1, 3)), (3, vec!["2".to_owned(), "1 -> 2".to_owned()]));
        assert_eq!(elements(Output::Unset, 0, 0), [""; 0]);
        assert_eq!(elements(Output::Value(7.into()), 0, 1), ["7"]);
        assert_eq!(shortened("ü".repeat(4000)).chars().count(), 2049);
    }
}
