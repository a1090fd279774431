//! Settings from a TOML file, with errors that say where and what instead.

use super::{KEYS, Settings};
use std::path::{Path, PathBuf};
use thiserror::Error;
use toml::de::DeTable;

/// Why a file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read the configuration file {}: {problem}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        problem: String,
    },
    /// A key that does not exist.
    #[error("{}:{line}: unknown key `{key}`; {}", path.display(), suggestion(.nearest))]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// The key that was probably meant.
        nearest: Option<&'static str>,
    },
    /// Not TOML, or a value of the wrong type.
    #[error("{}:{line}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    match nearest {
        Some(key) => format!("did you mean `{key}`?"),
        None => format!("the keys are {}", KEYS.join(", ")),
    }
}

impl Settings {
    /// Reads a file.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn from_file(path: &Path) -> Result<Self, FileError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| FileError::Unreadable { path: path.to_owned(), problem: error.to_string() })?;
        Self::from_toml(&text, path)
    }

    /// Reads a file's text; `path` is for messages.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn from_toml(text: &str, path: &Path) -> Result<Self, FileError> {
        let malformed = |error: toml::de::Error| FileError::Malformed {
            path: path.to_owned(),
            line: line(text, error.span().map_or(0, |span| span.start)),
            problem: error.message().to_owned(),
        };
        let table = DeTable::parse(text).map_err(malformed)?;
        let unknown = table.get_ref().keys().filter(|key| !KEYS.contains(&key.get_ref().as_ref()));
        if let Some(key) = unknown.min_by_key(|key| key.span().start) {
            return Err(FileError::UnknownKey {
                path: path.to_owned(),
                line: line(text, key.span().start),
                key: key.get_ref().to_string(),
                nearest: nearest(key.get_ref()),
            });
        }
        toml::from_str(text).map_err(malformed)
    }
}

fn line(text: &str, at: usize) -> usize {
    1 + text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count()
}

/// The key nearest to `found`, unless all are far. `-` counts as `_`.
fn nearest(found: &str) -> Option<&'static str> {
    let found = found.replace('-', "_");
    let (distance, key) = KEYS.into_iter().map(|key| (distance(&found, key), key)).min()?;
    (distance <= 1 + key.len() / 3).then_some(key)
}

/// Levenshtein distance: O(length of a × length of b).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Membership;
    use std::time::Duration;

    fn error(text: &str) -> String {
        Settings::from_toml(text, Path::new("etc/lasp.toml")).expect_err("refused").to_string()
    }

    #[test]
    fn a_file_sets_what_it_names() {
        let text = "name = \"edge-7\"\njoin = [\"a:1\", \"b:2\"]\nmembership = \"full\"\njoin_timeout = \"10s\"\n";
        let settings = Settings::from_toml(text, Path::new("lasp.toml"));
        let expected = Settings {
            name: Some("edge-7".to_owned()),
            join: Some(vec!["a:1".to_owned(), "b:2".to_owned()]),
            membership: Some(Membership::FULL),
            join_timeout: Some(Duration::from_secs(10)),
            ..Settings::default()
        };
        assert_eq!(settings, Ok(expected));
    }

    #[test]
    fn an_unknown_key_is_named_with_file_line_and_the_nearest_key() {
        let text = "name = \"a\"\n\nclustre = \"b\"\n";
        assert_eq!(error(text), "etc/lasp.toml:3: unknown key `clustre`; did you mean `cluster`?");
        assert_eq!(error("data-dir = 'x'"), "etc/lasp.toml:1: unknown key `data-dir`; did you mean `data_dir`?");
        assert!(error("frobnicate = 1").starts_with("etc/lasp.toml:1: unknown key `frobnicate`; the keys are name,"));
    }

    #[test]
    fn a_value_of_the_wrong_type_is_told_with_its_line() {
        let wrong = error("cluster = 'x'\nname = 7\n");
        assert!(wrong.starts_with("etc/lasp.toml:2: invalid type: integer `7`, expected a string"), "{wrong}");
        let wrong = error("membership = 'swim'");
        assert!(wrong.starts_with("etc/lasp.toml:1: unknown membership \"swim\": one of hyparview, full"), "{wrong}");
    }

    #[test]
    fn what_is_not_toml_is_told_with_its_line() {
        assert!(error("name = 'a'\nname").starts_with("etc/lasp.toml:2: "));
    }

    #[test]
    fn a_file_that_is_not_there_is_told() {
        let error = Settings::from_file(Path::new("/no/such/lasp.toml")).expect_err("refused").to_string();
        assert!(error.starts_with("cannot read the configuration file /no/such/lasp.toml: No such file"), "{error}");
    }
}
