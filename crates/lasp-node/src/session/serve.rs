//! The node's side of sessions: served when it is as far as they have seen, told what they have seen since.

use super::message::Message;
use super::since::Beyond;
use super::token::Full;
use super::{Behind, SessionToken, Timer, waits};
use crate::command::{Reply, RequestError, RequestId};
use crate::key::Key;
use crate::node::{self, Node};
use crate::open::{read, reply};
use crate::payload::Batch;
use crate::post::Mail;
use crate::system;
use lasp_dataflow::{State, VarId};
use lasp_overlay::{Input, Outbox, PeerId, Time, unicast};
use std::collections::BTreeSet;
use std::time::Duration;

impl Node {
    /// Answers when this node is as far as a session has seen, or the time is over.
    pub(crate) fn enter(
        &mut self,
        now: Time,
        id: RequestId,
        token: &SessionToken,
        within: Duration,
        out: &mut Outbox<Self>,
    ) -> Result<Option<Reply>, RequestError> {
        let Some(outcome) = self.sessions.enter(id, token, within, &self.store)? else {
            return Ok(Some(Reply::Done));
        };
        self.metrics.sessions_waited += 1;
        self.sessions_go_on(now, outcome, out);
        Ok(None)
    }

    /// Reads a variable in a session: its value, and the session after that.
    pub(crate) fn query_in(&mut self, var: VarId, mut token: SessionToken) -> Result<Reply, RequestError> {
        self.sessions.check(&self.store, &token)?;
        let Reply::Output(output) = read(self.store.graph_mut(), var)? else {
            return Err(RequestError::UnknownVariable(var));
        };
        for base in self.bases(var) {
            if let (Some(key), Some(state)) = (self.store.key(base), self.store.graph().state(base)) {
                token.read(key, state, self.sessions.here(&self.store, key));
            }
        }
        let session = Box::new(self.fitted(token)?);
        Ok(Reply::Noted { output, session })
    }

    /// The replicated variables that a variable follows from here, or itself.
    fn bases(&self, var: VarId) -> BTreeSet<VarId> {
        let (mut bases, mut next, mut seen) = (BTreeSet::new(), vec![var], BTreeSet::from([var]));
        while let Some(var) = next.pop() {
            if self.store.key(var).is_some() {
                bases.insert(var);
                continue;
            }
            let inputs = self.store.graph().derivations().filter(|derivation| derivation.output == var);
            next.extend(inputs.flat_map(|derivation| derivation.inputs).filter(|input| seen.insert(*input)));
        }
        bases
    }

    /// The session after an update of a variable has been made here: with what it changed, and what followed from that at once,
    /// where there is room for that.
    pub(crate) fn noted(&self, key: Option<&Key>, before: SessionToken) -> SessionToken {
        let here = |key: &Key| self.sessions.here(&self.store, key);
        let mut token = before.clone();
        for (changed, delta) in
            self.fresh.iter().chain(self.grouped.iter()).filter(|(key, _)| !system::is_reserved(key.name().as_str()))
        {
            if let Some(state) = self.store.state(changed) {
                token.wrote(changed, delta, state, here(changed));
            }
        }
        // What changed nothing was there already.
        if let Some(key) = key.filter(|key| self.made(key).is_none())
            && let Some(state) = self.store.state(key)
        {
            token.read(key, state, here(key));
        }
        self.fitted(token).unwrap_or_else(|_| self.with_mark(key, before))
    }

    /// The session after a variable was seen here, in the least room.
    fn with_mark(&self, key: Option<&Key>, mut token: SessionToken) -> SessionToken {
        if let Some(key) = key
            && let Some(state) = self.store.state(key)
        {
            token.mark(key, state, self.sessions.here(&self.store, key));
        }
        token
    }

    fn fitted(&self, mut token: SessionToken) -> Result<SessionToken, RequestError> {
        let above = |key: &Key, seen: &State| {
            let state = self.store.state(key)?;
            let above = self.store.wants(key) && seen.difference(state).is_bottom();
            above.then(|| (state, self.sessions.here(&self.store, key)))
        };
        token.fit(above).map_err(|Full(variables)| RequestError::SessionFull { variables })?;
        Ok(token)
    }

    /// Whether an update of a variable can be made in a session here now.
    pub(crate) fn check_session(&self, token: Option<&SessionToken>, key: Option<&Key>) -> Result<(), RequestError> {
        let Some(token) = token else { return Ok(()) };
        self.sessions.check(&self.store, token)?;
        self.fitted(self.with_mark(key, token.clone())).map(|_| ())
    }

    // ---- between nodes ----

    fn sessions_go_on(&mut self, now: Time, outcome: waits::Outcome, out: &mut Outbox<Self>) {
        for (after, timer) in outcome.timers {
            out.set_timer(after, node::Timer::Session(timer));
        }
        for (id, answer) in outcome.answers {
            self.metrics.sessions_behind += u64::from(answer.is_err());
            reply(id, answer.map(|()| Reply::Done).map_err(RequestError::from), out);
        }
        for (to, number, message) in outcome.ask {
            self.mail(now, to, Some(number), message, out);
        }
    }

    /// Sends a question or an answer as letters are sent.
    fn mail(&mut self, now: Time, to: PeerId, question: Option<u64>, message: Message, out: &mut Outbox<Self>) {
        let token = self.post.token_for(question);
        let command = unicast::Command::Send { token, to, payload: Mail::Session(Box::new(message)) };
        self.feed_unicast(now, Input::Command(command), out);
    }

    pub(crate) fn on_session(&mut self, now: Time, from: PeerId, message: Message, out: &mut Outbox<Self>) {
        let outcome = match message {
            Message::Beyond { number, life, turn, key, since } => {
                let here = self.sessions.here(&self.store, &key);
                let is_same = (here.life, here.turn) == (life, turn) && self.store.wants(&key);
                let state = self.store.state(&key).filter(|_| is_same);
                let answer = match state.map(|state| since.beyond(&key, state)) {
                    None => Message::Gone { number },
                    Some(Beyond::Unclear) => Message::Unclear { number },
                    Some(Beyond::All(delta)) => Message::Caught { number, more: false, key, delta },
                    Some(Beyond::Some(delta)) => Message::Caught { number, more: true, key, delta },
                };
                self.metrics.sessions_asked += 1;
                return self.mail(now, from, None, answer, out);
            }
            Message::Caught { number, .. } | Message::Unclear { number } | Message::Gone { number }
                if self.sessions.question(number, from).is_none() =>
            {
                return;
            }
            Message::Caught { number, more, key, delta } => {
                if self.sessions.question(number, from) != Some(&key) {
                    return;
                }
                let progress = !delta.is_bottom();
                self.learn(now, from, &Batch::single(key.clone(), delta.clone()), out);
                let merged = self.store.state(&key).map_or(!progress, |state| delta.difference(state).is_bottom());
                self.sessions.caught(number, merged && !more, merged && progress, &self.store)
            }
            Message::Unclear { number } => self.sessions.unclear(number, &self.store),
            Message::Gone { number } => {
                self.sessions.gone(number);
                return;
            }
        };
        self.sessions_go_on(now, outcome, out);
    }

    pub(crate) fn session_expired(&mut self, now: Time, timer: Timer, out: &mut Outbox<Self>) {
        let outcome = self.sessions.expired(timer, &self.store);
        self.sessions_go_on(now, outcome, out);
    }

    /// Sessions that waited for what has changed are answered.
    pub(crate) fn attend_sessions(&mut self, now: Time, out: &mut Outbox<Self>) {
        if self.sessions.is_stirred() {
            let outcome = self.sessions.look(&self.store);
            self.sessions_go_on(now, outcome, out);
        }
    }
}

impl From<Behind> for RequestError {
    fn from(behind: Behind) -> Self {
        Self::SessionBehind(behind)
    }
}
