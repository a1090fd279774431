//! When two functions are known to compute the same: a text of the compiled form, in which variables are places and
//! nothing tells where it stood, with the terms that it captured.

use crate::function::{Closure, Function};
use crate::term::{Mixed, Term};
use std::fmt::Write;

/// The longest text (guess): beyond, comparing texts costs more than a shared derivation saves.
const BYTES_MAX: usize = 64 << 10;

/// A text that only functions share which give the same for the same arguments. `None` where that is not known.
pub(crate) fn of_function(function: &Function) -> Option<String> {
    let mut text = String::new();
    write_function(function, &mut text)?;
    Some(text)
}

fn write_function(function: &Function, out: &mut String) -> Option<()> {
    match function {
        Function::Builtin(..) => write!(out, "{function}").ok(),
        Function::Closure(closure) => write_closure(closure, out),
    }
}

fn write_closure(closure: &Closure, out: &mut String) -> Option<()> {
    let code = format!("{:?}", closure.code()?);
    *out += &code;
    for (position, (_, term)) in closure.captured.iter().enumerate() {
        // A name that the function only hides makes no difference.
        if code.contains(&format!("Captured({position})")) {
            write!(out, ", {position} is ").ok()?;
            write_term(term, out)?;
        }
    }
    (out.len() <= BYTES_MAX).then_some(())
}

fn write_term(term: &Term, out: &mut String) -> Option<()> {
    if !term.is_measured() || term.shape().weight as usize > BYTES_MAX {
        return None;
    }
    match term {
        Term::Data(..) | Term::Set(..) | Term::Many(..) | Term::Graph(..) => write!(out, "{term}").ok(),
        Term::Function(function) => write_function(function, out),
        Term::Type(_) => write!(out, "type {term}").ok(),
        Term::Mixed(mixed, _) => match &**mixed {
            Mixed::Tuple(items) => write_all("{", items, out),
            Mixed::List(items) => write_all("[", items, out),
            Mixed::Map(entries) => {
                out.push('#');
                entries.iter().try_for_each(|(key, value)| {
                    write!(out, "{key} => ").ok()?;
                    write_term(value, out)
                })
            }
        },
        // What it stands for depends on the host.
        Term::Variable(_) => None,
    }
}

fn write_all(open: &str, items: &[Term], out: &mut String) -> Option<()> {
    out.push_str(open);
    for item in items {
        write_term(item, out)?;
        out.push(';');
    }
    out.push_str(open);
    Some(())
}
