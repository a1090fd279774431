//! Sketches of sets of hashes: two of them tell in what their sets differ, at the cost of the difference.
//!
//! A rateless invertible Bloom lookup table (Yang, Gilad, Alizadeh, "Practical Rateless Set Reconciliation", SIGCOMM 2024).
//! Each hash goes into symbol 0 and into ever fewer of the later ones; a symbol holds the sum of what is in it. Of the
//! difference of two sketches, symbols with a single hash in them are read, taken out of the others, and so on: some
//! 1.4 to 1.7 symbols for each hash in which the sets differ suffice, however large the sets are. The first symbols of a
//! longer sketch are those of a shorter one.

use lasp_crdt::fingerprint::mix;
use lasp_crdt::{DecodeError, Reader, Writer};

/// Most symbols of a sketch. A guess: less than half a frame, some 7,000 differences.
pub(crate) const MOST: usize = 12 * 1024;

/// Bytes of a hash on the wire.
pub(crate) const HASH: usize = 6;

/// Bytes of a symbol: count, sum, check.
pub(crate) const SYMBOL: usize = 1 + HASH + 3;

/// A hash as sketches have it: 48 bits. Of 100,000 parts two are taken for one another once in 50,000 comparisons, and not
/// the next time, for which another salt goes into them.
pub(crate) const fn short(hash: u64) -> u64 {
    hash >> (64 - 8 * HASH)
}

/// Some hashes, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Symbol {
    /// How many, of which the last 8 bits; in a difference, how many more on the left.
    count: i8,
    /// Their exclusive or.
    sum: u64,
    /// The exclusive or of their checks, of 24 bits.
    check: u32,
}

/// In what two sets differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// What only the left one has.
    pub(crate) left: Vec<u64>,
    /// What only the right one has.
    pub(crate) right: Vec<u64>,
}

/// A sketch is too short to tell in what two sets differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooShort {
    /// In how many hashes they differ, within a factor of two mostly, where it tells that.
    pub(crate) differ: Option<usize>,
}

const fn check_of(hash: u64) -> u32 {
    (mix(hash, 0x5ce7_c4ed) >> 40) as u32
}

/// The symbols that a hash goes into: symbol i with probability 1 / (1 + i/2), the paper's choice.
struct Places {
    state: u64,
    at: usize,
}

impl Places {
    const fn of(hash: u64) -> Self {
        Self { state: hash, at: 0 }
    }

    /// The place after this one: beyond j with probability ((i + 1.5) / (j + 1.5))², which is the product of not going into
    /// any between.
    fn next(&mut self) -> usize {
        self.state = mix(self.state, 1);
        let uniform = ((self.state >> 11) + 1) as f64 / (1u64 << 53) as f64;
        let gap = (self.at as f64 + 1.5) * (1.0 / uniform.sqrt() - 1.0);
        // Saturates: what is far beyond any sketch is in none.
        self.at = self.at.saturating_add(gap.ceil().max(1.0) as usize);
        self.at
    }
}

impl Symbol {
    const fn add(&mut self, hash: u64, count: i8) {
        self.count = self.count.wrapping_add(count);
        self.sum ^= hash;
        self.check ^= check_of(hash);
    }

    /// The one hash in it, and on which side.
    const fn single(&self) -> Option<(u64, i8)> {
        let single = matches!(self.count, 1 | -1) && self.check == check_of(self.sum);
        if single { Some((self.sum, self.count)) } else { None }
    }

    const fn is_empty(&self) -> bool {
        self.count == 0 && self.sum == 0 && self.check == 0
    }
}

/// Adds a hash wherever it goes; calls `on` with each place.
fn spread(symbols: &mut [Symbol], hash: u64, count: i8, mut on: impl FnMut(usize)) {
    let mut places = Places::of(hash);
    let mut at = 0;
    while at < symbols.len() {
        symbols[at].add(hash, count);
        on(at);
        at = places.next();
    }
}

/// The first `len` symbols of a set. Cost: its size, times the logarithm of `len`.
pub(crate) fn sketch(hashes: &[u64], len: usize) -> Vec<Symbol> {
    let mut symbols = vec![Symbol::default(); len];
    for &hash in hashes {
        spread(&mut symbols, hash, 1, |_| {});
    }
    symbols
}

/// In how many hashes two sets differ whose sketches differ by these. Symbol 0 tells how many more are on one side; the others
/// scatter around their shares of that, each with the variance of so many tosses as there are differences. Nothing if a count
/// may have wrapped.
fn differ(symbols: &[Symbol]) -> Option<usize> {
    let more = f64::from(symbols.first()?.count);
    let (mut squares, mut variance) = (0.0, 0.0);
    for (at, symbol) in symbols.iter().enumerate().skip(1) {
        let share = 1.0 / (1.0 + at as f64 / 2.0);
        squares += (f64::from(symbol.count) - share * more).powi(2);
        variance += share * (1.0 - share);
    }
    let is_sure = symbols.len() > 1 && symbols.iter().all(|symbol| symbol.count.unsigned_abs() < 1 << 6);
    is_sure.then(|| (squares / variance).ceil() as usize)
}

/// In what two sets differ, of which `left` is the sketch of one and `right` are the hashes of the other. Cost: that of a
/// sketch of `right`.
///
/// # Errors
/// [`TooShort`]: so is the sketch.
pub(crate) fn difference(left: &[Symbol], right: &[u64]) -> Result<Difference, TooShort> {
    let mut symbols = left.to_vec();
    for &hash in right {
        spread(&mut symbols, hash, -1, |_| {});
    }
    let too_short = TooShort { differ: differ(&symbols) };
    let mut difference = Difference::default();
    let mut ready: Vec<usize> = (0..symbols.len()).filter(|&at| symbols[at].single().is_some()).collect();
    // A sketch that lies could be read for ever: no honest one says more than it has symbols.
    let mut rest = symbols.len();
    while let Some(at) = ready.pop() {
        let Some((hash, side)) = symbols[at].single() else { continue };
        rest = rest.checked_sub(1).ok_or(too_short)?;
        if side > 0 {
            difference.left.push(hash)
        } else {
            difference.right.push(hash)
        }
        let mut touched = Vec::new();
        spread(&mut symbols, hash, -side, |place| touched.push(place));
        ready.extend(touched.into_iter().filter(|&place| symbols[place].single().is_some()));
    }
    let is_all = !symbols.is_empty() && symbols.iter().all(Symbol::is_empty);
    if is_all { Ok(difference) } else { Err(too_short) }
}

/// How many symbols, then each: its count, sum and check, [`SYMBOL`] bytes.
pub(crate) fn encode(symbols: &[Symbol], w: &mut Writer<'_>) {
    w.len(symbols.len());
    for symbol in symbols {
        w.u8(symbol.count.cast_unsigned());
        encode_hash(symbol.sum, w);
        symbol.check.to_le_bytes()[..3].iter().for_each(|&byte| w.u8(byte));
    }
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// [`DecodeError`]; more than [`MOST`] symbols are refused before any is read.
pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Vec<Symbol>, DecodeError> {
    let at = r.at();
    let len = r.len("sketch")?;
    if len > MOST {
        return Err(DecodeError::TooLong { what: "sketch", len: len as u64, at });
    }
    let mut symbols = Vec::with_capacity(len);
    for _ in 0..len {
        let count = r.u8("count")?.cast_signed();
        let sum = decode_hash(r)?;
        let mut check = [0; 4];
        for byte in &mut check[..3] {
            *byte = r.u8("check")?;
        }
        let check = u32::from_le_bytes(check);
        symbols.push(Symbol { count, sum, check });
    }
    Ok(symbols)
}

/// A hash of 48 bits.
pub(crate) fn encode_hash(hash: u64, w: &mut Writer<'_>) {
    hash.to_le_bytes()[..HASH].iter().for_each(|&byte| w.u8(byte));
}

/// Reads what [`encode_hash`] wrote.
///
/// # Errors
/// [`DecodeError`].
pub(crate) fn decode_hash(r: &mut Reader<'_>) -> Result<u64, DecodeError> {
    let mut hash = [0; 8];
    for byte in &mut hash[..HASH] {
        *byte = r.u8("hash")?;
    }
    Ok(u64::from_le_bytes(hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::codec::Plain;
    use lasp_overlay::Rng;

    fn hashes(from: u64, count: u64) -> Vec<u64> {
        (from..from + count).map(|n| short(mix(n, 7))).collect()
    }

    fn sorted(mut hashes: Vec<u64>) -> Vec<u64> {
        hashes.sort_unstable();
        hashes
    }

    /// The shortest sketch, in steps of a tenth, that tells the difference.
    fn shortest(left: &[u64], right: &[u64]) -> usize {
        let lengths = std::iter::successors(Some(4), |len: &usize| Some(len + len.div_ceil(10)));
        lengths.into_iter().find(|&len| difference(&sketch(left, len), right).is_ok()).expect("it suffices some time")
    }

    #[test]
    fn two_sets_learn_in_what_they_differ() {
        let (left, right) = (hashes(0, 1_050), hashes(20, 1_060));
        let difference = difference(&sketch(&left, 160), &right).expect("long enough");
        assert_eq!(sorted(difference.left), sorted(hashes(0, 20)));
        assert_eq!(sorted(difference.right), sorted(hashes(1_050, 30)));
    }

    #[test]
    fn equal_sets_and_empty_ones_are_no_exception() {
        let some = hashes(0, 100);
        assert_eq!(difference(&sketch(&some, 4), &some), Ok(Difference::default()));
        assert_eq!(difference(&sketch(&[], 4), &[]), Ok(Difference::default()));
        assert_eq!(difference(&[], &some), Err(TooShort { differ: None }), "no symbol tells nothing");
        assert_eq!(difference(&sketch(&some, 4), &[]), Err(TooShort { differ: None }), "counts may have wrapped");
    }

    #[test]
    fn a_sketch_that_is_too_short_tells_about_how_much_differs() {
        for (differ, more) in [(60, 0), (200, 0), (1_000, 0), (100, 50), (40, 40)] {
            let told = (0..20).map(|seed| {
                let (from, skipped) = (seed << 20, (differ - more) / 2);
                let (left, right) = (hashes(from, 5_000), hashes(from + skipped, 5_000 + more));
                let too_short = difference(&sketch(&left, 16), &right).expect_err("too short");
                too_short.differ.expect("no count wraps") as f64 / differ as f64
            });
            let (all, mean) = (told.clone().collect::<Vec<_>>(), told.sum::<f64>() / 20.0);
            assert!((0.7..1.4).contains(&mean), "{mean} times {differ}");
            assert!(all.iter().all(|told| (0.2..3.0).contains(told)), "{all:?} times {differ}");
        }
    }

    #[test]
    fn the_sketch_follows_the_difference_and_not_the_sets() {
        let mut rng = Rng::new(3);
        for (sets, differ) in [(1_000, 50), (1_000, 400), (20_000, 50), (20_000, 400)] {
            let runs = 5;
            let mut needed = 0;
            for _ in 0..runs {
                let from = rng.below(1 << 40);
                needed += shortest(&hashes(from, sets), &hashes(from + differ / 2, sets));
            }
            let ratio = needed as f64 / runs as f64 / differ as f64;
            assert!((1.0..2.0).contains(&ratio), "{ratio} symbols for each of {differ} differences of {sets}");
        }
    }

    #[test]
    fn a_sketch_reads_back_and_its_start_is_that_of_a_longer_one() {
        let some = hashes(0, 500);
        let symbols = sketch(&some, 64);
        assert_eq!(symbols[..], sketch(&some, 200)[..64]);
        let mut bytes = Vec::new();
        encode(&symbols, &mut Writer::new(&mut bytes, &mut Plain));
        assert_eq!(decode(&mut Reader::new(&bytes, &mut Plain)), Ok(symbols));
        assert_eq!(bytes.len(), 1 + 64 * SYMBOL);
    }

    #[test]
    fn sketches_that_lie_are_read_in_bounded_time_or_not_at_all() {
        let mut rng = Rng::new(9);
        for _ in 0..500 {
            let mut symbols = sketch(&hashes(rng.below(1 << 40), 30), 40);
            for _ in 0..4 {
                let at = rng.below(40) as usize;
                symbols[at] = Symbol { count: rng.below(3) as i8 - 1, sum: rng.below(1 << 48), check: 0 };
                symbols[at].check = check_of(symbols[at].sum);
            }
            if let Ok(difference) = difference(&symbols, &hashes(0, 30)) {
                assert!(difference.left.len() + difference.right.len() <= 40);
            }
        }
        let mut bytes = Vec::new();
        Writer::new(&mut bytes, &mut Plain).len(MOST + 1);
        assert!(decode(&mut Reader::new(&bytes, &mut Plain)).is_err());
    }
}
