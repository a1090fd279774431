//! What the overlay looks like: one peer asks all, each says who its neighbours are.
//!
//! A survey is a flood with replies (the "propagation of information with feedback" of Segall, IEEE Trans. Inf. Theory 1983,
//! after Dalal and Metcalfe's reverse paths, CACM 1978): the question goes over every link once; whoever first hears it over a
//! link takes that link for the way back, passes the question on, and says its own part at once. On the way back parts that
//! come together travel together. Unlike with Segall nobody waits for those behind it, so a peer that died takes along what
//! it would have said, and no more; the asker is done when nothing new has come for a while.
//!
//! Nothing is said unless somebody asks, and nothing is remembered but the way back of recent surveys. What comes is what
//! peers say of themselves, passed on by others: good for looking at, not for deciding on.
//!
//! - [`machine`]: the state machine. [`message`]: what peers say. [`config`]: its knobs.

pub mod config;
pub mod machine;
pub mod message;

#[cfg(test)]
mod tests;

pub use config::Config;
pub use machine::{Command, Event, Survey, Timer};
pub use message::{Ask, MAX_PEERS, MAX_RECORDS, MAX_TEXT, Message, Neighbor, Record, SurveyId, limited};
