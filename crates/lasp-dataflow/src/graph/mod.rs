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
mod step;
mod update;
mod variable;
mod wait;

pub use derivation::Target;
pub use effects::{Cause, Effects, VarDelta};
pub use errors::{BindError, DeclareError, DerivationError, DeriveError, UpdateError};
pub use variable::{ERRORS_KEPT, ErrorLog, VarInfo};

use crate::name::{Name, VarId};
use crate::output::Output;
use crate::state::State;
use crate::types::Type;
use crate::value::Value;
use crate::waiters::{Place, WaiterId, WatcherId};
use derivation::{Derivation, DerivationId};
use effects::Outbox;
use lasp_crdt::ReplicaId;
use std::collections::BTreeMap;
use variable::Variable;

/// The variables and derivations of one node.
#[derive(Debug)]
pub struct Graph {
    replica: ReplicaId,
    vars: Vec<Variable>,
    names: BTreeMap<Name, VarId>,
    derivations: BTreeMap<DerivationId, Derivation>,
    next_derivation: u32,
    waiting: BTreeMap<WaiterId, (VarId, Place)>,
    watching: BTreeMap<WatcherId, Vec<VarId>>,
    outbox: Outbox,
    fingerprint: u64,
}

impl Graph {
    /// A graph without variables, whose updates are those of `replica`. No other graph may use this id.
    pub fn new(replica: ReplicaId) -> Self {
        Self {
            replica,
            vars: Vec::new(),
            names: BTreeMap::new(),
            derivations: BTreeMap::new(),
            next_derivation: 0,
            waiting: BTreeMap::new(),
            watching: BTreeMap::new(),
            outbox: Outbox::default(),
            fingerprint: 0,
        }
    }

    /// Whose updates this graph's are.
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
        let Some(&var) = self.names.get(&name) else { return Ok(self.insert(name, ty, local)) };
        let held = &self.vars[var.index()].info;
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
        let var = VarId(u32::try_from(self.vars.len()).expect("fewer than 2^32 variables"));
        self.names.insert(name.clone(), var);
        self.vars.push(Variable::new(name, ty, local));
        var
    }

    /// The variable of this name.
    pub fn lookup(&self, name: &str) -> Option<VarId> {
        self.names.get(name).copied()
    }

    /// What is known of a variable besides its state.
    pub fn info(&self, var: VarId) -> Option<&VarInfo> {
        self.vars.get(var.index()).map(|variable| &variable.info)
    }

    /// Every variable, in the order of declaration.
    pub fn vars(&self) -> impl ExactSizeIterator<Item = (VarId, &VarInfo)> {
        self.vars.iter().enumerate().map(|(at, variable)| (VarId(at as u32), &variable.info))
    }

    /// The state of a variable.
    pub fn state(&self, var: VarId) -> Option<&State> {
        self.vars.get(var.index()).map(|variable| &variable.state)
    }

    /// The value of a variable. Cost: the size of its state.
    pub fn read(&self, var: VarId) -> Option<Output> {
        let variable = self.vars.get(var.index())?;
        let output = variable.state.read();
        let is_result = variable.info.local && variable.info.read_only;
        if is_result && output.as_value().is_some_and(crate::operators::is_unset) {
            Some(Output::Unset)
        } else {
            Some(output)
        }
    }

    /// How many elements or keys a collection has. O(1).
    pub fn cardinality(&self, var: VarId) -> Option<usize> {
        self.state(var)?.cardinality()
    }

    /// Whether a set holds `element`, or a map has this key. O(1).
    pub fn contains(&self, var: VarId, element: &Value) -> bool {
        self.state(var).is_some_and(|state| state.contains(element))
    }

    /// 64 bits over all replicated variables with a value: equal where they are equal. O(1).
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}
