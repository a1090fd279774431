//! `lasp members`, `evict`, `connect`, `disconnect`, `overlay` and `status`.

use super::table::{count, paragraph, table};
use super::{ConnectArgs, finish, odd};
use clap::Args;
use lasp::control::protocol::{Ask, LinkReport, Peer, Say, StatusReport};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// What these commands take.
#[derive(Args, Debug)]
pub(crate) struct ClusterArgs {
    #[command(flatten)]
    connect: ConnectArgs,
}

/// What `evict` takes.
#[derive(Args, Debug)]
pub(crate) struct EvictArgs {
    /// The member's id, as `lasp members` lists it
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// What `connect` and `disconnect` take.
#[derive(Args, Debug)]
pub(crate) struct LinkArgs {
    /// Where the other node listens
    #[arg(value_name = "HOST:PORT")]
    addr: String,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// Lists who is in the cluster.
pub(crate) fn members(args: ClusterArgs) -> ExitCode {
    args.connect.with_node(async |connect, client| match connect.ask(client, Ask::Cluster).await? {
        Say::Cluster { me, active, passive, members, reachable } if connect.json => {
            let list = |peers: &[Peer]| peers.iter().map(peer_json).collect::<Vec<_>>();
            let all: Vec<Value> = members.iter().map(|member| member_json(member, &reachable)).collect();
            let all = json!({
                "me": peer_json(&me), "active": list(&active), "passive": list(&passive), "members": all,
                "reachable": reachable,
            });
            finish(&all.to_string())
        }
        Say::Cluster { me, active, members, reachable, .. } => {
            let mut rows = vec![["ID", "VIEW", "STATE", "INCARNATION", "ADDRESS"].map(str::to_owned).to_vec()];
            let row = |peer: Peer, view: &str, state: &str| {
                vec![peer.id, view.to_owned(), state.to_owned(), peer.incarnation.to_string(), peer.addr]
            };
            rows.push(row(me, "this node", "alive"));
            for (peer, standing) in members {
                let view = if active.contains(&peer) { "active" } else { "passive" };
                let lost = standing == "suspect" && !reachable.contains(&peer.id);
                rows.push(row(peer, view, if lost { "unreachable" } else { &standing }));
            }
            finish(&table(&rows, &[16, 9, 11, 20]))
        }
        say => Err(odd(&say)),
    })
}

/// Removes a member from the cluster.
pub(crate) fn evict(args: EvictArgs) -> ExitCode {
    let done = format!("evicted {}", args.id);
    order(&args.connect, Ask::Evict(args.id.clone()), &done)
}

/// Has the node keep a link.
pub(crate) fn connect(args: LinkArgs) -> ExitCode {
    let done = format!("keeps a link to {}", args.addr);
    order(&args.connect, Ask::Connect(args.addr.clone()), &done)
}

/// Has the node end that.
pub(crate) fn disconnect(args: LinkArgs) -> ExitCode {
    let done = format!("keeps no link to {}", args.addr);
    order(&args.connect, Ask::Disconnect(args.addr.clone()), &done)
}

fn order(connect: &ConnectArgs, ask: Ask, done: &str) -> ExitCode {
    connect.clone().with_node(async |connect, client| match connect.ask(client, ask.clone()).await? {
        Say::Done if connect.json => finish("{}"),
        Say::Done => finish(done),
        say => Err(odd(&say)),
    })
}

fn member_json((peer, standing): &(Peer, String), reachable: &[String]) -> Value {
    json!({
        "id": peer.id, "incarnation": peer.incarnation, "addr": peer.addr, "state": standing,
        "reachable": reachable.contains(&peer.id),
    })
}

/// Lists the links to neighbours.
pub(crate) fn overlay(args: ClusterArgs) -> ExitCode {
    args.connect.with_node(async |connect, client| match connect.ask(client, Ask::Overlay).await? {
        Say::Overlay { me, membership, links } if connect.json => {
            let links: Vec<Value> = links.iter().map(link_json).collect();
            finish(&json!({"me": peer_json(&me), "membership": membership, "links": links}).to_string())
        }
        Say::Overlay { me, membership, links } => {
            let mut lines = format!("{} at {}: {membership}, {}", me.id, me.addr, count(links.len() as u64, "link"));
            if !links.is_empty() {
                let mut rows = vec![["ID", "TREE", "WAITING", "UNSENT", "ADDRESS"].map(str::to_owned).to_vec()];
                rows.extend(links.iter().map(link_row));
                lines = format!("{lines}\n{}", table(&rows, &[16, 5, 9, 10]));
            }
            finish(&lines)
        }
        say => Err(odd(&say)),
    })
}

/// Shows how the node is.
pub(crate) fn status(args: ClusterArgs) -> ExitCode {
    args.connect.with_node(async |connect, client| match connect.ask(client, Ask::Status).await? {
        Say::Status(status) if connect.json => finish(&status_json(&status).to_string()),
        Say::Status(status) => finish(&status_text(&status)),
        say => Err(odd(&say)),
    })
}

pub(super) fn peer_json(peer: &Peer) -> Value {
    json!({"id": peer.id, "incarnation": peer.incarnation, "addr": peer.addr})
}

fn tree(link: &LinkReport) -> &'static str {
    if link.eager { "eager" } else { "lazy" }
}

fn link_json(link: &LinkReport) -> Value {
    json!({
        "id": link.peer.id, "incarnation": link.peer.incarnation, "addr": link.peer.addr,
        "tree": tree(link), "waiting": link.waiting, "unsent_bytes": link.in_flight,
    })
}

fn link_row(link: &LinkReport) -> Vec<String> {
    let peer = &link.peer;
    vec![
        peer.id.clone(),
        tree(link).to_owned(),
        link.waiting.to_string(),
        format!("{} B", link.in_flight),
        peer.addr.clone(),
    ]
}

fn status_json(status: &StatusReport) -> Value {
    let metrics: Map<String, Value> = status.counters.iter().map(|(name, n)| (name.clone(), json!(n))).collect();
    json!({
        "name": status.name, "id": status.me.id, "incarnation": status.me.incarnation, "addr": status.me.addr,
        "cluster": status.cluster, "membership": status.membership, "version": status.software,
        "uptime_ms": status.uptime_ms, "active": status.active, "passive": status.passive,
        "interests": status.interests, "variables": status.variables,
        "fingerprint": format!("{:016x}", status.fingerprint), "quiescent": status.quiescent,
        "waiting": status.waiting, "clients": status.clients, "metrics": metrics,
    })
}

fn status_text(status: &StatusReport) -> String {
    let counters: BTreeMap<&str, u64> = status.counters.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    let counted = |name: &str| counters.get(name).copied().unwrap_or(0);
    let sent = |class: &str| counted(&format!("bytes_sent_{class}"));
    let hears = match &status.interests {
        None => "everything".to_owned(),
        Some(prefixes) if prefixes.is_empty() => "nothing".to_owned(),
        Some(prefixes) => prefixes.iter().map(|prefix| format!("{prefix}*")).collect::<Vec<_>>().join(" "),
    };
    let rest = if status.quiescent { "nothing is under way" } else { "busy" };
    let rows = [
        ("node", format!("{} ({})", status.name, status.me.id)),
        ("address", status.me.addr.clone()),
        ("cluster", format!("{}, {}", status.cluster, status.membership)),
        ("version", status.software.clone()),
        ("uptime", uptime(status.uptime_ms)),
        ("neighbours", format!("{}, {} more known", status.active, status.passive)),
        ("hears", hears),
        ("variables", format!("{}, fingerprint {:016x}", status.variables, status.fingerprint)),
        ("state", format!("{rest}; {} for links", count(status.waiting, "message"))),
        ("clients", status.clients.to_string()),
        (
            "updates",
            format!("{} here, {} merged, {} redundant", counted("updates"), counted("merges"), counted("redundant")),
        ),
        ("sent", format!("{} B: state {}, sync {}", counted("bytes_sent"), sent("state"), sent("sync"))),
        ("", format!("broadcast {}, membership {}", sent("broadcast"), sent("membership"))),
        ("received", format!("{} B", counted("bytes_received"))),
        ("queues", format!("peak {} messages, {} B", counted("queue_peak"), counted("backlog_peak"))),
        ("comparisons", format!("{}, {} found a difference", counted("syncs"), counted("sync_differences"))),
        ("refused", format!("{} frames, {} connections", counted("frames_refused"), counted("connections_refused"))),
    ];
    let line = |(name, text): &(&str, String)| match *name {
        "hears" => paragraph(0, &format!("hears {text}")).replacen("hears ", "hears        ", 1),
        name => format!("{name:<13}{text}"),
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn uptime(ms: u64) -> String {
    let (seconds, minutes, hours) = (ms / 1000 % 60, ms / 60_000 % 60, ms / 3_600_000);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min {seconds} s"),
        _ => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::uptime;

    #[test]
    fn uptimes_have_two_units_at_most() {
        assert_eq!(uptime(59_999), "59 s");
        assert_eq!(uptime(61_000), "1 min 1 s");
        assert_eq!(uptime(26 * 3_600_000 + 60_000), "26 h 1 min");
    }
}
