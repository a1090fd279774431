//! Walks that arrived lately, so that a message which arrives twice does not make two walks of one.
//!
//! A subscription takes hundreds of steps where everybody is in every view already. If one message in ten arrived twice, and
//! each time the walk went on, one walk would be 1.1^255 walks in the end. A walk is known by whose subscription it is, by the
//! number that was drawn where it began, and by how many steps are left.

use crate::peer::Contact;
use crate::time::Time;
use lasp_crdt::fingerprint::mix;
use std::collections::VecDeque;
use std::time::Duration;

/// How many are remembered. Beyond it the first is forgotten. A guess: a spread subscription is some dozen of copies.
const REMEMBERED: usize = 256;

/// For how long. A guess: a second message lags behind the first by less.
const MEMORY: Duration = Duration::from_secs(1);

/// Which walks arrived lately, and when. O([`REMEMBERED`]) per walk.
#[derive(Clone, Debug, Default)]
pub(super) struct Walks(VecDeque<(u64, Time)>);

impl Walks {
    /// Notes a walk; `false` if it has been here just so.
    pub(super) fn arrives(&mut self, now: Time, peer: &Contact, walk: u16, left: u8) -> bool {
        while self.0.front().is_some_and(|(_, at)| now - *at >= MEMORY) || self.0.len() >= REMEMBERED {
            self.0.pop_front();
        }
        let step = u64::from(walk) << 8 | u64::from(left);
        let step = [peer.id.0, peer.incarnation, step].into_iter().fold(0, mix);
        let is_new = self.0.iter().all(|(other, _)| *other != step);
        if is_new {
            self.0.push_back((step, now));
        }
        is_new
    }
}
