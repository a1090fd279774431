//! Entries of the register of the reference implementation's faults that no other test of HyParView is about.

use super::*;

/// A way out of the active view for a peer.
type Parting = fn(&mut Bench, u64) -> Vec<Effect>;

#[test]
fn w08_every_way_out_of_the_view_is_told_once() {
    let partings: [(&str, Parting); 6] = [
        ("it says so", |bench, n| bench.receive(n, M::Disconnect { link: LinkId(n), alive: true })),
        ("it leaves", |bench, n| bench.receive(n, M::Disconnect { link: LinkId(n), alive: false })),
        ("its link breaks", |bench, n| bench.input(Input::LinkDown(PeerId(n)))),
        ("it knows nothing of it", |bench, n| bench.receive(n, M::Pong { link: LinkId(n), known: false })),
        ("it has been restarted", |bench, n| bench.input(Input::LinkUp { peer: reborn(n), dialed: None })),
        ("it is silent", |bench, n| {
            let mut told = Vec::new();
            for _ in 0..12 {
                bench.now = bench.now + Duration::from_secs(5);
                (1..=5).filter(|other| *other != n).for_each(|other| bench.peer.heard(bench.now, PeerId(other)));
                told.extend(bench.tick(Duration::ZERO));
            }
            told
        }),
    ];
    for (how, parting) in partings {
        let mut bench = Bench::full();
        let effects = parting(&mut bench, 3);
        let told = effects.iter().filter(|effect| matches!(effect, Output::Emit(_))).collect::<Vec<_>>();
        let expected = if how == "it leaves" { vec![left(3), down(3)] } else { vec![down(3)] };
        assert_eq!(told, expected.iter().collect::<Vec<_>>(), "{how}");
        assert_eq!(bench.active(), [1, 2, 4, 5], "{how}");
    }
}

#[test]
fn w14_what_a_shuffle_offers_is_a_random_sample() {
    let mut counts = [0; 5];
    for seed in 0..2000 {
        let mut bench = Bench::full();
        bench.peer.rng = Rng::new(seed);
        bench.link(9);
        let effects = bench.receive(9, M::Exchange { peers: vec![], answer: true });
        let [Output::Send { message: M::Exchange { peers, .. }, .. }] = &effects[..] else { panic!("{effects:?}") };
        for peer in peers.iter().filter(|peer| (1..=5).contains(&peer.id.0)) {
            counts[peer.id.0 as usize - 1] += 1;
        }
    }
    // Three of five each time.
    assert!(counts.iter().all(|count| (1100..1300).contains(count)), "{counts:?}");
}

#[test]
fn w17_one_silent_neighbour_holds_nobody_up() {
    let mut bench = Bench::full();
    bench.now = bench.now + Duration::from_secs(5);
    let asked = bench.tick(Duration::ZERO);
    let pings: Vec<Effect> = (1..=5).map(|n| send(n, M::Ping { link: LinkId(n) })).collect();
    assert_eq!(asked, pings, "all at once, and nothing waits for an answer");
    for n in 2..=5 {
        bench.receive(n, M::Pong { link: LinkId(n), known: true });
    }
    bench.link(6);
    let answered = bench.receive(6, M::Shuffle { ttl: 0, origin: contact(6) });
    assert!(matches!(&answered[..], [Output::Send { to: PeerId(6), message: M::Exchange { .. } }]), "{answered:?}");
}

#[test]
fn w56_an_evicted_neighbour_keeps_its_link_while_something_may_be_under_way() {
    let linger = Config::default().link_linger;
    let mut bench = Bench::full();
    bench.link(6);
    bench.receive(6, M::Request { link: LinkId(9), priority: Priority::High });
    let victim = (1..=5).find(|n| !bench.active().contains(n)).expect("one had to go");
    let closes = |effects: &[Effect]| effects.contains(&Output::Close(PeerId(victim)));
    assert!(!closes(&bench.tick(linger)), "the side that did not dial waits twice as long");
    bench.receive(victim, M::Ping { link: LinkId(1) });
    assert!(!closes(&bench.tick(linger)), "it is still in use");
    assert!(closes(&bench.tick(linger)));
}
