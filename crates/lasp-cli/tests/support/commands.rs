//! Nodes as processes, and the commands that talk to them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// Nothing here takes this long unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn lasp(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lasp"));
    command.args(args).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Standard output, standard error, exit code.
pub(crate) type Said = (String, String, Option<i32>);

pub(crate) fn said(output: Output) -> Said {
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (text(output.stdout), text(output.stderr), output.status.code())
}

/// A running node; killed at the end.
pub(crate) struct Node {
    pub(crate) process: Child,
    pub(crate) addr: String,
    /// Where its live view is, if it was started with `--http`.
    pub(crate) http: String,
}

impl Node {
    pub(crate) fn start(args: &[&str]) -> Self {
        let name: &[&str] = if args.contains(&"--name") { &[] } else { &["--name", "a"] };
        let mut command = lasp(&[&["node", "--listen", "127.0.0.1:0"], name, args].concat());
        let mut process = command.stderr(Stdio::null()).spawn().expect("the binary runs");
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines().map(|line| line.expect("text"));
        let greeting = lines.next().unwrap_or_default();
        let addr = greeting.split(' ').nth(2).unwrap_or_default().to_owned();
        let http = if args.contains(&"--http") { lines.next().unwrap_or_default() } else { String::new() };
        Self { process, addr, http: http.trim_start_matches("live view at ").to_owned() }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = lasp(args);
        command.args(["--connect", &self.addr]);
        command
    }

    pub(crate) fn ask(&self, args: &[&str]) -> Said {
        said(self.command(args).output().expect("the binary runs"))
    }

    /// What a command that goes well prints.
    pub(crate) fn prints(&self, args: &[&str]) -> String {
        let (out, err, code) = self.ask(args);
        assert_eq!((err.as_str(), code), ("", Some(0)), "{args:?}");
        out
    }

    pub(crate) fn fails(&self, args: &[&str], code: i32) -> String {
        let (out, err, ended) = self.ask(args);
        assert_eq!((out.as_str(), ended), ("", Some(code)), "{args:?}: {err}");
        err
    }

    /// Runs a program, given as text, at the node.
    pub(crate) fn run(&self, program: &str, args: &[&str]) -> Said {
        let mut child = self.command(&[&["run", "-"], args].concat()).stdin(Stdio::piped()).spawn().expect("it runs");
        child.stdin.take().expect("piped").write_all(program.as_bytes()).expect("it reads");
        said(child.wait_with_output().expect("it ends"))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
