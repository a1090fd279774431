//! Where handles and host meet: a bounded queue of submissions, and a slot for each open request.
//!
//! One lock, held for a few instructions at a time and never while a waker or a user's code runs. No executor is
//! known here: only `std` wakers.

use crate::epmd::{Counts, EpmdStats};
use crate::error::{Error, Stop};
use crate::host::failures::Failures;
use crate::host::slots::{Slab, Slot};
use crate::host::tasks::Work;
use crate::host::watchers::Watcher;
use crate::transport::TransportStats;
use lasp_dataflow::{DerivationError, Output};
use lasp_node::{Node, Reply, Request, RequestError, RequestId};
use lasp_overlay::membership::change::Views;
use lasp_overlay::{Addr, PeerId, Time};
use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

/// A closure that looks at a node inside its host.
pub(crate) type Look = Box<dyn FnOnce(&Node) -> Box<dyn Any + Send> + Send>;

/// What a handle asks of the host.
pub(crate) enum Submission {
    /// Asks the node. In a box: a request is large, a queue has many places.
    Request(Box<Request>),
    /// Looks at the node.
    Look(Look),
}

/// What waits for the host.
pub(super) enum Queued {
    Request(RequestId, Box<Request>),
    Look(RequestId, Look),
    Cancel(RequestId),
    Join(Vec<Addr>),
    Stop,
}

/// What is to become of a request whose asker is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It takes its course.
    Forget,
    /// The node forgets it, too.
    Cancel,
    /// What it derives is ended again.
    Undo,
}

/// What an open request is answered with.
pub(crate) enum Answer {
    /// The node's reply.
    Reply(Reply),
    /// What a look gave.
    Seen(Box<dyn Any + Send>),
}

/// The meeting place.
pub(crate) struct Port {
    state: Mutex<State>,
    now: AtomicU64,
    capacity: usize,
    transport: OnceLock<Arc<Mutex<TransportStats>>>,
    epmd: OnceLock<Counts>,
    name: OnceLock<String>,
    http: OnceLock<SocketAddr>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Queued>,
    slots: Slab,
    /// Who waits for room in the queue.
    crowd: Vec<Waker>,
    host: Option<Waker>,
    works: Vec<Work>,
    joined: bool,
    /// Who waits for `joined` or `stopped` to change.
    curious: Vec<Waker>,
    stopped: Option<Stop>,
    /// Who hears of derivations that fail.
    hearers: Vec<Weak<Failures>>,
    /// Who hears of changes in the node's views.
    watchers: Vec<Weak<Watcher>>,
    /// When the views were last looked at, as [`Node::membership_stirs`] counts.
    looked: Option<u64>,
}

impl State {
    /// A request whose answer will meet nobody.
    fn forgotten(&mut self, request: Request) -> Queued {
        let id = self.slots.insert(Slot::waiting());
        self.slots.abandon(id);
        Queued::Request(id, Box::new(request))
    }
}

impl Port {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::default(),
            now: AtomicU64::new(0),
            capacity,
            transport: OnceLock::new(),
            epmd: OnceLock::new(),
            name: OnceLock::new(),
            http: OnceLock::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner) // no user code runs under the lock
    }

    // ---- the handles' side ----

    /// Hands a submission over as soon as there is room; its name, to ask for the answer with.
    pub(crate) fn poll_submit(
        &self,
        cx: &mut Context<'_>,
        submission: &mut Option<Submission>,
    ) -> Poll<Result<RequestId, Error>> {
        let mut state = self.lock();
        if let Some(stop) = &state.stopped {
            return Poll::Ready(Err(Error::Stopped(stop.clone())));
        }
        if state.queue.len() >= self.capacity {
            if !state.crowd.last().is_some_and(|last| last.will_wake(cx.waker())) {
                state.crowd.push(cx.waker().clone());
            }
            return Poll::Pending;
        }
        let slot = match submission {
            Some(Submission::Request(request)) if matches!(**request, Request::Watch(_) | Request::Notice(_)) => {
                Slot::watch()
            }
            _ => Slot::waiting(),
        };
        let id = state.slots.insert(slot);
        match submission.take() {
            Some(Submission::Request(request)) => state.queue.push_back(Queued::Request(id, request)),
            Some(Submission::Look(look)) => state.queue.push_back(Queued::Look(id, look)),
            None => {}
        }
        let host = state.host.take();
        drop(state);
        wake(host);
        Poll::Ready(Ok(id))
    }

    /// The answer to `id`, once; frees its slot unless it is a watch.
    pub(crate) fn poll_answer(&self, cx: &mut Context<'_>, id: RequestId) -> Poll<Result<Answer, Error>> {
        self.lock().slots.poll_answer(cx, id)
    }

    /// The next value of the watch `id`; `None` once the node has stopped.
    pub(crate) fn poll_changed(&self, cx: &mut Context<'_>, id: RequestId) -> Poll<Option<Output>> {
        self.lock().slots.poll_changed(cx, id)
    }

    /// The asker is gone: frees the slot, now or when the answer has come.
    pub(crate) fn abandon(&self, id: RequestId, end: End) {
        let mut state = self.lock();
        let follows = match end {
            End::Undo => state.slots.orphan(id).map(Request::RemoveDerivation).map(|request| state.forgotten(request)),
            End::Forget | End::Cancel => {
                let open = state.slots.abandon(id);
                (open && end == End::Cancel).then_some(Queued::Cancel(id))
            }
        };
        self.push(state, follows);
    }

    /// Asks the node something of which nobody wants to hear the answer; waits for no room.
    pub(crate) fn tell(&self, request: Request) {
        let mut state = self.lock();
        let told = state.forgotten(request);
        self.push(state, Some(told));
    }

    fn push(&self, mut state: MutexGuard<'_, State>, what: Option<Queued>) {
        let Some(what) = what else { return };
        if state.stopped.is_some() {
            drop(state);
            return drop(what); // may hold handles, whose end takes the lock
        }
        state.queue.push_back(what);
        let host = state.host.take();
        drop(state);
        wake(host);
    }

    /// Asks the node to join, or to stop; neither has an answer, neither waits for room.
    fn urge(&self, what: Queued) {
        self.push(self.lock(), Some(what));
    }

    pub(crate) fn join(&self, contacts: Vec<Addr>) {
        self.urge(Queued::Join(contacts));
    }

    pub(crate) fn stop(&self) {
        self.urge(Queued::Stop);
    }

    /// Gives the host a future to run.
    pub(crate) fn spawn(&self, work: Work) {
        let mut state = self.lock();
        if state.stopped.is_some() {
            drop(state);
            return drop(work);
        }
        state.works.push(work);
        let host = state.host.take();
        drop(state);
        wake(host);
    }

    /// Whether the node has neighbours; an error once it has stopped.
    pub(crate) fn poll_joined(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut state = self.lock();
        if let Some(stop) = &state.stopped {
            return Poll::Ready(Err(Error::Stopped(stop.clone())));
        }
        if state.joined {
            return Poll::Ready(Ok(()));
        }
        state.curious.push(cx.waker().clone());
        Poll::Pending
    }

    /// Why the node has stopped, once it has.
    pub(crate) fn poll_stopped(&self, cx: &mut Context<'_>) -> Poll<Stop> {
        let mut state = self.lock();
        if let Some(stop) = &state.stopped {
            return Poll::Ready(stop.clone());
        }
        state.curious.push(cx.waker().clone());
        Poll::Pending
    }

    /// The host's time.
    pub(crate) fn now(&self) -> Time {
        Time::from_micros(self.now.load(Ordering::Relaxed))
    }

    /// What the transport under the node counted, if the host has one.
    pub(crate) fn transport_stats(&self) -> Option<TransportStats> {
        let stats = self.transport.get()?;
        Some(*stats.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was counted of dealings with port mapper daemons, if there are any.
    pub(crate) fn epmd_stats(&self) -> Option<EpmdStats> {
        self.epmd.get().map(Counts::read)
    }

    /// The node's name, if its host gave it one.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.get().map(String::as_str)
    }

    /// What derivations fail on from now on.
    pub(crate) fn failures(&self) -> Arc<Failures> {
        let failures = Arc::<Failures>::default();
        self.lock().hearers.push(Arc::downgrade(&failures));
        failures
    }

    /// What changes in the node's views from now on, after what they are.
    pub(crate) fn watch_views(&self) -> Arc<Watcher> {
        let watcher = Arc::<Watcher>::default();
        let mut state = self.lock();
        if state.stopped.is_some() {
            watcher.close();
        }
        state.watchers.push(Arc::downgrade(&watcher));
        state.looked = None;
        let host = state.host.take();
        drop(state);
        wake(host);
        watcher
    }

    // ---- the host's side ----

    /// Shows who wants to know how the node's views are, if they may have changed.
    pub(super) fn show_views(&self, node: &Node) {
        let mut state = self.lock();
        let stirs = Some(node.membership_stirs());
        if state.watchers.is_empty() || state.looked == stirs {
            return;
        }
        state.looked = stirs;
        state.watchers.retain(|watcher| watcher.strong_count() > 0);
        let watchers: Vec<_> = state.watchers.iter().filter_map(Weak::upgrade).collect();
        drop(state);
        let views = Arc::new(Views::of(node.membership()));
        watchers.iter().for_each(|watcher| watcher.show(&views));
    }

    pub(super) fn farewell(&self, peer: PeerId) {
        let watchers: Vec<_> = self.lock().watchers.iter().filter_map(Weak::upgrade).collect();
        watchers.iter().for_each(|watcher| watcher.farewell(peer));
    }

    /// Tells who wants to hear of it.
    pub(super) fn failed(&self, error: &DerivationError) {
        let mut state = self.lock();
        state.hearers.retain(|hearer| hearer.strong_count() > 0);
        let hearers: Vec<_> = state.hearers.iter().filter_map(Weak::upgrade).collect();
        drop(state);
        hearers.iter().for_each(|hearer| hearer.push(error.clone()));
    }

    pub(crate) fn set_http(&self, addr: SocketAddr) {
        let _ = self.http.set(addr); // once, at the start
    }

    pub(crate) fn http(&self) -> Option<SocketAddr> {
        self.http.get().copied()
    }

    pub(crate) fn set_name(&self, name: String) {
        let _ = self.name.set(name); // given once, at its start
    }

    pub(crate) fn set_transport_stats(&self, stats: Arc<Mutex<TransportStats>>) {
        let _ = self.transport.set(stats); // a host has one transport in its life
    }

    pub(crate) fn set_epmd_counts(&self, counts: Counts) {
        let _ = self.epmd.set(counts); // likewise
    }

    pub(super) fn set_now(&self, now: Time) {
        self.now.store(now.as_micros(), Ordering::Relaxed);
    }

    /// Remembers whom to wake when something is submitted.
    pub(super) fn register_host(&self, waker: &Waker) {
        let mut state = self.lock();
        if !state.host.as_ref().is_some_and(|known| known.will_wake(waker)) {
            state.host = Some(waker.clone());
        }
    }

    pub(super) fn take_works(&self) -> Vec<Work> {
        std::mem::take(&mut self.lock().works)
    }

    /// Moves at most `limit` waiting submissions into `into`; who waited for room is woken.
    pub(super) fn take(&self, limit: usize, into: &mut VecDeque<Queued>) {
        let mut state = self.lock();
        if into.is_empty() && state.queue.len() <= limit {
            std::mem::swap(into, &mut state.queue);
        } else {
            let count = limit.min(state.queue.len());
            into.extend(state.queue.drain(..count));
        }
        let woken = std::mem::take(&mut state.crowd); // all of them: whoever finds no room comes back
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }

    pub(super) fn has_waiting(&self) -> bool {
        let state = self.lock();
        !state.queue.is_empty() || !state.works.is_empty()
    }

    pub(super) fn reply(&self, id: RequestId, result: Result<Answer, RequestError>) {
        let mut state = self.lock();
        let (waker, undone) = state.slots.reply(id, result.map_err(Error::Refused));
        let follows = undone.map(Request::RemoveDerivation).map(|request| state.forgotten(request));
        self.push(state, follows);
        wake(waker);
    }

    pub(super) fn changed(&self, id: RequestId, output: Output) {
        let waker = self.lock().slots.changed(id, output);
        wake(waker);
    }

    pub(super) fn set_joined(&self, joined: bool) {
        let mut state = self.lock();
        state.joined = joined;
        let woken = std::mem::take(&mut state.curious);
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }

    /// The host is gone: every open request fails, every later one too. The first reason counts.
    pub(super) fn close(&self, stop: Stop) {
        let mut state = self.lock();
        if state.stopped.is_some() {
            return;
        }
        state.stopped = Some(stop.clone());
        let (queue, works) = (std::mem::take(&mut state.queue), std::mem::take(&mut state.works));
        let mut woken = state.slots.close(&Error::Stopped(stop));
        woken.append(&mut state.curious);
        woken.append(&mut state.crowd);
        let watchers: Vec<_> = state.watchers.iter().filter_map(Weak::upgrade).collect();
        drop(state);
        watchers.iter().for_each(|watcher| watcher.close());
        drop((queue, works)); // may hold handles, whose end takes the lock
        woken.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Port").field("waiting", &state.queue.len()).field("stopped", &state.stopped).finish()
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
