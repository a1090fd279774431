//! What is said to Erlang's port mapper daemon, and what it answers.
//!
//! After "Protocol between EPMD and nodes" in *Erlang Distribution Protocol* (Erlang/OTP, ERTS user's guide). A request is its
//! length in two bytes, and then a byte that says which it is; numbers are big-endian. Answers have no length. Of those that end
//! with the connection, the end is part of the answer.
//!
//! Pure: bytes in, bytes out. Every decoder takes what has arrived so far and says what it means, that more must come, or that it
//! is nothing a daemon says. None keeps more than it was given.

use std::fmt;

/// Longest name that a daemon takes, in bytes.
pub const MAX_NAME: usize = 255;

/// Longest answer to [`names_request`] that is read, in bytes: names of some thousand nodes. A guess.
pub const MAX_NAMES: usize = 256 * 1024;

/// Longest answer to [`port_request`]: the fixed part, and the name and extra that it may carry.
pub const MAX_PORT_ANSWER: usize = 12 + 2 * 65_537;

/// A node that is not hidden from others (Erlang's `visible`): 77; hidden ones are 72.
const NORMAL: u8 = 77;
/// TCP over IPv4, the only protocol there is.
const TCP: u8 = 0;
/// The versions of Erlang's distribution protocol between nodes which are said to be spoken. A node here speaks none of them; these
/// are those of Erlang/OTP since release 23, so that the daemon gives a creation of four bytes.
const VERSIONS: [u16; 2] = [6, 5];

/// Bytes that no daemon sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// The answer is one to another request, or none.
    Tag(u8),
    /// The answer does not end where it should.
    TooLong,
    /// A part that should be text is not.
    Text,
    /// The answer ends too early.
    Truncated,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => write!(f, "its answer begins with {tag}, which answers something else"),
            Self::TooLong => f.write_str("its answer does not end"),
            Self::Text => f.write_str("its answer is not text"),
            Self::Truncated => f.write_str("its answer ends too early"),
        }
    }
}

impl std::error::Error for Malformed {}

/// How a decoder answers: nothing if more must come.
type Decoded<T> = Result<Option<T>, Malformed>;

/// A request: its length, and its bytes. What does not fit in a request fits in no name either.
fn request(tag: u8, body: &[u8]) -> Vec<u8> {
    let len = u16::try_from(body.len() + 1).unwrap_or(u16::MAX);
    let mut bytes = len.to_be_bytes().to_vec();
    bytes.push(tag);
    bytes.extend(&body[..usize::from(len) - 1]);
    bytes
}

fn name_of(name: &str) -> &str {
    &name[..name.floor_char_boundary(MAX_NAME)]
}

/// `ALIVE2_REQ`: registers a name with a port, for as long as the connection lasts.
pub fn alive_request(name: &str, port: u16) -> Vec<u8> {
    let name = name_of(name);
    let mut body = port.to_be_bytes().to_vec();
    body.extend([NORMAL, TCP]);
    VERSIONS.iter().for_each(|version| body.extend(version.to_be_bytes()));
    body.extend((name.len() as u16).to_be_bytes());
    body.extend(name.as_bytes());
    body.extend(0u16.to_be_bytes()); // no extra
    request(120, &body)
}

/// What a daemon says to a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alive {
    /// The node is registered; the number tells this registration from others of the name.
    Registered(u32),
    /// It is not; the result is not 0.
    Refused(u8),
}

/// Reads `ALIVE2_X_RESP`, which daemons since Erlang/OTP 23 send, or `ALIVE2_RESP`, that of older ones.
///
/// # Errors
/// [`Malformed`].
pub fn read_alive(bytes: &[u8]) -> Decoded<Alive> {
    let creation = match bytes {
        [] | [118 | 121] => return Ok(None),
        [118 | 121, result, ..] if *result != 0 => return Ok(Some(Alive::Refused(*result))),
        [118, _, a, b, c, d] => u32::from_be_bytes([*a, *b, *c, *d]),
        [121, _, a, b] => u16::from_be_bytes([*a, *b]).into(),
        [118, rest @ ..] if rest.len() < 5 => return Ok(None),
        [121, rest @ ..] if rest.len() < 3 => return Ok(None),
        [118 | 121, ..] => return Err(Malformed::TooLong),
        [tag, ..] => return Err(Malformed::Tag(*tag)),
    };
    Ok(Some(Alive::Registered(creation)))
}

/// `PORT_PLEASE2_REQ`: asks where a name listens.
pub fn port_request(name: &str) -> Vec<u8> {
    request(122, name_of(name).as_bytes())
}

/// Reads `PORT2_RESP`: the port, nothing if the name is not registered. `ended` tells that the daemon has hung up.
///
/// # Errors
/// [`Malformed`].
pub fn read_port(bytes: &[u8], ended: bool) -> Decoded<Option<u16>> {
    let more = if ended { Err(Malformed::Truncated) } else { Ok(None) };
    match bytes {
        [] | [119] => more,
        [119, 0, high, low, rest @ ..] => match read_tail(rest)? {
            true => Ok(Some(Some(u16::from_be_bytes([*high, *low])))),
            false => more,
        },
        [119, 0, ..] => more,
        [119, _] => Ok(Some(None)),
        [119, ..] => Err(Malformed::TooLong),
        [tag, ..] => Err(Malformed::Tag(*tag)),
    }
}

/// Whether the rest of a `PORT2_RESP` is all there: type, protocol, versions, name, extra.
fn read_tail(bytes: &[u8]) -> Result<bool, Malformed> {
    let Some((_, rest)) = bytes.split_at_checked(6) else { return Ok(false) };
    let Some(rest) = skip_counted(rest) else { return Ok(false) };
    match skip_counted(rest) {
        Some([]) => Ok(true),
        Some(_) => Err(Malformed::TooLong),
        None => Ok(false),
    }
}

/// What follows bytes that their length in two bytes precedes.
fn skip_counted(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.get(usize::from(u16::from_be_bytes(*length))..)
}

/// `NAMES_REQ`: asks for all names.
pub fn names_request() -> Vec<u8> {
    request(110, &[])
}

/// Reads `NAMES_RESP`, which ends with the connection: names and ports, in the daemon's order. Lines that say something else
/// are left out, as the daemon's documentation allows them.
///
/// # Errors
/// [`Malformed`].
pub fn read_names(bytes: &[u8], ended: bool) -> Decoded<Vec<(String, u16)>> {
    if !ended {
        return if bytes.len() > MAX_NAMES { Err(Malformed::TooLong) } else { Ok(None) };
    }
    let (_port, text) = bytes.split_first_chunk::<4>().ok_or(Malformed::Truncated)?;
    let text = std::str::from_utf8(text).map_err(|_| Malformed::Text)?;
    let line = |line: &str| {
        let (name, port) = line.strip_prefix("name ")?.rsplit_once(" at port ")?;
        let port = port.trim_end().parse().ok().filter(|port| *port > 0)?;
        (name.len() <= MAX_NAME).then(|| (name.to_owned(), port))
    };
    Ok(Some(text.lines().filter_map(line).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn requests_are_as_the_documentation_says() {
        let alive = [&[0, 18, 120, 16, 4, 77, 0, 0, 6, 0, 5, 0, 5][..], b"alice", &[0, 0]].concat();
        assert_eq!(alive_request("alice", 4100), alive);
        assert_eq!(port_request("bob"), [&[0, 4, 122][..], b"bob"].concat());
        assert_eq!(names_request(), [0, 1, 110]);
        assert_eq!(port_request(&"x".repeat(70_000)).len(), 3 + MAX_NAME);
    }

    #[test]
    fn a_registration_is_answered_in_four_bytes_or_in_two() {
        assert_eq!(read_alive(&[118, 0, 1, 2, 3, 4]), Ok(Some(Alive::Registered(0x0102_0304))));
        assert_eq!(read_alive(&[121, 0, 0, 3]), Ok(Some(Alive::Registered(3))));
        assert_eq!(read_alive(&[121, 1, 0, 0]), Ok(Some(Alive::Refused(1))));
        assert_eq!(read_alive(&[118, 1, 0, 0, 0, 0]), Ok(Some(Alive::Refused(1))));
        for part in [&[][..], &[118], &[121], &[118, 0, 1, 2, 3], &[121, 0, 0]] {
            assert_eq!(read_alive(part), Ok(None), "{part:?}");
        }
        assert_eq!(read_alive(&[119, 0]), Err(Malformed::Tag(119)));
        assert_eq!(read_alive(&[121, 0, 0, 3, 9]), Err(Malformed::TooLong));
    }

    #[test]
    fn a_port_is_told_with_what_else_there_is_to_know() {
        let answer = [&[119, 0, 16, 4, 77, 0, 0, 6, 0, 5, 0, 3][..], b"bob", &[0, 2, 7, 7]].concat();
        assert_eq!(read_port(&answer, false), Ok(Some(Some(4100))));
        assert_eq!(read_port(&[119, 1], true), Ok(Some(None)));
        for len in [0, 1, 2, 3, 5, 11, 14, 16, 18] {
            assert_eq!(read_port(&answer[..len], false), Ok(None), "{len}");
            assert_eq!(read_port(&answer[..len], true), Err(Malformed::Truncated), "{len}");
        }
        assert_eq!(read_port(&[&answer[..], &[1]].concat(), false), Err(Malformed::TooLong));
        assert_eq!(read_port(&[118], false), Err(Malformed::Tag(118)));
    }

    #[test]
    fn names_are_lines_and_others_are_left_out() {
        let text =
            b"\0\0\x11\x11name alice at port 4100\nsomething else\nname a at port b at port 7\nname c at port 0\n";
        let names = vec![("alice".to_owned(), 4100), ("a at port b".to_owned(), 7)];
        assert_eq!(read_names(text, true), Ok(Some(names)));
        assert_eq!(read_names(text, false), Ok(None));
        assert_eq!(read_names(b"\0\0\x11\x11", true), Ok(Some(Vec::new())));
        assert_eq!(read_names(b"\0\0\x11", true), Err(Malformed::Truncated));
        assert_eq!(read_names(b"\0\0\x11\x11\xff", true), Err(Malformed::Text));
        assert_eq!(read_names(&vec![b'x'; MAX_NAMES + 1], false), Err(Malformed::TooLong));
    }

    /// Bytes that are nearly an answer, or anything.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let begun = (prop::sample::select(vec![110u8, 118, 119, 120, 121]), prop::collection::vec(any::<u8>(), 0..40));
        let names = prop::collection::vec("(name [a-z]{1,4} at port [0-9]{1,6}\n)|.{0,9}\n", 0..4)
            .prop_map(|lines| [&[0, 0, 17, 17][..], lines.concat().as_bytes()].concat());
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            begun.prop_map(|(tag, rest)| [&[tag][..], &rest].concat()),
            names
        ]
    }

    proptest! {
        #[test]
        fn whatever_arrives_nothing_panics_and_an_answer_is_no_longer_than_what_came(bytes in bytes(), ended: bool) {
            let _ = read_alive(&bytes);
            let _ = read_port(&bytes, ended);
            if let Ok(Some(names)) = read_names(&bytes, ended) {
                prop_assert!(names.iter().map(|(name, _)| name.len()).sum::<usize>() <= bytes.len());
                prop_assert!(names.iter().all(|(_, port)| *port > 0));
            }
        }

        #[test]
        fn a_beginning_of_an_answer_means_that_more_must_come_or_what_the_whole_means(bytes in bytes()) {
            let (alive, port) = (read_alive(&bytes), read_port(&bytes, false));
            for part in (0..bytes.len()).map(|len| &bytes[..len]) {
                let of_part = (read_alive(part), read_port(part, false));
                prop_assert!(!matches!(alive, Ok(Some(_))) || of_part.0 == Ok(None) || of_part.0 == alive, "{:?}", part);
                prop_assert!(!matches!(port, Ok(Some(_))) || of_part.1 == Ok(None) || of_part.1 == port, "{:?}", part);
            }
        }

        #[test]
        fn an_answer_that_comes_in_pieces_means_the_same(port in 1u16.., name in "[a-z]{0,300}", extra in "[a-z]{0,9}") {
            let counted = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat();
            let head = [&[119, 0][..], &port.to_be_bytes(), &[77, 0, 0, 6, 0, 5]].concat();
            let answer = [head, counted(&name), counted(&extra)].concat();
            for len in 0..answer.len() {
                prop_assert_eq!(read_port(&answer[..len], false), Ok(None));
            }
            prop_assert_eq!(read_port(&answer, false), Ok(Some(Some(port))));
        }
    }
}
