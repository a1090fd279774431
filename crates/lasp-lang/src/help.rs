//! What `help` shows, the shell and editors alike: made from the signatures of operations and functions and from the types'
//! own catalogues.

use crate::library;
use crate::show::type_name;
use crate::signature::{self, Signature};
use crate::suggest::nearest;
use lasp_dataflow::{Threshold, Type};

/// Widest line: what a terminal shows at least.
const WIDTH: usize = 80;

/// Every operation with its forms, and the names of functions and types.
pub fn overview() -> String {
    let mut text = String::from("Operations:\n");
    for operation in signature::OPERATIONS {
        text += &entry(operation.form, operation.does, 32);
        text.push('\n');
    }
    let functions = library::all().map(|builtin| builtin.signature.name).collect::<Vec<_>>().join(", ");
    let types = Type::names().collect::<Vec<_>>().join(", ");
    text += &lines(&format!("Functions: {functions}"), "", "  ");
    text.push('\n');
    text += &lines(&format!("Types: {types}"), "", "  ");
    text += "\nhelp(set), help(map), help(\"lists:foldl\") and so on tell more.";
    text
}

/// A form and beside it, or below it where there is no room, what it does.
fn entry(form: &str, does: &str, width: usize) -> String {
    let beside = format!("  {form:<width$} ");
    if form.chars().count() <= width {
        return lines(does, &beside, &" ".repeat(width + 3));
    }
    format!("{}\n{}", lines(form, "  ", "    "), lines(does, "      ", "      "))
}

/// Words as lines that are no wider than a terminal, where no single word is: the first begins so, the others so.
fn lines(text: &str, first: &str, others: &str) -> String {
    let (mut out, mut line) = (String::new(), first.to_owned());
    let mut begun = false;
    for word in text.split(' ') {
        if begun && line.chars().count() + 1 + word.chars().count() > WIDTH {
            out += line.trim_end();
            out.push('\n');
            line = others.to_owned();
        } else if begun {
            line.push(' ');
        }
        line += word;
        begun = true;
    }
    out + line.trim_end()
}

/// Every name that [`topic`] knows.
pub fn topics() -> impl Iterator<Item = &'static str> {
    signature::all().map(|signature| signature.name).chain(Type::names_and_aliases())
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
    format!("{}\n{}", lines(signature.form, "", "    "), lines(signature.does, "  ", "  "))
}

/// The operations of a type, and what can be waited for.
pub fn about_type(ty: &Type) -> String {
    let name = type_name(ty);
    let aliases: Vec<&str> = Type::ALIASES.iter().filter(|(_, of)| *of == name).map(|(alias, _)| *alias).collect();
    let also = if aliases.is_empty() { String::new() } else { format!(" (also called {})", aliases.join(", ")) };
    let mut text = format!("{name}{also}: update(V, Op) with Op one of");
    let width = ty.catalogue().iter().map(|op| op.form.len()).max().unwrap_or(0).max(20);
    for op in ty.catalogue() {
        text.push('\n');
        text += &entry(op.form, op.does, width);
    }
    text.push('\n');
    text += &lines(&format!("read(V, Threshold) with {}", Threshold::forms(ty)), "", "  ");
    text
}

/// The type called `name`, with sets for its parameters.
fn example(name: &str) -> Option<Type> {
    let name = Type::names_and_aliases().find(|known| *known == name)?;
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
            assert!(topic(name).is_ok_and(|text| text.contains(name)), "{name}");
        }
    }

    #[test]
    fn no_line_is_wider_than_a_terminal_and_no_word_is_lost() {
        for text in topics().map(|name| topic(name).expect("known")).chain([overview()]) {
            for line in text.lines() {
                assert!(line.chars().count() <= WIDTH, "{line}");
            }
        }
        assert_eq!(lines(&"word ".repeat(40), "", "  ").split_whitespace().count(), 40);
        assert!(topic("set").is_ok_and(|text| text.starts_with("set (also called awset): update(V, Op)")));
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
