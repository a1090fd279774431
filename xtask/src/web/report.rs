//! The report of a run in the browser: its overlay, as a picture and played back.

use super::browser::Browser;
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::Command;

/// Runs an evaluation and looks at its report.
pub(crate) fn look(lasp: &Path, browser: &Browser, gallery: &Path) -> Result<()> {
    let dir = gallery.join("run");
    let args = ["eval", "advertisement-counter", "--where", "sim", "--nodes", "48", "--seed", "4", "--out"];
    let run = Command::new(lasp).args(args).arg(&dir).output().context("cannot run an evaluation")?;
    ensure!(run.status.success(), "the evaluation failed: {}", String::from_utf8_lossy(&run.stderr));
    let page = dir.join("report.html").canonicalize().context("there is no report")?;
    browser.complaints()?; // of the pages before, whose nodes were taken away
    browser.open(&format!("file://{}", page.display()))?;
    let says = "document.querySelector('.replay output').textContent";
    browser.wait_for(
        "the overlay of the run",
        &format!("/: 48 up, \\d+ links, 47 of the tree, one piece/.test({says})"),
    )?;
    let drawn = "document.querySelectorAll('figure.overlay circle').length === 48";
    browser.wait_for("the picture of the overlay", drawn)?;
    browser.run("document.querySelector('figure.overlay').scrollIntoView({ block: 'center' })")?;
    browser.picture(&gallery.join("report-overlay.png"))?;
    std::thread::sleep(std::time::Duration::from_secs(2)); // the layout settles
    browser.run("document.querySelector('.replay').scrollIntoView({ block: 'center' })")?;
    let pixels = browser.drawn(".replay canvas")?;
    ensure!(pixels > 2_000, "the overlay of the run is not drawn: {pixels} pixels");
    browser.picture(&gallery.join("report-replay.png"))?;
    let back = "const slider = document.querySelector('.replay input'); slider.value = 0; slider.dispatchEvent(new Event('input'))";
    browser.run(back)?;
    browser.wait_for("the beginning", &format!("/^0\\.\\d s: \\d+ up/.test({says})"))?;
    browser.run("document.querySelector('.replay button').click()")?;
    browser.wait_for("time to pass", &format!("!{says}.startsWith('0.')"))?;
    let complaints = browser.complaints()?;
    ensure!(complaints.is_empty(), "the report complains: {}", complaints.join("\n"));
    Ok(())
}
