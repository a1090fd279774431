//! Building lists and maps, choosing, and going through collections.

use super::{Machine, Outcome};
use crate::ast::{Clause, Collection, Expr, MapEntry, Pattern, Produced, Qualifier};
use crate::env::Env;
use crate::fault::Problem;
use crate::show::short;
use crate::source::Span;
use crate::term::Term;
use lasp_dataflow::Value;
use std::collections::BTreeMap;

/// What a comprehension has gathered.
enum Gathered {
    List(Vec<Term>),
    Map(BTreeMap<Value, Term>),
}

impl Machine<'_> {
    pub(super) fn list(&mut self, items: &[Expr], tail: Option<&Expr>, span: Span, env: &mut Env) -> Outcome {
        let mut elements = self.parts(items, env)?;
        if let Some(tail) = tail {
            let rest = self.part(tail, env)?;
            let Some(rest) = rest.as_list() else {
                return Err(self.fault(tail.span, format!("the tail of a list is a list, found {}", short(&rest))));
            };
            self.charge(rest.len() as u64, span)?;
            elements.extend(rest);
        }
        self.admit(Term::list(elements), span)
    }

    pub(super) fn collection(&mut self, kind: Collection, items: &[Expr], span: Span, env: &mut Env) -> Outcome {
        let values = items
            .iter()
            .map(|item| {
                let term = self.part(item, env)?;
                self.value_of(&term, item.span)
            })
            .collect::<Outcome<Vec<Value>>>()?;
        let term = match (kind, Term::set(values)) {
            (Collection::Many, Term::Set(values, shape)) => Term::Many(values, shape),
            (_, set) => set,
        };
        self.admit(term, span)
    }

    /// The term as a value, where only a value will do.
    pub(super) fn value_of(&mut self, term: &Term, span: Span) -> Outcome<Value> {
        term.to_value().map_err(|odd| {
            let problem = Problem::new(format!("{} is no value and cannot stand here", odd.kind()));
            let hint = matches!(odd, Term::Variable(_)).then_some("use `query(V)` for the variable's current value");
            self.place(Problem { hint: hint.map(str::to_owned), ..problem }.into(), span)
        })
    }

    pub(super) fn map(&mut self, base: Option<&Expr>, entries: &[MapEntry], span: Span, env: &mut Env) -> Outcome {
        let mut map = match base {
            None => BTreeMap::new(),
            Some(base) => {
                let term = self.part(base, env)?;
                self.charge(u64::from(term.shape().weight), span)?;
                match term.as_map() {
                    Some(map) => map,
                    None => return Err(self.fault(base.span, format!("{} is no map", short(&term)))),
                }
            }
        };
        for entry in entries {
            let key = self.part(&entry.key, env)?;
            let key = self.value_of(&key, entry.key.span)?;
            let value = self.part(&entry.value, env)?;
            if entry.must_exist && !map.contains_key(&key) {
                return Err(self.fault(entry.key.span, format!("the map has no key {key}; `=>` would add it")));
            }
            map.insert(key, value);
        }
        self.admit(Term::map(map), span)
    }

    pub(super) fn bytes(&mut self, items: &[Expr], env: &mut Env) -> Outcome {
        let mut bytes = Vec::new();
        for item in items {
            match self.eval(item, env)? {
                Term::Data(Value::Bytes(part), _) => bytes.extend_from_slice(&part),
                Term::Data(Value::Text(text), _) => bytes.extend_from_slice(text.as_bytes()),
                Term::Data(Value::Int(byte @ 0..=255), _) => bytes.push(byte as u8),
                other => {
                    let message =
                        format!("bytes are made of texts, bytes and numbers 0 to 255, found {}", short(&other));
                    return Err(self.fault(item.span, message));
                }
            }
        }
        Ok(Term::scalar(Value::bytes(bytes)))
    }

    pub(super) fn case(&mut self, subject: &Expr, clauses: &[Clause], span: Span, env: &mut Env) -> Outcome {
        let value = self.eval(subject, env)?;
        let mark = env.mark();
        for clause in clauses {
            if self.matches(&clause.patterns[0], &value, env)? && self.guard(&clause.guard, env)? {
                return self.body(&clause.body, env);
            }
            env.forget_after(mark);
        }
        Err(self.fault(span, format!("no clause of this `case` matches {}", short(&value))))
    }

    pub(super) fn if_(&mut self, clauses: &[Clause], span: Span, env: &mut Env) -> Outcome {
        for clause in clauses {
            if self.guard(&clause.guard, env)? {
                return self.body(&clause.body, env);
            }
        }
        let problem = Problem::new("no clause of this `if` is true").hint("a last clause `true -> ...` takes the rest");
        Err(self.place(problem.into(), span))
    }

    /// Whether one of the alternatives holds. As in Erlang, a guard that fails is false; a limit is still a limit.
    pub(super) fn guard(&mut self, alternatives: &[Vec<Expr>], env: &mut Env) -> Outcome<bool> {
        if alternatives.is_empty() {
            return Ok(true);
        }
        let mark = env.mark();
        for all in alternatives {
            let holds = self.all_true(all, env);
            env.forget_after(mark);
            if holds? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn all_true(&mut self, conditions: &[Expr], env: &mut Env) -> Outcome<bool> {
        for condition in conditions {
            match self.eval(condition, env) {
                Ok(term) if term.as_bool() == Some(true) => {}
                Ok(_) => return Ok(false),
                Err(fault) if fault.limit => return Err(fault),
                Err(_) => return Ok(false),
            }
        }
        Ok(true)
    }

    // ---- comprehensions ----

    pub(super) fn comprehension(
        &mut self,
        produced: &Produced,
        qualifiers: &[Qualifier],
        span: Span,
        env: &mut Env,
    ) -> Outcome {
        let mut gathered = match produced {
            Produced::Element(_) => Gathered::List(Vec::new()),
            Produced::Entry(..) => Gathered::Map(BTreeMap::new()),
        };
        let mark = env.mark();
        let result = self.generate(produced, qualifiers, &mut gathered, env);
        env.forget_after(mark);
        result?;
        let term = match gathered {
            Gathered::List(items) => Term::list(items),
            Gathered::Map(entries) => Term::map(entries),
        };
        self.admit(term, span)
    }

    fn generate(
        &mut self,
        produced: &Produced,
        qualifiers: &[Qualifier],
        gathered: &mut Gathered,
        env: &mut Env,
    ) -> Outcome<()> {
        let Some((first, later)) = qualifiers.split_first() else {
            return self.produce(produced, gathered, env);
        };
        match first {
            Qualifier::Filter(condition) => {
                let term = self.eval(condition, env)?;
                match term.as_bool() {
                    Some(true) => self.generate(produced, later, gathered, env),
                    Some(false) => Ok(()),
                    None => {
                        Err(self.fault(condition.span, format!("a filter is true or false, found {}", short(&term))))
                    }
                }
            }
            Qualifier::Generate(pattern, list) => {
                let items = self.elements(list, env)?;
                self.each(&[pattern], items.into_iter().map(|item| vec![item]), produced, later, gathered, env)
            }
            Qualifier::GenerateEntries(key, value, map) => {
                let term = self.eval(map, env)?;
                let Some(entries) = term.as_map() else {
                    return Err(self.fault(map.span, format!("`:=` goes through a map, found {}", short(&term))));
                };
                let entries = entries.into_iter().map(|(key, value)| vec![Term::data(key), value]);
                self.each(&[key, value], entries, produced, later, gathered, env)
            }
        }
    }

    fn each(
        &mut self,
        patterns: &[&Pattern],
        items: impl Iterator<Item = Vec<Term>>,
        produced: &Produced,
        later: &[Qualifier],
        gathered: &mut Gathered,
        env: &mut Env,
    ) -> Outcome<()> {
        let mark = env.mark();
        for item in items {
            if self.matches_fresh(patterns, &item, env)? {
                self.generate(produced, later, gathered, env)?;
            }
            env.forget_after(mark);
        }
        Ok(())
    }

    fn elements(&mut self, list: &Expr, env: &mut Env) -> Outcome<Vec<Term>> {
        let term = self.eval(list, env)?;
        term.as_list().ok_or_else(|| {
            let problem =
                Problem::new(format!("`<-` goes through a list or set, found {} {}", term.kind(), short(&term)));
            let problem = match &term {
                Term::Variable(_) => problem.hint("use `query(V)` for the variable's current value"),
                _ if term.is_map() => problem.hint("the entries of a map: `K := V <- Map`"),
                _ => problem,
            };
            self.place(problem.into(), list.span)
        })
    }

    fn produce(&mut self, produced: &Produced, gathered: &mut Gathered, env: &mut Env) -> Outcome<()> {
        match (produced, gathered) {
            (Produced::Element(element), Gathered::List(items)) => items.push(self.part(element, env)?),
            (Produced::Entry(key, value), Gathered::Map(entries)) => {
                let found = self.part(key, env)?;
                let found = self.value_of(&found, key.span)?;
                entries.insert(found, self.part(value, env)?);
            }
            _ => {}
        }
        Ok(())
    }
}
