//! The links of a server or client: greeted, told apart by what their peers are, and lost.

use super::message::Message;
use super::{ClientServer, Out, Role};
use crate::membership::greeting::Hail;
use crate::membership::{Event, Membership as _};
use crate::peer::{Addr, Contact, PeerId};
use crate::protocol::{Input, Output};
use crate::time::Time;

impl ClientServer {
    /// The only way into the active view.
    pub(super) fn up(&mut self, contact: Contact, out: &mut Out) {
        if self.neighbors.insert(contact.id) {
            self.counts.ups += 1;
            out.emit(Event::Up(contact));
            if self.neighbors.len() == 1 {
                out.emit(Event::Joined);
            }
        }
    }

    /// The only way out of it.
    pub(super) fn down(&mut self, peer: PeerId, out: &mut Out) {
        if self.neighbors.remove(&peer) {
            self.counts.downs += 1;
            out.emit(Event::Down(peer));
            if self.neighbors.is_empty() && !self.left {
                self.counts.isolations += 1;
                out.emit(Event::Isolated);
            }
        }
    }

    /// Closes a link from this side.
    pub(super) fn close(&mut self, peer: PeerId, out: &mut Out) {
        out.push(Output::Close(peer));
        self.links.remove(peer);
        self.dialed.remove(&peer);
        self.client_gone(peer);
        self.down(peer, out);
    }

    /// The link to a peer is gone; a client dials another at once.
    pub(super) fn lose(&mut self, now: Time, peer: PeerId, willingly: bool, out: &mut Out) {
        self.dialler.lost(now, peer, willingly, &mut self.rng);
        let greeted = self.links.remove(peer).is_some_and(|link| link.active);
        if let Some(addr) = self.dialed.remove(&peer) {
            self.feed_mesh(now, Input::DialFailed(addr), out);
        }
        if self.server.as_ref().is_some_and(|server| server.clients.contains_key(&peer)) {
            self.client_gone(peer);
            self.down(peer, out);
        } else if self.server.is_none() {
            self.down(peer, out);
        } else if greeted {
            self.feed_mesh(now, Input::LinkDown(peer), out);
        }
        self.dial(now, out);
    }

    pub(super) fn on_link_up(&mut self, now: Time, peer: Contact, dialed: Option<Addr>, out: &mut Out) {
        if peer.id == self.me.id {
            self.counts.conflicts += u64::from(peer != self.me);
            out.push(Output::Close(peer.id));
            return dialed.map_or((), |addr| self.on_dial_failed(now, addr, out));
        }
        if self.left {
            out.send(peer.id, Message::Bye);
            return out.push(Output::Close(peer.id));
        }
        self.dialler.reached(&peer, dialed.as_ref());
        let id = peer.id;
        let Some(was_active) = self.links.linked(now, &peer) else {
            return self.linked_already(now, peer, dialed, out);
        };
        if was_active {
            self.client_gone(id);
            if self.server.as_ref().is_none_or(|server| !server.mesh.is_active(id)) {
                self.down(id, out);
            }
        }
        if let Some(addr) = dialed {
            self.dialed.insert(id, addr);
        }
        out.send(id, self.hello(id));
    }

    /// The mesh asked for a link that there is.
    fn linked_already(&mut self, now: Time, peer: Contact, dialed: Option<Addr>, out: &mut Out) {
        let is_client = self.server.as_ref().is_none_or(|server| server.clients.contains_key(&peer.id));
        if self.links.is_active(peer.id) && !is_client {
            return self.feed_mesh(now, Input::LinkUp { peer, dialed }, out);
        }
        if let Some(addr) = dialed {
            self.on_dial_failed(now, addr, out);
        }
    }

    pub(super) fn on_dial_failed(&mut self, now: Time, addr: Addr, out: &mut Out) {
        self.dialler.failed(now, &addr, &mut self.rng);
        self.feed_mesh(now, Input::DialFailed(addr), out);
        self.dial(now, out);
    }

    pub(super) fn on_hello(&mut self, now: Time, from: PeerId, (role, stay): (Role, u64), hail: Hail, out: &mut Out) {
        match (self.config.role, role) {
            (Role::Client, Role::Client) => {
                out.send(from, Message::Bye);
                out.push(Output::Close(from));
                return self.lose(now, from, true, out);
            }
            (Role::Server, Role::Client) => {
                if let Some(addr) = self.dialed.remove(&from) {
                    self.feed_mesh(now, Input::DialFailed(addr), out); // no server there
                }
                self.admit(from, stay, hail, out);
            }
            (Role::Client, Role::Server) | (Role::Server, Role::Server) => self.befriend(now, from, hail, out),
        }
        if hail != Hail::Agree && self.links.is_active(from) {
            out.send(from, self.hello(from));
        }
    }

    /// A server has said hello. A client is its neighbour once it says that it has let the client in.
    fn befriend(&mut self, now: Time, from: PeerId, hail: Hail, out: &mut Out) {
        if hail == Hail::Ask && self.server.is_none() {
            return;
        }
        let is_new = self.links.accept(from, hail);
        let dialed = self.dialed.remove(&from);
        match (self.config.role, is_new) {
            (Role::Client, Some(peer)) => self.up(peer, out),
            (Role::Server, Some(peer)) => self.feed_mesh(now, Input::LinkUp { peer, dialed }, out),
            (_, None) => {}
        }
    }

    pub(super) fn on_link_down(&mut self, now: Time, peer: PeerId, out: &mut Out) {
        self.counts.failures += u64::from(self.neighbors.contains(&peer));
        self.lose(now, peer, false, out);
    }
}
