//! How a session's thread waits: for futures of the node, for jobs of its client, and for being told to stop.

use lasp_lang::Interrupt;
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

/// The future that the thread itself waits for.
const CURRENT: u64 = 0;

/// Jobs that may wait. One runs; a client has no reason to have more than a few.
const MAX_JOBS: usize = 8;

/// The thread was told to stop waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interrupted;

/// Where a thread is woken.
pub(super) struct Signals<J> {
    state: Mutex<State<J>>,
    bell: Condvar,
    /// Raised together with the bell: for those who compute and do not wait.
    interrupt: Interrupt,
}

struct State<J> {
    woken: BTreeSet<u64>,
    jobs: VecDeque<(u32, J)>,
    /// The job under way.
    current: Option<u32>,
    closed: bool,
}

impl<J: Send + 'static> Signals<J> {
    pub(super) fn new() -> Arc<Self> {
        let state = State { woken: BTreeSet::new(), jobs: VecDeque::new(), current: None, closed: false };
        Arc::new(Self { state: Mutex::new(state), bell: Condvar::new(), interrupt: Interrupt::default() })
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // ---- the client's side ----

    /// Gives the thread a job; `false` if too many wait.
    pub(super) fn push(&self, id: u32, job: J) -> bool {
        let mut state = self.lock();
        let room = state.jobs.len() < MAX_JOBS && !state.closed;
        if room {
            state.jobs.push_back((id, job));
            self.bell.notify_all();
        }
        room
    }

    /// Interrupts job `id` if it is under way, or takes it out if it waits; what was taken out.
    pub(super) fn interrupt(&self, id: u32) -> Option<J> {
        let mut state = self.lock();
        if state.current == Some(id) {
            self.interrupt.raise();
            self.bell.notify_all();
        }
        let place = state.jobs.iter().position(|(waiting, _)| *waiting == id)?;
        state.jobs.remove(place).map(|(_, job)| job)
    }

    /// Ends the thread as soon as it can.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.jobs.clear();
        self.interrupt.raise();
        self.bell.notify_all();
    }

    /// The flag that stops what computes.
    pub(super) fn flag(&self) -> Interrupt {
        self.interrupt.clone()
    }

    // ---- the thread's side ----

    /// Waits until there is a job or a future was woken; `None` for the latter. `Err` once closed.
    pub(super) fn next_job(&self) -> Result<Option<(u32, J)>, Interrupted> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return Err(Interrupted);
            }
            self.interrupt.clear();
            state.current = None;
            if let Some((id, job)) = state.jobs.pop_front() {
                state.current = Some(id);
                return Ok(Some((id, job)));
            }
            if !state.woken.is_empty() {
                return Ok(None);
            }
            state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The futures that were woken since the last time.
    pub(super) fn take_woken(&self) -> BTreeSet<u64> {
        std::mem::take(&mut self.lock().woken)
    }

    /// Waits until a future is woken or the time has come, forever without one; whether it was the former.
    pub(super) fn wait(&self, until: Option<Instant>) -> Result<bool, Interrupted> {
        let mut state = self.lock();
        loop {
            if state.closed || self.interrupt.is_raised() {
                return Err(Interrupted);
            }
            if !state.woken.is_empty() {
                return Ok(true);
            }
            let Some(until) = until else {
                state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            state = self.bell.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for a future.
    pub(super) fn block_on<F: Future>(self: &Arc<Self>, future: F) -> Result<F::Output, Interrupted> {
        let mut future = pin!(future);
        let waker = self.waker(CURRENT);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                self.lock().woken.remove(&CURRENT);
                return Ok(output);
            }
            let mut state = self.lock();
            while !state.woken.remove(&CURRENT) {
                if state.closed || self.interrupt.is_raised() {
                    return Err(Interrupted);
                }
                state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Lets the next wait end at once.
    pub(super) fn wake(self: &Arc<Self>) {
        self.waker(CURRENT).wake();
    }

    /// Wakes the thread for the sake of future `id`, which is not 0.
    pub(super) fn waker(self: &Arc<Self>, id: u64) -> Waker {
        Waker::from(Arc::new(Bell { id, signals: Arc::clone(self) }))
    }
}

impl<J> fmt::Debug for Signals<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signals")
    }
}

struct Bell<J> {
    id: u64,
    signals: Arc<Signals<J>>,
}

impl<J: Send + 'static> Wake for Bell<J> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.signals.lock().woken.insert(self.id);
        self.signals.bell.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_job_under_way_is_interrupted_and_a_waiting_one_taken_out() {
        let signals = Signals::new();
        assert!(signals.push(1, "first") && signals.push(2, "second"));
        assert_eq!(signals.next_job(), Ok(Some((1, "first"))));
        assert_eq!(signals.interrupt(2), Some("second"));
        assert_eq!(signals.wait(Some(Instant::now())), Ok(false));
        assert_eq!(signals.interrupt(1), None);
        assert_eq!(signals.block_on(std::future::pending::<()>()), Err(Interrupted));
        assert_eq!(signals.wait(None), Err(Interrupted));
        assert!(signals.push(3, "third"));
        assert_eq!(signals.next_job(), Ok(Some((3, "third"))));
        assert_eq!(signals.wait(Some(Instant::now())), Ok(false), "an interruption is over with its job");
    }

    #[test]
    fn a_woken_future_ends_the_wait() {
        let signals = Signals::<()>::new();
        let waker = signals.waker(7);
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(5));
            waker.wake();
        });
        assert_eq!(signals.wait(None), Ok(true));
        assert_eq!(signals.take_woken(), BTreeSet::from([7]));
        thread.join().expect("it ends");
    }

    #[test]
    fn too_many_jobs_and_a_closed_thread_are_told() {
        let signals = Signals::new();
        let taken = (0..100).filter(|id| signals.push(*id, ())).count();
        assert_eq!(taken, MAX_JOBS);
        signals.close();
        assert!(!signals.push(1, ()));
        assert_eq!(signals.next_job(), Err(Interrupted));
    }
}
