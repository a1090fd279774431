//! What one end of a link tells the other: what is wanted at it and beyond it.

use super::prefixes::Prefixes;
use crate::interest::Interests;
use crate::system;
use lasp_crdt::fingerprint::mix;
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};
use std::sync::Arc;

/// What is wanted of everything at or beyond one end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Flags {
    /// The end itself hears everything.
    itself: bool,
    /// Somebody there hears everything.
    everything: bool,
    /// What is wanted beyond the end is not said: anything may be, as long as the link is in use.
    open: bool,
}

impl Flags {
    const fn bits(self) -> u8 {
        self.itself as u8 | (self.everything as u8) << 1 | (self.open as u8) << 2
    }

    const fn of_bits(bits: u8) -> Self {
        Self { itself: bits & 1 != 0, everything: bits & 2 != 0, open: bits & 4 != 0 }
    }

    const fn union(self, other: Self) -> Self {
        Self::of_bits(self.bits() | other.bits())
    }

    const fn includes(self, other: Self) -> bool {
        let says_all = Self { open: self.open || self.everything, ..self };
        other.bits() & !says_all.bits() == 0
    }
}

/// What is wanted at or beyond one end of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    flags: Flags,
    /// What is wanted by name; of a node that hears everything and has no neighbour that does so too, every name.
    names: Prefixes,
    /// Tells summaries apart; 0 for that of a node that hears everything.
    hash: u64,
}

/// What a node that hears everything says, and what is taken for granted as long as nothing is said.
impl Default for Summary {
    fn default() -> Self {
        Self::new(Flags { itself: true, everything: true, open: false }, Prefixes::default())
    }
}

impl Summary {
    /// Where everything is wanted, nothing is left unsaid.
    fn new(flags: Flags, names: Prefixes) -> Self {
        let flags = Flags { open: flags.open && !flags.everything, ..flags };
        let plain = flags.bits() == 3 && names.len() == 0;
        let hash = if plain { 0 } else { mix(names.sum(), flags.bits().into()) | 1 };
        Self { flags, names, hash }
    }

    /// What a node wants itself.
    pub(crate) fn of(interests: &Interests) -> Self {
        match interests {
            Interests::All => Self::default(),
            Interests::Prefixes(prefixes) => {
                Self::new(Flags::of_bits(0), Prefixes::of(prefixes.iter().map(String::as_str)))
            }
        }
    }

    /// Whether the end itself hears everything.
    pub(crate) const fn is_of_all(&self) -> bool {
        self.flags.itself
    }

    /// Whether it says no more than what is taken for granted.
    pub(crate) const fn is_plain(&self) -> bool {
        self.hash == 0
    }

    /// The same of a link beyond which everything is said.
    pub(crate) fn closed(&self) -> Self {
        Self::new(Flags { open: false, ..self.flags }, self.names.clone())
    }

    /// Whether anything may be wanted beyond the end that it does not say.
    pub(crate) const fn is_open(&self) -> bool {
        self.flags.open
    }

    /// Whether somebody there wants to hear a variable of this name; those of the runtime itself always are.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.flags.everything || self.names.covers(name) || system::is_heard_by_all(name)
    }

    /// Whether what is pushed there may be wanted.
    pub(crate) fn may_want(&self, name: &str) -> bool {
        self.flags.open || self.wants(name)
    }

    /// The same, with every name wanted.
    pub(crate) fn lonely(&self) -> Self {
        Self::new(self.flags, Prefixes::every())
    }

    /// The same of a link beyond which nothing is said.
    pub(crate) fn opened(&self) -> Self {
        Self::new(Flags { open: true, ..self.flags }, self.names.clone())
    }

    /// What is wanted at an end that wants `self` and has these beyond it, of which `everything` tells whether somebody
    /// hears everything without having said so.
    pub(crate) fn with<'a>(&self, beyond: impl Iterator<Item = &'a Self> + Clone, everything: bool) -> Self {
        let everything = self.flags.everything || everything || beyond.clone().any(|summary| summary.flags.everything);
        let flags = Flags { everything, ..self.flags };
        Self::new(flags, Prefixes::union(beyond.map(|summary| &summary.names).chain([&self.names])))
    }

    /// Whether it says all that another one says.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        self.flags.includes(other.flags) && self.names.includes(&other.names)
    }

    /// What both say.
    pub(crate) fn union(&self, other: &Self) -> Self {
        Self::new(self.flags.union(other.flags), Prefixes::union([&self.names, &other.names]))
    }

    /// How it turns into another one; `None` where saying that one whole is shorter.
    pub(crate) fn change_to(&self, next: &Self) -> Option<Change> {
        let (more, less) = (self.names.beyond(&next.names), next.names.beyond(&self.names));
        // A change begins with eight bytes that name its base; an entry takes some three.
        let shorter = more.len() + less.len() + 3 < next.names.len();
        shorter.then_some(Change { base: self.hash, flags: next.flags, more, less })
    }

    /// It as changed; `None` if the change is one of another summary.
    pub(crate) fn changed(&self, change: &Change) -> Option<Self> {
        let whole = Prefixes::union([&self.names, &change.more]);
        let names = change.less.beyond(&whole);
        (change.base == self.hash).then(|| Self::new(change.flags, names))
    }
}

/// How a summary changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Hash of the summary that it is a change of.
    base: u64,
    flags: Flags,
    more: Prefixes,
    less: Prefixes,
}

/// What is said of interests on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// It replaces what was said before.
    Whole(Summary),
    /// It changes what was said before.
    Change(Change),
}

/// Beside the flags: what follows is a change.
const CHANGE: u8 = 8;

/// The flags, then the names, or of a change the hash of its base, more names and less.
impl Encode for Message {
    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::Whole(summary) => {
                w.u8(summary.flags.bits());
                summary.names.encode(w);
            }
            Self::Change(change) => {
                w.u8(CHANGE | change.flags.bits());
                w.fixed_u64(change.base);
                change.more.encode(w);
                change.less.encode(w);
            }
        }
    }
}

impl Decode for Message {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = r.at();
        let tag = r.u8("interests")?;
        let flags = Flags::of_bits(tag);
        if flags.bits() | CHANGE != tag | CHANGE {
            return Err(DecodeError::BadTag { what: "interests", tag: tag.into(), at });
        }
        if (flags.itself && !flags.everything) || (flags.open && flags.everything) {
            return Err(DecodeError::NotCanonical { what: "interests", at });
        }
        if tag & CHANGE == 0 {
            return Ok(Self::Whole(Summary::new(flags, Prefixes::decode(r)?)));
        }
        let (base, more, less) = (r.fixed_u64("interests")?, Prefixes::decode(r)?, Prefixes::decode(r)?);
        Ok(Self::Change(Change { base, flags, more, less }))
    }
}

/// What both ends of a link keep, and compare: what is wanted on both sides of it.
///
/// Of nodes that hear everything there are mostly enough that they reach each other without others between, so what is
/// wanted on both sides by such nodes only is kept between two of them, and passes through a node that hears less.
#[derive(Clone, Debug, Default)]
pub(crate) struct Common {
    told: Arc<Summary>,
    heard: Arc<Summary>,
}

impl Common {
    /// Of a link over which this was told and that was heard.
    pub(crate) const fn new(told: Arc<Summary>, heard: Arc<Summary>) -> Self {
        Self { told, heard }
    }

    /// Whether both ends hear everything.
    pub(crate) fn is_all(&self) -> bool {
        self.told.flags.itself && self.heard.flags.itself
    }

    /// Whether a variable of this name is wanted on both sides.
    pub(crate) fn covers(&self, name: &str) -> bool {
        let by_name = || self.told.names.covers(name) || self.heard.names.covers(name);
        let both = || self.told.wants(name) && self.heard.wants(name) && by_name();
        self.is_all() || system::is_heard_by_all(name) || both()
    }

    /// Hashes of what was told and what was heard.
    pub(crate) fn hashes(&self) -> (u64, u64) {
        (self.told.hash, self.heard.hash)
    }

    /// Links of the same key have the same in common.
    pub(crate) fn key(&self) -> (u64, u64) {
        if self.is_all() { (0, 0) } else { self.hashes() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_crdt::codec::{from_bytes, to_bytes};

    fn wants(prefixes: &[&str]) -> Summary {
        Summary::of(&Interests::prefixes(prefixes.iter().copied()))
    }

    fn common(told: &Summary, heard: &Summary) -> Common {
        Common::new(Arc::new(told.clone()), Arc::new(heard.clone()))
    }

    #[test]
    fn what_two_ends_have_in_common_is_the_same_from_both_of_them() {
        let all = Summary::default();
        let relay = wants(&["own"]).with([&all, &wants(&["far"])].into_iter(), false);
        let ends = [all.clone(), all.lonely(), wants(&["own"]), wants(&["far"]), wants(&[]), relay.clone()];
        for (a, b) in ends.iter().flat_map(|a| ends.iter().map(move |b| (a, b))) {
            for name in ["own", "far", "other", system::PROGRAMS] {
                assert_eq!(common(a, b).covers(name), common(b, a).covers(name), "{name}: {a:?} {b:?}");
            }
        }
        let covered = |a: &Summary, b: &Summary| ["own", "far", "other"].map(|name| common(a, b).covers(name));
        assert_eq!(covered(&all, &all), [true; 3]);
        assert_eq!(
            covered(&all, &relay),
            [true, true, false],
            "what only those want who hear everything passes through"
        );
        assert_eq!(covered(&all.lonely(), &relay), [true; 3], "unless they have nobody else");
        assert_eq!(covered(&wants(&["own"]), &wants(&["own", "far"])), [true, false, false]);
        assert_eq!(covered(&wants(&["far"]), &all), [false, true, false]);
        assert!(common(&wants(&[]), &wants(&[])).covers(system::PROGRAMS));
    }

    #[test]
    fn what_is_not_said_may_be_wanted_and_is_not_in_common() {
        let open = wants(&["own"]).opened();
        assert!(open.may_want("other") && !open.wants("other") && !wants(&["own"]).may_want("other"));
        assert!(!common(&open, &wants(&["other"])).covers("other"));
        assert!(Summary::default().opened().is_plain(), "everything is said");
        assert!(open.includes(&wants(&["own"])) && !wants(&["own"]).includes(&open));
        let relay = wants(&["own"]).with([&Summary::default()].into_iter(), false);
        assert!(relay.includes(&open) && relay.union(&open) == relay, "and where everything is wanted");
    }

    #[test]
    fn only_what_is_taken_for_granted_has_no_hash() {
        let all = Summary::default();
        assert!(all.is_plain());
        for other in [all.lonely(), wants(&[]), wants(&["a"]), wants(&["b"]), wants(&[]).with([].into_iter(), true)] {
            assert!(!other.is_plain(), "{other:?}");
        }
        assert_ne!(wants(&["a"]).hash, wants(&["b"]).hash);
    }

    #[test]
    fn a_change_is_said_where_it_is_shorter_and_applies_to_its_base_alone() {
        let many: Vec<String> = (0..50).map(|n| format!("v{n:02}")).collect();
        let names: Vec<&str> = many.iter().map(String::as_str).collect();
        let (before, after) = (wants(&names[..49]), wants(&names[1..]));
        let change = before.change_to(&after).expect("two of fifty");
        assert_eq!(before.changed(&change), Some(after.clone()));
        assert_eq!(after.changed(&change), None);
        assert_eq!(wants(&["a"]).change_to(&wants(&["b"])), None, "whole is shorter");
        for message in [Message::Change(change), Message::Whole(after), Message::Whole(Summary::default())] {
            assert_eq!(from_bytes::<Message>(&to_bytes(&message)), Ok(message));
        }
    }

    #[test]
    fn contradictions_are_refused() {
        assert!(from_bytes::<Message>(&[1, 0]).is_err(), "it hears everything, and nobody there does");
        assert!(from_bytes::<Message>(&[16, 0]).is_err() && from_bytes::<Message>(&[2, 1, 9]).is_err());
        assert!(from_bytes::<Message>(&[6, 0]).is_err(), "it says everything, and that it does not say");
        assert_eq!(to_bytes(&Message::Whole(Summary::default())), [3, 0]);
    }
}
