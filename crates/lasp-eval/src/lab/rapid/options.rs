//! The options of `rapid`: the defaults are the paper's (Suresh et al., USENIX ATC 2018, §7) where it has them.

use crate::config::{ConfigError, within};
use crate::span::Span;
use serde::{Deserialize, Serialize};

/// Options of `rapid`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Rapid {
    /// Nodes that crash at once. 10: the paper.
    pub crashes: usize,
    /// Percent of the nodes that hear, or are heard, badly. 1: the paper.
    pub faulty: u32,
    /// How long nothing reaches a flip-flopping node, and then everything again. 20 s: the paper.
    pub flip: Span,
    /// Percent of what a lossy node sends that is lost. 80: the paper.
    pub egress_loss: u32,
    /// How long nodes flip-flop, or lose messages. 4 m: guess; six times both, and longer than the longest suspicion.
    pub trouble: Span,
    /// How long after its suspicion ran out a member is evicted. None: never, as a node does by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evict_after: Option<Span>,
}

impl Default for Rapid {
    fn default() -> Self {
        Self {
            crashes: 10,
            faulty: 1,
            flip: Span::from_secs(20),
            egress_loss: 80,
            trouble: Span::from_secs(240),
            evict_after: None,
        }
    }
}

impl Rapid {
    /// How many nodes are faulty in a cluster of `nodes`; one at least.
    pub(crate) fn faulty_nodes(&self, nodes: usize) -> usize {
        (nodes * self.faulty as usize / 100).max(1)
    }

    pub(crate) fn check(&self, nodes: usize) -> Result<(), ConfigError> {
        within("--nodes", nodes, 50, 4000, "50 to 4000: everybody links to everybody")?;
        within("--crashes", self.crashes, 1, nodes / 2 - 1, "at least 1, and less than half of the nodes")?;
        within("--faulty", self.faulty, 1, 49, "1 to 49 percent")?;
        within("--egress-loss", self.egress_loss, 1, 100, "1 to 100 percent")?;
        within("--flip", self.flip.as_millis(), 1000, 600_000, "1s to 10m")?;
        within("--trouble", self.trouble.as_millis(), 1000, 3_600_000, "1s to 60m")?;
        within("--trouble", self.trouble.as_millis(), 2 * self.flip.as_millis(), u64::MAX, "at least twice --flip")?;
        let evict_after = self.evict_after.map_or(1000, Span::as_millis);
        within("--evict-after", evict_after, 1000, 86_400_000, "1s to 1440m")
    }

    /// As a reader would say them.
    pub(crate) fn described(&self) -> Vec<(&'static str, String)> {
        let evict = self.evict_after.map_or_else(|| "never".to_owned(), |after| format!("{after} after"));
        vec![
            ("crashed at once", self.crashes.to_string()),
            ("faulty nodes (%)", self.faulty.to_string()),
            ("flip-flop: nothing reaches them for", format!("{}, then all for as long", self.flip)),
            ("lossy: lost of what they send (%)", self.egress_loss.to_string()),
            ("trouble lasts", self.trouble.to_string()),
            ("unreachable members are evicted", evict),
        ]
    }
}
