//! The machine of one node, input by input: what it tells its neighbours, and what links keep.

use super::*;

const A: PeerId = PeerId(1);
const B: PeerId = PeerId(2);
const C: PeerId = PeerId(3);

fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

fn wants(prefixes: &[&str]) -> Summary {
    Summary::of(&interests(prefixes))
}

fn interests(prefixes: &[&str]) -> Interests {
    Interests::prefixes(prefixes.iter().copied())
}

fn whole(summary: &Summary) -> Message {
    Message::Whole(summary.clone())
}

/// A machine, what it has asked to be reminded of, and the time.
struct Bench {
    routes: Routes,
    rng: Rng,
    now: Time,
    due: Option<Time>,
    pulses: usize,
    said: Vec<(PeerId, Message)>,
}

impl Bench {
    /// A node with these neighbours, all in its tree.
    fn new(own: &Interests, peers: &[PeerId]) -> Self {
        let routes = Routes::new(own, true);
        let mut bench = Self { routes, rng: Rng::new(1), now: Time::ZERO, due: None, pulses: 0, said: Vec::new() };
        for &peer in peers {
            bench.input(|routes, now, rng, out| routes.link_up(now, peer, rng, out));
        }
        bench
    }

    fn input(&mut self, act: impl FnOnce(&mut Routes, Time, &mut Rng, &mut Outcome)) -> Outcome {
        let mut out = Outcome::default();
        act(&mut self.routes, self.now, &mut self.rng, &mut out);
        if let Some(after) = out.wake {
            self.due = Some(self.now + after);
        }
        self.pulses += usize::from(out.pulse);
        self.said.extend(out.says.iter().cloned());
        out
    }

    /// Lets time pass; the changed links, in order.
    fn run_until(&mut self, until: Time) -> Vec<PeerId> {
        let mut changed = Vec::new();
        while let Some(due) = self.due.filter(|due| *due <= until) {
            (self.now, self.due) = (due, None);
            changed.extend(self.input(|routes, now, rng, out| routes.expired(now, rng, out)).changed);
        }
        self.now = until;
        changed
    }

    fn hear(&mut self, from: PeerId, summary: &Summary) -> Outcome {
        self.input(|routes, now, rng, out| routes.heard(now, from, Message::Whole(summary.clone()), rng, out))
    }

    fn tree(&mut self, eager: &[PeerId]) {
        self.input(|routes, now, rng, out| routes.tree(now, eager.iter().copied(), None, rng, out));
    }

    fn take_said(&mut self) -> Vec<(PeerId, Message)> {
        std::mem::take(&mut self.said)
    }

    fn carries(&self, to: PeerId) -> [bool; 3] {
        ["a", "b", "c"].map(|name| self.routes.carries(to, name))
    }
}

#[test]
fn where_everybody_hears_everything_nothing_is_said_and_nothing_is_due() {
    let mut bench = Bench::new(&Interests::All, &[A, B]);
    bench.tree(&[A]);
    bench.input(|routes, now, rng, out| routes.link_down(now, A, rng, out));
    assert_eq!((bench.take_said(), bench.due, bench.routes.is_active()), (vec![], None, false));
    assert_eq!(bench.carries(B), [true; 3]);
    assert!(bench.routes.common(B).is_all() && bench.routes.kept().is_empty());
}

#[test]
fn a_neighbour_hears_at_once_what_a_node_wants_and_later_what_is_wanted_beyond_it() {
    let mut bench = Bench::new(&interests(&["a"]), &[A, B]);
    let own = wants(&["a"]);
    assert_eq!(bench.take_said(), [(A, whole(&own.opened())), (B, whole(&own.opened()))]);
    bench.hear(A, &wants(&["b"]));
    bench.hear(B, &wants(&["c"]));
    bench.run_until(at(2_900));
    assert_eq!(bench.take_said(), [], "the tree may have a cycle");
    assert_eq!((bench.carries(A), bench.carries(B)), ([false, true, false], [false, false, true]));
    bench.run_until(at(3_000));
    let (to_a, to_b) = (wants(&["a", "c"]), wants(&["a", "b"]));
    assert_eq!(bench.take_said(), [(A, whole(&to_a.opened())), (B, whole(&to_b.opened()))]);
    bench.run_until(at(3_390));
    assert_eq!(bench.take_said(), [], "what lies further away may not be known yet");
    assert_eq!(bench.run_until(at(3_400)), [A, B]);
    assert_eq!(bench.take_said(), [(A, whole(&to_a)), (B, whole(&to_b))]);
    let common = |peer| ["a", "b", "c"].map(|name| bench.routes.common(peer).covers(name));
    assert_eq!((common(A), common(B)), ([false; 3], [false; 3]), "nobody shares anything");
}

/// A node between two others, all settled.
fn settled(own: &[&str], a: &Summary, b: &Summary) -> Bench {
    let mut bench = Bench::new(&interests(own), &[A, B]);
    bench.hear(A, a);
    bench.hear(B, b);
    bench.run_until(at(10_000));
    bench.take_said();
    bench
}

#[test]
fn what_is_wanted_on_both_sides_is_in_common_with_both() {
    let bench = settled(&[], &wants(&["a", "b"]), &wants(&["b", "c"]));
    let common = |peer| ["a", "b", "c"].map(|name| bench.routes.common(peer).covers(name));
    assert_eq!((common(A), common(B)), ([false, true, false], [false, true, false]));
    let kept = |name| bench.routes.kept().iter().any(|common| common.covers(name));
    assert_eq!(["a", "b", "c"].map(kept), [false, true, false]);
}

#[test]
fn more_is_told_soon_and_less_later_except_of_what_the_owner_takes_back() {
    let mut bench = settled(&["a"], &wants(&["b"]), &wants(&[]));
    bench.hear(A, &wants(&["b", "c"]));
    bench.run_until(at(10_020));
    assert_eq!(bench.take_said(), [(B, whole(&wants(&["a", "b", "c"])))]);
    bench.hear(A, &wants(&[]));
    bench.run_until(at(11_000));
    assert_eq!(bench.take_said(), []);
    bench.run_until(at(12_100));
    assert_eq!(bench.take_said(), [(B, whole(&wants(&["a"])))]);
    bench.input(|routes, now, rng, out| routes.own_changed(now, &interests(&["b"]), rng, out));
    assert_eq!(bench.take_said(), [(A, whole(&wants(&["b"]))), (B, whole(&wants(&["b"])))]);
}

#[test]
fn a_link_that_leaves_the_tree_tells_no_more_of_what_lies_beyond() {
    let mut bench = settled(&["a"], &wants(&["b"]), &wants(&["c"]));
    bench.tree(&[A]);
    bench.run_until(at(15_000));
    let own = wants(&["a"]);
    let (last_to_a, last_to_b) =
        (bench.said.iter().rfind(|(to, _)| *to == A), bench.said.iter().rfind(|(to, _)| *to == B));
    assert_eq!((last_to_a, last_to_b), (Some(&(A, whole(&own))), Some(&(B, whole(&own.opened())))));
    bench.take_said();
    bench.tree(&[A, B]);
    bench.run_until(at(15_020));
    assert_eq!(bench.take_said(), [(A, whole(&wants(&["a", "c"]))), (B, whole(&wants(&["a", "b"]).opened())),]);
}

#[test]
fn who_says_nothing_is_taken_to_hear_everything_after_a_while() {
    let mut bench = Bench::new(&interests(&["a"]), &[A, B]);
    bench.hear(B, &wants(&["b"]));
    bench.run_until(at(10_000));
    let last = bench.said.iter().rfind(|(to, _)| *to == B);
    let beyond = wants(&["a"]).with([].into_iter(), true);
    assert_eq!(last, Some(&(B, whole(&beyond))));
    assert_eq!(bench.carries(A), [true; 3]);
}

#[test]
fn a_node_that_hears_everything_says_so_to_those_who_do_not_and_that_it_is_alone() {
    let mut bench = Bench::new(&Interests::All, &[A]);
    bench.hear(A, &wants(&["a"]));
    bench.run_until(at(1_000));
    let all = Summary::default();
    assert_eq!(bench.take_said(), [(A, whole(&all)), (A, whole(&all.lonely()))]);
    bench.input(|routes, now, rng, out| routes.link_up(now, C, rng, out));
    bench.run_until(at(10_000));
    let last = bench.said.iter().rfind(|(to, _)| *to == A);
    assert_eq!(last, Some(&(A, whole(&all))), "somebody else hears everything too");
}

#[test]
fn a_change_of_something_else_is_not_believed_and_what_was_not_heard_is_said_again() {
    let mut bench = settled(&["a"], &wants(&["b"]), &wants(&[]));
    let many: Vec<String> = (0..20).map(|n| format!("n{n:02}")).collect();
    let names: Vec<&str> = many.iter().map(String::as_str).collect();
    let change = wants(&names).change_to(&wants(&names[1..])).expect("one of twenty");
    let out = bench.input(|routes, now, rng, out| routes.heard(now, A, Message::Change(change), rng, out));
    assert_eq!((out.unclear, out.changed), (Some(A), vec![]));
    assert_eq!(bench.carries(A), [false, true, false]);
    let out = bench.input(|routes, now, _, out| routes.repeat(now, A, out));
    assert_eq!(out.says, [(A, whole(&wants(&["a"])))]);
    let out = bench.input(|routes, now, _, out| routes.repeat(now, A, out));
    assert_eq!(out.says, [], "it is under way");
}

#[test]
fn who_has_a_new_link_has_the_tree_shaped_and_now_and_then_if_nobody_does() {
    let mut bench = Bench::new(&interests(&["a"]), &[A]);
    bench.run_until(at(950));
    assert_eq!(bench.pulses, 1);
    let dot = Dot { replica: lasp_crdt::ReplicaId(9), counter: 1 };
    bench.input(|routes, now, rng, out| routes.tree(now, [A].into_iter(), Some(dot), rng, out));
    bench.run_until(at(15_000));
    assert_eq!(bench.pulses, 1, "it was shaped");
    bench.run_until(at(40_000));
    assert!(bench.pulses > 1);
}
