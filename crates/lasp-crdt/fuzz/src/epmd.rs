//! Answers of a port mapper daemon that may be anything: what `lasp::epmd::wire` reads them as.
//!
//! An input is a byte that says which answer is expected and whether the connection has ended, and what has arrived. Nothing may
//! panic, nothing is more than it was made of, and what arrives in pieces means what it means as a whole.

use crate::seeds::Seeds;
use wire::{MAX_NAME, read_alive, read_names, read_port};

/// The decoder alone, without the crate that it is a part of: it needs nothing of it.
#[path = "../../../lasp/src/epmd/wire.rs"]
#[allow(dead_code, unreachable_pub, reason = "it asks, too")]
mod wire;

/// Reads the bytes as the answer that the first of them names; `false` if they are none.
///
/// # Panics
/// If something does not hold.
pub fn run(bytes: &[u8]) -> bool {
    let Some((&which, rest)) = bytes.split_first() else { return false };
    let ended = which & 4 != 0;
    match which & 3 {
        0 => whole(rest, read_alive(rest), read_alive),
        1 => whole(rest, read_port(rest, ended), |part| read_port(part, false)),
        _ => names(rest, ended),
    }
}

/// Every beginning of an answer means that more must come, or what the whole means: a refusal is one before its end.
fn whole<T: PartialEq + std::fmt::Debug>(
    bytes: &[u8],
    read: Result<Option<T>, wire::Malformed>,
    read_part: impl Fn(&[u8]) -> Result<Option<T>, wire::Malformed>,
) -> bool {
    if !matches!(read, Ok(Some(_))) {
        return false;
    }
    for len in 0..bytes.len() {
        let part = read_part(&bytes[..len]);
        assert!(part == Ok(None) || part == read, "{len} of {bytes:?}: {part:?}");
    }
    true
}

fn names(bytes: &[u8], ended: bool) -> bool {
    let Ok(Some(names)) = read_names(bytes, ended) else { return false };
    assert!(ended, "names end with the connection");
    let held: usize = names.iter().map(|(name, _)| name.len()).sum();
    assert!(held <= bytes.len(), "{held} bytes of names from {}", bytes.len());
    assert!(names.iter().all(|(name, port)| name.len() <= MAX_NAME && *port > 0), "{names:?}");
    true
}

/// One answer of each kind, as the daemon's documentation has them, and refusals.
pub fn seeds() -> Seeds {
    let port = [&[1, 119, 0, 16, 4, 77, 0, 0, 6, 0, 5, 0, 3][..], b"bob", &[0, 2, 7, 7]].concat();
    let names = [&[6, 0, 0, 17, 17][..], b"name alice at port 4100\nname bob at port 7\n"].concat();
    vec![
        vec![0, 118, 0, 1, 2, 3, 4],
        vec![0, 121, 0, 0, 3],
        vec![0, 121, 1, 0, 0],
        port,
        vec![5, 119, 1],
        names,
        vec![6, 0, 0, 17, 17],
    ]
}
