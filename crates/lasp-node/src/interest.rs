//! What a node wants to hear: everything, or variables whose names begin with one of some prefixes.

use crate::causal::group_of;
use crate::system;
use lasp_dataflow::MAX_NAME_BYTES;
use std::collections::BTreeSet;
use thiserror::Error;

/// Most prefixes of one node's owner. A guess: a quarter of what a link tells of all that is wanted beyond it.
pub const MAX_PREFIXES: usize = 4096;

/// Interests that are refused; what was heard before is heard still.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InterestError {
    /// A pattern that every name matches.
    #[error("an empty prefix is in every name: hear everything, if that is meant")]
    Everything,
    /// A pattern that no name can match.
    #[error("a prefix has {bytes} bytes, more than the {MAX_NAME_BYTES} of a name")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Too many patterns.
    #[error("{count} prefixes are more than {MAX_PREFIXES}")]
    TooMany {
        /// How many.
        count: usize,
    },
}

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

    /// Checks that they can be told to others.
    ///
    /// # Errors
    /// [`InterestError`].
    pub fn check(&self) -> Result<(), InterestError> {
        let Self::Prefixes(prefixes) = self else { return Ok(()) };
        if prefixes.len() > MAX_PREFIXES {
            return Err(InterestError::TooMany { count: prefixes.len() });
        }
        match prefixes.iter().map(String::len).find(|bytes| *bytes == 0 || *bytes > MAX_NAME_BYTES) {
            None => Ok(()),
            Some(0) => Err(InterestError::Everything),
            Some(bytes) => Err(InterestError::TooLong { bytes }),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(interests.covers("causal/shop/stock") && interests.covers("causal/xy/stock"));
    }
}
