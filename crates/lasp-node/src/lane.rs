//! What waits for one link: a lattice, not a queue.
//!
//! Deltas of one variable that wait merge into one; several broadcasts that wait become one with all their ids.
//! So a slow peer costs at most the size of the state, whatever the history. Broadcasts that have merged beyond what
//! one frame should hold are relayed in pieces, their ids after them. Control messages wait in order, boundedly; the
//! oldest are dropped at the limit, which their protocols' retries and anti-entropy cover. So do letters, of which the
//! newest are dropped: their senders hear of no acknowledgement. Deltas entrusted to this neighbour alone wait with them.

use crate::assured;
use crate::bulk::Bulk;
use crate::causal;
use crate::payload::{Batch, Payload};
use crate::wire::{Builder, Control, Item, entry_len};
use lasp_dataflow::State;
use lasp_overlay::broadcast::Ids;
use lasp_overlay::unicast;
use std::collections::VecDeque;
use std::sync::Arc;

/// Most control messages that wait for one link. A guess: far above what a healthy link ever holds.
const MAX_CONTROL: usize = 1024;

/// Most letters that wait for one link: a megabyte, of the largest. A guess.
const MAX_LETTERS: usize = 64;

/// Most broadcasts that wait on their own because they shape the tree; further ones merge. A guess: one a second comes.
const MAX_SHAPING: usize = 8;

/// Broadcasts that wait, merged.
#[derive(Debug)]
struct Gossip {
    ids: Ids,
    round: u16,
    payload: Arc<Batch>,
}

/// Broadcasts that are too large for one frame: their deltas go first, their ids when all deltas have gone, so that
/// nobody counts as seen what has not come.
#[derive(Debug)]
struct Relay {
    ids: Option<(Ids, u16)>,
    deltas: Bulk,
}

/// What the most urgent of what waits is: it goes first, and the less urgent it is, the less of the link's window it may fill.
/// So what comes next waits for little, however much there is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Control messages, which are never held back by others.
    Control,
    /// Letters, broadcasts, and questions where there is no bulk.
    Small,
    /// Nothing but what anti-entropy found missing, and relays of much.
    Bulk,
}

/// How long what waits may wait for company; what it then goes with goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Not at all: control, what anti-entropy found missing, broadcasts that shape the tree, a crowd.
    Now,
    /// Broadcasts with ids: not longer than their announcements on other links do, or they are taken for lost.
    Soon,
    /// Broadcasts without ids, as long as the link's pace says; or nothing.
    Later,
}

/// What happened to an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Deltas merged with ones that waited.
    pub(crate) coalesced: u64,
    /// Messages dropped at the limit.
    pub(crate) dropped: u64,
}

/// What waits for one link.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    control: VecDeque<Control>,
    letters: VecDeque<Control>,
    /// Broadcasts that shape the tree: each as it came, before everything that merges.
    shaping: VecDeque<Gossip>,
    gossip: Option<Gossip>,
    relay: Option<Relay>,
    /// Groups of deltas, each to be acknowledged; no more than one exchange makes.
    groups: VecDeque<(u64, Batch)>,
    /// Intervals of causal groups; no more than one of each group.
    intervals: VecDeque<causal::Interval>,
    /// What anti-entropy found missing.
    bulk: Bulk,
    /// What anti-entropy asks beyond whether anything differs. Bulk goes first: it may be the answer.
    questions: VecDeque<Control>,
    /// How many entries the broadcasts, groups and intervals have that wait.
    held: usize,
}

impl Lane {
    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.gossip.is_none() && self.relay.is_none() && self.urgency() != Urgency::Now
    }

    /// Whether something waits that anti-entropy found missing.
    pub(crate) fn has_bulk(&self) -> bool {
        !self.bulk.is_empty()
    }

    /// How what waits shares the link's window.
    pub(crate) fn weight(&self) -> Weight {
        let told = self.relay.as_ref().is_some_and(|relay| !relay.deltas.is_large());
        let small = !self.letters.is_empty() || !self.shaping.is_empty() || self.gossip.is_some() || told;
        if !self.control.is_empty() {
            Weight::Control
        } else if small || !self.groups.is_empty() || self.bulk.is_empty() && self.relay.is_none() {
            Weight::Small
        } else {
            Weight::Bulk
        }
    }

    /// Whether intervals wait.
    pub(crate) fn has_intervals(&self) -> bool {
        !self.intervals.is_empty()
    }

    /// How long what waits may wait for company.
    pub(crate) fn urgency(&self) -> Urgency {
        let crowd = self.relay.as_ref().is_some_and(|relay| relay.deltas.is_crowd());
        let deltas = !self.intervals.is_empty() || !self.groups.is_empty() || !self.bulk.is_empty();
        let others = crowd || deltas || !self.shaping.is_empty();
        if others || !self.control.is_empty() || !self.questions.is_empty() || !self.letters.is_empty() {
            Urgency::Now
        } else if self.gossip.is_some() {
            Urgency::Soon
        } else {
            Urgency::Later
        }
    }

    /// How many messages wait; a merged broadcast counts by its variables.
    pub(crate) fn len(&self) -> usize {
        let gossip = self.gossip.as_ref().map_or(0, |gossip| gossip.payload.len().max(1));
        let relay = self.relay.as_ref().map_or(0, |relay| relay.deltas.len().max(1));
        let groups = self.groups.iter().map(|(_, batch)| batch.len().max(1)).sum::<usize>();
        let groups = groups + self.intervals.len();
        self.control.len()
            + self.questions.len()
            + self.letters.len()
            + self.shaping.len()
            + gossip
            + relay
            + groups
            + self.bulk.len()
    }

    /// How many entries of deltas wait; of what is partly gone, all that it had. O(1).
    pub(crate) fn held(&self) -> usize {
        self.held + self.bulk.held() + self.relay.as_ref().map_or(0, |relay| relay.deltas.held())
    }

    /// How many entries of deltas wait. Cost: the number of deltas.
    pub(crate) fn entries(&self) -> usize {
        let of = |deltas: &Bulk| deltas.all().map(|(_, delta)| delta.entries()).sum::<usize>();
        let gossip: usize = self.shaping.iter().chain(&self.gossip).map(|gossip| gossip.payload.entries()).sum();
        let intervals = self.intervals.iter().map(|interval| interval.batch.entries()).sum::<usize>();
        let groups = intervals + self.groups.iter().map(|(_, batch)| batch.entries()).sum::<usize>();
        gossip + groups + of(&self.bulk) + self.relay.as_ref().map_or(0, |relay| of(&relay.deltas))
    }

    /// How many bytes the deltas take that wait, written in full. Cost: that of writing them.
    pub(crate) fn bytes(&self) -> usize {
        let of = |deltas: &Bulk| deltas.all().map(|(key, delta)| entry_len(key, delta)).sum::<usize>();
        let batch = |batch: &Batch| batch.iter().map(|(key, delta)| entry_len(key, delta)).sum::<usize>();
        let gossip: usize = self.shaping.iter().chain(&self.gossip).map(|gossip| batch(&gossip.payload)).sum();
        let intervals = self.intervals.iter().map(|interval| batch(&interval.batch)).sum::<usize>();
        let groups = intervals + self.groups.iter().map(|(_, deltas)| batch(deltas)).sum::<usize>();
        gossip + groups + of(&self.bulk) + self.relay.as_ref().map_or(0, |relay| of(&relay.deltas))
    }

    /// Takes an item in.
    pub(crate) fn push(&mut self, item: Item) -> Taken {
        match item {
            Item::Gossip { ids, round, payload } => self.push_gossip(ids, round, payload),
            Item::Relay(batch) => self.relay(None).deltas.absorb_all(batch),
            Item::Group { number, batch } => {
                self.held += batch.entries();
                self.groups.push_back((number, batch));
                Taken::default()
            }
            Item::Data(batch) => self.bulk.absorb_all(batch),
            Item::Control(control) => self.push_control(control),
        }
    }

    fn push_control(&mut self, item: Control) -> Taken {
        let item = match item {
            Control::Causal(causal::Message::Interval(interval)) => return self.push_interval(interval),
            other => other,
        };
        if matches!(
            item,
            Control::Unicast(unicast::Message::Carry { .. }) | Control::Assured(assured::Message::Entrust { .. })
        ) {
            return self.push_letter(item);
        }
        let asks = matches!(&item, Control::Sync(message) if message.is_question());
        let queue = if asks { &mut self.questions } else { &mut self.control };
        let full = queue.len() == MAX_CONTROL;
        if full {
            queue.pop_front();
        }
        queue.push_back(item);
        Taken { coalesced: 0, dropped: u64::from(full) }
    }

    /// An interval takes the place of an older one that says less.
    fn push_interval(&mut self, interval: causal::Interval) -> Taken {
        let before = self.intervals.len();
        let (intervals, held) = (&mut self.intervals, &mut self.held);
        intervals.retain(|old| {
            let stays = old.group != interval.group || old.number >= interval.number;
            *held = held.saturating_sub(if stays { 0 } else { old.batch.entries() });
            stays
        });
        self.held += interval.batch.entries();
        let coalesced = (before - self.intervals.len()) as u64;
        self.intervals.push_back(interval);
        Taken { coalesced, dropped: 0 }
    }

    fn push_letter(&mut self, letter: Control) -> Taken {
        let full = self.letters.len() == MAX_LETTERS;
        if !full {
            self.letters.push_back(letter);
        }
        Taken { coalesced: 0, dropped: u64::from(full) }
    }

    fn push_gossip(&mut self, ids: Ids, round: u16, payload: Payload) -> Taken {
        if ids.shapes().is_some() && self.shaping.len() < MAX_SHAPING {
            self.held += payload.batch().entries();
            self.shaping.push_back(Gossip { ids, round, payload: payload.batch() });
            return Taken::default();
        }
        let Some(waiting) = &mut self.gossip else {
            self.held += payload.batch().entries();
            self.gossip = Some(Gossip { ids, round, payload: payload.batch() });
            return Taken::default();
        };
        waiting.ids.merge(&ids);
        waiting.round = waiting.round.max(round);
        let batch = Arc::make_mut(&mut waiting.payload);
        let mut coalesced = 0;
        for (key, delta) in payload.batch().iter() {
            let before = batch.get(key).map_or(0, State::entries);
            coalesced += u64::from(batch.absorb(key, delta));
            self.held = (self.held + batch.get(key).map_or(0, State::entries)).saturating_sub(before);
        }
        Taken { coalesced, dropped: 0 }
    }

    /// Fills a frame with what waits, the most urgent first, up to about `budget` bytes.
    pub(crate) fn fill(&mut self, frame: &mut Builder<'_>, budget: usize) {
        while frame.len() < budget
            && let Some(item) = self.control.pop_front().or_else(|| self.letters.pop_front())
        {
            frame.control(&item);
        }
        while frame.len() < budget
            && let Some(gossip) = self.shaping.pop_front()
        {
            self.put_gossip(gossip, frame, budget);
        }
        if frame.len() < budget
            && let Some(gossip) = self.gossip.take()
        {
            self.put_gossip(gossip, frame, budget);
        }
        self.fill_relay(frame, budget);
        while frame.len() < budget
            && let Some((number, batch)) = self.groups.pop_front()
        {
            self.held = self.held.saturating_sub(batch.entries());
            frame.group(number, &batch);
        }
        while frame.len() < budget
            && let Some(interval) = self.intervals.pop_front()
        {
            self.held = self.held.saturating_sub(interval.batch.entries());
            frame.control(&Control::Causal(causal::Message::Interval(interval)));
        }
        self.bulk.fill(frame, budget, |frame, key, delta| frame.data(key, delta));
        while frame.len() < budget
            && let Some(item) = self.questions.pop_front()
        {
            frame.control(&item);
        }
    }

    fn fill_relay(&mut self, frame: &mut Builder<'_>, budget: usize) {
        let Some(relay) = &mut self.relay else { return };
        relay.deltas.fill(frame, budget, |frame, key, delta| frame.relay(key, delta));
        if !relay.deltas.is_empty() {
            return;
        }
        if let Some((ids, round)) = relay.ids.take() {
            frame.gossip(ids, round, &Batch::default());
        }
        self.relay = None;
    }

    /// What is relayed, with these ids added.
    fn relay(&mut self, more: Option<(Ids, u16)>) -> &mut Relay {
        let relay = self.relay.get_or_insert_with(|| Relay { ids: None, deltas: Bulk::default() });
        match (&mut relay.ids, more) {
            (Some((ids, round)), Some((more, further))) => {
                ids.merge(&more);
                *round = (*round).max(further);
            }
            (ids, more) => *ids = ids.take().or(more),
        }
        relay
    }

    /// A broadcast that fits goes as one; otherwise it is relayed.
    fn put_gossip(&mut self, gossip: Gossip, frame: &mut Builder<'_>, budget: usize) {
        let start = frame.mark();
        self.held = self.held.saturating_sub(gossip.payload.entries());
        frame.gossip(gossip.ids.clone(), gossip.round, &gossip.payload);
        if frame.grown_since(&start) <= budget {
            return;
        }
        frame.rewind(start);
        self.relay(Some((gossip.ids, gossip.round))).deltas.absorb_all(Arc::unwrap_or_clone(gossip.payload));
    }
}
