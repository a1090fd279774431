//! What an operator can say about partial views: their size, tags, optimisation, SCAMP's version.

use super::membership::MembershipError;
use super::{Membership, Settings};
use lasp_overlay::membership::hyparview::{Tag, xbot};
use lasp_overlay::membership::scamp::Version;
use lasp_overlay::membership::{MembershipConfig, hyparview, scamp};
use std::fmt;
use std::str::FromStr;

/// By what links are exchanged for better ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optimise {
    /// They are not.
    Off,
    /// By their round trip.
    Rtt,
}

impl FromStr for Optimise {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "rtt" => Ok(Self::Rtt),
            _ => Err(format!("unknown optimisation {text:?}: one of off, rtt")),
        }
    }
}

/// Places kept for neighbours with a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    tag: Tag,
    places: usize,
}

impl FromStr for Reservation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').and_then(|(tag, places)| Some((tag, places.parse().ok()?)));
        let (tag, places) = parts.ok_or_else(|| format!("{text:?} is not TAG=PLACES, such as server=1"))?;
        Ok(Self { tag: tag.parse()?, places })
    }
}

impl fmt::Display for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.tag, self.places)
    }
}

/// Lays what the settings say over a strategy with partial views; refuses it for any other.
pub(super) fn apply(settings: &Settings, config: &mut MembershipConfig) -> Result<(), MembershipError> {
    match config {
        MembershipConfig::HyParView(ours) => {
            refuse_scamp(settings, Membership::HYPARVIEW.name())?;
            apply_hyparview(settings, ours);
            Ok(())
        }
        MembershipConfig::Scamp(ours) => {
            refuse_hyparview(settings, Membership::SCAMP.name())?;
            apply_scamp(settings, ours)
        }
        other => {
            refuse_scamp(settings, other.name())?;
            refuse_hyparview(settings, other.name())
        }
    }
}

fn refuse_hyparview(settings: &Settings, strategy: &str) -> Result<(), MembershipError> {
    let given = [
        ("active_view", settings.active_view.is_some()),
        ("passive_view", settings.passive_view.is_some()),
        ("optimise", settings.optimise.is_some()),
        ("tag", settings.tag.is_some()),
        ("reserve", settings.reserve.is_some()),
    ];
    refuse(&given, "membership hyparview", strategy)
}

fn refuse_scamp(settings: &Settings, strategy: &str) -> Result<(), MembershipError> {
    let given =
        [("scamp_version", settings.scamp_version.is_some()), ("scamp_copies", settings.scamp_copies.is_some())];
    refuse(&given, "membership scamp", strategy)
}

fn refuse(given: &[(&'static str, bool)], what: &'static str, strategy: &str) -> Result<(), MembershipError> {
    match given.iter().find(|(_, given)| *given) {
        Some((setting, _)) => Err(MembershipError::NotOfStrategy { setting, what, strategy: strategy.to_owned() }),
        None => Ok(()),
    }
}

/// What the strategies call settings, and what the settings call them: nothing where none of them is given, for then the program
/// has set them up under the strategies' names.
pub(super) fn names(settings: &Settings) -> &'static [(&'static str, &'static str)] {
    let given = settings.active_view.is_some()
        || settings.passive_view.is_some()
        || settings.reserve.is_some()
        || settings.optimise.is_some()
        || settings.scamp_copies.is_some();
    if given { NAMES } else { &[] }
}

const NAMES: &[(&str, &str)] = &[
    ("active_capacity", "active_view"),
    ("passive_capacity", "passive_view"),
    ("reserved", "reserve"),
    ("copies", "scamp_copies"),
];

fn apply_hyparview(settings: &Settings, ours: &mut hyparview::Config) {
    if let Some(capacity) = settings.active_view {
        ours.active_capacity = capacity;
        ours.active_min = ours.active_min.min(capacity);
    }
    ours.passive_capacity = settings.passive_view.unwrap_or(ours.passive_capacity);
    if settings.tag.is_some() {
        ours.tag.clone_from(&settings.tag);
    }
    if let Some(kept) = &settings.reserve {
        ours.reserved = kept.iter().map(|kept| (kept.tag.clone(), kept.places)).collect();
    }
    match settings.optimise {
        Some(Optimise::Rtt) => ours.optimise = ours.optimise.take().or_else(|| Some(xbot::Config::default())),
        Some(Optimise::Off) => ours.optimise = None,
        None => {}
    }
}

fn apply_scamp(settings: &Settings, ours: &mut scamp::Config) -> Result<(), MembershipError> {
    ours.version = match settings.scamp_version {
        None => ours.version,
        Some(1) => Version::V1,
        Some(2) => Version::V2,
        Some(other) => return Err(MembershipError::ScampVersion(other)),
    };
    ours.copies = settings.scamp_copies.unwrap_or(ours.copies);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::membership::resolve;
    use super::*;

    fn resolved(settings: &Settings) -> Result<MembershipConfig, String> {
        resolve(settings, MembershipConfig::default()).map_err(|error| error.to_string())
    }

    fn of(membership: Membership) -> Settings {
        Settings { membership: Some(membership), ..Settings::default() }
    }

    #[test]
    fn settings_of_hyparview_reach_it() {
        let settings = Settings {
            active_view: Some(4),
            passive_view: Some(60),
            optimise: Some(Optimise::Rtt),
            tag: "edge".parse().ok(),
            reserve: Some(vec!["server=1".parse().expect("valid")]),
            ..Settings::default()
        };
        let Ok(MembershipConfig::HyParView(config)) = resolved(&settings) else { panic!("HyParView") };
        assert_eq!((config.active_capacity, config.active_min, config.passive_capacity), (4, 3, 60));
        assert_eq!(config.optimise, Some(xbot::Config::default()));
        assert_eq!(config.tag, Tag::new("edge"));
        assert_eq!(config.reserved, [(Tag::new("server").expect("short"), 1)].into());
    }

    #[test]
    fn settings_of_scamp_reach_it() {
        let settings = Settings { scamp_version: Some(1), scamp_copies: Some(4), ..of(Membership::SCAMP) };
        let Ok(MembershipConfig::Scamp(config)) = resolved(&settings) else { panic!("SCAMP") };
        assert_eq!((config.version, config.copies), (Version::V1, 4));
        let third = Settings { scamp_version: Some(3), ..of(Membership::SCAMP) };
        assert_eq!(resolved(&third), Err("`scamp_version` is 3, but must be 1 or 2".to_owned()));
    }

    #[test]
    fn contradictions_and_settings_of_another_strategy_are_refused() {
        let small = Settings { passive_view: Some(4), ..Settings::default() };
        let expected = "`passive_view` is 4, but must be at least the 7 peers that a shuffle offers";
        assert!(resolved(&small).expect_err("too small").starts_with(expected));
        let rings = Settings { active_view: Some(2), ..Settings::default() };
        let expected = "`active_view` is 2, but must be at least 3: with fewer the overlay is made of rings";
        assert!(resolved(&rings).expect_err("too small").starts_with(expected));
        let kept = Settings { reserve: Some(vec!["server=5".parse().expect("valid")]), ..Settings::default() };
        let expected = "`reserve` is 5, but must be less than `active_view` (5) in all, so that others can join";
        assert_eq!(resolved(&kept), Err(expected.to_owned()));
        let tuned = hyparview::Config { passive_capacity: 4, ..hyparview::Config::default() };
        let error =
            resolve(&Settings::default(), MembershipConfig::HyParView(tuned)).expect_err("too small").to_string();
        assert!(error.starts_with("`passive_capacity` is 4"), "a program's own names: {error}");
        let many = Settings { scamp_copies: Some(128), ..of(Membership::SCAMP) };
        let expected = "`out_capacity` is 128, but must be more than the 128 extra `scamp_copies` of a subscription";
        assert_eq!(resolved(&many), Err(expected.to_owned()));
        let misplaced = Settings { optimise: Some(Optimise::Rtt), ..of(Membership::FULL) };
        let expected = "`optimise` is for membership hyparview; this node's membership is full";
        assert_eq!(resolved(&misplaced), Err(expected.to_owned()));
        let misplaced = Settings { scamp_copies: Some(1), ..Settings::default() };
        let expected = "`scamp_copies` is for membership scamp; this node's membership is hyparview";
        assert_eq!(resolved(&misplaced), Err(expected.to_owned()));
    }

    #[test]
    fn a_reservation_is_a_tag_and_a_number() {
        assert_eq!("server=2".parse::<Reservation>().expect("valid").to_string(), "server=2");
        for wrong in ["server", "server=", "=1", "server=-1", "a-tag-that-is-longer-than-a-tag-may-be=1"] {
            wrong.parse::<Reservation>().expect_err(wrong);
        }
    }
}
