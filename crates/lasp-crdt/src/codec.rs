//! The compact binary encoding of lattices, and a reader that trusts nothing.
//!
//! Integers are LEB128 varints (7 bits a byte, least significant first, shortest form only); signed ones are
//! zigzagged. Replica ids go through a [`ReplicaCoder`], so that a link which has told its peer an id once may
//! write one byte instead of eight. Encodings are canonical: collections are strictly ascending and no zero
//! or empty part is written, so a state has one encoding and the decoder refuses every other.
//!
//! Why not a serialization library: an id's form depends on what the link has agreed on, which positional serde
//! formats cannot express without hidden state.

mod numbers;

pub use numbers::Numbers;

use crate::dot::{Dot, ReplicaId};
use smallvec::SmallVec;
use std::sync::Arc;
use thiserror::Error;

/// Why bytes were refused. Nothing was changed by the attempt.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The input ended inside a value.
    #[error("input ends at byte {at} inside {what}")]
    UnexpectedEnd {
        /// What was being read.
        what: &'static str,
        /// Offset of the end.
        at: usize,
    },
    /// A number has more than 64 bits, or is not in its shortest form.
    #[error("number at byte {at} is malformed")]
    BadVarint {
        /// Offset of its first byte.
        at: usize,
    },
    /// A length or count exceeds what the remaining input could hold, or a limit.
    #[error("{what} of {len} at byte {at} exceeds the input")]
    TooLong {
        /// What was being counted.
        what: &'static str,
        /// The claimed length.
        len: u64,
        /// Offset.
        at: usize,
    },
    /// An enum tag that this version does not know.
    #[error("unknown {what} tag {tag} at byte {at}")]
    BadTag {
        /// What was being read.
        what: &'static str,
        /// The tag.
        tag: u64,
        /// Offset.
        at: usize,
    },
    /// Well-formed pieces that no encoder writes: out of order, repeated, empty or contradictory.
    #[error("{what} at byte {at} is not canonical")]
    NotCanonical {
        /// What was being read.
        what: &'static str,
        /// Offset.
        at: usize,
    },
    /// Text that is not UTF-8.
    #[error("text at byte {at} is not UTF-8")]
    BadUtf8 {
        /// Offset.
        at: usize,
    },
    /// Values nested deeper than [`MAX_DEPTH`].
    #[error("value nested deeper than {MAX_DEPTH} at byte {at}")]
    TooDeep {
        /// Offset.
        at: usize,
    },
    /// A short reference that this link has not defined.
    #[error("reference {index} at byte {at} was never defined")]
    UnknownReference {
        /// The reference.
        index: u64,
        /// Offset.
        at: usize,
    },
    /// Bytes left over after the last value.
    #[error("{extra} bytes too many at byte {at}")]
    Trailing {
        /// How many.
        extra: usize,
        /// Offset of the first.
        at: usize,
    },
}

/// How deeply values may nest.
pub const MAX_DEPTH: usize = 64;

/// A value with a canonical encoding.
pub trait Encode {
    /// Appends the encoding.
    fn encode(&self, w: &mut Writer<'_>);
}

/// A value that can be read back from untrusted bytes.
pub trait Decode: Sized {
    /// Reads one value.
    ///
    /// # Errors
    /// [`DecodeError`] on anything that [`Encode`] would not have written; memory use stays proportional to the
    /// input.
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

/// How one link writes and reads replica ids and symbols (strings that recur, such as variable names).
pub trait ReplicaCoder {
    /// Appends the form of `id` that the peer can resolve.
    fn write(&mut self, id: ReplicaId, out: &mut Vec<u8>);
    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// [`DecodeError`] where the bytes name no id.
    fn read(&mut self, bytes: &mut Bytes<'_>) -> Result<ReplicaId, DecodeError>;

    /// Appends the form of ids that ascend strictly; their number, `len`, is told otherwise. By default one after the
    /// other.
    fn write_all(&mut self, _len: usize, ids: &mut dyn Iterator<Item = ReplicaId>, out: &mut Vec<u8>) {
        for id in ids {
            self.write(id, out);
        }
    }

    /// Reads `len` ids that [`write_all`](Self::write_all) wrote. Needs memory for `len` ids: the caller knows that the
    /// input can hold what follows for each.
    ///
    /// # Errors
    /// [`DecodeError`] where the bytes name no ids that ascend strictly.
    fn read_all(&mut self, len: usize, bytes: &mut Bytes<'_>) -> Result<Replicas, DecodeError> {
        let mut ids = Replicas::new();
        for _ in 0..len {
            let at = bytes.at();
            let id = self.read(bytes)?;
            if ids.last().is_some_and(|&last| last >= id) {
                return Err(DecodeError::NotCanonical { what: "replicas", at });
            }
            ids.push(id);
        }
        Ok(ids)
    }

    /// Appends the form of `symbol` that the peer can resolve; by default its bytes behind their length.
    fn write_symbol(&mut self, symbol: &Arc<[u8]>, out: &mut Vec<u8>) {
        write_varint(out, symbol.len() as u64);
        out.extend_from_slice(symbol);
    }

    /// Reads what [`write_symbol`](Self::write_symbol) wrote.
    ///
    /// # Errors
    /// [`DecodeError`] where the bytes name no symbol.
    fn read_symbol(&mut self, bytes: &mut Bytes<'_>) -> Result<Arc<[u8]>, DecodeError> {
        let len = bytes.len("symbol")?;
        bytes.take(len, "symbol").map(Arc::from)
    }
}

/// Several replica ids.
pub type Replicas = SmallVec<[ReplicaId; 4]>;

/// Replica ids as varints, context-free: for storage and tests. Ascending ones are written as stretches of ids that
/// follow one another: per stretch `gap << 1 | longer` (up to 65 bits), where `gap` counts the ids between it and the last
/// stretch beyond the one that must, and, where it is longer than one id, its length less two.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl ReplicaCoder for Plain {
    fn write(&mut self, id: ReplicaId, out: &mut Vec<u8>) {
        write_varint(out, id.0);
    }

    fn read(&mut self, bytes: &mut Bytes<'_>) -> Result<ReplicaId, DecodeError> {
        bytes.varint("replica id").map(ReplicaId)
    }

    fn write_all(&mut self, _len: usize, ids: &mut dyn Iterator<Item = ReplicaId>, out: &mut Vec<u8>) {
        let mut ids = ids.map(|id| id.0).peekable();
        let mut next = 0u64;
        while let Some(first) = ids.next() {
            let mut last = first;
            while let Some(id) = ids.next_if(|&id| id == last.wrapping_add(1)) {
                last = id;
            }
            let longer = last > first;
            write_wide(out, u128::from(first - next) << 1 | u128::from(longer));
            if longer {
                write_varint(out, last - first - 1);
            }
            next = last.wrapping_add(2);
        }
    }

    fn read_all(&mut self, len: usize, bytes: &mut Bytes<'_>) -> Result<Replicas, DecodeError> {
        let mut ids = Replicas::new();
        let mut next = Some(0u64);
        while ids.len() < len {
            let bad = DecodeError::NotCanonical { what: "replicas", at: bytes.at() };
            let head = bytes.wide("replicas")?;
            let more = if head & 1 == 1 { bytes.varint("replicas")?.checked_add(1) } else { Some(0) };
            let first = next.and_then(|next| next.checked_add(u64::try_from(head >> 1).ok()?));
            let last = first.zip(more).and_then(|(first, more)| first.checked_add(more));
            let room = (len - ids.len() - 1) as u64;
            let (Some(first), Some(last)) = (first, last.filter(|_| more.is_some_and(|more| more <= room))) else {
                return Err(bad);
            };
            ids.extend((first..=last).map(ReplicaId));
            next = last.checked_add(2);
        }
        Ok(ids)
    }
}

/// Encodes `value` with [`Plain`] replica ids.
pub fn to_bytes<T: Encode + ?Sized>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    value.encode(&mut Writer::new(&mut out, &mut Plain));
    out
}

/// Decodes a whole input with [`Plain`] replica ids.
///
/// # Errors
/// [`DecodeError`], also when bytes are left over.
pub fn from_bytes<T: Decode>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut coder = Plain;
    let mut r = Reader::new(bytes, &mut coder);
    let value = T::decode(&mut r)?;
    r.finish()?;
    Ok(value)
}

/// Appends encodings to a buffer.
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    replicas: &'a mut dyn ReplicaCoder,
}

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("len", &self.out.len()).finish()
    }
}

impl<'a> Writer<'a> {
    /// Writes to `out`, ids in the form of `replicas`.
    pub fn new(out: &'a mut Vec<u8>, replicas: &'a mut dyn ReplicaCoder) -> Self {
        Self { out, replicas }
    }

    /// How many bytes the buffer holds.
    pub fn position(&self) -> usize {
        self.out.len()
    }

    /// One byte.
    pub fn u8(&mut self, byte: u8) {
        self.out.push(byte);
    }

    /// An unsigned varint.
    pub fn varint(&mut self, value: u64) {
        write_varint(self.out, value);
    }

    /// A signed, zigzagged varint.
    pub fn signed(&mut self, value: i64) {
        self.varint(((value << 1) ^ (value >> 63)) as u64);
    }

    /// A length or count.
    pub fn len(&mut self, len: usize) {
        self.varint(len as u64);
    }

    /// Eight little-endian bytes.
    pub fn fixed_u64(&mut self, value: u64) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    /// Bytes behind their length.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.len(bytes.len());
        self.out.extend_from_slice(bytes);
    }

    /// Text behind its length in bytes.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// A replica id, in the link's form.
    pub fn replica(&mut self, id: ReplicaId) {
        self.replicas.write(id, self.out);
    }

    /// A column of `len` replica ids that ascend strictly, in the link's form; `len` itself is not written.
    pub fn replicas(&mut self, len: usize, ids: &mut dyn Iterator<Item = ReplicaId>) {
        self.replicas.write_all(len, ids, self.out);
    }

    /// A recurring string, in the link's form.
    pub fn symbol(&mut self, symbol: &Arc<[u8]>) {
        self.replicas.write_symbol(symbol, self.out);
    }

    /// A dot: replica, counter.
    pub fn dot(&mut self, dot: Dot) {
        self.replica(dot.replica);
        self.varint(dot.counter);
    }
}

/// Appends an unsigned varint to a buffer.
#[inline]
pub fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// As [`write_varint`], for up to 70 bits.
fn write_wide(out: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A cursor over raw bytes.
#[derive(Clone, Debug)]
pub struct Bytes<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    /// Starts at the first byte.
    pub fn new(input: &'a [u8]) -> Self {
        Self { input, at: 0 }
    }

    /// Offset of the next byte.
    pub fn at(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.input.len() - self.at
    }

    /// Takes `n` bytes.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        if n > self.remaining() {
            return Err(DecodeError::UnexpectedEnd { what, at: self.input.len() });
        }
        let taken = &self.input[self.at..self.at + n];
        self.at += n;
        Ok(taken)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        self.take(1, what).map(|b| b[0])
    }

    /// Eight little-endian bytes.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn fixed_u64(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        let mut word = [0; 8];
        word.copy_from_slice(self.take(8, what)?);
        Ok(u64::from_le_bytes(word))
    }

    /// An unsigned varint in its shortest form.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`], [`DecodeError::BadVarint`].
    pub fn varint(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        let start = self.at;
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8(what)?;
            let bits = u64::from(byte & 0x7f);
            let overflows = shift == 63 && bits > 1;
            let padded = byte == 0 && shift > 0;
            if overflows || padded {
                return Err(DecodeError::BadVarint { at: start });
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::BadVarint { at: start })
    }

    /// A number of up to 70 bits, as a varint in its shortest form.
    fn wide(&mut self, what: &'static str) -> Result<u128, DecodeError> {
        let start = self.at;
        let mut value = 0u128;
        for shift in (0..70).step_by(7) {
            let byte = self.u8(what)?;
            if byte == 0 && shift > 0 {
                break;
            }
            value |= u128::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::BadVarint { at: start })
    }

    /// A count of items that take at least one byte each, so that no allocation exceeds the input.
    ///
    /// # Errors
    /// [`DecodeError::TooLong`] where the rest of the input could not hold them.
    pub fn len(&mut self, what: &'static str) -> Result<usize, DecodeError> {
        let at = self.at;
        let len = self.varint(what)?;
        if len > self.remaining() as u64 {
            return Err(DecodeError::TooLong { what, len, at });
        }
        Ok(len as usize)
    }
}

/// Reads values from untrusted bytes.
pub struct Reader<'a> {
    bytes: Bytes<'a>,
    replicas: &'a mut dyn ReplicaCoder,
    depth: usize,
}

impl std::fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("at", &self.bytes.at).field("remaining", &self.bytes.remaining()).finish()
    }
}

impl<'a> Reader<'a> {
    /// Reads `input`, ids in the form of `replicas`.
    pub fn new(input: &'a [u8], replicas: &'a mut dyn ReplicaCoder) -> Self {
        Self { bytes: Bytes::new(input), replicas, depth: 0 }
    }

    /// Offset of the next byte.
    pub fn at(&self) -> usize {
        self.bytes.at
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    /// Insists that the input is used up.
    ///
    /// # Errors
    /// [`DecodeError::Trailing`].
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.remaining() {
            0 => Ok(()),
            extra => Err(DecodeError::Trailing { extra, at: self.at() }),
        }
    }

    /// One byte.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        self.bytes.u8(what)
    }

    /// An unsigned varint.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`], [`DecodeError::BadVarint`].
    pub fn varint(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        self.bytes.varint(what)
    }

    /// A signed, zigzagged varint.
    ///
    /// # Errors
    /// As [`varint`](Self::varint).
    pub fn signed(&mut self, what: &'static str) -> Result<i64, DecodeError> {
        let raw = self.varint(what)?;
        Ok((raw >> 1) as i64 ^ -((raw & 1) as i64))
    }

    /// Eight little-endian bytes.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn fixed_u64(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        self.bytes.fixed_u64(what)
    }

    /// A count of items that take at least one byte each, so that no allocation exceeds the input.
    ///
    /// # Errors
    /// [`DecodeError::TooLong`] where the rest of the input could not hold them.
    pub fn len(&mut self, what: &'static str) -> Result<usize, DecodeError> {
        self.bytes.len(what)
    }

    /// Bytes behind their length.
    ///
    /// # Errors
    /// As [`len`](Self::len).
    pub fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let len = self.len(what)?;
        self.bytes.take(len, what)
    }

    /// Text behind its length.
    ///
    /// # Errors
    /// As [`len`](Self::len), and [`DecodeError::BadUtf8`].
    pub fn text(&mut self, what: &'static str) -> Result<&'a str, DecodeError> {
        let at = self.at();
        std::str::from_utf8(self.bytes(what)?).map_err(|_| DecodeError::BadUtf8 { at })
    }

    /// A replica id in the link's form.
    ///
    /// # Errors
    /// Those of the link's [`ReplicaCoder`].
    pub fn replica(&mut self) -> Result<ReplicaId, DecodeError> {
        self.replicas.read(&mut self.bytes)
    }

    /// A column of `len` replica ids, strictly ascending, in the link's form. Needs memory for `len` ids.
    ///
    /// # Errors
    /// Those of the link's [`ReplicaCoder`], and [`DecodeError::TooLong`] where what follows for each of them, at least two
    /// bits, cannot be in the input.
    pub fn replicas(&mut self, len: usize) -> Result<Replicas, DecodeError> {
        if len / 4 > self.remaining() {
            return Err(DecodeError::TooLong { what: "replicas", len: len as u64, at: self.at() });
        }
        self.replicas.read_all(len, &mut self.bytes)
    }

    /// A recurring string in the link's form.
    ///
    /// # Errors
    /// Those of the link's [`ReplicaCoder`].
    pub fn symbol(&mut self) -> Result<Arc<[u8]>, DecodeError> {
        self.replicas.read_symbol(&mut self.bytes)
    }

    /// A dot.
    ///
    /// # Errors
    /// As [`replica`](Self::replica) and [`counter`](Self::counter).
    pub fn dot(&mut self) -> Result<Dot, DecodeError> {
        Ok(Dot::new(self.replica()?, self.counter()?))
    }

    /// A dot's counter, `1..=Dot::MAX_COUNTER`.
    ///
    /// # Errors
    /// [`DecodeError::NotCanonical`] for any other number.
    pub fn counter(&mut self) -> Result<u64, DecodeError> {
        let at = self.at();
        let counter = self.varint("dot counter")?;
        if (1..=Dot::MAX_COUNTER).contains(&counter) {
            return Ok(counter);
        }
        Err(DecodeError::NotCanonical { what: "dot counter", at })
    }

    /// [`DecodeError::NotCanonical`] at the next byte, to be returned if what follows turns out so.
    pub fn not_canonical(&self, what: &'static str) -> DecodeError {
        DecodeError::NotCanonical { what, at: self.at() }
    }

    /// Runs `read` one level deeper.
    ///
    /// # Errors
    /// [`DecodeError::TooDeep`] beyond [`MAX_DEPTH`], and those of `read`.
    pub fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, DecodeError>) -> Result<T, DecodeError> {
        if self.depth == MAX_DEPTH {
            return Err(DecodeError::TooDeep { at: self.at() });
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_varint(bytes: &[u8]) -> Result<u64, DecodeError> {
        Bytes::new(bytes).varint("test")
    }

    #[test]
    fn varints_round_trip_at_every_width() {
        for value in (0..64).flat_map(|bit| [(1u64 << bit) - 1, 1 << bit, (1 << bit) + 1]).chain([u64::MAX]) {
            let mut out = Vec::new();
            write_varint(&mut out, value);
            assert_eq!(read_varint(&out), Ok(value));
        }
    }

    #[test]
    fn padded_and_oversized_varints_are_refused() {
        assert_eq!(read_varint(&[0x80, 0x00]), Err(DecodeError::BadVarint { at: 0 }));
        assert_eq!(read_varint(&[0xff; 10]), Err(DecodeError::BadVarint { at: 0 }));
        assert_eq!(read_varint(&[0x80]), Err(DecodeError::UnexpectedEnd { what: "test", at: 1 }));
    }

    #[test]
    fn a_claimed_length_beyond_the_input_is_refused_before_allocating() {
        let mut coder = Plain;
        let bytes = [0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2];
        let mut r = Reader::new(&bytes, &mut coder);
        assert_eq!(r.len("items"), Err(DecodeError::TooLong { what: "items", len: 0xffff_ffff, at: 0 }));
    }

    #[test]
    fn signed_numbers_zigzag() {
        for value in [0, -1, 1, i64::MIN, i64::MAX, -64, 64] {
            let mut out = Vec::new();
            Writer::new(&mut out, &mut Plain).signed(value);
            assert_eq!(Reader::new(&out, &mut Plain).signed("test"), Ok(value));
        }
    }
}
