//! Every listing of the language in the documentation runs and prints what is shown beside it.
//!
//! - A block ```` ```erlang ```` is a program; the block ```` ```text ```` that follows it is what `lasp run` prints. Words after
//!   `erlang`: `nodes=3` runs it on a cluster, `continued` goes on where the last one ended, `file=NAME` writes it to a file
//!   for the commands below instead of running it.
//! - A block ```` ```console ```` is a session: each line `$ lasp ...` is run where the files and `examples/` are, and what follows
//!   is what it prints (errors after the output). `< NAME` gives it a file as input.
//!
//! `BLESS=1` writes what programs and commands print into the documents.

use std::fs::{read_to_string, write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The documents with listings, from the root.
const DOCUMENTS: [&str; 2] = ["README.md", "docs/language.md"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the root is there")
}

/// A fenced block, by lines of its document.
#[derive(Clone, Debug, PartialEq)]
struct Block {
    /// What stands after the fence.
    info: String,
    /// The first line within, from 0.
    first: usize,
    /// The line of the closing fence.
    end: usize,
}

impl Block {
    fn language(&self) -> &str {
        self.info.split(' ').next().unwrap_or("")
    }

    fn word(&self, key: &str) -> Option<&str> {
        self.info.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    fn text(&self, lines: &[String]) -> String {
        lines[self.first..self.end].iter().map(|line| format!("{line}\n")).collect()
    }
}

fn blocks(lines: &[String]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in lines.iter().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some(Block { info: info.to_owned(), first: at + 1, end: at + 1 }),
            (Some(""), Some(block)) => {
                block.end = at;
                blocks.extend(open.take());
            }
            _ => {}
        }
    }
    blocks
}

/// A run of the command, in a directory of its own.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let examples = directory.path().join("examples");
        std::fs::create_dir(&examples).expect("writable");
        for entry in std::fs::read_dir(root().join("examples")).expect("there are examples") {
            let path = entry.expect("readable").path();
            if path.extension().is_some_and(|extension| extension == "lasp") {
                std::fs::copy(&path, examples.join(path.file_name().expect("a file"))).expect("writable");
            }
        }
        Self(directory)
    }

    fn write(&self, name: &str, text: &str) {
        write(self.0.path().join(name), text).expect("writable");
    }

    /// Standard output, then standard error, of one command line.
    fn run(&self, line: &str) -> (String, String) {
        let (line, input) = match line.split_once(" < ") {
            Some((line, input)) => {
                (line, Stdio::from(std::fs::File::open(self.0.path().join(input)).expect("written")))
            }
            None => (line, Stdio::null()),
        };
        let mut words = line.split_whitespace();
        assert_eq!(words.next(), Some("lasp"), "only lasp commands are run: {line}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_lasp"));
        command.args(words).current_dir(self.0.path()).env("NO_COLOR", "1").stdin(input);
        let run = command.output().expect("the lasp command starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (text(run.stdout), text(run.stderr))
    }
}

/// Runs the listings of a document; the document as it should be.
fn run_all(document: &str) -> Vec<String> {
    let mut lines: Vec<String> =
        read_to_string(root().join(document)).expect("readable").lines().map(str::to_owned).collect();
    let place = Place::new();
    let (mut program, mut printed, mut nodes) = (String::new(), String::new(), String::from("1"));
    let mut at = 0;
    // Blocks are found anew each time: a longer output moves those below.
    while let Some(block) = blocks(&lines).get(at).cloned() {
        at += 1;
        let text = block.text(&lines);
        match block.language() {
            "erlang" if block.word("file").is_some() => place.write(block.word("file").expect("checked"), &text),
            "erlang" => {
                if !block.info.contains("continued") {
                    (program, printed, nodes) = (String::new(), String::new(), "1".to_owned());
                }
                nodes = block.word("nodes").unwrap_or(&nodes).to_owned();
                program += &text;
                place.write("listing.lasp", &program);
                let (out, err) = place.run(&format!("lasp run listing.lasp --nodes {nodes}"));
                assert_eq!(err, "", "{document}:{}", block.first);
                let new = out.strip_prefix(&printed).expect("a continued program prints the same at first").to_owned();
                printed = out;
                if let Some(shown) = blocks(&lines).get(at).filter(|next| next.language() == "text") {
                    lines.splice(shown.first..shown.end, new.lines().map(str::to_owned));
                    at += 1;
                }
            }
            "console" => {
                let mut session = Vec::new();
                for line in text.lines().filter_map(|line| line.strip_prefix("$ ")) {
                    let (out, err) = place.run(line);
                    session.push(format!("$ {line}"));
                    session.extend(out.lines().chain(err.lines()).map(str::to_owned));
                }
                lines.splice(block.first..block.end, session);
            }
            _ => {}
        }
    }
    lines
}

#[test]
fn every_listing_prints_what_is_shown_beside_it() {
    for document in DOCUMENTS {
        let path = root().join(document);
        let new: String = run_all(document).iter().map(|line| format!("{line}\n")).collect();
        if std::env::var_os("BLESS").is_some() {
            write(&path, &new).expect("writable");
        }
        let old = read_to_string(&path).expect("readable");
        let difference = old.lines().zip(new.lines()).enumerate().find(|(_, (old, new))| old != new);
        assert_eq!(difference, None, "{document}: BLESS=1 writes what is printed");
        assert_eq!(old.lines().count(), new.lines().count(), "{document}");
    }
}

/// Listings that cannot be run have no place in the documents about the language.
#[test]
fn every_program_shown_is_run() {
    let text = read_to_string(root().join("docs/language.md")).expect("readable");
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let blocks = blocks(&lines);
    let count = |language: &str| blocks.iter().filter(|block| block.language() == language).count();
    assert!(count("erlang") >= 10 && count("console") >= 3, "the tutorial is there");
    for block in &blocks {
        assert!(["erlang", "text", "console"].contains(&block.language()), "line {}: {:?}", block.first, block.info);
    }
}
