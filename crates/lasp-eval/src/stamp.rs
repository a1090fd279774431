//! Dates from seconds since 1970, in UTC: for directory names and the report's head. Reads no clock.

/// A moment as people and file names write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    date: (i64, u64, u64),
    seconds: u64,
}

impl Stamp {
    /// The moment `seconds` after 1970 began.
    pub const fn from_unix(seconds: u64) -> Self {
        Self { date: civil(seconds / 86_400), seconds: seconds % 86_400 }
    }

    /// As `20261122-204235`: sorts by time, fits a file name.
    pub fn compact(self) -> String {
        let Self { date: (year, month, day), seconds } = self;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        format!("{year}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
    }

    /// As `2026-11-22 20:42 UTC`.
    pub fn readable(self) -> String {
        let Self { date: (year, month, day), seconds } = self;
        format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", seconds / 3600, seconds / 60 % 60)
    }
}

/// Year, month and day of the `days`-th day after 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
const fn civil(days: u64) -> (i64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = (year_of_era + era * 400) as i64 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_are_dated_right() {
        for (seconds, compact) in [
            (0, "19700101-000000"),
            (951_782_400, "20000229-000000"),
            (1_709_251_199, "20240229-235959"),
            (1_709_251_200, "20240301-000000"),
            (1_795_380_155, "20261122-204235"),
        ] {
            assert_eq!(Stamp::from_unix(seconds).compact(), compact);
        }
        assert_eq!(Stamp::from_unix(1_795_380_155).readable(), "2026-11-22 20:42 UTC");
    }
}
