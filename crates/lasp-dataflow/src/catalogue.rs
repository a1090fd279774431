//! The operations that each type offers, as text: what `help(Type)` shows and what errors list.

use crate::types::Type;

/// One operation of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpForm {
    /// How it is written, `{add, E}`.
    pub form: &'static str,
    /// What it does.
    pub does: &'static str,
}

const fn op(form: &'static str, does: &'static str) -> OpForm {
    OpForm { form, does }
}

const ADD: OpForm = op("{add, E}", "adds E; a list adds each of its elements");
const ADD_ELEMENT: OpForm = op("{add_element, E}", "adds E, also where it is a list");
const ADD_ALL: OpForm = op("{add_all, L}", "adds each element of the list L");
const RMV: OpForm = op("{rmv, E}", "removes E");
const RMV_ALL: OpForm = op("{rmv_all, L}", "removes each element of the list L");
const INCREMENT: OpForm = op("increment", "adds one");
const INCREMENT_BY: OpForm = op("{increment, N}", "adds N");
const DECREMENT: OpForm = op("decrement", "takes one off");
const DECREMENT_BY: OpForm = op("{decrement, N}", "takes N off");

const GSET: &[OpForm] = &[ADD, ADD_ELEMENT, ADD_ALL];
const AWSET: &[OpForm] = &[ADD, ADD_ELEMENT, ADD_ALL, RMV, RMV_ALL];
const GCOUNTER: &[OpForm] = &[INCREMENT, INCREMENT_BY];
const PNCOUNTER: &[OpForm] = &[INCREMENT, INCREMENT_BY, DECREMENT, DECREMENT_BY];
const MAX: &[OpForm] = &[op("{set, X}", "keeps the greater of X and the value so far")];
const MIN: &[OpForm] = &[op("{set, X}", "keeps the lesser of X and the value so far")];
const BOOLEAN: &[OpForm] = &[op("true", "raises the flag"), op("enable", "the same")];
const IVAR: &[OpForm] = &[op("{set, X}", "sets the value, once")];
const LWWREGISTER: &[OpForm] = &[op("{set, X}", "writes X")];
const GMAP: &[OpForm] = &[op("{apply, Key, Op}", "applies Op to the state under Key")];
const PAIR: &[OpForm] = &[op("{fst, Op}", "applies Op to the first"), op("{snd, Op}", "applies Op to the second")];

/// What `ty` offers.
pub(crate) fn of(ty: &Type) -> &'static [OpForm] {
    match ty {
        Type::GSet => GSET,
        Type::AwSet => AWSET,
        Type::GCounter => GCOUNTER,
        Type::PnCounter => PNCOUNTER,
        Type::Max => MAX,
        Type::Min => MIN,
        Type::Boolean => BOOLEAN,
        Type::IVar => IVAR,
        Type::LwwRegister => LWWREGISTER,
        Type::GMap(_) => GMAP,
        Type::Pair(..) => PAIR,
    }
}

/// The forms of `ty` in one line, for error messages.
pub(crate) fn forms(ty: &Type) -> String {
    of(ty).iter().map(|op| op.form).collect::<Vec<_>>().join(", ")
}

/// How many characters must be inserted, deleted, replaced or swapped with their neighbour to make `a` into `b`
/// (optimal string alignment).
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last = None;
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let replaced = row[j] + usize::from(x != y);
            let mut best = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if j > 0 && last == Some(y) && b[j - 1] == x {
                best = best.min(before[j - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        last = Some(x);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_single_edits() {
        let cases =
            [("", "abc", 3), ("gset", "gset", 0), ("gest", "gset", 1), ("gst", "gset", 1), ("awest", "gset", 3)];
        for (a, b, n) in cases {
            assert_eq!(distance(a, b), n, "{a} to {b}");
            assert_eq!(distance(b, a), n, "{b} to {a}");
        }
    }
}
