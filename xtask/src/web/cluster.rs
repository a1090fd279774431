//! Real nodes, each a process.

use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A node at work.
struct Node {
    process: Child,
    /// Where it listens, and where its page is.
    addr: String,
    page: String,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `lasp sim` at work.
pub(crate) struct Simulation {
    process: Child,
    /// Where its page is.
    pub(crate) page: String,
}

impl Drop for Simulation {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Simulation {
    pub(crate) fn start(lasp: &Path, nodes: usize) -> Result<Self> {
        let mut command = Command::new(lasp);
        command.args(["sim", "--seed", "3", "--nodes", &nodes.to_string()]);
        let mut process = command.stdout(Stdio::piped()).spawn().context("cannot start lasp sim")?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("no output")?).read_line(&mut line)?;
        let page = line.rsplit_once("http://").map_or("", |(_, page)| page).trim().trim_end_matches('/').to_owned();
        let simulation = Self { process, page };
        ensure!(!simulation.page.is_empty(), "lasp sim does not say where its page is: {line}");
        Ok(simulation)
    }

    /// Resident memory in kilobytes and processor time in milliseconds.
    pub(crate) fn usage(&self) -> Result<(u64, u64)> {
        usage(self.process.id())
    }
}

pub(crate) struct Cluster {
    lasp: PathBuf,
    nodes: Vec<Node>,
}

impl Cluster {
    /// So many nodes, each joined through the first.
    pub(crate) fn start(lasp: &Path, count: usize) -> Result<Self> {
        let mut cluster = Self { lasp: lasp.to_owned(), nodes: Vec::new() };
        for at in 0..count {
            let node = cluster.launch(at, "127.0.0.1:0", "127.0.0.1:0")?;
            cluster.nodes.push(node);
        }
        Ok(cluster)
    }

    fn launch(&self, at: usize, listen: &str, http: &str) -> Result<Node> {
        let mut command = Command::new(&self.lasp);
        command.args(["node", "--cluster", "bees", "--name", &format!("bee-{at}"), "--listen", listen, "--http", http]);
        if let Some(contact) = self.nodes.iter().enumerate().find(|(other, _)| *other != at) {
            command.args(["--join", &contact.1.addr]);
        }
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().context("cannot start lasp")?;
        let stdout = BufReader::new(process.stdout.take().context("no output")?);
        let mut node = Node { process, addr: String::new(), page: String::new() };
        for line in stdout.lines().take(2) {
            let line = line?;
            let word = |beginning: &str| line.strip_prefix(beginning)?.split(' ').next().map(str::to_owned);
            node.addr = word("listening on ").unwrap_or_else(|| node.addr.clone());
            node.page = word("live view at http://").unwrap_or_else(|| node.page.clone());
        }
        node.page = node.page.trim_end_matches('/').to_owned();
        ensure!(!node.addr.is_empty() && !node.page.is_empty(), "a node does not say where it is");
        Ok(node)
    }

    /// Where a node's page is, as `HOST:PORT`.
    pub(crate) fn page(&self, at: usize) -> &str {
        &self.nodes[at].page
    }

    /// Kills a node without a word.
    pub(crate) fn kill(&mut self, at: usize) -> Result<()> {
        self.nodes[at].process.kill()?;
        self.nodes[at].process.wait().map(drop).context("it does not end")
    }

    /// Starts a killed node again, under its name and addresses.
    pub(crate) fn revive(&mut self, at: usize) -> Result<()> {
        let (addr, page) = (self.nodes[at].addr.clone(), self.nodes[at].page.clone());
        self.nodes[at] = self.launch(at, &addr, &page)?;
        Ok(())
    }

    /// Runs another `lasp` command at a node.
    pub(crate) fn command(&self, at: usize, args: &[&str]) -> Result<()> {
        let status = Command::new(&self.lasp)
            .args(args)
            .args(["--connect", &self.nodes[at].addr])
            .stdout(Stdio::null())
            .status()?;
        ensure!(status.success(), "lasp {}: {status}", args.join(" "));
        Ok(())
    }

    /// Resident memory in kilobytes and processor time in milliseconds of a node.
    pub(crate) fn usage(&self, at: usize) -> Result<(u64, u64)> {
        usage(self.nodes[at].process.id())
    }
}

/// As proc(5) has it: pages of 4 KiB, ticks of 10 ms.
fn usage(process: u32) -> Result<(u64, u64)> {
    let read = |file| std::fs::read_to_string(format!("/proc/{process}/{file}"));
    let pages: u64 = read("statm")?.split(' ').nth(1).context("statm")?.parse()?;
    let stat = read("stat")?;
    let fields = stat.rsplit_once(')').context("stat")?.1;
    let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum::<u64>();
    Ok((pages * 4, ticks * 10))
}
