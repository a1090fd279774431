//! One peer: the composition of store, overlay and synchronisation, itself a `Protocol`.
//!
//! Each part is a machine of its own; this file only routes: inputs to the part they concern, effects of one
//! part to the next, messages to the lanes of their links. After every input all that may be sent is sent, so
//! between two inputs nothing waits but what a slow link holds back.
//!
//! `look`: what others see of it. `links`: towards the neighbours. `overlay`: membership and broadcast. `deltas`: the way of a delta
//! through a node. `tasks`: what follows from a change. Interests are in `routing`.

mod deltas;
mod links;
mod look;
mod overlay;
mod tasks;

use crate::assured::{self, Assured, Witness};
use crate::backlog::Backlog;
use crate::causal::{self, Groups};
use crate::clock::Clock;
use crate::command::{Command, Event, RequestId};
use crate::config::Config;
use crate::echo::Echo;
use crate::exchange::{self, Dissemination, Exchange, SyncMode};
use crate::frame::Frame;
use crate::handover::Handover;
use crate::key::Key;
use crate::link::Link;
use crate::metrics::Metrics;
use crate::once::{Once, Token};
use crate::open::Open;
use crate::payload::{Batch, Payload};
use crate::post::Post;
use crate::programs::{Ids, Programs};
use crate::recent::Recent;
use crate::routes::Routes;
use crate::routing::{Routing, passes_interests_on};
use crate::session::{self, Sessions};
use crate::store::Store;
use crate::surge::Surge;
use crate::sync::{AntiEntropy, Appointment, Outcome, SyncConfig};
use crate::told::Told;
use crate::wire::{Control, Item};
use lasp_crdt::{Dot, ReplicaId};
use lasp_overlay::broadcast::{self, Plumtree};
use lasp_overlay::membership::{self, AnyMembership, Membership};
use lasp_overlay::survey::{self, Survey};
use lasp_overlay::{Contact, Input, Outbox, PeerId, Protocol, Rng, Time, unicast};
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
    backlog: Backlog,
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
    told: Told,
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
            backlog: Backlog::default(),
            rng,
            touched: Vec::new(),
            fresh: Batch::default(),
            grouped: Batch::default(),
            echo: Echo::default(),
            detours: Recent::new(config.link.pace),
            passed: Recent::new(config.link.pace),
            told: Told::new(config.link.pace),
            config,
        }
    }

    fn received(&mut self, now: Time, from: PeerId, frame: &Frame, out: &mut Outbox<Self>) {
        self.metrics.frames_received += 1;
        self.metrics.bytes_received += frame.wire_len() as u64;
        self.touch(from);
        let Some(Ok((items, loads))) = self.links.get_mut(&from).map(|link| link.receive(frame)) else {
            self.metrics.frames_refused += 1;
            return;
        };
        self.membership.heard(now, from);
        self.sync.given(now, from, frame.wire_len());
        for (item, load) in items.into_iter().zip(loads) {
            let known = self.metrics.entries_needed;
            self.on_item(now, from, item, out);
            self.metrics.took(load, known);
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
        if self.learn(now, from, batch, out) && (!self.surge.explains(now) || self.routing.is_filling(now)) {
            if self.surge.is_on(now) {
                self.sync.mistrust();
            }
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
                self.drop_link(peer);
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
