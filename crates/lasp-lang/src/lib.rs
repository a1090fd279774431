//! The Lasp language: lexer, parser, checker, evaluator, diagnostics.
