//! What one peer does, effect by effect.

mod arcs;
mod leave;
mod subscribe;

use super::*;
use crate::membership::bench::{self, Tested, addr, contact, down, left, reborn, send, up};
use crate::membership::scamp::Message as M;

pub(super) type Effect = Output<Scamp>;
pub(super) type Bench = bench::Bench<Scamp>;

/// Pauses read zero.
impl Tested for Scamp {
    fn seen(effect: Effect) -> Option<Effect> {
        Some(match effect {
            Output::SetTimer { timer: value, .. } => timer(value),
            other => other,
        })
    }
}

pub(super) fn arc(to: u64, degree: u32) -> Effect {
    send(to, M::Arc { degree })
}

pub(super) fn known(to: u64, degree: u32) -> Effect {
    send(to, M::Known { degree })
}

pub(super) const JOINED: Effect = Output::Emit(Event::Joined);
pub(super) const ISOLATED: Effect = Output::Emit(Event::Isolated);

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(super) fn with(config: Config) -> Self {
        let (bench, started) = Self::start(Scamp::new(config, contact(0), Rng::new(7)));
        assert_eq!(started, [timer(Timer::Tick { term: 1 })]);
        bench
    }

    /// A tick, some time later.
    pub(super) fn tick(&mut self, after: Duration) -> Vec<Effect> {
        self.wait(after);
        let term = self.peer.term;
        let mut effects = self.input(Input::Expired(Timer::Tick { term }));
        assert_eq!(effects.remove(0), timer(Timer::Tick { term }));
        effects
    }

    /// Takes `n` into the view, linked and known to it.
    pub(super) fn keep(&mut self, n: u64) {
        self.link(n);
        let mut out = Outbox::new();
        self.peer.keep(self.now, &contact(n), 0, &mut out);
        self.receive(n, M::Known { degree: 1 });
        assert!(self.peer.is_active(PeerId(n)));
    }

    /// Has `n` take this peer into its view.
    pub(super) fn kept_by(&mut self, n: u64) -> Vec<Effect> {
        self.link(n);
        self.receive(n, M::Arc { degree: 1 })
    }

    pub(super) fn view(&self) -> Vec<u64> {
        self.peer.partial_view().iter().map(|contact| contact.id.0).collect()
    }

    pub(super) fn in_view(&self) -> Vec<u64> {
        self.peer.in_view().iter().map(|contact| contact.id.0).collect()
    }
}

pub(super) fn timer(value: Timer) -> Effect {
    Output::SetTimer { after: Duration::ZERO, timer: value }
}

#[test]
fn who_has_no_link_is_not_listened_to_and_a_link_to_oneself_is_closed() {
    let mut bench = Bench::new();
    assert_eq!(bench.receive(1, M::Arc { degree: 1 }), []);
    assert_eq!(bench.link(0), [Output::Close(PeerId(0))]);
}

#[test]
fn contradictions_are_told_with_both_sides() {
    assert_eq!(Config::default().validate(), Ok(()));
    let refused = |config: Config| config.validate().expect_err("a contradiction").to_string();
    assert_eq!(
        refused(Config { copies: 128, ..Config::default() }),
        "`out_capacity` is 128, but must be more than the 128 extra `copies` of a subscription"
    );
    assert_eq!(
        refused(Config { in_capacity: 100, ..Config::default() }),
        "`in_capacity` is 100, but must be at least `out_capacity`, which is 128: every arc has two ends"
    );
    assert_eq!(
        refused(Config { lease: Duration::from_secs(5), ..Config::default() }),
        "`lease` is 5s, but must be at least two beats, which is 20s"
    );
    for wrong in [
        Config { hops: 0, ..Config::default() },
        Config { attempts: 0, ..Config::default() },
        Config { beat_interval: Duration::ZERO, ..Config::default() },
        Config { isolation_timeout: Duration::ZERO, ..Config::default() },
    ] {
        refused(wrong);
    }
}
