//! The handshake as the link table sees it: what each control packet does to the connection it came on.

use super::{Action, Attempt, Conn, ConnId, Links, Stage};
use crate::transport::framing::Kind;
use crate::transport::hello::{Hello, HelloError, Reason, Refusal};
use lasp_overlay::{Contact, Time};

impl Links {
    /// A control packet came.
    pub fn control(&mut self, now: Time, id: ConnId, kind: Kind, body: &[u8]) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        match (kind, &conn.stage) {
            (Kind::Hello, Stage::Awaiting) => self.on_hello(now, id, body),
            (Kind::Welcome, Stage::Greeting(attempt, nonce)) => {
                let (attempt, nonce) = (attempt.clone(), *nonce);
                self.on_welcome(now, id, attempt, nonce, body);
            }
            (Kind::Ready, Stage::Welcomed { .. }) => self.on_ready(now, id),
            (Kind::Ping, Stage::Up { .. }) => self.push(Action::Control(id, Kind::Pong, Vec::new())),
            (Kind::Pong, Stage::Up { .. }) => {
                conn.deadline = None;
                self.on_alive(now, id);
            }
            (Kind::Refuse, _) => self.on_refuse(now, id, body),
            _ => self.refuse(now, id, Refusal::new(Reason::Violation, format!("{kind:?} out of turn"), None)),
        }
    }

    /// Ends a connection with a refusal and answers what hung on it.
    pub fn refuse(&mut self, now: Time, id: ConnId, refusal: Refusal) {
        let why = refusal.to_string();
        let accepted = matches!(
            self.conns.get(&id),
            Some(Conn { stage: Stage::Awaiting | Stage::Queued { dialed: None, .. }, .. })
        );
        if accepted && refusal.reason != Reason::Duplicate {
            self.push(Action::Refused(id, refusal.clone()));
        }
        self.push(Action::Hangup(id, Some(refusal)));
        self.ended(now, id, &why);
    }

    fn on_hello(&mut self, now: Time, id: ConnId, body: &[u8]) {
        let hello = match self.read_hello(body).and_then(|hello| self.judge(&hello).map(|()| hello)) {
            Ok(hello) => hello,
            Err(refusal) => return self.refuse(now, id, refusal),
        };
        match self.speaking_for(hello.contact.id) {
            None => self.welcome(now, id, hello),
            Some((behind, _)) => self.queue(now, id, hello, behind, None),
        }
    }

    fn read_hello(&self, body: &[u8]) -> Result<Hello, Refusal> {
        let hello = Hello::from_bytes(body).map_err(|error| {
            let reason = if matches!(error, HelloError::Version { .. }) { Reason::Version } else { Reason::Violation };
            Refusal::new(reason, swap_sides(&error), None)
        })?;
        let (reason, text) = if hello.cluster != self.cluster {
            let text = format!("{} belongs to cluster {:?}, not to {:?}", self.me, self.cluster, hello.cluster);
            (Reason::Cluster, text)
        } else if hello.dialect != self.dialect {
            (Reason::Dialect, format!("{} speaks {:?}, not {:?}", self.me, self.dialect, hello.dialect))
        } else {
            return Ok(hello);
        };
        Err(Refusal::new(reason, text, None))
    }

    /// Whether a dialler may come in, apart from who else is here.
    fn judge(&self, hello: &Hello) -> Result<(), Refusal> {
        let me = (self.me.id, self.me.incarnation);
        let (reason, text) = if hello.contact == self.me {
            (Reason::Itself, format!("{} is the dialler itself", self.me))
        } else if hello.expected.is_some_and(|expected| expected != me) {
            (Reason::WrongPeer, format!("{} listens here", self.me))
        } else if hello.contact.id == me.0 {
            (Reason::IdentityInUse, format!("{} holds it", self.me))
        } else if self.leaving {
            (Reason::Leaving, format!("{} is leaving", self.me))
        } else {
            return Ok(());
        };
        Err(Refusal::new(reason, text, Some(self.me.clone())))
    }

    fn welcome(&mut self, now: Time, id: ConnId, hello: Hello) {
        let body = self.hello(hello.nonce, None).to_bytes();
        let stage = Stage::Welcomed { peer: hello.contact, answers: Vec::new() };
        self.set(id, stage, Some(now + self.config.handshake_timeout));
        self.push(Action::Control(id, Kind::Welcome, body));
    }

    fn on_welcome(&mut self, now: Time, id: ConnId, attempt: Attempt, nonce: u64, body: &[u8]) {
        let hello = match self.read_hello(body) {
            Ok(hello) => hello,
            Err(refusal) => return self.refuse(now, id, refusal),
        };
        let peer = &hello.contact;
        if hello.nonce != nonce || peer.id == self.me.id {
            return self.refuse(now, id, Refusal::new(Reason::Violation, "welcome to someone else", None));
        }
        if attempt.expected.is_some_and(|expected| expected != (peer.id, peer.incarnation)) {
            return self.refuse(now, id, Refusal::new(Reason::WrongPeer, format!("{peer} answers there"), None));
        }
        match self.speaking_for(peer.id) {
            None => self.ready(id, hello.contact, Some(attempt)),
            Some((other, theirs)) if self.peer_of(other).is_none() && theirs == *peer => {
                self.settle(now, id, other, hello.contact, attempt);
            }
            Some((other, _)) => self.queue(now, id, hello, other, Some(attempt)),
        }
    }

    /// Both peers dialled each other and neither connection is a link yet: keeps the one that the smaller id dialled.
    fn settle(&mut self, now: Time, mine: ConnId, theirs: ConnId, peer: Contact, attempt: Attempt) {
        if peer.id < self.me.id {
            return self.yield_to(now, mine, theirs, attempt);
        }
        let answers = match self.conns.remove(&theirs) {
            Some(Conn { stage: Stage::Welcomed { answers, .. }, .. }) => answers,
            _ => Vec::new(),
        };
        let duplicate = self.duplicate();
        self.push(Action::Hangup(theirs, Some(duplicate)));
        self.ready(mine, peer, Some(attempt));
        answers.into_iter().for_each(|attempt| self.answer(mine, attempt));
        self.requeue(now, theirs, mine);
    }

    /// Gives up the dialled connection `mine`; `theirs` answers the dial.
    fn yield_to(&mut self, now: Time, mine: ConnId, theirs: ConnId, attempt: Attempt) {
        self.conns.remove(&mine);
        let duplicate = self.duplicate();
        self.push(Action::Hangup(mine, Some(duplicate)));
        self.answer(theirs, attempt);
        self.dial_waiting(now);
    }

    fn duplicate(&self) -> Refusal {
        Refusal::new(Reason::Duplicate, "another connection is kept", Some(self.me.clone()))
    }

    /// Says `Ready` on a dialled connection: it is a link.
    fn ready(&mut self, id: ConnId, peer: Contact, attempt: Option<Attempt>) {
        self.push(Action::Control(id, Kind::Ready, Vec::new()));
        self.up(id, peer, attempt.map(|attempt| attempt.addr));
    }

    fn on_ready(&mut self, now: Time, id: ConnId) {
        let Some(Conn { stage: Stage::Welcomed { peer, answers }, .. }) = self.conns.get(&id) else { return };
        let (peer, answers) = (peer.clone(), answers.clone());
        let first = answers.first().map(|attempt| attempt.addr.clone());
        self.up(id, peer, first);
        answers.into_iter().skip(1).for_each(|attempt| self.answer(id, attempt));
        if self.has_queue(id) {
            self.probe(now, id);
        }
    }

    fn up(&mut self, id: ConnId, peer: Contact, dialed: Option<lasp_overlay::Addr>) {
        self.links.insert(peer.id, id);
        self.ever_linked = true;
        self.set(id, Stage::Up { peer: peer.clone() }, None);
        self.push(Action::Up { conn: id, peer, dialed });
    }

    /// Lets a connection wait until the one that speaks for its peer has proved dead or alive.
    fn queue(&mut self, now: Time, id: ConnId, hello: Hello, behind: ConnId, dialed: Option<Attempt>) {
        if self.has_queue(behind) {
            let text = "another handshake with that identity is going on; try again";
            return self.refuse(now, id, Refusal::new(Reason::Busy, text, None));
        }
        self.set(id, Stage::Queued { hello, behind, dialed }, Some(now + self.config.handshake_timeout));
        if self.peer_of(behind).is_some() {
            self.probe(now, behind);
        }
    }

    fn probe(&mut self, now: Time, id: ConnId) {
        let deadline = now + self.config.probe_timeout;
        if let Some(conn) = self.conns.get_mut(&id) {
            conn.deadline = Some(deadline);
        }
        self.push(Action::Control(id, Kind::Ping, Vec::new()));
    }

    /// The link `id` works: who waits for its end is refused.
    fn on_alive(&mut self, now: Time, id: ConnId) {
        let Some(Conn { stage: Stage::Up { peer }, .. }) = self.conns.get(&id) else { return };
        let peer = peer.clone();
        for (waiting, hello) in self.queued_behind(id) {
            if hello.contact != peer {
                let text = format!("{peer} holds it and is alive");
                self.refuse(now, waiting, Refusal::new(Reason::IdentityInUse, text, Some(peer.clone())));
                continue;
            }
            let Some(Conn { stage: Stage::Queued { dialed, .. }, .. }) = self.conns.get(&waiting) else { continue };
            match dialed.clone() {
                None => self.refuse(now, waiting, self.duplicate()),
                Some(attempt) => self.yield_to(now, waiting, id, attempt),
            }
        }
    }

    /// The connection `id` is gone: who waited for that comes in.
    pub(super) fn release(&mut self, now: Time, id: ConnId) {
        for (waiting, hello) in self.queued_behind(id) {
            let Some(Conn { stage: Stage::Queued { dialed, .. }, .. }) = self.conns.get(&waiting) else { continue };
            match dialed.clone() {
                None => self.welcome(now, waiting, hello),
                Some(attempt) => self.ready(waiting, hello.contact, Some(attempt)),
            }
        }
    }

    /// Who waited behind `old` now waits behind `new`, which is a link.
    fn requeue(&mut self, now: Time, old: ConnId, new: ConnId) {
        let waiting = self.queued_behind(old);
        for (id, _) in &waiting {
            if let Some(Conn { stage: Stage::Queued { behind, .. }, .. }) = self.conns.get_mut(id) {
                *behind = new;
            }
        }
        if !waiting.is_empty() {
            self.probe(now, new);
        }
    }

    fn queued_behind(&self, id: ConnId) -> Vec<(ConnId, Hello)> {
        let queued = |(waiting, conn): (&ConnId, &Conn)| match &conn.stage {
            Stage::Queued { hello, behind, .. } if *behind == id => Some((*waiting, hello.clone())),
            _ => None,
        };
        self.conns.iter().filter_map(queued).collect()
    }

    fn has_queue(&self, id: ConnId) -> bool {
        self.conns.values().any(|conn| matches!(conn.stage, Stage::Queued { behind, .. } if behind == id))
    }

    fn on_refuse(&mut self, now: Time, id: ConnId, body: &[u8]) {
        self.push(Action::Hangup(id, None));
        let refusal = Refusal::from_bytes(body)
            .unwrap_or_else(|error| Refusal::new(Reason::Violation, format!("malformed refusal: {error}"), None));
        if refusal.reason == Reason::Duplicate && self.answered_elsewhere(now, id, &refusal) {
            return;
        }
        if refusal.reason == Reason::IdentityInUse {
            self.on_identity_in_use(id, &refusal);
        }
        self.ended(now, id, &refusal.to_string());
    }

    /// Of two processes with one identity that both work, the later one yields; a newcomer always does.
    fn on_identity_in_use(&mut self, id: ConnId, refusal: &Refusal) {
        let shaking =
            matches!(self.conns.get(&id), Some(Conn { stage: Stage::Greeting(..) | Stage::Welcomed { .. }, .. }));
        let Some(holder) = refusal.about.as_ref().filter(|holder| holder.id == self.me.id) else { return };
        let newcomer = !self.ever_linked || self.me.incarnation > holder.incarnation;
        if shaking && newcomer && *holder != self.me {
            self.push(Action::IdentityInUse(holder.clone()));
        }
    }

    /// A dial was refused because there is a link to that peer: whether it answers the dial.
    fn answered_elsewhere(&mut self, now: Time, id: ConnId, refusal: &Refusal) -> bool {
        let Some(Conn { stage: Stage::Greeting(attempt, _), .. }) = self.conns.get(&id) else { return false };
        let Some((other, _)) = refusal.about.as_ref().and_then(|peer| self.speaking_for(peer.id)) else { return false };
        let attempt = attempt.clone();
        self.conns.remove(&id);
        self.answer(other, attempt);
        self.dial_waiting(now);
        true
    }

    fn set(&mut self, id: ConnId, stage: Stage, deadline: Option<Time>) {
        if let Some(conn) = self.conns.get_mut(&id) {
            *conn = Conn { stage, deadline };
        }
    }
}

/// A version error as the other side should read it.
fn swap_sides(error: &HelloError) -> String {
    match error {
        HelloError::Version { oldest, newest } => {
            let (from, to) = (crate::transport::hello::OLDEST_VERSION, crate::transport::hello::NEWEST_VERSION);
            format!("this node speaks versions {from} to {to}, the other side {oldest} to {newest}")
        }
        HelloError::Malformed(_) => error.to_string(),
    }
}
