//! What is done to the cluster by whoever looks: cuts, crashes, churn, another beginning.

use super::{FIRST, Inner};
use lasp::host::{Host, HostConfig};
use lasp::http::Action;
use lasp_overlay::PeerId;

impl Inner {
    /// Does it.
    ///
    /// # Errors
    /// Why it cannot be done; nothing has changed then.
    pub(super) fn act(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Play {} => self.state.running = true,
            Action::Pause {} => self.state.running = false,
            Action::Speed { factor } => self.state.speed = factor,
            Action::Restart { seed, nodes } => self.restart(seed, nodes),
            Action::Split { parts } => self.split(parts),
            Action::Links { percent } => self.cut_links(percent),
            Action::Heal {} => {
                self.simulator.heal();
                self.state.cut = false;
            }
            Action::Crash { percent } => {
                let others = self.others();
                let count = (others.len() as f64 * percent / 100.0).round() as usize;
                self.rng.sample(&others, count).into_iter().for_each(|peer| self.crash(peer));
            }
            Action::Kill { .. } => self.kill(&action)?,
            Action::Revive {} => {
                for (peer, incarnation) in std::mem::take(&mut self.crashed) {
                    self.bear(peer.0, incarnation);
                }
            }
            Action::Churn { percent } => self.state.churn = percent,
            Action::Updates { rate } => self.state.updates = rate,
        }
        Ok(())
    }

    fn kill(&mut self, action: &Action) -> Result<(), String> {
        match action.victim()? {
            Some(FIRST) => Err("this is the node that serves the page".to_owned()),
            Some(peer) if self.simulator.peer(peer).is_some() => {
                self.crash(peer);
                Ok(())
            }
            _ => Err("no such node is up".to_owned()),
        }
    }

    /// Everything anew, behind the same handle.
    fn restart(&mut self, seed: u64, nodes: u64) {
        let (unused, _lasp) = Host::new(HostConfig::default());
        let (running, speed) = (self.state.running, self.state.speed);
        let host = std::mem::replace(&mut self.host, unused);
        *self = Self::new(host, nodes, seed, speed);
        self.state.running = running;
    }

    fn split(&mut self, parts: u64) {
        let mut peers: Vec<PeerId> = self.simulator.peers().map(|(peer, _)| peer).collect();
        self.rng.shuffle(&mut peers);
        let size = peers.len().div_ceil(parts as usize).max(1);
        let groups: Vec<Vec<PeerId>> = peers.chunks(size).skip(1).map(<[PeerId]>::to_vec).collect();
        self.simulator.partition(&groups);
        self.state.cut = true;
    }

    fn cut_links(&mut self, percent: f64) {
        let links: Vec<(PeerId, PeerId)> = self
            .simulator
            .peers()
            .flat_map(|(peer, node)| node.active_view().into_iter().map(move |other| (peer, other.id)))
            .filter(|(peer, other)| peer < other)
            .collect();
        let count = (links.len() as f64 * percent / 100.0).round() as usize;
        for (a, b) in self.rng.sample(&links, count) {
            self.simulator.block(a, b);
            self.simulator.block(b, a);
        }
        self.state.cut = true;
    }
}
