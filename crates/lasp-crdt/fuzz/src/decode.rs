//! Bytes from a peer that may be anybody: they are refused, or they are the one encoding of a state.
//!
//! An input is the number of a type, the encoding of a state of it, and perhaps that of a second one. Whatever is
//! decoded is then used: nothing may panic, and what comes of merging has an encoding in turn. More cannot be asked
//! of states that no honest replica makes (one dot for two elements, say): those need not obey the laws together.

use crate::seeds::{Seeds, golden};
use lasp_crdt::codec::{self, Plain};
use lasp_crdt::set::remove_wins::Sides;
use lasp_crdt::{
    AwGraph, AwMap, AwSet, Boolean, BoundedCounter, Causal, Decode, Delta, Derived, DerivedDigest, DotSet, Dotted, DwFlag, Encode,
    EwFlag, Fingerprint, GCounter, GGraph, GMap, GSet, Hashes, IVar, LexCounter, LexPair, LwwRegister, MaxRegister,
    MinRegister, MvMap, MvRegister, Pair, PnCounter, Reader, RwSet, Stamp, Sum, Summary, TwoPGraph, TwoPSet, choice, product,
};
use peak_alloc::PeakAlloc;
use std::fmt::Debug;

/// Every type, and what is done with bytes that claim to be one; inputs name it by its place, so new ones go to the end.
/// The name is that of its golden vectors, `tests/golden/<name>.txt`, which are the seeds.
const TYPES: &[(&str, fn(&[u8]) -> bool)] = &[
    ("dot_set", value::<DotSet>),
    ("causal", state::<Causal>),
    ("gset", state::<GSet<u64>>),
    ("gset_text", state::<GSet<String>>),
    ("awset", state::<AwSet<u64>>),
    ("awset_text", state::<AwSet<String>>),
    ("gcounter", state::<GCounter>),
    ("pncounter", state::<PnCounter>),
    ("max_register", state::<MaxRegister<i64>>),
    ("boolean", state::<Boolean>),
    ("ivar", state::<IVar<u64>>),
    ("lww_register", state::<LwwRegister<String>>),
    ("gmap", state::<GMap<u64, Pair<Boolean, GCounter>>>),
    ("gmap_awset", state::<GMap<String, AwSet<u64>>>),
    ("pair", state::<Pair<GCounter, AwSet<u64>>>),
    ("derived", state::<Derived<u64>>),
    ("derived_digest", value::<DerivedDigest>),
    ("hashes", value::<Hashes>),
    ("lww_digest", value::<Option<(Stamp, u64)>>),
    ("min_register", state::<MinRegister<i64>>),
    ("lexcounter", state::<LexCounter>),
    ("boundedcounter", state::<BoundedCounter>),
    ("lww_register_ties", state::<LwwRegister<String>>),
    ("ewflag", state::<EwFlag>),
    ("dwflag", state::<DwFlag>),
    ("mvregister", state::<MvRegister<String>>),
    ("summary", state::<Summary<String>>),
    ("rwset", state::<RwSet<u64>>),
    ("awmap", state::<AwMap<String, AwSet<u64>>>),
    ("awmap_deep", state::<AwMap<u64, AwMap<u64, AwSet<u64>>>>),
    ("awmap_ewflag", state::<AwMap<u64, EwFlag>>),
    ("awmap_rwset", state::<AwMap<u64, RwSet<u64>>>),
    ("mvmap", state::<MvMap<String, u64>>),
    ("twopset", state::<TwoPSet<u64>>),
    ("ggraph", state::<GGraph<u64>>),
    ("twopgraph", state::<TwoPGraph<u64>>),
    ("lexpair", state::<LexPair<MaxRegister<u64>, GSet<u64>>>),
    ("sum", state::<Sum<GSet<u64>, MaxRegister<u64>>>),
    ("option", state::<Option<GSet<u64>>>),
    ("tuple", state::<(Boolean, GSet<u64>, GCounter)>),
    ("product", state::<Page>),
    ("choice", state::<Slot>),
    ("awmap_unit", state::<AwMap<(), MvRegister<()>>>),
    ("causal_sides", state::<Dotted<Sides>>),
    ("awgraph", state::<AwGraph<u64>>),
    ("awmap_of_awgraphs", state::<AwMap<u64, AwGraph<u64>>>),
];

product! {
    /// The product of the golden vectors.
    struct Page {
        visits: GCounter,
        tags: GSet<String>,
        rank: Option<MaxRegister<u64>>,
    }
}

choice! {
    /// The choice of the golden vectors.
    enum Slot {
        Tags(GSet<u64>),
        Count(GCounter),
    }
}

/// Gives the bytes to the decoder that they name; `false` if nothing was decoded.
pub fn run(bytes: &[u8]) -> bool {
    let Some((&number, rest)) = bytes.split_first() else { return false };
    TYPES.get(usize::from(number)).is_some_and(|(_, check)| check(rest))
}

/// The golden vectors, each alone and with the one after it.
///
/// # Panics
/// If there are golden vectors of a type that is not in the table.
pub fn seeds() -> Seeds {
    let mut seeds = Seeds::new();
    for (name, states) in golden() {
        let number = TYPES.iter().position(|(known, _)| *known == name);
        let number = number.unwrap_or_else(|| panic!("no line for `{name}` in the table of decode.rs")) as u8;
        for (at, state) in states.iter().enumerate() {
            let next = &states[(at + 1) % states.len()];
            seeds.push([&[number], &state[..]].concat());
            seeds.push([&[number], &state[..], &next[..]].concat());
        }
    }
    seeds
}

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// How many bytes of memory a decoder may take for each byte of input, and on top of them. When this was written, half of
/// the one and an eighth of the other did; a claimed length that is believed takes millions.
const MEMORY_PER_BYTE: usize = 256;
const MEMORY_BESIDE: usize = 8 << 10;

/// Decodes a value from the front of `bytes`, which must be its encoding; gives the rest.
fn take<T: Encode + Decode + PartialEq + Debug>(bytes: &[u8]) -> Option<(T, &[u8])> {
    let mut plain = Plain;
    let mut r = Reader::new(bytes, &mut plain);
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let decoded = T::decode(&mut r);
    let taken = MEMORY.peak_usage() - before;
    assert!(
        taken <= MEMORY_BESIDE + MEMORY_PER_BYTE * bytes.len(),
        "decoding {} bytes took {taken} bytes of memory",
        bytes.len()
    );
    let value = decoded.ok()?;
    let (front, rest) = bytes.split_at(r.at());
    assert_eq!(codec::to_bytes(&value), front, "a value has one encoding, and this is not it: {value:?}");
    Some((value, rest))
}

/// What has an encoding reads back from it.
fn check_reads_back<T: Encode + Decode + PartialEq + Debug>(value: &T) {
    let bytes = codec::to_bytes(value);
    assert_eq!(codec::from_bytes::<T>(&bytes).as_ref(), Ok(value), "it reads back: {bytes:?}");
}

/// A value that is not replicated on its own.
fn value<T: Encode + Decode + PartialEq + Debug>(bytes: &[u8]) -> bool {
    take::<T>(bytes).is_some()
}

fn state<T>(bytes: &[u8]) -> bool
where
    T: Delta + Fingerprint + Encode + Decode + Debug,
    T::Digest: Encode + Decode + Debug,
{
    let Some((first, rest)) = take::<T>(bytes) else { return false };
    check_alone(&first);
    if let Some((second, [])) = take::<T>(rest) {
        check_alone(&second);
        check_together(&first, &second);
        check_together(&second, &first);
    }
    true
}

/// How many parts of a state are looked at: a context of a few bytes can speak of 2⁶² dots.
const PARTS: usize = 32;

fn check_alone<T>(state: &T)
where
    T: Delta + Fingerprint + Encode + Decode + Debug,
    T::Digest: Encode + Decode + Debug,
{
    let digest = state.digest();
    check_reads_back(&digest);
    assert!(state.leq(state), "a state is below itself: {state:?}");
    assert!(state.delta(&digest).is_bottom(), "an equal replica lacks nothing: {state:?}");
    assert!(state.difference(state).is_bottom(), "a state lacks nothing of itself: {state:?}");
    assert!(!state.clone().merge(state.clone()), "merging a state with itself changes nothing: {state:?}");
    assert_eq!(state.is_bottom(), *state == T::default(), "bottom is bottom: {state:?}");

    let parts: Vec<T> = state.decompose().take(PARTS + 1).collect();
    let mut sum = T::default();
    for part in &parts {
        assert!(part.leq(state), "a part is below the whole: {part:?} of {state:?}");
        check_reads_back(part);
        sum.merge(part.clone());
    }
    if parts.len() <= PARTS {
        assert_eq!(sum, *state, "the parts merge to the state");
        assert_eq!(sum.fingerprint(), state.fingerprint(), "the fingerprint forgets how a state came about");
    }
}

fn check_together<T>(mine: &T, theirs: &T)
where
    T: Delta + Fingerprint + Encode + Decode + Debug,
{
    let mut merged = mine.clone();
    let grew = merged.merge(theirs.clone());
    check_reads_back(&merged);
    assert_eq!(grew, merged != *mine, "merge says whether it grew: {theirs:?} into {mine:?}");
    assert_eq!(grew, !theirs.leq(mine), "leq says whether merging changes anything: {theirs:?} and {mine:?}");
    assert_eq!(merged.fingerprint() == mine.fingerprint(), !grew, "the fingerprint follows: {merged:?}");
    check_reads_back(&theirs.difference(mine));
    check_reads_back(&theirs.delta(&mine.digest()));
}
