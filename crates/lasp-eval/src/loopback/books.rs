//! A ledger of nodes that run in real time: each is asked what it looks like, one after the other.

use crate::ledger::{Account, Ledger, Seen};
use crate::span::Span;
use lasp::Lasp;
use std::time::{Duration, Instant};

/// The ledger, and when it was looked at.
#[derive(Debug)]
pub struct Books {
    ledger: Ledger,
    start: Instant,
    step: Duration,
    due: Duration,
}

impl Books {
    /// Begins with the nodes that run; looks are to be some `step` apart.
    ///
    /// # Errors
    /// What a node says that has stopped.
    pub async fn open(step: Duration, nodes: impl IntoIterator<Item = &Lasp>) -> Result<Self, lasp::Error> {
        let seen = seen(nodes, true).await?;
        let ledger = Ledger::open(0, Span::from_millis(step.as_millis() as u64), &seen);
        Ok(Self { ledger, start: Instant::now(), step, due: step })
    }

    /// Looks at all that run.
    ///
    /// # Errors
    /// What a node says that has stopped.
    pub async fn look(&mut self, nodes: impl IntoIterator<Item = &Lasp>) -> Result<(), lasp::Error> {
        let seen = seen(nodes, self.ledger.is_whole()).await?;
        let now = self.start.elapsed();
        self.ledger.look(now.as_micros() as u64, &seen);
        self.due = now + self.step;
        Ok(())
    }

    /// The same, if the last look is a step ago.
    ///
    /// # Errors
    /// What a node says that has stopped.
    pub async fn look_if_due(&mut self, nodes: impl IntoIterator<Item = &Lasp>) -> Result<(), lasp::Error> {
        if self.start.elapsed() < self.due {
            return Ok(());
        }
        self.look(nodes).await
    }

    /// Ends; what was sent was for so many updates.
    ///
    /// # Errors
    /// What a node says that has stopped.
    pub async fn close(self, nodes: impl IntoIterator<Item = &Lasp>, updates: u64) -> Result<Account, lasp::Error> {
        let seen = seen(nodes, true).await?;
        Ok(self.ledger.close(self.start.elapsed().as_micros() as u64, &seen, updates))
    }
}

async fn seen(nodes: impl IntoIterator<Item = &Lasp>, whole: bool) -> Result<Vec<Seen>, lasp::Error> {
    let mut all = Vec::new();
    for lasp in nodes {
        all.push(lasp.inspect(move |node| Seen::of(node, whole)).await?);
    }
    Ok(all)
}
