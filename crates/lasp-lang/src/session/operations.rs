//! The operations of the language, argument by argument.

use super::derivations;
use super::identity;
use super::world::{Trigger, World};
use crate::fault::{Problem, Trap};
use crate::function::Function;
use crate::help;
use crate::host::{Fault, Host, no_cluster};
use crate::library::type_of;
use crate::machine::{Step, Waiting};
use crate::show::short;
use crate::suggest::nearest;
use crate::term::{Term, Variable};
use lasp_crdt::fingerprint::{hash, mix};
use lasp_dataflow::{Op, Threshold, Type, Value};

/// The longest `sleep` or `read` in milliseconds of virtual time (guess: an hour; a cluster's timers run all the while).
const SLEEP_MS_MAX: i64 = 3_600_000;

pub(super) type Result<T> = std::result::Result<T, Problem>;

impl<H: Host> World<H> {
    /// Performs one operation at `node`.
    pub(super) fn perform(&mut self, node: usize, name: &str, args: &[Term]) -> std::result::Result<Step, Trap> {
        if let Some(view) = self.sql_operation(node, name, args) {
            return view.map(Step::Done);
        }
        Ok(self.act(node, name, args)?)
    }

    fn act(&mut self, node: usize, name: &str, args: &[Term]) -> Result<Step> {
        let done = match name {
            "declare" | "declare_dynamic" => self.declare(node, name, args)?,
            "undeclare" => self.undeclare(node, args)?,
            "update" => self.update(node, args)?,
            "bind" => self.bind(node, args)?,
            "bind_to" => {
                let (into, from) = (variable(args, 0)?, variable(args, 1)?);
                self.host.bind_to(node, into.handle, from.handle)?;
                args[0].clone()
            }
            "query" => self.value(Variable { node, ..variable(args, 0)? })?,
            "read" => {
                let deadline_ms = self.deadline("read", args.get(2))?;
                return self.read(node, &[(variable(args, 0)?, &args[1])], false, deadline_ms);
            }
            "wait_needed" => return self.wait_needed(node, args),
            "read_any" => return self.read_any(node, args),
            name if derivations::is_derivation(name) => self.derive(node, name, args)?,
            "invariant" => self.invariant(node, args)?,
            "enforce_once" => self.enforce_once(node, args)?,
            "stream" => self.stream(node, args)?,
            "interested" | "disinterested" => self.interest(node, name == "interested", args)?,
            "print" => {
                self.print(node, &args[0])?;
                Term::ok()
            }
            "partition" | "heal" | "crash" | "restart" if self.host.nodes() == 0 => return Err(no_cluster(name)),
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

    fn declare(&mut self, node: usize, how: &str, args: &[Term]) -> Result<Term> {
        let ty = type_of(&args[args.len() - 1]).map_err(Problem::new)?;
        let name = match args {
            [Term::Data(Value::Atom(name) | Value::Text(name), _), _] => Some(&**name),
            [other, _] => {
                return Err(Problem::new(format!("a variable's name is an atom or a text, found {}", short(other))));
            }
            _ => None,
        };
        let handle = match how {
            "declare" => self.host.declare(node, name, &ty)?,
            _ => self.host.declare_dynamic(node, name, &ty)?,
        };
        if let Some(name) = name {
            self.views.declared(name, handle);
        }
        Ok(Term::Variable(Variable { handle, node }))
    }

    fn undeclare(&mut self, node: usize, args: &[Term]) -> Result<Term> {
        let gone = variable(args, 0)?;
        self.host.undeclare(node, gone.handle)?;
        Ok(Term::ok())
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

    fn read(&mut self, node: usize, waits: &[(Variable, &Term)], any: bool, deadline_ms: Option<u64>) -> Result<Step> {
        let mut asked = Vec::new();
        for (variable, threshold) in waits {
            let variable = Variable { node, ..*variable };
            let threshold = self.threshold(variable, threshold)?;
            asked.push((self.host.wait(node, variable.handle, threshold)?, variable));
        }
        // A threshold that is met already is reported at once: then nothing waits.
        let waiting = Waiting::Thresholds { waits: asked, any, deadline_ms };
        self.first_met(waiting)
    }

    /// With an action it is set up and done; without one it waits.
    fn wait_needed(&mut self, node: usize, args: &[Term]) -> Result<Step> {
        let wanted = Variable { node, ..variable(args, 0)? };
        let threshold = self.threshold(wanted, &args[1])?;
        if args.len() == 2 {
            let asked = vec![(self.host.wait_needed(node, wanted.handle, threshold)?, wanted)];
            return self.first_met(Waiting::Thresholds { waits: asked, any: true, deadline_ms: None });
        }
        let function = action("wait_needed", args, 2, 0)?;
        let id = self.host.wait_needed(node, wanted.handle, threshold)?;
        self.triggers.insert(id, Trigger { node, function, identity: None });
        Ok(Step::Done(Term::ok()))
    }

    /// When a wait of so many milliseconds from now is over.
    fn deadline(&self, name: &str, ms: Option<&Term>) -> Result<Option<u64>> {
        ms.map(|ms| Ok(self.host.now_ms() + milliseconds(name, ms)?)).transpose()
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
        let deadline_ms = self.deadline("read_any", args.get(1))?;
        self.read(node, &waits, true, deadline_ms)
    }

    pub(super) fn threshold(&self, variable: Variable, form: &Term) -> Result<Threshold> {
        let ty = self.host.type_of(variable.handle);
        let form = value(form)?;
        Threshold::from_value(&ty, &form).map_err(Problem::worded)
    }

    fn sleep_for(&self, args: &[Term]) -> Result<Step> {
        Ok(Step::Wait(Waiting::Until(self.host.now_ms() + milliseconds("sleep", &args[0])?)))
    }

    // ---- actions ----

    fn invariant(&mut self, node: usize, args: &[Term]) -> Result<Term> {
        let watched = variable(args, 0)?;
        let threshold = self.threshold(watched, &args[1])?;
        let function = action("invariant", args, 2, 0)?;
        let identity = self.trigger_identity(node as u64, watched, &args[1], &function)?;
        if self.identities.before.contains(&identity) {
            return Ok(Term::ok());
        }
        let id = self.host.wait(node, watched.handle, threshold)?;
        self.triggers.insert(id, Trigger { node, function, identity: Some(identity) });
        Ok(Term::ok())
    }

    fn enforce_once(&mut self, node: usize, args: &[Term]) -> Result<Term> {
        let watched = variable(args, 0)?;
        let threshold = self.threshold(watched, &args[1])?;
        let function = action("enforce_once", args, 2, 0)?;
        let identity = self.trigger_identity(0, watched, &args[1], &function)?;
        let id = self.host.enforce_once(node, watched.handle, threshold, identity)?;
        self.triggers.insert(id, Trigger { node, function, identity: None });
        Ok(Term::ok())
    }

    /// What a trigger is known by: `scope` is the node it belongs to, or 0 where it belongs to all.
    fn trigger_identity(&mut self, scope: u64, watched: Variable, form: &Term, function: &Function) -> Result<u64> {
        let variable = |handle| self.host.identity_of(handle);
        let action = identity::of_function(function, &variable);
        let condition = mix(variable(watched.handle), hash(&value(form)?));
        Ok(self.identities.distinguish(mix(scope, mix(condition, action)), function))
    }

    fn stream(&mut self, node: usize, args: &[Term]) -> Result<Term> {
        let watched = variable(args, 0)?;
        let function = action("stream", args, 1, 1)?;
        let id = self.host.watch(node, watched.handle)?;
        self.triggers.insert(id, Trigger { node, function, identity: None });
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
            [] => help::overview(),
            [Term::Variable(variable)] => help::about_type(&self.host.type_of(variable.handle)),
            [term] => help_on(term)?,
            _ => return Err(Problem::new("`help` takes one thing")),
        };
        self.print(node, &Term::scalar(text))?;
        Ok(Term::ok())
    }
}

// ---- arguments ----

fn milliseconds(name: &str, term: &Term) -> Result<u64> {
    match term.as_int() {
        Some(ms @ 0..=SLEEP_MS_MAX) => Ok(ms as u64),
        _ => {
            let found = short(term);
            Err(Problem::new(format!("`{name}` takes milliseconds from 0 to {SLEEP_MS_MAX}, found {found}")))
        }
    }
}

pub(super) fn variable(args: &[Term], position: usize) -> Result<Variable> {
    match &args[position] {
        Term::Variable(variable) => Ok(*variable),
        other => Err(not_a_variable(other)),
    }
}

pub(super) fn not_a_variable(found: &Term) -> Problem {
    Problem::new(format!("expected a declared variable, found {} {}", found.kind(), short(found)))
        .hint("`V = declare(Type)` gives one")
}

pub(super) fn value(term: &Term) -> Result<Value> {
    term.to_value().map_err(|odd| {
        let problem = Problem::new(format!("{} is no value and cannot stand here", odd.kind()));
        match odd {
            Term::Variable(_) => problem.hint("use `query(V)` for the variable's current value"),
            _ => problem,
        }
    })
}

pub(super) fn with_arity(name: &str, term: &Term, arity: usize) -> Result<Function> {
    let Term::Function(function) = term else {
        return Err(Problem::new(format!("`{name}` takes a function, found {} {}", term.kind(), short(term))));
    };
    if function.arity() == arity {
        return Ok(function.clone());
    }
    let wanted = crate::machine::count(arity, "argument");
    Err(Problem::new(format!("`{name}` takes a function of {wanted}, this one has {}", function.arity())))
}

fn action(name: &str, args: &[Term], position: usize, arity: usize) -> Result<Function> {
    with_arity(name, &args[position], arity)
}

fn unavailable(name: &str) -> Problem {
    Problem::new(format!("`{name}` is not available in this version"))
}

// ---- help ----

/// The nearest operation of the type, or nothing.
pub(crate) fn operation_hint(ty: &Type, form: &Value) -> Option<String> {
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
    ty.catalogue().iter().map(|op| operation_name(op.form))
}

/// The name of an operation that is written so.
pub(crate) fn operation_name(form: &str) -> &str {
    form.trim_start_matches('{').split([',', '}']).next().unwrap_or(form)
}

/// What is known of a topic: a name, or a type with its parameters.
fn help_on(term: &Term) -> Result<String> {
    match term {
        Term::Data(Value::Atom(name) | Value::Text(name), _) => help::topic(name).map_err(Problem::new),
        Term::Function(Function::Builtin(builtin, _)) => Ok(help::about_call(&builtin.signature)),
        other => Ok(help::about_type(&type_of(other).map_err(Problem::new)?)),
    }
}
