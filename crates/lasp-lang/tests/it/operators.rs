//! Derivations beyond sets to sets: differences, parts of maps and graphs, groups, aggregates of aggregates, scalars.

use crate::support::{attempt, failure, last, run};

const SETS: &str = "A = declare(set), update(A, {add, [1, 2, 3, 4]}), B = declare(set), update(B, {add, [3, 4, 5]}).";

fn derived(expr: &str) -> String {
    last(&format!("{SETS} {expr}."))
}

#[test]
fn a_difference_follows_both_sides() {
    let text = "D = difference(A, B). update(B, {add, 1}), D. update(B, {rmv, 4}), D. update(A, {rmv, 2}), D.";
    let lines = run(&format!("{SETS} {text}"));
    assert_eq!(lines[1..], ["set[1, 2]", "set[2]", "set[2, 4]", "set[4]"]);
}

#[test]
fn groups_map_keys_to_aggregates() {
    let parity = "fun(X) -> X rem 2 end";
    for (aggregate, expected) in [
        ("count", "#{0 => 2, 1 => 2}"),
        ("sum", "#{0 => 6, 1 => 4}"),
        ("[count, min, {sum, fun(X) -> X * X end}]", "#{0 => {2, 2, 20}, 1 => {2, 1, 10}}"),
        ("{count, fun(X) -> X > 2 end}", "#{0 => 1, 1 => 1}"),
        ("{[max, avg], fun(X) -> 10 * X end}", "#{0 => {40, 30.0}, 1 => {30, 20.0}}"),
        ("{fun(X, Acc) -> X * Acc end, 1}", "#{0 => 8, 1 => 3}"),
    ] {
        assert_eq!(derived(&format!("group(A, {parity}, {aggregate})")), expected, "{aggregate}");
    }
    let text = format!("G = group(A, {parity}, sum). update(A, {{rmv_all, [2, 4]}}), G. update(A, {{add, 7}}), G.");
    assert_eq!(run(&format!("{SETS} {text}"))[1..], ["#{0 => 6, 1 => 4}", "#{1 => 4}", "#{1 => 11}"]);
}

#[test]
fn a_group_is_a_collection_again() {
    let group = "G = group(A, fun(X) -> X rem 3 end, sum)";
    assert_eq!(derived(&format!("{group}, entries(G)")), "set[{0, 3}, {1, 5}, {2, 2}]");
    assert_eq!(derived(&format!("{group}, keys(G)")), "set[0, 1, 2]");
    assert_eq!(derived(&format!("{group}, filter(G, fun({{_, Sum}}) -> Sum > 2 end)")), "set[{0, 3}, {1, 5}]");
    assert_eq!(derived(&format!("{group}, fold(G, {{max, fun({{_, Sum}}) -> Sum end}})")), "5");
}

#[test]
fn equal_images_count_each() {
    assert_eq!(derived("fold(A, {sum, fun(_) -> 5 end})"), "20");
    assert_eq!(derived("fold(A, {count, fun(X) -> X rem 2 == 0 end})"), "2");
    assert_eq!(derived("fold(A, [count, {avg, fun(X) -> X div 2 end}, []])"), "{4, 1.0, {}}");
}

#[test]
fn a_fold_can_be_derived_into_a_summary() {
    let text = "A = declare(set), T = fold(A, sum, declare(total, summary)), M = map(T, fun(N) -> N * 10 end).
                update(A, {add, [1, 2, 3]}), {query(T), query(M)}.
                update(A, {rmv, 3}), {read(T, {value, 3}), query(M)}.
                fold(A, min, declare(least, summary)), update(A, {rmv_all, [1, 2]}), query(declare(least, summary)).";
    assert_eq!(run(text)[1..], ["{6, 60}", "{3, 30}", "undefined"]);
}

#[test]
fn a_scalar_can_be_mapped_and_thresholds_are_flags() {
    let text = "C = declare(gcounter), M = map(C, fun(N) -> N * N end), R = reached(C, {value, 3}).
                update(C, {increment, 2}), {query(M), query(R)}.
                update(C, increment), {query(M), query(R)}.
                {M, R}.";
    assert_eq!(run(text)[1..], ["{4, false}", "{9, true}", "{9, true}"]);
    let text = "C = declare(gcounter), F = declare(boolean), reached(C, {value, 1}, F), update(C, increment), F.";
    assert_eq!(last(text), "true");
    assert_eq!(derived("map(fold(A, sum), fun(N) -> N + 1 end)"), "11");
}

#[test]
fn what_does_not_fit_is_told_before_it_runs() {
    for (form, message) in [
        ("C = declare(gcounter), group(C, fun(X) -> X end, sum)", "`group` takes a collection, found a gcounter"),
        ("keys(A)", "`keys` takes a map, found a set"),
        ("vertices(A)", "`vertices` takes a graph, found a set"),
        ("fold(A, {summ, fun(X) -> X end})", "`fold` cannot aggregate by `summ`"),
        ("group(A, fun(X) -> X end, [count, cuont])", "`group` cannot aggregate by `cuont`"),
        ("fold(A, {sum, fun(X, Y) -> X end})", "`fold` takes a function of 1 argument, this one has 2"),
        ("group(A, fun(X, Y) -> X end, sum)", "`group` takes a function of 1 argument, this one has 2"),
        ("fold(A, {sum, fun(X) -> query(B) end})", "the function of `fold` must be pure"),
        ("G = declare(gset), map(A, fun(X) -> X end, G)", "`map` derives into a set, found a gset"),
        ("reached(A, {value, 1})", "set cannot be waited on for {value, 1}"),
        ("fold(A, sum, B)", "`fold` derives into a summary, found a set"),
        ("T = declare(summary), fold(A, sum, T), update(T, {set, 1})", "summary has no operation"),
        ("reached(A, [1], B)", "`reached` derives into a boolean, found a set"),
        (
            "L = declare_dynamic(mine, set), fold(map(L, fun(X) -> X end), sum, declare(all, summary))",
            "`fold` cannot derive into a replicated summary from dynamic variables",
        ),
        ("read(A, [1], 10, 20)", "`read` takes 2 or 3 arguments, found 4"),
        ("wait_needed(A, [1], 7)", "`wait_needed` takes a function here"),
    ] {
        let (lines, stop) = attempt(&format!("{SETS} {form}."));
        assert_eq!(lines, [], "{form}");
        assert!(stop.as_ref().is_some_and(|stop| stop.contains(message)), "{form}: {stop:?}");
    }
}

#[test]
fn what_only_running_shows_is_told_then() {
    for (form, message) in [
        ("Agg = {sum, 3}, fold(A, Agg)", "`fold` takes a function, found an integer 3"),
        ("Agg = nothing, fold(A, Agg)", "`fold` cannot aggregate by nothing"),
        ("Agg = lists:duplicate(100, sum), fold(A, Agg)", "`fold` computes at most 64 aggregates at once"),
        ("T = 3, reached(A, T)", "cannot be waited on for 3"),
        ("difference(A, B, A)", "follow"),
        ("T = declare(summary), fold(A, sum, T), bind(T, 1)", "use fold"),
        ("M = declare(gmap(max)), fold(M, count, declare(summary))", "which of two is newer"),
        (
            "{L, T} = {declare_dynamic(mine, set), declare(all, summary)}, fold(union(A, L), count, T)",
            "the result of a fold over mine cannot be replicated: each node has its own",
        ),
    ] {
        let failed = failure(&format!("{SETS} {form}."));
        assert!(failed.contains(message), "{form}: {failed}");
    }
}

#[test]
fn dynamic_variables_are_folded_where_they_are_or_through_a_replicated_set() {
    let text = "L = declare_dynamic(mine, set), fold(L, sum, declare_dynamic(here, summary)),
                S = declare(all, set), bind_to(S, L), fold(S, sum, declare(total, summary)), update(L, {add_all, [1, 2]}).
                {query(declare_dynamic(here, summary)), query(declare(total, summary))}.";
    assert_eq!(last(text), "{3, 3}");
}

#[test]
fn a_predicate_that_is_no_boolean_says_so() {
    let (lines, _) = attempt(&format!("{SETS} fold(A, {{count, fun(X) -> X end}})."));
    assert!(lines.iter().any(|line| line.to_string().contains("a predicate is true or false, found an integer")));
}

#[test]
fn a_wait_can_time_out() {
    assert_eq!(
        run(&format!("{SETS} read(A, [9], 100). read_any([{{A, [9]}}, {{B, [8]}}], 5). read(A, [1], 0).")),
        ["set[3, 4, 5]", "timeout", "timeout", "set[1, 2, 3, 4]"]
    );
    assert!(failure(&format!("{SETS} read(A, [9], soon).")).contains("`read` takes milliseconds from 0 to 3600000"));
}

#[test]
fn what_is_needed_is_made() {
    let text = "V = declare(gset), wait_needed(V, [1], fun() -> update(V, {add, [1, 2]}) end), V. read(V, [1]).";
    assert_eq!(run(text), ["set[]", "set[1, 2]"]);
    let text = "V = declare(gset), update(V, {add, 1}), wait_needed(V, [1]).";
    assert_eq!(last(text), "set[1]");
    assert!(failure("V = declare(gset), wait_needed(V, [1]).").contains("this would wait for ever"));
}

#[test]
fn a_variable_can_be_forgotten() {
    assert_eq!(last("V = declare(v, set), update(V, {add, 1}), undeclare(V), declare(v, set)."), "set[]");
    let failed = failure(&format!("{SETS} map(A, fun(X) -> X end), undeclare(A)."));
    assert!(failed.contains("is in use"), "{failed}");
}

#[test]
fn a_dynamic_variable_is_a_variable() {
    let text = "V = declare_dynamic(v, set), update(V, {add, 1}), declare_dynamic(v, set).";
    assert_eq!(last(text), "set[1]");
    assert!(failure("declare(v, set), declare_dynamic(v, set).").contains("already declared as a"));
}
