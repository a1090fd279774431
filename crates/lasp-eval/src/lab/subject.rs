//! What is run under each seed: strategies, and variants of the one under test.

use super::cyclon::Cyclon;
use super::experiment::{Outcome, Plan, levels, run, steps};
use super::gossip::Gossip;
use super::options::{Crash, Hyparview, Optimise};
use super::plane::Plane;
use super::simulated::Simulated;
use super::strategy::Overlay as _;
use crate::config::Config;
use lasp_overlay::PeerId;
use lasp_overlay::membership::Membership as _;
use lasp_overlay::membership::hyparview::{self, HyParView, xbot};
use lasp_overlay::membership::scamp::{self, Scamp};
use std::collections::BTreeSet;
use std::time::Duration;

/// What was measured of which subject.
pub type Outcomes = Vec<(Subject, Outcome)>;

/// At which shares of failures variants are shown: where they differ.
const VARIED: [u32; 3] = [80, 90, 95];

/// What is run under each seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// HyParView as the options say.
    HyParView,
    /// HyParView with a larger passive view, and no spare links.
    Large,
    /// HyParView without spare links.
    NoSpares,
    /// HyParView whose nodes crash without a sign.
    Silent,
    /// Cyclon.
    Cyclon,
    /// Cyclon that drops whoever does not acknowledge.
    CyclonAcked,
    /// SCAMP.
    Scamp,
}

impl Subject {
    /// All that are to be grown. Crashes without a sign are tried on copies of the first.
    pub fn all(options: &Hyparview) -> Vec<Self> {
        let mut all = vec![Self::HyParView];
        if !Self::Large.shares(options).is_empty() {
            all.push(Self::Large);
            all.extend((options.spare_links > 0).then_some(Self::NoSpares));
        }
        if options.compare {
            all.extend([Self::Cyclon, Self::CyclonAcked]);
        }
        all.extend(options.scamp.then_some(Self::Scamp));
        all
    }

    /// Which shares of failures are tried.
    pub fn shares(self, options: &Hyparview) -> Vec<u32> {
        let is_shown = |percent: &u32| match self {
            Self::Large | Self::NoSpares => options.variants && VARIED.contains(percent),
            Self::Silent => options.variants && options.crash == Crash::Reset && VARIED.contains(percent),
            Self::HyParView | Self::Cyclon | Self::CyclonAcked | Self::Scamp => true,
        };
        options.failed.iter().copied().filter(is_shown).collect()
    }

    /// How many steps its run has.
    pub fn steps(self, options: &Hyparview) -> usize {
        let silent = if self == Self::HyParView { 1 + Self::Silent.shares(options).len() } else { 0 };
        steps(&self.shares(options)) + silent
    }

    /// Runs it under one seed; `go_on` is asked after each step.
    pub fn run(self, config: &Config, options: &Hyparview, seed: u64, go_on: &dyn Fn() -> bool) -> Outcomes {
        let (cycles, messages) = (options.cycles, options.messages);
        let plan = Plan { seed, cycles, messages, heals: true, contact_fails: true };
        let shares = self.shares(options);
        let outcome = match self {
            Self::HyParView | Self::Large | Self::NoSpares | Self::Silent => {
                let mut overlay = self.hyparview(config.nodes, options, seed);
                let outcome = run(&mut overlay, &plan, &shares, go_on);
                if self == Self::HyParView {
                    let overlay = overlay.crashing(Crash::Silent);
                    let levels = levels(&overlay, outcome.before, &plan, &Self::Silent.shares(options), go_on);
                    return vec![(self, outcome), (Self::Silent, Outcome { levels, ..Outcome::default() })];
                }
                outcome
            }
            Self::Cyclon => run(&mut Cyclon::grow(config.nodes, seed, false), &plan, &shares, go_on),
            Self::CyclonAcked => run(&mut Cyclon::grow(config.nodes, seed, true), &plan, &shares, go_on),
            Self::Scamp => {
                let plan = Plan { cycles: 0, heals: false, ..plan };
                run(&mut scamp(config.nodes, options, seed), &plan, &shares, go_on)
            }
        };
        vec![(self, outcome)]
    }

    fn hyparview(self, nodes: usize, options: &Hyparview, seed: u64) -> Simulated<HyParView> {
        let settings = hyparview::Config {
            active_capacity: options.active_view,
            active_min: options.active_view.min(hyparview::Config::default().active_min),
            passive_capacity: if self == Self::Large { options.large_passive_view } else { options.passive_view },
            spare_links: if matches!(self, Self::Large | Self::NoSpares) { 0 } else { options.spare_links },
            optimise: (options.optimise == Optimise::Rtt).then(xbot::Config::default),
            ..hyparview::Config::default()
        };
        let make = |me, rng| HyParView::new(settings.clone(), me, rng);
        let overlay = Simulated::grow(nodes, seed, known, make).crashing(options.crash);
        match options.optimise {
            Optimise::Off => overlay,
            Optimise::Rtt => overlay.scattered(Plane { seed }),
        }
    }
}

/// Everybody whom a node could turn to.
fn known(membership: &HyParView) -> Vec<PeerId> {
    let views = membership.active().into_iter().chain(membership.passive()).map(|contact| contact.id);
    let all: BTreeSet<PeerId> = views.chain(membership.linked()).collect();
    all.into_iter().collect()
}

/// SCAMP as the HyParView paper (§5.1) compares with it, c = 4: its real state machines join through random members and are
/// left alone for the cycles; messages then go from partial view to partial view, in rounds. Nothing in SCAMP reacts to them.
fn scamp(nodes: usize, options: &Hyparview, seed: u64) -> Gossip<u32> {
    let settings = scamp::Config {
        version: scamp::Version::V1,
        copies: 4,
        // Heartbeats change nothing while nobody fails, and none are heard while nodes join, which takes 17 minutes for 10,000:
        // rarely, so that no arc is given up for that, and they do not take most of the time.
        beat_interval: Duration::from_secs(1200),
        isolation_timeout: Duration::from_secs(2400),
        lease: Duration::from_secs(86_400),
        ..scamp::Config::default()
    };
    let partial_view = |scamp: &Scamp| scamp.partial_view().into_iter().map(|contact| contact.id).collect();
    let make = |me, rng| Scamp::new(settings.clone(), me, rng);
    let mut overlay = Simulated::grow(nodes, seed, partial_view, make);
    for _ in 0..options.cycles {
        overlay.cycle();
    }
    Gossip::new(overlay.known(), seed, false)
}
