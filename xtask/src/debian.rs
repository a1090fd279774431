//! Debian's packages, where a step needs a program that Cargo cannot build.

use crate::run;
use anyhow::{Context, Result, ensure};
use std::process::Command;

/// Sees to it that packages are there; `how` says what to do where that is not possible from here.
pub(crate) fn install(packages: &[&str], how: &str) -> Result<()> {
    if packages.iter().all(|package| version(package).is_some()) {
        return Ok(());
    }
    ensure!(output(Command::new("id").arg("-u")).is_ok_and(|user| user == "0"), how.to_owned());
    let apt = |args: &[&str]| run(Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive"));
    apt(&["-qq", "update"]).with_context(|| how.to_owned())?;
    apt(&[&["-qq", "install", "--yes", "--no-install-recommends"], packages].concat()).with_context(|| how.to_owned())
}

/// The version of a package, if it is installed.
pub(crate) fn version(package: &str) -> Option<String> {
    let asked =
        output(Command::new("dpkg-query").args(["--show", "--showformat=${db:Status-Abbrev}${Version}", package]));
    asked.ok()?.strip_prefix("ii ").map(str::to_owned)
}

/// What a command prints, if it succeeds.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
