//! The functions that random programs are made of: data, so that they print, compare and shrink; pure, but where a test of
//! the harness itself wants one that is not.

use crate::rng::Rng;
use lasp_dataflow::{Call, EquiJoin, Function, FunctionError, Value};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A function of one value, or of an element and an accumulator.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fun {
    /// `X`
    Same,
    /// `X * 2`; only of integers.
    Double,
    /// `X mod N`; only of integers.
    Modulo(i64),
    /// `x`, of anything.
    Constant(Value),
    /// Of anything: what kind of value it is.
    Kind,
    /// The first of a tuple.
    First,
    /// The second of a tuple.
    Second,
    /// `{Y, X}` of `{X, Y}`.
    Swap,
    /// `{X, tag}`
    Tagged,
    /// Of a tuple of integers, their sum; other values as they are.
    Total,
    /// `X`, but fails on this one.
    Except(Value),
    /// Whether an integer is even.
    IsEven,
    /// Whether a value is at most this one, in the order of values.
    AtMost(Value),
    /// Of a pair: whether these keys of its two are equal, and this holds of the pair too.
    KeysEqual { left: Box<Self>, right: Box<Self>, rest: Option<Box<Self>> },
    /// `[X, X + 1]`; only of integers.
    AndNext,
    /// `[X, X]`
    Twice,
    /// The parts of a tuple or list.
    Parts,
    /// `[]`
    Nothing,
    /// A step of a fold: the accumulator plus the weight of the element, modulo a prime.
    Add,
    /// Undoes [`Add`](Self::Add).
    Subtract,
    /// As [`Add`](Self::Add), of integers only.
    AddInteger,
    /// Undoes it.
    SubtractInteger,
    /// The greater of element and accumulator, which nothing undoes.
    Greater,
    /// Fails on every second call, whatever it is asked. Not a function at all.
    Impure,
}

const PRIME: i64 = 10_007;

impl Fun {
    /// What the function says.
    pub(crate) fn eval(&self, args: &[Value]) -> Result<Value, String> {
        let x = &args[0];
        match self {
            Self::Same | Self::Impure => Ok(x.clone()),
            Self::Double => integer(x)?.checked_mul(2).map(Value::Int).ok_or_else(|| "overflow".into()),
            Self::Modulo(n) => Ok(Value::Int(integer(x)?.rem_euclid(*n))),
            Self::Constant(value) => Ok(value.clone()),
            Self::Kind => Ok(Value::atom(x.kind())),
            Self::First => part(x, 0),
            Self::Second => part(x, 1),
            Self::Swap => Ok(Value::pair(part(x, 1)?, part(x, 0)?)),
            Self::Tagged => Ok(Value::pair(x.clone(), Value::atom("tag"))),
            Self::Total => match x {
                Value::Tuple(items) => {
                    let total: Result<i64, String> = items.iter().map(integer).sum();
                    total.map(Value::Int)
                }
                other => Ok(other.clone()),
            },
            Self::Except(value) if x == value => Err(format!("not of {value}")),
            Self::Except(_) => Ok(x.clone()),
            Self::IsEven => Ok(Value::Bool(integer(x)? % 2 == 0)),
            Self::AtMost(value) => Ok(Value::Bool(x <= value)),
            Self::KeysEqual { left, right, rest } => {
                let equal = left.eval(&[part(x, 0)?])? == right.eval(&[part(x, 1)?])?;
                match rest {
                    Some(rest) if equal => rest.eval(args),
                    _ => Ok(Value::Bool(equal)),
                }
            }
            Self::AndNext => Ok(Value::list([integer(x)?, integer(x)? + 1])),
            Self::Twice => Ok(Value::list([x.clone(), x.clone()])),
            Self::Parts => match x {
                Value::Tuple(items) | Value::List(items) => Ok(Value::list(items.iter().cloned())),
                other => Err(format!("{other} has no parts")),
            },
            Self::Nothing => Ok(Value::list(Vec::<Value>::new())),
            Self::Add => Ok(Value::Int((integer(&args[1])? + weight(x)).rem_euclid(PRIME))),
            Self::Subtract => Ok(Value::Int((integer(&args[1])? - weight(x)).rem_euclid(PRIME))),
            Self::AddInteger => Ok(Value::Int((integer(&args[1])? + integer(x)?).rem_euclid(PRIME))),
            Self::SubtractInteger => Ok(Value::Int((integer(&args[1])? - integer(x)?).rem_euclid(PRIME))),
            Self::Greater => Ok(x.max(&args[1]).clone()),
        }
    }

    /// As the graph takes it. `named` functions say who they are, so that equal ones are shared.
    pub(crate) fn call(&self, named: bool) -> Function {
        Arc::new(Called { fun: self.clone(), named, calls: AtomicI64::new(0) })
    }

    /// A function for [`map`](lasp_dataflow::Operator::Map) or for a key.
    pub(crate) fn random(rng: &mut Rng, pool: &[Value]) -> Self {
        let value = rng.pick(pool).cloned().unwrap_or(Value::Int(0));
        let modulus = rng.within(1, 3) as i64;
        rng.weighted(&[
            (2, Self::Same),
            (3, Self::Double),
            (5, Self::Modulo(modulus)),
            (1, Self::Constant(value.clone())),
            (2, Self::Kind),
            (2, Self::First),
            (1, Self::Second),
            (1, Self::Swap),
            (3, Self::Tagged),
            (3, Self::Total),
            (2, Self::Except(value)),
        ])
    }

    /// A function for pairs, as products and joins make them.
    pub(crate) fn random_of_pairs(rng: &mut Rng, pool: &[Value]) -> Self {
        let any = Self::random(rng, pool);
        rng.weighted(&[
            (3, Self::First),
            (3, Self::Second),
            (2, Self::Swap),
            (3, Self::Total),
            (1, Self::Kind),
            (2, any),
        ])
    }

    /// A function for [`filter`](lasp_dataflow::Operator::Filter); some give no boolean.
    pub(crate) fn random_predicate(rng: &mut Rng, pool: &[Value]) -> Self {
        let value = rng.pick(pool).cloned().unwrap_or(Value::Int(0));
        rng.weighted(&[
            (5, Self::IsEven),
            (5, Self::AtMost(value)),
            (1, Self::Constant(Value::Bool(true))),
            (1, Self::Constant(Value::Bool(false))),
            (1, Self::Same),
        ])
    }

    /// A predicate over pairs, mostly one that makes a join of a product.
    pub(crate) fn random_predicate_of_pairs(rng: &mut Rng, pool: &[Value]) -> Self {
        if rng.percent(25) {
            return Self::random_predicate(rng, pool);
        }
        let left = Box::new(Self::random(rng, pool));
        let right = Box::new(if rng.percent(60) { (*left).clone() } else { Self::random(rng, pool) });
        let rest = rng.percent(30).then(|| Box::new(Self::random_predicate(rng, pool)));
        Self::KeysEqual { left, right, rest }
    }

    /// A function for [`flat_map`](lasp_dataflow::Operator::FlatMap); some give no list.
    pub(crate) fn random_list(rng: &mut Rng) -> Self {
        rng.weighted(&[(5, Self::AndNext), (2, Self::Twice), (4, Self::Parts), (1, Self::Nothing), (1, Self::Same)])
    }

    /// Simpler functions, simplest first.
    pub(crate) fn simpler(&self) -> Vec<Self> {
        match self {
            Self::Same | Self::Impure => vec![],
            Self::KeysEqual { left, right, rest } => {
                let keys = |left: &Self, right: &Self, rest: Option<Self>| Self::KeysEqual {
                    left: Box::new(left.clone()),
                    right: Box::new(right.clone()),
                    rest: rest.map(Box::new),
                };
                let rest = rest.as_deref().cloned();
                let mut simpler = vec![Self::Constant(Value::Bool(true))];
                simpler.extend(rest.is_some().then(|| keys(left, right, None)));
                simpler.extend((**left != Self::Same).then(|| keys(&Self::Same, right, rest.clone())));
                simpler.extend((**right != Self::Same).then(|| keys(left, &Self::Same, rest.clone())));
                simpler
            }
            Self::IsEven | Self::AtMost(_) => vec![Self::Constant(Value::Bool(true))],
            Self::AndNext | Self::Parts => vec![Self::Twice],
            Self::Constant(_) | Self::Twice | Self::Nothing => vec![],
            Self::Add | Self::Subtract | Self::AddInteger | Self::SubtractInteger | Self::Greater => vec![],
            _ => vec![Self::Same],
        }
    }
}

/// As in the language, so that a counterexample can be read, and nearly pasted.
impl fmt::Display for Fun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("fun(X) -> X end"),
            Self::Double => f.write_str("fun(X) -> X * 2 end"),
            Self::Modulo(n) => write!(f, "fun(X) -> X rem {n} end"),
            Self::Constant(value) => write!(f, "fun(_) -> {value} end"),
            Self::Kind => f.write_str("fun(X) -> kind(X) end"),
            Self::First => f.write_str("fun(X) -> element(1, X) end"),
            Self::Second => f.write_str("fun(X) -> element(2, X) end"),
            Self::Swap => f.write_str("fun({X, Y}) -> {Y, X} end"),
            Self::Tagged => f.write_str("fun(X) -> {X, tag} end"),
            Self::Total => f.write_str("fun({X, Y}) -> X + Y; (X) -> X end"),
            Self::Except(value) => write!(f, "fun(X) when X /= {value} -> X end"),
            Self::IsEven => f.write_str("fun(X) -> X rem 2 == 0 end"),
            Self::AtMost(value) => write!(f, "fun(X) -> X =< {value} end"),
            Self::KeysEqual { left, right, rest } => {
                write!(f, "fun({{X, Y}}) -> ({left})(X) == ({right})(Y)")?;
                rest.as_ref().map_or(Ok(()), |rest| write!(f, " andalso ({rest})({{X, Y}})"))?;
                f.write_str(" end")
            }
            Self::AndNext => f.write_str("fun(X) -> [X, X + 1] end"),
            Self::Twice => f.write_str("fun(X) -> [X, X] end"),
            Self::Parts => f.write_str("fun(X) -> parts(X) end"),
            Self::Nothing => f.write_str("fun(_) -> [] end"),
            Self::Add => write!(f, "fun(X, A) -> (A + weight(X)) rem {PRIME} end"),
            Self::Subtract => write!(f, "fun(X, A) -> (A - weight(X)) rem {PRIME} end"),
            Self::AddInteger => write!(f, "fun(X, A) -> (A + X) rem {PRIME} end"),
            Self::SubtractInteger => write!(f, "fun(X, A) -> (A - X) rem {PRIME} end"),
            Self::Greater => f.write_str("fun(X, A) -> max(X, A) end"),
            Self::Impure => f.write_str("fun(X) -> random() end"),
        }
    }
}

fn integer(value: &Value) -> Result<i64, String> {
    i64::try_from(value).map_err(|error| error.to_string())
}

fn part(value: &Value, at: usize) -> Result<Value, String> {
    match value {
        Value::Tuple(items) => items.get(at).cloned().ok_or_else(|| format!("{value} is too short")),
        other => Err(format!("{other} is no tuple")),
    }
}

/// A number that most values differ in.
fn weight(value: &Value) -> i64 {
    value.to_string().bytes().fold(7, |sum, byte| (sum * 31 + i64::from(byte)) % PRIME)
}

/// A function as the graph sees it.
struct Called {
    fun: Fun,
    named: bool,
    calls: AtomicI64,
}

impl Call for Called {
    fn call(&self, args: &[Value]) -> Result<Value, FunctionError> {
        if self.fun == Fun::Impure && self.calls.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
            return Err(FunctionError::new("one call in two"));
        }
        self.fun.eval(args).map_err(FunctionError::new)
    }

    fn describe(&self) -> String {
        self.fun.to_string()
    }

    fn identity(&self) -> Option<Arc<str>> {
        self.named.then(|| self.fun.to_string().into())
    }

    fn equi_join(&self) -> Option<EquiJoin> {
        match &self.fun {
            Fun::KeysEqual { left, right, rest } => Some(EquiJoin {
                left_key: left.call(self.named),
                right_key: right.call(self.named),
                rest: rest.as_ref().map(|rest| rest.call(self.named)),
            }),
            _ => None,
        }
    }
}
