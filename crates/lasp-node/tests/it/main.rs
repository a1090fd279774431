//! Whole nodes over a simulated network: what they hear, how they compare, what they refuse.

mod assured;
mod causal;
mod compare;
mod drift;
mod exchange;
mod hostile;
mod interest;
mod letters;
mod load;
mod once;
mod original;
mod paced;
mod programs;
mod redundancy;
mod requests;
mod rig;
mod routes;
mod session;
mod slow;
mod survey;
