//! Comprehensions of compiled code.

use super::cell::Cell;
use super::run::Run;
use super::{Comprehension, Produced, Result, Step, StepKind, Stop};
use crate::term::Term;
use lasp_dataflow::Value;
use std::collections::BTreeMap;

impl<'a> Run<'a, '_, '_> {
    pub(super) fn comprehension(&mut self, comprehension: &'a Comprehension) -> Result<Cell<'a>> {
        match &comprehension.produced {
            Produced::Element(element) => {
                let mut items = Vec::new();
                self.generate(&comprehension.steps, &mut |run| {
                    run.pay(comprehension.cost.0)?;
                    let item = run.eval(element)?;
                    items.push(run.weighed(item)?);
                    Ok(())
                })?;
                self.admit(Term::list(items))
            }
            Produced::Entry(key, value) => {
                let mut entries = BTreeMap::new();
                self.generate(&comprehension.steps, &mut |run| {
                    run.pay(comprehension.cost.0)?;
                    let key = run.value(key)?;
                    let value = run.eval(value)?;
                    entries.insert(key, run.weighed(value)?);
                    Ok(())
                })?;
                self.admit(Term::map(entries))
            }
        }
    }

    fn generate(&mut self, steps: &'a [Step], produce: &mut dyn FnMut(&mut Self) -> Result<()>) -> Result<()> {
        let Some((first, later)) = steps.split_first() else {
            return produce(self);
        };
        self.pay(first.cost.0)?;
        match &first.kind {
            StepKind::Filter(condition) => match self.condition(condition)? {
                Some(true) => self.generate(later, produce),
                Some(false) => Ok(()),
                None => Err(Stop::Failed),
            },
            StepKind::Generate(pattern, cost, list) => match self.eval(list)? {
                Cell::Borrowed(Value::List(items), shape) => {
                    for item in items.iter() {
                        self.pay(cost.0)?;
                        if self.matches_borrowed(pattern, item, shape.of_part(item))? {
                            self.generate(later, produce)?;
                        }
                    }
                    Ok(())
                }
                Cell::Borrowed(..) => Err(Stop::Failed),
                Cell::Own(term) => {
                    for index in 0..term.list_len().ok_or(Stop::Failed)? {
                        self.pay(cost.0)?;
                        let item = Cell::Own(term.list_get(index).expect("it has so many"));
                        if self.matches(pattern, &item)? {
                            self.generate(later, produce)?;
                        }
                    }
                    Ok(())
                }
            },
            StepKind::Entries(key, value, cost, map) => {
                let map = self.eval(map)?;
                let entries = map.into_term().as_map().ok_or(Stop::Failed)?;
                for (k, v) in entries {
                    self.pay(cost.0)?;
                    if self.matches(key, &Cell::Own(Term::data(k)))? && self.matches(value, &Cell::Own(v))? {
                        self.generate(later, produce)?;
                    }
                }
                Ok(())
            }
        }
    }
}
