//! Two replicas and a network that loses, repeats and reorders: deltas, delta groups, repair by digest.
//! `cargo run -p lasp-crdt --example sync`

use lasp_crdt::{AwSet, DecodeError, Delta, Fingerprint, Lattice, ReplicaId, codec};
use std::error::Error;
use std::io::{self, Write};

type Set = AwSet<String>;

/// A state, and what its peer has not been sent.
struct Node {
    id: ReplicaId,
    state: Set,
    /// Deltas merge with each other: what waits for a slow peer is one delta, however many changes it holds.
    group: Set,
}

impl Node {
    fn new(id: u64) -> Self {
        Self { id: ReplicaId(id), state: Set::new(), group: Set::new() }
    }

    fn add(&mut self, element: &str) {
        let delta = self.state.add(self.id, element.to_owned());
        self.change(delta);
    }

    fn remove(&mut self, element: &str) {
        let delta = self.state.remove(&element.to_owned());
        self.change(delta);
    }

    fn change(&mut self, delta: Set) {
        self.state.merge(delta.clone());
        self.group.merge(delta);
    }

    /// The bytes of all changes since the last time.
    fn flush(&mut self) -> Vec<u8> {
        codec::to_bytes(&std::mem::take(&mut self.group))
    }

    /// Takes a delta in; says whether it held news, which is what to forward to others.
    fn receive(&mut self, bytes: &[u8]) -> Result<bool, DecodeError> {
        let delta: Set = codec::from_bytes(bytes)?;
        Ok(self.state.merge(delta.difference(&self.state)))
    }
}

pub(crate) fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let (mut ann, mut bob) = (Node::new(1), Node::new(2));
    for n in 0..1_000 {
        ann.add(&format!("old-{n}"));
    }
    bob.receive(&ann.flush())?;

    // One message for several changes; what comes and goes in between costs next to nothing.
    for n in 0..100 {
        ann.add(&format!("draft-{n}"));
        ann.remove(&format!("draft-{n}"));
    }
    ann.add("final");
    let group = ann.flush();
    writeln!(out, "a group of 201 changes: {} bytes", group.len())?;

    // It arrives three times: only the first is news.
    let news = [bob.receive(&group)?, bob.receive(&group)?, bob.receive(&group)?];
    assert_eq!(news, [true, false, false]);
    writeln!(out, "news: {news:?}")?;

    // Two more are made; the first is lost, and nobody is told.
    ann.add("lost");
    let lost = ann.flush();
    ann.remove("old-7");
    bob.receive(&ann.flush())?;
    assert_ne!(ann.state.fingerprint(), bob.state.fingerprint());
    writeln!(out, "lost: {} bytes; the fingerprints differ", lost.len())?;

    // Bob sends a digest: no elements, and replicas in step cost a few bytes each. Ann answers with what he lacks.
    let digest = codec::to_bytes(&bob.state.digest());
    let repair = ann.state.delta(&codec::from_bytes(&digest)?);
    assert!(repair.iter().eq(&["lost"]));
    let repair = codec::to_bytes(&repair);
    let whole = codec::to_bytes(&ann.state).len();
    writeln!(out, "digest: {} bytes, repair: {} bytes, the whole state: {whole} bytes", digest.len(), repair.len())?;
    assert!(digest.len() < 32 && repair.len() < 16);
    bob.receive(&repair)?;
    assert!(ann.state == bob.state && ann.state.fingerprint() == bob.state.fingerprint());
    assert!(ann.state.delta(&bob.state.digest()).is_bottom());
    writeln!(out, "in step: {} elements each", bob.state.len())?;

    // What was lost turns up after all.
    assert!(!bob.receive(&lost)?);
    // And what never was a delta changes nothing.
    let damaged = bob.receive(&lost[..lost.len() - 1]).expect_err("cut off");
    writeln!(out, "refused: {damaged}")?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut io::stdout().lock())
}
