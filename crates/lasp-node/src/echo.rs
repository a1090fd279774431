//! Derived deltas that others may be about to say as well.
//!
//! Where several nodes derive into one replicated variable, each computes the same delta when the news that it follows from
//! arrives. One broadcast of it is enough, for the nodes that hear the result alone. So a node waits a random while; what
//! it hears from others in that time it need not say itself (suppression by random delay: Floyd et al., SRM, ToN'97). The
//! delay is the greatest of four uniform ones, which lets few speak first, however many there are (after Nonnenmacher &
//! Biersack, ToN'99, who use an exponential). What follows from an update made *here* does not wait: nobody else has it.

use crate::key::Key;
use crate::payload::Batch;
use lasp_dataflow::State;
use lasp_overlay::Rng;
use std::time::Duration;

/// The longest delay. A guess: several times what news takes through a large cluster.
const LONGEST: Duration = Duration::from_millis(200);

/// How many uniform delays the greatest is taken of.
const DRAWS: usize = 4;

/// What a node may have to say, if nobody else does.
#[derive(Debug, Default)]
pub(crate) struct Echo {
    waiting: Batch,
    armed: bool,
}

impl Echo {
    /// Adds a derived delta; the delay until [`take`](Self::take) is due, if no earlier one runs.
    pub(crate) fn push(&mut self, key: &Key, delta: &State, rng: &mut Rng) -> Option<Duration> {
        self.waiting.absorb(key, delta);
        if self.armed {
            return None;
        }
        self.armed = true;
        (0..DRAWS).map(|_| rng.duration(Duration::ZERO, LONGEST)).max()
    }

    /// What of a delta waits here.
    pub(crate) fn shared(&self, key: &Key, delta: &State) -> State {
        self.waiting.shared(key, delta)
    }

    /// Somebody said this.
    pub(crate) fn heard(&mut self, key: &Key, delta: &State) {
        if !self.waiting.is_empty() {
            self.waiting.subtract(key, delta);
        }
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The delay is over: what nobody has said.
    pub(crate) fn take(&mut self) -> Batch {
        self.armed = false;
        std::mem::take(&mut self.waiting)
    }
}
