//! The overlay as a picture that stands still: without a script, on paper, in a file of its own.
//!
//! Each part of the overlay is drawn around the middle of its broadcast tree, hops from there as rings (radial tree layout; Eades,
//! "Drawing free trees", 1992): branches share the circle by their leaves. Where the tree is torn, other links hold the skeleton
//! together. Places follow from the links and nothing else.

use super::{Changes, Replay, Tie};
use crate::overlay::root;
use crate::palette::{self, Color};
use crate::report::escape;
use crate::tree::{Search, middle};
use std::collections::BTreeMap;
use std::f64::consts::{PI, TAU};
use std::fmt::Write as _;

/// Most nodes that have their names beside them; more cannot be read.
const NAMED: usize = 64;

/// How wide a branch is at most: half the circle, or links to what lies in it would cross the middle.
const WIDEST: f64 = PI;

/// Distances.
#[derive(Clone, Copy, Debug)]
struct Grid {
    /// Between two rings, at least and at most.
    ring: (f64, f64),
    /// Between two nodes of a ring, where that of the rings allows it.
    spacing: f64,
    /// Around a part: to the sides, above and below.
    margin: (f64, f64),
}

impl Grid {
    const fn new(is_named: bool) -> Self {
        match is_named {
            true => Self { ring: (62.0, 130.0), spacing: 30.0, margin: (68.0, 18.0) },
            false => Self { ring: (40.0, 120.0), spacing: 13.0, margin: (14.0, 14.0) },
        }
    }
}

/// What the picture lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colors {
    /// A page, which names its colours.
    Page,
    /// Nothing: it brings its own.
    File,
}

impl Colors {
    const fn of(self, color: Color) -> &'static str {
        match self {
            Self::Page => color.page,
            Self::File => color.file,
        }
    }
}

/// Who is there at one moment, and what they are to each other.
pub(super) struct Moment {
    at_ms: u64,
    /// Every node that ever was, and whether it is up.
    nodes: Vec<(u64, bool)>,
    /// By places in `nodes`.
    ties: Vec<(usize, usize, u8)>,
}

impl Moment {
    /// After a frame. What is tied to a peer that nobody has seen is left out.
    pub(super) fn of(replay: &Replay, frame: usize) -> Self {
        let (mut nodes, mut ties): (Changes<u64>, Changes<(u64, u64)>) = Default::default();
        nodes.extend(replay.frames.iter().flat_map(|frame| frame.nodes.keys().map(|id| (*id, 0))));
        for frame in replay.frames.iter().take(frame + 1) {
            nodes.extend(frame.nodes.iter().map(|(id, up)| (*id, *up)));
            ties.extend(frame.ties.iter().map(|(pair, tie)| (*pair, *tie)));
        }
        let place: BTreeMap<u64, usize> = nodes.keys().enumerate().map(|(at, id)| (*id, at)).collect();
        let tie = |((a, b), tie): (&(u64, u64), &u8)| Some((*place.get(a)?, *place.get(b)?, *tie));
        Self {
            at_ms: replay.frames.get(frame).map_or(0, |frame| frame.at),
            ties: ties.iter().filter(|(_, is)| **is != Tie::None as u8).filter_map(tie).collect(),
            nodes: nodes.iter().map(|(id, up)| (*id, *up == 1)).collect(),
        }
    }

    /// The moment in words.
    pub(super) fn said(&self) -> String {
        let up = self.nodes.iter().filter(|(_, up)| *up).count();
        let tree = self.ties.iter().filter(|(.., tie)| *tie == Tie::Tree as u8).count();
        let pieces = match self.pieces() {
            1 => "one piece".to_owned(),
            count => format!("{count} pieces"),
        };
        let (seconds, links) = (self.at_ms as f64 / 1000.0, self.ties.len());
        format!("{seconds:.1} s: {up} up, {links} links, {tree} of the tree, {pieces}")
    }

    /// In how many pieces those are that are up.
    fn pieces(&self) -> usize {
        let is_up = |at: usize| self.nodes[at].1;
        let mut parent: Vec<usize> = (0..self.nodes.len()).collect();
        for &(a, b, _) in self.ties.iter().filter(|(a, b, _)| is_up(*a) && is_up(*b)) {
            let (a, b) = (root(&mut parent, a), root(&mut parent, b));
            parent[a] = b;
        }
        (0..parent.len()).filter(|&at| is_up(at) && parent[at] == at).count()
    }

    /// A spanning tree of each part: of each piece of the broadcast tree the shortest ways from its middle, where it has cycles,
    /// and what other links there must be between pieces.
    fn skeleton(&self) -> Vec<Vec<usize>> {
        let mut pushed = vec![Vec::new(); self.nodes.len()];
        for &(a, b, _) in self.ties.iter().filter(|(.., tie)| *tie == Tie::Tree as u8) {
            pushed[a].push(b);
            pushed[b].push(a);
        }
        let mut links = vec![Vec::new(); self.nodes.len()];
        let mut parent: Vec<usize> = (0..self.nodes.len()).collect();
        let mut tie = |a: usize, b: usize| {
            let (left, right) = (root(&mut parent, a), root(&mut parent, b));
            if left != right {
                parent[left] = right;
                links[a].push(b);
                links[b].push(a);
            }
        };
        for piece in parts(&pushed) {
            let search = Search::from(&pushed, middle(&pushed, piece[0]));
            search.order.iter().for_each(|&node| tie(search.parent[node], node));
        }
        for wanted in [Tie::Link, Tie::OneSided] {
            self.ties.iter().filter(|(.., is)| *is == wanted as u8).for_each(|&(a, b, _)| tie(a, b));
        }
        links
    }
}

/// The nodes of each part, the largest first.
fn parts(links: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut found = vec![false; links.len()];
    let mut parts = Vec::new();
    for start in 0..links.len() {
        if !found[start] {
            let part = Search::from(links, start).order;
            part.iter().for_each(|&node| found[node] = true);
            parts.push(part);
        }
    }
    parts.sort_by_key(|part| std::cmp::Reverse(part.len())); // stable
    parts
}

/// Where a node is, and which way is outwards.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Place {
    x: f64,
    y: f64,
    angle: f64,
}

/// The places of one part around its middle.
fn radial(skeleton: &[Vec<usize>], part: &[usize], grid: Grid) -> Vec<(usize, Place)> {
    let search = Search::from(skeleton, middle(skeleton, part[0]));
    let mut leaves = vec![0.0_f64; skeleton.len()];
    for &node in search.order.iter().rev() {
        leaves[node] = leaves[node].max(1.0);
        if node != search.order[0] {
            leaves[search.parent[node]] += leaves[node];
        }
    }
    // From which angle on, and how far, each branch goes.
    let mut spans = vec![(0.0, TAU); skeleton.len()];
    let mut next = vec![0.0; skeleton.len()];
    for &node in search.order.iter().skip(1) {
        let above = search.parent[node];
        let (begin, wide) = spans[above];
        let share = wide * leaves[node] / leaves[above];
        let narrow = share.min(WIDEST);
        spans[node] = (begin + next[above] + (share - narrow) / 2.0, narrow);
        next[above] += share;
    }
    let crowded = search.order.iter().skip(1).map(|&node| grid.spacing / (spans[node].1 * search.depth[node] as f64));
    let ring = crowded.fold(grid.ring.0, f64::max).min(grid.ring.1);
    let place = |&node: &usize| {
        let (angle, far) = (spans[node].0 + spans[node].1 / 2.0, search.depth[node] as f64 * ring);
        (node, Place { x: far * angle.cos(), y: far * angle.sin(), angle })
    };
    search.order.iter().map(place).collect()
}

/// Places for all nodes, part beside part in rows; and the size of all of it.
fn places(skeleton: &[Vec<usize>], grid: Grid) -> (Vec<Place>, f64, f64) {
    let mut places = vec![Place::default(); skeleton.len()];
    let (mut left, mut top, mut width, mut height) = (0.0_f64, 0.0_f64, 0.0_f64, 0.0_f64);
    for part in parts(skeleton) {
        let around = radial(skeleton, &part, grid);
        let low = around.iter().fold((0.0_f64, 0.0_f64), |(x, y), (_, at)| (x.min(at.x), y.min(at.y)));
        let high = around.iter().fold((0.0_f64, 0.0_f64), |(x, y), (_, at)| (x.max(at.x), y.max(at.y)));
        let wide = high.0 - low.0 + 2.0 * grid.margin.0;
        let tall = high.1 - low.1 + 2.0 * grid.margin.1;
        // The largest comes first, and says how wide rows are.
        if left > 0.0 && left + wide > width {
            (left, top) = (0.0, height);
        }
        for (node, at) in around {
            let (x, y) = (left + grid.margin.0 - low.0 + at.x, top + grid.margin.1 - low.1 + at.y);
            places[node] = Place { x, y, ..at };
        }
        left += wide;
        (width, height) = (width.max(left), height.max(top + tall));
    }
    (places, width, height)
}

/// The picture of the moment that a replay shows first.
pub fn svg(replay: &Replay, name: impl Fn(u64) -> String, colors: Colors) -> String {
    drawn(&Moment::of(replay, replay.whole()), name, colors)
}

fn drawn(moment: &Moment, name: impl Fn(u64) -> String, colors: Colors) -> String {
    let is_named = moment.nodes.len() <= NAMED;
    let (places, width, height) = places(&moment.skeleton(), Grid::new(is_named));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
         aria-label=\"The overlay after {}\" font-family=\"system-ui, sans-serif\" font-size=\"11\">\n",
        moment.said()
    );
    if colors == Colors::File {
        _ = writeln!(out, "<rect width=\"100%\" height=\"100%\" fill=\"{}\"/>", colors.of(palette::CARD));
    }
    for (tie, color, look) in [
        (Tie::Link, palette::AXIS, "stroke-width=\"1\" stroke-opacity=\".5\""),
        (Tie::OneSided, palette::BAD, "stroke-width=\"1.5\" stroke-dasharray=\"5 4\""),
        (Tie::Tree, palette::FIRST, "stroke-width=\"2\""),
    ] {
        let mut path = String::new();
        for &(a, b, _) in moment.ties.iter().filter(|(.., is)| *is == tie as u8) {
            let (a, b) = (places[a], places[b]);
            _ = write!(path, "M{:.1} {:.1}L{:.1} {:.1}", a.x, a.y, b.x, b.y);
        }
        if !path.is_empty() {
            _ = writeln!(out, "<path fill=\"none\" stroke=\"{}\" {look} d=\"{path}\"/>", colors.of(color));
        }
    }
    let mut linked = vec![false; moment.nodes.len()];
    moment.ties.iter().for_each(|&(a, b, _)| (linked[a], linked[b]) = (true, true));
    for ((&(id, up), place), linked) in moment.nodes.iter().zip(&places).zip(linked) {
        draw_node(&escape(&name(id)), (up, linked), *place, is_named, colors, &mut out);
    }
    out + "</svg>\n"
}

fn draw_node(name: &str, state: (bool, bool), place: Place, is_named: bool, colors: Colors, out: &mut String) {
    let (fill, stroke, told) = match state {
        (true, true) => (palette::GOOD, palette::CARD, ""),
        (true, false) => (palette::SECOND, palette::CARD, ", no neighbour"),
        (false, _) => (palette::LINE, palette::AXIS, ", gone"),
    };
    let (x, y, radius) = (place.x, place.y, if is_named { 5.5 } else { 4.0 });
    _ = writeln!(
        out,
        "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{}\" stroke=\"{}\"><title>{name}{told}</title></circle>",
        colors.of(fill),
        colors.of(stroke),
    );
    if is_named {
        let (aside, down) = (place.angle.cos(), place.angle.sin());
        let anchor = if aside < 0.0 { "end" } else { "start" };
        _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" fill=\"{}\" stroke=\"{}\" stroke-width=\"3\" \
             paint-order=\"stroke\">{name}</text>",
            x + 9.0 * aside.signum(),
            y + 4.0 + 8.0 * down,
            colors.of(palette::INK),
            colors.of(palette::CARD),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::Seen;
    use super::*;

    /// Nodes 1 to `count`; those of a binary tree are its links, and `n` to `n + 3` are others.
    fn overlay(count: u64) -> Replay {
        let neighbors = |n: u64| {
            let tree = [n / 2, 2 * n, 2 * n + 1].map(|other| (other, true));
            let across = [n + 3, n.saturating_sub(3)].map(|other| (other, false));
            let all: BTreeMap<u64, bool> = across.into_iter().chain(tree).collect();
            all.into_iter().filter(|(other, _)| *other != n && (1..=count).contains(other)).collect()
        };
        let mut replay = Replay::default();
        replay.look(1500, (1..=count).map(|peer| Seen { peer, neighbors: neighbors(peer) }));
        replay
    }

    fn name(id: u64) -> String {
        format!("<n{id}>")
    }

    #[test]
    fn the_same_overlay_gives_the_same_picture_with_every_node_and_link() {
        let picture = svg(&overlay(40), name, Colors::Page);
        assert_eq!(picture, svg(&overlay(40), name, Colors::Page));
        assert!(picture.contains("aria-label=\"The overlay after 1.5 s: 40 up, 74 links, 39 of the tree, one piece\""));
        assert_eq!((picture.matches("<circle").count(), picture.matches("<text").count()), (40, 40));
        let links: usize =
            picture.lines().filter(|line| line.starts_with("<path")).map(|it| it.matches('M').count()).sum();
        assert_eq!(links, 74, "of the tree and others");
        assert!(picture.contains("&lt;n7&gt;") && !picture.contains("<n7>"));
        assert!(!picture.contains('#') && svg(&overlay(40), name, Colors::File).contains("#2563c9"));
    }

    #[test]
    fn no_two_nodes_lie_upon_each_other_and_none_outside() {
        for count in [1, 2, 3, 16, 100, 500] {
            let moment = Moment::of(&overlay(count), 0);
            let (places, width, height) = places(&moment.skeleton(), Grid::new(count <= 64));
            for (at, a) in places.iter().enumerate() {
                assert!(a.x > 0.0 && a.x < width && a.y > 0.0 && a.y < height, "{count}: {a:?}");
                for b in &places[at + 1..] {
                    assert!((a.x - b.x).hypot(a.y - b.y) > 8.0, "{count}: {a:?} and {b:?}");
                }
            }
        }
    }

    #[test]
    fn who_is_gone_alone_or_known_to_one_end_only_is_drawn_so() {
        let mut replay = Replay::default();
        let seen = |peer, neighbors: &[(u64, bool)]| Seen { peer, neighbors: neighbors.to_vec() };
        replay.look(0, [seen(1, &[(2, true)]), seen(2, &[(1, true)]), seen(3, &[])]);
        replay.look(1000, [seen(1, &[(4, true)]), seen(3, &[]), seen(4, &[])]);
        let picture = svg(&replay, |id| format!("n{id}"), Colors::Page);
        for part in [
            "1.0 s: 3 up, 1 links, 0 of the tree, 2 pieces",
            "<title>n2, gone</title>",
            "<title>n3, no neighbour</title>",
            "<title>n4</title>",
            "stroke-dasharray",
        ] {
            assert!(picture.contains(part), "{part} is not in {picture}");
        }
        assert!(!picture.contains("var(--first)"), "there is no tree");
    }

    #[test]
    fn what_is_shown_is_the_last_moment_before_nodes_leave() {
        let mut replay = overlay(20);
        replay.look(
            2000,
            (1..=19).map(|peer| Seen { peer, neighbors: vec![(peer % 19 + 1, true), ((peer + 17) % 19 + 1, true)] }),
        );
        replay.look(3000, [Seen { peer: 1, neighbors: Vec::new() }]);
        replay.look(4000, []);
        assert_eq!(replay.whole(), 1);
        assert!(svg(&replay, name, Colors::Page).contains("2.0 s: 19 up"));
        replay.left_at(Some(1_900_000));
        assert!(svg(&replay, name, Colors::Page).contains("1.5 s: 20 up"), "what is known goes before what is guessed");
        replay.left_at(Some(1000));
        assert_eq!(replay.whole(), 1, "nothing was seen before that");
    }

    #[test]
    fn of_thousands_there_is_a_picture_too_without_names() {
        let picture = svg(&overlay(2000), name, Colors::Page);
        assert!(!picture.contains("<text") && picture.len() < 400_000, "{}", picture.len());
    }
}
