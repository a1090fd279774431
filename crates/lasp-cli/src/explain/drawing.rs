//! What is drawn of an explanation, alike for Graphviz and for our own picture: panels of boxes and arrows.

use lasp_lang::explain::{Derivation, Explanation, Growth, Input, Origin, Plan, Variable};

/// One graph with its caption.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) boxes: Vec<Shape>,
    /// From box to box, by their places.
    pub(super) arrows: Vec<(usize, usize)>,
}

/// A box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) kind: Kind,
    /// The first line stands out.
    pub(super) lines: Vec<String>,
    /// All that can be said, for who points at it.
    pub(super) details: String,
}

/// What a box stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A variable that nodes share.
    Replicated(Growth),
    /// A variable that each node computes for itself.
    Local(Growth),
    /// An operator.
    Operator,
    /// An operator of the plan that the optimiser made.
    Made,
    /// Something that waits or follows.
    Reaction,
}

/// How long a line of a box may be, in characters (what still reads at 100 boxes).
const LINE_MAX: usize = 32;
/// How many lines the text of a function may take.
const LINES_MAX: usize = 3;

/// The dataflow as written, and the plan where it differs.
pub(super) fn panels(explanation: &Explanation) -> Vec<Panel> {
    let mut written = as_written(explanation);
    if !explanation.plan.is_optimised() {
        written.title = "as written, and as it runs".to_owned();
        return vec![written];
    }
    vec![written, as_run(explanation, &explanation.plan)]
}

fn as_written(explanation: &Explanation) -> Panel {
    let mut panel = Panel { title: "as written".to_owned(), ..Panel::default() };
    panel.boxes.extend(explanation.variables.iter().map(variable));
    for derivation in &explanation.derivations {
        let operator = panel.add(operator(derivation));
        panel.arrows.extend(derivation.inputs.iter().map(|input| (*input, operator)));
        panel.arrows.push((operator, derivation.output));
    }
    for reaction in &explanation.reactions {
        let word = reaction.what.split(' ').nth(1).unwrap_or(reaction.what);
        let lines = vec![word.to_owned(), format!("at node {}", reaction.node)];
        let name = &explanation.variables[reaction.variable].name;
        let details = format!("{} {name} at node {}", reaction.what, reaction.node);
        let reaction_box = panel.add(Shape { kind: Kind::Reaction, lines, details });
        panel.arrows.push((reaction.variable, reaction_box));
    }
    panel
}

/// The plan: variables that steps take or give, and the steps.
fn as_run(explanation: &Explanation, plan: &Plan) -> Panel {
    let mut panel = Panel { title: "as it runs".to_owned(), ..Panel::default() };
    let mut places = vec![None; explanation.variables.len()];
    let taken = plan.steps.iter().flat_map(|step| {
        step.inputs.iter().filter_map(|input| match input {
            Input::Variable(id, _) => Some(*id),
            Input::Step(_) => None,
        })
    });
    for id in taken.chain(plan.steps.iter().flat_map(|step| step.gives.iter().copied())) {
        places[id].get_or_insert_with(|| panel.add(variable(&explanation.variables[id])));
    }
    let first_step = panel.boxes.len();
    for step in &plan.steps {
        let mut lines: Vec<String> = step.stages.iter().flat_map(|stage| wrap(stage)).collect();
        lines.extend(step.made.clone());
        let kept = if step.materialized { "keeps its result" } else { "keeps nothing" };
        lines.push(kept.to_owned());
        let kind = if step.made.is_some() { Kind::Made } else { Kind::Operator };
        let details = format!("{}; {kept}", step.stages.join(", then "));
        panel.add(Shape { kind, lines, details });
    }
    for (place, step) in plan.steps.iter().enumerate() {
        let here = first_step + place;
        for input in &step.inputs {
            let from = match input {
                Input::Variable(id, _) => places[*id].expect("every variable that is taken has its box"),
                Input::Step(other) => first_step + other,
            };
            panel.arrows.push((from, here));
        }
        let given = step.gives.iter().filter_map(|id| places[*id]);
        panel.arrows.extend(given.map(|variable| (here, variable)));
    }
    panel
}

impl Panel {
    fn add(&mut self, shape: Shape) -> usize {
        self.boxes.push(shape);
        self.boxes.len() - 1
    }
}

fn variable(variable: &Variable) -> Shape {
    let kind = match variable.origin {
        Origin::Declared { .. } => Kind::Replicated(variable.growth),
        Origin::Derived => Kind::Local(variable.growth),
    };
    let mut lines = vec![cut(&variable.name), cut(&variable.ty)];
    lines.extend(Some(variable.size.to_string()).filter(|size| !size.is_empty()));
    if let Some((count, _)) = &variable.failures {
        lines.push(format!("{count} left out"));
    }
    let Variable { name, ty, origin, growth, .. } = variable;
    Shape { kind, lines, details: format!("{name}: {ty}, {origin}; {}", growth.describe()) }
}

fn operator(derivation: &Derivation) -> Shape {
    let lines = wrap(&derivation.what);
    let Derivation { what, class, cost, node, .. } = derivation;
    Shape { kind: Kind::Operator, lines, details: format!("{what} at node {node}: {class}; a change costs {cost}") }
}

/// An operator's text on a few lines: its name, then its functions.
fn wrap(text: &str) -> Vec<String> {
    let (name, rest) = text.split_once('(').unwrap_or((text, ""));
    let mut lines = vec![cut(name)];
    let words: Vec<&str> = rest.strip_suffix(')').unwrap_or(rest).split_whitespace().collect();
    let mut line = String::new();
    for word in words {
        let longer = line.chars().count() + word.chars().count() + 1 > LINE_MAX;
        if longer && !line.is_empty() {
            lines.push(cut(&std::mem::take(&mut line)));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    lines.extend(Some(cut(&line)).filter(|line| !line.is_empty()));
    if lines.len() > 1 + LINES_MAX {
        lines.truncate(LINES_MAX);
        lines.push("…".to_owned());
    }
    lines
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LINE_MAX {
        return text.to_owned();
    }
    text.chars().take(LINE_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_functions_take_a_few_lines() {
        assert_eq!(wrap("union"), ["union"]);
        assert_eq!(
            wrap("map(fun({Name, Points}) -> {Points, Name} end)"),
            ["map", "fun({Name, Points}) -> {Points,", "Name} end"]
        );
        let long = format!("map(fun(X) -> {} end)", "X + ".repeat(100));
        assert_eq!(wrap(&long).len(), 4);
        assert!(wrap(&long).iter().all(|line| line.chars().count() <= LINE_MAX));
        assert_eq!(cut(&"é".repeat(40)).chars().count(), LINE_MAX);
    }
}
