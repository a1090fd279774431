//! The graph of variables and derivations of one node.
//!
//! Variables are declared by name and addressed by handle; derivations connect them. A change goes in by
//! [`update`](Graph::update), [`bind`](Graph::bind) or [`merge`](Graph::merge), travels through everything that follows
//! from it in one step, and what came of it goes out by [`drain`](Graph::drain). After Lasp (Meiklejohn and Van Roy,
//! PPDP'15), whose processes re-run over whole states; here only changes travel, and nothing half-done is seen. Knows no
//! peer and no time.

mod change;
mod derivation;
mod effects;
mod errors;
mod forget;
mod step;
mod summing;
mod update;
mod variable;
mod variables;
mod wait;

pub use derivation::{DerivationId, DerivationInfo, Target};
pub use effects::{Cause, Effects, VarDelta};
pub use errors::{BindError, DeclareError, DerivationError, DeriveError, UndeclareError, UpdateError};
pub use variable::{ERRORS_KEPT, ErrorLog, VarInfo};

use crate::name::{Name, VarId};
use crate::output::Output;
use crate::state::{Moved, State};
use crate::types::Type;
use crate::value::Value;
use crate::views::{Plan, ViewId, Views};
use crate::waiters::{WaiterId, WatcherId};
use derivation::Derivation;
use effects::Outbox;
use lasp_crdt::ReplicaId;
use lasp_crdt::fingerprint::mix;
use std::collections::BTreeMap;
use variable::{Shows, Variable};
use variables::Variables;

/// The variables and derivations of one node.
#[derive(Debug)]
pub struct Graph {
    replica: ReplicaId,
    /// How often a variable was forgotten that held something.
    forgotten: u64,
    vars: Variables,
    /// Derivations into variables that travel, and those that carry provenance to them.
    derivations: BTreeMap<DerivationId, Derivation>,
    /// Flags and folds that follow a view.
    sinks: BTreeMap<ViewId, Vec<DerivationId>>,
    next_derivation: u32,
    /// Derivations whose results stay here.
    views: Views,
    /// The variables that carry views' members with provenance.
    carriers: BTreeMap<ViewId, VarId>,
    waiting: BTreeMap<WaiterId, VarId>,
    watching: BTreeMap<WatcherId, Vec<VarId>>,
    outbox: Outbox,
    fingerprint: u64,
    /// Reused from step to step.
    moved: Vec<Moved>,
}

impl Graph {
    /// A graph without variables, whose updates are those of `replica`. No other graph may use this id.
    pub fn new(replica: ReplicaId) -> Self {
        Self {
            replica,
            forgotten: 0,
            vars: Variables::default(),
            derivations: BTreeMap::new(),
            sinks: BTreeMap::new(),
            next_derivation: 0,
            views: Views::default(),
            carriers: BTreeMap::new(),
            waiting: BTreeMap::new(),
            watching: BTreeMap::new(),
            outbox: Outbox::default(),
            fingerprint: 0,
            moved: Vec::new(),
        }
    }

    /// Whose updates this graph's are, but for those to variables declared after others were forgotten.
    pub fn replica(&self) -> ReplicaId {
        self.replica
    }

    /// Declares a replicated variable. One that is declared alike is the same, and keeps its value.
    ///
    /// # Errors
    /// [`DeclareError`] where the name belongs to another kind of variable.
    pub fn declare(&mut self, name: Name, ty: Type) -> Result<VarId, DeclareError> {
        self.declare_as(name, ty, false)
    }

    /// Declares a variable that never leaves this node.
    ///
    /// # Errors
    /// As [`declare`](Self::declare).
    pub fn declare_local(&mut self, name: Name, ty: Type) -> Result<VarId, DeclareError> {
        self.declare_as(name, ty, true)
    }

    fn declare_as(&mut self, name: Name, ty: Type, local: bool) -> Result<VarId, DeclareError> {
        let Some(var) = self.vars.lookup(name.as_str()) else { return Ok(self.insert(name, ty, local)) };
        let held = &self.vars[var].info;
        if held.ty != ty {
            return Err(DeclareError::OtherType { name, held: held.ty.clone(), wanted: ty });
        }
        if held.local != local {
            return Err(DeclareError::OtherLocality { name, held_local: held.local });
        }
        Ok(var)
    }

    /// Makes a variable; the name must be free.
    fn insert(&mut self, name: Name, ty: Type, local: bool) -> VarId {
        let var = self.vars.insert(Variable::new(name, ty, local, self.author()));
        self.vars.publish(var);
        var
    }

    /// Whose updates those of a variable declared now are. A copy that was forgotten does not know what this replica did to
    /// it, and must not number it again from the start: so what is declared after that is written by another id, which no
    /// other graph has but by a hash collision.
    fn author(&self) -> ReplicaId {
        match self.forgotten {
            0 => self.replica,
            times => ReplicaId(mix(self.replica.0, times)),
        }
    }

    /// The variable of this name.
    pub fn lookup(&self, name: &str) -> Option<VarId> {
        self.vars.lookup(name)
    }

    /// What is known of a variable besides its state.
    pub fn info(&self, var: VarId) -> Option<&VarInfo> {
        self.vars.get(var).map(|variable| &variable.info)
    }

    /// Every variable, in the order of declaration.
    pub fn vars(&self) -> impl Iterator<Item = (VarId, &VarInfo)> {
        self.vars_from(0)
    }

    /// The same from the variable with this index on ([`VarId::index`]), or the next that there is. O(1) to begin.
    pub fn vars_from(&self, index: usize) -> impl Iterator<Item = (VarId, &VarInfo)> {
        let named = self.vars.from(index).filter(|(_, variable)| variable.carries.is_none());
        named.map(|(var, variable)| (var, &variable.info))
    }

    /// How many [`vars`](Self::vars) there are. O(1).
    pub const fn vars_count(&self) -> usize {
        self.vars.listed()
    }

    /// How many variables were ever declared here, those that carry views' members included. O(1).
    pub fn declared(&self) -> usize {
        self.vars.given()
    }

    /// The state of a variable; of a local result, which has none, bottom.
    pub fn state(&self, var: VarId) -> Option<&State> {
        self.vars.get(var).map(|variable| &variable.state)
    }

    /// The value of a variable. Cost: its size; the first time for a local result, that of computing it.
    pub fn read(&mut self, var: VarId) -> Option<Output> {
        self.demand(var);
        self.is_wanted(var);
        self.peek(var)
    }

    /// The value of a variable, without wanting it: `None` for a local result that nobody has wanted yet.
    pub fn peek(&self, var: VarId) -> Option<Output> {
        let variable = self.vars.get(var)?;
        match variable.shows {
            Shows::State => Some(variable.state.read()),
            Shows::View { view, is_demanded } => is_demanded.then(|| self.views.read(view)),
        }
    }

    /// How many elements or keys a collection has. O(1), but for the first time for a local result.
    pub fn cardinality(&mut self, var: VarId) -> Option<usize> {
        self.demand(var);
        let variable = self.vars.get(var)?;
        match variable.shows {
            Shows::State => variable.state.cardinality(),
            Shows::View { view, .. } => self.views.cardinality(view),
        }
    }

    /// As [`cardinality`](Self::cardinality), without wanting it: `None` for a local result that nobody has wanted yet.
    pub fn peek_cardinality(&self, var: VarId) -> Option<usize> {
        let variable = self.vars.get(var)?;
        match variable.shows {
            Shows::State => variable.state.cardinality(),
            Shows::View { view, is_demanded } => is_demanded.then(|| self.views.cardinality(view)).flatten(),
        }
    }

    /// Whether a set holds `element`, or a map has this key. O(1), but for the first time for a local result.
    pub fn contains(&mut self, var: VarId, element: &Value) -> bool {
        self.demand(var);
        let Some(variable) = self.vars.get(var) else { return false };
        match variable.shows {
            Shows::State => variable.state.contains(element),
            Shows::View { view, .. } => self.views.contains(view, element),
        }
    }

    /// Local results as the program derived them, and what computes those that somebody wanted.
    pub fn plan(&self) -> Plan {
        self.views.plan()
    }

    /// 64 bits over all replicated variables with a value: equal where they are equal. O(1).
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}
