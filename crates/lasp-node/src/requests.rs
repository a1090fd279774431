//! What owners ask, and what they wait for.

use crate::command::{Reply, Request, RequestError, RequestId};
use crate::frame::MAX_FRAME;
use crate::node::{Node, Origin, Timer};
use crate::open::{Wait, read, reply};
use crate::programs::ProgramError;
use lasp_crdt::codec::to_bytes;
use lasp_crdt::{Encode, Stamp};
use lasp_dataflow::{Op, State, Target, Threshold, Value, VarId};
use lasp_overlay::{Outbox, Time};

/// Largest value, encoded, that an update may carry: half a frame, so that it always fits into one.
const MAX_VALUE: usize = MAX_FRAME / 2;

impl Node {
    /// Serves a request; what takes time is answered later.
    pub(crate) fn request(&mut self, now: Time, id: RequestId, request: Request, out: &mut Outbox<Self>) {
        let origin = if matches!(request, Request::Derive { .. }) { Origin::Shared } else { Origin::Update };
        let answer = match request {
            Request::Read { var, threshold } => self.wait_any(id, [(Wait::Read(var), var, threshold)]),
            Request::ReadAny(wanted) => {
                let waits = wanted.into_iter().enumerate();
                self.wait_any(id, waits.map(|(at, (var, threshold))| (Wait::Any(at, var), var, threshold)))
            }
            Request::WaitNeeded { var, threshold } => self.wait_any(id, [(Wait::Needed, var, threshold)]),
            Request::Sleep(after) => {
                self.open.sleep(id);
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
            Request::Update { var, op } => self.update(now, var, &op),
            Request::Bind { var, value } => {
                self.known(var)?;
                self.writable(var)?;
                check_size(&value)?;
                Ok(Reply::Bound(self.store.graph_mut().bind(var, &value)?))
            }
            Request::BindTo { into, from } => {
                self.writable(into)?;
                let derivation = self.store.graph_mut().bind_to(into, from)?;
                Ok(Reply::Derived { var: into, derivation })
            }
            Request::Derive { operator, inputs, into } => {
                self.check_target(&into)?;
                Ok(Reply::Var(self.store.graph_mut().derive(operator, &inputs, into)?))
            }
            Request::Compose { composition, into } => {
                self.check_target(&into)?;
                let (var, derivation) = composition.derive(self.store.graph_mut(), into)?;
                Ok(Reply::Derived { var, derivation })
            }
            Request::RemoveDerivation(derivation) => {
                Ok(Reply::Bool(self.store.graph_mut().remove_derivation(derivation)))
            }
            Request::Undeclare(var) => {
                if self.store.undeclare(var)? {
                    self.interests_changed(now, out);
                }
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
            Request::Programs => Ok(Reply::Programs(Vec::new())),
            Request::Install { .. } => Err(ProgramError::Failed("this node cannot run programs yet".into()).into()),
            Request::Uninstall { name } => Err(ProgramError::Unknown(name).into()),
            Request::Read { .. }
            | Request::ReadAny(_)
            | Request::WaitNeeded { .. }
            | Request::Watch(_)
            | Request::Sleep(_) => Ok(Reply::Done),
        }
    }

    fn known(&self, var: VarId) -> Result<(), RequestError> {
        self.store.graph().info(var).map(|_| ()).ok_or(RequestError::UnknownVariable(var))
    }

    /// Refuses to write a variable that was forgotten here in this life.
    fn writable(&self, var: VarId) -> Result<(), RequestError> {
        match self.store.key(var) {
            Some(key) if self.store.was_forgotten(key) => Err(RequestError::Forgotten(key.name().clone())),
            _ => Ok(()),
        }
    }

    fn check_target(&self, into: &Target) -> Result<(), RequestError> {
        match into {
            Target::Into(var) => self.writable(*var),
            Target::Local(_) => Ok(()),
        }
    }

    fn update(&mut self, now: Time, var: VarId, op: &Op) -> Result<Reply, RequestError> {
        self.known(var)?;
        self.writable(var)?;
        check_op(op)?;
        if let Some(seen) = self.store.graph().state(var).and_then(latest_stamp) {
            // A stamp beyond the bound is not from elsewhere, where it would have been refused: the own clock went back. It
            // stays where it is, and the write goes above it.
            _ = self.clock.observe(now, seen.time);
        }
        let stamp = Stamp { time: self.clock.tick(now), replica: self.store.graph().replica() };
        self.store.graph_mut().update(var, op, stamp)?;
        self.metrics.updates += 1;
        Ok(Reply::Done)
    }

    /// Waits for any of several thresholds; the answer, if there is one at once.
    fn wait_any(
        &mut self,
        id: RequestId,
        waits: impl IntoIterator<Item = (Wait, VarId, Threshold)>,
    ) -> Result<Option<Reply>, RequestError> {
        let waits: Vec<_> = waits.into_iter().collect();
        if waits.is_empty() {
            return Err(RequestError::NothingToWaitFor);
        }
        waits.iter().try_for_each(|(_, var, _)| self.known(*var))?;
        let graph = self.store.graph_mut();
        match self.open.wait_any(id, graph, waits)? {
            Some(met) => met.answer(graph).map(Some),
            None => Ok(None),
        }
    }

    fn watch(&mut self, id: RequestId, var: VarId) -> Result<Reply, RequestError> {
        self.known(var)?;
        self.open.watch(id, self.store.graph_mut(), var);
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
        Op::AddAll(values) | Op::RemoveAll(values) => values.iter().try_for_each(check_size),
        Op::Apply(key, inner) => check_size(key).and_then(|()| check_op(inner)),
        Op::Fst(inner) | Op::Snd(inner) => check_op(inner),
        _ => Ok(()),
    }
}
