//! The live view: a node's state, its neighbourhood and its variables over HTTP, for pages, scrapers and scripts.
//!
//! - `api`: the routes, and their OpenAPI description. Start here. `model`: what is answered with.
//! - `cluster`, `variables`, `origins`, `flow`: one file per subject; each handler is short and asks the node what it needs.
//! - `map`: what the overlay looks like, shared by all viewers. `recorder`: what has happened lately, and counts over time.
//! - `stream`: changes as server-sent events. `prometheus`: counts as text. `columns`: counts over time, each by name; `usage`: the process.
//! - [`World`]: a simulated cluster behind the page, where there is one.
//! - `guard`: who may ask what. `problem`: refusals (RFC 9457), `refusals`: which there are. `input`: parameters and bodies, checked.
//! - `listener`: bounded connections. `counts`: what viewers cost. `page`: the files of the page, embedded.
//!
//! A viewer costs the node what it asks for: answers are made from short looks at the node, lists are paged, and what a
//! viewer does not read is not made.

mod api;
mod cluster;
mod columns;
mod counts;
mod flow;
mod guard;
mod input;
mod listener;
mod map;
mod model;
mod origins;
mod page;
mod problem;
mod prometheus;
mod recorder;
mod refusals;
mod session;
mod stream;
mod usage;
mod variables;
mod world;

use crate::api::Lasp;
use crate::control::{Answers, Facts};
use crate::log::{Level, Log};
use crate::settings::Settings;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use thiserror::Error;
use tokio::net::TcpListener;

pub use api::description;
pub use world::{Action, World, WorldState};

/// Fewest characters of a token. A guess: what cannot be tried out over a network.
const MIN_TOKEN: usize = 16;

/// Why a node does not serve HTTP.
#[derive(Debug, Error)]
pub enum HttpError {
    /// Cannot listen.
    #[error("cannot serve HTTP at {addr}: {problem}; choose another address of this machine with `http`, as HOST:PORT")]
    Listen {
        /// Where.
        addr: String,
        /// What the system says.
        problem: io::Error,
    },
    /// Whoever reaches the address could do everything.
    #[error(
        "will not serve HTTP at {0}: that is beyond this machine, and whoever reaches it could read and change every \
         variable. Ask for a token with `http_token`, or serve anybody with `http_open`; or listen at 127.0.0.1 and \
         tunnel (ssh -L)"
    )]
    Open(SocketAddr),
    /// A token that can be guessed.
    #[error("`http_token` has {0} characters; give it at least {MIN_TOKEN}, for instance by `openssl rand -hex 16`")]
    Token(usize),
}

/// Where a node serves HTTP, and whom.
#[derive(Debug)]
pub(crate) struct Http {
    listener: TcpListener,
    addr: SocketAddr,
    token: Option<String>,
    open: bool,
}

/// What all requests share.
#[derive(Debug)]
struct Shared {
    lasp: Lasp,
    answers: Answers,
    map: map::Map,
    recorder: Arc<recorder::Recorder>,
    viewers: Arc<AtomicUsize>,
    counts: Arc<counts::Counts>,
    guard: guard::Guard,
    world: Option<Arc<dyn World>>,
}

type State = axum::extract::State<Arc<Shared>>;

impl Http {
    /// Listens where the settings say; nothing if they say nothing.
    pub(crate) async fn bind(settings: &Settings) -> Result<Option<Self>, HttpError> {
        let Some(addr) = &settings.http else { return Ok(None) };
        let listen = |problem| HttpError::Listen { addr: addr.clone(), problem };
        check_token(settings)?;
        let listener = TcpListener::bind(addr).await.map_err(listen)?;
        let bound = listener.local_addr().map_err(listen)?;
        check_reach(settings, bound)?;
        let (token, open) = (settings.http_token.clone(), settings.http_open.unwrap_or(false));
        Ok(Some(Self { listener, addr: bound, token, open }))
    }

    /// Serves until the node stops. It keeps no node running.
    pub(crate) fn start(self, lasp: &Lasp, facts: Arc<Facts>, world: Option<Arc<dyn World>>, log: &Log) {
        let lasp = lasp.guest();
        log.line(Level::Debug, || format!("the live view is at http://{}/", self.addr));
        lasp.set_http(self.addr);
        let recorder = recorder::Recorder::start(&lasp);
        let counts = Arc::<counts::Counts>::default();
        let listener = listener::Bounded::new(self.listener, counts.clone(), log.clone());
        let shared = Arc::new(Shared {
            answers: Answers::new(lasp.clone(), facts),
            map: map::Map::new(lasp.clone(), recorder.clone(), world.clone()),
            world,
            guard: guard::Guard::new(self.token, self.open),
            viewers: Arc::default(),
            counts,
            recorder,
            lasp: lasp.clone(),
        });
        tokio::spawn(async move {
            let service = api::router(shared);
            tokio::select! {
                _ = async { axum::serve(listener, service).await } => {}
                _ = lasp.stopped() => {}
            }
        });
    }
}

fn check_token(settings: &Settings) -> Result<(), HttpError> {
    let short = settings.http_token.as_deref().map(str::len).filter(|&len| len < MIN_TOKEN);
    short.map_or(Ok(()), |len| Err(HttpError::Token(len)))
}

/// Whether settings allow to serve at an address.
fn check_reach(settings: &Settings, bound: SocketAddr) -> Result<(), HttpError> {
    let guarded = settings.http_token.is_some() || settings.http_open.unwrap_or(false);
    if bound.ip().to_canonical().is_loopback() || guarded { Ok(()) } else { Err(HttpError::Open(bound)) }
}

/// Whether a page could be served now where the settings say: listens there, and lets go again. For whoever has something to
/// prepare first that would be in vain. Blocks while a name is looked up.
///
/// # Errors
/// [`HttpError`], as serving would have it.
pub fn check(settings: &Settings) -> Result<(), HttpError> {
    let Some(addr) = &settings.http else { return Ok(()) };
    let listen = |problem| HttpError::Listen { addr: addr.clone(), problem };
    check_token(settings)?;
    let bound = std::net::TcpListener::bind(addr).and_then(|listener| listener.local_addr()).map_err(listen)?;
    check_reach(settings, bound)
}

/// Serves the page of one node of a simulated world, whose host runs somewhere in this process, on the tokio runtime that
/// is running here; where to.
///
/// # Errors
/// [`HttpError`].
pub async fn serve_world(
    settings: &Settings,
    lasp: &Lasp,
    membership: &str,
    world: Arc<dyn World>,
) -> Result<SocketAddr, HttpError> {
    let with_address =
        Settings { http: settings.http.clone().or_else(|| Some("127.0.0.1:0".to_owned())), ..settings.clone() };
    let Some(http) = Http::bind(&with_address).await? else { unreachable!("there is an address") };
    let addr = http.addr;
    let facts = Facts::new("simulation".to_owned(), "simulated".to_owned(), membership.to_owned());
    http.start(lasp, Arc::new(facts), Some(world), &Log::silent());
    Ok(addr)
}
