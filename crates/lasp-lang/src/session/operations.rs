//! The operations of the language, argument by argument.

use super::world::{Trigger, World};
use crate::fault::Problem;
use crate::function::Function;
use crate::host::{Fault, Host};
use crate::library::{self, type_of};
use crate::machine::{Step, Waiting};
use crate::show::{short, type_name};
use crate::signature;
use crate::suggest::nearest;
use crate::term::{Term, Variable};
use lasp_dataflow::{Aggregate, Op, Operator, Threshold, Type, Value};
use std::sync::Arc;

/// The longest `sleep` in virtual milliseconds (guess: an hour; a cluster's timers run all the while).
const SLEEP_MS_MAX: i64 = 3_600_000;

type Result<T> = std::result::Result<T, Problem>;

impl<H: Host> World<H> {
    /// Performs one operation at `node`.
    pub(super) fn perform(&mut self, node: usize, name: &str, args: &[Term]) -> Result<Step> {
        let done = match name {
            "declare" => self.declare(node, args)?,
            "update" => self.update(node, args)?,
            "bind" => self.bind(node, args)?,
            "bind_to" => {
                let (into, from) = (variable(args, 0)?, variable(args, 1)?);
                self.host.bind_to(node, into.handle, from.handle)?;
                args[0].clone()
            }
            "query" => self.value(Variable { node, ..variable(args, 0)? })?,
            "read" => return self.read(node, &[(variable(args, 0)?, &args[1])], false),
            "read_any" => return self.read_any(node, args),
            "map" | "filter" | "flat_map" | "union" | "intersection" | "product" | "join" | "fold" => {
                self.derive(node, name, args)?
            }
            "invariant" => self.invariant(node, args)?,
            "stream" => self.stream(node, args)?,
            "interested" | "disinterested" => self.interest(node, name == "interested", args)?,
            "print" => {
                self.print(node, &args[0])?;
                Term::ok()
            }
            "partition" => self.partition(args)?,
            "heal" => self.fault(&Fault::Heal)?,
            "crash" => {
                let crashed = self.node_number(&args[0])?;
                self.patterns.remove(&crashed);
                self.fault(&Fault::Crash(crashed))?
            }
            "restart" => {
                let restarted = self.node_number(&args[0])?;
                self.fault(&Fault::Restart(restarted))?
            }
            "settle" => return Ok(Step::Wait(Waiting::Settle)),
            "sleep" => return self.sleep_for(args),
            "help" => self.help(node, args)?,
            _ => return Err(unavailable(name)),
        };
        Ok(Step::Done(done))
    }

    fn declare(&mut self, node: usize, args: &[Term]) -> Result<Term> {
        let ty = type_of(&args[args.len() - 1]).map_err(Problem::new)?;
        let name = match args {
            [Term::Data(Value::Atom(name) | Value::Text(name), _), _] => Some(&**name),
            [other, _] => {
                return Err(Problem::new(format!("a variable's name is an atom or a text, found {}", short(other))));
            }
            _ => None,
        };
        let handle = self.host.declare(node, name, &ty)?;
        Ok(Term::Variable(Variable { handle, node }))
    }

    fn update(&mut self, node: usize, args: &[Term]) -> Result<Term> {
        let target = variable(args, 0)?;
        let ty = self.host.type_of(target.handle);
        let form = value(&args[1])?;
        let op = Op::from_value(&ty, &form).map_err(|error| {
            let problem = Problem::worded(error);
            match operation_hint(&ty, &form) {
                Some(near) => Problem { hint: Some(near), message: problem.message },
                None => problem,
            }
        })?;
        self.host.update(node, target.handle, &op)?;
        Ok(Term::Variable(Variable { node, ..target }))
    }

    fn bind(&mut self, node: usize, args: &[Term]) -> Result<Term> {
        let target = variable(args, 0)?;
        if let Term::Variable(_) = args[1] {
            return Err(Problem::new("`bind` takes a value").hint("`bind_to(V, W)` joins another variable"));
        }
        self.host.bind(node, target.handle, &value(&args[1])?)?;
        Ok(Term::Variable(Variable { node, ..target }))
    }

    // ---- waiting ----

    fn read(&mut self, node: usize, waits: &[(Variable, &Term)], any: bool) -> Result<Step> {
        let mut asked = Vec::new();
        for (variable, threshold) in waits {
            let variable = Variable { node, ..*variable };
            let threshold = self.threshold(variable, threshold)?;
            asked.push((self.host.wait(node, variable.handle, threshold)?, variable));
        }
        // A threshold that is met already is reported at once: then nothing waits.
        let waiting = Waiting::Thresholds { waits: asked, any };
        self.first_met(waiting)
    }

    fn read_any(&mut self, node: usize, args: &[Term]) -> Result<Step> {
        let pairs = args[0].as_list().unwrap_or_default();
        let mut waits = Vec::new();
        for pair in &pairs {
            match pair.as_tuple().as_deref() {
                Some([Term::Variable(variable), threshold]) => waits.push((*variable, threshold.clone())),
                _ => {
                    return Err(Problem::new(format!(
                        "`read_any` takes pairs {{V, Threshold}}, found {}",
                        short(pair)
                    )));
                }
            }
        }
        if waits.is_empty() {
            return Err(Problem::new("`read_any` takes a list of pairs {V, Threshold}, at least one"));
        }
        let waits: Vec<(Variable, &Term)> = waits.iter().map(|(v, t)| (*v, t)).collect();
        self.read(node, &waits, true)
    }

    fn threshold(&self, variable: Variable, form: &Term) -> Result<Threshold> {
        let ty = self.host.type_of(variable.handle);
        let form = value(form)?;
        Threshold::from_value(&ty, &form).map_err(Problem::worded)
    }

    fn sleep_for(&self, args: &[Term]) -> Result<Step> {
        match args[0].as_int() {
            Some(ms @ 0..=SLEEP_MS_MAX) => Ok(Step::Wait(Waiting::Until(self.host.now_ms() + ms as u64))),
            _ => Err(Problem::new(format!(
                "`sleep` takes milliseconds from 0 to {SLEEP_MS_MAX}, found {}",
                short(&args[0])
            ))),
        }
    }

    // ---- derivations ----

    fn derive(&mut self, node: usize, name: &str, args: &[Term]) -> Result<Term> {
        let one = |operator: Operator| -> Result<_> { Ok((operator, vec![variable(args, 0)?], args.get(2))) };
        let two = |operator: Operator| -> Result<_> {
            Ok((operator, vec![variable(args, 0)?, variable(args, 1)?], args.get(2)))
        };
        let (operator, inputs, into) = match name {
            "map" => one(Operator::Map(pure(name, args, 1, 1)?))?,
            "filter" => one(Operator::Filter(pure(name, args, 1, 1)?))?,
            "flat_map" => one(Operator::FlatMap(pure(name, args, 1, 1)?))?,
            "union" => two(Operator::Union)?,
            "intersection" => two(Operator::Intersection)?,
            "product" => two(Operator::Product)?,
            "join" => {
                let operator = Operator::Join { left_key: pure(name, args, 1, 1)?, right_key: pure(name, args, 3, 1)? };
                (operator, vec![variable(args, 0)?, variable(args, 2)?], args.get(4))
            }
            _ => one(Operator::Fold(aggregate(&args[1])?))?,
        };
        for input in &inputs {
            self.must_be_set(name, *input)?;
        }
        let into = match into {
            None => None,
            Some(Term::Variable(into)) => {
                self.must_be_set(name, *into)?;
                Some(into.handle)
            }
            Some(other) => return Err(not_a_variable(other)),
        };
        let inputs: Vec<_> = inputs.iter().map(|input| input.handle).collect();
        let handle = self.host.derive(node, operator, &inputs, into)?;
        self.derived_by(handle, args);
        for &input in &inputs {
            self.unread.remove(&(node, input));
        }
        if into.is_none() {
            self.unread.insert((node, handle));
        }
        if name == "fold" {
            self.folds.insert(handle);
        }
        Ok(Term::Variable(Variable { handle, node }))
    }

    fn must_be_set(&self, name: &str, variable: Variable) -> Result<()> {
        let ty = self.host.type_of(variable.handle);
        if ty.is_set() {
            return Ok(());
        }
        Err(Problem::new(format!("`{name}` goes from sets to sets, found a variable of type {}", type_name(&ty))))
    }

    // ---- actions ----

    fn invariant(&mut self, node: usize, args: &[Term]) -> Result<Term> {
        let watched = variable(args, 0)?;
        let threshold = self.threshold(watched, &args[1])?;
        let function = action("invariant", args, 2, 0)?;
        let id = self.host.wait(node, watched.handle, threshold)?;
        self.triggers.insert(id, Trigger { node, function });
        Ok(Term::ok())
    }

    fn stream(&mut self, node: usize, args: &[Term]) -> Result<Term> {
        let watched = variable(args, 0)?;
        let function = action("stream", args, 1, 1)?;
        let id = self.host.watch(node, watched.handle)?;
        self.triggers.insert(id, Trigger { node, function });
        Ok(Term::ok())
    }

    // ---- the cluster ----

    fn interest(&mut self, node: usize, interested: bool, args: &[Term]) -> Result<Term> {
        let pattern = match &args[0] {
            Term::Data(Value::Text(text) | Value::Atom(text), _) => text.to_string(),
            other => {
                return Err(Problem::new(format!("a pattern is a text such as \"ads/*\", found {}", short(other))));
            }
        };
        let stem = pattern.strip_suffix('*').unwrap_or(&pattern);
        if pattern.is_empty() || stem.contains('*') {
            return Err(Problem::new(format!("{pattern:?} is no pattern"))
                .hint("a pattern is a name, or the beginning of names with a `*` at its end"));
        }
        let mut patterns = self.patterns.get(&node).cloned().unwrap_or_default();
        if interested {
            patterns.insert(pattern);
        } else if !patterns.remove(&pattern) {
            return Err(Problem::new(format!("node {node} has not said that it is interested in {pattern:?}")));
        }
        let list: Vec<String> = patterns.iter().cloned().collect();
        self.host.interests(node, if patterns.contains("*") { None } else { Some(&list) })?;
        self.patterns.insert(node, patterns);
        Ok(Term::ok())
    }

    fn fault(&mut self, fault: &Fault) -> Result<Term> {
        self.host.fault(fault)?;
        Ok(Term::ok())
    }

    fn partition(&mut self, args: &[Term]) -> Result<Term> {
        let mut groups = Vec::new();
        let mut seen = Vec::new();
        for arg in args {
            let nodes = arg
                .as_list()
                .ok_or_else(|| Problem::new(format!("a group is a list of nodes, found {}", short(arg))))?;
            let group = nodes.iter().map(|node| self.node_number(node)).collect::<Result<Vec<_>>>()?;
            if let Some(twice) = group.iter().find(|node| seen.contains(*node)) {
                return Err(Problem::new(format!("node {twice} is in two groups")));
            }
            seen.extend(group.iter().copied());
            groups.push(group);
        }
        self.fault(&Fault::Partition(groups))
    }

    fn node_number(&self, term: &Term) -> Result<usize> {
        let nodes = self.host.nodes();
        let number = term.as_int().and_then(|n| usize::try_from(n).ok()).filter(|n| (1..=nodes).contains(n));
        number.ok_or_else(|| {
            Problem::new(format!("there is no node {}", short(term)))
                .hint(format!("nodes are 1 to {nodes}; `lasp run --nodes N` sets how many there are"))
        })
    }

    fn help(&mut self, node: usize, args: &[Term]) -> Result<Term> {
        let text = match args {
            [] => overview(),
            [term] => help_on(term)?,
            _ => return Err(Problem::new("`help` takes one thing")),
        };
        self.print(node, &Term::scalar(text))?;
        Ok(Term::ok())
    }
}

// ---- arguments ----

fn variable(args: &[Term], position: usize) -> Result<Variable> {
    match &args[position] {
        Term::Variable(variable) => Ok(*variable),
        other => Err(not_a_variable(other)),
    }
}

fn not_a_variable(found: &Term) -> Problem {
    Problem::new(format!("expected a declared variable, found {} {}", found.kind(), short(found)))
        .hint("`V = declare(Type)` gives one")
}

fn value(term: &Term) -> Result<Value> {
    term.to_value().map_err(|odd| {
        let problem = Problem::new(format!("{} is no value and cannot stand here", odd.kind()));
        match odd {
            Term::Variable(_) => problem.hint("use `query(V)` for the variable's current value"),
            _ => problem,
        }
    })
}

fn with_arity(name: &str, term: &Term, arity: usize) -> Result<Function> {
    let Term::Function(function) = term else {
        return Err(Problem::new(format!("`{name}` takes a function, found {} {}", term.kind(), short(term))));
    };
    if function.arity() == arity {
        return Ok(function.clone());
    }
    let wanted = crate::machine::count(arity, "argument");
    Err(Problem::new(format!("`{name}` takes a function of {wanted}, this one has {}", function.arity())))
}

fn pure(name: &str, args: &[Term], position: usize, arity: usize) -> Result<lasp_dataflow::Function> {
    let function = with_arity(name, &args[position], arity)?;
    pure_function(name, function)
}

fn pure_function(name: &str, function: Function) -> Result<lasp_dataflow::Function> {
    if let Some(effect) = function.effect() {
        return Err(Problem::new(format!("the function of `{name}` must be pure, this one uses `{effect}`")).hint(
            "it runs on every node whenever an element comes or goes; put actions into `stream` or `invariant`",
        ));
    }
    Ok(Arc::new(function))
}

fn action(name: &str, args: &[Term], position: usize, arity: usize) -> Result<Function> {
    with_arity(name, &args[position], arity)
}

fn aggregate(term: &Term) -> Result<Aggregate> {
    if let Some(fields) = term.as_tuple()
        && let [step, init, inverse @ ..] = &fields[..]
        && inverse.len() <= 1
    {
        let step = pure_function("fold", with_arity("fold", step, 2)?)?;
        let inverse = match inverse.first() {
            None => None,
            Some(inverse) => Some(pure_function("fold", with_arity("fold", inverse, 2)?)?),
        };
        return Ok(Aggregate::Custom { step, init: value(init)?, inverse });
    }
    let name = match term {
        Term::Data(Value::Atom(name), _) => &**name,
        _ => "",
    };
    Ok(match name {
        "count" => Aggregate::Count,
        "sum" => Aggregate::Sum,
        "min" => Aggregate::Min,
        "max" => Aggregate::Max,
        "avg" => Aggregate::Avg,
        _ => {
            let near =
                nearest(name, ["count", "sum", "min", "max", "avg"]).map(|near| format!("did you mean `{near}`?"));
            let problem = Problem::new(format!("`fold` cannot aggregate by {}", short(term)));
            let known = "it takes count, sum, min, max, avg, {F, Init} or {F, Init, Inverse}";
            return Err(problem.hint(near.unwrap_or_else(|| known.to_owned())));
        }
    })
}

fn unavailable(name: &str) -> Problem {
    Problem::new(format!("`{name}` is not available in this version"))
}

// ---- help ----

/// The nearest operation of the type, or nothing.
fn operation_hint(ty: &Type, form: &Value) -> Option<String> {
    let asked = match form {
        Value::Atom(name) => name.clone(),
        Value::Tuple(items) => match items.first() {
            Some(Value::Atom(name)) => name.clone(),
            _ => return None,
        },
        _ => return None,
    };
    let near = nearest(&asked, operation_names(ty)).filter(|near| **near != *asked)?;
    Some(format!("did you mean `{near}`?"))
}

/// The names of a type's operations, without their arguments.
pub(crate) fn operation_names(ty: &Type) -> impl Iterator<Item = &'static str> {
    ty.catalogue().iter().map(|op| op.form.trim_start_matches('{').split([',', '}']).next().unwrap_or(op.form))
}

fn overview() -> String {
    let mut text = String::from("Operations:\n");
    for operation in signature::OPERATIONS {
        text += &format!("  {:<44} {}\n", operation.form, operation.does);
    }
    text += "Functions: ";
    text += &library::all().map(|builtin| builtin.signature.name).collect::<Vec<_>>().join(", ");
    text += "\nTypes: ";
    text += &Type::names().collect::<Vec<_>>().join(", ");
    text
}

fn help_on(term: &Term) -> Result<String> {
    if let Term::Data(Value::Atom(name) | Value::Text(name), _) = term
        && let Some(found) = signature::find(name)
        && Type::names().all(|ty| ty != &**name)
    {
        return Ok(format!("{}\n  {}", found.form, found.does));
    }
    let name = match term {
        Term::Data(Value::Text(name), _) => Term::atom(name),
        other => other.clone(),
    };
    // Types with parameters are shown by their name alone, too.
    let ty = match &name {
        Term::Data(Value::Atom(name), _) if &**name == "gmap" => Type::GMap(Box::new(Type::AwSet)),
        Term::Data(Value::Atom(name), _) if &**name == "awmap" => Type::AwMap(Box::new(Type::AwSet)),
        Term::Data(Value::Atom(name), _) if &**name == "pair" => {
            Type::Pair(Box::new(Type::AwSet), Box::new(Type::AwSet))
        }
        other => type_of(other).map_err(Problem::new)?,
    };
    let mut text = format!("{}: update(V, Op) with Op one of", show_name(term, &ty));
    let width = ty.catalogue().iter().map(|op| op.form.len()).max().unwrap_or(0);
    for op in ty.catalogue() {
        text += &format!("\n  {:<width$}  {}", op.form, op.does);
    }
    Ok(text)
}

fn show_name(term: &Term, ty: &Type) -> String {
    match term {
        Term::Data(Value::Atom(name) | Value::Text(name), _) => name.to_string(),
        _ => type_name(ty),
    }
}
