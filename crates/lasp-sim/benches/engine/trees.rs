//! HyParView and Plumtree: a whole overlay, left alone and then used.

use crate::measure::{pass, report};
use crate::tree::{Command, News, Settings, Tree};
use lasp_overlay::membership::Command as Ask;
use lasp_overlay::{Addr, Contact, PeerId};
use lasp_sim::{Config, Simulator};
use std::time::Duration;

fn contact(n: u64) -> Contact {
    Contact { id: PeerId(n), incarnation: 1, addr: Addr::new(&format!("n{n}")).expect("short") }
}

/// An overlay in which everybody has joined, some time ago.
fn grown(peers: u64, shards: usize) -> Simulator<Tree> {
    let mut sim = Simulator::new(Config { shards, ..Config::seeded(1) });
    let settings = Settings::default();
    for n in 0..peers {
        let rng = sim.rng().fork();
        sim.spawn(contact(n), Tree::new(&settings, contact(n), rng));
        if n > 0 {
            let through = sim.rng().below(n);
            sim.command(PeerId(n), Command::Membership(Ask::Join(vec![contact(through).addr])));
        }
        // A hundred waves.
        if n % (peers / 100).max(1) == 0 {
            pass(&mut sim, Duration::from_millis(100));
        }
    }
    pass(&mut sim, Duration::from_secs(20));
    sim
}

pub(crate) fn measure(peers: u64, shards: usize) {
    let mut sim = grown(peers, shards);
    let seconds = (1_000_000 / peers).clamp(2, 200);
    report(("at rest", shards), &mut sim, |sim| pass(sim, Duration::from_secs(seconds)));
    let messages = (1_000_000 / peers).clamp(5, 200);
    report(("broadcasts", shards), &mut sim, |sim| {
        for number in 0..messages {
            let from = PeerId(sim.rng().below(peers));
            sim.command(from, Command::Broadcast(News(number)));
            pass(sim, Duration::from_millis(20));
        }
    });
}
