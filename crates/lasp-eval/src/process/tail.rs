//! Follows a file of samples while it is being written; rows that are not complete yet are left for the next look.

use crate::record::Sample;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

/// A place in a growing file.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    offset: u64,
}

impl Tail {
    /// Before the first row.
    pub const fn new(path: PathBuf) -> Self {
        Self { path, offset: 0 }
    }

    /// Adds the rows that have been completed since the last look.
    pub fn read(&mut self, into: &mut Vec<Sample>) {
        let Some(text) = self.rest() else { return };
        let complete = text.rfind('\n').map_or(0, |end| end + 1);
        self.offset += complete as u64;
        into.extend(text[..complete].lines().filter_map(Sample::from_csv));
    }

    fn rest(&self) -> Option<String> {
        let mut file = File::open(&self.path).ok()?;
        file.seek(SeekFrom::Start(self.offset)).ok()?;
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Flow;
    use crate::record::{Bytes, Role};
    use std::fs::OpenOptions;
    use std::io::Write as _;

    #[test]
    fn a_row_is_read_once_and_only_when_it_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        let row = Sample {
            t_us: 1,
            node: "a".into(),
            role: Role::Client,
            incarnation: 1,
            active_view: 0,
            bytes: Bytes::default(),
            frames: 0,
            observed: 0,
            own: 0,
            usage: None,
            queue_peak: 10,
            flow: Flow { eager_links: 10, ..Flow::default() },
        };
        let line = row.to_csv();
        let append = |text: &str| {
            OpenOptions::new().append(true).create(true).open(&path).unwrap().write_all(text.as_bytes()).unwrap();
        };
        let mut tail = Tail::new(path.clone());
        let mut rows = Vec::new();
        tail.read(&mut rows);
        append(&format!("{line}\n{}", &line[..line.len() - 1]));
        tail.read(&mut rows);
        assert_eq!(rows, std::slice::from_ref(&row));
        append("0\n");
        tail.read(&mut rows);
        tail.read(&mut rows);
        assert_eq!(rows, [row.clone(), row]);
    }
}
