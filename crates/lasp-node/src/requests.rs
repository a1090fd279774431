//! What owners ask, and what they wait for.

use crate::clock::Clock;
use crate::command::{Reply, Request, RequestError, RequestId};
use crate::frame::MAX_FRAME;
use crate::node::{Node, Origin, Timer, replica_of};
use crate::once::{Party, Token};
use crate::open::{Follow, Wait, read, reply};
use crate::store::Store;
use crate::system;
use lasp_crdt::codec::to_bytes;
use lasp_crdt::{Encode, ReplicaId, Stamp};
use lasp_dataflow::{Name, Op, State, Target, Threshold, UpdateError, Value, VarId};
use lasp_overlay::membership::{self, Membership};
use lasp_overlay::{Contact, Outbox, Time};

/// Largest value, encoded, that an update may carry: half a frame, so that it always fits into one.
const MAX_VALUE: usize = MAX_FRAME / 2;

impl Node {
    /// Serves a request; what takes time is answered later.
    pub(crate) fn request(&mut self, now: Time, id: RequestId, request: Request, out: &mut Outbox<Self>) {
        let shared = matches!(request, Request::Derive { .. } | Request::Install { .. });
        let origin = if shared { Origin::Shared } else { Origin::Update };
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
            Request::Watch(var) => self.watch(id, var, Follow::Values).map(Some),
            Request::Notice(var) => self.watch(id, var, Follow::Changes).map(Some),
            Request::Enforce { token, var, threshold } => self.enforce(id, token, var, threshold),
            Request::UpdateAcknowledged { var, op, by, within, session } => {
                self.assure(now, id, (var, op), (by, within), session, out)
            }
            Request::Enter { session, within } => self.enter(now, id, &session, within, out),
            Request::QueryIn { var, session } => self.query_in(var, *session).map(Some),
            Request::Send { to, letter } => {
                self.send_letter(now, id, to, letter, out);
                Ok(None)
            }
            Request::Receive => Ok(self.receive_letter(id)),
            Request::Survey { wide } => {
                self.survey(now, id, wide, out);
                Ok(None)
            }
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
                name.as_ref().map_or(Ok(()), free)?;
                let (var, widened) = self.store.declare(now, name, ty, local)?;
                if widened {
                    self.interests_changed(now, out);
                }
                Ok(Reply::Var(var))
            }
            Request::DeclareUnheard { name, ty } => {
                free(&name)?;
                Ok(Reply::Var(self.store.declare_unheard(name, ty)?))
            }
            Request::Update { var, op } => self.update(now, var, op),
            Request::Bind { var, value } => {
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
                if let Target::Into(target) = into {
                    self.writable(target)?;
                }
                Ok(Reply::Var(self.store.graph_mut().derive(operator, &inputs, into)?))
            }
            Request::Compose { composition, into } => {
                let (var, derivation) = composition.derive(self.store.graph_mut(), into)?;
                Ok(Reply::Derived { var, derivation })
            }
            Request::RemoveDerivation(derivation) => {
                Ok(Reply::Bool(self.store.graph_mut().remove_derivation(derivation)))
            }
            Request::Undeclare(var) => {
                if let Some(key) = self.store.key(var).filter(|key| key.is_grouped() && self.store.hears(key)) {
                    return Err(RequestError::InGroup(key.name().clone()));
                }
                if self.store.undeclare(now, var)? {
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
                interests.check()?;
                self.store.set_interests(now, interests);
                self.programs.touch();
                self.interests_changed(now, out);
                Ok(Reply::Done)
            }
            Request::Members => Ok(Reply::Members {
                me: self.contact().clone(),
                active: self.active_view(),
                passive: self.passive_view(),
                members: self.membership().members(),
                reachable: self.membership().reachable(),
            }),
            Request::Evict(peer) => {
                let known = peer == self.contact().id || self.membership().contact_of(peer).is_some();
                let command = membership::Command::Evict(peer);
                if self.membership().accepts(&command) && !known {
                    return Err(RequestError::UnknownMember(peer));
                }
                self.ask_membership(now, command, "evict members", out)
            }
            Request::Connect(addr) => {
                self.ask_membership(now, membership::Command::Connect(addr), "connect by command", out)
            }
            Request::Disconnect(addr) => {
                self.ask_membership(now, membership::Command::Disconnect(addr), "disconnect by command", out)
            }
            Request::Install { name, source } => {
                let (name, version) =
                    self.with_programs(now, |programs, tools| programs.install(name, &source, tools))?;
                Ok(Reply::Installed { name, version })
            }
            Request::Uninstall { name } => {
                self.with_programs(now, |programs, tools| programs.uninstall(&name, tools))?;
                Ok(Reply::Done)
            }
            Request::Programs => Ok(Reply::Programs(self.programs.infos(&self.store))),
            Request::Act { token, var, op } => self.act(token, var, &op),
            Request::Acted(token) => {
                let acted = self.once.acted(token);
                if acted { Ok(Reply::Done) } else { Err(RequestError::NotDue(token)) }
            }
            Request::Read { .. }
            | Request::ReadAny(_)
            | Request::WaitNeeded { .. }
            | Request::Watch(_)
            | Request::Notice(_)
            | Request::Sleep(_)
            | Request::Enforce { .. }
            | Request::UpdateAcknowledged { .. }
            | Request::Enter { .. }
            | Request::QueryIn { .. }
            | Request::Send { .. }
            | Request::Survey { .. }
            | Request::Receive => Ok(Reply::Done),
        }
    }

    fn known(&self, var: VarId) -> Result<(), RequestError> {
        self.store.graph().info(var).map(|_| ()).ok_or(RequestError::UnknownVariable(var))
    }

    pub(crate) fn update(&mut self, now: Time, var: VarId, mut op: Op) -> Result<Reply, RequestError> {
        self.writable(var)?;
        op.resolve(&mut |name| self.replica_called(name)).map_err(UpdateError::from)?;
        update(now, &mut self.store, &mut self.clock, var, &op)?;
        self.metrics.updates += 1;
        Ok(Reply::Done)
    }

    /// Refuses a variable that is unknown, or one of the runtime itself.
    fn writable(&self, var: VarId) -> Result<(), RequestError> {
        let info = self.store.graph().info(var).ok_or(RequestError::UnknownVariable(var))?;
        free(&info.name)
    }

    // ---- programs and enforcements ----

    fn enforce(
        &mut self,
        id: RequestId,
        token: Token,
        var: VarId,
        threshold: Threshold,
    ) -> Result<Option<Reply>, RequestError> {
        self.known(var)?;
        let waiter = self.ids.next();
        self.once.enforce(&mut self.store, token, Party::Request(id), (waiter, var, threshold))?;
        Ok(None)
    }

    fn act(&mut self, token: Token, var: VarId, op: &Op) -> Result<Reply, RequestError> {
        self.writable(var)?;
        check_op(op)?;
        let name = self.store.graph().info(var).ok_or(RequestError::UnknownVariable(var))?.name.clone();
        let stamp = self.once.author(&self.store, token, &name, op).ok_or(RequestError::NotDue(token))?;
        self.store.graph_mut().update_once(var, op, stamp)?;
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

    fn watch(&mut self, id: RequestId, var: VarId, follow: Follow) -> Result<Reply, RequestError> {
        self.known(var)?;
        self.open.watch(id, self.store.graph_mut(), var, follow);
        Ok(Reply::Done)
    }
}

/// Applies an operation at this node, with a stamp above that of the write it replaces.
pub(crate) fn update(now: Time, store: &mut Store, clock: &mut Clock, var: VarId, op: &Op) -> Result<(), RequestError> {
    check_op(op)?;
    if let Some(seen) = store.graph().state(var).and_then(latest_stamp) {
        // A stamp beyond the bound is not from elsewhere, where it would have been refused: the own clock went back. It
        // stays where it is, and the write goes above it.
        _ = clock.observe(now, seen.time);
    }
    let stamp = Stamp { time: clock.tick(now), replica: store.graph().replica() };
    store.graph_mut().update(var, op, stamp)?;
    Ok(())
}

/// Refuses the names of the runtime itself.
fn free(name: &Name) -> Result<(), RequestError> {
    if system::is_reserved(name.as_str()) { Err(RequestError::Reserved(name.clone())) } else { Ok(()) }
}

/// The stamp of the write that a register shows: the next one is to be later.
fn latest_stamp(state: &State) -> Option<Stamp> {
    match state {
        State::LwwRegister(register) => register.stamp(),
        _ => None,
    }
}

/// Scalars are small; what may be large is measured.
pub(crate) fn check_size(value: &Value) -> Result<(), RequestError> {
    if matches!(value, Value::Bool(_) | Value::Int(_) | Value::Float(_)) {
        return Ok(());
    }
    measure(value)
}

fn measure(value: &impl Encode) -> Result<(), RequestError> {
    let size = to_bytes(value).len();
    if size > MAX_VALUE { Err(RequestError::TooLarge { size, limit: MAX_VALUE }) } else { Ok(()) }
}

pub(crate) fn check_op(op: &Op) -> Result<(), RequestError> {
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
