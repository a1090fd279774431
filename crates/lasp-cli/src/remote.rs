//! Commands that talk to a running node: where it is, what to wait for, and what is said when it is not there.
//!
//! Exit codes: 0 it went well, 1 it did not, 2 a text in the language is wrong, 64 wrong usage.

pub(crate) mod cluster;
pub(crate) mod events;
pub(crate) mod ping;
pub(crate) mod programs;
pub(crate) mod script;
mod session;
pub(crate) mod shell;
mod table;
pub(crate) mod variables;

use crate::run::program::{FAILED, REJECTED, color};
use crate::terminal;
use clap::Args;
use lasp::builder::DEFAULT_LISTEN;
use lasp::control::client::{AskError, Client, ConnectError, Options};
use lasp::control::protocol::{Ask, Say, Style};
use lasp::settings::duration;
use lasp::transport::hello::Reason;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

/// How much longer than the node a command waits where the node does. A guess: an answer's way.
const GRACE: Duration = Duration::from_secs(5);

/// Where the node is, for commands that always talk to one.
#[derive(Args, Clone, Debug)]
pub(crate) struct ConnectArgs {
    /// Where the node listens
    #[arg(long, value_name = "HOST:PORT", env = "LASP_CONNECT", default_value = DEFAULT_LISTEN, value_parser = address)]
    connect: String,
    #[command(flatten)]
    manner: Manner,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How to talk to it.
#[derive(Args, Clone, Debug)]
pub(crate) struct Manner {
    /// The cluster that the node must belong to [default: any]
    #[arg(long, value_name = "NAME", env = "LASP_CLUSTER")]
    cluster: Option<String>,
    /// How long the node may be silent
    #[arg(long, value_name = "TIME", env = "LASP_TIMEOUT", default_value = "10s", value_parser = duration)]
    timeout: Duration,
}

/// Where the node is, for commands that bring their own cluster otherwise.
#[derive(Args, Clone, Debug)]
pub(crate) struct ConnectInstead {
    /// A running node to run it at, instead of an embedded cluster
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    connect: Option<String>,
    #[command(flatten)]
    manner: Manner,
}

impl ConnectInstead {
    /// Where to connect to, if that is wanted.
    pub(crate) fn place(&self, json: bool) -> Option<ConnectArgs> {
        Some(ConnectArgs { connect: self.connect.clone()?, manner: self.manner.clone(), json })
    }
}

/// An address as the system takes it; the port may be left out.
fn address(text: &str) -> Result<String, String> {
    let port = DEFAULT_LISTEN.rsplit_once(':').map_or("", |(_, port)| port);
    let wrong = || Err(format!("{text:?} is not HOST:PORT, for instance {DEFAULT_LISTEN}"));
    match text.rsplit_once(':') {
        None if text.is_empty() || text.contains(char::is_whitespace) => wrong(),
        None => Ok(format!("{text}:{port}")),
        Some((host, number)) if !host.is_empty() && number.parse::<u16>().is_ok_and(|number| number > 0) => {
            Ok(text.to_owned())
        }
        Some(_) => wrong(),
    }
}

/// Why a command did not do what it should.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
    /// Whether the connection is gone.
    lost: bool,
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self { code: FAILED, message: message.into(), lost: false }
    }

    /// With what is so all the same.
    fn noting(self, note: &str) -> Self {
        Self { message: format!("{}\nnote: {note}", self.message), ..self }
    }
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Refused(refused) if refused.rejected => {
                Self { code: REJECTED, message: refused.message, lost: false }
            }
            AskError::Refused(refused) => {
                let hint = refused.hint.map(|hint| format!("\nhelp: {hint}")).unwrap_or_default();
                Self::new(format!("error: {}{hint}", refused.message))
            }
            lost @ AskError::Lost { .. } => Self { lost: true, ..Self::new(format!("error: {lost}")) },
        }
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        let hint = match &error {
            ConnectError::Unreachable { .. } => {
                "start one with `lasp node`, or say where it listens with --connect HOST:PORT"
            }
            ConnectError::Silent { .. } => "the node is stopped, or far away; --timeout waits longer",
            ConnectError::NotLasp { .. } => {
                "something else listens there; say where the node is with --connect HOST:PORT"
            }
            ConnectError::Refused { refusal, .. } => match refusal.reason {
                Reason::Version => "use the `lasp` command of the node's version",
                Reason::Cluster => "correct --cluster or --connect",
                _ => "",
            },
        };
        let hint = if hint.is_empty() { String::new() } else { format!("\nhelp: {hint}") };
        Self::new(format!("error: {error}{hint}"))
    }
}

impl ConnectArgs {
    /// How the node should write what it says.
    fn style(&self) -> Style {
        Style { json: self.json, color: color() }
    }

    /// Connects and does `work`.
    pub(crate) fn with_node(self, work: impl AsyncFnOnce(&Self, &Client) -> Result<ExitCode, Failure>) -> ExitCode {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return complain(&Failure::new(format!("error: cannot set up the event loop: {error}"))),
        };
        let done = runtime.block_on(async {
            let client = Client::connect(&self.connect, self.options()).await?;
            work(&self, &client).await
        });
        done.unwrap_or_else(|failure| complain(&failure))
    }

    fn options(&self) -> Options {
        Options { timeout: self.manner.timeout, cluster: self.manner.cluster.clone().unwrap_or_default() }
    }

    /// How long the node itself may wait for something.
    fn within_ms(&self) -> u64 {
        u64::try_from(self.manner.timeout.as_millis()).unwrap_or(u64::MAX)
    }

    /// Asks what the node itself waits for as long as the user wants to, and answers then in any case.
    async fn ask_waiting(&self, client: &Client, ask: Ask) -> Result<Say, Failure> {
        self.ask_within(client, ask, self.manner.timeout + GRACE).await
    }

    /// Asks what has one answer, and waits for it as long as the user wants to.
    async fn ask(&self, client: &Client, ask: Ask) -> Result<Say, Failure> {
        self.ask_within(client, ask, self.manner.timeout).await
    }

    async fn ask_within(&self, client: &Client, ask: Ask, within: Duration) -> Result<Say, Failure> {
        let mut answers = client.ask(ask).await?;
        match tokio::time::timeout(within, answers.next()).await {
            Ok(say) => Ok(say?),
            Err(_) => Err(Failure::new(format!(
                "error: the node at {} has not answered within {:?}; it may or may not have done what was asked\n\
                 help: it has much to do, or is stopped; --timeout waits longer",
                self.connect, self.manner.timeout
            ))),
        }
    }
}

fn complain(failure: &Failure) -> ExitCode {
    terminal::complain(&failure.message);
    ExitCode::from(failure.code)
}

/// An answer to another request: a node that does not keep to the protocol.
fn odd(say: &Say) -> Failure {
    Failure::new(format!("error: the node gave an answer that was not asked for: {say:?}"))
}

/// Writes to standard output; `false` once nobody reads it.
fn print(text: &str) -> bool {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).is_ok()
}

/// Writes all of an answer.
fn finish(text: &str) -> Result<ExitCode, Failure> {
    print(text); // where nobody reads it, there is nothing to be done
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_has_the_default_port_unless_it_says_another() {
        assert_eq!(address("shop.example:4200").as_deref(), Ok("shop.example:4200"));
        assert_eq!(address("shop.example").as_deref(), Ok("shop.example:4100"));
        assert_eq!(address("[::1]:4100").as_deref(), Ok("[::1]:4100"));
        for wrong in ["", "a b", "shop:", ":4100", "shop:0", "shop:70000", "shop:http"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
