//! What can be set about an overlay of real processes.

use crate::config::{ConfigError, within};
use crate::span::Span;
use serde::{Deserialize, Serialize};

/// Options of `overlay-processes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct OverlayProcesses {
    /// Percent of the nodes that are killed at once.
    pub failed: u32,
    /// Nodes that are started at a time; the next when all of these listen.
    pub wave: usize,
    /// How long the overlay is left alone once it is whole, before it counts as at rest.
    pub settle: Span,
    /// How long it is measured at rest.
    pub rest: Span,
}

impl Default for OverlayProcesses {
    /// 30 %: a bad day in one data centre of three. The others are guesses: a wave that two processors start in a tenth of
    /// a second, and longer than the longest pause between two shuffles, which is a minute.
    fn default() -> Self {
        Self { failed: 30, wave: 20, settle: Span::from_secs(60), rest: Span::from_secs(60) }
    }
}

impl OverlayProcesses {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        within("--failed", self.failed, 0, 95, "0 to 95 percent")?;
        within("--wave", self.wave, 1, 1000, "1 to 1000")?;
        within("--settle", self.settle.as_millis(), 0, 3_600_000, "0ms to 60m")?;
        within("--rest", self.rest.as_millis(), 1000, 3_600_000, "1s to 60m")
    }

    /// As a reader would say them.
    pub(crate) fn described(&self) -> Vec<(&'static str, String)> {
        vec![
            ("killed at once (%)", self.failed.to_string()),
            ("started at a time", self.wave.to_string()),
            ("left alone before it is at rest", self.settle.to_string()),
            ("measured at rest", self.rest.to_string()),
        ]
    }
}
