//! One variable of a graph: what it is called, holds, and who hangs on it.

use super::derivation::DerivationId;
use super::errors::DerivationError;
use crate::name::Name;
use crate::operators::{Input, Side};
use crate::state::{State, Touched};
use crate::types::Type;
use crate::value::Value;
use crate::waiters::{Waiters, WatcherId};
use lasp_crdt::fingerprint::mix;
use lasp_crdt::{BaseId, Derived};
use std::collections::VecDeque;

/// How many errors a variable remembers. A guess: enough to see what is wrong.
pub const ERRORS_KEPT: usize = 16;

/// What is known of a variable besides its state.
#[derive(Clone, Debug)]
pub struct VarInfo {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// Whether it stays on this node.
    pub local: bool,
    /// Whether something at this node derives into it.
    pub derived: bool,
    /// Whether it takes no updates here, because its value follows from others.
    pub read_only: bool,
    /// What went wrong in deriving it.
    pub errors: ErrorLog,
}

/// The last errors of a derivation, and how many there were.
#[derive(Clone, Debug, Default)]
pub struct ErrorLog {
    recent: VecDeque<DerivationError>,
    total: u64,
}

impl ErrorLog {
    /// The last [`ERRORS_KEPT`], oldest first.
    pub fn recent(&self) -> impl ExactSizeIterator<Item = &DerivationError> {
        self.recent.iter()
    }

    /// How many there were altogether.
    pub fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn push(&mut self, error: DerivationError) {
        if self.recent.len() == ERRORS_KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back(error);
        self.total += 1;
    }
}

/// A variable.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) info: VarInfo,
    pub(super) state: State,
    /// What additions made to this variable are called in derived sets.
    pub(super) base: BaseId,
    /// Longer than that of everything it is derived from.
    pub(super) rank: u32,
    /// Which derivations read it, and as which input.
    pub(super) dependents: Vec<(DerivationId, Side)>,
    pub(super) waiters: Waiters,
    pub(super) watchers: Vec<WatcherId>,
    /// Where in the outbox its delta waits, one place for each cause.
    pub(super) pending: [Option<u32>; 3],
    /// Its share in the graph's fingerprint.
    pub(super) share: u64,
}

impl Variable {
    pub(super) fn new(name: Name, ty: Type, local: bool) -> Self {
        let base = BaseId::of(name.as_str());
        let state = State::bottom(&ty);
        let info = VarInfo { name, ty, local, derived: false, read_only: false, errors: ErrorLog::default() };
        Self {
            info,
            state,
            base,
            rank: 0,
            dependents: Vec::new(),
            waiters: Waiters::default(),
            watchers: Vec::new(),
            pending: [None; 3],
            share: 0,
        }
    }

    /// The variable as operators see it.
    pub(super) fn as_input(&self) -> Input<'_> {
        Input { state: &self.state, base: self.base }
    }

    /// All that a set holds, as what happened to it since it was empty.
    pub(super) fn whole_set(&self) -> (Derived<Value>, Touched) {
        let whole = match &self.state {
            State::GSet(set) => Derived::of_grow_only(set),
            State::AwSet(set) => set.to_derived(self.base),
            _ => Derived::new(),
        };
        (whole, self.state.elements().into_iter().map(|element| (element, false)).collect())
    }

    /// Brings the share in the graph's fingerprint up to date; returns the difference. Local variables have none, and
    /// neither has bottom, so that a declaration alone makes no difference between nodes.
    pub(super) fn update_share(&mut self) -> u64 {
        let share = match self.state.fingerprint() {
            _ if self.info.local => 0,
            0 => 0,
            fingerprint => mix(self.base.0, fingerprint),
        };
        share.wrapping_sub(std::mem::replace(&mut self.share, share))
    }
}
