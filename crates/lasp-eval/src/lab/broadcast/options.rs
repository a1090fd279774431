//! The options of `broadcast`, and the published set-ups.

use crate::choice::choice;
use crate::config::{Config, ConfigError, Scenario, within};
use crate::span::Span;
use serde::{Deserialize, Serialize};

choice! {
    /// A published set-up to start from.
    pub enum BroadcastPreset("preset") {
        /// The Plumtree paper's.
        Srds07 = "srds07",
        /// That of iroh-gossip 0.101's simulator.
        Iroh = "iroh",
    }
}

impl BroadcastPreset {
    /// The whole configuration.
    pub fn config(self) -> Config {
        let options = match self {
            Self::Srds07 => Broadcast::default(),
            Self::Iroh => Broadcast {
                latency: Span::from_millis(10),
                latency_most: Span::from_millis(50),
                messages: 30,
                ..Broadcast::default()
            },
        };
        Config::of(Scenario::Broadcast(options))
    }
}

/// Options of `broadcast`: the defaults are the paper's (Leitão, Pereira, Rodrigues, SRDS 2007, §5.1) where it has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Broadcast {
    /// Neighbours of a node. 5: the paper.
    pub active_view: usize,
    /// The active view of a further row; 0: no such row. 10: guess; a breadth-first tree is then two thirds as deep.
    pub wide_view: usize,
    /// Cycles of 10 s before the first message. 50: the paper.
    pub cycles: u32,
    /// Messages of one sender, and then of random ones. 200: the paper.
    pub messages: usize,
    /// Which of the first messages are not counted as steady. 5: guess; the paper's tree has formed after two to four.
    pub forming: usize,
    /// Between two messages. 2 s: guess; everything that a message sets off is over by then.
    pub every: Span,
    /// The least and the greatest time that a message travels over a link; each link has its own. 1 ms both: the paper counts in hops.
    pub latency: Span,
    /// The greatest.
    pub latency_most: Span,
    /// Which shares of the nodes fail at once, in percent. 60, 70, 80: of the paper's, where trees are hit.
    pub failed: Vec<u32>,
    /// Messages after each failure, one each cycle. 10: guess; the paper's heal in four.
    pub after: usize,
}

impl Default for Broadcast {
    fn default() -> Self {
        Self {
            active_view: 5,
            wide_view: 10,
            cycles: 50,
            messages: 200,
            forming: 5,
            every: Span::from_secs(2),
            latency: Span::from_millis(1),
            latency_most: Span::from_millis(1),
            failed: vec![60, 70, 80],
            after: 10,
        }
    }
}

impl Broadcast {
    /// The active views that are run.
    pub(crate) fn views(&self) -> Vec<usize> {
        [self.active_view, self.wide_view].into_iter().filter(|view| *view > 0).collect()
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        within("--active-view", self.active_view, 3, 32, "3 to 32")?;
        if self.wide_view > 0 {
            within("--wide-view", self.wide_view, self.active_view + 1, 32, "0, or more than --active-view, up to 32")?;
        }
        within("--cycles", self.cycles, 1, 1000, "1 to 1000")?;
        within("--messages", self.messages, self.forming + 1, 100_000, "more than --forming, up to 100000")?;
        within("--every", self.every.as_millis(), 500, 600_000, "500ms to 10m")?;
        within("--latency", self.latency.as_millis(), 1, 100, "1ms to 100ms")?;
        within("--latency-most", self.latency_most.as_millis(), self.latency.as_millis(), 100, "--latency to 100ms")?;
        within("--after", self.after, 1, 1000, "1 to 1000")?;
        self.failed.iter().try_for_each(|percent| within("--failed", *percent, 1, 95, "1 to 95 percent"))
    }

    /// As a reader would say them.
    pub(crate) fn described(&self) -> Vec<(&'static str, String)> {
        let failed = self.failed.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        vec![
            ("active view; of the further row", format!("{}; {}", self.active_view, self.wide_view)),
            ("cycles before the first message", self.cycles.to_string()),
            ("messages of one sender, of random ones", format!("{0}, {0}; every {1}", self.messages, self.every)),
            ("of these, while the tree forms", self.forming.to_string()),
            ("a link takes", format!("{} to {}", self.latency, self.latency_most)),
            ("failed at once (%)", failed),
            ("messages after each failure", self.after.to_string()),
        ]
    }
}
