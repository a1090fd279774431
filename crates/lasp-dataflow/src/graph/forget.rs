//! The way back: derivations that end, and variables that are forgotten.

use super::Graph;
use super::derivation::{DerivationId, Works};
use super::errors::UndeclareError;
use super::variable::{ErrorLog, Shows};
use crate::name::VarId;

impl Graph {
    /// Ends a derivation; `false` if there is none such. What it derived into a variable that travels stays there, as it is
    /// on the other nodes; nothing more follows here. The variable of a local result is forgotten with it, also where
    /// other results follow from it: they go on.
    pub fn remove_derivation(&mut self, id: DerivationId) -> bool {
        let Some(derivation) = self.derivations.get(&id) else { return false };
        let output = derivation.output;
        if let Works::View = derivation.works {
            self.forget_result(output);
            return true;
        }
        self.end(vec![id]);
        let output = &mut self.vars[output];
        output.info.derived = !output.made_by.is_empty();
        if !output.info.derived {
            output.info.errors = ErrorLog::default(); // nothing is left that could mend them
        }
        true
    }

    /// Takes derivations out, and the unnamed variables that carried provenance to them alone.
    fn end(&mut self, ids: Vec<DerivationId>) {
        let mut open = ids;
        while let Some(id) = open.pop() {
            let Some(derivation) = self.derivations.remove(&id) else { continue };
            if let Some(output) = self.vars.get_mut(derivation.output) {
                output.made_by.retain(|made| *made != id);
            }
            match derivation.works {
                Works::Carrying(_, inputs) => {
                    for input in inputs {
                        let Some(variable) = self.vars.get_mut(input) else { continue };
                        variable.dependents.retain(|(dependent, _)| *dependent != id);
                        if let (Some(view), true) = (variable.carries, variable.dependents.is_empty()) {
                            open.extend(variable.made_by.iter().copied());
                            self.carriers.remove(&view);
                            self.vars.remove(input);
                            self.views.release(view);
                        }
                    }
                }
                works @ (Works::Following(view) | Works::Summing(view, _)) => {
                    if let Works::Summing(_, bases) = &works {
                        self.stop_summing(id, bases);
                    }
                    if let Some(sinks) = self.sinks.get_mut(&view) {
                        sinks.retain(|sink| *sink != id);
                        if sinks.is_empty() {
                            self.sinks.remove(&view);
                        }
                    }
                    self.views.undemand(view, &mut self.vars);
                    self.views.release(view);
                }
                Works::View => {}
            }
        }
    }

    /// Forgets a variable and returns its memory; the handle is never used again. Of a replicated variable only this node's
    /// copy is meant: declared again, it starts empty and hears from others. Results that follow from a local result
    /// go on without it.
    ///
    /// # Errors
    /// [`UndeclareError`] while something here follows from it, derives into it, waits for it or watches it.
    pub fn undeclare(&mut self, var: VarId) -> Result<(), UndeclareError> {
        let variable = self.vars.get(var).ok_or(UndeclareError::UnknownVariable(var))?;
        let name = || variable.info.name.clone();
        if !variable.waiters.is_empty() || !variable.needed.is_empty() || !variable.watchers.is_empty() {
            return Err(UndeclareError::Awaited(name()));
        }
        if variable.view().is_some() {
            self.forget_result(var);
            return Ok(());
        }
        let reader = variable.dependents.iter().find_map(|(id, _)| Some(self.derivations.get(id)?.output));
        let reader = reader.map(|output| match self.vars[output].carries {
            Some(view) => self.views.view(view).vars.first().copied().unwrap_or(output),
            None => output,
        });
        if reader.is_some() || self.views.reads(var) {
            let by = reader.map(|var| self.vars[var].info.name.clone());
            return Err(UndeclareError::InUse { name: name(), by });
        }
        if !variable.made_by.is_empty() {
            return Err(UndeclareError::Derived(name()));
        }
        self.fingerprint = self.fingerprint.wrapping_sub(variable.share);
        self.forgotten += u64::from(!variable.state.is_bottom());
        self.outbox.forget(var);
        self.vars.remove(var);
        for (at, delta) in self.outbox.waiting() {
            self.vars[delta.var].pending[delta.cause as usize] = Some(at);
        }
        Ok(())
    }

    /// Forgets a local result.
    fn forget_result(&mut self, var: VarId) {
        for waiter in self.waiting.iter().filter(|(_, held)| **held == var).map(|(id, _)| *id).collect::<Vec<_>>() {
            self.waiting.remove(&waiter);
        }
        self.watching.retain(|_, watched| {
            watched.retain(|held| *held != var);
            !watched.is_empty()
        });
        let Some(variable) = self.vars.remove(var) else { return };
        if let Shows::View { view, is_demanded } = variable.shows {
            self.views.view_mut(view).vars.retain(|held| *held != var);
            if is_demanded {
                self.views.undemand(view, &mut self.vars);
            }
            self.views.release(view);
        }
        self.derivations.retain(|_, derivation| derivation.output != var);
    }
}
