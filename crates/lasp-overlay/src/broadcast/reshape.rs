//! A tree made anew: of the ways that one message takes over all links, eager and lazy.
//!
//! What is mended again and again gets deep: each repair joins two pieces wherever a link is at hand. A message that goes over
//! every link finds the shortest ways there are. Of two ends of a link that both passed it to the other, neither had it from
//! there, and the link is one too many; one over which it went one way only is where its receiver had it from first. So both
//! ends know what the link is in the new tree without a word, and until then the old one carries what there is.

use super::Payload;
use super::plumtree::Plumtree;
use crate::peer::PeerId;
use crate::protocol::Outbox;
use crate::time::Time;
use lasp_crdt::Dot;

/// The message that makes the tree anew, as long as it is under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Reshape {
    id: Option<Dot>,
    /// The neighbours that took part, and whether it came from them after it had come from another.
    links: Vec<(PeerId, bool)>,
    /// The tree was made anew since somebody asked.
    done: bool,
}

impl Reshape {
    /// A copy came over a link after the first.
    pub(super) fn came_again(&mut self, id: Dot, from: PeerId) {
        if self.id == Some(id) {
            self.links.iter_mut().filter(|(peer, _)| *peer == from).for_each(|(_, again)| *again = true);
        }
    }
}

impl<P: Payload> Plumtree<P> {
    /// A message that makes the tree anew was heard for the first time, or is broadcast here.
    pub(super) fn begin_anew(&mut self, now: Time, id: Dot, out: &mut Outbox<Self>) {
        if self.shape.current() == Some(id) {
            let links = self.neighbors.keys().map(|peer| (*peer, false)).collect();
            self.reshape = Reshape { id: Some(id), links, done: self.reshape.done };
            out.set_timer(self.shape.settles_at().since(now), super::Timer::Shape);
        }
    }

    /// Every copy has come: `true` if the links are now those of a new tree.
    pub(super) fn end_anew(&mut self, now: Time) -> bool {
        let Some(id) = self.reshape.id.take() else { return false };
        let links = std::mem::take(&mut self.reshape.links);
        // Another message, with a lower id, may shape the tree instead.
        if self.shape.current() != Some(id) {
            return false;
        }
        for (peer, again) in links {
            let Some(neighbor) = self.neighbors.get_mut(&peer) else { continue };
            if again {
                neighbor.make_lazy(now + self.config.settle);
            } else {
                // What was pushed before went along the old tree.
                neighbor.make_eager();
                neighbor.settles_at = now + self.config.settle;
            }
        }
        self.metrics.reshaped += 1;
        self.reshape.done = true;
        true
    }

    /// Whether the tree was made anew since the last call.
    pub fn take_reshaped(&mut self) -> bool {
        std::mem::take(&mut self.reshape.done)
    }
}
