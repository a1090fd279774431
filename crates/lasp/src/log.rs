//! Lines for the operator: four levels, one sink. A library does not print; whoever owns the process says where.

use std::fmt;
use std::io::Write as _;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed for good.
    Error,
    /// Something needs attention, and is being retried or lived without.
    Warn,
    /// What an operator wants to see once.
    Info,
    /// What helps to find a fault.
    Debug,
}

impl Level {
    const ALL: [Self; 4] = [Self::Error, Self::Warn, Self::Info, Self::Debug];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|level| level.as_str() == text);
        known.ok_or_else(|| format!("unknown log level {text:?}: one of error, warn, info, debug"))
    }
}

/// What becomes of a line.
type Sink = Arc<dyn Fn(Level, &str) + Send + Sync>;

/// Where lines go. Cheap to clone.
#[derive(Clone)]
pub struct Log {
    most: Level,
    sink: Option<Sink>,
}

impl Log {
    /// Nowhere.
    pub const fn silent() -> Self {
        Self { most: Level::Error, sink: None }
    }

    /// To a function, down to the level `most`.
    pub fn new(most: Level, sink: impl Fn(Level, &str) + Send + Sync + 'static) -> Self {
        Self { most, sink: Some(Arc::new(sink)) }
    }

    /// To standard error: `time level text`, or one JSON object a line.
    pub fn stderr(most: Level, json: bool) -> Self {
        Self::new(most, move |level, text| {
            let line = if json { json_line(level, text) } else { text_line(level, text) };
            let _ = std::io::stderr().lock().write_all(line.as_bytes()); // nowhere left to complain to
        })
    }

    /// Writes a line; `text` is called only if the level is wanted.
    pub fn line(&self, level: Level, text: impl FnOnce() -> String) {
        if let Some(sink) = &self.sink
            && level <= self.most
        {
            sink(level, &text());
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("most", &self.most).field("silent", &self.sink.is_none()).finish()
    }
}

fn text_line(level: Level, text: &str) -> String {
    format!("{} {level:<5} {text}\n", timestamp(since_epoch()))
}

fn json_line(level: Level, text: &str) -> String {
    format!("{{\"time\":\"{}\",\"level\":\"{level}\",\"message\":{}}}\n", timestamp(since_epoch()), json_string(text))
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// RFC 3339 in UTC with milliseconds. The civil calendar after Hinnant, "chrono-compatible low-level date algorithms".
fn timestamp(at: Duration) -> String {
    let (days, seconds) = (at.as_secs() / 86_400 + 719_468, at.as_secs() % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", at.subsec_millis())
}

fn json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn timestamps_are_rfc_3339() {
        assert_eq!(timestamp(Duration::ZERO), "1970-01-01T00:00:00.000Z");
        assert_eq!(timestamp(Duration::from_millis(951_782_400_123)), "2000-02-29T00:00:00.123Z");
        assert_eq!(timestamp(Duration::from_secs(1_798_761_599)), "2026-12-31T23:59:59.000Z");
    }

    #[test]
    fn a_json_line_escapes_what_it_must() {
        let line = json_line(Level::Warn, "a \"b\"\n\\");
        assert!(line.ends_with("\"level\":\"warn\",\"message\":\"a \\\"b\\\"\\u000a\\\\\"}\n"), "{line}");
    }

    #[test]
    fn lines_below_the_level_are_not_even_made() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let log =
            Log::new(Level::Warn, move |level, text| sink.lock().expect("no panic").push(format!("{level} {text}")));
        log.line(Level::Warn, || "kept".to_owned());
        log.line(Level::Info, || unreachable!("not wanted"));
        assert_eq!(*lines.lock().expect("no panic"), ["warn kept"]);
    }
}
