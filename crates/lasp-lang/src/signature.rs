//! The operations: functions that act on variables and nodes rather than compute. What each takes and does.
//!
//! The pure functions are in [`crate::library`]; together they are all the names that a program can call.

use crate::library;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// How something is called.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// Its name, `update` or `lists:sum`.
    pub name: &'static str,
    /// The least number of arguments.
    pub args_min: usize,
    /// The greatest number of arguments.
    pub args_max: usize,
    /// How it is written.
    pub form: &'static str,
    /// What it does, in a few words.
    pub does: &'static str,
}

impl Signature {
    /// A signature.
    pub const fn new(
        name: &'static str,
        (args_min, args_max): (usize, usize),
        form: &'static str,
        does: &'static str,
    ) -> Self {
        Self { name, args_min, args_max, form, does }
    }

    /// Whether it can be called with this many arguments.
    pub fn takes(&self, args: usize) -> bool {
        (self.args_min..=self.args_max).contains(&args)
    }

    /// "2 arguments", "1 or 2 arguments".
    pub fn arity_text(&self) -> String {
        match (self.args_min, self.args_max) {
            (1, 1) => "1 argument".to_owned(),
            (min, max) if min == max => format!("{min} arguments"),
            (min, max) if min + 1 == max => format!("{min} or {max} arguments"),
            (min, max) => format!("{min} to {max} arguments"),
        }
    }
}

const fn op(name: &'static str, args: (usize, usize), form: &'static str, does: &'static str) -> Signature {
    Signature::new(name, args, form, does)
}

/// Every operation.
pub const OPERATIONS: &[Signature] = &[
    op("declare", (1, 2), "declare(Type), declare(Name, Type)", "a variable, fresh or named"),
    op(
        "declare_dynamic",
        (1, 2),
        "declare_dynamic(Type), declare_dynamic(Name, Type)",
        "a variable that each node has for itself: never replicated",
    ),
    op(
        "undeclare",
        (1, 1),
        "undeclare(V)",
        "forgets V at this node and returns its memory; nothing may follow from it",
    ),
    op("update", (2, 2), "update(V, Op)", "applies an operation of V's type at this node; its value is V"),
    op("bind", (2, 2), "bind(V, X)", "joins the value X into V"),
    op("bind_to", (2, 2), "bind_to(V, W)", "joins all of W, now and later, into V"),
    op("query", (1, 1), "query(V)", "the current value of V at this node"),
    op(
        "read",
        (2, 3),
        "read(V, Threshold), read(V, Threshold, Ms)",
        "waits until V has reached the threshold; the value then, or timeout",
    ),
    op(
        "read_any",
        (1, 2),
        "read_any([{V, Threshold}, ...]), read_any(List, Ms)",
        "waits for the first of several; the variable that got there, or timeout",
    ),
    op(
        "wait_needed",
        (2, 3),
        "wait_needed(V, Threshold), wait_needed(V, Threshold, fun() -> ... end)",
        "waits, or runs the action, when somebody wants V to be that far",
    ),
    op(
        "map",
        (2, 3),
        "map(A, F), map(A, F, Into)",
        "the set of the images of A's elements; of a counter, flag or register, F of its value",
    ),
    op("filter", (2, 3), "filter(A, P), filter(A, P, Into)", "the set of A's elements for which P is true"),
    op("flat_map", (2, 3), "flat_map(A, F), flat_map(A, F, Into)", "the set of the elements of the lists F(X)"),
    op("union", (2, 3), "union(A, B), union(A, B, Into)", "the elements of A or B"),
    op("intersection", (2, 3), "intersection(A, B), intersection(A, B, Into)", "the elements of A and B"),
    op("difference", (2, 3), "difference(A, B), difference(A, B, Into)", "the elements of A that are not in B"),
    op("product", (2, 3), "product(A, B), product(A, B, Into)", "all pairs {X, Y}"),
    op("join", (4, 5), "join(A, KeyA, B, KeyB), join(A, KeyA, B, KeyB, Into)", "the pairs {X, Y} whose keys are equal"),
    op("keys", (1, 2), "keys(M), keys(M, Into)", "the set of M's keys"),
    op("entries", (1, 2), "entries(M), entries(M, Into)", "the set of M's entries {Key, Value}"),
    op("vertices", (1, 2), "vertices(G), vertices(G, Into)", "the set of G's vertices"),
    op("edges", (1, 2), "edges(G), edges(G, Into)", "the set of G's edges {From, To}"),
    op(
        "fold",
        (2, 3),
        "fold(A, Aggregate), fold(A, Aggregate, Into)",
        "a derived scalar: count, sum, min, max, avg, {sum, F}, {count, P}, [A1, A2], {F, Init} or {F, Init, Inverse}",
    ),
    op("group", (3, 3), "group(A, KeyFun, Aggregate)", "a derived map from keys to aggregates"),
    op("reached", (2, 3), "reached(V, Threshold), reached(V, Threshold, Into)", "a flag: whether V has got that far"),
    op(
        "sql",
        (1, 2),
        "sql(Text), sql(Text, #{table => V})",
        "the view that \"create view ... as select ...\" makes of collections of rows",
    ),
    op(
        "invariant",
        (3, 3),
        "invariant(V, Threshold, fun() -> ... end)",
        "runs the action at this node when V reaches the threshold",
    ),
    op("enforce_once", (3, 3), "enforce_once(V, Threshold, fun() -> ... end)", "the same, exactly once in the cluster"),
    op("interested", (1, 1), "interested(Pattern)", "hear of the variables that match, \"ads/*\", too"),
    op("disinterested", (1, 1), "disinterested(Pattern)", "hear of them no more"),
    op("stream", (2, 2), "stream(V, fun(Value) -> ... end)", "runs the action at each change of V"),
    op("print", (1, 1), "print(X)", "prints X; a text without its quotes"),
    op("on", (2, 2), "on(I, Expr)", "evaluates Expr at node I"),
    op("partition", (2, 16), "partition([1, 2], [3])", "cuts the links between these groups of nodes"),
    op("heal", (0, 0), "heal()", "mends all links"),
    op("crash", (1, 1), "crash(I)", "stops node I; its memory is lost"),
    op("restart", (1, 1), "restart(I)", "starts node I again, empty"),
    op("settle", (0, 0), "settle()", "runs until nothing is in flight: converged or {diverged, Names}"),
    op("sleep", (1, 1), "sleep(Ms)", "passes virtual time"),
    op("help", (0, 1), "help(), help(Type), help(Function)", "prints what there is"),
];

/// Whether `name` is an operation.
pub fn is_operation(name: &str) -> bool {
    static NAMES: LazyLock<BTreeSet<&str>> =
        LazyLock::new(|| OPERATIONS.iter().map(|signature| signature.name).collect());
    NAMES.contains(name)
}

/// Every name that can be called, operations and functions.
pub fn all() -> impl Iterator<Item = &'static Signature> {
    OPERATIONS.iter().chain(library::all().map(|builtin| &builtin.signature))
}

/// What is called `name`, an operation before a function.
pub fn named(name: &str) -> &'static [&'static Signature] {
    static BY_NAME: LazyLock<BTreeMap<&str, Vec<&Signature>>> = LazyLock::new(|| {
        let mut by_name: BTreeMap<&str, Vec<&Signature>> = BTreeMap::new();
        all().for_each(|signature| by_name.entry(signature.name).or_default().push(signature));
        by_name
    });
    BY_NAME.get(name).map_or(&[], |named| named)
}

/// What is known under `name`.
pub fn find(name: &str) -> Option<&'static Signature> {
    named(name).first().copied()
}
