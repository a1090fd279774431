//! One variable of a graph: what it is called, holds, and who hangs on it.

use super::derivation::DerivationId;
use super::errors::DerivationError;
use super::summing::Dead;
use crate::name::Name;
use crate::operators::{Input, Side};
use crate::state::{Facets, State, Touched};
use crate::threshold::Threshold;
use crate::types::Type;
use crate::value::Value;
use crate::views::{Tap, ViewId};
use crate::waiters::{WaiterId, Waiters, WatcherId};
use lasp_crdt::fingerprint::mix;
use lasp_crdt::{BaseId, Derived, ReplicaId};
use std::collections::{BTreeMap, VecDeque};

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

/// The last errors of a derivation that still hold, and how many there were.
#[derive(Clone, Debug, Default)]
pub struct ErrorLog {
    recent: VecDeque<DerivationError>,
    total: u64,
}

impl ErrorLog {
    /// The last [`ERRORS_KEPT`] about elements that are still there, oldest first.
    pub fn recent(&self) -> impl ExactSizeIterator<Item = &DerivationError> {
        self.recent.iter()
    }

    /// How many there were altogether; from 0 again when the last derivation of the variable is removed.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The element that an operator failed on is gone.
    pub(super) fn mend(&mut self, operator: &'static str, element: &Value) {
        self.recent.retain(|error| error.operator != operator || error.element != *element);
    }

    /// Adds an error, unless it is among the last ones: a view's function may be called again for the same element.
    pub(super) fn push(&mut self, error: DerivationError) -> bool {
        if self.recent.contains(&error) {
            return false;
        }
        if self.recent.len() == ERRORS_KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back(error);
        self.total += 1;
        true
    }
}

/// What a variable's value comes from, where it is not its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shows {
    /// Its own state.
    State,
    /// A view; whether anybody wanted to see it yet.
    View { view: ViewId, is_demanded: bool },
}

/// A variable.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) info: VarInfo,
    pub(super) state: State,
    pub(super) shows: Shows,
    /// Of a variable that carries a view's members with their provenance, and has no name: the view.
    pub(super) carries: Option<ViewId>,
    /// Whose the updates made here are.
    pub(super) author: ReplicaId,
    /// What additions made to this variable are called in derived sets.
    pub(super) base: BaseId,
    /// Longer than that of everything it is derived from.
    pub(super) rank: u32,
    /// Which derivations derive into it.
    pub(super) made_by: Vec<DerivationId>,
    /// Which derivations read it, and as which input.
    pub(super) dependents: Vec<(DerivationId, Side)>,
    /// Which folds that travel are computed from it.
    pub(super) summed_by: Vec<DerivationId>,
    /// Where there are any: what of it is dead.
    pub(super) dead: Option<Box<Dead>>,
    /// Which nodes of views take what happens to it.
    pub(super) taps: Vec<Tap>,
    /// The parts that they take.
    pub(super) tapped: Facets,
    pub(super) waiters: Waiters,
    /// Who waits for somebody to want it.
    pub(super) needed: BTreeMap<WaiterId, Threshold>,
    pub(super) watchers: Vec<WatcherId>,
    /// Where in the outbox its delta waits, one place for each cause.
    pub(super) pending: [Option<u32>; 3],
    /// Its share in the graph's fingerprint.
    pub(super) share: u64,
}

impl Variable {
    pub(super) fn new(name: Name, ty: Type, local: bool, author: ReplicaId) -> Self {
        let base = BaseId::of(name.as_str());
        let state = State::bottom(&ty);
        let info = VarInfo { name, ty, local, derived: false, read_only: false, errors: ErrorLog::default() };
        Self {
            info,
            state,
            shows: Shows::State,
            carries: None,
            author,
            base,
            rank: 0,
            made_by: Vec::new(),
            dependents: Vec::new(),
            summed_by: Vec::new(),
            dead: None,
            taps: Vec::new(),
            tapped: Facets::default(),
            waiters: Waiters::default(),
            needed: BTreeMap::new(),
            watchers: Vec::new(),
            pending: [None; 3],
            share: 0,
        }
    }

    /// The view that it shows.
    pub(super) fn view(&self) -> Option<ViewId> {
        match self.shows {
            Shows::View { view, .. } => Some(view),
            Shows::State => None,
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

    /// Whether it has a share in the graph's fingerprint.
    pub(super) fn share_counts(&self) -> bool {
        !self.info.local
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
