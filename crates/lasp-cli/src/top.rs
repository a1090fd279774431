//! `lasp top`: a running cluster at a glance, in a terminal.
//!
//! - `client`, `sse`: the node's live view over HTTP. `feed`: what it says, as news. `api`, `model`: what is known by that; `list`:
//!   long lists, by parts.
//! - `view`: what of it is looked at, and what keys do. `rows`: the lines of each pane. `draw`: the picture. `show`: numbers.
//!
//! News and keys come in here, and a picture goes out whenever one of them did, and once a second.

mod api;
mod client;
mod draw;
mod feed;
mod list;
mod model;
mod rows;
mod show;
mod sse;
mod view;

use crate::run::program::FAILED;
use crate::terminal;
use api::Status;
use clap::Args;
use client::{Place, Trouble};
use lasp::settings::duration;
use list::Reach;
use model::{Model, News};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use view::{Next, View};

/// Where the live view is unless somebody says something else: the documentation's example.
const DEFAULT_HTTP: &str = "127.0.0.1:8080";

/// News and keys that wait to be drawn; more hold back who brings them.
const WAITING: usize = 64;

/// Columns without a terminal, and lines of each pane.
const PAGE: (u16, u16) = (100, 20);

/// Shows a running cluster at a glance; the node must have been started with --http.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Keys: Tab and arrows change panes and lines, / finds, s sorts, ? explains, q quits.
Without a terminal it prints everything once, as with --once.")]
pub(crate) struct TopArgs {
    /// Where the node serves its live view
    #[arg(long, value_name = "HOST:PORT", env = "LASP_HTTP", default_value = DEFAULT_HTTP, value_parser = address)]
    http: String,
    /// The token that it asks for, if it does; other users of this machine see flags, so better as LASP_HTTP_TOKEN
    #[arg(long, value_name = "TOKEN", env = "LASP_HTTP_TOKEN", hide_env_values = true)]
    http_token: Option<String>,
    /// How long the node may be silent
    #[arg(long, value_name = "TIME", env = "LASP_TIMEOUT", default_value = "10s", value_parser = duration)]
    timeout: Duration,
    /// Print everything once
    #[arg(long)]
    once: bool,
    /// Print everything once, as JSON
    #[arg(long)]
    json: bool,
}

/// An address, or what the node prints: `http://HOST:PORT/`.
fn address(text: &str) -> Result<String, String> {
    let addr = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    match addr.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0) => Ok(addr.to_owned()),
        _ => Err(format!("{text:?} is not HOST:PORT, for instance {DEFAULT_HTTP}")),
    }
}

/// Runs `lasp top`.
pub(crate) fn main(args: TopArgs) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot set up the event loop: {error}")),
    };
    let once = args.once || !io::stdout().is_terminal() || !io::stdin().is_terminal();
    let place = Place { addr: args.http, token: args.http_token, patience: args.timeout };
    let done = runtime.block_on(async {
        match (args.json, once) {
            (true, _) => Ok(print(&format!("{}\n", feed::json(&place).await?))),
            (false, true) => Ok(print(&draw::page(&snapshot(&place).await?, PAGE.0, PAGE.1))),
            (false, false) => watch_node(place).await,
        }
    });
    runtime.shutdown_background(); // nobody waits for a key any more
    match done {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => fail(&format!("cannot use the terminal: {error}")),
        Err(trouble) => {
            let help = trouble.help().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
            fail(&format!("{trouble}{help}"))
        }
    }
}

fn fail(message: &str) -> ExitCode {
    terminal::complain(&format!("error: {message}"));
    ExitCode::from(FAILED)
}

/// Writes to standard output; where nobody reads it, there is nothing to be done.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    Ok(())
}

async fn snapshot(place: &Place) -> Result<Model, Trouble> {
    let mut model = Model::default();
    feed::once(place).await?.into_iter().for_each(|news| model.learn(news));
    Ok(model)
}

/// A terminal that is as it was before when this goes, however it does.
struct Screen(DefaultTerminal);

impl Screen {
    /// Takes the whole terminal. A panic anywhere gives it back before it is told of.
    fn open() -> io::Result<Self> {
        ratatui::try_init().map(Self)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Shows the node until `q`. Whether there is one is seen before the terminal changes.
async fn watch_node(place: Place) -> Result<io::Result<()>, Trouble> {
    let status = place.connect().await?.get(feed::STATUS).await?;
    Ok(show(place, status).await)
}

async fn show(place: Place, status: Status) -> io::Result<()> {
    let mut screen = Screen::open()?;
    let (mut terminate, mut hangup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    let (reach, wanted) = watch::channel(Reach::default());
    let (news_out, mut news) = mpsc::channel(WAITING);
    tokio::spawn(feed::follow(place, wanted, news_out));
    let mut keys = keys();
    let mut second = tokio::time::interval(Duration::from_secs(1));
    let (mut model, mut view) = (Model::default(), View::default());
    model.learn(News::Status(status));
    loop {
        screen.0.draw(|frame| draw::screen(&model, &view, frame.area(), frame.buffer_mut()))?;
        tokio::select! {
            heard = news.recv() => match heard {
                Some(heard) => model.learn(heard),
                None => return Err(io::Error::other("nobody follows the node any more")), // it has panicked
            },
            key = keys.recv() => match key {
                Some(Ok(event::Event::Key(key))) => {
                    let lines = rows::rows(&model, view.pane, view.look()).len();
                    match view.press(key, lines) {
                        Next::Go => {}
                        Next::Quit => return Ok(()),
                    }
                }
                Some(Ok(_)) => {} // another size, mostly: it is drawn
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
            _ = second.tick() => model.second(),
            _ = terminate.recv() => return Ok(()),
            _ = hangup.recv() => return Ok(()),
        }
        let more = reach.borrow().follow(&model, &view);
        reach.send_if_modified(|reach| std::mem::replace(reach, more.clone()) != more);
    }
}

/// What is typed, and when the terminal has another size; from a thread, for reading them blocks.
fn keys() -> mpsc::Receiver<io::Result<event::Event>> {
    let (out, keys) = mpsc::channel(WAITING);
    std::thread::spawn(move || {
        loop {
            let read = event::read();
            let is_over = read.is_err();
            if out.blocking_send(read).is_err() || is_over {
                return;
            }
        }
    });
    keys
}

#[cfg(test)]
mod tests {
    use super::{Screen, address};

    #[test]
    fn an_address_may_be_what_the_node_prints() {
        assert_eq!(address("http://127.0.0.1:8080/").as_deref(), Ok("127.0.0.1:8080"));
        assert_eq!(address("[::1]:80").as_deref(), Ok("[::1]:80"));
        for wrong in ["", "shop", ":80", "shop:0", "https://shop/", "shop:http"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }

    /// Panics while the screen is taken; where there is no terminal, at once.
    #[test]
    #[ignore = "takes the terminal: the test below runs it in one of its own"]
    #[should_panic]
    fn a_panic_on_a_screen() {
        let _screen = Screen::open().expect("a terminal");
        panic!("something is broken");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn after_a_panic_the_terminal_is_as_it_was_and_the_panic_can_be_read() {
        use std::process::{Command, Stdio};
        let tests = std::env::current_exe().expect("this program");
        let panicking = "top::tests::a_panic_on_a_screen --exact --ignored --nocapture --color never";
        let inside = format!("stty rows 24 cols 80; {} {panicking}; stty -a", tests.display());
        let mut script = Command::new("script");
        script.args(["-qec", &inside, "/dev/null"]).env("TERM", "xterm-256color").stdin(Stdio::null());
        let out = script.output().expect("util-linux is there");
        let out = String::from_utf8_lossy(&out.stdout).into_owned();
        let (_, screen) = out.split_once("\u{1b}[?1049h").unwrap_or_else(|| panic!("no other screen: {out:?}"));
        let (before, after) = screen.split_once("\u{1b}[?1049l").expect("and back");
        assert!(!before.contains("something is broken") && after.contains("something is broken"), "{out:?}");
        assert!(after.contains(" icanon") && after.contains(" echo "), "lines are edited: {after:?}");
    }
}
