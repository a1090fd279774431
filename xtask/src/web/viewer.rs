//! What one viewer costs the node that serves it: `cargo xtask viewer`.
//!
//! Sixteen nodes at rest; the first is measured from outside, by /proc, as long without a viewer as with one that wants every
//! topic there is, which is more than any tab of the page asks for.

use super::cluster::Cluster;
use anyhow::{Context, Result, ensure};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

const NODES: usize = 16;

/// How long each part takes. The system counts processor time in hundredths of a second: a thousandth of this.
const WHILE: Duration = Duration::from_secs(20);

/// How much a viewer may cost: hundredths of a percent of a processor, and kilobytes.
const MOST: (u64, u64) = (200, 8 << 10);

const TOPICS: &str = "status,statistics,events,overlay,variables,dataflow";

/// Resident memory in kilobytes, and processor time in hundredths of a percent.
pub(crate) type Cost = (u64, u64);

pub(crate) fn measure(lasp: &Path) -> Result<()> {
    let cluster = Cluster::start(lasp, NODES)?;
    for number in 0..100 {
        cluster.command(0, &["update", &format!("v/{number}"), "{add, [1, 2, 3]}", "--declare", "set"])?;
    }
    sleep(Duration::from_secs(5)); // the overlay forms
    let alone = observe(&cluster, || Ok(()))?;
    let (seen, rate) = stream(&cluster, &format!("topics={TOPICS}&limit=1000"))?;
    println!("alone:    {} of a processor, {} kB", percent(alone.1), alone.0);
    println!("a viewer: {} of a processor, {} kB; it hears {rate} B/s", percent(seen.1), seen.0);
    let cost = (seen.1.saturating_sub(alone.1), seen.0.saturating_sub(alone.0));
    println!("costs:    {} of a processor, {} kB", percent(cost.0), cost.1);
    ensure!(cost.0 <= MOST.0 && cost.1 <= MOST.1, "that is more than {} and {} kB", percent(MOST.0), MOST.1);
    Ok(())
}

/// Hundredths of a percent in words.
pub(crate) fn percent(hundredths: u64) -> String {
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

/// What the first node costs while somebody follows a stream of changes, and how many bytes a second that brings.
pub(crate) fn stream(cluster: &Cluster, query: &str) -> Result<(Cost, u64)> {
    let mut viewer = open(cluster.page(0), query)?;
    let mut bytes = 0;
    let seen = observe(cluster, || {
        bytes += read(&mut viewer)?;
        Ok(())
    })?;
    ensure!(bytes > 10_000, "the viewer has heard {bytes} bytes only");
    Ok((seen, bytes / WHILE.as_secs()))
}

/// What the first node costs while something is done again and again.
fn observe(cluster: &Cluster, mut act: impl FnMut() -> Result<()>) -> Result<Cost> {
    let (begin, (_, before)) = (Instant::now(), cluster.usage(0)?);
    while begin.elapsed() < WHILE {
        act()?;
        sleep(Duration::from_millis(50));
    }
    let (memory, after) = cluster.usage(0)?;
    Ok((memory, (after - before) * 10_000 / u64::try_from(begin.elapsed().as_millis())?))
}

fn open(page: &str, query: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(page).context("no page")?;
    let request = format!("GET /api/v1/stream?{query} HTTP/1.1\r\nhost: {page}\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// Reads what is there.
fn read(stream: &mut TcpStream) -> Result<u64> {
    let (mut all, mut buffer) = (0, [0; 64 << 10]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => anyhow::bail!("the stream has ended"),
            Ok(read) => all += read as u64,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(all),
            Err(error) => return Err(error.into()),
        }
    }
}
