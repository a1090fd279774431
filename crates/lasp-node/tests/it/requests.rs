//! Requests that make and end derivations, forget variables, and wait for any of several things.

use crate::rig::Rig;
use lasp_dataflow::{Op, Operator, Output, Target, Threshold, Type, UndeclareError, Value, VarId, function};
use lasp_node::{
    Command, Composition, Config, Event, Interests, Reply, Request, RequestError, RequestId, Source, Step,
};
use lasp_overlay::PeerId;

fn one() -> (Rig, VarId) {
    let mut rig = Rig::new(lasp_sim::Config::default(), vec![Config::default()]);
    let set = rig.declare(1, "set", Type::AwSet);
    rig.ask(1, Request::Update { var: set, op: Op::AddAll(vec![1.into(), 2.into()]) }).expect("a set");
    (rig, set)
}

fn map(by: i64, input: Source) -> Step {
    let times = function(move |args| match args {
        [Value::Int(n)] => Ok(Value::Int(n * by)),
        _ => Err("no integer".into()),
    });
    Step { operator: Operator::Map(times), inputs: vec![input] }
}

fn compose(rig: &mut Rig, steps: Vec<Step>, into: Target) -> Result<Reply, RequestError> {
    rig.ask(1, Request::Compose { composition: Composition { steps }, into })
}

#[test]
fn a_composition_is_one_derivation() {
    let (mut rig, set) = one();
    let union = Step { operator: Operator::Union, inputs: vec![Source::Step(1), Source::Var(set)] };
    let steps = vec![map(2, Source::Var(set)), map(5, Source::Step(0)), union];
    let Ok(Reply::Derived { var, derivation }) = compose(&mut rig, steps, Target::Local(None)) else {
        panic!("it is derived")
    };
    let shown = |rig: &mut Rig| match rig.ask(1, Request::Query(var)) {
        Ok(Reply::Output(output)) => output.to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!(shown(&mut rig), "set[1, 2, 10, 20]");
    assert_eq!((rig.node(1).graph().vars().count(), rig.node(1).graph().derivations().count()), (2, 1));
    rig.ask(1, Request::Update { var: set, op: Op::Remove(1.into()) }).expect("a set");
    assert_eq!(shown(&mut rig), "set[2, 20]");
    assert_eq!(rig.ask(1, Request::RemoveDerivation(derivation)), Ok(Reply::Bool(true)));
    assert_eq!(rig.ask(1, Request::RemoveDerivation(derivation)), Ok(Reply::Bool(false)));
    assert_eq!(rig.node(1).graph().vars().count(), 1);
}

#[test]
fn a_composition_that_is_refused_leaves_nothing() {
    let (mut rig, set) = one();
    let target = rig.declare(1, "target", Type::GCounter);
    let chain = |set| vec![map(2, Source::Var(set)), map(3, Source::Step(0))];
    let refused = [
        compose(&mut rig, Vec::new(), Target::Local(None)),
        compose(&mut rig, vec![map(2, Source::Step(0))], Target::Local(None)),
        compose(&mut rig, vec![map(2, Source::Step(1)), map(2, Source::Var(set))], Target::Local(None)),
        compose(&mut rig, chain(set), Target::Into(target)),
        compose(&mut rig, chain(set), Target::Into(set)),
    ];
    for reply in refused {
        assert!(matches!(reply, Err(RequestError::Composition | RequestError::Derive(_))), "{reply:?}");
    }
    assert_eq!((rig.node(1).graph().vars().count(), rig.node(1).graph().derivations().count()), (2, 0));
}

#[test]
fn a_variable_is_forgotten_where_nobody_is_interested_and_can_be_written_again() {
    let narrow = Config { interests: Interests::prefixes(["ads/"]), ..Config::default() };
    let mut rig = Rig::new(lasp_sim::Config::default(), vec![Config::default(), narrow]);
    let add = |var, n: i64| Request::Update { var, op: Op::Add(n.into()) };
    let all = rig.declare(1, "set", Type::AwSet);
    let set = rig.declare(2, "set", Type::AwSet);
    rig.run(1);
    rig.ask(2, add(set, 1)).expect("a set");
    rig.run(1);
    let derived =
        rig.ask(2, Request::Derive { operator: Operator::Union, inputs: vec![set, set], into: Target::Local(None) });
    let Ok(Reply::Var(derived)) = derived else { panic!("it is derived") };
    let in_use = rig.ask(2, Request::Undeclare(set));
    assert!(matches!(in_use, Err(RequestError::Undeclare(UndeclareError::InUse { .. }))), "{in_use:?}");
    assert_eq!(rig.ask(2, Request::Undeclare(derived)), Ok(Reply::Done));
    assert_eq!(rig.ask(2, Request::Undeclare(set)), Ok(Reply::Done));

    // What others do with it is not heard any more.
    rig.ask(1, add(all, 2)).expect("a set");
    rig.run(5);
    assert_eq!(rig.node(2).graph().lookup("set"), None);

    // Declared again, it is heard as it is by now, and what this node writes is told from what it wrote before.
    let set = rig.declare(2, "set", Type::AwSet);
    rig.run(5);
    let value = Output::Set(vec![1.into(), 2.into()]);
    assert_eq!(rig.ask(2, Request::Query(set)), Ok(Reply::Output(value)));
    rig.ask(2, add(set, 3)).expect("a set");
    rig.run(5);
    let value = Output::Set(vec![1.into(), 2.into(), 3.into()]);
    assert_eq!(rig.ask(1, Request::Query(all)), Ok(Reply::Output(value)));
}

#[test]
fn a_wait_for_nothing_or_for_what_is_not_there_is_refused() {
    let (mut rig, set) = one();
    assert_eq!(rig.ask(1, Request::ReadAny(Vec::new())), Err(RequestError::NothingToWaitFor));
    let gone = rig.declare(1, "gone", Type::AwSet);
    let local = Request::Derive { operator: Operator::Union, inputs: vec![gone, gone], into: Target::Local(None) };
    let Ok(Reply::Var(gone)) = rig.ask(1, local) else { panic!("it is derived") };
    rig.ask(1, Request::Undeclare(gone)).expect("nobody uses it");
    let nowhere = (gone, Threshold::Bound);
    let refused = rig.ask(1, Request::ReadAny(vec![(set, Threshold::AtLeast(9)), nowhere]));
    assert_eq!(refused, Err(RequestError::UnknownVariable(gone)));
    let odd = rig.ask(1, Request::ReadAny(vec![(set, Threshold::AtLeast(9)), (set, Threshold::Holds(1.into()))]));
    assert!(matches!(odd, Err(RequestError::Threshold(_))), "{odd:?}");
    assert_eq!(rig.node(1).graph().waiting(), 0, "the first wait is withdrawn");
    let met = rig.ask(1, Request::ReadAny(vec![(set, Threshold::AtLeast(9)), (set, Threshold::AtLeast(2))]));
    assert_eq!(met, Ok(Reply::Any { index: 1, output: Output::Set(vec![1.into(), 2.into()]) }));
    assert_eq!(rig.node(1).graph().waiting(), 0);
}

#[test]
fn who_follows_a_variable_without_its_value_is_told_of_each_change_alone() {
    let (mut rig, set) = one();
    rig.sim.command(PeerId(1), Command::Request { id: RequestId(900), request: Request::Notice(set) });
    rig.sim.command(PeerId(1), Command::Request { id: RequestId(901), request: Request::Watch(set) });
    rig.sim.drain_events();
    let told = |rig: &mut Rig, op: Op| {
        rig.sim.command(PeerId(1), Command::Request { id: RequestId(902), request: Request::Update { var: set, op } });
        let events = rig.sim.drain_events().into_iter().map(|(_, _, event)| event);
        events
            .filter(|event| !matches!(event, Event::Reply { .. }))
            .map(|event| format!("{event:?}"))
            .collect::<Vec<_>>()
    };
    let added = told(&mut rig, Op::Add(3.into()));
    assert_eq!(added.len(), 2, "{added:?}");
    assert!(added.contains(&"Noticed(RequestId(900))".to_owned()), "{added:?}");
    assert!(told(&mut rig, Op::Remove(7.into())).is_empty(), "nothing changed");
    rig.sim.command(PeerId(1), Command::Cancel(RequestId(900)));
    assert_eq!(told(&mut rig, Op::Remove(3.into())).len(), 1);
}
