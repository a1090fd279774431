//! Readers that wait for thresholds, watchers that are told of changes, and the drain that tells them.

use super::Graph;
use super::effects::Effects;
use crate::name::VarId;
use crate::threshold::{Threshold, ThresholdError};
use crate::waiters::{WaiterId, WatcherId};

impl Graph {
    /// Waits for `var` to reach a threshold. `true` if it already has: then nobody waits. Otherwise `waiter` comes out of
    /// [`drain`](Self::drain) once it has. An id that already waits moves here. A variable that this graph does not know
    /// never reaches anything.
    ///
    /// # Errors
    /// [`ThresholdError`] where the variable's type has no such threshold.
    pub fn wait(&mut self, waiter: WaiterId, var: VarId, threshold: Threshold) -> Result<bool, ThresholdError> {
        let Some(variable) = self.vars.get(var.index()) else { return Ok(false) };
        threshold.check(&variable.info.ty)?;
        self.cancel(waiter);
        let variable = &mut self.vars[var.index()];
        if threshold.is_met(&variable.state) {
            return Ok(true);
        }
        let place = variable.waiters.insert(waiter, threshold);
        self.waiting.insert(waiter, (var, place));
        Ok(false)
    }

    /// Waits no longer; nothing of `waiter` comes out any more.
    pub fn cancel(&mut self, waiter: WaiterId) {
        if let Some((var, place)) = self.waiting.remove(&waiter) {
            self.vars[var.index()].waiters.remove(waiter, place);
        }
        self.outbox.met.retain(|met| *met != waiter);
    }

    /// How many readers wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Tells `watcher` of each change of the value of `var`, from now on. One watcher may watch several variables.
    pub fn watch(&mut self, watcher: WatcherId, var: VarId) {
        let Some(variable) = self.vars.get_mut(var.index()) else { return };
        if !variable.watchers.contains(&watcher) {
            variable.watchers.push(watcher);
            self.watching.entry(watcher).or_default().push(var);
        }
    }

    /// Tells `watcher` nothing any more.
    pub fn unwatch(&mut self, watcher: WatcherId) {
        for var in self.watching.remove(&watcher).unwrap_or_default() {
            self.vars[var.index()].watchers.retain(|held| *held != watcher);
        }
        self.outbox.changed.remove(&watcher);
    }

    /// Takes out everything that happened since the last time.
    pub fn drain(&mut self) -> Effects {
        let effects = self.outbox.drain();
        for delta in &effects.deltas {
            self.vars[delta.var.index()].pending = [None; 3];
        }
        effects
    }
}
