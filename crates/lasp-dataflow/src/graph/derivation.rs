//! Derivations: edges of the graph, and the order in which changes travel along them.

use super::Graph;
use super::errors::DeriveError;
use super::step::Step;
use super::variable::Variable;
use crate::name::{Name, VarId};
use crate::operator::Operator;
use crate::operators::{Running, Side};
use crate::types::Type;
use std::collections::BTreeSet;

/// A derivation of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DerivationId(pub(super) u32);

/// An operator between its inputs and its output.
#[derive(Debug)]
pub(super) struct Derivation {
    pub(super) running: Running,
    /// Of an operator with one input, twice the same.
    pub(super) inputs: [VarId; 2],
    pub(super) output: VarId,
}

impl Derivation {
    /// The input on `side`, then the other.
    pub(super) fn seen_from(&self, side: Side) -> (VarId, VarId) {
        let [left, right] = self.inputs;
        match side {
            Side::Left => (left, right),
            Side::Right => (right, left),
        }
    }
}

/// Where a derivation's result goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A new variable that lives on this node only, with a name or without.
    Local(Option<Name>),
    /// A declared add-wins set: what is derived is united with what it holds, and replicated with it.
    Into(VarId),
}

impl Graph {
    /// Derives a variable from others, now and from now on. Inputs may still be empty.
    ///
    /// # Errors
    /// [`DeriveError`]; nothing is changed.
    pub fn derive(&mut self, operator: Operator, inputs: &[VarId], into: Target) -> Result<VarId, DeriveError> {
        let sides = self.check_inputs(&operator, inputs)?;
        let output = match into {
            Target::Local(name) => self.declare_result(&operator, name)?,
            Target::Into(var) => {
                self.check_target(&operator, var)?;
                self.check_acyclic(&sides, var)?;
                var
            }
        };
        self.connect(Running::new(operator), sides, output);
        Ok(output)
    }

    /// Lets `into` follow `from`: whatever `from` holds, now or later, is joined into `into`.
    ///
    /// Between sets this is a derivation with provenance, so removals follow too. Between variables of types that record
    /// who did what (counters, and whatever nests them or add-wins sets) the two states could not be told apart once
    /// joined; there `into` must be unused and takes no updates of its own at this node.
    ///
    /// # Errors
    /// [`DeriveError`]; nothing is changed.
    pub fn bind_to(&mut self, into: VarId, from: VarId) -> Result<(), DeriveError> {
        let (target, source) = (self.known(into)?, self.known(from)?);
        if target.info.ty != source.info.ty {
            return Err(DeriveError::OtherType {
                into: target.info.name.clone(),
                into_ty: target.info.ty.clone(),
                from: source.info.name.clone(),
                from_ty: source.info.ty.clone(),
            });
        }
        let exclusive = target.info.ty != Type::AwSet && !target.info.ty.joins_freely();
        if exclusive && !target.state.is_bottom() {
            return Err(DeriveError::NotFresh(target.info.name.clone(), target.info.ty.clone()));
        }
        if target.info.read_only {
            return Err(DeriveError::ReadOnly(target.info.name.clone()));
        }
        self.check_acyclic(&[from; 2], into)?;
        self.connect(Running::Follow, [from; 2], into);
        self.vars[into.index()].info.read_only = exclusive;
        Ok(())
    }

    fn known(&self, var: VarId) -> Result<&Variable, DeriveError> {
        self.vars.get(var.index()).ok_or(DeriveError::UnknownVariable(var))
    }

    fn check_inputs(&self, operator: &Operator, inputs: &[VarId]) -> Result<[VarId; 2], DeriveError> {
        let (operator, expected) = (operator.name(), operator.arity());
        if inputs.len() != expected {
            return Err(DeriveError::Arity { operator, expected, found: inputs.len() });
        }
        for &input in inputs {
            let info = &self.known(input)?.info;
            if !info.ty.is_set() {
                return Err(DeriveError::NotASet { operator, name: info.name.clone(), ty: info.ty.clone() });
            }
        }
        Ok([inputs[0], inputs[expected - 1]])
    }

    fn check_target(&self, operator: &Operator, var: VarId) -> Result<(), DeriveError> {
        let info = &self.known(var)?.info;
        let name = info.name.clone();
        match operator {
            Operator::Fold(_) => Err(DeriveError::FoldTarget(name)),
            _ if info.ty != Type::AwSet => {
                Err(DeriveError::Target { operator: operator.name(), name, ty: info.ty.clone() })
            }
            _ if info.read_only => Err(DeriveError::ReadOnly(name)),
            _ => Ok(()),
        }
    }

    /// Refuses an edge from `inputs` to `into` where one of them already follows from `into`.
    fn check_acyclic(&self, inputs: &[VarId; 2], into: VarId) -> Result<(), DeriveError> {
        let mut reached = BTreeSet::from([into]);
        let mut open = vec![into];
        while let Some(var) = open.pop() {
            if inputs.contains(&var) {
                let name = |var: VarId| self.vars[var.index()].info.name.clone();
                return Err(DeriveError::Cycle { into: name(into), from: name(var) });
            }
            open.extend(self.outputs_of(var).filter(|&output| reached.insert(output)));
        }
        Ok(())
    }

    fn outputs_of(&self, var: VarId) -> impl Iterator<Item = VarId> {
        self.vars[var.index()].dependents.iter().filter_map(|(id, _)| Some(self.derivations.get(id)?.output))
    }

    /// Makes the variable of a local result.
    fn declare_result(&mut self, operator: &Operator, name: Option<Name>) -> Result<VarId, DeriveError> {
        let name = match name {
            Some(name) if self.names.contains_key(&name) => return Err(DeriveError::NameTaken(name)),
            Some(name) => name,
            None => self.unused_name(operator.name()),
        };
        let ty = match operator {
            // Only its derivation writes it, so the last write is the result.
            Operator::Fold(_) => Type::LwwRegister,
            _ => Type::AwSet,
        };
        let var = self.insert(name, ty, true);
        self.vars[var.index()].info.read_only = true;
        Ok(var)
    }

    fn unused_name(&self, operator: &str) -> Name {
        let candidates = (self.vars.len()..).map(|n| Name::new(format!("~{operator}/{n}")).expect("a short name"));
        let mut unused = candidates.filter(|name| !self.names.contains_key(name));
        unused.next().expect("fewer names than numbers")
    }

    /// Adds the edges and feeds the operator with what its inputs hold.
    fn connect(&mut self, running: Running, inputs: [VarId; 2], output: VarId) {
        let id = DerivationId(self.next_derivation);
        self.next_derivation += 1;
        let binary = matches!(running, Running::Union | Running::Intersection | Running::Product | Running::Join(_));
        self.derivations.insert(id, Derivation { running, inputs, output });
        self.vars[output.index()].info.derived = true;
        let sides: &[Side] = if binary { &[Side::Left, Side::Right] } else { &[Side::Left] };
        let mut step = Step::default();
        for (&side, &input) in sides.iter().zip(&inputs) {
            self.vars[input.index()].dependents.push((id, side));
            self.raise_rank(input);
            // The first input meets an empty second one; the second then meets all of the first.
            let is_last = side as usize + 1 == sides.len();
            self.feed_whole(id, side, is_last, &mut step);
        }
        self.finish(step);
    }

    /// Restores the order after an edge was added at `var`: everything that follows from it ranks higher.
    fn raise_rank(&mut self, var: VarId) {
        let mut open = vec![var];
        while let Some(var) = open.pop() {
            let least = self.vars[var.index()].rank + 1;
            let lower: Vec<VarId> = self.outputs_of(var).filter(|v| self.vars[v.index()].rank < least).collect();
            for output in lower {
                self.vars[output.index()].rank = least;
                open.push(output);
            }
        }
    }
}
