//! Finding neighbours that are gone without a sign, and relations that only one side believes in.
//!
//! A neighbour that has been silent for a while is asked; one that stays silent has failed. The question names the
//! relation, and the answer says whether it is mutual, so that busy links are asked too, only more rarely.

use super::message::{LinkId, Message};
use super::view::Neighbor;
use super::{HyParView, Out};
use crate::peer::{Contact, PeerId};
use crate::time::Time;

enum Health {
    Fine,
    Doubtful,
    Dead,
}

impl HyParView {
    fn health(&self, now: Time, neighbor: &Neighbor) -> Health {
        if now - neighbor.probed < self.config.probe_timeout {
            return Health::Fine;
        }
        let silent = now - neighbor.heard >= self.config.probe_interval;
        let unconfirmed = now - neighbor.confirmed >= self.config.confirm_interval;
        match (silent, unconfirmed) {
            (true, _) if neighbor.unanswered >= self.config.probe_attempts => Health::Dead,
            (true, _) | (_, true) => Health::Doubtful,
            (false, false) => Health::Fine,
        }
    }

    /// Asks every doubtful neighbour, and gives up those that have not answered.
    pub(super) fn probe(&mut self, now: Time, out: &mut Out) {
        let unwell = |n: &Neighbor| match self.health(now, n) {
            Health::Fine => None,
            health => Some((n.contact.id, health)),
        };
        let findings: Vec<(PeerId, Health)> = self.view.neighbors().filter_map(unwell).collect();
        for (peer, health) in findings {
            match health {
                Health::Fine => {}
                Health::Doubtful => self.ping(now, peer, out),
                Health::Dead => {
                    self.links.close(peer, out);
                    self.neighbor_failed(now, peer, out);
                }
            }
        }
    }

    /// Asks every neighbour that is silent at the moment. Whoever wanted a place here had lost one, and what it has lost may
    /// be lost here, too.
    pub(super) fn check_silent(&mut self, now: Time, out: &mut Out) {
        let pause = self.config.probe_timeout;
        let silent = |n: &&Neighbor| now - n.heard >= pause && now - n.probed >= pause;
        let silent: Vec<PeerId> = self.view.neighbors().filter(silent).map(|n| n.contact.id).collect();
        for peer in silent {
            self.ping(now, peer, out);
        }
    }

    /// Asks a neighbour whether it is there and takes this peer for one.
    pub(super) fn ping(&mut self, now: Time, peer: PeerId, out: &mut Out) {
        let Some(neighbor) = self.view.neighbor_mut(peer) else {
            return;
        };
        neighbor.probed = now;
        neighbor.unanswered += 1;
        let link = neighbor.link;
        self.metrics.probes += 1;
        for message in self.own_tag().into_iter().chain([Message::Ping { link }]) {
            out.send(peer, message);
        }
    }

    /// A neighbour is gone without a farewell: replaces it, and will look for it again in case it was only cut off.
    pub(super) fn neighbor_failed(&mut self, now: Time, peer: PeerId, out: &mut Out) {
        let Some(neighbor) = self.deactivate(peer, out) else {
            return;
        };
        self.metrics.failures += 1;
        self.remember_lost(now, neighbor.contact);
        self.alarm();
        self.replace(now, Some(peer), out);
    }

    pub(super) fn on_ping(&mut self, now: Time, sender: Contact, link: LinkId, out: &mut Out) {
        self.clock.observe(link);
        let peer = sender.id;
        if self.pending.contains_key(&peer) && !self.view.is_active(peer) {
            // The sender has accepted a request and the answer was lost; or it is declined here.
            self.on_accept(now, sender, link, &[], out);
        }
        let (link, known) = match self.view.neighbor_mut(peer) {
            Some(neighbor) => {
                neighbor.link = neighbor.link.max(link);
                neighbor.confirmed = now;
                (neighbor.link, true)
            }
            None => (link, false),
        };
        out.send(peer, Message::Pong { link, known });
    }

    pub(super) fn on_pong(&mut self, now: Time, sender: &Contact, link: LinkId, known: bool, out: &mut Out) {
        self.clock.observe(link);
        let Some(neighbor) = self.view.neighbor_mut(sender.id) else {
            if known {
                out.send(sender.id, Message::Disconnect { link, alive: true });
            }
            return;
        };
        if known {
            neighbor.link = neighbor.link.max(link);
            neighbor.confirmed = now;
        } else if neighbor.link == link {
            self.deactivate(sender.id, out);
            self.view.learn(sender, &[], &mut self.rng);
            self.replace(now, Some(sender.id), out);
        }
    }
}
