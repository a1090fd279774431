//! Membership strategies as real processes over loopback: join, leave, kill, restart, rejoin, relay, switch.

use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Nothing here takes this long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(90);

fn lasp(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lasp"));
    command.args(args).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A path of its own for each caller.
fn scratch(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let unique = format!("{}-{}-{name}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique).to_str().expect("text").to_owned()
}

/// An address that is free just now.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").to_string()
}

/// A node: what it is told, and its process while it runs.
struct Node {
    addr: String,
    dir: String,
    process: Option<Child>,
    id: String,
}

impl Node {
    fn new(name: &str) -> Self {
        Self { addr: free_address(), dir: scratch(name), process: None, id: String::new() }
    }

    fn start(&mut self, args: &[&str]) {
        let place = ["node", "--listen", &self.addr, "--data-dir", &self.dir, "--log-level", "error"];
        let mut command = lasp(&place);
        let mut process = command.args(args).stderr(Stdio::inherit()).spawn().expect("the binary runs");
        let mut greeting = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut greeting).expect("a line");
        let id = greeting.split_once(" id ").and_then(|(_, rest)| rest.split(' ').next());
        self.id = id.unwrap_or_else(|| panic!("{greeting:?}")).to_owned();
        self.process = Some(process);
    }

    /// Ends it as by `kill -9`.
    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().and_then(|()| process.wait()).expect("a child");
        }
    }

    /// Ends it in good order.
    fn leave(&mut self) {
        let mut process = self.process.take().expect("it runs");
        let pid = process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
        assert!(process.wait().expect("a child").success());
    }

    fn ask(&self, args: &[&str]) -> Result<String, String> {
        let output = lasp(args).args(["--connect", &self.addr]).output().expect("the binary runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    fn members(&self) -> Value {
        let text = self.ask(&["members", "--json"]).unwrap_or_else(|_| "{}".to_owned());
        serde_json::from_str(&text).expect("JSON")
    }

    /// The ids in one of the lists of `members --json`.
    fn ids(&self, list: &str) -> BTreeSet<String> {
        let members = self.members();
        let id = |entry: &Value| entry.as_str().or_else(|| entry["id"].as_str()).map(str::to_owned);
        members[list].as_array().into_iter().flatten().filter_map(id).collect()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let since = Instant::now();
    while !done() {
        assert!(since.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn ids<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> BTreeSet<String> {
    nodes.into_iter().map(|node| node.id.clone()).collect()
}

/// Waits until the first node has exactly the others as neighbours, and they have it.
fn wait_for_neighbors(what: &str, node: &Node, others: &[&Node]) {
    let expected = ids(others.iter().copied());
    wait_until(what, || node.ids("active") == expected);
    wait_until(what, || others.iter().all(|other| other.ids("active").contains(&node.id)));
}

/// What one node writes reaches the others, neighbours or not.
fn check_relay(variable: &str, from: &Node, to: &[&Node]) {
    let wrote = from.ask(&["update", variable, "increment", "--declare", "gcounter"]);
    assert!(wrote.is_ok(), "{wrote:?}");
    for node in to {
        wait_until(variable, || node.ask(&["get", variable]).is_ok_and(|value| value.trim() == "1"));
    }
}

/// Three nodes that join through the first: everything that a strategy without roles must live through.
fn life_of_a_cluster(strategy: &str) {
    let [mut a, mut b, mut c] = ["a", "b", "c"].map(Node::new);
    let contact = a.addr.clone();
    let join = ["--membership", strategy, "--join", &contact];
    a.start(&["--membership", strategy]);
    b.start(&join);
    c.start(&join);
    wait_until("joined", || [&b, &c].iter().all(|node| node.ids("active").contains(&a.id)));
    check_relay("first", &b, &[&a, &c]);

    // Killed, and restarted at another address.
    c.kill();
    wait_until("noticed", || !a.ids("active").contains(&c.id));
    let was = c.id.clone();
    c.addr = free_address();
    c.start(&join);
    assert_eq!(c.id, was, "its data directory keeps its identity");
    wait_until("back", || a.ids("active").contains(&c.id));
    check_relay("second", &c, &[&a, &b]);

    // The one through which all came is killed and comes back at its address.
    a.kill();
    a.start(&["--membership", strategy]);
    wait_until("found again", || [&b, &c].iter().all(|node| node.ids("active").contains(&a.id)));

    // Left in good order: no member any more, until it comes again.
    c.leave();
    wait_until("gone", || [&a, &b].iter().all(|node| !node.ids("members").contains(&c.id)));
    c.start(&join);
    wait_until("come again", || a.ids("active").contains(&c.id));
    check_relay("third", &c, &[&a, &b]);
}

#[test]
fn partial_views_live_through_kills_moves_leaves_and_returns() {
    life_of_a_cluster("hyparview");
}

#[test]
fn views_by_subscription_live_through_kills_moves_leaves_and_returns() {
    life_of_a_cluster("scamp");
}

#[test]
fn full_membership_lives_through_kills_moves_leaves_and_returns() {
    life_of_a_cluster("full");
}

#[test]
fn a_fixed_list_lives_through_kills_moves_leaves_and_returns() {
    life_of_a_cluster("static");
}

#[test]
fn w24_clients_reach_each_other_through_servers_and_fail_over() {
    let [mut a, mut b, mut x, mut y] = ["a", "b", "x", "y"].map(Node::new);
    let (first, second) = (a.addr.clone(), b.addr.clone());
    let server = ["--membership", "client-server", "--role", "server"];
    a.start(&server);
    b.start(&[&server[..], &["--join", &first]].concat());
    let client = ["--membership", "client-server", "--role", "client", "--servers", "1", "--join", &first];
    x.start(&client);
    y.start(&client);
    wait_for_neighbors("clients at the first server", &a, &[&b, &x, &y]);
    assert_eq!(x.ids("active"), ids([&a]), "clients are no neighbours of each other");
    wait_until("servers know all clients", || b.ids("members") == ids([&a, &x, &y]));
    check_relay("by-a", &x, &[&y]);
    wait_until("a letter finds its way through the server", || x.ask(&["ping", &y.id, "--count", "1"]).is_ok());

    // The server is killed: its clients go to the one that it told them of.
    a.kill();
    wait_for_neighbors("clients at the second server", &b, &[&x, &y]);
    check_relay("by-b", &y, &[&x]);
    let refused = x.ask(&["evict", &y.id]).expect_err("a client evicts nobody");
    assert!(refused.contains("membership \"client-server\" does not evict members"), "{refused}");

    // It comes back; a client leaves and returns.
    a.start(&[&server[..], &["--join", &second]].concat());
    wait_until("servers mesh again", || a.ids("active").contains(&b.id));
    x.leave();
    wait_until("the client is gone", || [&a, &b].iter().all(|node| !node.ids("members").contains(&x.id)));
    x.start(&client);
    wait_until("the client is back", || [&a, &b].iter().all(|node| node.ids("members").contains(&x.id)));
    check_relay("after", &x, &[&y]);
}

#[test]
fn links_by_command_come_and_go_as_told() {
    let [mut a, mut b] = ["a", "b"].map(Node::new);
    for node in [&mut a, &mut b] {
        node.start(&["--membership", "manual"]);
    }
    assert_eq!(a.ids("active"), BTreeSet::new());
    a.ask(&["connect", &b.addr]).expect("accepted");
    wait_for_neighbors("connected", &a, &[&b]);
    check_relay("linked", &a, &[&b]);
    b.kill();
    wait_until("noticed", || a.ids("active").is_empty());
    b.start(&["--membership", "manual"]);
    wait_for_neighbors("connected again by itself", &a, &[&b]);
    a.ask(&["disconnect", &b.addr]).expect("accepted");
    wait_until("disconnected", || a.ids("active").is_empty() && b.ids("active").is_empty());
    let wrong = a.ask(&["connect", "nowhere"]).expect_err("no address");
    assert!(wrong.contains("\"nowhere\" is not HOST:PORT"), "{wrong}");
}

#[test]
fn an_unreachable_member_stays_until_it_is_evicted_and_may_come_back() {
    let [mut a, mut b, mut c] = ["a", "b", "c"].map(Node::new);
    let contact = a.addr.clone();
    let join = ["--membership", "full", "--join", &contact];
    a.start(&["--membership", "full"]);
    b.start(&join);
    c.start(&join);
    wait_for_neighbors("joined", &a, &[&b, &c]);
    wait_for_neighbors("joined", &b, &[&a, &c]);
    c.kill();
    wait_until("found unreachable", || a.ids("reachable") == ids([&b]));
    assert_eq!((a.ids("members"), a.ids("active")), (ids([&b, &c]), ids([&b])));
    assert!(a.ask(&["members"]).expect("served").contains("unreachable"));
    let status: Value = serde_json::from_str(&a.ask(&["status", "--json"]).expect("served")).expect("JSON");
    assert!(status["metrics"]["members_lost"] == 1 && status["metrics"]["suspicions"].as_u64() > Some(0), "{status}");
    let unknown = a.ask(&["evict", "77"]).expect_err("nobody");
    assert!(unknown.contains("no member of the cluster has the id 77"), "{unknown}");
    b.ask(&["evict", &c.id]).expect("accepted");
    wait_until("evicted everywhere", || [&a, &b].iter().all(|node| !node.ids("members").contains(&c.id)));
    c.start(&join);
    wait_for_neighbors("back in another life", &a, &[&b, &c]);
    let refused = a.ask(&["connect", &b.addr]).expect_err("not by command");
    assert!(refused.contains("membership \"full\" does not connect by command"), "{refused}");
}

#[test]
fn another_strategy_takes_nothing_but_another_setting() {
    let [mut a, mut b] = ["a", "b"].map(Node::new);
    let contact = a.addr.clone();
    let mut known = BTreeSet::new();
    for strategy in ["hyparview", "full", "static", "manual", "scamp", "hyparview"] {
        a.start(&["--membership", strategy]);
        b.start(&["--membership", strategy, "--join", &contact]);
        wait_for_neighbors(strategy, &a, &[&b]);
        check_relay(strategy, &b, &[&a]);
        known.insert((a.id.clone(), b.id.clone()));
        b.leave();
        a.kill();
    }
    assert_eq!(known.len(), 1, "the same identities throughout");
}

#[test]
fn settings_that_do_not_go_together_are_refused_with_what_to_do() {
    let refused = |args: &[&str]| {
        let output = lasp(&["node", "--listen", "127.0.0.1:0"]).args(args).output().expect("the binary runs");
        assert!(!output.status.success(), "{args:?}");
        String::from_utf8(output.stderr).expect("text")
    };
    let cases: [(&[&str], &str); 11] = [
        (&["--membership", "swim"], "one of hyparview, full"),
        (&["--membership", "client-server"], "membership client-server needs `role`: server or client"),
        (&["--role", "client"], "`role` is for membership client-server; this node's membership is hyparview"),
        (&["--membership", "client-server", "--role", "boss"], "unknown role \"boss\": one of server, client"),
        (&["--membership", "client-server", "--role", "client"], "give the servers' addresses as `join`"),
        (&["--passive-view", "4"], "`passive_capacity` is 4, but must be at least the 7 peers that a shuffle offers"),
        (&["--active-view", "1", "--optimise", "rtt"], "`unbiased` is 1, but must be less than `active_capacity`"),
        (&["--reserve", "server=5"], "`reserved` is 5, but must be less than `active_capacity` (5) in all"),
        (&["--membership", "full", "--optimise", "rtt"], "`optimise` is for membership hyparview"),
        (&["--membership", "scamp", "--scamp-version", "3"], "`scamp_version` is 3, but must be 1 or 2"),
        (&["--membership", "manual", "--evict-after", "1m"], "`evict_after` is for membership full and client-server"),
    ];
    for (args, expected) in cases {
        let error = refused(args);
        assert!(error.contains(expected), "{error}");
    }
    let own = free_address();
    let output = lasp(&["node", "--listen", &own, "--join", &own]).output().expect("the binary runs");
    let error = String::from_utf8(output.stderr).expect("text");
    assert!(error.contains(&format!("cannot join through {own}: that is this node itself")), "{error}");
}
