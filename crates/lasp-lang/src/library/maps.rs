//! Maps.

use super::lists::pair;
use super::{Builtin, Direct, Result, ask, between, builtin, call, function, list, map, value, wrong};
use crate::fault::Trap;
use crate::machine::Machine;
use crate::term::Term;
use lasp_dataflow::Value;
use std::collections::BTreeMap;

pub(super) const FUNCTIONS: &[Builtin] = &[
    builtin("map_size", 1, "map_size(M)", "how many entries", entries)
        .direct(Direct::Int(|v| map_of(v).map(|entries| entries.len() as i64)))
        .on_surface(),
    builtin("maps:size", 1, "maps:size(M)", "how many entries", entries)
        .direct(Direct::Int(|v| map_of(v).map(|entries| entries.len() as i64)))
        .on_surface(),
    builtin("maps:new", 0, "maps:new()", "the map without entries", |_, _| Ok(Term::map(BTreeMap::new()))),
    between("maps:get", (2, 3), "maps:get(K, M), maps:get(K, M, Default)", "the value under K", |_, a| {
        if !a[1].is_map() {
            return Err(wrong(1, "a map", &a[1]));
        }
        let key = value(a, 0)?;
        let found = a[1].map_get(&key).or_else(|| a.get(2).cloned());
        found.ok_or_else(|| Trap::from(format!("the map has no key {key}")))
    })
    .direct(Direct::Part(|key, v| map_of(v)?.get(key)))
    .on_surface(),
    builtin("maps:find", 2, "maps:find(K, M)", "{ok, V}, or error without such a key", |_, a| {
        if !a[1].is_map() {
            return Err(wrong(1, "a map", &a[1]));
        }
        Ok(match a[1].map_get(&value(a, 0)?) {
            Some(found) => Term::tuple(vec![Term::ok(), found]),
            None => Term::atom("error"),
        })
    }),
    builtin("maps:is_key", 2, "maps:is_key(K, M)", "whether there is such a key", |_, a| {
        if !a[1].is_map() {
            return Err(wrong(1, "a map", &a[1]));
        }
        Ok(Term::scalar(a[1].map_get(&value(a, 0)?).is_some()))
    })
    .direct(Direct::Tests(|key, v| map_of(v).map(|entries| entries.contains_key(key))))
    .on_surface(),
    builtin("maps:put", 3, "maps:put(K, V, M)", "the map with V under K", |m, a| {
        let mut entries = map(m, a, 2)?;
        entries.insert(value(a, 0)?, a[1].clone());
        Ok(Term::map(entries))
    }),
    builtin("maps:update", 3, "maps:update(K, V, M)", "as put, where K is present", |m, a| {
        let mut entries = map(m, a, 2)?;
        let key = value(a, 0)?;
        match entries.get_mut(&key) {
            Some(slot) => *slot = a[1].clone(),
            None => return Err(format!("the map has no key {key}").into()),
        }
        Ok(Term::map(entries))
    }),
    builtin("maps:remove", 2, "maps:remove(K, M)", "the map without K", |m, a| {
        let mut entries = map(m, a, 1)?;
        entries.remove(&value(a, 0)?);
        Ok(Term::map(entries))
    }),
    builtin("maps:keys", 1, "maps:keys(M)", "the keys, ascending", |m, a| {
        Ok(Term::list(map(m, a, 0)?.into_keys().map(Term::data).collect()))
    }),
    builtin("maps:values", 1, "maps:values(M)", "the values, by key", |m, a| {
        Ok(Term::list(map(m, a, 0)?.into_values().collect()))
    }),
    builtin("maps:to_list", 1, "maps:to_list(M)", "the entries as pairs", |m, a| {
        let entries = map(m, a, 0)?.into_iter();
        Ok(Term::list(entries.map(|(key, item)| Term::tuple(vec![Term::data(key), item])).collect()))
    }),
    builtin(
        "maps:from_list",
        1,
        "maps:from_list(Pairs)",
        "a map of the pairs; a later key replaces an earlier",
        |m, a| {
            let mut entries = BTreeMap::new();
            for item in list(m, a, 0)? {
                let both = pair(&item)?;
                entries.insert(value(&both, 0)?, both[1].clone());
            }
            Ok(Term::map(entries))
        },
    ),
    builtin("maps:merge", 2, "maps:merge(A, B)", "the entries of both; B's where a key is in both", |m, a| {
        let mut entries = map(m, a, 0)?;
        entries.extend(map(m, a, 1)?);
        Ok(Term::map(entries))
    }),
    builtin("maps:with", 2, "maps:with(Keys, M)", "only the entries with these keys", |m, a| {
        let keys = keys(&list(m, a, 0)?)?;
        let entries = map(m, a, 1)?.into_iter().filter(|(key, _)| keys.binary_search(key).is_ok());
        Ok(Term::map(entries.collect()))
    }),
    builtin("maps:without", 2, "maps:without(Keys, M)", "only the entries without these keys", |m, a| {
        let keys = keys(&list(m, a, 0)?)?;
        let entries = map(m, a, 1)?.into_iter().filter(|(key, _)| keys.binary_search(key).is_err());
        Ok(Term::map(entries.collect()))
    }),
    builtin("maps:map", 2, "maps:map(F, M)", "F(K, V) under each key", |m, a| {
        let f = function(a, 0)?;
        let mut images = BTreeMap::new();
        for (key, item) in map(m, a, 1)? {
            let image = call(m, &f, vec![Term::data(key.clone()), item])?;
            images.insert(key, image);
        }
        Ok(Term::map(images))
    }),
    builtin("maps:filter", 2, "maps:filter(P, M)", "the entries for which P(K, V) is true", |m, a| {
        let f = function(a, 0)?;
        let mut kept = BTreeMap::new();
        for (key, item) in map(m, a, 1)? {
            if ask(m, &f, vec![Term::data(key.clone()), item.clone()])? {
                kept.insert(key, item);
            }
        }
        Ok(Term::map(kept))
    }),
    builtin("maps:fold", 3, "maps:fold(F, Acc, M)", "F(K, V, Acc) over the entries by key", |m, a| {
        let f = function(a, 0)?;
        let mut accumulator = a[1].clone();
        for (key, item) in map(m, a, 2)? {
            accumulator = call(m, &f, vec![Term::data(key), item, accumulator])?;
        }
        Ok(accumulator)
    }),
];

fn entries(_: &mut Machine<'_>, args: &[Term]) -> Result {
    let entries = args[0].map_len().ok_or_else(|| wrong(0, "a map", &args[0]))?;
    Ok(Term::scalar(entries as i64))
}

fn map_of(value: &Value) -> Option<&BTreeMap<Value, Value>> {
    match value {
        Value::Map(entries) => Some(entries),
        _ => None,
    }
}

fn keys(items: &[Term]) -> Result<Vec<Value>> {
    let mut keys = (0..items.len()).map(|at| value(items, at)).collect::<Result<Vec<_>>>()?;
    keys.sort();
    Ok(keys)
}
