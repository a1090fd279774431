//! Reading programs and saying what is wrong, alike for all commands that take one.

use crate::terminal;
use lasp_lang::Source;
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Exit code of a program that failed.
pub(crate) const FAILED: u8 = 1;
/// Exit code of a program that could not be parsed or checked.
pub(crate) const REJECTED: u8 = 2;
/// Exit code of wrong usage, a file that cannot be read included.
pub(crate) const USAGE: u8 = 64;

/// The text of `file`, or of standard input for `-`.
pub(crate) fn load(file: &Path) -> Result<Arc<Source>, String> {
    let name = file.display().to_string();
    let bytes = if name == "-" {
        let mut bytes = Vec::new();
        let limit = Source::BYTES_MAX as u64 + 1;
        io::stdin().take(limit).read_to_end(&mut bytes).map(|_| bytes)
    } else {
        if file.is_dir() {
            return Err(format!("error: {name} is a directory, not a program"));
        }
        std::fs::read(file)
    };
    let bytes = bytes.map_err(|error| format!("error: cannot read {name}: {error}"))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| format!("error: {name} is not UTF-8 text (byte {})", error.utf8_error().valid_up_to()))?;
    Ok(Source::new(name, text))
}

/// Writes a message to standard error and gives the exit code.
pub(crate) fn complain(message: &str, code: u8) -> ExitCode {
    terminal::complain(message);
    ExitCode::from(code)
}

/// Whether messages may use colours: on a terminal, unless `NO_COLOR` is set.
pub(crate) fn color() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
