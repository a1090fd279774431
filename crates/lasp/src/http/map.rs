//! What the overlay looks like, as one survey of all nodes tells it, and who was there before and is no more. Viewers share
//! surveys: however many look, the cluster is asked once in a while.

use super::model::{Life, OverlayNode, Peer};
use super::recorder::Recorder;
use super::world::World;
use crate::api::Lasp;
use crate::error::Error;
use crate::identity::wall_clock_ms;
use lasp_node::Node;
use lasp_overlay::membership::{Membership as _, Standing};
use lasp_overlay::survey::Record;
use lasp_overlay::{Contact, PeerId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How often the overlay is looked at, and how long those who are gone are shown.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Least time between two looks.
    fresh: Duration,
    /// Added to that for every node: looks at large overlays are rarer, so that they cost each node about the same.
    each: Duration,
    mourned_ms: u64,
}

/// Of surveys. Guesses: a person sees a death within two seconds, most of which it is noticed in.
const REAL: Pace = Pace { fresh: Duration::from_millis(700), each: Duration::from_millis(2), mourned_ms: 60_000 };

/// Of a simulated world, which is looked at without asking anybody. Guesses: it moves, and a thousand nodes are drawn.
const SIMULATED: Pace = Pace { fresh: Duration::from_millis(200), each: Duration::from_micros(300), mourned_ms: 6_000 };

/// Nodes told of at most.
const MAX_NODES: usize = 20_000;

/// The overlay at one moment.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    /// When.
    pub(super) at_ms: u64,
    /// How long the survey took.
    pub(super) took_ms: u64,
    /// By id.
    pub(super) nodes: BTreeMap<PeerId, Arc<OverlayNode>>,
}

/// Surveys, shared.
#[derive(Debug)]
pub(super) struct Map {
    lasp: Lasp,
    recorder: Arc<Recorder>,
    /// Shows all of it at once, where it is a simulated one.
    world: Option<Arc<dyn World>>,
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    began: Option<Instant>,
    wide: bool,
    snapshot: Arc<Snapshot>,
}

impl Map {
    pub(super) fn new(lasp: Lasp, recorder: Arc<Recorder>, world: Option<Arc<dyn World>>) -> Self {
        Self { lasp, recorder, world, last: Mutex::default() }
    }

    /// The overlay, by a survey that is not old; passive views as well if `wide`.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub(super) async fn look(&self, wide: bool) -> Result<Arc<Snapshot>, Error> {
        let mut last = self.last.lock().await;
        let pace = if self.world.is_some() { SIMULATED } else { REAL };
        let pause = pace.fresh + pace.each * u32::try_from(last.snapshot.nodes.len()).unwrap_or(u32::MAX);
        let fresh = last.began.is_some_and(|began| began.elapsed() < pause);
        if fresh && (last.wide || !wide) {
            return Ok(last.snapshot.clone());
        }
        let began = Instant::now();
        let at_ms = wall_clock_ms();
        let records = match &self.world {
            Some(world) => world.records(wide),
            None => self.lasp.survey(wide).await?,
        };
        if records.is_empty() && last.began.is_some() {
            return Ok(last.snapshot.clone()); // too many surveys run just now
        }
        let standings = self.lasp.inspect(standings).await?;
        let nodes =
            merge(&last.snapshot, records, &standings, (at_ms, pace.mourned_ms), |peer| self.recorder.has_left(peer));
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        *last = Last { began: Some(began), wide, snapshot: Arc::new(Snapshot { at_ms, took_ms, nodes }) };
        Ok(last.snapshot.clone())
    }
}

fn standings(node: &Node) -> BTreeMap<PeerId, (Contact, Standing)> {
    let members = node.membership().members().into_iter().take(MAX_NODES);
    members.map(|(contact, standing)| (contact.id, (contact, standing))).collect()
}

/// What one survey says, together with what was known before it.
fn merge(
    before: &Snapshot,
    records: Vec<Record>,
    standings: &BTreeMap<PeerId, (Contact, Standing)>,
    (now, mourned_ms): (u64, u64),
    has_left: impl Fn(PeerId) -> bool,
) -> BTreeMap<PeerId, Arc<OverlayNode>> {
    let named: Vec<PeerId> = records.iter().flat_map(|record| &record.neighbors).map(|near| near.id).collect();
    let mut nodes: BTreeMap<PeerId, Arc<OverlayNode>> = BTreeMap::new();
    for record in records.into_iter().take(MAX_NODES) {
        nodes.insert(record.contact.id, kept(before, record.contact.id, answered(&record, now)));
    }
    let missing = |peer: PeerId, state: Life| match before.nodes.get(&peer) {
        Some(known) => {
            let since_ms = if known.state == state { known.since_ms } else { now };
            let (eager, lazy) = (Vec::new(), Vec::new());
            OverlayNode { state, since_ms, eager, lazy, others: Vec::new(), ..OverlayNode::clone(known) }
        }
        None => unknown(peer, standings.get(&peer).map(|(contact, _)| contact), state, now),
    };
    let suspects = standings.iter().filter(|(_, (_, standing))| *standing == Standing::Suspect).map(|(&peer, _)| peer);
    let doubted = suspects.map(|peer| (peer, Life::Suspect)).chain(named.into_iter().map(|peer| (peer, Life::Silent)));
    for (peer, state) in doubted {
        if nodes.len() < MAX_NODES && !nodes.contains_key(&peer) {
            let state = if has_left(peer) { Life::Left } else { state };
            nodes.insert(peer, kept(before, peer, missing(peer, state)));
        }
    }
    for &peer in before.nodes.keys() {
        if nodes.len() < MAX_NODES && !nodes.contains_key(&peer) {
            let lost = missing(peer, if has_left(peer) { Life::Left } else { Life::Gone });
            if now.saturating_sub(lost.since_ms) < mourned_ms {
                nodes.insert(peer, kept(before, peer, lost));
            }
        }
    }
    nodes
}

/// What was known before, if it is the same: viewers tell differences by that.
fn kept(before: &Snapshot, peer: PeerId, mut node: OverlayNode) -> Arc<OverlayNode> {
    if let Some(known) = before.nodes.get(&peer) {
        if known.state == node.state {
            node.since_ms = known.since_ms;
        }
        if **known == node {
            return known.clone();
        }
    }
    Arc::new(node)
}

fn answered(record: &Record, now: u64) -> OverlayNode {
    let along = |eager| {
        let neighbors = record.neighbors.iter().filter(move |near| near.eager == eager);
        neighbors.map(|near| near.id.to_string()).collect()
    };
    OverlayNode {
        peer: Peer::from(&record.contact),
        name: record.name.to_string(),
        role: record.role.to_string(),
        state: if record.degree == 0 { Life::Isolated } else { Life::Up },
        since_ms: now,
        fingerprint: format!("{:016x}", record.mark),
        degree: record.degree,
        eager: along(true),
        lazy: along(false),
        known: record.known,
        others: record.others.iter().map(PeerId::to_string).collect(),
    }
}

fn unknown(peer: PeerId, contact: Option<&Contact>, state: Life, now: u64) -> OverlayNode {
    let nobody = Peer { id: peer.to_string(), incarnation: 0, addr: String::new() };
    OverlayNode {
        peer: contact.map_or(nobody, Peer::from),
        name: String::new(),
        role: String::new(),
        state,
        since_ms: now,
        fingerprint: String::new(),
        degree: 0,
        eager: Vec::new(),
        lazy: Vec::new(),
        known: 0,
        others: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lasp_overlay::Addr;
    use lasp_overlay::survey::Neighbor;

    fn contact(id: u64) -> Contact {
        Contact { id: PeerId(id), incarnation: 1, addr: Addr::new("a:1").expect("short") }
    }

    fn record(id: u64, neighbors: &[u64]) -> Record {
        let neighbors: Vec<Neighbor> =
            neighbors.iter().map(|&id| Neighbor { id: PeerId(id), eager: id % 2 == 0 }).collect();
        Record {
            contact: contact(id),
            name: format!("n{id}").into(),
            role: "".into(),
            mark: 1,
            degree: neighbors.len() as u64,
            neighbors,
            known: 0,
            others: Vec::new(),
        }
    }

    fn next(before: &Snapshot, records: Vec<Record>, now: u64, left: u64) -> Snapshot {
        let standings = BTreeMap::from([(PeerId(9), (contact(9), Standing::Suspect))]);
        let nodes = merge(before, records, &standings, (now, REAL.mourned_ms), |peer| peer.0 == left);
        Snapshot { at_ms: now, took_ms: 0, nodes }
    }

    fn states(snapshot: &Snapshot) -> Vec<(u64, Life)> {
        snapshot.nodes.iter().map(|(peer, node)| (peer.0, node.state)).collect()
    }

    #[test]
    fn who_answers_is_up_who_is_named_silent_who_was_there_gone() {
        let first = next(&Snapshot::default(), vec![record(1, &[2, 3]), record(2, &[1]), record(4, &[])], 10, 0);
        let expected = [(1, Life::Up), (2, Life::Up), (3, Life::Silent), (4, Life::Isolated), (9, Life::Suspect)];
        assert_eq!(states(&first), expected);
        let one = &first.nodes[&PeerId(1)];
        assert_eq!((&one.eager[..], &one.lazy[..]), (&["2".to_owned()][..], &["3".to_owned()][..]));
        let second = next(&first, vec![record(1, &[2]), record(4, &[])], 20, 3);
        let expected = [(1, Life::Up), (2, Life::Silent), (3, Life::Left), (4, Life::Isolated), (9, Life::Suspect)];
        assert_eq!(states(&second), expected);
        assert_eq!(second.nodes[&PeerId(2)].name, "n2", "as it was known");
        assert!(Arc::ptr_eq(&first.nodes[&PeerId(4)], &second.nodes[&PeerId(4)]), "nothing to tell");
        let third = next(&second, vec![record(1, &[])], 30, 3);
        let expected = [(1, Life::Isolated), (2, Life::Gone), (3, Life::Left), (4, Life::Gone), (9, Life::Suspect)];
        assert_eq!(states(&third), expected);
        let later = next(&third, vec![record(1, &[])], 30 + REAL.mourned_ms, 3);
        assert_eq!(states(&later), [(1, Life::Isolated), (9, Life::Suspect)]);
    }
}
