//! Derivations: which variables follow from which, and the order in which changes travel.
//!
//! A local result is a view (see [`views`](crate::views)). A result that travels is derived with provenance; where it follows
//! from a view, an unnamed variable carries that view's members with theirs.

use super::Graph;
use super::errors::DeriveError;
use super::step::Step;
use super::variable::{Shows, Variable};
use crate::name::{Name, VarId};
use crate::operator::{Call, Facet, FunctionError, Operator};
use crate::operators::{Running, Side};
use crate::types::Type;
use crate::value::Value;
use crate::views::{self, Shape, ViewId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A derivation of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DerivationId(pub(super) u32);

/// A derivation as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivationInfo {
    /// Its handle.
    pub id: DerivationId,
    /// The operator, with its functions.
    pub operator: String,
    /// What it follows from.
    pub inputs: Vec<VarId>,
    /// What follows.
    pub output: VarId,
}

/// An operator between its inputs and its output.
#[derive(Debug)]
pub(super) struct Derivation {
    pub(super) works: Works,
    /// What to show for it.
    text: Box<str>,
    /// As the program named them.
    shown: Vec<VarId>,
    pub(super) output: VarId,
}

/// How a derivation comes by its results.
#[derive(Debug)]
pub(super) enum Works {
    /// With provenance, fed by variables; of an operator with one input, twice the same.
    Carrying(Running, [VarId; 2]),
    /// The flag that a view says is raised.
    Following(ViewId),
    /// What a view comes to, with how far these variables had come that it is made of.
    Summing(ViewId, Box<[VarId]>),
    /// It is a view that its output shows.
    View,
}

impl Derivation {
    /// The input on `side`, then the other.
    pub(super) fn seen_from(&self, side: Side) -> Option<(VarId, VarId)> {
        let Works::Carrying(_, [left, right]) = self.works else { return None };
        Some(match side {
            Side::Left => (left, right),
            Side::Right => (right, left),
        })
    }

    pub(super) fn operator_name(&self) -> &'static str {
        match &self.works {
            Works::Carrying(running, _) => running.name(),
            Works::Following(_) => "reached",
            Works::Summing(..) => "fold",
            Works::View => "view",
        }
    }
}

/// Where a derivation's result goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A new variable that lives on this node only, with a name or without.
    Local(Option<Name>),
    /// A declared variable: what is derived is united with what it holds, and replicated with it. An add-wins set, or for
    /// [`Operator::Reached`] a boolean. For [`Operator::Fold`] a summary: it shows the result of whoever has folded the
    /// most, and what it is folded from are sets that are add-wins or only grow, replicated ones if the summary is.
    Into(VarId),
}

impl Graph {
    /// Derives a variable from others, now and from now on. Inputs may still be empty. A local result is computed when it
    /// is first read, watched or waited for.
    ///
    /// # Errors
    /// [`DeriveError`]; nothing is changed.
    pub fn derive(&mut self, operator: Operator, inputs: &[VarId], into: Target) -> Result<VarId, DeriveError> {
        self.derive_removable(operator, inputs, into).map(|(var, _)| var)
    }

    /// As [`derive`](Self::derive), with a handle to [remove](Self::remove_derivation) it again.
    ///
    /// # Errors
    /// [`DeriveError`]; nothing is changed.
    pub fn derive_removable(
        &mut self,
        operator: Operator,
        inputs: &[VarId],
        into: Target,
    ) -> Result<(VarId, DerivationId), DeriveError> {
        let shape = self.check_inputs(&operator, inputs)?;
        let text = format!("{operator:?}").into();
        let shown = inputs.to_vec();
        let (works, output) = match into {
            Target::Local(name) => (Works::View, self.derive_view(operator, inputs, shape, name)?),
            Target::Into(output) => {
                self.check_target(&operator, output)?;
                self.check_acyclic(inputs, output)?;
                let works = match operator {
                    Operator::Reached(_) => Works::Following(self.scalar_view(operator, inputs, shape)),
                    Operator::Fold(_) => {
                        let bases = self.check_summed(inputs[0], output)?;
                        Works::Summing(self.scalar_view(operator, inputs, shape), bases)
                    }
                    operator => {
                        self.check_carried(&operator, inputs)?;
                        let running = Running::new(&operator).expect("checked above");
                        let sides = [inputs[0], inputs[inputs.len() - 1]].map(|input| self.carrier(input));
                        Works::Carrying(running, sides)
                    }
                };
                (works, output)
            }
        };
        let id = self.connect(Derivation { works, text, shown, output });
        Ok((output, id))
    }

    /// Lets `into` follow `from`: whatever `from` holds, now or later, is joined into `into`.
    ///
    /// Between sets this is a derivation with provenance, so removals follow too. Between variables of types that record
    /// who did what (counters, and whatever nests them or add-wins sets) the two states could not be told apart once
    /// joined; there `into` must be unused and takes no updates of its own at this node.
    ///
    /// # Errors
    /// [`DeriveError`]; nothing is changed.
    pub fn bind_to(&mut self, into: VarId, from: VarId) -> Result<DerivationId, DeriveError> {
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
        if source.view().is_some() {
            if source.info.ty != Type::AwSet {
                return Err(DeriveError::NotCarried { operator: "bind_to", name: source.info.name.clone() });
            }
            self.check_carried(&Operator::Union, &[from])?;
        }
        self.check_acyclic(&[from], into)?;
        let carrier = self.carrier(from);
        let works = Works::Carrying(Running::Follow, [carrier; 2]);
        let id = self.connect(Derivation { works, text: "bind_to".into(), shown: vec![from], output: into });
        self.vars[into].info.read_only = exclusive;
        Ok(id)
    }

    /// Every derivation that the program made, in that order.
    pub fn derivations(&self) -> impl Iterator<Item = DerivationInfo> {
        let made = self.derivations.iter().filter(|(_, held)| self.vars[held.output].carries.is_none());
        made.map(|(&id, held)| DerivationInfo {
            id,
            operator: held.text.to_string(),
            inputs: held.shown.clone(),
            output: held.output,
        })
    }

    // ---- checks ----

    fn known(&self, var: VarId) -> Result<&Variable, DeriveError> {
        self.vars.get(var).ok_or(DeriveError::UnknownVariable(var))
    }

    /// What a variable looks like to a derivation.
    fn shape(&self, variable: &Variable) -> Option<Shape> {
        match variable.view() {
            Some(view) => Some(self.views.view(view).shape),
            None if variable.info.ty.facets().contains(&Facet::Elements) => Some(Shape::Set),
            None if variable.info.ty.facets().is_empty() => Some(Shape::Scalar),
            None => None,
        }
    }

    /// Checks that the operator takes these inputs; the shape of what it gives.
    fn check_inputs(&self, operator: &Operator, inputs: &[VarId]) -> Result<Shape, DeriveError> {
        let (name, expected) = (operator.name(), operator.arity());
        if inputs.len() != expected {
            return Err(DeriveError::Arity { operator: name, expected, found: inputs.len() });
        }
        let mut is_scalar = false;
        for &input in inputs {
            let variable = self.known(input)?;
            let info = &variable.info;
            let shape = self.shape(variable);
            match operator {
                Operator::View(facet) => self.check_facet(*facet, variable)?,
                Operator::Reached(threshold) => threshold.check(&info.ty)?,
                Operator::Map(_) if shape == Some(Shape::Scalar) || shape == Some(Shape::Flag) => is_scalar = true,
                _ if shape.is_some_and(Shape::is_collection) => {}
                _ => {
                    let (name, ty) = (info.name.clone(), info.ty.clone());
                    return Err(DeriveError::NotACollection { operator: operator.name(), name, ty });
                }
            }
        }
        Ok(match operator {
            Operator::Reached(_) => Shape::Flag,
            Operator::Fold(_) => Shape::Scalar,
            Operator::Group { .. } => Shape::Map,
            _ if is_scalar => Shape::Scalar,
            _ => Shape::Set,
        })
    }

    fn check_facet(&self, facet: Facet, variable: &Variable) -> Result<(), DeriveError> {
        let has_it = match variable.view().map(|view| self.views.view(view).shape) {
            Some(Shape::Set) => facet == Facet::Elements,
            Some(Shape::Map) => matches!(facet, Facet::Elements | Facet::Keys),
            // Its value, if it has one.
            Some(Shape::Scalar | Shape::Flag) => facet == Facet::Elements,
            None => variable.info.ty.facets().contains(&facet),
        };
        if has_it {
            return Ok(());
        }
        let (name, ty) = (variable.info.name.clone(), variable.info.ty.clone());
        Err(DeriveError::NoFacet { facet: facet.name(), name, ty })
    }

    fn check_target(&self, operator: &Operator, var: VarId) -> Result<(), DeriveError> {
        let info = &self.known(var)?.info;
        let name = info.name.clone();
        let wanted = match operator {
            Operator::Fold(_) => Type::Summary,
            Operator::Reached(_) => Type::Boolean,
            _ => Type::AwSet,
        };
        if info.read_only {
            return Err(DeriveError::ReadOnly(name));
        }
        if info.ty != wanted {
            return Err(DeriveError::Target { operator: operator.name(), wanted, name, ty: info.ty.clone() });
        }
        Ok(())
    }

    /// Checks that everything from the variables down to the operator can travel.
    fn check_carried(&self, operator: &Operator, inputs: &[VarId]) -> Result<(), DeriveError> {
        let refused = |operator: &Operator, var: VarId| {
            let name = self.vars[var].info.name.clone();
            Err(DeriveError::NotCarried { operator: operator.name(), name })
        };
        let carries_set = |var: VarId| self.vars[var].info.ty.is_set();
        if Running::new(operator).is_none() {
            return refused(operator, inputs[0]);
        }
        let mut seen = BTreeSet::new();
        let mut open: Vec<ViewId> = Vec::new();
        for &input in inputs {
            match self.vars[input].view() {
                Some(view) => open.push(view),
                None if carries_set(input) => {}
                None => return refused(operator, input),
            }
        }
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let view = self.views.view(id);
            if Running::new(&view.operator).is_none() || view.shape != Shape::Set {
                return refused(&view.operator, inputs[0]);
            }
            for input in &view.inputs {
                match *input {
                    views::Input::View(view) => open.push(view),
                    views::Input::Var(var) if carries_set(var) => {}
                    views::Input::Var(var) => return refused(&view.operator, var),
                }
            }
        }
        Ok(())
    }

    /// Refuses an edge from `inputs` to `into` where one of them already follows from `into`.
    fn check_acyclic(&self, inputs: &[VarId], into: VarId) -> Result<(), DeriveError> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<(VarId, VarId)> = inputs.iter().map(|&input| (input, input)).collect();
        while let Some((var, from)) = open.pop() {
            if var == into {
                let name = |var: VarId| self.vars[var].info.name.clone();
                return Err(DeriveError::Cycle { into: name(into), from: name(from) });
            }
            if seen.insert(var) {
                open.extend(self.causes_of(var).into_iter().map(|cause| (cause, from)));
            }
        }
        Ok(())
    }

    /// The variables that a variable directly follows from here.
    fn causes_of(&self, var: VarId) -> Vec<VarId> {
        let variable = &self.vars[var];
        let mut causes: Vec<VarId> = variable.view().map(|view| self.bases_of(view)).unwrap_or_default();
        for derivation in variable.made_by.iter().filter_map(|id| self.derivations.get(id)) {
            match &derivation.works {
                Works::Carrying(_, inputs) => causes.extend(inputs),
                Works::Following(view) | Works::Summing(view, _) => causes.extend(self.bases_of(*view)),
                Works::View => {}
            }
        }
        causes
    }

    /// The variables that a view is made of.
    pub(super) fn bases_of(&self, view: ViewId) -> Vec<VarId> {
        let mut bases = Vec::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![view];
        while let Some(view) = open.pop() {
            if seen.insert(view) {
                for input in &self.views.view(view).inputs {
                    match *input {
                        views::Input::Var(var) => bases.push(var),
                        views::Input::View(view) => open.push(view),
                    }
                }
            }
        }
        bases
    }

    // ---- views ----

    fn view_input(&self, var: VarId) -> views::Input {
        self.vars[var].view().map_or(views::Input::Var(var), views::Input::View)
    }

    /// Makes the variable of a local result.
    fn derive_view(
        &mut self,
        operator: Operator,
        inputs: &[VarId],
        shape: Shape,
        name: Option<Name>,
    ) -> Result<VarId, DeriveError> {
        let name = match name {
            Some(name) if self.vars.lookup(name.as_str()).is_some() => return Err(DeriveError::NameTaken(name)),
            Some(name) => name,
            None => self.unused_name(operator.name()),
        };
        let view = self.add_view(operator, inputs, shape);
        let ty = match self.views.view(view).shape {
            Shape::Set => Type::AwSet,
            // Only its derivation writes it, so the last write is the result.
            Shape::Scalar => Type::LwwRegister,
            Shape::Map => Type::GMap(Box::new(Type::LwwRegister)),
            Shape::Flag => Type::Boolean,
        };
        let var = self.insert(name, ty, true);
        self.views.view_mut(view).vars.push(var);
        let variable = &mut self.vars[var];
        variable.shows = Shows::View { view, is_demanded: false };
        (variable.info.read_only, variable.info.derived) = (true, true);
        Ok(var)
    }

    /// The view of an operator on these inputs. A part of a view is the view itself, or made of it.
    fn add_view(&mut self, operator: Operator, inputs: &[VarId], shape: Shape) -> ViewId {
        let inputs: Vec<views::Input> = inputs.iter().map(|&input| self.view_input(input)).collect();
        match (&operator, inputs.as_slice()) {
            (Operator::View(Facet::Elements), &[views::Input::View(view)])
                if self.views.view(view).shape != Shape::Set =>
            {
                self.views.add(Operator::Filter(Arc::new(HasValue)), &inputs, shape)
            }
            (Operator::View(Facet::Elements), &[views::Input::View(view)]) => {
                self.views.use_again(view);
                view
            }
            (Operator::View(_), [views::Input::View(_)]) => {
                self.views.add(Operator::Map(Arc::new(KeyOfEntry)), &inputs, shape)
            }
            _ => self.views.add(operator, &inputs, shape),
        }
    }

    fn scalar_view(&mut self, operator: Operator, inputs: &[VarId], shape: Shape) -> ViewId {
        let view = self.add_view(operator, inputs, shape);
        let failures = self.views.demand(view, &mut self.vars);
        self.report(failures, Some(view));
        view
    }

    /// Computes what a variable shows, if nobody wanted to see it yet.
    pub(super) fn demand(&mut self, var: VarId) {
        let Some(variable) = self.vars.get_mut(var) else { return };
        if let Shows::View { view, is_demanded: is_demanded @ false } = &mut variable.shows {
            *is_demanded = true;
            let view = *view;
            let failures = self.views.demand(view, &mut self.vars);
            self.report(failures, Some(view));
        }
    }

    fn unused_name(&self, operator: &str) -> Name {
        let candidates = (self.vars.given()..).map(|n| Name::new(format!("~{operator}/{n}")).expect("a short name"));
        let mut unused = candidates.filter(|name| self.vars.lookup(name.as_str()).is_none());
        unused.next().expect("fewer names than numbers")
    }

    // ---- results that travel ----

    /// The variable that carries the members of `var` with their provenance: itself, or one made for its view.
    fn carrier(&mut self, var: VarId) -> VarId {
        let Some(view) = self.vars[var].view() else { return var };
        let mut open = vec![view];
        while let Some(&id) = open.last() {
            if self.carriers.contains_key(&id) {
                open.pop();
                continue;
            }
            let inputs = self.views.view(id).inputs.clone();
            let missing: Vec<ViewId> = inputs
                .iter()
                .filter_map(|input| match input {
                    views::Input::View(input) if !self.carriers.contains_key(input) => Some(*input),
                    _ => None,
                })
                .collect();
            if missing.is_empty() {
                self.make_carrier(id);
                open.pop();
            } else {
                open.extend(missing);
            }
        }
        self.carriers[&view]
    }

    fn make_carrier(&mut self, view: ViewId) {
        let made = self.views.view(view);
        let running = Running::new(&made.operator).expect("checked before");
        let text = format!("{:?}", made.operator).into();
        let sides = [made.inputs[0], made.inputs[made.inputs.len() - 1]].map(|input| match input {
            views::Input::Var(var) => var,
            views::Input::View(view) => self.carriers[&view],
        });
        let name = Name::new(format!("~carrier/{}", self.vars.given())).expect("a short name");
        let mut variable = Variable::new(name, Type::AwSet, true, self.replica);
        variable.carries = Some(view);
        let output = self.vars.insert(variable);
        self.carriers.insert(view, output);
        self.views.use_again(view);
        self.connect(Derivation { works: Works::Carrying(running, sides), text, shown: Vec::new(), output });
    }

    /// Adds the edges, and feeds the operator with what its inputs hold.
    fn connect(&mut self, derivation: Derivation) -> DerivationId {
        let id = DerivationId(self.next_derivation);
        self.next_derivation += 1;
        let output = derivation.output;
        self.vars[output].info.derived = true;
        self.vars[output].made_by.push(id);
        let mut step = Step::default();
        match &derivation.works {
            Works::View => {
                self.derivations.insert(id, derivation);
            }
            &Works::Following(view) => {
                self.derivations.insert(id, derivation);
                self.sinks.entry(view).or_default().push(id);
                self.raise_above_view(view, output);
                self.follow_view(view, &mut step);
            }
            Works::Summing(view, bases) => {
                let (view, bases) = (*view, bases.clone());
                self.derivations.insert(id, derivation);
                self.raise_above_view(view, output);
                self.start_summing(id, view, &bases, &mut step);
            }
            Works::Carrying(running, inputs) => {
                let inputs = *inputs;
                let sides: &[Side] = if running.is_binary() { &[Side::Left, Side::Right] } else { &[Side::Left] };
                self.derivations.insert(id, derivation);
                for (&side, &input) in sides.iter().zip(&inputs) {
                    self.vars[input].dependents.push((id, side));
                    let rank = self.vars[input].rank;
                    self.raise_rank(output, rank);
                    // The first input meets an empty second one; the second then meets all of the first.
                    let is_last = side as usize + 1 == sides.len();
                    self.feed_whole(id, side, is_last, &mut step);
                }
            }
        }
        self.finish(step);
        id
    }

    /// The variable follows from something of rank `above`: it and all that follows from it rank higher.
    fn raise_rank(&mut self, var: VarId, above: u32) {
        let mut open = vec![(var, above)];
        while let Some((var, above)) = open.pop() {
            if self.vars[var].rank > above {
                continue;
            }
            self.vars[var].rank = above + 1;
            let rank = above + 1;
            let outputs = self.vars[var].dependents.iter().filter_map(|(id, _)| Some(self.derivations.get(id)?.output));
            open.extend(outputs.map(|output| (output, rank)));
            for at in 0..self.vars[var].taps.len() {
                let tap = self.vars[var].taps[at];
                for (view, rank) in self.views.raise_rank(tap.node, rank) {
                    let sinks = self.sinks.get(&view).into_iter().flatten();
                    open.extend(sinks.filter_map(|id| Some((self.derivations.get(id)?.output, rank))));
                }
            }
        }
    }

    fn raise_above_view(&mut self, view: ViewId, output: VarId) {
        if let Some(rank) = self.views.rank(view) {
            self.raise_rank(output, rank);
        }
    }
}

/// The keys of a map's entries; the same function wherever it is asked for.
struct KeyOfEntry;

impl Call for KeyOfEntry {
    fn call(&self, args: &[Value]) -> Result<Value, FunctionError> {
        match args {
            [Value::Tuple(entry)] if entry.len() == 2 => Ok(entry[0].clone()),
            _ => Err(FunctionError::new("no entry of a map")),
        }
    }

    fn describe(&self) -> String {
        "the key".into()
    }

    fn identity(&self) -> Option<Arc<str>> {
        Some("the key of an entry".into())
    }
}

/// Whether a scalar has a value: as a set it has that one member. The entries of a map are all values.
struct HasValue;

impl Call for HasValue {
    fn call(&self, args: &[Value]) -> Result<Value, FunctionError> {
        Ok(Value::Bool(args.iter().all(|value| !views::is_unset(value))))
    }

    fn describe(&self) -> String {
        "it has a value".into()
    }

    fn identity(&self) -> Option<Arc<str>> {
        Some("whether a scalar has a value".into())
    }
}
