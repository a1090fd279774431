//! Finding the members of a cluster by Erlang's port mapper daemon, epmd.
//!
//! A node registers its name and port with the daemon of its machine, on a connection that it keeps: when the node dies the
//! daemon forgets it. It asks the daemons of the hosts that it was told for names of its cluster, and joins whoever it
//! does not know, as if it had been told the address. Who is a member, and who is not any more, is for the membership
//! strategy to say: a daemon that is down, or has forgotten somebody, removes nobody.
//!
//! - `wire`: what is said to a daemon and what it answers. `name`: what a node is called there.
//! - `registration`: keeps a node registered. `discovery`: looks for others. `stats`: what both count.

mod discovery;
mod name;
mod registration;
mod stats;
pub mod wire;

pub(crate) use stats::Counts;
pub use stats::EpmdStats;

use crate::api::Lasp;
use crate::identity::random_u64;
use crate::log::Log;
use lasp_overlay::Contact;
use std::io;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use wire::Malformed;

/// Where a daemon listens unless told otherwise: registered with IANA.
pub const DEFAULT_PORT: u16 = 4369;

/// Most hosts whose daemons are asked. A guess.
pub const MAX_HOSTS: usize = 256;

/// How long connecting, or an answer, may take. A guess; a daemon answers at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a daemon listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daemon {
    /// The host, as names are found by it.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Daemon {
    /// Reads `HOST`, or `HOST:PORT` where it is not `port`. An IPv6 address with a port is in brackets.
    pub fn parse(text: &str, port: u16) -> Option<Self> {
        let bare = text.parse::<std::net::Ipv6Addr>().is_ok();
        let (host, port) = match text.rsplit_once(':') {
            Some((host, number)) if !bare && !text.ends_with(']') => (host, number.parse().ok().filter(|it| *it > 0)?),
            _ => (text, port),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let fits = !host.is_empty() && host.len() <= 253 && !host.contains(|c: char| c.is_whitespace() || c == '/');
        fits.then(|| Self { host: host.to_owned(), port })
    }

    /// Where a node on this host listens.
    fn address(&self, port: u16) -> String {
        if self.host.contains(':') { format!("[{}]:{port}", self.host) } else { format!("{}:{port}", self.host) }
    }
}

/// Why a daemon could not be talked to.
#[derive(Debug, Error)]
enum Problem {
    /// It cannot be reached, or hung up.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It does not answer.
    #[error("it has not answered within {PATIENCE:?}")]
    Silent,
    /// What it says is not what a daemon says.
    #[error("it is no epmd: {0}")]
    Malformed(#[from] Malformed),
    /// It refuses.
    #[error("it refuses the name (result {0}): another process is registered under it")]
    Refused(u8),
}

/// What a node needs to know to be found and to find.
#[derive(Clone, Debug)]
pub(crate) struct Epmd {
    /// The daemon of this machine.
    pub(crate) own: Daemon,
    /// The daemons that are asked.
    pub(crate) daemons: Vec<Daemon>,
}

impl Epmd {
    /// Registers the node and looks for others, until it stops.
    pub(crate) fn start(self, lasp: &Lasp, cluster: &str, me: &Contact, log: &Log) {
        let Some(port) = me.addr.as_str().rsplit_once(':').and_then(|(_, port)| port.parse().ok()) else {
            return; // nothing but HOST:PORT is advertised
        };
        let (name, id) = (name::of(cluster, me.id), me.id);
        let (guest, cluster, log) = (lasp.guest(), cluster.to_owned(), log.clone());
        let counts = Counts::default();
        lasp.set_epmd_counts(counts.clone());
        tokio::spawn(async move {
            let registered = registration::keep(&self.own, &name, port, &counts, &log);
            let discovered = discovery::Discovery::new(&guest, &cluster, id, &self.daemons, &counts, &log).run();
            tokio::select! {
                _ = guest.stopped() => {}
                () = registered => {}
                () = discovered => {}
            }
        });
    }
}

/// Says something to a daemon.
async fn say(daemon: &Daemon, bytes: &[u8]) -> Result<TcpStream, Problem> {
    let connecting = TcpStream::connect((daemon.host.as_str(), daemon.port));
    let mut stream = timeout(PATIENCE, connecting).await.map_err(|_| Problem::Silent)??;
    timeout(PATIENCE, stream.write_all(bytes)).await.map_err(|_| Problem::Silent)??;
    Ok(stream)
}

/// Reads until `decode` has its answer, or the daemon hangs up: `decode` is told which.
async fn hear<T>(
    stream: &mut TcpStream,
    most: usize,
    decode: impl Fn(&[u8], bool) -> Result<Option<T>, Malformed>,
) -> Result<T, Problem> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = timeout(PATIENCE, stream.read(&mut chunk)).await.map_err(|_| Problem::Silent)??;
        bytes.extend_from_slice(&chunk[..read]);
        match decode(&bytes, read == 0)? {
            Some(answer) => return Ok(answer),
            None if read == 0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            None if bytes.len() >= most => return Err(Malformed::TooLong.into()),
            None => {}
        }
    }
}

/// A pause, give or take a quarter, so that nodes which were started together do not ask together for ever.
fn jittered(pause: Duration) -> Duration {
    let share = (random_u64() % 501) as f64 / 1000.0;
    pause.mul_f64(0.75 + share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_is_a_host_and_its_port_may_be_said() {
        let daemon = |host: &str, port| Some(Daemon { host: host.to_owned(), port });
        assert_eq!(Daemon::parse("db1.example", 4369), daemon("db1.example", 4369));
        assert_eq!(Daemon::parse("db1.example:5000", 4369), daemon("db1.example", 5000));
        assert_eq!(Daemon::parse("::1", 4369), daemon("::1", 4369));
        assert_eq!(Daemon::parse("[::1]", 4369), daemon("::1", 4369));
        assert_eq!(Daemon::parse("[::1]:5000", 4369), daemon("::1", 5000));
        for wrong in ["", "db1:", "db1:0", "db1:70000", "db 1", "http://db1", ":4369"] {
            assert_eq!(Daemon::parse(wrong, 4369), None, "{wrong}");
        }
        let six = Daemon::parse("[::1]:5000", 4369).expect("valid");
        assert_eq!((six.address(41), daemon("db1", 1).expect("one").address(41)), ("[::1]:41".into(), "db1:41".into()));
    }
}
