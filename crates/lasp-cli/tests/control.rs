//! The commands that talk to a running node, as processes: what they print, how they fail, and with which exit code.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;
use support::commands::{Node, PATIENCE, lasp, said};
use support::running::Running;

fn scratch(name: &str, text: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let dir = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(dir);
    std::fs::create_dir_all(&dir).expect("writable");
    std::fs::write(dir.join(name), text).expect("writable");
    dir.join(name)
}

/// The JSON object on each line.
fn objects(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

#[test]
fn a_variable_is_updated_and_read() {
    let node = Node::start(&[]);
    assert_eq!(node.prints(&["update", "ads", "{add, [2, 1]}", "--declare", "set"]), "");
    assert_eq!(node.prints(&["get", "ads"]), "set[1, 2]\n");
    assert_eq!(node.prints(&["get", "ads", "--json"]), "{\"name\":\"ads\",\"type\":\"set\",\"value\":[1,2]}\n");
    assert_eq!(node.prints(&["update", "ads", "{rmv, 2}", "--json"]), "{\"name\":\"ads\",\"updated\":true}\n");
    assert_eq!(node.prints(&["get", "ads"]), "set[1]\n");
    let error = node.fails(&["get", "asd"], 1);
    assert_eq!(error, "error: node a has no variable \"asd\"\nhelp: did you mean \"ads\"?\n");
    let error = node.fails(&["update", "ads", "{ad, 1}"], 2);
    assert!(error.contains("set has no operation `ad`") && error.contains("--> operation:1:2"), "{error}");
    let error = node.fails(&["update", "ads", "{add, 1"], 2);
    assert!(error.contains("expected"), "{error}");
    let error = node.fails(&["update", "n", "increment", "--declare", "gcountr"], 2);
    assert!(error.contains("did you mean `gcounter`?"), "{error}");
    assert!(node.fails(&["update", "n", "increment"], 1).contains("no variable"));
    node.prints(&["update", "ads", "{add, 3}", "--declare", "awset"]);
    let error = node.fails(&["update", "ads", "{add, 4}", "--declare", "gset"], 1);
    assert!(error.contains("ads is already declared as set, not gset"), "{error}");
    assert_eq!(node.prints(&["get", "ads"]), "set[1, 3]\n");
}

#[test]
fn a_watch_prints_each_change_until_it_is_interrupted_or_the_node_dies() {
    let mut node = Node::start(&[]);
    node.prints(&["update", "n", "increment", "--declare", "gcounter"]);
    let mut text = Running::start(node.command(&["watch", "n"]));
    let mut json = Running::start(node.command(&["watch", "n", "--json"]));
    assert_eq!(text.line(), "1\n");
    assert_eq!(json.line(), "{\"name\":\"n\",\"type\":\"gcounter\",\"value\":1}\n");
    node.prints(&["update", "n", "{increment, 4}"]);
    assert_eq!(text.line(), "5\n");
    assert_eq!(json.line(), "{\"name\":\"n\",\"type\":\"gcounter\",\"value\":5}\n");
    text.signal("-INT");
    assert_eq!(text.end(), (String::new(), Some(0)));
    node.process.kill().expect("it runs");
    let (error, code) = json.end();
    assert_eq!(code, Some(1));
    assert!(error.starts_with(&format!("error: the connection to the node at {} is lost: ", node.addr)), "{error}");
}

#[test]
fn a_node_and_its_cluster_are_described_within_80_columns_and_as_json() {
    let a = Node::start(&[]);
    let b = Node::start(&["--name", "b", "--join", &a.addr]);
    let long = "x".repeat(90);
    let derives = format!("S = declare('{long}', set), D = declare(halves, set), map(S, fun(X) -> 10 div X end, D).");
    a.prints(&["install", scratch("halves.lasp", &derives).to_str().expect("text")]);
    let program = format!(
        "S = declare('{long}', set), update(S, {{add, [0, 1, \"{long}\"]}}), E = declare(few, gset), \
         update(E, {{add, lists:seq(1, 200)}})."
    );
    assert_eq!(a.run(&program, &[]).2, Some(0));
    let since = Instant::now();
    while objects(&a.prints(&["members", "--json"]))[0]["active"].as_array().is_none_or(Vec::is_empty) {
        assert!(since.elapsed() < PATIENCE, "they do not link");
    }
    for command in [&["vars"][..], &["vars", "--errors"], &["members"], &["overlay"], &["status"], &["programs"]] {
        let text = a.prints(command);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{command:?}\n{text}");
        assert!(text.lines().all(|line| line.trim_end() == line), "{command:?}\n{text}");
    }
    let text = a.prints(&["vars", "h"]);
    assert!(text.starts_with("NAME    TYPE  SIZE  KIND     VALUE\nhalves  set   1     derived  set[10]\n"), "{text}");
    assert!(text.contains("2 errors in halves: map failed on"), "{text}");
    let errors = a.prints(&["vars", "--errors"]);
    let place = errors.split_whitespace().skip_while(|word| *word != "(at").nth(1);
    assert!(errors.contains("map failed on 0: division by zero: 10 div 0"), "{errors}");
    let column = derives.find("10 div").expect("it is there") + 1;
    assert_eq!(place, Some(format!("halves:1:{column})").as_str()), "{errors}");
    assert!(!a.prints(&["vars"]).contains("~lasp/") && a.prints(&["vars", "--all"]).contains("~lasp/programs"));
    assert!(a.prints(&["vars", "~lasp/"]).contains("~lasp/programs"));
    let vars = objects(&a.prints(&["vars", "--json"]));
    let few = vars.iter().find(|var| var["name"] == "few").expect("listed");
    assert_eq!(
        (&few["elements"], &few["value"], &few["local"]),
        (&200.into(), &serde_json::Value::Null, &false.into())
    );
    let halves = vars.iter().find(|var| var["name"] == "halves").expect("listed");
    assert_eq!((&halves["errors"], &halves["value"]), (&2.into(), &serde_json::json!([10])));
    assert_eq!(halves["recent_errors"].as_array().map(Vec::len), Some(2));
    let error = &halves["recent_errors"][0];
    assert_eq!((&error["program"], &error["line"], &error["column"]), (&"halves".into(), &1.into(), &column.into()));
    assert!(error["span"].is_array(), "{error}");
    assert!(vars.iter().all(|var| var["name"] != "~lasp/programs"));
    let members = &objects(&b.prints(&["members", "--json"]))[0];
    assert_eq!(
        (&members["me"]["addr"], &members["active"][0]["addr"]),
        (&b.addr.as_str().into(), &a.addr.as_str().into())
    );
    let overlay = &objects(&b.prints(&["overlay", "--json"]))[0];
    assert_eq!((&overlay["membership"], &overlay["links"][0]["addr"]), (&"hyparview".into(), &a.addr.as_str().into()));
    let pinged = &objects(&b.prints(&["ping", &a.addr, "--json"]))[0];
    assert_eq!((&pinged["id"], &pinged["hops"]), (&members["active"][0]["id"], &1.into()));
    let id = members["active"][0]["id"].as_str().expect("an id");
    assert!(b.prints(&["ping", id]).starts_with(&format!("{id} answered over 1 link in ")));
    let status = &objects(&a.prints(&["status", "--json"]))[0];
    assert_eq!((&status["name"], &status["version"]), (&"a".into(), &env!("CARGO_PKG_VERSION").into()));
    assert!(status["metrics"]["updates"].as_u64() >= Some(2) && status["uptime_ms"].is_u64(), "{status}");
    assert!(a.prints(&["status"]).contains("hears        everything\n"));
}

#[test]
fn a_program_runs_at_the_node_and_its_end_is_the_exit_code() {
    let node = Node::start(&[]);
    let listing =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/map.lasp")).expect("there");
    assert_eq!(node.run(&listing, &[]), ("set[2, 4, 6]\n".to_owned(), String::new(), Some(0)));
    let json = node.run(&listing, &["--json"]);
    assert_eq!(json.0, "{\"form\":1,\"type\":\"set\",\"value\":[2,4,6]}\n");
    let (out, _, code) = node.run("declare(ads, set). update(declare(ads, set), {add, 1}). settle().", &[]);
    assert_eq!((out.as_str(), code), ("set[]\nset[1]\nconverged\n", Some(0)));
    assert_eq!(node.prints(&["get", "ads"]), "set[1]\n", "what has a name stays");
    let (_, error, code) = node.run("S = declare(sett).", &[]);
    assert!(code == Some(2) && error.contains("--> -:1:13"), "{error}");
    for operation in ["on(1, 2)", "partition([1], [2])", "heal()", "crash(1)", "restart(1)"] {
        let (out, error, code) = node.run(&format!("1. {operation}."), &[]);
        assert!(out == "1\n" && code == Some(1) && error.contains("one node of a real one"), "{operation}: {error}");
    }
    let (out, error, code) =
        node.run("S = declare(gset), update(S, {add, [0, 5]}), map(S, fun(X) -> 5 div X end).", &[]);
    assert!(out == "set[1]\n" && code == Some(1) && error.contains("map failed on 0"), "{out}{error}");
    let lines = |word: &str| node.run(&format!("T = declare(set), update(T, {{add, {word}}})."), &[]).0;
    assert_eq!((lines("a"), lines("b")), ("set[a]\n".to_owned(), "set[b]\n".to_owned()), "sessions are apart");
}

#[test]
fn a_program_is_installed_listed_replaced_and_removed() {
    let node = Node::start(&[]);
    let doubles = scratch("doubles.lasp", "S = declare(src, set), map(S, fun(X) -> 8 div X end, declare(dst, set)).");
    let doubles = doubles.to_str().expect("text");
    assert_eq!(node.prints(&["programs"]), "no programs\n");
    assert_eq!(node.prints(&["install", doubles]), "installed doubles, version 1\n");
    node.prints(&["update", "src", "{add, [0, 2]}"]);
    assert_eq!(node.prints(&["get", "dst"]), "set[4]\n");
    let listed = node.prints(&["programs"]);
    assert!(
        listed
            .starts_with("NAME     VERSION  STATE    ERRORS  VARIABLES\ndoubles  1        running  1       dst src\n"),
        "{listed}"
    );
    let listed = &objects(&node.prints(&["programs", "--json"]))[0];
    assert_eq!(
        (&listed["name"], &listed["state"], &listed["errors"]),
        (&"doubles".into(), &"running".into(), &1.into())
    );
    let again = &objects(&node.prints(&["install", doubles, "--name", "doubles", "--json"]))[0];
    assert_eq!(*again, serde_json::json!({"name": "doubles", "version": 2}));
    let bad = scratch("bad.lasp", "S = declare(src, set),\nupdate(S, {add, 1}).");
    let error = node.fails(&["install", bad.to_str().expect("text")], 2);
    assert!(error.contains(":2:1"), "{error}");
    assert_eq!(node.prints(&["uninstall", "doubles"]), "");
    assert_eq!(node.prints(&["programs", "--json"]), "");
    assert!(node.fails(&["uninstall", "doubles"], 1).contains("no program doubles is installed"));
}

#[test]
fn two_clients_work_at_once_and_a_waiting_one_is_interrupted() {
    let node = Node::start(&[]);
    let program = scratch("wait.lasp", "S = declare(ads, set), print(ready), read(S, {cardinality, 2}).");
    let program = program.to_str().expect("text");
    let waiting = || Running::start(node.command(&["run", program, "--json"]));
    let (mut first, mut second) = (waiting(), waiting());
    // What is printed comes before the form ends: both are at their `read` now, or about to be.
    let ready = "{\"form\":1,\"print\":true,\"node\":1,\"type\":\"atom\",\"value\":\"ready\"}\n";
    assert_eq!((first.line(), second.line()), (ready.to_owned(), ready.to_owned()));
    first.signal("-INT");
    let (error, code) = first.end();
    assert!(code == Some(1) && error.contains("interrupted"), "{error}");
    node.prints(&["update", "ads", "{add, [1, 2]}"]);
    assert_eq!(second.line(), "{\"form\":1,\"type\":\"set\",\"value\":[1,2]}\n");
    assert_eq!(second.end(), (String::new(), Some(0)));
}

#[test]
fn the_shell_works_at_the_node_too() {
    let node = Node::start(&[]);
    let mut shell = Running::start({
        let mut command = node.command(&["repl"]);
        command.stdin(Stdio::piped());
        command
    });
    let mut input = shell.process.stdin.take().expect("piped");
    let mut say = |text: &str| input.write_all(text.as_bytes()).expect("it reads");
    say("S = declare(ads,\n set).\n");
    assert_eq!(shell.line(), "set[]\n");
    say("stream(S, fun(X) -> print(X) end).\n");
    assert_eq!(shell.line(), "ok\n");
    node.prints(&["update", "ads", "{add, 1}"]);
    assert_eq!(shell.line(), "set[1]\n", "a trigger prints while nothing runs");
    say("N = 7.\n:vars\n");
    assert_eq!(shell.line(), "7\n");
    let (first, second) = (shell.line(), shell.line());
    assert_eq!((first.as_str(), second.as_str()), ("S  set      set[1]\n", "N  integer  7\n"));
    say("D = map(S, fun(X) -> X + 1 end).\n:graph\n");
    assert_eq!(shell.line(), "set[2]\n");
    let mut graph = String::new();
    while !graph.contains("D <- map(") {
        graph += &shell.line();
    }
    say(":forget N\nN + 1.\n");
    drop(input);
    let (error, code) = shell.end();
    assert!(code == Some(2) && error.contains("`N`") && error.contains("entry 5:1:1"), "{error}");
}

#[test]
fn wrong_usage_is_told_before_anything_is_asked() {
    let cases: [&[&str]; 9] = [
        &["get"],
        &["get", "ads", "--connect", "nowhere:http"],
        &["get", "ads", "--timeout", "5"],
        &["update", "ads"],
        &["status", "--noodles"],
        &["run", "x.lasp", "--connect", "127.0.0.1:4100", "--nodes", "3"],
        &["repl", "--connect", "127.0.0.1:4100", "--seed", "3"],
        &["install", "/no/such/file.lasp"],
        &["node", "--no-control", "--control", "any"],
    ];
    for args in cases {
        let (out, err, code) = said(lasp(args).output().expect("the binary runs"));
        assert_eq!((out.as_str(), code), ("", Some(64)), "{args:?}: {err}");
        assert!(!err.is_empty(), "{args:?}");
    }
    let mut command = lasp(&["node"]);
    let (_, err, code) = said(command.env("LASP_CONTROL", "everybody").output().expect("the binary runs"));
    assert!(code == Some(64) && err.contains("one of off, loopback, any"), "{err}");
}

#[test]
fn a_node_that_is_not_there_or_not_ours_is_told_with_what_to_do() {
    let fails = |args: &[&str]| {
        let (out, err, code) = said(lasp(args).output().expect("the binary runs"));
        assert_eq!((out.as_str(), code), ("", Some(1)), "{args:?}: {err}");
        err
    };
    let error = fails(&["status", "--connect", "127.0.0.1:1"]);
    assert!(
        error.contains("cannot reach a node at 127.0.0.1:1") && error.contains("start one with `lasp node`"),
        "{error}"
    );
    let node = Node::start(&["--cluster", "shop"]);
    let error = fails(&["status", "--connect", &node.addr, "--cluster", "zoo"]);
    assert!(error.contains("belongs to cluster \"shop\", not to \"zoo\""), "{error}");
    let closed = Node::start(&["--no-control"]);
    let error = fails(&["get", "ads", "--connect", &closed.addr]);
    assert!(error.contains("serves no clients"), "{error}");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let addr = listener.local_addr().expect("bound").to_string();
    let error = fails(&["status", "--connect", &addr, "--timeout", "50ms"]);
    assert!(error.contains("does not answer within 50ms"), "{error}");
    let frozen = Node::start(&[]);
    frozen.prints(&["update", "n", "increment", "--declare", "gcounter"]);
    let mut watch = Running::start(frozen.command(&["watch", "n", "--timeout", "300ms"]));
    assert_eq!(watch.line(), "1\n");
    let pid = frozen.process.id().to_string();
    assert!(Command::new("kill").args(["-STOP", &pid]).status().expect("kill runs").success());
    let (error, code) = watch.end();
    assert!(code == Some(1) && error.contains("no sign of life for 300ms"), "{error}");
    let error = fails(&["status", "--connect", &frozen.addr, "--timeout", "200ms"]);
    assert!(error.contains("does not answer within 200ms"), "{error}");
}

#[test]
fn the_address_comes_from_the_environment_too() {
    let node = Node::start(&[]);
    let mut command = lasp(&["status", "--json"]);
    let (out, _, code) = said(command.env("LASP_CONNECT", &node.addr).output().expect("the binary runs"));
    assert_eq!((code, &objects(&out)[0]["addr"]), (Some(0), &node.addr.as_str().into()));
    let mut command = lasp(&["run", "-"]);
    let output = command.env("LASP_CONNECT", "127.0.0.1:1").output().expect("the binary runs");
    assert_eq!(said(output).2, Some(0), "`run` goes to a node only when it is told to");
    let mut command = node.command(&["run", "-"]);
    let output = command.env("LASP_RUN_NODES", "3").output().expect("the binary runs");
    assert_eq!(said(output).2, Some(0), "a flag wins over the environment");
}

#[test]
fn garbage_for_a_client_ends_its_own_connection_only() {
    let node = Node::start(&[]);
    let garbage: [&[u8]; 4] =
        [b"GET / HTTP/1.1\r\n\r\n", b"LASP\0\x07\x01\xff", b"LASP\0\x07\x03\x01\x01\0\xff\xff", &[0; 64]];
    for bytes in garbage {
        let mut stream = TcpStream::connect(&node.addr).expect("it listens");
        stream.write_all(bytes).expect("it reads");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let mut answer = Vec::new();
        let _ = stream.shutdown(std::net::Shutdown::Write); // it may be closed by now
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.starts_with(b"LASP"), "{answer:?}");
        assert!(node.prints(&["status"]).starts_with("node         a ("));
    }
}

#[test]
fn every_command_explains_itself() {
    for command in [
        "get",
        "update",
        "watch",
        "vars",
        "members",
        "overlay",
        "status",
        "ping",
        "install",
        "uninstall",
        "programs",
        "evict",
        "connect",
        "disconnect",
    ] {
        let (out, _, code) = said(lasp(&[command, "--help"]).output().expect("the binary runs"));
        assert!(code == Some(0) && out.contains("--connect <HOST:PORT>") && out.contains("LASP_CONNECT"), "{out}");
        assert!(out.contains("--json") && out.contains("--timeout"), "{out}");
    }
}
