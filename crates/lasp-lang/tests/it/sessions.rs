//! Sessions as those who embed them see them.

use lasp_lang::{GraphHost, Session, Source, Stop};
use std::sync::{Arc, Mutex};

#[test]
fn where_there_is_no_cluster_nothing_chooses_or_disturbs_nodes() {
    for text in ["on(1, 2).", "partition([1], [2]).", "heal().", "crash(1).", "restart(1)."] {
        let mut session = Session::new(GraphHost::standing_for(0));
        let stop = session.run(&Source::new("t", text), &mut |line| panic!("{line}")).expect_err("refused");
        let Stop::Failed(fault) = stop else { panic!("{stop:?}") };
        assert!(fault.message.contains("acts on an embedded cluster"), "{text}: {}", fault.message);
        assert!(fault.hint.as_ref().is_some_and(|hint| hint.contains("--nodes N")), "{text}");
    }
}

#[test]
fn a_sink_gets_what_is_printed_before_the_form_ends() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let mut session = Session::new(GraphHost::default());
    let sink = lines.clone();
    session.stream_to(Box::new(move |line| sink.lock().expect("no panic").push(line.to_string())));
    let at_end = lines.clone();
    let text = "S = declare(gset), stream(S, fun(X) -> print(X) end), update(S, {add, 1}), print(done), 7.";
    let out = &mut |line: lasp_lang::Line| at_end.lock().expect("no panic").push(line.to_string());
    session.run(&Source::new("t", text), out).expect("it runs");
    assert_eq!(*lines.lock().expect("no panic"), ["set[1]", "done", "7"]);
}

#[test]
fn actions_that_became_due_outside_a_program_run_when_the_session_is_told_to_act() {
    let mut session = Session::new(GraphHost::default());
    let mut lines = Vec::new();
    let text = "S = declare(seen, gset), stream(S, fun(X) -> print(X) end), ok.";
    session.run(&Source::new("t", text), &mut |line| lines.push(line.to_string())).expect("it runs");
    let graph = session.host();
    let var = lasp_lang::host::Host::declare(graph, 1, Some("seen"), &lasp_dataflow::Type::GSet).expect("declared");
    lasp_lang::host::Host::update(graph, 1, var, &lasp_dataflow::Op::Add(3.into())).expect("updated");
    session.act(&mut |line| lines.push(line.to_string())).expect("it acts");
    assert_eq!(lines, ["ok", "set[3]"]);
}
