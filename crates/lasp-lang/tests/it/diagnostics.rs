//! What is said about programs that are wrong: line, place, what was found and expected, a hint.

use crate::support::{attempt, failure};
use lasp_lang::explain::Recorder;
use lasp_lang::{GraphHost, Line, Session, Source, Stop};

/// The message, the line under carets (trimmed) and the hint of each diagnostic.
fn said(text: &str) -> Vec<String> {
    let interesting = |line: &&str| {
        let line = line.trim_start();
        line.starts_with("error") || line.starts_with("help") || line.contains('^')
    };
    let tidy = |line: &str| line.trim_start_matches([' ', '|']).trim_end().to_owned();
    failure(text).lines().filter(interesting).map(tidy).collect()
}

#[test]
fn the_whole_message_shows_the_line_and_the_place() {
    let text = "S = declare(set),\nudpate(S, {add, 1}).\n";
    let expected = "\
error: unknown function `udpate`
 --> test.lasp:2:1
  |
2 | udpate(S, {add, 1}).
  | ^^^^^^
  |
help: did you mean `update`?";
    assert_eq!(failure(text), expected);
}

#[test]
fn each_mistake_is_named_at_its_place_with_a_hint() {
    let cases: &[(&str, &[&str])] = &[
        ("S = declare(sett).", &["error: unknown type `sett`", "^^^^", "help: did you mean `set`?"]),
        ("S = declare(gmap(gest)).", &["error: unknown type `gest`", "^^^^", "help: did you mean `gset`?"]),
        (
            "C = declare(gcounter), update(C, {add, 1}).",
            &[
                "error: gcounter has no operation `add`",
                "^^^ no operation of gcounter",
                "help: gcounter offers increment, {increment, N}",
            ],
        ),
        (
            "C = declare(gcounter), update(C, incremnt).",
            &[
                "error: gcounter has no operation `incremnt`",
                "^^^^^^^^ no operation of gcounter",
                "help: did you mean `increment`? gcounter offers increment, {increment, N}",
            ],
        ),
        (
            "S = declare(set), map(S, fun(X) -> X * 2, S).",
            &["error: missing `end`: expected `end`, found `)`", "---               ^ expected `end` here"],
        ),
        (
            "S = declare(set), filter(S, fun(X) -> X = 2 end).",
            &[
                "error: `=` binds; a condition compares with `==`",
                "^^^ found `=`, expected `==`",
                "help: did you mean `==`?",
            ],
        ),
        (
            "X = 1, if X = 1 -> a; true -> b end.",
            &[
                "error: `=` binds; a condition compares with `==`",
                "^^^ found `=`, expected `==`",
                "help: did you mean `==`?",
            ],
        ),
        ("X = 1, Xs + 1.", &["error: variable `Xs` is unbound", "^^ not bound here", "help: did you mean `X`?"]),
        (
            "query(1, 2).",
            &[
                "error: `query` takes 1 argument, found 2",
                "^^^^^^^^^^^",
                "help: query(V): the current value of V at this node",
            ],
        ),
        (
            "S = declare(set), S + 1.",
            &["error: `+` takes values, and this is a variable", "^", "help: `query(V)` gives the current value"],
        ),
        (
            "map([1, 2], fun(X) -> X end).",
            &[
                "error: `map` takes a declared variable, found a list",
                "^^^^^^",
                "help: `V = declare(set)` gives one; over lists there is `lists:map`",
            ],
        ),
        (
            "C = declare(gcounter), filter(C, fun(X) -> X > 1 end).",
            &[
                "error: `filter` takes a collection, found a gcounter",
                "^ a variable of type gcounter",
                "help: collections are sets and maps; of a single value, `map` computes another",
            ],
        ),
        (
            "S = declare(set), map(S, fun(X) -> query(S) end).",
            &[
                "error: the function of `map` must be pure, and `query` acts",
                "^^^^^",
                "help: actions belong into `stream` or `invariant`",
            ],
        ),
        (
            "S = declare(set), map(S, fun(X, Y) -> X end).",
            &["error: `map` takes a function of 1 argument, this one has 2", "^^^^^^^^^^^^^^^^^^"],
        ),
        ("X = [1, 2.", &["error: missing `]`: expected `]`, found `.`", "-    ^ expected `]` here"]),
        ("X = {a, b\n.", &["error: missing `}`: expected `}`, found `.`", "^ expected `}` here"]),
        ("1 =< 2 =< 3.", &["error: comparisons do not chain", "^^", "help: write `A =< B andalso B =< C`"]),
        ("1 <= 2.", &["error: `<=` is not part of the language", "^^", "help: less or equal is written `=<`"]),
        ("X = 1, X + \"a\".", &["error: `+` takes numbers, found a text", "^^^", "help: texts are joined with `++`"]),
        ("declare(rwsett).", &["error: unknown type `rwsett`", "^^^^^^", "help: did you mean `rwset`?"]),
        (
            "declare(awmap(gcounter)).",
            &[
                "error: the values of an awmap cannot be gcounter: they share the map's causal context, which it does not have",
                "^^^^^",
                "help: they can be set, rwset, ewflag, dwflag, mvregister, awmap(T), mvmap, awgraph, or a pair of these. A gmap takes any type",
            ],
        ),
        (
            "M = declare(awmap(pair(set, mvmap))), update(M, {apply, k, {snd, {apply, l, increment}}}).",
            &[
                "error: mvregister has no operation `increment`",
                "^^^^^^^^^ no operation of mvregister",
                "help: mvregister offers {set, X}, clear",
            ],
        ),
        (
            "G = declare(awgraph), update(G, {add_edge, 1}).",
            &["error: add_edge of awgraph: expected an edge {From, To}, found an integer 1", "^^^^^^^^^^^^^"],
        ),
        (
            "M = declare(mvmap), read(M, #{k => {cardinality, many}}).",
            &[
                "error: mvmap cannot be waited on for #{k => {cardinality, many}}",
                "^^^^^^^^^^^^^^^^^^^^^^^^^^^",
                "help: it offers a list of keys, a map #{Key => Threshold}, {cardinality, N}, {strict, {cardinality, N}}, {strict, undefined}",
            ],
        ),
        (
            "C = declare(bcounter), update(C, {increment, 2}), update(C, {decrement, 3}).",
            &[
                "error: this replica may take off or move 2, not 3",
                "^^^^^^^^^^^^^^^^^^^^^^^^^",
                "help: that is what it has added, or was given by others with {move, N, ToNode}",
            ],
        ),
        (
            "C = declare(bcounter), update(C, {move, 1, 9}).",
            &[
                "error: no replica is known as 9",
                "^^^^^^^^^^^^^^^^^^^^^^^",
                "help: a script names nodes by their numbers, a running node names members by their id or address as a text, and \"replica:ID\" is a replica's own id",
            ],
        ),
        (
            "G = declare(twopgraph), update(G, {add_edge, {1, 2}}).",
            &[
                "error: 1 is no vertex here, and {1, 2} needs both its ends",
                "^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
                "help: add it first",
            ],
        ),
        (
            "enforce_once(S, 1, fun(X) -> X end).",
            &[
                "error: variable `S` is unbound",
                "^ not bound here",
                "error: `enforce_once` takes a function of 0 arguments, this one has 1",
                "^^^^^^^^^^^^^^^",
            ],
        ),
        (
            "f(X) -> X * 2.",
            &[
                "error: `f` cannot be defined here",
                "^^",
                "help: functions have no names of their own; bind one to a variable: `F = fun(X) -> ... end`",
            ],
        ),
        (
            "fun F(X) -> F(X - 1) end.",
            &[
                "error: functions have no names of their own",
                "^",
                "help: a function cannot call itself by name: use lists:foldl, a comprehension, or a dataflow",
            ],
        ),
        (
            "receive X -> X end.",
            &[
                "error: expected an expression, found `receive`",
                "^^^^^^^",
                "help: there are no messages: wait with `read(V, Threshold)` or react with `invariant`",
            ],
        ),
        ("X = 1", &["error: this form does not end", "^ expected `,` or `.`", "help: every form ends with a `.`"]),
        (
            "{f(1) = 2}.",
            &[
                "error: a call is not a pattern",
                "^^^^",
                "help: a pattern is made of variables, literals, tuples, lists and maps; put conditions after `when`",
            ],
        ),
        (
            "case 1 of 1 -> A = 1; _ -> ok end, A.",
            &[
                "error: variable `A` is unbound",
                "----------               ^ not bound here",
                "help: bind it in every clause, or use the value of the `case` or `if`",
            ],
        ),
        (
            "S = declare(set), fold(S, avrg).",
            &["error: `fold` cannot aggregate by `avrg`", "^^^^", "help: did you mean `avg`?"],
        ),
        (
            "A = declare(\"a, set).\nB = declare(set).\n",
            &["error: this text has no closing `\"`", "^ opened here", "help: write `\\\"` for a quote inside"],
        ),
        (
            "S = declare(set);\nT = declare(set);",
            &[
                "error: expected `,` or `.`, found `;`",
                "^",
                "help: `;` stands between clauses; expressions are separated by `,`, and a form ends with `.`",
                "error: expected `,` or `.`, found `;`",
                "^",
                "help: `;` stands between clauses; expressions are separated by `,`, and a form ends with `.`",
            ],
        ),
        (
            "if true -> 1 else 2 end.",
            &[
                "error: there is no `else`",
                "^^^^",
                "help: the clause for everything else is `; true -> ...`, and in a `case` it is `; _ -> ...`",
            ],
        ),
        ("A = 1, A = 2.", &["error: no match for 2", "^", "help: `A` is 1 already: a variable is bound once"]),
        (
            "declare(Set).",
            &["error: variable `Set` is unbound", "^^^ not bound here", "help: the type is written `set`"],
        ),
        ("S = set().", &["error: unknown function `set`", "^^^", "help: `declare(set)` makes a variable of that type"]),
        ("io:format(\"x\").", &["error: unknown function `io:format`", "^^^^^^^^^", "help: `print(X)` prints"]),
        (
            "S = declare(set), lists:map(fun(X) -> X end, S).",
            &[
                "error: lists:map: the second argument is a list, found a variable",
                "^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
                "help: use `query(V)` for the variable's current value",
            ],
        ),
        (
            "S = declare(set), fold(S, fun(X, A) -> X + A end).",
            &[
                "error: `fold` cannot aggregate by a function alone",
                "^^^^^^^^^^^^^^^^^^^^^^ expected an aggregate",
                "help: `{F, Init}` says what to begin with: {fun(X, Acc) -> ... end, 0}",
            ],
        ),
        (
            "X = 2, case X = 2 of true -> yes; false -> no end.",
            &[
                "error: `=` binds; a condition compares with `==`",
                "^^^ found `=`, expected `==`",
                "help: did you mean `==`?",
            ],
        ),
        (
            "S = declare(set), filter(S, fun(X) -> X + 1 end).",
            &[
                "error: a predicate is true or false, this one gives a number",
                "^^^^^ expected a condition",
                "help: `map` makes other values of the elements",
            ],
        ),
        (
            "S = declare(set), update(S, {add, 1, 2}).",
            &["error: `add` of set is written otherwise", "^^^^^^^^^^^ expected {add, E}"],
        ),
        (
            "C = declare(gcounter), update(C, {increment, 1, 2}).",
            &[
                "error: `increment` of gcounter is written otherwise",
                "^^^^^^^^^^^^^^^^^ expected increment or {increment, N}",
            ],
        ),
        (
            "R = declare(mvregister), read(R, {value, 3}).",
            &[
                "error: mvregister cannot be waited on for {value, 3}",
                "^^^^^^^^^^",
                "help: it offers a value to hold, {strict, Value} for another one beside it, {cardinality, N}, {strict, {cardinality, N}}, {strict, undefined}",
            ],
        ),
        (
            "lists:foldl(1, 2).",
            &[
                "error: `lists:foldl` takes 3 arguments, found 2",
                "^^^^^^^^^^^^^^^^^",
                "help: lists:foldl(F, Acc, L): F(X, Acc) over the elements from the left",
            ],
        ),
    ];
    let differing: Vec<_> = cases.iter().filter(|(text, expected)| said(text) != *expected).collect();
    let found: Vec<_> = differing.iter().map(|(text, _)| (text, said(text))).collect();
    assert!(found.is_empty(), "said otherwise: {found:#?}");
}

#[test]
fn a_name_with_two_types_is_found_before_anything_runs_and_both_places_are_shown() {
    let expected = "\
error: a is already declared as set, not gcounter
 --> test.lasp:2:5
  |
1 | A = declare(\"a\", awset).
  |     ------------------- declared as set here
2 | B = declare(a, gcounter).
  |     ^^^^^^^^^^^^^^^^^^^^ declared as gcounter
  |
help: a name stands for one variable in the whole cluster: take another name";
    assert_eq!(failure("A = declare(\"a\", awset).\nB = declare(a, gcounter)."), expected);
}

#[test]
fn a_cycle_is_found_before_anything_runs_and_both_places_are_shown() {
    let declared = "A = declare(a, set), B = declare(b, set), C = declare(set).\n";
    let expected = "\
error: the derivation would be a cycle: b already follows from a
 --> test.lasp:3:1
  |
2 | B = map(A, fun(X) -> X end, B).
  |     -------------------------- b follows from a here
3 | union(C, filter(B, fun(X) -> X > 1 end), A).
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: derive into another variable, or leave it out and take the result";
    let cycle = "B = map(A, fun(X) -> X end, B).\nunion(C, filter(B, fun(X) -> X > 1 end), A).";
    let shown = failure(&format!("{declared}{cycle}"));
    assert!(shown.contains("would be a cycle: its input already follows from a"), "{shown}");
    assert!(shown.contains("by 2 derivations, of which this is one"), "{shown}");
    let shown = failure(&format!("{declared}{}", cycle.replace("filter(B, fun(X) -> X > 1 end)", "B")));
    assert_eq!(
        shown,
        expected.replace("filter(B, fun(X) -> X > 1 end)", "B").replace(&"^".repeat(43), &"^".repeat(14))
    );
    let shown = failure(&format!("{declared}bind_to(A, B), bind_to(B, A)."));
    assert!(shown.contains("a already follows from b"), "{shown}");
    let shown = failure(&format!("{declared}map(C, fun(X) -> X end, C)."));
    assert!(shown.contains("C would follow from itself"), "{shown}");
}

#[test]
fn names_and_cycles_that_may_not_come_to_be_are_no_errors() {
    for program in [
        "A = declare(a, set), undeclare(A), B = declare(a, gcounter), update(B, increment).",
        "A = declare(a, set), undeclare(A), A2 = declare(a, gcounter), update(A2, increment), query(A2).",
        "F = fun() -> declare(a, set) end, declare(a, gcounter).",
        "case 1 of 1 -> declare(a, set); 2 -> declare(a, gcounter) end.",
        "F = fun(V) -> undeclare(V) end, A = declare(a, set), F(A), declare(a, gcounter).",
        "A = declare(set), B = declare(set), F = fun() -> map(A, fun(X) -> X end, B) end, map(B, fun(X) -> X end, A).",
        "A = declare(set), map(A, fun(X) -> X end), B = map(A, fun(X) -> X end), map(B, fun(X) -> X end).",
        "declare(a, set), declare(\"a\", awset).",
    ] {
        let (_, stop) = attempt(program);
        assert_eq!(stop, None, "{program}");
    }
}

#[test]
fn every_error_of_a_file_is_reported() {
    let text = "A = declare(sett),\nB = [1, 2,\nC = declare(gset), update(C, {rmv, 1}),\nD = 1 +.\nE = foo(1).\n\"open";
    let found: Vec<String> = said(text).into_iter().filter(|line| line.starts_with("error")).collect();
    assert!(found.len() >= 4, "{found:#?}");
    assert!(found.iter().any(|line| line.contains("unknown type `sett`")), "{found:#?}");
    assert!(found.iter().any(|line| line.contains("unknown function `foo`")), "{found:#?}");
    assert!(found.iter().any(|line| line.contains("no closing")), "{found:#?}");
}

#[test]
fn a_program_that_fails_says_where_and_why() {
    let cases = [
        ("X = 1, X = 2.", "no match for 2"),
        ("1 div 0.", "division by zero: 1 div 0"),
        ("9223372036854775807 + 1.", "integer overflow: 9223372036854775807 + 1"),
        ("1.0e308 * 10.", "too large for a float: 1.0e308 * 10"),
        ("case 3 of 1 -> a end.", "no clause of this `case` matches 3"),
        ("if false -> a end.", "no clause of this `if` is true"),
        ("F = fun(1) -> a end, F(2).", "no clause of this function matches (2)"),
        ("lists:nth(3, [1]).", "lists:nth: there is no element 3 in a list of 1"),
        ("maps:get(b, #{a => 1}).", "maps:get: the map has no key b"),
        ("#{a => 1}#{b := 2}.", "the map has no key b; `=>` would add it"),
        ("F = fun(T) -> declare(x, T) end, F(set), F(gset).", "x is already declared as set, not gset"),
        (
            "F = fun(A, B) -> map(A, fun(X) -> X end, B) end, A = declare(a, set), B = declare(b, set), F(A, B), F(B, A).",
            "would be a cycle",
        ),
        ("S = declare(set), map(S, fun(X) -> X end, S).", "would be a cycle"),
        ("V = declare(ivar), update(V, {set, 1}), update(V, {set, 2}).", "already set to 1"),
        ("C = declare(gcounter), read(C, {value, 1}).", "this would wait for ever"),
        (
            "C = declare(gcounter), [update(C, {increment, 9223372036854775807}) || _ <- [1, 2]].",
            "would leave the range",
        ),
        (
            "C = declare(bcounter), [update(C, {increment, 9223372036854775807}) || _ <- [1, 2]].",
            "would leave the range",
        ),
        (
            "C = declare(pncounter), [update(C, {decrement, 9223372036854775807}) || _ <- [1, 2]].",
            "would leave the range",
        ),
        (
            "C = declare(lexcounter), [update(C, {decrement, 9223372036854775807}) || _ <- [1, 2]].",
            "would leave the range",
        ),
        ("S = declare(set), D = map(S, fun(X) -> X end), undeclare(S).", "the variable is in use"),
        ("V = declare(ivar), bind(V, 1), bind(V, 2).", "the variable is already bound, and 2 is not"),
        ("on(2, 1).", "there is no node 2"),
        ("crash(1).", "there is only one node"),
        ("S = declare(set), M = map(S, fun(X) -> X end), update(M, {add, 1}).", "is derived and takes no updates"),
        ("F = fun(X) -> print(X) end, S = declare(set), map(S, F).", "the function of `map` must be pure"),
        ("lists:map(fun(X) -> X + a end, [1]).", "takes numbers"),
        ("T = gmap(set), declare(T), declare(1).", "this is no type"),
    ];
    for (text, expected) in cases {
        let message = failure(text);
        assert!(message.contains(expected), "{text}\n{message}");
        assert!(message.contains("--> test.lasp:1:"), "{message}");
    }
}

#[test]
fn one_mistake_gives_one_message() {
    for text in ["X = foo(1), X + 1, X * 2.", "X = [1, 2. Y = X.", "A = B, C = B, D = B."] {
        let errors = said(text).iter().filter(|line| line.starts_with("error")).count();
        assert_eq!(errors, 1, "{text}\n{}", failure(text));
    }
}

#[test]
fn ten_mistakes_give_ten_messages_each_at_its_place() {
    let program = [
        "A = declare(sett),",
        "update(declare(gcounter), {add, 1}).",
        "B = [1, 2.",
        "C = declare(gset), update(C, {rmv, 1}).",
        "D = 1 + .",
        "E = unknwon(1), E + 1.",
        "F = fun(X) -> X = 2 end, filter(C, fun(X) -> X = 2 end).",
        "map(C, fun(X) -> X * 2, C).",
        "G = 1.",
        "H = Undefined + 1, H + Undefined.",
        "I = {1, 2)).",
        "1 =< 2, A, B, D, E, F, G, H, I.",
    ];
    let source = Source::new("test.lasp", program.join("\n"));
    let diagnostics = lasp_lang::check::diagnose(&source);
    let found: Vec<((usize, usize), &str)> =
        diagnostics.iter().map(|d| (source.position(d.span.start), d.message.as_str())).collect();
    let expected = [
        ((1, 13), "unknown type `sett`"),
        ((2, 28), "gcounter has no operation `add`"),
        ((3, 10), "missing `]`: expected `]`, found `.`"),
        ((4, 31), "gset has no operation `rmv`"),
        ((5, 9), "expected an expression, found `.`"),
        ((6, 5), "unknown function `unknwon`"),
        ((7, 47), "`=` binds; a condition compares with `==`"),
        ((8, 26), "missing `end`: expected `end`, found `)`"),
        ((10, 5), "variable `Undefined` is unbound"),
        ((11, 10), "missing `}`: expected `}`, found `)`"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_failure_in_no_part_of_a_function_is_shown_at_the_call_that_derives() {
    let set = |elements: &str| format!("S = declare(set), update(S, {{add, [{elements}]}}).\n");
    for (elements, call) in [
        ("1", "filter(S, fun(X) -> X end)"),
        ("a", "fold(S, sum)"),
        ("9223372036854775807, 1", "fold(S, sum)"),
        ("1", "flat_map(S, fun(X) -> X end)"),
        ("a", "group(S, fun(X) -> X end, avg)"),
    ] {
        let (lines, stop) = attempt(&format!("{}{call}.", set(elements)));
        assert_eq!(stop, None, "{call}");
        let shown = lines.iter().find_map(|line| match line {
            Line::DerivationFailed { report: Some((source, diagnostic)), .. } => Some(source.slice(diagnostic.span)),
            _ => None,
        });
        assert_eq!(shown, Some(call), "{lines:?}");
    }
}

#[test]
fn what_fails_in_one_of_several_derivations_into_a_variable_is_shown_where_it_stands() {
    let mut session = Session::new(GraphHost::default());
    let mut shown = Vec::new();
    let mut enter = |text: &str| {
        let mut failed = Vec::new();
        let entered = session.run(&Source::new(format!("entry {}", shown.len() + 1), text), &mut |line| {
            if let Line::DerivationFailed { report: Some((source, report)), .. } = line {
                failed.push(format!("{}: {} {}", source.name(), source.slice(report.span), report.label));
            }
        });
        assert!(entered.is_ok(), "{entered:?}");
        shown.push(failed.join("; "));
    };
    enter("A = declare(set), B = declare(set), C = declare(set).");
    enter("map(A, fun(X) -> 1 div X end, C).");
    enter("map(B, fun(X) -> 2 div X end, C), Is = fun lists:sum/1.");
    enter("filter(B, fun(X) -> X end, C), map(B, Is, C).");
    enter("update(A, {add, 0}).");
    let one_of = "here, or in another derivation into the same variable";
    enter("update(B, {add, 0}).");
    assert_eq!(shown[4], "entry 2: 1 div X ");
    let mut found: Vec<&str> = shown[5].split("; ").collect();
    found.sort_unstable();
    let sum = format!("entry 4: map(B, Is, C) {one_of}");
    assert_eq!(found, ["entry 3: 2 div X ", "entry 4: filter(B, fun(X) -> X end, C) ", &sum]);
}

#[test]
fn what_is_waited_for_no_longer_is_not_in_the_graph() {
    let mut session = Session::new(Recorder::new(GraphHost::default()));
    let mut enter = |text: &str| session.run(&Source::new("test", text), &mut drop).is_ok();
    assert!(enter("A = declare(a, gcounter), invariant(A, {value, 9}, fun() -> print(x) end)."));
    assert!(!enter("read(A, {value, 3})."));
    assert!(!enter("wait_needed(A, {value, 30})."));
    assert!(enter("read(A, {value, 0}), read(A, {value, 7}, 10)."));
    let graph = session.explanation().to_string();
    assert_eq!(graph.matches("a threshold on A").count(), 1, "{graph}");
    assert!(!graph.contains("a need of"), "{graph}");
    assert!(session.run(&Source::new("test", "update(A, {increment, 9})."), &mut drop).is_ok());
    let graph = session.explanation().to_string();
    assert!(!graph.contains("a threshold on A"), "{graph}");
}

#[test]
fn a_byte_order_mark_at_the_beginning_is_no_part_of_the_program() {
    let (lines, stop) = attempt("\u{feff}1 + 1.\r\n2.");
    assert_eq!((lines.len(), stop), (2, None));
    assert!(failure("1 + \u{feff}1.").contains("unexpected character"));
}

#[test]
fn actions_that_set_each_other_off_reach_the_limit_by_the_size_of_what_they_are_told() {
    let text = "S = declare(set), stream(S, fun(V) -> print(x), update(S, {add, length(V)}) end), update(S, {add, x}).";
    let mut printed = 0;
    let mut session = Session::new(GraphHost::default()).limited(200_000);
    let stop = session.run(&Source::new("test.lasp", text), &mut |_| printed += 1);
    assert!(matches!(stop, Err(Stop::Failed(fault)) if fault.limit));
    assert!((100..900).contains(&printed), "{printed} actions");
}
