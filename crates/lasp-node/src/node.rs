//! One peer: the composition of store, overlay and synchronisation, itself a `Protocol`.
//!
//! Each part is a machine of its own; this file only routes: inputs to the part they concern, effects of one
//! part to the next, messages to the lanes of their links. After every input all that may be sent is sent, so
//! between two inputs nothing waits but what a slow link holds back.

use crate::assured::{self, Assured, Witness};
use crate::causal::{self, Groups};
use crate::changes::LastChange;
use crate::clock::{Clock, MAX_DRIFT_MS};
use crate::command::{Command, Event, Reply, RequestError, RequestId};
use crate::config::Config;
use crate::echo::Echo;
use crate::exchange::{self, Dissemination, Exchange, SyncMode};
use crate::frame::Frame;
use crate::handover::Handover;
use crate::key::Key;
use crate::link::{Link, LinkLoad, Reminder};
use crate::metrics::Metrics;
use crate::once::{self, Once, Party, Token};
use crate::open::Open;
use crate::payload::{Batch, Payload};
use crate::post::Post;
use crate::programs::{Ids, ProgramInfo, Programs, Told, Tools};
use crate::recent::Recent;
use crate::routes::Routes;
use crate::routing::{Routing, passes_interests_on};
use crate::session::{self, Sessions};
use crate::store::{Applied, Store};
use crate::surge::Surge;
use crate::sync::{AntiEntropy, Appointment, Outcome, SyncConfig};
use crate::system;
use crate::wire::{self, Control, Item};
use lasp_crdt::{Dot, ReplicaId};
use lasp_dataflow::{Cause, Effects, Graph, State, VarId};
use lasp_overlay::broadcast::{self, Plumtree};
use lasp_overlay::membership::{self, AnyMembership, Membership};
use lasp_overlay::survey::{self, Survey};
use lasp_overlay::{Contact, Input, Outbox, Output, PeerId, Protocol, Rng, Time, unicast};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What a node's timers carry.
#[derive(Clone, Debug, PartialEq)]
pub enum Timer {
    /// Of the membership layer.
    Membership(membership::AnyTimer),
    /// Of the broadcast layer.
    Broadcast(broadcast::Timer),
    /// Of messages to single nodes.
    Unicast(unicast::Timer),
    /// Of surveys.
    Survey(survey::Timer),
    /// A comparison with a neighbour.
    Sync(Appointment),
    /// What is wanted beyond links is told on.
    Routes,
    /// Variables that are not wanted any more may be forgotten.
    Free,
    /// What was written and is not heard is handed over.
    Handover,
    /// An exchange with the neighbours.
    Exchange,
    /// What waits for a link may go.
    Flush(PeerId),
    /// An acknowledgement of definitions has waited long enough.
    Acknowledge(PeerId),
    /// Derived deltas have waited for somebody else to say them.
    Echo,
    /// An update has waited for others to hold it.
    Assured(assured::Timer),
    /// A session has waited for this node to come as far as it has seen.
    Session(session::Timer),
    /// A neighbour has had time to answer about a causal group.
    Causal(causal::Timer),
    /// A `Sleep` request is over.
    Wake(RequestId),
    /// An enforcement goes on.
    Once {
        /// Which.
        token: Token,
        /// Tells it from the timers before it.
        turn: u32,
    },
}

/// One peer of a Lasp cluster.
#[derive(Debug)]
pub struct Node {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) open: Open,
    pub(crate) metrics: Metrics,
    pub(crate) once: Once,
    pub(crate) programs: Programs,
    pub(crate) ids: Ids,
    membership: AnyMembership,
    /// How often the membership strategy was given something.
    stirs: u64,
    /// The last wave that the membership layer was told of.
    marked: Option<Dot>,
    pub(crate) broadcast: Plumtree<Payload>,
    pub(crate) sync: AntiEntropy,
    pub(crate) exchange: Exchange,
    surge: Surge,
    pub(crate) routes: Routes,
    pub(crate) routing: Routing,
    pub(crate) handover: Handover,
    pub(crate) post: Post,
    pub(crate) surveys: Survey,
    pub(crate) assured: Assured,
    pub(crate) witness: Witness,
    pub(crate) sessions: Sessions,
    pub(crate) groups: Groups,
    links: BTreeMap<PeerId, Link>,
    pub(crate) rng: Rng,
    /// Links with something new to send since the last flush.
    touched: Vec<PeerId>,
    /// Deltas made since the last flush, to be broadcast as one.
    pub(crate) fresh: Batch,
    /// What has changed in causal groups since they were last spread.
    pub(crate) grouped: Batch,
    echo: Echo,
    /// What came by comparing and not along the broadcast tree.
    detours: Recent,
    /// What was passed on of variables that this node does not keep.
    passed: Recent,
    /// What was passed on without an id.
    told: Recent,
}

/// What made the graph change: it decides who speaks of the consequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An update here: nobody else has it yet.
    Update,
    /// News from elsewhere, or a new derivation: others may derive the same.
    Shared,
}

/// The replica id of one life of a peer: what its dots are minted under.
pub fn replica_of(contact: &Contact) -> ReplicaId {
    ReplicaId::of(contact.id.0, contact.incarnation)
}

/// How payloads are pushed.
fn pushing(config: &Config) -> broadcast::Config {
    let floods = config.broadcast.floods || config.dissemination == Dissemination::Flood;
    broadcast::Config { floods, ..config.broadcast.clone() }
}

/// How neighbours compare: as often as news is to spread, where nothing else spreads it.
fn comparisons(config: &Config) -> SyncConfig {
    let gossips = config.dissemination.gossips();
    let interval = if gossips { config.exchange.interval } else { config.sync.interval };
    SyncConfig { interval, ..config.sync.clone() }
}

impl Node {
    /// A node that has not started. Everything random in it follows from `seed`.
    pub fn new(config: Config, contact: Contact, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let (replica, me) = (replica_of(&contact), contact.id);
        let post = Post::new(config.unicast.clone(), &contact);
        let surveys = Survey::new(config.survey.clone(), contact.id, contact.incarnation);
        let (id, life) = (contact.id, contact.incarnation);
        Self {
            store: Store::new(replica, config.interests.clone()).remembering(config.changes),
            clock: Clock::new(config.wall_epoch_ms),
            open: Open::default(),
            metrics: Metrics::default(),
            once: Once::new(config.once.clone(), replica),
            programs: Programs::default(),
            ids: Ids::new(),
            membership: AnyMembership::new(config.membership.clone(), contact, rng.fork()),
            stirs: 0,
            marked: None,
            broadcast: Plumtree::new(pushing(&config), replica, rng.fork()),
            sync: AntiEntropy::new(comparisons(&config), me, config.sync_mode == SyncMode::Digest),
            exchange: Exchange::new(config.sync_mode, config.exchange.clone()),
            surge: Surge::default(),
            routes: Routes::new(&config.interests.clone().of_whole_groups(), passes_interests_on(&config)),
            routing: Routing::default(),
            handover: Handover::default(),
            post,
            surveys,
            assured: Assured::new(config.assured.clone(), id, life),
            witness: Witness::new(config.assured.clone(), id),
            sessions: Sessions::new(config.session.clone(), (id, life)),
            groups: Groups::new(config.causal.clone()),
            links: BTreeMap::new(),
            rng,
            touched: Vec::new(),
            fresh: Batch::default(),
            grouped: Batch::default(),
            echo: Echo::default(),
            detours: Recent::new(config.link.pace),
            passed: Recent::new(config.link.pace),
            told: Recent::new(config.link.pace),
            config,
        }
    }

    /// This peer.
    pub fn contact(&self) -> &Contact {
        self.membership.contact()
    }

    /// The neighbours in the overlay, ascending by id.
    pub fn active_view(&self) -> Vec<Contact> {
        self.membership.active()
    }

    /// Other peers it knows of, ascending by id.
    pub fn passive_view(&self) -> Vec<Contact> {
        self.membership.passive()
    }

    /// The membership strategy.
    pub const fn membership(&self) -> &AnyMembership {
        &self.membership
    }

    /// Grows whenever views may have changed: as long as it is the same, so are they.
    pub const fn membership_stirs(&self) -> u64 {
        self.stirs
    }

    /// The broadcast tree as this node sees it.
    pub const fn broadcast(&self) -> &Plumtree<Payload> {
        &self.broadcast
    }

    /// The variables.
    pub const fn graph(&self) -> &Graph {
        self.store.graph()
    }

    /// What this node hears.
    pub const fn interests(&self) -> &crate::Interests {
        self.store.interests()
    }

    /// What it counted.
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What it counted of letters: its own, and those it passes on.
    pub const fn letters(&self) -> &unicast::Metrics {
        self.post.metrics()
    }

    /// The fingerprint of all replicated variables: equal for equal stores.
    pub fn fingerprint(&self) -> u64 {
        self.store.graph().fingerprint()
    }

    /// The last change of a variable, if it is remembered ([`Config::changes`]), and its time in milliseconds since 1970.
    pub fn last_change(&self, var: VarId) -> Option<(LastChange, u64)> {
        let change = self.store.changes().of(var)?;
        Some((change, self.config.wall_epoch_ms.saturating_add(change.at.as_millis())))
    }

    /// What is known here of each installed program, by name.
    pub fn programs(&self) -> Vec<ProgramInfo> {
        self.programs.infos(&self.store)
    }

    /// Whether nothing is under way here: no message waits, none is known to be missing, nothing that is to happen once in
    /// the cluster is still to happen.
    pub fn is_quiescent(&self) -> bool {
        let calm = self.links.values().all(Link::is_idle) && self.broadcast.is_quiescent() && self.echo.is_empty();
        let calm = calm && self.exchange.is_idle() && self.sync.is_idle() && !self.once.is_busy();
        let calm = calm && self.handover.is_idle() && self.assured.is_idle();
        calm && self.sessions.is_idle() && self.groups.is_idle()
    }

    /// How many messages wait for links.
    pub fn waiting(&self) -> usize {
        self.links.values().map(Link::waiting).sum()
    }

    /// How many entries of deltas are kept beside the variables, for neighbours that are still to hear them: what the
    /// literature counts as the memory of synchronisation. A payload that the broadcast layer remembers counts as one.
    /// Cost: the number of deltas kept.
    pub fn buffered_entries(&self) -> usize {
        let waiting: usize = self.links.values().map(Link::entries).sum();
        waiting
            + self.handover.entries()
            + self.groups.entries()
            + self.exchange.entries()
            + self.detours.entries()
            + self.passed.entries()
            + self.broadcast.cached()
    }

    /// Bytes of the deltas that wait for a neighbour, written in full, and of what is under way to it; 0 without a link. Cost:
    /// that of writing them.
    pub fn buffered_bytes(&self, peer: PeerId) -> usize {
        self.links.get(&peer).map_or(0, Link::bytes)
    }

    /// Bytes of all replicated variables, written in full. Cost: that of writing them.
    pub fn state_bytes(&self) -> usize {
        self.store.replicated().map(|(key, state)| wire::entry_len(key, state)).sum()
    }

    /// What is under way to a neighbour.
    pub fn link_load(&self, peer: PeerId) -> Option<LinkLoad> {
        self.links.get(&peer).map(Link::load)
    }

    // ---- towards the links ----

    pub(crate) fn push(&mut self, to: PeerId, item: Item) {
        let Some(link) = self.links.get_mut(&to) else {
            self.metrics.dropped += 1;
            return;
        };
        let taken = link.push(item);
        self.metrics.coalesced += taken.coalesced;
        self.metrics.dropped += taken.dropped;
        if !self.touched.contains(&to) {
            self.touched.push(to);
        }
    }

    /// Whether intervals of causal groups wait for a link.
    pub(crate) fn tells_groups(&self, peer: PeerId) -> bool {
        self.links.get(&peer).is_some_and(Link::tells_groups)
    }

    fn touch(&mut self, peer: PeerId) {
        if self.links.contains_key(&peer) && !self.touched.contains(&peer) {
            self.touched.push(peer);
        }
    }

    fn flush(&mut self, now: Time, out: &mut Outbox<Self>) {
        for peer in std::mem::take(&mut self.touched) {
            let Some(link) = self.links.get_mut(&peer) else { continue };
            let mut outcome = Outcome::default();
            loop {
                let send = |frame| out.push(Output::Send { to: peer, message: frame });
                let reminders = link.flush(now, &self.config.link, &mut self.metrics, send);
                for reminder in reminders.into_iter().flatten() {
                    match reminder {
                        Reminder::Flush(after) => out.set_timer(after, Timer::Flush(peer)),
                        Reminder::Acknowledge(after) => out.set_timer(after, Timer::Acknowledge(peer)),
                    }
                }
                // Who has taken what was found missing is given more.
                let wanted = link.budget(&self.config.link);
                let more = || self.sync.more(now, (peer, wanted), &self.store, &mut self.rng, &mut outcome);
                let Some(more) = link.takes_more(&self.config.link).then(more).flatten() else { break };
                link.push(Item::Data(more));
            }
            for (after, appointment) in outcome.timers {
                out.set_timer(after, Timer::Sync(appointment));
            }
        }
    }

    // ---- membership ----

    fn feed_membership(&mut self, now: Time, input: Input<AnyMembership>, out: &mut Outbox<Self>) {
        let mut effects = Outbox::new();
        self.stirs += 1;
        self.membership.handle(now, input, &mut effects);
        for effect in effects.drain() {
            match effect {
                Output::Send { to, message } => self.push(to, Item::Control(Control::Membership(message))),
                Output::SetTimer { after, timer } => out.set_timer(after, Timer::Membership(timer)),
                Output::Dial(addr) => out.push(Output::Dial(addr)),
                Output::Link(contact) => out.push(Output::Link(contact)),
                Output::Close(peer) => self.close(now, peer, out),
                Output::Emit(event) => self.membership_changed(now, event, out),
            }
        }
    }

    /// Has the membership strategy do something that not every one does.
    pub(crate) fn ask_membership(
        &mut self,
        now: Time,
        command: membership::Command,
        what: &'static str,
        out: &mut Outbox<Self>,
    ) -> Result<Reply, RequestError> {
        if !self.membership.accepts(&command) {
            return Err(RequestError::NotOfStrategy { strategy: self.config.membership.name(), what });
        }
        self.feed_membership(now, Input::Command(command), out);
        Ok(Reply::Done)
    }

    /// What waits for a link goes out before it closes.
    fn close(&mut self, now: Time, peer: PeerId, out: &mut Outbox<Self>) {
        self.touch(peer);
        self.flush(now, out);
        self.links.remove(&peer);
        out.push(Output::Close(peer));
    }

    fn membership_changed(&mut self, now: Time, event: membership::Event, out: &mut Outbox<Self>) {
        match &event {
            membership::Event::Up(contact) => {
                let peer = contact.id;
                self.feed_broadcast(now, Input::Command(broadcast::Command::NeighborUp(peer)), out);
                self.feed_unicast(now, Input::Command(unicast::Command::NeighborUp(peer)), out);
                self.feed_survey(now, Input::Command(survey::Command::NeighborUp(peer)), out);
                let mut outcome = Outcome::default();
                self.sync.peer_up(now, peer, &mut self.store, &mut self.rng, &mut outcome);
                self.exchange.peer_up(peer);
                self.synchronise(now, outcome, out);
                self.route_up(now, peer, out);
                self.assured_peer_up(now, peer, out);
                self.look_around_groups(out);
            }
            membership::Event::Down(peer) => {
                self.feed_broadcast(now, Input::Command(broadcast::Command::NeighborDown(*peer)), out);
                self.feed_unicast(now, Input::Command(unicast::Command::NeighborDown(*peer)), out);
                self.feed_survey(now, Input::Command(survey::Command::NeighborDown(*peer)), out);
                self.sync.peer_down(*peer, &mut self.store);
                self.exchange.peer_down(*peer);
                self.route_down(now, *peer, out);
                self.assured_peer_down(*peer, out);
                self.groups.peer_down(*peer);
                if self.surge.is_on(now) {
                    self.doubt_the_tree(now, out);
                }
            }
            membership::Event::Left(_)
            | membership::Event::Isolated
            | membership::Event::Joined
            | membership::Event::Evicted => {}
        }
        out.emit(Event::Membership(event));
    }

    // ---- broadcast ----

    pub(crate) fn feed_broadcast(&mut self, now: Time, input: Input<Plumtree<Payload>>, out: &mut Outbox<Self>) {
        let (given_up, grafts) = (self.broadcast.metrics().given_up, self.broadcast.metrics().grafts_sent);
        let mut effects = Outbox::new();
        self.broadcast.handle(now, input, &mut effects);
        let metrics = self.broadcast.metrics();
        let torn = metrics.grafts_sent > grafts && self.surge.is_on(now);
        let given_up = metrics.given_up > given_up;
        if torn {
            self.doubt_the_tree(now, out);
        } else if given_up {
            self.compare_with_all(now, out);
        }
        for effect in effects.drain() {
            match effect {
                Output::Send { to, message } => self.push_wanted(to, message.into()),
                Output::SetTimer { after, timer } => out.set_timer(after, Timer::Broadcast(timer)),
                Output::Emit(broadcast::Event::Deliver { from, payload, .. }) => {
                    self.apply(now, from, &payload.batch(), out);
                }
                // Links are the membership layer's: the broadcast layer asks for none.
                Output::Dial(_) | Output::Link(_) | Output::Close(_) => {}
            }
        }
        self.catch_up(now);
        self.follow_tree(now, out);
        self.mark_island(now, out);
    }

    /// What the membership layer is to know an island by: the last wave over it.
    fn mark_island(&mut self, now: Time, out: &mut Outbox<Self>) {
        let wave = self.broadcast.wave();
        if let Some(mark) = wave.filter(|_| wave != self.marked) {
            self.marked = wave;
            self.feed_membership(now, Input::Command(membership::Command::Mark(mark)), out);
        }
    }

    /// The tree was torn while most broadcasts had no ids: comparisons find what they said.
    fn doubt_the_tree(&mut self, now: Time, out: &mut Outbox<Self>) {
        let mut outcome = Outcome::default();
        self.sync.doubt(now, &mut self.rng, &mut outcome);
        self.synchronise(now, outcome, out);
    }

    /// A broadcast could not be had from anybody: a comparison finds what it said.
    fn compare_with_all(&mut self, now: Time, out: &mut Outbox<Self>) {
        let mut outcome = Outcome::default();
        for contact in self.membership.active() {
            self.sync.recheck(now, contact.id, &mut self.rng, &mut outcome);
        }
        self.synchronise(now, outcome, out);
    }

    /// What a broadcast says beyond what was passed on before, if it merged with others. Broadcasts that merged differently
    /// on two links overlap; passed on whole, what they share would go over every link once for each of them (removal of
    /// redundant state: Enes et al., ICDE'19 §IV).
    pub(crate) fn news_of(&mut self, now: Time, ids: &broadcast::Ids, payload: Payload) -> Payload {
        let merged = ids.single().is_none();
        let batch = payload.batch();
        if !merged && batch.iter().all(|(key, _)| self.store.wants(key)) {
            // It is passed on whole: what of it had come by comparing has now come along the tree.
            batch.iter().for_each(|(key, delta)| _ = self.detours.take(now, key, delta));
            return payload;
        }
        let (mut news, mut whole) = (Batch::default(), true);
        for (key, delta) in batch.iter() {
            let (rest, _) = self.news_in(now, key, delta);
            whole &= rest == *delta;
            if !rest.is_bottom() {
                news.absorb(key, &rest);
            }
        }
        if whole || !merged { payload } else { Payload::new(news) }
    }

    /// What of a delta was not passed on along the tree before; `false` if there is no telling.
    fn news_in(&mut self, now: Time, key: &Key, delta: &State) -> (State, bool) {
        if self.store.wants(key) {
            let mut rest = self.beyond_store(key, delta);
            rest.merge(self.detours.take(now, key, delta));
            rest.merge(self.echo.shared(key, delta));
            return (rest, true);
        }
        let rest = self.passed.beyond(now, key, delta);
        let told = rest.is_bottom() || self.passed.remember(now, key, rest.clone(), false);
        (rest, told)
    }

    // ---- store ----

    /// Merges received deltas.
    fn apply(&mut self, now: Time, from: PeerId, batch: &Batch, out: &mut Outbox<Self>) {
        for (key, delta) in batch.iter() {
            if let Some(delta) = self.admitted(now, key, delta) {
                self.hand_on_pushed(from, key, &delta);
                self.apply_one(key, &delta, out);
            }
        }
        self.settle(Origin::Shared, out);
    }

    /// What was pushed to this node is exchanged too: the neighbours may have missed it.
    fn hand_on_pushed(&mut self, from: PeerId, key: &Key, delta: &State) {
        if self.config.sync_mode.remembers_deltas() {
            let news = self.beyond_store(key, delta);
            self.hand_on(from, key, delta, &news);
        }
    }

    /// What of a delta the store does not hold.
    fn beyond_store(&self, key: &Key, delta: &State) -> State {
        self.store.state(key).map_or_else(|| delta.clone(), |state| delta.difference(state))
    }

    /// Has the neighbours told, at the next exchange, what is about to be merged, of which `news` is not held yet.
    fn hand_on(&mut self, from: PeerId, key: &Key, delta: &State, news: &State) {
        if !self.store.wants(key) {
            return;
        }
        if let Some(part) = self.exchange.part(delta, news) {
            self.exchange.absorb(Some(from), key, part, |peer, key| self.sync.wants(peer, key));
        }
    }

    /// What may be merged of a received delta: a register's write is left out if it is stamped too far ahead of the clock
    /// here. It stays a difference to those who hold it, so it is offered again by comparing, and let in when its time
    /// has come. `None` where nothing is left.
    fn admitted<'a>(&mut self, now: Time, key: &Key, delta: &'a State) -> Option<Cow<'a, State>> {
        if key.is_grouped() {
            return None; // groups come in whole intervals alone
        }
        if system::is_reserved(key.name().as_str()) && system::type_of(key.name().as_str()).as_ref() == Some(key.ty()) {
            let now_ms = self.clock.wall_ms(now);
            let (admitted, refused) = system::admitted(key, delta, self.store.state(key), now_ms);
            self.metrics.entries_refused += refused;
            return (!admitted.is_bottom()).then_some(Cow::Owned(admitted));
        }
        let now_ms = self.clock.wall_ms(now);
        if !self.store.wants(key) || delta.admit(now_ms, MAX_DRIFT_MS).is_ok() {
            return Some(Cow::Borrowed(delta));
        }
        self.metrics.drifted += 1;
        let rest = delta.admitted(now_ms, MAX_DRIFT_MS);
        (!rest.is_bottom()).then_some(Cow::Owned(rest))
    }

    pub(crate) fn apply_one(&mut self, key: &Key, delta: &State, out: &mut Outbox<Self>) -> Applied {
        self.echo.heard(key, delta);
        let applied = self.store.apply(key, delta.clone());
        match &applied {
            Applied::Grew => self.metrics.merges += 1,
            Applied::Redundant => self.metrics.redundant += 1,
            Applied::NotWanted => {}
            Applied::Conflict(here) => {
                let (name, here, there) = (key.name().clone(), here.clone(), key.ty().clone());
                out.emit(Event::TypeConflict { name, here, there });
            }
        }
        applied
    }

    /// Merges what came by comparing; `true` if anything grew.
    pub(crate) fn learn(&mut self, now: Time, from: PeerId, batch: &Batch, out: &mut Outbox<Self>) -> bool {
        let (surge, filling) = (self.surge.is_on(now), self.routing.is_filling(now));
        let mut grew = false;
        for (key, delta) in batch.iter() {
            let Some(delta) = self.admitted(now, key, delta) else { continue };
            let news = self.beyond_store(key, &delta);
            self.hand_on(from, key, &delta, &news);
            if self.config.dissemination.pushes() && !news.is_bottom() {
                // What is filled in is not under way.
                self.detours.remember(now, key, news, surge && !filling);
            }
            grew |= self.apply_one(key, &delta, out) == Applied::Grew;
        }
        self.settle(Origin::Shared, out);
        grew
    }

    /// Merges deltas that came along the tree without ids, and passes on what was news. Where this node cannot tell, it
    /// passes nothing on: what has no ids could go in circles.
    pub(crate) fn relay(&mut self, now: Time, from: PeerId, batch: &Batch, out: &mut Outbox<Self>) {
        let mut news = Batch::default();
        for (key, delta) in batch.iter() {
            let Some(delta) = self.admitted(now, key, delta) else { continue };
            let (rest, told) = self.news_in(now, key, &delta);
            self.hand_on_pushed(from, key, &delta);
            let conflict = matches!(self.apply_one(key, &delta, out), Applied::Conflict(_));
            if told && !conflict && !rest.is_bottom() {
                news.absorb(key, &rest);
            }
        }
        self.settle(Origin::Shared, out);
        self.surge.note(now, news.iter().map(|(_, delta)| delta.entries()).sum());
        if !news.is_empty() {
            self.pass_on(now, Some(from), &news);
        }
    }

    /// Sends deltas along the tree without an id: each node passes on what is news to it.
    fn pass_on(&mut self, now: Time, from: Option<PeerId>, news: &Batch) {
        for (key, delta) in news.iter() {
            // Beyond its room, what is new in the tree finds out by comparing.
            self.told.remember(now, key, delta.clone(), false);
        }
        let eager: Vec<PeerId> = self.broadcast.eager().filter(|&peer| Some(peer) != from).collect();
        eager.into_iter().for_each(|peer| self.push_wanted(peer, Item::Relay(news.clone())));
    }

    /// Tells neighbours whose links are new in the tree what was passed on of late without an id: it did not go over them,
    /// and the links that it would have come over to those behind them may be gone.
    fn catch_up(&mut self, now: Time) {
        let turned = self.broadcast.take_turned();
        if turned.is_empty() {
            return;
        }
        let told = self.told.all(now);
        if !told.is_empty() {
            turned.into_iter().for_each(|peer| self.push_wanted(peer, Item::Relay(told.clone())));
        }
    }

    /// Takes what the graph did: own deltas are collected to be broadcast, owners hear what they wait for.
    pub(crate) fn settle(&mut self, origin: Origin, out: &mut Outbox<Self>) {
        let Effects { deltas, met, changed, errors } = self.store.settle();
        for change in &deltas {
            let Some(key) = self.store.key(change.var) else { continue };
            self.sessions.stir(key);
            if key.is_grouped() {
                self.grouped.absorb(key, &change.delta);
                continue;
            }
            match key.name().as_str() {
                system::PROGRAMS => self.programs.touch(),
                system::ONCE => {
                    once::tokens(&change.delta).into_iter().for_each(|token| self.once.heard(&self.store, token));
                }
                _ => {}
            }
            match (change.cause, origin) {
                (Cause::Received, _) => {}
                (Cause::Derived, Origin::Shared) => {
                    if let Some(after) = self.echo.push(key, &change.delta, &mut self.rng) {
                        out.set_timer(after, Timer::Echo);
                    }
                }
                (Cause::Local | Cause::Derived, _) => {
                    if !self.store.wants(key) {
                        self.routing.keep_for_others(&mut self.handover, key, &change.delta, out);
                    }
                    self.metrics.coalesced += u64::from(self.fresh.absorb(key, &change.delta));
                }
            }
        }
        for waiter in &met {
            if !self.once.met(&self.store, *waiter) {
                self.programs.met(&mut self.ids, *waiter);
            }
        }
        self.open.met(&met, self.store.graph_mut(), out);
        self.open.changed(&changed, self.store.graph_mut(), out);
        for error in errors {
            out.emit(Event::DerivationFailed(error));
        }
    }

    // ---- programs and enforcements ----

    pub(crate) fn with_programs<T>(&mut self, now: Time, work: impl FnOnce(&mut Programs, &mut Tools<'_>) -> T) -> T {
        let Self { store, clock, once, metrics, ids, programs, .. } = self;
        work(programs, &mut Tools { now, store, clock, once, metrics, ids })
    }

    /// Lets programs and enforcements do what has become due, and what becomes due by that. It ends: each trigger acts once.
    fn attend(&mut self, now: Time, out: &mut Outbox<Self>) {
        loop {
            let once::Outcome { timers, due, over } = self.once.take();
            for (after, token, turn) in timers {
                out.set_timer(after, Timer::Once { token, turn });
            }
            for party in over {
                self.tell_party(party, Reply::Done, out);
            }
            for (token, party) in due {
                self.tell_party(party, Reply::Due(token), out);
            }
            if !self.programs.is_stirred() {
                return;
            }
            // What programs derive when they are set up, others derive too.
            let origin = if self.programs.is_stale() { Origin::Shared } else { Origin::Update };
            if self.with_programs(now, Programs::work) {
                self.interests_changed(now, out);
            }
            for told in self.programs.take_told() {
                out.emit(match told {
                    Told::Printed(program, text) => Event::Printed { program, text },
                    Told::Failed(program, message) => Event::ActionFailed { program, message },
                });
            }
            self.settle(origin, out);
        }
    }

    fn tell_party(&mut self, party: Party, reply: Reply, out: &mut Outbox<Self>) {
        match party {
            Party::Request(id) => {
                self.metrics.enforced += u64::from(matches!(reply, Reply::Due(_)));
                out.emit(Event::Reply { id, result: Ok(reply) });
            }
            Party::Program(name, trigger) if matches!(reply, Reply::Due(_)) => self.programs.due(name, trigger),
            Party::Program(..) => {}
        }
    }

    /// Broadcasts what was made here since the last time, or has it told at the next exchange.
    fn spread(&mut self, now: Time, out: &mut Outbox<Self>) {
        self.spread_groups(None, out);
        if self.fresh.is_empty() {
            return;
        }
        let fresh = std::mem::take(&mut self.fresh);
        for (key, delta) in fresh.iter() {
            self.exchange.absorb(None, key, delta, |peer, key| self.sync.wants(peer, key));
        }
        if !self.config.dissemination.pushes() {
            return;
        }
        self.surge.note(now, fresh.len());
        if !self.broadcast.shapes_next(now) && !self.surge.names(now, &mut self.rng) {
            return self.pass_on(now, None, &fresh);
        }
        let payload = Payload::new(fresh);
        self.feed_broadcast(now, Input::Command(broadcast::Command::Broadcast(payload)), out);
    }

    // ---- anti-entropy ----

    pub(crate) fn synchronise(&mut self, now: Time, outcome: Outcome, out: &mut Outbox<Self>) {
        self.metrics.sync_differences += u64::from(outcome.differs);
        for (peer, item) in outcome.items {
            self.push(peer, item);
        }
        if let Some(peer) = outcome.disagrees {
            self.route(now, out, |routes, _, outcome| routes.repeat(now, peer, outcome));
        }
        for (after, appointment) in outcome.timers {
            out.set_timer(after, Timer::Sync(appointment));
        }
    }

    /// Has synchronisation know whether a neighbour takes what it is sent.
    fn weigh(&mut self, peer: PeerId) {
        if let Some(link) = self.links.get(&peer) {
            self.sync.weigh(peer, link.capacity(&self.config.link));
        }
    }

    fn compare(&mut self, now: Time, appointment: Appointment, out: &mut Outbox<Self>) {
        // What the tree lost, it lost for all those behind this node too.
        let left = self.detours.leftovers(now);
        if !left.is_empty() {
            self.pass_on(now, None, &left);
        }
        self.weigh(appointment.peer());
        let mut outcome = Outcome::default();
        let surge = self.surge.is_on(now);
        if self.detours.overflown(now) && surge {
            self.sync.doubt(now, &mut self.rng, &mut outcome);
        }
        let compared = self.sync.expired(now, appointment, &mut self.store, surge, &mut self.rng, &mut outcome);
        self.metrics.syncs += u64::from(compared);
        self.synchronise(now, outcome, out);
    }

    // ---- inputs ----

    fn received(&mut self, now: Time, from: PeerId, frame: &Frame, out: &mut Outbox<Self>) {
        self.metrics.frames_received += 1;
        self.metrics.bytes_received += frame.wire_len() as u64;
        self.touch(from);
        let Some(Ok((items, state))) = self.links.get_mut(&from).map(|link| link.receive(frame)) else {
            self.metrics.frames_refused += 1;
            return;
        };
        self.metrics.state_received += state;
        self.membership.heard(now, from);
        self.sync.given(now, from, frame.wire_len());
        for item in items {
            self.on_item(now, from, item, out);
        }
    }

    fn on_item(&mut self, now: Time, from: PeerId, item: Item, out: &mut Outbox<Self>) {
        match item {
            Item::Control(Control::Membership(message)) => {
                self.feed_membership(now, Input::Received { from, message }, out);
            }
            Item::Control(Control::Broadcast(message)) => {
                self.feed_broadcast(now, Input::Received { from, message }, out);
            }
            Item::Gossip { ids, round, payload } => {
                self.surge.note(now, ids.count());
                self.gossip(now, from, ids, round, payload, out);
            }
            Item::Control(Control::Interests(message)) => {
                self.route(now, out, |routes, rng, outcome| routes.heard(now, from, message, rng, outcome));
            }
            Item::Control(Control::Sync(message)) => {
                self.weigh(from);
                let mut outcome = Outcome::default();
                self.sync.receive(now, from, message, &mut self.store, &mut self.rng, &mut outcome);
                self.synchronise(now, outcome, out);
            }
            Item::Control(Control::Handed(handed)) => self.on_handed(now, from, &handed, out),
            Item::Control(Control::Taken(number)) => self.on_taken(from, number),
            Item::Control(Control::Unicast(message)) => {
                self.on_letter(now, from, message, out);
            }
            Item::Control(Control::Survey(message)) => {
                self.feed_survey(now, Input::Received { from, message }, out);
            }
            Item::Relay(batch) => self.relay(now, from, &batch, out),
            Item::Data(batch) => self.on_data(now, from, &batch, out),
            Item::Group { number, batch } => {
                self.on_data(now, from, &batch, out);
                self.push(from, exchange::acknowledgement(number));
            }
            Item::Control(Control::Acknowledged(number)) => self.exchange.acknowledged(from, number),
            Item::Control(Control::Causal(message)) => self.on_causal(now, from, message, out),
            Item::Control(Control::Assured(message)) => self.on_assured(now, from, message, out),
        }
    }

    pub(crate) fn on_data(&mut self, now: Time, from: PeerId, batch: &Batch, out: &mut Outbox<Self>) {
        if self.learn(now, from, batch, out) && (!self.surge.is_on(now) || self.routing.is_filling(now)) {
            let mut outcome = Outcome::default();
            self.sync.learnt_from(now, from, &mut self.rng, &mut outcome);
            self.synchronise(now, outcome, out);
        }
    }

    /// Exchanges with the neighbours what the mode says.
    fn exchange(&mut self, now: Time, out: &mut Outbox<Self>) {
        let wants = |peer, key: &Key| self.sync.wants(peer, key);
        let items = self.exchange.due(now, &self.store, wants, &mut self.rng);
        items.into_iter().for_each(|(peer, item)| self.push(peer, item));
        self.await_exchange(out);
    }

    fn await_exchange(&mut self, out: &mut Outbox<Self>) {
        if let Some(after) = self.exchange.next(&mut self.rng) {
            out.set_timer(after, Timer::Exchange);
        }
    }

    fn expired(&mut self, now: Time, timer: Timer, out: &mut Outbox<Self>) {
        match timer {
            Timer::Membership(timer) => self.feed_membership(now, Input::Expired(timer), out),
            Timer::Broadcast(timer) => self.feed_broadcast(now, Input::Expired(timer), out),
            Timer::Unicast(timer) => self.feed_unicast(now, Input::Expired(timer), out),
            Timer::Survey(timer) => self.feed_survey(now, Input::Expired(timer), out),
            Timer::Sync(appointment) => self.compare(now, appointment, out),
            Timer::Routes => self.route(now, out, |routes, rng, outcome| routes.expired(now, rng, outcome)),
            Timer::Free => self.free(now, out),
            Timer::Handover => self.hand_over(now, out),
            Timer::Exchange => self.exchange(now, out),
            Timer::Flush(peer) | Timer::Acknowledge(peer) => {
                if let Some(link) = self.links.get_mut(&peer) {
                    link.reminded(now, matches!(timer, Timer::Flush(_)));
                    self.touch(peer);
                }
            }
            Timer::Echo => {
                for (key, delta) in self.echo.take().iter() {
                    self.fresh.absorb(key, delta);
                }
            }
            Timer::Assured(timer) => self.assured_expired(timer, out),
            Timer::Causal(timer) => self.causal_expired(&timer, out),
            Timer::Session(timer) => self.session_expired(now, timer, out),
            Timer::Wake(id) => self.open.wake(id, out),
            Timer::Once { token, turn } => {
                let stamp = self.clock.tick(now);
                self.once.expired(&mut self.store, token, turn, stamp);
                self.settle(Origin::Update, out);
            }
        }
    }

    fn dispatch(&mut self, now: Time, input: Input<Self>, out: &mut Outbox<Self>) {
        match input {
            Input::Start => {
                self.feed_membership(now, Input::Start, out);
                self.feed_broadcast(now, Input::Start, out);
                self.await_exchange(out);
            }
            Input::Command(Command::Join(contacts)) => {
                self.feed_membership(now, Input::Command(membership::Command::Join(contacts)), out);
            }
            Input::Command(Command::Leave) => {
                self.once.leave(&mut self.store);
                self.settle(Origin::Update, out);
                self.expired(now, Timer::Echo, out);
                self.spread(now, out);
                self.feed_membership(now, Input::Command(membership::Command::Leave), out);
            }
            Input::Command(Command::Request { id, request }) => self.request(now, id, request, out),
            Input::Command(Command::Cancel(id)) => {
                self.open.cancel(id, self.store.graph_mut());
                self.once.cancel(&mut self.store, id);
                self.assured.cancel(id);
                self.sessions.cancel(id);
                self.forget_letter(now, id, out);
                self.feed_survey(now, Input::Command(survey::Command::Forget(id.0)), out);
            }
            Input::Received { from, message } => self.received(now, from, &message, out),
            Input::Expired(timer) => self.expired(now, timer, out),
            Input::LinkUp { peer, dialed } => {
                self.links.entry(peer.id).or_insert_with(Link::new);
                self.feed_membership(now, Input::LinkUp { peer, dialed }, out);
            }
            Input::DialFailed(addr) => self.feed_membership(now, Input::DialFailed(addr), out),
            Input::LinkDown(peer) => {
                self.links.remove(&peer);
                self.feed_membership(now, Input::LinkDown(peer), out);
            }
            Input::Drained { peer, bytes } => {
                if let Some(link) = self.links.get_mut(&peer) {
                    link.drained(now, bytes, &self.config.link);
                    self.touch(peer);
                }
            }
        }
    }
}

impl Protocol for Node {
    type Command = Command;
    type Message = Frame;
    type Timer = Timer;
    type Event = Event;

    fn handle(&mut self, now: Time, input: Input<Self>, out: &mut Outbox<Self>) {
        let from = if let Input::Received { from, .. } = &input { Some(*from) } else { None };
        self.store.changes_mut().attend(now, from);
        self.dispatch(now, input, out);
        self.attend(now, out);
        self.attend_sessions(now, out);
        self.spread(now, out);
        self.flush(now, out);
    }
}
