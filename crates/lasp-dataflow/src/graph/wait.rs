//! Readers that wait for thresholds, those that wait for readers, watchers that are told of changes, and the drain that tells
//! them.

use super::Graph;
use super::effects::Effects;
use super::variable::Variable;
use crate::name::VarId;
use crate::threshold::{Threshold, ThresholdError};
use crate::value::Value;
use crate::views::ViewId;
use crate::waiters::{Now, WaiterId, WatcherId};

impl Graph {
    /// Waits for `var` to reach a threshold. `true` if it already has: then nobody waits. Otherwise `waiter` comes out of
    /// [`drain`](Self::drain) once it has. An id that already waits moves here. A variable that this graph does not know
    /// never reaches anything.
    ///
    /// # Errors
    /// [`ThresholdError`] where the variable's type has no such threshold.
    pub fn wait(&mut self, waiter: WaiterId, var: VarId, threshold: Threshold) -> Result<bool, ThresholdError> {
        let Some(variable) = self.vars.get(var) else { return Ok(false) };
        threshold.check(&variable.info.ty)?;
        self.cancel(waiter);
        self.demand(var);
        let is_met = self.is_met(&self.vars[var], &threshold);
        if !is_met {
            self.enlist(waiter, var, threshold);
        }
        self.is_wanted(var);
        Ok(is_met)
    }

    /// Waits until somebody wants `var` at least this far: reads it (for any threshold below all values), or waits for a
    /// threshold that implies this one. `true` if somebody does, or if it has come so far already: then nobody waits. Otherwise
    /// `waiter` comes out of [`drain`](Self::drain). For programs that compute only what is asked for (by-need
    /// synchronisation; Van Roy and Haridi, "Concepts, Techniques, and Models", §4.5).
    ///
    /// # Errors
    /// [`ThresholdError`] where the variable's type has no such threshold.
    pub fn wait_needed(&mut self, waiter: WaiterId, var: VarId, threshold: Threshold) -> Result<bool, ThresholdError> {
        let Some(variable) = self.vars.get(var) else { return Ok(false) };
        threshold.check(&variable.info.ty)?;
        self.cancel(waiter);
        let variable = &self.vars[var];
        let is_above_bottom = !threshold.is_trivial();
        if variable.waiters.demands(&threshold) || is_above_bottom && self.is_met(variable, &threshold) {
            return Ok(true);
        }
        self.vars[var].needed.insert(waiter, threshold);
        self.waiting.insert(waiter, var);
        Ok(false)
    }

    fn enlist(&mut self, waiter: WaiterId, var: VarId, threshold: Threshold) {
        self.waiting.insert(waiter, var);
        let Some(variable) = self.vars.get_mut(var) else { return };
        match variable.view() {
            Some(view) => {
                let views = &self.views;
                variable.waiters.insert(waiter, threshold, &|member| views.contains(view, member));
                self.note_awaited(view);
            }
            None => {
                let state = &variable.state;
                variable.waiters.insert(waiter, threshold, &|member| state.contains(member));
            }
        }
    }

    /// Has the members that come to a view noted, while somebody waits for members of it.
    fn note_awaited(&mut self, view: ViewId) {
        let is_awaited = self.views.view(view).vars.iter().any(|var| self.vars[*var].waiters.awaits_members());
        self.views.set_awaited(view, is_awaited);
    }

    /// Wakes those who waited for what a variable has become; `came` are its elements or keys that came, where they were
    /// noted.
    pub(super) fn wake(&mut self, var: VarId, came: Option<&[Value]>) {
        let Some(variable) = self.vars.get_mut(var).filter(|variable| !variable.waiters.is_empty()) else { return };
        let met = match variable.view() {
            Some(view) => {
                let views = &self.views;
                variable.waiters.take_met(&Now {
                    level: views.level(view),
                    value: views.scalar(view).cloned(),
                    came,
                    contains: &|member| views.contains(view, member),
                    is_met: &|threshold| views.is_met(view, threshold),
                })
            }
            None => {
                let state = &variable.state;
                variable.waiters.take_met(&Now {
                    level: state.level(),
                    value: state.held(),
                    came,
                    contains: &|member| state.contains(member),
                    is_met: &|threshold| threshold.is_met(state),
                })
            }
        };
        for waiter in met {
            self.waiting.remove(&waiter);
            self.outbox.met.push(waiter);
        }
        if let Some(view) = self.vars[var].view() {
            self.note_awaited(view);
        }
    }

    fn is_met(&self, variable: &Variable, threshold: &Threshold) -> bool {
        match variable.view() {
            Some(view) => self.views.is_met(view, threshold),
            None => threshold.is_met(&variable.state),
        }
    }

    /// Somebody has read a variable or begun to wait for it: wakes those who waited for that.
    pub(super) fn is_wanted(&mut self, var: VarId) {
        let Some(variable) = self.vars.get_mut(var).filter(|variable| !variable.needed.is_empty()) else { return };
        let waiters = &variable.waiters;
        let wanted = variable.needed.extract_if(.., |_, needed| needed.is_trivial() || waiters.demands(needed));
        for (waiter, _) in wanted {
            self.waiting.remove(&waiter);
            self.outbox.met.push(waiter);
        }
    }

    /// Waits no longer; nothing of `waiter` comes out any more.
    pub fn cancel(&mut self, waiter: WaiterId) {
        if let Some(var) = self.waiting.remove(&waiter) {
            let variable = &mut self.vars[var];
            variable.waiters.remove(waiter);
            variable.needed.remove(&waiter);
            if let Some(view) = variable.view() {
                self.note_awaited(view);
            }
        }
        self.outbox.met.retain(|met| *met != waiter);
    }

    /// How many readers wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Tells `watcher` of each change of the value of `var`, from now on. One watcher may watch several variables.
    pub fn watch(&mut self, watcher: WatcherId, var: VarId) {
        self.demand(var);
        self.is_wanted(var);
        let Some(variable) = self.vars.get_mut(var) else { return };
        if variable.watchers.contains(&watcher) {
            return;
        }
        variable.watchers.push(watcher);
        if let Some(view) = variable.view() {
            self.views.set_watched(view, true);
        }
        self.watching.entry(watcher).or_default().push(var);
    }

    /// Tells `watcher` nothing any more.
    pub fn unwatch(&mut self, watcher: WatcherId) {
        for var in self.watching.remove(&watcher).unwrap_or_default() {
            let Some(variable) = self.vars.get_mut(var) else { continue };
            variable.watchers.retain(|held| *held != watcher);
            if let Some(view) = variable.view() {
                let is_watched = self.views.view(view).vars.iter().any(|var| !self.vars[*var].watchers.is_empty());
                self.views.set_watched(view, is_watched);
            }
        }
        self.outbox.changed.remove(&watcher);
    }

    /// Takes out everything that happened since the last time.
    pub fn drain(&mut self) -> Effects {
        let effects = self.outbox.drain();
        for delta in &effects.deltas {
            self.vars[delta.var].pending = [None; 3];
        }
        effects
    }
}
