//! What has happened lately around the node, and what it counted over time: two rings, kept while HTTP is served.

use super::columns::{Row, row};
use super::model::Event;
use crate::api::Lasp;
use crate::identity::wall_clock_ms;
use lasp_overlay::membership::change::Change;
use lasp_overlay::{Contact, PeerId};
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Events kept. A guess: an afternoon of a calm cluster, a minute of a stormy one.
const EVENTS: usize = 1024;

/// Rows of counts kept: ten minutes.
const ROWS: usize = 600;

/// Time between two rows.
const INTERVAL: Duration = Duration::from_secs(1);

/// Departures remembered, to tell who left from who is gone.
const FAREWELLS: usize = 1024;

/// Variables whose digests are remembered; the rest are seen for the first time, each time.
const DIGESTS: usize = 10_000;

/// The rings.
#[derive(Debug, Default)]
pub(super) struct Recorder(Mutex<Rings>);

#[derive(Debug, Default)]
struct Rings {
    events: VecDeque<Event>,
    last: u64,
    rows: VecDeque<Row>,
    /// When who left, as they said themselves, by their lives.
    farewells: VecDeque<PeerId>,
    digests: BTreeMap<String, (u64, u64)>,
}

impl Recorder {
    /// Starts to record, until the node stops.
    pub(super) fn start(lasp: &Lasp) -> Arc<Self> {
        let recorder = Arc::new(Self::default());
        tokio::spawn(recorder.clone().follow_changes(lasp.clone()));
        tokio::spawn(recorder.clone().follow_failures(lasp.clone()));
        tokio::spawn(recorder.clone().count(lasp.clone()));
        recorder
    }

    fn lock(&self) -> MutexGuard<'_, Rings> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner) // no user code runs under the lock
    }

    /// The events after number `since`, and how many older ones are forgotten.
    pub(super) fn events(&self, since: u64) -> (Vec<Event>, u64) {
        let rings = self.lock();
        let events = rings.events.iter().filter(|event| event.seq > since).cloned().collect();
        (events, rings.last - rings.events.len() as u64)
    }

    /// The number of the last event.
    pub(super) fn last_event(&self) -> u64 {
        self.lock().last
    }

    /// The rows after a time.
    pub(super) fn rows(&self, after_ms: u64) -> Vec<Row> {
        self.lock().rows.iter().filter(|row| row[0] > after_ms).copied().collect()
    }

    /// Whether a node said goodbye, and did not come back as far as was seen.
    pub(super) fn has_left(&self, peer: PeerId) -> bool {
        self.lock().farewells.contains(&peer)
    }

    /// Since when this digest of a variable has been seen.
    pub(super) fn seen_since(&self, name: &str, digest: u64) -> u64 {
        let (now, mut rings) = (wall_clock_ms(), self.lock());
        match rings.digests.get_mut(name) {
            Some((known, since)) => {
                if *known != digest {
                    (*known, *since) = (digest, now);
                }
                *since
            }
            None => {
                if rings.digests.len() < DIGESTS {
                    rings.digests.insert(name.to_owned(), (digest, now));
                }
                now
            }
        }
    }

    fn note(&self, kind: &str, node: Option<PeerId>, detail: String) {
        let mut rings = self.lock();
        rings.last += 1;
        if rings.events.len() == EVENTS {
            rings.events.pop_front();
        }
        let node = node.map(|peer| peer.to_string());
        let event = Event { seq: rings.last, at_ms: wall_clock_ms(), kind: kind.to_owned(), node, detail };
        rings.events.push_back(event);
    }

    fn note_change(&self, change: &Change) {
        let contacts = |kind, list: &[Contact]| {
            list.iter().for_each(|contact| self.note(kind, Some(contact.id), contact.addr.to_string()));
        };
        let peers = |kind, list: &[PeerId]| list.iter().for_each(|&peer| self.note(kind, Some(peer), String::new()));
        contacts("joined", &change.joined);
        contacts("known", &change.known);
        contacts("up", &change.up);
        peers("down", &change.down);
        peers("suspected", &change.suspected);
        peers("cleared", &change.cleared);
        peers("left", &change.left);
        peers("gone", &change.gone);
        peers("forgotten", &change.forgotten);
        let mut rings = self.lock();
        let back = change.joined.iter().chain(&change.up).map(|contact| contact.id);
        back.for_each(|peer| rings.farewells.retain(|left| *left != peer));
        for &peer in &change.left {
            if rings.farewells.len() == FAREWELLS {
                rings.farewells.pop_front();
            }
            rings.farewells.push_back(peer);
        }
    }

    fn note_row(&self, row: Row) {
        let mut rings = self.lock();
        if rings.rows.len() == ROWS {
            rings.rows.pop_front();
        }
        rings.rows.push_back(row);
    }

    async fn follow_changes(self: Arc<Self>, lasp: Lasp) {
        let mut changes = lasp.view_changes();
        while let Some(change) = changes.next().await {
            self.note_change(&change);
        }
    }

    async fn follow_failures(self: Arc<Self>, lasp: Lasp) {
        let failures = lasp.failures();
        let follow = async {
            loop {
                let error = poll_fn(|cx| failures.poll_next(cx)).await;
                self.note("error", None, error.to_string());
            }
        };
        tokio::select! {
            () = follow => {}
            _ = lasp.stopped() => {}
        }
    }

    async fn count(self: Arc<Self>, lasp: Lasp) {
        loop {
            let Ok(row) = lasp.inspect(row).await else { return };
            self.note_row(row);
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_overlay::Addr;

    fn contact(id: u64) -> Contact {
        Contact { id: PeerId(id), incarnation: 1, addr: Addr::new("a:1").expect("short") }
    }

    #[test]
    fn events_are_numbered_and_the_oldest_forgotten() {
        let recorder = Recorder::default();
        for _ in 0..EVENTS + 5 {
            recorder.note("up", Some(PeerId(7)), String::new());
        }
        let (events, forgotten) = recorder.events(0);
        assert_eq!((events.len(), events[0].seq, forgotten), (EVENTS, 6, 5));
        assert_eq!(recorder.events(EVENTS as u64 + 3).0.len(), 2);
    }

    #[test]
    fn who_said_goodbye_is_known_until_it_is_back() {
        let recorder = Recorder::default();
        recorder.note_change(&Change { left: vec![PeerId(7)], ..Change::default() });
        assert!(recorder.has_left(PeerId(7)) && !recorder.has_left(PeerId(8)));
        recorder.note_change(&Change { joined: vec![contact(7)], ..Change::default() });
        assert!(!recorder.has_left(PeerId(7)));
        let (events, _) = recorder.events(0);
        assert_eq!(events.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(), ["left", "joined"]);
        assert_eq!((events[1].node.as_deref(), events[1].detail.as_str()), (Some("7"), "a:1"));
    }

    #[test]
    fn a_digest_is_seen_since_it_changed() {
        let recorder = Recorder::default();
        let first = recorder.seen_since("ads", 1);
        assert_eq!(recorder.seen_since("ads", 1), first);
        recorder.lock().digests.get_mut("ads").expect("known").1 = 5;
        assert_eq!(recorder.seen_since("ads", 1), 5);
        assert!(recorder.seen_since("ads", 2) > 5);
    }
}
