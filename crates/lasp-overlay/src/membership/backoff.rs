//! Exponential backoff with jitter.

use crate::rng::Rng;
use std::time::Duration;

/// How long to wait after a number of failures in a row: `base`, doubled per failure after the first, at most
/// `max`, give or take a quarter so that peers that failed together do not retry together.
pub(crate) fn backoff(rng: &mut Rng, base: Duration, max: Duration, failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    rng.jitter(base.saturating_mul(1 << doublings).min(max), 0.25)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit() {
        let (base, max) = (Duration::from_secs(1), Duration::from_secs(30));
        let mut rng = Rng::new(1);
        for (failures, seconds) in [(0, 1.0), (1, 1.0), (2, 2.0), (3, 4.0), (6, 30.0), (u32::MAX, 30.0)] {
            let wait = backoff(&mut rng, base, max, failures).as_secs_f64();
            assert!((0.75 * seconds..=1.25 * seconds).contains(&wait), "{failures} failures: {wait} s");
        }
    }
}
