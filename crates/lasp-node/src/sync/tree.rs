//! A hash tree over the store: one root, 256 buckets, kept up to date in the time of a change.
//!
//! A variable contributes the mix of its key's hash and its state's fingerprint to the bucket named by the top byte
//! of the key's hash; buckets and root are wrapping sums of contributions, so a change is one subtraction and one
//! addition. Variables at bottom contribute nothing: a variable that is merely declared does not differ from one
//! that is not. There is one tree for each selection of variables that this node has in common with a neighbour, since two
//! peers compare only what both keep.

use crate::routes::Common;
use lasp_crdt::fingerprint;
use std::collections::BTreeMap;

/// Buckets of a tree.
pub(crate) const BUCKETS: usize = 256;

/// The bucket of a key's hash.
pub(crate) const fn bucket_of(hash: u64) -> u8 {
    (hash >> 56) as u8
}

/// The sums over the variables that two nodes have in common.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    buckets: Box<[u64; BUCKETS]>,
    root: u64,
    count: usize,
}

impl Tree {
    fn new() -> Self {
        Self { buckets: Box::new([0; BUCKETS]), root: 0, count: 0 }
    }

    fn replace(&mut self, hash: u64, old: u64, new: u64) {
        let bucket = &mut self.buckets[bucket_of(hash) as usize];
        *bucket = bucket.wrapping_sub(old).wrapping_add(new);
        self.root = self.root.wrapping_sub(old).wrapping_add(new);
        self.count = self.count + usize::from(new != 0) - usize::from(old != 0);
    }

    /// The sum over everything.
    pub(crate) const fn root(&self) -> u64 {
        self.root
    }

    /// The sums by bucket.
    pub(crate) const fn buckets(&self) -> &[u64; BUCKETS] {
        &self.buckets
    }

    /// How many variables are above bottom.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }
}

/// One variable's part.
#[derive(Clone, Debug)]
struct Leaf<V> {
    name: String,
    contribution: u64,
    fingerprint: u64,
    var: V,
}

/// The trees of one store, and the variables in the order of their keys' hashes.
#[derive(Clone, Debug)]
pub(crate) struct Forest<V> {
    leaves: BTreeMap<u64, Leaf<V>>,
    /// By the key of what they are over.
    trees: BTreeMap<(u64, u64), (Common, Tree)>,
}

impl<V: Copy> Forest<V> {
    /// No variables, no trees.
    pub(crate) const fn new() -> Self {
        Self { leaves: BTreeMap::new(), trees: BTreeMap::new() }
    }

    /// Notes that the state of a variable now has this fingerprint. Cost: the number of trees.
    pub(crate) fn set(&mut self, hash: u64, name: &str, var: V, fingerprint: u64) {
        let contribution = if fingerprint == 0 { 0 } else { fingerprint::mix(hash, fingerprint) | 1 };
        let leaf = self.leaves.entry(hash).or_insert_with(|| Leaf {
            name: name.to_owned(),
            contribution: 0,
            fingerprint: 0,
            var,
        });
        let old = leaf.contribution;
        (leaf.contribution, leaf.fingerprint) = (contribution, fingerprint);
        if old == contribution {
            return;
        }
        for (_, tree) in self.trees.values_mut().filter(|(common, _)| common.covers(name)) {
            tree.replace(hash, old, contribution);
        }
    }

    /// Forgets a variable. Cost: the number of trees.
    pub(crate) fn remove(&mut self, hash: u64) {
        let Some(leaf) = self.leaves.remove(&hash) else { return };
        for (_, tree) in self.trees.values_mut().filter(|(common, _)| common.covers(&leaf.name)) {
            tree.replace(hash, leaf.contribution, 0);
        }
    }

    /// The tree over what is in common; built from all variables at its first use, kept up to date from then on.
    pub(crate) fn tree(&mut self, common: &Common) -> &Tree {
        let leaves = &self.leaves;
        let (_, tree) = self.trees.entry(common.key()).or_insert_with(|| {
            let mut tree = Tree::new();
            for (&hash, leaf) in leaves.iter().filter(|(_, leaf)| common.covers(&leaf.name)) {
                tree.replace(hash, 0, leaf.contribution);
            }
            (common.clone(), tree)
        });
        tree
    }

    /// Whether a variable is among those that are compared.
    pub(crate) fn has(&self, hash: u64) -> bool {
        self.leaves.contains_key(&hash)
    }

    /// Drops the trees that nobody uses.
    pub(crate) fn retain_trees(&mut self, used: impl Fn((u64, u64)) -> bool) {
        self.trees.retain(|key, _| used(*key));
    }

    /// The variables above bottom in one bucket that are in common: key hash, fingerprint, variable.
    pub(crate) fn bucket<'a>(
        &'a self,
        bucket: u8,
        common: &'a Common,
    ) -> impl Iterator<Item = (u64, u64, V)> + use<'a, V> {
        self.bucket_from(bucket, 0, common)
    }

    /// Those of them whose keys' hashes are not below `from`.
    pub(crate) fn bucket_from<'a>(
        &'a self,
        bucket: u8,
        from: u64,
        common: &'a Common,
    ) -> impl Iterator<Item = (u64, u64, V)> + use<'a, V> {
        let start = u64::from(bucket) << 56;
        let end = start | (u64::MAX >> 8);
        self.leaves
            .range(from.clamp(start, end)..=end)
            .filter(move |(_, leaf)| leaf.contribution != 0 && common.covers(&leaf.name))
            .map(|(&hash, leaf)| (hash, leaf.fingerprint, leaf.var))
    }

    /// Variables by the hashes of their keys, ascending: hash, name, fingerprint.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = (u64, &str, u64)> {
        self.leaves.iter().map(|(&hash, leaf)| (hash, leaf.name.as_str(), leaf.fingerprint))
    }

    /// The fingerprint of one variable; 0 where it is unknown or at bottom.
    pub(crate) fn fingerprint(&self, hash: u64) -> u64 {
        self.leaves.get(&hash).map_or(0, |leaf| leaf.fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interest::Interests;
    use crate::routes::Summary;
    use std::sync::Arc;

    fn all() -> Common {
        Common::default()
    }

    fn ads() -> Common {
        let summary = Arc::new(Summary::of(&Interests::prefixes(["ads/"])));
        Common::new(Arc::clone(&summary), summary)
    }

    #[test]
    fn equal_stores_have_equal_roots_whatever_the_order_of_changes() {
        let (mut a, mut b) = (Forest::new(), Forest::new());
        a.tree(&all());
        a.set(1 << 56, "x", 1, 10);
        a.set(2 << 56, "y", 2, 20);
        b.set(2 << 56, "y", 7, 99);
        b.set(1 << 56, "x", 8, 10);
        assert_ne!(a.tree(&all()).root(), b.tree(&all()).root());
        b.set(2 << 56, "y", 7, 20);
        assert_eq!(a.tree(&all()).root(), b.tree(&all()).root());
        assert_eq!(a.tree(&all()).buckets(), b.tree(&all()).buckets());
    }

    #[test]
    fn a_forgotten_variable_counts_no_more() {
        let (mut a, mut b) = (Forest::new(), Forest::new());
        a.tree(&all());
        a.set(1 << 56, "x", 1, 10);
        a.set(2 << 56, "y", 2, 20);
        a.remove(2 << 56);
        a.remove(3 << 56);
        b.set(1 << 56, "x", 8, 10);
        assert_eq!((a.tree(&all()).root(), a.tree(&all()).count()), (b.tree(&all()).root(), 1));
        assert_eq!(a.fingerprint(2 << 56), 0);
    }

    #[test]
    fn a_tree_sums_only_what_its_interest_covers_and_bottom_counts_for_nothing() {
        let mut forest = Forest::new();
        forest.set(3, "ads/1", 0, 5);
        let ads = ads();
        let before = forest.tree(&ads).root();
        forest.set(4, "contracts", 1, 6);
        forest.set(5, "ads/2", 2, 0);
        assert_eq!((forest.tree(&ads).root(), forest.tree(&ads).count()), (before, 1));
        assert_eq!(forest.tree(&all()).count(), 2);
        forest.set(3, "ads/1", 0, 0);
        assert_eq!((forest.tree(&ads).root(), forest.tree(&ads).count()), (0, 0));
    }

    #[test]
    fn a_bucket_lists_its_variables_in_order_of_their_hashes() {
        let mut forest = Forest::new();
        for (hash, var) in [(7 << 56, 1), (7 << 56 | 9, 2), (8 << 56, 3), (7 << 56 | 3, 4)] {
            forest.set(hash, "v", var, 1);
        }
        let all = all();
        let vars: Vec<i32> = forest.bucket(7, &all).map(|(_, _, var)| var).collect();
        assert_eq!(vars, [1, 4, 2]);
    }
}
