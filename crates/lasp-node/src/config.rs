//! What a node is told at its start.

use crate::assured::AssuredConfig;
use crate::causal::CausalConfig;
use crate::exchange::{Dissemination, ExchangeConfig, SyncMode};
use crate::interest::Interests;
use crate::link::LinkConfig;
use crate::once::OnceConfig;
use crate::session::SessionConfig;
use crate::sync::SyncConfig;
use lasp_overlay::{broadcast, membership, survey, unicast};

/// What a node is called by its operator: for people who look at the overlay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// What it is among nodes: a role, a tag.
    pub role: String,
}

/// Settings of one node; each part documents its defaults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Who is there, with whom to keep links.
    pub membership: membership::MembershipConfig,
    /// How news spreads.
    pub broadcast: broadcast::Config,
    /// How an update reaches everybody.
    pub dissemination: Dissemination,
    /// What neighbours exchange to repair what that missed, or instead of it.
    pub sync_mode: SyncMode,
    /// How exchanges of states and deltas are paced, and all exchanges under gossip.
    pub exchange: ExchangeConfig,
    /// How neighbours compare.
    pub sync: SyncConfig,
    /// How messages to single nodes are sent.
    pub unicast: unicast::Config,
    /// How surveys of the overlay behave.
    pub survey: survey::Config,
    /// What the node says of itself in them.
    pub label: Label,
    /// How links are paced.
    pub link: LinkConfig,
    /// How what happens once in the cluster is claimed.
    pub once: OnceConfig,
    /// How updates that others are to acknowledge are paced and bounded.
    pub assured: AssuredConfig,
    /// How causal groups are told.
    pub causal: CausalConfig,
    /// How sessions wait.
    pub session: SessionConfig,
    /// Of how many variables at least the last change is remembered, for people who look; 0 for none.
    pub changes: usize,
    /// What to hear from the start.
    pub interests: Interests,
    /// Wall-clock time of [`Time::ZERO`](lasp_overlay::Time::ZERO), in milliseconds since 1970: what last-writer-wins
    /// registers are stamped with.
    pub wall_epoch_ms: u64,
}
