//! What the paper's own runs came to: entries sent by all 15 nodes for 100 events each, recomputed from the raw metrics of the
//! submission (github.com/vitorenesduarte/exp, `evaluation/icde19.tar.gz`).
//!
//! The raw files count entries of data and of metadata together, the latter being a number and its acknowledgement for each
//! message of deltas. Ratios to BP+RR are of both together and known to three digits.

use super::workload::Workload;
use crate::replication::topology::Topology;
use crate::replication::way::Way;

/// Nodes, and events of each, that the figures are of.
pub const SIZE: (usize, usize) = (15, 100);

/// One workload over one topology.
#[derive(Clone, Copy, Debug)]
struct Row {
    workload: Workload,
    topology: Topology,
    /// Entries of data that BP+RR sent.
    entries: f64,
    /// The ratio of all entries to those of BP+RR: state, delta, BP, RR; 0 where it is not known.
    ratios: [f64; 4],
}

const fn gmap(percent: u32, topology: Topology, entries: f64, ratios: [f64; 4]) -> Row {
    Row { workload: Workload::GMap { percent }, topology, entries, ratios }
}

/// Only what is known: maps over the tree were published for 10 and 100 %.
const ROWS: [Row; 10] = [
    Row { workload: Workload::GSet, topology: Topology::Tree, entries: 21_000.0, ratios: [82.0, 80.8, 1.0, 1.79] },
    Row { workload: Workload::GSet, topology: Topology::Mesh, entries: 68_919.0, ratios: [58.4, 56.9, 56.7, 1.26] },
    Row { workload: Workload::GCounter, topology: Topology::Tree, entries: 21_000.0, ratios: [1.60, 1.80, 1.0, 1.79] },
    Row { workload: Workload::GCounter, topology: Topology::Mesh, entries: 68_649.0, ratios: [1.12, 1.27, 1.27, 1.26] },
    gmap(10, Topology::Tree, 146_972.0, [17.4, 16.9, 1.0, 1.96]),
    gmap(10, Topology::Mesh, 482_454.0, [11.1, 11.2, 11.2, 1.30]),
    gmap(30, Topology::Mesh, 1_447_517.0, [4.03, 4.06, 4.07, 1.30]),
    gmap(60, Topology::Mesh, 2_824_027.0, [2.11, 2.11, 2.12, 1.30]),
    gmap(100, Topology::Tree, 1_395_645.0, [2.03, 2.01, 1.0, 1.99]),
    gmap(100, Topology::Mesh, 4_593_325.0, [1.33, 1.32, 1.31, 1.30]),
];

/// Entries of metadata in a run of deltas: what the raw files have beyond the data of BP+RR.
const fn metadata(topology: Topology) -> f64 {
    match topology {
        Topology::Tree => 5_690.0,
        Topology::Mesh => 12_118.0,
    }
}

/// Entries of data that the paper's run sent, if it is known.
pub fn entries(workload: Workload, topology: Topology, way: Way) -> Option<f64> {
    let row = ROWS.iter().find(|row| row.workload == workload && row.topology == topology)?;
    let all = row.entries + metadata(topology);
    Some(match way {
        Way::State => row.ratios[0] * all,
        Way::Delta => row.ratios[1] * all - metadata(topology),
        Way::DeltaBp => row.ratios[2] * all - metadata(topology),
        Way::DeltaRr => row.ratios[3] * all - metadata(topology),
        Way::DeltaBpRr => row.entries,
        Way::Tree | Way::TreePaced => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_of_all_entries_give_those_of_data() {
        let gset = |way| entries(Workload::GSet, Topology::Mesh, way).map(|entries| (entries / 10_000.0).round());
        // 4.73 M, 4.60 M: what the raw metrics say of data alone.
        assert_eq!([Way::State, Way::Delta, Way::Tree].map(gset), [Some(473.0), Some(460.0), None]);
        assert_eq!(entries(Workload::GMap { percent: 30 }, Topology::Tree, Way::State), None);
    }
}
