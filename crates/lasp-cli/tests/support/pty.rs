//! A program in a terminal, as `script` of util-linux makes one.

use super::commands::PATIENCE;
use super::wait_within;
use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

/// A terminal of 80x24, what is typed in it, and what is written to it.
pub(crate) struct Pty {
    running: Child,
    keys: ChildStdin,
    written: Arc<Mutex<Vec<u8>>>,
}

/// What ends what [`Pty::end`] gives.
const END: &str = "the end";

impl Pty {
    /// Runs a command line of the shell there, and then `stty -a`.
    pub(crate) fn start(command: &str) -> Self {
        let inside = format!("stty rows 24 cols 80; timeout --foreground 60 {command}; stty -a; echo {END}");
        let mut script = Command::new("script");
        script.args(["-qec", &inside, "/dev/null"]).env("TERM", "xterm-256color");
        let mut running = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("util-linux is there");
        let (keys, mut shown) = (running.stdin.take().expect("piped"), running.stdout.take().expect("piped"));
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let kept = written.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = shown.read(&mut buffer) {
                kept.lock().expect("nothing panics").extend(&buffer[..count]);
            }
        });
        Self { running, keys, written }
    }

    /// What has been written so far.
    pub(crate) fn written(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().expect("nothing panics")).into_owned()
    }

    /// Waits until something is written, as it comes: where a program draws what changed alone, not what was there before.
    pub(crate) fn until(&self, text: &str) {
        wait_within(PATIENCE, text, || self.written().contains(text));
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("it reads");
    }

    /// Waits for the end, which must be a good one of the shell; all that was written.
    pub(crate) fn end(mut self) -> String {
        wait_within(PATIENCE, END, || self.written().trim_end().ends_with(END));
        assert_eq!(self.running.wait().expect("it ends").code(), Some(0));
        self.written()
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.running.kill();
        let _ = self.running.wait();
    }
}
