//! Which functions can be computed at first sight, by [`glance`](super::glance): those whose patterns take apart, whose
//! conditions compare or ask, and whose results calculate or choose, but that build nothing and go through nothing.

use super::glance::SLOTS_MAX;
use super::{Body, CaseClause, FunClause, Guard, Node, Pat};
use crate::ast::{Binary, Unary};
use crate::library::Direct;
use crate::machine::DEPTH_MAX;

/// Whether a first attempt at such a function has a prospect.
pub(super) fn suits(clauses: &[FunClause], slots: usize, depth: u32) -> bool {
    let clause = |clause: &FunClause| {
        clause.patterns.iter().all(is_plain) && guard_suits(&clause.guard) && body_suits(&clause.body)
    };
    slots <= SLOTS_MAX && depth < DEPTH_MAX && clauses.iter().all(clause)
}

fn is_plain(pattern: &Pat) -> bool {
    match pattern {
        Pat::Any | Pat::Bind(_) | Pat::Same(_) | Pat::Literal(_) => true,
        Pat::Tuple(items) => items.iter().all(is_plain),
        Pat::List(items, tail) => items.iter().all(is_plain) && matches!(tail.as_deref(), None | Some(Pat::Any)),
        Pat::Map(entries) => entries.iter().all(|(key, value)| is_leaf(key) && is_plain(value)),
        Pat::Both(both) => both.iter().all(is_plain),
        Pat::Prefix(..) => false,
    }
}

fn guard_suits(guard: &Guard) -> bool {
    guard.0.iter().flatten().all(is_truth)
}

fn body_suits(body: &Body) -> bool {
    let last = match &body.last {
        Node::If(clauses) => clauses.iter().all(|(guard, _, body)| guard_suits(guard) && body_suits(body)),
        Node::Case(subject, clauses) => {
            let suits = |c: &CaseClause| is_plain(&c.pattern) && guard_suits(&c.guard) && body_suits(&c.body);
            is_leaf(subject) && clauses.iter().all(suits)
        }
        node => is_truth(node) || is_int(node),
    };
    body.first.is_empty() && last
}

fn is_truth(node: &Node) -> bool {
    match node {
        Node::Compare(_, operands) => operands.iter().all(is_int),
        Node::Andalso(both) | Node::Orelse(both) => is_truth(&both.0) && is_truth(&both.1.node),
        Node::Unary(Unary::Not, operand) => is_truth(operand),
        Node::Builtin(library, args) if library.0.direct.is_test() => args.iter().all(is_leaf),
        node => is_leaf(node),
    }
}

fn is_int(node: &Node) -> bool {
    match node {
        Node::Calculate(operator, operands) => *operator != Binary::Divide && operands.iter().all(is_int),
        Node::Builtin(library, args) => match library.0.direct {
            Direct::Int(_) => args.iter().all(is_leaf),
            Direct::Ints(_) => args.iter().all(is_int),
            _ => is_leaf(node),
        },
        node => is_leaf(node),
    }
}

fn is_leaf(node: &Node) -> bool {
    match node {
        Node::Read(_) => true,
        Node::Const(constant) => constant.0.data_ref().is_some(),
        // More arguments than two are a default.
        Node::Builtin(library, args) => {
            matches!(library.0.direct, Direct::First(_) | Direct::Part(_)) && args.iter().all(is_leaf)
        }
        _ => false,
    }
}
