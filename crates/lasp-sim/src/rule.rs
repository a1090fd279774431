//! Rules: what a test or an experiment does to single messages, on top of the configured network.

use lasp_overlay::{PeerId, Rng, Time};
use std::time::Duration;

/// A message about to travel, as rules see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The sender.
    pub from: PeerId,
    /// The receiver.
    pub to: PeerId,
    /// Its size.
    pub bytes: usize,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The next rule decides, and after the last one the configured network.
    Pass,
    /// It arrives after this delay, in order with its link, and neither loss nor bandwidth apply.
    Deliver(Duration),
    /// It travels for so long; the configured network decides everything else, as loss and reordering.
    Travel(Duration),
    /// It is lost.
    Drop,
}

/// Decides the fate of messages. The first rule that says [`Verdict::Drop`] or [`Verdict::Deliver`] wins; if none does, the
/// first that says [`Verdict::Travel`]. Closures are rules.
pub trait Rule: Send {
    /// Called once for each message sent over a link.
    fn on_send(&mut self, now: Time, route: Route, rng: &mut Rng) -> Verdict;
}

impl<F: FnMut(Time, Route, &mut Rng) -> Verdict + Send> Rule for F {
    fn on_send(&mut self, now: Time, route: Route, rng: &mut Rng) -> Verdict {
        self(now, route, rng)
    }
}

/// Names a rule, to remove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId(u64);

/// The rules in force, oldest first.
#[derive(Default)]
pub(crate) struct Rules {
    rules: Vec<(RuleId, Box<dyn Rule>)>,
    next: u64,
}

impl Rules {
    pub(crate) fn add(&mut self, rule: Box<dyn Rule>) -> RuleId {
        let id = RuleId(self.next);
        self.next += 1;
        self.rules.push((id, rule));
        id
    }

    pub(crate) fn remove(&mut self, id: RuleId) -> bool {
        let before = self.rules.len();
        self.rules.retain(|(other, _)| *other != id);
        self.rules.len() < before
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub(crate) fn judge(&mut self, now: Time, route: Route, rng: &mut Rng) -> Verdict {
        let mut travel = Verdict::Pass;
        for (_, rule) in &mut self.rules {
            match rule.on_send(now, route, rng) {
                Verdict::Pass => {}
                Verdict::Travel(latency) if travel == Verdict::Pass => travel = Verdict::Travel(latency),
                Verdict::Travel(_) => {}
                verdict => return verdict,
            }
        }
        travel
    }
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rules").field("len", &self.rules.len()).finish()
    }
}
