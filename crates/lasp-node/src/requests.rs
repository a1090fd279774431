//! What owners ask, and what they wait for.

use crate::command::{Event, Reply, Request, RequestError, RequestId};
use crate::frame::MAX_FRAME;
use crate::node::{Node, Origin, Timer, replica_of};
use lasp_crdt::codec::to_bytes;
use lasp_crdt::{Encode, ReplicaId, Stamp};
use lasp_dataflow::{Graph, Op, State, UpdateError, Value, VarId, WaiterId, WatcherId};
use lasp_overlay::{Contact, Outbox, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Largest value, encoded, that an update may carry: half a frame, so that it always fits into one.
const MAX_VALUE: usize = MAX_FRAME / 2;

/// Requests whose reply is still to come.
#[derive(Debug)]
pub(crate) struct Open {
    reads: BTreeMap<RequestId, VarId>,
    watches: BTreeMap<RequestId, VarId>,
    sleeps: BTreeSet<RequestId>,
}

impl Open {
    /// None.
    pub(crate) const fn new() -> Self {
        Self { reads: BTreeMap::new(), watches: BTreeMap::new(), sleeps: BTreeSet::new() }
    }

    /// Thresholds were reached: their readers get the value.
    pub(crate) fn met(&mut self, met: &[WaiterId], graph: &mut Graph, out: &mut Outbox<Node>) {
        for waiter in met {
            let id = RequestId(waiter.0);
            if let Some(var) = self.reads.remove(&id) {
                reply(id, read(graph, var), out);
            }
        }
    }

    /// Variables changed: their watchers get the value.
    pub(crate) fn changed(&self, changed: &[WatcherId], graph: &mut Graph, out: &mut Outbox<Node>) {
        for watcher in changed {
            let id = RequestId(watcher.0);
            if let Some(output) = self.watches.get(&id).and_then(|&var| graph.read(var)) {
                out.emit(Event::Changed { id, output });
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
        if self.reads.remove(&id).is_some() {
            graph.cancel(WaiterId(id.0));
        }
        if self.watches.remove(&id).is_some() {
            graph.unwatch(WatcherId(id.0));
        }
        self.sleeps.remove(&id);
    }
}

fn reply(id: RequestId, result: Result<Reply, RequestError>, out: &mut Outbox<Node>) {
    out.emit(Event::Reply { id, result });
}

fn read(graph: &mut Graph, var: VarId) -> Result<Reply, RequestError> {
    graph.read(var).map(Reply::Output).ok_or(RequestError::UnknownVariable(var))
}

impl Node {
    /// Serves a request; what takes time is answered later.
    pub(crate) fn request(&mut self, now: Time, id: RequestId, request: Request, out: &mut Outbox<Self>) {
        let origin = if matches!(request, Request::Derive { .. }) { Origin::Shared } else { Origin::Update };
        let answer = match request {
            Request::Read { var, threshold } => self.read_at(id, var, threshold),
            Request::WaitNeeded { var, threshold } => self.wait_needed(id, var, threshold),
            Request::Sleep(after) => {
                self.open.sleeps.insert(id);
                out.set_timer(after, Timer::Wake(id));
                Ok(None)
            }
            Request::Watch(var) => self.watch(id, var).map(Some),
            immediate => self.serve(now, immediate, out).map(Some),
        };
        match answer {
            Ok(Some(answer)) => reply(id, Ok(answer), out),
            Ok(None) => {}
            Err(error) => reply(id, Err(error), out),
        }
        self.settle(origin, out);
    }

    fn serve(&mut self, now: Time, request: Request, out: &mut Outbox<Self>) -> Result<Reply, RequestError> {
        match request {
            Request::Declare { name, ty, local } => {
                let (var, widened) = self.store.declare(name, ty, local)?;
                if widened {
                    self.interests_changed(now, out);
                }
                Ok(Reply::Var(var))
            }
            Request::Update { var, op } => self.update(now, var, op),
            Request::Bind { var, value } => {
                self.known(var)?;
                check_size(&value)?;
                Ok(Reply::Bound(self.store.graph_mut().bind(var, &value)?))
            }
            Request::BindTo { into, from } => {
                self.store.graph_mut().bind_to(into, from)?;
                Ok(Reply::Done)
            }
            Request::Derive { operator, inputs, into } => {
                Ok(Reply::Var(self.store.graph_mut().derive(operator, &inputs, into)?))
            }
            Request::Undeclare(var) => {
                self.store.undeclare(var)?;
                Ok(Reply::Done)
            }
            Request::Query(var) => read(self.store.graph_mut(), var),
            Request::Contains(var, value) => {
                self.known(var)?;
                Ok(Reply::Bool(self.store.graph_mut().contains(var, &value)))
            }
            Request::Interests(interests) => {
                self.store.set_interests(interests);
                self.interests_changed(now, out);
                Ok(Reply::Done)
            }
            Request::Members => Ok(Reply::Members {
                me: self.contact().clone(),
                active: self.active_view(),
                passive: self.passive_view(),
            }),
            Request::Read { .. } | Request::WaitNeeded { .. } | Request::Watch(_) | Request::Sleep(_) => {
                Ok(Reply::Done)
            }
        }
    }

    fn known(&self, var: VarId) -> Result<(), RequestError> {
        self.store.graph().info(var).map(|_| ()).ok_or(RequestError::UnknownVariable(var))
    }

    fn update(&mut self, now: Time, var: VarId, mut op: Op) -> Result<Reply, RequestError> {
        self.known(var)?;
        check_op(&op)?;
        op.resolve(&mut |name| self.replica_called(name)).map_err(UpdateError::from)?;
        if let Some(seen) = self.store.graph().state(var).and_then(latest_stamp) {
            // A stamp beyond the bound is not from elsewhere, where it would have been refused: the own clock went back. It
            // stays where it is, and the write goes above it.
            _ = self.clock.observe(now, seen.time);
        }
        let stamp = Stamp { time: self.clock.tick(now), replica: self.store.graph().replica() };
        self.store.graph_mut().update(var, &op, stamp)?;
        self.metrics.updates += 1;
        Ok(Reply::Done)
    }

    /// The replica of the member with this id or address, or both (`id@address`); of several lives, the latest.
    fn replica_called(&self, name: &Value) -> Option<ReplicaId> {
        let Value::Text(name) = name else { return None };
        let is_called = |contact: &Contact| {
            contact.id.to_string() == **name || contact.addr.as_str() == &**name || contact.to_string() == **name
        };
        let members = [self.contact().clone()].into_iter().chain(self.active_view()).chain(self.passive_view());
        let latest = members.filter(is_called).max_by_key(|contact| contact.incarnation)?;
        Some(replica_of(&latest))
    }

    fn read_at(
        &mut self,
        id: RequestId,
        var: VarId,
        threshold: lasp_dataflow::Threshold,
    ) -> Result<Option<Reply>, RequestError> {
        self.known(var)?;
        if self.store.graph_mut().wait(WaiterId(id.0), var, threshold)? {
            return read(self.store.graph_mut(), var).map(Some);
        }
        self.open.reads.insert(id, var);
        Ok(None)
    }

    fn wait_needed(
        &mut self,
        id: RequestId,
        var: VarId,
        threshold: lasp_dataflow::Threshold,
    ) -> Result<Option<Reply>, RequestError> {
        self.known(var)?;
        if self.store.graph_mut().wait_needed(WaiterId(id.0), var, threshold)? {
            return read(self.store.graph_mut(), var).map(Some);
        }
        self.open.reads.insert(id, var);
        Ok(None)
    }

    fn watch(&mut self, id: RequestId, var: VarId) -> Result<Reply, RequestError> {
        self.known(var)?;
        self.store.graph_mut().watch(WatcherId(id.0), var);
        self.open.watches.insert(id, var);
        Ok(Reply::Done)
    }
}

/// The stamp of the write that a register shows: the next one is to be later.
fn latest_stamp(state: &State) -> Option<Stamp> {
    match state {
        State::LwwRegister(register) => register.stamp(),
        _ => None,
    }
}

/// Scalars are small; what may be large is measured.
fn check_size(value: &Value) -> Result<(), RequestError> {
    if matches!(value, Value::Bool(_) | Value::Int(_) | Value::Float(_)) {
        return Ok(());
    }
    measure(value)
}

fn measure(value: &impl Encode) -> Result<(), RequestError> {
    let size = to_bytes(value).len();
    if size > MAX_VALUE { Err(RequestError::TooLarge { size, limit: MAX_VALUE }) } else { Ok(()) }
}

fn check_op(op: &Op) -> Result<(), RequestError> {
    match op {
        Op::Add(value) | Op::Remove(value) | Op::Set(value) => check_size(value),
        Op::AddAll(values)
        | Op::RemoveAll(values)
        | Op::RemoveKeys(values)
        | Op::AddVertices(values)
        | Op::RemoveVertices(values) => values.iter().try_for_each(check_size),
        Op::AddEdges(edges) | Op::RemoveEdges(edges) => {
            edges.iter().try_for_each(|(from, to)| check_size(from).and_then(|()| check_size(to)))
        }
        Op::Apply(key, inner) => check_size(key).and_then(|()| check_op(inner)),
        Op::Fst(inner) | Op::Snd(inner) => check_op(inner),
        _ => Ok(()),
    }
}
