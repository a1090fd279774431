//! A server: a member of the servers' mesh, with clients of its own, that knows who the others' clients are.
//!
//! Servers tell each other their clients whenever that changes, and compare the number of the list now and then. A list
//! is kept as long as its server is linked.

use super::message::{Client, MAX_SERVERS, Message};
use super::{ClientServer, Out, Timer};
use crate::membership::full::{self, FullMesh};
use crate::membership::{Command, Event, Hail, Membership};
use crate::peer::{Contact, PeerId};
use crate::protocol::{Input, Outbox, Output, Protocol};
use crate::time::Time;
use std::collections::{BTreeMap, VecDeque};

/// Most evictions of clients remembered; beyond, the first is forgotten. A guess.
const EXPELLED: usize = 1024;

/// What only a server has.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) mesh: FullMesh,
    /// Its clients, by the stay in which they came.
    pub(super) clients: BTreeMap<PeerId, Client>,
    /// Which list of its clients is the last, and whether the others have been told.
    version: u64,
    told: bool,
    /// The other servers' clients.
    pub(super) rosters: BTreeMap<PeerId, (u64, Vec<Client>)>,
    /// Clients that an operator evicted, in that stay.
    expelled: VecDeque<Client>,
    ticks: u32,
}

/// How many ticks lie between two comparisons of lists: ten seconds, as digests of the mesh.
const COMPARE: u32 = 10;

impl Server {
    pub(super) const fn new(mesh: FullMesh) -> Self {
        Self {
            mesh,
            clients: BTreeMap::new(),
            version: 0,
            told: true,
            rosters: BTreeMap::new(),
            expelled: VecDeque::new(),
            ticks: 0,
        }
    }

    const fn changed(&mut self) {
        self.version += 1;
        self.told = false;
    }

    /// Whether a client in some stay, or a later one, has been evicted.
    fn has_expelled(&self, client: &Client) -> bool {
        let key = |c: &Client| (c.contact.id, c.contact.incarnation);
        self.expelled.iter().any(|e| key(e) == key(client) && e.stay >= client.stay)
    }

    fn list(&self) -> Message {
        Message::Clients { version: self.version, clients: self.clients.values().cloned().collect() }
    }

    /// The server that has this peer as client, if another has.
    pub(super) fn server_of(&self, client: PeerId) -> Option<(PeerId, &Client)> {
        let has = |(server, (_, clients)): (&PeerId, &'_ (u64, Vec<Client>))| {
            clients.iter().any(|c| c.contact.id == client).then_some(*server)
        };
        let server = self.rosters.iter().find_map(has)?;
        let client = self.rosters.get(&server)?.1.iter().find(|c| c.contact.id == client)?;
        Some((server, client))
    }
}

impl ClientServer {
    /// Gives the mesh its input and acts on what follows.
    pub(super) fn feed_mesh(&mut self, now: Time, input: Input<FullMesh>, out: &mut Out) {
        let Some(server) = &mut self.server else { return };
        let mut effects: Outbox<FullMesh> = Outbox::new();
        server.mesh.handle(now, input, &mut effects);
        for effect in effects.take() {
            if let Output::Close(peer) = effect {
                self.links.remove(peer);
            }
            match effect.lift(Message::Mesh, Timer::Mesh) {
                Ok(effect) => out.push(effect),
                Err(event) => self.on_mesh_event(now, event, out),
            }
        }
    }

    fn on_mesh_event(&mut self, now: Time, event: Event, out: &mut Out) {
        match event {
            Event::Up(contact) => {
                let peer = contact.id;
                self.up(contact, out);
                if let Some(server) = self.server.as_ref().filter(|server| !server.clients.is_empty()) {
                    out.send(peer, server.list());
                }
                self.tell_clients(out);
            }
            Event::Down(peer) => {
                if let Some(server) = &mut self.server {
                    server.rosters.remove(&peer);
                }
                self.down(peer, out);
                self.tell_clients(out);
            }
            Event::Evicted => {
                self.go(now, out);
                out.emit(Event::Evicted);
            }
            Event::Left(_) => out.emit(event),
            Event::Joined | Event::Isolated => {} // of the mesh alone
        }
    }

    /// Every server that is known, as a client should know them: this one first.
    fn servers(&self) -> Vec<Contact> {
        let mut servers = vec![self.me.clone()];
        if let Some(server) = &self.server {
            servers.extend(server.mesh.reachable());
        }
        servers.truncate(MAX_SERVERS);
        servers
    }

    fn tell_clients(&self, out: &mut Out) {
        let Some(server) = self.server.as_ref().filter(|_| !self.left) else { return };
        let servers = self.servers();
        for client in server.clients.keys() {
            out.send(*client, Message::Servers(servers.clone()));
        }
    }

    /// A client wants in.
    pub(super) fn admit(&mut self, from: PeerId, stay: u64, hail: Hail, out: &mut Out) {
        let servers = self.servers();
        let capacity = self.config.clients.min(super::MAX_CLIENTS);
        let Some((server, link)) = self.server.as_mut().zip(self.links.get(from)) else { return };
        let client = Client { contact: link.contact.clone(), stay };
        let refusal = if server.has_expelled(&client) {
            Some(Message::Evicted)
        } else if server.clients.len() >= capacity && !server.clients.contains_key(&from) {
            Some(Message::Full)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            self.counts.refused += 1;
            out.send(from, refusal);
            out.send(from, Message::Servers(servers));
            return self.close(from, out);
        }
        server.clients.insert(from, client);
        if let Some(contact) = self.links.accept(from, hail) {
            server.changed();
            self.up(contact, out);
            out.send(from, Message::Servers(servers));
        }
    }

    /// A client is gone.
    pub(super) fn client_gone(&mut self, peer: PeerId) {
        if let Some(server) = &mut self.server
            && server.clients.remove(&peer).is_some()
        {
            server.changed();
        }
    }

    /// Tells the other servers of changes, and compares with them now and then.
    pub(super) fn tend_rosters(&mut self, out: &mut Out) {
        let Some(server) = &mut self.server else { return };
        server.ticks = server.ticks.wrapping_add(1);
        let changed = !std::mem::replace(&mut server.told, true);
        let message = match (changed, server.ticks % COMPARE) {
            (true, _) => server.list(),
            (false, 0) if server.version > 0 => Message::Roster { version: server.version },
            (false, _) => return,
        };
        for contact in server.mesh.active() {
            out.send(contact.id, message.clone());
        }
    }

    pub(super) fn on_roster(&mut self, from: PeerId, version: u64, out: &mut Out) {
        if let Some(server) = &self.server
            && server.rosters.get(&from).is_none_or(|(known, _)| *known < version)
        {
            out.send(from, Message::Ask);
        }
    }

    pub(super) fn on_ask(&self, from: PeerId, out: &mut Out) {
        if let Some(server) = &self.server {
            out.send(from, server.list());
        }
    }

    pub(super) fn on_clients(&mut self, from: PeerId, version: u64, clients: Vec<Client>, out: &mut Out) {
        let Some(server) = &mut self.server else { return };
        if !server.mesh.is_active(from) || server.rosters.get(&from).is_some_and(|(known, _)| *known >= version) {
            return;
        }
        // It has not heard of an eviction.
        for client in clients.iter().filter(|client| server.has_expelled(client)) {
            out.send(from, Message::Expel(client.clone()));
        }
        server.rosters.insert(from, (version, clients));
    }

    /// An operator removes a server or a client.
    pub(super) fn evict(&mut self, now: Time, peer: PeerId, out: &mut Out) {
        let Some(server) = &self.server else {
            self.counts.refused += 1;
            return;
        };
        let own = server.clients.get(&peer);
        let Some(client) = own.or_else(|| server.server_of(peer).map(|(_, client)| client)).cloned() else {
            return self.feed_mesh(now, Input::Command(Command::Evict(peer)), out);
        };
        self.counts.evicted += 1;
        for contact in server.mesh.active() {
            out.send(contact.id, Message::Expel(client.clone()));
        }
        self.expel(client, out);
    }

    /// A client has been evicted somewhere.
    pub(super) fn expel(&mut self, client: Client, out: &mut Out) {
        let Some(server) = &mut self.server else { return };
        let peer = client.contact.id;
        let here =
            server.clients.get(&peer).is_some_and(|own| own.contact == client.contact && own.stay <= client.stay);
        if !server.has_expelled(&client) {
            server.expelled.push_back(client);
            if server.expelled.len() > EXPELLED {
                server.expelled.pop_front();
            }
        }
        if here {
            out.send(peer, Message::Evicted);
            self.close(peer, out);
        }
    }

    /// A message of the mesh, from a peer that has said that it is a server.
    pub(super) fn on_mesh_message(&mut self, now: Time, from: PeerId, message: full::Message, out: &mut Out) {
        let is_client = self.server.as_ref().is_none_or(|server| server.clients.contains_key(&from));
        if !is_client && self.links.is_active(from) {
            self.feed_mesh(now, Input::Received { from, message }, out);
        }
    }
}
