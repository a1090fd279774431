//! Programs that are too deep, too long or no programs at all: each is answered, in time that grows with its length.

use crate::properties::PIECES;
use crate::support::{attempt, failure, last};
use lasp_lang::check::diagnose;
use lasp_lang::token::{Keyword, Symbol};
use lasp_lang::{Diagnostic, Source};
use proptest::collection::vec;
use proptest::prelude::*;

const DEPTH: usize = 10_000;

#[test]
fn every_construct_is_refused_at_ten_thousand_levels() {
    let around = |open: &str, close: &str| format!("X = 1, {}1{}.", open.repeat(DEPTH), close.repeat(DEPTH));
    let programs = [
        around("(", ")"),
        around("[", "]"),
        around("{", "}"),
        around("[1 | ", "]"),
        around("#{a => ", "}"),
        around("#{", " => 1}"),
        around("X#{a := ", "}"),
        around("set[", "]"),
        around("mv[", "]"),
        around("<<", ">>"),
        around("fun() -> ", " end"),
        around("fun(X) when X -> ", " end"),
        around("begin ", " end"),
        around("case ", " of Y -> Y end"),
        around("case 1 of Y -> ", " end"),
        around("case 1 of Y when ", " -> 1 end"),
        around("if true -> ", " end"),
        around("if ", " -> 1 end"),
        around("[Y || Y <- ", "]"),
        around("[", " || true]"),
        around("#{1 => ", " || true}"),
        around("- ", ""),
        around("+ ", ""),
        around("not ", ""),
        around("1 + ", ""),
        around("1 * ", ""),
        around("\"a\" ++ ", ""),
        around("1 andalso ", ""),
        around("1 orelse ", ""),
        around("Y = ", ""),
        around("abs(", ")"),
        around("lists:map(", ")"),
        around("gmap(", ")"),
        around("pair(set, ", ")"),
        around("X(", ")"),
        around("", "()"),
        around("", " - 1"),
        around("", " == 1"),
        around("", "#{a => 1}"),
        format!("declare({}set{}).", "gmap(".repeat(DEPTH), ")".repeat(DEPTH)),
        format!("{}A{} = 1.", "{".repeat(DEPTH), "}".repeat(DEPTH)),
        format!("{}A{} = 1.", "[".repeat(DEPTH), "]".repeat(DEPTH)),
        format!("fun({}A{}) -> 1 end.", "#{a := ".repeat(DEPTH), "}".repeat(DEPTH)),
        format!("fun({}A) -> 1 end.", "A = ".repeat(DEPTH)),
        format!("fun({}A) -> 1 end.", "\"a\" ++ ".repeat(DEPTH)),
        format!("[1 || {}A{} <- []].", "{".repeat(DEPTH), "}".repeat(DEPTH)),
        format!("case 1 of {}A{} -> 1 end.", "{".repeat(DEPTH), "}".repeat(DEPTH)),
    ];
    for program in programs {
        let source = Source::new("deep.lasp", program.as_str());
        let diagnostics = diagnose(&source);
        let begin = &program[..program.len().min(60)];
        assert!(!diagnostics.is_empty() && diagnostics.len() < 3, "{begin}: {} diagnostics", diagnostics.len());
        let says_why = |d: &Diagnostic| d.message.contains("deep") || d.message.contains("do not chain");
        assert!(diagnostics.iter().all(says_why), "{begin}: {}", diagnostics[0].message);
        assert!(diagnostics[0].render(&source, false).contains("error"), "{begin}");
    }
}

/// As a whole, and every place in the text.
fn check(program: &str) -> usize {
    let source = Source::new("long.lasp", program);
    let diagnostics = diagnose(&source);
    for diagnostic in &diagnostics {
        let places = diagnostic.related.iter().map(|(span, _)| *span).chain([diagnostic.span]);
        for span in places {
            assert!(span.start <= span.end && program.get(span.range()).is_some(), "{diagnostic:?}");
        }
    }
    diagnostics.len()
}

// Each of these is done at once if the time grows with the length, and takes minutes if it grows with its square.

#[test]
fn long_programs_are_read_in_time() {
    let numbers = |n: usize| (0..n).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let each =
        |n: usize, write: fn(usize) -> String, between: &str| (0..n).map(write).collect::<Vec<_>>().join(between);
    let programs = [
        format!("\"{}\".", "x".repeat(10_000_000)),
        format!("'{}'.", "x".repeat(1_000_000)),
        format!("<<\"{}\">>.", "\\xff".repeat(1_000_000)),
        format!("[{}].", numbers(200_000)),
        format!("{{{}}}.", numbers(200_000)),
        format!("#{{{}}}.", each(100_000, |n| format!("{n} => a"), ",")),
        format!("fun() -> {} end.", numbers(200_000)),
        format!("F = fun({}) -> 1 end.", each(50_000, |n| format!("V{n}"), ",")),
        format!("case 1 of {}; _ -> 2 end.", each(50_000, |n| format!("{n} -> a"), ";")),
        format!("begin {} end.", each(50_000, |n| format!("V{n} = {n}"), ",")),
        each(100_000, |n| format!("V{n} = {n}, V{n} + 1."), "\n"),
        "% comment\n".repeat(500_000),
    ];
    for program in &programs {
        assert_eq!(check(program), 0, "{}", &program[..40]);
    }
}

#[test]
fn long_programs_that_are_none_are_refused_in_time() {
    let unbound: String = (0..20_000).map(|n| format!("V{n} = W{n}.\n")).collect();
    let unknown: String = (0..20_000).map(|n| format!("V{n} = f{n}().\n")).collect();
    let errors: String = (0..50_000).map(|n| format!("V{n} = 1 + , @.\n")).collect();
    let pieces = [
        "9",
        "a",
        "A",
        ",",
        "end ",
        "(",
        ")",
        "\"",
        "fun ",
        "case ",
        ".",
        "@",
        "\\",
        "\"\\q\"",
        "x.y",
        "1 2 ",
        "a(",
        "[a, ",
        "if a -> ",
        "a -> b; ",
        "X\u{301} \u{0}\u{ffff}é",
        "#{",
        "<<",
        "|| ",
        "= ",
        "- ",
        "fun(X) -> ",
        "{1 | ",
        "'",
        "$",
    ];
    let repeated = pieces.iter().map(|piece| piece.repeat(30_000));
    for program in repeated.chain([unbound, unknown, errors]) {
        let found = check(&program);
        let begin: String = program.chars().take(40).collect();
        assert!((1..=1_001).contains(&found), "{begin}: {found}");
    }
}

#[test]
fn a_program_that_is_too_long_is_refused() {
    let message = failure(&"% comment\n".repeat(2_000_000));
    assert!(message.contains("the program has 20000000 bytes; at most 16777216 are read"), "{message}");
}

#[test]
fn large_literals_and_many_forms_run() {
    let numbers: Vec<String> = (0..1_000_000).map(|n| n.to_string()).collect();
    assert_eq!(last(&format!("length([{}]).", numbers.join(","))), "1000000");
    assert_eq!(last(&format!("string:length(\"{}\").", "x".repeat(10_000_000))), "10000000");
    let forms: String = (0..100_000).map(|n| format!("V{n} = {n}. ")).collect();
    assert_eq!(last(&format!("{forms} V7 + V99999.")), "100006");
}

#[test]
fn a_larger_literal_than_a_value_can_be_is_refused_where_it_stands() {
    let numbers: Vec<String> = (0..1_100_000).map(|n| (n % 10).to_string()).collect();
    let (_, stop) = attempt(&format!("X = [{}].", numbers.join(",")));
    assert!(stop.is_some_and(|message| message.contains("this value is too large")));
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in vec(any::<u8>(), 0..400)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_soup_of_tokens_is_read(pieces in vec(prop_oneof![
        proptest::sample::select(&PIECES[..]).prop_map(str::to_owned),
        proptest::sample::select(Keyword::ALL).prop_map(|word| word.to_string()),
        proptest::sample::select(Symbol::ALL).prop_map(|symbol| symbol.to_string()),
    ], 0..200), spaced in any::<bool>()) {
        check(&pieces.join(if spaced { " " } else { "" }));
    }
}
