//! Through a whole node: an update as a request, then the derived value as another.

use harness::inputs::scrambled;
use harness::measure::timed;
use harness::{Latencies, Measure};
use lasp_dataflow::{Aggregate, Name, Op, Operator, Output as Answer, Target, Type, Value, VarId, function};
use lasp_node::{Command, Config, Event, Node, Reply, Request, RequestId};
use lasp_overlay::{Addr, Contact, Input, Outbox, Output, PeerId, Protocol, Time};

const ELEMENTS: i64 = 10_000;
/// Updates of one sample.
const UPDATES: u64 = 2_000;

pub(crate) fn measures() -> Vec<Measure> {
    let what = format!("a whole node, set of {ELEMENTS}: an update, then");
    vec![
        Measure::latency("node/map", format!("{what} its image asked for in a map"), |_| image()).target(5e-6),
        Measure::latency("node/sum", format!("{what} the sum asked for"), |_| sum()).target(5e-6),
    ]
}

/// A node without neighbours, under requests.
struct Rig {
    node: Node,
    out: Outbox<Node>,
    requests: u64,
}

impl Rig {
    fn new() -> (Self, VarId) {
        let addr = Addr::new("node").expect("a short address");
        let contact = Contact { id: PeerId(1), incarnation: 1, addr };
        let mut rig = Self { node: Node::new(Config::default(), contact, 1), out: Outbox::new(), requests: 0 };
        rig.node.handle(Time::ZERO, Input::Start, &mut rig.out);
        let name = Some(Name::new("set").expect("a name"));
        let set = rig.var(Request::Declare { name, ty: Type::AwSet, local: false });
        let all = Op::AddAll((0..ELEMENTS).map(Value::Int).collect());
        rig.ask(Request::Update { var: set, op: all });
        (rig, set)
    }

    fn ask(&mut self, request: Request) -> Reply {
        self.requests += 1;
        // Time passes as if at 200,000 requests a second, so that pacing works as it would.
        let now = Time::from_micros(self.requests * 5);
        self.node.handle(
            now,
            Input::Command(Command::Request { id: RequestId(self.requests), request }),
            &mut self.out,
        );
        let replies = self.out.drain().filter_map(|output| match output {
            Output::Emit(Event::Reply { result, .. }) => Some(result.expect("a good request")),
            _ => None,
        });
        replies.last().expect("a reply")
    }

    fn var(&mut self, request: Request) -> VarId {
        match self.ask(request) {
            Reply::Var(var) => var,
            other => panic!("{other:?} is no variable"),
        }
    }

    fn derive(&mut self, operator: Operator, from: VarId) -> VarId {
        self.var(Request::Derive { operator, inputs: vec![from], into: Target::Local(None) })
    }
}

fn image() -> Latencies {
    let (mut rig, set) = Rig::new();
    let triple = function(|args| match args {
        [Value::Int(n)] => Ok(Value::Int(n * 3)),
        _ => Err("no integer".into()),
    });
    let view = rig.derive(Operator::Map(triple), set);
    alternate(move |op, n, adds| {
        rig.ask(Request::Update { var: set, op });
        assert_eq!(rig.ask(Request::Contains(view, Value::Int(n * 3))), Reply::Bool(adds));
    })
}

fn sum() -> Latencies {
    let (mut rig, set) = Rig::new();
    let view = rig.derive(Operator::Fold(Aggregate::Sum), set);
    let whole = (0..ELEMENTS).sum::<i64>();
    alternate(move |op, n, adds| {
        rig.ask(Request::Update { var: set, op });
        let sum = if adds { whole } else { whole - n };
        assert_eq!(rig.ask(Request::Query(view)), Reply::Output(Answer::Value(Value::Int(sum))));
    })
}

/// Elements are removed and added again, each update timed.
fn alternate(mut update: impl FnMut(Op, i64, bool) + 'static) -> Latencies {
    let mut numbers = (0..).map(scrambled);
    Box::new(move || {
        let some = numbers.by_ref().take(UPDATES as usize);
        some.flat_map(|n| {
            let n = n as i64 & i64::MAX;
            let n = n % ELEMENTS;
            let (removed, ()) = timed(|| update(Op::Remove(Value::Int(n)), n, false));
            let (added, ()) = timed(|| update(Op::Add(Value::Int(n)), n, true));
            [removed, added]
        })
        .collect()
    })
}
