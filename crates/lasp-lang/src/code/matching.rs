//! Patterns of compiled code against cells.

use super::cell::Cell;
use super::run::Run;
use super::{Pat, Result};
use crate::term::{Shape, Term};
use lasp_dataflow::Value;
use std::sync::Arc;

impl<'a> Run<'a, '_, '_> {
    /// Whether `value` matches, as [`Self::matches`] for what is borrowed. The frequent patterns are here.
    pub(super) fn matches_borrowed(&mut self, pattern: &'a Pat, value: &'a Value, shape: Shape) -> Result<bool> {
        match pattern {
            Pat::Any => Ok(true),
            Pat::Bind(slot) => {
                self.frame[*slot] = Cell::Borrowed(value, shape);
                Ok(true)
            }
            Pat::Tuple(patterns) => match value {
                Value::Tuple(fields) if fields.len() == patterns.len() => {
                    for (pattern, field) in patterns.iter().zip(fields.iter()) {
                        let matched = match pattern {
                            Pat::Any => true,
                            Pat::Bind(slot) => {
                                self.frame[*slot] = Cell::part(field, shape);
                                true
                            }
                            other => self.matches_borrowed(other, field, shape.of_part(field))?,
                        };
                        if !matched {
                            return Ok(false);
                        }
                    }
                    Ok(true)
                }
                _ => Ok(false),
            },
            Pat::Literal(literal) => Ok(*value == literal.0),
            other => self.matches(other, &Cell::Borrowed(value, shape)),
        }
    }

    /// Whether `cell` matches; binds the variables of the pattern as it goes.
    pub(super) fn matches(&mut self, pattern: &'a Pat, cell: &Cell<'a>) -> Result<bool> {
        match pattern {
            Pat::Any => Ok(true),
            Pat::Bind(slot) => {
                self.frame[*slot] = cell.copy();
                Ok(true)
            }
            Pat::Same(place) => {
                let bound = self.read(*place);
                self.pay_comparison(&bound, cell)?;
                Ok(bound.same(cell))
            }
            Pat::Literal(literal) => Ok(cell.data() == Some(&literal.0)),
            Pat::Tuple(patterns) => match cell {
                Cell::Borrowed(value, shape) => self.matches_borrowed(pattern, value, *shape),
                Cell::Own(term) => self.matches_tuple(patterns, term),
            },
            Pat::List(items, tail) => self.matches_list(items, tail.as_deref(), cell),
            Pat::Map(entries) => self.matches_map(entries, cell),
            Pat::Prefix(prefix, rest) => {
                let Some(Value::Text(text)) = cell.data() else {
                    return Ok(false);
                };
                let Some(after) = text.strip_prefix(&**prefix) else {
                    return Ok(false);
                };
                let after = Cell::Own(Term::scalar(Value::Text(Arc::from(after))));
                self.matches(rest, &after)
            }
            Pat::Both(both) => Ok(self.matches(&both[0], cell)? && self.matches(&both[1], cell)?),
        }
    }

    fn matches_tuple(&mut self, patterns: &'a [Pat], term: &Term) -> Result<bool> {
        if term.tuple_len() != Some(patterns.len()) {
            return Ok(false);
        }
        for (index, pattern) in patterns.iter().enumerate() {
            let field = term.tuple_get(index).expect("it has so many");
            if !self.matches(pattern, &Cell::Own(field))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn matches_list(&mut self, items: &'a [Pat], tail: Option<&'a Pat>, cell: &Cell<'a>) -> Result<bool> {
        let len = match cell {
            Cell::Borrowed(Value::List(elements), _) => elements.len(),
            Cell::Own(term) => match term.list_len() {
                Some(len) => len,
                None => return Ok(false),
            },
            Cell::Borrowed(..) => return Ok(false),
        };
        if len < items.len() || (tail.is_none() && len > items.len()) {
            return Ok(false);
        }
        for (index, item) in items.iter().enumerate() {
            let element = match cell {
                Cell::Borrowed(Value::List(elements), shape) => Cell::part(&elements[index], *shape),
                Cell::Borrowed(..) => return Ok(false),
                Cell::Own(term) => Cell::Own(term.list_get(index).expect("it has so many")),
            };
            if !self.matches(item, &element)? {
                return Ok(false);
            }
        }
        let Some(tail) = tail else {
            return Ok(true);
        };
        self.pay((len - items.len()) as u64)?;
        let rest = cell.copy().into_term().list_tail(items.len()).expect("it has so many");
        self.matches(tail, &Cell::Own(rest))
    }

    fn matches_map(&mut self, entries: &'a [(super::Node, Pat)], cell: &Cell<'a>) -> Result<bool> {
        for (key, pattern) in entries {
            let key = self.eval(key)?;
            let found = match (&key, cell) {
                (key, Cell::Borrowed(value, shape)) => {
                    let Value::Map(map) = value else {
                        return Ok(false);
                    };
                    let found = match key.data() {
                        Some(key) => map.get(key),
                        None => key.copy().into_term().to_value().ok().and_then(|key| map.get(&key)),
                    };
                    found.map(|found| Cell::part(found, *shape))
                }
                (key, Cell::Own(term)) => {
                    let key = key.copy().into_term().to_value().ok();
                    key.and_then(|key| term.map_get(&key)).map(Cell::Own)
                }
            };
            let Some(found) = found else {
                return Ok(false);
            };
            if !self.matches(pattern, &found)? {
                return Ok(false);
            }
        }
        Ok(match cell {
            Cell::Borrowed(value, _) => matches!(value, Value::Map(_)),
            Cell::Own(term) => term.is_map(),
        })
    }
}
