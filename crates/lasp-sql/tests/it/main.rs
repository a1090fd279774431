//! Views against what SQL says: by example, by a naive evaluation of random queries, and what is refused.

mod examples;
mod oracle;
mod plans;
mod properties;
mod refusals;
mod support;
