//! Who hears of changes in a node's views: each has what it was told last, and the views as they are.
//!
//! Nothing queues up. What happens before a slow listener asks again is told in one change, which leads from what it knew to
//! what is; so a listener costs as much as two snapshots, and loses no state.

use lasp_overlay::PeerId;
use lasp_overlay::membership::change::{Change, Views};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Departures that are remembered until a listener asks; of further ones it hears that the peers are gone, but not that they
/// said goodbye. A guess.
const FAREWELLS: usize = 1024;

/// One listener.
#[derive(Debug, Default)]
pub(crate) struct Watcher(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    told: Arc<Views>,
    now: Option<Arc<Views>>,
    left: BTreeSet<PeerId>,
    closed: bool,
    waker: Option<Waker>,
}

impl Watcher {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner) // no user code runs under the lock
    }

    /// The views are like this now.
    pub(super) fn show(&self, views: &Arc<Views>) {
        let mut state = self.lock();
        let unheard = !state.left.is_empty() || *state.told != **views;
        state.now = unheard.then(|| Arc::clone(views));
        let waker = if unheard { state.waker.take() } else { None };
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    /// A peer has said goodbye. The views, which come next, wake the listener.
    pub(super) fn farewell(&self, peer: PeerId) {
        let mut state = self.lock();
        if state.left.len() < FAREWELLS {
            state.left.insert(peer);
        }
    }

    /// Nothing changes any more.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let waker = state.waker.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    /// What has changed since it was asked last, as soon as anything has; nothing once the node has stopped.
    pub(crate) fn poll_next(&self, cx: &Context<'_>) -> Poll<Option<Change>> {
        let mut state = self.lock();
        if let Some(now) = state.now.take() {
            let left = std::mem::take(&mut state.left);
            let change = state.told.change_to(&now, &left);
            state.told = now;
            if !change.is_empty() {
                return Poll::Ready(Some(change));
            }
        }
        if state.closed {
            return Poll::Ready(None);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}
