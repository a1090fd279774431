//! Calls of functions and operations: do they exist, how many arguments they take, of which kinds.

use super::{Checker, Known};
use crate::ast::{Expr, ExprKind, Fun};
use crate::library;
use crate::machine::count;
use crate::session::is_derivation;
use crate::signature::{self, Signature};
use crate::source::Span;
use crate::suggest::nearest;
use lasp_dataflow::Type;
use std::sync::Arc;

/// Operations of the language that this version cannot perform.
const UNAVAILABLE: &[&str] = if cfg!(feature = "sql") { &[] } else { &["sql"] };

impl Checker {
    pub(super) fn value_call(&mut self, callee: &Expr, args: &[Expr], span: Span) -> Known {
        let known = self.expr(callee);
        self.all(args);
        match known {
            Known::Function(arity) if arity != args.len() => {
                let message = format!("this function takes {}, not {}", count(arity, "argument"), args.len());
                self.error(span, message);
            }
            Known::Value(kind) => {
                self.error(callee.span, format!("{kind} cannot be called")).label = "expected a function".to_owned();
            }
            Known::Variable { .. } => {
                let diagnostic = self.error(callee.span, "a dataflow variable cannot be called");
                diagnostic.hint = Some("`query(V)` gives its value".to_owned());
            }
            _ => {}
        }
        Known::Unknown
    }

    pub(super) fn named_call(&mut self, name: &str, at: Span, args: &[Expr], span: Span) -> Known {
        if let "gmap" | "pair" | "awmap" = name {
            self.type_call(name, at, args);
            return Known::Value("a type");
        }
        let candidates = signature::named(name);
        let Some(first) = candidates.first() else {
            self.unknown_function(name, at);
            self.all(args);
            return Known::Unknown;
        };
        if !candidates.iter().any(|signature| signature.takes(args.len())) {
            self.wrong_arity(name, first, args.len(), span);
            self.all(args);
            return Known::Unknown;
        }
        match library::find(name).filter(|builtin| builtin.signature.takes(args.len())) {
            Some(_) => self.library_call(name, args),
            None => self.operation(name, at, args),
        }
    }

    fn type_call(&mut self, name: &str, at: Span, args: &[Expr]) {
        let parameters: Vec<Option<Type>> = args.iter().map(|arg| self.written_type(arg)).collect();
        if parameters.iter().all(Option::is_some) {
            let parameters = parameters.into_iter().flatten().collect();
            if let Err(message) = library::named_type(name, parameters) {
                self.error(at, message);
            }
        }
    }

    fn unknown_function(&mut self, name: &str, at: Span) {
        let near = nearest(name, signature::all().map(|signature| signature.name).take(self.names_tried()));
        let variable = self
            .scope
            .names()
            .take(self.names_tried())
            .find(|known| known.eq_ignore_ascii_case(name))
            .map(str::to_owned);
        // `sum` is `lists:sum`.
        let qualified =
            signature::all().map(|s| s.name).find(|known| known.split_once(':').is_some_and(|(_, f)| f == name));
        let hint =
            variable.or_else(|| near.or(qualified).map(str::to_owned)).map(|near| format!("did you mean `{near}`?"));
        // What those try who come from elsewhere.
        let known = match name {
            "io:format" | "io:fwrite" | "println" | "printf" => Some("`print(X)` prints".to_owned()),
            name if Type::names_and_aliases().any(|ty| ty == name) => {
                Some(format!("`declare({name})` makes a variable of that type"))
            }
            _ => None,
        };
        let diagnostic = self.error(at, format!("unknown function `{name}`"));
        diagnostic.hint =
            known.or(hint).or_else(|| Some("functions are bound to variables: `F = fun(X) -> ... end`".to_owned()));
    }

    fn wrong_arity(&mut self, name: &str, signature: &Signature, found: usize, span: Span) {
        let message = format!("`{name}` takes {}, found {found}", signature.arity_text());
        self.error(span, message).hint = Some(format!("{}: {}", signature.form, signature.does));
    }

    fn library_call(&mut self, name: &str, args: &[Expr]) -> Known {
        for arg in args {
            // A test such as `is_list(V)` may be asked of anything.
            if name.starts_with("is_") || name == "to_text" || name.starts_with("lists:") && args.len() > 1 {
                self.expr(arg);
            } else {
                self.operand(arg, &format!("`{name}`"));
            }
        }
        Known::Unknown
    }

    // ---- operations ----

    fn operation(&mut self, name: &str, at: Span, args: &[Expr]) -> Known {
        if UNAVAILABLE.contains(&name) {
            self.error(at, format!("`{name}` is not available in this version"));
            self.all(args);
            return Known::Unknown;
        }
        match name {
            "declare" | "declare_dynamic" => self.declare(args, name == "declare_dynamic"),
            "help" => Known::Value("an atom"),
            "update" | "bind" | "bind_to" | "query" | "read" | "wait_needed" | "invariant" | "enforce_once"
            | "stream" | "undeclare" => self.on_variable(name, args),
            "sql" => self.sql(args),
            name if is_derivation(name) => self.derivation(name, args),
            "on" => {
                self.operand(&args[0], "`on`");
                self.expr(&args[1])
            }
            _ => {
                self.all(args);
                Known::Unknown
            }
        }
    }

    fn declare(&mut self, args: &[Expr], dynamic: bool) -> Known {
        if let [name, _] = args {
            let known = self.expr(name);
            if let Known::Value(kind) = known
                && !matches!(kind, "an atom" | "a text")
            {
                let diagnostic = self.error(name.span, format!("a variable's name is an atom or a text, found {kind}"));
                diagnostic.hint = Some("declare(Name, Type), such as declare(\"ads/42\", gcounter)".to_owned());
            }
        }
        match self.written_type(&args[args.len() - 1]) {
            Some(ty) => Known::Variable { ty, dynamic },
            None => Known::Unknown,
        }
    }

    /// The operations whose first argument is a variable that they say something about.
    fn on_variable(&mut self, name: &str, args: &[Expr]) -> Known {
        let variable = self.expect_variable(name, &args[0]);
        let ty = match &variable {
            Known::Variable { ty, .. } => Some(ty.clone()),
            _ => None,
        };
        match (name, ty) {
            ("update", Some(ty)) => {
                let errors = self.diagnostics.len();
                self.all(&args[1..]);
                if self.diagnostics.len() == errors {
                    self.written_operation(&ty, &args[1]);
                }
            }
            ("read" | "wait_needed" | "invariant" | "enforce_once", ty) => {
                self.all(&args[1..]);
                if let Some(ty) = ty {
                    self.written_threshold(&ty, &args[1]);
                }
            }
            _ => self.all(&args[1..]),
        }
        if let ("undeclare", ExprKind::Variable(name)) = (name, &args[0].kind) {
            self.forget_type(name);
        }
        match name {
            "invariant" | "enforce_once" => self.expect_function(name, &args[2], 0, false),
            "wait_needed" if args.len() == 3 => self.expect_function(name, &args[2], 0, false),
            "stream" => self.expect_function(name, &args[1], 1, false),
            _ => {}
        }
        if matches!(name, "update" | "bind" | "bind_to") { variable } else { Known::Unknown }
    }

    pub(super) fn expect_variable(&mut self, name: &str, arg: &Expr) -> Known {
        let known = self.expr(arg);
        if let Known::Value(_) | Known::Function(_) = known {
            let kind = if let Known::Value(kind) = known { kind } else { "a function" };
            let diagnostic = self.error(arg.span, format!("`{name}` takes a declared variable, found {kind}"));
            diagnostic.hint = Some(match name {
                "map" | "filter" => format!("`V = declare(set)` gives one; over lists there is `lists:{name}`"),
                _ => "`V = declare(Type)` gives one".to_owned(),
            });
            return Known::Unknown;
        }
        known
    }

    pub(super) fn expect_function(&mut self, name: &str, arg: &Expr, arity: usize, pure: bool) {
        let fun = match &arg.kind {
            ExprKind::Fun(fun) => fun,
            ExprKind::Literal(_) | ExprKind::Tuple(_) | ExprKind::List { .. } => {
                self.error(arg.span, format!("`{name}` takes a function here")).label = "expected `fun`".to_owned();
                return;
            }
            _ => return,
        };
        if fun.arity != arity {
            let wanted = count(arity, "argument");
            let message = format!("`{name}` takes a function of {wanted}, this one has {}", fun.arity);
            self.error(arg.span, message);
        }
        if pure {
            self.expect_pure(name, fun);
        }
    }

    fn expect_pure(&mut self, name: &str, fun: &Arc<Fun>) {
        let Some((effect, span)) = fun.effect.clone() else {
            return;
        };
        let diagnostic = self.error(span, format!("the function of `{name}` must be pure, and `{effect}` acts"));
        diagnostic.hint = Some("actions belong into `stream` or `invariant`".to_owned());
    }
}
