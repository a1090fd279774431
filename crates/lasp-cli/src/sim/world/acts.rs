//! What is done to the cluster by whoever looks: cuts, crashes, churn, another beginning.

use super::{FIRST, Inner};
use lasp::host::{Host, HostConfig};
use lasp::http::Action;
use lasp_eval::disturb;

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
            Action::Split { parts } => {
                disturb::split(&mut self.simulator, parts as usize, &mut self.rng);
                self.state.cut = true;
            }
            Action::Links { percent } => {
                disturb::cut_links(&mut self.simulator, percent, &mut self.rng);
                self.state.cut = true;
            }
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
}
