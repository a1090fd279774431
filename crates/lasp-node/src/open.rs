//! Requests whose reply is still to come: readers, those who wait to be needed, watchers, sleepers.

use crate::command::{Event, Reply, RequestError, RequestId};
use crate::node::Node;
use lasp_dataflow::{Graph, Threshold, VarId, WaiterId, WatcherId};
use lasp_overlay::Outbox;
use std::collections::{BTreeMap, BTreeSet};

/// Requests whose reply is still to come.
#[derive(Debug, Default)]
pub(crate) struct Open {
    /// What the graph calls each waiter, and who waits; one request may have many.
    waits: BTreeMap<WaiterId, (RequestId, Wait)>,
    waiters: BTreeMap<RequestId, Vec<WaiterId>>,
    given: u64,
    watches: BTreeMap<RequestId, (VarId, Follow)>,
    sleeps: BTreeSet<RequestId>,
}

/// What whoever follows a variable is told at each change.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Follow {
    /// The value.
    Values,
    /// That it changed.
    Changes,
}

/// What is answered once a threshold is met.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wait {
    /// The value.
    Read(VarId),
    /// Which of several, with its value.
    Any(usize, VarId),
    /// That somebody needs it.
    Needed,
}

impl Wait {
    /// The reply.
    pub(crate) fn answer(self, graph: &mut Graph) -> Result<Reply, RequestError> {
        match self {
            Self::Read(var) => read(graph, var),
            Self::Any(index, var) => {
                let output = graph.read(var).ok_or(RequestError::UnknownVariable(var))?;
                Ok(Reply::Any { index, output })
            }
            Self::Needed => Ok(Reply::Done),
        }
    }
}

impl Open {
    /// Waits for any of these; which one has been reached already, if one has: nobody waits then.
    ///
    /// # Errors
    /// A threshold that does not fit its variable: nobody waits then.
    pub(crate) fn wait_any(
        &mut self,
        id: RequestId,
        graph: &mut Graph,
        waits: impl IntoIterator<Item = (Wait, VarId, Threshold)>,
    ) -> Result<Option<Wait>, RequestError> {
        for (wait, var, threshold) in waits {
            let waiter = WaiterId(self.given);
            self.given += 1;
            let asked = match wait {
                Wait::Needed => graph.wait_needed(waiter, var, threshold),
                Wait::Read(_) | Wait::Any(..) => graph.wait(waiter, var, threshold),
            };
            match asked {
                Ok(false) => {
                    self.waits.insert(waiter, (id, wait));
                    self.waiters.entry(id).or_default().push(waiter);
                }
                Ok(true) => {
                    self.withdraw(id, graph);
                    return Ok(Some(wait));
                }
                Err(error) => {
                    self.withdraw(id, graph);
                    return Err(error.into());
                }
            }
        }
        Ok(None)
    }

    /// Follows a variable.
    pub(crate) fn watch(&mut self, id: RequestId, graph: &mut Graph, var: VarId, follow: Follow) {
        graph.watch(WatcherId(id.0), var);
        self.watches.insert(id, (var, follow));
    }

    /// Sleeps until [`wake`](Self::wake).
    pub(crate) fn sleep(&mut self, id: RequestId) {
        self.sleeps.insert(id);
    }

    /// Thresholds were reached: who waited for them gets a reply.
    pub(crate) fn met(&mut self, met: &[WaiterId], graph: &mut Graph, out: &mut Outbox<Node>) {
        for waiter in met {
            let Some(&(id, wait)) = self.waits.get(waiter) else { continue };
            self.withdraw(id, graph);
            reply(id, wait.answer(graph), out);
        }
    }

    /// Variables changed: their watchers get the value, those that want it.
    pub(crate) fn changed(&self, changed: &[WatcherId], graph: &mut Graph, out: &mut Outbox<Node>) {
        for watcher in changed {
            let id = RequestId(watcher.0);
            match self.watches.get(&id) {
                Some((_, Follow::Changes)) => out.emit(Event::Noticed(id)),
                Some(&(var, Follow::Values)) => {
                    if let Some(output) = graph.read(var) {
                        out.emit(Event::Changed { id, output });
                    }
                }
                None => {}
            }
        }
    }

    /// A sleeper's time is over.
    pub(crate) fn wake(&mut self, id: RequestId, out: &mut Outbox<Node>) {
        if self.sleeps.remove(&id) {
            reply(id, Ok(Reply::Slept), out);
        }
    }

    /// The owner no longer waits.
    pub(crate) fn cancel(&mut self, id: RequestId, graph: &mut Graph) {
        self.withdraw(id, graph);
        if self.watches.remove(&id).is_some() {
            graph.unwatch(WatcherId(id.0));
        }
        self.sleeps.remove(&id);
    }

    /// Takes back all waiters of a request.
    fn withdraw(&mut self, id: RequestId, graph: &mut Graph) {
        for waiter in self.waiters.remove(&id).unwrap_or_default() {
            self.waits.remove(&waiter);
            graph.cancel(waiter);
        }
    }
}

/// Answers a request.
pub(crate) fn reply(id: RequestId, result: Result<Reply, RequestError>, out: &mut Outbox<Node>) {
    out.emit(Event::Reply { id, result });
}

/// The value of a variable.
pub(crate) fn read(graph: &mut Graph, var: VarId) -> Result<Reply, RequestError> {
    graph.read(var).map(Reply::Output).ok_or(RequestError::UnknownVariable(var))
}
