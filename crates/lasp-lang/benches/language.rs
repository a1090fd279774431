//! Functions of the language beside the same Rust closures, per element, and reading a program of a thousand lines.
//! `cargo bench -p lasp-lang`.

use divan::Bencher;
use divan::counter::ItemsCount;
use lasp_dataflow::{Function, FunctionError, Value, function};
use lasp_lang::check::diagnose;
use lasp_lang::term::Term;
use lasp_lang::{GraphHost, Session, Source};
use std::fmt::Write;
use std::sync::Arc;

fn main() {
    divan::main();
}

const ELEMENTS: i64 = 1_000;

type Native = fn(&[Value]) -> Result<Value, FunctionError>;

/// A function of the language, the same in Rust, and what they are called with.
struct Case {
    name: &'static str,
    program: &'static str,
    native: Native,
    element: fn(i64) -> Value,
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

fn wrong<T>() -> Result<T, FunctionError> {
    Err("no clause matches".into())
}

fn int(value: &Value) -> Result<i64, FunctionError> {
    match value {
        Value::Int(n) => Ok(*n),
        _ => wrong(),
    }
}

fn pair(value: &Value) -> Result<[&Value; 2], FunctionError> {
    match value {
        Value::Tuple(fields) if fields.len() == 2 => Ok([&fields[0], &fields[1]]),
        _ => wrong(),
    }
}

fn id_and_number(n: i64) -> Value {
    Value::pair(Value::text(format!("id/{n}")), n.into())
}

fn offer(n: i64) -> Value {
    Value::map([
        (Value::atom("name"), Value::text(format!("offer {n}"))),
        (Value::atom("price"), n.into()),
        (Value::atom("tags"), Value::list([n, n + 1, n + 2])),
    ])
}

const CASES: &[Case] = &[
    Case {
        name: "twice",
        program: "F = fun(X) -> X * 2 end.",
        native: |args| {
            Ok(Value::Int(i64::try_from(&args[0]).map_err(|_| "no integer")?.checked_mul(2).ok_or("overflow")?))
        },
        element: Value::Int,
    },
    Case {
        name: "even second",
        program: "F = fun({Id, N}) -> N rem 2 == 0 end.",
        native: |args| Ok(Value::Bool(int(pair(&args[0])?[1])? % 2 == 0)),
        element: id_and_number,
    },
    Case {
        name: "price above",
        program: "F = fun(#{price := P}) -> P > 10 end.",
        native: |args| match &args[0] {
            Value::Map(map) => Ok(Value::Bool(int(map.get(&Value::atom("price")).ok_or("no price")?)? > 10)),
            _ => wrong(),
        },
        element: offer,
    },
    Case {
        name: "to a tuple",
        program: "F = fun({Id, N}) -> {N, Id} end.",
        native: |args| {
            let [id, n] = pair(&args[0])?;
            Ok(Value::pair(n.clone(), id.clone()))
        },
        element: id_and_number,
    },
    Case {
        name: "captured",
        program: "Least = 100, Most = 900, F = fun({Id, N}) -> N >= Least andalso N =< Most end.",
        native: |args| {
            let n = int(pair(&args[0])?[1])?;
            Ok(Value::Bool((divan::black_box(100)..=divan::black_box(900)).contains(&n)))
        },
        element: id_and_number,
    },
    Case {
        name: "clauses and guards",
        program: "F = fun(N) when N < 100 -> low; (N) when N < 500, N rem 2 == 0 -> middle; (_) -> high end.",
        native: |args| {
            let n = int(&args[0])?;
            Ok(Value::atom(match n {
                _ if n < 100 => "low",
                _ if n < 500 && n % 2 == 0 => "middle",
                _ => "high",
            }))
        },
        element: Value::Int,
    },
    Case {
        name: "comprehension",
        program: "F = fun(#{tags := Tags}) -> [T * 2 || T <- Tags, T > 5] end.",
        native: |args| match &args[0] {
            Value::Map(map) => match map.get(&Value::atom("tags")) {
                Some(Value::List(tags)) => {
                    let mut kept = Vec::new();
                    for tag in tags.iter() {
                        let tag = int(tag)?;
                        if tag > 5 {
                            kept.push(Value::Int(tag * 2));
                        }
                    }
                    Ok(Value::List(kept.into()))
                }
                _ => wrong(),
            },
            _ => wrong(),
        },
        element: offer,
    },
    Case {
        name: "library calls",
        program: "F = fun({Id, N}) -> string:starts_with(Id, \"id/1\") andalso abs(N) > 5 end.",
        native: |args| match pair(&args[0])? {
            [Value::Text(id), n] => Ok(Value::Bool(id.starts_with("id/1") && int(n)?.abs() > 5)),
            _ => wrong(),
        },
        element: id_and_number,
    },
    Case {
        name: "fold with a function",
        program: "F = fun(#{tags := Tags}) -> lists:foldl(fun(X, Acc) -> X + Acc end, 0, Tags) end.",
        native: |args| match &args[0] {
            Value::Map(map) => match map.get(&Value::atom("tags")) {
                Some(Value::List(tags)) => Ok(Value::Int(tags.iter().map(int).sum::<Result<i64, _>>()?)),
                _ => wrong(),
            },
            _ => wrong(),
        },
        element: offer,
    },
    Case {
        name: "text equality",
        program: "F = fun({Id, _}) -> Id == \"id/77\" end.",
        native: |args| match pair(&args[0])? {
            [Value::Text(id), _] => Ok(Value::Bool(&**id == divan::black_box("id/77"))),
            _ => wrong(),
        },
        element: id_and_number,
    },
    Case {
        name: "nested tuples",
        program: "F = fun({ad, {_, Price}, {Shop, _}}) -> Price * Shop end.",
        native: |args| match &args[0] {
            Value::Tuple(fields) => match &**fields {
                [Value::Atom(tag), price, shop] if **tag == *"ad" => {
                    let (price, shop) = (int(pair(price)?[1])?, int(pair(shop)?[0])?);
                    Ok(Value::Int(price.checked_mul(shop).ok_or("overflow")?))
                }
                _ => wrong(),
            },
            _ => wrong(),
        },
        element: |n| Value::tuple([Value::atom("ad"), id_and_number(n), Value::pair(n.into(), Value::Bool(true))]),
    },
    Case {
        name: "maps:get",
        program: "F = fun(M) -> maps:get(price, M) >= 500 end.",
        native: |args| match &args[0] {
            Value::Map(map) => Ok(Value::Bool(int(map.get(&Value::atom("price")).ok_or("no price")?)? >= 500)),
            _ => wrong(),
        },
        element: offer,
    },
    Case {
        name: "if",
        program: "F = fun(N) -> if N < 100 -> N * 2; N < 500 -> N + 1; true -> 0 end end.",
        native: |args| {
            let n = int(&args[0])?;
            Ok(Value::Int(match n {
                _ if n < 100 => n.checked_mul(2).ok_or("overflow")?,
                _ if n < 500 => n.checked_add(1).ok_or("overflow")?,
                _ => 0,
            }))
        },
        element: Value::Int,
    },
    Case {
        name: "case",
        program: "F = fun(X) -> case X of {ad, N} -> N > 5; {_, N} when N > 500 -> true; _ -> false end end.",
        native: |args| match pair(&args[0]) {
            Ok([Value::Atom(tag), n]) if **tag == *"ad" => Ok(Value::Bool(int(n)? > 5)),
            Ok([_, Value::Int(n)]) if *n > 500 => Ok(Value::Bool(true)),
            _ => Ok(Value::Bool(false)),
        },
        element: id_and_number,
    },
    Case {
        name: "andalso, orelse",
        program: "F = fun({_, N}) -> N < 100 orelse N > 900 andalso (N rem 2 == 0 orelse N rem 3 == 0) end.",
        native: |args| {
            let n = int(pair(&args[0])?[1])?;
            Ok(Value::Bool(n < 100 || n > 900 && (n % 2 == 0 || n % 3 == 0)))
        },
        element: id_and_number,
    },
    Case {
        name: "length of a text",
        program: "F = fun({Id, _}) -> string:length(Id) > 5 end.",
        native: |args| match pair(&args[0])? {
            [Value::Text(id), _] => Ok(Value::Bool(id.chars().count() > 5)),
            _ => wrong(),
        },
        element: id_and_number,
    },
    Case {
        name: "texts joined",
        program: "F = fun({Id, _}) -> \"shop/\" ++ Id end.",
        native: |args| match pair(&args[0])? {
            [Value::Text(id), _] => Ok(Value::text(format!("shop/{id}"))),
            _ => wrong(),
        },
        element: id_and_number,
    },
    Case {
        name: "member of a list",
        program: "F = fun({_, N}) -> lists:member(N, [3, 50, 700]) end.",
        native: |args| {
            let n = pair(&args[0])?[1];
            Ok(Value::Bool([3, 50, 700].iter().any(|known| *n == Value::Int(*known))))
        },
        element: id_and_number,
    },
    Case {
        name: "any with a captured variable",
        program: "Least = 500, F = fun(#{tags := Tags}) -> lists:any(fun(T) -> T >= Least end, Tags) end.",
        native: |args| match &args[0] {
            Value::Map(map) => match map.get(&Value::atom("tags")) {
                Some(Value::List(tags)) => {
                    for tag in tags.iter() {
                        if int(tag)? >= divan::black_box(500) {
                            return Ok(Value::Bool(true));
                        }
                    }
                    Ok(Value::Bool(false))
                }
                _ => wrong(),
            },
            _ => wrong(),
        },
        element: offer,
    },
];

/// What the program binds to `F`.
fn bound(program: &str) -> lasp_lang::function::Function {
    let mut session = Session::new(GraphHost::default());
    session.run(&Source::new("bench.lasp", program), &mut drop).expect("it runs");
    let function = session.terms().find_map(|(name, term)| match term {
        Term::Function(function) if name == "F" => Some(function.clone()),
        _ => None,
    });
    function.expect("it is bound to F")
}

fn each(bencher: Bencher<'_, '_>, case: &Case, function: &Function) {
    let elements: Vec<Value> = (1..=ELEMENTS).map(case.element).collect();
    bencher.counter(ItemsCount::new(elements.len())).bench_local(|| {
        for element in &elements {
            divan::black_box(function.call(std::slice::from_ref(element)).is_ok());
        }
    });
}

#[divan::bench(args = CASES)]
fn of_the_language(bencher: Bencher<'_, '_>, case: &Case) {
    each(bencher, case, &(Arc::new(bound(case.program)) as Function));
}

#[divan::bench(args = CASES)]
fn of_rust(bencher: Bencher<'_, '_>, case: &Case) {
    each(bencher, case, &function(case.native));
}

#[divan::bench(args = CASES)]
fn of_the_language_by_tree(bencher: Bencher<'_, '_>, case: &Case) {
    let function = bound(case.program);
    let elements: Vec<Value> = (1..=ELEMENTS).map(case.element).collect();
    bencher.counter(ItemsCount::new(elements.len())).bench_local(|| {
        for element in &elements {
            divan::black_box(function.call_by_tree(std::slice::from_ref(element), 1_000_000).is_ok());
        }
    });
}

/// A program as a person would write it, of about so many lines.
fn program(lines: usize) -> String {
    let mut text = String::new();
    for part in 0..lines / 10 {
        let _written = write!(
            text,
            "%% Advertisements of publisher {part}.\n\
             Ads{part} = declare(\"publisher/{part}/ads\", set),\n\
             Views{part} = declare(\"publisher/{part}/views\", gmap(gcounter)),\n\
             update(Ads{part}, {{add, [{{ad, {part}, \"Title {part}\", 10}}, {{ad, {part}1, \"Other\", 25}}]}}).\n\
             Dear{part} = filter(Ads{part}, fun({{ad, _, _, Price}}) -> Price > 10 + {part} rem 7 end),\n\
             Named{part} = map(Dear{part}, fun({{ad, Id, Title, Price}}) when is_text(Title), Price >= 0 ->\n\
             \x20   #{{id => Id, title => string:uppercase(Title), price => Price * 100 div 119}};\n\
             \x20   (Other) -> case Other of {{old, X}} -> #{{id => X}}; _ -> #{{}} end end),\n\
             Sum{part} = fold(map(Named{part}, fun(#{{price := P}}) -> P; (_) -> 0 end), sum),\n\
             invariant(Views{part}, {{cardinality, 5}}, fun() -> print({{full, {part}, [X || X <- query(Dear{part})]}}) end).\n"
        );
    }
    text
}

#[divan::bench(args = [1_000, 10_000])]
fn parse_and_check_lines(bencher: Bencher<'_, '_>, lines: usize) {
    let source = Source::new("bench.lasp", program(lines));
    assert_eq!(diagnose(&source), []);
    bencher.bench_local(|| diagnose(&source).len());
}
