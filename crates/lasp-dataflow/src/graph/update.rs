//! Changes from outside: operations, values, and states from other replicas.

use super::Graph;
use super::effects::Cause;
use super::errors::{BindError, UpdateError};
use crate::name::VarId;
use crate::op::Op;
use crate::state::{Author, State};
use crate::value::{MAX_VALUE_DEPTH, Value};
use lasp_crdt::Stamp;

impl Graph {
    /// Applies an operation at this replica, with all that follows from it, in one step. `stamp` is when, for registers in
    /// which the last write counts; one not above that of the write it replaces is raised.
    ///
    /// # Errors
    /// [`UpdateError`]; nothing is changed.
    pub fn update(&mut self, var: VarId, op: &Op, stamp: Stamp) -> Result<(), UpdateError> {
        let Some(variable) = self.vars.get(var) else { return Err(UpdateError::UnknownVariable(var)) };
        if variable.info.read_only {
            return Err(UpdateError::ReadOnly(variable.info.name.clone()));
        }
        let author = Author { replica: variable.author, stamp };
        let delta = variable.state.apply(&variable.info.ty, op, author)?;
        self.absorb(var, delta, Cause::Local);
        Ok(())
    }

    /// Applies an operation on behalf of `stamp.replica`, which stands for this one operation and nothing else: done again,
    /// here or elsewhere, it comes to the same. `false` if it had been done.
    ///
    /// An operation that adds or counts has its effect once, and what was removed since does not come back. A removal
    /// takes away what is there each time. A write of a register in which the last one counts has the stamp given, or one
    /// above the write that it replaces; where it was overwritten since, it is written again. What needs rights that a
    /// node has (bounded counters) is done by this replica, each time.
    ///
    /// # Errors
    /// [`UpdateError`]; nothing is changed.
    pub fn update_once(&mut self, var: VarId, op: &Op, stamp: Stamp) -> Result<bool, UpdateError> {
        let Some(variable) = self.vars.get(var) else { return Err(UpdateError::UnknownVariable(var)) };
        if variable.info.read_only {
            return Err(UpdateError::ReadOnly(variable.info.name.clone()));
        }
        let by = Author { replica: stamp.replica, stamp };
        let node = Author { replica: self.replica, stamp: Stamp { replica: self.replica, ..stamp } };
        let delta = variable.state.apply_once(&variable.info.ty, op, by, node)?;
        let grew = !delta.is_bottom();
        self.absorb(var, delta, Cause::Local);
        Ok(grew)
    }

    /// Joins a state from another replica (a delta or a whole one) into a variable; `true` if it grew. A state of another
    /// type, or one for a local result, changes nothing.
    pub fn merge(&mut self, var: VarId, state: State) -> bool {
        let Some(variable) = self.vars.get(var) else { return false };
        let info = &variable.info;
        if info.local && info.read_only || !state.is_of(&info.ty) {
            return false;
        }
        let news = state.difference(&variable.state);
        let grew = !news.is_bottom();
        self.absorb(var, news, Cause::Received);
        grew
    }

    /// Joins the value into a variable; `false` if it says nothing new. A list joined into an add-wins or remove-wins set
    /// adds those of its elements that are not there.
    ///
    /// # Errors
    /// [`BindError`]; nothing is changed.
    pub fn bind(&mut self, var: VarId, value: &Value) -> Result<bool, BindError> {
        let Some(variable) = self.vars.get(var) else { return Err(BindError::UnknownVariable(var)) };
        let (info, state) = (&variable.info, &variable.state);
        if info.read_only {
            return Err(BindError::ReadOnly(info.name.clone()));
        }
        if !value.nests_within(MAX_VALUE_DEPTH) {
            return Err(BindError::TooDeep);
        }
        let news = match state.add_absent(value, variable.author) {
            Some(additions) => additions,
            None => State::from_value(&info.ty, value)?,
        };
        if state.clashes_with(&news) {
            return Err(BindError::Clash { name: info.name.clone(), value: value.clone() });
        }
        let news = news.difference(state);
        let grew = !news.is_bottom();
        self.absorb(var, news, Cause::Local);
        Ok(grew)
    }
}
