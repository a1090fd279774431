//! The catalogue: what is measured, of whom, and what ours should reach.

mod language;
mod load;
mod node;
mod update;

use harness::{Measure, Scale};

/// All measures, in the order of the table.
pub(crate) fn all(scale: &Scale) -> Vec<Measure> {
    [update::measures(scale), load::measures(scale), node::measures(), language::measures()]
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
        let scale = Scale { elements: 1_000, rounds: 1, sizes: &[] };
        for measure in all(&scale) {
            let sampled = measure.run(&scale);
            assert!(sampled.iter().all(|sampled| sampled.median.is_finite()), "{}", measure.id);
        }
    }
}
