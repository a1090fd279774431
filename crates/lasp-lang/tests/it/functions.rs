//! Laws of functions: the compiled form and the tree agree, on whatever program.

use crate::generator::Generator;
use lasp_dataflow::{Call, Value};
use lasp_lang::function::Function;
use lasp_lang::term::Term;
use lasp_lang::{GraphHost, Session, Source};
use proptest::collection::vec;
use proptest::prelude::*;

const STEPS: u64 = 1_000_000;

/// What `F` is bound to by a program that is well formed.
pub(crate) fn function(program: &str) -> Option<Function> {
    let mut session = Session::new(GraphHost::default());
    session.run(&Source::new("f.lasp", program), &mut drop).ok()?;
    let found = session.terms().find_map(|(name, term)| match term {
        Term::Function(function) if name == "F" => Some(function.clone()),
        _ => None,
    });
    Some(found.expect("the program binds F to a function"))
}

fn bound(program: &str) -> Function {
    function(program).unwrap_or_else(|| panic!("{program}\ndoes not run"))
}

fn call(function: &Function, args: &[Value]) -> String {
    format!("{:?}", function.call(args))
}

proptest! {
    #[test]
    fn compiled_and_tree_agree(choices in vec(any::<u8>(), 0..600), steps in 0_u64..400) {
        let mut generator = Generator::new(&choices);
        let program = generator.program(1);
        let Some(function) = function(&program) else {
            return Ok(());
        };
        for _ in 0..4 {
            let args = [generator.value(2)];
            let tree = function.call_by_tree(&args, STEPS);
            prop_assert_eq!(&function.call(&args), &tree, "{}\nof {}", program, args[0]);
            if let Some(value) = function.call_compiled(&args, STEPS) {
                prop_assert_eq!(Ok(value), tree, "{}\nof {}", program, args[0]);
            }
            // Within any limit: what the compiled form gives, the tree gives, too.
            if let Some(value) = function.call_compiled(&args, steps) {
                prop_assert_eq!(Ok(value), function.call_by_tree(&args, steps), "{}\nof {} in {}", program, args[0], steps);
            }
        }
    }

    // Short functions are tried at first sight: by references, without making terms.
    #[test]
    fn short_functions_agree_with_their_tree(choices in vec(any::<u8>(), 0..120), depth in 0_usize..3, steps in 0_u64..60) {
        let mut generator = Generator::new(&choices);
        let program = generator.program_of_depth(1, depth);
        let Some(function) = function(&program) else {
            return Ok(());
        };
        for _ in 0..6 {
            let args = [generator.value(2)];
            let tree = function.call_by_tree(&args, STEPS);
            prop_assert_eq!(&function.call(&args), &tree, "{}\nof {}", program, args[0]);
            if let Some(value) = function.call_compiled(&args, steps) {
                prop_assert_eq!(Ok(value), function.call_by_tree(&args, steps), "{}\nof {} in {}", program, args[0], steps);
            }
        }
    }

    #[test]
    fn a_function_of_two_arguments_agrees_with_its_tree(choices in vec(any::<u8>(), 0..400)) {
        let mut generator = Generator::new(&choices);
        let program = generator.program(2);
        if let Some(function) = function(&program) {
            let args = [generator.value(2), generator.value(1)];
            prop_assert_eq!(function.call(&args), function.call_by_tree(&args, STEPS), "{}", program);
        }
    }
}

#[test]
fn ordinary_functions_have_a_compiled_form() {
    let cases = [
        ("F = fun(X) -> X * 2 end.", "21", "42"),
        ("F = fun({_, N}) -> N rem 2 == 0 end.", "{a, 4}", "true"),
        ("F = fun(#{price := P}) -> P > 10 end.", "#{price => 11}", "true"),
        ("F = fun([H | T]) when H > 1 -> {H, length(T)}; (_) -> none end.", "[2, 3]", "{2, 1}"),
        ("L = 3, F = fun(X) -> [{X, Y} || Y <- lists:seq(1, L), Y /= X] end.", "2", "[{2, 1}, {2, 3}]"),
        ("F = fun(X) -> case X of {a, Y} -> Z = Y; Y -> Z = {Y} end, {Z, Y} end.", "{a, 1}", "{1, 1}"),
        ("F = fun(X) -> lists:foldl(fun(Y, A) -> A + Y * X end, 0, [1, 2, 3]) end.", "2", "12"),
        ("S = sets:from_list([1, 2]), F = fun(X) -> {lists:member(X, S), length(S)} end.", "2", "{true, 2}"),
        ("F = fun(X) -> #{K => V + 1 || K := V <- X} end.", "#{a => 1}", "#{a => 2}"),
        ("F = fun(X) -> #{n := N} = M = X#{n := 2}, {N, maps:size(M)} end.", "#{n => 1}", "{2, 1}"),
        ("F = fun(\"ad/\" ++ Id) -> Id; (<<1, 2>>) -> bytes end.", "\"ad/7\"", "\"7\""),
        ("G = fun abs/1, F = fun(X) -> G(X) + (fun(Y) -> -Y end)(X) end.", "-3", "6"),
        ("F = fun(X) -> if X > 1, X < 5; X == 0 -> yes; true -> no end end.", "0", "yes"),
        ("F = fun(X) -> begin Y = X, not (Y orelse false) end end.", "true", "false"),
        ("F = fun({ad, {_, P}, [_ | _]}) when P > 1 -> P * 2; (_) -> 0 end.", "{ad, {x, 2}, [1]}", "4"),
        ("F = fun(M) -> maps:get(a, M, 0) + maps:get(b, M, 5) end.", "#{a => 1}", "6"),
        ("F = fun(X) -> maps:get(a, X, none) end.", "#{a => b}", "b"),
        ("F = fun({T, N}) -> string:starts_with(T, \"id\") andalso abs(N) > 5 end.", "{\"id/1\", -6}", "true"),
        ("F = fun(T) -> {string:length(T), max(3, byte_size(T)), string:is_empty(T)} end.", "\"é\"", "{1, 3, false}"),
        (
            "F = fun(L) -> {hd(L), lists:last(L), lists:nth(2, L), element(1, hd(L))} end.",
            "[{1}, 2, 3]",
            "{{1}, 3, 2, 1}",
        ),
        ("F = fun(X) -> lists:member(X, [1, {2}]) orelse sets:is_element(X, [3]) end.", "{2}", "true"),
        ("L = 2, F = fun(X) -> lists:any(fun(Y) -> Y > L end, X) end.", "[1, 3]", "true"),
        (
            "A = 1, B = 2, C = 3, D = 4, E = 5, F = fun(X) -> lists:map(fun(Y) -> Y + A + B + C + D + E end, X) end.",
            "[1]",
            "[16]",
        ),
        ("F = fun(X) -> lists:foldr(fun(Y, {N, L}) -> {N + 1, [Y | L]} end, {0, []}, X) end.", "[a, b]", "{2, [a, b]}"),
        ("F = fun(X) -> lists:filter(fun({_, Y}) -> Y; (_) -> false end, X) end.", "[{1, true}, 2]", "[{1, true}]"),
        ("F = fun({X, X}) -> same; ({X, Y}) -> {X -- Y, X ++ Y} end.", "{[1, 2], [2]}", "{[1], [1, 2, 2]}"),
    ];
    for (program, arg, expected) in cases {
        let function = bound(program);
        let arg = bound(&format!("F = fun(_) -> {arg} end.")).call(&[Value::Int(0)]).expect("a value");
        let value = function.call_compiled(&[arg], STEPS).map(|value| value.to_string());
        assert_eq!(value.as_deref(), Some(expected), "{program}");
    }
}

#[test]
fn failures_of_compiled_functions_have_their_message_and_place() {
    let function = bound("F = fun({X, Y}) -> 10 div (X - Y) end.");
    let error = function.call(&[Value::tuple([1, 1])]).expect_err("no such number");
    assert_eq!((&*error.message, error.at), ("division by zero: 10 div 0", Some((19, 33))));
    let error = function.call(&[Value::Int(1)]).expect_err("no clause");
    assert_eq!(&*error.message, "no clause of this function matches (1)");
    let endless = bound("F = fun(N) -> lists:foldl(fun(X, A) -> [X | A] end, [], lists:seq(1, N)) end.");
    let error = endless.call(&[Value::Int(1_000_000)]).expect_err("too long");
    assert_eq!(&*error.message, "the step limit was reached here");
}

#[test]
fn asking_a_set_for_what_is_no_value_fails_in_both_forms() {
    for list in ["[]", "[1, fun(X) -> X end]"] {
        let function =
            bound(&format!("F = fun(X) -> sets:is_element(if X > 0 -> fun(Y) -> Y end; true -> X end, {list}) end."));
        for arg in [0, 1] {
            let arg = [Value::Int(arg)];
            assert_eq!(call(&function, &arg), format!("{:?}", function.call_by_tree(&arg, STEPS)), "{list} {arg:?}");
        }
    }
}

#[test]
fn taking_a_large_element_apart_costs_no_steps_for_its_size() {
    let large = Value::tuple([Value::Int(1), Value::list(0..200_000)]);
    for program in [
        "F = fun({X, _}) -> X + 1 end.",
        "F = fun(P) -> element(1, P) + 1 end.",
        "F = fun({X, L}) -> hd(L) + X + 1 end.",
    ] {
        let function = bound(program);
        let few = 20;
        assert_eq!(function.call_compiled(std::slice::from_ref(&large), few), Some(Value::Int(2)), "{program}");
        assert_eq!(function.call_by_tree(std::slice::from_ref(&large), few), Ok(Value::Int(2)), "{program}");
    }
    // What it is built into is measured.
    let wraps = bound("F = fun({_, L}) -> {L, L} end.");
    assert_eq!(wraps.call_compiled(std::slice::from_ref(&large), 1_000), None);
    assert!(wraps.call(&[large]).is_ok());
}

#[test]
fn an_effect_inside_a_function_happens_once_though_the_function_fails() {
    let program = "S = declare(gcounter), Act = fun() -> update(S, increment) end,
        F = fun(G) -> G(), 1 div 0 end. Fails = fun(X) -> X end. F(Act).";
    let mut session = Session::new(GraphHost::default());
    let failed = session.run(&Source::new("f.lasp", program), &mut drop);
    assert!(failed.is_err());
    let mut lines = Vec::new();
    session.run(&Source::new("g.lasp", "query(S)."), &mut |line| lines.push(line.to_string())).expect("it runs");
    assert_eq!(lines, ["1"]);
}

#[test]
fn deep_recursion_by_argument_gives_the_same_in_both_forms() {
    let program = "F = fun(N) -> G = fun(G, 0) -> 0; (G, M) -> 1 + G(G, M - 1) end, G(G, N) end.";
    let function = bound(program);
    for depth in [0, 1, 20, 60, 90, 120, 200, 1_000] {
        let arg = [Value::Int(depth)];
        assert_eq!(call(&function, &arg), format!("{:?}", function.call_by_tree(&arg, STEPS)), "{depth}");
    }
}

#[test]
fn the_random_functions_are_worth_testing() {
    let mut state = 7_u64;
    let mut choices = || -> Vec<u8> {
        (0..600)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as u8
            })
            .collect()
    };
    let (mut accepted, mut compiled, mut failed, mut total) = (0, 0, 0, 0);
    for _ in 0..400 {
        let choices = choices();
        let mut generator = Generator::new(&choices);
        let Some(function) = function(&generator.program(1)) else {
            continue;
        };
        accepted += 1;
        for _ in 0..8 {
            total += 1;
            let args = [generator.value(2)];
            match function.call(&args) {
                Ok(_) if function.call_compiled(&args, STEPS).is_some() => compiled += 1,
                Ok(_) => {}
                Err(_) => failed += 1,
            }
        }
    }
    assert!(accepted > 100, "{accepted} of 400 programs are well formed");
    assert!(compiled * 3 > total, "{compiled} of {total} calls gave a value by the compiled form");
    assert!((compiled + failed) * 100 > total * 95, "{compiled} compiled, {failed} failed of {total}");
}
