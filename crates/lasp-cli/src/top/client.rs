//! A node's live view over HTTP: answers to requests, and the stream of changes. What is wrong is said as by the other
//! commands. Answers are bounded, for whoever answers may be anybody.

use super::sse::{Message, Parser};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest answer that is read. A guess, above a thousand variables with values of 4 KiB.
const MAX_ANSWER: usize = 16 << 20;

/// A node says how it is every second; silent for so long, it is gone. As the page has it.
const SILENCE: Duration = Duration::from_secs(10);

/// Where a node serves its live view.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// `HOST:PORT`.
    pub(super) addr: String,
    pub(super) token: Option<String>,
    /// How long an answer may take.
    pub(super) patience: Duration,
}

/// Why nothing is heard from it.
#[derive(Debug)]
pub(super) enum Trouble {
    Unreachable { addr: String, problem: String },
    Silent { addr: String, patience: Duration },
    NotLasp { addr: String, problem: String },
    Refused { addr: String, status: u16, detail: String },
    Lost { addr: String, problem: String },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { addr, problem } => write!(f, "cannot reach a live view at {addr}: {problem}"),
            Self::Silent { addr, patience } => write!(f, "{addr} does not answer within {patience:?}"),
            Self::NotLasp { addr, problem } => write!(f, "{addr} is no live view of a Lasp node: {problem}"),
            Self::Refused { addr, detail, .. } => write!(f, "the node at {addr} refuses: {detail}"),
            Self::Lost { addr, problem } => write!(f, "the connection to the node at {addr} is lost: {problem}"),
        }
    }
}

impl Trouble {
    /// What to do about it.
    pub(super) fn help(&self) -> Option<String> {
        Some(match self {
            Self::Unreachable { addr, .. } => {
                format!(
                    "start the node with `lasp node --http {addr}`, or say where its live view is with --http HOST:PORT"
                )
            }
            Self::Silent { .. } => "the node is stopped, or far away; --timeout waits longer".to_owned(),
            Self::NotLasp { .. } => {
                "--http takes what the node prints after `live view at`, which is not where it listens for other nodes"
                    .to_owned()
            }
            Self::Refused { status: 401, .. } => {
                "give the node's token as LASP_HTTP_TOKEN, or with --http-token".to_owned()
            }
            Self::Refused { status: 421, .. } => "name it by its address, as 127.0.0.1".to_owned(),
            Self::Refused { .. } | Self::Lost { .. } => return None,
        })
    }
}

/// What a refusal says (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

/// A connection that requests go over, one after the other.
#[derive(Debug)]
pub(super) struct Connection {
    place: Place,
    sender: SendRequest<Empty<Bytes>>,
    /// Whether an answer has come over it.
    answered: bool,
}

impl Place {
    /// Connects.
    pub(super) async fn connect(&self) -> Result<Connection, Trouble> {
        let unreachable = |problem: String| Trouble::Unreachable { addr: self.addr.clone(), problem };
        let stream = timeout(self.patience, TcpStream::connect(&self.addr)).await.map_err(|_| self.silent())?;
        let stream = stream.map_err(|error| unreachable(error.to_string()))?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| unreachable(error.to_string()))?;
        tokio::spawn(connection); // it ends with its sender; what goes wrong is told to that
        Ok(Connection { place: self.clone(), sender, answered: false })
    }

    fn silent(&self) -> Trouble {
        Trouble::Silent { addr: self.addr.clone(), patience: self.patience }
    }

    fn odd(&self, problem: impl ToString) -> Trouble {
        Trouble::NotLasp { addr: self.addr.clone(), problem: problem.to_string() }
    }

    fn lost(&self, problem: impl ToString) -> Trouble {
        Trouble::Lost { addr: self.addr.clone(), problem: problem.to_string() }
    }
}

impl Connection {
    /// What hyper has to say: who has not answered yet is perhaps no live view at all.
    fn failed(&self, error: &hyper::Error) -> Trouble {
        match self.answered {
            _ if error.is_parse() => self.place.odd("it does not speak HTTP"),
            false if error.is_closed() || error.is_canceled() || error.is_incomplete_message() => {
                self.place.odd("it hangs up without an answer")
            }
            _ => self.place.lost(error),
        }
    }

    async fn ask(&mut self, path: &str) -> Result<Response<Incoming>, Trouble> {
        let mut request = Request::get(path).header("host", &self.place.addr);
        if let Some(token) = &self.place.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Empty::new()).map_err(|error| self.place.odd(error))?;
        self.sender.ready().await.map_err(|error| self.failed(&error))?;
        let answer = timeout(self.place.patience, self.sender.send_request(request)).await;
        let answer = answer.map_err(|_| self.place.silent())?.map_err(|error| self.failed(&error))?;
        self.answered = true;
        if answer.status() == StatusCode::OK { Ok(answer) } else { Err(self.refusal(answer).await) }
    }

    async fn refusal(&self, answer: Response<Incoming>) -> Trouble {
        let status = answer.status();
        let text = self.body(answer).await.unwrap_or_default();
        match serde_json::from_slice::<Problem>(&text) {
            Ok(problem) => {
                Trouble::Refused { addr: self.place.addr.clone(), status: status.as_u16(), detail: problem.detail }
            }
            Err(_) => self.place.odd(format!("it answers {status}")),
        }
    }

    async fn body(&self, answer: Response<Incoming>) -> Result<Bytes, Trouble> {
        let body = Limited::new(answer.into_body(), MAX_ANSWER).collect();
        let body = timeout(self.place.patience, body).await.map_err(|_| self.place.silent())?;
        Ok(body.map_err(|error| self.place.lost(error))?.to_bytes())
    }

    /// What is at a path of the API.
    pub(super) async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, Trouble> {
        let answer = self.ask(path).await?;
        let body = self.body(answer).await?;
        serde_json::from_slice(&body).map_err(|error| self.place.odd(error))
    }

    /// The stream of changes at a path.
    pub(super) async fn stream(mut self, path: &str) -> Result<Stream, Trouble> {
        let answer = self.ask(path).await?;
        Ok(Stream { body: answer.into_body(), parser: Parser::default(), ready: VecDeque::new(), connection: self })
    }
}

/// Changes, as they come.
#[derive(Debug)]
pub(super) struct Stream {
    body: Incoming,
    parser: Parser,
    ready: VecDeque<Message>,
    connection: Connection,
}

impl Stream {
    /// The next change.
    pub(super) async fn next(&mut self) -> Result<Message, Trouble> {
        let place = &self.connection.place;
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Ok(message);
            }
            let frame = timeout(SILENCE, self.body.frame()).await;
            let frame = frame.map_err(|_| place.lost(format!("nothing was heard for {SILENCE:?}")))?;
            let frame = frame.ok_or_else(|| place.lost("the node has ended it"))?;
            let frame = frame.map_err(|error| place.lost(error))?;
            if let Ok(bytes) = frame.into_data() {
                self.ready.extend(self.parser.feed(&bytes).map_err(|problem| place.odd(problem))?);
            }
        }
    }
}
