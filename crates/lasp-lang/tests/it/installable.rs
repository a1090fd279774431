//! What may be installed, and what is said of what may not.

use lasp_dataflow::Type;
use lasp_lang::diagnostic::render_all;
use lasp_lang::installable::{Outline, installable};
use lasp_lang::{Diagnostic, Source};

fn check(text: &str) -> Result<Outline, Vec<Diagnostic>> {
    let known = |name: &str| match name {
        "~reserved" => Err("this name is reserved".to_owned()),
        "held" => Ok(Some(Type::GCounter)),
        _ => Ok(None),
    };
    installable(&Source::new("test.lasp", text), &known)
}

fn refusal(text: &str) -> String {
    let diagnostics = check(text).expect_err(text);
    render_all(&diagnostics, &Source::new("test.lasp", text), false)
}

#[test]
fn what_a_program_sets_up_is_outlined() {
    let outline = check(
        "A = declare(\"a\", set), B = declare(\"b\", set), N = declare(\"b\" ++ \"/n\", gcounter).\n\
         Big = filter(A, fun(X) -> X > 10 end).\n\
         map(Big, fun(X) -> X * 2 end, B).\n\
         invariant(fold(A, count), {value, 3}, fun() -> update(N, increment) end).\n\
         enforce_once(N, {value, 1}, fun() -> update(B, {add, query(N)}), print(done) end).\n\
         interested(\"c/*\").",
    )
    .expect("it can be installed");
    let variables: Vec<(&str, String)> =
        outline.variables.iter().map(|(name, ty)| (name.as_str(), ty.to_string())).collect();
    assert_eq!(variables, [("a", "set".into()), ("b", "set".into()), ("b/n", "gcounter".to_owned())]);
    assert_eq!(outline.sources.iter().map(String::as_str).collect::<Vec<_>>(), ["a", "b/n"]);
}

#[test]
fn every_misplaced_operation_is_named_with_its_place_and_reason() {
    let text = "S = declare(\"s\", set).\nupdate(S, {add, 1}).\nquery(S).\nprint(S).\nT = declare(set).\n\
                stream(S, fun(_) -> ok end).\nsettle().\non(1, query(S)).\nread(S, [1]).\n\
                invariant(S, [1], fun() -> sleep(1) end).";
    let shown = refusal(text);
    for (name, at) in [
        ("update", "test.lasp:2:1"),
        ("query", "test.lasp:3:1"),
        ("print", "test.lasp:4:1"),
        ("declare", "test.lasp:5:5"),
        ("stream", "test.lasp:6:1"),
        ("settle", "test.lasp:7:1"),
        ("on", "test.lasp:8:1"),
        ("read", "test.lasp:9:1"),
        ("sleep", "test.lasp:10:28"),
    ] {
        assert!(shown.contains(&format!("cannot `{name}`")), "{name}:\n{shown}");
        assert!(shown.contains(at), "{name} at {at}:\n{shown}");
    }
}

#[test]
fn what_hides_in_a_function_is_found_by_setting_it_up() {
    let shown = refusal("S = declare(\"s\", set), F = fun() -> update(S, {add, 1}) end.\nF().");
    assert!(shown.contains("cannot `update` at its top level") && shown.contains("test.lasp:1:37"), "{shown}");
    let shown = refusal("F = fun(X) -> print(X) end, F(1).");
    assert!(shown.contains("cannot `print` at its top level"), "{shown}");
    let shown = refusal("A = declare(\"a\", set), B = declare(\"b\", set), bind_to(A, B), bind_to(B, A).");
    assert!(shown.contains("a already follows from b") && shown.contains("a follows from b here"), "{shown}");
    let shown = refusal("declare(\"a\", set).\ndeclare(\"a\", gset).");
    assert!(shown.contains("test.lasp:2:1") && shown.contains("declared as set here"), "{shown}");
    assert!(refusal("declare(\"n\", gcounter), 1 div 0.").contains("test.lasp:1:25"));
}

#[test]
fn names_that_are_taken_or_reserved_are_refused() {
    let shown = refusal("declare(\"held\", set).");
    assert!(shown.contains("held is already declared as gcounter, not set"), "{shown}");
    assert!(refusal("declare(\"~reserved\", set).").contains("this name is reserved"));
    assert!(check("declare(\"held\", gcounter).").is_ok());
}

#[test]
fn what_does_not_end_is_refused() {
    let shown = refusal("declare(\"a\", set), lists:sum([X * Y || X <- lists:seq(1, 1000), Y <- lists:seq(1, 1000)]).");
    assert!(shown.contains("the step limit was reached"), "{shown}");
    let many = "lists:sum(lists:seq(1, 20000)).\n".repeat(200);
    assert!(refusal(&many).contains("the step limit was reached"));
}

#[test]
fn what_cannot_be_parsed_or_checked_is_refused_with_everything_that_is_wrong() {
    let shown = refusal("update(S, {add, 1}).\nmap(T, fun(X) -> X end.\n");
    assert!(shown.contains("unbound") && shown.contains("cannot `update`") && shown.contains("test.lasp:2"), "{shown}");
}

#[test]
fn an_empty_program_sets_up_nothing() {
    assert_eq!(check("% nothing\n"), Ok(Outline::default()));
}
