//! Who can reach whom: groups that a partition separated, and one-way blocks.

use lasp_overlay::PeerId;
use std::collections::{BTreeMap, BTreeSet};

/// The partitions in force.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// Who is in which group; everyone else is in group 0.
    groups: BTreeMap<PeerId, u32>,
    /// Directed pairs whose messages vanish.
    blocked: BTreeSet<(PeerId, PeerId)>,
}

impl Faults {
    /// Separates the groups from each other and from everyone who is in none.
    pub(crate) fn partition(&mut self, groups: &[Vec<PeerId>]) {
        self.groups.clear();
        for (number, group) in groups.iter().enumerate() {
            self.groups.extend(group.iter().map(|&id| (id, number as u32 + 1)));
        }
    }

    /// Makes messages of `from` to `to` vanish.
    pub(crate) fn block(&mut self, from: PeerId, to: PeerId) {
        self.blocked.insert((from, to));
    }

    /// Removes every partition and block.
    pub(crate) fn clear(&mut self) {
        self.groups.clear();
        self.blocked.clear();
    }

    /// Whether messages of `from` reach `to`.
    pub(crate) fn passes(&self, from: PeerId, to: PeerId) -> bool {
        let together = self.groups.is_empty() || self.groups.get(&from) == self.groups.get(&to);
        together && (self.blocked.is_empty() || !self.blocked.contains(&(from, to)))
    }

    /// Whether messages pass both ways, as connecting needs.
    pub(crate) fn connects(&self, a: PeerId, b: PeerId) -> bool {
        self.passes(a, b) && self.passes(b, a)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_separate_and_those_in_none_stay_together() {
        let [a, b, c, d] = [1, 2, 3, 4].map(PeerId);
        let mut faults = Faults::default();
        faults.partition(&[vec![a, b]]);
        assert!(faults.passes(a, b) && faults.passes(c, d));
        assert!(!faults.passes(a, c) && !faults.passes(d, b));
        faults.clear();
        faults.block(a, b);
        assert!(!faults.passes(a, b) && faults.passes(b, a) && !faults.connects(b, a));
    }
}
