//! Every program in `examples/` prints what its `.out` file says. To write those files anew:
//! `cargo test -p lasp --test examples -- --ignored`.

#![allow(dead_code, reason = "each program's `main`")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[path = "../examples/ad_counter.rs"]
mod ad_counter;
#[path = "../examples/counter.rs"]
mod counter;
#[path = "../examples/dashboard.rs"]
mod dashboard;
#[path = "../examples/leaderboard.rs"]
mod leaderboard;
#[path = "../examples/orders.rs"]
mod orders;
#[path = "../examples/presence.rs"]
mod presence;
#[path = "../examples/turnover.rs"]
mod turnover;
#[path = "../examples/two_nodes.rs"]
mod two_nodes;

const EXAMPLES: [&str; 8] =
    ["ad_counter", "counter", "dashboard", "leaderboard", "orders", "presence", "turnover", "two_nodes"];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// What an example prints.
async fn printed(name: &str) -> String {
    let mut out = Vec::new();
    let run = async {
        match name {
            "ad_counter" => ad_counter::run(&mut out).await,
            "counter" => counter::run(&mut out).await,
            "dashboard" => dashboard::run(&mut out).await,
            "leaderboard" => leaderboard::run(&mut out).await,
            "orders" => orders::run(&mut out).await,
            "presence" => presence::run(&mut out).await,
            "turnover" => turnover::run(&mut out).await,
            "two_nodes" => two_nodes::run(&mut out).await,
            _ => panic!("{name} is no example"),
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(60), run).await.unwrap_or_else(|_| panic!("{name} hangs"));
    done.unwrap_or_else(|error| panic!("{name}: {error}"));
    String::from_utf8(out).expect("text")
}

#[tokio::test]
async fn every_example_prints_what_it_should() {
    for name in EXAMPLES {
        let expected = fs::read_to_string(directory().join(name).with_extension("out")).expect("an .out file");
        assert_eq!(printed(name).await, expected, "{name}");
    }
}

#[test]
fn no_example_is_left_out() {
    let files = fs::read_dir(directory()).expect("there are examples").map(|file| file.expect("readable").path());
    let programs = files.filter(|file| file.extension().is_some_and(|extension| extension == "rs"));
    let programs: BTreeSet<_> = programs.filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())).collect();
    assert!(programs.iter().eq(EXAMPLES), "{programs:?}");
}

#[tokio::test]
#[ignore = "writes the files that the other test compares with"]
async fn bless() {
    for name in EXAMPLES {
        fs::write(directory().join(name).with_extension("out"), printed(name).await).expect("writable");
    }
}
