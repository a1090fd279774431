//! A protocol that does what it is told and remembers what it heard, under the real driver.

use lasp::driver::{Driver, DriverConfig, Ended, Owner};
use lasp::log::{Level, Log};
use lasp::transport::links::LinkConfig;
use lasp::transport::{Transport, TransportConfig, TransportStats};
use lasp_overlay::{Addr, Contact, Input, Outbox, Output, PeerId, Protocol, Time};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// Nothing here takes this long unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a test asks of a toy.
#[derive(Debug)]
pub(crate) enum Do {
    Dial(Addr),
    Link(Contact),
    Send(PeerId, Vec<u8>),
    Close(PeerId),
    Timer(Duration, u32),
}

/// What a toy tells the test.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Up(u64, Option<Addr>),
    Down(u64),
    DialFailed(Addr),
    Message(u64, Vec<u8>),
    Drained(u64, usize),
    Timer(u32),
}

/// The protocol.
#[derive(Debug)]
pub(crate) struct Toy;

impl Protocol for Toy {
    type Command = Do;
    type Message = Vec<u8>;
    type Timer = u32;
    type Event = Heard;

    fn handle(&mut self, _now: Time, input: Input<Self>, out: &mut Outbox<Self>) {
        out.push(match input {
            Input::Start => return,
            Input::Command(Do::Dial(addr)) => Output::Dial(addr),
            Input::Command(Do::Link(contact)) => Output::Link(contact),
            Input::Command(Do::Send(to, message)) => Output::Send { to, message },
            Input::Command(Do::Close(peer)) => Output::Close(peer),
            Input::Command(Do::Timer(after, timer)) => Output::SetTimer { after, timer },
            Input::Received { from, message } => Output::Emit(Heard::Message(from.0, message)),
            Input::Expired(timer) => Output::Emit(Heard::Timer(timer)),
            Input::LinkUp { peer, dialed } => Output::Emit(Heard::Up(peer.id.0, dialed)),
            Input::DialFailed(addr) => Output::Emit(Heard::DialFailed(addr)),
            Input::LinkDown(peer) => Output::Emit(Heard::Down(peer.0)),
            Input::Drained { peer, bytes } => Output::Emit(Heard::Drained(peer.0, bytes)),
        });
    }
}

struct Strings {
    commands: mpsc::UnboundedReceiver<Do>,
    heard: mpsc::UnboundedSender<Heard>,
    stopping: bool,
}

impl Owner<Toy> for Strings {
    fn poll_commands(&mut self, cx: &mut Context<'_>, _: Time, _: &Toy, into: &mut Vec<Do>) -> Poll<()> {
        match self.commands.poll_recv(cx) {
            Poll::Ready(Some(command)) => into.push(command),
            Poll::Ready(None) => self.stopping = true,
            Poll::Pending => return Poll::Pending,
        }
        Poll::Ready(())
    }

    fn event(&mut self, event: Heard) {
        let _ = self.heard.send(event);
    }

    fn is_stopping(&self) -> bool {
        self.stopping
    }
}

/// A toy at work.
pub(crate) struct Host {
    pub(crate) contact: Contact,
    pub(crate) lines: Arc<Mutex<Vec<String>>>,
    stats: Arc<Mutex<TransportStats>>,
    commands: mpsc::UnboundedSender<Do>,
    heard: mpsc::UnboundedReceiver<Heard>,
    driver: JoinHandle<Ended>,
}

/// How a toy differs from the others.
pub(crate) struct Setup {
    pub(crate) id: u64,
    pub(crate) incarnation: u64,
    pub(crate) cluster: &'static str,
    pub(crate) max_frame: usize,
    pub(crate) handshake_timeout: Duration,
}

impl Setup {
    pub(crate) fn id(id: u64) -> Self {
        Self { id, incarnation: 1, cluster: "toys", max_frame: 1 << 20, handshake_timeout: PATIENCE }
    }

    pub(crate) async fn start(self) -> Host {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let at = listener.local_addr().expect("bound").to_string();
        let addr = Addr::new(&at).expect("short");
        let contact = Contact { id: PeerId(self.id), incarnation: self.incarnation, addr };
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let log = Log::new(Level::Debug, move |_, text| sink.lock().expect("no panic").push(text.to_owned()));
        let links = LinkConfig { handshake_timeout: self.handshake_timeout, ..LinkConfig::default() };
        let config =
            TransportConfig { links, max_frame: self.max_frame, log: log.clone(), ..TransportConfig::default() };
        let transport =
            Transport::new(listener, contact.clone(), self.cluster.to_owned(), "toy".to_owned(), self.id, config);
        let (commands, receiver) = mpsc::unbounded_channel();
        let (sender, heard) = mpsc::unbounded_channel();
        let owner = Strings { commands: receiver, heard: sender, stopping: false };
        let config = DriverConfig { log, ..DriverConfig::default() };
        let driver = Driver::new(Toy, owner, transport, Instant::now(), config);
        let stats = driver.stats();
        let driver = tokio::spawn(async move { driver.run().await.0 });
        Host { contact, lines, stats, commands, heard, driver }
    }
}

impl Host {
    pub(crate) fn addr(&self) -> Addr {
        self.contact.addr.clone()
    }

    pub(crate) fn socket(&self) -> SocketAddr {
        self.contact.addr.as_str().parse().expect("an address")
    }

    pub(crate) fn tell(&self, what: Do) {
        self.commands.send(what).expect("the driver runs");
    }

    pub(crate) fn send(&self, to: &Self, message: &[u8]) {
        self.tell(Do::Send(to.contact.id, message.to_vec()));
    }

    /// What it hears next, reports of drained bytes aside.
    pub(crate) async fn heard(&mut self) -> Heard {
        loop {
            match self.heard_all().await {
                Heard::Drained(..) => {}
                other => return other,
            }
        }
    }

    pub(crate) async fn heard_all(&mut self) -> Heard {
        timeout(PATIENCE, self.heard.recv()).await.expect("in time").expect("the driver runs")
    }

    /// Whether nothing was heard, reports of drained bytes aside.
    pub(crate) fn is_silent(&mut self) -> bool {
        loop {
            match self.heard.try_recv() {
                Ok(Heard::Drained(..)) => {}
                other => return other.is_err(),
            }
        }
    }

    pub(crate) fn stats(&self) -> TransportStats {
        *self.stats.lock().expect("no panic")
    }

    /// Waits until the log has a line with `text`.
    pub(crate) async fn logged(&self, text: &str) {
        let look = async {
            while !self.lines.lock().expect("no panic").iter().any(|line| line.contains(text)) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let found = timeout(PATIENCE, look).await;
        assert!(found.is_ok(), "no line with {text:?} in {:#?}", self.lines.lock().expect("no panic"));
    }

    /// Dials another and waits until both have the link.
    pub(crate) async fn meet(&mut self, other: &mut Self) {
        self.tell(Do::Dial(other.addr()));
        assert_eq!(self.heard().await, Heard::Up(other.contact.id.0, Some(other.addr())));
        assert_eq!(other.heard().await, Heard::Up(self.contact.id.0, None));
    }

    /// Both directions work.
    pub(crate) async fn talk(&mut self, other: &mut Self) {
        self.send(other, b"to");
        other.send(self, b"fro");
        assert_eq!(other.heard().await, Heard::Message(self.contact.id.0, b"to".to_vec()));
        assert_eq!(self.heard().await, Heard::Message(other.contact.id.0, b"fro".to_vec()));
    }

    /// Stops it in good order.
    pub(crate) async fn stop(self) -> Ended {
        drop(self.commands);
        timeout(PATIENCE, self.driver).await.expect("in time").expect("no panic")
    }

    /// How it ended by itself.
    pub(crate) async fn ended(self) -> Ended {
        timeout(PATIENCE, self.driver).await.expect("in time").expect("no panic")
    }
}
