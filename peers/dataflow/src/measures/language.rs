//! The language beside Rust closures, and its checker.

use harness::measure::{seconds, seconds_each};
use harness::{Measure, Unit};
use lasp_dataflow::{Function, FunctionError, Value, function};
use lasp_lang::check::Checker;
use lasp_lang::parse::parse;
use lasp_lang::term::Term;
use lasp_lang::{GraphHost, Session, Source};
use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;

/// Calls of one sample.
const CALLS: u64 = 20_000;
const LINES: usize = 1_000;

pub(crate) fn measures() -> Vec<Measure> {
    let mut measures: Vec<Measure> = FUNCTIONS
        .iter()
        .map(|pair| {
            let what = format!("{}: a call, against the same Rust closure", pair.text);
            Measure::new(format!("language/{}", pair.id), what, Unit::Factor, move |_| {
                let (written, closure) = (compile(pair.before, pair.text), function(pair.closure));
                Box::new(move || per_call(&written, pair.argument) / per_call(&closure, pair.argument))
            })
            .target(10.0)
        })
        .collect();
    measures.push(
        Measure::new("language/check", format!("a program of {LINES} lines parsed and checked"), Unit::Time, |_| {
            let source = Source::new("lines.lasp", program());
            Box::new(move || check(&source))
        })
        .target(10e-3),
    );
    measures
}

/// A function in both.
struct Pair {
    id: &'static str,
    text: &'static str,
    /// What is written before it: what it captures.
    before: &'static str,
    closure: fn(&[Value]) -> Result<Value, FunctionError>,
    argument: fn(i64) -> Value,
}

const FUNCTIONS: &[Pair] = &[
    Pair {
        id: "double",
        text: "fun(X) -> X * 2 end",
        before: "",
        closure: |args| match args {
            [Value::Int(n)] => Ok(Value::Int(n.checked_mul(2).ok_or("overflow")?)),
            _ => Err("no integer".into()),
        },
        argument: Value::Int,
    },
    Pair {
        id: "predicate",
        text: "fun(X) -> X rem 3 == 0 andalso X > 10 end",
        before: "",
        closure: |args| match args {
            [Value::Int(n)] => Ok(Value::Bool(n % 3 == 0 && *n > 10)),
            _ => Err("no integer".into()),
        },
        argument: Value::Int,
    },
    Pair {
        id: "tuple",
        text: "fun({K, V}) -> {V, K + 1} end",
        before: "",
        closure: |args| match args {
            [Value::Tuple(pair)] => match &**pair {
                [Value::Int(k), v] => Ok(Value::pair(v.clone(), Value::Int(k.checked_add(1).ok_or("overflow")?))),
                _ => Err("no pair".into()),
            },
            _ => Err("no pair".into()),
        },
        argument: |n| Value::pair(Value::Int(n), Value::Int(-n)),
    },
    Pair {
        id: "library-call",
        text: "fun({Id, N}) -> string:starts_with(Id, \"id/1\") andalso abs(N) > 5 end",
        before: "",
        closure: |args| match fields(args)? {
            [Value::Text(id), Value::Int(n)] => {
                Ok(Value::Bool(id.starts_with("id/1") && n.checked_abs().ok_or("overflow")? > 5))
            }
            _ => Err("no text and integer".into()),
        },
        argument: |n| Value::pair(Value::text(format!("id/{n}")), Value::Int(n)),
    },
    Pair {
        id: "captured-predicate",
        text: "fun({_, N}) -> N >= Least andalso N =< Most end",
        before: "Least = 100, Most = 900, ",
        closure: |args| match fields(args)? {
            [_, Value::Int(n)] => Ok(Value::Bool((black_box(100)..=black_box(900)).contains(n))),
            _ => Err("no integer".into()),
        },
        argument: |n| Value::pair(Value::text(format!("id/{n}")), Value::Int(n % 1_000)),
    },
];

/// Of a pair.
fn fields(args: &[Value]) -> Result<&[Value], FunctionError> {
    match args {
        [Value::Tuple(pair)] => Ok(pair),
        _ => Err("no pair".into()),
    }
}

/// The function that this text writes, after `before`.
fn compile(before: &str, text: &str) -> Function {
    let mut session = Session::new(GraphHost::default());
    session.run(&Source::new("function.lasp", format!("{before}F = {text}.")), &mut |_| {}).expect("a program");
    match session.terms().find(|(name, _)| *name == "F") {
        Some((_, Term::Function(function))) => Arc::new(function.clone()),
        other => panic!("{other:?} is no function"),
    }
}

fn per_call(f: &Function, argument: fn(i64) -> Value) -> f64 {
    let arguments: Vec<[Value; 1]> = (0..CALLS as i64).map(|n| [argument(n)]).collect();
    seconds_each(CALLS, |n| {
        black_box(f.call(&arguments[n as usize])).expect("a result");
    })
}

fn check(source: &Arc<Source>) -> f64 {
    seconds(|| {
        let parsed = parse(source);
        let diagnostics = Checker::default().check(&parsed.program, source);
        assert!(parsed.diagnostics.is_empty() && diagnostics.iter().all(|d| !d.is_error()), "a good program");
        parsed
    })
}

/// A program of so many lines: five each for a set, updates, derivations and a fold.
fn program() -> String {
    let mut text = String::new();
    for n in 0..LINES / 5 {
        writeln!(text, "%% Part {n}.\nS{n} = declare(\"ads/{n}\", set).").expect("a string");
        writeln!(text, "update(S{n}, {{add, [{{ad, {n}}}, {{ad, {n} + 1}}]}}).").expect("a string");
        writeln!(text, "M{n} = map(S{n}, fun({{ad, N}}) when N > 3 -> N * 2 + 1; (_) -> 0 end),").expect("a string");
        writeln!(text, "C{n} = fold(filter(M{n}, fun(X) -> X rem 2 == 1 end), count).").expect("a string");
    }
    assert_eq!(text.lines().count(), LINES);
    text
}
