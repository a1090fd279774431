//! Keeping a node registered with the daemon of its machine.
//!
//! A registration lasts as long as its connection, so the connection is kept. When the daemon ends it, as when it is started
//! anew, the node registers again.

use super::wire::{self, Alive};
use super::{Counts, Daemon, PATIENCE, Problem, hear, jittered, say};
use crate::log::{Level, Log};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;

/// First pause before registering again; doubled up to [`LONGEST`]. A guess: a daemon that is started anew is back by then.
const FIRST: Duration = Duration::from_millis(500);

/// Longest pause. A guess.
const LONGEST: Duration = Duration::from_secs(15);

/// Registers a name again and again, for ever.
pub(super) async fn keep(daemon: &Daemon, name: &str, port: u16, counts: &Counts, log: &Log) {
    let (mut pause, mut complained) = (FIRST, false);
    loop {
        match register(daemon, name, port).await {
            Ok(stream) => {
                counts.count(|stats| stats.registrations += 1);
                log.line(Level::Info, || format!("registered as {name} with the epmd at {}", place(daemon)));
                (pause, complained) = (FIRST, false);
                until_closed(stream).await;
                log.line(Level::Warn, || format!("the epmd at {} hung up; registering again", place(daemon)));
            }
            Err(problem) => {
                counts.count(|stats| stats.registrations_failed += 1);
                // Once is enough to act on.
                let level = if complained { Level::Debug } else { Level::Warn };
                complained = true;
                log.line(level, || {
                    let place = place(daemon);
                    format!(
                        "cannot register with the epmd at {place}: {problem}; trying again (`epmd -daemon` starts one)"
                    )
                });
            }
        }
        sleep(jittered(pause)).await;
        pause = (pause * 2).min(LONGEST);
    }
}

fn place(daemon: &Daemon) -> String {
    daemon.address(daemon.port)
}

async fn register(daemon: &Daemon, name: &str, port: u16) -> Result<TcpStream, Problem> {
    let mut stream = say(daemon, &wire::alive_request(name, port)).await?;
    match hear(&mut stream, 16, |bytes, _| wire::read_alive(bytes)).await? {
        Alive::Registered(_) => Ok(stream),
        Alive::Refused(result) => Err(Problem::Refused(result)),
    }
}

/// A daemon says nothing more to who is registered; one that does is read slowly, and not kept.
async fn until_closed(mut stream: TcpStream) {
    let mut rest = [0; 64];
    while matches!(stream.read(&mut rest).await, Ok(read) if read > 0) {
        sleep(PATIENCE).await;
    }
}
