//! What is put into the types: numbers, words, and orders, the same in every run.

/// An element of a measured set.
pub trait Element: Clone {
    /// The `n`-th element; another for every `n`.
    fn nth(n: u64) -> Self;

    /// The elements from the `from`-th on.
    fn many(from: u64, count: u64) -> Vec<Self> {
        (from..from + count).map(Self::nth).collect()
    }
}

impl Element for u64 {
    fn nth(n: u64) -> Self {
        n
    }
}

/// Sixteen hexadecimal digits that look random.
impl Element for String {
    fn nth(n: u64) -> Self {
        format!("{:016x}", scrambled(n))
    }
}

/// A bijection of the 64-bit numbers without visible order (the finalizer of splitmix64).
pub fn scrambled(n: u64) -> u64 {
    let z = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The items in an order that looks random, the same for the same number of them.
pub fn shuffled<T>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut keyed: Vec<(u64, T)> = (0..).map(scrambled).zip(items).collect();
    keyed.sort_unstable_by_key(|&(key, _)| key);
    keyed.into_iter().map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_keeps_every_item_and_moves_nearly_all() {
        let mut items = shuffled(0..1000);
        let in_place = (0..1000).zip(&items).filter(|&(at, &item)| at == item).count();
        assert!(in_place < 10, "{in_place}");
        items.sort_unstable();
        assert!(items.into_iter().eq(0..1000));
    }

    #[test]
    fn words_have_sixteen_digits() {
        assert!(String::many(0, 1000).iter().all(|word| word.len() == 16));
    }
}
