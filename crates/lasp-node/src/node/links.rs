//! Towards the neighbours: what is to be said waits at the links, and goes out in frames.

use super::{Node, Timer};
use crate::link::{Link, Reminder};
use crate::sync::Outcome;
use crate::wire::Item;
use lasp_overlay::{Outbox, Output, PeerId, Time};

impl Node {
    pub(crate) fn push(&mut self, to: PeerId, item: Item) {
        let Some(link) = self.links.get_mut(&to) else {
            self.metrics.dropped += 1;
            return;
        };
        let taken = link.push(item);
        self.metrics.coalesced += taken.coalesced;
        self.metrics.dropped += taken.dropped;
        if !self.touched.contains(&to) {
            self.touched.push(to);
        }
    }

    /// Whether intervals of causal groups wait for a link.
    pub(crate) fn tells_groups(&self, peer: PeerId) -> bool {
        self.links.get(&peer).is_some_and(Link::tells_groups)
    }

    pub(super) fn touch(&mut self, peer: PeerId) {
        if self.links.contains_key(&peer) && !self.touched.contains(&peer) {
            self.touched.push(peer);
        }
    }

    pub(super) fn flush(&mut self, now: Time, out: &mut Outbox<Self>) {
        let touched = std::mem::take(&mut self.touched);
        for peer in &touched {
            if let Some(link) = self.links.get_mut(peer) {
                self.backlog.note(link, &mut self.metrics);
            }
        }
        for peer in touched {
            let Some(link) = self.links.get_mut(&peer) else { continue };
            let mut outcome = Outcome::default();
            loop {
                let send = |frame| out.push(Output::Send { to: peer, message: frame });
                let reminders = link.flush(now, &self.config.link, &mut self.metrics, send);
                for reminder in reminders.into_iter().flatten() {
                    match reminder {
                        Reminder::Flush(after) => out.set_timer(after, Timer::Flush(peer)),
                        Reminder::Acknowledge(after) => out.set_timer(after, Timer::Acknowledge(peer)),
                    }
                }
                // Who has taken what was found missing is given more.
                let wanted = link.budget(&self.config.link);
                let more = || self.sync.more(now, (peer, wanted), &self.store, &mut self.rng, &mut outcome);
                let Some(more) = link.takes_more(&self.config.link).then(more).flatten() else { break };
                link.push(Item::Data(more));
                self.backlog.note(link, &mut self.metrics);
            }
            self.backlog.note(link, &mut self.metrics);
            for (after, appointment) in outcome.timers {
                out.set_timer(after, Timer::Sync(appointment));
            }
        }
    }

    /// What waits for a link goes out before it closes.
    pub(super) fn close(&mut self, now: Time, peer: PeerId, out: &mut Outbox<Self>) {
        self.touch(peer);
        self.flush(now, out);
        self.drop_link(peer);
        out.push(Output::Close(peer));
    }

    pub(super) fn drop_link(&mut self, peer: PeerId) {
        if let Some(mut link) = self.links.remove(&peer) {
            self.backlog.forget(&mut link);
        }
    }
}
