//! Leaving.

use super::*;

/// Peer 0 with view `1..=3`, in the views of `4..=8`.
fn bench(version: Version) -> Bench {
    let mut bench = Bench::with(Config { version, ..Config::default() });
    for n in 1..=3 {
        bench.keep(n);
    }
    for n in 4..=8 {
        bench.kept_by(n);
    }
    bench
}

fn leave(bench: &mut Bench) -> Vec<Effect> {
    bench.input(Input::Command(Command::Leave))
}

#[test]
fn w06_in_version_2_all_but_c_and_one_are_given_somebody_of_the_view_instead() {
    let mut bench = bench(Version::V2);
    let effects = leave(&mut bench);
    let mut expected = Vec::new();
    for n in 1..=8 {
        // c is 1: of five, three get an heir.
        let by = |heir| M::Replace { by: contact(heir) };
        let message = match n {
            4..=6 => by(n - 3),
            _ => M::Leave,
        };
        expected.extend([send(n, message), down(n), Output::Close(PeerId(n))]);
    }
    assert_eq!(effects, expected);
    assert_eq!(leave(&mut bench), [], "once");
    assert_eq!((bench.view().len(), bench.in_view().len(), bench.peer.active().len()), (0, 0, 0));
}

#[test]
fn w04_in_version_1_everybody_just_forgets_who_leaves() {
    let mut bench = bench(Version::V1);
    let farewells = leave(&mut bench);
    let told = farewells.iter().filter(|effect| matches!(effect, Output::Send { message: M::Leave, .. })).count();
    assert_eq!(told, 8);
    // And so does this peer.
    let mut bench = self::bench(Version::V1);
    assert_eq!(bench.receive(1, M::Leave), [left(1), down(1)]);
    assert_eq!(bench.receive(4, M::Leave), [left(4), down(4)]);
    assert_eq!((bench.view(), bench.in_view()), (vec![2, 3], vec![5, 6, 7, 8]));
}

#[test]
fn who_is_to_have_another_instead_of_a_leaver_keeps_it_if_it_kept_the_leaver() {
    let mut bench = bench(Version::V2);
    let effects = bench.receive(1, M::Replace { by: contact(9) });
    assert_eq!(effects, [left(1), Output::Link(contact(9)), down(1)]);
    assert_eq!(bench.view(), [2, 3, 9]);
    assert_eq!(bench.receive(4, M::Replace { by: contact(10) }), [left(4), down(4)], "4 was not in the view");
    for lie in [0, 3] {
        let mut bench = self::bench(Version::V2);
        assert_eq!(bench.receive(2, M::Replace { by: contact(lie) }), [left(2), down(2)], "{lie} is no use");
    }
}

#[test]
fn w45_a_stray_copy_does_not_bring_a_leaver_back_but_it_may_come_back_itself() {
    let mut bench = bench(Version::V2);
    bench.receive(1, M::Leave);
    let stray = |peer| M::Forward { hops: 0, walk: 0, peer };
    assert_eq!(bench.receive(2, stray(contact(1))), []);
    bench.input(Input::LinkDown(PeerId(1)));
    assert_eq!(bench.receive(2, stray(reborn(1))), [Output::Link(reborn(1))], "another life");
    let mut bench = self::bench(Version::V2);
    bench.receive(1, M::Leave);
    bench.receive(1, M::Subscribe { copies: 0 });
    assert_eq!(bench.receive(2, stray(contact(1))), [arc(1, 7)]);
    assert!(bench.view().contains(&1));
}

#[test]
fn whoever_takes_a_peer_that_has_left_for_a_member_is_told() {
    let mut bench = bench(Version::V2);
    leave(&mut bench);
    assert_eq!(bench.link(4), []);
    assert_eq!(bench.receive(4, M::Arc { degree: 3 }), [send(4, M::Leave)]);
    assert_eq!(bench.receive(4, M::Subscribe { copies: 0 }), []);
    assert_eq!(bench.input(Input::Expired(Timer::Tick { term: 1 })), []);
    let effects = bench.input(Input::Command(Command::Join(vec![addr(4)])));
    assert_eq!(effects[..2], [timer(Timer::Tick { term: 3 }), Output::Dial(addr(4))], "and comes back");
}
