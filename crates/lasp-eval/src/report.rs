//! `report.html`: one page that needs nothing else, from a summary and its figures.
//!
//! Verdict first, then the figures that matter, the plots, and how to run it again. Colours follow the reader's light or
//! dark setting; the page fits a phone.

mod economy;

use crate::aggregate::Overall;
use crate::config::{Config, Scenario, Where};
use crate::figure::{Figure, Varied};
use crate::lab;
use crate::plot::{Chart, byte_unit, draw};
use crate::replay::{self, Replay};
use crate::scenario::named;
use crate::summary::Summary;
use std::fmt::Write as _;

/// Everything a page is made of.
#[derive(Debug)]
pub struct Page<'a> {
    /// What was run.
    pub config: &'a Config,
    /// What came of it.
    pub overall: &'a Overall,
    /// What there is to look at.
    pub charts: &'a [Chart],
    /// The overlay over time.
    pub replay: &'a Replay,
    /// When it was run.
    pub date: &'a str,
    /// The command that runs it again.
    pub rerun: &'a str,
}

/// Replaces what HTML would take for markup.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The page.
pub fn html(page: &Page<'_>) -> String {
    let Page { config, overall, charts, replay, date, rerun } = page;
    let summary = &overall.summary;
    let title = format!("{} on {} nodes", title(summary), summary.nodes);
    let mut out = String::with_capacity(64 * 1024);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n\
         <header>\n<p>Lasp evaluation, {}</p>\n<h1>{title}</h1>\n<p>{}</p>\n</header>\n",
        include_str!("report.css"),
        escape(date),
        subtitle(config),
    );
    if config.scenario.is_lab() {
        out += &lab::page::body(overall);
        out += &plots(charts);
        out += &economy::section(summary);
    } else {
        out += &verdict(summary);
        out += &key_figures(overall);
        out += &plots(charts);
        if !replay.is_empty() {
            out += &replay::html(replay, named);
        }
        if !overall.runs.is_empty() {
            out += &runs(overall);
        }
        out += &economy::section(summary);
        out += &results(summary);
    }
    out += &configuration(config, rerun);
    let _ = write!(
        out,
        "<footer>Written by lasp {}. The same figures: <code>summary.json</code>; every sample of every node: \
         <code>metrics.csv</code>; the plots: <code>plots/</code>.</footer>\n</main>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
    );
    out
}

fn title(summary: &Summary) -> String {
    let words = summary.scenario.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn subtitle(config: &Config) -> String {
    let place = match config.place {
        Where::Process => "real processes over TCP on one machine",
        Where::Sim => "virtual time, in one process",
    };
    let runs = if config.runs > 1 {
        format!("{} runs, seeds from {}", config.runs, config.seed)
    } else {
        format!("seed {}", config.seed)
    };
    if config.scenario.is_lab() {
        let what = match config.scenario {
            Scenario::Micro(_) | Scenario::Retwis(_) => "Synchronisation over a fixed topology",
            Scenario::Reconcile(_) => "Two nodes that compare",
            Scenario::Interest(_) => "Whole nodes over a random overlay",
            Scenario::Heal(_) | Scenario::SlowPeer(_) => "Whole nodes over HyParView",
            Scenario::Joiner(_) | Scenario::FirstSync(_) => "Nodes on threads of one process",
            _ => "Membership alone",
        };
        return format!("{what}; {place}; {runs}.");
    }
    format!(
        "{} membership, {} dissemination, {} synchronisation; {place}; {runs}.",
        config.membership, config.dissemination, config.sync
    )
}

fn verdict(summary: &Summary) -> String {
    let flaws = flaws(summary);
    let list = |items: &[String]| items.iter().map(|item| format!("<li>{}</li>", escape(item))).collect::<String>();
    if !summary.converged {
        return format!(
            "<section class=\"verdict bad\"><strong>Not converged.</strong><ul>{}{}</ul></section>\n",
            list(&summary.problems),
            list(&flaws),
        );
    }
    if !flaws.is_empty() {
        return format!(
            "<section class=\"verdict warn\"><strong>Converged, over a flawed overlay.</strong><ul>{}</ul></section>\n",
            list(&flaws)
        );
    }
    "<section class=\"verdict good\"><strong>Converged.</strong><p>Every node saw the end and holds the same data; no \
     acknowledged update is missing; the overlay is whole: nobody isolated, every link known to both its ends, one \
     component.</p></section>\n"
        .to_owned()
}

/// What is wrong with the overlay.
pub fn flaws(summary: &Summary) -> Vec<String> {
    let counted = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
    let parts = (summary.components > 1).then(|| format!("the overlay is in {} parts", summary.components));
    let flaws = [
        counted(summary.isolated_nodes, "isolated nodes"),
        counted(summary.asymmetric_links, "links known to one end only"),
        counted(summary.dangling_links, "links to peers that are gone"),
        parts,
    ];
    flaws.into_iter().flatten().collect()
}

fn key_figures(overall: &Overall) -> String {
    let summary = &overall.summary;
    let mut out = String::from("<dl class=\"figures\">\n");
    for (name, value, note) in tiles(summary) {
        let _ = writeln!(out, "<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>");
    }
    out += "</dl>\n";
    out
}

fn tiles(summary: &Summary) -> Vec<(&'static str, String, String)> {
    let mut tiles = vec![
        ("Acknowledged updates", summary.updates.to_string(), format!("{} lost", summary.lost_updates)),
        (
            "Convergence, median",
            millis(summary.convergence_ms.p50),
            format!("{} at most, after the last update", millis(summary.convergence_ms.max)),
        ),
        (
            "Sent by all nodes",
            bytes(summary.bytes.total as f64),
            format!("{} of it state", bytes(summary.bytes.state as f64)),
        ),
        ("Sent per update", bytes(summary.bytes.per_update), "cluster-wide, frames included".to_owned()),
    ];
    if !summary.overcounting.is_empty() {
        let percent = format!("{:.2} %", summary.overcounting_percent);
        tiles.push(("Overcounting", percent, format!("mean over {} ads", summary.overcounting.len())));
    }
    let result = |name| summary.results.get(name).and_then(Figure::value);
    if let Some(p50) = result("visible_at_all_ms_p50") {
        let p99 = result("visible_at_all_ms_p99").unwrap_or(0.0);
        tiles.push(("Visible everywhere after", millis(p50), format!("median; p99 {}", millis(p99))));
    }
    tiles.extend(economy::tiles(summary));
    let memory = if summary.place == Where::Sim.name() { "per simulated node" } else { "greatest process" };
    tiles.push(("Memory", bytes(summary.rss_bytes.mean), format!("mean; {} {memory}", bytes(summary.rss_bytes.max))));
    tiles.push(("Took", format!("{:.1} s", summary.run_seconds), format!("{:.1} s on the wall", summary.wall_seconds)));
    tiles
}

fn plots(charts: &[Chart]) -> String {
    let mut out = String::from("<h2>Plots</h2>\n<section class=\"plots\">\n");
    for chart in charts {
        let _ = writeln!(
            out,
            "<figure id=\"{}\"><h3>{}</h3>\n{}<figcaption>{}</figcaption></figure>",
            chart.id,
            chart.title,
            draw::inline_svg(chart),
            escape(&chart.caption),
        );
    }
    out += "</section>\n";
    out
}

fn runs(overall: &Overall) -> String {
    let mut out = String::from(
        "<h2>Runs</h2>\n<div class=\"wide\"><table>\n<tr><th>run</th><th>seed</th><th>verdict</th><th>updates</th>\
         <th>lost</th><th>convergence p50</th><th>max</th><th>sent per update</th><th>overcounting</th></tr>\n",
    );
    for (index, run) in overall.runs.iter().enumerate() {
        let number = index + 1;
        let verdict = if run.converged { "converged" } else { "not converged" };
        let _ = writeln!(
            out,
            "<tr><td><a href=\"run-{number}/report.html\">{number}</a></td><td>{}</td><td>{verdict}</td>\
             <td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>\
             <td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{:.2} %</td></tr>",
            run.seed,
            run.updates,
            run.lost_updates,
            millis(run.convergence_ms.p50),
            millis(run.convergence_ms.max),
            bytes(run.bytes.per_update),
            run.overcounting_percent,
        );
    }
    out += "</table></div>\n<p>Measures above are means over the runs; faults are those of the worst.</p>\n";
    out
}

fn results(summary: &Summary) -> String {
    let mut rows = vec![
        (
            "nodes isolated / links one-sided / components".to_owned(),
            format!("{} / {} / {}", summary.isolated_nodes, summary.asymmetric_links, summary.components),
        ),
        ("neighbours per node, least to most".to_owned(), range(&summary.degrees)),
        (
            "bytes per node, mean / p99".to_owned(),
            format!("{} / {}", bytes(summary.bytes.per_node_mean), bytes(summary.bytes.per_node_p99)),
        ),
        ("divergence at the end".to_owned(), format!("{:.3} %", 100.0 * summary.divergence_final)),
        ("most messages waiting on a link".to_owned(), summary.queue_peak.to_string()),
        ("processor time of all nodes".to_owned(), format!("{:.2} s", summary.cpu_seconds)),
    ];
    if summary.crashes > 0 {
        rows.push((
            "crashes (updates acknowledged by lives that crashed)".to_owned(),
            format!("{} ({})", summary.crashes, summary.crashed_updates),
        ));
    }
    rows.extend(summary.results.iter().map(|(name, figure)| (name.replace('_', " "), say(figure))));
    rows.extend(summary.trace_hash.iter().map(|hash| ("trace hash".to_owned(), format!("<code>{hash}</code>"))));
    format!("<h2>More figures</h2>\n{}", table(&rows))
}

fn configuration(config: &Config, rerun: &str) -> String {
    let mut rows: Vec<(String, String)> = if config.scenario.is_lab() {
        vec![
            ("nodes".into(), config.nodes.to_string()),
            ("seed, runs".into(), format!("{}, {}", config.seed, config.runs)),
        ]
    } else {
        surroundings(config)
    };
    rows.extend(options(&config.scenario).into_iter().map(|(name, value)| (name.to_owned(), value)));
    format!("<h2>Configuration</h2>\n{}<h2>Run it again</h2>\n<pre>{}</pre>\n", table(&rows), escape(rerun))
}

/// What surrounds the scenario.
fn surroundings(config: &Config) -> Vec<(String, String)> {
    vec![
        ("nodes".into(), config.nodes.to_string()),
        ("membership".into(), config.membership.to_string()),
        ("dissemination".into(), config.dissemination.to_string()),
        ("synchronisation".into(), config.sync.to_string()),
        ("where".into(), config.place.to_string()),
        ("seed, runs".into(), format!("{}, {}", config.seed, config.runs)),
        ("given up after".into(), config.duration.to_string()),
        ("loss, partition probability".into(), format!("{}, {}", config.loss, config.partition_probability)),
        ("churn (crashes per client and minute)".into(), config.churn.to_string()),
        ("sampled every".into(), config.sample_interval.to_string()),
    ]
}

/// The scenario's options as a reader would say them.
fn options(scenario: &Scenario) -> Vec<(&'static str, String)> {
    match scenario {
        Scenario::AdvertisementCounter(options) => vec![
            ("ads", options.ads.to_string()),
            ("contracted impressions of each", options.impressions.to_string()),
            ("impression interval per client", options.impression_interval.to_string()),
            (
                "clients",
                if options.heavy_clients {
                    "heavy: derive and enforce themselves"
                } else {
                    "light: hear the server's result"
                }
                .to_owned(),
            ),
        ],
        Scenario::SharedLoad(options) => vec![
            ("increments per node", options.increments.to_string()),
            ("increment interval", options.increment_interval.to_string()),
            ("increments per add", options.increments_per_add.to_string()),
        ],
        Scenario::Latency(options) => {
            vec![("rounds", options.rounds.to_string()), ("round interval", options.round_interval.to_string())]
        }
        Scenario::Hyparview(options) => options.described(),
        Scenario::OverlayScale(options) => options.described(),
        Scenario::OverlayProcesses(options) => options.described(),
        Scenario::Rapid(options) => options.described(),
        Scenario::Churn(options) => options.described(),
        Scenario::Broadcast(options) => options.described(),
        Scenario::Idle(options) => options.described(),
        Scenario::Micro(options) => options.described(),
        Scenario::Retwis(options) => options.described(),
        Scenario::Reconcile(options) => options.described(),
        Scenario::Interest(options) => options.described(),
        Scenario::Heal(options) => options.described(),
        Scenario::SlowPeer(options) => options.described(),
        Scenario::Joiner(options) => options.described(),
        Scenario::FirstSync(options) => options.described(),
    }
}

pub(crate) fn table(rows: &[(String, String)]) -> String {
    let mut out = String::from("<div class=\"wide\"><table>\n");
    for (name, value) in rows {
        let _ = writeln!(out, "<tr><th>{name}</th><td>{value}</td></tr>");
    }
    out += "</table></div>\n";
    out
}

fn range(degrees: &[usize]) -> String {
    match (degrees.first(), degrees.last()) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        _ => "none".to_owned(),
    }
}

/// How many there are of 0, 1, 2, …: those that there are any of.
fn range_of(counts: &[f64]) -> String {
    let some = counts.iter().enumerate().filter(|(_, count)| **count > 0.0);
    some.map(|(of, count)| format!("{of}: {}", number(*count))).collect::<Vec<_>>().join(", ")
}

/// A figure in a line.
pub fn say(figure: &Figure) -> String {
    let varied =
        |v: &Varied| if v.sd == 0.0 { number(v.mean) } else { format!("{} ± {}", number(v.mean), number(v.sd)) };
    match figure {
        Figure::Number(value) => number(*value),
        Figure::Varied(value) => varied(value),
        Figure::Curve(points) => {
            points.iter().map(|(name, value)| format!("{name}: {}", varied(value))).collect::<Vec<_>>().join(", ")
        }
    }
}

/// A number with as many digits as say something.
pub fn number(value: f64) -> String {
    match value {
        v if v.fract() == 0.0 => format!("{v:.0}"),
        v if v.abs() >= 100.0 => format!("{v:.0}"),
        v if v.abs() >= 10.0 => format!("{v:.1}"),
        v if v.abs() >= 0.095 => format!("{v:.2}"),
        v => format!("{v:.5}"),
    }
}

/// Bytes in the unit that reads best.
pub fn bytes(value: f64) -> String {
    let (scale, unit) = byte_unit(value);
    format!("{} {unit}", number(value / scale))
}

/// Milliseconds, or seconds from ten on.
pub fn millis(value: f64) -> String {
    if value >= 10_000.0 {
        return format!("{} s", number(value / 1000.0));
    }
    format!("{} ms", number(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::aggregate;
    use crate::plot::{charts, tests::made_up};

    fn page(config: &Config, runs: u32, change: impl Fn(&mut Summary)) -> String {
        let mut runs: Vec<_> = (0..runs).map(|variant| made_up(config, variant)).collect();
        runs.iter_mut().for_each(|run| change(&mut run.summary));
        let overall = aggregate(runs.iter().map(|run| run.summary.clone()).collect()).unwrap();
        let charts = charts(config, &runs);
        html(&Page {
            config,
            overall: &overall,
            charts: &charts,
            replay: &Replay::default(),
            date: "2026-11-22",
            rerun: "lasp eval --config <x>",
        })
    }

    #[test]
    fn a_good_run_has_its_verdict_figures_plots_configuration_and_command() {
        let text = page(&Config::default(), 1, |_| {});
        if let Ok(dir) = std::env::var("LASP_EVAL_TEST_PLOTS") {
            std::fs::write(format!("{dir}/report.html"), &text).unwrap();
        }
        for part in [
            "<title>Advertisement counter on 16 nodes</title>",
            "verdict good",
            "State transmission",
            "Divergence",
            "Convergence time",
            "Memory",
            "Overcounting",
            "Node degree",
            "What agreeing took",
            "<td>impressions/ad-1</td>",
            "6 across",
            "contracted impressions of each",
            "lasp eval --config &lt;x&gt;",
            "prefers-color-scheme: dark",
            "name=\"viewport\"",
        ] {
            assert!(text.contains(part), "{part}");
        }
        assert_eq!(text.matches("<svg").count(), 14);
    }

    #[test]
    fn the_page_asks_for_nothing_from_elsewhere() {
        let text = page(&Config::default(), 2, |_| {});
        let outside = text.replace("http://www.w3.org/", "");
        assert!(!outside.contains("http://") && !outside.contains("https://") && !text.contains("<script"));
    }

    #[test]
    fn a_failed_run_says_why_first() {
        let text = page(&Config::default(), 1, |summary| {
            summary.converged = false;
            summary.problems = vec!["client-3 <crashed>".to_owned()];
        });
        assert!(text.contains("Not converged.</strong><ul><li>client-3 &lt;crashed&gt;</li>"));
    }

    #[test]
    fn a_flawed_overlay_is_not_hidden_behind_convergence() {
        let text = page(&Config::default(), 1, |summary| summary.isolated_nodes = 2);
        assert!(text.contains("verdict warn") && text.contains("2 isolated nodes"));
    }

    #[test]
    fn several_runs_are_listed_with_links_to_their_own_reports() {
        let text = page(&Config { runs: 3, ..Config::default() }, 3, |_| {});
        assert!(text.contains("run-3/report.html"));
    }

    #[test]
    fn numbers_have_the_digits_that_say_something() {
        assert_eq!(
            (number(3.0), number(0.123), number(12.34), number(1234.5)),
            ("3".into(), "0.12".into(), "12.3".into(), "1234".into())
        );
        assert_eq!((bytes(900.0), bytes(20_500.0)), ("900 B".into(), "20.5 kB".into()));
        assert_eq!((millis(1.5), millis(12_000.0)), ("1.50 ms".into(), "12 s".into()));
    }
}
