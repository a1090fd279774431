//! Connections, boundedly many, and none that rests for ever: whoever neither reads nor writes is let go.

use crate::control::Seat;
use crate::log::{Level, Log};
use axum::serve::Listener;
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

/// How long to wait when nobody can be let in.
const PAUSE: Duration = Duration::from_millis(100);

/// A listener that lets in so many at once.
pub(super) struct Bounded {
    listener: TcpListener,
    taken: Arc<AtomicUsize>,
    log: Log,
}

impl Bounded {
    pub(super) fn new(listener: TcpListener, log: Log) -> Self {
        Self { listener, taken: Arc::default(), log }
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
                        return (Connection::new(stream, seat), addr);
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
    idle: Pin<Box<Sleep>>,
    _seat: Seat,
}

impl Connection {
    fn new(stream: TcpStream, seat: Seat) -> Self {
        Self { stream, idle: Box::pin(sleep(IDLE)), _seat: seat }
    }

    /// Something went through, or nothing has for too long.
    fn watched<T>(&mut self, cx: &mut Context<'_>, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.idle.as_mut().reset(Instant::now() + IDLE);
            return poll;
        }
        match self.idle.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
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
        self.watched(cx, poll)
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
        self.watched(cx, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
