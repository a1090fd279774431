//! The four parts in an exchange of links.

use super::*;
use crate::membership::hyparview::xbot;

const REPLY: Duration = Duration::from_secs(2);

/// Peer 0 with neighbours `1..=5`, of which `n` is `10 n` ms away. So 5 is left alone and 4 may go.
fn measured() -> Bench {
    let config = Config { optimise: Some(xbot::Config::default()), ..Config::default() };
    let mut bench = Bench::with(config);
    for n in 1..=5 {
        bench.befriend(n, n);
    }
    let effects = bench.expire(Timer::Optimise { term: 1 });
    assert_eq!(effects.len(), 6, "a probe to each and the next time; nobody else is known: {effects:?}");
    let probes: Vec<(u64, u32)> = effects.iter().filter_map(probe_in).collect();
    for (n, nonce) in probes {
        bench.now = Time::from_millis(10 * n);
        assert_eq!(bench.receive(n, M::Echo { nonce }), []);
    }
    assert_eq!(bench.peer.metrics().link_cost_us, 30_000);
    bench
}

/// To whom a probe goes, and its number.
fn probe_in(effect: &Effect) -> Option<(u64, u32)> {
    match effect {
        Output::Send { to, message: M::Probe { nonce } } => Some((to.0, *nonce)),
        _ => None,
    }
}

/// Answers the probes to `n` that begin in `effects`, each after `millis`: what follows the last.
fn echo(bench: &mut Bench, n: u64, millis: u64, effects: &[Effect]) -> Vec<Effect> {
    let mut nonce = effects.iter().filter_map(probe_in).find(|(to, _)| *to == n).expect("a probe").1;
    for _ in 0..2 {
        bench.now = bench.now + Duration::from_millis(millis);
        let again = bench.receive(n, M::Echo { nonce });
        let [next] = &again[..] else { panic!("one more probe: {again:?}") };
        nonce = probe_in(next).expect("a probe").1;
    }
    bench.now = bench.now + Duration::from_millis(millis);
    bench.receive(n, M::Echo { nonce })
}

/// A bench that measured peer 6, `millis` away, and what followed.
fn scanned(millis: u64) -> (Bench, Vec<Effect>) {
    let mut bench = measured();
    bench.know(6);
    bench.link(6);
    let effects = bench.expire(Timer::Optimise { term: 1 });
    let effects = echo(&mut bench, 6, millis, &effects);
    (bench, effects)
}

/// A bench that asked peer 6 to take the place of 4, and the link id asked for.
fn initiated() -> (Bench, u64) {
    let (bench, effects) = scanned(5);
    let (_, link) = requested(&effects);
    assert_eq!(effects, [optimise(6, link, 4), reply_timer(6, link)]);
    (bench, link)
}

fn optimise(to: u64, link: u64, old: u64) -> Effect {
    send(to, M::Optimise { link: LinkId(link), old: contact(old) })
}

fn replace(to: u64, old: u64, initiator: u64) -> Effect {
    send(to, M::Replace { link: LinkId(to), old: contact(old), initiator: PeerId(initiator) })
}

fn reject(to: u64, link: u64) -> Effect {
    send(to, M::Reject { link: LinkId(link) })
}

fn keep(to: u64) -> Effect {
    send(to, M::Keep { link: LinkId(to) })
}

fn accepted(link: u64) -> M {
    M::Accept { link: LinkId(link), peers: vec![] }
}

fn swaps(bench: &Bench) -> (u64, u64, u64) {
    let metrics = bench.peer.metrics();
    (metrics.swaps_begun, metrics.swaps_done, metrics.swaps_rolled_back)
}

/// The step that the timer of the exchange names.
fn step(bench: &Bench) -> Timer {
    Timer::Swap { step: bench.peer.xbot.as_ref().expect("it optimises").step }
}

// ---- initiator ----

#[test]
fn an_initiator_takes_the_candidate_for_the_costliest_neighbour_but_the_unbiased() {
    let (mut bench, link) = initiated();
    assert_eq!(bench.receive(6, accepted(link)), [disconnect(4, 4), down(4), up(6)]);
    assert_eq!(swaps(&bench), (1, 1, 0));
    assert_eq!(bench.peer.metrics().link_cost_us, 23_000, "10, 20, 30, 50 and 5 ms");
    assert!(bench.knows(4));
}

#[test]
fn an_initiator_whose_old_neighbour_went_first_keeps_its_place_for_the_candidate() {
    let (mut bench, link) = initiated();
    bench.know(7);
    let left = bench.receive(4, M::Disconnect { link: LinkId(4), alive: true });
    assert_eq!(left, [down(4)], "nobody else is asked");
    assert_eq!(bench.receive(6, accepted(link)), [up(6)]);
    assert_eq!(swaps(&bench), (1, 1, 0));
}

#[test]
fn an_initiator_that_is_rejected_has_changed_nothing() {
    let (mut bench, link) = initiated();
    assert_eq!(bench.receive(6, M::Reject { link: LinkId(link) }), []);
    assert_eq!(bench.active(), [1, 2, 3, 4, 5]);
    assert_eq!(swaps(&bench), (1, 0, 1));
    assert!(bench.peer.is_idle());
}

#[test]
fn an_initiator_that_is_rejected_late_asks_the_old_neighbour_again() {
    let (mut bench, link) = initiated();
    bench.receive(4, M::Disconnect { link: LinkId(4), alive: true });
    let effects = bench.receive(6, M::Reject { link: LinkId(link) });
    let (peer, again) = requested(&effects);
    assert_eq!(effects, [request(4, again, Priority::Low), reply_timer(4, again)]);
    assert_eq!(peer, 4);
    assert_eq!(bench.receive(4, accepted(again)), [up(4)]);
    assert_eq!(bench.active(), [1, 2, 3, 4, 5]);
}

#[test]
fn an_initiator_without_answer_asks_again_and_gives_up() {
    let (mut bench, link) = initiated();
    let overdue = Timer::Reply { peer: PeerId(6), link: LinkId(link) };
    for _ in 1..Config::default().request_attempts + 3 {
        assert_eq!(bench.expire(overdue.clone()), [optimise(6, link, 4), reply_timer(6, link)]);
    }
    assert_eq!(bench.expire(overdue), [disconnect(6, link)]);
    assert_eq!(swaps(&bench), (1, 0, 1));
    assert_eq!(bench.active(), [1, 2, 3, 4, 5]);
}

#[test]
fn an_exchange_that_is_not_worth_it_is_not_begun() {
    for millis in [36, 40, 45, 100] {
        let (bench, effects) = scanned(millis);
        assert_eq!(effects, [], "{millis} ms against 40, less a tenth");
        assert_eq!(swaps(&bench), (0, 0, 0));
    }
}

#[test]
fn who_does_not_answer_a_probe_in_time_is_left_out() {
    let mut bench = measured();
    for n in [6, 7] {
        bench.know(n);
        bench.link(n);
    }
    let effects = bench.expire(Timer::Optimise { term: 1 });
    assert_eq!(echo(&mut bench, 6, 5, &effects), []);
    bench.now = bench.now + REPLY;
    let timer = step(&bench);
    let effects = bench.expire(timer);
    let (_, link) = requested(&effects);
    assert_eq!(effects, [optimise(6, link, 4), reply_timer(6, link)]);
}

#[test]
fn a_view_with_a_free_place_is_not_optimised() {
    let mut bench = measured();
    bench.know(6);
    bench.receive(5, M::Disconnect { link: LinkId(5), alive: true });
    let effects = bench.expire(Timer::Optimise { term: 1 });
    let probed: Vec<u64> = effects.iter().filter_map(probe_in).map(|(to, _)| to).collect();
    assert_eq!(probed, [1, 2, 3, 4], "neighbours only");
}

#[test]
fn measuring_becomes_rarer_while_it_brings_nothing() {
    let config = xbot::Config::default();
    let mut bench = Bench::with(Config { optimise: Some(config.clone()), ..Config::default() });
    for doublings in 1..8u32 {
        let mut out = Outbox::new();
        bench.peer.handle(bench.now, Input::Expired(Timer::Optimise { term: 1 }), &mut out);
        let expected = (config.interval * (1 << doublings)).min(config.interval_max);
        let Some(Output::SetTimer { after, .. }) = out.take().pop() else { panic!("the next time") };
        assert!((expected.mul_f64(0.7)..expected.mul_f64(1.3)).contains(&after), "{after:?}");
    }
}

// ---- candidate ----

/// A bench that peer 6 asked to take it instead of 8, and that asked 4 to go.
fn candidate() -> Bench {
    let mut bench = measured();
    bench.link(6);
    let effects = bench.receive(6, M::Optimise { link: LinkId(90), old: contact(8) });
    assert_eq!(effects, [any(step(&bench)), replace(4, 8, 6)]);
    bench
}

#[test]
fn a_candidate_with_room_accepts_at_once() {
    let mut bench = measured();
    bench.receive(5, M::Disconnect { link: LinkId(5), alive: true });
    bench.link(6);
    let effects = bench.receive(6, M::Optimise { link: LinkId(90), old: contact(8) });
    assert_eq!(effects, [accept(6, 90), up(6)]);
}

#[test]
fn a_candidate_takes_the_initiator_when_the_disconnected_peer_goes_however_it_goes() {
    let mut bench = candidate();
    let effects = bench.receive(4, M::Disconnect { link: LinkId(4), alive: true });
    assert_eq!(effects, [down(4), accept(6, 90), up(6)]);
    let mut bench = candidate();
    assert_eq!(bench.input(Input::LinkDown(PeerId(4))), [down(4), accept(6, 90), up(6)]);
    let mut bench = candidate();
    let effects = bench.receive(4, M::Pong { link: LinkId(4), known: false });
    assert_eq!(effects, [down(4), accept(6, 90), up(6)]);
    assert!(bench.peer.is_idle());
}

#[test]
fn a_candidate_whose_neighbour_stays_rejects_the_initiator() {
    let mut bench = candidate();
    assert_eq!(bench.receive(4, M::Keep { link: LinkId(3) }), [], "of an earlier relation");
    assert_eq!(bench.receive(4, M::Keep { link: LinkId(4) }), [reject(6, 90)]);
    assert_eq!(bench.active(), [1, 2, 3, 4, 5]);
    assert!(bench.peer.is_idle());
}

#[test]
fn a_candidate_without_answer_asks_again_and_rejects_before_the_initiator_gives_up() {
    let mut bench = candidate();
    let overdue = step(&bench);
    for _ in 1..Config::default().request_attempts + 2 {
        assert_eq!(bench.expire(overdue.clone()), [replace(4, 8, 6), any(overdue.clone())]);
    }
    assert_eq!(bench.expire(overdue.clone()), [reject(6, 90)]);
    assert_eq!(bench.expire(overdue), []);
}

#[test]
fn a_candidate_that_is_asked_again_answers_once_and_others_not_at_all() {
    let mut bench = candidate();
    assert_eq!(bench.receive(6, M::Optimise { link: LinkId(90), old: contact(8) }), [], "under way");
    bench.link(7);
    let other = bench.receive(7, M::Optimise { link: LinkId(91), old: contact(8) });
    assert_eq!(other, [reject(7, 91)], "one at a time");
    bench.receive(4, M::Disconnect { link: LinkId(4), alive: true });
    let again = bench.receive(6, M::Optimise { link: LinkId(90), old: contact(8) });
    assert_eq!(again, [accept(6, 90)], "the answer was lost");
}

#[test]
fn a_candidate_whose_initiator_is_gone_fills_the_place_as_usual() {
    let mut bench = candidate();
    bench.input(Input::LinkDown(PeerId(6)));
    bench.know(7);
    bench.link(7);
    let effects = bench.receive(4, M::Disconnect { link: LinkId(4), alive: true });
    let (peer, link) = requested(&effects);
    assert_eq!(effects, [down(4), request(peer, link, Priority::Low), reply_timer(peer, link)]);
}

#[test]
fn a_candidate_does_not_give_up_the_old_neighbour_for_the_initiator() {
    let mut bench = measured();
    bench.link(6);
    let effects = bench.receive(6, M::Optimise { link: LinkId(90), old: contact(4) });
    assert_eq!(effects[1], replace(3, 4, 6), "4 is the one that the initiator gives up");
}

// ---- disconnected ----

/// A bench that its neighbour 4 asked to take 8 instead, `millis` away, and what followed.
fn disconnected(millis: u64) -> (Bench, Vec<Effect>) {
    let mut bench = measured();
    bench.link(8);
    let effects = bench.receive(4, M::Replace { link: LinkId(4), old: contact(8), initiator: PeerId(9) });
    assert_eq!(effects.last(), Some(&any(step(&bench))));
    let effects = echo(&mut bench, 8, millis, &effects);
    (bench, effects)
}

/// The same, with 8 asked under a link id.
fn switching() -> (Bench, u64) {
    let (bench, effects) = disconnected(5);
    let (_, link) = requested(&effects);
    let switch = send(8, M::Switch { link: LinkId(link), initiator: PeerId(9) });
    assert_eq!(effects, [switch, reply_timer(8, link)]);
    (bench, link)
}

#[test]
fn a_disconnected_peer_takes_the_old_neighbour_for_the_candidate() {
    let (mut bench, link) = switching();
    assert_eq!(bench.receive(8, accepted(link)), [disconnect(4, 4), down(4), up(8)]);
    assert_eq!(swaps(&bench), (0, 0, 0), "the initiator counts");
    let again = bench.receive(4, M::Replace { link: LinkId(4), old: contact(8), initiator: PeerId(9) });
    assert_eq!(again, [disconnect(4, 4)], "the answer was lost");
}

#[test]
fn a_disconnected_peer_stays_where_that_is_cheaper() {
    let (bench, effects) = disconnected(50);
    assert_eq!(effects, [keep(4)]);
    assert!(bench.peer.is_idle());
}

#[test]
fn a_disconnected_peer_stays_if_the_old_neighbour_does_not_want_it_or_does_not_answer() {
    let (mut bench, link) = switching();
    assert_eq!(bench.receive(8, M::Reject { link: LinkId(link) }), [keep(4)]);
    let (mut bench, link) = switching();
    let overdue = Timer::Reply { peer: PeerId(8), link: LinkId(link) };
    for _ in 1..Config::default().request_attempts {
        bench.expire(overdue.clone());
    }
    assert_eq!(bench.expire(overdue), [disconnect(8, link), keep(4)]);
    assert_eq!(bench.active(), [1, 2, 3, 4, 5]);
    // One that cannot even be measured.
    let mut bench = measured();
    bench.link(8);
    bench.receive(4, M::Replace { link: LinkId(4), old: contact(8), initiator: PeerId(9) });
    let overdue = step(&bench);
    assert_eq!(bench.expire(overdue), [keep(4)]);
}

#[test]
fn a_disconnected_peer_that_cannot_take_part_says_so() {
    let ask = |old| M::Replace { link: LinkId(4), old: contact(old), initiator: PeerId(9) };
    let mut bench = measured();
    assert_eq!(bench.receive(4, ask(3)), [keep(4)], "3 is a neighbour");
    assert_eq!(bench.receive(4, ask(0)), [keep(4)], "0 is this peer");
    let mut bench = candidate();
    assert_eq!(bench.receive(4, ask(8)), [keep(4)], "busy");
    let mut bench = Bench::full();
    assert_eq!(bench.receive(4, ask(8)), [keep(4)], "does not optimise");
}

#[test]
fn a_disconnected_peer_whose_candidate_is_gone_fills_its_place_by_the_exchange() {
    let (mut bench, link) = switching();
    bench.know(7);
    assert_eq!(bench.input(Input::LinkDown(PeerId(4))), [down(4)]);
    // A neighbour has failed: some passive peers are checked.
    assert_eq!(bench.receive(8, accepted(link)), [up(8), Output::Link(contact(7))]);
}

// ---- old ----

fn switch(link: u64, initiator: u64) -> M {
    M::Switch { link: LinkId(link), initiator: PeerId(initiator) }
}

#[test]
fn an_old_neighbour_takes_the_disconnected_peer_for_the_initiator() {
    let mut bench = measured();
    bench.link(6);
    assert_eq!(bench.receive(6, switch(90, 2)), [disconnect(2, 2), down(2), accept(6, 90), up(6)]);
    assert_eq!(bench.receive(6, switch(90, 2)), [accept(6, 90)], "the answer was lost");
    assert_eq!(bench.peer.metrics().evictions, 0);
}

#[test]
fn an_old_neighbour_that_is_none_any_more_rejects() {
    let mut bench = measured();
    bench.link(6);
    assert_eq!(bench.receive(6, switch(90, 9)), [reject(6, 90)]);
    let mut bench = candidate();
    bench.link(7);
    assert_eq!(bench.receive(7, switch(90, 4)), [reject(7, 90)], "busy");
    let mut bench = Bench::full();
    bench.link(6);
    assert_eq!(bench.receive(6, switch(90, 2)), [reject(6, 90)], "does not optimise");
}

#[test]
fn an_old_neighbour_with_room_gives_nobody_up() {
    let mut bench = measured();
    bench.receive(5, M::Disconnect { link: LinkId(5), alive: true });
    bench.link(6);
    assert_eq!(bench.receive(6, switch(90, 2)), [accept(6, 90), up(6)]);
}

// ---- all ----

#[test]
fn every_peer_answers_probes_and_one_that_left_takes_no_part() {
    let mut bench = Bench::new();
    bench.link(1);
    assert_eq!(bench.receive(1, M::Probe { nonce: 7 }), [send(1, M::Echo { nonce: 7 })]);
    assert_eq!(bench.receive(1, M::Echo { nonce: 7 }), []);
    let mut bench = candidate();
    bench.input(Input::Command(Command::Leave));
    let overdue = step(&bench);
    assert_eq!(bench.expire(overdue), []);
    assert_eq!(bench.expire(Timer::Optimise { term: 1 }), []);
}

#[test]
fn settings_that_leave_nothing_to_optimise_are_refused() {
    let with = |optimise| Config { optimise: Some(optimise), ..Config::default() }.validate();
    let default = xbot::Config::default;
    assert_eq!(with(default()), Ok(()));
    let refused = |optimise| with(optimise).expect_err("a contradiction").to_string();
    let unbiased = refused(xbot::Config { unbiased: 5, ..default() });
    assert_eq!(unbiased, "`unbiased` is 5, but must be less than `active_capacity`, which is 5");
    for wrong in [
        xbot::Config { unbiased: 0, ..default() },
        xbot::Config { scan: 0, ..default() },
        xbot::Config { scan: 31, ..default() },
        xbot::Config { threshold: 1.0, ..default() },
        xbot::Config { threshold: f64::NAN, ..default() },
        xbot::Config { interval: Duration::ZERO, ..default() },
    ] {
        refused(wrong);
    }
}
