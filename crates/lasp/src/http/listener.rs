//! Connections, boundedly many, and none that rests for ever: whoever neither reads nor writes is let go.

use super::counts::Counts;
use crate::control::Seat;
use crate::log::{Level, Log};
use axum::serve::Listener;
use socket2::SockRef;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep, sleep};

/// Connections at once. A guess: some viewers with six connections each, and scrapers.
const MAX_CONNECTIONS: usize = 64;

/// How long a connection may pass nothing either way. A guess, above the pause between two signs of life of a stream.
const IDLE: Duration = Duration::from_secs(60);

/// What the kernel holds for a viewer that does not read; Linux doubles it. A guess: a second of what a page of a large
/// cluster is told. Without it the kernel takes megabytes.
const UNREAD: usize = 128 << 10;

/// How long to wait when nobody can be let in.
const PAUSE: Duration = Duration::from_millis(100);

/// A listener that lets in so many at once.
pub(super) struct Bounded {
    listener: TcpListener,
    taken: Arc<AtomicUsize>,
    counts: Arc<Counts>,
    idle: Duration,
    log: Log,
}

impl Bounded {
    pub(super) fn new(listener: TcpListener, counts: Arc<Counts>, log: Log) -> Self {
        Self { listener, taken: Arc::default(), counts, idle: IDLE, log }
    }
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, addr)) => {
                    if let Some(seat) = Seat::take(&self.taken, MAX_CONNECTIONS) {
                        let _ = stream.set_nodelay(true); // answers come late without it, no more
                        let _ = SockRef::from(&stream).set_send_buffer_size(UNREAD); // the usual bound of the kernel else
                        return (Connection::new(stream, seat, self.idle, self.counts.clone()), addr);
                    }
                    // Closed at once: whoever is let in later finds room.
                    self.log.line(Level::Warn, || format!("turned away an HTTP client: {MAX_CONNECTIONS} are served"));
                }
                Err(error) => {
                    self.log.line(Level::Warn, || format!("cannot accept HTTP clients: {error}"));
                    sleep(PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends when it has passed nothing for a while.
pub(super) struct Connection {
    stream: TcpStream,
    patience: Duration,
    idle: Pin<Box<Sleep>>,
    /// Whether something waits to be written.
    unread: bool,
    counts: Arc<Counts>,
    _seat: Seat,
}

impl Connection {
    fn new(stream: TcpStream, seat: Seat, patience: Duration, counts: Arc<Counts>) -> Self {
        Self { stream, patience, idle: Box::pin(sleep(patience)), unread: false, counts, _seat: seat }
    }

    /// Something went through, or nothing has for too long.
    fn watched<T>(&mut self, cx: &mut Context<'_>, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.idle.as_mut().reset(Instant::now() + self.patience);
            return poll;
        }
        match self.idle.as_mut().poll(cx) {
            Poll::Ready(()) => {
                if std::mem::take(&mut self.unread) {
                    self.counts.stalled();
                }
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// The same of what is written.
    fn written(&mut self, cx: &mut Context<'_>, poll: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.unread = poll.is_pending();
        self.watched(cx, poll)
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.watched(cx, poll)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.written(cx, poll)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.written(cx, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use futures_util::stream::repeat_with;
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicU64, Ordering};
    use tokio::io::AsyncWriteExt as _;

    /// One piece of an answer that never ends.
    const PIECE: usize = 16 << 10;

    /// Serves something endless to connections that may rest for so long; counts pieces that were made.
    async fn serve(idle: Duration) -> (SocketAddr, Arc<Counts>, Arc<AtomicU64>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let (addr, counts) = (listener.local_addr().expect("bound"), Arc::<Counts>::default());
        let bounded = Bounded { idle, ..Bounded::new(listener, counts.clone(), Log::silent()) };
        let made = Arc::<AtomicU64>::default();
        let counted = made.clone();
        let endless = move || {
            let counted = counted.clone();
            let piece = move || {
                counted.fetch_add(1, Ordering::Relaxed);
                Ok::<_, Infallible>(vec![b'x'; PIECE])
            };
            std::future::ready(Body::from_stream(repeat_with(piece)))
        };
        let router = Router::new().route("/", get(endless));
        tokio::spawn(async move { axum::serve(bounded, router).await });
        (addr, counts, made)
    }

    fn stalled(counts: &Counts) -> u64 {
        counts.all()[2].2
    }

    #[tokio::test]
    async fn who_never_reads_holds_little_and_is_let_go() {
        let (addr, counts, made) = serve(Duration::from_millis(50)).await;
        let mut viewer = TcpStream::connect(addr).await.expect("it listens");
        viewer.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("it reads");
        while stalled(&counts) == 0 {
            sleep(Duration::from_millis(5)).await;
        }
        let held = made.load(Ordering::Relaxed) * PIECE as u64;
        // The server's buffer, the kernel's at this end, and what the viewer's kernel takes for it: up to 6 MiB on Linux.
        assert!((PIECE as u64..8 << 20).contains(&held), "{held}");
        assert_eq!(stalled(&counts), 1);
        // It has ended: nothing is made any more.
        tokio::task::yield_now().await;
        assert_eq!(made.load(Ordering::Relaxed) * PIECE as u64, held);
    }

    #[tokio::test]
    async fn who_asks_nothing_is_let_go_and_is_no_stalled_viewer() {
        let (addr, counts, _) = serve(Duration::from_millis(20)).await;
        let mut viewer = TcpStream::connect(addr).await.expect("it listens");
        let mut byte = [0];
        let end = tokio::io::AsyncReadExt::read(&mut viewer, &mut byte).await;
        assert!(matches!(end, Ok(0) | Err(_)));
        assert_eq!(stalled(&counts), 0);
    }
}
