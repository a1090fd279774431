//! Settings that cannot be kept together, as an error.

use std::fmt::{self, Display};

/// A setting that contradicts another, or that nothing could satisfy. Nothing was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    setting: &'static str,
    value: String,
    demand: String,
}

impl Contradiction {
    /// The setting at fault.
    pub const fn setting(&self) -> &'static str {
        self.setting
    }

    /// The same with settings under the names that the user knows them by.
    #[must_use]
    pub fn renamed(mut self, names: &[(&'static str, &'static str)]) -> Self {
        for (ours, theirs) in names {
            if self.setting == *ours {
                self.setting = theirs;
            }
            self.demand = self.demand.replace(&format!("`{ours}`"), &format!("`{theirs}`"));
        }
        self
    }
}

impl Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, value, demand } = self;
        write!(f, "`{setting}` is {value}, but must be {demand}")
    }
}

impl std::error::Error for Contradiction {}

/// Refuses a setting that is not as demanded.
pub(super) fn demand(
    met: bool,
    setting: &'static str,
    value: impl Display,
    demand: impl Display,
) -> Result<(), Contradiction> {
    if met { Ok(()) } else { Err(Contradiction { setting, value: value.to_string(), demand: demand.to_string() }) }
}
