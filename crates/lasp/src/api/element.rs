//! Rust types as elements of sets, keys of maps and contents of registers.

use lasp_dataflow::{ToValueError, Value, to_value};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A type whose values can be replicated: every type that is both `Serialize` and `DeserializeOwned`. How its values look
/// to programs in the language, and what a type must keep to, is told at [`to_value`](crate::to_value). In short: structs
/// are maps by field names, equal values must serialize alike (a `BTreeSet`, not a `HashSet`), and floats must be numbers.
///
/// ```
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Ad {
///     id: u64,
///     text: String,
/// }
///
/// # async fn example(lasp: lasp::Lasp) -> Result<(), lasp::Error> {
/// let ads = lasp.set::<Ad>("ads").await?;
/// ads.add(Ad { id: 1, text: "shoes".to_owned() }).await?;
/// # Ok(()) }
/// ```
pub trait Element: Serialize + DeserializeOwned + 'static {}

impl<T: Serialize + DeserializeOwned + 'static> Element for T {}

/// What can be given where an element is wanted: the element itself, a reference to it, or a borrowed text for an owned
/// one.
pub trait AsElement<T> {
    /// As a value.
    ///
    /// # Errors
    /// [`ToValueError`] where it has none.
    fn into_element(self) -> Result<Value, ToValueError>;
}

impl<T: Element> AsElement<T> for T {
    fn into_element(self) -> Result<Value, ToValueError> {
        to_value(&self)
    }
}

impl<T: Element> AsElement<T> for &T {
    fn into_element(self) -> Result<Value, ToValueError> {
        to_value(self)
    }
}

impl AsElement<String> for &str {
    fn into_element(self) -> Result<Value, ToValueError> {
        Ok(self.into())
    }
}
