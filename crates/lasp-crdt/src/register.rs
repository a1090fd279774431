//! Replicated single values: by maximum, once true, once set, last written.

pub mod boolean;
pub mod ivar;
pub mod lww;
pub mod max;

pub use boolean::Boolean;
pub use ivar::{AlreadySet, IVar, Reading};
pub use lww::{LwwRegister, Stamp};
pub use max::MaxRegister;
