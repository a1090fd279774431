//! Views against what SQL says: by example, by a naive evaluation of random queries, on a graph that changes, and what is refused.

mod examples;
mod incremental;
mod oracle;
mod plans;
mod properties;
mod refusals;
mod support;
