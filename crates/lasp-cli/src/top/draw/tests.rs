//! Whole screens, as a terminal would show them.

use super::super::api::{
    Changed, Event, Link, Links, Member, Members, Overlay, OverlayNode, Peer, Statistics, Variable, Variables,
};
use super::super::list::Put;
use super::super::model::News;
use super::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

fn peer(id: &str) -> Peer {
    Peer { id: id.to_owned(), incarnation: 1, addr: format!("10.0.0.{id}:4100") }
}

fn status() -> Status {
    Status {
        me: peer("1"),
        name: "a".to_owned(),
        cluster: "shop".to_owned(),
        membership: "hyparview".to_owned(),
        version: "0.1.0".to_owned(),
        uptime_ms: 90_000,
        now_ms: 100_000,
        active: 2,
        passive: 7,
        variables: 2,
        quiescent: true,
    }
}

const COLUMNS: [&str; 10] = [
    "at_ms",
    "bytes_sent_membership",
    "bytes_sent_broadcast",
    "bytes_sent_state",
    "bytes_sent_sync",
    "bytes_sent_unicast",
    "updates",
    "waiting",
    "memory_bytes",
    "cpu_ms",
];

/// Ten seconds: each a little more broadcast than the one before.
fn statistics() -> Statistics {
    let row = |second: u64| {
        vec![second * 1000, 100 * second, 1000 * second * second, 0, 0, 0, 3 * second, 0, 16_000_000, 5 * second]
    };
    Statistics { columns: Some(COLUMNS.map(str::to_owned).to_vec()), rows: (0..10).map(row).collect() }
}

fn model() -> Model {
    let link = |id, eager, rtt_us, waiting| Link { peer: peer(id), eager, waiting, in_flight: 1500, rtt_us };
    let member = |id, active, reachable| Member {
        peer: peer(id),
        standing: Some(if reachable { "alive" } else { "suspect" }.to_owned()),
        active,
        passive: !active,
        reachable,
    };
    let variable = |name: &str, value: &str, seen_since_ms| Variable {
        name: name.to_owned(),
        ty: "set".to_owned(),
        elements: Some(3),
        bytes: Some(2_048),
        changed: (name == "bids").then_some(Changed { at_ms: seen_since_ms }),
        seen_since_ms: Some(if name == "bids" { 1 } else { seen_since_ms }),
        value: Some(value.to_owned()),
        errors: 0,
    };
    let node = |id: &str, fingerprint: &str| OverlayNode {
        id: id.to_owned(),
        state: "up".to_owned(),
        fingerprint: fingerprint.to_owned(),
    };
    let event = |seq, at_ms, kind: &str| Event {
        seq,
        at_ms,
        kind: kind.to_owned(),
        node: Some("2".to_owned()),
        detail: "10.0.0.2:4100".to_owned(),
    };
    let mut model = Model::default();
    let told = [
        News::Connected,
        News::Status(status()),
        News::Statistics(statistics()),
        News::Overlay(Overlay {
            reset: true,
            nodes: vec![node("1", "x"), node("2", "x"), node("3", "y")],
            removed: vec![],
        }),
        News::Links(Links { links: vec![link("2", true, Some(850), 0), link("3", false, None, 12)] }),
        News::Members(
            Put::Anew,
            Members { total: 2, members: vec![member("2", true, true), member("3", true, false)], next: None },
        ),
        News::Variables(
            Put::Anew,
            Variables {
                variables: vec![
                    variable("shop/ads", "set[1, 2, 3]", 40_000),
                    variable("bids", "set[\u{1b}[31mx\u{7}, bee 🐝]", 99_000),
                ],
                next: None,
            },
        ),
        News::Events(vec![event(1, 30_000, "up"), event(2, 95_000, "suspected")]),
    ];
    told.into_iter().for_each(|news| model.learn(news));
    model
}

fn drawn(model: &Model, view: &View, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("nothing to fail");
    terminal.draw(|frame| screen(model, view, frame.area(), frame.buffer_mut())).expect("nothing to fail");
    terminal.backend().buffer().clone()
}

fn shown(keys: &str) -> String {
    let (model, mut view) = (model(), View::default());
    for key in keys.chars() {
        let code = if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) };
        view.press(KeyEvent::new(code, KeyModifiers::NONE), 2);
    }
    text(&drawn(&model, &view, 80, 24))
}

/// What is the same on every screen.
const HEAD: &str = "\
lasp top  a  1  in shop, hyparview, 0.1.0, up 1 min                         live
quiet  2 active, 7 passive, 2 members, 1 reachable; 2 variables; cpu 0.5 %
membership     100 B/s  █████████
broadcast    17.0 kB/s   ▁▂▃▄▅▆▇█
state            0 B/s
sync             0 B/s
unicast          0 B/s
updates          3.0/s  █████████
divergence      1 of 3          █
memory         16.0 MB ██████████
waiting              0
 1 Links 2   2 Members 2   3 Variables 2   4 Events 2
";

fn expect(keys: &str, list: &str, foot: &str) {
    let empty = "\n".repeat(11 - list.lines().count());
    assert_eq!(shown(keys), format!("{HEAD}{list}{empty}{foot}\n"));
}

#[test]
fn links_with_round_trips_and_what_waits() {
    let list = "\
ID               TREE  ROUND TRIP WAITING UNDER WAY ADDRESS
2                eager     850 µs       0    1.5 kB 10.0.0.2:4100
3                lazy           -      12    1.5 kB 10.0.0.3:4100
";
    expect("", list, "q quit  Tab pane  / find  s sort (id)  r reverse  ? help");
}

#[test]
fn members_sorted_by_standing() {
    let list = "\
ID               STANDING VIEW    REACHABLE ADDRESS
3                suspect  active  no        10.0.0.3:4100
2                alive    active  yes       10.0.0.2:4100
";
    expect("2s", list, "q quit  Tab pane  / find  s sort (standing)  r reverse  ? help");
}

#[test]
fn variables_the_latest_first_and_without_what_would_move_the_cursor() {
    let list = "\
NAME                  TYPE       ELEMENTS     SIZE  CHANGED VALUE
bids                  set               3   2.0 kB      1 s set[[31mx, bee 🐝]
shop/ads              set               3   2.0 kB    1 min set[1, 2, 3]
";
    expect("3", list, "q quit  Tab pane  / find  s sort (change)  r reverse  ? help");
}

#[test]
fn a_search_is_shown_while_it_is_typed_and_kept() {
    let list = "\
NAME                  TYPE       ELEMENTS     SIZE  CHANGED VALUE
shop/ads              set               3   2.0 kB    1 min set[1, 2, 3]
";
    expect("3/AD", list, "find: AD_   Enter keeps it, Esc ends it");
    expect("3/AD\nr", list, "found: AD   Esc all  / find  s sort (change, reversed)  ? help");
    let nothing = "NAME                  TYPE       ELEMENTS     SIZE  CHANGED VALUE\nnothing found\n";
    expect("3/zebra", nothing, "find: zebra_   Enter keeps it, Esc ends it");
}

#[test]
fn events_the_newest_first() {
    let list = "     AGO KIND      NODE             WHAT
     5 s suspected 2                10.0.0.2:4100
   1 min up        2                10.0.0.2:4100
";
    expect("4", list, "q quit  Tab pane  / find  s sort (time)  r reverse  ? help");
}

#[test]
fn a_node_that_is_gone_is_told_with_the_reason() {
    let mut model = model();
    model.learn(News::Lost("cannot reach a live view at a:1: refused".to_owned()));
    (0..3).for_each(|_| model.second());
    let buf = drawn(&model, &View::default(), 80, 24);
    let picture = text(&buf);
    let mut lines = picture.lines();
    let left = "lasp top  a  1  in shop, hyparview, 0.1.0, up 1 min";
    assert_eq!(lines.next(), Some(format!("{left}{:>29}", "LOST for 3 s").as_str()));
    assert_eq!(lines.next(), Some("trying again: cannot reach a live view at a:1: refused"));
    assert_eq!(buf[(0, 1)].fg, Color::Red);
    assert!(picture.contains("\n2                eager"), "what was known stays: {picture}");
}

#[test]
fn the_line_that_is_chosen_is_turned() {
    let (model, mut view) = (model(), View::default());
    let turned = |buf: &Buffer, line: u16| buf[(0, line)].modifier.contains(Modifier::REVERSED);
    let buf = drawn(&model, &view, 80, 24);
    assert!(turned(&buf, 13) && !turned(&buf, 14));
    view.press(KeyEvent::new(KeyCode::Down, KeyModifiers::NONE), 2);
    let buf = drawn(&model, &view, 80, 24);
    assert!(!turned(&buf, 13) && turned(&buf, 14));
}

#[test]
fn a_long_list_moves_with_the_choice() {
    let mut model = model();
    let link = |number| Link { peer: peer(&format!("{number:03}")), ..Link::default() };
    model.learn(News::Links(Links { links: (0..100).map(link).collect() }));
    let mut view = View::default();
    let first = |view: &View| text(&drawn(&model, view, 80, 24)).lines().nth(13).map(|line| line[..3].to_owned());
    assert_eq!(first(&view).as_deref(), Some("000"));
    view.press(KeyEvent::new(KeyCode::End, KeyModifiers::NONE), 100);
    assert_eq!(first(&view).as_deref(), Some("090"));
}

#[test]
fn the_help_lies_over_the_rest() {
    let picture = shown("?");
    assert!(HELP.lines().all(|line| picture.contains(line)), "{picture}");
    assert!(picture.starts_with("lasp top  a"), "{picture}");
}

#[test]
fn nothing_is_known_at_first() {
    let picture = text(&drawn(&Model::default(), &View::default(), 80, 24));
    assert!(picture.lines().next().is_some_and(|line| line.ends_with("connecting")), "{picture}");
    assert!(picture.contains("none"), "{picture}");
}

#[test]
fn every_size_is_drawn_and_one_that_is_too_small_says_so() {
    let (model, mut view) = (model(), View::default());
    view.help = true;
    for (width, height) in [(1, 1), (10, 3), (59, 40), (60, 17), (60, 18), (200, 60), (500, 200)] {
        let picture = text(&drawn(&model, &view, width, height));
        assert_eq!(picture.lines().count(), usize::from(height));
        assert_eq!(
            picture.contains("lasp top  a"),
            width >= LEAST.0 && height >= LEAST.1,
            "{width}x{height}: {picture}"
        );
    }
    let small = text(&drawn(&model, &view, 40, 5));
    assert_eq!(small.trim_end(), "40x5 is too small: lasp top needs 60x18");
}

#[test]
fn a_page_has_all_panes_one_below_the_other() {
    let page = page(&model(), 80, 1);
    let places: Vec<usize> = ["\nLinks 2\n", "\nMembers 2\n", "\nVariables 2\n", "\nEvents 2\n"]
        .into_iter()
        .map(|title| page.find(title).unwrap_or_else(|| panic!("no {title:?} in {page}")))
        .collect();
    assert!(places.is_sorted());
    assert!(page.contains("\nbids ") && !page.contains("\nshop/ads "), "one line of each: {page}");
}
