//! The TextMate grammar colours programs as the language's own lexer does, and knows every word that the language knows.
//!
//! Its patterns keep to what any engine of regular expressions has (no looking around). After a change of the language:
//! `BLESS=1 cargo test -p lasp-lsp --test grammar` writes the new words into it.

#![expect(clippy::disallowed_methods, reason = "the grammar is a file, and is written where that is asked for")]

use lasp_lang::highlight::{Class, classify};
use lasp_lang::{library, signature};
use regex::Regex;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn grammar_file() -> PathBuf {
    root().join("editors/vscode/syntaxes/lasp.tmLanguage.json")
}

fn grammar() -> Value {
    let text = std::fs::read_to_string(grammar_file()).expect("there is a grammar");
    serde_json::from_str(&text).expect("it is JSON")
}

// ---- a small engine ----

enum Rule {
    Match { regex: Regex, name: String, captures: Vec<(usize, String)> },
    Range { begin: Regex, end: Regex, name: String, inside: Vec<Self> },
}

/// The rules under `node`, includes resolved.
fn rules(node: &Value, grammar: &Value) -> Vec<Rule> {
    let regex = |value: &Value| Regex::new(value.as_str().expect("a pattern")).expect("a plain regular expression");
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    if let Some(name) = node["include"].as_str() {
        return rules(&grammar["repository"][name.trim_start_matches('#')], grammar);
    }
    if node["match"].is_string() {
        let captures = node["captures"].as_object().into_iter().flatten();
        let captures =
            captures.map(|(group, scope)| (group.parse().expect("a number"), text(&scope["name"]))).collect();
        return vec![Rule::Match { regex: regex(&node["match"]), name: text(&node["name"]), captures }];
    }
    let inside: Vec<Rule> =
        node["patterns"].as_array().into_iter().flatten().flat_map(|pattern| rules(pattern, grammar)).collect();
    if node["begin"].is_string() {
        let (begin, end) = (regex(&node["begin"]), regex(&node["end"]));
        return vec![Rule::Range { begin, end, name: text(&node["name"]), inside }];
    }
    inside
}

/// Scopes by byte; the innermost.
fn scopes(program: &str, rules: &[Rule]) -> Vec<String> {
    let mut scopes = vec![String::new(); program.len()];
    let mut open: Option<&Rule> = None;
    let mut start = 0;
    for line in program.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        let mut at = 0;
        while at <= content.len() {
            let (active, end, around) = match open {
                Some(Rule::Range { end, name, inside, .. }) => (&inside[..], end.find_at(content, at), name.as_str()),
                _ => (rules, None, ""),
            };
            let first = |rule: &Rule| match rule {
                Rule::Match { regex, .. } | Rule::Range { begin: regex, .. } => regex.find_at(content, at),
            };
            let found =
                active.iter().filter_map(|rule| Some((first(rule)?, rule))).min_by_key(|(found, _)| found.start());
            let until = [found.as_ref().map(|(m, _)| m.start()), end.map(|m| m.start())].into_iter().flatten().min();
            let until = until.unwrap_or(content.len());
            scopes[start + at..start + until].fill(around.to_owned());
            match (end, found) {
                (Some(end), found) if found.as_ref().is_none_or(|(m, _)| end.start() <= m.start()) => {
                    scopes[start + end.start()..start + end.end()].fill(around.to_owned());
                    open = None;
                    at = end.end();
                }
                (_, Some((found, rule))) => {
                    let (Rule::Match { name, .. } | Rule::Range { name, .. }) = rule;
                    scopes[start + found.start()..start + found.end()].fill(name.clone());
                    at = found.end();
                    if let Rule::Match { regex, captures, .. } = rule {
                        let groups = regex.captures_at(content, found.start()).expect("it matched");
                        for (group, scope) in captures {
                            let part = groups.get(*group).expect("a group");
                            scopes[start + part.start()..start + part.end()].fill(scope.clone());
                            // What follows the last group is matched again, as a look-ahead would leave it.
                            at = part.end();
                        }
                    } else {
                        open = Some(rule);
                    }
                }
                (_, None) => break,
            }
            if at == content.len() && open.is_none() {
                break;
            }
        }
        if let Some(Rule::Range { name, .. }) = open {
            scopes[start + content.len()..start + line.len()].fill(name.clone());
        }
        start += line.len();
    }
    scopes
}

// ---- the words ----

fn words(of: &str) -> String {
    let functions = library::all().map(|builtin| builtin.signature.name);
    let mut words: Vec<&str> = match of {
        "FUNCTIONS_QUALIFIED" => functions.filter(|name| name.contains(':')).collect(),
        "FUNCTIONS" => functions.filter(|name| !name.contains(':')).collect(),
        "OPERATIONS" => signature::OPERATIONS.iter().map(|operation| operation.name).collect(),
        _ => lasp_lang::complete::type_names().collect(),
    };
    words.sort_unstable();
    words.dedup();
    words.join("|")
}

/// The grammar with the language's words in it, and whether it had them already.
fn up_to_date(text: &str) -> (String, bool) {
    let lists = [
        ("support.function.library.lasp\", \"match\": \"\\\\b(", "FUNCTIONS_QUALIFIED"),
        (")\\\\s*\\\\(\", \"captures\": { \"1\": { \"name\": \"support.function.library.lasp\"", "FUNCTIONS"),
        (")\\\\s*\\\\(\", \"captures\": { \"1\": { \"name\": \"support.function.operation.lasp\"", "OPERATIONS"),
        ("support.type.lasp\", \"match\": \"\\\\b(", "TYPES"),
    ];
    let mut new = text.to_owned();
    for (mark, list) in lists {
        let at = new.find(mark).unwrap_or_else(|| panic!("the grammar has {mark}"));
        let (from, to) = if mark.starts_with(')') {
            (new[..at].rfind('(').expect("a group") + 1, at)
        } else {
            let from = at + mark.len();
            (from, from + new[from..].find(')').expect("a group"))
        };
        new.replace_range(from..to, &words(list));
    }
    let same = new == text;
    (new, same)
}

#[test]
fn the_grammar_knows_every_word_of_the_language() {
    let text = std::fs::read_to_string(grammar_file()).expect("there is a grammar");
    let (new, same) = up_to_date(&text);
    if !same && std::env::var_os("BLESS").is_some() {
        std::fs::write(grammar_file(), new).expect("writable");
        return;
    }
    assert!(same, "words are missing: BLESS=1 cargo test -p lasp-lsp --test grammar");
}

fn expected(class: Class) -> &'static [&'static str] {
    match class {
        Class::Comment => &["comment.line"],
        Class::Keyword => &["keyword.control", "keyword.operator.word", "invalid.illegal.reserved"],
        Class::Operation => &["support.function.operation"],
        Class::Function => &["support.function.library"],
        Class::Type => &["support.type"],
        Class::Variable => &["variable.other"],
        Class::Atom => &["constant.other.symbol", "constant.other.collection"],
        Class::Boolean => &["constant.language.boolean"],
        Class::Number => &["constant.numeric"],
        Class::Text => &["string.quoted.double", "constant.character.escape"],
        Class::Symbol => &["keyword.operator", "punctuation"],
    }
}

/// The first place where grammar and lexer see different things.
fn difference(program: &str, rules: &[Rule]) -> Option<String> {
    let scopes = scopes(program, rules);
    for (span, class) in classify(program) {
        let written = &program[span.range()];
        let wrong = span.range().find(|at| {
            let escape = matches!(class, Class::Atom) && scopes[*at].starts_with("constant.character.escape");
            !escape && !expected(class).iter().any(|scope| scopes[*at].starts_with(scope))
        });
        if let Some(at) = wrong {
            return Some(format!("{written:?} at {} is {class:?}, the grammar says {:?}", span.start, scopes[at]));
        }
    }
    None
}

#[test]
fn the_grammar_colours_every_example_as_the_lexer_does() {
    let grammar = grammar();
    let rules = rules(&grammar, &grammar);
    let directory = std::fs::read_dir(root().join("examples")).expect("there are examples");
    let programs = directory.map(|entry| entry.expect("readable").path());
    let mut seen = 0;
    for path in programs.filter(|path| path.extension().is_some_and(|e| e == "lasp")) {
        let program = std::fs::read_to_string(&path).expect("a program");
        assert_eq!(difference(&program, &rules), None, "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 10, "{seen}");
}

#[test]
fn odd_lexemes_are_coloured_right() {
    let grammar = grammar();
    let rules = rules(&grammar, &grammar);
    for program in [
        "#!/usr/bin/env lasp run\n% a \"comment\"\nX_1@y = _Z.",
        "\"a % b \\\" c \\x{1f980} \\xe9\\n\" ++ 'an \\'atom\\' %' % not.",
        "\"over\ntwo lines % still text\" ++ Älter, élan = 'q'.",
        "[1_000, 16#fF, 1.5e-3, 2.0, $a, $\\n, $\\x41, $\\\\, 1.",
        "<<\"\\xff\", 255>>, set[1], mv[], #{a => 1, b := 2}, lists:sum([]), max(1, 2), declare(max), sets.",
        "F = fun lists:foldl/3, fun({A, \"x\" ++ R}) when A >= 1 andalso not R -> A div 2 end.",
        "declares, mapping, settle(), map, map (S, F), ending, ofs, true, trues.",
    ] {
        assert_eq!(difference(program, &rules), None, "{program}");
    }
}
