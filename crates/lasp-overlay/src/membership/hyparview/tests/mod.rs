//! What one peer does, effect by effect.

mod config;
mod join;
mod mend;
mod neighbor;
mod probe;
mod promote;
mod register;
mod shuffle;
mod tag;
mod xbot;

use super::*;
use crate::membership::bench::{self, Tested, addr, contact, down, left, reborn, send, up};
use crate::membership::hyparview::Message as M;

pub(super) type Effect = Output<HyParView>;
pub(super) type Bench = bench::Bench<HyParView>;

/// Pauses that are drawn at random read zero.
impl Tested for HyParView {
    fn seen(effect: Effect) -> Option<Effect> {
        Some(match effect {
            Output::SetTimer { timer: Timer::Reply { .. }, .. } => effect,
            Output::SetTimer { timer, .. } => any(timer),
            other => other,
        })
    }
}

pub(super) fn disconnect(to: u64, link: u64) -> Effect {
    send(to, M::Disconnect { link: LinkId(link), alive: true })
}

/// Names `peers` to `to`.
pub(super) fn commends(to: u64, peers: impl IntoIterator<Item = u64>) -> Effect {
    send(to, M::Exchange { peers: peers.into_iter().map(contact).collect(), answer: false })
}

pub(super) fn accept(to: u64, link: u64) -> Effect {
    send(to, M::Accept { link: LinkId(link), peers: vec![] })
}

pub(super) fn request(to: u64, link: u64, priority: Priority) -> Effect {
    send(to, M::Request { link: LinkId(link), priority })
}

pub(super) fn timer(timer: Timer, after: Duration) -> Effect {
    Output::SetTimer { after, timer }
}

/// The timer of a request; its pause is not drawn.
pub(super) fn reply_timer(peer: u64, link: u64) -> Effect {
    let timer_value = Timer::Reply { peer: PeerId(peer), link: LinkId(link) };
    timer(timer_value, Config::default().reply_timeout)
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(super) fn with(config: Config) -> Self {
        let optimises = config.optimise.is_some().then(|| any(Timer::Optimise { term: 1 }));
        let (bench, started) = Self::start(HyParView::new(config, contact(0), Rng::new(7)));
        let mut expected = vec![any(Timer::Tick { term: 1 }), any(Timer::Shuffle { plan: 1 })];
        expected.extend(optimises);
        assert_eq!(started, expected);
        bench
    }

    /// The timer of the next exchange.
    pub(super) fn shuffle(&self) -> Timer {
        Timer::Shuffle { plan: self.peer.shuffling.plan() }
    }

    pub(super) fn tick(&mut self, after: Duration) -> Vec<Effect> {
        self.wait(after);
        let term = self.peer.term;
        let mut effects = self.expire(Timer::Tick { term });
        assert_eq!(effects.remove(0), any(Timer::Tick { term }));
        effects
    }

    /// Makes `n` a neighbour under the link id `link`.
    pub(super) fn befriend(&mut self, n: u64, link: u64) {
        self.link(n);
        self.receive(n, M::Request { link: LinkId(link), priority: Priority::High });
        assert!(self.peer.is_active(PeerId(n)));
    }

    /// Makes peers `1..=5` neighbours, `n` under the link id `n`.
    pub(super) fn full() -> Self {
        let mut bench = Self::new();
        for n in 1..=5 {
            bench.befriend(n, n);
        }
        bench
    }

    pub(super) fn know(&mut self, n: u64) {
        assert!(self.peer.view.learn(&contact(n), &[], &mut self.peer.rng));
    }

    pub(super) fn knows(&self, n: u64) -> bool {
        self.peer.view.passive().any(|contact| contact.id == PeerId(n))
    }

    pub(super) fn link_of(&self, n: u64) -> Option<LinkId> {
        self.peer.view.neighbor(PeerId(n)).map(|neighbor| neighbor.link)
    }
}

/// A timer with a pause drawn at random.
pub(super) fn any(value: Timer) -> Effect {
    timer(value, Duration::ZERO)
}

/// The link id of the request among `effects`, which must be there.
pub(super) fn requested(effects: &[Effect]) -> (u64, u64) {
    let of_timer = |effect: &Effect| match effect {
        Output::SetTimer { timer: Timer::Reply { peer, link }, .. } => Some((peer.0, link.0)),
        _ => None,
    };
    effects.iter().find_map(of_timer).expect("a request")
}

#[test]
fn who_has_no_link_is_not_listened_to() {
    let mut bench = Bench::new();
    let asked = bench.receive(1, M::Request { link: LinkId(1), priority: Priority::High });
    assert_eq!(asked, []);
}

#[test]
fn a_link_to_oneself_is_closed() {
    let mut bench = Bench::new();
    assert_eq!(bench.link(0), [Output::Close(PeerId(0))]);
}

#[test]
fn w09_a_new_life_ends_the_relation_of_the_old_one() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.befriend(2, 6);
    let effects = bench.input(Input::LinkUp { peer: reborn(1), dialed: None });
    // Peer 1 is known in its new life, and so a candidate for the free place.
    let (_, link) = requested(&effects);
    assert_eq!(effects, [down(1), request(1, link, Priority::Low), reply_timer(1, link)]);
    assert_eq!(bench.peer.contact_of(PeerId(1)), Some(&reborn(1)));
}

#[test]
fn a_link_of_an_older_life_changes_nothing() {
    let mut bench = Bench::new();
    bench.input(Input::LinkUp { peer: reborn(1), dialed: None });
    bench.receive(1, M::Request { link: LinkId(5), priority: Priority::Low });
    assert_eq!(bench.link(1), []);
    assert_eq!(bench.peer.active(), [reborn(1)]);
}

#[test]
fn w15_a_neighbour_that_is_linked_anew_is_asked_whether_it_still_is_one() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    assert_eq!(bench.link(1), [send(1, M::Ping { link: LinkId(5) })]);
}

#[test]
fn w48_links_of_no_use_are_closed_first_by_who_dialled() {
    let linger = Config::default().link_linger;
    let mut bench = Bench::with(Config { spare_links: 0, active_capacity: 0, ..Config::default() });
    bench.input(Input::LinkUp { peer: contact(1), dialed: Some(addr(1)) });
    bench.link(2);
    assert_eq!(bench.tick(linger), [Output::Close(PeerId(1))]);
    assert_eq!(bench.tick(linger), [Output::Close(PeerId(2))]);
    assert_eq!(bench.tick(linger), []);
    assert!(bench.knows(1) && bench.knows(2));
}

#[test]
fn the_links_used_last_stay_as_spares() {
    let linger = Config::default().link_linger;
    let mut bench = Bench::with(Config { spare_links: 2, active_capacity: 0, ..Config::default() });
    for n in 1..=4 {
        bench.tick(Duration::from_millis(10));
        bench.link(n);
    }
    assert_eq!(bench.tick(linger * 2), [Output::Close(PeerId(1)), Output::Close(PeerId(2))]);
    assert_eq!(bench.tick(linger * 100), []);
}

#[test]
fn timers_of_an_earlier_term_are_ignored() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.input(Input::Command(Command::Leave));
    assert_eq!(bench.expire(Timer::Tick { term: 1 }), []);
    assert_eq!(bench.expire(bench.shuffle()), []);
}
