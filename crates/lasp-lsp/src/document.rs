//! An open program and what is known of it.

use crate::lines::Lines;
use lasp_lang::Source;
use lasp_lang::Span;
use lasp_lang::check::{Analysis, Occurrence};
use lasp_lang::complete::Known;
use lsp_types::{Position, Range};
use std::sync::Arc;

/// A program as an editor shows it.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) version: i32,
    pub(crate) source: Arc<Source>,
    pub(crate) analysis: Analysis,
    lines: Lines,
}

impl Document {
    pub(crate) fn new(name: &str, version: i32, text: String) -> Self {
        let lines = Lines::of(&text);
        let source = Source::new(name, text);
        let analysis = Analysis::of(&source);
        Self { version, source, analysis, lines }
    }

    pub(crate) fn text(&self) -> &str {
        self.source.text()
    }

    pub(crate) fn range(&self, span: Span) -> Range {
        self.lines.range(self.text(), span)
    }

    pub(crate) fn offset(&self, position: Position) -> usize {
        self.lines.offset(self.text(), position)
    }

    /// The variable that stands at a byte offset.
    pub(crate) fn occurrence(&self, offset: usize) -> Option<&Occurrence> {
        self.analysis.occurrence_at(offset as u32)
    }

    /// What is bound before a byte offset.
    pub(crate) fn known(&self, offset: usize) -> Vec<Known> {
        let bindings = self.analysis.occurrences.iter().filter(|found| found.bound_at == Some(found.span));
        let before = bindings.filter(|found| (found.span.end as usize) < offset);
        before
            .map(|found| Known { name: found.name.to_string(), what: found.what.clone(), ty: found.ty.clone() })
            .collect()
    }

    /// The name at a byte offset, with its module: `lists:sum`, `update`, `gset`.
    pub(crate) fn word(&self, offset: usize) -> Option<Span> {
        let text = self.text();
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '@' | ':');
        let before = text.get(..offset)?.char_indices().rev().take_while(|(_, c)| is_name(*c)).last();
        let start = before.map_or(offset, |(at, _)| at);
        let after = text.get(offset..)?.find(|c| !is_name(c)).unwrap_or(text.len() - offset);
        let span = Span::new(start as u32, (offset + after) as u32);
        (span.start < span.end).then_some(span)
    }
}
