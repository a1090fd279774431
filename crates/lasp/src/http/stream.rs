//! Changes as server-sent events (WHATWG HTML §9.2).
//!
//! A viewer names topics, gets each as it is, and then what has changed. Nothing is made before the viewer has taken what was
//! made before: one that reads slowly gets fewer and newer things, one that never reads holds one event, and its connection
//! ends like every other that rests too long.

use super::input::Params;
use super::map::Snapshot;
use super::model::{OverlayNode, Problem, Wanted};
use super::{Shared, State, cluster, columns, flow, variables};
use crate::control::Seat;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{Stream, unfold};
use lasp_crdt::fingerprint::StableHasher;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::hash::Hasher as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Streams open at once. A guess: some people with some windows.
const MAX_VIEWERS: usize = 16;

/// Time between two looks for what has changed. A guess: less than a person notices.
const TICK: Duration = Duration::from_millis(250);

/// Time between two looks at what is costly to look at.
const SLOW: Duration = Duration::from_secs(1);

/// How many times as long as a look at tables of variables took it is until the next, so that a viewer of ever so many costs at most a
/// fiftieth of a processor for that; and the longest pause. A guess.
const RESTS: u32 = 50;
const SLOWEST: Duration = Duration::from_secs(30);

/// Nodes in one event.
const CHUNK: usize = 500;

/// How often a stream says that it is alive.
const ALIVE: Duration = Duration::from_secs(15);

/// What a viewer wants to hear.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Topics {
    /// Of `status`, `statistics`, `events`, `overlay`, `variables`, `dataflow`, separated by commas; default `status,events`.
    #[param(required = false)]
    topics: Option<String>,
    /// Of events: only those with a greater number.
    #[param(required = false)]
    since: Option<u64>,
    /// Of the overlay: whether passive views, too.
    #[param(required = false)]
    wide: Option<bool>,
    /// Of variables: what names contain.
    #[param(required = false)]
    q: Option<String>,
    /// Of variables: where to begin.
    #[param(required = false)]
    from: Option<u64>,
    /// Of variables: how many.
    #[param(required = false, minimum = 1, maximum = 1000)]
    limit: Option<u64>,
}

const TOPICS: [&str; 6] = ["status", "statistics", "events", "overlay", "variables", "dataflow"];

/// What has changed in the overlay.
#[derive(Debug, Serialize)]
struct OverlayChange<'a> {
    me: &'a str,
    at_ms: u64,
    took_ms: u64,
    total: usize,
    /// Whether what was told before is to be forgotten.
    reset: bool,
    nodes: Vec<&'a OverlayNode>,
    removed: &'a [String],
}

/// One viewer.
struct Viewer {
    shared: Arc<Shared>,
    me: String,
    topics: Topics,
    wanted: Wanted,
    next_tick: Instant,
    next_slow: Instant,
    next_tables: Instant,
    ready: VecDeque<Event>,
    told: Option<Arc<Snapshot>>,
    /// What of the overlay is still to be told.
    nodes: Vec<Arc<OverlayNode>>,
    removed: Vec<String>,
    reset: bool,
    last_event: u64,
    last_row: u64,
    /// Hashes of the last variables and dataflow.
    hashes: [u64; 2],
    _seat: Seat,
}

/// Changes, as they come.
#[utoipa::path(get, path = "/api/v1/stream", params(Topics),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 400, body = Problem),
        (status = 503, body = Problem)))]
pub(super) async fn stream(
    state: State,
    Params(topics): Params<Topics>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let names = topics.topics.as_deref().unwrap_or("status,events");
    if let Some(odd) = names.split(',').find(|name| !TOPICS.contains(name)) {
        return Err(Problem::bad(format!("no topic {odd:?}; the topics are {}", TOPICS.join(", "))));
    }
    cluster::bounds(None, topics.limit, cluster::PART, 0)?;
    let seat = Seat::take(&state.viewers, MAX_VIEWERS)
        .ok_or_else(|| Problem::unavailable(format!("{MAX_VIEWERS} viewers are served already")))?;
    let me = state.lasp.me().await?.id.to_string();
    let viewer = Viewer::new(state.0.clone(), me, topics, seat);
    let events = unfold(viewer, |mut viewer| async move {
        let event = viewer.next().await?;
        Some((Ok(event), viewer))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)))
}

impl Viewer {
    fn new(shared: Arc<Shared>, me: String, topics: Topics, seat: Seat) -> Self {
        let now = Instant::now();
        let wanted = Wanted { q: topics.q.clone(), from: topics.from, limit: topics.limit, ..Wanted::default() };
        Self {
            shared,
            me,
            wanted,
            next_tick: now,
            next_slow: now,
            next_tables: now,
            ready: VecDeque::new(),
            told: None,
            nodes: Vec::new(),
            removed: Vec::new(),
            reset: true,
            last_event: topics.since.unwrap_or(0),
            last_row: 0,
            hashes: [0; 2],
            topics,
            _seat: seat,
        }
    }

    fn wants(&self, topic: &str) -> bool {
        self.topics.topics.as_deref().unwrap_or("status,events").split(',').any(|name| name == topic)
    }

    /// The next event; none once the node has stopped.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if !self.nodes.is_empty() || !self.removed.is_empty() {
                return Some(self.overlay_event());
            }
            sleep_until(self.next_tick).await;
            self.next_tick = Instant::now() + TICK;
            self.look().await.ok()?;
        }
    }

    async fn look(&mut self) -> Result<(), Problem> {
        let slow = Instant::now() >= self.next_slow;
        if slow {
            self.next_slow = Instant::now() + SLOW;
        }
        if self.wants("events") {
            self.look_at_events();
        }
        if slow && self.wants("status") {
            let status = cluster::status_of(&self.shared).await?;
            self.push("status", &status);
        }
        if slow && self.wants("statistics") {
            self.look_at_statistics();
        }
        if Instant::now() >= self.next_tables {
            let began = Instant::now();
            self.look_at_tables().await?;
            self.next_tables = began + (began.elapsed() * RESTS).clamp(SLOW, SLOWEST);
        }
        if self.wants("overlay") {
            self.look_at_overlay().await?;
        }
        Ok(())
    }

    async fn look_at_tables(&mut self) -> Result<(), Problem> {
        if self.wants("variables") {
            let now = variables::variables_of(&self.shared, &self.wanted).await?;
            self.push_if_new(0, "variables", &now);
        }
        if self.wants("dataflow") {
            let now = flow::flow_of(&self.shared).await?;
            self.push_if_new(1, "dataflow", &now);
        }
        Ok(())
    }

    fn look_at_events(&mut self) {
        if self.shared.recorder.last_event() > self.last_event {
            let (events, _) = self.shared.recorder.events(self.last_event);
            self.last_event = events.last().map_or(self.last_event, |event| event.seq);
            self.push("events", &events);
        }
    }

    fn look_at_statistics(&mut self) {
        let rows: Vec<Vec<u64>> = self.shared.recorder.rows(self.last_row).iter().map(|row| row.to_vec()).collect();
        if let Some(last) = rows.last() {
            let columns = (self.last_row == 0).then_some(columns::names());
            self.last_row = last[0];
            self.push("statistics", &serde_json::json!({ "columns": columns, "rows": rows }));
        }
    }

    fn push_if_new(&mut self, place: usize, topic: &str, what: &impl Serialize) {
        let text = serde_json::to_string(what).unwrap_or_default();
        let mut hasher = StableHasher::default();
        hasher.write(text.as_bytes());
        let hash = hasher.finish();
        if self.hashes[place] != hash {
            self.hashes[place] = hash;
            self.ready.push_back(self.event(topic, text));
        }
    }

    fn push(&mut self, topic: &str, what: &impl Serialize) {
        let text = serde_json::to_string(what).unwrap_or_default(); // plain data
        self.ready.push_back(self.event(topic, text));
    }

    /// An event is made, which is counted: those of a viewer that does not read are few.
    fn event(&self, topic: &str, text: String) -> Event {
        self.shared.counts.made(text.len());
        Event::default().event(topic).data(text)
    }

    async fn look_at_overlay(&mut self) -> Result<(), Problem> {
        let now = self.shared.map.look(self.topics.wide.unwrap_or(false)).await?;
        if self.told.as_ref().is_some_and(|told| Arc::ptr_eq(told, &now)) {
            return Ok(());
        }
        let before = self.told.as_ref().map(|told| &told.nodes);
        let known = |peer| before.and_then(|nodes| nodes.get(peer));
        let is_new = |(peer, node): &(_, &Arc<OverlayNode>)| !known(*peer).is_some_and(|old| Arc::ptr_eq(old, node));
        self.nodes = now.nodes.iter().filter(is_new).map(|(_, node)| node.clone()).collect();
        let gone = before.into_iter().flat_map(|nodes| nodes.keys()).filter(|peer| !now.nodes.contains_key(peer));
        self.removed = gone.map(|peer| peer.to_string()).collect();
        self.told = Some(now);
        if self.nodes.is_empty() && self.removed.is_empty() {
            self.ready.push_back(self.overlay_said(&[], &[])); // when it was looked at last
        }
        Ok(())
    }

    /// The next piece of what has changed in the overlay.
    fn overlay_event(&mut self) -> Event {
        let piece: Vec<Arc<OverlayNode>> = self.nodes.drain(..self.nodes.len().min(CHUNK)).collect();
        let removed = std::mem::take(&mut self.removed);
        let event = self.overlay_said(&piece, &removed);
        self.reset = false;
        event
    }

    fn overlay_said(&self, nodes: &[Arc<OverlayNode>], removed: &[String]) -> Event {
        let (at_ms, took_ms, total) =
            self.told.as_ref().map_or((0, 0, 0), |told| (told.at_ms, told.took_ms, told.nodes.len()));
        let nodes = nodes.iter().map(|node| &**node).collect();
        let change = OverlayChange { me: &self.me, at_ms, took_ms, total, reset: self.reset, nodes, removed };
        self.event("overlay", serde_json::to_string(&change).unwrap_or_default()) // plain data
    }
}
