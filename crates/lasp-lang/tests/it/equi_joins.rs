//! Laws of predicates taken apart into the keys of a join, and of when two functions are one.

use crate::functions::function;
use crate::generator::Generator;
use lasp_dataflow::{Call, EquiJoin, Value};
use lasp_lang::function::Function;
use proptest::collection::vec;
use proptest::prelude::*;

fn bound(program: &str) -> Function {
    function(program).unwrap_or_else(|| panic!("{program}\ndoes not run"))
}

fn holds(predicate: &dyn Call, pair: &Value) -> bool {
    predicate.call(std::slice::from_ref(pair)) == Ok(Value::Bool(true))
}

fn joins(join: &EquiJoin, left: &Value, right: &Value) -> bool {
    let keys = (join.left_key.call(std::slice::from_ref(left)), join.right_key.call(std::slice::from_ref(right)));
    let equal = matches!(keys, (Ok(left), Ok(right)) if left == right);
    let pair = Value::pair(left.clone(), right.clone());
    equal && join.rest.as_ref().is_none_or(|rest| holds(&**rest, &pair))
}

#[test]
fn equalities_between_the_halves_become_keys() {
    let cases = [
        ("fun({X, Y}) -> X == Y end", "fun(X) -> X end = fun(Y) -> Y end"),
        ("fun({{_, K}, #{k := L}}) -> L rem 3 =:= K end", "fun({_, K}) -> K end = fun(#{k := L}) -> L rem 3 end"),
        (
            "fun({X, Y}) -> X > 1 andalso X == Y andalso Y < 9 end",
            "fun(X) -> X end = fun(Y) -> Y end, fun({X, Y}) -> X > 1 andalso Y < 9 end",
        ),
        (
            "fun({{A, B}, {C, D}}) when A == C, B =:= D -> A < 5 end",
            "fun({A, B}) -> {A, B} end = fun({C, D}) -> {C, D} end, fun({{A, B}, {C, D}}) -> A < 5 end",
        ),
        (
            "fun(P) -> element(1, element(1, P)) == element(2, P) + 1 end",
            "fun(element(1, P)) -> element(1, element(1, P)) end = fun(element(2, P)) -> element(2, P) + 1 end",
        ),
        ("fun({{K, _}, {K, _}}) -> true end", "fun({K, _}) -> K end = fun({K, _}) -> K end"),
        ("fun({{K, _}, {K, _}}) -> true; (_) -> false end", "fun({K, _}) -> K end = fun({K, _}) -> K end"),
        (
            "fun({{K, A}, {K, B}}) when A > 1 -> B > A; ({1, _}) -> false; (_) -> false end",
            "fun({K, A}) -> K end = fun({K, B}) -> K end, \
             fun({{K, A}, {K, B}}) -> A > 1 andalso B > A; ({1, _}) -> false; (_) -> false end",
        ),
        (
            "fun({X, Y}) when X > 1; Y > 1 -> X == Y end",
            "fun(X) -> X end = fun(Y) -> Y end, fun({X, Y}) when X > 1; Y > 1 -> true end",
        ),
    ];
    for (predicate, expected) in cases {
        let join = bound(&format!("F = {predicate}.")).equi_join();
        assert_eq!(join.map(|join| format!("{join:?}")).as_deref(), Some(expected), "{predicate}");
    }
}

#[test]
fn what_is_no_such_predicate_is_left_alone() {
    let predicates = [
        "fun({X, Y}) -> X < Y end",
        "fun({X, Y}) -> X == 1 end",
        "fun({X, Y}) -> X == Y orelse X > 1 end",
        "fun({X, Y}) -> X + Y == Y end",
        "fun({X, Y}) -> not (X == Y) end",
        "fun(P) -> P == P end",
        "fun({X, Y, Z}) -> X == Y end",
        "fun({X, Y}) -> (Z = X) == Y andalso Z > 1 end",
        "fun({1, _}) -> true; ({X, Y}) -> X == Y end",
        "fun({{K, _}, {K, _}}) -> true; (_) -> true end",
        "fun({X, Y}) -> gmap(X) == gmap(Y) end",
        "fun(X, Y) -> X == Y end",
    ];
    for predicate in predicates {
        assert!(bound(&format!("F = {predicate}.")).equi_join().is_none(), "{predicate}");
    }
    // The key of the second half is what the first half binds.
    assert!(bound("K = a, F = fun({K, #{K := Y}}) -> K == Y end.").equi_join().is_none());
}

#[test]
fn numbers_are_equal_by_number_wherever_they_stand() {
    let values = "L = [1, 1.0, {1}, {1.0}, [1, a], [1.0, a], #{1 => 2}, #{1.0 => 2.0}, #{1 => a, 1.0 => b}, \
        #{1.0 => a, 2 => b}, #{{1, b} => p, {1.0, a} => q}, #{{1, a} => q, {1, b} => p}, 9007199254740993, 9007199254740992.0, \
        #{0.0 => [1, a, 1, b]}, -9223372036854775808, -9223372036854775808.0, 9223372036854775808.0, 9223372036854775807, a], \
        F = fun(_) -> L end.";
    let Ok(Value::List(values)) = bound(values).call(&[Value::Int(0)]) else { panic!("no list") };
    for operator in ["==", "=:="] {
        let predicate = bound(&format!("F = fun({{X, Y}}) -> X {operator} Y end."));
        let join = predicate.equi_join().expect("an equality");
        for (left, right) in values.iter().flat_map(|left| values.iter().map(move |right| (left, right))) {
            let pair = Value::pair(left.clone(), right.clone());
            assert_eq!(holds(&predicate, &pair), joins(&join, left, right), "{left} {operator} {right}");
        }
    }
}

#[test]
fn an_element_without_a_key_is_reported_only_if_the_predicate_would_fail_for_each_pair() {
    let join = bound("F = fun({X, Y}) -> X + 1 == Y end.").equi_join().expect("an equality");
    assert!(join.left_key.call(&[Value::atom("a")]).is_err());
    let join = bound("F = fun({X, Y}) -> is_integer(X) andalso X + 1 == Y end.").equi_join().expect("an equality");
    let (left, right) = (join.left_key.call(&[Value::atom("a")]), join.right_key.call(&[Value::Int(2)]));
    assert!(left.is_ok() && left != right);
}

/// A predicate over pairs of random values.
fn predicate(generator: &mut Generator<'_>) -> String {
    let halves = [("X", "Y"), ("{X, A}", "Y"), ("#{a := X}", "{Y, B}"), ("{X, K}", "{Y, K}"), ("X", "[Y | _]")];
    let (left, right) = halves[generator.below(halves.len())];
    let one = |g: &mut Generator<'_>, name: &str| {
        let forms =
            ["N", "N", "N", "N rem 2", "N + 1", "{N, 1}", "[N]", "abs(N)", "length(N)", "element(1, N)", "#{N => 1}"];
        g.pick(&forms).replace('N', name)
    };
    let mut parts = Vec::new();
    for _ in 0..1 + generator.below(4) {
        let (x, y) = (one(generator, "X"), one(generator, "Y"));
        parts.push(match generator.below(9) {
            0..=2 => format!("{x} == {y}"),
            3 => format!("{y} =:= {x}"),
            4 => format!("{x} < {y}"),
            5 => "is_integer(X)".to_owned(),
            6 => format!("{x} == 1"),
            7 => "1 div X > 0".to_owned(),
            _ => generator.pick(&["true", "Y", "is_tuple(Y) orelse Y > 1", "lists:any(fun(Y) -> Y == X end, [1, 2])"]),
        });
    }
    let split = generator.below(parts.len());
    let (guard, body) = parts.split_at(split);
    let separator = generator.pick(&[", ", " andalso ", "; "]);
    let guard = if guard.is_empty() { String::new() } else { format!(" when {}", guard.join(&separator)) };
    let others = generator.pick(&[
        "",
        "",
        "; (_) -> false",
        "; ({X, _}) when X > 1 -> false; (_) -> false",
        "; ({1, _}) -> false",
    ]);
    format!("F = fun({{{left}, {right}}}){guard} -> {}{others} end.", body.join(" andalso "))
}

proptest! {
    #[test]
    fn a_predicate_holds_exactly_if_its_keys_are_equal_and_the_rest_holds(choices in vec(any::<u8>(), 0..300)) {
        let mut generator = Generator::new(&choices);
        let program = predicate(&mut generator);
        let Some(predicate) = function(&program) else {
            return Ok(());
        };
        let Some(join) = predicate.equi_join() else {
            return Ok(());
        };
        let values: Vec<Value> = (0..12).map(|_| generator.value(2)).collect();
        for (left, right) in values.iter().flat_map(|left| values.iter().map(move |right| (left, right))) {
            let pair = Value::pair(left.clone(), right.clone());
            prop_assert_eq!(holds(&predicate, &pair), joins(&join, left, right), "{}\nof {}\n{:?}", program, pair, join);
        }
    }

    #[test]
    fn functions_of_one_identity_compute_the_same(one in vec(any::<u8>(), 0..40), other in vec(any::<u8>(), 0..40)) {
        let (mut one, mut other) = (Generator::new(&one), Generator::new(&other));
        let programs = [one.program(1), other.program(1)];
        let (Some(first), Some(second)) = (function(&programs[0]), function(&programs[1])) else {
            return Ok(());
        };
        let same = matches!((first.identity(), second.identity()), (Some(a), Some(b)) if a == b);
        for _ in 0..4 {
            let args = [one.value(2)];
            let values = (first.call(&args).ok(), second.call(&args).ok());
            prop_assert!(!same || values.0 == values.1, "{:?}\n{:?}", programs, values);
        }
    }
}

fn identity(program: &str) -> String {
    bound(program).identity().map(|text| text.to_string()).expect("it is known")
}

#[test]
fn names_and_places_make_no_difference() {
    let alike = [
        ["F = fun(X) -> X * 2 end.", "  F = fun(Other) ->\n Other * 2 end."],
        ["K = 2, F = fun(X) -> X * K end.", "N = 2, F = fun(Y) -> Y * N end."],
        ["X = 7, F = fun(X) -> X * 2 end.", "F = fun(X) -> X * 2 end."],
        ["F = fun(L) -> [{A, B} || {A, B} <- L, A > B] end.", "F = fun(M) -> [{P, Q} || {P, Q} <- M, P > Q] end."],
        [
            "K = 1, G = fun(X) -> X + K end, F = fun(X) -> lists:map(G, X) end.",
            "J = 1, H = fun(Y) -> Y + J end, F = fun(Y) -> lists:map(H, Y) end.",
        ],
        [
            "F = fun(X) -> lists:map(fun(Y) -> X + Y end, X) end.",
            "F = fun(A) -> lists:map(fun(B) -> A + B end, A) end.",
        ],
        ["F = fun abs/1.", "F = fun abs/1."],
    ];
    for [one, other] in alike {
        assert_eq!(identity(one), identity(other), "{one}\n{other}");
    }
}

#[test]
fn functions_that_differ_have_different_identities() {
    let programs = [
        "F = fun(X) -> X * 2 end.",
        "F = fun(X) -> X * 3 end.",
        "F = fun(X) -> X + 2 end.",
        "F = fun(X, _) -> X + 2 end.",
        "F = fun(X) -> X * 2.0 end.",
        "F = fun(X) -> {X, a} end.",
        "F = fun(X) -> {X, \"a\"} end.",
        "F = fun(X) -> {X, <<\"a\">>} end.",
        "F = fun(X) -> [X, a] end.",
        "F = fun({X, Y}) -> {X, Y} end.",
        "F = fun({X, Y}) -> {Y, X} end.",
        "F = fun({X, X}) -> {X, X} end.",
        "K = [1], F = fun(X) -> {X, K} end.",
        "K = set[1], F = fun(X) -> {X, K} end.",
        "K = mv[1], F = fun(X) -> {X, K} end.",
        "K = 1, G = fun(X) -> X + K end, F = fun(X) -> lists:map(G, X) end.",
        "K = 2, G = fun(X) -> X + K end, F = fun(X) -> lists:map(G, X) end.",
        "F = fun(X) -> lists:map(fun(Y) -> X + Y end, X) end.",
        "F = fun(X) -> lists:map(fun(Y) -> Y + X end, X) end.",
        "F = fun abs/1.",
        "F = fun length/1.",
        "F = fun(X) when X -> 1; (_) -> 2 end.",
        "F = fun(X) -> case X of true -> 1; _ -> 2 end end.",
        "F = fun(X) -> if X -> 1; true -> 2 end end.",
    ];
    let mut identities: Vec<String> = programs.iter().map(|program| identity(program)).collect();
    identities.sort();
    identities.dedup();
    assert_eq!(identities.len(), programs.len());
}
