//! `lasp explain` in all its formats, on programs with names that need escaping.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn explain(args: &[&str], program: &str) -> (Output, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("p.lasp"), program).expect("writable");
    let mut command = Command::new(env!("CARGO_BIN_EXE_lasp"));
    command.args(["explain", "p.lasp"]).args(args).current_dir(directory.path()).env("NO_COLOR", "1");
    (command.output().expect("the lasp command starts"), directory)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

const ODD: &str = r#"
S = declare("a \"b\" <c> & 'd' \\ é 🦀", gset), update(S, {add, ["<", "&"]}).
M = map(S, fun(X) -> X ++ "\"\\<>&]]>" end), stream(M, fun(_) -> ok end).
N = fold(M, count).
"#;

#[test]
fn json_tells_sizes_growth_and_plan() {
    let (run, _directory) = explain(&["--json"], ODD);
    let explanation: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    let variables = explanation["variables"].as_array().expect("variables");
    assert_eq!(variables.len(), 3);
    assert_eq!(variables[0]["elements"], 2);
    assert_eq!(variables[0]["monotone"], "value");
    assert_eq!(variables[0]["declared"], "a \"b\" <c> & 'd' \\ é 🦀");
    assert_eq!(variables[1]["local"], true);
    assert_eq!(explanation["derivations"][0]["inputs"], serde_json::json!([0]));
    assert_eq!(explanation["derivations"][0]["output"], 1);
    assert_eq!(explanation["reactions"][0]["variable"], 1);
    let steps = explanation["plan"]["steps"].as_array().expect("steps");
    assert!(!steps.is_empty() && steps.iter().all(|step| step["stages"].is_array()));
}

/// What removals do to a value decides whether it is monotone, through operators, too.
#[test]
fn growth_follows_types_and_operators() {
    let (run, _directory) = explain(
        &["--json"],
        "G = declare(gset), A = declare(awset), M = map(G, fun(X) -> X end), U = union(G, A), C = fold(G, count), \
         S = fold(G, sum), D = fold(A, count).",
    );
    let explanation: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    let growth: Vec<(&str, &str)> = explanation["variables"]
        .as_array()
        .expect("variables")
        .iter()
        .map(|v| (v["name"].as_str().expect("a name"), v["monotone"].as_str().expect("growth")))
        .collect();
    assert_eq!(
        growth,
        [
            ("G", "value"),
            ("A", "metadata"),
            ("M", "value"),
            ("U", "metadata"),
            ("C", "value"),
            ("S", "replaced"),
            ("D", "replaced")
        ]
    );
}

/// Labels are quoted so that quotes inside them do not end them: outside of strings there is only DOT.
#[test]
fn dot_is_well_formed() {
    let (run, _directory) = explain(&["--format", "dot"], ODD);
    let dot = text(&run.stdout);
    let (mut bare, mut in_string, mut escaped) = (String::new(), false, false);
    for c in dot.chars() {
        match (in_string, escaped, c) {
            (true, false, '\\') => escaped = true,
            (true, true, _) => escaped = false,
            (_, _, '"') => in_string = !in_string,
            (true, false, c) => assert!(!c.is_control(), "{dot}"),
            (false, _, c) => bare.push(c),
        }
    }
    assert!(!in_string, "{dot}");
    let plain = |c: char| c.is_ascii_alphanumeric() || "_{}[]=,;-> \n.".contains(c);
    assert!(bare.chars().all(plain), "{bare}");
    assert_eq!(bare.matches('{').count(), bare.matches('}').count());
}

/// Every tag that opens closes, and nothing but the five entities and tags stands between.
#[test]
fn svg_is_well_formed() {
    let (run, _directory) = explain(&["--format", "svg"], ODD);
    let svg = text(&run.stdout);
    let mut open = Vec::new();
    for part in svg.split('<').skip(1) {
        let (tag, after) = part.split_once('>').expect("a tag ends");
        for entity in after.split('&').skip(1).chain(tag.split('&').skip(1)) {
            let known = ["amp;", "lt;", "gt;", "quot;"].iter().any(|known| entity.starts_with(known));
            assert!(known, "{entity}");
        }
        let name = tag.trim_start_matches('/').split([' ', '/']).next().expect("a name");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{svg}");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert!(svg.contains("🦀"), "{svg}");
}

#[test]
fn the_format_follows_the_name_of_the_file_written() {
    let (run, directory) = explain(&["--out", "p.svg"], ODD);
    assert_eq!((run.status.code(), text(&run.stdout)), (Some(0), String::new()));
    let written = |name: &str| std::fs::read_to_string(Path::new(directory.path()).join(name)).expect("written");
    assert!(written("p.svg").starts_with("<svg "));
    let (run, _directory) = explain(&["--out", "p.png"], ODD);
    assert_eq!(run.status.code(), Some(64));
    assert!(text(&run.stderr).contains("drawn as SVG"));
    let (run, _directory) = explain(&["--out", "no/such/directory/p.dot"], ODD);
    assert_eq!(run.status.code(), Some(1));
    assert!(text(&run.stderr).contains("cannot write no/such/directory/p.dot"));
}

#[test]
fn what_was_built_before_a_failure_is_shown() {
    let (run, _directory) = explain(&[], "S = declare(gset).\nX = 1 div 0.\nT = declare(gset).");
    assert_eq!(run.status.code(), Some(1));
    assert!(text(&run.stdout).contains("S  gset") && !text(&run.stdout).contains("T  gset"));
    assert!(text(&run.stderr).contains("up to here"));
}
