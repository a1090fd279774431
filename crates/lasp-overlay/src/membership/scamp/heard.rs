//! Of whom this peer has heard lately, to turn to when it is alone.
//!
//! The paper's peer that is alone subscribes anew through its view. Where many come and go everybody in that may be gone, and the
//! contacts, too: it would be alone for ever. But subscriptions that pass by name peers that have just come, and so do links.

use crate::peer::Addr;
use std::collections::VecDeque;

/// How many are remembered. Beyond it the first is forgotten. 16: guess; where half of all peers are gone, one in 65,000 who turn to
/// so many finds none of them.
const REMEMBERED: usize = 16;

/// Where they are; the last heard of comes last.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard(VecDeque<Addr>);

impl Heard {
    /// Hears of somebody. O([`REMEMBERED`]).
    pub(super) fn note(&mut self, addr: &Addr) {
        if self.0.back() == Some(addr) {
            return;
        }
        self.forget(addr);
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(addr.clone());
    }

    /// Somebody is not there any more.
    pub(super) fn forget(&mut self, addr: &Addr) {
        self.0.retain(|known| known != addr);
    }

    /// All of them, the last heard of first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Addr> {
        self.0.iter().rev()
    }

    /// Forgets everybody.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
