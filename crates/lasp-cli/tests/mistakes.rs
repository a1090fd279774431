//! What a new user gets wrong, as the `lasp` command tells it: message, place, exit code.

use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// What a command prints, what it complains of, and its exit code, in a directory with these files.
fn lasp(args: &[&str], files: &[(&str, &[u8])]) -> (String, String, Option<i32>) {
    let directory = TempDir::new().expect("a directory");
    for (name, bytes) in files {
        fs::write(directory.path().join(name), bytes).expect("writable");
    }
    in_directory(args, directory.path())
}

fn in_directory(args: &[&str], directory: &Path) -> (String, String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lasp"));
    command.args(args).current_dir(directory).env("NO_COLOR", "1").env_remove("LASP_RUN_NODES");
    let output = command.output().expect("the lasp command starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

fn run(program: &str, args: &[&str]) -> (String, String, Option<i32>) {
    let args: Vec<&str> = ["run", "p.lasp"].iter().chain(args).copied().collect();
    lasp(&args, &[("p.lasp", program.as_bytes())])
}

#[test]
fn a_name_is_free_again_once_no_node_knows_it() {
    let program = "X = declare(x, gcounter), undeclare(X).\nY = declare(x, set).\nmap(Y, fun(E) -> E + 1 end).\n";
    let (out, error, code) = run(program, &[]);
    assert_eq!((out.as_str(), code), ("ok\nset[]\nset[]\n", Some(0)), "{error}");
    let elsewhere = "X = declare(x, gcounter), on(2, declare(x, gcounter)), undeclare(X).\ndeclare(x, set).";
    let (_, error, code) = run(elsewhere, &["--nodes", "2"]);
    assert!(error.contains("x is already declared as gcounter, not set"), "{error}");
    assert_eq!(code, Some(1));
}

#[test]
fn a_file_that_cannot_be_read_is_wrong_usage() {
    for command in ["check", "run", "explain"] {
        let (_, error, code) = lasp(&[command, "p.lsp"], &[("p.lasp", b"1.")]);
        assert!(error.starts_with("error: cannot read p.lsp: ") && error.contains("No such file"), "{error}");
        assert_eq!(code, Some(64));
        let (_, error, code) = lasp(&[command, "."], &[]);
        assert!(error.contains("is a directory, not a program"), "{error}");
        assert_eq!(code, Some(64));
        let (_, error, code) = lasp(&[command, "p.lasp"], &[("p.lasp", b"\x7fELF\x00\xff\xfe")]);
        assert!(error.contains("p.lasp is not UTF-8 text"), "{error}");
        assert_eq!(code, Some(64));
    }
}

#[test]
fn what_is_too_deep_or_too_large_is_told_and_nothing_overflows() {
    let deep = format!("X = {}{}.", "[".repeat(10_000), "]".repeat(10_000));
    let sums = format!("X = {}1{}.", "(1+".repeat(10_000), ")".repeat(10_000));
    let chain = format!("X = 1{}.", "+1".repeat(10_000));
    for (program, told) in [
        (deep, "nested more than"),
        (sums, "nested more than"),
        (chain, "more than 200 levels deep"),
        (format!("X = {}.", "9".repeat(100_000)), "does not fit in 64 bits"),
        (format!("X = \"{}.", "a".repeat(100_000)), "no closing `\"`"),
    ] {
        let (_, error, code) = run(&program, &[]);
        assert!(error.contains(told) && error.len() < 4096, "{}", &error[..error.len().min(400)]);
        assert_eq!(code, Some(2));
    }
}

#[test]
fn cycles_and_clashes_are_found_by_check_alone() {
    let program = "A = declare(a, set), B = declare(b, set).\nmap(A, fun(X) -> X end, B).\nmap(B, fun(X) -> X end, A).\n\
        declare(a, gset).\n";
    let (out, error, code) = lasp(&["check", "p.lasp"], &[("p.lasp", program.as_bytes())]);
    assert_eq!((out.as_str(), code), ("", Some(2)));
    assert!(error.contains("a cycle: b already follows from a\n --> p.lasp:3:1"), "{error}");
    assert!(error.contains("a is already declared as set, not gset\n --> p.lasp:4:1"), "{error}");
    assert!(error.ends_with("p.lasp: 2 errors, 0 warnings\n"), "{error}");
}
