//! `lasp node` as a process: what it prints, what it refuses, how it ends.

mod support;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use support::commands::PATIENCE;
use support::running::Running;

fn lasp(args: &[&str]) -> Command {
    support::commands::lasp(&[&["node"], args].concat())
}

/// A running node; killed if the test does not end it.
struct Node {
    running: Running,
    addr: String,
    greeting: String,
}

impl Node {
    fn start(args: &[&str]) -> Self {
        let mut running = Running::start(lasp(&[&["--listen", "127.0.0.1:0"], args].concat()));
        let greeting = running.line();
        let addr = greeting.split(' ').nth(2).unwrap_or_default().to_owned();
        Self { running, addr, greeting }
    }

    /// Sends a signal; how the process ended, and its log.
    fn end(self, signal: &str) -> (Option<i32>, String) {
        self.running.signal(&format!("-{signal}"));
        let (log, code) = self.running.end();
        (code, log)
    }
}

fn fails(mut command: Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command.output().expect("the binary runs");
    (status.code(), String::from_utf8(stderr).expect("text"))
}

/// A path of its own for each caller.
fn scratch(name: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let unique = format!("{}-{}-{name}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique)
}

#[test]
fn nodes_link_and_leave_in_good_order_on_either_signal() {
    let a = Node::start(&["--name", "a", "--cluster", "shop"]);
    assert!(a.greeting.contains("(node a id ") && a.greeting.ends_with(" cluster shop)\n"), "{}", a.greeting);
    let mut command = lasp(&["--listen", "127.0.0.1:0", "--join-timeout", "30s", "--status-interval", "10ms"]);
    command.env("LASP_CLUSTER", "shop").env("LASP_JOIN", &a.addr);
    let mut b = Running::start(command);
    let mut lines = BufReader::new(b.process.stderr.take().expect("piped")).lines();
    assert!(lines.any(|line| line.expect("text").contains("neighbours 1 ")), "b never joined");
    drop(b);
    let (code, log) = a.end("TERM");
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("SIGTERM: leaving the cluster") && log.trim_end().ends_with("left"), "{log}");
    assert_eq!(Node::start(&[]).end("INT").0, Some(0));
}

#[test]
fn an_identity_outlives_its_process_and_belongs_to_one_at_a_time() {
    let dir = scratch("data");
    let dir = dir.to_str().expect("text");
    let first = Node::start(&["--name", "a", "--data-dir", dir]);
    let (code, error) = fails(lasp(&["--listen", "127.0.0.1:0", "--data-dir", dir]));
    assert_eq!(code, Some(1));
    assert!(error.contains("is in use by another process; stop that, or choose another"), "{error}");
    let name_and_id = |node: &Node| node.greeting.split_once('(').map(|(_, who)| who.to_owned());
    let before = name_and_id(&first);
    drop(first); // killed: no time to say goodbye
    let second = Node::start(&["--data-dir", dir]);
    assert_eq!(name_and_id(&second), before);
}

#[test]
fn a_second_process_of_the_same_name_ends_and_the_first_lives_on() {
    let first = Node::start(&["--name", "a"]);
    let (code, error) = fails(lasp(&["--listen", "127.0.0.1:0", "--name", "a", "--join", &first.addr]));
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("its identity is in use by") && error.contains(&first.addr), "{error}");
    assert_eq!(first.end("TERM").0, Some(0));
}

#[test]
fn what_keeps_a_node_from_starting_is_told_with_what_to_do() {
    let holder = Node::start(&[]);
    let cases: [(&[&str], &str); 6] = [
        (&["--listen", "127.0.0.1:0", "--fanout", "2"], "`--fanout` is of exchanges at intervals, and there are none"),
        (&["--listen", "127.0.0.1:0", "--sync", "state", "--propagation-interval", "0s"], "must be at least 1ms"),
        (&["--listen", &holder.addr], "stop it, or choose another port"),
        (&["--listen", "127.0.0.1:0", "--data-dir", "/proc/none"], "make it writable or choose another"),
        (&["--listen", "0.0.0.0:0"], "give an address to advertise"),
        (&["--listen", "127.0.0.1:0", "--join", "nowhere"], "it is not HOST:PORT"),
    ];
    for (args, expected) in cases {
        let (code, error) = fails(lasp(args));
        assert_eq!(code, Some(1), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn joining_gives_up_only_when_told_to_and_says_why() {
    let a = Node::start(&["--cluster", "shop"]);
    let join = |cluster: &str, contact: &str| {
        fails(lasp(&["--listen", "127.0.0.1:0", "--cluster", cluster, "--join", contact, "--join-timeout", "300ms"]))
    };
    let (code, error) = join("zoo", &a.addr);
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("belongs to cluster \"shop\", not to \"zoo\""), "{error}");
    let (code, error) = join("shop", "127.0.0.1:1");
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("cannot link to 127.0.0.1:1: Connection refused"), "{error}");
    assert!(error.contains("could not join through 127.0.0.1:1 within 300ms"), "{error}");
    assert_eq!(a.end("TERM").0, Some(0));
}

#[test]
fn nodes_that_exchange_otherwise_understand_each_other() {
    let often = ["--propagation-interval", "50ms"];
    let hub = Node::start(&["--sync", "digest", "--pace", "5ms"]);
    let others: [&[&str]; 4] = [
        &["--dissemination", "gossip", "--sync", "state"],
        &["--dissemination", "gossip", "--sync", "delta", "--fanout", "2"],
        &["--dissemination", "hybrid", "--sync", "delta-bp-rr"],
        &["--dissemination", "flood", "--sync", "delta-rr"],
    ];
    let join = ["--join", &hub.addr];
    let nodes: Vec<Node> = others.map(|args| Node::start(&[args, &often, &join].concat())).into_iter().collect();
    let say = |node: &Node, args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lasp"));
        let output = command.args(args).args(["--connect", &node.addr]).env_clear().output().expect("the binary runs");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    let all: Vec<&Node> = nodes.iter().chain([&hub]).collect();
    for (number, node) in all.iter().enumerate() {
        say(node, &["update", "told", &format!("{{add, {number}}}"), "--declare", "awset"]);
    }
    let since = Instant::now();
    let everything = "set[0, 1, 2, 3, 4]";
    while !all.iter().all(|node| say(node, &["get", "told"]).contains(everything)) {
        assert!(
            since.elapsed() < PATIENCE,
            "{:?}",
            all.iter().map(|node| say(node, &["get", "told"])).collect::<Vec<_>>()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn settings_that_make_no_sense_are_wrong_usage() {
    let file = scratch("lasp.toml");
    std::fs::write(&file, "name = 'a'\nclustr = 'b'\n").expect("writable");
    let file = file.to_str().expect("text");
    let (code, error) = fails(lasp(&["--config", file]));
    assert_eq!(code, Some(64));
    assert!(error.contains(&format!("{file}:2: unknown key `clustr`; did you mean `cluster`?")), "{error}");
    let mut command = lasp(&[]);
    command.env("LASP_MEMBERSHIP", "swim");
    let (code, error) = fails(command);
    assert_eq!(code, Some(64));
    assert!(error.contains("LASP_MEMBERSHIP=\"swim\": unknown membership"), "{error}");
}
