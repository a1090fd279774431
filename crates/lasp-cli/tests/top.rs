//! `lasp top` beside a running node, and beside what is none.

mod support;

use support::commands::{Node, PATIENCE, lasp, said};
use support::pty::Pty;
use support::wait_within;

fn node() -> Node {
    Node::start(&["--http", "127.0.0.1:0"])
}

#[test]
fn everything_is_printed_once_where_no_terminal_is() {
    let node = node();
    node.prints(&["update", "shop/ads", "{add, [1, 2]}", "--declare", "set"]);
    let (out, err, code) = said(lasp(&["top", "--http", &node.http]).output().expect("it runs"));
    assert_eq!((err.as_str(), code), ("", Some(0)));
    assert!(out.starts_with("lasp top  a  "), "{out}");
    for part in
        ["\nalone  0 active, 0 passive", "\nLinks 0\n", "\nVariables 1\n", "\nshop/ads ", "set[1, 2]\n", "\nEvents 0\n"]
    {
        assert!(out.contains(part), "{part:?} is not in {out}");
    }
    assert!(!out.contains('\u{1b}'), "no colours: {out:?}");

    let (out, err, code) = said(lasp(&["top", "--json", "--http", &node.http]).output().expect("it runs"));
    assert_eq!((err.as_str(), code), ("", Some(0)));
    let all: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(all["status"]["name"], "a");
    assert_eq!(all["variables"]["variables"][0]["name"], "shop/ads");
    assert_eq!(all["statistics"]["columns"][0], "at_ms");
}

/// What `lasp top` says where there is nothing to see.
fn fails(args: &[&str], code: i32) -> String {
    let (out, err, ended) = said(lasp(&[&["top"], args].concat()).output().expect("it runs"));
    assert_eq!((out.as_str(), ended), ("", Some(code)), "{err}");
    err
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let without = Node::start(&[]);
    let told = fails(&["--http", &without.addr], 1);
    assert!(told.contains("is no live view of a Lasp node") && told.contains("`live view at`"), "{told}");
    let told = fails(&["--http", "127.0.0.1:1"], 1);
    assert!(told.contains("cannot reach a live view at 127.0.0.1:1"), "{told}");
    assert!(told.contains("help: start the node with `lasp node --http 127.0.0.1:1`"), "{told}");
    let told = fails(&["--http", "here"], 64);
    assert!(told.contains("\"here\" is not HOST:PORT"), "{told}");

    let secret = "0123456789abcdef0123";
    let asks = Node::start(&["--http", "127.0.0.1:0", "--http-token", secret]);
    let told = fails(&["--http", &asks.http], 1);
    assert!(told.contains("asks for its token") && told.contains("LASP_HTTP_TOKEN"), "{told}");
    let given = lasp(&["top", "--http", &asks.http]).env("LASP_HTTP_TOKEN", secret).output().expect("it runs");
    assert_eq!(given.status.code(), Some(0));
}

#[test]
fn somebody_who_is_silent_is_waited_for_as_long_as_was_said() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let addr = silent.local_addr().expect("bound").to_string();
    let told = fails(&["--http", &addr, "--timeout", "200ms"], 1);
    assert!(told.contains("does not answer within 200ms") && told.contains("--timeout"), "{told}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_terminal_is_as_it_was_when_it_ends() {
    let node = node();
    let mut pty = Pty::start(&format!("{} top --http {}", env!("CARGO_BIN_EXE_lasp"), node.http));
    pty.until("lasp top");
    pty.press("3/ads\r?");
    pty.until("┌"); // the help
    pty.press("qq");
    let out = pty.end();
    let (_, screen) = out.split_once("\u{1b}[?1049h").expect("another screen");
    let (screen, after) = screen.rsplit_once("\u{1b}[?1049l").expect("and back");
    assert!(screen.contains("lasp top"), "{screen:?}");
    assert!(after.contains("\u{1b}[?25h"), "a cursor: {after:?}");
    assert!(after.contains(" icanon") && after.contains(" echo "), "lines are edited: {after:?}");
}

/// More variables than come at once: those beyond are there for whoever goes on, and for whoever searches.
#[cfg(target_os = "linux")]
#[test]
fn a_list_goes_on_as_far_as_one_does() {
    let node = node();
    let name = |number| match number {
        448 => "quagga".to_owned(),
        449 => "zebra".to_owned(),
        number => format!("v/{number:03}"),
    };
    let program: String = (0..450).map(|number| format!("declare(\"{}\", gcounter).\n", name(number))).collect();
    assert_eq!(node.run(&program, &[]).2, Some(0));
    let mut pty = Pty::start(&format!("{} top --http {}", env!("CARGO_BIN_EXE_lasp"), node.http));
    pty.until("lasp top");
    pty.press("3ss"); // variables by name
    pty.until("200+");
    assert!(!pty.written().contains("zebra"), "that is in the third part");
    pty.press("/QUAG\r");
    pty.until("quagga");
    pty.press("/\u{7f}\u{7f}\u{7f}\u{7f}\r");
    wait_within(PATIENCE, "the last line", || {
        pty.press("G");
        pty.written().contains("zebra")
    });
    pty.press("q");
    pty.end();
}
