//! Tuples, lists, maps and other structures that compiled code builds.

use super::cell::Cell;
use super::run::Run;
use super::{Entry, Node, Result, Stop};
use crate::ast::Collection;
use crate::term::{Shape, Term};
use lasp_dataflow::Value;
use std::collections::BTreeMap;

impl<'a> Run<'a, '_, '_> {
    pub(super) fn tuple(&mut self, items: &'a [Node]) -> Result<Cell<'a>> {
        match items {
            [a, b] => {
                let (a, b) = (self.eval(a)?, self.eval(b)?);
                let (a, b) = (self.weighed(a)?, self.weighed(b)?);
                let shape = Shape::over([a.shape(), b.shape()].into_iter());
                match (a, b) {
                    (Term::Data(a, _), Term::Data(b, _)) => self.admit(Term::Data(Value::pair(a, b), shape)),
                    (a, b) => self.admit(Term::tuple(vec![a, b])),
                }
            }
            items => {
                let items = self.parts(items)?;
                self.admit(Term::tuple(items))
            }
        }
    }

    /// Terms that something is built of.
    fn parts(&mut self, nodes: &'a [Node]) -> Result<Vec<Term>> {
        let mut parts = Vec::with_capacity(nodes.len());
        for node in nodes {
            let cell = self.eval(node)?;
            parts.push(self.weighed(cell)?);
        }
        Ok(parts)
    }

    pub(super) fn list(&mut self, items: &'a [Node], tail: Option<&'a Node>) -> Result<Cell<'a>> {
        let mut elements = self.parts(items)?;
        if let Some(tail) = tail {
            let rest = self.eval(tail)?;
            let rest = self.weighed(rest)?.as_list().ok_or(Stop::Failed)?;
            self.pay(rest.len() as u64)?;
            elements.extend(rest);
        }
        self.admit(Term::list(elements))
    }

    pub(super) fn collection(&mut self, kind: Collection, items: &'a [Node]) -> Result<Cell<'a>> {
        let items = self.parts(items)?;
        let values = items.iter().map(|item| item.to_value().map_err(|_| Stop::Failed)).collect::<Result<_>>()?;
        let term = match (kind, Term::set(values)) {
            (Collection::Many, Term::Set(values, shape)) => Term::Many(values, shape),
            (_, set) => set,
        };
        self.admit(term)
    }

    pub(super) fn value(&mut self, node: &'a Node) -> Result<Value> {
        let cell = self.eval(node)?;
        let term = self.weighed(cell)?;
        term.to_value().map_err(|_| Stop::Failed)
    }

    pub(super) fn map(&mut self, base: Option<&'a Node>, entries: &'a [Entry]) -> Result<Cell<'a>> {
        let mut map = BTreeMap::new();
        if let Some(base) = base {
            let base = self.eval(base)?;
            let base = self.weighed(base)?;
            self.pay(u64::from(base.shape().weight))?;
            map = base.as_map().ok_or(Stop::Failed)?;
        }
        for entry in entries {
            let key = self.value(&entry.key)?;
            let value = self.eval(&entry.value)?;
            let value = self.weighed(value)?;
            if entry.must_exist && !map.contains_key(&key) {
                return Err(Stop::Failed);
            }
            map.insert(key, value);
        }
        self.admit(Term::map(map))
    }

    pub(super) fn bytes(&mut self, items: &'a [Node]) -> Result<Cell<'a>> {
        let mut bytes = Vec::new();
        for item in items {
            match self.eval(item)?.data() {
                Some(Value::Bytes(part)) => bytes.extend_from_slice(part),
                Some(Value::Text(text)) => bytes.extend_from_slice(text.as_bytes()),
                Some(Value::Int(byte @ 0..=255)) => bytes.push(*byte as u8),
                _ => return Err(Stop::Failed),
            }
        }
        Ok(Cell::Own(Term::scalar(Value::bytes(bytes))))
    }
}
