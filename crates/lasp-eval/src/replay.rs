//! The overlay over time: what a report lets its reader play back.
//!
//! [`Replay`] keeps what changed from look to look, and merges looks when there come to be too many, so that a long run takes no
//! more room than a short one. `lives`: the same from what processes wrote down. [`html`] is the section of the report: a picture
//! that stands still (`picture`), the changes as JSON, a script that draws them, and the library that finds places for the
//! nodes (d3-force). Nothing is fetched from anywhere.

mod lives;
mod picture;

pub use lives::{Diary, Life, Written};
pub use picture::{Colors, svg};

use lasp_node::Node;
use lasp_overlay::PeerId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most looks that are kept apart. A guess: a slider has no more places.
const FRAMES: usize = 400;

/// Most changes of links that are kept, about: 8 bytes each in the page. A guess.
const CHANGES: usize = 60_000;

/// Most nodes of a run that is kept. A guess: more are no picture.
pub const MOST_NODES: usize = 2000;

/// What two nodes are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    /// No neighbours any more.
    None = 0,
    /// Neighbours.
    Link = 1,
    /// Neighbours that push broadcasts to each other.
    Tree = 2,
    /// One has the other as neighbour, but not the other way round.
    OneSided = 3,
}

/// A node at one look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Which.
    pub peer: u64,
    /// Its neighbours by id, and whether it pushes broadcasts to them.
    pub neighbors: Vec<(u64, bool)>,
}

impl Seen {
    /// A node as it is now. Cost: its neighbours.
    pub fn of(node: &Node) -> Self {
        let eager: Vec<PeerId> = node.broadcast().eager().collect();
        let neighbors = node.active_view().into_iter().map(|contact| (contact.id.0, eager.contains(&contact.id)));
        let mut neighbors: Vec<(u64, bool)> = neighbors.collect();
        neighbors.sort_unstable();
        Self { peer: node.contact().id.0, neighbors }
    }
}

/// What changed since the look before.
#[derive(Clone, Debug, Default, PartialEq)]
struct Frame {
    /// When, in milliseconds.
    at: u64,
    /// Who came up (1) or went (0).
    nodes: Changes<u64>,
    /// What became of ties, by their lower and higher end.
    ties: Changes<(u64, u64)>,
}

type Changes<K> = BTreeMap<K, u8>;

impl Frame {
    /// Both as one change.
    fn followed_by(mut self, next: Self) -> Self {
        self.at = next.at;
        self.nodes.extend(next.nodes);
        self.ties.extend(next.ties);
        self
    }

    fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.ties.is_empty()
    }
}

/// The overlay over time.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    frames: Vec<Frame>,
    nodes: Changes<u64>,
    ties: Changes<(u64, u64)>,
    changes: usize,
    /// How many looks are one frame.
    looks_each: usize,
    /// How many the last frame has.
    looks: usize,
    /// When the first node left because all was done, in milliseconds.
    left: Option<u64>,
}

impl Replay {
    /// Looks at all nodes that are up. Cost: the number of links.
    pub fn look(&mut self, at_ms: u64, seen: impl IntoIterator<Item = Seen>) {
        let (nodes, ties) = picture(seen);
        let frame = Frame { at: at_ms, nodes: changes(&self.nodes, &nodes), ties: changes(&self.ties, &ties) };
        (self.nodes, self.ties) = (nodes, ties);
        self.changes += frame.ties.len();
        self.looks += 1;
        let merges = self.looks < self.looks_each || frame.is_empty();
        match self.frames.pop() {
            Some(last) if merges && self.frames.len() > 1 => self.frames.push(last.followed_by(frame)),
            last => {
                self.frames.extend(last);
                self.frames.push(frame);
                self.looks = 0;
            }
        }
        if self.frames.len() > FRAMES || (self.changes > CHANGES && self.frames.len() > 8) {
            self.thin();
        }
    }

    /// Two frames become one, throughout.
    fn thin(&mut self) {
        self.looks_each = 2 * self.looks_each.max(1);
        let mut frames = std::mem::take(&mut self.frames).into_iter();
        while let Some(frame) = frames.next() {
            self.frames.push(match frames.next() {
                Some(next) => frame.followed_by(next),
                None => frame,
            });
        }
        self.changes = self.frames.iter().map(|frame| frame.ties.len()).sum();
    }

    /// Whether there is anything to play back.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Notes when the first node left because all was done, in microseconds; nothing where the run was broken off.
    pub fn left_at(&mut self, at_us: Option<u64>) {
        self.left = at_us.map(|at_us| at_us / 1000);
    }

    /// The last frame before nodes left; where that is not known, the last at which at least half as many ties were there as ever
    /// were at once.
    fn whole(&self) -> usize {
        let before = |left| self.frames.iter().rposition(|frame| frame.at < left);
        self.left.and_then(before).unwrap_or_else(|| self.fullest())
    }

    fn fullest(&self) -> usize {
        let mut there = Changes::new();
        let count = |frame: &Frame| {
            there.extend(frame.ties.iter().map(|(pair, tie)| (*pair, *tie)));
            there.retain(|_, tie| *tie != Tie::None as u8);
            there.len()
        };
        let counts: Vec<usize> = self.frames.iter().map(count).collect();
        let most = counts.iter().copied().max().unwrap_or(0);
        counts.iter().rposition(|count| 2 * count >= most).unwrap_or(0)
    }

    /// The frames, and which to show first, as the script reads them: `{names: {id: name}, first, frames: [{at, nodes: [[id, up]],
    /// ties: [[a, b, tie]]}]}`.
    fn json(&self, name: impl Fn(u64) -> String) -> String {
        let ids = self.frames.iter().flat_map(|frame| frame.nodes.keys());
        let names: BTreeMap<u64, String> = ids.map(|id| (*id, name(*id))).collect();
        let frame = |frame: &Frame| {
            let nodes: Vec<(u64, u8)> = frame.nodes.iter().map(|(id, up)| (*id, *up)).collect();
            let ties: Vec<(u64, u64, u8)> = frame.ties.iter().map(|((a, b), tie)| (*a, *b, *tie)).collect();
            serde_json::json!({ "at": frame.at, "nodes": nodes, "ties": ties })
        };
        let frames: Vec<serde_json::Value> = self.frames.iter().map(frame).collect();
        // What a script element would take for its end stays a letter of JSON.
        serde_json::json!({ "names": names, "first": self.whole(), "frames": frames })
            .to_string()
            .replace('<', "\\u003c")
    }
}

/// Who is up, and what they are to each other.
fn picture(seen: impl IntoIterator<Item = Seen>) -> (Changes<u64>, Changes<(u64, u64)>) {
    let mut nodes = Changes::new();
    // For each pair: at how many ends it is a neighbour, and a link of the tree.
    let mut ends: BTreeMap<(u64, u64), (u8, u8)> = BTreeMap::new();
    for Seen { peer, neighbors } in seen {
        nodes.insert(peer, 1);
        for (other, eager) in neighbors {
            let (known, trees) = ends.entry((peer.min(other), peer.max(other))).or_default();
            *known += 1;
            *trees += u8::from(eager);
        }
    }
    let tie = |(known, trees)| match (known, trees) {
        (2, 2) => Tie::Tree,
        (2, _) => Tie::Link,
        _ => Tie::OneSided,
    };
    let ties = ends.into_iter().map(|(pair, ends)| (pair, tie(ends) as u8)).collect();
    (nodes, ties)
}

/// What leads from one to the other; 0 for what is no more.
fn changes<K: Ord + Copy>(from: &Changes<K>, to: &Changes<K>) -> Changes<K> {
    let gone = from.keys().filter(|key| !to.contains_key(key)).map(|key| (*key, 0));
    let new = to.iter().filter(|(key, value)| from.get(key) != Some(value)).map(|(key, value)| (*key, *value));
    gone.chain(new).collect()
}

/// The section of a report: the picture, and the replay.
pub fn html(replay: &Replay, name: impl Fn(u64) -> String) -> String {
    let moment = picture::Moment::of(replay, replay.whole());
    format!(
        "<h2 id=\"overlay\">The overlay</h2>\n<figure class=\"overlay\">\n{}<figcaption>After {}. Around the middle of the \
         broadcast tree, hops from there as rings.</figcaption>\n{LEGEND}</figure>\n{}",
        svg(replay, &name, Colors::Page),
        moment.said(),
        player(replay, name),
    )
}

/// What the colours of the picture and of the replay mean.
const LEGEND: &str = "<p class=\"legend\"><i class=\"tree\"></i>broadcast tree <i class=\"link\"></i>link \
                      <i class=\"odd\"></i>known to one end <b class=\"up\"></b>up <b class=\"alone\"></b>no neighbour \
                      <b class=\"gone\"></b>gone</p>\n";

fn player(replay: &Replay, name: impl Fn(u64) -> String) -> String {
    let libraries = [
        include_str!("../../../web/vendor/d3-dispatch.min.js"),
        include_str!("../../../web/vendor/d3-quadtree.min.js"),
        include_str!("../../../web/vendor/d3-timer.min.js"),
        include_str!("../../../web/vendor/d3-force.min.js"),
    ];
    format!(
        "<section class=\"replay\">\n<h3>Played back</h3>\n\
         <canvas role=\"img\" aria-label=\"The overlay\"></canvas>\n\
         <div class=\"player\"><button type=\"button\" aria-label=\"Play\">▶</button>\n\
         <input type=\"range\" min=\"0\" value=\"0\" aria-label=\"Time\">\n<output></output></div>\n\
         </section>\n<noscript><style>.replay {{ display: none; }}</style></noscript>\n\
         <script type=\"application/json\" id=\"replay\">{}</script>\n<script>\n{}\n{}</script>\n",
        replay.json(name),
        libraries.join("\n"),
        include_str!("replay.js"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: u64, neighbors: &[(u64, bool)]) -> Seen {
        Seen { peer, neighbors: neighbors.to_vec() }
    }

    #[test]
    fn only_what_changed_is_kept() {
        let mut replay = Replay::default();
        replay.look(0, [seen(1, &[(2, true)]), seen(2, &[(1, true)])]);
        replay.look(250, [seen(1, &[(2, true), (3, true)]), seen(2, &[(1, true)]), seen(3, &[])]);
        replay.look(500, [seen(1, &[(2, false), (3, true)]), seen(2, &[(1, true)]), seen(3, &[(1, true)])]);
        replay.look(750, [seen(2, &[])]);
        let json: serde_json::Value = serde_json::from_str(&replay.json(|id| format!("<{id}>"))).expect("JSON");
        let expected = serde_json::json!({
            "names": { "1": "<1>", "2": "<2>", "3": "<3>" },
            "first": 2,
            "frames": [
                { "at": 0, "nodes": [[1, 1], [2, 1]], "ties": [[1, 2, Tie::Tree as u8]] },
                { "at": 250, "nodes": [[3, 1]], "ties": [[1, 3, Tie::OneSided as u8]] },
                { "at": 500, "nodes": [], "ties": [[1, 2, Tie::Link as u8], [1, 3, Tie::Tree as u8]] },
                { "at": 750, "nodes": [[1, 0], [3, 0]], "ties": [[1, 2, Tie::None as u8], [1, 3, Tie::None as u8]] },
            ],
        });
        assert_eq!(json, expected);
        assert!(!replay.json(|id| format!("<{id}>")).contains('<'), "nothing ends a script element");
    }

    /// A ring of which one link is missing at each look.
    fn turning_ring(looks: u64) -> (Replay, Vec<Seen>) {
        let ring = |gap: u64| {
            let tied = move |a: u64| a != gap % 20;
            let node = move |n: u64| {
                let next = tied(n).then_some(((n + 1) % 20, true));
                let last = tied((n + 19) % 20).then_some(((n + 19) % 20, true));
                Seen { peer: n, neighbors: next.into_iter().chain(last).collect() }
            };
            (0..20).map(node).collect::<Vec<_>>()
        };
        let mut replay = Replay::default();
        (0..looks).for_each(|look| replay.look(look * 10, ring(look)));
        (replay, ring(looks - 1))
    }

    #[test]
    fn a_long_run_takes_no_more_room_than_a_short_one_and_ends_as_it_ended() {
        for looks in [1, 7, 400, 401, 5_000] {
            let (replay, last) = turning_ring(looks);
            assert!(replay.frames.len() <= FRAMES, "{looks}: {}", replay.frames.len());
            assert!(replay.frames.is_sorted_by_key(|frame| frame.at));
            let all = replay.frames.into_iter().reduce(Frame::followed_by).expect("some");
            let left =
                |changes: Changes<(u64, u64)>| changes.into_iter().filter(|(_, tie)| *tie > 0).collect::<Vec<_>>();
            assert_eq!(left(all.ties), left(picture(last).1), "{looks}");
            assert_eq!(all.at, (looks - 1) * 10);
        }
    }

    #[test]
    fn where_nothing_changes_nothing_is_added() {
        let mut replay = Replay::default();
        for look in 0..1_000 {
            replay.look(look, [seen(1, &[(2, true)]), seen(2, &[(1, true)])]);
        }
        assert!(replay.frames.len() < 5 && replay.frames.last().is_some_and(|frame| frame.at == 999));
    }

    #[test]
    fn a_section_holds_all_that_it_needs() {
        let (replay, _) = turning_ring(3);
        let page = html(&replay, |id| format!("n{id}"));
        assert!(page.contains("forceSimulation") && page.contains("\"n7\""));
        let (picture, replay) = page.split_once("<section class=\"replay\">").expect("both");
        assert!(
            picture.contains("<title>n7</title>") && picture.contains("20 up, 19 links, 19 of the tree, one piece")
        );
        assert!(!picture.contains("<script") && replay.contains("<noscript><style>"));
        assert!(!page.contains("src=") && !page.contains("@import"));
    }
}
