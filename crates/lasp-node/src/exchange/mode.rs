//! How news reaches everybody, and what neighbours exchange: the choices of a node.

use std::fmt;
use std::str::FromStr;

/// How an update reaches everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dissemination {
    /// Pushed at once along a broadcast tree that repairs itself (Plumtree); what is exchanged repairs what that missed.
    #[default]
    Tree,
    /// Pushed at once over every link. For comparison.
    Flood,
    /// Nothing is pushed: everything travels by what neighbours exchange at intervals, hop by hop, as in the original.
    Gossip,
    /// Pushed along the tree, and exchanged at the same intervals as without it.
    Hybrid,
}

/// What neighbours exchange at intervals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum SyncMode {
    /// Digests, then exactly what differs.
    #[default]
    Digest,
    /// Whole states, each time, as the original's state-based mode. For comparison.
    State,
    /// What grew since the neighbour last acknowledged.
    Delta(DeltaRules),
}

/// What a delta leaves out (Enes, Almeida, Baquero, Leitão, "Efficient Synchronization of State-based CRDTs", ICDE 2019).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeltaRules {
    /// Avoid back-propagation: what came from a neighbour is not said to it again (§IV, BP).
    pub avoid_back_propagation: bool,
    /// Remove redundant state: of what came, only what was news is said to others (§IV, RR).
    pub remove_redundancy: bool,
}

impl DeltaRules {
    /// Both rules.
    pub const BOTH: Self = Self { avoid_back_propagation: true, remove_redundancy: true };
    /// Neither: the classic algorithm (Almeida, Shoker, Baquero, "Delta state replicated data types", JPDC 2018), which is
    /// the original's delta mode.
    pub const NEITHER: Self = Self { avoid_back_propagation: false, remove_redundancy: false };
}

impl Dissemination {
    /// Every choice.
    pub const ALL: [Self; 4] = [Self::Tree, Self::Flood, Self::Gossip, Self::Hybrid];

    /// The name in flags and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tree => "tree",
            Self::Flood => "flood",
            Self::Gossip => "gossip",
            Self::Hybrid => "hybrid",
        }
    }

    /// Whether an update is pushed when it is made.
    pub const fn pushes(self) -> bool {
        !matches!(self, Self::Gossip)
    }

    /// Whether exchanges carry news, and not only what pushing missed.
    pub const fn gossips(self) -> bool {
        matches!(self, Self::Gossip | Self::Hybrid)
    }
}

impl SyncMode {
    /// Whether what is to be said to each neighbour is remembered.
    pub(crate) const fn remembers_deltas(self) -> bool {
        matches!(self, Self::Delta(_))
    }

    /// Every choice.
    pub const ALL: [Self; 6] = [
        Self::Digest,
        Self::State,
        Self::Delta(DeltaRules::NEITHER),
        Self::Delta(DeltaRules { avoid_back_propagation: true, remove_redundancy: false }),
        Self::Delta(DeltaRules { avoid_back_propagation: false, remove_redundancy: true }),
        Self::Delta(DeltaRules::BOTH),
    ];

    /// The name in flags and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Digest => "digest",
            Self::State => "state",
            Self::Delta(DeltaRules { avoid_back_propagation, remove_redundancy }) => {
                match (avoid_back_propagation, remove_redundancy) {
                    (false, false) => "delta",
                    (true, false) => "delta-bp",
                    (false, true) => "delta-rr",
                    (true, true) => "delta-bp-rr",
                }
            }
        }
    }
}

/// Declares how a choice is written and read.
macro_rules! named {
    ($type:ty, $what:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.into_iter().find(|choice| choice.name() == text).ok_or_else(|| {
                    let names: Vec<&str> = Self::ALL.iter().map(|choice| choice.name()).collect();
                    format!("`{text}` is not a {}; choose one of: {}", $what, names.join(", "))
                })
            }
        }
    };
}

named!(Dissemination, "way to disseminate");
named!(SyncMode, "synchronisation mode");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_reads_back_from_its_name() {
        for mode in SyncMode::ALL {
            assert_eq!(mode.name().parse(), Ok(mode));
        }
        for way in Dissemination::ALL {
            assert_eq!(way.name().parse(), Ok(way));
        }
        let error = "deltas".parse::<SyncMode>().unwrap_err();
        assert_eq!(
            error,
            "`deltas` is not a synchronisation mode; choose one of: digest, state, delta, delta-bp, delta-rr, delta-bp-rr"
        );
    }
}
