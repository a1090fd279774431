//! The files of one node in `nodes/`: samples as rows, looks and neighbours as lines of JSON, the record as JSON, for each of
//! its lives.

use crate::journal::Logs;
use crate::record::{NodeRecord, Sample};
use crate::replay;
use crate::watch::Written;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Writes one life of one node.
#[derive(Debug)]
pub struct Shelf {
    rows: File,
    looks: File,
    views: File,
    record: PathBuf,
}

/// The path of one life's files, but for their ending.
fn stem(dir: &Path, node: &str, incarnation: u64) -> PathBuf {
    dir.join("nodes").join(format!("{node}.{incarnation}"))
}

/// Where a life's rows are.
pub fn rows_path(dir: &Path, node: &str, incarnation: u64) -> PathBuf {
    stem(dir, node, incarnation).with_added_extension("csv")
}

/// Where a life's record is.
pub fn record_path(dir: &Path, node: &str, incarnation: u64) -> PathBuf {
    stem(dir, node, incarnation).with_added_extension("json")
}

/// Where a life's looks are.
pub fn looks_path(dir: &Path, node: &str, incarnation: u64) -> PathBuf {
    stem(dir, node, incarnation).with_added_extension("looks")
}

/// Where a life's neighbours are.
pub fn views_path(dir: &Path, node: &str, incarnation: u64) -> PathBuf {
    stem(dir, node, incarnation).with_added_extension("views")
}

/// Where a life's process id is.
pub fn pid_path(dir: &Path, node: &str, incarnation: u64) -> PathBuf {
    stem(dir, node, incarnation).with_added_extension("pid")
}

/// Where a life's complaints are.
pub fn log_path(dir: &Path, node: &str, incarnation: u64) -> PathBuf {
    stem(dir, node, incarnation).with_added_extension("log")
}

impl Shelf {
    /// The files of a life that begins.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(dir: &Path, node: &str, incarnation: u64) -> io::Result<Self> {
        let rows = File::create(rows_path(dir, node, incarnation))?;
        let looks = File::create(looks_path(dir, node, incarnation))?;
        let views = File::create(views_path(dir, node, incarnation))?;
        Ok(Self { rows, looks, views, record: record_path(dir, node, incarnation) })
    }

    /// Adds a row: in the kernel's hands when this returns, so that killing the process does not lose it.
    ///
    /// # Errors
    /// What the system says.
    pub fn row(&self, sample: &Sample) -> io::Result<()> {
        let mut line = sample.to_csv();
        line.push('\n');
        (&self.rows).write_all(line.as_bytes())
    }

    /// Adds a look.
    ///
    /// # Errors
    /// What the system says.
    pub fn look(&self, look: &Written) -> io::Result<()> {
        add_line(&self.looks, look)
    }

    /// Adds who the neighbours are from a moment on.
    ///
    /// # Errors
    /// What the system says.
    pub fn view(&self, view: &replay::Written) -> io::Result<()> {
        add_line(&self.views, view)
    }

    fn replace(&self, record: &NodeRecord) -> io::Result<()> {
        let json = serde_json::to_vec(record)?;
        let part = self.record.with_extension("part");
        fs::write(&part, json)?;
        fs::rename(part, &self.record)
    }
}

fn add_line(mut file: &File, what: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    file.write_all(&line)
}

impl Logs for Shelf {
    fn push(&self, record: &NodeRecord) {
        if let Err(error) = self.replace(record) {
            // The launcher finds the gap and names the node; here is the cause.
            eprintln!("cannot write {}: {error}", self.record.display());
        }
    }
}

/// Reads looks or neighbours; without one that was cut short by a crash, none if there is no file.
pub fn read_lines<T: DeserializeOwned>(path: &Path) -> Vec<T> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Reads a record; `None` if there is none or it is not one.
pub fn read_record(path: &Path) -> Option<NodeRecord> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
