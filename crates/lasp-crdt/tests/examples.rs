//! Every program in `examples/` prints what its `.out` file says. To write those files anew:
//! `cargo test -p lasp-crdt --test examples -- --ignored`.

#![allow(dead_code, reason = "each program's `main`")]

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "../examples/cart.rs"]
mod cart;
#[path = "../examples/derived.rs"]
mod derived;
#[path = "../examples/friends.rs"]
mod friends;
#[path = "../examples/game_player.rs"]
mod game_player;
#[path = "../examples/profile.rs"]
mod profile;
#[path = "../examples/settings.rs"]
mod settings;
#[path = "../examples/short_lived.rs"]
mod short_lived;
#[path = "../examples/stock.rs"]
mod stock;
#[path = "../examples/sync.rs"]
mod sync;

type Run = fn(&mut Vec<u8>) -> Result<(), Box<dyn Error>>;

const EXAMPLES: [(&str, Run); 9] = [
    ("cart", cart::run),
    ("derived", derived::run),
    ("friends", friends::run),
    ("game_player", game_player::run),
    ("profile", profile::run),
    ("settings", settings::run),
    ("short_lived", short_lived::run),
    ("stock", stock::run),
    ("sync", sync::run),
];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// What an example prints.
fn printed(name: &str, run: Run) -> String {
    let mut out = Vec::new();
    run(&mut out).unwrap_or_else(|error| panic!("{name}: {error}"));
    String::from_utf8(out).expect("text")
}

#[test]
fn every_example_prints_what_it_should() {
    for (name, run) in EXAMPLES {
        let expected = fs::read_to_string(directory().join(name).with_extension("out")).expect("an .out file");
        assert_eq!(printed(name, run), expected, "{name}");
    }
}

#[test]
fn no_example_is_left_out() {
    let files = fs::read_dir(directory()).expect("there are examples").map(|file| file.expect("readable").path());
    let programs = files.filter(|file| file.extension().is_some_and(|extension| extension == "rs"));
    let programs: BTreeSet<_> = programs.filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())).collect();
    assert!(programs.iter().eq(EXAMPLES.map(|(name, _)| name)), "{programs:?}");
}

#[test]
#[ignore = "writes the files that the other test compares with"]
#[expect(clippy::disallowed_methods, reason = "what they print is in files")]
fn bless() {
    for (name, run) in EXAMPLES {
        fs::write(directory().join(name).with_extension("out"), printed(name, run)).expect("writable");
    }
}
