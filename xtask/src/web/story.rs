//! What a viewer of sixteen nodes does and sees.

use super::browser::{Browser, http};
use super::cluster::{Cluster, Simulation};
use super::report;
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};

const NODES: usize = 16;

/// How long a death may take to be seen.
const NOTICED: Duration = Duration::from_secs(2);

/// What a browser may load before it shows anything.
const FIRST_LOAD: u64 = 400_000;

/// How long the cost of a viewer is measured.
const MEASURED: Duration = Duration::from_secs(8);

/// A program to look at.
const PROGRAM: &str = r#"Stock = declare("honey/stock", set).
Orders = declare("honey/orders", set).
Offers = declare("honey/offers", set).
Known = filter(Orders, fun(Name) -> Name > "b" end).
Labels = map(Stock, fun(Name) -> {label, Name} end).
union(Stock, Known, Offers).
"#;

/// The view of one node, of the browser, and where pictures go.
struct Viewer<'a> {
    browser: Browser,
    cluster: Cluster,
    gallery: &'a Path,
}

pub(crate) fn tell(lasp: &Path, gallery: &Path) -> Result<()> {
    let cluster = Cluster::start(lasp, NODES)?;
    let browser = Browser::start(&gallery.join("profile"))?;
    let mut viewer = Viewer { browser, cluster, gallery };
    viewer.loads_and_draws()?;
    viewer.costs_little()?;
    viewer.sees_a_death_and_a_return()?;
    viewer.changes_a_variable()?;
    viewer.sees_the_dataflow()?;
    viewer.visits_the_rest()?;
    viewer.switches_to_dark()?;
    viewer.fits_a_phone()?;
    viewer.survives_its_node()?;
    viewer.disturbs_a_simulation(lasp)?;
    report::look(lasp, &viewer.browser, gallery)?;
    println!("web: pictures are in {}", gallery.display());
    Ok(())
}

impl Viewer<'_> {
    fn picture(&self, name: &str) -> Result<()> {
        std::thread::sleep(Duration::from_millis(400)); // what moves has come to rest
        self.browser.picture(&self.gallery.join(format!("{name}.png")))
    }

    fn complains_of_nothing(&self) -> Result<()> {
        let complaints = self.browser.complaints()?;
        ensure!(complaints.is_empty(), "the page complains: {}", complaints.join("\n"));
        Ok(())
    }

    /// Nothing is shown as the name of what it is to the machine.
    fn says_what_things_are(&self) -> Result<()> {
        let slips = self.browser.run("return document.body.innerText.match(/\\[object|undefined|NaN/g)")?;
        ensure!(slips.is_null(), "the page shows {slips}");
        Ok(())
    }

    fn tab(&self, name: &str) -> Result<()> {
        self.browser.run(&format!("document.getElementById('tab-{name}').click()")).map(drop)
    }

    fn loads_and_draws(&self) -> Result<()> {
        self.browser.open(&format!("http://{}/", self.cluster.page(0)))?;
        let all_up = format!(
            "overlay.nodes.filter((node) => node.state === 'up').length === {NODES} && overlay.links.length >= {NODES} - 1"
        );
        let took = self.browser.wait_for("sixteen nodes", &all_up)?;
        println!("web: {NODES} nodes are drawn after {took:?}");
        self.browser.wait_for("a live stream", "document.getElementById('link-state').dataset.state === 'live'")?;
        std::thread::sleep(Duration::from_secs(3)); // the layout settles
        let pixels = self.browser.drawn("#graph")?;
        ensure!(pixels > 2_000, "the picture is empty: {pixels} pixels");
        let size = "return performance.getEntries().reduce((sum, it) => sum + (/stream/.test(it.name) ? 0 : it.transferSize ?? 0), 0)";
        let size = self.browser.run(size)?.as_u64().context("no size")?;
        println!("web: the first load takes {size} bytes");
        ensure!(size > 10_000 && size <= FIRST_LOAD, "the first load takes {size} bytes");
        self.picture("overlay")?;
        self.browser.run("document.getElementById('node-search').value = 'bee-7'; document.getElementById('node-search').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }))")?;
        self.browser.wait_for("details", "document.querySelector('#node-detail h2')?.textContent === 'bee-7'")?;
        self.picture("overlay-detail")?;
        self.says_what_things_are()?;
        self.browser.run("document.querySelector('#node-detail .close').click(); document.getElementById('node-search').value = ''; document.getElementById('zoom-fit').click()")?;
        self.complains_of_nothing()
    }

    /// Reported, not judged: the machine may be busy with other things.
    fn costs_little(&self) -> Result<()> {
        let nodes = [("a node with a viewer, at rest", 0), ("one without", 1)];
        let before = nodes.map(|(_, at)| self.cluster.usage(at));
        std::thread::sleep(MEASURED);
        for ((what, at), before) in nodes.into_iter().zip(before) {
            let ((_, before), (memory, after)) = (before?, self.cluster.usage(at)?);
            let load = (after - before) as f64 / MEASURED.as_millis() as f64 * 100.0;
            println!("web: {what}: {load:.1} % of a processor, {memory} kB resident");
        }
        Ok(())
    }

    /// The best of three counts, for the machine may be busy with other things.
    fn sees_a_death_and_a_return(&mut self) -> Result<()> {
        for at in [7, 8, 9] {
            let state = |is: &str| format!("overlay.nodes.find((node) => node.name === 'bee-{at}')?.state {is}");
            self.cluster.kill(at)?;
            let noticed = self.browser.wait_for("a death", &state("!== 'up'"))?;
            println!("web: a killed node is seen after {noticed:?}");
            self.picture("overlay-death")?;
            self.cluster.revive(at)?;
            let back = self.browser.wait_for("its return", &state("=== 'up'"))?;
            println!("web: its return is seen after {back:?}");
            self.complains_of_nothing()?;
            if noticed < NOTICED {
                return Ok(());
            }
        }
        bail!("no death was seen within {NOTICED:?}")
    }

    fn changes_a_variable(&self) -> Result<()> {
        self.tab("variables")?;
        let type_in = "const form = document.querySelectorAll('#variable-detail form'); \
            document.getElementById('variable-new').click(); \
            const name = document.querySelector('#variable-detail input[aria-label=Name]'); name.value = 'honey/stock'; \
            const [, operation] = document.querySelectorAll('#variable-detail form'); \
            operation.querySelector('input[name=value]').value = 'linden'; operation.requestSubmit()";
        let since = Instant::now();
        self.browser.run(type_in)?;
        loop {
            let page = http(self.cluster.page(9), "GET", "/api/v1/variables/honey%2Fstock", None)?;
            if page["value"] == "set[\"linden\"]" {
                break;
            }
            ensure!(since.elapsed() < Duration::from_secs(20), "what was typed does not arrive: {page}");
            std::thread::sleep(Duration::from_millis(20));
        }
        println!("web: what was typed is at another node after {:?}", since.elapsed());
        for (name, kind, operation) in [
            ("visits", "gcounter", "{increment, 42}"),
            ("queen", "lwwregister", "{set, \"Maya\"}"),
            ("open", "ewflag", "true"),
        ] {
            self.cluster.command(3, &["update", name, operation, "--declare", kind])?;
        }
        for flower in ["clover", "acacia", "heather"] {
            self.cluster.command(5, &["update", "honey/stock", &format!("{{add, \"{flower}\"}}")])?;
        }
        self.browser.wait_for("all variables", "document.querySelectorAll('#variables tbody tr').length >= 4")?;
        self.browser
            .wait_for("its elements", "document.querySelectorAll('#variable-detail .values li').length === 4")?;
        self.browser.wait_for(
            "where an element comes from",
            "(document.querySelector('#variable-detail .values button')?.getAttribute('aria-expanded') === 'true' || \
                document.querySelector('#variable-detail .values button')?.click(), \
                /^honey\\/stock, node [0-9a-f]+, event \\d+$/.test(document.querySelector('#variable-detail .origins li')?.textContent ?? ''))",
        )?;
        // The last flower is node 5's.
        let detail = "document.getElementById('variable-detail').textContent";
        self.browser.wait_for(
            "who changed it",
            &format!("/ago, told by [0-9a-f]+; made by node [0-9a-f]+, its event 3/.test({detail})"),
        )?;
        self.browser.wait_for("a change", "/heather/.test(document.getElementById('variables').textContent)")?;
        self.says_what_things_are()?;
        self.picture("variables")?;
        let wrong = "const form = document.querySelector('#variable-detail form'); form.querySelector('select').value = 2; \
            form.querySelector('select').dispatchEvent(new Event('change')); form.querySelector('input[name=value]').value = '{ad, 1}'; form.requestSubmit()";
        self.browser.run(wrong)?;
        self.browser.wait_for(
            "a diagnosis",
            "/did you mean/.test(document.querySelector('#variable-detail .note.bad')?.textContent ?? '')",
        )?;
        self.picture("variables-mistake")?;
        // The refusal itself is in the log, and nothing else.
        let others: Vec<String> = self.browser.complaints()?.into_iter().filter(|it| !it.contains("422")).collect();
        ensure!(others.is_empty(), "the page complains: {others:?}");
        Ok(())
    }

    fn sees_the_dataflow(&self) -> Result<()> {
        let program = self.gallery.join("shop.lasp");
        std::fs::write(&program, PROGRAM)?;
        self.cluster.command(0, &["install", &program.display().to_string(), "--name", "shop"])?;
        self.tab("dataflow")?;
        self.browser.wait_for("a dataflow", "document.querySelectorAll('.flow-op').length >= 1")?;
        self.browser
            .run("document.querySelector('.flow-var').dispatchEvent(new MouseEvent('click', { bubbles: true }))")?;
        self.picture("dataflow")?;
        self.complains_of_nothing()
    }

    fn visits_the_rest(&self) -> Result<()> {
        self.tab("transmission")?;
        self.browser.wait_for("charts", "document.querySelectorAll('#charts canvas').length >= 10")?;
        for number in 0..20 {
            self.cluster.command(4, &["update", "visits", &format!("{{increment, {number}}}")])?;
        }
        std::thread::sleep(Duration::from_secs(2));
        self.picture("transmission")?;
        self.tab("events")?;
        self.browser.wait_for("events", "document.querySelectorAll('#events tbody tr').length > 0")?;
        self.picture("events")?;
        self.complains_of_nothing()
    }

    fn switches_to_dark(&self) -> Result<()> {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
        self.browser.devtools("Emulation.setEmulatedMedia", features)?;
        for tab in ["overlay", "variables", "transmission", "dataflow"] {
            self.tab(tab)?;
            std::thread::sleep(Duration::from_millis(1500));
            self.picture(&format!("dark-{tab}"))?;
        }
        let dark = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every((part) => part < 64)";
        self.browser.wait_for("a dark page", dark)?;
        self.browser.run("document.getElementById('theme').click()")?;
        self.browser.wait_for("a light page", &format!("!({dark})"))?;
        self.complains_of_nothing()
    }

    fn fits_a_phone(&self) -> Result<()> {
        let phone = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
        self.browser.devtools("Emulation.setDeviceMetricsOverride", phone)?;
        for tab in ["overlay", "variables", "transmission", "dataflow", "events"] {
            self.tab(tab)?;
            std::thread::sleep(Duration::from_millis(1200));
            let wide = self.browser.run("return document.documentElement.scrollWidth - innerWidth")?;
            self.picture(&format!("phone-{tab}"))?;
            ensure!(wide.as_i64().is_some_and(|wide| wide <= 0), "{tab} is {wide} pixels wider than a phone");
        }
        self.browser.devtools("Emulation.clearDeviceMetricsOverride", json!({}))?;
        self.complains_of_nothing()
    }

    fn survives_its_node(&mut self) -> Result<()> {
        self.cluster.kill(0)?;
        self.browser.wait_for("the node's absence", "document.getElementById('link-state').dataset.state === 'lost' && !document.getElementById('banner').hidden")?;
        self.picture("lost")?;
        self.cluster.revive(0)?;
        self.browser.wait_for("its return", "document.getElementById('link-state').dataset.state === 'live' && document.getElementById('banner').hidden")?;
        let all_up = format!("overlay.nodes.filter((node) => node.state === 'up').length === {NODES}");
        let took = self.browser.wait_for("all nodes again", &all_up)?;
        println!("web: after its node's return the page has caught up within {took:?}");
        self.picture("overlay-again")?;
        // That the stream broke is in the log, and nothing else.
        let others: Vec<String> = self.browser.complaints()?.into_iter().filter(|it| !it.contains("/stream")).collect();
        ensure!(others.is_empty(), "the page complains: {others:?}");
        Ok(())
    }

    /// A thousand simulated nodes: how smooth they are is reported, what is done to them is seen.
    fn disturbs_a_simulation(&self, lasp: &Path) -> Result<()> {
        let simulation = Simulation::start(lasp, 1000)?;
        self.browser.open(&format!("http://{}/", simulation.page))?;
        self.browser.wait_for("a thousand nodes", "window.overlay?.nodes.length >= 1000")?;
        self.browser.run("overlay.frames = 0; window.since = performance.now()")?;
        std::thread::sleep(Duration::from_secs(4));
        let rate = self.browser.run("return overlay.frames / (performance.now() - since) * 1000")?;
        println!("web: 1,000 simulated nodes at {:.0} frames a second without a GPU", rate.as_f64().unwrap_or(0.0));
        std::thread::sleep(Duration::from_secs(4));
        self.picture("simulation")?;
        let press = |label: &str| {
            let find = format!(
                "[...document.querySelectorAll('#world button')].find((it) => it.textContent === '{label}').click()"
            );
            self.browser.run(&find)
        };
        press("Crash 10 %")?;
        self.browser.wait_for("the crash", "overlay.nodes.filter((node) => node.state === 'up').length <= 901")?;
        self.picture("simulation-crash")?;
        press("Split in two")?;
        let split =
            "new Set(overlay.nodes.filter((node) => node.state === 'up').map((node) => node.component)).size > 1";
        self.browser.wait_for("two parts", split)?;
        std::thread::sleep(Duration::from_secs(6));
        self.picture("simulation-split")?;
        press("Heal")?;
        press("Revive all")?;
        self.browser.wait_for(
            "one overlay",
            &format!("!({split}) && overlay.nodes.filter((node) => node.state === 'up').length >= 1000"),
        )?;
        press("Pause")?;
        self.browser.wait_for("a pause", "document.querySelector('#world button').textContent === 'Play'")?;
        self.complains_of_nothing()
    }
}
