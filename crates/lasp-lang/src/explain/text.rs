//! An explanation as text.

use super::model::{Derivation, Explanation, Input, Step};
use std::fmt::{self, Display, Formatter};

impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.write_variables(f)?;
        self.write_derivations(f)?;
        self.write_plan(f)
    }
}

impl Explanation {
    fn write_variables(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "variables")?;
        let width = self.variables.iter().map(|variable| variable.name.chars().count()).max().unwrap_or(0);
        let types = self.variables.iter().map(|variable| variable.ty.len()).max().unwrap_or(0).max(11);
        for variable in &self.variables {
            let size = variable.size.to_string();
            let size = if size.is_empty() { size } else { format!("; {size}") };
            writeln!(f, "  {:width$}  {:<types$}  {}{size}", variable.name, variable.ty, variable.origin)?;
            writeln!(f, "  {:width$}    {}", "", variable.growth.describe())?;
            if let Some((count, last)) = &variable.failures {
                writeln!(f, "  {:width$}    {count} left out; the last {last}", "")?;
            }
        }
        Ok(())
    }

    fn write_derivations(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "derivations")?;
        for derivation in &self.derivations {
            let Derivation { node, what, class, cost, .. } = derivation;
            let output = &self.variables[derivation.output].name;
            writeln!(f, "  {output} <- {} of {} at node {node}", what, self.names(&derivation.inputs))?;
            writeln!(f, "      {class}; a change costs {cost}")?;
        }
        for reaction in &self.reactions {
            let variable = &self.variables[reaction.variable].name;
            writeln!(f, "  {} {variable} at node {}", reaction.what, reaction.node)?;
        }
        Ok(())
    }

    fn write_plan(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "plan")?;
        if !self.plan.is_optimised() {
            return writeln!(f, "  each derivation runs as it is written");
        }
        for (place, step) in self.plan.steps.iter().enumerate() {
            writeln!(f, "  [{}] {} of {}", place + 1, step.stages.join(", then "), self.inputs(step))?;
            writeln!(f, "      {}", self.outcome(step))?;
        }
        Ok(())
    }

    fn names(&self, variables: &[usize]) -> String {
        variables.iter().map(|id| self.variables[*id].name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn inputs(&self, step: &Step) -> String {
        let input = |input: &Input| match input {
            Input::Variable(id, None) => self.variables[*id].name.clone(),
            Input::Variable(id, Some(part)) => format!("the {part} of {}", self.variables[*id].name),
            Input::Step(place) => format!("[{}]", place + 1),
        };
        step.inputs.iter().map(input).collect::<Vec<_>>().join(", ")
    }

    /// "gives X; kept; fused of 3".
    fn outcome(&self, step: &Step) -> String {
        let gives = match &step.gives[..] {
            [] => "passed on".to_owned(),
            variables => format!("gives {}", self.names(variables)),
        };
        let kept = if step.materialized { "kept" } else { "not kept" };
        let made = step.made.as_ref().map(|made| format!("; {made}")).unwrap_or_default();
        format!("{gives}; {kept}{made}")
    }
}
