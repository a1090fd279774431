//! How to find out in what two states of a variable differ, once it is known by how much they do: what takes fewest bytes.

use super::filter::{MOST_PROBES, bytes_for, mistaken};
use super::sketch::{self, MOST};

/// Symbols for each difference that mostly suffice, and some more for few. Yang et al. (SIGCOMM 2024) need 1.35 for many
/// and 1.7 for few.
const SYMBOLS: f64 = 1.42;

/// How many times as long a sketch is as the difference is thought to need, which is known to an eighth. A guess: one in ten
/// is then too short.
const MARGIN: f64 = 1.2;

/// What is said next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// A sketch of so many symbols.
    Sketch(usize),
    /// A filter with so many probes, which leaves a rest to a sketch.
    Filter(u8),
    /// The state's digest.
    Digest,
}

/// Symbols for so many differences.
pub(super) fn symbols_for(differ: f64) -> usize {
    let many = differ * SYMBOLS * MARGIN;
    (many + many.sqrt()).ceil() as usize
}

/// Bytes of a sketch that tells so many differences, and of asking for every second of them.
fn sketched(differ: f64) -> f64 {
    symbols_for(differ) as f64 * sketch::SYMBOL as f64 + differ * sketch::HASH as f64 / 2.0
}

/// Bytes of two filters and of what they leave to a sketch.
fn filtered(parts: usize, differ: f64, probes: u8) -> f64 {
    let bytes = bytes_for(parts, probes);
    2.0 * bytes as f64 + sketched(differ * mistaken(parts, probes, bytes))
}

impl Plan {
    /// The cheapest for a state of so many parts and a digest of so many bytes, of which so many are thought to differ; a sketch
    /// of less than `least` symbols was too short.
    pub(super) fn choose(parts: usize, digest: usize, differ: usize, least: usize) -> Self {
        let differ = differ as f64;
        let len = symbols_for(differ).max(least);
        let by_sketch = if len <= MOST { sketched(differ).max((len * sketch::SYMBOL) as f64) } else { f64::INFINITY };
        let filters = (1..=MOST_PROBES).map(|probes| (filtered(parts, differ, probes), probes));
        let (by_filter, probes) = filters.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((f64::INFINITY, 1));
        // Both sides send theirs; one that fills a frame cannot be sent.
        let by_digest = if digest <= crate::MAX_FRAME / 2 { 2.0 * digest as f64 } else { f64::INFINITY };
        if by_digest <= by_sketch.min(by_filter) {
            Self::Digest
        } else if by_sketch <= by_filter {
            Self::Sketch(len)
        } else {
            Self::Filter(probes)
        }
    }
}

/// Of a state of `parts` of which `given` were not in a filter of `theirs` that mistakes so many: how many differ still, on
/// both sides, once both have given.
pub(super) fn rest(parts: usize, given: usize, theirs: usize, mistakes: f64) -> f64 {
    let only_ours = (given as f64 / (1.0 - mistakes).max(0.01)).min(parts as f64);
    let only_theirs = (theirs as f64 - (parts as f64 - only_ours)).max(0.0);
    (only_ours + only_theirs) * mistakes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_differences_are_sketched_and_many_are_filtered_first() {
        let of = |differ| Plan::choose(100_000, 800_000, differ, 16);
        assert_eq!(of(0), Plan::Sketch(16));
        assert!(matches!(of(1000), Plan::Sketch(len) if (1_700..1_800).contains(&len)), "{:?}", of(1000));
        assert_eq!(of(5_000), Plan::Filter(1), "at a similarity of 95 percent");
        assert!(matches!(of(66_000), Plan::Filter(4..=5)), "{:?}", of(66_000));
        assert!(matches!(of(usize::MAX), Plan::Filter(MOST_PROBES)), "whatever a neighbour claims");
    }

    #[test]
    fn a_digest_that_is_short_is_sent() {
        assert_eq!(Plan::choose(1000, 40, 900, 16), Plan::Digest);
        assert!(matches!(Plan::choose(1000, 8000, 20, 16), Plan::Sketch(_)));
        assert!(matches!(Plan::choose(10, usize::MAX, usize::MAX, MOST + 1), Plan::Filter(_)));
    }

    #[test]
    fn what_filters_leave_follows_from_what_was_given() {
        // 1,000 each, 400 of them shared; a quarter is mistaken.
        let rest = rest(1000, 450, 1000, 0.25);
        assert!((rest - 300.0).abs() < 1e-6, "{rest}");
        assert_eq!(super::rest(10, 10, 0, 1.0), 10.0);
    }
}
