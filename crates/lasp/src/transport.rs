//! Links to peers over TCP: framing, handshake, dialling, and orderly ends.
//!
//! - [`framing`]: the byte stream: frames and control packets.
//! - [`hello`]: who is there; refusals.
//! - [`links`]: every decision, as a state machine without sockets.
//! - `connection`: one socket: reading, writing, closing. `shortage`: when descriptors or ports run out.
//!
//! [`Transport`] carries the decisions out. It knows no message's meaning; buffers towards a slow peer grow only by
//! what the protocol sends, which learns from [`LinkEvent::Drained`] how much has left.

mod connection;
pub mod framing;
pub mod hello;
pub mod links;
mod shortage;

use crate::log::{Level, Log};
use connection::{Connection, End, Happening, LINGER, Task};
pub(crate) use connection::{say_goodbye, tune_for_client};
use framing::{Decoder, FramingError, Packet};
use hello::{Reason, Refusal};
use lasp_overlay::{Addr, Contact, PeerId, Rng, Time};
use links::{Action, ConnId, LinkConfig, Links};
use shortage::Spare;
pub(crate) use shortage::explained;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Times and limits of the transport.
#[derive(Clone, Debug)]
pub struct TransportConfig {
    /// Of dials, handshakes and probes.
    pub links: LinkConfig,
    /// Largest frame in bytes; a peer that sends a larger one is disconnected. Default 1 MiB.
    pub max_frame: usize,
    /// Bytes that may wait for one slow peer before it is counted and reported. Nothing is dropped: the node's
    /// own flow control is what keeps the buffer small. Default 8 MiB, a guess.
    pub backlog_warning: usize,
    /// Where lines for the operator go.
    pub log: Log,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self { links: LinkConfig::default(), max_frame: 1 << 20, backlog_warning: 8 << 20, log: Log::silent() }
    }
}

/// What the transport tells its owner.
#[derive(Debug)]
pub enum LinkEvent<M> {
    /// A link is up; or an existing one answers a dial.
    Up {
        /// Who is at the other end.
        peer: Contact,
        /// The address that was dialled, if this answers a dial.
        dialed: Option<Addr>,
    },
    /// A link is gone.
    Down(PeerId),
    /// A dial failed.
    DialFailed(Addr),
    /// A message came.
    Received {
        /// Its sender.
        from: PeerId,
        /// The message.
        message: M,
    },
    /// The kernel took this many bytes of messages.
    Drained {
        /// Their receiver.
        peer: PeerId,
        /// How many.
        bytes: usize,
    },
    /// Another process, alive, holds this node's identity: this one must stop.
    IdentityInUse(Contact),
}

/// What the transport counts, all since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransportStats {
    /// Bytes read, everything included.
    pub bytes_received: u64,
    /// Bytes written, everything included.
    pub bytes_sent: u64,
    /// Connections accepted.
    pub accepted: u64,
    /// Times that the system could not let anybody in, for want of descriptors.
    pub accepts_failed: u64,
    /// Connections refused for that reason, as far as they could be told.
    pub turned_away: u64,
    /// Dials that failed.
    pub dials_failed: u64,
    /// Connections refused at their handshake.
    pub refused: u64,
    /// Connections closed because their bytes made no sense or a frame was too large.
    pub violations: u64,
    /// Messages to peers without a link: dropped.
    pub unlinked: u64,
    /// Most bytes that ever waited for one peer.
    pub backlog_peak: u64,
    /// Times a backlog passed the configured size.
    pub backlog_warnings: u64,
}

/// A connection whose first packet was that of a client: whoever serves clients goes on with it.
#[derive(Debug)]
pub struct Incoming {
    /// The socket.
    pub(crate) stream: Arc<TcpStream>,
    /// What this side has yet to write.
    pub(crate) unsent: Vec<u8>,
    /// The body of the client's packet.
    pub(crate) hello: Vec<u8>,
    /// What came behind it.
    pub(crate) decoder: Decoder,
}

/// Batches of packets read ahead of the driver: with the read size, the bound on what waits unhandled. A guess.
const READ_AHEAD: usize = 64;

/// Connections that may be finishing at once; beyond, they are just dropped. A guess.
const MAX_FINISHING: usize = 256;

/// How long to wait before accepting again after the system could not (no file descriptors left). A guess.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections turned away at once, between two such pauses. A guess: a flood is told in good time, and costs little.
const MAX_TURNED_AWAY: usize = 16;

/// How often a dial is repeated that fails for want of descriptors here, with the same pause between: a peer is not dead
/// because this process has none. A guess, below the time that a dial may take.
const MAX_SHORT_DIALS: u32 = 20;

/// A failing address is reported again after this long, or when the reason changes.
const REPORT_AGAIN: Duration = Duration::from_secs(30);

/// Addresses whose last report is remembered.
const MAX_REPORTS: usize = 256;

/// The links of one node.
#[derive(Debug)]
pub struct Transport<M> {
    config: TransportConfig,
    listener: TcpListener,
    accept_again: Option<Time>,
    spare: Spare,
    shortage_reported: Option<Time>,
    links: Links,
    open: BTreeMap<ConnId, Connection>,
    dialing: BTreeMap<ConnId, Task>,
    finishing: JoinSet<()>,
    dirty: Vec<ConnId>,
    events: VecDeque<LinkEvent<M>>,
    happenings: mpsc::Receiver<Happening<M>>,
    tell: mpsc::Sender<Happening<M>>,
    nonces: Rng,
    stats: TransportStats,
    reports: BTreeMap<Addr, (String, Time)>,
    clients: Option<mpsc::Sender<Incoming>>,
}

impl<M: AsRef<[u8]> + for<'a> From<&'a [u8]> + Send + 'static> Transport<M> {
    /// The transport of `me`, which `listener` accepts for. It links nodes of the same cluster and dialect, which is
    /// what their messages presuppose. `seed` makes its nonces.
    pub fn new(
        listener: TcpListener,
        me: Contact,
        cluster: String,
        dialect: String,
        seed: u64,
        config: TransportConfig,
    ) -> Self {
        let (tell, happenings) = mpsc::channel(READ_AHEAD);
        Self {
            links: Links::new(me, cluster, dialect, config.links.clone()),
            config,
            spare: Spare::keep(&listener),
            listener,
            accept_again: None,
            shortage_reported: None,
            open: BTreeMap::new(),
            dialing: BTreeMap::new(),
            finishing: JoinSet::new(),
            dirty: Vec::new(),
            events: VecDeque::new(),
            happenings,
            tell,
            nonces: Rng::new(seed),
            stats: TransportStats::default(),
            reports: BTreeMap::new(),
            clients: None,
        }
    }

    /// Hands clients over to whoever receives there; without this they are refused.
    pub fn serve_clients(&mut self, clients: mpsc::Sender<Incoming>) {
        self.clients = Some(clients);
    }

    /// Asks for a link to whoever listens at `addr`.
    pub fn dial(&mut self, now: Time, addr: Addr) {
        self.links.dial(now, addr);
        self.act(now);
    }

    /// Asks for a link to one peer.
    pub fn link(&mut self, now: Time, contact: &Contact) {
        self.links.link(now, contact);
        self.act(now);
    }

    /// Closes the link to `peer` once what was sent has left.
    pub fn close(&mut self, now: Time, peer: PeerId) {
        self.links.close(now, peer);
        self.act(now);
    }

    /// Buffers a message; without a link it is dropped and counted.
    pub fn send(&mut self, to: PeerId, message: &M) {
        let bytes = message.as_ref();
        let id = self.links.conn_of(to).filter(|_| !bytes.is_empty());
        let Some((id, connection)) = id.and_then(|id| self.open.get_mut(&id).map(|c| (id, c))) else {
            self.stats.unlinked += 1;
            return;
        };
        let before = connection.backlog();
        connection.frame(bytes);
        self.note_backlog(to, before);
        self.dirty.push(id);
    }

    /// Writes what was buffered: one call per connection.
    pub fn flush(&mut self, now: Time) {
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.sort_unstable();
        dirty.dedup();
        for id in dirty.drain(..) {
            self.flush_one(now, id);
        }
        if self.dirty.is_empty() {
            self.dirty = dirty; // its capacity is reused
        }
    }

    /// Gives up on what has taken too long.
    pub fn tick(&mut self, now: Time) {
        self.accept_again = self.accept_again.filter(|at| *at > now);
        self.links.tick(now);
        self.act(now);
    }

    /// When [`tick`](Self::tick) is due.
    pub fn next_deadline(&self) -> Option<Time> {
        [self.links.next_deadline(), self.accept_again].into_iter().flatten().min()
    }

    /// The next event.
    pub fn next_event(&mut self) -> Option<LinkEvent<M>> {
        self.events.pop_front()
    }

    /// Takes in what has happened on the sockets; ready when there are events.
    pub fn poll(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<()> {
        while self.accept_again.is_none() && self.poll_accept(cx, now).is_ready() {}
        while let Poll::Ready(Some(_)) = self.finishing.poll_join_next(cx) {}
        while self.events.len() < READ_AHEAD {
            match self.happenings.poll_recv(cx) {
                Poll::Ready(Some(happening)) => self.on_happening(now, happening),
                _ => break,
            }
        }
        if self.events.is_empty() && self.dirty.is_empty() { Poll::Pending } else { Poll::Ready(()) }
    }

    /// What was counted.
    pub const fn stats(&self) -> TransportStats {
        self.stats
    }

    /// How many links are up.
    pub fn link_count(&self) -> usize {
        self.links.count()
    }

    /// Refuses further handshakes.
    pub const fn leave(&mut self) {
        self.links.leave();
    }

    /// Closes every connection in good order, within a bounded time.
    pub async fn shutdown(mut self) {
        for (_, connection) in std::mem::take(&mut self.open) {
            self.finishing.spawn(connection.finish());
        }
        let all = async { while self.finishing.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LINGER, all).await;
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>, now: Time) -> Poll<()> {
        match self.listener.poll_accept(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok((stream, _))) => {
                self.stats.accepted += 1;
                self.accepted(now, stream);
                Poll::Ready(())
            }
            Poll::Ready(Err(error)) => {
                self.cannot_accept(cx, now, &error);
                Poll::Ready(())
            }
        }
    }

    /// Lets nobody in for a while; who waits is told so if that is possible.
    fn cannot_accept(&mut self, cx: &mut Context<'_>, now: Time, error: &std::io::Error) {
        self.stats.accepts_failed += 1;
        if self.shortage_reported.is_none_or(|at| now.since(at) >= REPORT_AGAIN) {
            self.shortage_reported = Some(now);
            self.config.log.line(Level::Warn, || format!("cannot accept connections: {}", explained(error)));
        }
        if shortage::of_descriptors(error) {
            for _ in 0..MAX_TURNED_AWAY {
                let free = self.spare.give_up();
                if free && let Poll::Ready(Ok((stream, _))) = self.listener.poll_accept(cx) {
                    self.stats.turned_away += 1;
                    shortage::turn_away(&stream);
                    drop(stream);
                    self.spare = Spare::keep(&self.listener);
                } else {
                    self.spare = Spare::keep(&self.listener);
                    break;
                }
            }
        }
        self.accept_again = Some(now + ACCEPT_PAUSE);
    }

    fn accepted(&mut self, now: Time, stream: TcpStream) {
        match self.links.accepted(now) {
            Ok(id) => self.opened(id, stream),
            Err(refusal) => {
                let mut connection = Connection::open(ConnId(u64::MAX), stream, 0, self.tell.clone());
                connection.control(framing::Kind::Refuse, &refusal.to_bytes());
                self.finish(connection);
            }
        }
    }

    fn opened(&mut self, id: ConnId, stream: TcpStream) {
        self.open.insert(id, Connection::open(id, stream, self.config.max_frame, self.tell.clone()));
        self.dirty.push(id);
    }

    fn on_happening(&mut self, now: Time, happening: Happening<M>) {
        match happening {
            Happening::Connected(id, stream) => {
                if self.dialing.remove(&id).is_some() {
                    self.opened(id, stream);
                    self.links.connected(id, self.nonces.next_u64());
                }
            }
            Happening::Read(id, packets, bytes) => {
                self.stats.bytes_received += bytes as u64;
                packets.into_iter().for_each(|packet| self.on_packet(now, id, packet));
            }
            Happening::Writable(id) => {
                if let Some(connection) = self.open.get_mut(&id) {
                    connection.writable();
                    self.dirty.push(id);
                }
            }
            Happening::Client(id, hello, decoder) => self.on_client(now, id, hello, decoder),
            Happening::Ended(id, end) => self.on_end(now, id, end),
        }
        self.act(now);
    }

    fn on_packet(&mut self, now: Time, id: ConnId, packet: Packet<M>) {
        match packet {
            Packet::Control(kind, body) => {
                self.links.control(now, id, kind, &body);
                self.act(now); // before a frame behind it
            }
            Packet::Frame(message) => match self.links.peer_of(id) {
                Some(from) => self.events.push_back(LinkEvent::Received { from, message }),
                None if self.open.contains_key(&id) => {
                    let refusal = Refusal::new(Reason::Violation, "a frame before the handshake is done", None);
                    self.violation(now, id, refusal);
                }
                None => {} // read before this side closed the connection
            },
        }
    }

    fn on_client(&mut self, now: Time, id: ConnId, hello: Vec<u8>, decoder: Decoder) {
        let place = self.clients.as_ref().map(mpsc::Sender::try_reserve);
        let (reason, text) = match place {
            _ if self.links.is_leaving() => (Reason::Leaving, "the node is leaving"),
            None => (Reason::Client, "this node serves no clients; `lasp node` does unless told `--no-control`"),
            Some(Err(_)) => (Reason::Busy, "too many clients at once; try again"),
            Some(Ok(_)) if !self.links.hand_over(id) => (Reason::Violation, "Client out of turn"),
            Some(Ok(place)) => {
                if let Some(connection) = self.open.remove(&id) {
                    let (stream, unsent) = connection.hand_over();
                    place.send(Incoming { stream, unsent, hello, decoder });
                }
                return;
            }
        };
        self.links.refuse(now, id, Refusal::new(reason, text, None));
    }

    fn on_end(&mut self, now: Time, id: ConnId, end: End) {
        match end {
            End::Closed => self.links.ended(now, id, "closed by the other side"),
            End::Failed(why) => self.links.ended(now, id, &why),
            End::Framing(error) => {
                let not_lasp = matches!(error, FramingError::NotLasp(_));
                let reason = if not_lasp { Reason::NotLasp } else { Reason::Violation };
                return self.violation(now, id, Refusal::new(reason, error.to_string(), None));
            }
        }
        self.dialing.remove(&id);
        self.open.remove(&id);
    }

    fn violation(&mut self, now: Time, id: ConnId, refusal: Refusal) {
        self.stats.violations += u64::from(self.open.contains_key(&id));
        self.links.refuse(now, id, refusal);
        self.act(now);
    }

    /// Carries out what the link table decided.
    fn act(&mut self, now: Time) {
        while let Some(action) = self.links.next_action() {
            match action {
                Action::Connect(id, addr) => {
                    let work = connect(id, addr, self.tell.clone());
                    self.dialing.insert(id, Task::spawn(work));
                }
                Action::Control(id, kind, body) => {
                    if let Some(connection) = self.open.get_mut(&id) {
                        connection.control(kind, &body);
                        self.dirty.push(id);
                    }
                }
                Action::Hangup(id, refusal) => self.hang_up(id, refusal),
                Action::Finish(id) => {
                    if let Some(connection) = self.open.remove(&id) {
                        self.finish(connection);
                    }
                }
                Action::Up { conn: _, peer, dialed } => self.on_up(peer, dialed),
                Action::Down(peer, why) => {
                    self.config.log.line(Level::Info, || format!("link to {peer} is down: {why}"));
                    self.events.push_back(LinkEvent::Down(peer));
                }
                Action::DialFailed { addr, why, contact } => self.on_dial_failed(now, addr, why, contact),
                Action::Refused(id, refusal) => self.on_refused(id, &refusal),
                Action::IdentityInUse(holder) => self.events.push_back(LinkEvent::IdentityInUse(holder)),
            }
        }
    }

    fn hang_up(&mut self, id: ConnId, refusal: Option<Refusal>) {
        self.dialing.remove(&id);
        let Some(mut connection) = self.open.remove(&id) else { return };
        if let Some(refusal) = refusal {
            connection.control(framing::Kind::Refuse, &refusal.to_bytes());
            self.finish(connection);
        }
    }

    fn finish(&mut self, connection: Connection) {
        if self.finishing.len() < MAX_FINISHING {
            self.finishing.spawn(connection.finish());
        }
    }

    fn flush_one(&mut self, now: Time, id: ConnId) {
        let Some(connection) = self.open.get_mut(&id) else { return };
        match connection.flush(id, &self.tell) {
            Ok((wire, messages)) => {
                self.stats.bytes_sent += wire as u64;
                if messages > 0
                    && let Some(peer) = self.links.peer_of(id)
                {
                    self.events.push_back(LinkEvent::Drained { peer, bytes: messages });
                }
            }
            Err(error) => {
                self.open.remove(&id);
                self.links.ended(now, id, &error.to_string());
                self.act(now);
            }
        }
    }

    fn note_backlog(&mut self, peer: PeerId, before: usize) {
        let Some(connection) = self.links.conn_of(peer).and_then(|id| self.open.get(&id)) else { return };
        let (after, limit) = (connection.backlog(), self.config.backlog_warning);
        self.stats.backlog_peak = self.stats.backlog_peak.max(after as u64);
        if before <= limit && after > limit {
            self.stats.backlog_warnings += 1;
            self.config.log.line(Level::Warn, || format!("{after} bytes wait for the slow peer {peer}"));
        }
    }

    fn on_up(&mut self, peer: Contact, dialed: Option<Addr>) {
        self.config.log.line(Level::Info, || format!("link to {peer} is up"));
        if let Some(addr) = &dialed {
            self.reports.remove(addr);
        }
        self.events.push_back(LinkEvent::Up { peer, dialed });
    }

    fn on_dial_failed(&mut self, now: Time, addr: Addr, why: String, contact: bool) {
        self.stats.dials_failed += 1;
        let last = self.reports.get(&addr);
        if last.is_none_or(|(text, at)| *text != why || now.since(*at) >= REPORT_AGAIN) {
            let level = if contact { Level::Warn } else { Level::Info };
            self.config.log.line(level, || format!("cannot link to {addr}: {why}"));
            if self.reports.len() >= MAX_REPORTS {
                self.reports.clear();
            }
            self.reports.insert(addr.clone(), (why, now));
        }
        self.events.push_back(LinkEvent::DialFailed(addr));
    }

    fn on_refused(&mut self, id: ConnId, refusal: &Refusal) {
        self.stats.refused += 1;
        let quiet = matches!(refusal.reason, Reason::Itself | Reason::WrongPeer | Reason::Busy | Reason::Leaving);
        let level = if quiet { Level::Debug } else { Level::Warn };
        self.config.log.line(level, || {
            let from = self.open.get(&id).and_then(Connection::remote);
            let from = from.map_or_else(|| "someone".to_owned(), |addr| addr.to_string());
            format!("refused a connection from {from}: {refusal}")
        });
    }
}

async fn connect<M>(id: ConnId, addr: Addr, tell: mpsc::Sender<Happening<M>>) {
    let mut tried = 0;
    let happening = loop {
        match TcpStream::connect(addr.as_str()).await {
            Ok(stream) => break Happening::Connected(id, stream),
            Err(error) if tried < MAX_SHORT_DIALS && shortage::of_descriptors(&error) => {
                tried += 1;
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            Err(error) => break Happening::Ended(id, End::Failed(explained(&error))),
        }
    };
    let _ = tell.send(happening).await;
}
