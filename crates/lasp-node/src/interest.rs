//! What a node wants to hear: everything, or variables whose names begin with one of some prefixes.

use crate::causal::group_of;
use crate::system;
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use std::collections::BTreeSet;

/// Most prefixes of one node; a guess that keeps the announcement under a frame.
pub const MAX_PREFIXES: usize = 256;

/// The variables a node wants to hear.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interests {
    /// Every variable.
    #[default]
    All,
    /// Variables whose names begin with one of these; none at all if empty.
    Prefixes(BTreeSet<String>),
}

impl Interests {
    /// Interest in names that begin with one of `prefixes`; a trailing `*` is taken as "and whatever follows".
    pub fn prefixes<I: IntoIterator<Item = S>, S: Into<String>>(prefixes: I) -> Self {
        let strip = |s: S| {
            let s = s.into();
            s.strip_suffix('*').map(str::to_owned).unwrap_or(s)
        };
        Self::Prefixes(prefixes.into_iter().map(strip).collect())
    }

    /// Whether a variable of this name is wanted; those of the runtime itself always are. Cost: the number of prefixes.
    pub fn covers(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Prefixes(prefixes) => {
                prefixes.iter().any(|prefix| name.starts_with(prefix.as_str())) || system::is_heard_by_all(name)
            }
        }
    }

    /// Whether a variable of this name is wanted, of a causal group only if all of the group is.
    pub(crate) fn covers_whole(&self, name: &str) -> bool {
        self.covers(group_of(name).unwrap_or(name))
    }

    /// The same, with all of a causal group where a part of it is wanted.
    pub(crate) fn of_whole_groups(self) -> Self {
        match self {
            Self::All => Self::All,
            Self::Prefixes(prefixes) => Self::Prefixes(prefixes.into_iter().map(of_whole_group).collect()),
        }
    }

    /// These and `more` prefixes.
    pub(crate) fn with(&self, more: &BTreeSet<String>) -> Self {
        match self {
            Self::Prefixes(prefixes) if !more.is_empty() => Self::Prefixes(prefixes.union(more).cloned().collect()),
            same => same.clone(),
        }
    }
}

/// A prefix, or the group in which it begins.
pub(crate) fn of_whole_group(prefix: String) -> String {
    group_of(&prefix).map(str::to_owned).unwrap_or(prefix)
}

impl Encode for Interests {
    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::All => w.u8(0),
            Self::Prefixes(prefixes) => {
                w.u8(1);
                w.len(prefixes.len());
                for prefix in prefixes {
                    w.text(prefix);
                }
            }
        }
    }
}

impl Decode for Interests {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        match r.u8("interests")? {
            0 => Ok(Self::All),
            1 => decode_prefixes(r).map(Self::Prefixes),
            tag => Err(DecodeError::BadTag { what: "interests", tag: tag.into(), at }),
        }
    }
}

fn decode_prefixes(r: &mut Reader<'_>) -> Result<BTreeSet<String>, DecodeError> {
    let at = r.at();
    let count = r.len("prefixes")?;
    if count > MAX_PREFIXES {
        return Err(DecodeError::TooLong { what: "prefixes", len: count as u64, at });
    }
    let mut prefixes: BTreeSet<String> = BTreeSet::new();
    for _ in 0..count {
        let at = r.at();
        let prefix = r.text("prefix")?;
        if prefixes.last().is_some_and(|last| last.as_str() >= prefix) {
            return Err(DecodeError::NotCanonical { what: "prefixes", at });
        }
        prefixes.insert(prefix.to_owned());
    }
    Ok(prefixes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::codec::{from_bytes, to_bytes};

    #[test]
    fn a_prefix_covers_names_that_begin_with_it() {
        let interests = Interests::prefixes(["ads/*", "status"]);
        assert!(interests.covers("ads/42") && interests.covers("status") && interests.covers("status/1"));
        assert!(!interests.covers("contracts") && !interests.covers("ads"));
        assert!(Interests::All.covers("anything") && !Interests::prefixes([""; 0]).covers("anything"));
    }

    #[test]
    fn a_part_of_a_group_is_all_of_it() {
        let interests = Interests::prefixes(["causal/shop/ord", "causal/x", "ads"]).of_whole_groups();
        assert_eq!(interests, Interests::prefixes(["causal/shop/", "causal/x", "ads"]));
        assert!(interests.covers_whole("causal/shop/stock") && interests.covers_whole("causal/xy/stock"));
        assert!(!Interests::prefixes(["causal/shop/ord"]).covers_whole("causal/shop/orders"));
    }

    #[test]
    fn interests_round_trip() {
        for interests in [Interests::All, Interests::prefixes(["b", "a"]), Interests::prefixes([""; 0])] {
            assert_eq!(from_bytes::<Interests>(&to_bytes(&interests)), Ok(interests));
        }
        assert!(from_bytes::<Interests>(&[1, 2, 1, b'b', 1, b'a']).is_err(), "unordered");
    }
}
