//! Rumours, digests, summaries.

use super::*;

#[test]
fn who_is_linked_is_a_member_and_the_others_hear_of_it() {
    let mut bench = Bench::new();
    assert_eq!(bench.link(1), [up(1), Output::Emit(Event::Joined)]);
    assert_eq!(bench.link(2), [up(2), send(1, news(&[member(2)], &[]))]);
    assert_eq!(bench.link(2), [], "linked anew");
}

#[test]
fn equal_digests_end_the_conversation() {
    let mut bench = Bench::linked(&[1]);
    let same = bench.digest();
    assert_eq!(bench.receive(1, same), []);
}

#[test]
fn the_smaller_map_is_listed() {
    let mut bench = Bench::linked(&[1]);
    assert_eq!(bench.receive(1, M::Digest { fingerprint: 0, count: 1 }), [send(1, M::Ask)]);
    let version = member(1).version();
    let entries = vec![(PeerId(1), version), (PeerId(5), version)];
    let summary = M::Summary { first: PeerId(0), last: PeerId(u64::MAX), entries };
    bench.wait(Config::default().answer_interval);
    assert_eq!(bench.receive(1, M::Digest { fingerprint: 0, count: 9 }), [send(1, summary.clone())]);
    bench.wait(Config::default().answer_interval);
    assert_eq!(bench.receive(1, M::Ask), [send(1, summary)]);
}

#[test]
fn a_summary_is_answered_with_exactly_what_differs_in_its_range() {
    let mut bench = Bench::linked(&[1, 2, 3, 9]);
    let back = Version { stay: 1, ..member(2).version() };
    let entries = vec![(PeerId(1), member(1).version()), (PeerId(2), back), (PeerId(4), back)];
    let (first, last) = (PeerId(0), PeerId(8));
    let effects = bench.receive(1, M::Summary { first, last, entries });
    assert_eq!(effects, [send(1, news(&[member(3), member(5)], &[2, 4]))]);
    let entries = [1, 2, 3, 5].map(|n| (PeerId(n), member(n).version())).to_vec();
    assert_eq!(bench.receive(1, M::Summary { first, last, entries }), []);
}

#[test]
fn large_maps_go_in_several_messages() {
    let mut bench = Bench::linked(&[1]);
    let count = MAX_ENTRIES as u64 + 10;
    for n in 100..100 + count {
        bench.peer.members.merge(&member(n));
    }
    let effects = bench.receive(1, M::Ask);
    let [
        Output::Send { message: M::Summary { first, last, entries }, .. },
        Output::Send { message: M::Summary { first: second, last: end, entries: rest }, .. },
    ] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!((*first, *end, last.0 + 1), (PeerId(0), PeerId(u64::MAX), second.0));
    assert_eq!((entries.len(), rest.len()), (MAX_ENTRIES, 12));
    let nothing = M::Summary { first: PeerId(0), last: PeerId(u64::MAX), entries: Vec::new() };
    let effects = bench.receive(1, nothing);
    assert_eq!(effects.len(), (count as usize + 2).div_ceil(MAX_RUMOURS));
}

#[test]
fn what_is_wanted_is_sent_and_what_is_new_is_passed_on_once() {
    let mut bench = Bench::linked(&[1, 2]);
    let effects = bench.receive(1, news(&[member(9), member(2)], &[5]));
    let wanted = send(1, news(&[member(5)], &[]));
    let rumour = send(2, news(&[member(9)], &[]));
    assert_eq!(effects, [wanted, Output::Link(contact(9)), rumour]);
    assert_eq!(bench.receive(2, news(&[member(9)], &[])), []);
}

#[test]
fn news_that_comes_in_faster_than_it_is_told_is_told_together() {
    let mut bench = Bench::linked(&[1, 2]);
    let about = |n: u64| news(&[member(n)], &[]);
    assert_eq!(bench.receive(1, about(8)), [Output::Link(contact(8)), send(2, about(8))]);
    bench.wait(Config::default().spread_interval / 4);
    let effects = bench.feed(Input::Received { from: PeerId(1), message: about(9) });
    let after = Config::default().spread_interval * 3 / 4;
    assert_eq!(effects, [Output::Link(contact(9)), Output::SetTimer { after, timer: Timer::Tell { term: 1 } }]);
    let left = member(8).with(Status::Left);
    let effects = bench.receive(2, news(&[member(7), left.clone()], &[]));
    assert_eq!(effects, [Output::Link(contact(7)), Output::Emit(Event::Left(PeerId(8)))]);
    bench.wait(after);
    let together = news(&[member(7), left, member(9)], &[]);
    let effects = bench.expire(Timer::Tell { term: 1 });
    let mut to: Vec<u64> = effects.iter().map(|e| if let Output::Send { to, .. } = e { to.0 } else { 0 }).collect();
    to.sort_unstable();
    assert_eq!(to, [1, 2]);
    assert!(effects.iter().all(|e| matches!(e, Output::Send { message, .. } if *message == together)), "{effects:?}");
}

#[test]
fn w14_rumours_go_to_a_random_sample_of_ln_n_and_a_few() {
    let mut hit = std::collections::BTreeSet::new();
    let mut bench = Bench::linked(&(100..200).collect::<Vec<_>>());
    for n in 1000..1100 {
        bench.wait(Config::default().spread_interval);
        let effects = bench.receive(100, news(&[member(n)], &[]));
        let to =
            effects.iter().filter_map(|effect| if let Output::Send { to, .. } = effect { Some(*to) } else { None });
        let to: Vec<PeerId> = to.collect();
        assert_eq!(to.len(), 5 + 3, "ln 100 is 4.6");
        hit.extend(to);
    }
    assert!(hit.len() > 90, "{} of 99 others were told something", hit.len());
}

#[test]
fn w51_an_idle_period_costs_a_digest_to_ln_n_peers() {
    let mut bench = Bench::linked(&(100..200).collect::<Vec<_>>());
    let effects = bench.expire(Timer::Gossip { term: 1 });
    let digest = bench.digest();
    assert_eq!(effects.len(), 5);
    assert!(effects.iter().all(|e| matches!(e, Output::Send { message, .. } if *message == digest)));
}

#[test]
fn w05_periods_are_durations() {
    let mut bench = Bench::linked(&[1]);
    let effects = bench.feed(Input::Expired(Timer::Period { term: 1 }));
    let [Output::SetTimer { after, timer: Timer::Period { term: 1 } }] = &effects[..] else { panic!("{effects:?}") };
    let interval = Config::default().probe_interval;
    assert!((interval.mul_f64(0.9)..=interval.mul_f64(1.1)).contains(after), "{after:?}");
}
