//! The rules of waves, one by one.

use super::*;

const D: PeerId = PeerId(14);

/// The wave of another peer.
fn wave(id: Dot, depth: u16) -> Message<News> {
    Message::Wave { id, depth, lazy: false }
}

fn graft(to: PeerId) -> Output<Plumtree<News>> {
    send(to, Message::Graft(DotSet::new()))
}

/// A peer whose root is one hop farther away than it is from the first of its neighbours.
fn placed(neighbors: &[PeerId], depth: u16) -> Fixture {
    let mut f = Fixture::new(neighbors);
    f.receive(neighbors[0], wave(dot(1), depth));
    f.pass();
    assert_eq!((f.tree.parent(), f.tree.depth()), (Some(neighbors[0]), Some(depth + 1)));
    f
}

impl Fixture {
    /// Time passes, and the timer of a wave runs out.
    fn stage(&mut self, millis: u64) -> Effects {
        self.wait(millis);
        self.expire(Timer::Wave(self.now))
    }

    /// It has come by the shortest way.
    fn hold(&mut self) -> Effects {
        self.stage(50)
    }

    /// It has been everywhere.
    fn gather(&mut self) -> Effects {
        self.stage(1_000)
    }

    /// New parents have been asked everywhere.
    fn trim(&mut self) -> Effects {
        self.stage(100)
    }

    /// All of it.
    fn pass(&mut self) {
        self.hold();
        self.gather();
        self.trim();
    }

    fn timer(&self, millis: u64) -> Output<Plumtree<News>> {
        timer(millis, Timer::Wave(self.now + Duration::from_millis(millis)))
    }
}

#[test]
fn a_wave_is_held_for_a_moment_and_goes_to_those_that_are_no_nearer_to_the_root_and_only_once() {
    let mut f = Fixture::new(&[A, B, C, D]);
    f.lazy(B);
    assert_eq!(f.receive(A, wave(dot(1), 5)), [f.timer(50)]);
    assert_eq!(f.receive(C, wave(dot(1), 2)), [], "a shorter way");
    let passed_on = f.hold();
    assert_eq!(
        passed_on,
        [send(A, wave(dot(1), 3)), send(B, wave(dot(1), 3)), send(D, wave(dot(1), 3)), f.timer(1_000)]
    );
    assert_eq!(f.receive(D, wave(dot(1), 4)), []);
    assert_eq!(f.tree.metrics().waves_sent, 3);
}

#[test]
fn the_neighbour_nearest_to_the_root_becomes_the_parent_and_other_links_that_brought_the_wave_are_given_up() {
    let mut f = Fixture::new(&[A, B, C, D]);
    f.lazy(B);
    f.receive(A, wave(dot(1), 5));
    f.receive(B, wave(dot(1), 3));
    f.hold();
    f.receive(C, wave(dot(1), 6));
    let asked = f.gather();
    assert_eq!(asked, [graft(B), f.timer(100)]);
    // D has brought no wave: it may be a child of this peer's.
    assert_eq!(f.trim(), [send(A, Message::Prune), send(C, Message::Prune)]);
    assert_eq!((f.modes(), f.tree.parent()), ((vec![B, D], vec![A, C]), Some(B)));
}

#[test]
fn a_parent_that_pushes_to_this_peer_already_need_not_be_asked() {
    let mut f = Fixture::new(&[A, B]);
    f.lazy(A);
    f.receive(A, wave(dot(1), 1));
    f.receive(B, wave(dot(1), 1));
    f.hold();
    let asked = f.gather();
    assert_eq!(asked, [f.timer(100)]);
    assert_eq!(f.trim(), []);
    assert_eq!((f.modes(), f.tree.parent()), ((vec![B], vec![A]), Some(B)));
}

#[test]
fn a_parent_that_was_told_of_the_wave_is_asked_to_keep_the_link() {
    let mut f = Fixture::new(&[A, B]);
    f.receive(A, wave(dot(1), 5));
    f.hold();
    f.receive(B, wave(dot(1), 2));
    let asked = f.gather();
    assert_eq!(asked, [graft(B), f.timer(100)]);
    assert_eq!(f.trim(), [send(A, Message::Prune)]);
}

#[test]
fn the_parent_remains_if_it_is_hardly_farther_than_another() {
    let mut f = placed(&[A, B], 5);
    f.wait(10_000);
    for (id, nearer, parent) in [(2, 4, A), (3, 3, B)] {
        f.receive(A, wave(dot(id), 5));
        f.hold();
        f.receive(B, wave(dot(id), nearer));
        f.gather();
        f.trim();
        assert_eq!(f.tree.parent(), Some(parent), "{nearer}");
        f.wait(10_000);
    }
}

#[test]
fn who_is_no_nearer_to_the_root_is_no_parent() {
    let mut f = Fixture::new(&[A, B]);
    f.receive(A, wave(dot(1), 4));
    f.receive(B, wave(dot(1), 5));
    f.pass();
    assert_eq!((f.tree.parent(), f.modes()), (Some(A), (vec![A], vec![B])));
}

#[test]
fn a_child_keeps_its_link_though_it_brought_the_wave_too() {
    let mut f = Fixture::new(&[A, B]);
    f.receive(A, wave(dot(1), 0));
    f.hold();
    f.receive(B, wave(dot(1), 2));
    f.gather();
    f.receive(B, Message::Graft(DotSet::new()));
    assert_eq!(f.trim(), []);
    assert_eq!(f.modes(), (vec![A, B], vec![]));
}

#[test]
fn of_two_waves_at_once_the_lower_counts_and_of_one_origin_the_newer() {
    let mut f = Fixture::new(&[A, B]);
    let low = Dot::new(ME, 1);
    f.receive(A, wave(dot(2), 0));
    f.wait(20);
    assert_eq!(f.receive(B, wave(low, 4)), [f.timer(50)]);
    assert_eq!(f.receive(A, wave(dot(3), 0)), []);
    assert_eq!(f.hold(), [send(A, wave(low, 5)), f.timer(1_000)]);
    f.wait(10_000);
    assert_eq!(f.receive(A, wave(dot(2), 0)), [], "an old one");
    assert_eq!(f.receive(A, wave(dot(3), 0)), [f.timer(50)]);
}

#[test]
fn ever_lower_waves_are_not_passed_on_for_ever() {
    let mut f = Fixture::new(&[A, B]);
    let waves = |f: &mut Fixture, count: u64| {
        let wave_of = |lower: u64| wave(Dot::new(ReplicaId(1000 - lower), 1), 3);
        let passed = |effects: Effects| effects.iter().any(|effect| matches!(effect, Output::Send { to: B, .. }));
        (0..count)
            .filter(|lower| {
                f.receive(A, wave_of(*lower));
                passed(f.hold())
            })
            .count()
    };
    assert_eq!(waves(&mut f, 50), 5, "within half an interval");
    assert!(f.tree.depth().is_some());
}

#[test]
fn messages_shape_nothing_while_a_wave_does() {
    let mut f = Fixture::new(&[A, B]);
    f.receive(A, wave(dot(1), 0));
    f.receive(A, gossip(Ids::shaping(dot(1)), 1, "news"));
    assert_eq!(f.receive(B, gossip(Ids::shaping(dot(1)), 1, "news")), []);
    f.wait(200);
    assert_eq!(f.expire(Timer::Shape), []);
    assert_eq!(f.modes(), (vec![A, B], vec![]));
}

#[test]
fn a_new_link_is_lazy_where_there_is_a_parent_and_says_how_far_the_root_is() {
    let mut f = placed(&[A], 2);
    assert_eq!(f.command(Command::NeighborUp(B)), [send(B, Message::Wave { id: dot(1), depth: 3, lazy: true })]);
    assert_eq!(f.modes(), (vec![A], vec![B]));
}

#[test]
fn who_hears_of_a_wave_over_a_new_link_has_a_parent_from_then_on() {
    let mut f = Fixture::new(&[A, B]);
    let old = Message::Wave { id: dot(1), depth: 3, lazy: true };
    f.receive(A, old.clone());
    f.receive(B, old);
    assert_eq!(f.modes(), (vec![], vec![A, B]));
    assert_eq!(f.hold(), [f.timer(1_000)]);
    let asked = f.gather();
    assert_eq!(asked, [graft(A), f.timer(100)]);
    assert_eq!(f.trim(), []);
    assert_eq!((f.modes(), f.tree.depth()), ((vec![A], vec![B]), Some(4)));
}

#[test]
fn who_has_lost_its_parent_finds_one_among_new_neighbours() {
    let mut f = placed(&[A], 2);
    assert_eq!(f.command(Command::NeighborDown(A)), []);
    assert_eq!(f.command(Command::NeighborUp(B)), [graft(B)]);
    assert_eq!(f.receive(B, Message::Wave { id: dot(1), depth: 3, lazy: true }), [], "it may be below this peer");
    assert_eq!((f.tree.parent(), f.modes()), (None, (vec![B], vec![])));
    assert_eq!(f.receive(B, Message::Wave { id: dot(1), depth: 2, lazy: true }), [graft(B)]);
    assert_eq!((f.tree.parent(), f.modes()), (Some(B), (vec![B], vec![])));
}

#[test]
fn who_loses_its_parent_turns_to_another_neighbour_that_is_nearer_to_the_root() {
    let mut f = placed(&[A, B, C], 2);
    f.receive(B, wave(dot(1), 2));
    f.receive(C, wave(dot(1), 3));
    f.lazy(B);
    f.lazy(C);
    assert_eq!(f.command(Command::NeighborDown(A)), [graft(B)]);
    assert_eq!((f.tree.parent(), f.modes()), (Some(B), (vec![B], vec![C])));
}

#[test]
fn where_nobody_is_nearer_one_that_is_as_near_will_do() {
    let mut f = placed(&[A, B, C], 2);
    f.receive(B, wave(dot(1), 4));
    f.receive(C, wave(dot(1), 3));
    f.lazy(B);
    f.lazy(C);
    assert_eq!(f.command(Command::NeighborDown(A)), [graft(C)]);
    assert_eq!((f.tree.parent(), f.modes()), (Some(C), (vec![C], vec![B])));
    // C has lost the same parent.
    assert_eq!(f.receive(C, Message::Graft(DotSet::new())), [graft(B)]);
    assert_eq!((f.tree.parent(), f.modes()), (None, (vec![B, C], vec![])));
}

#[test]
fn who_knows_no_other_way_to_the_root_pushes_to_everybody_new_neighbours_too() {
    let mut f = placed(&[A, B, C], 2);
    f.lazy(B);
    f.lazy(C);
    assert_eq!(f.command(Command::NeighborDown(A)), [graft(B), graft(C)]);
    assert_eq!(f.command(Command::NeighborUp(D)), [graft(D)]);
    assert_eq!((f.tree.parent(), f.modes()), (None, (vec![B, C, D], vec![])));
}

#[test]
fn the_first_sender_becomes_the_root_once_there_is_traffic_and_remains_it() {
    let mut f = Fixture::new(&[A]);
    let is_wave =
        |effect: &Output<Plumtree<News>>| matches!(effect, Output::Send { message: Message::Wave { .. }, .. });
    let mut waves = Vec::new();
    for second in 0..60 {
        let effects = f.command(Command::Broadcast(News("x")));
        waves.extend(effects.into_iter().filter(is_wave).map(|effect| (second, effect)));
        f.wait(1_000);
    }
    // At 16 arrivals, not sooner, and as many for each one after that.
    let begun = |number| send(A, wave(Dot::new(ME, number), 0));
    assert_eq!(waves, [(15, begun(1)), (31, begun(2)), (47, begun(3))]);
    assert_eq!((f.tree.depth(), f.tree.parent()), (Some(0), None));
}

#[test]
fn another_becomes_the_root_when_nothing_was_heard_of_it_for_long() {
    let mut f = placed(&[A, B], 0);
    let mut begun = None;
    for second in 1..=100 {
        f.wait(1_000);
        let effects = f.receive(A, gossip(dot(second), 1, "x"));
        if effects.contains(&send(B, wave(Dot::new(ME, 1), 0))) {
            begun = Some(second);
            break;
        }
    }
    assert!(begun.is_some_and(|second| (32..=60).contains(&second)), "{begun:?}");
}

#[test]
fn floods_know_no_waves() {
    let mut f = Fixture::new(&[A, B]);
    f.tree = Plumtree::new(Config { floods: true, ..config() }, ME, Rng::new(1));
    f.command(Command::NeighborUp(A));
    f.command(Command::NeighborUp(B));
    assert_eq!(f.receive(A, wave(dot(1), 2)), []);
}

#[test]
fn a_stranger_starts_no_wave() {
    let mut f = Fixture::new(&[A]);
    assert_eq!(f.receive(B, wave(dot(1), 2)), []);
    assert_eq!(f.tree.wave(), None);
}
