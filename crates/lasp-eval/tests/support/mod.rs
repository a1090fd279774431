//! What tests of experiments on overlays share: a run in a folder of its own, and a look at its figures.

use lasp_eval::aggregate::Overall;
use lasp_eval::config::Config;
use lasp_eval::figure::{Figure, Varied};
use lasp_eval::progress::Stop;
use lasp_eval::run::{Context, evaluate};
use std::collections::BTreeMap;

/// Runs an evaluation; its archive is `out` in the folder.
pub(crate) fn run(config: &Config) -> (Overall, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("out");
    let context = Context { dir: &dir, exe: "lasp".as_ref(), date: "today", stop: Stop::default(), page: None };
    let overall = evaluate(config, &context, &mut ()).unwrap();
    (overall, home)
}

/// A figure that is a curve.
pub(crate) fn curve<'a>(overall: &'a Overall, name: &str) -> &'a BTreeMap<String, Varied> {
    match &overall.summary.results[name] {
        Figure::Curve(points) => points,
        other => panic!("{name}: {other:?}"),
    }
}
