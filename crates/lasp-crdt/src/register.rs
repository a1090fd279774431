//! Replicated single values: by maximum, once true, once set, last written.

pub mod boolean;
pub mod ivar;
pub mod lww;
pub mod max;
pub mod multi_value;

pub use boolean::Boolean;
pub use ivar::{AlreadySet, IVar, Reading};
pub use lww::{LwwRegister, Stamp};
pub use max::MaxRegister;
pub use multi_value::{MvRegister, Values};
