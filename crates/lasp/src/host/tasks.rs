//! Futures that a host runs beside its node: polled when woken, in the order in which they were given.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

/// A future to run.
pub(crate) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The futures of one host.
#[derive(Default)]
pub(super) struct Tasks {
    works: BTreeMap<u64, (Work, Waker)>,
    next: u64,
    woken: Arc<Woken>,
}

/// Which futures are to be polled, and whom to tell.
#[derive(Default)]
struct Woken(Mutex<(BTreeSet<u64>, Option<Waker>)>);

impl Tasks {
    /// Adds a future; it is polled in the next [`run`](Self::run).
    pub(super) fn add(&mut self, work: Work) {
        let id = self.next;
        self.next += 1;
        let waker = Waker::from(Arc::new(One { id, woken: Arc::clone(&self.woken) }));
        self.works.insert(id, (work, waker));
        self.woken.add(id);
    }

    /// Remembers whom to wake when a future is woken.
    pub(super) fn register(&self, waker: &Waker) {
        let mut woken = self.woken.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !woken.1.as_ref().is_some_and(|known| known.will_wake(waker)) {
            woken.1 = Some(waker.clone());
        }
    }

    /// Whether a future waits to be polled.
    pub(super) fn is_ready(&self) -> bool {
        !self.woken.0.lock().unwrap_or_else(PoisonError::into_inner).0.is_empty()
    }

    /// Polls each woken future once, oldest first.
    pub(super) fn run(&mut self) {
        let ready = std::mem::take(&mut self.woken.0.lock().unwrap_or_else(PoisonError::into_inner).0);
        for id in ready {
            let Some((work, waker)) = self.works.get_mut(&id) else { continue };
            if work.as_mut().poll(&mut Context::from_waker(waker)).is_ready() {
                self.works.remove(&id);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.works.len()
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("len", &self.len()).finish()
    }
}

impl Woken {
    fn add(&self, id: u64) {
        let mut woken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        woken.0.insert(id);
        let host = woken.1.take();
        drop(woken);
        if let Some(host) = host {
            host.wake();
        }
    }
}

struct One {
    id: u64,
    woken: Arc<Woken>,
}

impl Wake for One {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.add(self.id);
    }
}
