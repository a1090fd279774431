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
