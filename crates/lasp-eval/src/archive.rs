//! The directory that an evaluation leaves behind: `report.html`, `plots/`, `metrics.csv`, `moments.csv`, `variables.csv`,
//! `summary.json`, `config.toml`, and in real processes `nodes/`, what each of them wrote.

use crate::aggregate::Overall;
use crate::config::Config;
use crate::plot::{Chart, draw};
use crate::record::{Sample, csv_header};
use crate::replay::{self, Colors, Replay};
use crate::report::{self, Page};
use crate::scenario;
use crate::watch::{self, Moment};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file or directory that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {why}", path.display())]
pub struct ArchiveError {
    /// Which.
    pub path: PathBuf,
    /// What the system said.
    pub why: io::Error,
}

/// A directory that can be written to.
#[derive(Clone, Debug)]
pub struct Archive {
    dir: PathBuf,
}

impl Archive {
    /// Creates the directory and proves, before anything is started, that files can be written there.
    ///
    /// # Errors
    /// [`ArchiveError`], also if the directory already holds a report: nothing is overwritten.
    pub fn create(dir: &Path) -> Result<Self, ArchiveError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |why| ArchiveError { path, why }
        };
        fs::create_dir_all(dir.join("plots")).map_err(failed(dir))?;
        if dir.join("summary.json").exists() {
            let why =
                io::Error::new(io::ErrorKind::AlreadyExists, "it holds an earlier evaluation; choose another --out");
            return Err(failed(dir)(why));
        }
        let archive = Self { dir: dir.to_owned() };
        archive.write("summary.json.part", b"")?;
        fs::remove_file(dir.join("summary.json.part")).map_err(failed(dir))?;
        Ok(archive)
    }

    /// The archive of run `index` inside this one.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn run(&self, index: usize) -> Result<Self, ArchiveError> {
        Self::create(&self.dir.join(format!("run-{}", index + 1)))
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes `config.toml`.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn config(&self, config: &Config) -> Result<(), ArchiveError> {
        self.write("config.toml", config.to_toml().as_bytes())
    }

    /// Writes `metrics.csv`: every sample of every node, by time.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn metrics(&self, samples: &[Sample]) -> Result<(), ArchiveError> {
        let mut text = String::with_capacity(150 * (samples.len() + 1));
        let _ = writeln!(text, "{}", csv_header());
        for sample in samples {
            let _ = writeln!(text, "{}", sample.to_csv());
        }
        self.write("metrics.csv", text.as_bytes())
    }

    /// Writes `moments.csv` and `variables.csv`: all nodes at once, now and then.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn moments(&self, moments: &[Moment]) -> Result<(), ArchiveError> {
        self.write("moments.csv", watch::moments_csv(moments).as_bytes())?;
        self.write("variables.csv", watch::variables_csv(moments).as_bytes())
    }

    /// Writes the plots, the page and, last, `summary.json`: where that is, all else is too. What took an hour is not lost
    /// because somebody removed the directory meanwhile.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn report(
        &self,
        config: &Config,
        overall: &Overall,
        charts: &[Chart],
        replay: &Replay,
        date: &str,
    ) -> Result<(), ArchiveError> {
        let plots = self.dir.join("plots");
        fs::create_dir_all(&plots).map_err(|why| ArchiveError { path: plots, why })?;
        self.config(config)?;
        for chart in charts {
            self.write(&format!("plots/{}.svg", chart.id), draw::svg(chart).as_bytes())?;
            let png = draw::png(chart)
                .map_err(|why| ArchiveError { path: self.dir.join("plots"), why: io::Error::other(why) })?;
            self.write(&format!("plots/{}.png", chart.id), &png)?;
        }
        if !replay.is_empty() {
            self.write("plots/overlay.svg", replay::svg(replay, scenario::named, Colors::File).as_bytes())?;
        }
        let rerun = Self::rerun(&self.dir);
        let page = Page { config, overall, charts, replay, date, rerun: &rerun };
        self.write("report.html", report::html(&page).as_bytes())?;
        let mut json = serde_json::to_string_pretty(overall)
            .map_err(|why| ArchiveError { path: self.dir.join("summary.json"), why: why.into() })?;
        json.push('\n');
        self.write("summary.json", json.as_bytes())
    }

    /// The command that runs the evaluation archived in `dir` again.
    pub fn rerun(dir: &Path) -> String {
        let path = dir.join("config.toml").display().to_string();
        let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c));
        if plain {
            format!("lasp eval --config {path}")
        } else {
            format!("lasp eval --config '{}'", path.replace('\'', "'\\''"))
        }
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), ArchiveError> {
        let path = self.dir.join(name);
        fs::write(&path, content).map_err(|why| ArchiveError { path, why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::aggregate;
    use crate::plot::{charts, tests::made_up};

    #[test]
    fn an_archive_holds_everything_and_is_not_overwritten() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("new/report");
        let archive = Archive::create(&dir).unwrap();
        let config = Config::default();
        let run = made_up(&config, 0);
        let overall = aggregate(vec![run.summary.clone()]).unwrap();
        archive.config(&config).unwrap();
        archive.metrics(&[]).unwrap();
        archive.report(&config, &overall, &charts(&config, &[run]), &Replay::default(), "today").unwrap();
        for name in ["report.html", "plots/divergence.svg", "plots/divergence.png", "metrics.csv", "config.toml"] {
            assert!(dir.join(name).is_file(), "{name}");
        }
        let json: Overall = serde_json::from_slice(&fs::read(dir.join("summary.json")).unwrap()).unwrap();
        assert_eq!(json, overall);
        assert_eq!(Config::read(&dir.join("config.toml")).unwrap(), config);
        assert!(Archive::create(&dir).unwrap_err().to_string().contains("choose another --out"));
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Archive::create(&file.join("report")).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot write {}", file.join("report").display())), "{error}");
    }

    #[test]
    fn the_command_to_run_again_survives_a_shell() {
        let home = tempfile::tempdir().unwrap();
        let again = Archive::rerun(&home.path().join("a b"));
        assert!(again.contains("--config '/") && again.ends_with("a b/config.toml'"));
    }
}
