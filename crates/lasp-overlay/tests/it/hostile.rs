//! Peers that say anything at any time: nothing panics, nothing grows beyond its limits, and what is told stays true.

use crate::schedules::{grown, settle};
use crate::strategy::Strategy;
use crate::world::{SECOND, World, id};
use lasp_crdt::{Dot, ReplicaId};
use lasp_overlay::membership::client_server::{self, Client, Role};
use lasp_overlay::membership::full::{self, Member, Rumour, Status, Version};
use lasp_overlay::membership::hyparview::{self, LinkId, Priority, Tag, xbot};
use lasp_overlay::membership::scamp;
use lasp_overlay::membership::{
    AnyMembership, AnyMessage, AnyTimer, Command, Event, Hail, Membership, MembershipConfig, list,
};
use lasp_overlay::{Addr, Contact, Input, Outbox, Output, PeerId, Protocol, Rng, Time};
use lasp_sim::Config;
use std::collections::BTreeSet;
use std::time::Duration;

/// Small, so that lies meet, or at the edge.
fn number(rng: &mut Rng) -> u64 {
    if rng.chance(0.1) { u64::MAX - rng.below(2) } else { rng.below(4) }
}

fn peer(rng: &mut Rng) -> PeerId {
    PeerId(if rng.chance(0.05) { rng.next_u64() } else { rng.below(8) })
}

fn addr(rng: &mut Rng) -> Addr {
    Addr::new(&format!("p{}", rng.below(10))).unwrap()
}

fn contact(rng: &mut Rng) -> Contact {
    Contact { id: peer(rng), incarnation: number(rng), addr: addr(rng) }
}

fn status(rng: &mut Rng) -> Status {
    match rng.below(6) {
        0 => Status::Left,
        1 => Status::Evicted,
        _ => Status::In { refutation: number(rng), suspect: rng.chance(0.5) },
    }
}

fn version(rng: &mut Rng) -> Version {
    Version { incarnation: number(rng), stay: number(rng), status: status(rng) }
}

fn several<T>(rng: &mut Rng, most: u64, mut make: impl FnMut(&mut Rng) -> T) -> Vec<T> {
    (0..rng.below(most)).map(|_| make(rng)).collect()
}

fn rumour(rng: &mut Rng) -> Rumour {
    let member = Member { contact: contact(rng), stay: number(rng), status: status(rng) };
    Rumour { member, age: number(rng) }
}

fn full(rng: &mut Rng) -> full::Message {
    use full::Message;
    match rng.below(9) {
        0 => Message::Digest { fingerprint: rng.next_u64(), count: number(rng) },
        1 => Message::Ask,
        2 => Message::Summary {
            first: peer(rng),
            last: peer(rng),
            entries: several(rng, 9, |rng| (peer(rng), version(rng))),
        },
        3 => Message::News { rumours: several(rng, 9, rumour).into(), want: several(rng, 9, peer) },
        4 => Message::Ping { seq: number(rng), suspected: rng.chance(0.5).then(|| version(rng)) },
        5 => Message::Pong { seq: number(rng) },
        6 => Message::Probe { seq: number(rng), target: peer(rng) },
        7 => Message::Nack { seq: number(rng) },
        _ => Message::Suspect { peer: peer(rng), version: version(rng), by: peer(rng) },
    }
}

fn hail(rng: &mut Rng) -> Hail {
    [Hail::Ask, Hail::Accept, Hail::Agree][rng.index(3)]
}

fn client(rng: &mut Rng) -> Client {
    Client { contact: contact(rng), stay: number(rng) }
}

fn client_server(rng: &mut Rng) -> client_server::Message {
    use client_server::Message;
    match rng.below(14) {
        0..=2 => Message::Mesh(full(rng)),
        3 | 4 => {
            let role = if rng.chance(0.5) { Role::Server } else { Role::Client };
            Message::Hello { role, stay: number(rng), hail: hail(rng) }
        }
        5 => Message::Pong,
        6 => Message::Bye,
        7 => Message::Full,
        8 => Message::Servers(several(rng, 9, contact)),
        9 => Message::Roster { version: number(rng) },
        10 => Message::Ask,
        11 => Message::Clients { version: number(rng), clients: several(rng, 9, client) },
        12 => Message::Expel(client(rng)),
        _ => Message::Evicted,
    }
}

fn listed<const TAGS: u8>(rng: &mut Rng) -> list::Message<TAGS> {
    use list::Message;
    match rng.below(4) {
        0 | 1 => Message::Hello(hail(rng)),
        2 => Message::Ping,
        _ => Message::Bye,
    }
}

fn hyparview(rng: &mut Rng) -> hyparview::Message {
    use hyparview::Message;
    let link = LinkId(number(rng));
    let priority = [Priority::High, Priority::Low, Priority::Mend][rng.index(3)];
    let ttl = number(rng) as u8;
    match rng.below(18) {
        0 => Message::Join { link },
        1 => Message::ForwardJoin { ttl, peer: contact(rng) },
        2 => Message::Request { link, priority },
        3 => Message::Accept { link, peers: several(rng, 9, contact) },
        4 => Message::Reject { link },
        5 => Message::Disconnect { link, alive: rng.chance(0.5) },
        6 => Message::Shuffle { ttl, origin: contact(rng) },
        7 => Message::Exchange { peers: several(rng, 9, contact), answer: rng.chance(0.5) },
        8 => Message::Ping { link },
        9 => Message::Pong { link, known: rng.chance(0.5) },
        10 => Message::Tag { tag: Tag::new(["server", "edge"][rng.index(2)]).unwrap() },
        11 => Message::Seek { ttl, tag: Tag::new("server").unwrap(), origin: contact(rng) },
        12 => Message::Optimise { link, old: contact(rng) },
        13 => Message::Replace { link, old: contact(rng), initiator: peer(rng) },
        14 => Message::Keep { link },
        15 => Message::Switch { link, initiator: peer(rng) },
        16 => Message::Visit { link, mark: Dot::new(ReplicaId(number(rng)), number(rng).clamp(1, Dot::MAX_COUNTER)) },
        _ => Message::Echo { nonce: number(rng) as u32 },
    }
}

fn scamp(rng: &mut Rng) -> scamp::Message {
    use scamp::Message;
    match rng.below(9) {
        0 => Message::Subscribe { copies: number(rng) as u8 },
        1 => {
            let (copies, steps) = (number(rng) as u8, number(rng) as u8);
            Message::Indirect { copies, steps, walk: number(rng) as u16, peer: contact(rng) }
        }
        2 => Message::Forward { hops: number(rng) as u8, walk: number(rng) as u16, peer: contact(rng) },
        3 => Message::Arc { degree: number(rng).min(9) as u32 },
        4 => Message::Known { degree: number(rng).min(9) as u32 },
        5 => Message::End,
        6 => Message::Refuse,
        7 => Message::Leave,
        _ => Message::Replace { by: contact(rng) },
    }
}

fn message(name: &str, rng: &mut Rng) -> AnyMessage {
    match name {
        "hyparview" => AnyMessage::HyParView(hyparview(rng)),
        "scamp" => AnyMessage::Scamp(scamp(rng)),
        "full" => AnyMessage::FullMesh(full(rng)),
        "client-server" => AnyMessage::ClientServer(client_server(rng)),
        "static" => AnyMessage::Static(listed(rng)),
        _ => AnyMessage::Manual(listed(rng)),
    }
}

fn command(rng: &mut Rng) -> Command {
    match rng.below(5) {
        0 | 1 => Command::Join(several(rng, 4, addr)),
        2 => Command::Leave,
        3 => Command::Evict(peer(rng)),
        _ => Command::Connect(addr(rng)),
    }
}

/// One peer among liars: its timers run, links come and go, everybody says anything.
struct Victim {
    peer: AnyMembership,
    now: Time,
    timers: Vec<AnyTimer>,
    view: BTreeSet<PeerId>,
    context: String,
}

impl Victim {
    fn new(name: &str, role: Role, seed: u64) -> Self {
        let mut config = MembershipConfig::named(name).unwrap();
        match &mut config {
            MembershipConfig::ClientServer(config) => config.role = role,
            MembershipConfig::HyParView(config) => {
                config.tag = Tag::new("edge");
                config.reserved = [(Tag::new("server").unwrap(), 2)].into();
                config.optimise = (role == Role::Server).then(xbot::Config::default);
            }
            _ => {}
        }
        let me = Contact { id: PeerId(5), incarnation: 1, addr: Addr::new("p5").unwrap() };
        let peer = AnyMembership::new(config, me, Rng::new(seed));
        let context = format!("{name} {role}, seed {seed}");
        Self { peer, now: Time::ZERO, timers: Vec::new(), view: BTreeSet::new(), context }
    }

    fn input(&mut self, input: Input<AnyMembership>) {
        let mut out = Outbox::new();
        self.peer.handle(self.now, input, &mut out);
        let effects = out.take();
        assert!(effects.len() < 100, "{}: {} effects of one input", self.context, effects.len());
        for effect in effects {
            match effect {
                Output::SetTimer { timer, .. } => self.timers.push(timer),
                Output::Emit(event) => self.told(event),
                _ => {}
            }
        }
        self.check();
    }

    fn told(&mut self, event: Event) {
        let context = &self.context;
        match event {
            Event::Up(contact) => assert!(self.view.insert(contact.id), "{context}: up twice"),
            Event::Down(peer) => assert!(self.view.remove(&peer), "{context}: down without up"),
            Event::Left(_) => {}
            Event::Joined => assert_eq!(self.view.len(), 1, "{context}"),
            Event::Isolated | Event::Evicted => assert!(self.view.is_empty(), "{context}"),
        }
    }

    fn check(&self) {
        let active: BTreeSet<PeerId> = self.peer.active().iter().map(|contact| contact.id).collect();
        assert_eq!(active, self.view, "{}", self.context);
        assert!(!active.contains(&PeerId(5)), "{}: its own neighbour", self.context);
        for list in [self.peer.reachable(), self.peer.passive()] {
            assert!(list.iter().all(|contact| contact.id != PeerId(5)), "{}: finds itself", self.context);
        }
    }

    fn suffer(&mut self, name: &str, rng: &mut Rng) {
        match rng.below(12) {
            0 | 1 => self.input(Input::LinkUp { peer: contact(rng), dialed: rng.chance(0.5).then(|| addr(rng)) }),
            2 => self.input(Input::LinkDown(peer(rng))),
            3 => self.input(Input::DialFailed(addr(rng))),
            4 if rng.chance(0.3) => self.input(Input::Command(command(rng))),
            4..=6 if !self.timers.is_empty() => {
                self.now = self.now + rng.duration(Duration::ZERO, Duration::from_secs(10));
                let timer = self.timers.swap_remove(rng.index(self.timers.len()));
                self.input(Input::Expired(timer));
            }
            _ => self.input(Input::Received { from: peer(rng), message: message(name, rng) }),
        }
    }
}

#[test]
fn w28_whatever_is_said_nothing_panics_and_the_view_is_what_was_told() {
    for (name, role) in [
        ("full", Role::Server),
        ("client-server", Role::Server),
        ("client-server", Role::Client),
        ("static", Role::Server),
        ("manual", Role::Server),
        ("hyparview", Role::Server), // optimises its links
        ("hyparview", Role::Client),
        ("scamp", Role::Server),
    ] {
        for seed in 0..60 {
            let mut rng = Rng::new(seed ^ 0xbad);
            let mut victim = Victim::new(name, role, seed);
            victim.input(Input::Start);
            for _ in 0..600 {
                victim.suffer(name, &mut rng);
            }
            // Timers do not multiply: what runs periodically is one of a kind, the rest belongs to what is under way.
            assert!(victim.timers.len() < 400, "{}: {} timers", victim.context, victim.timers.len());
        }
    }
}

#[test]
fn w52_a_flood_is_answered_within_bounds_and_kept_within_limits() {
    for name in ["full", "client-server"] {
        let mut rng = Rng::new(7);
        let mut victim = Victim::new(name, Role::Server, 7);
        victim.input(Input::Start);
        for n in 0..3 {
            let peer = Contact { id: PeerId(n), incarnation: 0, addr: addr(&mut rng) };
            victim.input(Input::LinkUp { peer, dialed: None });
            victim.input(Input::Received { from: PeerId(n), message: message(name, &mut rng) });
        }
        for _ in 0..20_000 {
            let rumours = (0..4).map(|_| {
                let contact = Contact { id: PeerId(rng.next_u64()), ..contact(&mut rng) };
                Rumour { member: Member::new(contact), age: 0 }
            });
            let news = full::Message::News { rumours: rumours.collect(), want: Vec::new() };
            let message = match name {
                "full" => AnyMessage::FullMesh(news),
                _ => AnyMessage::ClientServer(client_server::Message::Mesh(news)),
            };
            let mut out = Outbox::new();
            victim.peer.handle(victim.now, Input::Received { from: PeerId(1), message }, &mut out);
            assert!(out.take().len() <= 64 + 8, "{name}");
        }
        assert!(victim.peer.members().len() <= full::Config::default().capacity, "{name}");
    }
}

/// A peer whose machine has lost its power: its links stay half-open, and nothing is ever answered.
#[test]
fn who_never_answers_is_given_up_and_counted_under_every_strategy() {
    for strategy in Strategy::ALL {
        let never = Duration::from_secs(100_000);
        let network =
            Config { partition_detection: None, crash_detection: (never, never), ..Config::seeded(strategy as u64) };
        let mut world = grown(strategy, network, 6, Duration::from_millis(20));
        settle(&mut world, strategy, SECOND * 60, &format!("{strategy}"));
        let before = world.metrics();
        let neighbors = |world: &World| world.sim.peers().filter(|(_, peer)| peer.0.is_active(id(5))).count();
        assert!(neighbors(&world) > 0, "{strategy}");
        world.stop(5, true);
        world.run(SECOND * 120);
        assert_eq!(neighbors(&world), 0, "{strategy}");
        let believe = world.sim.peers().filter(|(_, peer)| peer.0.reachable().iter().any(|it| it.id == id(5)));
        assert_eq!(believe.count(), 0, "{strategy}");
        let after = world.metrics();
        assert!(after.failures > before.failures, "{strategy}: {after:?}");
    }
}

#[test]
fn w52_a_flood_of_invented_peers_leaves_partial_views_within_bounds() {
    for (name, most) in [("hyparview", 30), ("scamp", 128)] {
        let mut rng = Rng::new(7);
        let mut victim = Victim::new(name, Role::Server, 7);
        victim.input(Input::Start);
        for n in 0..3 {
            let peer = Contact { id: PeerId(n), incarnation: 1, addr: addr(&mut rng) };
            victim.input(Input::LinkUp { peer, dialed: None });
        }
        for step in 0..20_000 {
            let stranger = |rng: &mut Rng| Contact { id: PeerId(rng.next_u64()), ..contact(rng) };
            let peers = (0..64).map(|_| stranger(&mut rng)).collect();
            let message = match (name, step % 3) {
                ("hyparview", 0) => AnyMessage::HyParView(hyparview::Message::Exchange { peers, answer: true }),
                ("hyparview", 1) => {
                    AnyMessage::HyParView(hyparview::Message::ForwardJoin { ttl: 0, peer: stranger(&mut rng) })
                }
                ("hyparview", _) => {
                    AnyMessage::HyParView(hyparview::Message::Optimise { link: LinkId(step), old: stranger(&mut rng) })
                }
                (_, 0) => AnyMessage::Scamp(scamp::Message::Forward { hops: 0, walk: 0, peer: stranger(&mut rng) }),
                (_, 1) => AnyMessage::Scamp(scamp::Message::Replace { by: stranger(&mut rng) }),
                (_, _) => AnyMessage::Scamp(scamp::Message::Subscribe { copies: 255 }),
            };
            let mut out = Outbox::new();
            victim.peer.handle(victim.now, Input::Received { from: PeerId(1), message }, &mut out);
            let effects = out.take();
            assert!(effects.len() <= 8, "{name}: {effects:?}");
        }
        assert!(victim.peer.passive().len() <= most, "{name}");
        assert!(victim.peer.active().len() <= 5, "{name}");
    }
}
