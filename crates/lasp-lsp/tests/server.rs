//! The server as an editor sees it, over a connection in memory and over bytes.

#![expect(clippy::disallowed_methods, reason = "the server runs beside the editor that asks it")]

use lsp_server::{Connection, Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};
use std::thread::JoinHandle;

const URI: &str = "file:///programs/a%20b.lasp";

/// An editor that talks to a server of its own.
struct Editor {
    connection: Connection,
    server: JoinHandle<bool>,
    asked: i32,
}

impl Editor {
    fn new() -> Self {
        let (here, there) = Connection::memory();
        let server = std::thread::spawn(move || lasp_lsp::serve(&there));
        let mut editor = Self { connection: here, server, asked: 0 };
        let greeting = editor.ask("initialize", json!({ "capabilities": {} }));
        assert_eq!(greeting["capabilities"]["positionEncoding"], "utf-16");
        editor.tell("initialized", json!({}));
        editor
    }

    fn tell(&self, method: &str, params: Value) {
        let notification = Notification::new(method.to_owned(), params);
        self.connection.sender.send(Message::Notification(notification)).expect("the server lives");
    }

    fn request(&mut self, method: &str, params: Value) -> Response {
        self.asked += 1;
        let request = Request::new(RequestId::from(self.asked), method.to_owned(), params);
        self.connection.sender.send(Message::Request(request)).expect("the server lives");
        match self.connection.receiver.recv().expect("an answer") {
            Message::Response(response) => response,
            other => panic!("an answer was due, not {other:?}"),
        }
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.request(method, params).response_result.expect("no error")
    }

    /// Opens a program, or changes it if it is open; the diagnostics.
    fn show(&self, version: i32, text: &str) -> Vec<Value> {
        if version == 1 {
            let item = json!({ "uri": URI, "languageId": "lasp", "version": version, "text": text });
            self.tell("textDocument/didOpen", json!({ "textDocument": item }));
        } else {
            let document = json!({ "uri": URI, "version": version });
            let params = json!({ "textDocument": document, "contentChanges": [{ "text": text }] });
            self.tell("textDocument/didChange", params);
        }
        self.diagnostics(version)
    }

    fn diagnostics(&self, version: i32) -> Vec<Value> {
        match self.connection.receiver.recv().expect("diagnostics") {
            Message::Notification(told) => {
                assert_eq!(told.method, "textDocument/publishDiagnostics");
                assert_eq!(
                    (told.params["uri"].as_str(), told.params["version"].as_i64()),
                    (Some(URI), Some(version.into()))
                );
                told.params["diagnostics"].as_array().expect("an array").clone()
            }
            other => panic!("diagnostics were due, not {other:?}"),
        }
    }

    fn at(&mut self, method: &str, line: u32, character: u32) -> Value {
        let params = json!({ "textDocument": { "uri": URI }, "position": { "line": line, "character": character } });
        self.ask(&format!("textDocument/{method}"), params)
    }

    fn leave(mut self) -> bool {
        assert_eq!(self.ask("shutdown", Value::Null), Value::Null);
        self.tell("exit", Value::Null);
        self.server.join().expect("the server ends")
    }
}

fn span(range: &Value) -> [u64; 4] {
    let number = |at: &str, what: &str| range[at][what].as_u64().expect("a number");
    [number("start", "line"), number("start", "character"), number("end", "line"), number("end", "character")]
}

#[test]
fn every_error_is_told_on_every_change_with_its_hint() {
    let editor = Editor::new();
    assert_eq!(editor.show(1, "S = declare(set)."), [] as [Value; 0]);
    let told = editor.show(2, "C = declare(gcounter).\nupdate(C, {add, 1}), X = [\"🦀\", Unbound].");
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(span(&told[0]["range"]), [1, 11, 1, 14]);
    assert!(told[0]["message"].as_str().is_some_and(|m| m.contains("help: gcounter offers increment")), "{told:?}");
    // The crab takes two units.
    assert_eq!(span(&told[1]["range"]), [1, 32, 1, 39]);
    assert_eq!(editor.show(3, ""), [] as [Value; 0]);
    assert!(editor.leave());
}

#[test]
fn hover_tells_types_operations_and_functions() {
    let mut editor = Editor::new();
    editor
        .show(1, "S = declare(gset), update(S, {add_all, [1]}),\nN = lists:sum(query(S)), \"🦀\" ++ \"\", max(1, 2).");
    let mut text = |line, character| {
        let hover = editor.at("hover", line, character);
        (hover["contents"]["value"].as_str().unwrap_or("").to_owned(), hover["range"].clone())
    };
    let (variable, range) = text(0, 26);
    assert!(variable.contains("a variable of type gset") && variable.contains("{add_all, L}"), "{variable}");
    assert_eq!(span(&range), [0, 26, 0, 27]);
    assert!(text(0, 32).0.contains("adds each element of the list L"));
    assert!(text(0, 13).0.contains("{cardinality, N}"), "a type");
    assert!(text(0, 21).0.contains("applies an operation of V's type"));
    let (function, range) = text(1, 7);
    assert!(function.contains("lists:sum(L)"), "{function}");
    assert_eq!(span(&range), [1, 4, 1, 13]);
    assert!(text(1, 38).0.contains("the greater of two"), "after a character of two units");
    assert_eq!(text(0, 2).0, "", "nothing is said about `=`");
}

#[test]
fn completion_offers_what_can_stand_there() {
    let mut editor = Editor::new();
    let program = "Clicks = declare(gmap(gcounter)).\n\"🦀\", update(Clicks, {apply, \"a\", inc\nF = lists:su";
    editor.show(1, program);
    let mut labels = |line, character| {
        let items = editor.at("completion", line, character);
        let items = items.as_array().expect("items").clone();
        items.iter().map(|item| (item["label"].as_str().expect("a label").to_owned(), item.clone())).collect::<Vec<_>>()
    };
    let found = labels(1, 37);
    assert_eq!(found[0].0, "increment");
    assert_eq!(span(&found[0].1["textEdit"]["range"]), [1, 34, 1, 37]);
    assert_eq!(found[0].1["detail"], "increment");
    assert!(
        labels(2, 12).iter().any(|(label, item)| label == "lists:sum" && item["textEdit"]["newText"] == "lists:sum(")
    );
    assert!(labels(1, 18).iter().any(|(label, _)| label == "Clicks"));
    assert_eq!(labels(1, 2), [], "nothing within a text");
}

#[test]
fn definitions_and_symbols_follow_the_bindings() {
    let mut editor = Editor::new();
    editor.show(
        1,
        "X = \"🦀\", {A, B} = {X, 1},\nF = fun(X) -> X + B end, F(A).\nG = case A of 1 -> Y = 2; _ -> Y = 3 end, Y.",
    );
    let mut definition = |line, character| {
        let location = editor.at("definition", line, character);
        if location.is_null() { None } else { Some(span(&location["range"])) }
    };
    assert_eq!(definition(1, 25), Some([1, 0, 1, 1]), "F");
    assert_eq!(definition(1, 14), Some([1, 8, 1, 9]), "the argument hides the X outside");
    assert_eq!(definition(0, 20), Some([0, 0, 0, 1]), "X");
    assert_eq!(definition(1, 18), Some([0, 14, 0, 15]), "B, from within the function");
    assert_eq!(definition(2, 42), Some([2, 19, 2, 20]), "Y, bound in every clause");
    assert_eq!(definition(0, 5), None);
    let symbols = editor.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": URI } }));
    let names: Vec<&str> =
        symbols.as_array().expect("symbols").iter().map(|s| s["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["X", "A", "B", "F", "G"]);
    assert_eq!(symbols[3]["kind"], 12);
    assert_eq!(symbols[3]["detail"], "a function of one argument");
}

/// Changes parts of the program, one after the other; the diagnostics.
fn change(editor: &Editor, version: i32, changes: &[([u32; 4], &str)]) -> Vec<Value> {
    let change = |([from, at, to, end], text): &([u32; 4], &str)| {
        let position = |line: &u32, character: &u32| json!({ "line": line, "character": character });
        json!({ "range": { "start": position(from, at), "end": position(to, end) }, "text": text })
    };
    let changes: Vec<Value> = changes.iter().map(change).collect();
    let document = json!({ "uri": URI, "version": version });
    editor.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    editor.diagnostics(version)
}

#[test]
fn changes_of_parts_are_applied_in_order() {
    let mut editor = Editor::new();
    assert!(editor.show(1, "A = \"é🦀\".\nB = A.\n").is_empty());
    let wrong = change(&editor, 2, &[([1, 4, 1, 5], "Abc"), ([0, 0, 0, 1], "Ab"), ([2, 0, 2, 0], "Ab.\n")]);
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert_eq!(span(&wrong[0]["range"]), [1, 4, 1, 7]);
    // After the crab, which takes two units; and out of the text.
    assert!(change(&editor, 3, &[([1, 4, 1, 7], "Ab"), ([0, 9, 0, 10], "x\""), ([9, 9, 99, 0], "")]).is_empty());
    let hover = editor.at("hover", 2, 1);
    assert_eq!(span(&hover["range"]), [2, 0, 2, 2]);
    assert!(editor.leave());
}

#[test]
fn a_variable_is_found_and_renamed_wherever_it_stands() {
    let mut editor = Editor::new();
    let program = "A = 1.\ncase A of 1 -> X = 1; 2 -> X = 2 end.\nX + A.\nfun(X) -> X end(2).\n";
    editor.show(1, program);
    let at = |line: u32, character: u32| json!({ "line": line, "character": character });
    let document = json!({ "uri": URI });
    let mut asked = |with_binding: bool| {
        let context = json!({ "includeDeclaration": with_binding });
        let params = json!({ "textDocument": document, "position": at(2, 0), "context": context });
        let found = editor.ask("textDocument/references", params);
        found.as_array().expect("an array").iter().map(|place| span(&place["range"])).collect::<Vec<_>>()
    };
    assert_eq!(asked(true), [[1, 15, 1, 16], [1, 27, 1, 28], [2, 0, 2, 1]]);
    assert_eq!(asked(false), [[2, 0, 2, 1]]);
    let rename = |name: &str| json!({ "textDocument": document, "position": at(2, 0), "newName": name });
    let edits = editor.ask("textDocument/rename", rename("Sum"));
    let edits = edits["changes"][URI].as_array().expect("edits").clone();
    assert_eq!(edits.len(), 3);
    assert!(edits.iter().all(|edit| edit["newText"] == "Sum"), "{edits:?}");
    for (name, why) in [("sum", "no variable"), ("A", "already"), ("_", "no variable"), ("S m", "no variable")] {
        let refused = editor.request("textDocument/rename", rename(name)).response_result.expect_err("refused");
        assert!(refused.message.contains(why), "{name}: {}", refused.message);
    }
    assert!(editor.leave());
}

#[test]
fn what_makes_no_sense_gets_an_error_and_the_server_goes_on() {
    let mut editor = Editor::new();
    let code = |response: Response| response.response_result.expect_err("an error").code;
    assert_eq!(code(editor.request("textDocument/hover", json!({ "textDocument": 3 }))), -32602);
    assert_eq!(code(editor.request("textDocument/hover", Value::Null)), -32602);
    assert_eq!(code(editor.request("no/such", json!([]))), -32601);
    assert_eq!(code(editor.request("initialize", json!({ "capabilities": {} }))), -32600);
    editor.tell("textDocument/didOpen", json!({ "textDocument": { "uri": "not a uri" } }));
    editor.tell("textDocument/didChange", json!("nonsense"));
    editor.tell("$/cancelRequest", json!({ "id": 1 }));
    assert_eq!(editor.at("hover", 0, 0), Value::Null, "no such document is open");
    assert_eq!(editor.show(1, "X = .").len(), 1);
    assert_eq!(editor.at("hover", 4_000_000_000, 4_000_000_000), Value::Null);
    assert!(editor.leave());
}

#[test]
fn a_server_wants_to_be_greeted_first_and_told_when_to_go() {
    let (here, there) = Connection::memory();
    let server = std::thread::spawn(move || lasp_lsp::serve(&there));
    let ask = |id: i32, method: &str| {
        here.sender.send(Message::Request(Request::new(id.into(), method.to_owned(), Value::Null))).expect("alive");
        match here.receiver.recv() {
            Ok(Message::Response(response)) => response.response_result.map_err(|error| error.code),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ask(1, "textDocument/hover"), Err(-32002));
    here.sender.send(Message::Notification(Notification::new("exit".to_owned(), Value::Null))).expect("alive");
    assert!(!server.join().expect("it ends"), "it was not shut down first");
}

/// A byte stream with garbage between messages.
#[test]
fn garbage_between_messages_is_told_and_skipped() {
    let frame = |body: &str| format!("Content-Length: {}\r\n\r\n{body}", body.len());
    let input = [
        "garbage\r\n\r\n".to_owned(),
        frame(r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}"#),
        frame("{\"jsonrpc\":\"2.0\",\"id\":"),
        frame("[1, 2]"),
        frame(r#"{"jsonrpc":"2.0","id":2,"method":"shutdown"}"#),
        frame(r#"{"jsonrpc":"2.0","method":"exit"}"#),
    ]
    .concat();
    let mut output = Vec::new();
    let in_order = lasp_lsp::stdio(input.as_bytes(), &mut output).expect("memory can be read");
    assert!(in_order);
    let output = String::from_utf8(output).expect("text");
    assert_eq!(output.matches("window/logMessage").count(), 3, "{output}");
    assert!(output.contains("\"id\":1") && output.contains("\"id\":2"), "{output}");
}
