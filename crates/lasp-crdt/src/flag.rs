//! Flags that can be set and unset, for ever: of a concurrent enabling and disabling, the one that the type prefers wins.
//!
//! Source: Almeida et al., "Delta State Replicated Data Types" (JPDC'18), §7.4.1: a set of dots in a causal context.
//! The operation that is to win mints a dot; the other one covers the dots it has observed, and leaves nothing behind.
//! A flag that can only be enabled, without any dots, is [`crate::Boolean`].

pub(crate) mod store;

pub use store::{DisableDots, EnableDots};

use crate::dot::ReplicaId;
use crate::dotted::{Dotted, View};

/// A flag that starts disabled; enabling wins over a concurrent disabling.
///
/// ```
/// use lasp_crdt::{EwFlag, Lattice, ReplicaId};
///
/// let (a, b) = (ReplicaId(1), ReplicaId(2));
/// let mut left = EwFlag::new();
/// left.merge(left.enable(a));
/// let mut right = left.clone();
/// left.merge(left.disable());
/// right.merge(right.enable(b));
/// left.merge(right);
/// assert!(left.value());
/// ```
pub type EwFlag = Dotted<EnableDots>;

/// A flag that starts enabled; disabling wins over a concurrent enabling.
///
/// ```
/// use lasp_crdt::{DwFlag, Lattice, ReplicaId};
///
/// let (a, b) = (ReplicaId(1), ReplicaId(2));
/// let mut left = DwFlag::new();
/// assert!(left.value());
/// left.merge(left.disable(a));
/// let mut right = left.clone();
/// left.merge(left.enable());
/// right.merge(right.disable(b));
/// left.merge(right);
/// assert!(!left.value());
/// ```
pub type DwFlag = Dotted<DisableDots>;

impl EnableDots {
    /// Whether the flag is enabled.
    pub fn value(&self) -> bool {
        !self.dots().is_empty()
    }
}

impl DisableDots {
    /// Whether the flag is enabled.
    pub fn value(&self) -> bool {
        self.dots().is_empty()
    }
}

impl View<'_, EnableDots> {
    /// The delta that enables the flag: a new dot, which supersedes those it has.
    pub fn enable(self, replica: ReplicaId) -> EwFlag {
        let delta = |dot| Dotted::from_raw(EnableDots::of(dot), self.dots().and(dot));
        self.mint(replica).map(delta).unwrap_or_default()
    }

    /// The delta that disables the flag, as far as its enablings are observed here; bottom if it is disabled.
    pub fn disable(self) -> EwFlag {
        Dotted::from_raw(EnableDots::default(), self.dots().clone())
    }
}

impl View<'_, DisableDots> {
    /// The delta that disables the flag: a new dot, which supersedes those it has.
    pub fn disable(self, replica: ReplicaId) -> DwFlag {
        let delta = |dot| Dotted::from_raw(DisableDots::of(dot), self.dots().and(dot));
        self.mint(replica).map(delta).unwrap_or_default()
    }

    /// The delta that enables the flag, as far as its disablings are observed here; bottom if it is enabled.
    pub fn enable(self) -> DwFlag {
        Dotted::from_raw(DisableDots::default(), self.dots().clone())
    }
}

impl EwFlag {
    /// The delta that enables the flag: a new dot, which supersedes those it has.
    pub fn enable(&self, replica: ReplicaId) -> Self {
        self.view().enable(replica)
    }

    /// The delta that disables the flag, as far as its enablings are observed here; bottom if it is disabled.
    pub fn disable(&self) -> Self {
        self.view().disable()
    }
}

impl DwFlag {
    /// The delta that disables the flag: a new dot, which supersedes those it has.
    pub fn disable(&self, replica: ReplicaId) -> Self {
        self.view().disable(replica)
    }

    /// The delta that enables the flag, as far as its disablings are observed here; bottom if it is enabled.
    pub fn enable(&self) -> Self {
        self.view().enable()
    }
}
