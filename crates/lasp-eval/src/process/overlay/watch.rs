//! When an overlay is as it should be, from looks at it. A look is not of one moment: nodes are asked one after the other, and
//! views change meanwhile. So what counts is what stays, and the overlay is whole when it was in two looks in a row.

use crate::overlay::Shape;

/// The overlay as it was at one look.
#[derive(Clone, Debug, Default)]
pub(super) struct Moment {
    /// When the last node answered.
    pub(super) seconds: f64,
    /// How long the look took.
    pub(super) took: f64,
    /// Nodes that did not answer.
    pub(super) silent: usize,
    /// What the others' views come to.
    pub(super) shape: Shape,
}

impl Moment {
    /// What is not as it should be, for people; begins with a separator unless it is empty.
    pub(super) fn flaws(&self) -> String {
        let Shape { isolated_nodes, asymmetric_links, dangling_links, components, .. } = self.shape;
        let counts = [
            (self.silent, "nodes do not answer"),
            (isolated_nodes, "isolated nodes"),
            (asymmetric_links, "asymmetric links"),
            (dangling_links, "links to peers that are gone"),
            (if components > 1 { components } else { 0 }, "components"),
        ];
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("; {count} {what}")).collect()
    }
}

/// Since when what has held.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Since {
    /// Everybody has a neighbour.
    pub(super) nobody_alone: f64,
    /// All hang together.
    pub(super) connected: f64,
    /// Every link is known to both ends.
    pub(super) symmetric: f64,
    /// All of it, and nobody names a peer that is gone.
    pub(super) clean: f64,
}

/// Follows one recovery.
#[derive(Debug, Default)]
pub(super) struct Watch {
    nobody_alone: Option<f64>,
    connected: Option<f64>,
    symmetric: Option<f64>,
    clean: Option<f64>,
    in_a_row: u32,
}

impl Watch {
    /// Takes a look in; the answer once the overlay was whole twice in a row.
    pub(super) fn look(&mut self, moment: &Moment) -> Option<Since> {
        let (shape, at) = (&moment.shape, moment.seconds);
        let all = moment.silent == 0;
        let nobody_alone = all && shape.isolated_nodes == 0;
        let connected = nobody_alone && shape.components == 1;
        let symmetric = all && shape.asymmetric_links == 0;
        let clean = connected && symmetric && shape.dangling_links == 0;
        let nobody_alone = hold(&mut self.nobody_alone, nobody_alone, at);
        let connected = hold(&mut self.connected, connected, at);
        let symmetric = hold(&mut self.symmetric, symmetric, at);
        self.in_a_row = if clean { self.in_a_row + 1 } else { 0 };
        let clean = hold(&mut self.clean, clean, at);
        if self.in_a_row < 2 {
            return None;
        }
        Some(Since { nobody_alone: nobody_alone?, connected: connected?, symmetric: symmetric?, clean: clean? })
    }
}

/// Keeps since when something has held without a break.
fn hold(since: &mut Option<f64>, holds: bool, at: f64) -> Option<f64> {
    *since = if holds { since.or(Some(at)) } else { None };
    *since
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(
        seconds: f64,
        [silent, isolated_nodes, asymmetric_links, dangling_links, components]: [usize; 5],
    ) -> Moment {
        let shape = Shape { isolated_nodes, asymmetric_links, dangling_links, components, degrees: Vec::new() };
        Moment { seconds, took: 0.0, silent, shape }
    }

    #[test]
    fn what_counts_is_what_stays() {
        let mut watch = Watch::default();
        let looks = [
            moment(1.0, [0, 2, 0, 5, 3]),
            moment(2.0, [0, 0, 1, 2, 2]),
            moment(3.0, [0, 0, 0, 1, 1]),
            moment(4.0, [0, 0, 0, 0, 1]),
            moment(5.0, [0, 0, 1, 0, 1]),
            moment(6.0, [0, 0, 0, 0, 1]),
        ];
        assert!(looks.iter().all(|look| watch.look(look).is_none()));
        let since = watch.look(&moment(7.0, [0, 0, 0, 0, 1]));
        assert_eq!(since, Some(Since { nobody_alone: 2.0, connected: 3.0, symmetric: 6.0, clean: 6.0 }));
    }

    #[test]
    fn who_does_not_answer_may_be_alone() {
        let mut watch = Watch::default();
        for second in 0..5 {
            assert_eq!(watch.look(&moment(f64::from(second), [1, 0, 0, 0, 1])), None);
        }
    }

    #[test]
    fn flaws_are_named_and_nothing_else() {
        assert_eq!(moment(0.0, [0, 0, 0, 0, 1]).flaws(), "");
        assert_eq!(
            moment(0.0, [0, 1, 0, 3, 2]).flaws(),
            "; 1 isolated nodes; 3 links to peers that are gone; 2 components"
        );
    }
}
