//! What `help` shows, the shell and editors alike: made from the signatures of operations and functions and from the types'
//! own catalogues.

use crate::library;
use crate::show::type_name;
use crate::signature::{self, Signature};
use crate::suggest::nearest;
use lasp_dataflow::{Threshold, Type};
use std::fmt::Write;

/// Every operation with its forms, and the names of functions and types.
pub fn overview() -> String {
    let mut text = String::from("Operations:\n");
    for operation in signature::OPERATIONS {
        _ = writeln!(text, "  {:<44} {}", operation.form, operation.does);
    }
    text += "Functions: ";
    text += &library::all().map(|builtin| builtin.signature.name).collect::<Vec<_>>().join(", ");
    text += "\nTypes: ";
    text += &Type::names().collect::<Vec<_>>().join(", ");
    text += "\nhelp(set), help(map), help(\"lists:foldl\") and so on tell more.";
    text
}

/// Every name that [`topic`] knows.
pub fn topics() -> impl Iterator<Item = &'static str> {
    signature::all().map(|signature| signature.name).chain(Type::names())
}

/// What is known under a name: an operation, a function, a type, or two of them (`max` is a function and a type).
///
/// # Errors
/// What to say about a name that is unknown, with the nearest one that is not.
pub fn topic(name: &str) -> Result<String, String> {
    let ty = example(name);
    // The function of a type's name with parameters only builds that type.
    let calls = signature::all().filter(|found| found.name == name && !(ty.is_some() && builds_type(found)));
    let mut parts: Vec<String> = calls.map(about_call).collect();
    parts.extend(ty.map(|ty| about_type(&ty)));
    if parts.is_empty() {
        return Err(unknown(name));
    }
    Ok(parts.join("\n"))
}

/// How it is called and what it does.
pub fn about_call(signature: &Signature) -> String {
    format!("{}\n  {}", signature.form, signature.does)
}

/// The operations of a type, and what can be waited for.
pub fn about_type(ty: &Type) -> String {
    let mut text = format!("{}: update(V, Op) with Op one of", type_name(ty));
    let width = ty.catalogue().iter().map(|op| op.form.len()).max().unwrap_or(0).max(20);
    for op in ty.catalogue() {
        _ = write!(text, "\n  {:<width$} {}", op.form, op.does);
    }
    _ = write!(text, "\nread(V, Threshold) with {}", Threshold::forms(ty));
    text
}

/// The type called `name`, with sets for its parameters.
fn example(name: &str) -> Option<Type> {
    let name = Type::names().find(|known| *known == name)?;
    (0..=2).find_map(|parameters| Type::new(name, vec![Type::AwSet; parameters]).ok())
}

fn builds_type(signature: &Signature) -> bool {
    signature.does.starts_with("the type of")
}

fn unknown(name: &str) -> String {
    // `foldl` is meant to be `lists:foldl`.
    let qualified = topics().find(|topic| topic.split_once(':').is_some_and(|(_, function)| function == name));
    match qualified.or_else(|| nearest(name, topics())) {
        Some(near) => format!("nothing is known under {name:?}; did you mean {near:?}?"),
        None => format!("nothing is known under {name:?}; help() lists everything"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_can_be_called_or_declared_is_a_topic() {
        for name in topics() {
            assert!(topic(name).is_ok_and(|text| text.contains(name) || name == "awset"), "{name}");
        }
    }

    #[test]
    fn a_name_with_two_meanings_shows_both() {
        let text = topic("max").expect("known");
        assert!(text.contains("max(A, B)") && text.contains("{set, X}"), "{text}");
    }

    #[test]
    fn a_type_tells_its_operations_and_thresholds() {
        let text = topic("gset").expect("known");
        assert!(text.contains("{add_all, L}") && text.contains("{cardinality, N}"), "{text}");
        assert!(topic("pair").is_ok_and(|text| text.contains("pair(set, set)") && text.contains("{fst, Op}")));
    }

    #[test]
    fn an_unknown_topic_names_the_nearest() {
        assert_eq!(topic("gcountr"), Err("nothing is known under \"gcountr\"; did you mean \"gcounter\"?".to_owned()));
        assert!(topic("foldl").is_err_and(|text| text.contains("lists:foldl")));
        assert!(topic("xyzzy").is_err_and(|text| text.contains("help()")));
    }
}
