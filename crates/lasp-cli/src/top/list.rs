//! A list that comes by parts, each with where the next begins; and how much of the lists is wanted.

use super::model::Model;
use super::rows::rows;
use super::view::{Pane, View};

/// Variables in a part. A guess: more than a screen has lines, and cheap to make.
pub(super) const VARIABLES: usize = 200;

/// Members in a part: as many as come at once.
pub(super) const MEMBERS: usize = 1000;

/// Most lines of a list that are kept; what is beyond is found by searching. A guess: more than anybody scrolls through.
pub(super) const MOST: usize = 10_000;

/// More is asked for when so few lines are left below the chosen one: two pages.
const NEAR: usize = 20;

/// Lines, by parts.
#[derive(Clone, Debug)]
pub(super) struct List<T>(Vec<(Vec<T>, Option<u64>)>);

/// Where a part belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// At the beginning of another list.
    Anew,
    /// In this place, where it was before or behind the last.
    At(usize),
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> List<T> {
    /// A part came, perhaps again. If the next one begins elsewhere than it did, what followed is forgotten.
    pub(super) fn put(&mut self, put: Put, lines: Vec<T>, next: Option<u64>) {
        let place = match put {
            Put::Anew => {
                self.0.clear();
                0
            }
            Put::At(place) => place,
        };
        let follows = self.0.get(place).is_some_and(|(_, old)| *old == next);
        if !follows {
            self.0.truncate(place);
        }
        if place < self.0.len() {
            self.0[place].0 = lines;
        } else if place == self.0.len() {
            self.0.push((lines, next));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flat_map(|(lines, _)| lines)
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|(lines, _)| lines.len()).sum()
    }

    /// Whether the node has more.
    pub(super) fn has_more(&self) -> bool {
        self.0.last().is_some_and(|(_, next)| next.is_some())
    }

    /// How many parts there are.
    pub(super) const fn parts(&self) -> usize {
        self.0.len()
    }

    /// Where a part begins; nothing if the one before is not there, or is the last.
    pub(super) fn begin(&self, place: usize) -> Option<u64> {
        match place.checked_sub(1) {
            None => Some(0),
            Some(before) => self.0.get(before).and_then(|(_, next)| *next),
        }
    }
}

/// How much of the lists is wanted from the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    /// What names of variables must contain.
    pub(super) search: String,
    /// Lines.
    pub(super) variables: usize,
    pub(super) members: usize,
}

impl Default for Reach {
    fn default() -> Self {
        Self { search: String::new(), variables: VARIABLES, members: MEMBERS }
    }
}

impl Reach {
    /// What is wanted now that this is looked at: more, where the chosen line is near the end of what there is. Among members,
    /// which the node does not search or sort, whoever does so wants all.
    #[must_use]
    pub(super) fn follow(&self, model: &Model, view: &View) -> Self {
        let mut reach = self.clone();
        let search = &view.of(Pane::Variables).search;
        if *search != reach.search {
            return Self { search: search.clone(), variables: VARIABLES, ..reach };
        }
        let look = view.look();
        let (variables, members) = (&model.variables, &model.members);
        let is_near = || look.selected + NEAR >= rows(model, view.pane, look).len();
        let wants_all = look.order > 0 || look.reversed || !look.search.is_empty();
        match view.pane {
            Pane::Variables if variables.has_more() && variables.len() >= reach.variables && is_near() => {
                reach.variables = (reach.variables + VARIABLES).min(MOST);
            }
            Pane::Members if members.has_more() && members.len() >= reach.members && (wants_all || is_near()) => {
                reach.members = (reach.members + MEMBERS).min(MOST);
            }
            _ => {}
        }
        reach
    }
}

#[cfg(test)]
mod tests {
    use super::super::api::{Member, Members, Variable, Variables};
    use super::super::model::News;
    use super::*;
    use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    #[test]
    fn parts_are_put_where_they_belong() {
        let mut list = List::default();
        list.put(Put::At(1), vec![9], None);
        assert_eq!((list.len(), list.begin(0), list.begin(1)), (0, Some(0), None), "nothing precedes it");
        list.put(Put::Anew, vec![1, 2], Some(2));
        list.put(Put::At(1), vec![3, 4], Some(5));
        list.put(Put::At(2), vec![5], None);
        assert_eq!((list.begin(1), list.begin(2), list.begin(3)), (Some(2), Some(5), None));
        list.put(Put::At(0), vec![1, 7], Some(2));
        assert_eq!((list.iter().copied().collect::<Vec<_>>(), list.has_more()), (vec![1, 7, 3, 4, 5], false));
        list.put(Put::At(0), vec![1, 2], Some(3));
        assert_eq!((list.iter().copied().collect::<Vec<_>>(), list.has_more()), (vec![1, 2], true));
        list.put(Put::At(1), vec![3], None);
        list.put(Put::Anew, vec![8], Some(3));
        assert_eq!((list.len(), list.parts(), list.has_more()), (1, 1, true));
    }

    fn variables(count: usize) -> News {
        News::Variables(Put::Anew, Variables { variables: vec![Variable::default(); count], next: Some(9) })
    }

    fn press(view: &mut View, code: KeyCode, lines: usize) {
        view.press(KeyEvent::new(code, KeyModifiers::NONE), lines);
    }

    #[test]
    fn whoever_comes_near_the_end_gets_more_until_there_is_no_more_room() {
        let (mut model, mut view, mut reach) = (Model::default(), View::default(), Reach::default());
        press(&mut view, KeyCode::Char('3'), 0);
        model.learn(variables(VARIABLES));
        assert_eq!(reach.follow(&model, &view), reach, "the first line is far from the end");
        press(&mut view, KeyCode::End, VARIABLES);
        reach = reach.follow(&model, &view);
        assert_eq!(reach.variables, 2 * VARIABLES);
        assert_eq!(reach.follow(&model, &view), reach, "until that has come");
        model.learn(variables(MOST));
        reach.variables = MOST;
        press(&mut view, KeyCode::End, MOST);
        assert_eq!(reach.follow(&model, &view), reach);
        press(&mut view, KeyCode::Char('/'), MOST);
        press(&mut view, KeyCode::Char('a'), MOST);
        let searched = Reach { search: "a".to_owned(), ..Reach::default() };
        assert_eq!(reach.follow(&model, &view), searched, "what is found begins anew");
    }

    #[test]
    fn whoever_searches_or_sorts_members_wants_them_all() {
        let members = Members { total: 5000, members: vec![Member::default(); MEMBERS], next: Some(1000) };
        let mut model = Model::default();
        model.learn(News::Members(Put::Anew, members));
        for keys in ["2/x", "2s", "2r"] {
            let (mut view, reach) = (View::default(), Reach::default());
            press(&mut view, KeyCode::Char('2'), 0);
            assert_eq!(reach.follow(&model, &view), reach);
            keys.chars().for_each(|key| press(&mut view, KeyCode::Char(key), MEMBERS));
            assert_eq!(reach.follow(&model, &view).members, 2 * MEMBERS, "{keys}");
        }
    }
}
