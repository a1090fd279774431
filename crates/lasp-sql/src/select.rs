//! Queries: which rows, joined how, grouped and shown as what.

use crate::call::{Column, JoinSide, What, compile};
use crate::error::{Result, Span, SqlError};
use crate::expr::{At, Comparison, Expr, Op};
use crate::group::Grouping;
use crate::plan::{Columns, Input, Steps, View};
use crate::resolve::Resolver;
use crate::scope::{Scope, Source};
use crate::text::{Text, name};
use crate::{Catalog, NoTable};
use lasp_dataflow::{Operator, Value};
use sqlparser::ast::{
    self, Distinct, GroupByExpr, JoinConstraint, JoinOperator, ObjectName, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, Statement, TableFactor,
};
use std::sync::Arc;

/// Rows of this many tables are joined: pairs nest as deep, and values nest at most 40 deep.
const TABLES_MAX: usize = 16;
/// How many queries `union` and its like may chain.
const QUERIES_MAX: usize = 64;

const RENAME: &str = "name one of them with `as`";

type Names = Vec<Arc<str>>;

/// Compiles a whole text.
pub(crate) fn view(sql: &str, catalog: &Catalog<'_>) -> Result<View> {
    let (text, statement) = Text::parse(sql)?;
    let mut planner = Planner { text: &text, catalog, steps: Steps::default(), queries: 0 };
    let (name, at, replaces, columns) = match &statement {
        Statement::Query(query) => (None, text.whole(), false, planner.query(query, None)?.1),
        Statement::CreateView(create) => {
            planner.plain_create(create)?;
            let names: Names = create.columns.iter().map(|column| name(&column.name).into()).collect();
            let names = (!names.is_empty()).then_some(names);
            let (_, columns) = planner.query(&create.query, names.as_deref())?;
            (Some(planner.object(&create.name)?.into()), text.of(&create.name), create.or_replace, columns)
        }
        _ => {
            return Err(SqlError::new(text.whole(), "this statement is not supported")
                .hint("`create view NAME as select ...` and `select ...` are; variables change by `update`"));
        }
    };
    let Steps { tables, steps } = planner.steps;
    Ok(View { name, at, replaces, columns, tables, steps })
}

struct Planner<'a> {
    text: &'a Text<'a>,
    catalog: &'a Catalog<'a>,
    steps: Steps,
    queries: usize,
}

/// Rows under way: elements of the sources `0..=last` in nested pairs.
struct Rows {
    input: Input,
    last: usize,
}

/// What a query shows.
#[derive(Default)]
struct Shown {
    columns: Vec<Column>,
    names: Names,
    /// Whether `names` is all; else what a `*` stands for is not known.
    complete: bool,
    undetermined: bool,
}

impl<'a> Planner<'a> {
    fn refuse<T>(&self, word: &str, what: &str, hint: &str) -> Result<T> {
        Err(SqlError::new(self.text.word(word), format!("{what} not supported")).hint(hint))
    }

    fn plain_create(&self, create: &ast::CreateView) -> Result<()> {
        let odd = [
            (create.or_alter, "alter"),
            (create.secure, "secure"),
            (create.if_not_exists, "if"),
            (create.temporary, "temporary"),
            (create.with_no_schema_binding, "binding"),
            (create.copy_grants, "copy"),
            (!create.cluster_by.is_empty(), "cluster"),
            (create.comment.is_some(), "comment"),
            (create.to.is_some(), "to"),
            (create.params.is_some(), "create"),
            (!matches!(create.options, ast::CreateTableOptions::None), "with"),
        ];
        if let Some((_, word)) = odd.iter().find(|(present, _)| *present) {
            return self.refuse(word, "this form of `create view` is", "write `create view NAME as select ...`");
        }
        let typed = create.columns.iter().find(|column| column.data_type.is_some() || column.options.is_some());
        match typed {
            Some(column) => Err(SqlError::new(self.text.ident(&column.name), "a view's columns have names alone")),
            None => Ok(()),
        }
    }

    fn object(&self, object: &ObjectName) -> Result<String> {
        match &object.0[..] {
            [part] if part.as_ident().is_some() => Ok(part.as_ident().map(name).unwrap_or_default()),
            _ => Err(SqlError::new(self.text.of(object), "a table has a name of one part")
                .hint("other names stand in double quotes, such as \"ads/42\"")),
        }
    }

    // ---- queries ----

    /// The rows of a query; its columns are called `names` if that is given.
    fn query(&mut self, query: &Query, names: Option<&[Arc<str>]>) -> Result<(Input, Columns)> {
        let views_have_no_order = "views are sets of rows, without an order; sort what you read";
        if query.with.is_some() {
            return self.refuse("with", "`with` is", "make a view of it, and select from that");
        }
        if query.order_by.is_some() {
            return self.refuse("order", "`order by` is", views_have_no_order);
        }
        if query.limit_clause.is_some() {
            let word = if self.text.word("limit") == self.text.whole() { "offset" } else { "limit" };
            return self.refuse(word, "`limit` is", views_have_no_order);
        }
        if query.fetch.is_some() {
            return self.refuse("fetch", "`fetch` is", views_have_no_order);
        }
        let odd = !query.locks.is_empty()
            || query.for_clause.is_some()
            || query.settings.is_some()
            || query.format_clause.is_some()
            || !query.pipe_operators.is_empty();
        if odd {
            return Err(SqlError::new(self.text.of(query), "this clause is not supported"));
        }
        self.set(&query.body, names)
    }

    fn set(&mut self, set: &SetExpr, names: Option<&[Arc<str>]>) -> Result<(Input, Columns)> {
        self.queries += 1;
        if self.queries > 2 * QUERIES_MAX {
            return Err(SqlError::new(self.text.whole(), format!("at most {QUERIES_MAX} queries can be combined")));
        }
        match set {
            SetExpr::Select(select) => self.select(select, names),
            SetExpr::Query(query) => self.query(query, names),
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                self.combine(left, *op, *set_quantifier, right, names)
            }
            _ => Err(SqlError::new(self.text.of(set), "a view is made by `select`")),
        }
    }

    fn combine(
        &mut self,
        left: &SetExpr,
        op: SetOperator,
        quantifier: SetQuantifier,
        right: &SetExpr,
        names: Option<&[Arc<str>]>,
    ) -> Result<(Input, Columns)> {
        if !matches!(quantifier, SetQuantifier::None | SetQuantifier::Distinct) {
            let what = format!("`{op} {quantifier}` is").to_lowercase();
            let word = if matches!(quantifier, SetQuantifier::ByName) { "by" } else { "all" };
            return self.refuse(word, &what, "views are sets, where a row is once");
        }
        let (left, columns) = self.set(left, names)?;
        let (rows, others) = self.set(right, None)?;
        let rows = self.rename(rows, &others, &columns, right)?;
        let operator = match op {
            SetOperator::Union => Operator::Union,
            SetOperator::Intersect => Operator::Intersection,
            SetOperator::Except | SetOperator::Minus => Operator::Difference,
        };
        let columns = match others {
            Columns::Listed(_) => columns,
            unknown => unknown,
        };
        Ok((self.steps.add(operator, &[left, rows]), columns))
    }

    /// Gives the columns of the second query the names of the first's, by position.
    fn rename(&mut self, rows: Input, from: &Columns, to: &Columns, query: &SetExpr) -> Result<Input> {
        let (Columns::Listed(from), Columns::Listed(to)) = (from, to) else { return Ok(rows) };
        if from.len() != to.len() {
            let message = format!("the first query has {} columns, this one {}", to.len(), from.len());
            return Err(SqlError::new(self.text.of(query), message));
        }
        if from == to {
            return Ok(rows);
        }
        let place = self.text.whole();
        let source = Source {
            table: String::new(),
            alias: String::new(),
            columns: Columns::Listed(from.clone()),
            positional: false,
        };
        let scope = Scope { sources: vec![source] };
        let mut columns = Vec::new();
        for (from, to) in from.iter().zip(to) {
            columns.push(Column::One(Value::atom(&**to), scope.unqualified((from, place))?));
        }
        Ok(self.steps.add(Operator::Map(compile(What::Row(columns), 0, 0)), &[rows]))
    }

    // ---- select ----

    fn select(&mut self, select: &Select, names: Option<&[Arc<str>]>) -> Result<(Input, Columns)> {
        self.plain_select(select)?;
        let (mut scope, on) = self.from(&select.from)?;
        let mut conditions = Vec::new();
        {
            let no_aggregates = Some("conditions on groups stand in `having`");
            let resolver = Resolver { text: self.text, scope: &scope, no_aggregates };
            for condition in on.into_iter().chain(&select.selection) {
                resolver.conditions(condition, &mut conditions)?;
            }
        }
        let order = join_order(scope.sources.len(), &conditions);
        scope = reordered(scope, &order);
        let place = |source: usize| order.iter().position(|at| *at == source).unwrap_or(source);
        for condition in &mut conditions {
            condition.each_field(&mut |field| field.source = place(field.source));
        }
        let rows = self.join(&scope, conditions);
        self.show(select, &scope, rows, names)
    }

    fn plain_select(&self, select: &Select) -> Result<()> {
        let odd = [
            (matches!(select.distinct, Some(Distinct::On(_))), "on", "`distinct on` is"),
            (select.top.is_some(), "top", "`top` is"),
            (select.into.is_some(), "into", "`into` is"),
            (!select.lateral_views.is_empty(), "lateral", "`lateral view` is"),
            (select.prewhere.is_some(), "prewhere", "`prewhere` is"),
            (!select.connect_by.is_empty(), "connect", "`connect by` is"),
            (!select.cluster_by.is_empty(), "cluster", "`cluster by` is"),
            (!select.distribute_by.is_empty(), "distribute", "`distribute by` is"),
            (!select.sort_by.is_empty(), "sort", "`sort by` is"),
            (!select.named_window.is_empty(), "window", "window functions are"),
            (select.qualify.is_some(), "qualify", "window functions are"),
            (select.exclude.is_some(), "exclude", "`exclude` is"),
            (select.value_table_mode.is_some(), "as", "`select as` is"),
            (select.select_modifiers.is_some(), "select", "this form of `select` is"),
            (!matches!(select.flavor, ast::SelectFlavor::Standard), "from", "`from` without `select` is"),
        ];
        match odd.iter().find(|(present, ..)| *present) {
            Some((_, word, what)) => self.refuse(word, what, "see `docs/sql.md` for what is"),
            None if select.from.is_empty() => Err(SqlError::new(self.text.of(select), "a view selects `from` a table")),
            None => Ok(()),
        }
    }

    // ---- from ----

    fn from<'s>(&mut self, from: &'s [ast::TableWithJoins]) -> Result<(Scope, Vec<&'s ast::Expr>)> {
        let mut scope = Scope::default();
        let mut on = Vec::new();
        for table in from {
            self.source(&table.relation, &mut scope)?;
            for join in &table.joins {
                self.source(&join.relation, &mut scope)?;
                on.extend(self.constraint(&join.join_operator)?);
            }
        }
        Ok((scope, on))
    }

    fn constraint<'s>(&self, join: &'s JoinOperator) -> Result<Option<&'s ast::Expr>> {
        let (constraint, needs_one) = match join {
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => (constraint, true),
            JoinOperator::CrossJoin(constraint) => (constraint, false),
            JoinOperator::Left(_)
            | JoinOperator::LeftOuter(_)
            | JoinOperator::Right(_)
            | JoinOperator::RightOuter(_)
            | JoinOperator::FullOuter(_) => {
                let word = ["left", "right", "full"].into_iter().find(|word| self.text.word(word) != self.text.whole());
                let hint = "`join ... on` gives the rows with a partner; those without one need a view of their own";
                return self.refuse(word.unwrap_or("join"), "outer joins are", hint);
            }
            _ => return self.refuse("join", "this kind of join is", "write `join TABLE on CONDITION`"),
        };
        match constraint {
            JoinConstraint::On(condition) => Ok(Some(condition)),
            JoinConstraint::None if !needs_one => Ok(None),
            JoinConstraint::None => {
                self.refuse("join", "a join without `on` is", "all pairs are given by `cross join`")
            }
            JoinConstraint::Using(_) | JoinConstraint::UsingAlias(..) => {
                self.refuse("using", "`using` is", "write `on a.column = b.column`")
            }
            JoinConstraint::Natural => self.refuse("natural", "`natural` is", "write `on a.column = b.column`"),
        }
    }

    fn source(&mut self, factor: &TableFactor, scope: &mut Scope) -> Result<()> {
        let TableFactor::Table { name: object, alias, args: None, version: None, sample: None, .. } = factor else {
            let what = match factor {
                TableFactor::Derived { .. } => "subqueries are",
                _ => "this kind of table is",
            };
            return Err(SqlError::new(self.text.of(factor), format!("{what} not supported"))
                .hint("make a view of it, and select from that"));
        };
        if scope.sources.len() == TABLES_MAX {
            return Err(SqlError::new(self.text.of(object), format!("a query reads at most {TABLES_MAX} tables")));
        }
        let table = self.object(object)?;
        let span = self.text.of(object);
        let mut columns =
            (self.catalog)(&table).map_err(|NoTable { message, hint }| SqlError { message, hint, span })?;
        let called = alias.as_ref().map_or_else(|| table.clone(), |alias| name(&alias.name));
        if scope.sources.iter().any(|source| source.alias == called) {
            return Err(SqlError::new(span, format!("two tables are called `{called}` here"))
                .hint("call one of them something else: `from people as a, people as b`"));
        }
        let fields: Names = alias.iter().flat_map(|alias| &alias.columns).map(|c| name(&c.name).into()).collect();
        let positional = !fields.is_empty();
        if positional {
            no_twins(&fields).map_err(|message| SqlError::new(span, message))?;
            columns = Columns::Listed(fields);
        }
        scope.sources.push(Source { table, alias: called, columns, positional });
        Ok(())
    }

    /// The rows that meet the conditions, which speak of the sources in the scope's order.
    fn join(&mut self, scope: &Scope, conditions: Vec<Expr>) -> Rows {
        let mut left: Vec<Expr> = conditions;
        let mut rows: Option<Rows> = None;
        for source in 0..scope.sources.len() {
            let mut input = self.steps.table(&scope.sources[source].table);
            let own = take(&mut left, |condition| condition.sources() == 1 << source);
            input = self.filter(input, own, source, source);
            let Some(before) = rows else {
                rows = Some(Rows { input, last: 0 });
                continue;
            };
            let keys: Vec<(Expr, Expr)> = take(&mut left, |condition| equality(condition, source).is_some())
                .iter()
                .filter_map(|condition| equality(condition, source))
                .map(|(left, right)| (left.clone(), right.clone()))
                .collect();
            let operator = if keys.is_empty() {
                Operator::Product
            } else {
                let (left, right) = keys.into_iter().unzip();
                Operator::Join {
                    left_key: compile(What::JoinKey(left, JoinSide::Left), 0, before.last),
                    right_key: compile(What::JoinKey(right, JoinSide::Right), source, source),
                }
            };
            let joined = self.steps.add(operator, &[before.input, input]);
            let now = (2 << source) - 1;
            let due = take(&mut left, |condition| condition.sources() != 0 && condition.sources() & !now == 0);
            rows = Some(Rows { input: self.filter(joined, due, 0, source), last: source });
        }
        let Rows { input, last } = rows.expect("a query reads a table");
        Rows { input: self.filter(input, left, 0, last), last }
    }

    fn filter(&mut self, rows: Input, conditions: Vec<Expr>, first: usize, last: usize) -> Input {
        if conditions.is_empty() {
            return rows;
        }
        let at = conditions[0].at();
        let condition = What::Condition(Expr::all(conditions, at));
        self.steps.add(Operator::Filter(compile(condition, first, last)), &[rows])
    }

    // ---- what is shown ----

    fn show(
        &mut self,
        select: &Select,
        scope: &Scope,
        rows: Rows,
        names: Option<&[Arc<str>]>,
    ) -> Result<(Input, Columns)> {
        let resolver = Resolver { text: self.text, scope, no_aggregates: None };
        let mut shown = self.items(&select.projection, &resolver)?;
        if let Some(names) = names {
            self.call_columns(&mut shown, names)?;
        }
        no_twins(&shown.names).map_err(|message| SqlError::new(self.text.of(select), message).hint(RENAME))?;
        let keys = self.group_keys(select, &shown, &resolver)?;
        let mut having = Vec::new();
        if let Some(condition) = &select.having {
            resolver.conditions(condition, &mut having)?;
        }
        let is_aggregate = |column: &Column| matches!(column, Column::One(_, expr) if expr.has_aggregate());
        let grouped = !keys.is_empty() || select.having.is_some() || shown.columns.iter().any(is_aggregate);
        let columns = shown.columns_known();
        if !grouped {
            let row = What::Row(shown.columns);
            return Ok((self.steps.add(Operator::Map(compile(row, 0, rows.last)), &[rows.input]), columns));
        }
        let aliases = shown.aliases();
        let mut grouping = Grouping::new(keys);
        let mut row = Vec::new();
        for column in shown.columns {
            row.push(match column {
                Column::One(name, expr) => Column::One(name, grouping.rewrite(expr, &[])?),
                Column::All { at, .. } => {
                    return Err(SqlError::new(at.0, "`*` cannot be shown of a group")
                        .hint("a group has many rows: name columns of `group by`, and aggregates"));
                }
            });
        }
        let having =
            having.into_iter().map(|condition| grouping.rewrite(condition, &aliases)).collect::<Result<_>>()?;
        let groups = grouping.plan(rows.input, rows.last, &mut self.steps);
        let groups = self.filter(groups, having, 0, grouping.last());
        Ok((self.steps.add(Operator::Map(compile(What::Row(row), 0, grouping.last())), &[groups]), columns))
    }

    fn items(&self, items: &[SelectItem], resolver: &Resolver<'_>) -> Result<Shown> {
        let mut shown = Shown { complete: true, ..Shown::default() };
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    let named = self.item_name(expr)?;
                    shown.one(named.into(), resolver.expr(expr)?);
                }
                SelectItem::ExprWithAlias { expr, alias } => shown.one(name(alias).into(), resolver.expr(expr)?),
                SelectItem::Wildcard(options) => {
                    let span = self.plain_wildcard(options)?;
                    for source in 0..resolver.scope.sources.len() {
                        shown.all(resolver.scope, source, span);
                    }
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(object), options) => {
                    self.plain_wildcard(options)?;
                    let span = self.text.of(object);
                    let source = resolver.scope.source(&self.object(object)?, span)?;
                    shown.all(resolver.scope, source, span);
                }
                other => return Err(SqlError::new(self.text.of(other), "this is no column")),
            }
        }
        Ok(shown)
    }

    fn plain_wildcard(&self, options: &ast::WildcardAdditionalOptions) -> Result<Span> {
        let span = self.text.span(options.wildcard_token.0.span);
        let plain =
            ast::WildcardAdditionalOptions { wildcard_token: options.wildcard_token.clone(), ..Default::default() };
        if *options == plain {
            return Ok(span);
        }
        Err(SqlError::new(span, "`*` takes no options").hint("name the columns"))
    }

    /// What an expression without `as` is called.
    fn item_name(&self, expr: &ast::Expr) -> Result<String> {
        match expr {
            ast::Expr::Identifier(ident) => Ok(name(ident)),
            ast::Expr::CompoundIdentifier(parts) => Ok(parts.last().map(name).unwrap_or_default()),
            ast::Expr::Function(function) => self.object(&function.name),
            ast::Expr::Nested(inner) => self.item_name(inner),
            other => Err(SqlError::new(self.text.of(other), "this column has no name").hint("name it: `... as total`")),
        }
    }

    /// Gives the columns the names in `create view NAME (names)`.
    fn call_columns(&self, shown: &mut Shown, names: &[Arc<str>]) -> Result<()> {
        if shown.undetermined {
            return Ok(());
        }
        if !shown.complete {
            return Err(SqlError::new(self.text.whole(), "the columns that `*` stands for are not known")
                .hint("name them in `select`"));
        }
        if names.len() != shown.names.len() {
            let message = format!("the view has {} columns, the query {}", names.len(), shown.names.len());
            return Err(SqlError::new(self.text.whole(), message));
        }
        for (column, new) in shown.columns.iter_mut().zip(names) {
            if let Column::One(name, _) = column {
                *name = Value::atom(&**new);
            }
        }
        shown.names = names.to_vec();
        Ok(())
    }

    fn group_keys(&self, select: &Select, shown: &Shown, resolver: &Resolver<'_>) -> Result<Vec<Expr>> {
        let (exprs, modifiers) = match &select.group_by {
            GroupByExpr::Expressions(exprs, modifiers) => (exprs, modifiers),
            GroupByExpr::All(_) => return self.refuse("group", "`group by all` is", "name the columns"),
        };
        if !modifiers.is_empty() {
            return self.refuse("with", "this form of `group by` is", "name the columns");
        }
        let resolver = Resolver { no_aggregates: Some("groups are made of rows, before aggregates"), ..*resolver };
        exprs.iter().map(|expr| self.group_key(expr, shown, &resolver)).collect()
    }

    /// A position in the select list, a name in it that is no column, or an expression.
    fn group_key(&self, expr: &ast::Expr, shown: &Shown, resolver: &Resolver<'_>) -> Result<Expr> {
        let key = match expr {
            ast::Expr::Value(value) => match &value.value {
                ast::Value::Number(digits, false) => {
                    let index = digits.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
                    let column = index.and_then(|index| shown.columns.get(index));
                    let Some(Column::One(_, key)) = column else {
                        return Err(SqlError::new(
                            self.text.of(expr),
                            format!("there is no column {digits} to group by"),
                        ));
                    };
                    key.clone()
                }
                _ => resolver.expr(expr)?,
            },
            ast::Expr::Identifier(ident) => {
                let alias = Value::atom(name(ident));
                let listed = resolver.scope.sources.iter().all(|source| matches!(source.columns, Columns::Listed(_)));
                let named = shown.columns.iter().find_map(|column| match column {
                    Column::One(name, key) if *name == alias => Some(key.clone()),
                    _ => None,
                });
                // Where columns are known, they come before names of the select list.
                match (named, listed, resolver.expr(expr)) {
                    (_, true, Ok(column)) | (None, _, Ok(column)) => column,
                    (Some(named), ..) => named,
                    (None, _, Err(error)) => return Err(error),
                }
            }
            _ => resolver.expr(expr)?,
        };
        if key.has_aggregate() {
            return Err(SqlError::new(self.text.of(expr), "an aggregate cannot be grouped by"));
        }
        Ok(key)
    }
}

impl Shown {
    fn one(&mut self, name: Arc<str>, expr: Expr) {
        self.columns.push(Column::One(Value::atom(&*name), expr));
        self.names.push(name);
    }

    fn all(&mut self, scope: &Scope, source: usize, span: Span) {
        if let Some(columns) = scope.all(source, span) {
            columns.into_iter().for_each(|(name, expr)| self.one(name, expr));
            return;
        }
        self.columns.push(Column::All { source, at: At(span) });
        self.complete = false;
        self.undetermined |= scope.sources[source].columns == Columns::Undetermined;
    }

    /// What `having` may say by its name in the select list.
    fn aliases(&self) -> Vec<(String, Expr)> {
        let named = self.columns.iter().filter_map(|column| match column {
            Column::One(Value::Atom(name), expr) => Some((name.to_string(), expr.clone())),
            _ => None,
        });
        named.collect()
    }

    fn columns_known(&self) -> Columns {
        match (self.undetermined, self.complete) {
            (true, _) => Columns::Undetermined,
            (_, true) => Columns::Listed(self.names.clone()),
            _ => Columns::Any,
        }
    }
}

fn no_twins(names: &[Arc<str>]) -> std::result::Result<(), String> {
    match names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        Some((_, name)) => Err(format!("two columns are called `{name}`")),
        None => Ok(()),
    }
}

/// Takes what `is` holds for out of a list, in order.
fn take(conditions: &mut Vec<Expr>, is: impl Fn(&Expr) -> bool) -> Vec<Expr> {
    conditions.extract_if(.., |condition| is(condition)).collect()
}

/// Of an equality of something of earlier sources with something of `source` alone: the two, in this order.
fn equality(condition: &Expr, source: usize) -> Option<(&Expr, &Expr)> {
    let Expr::Apply(Op::Compare(Comparison::Equal), sides, _) = condition else { return None };
    let [left, right] = &sides[..] else { return None };
    let mine = 1u32 << source;
    let earlier = |expr: &Expr| expr.sources() != 0 && expr.sources() < mine;
    match (left, right) {
        (left, right) if right.sources() == mine && earlier(left) => Some((left, right)),
        (left, right) if left.sources() == mine && earlier(right) => Some((right, left)),
        _ => None,
    }
}

/// In which order to join: the first table, then always the first one that an equality ties to those before.
fn join_order(sources: usize, conditions: &[Expr]) -> Vec<usize> {
    let mut order = vec![0];
    while order.len() < sources {
        let joined: u32 = order.iter().fold(0, |mask, source| mask | 1 << source);
        let mut open = (0..sources).filter(|source| joined & 1 << source == 0);
        let tied = open.clone().find(|source| conditions.iter().any(|c| ties(c, joined, 1 << source)));
        order.extend(tied.or_else(|| open.next()));
    }
    order
}

fn ties(condition: &Expr, joined: u32, source: u32) -> bool {
    let Expr::Apply(Op::Compare(Comparison::Equal), sides, _) = condition else { return false };
    let within = |expr: &Expr| expr.sources() != 0 && expr.sources() & !joined == 0;
    match &sides[..] {
        [left, right] => within(left) && right.sources() == source || within(right) && left.sources() == source,
        _ => false,
    }
}

fn reordered(scope: Scope, order: &[usize]) -> Scope {
    let mut sources: Vec<Option<Source>> = scope.sources.into_iter().map(Some).collect();
    Scope { sources: order.iter().filter_map(|at| sources[*at].take()).collect() }
}
