//! The evaluator: expressions to terms, within a number of steps and a depth.
//!
//! Without [`Effects`] it is pure, and any operation is a fault; with them it runs a script. It knows nothing of hosts:
//! operations go out through the trait, and actions that became due come back through it.

pub(crate) mod arithmetic;
mod control;
mod pattern;

use crate::ast::{Callee, Expr, ExprKind, Literal, Name, Pattern, PatternKind};
use crate::code::Stop;
use crate::env::Env;
use crate::fault::{Fault, Problem, Trap};
use crate::function::{Closure, Function};
use crate::host::{TriggerId, no_cluster};
use crate::library;
use crate::signature;
use crate::source::{Source, Span};
use crate::term::{Shape, Term, Variable, common_parts};
use lasp_dataflow::{F64, Value};
use std::sync::Arc;

/// Steps that one call of a function by a derivation may take (guess: tens of milliseconds).
pub const CALL_STEPS: u64 = 1_000_000;

/// Steps that one form of a script may take, its actions included (guess: about a second).
pub const FORM_STEPS: u64 = 20_000_000;

/// What an operation counts for (guess: as long as so many steps).
const OPERATION_STEPS: u64 = 50;

/// What the start of an action counts for: bounds actions that set each other off (guess).
const ACTION_STEPS: u64 = 200;

/// Whether to go on is looked up once in so many steps (guess: well below a millisecond).
const POLL_STEPS: u64 = 1 << 12;

/// Calls and expressions inside each other. A level costs at most about 2 KiB of stack, and threads have 2 MiB.
pub(crate) const DEPTH_MAX: u32 = 400;

pub(crate) type Outcome<T = Term> = Result<T, Box<Fault>>;

/// A part of a program's text.
pub(crate) type Place = (Arc<Source>, Span);

/// Where operations go.
pub trait Effects {
    /// Performs the operation `name` at `node`, called at this place of a program.
    ///
    /// # Errors
    /// What the operation refused; its variables are unchanged.
    fn operate(&mut self, node: usize, name: &str, args: Vec<Term>, at: Option<Place>) -> Result<Step, Trap>;

    /// Goes on with an operation that waits.
    ///
    /// # Errors
    /// Where it can never end.
    fn resume(&mut self, waiting: &Waiting) -> Result<Step, Problem>;

    /// Ends an operation that waits and will not be resumed.
    fn abandon(&mut self, waiting: &Waiting);

    /// An action that became due, oldest first.
    fn next_action(&mut self) -> Option<Action>;

    /// How many nodes there are.
    fn nodes(&self) -> usize;

    /// Whether someone wants the form under way to stop.
    fn interrupted(&self) -> bool;
}

/// How far an operation got.
#[derive(Debug)]
pub enum Step {
    /// It is done, with this value.
    Done(Term),
    /// Time must pass; run the actions that are due, then resume.
    Wait(Waiting),
}

/// What an operation waits for.
#[derive(Clone, Debug)]
pub enum Waiting {
    /// Nothing is in flight.
    Settle,
    /// The virtual clock shows this many milliseconds.
    Until(u64),
    /// One of these thresholds is met.
    Thresholds {
        /// What was asked of the host, and the variable.
        waits: Vec<(TriggerId, Variable)>,
        /// Whether the variable is wanted rather than its value.
        any: bool,
        /// When the virtual clock shows so many milliseconds, it is given up: `timeout`.
        deadline_ms: Option<u64>,
    },
}

/// A function that an `invariant` or `stream` runs.
#[derive(Clone, Debug)]
pub struct Action {
    /// Where it runs.
    pub node: usize,
    /// What runs.
    pub function: Function,
    /// With which arguments.
    pub args: Vec<Term>,
}

/// Who evaluates the functions that are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Their compiled form, where there is one; what fails there is evaluated again by walking the tree, for its message.
    Mixed,
    /// Inside a compiled form: nothing may have effects, and any failure gives up.
    Compiled,
    /// The tree, as something has failed.
    Tree,
}

/// An evaluation under way.
pub struct Machine<'w> {
    /// The program whose text is evaluated; none before a library function calls.
    source: Option<Arc<Source>>,
    effects: Option<&'w mut dyn Effects>,
    node: usize,
    pub(crate) steps_left: u64,
    pub(crate) depth: u32,
    in_action: bool,
    mode: Mode,
    /// The call of the library function under way.
    at: Span,
}

impl std::fmt::Debug for Machine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Machine(node {}, {} steps left)", self.node, self.steps_left)
    }
}

impl<'w> Machine<'w> {
    /// Computes only, for at most `steps`.
    pub fn pure(steps: u64) -> Self {
        Self {
            source: None,
            effects: None,
            node: 1,
            steps_left: steps,
            depth: 0,
            in_action: false,
            mode: Mode::Mixed,
            at: Span::default(),
        }
    }

    /// Computes what stands in `source` only, for at most `steps`.
    pub fn pure_in(source: Arc<Source>, steps: u64) -> Self {
        Self { source: Some(source), ..Self::pure(steps) }
    }

    /// As [`Self::pure`], without compiled forms: slower, and every failure has its message and place.
    pub fn tree(steps: u64) -> Self {
        Self { mode: Mode::Tree, ..Self::pure(steps) }
    }

    /// Runs a program of `source` at node 1 with effects.
    pub fn script(source: Arc<Source>, effects: &'w mut dyn Effects) -> Self {
        Self { source: Some(source), effects: Some(effects), ..Self::pure(FORM_STEPS) }
    }

    /// With another number of steps.
    #[must_use]
    pub fn limited(self, steps: u64) -> Self {
        Self { steps_left: steps, ..self }
    }

    /// How many steps are left.
    pub fn steps_left(&self) -> u64 {
        self.steps_left
    }

    /// The value of the last of `body`; bindings stay in `env`.
    ///
    /// # Errors
    /// The first failure; what was done before it stays done.
    pub fn body(&mut self, body: &[Expr], env: &mut Env) -> Outcome {
        let mut last = Term::ok();
        for expr in body {
            last = self.eval(expr, env)?;
        }
        Ok(last)
    }

    /// The value of one expression.
    pub(crate) fn eval(&mut self, expr: &Expr, env: &mut Env) -> Outcome {
        self.charge(1, expr.span)?;
        if self.depth >= DEPTH_MAX {
            return Err(self.limit(expr.span, format!("calls nested more than {DEPTH_MAX} levels deep")));
        }
        self.depth += 1;
        let result = self.eval_kind(expr, env);
        self.depth -= 1;
        result
    }

    fn eval_kind(&mut self, expr: &Expr, env: &mut Env) -> Outcome {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Literal(literal) => Ok(Term::scalar(literal_value(literal))),
            ExprKind::Variable(name) => self.variable(name, span, env),
            ExprKind::Tuple(items) => {
                let items = self.parts(items, env)?;
                self.admit(Term::tuple(items), span)
            }
            ExprKind::List { items, tail } => self.list(items, tail.as_deref(), span, env),
            ExprKind::Collection(kind, items) => self.collection(*kind, items, span, env),
            ExprKind::Map { base, entries } => self.map(base.as_deref(), entries, span, env),
            ExprKind::Bytes(items) => self.bytes(items, env),
            ExprKind::Unary(operator, operand) => {
                let value = self.eval(operand, env)?;
                arithmetic::unary(*operator, &value).map_err(|problem| self.place(problem.into(), span))
            }
            ExprKind::Binary(operator, left, right) => self.binary(*operator, left, right, span, env),
            ExprKind::Match(pattern, value) => {
                let value = self.eval(value, env)?;
                if self.matches(pattern, &value, env)? {
                    return Ok(value);
                }
                Err(self.no_match(pattern, &value, env))
            }
            ExprKind::Fun(fun) => {
                let source = self.source.clone().unwrap_or_else(|| Source::new("", ""));
                let closure = Closure::new(fun, source, env.capture(&fun.free));
                self.admit(Term::Function(Function::Closure(Arc::new(closure))), span)
            }
            ExprKind::FunRef { name, arity } => self.fun_ref(name, *arity, span),
            ExprKind::Case(subject, clauses) => self.case(subject, clauses, span, env),
            ExprKind::If(clauses) => self.if_(clauses, span, env),
            ExprKind::Block(body) => self.body(body, env),
            ExprKind::Comprehension(produced, qualifiers) => self.comprehension(produced, qualifiers, span, env),
            ExprKind::Call(callee, args) => self.call(callee, args, span, env),
            ExprKind::Broken => Err(self.fault(span, "this could not be parsed")),
        }
    }

    fn variable(&mut self, name: &Name, span: Span, env: &Env) -> Outcome {
        let Some(term) = env.get(name) else {
            return Err(self.fault(span, format!("variable `{name}` is unbound")));
        };
        Ok(match term {
            Term::Variable(variable) => Term::Variable(Variable { node: self.node, ..*variable }),
            other => other.clone(),
        })
    }

    pub(crate) fn all(&mut self, exprs: &[Expr], env: &mut Env) -> Outcome<Vec<Term>> {
        exprs.iter().map(|expr| self.eval(expr, env)).collect()
    }

    /// The terms that something is built of.
    pub(crate) fn parts(&mut self, exprs: &[Expr], env: &mut Env) -> Outcome<Vec<Term>> {
        exprs.iter().map(|expr| self.part(expr, env)).collect()
    }

    pub(crate) fn part(&mut self, expr: &Expr, env: &mut Env) -> Outcome {
        let term = self.eval(expr, env)?;
        self.weigh(term, expr.span)
    }

    fn fun_ref(&mut self, name: &str, arity: usize, span: Span) -> Outcome {
        match library::find(name).filter(|builtin| builtin.signature.takes(arity)) {
            Some(builtin) => Ok(Term::Function(Function::Builtin(builtin, arity))),
            None => Err(self.fault(span, format!("no function {name}/{arity}"))),
        }
    }

    // ---- calls ----

    fn call(&mut self, callee: &Callee, args: &[Expr], span: Span, env: &mut Env) -> Outcome {
        match callee {
            Callee::Value(function) => {
                let function = self.eval(function, env)?;
                let args = self.all(args, env)?;
                let Term::Function(function) = function else {
                    return Err(self.fault(span, format!("{} cannot be called", crate::show::short(&function))));
                };
                self.apply(&function, args, span)
            }
            Callee::Named(name, _) if &**name == "on" && args.len() == 2 => self.on(&args[0], &args[1], env),
            Callee::Named(name, _) => {
                let mut args = self.all(args, env)?;
                match library::find(name) {
                    // `max` and `min` are functions, but the types `gmap(T)` and `pair(T, U)` are built as calls.
                    Some(builtin) if builtin.signature.takes(args.len()) => self.builtin(builtin, &mut args, span),
                    _ if signature::is_operation(name) => self.operate(name, args, span),
                    _ => Err(self.fault(span, format!("no function {name}/{}", args.len()))),
                }
            }
        }
    }

    pub(crate) fn builtin(&mut self, builtin: &'static library::Builtin, args: &mut [Term], span: Span) -> Outcome {
        if !builtin.on_surface {
            for arg in args.iter_mut().filter(|arg| !arg.is_measured()) {
                *arg = self.weigh(arg.clone(), span)?;
            }
        }
        let caller = std::mem::replace(&mut self.at, span);
        let result = (builtin.run)(self, args);
        self.at = caller;
        let result = result.map_err(|trap| match trap {
            Trap::Problem(mut problem) => {
                problem.message = format!("{}: {}", builtin.signature.name, problem.message);
                self.place(problem.into(), span)
            }
            placed => self.place(placed, span),
        })?;
        self.admit(result, span)
    }

    /// Calls a function with terms.
    pub(crate) fn apply(&mut self, function: &Function, mut args: Vec<Term>, span: Span) -> Outcome {
        self.charge(1, span)?;
        if args.len() != function.arity() {
            let message = format!("this function takes {}, not {}", count(function.arity(), "argument"), args.len());
            return Err(self.fault(span, message));
        }
        match function {
            Function::Builtin(builtin, _) => self.builtin(builtin, &mut args, span),
            Function::Closure(closure) => self.apply_closure(closure, args, span),
        }
    }

    fn apply_closure(&mut self, closure: &Arc<Closure>, args: Vec<Term>, span: Span) -> Outcome {
        let mode = self.mode;
        let Some(code) = closure.code().filter(|_| mode != Mode::Tree) else {
            return self.walk_closure(closure, &args, span);
        };
        let (steps_left, depth) = (self.steps_left, self.depth);
        self.mode = Mode::Compiled;
        let result = code.call(closure, &args, self);
        self.mode = mode;
        match result {
            Ok(term) => Ok(term),
            // The outermost compiled form is evaluated again as a whole.
            Err(stop) if mode == Mode::Compiled => Err(self.give_up(stop, span)),
            Err(_) => {
                (self.steps_left, self.depth) = (steps_left, depth);
                self.mode = Mode::Tree;
                let result = self.walk_closure(closure, &args, span);
                self.mode = mode;
                result
            }
        }
    }

    /// Stops a library function inside a compiled form; nobody reads the message.
    fn give_up(&self, stop: Stop, span: Span) -> Box<Fault> {
        Box::new(Fault { limit: stop == Stop::Undecided, ..*self.fault(span, "") })
    }

    fn walk_closure(&mut self, closure: &Closure, args: &[Term], span: Span) -> Outcome {
        if self.depth >= DEPTH_MAX {
            return Err(self.limit(span, format!("calls nested more than {DEPTH_MAX} levels deep")));
        }
        self.depth += 1;
        let caller = self.source.replace(closure.source.clone());
        let result = self.closure(closure, args);
        self.source = caller;
        self.depth -= 1;
        result
    }

    /// A machine inside of a compiled form.
    #[inline]
    pub(crate) fn compiled(steps: u64) -> Self {
        Self { mode: Mode::Compiled, ..Self::pure(steps) }
    }

    fn closure(&mut self, closure: &Closure, args: &[Term]) -> Outcome {
        let mut env = closure.captured.clone();
        let inside = env.mark();
        for clause in &closure.fun.clauses {
            if self.matches_params(&clause.patterns, args, &mut env)? && self.guard(&clause.guard, &mut env)? {
                return self.body(&clause.body, &mut env);
            }
            env.forget_after(inside);
        }
        let shown: Vec<String> = args.iter().map(crate::show::short).collect();
        Err(self.fault(closure.fun.span, format!("no clause of this function matches ({})", shown.join(", "))))
    }

    /// For calls from outside a program: the place of the failure is the function's own.
    pub(crate) fn call_from_outside(&mut self, function: &Function, args: Vec<Term>) -> Outcome {
        let span = match function {
            Function::Closure(closure) => {
                self.source = Some(closure.source.clone());
                closure.fun.span
            }
            Function::Builtin(..) => Span::default(),
        };
        self.apply(function, args, span)
    }

    // ---- effects ----

    /// Effects inside a compiled form are left to the tree, which does each once.
    fn effects_allowed(&self, span: Span) -> Outcome<()> {
        if self.mode == Mode::Compiled { Err(self.give_up(Stop::Undecided, span)) } else { Ok(()) }
    }

    fn on(&mut self, node: &Expr, body: &Expr, env: &mut Env) -> Outcome {
        self.effects_allowed(node.span)?;
        let value = self.eval(node, env)?;
        let Some(effects) = &self.effects else {
            return Err(self.impure("on", node.span));
        };
        let nodes = effects.nodes();
        if nodes == 0 {
            return Err(self.place(no_cluster("on").into(), node.span));
        }
        let chosen = value.as_int().and_then(|n| usize::try_from(n).ok()).filter(|n| (1..=nodes).contains(n));
        let Some(chosen) = chosen else {
            let problem = Problem::new(format!("there is no node {}", crate::show::short(&value)))
                .hint(format!("nodes are 1 to {nodes}; `lasp run --nodes N` sets how many there are"));
            return Err(self.place(problem.into(), node.span));
        };
        let before = std::mem::replace(&mut self.node, chosen);
        let result = self.eval(body, env);
        self.node = before;
        result
    }

    fn impure(&self, name: &str, span: Span) -> Box<Fault> {
        let problem = Problem::new(format!("`{name}` acts on variables, and this function must be pure"))
            .hint("only the actions of `invariant` and `stream`, and the script itself, may use operations");
        self.place(problem.into(), span)
    }

    fn operate(&mut self, name: &str, args: Vec<Term>, span: Span) -> Outcome {
        self.effects_allowed(span)?;
        self.charge(OPERATION_STEPS, span)?;
        let Some(effects) = &mut self.effects else {
            return Err(self.impure(name, span));
        };
        let at = self.source.clone().map(|source| (source, span));
        let mut step = effects.operate(self.node, name, args, at).map_err(|trap| self.place(trap, span))?;
        loop {
            match step {
                Step::Done(term) => {
                    self.run_actions(span)?;
                    return self.admit(term, span);
                }
                Step::Wait(waiting) => {
                    let next = self.go_on(name, &waiting, span);
                    if let (Err(_), Some(effects)) = (&next, &mut self.effects) {
                        effects.abandon(&waiting);
                    }
                    step = next?;
                }
            }
        }
    }

    fn no_match(&self, pattern: &Pattern, value: &Term, env: &Env) -> Box<Fault> {
        let problem = Problem::new(format!("no match for {}", crate::show::short(value)));
        let held = match &pattern.kind {
            PatternKind::Variable(name) => env.get(name).map(|held| (name, crate::show::short(held))),
            _ => None,
        };
        let problem = match held {
            Some((name, held)) => problem.hint(format!("`{name}` is {held} already: a variable is bound once")),
            None => problem,
        };
        self.place(problem.into(), pattern.span)
    }

    /// Waits on, as far as something happens.
    fn go_on(&mut self, name: &str, waiting: &Waiting, span: Span) -> Outcome<Step> {
        if self.in_action {
            let problem = Problem::new(format!("`{name}` would wait inside an action"))
                .hint("let another `invariant` react when the time has come");
            return Err(self.place(problem.into(), span));
        }
        self.run_actions(span)?;
        self.charge(1, span)?;
        let Some(effects) = &mut self.effects else {
            return Err(self.impure(name, span));
        };
        let next = effects.resume(waiting).map_err(|problem| self.place(problem.into(), span))?;
        self.poll(span)?;
        Ok(next)
    }

    /// Runs what became due, and what becomes due by that, in order.
    pub(crate) fn run_actions(&mut self, span: Span) -> Outcome<()> {
        if self.in_action {
            return Ok(());
        }
        self.in_action = true;
        let result = self.run_due_actions(span);
        self.in_action = false;
        result
    }

    fn run_due_actions(&mut self, span: Span) -> Outcome<()> {
        while let Some(action) = self.effects.as_mut().and_then(|effects| effects.next_action()) {
            let told: u64 = action.args.iter().map(|arg| u64::from(arg.shape().weight) / 4).sum();
            self.charge(ACTION_STEPS + told, span)?;
            let node = std::mem::replace(&mut self.node, action.node);
            let result = self.apply(&action.function, action.args, span);
            self.node = node;
            result?;
        }
        Ok(())
    }

    // ---- limits and faults ----

    /// Charges the call of the library function under way.
    pub(crate) fn spend(&mut self, steps: u64) -> Outcome<()> {
        self.charge(steps, self.at)
    }

    /// As [`Self::weigh`], on behalf of the library function under way.
    pub(crate) fn weigh_here(&mut self, term: Term) -> Outcome {
        self.weigh(term, self.at)
    }

    /// Calls a function on behalf of the library function under way.
    pub(crate) fn call_back(&mut self, function: &Function, args: Vec<Term>) -> Outcome {
        self.apply(function, args, self.at)
    }

    /// Charges for going through two terms side by side (guess: a sixteenth of a step for each part).
    pub(crate) fn charge_comparison(&mut self, left: &Term, right: &Term, span: Span) -> Outcome<()> {
        self.charge(comparison_steps(left, right), span)
    }

    /// A term that something is built of, or that is gone through whole: measured, and charged for where that means a walk.
    pub(crate) fn weigh(&mut self, term: Term, span: Span) -> Outcome {
        if term.is_measured() {
            return Ok(term);
        }
        let term = term.measured();
        self.charge(u64::from(term.shape().weight.min(Shape::WEIGHT_MAX) / 16), span)?;
        Ok(term)
    }

    /// Takes `steps` off what is left.
    pub(crate) fn charge(&mut self, steps: u64, span: Span) -> Outcome<()> {
        match self.steps_left.checked_sub(steps) {
            Some(left) => {
                let poll = left / POLL_STEPS != self.steps_left / POLL_STEPS;
                self.steps_left = left;
                if poll { self.poll(span) } else { Ok(()) }
            }
            None => {
                self.steps_left = 0;
                Err(self.limit(span, "the step limit was reached here"))
            }
        }
    }

    /// Stops if someone wants it to.
    fn poll(&self, span: Span) -> Outcome<()> {
        match &self.effects {
            Some(effects) if effects.interrupted() => Err(self.limit(span, "interrupted here")),
            _ => Ok(()),
        }
    }

    /// Lets a new term through unless it is too deep or too large.
    pub(crate) fn admit(&mut self, term: Term, span: Span) -> Outcome {
        // What is not measured is no new term.
        if !term.is_measured() || term.shape().fits() {
            return Ok(term);
        }
        self.charge(u64::from(Shape::WEIGHT_MAX) / 8, span)?;
        let term = term.measured();
        let shape = term.shape();
        if shape.fits() {
            return Ok(term);
        }
        let problem = if shape.weight > Shape::WEIGHT_MAX && shape.depth <= Shape::DEPTH_MAX {
            Problem::new(format!("this value has more than {} parts", Shape::WEIGHT_MAX))
        } else {
            Problem::new(format!("this value is too large or nests more than {} levels deep", Shape::DEPTH_MAX))
        };
        Err(self.place(problem.into(), span))
    }

    pub(crate) fn fault(&self, span: Span, message: impl Into<String>) -> Box<Fault> {
        self.place(Problem::new(message).into(), span)
    }

    fn limit(&self, span: Span, message: impl Into<String>) -> Box<Fault> {
        Box::new(Fault { limit: true, ..*self.fault(span, message) })
    }

    /// Gives the trap its place unless it has one.
    pub(crate) fn place(&self, trap: Trap, span: Span) -> Box<Fault> {
        match trap {
            Trap::Fault(fault) => fault,
            Trap::Problem(Problem { message, hint }) => {
                let source = self.source.clone().unwrap_or_else(|| Source::new("", ""));
                Box::new(Fault { message, hint, source, span, limit: false })
            }
        }
    }
}

/// What going through two terms side by side counts for.
pub(crate) fn comparison_steps(left: &Term, right: &Term) -> u64 {
    let weight = match (left.is_measured(), right.is_measured()) {
        (true, true) => u64::from(left.shape().weight.min(right.shape().weight)),
        (true, false) => u64::from(left.shape().weight),
        (false, true) => u64::from(right.shape().weight),
        (false, false) => match (left, right) {
            (Term::Data(left, _), Term::Data(right, _)) => common_parts(left, right),
            _ => 0,
        },
    };
    weight / 16
}

/// A literal as a value.
pub(crate) fn literal_value(literal: &Literal) -> Value {
    match literal {
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Int(value) => Value::Int(*value),
        Literal::Float(value) => F64::new(*value).map_or(Value::Int(0), Value::Float),
        Literal::Atom(name) => Value::Atom(name.clone()),
        Literal::Text(text) => Value::Text(text.clone()),
        Literal::Bytes(bytes) => Value::Bytes(bytes.clone()),
    }
}

/// "1 argument", "2 arguments".
pub(crate) fn count(n: usize, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {what}{plural}")
}
