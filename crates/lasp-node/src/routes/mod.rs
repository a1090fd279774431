//! Which payloads a link carries: those that somebody at or beyond its other end wants.
//!
//! Every node tells each neighbour in the broadcast tree a *summary* of what is wanted at itself and beyond, that is what it wants
//! and what its other neighbours in the tree told it (routing by content: Carzaniga, Rosenblum, Wolf, "Design and Evaluation of
//! a Wide-Area Event Notification Service", ACM TOCS 2001). Neighbours outside the tree are told what the node itself wants.
//! On a tree no summary depends on itself, so they are exact some rounds after the last change; while the tree changes they
//! may be too wide, which costs bytes, or too narrow, which comparisons make good:
//!
//! What is wanted on both sides of a link is *kept* at both ends, whether they want it themselves or not, and compared like
//! everything else. So the nodes that keep a variable are connected over the tree, those who want it among them: what one of
//! them holds reaches all others hop by hop, and who becomes interested is told the past by its neighbour.
//!
//! A link that has just come up closes a cycle as often as not. Until the tree had time to be shaped, only what its ends want
//! themselves is told over it, and that everything may be wanted beyond; so of every link that is not of the tree. Who has a
//! new link has the tree shaped soon, and now and then, if nobody else does: so a tree that is torn is mended where nothing
//! is written that would show it.
//!
//! A cluster in which everybody hears everything says nothing of interests and sets no timers.

mod prefixes;
mod summary;
#[cfg(test)]
mod tests;

pub(crate) use summary::{Common, Message, Summary};

use crate::interest::Interests;
use lasp_crdt::Dot;
use lasp_overlay::{PeerId, Rng, Time};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long changes are collected before they are told. A guess: they cross a large cluster in a second.
const PACE: Duration = Duration::from_millis(20);

/// How long what is wanted no longer is told as wanted. A guess: a tree that is being mended has settled by then.
const HOLD: Duration = Duration::from_secs(1);

/// How long a new neighbour has to say what it wants, before it is taken to hear everything. A guess.
const GRACE: Duration = Duration::from_secs(1);

/// How long everything is pushed over a link beyond which something is said for the first time. A guess: what is wanted far away
/// is known by then.
const CLOSE: Duration = Duration::from_millis(400);

/// How long no summaries go over a new link. A guess: the tree is shaped within that.
const SETTLE: Duration = Duration::from_secs(3);

/// After how long a new link has the tree shaped, if nothing did, jittered. A guess.
const SHAPE: Duration = Duration::from_millis(700);

/// How often a node looks whether the tree was shaped since the last time, and has it done if not, jittered by a third.
/// Default 15 s (guess: the interval of comparisons, and a half).
const PULSE: Duration = Duration::from_secs(15);

/// A link, as this end sees it.
#[derive(Debug)]
struct Route {
    since: Time,
    eager: bool,
    /// What was said at the other end; `None` as long as nothing was.
    heard: Option<Arc<Summary>>,
    told: Arc<Summary>,
    told_at: Time,
    /// Whether anything was said at this end.
    said: bool,
    /// When what is told beyond what is wanted is taken back.
    narrows_at: Option<Time>,
    /// When it is taken back that anything may be wanted beyond.
    closes_at: Option<Time>,
}

impl Route {
    fn new(now: Time) -> Self {
        let told = Arc::default();
        Self {
            since: now,
            eager: true,
            heard: None,
            told,
            told_at: now,
            said: false,
            narrows_at: None,
            closes_at: None,
        }
    }

    fn common(&self) -> Common {
        Common::new(Arc::clone(&self.told), self.heard.clone().unwrap_or_default())
    }

    /// Whether it is a link of the tree for long enough.
    fn is_settled(&self, now: Time) -> bool {
        self.eager && now >= self.since + SETTLE
    }

    /// Whether it is a link of the tree over whose other end nothing was said so long that everything is wanted there.
    fn is_taken_for_all(&self, now: Time) -> bool {
        self.heard.is_none() && now >= self.since + GRACE
    }
}

/// What follows from an input.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What to say.
    pub(crate) says: Vec<(PeerId, Message)>,
    /// Links whose ends have something else in common than before.
    pub(crate) changed: Vec<PeerId>,
    /// A neighbour changed what this node had not heard: a comparison will show it.
    pub(crate) unclear: Option<PeerId>,
    /// When to be reminded.
    pub(crate) wake: Option<Duration>,
    /// The tree is to be shaped.
    pub(crate) pulse: bool,
}

/// The links of a node, and what is wanted beyond them.
#[derive(Debug)]
pub(crate) struct Routes {
    own: Summary,
    /// Whether there is a tree along which summaries are passed on.
    along_tree: bool,
    links: BTreeMap<PeerId, Route>,
    /// The timer that counts is set for then.
    wake: Option<Time>,
    /// The summaries are to be looked at then.
    work_at: Option<Time>,
    /// The last message that shaped the tree, when it came, and when to look whether another did.
    shaped: Option<Dot>,
    shaped_at: Time,
    /// When a link of the tree was lost here.
    torn_at: Time,
    pulse_at: Option<Time>,
}

impl Routes {
    /// No links yet.
    pub(crate) fn new(own: &Interests, along_tree: bool) -> Self {
        Self {
            own: Summary::of(own),
            along_tree,
            links: BTreeMap::new(),
            wake: None,
            work_at: None,
            shaped: None,
            shaped_at: Time::ZERO,
            torn_at: Time::ZERO,
            pulse_at: None,
        }
    }

    /// Whether anybody here hears less than everything: if not, nothing is to be said or done.
    pub(crate) fn is_active(&self) -> bool {
        let said = |route: &Route| route.said || route.heard.as_ref().is_some_and(|heard| !heard.is_plain());
        !self.own.is_plain() || self.links.values().any(said)
    }

    /// What the ends of a link have in common.
    pub(crate) fn common(&self, peer: PeerId) -> Common {
        self.links.get(&peer).map_or_else(Common::default, Route::common)
    }

    /// The same of every link, if this node hears less than everything.
    pub(crate) fn kept(&self) -> Vec<Common> {
        if self.own.is_of_all() { Vec::new() } else { self.links.values().map(Route::common).collect() }
    }

    /// Whether a payload of this name is to be pushed to a neighbour: somebody at or beyond it wants it, or may.
    pub(crate) fn carries(&self, to: PeerId, name: &str) -> bool {
        let heard = self.links.get(&to).and_then(|route| route.heard.as_ref());
        !self.along_tree || heard.is_none_or(|heard| heard.may_want(name))
    }

    /// The neighbours at or beyond which a variable is known to be wanted, those in the tree first.
    pub(crate) fn ways(&self, name: &str) -> Vec<PeerId> {
        let unsaid = !self.own.is_of_all();
        let wants = |route: &Route| route.heard.as_deref().map_or(unsaid, |heard| heard.wants(name));
        let of = |eager: bool| self.links.iter().filter(move |(_, route)| route.eager == eager && wants(route));
        of(true).chain(of(false)).map(|(peer, _)| *peer).collect()
    }

    /// A neighbour is there, and hears at once what this node wants.
    pub(crate) fn link_up(&mut self, now: Time, peer: PeerId, rng: &mut Rng, out: &mut Outcome) {
        self.links.insert(peer, Route::new(now));
        if !self.own.is_plain() {
            let own = self.own.opened();
            self.tell(now, peer, own, out);
        }
        self.pulse_at = None;
        self.hurry(now, rng, out);
    }

    /// A neighbour is gone.
    pub(crate) fn link_down(&mut self, now: Time, peer: PeerId, rng: &mut Rng, out: &mut Outcome) {
        if self.links.remove(&peer).is_some_and(|route| route.eager) {
            // The tree may be torn here.
            (self.torn_at, self.pulse_at) = (now, None);
        }
        self.hurry(now, rng, out);
    }

    /// This node wants something else.
    pub(crate) fn own_changed(&mut self, now: Time, own: &Interests, rng: &mut Rng, out: &mut Outcome) {
        self.own = Summary::of(own);
        // What its owner does not want any more, a node takes back at once.
        self.links.values_mut().for_each(|route| route.narrows_at = Some(now));
        self.work(now, out);
        self.remind(now, rng, out);
    }

    /// These are the neighbours in the tree, ascending, and the last message that shaped it.
    pub(crate) fn tree(
        &mut self,
        now: Time,
        eager: impl Iterator<Item = PeerId>,
        shaped: Option<Dot>,
        rng: &mut Rng,
        out: &mut Outcome,
    ) {
        if self.shaped != shaped {
            (self.shaped, self.shaped_at) = (shaped, now);
        }
        let mut eager = eager.peekable();
        let mut changed = false;
        for (peer, route) in &mut self.links {
            while eager.next_if(|other| other < peer).is_some() {}
            let is_eager = eager.next_if(|other| other == peer).is_some();
            changed |= std::mem::replace(&mut route.eager, is_eager) != is_eager;
        }
        if changed {
            self.hurry(now, rng, out);
        }
    }

    /// A neighbour says what is wanted there.
    pub(crate) fn heard(&mut self, now: Time, from: PeerId, message: Message, rng: &mut Rng, out: &mut Outcome) {
        let Some(route) = self.links.get_mut(&from) else { return };
        let summary = match message {
            Message::Whole(summary) => Some(summary),
            Message::Change(change) => route.heard.as_ref().and_then(|heard| heard.changed(&change)),
        };
        let Some(summary) = summary else {
            out.unclear = Some(from);
            return;
        };
        let first = route.heard.is_none();
        if route.heard.as_deref().is_none_or(|heard| *heard != summary) {
            route.heard = Some(Arc::new(summary));
            out.changed.push(from);
        }
        if first && !route.said {
            // Whoever hears less than everything is told in words what is otherwise taken for granted.
            let own = self.own.opened();
            self.tell(now, from, own, out);
        }
        self.hurry(now, rng, out);
    }

    /// A comparison showed that the other end has not heard what was told; what was just told is under way.
    pub(crate) fn repeat(&mut self, now: Time, peer: PeerId, out: &mut Outcome) {
        let Some(route) = self.links.get_mut(&peer).filter(|route| now >= route.told_at + HOLD) else { return };
        (route.told_at, route.said) = (now, true);
        out.says.push((peer, Message::Whole((*route.told).clone())));
    }

    /// A timer ran out.
    pub(crate) fn expired(&mut self, now: Time, rng: &mut Rng, out: &mut Outcome) {
        self.wake = self.wake.filter(|at| *at > now);
        if !self.is_active() {
            (self.work_at, self.pulse_at) = (None, None);
            return;
        }
        if self.work_at.is_some_and(|at| at <= now) {
            self.work(now, out);
        }
        if self.pulse_at.is_some_and(|at| at <= now) {
            self.pulse(now, rng, out);
        }
        self.remind(now, rng, out);
    }

    /// Has the tree shaped if nothing did since a link came up or went, or for long.
    fn pulse(&mut self, now: Time, rng: &mut Rng, out: &mut Outcome) {
        let newest = self.links.values().map(|route| route.since).max().unwrap_or(Time::ZERO);
        let changed = newest.max(self.torn_at);
        let is_new = (self.shaped.is_none() || changed > self.shaped_at) && now < changed + SETTLE;
        out.pulse = self.along_tree && !self.links.is_empty() && (is_new || now >= self.shaped_at + PULSE);
        // Of a new link the tree is looked after until it was shaped.
        self.pulse_at = Some(now + if is_new { SHAPE } else { rng.jitter(PULSE, 0.3) });
    }

    /// Tells each neighbour what has changed of what is wanted here and beyond.
    fn work(&mut self, now: Time, out: &mut Outcome) {
        self.work_at = None;
        let due = self.links.values().flat_map(|route| [route.since + GRACE, route.since + SETTLE]);
        if let Some(at) = due.filter(|at| *at > now).min() {
            self.work_by(at);
        }
        let targets: Vec<(PeerId, Summary)> = self.links.keys().map(|&peer| (peer, self.target(now, peer))).collect();
        for (peer, target) in targets {
            self.approach(now, peer, target, out);
        }
    }

    /// Tells a neighbour what is wanted, the more of it at once and the less of it later.
    fn approach(&mut self, now: Time, peer: PeerId, target: Summary, out: &mut Outcome) {
        let Some(route) = self.links.get_mut(&peer) else { return };
        let closes = route.told.is_open() && !target.is_open();
        let closes_at = closes.then(|| *route.closes_at.get_or_insert(now + CLOSE));
        let is_closed = closes_at.is_none_or(|at| at <= now);
        let narrows = !target.includes(&route.told.closed());
        let narrows_at = narrows.then(|| *route.narrows_at.get_or_insert(now + HOLD));
        let held = route.said && narrows_at.is_some_and(|at| at > now);
        let mut next = if held { route.told.union(&target) } else { target.clone() };
        if closes {
            next = if is_closed { next.closed() } else { next.opened() };
        }
        route.narrows_at = route.narrows_at.filter(|_| narrows && next != target);
        route.closes_at = route.closes_at.filter(|_| closes && next != target);
        if *route.told != next {
            self.tell(now, peer, next, out);
        }
        let Some(route) = self.links.get_mut(&peer) else { return };
        if *route.told != target {
            let due = [route.narrows_at, route.closes_at].into_iter().flatten().filter(|at| *at > now).min();
            self.work_by(due.unwrap_or(now + HOLD));
        }
    }

    /// What is to be told a neighbour: what is wanted here and, if its link is one of the tree, beyond the others.
    fn target(&self, now: Time, peer: PeerId) -> Summary {
        let own = if self.is_lonely() { self.own.lonely() } else { self.own.clone() };
        if !self.along_tree || !self.links.get(&peer).is_some_and(|route| route.is_settled(now)) {
            return own.opened();
        }
        let others = self.links.iter().filter(|(other, route)| **other != peer && route.eager);
        let others = others.map(|(_, route)| route);
        let everything = others.clone().any(|route| route.is_taken_for_all(now));
        own.with(others.filter_map(|route| route.heard.as_deref()), everything)
    }

    /// Whether this node hears everything and has only neighbours that do not.
    fn is_lonely(&self) -> bool {
        let less = |route: &Route| route.heard.as_ref().is_some_and(|heard| !heard.is_of_all());
        self.own.is_of_all() && !self.links.is_empty() && self.links.values().all(less)
    }

    fn tell(&mut self, now: Time, peer: PeerId, summary: Summary, out: &mut Outcome) {
        let Some(route) = self.links.get_mut(&peer) else { return };
        let change = route.told.change_to(&summary).filter(|_| route.said).map(Message::Change);
        let message = change.unwrap_or_else(|| Message::Whole(summary.clone()));
        out.says.push((peer, message));
        if *route.told != summary && !out.changed.contains(&peer) {
            out.changed.push(peer);
        }
        (route.told, route.told_at, route.said) = (Arc::new(summary), now, true);
    }

    /// Has the summaries looked at soon.
    fn hurry(&mut self, now: Time, rng: &mut Rng, out: &mut Outcome) {
        self.work_by(now + PACE);
        self.remind(now, rng, out);
    }

    fn work_by(&mut self, at: Time) {
        self.work_at = Some(self.work_at.map_or(at, |due| due.min(at)));
    }

    /// Sets the timer for what is due next, where anybody hears less than everything.
    fn remind(&mut self, now: Time, rng: &mut Rng, out: &mut Outcome) {
        if !self.is_active() {
            return;
        }
        let pulse_at = *self.pulse_at.get_or_insert_with(|| now + rng.jitter(SHAPE, 0.3));
        let due = self.work_at.map_or(pulse_at, |at| at.min(pulse_at));
        if self.wake.is_none_or(|at| due < at) {
            self.wake = Some(due);
            out.wake = Some(due - now);
        }
    }
}
