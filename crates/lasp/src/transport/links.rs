//! Which connection is the link to which peer: every decision of the transport, without a socket.
//!
//! A state machine over connections: it is told what happened to them and answers with [`Action`]s. Its promises:
//!
//! - at most one link per peer, and when two peers dial each other at once they keep the same connection, the one
//!   dialled by the smaller id, without either side ever hearing of a link that goes away again;
//! - a link that works is never replaced: whoever claims its peer's identity on a new connection waits while the
//!   old one is probed, and is refused if that answers;
//! - a link that is dead is replaced within the time of a probe;
//! - every dial is answered: by a link or by a failure.
//!
//! Cost: O(connections) per handshake, O(log) per frame. The handshake itself is in `handshake`.

mod handshake;
#[cfg(test)]
mod tests;

use super::framing::Kind;
use super::hello::{Hello, Reason, Refusal};
use lasp_overlay::{Addr, Contact, PeerId, Time};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Names a connection, from its dial or accept to its end; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// Times and limits of the link table.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// How long connecting and shaking hands may take together. A guess: several round trips around the globe.
    pub dial_timeout: Duration,
    /// How long a connection may take to say hello, and then to be ready. A guess, as above.
    pub handshake_timeout: Duration,
    /// How long an established link has to answer a probe when its peer seems to be elsewhere. A guess.
    pub probe_timeout: Duration,
    /// Most dials at once; further ones wait. A guess: a HyParView node needs about its active view.
    pub max_dials: usize,
    /// Most dials that wait; beyond, a dial fails at once. A guess.
    pub max_waiting_dials: usize,
    /// Most connections that have not shaken hands; beyond, new ones are refused. A guess.
    pub max_handshakes: usize,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            dial_timeout: Duration::from_secs(3),
            handshake_timeout: Duration::from_secs(5),
            probe_timeout: Duration::from_secs(1),
            max_dials: 32,
            max_waiting_dials: 1024,
            max_handshakes: 128,
        }
    }
}

/// What the table wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Opens a connection; answered by [`Links::connected`] or [`Links::ended`].
    Connect(ConnId, Addr),
    /// Sends a control packet.
    Control(ConnId, Kind, Vec<u8>),
    /// Drops a connection, after a refusal if there is one; nothing more is heard of it.
    Hangup(ConnId, Option<Refusal>),
    /// Closes a connection once what was sent has left; nothing more is heard of it.
    Finish(ConnId),
    /// A link is up; or an existing one answers a dial.
    Up {
        /// The connection.
        conn: ConnId,
        /// The peer.
        peer: Contact,
        /// The address that was dialled, if this answers a dial.
        dialed: Option<Addr>,
    },
    /// A link is gone, and why.
    Down(PeerId, String),
    /// A dial failed, and why.
    DialFailed {
        /// The address.
        addr: Addr,
        /// Why, for people.
        why: String,
        /// Whether whoever listens there was wanted, not a certain peer: a way into the cluster.
        contact: bool,
    },
    /// A connection of someone else was refused: worth a line in the log.
    Refused(ConnId, Refusal),
    /// Another process, alive, holds this node's identity.
    IdentityInUse(Contact),
}

/// What a dial is for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Attempt {
    addr: Addr,
    /// The peer that must answer; any if `None`.
    expected: Option<(PeerId, u64)>,
}

#[derive(Clone, Debug)]
enum Stage {
    /// Dialled, not connected.
    Connecting(Attempt),
    /// Dialled and connected: `Hello` sent with this nonce.
    Greeting(Attempt, u64),
    /// Accepted: no `Hello` yet.
    Awaiting,
    /// Both known, but connection `behind` already speaks for that peer and must first prove dead.
    Queued { hello: Hello, behind: ConnId, dialed: Option<Attempt> },
    /// Accepted: `Welcome` sent, not `Ready` yet; `answers` are dials that this link would answer.
    Welcomed { peer: Contact, answers: Vec<Attempt> },
    /// A link.
    Up { peer: Contact },
}

#[derive(Clone, Debug)]
struct Conn {
    stage: Stage,
    /// When the handshake, or a probe of the link, counts as failed.
    deadline: Option<Time>,
}

/// The link table of one node.
#[derive(Debug)]
pub struct Links {
    me: Contact,
    cluster: String,
    dialect: String,
    config: LinkConfig,
    conns: BTreeMap<ConnId, Conn>,
    links: BTreeMap<PeerId, ConnId>,
    waiting: VecDeque<Attempt>,
    actions: VecDeque<Action>,
    next_conn: u64,
    ever_linked: bool,
    leaving: bool,
}

impl Links {
    /// An empty table for the node that others know as `me`. Only nodes of the same cluster and dialect are linked.
    pub fn new(me: Contact, cluster: String, dialect: String, config: LinkConfig) -> Self {
        Self {
            me,
            cluster,
            dialect,
            config,
            conns: BTreeMap::new(),
            links: BTreeMap::new(),
            waiting: VecDeque::new(),
            actions: VecDeque::new(),
            next_conn: 0,
            ever_linked: false,
            leaving: false,
        }
    }

    /// The next thing to do.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The connection that is the link to `peer`.
    pub fn conn_of(&self, peer: PeerId) -> Option<ConnId> {
        self.links.get(&peer).copied()
    }

    /// The peer that a connection is the link to.
    pub fn peer_of(&self, id: ConnId) -> Option<PeerId> {
        match &self.conns.get(&id)?.stage {
            Stage::Up { peer } => Some(peer.id),
            _ => None,
        }
    }

    /// How many links are up.
    pub fn count(&self) -> usize {
        self.links.len()
    }

    /// When [`tick`](Self::tick) is due. O(connections).
    pub fn next_deadline(&self) -> Option<Time> {
        self.conns.values().filter_map(|conn| conn.deadline).min()
    }

    /// Refuses every further handshake: the node is leaving.
    pub const fn leave(&mut self) {
        self.leaving = true;
    }

    /// Asks for a link to whoever listens at `addr`.
    pub fn dial(&mut self, now: Time, addr: Addr) {
        self.attempt(now, Attempt { addr, expected: None });
    }

    /// Asks for a link to one peer; answered at once if there is one.
    pub fn link(&mut self, now: Time, contact: &Contact) {
        let attempt = Attempt { addr: contact.addr.clone(), expected: Some((contact.id, contact.incarnation)) };
        match self.speaking_for(contact.id) {
            Some((_, theirs)) if theirs.incarnation > contact.incarnation => {
                self.fail(attempt, format!("{} has restarted since", contact.id));
            }
            Some((id, theirs)) if theirs.incarnation == contact.incarnation => self.answer(id, attempt),
            _ => self.attempt(now, attempt),
        }
    }

    /// Closes the link to `peer` after what was sent has left; no `Down` follows.
    pub fn close(&mut self, now: Time, peer: PeerId) {
        let Some(id) = self.links.remove(&peer) else { return };
        self.conns.remove(&id);
        self.push(Action::Finish(id));
        self.release(now, id);
    }

    /// A dial has connected: says hello on it.
    pub fn connected(&mut self, id: ConnId, nonce: u64) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let Stage::Connecting(attempt) = &conn.stage else { return };
        let expected = attempt.expected;
        conn.stage = Stage::Greeting(attempt.clone(), nonce);
        let hello = self.hello(nonce, expected);
        self.push(Action::Control(id, Kind::Hello, hello.to_bytes()));
    }

    /// Someone has connected; `Err` if there are too many who have not said who they are.
    ///
    /// # Errors
    /// The refusal to send.
    pub fn accepted(&mut self, now: Time) -> Result<ConnId, Refusal> {
        let shaking = self.conns.values().filter(|c| !matches!(c.stage, Stage::Up { .. })).count();
        if shaking >= self.config.max_handshakes {
            return Err(Refusal::new(Reason::Busy, "too many handshakes at once; try again", None));
        }
        Ok(self.open(Stage::Awaiting, now + self.config.handshake_timeout))
    }

    /// Forgets a connection that someone else serves from now on; `false`, and nothing changed, unless it was accepted and
    /// has said nothing yet.
    pub fn hand_over(&mut self, id: ConnId) -> bool {
        let untouched = matches!(self.conns.get(&id), Some(Conn { stage: Stage::Awaiting, .. }));
        if untouched {
            self.conns.remove(&id);
        }
        untouched
    }

    /// Whether the node is leaving: handshakes are refused.
    pub const fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// A connection has ended without this side's doing: refused, closed, reset, or its bytes made no sense.
    pub fn ended(&mut self, now: Time, id: ConnId, why: &str) {
        let Some(conn) = self.conns.remove(&id) else { return };
        match conn.stage {
            Stage::Connecting(attempt) | Stage::Greeting(attempt, _) => self.fail(attempt, why.to_owned()),
            Stage::Awaiting => {}
            Stage::Queued { dialed, .. } => dialed.into_iter().for_each(|attempt| self.fail(attempt, why.to_owned())),
            Stage::Welcomed { answers, .. } => {
                answers.into_iter().for_each(|attempt| self.fail(attempt, why.to_owned()));
                self.release(now, id);
            }
            Stage::Up { peer } => {
                self.links.remove(&peer.id);
                self.push(Action::Down(peer.id, why.to_owned()));
                self.release(now, id);
            }
        }
        self.dial_waiting(now);
    }

    /// Gives up on what has taken too long.
    pub fn tick(&mut self, now: Time) {
        let late = |conn: &Conn| conn.deadline.is_some_and(|at| at <= now);
        let expired: Vec<ConnId> = self.conns.iter().filter(|(_, c)| late(c)).map(|(id, _)| *id).collect();
        for id in expired {
            let Some(conn) = self.conns.get(&id) else { continue };
            let (refusal, why) = match conn.stage {
                Stage::Connecting(_) => (None, "no connection within the time"),
                Stage::Up { .. } => (None, "no answer to a probe"),
                _ => {
                    let refusal = Refusal::new(Reason::Timeout, "no handshake within the time", None);
                    (Some(refusal), "no handshake within the time")
                }
            };
            self.push(Action::Hangup(id, refusal));
            self.ended(now, id, why);
        }
    }

    fn attempt(&mut self, now: Time, attempt: Attempt) {
        let same = |conn: &Conn| matches!(&conn.stage, Stage::Connecting(a) | Stage::Greeting(a, _) if *a == attempt);
        if self.conns.values().any(same) || self.waiting.contains(&attempt) {
            return; // its answer answers both
        }
        if self.waiting.len() >= self.config.max_waiting_dials {
            return self.fail(attempt, "too many dials at once".to_owned());
        }
        self.waiting.push_back(attempt);
        self.dial_waiting(now);
    }

    fn dial_waiting(&mut self, now: Time) {
        let dialing = |conn: &&Conn| matches!(conn.stage, Stage::Connecting(_) | Stage::Greeting(..));
        while self.conns.values().filter(dialing).count() < self.config.max_dials {
            let Some(attempt) = self.waiting.pop_front() else { return };
            let addr = attempt.addr.clone();
            let id = self.open(Stage::Connecting(attempt), now + self.config.dial_timeout);
            self.push(Action::Connect(id, addr));
        }
    }

    fn open(&mut self, stage: Stage, deadline: Time) -> ConnId {
        let id = ConnId(self.next_conn);
        self.next_conn += 1;
        self.conns.insert(id, Conn { stage, deadline: Some(deadline) });
        id
    }

    /// The connection that speaks, or is about to, for a peer.
    fn speaking_for(&self, peer: PeerId) -> Option<(ConnId, Contact)> {
        if let Some(id) = self.links.get(&peer)
            && let Some(Conn { stage: Stage::Up { peer }, .. }) = self.conns.get(id)
        {
            return Some((*id, peer.clone()));
        }
        self.conns.iter().find_map(|(id, conn)| match &conn.stage {
            Stage::Welcomed { peer: theirs, .. } if theirs.id == peer => Some((*id, theirs.clone())),
            _ => None,
        })
    }

    /// Lets `id` answer a dial, now if it is a link or when it becomes one.
    fn answer(&mut self, id: ConnId, attempt: Attempt) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        match &mut conn.stage {
            Stage::Welcomed { answers, .. } => answers.push(attempt),
            Stage::Up { peer } => {
                let (peer, dialed) = (peer.clone(), Some(attempt.addr));
                self.push(Action::Up { conn: id, peer, dialed });
            }
            _ => self.fail(attempt, "no link".to_owned()),
        }
    }

    fn fail(&mut self, attempt: Attempt, why: String) {
        self.push(Action::DialFailed { addr: attempt.addr, why, contact: attempt.expected.is_none() });
    }

    fn push(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    fn hello(&self, nonce: u64, expected: Option<(PeerId, u64)>) -> Hello {
        let (cluster, dialect) = (self.cluster.clone(), self.dialect.clone());
        Hello { cluster, dialect, contact: self.me.clone(), nonce, expected }
    }
}
