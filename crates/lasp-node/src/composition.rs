//! Operators over operators, made at once.

use crate::command::RequestError;
use lasp_dataflow::{DerivationId, Graph, Operator, Target, VarId};

/// Operators applied one after the other: each step to variables and to the results of earlier steps.
#[derive(Clone, Debug, Default)]
pub struct Composition {
    /// The steps; the last is the whole.
    pub steps: Vec<Step>,
}

/// One operator of a composition.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is computed.
    pub operator: Operator,
    /// Of what.
    pub inputs: Vec<Source>,
}

/// What a step is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A variable.
    Var(VarId),
    /// The result of an earlier step, by its place.
    Step(usize),
}

impl Composition {
    /// Derives the last step into `into`; what the other steps give has no name and no handle, and ends with it. All of it,
    /// or, where a step is refused, nothing.
    ///
    /// # Errors
    /// Why a step was refused; [`RequestError::Composition`] where there is no step, or one that reaches for a later one.
    pub(crate) fn derive(self, graph: &mut Graph, into: Target) -> Result<(VarId, DerivationId), RequestError> {
        let Some(last) = self.steps.len().checked_sub(1) else { return Err(RequestError::Composition) };
        let mut made: Vec<(VarId, DerivationId)> = Vec::with_capacity(last);
        let mut whole = Err(RequestError::Composition);
        for (at, Step { operator, inputs }) in self.steps.into_iter().enumerate() {
            let target = if at == last { into.clone() } else { Target::Local(None) };
            let inputs: Option<Vec<VarId>> = inputs.iter().map(|input| input.var(&made)).collect();
            let step = match inputs {
                Some(inputs) => graph.derive_removable(operator, &inputs, target).map_err(RequestError::from),
                None => Err(RequestError::Composition),
            };
            match step {
                Ok(step) if at < last => made.push(step),
                end => {
                    whole = end;
                    break;
                }
            }
        }
        // What follows from a result goes on without its variable.
        for (_, step) in made.into_iter().rev() {
            graph.remove_derivation(step);
        }
        whole
    }
}

impl Source {
    fn var(self, made: &[(VarId, DerivationId)]) -> Option<VarId> {
        match self {
            Self::Var(var) => Some(var),
            Self::Step(at) => made.get(at).map(|(var, _)| *var),
        }
    }
}
