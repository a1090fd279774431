//! The `lasp` command.
fn main() {}
