//! What requests are answered with. Looks at the node are short; whatever takes time is done away from its thread.

use super::protocol::{
    Ask, ChangeReport, ErrorReport, LinkReport, Peer, PlaceReport, ProgramReport, Refused, Say, Served, StatusReport,
    Style, VariableReport,
};
use super::server::To;
use super::sessions::{in_session, session as session_of};
use crate::api::{Ask as Told, Delivery, Lasp, Session};
use crate::builder::is_host_and_port;
use crate::epmd::EpmdStats;
use crate::error::Error;
use crate::transport::TransportStats;
use lasp_crdt::ReplicaId;
use lasp_crdt::codec::to_bytes;
use lasp_dataflow::{DerivationError, Name, Output, State, Type, Value, VarId, VarInfo};
use lasp_lang::show::{self, short, type_name};
use lasp_lang::suggest::nearest;
use lasp_lang::term::Term;
use lasp_node::{
    Class, Interests, LastChange, Node, ProgramError, ProgramInfo, Reply, Request, RequestError, replica_of,
};
use lasp_overlay::membership::change::Change as ViewChange;
use lasp_overlay::membership::{Membership as _, Standing};
use lasp_overlay::{Addr, Contact, PeerId, Time};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::oneshot;

/// Variables taken along in one go. A guess: well below a millisecond.
const PAGE: usize = 128;

/// Names looked at in one go, alike.
pub(crate) const NAMES: usize = 4096;

/// Elements up to which a collection's value is part of its report. A guess: more is not read in a table.
const SMALL: usize = 64;

/// Longest JSON value in a report, in bytes. A guess.
const MAX_JSON: usize = 4096;

/// Names that a misspelt one is compared with.
const MAX_COMPARED: usize = 4096;

/// What does not change about a node while it runs.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Its name.
    pub(crate) name: String,
    /// Its cluster.
    pub(crate) cluster: String,
    /// Its membership strategy.
    pub(crate) membership: String,
    /// How many clients there are just now.
    pub(super) clients: Arc<AtomicUsize>,
}

impl Facts {
    pub(crate) fn new(name: String, cluster: String, membership: String) -> Self {
        Self { name, cluster, membership, clients: Arc::default() }
    }

    /// What the node says to a client whom it serves.
    pub(super) fn served(&self, version: u64) -> Served {
        Served { version, cluster: self.cluster.clone(), name: self.name.clone(), software: software() }
    }
}

fn software() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Answers the requests of one client, by whatever protocol it asks.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    pub(super) lasp: Lasp,
    facts: Arc<Facts>,
}

/// A variable as it was found.
pub(crate) struct Found {
    pub(crate) var: VarId,
    pub(crate) ty: Type,
}

impl Answers {
    pub(crate) const fn new(lasp: Lasp, facts: Arc<Facts>) -> Self {
        Self { lasp, facts }
    }

    /// Answers one request.
    pub(super) async fn answer(&self, ask: Ask, reply: &To) {
        let last = match ask {
            Ask::Get { variable, style } => self.get(&variable, style).await,
            Ask::Update { variable, operation, declare, style } => {
                self.update(&variable, operation, declare, style).await.map(|()| Say::Done)
            }
            Ask::UpdateOn { variable, operation, declare, terms, style } => {
                self.update_on(&variable, operation, declare, &terms, style).await.map(Say::Updated)
            }
            Ask::GetIn { variable, session, within_ms, style } => {
                self.get_in(&variable, &session, within_ms, style).await
            }
            Ask::Watch { variable, style } => self.watch(&variable, None, style, reply).await,
            Ask::WatchIn { variable, session, within_ms, style } => match session_of(&session, within_ms) {
                Ok(session) => self.watch(&variable, Some(session), style, reply).await,
                Err(refused) => Err(refused),
            },
            Ask::Variables { prefix } => self.variables(&prefix, reply).await,
            Ask::Members => self.members().await,
            Ask::Cluster => self.cluster().await,
            Ask::Events => Ok(self.events(reply).await),
            Ask::Overlay => self.overlay().await,
            Ask::Evict(id) => self.evict(&id).await,
            Ask::Connect(addr) => self.link(&addr, Lasp::connect).await,
            Ask::Disconnect(addr) => self.link(&addr, Lasp::disconnect).await,
            Ask::Status => self.status().await.map(|report| Say::Status(Box::new(report))),
            Ask::Install { name, text } => self.install(name, text).await,
            Ask::Uninstall(name) => self.lasp.uninstall(&name).await.map(|()| Say::Done).map_err(failed),
            Ask::Programs => self.programs().await.map(Say::Programs),
            Ask::Ping { node } => self.ping(&node).await,
            Ask::Run { .. } | Ask::Bindings | Ask::Graph | Ask::Forget(_) | Ask::Cancel => return, // the session's
        };
        reply.say(last.unwrap_or_else(Say::Refused)).await;
    }

    pub(crate) async fn find(&self, name: &str) -> Result<Found, Refused> {
        let wanted = name.to_owned();
        let look = self.lasp.inspect(move |node| {
            let graph = node.graph();
            let found = graph.lookup(&wanted).and_then(|var| Some(Found { var, ty: graph.info(var)?.ty.clone() }));
            let names = || graph.vars().take(MAX_COMPARED).map(|(_, info)| info.name.as_str());
            let near = if found.is_none() { nearest(&wanted, names()).map(str::to_owned) } else { None };
            (found, near)
        });
        let (found, near) = look.await.map_err(failed)?;
        found.ok_or_else(|| {
            let refused = Refused::failed(format!("node {} has no variable {name:?}", self.facts.name));
            match near {
                Some(near) => refused.hint(format!("did you mean {near:?}?")),
                None => refused.hint("`lasp vars` lists those it has"),
            }
        })
    }

    async fn get(&self, name: &str, style: Style) -> Result<Say, Refused> {
        let Found { var, ty } = self.find(name).await?;
        let output = self.lasp.query(var).await.map_err(failed)?;
        value(ty, output, style).await
    }

    /// The present value, then every newer one. It is read when the client has taken the one before: a change costs the node
    /// no more than to say so, and a slow client no more than it reads. In a session, once the node is as far as that.
    async fn watch(&self, name: &str, mut session: Option<Session>, style: Style, reply: &To) -> Result<Say, Refused> {
        if let Some(session) = &session {
            self.enter(session).await?;
        }
        let found = self.find(name).await?;
        let mut changes = self.lasp.notice(found.var).await.map_err(failed)?;
        let mut said = self.read(&found, session.as_mut()).await?;
        loop {
            let say = value(found.ty.clone(), said.clone(), style).await?;
            if !reply.say(in_session(say, session.as_ref())).await {
                return Ok(Say::Done); // nobody hears that either
            }
            said = loop {
                if changes.next().await.map_err(failed)?.is_none() {
                    return Ok(Say::Stopping);
                }
                let now = self.read(&found, session.as_mut()).await?;
                if now != said {
                    break now;
                }
            };
        }
    }

    /// A value, read in a session or in none.
    async fn read(&self, found: &Found, session: Option<&mut Session>) -> Result<Output, Refused> {
        match session {
            Some(session) => self.query_in(found, session).await,
            None => self.lasp.query(found.var).await.map_err(failed),
        }
    }

    async fn events(&self, reply: &To) -> Say {
        let mut changes = self.lasp.view_changes();
        while let Some(change) = changes.next().await {
            if !reply.say(Say::Changed(Box::new(change_report(&change)))).await {
                return Say::Done; // nobody hears that either
            }
        }
        Say::Stopping
    }

    async fn variables(&self, prefix: &str, reply: &To) -> Result<Say, Refused> {
        let mut from = 0;
        loop {
            let (wanted, at) = (prefix.to_owned(), from);
            let begins = move |name: &str| name.starts_with(&wanted);
            let page = self.lasp.inspect(move |node| page(node, begins, at)).await.map_err(failed)?;
            let more = !page.ended;
            from = page.next;
            let variables = elsewhere(move || page.seen.into_iter().map(|(_, seen)| seen.report()).collect()).await?;
            if !more {
                return Ok(Say::Variables { variables, more });
            }
            if !variables.is_empty() && !reply.say(Say::Variables { variables, more }).await {
                return Ok(Say::Done);
            }
        }
    }

    async fn members(&self) -> Result<Say, Refused> {
        let members = self.lasp.members().await.map_err(failed)?;
        let peers = |contacts: &[Contact]| contacts.iter().map(peer).collect();
        Ok(Say::Members { me: peer(&members.me), active: peers(&members.active), passive: peers(&members.passive) })
    }

    async fn cluster(&self) -> Result<Say, Refused> {
        let members = self.lasp.members().await.map_err(failed)?;
        let peers = |contacts: &[Contact]| contacts.iter().map(peer).collect();
        let standing = |(contact, standing): &(Contact, Standing)| (peer(contact), standing.name().to_owned());
        Ok(Say::Cluster {
            me: peer(&members.me),
            active: peers(&members.active),
            passive: peers(&members.passive),
            members: members.members.iter().map(standing).collect(),
            reachable: members.reachable.iter().map(|contact| contact.id.to_string()).collect(),
        })
    }

    async fn evict(&self, id: &str) -> Result<Say, Refused> {
        let number = u64::from_str_radix(id, 16).map_err(|_| {
            Refused::failed(format!("{id:?} is not a node's id")).hint("`lasp members` lists the ids of those it knows")
        })?;
        self.lasp.evict(PeerId(number)).await.map(|()| Say::Done).map_err(failed)
    }

    async fn link(&self, addr: &str, ask: impl FnOnce(&Lasp, Addr) -> Told<()>) -> Result<Say, Refused> {
        let wrong = || Refused::failed(format!("{addr:?} is not HOST:PORT"));
        let addr = Addr::new(addr).filter(|_| is_host_and_port(addr)).ok_or_else(wrong)?;
        ask(&self.lasp, addr).await.map(|()| Say::Done).map_err(failed)
    }

    async fn overlay(&self) -> Result<Say, Refused> {
        let (me, links) = self.links().await?;
        Ok(Say::Overlay { me, membership: self.facts.membership.clone(), links })
    }

    /// This node and its links to neighbours.
    pub(crate) async fn links(&self) -> Result<(Peer, Vec<LinkReport>), Refused> {
        let look = self.lasp.inspect(|node| {
            let link = |contact: &Contact| LinkReport {
                peer: peer(contact),
                eager: node.broadcast().eager().any(|eager| eager == contact.id),
                waiting: node.link_load(contact.id).map_or(0, |load| load.waiting as u64),
                in_flight: node.link_load(contact.id).map_or(0, |load| load.in_flight as u64),
            };
            (peer(node.contact()), node.active_view().iter().map(link).collect())
        });
        look.await.map_err(failed)
    }

    async fn install(&self, name: Option<String>, text: String) -> Result<Say, Refused> {
        let name = name.map(Name::new).transpose().map_err(|error| Refused::failed(error.to_string()))?;
        let request = Request::Install { name, source: text.into() };
        match self.lasp.request(request).await.map_err(failed)? {
            Reply::Installed { name, version } => Ok(Say::Installed { name: name.to_string(), version }),
            _ => Err(Refused::failed("the node gave an answer to another request")),
        }
    }

    pub(crate) async fn programs(&self) -> Result<Vec<ProgramReport>, Refused> {
        let programs = self.lasp.programs().await.map_err(failed)?;
        Ok(programs.iter().map(program_report).collect())
    }

    async fn ping(&self, node: &str) -> Result<Say, Refused> {
        let members = self.lasp.members().await.map_err(failed)?;
        let known = [&members.me].into_iter().chain(&members.active).chain(&members.passive);
        let named = |contact: &&Contact| contact.addr.as_str() == node || contact.to_string() == node;
        let id = known.filter(named).max_by_key(|contact| contact.incarnation).map(|contact| contact.id);
        let Some(id) = id.or_else(|| u64::from_str_radix(node, 16).ok().map(PeerId)) else {
            let refused = Refused::failed(format!("node {} knows no node at {node:?}", self.facts.name));
            return Err(refused.hint("a node further away is asked for by its id, as `lasp status` prints it there"));
        };
        let Delivery { hops, after } = self.lasp.send(id, [].as_slice()).await.map_err(failed)?;
        Ok(Say::Pong { node: id.to_string(), hops, micros: after.as_micros() as u64 })
    }

    pub(crate) async fn status(&self) -> Result<StatusReport, Refused> {
        let (now, transport) = (self.lasp.now(), self.lasp.transport_stats().unwrap_or_default());
        let facts = self.facts.clone();
        let look = self.lasp.inspect(move |node| status(node, &facts, now, &transport));
        let mut report = look.await.map_err(failed)?;
        report.counters.extend(self.lasp.epmd_stats().into_iter().flat_map(epmd_counters));
        Ok(report)
    }
}

pub(crate) fn failed(error: Error) -> Refused {
    let rejected = matches!(error, Error::Refused(RequestError::Program(ProgramError::Rejected(_))));
    Refused { rejected, ..Refused::failed(error.to_string()) }
}

fn program_report(program: &ProgramInfo) -> ProgramReport {
    let variable = |(name, ty): &(Name, Type)| (name.to_string(), type_name(ty));
    ProgramReport {
        name: program.name.to_string(),
        version: program.version,
        state: program.state.name().to_owned(),
        report: program.state.report().map(str::to_owned),
        errors: program.errors.iter().map(|error| error.to_string()).collect(),
        errors_total: program.errors_total,
        variables: program.variables.iter().map(variable).collect(),
    }
}

/// Does work that may take long on a thread that has time.
pub(crate) async fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refused> {
    // Not the runtime's pool, which panics where no thread can be had.
    let (done, outcome) = oneshot::channel();
    let work = move || {
        let _ = done.send(work()); // whoever asked may be gone
    };
    if let Err(error) = std::thread::Builder::new().name("lasp-answer".to_owned()).spawn(work) {
        let refused = Refused::failed(format!("the node cannot start a thread for this: {error}"));
        return Err(refused.hint("give it more memory, or raise its limit of threads (ulimit -v, ulimit -u)"));
    }
    outcome.await.map_err(|_| Refused::failed("the node could not do this; its log says why"))
}

pub(super) async fn value(ty: Type, output: Output, style: Style) -> Result<Say, Refused> {
    let write = move || {
        let term = Term::output(output);
        Say::Value { ty: type_name(&ty), text: if style.json { show::json(&term) } else { term.to_string() } }
    };
    elsewhere(write).await
}

pub(crate) fn peer(contact: &Contact) -> Peer {
    Peer { id: contact.id.to_string(), incarnation: contact.incarnation, addr: contact.addr.to_string() }
}

fn change_report(change: &ViewChange) -> ChangeReport {
    let peers = |contacts: &[Contact]| contacts.iter().map(peer).collect();
    let ids = |peers: &[PeerId]| peers.iter().map(PeerId::to_string).collect();
    ChangeReport {
        up: peers(&change.up),
        down: ids(&change.down),
        joined: peers(&change.joined),
        left: ids(&change.left),
        gone: ids(&change.gone),
        suspected: ids(&change.suspected),
        cleared: ids(&change.cleared),
        known: peers(&change.known),
        forgotten: ids(&change.forgotten),
        view: peers(&change.view),
    }
}

// ---- variables ----

/// What a look at some variables saw.
pub(crate) struct Page {
    /// Where to go on.
    pub(crate) next: usize,
    /// Whether there are no more.
    pub(crate) ended: bool,
    /// Variables, with their indices.
    pub(crate) seen: Vec<(usize, Seen)>,
}

/// What a look at a variable took along.
pub(crate) struct Seen {
    pub(crate) name: String,
    ty: Type,
    local: bool,
    derived: bool,
    elements: Option<usize>,
    /// Equal for equal states; of those that have one.
    pub(crate) digest: Option<u64>,
    /// The value of what is small, and the encoded size of what has a state of its own.
    small: Option<(Output, Option<usize>)>,
    errors: u64,
    recent: Vec<DerivationError>,
    /// Its last change, if that is remembered; when, in milliseconds since 1970; and the node that made it, if it is known.
    pub(crate) changed: Option<(LastChange, u64, Option<PeerId>)>,
}

/// The node that a replica is a life of, among those that are known here.
pub(crate) fn node_of(node: &Node, replica: ReplicaId) -> Option<PeerId> {
    let (active, passive) = (node.active_view(), node.passive_view());
    let mut known = std::iter::once(node.contact()).chain(&active).chain(&passive);
    known.find(|contact| replica_of(contact) == replica).map(|contact| contact.id)
}

fn changed(node: &Node, var: VarId) -> Option<(LastChange, u64, Option<PeerId>)> {
    let (change, at_ms) = node.last_change(var)?;
    Some((change, at_ms, change.author.and_then(|author| node_of(node, author.replica))))
}

/// Looks at variables from an index on, and takes along those whose names are wanted.
pub(crate) fn page(node: &Node, wanted: impl Fn(&str) -> bool, from: usize) -> Page {
    let mut page = Page { next: from, ended: false, seen: Vec::new() };
    let mut rest = node.graph().vars_from(from);
    for _ in 0..NAMES {
        let Some((var, info)) = rest.next() else {
            page.ended = true;
            break;
        };
        page.next = var.index() + 1;
        if wanted(info.name.as_str()) {
            page.seen.extend(Seen::of(node, var).map(|seen| (var.index(), seen)));
        }
        if page.seen.len() == PAGE {
            break;
        }
    }
    page
}

/// The value of a variable if reading it costs next to nothing, and its encoded size. A local result is not computed for
/// this alone.
fn small(node: &Node, var: VarId, info: &VarInfo) -> Option<(Output, Option<usize>)> {
    let graph = node.graph();
    if info.local && info.read_only {
        let few = graph.peek_cardinality(var).is_none_or(|elements| elements <= SMALL);
        return few.then(|| graph.peek(var)).flatten().map(|output| (output, None));
    }
    let state = graph.state(var).filter(|state| is_small(state))?;
    Some((state.read(), Some(to_bytes(state).len())))
}

/// Whether reading and encoding a state costs next to nothing.
fn is_small(state: &State) -> bool {
    match state {
        State::GMap(map) => map.len() <= SMALL / 4 && map.iter().all(|(_, slot)| slot.get().is_none_or(is_small)),
        State::Pair(pair) => is_small(&pair.0) && is_small(&pair.1),
        other => other.cardinality().is_none_or(|elements| elements <= SMALL),
    }
}

impl Seen {
    /// What there is to see of a variable.
    pub(crate) fn of(node: &Node, var: VarId) -> Option<Self> {
        let graph = node.graph();
        let info = graph.info(var)?;
        Some(Self {
            name: info.name.to_string(),
            ty: info.ty.clone(),
            local: info.local,
            derived: info.derived,
            elements: graph.peek_cardinality(var),
            digest: graph.state(var).filter(|_| !(info.local && info.read_only)).map(State::fingerprint),
            small: small(node, var, info),
            errors: info.errors.total(),
            recent: info.errors.recent().cloned().collect(),
            changed: changed(node, var),
        })
    }

    pub(crate) fn report(self) -> VariableReport {
        let value = self.small.as_ref().map(|(output, _)| {
            let term = Term::output(output.clone());
            let json = show::json(&term);
            (short(&term), (json.len() <= MAX_JSON).then_some(json))
        });
        VariableReport {
            name: self.name,
            ty: type_name(&self.ty),
            local: self.local,
            derived: self.derived,
            elements: self.elements.map(|elements| elements as u64),
            bytes: self.small.and_then(|(_, bytes)| bytes).map(|bytes| bytes as u64),
            value,
            errors: self.errors,
            recent: self.recent.iter().map(error_report).collect(),
        }
    }
}

fn error_report(error: &DerivationError) -> ErrorReport {
    ErrorReport {
        operator: error.operator.to_owned(),
        element: short(&Term::data(Value::clone(&error.element))),
        message: error.error.message.to_string(),
        span: error.error.at,
        place: error.error.place().map(|(program, line, column)| PlaceReport {
            program: program.to_owned(),
            line: line as u64,
            column: column as u64,
        }),
    }
}

// ---- status ----

fn status(node: &Node, facts: &Facts, now: Time, transport: &TransportStats) -> StatusReport {
    StatusReport {
        me: peer(node.contact()),
        name: facts.name.clone(),
        cluster: facts.cluster.clone(),
        membership: facts.membership.clone(),
        software: software(),
        uptime_ms: now.as_millis(),
        active: node.active_view().len() as u64,
        passive: node.passive_view().len() as u64,
        interests: match node.interests() {
            Interests::All => None,
            Interests::Prefixes(prefixes) => Some(prefixes.iter().cloned().collect()),
        },
        variables: node.graph().vars_count() as u64,
        fingerprint: node.fingerprint(),
        quiescent: node.is_quiescent(),
        waiting: node.waiting() as u64,
        clients: facts.clients.load(Ordering::Relaxed) as u64,
        counters: counters(node, transport),
    }
}

fn epmd_counters(stats: EpmdStats) -> [(String, u64); 5] {
    [
        ("epmd_registrations", stats.registrations),
        ("epmd_registrations_failed", stats.registrations_failed),
        ("epmd_lookups", stats.lookups),
        ("epmd_lookups_failed", stats.lookups_failed),
        ("epmd_found", stats.found),
    ]
    .map(|(name, count)| (name.to_owned(), count))
}

pub(crate) fn counters(node: &Node, transport: &TransportStats) -> Vec<(String, u64)> {
    let (metrics, membership, letters) = (node.metrics(), node.membership().metrics(), node.letters());
    let all = [
        ("bytes_sent_membership", metrics.sent(Class::Membership)),
        ("bytes_sent_broadcast", metrics.sent(Class::Broadcast)),
        ("bytes_sent_state", metrics.sent(Class::State)),
        ("bytes_sent_sync", metrics.sent(Class::Sync)),
        ("bytes_sent_unicast", metrics.sent(Class::Unicast)),
        ("bytes_sent", metrics.total_sent()),
        ("bytes_received", metrics.bytes_received),
        ("entries_sent", metrics.entries_sent),
        ("state_received", metrics.state_received),
        ("state_needed", metrics.state_needed),
        ("payloads_received", metrics.payloads_received),
        ("payloads_needed", metrics.payloads_needed),
        ("entries_received", metrics.entries_received),
        ("entries_needed", metrics.entries_needed),
        ("frames_sent", metrics.frames_sent),
        ("frames_received", metrics.frames_received),
        ("frames_refused", metrics.frames_refused),
        ("dropped", metrics.dropped),
        ("updates", metrics.updates),
        ("merges", metrics.merges),
        ("redundant", metrics.redundant),
        ("drifted", metrics.drifted),
        ("assured", metrics.assured),
        ("unassured", metrics.unassured),
        ("entrusted", metrics.entrusted),
        ("entrusts_refused", metrics.entrusts_refused),
        ("intervals", metrics.intervals),
        ("intervals_refused", metrics.intervals_refused),
        ("sessions_waited", metrics.sessions_waited),
        ("sessions_behind", metrics.sessions_behind),
        ("sessions_asked", metrics.sessions_asked),
        ("coalesced", metrics.coalesced),
        ("queue_peak", metrics.queue_peak),
        ("waiting_entries", node.waiting_entries() as u64),
        ("link_entries_peak", metrics.link_entries_peak),
        ("node_entries_peak", metrics.node_entries_peak),
        ("link_bytes_peak", metrics.link_bytes_peak),
        ("syncs", metrics.syncs),
        ("sync_differences", metrics.sync_differences),
        ("digests_received", metrics.digests_received),
        ("digests_equal", metrics.digests_equal),
        ("letters_delivered", letters.delivered),
        ("letters_failed", letters.failed),
        ("letters_arrived", letters.arrived),
        ("letters_carried", letters.carried),
        ("letters_lost", letters.lost),
        ("searches", letters.searches),
        ("searches_passed", letters.searches_passed),
        ("searches_refused", letters.searches_refused),
        ("neighbors_up", membership.ups),
        ("neighbors_down", membership.downs),
        ("neighbors_failed", membership.failures),
        ("neighbors_evicted", membership.evictions),
        ("isolations", membership.isolations),
        ("probes", membership.probes),
        ("indirect_probes", membership.indirect_probes),
        ("membership_exchanges", membership.exchanges),
        ("suspicions", membership.suspicions),
        ("refutations", membership.refutations),
        ("members_lost", membership.lost),
        ("members_evicted", membership.evicted),
        ("departures_forgotten", membership.forgotten),
        ("membership_refused", membership.refused),
        ("identity_conflicts", membership.conflicts),
        ("swaps_begun", membership.swaps_begun),
        ("swaps_done", membership.swaps_done),
        ("swaps_rolled_back", membership.swaps_rolled_back),
        ("link_cost_us", membership.link_cost_us),
        ("wire_bytes_sent", transport.bytes_sent),
        ("wire_bytes_received", transport.bytes_received),
        ("connections_accepted", transport.accepted),
        ("accepts_failed", transport.accepts_failed),
        ("connections_turned_away", transport.turned_away),
        ("connections_refused", transport.refused),
        ("dials_failed", transport.dials_failed),
        ("violations", transport.violations),
        ("backlog_peak", transport.backlog_peak),
        ("backlog_warnings", transport.backlog_warnings),
    ];
    all.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}
