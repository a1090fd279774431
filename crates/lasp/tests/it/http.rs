//! The live view over real sockets: each endpoint, each kind of bad input, and viewers that misbehave.

use lasp::{Lasp, StartError};
use serde_json::Value as Json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Nothing here takes this long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(60);

const TOKEN: &str = "0123456789abcdef0123";

pub(crate) struct Served {
    pub(crate) lasp: Lasp,
    pub(crate) addr: String,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) head: String,
    /// The head as it came; the other is in lower case.
    cased: String,
    pub(crate) body: String,
}

impl Got {
    /// A response as it came.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {text:?}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Self { status, head: head.to_lowercase(), cased: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The detail of a problem description with this status.
    fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.head.contains("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        problem["detail"].as_str().expect("a detail").to_owned()
    }
}

pub(crate) async fn serve(name: &str, join: &[String]) -> Served {
    let builder = Lasp::builder().name(name).cluster("shop").listen("127.0.0.1:0").http("127.0.0.1:0");
    let lasp = builder.join(join.to_vec()).start().await.expect("it starts");
    let addr = lasp.http().expect("it serves").to_string();
    Served { lasp, addr }
}

async fn raw(addr: &str, request: &str) -> Got {
    let mut stream = TcpStream::connect(addr).await.expect("it listens");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("in time").expect("it answers");
    Got::read(&bytes)
}

async fn request(addr: &str, method: &str, path: &str, headers: &str, body: &str) -> Got {
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n{headers}");
    raw(addr, &format!("{head}content-length: {length}\r\n\r\n{body}")).await
}

pub(crate) async fn get(addr: &str, path: &str) -> Got {
    request(addr, "GET", path, "", "").await
}

const JSON: &str = "content-type: application/json\r\n";

async fn post(addr: &str, path: &str, body: &str) -> Got {
    request(addr, "POST", path, JSON, body).await
}

#[tokio::test]
async fn every_endpoint_tells_what_it_should() {
    let a = serve("a", &[]).await;
    let contact = a.lasp.me().await.expect("it runs").addr.to_string();
    let b = serve("b", &[contact]).await;
    a.lasp.joined().await.expect("joined");
    let ads = a.lasp.set::<i64>("shop/ads").await.expect("declared");
    ads.add_all(0..250).await.expect("added");
    let cheap = lasp::Collection::filter(&ads, |ad| *ad < 5).await.expect("derived");
    assert_eq!(cheap.read(lasp::AtLeast(5)).await.expect("read").len(), 5);
    let (me, other) = (a.lasp.me().await.expect("me").id.to_string(), b.lasp.me().await.expect("b").id.to_string());

    let status = get(&a.addr, "/api/v1/status").await.json();
    assert_eq!((&status["name"], &status["cluster"], &status["active"]), (&"a".into(), &"shop".into(), &1.into()));
    assert_eq!(status["me"]["id"], me.as_str());
    assert!(status["counters"]["updates"].as_u64() >= Some(1));

    let members = get(&a.addr, "/api/v1/members").await.json();
    assert_eq!((&members["total"], &members["members"][0]["id"]), (&1.into(), &other.as_str().into()));
    assert_eq!((&members["members"][0]["active"], &members["members"][0]["standing"]), (&true.into(), &"alive".into()));

    let links = get(&a.addr, "/api/v1/links").await.json();
    assert_eq!(links["links"][0]["id"], other.as_str());
    assert!(links["links"][0]["rtt_us"].as_u64().is_some(), "{links}");

    let tree = get(&a.addr, "/api/v1/tree").await.json();
    let edges = tree["eager"].as_array().map_or(0, Vec::len) + tree["lazy"].as_array().map_or(0, Vec::len);
    assert_eq!((edges, &tree["root"]), (1, &"any".into()));

    let overlay = get(&a.addr, "/api/v1/overlay?wide=true").await.json();
    assert_eq!((&overlay["total"], &overlay["me"]), (&2.into(), &me.as_str().into()));
    let names: Vec<&str> =
        overlay["nodes"].as_array().expect("nodes").iter().filter_map(|n| n["name"].as_str()).collect();
    assert!(names.contains(&"a") && names.contains(&"b"));
    assert!(overlay["nodes"].as_array().expect("nodes").iter().all(|node| node["state"] == "up"), "{overlay}");

    let variables = get(&a.addr, "/api/v1/variables?q=ADS").await.json();
    let ad = &variables["variables"][0];
    assert_eq!((&ad["name"], &ad["type"], &ad["elements"]), (&"shop/ads".into(), &"set".into(), &250.into()));
    assert!(ad["digest"].as_str().is_some() && ad["seen_since_ms"].as_u64().is_some());
    let one = get(&a.addr, "/api/v1/variables/shop%2Fads").await.json();
    assert_eq!((&one["name"], &one["kind"]), (&"shop/ads".into(), &"replicated".into()));
    let value = get(&a.addr, "/api/v1/variables/shop%2Fads/value?offset=200&limit=30").await.json();
    assert_eq!((&value["total"], &value["next"], &value["elements"][0]), (&250.into(), &230.into(), &"200".into()));
    let last = get(&a.addr, "/api/v1/variables/shop%2Fads/value?offset=240&limit=30").await.json();
    assert_eq!((last["elements"].as_array().map(Vec::len), &last["next"]), (Some(10), &Json::Null));

    let flow = get(&a.addr, "/api/v1/dataflow").await.json();
    assert_eq!((&flow["total"], &flow["derivations"][0]["inputs"][0]), (&1.into(), &"shop/ads".into()), "{flow}");
    assert_eq!(flow["derivations"][0]["members"], 5);

    a.lasp.install("count", "declare(\"n\", gcounter).").await.expect("installed");
    let programs = get(&a.addr, "/api/v1/programs").await.json();
    assert_eq!(
        (&programs["programs"][0]["name"], &programs["programs"][0]["variables"]["n"]),
        (&"count".into(), &"gcounter".into())
    );

    let events = get(&a.addr, "/api/v1/events").await.json();
    let kinds: Vec<&str> =
        events["events"].as_array().expect("events").iter().filter_map(|e| e["kind"].as_str()).collect();
    assert!(kinds.contains(&"up") && kinds.contains(&"joined"), "{events}");

    let statistics = get(&a.addr, "/api/v1/statistics").await.json();
    let columns = statistics["columns"].as_array().map(Vec::len);
    assert_eq!(columns, statistics["rows"][0].as_array().map(Vec::len));
    let described = get(&a.addr, "/api/v1/openapi.json").await.json();
    let described = &described["components"]["schemas"]["Statistics"]["properties"]["columns"]["items"]["enum"];
    assert_eq!(described, &statistics["columns"], "the description names them");

    let metrics = get(&a.addr, "/metrics").await;
    assert!(metrics.head.contains("text/plain; version=0.0.4"));
    let sample =
        |line: &str| line.starts_with('#') || line.rsplit_once(' ').is_some_and(|(_, n)| n.parse::<f64>().is_ok());
    assert!(metrics.body.lines().all(sample) && metrics.body.contains("lasp_bytes_sent_total{class=\"state\"}"));
    let kinds =
        ["lasp_payloads_needed_total counter", "lasp_digests_equal_total counter", "lasp_waiting_entries gauge"];
    for kind in kinds.into_iter().chain(["lasp_node_entries_peak gauge", "lasp_link_bytes_peak gauge"]) {
        assert!(metrics.body.contains(&format!("# TYPE {kind}\n")), "{kind}");
    }
    assert_eq!(get(&a.addr, "/healthz").await.body, "ok\n");
    let page = get(&a.addr, "/").await;
    assert!(page.status == 200 && page.head.contains("text/html") && page.head.contains("content-security-policy"));
}

#[tokio::test]
async fn an_update_waits_for_others_to_hold_it_and_says_who_does() {
    let a = serve("a", &[]).await;
    let contact = a.lasp.me().await.expect("it runs").addr.to_string();
    let b = serve("b", &[contact]).await;
    a.lasp.joined().await.expect("joined");
    let other = b.lasp.me().await.expect("it runs").id.to_string();
    let path = "/api/v1/variables/ads/update";
    let held = post(&a.addr, path, r#"{"operation": "{add, 1}", "declare": "set", "acknowledged_by": 1}"#).await;
    assert_eq!((held.status, &held.json()["acknowledged_by"]), (200, &serde_json::json!([other])), "{held:?}");
    assert!(get(&b.addr, "/api/v1/variables/ads").await.json()["value"] == "set[1]");
    let few = post(&a.addr, path, r#"{"operation": "{add, 2}", "acknowledged_by": 2, "timeout_ms": 100}"#).await;
    assert_eq!((few.status, &few.json()["acknowledged_by"]), (202, &serde_json::json!([other])), "{few:?}");
    assert_eq!(get(&a.addr, "/api/v1/variables/ads").await.json()["value"], "set[1, 2]");
    let long = post(&a.addr, path, r#"{"operation": "{add, 3}", "acknowledged_by": 2, "timeout_ms": 100000}"#).await;
    assert!(long.problem(400).contains("at most 60000"));
    let many = post(&a.addr, path, r#"{"operation": "{add, 3}", "acknowledged_by": 5000}"#).await;
    assert!(many.problem(409).contains("at most 1024"));
    assert_eq!(get(&a.addr, "/api/v1/variables/ads").await.json()["value"], "set[1, 2]");
}

/// The session of a response.
fn session(got: &Got) -> String {
    let header = got.head.lines().find_map(|line| line.strip_prefix("lasp-session: "));
    header.unwrap_or_else(|| panic!("no session: {got:?}")).to_owned()
}

#[tokio::test]
async fn a_session_in_a_header_goes_from_node_to_node() {
    let a = serve("a", &[]).await;
    let contact = a.lasp.me().await.expect("it runs").addr.to_string();
    let b = serve("b", &[contact]).await;
    a.lasp.joined().await.expect("joined");
    let path = "/api/v1/variables/ads";
    let in_session = |token: &str| format!("lasp-session: {token}\r\n");
    let mut token = String::new();
    for n in 0..10 {
        let (here, there) = if n % 2 == 0 { (&a, &b) } else { (&b, &a) };
        let body = format!(r#"{{"operation": "{{add, {n}}}", "declare": "set"}}"#);
        let headers = format!("{JSON}{}", in_session(&token));
        let done = case(&here.addr, "POST", &format!("{path}/update"), &headers, &body).await;
        assert_eq!(done.status, 200, "{done:?}");
        let read = case(&there.addr, "GET", &format!("{path}/value"), &in_session(&session(&done)), "").await;
        assert_eq!(read.json()["total"], n + 1, "{read:?}");
        token = session(&read);
    }
    let alone = serve("z", &[]).await;
    let late = case(&alone.addr, "GET", &format!("{path}/value?timeout_ms=50"), &in_session(&token), "").await;
    assert!(late.problem(504).contains("has not come to this node"));
    let body = r#"{"operation": "{add, 1}", "declare": "set", "timeout_ms": 50}"#;
    let late =
        case(&alone.addr, "POST", &format!("{path}/update"), &format!("{JSON}{}", in_session(&token)), body).await;
    assert!(late.problem(504).contains("ads"));
    assert_eq!(get(&alone.addr, path).await.status, 404, "what is refused is not applied");
    for odd in ["none", &token[1..]] {
        let got = case(&a.addr, "GET", &format!("{path}/value"), &in_session(odd), "").await;
        assert!(got.problem(400).contains("session token"), "{got:?}");
    }
    let long = case(&a.addr, "GET", &format!("{path}/value?timeout_ms=99999"), &in_session(""), "").await;
    assert!(long.problem(400).contains("at most 60000"));
    assert!(!get(&a.addr, &format!("{path}/value")).await.head.contains("lasp-session"), "nobody asked for one");
}

/// A request whose response keeps its case: tokens have capitals.
async fn case(addr: &str, method: &str, path: &str, headers: &str, body: &str) -> Got {
    let got = request(addr, method, path, headers, body).await;
    Got { head: got.cased.clone(), ..got }
}

#[tokio::test]
async fn an_update_is_made_like_any_other() {
    let a = serve("a", &[]).await;
    let path = "/api/v1/variables/ads/update";
    let done = post(&a.addr, path, r#"{"operation": "{add, 1 + 2}", "declare": "set"}"#).await;
    assert_eq!((done.status, done.json()), (200, serde_json::json!({"name": "ads"})));
    assert_eq!(post(&a.addr, path, r#"{"operation": "{add, 4}"}"#).await.status, 200);
    let ads = a.lasp.set::<i64>("ads").await.expect("declared");
    assert_eq!(ads.value().await.expect("there"), [3, 4]);
}

#[tokio::test]
async fn bad_input_is_described_and_changes_nothing() {
    let a = serve("a", &[]).await;
    let ads = a.lasp.set::<i64>("ads").await.expect("declared");
    let (addr, path) = (a.addr.as_str(), "/api/v1/variables/ads/update");
    let before = a.lasp.status().await.expect("it runs").fingerprint;
    assert!(get(addr, "/api/v1/nothing").await.problem(404).contains("/api/v1/nothing"));
    assert!(post(addr, "/", "{}").await.problem(404).contains("nothing is at /"));
    assert!(get(addr, "/../Cargo.toml").await.problem(404).contains("nothing"));
    assert!(request(addr, "DELETE", "/api/v1/status", "", "").await.problem(405).contains("DELETE"));
    assert!(get(addr, path).await.problem(405).contains("takes POST"));
    let near = get(addr, "/api/v1/variables/asd").await;
    assert!(near.problem(404).contains("\"asd\"") && near.json()["hint"] == "did you mean \"ads\"?");
    assert!(get(addr, "/api/v1/variables/asd/value").await.problem(404).contains("asd"));
    assert!(get(addr, "/api/v1/variables/%ff").await.problem(400).contains("UTF-8"));
    for (path, word) in [
        ("/api/v1/members?limit=0", "limit"),
        ("/api/v1/members?limit=1001", "1000"),
        ("/api/v1/overlay?offset=-1", "invalid digit"),
        ("/api/v1/variables?limit=x", "invalid digit"),
        ("/api/v1/variables?colour=red", "colour"),
        ("/api/v1/events?since=1.5", "invalid digit"),
        ("/api/v1/stream?topics=weather", "weather"),
        ("/api/v1/stream?limit=0", "limit"),
    ] {
        let problem = get(addr, path).await.problem(400);
        assert!(problem.contains(word), "{path}: {problem}");
    }
    for (body, status, word) in [
        ("{", 400, "EOF"),
        ("[]", 400, "body"),
        (r#"{"operation": 7}"#, 400, "string"),
        (r#"{"operation": "increment", "colour": 1}"#, 400, "colour"),
        (r#"{"operation": "{ad, 1}"}"#, 422, "ad"),
        (r#"{"operation": "{add, 1}", "declare": "sett"}"#, 422, "set"),
        (r#"{"operation": "increment", "declare": "gcounter"}"#, 409, "ads"),
    ] {
        let problem = post(addr, path, body).await.problem(status);
        assert!(problem.contains(word), "{body}: {problem}");
    }
    assert!(post(addr, "/api/v1/variables/x/update", r#"{"operation": "increment"}"#).await.problem(404).contains("x"));
    // What is to be declared is not, where the operation has errors.
    let unborn = r#"{"operation": "{ad, 1}", "declare": "set"}"#;
    assert!(post(addr, "/api/v1/variables/unborn/update", unborn).await.problem(422).contains("ad"));
    assert!(get(addr, "/api/v1/variables/unborn").await.problem(404).contains("unborn"));
    let reserved = r#"{"operation": "{remove_keys, []}"}"#;
    assert!(!post(addr, "/api/v1/variables/~lasp%2Fprograms/update", reserved).await.problem(404).is_empty());
    let operation = r#"{"operation": "{add, 1}"}"#;
    assert!(request(addr, "POST", path, "content-type: text/plain\r\n", operation).await.problem(415).contains("json"));
    let long = format!(r#"{{"operation": "{}"}}"#, "x".repeat(300_000));
    assert!(post(addr, path, &long).await.problem(413).contains("262144"));
    let foreign = format!("{JSON}origin: https://evil.example\r\n");
    assert!(request(addr, "POST", path, &foreign, operation).await.problem(403).contains("other sites"));
    let rebound = "GET /api/v1/status HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    assert!(raw(addr, rebound).await.problem(421).contains("evil.example"));
    assert_eq!(raw(addr, "nonsense\r\n\r\n").await.status, 400);
    assert!(ads.value().await.expect("there").is_empty());
    assert_eq!(a.lasp.status().await.expect("it runs").fingerprint, before);
}

#[tokio::test]
async fn beyond_this_machine_a_token_is_wanted() {
    let start = |token: Option<&str>, open| {
        let settings = lasp::Settings {
            listen: Some("127.0.0.1:0".to_owned()),
            http: Some("0.0.0.0:0".to_owned()),
            http_token: token.map(str::to_owned),
            http_open: Some(open),
            ..lasp::Settings::default()
        };
        Lasp::builder().settings(settings).start()
    };
    let error = start(None, false).await.expect_err("refused");
    assert!(matches!(error, StartError::Http(_)) && error.to_string().contains("`http_open`"), "{error}");
    assert!(start(Some("short"), false).await.expect_err("refused").to_string().contains("at least 16"));
    let open = start(None, true).await.expect("allowed");
    assert_eq!(get(&format!("127.0.0.1:{}", open.http().expect("served").port()), "/api/v1/status").await.status, 200);
    let lasp = start(Some(TOKEN), false).await.expect("allowed");
    let addr = format!("127.0.0.1:{}", lasp.http().expect("served").port());
    assert!(get(&addr, "/api/v1/status").await.problem(401).contains("token"));
    assert_eq!(get(&addr, "/healthz").await.status, 200);
    assert_eq!(request(&addr, "GET", "/", &format!("authorization: Bearer {TOKEN}\r\n"), "").await.status, 200);
    let login = get(&addr, &format!("/?token={TOKEN}")).await;
    assert!(login.status == 303 && login.head.contains("httponly; samesite=strict"), "{login:?}");
    assert_eq!(request(&addr, "GET", "/", &format!("cookie: lasp_token={TOKEN}\r\n"), "").await.status, 200);
}

/// A stream of changes, and all that it has told.
struct Stream {
    stream: TcpStream,
    text: String,
    told: Vec<(String, Json)>,
}

impl Stream {
    async fn open(addr: &str, topics: &str) -> Self {
        let mut stream = TcpStream::connect(addr).await.expect("it listens");
        let request = format!("GET /api/v1/stream?topics={topics} HTTP/1.1\r\nhost: {addr}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("it reads");
        Self { stream, text: String::new(), told: Vec::new() }
    }

    /// Something of `topic` that `enough` holds for, as soon as it has been told.
    async fn until(&mut self, what: &str, topic: &str, enough: impl Fn(&Json) -> bool) -> Json {
        let find = async {
            loop {
                let found = self.told.iter().find(|(at, data)| at == topic && enough(data));
                if let Some((_, data)) = found {
                    return data.clone();
                }
                self.read().await;
            }
        };
        timeout(PATIENCE, find).await.unwrap_or_else(|_| panic!("{what} was not told"))
    }

    async fn read(&mut self) {
        let mut bytes = [0; 4096];
        let read = self.stream.read(&mut bytes).await.expect("it goes on");
        assert!(read > 0, "the stream ended: {}", self.text);
        self.text.push_str(std::str::from_utf8(&bytes[..read]).expect("ASCII"));
        while let Some(end) = self.text.find("\n\n") {
            let event: String = self.text.drain(..end + 2).collect();
            let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim_end);
            // Between two events there is the length of the next piece.
            if let (Some(topic), Some(data)) = (field("event: "), field("data: ")) {
                self.told.push((topic.to_owned(), serde_json::from_str(data).expect("JSON")));
            }
        }
    }
}

/// Whether one of the things in a list is like this.
fn any(list: &Json, is: impl Fn(&Json) -> bool) -> bool {
    list.as_array().is_some_and(|all| all.iter().any(is))
}

#[tokio::test]
async fn a_stream_tells_what_is_and_then_what_changes() {
    let a = serve("a", &[]).await;
    let mut stream = Stream::open(&a.addr, "status,statistics,events,overlay,variables,dataflow").await;
    let first = stream.until("the overlay", "overlay", |overlay| overlay["reset"] == true).await;
    assert_eq!(first["nodes"][0]["state"], "isolated");
    let contact = a.lasp.me().await.expect("it runs").addr.to_string();
    let b = serve("b", &[contact]).await;
    let change = stream.until("b", "overlay", |change| any(&change["nodes"], |node| node["name"] == "b")).await;
    assert_eq!(change["reset"], false);
    stream.until("its link", "events", |events| any(events, |event| event["kind"] == "up")).await;
    let ads = b.lasp.set::<i64>("ads").await.expect("declared");
    ads.add(7).await.expect("added");
    stream.until("its update", "variables", |page| page["variables"][0]["value"] == "set[7]").await;
    stream.until("counts", "statistics", |counts| any(&counts["rows"], |_| true)).await;
    b.lasp.shutdown().await;
    stream.until("its leave", "overlay", |change| any(&change["nodes"], |node| node["state"] == "left")).await;
    let status = stream.until("the node", "status", |_| true).await;
    assert_eq!(status["viewers"], 1);
}

#[tokio::test]
async fn viewers_are_bounded_and_one_that_never_reads_costs_nothing() {
    let a = serve("a", &[]).await;
    let mut streams = Vec::new();
    for _ in 0..16 {
        let mut stream = Stream::open(&a.addr, "events,status").await;
        stream.until("the node", "status", |_| true).await;
        streams.push(stream);
    }
    assert!(get(&a.addr, "/api/v1/stream").await.problem(503).contains("16 viewers"));
    // None of them reads any more, and everything goes on.
    let ads = a.lasp.set::<i64>("ads").await.expect("declared");
    ads.add_all(0..10_000).await.expect("added");
    let status = get(&a.addr, "/api/v1/status").await.json();
    assert_eq!(status["viewers"], 16);
    drop(streams);
    let gone = async {
        while get(&a.addr, "/api/v1/status").await.json()["viewers"] != 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("their places are free again");
}

#[tokio::test]
async fn a_variable_tells_who_changed_it_and_where_its_elements_come_from() {
    let a = serve("a", &[]).await;
    let contact = a.lasp.me().await.expect("it runs").addr.to_string();
    let b = serve("b", &[contact]).await;
    let (me, other) = (a.lasp.me().await.expect("me").id.to_string(), b.lasp.me().await.expect("b").id.to_string());
    let program = "A = declare(\"ads\", set). T = declare(\"twice\", set). map(A, fun(X) -> X * 2 end, T).";
    a.lasp.install("double", program).await.expect("installed");
    let ads = b.lasp.set::<i64>("ads").await.expect("declared");
    ads.add(21).await.expect("added");
    let there = async {
        while get(&a.addr, "/api/v1/variables/twice").await.json()["value"] != "set[42]" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, there).await.expect("it spreads");

    let at_home = get(&b.addr, "/api/v1/variables/ads").await.json()["changed"].clone();
    assert_eq!((&at_home["how"], &at_home["from"]), (&"here".into(), &Json::Null), "{at_home}");
    assert_eq!((&at_home["by"]["node"], &at_home["by"]["event"]), (&other.as_str().into(), &1.into()), "{at_home}");
    let elsewhere = get(&a.addr, "/api/v1/variables/ads").await.json()["changed"].clone();
    assert_eq!((&elsewhere["how"], &elsewhere["from"]), (&"received".into(), &other.as_str().into()), "{elsewhere}");
    assert_eq!(elsewhere["by"], at_home["by"]);
    assert!(elsewhere["at_ms"].as_u64() > Some(1_600_000_000_000), "{elsewhere}");
    ads.remove(21).await.expect("removed");
    ads.add(4).await.expect("added");
    a.lasp.set::<i64>("ads").await.expect("known").add(4).await.expect("added");

    let both = async {
        loop {
            let origins = get(&a.addr, "/api/v1/variables/twice/origins").await.json();
            if origins["elements"][0]["reasons"].as_array().is_some_and(|reasons| reasons.len() == 2) {
                return origins;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let origins = timeout(PATIENCE, both).await.expect("both additions of 4 keep 8 there");
    assert_eq!(
        (&origins["known"], &origins["total"], &origins["elements"][0]["element"]),
        (&true.into(), &1.into(), &"8".into())
    );
    let reasons = origins["elements"][0]["reasons"].as_array().expect("reasons");
    let mut from: Vec<(&str, &str)> = reasons
        .iter()
        .map(|reason| (reason[0]["variable"].as_str().unwrap_or("?"), reason[0]["node"].as_str().unwrap_or("?")))
        .collect();
    from.sort_unstable();
    let mut expected = [("ads", me.as_str()), ("ads", other.as_str())];
    expected.sort_unstable();
    assert_eq!(from, expected, "{origins}");
    let counter = get(&a.addr, "/api/v1/variables/nothing/origins").await.problem(404);
    assert!(counter.contains("nothing"), "{counter}");
}

/// A count of `/metrics`.
async fn metric(addr: &str, name: &str) -> u64 {
    let metrics = get(addr, "/metrics").await.body;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {metrics}"))
}

/// A viewer that asks for everything and reads nothing: two looks or so are made for it, however long
/// it stays and whatever changes.
#[tokio::test]
async fn what_is_not_read_is_not_made() {
    let a = serve("a", &[]).await;
    let ads = a.lasp.set::<i64>("ads").await.expect("declared");
    for number in 0..1_000 {
        let name = format!("v/{number:03}/{}", "x".repeat(200));
        drop(a.lasp.declare(&name, lasp::Type::GCounter).queue().await.expect("asked"));
    }
    // The least that kernels take: the viewer's own buffers are none of the node's memory.
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a size");
    let mut silent = socket.connect(a.addr.parse().expect("an address")).await.expect("it listens");
    let path = "/api/v1/stream?topics=variables,dataflow,statistics,events,overlay&limit=1000";
    let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", a.addr);
    silent.write_all(request.as_bytes()).await.expect("it reads");
    let first = async {
        while metric(&a.addr, "lasp_viewer_bytes_total").await < 100_000 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, first).await.expect("a look is made");

    // Somebody else reads on, look after look. What the silent one's buffers take is made for it, and then nothing.
    let mut reader = Stream::open(&a.addr, "variables&q=ads").await;
    let mut made = Vec::new();
    for number in 0..6 {
        ads.add(number).await.expect("added");
        let value = format!("{number}]");
        let has_it = |it: &Json| it["value"].as_str().is_some_and(|it| it.ends_with(&value));
        reader.until("the change", "variables", |page| any(&page["variables"], has_it)).await;
        made.push(metric(&a.addr, "lasp_viewer_events_total").await - reader.told.len() as u64);
    }
    assert_eq!(made[5], made[3], "{made:?}");
    assert!(metric(&a.addr, "lasp_viewer_bytes_total").await < 2 << 20);
    assert_eq!(metric(&a.addr, "lasp_viewers").await, 2);
    drop(silent);
}

#[tokio::test]
async fn connections_are_bounded() {
    let a = serve("a", &[]).await;
    let mut held = Vec::new();
    for _ in 0..64 {
        held.push(TcpStream::connect(&a.addr).await.expect("it listens"));
    }
    let mut beyond = TcpStream::connect(&a.addr).await.expect("it listens");
    let mut byte = [0];
    let closed = timeout(PATIENCE, beyond.read(&mut byte)).await.expect("in time");
    assert!(matches!(closed, Ok(0) | Err(_)), "closed at once");
    drop(held);
    let served = async {
        loop {
            let mut stream = TcpStream::connect(&a.addr).await.expect("it listens");
            let request = format!("GET /healthz HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", a.addr);
            let mut answer = String::new();
            let asked = stream.write_all(request.as_bytes()).await;
            if asked.is_ok() && stream.read_to_string(&mut answer).await.is_ok() && answer.contains("200 OK") {
                return;
            }
        }
    };
    timeout(PATIENCE, served).await.expect("there is room again");
}

#[tokio::test]
async fn many_variables_are_paged() {
    let a = serve("a", &[]).await;
    for number in 0..10_000 {
        let asked = a.lasp.declare(&format!("v/{number:05}"), lasp::Type::GCounter).queue().await;
        drop(asked.expect("asked")); // it takes its course
    }
    let (mut from, mut names) = (0, std::collections::BTreeSet::new());
    loop {
        let page = get(&a.addr, &format!("/api/v1/variables?prefix=v/&limit=1000&from={from}")).await.json();
        names.extend(page["variables"].as_array().expect("a list").iter().map(|it| it["name"].to_string()));
        match page["next"].as_u64() {
            Some(next) => from = next,
            None => break,
        }
    }
    assert_eq!(names.len(), 10_000);
    let found = get(&a.addr, "/api/v1/variables?q=V/09999").await.json();
    assert_eq!((found["variables"].as_array().map(Vec::len), &found["next"]), (Some(1), &Json::Null), "in one answer");
}
