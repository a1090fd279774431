//! Requests made from the API's description and a seed: what it asks for, with one thing wrong, or with everything wrong.

use super::schema::Schemas;
use serde_json::{Map, Value as Json, json};
use std::fmt::Write as _;

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    /// So many times in a hundred.
    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nothing.
    None,
    /// A method that the path does not take.
    Method,
    /// Another site's page.
    Origin,
    /// A name that is not this machine's.
    Host,
    /// A body that is too large.
    Size,
    /// A body of another kind.
    Kind,
    /// A body that is no JSON, or of no such schema.
    Body,
    /// A parameter that is of no such schema, or unknown.
    Parameter,
    /// Whatever comes out: some of the above, or none.
    Any,
}

impl Flaw {
    /// What it is answered with; nothing where that is not known beforehand.
    pub(crate) const fn status(self) -> Option<u16> {
        match self {
            Self::Method => Some(405),
            Self::Origin => Some(403),
            Self::Host => Some(421),
            Self::Size => Some(413),
            Self::Kind => Some(415),
            Self::Body | Self::Parameter => Some(400),
            Self::None | Self::Any => None,
        }
    }

    /// Whether an operation can have it.
    fn fits(self, method: &str, operation: &Json) -> bool {
        let takes_query =
            operation["parameters"].as_array().is_some_and(|all| all.iter().any(|it| it["in"] == "query"));
        match self {
            Self::Origin | Self::Size | Self::Kind | Self::Body => method == "post",
            Self::Parameter => takes_query,
            _ => true,
        }
    }
}

const FLAWS: [Flaw; 9] = [
    Flaw::None,
    Flaw::Method,
    Flaw::Origin,
    Flaw::Host,
    Flaw::Size,
    Flaw::Kind,
    Flaw::Body,
    Flaw::Parameter,
    Flaw::Any,
];

const NAMES: [&str; 10] = ["ads", "clicks", "ads", "clicks", "nobody", "a/b", "..", "%", "🐝", "x\u{0}y\r\nz: 1"];

const TEXTS: [&str; 8] = ["", "ads", "{add, 1}", "true", "0", "<script>", "🐝\u{202e}", "status,events"];

const OPERATIONS: [&str; 8] =
    ["{add, 1}", "{add, 2}", "{remove, 1}", "increment", "{increment, 3}", "{add", "(", "{ad, 1}"];

/// One request.
pub(crate) struct Request {
    pub(crate) flaw: Flaw,
    pub(crate) is_of_another_method: bool,
    pub(crate) method: String,
    pub(crate) target: String,
    /// Each with its end of line.
    pub(crate) headers: String,
    pub(crate) body: String,
}

/// Makes a request of an operation at a path; the node is reached under a name.
pub(crate) fn request(
    random: &mut Random,
    all: &Schemas<'_>,
    (path, method): (&str, &str),
    operation: &Json,
    host: &str,
) -> Request {
    let fitting: Vec<&Flaw> = FLAWS.iter().filter(|flaw| flaw.fits(method, operation)).collect();
    let flaw = *random.pick(&fitting);
    let any = |random: &mut Random, this: Flaw| flaw == this || flaw == Flaw::Any && random.chance(15);
    let host = if any(random, Flaw::Host) {
        random.pick(&["evil.example", "localhost.evil.example:80", "node"])
    } else {
        host
    };
    let mut headers = format!("host: {host}\r\nconnection: close\r\n");
    if any(random, Flaw::Origin) {
        headers +=
            random.pick(&["origin: http://evil.example\r\n", "origin: null\r\n", "sec-fetch-site: cross-site\r\n"]);
    }
    let is_of_another_method = any(random, Flaw::Method);
    let method = if is_of_another_method {
        // A page of another site may not even try what changes something; reading is refused by the method.
        let others =
            ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", if method == "get" { "POST" } else { "PUT" }];
        random.pick(&if path.ends_with("/world") { [others[0]; 7] } else { others }).to_owned()
    } else {
        method.to_uppercase()
    };
    let target = target(random, all, path, operation, any);
    if operation["parameters"].as_array().is_some_and(|all| all.iter().any(|it| it["in"] == "header"))
        && flaw == Flaw::Any
    {
        headers += random.pick(&["", "lasp-session:\r\n", "lasp-session: nonsense\r\n", "lasp-session: AAAA////\r\n"]);
    }
    let body = match operation["requestBody"]["content"]["application/json"].get("schema") {
        Some(schema) => body(random, all, schema, any),
        None if flaw == Flaw::Any && random.chance(20) => "{}".to_owned(),
        None => String::new(),
    };
    let kind = if any(random, Flaw::Kind) {
        random.pick(&["text/plain", "application/jsonx", "", "multipart/form-data"])
    } else {
        "application/json"
    };
    if !body.is_empty() || method == "POST" {
        let _ = write!(headers, "content-type: {kind}\r\ncontent-length: {}\r\n", body.len()); // a string takes everything
    }
    Request { flaw, is_of_another_method, method, target, headers, body }
}

/// Path and query.
fn target(
    random: &mut Random,
    all: &Schemas<'_>,
    path: &str,
    operation: &Json,
    any: impl Fn(&mut Random, Flaw) -> bool,
) -> String {
    let mut target = path.to_owned();
    let mut query: Vec<String> = Vec::new();
    let is_wrong = any(random, Flaw::Parameter);
    let parameters: Vec<&Json> = operation["parameters"].as_array().into_iter().flatten().collect();
    let in_query: Vec<&str> =
        parameters.iter().filter(|it| it["in"] == "query").filter_map(|it| it["name"].as_str()).collect();
    let wrong = if is_wrong && !in_query.is_empty() { random.pick(&in_query) } else { "" };
    for parameter in parameters {
        let (name, schema) = (parameter["name"].as_str().unwrap_or_default(), &parameter["schema"]);
        match parameter["in"].as_str() {
            Some("path") => target = target.replace(&format!("{{{name}}}"), &escaped(random.pick(&NAMES))),
            Some("query") if name == wrong => query.push(misfit(random, name, schema)),
            Some("query") if random.chance(40) => {
                query.push(format!("{name}={}", escaped(&plain(&fitting_parameter(random, all, name, schema)))));
            }
            _ => {}
        }
    }
    if !query.is_empty() {
        target = format!("{target}?{}", query.join("&"));
    }
    target
}

/// A parameter that is refused: not of its schema; of a text, which takes everything, one that is not known.
fn misfit(random: &mut Random, name: &str, schema: &Json) -> String {
    match schema["type"].as_str() {
        Some("integer") => {
            let wrong = ["x", "-1", "1e3", "99999999999999999999999", "1.5", "%31%00"];
            let above = if schema.get("maximum").is_some() && name != "timeout_ms" { "1000001" } else { "-7" };
            format!("{name}={}", random.pick(&[&wrong[..], &[above]].concat()))
        }
        Some("boolean") => format!("{name}={}", random.pick(&["maybe", "2", "TRUE", "yes"])),
        _ if name == "topics" => format!("topics={}", random.pick(&["weather", "status,", "status;events", "%00"])),
        _ => format!("no-such-{name}=1"),
    }
}

fn fitting_parameter(random: &mut Random, all: &Schemas<'_>, name: &str, schema: &Json) -> Json {
    match name {
        "topics" => random.pick(&["status", "events,status", "overlay", "variables,dataflow", "statistics"]).into(),
        _ => fitting(random, all, name, schema),
    }
}

/// A value of a schema.
fn fitting(random: &mut Random, all: &Schemas<'_>, name: &str, schema: &Json) -> Json {
    let schema = all.resolve(schema);
    if let Some(all_of_them) = schema["oneOf"].as_array() {
        let one = random.below(all_of_them.len());
        return fitting(random, all, name, &all_of_them[one]);
    }
    if let Some(values) = schema["enum"].as_array() {
        return values[random.below(values.len())].clone();
    }
    let (low, high) = (schema["minimum"].as_u64().unwrap_or(0), schema["maximum"].as_u64().unwrap_or(20));
    match schema["type"].as_str().or_else(|| schema["type"][0].as_str()) {
        // How long something may take, lest it does.
        Some("integer") if name == "timeout_ms" => json!(random.below(20)),
        Some("integer") => json!(low + random.next() % (high - low + 1)),
        Some("number") => json!(random.below(120)),
        Some("boolean") => json!(random.chance(50)),
        Some("object") => object(random, all, schema),
        Some("array") => json!([]),
        _ => match name {
            "operation" => random.pick(&OPERATIONS).into(),
            "declare" => random.pick(&["set", "gcounter", "nonsense"]).into(),
            "node" => random.pick(&["1", "ff", "bees"]).into(),
            _ => random.pick(&TEXTS).into(),
        },
    }
}

fn object(random: &mut Random, all: &Schemas<'_>, schema: &Json) -> Json {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let mut made = Map::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        // Whoever waits for others waits as long as is said.
        let waits = name == "timeout_ms" || name == "declare" || required.contains(&name.as_str());
        if waits || random.chance(30) {
            made.insert(name.clone(), fitting(random, all, name, property));
        }
    }
    made.into()
}

fn body(random: &mut Random, all: &Schemas<'_>, schema: &Json, any: impl Fn(&mut Random, Flaw) -> bool) -> String {
    let good = fitting(random, all, "", schema);
    if any(random, Flaw::Size) {
        return format!("{}{good}", " ".repeat(300 << 10));
    }
    if !any(random, Flaw::Body) {
        return good.to_string();
    }
    let mut object = good.as_object().cloned().unwrap_or_default();
    let first = all.resolve(schema)["required"][0].as_str().unwrap_or("action").to_owned();
    match random.below(6) {
        0 => {
            return random
                .pick(&["", "null", "[]", "{", "nonsense", "\"{}\"", "{\"operation\":\"\u{0}\"}", "7"])
                .to_owned();
        }
        1 => return "[".repeat(20_000),
        2 => return good.to_string().trim_end_matches('}').to_owned(),
        3 => _ = object.remove(&first),
        4 => _ = object.insert(first, json!([1, { "deep": null }])),
        _ => _ = object.insert("more".to_owned(), json!(1)),
    }
    Json::from(object).to_string()
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text in a path or query, all of it behind percent signs but letters and digits.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() {
            true => out.push(char::from(byte)),
            false => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}
