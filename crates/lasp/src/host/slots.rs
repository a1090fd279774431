//! Open requests: a slab whose index and generation are the request's id, so that a late answer meets nobody.

use super::port::Answer;
use crate::error::Error;
use lasp_dataflow::{DerivationId, Output};
use lasp_node::{Reply, RequestId};
use std::task::{Context, Poll, Waker};

/// What is known of one open request.
pub(super) struct Slot {
    kind: Kind,
    waker: Option<Waker>,
}

enum Kind {
    Waiting,
    /// Nobody waits; what it derives is to be ended.
    Orphan,
    Answered(Result<Answer, Error>),
    /// A watch: its first answer, then the newest value that was not taken yet. A slow watcher skips values, never
    /// the last one.
    Watch {
        started: Option<Result<Answer, Error>>,
        newest: Option<Output>,
        over: bool,
    },
}

impl Slot {
    pub(super) const fn waiting() -> Self {
        Self { kind: Kind::Waiting, waker: None }
    }

    pub(super) const fn watch() -> Self {
        Self { kind: Kind::Watch { started: None, newest: None, over: false }, waker: None }
    }

    fn is_open(&self) -> bool {
        !matches!(self.kind, Kind::Answered(_) | Kind::Watch { over: true, .. })
    }

    /// Takes the answer in; whom to wake.
    fn answer(&mut self, answer: Result<Answer, Error>) -> Option<Waker> {
        match &mut self.kind {
            Kind::Waiting => self.kind = Kind::Answered(answer),
            Kind::Watch { started, over, .. } => {
                *over |= answer.is_err();
                started.get_or_insert(answer);
            }
            Kind::Answered(_) | Kind::Orphan => {}
        }
        self.waker.take()
    }
}

/// What an answer says was derived.
fn derived(answer: &Result<Answer, Error>) -> Option<DerivationId> {
    match answer {
        Ok(Answer::Reply(Reply::Derived { derivation, .. })) => Some(*derivation),
        _ => None,
    }
}

#[derive(Default)]
pub(super) struct Slab {
    entries: Vec<Entry>,
    free: Vec<u32>,
}

struct Entry {
    generation: u32,
    slot: Option<Slot>,
}

impl Slab {
    pub(super) fn insert(&mut self, slot: Slot) -> RequestId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry { generation: 0, slot: None });
            self.entries.len() as u32 - 1
        });
        let entry = &mut self.entries[index as usize];
        entry.slot = Some(slot);
        RequestId(u64::from(entry.generation) << 32 | u64::from(index))
    }

    fn get(&mut self, id: RequestId) -> Option<&mut Slot> {
        let entry = self.entries.get_mut(id.0 as u32 as usize)?;
        if u64::from(entry.generation) == id.0 >> 32 { entry.slot.as_mut() } else { None }
    }

    fn remove(&mut self, id: RequestId) -> Option<Slot> {
        self.get(id)?;
        let index = id.0 as u32;
        let entry = &mut self.entries[index as usize];
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(index);
        entry.slot.take()
    }

    pub(super) fn poll_answer(&mut self, cx: &mut Context<'_>, id: RequestId) -> Poll<Result<Answer, Error>> {
        let Some(slot) = self.get(id) else { return Poll::Pending }; // polled again after its answer
        if let Kind::Watch { started, .. } = &mut slot.kind
            && let Some(answer) = started.take()
        {
            if answer.is_err() {
                self.remove(id);
            }
            return Poll::Ready(answer);
        }
        if !matches!(slot.kind, Kind::Answered(_)) {
            slot.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        match self.remove(id) {
            Some(Slot { kind: Kind::Answered(answer), .. }) => Poll::Ready(answer),
            _ => Poll::Pending,
        }
    }

    pub(super) fn poll_changed(&mut self, cx: &mut Context<'_>, id: RequestId) -> Poll<Option<Output>> {
        let Some(slot) = self.get(id) else { return Poll::Ready(None) };
        let Kind::Watch { newest, over, .. } = &mut slot.kind else { return Poll::Ready(None) };
        match newest.take() {
            Some(output) => Poll::Ready(Some(output)),
            None if *over => Poll::Ready(None),
            None => {
                slot.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Takes an answer in: whom to wake, and what to end because nobody waits for it.
    pub(super) fn reply(
        &mut self,
        id: RequestId,
        answer: Result<Answer, Error>,
    ) -> (Option<Waker>, Option<DerivationId>) {
        match self.get(id) {
            Some(Slot { kind: Kind::Orphan, .. }) => {
                self.remove(id);
                (None, derived(&answer))
            }
            Some(slot) => (slot.answer(answer), None),
            None => (None, None),
        }
    }

    pub(super) fn changed(&mut self, id: RequestId, output: Output) -> Option<Waker> {
        let slot = self.get(id)?;
        if let Kind::Watch { newest, .. } = &mut slot.kind {
            *newest = Some(output);
        }
        slot.waker.take()
    }

    /// Frees a slot; whether the node has still to answer it.
    pub(super) fn abandon(&mut self, id: RequestId) -> bool {
        self.remove(id).is_some_and(|slot| slot.is_open())
    }

    /// Nobody waits any more for what a request derives: what to end, if it has been answered; else its slot stays until it
    /// is.
    pub(super) fn orphan(&mut self, id: RequestId) -> Option<DerivationId> {
        let slot = self.get(id)?;
        match std::mem::replace(&mut slot.kind, Kind::Orphan) {
            Kind::Answered(answer) => {
                self.remove(id);
                derived(&answer)
            }
            _ => None,
        }
    }

    /// Fails everything that is open; whom to wake.
    pub(super) fn close(&mut self, error: &Error) -> Vec<Waker> {
        let open = self.entries.iter_mut().filter_map(|entry| entry.slot.as_mut());
        open.filter_map(|slot| slot.answer(Err(error.clone()))).collect()
    }
}
