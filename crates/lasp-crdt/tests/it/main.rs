//! Behaviour of the replicated types, seen from outside.
//!
//! `world` runs random histories on three replicas; `subjects` says what each type denotes; `laws` checks every type's
//! laws over states that such histories reach, and its value against what the operations denote; `faults` shows that the
//! laws can fail.

mod codec;
mod concurrency;
mod context;
mod derived;
mod faults;
mod laws;
mod sets;
mod subjects;
mod world;
