//! Counts in the text format of Prometheus (version 0.0.4).

use super::State;
use super::counts::Counts;
use super::model::{Problem, Status};
use super::usage::{Usage, usage};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::fmt::Write as _;

/// What the node counted, for Prometheus.
#[utoipa::path(get, path = "/metrics", responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn metrics(state: State) -> Result<Response, Problem> {
    let text = text(&super::cluster::status_of(&state).await?, &state.counts, usage());
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// Whether a counter is a state, or a peak, rather than a sum.
fn is_gauge(name: &str) -> bool {
    name.ends_with("_peak") || ["waiting_entries", "link_cost_us"].contains(&name)
}

fn text(status: &Status, counts: &Counts, usage: Usage) -> String {
    let mut out = String::new();
    let labels = [("cluster", &status.cluster), ("node", &status.name), ("version", &status.version)];
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    metric(&mut out, "lasp_node_info", "gauge", "What the node is.", &[(format!("{{{}}}", labels.join(",")), 1)]);
    let plain = |value: u64| [(String::new(), value)];
    let gauges = [
        ("lasp_active_view", "Neighbours in the overlay.", status.active),
        ("lasp_passive_view", "Other nodes known.", status.passive),
        ("lasp_variables", "Variables held.", status.variables),
        ("lasp_waiting_messages", "Messages that wait for links.", status.waiting),
        ("lasp_clients", "Command-line clients.", status.clients),
        ("lasp_viewers", "Streams of changes that are open.", status.viewers),
        ("lasp_uptime_seconds", "Time since the start.", status.uptime_ms / 1000),
        ("process_resident_memory_bytes", "Resident memory.", usage.memory),
    ];
    for (name, help, value) in gauges {
        metric(&mut out, name, "gauge", help, &plain(value));
    }
    for (name, help, value) in counts.all() {
        metric(&mut out, name, "counter", help, &plain(value));
    }
    let classes: Vec<(String, u64)> = status
        .counters
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("bytes_sent_")?, *value)))
        .map(|(class, value)| (format!("{{class=\"{class}\"}}"), value))
        .collect();
    metric(&mut out, "lasp_bytes_sent_total", "counter", "Bytes sent, by what they are spent on.", &classes);
    for (name, &value) in status.counters.iter().filter(|(name, _)| !name.starts_with("bytes_sent")) {
        let help = format!("See `lasp status --json`: {name}.");
        match is_gauge(name) {
            true => metric(&mut out, &format!("lasp_{name}"), "gauge", &help, &plain(value)),
            false => metric(&mut out, &format!("lasp_{name}_total"), "counter", &help, &plain(value)),
        }
    }
    out
}

fn metric(out: &mut String, name: &str, kind: &str, help: &str, values: &[(String, u64)]) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}"); // a string takes everything
    for (labels, value) in values {
        let _ = writeln!(out, "{name}{labels} {value}");
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
