//! Many `lasp node` processes: started in waves, killed at once, gone when whoever started them is.
//!
//! All have the reading end of one pipe as their standard input and leave when it ends, which it does when this process does,
//! however it ends. A child takes a descriptor here only until it has said where it listens.

use crate::process::LaunchError;
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::unix::pipe::Receiver;

/// How long a node may take until it listens: many start at once, perhaps on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// One process.
#[derive(Debug)]
pub(super) struct Node {
    /// Its name in files and messages.
    pub(super) name: String,
    /// Its id.
    pub(super) peer: u64,
    /// Where it listens.
    pub(super) addr: String,
    /// Its process, until it was killed.
    child: Option<Child>,
}

impl Node {
    /// Its process id, while it lives.
    pub(super) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Herd {
    exe: PathBuf,
    settings: Vec<String>,
    log: PathBuf,
    errors: File,
    input: PipeReader,
    /// Open as long as the nodes are to live.
    _lifeline: PipeWriter,
    nodes: Vec<Node>,
}

impl Herd {
    /// None yet. They are started as `exe node SETTINGS`, and complain to the file `log`.
    pub(super) fn new(exe: &Path, settings: Vec<String>, log: &Path) -> Result<Self, LaunchError> {
        let errors = File::create(log).map_err(|why| LaunchError::Files { path: log.to_owned(), why })?;
        let (input, lifeline) = io::pipe().map_err(LaunchError::Runtime)?;
        let nodes = Vec::new();
        Ok(Self { exe: exe.to_owned(), settings, log: log.to_owned(), errors, input, _lifeline: lifeline, nodes })
    }

    /// Everybody, the killed included.
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Those that were not killed.
    pub(super) fn living(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.child.is_some())
    }

    /// Starts as many nodes as there are contacts, each of which joins through its own; returns when all listen.
    pub(super) async fn start(&mut self, contacts: Vec<Option<String>>) -> Result<(), LaunchError> {
        let mut started = Vec::new();
        for contact in contacts {
            let name = format!("node-{}", self.nodes.len());
            let (child, said) = self.spawn(&name, contact.as_deref())?;
            self.nodes.push(Node { name, peer: 0, addr: String::new(), child: Some(child) });
            started.push((self.nodes.len() - 1, said));
        }
        for (at, said) in started {
            let (addr, peer) = match tokio::time::timeout(START_TIMEOUT, greeting(said)).await {
                Ok(Ok(Some(greeting))) => greeting,
                Ok(Ok(None)) => return Err(self.silent(at, self.last_words())),
                Ok(Err(why)) => return Err(self.silent(at, format!(": {why}"))),
                Err(_) => return Err(self.silent(at, format!(" within {} s", START_TIMEOUT.as_secs()))),
            };
            let node = &mut self.nodes[at];
            (node.addr, node.peer) = (addr, peer);
        }
        Ok(())
    }

    fn spawn(&self, name: &str, contact: Option<&str>) -> Result<(Child, ChildStdout), LaunchError> {
        let failed = |why| LaunchError::Spawn { node: name.to_owned(), why };
        let mut command = Command::new(&self.exe);
        command.args(["node", "--end-with-stdin", "--listen", "127.0.0.1:0", "--log-level", "error"]);
        command.args(&self.settings).args(contact.iter().flat_map(|addr| ["--join", addr]));
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("LASP_") {
                command.env_remove(variable);
            }
        }
        command.stdin(self.input.try_clone().map_err(failed)?).stdout(Stdio::piped());
        command.stderr(self.errors.try_clone().map_err(failed)?);
        // Ctrl-C at the terminal is for this process, which then ends the nodes in its own way.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(failed)?;
        match child.stdout.take() {
            Some(said) => Ok((child, said)),
            None => Err(failed(io::Error::other("it has no standard output"))),
        }
    }

    fn silent(&self, at: usize, detail: String) -> LaunchError {
        LaunchError::Silent { node: self.nodes[at].name.clone(), detail }
    }

    /// The last line that any node complained with.
    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().rev().find(|line| !line.trim().is_empty()).map_or_else(String::new, |line| format!(": {line}"))
    }

    /// Ends some as by `kill -9`: first all of them, then it makes sure that they are gone.
    pub(super) fn kill(&mut self, which: &[usize]) {
        let mut dying: Vec<Child> = which.iter().filter_map(|&at| self.nodes[at].child.take()).collect();
        for child in &mut dying {
            let _ = child.kill(); // it may have ended by itself
        }
        for child in &mut dying {
            let _ = child.wait();
        }
    }

    /// A node that has ended without being killed, and what it said.
    pub(super) fn crashed(&mut self) -> Option<String> {
        let ended = self.nodes.iter_mut().find_map(|node| {
            let status = node.child.as_mut()?.try_wait().ok()??;
            node.child = None;
            Some(format!("{} ended with {status}", node.name))
        })?;
        Some(ended + &self.last_words())
    }
}

impl Drop for Herd {
    fn drop(&mut self) {
        self.kill(&(0..self.nodes.len()).collect::<Vec<_>>());
    }
}

/// Where a node says that it listens, and its id; `None` if it ends without a word of that.
async fn greeting(said: ChildStdout) -> io::Result<Option<(String, u64)>> {
    let mut lines = BufReader::new(Receiver::from_owned_fd(OwnedFd::from(said))?).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some(greeting) = understood(&line) {
            return Ok(Some(greeting));
        }
    }
    Ok(None)
}

fn understood(line: &str) -> Option<(String, u64)> {
    let (addr, rest) = line.strip_prefix("listening on ")?.split_once(' ')?;
    let id = rest.split_once(" id ")?.1.split(' ').next()?;
    Some((addr.to_owned(), u64::from_str_radix(id, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_tells_address_and_id() {
        let line = "listening on 127.0.0.1:4100 (node a id 3eae39f932031477 cluster shop)";
        assert_eq!(understood(line), Some(("127.0.0.1:4100".to_owned(), 0x3eae_39f9_3203_1477)));
        assert_eq!(understood("listening"), None);
    }

    #[tokio::test]
    async fn who_cannot_start_is_named_with_its_last_words() {
        let home = tempfile::tempdir().unwrap();
        let log = home.path().join("log");
        let mut herd = Herd::new("/nowhere/lasp".as_ref(), Vec::new(), &log).unwrap();
        let error = herd.start(vec![None]).await.unwrap_err().to_string();
        assert!(error.starts_with("cannot start node-0: "), "{error}");
        let mut herd = Herd::new("/bin/false".as_ref(), Vec::new(), &log).unwrap();
        std::fs::write(&log, "error: no such address\n").unwrap();
        let error = herd.start(vec![None]).await.unwrap_err().to_string();
        assert_eq!(error, "node-0 did not start to listen: error: no such address");
    }
}
