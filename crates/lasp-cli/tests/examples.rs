//! Every program in `examples/` prints what its `.out` file says (`.json.out` with `--json`, `.err` on standard error),
//! and so on a second run.
//!
//! A comment `Run with --nodes N` in a program says how many nodes it wants; a program with an `.err` file exits with 1.

use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn lasp(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lasp"));
    command
        .args(args)
        .current_dir(root())
        .env("NO_COLOR", "1")
        .env_remove("LASP_RUN_NODES")
        .env_remove("LASP_RUN_SEED");
    command.output().expect("the lasp command starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The programs, by their path from the root.
fn programs() -> Vec<String> {
    let entries = read_dir(root().join("examples")).expect("there are examples");
    let names = entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned());
    let mut programs: Vec<String> =
        names.filter(|name| name.ends_with(".lasp")).map(|name| format!("examples/{name}")).collect();
    programs.sort();
    programs
}

fn nodes(program: &str) -> String {
    let source = read_to_string(root().join(program)).expect("a program");
    let wanted = source.split_once("Run with --nodes ").map(|(_, rest)| rest);
    wanted.map_or_else(|| "1".to_owned(), |rest| rest.chars().take_while(char::is_ascii_digit).collect())
}

fn expected(program: &str, extension: &str) -> Option<String> {
    read_to_string(root().join(program).with_extension(extension)).ok()
}

#[test]
fn every_example_prints_what_it_should() {
    let programs = programs();
    assert!(programs.len() >= 10, "{programs:?}");
    for program in programs {
        let nodes = nodes(&program);
        let run = lasp(&["run", &program, "--nodes", &nodes]);
        assert_eq!(Some(text(&run.stdout)), expected(&program, "out"), "{program}");
        let errors = expected(&program, "err");
        assert_eq!(text(&run.stderr), errors.clone().unwrap_or_default(), "{program}");
        assert_eq!(run.status.code(), Some(if errors.is_some() { 1 } else { 0 }), "{program}");
        if let Some(json) = expected(&program, "json.out") {
            let run = lasp(&["run", &program, "--nodes", &nodes, "--json"]);
            assert_eq!(text(&run.stdout), json, "{program}");
        }
    }
}

#[test]
fn every_example_passes_the_check_and_can_be_explained() {
    for program in programs() {
        for command in ["check", "explain"] {
            let run = lasp(&[command, &program]);
            assert_eq!(run.status.code(), Some(0), "{command} {program}: {}", text(&run.stderr));
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_output() {
    let args = ["run", "examples/partition.lasp", "--nodes", "20", "--seed", "7"];
    assert_eq!(lasp(&args).stdout, lasp(&args).stdout);
}

#[test]
fn exit_codes_tell_what_went_wrong() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, program: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, program).expect("writable");
        path.display().to_string()
    };
    let failing = write("failing.lasp", "C = declare(gcounter), read(C, {value, 1}).");
    let broken = write("broken.lasp", "X = .");
    let unknown = write("unknown.lasp", "S = declare(sett).");
    let missing = directory.path().join("missing.lasp").display().to_string();
    let cases: [(&[&str], i32); 8] = [
        (&["run", "examples/map.lasp"], 0),
        (&["run", &failing], 1),
        (&["run", &broken], 2),
        (&["check", &unknown], 2),
        (&["explain", &broken], 2),
        (&["run", &missing], 64),
        (&["run", "examples/map.lasp", "--nodes", "0"], 64),
        (&["run", "examples/map.lasp", "--noodles", "2"], 64),
    ];
    for (args, code) in cases {
        let run = lasp(args);
        assert_eq!(run.status.code(), Some(code), "{args:?}: {}", text(&run.stderr));
        assert_eq!(run.stderr.is_empty(), code == 0, "{args:?}");
    }
}
