//! `difference`: the members of the first input that the second does not have. An addition there takes one away here, so this
//! is monotone in what is known of the inputs (who added and removed what), and not in their values.

pub(crate) const fn holds(left: i64, right: i64) -> bool {
    left > 0 && right <= 0
}
