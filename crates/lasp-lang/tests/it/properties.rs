//! Laws: no text makes the language panic, and what is printed reads back.

use crate::support::{attempt, last};
use lasp_dataflow::{F64, Value};
use lasp_lang::Source;
use lasp_lang::check::diagnose;
use lasp_lang::parse::parse;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

/// Programs to mutate.
const PROGRAMS: [&str; 4] = [
    "S1 = declare(set), update(S1, {add, [1,2,3]}), S2 = declare(set), map(S1, fun(X) -> X * 2 end, S2).",
    "F = fun([H | T], #{k := V}) when H > 1, V /= 2; T == [] -> {H, V}; (_, _) -> none end, F([2], #{k => 1}).",
    "case {1, \"a\" ++ \"b\"} of {N, \"a\" ++ R} when is_text(R) -> [X || X <- [N], X > 0]; _ -> if true -> b end end.",
    "C = declare(gmap(pair(boolean, gcounter))), update(C, {apply, <<\"k\", 1>>, {snd, {increment, 2}}}), query(C).",
];

/// Pieces that programs are made of.
pub(crate) const PIECES: [&str; 40] = [
    "fun",
    "end",
    "case",
    "of",
    "if",
    "when",
    "->",
    "<-",
    "||",
    "|",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<<",
    ">>",
    "#{",
    "=>",
    ":=",
    "=",
    "==",
    ",",
    ";",
    ".",
    "X",
    "_",
    "a",
    "1",
    "2.5",
    "\"t\"",
    "'q'",
    "declare",
    "update",
    "lists:map",
    "set",
    "-",
    "not",
    "++",
];

fn arb_value() -> impl Strategy<Value = Value> {
    let float = any::<f64>().prop_filter_map("finite", |f| F64::new(f).map(Value::Float));
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        float,
        any::<String>().prop_map(Value::text),
        any::<String>().prop_filter("booleans are no atoms", |s| s != "true" && s != "false").prop_map(Value::atom),
        proptest::sample::select(vec!["receive", "end", "fun", "bsl", "maybe", "x", "Else", "else"])
            .prop_map(Value::atom),
        vec(any::<u8>(), 0..8).prop_map(Value::bytes),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::tuple),
            vec(inner.clone(), 0..4).prop_map(Value::list),
            btree_map(inner.clone(), inner, 0..4).prop_map(Value::map),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in any::<String>()) {
        diagnose(&Source::new("t", text));
    }

    #[test]
    fn any_pieces_are_read_and_every_rejection_is_explained(pieces in vec(proptest::sample::select(&PIECES[..]), 0..30)) {
        let text = pieces.join(" ");
        let source = Source::new("t", text);
        for diagnostic in diagnose(&source) {
            prop_assert!(!diagnostic.message.is_empty());
            prop_assert!(!diagnostic.render(&source, false).is_empty());
        }
    }

    #[test]
    fn a_damaged_program_is_run_or_refused(
        program in proptest::sample::select(&PROGRAMS[..]),
        at in any::<prop::sample::Index>(),
        cut in 0_usize..12,
        insert in proptest::sample::select(&PIECES[..]),
    ) {
        let start = at.index(program.len());
        let end = (start + cut).min(program.len());
        let text = format!("{}{insert}{}", &program[..start], &program[end..]);
        attempt(&text);
    }

    #[test]
    fn reading_a_text_that_goes_on_is_incomplete(program in proptest::sample::select(&PROGRAMS[..]), at in any::<prop::sample::Index>()) {
        // Cut inside the program: whatever is there, a shell must not take it for a whole form.
        let text = program[..at.index(program.len())].trim_end_matches('.');
        let whole = parse(&Source::new("t", text));
        prop_assert!(whole.incomplete || text.trim().is_empty() || text.ends_with('.'), "{text}");
    }

    #[test]
    fn a_printed_value_reads_back_as_the_same_value(value in arb_value()) {
        prop_assert_eq!(last(&format!("{value}.")), value.to_string());
    }

    #[test]
    fn a_printed_set_reads_back_as_the_same_set(items in vec(arb_value(), 0..5)) {
        let list = Value::list(items);
        let printed = last(&format!("S = declare(set), update(S, {{add_all, {list}}}), query(S)."));
        prop_assert_eq!(last(&format!("{printed}.")), printed);
    }

    #[test]
    fn integer_arithmetic_agrees_with_rust(a in -1000_i64..1000, b in -1000_i64..1000) {
        prop_assert_eq!(last(&format!("{a} + {b} * 2 - {a}.")), (a + b * 2 - a).to_string());
        if b != 0 {
            prop_assert_eq!(last(&format!("{{{a} div {b}, {a} rem {b}}}.")), format!("{{{}, {}}}", a / b, a % b));
        }
    }
}
