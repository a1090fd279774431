//! Lifeguard's local health: a peer that is slow itself takes longer before it blames others.
//!
//! After Dadgar, Phillips, Currey, *Lifeguard: local health awareness for more accurate failure detection*, DSN-W 2018.
//! The score rises when probes fail, when helpers that owe a nack are silent, and when this peer has to refute its own
//! failure; it falls with every probe that succeeds. Probe period and time-out are multiplied by the score plus one.

use super::config::Config;
use std::time::Duration;

/// The score: 0 is healthy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Health {
    score: u32,
}

impl Health {
    pub(super) const fn score(self) -> u32 {
        self.score
    }

    /// So many signs of ill health.
    pub(super) fn worse(&mut self, by: u32, config: &Config) {
        self.score = self.score.saturating_add(by).min(config.health_max);
    }

    /// One sign of good health.
    pub(super) const fn better(&mut self) {
        self.score = self.score.saturating_sub(1);
    }

    /// A time-out, as the score stretches it.
    pub(super) fn stretch(self, base: Duration) -> Duration {
        base.saturating_mul(self.score + 1)
    }
}

/// How long a suspicion lasts in a cluster of `members` when `confirmations` others have come to it by themselves: from
/// the longest time down to the least, logarithmically (Lifeguard's LHA-suspicion).
pub(super) fn suspicion_time(config: &Config, members: usize, confirmations: usize) -> Duration {
    let least = config.probe_interval.mul_f64(config.suspicion_alpha * (members.max(10) as f64).log10());
    // Who could confirm: all but the suspect and this peer. Too few make confirmations meaningless (memberlist).
    let needed =
        if members.saturating_sub(2) < config.suspicion_confirmations { 0 } else { config.suspicion_confirmations };
    if needed == 0 {
        return least;
    }
    let most = least.mul_f64(config.suspicion_beta.max(1.0));
    let done = ((confirmations + 1) as f64).ln() / ((needed + 1) as f64).ln();
    least.max(most.saturating_sub((most - least).mul_f64(done.min(1.0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_stays_between_zero_and_the_limit_and_stretches_times() {
        let config = Config::default();
        let mut health = Health::default();
        let second = Duration::from_secs(1);
        health.better();
        assert_eq!(health.stretch(second), second);
        health.worse(2, &config);
        assert_eq!(health.stretch(second), second * 3);
        health.worse(u32::MAX, &config);
        assert_eq!(health.score(), config.health_max);
        health.better();
        assert_eq!(health.score(), config.health_max - 1);
    }

    #[test]
    fn confirmations_shorten_a_suspicion_from_the_most_to_the_least() {
        let config = Config::default();
        let seconds = |members, confirmations| suspicion_time(&config, members, confirmations).as_secs_f64();
        assert!((seconds(100, 0) - 120.0).abs() < 1e-6);
        assert!((seconds(100, 1) - 70.0).abs() < 1e-6, "half of the way: ln 2 / ln 4");
        assert!((seconds(100, 3) - 20.0).abs() < 1e-6);
        assert!((seconds(100, 9) - 20.0).abs() < 1e-6);
        assert!((seconds(4, 0) - 10.0).abs() < 1e-6, "nobody could confirm");
    }
}
