//! How the nodes of a schedule find each other, push what is news and repair what that missed: every combination in turn.

use lasp_node::{Config, Dissemination, SyncMode};
use lasp_overlay::membership::MembershipConfig;

/// Strategies under which whoever is up becomes one overlay of links that both ends know, whoever joined through whom.
const MEMBERSHIPS: [&str; 3] = ["hyparview", "full", "scamp"];

/// How many combinations there are: each node of its own mode is one more way to exchange.
pub(crate) const COMBINATIONS: u64 = (MEMBERSHIPS.len() * Dissemination::ALL.len() * (SyncMode::ALL.len() + 1)) as u64;

/// The ways of one schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ways {
    pub(crate) membership: &'static str,
    pub(crate) dissemination: Dissemination,
    /// What they all exchange; nothing if each has its own mode.
    pub(crate) sync: Option<SyncMode>,
}

impl Ways {
    /// Of a seed: successive seeds go through all combinations.
    pub(crate) fn of(seed: u64) -> Self {
        let mut rest = (seed % COMBINATIONS) as usize;
        let mut digit = |base: usize| {
            let digit = rest % base;
            rest /= base;
            digit
        };
        let dissemination = Dissemination::ALL[digit(Dissemination::ALL.len())];
        let sync = SyncMode::ALL.get(digit(SyncMode::ALL.len() + 1)).copied();
        Self { membership: MEMBERSHIPS[digit(MEMBERSHIPS.len())], dissemination, sync }
    }

    /// What a node exchanges.
    fn sync_of(self, node: usize) -> SyncMode {
        self.sync.unwrap_or(SyncMode::ALL[node % SyncMode::ALL.len()])
    }

    /// Whether a node falls silent when all is said: not one that tells whole states at every interval.
    pub(crate) fn rests(self, node: usize) -> bool {
        self.sync_of(node) != SyncMode::State
    }

    /// The settings of a node.
    pub(crate) fn config(self, node: usize) -> Config {
        Config {
            membership: MembershipConfig::named(self.membership).expect("a strategy"),
            dissemination: self.dissemination,
            sync_mode: self.sync_of(node),
            ..Config::default()
        }
    }
}
