//! What a view becomes: a list of derivations, each from tables and earlier ones.

use crate::error::Span;
use lasp_dataflow::Operator;
use std::sync::Arc;

/// What is known of a table's columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Columns {
    /// Its rows have these columns and no others.
    Listed(Vec<Arc<str>>),
    /// Its rows have any columns.
    Any,
    /// Not known yet: what depends on it is not complained about.
    Undetermined,
}

/// An input of a derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// One of the plan's tables.
    Table(usize),
    /// The result of an earlier step.
    Step(usize),
}

/// A derivation.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is derived.
    pub operator: Operator,
    /// From what, as many as the operator takes.
    pub inputs: Vec<Input>,
}

/// A view.
#[derive(Clone, Debug)]
pub struct View {
    /// Its name; a bare `select` has none.
    pub name: Option<Arc<str>>,
    /// Where its name stands; the whole text where there is none.
    pub at: Span,
    /// Whether it takes the place of a view with the same name.
    pub replaces: bool,
    /// The columns of its rows.
    pub columns: Columns,
    /// The tables it reads, each once.
    pub tables: Vec<Arc<str>>,
    /// Its derivations, at least one; the last gives the view.
    pub steps: Vec<Step>,
}

impl View {
    /// Derives the view: `tables` stand for those of the view in their order, `derive` makes a variable.
    ///
    /// # Errors
    /// The first of `derive`.
    pub fn apply<V: Clone, E>(
        &self,
        tables: &[V],
        mut derive: impl FnMut(&Operator, &[V]) -> Result<V, E>,
    ) -> Result<V, E> {
        let mut made: Vec<V> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let inputs: Vec<V> = step
                .inputs
                .iter()
                .map(|input| match input {
                    Input::Table(table) => tables[*table].clone(),
                    Input::Step(step) => made[*step].clone(),
                })
                .collect();
            made.push(derive(&step.operator, &inputs)?);
        }
        Ok(made.pop().expect("a view has a step"))
    }
}

/// A plan under way.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    pub(crate) tables: Vec<Arc<str>>,
    pub(crate) steps: Vec<Step>,
}

impl Steps {
    /// The input that a table is.
    pub(crate) fn table(&mut self, name: &str) -> Input {
        let known = self.tables.iter().position(|table| **table == *name);
        Input::Table(known.unwrap_or_else(|| {
            self.tables.push(name.into());
            self.tables.len() - 1
        }))
    }

    pub(crate) fn add(&mut self, operator: Operator, inputs: &[Input]) -> Input {
        self.steps.push(Step { operator, inputs: inputs.to_vec() });
        Input::Step(self.steps.len() - 1)
    }
}
