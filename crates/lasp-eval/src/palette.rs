//! The colours of what a report draws, each as it stands in a file and as the page names it: those of `report.css` in the light.

/// A colour: in a file of its own, and on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color {
    /// As a number.
    pub file: &'static str,
    /// By the page's variable, which is another in the dark.
    pub page: &'static str,
}

const fn color(file: &'static str, page: &'static str) -> Color {
    Color { file, page }
}

/// What a figure lies on.
pub const BACKGROUND: Color = color("#fdfdfc", "transparent");
/// The same where it is painted over lines.
pub const CARD: Color = color("#fdfdfc", "var(--card)");
/// Text.
pub const INK: Color = color("#2b2f36", "var(--ink)");
/// Axes, and links.
pub const AXIS: Color = color("#8a9099", "var(--axis)");
/// What is hardly to be seen.
pub const GRID: Color = color("#e4e6e9", "var(--grid)");
/// What is not there any more.
pub const LINE: Color = color("#e2e3e0", "var(--line)");
/// The first curve, and the broadcast tree.
pub const FIRST: Color = color("#2563c9", "var(--first)");
/// The second.
pub const SECOND: Color = color("#d9822b", "var(--second)");
/// The third.
pub const THIRD: Color = color("#3f9d5b", "var(--third)");
/// The fourth.
pub const FOURTH: Color = color("#a04fa8", "var(--fourth)");
/// What is as it should be.
pub const GOOD: Color = color("#1c7c4a", "var(--good)");
/// What is not.
pub const BAD: Color = color("#b3261e", "var(--bad)");
