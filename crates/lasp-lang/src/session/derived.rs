//! Where variables are derived: what is shown when a function of theirs fails.

use crate::machine::Place;
use crate::source::{Source, Span};
use crate::term::{Handle, Term};
use lasp_dataflow::{FunctionError, ProgramText};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Places where one variable is derived that are remembered (guess: more than a program has).
const PLACES_MAX: usize = 64;

/// Said of one place of several that it may have been.
const ONE_OF: &str = "here, or in another derivation into the same variable";

/// How variables are derived, the latest last.
#[derive(Debug, Default)]
pub(super) struct Derived(BTreeMap<Handle, Vec<Derivation>>);

#[derive(Debug)]
struct Derivation {
    /// `map`, `sql`.
    operation: String,
    /// The call.
    at: Option<Place>,
    /// The programs of its functions.
    sources: Vec<Arc<Source>>,
}

impl Derived {
    /// Notes that `variable` is derived by `operation` of `args`, which is called at `at`.
    pub(super) fn note(&mut self, operation: &str, variable: Handle, at: Option<Place>, args: &[Term]) {
        let derivation = Derivation { operation: operation.to_owned(), at, sources: sources(args) };
        let known = self.0.entry(variable).or_default();
        // The same once more, in a loop or at another node.
        if known.iter().any(|earlier| earlier.is_same(&derivation)) {
            return;
        }
        if known.len() == PLACES_MAX {
            known.remove(0);
        }
        known.push(derivation);
    }

    /// The part of a function that failed, else the call of such an operation that derives the variable, and what to say
    /// about that.
    pub(super) fn place(
        &self,
        variable: Handle,
        operator: &str,
        error: &FunctionError,
    ) -> Option<(Place, &'static str)> {
        let known = self.0.get(&variable)?;
        if let (Some((start, end)), Some(program)) = (error.at, &error.program) {
            let source = known.iter().flat_map(|derivation| &derivation.sources).find(|source| is_in(program, source));
            if let Some(source) = source {
                return Some(((source.clone(), Span::new(start, end)), ""));
            }
        }
        let of_operator = known.iter().filter(|derivation| derivation.operation == operator);
        let mut places: Vec<&Place> = of_operator.filter_map(|derivation| derivation.at.as_ref()).collect();
        if places.is_empty() {
            places = known.iter().filter_map(|derivation| derivation.at.as_ref()).collect();
        }
        let label = if places.len() > 1 { ONE_OF } else { "" };
        places.last().map(|place| (Place::clone(place), label))
    }
}

impl Derivation {
    fn is_same(&self, other: &Self) -> bool {
        let same_place = match (&self.at, &other.at) {
            (Some(a), Some(b)) => Arc::ptr_eq(&a.0, &b.0) && a.1 == b.1,
            (a, b) => a.is_none() && b.is_none(),
        };
        let same_sources = self.sources.len() == other.sources.len()
            && self.sources.iter().zip(&other.sources).all(|(a, b)| Arc::ptr_eq(a, b));
        self.operation == other.operation && same_place && same_sources
    }
}

/// The programs of the functions in `args`, each once.
fn sources(args: &[Term]) -> Vec<Arc<Source>> {
    let mut sources: Vec<Arc<Source>> = Vec::new();
    let mut open: Vec<Term> = args.to_vec();
    while let Some(arg) = open.pop() {
        let Term::Function(function) = &arg else {
            open.extend(arg.mixed_parts().cloned());
            continue;
        };
        sources.extend(function.source().filter(|new| !sources.iter().any(|old| Arc::ptr_eq(old, new))).cloned());
    }
    sources
}

/// Whether the text that an error names is this program.
fn is_in(text: &Arc<dyn ProgramText>, source: &Arc<Source>) -> bool {
    std::ptr::addr_eq(Arc::as_ptr(source), Arc::as_ptr(text))
}
