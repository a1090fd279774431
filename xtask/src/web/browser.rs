//! A browser without a screen, spoken to over WebDriver.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for anything that is not said otherwise.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(25);

pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.ask("DELETE", "", None); // it ends with its driver otherwise
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Browser {
    /// Starts one with a profile of its own.
    pub(crate) fn start(profile: &Path) -> Result<Self> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start chromedriver")?;
        let stdout = driver.stdout.take().context("chromedriver has no output")?;
        let mut browser = Self { driver, port: 0, session: String::new() };
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            if let Some((_, port)) = line.rsplit_once("successfully on port ") {
                browser.port = port.trim_end_matches('.').parse().with_context(|| line.clone())?;
                break;
            }
        }
        let args = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1280,820",
            &format!("--user-data-dir={}", std::path::absolute(profile)?.display()),
        ];
        let options = json!({ "binary": "/usr/bin/chromium", "args": args });
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } });
        let made = browser.call("POST", "/session", Some(&json!({ "capabilities": { "alwaysMatch": wanted } })))?;
        browser.session = made["sessionId"].as_str().context("no session")?.to_owned();
        Ok(browser)
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let mut answer = http(&format!("127.0.0.1:{}", self.port), method, path, body)?;
        let value = answer["value"].take();
        match value["error"].as_str() {
            Some(error) => bail!("{path}: {error}: {}", value["message"].as_str().unwrap_or("")),
            None => Ok(value),
        }
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        self.call(method, &format!("/session/{}{path}", self.session), body)
    }

    pub(crate) fn open(&self, url: &str) -> Result<()> {
        self.ask("POST", "/url", Some(&json!({ "url": url }))).map(drop)
    }

    /// Runs the body of a function in the page; what it returns.
    pub(crate) fn run(&self, script: &str) -> Result<Value> {
        self.ask("POST", "/execute/sync", Some(&json!({ "script": script, "args": [] })))
    }

    /// How many pixels of a canvas are not empty.
    pub(crate) fn drawn(&self, canvas: &str) -> Result<u64> {
        let count = format!(
            "const canvas = document.querySelector('{canvas}'); \
             const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data; \
             let drawn = 0; for (let at = 3; at < data.length; at += 4) drawn += data[at] > 0; return drawn"
        );
        self.run(&count)?.as_u64().context("no pixels")
    }

    /// Waits until an expression is true in the page; how long that took.
    pub(crate) fn wait_for(&self, what: &str, expression: &str) -> Result<Duration> {
        let since = Instant::now();
        loop {
            if self.run(&format!("return Boolean({expression})"))? == Value::Bool(true) {
                return Ok(since.elapsed());
            }
            ensure!(since.elapsed() < PATIENCE, "{what} did not come to pass within {PATIENCE:?}: {expression}");
            std::thread::sleep(PAUSE);
        }
    }

    /// Asks the browser itself (the Chrome DevTools Protocol).
    pub(crate) fn devtools(&self, command: &str, params: Value) -> Result<()> {
        self.ask("POST", "/goog/cdp/execute", Some(&json!({ "cmd": command, "params": params }))).map(drop)
    }

    /// What the page has complained of since the last time.
    pub(crate) fn complaints(&self) -> Result<Vec<String>> {
        let log = self.ask("POST", "/se/log", Some(&json!({ "type": "browser" })))?;
        let grave = |entry: &&Value| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING"));
        let entries = log.as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(entries.iter().filter(grave).map(|entry| entry["message"].as_str().unwrap_or("?").to_owned()).collect())
    }

    /// Keeps a picture of the page.
    pub(crate) fn picture(&self, file: &Path) -> Result<()> {
        let picture = self.ask("GET", "/screenshot", None)?;
        let bytes = base64(picture.as_str().context("no picture")?);
        std::fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
    }
}

/// One request of JSON, and what is answered.
pub(crate) fn http(addr: &str, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
    let mut stream = TcpStream::connect(addr).with_context(|| format!("nobody listens at {addr}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let kind = "Content-Type: application/json\r\nConnection: close\r\n";
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {addr}\r\n{kind}Content-Length: {}\r\n\r\n{body}", body.len())?;
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), None);
    while reader.read_line(&mut line)? > 2 {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
        line.clear();
    }
    let mut answer = vec![0; length.context("an answer without a length")?];
    reader.read_exact(&mut answer)?;
    serde_json::from_slice(&answer).with_context(|| String::from_utf8_lossy(&answer).into_owned())
}

fn base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'=').map(digit).collect();
    let group = |four: &[u8]| {
        let bits = four.iter().fold(0_u32, |bits, digit| bits << 6 | u32::from(*digit)) << (6 * (4 - four.len()));
        bits.to_be_bytes()[1..four.len()].to_vec()
    };
    digits.chunks(4).flat_map(group).collect()
}
