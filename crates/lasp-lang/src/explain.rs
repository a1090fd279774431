//! The dataflow of a program: its variables, what follows from what, what a change costs, and what is run for it.
//!
//! A program is explained by running it on one graph that stands for all its nodes, while everything that enters the graph
//! is noted down. Values of forms are not shown then, as showing reads them, and what nobody reads need not be kept. The classes follow the operators' algebra: morphisms and bimorphisms need only the change (and an index
//! of the other side); folds summarise and are computed anew where they cannot be undone.

mod class;
mod model;
mod plan;
mod recorder;
mod text;

pub use model::{Derivation, Explanation, Growth, Input, Origin, Plan, Reaction, Step, Variable, VariableId};
pub use recorder::Recorder;

use crate::graph_host::GraphHost;
use crate::host::Host;
use crate::session::{Session, Stop};
use crate::source::Source;
use crate::term::Term;
use std::collections::BTreeMap;
use std::sync::Arc;

/// More nodes than a program names.
const NODES: usize = 1024;

/// The dataflow of `source`, and what stopped the program if it did not run to its end: then the graph is that of the part
/// before.
pub fn explain(source: &Arc<Source>) -> (Explanation, Option<Stop>) {
    let mut session = Session::new(Recorder::of_everything(GraphHost::standing_for(NODES)));
    session.show_values(false);
    let stop = session.run(source, &mut |_| {}).err();
    (session.explain(true), stop)
}

impl<H: Host> Session<Recorder<H>> {
    /// The dataflow of everything that was run so far.
    pub fn explanation(&mut self) -> Explanation {
        self.explain(false)
    }

    fn explain(&mut self, at_end: bool) -> Explanation {
        let mut names = BTreeMap::new();
        for (name, term) in self.terms() {
            if let Term::Variable(variable) = term {
                names.entry(variable.handle).or_insert_with(|| name.to_owned());
            }
        }
        let failures = self.failures();
        self.host().explanation(&names, &failures, at_end)
    }
}
