//! What the settings say about how updates spread and what neighbours exchange.

use super::Settings;
use lasp_node::{Config, SyncMode};
use thiserror::Error;

/// Settings of exchanges that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExchangeError {
    /// A setting of exchanges at intervals, where there are none.
    #[error("`{setting}` is of exchanges at intervals, and there are none: choose `sync` other than digest")]
    NothingExchanged {
        /// The setting.
        setting: &'static str,
    },
    /// No time between two exchanges.
    #[error("`propagation_interval` is 0, but must be at least 1ms")]
    NoInterval,
}

/// Applies what the settings say to a node's configuration.
///
/// # Errors
/// [`ExchangeError`]; the configuration is then not to be used.
pub(crate) fn apply(settings: &Settings, ours: &mut Config) -> Result<(), ExchangeError> {
    ours.dissemination = settings.dissemination.unwrap_or(ours.dissemination);
    ours.sync_mode = settings.sync.unwrap_or(ours.sync_mode);
    ours.link.pace = settings.pace.unwrap_or(ours.link.pace);
    if let Some(fanout) = settings.fanout {
        ours.exchange.fanout = (fanout > 0).then_some(fanout);
    }
    ours.exchange.interval = settings.propagation_interval.unwrap_or(ours.exchange.interval);
    if ours.exchange.interval.is_zero() {
        return Err(ExchangeError::NoInterval);
    }
    let digests = ours.sync_mode == SyncMode::Digest;
    if digests && settings.fanout.is_some() {
        return Err(ExchangeError::NothingExchanged { setting: "fanout" });
    }
    if digests && settings.propagation_interval.is_some() && !ours.dissemination.gossips() {
        return Err(ExchangeError::NothingExchanged { setting: "propagation_interval" });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_node::Dissemination;
    use std::time::Duration;

    fn applied(settings: &Settings) -> Result<Config, ExchangeError> {
        let mut config = Config::default();
        apply(settings, &mut config).map(|()| config)
    }

    #[test]
    fn what_is_set_is_done() {
        let settings = Settings {
            dissemination: Some(Dissemination::Gossip),
            sync: Some(SyncMode::State),
            propagation_interval: Some(Duration::from_secs(2)),
            fanout: Some(3),
            pace: Some(Duration::from_millis(20)),
            ..Settings::default()
        };
        let config = applied(&settings).expect("nothing contradicts");
        assert_eq!((config.dissemination, config.sync_mode), (Dissemination::Gossip, SyncMode::State));
        assert_eq!((config.exchange.interval, config.exchange.fanout), (Duration::from_secs(2), Some(3)));
        assert_eq!(config.link.pace, Duration::from_millis(20));
        assert_eq!(applied(&Settings::default()), Ok(Config::default()));
    }

    #[test]
    fn what_could_have_no_effect_is_refused() {
        let fanout = Settings { fanout: Some(3), ..Settings::default() };
        assert_eq!(applied(&fanout), Err(ExchangeError::NothingExchanged { setting: "fanout" }));
        let second = Some(Duration::from_secs(1));
        let interval = Settings { propagation_interval: second, ..Settings::default() };
        assert_eq!(applied(&interval), Err(ExchangeError::NothingExchanged { setting: "propagation_interval" }));
        let gossip = Settings { dissemination: Some(Dissemination::Gossip), ..interval };
        assert!(applied(&gossip).is_ok(), "comparisons are then that often");
        let none = Settings { propagation_interval: Some(Duration::ZERO), ..Settings::default() };
        assert_eq!(applied(&none), Err(ExchangeError::NoInterval));
    }
}
