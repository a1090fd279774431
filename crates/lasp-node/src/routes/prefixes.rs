//! A set of name prefixes as links tell them: by hashes, since what is wanted beyond a link may be much.
//!
//! An entry is the prefix's length (8 bits) and 24 bits of its hash: some three bytes on the wire, in ascending order. Two
//! prefixes that share an entry are taken for one another, which makes a set wider, at both ends of a link alike: with a
//! thousand prefixes one name in ten thousand is wanted by mistake. A set of more than [`MOST`] becomes the set that covers
//! every name, which costs bytes and loses nothing.

use lasp_crdt::fingerprint::mix;
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use std::sync::Arc;

/// Most prefixes of a set. A guess: some fifty kilobytes on the wire, a fifth of the largest frame.
pub(crate) const MOST: usize = 16 * 1024;

/// The entry of the empty prefix, which covers every name.
const EVERY: u32 = 0;

/// A set of prefixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prefixes {
    /// Strictly ascending; the empty prefix stands alone.
    entries: Arc<[u32]>,
    /// Which lengths occur.
    lengths: [u64; 4],
}

/// FNV-1a, which grows with the name; mixed where an entry is made of it.
const START: u64 = 0xcbf2_9ce4_8422_2325;

const fn grown(hash: u64, byte: u8) -> u64 {
    (hash ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3)
}

/// The entry of a prefix of this length and hash.
fn entry(length: usize, hash: u64) -> u32 {
    if length == 0 { EVERY } else { (length as u32) << 24 | (mix(hash, length as u64) >> 40) as u32 }
}

/// The entry of a prefix. Of a longer one than names can be, that of its beginning: it covers more, not less.
fn entry_of(prefix: &str) -> u32 {
    let bytes = prefix.as_bytes();
    let bytes = &bytes[..bytes.len().min(usize::from(u8::MAX))];
    entry(bytes.len(), bytes.iter().fold(START, |hash, byte| grown(hash, *byte)))
}

impl Default for Prefixes {
    fn default() -> Self {
        Self::from_entries(Vec::new())
    }
}

impl Prefixes {
    /// The set of these.
    pub(crate) fn of<'a>(prefixes: impl IntoIterator<Item = &'a str>) -> Self {
        Self::from_entries(prefixes.into_iter().map(entry_of).collect())
    }

    /// The set that covers every name.
    pub(crate) fn every() -> Self {
        Self::from_entries(vec![EVERY])
    }

    fn from_entries(mut entries: Vec<u32>) -> Self {
        entries.sort_unstable();
        entries.dedup();
        if entries.first() == Some(&EVERY) || entries.len() > MOST {
            entries = vec![EVERY];
        }
        let mut lengths = [0; 4];
        for length in entries.iter().map(|entry| (entry >> 24) as usize) {
            lengths[length / 64] |= 1 << (length % 64);
        }
        Self { entries: entries.into(), lengths }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether every name is covered.
    pub(crate) fn is_every(&self) -> bool {
        *self.entries == [EVERY]
    }

    const fn has_length(&self, length: usize) -> bool {
        self.lengths[length / 64] >> (length % 64) & 1 == 1
    }

    /// Whether a name begins with one of them. Cost: the length of the name, and a search for each length that occurs.
    pub(crate) fn covers(&self, name: &str) -> bool {
        if self.entries.is_empty() || self.has_length(0) {
            return !self.entries.is_empty();
        }
        let mut hash = START;
        name.bytes().take(usize::from(u8::MAX)).enumerate().any(|(at, byte)| {
            hash = grown(hash, byte);
            self.has_length(at + 1) && self.entries.binary_search(&entry(at + 1, hash)).is_ok()
        })
    }

    /// Whether it has all that another one has.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        self.is_every() || Arc::ptr_eq(&self.entries, &other.entries) || self.missing_from(&other.entries).is_empty()
    }

    /// What of some entries this set does not have.
    fn missing_from(&self, entries: &[u32]) -> Vec<u32> {
        entries.iter().copied().filter(|entry| self.entries.binary_search(entry).is_err()).collect()
    }

    /// What all of them have together.
    pub(crate) fn union<'a>(sets: impl IntoIterator<Item = &'a Self>) -> Self {
        Self::from_entries(sets.into_iter().flat_map(|set| set.entries.iter().copied()).collect())
    }

    /// What another set has beyond this one.
    pub(crate) fn beyond(&self, other: &Self) -> Self {
        Self::from_entries(self.missing_from(&other.entries))
    }

    /// A sum over the entries, 0 for none.
    pub(crate) fn sum(&self) -> u64 {
        self.entries.iter().fold(0, |sum, entry| sum.wrapping_add(mix(1, (*entry).into())))
    }
}

/// How many, then the first entry and the distances between neighbours.
impl Encode for Prefixes {
    fn encode(&self, w: &mut Writer<'_>) {
        w.len(self.entries.len());
        let mut last = 0;
        for &entry in &*self.entries {
            w.varint((entry - last).into());
            last = entry;
        }
    }
}

impl Decode for Prefixes {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let count = r.len("prefixes")?;
        if count > MOST {
            return Err(DecodeError::TooLong { what: "prefixes", len: count as u64, at });
        }
        let mut entries: Vec<u32> = Vec::with_capacity(count.min(r.remaining()));
        for _ in 0..count {
            let at = r.at();
            let gap = r.varint("prefix")?;
            let entry = gap.checked_add(entries.last().copied().unwrap_or(0).into());
            let entry = entry.and_then(|entry| u32::try_from(entry).ok());
            let fits = |entry: &u32| match entries.last() {
                None => *entry == EVERY || entry >> 24 > 0,
                Some(last) => entry > last && *last != EVERY,
            };
            entries.push(entry.filter(fits).ok_or(DecodeError::NotCanonical { what: "prefixes", at })?);
        }
        Ok(Self::from_entries(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::codec::{from_bytes, to_bytes};
    use proptest::prelude::*;

    #[test]
    fn a_prefix_covers_names_that_begin_with_it_and_a_set_what_any_does() {
        let set = Prefixes::of(["ads/", "status"]);
        assert!(set.covers("ads/42") && set.covers("status") && set.covers("status/1"));
        assert!(!set.covers("contracts") && !set.covers("ads") && !set.covers("statu"));
        assert!(!Prefixes::default().covers("ads") && Prefixes::every().covers("ads"));
        assert!(Prefixes::of(["", "ads"]).is_every(), "nothing stands beside everything");
    }

    #[test]
    fn of_what_is_longer_than_a_name_the_beginning_counts() {
        let (name, long) = ("n".repeat(255), "n".repeat(300));
        assert!(Prefixes::of([long.as_str()]).covers(&name));
        assert!(!Prefixes::of([long.as_str()]).covers(&name[1..]));
    }

    #[test]
    fn a_set_that_grows_beyond_the_limit_covers_everything() {
        let names: Vec<String> = (0..=MOST).map(|n| format!("{n}/")).collect();
        let most = Prefixes::of(names[..MOST].iter().map(String::as_str));
        // Of so many some share an entry.
        assert!(most.len() > MOST - 20 && !most.covers("x"));
        let others: Vec<String> = (0..100).map(|n| format!("other {n}")).collect();
        let others = Prefixes::of(others.iter().map(String::as_str));
        assert!(Prefixes::union([&most, &others]).is_every());
        assert!(Prefixes::every().includes(&most) && !most.includes(&Prefixes::every()));
    }

    #[test]
    fn what_nobody_writes_is_refused() {
        let high = |length: u32| {
            let mut bytes = Vec::new();
            Writer::new(&mut bytes, &mut lasp_crdt::codec::Plain).varint((length << 24).into());
            bytes
        };
        let refused = |parts: &[&[u8]]| from_bytes::<Prefixes>(&parts.concat()).is_err();
        assert!(!refused(&[&[1], &high(3)]), "one of length three");
        assert!(refused(&[&[1, 7]]), "a length of none beside the empty prefix");
        assert!(refused(&[&[2], &high(3), &[0]]), "twice the same");
        assert!(refused(&[&[2, 0], &high(3)]), "something beside everything");
        assert!(refused(&[&[2], &high(200), &high(100)]), "beyond 32 bits");
        assert!(refused(&[&[2], &high(3)]), "too few");
        let mut many = Vec::new();
        Writer::new(&mut many, &mut lasp_crdt::codec::Plain).varint(MOST as u64 + 1);
        many.extend(std::iter::repeat_n(1, MOST + 10));
        assert!(refused(&[&many]), "too many");
    }

    proptest! {
        #[test]
        fn sets_are_told_and_taken_apart(
            a in prop::collection::btree_set("[a-c]{1,3}", 0..8),
            b in prop::collection::btree_set("[a-c]{1,3}", 0..8),
            name in "[a-c]{0,5}",
        ) {
            let of = |set: &std::collections::BTreeSet<String>| Prefixes::of(set.iter().map(String::as_str));
            let (left, right) = (of(&a), of(&b));
            let wanted = |set: &std::collections::BTreeSet<String>| set.iter().any(|prefix| name.starts_with(prefix));
            prop_assert_eq!(left.covers(&name), wanted(&a));
            let both = Prefixes::union([&left, &right]);
            prop_assert_eq!(both.covers(&name), wanted(&a) || wanted(&b));
            prop_assert!(both.includes(&left) && both.includes(&right));
            prop_assert_eq!(left.includes(&right), b.is_subset(&a));
            prop_assert_eq!(Prefixes::union([&left, &left.beyond(&right)]), both.clone());
            prop_assert_eq!(from_bytes::<Prefixes>(&to_bytes(&both)), Ok(both));
        }
    }
}
