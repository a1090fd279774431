//! Panels as Graphviz DOT.

use super::drawing::{Kind, Panel, Shape};
use lasp_lang::explain::Growth;
use std::fmt::Write;

/// One digraph; several panels are clusters in it.
pub(super) fn render(panels: &[Panel]) -> String {
    let mut out = String::from(
        "digraph lasp {\n  graph [fontname=\"Helvetica\", rankdir=\"TB\", bgcolor=\"transparent\"];\n  \
         node [fontname=\"Helvetica\", fontsize=11, color=\"#808080\", fontcolor=\"#606060\"];\n  \
         edge [color=\"#808080\", arrowsize=0.7];\n",
    );
    for (number, panel) in panels.iter().enumerate() {
        _ = writeln!(out, "  subgraph cluster_{number} {{");
        _ = writeln!(out, "    label={}; color=\"#808080\"; fontcolor=\"#808080\";", quoted(&panel.title));
        for (place, shape) in panel.boxes.iter().enumerate() {
            let (label, tooltip) = (quoted(&shape.lines.join("\n")), quoted(&shape.details));
            _ = writeln!(out, "    p{number}n{place} [{}, label={label}, tooltip={tooltip}];", look(shape));
        }
        for (from, to) in &panel.arrows {
            _ = writeln!(out, "    p{number}n{from} -> p{number}n{to};");
        }
        out += "  }\n";
    }
    out + "}\n"
}

fn look(shape: &Shape) -> String {
    let (form, style) = match shape.kind {
        Kind::Replicated(_) => ("box", "rounded,bold"),
        Kind::Local(_) => ("box", "rounded,dashed"),
        Kind::Operator => ("ellipse", "solid"),
        Kind::Made => ("ellipse", "bold"),
        Kind::Reaction => ("note", "solid"),
    };
    let color = match shape.kind {
        Kind::Replicated(growth) | Kind::Local(growth) => growth_color(growth),
        Kind::Operator | Kind::Reaction => "#808080",
        Kind::Made => "#8a63d2",
    };
    format!("shape=\"{form}\", style=\"{style}\", color=\"{color}\"")
}

fn growth_color(growth: Growth) -> &'static str {
    match growth {
        Growth::Value => "#2e8b57",
        Growth::Metadata => "#3b7dd8",
        Growth::Replaced => "#c07a1e",
    }
}

/// A quoted string of DOT: quotes and backslashes escaped, line ends as `\n`, no other control characters.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_is_escaped() {
        assert_eq!(quoted("a \"b\\\" \n\t>"), r#""a \"b\\\" \n >""#);
    }

    #[test]
    fn arrows_name_boxes_of_their_own_panel() {
        let shape = |name: &str, kind| Shape { kind, lines: vec![name.to_owned()], details: String::new() };
        let panel = Panel {
            title: "t".to_owned(),
            boxes: vec![shape("S", Kind::Replicated(Growth::Value)), shape("map", Kind::Operator)],
            arrows: vec![(0, 1)],
        };
        let text = render(&[panel.clone(), panel]);
        assert!(text.contains("p0n0 -> p0n1;") && text.contains("p1n0 -> p1n1;"), "{text}");
        assert_eq!(text.matches('{').count(), text.matches('}').count());
    }
}
