//! The API beside its own description: requests made from the description that the node serves, good ones and bad ones. Every
//! answer has a status, a kind and a body that the description knows; what is refused is told as a problem and changes nothing.
//!
//! A gate's worth unless `LASP_HTTP_REQUESTS` says how many; `LASP_HTTP_SEED` makes others, and a failure names the number of
//! its request.

mod requests;
mod schema;

use super::http::{Got, get, serve};
use lasp::http::{Action, World, WorldState, serve_world};
use lasp::{Lasp, Settings};
use requests::{Flaw, Random, Request};
use schema::Schemas;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Requests in the gate: a second.
const REQUESTS: u64 = 1500;

/// Nothing here takes this long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// A simulated world that counts what is done to it, and refuses half of it.
#[derive(Debug, Default)]
struct Counting(AtomicU64);

impl World for Counting {
    fn records(&self, _wide: bool) -> Vec<lasp_overlay::survey::Record> {
        Vec::new()
    }

    fn state(&self) -> WorldState {
        WorldState {
            running: true,
            speed: 1.0,
            reached: 0.9,
            time_ms: 1,
            seed: 1,
            nodes: 1,
            up: 1,
            cut: false,
            churn: 0.0,
            updates: 2.0,
        }
    }

    fn act(&self, action: Action) -> Result<(), String> {
        if matches!(action, Action::Revive {} | Action::Heal {}) {
            return Err("nothing is broken".to_owned());
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// All that a request could have changed.
async fn state(lasp: &Lasp, world: &Counting) -> (u64, u64, usize, u64) {
    let status = lasp.status().await.expect("it runs");
    let variables = lasp.inspect(|node| node.graph().vars().count()).await.expect("it runs");
    (status.fingerprint, status.metrics.updates, variables, world.0.load(Ordering::Relaxed))
}

/// The answer; of a stream, which does not end, its head.
async fn ask(addr: &str, request: &Request) -> Got {
    let mut stream = TcpStream::connect(addr).await.expect("it listens");
    let text = format!("{} {} HTTP/1.1\r\n{}\r\n", request.method, request.target, request.headers);
    stream.write_all(text.as_bytes()).await.expect("it reads");
    // A body that is refused is perhaps not read to its end.
    let _ = stream.write_all(request.body.as_bytes()).await;
    let mut bytes = Vec::new();
    let read = async {
        loop {
            let so_far = bytes.windows(4).position(|window| window == b"\r\n\r\n");
            if so_far.is_some_and(|at| String::from_utf8_lossy(&bytes[..at]).contains("text/event-stream")) {
                return;
            }
            match stream.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    };
    timeout(PATIENCE, read).await.unwrap_or_else(|_| panic!("no answer to {} {}", request.method, request.target));
    Got::read(&bytes)
}

/// What is wrong with an answer, if anything.
fn judge(schemas: &Schemas<'_>, operation: &Json, request: &Request, got: &Got) -> Result<(), String> {
    let kind = got.head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or("");
    if let Some(expected) = request.flaw.status().filter(|expected| *expected != got.status) {
        return Err(format!("{expected} is the answer to this"));
    }
    if !got.head.contains("x-content-type-options: nosniff") {
        return Err("the guard has not seen it".to_owned());
    }
    if request.is_of_another_method {
        // The description says nothing of other methods; HTTP and the guard do.
        let body = serde_json::from_str(&got.body).map_err(|error| error.to_string())?;
        let is_told = match got.status {
            405 => got.head.contains("\r\nallow: "),
            403 | 421 => request.flaw == Flaw::Any,
            _ => false,
        };
        return match is_told && kind == "application/problem+json" {
            true => schemas.check(&schemas.0["components"]["schemas"]["Problem"], &body, "body"),
            false => Err("405 says what is allowed, as a problem".to_owned()),
        };
    }
    let described = operation["responses"].get(got.status.to_string()).ok_or("the description has no such status")?;
    let content = described["content"].as_object().ok_or("the description has no body for this")?;
    let (_, content) = content
        .iter()
        .find(|(described, _)| kind.split(';').next() == Some(described))
        .ok_or_else(|| format!("{kind} is not of the description"))?;
    if !kind.contains("json") {
        return Ok(()); // plain text, or a stream
    }
    let body: Json = serde_json::from_str(&got.body).map_err(|error| error.to_string())?;
    if got.status >= 400 && body["status"] != got.status {
        return Err("the problem says another status".to_owned());
    }
    schemas.check(&content["schema"], &body, "body")
}

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{variable}: {text:?}")))
}

#[tokio::test]
async fn requests_are_answered_as_the_description_says() {
    let (count, seed) = (number("LASP_HTTP_REQUESTS", REQUESTS), number("LASP_HTTP_SEED", 1));
    let a = serve("a", &[]).await;
    a.lasp.set::<i64>("ads").await.expect("declared").add(1).await.expect("added");
    a.lasp.declare("clicks", lasp::Type::GCounter).await.expect("declared");
    let world = Arc::new(Counting::default());
    let simulated = serve_world(&Settings::default(), &a.lasp, "hyparview", world.clone()).await.expect("it serves");
    let hosts = [a.addr.clone(), simulated.to_string()];

    let description = get(&a.addr, "/api/v1/openapi.json").await.json();
    assert_eq!(description, serde_json::from_str::<Json>(&lasp::http::description()).expect("JSON"));
    let schemas = Schemas(&description);
    let operations: Vec<(&str, &str, &Json)> = description["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().into_iter().flatten().map(move |(method, it)| (path.as_str(), method.as_str(), it))
        })
        .collect();
    let mut statuses = BTreeMap::<u16, u64>::new();
    let mut before = state(&a.lasp, &world).await;
    for number in 0..count {
        // Each from its own seed, so that any of them can be made again alone.
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9).wrapping_add(number));
        let (path, method, operation) = operations[(number % operations.len() as u64) as usize];
        let host = &hosts[(number / operations.len() as u64 % 2) as usize];
        let request = requests::request(&mut random, &schemas, (path, method), operation, host);
        let got = ask(host, &request).await;
        *statuses.entry(got.status).or_default() += 1;
        let told = |why: &str| {
            let body: String = request.body.chars().take(300).collect();
            let answer: String = got.body.chars().take(500).collect();
            let (flaw, method, target, headers) = (request.flaw, &request.method, &request.target, &request.headers);
            format!(
                "request {number} of seed {seed} ({flaw:?}): {why}\n{method} {target}\n{headers}\n{body}\n-> {}\n{answer}",
                got.head
            )
        };
        if let Err(why) = judge(&schemas, operation, &request, &got) {
            panic!("{}", told(&why));
        }
        let after = state(&a.lasp, &world).await;
        if got.status >= 400 || request.method == "GET" {
            assert_eq!(before, after, "{}", told("it has changed something"));
        }
        before = after;
    }
    println!("{count} requests: {statuses:?}");
    if count >= REQUESTS {
        let seen: Vec<u16> = statuses.keys().copied().collect();
        for status in [200, 400, 403, 404, 405, 409, 413, 415, 421, 422] {
            assert!(seen.contains(&status), "none was answered with {status}: {statuses:?}");
        }
    }
    assert_eq!(get(&a.addr, "/healthz").await.status, 200);
}
