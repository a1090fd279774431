//! One link of a node: tables of short references, what waits, and how much is under way.

use crate::backlog::Noted;
use crate::frame::Frame;
use crate::lane::{Lane, Taken, Urgency, Weight};
use crate::metrics::Metrics;
use crate::sync::Capacity;
use crate::window::Window;
use crate::wire::intern::Tables;
use crate::wire::{self, Builder, CHUNK, Item, Load, Parsed};
use lasp_crdt::DecodeError;
use lasp_overlay::Time;
use std::time::Duration;

/// How a node paces what it sends.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkConfig {
    /// Most bytes handed to the transport and not yet taken by it; what comes then waits and merges. What there is much of fills
    /// half of it, control messages may go a quarter beyond; on a slow link all of it is as much as that takes in 250 ms. Default
    /// 64 KiB (guess: 50 ms at ten megabits a second).
    pub window: usize,
    /// Least time between two frames that carry broadcasts; what comes between merges. An idle link sends at once, and
    /// broadcasts with ids wait no longer than 1 ms whatever the pace: their announcements would overtake them. Default
    /// 1 ms (guess: below what a person or a wide-area link notices).
    pub pace: Duration,
    /// How long an acknowledgement of definitions waits for a frame to ride on. Default 20 ms (guess).
    pub ack_delay: Duration,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self { window: 64 * 1024, pace: Duration::from_millis(1), ack_delay: Duration::from_millis(20) }
    }
}

/// The longest wait of broadcasts with ids.
const SOON: Duration = Duration::from_millis(1);

/// What is under way on a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkLoad {
    /// Messages that wait.
    pub waiting: usize,
    /// Bytes handed to the transport and not yet taken by it.
    pub in_flight: usize,
}

/// What a link wants to be reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reminder {
    /// Flush after this time.
    Flush(Duration),
    /// Acknowledge after this time, if no frame did.
    Acknowledge(Duration),
}

/// Where the acknowledgement of definitions stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ack {
    /// None is waited for.
    Idle,
    /// A reminder is set: a frame may yet carry it.
    Waiting,
    /// The reminder came: send it now, on its own if need be.
    Due,
}

/// One link.
#[derive(Debug)]
pub(crate) struct Link {
    tables: Tables,
    lane: Lane,
    window: Window,
    /// When the last frame went.
    sent_at: Option<Time>,
    /// The reminder that counts is set for then; others are stale.
    flush_at: Option<Time>,
    ack: Ack,
    /// The peer's references could not be resolved: say so in the next frame.
    lost: bool,
    noted: Noted,
}

impl Link {
    /// A link that has just come up.
    pub(crate) fn new() -> Self {
        Self {
            tables: Tables::new(),
            lane: Lane::default(),
            window: Window::new(),
            sent_at: None,
            flush_at: None,
            ack: Ack::Idle,
            lost: false,
            noted: Noted::default(),
        }
    }

    /// Whether nothing waits here.
    pub(crate) fn is_idle(&self) -> bool {
        self.lane.is_empty() && !self.tables.owes() && !self.lost
    }

    /// Whether intervals of causal groups wait.
    pub(crate) fn tells_groups(&self) -> bool {
        self.lane.has_intervals()
    }

    /// How many messages wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lane.len()
    }

    /// How many entries of deltas wait.
    pub(crate) fn entries(&self) -> usize {
        self.lane.entries()
    }

    /// The same in O(1); what is partly gone counts whole.
    pub(crate) fn held(&self) -> usize {
        self.lane.held()
    }

    /// What was noted of it last.
    pub(crate) const fn noted(&mut self) -> &mut Noted {
        &mut self.noted
    }

    /// Whether what waited has gone and there is room for more.
    pub(crate) fn takes_more(&self, config: &LinkConfig) -> bool {
        self.window.in_flight() < self.room(config) && !self.lane.has_bulk()
    }

    /// How it takes what there is for it.
    pub(crate) fn capacity(&self, config: &LinkConfig) -> Capacity {
        let clogged = self.window.in_flight() >= self.window.size(config.window) / 2;
        Capacity { clogged, budget: self.budget(config) }
    }

    /// Up to how many bytes under way another frame may go.
    fn room(&self, config: &LinkConfig) -> usize {
        let window = self.window.size(config.window);
        match self.lane.weight() {
            Weight::Control => window + window / 4,
            Weight::Small => window,
            Weight::Bulk => window / 2,
        }
    }

    /// How many bytes a frame should have at most, and what it is given at a time.
    pub(crate) fn budget(&self, config: &LinkConfig) -> usize {
        self.window.size(config.window).min(CHUNK)
    }

    /// Bytes of the deltas that wait, and of what is under way.
    pub(crate) fn bytes(&self) -> usize {
        self.lane.bytes() + self.window.in_flight()
    }

    /// What is under way.
    pub(crate) fn load(&self) -> LinkLoad {
        LinkLoad { waiting: self.waiting(), in_flight: self.in_flight() }
    }

    /// Bytes that the transport has not taken yet.
    pub(crate) const fn in_flight(&self) -> usize {
        self.window.in_flight()
    }

    /// Takes an item to be sent.
    pub(crate) fn push(&mut self, item: Item) -> Taken {
        self.lane.push(item)
    }

    /// The transport took `bytes`.
    pub(crate) fn drained(&mut self, now: Time, bytes: usize, config: &LinkConfig) {
        self.window.drained(now, bytes, config.window);
    }

    /// A reminder came.
    pub(crate) fn reminded(&mut self, now: Time, flush: bool) {
        if flush {
            self.flush_at = self.flush_at.filter(|at| *at > now);
        } else {
            self.ack = if self.tables.owes() { Ack::Due } else { Ack::Idle };
        }
    }

    /// Reads a frame from the peer: what it says, and what of each item is deltas.
    ///
    /// # Errors
    /// [`DecodeError`]; if it was for the sake of references, both sides start their tables anew.
    pub(crate) fn receive(&mut self, frame: &Frame) -> Result<(Vec<Item>, Vec<Load>), DecodeError> {
        let Parsed { known, lost, items, loads } =
            wire::parse(frame.as_bytes(), &mut self.tables).inspect_err(|error| self.on_error(error))?;
        if lost {
            self.tables.forget_acknowledged();
        } else if let Some(known) = known {
            self.tables.acknowledge(known);
        }
        Ok((items, loads))
    }

    fn on_error(&mut self, error: &DecodeError) {
        let redefined = matches!(error, DecodeError::NotCanonical { what: wire::intern::REDEFINED, .. });
        if redefined || matches!(error, DecodeError::UnknownReference { .. }) {
            self.tables.forget_heard();
            self.lost = true;
        }
    }

    /// Sends what may be sent now, as frames; says what to be reminded of.
    pub(crate) fn flush(
        &mut self,
        now: Time,
        config: &LinkConfig,
        metrics: &mut Metrics,
        mut send: impl FnMut(Frame),
    ) -> [Option<Reminder>; 2] {
        metrics.queue_peak = metrics.queue_peak.max(self.lane.len() as u64);
        let mut flush = None;
        while !self.lane.is_empty() && self.window.in_flight() < self.room(config) {
            let ready = self.ready(config);
            if now < ready {
                flush = self.flush_at.is_none_or(|at| at > ready).then(|| Reminder::Flush(ready - now));
                self.flush_at = Some(self.flush_at.map_or(ready, |at| at.min(ready)));
                break;
            }
            send(self.frame(now, config, metrics));
        }
        if self.lost || self.ack == Ack::Due {
            send(self.frame(now, config, metrics));
        }
        let acknowledge = (self.tables.owes() && self.ack == Ack::Idle).then(|| {
            self.ack = Ack::Waiting;
            Reminder::Acknowledge(config.ack_delay)
        });
        [flush, acknowledge]
    }

    /// Until when what waits may wait for company.
    fn ready(&self, config: &LinkConfig) -> Time {
        let Some(sent) = self.sent_at else { return Time::ZERO };
        match self.lane.urgency() {
            Urgency::Now => Time::ZERO,
            Urgency::Soon => sent + config.pace.min(SOON),
            Urgency::Later => sent + config.pace,
        }
    }

    fn frame(&mut self, now: Time, config: &LinkConfig, metrics: &mut Metrics) -> Frame {
        if self.ack == Ack::Due {
            self.ack = Ack::Idle;
        }
        let budget = self.budget(config);
        let mut builder = Builder::new(&mut self.tables, std::mem::take(&mut self.lost));
        self.lane.fill(&mut builder, budget);
        let (frame, tally) = builder.finish();
        self.sent_at = Some(now);
        self.window.sent(now, frame.wire_len());
        metrics.frames_sent += 1;
        metrics.entries_sent += tally.entries;
        for (total, bytes) in metrics.bytes_sent.iter_mut().zip(tally.by_class) {
            *total += bytes;
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;
    use crate::payload::Batch;
    use crate::sync::Message;
    use crate::wire::Control;
    use lasp_crdt::{AwSet, GCounter, Lattice as _, ReplicaId};
    use lasp_dataflow::{Name, State, Type, Value};

    fn key(name: &str, ty: Type) -> Key {
        Key::new(Name::new(name.to_owned()).unwrap(), ty)
    }

    /// Eight megabytes that anti-entropy found missing.
    fn much() -> Item {
        let mut set = AwSet::new();
        for n in 0..8_000 {
            set.merge(set.add(ReplicaId(1), Value::from(format!("{n:0>1000}"))));
        }
        Item::Data(Batch::single(key("much", Type::AwSet), State::from(set)))
    }

    fn small() -> Batch {
        let count = State::GCounter(GCounter::default().increment(ReplicaId(1), 1));
        Batch::single(key("small", Type::GCounter), count)
    }

    fn probe() -> Item {
        Item::Control(Control::Sync(Message::Digest { root: 7, mine: 0, yours: 0 }))
    }

    fn flush(link: &mut Link) -> Vec<Frame> {
        let mut frames = Vec::new();
        link.flush(Time::ZERO, &LinkConfig::default(), &mut Metrics::default(), |frame| frames.push(frame));
        frames
    }

    /// What kinds of items there are in frames, in order.
    fn kinds(receiver: &mut Link, frames: &[Frame]) -> Vec<&'static str> {
        let items = frames.iter().flat_map(|frame| receiver.receive(frame).unwrap().0);
        let kind = |item| match item {
            Item::Control(_) => "control",
            Item::Relay(_) => "small",
            _ => "bulk",
        };
        items.map(kind).collect()
    }

    #[test]
    fn a_probe_goes_at_once_and_a_small_delta_next_whatever_else_is_to_be_sent() {
        let (mut link, mut receiver) = (Link::new(), Link::new());
        let window = LinkConfig::default().window;
        // A link that has shown that it is fast.
        for _ in 0..8 {
            link.window.sent(Time::ZERO, 1000);
            link.drained(Time::ZERO, 1000, &LinkConfig::default());
        }
        link.push(much());
        let first = flush(&mut link);
        assert!(kinds(&mut receiver, &first).iter().all(|kind| *kind == "bulk"));
        assert!((window / 2..window).contains(&link.window.in_flight()), "{} bytes", link.window.in_flight());
        // There is room for a probe and a small delta, though not for more of the bulk.
        link.push(Item::Relay(small()));
        link.push(probe());
        let next = flush(&mut link);
        assert_eq!(kinds(&mut receiver, &next[..1])[..2], ["control", "small"]);
        assert_eq!(next.len(), 1);
        // What was taken makes room for the bulk, behind what came meanwhile.
        link.drained(Time::ZERO, first.iter().map(Frame::wire_len).sum(), &LinkConfig::default());
        link.push(probe());
        let then = flush(&mut link);
        let order = kinds(&mut receiver, &then);
        assert_eq!(order[0], "control");
        assert!(order.len() > 1 && order[1..].iter().all(|kind| *kind == "bulk"), "{order:?}");
    }

    #[test]
    fn all_of_the_bulk_arrives_and_never_more_than_the_window_is_under_way() {
        let (mut link, mut receiver) = (Link::new(), Link::new());
        let Item::Data(whole) = much() else { panic!() };
        link.push(Item::Data(whole.clone()));
        let mut arrived = Batch::default();
        loop {
            let frames = flush(&mut link);
            assert!(link.window.in_flight() < LinkConfig::default().window, "{} bytes", link.window.in_flight());
            if frames.is_empty() {
                break;
            }
            for item in frames.iter().flat_map(|frame| receiver.receive(frame).unwrap().0) {
                let Item::Data(batch) = item else { panic!("{item:?}") };
                batch.iter().for_each(|(key, delta)| _ = arrived.absorb(key, delta));
            }
            let sent = frames.iter().map(Frame::wire_len).sum();
            link.drained(Time::ZERO, sent, &LinkConfig::default());
        }
        assert_eq!(arrived, whole);
        assert!(link.lane.is_empty());
    }
}
