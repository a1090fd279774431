//! A command that goes on: its lines as they come, signals, its end.

use super::commands::PATIENCE;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command};
use std::time::{Duration, Instant};

/// A command under way; killed at the end.
pub(crate) struct Running {
    pub(crate) process: Child,
    out: BufReader<ChildStdout>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut process = command.spawn().expect("the binary runs");
        let out = BufReader::new(process.stdout.take().expect("piped"));
        Self { process, out }
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        line
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("kill runs").success());
    }

    /// Waits for its end: what it said on standard error, and its exit code.
    pub(crate) fn end(mut self) -> (String, Option<i32>) {
        let since = Instant::now();
        let status = loop {
            match self.process.try_wait().expect("a child") {
                Some(status) => break status,
                None if since.elapsed() > PATIENCE => panic!("it does not end"),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let mut err = String::new();
        self.process.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
        (err, status.code())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
