//! Replicated single values: by maximum or minimum, once true, once set, last written; and results
//! with what they were computed from.

pub mod boolean;
pub mod clock;
pub mod ivar;
pub mod lww;
pub mod max;
pub mod min;
pub mod multi_value;
pub mod summary;

pub use boolean::Boolean;
pub use clock::{ClockDrift, HybridClock, MAX_DRIFT_MS, Timestamp};
pub use ivar::{AlreadySet, IVar, Reading};
pub use lww::{LwwDigest, LwwRegister, Stamp};
pub use max::MaxRegister;
pub use min::MinRegister;
pub use multi_value::{MvRegister, Values};
pub use summary::{Basis, Count, Extent, Summary};
