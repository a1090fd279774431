//! What of the model is looked at: a pane, a line, an order, a search; and what each key makes of that. A state machine that
//! knows no terminal but its keys.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// Longest search, in characters. A guess: what fits on a line.
const MAX_SEARCH: usize = 60;

/// How far a page goes.
const PAGE: usize = 10;

/// What is listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pane {
    #[default]
    Links,
    Members,
    Variables,
    Events,
}

impl Pane {
    pub(super) const ALL: [Self; 4] = [Self::Links, Self::Members, Self::Variables, Self::Events];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Links => "Links",
            Self::Members => "Members",
            Self::Variables => "Variables",
            Self::Events => "Events",
        }
    }

    /// By what its lines can be sorted; the first is how it begins.
    pub(super) const fn orders(self) -> &'static [&'static str] {
        match self {
            Self::Links => &["id", "round trip", "waiting"],
            Self::Members => &["id", "standing", "view"],
            Self::Variables => &["change", "size", "name"],
            Self::Events => &["time", "kind"],
        }
    }
}

/// What is looked at in one pane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Which line.
    pub(super) selected: usize,
    /// Which of the pane's orders.
    pub(super) order: usize,
    pub(super) reversed: bool,
    /// What lines must contain.
    pub(super) search: String,
}

/// What is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    pub(super) pane: Pane,
    looks: [Look; Pane::ALL.len()],
    /// Whether keys go into the search.
    pub(super) typing: bool,
    pub(super) help: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Draw, and ask for more where it is wanted.
    Go,
    Quit,
}

impl View {
    /// What is looked at in a pane.
    pub(super) const fn of(&self, pane: Pane) -> &Look {
        &self.looks[pane as usize]
    }

    /// What is looked at in the pane that is shown.
    pub(super) const fn look(&self) -> &Look {
        self.of(self.pane)
    }

    const fn look_mut(&mut self) -> &mut Look {
        &mut self.looks[self.pane as usize]
    }

    /// Takes a key; `lines` are there in the pane that is shown.
    pub(super) fn press(&mut self, key: KeyEvent, lines: usize) -> Next {
        if key.kind == KeyEventKind::Release {
            return Next::Go;
        }
        let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if with_control => Next::Quit,
            _ if with_control => Next::Go,
            code if self.typing => {
                self.type_in(code);
                Next::Go
            }
            _ if self.help => {
                self.help = false;
                Next::Go
            }
            code => self.command(code, lines),
        }
    }

    fn command(&mut self, code: KeyCode, lines: usize) -> Next {
        let last = lines.saturating_sub(1);
        match code {
            KeyCode::Char('q') => return Next::Quit,
            KeyCode::Char('?' | 'h') | KeyCode::F(1) => self.help = true,
            KeyCode::Char('/') => self.typing = true,
            KeyCode::Esc => self.search(String::new()),
            KeyCode::Tab | KeyCode::Right => self.turn(1),
            KeyCode::BackTab | KeyCode::Left => self.turn(Pane::ALL.len() - 1),
            KeyCode::Char(digit @ '1'..='4') => self.pane = Pane::ALL[digit as usize - '1' as usize],
            KeyCode::Char('s') => self.resort(),
            KeyCode::Char('r') => self.look_mut().reversed ^= true,
            KeyCode::Up | KeyCode::Char('k') => self.go(|at| at.saturating_sub(1), last),
            KeyCode::Down | KeyCode::Char('j') => self.go(|at| at + 1, last),
            KeyCode::PageUp => self.go(|at| at.saturating_sub(PAGE), last),
            KeyCode::PageDown => self.go(|at| at + PAGE, last),
            KeyCode::Home | KeyCode::Char('g') => self.go(|_| 0, last),
            KeyCode::End | KeyCode::Char('G') => self.go(|_| last, last),
            _ => {}
        }
        Next::Go
    }

    fn type_in(&mut self, code: KeyCode) {
        let mut search = self.look().search.clone();
        match code {
            KeyCode::Enter => self.typing = false,
            KeyCode::Esc => {
                self.typing = false;
                search.clear();
            }
            KeyCode::Backspace => _ = search.pop(),
            KeyCode::Char(typed) if search.chars().count() < MAX_SEARCH => search.push(typed),
            _ => {}
        }
        self.search(search)
    }

    fn search(&mut self, search: String) {
        let look = self.look_mut();
        if look.search != search {
            (look.search, look.selected) = (search, 0);
        }
    }

    const fn turn(&mut self, by: usize) {
        self.pane = Pane::ALL[(self.pane as usize + by) % Pane::ALL.len()];
    }

    fn resort(&mut self) {
        let orders = self.pane.orders().len();
        let look = self.look_mut();
        look.order = (look.order + 1) % orders;
    }

    /// Goes to a line; lines may have become fewer since.
    fn go(&mut self, to: impl Fn(usize) -> usize, last: usize) {
        let look = self.look_mut();
        look.selected = to(look.selected.min(last)).min(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(view: &mut View, code: KeyCode) -> Next {
        view.press(KeyEvent::new(code, KeyModifiers::NONE), 25)
    }

    fn type_text(view: &mut View, text: &str) -> Vec<Next> {
        text.chars().map(|typed| press(view, KeyCode::Char(typed))).collect()
    }

    #[test]
    fn panes_follow_each_other_both_ways() {
        let mut view = View::default();
        let mut there = Vec::new();
        for code in [KeyCode::Tab, KeyCode::Right, KeyCode::Tab, KeyCode::Tab, KeyCode::BackTab, KeyCode::Left] {
            assert_eq!(press(&mut view, code), Next::Go);
            there.push(view.pane);
        }
        use Pane::{Events, Links, Members, Variables};
        assert_eq!(there, [Members, Variables, Events, Links, Events, Variables]);
        press(&mut view, KeyCode::Char('2'));
        assert_eq!(view.pane, Members);
    }

    #[test]
    fn a_selection_stays_among_the_lines() {
        let mut view = View::default();
        let mut go = |code| {
            press(&mut view, code);
            view.look().selected
        };
        assert_eq!(
            [KeyCode::Up, KeyCode::Down, KeyCode::PageDown, KeyCode::End, KeyCode::Down].map(&mut go),
            [0, 1, 11, 24, 24]
        );
        assert_eq!(
            [KeyCode::PageUp, KeyCode::Char('k'), KeyCode::Home, KeyCode::Char('j')].map(&mut go),
            [14, 13, 0, 1]
        );
        // Lines that were there are gone.
        press(&mut view, KeyCode::End);
        view.press(KeyEvent::new(KeyCode::Down, KeyModifiers::NONE), 3);
        assert_eq!(view.look().selected, 2);
        view.press(KeyEvent::new(KeyCode::Down, KeyModifiers::NONE), 0);
        assert_eq!(view.look().selected, 0);
    }

    #[test]
    fn a_search_takes_keys_that_are_commands_otherwise() {
        let mut view = View::default();
        press(&mut view, KeyCode::Down);
        press(&mut view, KeyCode::Char('/'));
        assert_eq!(type_text(&mut view, "q?s"), [Next::Go; 3]);
        assert_eq!(
            (view.look().search.as_str(), view.look().selected, view.typing, view.help),
            ("q?s", 0, true, false)
        );
        press(&mut view, KeyCode::Backspace);
        press(&mut view, KeyCode::Enter);
        assert_eq!((view.look().search.as_str(), view.typing), ("q?", false));
        press(&mut view, KeyCode::Esc);
        assert_eq!(view.look().search, "");
        press(&mut view, KeyCode::Char('/'));
        type_text(&mut view, &"x".repeat(200));
        assert_eq!(view.look().search.len(), MAX_SEARCH);
        press(&mut view, KeyCode::Esc);
        assert_eq!((view.look().search.as_str(), view.typing), ("", false));
    }

    #[test]
    fn each_pane_has_its_own_order() {
        let mut view = View::default();
        type_text(&mut view, "s3ssr");
        assert_eq!((view.of(Pane::Links).order, view.of(Pane::Links).reversed), (1, false));
        assert_eq!((view.of(Pane::Variables).order, view.of(Pane::Variables).reversed), (2, true));
        type_text(&mut view, "s");
        assert_eq!(view.look().order, 0, "from the beginning");
    }

    #[test]
    fn any_key_ends_the_help_and_control_c_everything() {
        let mut view = View::default();
        press(&mut view, KeyCode::Char('?'));
        assert!(view.help);
        assert_eq!(press(&mut view, KeyCode::Char('q')), Next::Go);
        assert!(!view.help);
        assert_eq!(press(&mut view, KeyCode::Char('q')), Next::Quit);
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        press(&mut view, KeyCode::Char('/'));
        assert_eq!(view.press(interrupt, 0), Next::Quit, "also while one types");
        let released =
            KeyEvent { kind: KeyEventKind::Release, ..KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE) };
        assert_eq!(View::default().press(released, 0), Next::Go);
    }
}
