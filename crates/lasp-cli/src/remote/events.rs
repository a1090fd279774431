//! `lasp events`: what changes around a running node.

use super::cluster::peer_json;
use super::{ConnectArgs, Failure, odd, print};
use clap::Args;
use lasp::control::client::Client;
use lasp::control::protocol::{Ask, ChangeReport, Peer, Say};
use serde_json::{Value, json};
use std::process::ExitCode;

/// What `lasp events` takes.
#[derive(Args, Debug)]
#[command(after_help = "Prints what is known now as if it had just come, then a line for each change, until Ctrl-C:
  up, down             a neighbour is there, is none any more
  joined, left, gone   a member of the cluster is new, said goodbye, is none for another reason
  suspected, cleared   a member does not answer, does again
  known, forgotten     a node is known besides the neighbours, or no more
Whoever reads too slowly gets several changes in one, and misses none that lasts. With --json each change is an object
with these lists, and `view`: the neighbours as they are now.")]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    connect: ConnectArgs,
}

/// Prints changes until it is stopped.
pub(crate) fn events(args: EventsArgs) -> ExitCode {
    args.connect.with_node(async |connect, client| {
        tokio::select! {
            ended = follow(connect, client) => ended,
            _ = tokio::signal::ctrl_c() => Ok(ExitCode::SUCCESS),
        }
    })
}

async fn follow(connect: &ConnectArgs, client: &Client) -> Result<ExitCode, Failure> {
    let mut answers = client.ask(Ask::Events).await?;
    loop {
        match answers.next().await? {
            Say::Changed(change) => {
                let text = if connect.json { change_json(&change).to_string() } else { lines(&change).join("\n") };
                if !print(&text) {
                    return Ok(ExitCode::SUCCESS); // nobody reads any more
                }
            }
            say => return Err(odd(&say)),
        }
    }
}

/// A line for each peer; goodbyes before what follows from them.
fn lines(change: &ChangeReport) -> Vec<String> {
    let ids = |what: &'static str, ids: &[String]| ids.iter().map(|id| format!("{what:<10}{id}")).collect::<Vec<_>>();
    let peers = |what: &'static str, peers: &[Peer]| {
        peers.iter().map(|peer| format!("{what:<10}{}  {}", peer.id, peer.addr)).collect::<Vec<_>>()
    };
    [
        ids("left", &change.left),
        ids("down", &change.down),
        ids("gone", &change.gone),
        ids("suspected", &change.suspected),
        ids("forgotten", &change.forgotten),
        peers("joined", &change.joined),
        peers("up", &change.up),
        ids("cleared", &change.cleared),
        peers("known", &change.known),
    ]
    .concat()
}

fn change_json(change: &ChangeReport) -> Value {
    let peers = |peers: &[Peer]| peers.iter().map(peer_json).collect::<Vec<_>>();
    json!({
        "up": peers(&change.up), "down": change.down, "joined": peers(&change.joined), "left": change.left,
        "gone": change.gone, "suspected": change.suspected, "cleared": change.cleared,
        "known": peers(&change.known), "forgotten": change.forgotten, "view": peers(&change.view),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_a_line_for_each_peer_and_what_goes_comes_first() {
        let peer = Peer { id: "2a".to_owned(), incarnation: 7, addr: "db1:4100".to_owned() };
        let change = ChangeReport {
            up: vec![peer.clone()],
            left: vec!["1".to_owned()],
            down: vec!["1".to_owned()],
            view: vec![peer],
            ..ChangeReport::default()
        };
        assert_eq!(lines(&change), ["left      1", "down      1", "up        2a  db1:4100"]);
        let json = change_json(&change);
        assert_eq!((&json["left"], &json["view"][0]["id"]), (&json!(["1"]), &json!("2a")));
    }
}
