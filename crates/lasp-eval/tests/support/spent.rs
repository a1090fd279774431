//! What tests of experiments on synchronisation share: a look at what one configuration spent, and at its pictures.

use lasp_eval::aggregate::Overall;
use lasp_eval::economy::Economy;
use lasp_eval::ledger::Part;
use std::fs;
use std::path::Path;

/// What agreeing took in one configuration of an experiment: some state was sent, and no more needed than was received.
pub(crate) fn part<'a>(overall: &'a Overall, name: &str) -> &'a Part {
    let part = overall.summary.parts.get(name).unwrap_or_else(|| panic!("{name}: {:?}", overall.summary.parts.keys()));
    let Part { bytes, economy: Economy { redundancy, digests, .. } } = part;
    assert!(bytes.state > 0 && bytes.total == bytes.state + bytes.protocol, "{name}: {bytes:?}");
    assert_eq!(bytes.protocol, bytes.membership + bytes.broadcast + bytes.sync, "{name}");
    assert!(redundancy.state_needed > 0 && redundancy.state >= 1.0, "{name}: {redundancy:?}");
    assert!(digests.equal <= digests.received && digests.hit_rate <= 1.0, "{name}: {digests:?}");
    part
}

/// The figures are in the report and beside it, and say so if they are of one part among several.
pub(crate) fn drawn(home: &Path, ids: &[&str], shown: Option<&str>) {
    let page = fs::read_to_string(home.join("out/report.html")).unwrap();
    for id in ids {
        let start = format!("<figure id=\"{id}\">");
        let figure = page.split(&start).nth(1).unwrap_or_else(|| panic!("{id} is not there"));
        let caption = figure.split("</figcaption>").next().unwrap();
        assert!(shown.is_none_or(|part| caption.ends_with(&format!("Shown: {part}."))), "{id}: {caption}");
        assert!(home.join(format!("out/plots/{id}.png")).is_file(), "{id}");
    }
    assert!(page.contains("What agreeing took"));
}
