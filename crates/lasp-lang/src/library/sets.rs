//! Sets as values: what `query` gives, and more made from it.

use super::{Builtin, Direct, Result, Walk, builtin, list, value};
use crate::machine::Machine;
use crate::term::Term;
use lasp_dataflow::Value;
use std::collections::BTreeSet;

pub(super) const FUNCTIONS: &[Builtin] = &[
    builtin("sets:from_list", 1, "sets:from_list(L)", "the set of the elements", |m, a| {
        Ok(Term::set(elements(m, a, 0)?.into_iter().collect()))
    }),
    builtin("sets:to_list", 1, "sets:to_list(S)", "the elements as a list, ascending", |m, a| {
        Ok(Term::list(elements(m, a, 0)?.into_iter().map(Term::data).collect()))
    }),
    builtin("sets:size", 1, "sets:size(S)", "how many elements", |m, a| {
        Ok(Term::scalar(elements(m, a, 0)?.len() as i64))
    }),
    builtin("sets:is_element", 2, "sets:is_element(X, S)", "whether X is an element", |m, a| {
        let wanted = value(a, 0)?;
        Ok(Term::scalar(elements(m, a, 1)?.contains(&wanted)))
    })
    .direct(Direct::Walk(Walk::Member)),
    builtin("sets:is_subset", 2, "sets:is_subset(A, B)", "whether B has every element of A", |m, a| {
        let (left, right) = (elements(m, a, 0)?, elements(m, a, 1)?);
        Ok(Term::scalar(left.is_subset(&right)))
    }),
    builtin("sets:union", 2, "sets:union(A, B)", "the elements of either", |m, a| {
        let (mut left, right) = (elements(m, a, 0)?, elements(m, a, 1)?);
        left.extend(right);
        Ok(Term::set(left.into_iter().collect()))
    }),
    builtin("sets:intersection", 2, "sets:intersection(A, B)", "the elements of both", |m, a| {
        let (left, right) = (elements(m, a, 0)?, elements(m, a, 1)?);
        Ok(Term::set(left.intersection(&right).cloned().collect()))
    }),
    builtin("sets:subtract", 2, "sets:subtract(A, B)", "the elements of A that are not in B", |m, a| {
        let (left, right) = (elements(m, a, 0)?, elements(m, a, 1)?);
        Ok(Term::set(left.difference(&right).cloned().collect()))
    }),
];

fn elements(machine: &mut Machine<'_>, args: &[Term], position: usize) -> Result<BTreeSet<Value>> {
    let items = list(machine, args, position)?;
    (0..items.len()).map(|at| value(&items, at)).collect()
}
