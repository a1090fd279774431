//! Lists without functions as arguments.

use super::{Builtin, Direct, Result, Walk, between, builtin, index_of, integer, list, list_len, size, value, wrong};
use crate::machine::Machine;
use crate::show::short;
use crate::term::{Term, compare};
use lasp_dataflow::{F64, Value};
use std::cmp::Ordering;

pub(super) const FUNCTIONS: &[Builtin] = &[
    builtin("length", 1, "length(L)", "how many elements a list or set has", |m, a| {
        Ok(Term::scalar(list_len(m, a, 0)? as i64))
    })
    .direct(Direct::Int(|v| list_of(v).map(|items| items.len() as i64)))
    .on_surface(),
    builtin("hd", 1, "hd(L)", "the first element", |m, a| {
        list_len(m, a, 0)?;
        a[0].list_get(0).ok_or_else(|| "the list is empty".into())
    })
    .direct(Direct::First(|v| list_of(v)?.first()))
    .on_surface(),
    builtin("tl", 1, "tl(L)", "all but the first element", |m, a| {
        let mut items = list(m, a, 0)?;
        if items.is_empty() {
            return Err("the list is empty".into());
        }
        Ok(Term::list(items.split_off(1)))
    }),
    builtin("lists:last", 1, "lists:last(L)", "the last element", |m, a| {
        let last = list_len(m, a, 0)?.checked_sub(1);
        last.and_then(|last| a[0].list_get(last)).ok_or_else(|| "the list is empty".into())
    })
    .direct(Direct::First(|v| list_of(v)?.last()))
    .on_surface(),
    builtin("lists:droplast", 1, "lists:droplast(L)", "all but the last element", |m, a| {
        let mut items = list(m, a, 0)?;
        items.pop().map(|_| Term::list(items)).ok_or_else(|| "the list is empty".into())
    }),
    builtin("lists:nth", 2, "lists:nth(N, L)", "the N-th element, from 1", |m, a| {
        let len = list_len(m, a, 1)?;
        let found = size(a, 0)?.checked_sub(1).and_then(|index| a[1].list_get(index));
        found.ok_or_else(|| format!("there is no element {} in a list of {len}", short(&a[0])).into())
    })
    .direct(Direct::Part(|n, v| list_of(v)?.get(index_of(n)?)))
    .on_surface(),
    builtin("lists:nthtail", 2, "lists:nthtail(N, L)", "the list without its first N elements", |m, a| {
        let mut items = list(m, a, 1)?;
        let n = size(a, 0)?;
        if n > items.len() {
            return Err(format!("the list has only {} elements", items.len()).into());
        }
        Ok(Term::list(items.split_off(n)))
    }),
    between(
        "lists:sublist",
        (2, 3),
        "lists:sublist(L, Len), lists:sublist(L, Start, Len)",
        "a part of a list",
        |m, a| {
            let items = list(m, a, 0)?;
            let start = if a.len() == 3 { size(a, 1)? } else { 1 };
            let len = size(a, a.len() - 1)?;
            let start = start.checked_sub(1).ok_or_else(|| wrong(1, "at least 1", &a[1]))?;
            Ok(Term::list(items.into_iter().skip(start).take(len).collect()))
        },
    ),
    builtin("lists:split", 2, "lists:split(N, L)", "{the first N elements, the rest}", |m, a| {
        let mut items = list(m, a, 1)?;
        let n = size(a, 0)?;
        if n > items.len() {
            return Err(format!("the list has only {} elements", items.len()).into());
        }
        let rest = items.split_off(n);
        Ok(Term::tuple(vec![Term::list(items), Term::list(rest)]))
    }),
    builtin("lists:reverse", 1, "lists:reverse(L)", "the elements backwards", |m, a| {
        let mut items = list(m, a, 0)?;
        items.reverse();
        Ok(Term::list(items))
    }),
    between("lists:append", (1, 2), "lists:append(A, B), lists:append(Lists)", "one list after the other", |m, a| {
        let parts = if a.len() == 2 { a.to_vec() } else { list(m, a, 0)? };
        let mut all = Vec::new();
        for position in 0..parts.len() {
            all.extend(list(m, &parts, position)?);
        }
        Ok(Term::list(all))
    }),
    builtin("lists:flatten", 1, "lists:flatten(L)", "nested lists made one", |m, a| {
        let mut flat = Vec::new();
        let items = list(m, a, 0)?;
        flatten(m, items, &mut flat)?;
        Ok(Term::list(flat))
    }),
    builtin("lists:duplicate", 2, "lists:duplicate(N, X)", "N times X", |m, a| {
        let n = size(a, 0)?;
        m.spend((n as u64).saturating_mul(u64::from(a[1].shape().weight)))?;
        Ok(Term::list(vec![a[1].clone(); n]))
    }),
    between("lists:seq", (2, 3), "lists:seq(From, To), lists:seq(From, To, Step)", "the integers from From to To", seq),
    builtin("lists:sum", 1, "lists:sum(L)", "the sum of numbers", |m, a| sum(&list(m, a, 0)?)),
    builtin("lists:max", 1, "lists:max(L)", "the greatest element", |m, a| extreme(m, a, Ordering::Greater)),
    builtin("lists:min", 1, "lists:min(L)", "the least element", |m, a| extreme(m, a, Ordering::Less)),
    builtin("lists:member", 2, "lists:member(X, L)", "whether X is an element", |m, a| {
        let found = list(m, a, 1)?.iter().any(|item| item.same(&a[0]));
        Ok(Term::scalar(found))
    })
    .direct(Direct::Walk(Walk::Member)),
    builtin("lists:delete", 2, "lists:delete(X, L)", "the list without the first X", |m, a| {
        let mut items = list(m, a, 1)?;
        if let Some(at) = items.iter().position(|item| item.same(&a[0])) {
            items.remove(at);
        }
        Ok(Term::list(items))
    }),
    builtin("lists:usort", 1, "lists:usort(L)", "sorted, each element once", |m, a| {
        let mut items = sorted(m, a)?;
        items.dedup();
        Ok(Term::list(items.into_iter().map(Term::data).collect()))
    }),
    builtin("lists:zip", 2, "lists:zip(A, B)", "the pairs of elements at the same place", |m, a| {
        let (left, right) = (list(m, a, 0)?, list(m, a, 1)?);
        if left.len() != right.len() {
            return Err(format!("the lists have {} and {} elements", left.len(), right.len()).into());
        }
        Ok(Term::list(left.into_iter().zip(right).map(|(x, y)| Term::tuple(vec![x, y])).collect()))
    }),
    builtin("lists:unzip", 1, "lists:unzip(Pairs)", "{the firsts, the seconds}", |m, a| {
        let (mut firsts, mut seconds) = (Vec::new(), Vec::new());
        for item in list(m, a, 0)? {
            let [first, second] = pair(&item)?;
            firsts.push(first);
            seconds.push(second);
        }
        Ok(Term::tuple(vec![Term::list(firsts), Term::list(seconds)]))
    }),
    between(
        "lists:enumerate",
        (1, 2),
        "lists:enumerate(L), lists:enumerate(From, L)",
        "pairs {position, element}",
        |m, a| {
            let from = if a.len() == 2 { integer(a, 0)? } else { 1 };
            let items = list(m, a, a.len() - 1)?.into_iter().enumerate();
            let number = |i: usize| from.checked_add(i as i64).ok_or("integer overflow");
            let pairs = items.map(|(i, item)| Ok(Term::tuple(vec![Term::scalar(number(i)?), item])));
            Ok(Term::list(pairs.collect::<Result<_>>()?))
        },
    ),
    builtin("lists:join", 2, "lists:join(Sep, L)", "the elements with Sep between them", |m, a| {
        let mut joined = Vec::new();
        for item in list(m, a, 1)? {
            if !joined.is_empty() {
                joined.push(a[0].clone());
            }
            joined.push(item);
        }
        Ok(Term::list(joined))
    }),
    builtin(
        "lists:subtract",
        2,
        "lists:subtract(A, B)",
        "A without the first occurrence of each element of B",
        |m, a| {
            let mut gone = list(m, a, 1)?.iter().filter_map(|t| t.to_value().ok()).collect::<Vec<_>>();
            gone.sort();
            let mut stays = Vec::new();
            for item in list(m, a, 0)? {
                match item.to_value().ok().and_then(|v| gone.binary_search(&v).ok()) {
                    Some(at) => drop(gone.remove(at)),
                    None => stays.push(item),
                }
            }
            Ok(Term::list(stays))
        },
    ),
    builtin("lists:prefix", 2, "lists:prefix(A, B)", "whether B starts with A", |m, a| {
        let (prefix, items) = (list(m, a, 0)?, list(m, a, 1)?);
        let starts = prefix.len() <= items.len() && prefix.iter().zip(&items).all(|(x, y)| x.same(y));
        Ok(Term::scalar(starts))
    }),
    builtin("lists:suffix", 2, "lists:suffix(A, B)", "whether B ends with A", |m, a| {
        let (suffix, items) = (list(m, a, 0)?, list(m, a, 1)?);
        let ends = suffix.len() <= items.len() && suffix.iter().rev().zip(items.iter().rev()).all(|(x, y)| x.same(y));
        Ok(Term::scalar(ends))
    }),
    builtin(
        "lists:keyfind",
        3,
        "lists:keyfind(Key, N, Tuples)",
        "the first tuple with Key as its N-th field, or false",
        |m, a| {
            let found = list(m, a, 2)?.into_iter().find(|item| has_key(a, item));
            Ok(found.unwrap_or_else(|| Term::scalar(false)))
        },
    ),
    builtin(
        "lists:keymember",
        3,
        "lists:keymember(Key, N, Tuples)",
        "whether a tuple has Key as its N-th field",
        |m, a| {
            let found = list(m, a, 2)?.iter().any(|item| has_key(a, item));
            Ok(Term::scalar(found))
        },
    ),
    builtin(
        "lists:keydelete",
        3,
        "lists:keydelete(Key, N, Tuples)",
        "without the first tuple with that key",
        |m, a| {
            let mut items = list(m, a, 2)?;
            if let Some(at) = items.iter().position(|item| has_key(a, item)) {
                items.remove(at);
            }
            Ok(Term::list(items))
        },
    ),
    builtin("lists:keysort", 2, "lists:keysort(N, Tuples)", "sorted by the N-th fields", |m, a| {
        let n = size(a, 0)?;
        let mut keyed = Vec::new();
        for item in list(m, a, 1)? {
            let key = item.as_tuple().and_then(|fields| fields.get(n.wrapping_sub(1))?.to_value().ok());
            let key = key.ok_or_else(|| format!("{} has no field {n}", short(&item)))?;
            keyed.push((key, item));
        }
        m.spend(keyed.len() as u64 * 8)?;
        keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(Term::list(keyed.into_iter().map(|(_, item)| item).collect()))
    }),
];

fn list_of(value: &Value) -> Option<&[Value]> {
    match value {
        Value::List(items) => Some(items),
        _ => None,
    }
}

/// The values at position 0, ascending in the total order.
pub(super) fn sorted(machine: &mut Machine<'_>, args: &[Term]) -> Result<Vec<Value>> {
    let items = list(machine, args, 0)?;
    machine.spend(items.len() as u64 * 8)?;
    let mut values = Vec::with_capacity(items.len());
    for at in 0..items.len() {
        values.push(value(&items, at)?);
    }
    values.sort();
    Ok(values)
}

/// The two fields of a pair.
pub(super) fn pair(item: &Term) -> Result<[Term; 2]> {
    let fields = item.as_tuple().unwrap_or_default();
    <[Term; 2]>::try_from(fields).map_err(|_| format!("{} is no pair {{A, B}}", short(item)).into())
}

fn has_key(args: &[Term], item: &Term) -> bool {
    let position = args[1].as_int().and_then(|n| usize::try_from(n).ok()?.checked_sub(1));
    let fields = item.as_tuple().unwrap_or_default();
    position.and_then(|position| fields.get(position)).is_some_and(|field| field.same(&args[0]))
}

/// Depth of the recursion is that of the value, which is bounded.
fn flatten(machine: &mut Machine<'_>, items: Vec<Term>, flat: &mut Vec<Term>) -> Result<()> {
    for item in items {
        machine.spend(1)?;
        match item.as_list() {
            Some(inner) => flatten(machine, inner, flat)?,
            None => flat.push(item),
        }
    }
    Ok(())
}

fn seq(machine: &mut Machine<'_>, args: &[Term]) -> Result {
    let (from, to) = (integer(args, 0)?, integer(args, 1)?);
    let step = if args.len() == 3 { integer(args, 2)? } else { 1 };
    if step == 0 {
        return Err("the step is zero".into());
    }
    let mut items = Vec::new();
    let mut next = Some(from);
    while let Some(n) = next.filter(|n| if step > 0 { *n <= to } else { *n >= to }) {
        machine.spend(1)?;
        items.push(Term::scalar(n));
        next = n.checked_add(step);
    }
    Ok(Term::list(items))
}

fn sum(items: &[Term]) -> Result {
    let mut whole: i64 = 0;
    let mut fraction: Option<f64> = None;
    for item in items {
        match (item, &mut fraction) {
            (Term::Data(Value::Int(n), _), None) => whole = whole.checked_add(*n).ok_or("integer overflow")?,
            (Term::Data(Value::Int(n), _), Some(sum)) => *sum += *n as f64,
            (Term::Data(Value::Float(f), _), None) => fraction = Some(whole as f64 + f.get()),
            (Term::Data(Value::Float(f), _), Some(sum)) => *sum += f.get(),
            (other, _) => return Err(format!("{} is no number", short(other)).into()),
        }
    }
    match fraction {
        None => Ok(Term::scalar(whole)),
        Some(sum) => F64::new(sum).map(|f| Term::scalar(Value::Float(f))).ok_or_else(|| "too large for a float".into()),
    }
}

fn extreme(machine: &mut Machine<'_>, args: &[Term], wanted: Ordering) -> Result {
    let items = list(machine, args, 0)?;
    let mut best: Option<(Value, Term)> = None;
    for (at, item) in items.iter().enumerate() {
        let value = value(&items, at)?;
        if best.as_ref().is_none_or(|(held, _)| compare(&value, held) == wanted) {
            best = Some((value, item.clone()));
        }
    }
    best.map(|(_, item)| item).ok_or_else(|| "the list is empty".into())
}
