//! `intersection`: the members that both inputs have.

pub(crate) const fn holds(left: i64, right: i64) -> bool {
    left > 0 && right > 0
}
