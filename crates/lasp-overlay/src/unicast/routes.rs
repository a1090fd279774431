//! Who is behind which neighbour, as far as searches and messages have shown.
//!
//! A route is as fresh as the [`Stamp`] with which its destination last showed itself over it. A fresher one replaces it,
//! or one as fresh and shorter; one that did not lead there is replaced by a fresher one only. So routes never form a loop
//! (Perkins and Royer, 1999, §2.2). Bounded: the least recently used is forgotten.

use super::message::Stamp;
use super::recency::Recency;
use crate::peer::PeerId;
use std::collections::BTreeMap;

/// Routes by destination.
#[derive(Debug)]
pub(super) struct Routes {
    routes: BTreeMap<PeerId, Route>,
    recency: Recency<PeerId>,
    limit: usize,
}

#[derive(Clone, Copy, Debug)]
struct Route {
    /// The neighbour, unless it did not lead there.
    over: Option<PeerId>,
    stamp: Stamp,
    hops: u8,
    used: u64,
}

impl Routes {
    pub(super) const fn new(limit: usize) -> Self {
        Self { routes: BTreeMap::new(), recency: Recency::new(), limit }
    }

    pub(super) fn len(&self) -> usize {
        self.routes.len()
    }

    /// The neighbour that a peer is behind; the route counts as used.
    pub(super) fn find(&mut self, to: PeerId) -> Option<PeerId> {
        let route = self.routes.get(&to).copied().filter(|route| route.over.is_some())?;
        self.put(to, route);
        route.over
    }

    /// Learns that a peer showed itself, `hops` links away, over a neighbour.
    pub(super) fn learn(&mut self, to: PeerId, over: PeerId, stamp: Stamp, hops: u8) {
        if let Some(known) = self.routes.get(&to) {
            let shorter = known.over.is_some() && stamp == known.stamp && hops < known.hops;
            if stamp <= known.stamp && !shorter {
                return;
            }
        }
        self.put(to, Route { over: Some(over), stamp, hops, used: 0 });
        while self.routes.len() > self.limit {
            let Some(oldest) = self.recency.pop() else { return };
            self.routes.remove(&oldest);
        }
    }

    fn put(&mut self, to: PeerId, route: Route) {
        let before = self.routes.get(&to).map_or(0, |known| known.used);
        let used = self.recency.touch(to, before);
        self.routes.insert(to, Route { used, ..route });
    }

    /// The route to a peer did not lead there.
    pub(super) fn spoil(&mut self, to: PeerId) {
        if let Some(route) = self.routes.get_mut(&to) {
            route.over = None;
        }
    }

    /// The route to a peer did not lead there, if it is over this neighbour.
    pub(super) fn spoil_over(&mut self, to: PeerId, over: PeerId) {
        if let Some(route) = self.routes.get_mut(&to).filter(|route| route.over == Some(over)) {
            route.over = None;
        }
    }

    /// A neighbour is gone, and with it all behind it. O(routes).
    pub(super) fn neighbor_gone(&mut self, over: PeerId) {
        self.routes.values_mut().filter(|route| route.over == Some(over)).for_each(|route| route.over = None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PeerId = PeerId(1);
    const B: PeerId = PeerId(2);
    const C: PeerId = PeerId(3);
    const VIA: PeerId = PeerId(8);
    const OTHER: PeerId = PeerId(9);

    const fn at(serial: u64) -> Stamp {
        Stamp { life: 1, serial }
    }

    #[test]
    fn the_least_recently_used_route_goes_first() {
        let mut routes = Routes::new(2);
        routes.learn(A, VIA, at(1), 3);
        routes.learn(B, VIA, at(1), 3);
        assert_eq!(routes.find(A), Some(VIA));
        routes.learn(C, VIA, at(1), 3);
        assert_eq!((routes.find(A), routes.find(B), routes.find(C)), (Some(VIA), None, Some(VIA)));
        assert_eq!((routes.len(), routes.recency.len()), (2, 2));
    }

    #[test]
    fn a_fresher_route_counts_or_one_as_fresh_and_shorter() {
        let mut routes = Routes::new(9);
        let mut learn = |over, serial, hops| {
            routes.learn(A, over, at(serial), hops);
            routes.find(A)
        };
        assert_eq!(learn(VIA, 2, 3), Some(VIA));
        assert_eq!(learn(OTHER, 1, 1), Some(VIA), "staler");
        assert_eq!(learn(OTHER, 2, 3), Some(VIA), "as long");
        assert_eq!(learn(OTHER, 2, 2), Some(OTHER), "shorter");
        assert_eq!(learn(VIA, 3, 9), Some(VIA), "fresher");
    }

    #[test]
    fn what_did_not_lead_there_is_only_replaced_by_what_is_fresher() {
        let mut routes = Routes::new(9);
        routes.learn(A, VIA, at(2), 3);
        routes.learn(B, OTHER, at(2), 3);
        routes.neighbor_gone(VIA);
        assert_eq!((routes.find(A), routes.find(B)), (None, Some(OTHER)));
        routes.learn(A, OTHER, at(2), 1);
        assert_eq!(routes.find(A), None);
        routes.learn(A, OTHER, at(3), 9);
        assert_eq!(routes.find(A), Some(OTHER));
        routes.spoil_over(A, VIA);
        assert_eq!(routes.find(A), Some(OTHER));
        routes.spoil_over(A, OTHER);
        routes.spoil(B);
        assert_eq!((routes.find(A), routes.find(B)), (None, None));
    }
}
