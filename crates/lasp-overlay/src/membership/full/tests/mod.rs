//! What one peer of a full membership does, effect by effect.

mod departure;
mod gossip;
mod hostile;
mod links;
mod probe;

use super::message::Message as M;
use super::*;
use crate::membership::bench::{self, Tested, addr, close, contact, down, left as told_left, reborn, send, up};
use crate::protocol::Output;

type Effect = Output<FullMesh>;
type Bench = bench::Bench<FullMesh>;

/// Timers are left out.
impl Tested for FullMesh {
    fn seen(effect: Effect) -> Option<Effect> {
        Some(effect).filter(|effect| !matches!(effect, Output::SetTimer { .. }))
    }
}

const ISOLATED: Effect = Output::Emit(Event::Isolated);

fn member(n: u64) -> Member {
    Member::new(contact(n))
}

fn suspected(n: u64, refutation: u64) -> Member {
    member(n).with(Status::In { refutation, suspect: true })
}

fn rumour(member: &Member) -> Rumour {
    Rumour { member: member.clone(), age: 0 }
}

fn news(members: &[Member], want: &[u64]) -> M {
    M::News { rumours: members.iter().map(rumour).collect(), want: want.iter().map(|n| PeerId(*n)).collect() }
}

fn suspect(n: u64, refutation: u64, by: u64) -> M {
    M::Suspect { peer: PeerId(n), version: suspected(n, refutation).version(), by: PeerId(by) }
}

impl Bench {
    fn new() -> Self {
        Self::with(Config::default())
    }

    fn with(config: Config) -> Self {
        Self::start(FullMesh::new(config, contact(5), Rng::new(7))).0
    }

    /// With links to these.
    fn linked(peers: &[u64]) -> Self {
        let mut bench = Self::new();
        for n in peers {
            bench.link(*n);
        }
        // What follows is not told together with them.
        bench.wait(Config::default().spread_interval);
        bench.expire(Timer::Tell { term: 1 });
        bench.wait(Config::default().spread_interval);
        bench
    }

    fn tick(&mut self, after: Duration) -> Vec<Effect> {
        self.wait(after);
        self.expire(Timer::Tick { term: self.peer.term })
    }

    fn period(&mut self, after: Duration) -> Vec<Effect> {
        self.wait(after);
        self.expire(Timer::Period { term: self.peer.term })
    }

    fn digest(&self) -> M {
        M::Digest { fingerprint: self.peer.members.fingerprint(), count: self.peer.members.count() }
    }

    fn standing(&self, n: u64) -> Option<Standing> {
        self.peer.map().get(PeerId(n)).map(Member::standing)
    }
}
