//! The byte stream of one connection: a preface, then packets.
//!
//! ```text
//! stream  = "LASP" packet*
//! packet  = varint(len > 0) byte{len}              a frame: one message of the node
//!         | 0x00 kind varint(len) byte{len}        control: handshake and probes of the transport
//! ```
//!
//! A frame costs one byte more than its content up to 127 bytes, two up to 16 KiB. Lengths are checked before
//! anything is allocated. Nothing here knows what a frame means.

use lasp_crdt::codec::write_varint;
use thiserror::Error;

/// The first bytes in each direction.
pub const PREFACE: [u8; 4] = *b"LASP";

/// Longest control packet in bytes: a handshake with the longest names fits (a guess with slack).
pub const MAX_CONTROL: usize = 2048;

/// What the transport says on its own behalf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Dialler's first packet: who it is and whom it expects.
    Hello = 1,
    /// Listener's consent: who it is.
    Welcome = 2,
    /// Listener's or dialler's refusal, with a reason; the connection closes.
    Refuse = 3,
    /// Dialler's consent: the link is up.
    Ready = 4,
    /// Asks whether the connection still lives.
    Ping = 5,
    /// It does.
    Pong = 6,
    /// First packet of a client: see [`control`](crate::control).
    Client = 7,
    /// The node's consent to serve a client.
    Serve = 8,
}

impl Kind {
    const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Hello,
            2 => Self::Welcome,
            3 => Self::Refuse,
            4 => Self::Ready,
            5 => Self::Ping,
            6 => Self::Pong,
            7 => Self::Client,
            8 => Self::Serve,
            _ => return None,
        })
    }
}

/// One packet of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<M> {
    /// A message of the node.
    Frame(M),
    /// A message of the transport.
    Control(Kind, Vec<u8>),
}

/// Why a stream was given up. The connection is closed; nothing else is affected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FramingError {
    /// The stream does not begin with the preface.
    #[error("the stream begins with {0:02x?}, not with the preface of Lasp")]
    NotLasp(Vec<u8>),
    /// A length that is not a varint in its shortest form.
    #[error("malformed length prefix")]
    BadLength,
    /// A frame beyond the limit.
    #[error("frame of {len} bytes; the limit is {limit}")]
    TooLarge {
        /// Its claimed length.
        len: u64,
        /// The limit.
        limit: usize,
    },
    /// A control packet of unknown kind.
    #[error("unknown control packet {0}")]
    UnknownControl(u8),
}

/// Appends a frame; `message` must not be empty.
pub fn write_frame(out: &mut Vec<u8>, message: &[u8]) {
    debug_assert!(!message.is_empty(), "an empty frame would read as control");
    write_varint(out, message.len() as u64);
    out.extend_from_slice(message);
}

/// Appends a control packet.
pub fn write_control(out: &mut Vec<u8>, kind: Kind, body: &[u8]) {
    out.extend_from_slice(&[0, kind as u8]);
    write_varint(out, body.len() as u64);
    out.extend_from_slice(body);
}

/// Cuts a stream into packets. Holds at most one incomplete packet and what arrived with it.
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    start: usize,
    prefaced: bool,
    max_frame: usize,
}

impl Decoder {
    /// A decoder at the first byte of a stream.
    pub const fn new(max_frame: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, prefaced: false, max_frame }
    }

    /// Where received bytes go: append to it.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        &mut self.buffer
    }

    /// The next packet, if it is complete. Gives memory back when all is consumed.
    ///
    /// # Errors
    /// [`FramingError`]: the stream is beyond repair.
    pub fn next_packet<M: for<'a> From<&'a [u8]>>(&mut self) -> Result<Option<Packet<M>>, FramingError> {
        if !self.prefaced && !self.take_preface()? {
            return Ok(None);
        }
        let Some((packet, consumed)) = self.parse()? else { return Ok(None) };
        self.start += consumed;
        self.release_if_empty();
        Ok(Some(packet))
    }

    /// Takes frames up to this size from now on.
    pub const fn set_max_frame(&mut self, bytes: usize) {
        self.max_frame = bytes;
    }

    /// Gives the buffer's memory back if it holds nothing.
    pub fn release_if_empty(&mut self) {
        if self.start == self.buffer.len() {
            self.buffer = Vec::new();
            self.start = 0;
        }
    }

    /// Whether the stream stands between two packets.
    pub fn is_at_boundary(&self) -> bool {
        self.start == self.buffer.len()
    }

    fn take_preface(&mut self) -> Result<bool, FramingError> {
        let have = self.buffer.len().min(PREFACE.len());
        if self.buffer[..have] != PREFACE[..have] {
            return Err(FramingError::NotLasp(self.buffer[..self.buffer.len().min(16)].to_vec()));
        }
        self.prefaced = have == PREFACE.len();
        self.start = if self.prefaced { have } else { 0 };
        Ok(self.prefaced)
    }

    fn parse<M: for<'a> From<&'a [u8]>>(&self) -> Result<Option<(Packet<M>, usize)>, FramingError> {
        let input = &self.buffer[self.start..];
        match *input {
            [0, kind, ref rest @ ..] => parse_control(kind, rest),
            [] | [0] => Ok(None),
            _ => {
                let Some((body, end)) = parse_body(input, self.max_frame)? else { return Ok(None) };
                Ok(Some((Packet::Frame(M::from(body)), end)))
            }
        }
    }
}

fn parse_control<M>(kind: u8, rest: &[u8]) -> Result<Option<(Packet<M>, usize)>, FramingError> {
    let kind = Kind::from_byte(kind).ok_or(FramingError::UnknownControl(kind))?;
    let Some((body, end)) = parse_body(rest, MAX_CONTROL)? else { return Ok(None) };
    Ok(Some((Packet::Control(kind, body.to_vec()), 2 + end)))
}

/// A length and as many bytes, and where they end; `None` if the input stops before.
fn parse_body(input: &[u8], limit: usize) -> Result<Option<(&[u8], usize)>, FramingError> {
    let Some((len, prefix)) = parse_length(input)? else { return Ok(None) };
    if len > limit as u64 {
        return Err(FramingError::TooLarge { len, limit });
    }
    let end = prefix + len as usize;
    Ok(input.get(prefix..end).map(|body| (body, end)))
}

/// A length of at most five bytes, so that a flood of continuation bytes is refused at once.
fn parse_length(input: &[u8]) -> Result<Option<(u64, usize)>, FramingError> {
    let mut value = 0u64;
    for (index, &byte) in input.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            let padded = byte == 0 && index > 0;
            return if padded { Err(FramingError::BadLength) } else { Ok(Some((value, index + 1))) };
        }
    }
    if input.len() >= 5 { Err(FramingError::BadLength) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Bytes = Vec<u8>;

    fn written(packets: &[Packet<Bytes>]) -> Vec<u8> {
        let mut out = PREFACE.to_vec();
        for packet in packets {
            match packet {
                Packet::Frame(bytes) => write_frame(&mut out, bytes),
                Packet::Control(kind, body) => write_control(&mut out, *kind, body),
            }
        }
        out
    }

    fn drain(decoder: &mut Decoder) -> Result<Vec<Packet<Bytes>>, FramingError> {
        let mut packets = Vec::new();
        while let Some(packet) = decoder.next_packet()? {
            packets.push(packet);
        }
        Ok(packets)
    }

    fn packet() -> impl Strategy<Value = Packet<Bytes>> {
        let kind = (1u8..=6).prop_map(|byte| Kind::from_byte(byte).expect("a known kind"));
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 1..400).prop_map(Packet::Frame),
            (kind, proptest::collection::vec(any::<u8>(), 0..200)).prop_map(|(k, b)| Packet::Control(k, b)),
        ]
    }

    proptest! {
        #[test]
        fn any_cutting_of_a_stream_gives_the_same_packets(
            packets in proptest::collection::vec(packet(), 0..12),
            cuts in proptest::collection::vec(1usize..50, 1..20),
        ) {
            let stream = written(&packets);
            let mut decoder = Decoder::new(1024);
            let (mut got, mut rest, mut cuts) = (Vec::new(), &stream[..], cuts.iter().cycle());
            while !rest.is_empty() {
                let n = (*cuts.next().expect("a cycle")).min(rest.len());
                decoder.buffer().extend_from_slice(&rest[..n]);
                rest = &rest[n..];
                got.extend(drain(&mut decoder).expect("a well-formed stream"));
            }
            prop_assert_eq!(got, packets);
            prop_assert!(decoder.is_at_boundary());
        }

        #[test]
        fn random_bytes_never_panic_and_never_give_a_frame_beyond_the_limit(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let mut decoder = Decoder::new(64);
            decoder.buffer().extend_from_slice(&PREFACE);
            decoder.buffer().extend_from_slice(&bytes);
            if let Ok(packets) = drain(&mut decoder) {
                for packet in packets {
                    if let Packet::Frame(frame) = packet { prop_assert!(!frame.is_empty() && frame.len() <= 64); }
                }
            }
        }

        #[test]
        fn a_truncated_stream_gives_a_prefix_of_its_packets(packets in proptest::collection::vec(packet(), 1..8), keep in 0.0f64..1.0) {
            let stream = written(&packets);
            let kept = &stream[..(stream.len() as f64 * keep) as usize];
            let mut decoder = Decoder::new(1024);
            decoder.buffer().extend_from_slice(kept);
            let got = drain(&mut decoder).expect("so far it is well-formed");
            prop_assert_eq!(&got[..], &packets[..got.len()]);
        }
    }

    fn refused(bytes: &[u8]) -> FramingError {
        let mut decoder = Decoder::new(100);
        decoder.buffer().extend_from_slice(bytes);
        drain(&mut decoder).expect_err("refused")
    }

    #[test]
    fn a_stream_of_something_else_is_refused_at_its_first_bytes() {
        assert_eq!(refused(b"GET / HTTP/1.1\r\n\r\n"), FramingError::NotLasp(b"GET / HTTP/1.1\r\n".to_vec()));
        assert_eq!(refused(b"L!"), FramingError::NotLasp(b"L!".to_vec()));
    }

    #[test]
    fn a_frame_beyond_the_limit_is_refused_from_its_length_alone() {
        assert_eq!(refused(b"LASP\x65"), FramingError::TooLarge { len: 101, limit: 100 });
        assert_eq!(refused(b"LASP\xff\xff\xff\xff\x0f"), FramingError::TooLarge { len: 0xffff_ffff, limit: 100 });
    }

    #[test]
    fn malformed_lengths_and_unknown_controls_are_refused() {
        assert_eq!(refused(b"LASP\x80\x00"), FramingError::BadLength);
        assert_eq!(refused(b"LASP\xff\xff\xff\xff\xff"), FramingError::BadLength);
        assert_eq!(refused(b"LASP\x00\x63"), FramingError::UnknownControl(0x63));
        assert_eq!(refused(b"LASP\x00\x05\xff\x7f"), FramingError::TooLarge { len: 16_383, limit: MAX_CONTROL });
    }

    #[test]
    fn memory_is_given_back_when_all_is_consumed() {
        let mut decoder = Decoder::new(1 << 20);
        decoder.buffer().extend_from_slice(&written(&[Packet::Frame(vec![7; 300_000])]));
        assert_eq!(drain(&mut decoder).expect("well-formed").len(), 1);
        assert_eq!(decoder.buffer().capacity(), 0);
    }
}
