//! The run loop: turns sockets, timers and commands into inputs of a [`Protocol`], and its outputs into writes,
//! timers and dials.
//!
//! One task, one protocol, one heap of timers. Each round takes in everything that is ready, up to a bound, and only
//! then writes: once per connection. The driver knows no protocol's meaning.

use crate::log::{Level, Log};
use crate::timers::Timers;
use crate::transport::{LinkEvent, Transport, TransportStats};
use lasp_overlay::{Contact, Input, Outbox, Output, Protocol, Time};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Who gives a protocol its commands and hears its events.
pub trait Owner<P: Protocol> {
    /// Moves a bounded number of waiting commands into `into`. `Pending` if there are none; then `cx` is woken when
    /// there are, or when [`is_stopping`](Self::is_stopping) turns true.
    fn poll_commands(&mut self, cx: &mut Context<'_>, now: Time, protocol: &P, into: &mut Vec<P::Command>) -> Poll<()>;

    /// Hears an event.
    fn event(&mut self, event: P::Event);

    /// Whether the owner has given its last command and wants the driver to end.
    fn is_stopping(&self) -> bool;
}

/// How a driver ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Its owner wanted it.
    Stopped,
    /// Another process, alive, holds this node's identity.
    IdentityInUse(Contact),
}

/// Limits of a driver.
#[derive(Clone, Debug)]
pub struct DriverConfig {
    /// Timers and socket events handled before writing, a frame counting once for every 256 bytes of it begun; a guess that
    /// keeps a round in the low milliseconds, so that the owner is heard while a neighbour gives very much.
    pub batch: usize,
    /// How long links may take to close once the owner stops. A guess.
    pub stop_timeout: Duration,
    /// Where lines for the operator go.
    pub log: Log,
}

impl Default for DriverConfig {
    fn default() -> Self {
        Self { batch: 1024, stop_timeout: Duration::from_secs(1), log: Log::silent() }
    }
}

/// Drives one protocol over one transport.
#[derive(Debug)]
pub struct Driver<P: Protocol, O> {
    protocol: P,
    owner: O,
    transport: Transport<P::Message>,
    timers: Timers<P::Timer>,
    outbox: Outbox<P>,
    commands: Vec<P::Command>,
    config: DriverConfig,
    start: Instant,
    ended: Option<Ended>,
    stop_at: Option<Time>,
    stats: Arc<Mutex<TransportStats>>,
}

impl<P, O> Driver<P, O>
where
    P: Protocol,
    P::Message: AsRef<[u8]> + for<'a> From<&'a [u8]> + Send + 'static,
    O: Owner<P>,
{
    /// A driver whose time began at `start`.
    pub fn new(protocol: P, owner: O, transport: Transport<P::Message>, start: Instant, config: DriverConfig) -> Self {
        Self {
            protocol,
            owner,
            transport,
            timers: Timers::default(),
            outbox: Outbox::new(),
            commands: Vec::new(),
            config,
            start,
            ended: None,
            stop_at: None,
            stats: Arc::default(),
        }
    }

    /// Where the transport's counters can be read while the driver runs; refreshed every round.
    pub fn stats(&self) -> Arc<Mutex<TransportStats>> {
        Arc::clone(&self.stats)
    }

    /// Runs until the owner stops it, or the node must not go on; the protocol and the owner as they then are.
    pub async fn run(mut self) -> (Ended, P, O) {
        self.input(Input::Start);
        let mut sleep = Box::pin(sleep_until(self.start));
        loop {
            self.transport.flush(self.now());
            if let Some(ended) = self.end() {
                self.transport.shutdown().await;
                return (ended, self.protocol, self.owner);
            }
            self.wait(sleep.as_mut()).await;
            if self.round() {
                tokio::task::yield_now().await; // more is ready: let the sockets' tasks have their turn first
            }
            self.publish_stats();
        }
    }

    fn now(&self) -> Time {
        Time::from_micros(u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// Waits until a socket, a timer or the owner has something.
    async fn wait(&mut self, mut sleep: Pin<&mut Sleep>) {
        let deadlines = [self.timers.next_at(), self.transport.next_deadline(), self.stop_at];
        let deadline = deadlines.into_iter().flatten().min().map(|at| self.start + at.since(Time::ZERO));
        if let Some(at) = deadline
            && sleep.deadline() != at
        {
            sleep.as_mut().reset(at);
        }
        poll_fn(|cx| {
            let now = self.now();
            let network = self.transport.poll(cx, now).is_ready();
            let owner = self.stop_at.is_none()
                && self.owner.poll_commands(cx, now, &self.protocol, &mut self.commands).is_ready();
            let time = deadline.is_some() && sleep.as_mut().poll(cx).is_ready();
            if network || owner || time { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Handles what is ready; whether the bound was met first.
    fn round(&mut self) -> bool {
        let mut left = self.config.batch;
        self.transport.tick(self.now());
        let full = self.commands.len() >= left;
        for command in std::mem::take(&mut self.commands) {
            self.input(Input::Command(command));
        }
        while left > 0
            && let Some(event) = self.transport.next_event()
        {
            left = left.saturating_sub(share(&event));
            self.on_link_event(event);
        }
        let now = self.now();
        while left > 0
            && let Some(timer) = self.timers.pop(now)
        {
            self.input(Input::Expired(timer));
            left -= 1;
        }
        full || left == 0
    }

    fn on_link_event(&mut self, event: LinkEvent<P::Message>) {
        match event {
            LinkEvent::Up { peer, dialed } => self.input(Input::LinkUp { peer, dialed }),
            LinkEvent::Down(peer) => self.input(Input::LinkDown(peer)),
            LinkEvent::DialFailed(addr) => self.input(Input::DialFailed(addr)),
            LinkEvent::Received { from, message } => self.input(Input::Received { from, message }),
            LinkEvent::Drained { peer, bytes } => self.input(Input::Drained { peer, bytes }),
            LinkEvent::IdentityInUse(holder) => {
                self.config.log.line(Level::Error, || format!("identity in use by {holder}"));
                self.ended = Some(Ended::IdentityInUse(holder));
            }
        }
    }

    fn input(&mut self, input: Input<P>) {
        let now = self.now();
        let mut outbox = std::mem::take(&mut self.outbox);
        self.protocol.handle(now, input, &mut outbox);
        for output in outbox.drain() {
            self.output(now, output);
        }
        self.outbox = outbox; // its capacity is reused
    }

    fn output(&mut self, now: Time, output: Output<P>) {
        match output {
            Output::Send { to, message } => self.transport.send(to, &message),
            Output::SetTimer { after, timer } => self.timers.set(now + after, timer),
            Output::Dial(addr) => self.transport.dial(now, addr),
            Output::Link(contact) => self.transport.link(now, &contact),
            Output::Close(peer) => self.transport.close(now, peer),
            Output::Emit(event) => self.owner.event(event),
        }
    }

    /// Whether and how to end now: once stopping, when the last link has closed or the time for that is over.
    fn end(&mut self) -> Option<Ended> {
        if let Some(ended) = self.ended.take() {
            return Some(ended);
        }
        if !self.owner.is_stopping() || !self.commands.is_empty() {
            return None;
        }
        let now = self.now();
        let stop_at = *self.stop_at.get_or_insert(now + self.config.stop_timeout);
        self.transport.leave();
        (self.transport.link_count() == 0 || now >= stop_at).then_some(Ended::Stopped)
    }

    fn publish_stats(&self) {
        if let Ok(mut stats) = self.stats.lock() {
            *stats = self.transport.stats();
        }
    }
}

/// How much of a round's [batch](DriverConfig::batch) an event takes.
fn share<M: AsRef<[u8]>>(event: &LinkEvent<M>) -> usize {
    match event {
        LinkEvent::Received { message, .. } => 1 + message.as_ref().len() / 256,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_overlay::PeerId;

    #[test]
    fn a_few_of_the_largest_frames_fill_a_round_and_many_small_ones_do_not() {
        let frame = |bytes| LinkEvent::Received { from: PeerId(1), message: vec![0; bytes] };
        let batch = DriverConfig::default().batch;
        assert_eq!((share(&frame(0)), share(&frame(255)), share(&frame(256))), (1, 1, 2));
        assert!((3..=5).contains(&batch.div_ceil(share(&frame(64 * 1024)))));
        assert!(batch.div_ceil(share(&frame(100))) > 1000);
        assert_eq!(share(&LinkEvent::<Vec<u8>>::Down(PeerId(1))), 1);
    }
}
