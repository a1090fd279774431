//! States as collections: which members a facet of a variable has, and which a merge brings and takes away.
//!
//! This is all that derivations see of a variable. Knows no operators.

use super::State;
use crate::operator::Facet;
use crate::types::Type;
use crate::value::Value;
use lasp_crdt::Lattice;

/// A member of a facet that came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) facet: Facet,
    pub(crate) member: Value,
    /// `true` if it came, `false` if it went.
    pub(crate) came: bool,
}

/// Some facets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facets(u8);

impl Facets {
    pub(crate) fn contains(self, facet: Facet) -> bool {
        self.0 & 1 << facet as u8 != 0
    }

    pub(crate) fn with(self, facet: Facet) -> Self {
        Self(self.0 | 1 << facet as u8)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Type {
    /// The collections that derivations can take from variables of this type; none of scalars.
    pub fn facets(&self) -> &'static [Facet] {
        match self {
            Self::GSet | Self::AwSet => &[Facet::Elements],
            _ => &[],
        }
    }
}

impl State {
    /// Calls `each` with every member, in no order that means anything.
    pub(crate) fn for_each_member(&self, facet: Facet, each: &mut dyn FnMut(Value)) {
        match (self, facet) {
            (Self::GSet(set), Facet::Elements) => set.iter().cloned().for_each(each),
            (Self::AwSet(set), Facet::Elements) => set.unordered().cloned().for_each(each),
            _ => {}
        }
    }

    /// Merges `news`, of which nothing is known yet, and notes the members of the `wanted` facets that came or went; none
    /// that is as it was before. Cost: that of the merge.
    pub(crate) fn merge_moving(&mut self, news: Self, wanted: Facets, moved: &mut Vec<Moved>) {
        if wanted.is_empty() {
            self.merge(news);
            return;
        }
        let facet = Facet::Elements;
        match (self, news) {
            (Self::GSet(set), Self::GSet(news)) => {
                moved.extend(news.iter().map(|member| Moved { facet, member: member.clone(), came: true }));
                set.merge(news);
            }
            (Self::AwSet(set), Self::AwSet(news)) => {
                set.merge_moving(news, |member, came| moved.push(Moved { facet, member, came }));
            }
            (state, news) => _ = state.merge(news),
        }
    }
}
