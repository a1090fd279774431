//! X-BOT: biasing the overlay towards cheap links (Leitão, Marques, Pereira, Rodrigues, SRDS 2009; TPDS 23(11), 2012).
//!
//! Now and then a peer with a full view measures a few passive peers and compares the cheapest with its costliest
//! neighbours. Where a link can be exchanged for a cheaper one, four peers take part, so that everybody keeps as many
//! neighbours as before: the *initiator* wants the *candidate* instead of the *old* neighbour; the candidate gives up the
//! *disconnected* peer, which gets the old one, if that is better for it, too. The costliest neighbours are left alone
//! (*unbiased*): they are the long links that keep the overlay's diameter and clustering as in a random graph. That it is
//! the costliest is our reading of the paper.
//!
//! This file holds settings, state and the interval; `oracle` measures; `swap` has the parts in an exchange,
//! of which `initiator` is the first.

mod initiator;
mod oracle;
mod swap;

use super::{HyParView, Out, Timer};
use crate::membership::contradiction::{Contradiction, demand};
use crate::peer::PeerId;
use crate::time::Time;
use oracle::Oracle;
use std::time::Duration;
use swap::Role;

/// Settings of the optimisation.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How often passive peers are measured. 10 s: guess; as often as they are exchanged.
    pub interval: Duration,
    /// What the interval grows to while nothing is exchanged. 60 s: guess.
    pub interval_max: Duration,
    /// How many of the costliest neighbours are left alone (UN). 1: guess; the least that keeps long links.
    pub unbiased: usize,
    /// How many passive peers are measured at a time (PSL). 2: guess.
    pub scan: usize,
    /// By which part of its cost a link must improve, at least. 0.1: guess; more than what a round trip varies by.
    pub threshold: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(10),
            interval_max: Duration::from_secs(60),
            unbiased: 1,
            scan: 2,
            threshold: 0.1,
        }
    }
}

impl Config {
    /// Checks the settings, beside those of the views.
    pub(super) fn validate(&self, active: usize, passive: usize) -> Result<(), Contradiction> {
        let (unbiased, scan) = (self.unbiased, self.scan);
        demand(unbiased > 0, "unbiased", unbiased, "at least 1: without a long link the overlay falls apart")?;
        let less = format!("less than `active_capacity`, which is {active}");
        demand(unbiased < active, "unbiased", unbiased, less)?;
        let some = format!("between 1 and `passive_capacity`, which is {passive}");
        demand((1..=passive).contains(&scan), "scan", scan, some)?;
        demand((0.0..1.0).contains(&self.threshold), "threshold", self.threshold, "at least 0 and less than 1")?;
        demand(!self.interval.is_zero(), "interval", "zero", "a time that passes")
    }
}

/// What a peer needs to take part.
#[derive(Clone, Debug)]
pub(super) struct Xbot {
    config: Config,
    oracle: Oracle,
    /// Its part in the exchange under way, if any.
    role: Option<Role>,
    /// Grows with every part taken, so that stale timers are recognised.
    pub(super) step: u32,
    /// Intervals in a row without an exchange.
    barren: u32,
}

impl Xbot {
    pub(super) fn new(config: Config) -> Self {
        Self { config, oracle: Oracle::default(), role: None, step: 0, barren: 0 }
    }

    /// Forgets every measurement and takes part in nothing.
    pub(super) fn clear(&mut self) {
        *self = Self { step: self.step.wrapping_add(1), ..Self::new(self.config.clone()) };
    }
}

impl HyParView {
    pub(super) fn set_optimise(&mut self, out: &mut Out) {
        let Some(xbot) = &self.xbot else {
            return;
        };
        let (base, max) = (xbot.config.interval, xbot.config.interval_max);
        let interval = base.saturating_mul(1 << xbot.barren.min(8)).min(max.max(base));
        let term = self.term;
        out.set_timer(self.rng.jitter(interval, 0.25), Timer::Optimise { term });
    }

    /// Measures the neighbours, and a few passive peers if the view is full.
    pub(super) fn optimise(&mut self, now: Time, out: &mut Out) {
        let idle = self.is_idle();
        let full = self.view.degree() >= self.places();
        let Some(xbot) = &mut self.xbot else {
            return;
        };
        let view = &self.view;
        xbot.oracle.retain(|peer| view.is_active(peer));
        for neighbor in view.neighbors() {
            let peer = neighbor.contact.id;
            out.send(peer, xbot.oracle.begin(now, peer, true, &mut self.rng));
        }
        xbot.barren = xbot.barren.saturating_add(1);
        self.update_link_cost();
        self.set_optimise(out);
        if idle && full {
            self.scan(now, out);
        }
    }

    fn update_link_cost(&mut self) {
        let Some(xbot) = &self.xbot else {
            return;
        };
        let costs = self.view.neighbors().filter_map(|n| xbot.oracle.cost(n.contact.id));
        let (sum, count) = costs.fold((0, 0), |(sum, count), cost| (sum + u64::from(cost), count + 1));
        self.metrics.link_cost_us = sum.checked_div(count).unwrap_or_default();
    }

    /// The costliest neighbour that may be exchanged and is none of `except`, with its cost in microseconds.
    fn costliest(&self, except: &[PeerId]) -> Option<(PeerId, u32)> {
        let xbot = self.xbot.as_ref()?;
        let ids = self.view.neighbors().map(|neighbor| neighbor.contact.id);
        let mut costs: Vec<(u32, PeerId)> = ids.filter_map(|id| Some((xbot.oracle.cost(id)?, id))).collect();
        costs.sort_unstable_by(|a, b| b.cmp(a));
        let biased = costs.into_iter().skip(xbot.config.unbiased);
        let mut may_go = biased.filter(|(_, id)| !except.contains(id) && !self.holds_place(*id));
        may_go.next().map(|(cost, id)| (id, cost))
    }
}
