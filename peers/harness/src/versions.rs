//! The versions of the measured libraries, as the lock file has them.

const LOCK: &str = include_str!("../../Cargo.lock");

/// The version of a locked crate; nothing for other names.
pub fn of(name: &str) -> Option<&'static str> {
    let entry = format!("name = \"{name}\"\nversion = \"");
    Some(LOCK.split_once(&entry)?.1.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_manifest() {
        assert_eq!(["automerge", "crdts", "lattices", "yrs"].map(of), ["0.12.0", "7.3.2", "0.6.1", "0.28.1"].map(Some));
        assert_eq!(of("no-such-crate"), None);
    }
}
