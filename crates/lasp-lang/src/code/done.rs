//! How a call of compiled code ended, in two registers.
//!
//! A value that was just written in parts and is read back whole waits for the write to finish, at every hand it passes
//! through; that is most of what a small function costs. So numbers and booleans are handed on apart from values.

use super::Stop;

/// A small result, or where the result is.
#[derive(Clone, Copy)]
pub(crate) struct Done {
    pub(crate) kind: Kind,
    bits: i64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An integer: [`Done::as_int`].
    Int,
    /// A boolean: [`Done::as_bool`].
    Bool,
    /// Any other value, which is where the caller wants it.
    Elsewhere,
    /// [`Stop::Failed`]
    Failed,
    /// [`Stop::Undecided`]
    Undecided,
}

impl Done {
    pub(super) const ELSEWHERE: Self = Self { kind: Kind::Elsewhere, bits: 0 };

    #[inline]
    pub(super) fn int(value: i64) -> Self {
        Self { kind: Kind::Int, bits: value }
    }

    #[inline]
    pub(super) fn bool(value: bool) -> Self {
        Self { kind: Kind::Bool, bits: i64::from(value) }
    }

    #[inline]
    pub(super) fn stopped(stop: Stop) -> Self {
        let kind = match stop {
            Stop::Failed => Kind::Failed,
            Stop::Undecided => Kind::Undecided,
        };
        Self { kind, bits: 0 }
    }

    /// The integer, of an integer.
    #[inline]
    pub(crate) fn as_int(self) -> i64 {
        self.bits
    }

    /// The boolean, of a boolean.
    #[inline]
    pub(crate) fn as_bool(self) -> bool {
        self.bits != 0
    }
}
