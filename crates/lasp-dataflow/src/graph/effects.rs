//! What has come of everything since the last drain: deltas to send, readers to wake, errors to tell.

use super::errors::DerivationError;
use super::variable::ERRORS_KEPT;
use crate::name::VarId;
use crate::state::State;
use crate::waiters::{WaiterId, WatcherId};
use std::collections::{BTreeMap, BTreeSet};

/// Why a replicated variable grew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// An update or a `bind` here.
    Local,
    /// A state from elsewhere was merged.
    Received,
    /// A derivation here computed it.
    Derived,
}

/// What is new in a replicated variable.
#[derive(Clone, Debug, PartialEq)]
pub struct VarDelta {
    /// The variable.
    pub var: VarId,
    /// What it did not know before.
    pub delta: State,
    /// Why.
    pub cause: Cause,
}

/// Everything that happened since the last drain.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// What is new, at most one for each variable and cause, in the order in which they first grew.
    pub deltas: Vec<VarDelta>,
    /// Readers whose threshold was met; they wait no longer.
    pub met: Vec<WaiterId>,
    /// Watchers of a variable whose value changed, each once, ascending.
    pub changed: Vec<WatcherId>,
    /// What derivations had no result for, at most 16 for each derived variable; [`VarInfo`](crate::VarInfo) counts all.
    pub errors: Vec<DerivationError>,
}

/// Effects that wait to be drained. Bounded by the state: deltas of one variable merge.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    deltas: Vec<VarDelta>,
    pub(super) met: Vec<WaiterId>,
    pub(super) changed: BTreeSet<WatcherId>,
    errors: Vec<DerivationError>,
    /// How many errors of each variable wait.
    reported: BTreeMap<VarId, usize>,
}

impl Outbox {
    /// Adds news of a variable; `places` says where earlier ones of each cause wait.
    pub(super) fn push(&mut self, var: VarId, places: &mut [Option<u32>; 3], news: &State, cause: Cause) {
        let place = &mut places[cause as usize];
        match place.and_then(|at| self.deltas.get_mut(at as usize)) {
            Some(waiting) => _ = waiting.delta.merge(news.clone()),
            None => {
                *place = u32::try_from(self.deltas.len()).ok();
                self.deltas.push(VarDelta { var, delta: news.clone(), cause });
            }
        }
    }

    /// Drops the news of a variable that is forgotten.
    pub(super) fn forget(&mut self, var: VarId) {
        self.deltas.retain(|delta| delta.var != var);
        self.errors.retain(|error| error.var != var);
        self.reported.remove(&var);
    }

    /// The news that wait, each with its place.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (u32, &VarDelta)> {
        (0u32..).zip(&self.deltas)
    }

    pub(super) fn report(&mut self, error: DerivationError) {
        let reported = self.reported.entry(error.var).or_default();
        if *reported < ERRORS_KEPT {
            *reported += 1;
            self.errors.push(error);
        }
    }

    pub(super) fn drain(&mut self) -> Effects {
        self.reported.clear();
        Effects {
            deltas: std::mem::take(&mut self.deltas),
            met: std::mem::take(&mut self.met),
            changed: std::mem::take(&mut self.changed).into_iter().collect(),
            errors: std::mem::take(&mut self.errors),
        }
    }
}
