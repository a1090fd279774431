//! Leaving, evicting, coming back, forgetting.

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn left(n: u64) -> Member {
    member(n).with(Status::Left)
}

fn evicted(n: u64) -> Member {
    member(n).with(Status::Evicted)
}

#[test]
fn w45_older_news_does_not_undo_a_departure_and_who_says_so_is_corrected() {
    let mut bench = Bench::linked(&[1, 9]);
    assert_eq!(bench.receive(1, news(&[left(9)], &[])), [told_left(9), down(9), close(9)]);
    let corrected = send(1, news(&[left(9)], &[]));
    assert_eq!(bench.receive(1, news(&[member(9)], &[])), [corrected]);
    assert_eq!((bench.peer.contact_of(PeerId(9)), bench.members()), (None, vec![1]));
    let back = Member { stay: 1, ..member(9) };
    assert_eq!(bench.receive(1, news(&[back], &[])), [Output::Link(contact(9))]);
    assert_eq!(bench.members(), [1, 9]);
}

#[test]
fn a_new_life_comes_back_by_itself() {
    let mut bench = Bench::linked(&[1]);
    for gone in [left(9), evicted(9)] {
        bench.receive(1, news(&[gone], &[]));
        assert_eq!(bench.members(), [1]);
    }
    let reborn = Contact { incarnation: 2, ..contact(9) };
    let effects = bench.input(Input::LinkUp { peer: reborn.clone(), dialed: None });
    let told = send(1, news(&[Member::new(reborn.clone())], &[]));
    assert_eq!(effects, [Output::Emit(Event::Up(reborn)), told]);
    assert_eq!(bench.members(), [1, 9]);
}

#[test]
fn who_leaves_tells_everybody_linked_and_refuses_to_be_a_member() {
    let mut bench = Bench::linked(&[1]);
    let goodbye = |n| send(n, news(&[left(5)], &[]));
    assert_eq!(bench.command(Command::Leave), [goodbye(1), close(1), down(1)]);
    assert_eq!(bench.command(Command::Leave), [], "once");
    assert_eq!(bench.link(2), [goodbye(2), close(2)]);
    assert_eq!(bench.receive(2, M::Ask), [goodbye(2)]);
    assert_eq!(bench.receive(2, news(&[left(2)], &[])), [], "two leavers do not talk for ever");
    assert_eq!(bench.members(), [] as [u64; 0]);
    assert_eq!(bench.command(Command::Join(vec![addr(1)])), [Output::Dial(addr(1))]);
    assert_eq!(bench.peer.map().get(PeerId(5)), Some(&Member { stay: 1, ..member(5) }));
}

#[test]
fn w54_who_is_evicted_goes_and_stays_away_until_told_to_join() {
    let mut bench = Bench::linked(&[1, 2]);
    let effects = bench.receive(1, news(&[evicted(5)], &[]));
    let goodbye = |n| send(n, news(&[evicted(5)], &[]));
    let told = Output::Emit(Event::Evicted);
    assert_eq!(effects, [goodbye(1), close(1), down(1), goodbye(2), close(2), down(2), told]);
    assert_eq!(bench.tick(HOUR), []);
    assert_eq!(bench.link(1), [goodbye(1), close(1)]);
    bench.command(Command::Join(vec![addr(1)]));
    assert_eq!(bench.peer.map().get(PeerId(5)), Some(&Member { stay: 1, ..member(5) }));
    let effects = bench.input(Input::LinkUp { peer: contact(1), dialed: Some(addr(1)) });
    assert_eq!(effects, [up(1), Output::Emit(Event::Joined), send(1, bench.digest())]);
}

#[test]
fn an_operator_evicts_and_the_evicted_and_the_others_hear_of_it() {
    let mut bench = Bench::linked(&[1, 2]);
    let effects = bench.command(Command::Evict(PeerId(2)));
    let told = |n| send(n, news(&[evicted(2)], &[]));
    assert_eq!(effects, [told(2), down(2), close(2), told(1)]);
    assert_eq!(bench.command(Command::Evict(PeerId(2))), [], "it is none any more");
    assert_eq!(bench.command(Command::Evict(PeerId(77))), [], "never was");
    assert_eq!((bench.peer.metrics().evicted, bench.peer.metrics().refused), (1, 2));
}

#[test]
fn an_eviction_outweighs_every_refutation_of_the_same_stay() {
    let mut bench = Bench::linked(&[1]);
    bench.receive(1, news(&[evicted(9)], &[]));
    let refuted = Member { status: Status::In { refutation: 99, suspect: false }, ..member(9) };
    bench.receive(1, news(&[refuted], &[]));
    assert_eq!(bench.standing(9), Some(Standing::Evicted));
}

#[test]
fn a_departure_that_never_was_is_refuted() {
    let mut bench = Bench::linked(&[1]);
    let claim = Member { stay: 3, ..left(5) };
    let back = Member { stay: 4, ..member(5) };
    assert_eq!(bench.receive(1, news(&[claim], &[])), [send(1, news(&[back], &[]))]);
    let claim = Member { stay: u64::MAX, ..left(5) };
    assert_eq!(bench.receive(1, news(&[claim], &[])), []);
}

#[test]
fn a_policy_evicts_what_has_been_lost_for_long_if_most_are_not() {
    let config = Config { evict_after: Some(HOUR), ..Config::default() };
    let mut bench = Bench::with(config.clone());
    for n in [1, 2, 3] {
        bench.link(n);
    }
    bench.receive(2, suspect(1, 0, 2));
    bench.tick(HOUR / 2);
    assert_eq!(bench.reachable(), [2, 3]);
    bench.tick(HOUR);
    assert_eq!((bench.standing(1), bench.peer.metrics().evicted), (Some(Standing::Evicted), 1));
    // Who doubts itself removes nobody.
    let mut bench = Bench::with(config.clone());
    for n in [1, 2, 3] {
        bench.link(n);
    }
    bench.receive(2, suspect(1, 0, 2));
    bench.receive(2, suspect(5, 0, 2));
    assert_eq!(bench.peer.health(), 1);
    bench.tick(HOUR / 2);
    bench.tick(HOUR);
    assert_eq!(bench.standing(1), Some(Standing::Suspect));
    // The smaller side of a partition removes nobody.
    let mut bench = Bench::with(config);
    for n in [1, 2, 3] {
        bench.link(n);
    }
    for n in [1, 2] {
        bench.receive(3, suspect(n, 0, 3));
    }
    bench.tick(HOUR / 2);
    bench.tick(HOUR * 10);
    assert_eq!((bench.members(), bench.reachable()), (vec![1, 2, 3], vec![3]));
}

#[test]
fn w44_a_departure_is_forgotten_when_it_is_old_and_everybody_knows_of_it() {
    let mut bench = Bench::linked(&[1, 2]);
    bench.receive(1, news(&[left(9)], &[]));
    let gossip = |bench: &mut Bench| bench.expire(Timer::Gossip { term: 1 });
    bench.wait(HOUR * 25);
    let digest = bench.digest();
    bench.receive(1, digest);
    gossip(&mut bench);
    assert_eq!(bench.standing(9), Some(Standing::Left), "2 may not know");
    assert_eq!(bench.peer.map().count(), 3, "but it does not count in digests");
    let digest = bench.digest();
    bench.receive(2, digest);
    gossip(&mut bench);
    assert_eq!((bench.standing(9), bench.peer.metrics().forgotten), (None, 1));
    // Who still remembers does not bring it back here.
    let old = Rumour { member: left(9), age: 25 * 3600 };
    assert_eq!(bench.receive(1, M::News { rumours: [old].into(), want: Vec::new() }), []);
    assert_eq!(bench.standing(9), None);
}

#[test]
fn a_departure_is_kept_while_a_member_is_away_and_its_age_counts_from_the_first() {
    let mut bench = Bench::linked(&[1, 2]);
    bench.input(Input::LinkDown(PeerId(2)));
    let aged = Rumour { member: left(9), age: 24 * 3600 - 60 };
    bench.receive(1, M::News { rumours: [aged].into(), want: Vec::new() });
    bench.wait(Duration::from_secs(61));
    let digest = bench.digest();
    bench.receive(1, digest);
    bench.expire(Timer::Gossip { term: 1 });
    assert_eq!((bench.standing(9), bench.peer.map().count()), (Some(Standing::Left), 3));
    // 2 comes back and still believes in 9: it is told.
    bench.link(2);
    let effects = bench.receive(2, news(&[member(9)], &[]));
    let told = Rumour { member: left(9), age: 24 * 3600 + 1 };
    assert_eq!(effects, [send(2, M::News { rumours: [told].into(), want: Vec::new() })]);
}
