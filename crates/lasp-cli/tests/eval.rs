//! `lasp eval` from outside: real processes, killed ones too, and what it says to bad input.

#![cfg(unix)]

use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Far longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

fn lasp(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lasp"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LASP_")) {
        command.env_remove(name);
    }
    command
}

/// The advertisement counter with few nodes, in `dir`.
fn ads(dir: &Path, impressions: u32) -> Command {
    let mut command = lasp(&["eval", "advertisement-counter", "--nodes", "4", "--ads", "2"]);
    command.args(["--impression-interval", "50ms", "--sample-interval", "50ms", "--duration", "80s"]);
    command.arg("--impressions").arg(impressions.to_string()).arg("--out").arg(dir);
    command
}

fn summary(dir: &Path) -> Value {
    serde_json::from_slice(&fs::read(dir.join("summary.json")).expect("a summary was written")).unwrap()
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "{what} did not come to pass");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn finish(child: Child) -> Output {
    child.wait_with_output().unwrap()
}

fn pids(dir: &Path) -> Vec<u32> {
    let files = fs::read_dir(dir.join("nodes")).unwrap().map(|entry| entry.unwrap().path());
    let pids = files.filter(|path| path.extension().is_some_and(|ending| ending == "pid"));
    pids.filter_map(|path| fs::read_to_string(path).unwrap().parse().ok()).collect()
}

fn signal(name: &str, pid: u32) {
    assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
}

/// Whether a process runs, and is not merely waiting to be reaped.
fn runs(pid: u32) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

/// A client's row file, once it has counted impressions.
fn has_counted(rows: &Path) -> bool {
    let text = fs::read_to_string(rows).unwrap_or_default();
    text.lines().last().and_then(|row| row.split(',').nth(11)).is_some_and(|own| own != "0" && !own.is_empty())
}

fn start_and_wait_for_work(mut command: Command, dir: &Path) -> Child {
    let mut child = command.spawn().unwrap();
    wait_until("work", || {
        assert!(child.try_wait().unwrap().is_none(), "it ended before anything was counted");
        has_counted(&dir.join("nodes/client-2.1.csv"))
    });
    child
}

#[test]
fn a_cluster_of_processes_runs_to_an_end_that_it_finds_itself() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("out");
    let output = ads(&dir, 15).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.starts_with("Converged: advertisement-counter, 4 nodes"), "{said}");
    assert!(said.lines().all(|line| line.len() <= 80 || line.contains(home.path().to_str().unwrap())), "{said}");
    let summary = summary(&dir);
    assert_eq!(summary["converged"], true);
    for fault in ["lost_updates", "isolated_nodes", "asymmetric_links", "dangling_links", "crashes"] {
        assert_eq!(summary[fault], 0, "{fault}");
    }
    assert!(summary["results"]["impressions"].as_f64().unwrap() >= 30.0);
    assert!(summary["rss_bytes"]["mean"].as_f64().unwrap() > 100_000.0);
    for name in ["report.html", "metrics.csv", "config.toml", "plots/memory.png", "plots/divergence.svg"] {
        assert!(dir.join(name).is_file(), "{name}");
    }
    assert_eq!(pids(&dir).len(), 4);
    assert!(!pids(&dir).into_iter().any(runs));
}

#[test]
fn a_client_that_is_killed_is_started_again_and_everybody_completes() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("out");
    let child = start_and_wait_for_work(ads(&dir, 80), &dir);
    let victim: u32 = fs::read_to_string(dir.join("nodes/client-2.1.pid")).unwrap().parse().unwrap();
    signal("-KILL", victim);
    let output = finish(child);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("client-2 ended with signal: 9"), "{said}");
    let summary = summary(&dir);
    assert_eq!((summary["converged"].as_bool(), summary["lost_updates"].as_u64()), (Some(true), Some(0)));
    assert_eq!((summary["crashes"].as_u64(), summary["isolated_nodes"].as_u64()), (Some(1), Some(0)));
    assert!(summary["crashed_updates"].as_u64().unwrap() > 0);
    let second: Value = serde_json::from_slice(&fs::read(dir.join("nodes/client-2.2.json")).unwrap()).unwrap();
    assert_eq!(second["completed"], true);

    // The report shows the overlay as it was before anybody left, and plays the crash back.
    let report = fs::read_to_string(dir.join("report.html")).unwrap();
    let picture = report.split_once("<figure class=\"overlay\">").unwrap().1.split_once("</figure>").unwrap().0;
    assert!(picture.matches("<circle").count() == 4 && picture.contains(": 4 up, "), "{picture}");
    assert_eq!(fs::read_to_string(dir.join("plots/overlay.svg")).unwrap().matches("<circle").count(), 4);
    let replay = report.split_once("id=\"replay\">").unwrap().1.split_once("</script>").unwrap().0;
    let replay: Value = serde_json::from_str(replay).unwrap();
    assert_eq!(replay["names"]["3"], "client-2");
    let nodes = replay["frames"].as_array().unwrap().iter().flat_map(|frame| frame["nodes"].as_array().unwrap());
    let fate: Vec<u64> = nodes.filter(|node| node[0] == 3).filter_map(|node| node[1].as_u64()).collect();
    assert!(fate.starts_with(&[1, 0, 1]), "it came, crashed, and came again: {fate:?}");
}

#[test]
fn ctrl_c_leaves_no_process_behind_and_writes_what_there_is() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("out");
    let child = start_and_wait_for_work(ads(&dir, 100_000), &dir);
    signal("-INT", child.id());
    let output = finish(child);
    assert_eq!(output.status.code(), Some(1));
    let nodes = pids(&dir);
    assert_eq!(nodes.len(), 4);
    assert!(!nodes.into_iter().any(runs));
    let summary = summary(&dir);
    assert_eq!((summary["converged"].as_bool(), summary["problems"][0].as_str()), (Some(false), Some("interrupted")));
    assert!(summary["updates"].as_u64().unwrap() > 0);
    assert!(dir.join("report.html").is_file());
}

#[test]
fn a_page_that_cannot_be_served_is_refused_before_anything_is_written() {
    let home = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for place in ["sim", "process"] {
        for (addr, says) in [
            ("0.0.0.0:0", "beyond this machine"),
            (taken.as_str(), "in use"),
            ("here", "choose another address"),
            ("127.0.0.1:99999", "choose another address"),
            ("", "choose another address"),
        ] {
            let dir = home.path().join("out");
            let output = ads(&dir, 15).args(["--where", place, "--ui", addr]).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{place} {addr:?}: {said}");
            assert!(said.starts_with("lasp eval: ") && said.contains(says), "{place} {addr:?}: {said}");
            assert!(!dir.exists(), "{place} {addr:?} leaves something behind");
        }
    }
}

/// What is served under a path of the page that a run has told of.
fn served(page: &str, path: &str) -> String {
    let host = page.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).expect("somebody listens");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer in text");
    answer
}

#[test]
fn a_run_can_be_watched_in_virtual_time_and_in_processes() {
    for (place, world) in [("sim", "HTTP/1.1 200"), ("process", "HTTP/1.1 404")] {
        let home = tempfile::tempdir().unwrap();
        let mut command = ads(&home.path().join("out"), 100_000);
        let mut child = command.args(["--where", place, "--ui", "127.0.0.1:0"]).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let page = said.find_map(|line| line.strip_prefix("watch it at ").map(str::to_owned)).expect("it is told");
        assert!(served(&page, "/").contains("<title>"), "{place}");
        assert!(served(&page, "/api/v1/status").contains("\"membership\":\"hyparview\""), "{place}");
        assert!(served(&page, "/api/v1/world").starts_with(world), "{place}: only a simulated one can be disturbed");
        signal("-INT", child.id());
        assert_eq!(said.last().as_deref().map(|line| line.is_empty()), Some(false));
        assert_eq!(finish(child).status.code(), Some(1));
        assert_eq!(summary(&home.path().join("out"))["problems"][0], "interrupted", "{place}");
    }
}

#[test]
fn nodes_end_by_themselves_when_the_launcher_is_killed() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("out");
    let mut child = start_and_wait_for_work(ads(&dir, 100_000), &dir);
    let nodes = pids(&dir);
    assert!(nodes.iter().copied().all(runs));
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the end of all nodes", || !nodes.iter().copied().any(runs));
}

#[test]
fn a_crash_of_the_server_ends_the_run_with_the_reason() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("out");
    let child = start_and_wait_for_work(ads(&dir, 100_000), &dir);
    signal("-KILL", fs::read_to_string(dir.join("nodes/server.1.pid")).unwrap().parse().unwrap());
    let output = finish(child);
    assert_eq!(output.status.code(), Some(1));
    let problem = summary(&dir)["problems"][0].as_str().unwrap().to_owned();
    assert!(problem.contains("server ended with signal: 9"), "{problem}");
    assert!(!pids(&dir).into_iter().any(runs));
}

#[test]
fn the_environment_gives_what_flags_do_not() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("out");
    let mut command = lasp(&["eval", "latency", "--nodes", "3", "--where", "sim"]);
    command
        .env("LASP_EVAL_NODES", "9")
        .env("LASP_EVAL_SEED", "5")
        .env("LASP_EVAL_ROUNDS", "4")
        .env("LASP_EVAL_OUT", &dir);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let first = summary(&dir);
    assert_eq!(
        (first["nodes"].as_u64(), first["seed"].as_u64(), first["updates"].as_u64()),
        (Some(3), Some(5), Some(4))
    );

    // The archived configuration runs it again exactly.
    let again = home.path().join("again");
    let config = dir.join("config.toml");
    let output =
        lasp(&["eval", "--config", config.to_str().unwrap(), "--out", again.to_str().unwrap()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(summary(&again)["trace_hash"], first["trace_hash"]);
}

#[test]
fn bad_input_is_answered_with_what_to_do_and_its_exit_code() {
    let home = tempfile::tempdir().unwrap();
    let file: PathBuf = home.path().join("file");
    fs::write(&file, "").unwrap();
    let below_a_file = file.join("out");
    let below_a_file = below_a_file.to_str().unwrap();
    for (args, code, says) in [
        (&["eval", "advertisment-counter"][..], 64, "advertisement-counter"),
        (&["eval", "latency", "--nods", "3"], 64, "--nodes"),
        (&["eval", "latency", "--where", "procces"], 64, "process"),
        (&["eval", "latency", "--membership", "epmd", "--where", "sim"], 64, "--where process"),
        (&["eval", "latency", "--loss", "0.5"], 64, "--where sim"),
        (&["eval", "overlay-processes", "--where", "sim"], 64, "overlay-scale is its like in virtual time"),
        (&["eval", "overlay-processes", "--failed", "96"], 64, "--failed is 96, but must be 0 to 95 percent"),
        (&["eval", "overlay-processes", "--membership", "static"], 64, "available: hyparview, full, scamp"),
        (&["eval", "latency", "--nodes", "1"], 64, "--nodes is 1"),
        (&["eval"], 64, "which scenario?"),
        (&["eval", "nosuch"], 64, "Scenarios of `lasp eval`:"),
        (&["eval", "hyparview", "--passive-view", "2"], 64, "--passive-view is 2, but must be 8 to 1000"),
        (&["eval", "hyparview", "--failed", "90,100"], 64, "--failed is 100, but must be 1 to 99 percent"),
        (&["eval", "hyparview", "--ui", "127.0.0.1:0"], 64, "for an overlay to look at and disturb: lasp sim"),
        (&["eval", "latency", "--runs", "2", "--ui", "127.0.0.1:0"], 64, "--ui shows one run"),
        (&["eval", "latency", "--speed", "2"], 64, "--ui"),
        (&["eval", "latency", "--speed", "0", "--ui", "127.0.0.1:0"], 64, "--speed must be from 0.01 to 100"),
        (&["eval", "--config", "/nowhere/config.toml"], 64, "cannot read /nowhere/config.toml"),
        (&["eval", "latency", "--out", below_a_file], 1, below_a_file),
        (&["evil"], 64, "eval"),
    ] {
        let output = lasp(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(says), "{args:?}: {said}");
    }
    let list = lasp(&["eval", "list"]).output().unwrap();
    assert!(list.status.success() && String::from_utf8_lossy(&list.stdout).contains("shared-load"));
}
