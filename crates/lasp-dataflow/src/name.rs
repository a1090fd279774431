//! Names of variables and the handles that stand for them inside one graph.

use lasp_crdt::fingerprint::StableHasher;
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use std::borrow::Borrow;
use std::fmt;
use std::hash::Hasher;
use std::sync::Arc;
use thiserror::Error;

/// The longest name, in bytes.
pub const MAX_NAME_BYTES: usize = 255;

/// A variable's name, the same on every node: 1 to [`MAX_NAME_BYTES`] bytes of text, by convention a path such as `ads/42`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// A text that cannot name a variable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a variable's name has 1 to {MAX_NAME_BYTES} bytes, this one has {bytes}")]
pub struct NameError {
    /// The text's length.
    pub bytes: usize,
}

impl Name {
    /// Takes a text as a name.
    ///
    /// # Errors
    /// [`NameError`] where it is empty or too long.
    pub fn new(text: impl Into<Arc<str>>) -> Result<Self, NameError> {
        let text = text.into();
        match text.len() {
            1..=MAX_NAME_BYTES => Ok(Self(text)),
            bytes => Err(NameError { bytes }),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A hash that is the same on every node and in every release.
    pub fn stable_hash(&self) -> u64 {
        let mut hasher = StableHasher::default();
        hasher.write(self.0.as_bytes());
        hasher.finish()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Name {
    type Error = NameError;

    fn try_from(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl Encode for Name {
    fn encode(&self, w: &mut Writer<'_>) {
        w.text(&self.0);
    }
}

impl Decode for Name {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        Self::new(r.text("name")?).map_err(|_| DecodeError::NotCanonical { what: "name", at })
    }
}

/// A variable of one [`Graph`](crate::Graph): dense, cheap to copy, meaningless elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VarId(pub(crate) u32);

impl VarId {
    /// The index behind the handle, for tables kept beside a graph.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for VarId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::codec::{from_bytes, to_bytes};

    #[test]
    fn names_have_1_to_255_bytes() {
        assert_eq!(Name::new(""), Err(NameError { bytes: 0 }));
        assert!(Name::new("x".repeat(255)).is_ok());
        assert_eq!(Name::new("x".repeat(256)), Err(NameError { bytes: 256 }));
    }

    #[test]
    fn an_empty_name_on_the_wire_is_refused() {
        assert!(from_bytes::<Name>(&[0]).is_err());
        let name = Name::new("ads/42").expect("fits");
        assert_eq!(from_bytes::<Name>(&to_bytes(&name)), Ok(name));
    }
}
