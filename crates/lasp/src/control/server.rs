//! The node's end: who may come, and one task per client that reads its requests and answers them side by side.
//!
//! An answer waits until the client has taken those before it; what makes answers (a watch, a program) waits with it. So a
//! slow client holds a few answers, and gets the newest value once it reads again.

use super::Access;
use super::answers::{Answers, Facts};
use super::protocol::{
    self, Answer, Ask, ClientHello, MAX_ANSWER, MAX_MESSAGE, MAX_OPEN, Message, Refused, Say, common_version,
};
use super::session::{Job, Session};
use crate::api::Lasp;
use crate::log::{Level, Log};
use crate::transport::framing::{Decoder, Kind, Packet, write_control, write_frame};
use crate::transport::hello::{Reason, Refusal};
use crate::transport::{Incoming, say_goodbye, tune_for_client};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Clients served at once. A guess: operators, dashboards and a few programs.
const MAX_CLIENTS: usize = 64;

/// Sessions with programs at once: each has a thread. A guess.
const MAX_SESSIONS: usize = 16;

/// Answers that wait for one client. A guess.
const MAX_ANSWERS: usize = 8;

/// Clients that wait to be welcomed.
pub(crate) const MAX_INCOMING: usize = 16;

/// Bytes read at once.
const READ: usize = 16 * 1024;

/// How long a refusal may take to reach whom it concerns. A guess.
const GOODBYE: Duration = Duration::from_secs(2);

/// What all clients of a node share.
#[derive(Debug)]
struct Shared {
    lasp: Lasp,
    access: Access,
    facts: Arc<Facts>,
    sessions: Arc<AtomicUsize>,
    log: Log,
}

/// Serves the clients of one node.
#[derive(Debug)]
pub(crate) struct Server {
    shared: Arc<Shared>,
    incoming: mpsc::Receiver<Incoming>,
}

impl Server {
    /// A server for the clients that come from `incoming`. It keeps no node running.
    pub(crate) fn new(
        lasp: &Lasp,
        access: Access,
        facts: Arc<Facts>,
        log: Log,
        incoming: mpsc::Receiver<Incoming>,
    ) -> Self {
        let sessions = Arc::default();
        let shared = Shared { lasp: lasp.guest(), access, facts, sessions, log };
        Self { shared: Arc::new(shared), incoming }
    }

    /// Serves until no more can come.
    pub(crate) async fn run(mut self) {
        while let Some(incoming) = self.incoming.recv().await {
            let shared = self.shared.clone();
            tokio::spawn(async move { welcome(shared, incoming).await });
        }
    }
}

/// One of a limited number; given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat(Arc<AtomicUsize>);

impl Seat {
    pub(crate) fn take(taken: &Arc<AtomicUsize>, limit: usize) -> Option<Self> {
        let free = |held: usize| (held < limit).then_some(held + 1);
        taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free).ok().map(|_| Self(taken.clone()))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn welcome(shared: Arc<Shared>, incoming: Incoming) {
    let Incoming { stream, mut unsent, hello, mut decoder } = incoming;
    tune_for_client(&stream);
    let remote = stream.peer_addr().ok();
    let seat = Seat::take(&shared.facts.clients, MAX_CLIENTS);
    let verdict = judge(shared.access, &shared.facts.cluster, remote, &hello).and_then(|version| match &seat {
        Some(_) => Ok(version),
        None => Err(Refusal::new(Reason::Busy, format!("{MAX_CLIENTS} clients are served already"), None)),
    });
    match verdict {
        Ok(version) => {
            write_control(&mut unsent, Kind::Serve, &shared.facts.served(version).to_bytes());
            decoder.set_max_frame(MAX_MESSAGE);
            shared.log.line(Level::Debug, || format!("a client came from {}", show(remote)));
            let client = Client::new(shared.clone(), stream, remote);
            client.serve(unsent, decoder).await;
            shared.log.line(Level::Debug, || format!("the client from {} is gone", show(remote)));
        }
        Err(refusal) => {
            shared.log.line(Level::Warn, || format!("refused a client from {}: {refusal}", show(remote)));
            write_control(&mut unsent, Kind::Refuse, &refusal.to_bytes());
            let _ = tokio::time::timeout(GOODBYE, say_goodbye(&stream, &unsent)).await;
        }
    }
}

fn show(remote: Option<SocketAddr>) -> String {
    remote.map_or_else(|| "somewhere".to_owned(), |addr| addr.to_string())
}

/// Whether a client is served by a node of `cluster`, and in which version.
fn judge(access: Access, cluster: &str, remote: Option<SocketAddr>, hello: &[u8]) -> Result<u64, Refusal> {
    let refuse = |reason, text: String| Err(Refusal::new(reason, text, None));
    let near = remote.is_some_and(|addr| addr.ip().to_canonical().is_loopback());
    if access != Access::Any && !near {
        let text = "this node serves clients of its own machine alone; `lasp node --control any` serves all";
        return refuse(Reason::Client, text.to_owned());
    }
    let hello = match ClientHello::from_bytes(hello) {
        Ok(hello) => hello,
        Err(error) => return refuse(Reason::Violation, format!("malformed greeting: {error}")),
    };
    let Some(version) = common_version(hello.versions) else {
        let ((from, to), oldest, newest) = (hello.versions, protocol::OLDEST_VERSION, protocol::NEWEST_VERSION);
        let text = format!("this node speaks versions {oldest} to {newest} with clients, the client {from} to {to}");
        return refuse(Reason::Version, text);
    };
    if !hello.cluster.is_empty() && hello.cluster != cluster {
        let text = format!("this node belongs to cluster {cluster:?}, not to {:?}", hello.cluster);
        return refuse(Reason::Cluster, text);
    }
    Ok(version)
}

/// A request under way; withdrawn when dropped.
#[derive(Debug)]
struct Open(JoinHandle<()>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// One client.
struct Client {
    shared: Arc<Shared>,
    stream: Arc<TcpStream>,
    remote: Option<SocketAddr>,
    answers: Answers,
    out: mpsc::Sender<Vec<u8>>,
    frames: Option<mpsc::Receiver<Vec<u8>>>,
    open: BTreeMap<u32, Open>,
    session: Option<(Session, Seat)>,
}

impl Client {
    fn new(shared: Arc<Shared>, stream: Arc<TcpStream>, remote: Option<SocketAddr>) -> Self {
        let (out, frames) = mpsc::channel(MAX_ANSWERS);
        let answers = Answers::new(shared.lasp.clone(), shared.facts.clone());
        Self { shared, stream, remote, answers, out, frames: Some(frames), open: BTreeMap::new(), session: None }
    }

    /// Serves until the client goes, the node stops, or what comes makes no sense.
    async fn serve(mut self, unsent: Vec<u8>, decoder: Decoder) {
        let Some(frames) = self.frames.take() else { return };
        let (stream, lasp) = (self.stream.clone(), self.shared.lasp.clone());
        let last = tokio::select! {
            refusal = self.read(decoder) => refusal,
            _ = write(&stream, unsent, frames) => return,
            _ = lasp.stopped() => Some(Refusal::new(Reason::Leaving, "the node has stopped", None)),
        };
        let Some(refusal) = last else { return };
        if refusal.reason != Reason::Leaving {
            self.shared.log.line(Level::Warn, || format!("dropped the client from {}: {refusal}", show(self.remote)));
        }
        let mut bytes = Vec::new();
        write_control(&mut bytes, Kind::Refuse, &refusal.to_bytes());
        let _ = tokio::time::timeout(GOODBYE, say_goodbye(&stream, &bytes)).await;
    }

    /// Reads and handles packets; `None` once the client is gone, else why it is dropped.
    async fn read(&mut self, mut decoder: Decoder) -> Option<Refusal> {
        let violation = |text: String| Some(Refusal::new(Reason::Violation, text, None));
        loop {
            match decoder.next_packet::<Vec<u8>>() {
                Ok(Some(Packet::Frame(frame))) => match protocol::decode::<Message>(&frame) {
                    Ok(message) => self.message(message).await,
                    Err(error) => return violation(format!("malformed message: {error}")),
                },
                Ok(Some(Packet::Control(Kind::Ping, _))) => {
                    let mut pong = Vec::new();
                    write_control(&mut pong, Kind::Pong, &[]);
                    let _ = self.out.try_send(pong); // where answers wait, they are sign enough
                }
                Ok(Some(Packet::Control(kind, _))) => return violation(format!("{kind:?} out of turn")),
                Ok(None) => {
                    if !read_some(&self.stream, &mut decoder).await {
                        return None;
                    }
                }
                Err(error) => return violation(error.to_string()),
            }
        }
    }

    async fn message(&mut self, Message { id, ask }: Message) {
        self.open.retain(|_, open| !open.0.is_finished());
        match ask {
            Ask::Cancel => self.cancel(id).await,
            Ask::Run { name, text, style } => self.job(id, Job::Run { name, text, style }).await,
            Ask::Bindings => self.job(id, Job::Bindings).await,
            Ask::Graph => self.job(id, Job::Graph).await,
            Ask::Forget(name) => self.job(id, Job::Forget(name)).await,
            _ if self.open.len() >= MAX_OPEN || self.open.contains_key(&id) => {
                let text = format!("at most {MAX_OPEN} requests may be open at once, each under a number of its own");
                self.refuse(id, Refused::failed(text)).await;
            }
            ask => {
                let (answers, out) = (self.answers.clone(), self.out.clone());
                let work = async move { answers.answer(ask, &To { id, out }).await };
                self.open.insert(id, Open(tokio::spawn(work)));
            }
        }
    }

    async fn job(&mut self, id: u32, job: Job) {
        if self.session.is_none() {
            match self.start_session() {
                Ok(session) => self.session = Some(session),
                Err(refused) => return self.refuse(id, refused).await,
            }
        }
        let taken = self.session.as_ref().is_some_and(|(session, _)| session.push(id, job));
        if !taken {
            self.refuse(id, Refused::failed("too much waits for this session already")).await;
        }
    }

    fn start_session(&self) -> Result<(Session, Seat), Refused> {
        let Some(seat) = Seat::take(&self.shared.sessions, MAX_SESSIONS) else {
            let text = format!("{MAX_SESSIONS} sessions run at this node already");
            return Err(Refused::failed(text).hint("end one of them, or run the program at another node"));
        };
        let out = self.out.clone();
        let send = move |id, say| out.blocking_send(frame(id, say)).is_ok();
        match Session::start(self.shared.lasp.clone(), Box::new(send)) {
            Ok(session) => Ok((session, seat)),
            Err(error) => Err(Refused::failed(format!("the node cannot start a session: {error}"))),
        }
    }

    async fn cancel(&mut self, id: u32) {
        self.open.remove(&id);
        if self.session.as_ref().is_some_and(|(session, _)| session.interrupt(id)) {
            self.refuse(id, Refused::failed("taken back before it began")).await;
        }
    }

    async fn refuse(&self, id: u32, refused: Refused) {
        To { id, out: self.out.clone() }.say(Say::Refused(refused)).await;
    }
}

/// Where the answers to one request go.
#[derive(Debug)]
pub(super) struct To {
    id: u32,
    out: mpsc::Sender<Vec<u8>>,
}

impl To {
    /// Says something once there is room; whether it can still be heard.
    pub(super) async fn say(&self, say: Say) -> bool {
        self.out.send(frame(self.id, say)).await.is_ok()
    }
}

/// An answer as it travels; one too large is replaced by a refusal.
fn frame(id: u32, say: Say) -> Vec<u8> {
    let mut bytes = protocol::encode(&Answer { id, say });
    if bytes.len() > MAX_ANSWER {
        let text = format!("this takes {} bytes to show; at most {MAX_ANSWER} are sent", bytes.len());
        let refused = Refused::failed(text).hint("derive a smaller variable from it: a filter, or a fold");
        bytes = protocol::encode(&Answer { id, say: Say::Refused(refused) });
    }
    let mut out = Vec::with_capacity(bytes.len() + 5);
    write_frame(&mut out, &bytes);
    out
}

/// Reads what there is; `false` at the end.
async fn read_some(stream: &TcpStream, decoder: &mut Decoder) -> bool {
    loop {
        if stream.readable().await.is_err() {
            return false;
        }
        let buffer = decoder.buffer();
        buffer.reserve(READ);
        match stream.try_read_buf(buffer) {
            Ok(n) => return n > 0,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => decoder.release_if_empty(),
            Err(_) => return false,
        }
    }
}

/// Writes `first` and then every frame that comes; ends when the client is gone.
async fn write(stream: &TcpStream, first: Vec<u8>, mut frames: mpsc::Receiver<Vec<u8>>) {
    let mut next = Some(first);
    while let Some(bytes) = next {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            if stream.ready(Interest::WRITABLE).await.is_err() {
                return;
            }
            match stream.try_write(rest) {
                Ok(n) => rest = &rest[n..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
        next = frames.recv().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(access: Access, remote: &str, versions: (u64, u64), cluster: &str) -> Result<u64, Reason> {
        let hello = ClientHello { versions, cluster: cluster.to_owned() }.to_bytes();
        judge(access, "shop", remote.parse().ok(), &hello).map_err(|refusal| refusal.reason)
    }

    #[test]
    fn clients_come_from_the_same_machine_unless_all_may() {
        let here = ["127.0.0.1:5", "127.8.8.8:5", "[::1]:5", "[::ffff:127.0.0.1]:5"];
        for remote in here {
            assert_eq!(verdict(Access::Loopback, remote, (1, 1), ""), Ok(1), "{remote}");
        }
        for remote in ["10.0.0.7:5", "[2001:db8::1]:5", "[::ffff:10.0.0.7]:5", "unknown"] {
            assert_eq!(verdict(Access::Loopback, remote, (1, 1), ""), Err(Reason::Client), "{remote}");
            assert_eq!(verdict(Access::Any, remote, (1, 1), ""), Ok(1), "{remote}");
        }
    }

    #[test]
    fn version_and_cluster_must_fit_if_they_are_named() {
        let here = "127.0.0.1:5";
        assert_eq!(verdict(Access::Loopback, here, (1, 9), "shop"), Ok(protocol::NEWEST_VERSION));
        assert_eq!(verdict(Access::Loopback, here, (1, 1), "zoo"), Err(Reason::Cluster));
        assert_eq!(verdict(Access::Loopback, here, (7, 9), "shop"), Err(Reason::Version));
        let refusal = judge(Access::Any, "shop", here.parse().ok(), &[1]).expect_err("refused");
        assert_eq!(refusal.reason, Reason::Violation);
    }

    #[test]
    fn an_answer_too_large_to_send_is_refused_instead() {
        let text = "x".repeat(MAX_ANSWER + 1);
        let bytes = frame(3, Say::Value { ty: "set".to_owned(), text });
        assert!(bytes.len() < 1024, "{}", bytes.len());
        let mut decoder = Decoder::new(MAX_ANSWER);
        decoder.buffer().extend(crate::transport::framing::PREFACE);
        decoder.buffer().extend(bytes);
        let Ok(Some(Packet::<Vec<u8>>::Frame(frame))) = decoder.next_packet() else { panic!("no frame") };
        let answer: Answer = protocol::decode(&frame).expect("an answer");
        assert!(matches!(answer, Answer { id: 3, say: Say::Refused(refused) } if refused.message.contains("to show")));
    }
}
