//! What programs print.

use crate::support::{last, run, run_json};

const LISTING: &str = "
%% Create initial set.
S1 = declare(set),

%% Add elements to initial set and update.
update(S1, {add, [1,2,3]}),

%% Create second set.
S2 = declare(set),

%% Apply map operation between S1 and S2.
map(S1, fun(X) -> X * 2 end, S2).
";

#[test]
fn the_listing_of_the_talk_prints_its_set() {
    assert_eq!(run(LISTING), ["set[2, 4, 6]"]);
    assert_eq!(run_json(LISTING), [r#"{"form":1,"type":"set","value":[2,4,6]}"#]);
}

#[test]
fn each_form_prints_one_line_and_bindings_persist() {
    let text = "A = 1. B = A + 1. {A, B}. S = declare(gset). update(S, {add, B}). query(S).";
    assert_eq!(run(text), ["1", "2", "{1, 2}", "set[]", "set[2]", "set[2]"]);
}

#[test]
fn every_type_takes_its_operations() {
    let cases = [
        ("gset", "{add, 3}", "set[3]"),
        ("awset", "{add, [3, 1]}", "set[1, 3]"),
        ("set", "{add_element, [3, 1]}", "set[[3, 1]]"),
        ("gcounter", "increment", "1"),
        ("gcounter", "{increment, 5}", "5"),
        ("pncounter", "{decrement, 5}", "-5"),
        ("max", "{set, 7}", "7"),
        ("min", "{set, -7}", "-7"),
        ("boolean", "enable", "true"),
        ("ivar", "{set, \"x\"}", "\"x\""),
        ("lwwregister", "{set, #{a => 1.5}}", "#{a => 1.5}"),
        ("gmap(set)", "{apply, k, {add, 1}}", "#{k => set[1]}"),
        ("gmap(pair(boolean, boolean))", "{apply, n1, {fst, true}}", "#{n1 => {true, false}}"),
        ("pair(gcounter, gmap(pncounter))", "{snd, {apply, a, decrement}}", "{0, #{a => -1}}"),
        ("set", "{add, [1, 2]}), update(V, clear", "set[]"),
        ("twopset", "{add, [1, 2]}), update(V, {rmv, 2}), update(V, {add, 2}", "set[1]"),
        ("rwset", "{add, [1, 2]}), update(V, {rmv_all, [2, 3]}), update(V, {add, 3}", "set[1, 3]"),
        ("lexcounter", "{increment, 5}), update(V, {decrement, 7}", "-2"),
        ("bcounter", "{increment, 5}), update(V, decrement), update(V, {move, 4, 1}", "4"),
        ("ewflag", "true), update(V, disable", "false"),
        ("dwflag", "false), update(V, enable), update(V, disable", "false"),
        ("mvregister", "{set, 1}), update(V, {set, 2}", "mv[2]"),
        ("mvregister", "{set, 1}), update(V, clear", "mv[]"),
        ("awmap(ewflag)", "{apply, k, enable}), update(V, {apply, l, enable}), update(V, {rmv_key, k}", "#{l => true}"),
        (
            "awmap(awmap(awgraph))",
            "{apply, k, {apply, l, {add_vertex, 1}}}",
            "#{k => #{l => graph{vertices: [1], edges: []}}}",
        ),
        ("awmap(pair(rwset, mvmap))", "{apply, k, {snd, {set, l, 1}}}", "#{k => {set[], #{l => mv[1]}}}"),
        ("gmap(awmap(mvregister))", "{apply, k, {apply, l, {set, 1}}}", "#{k => #{l => mv[1]}}"),
        ("mvmap", "{set, k, 1}), update(V, {set, l, 2}), update(V, {rmv_keys, [k]}", "#{l => mv[2]}"),
        ("ggraph", "{add_edges, [{2, 1}, {1, 1}]}", "graph{vertices: [1, 2], edges: [{1, 1}, {2, 1}]}"),
        (
            "twopgraph",
            "{add_vertices, [1, 2]}), update(V, {rmv_vertex, 1}), update(V, {add_vertex, 1}",
            "graph{vertices: [2], edges: []}",
        ),
        (
            "awgraph",
            "{add_edge, {1, 2}}), update(V, {add_vertices, [1, 2, 3]}",
            "graph{vertices: [1, 2, 3], edges: [{1, 2}]}",
        ),
    ];
    for (ty, op, expected) in cases {
        assert_eq!(last(&format!("V = declare({ty}), update(V, {op}).")), expected, "{ty} {op}");
    }
}

#[test]
fn graphs_and_concurrent_values_are_maps_and_lists_to_functions() {
    let graph = "G = declare(ggraph), update(G, {add_edge, {a, b}}).";
    assert_eq!(last(&format!("{graph} #{{edges := [{{A, B}}]}} = query(G), [B, A].")), "[b, a]");
    assert_eq!(last(&format!("{graph} maps:get(vertices, query(G)).")), "[a, b]");
    assert_eq!(last(&format!("{graph} [query(G)].")), "[graph{vertices: [a, b], edges: [{a, b}]}]");
    assert_eq!(
        run_json(&format!("{graph} M = declare(mvmap), update(M, {{set, k, {{1, x}}}}). query(G).")),
        [
            r#"{"form":1,"type":"ggraph","value":{"vertices":["a","b"],"edges":[["a","b"]]}}"#,
            r#"{"form":2,"type":"mvmap","value":{"k":[[1,"x"]]}}"#,
            r#"{"form":3,"type":"graph","value":{"vertices":["a","b"],"edges":[["a","b"]]}}"#,
        ]
    );
    assert_eq!(last("R = declare(mvregister), update(R, {set, 3}), [X * 2 || X <- query(R)]."), "[6]");
}

#[test]
fn help_lists_the_operations_of_every_type() {
    for ty in lasp_dataflow::Type::names() {
        let text = run(&format!("help({ty})."));
        let [shown, end] = &text[..] else { panic!("{text:?}") };
        assert_eq!(end, "ok");
        let parameters = match ty {
            "gmap" | "awmap" => vec![lasp_dataflow::Type::AwSet],
            "pair" => vec![lasp_dataflow::Type::AwSet; 2],
            _ => Vec::new(),
        };
        let forms = lasp_dataflow::Type::new(ty, parameters).expect("a type").catalogue();
        // What is too wide for a line goes on in the next.
        let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(forms.iter().all(|op| words.contains(op.form) && words.contains(op.does)), "{shown}");
    }
}

#[test]
fn every_operator_derives() {
    let sets = "A = declare(set), update(A, {add, [1, 2, 3]}), B = declare(set), update(B, {add, [3, 4]}).";
    let cases = [
        ("map(A, fun(X) -> X * X end)", "set[1, 4, 9]"),
        ("filter(A, fun(X) -> X rem 2 == 1 end)", "set[1, 3]"),
        ("flat_map(A, fun(X) -> lists:seq(1, X) end)", "set[1, 2, 3]"),
        ("union(A, B)", "set[1, 2, 3, 4]"),
        ("intersection(A, B)", "set[3]"),
        ("product(B, B)", "set[{3, 3}, {3, 4}, {4, 3}, {4, 4}]"),
        ("join(A, fun(X) -> X rem 2 end, B, fun(Y) -> Y rem 2 end)", "set[{1, 3}, {2, 4}, {3, 3}]"),
        ("fold(A, count)", "3"),
        ("fold(A, sum)", "6"),
        ("fold(A, min)", "1"),
        ("fold(A, max)", "3"),
        ("fold(A, avg)", "2.0"),
        ("fold(A, {fun(X, Acc) -> X + Acc end, 10})", "16"),
        ("fold(A, {fun(X, Acc) -> X + Acc end, 0, fun(X, Acc) -> Acc - X end})", "6"),
        ("fold(declare(set), max)", "undefined"),
    ];
    for (expr, expected) in cases {
        assert_eq!(last(&format!("{sets} {expr}.")), expected, "{expr}");
    }
}

#[test]
fn expressions_follow_erlang() {
    let cases = [
        ("1 + 2 * 3 - 4 div 2", "5"),
        ("7 / 2", "3.5"),
        ("-7 div 2", "-3"),
        ("-7 rem 2", "-1"),
        ("1 == 1.0", "true"),
        ("1 =:= 1.0", "false"),
        ("not true orelse 1 < 2", "true"),
        ("[1, 2] ++ [3] -- [2]", "[1, 2, 3]"),
        ("[1 | [2, 3]]", "[1, 2, 3]"),
        ("\"ab\" ++ \"cd\"", "\"abcd\""),
        ("case {a, 2} of {b, _} -> 1; {a, N} when N > 1, N < 5 -> N * 10; _ -> 0 end", "20"),
        ("if 1 > 2 -> a; true -> b end", "b"),
        ("[X * Y || X <- [1, 2], Y <- [10, 20], X * Y > 10]", "[20, 20, 40]"),
        ("[K || {K, even} <- [{1, odd}, {2, even}]]", "[2]"),
        ("#{X => X * X || X <- [1, 2]}", "#{1 => 1, 2 => 4}"),
        ("[{K, V} || K := V <- #{a => 1}]", "[{a, 1}]"),
        ("#{a => 1}#{b => 2, a := 3}", "#{a => 3, b => 2}"),
        ("begin #{a := [H | T]} = #{a => [1, 2]}, {H, T} end", "{1, [2]}"),
        ("begin \"ad/\" ++ Id = \"ad/7\", Id end", "\"7\""),
        ("(fun(0) -> zero; (N) when N < 0 -> neg; (_) -> pos end)(-1)", "neg"),
        ("lists:foldl(fun(X, Acc) -> X + Acc end, 0, lists:seq(1, 100))", "5050"),
        ("lists:map(fun abs/1, [-1, 2])", "[1, 2]"),
        ("lists:sort(fun(A, B) -> A >= B end, [1, 3, 2])", "[3, 2, 1]"),
        ("lists:keyfind(b, 1, [{a, 1}, {b, 2}])", "{b, 2}"),
        ("maps:fold(fun(_, V, Acc) -> V + Acc end, 0, #{a => 1, b => 2})", "3"),
        ("string:split(\"a,b,c\", \",\", all)", "[\"a\", \"b\", \"c\"]"),
        ("element(2, {a, b})", "b"),
        ("max(1, 2.5)", "2.5"),
        ("<<\"ab\", 255>>", "<<\"ab\\x{ff}\">>"),
        ("16#ff + $a", "352"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("set[3, 1, 3]", "set[1, 3]"),
        ("length(set[1, 2])", "2"),
    ];
    for (text, expected) in cases {
        assert_eq!(last(&format!("{text}.")), expected, "{text}");
    }
}

#[test]
fn thresholds_invariants_and_streams_act() {
    let text = "
        C = declare(gcounter), Ads = declare(set), update(Ads, {add, [a, b]}),
        stream(C, fun(N) -> print({counted, N}) end),
        invariant(C, {value, 3}, fun() -> update(Ads, {rmv, a}) end),
        [update(C, increment) || _ <- lists:seq(1, 4)],
        read(C, {value, 4}), query(Ads).";
    assert_eq!(run(text), ["{counted, 1}", "{counted, 2}", "{counted, 3}", "{counted, 4}", "set[b]"]);
}

#[test]
fn read_any_gives_the_variable_that_got_there() {
    let text = "A = declare(gcounter), B = declare(set), update(B, {add, x}),
        read_any([{A, {value, 1}}, {B, {cardinality, 1}}]).";
    assert_eq!(last(text), "set[x]");
}

#[test]
fn a_failing_function_drops_its_element_and_the_others_go_on() {
    let lines = run("S = declare(set), update(S, {add, [0, 1, 2]}), map(S, fun(X) -> 6 div X end).");
    assert_eq!(lines, ["error: at node 1: map failed on 0: division by zero: 6 div 0", "set[3, 6]"]);
}

#[test]
fn what_is_enforced_once_is_done_once_however_often_it_is_asked_for() {
    let program = "C = declare(gcounter), D = declare(pncounter), N = 3,\n\
                   F = fun() -> update(D, {increment, N}) end,\n\
                   [enforce_once(C, {value, 2}, F) || _ <- [1, 2, 3]].\n\
                   query(D).\nupdate(C, {increment, 2}).\nquery(D).\nupdate(C, increment).\nquery(D).\n\
                   enforce_once(C, {value, 2}, fun() -> update(D, {increment, N}) end), query(D).";
    assert_eq!(run(program), ["[ok, ok, ok]", "0", "2", "3", "3", "3", "6"]);
}
