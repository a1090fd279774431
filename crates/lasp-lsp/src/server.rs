//! The server as a state machine: a message in, messages out.
//!
//! A request always gets one answer, an error where it makes no sense; a notification that makes none is ignored. Nothing
//! that an editor sends ends the server but `exit`.

use crate::answers;
use crate::document::Document;
use crate::lines::Lines;
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::{
    CompletionOptions, CompletionParams, DidChangeTextDocumentParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, DocumentSymbolParams, DocumentSymbolResponse, GotoDefinitionParams, HoverParams,
    HoverProviderCapability, InitializeResult, OneOf, PositionEncodingKind, PublishDiagnosticsParams, ReferenceParams,
    RenameParams, ServerCapabilities, ServerInfo, TextDocumentContentChangeEvent, TextDocumentPositionParams,
    TextDocumentSyncCapability, TextDocumentSyncKind, Uri,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// The state of a connection with an editor.
#[derive(Debug, Default)]
pub struct Server {
    stage: Stage,
    /// By address.
    documents: BTreeMap<String, Document>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Fresh,
    Running,
    ShutDown,
    Over {
        in_order: bool,
    },
}

/// Why a request gets an error.
type Refusal = (ErrorCode, String);

impl Server {
    /// Whether the editor said `exit`.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over { .. })
    }

    /// Whether the editor said `shutdown` before it left.
    pub fn was_shut_down(&self) -> bool {
        matches!(self.stage, Stage::ShutDown | Stage::Over { in_order: true })
    }

    /// The answer to what could not be read.
    pub fn malformed(&self, reason: &str) -> Message {
        // Nobody knows which request that was; the protocol has `null` for it, the library's ids cannot say that.
        notification("window/logMessage", &serde_json::json!({ "type": 1, "message": format!("lasp: {reason}") }))
    }

    /// Takes a message; what to send.
    pub fn handle(&mut self, message: Message) -> Vec<Message> {
        match message {
            Message::Request(request) => {
                let id = request.id.clone();
                vec![answer(id, self.request(request))]
            }
            Message::Notification(notification) => self.notification(notification),
            // Nothing is ever asked of the editor.
            Message::Response(_) => Vec::new(),
        }
    }

    fn request(&mut self, request: Request) -> Result<Value, Refusal> {
        match (self.stage, request.method.as_str()) {
            (Stage::Fresh, "initialize") => {
                self.stage = Stage::Running;
                to_value(&greeting())
            }
            (Stage::Fresh, _) => Err((ErrorCode::ServerNotInitialized, "`initialize` comes first".to_owned())),
            (Stage::Running, "shutdown") => {
                self.stage = Stage::ShutDown;
                Ok(Value::Null)
            }
            (Stage::Running, _) => self.question(request),
            (Stage::ShutDown | Stage::Over { .. }, _) => {
                Err((ErrorCode::InvalidRequest, "the server is shut down; only `exit` may follow".to_owned()))
            }
        }
    }

    fn question(&self, request: Request) -> Result<Value, Refusal> {
        match request.method.as_str() {
            "textDocument/hover" => {
                let params: HoverParams = params(request.params)?;
                self.at(&params.text_document_position_params, |document, at| answers::hover(document, at.position))
            }
            "textDocument/completion" => {
                let params: CompletionParams = params(request.params)?;
                self.at(&params.text_document_position, |document, at| Some(answers::completion(document, at.position)))
            }
            "textDocument/definition" => {
                let params: GotoDefinitionParams = params(request.params)?;
                self.at(&params.text_document_position_params, |document, at| {
                    answers::definition(document, &at.text_document.uri, at.position)
                })
            }
            "textDocument/references" => {
                let params: ReferenceParams = params(request.params)?;
                let declared = params.context.include_declaration;
                self.at(&params.text_document_position, |document, at| {
                    answers::references(document, &at.text_document.uri, at.position, declared)
                })
            }
            "textDocument/rename" => {
                let params: RenameParams = params(request.params)?;
                let at = &params.text_document_position;
                let document = self.documents.get(at.text_document.uri.as_str());
                let edits = document.map(|d| answers::rename(d, &at.text_document.uri, at.position, &params.new_name));
                to_value(&edits.transpose().map_err(|why| (ErrorCode::InvalidParams, why))?)
            }
            "textDocument/documentSymbol" => {
                let params: DocumentSymbolParams = params(request.params)?;
                let document = self.documents.get(params.text_document.uri.as_str());
                to_value(&document.map(|document| DocumentSymbolResponse::Nested(answers::symbols(document))))
            }
            "initialize" => Err((ErrorCode::InvalidRequest, "the server is initialized already".to_owned())),
            other => Err((ErrorCode::MethodNotFound, format!("there is no method {other:?}"))),
        }
    }

    /// Asks about a position; `null` where no such document is open.
    fn at<T: Serialize>(
        &self,
        at: &TextDocumentPositionParams,
        ask: impl FnOnce(&Document, &TextDocumentPositionParams) -> Option<T>,
    ) -> Result<Value, Refusal> {
        let document = self.documents.get(at.text_document.uri.as_str());
        to_value(&document.and_then(|document| ask(document, at)))
    }

    fn notification(&mut self, notification: Notification) -> Vec<Message> {
        match (self.stage, notification.method.as_str()) {
            (stage, "exit") => {
                self.stage = Stage::Over { in_order: stage == Stage::ShutDown };
                Vec::new()
            }
            (Stage::Running, "textDocument/didOpen") => {
                let opened: Option<DidOpenTextDocumentParams> = serde_json::from_value(notification.params).ok();
                let Some(DidOpenTextDocumentParams { text_document }) = opened else {
                    return Vec::new();
                };
                self.set(&text_document.uri, text_document.version, text_document.text)
            }
            (Stage::Running, "textDocument/didChange") => {
                let changed: Option<DidChangeTextDocumentParams> = serde_json::from_value(notification.params).ok();
                let Some(DidChangeTextDocumentParams { text_document, content_changes }) = changed else {
                    return Vec::new();
                };
                let before = self.documents.get(text_document.uri.as_str()).map(Document::text);
                match changed_text(before, content_changes) {
                    Some(text) => self.set(&text_document.uri, text_document.version, text),
                    None => Vec::new(),
                }
            }
            (Stage::Running, "textDocument/didClose") => {
                let closed: Option<DidCloseTextDocumentParams> = serde_json::from_value(notification.params).ok();
                let Some(DidCloseTextDocumentParams { text_document }) = closed else {
                    return Vec::new();
                };
                self.documents.remove(text_document.uri.as_str());
                vec![published(PublishDiagnosticsParams::new(text_document.uri, Vec::new(), None))]
            }
            _ => Vec::new(),
        }
    }

    /// Keeps a text and tells what is wrong with it.
    fn set(&mut self, uri: &Uri, version: i32, text: String) -> Vec<Message> {
        let document = Document::new(uri.as_str(), version, text);
        let diagnostics = answers::diagnostics(&document, uri);
        let told = PublishDiagnosticsParams::new(uri.clone(), diagnostics, Some(document.version));
        self.documents.insert(uri.as_str().to_owned(), document);
        vec![published(told)]
    }
}

/// A text after changes, each of a part of what the one before made of it, or of all. `None` if a part is changed of what
/// is not open.
fn changed_text(before: Option<&str>, changes: Vec<TextDocumentContentChangeEvent>) -> Option<String> {
    let mut text = before.map(str::to_owned);
    for change in changes {
        let Some(range) = change.range else {
            text = Some(change.text);
            continue;
        };
        let changed = text.as_mut()?;
        let lines = Lines::of(changed);
        let (start, end) = (lines.offset(changed, range.start), lines.offset(changed, range.end));
        changed.replace_range(start.min(end)..end.max(start), &change.text);
    }
    text
}

fn greeting() -> InitializeResult {
    let triggers = ["{", "(", ":"].map(str::to_owned).to_vec();
    InitializeResult {
        capabilities: ServerCapabilities {
            position_encoding: Some(PositionEncodingKind::UTF16),
            text_document_sync: Some(TextDocumentSyncCapability::Kind(TextDocumentSyncKind::INCREMENTAL)),
            hover_provider: Some(HoverProviderCapability::Simple(true)),
            completion_provider: Some(CompletionOptions {
                trigger_characters: Some(triggers),
                ..CompletionOptions::default()
            }),
            definition_provider: Some(OneOf::Left(true)),
            document_symbol_provider: Some(OneOf::Left(true)),
            references_provider: Some(OneOf::Left(true)),
            rename_provider: Some(OneOf::Left(true)),
            ..ServerCapabilities::default()
        },
        server_info: Some(ServerInfo { name: "lasp".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) }),
    }
}

fn params<T: DeserializeOwned>(params: Value) -> Result<T, Refusal> {
    serde_json::from_value(params).map_err(|error| (ErrorCode::InvalidParams, error.to_string()))
}

fn to_value(value: &impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(value).map_err(|error| (ErrorCode::InternalError, error.to_string()))
}

fn answer(id: RequestId, result: Result<Value, Refusal>) -> Message {
    Message::Response(match result {
        Ok(value) => Response::new_ok(id, value),
        Err((code, message)) => Response::new_err(id, code as i32, message),
    })
}

fn published(params: PublishDiagnosticsParams) -> Message {
    notification("textDocument/publishDiagnostics", &params)
}

fn notification(method: &str, params: &impl Serialize) -> Message {
    Message::Notification(Notification::new(method.to_owned(), params))
}
