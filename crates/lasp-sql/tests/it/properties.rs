//! Random queries over random tables give what SQL says.

use crate::oracle::{Cell, Line, Number, Query, Shown, Summary, Truth};
use crate::support::{Tables, run};
use lasp_dataflow::Value;
use proptest::prelude::*;

fn cell() -> impl Strategy<Value = Cell> {
    prop_oneof![1 => Just(None), 3 => (-2i64..4).prop_map(Some)]
}

pub(crate) fn line() -> impl Strategy<Value = Line> {
    proptest::collection::vec(cell(), 2)
}

/// Rows are a set: two alike are one.
fn table() -> impl Strategy<Value = Vec<Line>> {
    proptest::collection::btree_set(line(), 0..7).prop_map(|set| set.into_iter().collect())
}

fn number(columns: usize) -> impl Strategy<Value = Number> {
    let leaf = prop_oneof![3 => (0..columns).prop_map(Number::Column), 1 => cell().prop_map(Number::Literal)];
    leaf.prop_recursive(2, 6, 2, move |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            two.clone().prop_map(|(a, b)| Number::Add(a.into(), b.into())),
            two.clone().prop_map(|(a, b)| Number::Subtract(a.into(), b.into())),
            two.clone().prop_map(|(a, b)| Number::IfNull(a.into(), b.into())),
            two.prop_map(|(a, b)| Number::Case(Truth::Compare("<", a, b.clone()).into(), b.into())),
        ]
    })
}

fn truth(columns: usize) -> impl Strategy<Value = Truth> {
    let n = move || number(columns);
    let op = prop::sample::select(vec!["=", "<>", "<", ">=", "<="]);
    let leaf = prop_oneof![
        4 => (op, n(), n()).prop_map(|(op, a, b)| Truth::Compare(op, a, b)),
        1 => n().prop_map(Truth::IsNull),
        1 => (n(), proptest::collection::vec(cell(), 1..4)).prop_map(|(a, list)| Truth::In(a, list)),
        1 => (n(), n(), n()).prop_map(|(a, b, c)| Truth::Between(a, b, c)),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Truth::And(a.into(), b.into())),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Truth::Or(a.into(), b.into())),
            inner.clone().prop_map(|a| Truth::Not(a.into())),
            inner.prop_map(|a| Truth::IsTrue(a.into())),
        ]
    })
}

fn summary(columns: usize) -> impl Strategy<Value = Summary> {
    let functions = prop::sample::select(vec!["count", "sum", "min", "max", "avg"]);
    prop_oneof![
        1 => Just(Summary { function: "count", distinct: false, of: None }),
        4 => (functions, any::<bool>(), number(columns))
            .prop_map(|(function, distinct, of)| Summary { function, distinct, of: Some(of) }),
    ]
}

fn shown(columns: usize, width: usize) -> impl Strategy<Value = Shown> {
    let groups = (0..=width.min(2)).prop_flat_map(move |keys| {
        let by = proptest::collection::vec((0..columns).prop_map(Number::Column), keys);
        let summaries = proptest::collection::vec(summary(columns), width - keys);
        (by, summaries, proptest::option::of((summary(columns), -3i64..4)))
    });
    prop_oneof![
        proptest::collection::vec(number(columns), width).prop_map(Shown::Rows),
        groups
            .prop_filter("a query without aggregates and keys shows rows", |(by, summaries, _)| {
                !by.is_empty() || !summaries.is_empty()
            })
            .prop_map(|(by, summaries, having)| Shown::Groups { by, summaries, having }),
    ]
}

pub(crate) fn query(width: usize) -> impl Strategy<Value = Query> {
    any::<bool>().prop_flat_map(move |both| {
        let columns = if both { 4 } else { 2 };
        let on = if both { proptest::option::of(join()).boxed() } else { Just(None).boxed() };
        (on, proptest::option::of(truth(columns)), shown(columns, width)).prop_map(move |(on, filter, shown)| Query {
            both,
            on,
            filter,
            shown,
        })
    })
}

/// Mostly with an equality, so that keys are used.
fn join() -> impl Strategy<Value = Truth> {
    let equal = (0..2usize, 2..4usize).prop_map(|(a, b)| Truth::Compare("=", Number::Column(a), Number::Column(b)));
    prop_oneof![equal.clone(), (equal, truth(4)).prop_map(|(a, b)| Truth::And(a.into(), b.into())), truth(4),]
}

/// A row of a table with these columns.
pub(crate) fn row_of(line: &Line, names: [&str; 2]) -> Value {
    let value = |cell: &Cell| cell.map_or_else(|| Value::atom("undefined"), Value::Int);
    Value::map(names.iter().zip(line).map(|(name, cell)| (Value::atom(*name), value(cell))))
}

fn tables(t: &[Line], u: &[Line]) -> Tables {
    let rows = |lines: &[Line], names| lines.iter().map(|line| row_of(line, names)).collect();
    Tables::from([("t", rows(t, ["a", "b"])), ("u", rows(u, ["a", "c"]))])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_query_means_what_sql_says((t, u) in (table(), table()), query in (1..4usize).prop_flat_map(query)) {
        prop_assert_eq!(run(&query.sql(), &tables(&t, &u)), query.rows(&t, &u), "{}", query.sql());
    }

    #[test]
    fn queries_combine_as_sets(
        (t, u) in (table(), table()),
        (a, b) in (query(2), query(2)),
        op in prop::sample::select(vec!["union", "intersect", "except"]),
    ) {
        let sql = format!("{} {op} {}", a.sql(), b.sql());
        let (left, right) = (a.rows(&t, &u), b.rows(&t, &u));
        let expected = match op {
            "union" => &left | &right,
            "intersect" => &left & &right,
            _ => &left - &right,
        };
        prop_assert_eq!(run(&sql, &tables(&t, &u)), expected, "{}", sql);
    }

    #[test]
    fn no_text_is_too_odd(text in "(select|from|where|t|a|\\*|\\(|\\)|,|'|\"|=|as|group by|1|not|;|é|\n| ){0,20}") {
        // It is a view or it is refused within the text.
        if let Err(error) = lasp_sql::check(&text) {
            prop_assert!(error.span.start <= error.span.end && error.span.end as usize <= text.len());
            prop_assert!(text.is_char_boundary(error.span.start as usize) && text.is_char_boundary(error.span.end as usize));
        }
    }
}
