//! What stands in for SQL where the crate is built without it.

use super::world::World;
use crate::ast::Form;
use crate::fault::Trap;
use crate::host::Host;
use crate::source::{Source, Span};
use crate::term::{Handle, Term};
use std::sync::Arc;

/// Nothing.
#[derive(Debug, Default)]
pub(super) struct Views {}

impl Views {
    pub(super) fn read(&mut self, _form: &Form, _source: &Arc<Source>) {}

    pub(super) fn declared(&mut self, _name: &str, _handle: Handle) {}

    pub(super) fn place(&self, _variable: Handle, _at: Span) -> Option<(Arc<Source>, Span)> {
        None
    }
}

impl<H: Host> World<H> {
    pub(super) fn sql_operation(&mut self, _: usize, _: &str, _: &[Term]) -> Option<Result<Term, Trap>> {
        None
    }
}
