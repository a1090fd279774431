//! Numbers, kinds, tuples and the types with parameters.

use super::{Builtin, Direct, Result, builtin, index_of, integer, list, size, text, value, wrong};
use crate::fault::Trap;
use crate::show::short;
use crate::suggest::nearest;
use crate::term::{Term, compare};
use lasp_dataflow::{F64, Type, Value};

pub(super) const FUNCTIONS: &[Builtin] = &[
    builtin("abs", 1, "abs(N)", "the number without its sign", |_, a| match number(a, 0)? {
        Number::Int(n) => n.checked_abs().map(Term::scalar).ok_or_else(|| "integer overflow".into()),
        Number::Float(f) => float(f.abs()),
    })
    .direct(Direct::Int(|v| int_of(v)?.checked_abs())),
    builtin("max", 2, "max(A, B)", "the greater of two values", |_, a| greater(a, true))
        .direct(Direct::Ints(|a, b| Some(a.max(b)))),
    builtin("min", 2, "min(A, B)", "the lesser of two values", |_, a| greater(a, false))
        .direct(Direct::Ints(|a, b| Some(a.min(b)))),
    builtin("float", 1, "float(N)", "the number as a float", |_, a| match number(a, 0)? {
        Number::Int(n) => float(n as f64),
        Number::Float(f) => float(f),
    }),
    builtin("trunc", 1, "trunc(N)", "the integer towards zero", |_, a| whole(a, f64::trunc))
        .direct(Direct::Int(int_of)),
    builtin("round", 1, "round(N)", "the nearest integer", |_, a| whole(a, f64::round)).direct(Direct::Int(int_of)),
    builtin("floor", 1, "floor(N)", "the integer not above", |_, a| whole(a, f64::floor)).direct(Direct::Int(int_of)),
    builtin("ceil", 1, "ceil(N)", "the integer not below", |_, a| whole(a, f64::ceil)).direct(Direct::Int(int_of)),
    builtin("math:sqrt", 1, "math:sqrt(N)", "the square root", |_, a| {
        let n = match number(a, 0)? {
            Number::Int(n) => n as f64,
            Number::Float(f) => f,
        };
        if n < 0.0 { Err("the number is negative".into()) } else { float(n.sqrt()) }
    }),
    builtin("is_integer", 1, "is_integer(X)", "whether X is an integer", |_, a| is(a, |v| matches!(v, Value::Int(_))))
        .direct(Direct::Test(|v| Some(matches!(v, Value::Int(_)))))
        .on_surface(),
    builtin("is_float", 1, "is_float(X)", "whether X is a float", |_, a| is(a, |v| matches!(v, Value::Float(_))))
        .direct(Direct::Test(|v| Some(matches!(v, Value::Float(_)))))
        .on_surface(),
    builtin("is_number", 1, "is_number(X)", "whether X is a number", |_, a| {
        is(a, |v| matches!(v, Value::Int(_) | Value::Float(_)))
    })
    .direct(Direct::Test(|v| Some(matches!(v, Value::Int(_) | Value::Float(_)))))
    .on_surface(),
    builtin("is_boolean", 1, "is_boolean(X)", "whether X is true or false", |_, a| {
        is(a, |v| matches!(v, Value::Bool(_)))
    })
    .direct(Direct::Test(|v| Some(matches!(v, Value::Bool(_)))))
    .on_surface(),
    builtin("is_atom", 1, "is_atom(X)", "whether X is an atom (booleans are)", |_, a| {
        is(a, |v| matches!(v, Value::Atom(_) | Value::Bool(_)))
    })
    .direct(Direct::Test(|v| Some(matches!(v, Value::Atom(_) | Value::Bool(_)))))
    .on_surface(),
    builtin("is_text", 1, "is_text(X)", "whether X is a text", |_, a| is(a, |v| matches!(v, Value::Text(_))))
        .direct(Direct::Test(|v| Some(matches!(v, Value::Text(_)))))
        .on_surface(),
    builtin("is_binary", 1, "is_binary(X)", "whether X is bytes", |_, a| is(a, |v| matches!(v, Value::Bytes(_))))
        .direct(Direct::Test(|v| Some(matches!(v, Value::Bytes(_)))))
        .on_surface(),
    builtin("is_list", 1, "is_list(X)", "whether X is a list (queried sets are)", |_, a| {
        Ok(Term::scalar(a[0].list_len().is_some()))
    })
    .direct(Direct::Test(|v| Some(matches!(v, Value::List(_)))))
    .on_surface(),
    builtin("is_tuple", 1, "is_tuple(X)", "whether X is a tuple", |_, a| Ok(Term::scalar(a[0].tuple_len().is_some())))
        .direct(Direct::Test(|v| Some(matches!(v, Value::Tuple(_)))))
        .on_surface(),
    builtin("is_map", 1, "is_map(X)", "whether X is a map", |_, a| Ok(Term::scalar(a[0].is_map())))
        .direct(Direct::Test(|v| Some(matches!(v, Value::Map(_)))))
        .on_surface(),
    builtin("is_function", 1, "is_function(X)", "whether X is a function", |_, a| {
        Ok(Term::scalar(matches!(a[0], Term::Function(_))))
    })
    .on_surface(),
    builtin("element", 2, "element(N, T)", "the N-th field of a tuple, from 1", |_, a| {
        let fields = a[1].tuple_len().ok_or_else(|| wrong(1, "a tuple", &a[1]))?;
        let index = field(a, fields)?;
        a[1].tuple_get(index).ok_or_else(|| wrong(1, "a tuple", &a[1]))
    })
    .direct(Direct::Part(|n, v| tuple_of(v)?.get(index_of(n)?)))
    .on_surface(),
    builtin("setelement", 3, "setelement(N, T, X)", "the tuple with X as its N-th field", |_, a| {
        let mut fields = a[1].as_tuple().ok_or_else(|| wrong(1, "a tuple", &a[1]))?;
        let index = field(a, fields.len())?;
        fields[index] = a[2].clone();
        Ok(Term::tuple(fields))
    }),
    builtin("tuple_size", 1, "tuple_size(T)", "how many fields", |_, a| {
        let fields = a[0].tuple_len().ok_or_else(|| wrong(0, "a tuple", &a[0]))?;
        Ok(Term::scalar(fields as i64))
    })
    .direct(Direct::Int(|v| tuple_of(v).map(|fields| fields.len() as i64)))
    .on_surface(),
    builtin("tuple_to_list", 1, "tuple_to_list(T)", "the fields as a list", |_, a| {
        a[0].as_tuple().map(Term::list).ok_or_else(|| wrong(0, "a tuple", &a[0]))
    }),
    builtin("list_to_tuple", 1, "list_to_tuple(L)", "the elements as a tuple", |m, a| Ok(Term::tuple(list(m, a, 0)?))),
    builtin("integer_to_list", 1, "integer_to_list(N)", "the integer as text", |_, a| {
        Ok(Term::scalar(integer(a, 0)?.to_string()))
    }),
    builtin("list_to_integer", 1, "list_to_integer(T)", "the text as an integer", |_, a| {
        let digits = text(a, 0)?;
        let parsed = digits.trim().parse::<i64>();
        parsed.map(Term::scalar).map_err(|_| format!("{digits:?} is no integer").into())
    }),
    builtin("float_to_list", 1, "float_to_list(F)", "the float as text", |_, a| match number(a, 0)? {
        Number::Float(f) => Ok(Term::scalar(crate::show::plain(&float(f)?))),
        Number::Int(_) => Err(wrong(0, "a float", &a[0])),
    }),
    builtin("list_to_float", 1, "list_to_float(T)", "the text as a float", |_, a| {
        let digits = text(a, 0)?;
        digits.trim().parse::<f64>().map_err(|_| Trap::from(format!("{digits:?} is no float"))).and_then(float)
    }),
    builtin("atom_to_list", 1, "atom_to_list(A)", "the atom as text", |_, a| match value(a, 0)? {
        Value::Atom(name) => Ok(Term::scalar(Value::Text(name))),
        Value::Bool(b) => Ok(Term::scalar(b.to_string())),
        _ => Err(wrong(0, "an atom", &a[0])),
    }),
    builtin("list_to_atom", 1, "list_to_atom(T)", "the text as an atom", |_, a| {
        Ok(match &*text(a, 0)? {
            "true" => Term::scalar(true),
            "false" => Term::scalar(false),
            name => Term::atom(name),
        })
    }),
    builtin("gmap", 1, "gmap(T)", "the type of grow-only maps to T", |_, a| parametric("gmap", a)),
    builtin("awmap", 1, "awmap(T)", "the type of add-wins maps to T", |_, a| parametric("awmap", a)),
    builtin("pair", 2, "pair(T, U)", "the type of pairs of T and U", |_, a| parametric("pair", a)),
];

fn int_of(value: &Value) -> Option<i64> {
    match value {
        Value::Int(int) => Some(*int),
        _ => None,
    }
}

fn tuple_of(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Tuple(fields) => Some(fields),
        _ => None,
    }
}

/// A number of either kind.
pub(super) enum Number {
    Int(i64),
    Float(f64),
}

pub(super) fn number(args: &[Term], position: usize) -> Result<Number> {
    match &args[position] {
        Term::Data(Value::Int(n), _) => Ok(Number::Int(*n)),
        Term::Data(Value::Float(f), _) => Ok(Number::Float(f.get())),
        other => Err(wrong(position, "a number", other)),
    }
}

fn float(value: f64) -> Result {
    F64::new(value).map(|f| Term::scalar(Value::Float(f))).ok_or_else(|| "too large for a float".into())
}

fn greater(args: &[Term], want_greater: bool) -> Result {
    let order = compare(&value(args, 0)?, &value(args, 1)?);
    Ok(args[usize::from(if want_greater { order.is_lt() } else { order.is_gt() })].clone())
}

fn whole(args: &[Term], towards: fn(f64) -> f64) -> Result {
    match number(args, 0)? {
        Number::Int(n) => Ok(Term::scalar(n)),
        Number::Float(f) => {
            let rounded = towards(f);
            let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded);
            if fits { Ok(Term::scalar(rounded as i64)) } else { Err("integer overflow".into()) }
        }
    }
}

fn is(args: &[Term], test: fn(&Value) -> bool) -> Result {
    Ok(Term::scalar(matches!(&args[0], Term::Data(value, _) if test(value))))
}

/// The index of the field that the first argument names.
fn field(args: &[Term], fields: usize) -> Result<usize> {
    let position = size(args, 0)?;
    match position.checked_sub(1).filter(|index| *index < fields) {
        Some(index) => Ok(index),
        None => Err(format!("there is no field {position} in {}", short(&args[1])).into()),
    }
}

fn parametric(name: &str, args: &[Term]) -> Result {
    let parameters = args.iter().map(type_of).collect::<std::result::Result<Vec<_>, String>>()?;
    Ok(Term::Type(named_type(name, parameters)?))
}

/// The type that a term names.
pub(crate) fn type_of(term: &Term) -> std::result::Result<Type, String> {
    match term {
        Term::Type(ty) => Ok(ty.clone()),
        Term::Data(Value::Atom(name), _) => named_type(name, Vec::new()),
        other => Err(format!("a type is an atom such as `set` or a form such as `gmap(set)`, found {}", short(other))),
    }
}

/// The type called `name` with these parameters; the error names the nearest type.
pub(crate) fn named_type(name: &str, parameters: Vec<Type>) -> std::result::Result<Type, String> {
    if Type::names_and_aliases().all(|known| known != name) {
        let hint = nearest(name, Type::names_and_aliases()).map(|near| format!("; did you mean `{near}`?"));
        let known: Vec<&str> = Type::names().collect();
        return Err(format!(
            "unknown type `{name}`{}",
            hint.unwrap_or_else(|| format!("; there are {}", known.join(", ")))
        ));
    }
    Type::new(name, parameters).map_err(|error| error.to_string())
}
