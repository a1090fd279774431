//! Every program ends: steps, depth and size are limited, and the place where a limit was reached is told.

use crate::support::{failure, last, run};

#[test]
fn a_function_that_calls_itself_by_argument_is_stopped() {
    let message = failure("F = fun(F, N) -> F(F, N + 1) end, F(F, 0).");
    assert!(message.contains("calls nested more than"), "{message}");
}

#[test]
fn a_long_computation_is_stopped_where_it_stands() {
    let nested = "L = lists:seq(1, 100000), [X + Y || X <- L, Y <- L].";
    let message = failure(nested);
    assert!(message.contains("the step limit was reached here"), "{message}");
}

#[test]
fn a_derivation_is_stopped_sooner_and_the_program_goes_on() {
    let text = "L = lists:seq(1, 100000), S = declare(set), update(S, {add, [1, 2]}),
        map(S, fun(1) -> lists:foldl(fun(X, A) -> X + A + lists:sum(L) end, 0, L); (N) -> N end).";
    let lines = run(text);
    assert!(lines[0].contains("map failed on 1: the step limit was reached here"), "{}", lines[0]);
    assert_eq!(lines[1], "set[2]");
}

#[test]
fn values_that_double_or_nest_without_end_are_stopped() {
    let doubling = [
        "lists:foldl(fun(_, A) -> A ++ A end, [1], lists:seq(1, 64)).",
        "lists:foldl(fun(_, A) -> A ++ A end, \"a\", lists:seq(1, 64)).",
        "lists:foldl(fun(_, A) -> {A, A} end, 1, lists:seq(1, 64)).",
        "lists:foldl(fun(_, A) -> {A} end, 1, lists:seq(1, 1000)).",
        "lists:foldl(fun(_, A) -> #{A => A} end, 1, lists:seq(1, 1000)).",
        "lists:foldl(fun(_, F) -> fun() -> F end end, 1, lists:seq(1, 1000)).",
        "lists:duplicate(1000000000000, x).",
        "string:repeat(\"abc\", 1000000000000).",
        "lists:seq(1, 9223372036854775807).",
        "string:replace(string:repeat(\"a\", 100000), \"a\", string:repeat(\"b\", 100000), all).",
    ];
    for text in doubling {
        let message = failure(text);
        assert!(message.contains("limit") || message.contains("parts") || message.contains("too large"), "{message}");
    }
}

#[test]
fn the_bounds_do_not_hinder_ordinary_folds() {
    let text = "lists:foldl(fun(X, {N, L}) -> {N + 1, [X | L]} end, {0, []}, lists:seq(1, 1000)).";
    assert!(last(text).starts_with("{1000, [1000, 999, "), "{}", last(text));
    let rotating = "lists:foldl(fun(X, {A, {B, C}}) -> {B, {C, X}} end, {0, {0, 0}}, lists:seq(1, 5000)).";
    assert_eq!(last(rotating), "{4998, {4999, 5000}}");
}

#[test]
fn deep_programs_are_refused_not_overflowed() {
    for text in [
        format!("{}1{}.", "(".repeat(50_000), ")".repeat(50_000)),
        format!("{}.", "[".repeat(50_000)),
        format!("1{}.", " + 1".repeat(50_000)),
        format!("X = {}1.", "not ".repeat(50_000)),
        format!("{}ok{}.", "fun() -> ".repeat(5_000), " end".repeat(5_000)),
        format!("F{}.", "()".repeat(50_000)),
    ] {
        let message = failure(&text);
        assert!(message.contains("deep"), "{}", &message[..message.len().min(400)]);
    }
}

#[test]
fn an_order_that_is_none_sorts_somehow() {
    assert_eq!(last("length(lists:sort(fun(_, _) -> true end, lists:seq(1, 100)))."), "100");
    assert_eq!(last("length(lists:sort(fun(A, B) -> (A + B) rem 2 == 0 end, lists:seq(1, 100)))."), "100");
}

#[test]
fn actions_that_trigger_each_other_without_end_are_stopped() {
    let text = "C = declare(gcounter), stream(C, fun(_) -> update(C, increment) end), update(C, increment).";
    assert!(failure(text).contains("the step limit was reached here"));
}

#[test]
fn comparing_large_values_costs_steps() {
    let text = "L = lists:seq(1, 100000), M = lists:seq(1, 100000), [X || X <- L, L == M].";
    assert!(failure(text).contains("the step limit was reached here"));
}
