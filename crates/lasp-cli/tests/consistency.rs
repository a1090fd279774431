//! Updates that others acknowledge, and sessions that go from node to node, as commands at nodes in processes of their own.

mod support;

use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use support::commands::{Node, PATIENCE};
use support::running::Running;
use support::wait_within;

/// Nodes a, b and c, linked.
fn cluster() -> [Node; 3] {
    let a = Node::start(&["--membership", "full"]);
    let start = |name| Node::start(&["--name", name, "--membership", "full", "--join", &a.addr]);
    let (b, c) = (start("b"), start("c"));
    for node in [&a, &b, &c] {
        wait_within(PATIENCE, "a cluster", || members(node).len() == 2);
    }
    [a, b, c]
}

fn object(node: &Node, args: &[&str]) -> Value {
    let text = node.prints(&[args, &["--json"]].concat());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The ids of the others.
fn members(node: &Node) -> Vec<String> {
    let active = object(node, &["members"])["active"].clone();
    let mut ids: Vec<String> =
        active.as_array().expect("a list").iter().map(|peer| peer["id"].as_str().expect("an id").to_owned()).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn an_acknowledged_update_is_at_the_others_when_the_command_ends() {
    let [a, b, c] = cluster();
    let others = members(&a);
    let update = ["update", "orders", "{add, 1}", "--declare", "set", "--acknowledged-by", "2"];
    assert_eq!(a.prints(&update), "");
    assert_eq!((b.prints(&["get", "orders"]), c.prints(&["get", "orders"])), ("set[1]\n".into(), "set[1]\n".into()));
    let told = object(&a, &["update", "orders", "{add, 2}", "--acknowledged-by", "2"]);
    let expected = json!({
        "name": "orders", "updated": true, "acknowledged": true, "acknowledged_by": others, "wanted": 2, "known": 2,
    });
    assert_eq!(told, expected);

    let few = ["update", "orders", "{add, 3}", "--acknowledged-by", "3", "--timeout", "300ms"];
    let error = a.fails(&few, 1);
    assert!(error.starts_with("error: 2 of 3 nodes acknowledged the update of orders within 300ms: "), "{error}");
    assert!(error.contains("note: it is applied") && error.contains("knows of 2 others"), "{error}");
    let (out, err, code) = a.ask(&[&few[..], &["--json"]].concat());
    let told: Value = serde_json::from_str(&out).expect("an object");
    assert_eq!(
        (err.as_str(), code, &told["acknowledged"], &told["acknowledged_by"]),
        ("", Some(1), &json!(false), &json!(others))
    );
    assert_eq!(a.prints(&["get", "orders"]), "set[1, 2, 3]\n");
    assert!(a.fails(&["update", "orders", "{add, 4}", "--acknowledged-by", "9999"], 1).contains("at most 1024 can"));
    assert_eq!(a.prints(&["get", "orders"]), "set[1, 2, 3]\n", "what is refused is not applied");
    let metrics = object(&a, &["status"])["metrics"].clone();
    assert_eq!((&metrics["assured"], &metrics["unassured"]), (&json!(2), &json!(2)));
}

#[test]
fn a_session_in_a_file_is_shown_at_every_node_what_it_wrote_and_read() {
    let nodes = cluster();
    let dir = tempfile();
    let file = dir.join("cart.session");
    let session = ["--session", file.to_str().expect("text")];
    let mut expected = Vec::new();
    for n in 0..12_usize {
        let (here, there) = (&nodes[n % 3], &nodes[(n + 1) % 3]);
        let add = format!("{{add, {n}}}");
        assert_eq!(here.prints(&[&["update", "orders", &add, "--declare", "set"], &session[..]].concat()), "");
        expected.push(n.to_string());
        let value = there.prints(&[&["get", "orders"], &session[..]].concat());
        let mut seen: Vec<&str> = value.trim().trim_start_matches("set[").trim_end_matches(']').split(", ").collect();
        seen.sort_by_key(|n| n.parse::<u64>().expect("a number"));
        assert_eq!(seen, expected, "{value}");
    }
    let json =
        nodes[0].prints(&[&["update", "n", "increment", "--declare", "gcounter", "--json"], &session[..]].concat());
    assert_eq!(json, "{\"name\":\"n\",\"updated\":true}\n");
    let json = nodes[1].prints(&[&["get", "n", "--json"], &session[..]].concat());
    assert_eq!(json, "{\"name\":\"n\",\"type\":\"gcounter\",\"value\":1}\n");
    let both = ["update", "n", "increment", "--acknowledged-by", "2", "--json"];
    let told: Value = serde_json::from_str(&nodes[2].prints(&[&both[..], &session[..]].concat())).expect("an object");
    assert_eq!(
        (&told["acknowledged"], nodes[0].prints(&[&["get", "n"], &session[..]].concat())),
        (&json!(true), "2\n".into())
    );
    let token = std::fs::read_to_string(&file).expect("kept");
    assert!(
        token.len() < 300 && token.trim().chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)),
        "{token}"
    );
    assert_eq!(std::fs::read_dir(&dir).expect("there").count(), 1, "nothing is left beside it");
}

#[test]
fn a_session_is_not_served_where_what_it_saw_is_not_and_keeps_what_it_has() {
    let (a, z) = (Node::start(&[]), Node::start(&["--name", "z"]));
    let file = tempfile().join("session");
    let session = ["--session", file.to_str().expect("text")];
    z.prints(&[&["update", "orders", "{add, 1}", "--declare", "set"], &session[..]].concat());
    let token = std::fs::read_to_string(&file).expect("kept");
    let update = ["update", "orders", "{add, 2}", "--declare", "set"];
    for command in [&["get", "orders"][..], &["watch", "orders"], &update] {
        let error = a.fails(&[command, &session[..], &["--timeout", "200ms"]].concat(), 1);
        let expected = "error: what the session has seen of \"orders\" has not come to this node\nhelp: wait longer, ask the node \
                        where it was seen, or begin a new session\n";
        assert_eq!(error, expected);
    }
    assert!(a.fails(&["get", "orders"], 1).contains("no variable"), "what is refused is not applied");
    assert_eq!(std::fs::read_to_string(&file).expect("kept"), token);

    std::fs::write(&file, "no token").expect("written");
    let error = a.fails(&[&["get", "orders"], &session[..]].concat(), 1);
    let (path, help) = (session[1], "help: --session names a file of its own for each session");
    assert!(
        error.contains(&format!("cannot read the session in {path}: a session token")) && error.contains(help),
        "{error}"
    );
    assert!(a.fails(&[&["watch", "orders"], &session[..]].concat(), 1).contains("cannot read the session"));
    let other = if token.as_bytes()[5] == b'A' { "B" } else { "A" };
    std::fs::write(&file, format!("{}{other}{}", &token[..5], &token[6..])).expect("written");
    assert!(a.fails(&[&["get", "orders"], &session[..]].concat(), 1).contains("damaged"));
    let nowhere = ["--session", "/nowhere/session"];
    let error = a.fails(&[&["update", "orders", "{add, 3}", "--declare", "set"], &nowhere[..]].concat(), 1);
    assert!(
        error.contains("cannot write the session in /nowhere/session") && error.contains("update is applied"),
        "{error}"
    );
    assert_eq!(a.prints(&["get", "orders"]), "set[3]\n");
}

#[test]
fn a_watch_in_a_session_begins_with_what_the_session_wrote_and_goes_on_with_it() {
    let nodes = cluster();
    let file = tempfile().join("session");
    let session = ["--session", file.to_str().expect("text")];
    let add = |node: &Node, n: i32| {
        let operation = format!("{{add, {n}}}");
        node.prints(&[&["update", "orders", &operation, "--declare", "set"], &session[..]].concat());
    };
    let kept = || std::fs::read_to_string(&file).expect("kept");
    add(&nodes[0], 1);
    let mut watch = Running::start(nodes[1].command(&[&["watch", "orders", "--json"], &session[..]].concat()));
    let said = |orders: &str| format!("{{\"name\":\"orders\",\"type\":\"set\",\"value\":{orders}}}\n");
    assert_eq!(watch.line(), said("[1]"), "what was written at another node");
    // The session goes on at a third node, and so does the watch: what was written there is in the file afterwards, too.
    add(&nodes[2], 2);
    assert_eq!(watch.line(), said("[1,2]"));
    let before = kept();
    nodes[0].prints(&["update", "orders", "{add, 3}"]);
    assert_eq!(watch.line(), said("[1,2,3]"));
    assert!(kept() != before, "what is shown is noted");
    watch.signal("-INT");
    assert_eq!(watch.end(), (String::new(), Some(0)));
    // What the watch has shown is there wherever the session goes next.
    assert_eq!(nodes[2].prints(&[&["get", "orders"], &session[..]].concat()), "set[1, 2, 3]\n");
    assert_eq!(nodes[0].prints(&[&["get", "orders"], &session[..]].concat()), "set[1, 2, 3]\n");
}

#[test]
fn a_causal_group_is_used_like_any_variable_and_is_whole_wherever_it_is_seen() {
    let nodes = cluster();
    for n in 0..9_usize {
        let (node, next) = (&nodes[n % 3], &nodes[(n + 1) % 3]);
        let update = ["update", "causal/shop/stock", "increment", "--declare", "gcounter"];
        node.prints(&update);
        node.prints(&[
            "update",
            "causal/shop/orders",
            &format!("{{add, {n}}}"),
            "--declare",
            "set",
            "--acknowledged-by",
            "2",
        ]);
        // Whoever sees the order sees the stock that was counted before it.
        assert_eq!(next.prints(&["get", "causal/shop/stock"]), format!("{}\n", n + 1));
    }
    let metrics = object(&nodes[0], &["status"])["metrics"].clone();
    assert!(metrics["intervals"].as_u64() >= Some(6), "{metrics}");
    assert_eq!(metrics["intervals_refused"], 0);
}

/// A directory of its own.
fn tempfile() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("consistency-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&dir).expect("writable");
    dir
}
