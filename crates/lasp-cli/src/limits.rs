//! Whether the system lets this process do what it is there for, asked before it begins.

use anyhow::{Result, bail};
use std::io;
use std::os::fd::AsFd as _;

/// Descriptors that a node needs: ten for itself, one for each of five links and of as many to come, and some for clients. A
/// guess at what is still of use; any usual limit is far above.
const NEEDED: usize = 32;

/// Errors of systems that can open no more files: by this process, and at all (POSIX `EMFILE`, `ENFILE`).
const EXHAUSTED: [i32; 2] = [24, 23];

/// Whether there are descriptors enough. With too few the event loop could not even say so.
///
/// # Errors
/// How many there are, and what to do.
pub(crate) fn enough_descriptors() -> Result<()> {
    let input = io::stdin();
    let mut taken = Vec::new();
    while taken.len() < NEEDED {
        match input.as_fd().try_clone_to_owned() {
            Ok(descriptor) => taken.push(descriptor),
            Err(error) if error.raw_os_error().is_some_and(|code| EXHAUSTED.contains(&code)) => bail!(
                "this process may open only {} more files, and a node needs {NEEDED}; raise the limit: ulimit -n 1024",
                taken.len()
            ),
            Err(_) => return Ok(()), // there is no standard input to try with
        }
    }
    Ok(())
}
