//! Settings that contradict each other.

use super::*;
use std::collections::BTreeMap;

fn refusal(config: &Config) -> String {
    config.validate().expect_err("a contradiction").to_string()
}

#[test]
fn the_defaults_can_be_kept() {
    assert_eq!(Config::default().validate(), Ok(()));
}

#[test]
fn contradictions_are_told_with_both_sides() {
    let tag = Tag::new("server").expect("short");
    let cases = [
        (
            Config { passive_capacity: 4, ..Config::default() },
            "`passive_capacity` is 4, but must be at least the 7 peers that a shuffle offers (`shuffle_active` + \
             `shuffle_passive`)",
        ),
        (
            Config { active_min: 6, ..Config::default() },
            "`active_min` is 6, but must be at most `active_capacity`, which is 5",
        ),
        (
            Config { reserved: BTreeMap::from([(tag, 5)]), ..Config::default() },
            "`reserved` is 5, but must be less than `active_capacity` (5) in all, so that others can join",
        ),
        (
            Config { passive_walk: 9, ..Config::default() },
            "`passive_walk` is 9, but must be at most `active_walk`, which is 6",
        ),
        (
            Config { active_capacity: 2, active_min: 2, ..Config::default() },
            "`active_capacity` is 2, but must be at least 3: with fewer the overlay is made of rings, which nothing holds together",
        ),
        (
            Config { shuffle_interval: Duration::ZERO, ..Config::default() },
            "`shuffle_interval` is zero, but must be a time that passes",
        ),
    ];
    for (config, expected) in cases {
        assert_eq!(refusal(&config), expected);
    }
}
