//! What a node does where the machine gives it too little: descriptors, ports, memory, privileges. Each is a clear error or a
//! bounded refusal, never a panic and never a busy loop.

#![cfg(target_os = "linux")]

mod support;

use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Nothing here takes this long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(60);

const LASP: &str = env!("CARGO_BIN_EXE_lasp");

/// `lasp ARGS` after some words of the shell, such as `ulimit -n 16`.
fn after(words: &str, args: &[&str]) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("{words} && exec \"$0\" \"$@\"")).arg(LASP).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LASP_")) {
        command.env_remove(name);
    }
    command
}

fn error_of(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!error.contains("panicked"), "{error}");
    error
}

/// A running node; killed if the test does not end it.
struct Node {
    process: Child,
    addr: String,
}

impl Node {
    fn start(mut command: Command) -> Self {
        let mut process = command.spawn().expect("the shell runs");
        let mut greeting = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut greeting).expect("a line");
        let addr = greeting.split(' ').nth(2).unwrap_or_else(|| panic!("{greeting:?}")).to_owned();
        Self { process, addr }
    }

    /// Kills it; what it has complained of.
    fn complaints(mut self) -> String {
        let _ = self.process.kill(); // unless it has ended already
        self.process.wait().expect("a child");
        let mut log = String::new();
        self.process.stderr.take().expect("piped").read_to_string(&mut log).expect("text");
        assert!(!log.contains("panicked"), "{log}");
        log
    }

    fn ask(&self, args: &[&str]) -> Result<String, String> {
        let output = after("true", args).args(["--connect", &self.addr]).output().expect("the binary runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() { Ok(said) } else { Err(error_of(&output)) }
    }

    fn metric(&self, name: &str) -> Option<u64> {
        let status: Value = serde_json::from_str(&self.ask(&["status", "--json"]).ok()?).expect("JSON");
        status["metrics"][name].as_u64()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill(); // unless it has ended already
        let _ = self.process.wait();
    }
}

fn wait_until(what: &str, done: impl FnMut() -> bool) {
    support::wait_within(PATIENCE, what, done);
}

#[test]
fn with_too_few_descriptors_a_node_says_how_many_it_needs() {
    for limit in ["8", "16", "30"] {
        let output = after(&format!("ulimit -n {limit}"), &["node", "--listen", "127.0.0.1:0"]).output();
        let output = output.expect("the shell runs");
        let error = error_of(&output);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.starts_with("error: this process may open only "), "{error}");
        assert!(error.contains("and a node needs 32; raise the limit: ulimit -n 1024"), "{error}");
    }
}

#[test]
fn a_flood_that_takes_all_descriptors_is_turned_away_and_told_why() {
    let node = Node::start(after("ulimit -n 48", &["node", "--listen", "127.0.0.1:0"]));
    let begun = Instant::now();
    let flood: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(&node.addr).expect("the system's queue")).collect();
    let told = |stream: &TcpStream| {
        let mut bytes = [0; 256];
        stream.set_nonblocking(true).expect("a socket");
        let read = stream.peek(&mut bytes).unwrap_or(0);
        String::from_utf8_lossy(&bytes[..read]).contains("no file descriptors left")
    };
    wait_until("somebody is turned away", || flood.iter().any(told));
    drop(flood);
    wait_until("the node serves again", || node.metric("connections_turned_away").is_some_and(|count| count > 0));
    let tries = node.metric("accepts_failed").expect("served");
    let pauses = u64::try_from(begun.elapsed().as_millis() / 100).expect("a short time");
    assert!((1..=pauses + 1).contains(&tries), "{tries} tries in {pauses} pauses: it does not try all the time");
    let log = node.complaints();
    let complaint = "cannot accept connections: ";
    assert_eq!(log.matches(complaint).count(), 1, "{log}");
    assert!(log.contains("this process may open no more; raise its limit (ulimit -n)"), "{log}");
}

#[test]
fn a_peer_that_was_turned_away_is_let_in_as_soon_as_there_is_room() {
    let poor = Node::start(after("ulimit -n 48", &["node", "--listen", "127.0.0.1:0"]));
    // Silent connections hold what there is until their handshakes are given up.
    let flood: Vec<TcpStream> = (0..60).map(|_| TcpStream::connect(&poor.addr).expect("the system's queue")).collect();
    let join = ["node", "--listen", "127.0.0.1:0", "--join", &poor.addr];
    let mut peer = Node::start(after("true", &join));
    let mut log = BufReader::new(peer.process.stderr.take().expect("piped")).lines();
    let mut refused = log.by_ref().map(|line| line.expect("text")).take_while(|line| !line.contains(" is up"));
    assert!(refused.any(|line| line.contains("no file descriptors left")), "it was not turned away");
    drop(flood);
    wait_until("the peer is linked", || peer.metric("neighbors_up") == Some(1));
    wait_until("so is the node", || poor.metric("neighbors_up") == Some(1));
    drop(poor.complaints());
}

#[test]
fn addresses_that_nobody_can_listen_at_are_refused_with_what_to_do() {
    for (addr, expected) in [
        (
            "nowhere",
            "cannot listen at nowhere: invalid socket address; listen at an address of this machine, as HOST:PORT",
        ),
        ("127.0.0.1:70000", "cannot listen at 127.0.0.1:70000: invalid port value"),
        ("192.0.2.1:4100", "this machine has no such address"),
        ("0.0.0.0:0", "give an address to advertise, as HOST:PORT"),
        ("255.255.255.255:1", "others cannot reach this node at 255.255.255.255:1; give an address to advertise"),
    ] {
        let output = after("true", &["node", "--listen", addr]).output().expect("the binary runs");
        let error = error_of(&output);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains(expected), "{addr}: {error}");
    }
}

/// Whether a command can be run here; says so where not.
fn possible(what: &str, program: &str, args: &[&str]) -> bool {
    let tried = Command::new(program).args(args).output();
    let possible = tried.as_ref().is_ok_and(|output| output.status.success());
    if !possible {
        eprintln!("SKIPPED {what}: `{program} {}` is not possible here: {tried:?}", args.join(" "));
    }
    possible
}

#[test]
fn a_privileged_port_is_refused_with_what_to_do() {
    let first = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap_or_default();
    if first.trim().parse::<u32>().is_ok_and(|first| first <= 80) {
        return eprintln!(
            "SKIPPED a privileged port: there is none here (ip_unprivileged_port_start is {})",
            first.trim()
        );
    }
    // The tests may be root's, who may listen anywhere: then as nobody.
    let as_nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let id = Command::new("id").arg("-u").output().expect("id runs");
    let mut command = match String::from_utf8_lossy(&id.stdout).trim() {
        "0" if !possible("a privileged port", "setpriv", &[&as_nobody[..], &[LASP, "--version"]].concat()) => return,
        "0" => {
            let mut command = Command::new("setpriv");
            command.args(as_nobody).arg(LASP);
            command
        }
        _ => Command::new(LASP),
    };
    let output = command.args(["node", "--listen", "127.0.0.1:80"]).output().expect("it runs");
    let error = error_of(&output);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("cannot listen at 127.0.0.1:80: Permission denied"), "{error}");
    assert!(error.contains("ports below 1024 need privileges: choose a higher one"), "{error}");
}

#[test]
fn where_no_port_is_free_listening_and_dialling_say_so() {
    if !possible("no free port", "unshare", &["-rn", "ip", "link", "set", "lo", "up"]) {
        return;
    }
    // A network of its own with two ports to give away.
    let script = r#"ip link set lo up
        echo '40000 40001' > /proc/sys/net/ipv4/ip_local_port_range
        "$0" node --listen 127.0.0.1:4100 & a=$!
        "$0" node --listen 127.0.0.1:0 & b=$!
        "$0" node --listen 127.0.0.1:0 & c=$!
        for look in $(seq 600); do
            listening=$(grep -c ' 0100007F:\(1004\|9C40\|9C41\) 00000000:0000 0A ' /proc/net/tcp)
            [ "$listening" -eq 3 ] && break
            sleep 0.1
        done
        "$0" node --listen 127.0.0.1:0
        echo "code $?"
        "$0" node --listen 127.0.0.1:4101 --join 127.0.0.1:4100 --join-timeout 300ms
        echo "code $?"
        kill -9 $a $b $c"#;
    let output = Command::new("unshare").args(["-rn", "sh", "-c", script, LASP]).output().expect("unshare runs");
    let (said, error) = (String::from_utf8_lossy(&output.stdout), error_of(&output));
    assert_eq!(said.matches("code 1").count(), 2, "{said} {error}");
    assert!(error.contains("cannot listen at 127.0.0.1:0: Address already in use"), "{error}");
    assert!(error.contains("no port is free: end what uses them up, or widen the range"), "{error}");
    assert!(error.contains("cannot link to 127.0.0.1:4100: Cannot assign requested address"), "{error}");
    assert!(error.contains("there is no free port or no address here to connect from"), "{error}");
}

/// The address space of a node that has just started, in KiB.
fn address_space() -> u64 {
    let node = Node::start(after("true", &["node", "--listen", "127.0.0.1:0"]));
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.process.id())).expect("it runs");
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).expect("Linux tells");
    size.trim().trim_end_matches("kB").trim().parse().expect("a number")
}

#[test]
fn without_memory_for_a_thread_a_request_is_refused_and_the_node_goes_on() {
    // A thread needs 2 MiB for its stack.
    let limit = format!("ulimit -v {}", address_space() + 1000);
    let node = Node::start(after(&limit, &["node", "--listen", "127.0.0.1:0"]));
    let refused = node.ask(&["update", "x", "increment", "--declare", "gcounter"]).expect_err("no thread");
    assert!(refused.contains("the node cannot start a thread for this: "), "{refused}");
    assert!(refused.contains("help: give it more memory, or raise its limit of threads"), "{refused}");
    assert!(node.metric("updates").is_some(), "it still serves what needs no thread");
    assert_eq!(node.complaints(), "");
}

#[test]
fn without_memory_for_its_state_a_node_ends_with_the_reason_and_the_others_go_on() {
    let mut other = Node::start(after("true", &["node", "--listen", "127.0.0.1:0", "--interest", "none"]));
    let limit = format!("ulimit -v {}", address_space() + 12_000);
    let poor = Node::start(after(&limit, &["node", "--listen", "127.0.0.1:0", "--join", &other.addr]));
    wait_until("joined", || poor.metric("neighbors_up").is_some_and(|ups| ups > 0));
    let words = "x".repeat(100_000);
    let lost = (0..200).find_map(|number| {
        poor.ask(&["update", "big", &format!("{{add, \"{number} {words}\"}}"), "--declare", "set"]).err()
    });
    let lost = lost.expect("20 MB do not fit");
    assert!(
        lost.contains("is lost: the node closed it, or was killed") || lost.contains("cannot start a thread"),
        "{lost}"
    );
    if lost.contains("is lost") {
        let log = poor.complaints();
        assert!(log.contains("memory allocation of ") && log.contains(" bytes failed"), "{log}");
    }
    assert!(other.metric("neighbors_up").is_some() && other.process.try_wait().expect("a child").is_none());
}
