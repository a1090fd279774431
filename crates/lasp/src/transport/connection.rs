//! One TCP connection: a task that reads, a buffer that the driver writes from, and an orderly end.
//!
//! The driver writes with one system call per batch from its own task; only when the kernel takes no more does a
//! short-lived task wait for room. An idle connection holds no read buffer.

use super::framing::{Decoder, FramingError, Kind, PREFACE, Packet, write_control, write_frame};
use super::links::ConnId;
use socket2::{SockRef, TcpKeepalive};
use std::collections::VecDeque;
use std::io;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Bytes read at once: at first, and at most when a sender keeps the buffer full. Guesses.
const READ: std::ops::RangeInclusive<usize> = 4 * 1024..=64 * 1024;

/// A sent buffer larger than this is given back.
const KEEP: usize = 16 * 1024;

/// How long what was sent may take to leave a connection that is closed. A guess.
pub(super) const LINGER: Duration = Duration::from_secs(2);

/// What a connection's tasks tell the transport.
#[derive(Debug)]
pub(super) enum Happening<M> {
    /// A dial has connected.
    Connected(ConnId, TcpStream),
    /// Whole packets were read, and as many bytes.
    Read(ConnId, Vec<Packet<M>>, usize),
    /// There is room to write again.
    Writable(ConnId),
    /// The first packet was that of a client, with this body; nothing more is read here. Bytes that came with it are in
    /// the decoder.
    Client(ConnId, Vec<u8>, Decoder),
    /// Nothing more will come.
    Ended(ConnId, End),
}

/// How a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// The other side closed it, between two packets.
    Closed,
    /// It could not be opened, was reset, closed inside a packet, or timed out.
    Failed(String),
    /// Its bytes make no sense.
    Framing(FramingError),
}

/// A task that ends with its owner.
#[derive(Debug)]
pub(super) struct Task(JoinHandle<()>);

impl Task {
    pub(super) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Arc<TcpStream>,
    out: Vec<u8>,
    sent: usize,
    /// For each frame in `out` that has not left: bytes on the wire up to its end, and of its message.
    frames: VecDeque<(usize, usize)>,
    waiting: Option<Task>,
    _reader: Task,
}

impl Connection {
    /// Starts reading; the preface is the first thing to be written.
    pub(super) fn open<M>(id: ConnId, stream: TcpStream, max_frame: usize, events: mpsc::Sender<Happening<M>>) -> Self
    where
        M: for<'a> From<&'a [u8]> + Send + 'static,
    {
        tune(&stream);
        let stream = Arc::new(stream);
        let reader = Task::spawn(read(id, Arc::clone(&stream), max_frame, events));
        Self { stream, out: PREFACE.to_vec(), sent: 0, frames: VecDeque::new(), waiting: None, _reader: reader }
    }

    /// Buffers a control packet.
    pub(super) fn control(&mut self, kind: Kind, body: &[u8]) {
        write_control(&mut self.out, kind, body);
    }

    /// Buffers a frame.
    pub(super) fn frame(&mut self, message: &[u8]) {
        write_frame(&mut self.out, message);
        self.frames.push_back((self.out.len(), message.len()));
    }

    /// Who is at the other end, as the system sees it.
    pub(super) fn remote(&self) -> Option<std::net::SocketAddr> {
        self.stream.peer_addr().ok()
    }

    /// Bytes that wait.
    pub(super) const fn backlog(&self) -> usize {
        self.out.len() - self.sent
    }

    /// Writes what the kernel takes; how many bytes left, and how many bytes of whole messages with them.
    pub(super) fn flush<M: Send + 'static>(
        &mut self,
        id: ConnId,
        events: &mpsc::Sender<Happening<M>>,
    ) -> io::Result<(usize, usize)> {
        if self.waiting.is_some() {
            return Ok((0, 0));
        }
        let before = self.sent;
        while self.sent < self.out.len() {
            match self.stream.try_write(&self.out[self.sent..]) {
                Ok(n) => self.sent += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.waiting = Some(Task::spawn(wait_for_room(id, Arc::clone(&self.stream), events.clone())));
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        let wire = self.sent - before;
        Ok((wire, self.messages_left()))
    }

    /// The kernel has room again.
    pub(super) fn writable(&mut self) {
        self.waiting = None;
    }

    /// The socket, and what has not been written to it; nothing here reads it any more.
    pub(super) fn hand_over(self) -> (Arc<TcpStream>, Vec<u8>) {
        (self.stream, self.out[self.sent..].to_vec())
    }

    /// Closes once what is buffered has left and the other side has closed too, within [`LINGER`].
    pub(super) fn finish(self) -> impl Future<Output = ()> + Send + 'static {
        let Self { stream, out, sent, _reader: reader, .. } = self;
        drop(reader);
        async move {
            let _ = tokio::time::timeout(LINGER, say_goodbye(&stream, &out[sent..])).await;
        }
    }

    fn messages_left(&mut self) -> usize {
        let mut bytes = 0;
        while let Some((end, message)) = self.frames.front().copied().filter(|(end, _)| *end <= self.sent) {
            debug_assert!(end > 0, "a frame has a length");
            bytes += message;
            self.frames.pop_front();
        }
        if self.sent == self.out.len() {
            self.out.clear();
            self.out.shrink_to(KEEP);
            self.sent = 0;
        } else if self.sent > KEEP {
            self.out.drain(..self.sent);
            self.frames.iter_mut().for_each(|(end, _)| *end -= self.sent);
            self.sent = 0;
        }
        bytes
    }
}

/// Most bytes that the kernel keeps of a connection before it sends them: what comes next waits for no more than that. A guess:
/// a window of the node's.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 64 * 1024;

/// Small writes leave at once, and do not wait behind megabytes in the kernel; a dead peer is noticed by the kernel too.
/// Failures only cost latency.
fn tune(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_notsent_lowat(UNSENT);
    let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(15)).with_interval(Duration::from_secs(5));
    let _ = socket.set_tcp_keepalive(&keepalive);
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(Duration::from_secs(20)));
}

/// As [`tune`], but however slowly a client reads, it is not given up.
pub(crate) fn tune_for_client(stream: &TcpStream) {
    tune(stream);
    #[cfg(target_os = "linux")]
    let _ = SockRef::from(stream).set_tcp_user_timeout(None);
}

async fn read<M>(id: ConnId, stream: Arc<TcpStream>, max_frame: usize, events: mpsc::Sender<Happening<M>>)
where
    M: for<'a> From<&'a [u8]> + Send + 'static,
{
    let mut decoder = Decoder::new(max_frame);
    let mut chunk = *READ.start();
    let mut untouched = true;
    let end = loop {
        match read_some(&stream, &mut decoder, &mut chunk).await {
            Ok(0) if decoder.is_at_boundary() => break End::Closed,
            Ok(0) => break End::Failed("closed inside a packet".to_owned()),
            Ok(bytes) => {
                let (packets, stop) = cut(&mut decoder, &mut untouched);
                if events.send(Happening::Read(id, packets, bytes)).await.is_err() {
                    return;
                }
                match stop {
                    None => {}
                    Some(Stop::Framing(error)) => break End::Framing(error),
                    Some(Stop::Client(body)) => {
                        drop(stream); // the transport has it
                        let _ = events.send(Happening::Client(id, body, decoder)).await;
                        return;
                    }
                }
            }
            Err(error) => break End::Failed(error.to_string()),
        }
    };
    let _ = events.send(Happening::Ended(id, end)).await;
}

/// Waits for bytes before it makes room for them; takes more at once from a sender that fills the room.
async fn read_some(stream: &TcpStream, decoder: &mut Decoder, chunk: &mut usize) -> io::Result<usize> {
    loop {
        stream.readable().await?;
        let buffer = decoder.buffer();
        buffer.reserve(*chunk);
        match stream.try_read_buf(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => decoder.release_if_empty(),
            Ok(n) => {
                *chunk = if n >= *chunk { (*chunk * 2).min(*READ.end()) } else { *READ.start() };
                return Ok(n);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Why a reader reads no more.
enum Stop {
    /// The bytes make no sense.
    Framing(FramingError),
    /// The first packet is that of a client, with this body.
    Client(Vec<u8>),
}

/// Cuts what has come into packets. `untouched` until the first one.
fn cut<M: for<'a> From<&'a [u8]>>(decoder: &mut Decoder, untouched: &mut bool) -> (Vec<Packet<M>>, Option<Stop>) {
    let mut packets = Vec::new();
    loop {
        match decoder.next_packet() {
            Ok(Some(Packet::Control(Kind::Client, body))) if *untouched => return (packets, Some(Stop::Client(body))),
            Ok(Some(packet)) => packets.push(packet),
            Ok(None) => return (packets, None),
            Err(error) => return (packets, Some(Stop::Framing(error))),
        }
        *untouched = false;
    }
}

async fn wait_for_room<M>(id: ConnId, stream: Arc<TcpStream>, events: mpsc::Sender<Happening<M>>) {
    let _ = stream.writable().await; // an error shows in the next write
    let _ = events.send(Happening::Writable(id)).await;
}

/// Sends the rest, says that nothing more comes, and reads until the other side has said so too: a socket closed
/// with bytes unread would be reset, and the peer could lose what it has not read yet.
pub(crate) async fn say_goodbye(stream: &TcpStream, mut rest: &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        stream.writable().await?;
        match stream.try_write(rest) {
            Ok(n) => rest = &rest[n..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    SockRef::from(stream).shutdown(Shutdown::Write)?;
    let mut sink = [0; 1024];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut sink) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
