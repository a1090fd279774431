//! What is answered about a document.

use crate::document::Document;
use lasp_lang::ast::{Expr, ExprKind};
use lasp_lang::complete::{Candidate, Kind, complete};
use lasp_lang::{Severity, help};
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, Diagnostic, DiagnosticRelatedInformation,
    DiagnosticSeverity, DocumentSymbol, Documentation, Hover, HoverContents, Location, MarkupContent, MarkupKind,
    Position, SymbolKind, TextEdit, Uri, WorkspaceEdit,
};

/// What is wrong with the program.
pub(crate) fn diagnostics(document: &Document, uri: &Uri) -> Vec<Diagnostic> {
    document.analysis.diagnostics.iter().map(|found| diagnostic(document, uri, found)).collect()
}

fn diagnostic(document: &Document, uri: &Uri, found: &lasp_lang::Diagnostic) -> Diagnostic {
    let mut message = found.message.clone();
    if !found.label.is_empty() {
        message += &format!("\n{}", found.label);
    }
    if let Some(hint) = &found.hint {
        message += &format!("\nhelp: {hint}");
    }
    let related = found.related.as_ref().map(|(span, label)| {
        let location = Location::new(uri.clone(), document.range(*span));
        vec![DiagnosticRelatedInformation { location, message: label.clone() }]
    });
    Diagnostic {
        range: document.range(found.span),
        severity: Some(match found.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        source: Some("lasp".to_owned()),
        message,
        related_information: related,
        ..Diagnostic::default()
    }
}

/// What stands at a position: a variable with its type, an operation of a variable's type, or a name with a meaning.
pub(crate) fn hover(document: &Document, position: Position) -> Option<Hover> {
    let offset = document.offset(position);
    let (text, span) = variable_help(document, offset).or_else(|| name_help(document, offset))?;
    let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value: text });
    Some(Hover { contents, range: Some(document.range(span)) })
}

fn variable_help(document: &Document, offset: usize) -> Option<(String, lasp_lang::Span)> {
    let found = document.occurrence(offset)?;
    let mut text = format!("`{}`: {}", found.name, found.what);
    if let Some(ty) = &found.ty {
        text += &fenced(&help::about_type(ty));
    }
    Some((text, found.span))
}

fn name_help(document: &Document, offset: usize) -> Option<(String, lasp_lang::Span)> {
    let span = document.word(offset)?;
    let name = document.source.slice(span);
    let (_, candidates) = complete(document.text(), span.end as usize, &document.known(offset));
    let is_this =
        |c: &&Candidate| c.kind == Kind::Update && c.text.trim_start_matches('{').trim_end_matches([',', ' ']) == name;
    if let Some(op) = candidates.iter().find(is_this) {
        return Some((fenced(&format!("{}\n  {}", op.form, op.does)), span));
    }
    Some((fenced(&help::topic(name).ok()?), span))
}

fn fenced(text: &str) -> String {
    format!("\n```erlang\n{text}\n```")
}

/// Where the variable at a position is bound.
pub(crate) fn definition(document: &Document, uri: &Uri, position: Position) -> Option<Location> {
    let found = document.occurrence(document.offset(position))?;
    Some(Location::new(uri.clone(), document.range(found.bound_at?)))
}

/// Every place where the variable at a position stands, with or without those that bind it.
pub(crate) fn references(document: &Document, uri: &Uri, position: Position, binding: bool) -> Option<Vec<Location>> {
    let found = document.occurrence(document.offset(position))?;
    let wanted = document.analysis.same_variable(found).into_iter().filter(|o| binding || o.bound_at != Some(o.span));
    Some(wanted.map(|occurrence| Location::new(uri.clone(), document.range(occurrence.span))).collect())
}

/// Gives the variable at a position another name.
///
/// # Errors
/// Why that would make another program of it.
pub(crate) fn rename(
    document: &Document,
    uri: &Uri,
    position: Position,
    name: &str,
) -> Result<Option<WorkspaceEdit>, String> {
    let Some(found) = document.occurrence(document.offset(position)) else { return Ok(None) };
    let starts_well = name.starts_with(|c: char| c.is_uppercase() || c == '_') && name != "_";
    if !starts_well || !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '@')) {
        return Err(format!("{name:?} is no variable: it begins with a capital letter or `_`"));
    }
    if *found.name != *name && document.analysis.occurrences.iter().any(|other| *other.name == *name) {
        return Err(format!("there is a variable `{name}` already"));
    }
    if document.analysis.program.forms.iter().any(|form| form.broken) {
        return Err("part of the program cannot be read; correct that first".to_owned());
    }
    let places = document.analysis.same_variable(found).into_iter().map(|occurrence| document.range(occurrence.span));
    let edits: Vec<TextEdit> = places.map(|range| TextEdit::new(range, name.to_owned())).collect();
    Ok(Some(WorkspaceEdit::new([(uri.clone(), edits)].into_iter().collect())))
}

/// What could stand at a position.
pub(crate) fn completion(document: &Document, position: Position) -> Vec<CompletionItem> {
    let offset = document.offset(position);
    let (start, candidates) = complete(document.text(), offset, &document.known(offset));
    let range = document.range(lasp_lang::Span::new(start as u32, offset as u32));
    let item = |(rank, candidate): (usize, Candidate)| CompletionItem {
        label: candidate.text.trim_end_matches(['(', ',', ' ']).to_owned(),
        kind: Some(match candidate.kind {
            Kind::Update | Kind::Operation => CompletionItemKind::METHOD,
            Kind::Function => CompletionItemKind::FUNCTION,
            Kind::Type => CompletionItemKind::CLASS,
            Kind::Binding => CompletionItemKind::VARIABLE,
            Kind::Aggregate => CompletionItemKind::ENUM_MEMBER,
            Kind::Keyword => CompletionItemKind::KEYWORD,
        }),
        detail: Some(candidate.form).filter(|form| !form.is_empty()),
        documentation: Some(candidate.does).filter(|does| !does.is_empty()).map(Documentation::String),
        sort_text: Some(format!("{rank:04}")),
        filter_text: Some(candidate.text.clone()),
        text_edit: Some(CompletionTextEdit::Edit(TextEdit::new(range, candidate.text))),
        ..CompletionItem::default()
    };
    candidates.into_iter().enumerate().map(item).collect()
}

/// What the forms of the program bind.
pub(crate) fn symbols(document: &Document) -> Vec<DocumentSymbol> {
    let mut found = Vec::new();
    for expr in document.analysis.program.forms.iter().flat_map(|form| &form.body) {
        let ExprKind::Match(pattern, value) = &expr.kind else {
            continue;
        };
        pattern.each_variable(&mut |name, span| {
            let occurrence = document.analysis.occurrences.iter().find(|o| o.span == span && o.bound_at == Some(span));
            if let Some(occurrence) = occurrence {
                found.push(symbol(document, name, &occurrence.what, (expr, span), value));
            }
        });
    }
    found
}

fn symbol(
    document: &Document,
    name: &str,
    what: &str,
    (expr, span): (&Expr, lasp_lang::Span),
    value: &Expr,
) -> DocumentSymbol {
    let is_function = matches!(value.kind, ExprKind::Fun(_) | ExprKind::FunRef { .. });
    #[expect(deprecated, reason = "the protocol's type has a field that it tells not to use")]
    DocumentSymbol {
        name: name.to_owned(),
        detail: Some(what.to_owned()),
        kind: if is_function { SymbolKind::FUNCTION } else { SymbolKind::VARIABLE },
        tags: None,
        deprecated: None,
        range: document.range(expr.span),
        selection_range: document.range(span),
        children: None,
    }
}
