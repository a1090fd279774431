//! Derivations: what they are derived from and into, their functions and aggregates, as far as they are written out.

use super::{Checker, Known, literal_kind};
use crate::ast::{Binary, Expr, ExprKind, Fun, Literal};
use crate::session::{AGGREGATE_FORMS, AGGREGATES, shape, takes, target};
use crate::show::type_name;
use crate::suggest::nearest;
use lasp_dataflow::Type;

/// What to do instead of folding dynamic variables into a replicated summary.
const DYNAMIC_SUM: &str = "let a replicated set follow it, and fold that: `S = declare(all, set), bind_to(S, V)`";

impl Checker {
    pub(super) fn derivation(&mut self, name: &str, args: &[Expr]) -> Known {
        let Some(shape) = shape(name) else { return Known::Unknown };
        let (mut of_a_scalar, mut dynamic) = (false, false);
        for (position, arg) in args.iter().enumerate() {
            if shape.inputs.contains(&position) {
                let known = self.expect_taken(name, arg);
                of_a_scalar |= !matches!(&known, Known::Variable { ty, .. } if !ty.facets().is_empty());
                dynamic |= known.is_dynamic();
                if let (0, "reached", Known::Variable { ty, .. }) = (position, name, known) {
                    self.written_threshold(&ty, &args[1]);
                }
            } else if shape.into == Some(position) {
                let into = self.expect_target(name, arg);
                if name == "fold" && dynamic && matches!(into, Known::Variable { dynamic: false, .. }) {
                    self.dynamic_sum(&args[0]);
                }
                dynamic = into.is_dynamic();
            } else {
                self.expr(arg);
            }
            if shape.functions.contains(&position) {
                self.expect_function(name, arg, 1, true);
            }
        }
        if let ("filter", ExprKind::Fun(fun)) = (name, &args[args.len().min(2) - 1].kind) {
            self.expect_condition(fun);
        }
        match name {
            "fold" => self.aggregate(name, &args[1]),
            "group" => self.aggregate(name, &args[2]),
            _ => {}
        }
        let ty = match name {
            "fold" if args.len() > 2 => Type::Summary,
            "fold" | "group" => return Known::Unknown,
            "reached" => Type::Boolean,
            // Of what is no collection, or not known to be one, an image may be anything.
            "map" if of_a_scalar => return Known::Unknown,
            _ => Type::AwSet,
        };
        Known::Variable { ty, dynamic }
    }

    /// A fold that travels, of what each node has for itself.
    fn dynamic_sum(&mut self, input: &Expr) {
        let message = "`fold` cannot derive into a replicated summary from dynamic variables";
        let diagnostic = self.error(input.span, message);
        diagnostic.label = "each node has one for itself".to_owned();
        diagnostic.hint = Some(DYNAMIC_SUM.to_owned());
    }

    fn expect_taken(&mut self, name: &str, arg: &Expr) -> Known {
        let known = self.expect_variable(name, arg);
        if let Known::Variable { ty, .. } = &known
            && let Err((wanted, hint)) = takes(name, ty)
        {
            let found = type_name(ty);
            let diagnostic = self.error(arg.span, format!("{wanted}, found a {found}"));
            diagnostic.label = format!("a variable of type {found}");
            diagnostic.hint = Some(hint.to_owned());
            return Known::Unknown;
        }
        known
    }

    fn expect_target(&mut self, name: &str, arg: &Expr) -> Known {
        let wanted = target(name);
        let known = self.expect_variable(name, arg);
        if let Known::Variable { ty, .. } = &known
            && *ty != wanted
        {
            let (found, wanted) = (type_name(ty), type_name(&wanted));
            let diagnostic = self.error(arg.span, format!("`{name}` derives into a {wanted}, found a {found}"));
            diagnostic.label = format!("a variable of type {found}");
            return Known::Unknown;
        }
        known
    }

    /// Whether the clauses of a predicate end in a match where a comparison is meant, or in what is no boolean.
    fn expect_condition(&mut self, fun: &Fun) {
        for last in fun.clauses.iter().filter_map(|clause| clause.body.last()) {
            if let ExprKind::Match(pattern, value) = &last.kind {
                self.no_comparison(pattern, value);
            } else if let Some(kind) = no_boolean(last) {
                let diagnostic = self.error(last.span, format!("a predicate is true or false, this one gives {kind}"));
                diagnostic.label = "expected a condition".to_owned();
                diagnostic.hint = Some("`map` makes other values of the elements".to_owned());
            }
        }
    }

    fn aggregate(&mut self, name: &str, arg: &Expr) {
        match &arg.kind {
            ExprKind::Literal(Literal::Atom(asked)) if AGGREGATES.contains(&&**asked) => {}
            ExprKind::Literal(Literal::Atom(asked)) => {
                let near = nearest(asked, AGGREGATES).map(|near| format!("did you mean `{near}`?"));
                let diagnostic = self.error(arg.span, format!("`{name}` cannot aggregate by `{asked}`"));
                diagnostic.hint = Some(near.unwrap_or_else(|| AGGREGATE_FORMS.to_owned()));
            }
            ExprKind::Fun(fun) => {
                let diagnostic = self.error(arg.span, format!("`{name}` cannot aggregate by a function alone"));
                diagnostic.label = "expected an aggregate".to_owned();
                diagnostic.hint = Some(match fun.arity {
                    1 => "`{sum, F}` sums what F makes of each element".to_owned(),
                    2 => "`{F, Init}` says what to begin with: {fun(X, Acc) -> ... end, 0}".to_owned(),
                    _ => AGGREGATE_FORMS.to_owned(),
                });
            }
            ExprKind::List { items, tail: None } => items.iter().for_each(|item| self.aggregate(name, item)),
            ExprKind::Tuple(items) => match &items[..] {
                [of, function] if is_aggregate(of) => {
                    self.aggregate(name, of);
                    self.expect_function(name, function, 1, true);
                }
                _ => {
                    for function in items.iter().step_by(2) {
                        self.expect_function(name, function, 2, true);
                    }
                }
            },
            _ => {}
        }
    }

    /// A text, and what its tables stand for. The text itself is looked at by [`crate::sql`].
    pub(super) fn sql(&mut self, args: &[Expr]) -> Known {
        for (position, arg) in args.iter().enumerate() {
            match (position, &arg.kind) {
                (1, ExprKind::Map { base: None, entries }) => {
                    for entry in entries {
                        self.expr(&entry.key);
                        if let known @ Known::Variable { .. } = self.expect_variable("sql", &entry.value) {
                            self.expect_table(&entry.value, &known);
                        }
                    }
                }
                _ => {
                    let known = self.operand(arg, "`sql`");
                    if let (0, Known::Value(kind)) = (position, &known)
                        && *kind != "a text"
                    {
                        let diagnostic = self.error(arg.span, format!("`sql` takes a text, found {kind}"));
                        diagnostic.hint = Some("sql(\"create view adults as select name from people\")".to_owned());
                    }
                }
            }
        }
        Known::variable(Type::AwSet)
    }

    fn expect_table(&mut self, arg: &Expr, known: &Known) {
        if let Known::Variable { ty, .. } = known
            && let Err((_, hint)) = takes("filter", ty)
        {
            let found = type_name(ty);
            self.error(arg.span, format!("a table is a collection, found a {found}")).hint = Some(hint.to_owned());
        }
    }
}

/// What an expression gives that is written as something other than a condition.
fn no_boolean(expr: &Expr) -> Option<&'static str> {
    use Binary as B;
    Some(match &expr.kind {
        ExprKind::Literal(Literal::Bool(_)) => return None,
        ExprKind::Literal(literal) => literal_kind(literal),
        ExprKind::Tuple(_) => "a tuple",
        ExprKind::List { .. } => "a list",
        ExprKind::Map { .. } => "a map",
        ExprKind::Fun(_) | ExprKind::FunRef { .. } => "a function",
        ExprKind::Binary(B::Add | B::Subtract | B::Multiply | B::Divide | B::Div | B::Rem, ..) => "a number",
        _ => return None,
    })
}

/// Whether an expression is written as an aggregate rather than a function.
fn is_aggregate(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(Literal::Atom(_)) | ExprKind::List { .. } => true,
        ExprKind::Tuple(items) => items.first().is_some_and(is_aggregate),
        _ => false,
    }
}
