//! Updates per second through one whole node, single-threaded: `cargo run --release -p lasp-node --example throughput`.
//!
//! An add-wins set is filled with 10,000 elements; then elements are added and removed one by one, each as a request with its reply, its delta
//! broadcast and framed for every neighbour. The neighbours swallow their frames.

use lasp_dataflow::{Name, Op, Type, Value, VarId};
use lasp_node::{Command, Config, Event, Frame, Node, Reply, Request, RequestId};
use lasp_overlay::{Addr, Contact, Input, Outbox, Output, PeerId, Protocol, Time};
use std::collections::VecDeque;

const ELEMENTS: i64 = 10_000;
const UPDATES: i64 = 1_000_000;

fn main() {
    for neighbours in [0, 1, 4] {
        let (node, set) = prepare(neighbours);
        let (seconds, sent) = measure(node, set);
        let rate = UPDATES as f64 / seconds;
        let bytes = sent as f64 / UPDATES as f64;
        println!("{neighbours} neighbours: {rate:>9.0} updates/s, {bytes:.1} bytes sent per update");
    }
}

/// A small lock-step cluster: the measured node and its neighbours, joined through it.
struct Rig {
    nodes: Vec<Node>,
    inputs: VecDeque<(usize, Input<Node>)>,
}

fn contact(index: usize) -> Contact {
    let addr = Addr::new(&format!("node-{index}")).expect("a short address");
    Contact { id: PeerId(index as u64 + 1), incarnation: 1, addr }
}

impl Rig {
    /// Delivers at once whatever a node emits to the others; timers are let go.
    fn drain(&mut self) {
        let mut out = Outbox::new();
        while let Some((at, input)) = self.inputs.pop_front() {
            self.nodes[at].handle(Time::ZERO, input, &mut out);
            let me = contact(at);
            for output in out.drain() {
                let index = |peer: PeerId| peer.0 as usize - 1;
                match output {
                    Output::Send { to, message } => {
                        let bytes = message.wire_len();
                        self.inputs.push_back((index(to), Input::Received { from: me.id, message }));
                        self.inputs.push_back((at, Input::Drained { peer: to, bytes }));
                    }
                    Output::Dial(addr) => {
                        let other = (0..self.nodes.len()).find(|&i| contact(i).addr == addr).expect("a known address");
                        self.inputs.push_back((other, Input::LinkUp { peer: me.clone(), dialed: None }));
                        self.inputs.push_back((at, Input::LinkUp { peer: contact(other), dialed: Some(addr) }));
                    }
                    Output::Link(other) => {
                        self.inputs.push_back((index(other.id), Input::LinkUp { peer: me.clone(), dialed: None }));
                        let dialed = Some(other.addr.clone());
                        self.inputs.push_back((at, Input::LinkUp { peer: other, dialed }));
                    }
                    Output::Close(_) | Output::SetTimer { .. } | Output::Emit(_) => {}
                }
            }
        }
    }
}

fn prepare(neighbours: usize) -> (Node, VarId) {
    let nodes = (0..=neighbours).map(|i| Node::new(Config::default(), contact(i), i as u64)).collect();
    let mut rig = Rig { nodes, inputs: VecDeque::new() };
    for index in 0..=neighbours {
        rig.inputs.push_back((index, Input::Start));
        if index > 0 {
            rig.inputs.push_back((index, Input::Command(Command::Join(vec![contact(0).addr]))));
        }
        rig.drain();
    }
    let mut node = rig.nodes.swap_remove(0);
    assert_eq!(node.active_view().len(), neighbours, "every neighbour has joined");
    let mut out = Outbox::new();
    let request = Request::Declare { name: Some(Name::new("set").expect("a name")), ty: Type::AwSet, local: false };
    node.handle(Time::ZERO, Input::Command(Command::Request { id: RequestId(0), request }), &mut out);
    let set = out
        .drain()
        .find_map(|output| match output {
            Output::Emit(Event::Reply { result: Ok(Reply::Var(var)), .. }) => Some(var),
            _ => None,
        })
        .expect("declared");
    let all = Op::AddAll((0..ELEMENTS).map(Value::Int).collect());
    node.handle(
        Time::ZERO,
        Input::Command(Command::Request { id: RequestId(1), request: Request::Update { var: set, op: all } }),
        &mut out,
    );
    (node, set)
}

/// The bytes a frame takes, handed back as taken by the transport.
fn drained(to: PeerId, frame: &Frame) -> Input<Node> {
    Input::Drained { peer: to, bytes: frame.wire_len() }
}

fn measure(mut node: Node, set: VarId) -> (f64, u64) {
    let before = node.metrics().total_sent();
    let mut out = Outbox::new();
    let mut drains: Vec<Input<Node>> = Vec::new();
    #[expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "a benchmark reads the clock")]
    let started = std::time::Instant::now();
    for n in 0..UPDATES {
        // Time passes as if at 200,000 updates a second, so that pacing works as it would.
        let now = Time::from_micros(n as u64 * 5);
        let op = if n % 2 == 0 { Op::Add(Value::Int(ELEMENTS + n)) } else { Op::Remove(Value::Int(ELEMENTS + n - 1)) };
        let request = Request::Update { var: set, op };
        node.handle(now, Input::Command(Command::Request { id: RequestId(n as u64 + 2), request }), &mut out);
        for output in out.drain() {
            match output {
                Output::Send { to, message } => drains.push(drained(to, &message)),
                Output::Emit(Event::Reply { result, .. }) => assert_eq!(result, Ok(Reply::Done)),
                _ => {}
            }
        }
        for input in drains.drain(..) {
            node.handle(now, input, &mut out);
        }
    }
    (started.elapsed().as_secs_f64(), node.metrics().total_sent() - before)
}
