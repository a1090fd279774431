//! Derivations that can be taken out of a graph again.
//!
//! SHIM: the graph is to offer this itself (`derive_removable`, `remove_derivation`). Until it does, what a program derived
//! goes on when the program is gone, and this file is where to change that.

use lasp_dataflow::{DeriveError, Graph, Operator, Target, VarId};

/// Names a derivation of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DerivationId;

/// What programs need of a graph.
pub(crate) trait Removable {
    /// Derives, for as long as the derivation is not removed.
    fn derive_removable(
        &mut self,
        operator: Operator,
        inputs: &[VarId],
        target: Target,
    ) -> Result<(VarId, DerivationId), DeriveError>;

    /// Lets one variable follow another, for as long as that is not removed.
    fn bind_to_removable(&mut self, into: VarId, from: VarId) -> Result<DerivationId, DeriveError>;

    /// Removes a derivation; `false` if there is none.
    fn remove_derivation(&mut self, id: DerivationId) -> bool;
}

impl Removable for Graph {
    fn derive_removable(
        &mut self,
        operator: Operator,
        inputs: &[VarId],
        target: Target,
    ) -> Result<(VarId, DerivationId), DeriveError> {
        Ok((self.derive(operator, inputs, target)?, DerivationId))
    }

    fn bind_to_removable(&mut self, into: VarId, from: VarId) -> Result<DerivationId, DeriveError> {
        self.bind_to(into, from).map(|()| DerivationId)
    }

    fn remove_derivation(&mut self, _id: DerivationId) -> bool {
        false
    }
}
