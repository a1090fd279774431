//! The lines of each pane: found, sorted, written.

use super::api::{Event, Link, Member, Variable};
use super::model::Model;
use super::show::{age, bytes, microseconds};
use super::view::{Look, Pane};
use std::cmp::Ordering;

/// A column: its title, its width (0: what is left), and whether it holds numbers, which stand on the right.
pub(super) type Column = (&'static str, u16, bool);

/// The columns of a pane.
pub(super) const fn columns(pane: Pane) -> &'static [Column] {
    match pane {
        Pane::Links => &[
            ("ID", 16, false),
            ("TREE", 5, false),
            ("ROUND TRIP", 10, true),
            ("WAITING", 7, true),
            ("UNDER WAY", 9, true),
            ("ADDRESS", 0, false),
        ],
        Pane::Members => &[
            ("ID", 16, false),
            ("STANDING", 8, false),
            ("VIEW", 7, false),
            ("REACHABLE", 9, false),
            ("ADDRESS", 0, false),
        ],
        Pane::Variables => &[
            ("NAME", 0, false),
            ("TYPE", 10, false),
            ("ELEMENTS", 8, true),
            ("SIZE", 8, true),
            ("CHANGED", 8, true),
            ("VALUE", 0, false),
        ],
        Pane::Events => &[("AGO", 8, true), ("KIND", 9, false), ("NODE", 16, false), ("WHAT", 0, false)],
    }
}

/// The lines of a pane, by its columns.
pub(super) fn rows(model: &Model, pane: Pane, look: &Look) -> Vec<Vec<String>> {
    match pane {
        Pane::Links => chosen(model.links.iter().map(|it| (it, link(it))), look, |a, b| match look.order {
            1 => b.rtt_us.cmp(&a.rtt_us), // longest first
            2 => (b.waiting, b.in_flight).cmp(&(a.waiting, a.in_flight)),
            _ => a.peer.id.cmp(&b.peer.id),
        }),
        Pane::Members => chosen(model.members.iter().map(|it| (it, member(it))), look, |a, b| {
            let by = match look.order {
                1 => b.standing.cmp(&a.standing), // suspects first
                2 => (b.active, b.passive).cmp(&(a.active, a.passive)),
                _ => Ordering::Equal,
            };
            by.then_with(|| a.peer.id.cmp(&b.peer.id))
        }),
        Pane::Variables => {
            let now = model.status.as_ref().map_or(0, |status| status.now_ms);
            chosen(model.variables.iter().map(|it| (it, variable(it, now))), look, |a, b| {
                let by = match look.order {
                    0 => b.since_ms().cmp(&a.since_ms()), // latest first
                    1 => size(b).cmp(&size(a)),
                    _ => Ordering::Equal,
                };
                by.then_with(|| a.name.cmp(&b.name))
            })
        }
        Pane::Events => {
            let now = model.status.as_ref().map_or(0, |status| status.now_ms);
            chosen(model.events.iter().map(|it| (it, event(it, now))), look, |a, b| {
                let by = if look.order == 1 { a.kind.cmp(&b.kind) } else { Ordering::Equal };
                by.then_with(|| b.seq.cmp(&a.seq))
            })
        }
    }
}

/// Those that contain what is searched, in order.
fn chosen<'a, T: 'a>(
    all: impl Iterator<Item = (&'a T, Vec<String>)>,
    look: &Look,
    order: impl Fn(&T, &T) -> Ordering,
) -> Vec<Vec<String>> {
    let search = look.search.to_lowercase();
    let found = |cells: &[String]| cells.iter().any(|cell| cell.to_lowercase().contains(&search));
    let mut list: Vec<(&T, Vec<String>)> = all.filter(|(_, cells)| search.is_empty() || found(cells)).collect();
    list.sort_by(|(a, _), (b, _)| if look.reversed { order(b, a) } else { order(a, b) });
    list.into_iter().map(|(_, cells)| cells).collect()
}

fn link(link: &Link) -> Vec<String> {
    vec![
        link.peer.id.clone(),
        if link.eager { "eager" } else { "lazy" }.to_owned(),
        link.rtt_us.map_or_else(|| "-".to_owned(), microseconds),
        link.waiting.to_string(),
        bytes(link.in_flight),
        link.peer.addr.clone(),
    ]
}

fn member(member: &Member) -> Vec<String> {
    let view = match (member.active, member.passive) {
        (true, _) => "active",
        (false, true) => "passive",
        (false, false) => "-",
    };
    vec![
        member.peer.id.clone(),
        member.standing.clone().unwrap_or_else(|| "-".to_owned()),
        view.to_owned(),
        if member.reachable { "yes" } else { "no" }.to_owned(),
        member.peer.addr.clone(),
    ]
}

/// Encoded size; where nobody knows it, it is large.
const fn size(variable: &Variable) -> u64 {
    match variable.bytes {
        Some(bytes) => bytes,
        None => u64::MAX,
    }
}

fn variable(variable: &Variable, now: u64) -> Vec<String> {
    let value = match (&variable.value, variable.errors) {
        (_, errors) if errors > 0 => format!("failed on {errors}"),
        (Some(value), _) => value.clone(),
        (None, _) => "(large)".to_owned(),
    };
    vec![
        variable.name.clone(),
        variable.ty.clone(),
        variable.elements.map_or_else(|| "-".to_owned(), |elements| elements.to_string()),
        variable.bytes.map_or_else(|| "large".to_owned(), bytes),
        variable.since_ms().map_or_else(|| "-".to_owned(), |since| age(now.saturating_sub(since))),
        value,
    ]
}

fn event(event: &Event, now: u64) -> Vec<String> {
    vec![
        age(now.saturating_sub(event.at_ms)),
        event.kind.clone(),
        event.node.clone().unwrap_or_default(),
        event.detail.clone(),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::api::Variables;
    use super::super::list::Put;
    use super::super::model::News;
    use super::*;

    fn model() -> Model {
        let mut model = Model::default();
        let variable = |name: &str, bytes, seen_since_ms| Variable {
            name: name.to_owned(),
            bytes,
            seen_since_ms: Some(seen_since_ms),
            ..Variable::default()
        };
        let variables = vec![variable("ads", Some(10), 3), variable("Bids", None, 2), variable("clicks", Some(30), 5)];
        model.learn(News::Variables(Put::Anew, Variables { variables, next: None }));
        model
    }

    fn names(look: &Look) -> Vec<String> {
        rows(&model(), Pane::Variables, look).into_iter().map(|row| row[0].clone()).collect()
    }

    #[test]
    fn variables_are_sorted_by_change_size_and_name() {
        let by = |order, reversed| names(&Look { order, reversed, ..Look::default() });
        assert_eq!(by(0, false), ["clicks", "ads", "Bids"]);
        assert_eq!(by(1, false), ["Bids", "clicks", "ads"]);
        assert_eq!(by(2, false), ["Bids", "ads", "clicks"]);
        assert_eq!(by(1, true), ["ads", "clicks", "Bids"]);
    }

    #[test]
    fn a_search_finds_whatever_the_case_in_any_column() {
        let of = |search: &str| names(&Look { search: search.to_owned(), ..Look::default() });
        assert_eq!(of("BID"), ["Bids"]);
        assert_eq!(of("30 B"), ["clicks"], "by its size");
        assert_eq!(of("nothing"), Vec::<String>::new());
    }

    #[test]
    fn every_line_has_the_columns_of_its_pane() {
        let lines = [
            (Pane::Links, link(&Link::default())),
            (Pane::Members, member(&Member::default())),
            (Pane::Variables, variable(&Variable::default(), 0)),
            (Pane::Events, event(&Event::default(), 0)),
        ];
        for (pane, line) in lines {
            assert_eq!(line.len(), columns(pane).len(), "{pane:?}");
        }
    }
}
