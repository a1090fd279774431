//! Schedules that once found something, by what they found.

use super::schedule;
use crate::strategy::Strategy;

/// In a small cluster every peer is in every view, and a copy of a subscription walks until its steps are used up. Where messages
/// arrive twice each step made two walks of some, and nothing ended any more.
#[test]
fn walks_of_subscriptions_do_not_multiply_where_messages_arrive_twice() {
    for seed in [2, 3, 8] {
        schedule(Strategy::Scamp2, seed);
    }
}

/// All contacts left, one after the other, and came back with nobody but each other to ask: whoever had stayed did not look for
/// them.
#[test]
fn contacts_that_left_and_came_back_are_found_by_those_who_stayed() {
    for seed in [2128, 3262] {
        schedule(Strategy::Full, seed);
    }
}

/// A server that left said so on a link, and the servers' mesh said it again.
#[test]
fn a_server_that_leaves_is_told_of_once() {
    schedule(Strategy::ClientServer, 3231);
}
