//! The cluster behind a page: a thread lets its time pass.

use super::Inner;
use lasp::Lasp;
use lasp::host::{Host, HostConfig};
use lasp::http::{Action, WorldState};
use lasp_eval::paced::{Cluster, Paced};
use lasp_node::Node;
use lasp_sim::Simulator;
use std::convert::Infallible;
use std::{io, thread};

/// A cluster whose time passes from now on, and a handle to its first node.
///
/// # Errors
/// If no thread can be had.
pub(in crate::sim) fn start(nodes: u64, seed: u64, speed: f64) -> io::Result<(Paced<Inner>, Lasp)> {
    let (host, lasp) = Host::new(HostConfig::default());
    let world = Paced::new(Inner::new(host, nodes, seed, speed));
    let lives = world.clone();
    let live = move || {
        lives.live(|inner, round| {
            round.pass(inner, |inner, until| {
                inner.step(until);
                None::<Infallible>
            })
        })
    };
    thread::Builder::new().name("world".to_owned()).spawn(live)?;
    Ok((world, lasp))
}

impl Cluster for Inner {
    fn simulator(&self) -> &Simulator<Node> {
        &self.simulator
    }

    fn state(&mut self) -> &mut WorldState {
        &mut self.state
    }

    fn serve(&mut self) {
        Self::serve(self);
    }

    fn act(&mut self, action: Action) -> Result<(), String> {
        Self::act(self, action)
    }
}
