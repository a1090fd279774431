//! Lists with functions as arguments.

use super::lists::sorted;
use super::{Builtin, Direct, Result, Walk, ask, between, builtin, call, function, list};
use crate::function::Function;
use crate::machine::Machine;
use crate::show::short;
use crate::term::Term;

pub(super) const FUNCTIONS: &[Builtin] = &[
    builtin("lists:map", 2, "lists:map(F, L)", "F of each element", |m, a| {
        let f = function(a, 0)?;
        let images = list(m, a, 1)?.into_iter().map(|item| call(m, &f, vec![item])).collect::<Result<_>>()?;
        Ok(Term::list(images))
    })
    .direct(Direct::Walk(Walk::Map))
    .on_surface(),
    builtin("lists:filter", 2, "lists:filter(P, L)", "the elements for which P is true", |m, a| {
        Ok(Term::list(partition(m, a)?.0))
    })
    .direct(Direct::Walk(Walk::Filter)),
    builtin("lists:partition", 2, "lists:partition(P, L)", "{those for which P is true, the others}", |m, a| {
        let (yes, no) = partition(m, a)?;
        Ok(Term::tuple(vec![Term::list(yes), Term::list(no)]))
    }),
    builtin("lists:filtermap", 2, "lists:filtermap(F, L)", "as map, where F gives true, false or {true, Y}", |m, a| {
        let f = function(a, 0)?;
        let mut kept = Vec::new();
        for item in list(m, a, 1)? {
            let answer = call(m, &f, vec![item.clone()])?;
            match (answer.as_bool(), answer.as_tuple().as_deref()) {
                (Some(true), _) => kept.push(item),
                (Some(false), _) => {}
                (None, Some([yes, image])) if yes.as_bool() == Some(true) => kept.push(image.clone()),
                _ => {
                    return Err(
                        format!("the function gives true, false or {{true, Y}}, here {}", short(&answer)).into()
                    );
                }
            }
        }
        Ok(Term::list(kept))
    }),
    builtin("lists:flatmap", 2, "lists:flatmap(F, L)", "the lists F(X), one after the other", |m, a| {
        let f = function(a, 0)?;
        let mut all = Vec::new();
        for item in list(m, a, 1)? {
            let images = [call(m, &f, vec![item])?];
            all.extend(list(m, &images, 0)?);
        }
        Ok(Term::list(all))
    }),
    builtin("lists:foldl", 3, "lists:foldl(F, Acc, L)", "F(X, Acc) over the elements from the left", |m, a| {
        let items = list(m, a, 2)?;
        fold(m, a, items)
    })
    .direct(Direct::Walk(Walk::FoldLeft))
    .on_surface(),
    builtin("lists:foldr", 3, "lists:foldr(F, Acc, L)", "F(X, Acc) over the elements from the right", |m, a| {
        let mut items = list(m, a, 2)?;
        items.reverse();
        fold(m, a, items)
    })
    .direct(Direct::Walk(Walk::FoldRight))
    .on_surface(),
    builtin("lists:foreach", 2, "lists:foreach(F, L)", "calls F with each element", |m, a| {
        let f = function(a, 0)?;
        for item in list(m, a, 1)? {
            call(m, &f, vec![item])?;
        }
        Ok(Term::ok())
    })
    .on_surface(),
    builtin("lists:all", 2, "lists:all(P, L)", "whether P is true for every element", |m, a| {
        let f = function(a, 0)?;
        for item in list(m, a, 1)? {
            if !ask(m, &f, vec![item])? {
                return Ok(Term::scalar(false));
            }
        }
        Ok(Term::scalar(true))
    })
    .direct(Direct::Walk(Walk::All))
    .on_surface(),
    builtin("lists:any", 2, "lists:any(P, L)", "whether P is true for some element", |m, a| {
        let f = function(a, 0)?;
        for item in list(m, a, 1)? {
            if ask(m, &f, vec![item])? {
                return Ok(Term::scalar(true));
            }
        }
        Ok(Term::scalar(false))
    })
    .direct(Direct::Walk(Walk::Any))
    .on_surface(),
    builtin("lists:search", 2, "lists:search(P, L)", "{value, X} for the first X with P, or false", |m, a| {
        let f = function(a, 0)?;
        for item in list(m, a, 1)? {
            if ask(m, &f, vec![item.clone()])? {
                return Ok(Term::tuple(vec![Term::atom("value"), item]));
            }
        }
        Ok(Term::scalar(false))
    }),
    builtin("lists:takewhile", 2, "lists:takewhile(P, L)", "the elements before the first without P", |m, a| {
        Ok(Term::list(split_while(m, a)?.0))
    }),
    builtin("lists:dropwhile", 2, "lists:dropwhile(P, L)", "from the first element without P", |m, a| {
        Ok(Term::list(split_while(m, a)?.1))
    }),
    builtin("lists:splitwith", 2, "lists:splitwith(P, L)", "{takewhile, dropwhile}", |m, a| {
        let (taken, dropped) = split_while(m, a)?;
        Ok(Term::tuple(vec![Term::list(taken), Term::list(dropped)]))
    }),
    builtin("lists:zipwith", 3, "lists:zipwith(F, A, B)", "F of the elements at the same place", |m, a| {
        let f = function(a, 0)?;
        let (left, right) = (list(m, a, 1)?, list(m, a, 2)?);
        if left.len() != right.len() {
            return Err(format!("the lists have {} and {} elements", left.len(), right.len()).into());
        }
        let both = left.into_iter().zip(right);
        Ok(Term::list(both.map(|(x, y)| call(m, &f, vec![x, y])).collect::<Result<_>>()?))
    }),
    between("lists:sort", (1, 2), "lists:sort(L), lists:sort(LessOrEqual, L)", "the elements in order", |m, a| {
        if a.len() == 1 {
            return Ok(Term::list(sorted(m, a)?.into_iter().map(Term::data).collect()));
        }
        let f = function(a, 0)?;
        let items = list(m, a, 1)?;
        Ok(Term::list(merge_sort(m, &f, items)?))
    }),
];

fn partition(machine: &mut Machine<'_>, args: &[Term]) -> Result<(Vec<Term>, Vec<Term>)> {
    let f = function(args, 0)?;
    let (mut yes, mut no) = (Vec::new(), Vec::new());
    for item in list(machine, args, 1)? {
        let holds = ask(machine, &f, vec![item.clone()])?;
        if holds { yes.push(item) } else { no.push(item) }
    }
    Ok((yes, no))
}

fn split_while(machine: &mut Machine<'_>, args: &[Term]) -> Result<(Vec<Term>, Vec<Term>)> {
    let f = function(args, 0)?;
    let mut taken = list(machine, args, 1)?;
    for at in 0..taken.len() {
        if !ask(machine, &f, vec![taken[at].clone()])? {
            let dropped = taken.split_off(at);
            return Ok((taken, dropped));
        }
    }
    Ok((taken, Vec::new()))
}

fn fold(machine: &mut Machine<'_>, args: &[Term], items: Vec<Term>) -> Result {
    let f = function(args, 0)?;
    let mut accumulator = args[1].clone();
    for item in items {
        accumulator = call(machine, &f, vec![item, accumulator])?;
    }
    Ok(accumulator)
}

/// Stable, and harmless where the user's function is no order (the standard library may panic then).
fn merge_sort(machine: &mut Machine<'_>, less_or_equal: &Function, mut items: Vec<Term>) -> Result<Vec<Term>> {
    if items.len() < 2 {
        return Ok(items);
    }
    let right = items.split_off(items.len() / 2);
    let mut left = merge_sort(machine, less_or_equal, items)?.into_iter().peekable();
    let mut right = merge_sort(machine, less_or_equal, right)?.into_iter().peekable();
    let mut merged = Vec::new();
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let left_first = ask(machine, less_or_equal, vec![a.clone(), b.clone()])?;
        merged.extend(if left_first { left.next() } else { right.next() });
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}
