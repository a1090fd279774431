//! The laws are able to fail: lattices that are wrong in one way each, and the law that says so.

use lasp_crdt::fingerprint::{self, Fingerprint};
use lasp_crdt::{Decode, DecodeError, Decompose, Delta, Encode, Lattice, Reader, Writer, laws};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Numbers below 8, as bits, with union; wrong in the way of `FAULT`.
#[derive(Clone, Debug, Default, PartialEq)]
struct Bits<const FAULT: u8>(u64);

const NONE: u8 = 0;
const MERGE_KEEPS_ITS_OWN: u8 = 1;
const MERGE_ADDS_UP: u8 = 2;
const MERGE_ALWAYS_GREW: u8 = 3;
const LEQ_BY_NUMBER: u8 = 4;
const SPLITS_NOTHING: u8 = 5;
const REPEATS_THE_WHOLE: u8 = 6;
const LOSES_A_PART: u8 = 7;
const DELTA_OF_EVERYTHING: u8 = 8;
const DELTA_OF_ONE_PART: u8 = 9;
const DIFFERENCE_OF_EVERYTHING: u8 = 10;
const ADDS_WHAT_IS_THERE: u8 = 11;
const MERGE_CROWDS_OUT: u8 = 12;
const ENCODES_LESS: u8 = 13;
const DECODES_TWO_WAYS: u8 = 14;
const DECODES_NOTHING: u8 = 15;
const FINGERPRINT_OF_SIZE: u8 = 16;
const FINGERPRINT_OF_BOTTOM: u8 = 17;
const DECODES_PHANTOMS: u8 = 18;

impl<const FAULT: u8> Bits<FAULT> {
    fn add(&self, n: u64) -> Self {
        let known = if FAULT == ADDS_WHAT_IS_THERE { 0 } else { self.0 };
        Self((1 << n) & !known)
    }
}

impl<const FAULT: u8> Lattice for Bits<FAULT> {
    fn merge(&mut self, other: Self) -> bool {
        let before = self.0;
        self.0 = match FAULT {
            MERGE_KEEPS_ITS_OWN if self.0 > 0 => self.0,
            MERGE_ADDS_UP => self.0.wrapping_add(other.0),
            // Bit 0 drives out bit 1.
            MERGE_CROWDS_OUT if (self.0 | other.0) & 1 == 1 => (self.0 | other.0) & !2,
            _ => self.0 | other.0,
        };
        self.0 != before || FAULT == MERGE_ALWAYS_GREW
    }

    fn leq(&self, other: &Self) -> bool {
        match FAULT {
            LEQ_BY_NUMBER => self.0 <= other.0,
            // There are no bits above 7.
            DECODES_PHANTOMS => self.0 & 0xff & !other.0 == 0,
            _ => self.0 & !other.0 == 0,
        }
    }
}

impl<const FAULT: u8> Decompose for Bits<FAULT> {
    fn decompose(&self) -> impl Iterator<Item = Self> {
        let bits = (0..8).map(|n| self.0 & 1 << n).filter(|&bit| bit != 0);
        let parts: Vec<u64> = match FAULT {
            SPLITS_NOTHING => [self.0].into_iter().filter(|&bits| bits != 0).collect(),
            REPEATS_THE_WHOLE if self.0.count_ones() > 1 => bits.chain([self.0]).collect(),
            LOSES_A_PART => bits.skip(1).collect(),
            _ => bits.collect(),
        };
        parts.into_iter().map(Self)
    }
}

impl<const FAULT: u8> Delta for Bits<FAULT> {
    type Digest = u64;

    fn digest(&self) -> u64 {
        self.0
    }

    fn delta(&self, since: &u64) -> Self {
        let news = self.0 & !since;
        match FAULT {
            DELTA_OF_EVERYTHING if news > 0 => self.clone(),
            DELTA_OF_ONE_PART => Self(news & news.wrapping_neg()),
            _ => Self(news),
        }
    }

    fn difference(&self, known: &Self) -> Self {
        if FAULT == DIFFERENCE_OF_EVERYTHING { self.clone() } else { self.delta(&known.0) }
    }
}

impl<const FAULT: u8> Fingerprint for Bits<FAULT> {
    fn fingerprint(&self) -> u64 {
        match FAULT {
            FINGERPRINT_OF_SIZE => self.0.count_ones().into(),
            FINGERPRINT_OF_BOTTOM => fingerprint::hash(&self.0),
            _ if self.0 == 0 => 0,
            _ => fingerprint::hash(&self.0),
        }
    }
}

impl<const FAULT: u8> Encode for Bits<FAULT> {
    fn encode(&self, w: &mut Writer<'_>) {
        w.varint(if FAULT == ENCODES_LESS { self.0 & 0x7f } else { self.0 });
    }
}

impl<const FAULT: u8> Decode for Bits<FAULT> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let value = if FAULT == DECODES_NOTHING && r.remaining() == 0 { 0 } else { r.varint("bits")? };
        Ok(Self(if FAULT == DECODES_TWO_WAYS { value & 0xff } else { value }))
    }
}

/// What a law says to this, if anything.
fn verdict(law: impl Fn()) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(law)).err()?;
    let text = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|&s| s.to_owned()));
    Some(text.unwrap_or_default())
}

fn everything<const FAULT: u8>() {
    for seed in 0..50 {
        laws::check_history(seed, |bits: &Bits<FAULT>, _, random| bits.add(random % 8));
    }
    laws::check_all_wire(&[0, 1, 2, 0x83, 0xff].map(Bits::<FAULT>));
}

fn found(verdict: Option<String>, law: &str) {
    let verdict = verdict.unwrap_or_else(|| panic!("`{law}` is broken, and nothing was said"));
    assert!(verdict.contains(law), "`{law}` is broken, and this was said: {verdict}");
}

#[test]
fn a_history_of_a_type_without_fault_breaks_no_law() {
    assert_eq!(verdict(everything::<NONE>), None);
}

#[test]
fn each_fault_is_found_by_its_law_in_some_history() {
    found(verdict(everything::<MERGE_KEEPS_ITS_OWN>), "the order does not matter");
    found(verdict(everything::<MERGE_ADDS_UP>), "a delta acts once");
    found(verdict(everything::<MERGE_ALWAYS_GREW>), "a delta acts once");
    found(verdict(everything::<MERGE_CROWDS_OUT>), "the mutation holds what the delta says");
    found(verdict(everything::<LEQ_BY_NUMBER>), "no part is implied by the others");
    found(verdict(everything::<SPLITS_NOTHING>), "a part is no merge of lesser states");
    found(verdict(everything::<REPEATS_THE_WHOLE>), "a part has itself as its only part");
    found(verdict(everything::<LOSES_A_PART>), "the parts merge to the state");
    found(verdict(everything::<DELTA_OF_EVERYTHING>), "no part of the delta is known");
    found(verdict(everything::<DELTA_OF_ONE_PART>), "a new replica lacks everything");
    found(verdict(everything::<DIFFERENCE_OF_EVERYTHING>), "delta and difference agree");
    found(verdict(everything::<ADDS_WHAT_IS_THERE>), "a mutator says only what is news");
    found(verdict(everything::<ENCODES_LESS>), "decoding gives back what was encoded");
    found(verdict(everything::<DECODES_TWO_WAYS>), "a state has one encoding");
    found(verdict(everything::<DECODES_NOTHING>), "a prefix does not decode");
    found(verdict(everything::<FINGERPRINT_OF_SIZE>), "fingerprints are equal if states are");
    found(verdict(everything::<FINGERPRINT_OF_BOTTOM>), "the fingerprint of bottom is 0");
}

#[test]
fn a_fault_of_merging_is_found_by_each_law_that_it_breaks() {
    let keeps = [1, 2, 4].map(Bits::<MERGE_KEEPS_ITS_OWN>);
    let [a, b, c] = &keeps;
    found(verdict(|| laws::check_lattice(a, b, c)), "merge is commutative");
    found(verdict(|| laws::check_group(&Bits::default(), a, b)), "the order does not matter");
    found(verdict(|| laws::check_delivery(&keeps, 1)), "a receiver has nothing that was not sent");
    let [a, b, c] = &[1, 2, 4].map(Bits::<MERGE_ADDS_UP>);
    found(verdict(|| laws::check_lattice(a, b, c)), "merge is idempotent");
    let [a, b, c] = &[1, 2, 4].map(Bits::<MERGE_ALWAYS_GREW>);
    found(verdict(|| laws::check_lattice(a, b, c)), "merge returns whether it grew");
    let [a, b, c] = &[1, 2, 4].map(Bits::<MERGE_CROWDS_OUT>);
    found(verdict(|| laws::check_order(a, b, c)), "a merge is above what was merged");
    let [a, b, c] = &[1, 2, 4].map(Bits::<LEQ_BY_NUMBER>);
    found(verdict(|| laws::check_order(a, b, c)), "a merge is the least bound");
}

#[test]
fn a_decoder_that_takes_what_is_no_state_is_found() {
    assert_eq!(verdict(|| laws::check_decoded::<Bits<NONE>>(&[0x80, 0x02])), None);
    assert_eq!(verdict(|| laws::check_decoder::<Bits<DECODES_PHANTOMS>>(&[0x80, 0x02])), None);
    found(verdict(|| laws::check_decoded::<Bits<DECODES_PHANTOMS>>(&[0x80, 0x02])), "leq means that merging");
}
