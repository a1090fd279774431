//! Membership strategies as real processes over loopback: join, leave, kill, restart, rejoin, relay, switch.

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

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

/// An address that is free, and stays so until it is used: its port is below those that systems give away by themselves, and
/// tests of one process take turns.
fn free_address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(97);
    loop {
        let port = 20_000 + (start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed))) % 12_000;
        let addr = format!("127.0.0.1:{port}");
        if TcpListener::bind(&addr).is_ok() {
            return addr;
        }
    }
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

fn wait_until(what: &str, done: impl FnMut() -> bool) {
    support::wait_within(PATIENCE, what, done);
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

    // A client and a server are killed, and come back elsewhere.
    y.kill();
    a.kill();
    [y.addr, a.addr] = [free_address(), free_address()];
    a.start(&[&server[..], &["--join", &second]].concat());
    y.start(&["--membership", "client-server", "--role", "client", "--join", &second]);
    let all = ids([&a, &b, &x, &y]);
    let others = |node: &Node| all.iter().filter(|id| **id != node.id).cloned().collect::<BTreeSet<_>>();
    wait_until("servers know who is where", || [&a, &b].iter().all(|node| node.ids("reachable") == others(node)));
    check_relay("moved", &y, &[&x, &a]);
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
    a.ask(&["connect", &b.addr]).expect("accepted");
    wait_for_neighbors("connected once more", &a, &[&b]);
    b.leave();
    wait_until("gone", || a.ids("active").is_empty());

    // At another address it is another link to be told of.
    let left = std::mem::replace(&mut b.addr, free_address());
    b.start(&["--membership", "manual"]);
    a.ask(&["disconnect", &left]).expect("accepted");
    a.ask(&["connect", &b.addr]).expect("accepted");
    wait_for_neighbors("connected elsewhere", &a, &[&b]);
    check_relay("moved", &b, &[&a]);
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

/// A node is reached by its id over links of others, in as many hops as it takes.
fn hops(from: &Node, to: &Node) -> u64 {
    let mut hops = 0;
    wait_until("a letter finds its way", || {
        let answer = from.ask(&["ping", &to.id, "--count", "1", "--json"]).ok();
        let answer = answer.and_then(|line| serde_json::from_str::<Value>(line.lines().next()?).ok());
        hops = answer.and_then(|answer| answer["hops"].as_u64()).unwrap_or(0);
        hops > 0
    });
    hops
}

/// Four nodes in a line, each linked with the next by `link`.
fn letters_along_a_line(strategy: &str, link: impl Fn(&Node, &mut Node)) {
    let mut nodes = ["a", "b", "c", "d"].map(Node::new);
    nodes[0].start(&["--membership", strategy]);
    for next in 1..nodes.len() {
        let (before, after) = nodes.split_at_mut(next);
        link(&before[next - 1], &mut after[0]);
    }
    let [a, b, c, d] = &nodes;
    wait_for_neighbors("in a line", a, &[b]);
    wait_for_neighbors("in a line", c, &[b, d]);
    assert_eq!((hops(a, b), hops(a, c), hops(a, d), hops(d, a)), (1, 2, 3, 3));
    check_relay("along", a, &[b, c, d]);
    let lost = a.ask(&["ping", "77", "--count", "1"]).expect_err("nobody has this id");
    assert!(lost.contains("no route to it was found: it is not in this cluster"), "{lost}");
}

#[test]
fn letters_find_their_way_along_a_fixed_list() {
    letters_along_a_line("static", |before, node| node.start(&["--membership", "static", "--join", &before.addr]));
}

#[test]
fn letters_find_their_way_along_links_by_command() {
    letters_along_a_line("manual", |before, node| {
        node.start(&["--membership", "manual"]);
        node.ask(&["connect", &before.addr]).expect("accepted");
    });
}

#[test]
fn letters_find_their_way_to_those_outside_a_partial_view() {
    let mut nodes: Vec<Node> = (0..9).map(|number| Node::new(&format!("n{number}"))).collect();
    let contact = nodes[0].addr.clone();
    nodes[0].start(&["--active-view", "4"]);
    nodes[1..].iter_mut().for_each(|node| node.start(&["--active-view", "4", "--join", &contact]));
    wait_until("joined", || nodes.iter().all(|node| !node.ids("active").is_empty()));
    let neighbors = nodes[0].ids("active");
    let strangers: Vec<&Node> = nodes[1..].iter().filter(|node| !neighbors.contains(&node.id)).collect();
    assert!(neighbors.len() <= 4 && strangers.len() >= 4, "{neighbors:?}");
    for stranger in &strangers {
        // Whoever has become a neighbour meanwhile is one hop away.
        let near = nodes[0].ids("active").contains(&stranger.id);
        assert!(hops(&nodes[0], stranger) > 1 || near || nodes[0].ids("active").contains(&stranger.id));
    }
    check_relay("everywhere", strangers[0], &nodes.iter().collect::<Vec<_>>());
}

/// With c = 0 a node is kept by as many as its contact's view has entries, so that not everybody is everybody's neighbour.
#[test]
fn letters_find_their_way_to_those_outside_a_view_by_subscription() {
    let mut nodes: Vec<Node> = (0..12).map(|number| Node::new(&format!("n{number}"))).collect();
    let contact = nodes[0].addr.clone();
    let scamp = ["--membership", "scamp", "--scamp-copies", "0"];
    nodes[0].start(&scamp);
    nodes[1..].iter_mut().for_each(|node| node.start(&[&scamp[..], &["--join", &contact]].concat()));
    wait_until("joined", || nodes.iter().all(|node| !node.ids("active").is_empty()));
    let mut relayed = 0;
    wait_until("somebody is not a neighbour of somebody", || {
        for (from, to) in nodes.iter().zip(nodes.iter().cycle().skip(5)) {
            let apart = || !from.ids("active").contains(&to.id);
            if apart() && hops(from, to) > 1 && apart() {
                relayed += 1;
            }
        }
        relayed > 0
    });
    let lost = nodes[0].ask(&["ping", "77", "--count", "1"]).expect_err("nobody has this id");
    assert!(lost.contains("no route to it was found: it is not in this cluster"), "{lost}");
    check_relay("everywhere", &nodes[11], &nodes.iter().collect::<Vec<_>>());
}

#[test]
fn nodes_that_know_nothing_but_a_port_mapper_daemon_live_through_kills_moves_leaves_and_returns() {
    let daemon = support::epmd::StandIn::start();
    let port = daemon.port.to_string();
    let by_epmd = ["--membership", "epmd", "--epmd-port", &port];
    let [mut a, mut b, mut c] = ["a", "b", "c"].map(Node::new);
    for node in [&mut a, &mut b, &mut c] {
        node.start(&by_epmd);
    }
    wait_for_neighbors("found", &a, &[&b, &c]);
    wait_for_neighbors("found", &b, &[&a, &c]);
    assert_eq!(daemon.names().len(), 3);
    check_relay("first", &b, &[&a, &c]);
    let counted = |node: &Node, name: &str| {
        let status: Value = serde_json::from_str(&node.ask(&["status", "--json"]).expect("served")).expect("JSON");
        status["metrics"][name].as_u64().unwrap_or_else(|| panic!("no {name} in {status}"))
    };
    wait_until("counted", || counted(&a, "epmd_registrations") == 1 && counted(&a, "epmd_lookups") > 0);
    assert_eq!((counted(&a, "epmd_registrations_failed"), counted(&a, "epmd_lookups_failed")), (0, 0));
    assert!([&a, &b, &c].iter().map(|node| counted(node, "epmd_found")).sum::<u64>() >= 2);

    // Killed: the daemon forgets it, the members do not. It is found where it comes back.
    c.kill();
    wait_until("forgotten by the daemon", || daemon.names().len() == 2);
    wait_until("unreachable", || a.ids("reachable") == ids([&b]));
    assert_eq!(a.ids("members"), ids([&b, &c]), "a daemon removes nobody");
    c.addr = free_address();
    c.start(&by_epmd);
    wait_for_neighbors("back", &a, &[&b, &c]);
    check_relay("second", &c, &[&a, &b]);

    // Left in good order, and come again.
    c.leave();
    wait_until("gone", || [&a, &b].iter().all(|node| !node.ids("members").contains(&c.id)));
    c.start(&by_epmd);
    wait_for_neighbors("come again", &c, &[&a, &b]);
    check_relay("third", &c, &[&a, &b]);
}

/// Eight nodes with settings of their own are one overlay with views within bounds; three are killed at once, and the others are
/// one overlay again. The groups of the reference implementation's tests that this stands for are named in docs/membership.md.
fn one_overlay(settings: impl Fn(usize) -> &'static [&'static str], most: usize) -> Vec<Node> {
    let mut nodes: Vec<Node> = (0..8).map(|number| Node::new(&format!("n{number}"))).collect();
    let contact = nodes[0].addr.clone();
    nodes[0].start(settings(0));
    for (number, node) in nodes.iter_mut().enumerate().skip(1) {
        node.start(&[settings(number), &["--join", &contact]].concat());
    }
    let whole = |nodes: &[Node]| {
        let views: Vec<_> = nodes.iter().map(|node| (node.id.as_str(), node.ids("active"))).collect();
        assert!(views.iter().all(|(_, view)| view.len() <= most), "{views:?}");
        support::is_whole(&views)
    };
    wait_until("one overlay", || whole(&nodes));
    check_relay("before", &nodes[1], &nodes.iter().collect::<Vec<_>>());
    // Whom all came through is among the killed.
    let mut killed: Vec<Node> = [5, 3, 0].into_iter().map(|number| nodes.remove(number)).collect();
    killed.iter_mut().for_each(Node::kill);
    wait_until("one overlay again", || whole(&nodes));
    check_relay("after", &nodes[0], &nodes.iter().collect::<Vec<_>>());
    nodes
}

#[test]
fn small_views_make_one_overlay() {
    one_overlay(|_| &["--active-view", "4"], 4);
}

#[test]
fn views_with_room_for_all_make_one_overlay() {
    one_overlay(|_| &["--active-view", "7"], 7);
}

#[test]
fn clients_that_keep_a_place_for_servers_make_one_overlay_and_have_one() {
    let nodes = one_overlay(|number| if number < 3 { &["--tag", "server"] } else { &["--reserve", "server=1"] }, 5);
    let servers: BTreeSet<String> = nodes[..2].iter().map(|node| node.id.clone()).collect();
    wait_until("every client has a server", || nodes[2..].iter().all(|node| !node.ids("active").is_disjoint(&servers)));
}

#[test]
fn views_that_are_optimised_make_one_overlay() {
    one_overlay(|_| &["--active-view", "4", "--optimise", "rtt"], 4);
}

/// What a strategy needs besides its name: of the first node, and of the others.
fn roles(strategy: &str) -> [&'static [&'static str]; 2] {
    match strategy {
        "client-server" => [&["--role", "server"], &["--role", "client"]],
        _ => [&[], &[]],
    }
}

#[test]
fn another_strategy_takes_nothing_but_another_setting() {
    let [mut a, mut b] = ["a", "b"].map(Node::new);
    let contact = a.addr.clone();
    let mut known = BTreeSet::new();
    for strategy in ["hyparview", "full", "client-server", "static", "manual", "scamp", "hyparview"] {
        let [first, other] = roles(strategy);
        a.start(&[&["--membership", strategy], first].concat());
        b.start(&[&["--membership", strategy, "--join", &contact], other].concat());
        wait_for_neighbors(strategy, &a, &[&b]);
        check_relay(strategy, &b, &[&a]);
        known.insert((a.id.clone(), b.id.clone()));
        b.leave();
        a.kill();
    }
    assert_eq!(known.len(), 1, "the same identities throughout");
}

#[test]
fn strategies_do_not_mix_and_who_tries_is_told() {
    let [mut a, mut b] = ["a", "b"].map(Node::new);
    let contact = a.addr.clone();
    a.start(&["--membership", "hyparview"]);
    b.start(&["--membership", "hyparview", "--join", &contact]);
    check_relay("before", &b, &[&a]);
    b.leave();
    // Switched one after the other, the second is refused until the first is switched, too.
    let hasty = ["node", "--listen", &b.addr, "--data-dir", &b.dir, "--membership", "full", "--join", &contact];
    let output = lasp(&hasty).args(["--join-timeout", "500ms"]).output().expect("the binary runs");
    let error = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains("another dialect") && error.contains("\"hyparview\"") && error.contains("\"full\""),
        "{error}"
    );
    assert_eq!(a.ids("active"), BTreeSet::new(), "it was not let in");
    assert_eq!(a.ask(&["get", "before"]).expect("it still has its data").trim(), "1");
    b.start(&["--membership", "full", "--join", &contact]);
    a.leave();
    a.start(&["--membership", "full", "--join", &b.addr]);
    wait_for_neighbors("switched", &a, &[&b]);
    check_relay("after", &a, &[&b]);
}

#[test]
fn settings_that_do_not_go_together_are_refused_with_what_to_do() {
    let refused = |args: &[&str]| {
        let output = lasp(&["node", "--listen", "127.0.0.1:0"]).args(args).output().expect("the binary runs");
        assert!(!output.status.success(), "{args:?}");
        String::from_utf8(output.stderr).expect("text")
    };
    let cases: [(&[&str], &str); 13] = [
        (&["--membership", "swim"], "one of hyparview, full"),
        (&["--membership", "client-server"], "membership client-server needs `--role`: server or client"),
        (&["--role", "client"], "`--role` is for membership client-server; this node's membership is hyparview"),
        (&["--membership", "client-server", "--role", "boss"], "unknown role \"boss\": one of server, client"),
        (&["--membership", "client-server", "--role", "client"], "give the servers' addresses as `--join`"),
        (&["--passive-view", "4"], "`--passive-view` is 4, but must be at least the 7 peers that a shuffle offers"),
        (
            &["--active-view", "2"],
            "`--active-view` is 2, but must be at least 3: with fewer the overlay is made of rings",
        ),
        (&["--reserve", "server=5"], "`--reserve` is 5, but must be less than `--active-view` (5) in all"),
        (&["--membership", "full", "--optimise", "rtt"], "`--optimise` is for membership hyparview"),
        (&["--membership", "scamp", "--scamp-version", "3"], "`--scamp-version` is 3, but must be 1 or 2"),
        (
            &["--membership", "manual", "--evict-after", "1m"],
            "`--evict-after` is for membership full and client-server",
        ),
        (&["--epmd-port", "4369"], "`--epmd-port` is for membership epmd; this node's membership is hyparview"),
        (
            &["--membership", "epmd", "--epmd-hosts", "a:b"],
            "`--epmd-hosts` has \"a:b\", which is not HOST or HOST:PORT",
        ),
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
