//! What many variables and many nodes are to a viewer, and a viewer to the node: `cargo xtask viewer`, after what one costs at rest.
//!
//! One node with a hundred thousand variables, read over the API and in the browser; five thousand simulated nodes in the
//! browser. Reported rather than judged, but for what would be no use: the machine may be busy with other things.

use super::browser::Browser;
use super::cluster::{Cluster, Simulation};
use super::viewer::{Cost, percent, stream};
use anyhow::{Context, Result, ensure};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

const VARIABLES: usize = 100_000;

const NODES: usize = 5000;

/// How often each path is read.
const TIMES: u32 = 50;

/// How long frames are counted.
const COUNTED: Duration = Duration::from_secs(10);

/// Reads what is there, and draws it.
pub(crate) fn measure(lasp: &Path, gallery: &Path) -> Result<()> {
    let browser = Browser::start(&gallery.join("profile"))?;
    many_nodes(lasp, &browser, gallery)?;
    many_variables(lasp, &browser, gallery)
}

fn many_variables(lasp: &Path, browser: &Browser, gallery: &Path) -> Result<()> {
    let cluster = Cluster::start(lasp, 1)?;
    let each = VARIABLES / 10;
    for part in 0..10 {
        let mut program = String::new();
        for number in part * each..(part + 1) * each {
            writeln!(program, "V{number} = declare(\"v/{number:06}\", gcounter).\nupdate(V{number}, increment).")?;
        }
        let file = gallery.join("many.lasp");
        std::fs::write(&file, program)?;
        cluster.command(0, &["run", &file.display().to_string()])?;
    }
    let (last, page) = (VARIABLES - 1, cluster.page(0));
    println!("{VARIABLES} variables:");
    for path in [
        "/api/v1/variables?limit=100".to_owned(),
        format!("/api/v1/variables?limit=100&from={}", VARIABLES - 100),
        "/api/v1/variables?limit=1000".to_owned(),
        format!("/api/v1/variables?q={last:06}"),
        "/api/v1/variables?q=nothing".to_owned(),
        "/metrics".to_owned(),
        "/api/v1/status".to_owned(),
    ] {
        read_often(&cluster, &path)?;
    }
    for query in ["topics=status,events,variables&limit=100", "topics=status,events,variables&limit=100&q=nothing"] {
        let (cost, bytes) = stream(&cluster, query)?;
        println!("  a viewer of {query}: {} of a processor, {} kB, {bytes} B/s", percent(cost.1), cost.0);
        ensure!(cost.1 <= 200, "that is more than 2 %");
    }
    browser.open(&format!("http://{page}/#variables"))?;
    let took = browser.wait_for("the table", "document.querySelectorAll('#variables tbody tr').length === 100")?;
    println!("  the page shows the first hundred after {took:?}");
    let type_in = format!(
        "const field = document.getElementById('variable-search'); field.value = '{last:06}'; field.dispatchEvent(new Event('input'))"
    );
    browser.run(&type_in)?;
    let found = format!("document.querySelector('#variables tbody tr')?.dataset.name === 'v/{last:06}'");
    println!("  and the last of them {:?} after its name is typed", browser.wait_for("the last variable", &found)?);
    browser.picture(&gallery.join("many-variables.png"))
}

fn read_often(cluster: &Cluster, path: &str) -> Result<()> {
    let (_, before) = cluster.usage(0)?;
    let mut times = Vec::new();
    let mut bytes = 0;
    for _ in 0..TIMES {
        let since = Instant::now();
        bytes = fetch(cluster.page(0), path)?;
        times.push(since.elapsed());
    }
    let (_, after) = cluster.usage(0)?;
    times.sort_unstable();
    let median = times[times.len() / 2].as_secs_f64() * 1000.0;
    let cost = (after - before) as f64 / f64::from(TIMES);
    println!("  GET {path}: {bytes} B in {median:.1} ms, {cost:.1} ms of the processor");
    Ok(())
}

/// Reads what is at a path; how many bytes that is.
fn fetch(addr: &str, path: &str) -> Result<usize> {
    let mut stream = TcpStream::connect(addr).context("no page")?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    ensure!(answer.starts_with(b"HTTP/1.1 200"), "{path}: {}", String::from_utf8_lossy(&answer));
    Ok(answer.len())
}

fn many_nodes(lasp: &Path, browser: &Browser, gallery: &Path) -> Result<()> {
    let simulation = Simulation::start(lasp, NODES)?;
    browser.open(&format!("http://{}/", simulation.page))?;
    let since = Instant::now();
    while browser.run("return window.overlay?.nodes.length ?? 0")?.as_u64().unwrap_or(0) < NODES as u64 {
        ensure!(since.elapsed() < Duration::from_secs(300), "the nodes are not all there");
        sleep(Duration::from_millis(100));
    }
    println!("{NODES} simulated nodes: all there after {:?}", since.elapsed());
    frames(browser, "while they find their places")?;
    sleep(Duration::from_secs(20));
    frames(browser, "some time later")?;
    browser.picture(&gallery.join("many-nodes.png"))?;
    browser.run("document.getElementById('zoom-in').click(); document.getElementById('zoom-in').click()")?;
    frames(browser, "zoomed in")?;
    let press = "[...document.querySelectorAll('#world button')].find((it) => it.textContent === 'Pause').click()";
    browser.run(press)?;
    sleep(Duration::from_secs(3));
    let cost = resting(&simulation)?;
    println!(
        "  serving the page while the world stands still: {} of a processor, {} kB resident",
        percent(cost.1),
        cost.0
    );
    frames(browser, "standing still")
}

/// How many frames the page draws a second.
fn frames(browser: &Browser, when: &str) -> Result<()> {
    browser.run("overlay.frames = 0; window.since = performance.now()")?;
    sleep(COUNTED);
    let rate = browser.run("return overlay.frames / (performance.now() - since) * 1000")?;
    println!("  {:.1} frames a second {when}", rate.as_f64().unwrap_or(0.0));
    Ok(())
}

/// What the simulation takes meanwhile.
fn resting(simulation: &Simulation) -> Result<Cost> {
    let (since, (_, before)) = (Instant::now(), simulation.usage()?);
    sleep(COUNTED);
    let (memory, after) = simulation.usage()?;
    Ok((memory, (after - before) * 10_000 / u64::try_from(since.elapsed().as_millis())?))
}
