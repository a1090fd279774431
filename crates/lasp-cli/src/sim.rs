//! `lasp sim`: a simulated cluster to look at and disturb, in a browser.
//!
//! `world`: the cluster, its time, and what is done to it. The page is that of `lasp node --http`, served by the first of
//! the simulated nodes, with buttons for the world besides.

mod world;

use clap::Args;
use lasp::Settings;
use lasp::http::serve_world;
use std::process::ExitCode;
use std::sync::Arc;

/// Runs a simulated cluster and serves its page until Ctrl-C.
#[derive(Args, Clone, Debug)]
pub(crate) struct SimArgs {
    /// How many nodes
    #[arg(long, value_name = "N", default_value_t = 200, env = "LASP_SIM_NODES", value_parser = clap::value_parser!(u64).range(1..=5000))]
    nodes: u64,
    /// What everything random in it follows from
    #[arg(long, value_name = "SEED", default_value_t = 1, env = "LASP_SIM_SEED")]
    seed: u64,
    /// How many of its seconds pass in one
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, env = "LASP_SIM_SPEED")]
    speed: f64,
    /// Where to serve the page; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0", env = "LASP_SIM_UI")]
    ui: String,
}

/// Runs `lasp sim`.
pub(crate) fn main(args: &SimArgs) -> ExitCode {
    if !(0.01..=100.0).contains(&args.speed) {
        return fail("--speed must be from 0.01 to 100", 64);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served = runtime.map_err(|error| error.to_string()).and_then(|runtime| runtime.block_on(serve(args)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, 1),
    }
}

fn fail(message: &str, code: u8) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(code)
}

async fn serve(args: &SimArgs) -> Result<(), String> {
    let (world, lasp) = world::start(args.nodes, args.seed, args.speed).map_err(|error| error.to_string())?;
    let settings = Settings { http: Some(args.ui.clone()), ..Settings::default() };
    let served = serve_world(&settings, &lasp, "hyparview", Arc::new(world)).await;
    let addr = served.map_err(|error| error.to_string().replace("`http`", "--ui"))?;
    println!("{} simulated nodes, seed {}: http://{addr}/", args.nodes, args.seed);
    tokio::signal::ctrl_c().await.map_err(|error| error.to_string())
}
