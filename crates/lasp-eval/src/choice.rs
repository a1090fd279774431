//! Closed choices that have a name in flags, files and reports: one list per choice, checked everywhere alike.

/// A name that is not one of a choice's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a {what}; choose one of: {names}")]
pub struct ChoiceError {
    /// What was to be chosen.
    pub what: &'static str,
    /// What was written.
    pub given: String,
    /// The names there are.
    pub names: String,
}

/// Declares an enum whose variants have names: `ALL`, `name`, `Display`, `FromStr`, serde by name.
macro_rules! choice {
    ($(#[$meta:meta])* pub enum $type:ident ($what:literal) { $($(#[$doc:meta])* $variant:ident = $name:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $type { $($(#[$doc])* $variant,)+ }

        impl $type {
            /// Every choice, in the order in which help texts show them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Every name, in the same order.
            pub const NAMES: &'static [&'static str] = &[$($name,)+];

            /// The name in flags, files and reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::choice::ChoiceError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|choice| choice.name() == text).ok_or_else(|| {
                    $crate::choice::ChoiceError {
                        what: $what,
                        given: text.to_owned(),
                        names: Self::NAMES.join(", "),
                    }
                })
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use choice;
