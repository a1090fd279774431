//! Joining, random walks, leaving.

use super::*;

fn join(contacts: &[u64]) -> Input<HyParView> {
    Input::Command(Command::Join(contacts.iter().map(|n| addr(*n)).collect()))
}

fn step(step: u32) -> Effect {
    any(Timer::Join { step })
}

#[test]
fn w07_contacts_are_dialled_in_turn_and_again_after_a_pause() {
    let mut bench = Bench::new();
    let dial = |n| Output::Dial(addr(n));
    // Step 1 was the reset by the command. Its own address is no contact.
    assert_eq!(bench.input(join(&[1, 0, 2])), [dial(1), step(2)]);
    assert_eq!(bench.input(Input::DialFailed(addr(1))), [dial(2), step(3)]);
    assert_eq!(bench.expire(Timer::Join { step: 2 }), [], "stale");
    assert_eq!(bench.expire(Timer::Join { step: 3 }), [step(4)], "overdue");
    assert_eq!(bench.expire(Timer::Join { step: 4 }), [dial(1), step(5)]);
}

#[test]
fn a_contact_that_is_reached_is_asked_and_others_are_left_alone() {
    let mut bench = Bench::new();
    bench.input(join(&[1, 2]));
    let effects = bench.input(Input::LinkUp { peer: contact(1), dialed: Some(addr(1)) });
    let (_, link) = requested(&effects);
    let asked = send(1, M::Join { link: LinkId(link) });
    assert_eq!(effects, [asked, reply_timer(1, link)]);
    let welcome = M::Accept { link: LinkId(link), peers: vec![contact(3), contact(0)] };
    assert_eq!(bench.receive(1, welcome), [up(1), Output::Emit(Event::Joined)]);
    assert_eq!(bench.peer.passive(), [contact(3)]);
    assert_eq!(bench.expire(Timer::Join { step: 3 }), []);
}

#[test]
fn w21_a_contact_that_does_not_answer_is_followed_by_the_next_and_nothing_waits() {
    let mut bench = Bench::new();
    bench.input(join(&[1, 2]));
    let effects = bench.input(Input::LinkUp { peer: contact(1), dialed: Some(addr(1)) });
    let (_, link) = requested(&effects);
    let overdue = Timer::Reply { peer: PeerId(1), link: LinkId(link) };
    for _ in 1..Config::default().request_attempts {
        bench.expire(overdue.clone());
    }
    let next = Output::Dial(addr(2));
    assert_eq!(bench.expire(overdue), [disconnect(1, link), next, step(4)]);
}

#[test]
fn a_contact_takes_in_who_joins_and_spreads_the_word() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.link(9);
    let effects = bench.receive(9, M::Join { link: LinkId(6) });
    let welcome = send(9, M::Accept { link: LinkId(6), peers: vec![contact(1)] });
    let walk = send(1, M::ForwardJoin { ttl: 6, peer: contact(9) });
    assert_eq!(effects, [welcome, up(9), walk]);
}

#[test]
fn a_repeated_join_is_answered_but_not_spread_again() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.link(9);
    bench.receive(9, M::Join { link: LinkId(6) });
    let welcome = send(9, M::Accept { link: LinkId(6), peers: vec![contact(1)] });
    assert_eq!(bench.receive(9, M::Join { link: LinkId(6) }), [welcome]);
    assert_eq!(bench.receive(9, M::Join { link: LinkId(5) }), [], "stale");
}

#[test]
fn a_full_contact_makes_room_for_who_joins() {
    let mut bench = Bench::full();
    bench.link(9);
    bench.receive(9, M::Join { link: LinkId(6) });
    assert!(bench.active().contains(&9));
    assert_eq!(bench.active().len(), 5);
}

#[test]
fn a_walk_goes_on_to_a_random_neighbour_but_not_back() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.befriend(2, 6);
    let walk = |ttl| M::ForwardJoin { ttl, peer: contact(9) };
    assert_eq!(bench.receive(1, walk(6)), [send(2, walk(5))]);
    assert!(!bench.knows(9));
    assert_eq!(bench.receive(1, walk(3)), [send(2, walk(2))]);
    assert!(bench.knows(9), "the passive walk length is reached");
    assert_eq!(bench.receive(1, walk(255)), [send(2, walk(5))], "no longer than configured");
}

#[test]
fn a_walk_ends_when_its_steps_or_the_neighbours_are_used_up() {
    for neighbors in [vec![1], vec![1, 2]] {
        let mut bench = Bench::new();
        for n in &neighbors {
            bench.befriend(*n, 5);
        }
        let ttl = if neighbors.len() == 1 { 6 } else { 0 };
        let effects = bench.receive(1, M::ForwardJoin { ttl, peer: contact(9) });
        let (_, link) = requested(&effects);
        assert_eq!(effects, [Output::Link(contact(9)), reply_timer(9, link)]);
        let effects = bench.input(Input::LinkUp { peer: contact(9), dialed: Some(addr(9)) });
        assert_eq!(effects, [request(9, link, Priority::Low)]);
    }
}

#[test]
fn a_walk_that_ends_at_a_full_peer_costs_a_neighbour_only_once_accepted() {
    let mut bench = Bench::full();
    bench.link(9);
    let effects = bench.receive(1, M::ForwardJoin { ttl: 0, peer: contact(9) });
    let (_, link) = requested(&effects);
    assert_eq!(effects, [request(9, link, Priority::Low), reply_timer(9, link)]);
    assert_eq!(bench.active(), [1, 2, 3, 4, 5]);
    bench.receive(9, M::Accept { link: LinkId(link), peers: vec![] });
    assert!(bench.active().contains(&9) && bench.active().len() == 5);
}

#[test]
fn a_walk_of_a_known_neighbour_or_of_oneself_ends_in_nothing() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    for n in [0, 1] {
        let effects = bench.receive(1, M::ForwardJoin { ttl: 0, peer: contact(n) });
        assert_eq!(effects, []);
    }
}

#[test]
fn who_leaves_says_so_and_closes_every_link() {
    let mut bench = Bench::new();
    bench.befriend(1, 5);
    bench.link(2);
    let goodbye = |to, link| send(to, M::Disconnect { link: LinkId(link), alive: false });
    let effects = bench.input(Input::Command(Command::Leave));
    let closed = [1, 2].map(|n| Output::Close(PeerId(n)));
    let [close_1, close_2] = closed;
    assert_eq!(effects, [goodbye(1, 5), down(1), close_1, close_2]);
    assert_eq!(bench.input(Input::Command(Command::Leave)), []);
    // Who has not heard of it is told.
    bench.link(3);
    let asked = bench.receive(3, M::Request { link: LinkId(9), priority: Priority::High });
    assert_eq!(asked, [goodbye(3, 9)]);
    // It may come back.
    let effects = bench.input(join(&[1]));
    let begun = [any(Timer::Tick { term: 3 }), any(Timer::Shuffle { plan: 2 })];
    assert_eq!(effects[..2], begun);
    assert_eq!(effects[2], Output::Dial(addr(1)));
}

#[test]
fn who_leaves_says_so_to_whom_it_has_asked_and_has_not_heard_from() {
    let goodbye = |to, link| send(to, M::Disconnect { link: LinkId(link), alive: false });
    let mut leaver = Bench::new();
    leaver.link(2);
    leaver.link(3);
    // 2 has been asked; 4, too, but there is no link yet over which it could have heard so.
    let (_, link) = requested(&leaver.receive(3, M::ForwardJoin { ttl: 0, peer: contact(2) }));
    leaver.receive(3, M::ForwardJoin { ttl: 0, peer: contact(4) });
    let closed = [2, 3].map(|n| Output::Close(PeerId(n)));
    let [close_2, close_3] = closed;
    assert_eq!(leaver.input(Input::Command(Command::Leave)), [goodbye(2, link), close_2, close_3]);
    // What the other side makes of it, whether it has accepted or not.
    for accepts in [true, false] {
        let mut asked = Bench::new();
        asked.link(1);
        if accepts {
            asked.receive(1, M::Request { link: LinkId(link), priority: Priority::Low });
        }
        let parts = if accepts { vec![left(1), down(1), Output::Emit(Event::Isolated)] } else { vec![left(1)] };
        assert_eq!(asked.receive(1, M::Disconnect { link: LinkId(link), alive: false }), parts);
        assert!(!asked.knows(1), "it is not looked for");
        assert_eq!(asked.input(Input::LinkDown(PeerId(1))), []);
        assert!(asked.tick(Duration::from_secs(60)).iter().all(|effect| !matches!(effect, Output::Link(_))));
    }
}

#[test]
fn an_isolated_peer_turns_to_its_contacts_when_nobody_else_is_left() {
    let mut bench = Bench::new();
    bench.input(join(&[1]));
    let effects = bench.input(Input::LinkUp { peer: contact(1), dialed: Some(addr(1)) });
    let (_, link) = requested(&effects);
    bench.receive(1, M::Accept { link: LinkId(link), peers: vec![contact(2)] });
    let lost = bench.input(Input::LinkDown(PeerId(1)));
    let (_, link) = requested(&lost);
    let isolated = Output::Emit(Event::Isolated);
    assert_eq!(lost, [down(1), isolated, Output::Link(contact(2)), reply_timer(2, link)]);
    let failed = bench.input(Input::DialFailed(addr(2)));
    assert_eq!(failed[0], Output::Dial(addr(1)));
}
