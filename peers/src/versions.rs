//! The versions of the measured libraries, as the lock file has them.

const LOCK: &str = include_str!("../Cargo.lock");

/// The locked version of a crate that is locked in one version.
pub(crate) fn of(name: &str) -> &'static str {
    let entry = format!("name = \"{name}\"\nversion = \"");
    let version = LOCK.split_once(&entry).and_then(|(_, rest)| rest.split_once('"'));
    version.map_or("?", |(version, _)| version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_manifest() {
        assert_eq!(["automerge", "crdts", "lattices", "yrs"].map(of), ["0.12.0", "7.3.2", "0.6.1", "0.28.1"]);
        assert_eq!(of("no-such-crate"), "?");
    }
}
