//! The options of the experiments on overlays.

use super::experiment::FAILED;
use crate::choice::choice;
use crate::config::{ConfigError, within};
use serde::{Deserialize, Serialize};

choice! {
    /// How nodes fail.
    pub enum Crash("way to crash") {
        /// Their connections are reset, as the kernel of a machine does whose process is killed.
        Reset = "reset",
        /// Nobody is told, as when a machine loses its power: only sending finds out.
        Silent = "silent",
    }
}

choice! {
    /// Whether links are exchanged for cheaper ones.
    pub enum Optimise("measure of links") {
        /// They are left as they come.
        Off = "off",
        /// For such with a shorter round trip, by X-BOT.
        Rtt = "rtt",
    }
}

/// Options of `hyparview`: the defaults are the paper's (Leitão, Pereira, Rodrigues, DSN 2007, §5.1) where it has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Hyparview {
    /// Neighbours of a node. 5: the paper.
    pub active_view: usize,
    /// Whom it knows besides. 30: the paper.
    pub passive_view: usize,
    /// The passive view of a further row, to show what knowing more brings. 90: a survivor of 95 % then knows nobody alive
    /// with probability 0.95⁹⁵, below 1 %.
    pub large_passive_view: usize,
    /// Links of exchanges that stay open, whose peers it knows too. 12, to see what they bring: the paper and a node have none.
    pub spare_links: usize,
    /// Cycles before anything fails. 50: the paper.
    pub cycles: u32,
    /// Messages after each failure. 1,000: the paper.
    pub messages: usize,
    /// Which shares of the nodes fail, in percent. 10, 20, ..., 90, 95: the paper.
    pub failed: Vec<u32>,
    /// How they fail.
    pub crash: Crash,
    /// Whether links are exchanged for cheaper ones, among nodes that are scattered over a square.
    pub optimise: Optimise,
    /// Whether the further rows are run: a larger passive view, no spare links, silent crashes; up to three shares of failures each.
    pub variants: bool,
    /// Whether Cyclon is run beside it.
    pub compare: bool,
    /// Whether SCAMP is run beside it. Not by default: 10,000 state machines that join through walks of 35 steps take a while.
    pub scamp: bool,
}

impl Default for Hyparview {
    fn default() -> Self {
        Self {
            active_view: 5,
            passive_view: 30,
            large_passive_view: 90,
            spare_links: 12,
            cycles: 50,
            messages: 1000,
            failed: FAILED.to_vec(),
            crash: Crash::Reset,
            optimise: Optimise::Off,
            variants: true,
            compare: true,
            scamp: false,
        }
    }
}

impl Hyparview {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        within("--active-view", self.active_view, 3, 32, "3 to 32")?;
        within("--passive-view", self.passive_view, 8, 1000, "8 to 1000: no less than a shuffle holds")?;
        within("--large-passive-view", self.large_passive_view, 8, 1000, "8 to 1000: no less than a shuffle holds")?;
        within("--spare-links", self.spare_links, 0, 1000, "0 to 1000")?;
        within("--cycles", self.cycles, 1, 1000, "1 to 1000")?;
        within("--messages", self.messages, 1, 100_000, "1 to 100000")?;
        within("--failed", self.failed.len(), 1, 99, "1 to 99 shares")?;
        self.failed.iter().try_for_each(|percent| within("--failed", *percent, 1, 99, "1 to 99 percent"))
    }

    /// As a reader would say them.
    pub(crate) fn described(&self) -> Vec<(&'static str, String)> {
        vec![
            ("active view, passive view", format!("{}, {}", self.active_view, self.passive_view)),
            ("larger passive view of the further row", self.large_passive_view.to_string()),
            ("spare links, beyond the views", format!("up to {}", self.spare_links)),
            ("cycles before anything fails", self.cycles.to_string()),
            ("messages after each failure", self.messages.to_string()),
            (
                "failing nodes' connections",
                match self.crash {
                    Crash::Reset => "are reset".to_owned(),
                    Crash::Silent => "stay half-open".to_owned(),
                },
            ),
            ("links exchanged for cheaper ones", self.optimise.to_string()),
        ]
    }
}

/// Options of `overlay-scale`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct OverlayScale {
    /// Percent of the nodes that fail at once.
    pub failed: u32,
    /// Nodes that join at a time, every 100 ms. 500: guess; a wave's walks are over before the next.
    pub wave: usize,
}

impl Default for OverlayScale {
    fn default() -> Self {
        Self { failed: 50, wave: 500 }
    }
}

impl OverlayScale {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        within("--failed", self.failed, 0, 95, "0 to 95 percent")?;
        within("--wave", self.wave, 1, 1_000_000, "1 to 1000000")
    }

    /// As a reader would say them.
    pub(crate) fn described(&self) -> Vec<(&'static str, String)> {
        vec![("failed (%)", self.failed.to_string()), ("joining at a time", self.wave.to_string())]
    }
}
