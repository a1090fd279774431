//! Numbers as people read them at a glance: three digits and a unit.

/// `12.3 kB`, in powers of ten.
pub(super) fn bytes(bytes: u64) -> String {
    scaled(bytes, &["B", "kB", "MB", "GB", "TB"])
}

/// A number of thousandths: `1.5`, `12`, `3.4 k`.
pub(super) fn thousandths(value: u64) -> String {
    match value {
        0..10_000 => format!("{:.1}", value as f64 / 1000.0),
        _ => scaled(value / 1000, &["", "k", "M", "G"]).trim_end().to_owned(),
    }
}

fn scaled(value: u64, units: &[&str]) -> String {
    let (mut shown, mut unit) = (value as f64, 0);
    // What would be rounded to a thousand is one of the next unit.
    while shown >= if unit == 0 { 1000.0 } else { 999.5 } && unit + 1 < units.len() {
        shown /= 1000.0;
        unit += 1;
    }
    let digits = if unit == 0 || shown >= 99.95 { 0 } else { 1 };
    format!("{shown:.digits$} {}", units[unit])
}

/// `850 µs`, `12.3 ms`, `1.2 s`.
pub(super) fn microseconds(us: u64) -> String {
    match us {
        0..1000 => format!("{us} µs"),
        1000..1_000_000 => format!("{:.1} ms", us as f64 / 1e3),
        _ => format!("{:.1} s", us as f64 / 1e6),
    }
}

/// How long ago: `3 s`, `12 min`, `5 h`, `9 d`.
pub(super) fn age(ms: u64) -> String {
    match ms / 1000 {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds @ 3600..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_a_unit() {
        let shown = [0, 999, 1000, 1234, 99_940, 99_960, 999_499, 999_600, 5_300_000_000].map(bytes);
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "1.2 kB", "99.9 kB", "100 kB", "999 kB", "1.0 MB", "5.3 GB"]);
        assert_eq!(bytes(u64::MAX), "18446744 TB");
        assert_eq!([0, 1500, 9999, 12_000, 3_400_000].map(thousandths), ["0.0", "1.5", "10.0", "12", "3.4 k"]);
        assert_eq!([850, 12_300, 1_200_000].map(microseconds), ["850 µs", "12.3 ms", "1.2 s"]);
        assert_eq!([3_999, 61_000, 7_200_000, 172_800_000].map(age), ["3 s", "1 min", "2 h", "2 d"]);
    }
}
