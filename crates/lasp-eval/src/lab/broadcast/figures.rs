//! What broadcasts come to: figures, verdict, tables.

use super::options::Broadcast;
use super::phases::Outcome;
use super::published;
use super::world::{ANNOUNCEMENTS, GRAFTS, PAYLOADS, PRUNES, Reached, WAVES};
use crate::figure::{Figure, Varied};
use crate::replication::tables::{Table, at, cell};
use crate::stats::mean;
use crate::summary::Summary;
use std::collections::BTreeMap;

/// Least percent of the survivors that are to hear the first message after a failure.
const LEAST_FIRST: f64 = 99.0;

/// Kinds of messages, as figures name them.
const KINDS: [(&str, usize); 5] =
    [("payload", PAYLOADS), ("announcement", ANNOUNCEMENTS), ("graft", GRAFTS), ("prune", PRUNES), ("wave", WAVES)];

/// The messages of one way of sending.
type Messages = fn(&Outcome) -> &[Reached];

/// A figure of the messages after a failure.
type Pick = fn(&[Reached]) -> f64;

type Results = BTreeMap<String, Figure>;

/// Everything as it stands in `summary.json`.
pub fn results(options: &Broadcast, outcomes: &[Outcome]) -> Results {
    let mut results = Results::new();
    for (view, suffix) in options.views().into_iter().zip(["", "_wide"]) {
        let runs: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.view == view).collect();
        if !runs.is_empty() {
            let mut put = |name: String, figure| _ = results.insert(name + suffix, figure);
            steady(&runs, options.forming, &mut put);
            failures(&runs, &mut put);
        }
    }
    results
}

fn varied(runs: &[&Outcome], pick: impl Fn(&Outcome) -> f64) -> Figure {
    Figure::Varied(Varied::of(&runs.iter().map(|run| pick(run)).collect::<Vec<_>>()))
}

fn mean_of(messages: &[Reached], pick: impl Fn(&Reached) -> f64) -> f64 {
    mean(&messages.iter().map(pick).collect::<Vec<_>>())
}

fn steady(runs: &[&Outcome], forming: usize, put: &mut impl FnMut(String, Figure)) {
    let ways: [(&str, Messages); 2] = [("single", |run| &run.single), ("multi", |run| &run.multi)];
    for (way, of) in ways {
        let later = |run: &Outcome, pick: fn(&Reached) -> f64| mean_of(of(run).get(forming..).unwrap_or(&[]), pick);
        put(format!("rmr_{way}"), varied(runs, |run| later(run, Reached::redundancy)));
        put(format!("rmr_{way}_with_first"), varied(runs, |run| mean_of(of(run), Reached::redundancy)));
        put(format!("ldh_{way}"), varied(runs, |run| later(run, |message| f64::from(message.hops))));
        let deepest = |run: &Outcome| of(run).iter().skip(forming).map(|message| message.hops).max().unwrap_or(0);
        put(format!("ldh_{way}_max"), varied(runs, |run| f64::from(deepest(run))));
        put(format!("last_delivery_ms_{way}"), varied(runs, |run| later(run, |message| message.last_ms)));
        put(format!("reliability_{way}"), varied(runs, |run| mean_of(of(run), Reached::reliability)));
        for (name, kind) in KINDS {
            let of_kind =
                |run: &Outcome| of(run).get(forming..).unwrap_or(&[]).iter().map(|m| m.sent[kind]).collect::<Vec<_>>();
            let per = |run: &Outcome, pick: fn(&crate::lab::metered::Sent) -> u64| {
                mean(&of_kind(run).iter().map(|sent| pick(sent) as f64).collect::<Vec<_>>())
            };
            put(format!("{name}_messages_{way}"), varied(runs, |run| per(run, |sent| sent.messages)));
            put(format!("{name}_bytes_{way}"), varied(runs, |run| per(run, |sent| sent.bytes)));
        }
    }
    put("ldh_shallowest_tree".to_owned(), varied(runs, |run| run.shallowest));
}

/// Cycles until a message reaches everybody; one more than there were if none did.
fn healing(messages: &[Reached]) -> f64 {
    messages.iter().position(|message| message.reached == message.nodes).unwrap_or(messages.len()) as f64
}

fn failures(runs: &[&Outcome], put: &mut impl FnMut(String, Figure)) {
    let picks: [(&str, Pick); 5] = [
        ("first_reliability", |all| all[0].reliability()),
        ("first_reliability_second", |all| 100.0 * all[0].in_a_second as f64 / all[0].nodes as f64),
        ("first_rmr", |all| all[0].redundancy()),
        ("healing_cycles", healing),
        ("ldh_healed", |all| all.last().map_or(0.0, |message| f64::from(message.hops))),
    ];
    for (name, pick) in picks {
        let mut points: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (percent, messages) in runs.iter().flat_map(|run| &run.after).filter(|(_, messages)| !messages.is_empty()) {
            points.entry(percent.to_string()).or_default().push(pick(messages));
        }
        if !points.is_empty() {
            let points = points.into_iter().map(|(percent, values)| (percent, Varied::of(&values)));
            put(name.to_owned(), Figure::Curve(points.collect()));
        }
    }
}

/// What is not as it should be.
pub fn problems(outcomes: &[Outcome]) -> Vec<String> {
    let mut problems = Vec::new();
    for run in outcomes {
        let missed = run.single.iter().chain(&run.multi).filter(|message| message.reached < message.nodes).count();
        if missed > 0 {
            problems.push(format!("active view {}: {missed} messages missed somebody with nothing failed", run.view));
        }
        for (percent, messages) in &run.after {
            let first = messages.first().map_or(0.0, Reached::reliability);
            if first < LEAST_FIRST {
                let view = run.view;
                problems
                    .push(format!("active view {view}: {first:.1} % hear the first message after {percent} % fail"));
            }
        }
    }
    problems
}

/// Ours beside the published.
pub fn tables(summary: &Summary) -> Vec<Table> {
    let header = vec!["active view", "wider view", "SRDS'07", "iroh 0.101"];
    let ours = |name: &str| ["", "_wide"].map(|suffix| said(summary, &format!("{name}{suffix}")));
    let row = |label: &str, name: &str, others: [Option<f64>; 2]| {
        (label.to_owned(), ours(name).into_iter().chain(others.map(cell)).collect())
    };
    let one = |values: [f64; 2], place: usize| Some(values[place]);
    let mut rows = Vec::new();
    for (place, (way, name)) in [("one sender", "single"), ("many senders", "multi")].into_iter().enumerate() {
        let ldh = [published::LDH_SINGLE, published::LDH_MULTI][place];
        rows.push(row(&format!("RMR, {way}"), &format!("rmr_{name}"), [Some(published::RMR), None]));
        let first = [None, one(published::IROH_RMR, place)];
        rows.push(row("  with the first message", &format!("rmr_{name}_with_first"), first));
        rows.push(row(&format!("LDH, {way}"), &format!("ldh_{name}"), [Some(ldh), one(published::IROH_LDH, place)]));
        let last = [None, one(published::IROH_LAST_MS, place)];
        rows.push(row("  last delivery (ms)", &format!("last_delivery_ms_{name}"), last));
        rows.push(row("  reliability (%)", &format!("reliability_{name}"), [Some(100.0), Some(100.0)]));
        let control = [Some(published::CONTROL), None];
        rows.push(row("  announcements", &format!("announcement_messages_{name}"), control));
        rows.push(row("  their bytes", &format!("announcement_bytes_{name}"), [None; 2]));
        rows.push(row("  grafts", &format!("graft_messages_{name}"), [None; 2]));
        rows.push(row("  prunes", &format!("prune_messages_{name}"), [None; 2]));
        rows.push(row("  waves", &format!("wave_messages_{name}"), [None; 2]));
    }
    rows.push(row("LDH of the shallowest tree", "ldh_shallowest_tree", [None; 2]));
    let mut tables = vec![Table { title: "Trees, per broadcast".to_owned(), header: header.clone(), rows }];
    let Some(Figure::Curve(points)) = summary.results.get("first_reliability") else { return tables };
    let mut rows = Vec::new();
    for percent in points.keys() {
        let at_percent =
            |name: &str| ["", "_wide"].map(|suffix| cell(at(summary, &format!("{name}{suffix}"), percent)));
        let published =
            published::FIRST.iter().find(|(failed, _)| failed.to_string() == *percent).map(|(_, value)| *value);
        let mut push = |label: String, name: &str, published: Option<f64>| {
            rows.push((label, at_percent(name).into_iter().chain([cell(published), String::new()]).collect()));
        };
        push(format!("{percent} %: first message heard (%)"), "first_reliability", published);
        push("  within a second (%)".to_owned(), "first_reliability_second", None);
        push("  its RMR".to_owned(), "first_rmr", None);
        push("  cycles to heal".to_owned(), "healing_cycles", None);
        push("  LDH healed".to_owned(), "ldh_healed", None);
    }
    tables.push(Table { title: "After failures, by percent failed".to_owned(), header, rows });
    tables
}

fn said(summary: &Summary, name: &str) -> String {
    match summary.results.get(name) {
        Some(Figure::Varied(varied)) if varied.sd >= 0.0005 => format!("{:.3}±{:.3}", varied.mean, varied.sd),
        Some(figure) => cell(figure.value()),
        None => String::new(),
    }
}
