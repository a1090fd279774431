//! The bytes of types, states and digests in one known state of each type, and their fingerprints, as a file under version
//! control: what nodes of different releases say to each other must not drift unnoticed. To change the format on purpose,
//! write the file anew and commit it with the change:
//!
//! ```text
//! cargo test -p lasp-dataflow --test it golden::bless -- --ignored
//! ```

use lasp_crdt::codec::{Plain, from_bytes, to_bytes};
use lasp_crdt::{Reader, ReplicaId, Stamp, Timestamp, Writer};
use lasp_dataflow::{Graph, Name, Op, ReplicaName, State, StateDigest, Type};
use std::fmt::Write;
use std::path::PathBuf;

/// Each type with what is done to a variable of it, alternately by two replicas that hear of each other in the end.
fn histories() -> Vec<(&'static str, Vec<Op>)> {
    let key = |op| Op::Apply("k".into(), Box::new(op));
    let edge = || vec![(1.into(), 2.into())];
    let sets = || vec![Op::AddAll(vec![1.into(), 2.into()]), Op::Add(3.into()), Op::Remove(2.into())];
    let graph =
        || vec![Op::AddVertices(vec![1.into(), 2.into(), 3.into()]), Op::AddEdges(edge()), Op::AddEdges(edge())];
    let counter = || vec![Op::Increment(300), Op::Increment(1), Op::Decrement(2)];
    let write = || vec![Op::Set(5.into()), Op::Set("x".into()), Op::Set(7.into())];
    let mut two_phase = vec![graph().remove(0), Op::RemoveVertices(vec![3.into()]), graph().remove(1)];
    two_phase.extend([Op::AddVertices(vec![4.into()]), Op::RemoveEdges(edge())]);
    let nested = |op| key(Op::Snd(Box::new(key(op))));
    vec![
        ("gset", sets()[..2].to_vec()),
        ("set", sets()),
        ("twopset", sets()),
        ("rwset", sets()),
        ("gcounter", counter()[..2].to_vec()),
        ("pncounter", counter()),
        ("lexcounter", counter()),
        ("bcounter", [counter(), vec![Op::Increment(1), Op::Move(9, ReplicaName::Id(ReplicaId(8)))]].concat()),
        ("max", write()),
        ("min", write()),
        ("boolean", vec![Op::Enable]),
        ("ewflag", vec![Op::Enable, Op::Enable, Op::Disable]),
        ("dwflag", vec![Op::Disable, Op::Disable, Op::Enable]),
        ("ivar", vec![Op::Set(5.into())]),
        ("lwwregister", write()),
        ("mvregister", write()),
        ("summary", vec![]),
        ("gmap(max)", write().into_iter().map(key).collect()),
        ("awmap(rwset)", sets().into_iter().map(key).collect()),
        (
            "awmap(pair(ewflag, awmap(mvregister)))",
            [vec![key(Op::Fst(Box::new(Op::Enable)))], write().into_iter().map(nested).collect()].concat(),
        ),
        ("mvmap", write().into_iter().map(key).collect()),
        ("pair(gcounter, set)", vec![Op::Fst(Box::new(Op::Increment(3))), Op::Snd(Box::new(Op::Add(1.into())))]),
        ("ggraph", graph()),
        ("twopgraph", two_phase),
        ("awgraph", graph()),
    ]
}

fn state(ty: &Type, ops: &[Op]) -> State {
    let mut graphs = [ReplicaId(7), ReplicaId(8)].map(Graph::new);
    let vars = graphs.each_mut().map(|graph| graph.declare(Name::new("v").unwrap(), ty.clone()).unwrap());
    for (time, op) in ops.iter().enumerate() {
        let graph = &mut graphs[time % 2];
        let stamp = Stamp { time: Timestamp(1 + time as u64), replica: graph.replica() };
        if let Err(error) = graph.update(vars[time % 2], op, stamp) {
            assert!(time % 2 == 1, "{ty}: {error}");
        }
        if *ty == Type::TwoPGraph || *ty == Type::BCounter {
            let heard = graphs[time % 2].state(vars[0]).unwrap().clone();
            graphs[1 - time % 2].merge(vars[0], heard);
        }
    }
    let other = graphs[1].state(vars[1]).unwrap().clone();
    graphs[0].merge(vars[0], other);
    graphs[0].state(vars[0]).unwrap().clone()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

fn lines() -> String {
    let mut text = String::new();
    for (name, ops) in histories() {
        let ty: Type = name.parse().expect("a type");
        let state = state(&ty, &ops);
        let mut coder = Plain;
        let (mut bytes, mut digest) = (Vec::new(), Vec::new());
        state.encode(&mut Writer::new(&mut bytes, &mut coder));
        state.digest().encode(&mut Writer::new(&mut digest, &mut coder));
        assert_eq!(from_bytes(&to_bytes(&ty)), Ok(ty.clone()));
        assert_eq!(State::decode(&ty, &mut Reader::new(&bytes, &mut coder)), Ok(state.clone()), "{ty}");
        assert_eq!(StateDigest::decode(&ty, &mut Reader::new(&digest, &mut coder)), Ok(state.digest()), "{ty}");
        _ = writeln!(text, "{ty} = {}", state.read());
        _ = writeln!(text, "  type {}", hex(&to_bytes(&ty)));
        _ = writeln!(text, "  state {}\n  digest {}", hex(&bytes), hex(&digest));
        _ = writeln!(text, "  fingerprint {:016x}", state.fingerprint());
    }
    text
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/states.txt")
}

#[test]
fn states_are_written_as_committed() {
    let committed = std::fs::read_to_string(file()).expect("the file is committed");
    let (made, committed) = (lines(), committed.replace("\r\n", "\n"));
    for (made, committed) in made.lines().zip(committed.lines()) {
        assert_eq!(made, committed);
    }
    assert_eq!(made.lines().count(), committed.lines().count());
}

#[test]
fn every_type_has_a_state_there() {
    let known = histories();
    for name in Type::names() {
        assert!(known.iter().any(|(ty, _)| ty.split('(').next() == Some(name)), "{name}");
    }
}

#[test]
#[ignore = "writes the file anew"]
#[expect(clippy::disallowed_methods, reason = "a test writes its own data")]
fn bless() {
    std::fs::create_dir_all(file().parent().expect("a directory")).expect("can be made");
    std::fs::write(file(), lines()).expect("can be written");
}
