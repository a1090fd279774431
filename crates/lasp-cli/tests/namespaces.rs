//! Nodes in network namespaces of their own, on two sites joined by one cable: it is cut and mended, or slow and lossy.
//!
//! Needs Linux with `ip`, `unshare` and `nsenter`, and either root or user namespaces; says `SKIPPED` and why where that is not
//! so. Everything is in namespaces that vanish with the test, however it ends.

#![cfg(target_os = "linux")]

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// Nothing here takes this long unless it is broken: a neighbour that was cut off is tried again every 30 s at most.
const PATIENCE: Duration = Duration::from_secs(120);

const LASP: &str = env!("CARGO_BIN_EXE_lasp");

/// A process that keeps a namespace; it ends with the test, whose end of a pipe it reads.
struct Namespace(Child);

impl Namespace {
    /// The first words of a command line make the namespace.
    fn made_by(words: &[&str]) -> Option<Self> {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(["sh", "-c", "ip link set lo up && echo ready && exec cat > /dev/null"]);
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
        let mut process = spawned.ok()?;
        let mut said = String::new();
        BufReader::new(process.stdout.take()?).read_line(&mut said).ok()?;
        let namespace = Self(process);
        (said == "ready\n").then_some(namespace)
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }

    /// A command inside.
    fn inside(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.pid(), "--user", "--net", "--preserve-credentials", "--", program]).args(args);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LASP_")) {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn output(&self, program: &str, args: &[&str]) -> Output {
        self.inside(program, args).output().expect("nsenter runs")
    }

    fn ip(&self, args: &str) {
        let output = self.output("ip", &args.split(' ').collect::<Vec<_>>());
        assert!(output.status.success(), "ip {args}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.0.kill(); // unless it has ended already
        let _ = self.0.wait();
    }
}

/// A node in a namespace.
struct Node {
    namespace: Namespace,
    addr: String,
    id: String,
    process: Option<Child>,
}

impl Node {
    fn start(&mut self, args: &[&str]) {
        let place = ["node", "--listen", &self.addr, "--control", "any", "--log-level", "error"];
        let mut command = self.namespace.inside(LASP, &[&place[..], args].concat());
        let mut process = command.stderr(Stdio::inherit()).spawn().expect("nsenter runs");
        let mut greeting = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut greeting).expect("a line");
        let id = greeting.split_once(" id ").and_then(|(_, rest)| rest.split(' ').next());
        self.id = id.unwrap_or_else(|| panic!("{greeting:?}")).to_owned();
        self.process = Some(process);
    }

    fn ask(&self, args: &[&str]) -> Result<String, String> {
        let output = self.namespace.output(LASP, &[args, &["--connect", &self.addr]].concat());
        let text = |bytes| String::from_utf8(bytes).expect("text");
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    /// The ids in one of the lists of `members --json`.
    fn ids(&self, list: &str) -> BTreeSet<String> {
        let text = self.ask(&["members", "--json"]).unwrap_or_else(|_| "{}".to_owned());
        let members: Value = serde_json::from_str(&text).expect("JSON");
        let id = |entry: &Value| entry.as_str().or_else(|| entry["id"].as_str()).map(str::to_owned);
        members[list].as_array().into_iter().flatten().filter_map(id).collect()
    }

    fn increment(&self, variable: &str) {
        let wrote = self.ask(&["update", variable, "increment", "--declare", "gcounter"]);
        assert!(wrote.is_ok(), "{wrote:?}");
    }

    fn holds(&self, variable: &str, value: &str) -> bool {
        self.ask(&["get", variable]).is_ok_and(|text| text.trim() == value)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill(); // unless it has ended already
            let _ = process.wait();
        }
    }
}

/// Two sites, each a bridge with nodes at it, and a cable between the bridges.
struct Network {
    nodes: Vec<Node>,
    hub: Namespace,
}

impl Network {
    /// `size` nodes at each site; `None`, and a word why, where this machine does not allow it.
    fn build(size: usize) -> Option<Self> {
        let Some(hub) = Namespace::made_by(&["unshare", "--map-root-user", "--net"]) else {
            eprintln!("SKIPPED: no network namespaces here (needs `unshare`, `ip`, and root or user namespaces)");
            return None;
        };
        for site in ["west", "east"] {
            hub.ip(&format!("link add {site} type bridge"));
            hub.ip(&format!("link set {site} up"));
        }
        hub.ip("link add cable type veth peer name cable-end");
        hub.ip("link set cable master west up");
        hub.ip("link set cable-end master east up");
        let within = ["nsenter", "--target", &hub.pid(), "--user", "--preserve-credentials", "--", "unshare", "--net"];
        let node = |number: usize| {
            let namespace = Namespace::made_by(&within).expect("one works, so all do");
            let (wire, site) = (format!("wire{number}"), if number < size { "west" } else { "east" });
            hub.ip(&format!("link add {wire} type veth peer name eth0 netns {}", namespace.pid()));
            hub.ip(&format!("link set {wire} master {site} up"));
            namespace.ip(&format!("addr add 10.77.0.{}/24 dev eth0", number + 1));
            namespace.ip("link set eth0 up");
            Node { namespace, addr: format!("10.77.0.{}:4100", number + 1), id: String::new(), process: None }
        };
        Some(Self { nodes: (0..2 * size).map(node).collect(), hub })
    }

    /// Starts all, joining through the first.
    fn start(&mut self, args: &[&str]) {
        let contact = self.nodes[0].addr.clone();
        self.nodes[0].start(args);
        self.nodes[1..].iter_mut().for_each(|node| node.start(&[args, &["--join", &contact]].concat()));
    }

    fn sites(&self) -> [&[Node]; 2] {
        let (west, east) = self.nodes.split_at(self.nodes.len() / 2);
        [west, east]
    }

    fn cut(&self) {
        self.hub.ip("link set cable down");
    }

    fn mend(&self) {
        self.hub.ip("link set cable up");
    }
}

fn wait_until(what: &str, done: impl FnMut() -> bool) {
    support::wait_within(PATIENCE, what, done);
}

/// Whether some nodes are one overlay, and know nobody else.
fn is_whole(nodes: &[&Node]) -> bool {
    let views: Vec<_> = nodes.iter().map(|node| (node.id.as_str(), node.ids("active"))).collect();
    support::is_whole(&views)
}

fn ids(nodes: &[Node]) -> BTreeSet<String> {
    nodes.iter().map(|node| node.id.clone()).collect()
}

/// The cable is cut until both sides have noticed, each side goes on, it is mended, and all is as if nothing had been.
fn cut_and_mended(strategy: &str) {
    let Some(mut network) = Network::build(3) else { return };
    network.start(&["--membership", strategy]);
    let all: Vec<&Node> = network.nodes.iter().collect();
    wait_until("all are linked", || is_whole(&all));
    all[0].increment("before");
    wait_until("what is written before is everywhere", || all.iter().all(|node| node.holds("before", "1")));

    network.cut();
    let [west, east] = network.sites();
    for (here, there) in [(west, east), (east, west)] {
        let gone = ids(there);
        wait_until("the other side is noticed to be gone", || {
            here.iter().all(|node| node.ids("active").is_disjoint(&gone) && node.ids("reachable").is_disjoint(&gone))
        });
        wait_until("this side hangs together", || is_whole(&here.iter().collect::<Vec<_>>()));
    }
    for (side, variable) in [(west, "west"), (east, "east")] {
        side[0].increment(variable);
        side[1].increment("both");
        wait_until("each side goes on", || {
            side.iter().all(|node| node.holds(variable, "1") && node.holds("both", "1"))
        });
    }
    assert!(west.iter().all(|node| !node.holds("east", "1")) && east.iter().all(|node| !node.holds("west", "1")));

    network.mend();
    wait_until("all are linked again", || is_whole(&all));
    wait_until("both sides' data is everywhere", || {
        all.iter().all(|node| node.holds("west", "1") && node.holds("east", "1") && node.holds("both", "2"))
    });
    // A connection from before the cut may be found dead only now, and be made anew.
    wait_until("and they are so in the end", || is_whole(&all));
}

#[test]
fn partial_views_live_through_a_cut_cable() {
    cut_and_mended("hyparview");
}

#[test]
fn full_membership_lives_through_a_cut_cable() {
    cut_and_mended("full");
}

#[test]
fn a_cable_that_flaps_leaves_one_overlay_and_all_data() {
    let Some(mut network) = Network::build(2) else { return };
    network.start(&[]);
    let all: Vec<&Node> = network.nodes.iter().collect();
    wait_until("all are linked", || is_whole(&all));
    for turn in 1..=3 {
        network.cut();
        all[0].increment("turns");
        all[3].increment("turns");
        network.mend();
        let sum = (2 * turn).to_string();
        wait_until("what both sides wrote adds up", || all.iter().all(|node| node.holds("turns", &sum)));
    }
    wait_until("all are linked", || is_whole(&all));
}

#[test]
fn a_slow_and_lossy_cable_delays_and_loses_nothing() {
    let Some(mut network) = Network::build(2) else { return };
    let slow = ["qdisc", "add", "dev", "cable", "root", "netem", "delay", "80ms", "20ms", "loss", "5%"];
    let output = network.hub.output("tc", &slow);
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return eprintln!("SKIPPED a slow and lossy cable: the kernel has no netem here: {why}");
    }
    network.start(&[]);
    let all: Vec<&Node> = network.nodes.iter().collect();
    wait_until("all are linked", || is_whole(&all));
    for node in &all {
        (0..3).for_each(|_| node.increment("counted"));
    }
    wait_until("nothing is lost", || all.iter().all(|node| node.holds("counted", "12")));
    assert!(is_whole(&all), "and nobody was taken for dead");
}
