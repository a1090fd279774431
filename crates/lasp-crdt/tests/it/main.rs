//! Behaviour of the replicated types, seen from outside.
//!
//! `world` runs random histories on three replicas; `subjects` says what each type denotes; `laws` checks every type's
//! laws over states that such histories reach, and its value against what the operations denote; `faults` shows that the
//! laws can fail.

mod algebra;
mod causal;
mod codec;
mod compose;
mod concurrency;
mod context;
mod counted;
mod derived;
mod escrow;
mod faults;
mod golden;
mod graphs;
mod incarnations;
mod laws;
mod original;
mod primitive;
mod retirement;
mod sets;
mod subjects;
mod world;
