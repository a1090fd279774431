//! Patterns against terms.

use super::{Machine, Outcome, literal_value};
use crate::ast::{Pattern, PatternKind};
use crate::env::Env;
use crate::term::Term;
use std::sync::Arc;

impl Machine<'_> {
    /// Whether `term` matches; binds the pattern's variables if so, and leaves `env` unchanged if not.
    pub(super) fn matches(&mut self, pattern: &Pattern, term: &Term, env: &mut Env) -> Outcome<bool> {
        let mark = env.mark();
        let matched = self.bind(pattern, term, 0, env)?;
        if !matched {
            env.forget_after(mark);
        }
        Ok(matched)
    }

    /// As [`Self::matches`] for parameters, which hide the variables around the function.
    pub(super) fn matches_params(&mut self, patterns: &[Pattern], args: &[Term], env: &mut Env) -> Outcome<bool> {
        let outside = env.mark();
        self.bind_all(patterns, args, outside, env)
    }

    /// As [`Self::matches`] for the patterns of generators, which hide what is around the comprehension.
    pub(super) fn matches_fresh(&mut self, patterns: &[&Pattern], terms: &[Term], env: &mut Env) -> Outcome<bool> {
        let outside = env.mark();
        for (pattern, term) in patterns.iter().zip(terms) {
            if !self.bind(pattern, term, outside, env)? {
                env.forget_after(outside);
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn bind_all(&mut self, patterns: &[Pattern], terms: &[Term], outside: usize, env: &mut Env) -> Outcome<bool> {
        for (pattern, term) in patterns.iter().zip(terms) {
            if !self.bind(pattern, term, outside, env)? {
                return Ok(false);
            }
        }
        Ok(patterns.len() == terms.len())
    }

    /// Binds against what is bound from `outside` on.
    fn bind(&mut self, pattern: &Pattern, term: &Term, outside: usize, env: &mut Env) -> Outcome<bool> {
        self.charge(1, pattern.span)?;
        match &pattern.kind {
            PatternKind::Any => Ok(true),
            PatternKind::Variable(name) => match env.get_after(outside, name) {
                Some(bound) => {
                    self.charge_comparison(bound, term, pattern.span)?;
                    Ok(bound.same(term))
                }
                None => {
                    env.bind(name.clone(), term.clone());
                    Ok(true)
                }
            },
            PatternKind::Literal(literal) => {
                Ok(matches!(term, Term::Data(value, _) if *value == literal_value(literal)))
            }
            PatternKind::Tuple(patterns) => match term.as_tuple() {
                Some(fields) if fields.len() == patterns.len() => self.bind_all(patterns, &fields, outside, env),
                _ => Ok(false),
            },
            PatternKind::List { items, tail } => self.bind_list(items, tail.as_deref(), term, outside, env),
            PatternKind::Map(entries) => {
                for (key, value) in entries {
                    let key = self.eval(key, env)?.to_value().ok();
                    let Some(found) = key.and_then(|key| term.map_get(&key)) else {
                        return Ok(false);
                    };
                    if !self.bind(value, &found, outside, env)? {
                        return Ok(false);
                    }
                }
                Ok(term.is_map())
            }
            PatternKind::TextPrefix(prefix, rest) => match term.as_text().and_then(|text| text.strip_prefix(&**prefix))
            {
                Some(after) => {
                    let after: Arc<str> = after.into();
                    self.bind(rest, &Term::scalar(lasp_dataflow::Value::Text(after)), outside, env)
                }
                None => Ok(false),
            },
            PatternKind::Both(left, right) => {
                Ok(self.bind(left, term, outside, env)? && self.bind(right, term, outside, env)?)
            }
        }
    }

    fn bind_list(
        &mut self,
        items: &[Pattern],
        tail: Option<&Pattern>,
        term: &Term,
        outside: usize,
        env: &mut Env,
    ) -> Outcome<bool> {
        let Some(len) = term.list_len() else {
            return Ok(false);
        };
        if len < items.len() || (tail.is_none() && len > items.len()) {
            return Ok(false);
        }
        for (index, item) in items.iter().enumerate() {
            let element = term.list_get(index).expect("it has so many");
            if !self.bind(item, &element, outside, env)? {
                return Ok(false);
            }
        }
        let Some(tail) = tail else {
            return Ok(true);
        };
        self.charge((len - items.len()) as u64, tail.span)?;
        let rest = term.list_tail(items.len()).expect("it has so many");
        self.bind(tail, &rest, outside, env)
    }
}
