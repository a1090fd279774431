//! `like`: `%` for any characters, `_` for one.

/// The longest pattern: matching may go through the text once for each of its characters.
pub(crate) const PATTERN_MAX: usize = 256;

/// A sign of a pattern.
#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Any,
    One,
    Plain(char),
}

/// Whether all of `text` matches; an `escape` at the end of the pattern stands for itself.
pub(crate) fn matches(text: &str, pattern: &str, escape: Option<char>) -> bool {
    let signs = signs(pattern, escape);
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut sign) = (0, 0);
    // Where to go on after a mismatch: the last `%`, and how far it had taken the text.
    let mut retry = None;
    while at < text.len() {
        match signs.get(sign) {
            Some(Sign::Any) => {
                retry = Some((sign + 1, at));
                sign += 1;
            }
            Some(Sign::One) => (at, sign) = (at + 1, sign + 1),
            Some(Sign::Plain(c)) if *c == text[at] => (at, sign) = (at + 1, sign + 1),
            _ => match &mut retry {
                Some((after, taken)) => {
                    *taken += 1;
                    (sign, at) = (*after, *taken);
                }
                None => return false,
            },
        }
    }
    signs[sign..].iter().all(|sign| *sign == Sign::Any)
}

fn signs(pattern: &str, escape: Option<char>) -> Vec<Sign> {
    let mut chars = pattern.chars();
    let mut signs = Vec::new();
    while let Some(c) = chars.next() {
        signs.push(match c {
            c if Some(c) == escape => Sign::Plain(chars.next().unwrap_or(c)),
            '%' => Sign::Any,
            '_' => Sign::One,
            c => Sign::Plain(c),
        });
    }
    signs
}

#[cfg(test)]
mod tests {
    use super::matches;
    use proptest::prelude::*;

    #[test]
    fn signs_stand_for_characters() {
        for (text, pattern) in [("", ""), ("", "%"), ("abc", "a%"), ("abc", "%c"), ("aéc", "a_c"), ("aXbXc", "a%X_")] {
            assert!(matches(text, pattern, None), "{text} like {pattern}");
        }
        for (text, pattern) in [("", "_"), ("abc", "a_"), ("abc", "b%"), ("abc", "%b"), ("a", "")] {
            assert!(!matches(text, pattern, None), "{text} not like {pattern}");
        }
        assert!(matches("50%", "50!%", Some('!')));
        assert!(!matches("500", "50!%", Some('!')));
        assert!(matches("a!", "a!", Some('!')));
    }

    /// By the definition: a `%` takes any number of characters.
    fn defined(text: &[char], pattern: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => (0..=text.len()).any(|n| defined(&text[n..], rest)),
            Some(('_', rest)) => !text.is_empty() && defined(&text[1..], rest),
            Some((c, rest)) => text.first() == Some(c) && defined(&text[1..], rest),
        }
    }

    proptest! {
        #[test]
        fn it_matches_as_defined(text in "[ab]{0,8}", pattern in "[ab%_]{0,6}") {
            let chars = |s: &str| s.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&text, &pattern, None), defined(&chars(&text), &chars(&pattern)));
        }
    }
}
