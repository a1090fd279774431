//! `sql`: views of a session's variables.
//!
//! A table is what the second argument binds its name to, else a view made before, else a variable declared under that
//! name. Names are compared as they are, and failing that without regard to case.

use super::derivations::takes;
use super::world::World;
use crate::ast::Form;
use crate::fault::{Fault, Problem, Trap};
use crate::host::Host;
use crate::show::{short, type_name};
use crate::source::{Source, Span};
use crate::sql;
use crate::suggest::nearest;
use crate::term::{Handle, Term, Variable};
use lasp_dataflow::Value;
use lasp_sql::{Columns, NoTable, SqlError, View};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an SQL text is called in diagnostics if it stands nowhere in the program.
const NAME: &str = "SQL";

/// What SQL knows of a session.
#[derive(Debug, Default)]
pub(super) struct Views {
    /// Declared variables and views, by name.
    named: BTreeMap<String, Handle>,
    /// Views, with what their rows have.
    columns: BTreeMap<Handle, Columns>,
    /// The texts that stand in the program, with their places.
    literals: BTreeMap<Arc<str>, (Arc<Source>, Span)>,
    /// Of each variable that a view is derived through, the view's text.
    texts: BTreeMap<Handle, Text>,
}

/// An SQL text.
#[derive(Clone, Debug)]
struct Text {
    source: Arc<Source>,
    /// Where it stands in a program.
    literal: Option<(Arc<Source>, Span)>,
}

impl Text {
    fn place(&self, at: Span) -> (Arc<Source>, Span) {
        match &self.literal {
            Some((program, literal)) => {
                let part = lasp_sql::Span { start: at.start, end: at.end };
                (program.clone(), sql::place(program, *literal, part))
            }
            None => (self.source.clone(), at),
        }
    }

    fn fault(&self, error: SqlError) -> Trap {
        let (source, span) = self.place(Span::new(error.span.start, error.span.end));
        Trap::Fault(Box::new(Fault { message: error.message, hint: error.hint, source, span, limit: false }))
    }
}

impl Views {
    /// Notes the texts in a form that is about to run.
    pub(super) fn read(&mut self, form: &Form, source: &Arc<Source>) {
        self.literals.extend(sql::texts(form).into_iter().map(|(text, span)| (text, (source.clone(), span))));
    }

    pub(super) fn declared(&mut self, name: &str, handle: Handle) {
        self.named.insert(name.to_owned(), handle);
    }

    /// Where a part of the text that `variable` is derived by stands; `None` if it is not derived by SQL.
    pub(super) fn place(&self, variable: Handle, at: Span) -> Option<(Arc<Source>, Span)> {
        self.texts.get(&variable).map(|text| text.place(at))
    }

    fn text(&self, text: &Arc<str>) -> Text {
        Text { source: Source::new(NAME, &**text), literal: self.literals.get(text).cloned() }
    }

    fn find(&self, name: &str, bound: &BTreeMap<String, Handle>) -> Result<Handle, NoTable> {
        let missing = || {
            let known = || bound.keys().chain(self.named.keys()).map(|name| &**name);
            let hint = nearest(name, known()).map(|near| format!("did you mean `{near}`?")).unwrap_or_else(|| {
                "tables are variables declared under a name, views, and what sql(Text, #{table => V}) says".to_owned()
            });
            NoTable { message: format!("there is no table `{name}`"), hint: Some(hint) }
        };
        let exactly = |tables: &BTreeMap<String, Handle>| tables.get(name).copied();
        let loosely = |tables: &BTreeMap<String, Handle>| {
            let mut alike = tables.iter().filter(|(known, _)| known.to_lowercase() == name);
            alike.next().filter(|_| alike.next().is_none()).map(|(_, handle)| *handle)
        };
        let found = [bound, &self.named].into_iter().find_map(|tables| exactly(tables).or_else(|| loosely(tables)));
        found.ok_or_else(missing)
    }
}

impl<H: Host> World<H> {
    /// Performs the operation if it is `sql`.
    pub(super) fn sql_operation(&mut self, node: usize, name: &str, args: &[Term]) -> Option<Result<Term, Trap>> {
        (name == "sql").then(|| self.sql(node, args))
    }

    fn sql(&mut self, node: usize, args: &[Term]) -> Result<Term, Trap> {
        let Some(text) = args[0].as_text() else {
            let found = &args[0];
            return Err(Problem::new(format!("`sql` takes a text, found {} {}", found.kind(), short(found))).into());
        };
        let bound = args.get(1).map_or_else(|| Ok(BTreeMap::new()), bindings)?;
        let place = self.views.text(text);
        let view = lasp_sql::compile(text, &|name| self.columns(name, &bound)).map_err(|error| place.fault(error))?;
        self.must_be_new(&view).map_err(|error| place.fault(error))?;
        let tables = view.tables.iter().map(|name| self.views.find(name, &bound)).collect::<Result<Vec<_>, _>>();
        let tables = tables.map_err(|missing| Problem { message: missing.message, hint: missing.hint })?;
        let handle = view.apply(&tables, |operator, inputs| -> Result<Handle, Trap> {
            let handle = self.host.derive(node, operator.clone(), inputs, None)?;
            self.views.texts.insert(handle, place.clone());
            self.derived_by("sql", handle, &[]);
            self.follows(node, handle, inputs, true);
            Ok(handle)
        })?;
        if let Some(name) = view.name {
            self.views.declared(&name, handle);
        }
        self.views.columns.insert(handle, view.columns);
        Ok(Term::Variable(Variable { handle, node }))
    }

    fn columns(&self, name: &str, bound: &BTreeMap<String, Handle>) -> Result<Columns, NoTable> {
        let handle = self.views.find(name, bound)?;
        let ty = self.host.type_of(handle);
        if let Err((_, hint)) = takes("filter", &ty) {
            let message = format!("`{name}` is no table but a variable of type {}", type_name(&ty));
            return Err(NoTable { message, hint: Some(hint.to_owned()) });
        }
        Ok(self.views.columns.get(&handle).cloned().unwrap_or(Columns::Any))
    }

    /// Refuses a name that is taken, unless the view takes another view's place.
    fn must_be_new(&self, view: &View) -> Result<(), SqlError> {
        let Some(name) = &view.name else { return Ok(()) };
        let Some(taken) = self.views.named.get(&**name) else { return Ok(()) };
        let is_view = self.views.columns.contains_key(taken);
        if is_view && view.replaces {
            return Ok(());
        }
        let (what, hint) = match is_view {
            true => ("view", "`create or replace view` takes its place"),
            false => ("variable", "give the view another name"),
        };
        Err(SqlError {
            message: format!("there is a {what} called `{name}` already"),
            hint: Some(hint.to_owned()),
            span: view.at,
        })
    }
}

/// What the second argument calls tables.
fn bindings(term: &Term) -> Result<BTreeMap<String, Handle>, Problem> {
    let odd = |what: &Term| {
        Problem::new(format!("expected tables, found {} {}", what.kind(), short(what)))
            .hint("`sql(Text, #{people => People})` says which variable a table is")
    };
    let mut bound = BTreeMap::new();
    for (name, variable) in term.as_map().ok_or_else(|| odd(term))? {
        match (&name, &variable) {
            (Value::Atom(name) | Value::Text(name), Term::Variable(variable)) => {
                bound.insert(name.to_string(), variable.handle);
            }
            _ => return Err(odd(&variable)),
        }
    }
    Ok(bound)
}
