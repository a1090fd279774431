//! Frames from the network are hostile until decoded: whatever comes, the node counts it and goes on.

use crate::rig::{Rig, set};
use lasp_node::{Config, Frame, Node};
use lasp_overlay::{Addr, Contact, Input, Outbox, Output, PeerId, Protocol, Rng, Time};

fn contact(id: u64) -> Contact {
    Contact { id: PeerId(id), incarnation: 1, addr: Addr::new(&format!("node-{id}:1")).expect("short") }
}

/// Every frame that two busy nodes exchange.
fn corpus() -> Vec<Frame> {
    let mut nodes = [1, 2].map(|id| Node::new(Config::default(), contact(id), id));
    let mut inputs: Vec<(usize, Input<Node>)> = Vec::new();
    for (index, peer) in [(0, contact(2)), (1, contact(1))] {
        inputs.push((index, Input::Start));
        inputs.push((index, Input::LinkUp { peer, dialed: None }));
    }
    inputs.push((0, Input::Command(lasp_node::Command::Join(vec![contact(2).addr]))));
    inputs.push((0, Input::LinkUp { peer: contact(2), dialed: Some(contact(2).addr) }));
    let mut frames = Vec::new();
    let mut timers = Vec::new();
    let mut out = Outbox::new();
    let mut now = Time::ZERO;
    for round in 0..200u64 {
        if round % 4 == 0 {
            let node = (round / 4 % 2) as usize;
            let request =
                |id, request| Input::Command(lasp_node::Command::Request { id: lasp_node::RequestId(id), request });
            let group = if round % 8 == 0 { "causal/group/" } else { "" };
            let name = format!("{group}v{}", round % 5);
            let var = nodes[node].graph().lookup(&name);
            let name = Some(lasp_dataflow::Name::new(name).expect("a name"));
            inputs.push((
                node,
                request(2 * round, lasp_node::Request::Declare { name, ty: lasp_dataflow::Type::AwSet, local: false }),
            ));
            let op = lasp_dataflow::Op::Add(lasp_dataflow::Value::Int(round as i64));
            let within = std::time::Duration::from_secs(5);
            let update = |var| match round % 3 {
                0 => lasp_node::Request::Update { var, op },
                // Of one neighbour, and of more than there are: the question is to be passed on.
                by => lasp_node::Request::UpdateAcknowledged { var, op, by: by as usize, within, session: None },
            };
            inputs.extend(var.map(|var| (node, request(2 * round + 1, update(var)))));
        }
        inputs.append(&mut timers);
        now = now + std::time::Duration::from_millis(100);
        while let Some((index, input)) = (!inputs.is_empty()).then(|| inputs.remove(0)) {
            nodes[index].handle(now, input, &mut out);
            let from = PeerId(index as u64 + 1);
            for output in out.drain() {
                match output {
                    Output::Send { message, .. } => {
                        frames.push(message.clone());
                        inputs.push((1 - index, Input::Received { from, message }));
                    }
                    Output::SetTimer { timer, .. } => timers.push((index, Input::Expired(timer))),
                    _ => {}
                }
            }
        }
        timers.truncate(64);
    }
    assert!(frames.len() > 50, "a corpus of {} frames", frames.len());
    frames
}

fn mutate(frame: &Frame, rng: &mut Rng) -> Frame {
    let mut bytes = frame.as_bytes().to_vec();
    for _ in 0..1 + rng.below(4) {
        let at = rng.index(bytes.len().max(1));
        match rng.below(4) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at.min(bytes.len()), rng.next_u64() as u8),
            2 if !bytes.is_empty() => bytes[at] = rng.next_u64() as u8,
            _ => bytes.extend(std::iter::repeat_with(|| rng.next_u64() as u8).take(at % 9)),
        }
    }
    Frame::from(bytes)
}

#[test]
fn mutilated_and_random_frames_never_panic_and_never_stop_a_node() {
    let corpus = corpus();
    let mut rng = Rng::new(7);
    let mut refused = 0;
    for _ in 0..200 {
        let mut node = Node::new(Config::default(), contact(1), 1);
        let mut out = Outbox::new();
        node.handle(Time::ZERO, Input::LinkUp { peer: contact(2), dialed: None }, &mut out);
        for _ in 0..100 {
            let message = match rng.below(3) {
                0 => Frame::from((0..rng.below(60)).map(|_| rng.next_u64() as u8).collect::<Vec<_>>()),
                1 => corpus[rng.index(corpus.len())].clone(),
                _ => mutate(&corpus[rng.index(corpus.len())], &mut rng),
            };
            node.handle(Time::ZERO, Input::Received { from: PeerId(2), message }, &mut out);
            out.take();
        }
        refused += node.metrics().frames_refused;
    }
    assert!(refused > 1_000, "{refused} of 20,000 frames were refused");
}

#[test]
fn a_frame_over_no_link_is_refused() {
    let mut node = Node::new(Config::default(), contact(1), 1);
    let mut out = Outbox::new();
    node.handle(Time::ZERO, Input::Received { from: PeerId(9), message: corpus()[0].clone() }, &mut out);
    assert_eq!((node.metrics().frames_refused, out.take().len()), (1, 0));
}

#[test]
fn a_link_survives_garbage_in_its_midst() {
    let mut rig = Rig::new(lasp_sim::Config::seeded(1), vec![Config::default(); 2]);
    rig.add_all(1, "set", [1]);
    rig.run(1);
    let now = rig.sim.now();
    let mut out = Outbox::new();
    // A reference that was never defined: both sides start their tables anew.
    let garbage = Frame::from(vec![0, 1, 0, 0xff, 1, 1]);
    let node = rig.sim.peer_mut(PeerId(2)).expect("it is up");
    node.handle(now, Input::Received { from: PeerId(1), message: garbage }, &mut out);
    rig.add_all(1, "set", [2]);
    rig.run(15);
    assert_eq!(rig.value(2, "set"), set([1, 2]));
}
