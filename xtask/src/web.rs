//! The live view in a real browser: `cargo xtask web`.
//!
//! Sixteen real nodes, Debian's Chromium without a screen, driven over WebDriver (W3C) by its `chromedriver`: no packages of
//! another language, no library. What is seen is checked, and kept as pictures under `target/web`.
//!
//! - `browser`: the browser. `cluster`: the nodes. `story`: what is done and looked at. `viewer`: what a viewer costs; `crowd`: where
//!   there is much to see. `report`: what an evaluation leaves behind.

mod browser;
mod cluster;
mod crowd;
mod report;
mod story;
mod viewer;

use crate::{debian, step, timed_by};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The browser, what drives it, and letters to write with.
const PACKAGES: [&str; 3] = ["chromium", "chromium-driver", "fonts-dejavu-core"];

/// Where what was seen is kept.
fn gallery() -> PathBuf {
    target().join("web")
}

fn target() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned()))
}

pub(crate) fn check() -> Result<()> {
    step("the command", &["build", "-p", "lasp-cli"], &[])?;
    check_with(&target().join("debug/lasp"))
}

/// The same with a command that is there.
pub(crate) fn check_with(lasp: &Path) -> Result<()> {
    let how = format!("the browser is missing: on Debian, as root, `apt-get install {}`", PACKAGES.join(" "));
    debian::install(&PACKAGES, &how)?;
    let gallery = gallery();
    let _ = std::fs::remove_dir_all(&gallery); // of the last time
    std::fs::create_dir_all(&gallery).with_context(|| format!("cannot make {}", gallery.display()))?;
    timed_by("web", || story::tell(lasp, &gallery))
}

/// What one viewer costs, with the command as it is built for use.
pub(crate) fn measure() -> Result<()> {
    step("the command", &["build", "-p", "lasp-cli", "--release"], &[])?;
    measure_with(&target().join("release/lasp"))
}

/// The same with a command that is there.
pub(crate) fn measure_with(lasp: &Path) -> Result<()> {
    viewer::measure(lasp)?;
    let how = format!("the browser is missing: on Debian, as root, `apt-get install {}`", PACKAGES.join(" "));
    debian::install(&PACKAGES, &how)?;
    let gallery = gallery();
    std::fs::create_dir_all(&gallery).with_context(|| format!("cannot make {}", gallery.display()))?;
    crowd::measure(lasp, &gallery)
}

/// As [`check`]; a machine that cannot get the browser says so and goes on.
pub(crate) fn check_if_possible() -> Result<()> {
    let how = format!("apt-get install {}", PACKAGES.join(" "));
    if let Err(missing) = debian::install(&PACKAGES, &how) {
        println!("ci: web was NOT checked, there is no browser here: {missing:#}");
        return Ok(());
    }
    check()
}
