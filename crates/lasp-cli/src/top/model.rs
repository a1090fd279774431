//! What is known of the node and its cluster: what the API says, kept as long as it is shown. Knows no terminal and no clock.

use super::api::{Event, Link, Links, Member, Members, Overlay, Statistics, Status, Variable, Variables};
use super::list::{List, Put};
use std::collections::{BTreeMap, VecDeque};

/// Events kept. A guess: more than anybody scrolls through.
const EVENTS: usize = 500;

/// Rows of counts kept: as many as the node keeps.
const ROWS: usize = 600;

/// Bytes kept of a value. A guess: more than the widest terminal shows.
const VALUE: usize = 500;

/// News from the node, or of it.
#[derive(Clone, Debug)]
pub(super) enum News {
    /// There is a connection; what came before may be of another life.
    Connected,
    /// There is none; why.
    Lost(String),
    Status(Status),
    Links(Links),
    /// A part of the members: which, and what it holds.
    Members(Put, Members),
    /// A part of the variables, alike.
    Variables(Put, Variables),
    Events(Vec<Event>),
    Statistics(Statistics),
    Overlay(Overlay),
}

/// Whether the node is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Way {
    #[default]
    Connecting,
    Live,
    /// Why, and for how many seconds.
    Lost(String, u64),
}

/// All that is shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) way: Way,
    pub(super) status: Option<Status>,
    pub(super) links: Vec<Link>,
    pub(super) members: List<Member>,
    /// How many there are at the node.
    pub(super) members_total: u64,
    pub(super) variables: List<Variable>,
    /// Newest first.
    pub(super) events: VecDeque<Event>,
    columns: Vec<String>,
    rows: VecDeque<Vec<u64>>,
    /// How many nodes held something else, for each row; nothing before the overlay was seen.
    divergence: VecDeque<Option<u64>>,
    /// State and fingerprint of each node, by id.
    overlay: BTreeMap<String, (String, String)>,
}

impl Model {
    /// Takes news in.
    pub(super) fn learn(&mut self, news: News) {
        match news {
            News::Connected => {
                self.way = Way::Live;
                self.events.clear(); // they come again, as this life of the node has them
            }
            News::Lost(why) => {
                let since = if let Way::Lost(_, since) = self.way { since } else { 0 };
                self.way = Way::Lost(why, since);
            }
            News::Status(status) => self.status = Some(status),
            News::Links(links) => self.links = links.links,
            News::Members(put, members) => {
                self.members_total = members.total;
                self.members.put(put, members.members, members.next);
            }
            News::Variables(put, Variables { mut variables, next }) => {
                let values = variables.iter_mut().filter_map(|variable| variable.value.as_mut());
                values.for_each(|value| value.truncate(value.floor_char_boundary(VALUE)));
                self.variables.put(put, variables, next);
            }
            News::Events(events) => self.add_events(events),
            News::Statistics(statistics) => self.add_rows(statistics),
            News::Overlay(overlay) => self.add_nodes(overlay),
        }
    }

    /// A second has passed.
    pub(super) const fn second(&mut self) {
        if let Way::Lost(_, seconds) = &mut self.way {
            *seconds += 1;
        }
    }

    fn add_events(&mut self, events: Vec<Event>) {
        let last = self.events.front().map_or(0, |event| event.seq);
        for event in events.into_iter().filter(|event| event.seq > last) {
            self.events.push_front(event);
        }
        self.events.truncate(EVENTS);
    }

    fn add_rows(&mut self, statistics: Statistics) {
        if let Some(columns) = statistics.columns {
            self.columns = columns;
            self.rows.clear();
            self.divergence.clear();
        }
        let count = statistics.rows.len();
        for (place, row) in statistics.rows.into_iter().enumerate() {
            if self.rows.len() == ROWS {
                self.rows.pop_front();
                self.divergence.pop_front();
            }
            self.rows.push_back(row);
            // Of the past nothing is known but the counts.
            self.divergence.push_back(if place + 1 == count { self.differing() } else { None });
        }
    }

    fn add_nodes(&mut self, overlay: Overlay) {
        if overlay.reset {
            self.overlay.clear();
        }
        for id in &overlay.removed {
            self.overlay.remove(id);
        }
        self.overlay.extend(overlay.nodes.into_iter().map(|node| (node.id, (node.state, node.fingerprint))));
        if let Some(last) = self.divergence.back().copied()
            && last.is_none()
        {
            self.divergence.pop_back();
            self.divergence.push_back(self.differing());
        }
    }

    /// How many nodes hold something else than this one; nothing before the overlay was seen.
    pub(super) fn differing(&self) -> Option<u64> {
        let (_, mine) = self.overlay.get(&self.status.as_ref()?.me.id)?;
        let others = self.overlay.values().filter(|(state, fingerprint)| {
            ["up", "isolated"].contains(&state.as_str()) && !fingerprint.is_empty() && fingerprint != mine
        });
        Some(others.count() as u64)
    }

    /// How many nodes of the overlay answer.
    pub(super) fn answering(&self) -> usize {
        self.overlay.values().filter(|(state, _)| ["up", "isolated"].contains(&state.as_str())).count()
    }

    /// Divergence, newest last.
    pub(super) fn divergence(&self) -> Vec<Option<u64>> {
        self.divergence.iter().copied().collect()
    }

    /// A column as it is, newest last.
    pub(super) fn level(&self, name: &str) -> Vec<Option<u64>> {
        let Some(column) = self.column(name) else { return Vec::new() };
        self.rows.iter().map(|row| row.get(column).copied()).collect()
    }

    /// How fast a column grows, a second, in thousandths, newest last. The first has no rate, nor has one before
    /// which the count began anew.
    pub(super) fn rate(&self, name: &str) -> Vec<Option<u64>> {
        let Some(column) = self.column(name) else { return Vec::new() };
        let rate = |(before, after): (&Vec<u64>, &Vec<u64>)| {
            let passed = after.first()?.checked_sub(*before.first()?).filter(|passed| *passed > 0)?;
            let grown = u128::from(after.get(column)?.checked_sub(*before.get(column)?)?);
            u64::try_from(grown * 1_000_000 / u128::from(passed)).ok()
        };
        let first = self.rows.iter().take(1).map(|_| None);
        first.chain(self.rows.iter().zip(self.rows.iter().skip(1)).map(rate)).collect()
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::api::{OverlayNode, Peer};
    use super::*;

    fn statistics(columns: &[&str], rows: &[&[u64]]) -> Statistics {
        let columns = (!columns.is_empty()).then(|| columns.iter().map(|&name| name.to_owned()).collect());
        Statistics { columns, rows: rows.iter().map(|row| row.to_vec()).collect() }
    }

    fn node(id: &str, state: &str, fingerprint: &str) -> OverlayNode {
        OverlayNode { id: id.to_owned(), state: state.to_owned(), fingerprint: fingerprint.to_owned() }
    }

    #[test]
    fn rates_are_per_second_and_unknown_where_a_count_began_anew() {
        let mut model = Model::default();
        model.learn(News::Statistics(statistics(&["at_ms", "updates"], &[&[1000, 5], &[2000, 7], &[4000, 8]])));
        model.learn(News::Statistics(statistics(&[], &[&[5000, 0], &[6000, 3]])));
        assert_eq!(model.rate("updates"), [None, Some(2000), Some(500), None, Some(3000)]);
        assert_eq!(model.level("updates").last(), Some(&Some(3)));
        assert_eq!(model.rate("no such"), []);
        model.learn(News::Statistics(statistics(&["at_ms", "updates"], &[&[1, 1]])));
        assert_eq!(model.level("updates"), [Some(1)], "columns begin anew");
    }

    #[test]
    fn counts_are_kept_for_ten_minutes() {
        let mut model = Model::default();
        model.learn(News::Statistics(statistics(&["at_ms"], &[])));
        (0..700).for_each(|second| model.learn(News::Statistics(statistics(&[], &[&[second]]))));
        assert_eq!((model.level("at_ms").len(), model.divergence().len()), (ROWS, ROWS));
        assert_eq!(model.level("at_ms")[0], Some(100));
    }

    #[test]
    fn divergence_counts_nodes_that_answer_and_hold_something_else() {
        let mut model = Model::default();
        assert_eq!(model.differing(), None);
        let me = Peer { id: "1".to_owned(), ..Peer::default() };
        model.learn(News::Status(Status { me, ..Status::default() }));
        model.learn(News::Statistics(statistics(&["at_ms"], &[&[1]])));
        assert_eq!(model.divergence(), [None]);
        let nodes = vec![
            node("1", "up", "a"),
            node("2", "up", "a"),
            node("3", "up", "b"),
            node("4", "gone", "c"),
            node("5", "up", ""),
        ];
        model.learn(News::Overlay(Overlay { reset: true, nodes, removed: Vec::new() }));
        assert_eq!((model.differing(), model.answering(), model.divergence()), (Some(1), 4, vec![Some(1)]));
        model.learn(News::Overlay(Overlay { reset: false, nodes: vec![], removed: vec!["3".to_owned()] }));
        assert_eq!(model.differing(), Some(0));
    }

    #[test]
    fn events_come_once_the_newest_first_and_boundedly_many() {
        let mut model = Model::default();
        let events = |seqs: std::ops::RangeInclusive<u64>| {
            News::Events(seqs.map(|seq| Event { seq, ..Event::default() }).collect())
        };
        model.learn(events(1..=3));
        model.learn(events(2..=4));
        assert_eq!(model.events.iter().map(|event| event.seq).collect::<Vec<_>>(), [4, 3, 2, 1]);
        model.learn(events(5..=2000));
        assert_eq!((model.events.len(), model.events[0].seq), (EVENTS, 2000));
        model.learn(News::Connected);
        assert!(model.events.is_empty());
    }

    #[test]
    fn a_node_is_lost_for_as_long_as_it_is_not_back() {
        let mut model = Model::default();
        model.learn(News::Lost("gone".to_owned()));
        model.second();
        model.learn(News::Lost("refused".to_owned()));
        model.second();
        assert_eq!(model.way, Way::Lost("refused".to_owned(), 2));
        model.learn(News::Connected);
        model.second();
        assert_eq!(model.way, Way::Live);
    }
}
