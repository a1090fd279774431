//! How much waits for the links of a node, and the most that ever did.
//!
//! Entries are counted as they come and go. Bytes would have to be written to be known: they are, whenever so many entries
//! wait on a link as never before, by an eighth (so what is written is a few times what ever waited at once, whatever
//! happens), and what is under way is known anyway.

use crate::link::Link;
use crate::metrics::Metrics;

/// What was noted of a link when it was last looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Noted {
    entries: usize,
}

/// What waits at a node for all of its links together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backlog {
    entries: usize,
    /// Bytes are written from so many entries on one link.
    weighed_from: usize,
}

impl Backlog {
    /// Looks at a link: before what waits is sent, or after.
    pub(crate) fn note(&mut self, link: &mut Link, metrics: &mut Metrics) {
        let entries = link.held();
        let noted = std::mem::replace(link.noted(), Noted { entries });
        self.entries = (self.entries + entries).saturating_sub(noted.entries);
        metrics.link_entries_peak = metrics.link_entries_peak.max(entries as u64);
        metrics.node_entries_peak = metrics.node_entries_peak.max(self.entries as u64);
        let mut bytes = link.in_flight();
        if entries > self.weighed_from {
            self.weighed_from = entries + entries / 8;
            bytes = link.bytes();
        }
        metrics.link_bytes_peak = metrics.link_bytes_peak.max(bytes as u64);
    }

    /// A link is gone, with what waited for it.
    pub(crate) fn forget(&mut self, link: &mut Link) {
        let Noted { entries } = std::mem::take(link.noted());
        self.entries = self.entries.saturating_sub(entries);
    }

    /// How many entries wait on all links.
    pub(crate) const fn entries(&self) -> usize {
        self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;
    use crate::link::LinkConfig;
    use crate::payload::{Batch, Payload};
    use crate::wire::Item;
    use lasp_crdt::{AwSet, Dot, Lattice as _, ReplicaId};
    use lasp_dataflow::{Name, State, Type, Value};
    use lasp_overlay::broadcast::Ids;
    use lasp_overlay::{Rng, Time};

    /// Some elements of one of three sets, of which one may be large.
    fn delta(rng: &mut Rng, large: bool) -> (Key, State) {
        let (which, replica) = (rng.below(3).max(u64::from(!large)), ReplicaId(1 + rng.below(1000)));
        let key = Key::new(Name::new(format!("set-{which}")).unwrap(), Type::AwSet);
        let (count, length) = if which == 0 { (200, 1000) } else { (1 + rng.below(5), 8) };
        let mut set = AwSet::new();
        for _ in 0..count {
            set.merge(set.add(replica, Value::from(format!("{:0>1$}", rng.below(500), length))));
        }
        (key, State::from(set))
    }

    fn item(rng: &mut Rng, large: bool) -> Item {
        let (key, delta) = delta(rng, large);
        let batch = Batch::single(key, delta);
        let id = Dot::new(ReplicaId(9), 1 + rng.below(1 << 40));
        let ids = if rng.chance(0.2) { Ids::shaping(id) } else { Ids::from(id) };
        match rng.below(4) {
            0 => Item::Relay(batch),
            1 => Item::Data(batch),
            2 => Item::Group { number: id.counter, batch },
            _ => Item::Gossip { ids, round: 1, payload: Payload::new(batch) },
        }
    }

    /// Pushes items and looks each time, with `check` at what is noted and what waits.
    fn run(large: bool, check: impl Fn(usize, usize)) {
        let (mut rng, config) = (Rng::new(5), LinkConfig::default());
        let (mut link, mut backlog, mut metrics) = (Link::new(), Backlog::default(), Metrics::default());
        let (mut entries, mut bytes) = (0, 0);
        for step in 0..400 {
            link.push(item(&mut rng, large));
            backlog.note(&mut link, &mut metrics);
            check(backlog.entries(), link.entries());
            (entries, bytes) = (entries.max(backlog.entries()), bytes.max(link.bytes()));
            // Now and then the link takes everything, and is empty in the end.
            let takes = step % 20 == 19;
            loop {
                link.flush(Time::from_millis(10 * step), &config, &mut metrics, |_| {});
                let sent = link.load().in_flight;
                if !takes || sent == 0 {
                    break;
                }
                link.drained(Time::from_millis(10 * step + 1), sent, &config);
            }
            backlog.note(&mut link, &mut metrics);
            check(backlog.entries(), link.entries());
            assert!(!takes || (backlog.entries(), link.entries()) == (0, 0), "step {step}");
        }
        assert_eq!((metrics.link_entries_peak, metrics.node_entries_peak), (entries as u64, entries as u64));
        // Bytes are written at records of entries alone.
        assert!(metrics.link_bytes_peak as f64 > 0.8 * bytes as f64, "{} of {bytes}", metrics.link_bytes_peak);
        backlog.forget(&mut link);
        assert_eq!(backlog.entries(), 0);
    }

    #[test]
    fn what_is_noted_is_what_waits() {
        run(false, |noted, waits| assert_eq!(noted, waits));
    }

    #[test]
    fn what_is_large_counts_until_it_is_gone() {
        // Pieces that turn out too large are kept twice while they go.
        run(true, |noted, waits| assert!(2 * noted >= waits, "{noted} noted, {waits} wait"));
    }
}
