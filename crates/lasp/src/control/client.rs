//! The client's end of a connection to a running node.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use lasp::control::client::{Client, Options};
//! use lasp::control::protocol::{Ask, Say, Style};
//!
//! let client = Client::connect("127.0.0.1:4100", Options::default()).await?;
//! let ask = Ask::Get { variable: "ads".to_owned(), style: Style::default() };
//! if let Say::Value { ty, text } = client.ask(ask).await?.next().await? {
//!     println!("{ty}: {text}");
//! }
//! # Ok(()) }
//! ```

use super::protocol::{
    self, Answer, Ask, ClientHello, MAX_ANSWER, Message, NEWEST_VERSION, OLDEST_VERSION, Refused, Say, Served,
    common_version,
};
use crate::transport::framing::{Decoder, FramingError, Kind, PREFACE, Packet, write_control, write_frame};
use crate::transport::hello::{Reason, Refusal};
use crate::transport::tune_for_client;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// Answers of one request that wait to be taken; then the connection is not read, and the node waits. A guess.
const MAX_WAITING: usize = 16;

/// What is to be sent and has not been written.
const MAX_UNSENT: usize = 16;

/// Bytes read at once.
const READ: usize = 16 * 1024;

/// How a client behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long connecting may take, and how long the node may be silent. Default 10 s, a guess.
    pub timeout: Duration,
    /// The cluster that the node must belong to; any if empty.
    pub cluster: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), cluster: String::new() }
    }
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ConnectError {
    /// Nobody answers there.
    #[error("cannot reach a node at {addr}: {problem}")]
    Unreachable {
        /// Where.
        addr: String,
        /// What the system says.
        problem: String,
    },
    /// Whoever answers there is silent.
    #[error("{addr} does not answer within {timeout:?}")]
    Silent {
        /// Where.
        addr: String,
        /// How long was waited.
        timeout: Duration,
    },
    /// Whoever answers there is no Lasp node.
    #[error("{addr} is no Lasp node: {problem}")]
    NotLasp {
        /// Where.
        addr: String,
        /// What is odd.
        problem: String,
    },
    /// The node refuses.
    #[error("the node at {addr} refuses: {refusal}")]
    Refused {
        /// Where.
        addr: String,
        /// Why.
        refusal: Refusal,
    },
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum AskError {
    /// The node refuses it.
    #[error("{}", .0.message)]
    Refused(Refused),
    /// The connection is gone. What was asked may or may not have been done.
    #[error("the connection to the node at {addr} is lost: {problem}")]
    Lost {
        /// Where.
        addr: String,
        /// How it ended.
        problem: String,
    },
}

/// A connection. Dropping it ends its session at the node.
#[derive(Debug)]
pub struct Client {
    shared: Arc<Shared>,
    out: mpsc::Sender<Vec<u8>>,
    served: Served,
    reader: JoinHandle<()>,
}

struct Shared {
    addr: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u32,
    open: BTreeMap<u32, mpsc::Sender<Say>>,
    lost: Option<String>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lost(&self) -> AskError {
        let problem = self.lock().lost.clone().unwrap_or_else(|| "it was closed".to_owned());
        AskError::Lost { addr: self.addr.clone(), problem }
    }

    /// Ends every request.
    fn close(&self, problem: String) {
        let mut state = self.lock();
        state.lost.get_or_insert(problem);
        state.open.clear();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Client {
    /// Connects to the node that listens at `addr`, `HOST:PORT`.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(addr: &str, options: Options) -> Result<Self, ConnectError> {
        let within = options.timeout;
        let silent = || ConnectError::Silent { addr: addr.to_owned(), timeout: within };
        let (stream, decoder, served) = timeout(within, greet(addr, &options)).await.map_err(|_| silent())??;
        tune_for_client(&stream);
        let (reading, writing) = stream.into_split();
        let shared = Arc::new(Shared { addr: addr.to_owned(), state: Mutex::default() });
        let (out, unsent) = mpsc::channel(MAX_UNSENT);
        tokio::spawn(write(writing, unsent));
        let reader = Reader { shared: shared.clone(), reading, decoder, out: out.clone(), silence: within };
        let reader = tokio::spawn(reader.run());
        Ok(Self { shared, out, served, reader })
    }

    /// What the node said of itself.
    pub const fn served(&self) -> &Served {
        &self.served
    }

    /// Asks something; what comes back is in [`Answers`].
    ///
    /// # Errors
    /// [`AskError::Lost`].
    pub async fn ask(&self, ask: Ask) -> Result<Answers, AskError> {
        let (into, from) = mpsc::channel(MAX_WAITING);
        let id = {
            let mut state = self.shared.lock();
            if state.lost.is_some() {
                drop(state);
                return Err(self.shared.lost());
            }
            state.next += 1;
            let id = state.next;
            state.open.insert(id, into);
            id
        };
        let answers = Answers { id, from, shared: self.shared.clone(), out: self.out.clone() };
        if self.out.send(framed(&Message { id, ask })).await.is_err() {
            return Err(self.shared.lost());
        }
        Ok(answers)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// The answers to one request. Dropping them withdraws it.
#[derive(Debug)]
pub struct Answers {
    id: u32,
    from: mpsc::Receiver<Say>,
    shared: Arc<Shared>,
    out: mpsc::Sender<Vec<u8>>,
}

impl Answers {
    /// The next answer.
    ///
    /// # Errors
    /// [`AskError`].
    pub async fn next(&mut self) -> Result<Say, AskError> {
        match self.from.recv().await {
            Some(Say::Refused(refused)) => Err(AskError::Refused(refused)),
            Some(Say::Stopping) => {
                let problem = "the node has stopped".to_owned();
                Err(AskError::Lost { addr: self.shared.addr.clone(), problem })
            }
            Some(say) => Ok(say),
            None => Err(self.shared.lost()),
        }
    }

    /// Interrupts the program under way, whose end is still told; ends anything else.
    pub async fn cancel(&self) {
        let _ = self.out.send(framed(&Message { id: self.id, ask: Ask::Cancel })).await; // lost: that ends it, too
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        let open = self.shared.lock().open.remove(&self.id);
        if open.is_some() {
            // Where much waits already, the node goes on answering, and nobody listens.
            let _ = self.out.try_send(framed(&Message { id: self.id, ask: Ask::Cancel }));
        }
    }
}

fn framed(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    write_frame(&mut out, &protocol::encode(message));
    out
}

/// Connects and greets.
async fn greet(addr: &str, options: &Options) -> Result<(TcpStream, Decoder, Served), ConnectError> {
    let unreachable =
        |error: std::io::Error| ConnectError::Unreachable { addr: addr.to_owned(), problem: error.to_string() };
    let mut stream = TcpStream::connect(addr).await.map_err(unreachable)?;
    let hello = ClientHello { versions: (OLDEST_VERSION, NEWEST_VERSION), cluster: options.cluster.clone() };
    let mut bytes = PREFACE.to_vec();
    write_control(&mut bytes, Kind::Client, &hello.to_bytes());
    stream.write_all(&bytes).await.map_err(unreachable)?;
    let mut decoder = Decoder::new(MAX_ANSWER);
    let odd = |problem: String| ConnectError::NotLasp { addr: addr.to_owned(), problem };
    loop {
        match decoder.next_packet::<Vec<u8>>().map_err(|error| odd(error.to_string()))? {
            Some(Packet::Control(Kind::Serve, body)) => {
                let served = Served::from_bytes(&body).map_err(|error| odd(format!("malformed greeting: {error}")))?;
                let version = served.version;
                if common_version((version, version)).is_none() {
                    return Err(odd(format!("it chose version {version}, which was not offered")));
                }
                return Ok((stream, decoder, served));
            }
            Some(Packet::Control(Kind::Refuse, body)) => return Err(refused(addr, &body)),
            Some(_) => return Err(odd("it does not greet".to_owned())),
            None => {}
        }
        let buffer = decoder.buffer();
        buffer.reserve(READ);
        if stream.read_buf(buffer).await.map_err(unreachable)? == 0 {
            return Err(odd("it closed the connection without a word".to_owned()));
        }
    }
}

fn refused(addr: &str, body: &[u8]) -> ConnectError {
    let unreadable = |error| Refusal::new(Reason::Violation, format!("malformed refusal: {error}"), None);
    let mut refusal = Refusal::from_bytes(body).unwrap_or_else(unreadable);
    if refusal.reason == Reason::Violation
        && refusal.text == FramingError::UnknownControl(Kind::Client as u8).to_string()
    {
        refusal = Refusal::new(Reason::Version, "the node is older than its clients; upgrade it", None);
    }
    ConnectError::Refused { addr: addr.to_owned(), refusal }
}

async fn write(mut writing: OwnedWriteHalf, mut unsent: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = unsent.recv().await {
        if writing.write_all(&bytes).await.is_err() {
            return; // the reader sees why
        }
    }
}

/// Reads answers and gives them to those who asked; asks for a sign of life when there was none for a while.
struct Reader {
    shared: Arc<Shared>,
    reading: OwnedReadHalf,
    decoder: Decoder,
    out: mpsc::Sender<Vec<u8>>,
    silence: Duration,
}

impl Reader {
    async fn run(mut self) {
        let problem = loop {
            match self.decoder.next_packet::<Vec<u8>>() {
                Ok(Some(Packet::Frame(frame))) => match protocol::decode::<Answer>(&frame) {
                    Ok(answer) => self.hand_on(answer).await,
                    Err(error) => break format!("it sent a malformed answer: {error}"),
                },
                Ok(Some(Packet::Control(Kind::Pong, _))) => {}
                Ok(Some(Packet::Control(Kind::Refuse, body))) => {
                    break Refusal::from_bytes(&body).map_or_else(|_| "it ended it".to_owned(), |refusal| refusal.text);
                }
                Ok(Some(Packet::Control(kind, _))) => break format!("it sent {kind:?} out of turn"),
                Ok(None) => match self.read().await {
                    Ok(()) => {}
                    Err(problem) => break problem,
                },
                Err(error) => break error.to_string(),
            }
        };
        self.shared.close(problem);
    }

    async fn hand_on(&self, Answer { id, say }: Answer) {
        let to = self.shared.lock().open.get(&id).cloned();
        if let Some(to) = to {
            let _ = to.send(say).await; // whoever asked may be gone
        }
    }

    async fn read(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        let mut pinged = false;
        loop {
            let patience = if pinged { self.silence.saturating_sub(begun.elapsed()) } else { self.silence / 2 };
            let buffer = self.decoder.buffer();
            buffer.reserve(READ);
            match timeout(patience, self.reading.read_buf(buffer)).await {
                Ok(Ok(0)) => return Err("the node closed it, or was killed".to_owned()),
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => return Err(error.to_string()),
                Err(_) if pinged => return Err(format!("no sign of life for {:?}", self.silence)),
                Err(_) => {
                    let mut ping = Vec::new();
                    write_control(&mut ping, Kind::Ping, &[]);
                    let _ = self.out.try_send(ping);
                    pinged = true;
                }
            }
        }
    }
}
