//! Updates that others acknowledge, as commands at nodes in processes of their own.

mod support;

use serde_json::{Value, json};
use support::commands::{Node, PATIENCE};
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
