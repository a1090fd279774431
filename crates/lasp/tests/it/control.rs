//! Clients of a node, over real sockets: what they are answered, how they are bounded, and that a node never waits for them.

use lasp::control::Access;
use lasp::control::client::{Answers, AskError, Client, ConnectError, Options};
use lasp::control::protocol::{Ask, Message, RunEnd, Say, Style, encode};
use lasp::transport::framing::{Decoder, Kind, PREFACE, Packet, write_control, write_frame};
use lasp::transport::hello::{Reason, Refusal};
use lasp::{Lasp, Membership, Op, Type, Value};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Nothing here takes this long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(60);

async fn node(access: Access) -> (Lasp, String) {
    let builder = Lasp::builder().name("a").cluster("shop").listen("127.0.0.1:0").control(access);
    let lasp = builder.start().await.expect("it starts");
    let addr = lasp.me().await.expect("it runs").addr.to_string();
    (lasp, addr)
}

async fn client(addr: &str) -> Client {
    Client::connect(addr, Options { timeout: PATIENCE, ..Options::default() }).await.expect("it is served")
}

async fn next(answers: &mut Answers) -> Result<Say, AskError> {
    timeout(PATIENCE, answers.next()).await.expect("in time")
}

async fn ask(client: &Client, ask: Ask) -> Result<Say, AskError> {
    next(&mut client.ask(ask).await?).await
}

fn get(variable: &str) -> Ask {
    Ask::Get { variable: variable.to_owned(), style: Style::default() }
}

fn update(variable: &str, operation: &str) -> Ask {
    let (variable, operation) = (variable.to_owned(), operation.to_owned());
    Ask::Update { variable, operation, declare: None, style: Style::default() }
}

fn run(text: &str) -> Ask {
    Ask::Run { name: "t".to_owned(), text: text.to_owned(), style: Style::default() }
}

fn value(ty: &str, text: &str) -> Say {
    Say::Value { ty: ty.to_owned(), text: text.to_owned() }
}

/// The lines of a program, how it ended, and what is said about that.
async fn lines(answers: &mut Answers) -> (Vec<String>, RunEnd, String) {
    let mut lines = Vec::new();
    loop {
        match next(answers).await.expect("an answer") {
            Say::Line { text, error } => lines.extend(text.or(error)),
            Say::Ran { end, report, .. } => return (lines, end, report),
            say => panic!("{say:?}"),
        }
    }
}

fn refused(result: Result<Say, AskError>) -> String {
    match result {
        Err(AskError::Refused(refused)) => format!("{} {}", refused.message, refused.hint.unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn variables_are_read_updated_and_watched() {
    let (lasp, addr) = node(Access::Loopback).await;
    let ads = lasp.set::<i64>("ads").await.expect("declared");
    ads.add_all([2, 1]).await.expect("added");
    let client = client(&addr).await;
    assert_eq!((client.served().name.as_str(), client.served().cluster.as_str()), ("a", "shop"));
    assert_eq!(ask(&client, get("ads")).await, Ok(value("set", "set[1, 2]")));
    let mut watch =
        client.ask(Ask::Watch { variable: "ads".to_owned(), style: Style::default() }).await.expect("asked");
    assert_eq!(next(&mut watch).await, Ok(value("set", "set[1, 2]")));
    assert_eq!(ask(&client, update("ads", "{add, 1 + 2}")).await, Ok(Say::Done));
    assert_eq!(next(&mut watch).await, Ok(value("set", "set[1, 2, 3]")));
    let near = refused(ask(&client, get("asd")).await);
    assert!(near.contains("no variable \"asd\"") && near.contains("did you mean \"ads\"?"), "{near}");
    let near = refused(ask(&client, update("ads", "{ad, 1}")).await);
    assert!(near.contains("no operation `ad`") && near.contains("did you mean `add`?"), "{near}");
    assert_eq!(ask(&client, get("ads")).await, Ok(value("set", "set[1, 2, 3]")));
}

#[tokio::test]
async fn a_watch_in_a_session_tells_with_each_value_what_the_session_has_seen() {
    let (lasp, addr) = node(Access::Loopback).await;
    let ads = lasp.set::<i64>("ads").await.expect("declared");
    ads.add_all([1]).await.expect("added");
    let client = client(&addr).await;
    let watch_in = |session: &str| Ask::WatchIn {
        variable: "ads".to_owned(),
        session: session.to_owned(),
        within_ms: 100,
        style: Style::default(),
    };
    let mut watch = client.ask(watch_in("")).await.expect("asked");
    let mut tokens: Vec<lasp::SessionToken> = Vec::new();
    for expected in ["set[1]", "set[1, 2]"] {
        let Ok(Say::ValueIn { text, session, .. }) = next(&mut watch).await else { panic!("a value in a session") };
        assert_eq!(text, expected);
        tokens.push(session.parse().expect("a token"));
        ads.add(2).await.expect("added");
    }
    assert!(tokens[0] != tokens[1] && tokens.iter().all(|token| token.len() == 1), "{tokens:?}");
    drop(watch);
    let refused = refused(ask(&client, watch_in("no token")).await);
    assert!(refused.contains("a session token"), "{refused}");
}

#[tokio::test]
async fn a_viewer_that_does_not_read_holds_nothing_up_and_gets_the_newest_value_in_the_end() {
    const UPDATES: usize = 300;
    let (lasp, addr) = node(Access::Loopback).await;
    let var = lasp.declare("big", Type::LwwRegister).await.expect("declared");
    let text = |n: usize| Value::text(format!("{n:04}{}", "x".repeat(100_000)));
    lasp.update(var, Op::Set(text(0))).await.expect("set");
    let mut slow = Raw::client(&addr).await;
    slow.send(1, Ask::Watch { variable: "big".to_owned(), style: Style::default() }).await;
    let other = client(&addr).await;
    for n in 1..=UPDATES {
        lasp.update(var, Op::Set(text(n))).await.expect("set");
        if n % 50 == 0 {
            assert!(matches!(ask(&other, Ask::Status).await, Ok(Say::Status(_))));
        }
    }
    let last = format!("\"{UPDATES:04}");
    let mut seen = 0;
    loop {
        let Some(Packet::Frame(frame)) = slow.packet().await else { panic!("the watch ended") };
        seen += 1;
        if frame.windows(last.len()).any(|window| window == last.as_bytes()) {
            break;
        }
    }
    // What fits into the buffers of two sockets, at most: 30 MB of values were made.
    assert!(seen < UPDATES, "{seen} values came");
}

#[tokio::test]
async fn programs_run_at_the_node_and_keep_their_bindings() {
    let (lasp, addr) = node(Access::Loopback).await;
    let client = client(&addr).await;
    let text =
        "S = declare(ads, set), update(S, {add, [1, 2]}). D = map(S, fun(X) -> 10 div (X - 2) end). print(hi), 7.";
    let mut answers = client.ask(run(text)).await.expect("asked");
    let (printed, end, _) = lines(&mut answers).await;
    assert_eq!(
        (&printed[0][..], &printed[2..], end),
        ("set[1, 2]", &["set[-10]", "hi", "7"].map(str::to_owned)[..], RunEnd::Finished)
    );
    assert!(printed[1].contains("map failed on 2") && printed[1].contains("t:1:"), "{}", printed[1]);
    let (printed, ..) = lines(&mut client.ask(run("query(D).")).await.expect("asked")).await;
    assert_eq!(printed, ["set[-10]"]);
    let held = lasp.set::<i64>("ads").await.expect("declared").value().await.expect("read");
    assert_eq!(held, [1, 2]);
    let (_, end, report) = lines(&mut client.ask(run("declare(sett).")).await.expect("asked")).await;
    assert!(end == RunEnd::Rejected && report.contains("t:1:9"), "{report}");
    let (_, end, report) = lines(&mut client.ask(run("crash(1).")).await.expect("asked")).await;
    assert!(end == RunEnd::Failed && report.contains("one node of a real one"), "{report}");
    let other = self::client(&addr).await;
    let (_, end, report) = lines(&mut other.ask(run("query(D).")).await.expect("asked")).await;
    assert!(end == RunEnd::Rejected && report.contains("`D`"), "{report}");
}

#[tokio::test]
async fn a_wait_is_interrupted_and_what_it_waits_for_can_come_from_anywhere() {
    let (lasp, addr) = node(Access::Loopback).await;
    let client = client(&addr).await;
    let mut waiting = client.ask(run("S = declare(ads, set), read(S, {cardinality, 1}).")).await.expect("asked");
    wait_until(&lasp, |node| node.graph().waiting() == 1).await;
    waiting.cancel().await;
    let (_, end, report) = lines(&mut waiting).await;
    assert!(end == RunEnd::Failed && report.contains("interrupted here") && report.contains("t:1:24"), "{report}");
    wait_until(&lasp, |node| node.graph().waiting() == 0).await;
    let Ok(Say::Graph(graph)) = ask(&client, Ask::Graph).await else { panic!("no graph") };
    assert!(graph.contains("ads") && !graph.contains("a threshold on S"), "{graph}");
    let mut waiting = client.ask(run("S = declare(ads, set), read(S, {cardinality, 1}).")).await.expect("asked");
    wait_until(&lasp, |node| node.graph().waiting() == 1).await;
    lasp.set::<i64>("ads").await.expect("declared").add(5).await.expect("added");
    assert_eq!(lines(&mut waiting).await, (vec!["set[5]".to_owned()], RunEnd::Finished, String::new()));
}

#[tokio::test]
async fn triggers_act_while_nothing_runs_and_end_with_their_client() {
    let (lasp, addr) = node(Access::Loopback).await;
    let client = client(&addr).await;
    let text = "S = declare(ads, set), stream(S, fun(X) -> print(X) end), invariant(S, {cardinality, 99}, fun() -> print(x) end).";
    let mut answers = client.ask(run(text)).await.expect("asked");
    assert_eq!(lines(&mut answers).await.1, RunEnd::Finished);
    lasp.set::<i64>("ads").await.expect("declared").add(5).await.expect("added");
    assert_eq!(next(&mut answers).await, Ok(Say::Line { text: Some("set[5]".to_owned()), error: None }));
    wait_until(&lasp, |node| node.graph().waiting() == 1).await;
    drop((answers, client));
    wait_until(&lasp, |node| node.graph().waiting() == 0).await;
}

#[tokio::test]
async fn what_a_session_derives_and_does_not_name_ends_with_it() {
    let (lasp, addr) = node(Access::Loopback).await;
    let client = client(&addr).await;
    let text = "S = declare(ads, set), T = declare(out, set), L = declare(set), update(L, {add, 1}),
        V = map(L, fun(X) -> X + 1 end), W = filter(V, fun(X) -> X > 0 end), map(S, fun(X) -> X * 2 end, T),
        bind_to(declare(copy, set), S), update(S, {add, 4}), {query(T), query(W)}.";
    let mut answers = client.ask(run(text)).await.expect("asked");
    assert_eq!(lines(&mut answers).await, (vec!["{set[8], set[2]}".to_owned()], RunEnd::Finished, String::new()));
    drop((answers, client));
    wait_until(&lasp, |node| node.graph().vars().count() == 3 && node.graph().derivations().next().is_none()).await;
    let set = async |name| lasp.set::<i64>(name).await.expect("declared");
    set("ads").await.add(5).await.expect("added");
    let held = [set("out").await.value().await, set("copy").await.value().await];
    assert_eq!(held, [Ok(vec![8]), Ok(vec![4])], "what was derived stays, nothing follows");
}

/// Waits until the node looks so.
async fn wait_until(lasp: &Lasp, condition: impl Fn(&lasp_node::Node) -> bool + Send + Copy + 'static) {
    let reached = async {
        while !lasp.inspect(move |node| condition(node)).await.expect("it runs") {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, reached).await.expect("in time");
}

#[tokio::test]
async fn a_client_keeps_no_node_running_and_is_told_when_it_stops() {
    let (lasp, addr) = node(Access::Loopback).await;
    lasp.set::<i64>("ads").await.expect("declared");
    let client = client(&addr).await;
    let mut watch =
        client.ask(Ask::Watch { variable: "ads".to_owned(), style: Style::default() }).await.expect("asked");
    assert_eq!(next(&mut watch).await, Ok(value("set", "set[]")));
    drop(lasp);
    let lost = next(&mut watch).await.expect_err("it stopped");
    assert!(matches!(&lost, AskError::Lost { problem, .. } if problem.contains("has stopped")), "{lost}");
    assert!(
        matches!(client.ask(Ask::Status).await, Err(AskError::Lost { .. })) || ask(&client, Ask::Status).await.is_err()
    );
}

#[tokio::test]
async fn who_is_not_served_is_told_why() {
    let (_lasp, addr) = node(Access::Off).await;
    let reason = |result: Result<Client, ConnectError>| match result {
        Err(ConnectError::Refused { refusal, .. }) => refusal.reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(Client::connect(&addr, Options::default()).await), Reason::Client);
    let (_lasp, addr) = node(Access::Loopback).await;
    let zoo = Options { cluster: "zoo".to_owned(), ..Options::default() };
    assert_eq!(reason(Client::connect(&addr, zoo).await), Reason::Cluster);
    let shop = Options { cluster: "shop".to_owned(), ..Options::default() };
    assert!(Client::connect(&addr, shop).await.is_ok());
}

#[tokio::test]
async fn who_is_no_node_is_recognised() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let options = Options { timeout: Duration::from_millis(50), ..Options::default() };
    let addr = silent.local_addr().expect("bound").to_string();
    let error = Client::connect(&addr, options.clone()).await.expect_err("silent");
    assert!(matches!(error, ConnectError::Silent { .. }), "{error}");
    let web = tokio::spawn(async move {
        let _first = silent.accept().await; // of the attempt above
        let (mut stream, _) = silent.accept().await.expect("accepted");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.expect("written");
        stream
    });
    let error = Client::connect(&addr, Options { timeout: PATIENCE, ..options.clone() }).await.expect_err("no node");
    assert!(matches!(error, ConnectError::NotLasp { .. }), "{error}");
    drop(web.await);
    let error = Client::connect(&addr, options).await.expect_err("nobody");
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn hostile_clients_are_dropped_and_the_others_served_on() {
    let (_lasp, addr) = node(Access::Loopback).await;
    let good = client(&addr).await;
    let garbage: [&[u8]; 4] = [
        &[3, 0xff, 0xff, 0xff],                            // no message
        &[0, 1, 0],                                        // a peer's Hello
        &[0, 99, 0],                                       // no control packet
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], // a length beyond every limit
    ];
    for bytes in garbage {
        let mut raw = Raw::client(&addr).await;
        raw.write(bytes).await;
        let refusal = raw.refusal().await;
        assert_eq!(refusal.reason, Reason::Violation, "{bytes:?}");
        assert!(matches!(ask(&good, Ask::Status).await, Ok(Say::Status(_))));
    }
    let mut raw = Raw::connect(&addr).await;
    raw.write(&[&PREFACE[..], &[0, 7, 1, 0xff]].concat()).await;
    assert_eq!(raw.refusal().await.reason, Reason::Violation, "a malformed greeting");
    let mut raw = Raw::connect(&addr).await;
    raw.write(&[&PREFACE[..], &[0, 7, 3, 8, 9, 0]].concat()).await;
    assert_eq!(raw.refusal().await.reason, Reason::Version, "versions 8 to 9");
}

#[tokio::test]
async fn requests_and_sessions_are_bounded() {
    let (_lasp, addr) = node(Access::Loopback).await;
    let client = client(&addr).await;
    lines(&mut client.ask(run("S = declare(ads, set).")).await.expect("asked")).await;
    let mut watches = Vec::new();
    let refusal = loop {
        let mut watch =
            client.ask(Ask::Watch { variable: "ads".to_owned(), style: Style::default() }).await.expect("asked");
        match next(&mut watch).await {
            Ok(_) => watches.push(watch),
            refused => break self::refused(refused),
        }
    };
    assert!(watches.len() == 64 && refusal.contains("at most 64 requests"), "{} {refusal}", watches.len());
    let mut sessions = Vec::new();
    let refusal = loop {
        let client = self::client(&addr).await;
        match ask(&client, Ask::Bindings).await {
            Ok(Say::Bindings(_)) => sessions.push(client),
            refused => break self::refused(refused),
        }
    };
    assert!(sessions.len() == 15 && refusal.contains("16 sessions"), "{} {refusal}", sessions.len());
}

/// A client by hand, byte for byte.
struct Raw {
    stream: TcpStream,
    decoder: Decoder,
}

impl Raw {
    async fn connect(addr: &str) -> Self {
        let stream = TcpStream::connect(addr).await.expect("it listens");
        Self { stream, decoder: Decoder::new(16 << 20) }
    }

    /// One that was welcomed.
    async fn client(addr: &str) -> Self {
        let mut raw = Self::connect(addr).await;
        let mut hello = PREFACE.to_vec();
        write_control(&mut hello, Kind::Client, &[1, 1, 0]);
        raw.write(&hello).await;
        assert!(matches!(raw.packet().await, Some(Packet::Control(Kind::Serve, _))));
        raw
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the other side reads");
    }

    async fn send(&mut self, id: u32, ask: Ask) {
        let mut out = Vec::new();
        write_frame(&mut out, &encode(&Message { id, ask }));
        self.write(&out).await;
    }

    async fn packet(&mut self) -> Option<Packet<Vec<u8>>> {
        loop {
            if let Some(packet) = self.decoder.next_packet().expect("well-formed") {
                return Some(packet);
            }
            let read = self.stream.read_buf(self.decoder.buffer());
            if timeout(PATIENCE, read).await.expect("in time").ok()? == 0 {
                return None;
            }
        }
    }

    async fn refusal(&mut self) -> Refusal {
        match self.packet().await {
            Some(Packet::Control(Kind::Refuse, body)) => Refusal::from_bytes(&body).expect("a refusal"),
            other => panic!("{other:?}"),
        }
    }
}

/// The names in the first column of the table of what is counted.
fn documented() -> BTreeSet<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md");
    let text = std::fs::read_to_string(path).expect("the manual is there");
    let (_, section) = text.split_once("### What is counted").expect("it has this section");
    let section = section.split("\n#").next().unwrap_or_default();
    let column = |row: &str| row.strip_prefix("| `").and_then(|row| row.split(" | ").next()).map(str::to_owned);
    let rows = section.lines().filter_map(column);
    rows.flat_map(|cell| cell.split(", ").map(|name| name.replace('`', "")).collect::<Vec<_>>()).collect()
}

#[tokio::test]
async fn w57_what_is_counted_is_what_is_documented() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let port = nobody.local_addr().expect("bound").port();
    let mut counted = BTreeSet::new();
    for membership in [Membership::HYPARVIEW, Membership::EPMD] {
        let mut builder = Lasp::builder().name("a").listen("127.0.0.1:0").control(Access::Any);
        if membership == Membership::EPMD {
            builder = builder.epmd_port(port);
        }
        let lasp = builder.membership(membership).start().await.expect("it starts");
        let addr = lasp.me().await.expect("it runs").addr.to_string();
        let Ok(Say::Status(report)) = ask(&client(&addr).await, Ask::Status).await else { panic!("no status") };
        let names: BTreeSet<String> = report.counters.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(names.len(), report.counters.len(), "no name twice");
        assert_eq!(names.iter().any(|name| name.starts_with("epmd_")), membership == Membership::EPMD);
        counted.extend(names);
    }
    let documented = documented();
    assert_eq!(counted.difference(&documented).collect::<Vec<_>>(), [] as [&String; 0], "counted, and not documented");
    assert_eq!(documented.difference(&counted).collect::<Vec<_>>(), [] as [&String; 0], "documented, and not counted");
}
