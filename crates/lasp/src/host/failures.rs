//! What derivations failed on, for one who wants to hear of it: a bounded queue that forgets the oldest.

use lasp_dataflow::DerivationError;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// How many failures wait for who hears of them; older ones are dropped. A guess: a screenful of a few functions.
const KEPT: usize = 256;

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<(VecDeque<DerivationError>, Option<Waker>)>);

impl Failures {
    pub(super) fn push(&self, error: DerivationError) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0.len() == KEPT {
            state.0.pop_front();
        }
        state.0.push_back(error);
        let waker = state.1.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The next one.
    pub(crate) fn poll_next(&self, cx: &Context<'_>) -> Poll<DerivationError> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.0.pop_front() {
            Some(error) => Poll::Ready(error),
            None => {
                state.1 = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}
