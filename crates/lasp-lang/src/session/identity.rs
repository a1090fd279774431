//! What makes two triggers the same: what they watch, how far, and what they do; not where in the text they stand.
//!
//! An enforcement is recognised by it on every node, and a trigger of a program that is replaced by another version of
//! itself. Texts count token by token, so comments and layout do not.

use crate::function::{Closure, Function};
use crate::lexer::tokenize;
use crate::source::{Source, Span};
use crate::term::{Handle, Mixed, Term};
use lasp_crdt::fingerprint::{hash, mix};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The triggers that a program has set, so far as identity needs it.
#[derive(Debug, Default)]
pub(super) struct Identities {
    /// Those whose action has run, or is about to.
    pub(super) fired: BTreeSet<u64>,
    /// Those whose action ran in an earlier version of the program, and does not run again.
    pub(super) before: BTreeSet<u64>,
    /// Where those of one content stand: two places are two triggers, one place that is passed twice is one.
    places: BTreeMap<u64, Vec<Place>>,
}

type Place = (Option<Arc<Source>>, Span);

impl Identities {
    /// The identity of a trigger of this content whose action is `function`.
    pub(super) fn distinguish(&mut self, content: u64, function: &Function) -> u64 {
        let place = match function {
            Function::Closure(closure) => (Some(closure.source.clone()), closure.fun.span),
            Function::Builtin(..) => (None, Span::default()),
        };
        let places = self.places.entry(content).or_default();
        let same = |known: &Place| match (&known.0, &place.0) {
            (Some(known_in), Some(stands_in)) => Arc::ptr_eq(known_in, stands_in) && known.1 == place.1,
            (None, None) => true,
            _ => false,
        };
        let number = places.iter().position(same).unwrap_or_else(|| {
            places.push(place);
            places.len() - 1
        });
        mix(content, number as u64)
    }
}

/// What a function is, its surroundings included; `variable` says what stands for a variable.
pub(super) fn of_function(function: &Function, variable: &dyn Fn(Handle) -> u64) -> u64 {
    match function {
        Function::Builtin(builtin, arity) => hash(&(builtin.signature.name, *arity as u64)),
        Function::Closure(closure) => of_closure(closure, variable),
    }
}

fn of_closure(closure: &Closure, variable: &dyn Fn(Handle) -> u64) -> u64 {
    let text = Source::new("", closure.source.slice(closure.fun.span));
    let tokens = tokenize(&text).0;
    let text = tokens.iter().fold(0, |sum, (_, span)| mix(sum, hash(text.slice(*span))));
    closure.captured.iter().fold(text, |sum, (name, term)| mix(mix(sum, hash(&**name)), of_term(term, variable)))
}

fn of_term(term: &Term, variable: &dyn Fn(Handle) -> u64) -> u64 {
    let (kind, content) = match term {
        Term::Data(value, _) => (0, hash(value)),
        Term::Set(items, _) => (1, hash(&**items)),
        Term::Many(items, _) => (2, hash(&**items)),
        Term::Variable(held) => (3, variable(held.handle)),
        Term::Function(function) => (4, of_function(function, variable)),
        Term::Type(ty) => (5, hash(ty.to_string().as_str())),
        Term::Graph(value, _) => (7, hash(value)),
        Term::Mixed(mixed, _) => (6, of_mixed(mixed, variable)),
    };
    mix(kind, content)
}

fn of_mixed(mixed: &Mixed, variable: &dyn Fn(Handle) -> u64) -> u64 {
    let all = |start: u64, items: &[Term]| items.iter().fold(start, |sum, item| mix(sum, of_term(item, variable)));
    match mixed {
        Mixed::Tuple(items) => all(1, items),
        Mixed::List(items) => all(2, items),
        Mixed::Map(entries) => {
            entries.iter().fold(3, |sum, (key, item)| mix(mix(sum, hash(key)), of_term(item, variable)))
        }
    }
}
