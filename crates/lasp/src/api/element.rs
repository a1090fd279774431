//! Rust types as elements of sets, keys of maps and contents of registers.

use lasp_dataflow::{F64, NotThatKind, Value};

/// A type whose values can be replicated. The conversions must be each other's inverse; implement it for your own
/// types by way of a tuple:
///
/// ```
/// use lasp::{Element, NotThatKind, Value};
///
/// struct Ad { id: u64, text: String }
///
/// impl Element for Ad {
///     fn into_value(self) -> Value {
///         (self.id, self.text).into_value()
///     }
///     fn from_value(value: &Value) -> Result<Self, NotThatKind> {
///         let (id, text) = Element::from_value(value)?;
///         Ok(Self { id, text })
///     }
/// }
/// ```
pub trait Element: Sized {
    /// As a value.
    fn into_value(self) -> Value;

    /// From a value.
    ///
    /// # Errors
    /// [`NotThatKind`] where the value is not one that [`into_value`](Self::into_value) makes.
    fn from_value(value: &Value) -> Result<Self, NotThatKind>;
}

/// What can be given where an element is wanted: the element itself, or a borrowed text for an owned one.
pub trait AsElement<T> {
    /// As a value.
    fn into_element(self) -> Value;
}

impl<T: Element> AsElement<T> for T {
    fn into_element(self) -> Value {
        self.into_value()
    }
}

impl AsElement<String> for &str {
    fn into_element(self) -> Value {
        self.into()
    }
}

impl Element for Value {
    fn into_value(self) -> Value {
        self
    }

    fn from_value(value: &Value) -> Result<Self, NotThatKind> {
        Ok(value.clone())
    }
}

impl Element for bool {
    fn into_value(self) -> Value {
        self.into()
    }

    fn from_value(value: &Value) -> Result<Self, NotThatKind> {
        value.try_into()
    }
}

impl Element for i64 {
    fn into_value(self) -> Value {
        self.into()
    }

    fn from_value(value: &Value) -> Result<Self, NotThatKind> {
        value.try_into()
    }
}

impl Element for i32 {
    fn into_value(self) -> Value {
        self.into()
    }

    fn from_value(value: &Value) -> Result<Self, NotThatKind> {
        Self::try_from(i64::try_from(value)?).map_err(|_| NotThatKind::new("an integer of 32 bits", value))
    }
}

impl Element for u32 {
    fn into_value(self) -> Value {
        self.into()
    }

    fn from_value(value: &Value) -> Result<Self, NotThatKind> {
        Self::try_from(i64::try_from(value)?).map_err(|_| NotThatKind::new("an unsigned integer of 32 bits", value))
    }
}

/// Values have 64-bit signed integers: numbers beyond `i64::MAX` become it.
impl Element for u64 {
    fn into_value(self) -> Value {
        self.into()
    }

    fn from_value(value: &Value) -> Result<Self, NotThatKind> {
        value.try_into()
    }
}

impl Element for F64 {
    fn into_value(self) -> Value {
        self.into()
    }

    fn from_value(value: &Value) -> Result<Self, NotThatKind> {
        match value {
            Value::Float(float) => Ok(*float),
            other => Err(NotThatKind::new("a float", other)),
        }
    }
}

/// Text; atoms are read as text too.
impl Element for String {
    fn into_value(self) -> Value {
        self.into()
    }

    fn from_value(value: &Value) -> Result<Self, NotThatKind> {
        <&str>::try_from(value).map(str::to_owned)
    }
}

/// A list.
impl<T: Element> Element for Vec<T> {
    fn into_value(self) -> Value {
        Value::list(self.into_iter().map(T::into_value))
    }

    fn from_value(value: &Value) -> Result<Self, NotThatKind> {
        <&[Value]>::try_from(value)?.iter().map(T::from_value).collect()
    }
}

/// A tuple; so are those below.
impl<A: Element, B: Element> Element for (A, B) {
    fn into_value(self) -> Value {
        Value::tuple([self.0.into_value(), self.1.into_value()])
    }

    fn from_value(value: &Value) -> Result<Self, NotThatKind> {
        match value {
            Value::Tuple(items) if items.len() == 2 => Ok((A::from_value(&items[0])?, B::from_value(&items[1])?)),
            other => Err(NotThatKind::new("a tuple of two", other)),
        }
    }
}

impl<A: Element, B: Element, C: Element> Element for (A, B, C) {
    fn into_value(self) -> Value {
        Value::tuple([self.0.into_value(), self.1.into_value(), self.2.into_value()])
    }

    fn from_value(value: &Value) -> Result<Self, NotThatKind> {
        match value {
            Value::Tuple(items) if items.len() == 3 => {
                Ok((A::from_value(&items[0])?, B::from_value(&items[1])?, C::from_value(&items[2])?))
            }
            other => Err(NotThatKind::new("a tuple of three", other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip<T: Element + Clone + PartialEq + std::fmt::Debug>(element: T) {
        assert_eq!(T::from_value(&element.clone().into_value()), Ok(element));
    }

    #[test]
    fn elements_are_read_back_as_they_were() {
        round_trip(true);
        round_trip(-7i64);
        round_trip(7u64);
        round_trip((1i32, 2u32, "three".to_owned()));
        round_trip(vec![("a".to_owned(), vec![1i64]), ("b".to_owned(), vec![])]);
        round_trip(F64::new(1.5).expect("a number"));
    }

    #[test]
    fn a_value_of_another_shape_is_refused_by_name() {
        let refused = |error: NotThatKind| error.to_string();
        assert_eq!(
            <(i64, i64)>::from_value(&1i64.into_value()).map_err(refused),
            Err("expected a tuple of two, found an integer 1".to_owned())
        );
        assert!(i32::from_value(&i64::MAX.into_value()).is_err());
        assert!(u32::from_value(&(-1i64).into_value()).is_err());
    }
}
