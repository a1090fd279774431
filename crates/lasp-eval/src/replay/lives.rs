//! Replays of runs in real processes: each life of a node writes down its neighbours whenever they change, and what all lives
//! wrote is merged by time.
//!
//! What is written is whole, no difference: a line that is missing costs that moment alone.

use super::{FRAMES, MOST_NODES, Replay, Seen};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Lines that a life writes as changes come; from then on, at most so many each time that the run's length doubles. A guess:
/// more than a slider has places.
const DENSE: u64 = 512;

/// The neighbours of a node from a moment on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Which moment, on the run's clock.
    pub t_us: u64,
    /// Who they are.
    pub seen: Seen,
}

/// What a life has written so far, as far as the next line depends on it.
#[derive(Clone, Debug, Default)]
pub struct Diary {
    last: Option<Written>,
    lines: u64,
}

impl Diary {
    /// The line to write for what is seen now, if any. What comes too soon is not written; what lasts is, at a later look.
    pub fn note(&mut self, t_us: u64, seen: Seen) -> Option<Written> {
        if let Some(last) = &self.last {
            let pause = if self.lines < DENSE { 0 } else { t_us / DENSE };
            if last.seen == seen || t_us < last.t_us.saturating_add(pause) {
                return None;
            }
        }
        self.lines += 1;
        self.last = Some(Written { t_us, seen });
        self.last.clone()
    }
}

/// One life of a node.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// What it wrote, by time.
    pub views: Vec<Written>,
    /// When it ended, if that was before the run did.
    pub end_us: Option<u64>,
}

impl Replay {
    /// What all lives together saw; nothing of a run with more nodes than a picture shows. Cost: what was written, and some
    /// hundred times the number of links.
    pub fn of(lives: Vec<Life>) -> Self {
        let mut replay = Self::default();
        if lives.len() > MOST_NODES {
            return replay;
        }
        let events = events(lives);
        let step_us = events.last().map_or(0, |event| event.t_us).div_ceil(FRAMES as u64).max(1);
        let mut up: BTreeMap<usize, Seen> = BTreeMap::new();
        // What came after an end is of another moment, or nobody would see who was gone for a short while.
        let together =
            |a: &Event, b: &Event| a.t_us / step_us == b.t_us / step_us && a.seen.is_some() >= b.seen.is_some();
        for moment in events.chunk_by(together) {
            for Event { life, seen, .. } in moment {
                match seen {
                    Some(seen) => _ = up.insert(*life, seen.clone()),
                    None => _ = up.remove(life),
                }
            }
            replay.look(moment[moment.len() - 1].t_us / 1000, up.values().cloned());
        }
        replay
    }
}

/// What became of a life: other neighbours, or its end.
struct Event {
    t_us: u64,
    life: usize,
    seen: Option<Seen>,
}

/// All of them by time; of one moment, ends first: a node's next life begins after the one before.
fn events(lives: Vec<Life>) -> Vec<Event> {
    let mut events = Vec::new();
    for (life, Life { views, end_us }) in lives.into_iter().enumerate() {
        // What it wrote while it was being reaped is of a node that is gone.
        let views = views.into_iter().filter(|written| end_us.is_none_or(|end_us| written.t_us < end_us));
        events.extend(views.map(|Written { t_us, seen }| Event { t_us, life, seen: Some(seen) }));
        events.extend(end_us.map(|t_us| Event { t_us, life, seen: None }));
    }
    events.sort_by_key(|event| (event.t_us, event.seen.is_some(), event.life));
    events
}

#[cfg(test)]
mod tests {
    use super::super::Changes;
    use super::*;

    fn seen(peer: u64, neighbors: &[(u64, bool)]) -> Seen {
        Seen { peer, neighbors: neighbors.to_vec() }
    }

    fn written(t_us: u64, peer: u64, neighbors: &[(u64, bool)]) -> Written {
        Written { t_us, seen: seen(peer, neighbors) }
    }

    #[test]
    fn a_line_is_written_for_a_change_and_no_more() {
        let mut diary = Diary::default();
        assert_eq!(diary.note(0, seen(1, &[])), Some(written(0, 1, &[])));
        assert_eq!(diary.note(5, seen(1, &[])), None);
        assert_eq!(diary.note(6, seen(1, &[(2, false)])), Some(written(6, 1, &[(2, false)])));
        assert_eq!(diary.note(6, seen(1, &[(2, true)])), Some(written(6, 1, &[(2, true)])));
    }

    #[test]
    fn a_node_that_never_rests_writes_ever_less_and_its_last_word_lasts() {
        let mut diary = Diary::default();
        let changing = |at: u64| seen(1, &[(at % 7, true)]);
        let lines = (0..1_000_000_u64).filter_map(|at| diary.note(at * 1000, changing(at))).count() as u64;
        let doublings: u64 = 1_000_000_u64.ilog2().into();
        assert!((2 * DENSE..DENSE * doublings).contains(&lines), "{lines}");
        assert_eq!(diary.note(1_000_000_001, changing(3)), None, "too soon");
        assert!(diary.note(1_100_000_000, changing(3)).is_some(), "but it lasted");
    }

    #[test]
    fn lives_are_merged_by_time_and_a_new_one_follows_the_old() {
        let one = Life { views: vec![written(0, 1, &[]), written(2000, 1, &[(2, true)])], end_us: None };
        let two = Life { views: vec![written(1000, 2, &[(1, true)]), written(9000, 2, &[])], end_us: Some(4000) };
        let again = Life { views: vec![written(4000, 2, &[(1, false)]), written(8_000, 2, &[])], end_us: None };
        let json: serde_json::Value =
            serde_json::from_str(&Replay::of(vec![one, two, again]).json(|id| id.to_string())).expect("JSON");
        let (tree, link, odd) = (2, 1, 3);
        assert_eq!(
            json["frames"],
            serde_json::json!([
                { "at": 0, "nodes": [[1, 1]], "ties": [] },
                { "at": 1, "nodes": [[2, 1]], "ties": [[1, 2, odd]] },
                { "at": 2, "nodes": [], "ties": [[1, 2, tree]] },
                { "at": 4, "nodes": [[2, 0]], "ties": [[1, 2, odd]] },
                { "at": 4, "nodes": [[2, 1]], "ties": [[1, 2, link]] },
                { "at": 8, "nodes": [], "ties": [[1, 2, odd]] },
            ])
        );
    }

    #[test]
    fn who_comes_back_at_once_was_gone_all_the_same() {
        let life = |t_us, end_us| Life { views: vec![written(t_us, 1, &[])], end_us };
        let replay = Replay::of(vec![life(0, Some(4_000_000)), life(4_000_001, None), life(9_000_000, None)]);
        let fate: Vec<&Changes<u64>> = replay.frames.iter().map(|frame| &frame.nodes).take(3).collect();
        assert_eq!(fate, [&Changes::from([(1, 1)]), &Changes::from([(1, 0)]), &Changes::from([(1, 1)])]);
    }

    #[test]
    fn many_changes_become_as_many_frames_as_a_slider_has() {
        let life = |peer: u64| Life {
            views: (0..3_000_u64).map(|at| written(at * 777, peer, &[((at + peer) % 9, true)])).collect(),
            end_us: Some(3_000 * 777),
        };
        let replay = Replay::of((0..20).map(life).collect());
        assert!((FRAMES / 2..=FRAMES).contains(&replay.frames.len()), "{}", replay.frames.len());
        assert!(replay.nodes.is_empty() && replay.ties.is_empty(), "all have ended");
        assert!(Replay::of(Vec::new()).is_empty());
        assert!(Replay::of(vec![life(1); MOST_NODES + 1]).is_empty(), "that is no picture");
    }
}
