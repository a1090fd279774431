//! Client-server membership: servers form a full mesh, clients keep links with a few of them.
//!
//! Every link begins with both sides saying what they are. Two clients do not stay linked; a client and a server are
//! neighbours if the server has room. Every server knows all servers and all clients, and which server has them; a
//! client knows the servers. What one client sends to all others goes along the broadcast tree, through the servers.
//!
//! This file holds the state and the dispatch. `links` is what both roles do with links, `server` and `client` what each
//! does; `message`, `config`.

mod client;
mod config;
mod links;
mod message;
mod server;

pub use config::{Config, Role};
pub use message::{Client, MAX_CLIENTS, MAX_SERVERS, Message};

use super::dialler::Dialler;
use super::full::{self, FullMesh};
use super::greeting::{Due, Greetings, TICK};
use super::{Command, Event, Membership, Metrics, Standing};
use crate::peer::{Addr, Contact, PeerId};
use crate::protocol::{Input, Outbox, Output, Protocol};
use crate::rng::Rng;
use crate::time::Time;
use client::Known;
use server::Server;
use std::collections::{BTreeMap, BTreeSet};

type Out = Outbox<ClientServer>;

/// Client-server membership at one peer.
#[derive(Debug)]
pub struct ClientServer {
    me: Contact,
    config: Config,
    rng: Rng,
    /// How often it has come back in this life.
    stay: u64,
    left: bool,
    links: Greetings,
    /// At which addresses links were dialled whose peers have not said what they are.
    dialed: BTreeMap<PeerId, Addr>,
    neighbors: BTreeSet<PeerId>,
    /// What it is, if it is a server.
    server: Option<Box<Server>>,
    /// What it knows, if it is a client.
    known: Known,
    dialler: Dialler,
    /// What it counted itself.
    counts: Metrics,
    /// The same with the mesh's.
    metrics: Metrics,
}

/// What the timers of [`ClientServer`] carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Periodic upkeep.
    Tick,
    /// Of the servers' mesh.
    Mesh(full::Timer),
}

impl ClientServer {
    /// The protocol of the peer `contact`.
    pub fn new(config: Config, contact: Contact, mut rng: Rng) -> Self {
        let mesh = || FullMesh::new(config.mesh.clone(), contact.clone(), rng.fork());
        let server = (config.role == Role::Server).then(mesh).map(|mesh| Box::new(Server::new(mesh)));
        Self {
            me: contact,
            rng,
            stay: 0,
            left: false,
            links: Greetings::default(),
            dialed: BTreeMap::new(),
            neighbors: BTreeSet::new(),
            server,
            known: Known::default(),
            dialler: Dialler::new(config.pace.clone()),
            counts: Metrics::default(),
            metrics: Metrics::default(),
            config,
        }
    }

    fn sum_metrics(&mut self) {
        let mesh = self.server.as_ref().map(|server| *server.mesh.metrics()).unwrap_or_default();
        self.metrics = self.counts + Metrics { ups: 0, downs: 0, failures: 0, isolations: 0, ..mesh };
    }

    /// What this peer is.
    pub const fn role(&self) -> Role {
        self.config.role
    }

    /// The server that has a client, as far as a server knows.
    pub fn server_of(&self, client: PeerId) -> Option<PeerId> {
        let server = self.server.as_ref()?;
        if server.clients.contains_key(&client) {
            return Some(self.me.id);
        }
        server.server_of(client).map(|(server, _)| server)
    }

    fn set_tick(&mut self, out: &mut Out) {
        out.set_timer(self.rng.jitter(TICK, 0.25), Timer::Tick);
    }

    fn hello(&self, to: PeerId) -> Message {
        Message::Hello { role: self.config.role, stay: self.stay, hail: self.links.hail(to) }
    }

    fn join(&mut self, now: Time, addrs: &[Addr], out: &mut Out) {
        if self.left {
            self.left = false;
            self.stay = self.stay.saturating_add(1);
            self.dialler.begin_anew(now);
        }
        if self.server.is_some() {
            self.feed_mesh(now, Input::Command(Command::Join(addrs.to_vec())), out);
        } else {
            self.look_at(now, addrs, out);
        }
    }

    fn leave(&mut self, now: Time, out: &mut Out) {
        if !self.left {
            self.left = true;
            self.feed_mesh(now, Input::Command(Command::Leave), out);
            self.go(now, out);
        }
    }

    /// Takes leave of everybody who is still linked once the servers' mesh has closed its links.
    fn go(&mut self, now: Time, out: &mut Out) {
        self.left = true;
        for peer in self.links.ids() {
            if let Some(server) = self.server.as_ref().filter(|server| !server.clients.contains_key(&peer)) {
                // A server to which this one is a member already.
                out.send(peer, Message::Mesh(server.mesh.goodbye(now)));
            }
            out.send(peer, Message::Bye);
            self.lose(now, peer, false, out);
            self.close(peer, out);
        }
    }

    fn on_message(&mut self, now: Time, from: PeerId, message: Message, out: &mut Out) {
        self.heard(now, from);
        if self.left || self.links.get(from).is_none() {
            return;
        }
        match message {
            Message::Mesh(message) => self.on_mesh_message(now, from, message, out),
            Message::Hello { role, stay, hail } => self.on_hello(now, from, (role, stay), hail, out),
            Message::Ping => out.send(from, Message::Pong),
            Message::Pong => {} // it was heard
            Message::Bye | Message::Full => {
                // Of a server that leaves, the servers' mesh tells.
                let in_mesh = self.server.as_ref().is_some_and(|server| server.mesh.is_active(from));
                if message == Message::Bye && self.neighbors.contains(&from) && !in_mesh {
                    out.emit(Event::Left(from));
                }
                out.push(Output::Close(from));
                self.lose(now, from, true, out);
            }
            Message::Servers(servers) => self.on_servers(now, servers, out),
            Message::Evicted => self.on_evicted(now, out),
            Message::Roster { version } => self.on_roster(from, version, out),
            Message::Ask => self.on_ask(from, out),
            Message::Clients { version, clients } => self.on_clients(from, version, clients, out),
            Message::Expel(client) => self.on_expel(from, client, out),
        }
    }

    /// An operator has removed this client.
    fn on_evicted(&mut self, now: Time, out: &mut Out) {
        if self.server.is_none() {
            self.go(now, out);
            out.emit(Event::Evicted);
        }
    }

    fn on_expel(&mut self, from: PeerId, client: Client, out: &mut Out) {
        if self.server.as_ref().is_some_and(|server| server.mesh.is_active(from)) {
            self.expel(client, out);
        }
    }

    fn on_tick(&mut self, now: Time, out: &mut Out) {
        self.set_tick(out);
        let mesh = self.server.as_ref().map(|server| &server.mesh);
        let looked_after = |peer| mesh.is_some_and(|mesh| mesh.is_active(peer));
        for (peer, due) in self.links.tick(now, &self.config.patience, looked_after) {
            match due {
                Due::Hello => out.send(peer, self.hello(peer)),
                Due::Probe => {
                    self.counts.probes += 1;
                    out.send(peer, Message::Ping);
                }
                Due::GivenUp => {
                    self.counts.failures += u64::from(self.neighbors.contains(&peer));
                    out.push(Output::Close(peer));
                    self.lose(now, peer, false, out);
                }
            }
        }
        self.dial(now, out);
        self.tend_rosters(out);
    }
}

impl Protocol for ClientServer {
    type Command = Command;
    type Message = Message;
    type Timer = Timer;
    type Event = Event;

    fn handle(&mut self, now: Time, input: Input<Self>, out: &mut Out) {
        match input {
            Input::Start => {
                self.feed_mesh(now, Input::Start, out);
                self.set_tick(out);
            }
            Input::Command(Command::Join(addrs)) => self.join(now, &addrs, out),
            Input::Command(Command::Leave) => self.leave(now, out),
            Input::Command(Command::Evict(peer)) => self.evict(now, peer, out),
            Input::Command(Command::Connect(_) | Command::Disconnect(_) | Command::Mark(_)) => {}
            Input::Received { from, message } => self.on_message(now, from, message, out),
            Input::Expired(Timer::Tick) => self.on_tick(now, out),
            Input::Expired(Timer::Mesh(timer)) => self.feed_mesh(now, Input::Expired(timer), out),
            Input::LinkUp { peer, dialed } => self.on_link_up(now, peer, dialed, out),
            Input::DialFailed(addr) => self.on_dial_failed(now, addr, out),
            Input::LinkDown(peer) => self.on_link_down(now, peer, out),
            Input::Drained { .. } => {}
        }
        self.sum_metrics();
    }
}

impl Membership for ClientServer {
    fn contact(&self) -> &Contact {
        &self.me
    }

    fn active(&self) -> Vec<Contact> {
        self.neighbors.iter().filter_map(|peer| self.contact_of(*peer).cloned()).collect()
    }

    fn passive(&self) -> Vec<Contact> {
        let others = self.members().into_iter().map(|(contact, _)| contact);
        others.filter(|contact| !self.neighbors.contains(&contact.id)).collect()
    }

    fn members(&self) -> Vec<(Contact, Standing)> {
        let mut members: BTreeMap<PeerId, (Contact, Standing)> = BTreeMap::new();
        let mut add = |contact: &Contact, standing| {
            members.entry(contact.id).or_insert_with(|| (contact.clone(), standing));
        };
        if let Some(server) = &self.server {
            server.mesh.members().iter().for_each(|(contact, standing)| add(contact, *standing));
            let clients = server.clients.values().chain(server.rosters.values().flat_map(|(_, clients)| clients));
            clients.for_each(|client| add(&client.contact, Standing::Alive));
        } else {
            self.links.active().chain(&self.known.servers).for_each(|contact| add(contact, Standing::Alive));
        }
        members.remove(&self.me.id);
        members.into_values().collect()
    }

    fn reachable(&self) -> Vec<Contact> {
        let mut reachable = self.active();
        if let Some(server) = &self.server {
            reachable.extend(server.mesh.reachable());
            let clients = server.rosters.values().flat_map(|(_, clients)| clients);
            reachable.extend(clients.map(|client| client.contact.clone()).filter(|contact| contact.id != self.me.id));
        }
        reachable.sort_by_key(|contact| contact.id);
        reachable.dedup_by_key(|contact| contact.id);
        reachable
    }

    fn contact_of(&self, peer: PeerId) -> Option<&Contact> {
        let linked = self.links.get(peer).map(|link| &link.contact);
        let in_mesh = || self.server.as_ref()?.mesh.contact_of(peer);
        let elsewhere = || Some(&self.server.as_ref()?.server_of(peer)?.1.contact);
        linked.or_else(in_mesh).or_else(elsewhere)
    }

    fn is_active(&self, peer: PeerId) -> bool {
        self.neighbors.contains(&peer)
    }

    fn heard(&mut self, now: Time, from: PeerId) {
        self.links.heard(now, from);
        if let Some(server) = &mut self.server {
            server.mesh.heard(now, from);
        }
    }

    fn accepts(&self, command: &Command) -> bool {
        match command {
            Command::Join(_) | Command::Leave | Command::Mark(_) => true,
            Command::Evict(_) => self.server.is_some(),
            Command::Connect(_) | Command::Disconnect(_) => false,
        }
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

#[cfg(test)]
mod tests;
