//! What one peer of a full membership does, effect by effect.

mod departure;
mod gossip;
mod hostile;
mod links;
mod probe;

use super::message::Message as M;
use super::*;
use crate::peer::Addr;
use crate::protocol::Output;

type Effect = Output<FullMesh>;

fn addr(n: u64) -> Addr {
    Addr::new(&format!("p{n}")).expect("short")
}

fn contact(n: u64) -> Contact {
    Contact { id: PeerId(n), incarnation: 1, addr: addr(n) }
}

fn member(n: u64) -> Member {
    Member::new(contact(n))
}

fn suspected(n: u64, refutation: u64) -> Member {
    member(n).with(Status::In { refutation, suspect: true })
}

fn rumour(member: &Member) -> Rumour {
    Rumour { member: member.clone(), age: 0 }
}

fn send(to: u64, message: M) -> Effect {
    Output::Send { to: PeerId(to), message }
}

fn news(members: &[Member], want: &[u64]) -> M {
    M::News { rumours: members.iter().map(rumour).collect(), want: want.iter().map(|n| PeerId(*n)).collect() }
}

fn suspect(n: u64, refutation: u64, by: u64) -> M {
    M::Suspect { peer: PeerId(n), version: suspected(n, refutation).version(), by: PeerId(by) }
}

fn up(n: u64) -> Effect {
    Output::Emit(Event::Up(contact(n)))
}

fn down(n: u64) -> Effect {
    Output::Emit(Event::Down(PeerId(n)))
}

fn told_left(n: u64) -> Effect {
    Output::Emit(Event::Left(PeerId(n)))
}

fn close(n: u64) -> Effect {
    Output::Close(PeerId(n))
}

/// Peer 5, started, and a clock.
struct Bench {
    peer: FullMesh,
    now: Time,
}

impl Bench {
    fn new() -> Self {
        Self::with(Config::default())
    }

    fn with(config: Config) -> Self {
        let peer = FullMesh::new(config, contact(5), Rng::new(7));
        let mut bench = Self { peer, now: Time::ZERO };
        bench.input(Input::Start);
        bench
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

    /// Feeds one input; timers are left out of the effects.
    fn input(&mut self, input: Input<FullMesh>) -> Vec<Effect> {
        let mut effects = self.input_with_timers(input);
        effects.retain(|effect| !matches!(effect, Output::SetTimer { .. }));
        effects
    }

    fn input_with_timers(&mut self, input: Input<FullMesh>) -> Vec<Effect> {
        let mut out = Outbox::new();
        self.peer.handle(self.now, input, &mut out);
        out.take()
    }

    fn command(&mut self, command: Command) -> Vec<Effect> {
        self.input(Input::Command(command))
    }

    fn receive(&mut self, from: u64, message: M) -> Vec<Effect> {
        self.input(Input::Received { from: PeerId(from), message })
    }

    fn expire(&mut self, timer: Timer) -> Vec<Effect> {
        self.input(Input::Expired(timer))
    }

    fn wait(&mut self, stretch: Duration) {
        self.now = self.now + stretch;
    }

    fn tick(&mut self, after: Duration) -> Vec<Effect> {
        self.wait(after);
        self.expire(Timer::Tick { term: self.peer.term })
    }

    fn period(&mut self, after: Duration) -> Vec<Effect> {
        self.wait(after);
        self.expire(Timer::Period { term: self.peer.term })
    }

    /// Has `n` dial this peer.
    fn link(&mut self, n: u64) -> Vec<Effect> {
        self.input(Input::LinkUp { peer: contact(n), dialed: None })
    }

    fn digest(&self) -> M {
        M::Digest { fingerprint: self.peer.members.fingerprint(), count: self.peer.members.count() }
    }

    fn standing(&self, n: u64) -> Option<Standing> {
        self.peer.map().get(PeerId(n)).map(Member::standing)
    }

    fn reachable(&self) -> Vec<u64> {
        self.peer.reachable().iter().map(|contact| contact.id.0).collect()
    }

    fn members(&self) -> Vec<u64> {
        self.peer.members().iter().map(|(contact, _)| contact.id.0).collect()
    }
}
