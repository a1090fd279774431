//! Durations as people write them: `250ms`, `10s`, `2m`. Knows flags and files, not clocks.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A duration in whole milliseconds, written with its unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(u64);

/// A duration that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration: write a whole number with a unit, as 250ms, 10s or 2m")]
pub struct SpanError(String);

impl Span {
    /// A span of whole milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// A span of whole seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1000)
    }

    /// Milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Microseconds, the unit of every time stamp in a run.
    pub const fn as_micros(self) -> u64 {
        self.0.saturating_mul(1000)
    }

    /// The same as a `Duration`.
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ms if ms > 0 && ms % 60_000 == 0 => write!(f, "{}m", ms / 60_000),
            ms if ms > 0 && ms % 1000 == 0 => write!(f, "{}s", ms / 1000),
            ms => write!(f, "{ms}ms"),
        }
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let refuse = || SpanError(text.to_owned());
        let trimmed = text.trim();
        let digits = trimmed.find(|c: char| !c.is_ascii_digit()).ok_or_else(refuse)?;
        let (number, unit) = trimmed.split_at(digits);
        let number: u64 = number.parse().map_err(|_| refuse())?;
        let scale = match unit.trim() {
            "ms" => 1,
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            _ => return Err(refuse()),
        };
        // A day is far beyond any experiment, and keeps every sum of spans in range.
        number.checked_mul(scale).filter(|&ms| ms <= 86_400_000).map(Self).ok_or_else(refuse)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_read() {
        for ms in [0, 1, 250, 1000, 1500, 60_000, 90_000, 120_000] {
            let span = Span::from_millis(ms);
            assert_eq!(span.to_string().parse(), Ok(span));
        }
    }

    #[test]
    fn a_number_without_a_unit_is_refused_with_the_way_to_write_it() {
        let error = "10".parse::<Span>().unwrap_err();
        assert_eq!(error.to_string(), "`10` is not a duration: write a whole number with a unit, as 250ms, 10s or 2m");
        for bad in ["", "ms", "1.5s", "-3s", "10 parsecs", "99999999999999999999s", "9999h"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }
}
