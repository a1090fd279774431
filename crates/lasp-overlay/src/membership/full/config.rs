//! The settings of the full membership. A default names its source or says that it is a guess.

use crate::membership::contradiction::{Contradiction, demand};
use std::time::Duration;

/// Settings of [`FullMesh`](super::FullMesh).
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// A change of the member map goes to `ln n` plus this many random peers. 3: a rumour passed on once by each to
    /// ln n + c peers reaches all with probability e^(-e^-c) (Kermarrec, Massoulié, Ganesh, TPDS 2003), here 95 %; digests
    /// bring the rest.
    pub fanout_extra: usize,
    /// How often a digest of the member map goes out, to `ln n` random peers. 10 s: Partisan's interval for the whole
    /// set.
    pub gossip_interval: Duration,
    /// How often news is told at most; what comes in between is told together. 100 ms: guess; memberlist gossips every
    /// 200 ms.
    pub spread_interval: Duration,
    /// How often one member is asked for a digest's difference at most. 500 ms: guess; what comes sooner is left to the
    /// next digest.
    pub answer_interval: Duration,
    /// Most statements about members kept, those about departed ones included. 16,384: guess, above what a mesh can
    /// link.
    pub capacity: usize,
    /// First pause before a member that cannot be reached is dialled again; doubled up to `dial_backoff_max`. 1 s: guess.
    pub dial_backoff: Duration,
    /// Longest pause between two attempts. 30 s: guess.
    pub dial_backoff_max: Duration,
    /// How long the member with the greater id leaves the dialling to the other. 1 s: guess; one of them suffices, as
    /// a rule.
    pub dial_deference: Duration,
    /// How long an attempt may take. 5 s: guess.
    pub dial_timeout: Duration,
    /// SWIM's protocol period: how often one member is probed. 2 s: Das et al., DSN 2002, §5.
    pub probe_interval: Duration,
    /// How long the answer to a direct probe may take before others are asked to probe. 500 ms: memberlist.
    pub probe_timeout: Duration,
    /// How many others are asked (k). 3: memberlist; the SWIM paper ran with 1.
    pub indirect_probes: usize,
    /// Most probes run here on behalf of others at a time; more are refused. 64: guess.
    pub relays: usize,
    /// Lifeguard's α: the least suspicion lasts α log10 n protocol periods. 5: Dadgar et al., 2018, §IV.
    pub suspicion_alpha: f64,
    /// Lifeguard's β: the longest lasts β times the least. 6: same.
    pub suspicion_beta: f64,
    /// Lifeguard's K: how many independent suspicions shorten it to the least. 3: same.
    pub suspicion_confirmations: usize,
    /// Lifeguard's S: how far this peer's own ill health stretches its time-outs. 8: same.
    pub health_max: u32,
    /// How long after its suspicion ran out a member is evicted by policy. Default: never; that is an operator's to say.
    pub evict_after: Option<Duration>,
    /// How long a departure is remembered at least. 24 h: guess, far above what any message can be under way.
    pub departed_ttl: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            fanout_extra: 3,
            gossip_interval: Duration::from_secs(10),
            spread_interval: Duration::from_millis(100),
            answer_interval: Duration::from_millis(500),
            capacity: 16_384,
            dial_backoff: Duration::from_secs(1),
            dial_backoff_max: Duration::from_secs(30),
            dial_deference: Duration::from_secs(1),
            dial_timeout: Duration::from_secs(5),
            probe_interval: Duration::from_secs(2),
            probe_timeout: Duration::from_millis(500),
            indirect_probes: 3,
            relays: 64,
            suspicion_alpha: 5.0,
            suspicion_beta: 6.0,
            suspicion_confirmations: 3,
            health_max: 8,
            evict_after: None,
            departed_ttl: Duration::from_secs(24 * 3600),
        }
    }
}

impl Config {
    /// Checks that the settings can be kept together.
    ///
    /// # Errors
    /// The first that contradicts another.
    pub fn validate(&self) -> Result<(), Contradiction> {
        let (interval, timeout) = (self.probe_interval, self.probe_timeout);
        let less = format!("less than `probe_interval`, which is {interval:?}");
        demand(timeout < interval, "probe_timeout", format!("{timeout:?}"), less)?;
        let (base, max) = (self.dial_backoff, self.dial_backoff_max);
        demand(base <= max, "dial_backoff", format!("{base:?}"), format!("at most `dial_backoff_max`, {max:?}"))?;
        let (alpha, beta) = (self.suspicion_alpha, self.suspicion_beta);
        demand(alpha.is_finite() && alpha > 0.0, "suspicion_alpha", alpha, "above 0")?;
        demand(beta.is_finite() && beta >= 1.0, "suspicion_beta", beta, "at least 1")?;
        demand(self.capacity >= 2, "capacity", self.capacity, "at least 2: this member and another")?;
        let periodic = interval.min(self.gossip_interval);
        demand(!periodic.is_zero(), "probe_interval, gossip_interval", format!("{periodic:?}"), "above 0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_contradict_each_other_are_refused_and_say_why() {
        assert_eq!(Config::default().validate(), Ok(()));
        let seconds = Duration::from_secs;
        let wrong = Config { probe_timeout: seconds(3), ..Config::default() };
        let error = wrong.validate().map_err(|error| error.to_string());
        assert_eq!(error, Err("`probe_timeout` is 3s, but must be less than `probe_interval`, which is 2s".to_owned()));
        let cases = [
            ("dial_backoff", Config { dial_backoff: seconds(31), ..Config::default() }),
            ("suspicion_alpha", Config { suspicion_alpha: f64::NAN, ..Config::default() }),
            ("suspicion_beta", Config { suspicion_beta: 0.5, ..Config::default() }),
            ("capacity", Config { capacity: 1, ..Config::default() }),
            ("probe_interval, gossip_interval", Config { gossip_interval: Duration::ZERO, ..Config::default() }),
        ];
        for (setting, config) in cases {
            assert_eq!(config.validate().map_err(|error| error.setting()), Err(setting));
        }
    }
}
