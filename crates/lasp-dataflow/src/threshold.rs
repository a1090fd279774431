//! Thresholds: how far a variable must have come before a reader goes on.
//!
//! Lasp's threshold reads (Meiklejohn and Van Roy, PPDP'15) wait for a point in the lattice; here every type also offers
//! what can be said in the language: a value, `{strict, Value}`, `{value, N}` for numbers, `{cardinality, N}` for
//! collections. On types that only grow a met threshold stays met; on the others it is met at the moment of waking.

use crate::state::State;
use crate::types::Type;
use crate::value::Value;
use thiserror::Error;

/// What to wait for.
#[derive(Clone, Debug, PartialEq)]
pub enum Threshold {
    /// Anything at all: strictly above bottom.
    Bound,
    /// At or above this state.
    State(State),
    /// Above this state.
    Strict(State),
    /// A number of at least this much: a counter's or register's value, a collection's cardinality.
    AtLeast(i64),
    /// A greater number than this.
    MoreThan(i64),
    /// A set that holds all of these elements; with `more`, also another one.
    Contains {
        /// The elements, ascending, without repetition.
        elements: Vec<Value>,
        /// Whether these alone are not enough.
        more: bool,
    },
    /// A last-writer-wins register that holds just this.
    Holds(Value),
}

/// A threshold that a type does not offer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{ty} cannot be waited on for {found}; it offers {}", offers(.ty))]
pub struct ThresholdError {
    /// The variable's type.
    pub ty: Type,
    /// What was asked for.
    pub found: Box<str>,
}

fn offers(ty: &Type) -> &'static str {
    match ty {
        Type::GSet | Type::AwSet => "a list of elements, {strict, List}, {cardinality, N}, {strict, {cardinality, N}}",
        Type::GCounter | Type::PnCounter => "{value, N}, {strict, {value, N}}, {strict, undefined}",
        Type::Max => "a value, {strict, Value}, {value, N}, {strict, {value, N}}",
        Type::Min | Type::IVar | Type::Boolean => "a value, {strict, Value}, {strict, undefined}",
        Type::LwwRegister => "the value to hold, {value, N}, {strict, {value, N}}, {strict, undefined}",
        Type::GMap(_) => "a map, {strict, Map}, {cardinality, N}, {strict, {cardinality, N}}",
        Type::Pair(..) => "a tuple of two values, {strict, Tuple}, {strict, undefined}",
    }
}

impl Threshold {
    /// What variables of type `ty` can be waited on for, in words.
    pub fn forms(ty: &Type) -> &'static str {
        offers(ty)
    }

    /// Reads the language's form of a threshold on a variable of type `ty`.
    ///
    /// # Errors
    /// [`ThresholdError`], which names what the type offers.
    pub fn from_value(ty: &Type, form: &Value) -> Result<Self, ThresholdError> {
        let (strict, inner) = match tagged(form, "strict") {
            Some(inner) => (true, inner),
            None => (false, form),
        };
        let threshold = if is_undefined(inner) {
            Some(if strict { Self::Bound } else { Self::State(State::bottom(ty)) })
        } else if let Some(n) = tagged(inner, "value").filter(|_| has_value(ty)) {
            number(n, strict)
        } else if let Some(n) = tagged(inner, "cardinality").filter(|_| has_cardinality(ty)) {
            number(n, strict)
        } else {
            Self::plain(ty, inner, strict)
        };
        threshold.ok_or_else(|| ThresholdError { ty: ty.clone(), found: form.to_string().into() })
    }

    fn plain(ty: &Type, value: &Value, strict: bool) -> Option<Self> {
        match (ty, value) {
            (Type::GSet | Type::AwSet, Value::List(items)) => {
                let mut elements = items.to_vec();
                elements.sort_unstable();
                elements.dedup();
                Some(Self::Contains { elements, more: strict })
            }
            (Type::GCounter | Type::PnCounter, _) => number(value, strict),
            (Type::LwwRegister, _) => (!strict).then(|| Self::Holds(value.clone())),
            _ => {
                let state = State::from_value(ty, value).ok()?;
                Some(if strict { Self::Strict(state) } else { Self::State(state) })
            }
        }
    }

    /// Refuses a threshold that variables of type `ty` can never be measured by.
    ///
    /// # Errors
    /// [`ThresholdError`].
    pub(crate) fn check(&self, ty: &Type) -> Result<(), ThresholdError> {
        let fits = match self {
            Self::Bound => true,
            Self::State(state) | Self::Strict(state) => state.is_of(ty),
            Self::AtLeast(_) | Self::MoreThan(_) => has_value(ty) || has_cardinality(ty),
            Self::Contains { .. } => ty.is_set(),
            Self::Holds(_) => *ty == Type::LwwRegister,
        };
        if fits { Ok(()) } else { Err(ThresholdError { ty: ty.clone(), found: self.describe().into() }) }
    }

    fn describe(&self) -> &'static str {
        match self {
            Self::Bound => "any value",
            Self::State(_) | Self::Strict(_) => "a state of another type",
            Self::AtLeast(_) | Self::MoreThan(_) => "a number",
            Self::Contains { .. } => "elements",
            Self::Holds(_) => "one value",
        }
    }

    /// Whether every variable is this far from the start.
    pub(crate) fn is_trivial(&self) -> bool {
        matches!(self, Self::State(state) if state.is_bottom())
    }

    /// Whether whoever waits for this waits for at least as much as `wanted`.
    pub(crate) fn implies(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (_, Self::State(wanted)) if wanted.is_bottom() => true,
            (Self::State(state), Self::Bound) => !state.is_bottom(),
            (Self::Contains { elements, more }, Self::Bound) => *more || !elements.is_empty(),
            (Self::AtLeast(n), Self::Bound) => *n > 0,
            (_, Self::Bound) => true,
            (Self::State(state) | Self::Strict(state), Self::State(wanted)) => wanted.leq(state),
            (Self::State(state), Self::Strict(wanted)) => wanted.leq(state) && !state.leq(wanted),
            (Self::Strict(state), Self::Strict(wanted)) => wanted.leq(state),
            (Self::AtLeast(n), Self::AtLeast(wanted)) => n >= wanted,
            (Self::AtLeast(n), Self::MoreThan(wanted)) | (Self::MoreThan(n), Self::MoreThan(wanted)) => {
                n > wanted || n == wanted && matches!(self, Self::MoreThan(_))
            }
            (Self::MoreThan(n), Self::AtLeast(wanted)) => n >= wanted,
            (Self::Contains { elements, more }, Self::Contains { elements: wanted, more: wanted_more }) => {
                let has_all = wanted.iter().all(|element| elements.binary_search(element).is_ok());
                has_all && (!wanted_more || *more || elements.len() > wanted.len())
            }
            (Self::Contains { elements, more }, Self::AtLeast(n)) => {
                i64::try_from(elements.len()).is_ok_and(|len| len + i64::from(*more) >= *n)
            }
            (Self::Holds(value), Self::Holds(wanted)) => value == wanted,
            _ => false,
        }
    }

    /// Whether `state` has come this far.
    pub fn is_met(&self, state: &State) -> bool {
        match self {
            Self::Bound => !state.is_bottom(),
            Self::State(wanted) => wanted.leq(state),
            Self::Strict(wanted) => wanted.leq(state) && !state.leq(wanted),
            Self::AtLeast(n) => state.level().is_some_and(|level| level.is_at_least(*n)),
            Self::MoreThan(n) => state.level().is_some_and(|level| level.is_more_than(*n)),
            Self::Contains { elements, more } => {
                (!more || state.cardinality().is_some_and(|n| n > elements.len()))
                    && elements.iter().all(|element| state.contains(element))
            }
            Self::Holds(value) => matches!(state, State::LwwRegister(held) if held.value() == Some(value)),
        }
    }
}

/// A number as thresholds see it: between two integers, equal where it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) floor: i64,
    pub(crate) ceil: i64,
}

impl Level {
    pub(crate) fn exactly(n: i64) -> Self {
        Self { floor: n, ceil: n }
    }

    /// The level of a number; none for other values.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Int(n) => Some(Self::exactly(*n)),
            // Casts saturate.
            Value::Float(x) => Some(Self { floor: x.get().floor() as i64, ceil: x.get().ceil() as i64 }),
            _ => None,
        }
    }

    pub(crate) fn is_at_least(self, n: i64) -> bool {
        self.floor >= n
    }

    pub(crate) fn is_more_than(self, n: i64) -> bool {
        self.ceil > n
    }
}

fn has_value(ty: &Type) -> bool {
    matches!(ty, Type::GCounter | Type::PnCounter | Type::Max | Type::LwwRegister)
}

fn has_cardinality(ty: &Type) -> bool {
    matches!(ty, Type::GSet | Type::AwSet | Type::GMap(_))
}

fn number(value: &Value, strict: bool) -> Option<Threshold> {
    let n = i64::try_from(value).ok()?;
    Some(if strict { Threshold::MoreThan(n) } else { Threshold::AtLeast(n) })
}

/// `X` of `{tag, X}`.
fn tagged<'a>(form: &'a Value, tag: &str) -> Option<&'a Value> {
    match form {
        Value::Tuple(items) => match &**items {
            [Value::Atom(found), inner] if **found == *tag => Some(inner),
            _ => None,
        },
        _ => None,
    }
}

fn is_undefined(value: &Value) -> bool {
    matches!(value, Value::Atom(name) if **name == *"undefined")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(ty: &str, form: Value) -> Result<Threshold, String> {
        Threshold::from_value(&ty.parse().expect("a type"), &form).map_err(|e| e.to_string())
    }

    fn tag(name: &str, inner: impl Into<Value>) -> Value {
        Value::tuple([Value::atom(name), inner.into()])
    }

    #[test]
    fn the_forms_of_the_language_are_read() {
        let undefined = Value::atom("undefined");
        assert_eq!(read("set", tag("strict", undefined.clone())), Ok(Threshold::Bound));
        assert_eq!(read("max", undefined), Ok(Threshold::State(State::bottom(&Type::Max))));
        assert_eq!(read("gcounter", tag("value", 3)), Ok(Threshold::AtLeast(3)));
        assert_eq!(read("pncounter", tag("strict", tag("value", 3))), Ok(Threshold::MoreThan(3)));
        assert_eq!(read("gcounter", 3.into()), Ok(Threshold::AtLeast(3)));
        assert_eq!(read("set", tag("cardinality", 2)), Ok(Threshold::AtLeast(2)));
        assert_eq!(read("gmap(max)", tag("strict", tag("cardinality", 2))), Ok(Threshold::MoreThan(2)));
        let elements = vec![Value::Int(1), Value::Int(2)];
        let form = Value::list([2, 1, 2]);
        assert_eq!(read("gset", form.clone()), Ok(Threshold::Contains { elements: elements.clone(), more: false }));
        assert_eq!(read("set", tag("strict", form)), Ok(Threshold::Contains { elements, more: true }));
        assert_eq!(read("lwwregister", 7.into()), Ok(Threshold::Holds(7.into())));
        assert!(matches!(read("ivar", 7.into()), Ok(Threshold::State(_))));
        assert!(matches!(read("boolean", tag("strict", false)), Ok(Threshold::Strict(_))));
        assert!(matches!(read("pair(boolean, max)", (true, 3).into()), Ok(Threshold::State(_))));
    }

    #[test]
    fn what_a_type_does_not_offer_is_refused_with_what_it_offers() {
        let error = read("gcounter", tag("cardinality", 3)).unwrap_err();
        assert_eq!(
            error,
            "gcounter cannot be waited on for {cardinality, 3}; it offers {value, N}, {strict, {value, N}}, \
             {strict, undefined}"
        );
        assert!(read("set", tag("value", 3)).unwrap_err().contains("it offers a list of elements"));
        assert!(read("set", tag("cardinality", Value::atom("many"))).is_err());
        assert!(read("boolean", 3.into()).is_err());
        assert!(read("pair(boolean, boolean)", true.into()).is_err());
        assert!(Threshold::Holds(1.into()).check(&Type::Max).is_err());
        assert!(Threshold::State(State::bottom(&Type::Max)).check(&Type::Min).is_err());
    }

    #[test]
    fn fractions_lie_between_their_neighbours() {
        let level = Level::of(&Value::Float(crate::F64::new(3.5).expect("finite"))).expect("a number");
        assert!(level.is_at_least(3) && !level.is_at_least(4));
        assert!(level.is_more_than(3) && !level.is_more_than(4));
    }
}
