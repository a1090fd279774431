//! A client: keeps links with a few servers, and turns to others when one is gone.
//!
//! It knows the servers it was told to join and those that servers tell it of. When a server fails, another is dialled
//! at once; one that failed is dialled again after a growing pause.

use super::{ClientServer, Out};
use crate::peer::{Addr, Contact};
use crate::protocol::Output;
use crate::time::Time;
use std::collections::BTreeSet;

/// What only a client has.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Where it was told to look for servers.
    contacts: BTreeSet<Addr>,
    /// The servers, as the last one that said something about it told.
    pub(super) servers: Vec<Contact>,
}

impl ClientServer {
    /// Looks for servers at these addresses.
    pub(super) fn look_at(&mut self, now: Time, addrs: &[Addr], out: &mut Out) {
        for addr in addrs.iter().filter(|addr| **addr != self.me.addr) {
            if self.dialler.add(now, addr.clone()) {
                self.known.contacts.insert(addr.clone());
            } else {
                self.counts.refused += 1;
            }
        }
        self.dial(now, out);
    }

    /// Dials as many servers as are wanting.
    pub(super) fn dial(&mut self, now: Time, out: &mut Out) {
        if self.left || self.server.is_some() {
            return;
        }
        let have = self.links.ids().len() + self.dialler.under_way();
        let wanting = self.config.servers.max(1).saturating_sub(have);
        for addr in self.dialler.due(now, wanting, &mut self.rng) {
            out.push(Output::Dial(addr));
        }
    }

    /// A server says who the servers are.
    pub(super) fn on_servers(&mut self, now: Time, servers: Vec<Contact>, out: &mut Out) {
        if self.server.is_some() {
            return;
        }
        let told: BTreeSet<&Addr> = servers.iter().map(|server| &server.addr).collect();
        let forgotten = |addr: &&Addr| !told.contains(addr) && !self.known.contacts.contains(*addr);
        let forgotten: Vec<Addr> = self.dialler.addrs().filter(forgotten).cloned().collect();
        for addr in forgotten {
            self.dialler.remove_idle(&addr);
        }
        for server in &servers {
            let linked = self.links.get(server.id).is_some();
            if self.dialler.add(now, server.addr.clone()) && linked {
                self.dialler.reached(server, None);
            }
        }
        self.known.servers = servers;
        self.dial(now, out);
    }
}
