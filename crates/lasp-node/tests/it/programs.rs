//! Installed programs: they spread, run where they concern somebody, are replaced and removed, whatever the network does.

use crate::rig::{Rig, set};
use lasp_dataflow::{Name, Op, Output, Type, Value};
use lasp_node::{
    Command, Config, Event, Interests, ProgramError, ProgramInfo, ProgramState, Reply, Request, RequestError,
};
use lasp_overlay::PeerId;

const DOUBLES: &str = "A = declare(\"a\", set), B = declare(\"b\", set).\nmap(A, fun(X) -> X * 2 end, B).\n";

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn install(rig: &mut Rig, id: u64, program: &str, source: &str) -> Result<u64, RequestError> {
    match rig.ask(id, Request::Install { name: Some(name(program)), source: source.into() })? {
        Reply::Installed { version, .. } => Ok(version),
        other => panic!("install: {other:?}"),
    }
}

fn uninstall(rig: &mut Rig, id: u64, program: &str) -> Result<Reply, RequestError> {
    rig.ask(id, Request::Uninstall { name: name(program) })
}

fn program(rig: &Rig, id: u64, program: &str) -> Option<ProgramInfo> {
    rig.node(id).programs().into_iter().find(|info| info.name.as_str() == program)
}

/// Version and state of a program at a node.
fn state(rig: &Rig, id: u64, name: &str) -> Option<(u64, &'static str)> {
    program(rig, id, name).map(|info| (info.version, info.state.name()))
}

fn update(rig: &mut Rig, id: u64, variable: &str, ty: Type, op: Op) {
    let var = rig.declare(id, variable, ty);
    assert_eq!(rig.ask(id, Request::Update { var, op }), Ok(Reply::Done));
}

fn text(rig: &Rig, id: u64, variable: &str) -> String {
    rig.value(id, variable).map_or_else(|| "unknown".to_owned(), |output| output.to_string())
}

fn faulty(seed: u64) -> lasp_sim::Config {
    lasp_sim::Config { loss: 0.1, duplicate: 0.05, reorder: 0.2, ..lasp_sim::Config::seeded(seed) }
}

#[test]
fn a_program_runs_everywhere_is_replaced_and_removed_despite_loss_partitions_and_crashes() {
    for seed in 1..=3 {
        let mut rig = Rig::new(faulty(seed), vec![Config::default(); 8]);
        rig.sim.partition(&[(1..=5).map(PeerId).collect(), (6..=8).map(PeerId).collect()]);
        assert_eq!(install(&mut rig, 3, "doubles", DOUBLES), Ok(1));
        assert_eq!(state(&rig, 3, "doubles"), Some((1, "running")), "at once where it was installed");
        rig.run(10);
        rig.sim.heal();
        rig.run(60);
        for id in 1..=8 {
            assert_eq!(state(&rig, id, "doubles"), Some((1, "running")), "node {id}, seed {seed}");
        }
        rig.add_all(6, "a", [1, 2]);
        rig.run(30);
        (1..=8).for_each(|id| assert_eq!(rig.value(id, "b"), set([2, 4]), "node {id}"));

        rig.crash(5);
        assert_eq!(install(&mut rig, 7, "doubles", "declare(\"a\", set).\ndeclare(\"c\", gcounter)."), Ok(2));
        rig.run(30);
        rig.restart(5, 2, 1);
        rig.run(30);
        for id in 1..=8 {
            let info = program(&rig, id, "doubles").expect("installed");
            assert_eq!((info.version, &info.state), (2, &ProgramState::Running), "node {id}");
            let variables: Vec<&str> = info.variables.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(variables, ["a", "c"]);
        }

        rig.crash(4);
        assert_eq!(uninstall(&mut rig, 2, "doubles"), Ok(Reply::Done));
        rig.run(30);
        rig.restart(4, 2, 1);
        rig.run(30);
        (1..=8).for_each(|id| assert_eq!(program(&rig, id, "doubles"), None, "node {id}"));
        assert_eq!(install(&mut rig, 8, "doubles", DOUBLES), Ok(4), "versions go on");
    }
}

#[test]
fn what_cannot_be_installed_is_refused_with_its_place_before_it_spreads() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(1), vec![Config::default(); 3]);
    rig.declare(1, "views", Type::GCounter);
    rig.add_all(1, "a", [1]);
    let before = rig.node(1).fingerprint();
    for (source, said) in [
        ("S = declare(\"s\", set).\nupdate(S, {add, 1}).", "p:2:1"),
        ("declare(\"views\", set).", "views is already declared as gcounter, not set"),
        ("declare(\"~lasp/programs\", set).", "is a name of the runtime itself"),
        ("F = fun(", "expected"),
    ] {
        match install(&mut rig, 1, "p", source) {
            Err(RequestError::Program(ProgramError::Rejected(report))) => {
                assert!(report.contains(said), "{source}:\n{report}");
            }
            other => panic!("{source}: {other:?}"),
        }
    }
    let long = "% ".to_owned() + &"x".repeat(lasp_node::programs::TEXT_MAX);
    assert!(matches!(
        install(&mut rig, 1, "p", &long),
        Err(RequestError::Program(ProgramError::TooLarge { size, limit })) if size == limit + 2
    ));
    assert_eq!(uninstall(&mut rig, 1, "p"), Err(ProgramError::Unknown(name("p")).into()));
    rig.run(15);
    assert_eq!(rig.node(1).fingerprint(), before);
    (1..=3).for_each(|id| assert_eq!(rig.node(id).programs(), []));
}

#[test]
fn a_program_that_cannot_be_set_up_leaves_the_one_before_in_its_place() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(2), vec![Config::default(); 2]);
    install(&mut rig, 1, "there", DOUBLES).unwrap();
    install(&mut rig, 1, "back", "declare(\"a\", set), declare(\"b\", set).").unwrap();
    let circle = "A = declare(\"a\", set), B = declare(\"b\", set).\nfilter(B, fun(X) -> X < 100 end, A).";
    match install(&mut rig, 1, "back", circle) {
        Err(RequestError::Program(ProgramError::Failed(report))) => {
            assert!(report.contains("follows from") && report.contains("back:2:1"), "{report}");
        }
        other => panic!("{other:?}"),
    }
    rig.run(15);
    (1..=2).for_each(|id| assert_eq!(state(&rig, id, "back"), Some((1, "running"))));
}

#[test]
fn of_two_installed_at_once_the_same_one_wins_everywhere() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(3), vec![Config::default(); 4]);
    rig.sim.partition(&[vec![PeerId(1), PeerId(2)], vec![PeerId(3), PeerId(4)]]);
    for (id, variable) in [(1, "left"), (3, "right")] {
        assert_eq!(install(&mut rig, id, "p", &format!("declare(\"{variable}\", set).")), Ok(1));
    }
    rig.run(5);
    rig.sim.heal();
    rig.run(60);
    let sources: Vec<_> = (1..=4).map(|id| program(&rig, id, "p").expect("installed").source).collect();
    assert!(sources.iter().all(|source| *source == sources[0]), "{sources:?}");
}

#[test]
fn a_node_that_was_away_for_installation_and_removal_never_runs_it() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(4), vec![Config::default(); 3]);
    rig.crash(3);
    install(
        &mut rig,
        1,
        "p",
        "C = declare(\"c\", gcounter), invariant(C, {value, 0}, fun() -> update(C, increment) end).",
    )
    .unwrap();
    rig.run(3);
    uninstall(&mut rig, 2, "p").unwrap();
    rig.restart(3, 2, 1);
    rig.run(30);
    assert_eq!((state(&rig, 3, "p"), text(&rig, 3, "c")), (None, "2".to_owned()), "nodes 1 and 2 acted");
}

#[test]
fn what_a_version_derived_ends_with_it() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(14), vec![Config::default(); 3]);
    install(&mut rig, 1, "p", DOUBLES).unwrap();
    rig.add_all(2, "a", [1]);
    rig.run(5);
    install(&mut rig, 2, "p", &DOUBLES.replace("X * 2", "X * 10")).unwrap();
    rig.run(5);
    rig.add_all(3, "a", [3]);
    rig.run(5);
    (1..=3).for_each(|id| assert_eq!(rig.value(id, "b"), set([2, 10, 30]), "what was derived stays, nothing is added"));
    uninstall(&mut rig, 3, "p").unwrap();
    rig.run(5);
    rig.add_all(1, "a", [4]);
    rig.run(5);
    (1..=3).for_each(|id| assert_eq!(rig.value(id, "b"), set([2, 10, 30]), "node {id}"));
    let circle = "A = declare(\"a\", set), B = declare(\"b\", set).\nfilter(B, fun(X) -> X < 100 end, A).";
    assert_eq!(install(&mut rig, 1, "back", circle), Ok(1), "nothing is in the way any more");
}

// ---- interests ----

fn hears(prefixes: &[&str]) -> Config {
    Config { interests: Interests::prefixes(prefixes.iter().copied()), ..Config::default() }
}

#[test]
fn it_runs_where_something_that_it_starts_from_is_heard() {
    let nodes = vec![Config::default(), hears(&["a"]), hears(&["b"]), hears(&["other/"])];
    let mut rig = Rig::new(lasp_sim::Config::seeded(5), nodes);
    let source = format!("{DOUBLES}interested(\"more/*\").");
    install(&mut rig, 4, "doubles", &source).unwrap();
    rig.run(15);
    let states: Vec<_> = (1..=4).map(|id| state(&rig, id, "doubles").expect("every node knows it").1).collect();
    assert_eq!(states, ["running", "running", "not interested", "not interested"]);
    rig.add_all(1, "a", [1, 2]);
    rig.add_all(1, "more/x", [7]);
    rig.run(15);
    assert_eq!(rig.value(2, "b"), set([2, 4]), "what it computes, it hears");
    assert_eq!(rig.value(2, "more/x"), set([7]), "and what it says it is interested in");
    assert_eq!(rig.value(3, "b"), set([2, 4]), "a light node hears the result alone");
    // What it lies between it may keep.
    assert!((3..=4).all(|id| !rig.node(id).interests().covers("a")));

    assert_eq!(rig.ask(4, Request::Interests(Interests::prefixes(["a", "other/"]))), Ok(Reply::Done));
    rig.run(15);
    assert_eq!((state(&rig, 4, "doubles"), rig.value(4, "b")), (Some((1, "running")), set([2, 4])));
    assert_eq!(rig.ask(2, Request::Interests(Interests::prefixes(["b"]))), Ok(Reply::Done));
    assert_eq!(state(&rig, 2, "doubles"), Some((1, "not interested")));
    assert!(!rig.node(2).interests().covers("a") && !rig.node(2).interests().covers("more/x"));
}

// ---- triggers ----

fn counting(threshold: u32, by: u32) -> String {
    format!(
        "C = declare(\"c\", gcounter), N = declare(\"n\", gcounter).\n\
         % by {by}\n\
         invariant(C, {{value, {threshold}}}, fun() -> update(N, {{increment, {by}}}) end)."
    )
}

#[test]
fn a_trigger_acts_once_at_each_node_whatever_versions_come() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(6), vec![Config::default(); 4]);
    install(&mut rig, 1, "p", &counting(3, 1)).unwrap();
    rig.run(5);
    update(&mut rig, 2, "c", Type::GCounter, Op::Increment(2));
    rig.run(2);
    assert_eq!(text(&rig, 1, "n"), "0");
    // Another layout, the same trigger: what is reached while it changes is not lost.
    install(&mut rig, 1, "p", &counting(3, 1).replace("% by", "%%% adds\n\n% ")).unwrap();
    update(&mut rig, 2, "c", Type::GCounter, Op::Increment(1));
    rig.run(5);
    (1..=4).for_each(|id| assert_eq!(text(&rig, id, "n"), "4", "once at each of four nodes"));
    install(&mut rig, 3, "p", &counting(3, 1)).unwrap();
    rig.run(5);
    assert_eq!(text(&rig, 1, "n"), "4", "the same trigger in the next version has acted");
    install(&mut rig, 3, "p", &counting(3, 10)).unwrap();
    rig.run(5);
    assert_eq!(text(&rig, 1, "n"), "44", "another action is another trigger");
    uninstall(&mut rig, 3, "p").unwrap();
    install(&mut rig, 3, "p", &counting(3, 10)).unwrap();
    rig.run(5);
    assert_eq!(text(&rig, 1, "n"), "84", "removed and installed again it is another program");
}

const ONCE: &str = "C = declare(\"c\", gcounter), N = declare(\"n\", gcounter), L = declare(\"l\", set).\n\
     enforce_once(C, {value, 3}, fun() -> update(N, {increment, 7}), update(L, {add, [query(C)]}), print(enforced) end).";

fn printed(rig: &mut Rig, seconds: u64) -> Vec<(u64, String)> {
    rig.sim.drain_events();
    rig.run(seconds);
    let told = rig.sim.drain_events().into_iter().filter_map(|(_, peer, event)| match event {
        Event::Printed { program, text } => Some((peer.0, format!("{program}: {text}"))),
        _ => None,
    });
    told.collect()
}

#[test]
fn what_a_program_enforces_happens_once_in_the_cluster() {
    let mut rig = Rig::new(faulty(7), vec![Config::default(); 8]);
    install(&mut rig, 1, "p", ONCE).unwrap();
    rig.run(30);
    update(&mut rig, 2, "c", Type::GCounter, Op::Increment(3));
    let told = printed(&mut rig, 30);
    assert_eq!(told.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["p: enforced"]);
    (1..=8).for_each(|id| assert_eq!((text(&rig, id, "n"), text(&rig, id, "l")), ("7".into(), "set[3]".into())));
    assert_eq!((1..=8).map(|id| rig.node(id).metrics().enforced).sum::<u64>(), 1);
    // A new version of the program, a new life of a node: it has happened.
    install(&mut rig, 2, "p", &format!("% second\n{ONCE}")).unwrap();
    rig.crash(8);
    rig.run(5);
    rig.restart(8, 2, 1);
    assert_eq!(printed(&mut rig, 30), []);
    assert_eq!(text(&rig, 8, "n"), "7");
}

#[test]
fn an_enforcement_goes_on_in_the_next_version_of_its_program() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(8), vec![Config::default(); 4]);
    install(&mut rig, 1, "p", ONCE).unwrap();
    rig.run(3);
    update(&mut rig, 2, "c", Type::GCounter, Op::Increment(3));
    rig.sim.run_for(std::time::Duration::from_millis(600));
    install(&mut rig, 3, "p", &format!("% second\n{ONCE}")).unwrap();
    assert_eq!(printed(&mut rig, 30).len(), 1);
    (1..=4).for_each(|id| assert_eq!(text(&rig, id, "n"), "7"));
}

#[test]
fn both_sides_of_a_partition_enforce_and_come_to_one_firing() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(9), vec![Config::default(); 6]);
    let source = ONCE.replace("[query(C)]", "[done]");
    install(&mut rig, 1, "p", &source).unwrap();
    rig.run(5);
    rig.sim.partition(&[[1, 2, 3].map(PeerId).to_vec(), [4, 5, 6].map(PeerId).to_vec()]);
    update(&mut rig, 1, "c", Type::GCounter, Op::Increment(3));
    update(&mut rig, 6, "c", Type::GCounter, Op::Increment(4));
    assert_eq!(printed(&mut rig, 30).len(), 2);
    rig.sim.heal();
    assert_eq!(printed(&mut rig, 60), []);
    (1..=6).for_each(|id| assert_eq!((text(&rig, id, "n"), text(&rig, id, "l")), ("7".into(), "set[done]".into())));
}

#[test]
fn what_fails_is_told_with_its_place_and_the_rest_goes_on() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(10), vec![Config::default(); 2]);
    let source = "A = declare(\"a\", set), B = declare(\"b\", set), C = declare(\"c\", gcounter).\n\
                  map(A, fun(X) -> 10 div X end, B).\n\
                  invariant(C, {value, 1}, fun() -> update(C, {increment, hd([])}) end).\n\
                  invariant(C, {value, 1}, fun() -> update(B, {add, 99}) end).";
    install(&mut rig, 1, "p", source).unwrap();
    rig.run(3);
    rig.add_all(1, "a", [0, 5]);
    update(&mut rig, 1, "c", Type::GCounter, Op::Increment(1));
    rig.run(3);
    for id in 1..=2 {
        assert_eq!(rig.value(id, "b"), set([2, 99]), "node {id}");
        let info = program(&rig, id, "p").expect("installed");
        assert_eq!((info.state, info.errors_total), (ProgramState::Running, 2));
        assert!(info.errors[0].contains("map") && info.errors[0].contains("p:2:18"), "{:?}", info.errors);
        assert!(info.errors[1].contains("hd") && info.errors[1].contains("p:3:"), "{:?}", info.errors);
        assert_eq!(rig.node(id).metrics().actions_failed, 1);
    }
}

// ---- names of the runtime ----

#[test]
fn owners_cannot_write_the_variables_of_the_runtime() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(11), vec![Config::default()]);
    install(&mut rig, 1, "p", DOUBLES).unwrap();
    let var = rig.node(1).graph().lookup("~lasp/programs").expect("there is a program");
    let set = Op::Apply("p".into(), Box::new(Op::Set("x".into())));
    let refused = |answer: Result<Reply, RequestError>| matches!(answer, Err(RequestError::Reserved(_)));
    assert!(refused(rig.ask(1, Request::Update { var, op: set })));
    assert!(refused(rig.ask(1, Request::Bind { var, value: Value::Int(1) })));
    assert!(refused(rig.ask(1, Request::BindTo { into: var, from: var })));
    let request = Request::Declare { name: Some(name("~lasp/mine")), ty: Type::AwSet, local: true };
    assert!(refused(rig.ask(1, request)));
    assert!(matches!(rig.ask(1, Request::Query(var)), Ok(Reply::Output(Output::Map(_)))));
}

#[test]
fn without_a_name_it_is_called_by_what_it_says() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(12), vec![Config::default(); 2]);
    let request = || Request::Install { name: None, source: DOUBLES.into() };
    let Ok(Reply::Installed { name, version: 1 }) = rig.ask(1, request()) else { panic!("installed") };
    rig.run(2);
    assert_eq!(rig.ask(2, request()), Ok(Reply::Installed { name: name.clone(), version: 2 }));
    assert!(matches!(rig.ask(2, Request::Programs), Ok(Reply::Programs(all)) if all.len() == 1 && all[0].name == name));
}

#[test]
fn a_node_that_leaves_no_longer_enforces_and_another_does() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(13), vec![Config::default(); 4]);
    install(&mut rig, 1, "p", ONCE).unwrap();
    rig.run(5);
    update(&mut rig, 2, "c", Type::GCounter, Op::Increment(3));
    rig.run(1);
    let owner = (1..=4).find(|id| rig.node(*id).metrics().enforced == 1);
    if let Some(owner) = owner {
        rig.sim.command(PeerId(owner), Command::Leave);
    }
    rig.run(30);
    assert_eq!((1..=4).map(|id| rig.node(id).metrics().enforced).sum::<u64>(), 1, "what it did, it said");
    (1..=4).filter(|id| Some(*id) != owner).for_each(|id| assert_eq!(text(&rig, id, "n"), "7"));
}
