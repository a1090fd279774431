//! Sessions in files: what has been seen at one node is waited for at the next.

use super::Failure;
use clap::Args;
use lasp::{SessionToken, TokenError};
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Largest file that may be a session's: several times the longest token.
const MAX_FILE: u64 = 64 * 1024;

/// Which session a command belongs to.
#[derive(Args, Clone, Debug)]
pub(super) struct SessionArgs {
    /// Keep in this file what has been read and written, and wait until the node is as far as that; made if it is not there
    #[arg(long, value_name = "FILE")]
    session: Option<PathBuf>,
}

impl SessionArgs {
    /// The token in the file, empty for a new session; `None` where no session is wanted.
    pub(super) fn read(&self) -> Result<Option<String>, Failure> {
        let Some(path) = &self.session else { return Ok(None) };
        match fs::metadata(path).map(|meta| meta.len()) {
            Ok(len) if len > MAX_FILE => Err(trouble("read", path, "it is too large for one")),
            Ok(_) => {
                let text = fs::read_to_string(path).map_err(|error| trouble("read", path, &error.to_string()))?;
                checked(text).map(Some).map_err(|error| trouble("read", path, &error.to_string()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Some(String::new())),
            Err(error) => Err(trouble("read", path, &error.to_string())),
        }
    }

    /// Puts a token into the file: either the former or this one is there, whatever happens.
    pub(super) fn write(&self, token: &str) -> Result<(), Failure> {
        let Some(path) = &self.session else { return Ok(()) };
        let mut beside = path.clone().into_os_string();
        beside.push(format!(".{}", std::process::id()));
        let written = fs::File::create(&beside)
            .and_then(|mut file| writeln!(file, "{token}"))
            .and_then(|()| fs::rename(&beside, path));
        written.map_err(|error| {
            let _ = fs::remove_file(&beside); // it may never have been there
            trouble("write", path, &error.to_string())
        })
    }
}

/// A token as far as this build can tell: of a newer version the node may know more.
fn checked(text: String) -> Result<String, TokenError> {
    match text.trim().parse::<SessionToken>() {
        Ok(_) | Err(TokenError::Version(_)) => Ok(text),
        Err(error) => Err(error),
    }
}

fn trouble(what: &str, path: &Path, problem: &str) -> Failure {
    Failure::new(format!(
        "error: cannot {what} the session in {}: {problem}\nhelp: --session names a file of its own for each session",
        path.display()
    ))
}
