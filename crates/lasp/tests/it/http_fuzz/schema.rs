//! Whether a value is of a schema: the part of JSON Schema (2020-12) that the API's description uses. A word that is not known
//! here is a mistake, lest something be taken for checked. Stricter in one thing: an object has no properties but those that are
//! described.

use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// Says nothing about values, or is looked at with another word.
const SILENT: [&str; 4] = ["description", "properties", "required", "propertyNames"];

/// The whole description, which schemas refer to.
pub(crate) struct Schemas<'a>(pub(crate) &'a Json);

impl<'a> Schemas<'a> {
    /// What a schema refers to.
    pub(crate) fn resolve(&self, schema: &'a Json) -> &'a Json {
        match schema["$ref"].as_str() {
            Some(name) => self
                .0
                .pointer(&name[1..])
                .unwrap_or_else(|| panic!("the description refers to {name}, which it has not")),
            None => schema,
        }
    }

    /// Checks a value.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub(crate) fn check(&self, schema: &'a Json, value: &Json, at: &str) -> Result<(), String> {
        self.check_part(schema, value, at)?;
        match value {
            Json::Object(object) => self.check_names(schema, object, at),
            _ => Ok(()),
        }
    }

    /// No property but those described.
    fn check_names(&self, schema: &'a Json, object: &Map<String, Json>, at: &str) -> Result<(), String> {
        let mut known = BTreeSet::new();
        if !self.names(schema, &mut known) {
            return Ok(());
        }
        match object.keys().find(|name| !known.contains(name.as_str())) {
            Some(odd) => Err(format!("{at}.{odd} is not described")),
            None => Ok(()),
        }
    }

    /// Adds the properties of a schema; whether there are no others.
    fn names(&self, schema: &'a Json, known: &mut BTreeSet<&'a str>) -> bool {
        let schema = self.resolve(schema);
        let mut are_all = schema.get("additionalProperties").is_none();
        for part in ["allOf", "oneOf"].into_iter().filter_map(|word| schema[word].as_array()).flatten() {
            are_all &= self.names(part, known);
        }
        known.extend(schema["properties"].as_object().into_iter().flat_map(Map::keys).map(String::as_str));
        are_all
    }

    fn check_part(&self, schema: &'a Json, value: &Json, at: &str) -> Result<(), String> {
        let schema = self.resolve(schema);
        for (word, told) in schema.as_object().unwrap_or_else(|| panic!("no schema: {schema}")) {
            self.check_word(word, told, value, at)?;
        }
        let Json::Object(object) = value else { return Ok(()) };
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            if !object.contains_key(name) {
                return Err(format!("{at}.{name} is missing"));
            }
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(inner) = object.get(name) {
                self.check(property, inner, &format!("{at}.{name}"))?;
            }
        }
        Ok(())
    }

    fn check_word(&self, word: &str, told: &'a Json, value: &Json, at: &str) -> Result<(), String> {
        let holds = match word {
            "type" => match told {
                Json::Array(kinds) => kinds.iter().any(|kind| is_of(kind, value)),
                kind => is_of(kind, value),
            },
            "enum" => told.as_array().is_some_and(|all| all.contains(value)),
            "minimum" => value.as_f64().is_none_or(|number| told.as_f64().is_some_and(|least| number >= least)),
            "format" => match told.as_str() {
                Some("int32") => value.as_u64().is_none_or(|number| number <= u64::from(u32::MAX)),
                Some("int64" | "double") => true,
                _ => return Err(format!("{at}: format {told} is not known to this test")),
            },
            "items" => {
                return value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .try_for_each(|item| self.check(told, item, &format!("{at}[]")));
            }
            "additionalProperties" => {
                let mut all = value.as_object().into_iter().flatten();
                return all.try_for_each(|(name, inner)| self.check(told, inner, &format!("{at}.{name}")));
            }
            "allOf" => {
                return told.as_array().into_iter().flatten().try_for_each(|part| self.check_part(part, value, at));
            }
            "oneOf" => {
                let fits =
                    told.as_array().into_iter().flatten().filter(|part| self.check_part(part, value, at).is_ok());
                fits.count() == 1
            }
            word if SILENT.contains(&word) => true,
            word => return Err(format!("{at}: {word} is not known to this test")),
        };
        if holds { Ok(()) } else { Err(format!("{at}: {value} is not of {word} {told}")) }
    }
}

fn is_of(kind: &Json, value: &Json) -> bool {
    match kind.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("number") => value.is_number(),
        Some("null") => value.is_null(),
        _ => false,
    }
}

#[test]
fn what_does_not_fit_is_found() {
    let description = serde_json::json!({ "components": { "schemas": { "Peer": {
        "type": "object", "required": ["id"], "properties": { "id": { "type": "string" }, "n": { "type": ["integer", "null"], "minimum": 1 } },
    } } } });
    let schemas = Schemas(&description);
    let list = serde_json::json!({ "type": "array", "items": { "$ref": "#/components/schemas/Peer" } });
    let check = |text: &str| schemas.check(&list, &serde_json::from_str(text).expect("JSON"), "it");
    assert_eq!(check(r#"[{"id": "a"}, {"id": "b", "n": 1}, {"id": "c", "n": null}]"#), Ok(()));
    for (wrong, why) in [
        ("{}", "it: {} is not of type"),
        (r#"[{}]"#, "it[].id is missing"),
        (r#"[{"id": 1}]"#, "it[].id: 1 is not of type"),
        (r#"[{"id": "a", "n": 0}]"#, "it[].n: 0 is not of minimum"),
        (r#"[{"id": "a", "more": 0}]"#, "it[].more is not described"),
    ] {
        assert!(check(wrong).is_err_and(|told| told.starts_with(why)), "{wrong}: {:?}", check(wrong));
    }
}
