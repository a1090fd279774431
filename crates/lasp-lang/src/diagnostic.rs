//! What the language says about a program: errors and warnings with a place, what was found, and a hint.
//!
//! Rendering is plain text in the manner of rustc: source line, carets, label, help.

use crate::source::{Source, Span};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The program cannot be run, or failed.
    Error,
    /// The program can run; something in it is probably not meant.
    Warning,
}

/// One message about one place in a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// One sentence without a final period: what is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What stands under the carets: what was found or expected there.
    pub label: String,
    /// Another place that explains this one, with its own label.
    pub related: Option<(Span, String)>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            span,
            label: String::new(),
            related: None,
            hint: None,
        }
    }

    /// A warning at `span`.
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(span, message) }
    }

    /// With the text under the carets.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// With a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With a hint if there is one.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// With a second place.
    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related = Some((span, label.into()));
        self
    }

    /// Whether it keeps the program from running.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// As text for a terminal; `color` adds ANSI escapes. Control characters in the source are made visible.
    pub fn render(&self, source: &Source, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut snippet = Snippet::source(source.text())
            .path(source.name())
            .annotation(AnnotationKind::Primary.span(visible(self.span, source)).label(self.label.as_str()));
        if let Some((span, label)) = &self.related {
            let place = AnnotationKind::Context.span(visible(*span, source));
            snippet = snippet.annotation(place.label(label.as_str()));
        }
        let mut report: Vec<Group<'_>> = vec![level.primary_title(self.message.as_str()).element(snippet)];
        if let Some(hint) = &self.hint {
            report.push(Group::with_title(Level::HELP.secondary_title(hint.as_str())));
        }
        renderer.render(&report)
    }
}

/// All of `diagnostics` as text, a blank line between two.
pub fn render_all(diagnostics: &[Diagnostic], source: &Source, color: bool) -> String {
    let rendered: Vec<String> = diagnostics.iter().map(|d| d.render(source, color)).collect();
    rendered.join("\n\n")
}

/// The span within the text, on character boundaries.
fn visible(span: Span, source: &Source) -> std::ops::Range<usize> {
    let text = source.text();
    let clamp = |offset: u32| {
        let mut at = (offset as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = clamp(span.start);
    start..clamp(span.end).max(start)
}
