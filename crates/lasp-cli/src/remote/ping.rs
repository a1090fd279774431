//! `lasp ping`: whether a node, neighbour or not, can be reached from another.

use super::table::count;
use super::{ConnectArgs, Failure, odd, print};
use clap::Args;
use lasp::control::client::Client;
use lasp::control::protocol::{Ask, Say};
use lasp::settings::duration;
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;

/// What the command takes.
#[derive(Args, Debug)]
pub(crate) struct PingArgs {
    /// The node to look for: its id as `lasp members` prints it, or the address or id@address of one listed there
    #[arg(value_name = "NODE")]
    node: String,
    /// How often to ask
    #[arg(long, short = 'n', value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
    /// How long to wait between two questions
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    interval: Duration,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// Asks a running node to reach another one, over as many links of the overlay as it takes.
pub(crate) fn ping(args: PingArgs) -> ExitCode {
    let PingArgs { node, count, interval, connect } = args;
    connect.with_node(async |connect, client| {
        let mut reached = 0;
        for turn in 0..count {
            if turn > 0 {
                tokio::time::sleep(interval).await;
            }
            match once(connect, client, &node).await {
                Ok(line) if print(&line) => reached += 1,
                Ok(_) => return Ok(ExitCode::SUCCESS),
                Err(failure) if failure.lost || count == 1 => return Err(failure),
                Err(failure) => eprintln!("{}", failure.message),
            }
        }
        if reached > 0 {
            return Ok(ExitCode::SUCCESS);
        }
        Err(Failure::new(format!("error: node {node} did not answer {}", times(count))))
    })
}

fn times(n: u32) -> String {
    count(u64::from(n), "question")
}

async fn once(connect: &ConnectArgs, client: &Client, node: &str) -> Result<String, Failure> {
    match connect.ask(client, Ask::Ping { node: node.to_owned() }).await? {
        Say::Pong { node, hops, micros } if connect.json => {
            Ok(json!({"id": node, "hops": hops, "micros": micros}).to_string())
        }
        Say::Pong { node, hops, micros } => {
            Ok(format!("{node} answered over {} in {:.3} ms", count(u64::from(hops), "link"), micros as f64 / 1e3))
        }
        say => Err(odd(&say)),
    }
}
