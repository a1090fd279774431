//! `lasp eval overlay-processes` from outside, with few nodes.

#![cfg(target_os = "linux")]

mod support;

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Far longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// One that is left alone for so long before it counts as at rest.
fn evaluation(nodes: usize, settle: &str, dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lasp"));
    command.args(["eval", "overlay-processes", "--settle", settle, "--rest", "1s", "--sample-interval", "20ms"]);
    command.arg("--nodes").arg(nodes.to_string()).arg("--out").arg(dir);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn summary(dir: &Path) -> Value {
    serde_json::from_slice(&fs::read(dir.join("summary.json")).expect("a summary was written")).expect("JSON")
}

/// The processes that belong to a run: those that complain to its directory.
fn nodes_of(dir: &Path) -> usize {
    let log = dir.join("nodes/errors.log");
    let processes = fs::read_dir("/proc").expect("Linux").filter_map(Result::ok);
    processes.filter(|process| fs::read_link(process.path().join("fd/2")).is_ok_and(|errors| errors == log)).count()
}

fn wait_until(what: &str, done: impl FnMut() -> bool) {
    support::wait_within(PATIENCE, what, done);
}

fn start_and_wait_for_nodes(mut command: Command, nodes: usize, dir: &Path) -> Child {
    let child = command.spawn().expect("the binary runs");
    wait_until("all nodes", || nodes_of(dir) == nodes);
    child
}

#[test]
fn an_overlay_of_processes_comes_about_and_survives_the_loss_of_a_third() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("out");
    let output = evaluation(12, "0ms", &dir).args(["--wave", "4", "--failed", "34"]).output().expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.starts_with("Completed: overlay-processes, 12 nodes"), "{said}");
    assert_eq!(fs::read_to_string(dir.join("nodes/errors.log")).expect("it is there"), "", "no node complains");
    let summary = summary(&dir);
    for fault in ["isolated_nodes", "asymmetric_links", "dangling_links"] {
        assert_eq!(summary[fault], 0, "{fault}");
    }
    assert_eq!((&summary["converged"], &summary["components"]), (&true.into(), &1.into()));
    let degrees = summary["degrees"].as_array().expect("degrees");
    assert!(degrees.len() == 8 && degrees.iter().all(|degree| (1..=5).contains(&degree.as_u64().unwrap_or(0))));

    let results = &summary["results"];
    let figure = |name: &str| {
        let figure = &results[name];
        figure.as_f64().or_else(|| figure["mean"].as_f64()).unwrap_or_else(|| panic!("{name}: {figure}"))
    };
    assert_eq!((figure("killed"), figure("survivors"), figure("broadcast_reached")), (4.0, 8.0, 8.0));
    for (earlier, later) in [
        ("start_seconds", "connected_seconds"),
        ("connected_seconds", "clean_seconds"),
        ("healed_isolated_seconds", "healed_connected_seconds"),
        ("healed_connected_seconds", "healed_seconds"),
        ("healed_symmetric_seconds", "healed_seconds"),
    ] {
        assert!(figure(earlier) > 0.0 && figure(earlier) <= figure(later), "{earlier}, {later}: {results}");
    }
    assert_eq!(figure("threads"), 1.0, "a node at rest has one thread");
    assert!(figure("private_bytes") < 4e6 && figure("private_bytes") < figure("pss_bytes"), "{results}");
    assert!(figure("pss_bytes") < figure("rss_bytes") && figure("rest_wakeups_per_second") > 0.0, "{results}");
    // Nothing happens but probes, shuffles and what is left of the joining.
    assert!((1.0..1000.0).contains(&figure("rest_bytes_per_second")), "{results}");

    for name in ["report.html", "metrics.csv", "config.toml", "plots/healing.svg", "plots/memory.png"] {
        assert!(dir.join(name).is_file(), "{name}");
    }
    let rows = fs::read_to_string(dir.join("metrics.csv")).expect("rows").lines().count();
    assert_eq!((rows, nodes_of(&dir)), (1 + 2 * 12, 0));
}

#[test]
fn what_takes_too_long_is_given_up_and_said_to_be() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("out");
    let output = evaluation(3, "1m", &dir).args(["--duration", "1s"]).output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(1));
    let summary = summary(&dir);
    assert_eq!((&summary["converged"], &summary["problems"][0]), (&false.into(), &"given up after 1s".into()));
    assert_eq!(nodes_of(&dir), 0);
}

#[test]
fn a_node_that_ends_by_itself_ends_the_run_with_its_name() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("out");
    let child = start_and_wait_for_nodes(evaluation(4, "1m", &dir), 4, &dir);
    let log = dir.join("nodes/errors.log");
    let node = fs::read_dir("/proc")
        .expect("Linux")
        .filter_map(Result::ok)
        .find(|process| fs::read_link(process.path().join("fd/2")).is_ok_and(|errors| errors == log));
    let pid = node.expect("a node").file_name();
    assert!(Command::new("kill").arg("-KILL").arg(pid).status().expect("kill runs").success());
    assert_eq!(child.wait_with_output().expect("a child").status.code(), Some(1));
    let problem = summary(&dir)["problems"][0].as_str().expect("a problem").to_owned();
    assert!(problem.starts_with("node-") && problem.contains("ended with signal: 9"), "{problem}");
    assert_eq!(nodes_of(&dir), 0);
}

#[test]
fn nodes_leave_when_the_launcher_is_killed() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("out");
    let mut child = start_and_wait_for_nodes(evaluation(4, "1m", &dir), 4, &dir);
    child.kill().and_then(|()| child.wait()).expect("a child");
    wait_until("the end of all nodes", || nodes_of(&dir) == 0);
}
