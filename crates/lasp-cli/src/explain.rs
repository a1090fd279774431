//! `lasp explain`: the dataflow of a program as text, JSON, Graphviz DOT or a picture.

mod dot;
mod drawing;
mod json;
mod layout;
mod svg;

use crate::run::program::{FAILED, REJECTED, USAGE, color, complain, load};
use clap::{Args, ValueEnum};
use lasp_lang::Stop;
use lasp_lang::diagnostic::render_all;
use lasp_lang::explain::{Explanation, explain};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `lasp explain` takes.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The program; `-` reads standard input
    file: PathBuf,
    /// How to show the dataflow; by default as the name of --out ends, else as text
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Where to write it instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// How a dataflow is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For Graphviz
    Dot,
    /// A picture
    Svg,
    /// For programs
    Json,
}

impl Format {
    fn by_extension(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "dot" | "gv" => Some(Self::Dot),
            "svg" => Some(Self::Svg),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn render(self, explanation: &Explanation) -> Result<String, String> {
        Ok(match self {
            Self::Text => explanation.to_string(),
            Self::Dot => dot::render(&drawing::panels(explanation)),
            Self::Svg => svg::render(&drawing::panels(explanation))?,
            Self::Json => json::render(explanation),
        })
    }
}

/// Whether a file is named as a picture that is not drawn here.
fn is_other_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
    ["png", "jpg", "jpeg", "gif", "webp", "pdf"].contains(&&*ending)
}

/// Shows the dataflow of the program.
pub(crate) fn main(args: ExplainArgs) -> ExitCode {
    let source = match load(&args.file) {
        Ok(source) => source,
        Err(message) => return complain(&message, USAGE),
    };
    let named = args.out.as_deref().and_then(Format::by_extension);
    let format = if args.json { Format::Json } else { args.format.or(named).unwrap_or(Format::Text) };
    if let (Some(out), Format::Text, None) = (&args.out, format, args.format)
        && is_other_picture(out)
    {
        let out = out.display();
        return complain(&format!("error: pictures are drawn as SVG, not as {out} asks; name it .svg"), USAGE);
    }
    let (explanation, stop) = explain(&source);
    if let Some(Stop::Rejected(diagnostics)) = &stop {
        return complain(&render_all(diagnostics, &source, color()), REJECTED);
    }
    let written = format.render(&explanation).and_then(|text| write(args.out.as_deref(), &text));
    if let Err(message) = written {
        return complain(&message, FAILED);
    }
    match stop {
        Some(Stop::Failed(fault)) => {
            let message = fault.diagnostic().render(&fault.source, color());
            complain(&format!("{message}\n\nthe dataflow shown is that of the program up to here"), FAILED)
        }
        _ => ExitCode::SUCCESS,
    }
}

fn write(out: Option<&Path>, text: &str) -> Result<(), String> {
    match out {
        Some(path) => {
            std::fs::write(path, text).map_err(|error| format!("error: cannot write {}: {error}", path.display()))
        }
        None => {
            // Nobody reads any more: that is no failure of the program.
            let _ = io::stdout().write_all(text.as_bytes());
            Ok(())
        }
    }
}
