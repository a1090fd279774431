//! Draws a [`Chart`] as SVG or PNG. The only file that knows the plotting library.

use super::{Bar, Chart, Corner, Ink, Kind, Line};
use crate::palette::{AXIS, BACKGROUND, Color, FIRST, FOURTH, GRID, INK, SECOND, THIRD};
use kuva::plot::band::BandPlot;
use kuva::plot::bar::BarPlot;
use kuva::plot::legend::{LegendEntry, LegendPosition, LegendShape};
use kuva::plot::line::{LinePlot, LineStyle};
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot;
use kuva::render::render::{Scene, render_multiple};
use kuva::render::theme::Theme;

/// Width and height of every figure, in CSS pixels.
const SIZE: (f64, f64) = (640.0, 360.0);

/// Strokes and gaps of broken curves.
const DASHES: &str = "5 4";

/// How much finer a PNG is than CSS pixels.
const PNG_SCALE: f32 = 2.0;

/// Draws for a file: its own background, its own colours.
pub fn svg(chart: &Chart) -> String {
    drawn(&scene(chart, Some(chart.title)))
}

/// The drawing, able to scale: the backend gives its size, but not what that is the size of.
fn drawn(scene: &Scene) -> String {
    let (width, height) = SIZE;
    let text = kuva::backend::svg::SvgBackend::new().render_scene(scene);
    text.replacen("<svg", &format!("<svg viewBox=\"0 0 {width} {height}\""), 1)
}

/// Draws for a page: transparent, coloured by the page's variables, as wide as its column.
pub fn inline_svg(chart: &Chart) -> String {
    let mut text = drawn(&scene(chart, None));
    for Color { file, page } in [BACKGROUND, INK, AXIS, GRID, FIRST, SECOND, THIRD, FOURTH] {
        text = text.replace(file, page);
    }
    let start = text.find("<svg").unwrap_or(0);
    let label = crate::report::escape(chart.title);
    text[start..].replacen("<svg", &format!("<svg role=\"img\" aria-label=\"{label}\""), 1)
}

/// Draws as PNG.
///
/// # Errors
/// What the rasteriser says.
pub fn png(chart: &Chart) -> Result<Vec<u8>, String> {
    kuva::backend::png::PngBackend::new().with_scale(PNG_SCALE).render_scene(&scene(chart, Some(chart.title)))
}

/// A page has its own headings, a file carries its title.
fn scene(chart: &Chart, title: Option<&str>) -> Scene {
    let (plots, legend) = match &chart.kind {
        Kind::Lines(lines) => (lines.iter().flat_map(line).collect(), entries(lines)),
        Kind::Stack { x, layers } => stack(x, layers),
        Kind::Bars(bars) => (vec![Plot::Bar(columns(bars))], Vec::new()),
    };
    let mut layout = layout(chart, &plots, legend);
    if let Some(title) = title {
        layout = layout.with_title(title).with_title_size(15);
    }
    render_multiple(plots, layout)
}

fn layout(chart: &Chart, plots: &[Plot], legend: Vec<LegendEntry>) -> Layout {
    let theme = Theme {
        background: BACKGROUND.file.into(),
        axis_color: AXIS.file.into(),
        grid_color: GRID.file.into(),
        tick_color: AXIS.file.into(),
        text_color: INK.file.into(),
        legend_bg: BACKGROUND.file.into(),
        legend_border: "none".into(),
        ..Theme::light()
    };
    let mut layout = Layout::auto_from_plots(plots)
        .with_width(SIZE.0)
        .with_height(SIZE.1)
        .with_theme(theme)
        .with_font_family("system-ui, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif")
        .with_x_label(chart.x_label.clone())
        .with_y_label(chart.y_label.clone())
        .with_y_axis_min(0.0)
        .with_label_size(13)
        .with_tick_size(12)
        .with_grid_line_width(1.0)
        .with_y_tick_format(TickFormat::Auto);
    if legend.len() > 1 {
        layout = layout.with_legend_entries(legend).with_legend_position(position(chart.legend)).with_legend_box(false);
    }
    if let Kind::Bars(bars) = &chart.kind
        && bars.iter().all(|bar| bar.value == 0.0)
    {
        layout = layout.with_y_axis_max(1.0);
    }
    let highest = match &chart.kind {
        Kind::Lines(lines) => highest(lines),
        Kind::Stack { x, layers } => tallest(x.len(), layers),
        Kind::Bars(_) => return layout,
    };
    match chart.legend {
        Corner::TopRight => layout.with_y_axis_max((highest * HEADROOM).max(1.0)),
        Corner::TopLeft | Corner::BottomRight | Corner::BottomLeft => layout,
    }
}

const fn position(corner: Corner) -> LegendPosition {
    match corner {
        Corner::TopLeft => LegendPosition::InsideTopLeft,
        Corner::TopRight => LegendPosition::InsideTopRight,
        Corner::BottomRight => LegendPosition::InsideBottomRight,
        Corner::BottomLeft => LegendPosition::InsideBottomLeft,
    }
}

/// How much room is made above, for a legend at the top right.
const HEADROOM: f64 = 1.35;

/// The greatest height of a stack.
fn tallest(len: usize, layers: &[(&'static str, Ink, Vec<f64>)]) -> f64 {
    let at = |at: usize| layers.iter().filter_map(|(.., heights)| heights.get(at)).sum::<f64>();
    (0..len).map(at).fold(0.0, f64::max)
}

/// The greatest height among curves and their ranges.
fn highest(lines: &[Line]) -> f64 {
    let curves = lines.iter().flat_map(|line| line.points.iter().map(|(_, y)| *y));
    let ranges = lines.iter().filter_map(|line| line.band.as_ref()).flat_map(|(_, high)| high.iter().copied());
    curves.chain(ranges).fold(0.0, f64::max)
}

fn line(line: &Line) -> Vec<Plot> {
    let x = || line.points.iter().map(|(x, _)| *x);
    let mut plots = Vec::new();
    if let Some((low, high)) = &line.band {
        let band = BandPlot::new(x(), low.iter().copied(), high.iter().copied());
        plots.push(Plot::Band(band.with_color(color(line.ink)).with_opacity(0.18)));
    }
    let drawn =
        LinePlot::new().with_data(line.points.iter().copied()).with_color(color(line.ink)).with_stroke_width(2.0);
    let drawn = if line.dashed { drawn.with_line_style(LineStyle::Custom(DASHES.into())) } else { drawn };
    plots.push(Plot::Line(if line.steps { drawn.with_step() } else { drawn }));
    plots
}

fn entries(lines: &[Line]) -> Vec<LegendEntry> {
    // The last drawn lies on top and is named first.
    let named = |line: &Line| LegendEntry {
        dasharray: line.dashed.then(|| DASHES.to_owned()),
        ..entry(&line.label, line.ink, LegendShape::Line)
    };
    lines.iter().rev().map(named).collect()
}

fn entry(label: &str, ink: Ink, shape: LegendShape) -> LegendEntry {
    LegendEntry { label: label.to_owned(), color: color(ink).to_owned(), shape, dasharray: None }
}

fn stack(x: &[f64], layers: &[(&'static str, Ink, Vec<f64>)]) -> (Vec<Plot>, Vec<LegendEntry>) {
    let mut floor = vec![0.0; x.len()];
    let mut plots = Vec::new();
    let mut legend = Vec::new();
    for (label, ink, heights) in layers {
        let top: Vec<f64> = floor.iter().zip(heights).map(|(floor, height)| floor + height).collect();
        let band = BandPlot::new(x.iter().copied(), floor, top.iter().copied());
        plots.push(Plot::Band(band.with_color(color(*ink)).with_opacity(0.45)));
        let edge = LinePlot::new().with_data(x.iter().copied().zip(top.iter().copied()));
        plots.push(Plot::Line(edge.with_color(color(*ink)).with_stroke_width(1.5)));
        legend.push(entry(label, *ink, LegendShape::Rect));
        floor = top;
    }
    (plots, legend)
}

fn columns(bars: &[Bar]) -> BarPlot {
    let mut plot = BarPlot::new().with_width(0.7);
    for bar in bars {
        plot = plot.with_colored_bar(bar.label.clone(), bar.value, FIRST.file);
    }
    if bars.iter().any(|bar| bar.error != (0.0, 0.0)) {
        plot = plot.with_asymmetric_error(bars.iter().map(|bar| bar.error)).with_error_color(INK.file);
    }
    plot
}

const fn color(ink: Ink) -> &'static str {
    match ink {
        Ink::First => FIRST.file,
        Ink::Second => SECOND.file,
        Ink::Third => THIRD.file,
        Ink::Fourth => FOURTH.file,
    }
}
