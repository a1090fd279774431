//! The catalogue: what is measured, of whom, and what ours should reach.
//!
//! A new measure is one entry: a name, a sentence, a unit, a function that prepares ours and returns the closure that
//! takes a sample, the same for each peer, and a target if there is one.

mod context;
mod counter;
mod growth;
mod set;

use harness::measure::{Measure, Scale};

/// All measures, in the order of the table.
pub(crate) fn all(scale: &Scale) -> Vec<Measure> {
    [set::measures(), counter::measures(), context::measures(), growth::measures(scale.sizes)]
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_measures_share_a_name() {
        let names: BTreeSet<String> = all(&Scale::FULL).into_iter().map(|measure| measure.id).collect();
        assert_eq!(names.len(), all(&Scale::FULL).len());
    }

    /// Every measure checks what it did; here on few elements.
    #[test]
    fn every_measure_runs() {
        let scale = Scale { elements: 500, rounds: 1, sizes: &[100, 1_000] };
        for measure in all(&scale) {
            let sampled = measure.run(&scale);
            assert!(sampled.iter().all(|sampled| sampled.median.is_finite()), "{}", measure.id);
        }
    }
}
