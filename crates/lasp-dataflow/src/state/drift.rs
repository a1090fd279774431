//! What of a received state is stamped too far ahead of the clock here: registers in which the last write counts.

use super::{Slot, State};
use lasp_crdt::ClockDrift;

impl State {
    /// Whether all stamps in it are at most `bound_ms` ahead of physical time `now_ms`. Who receives a state asks this
    /// before merging it: see [`LwwRegister::admit`](lasp_crdt::LwwRegister::admit). Cost: the keys of maps, else O(1).
    ///
    /// # Errors
    /// [`ClockDrift`] for the first that is further ahead.
    pub fn admit(&self, now_ms: u64, bound_ms: u64) -> Result<(), ClockDrift> {
        match self {
            Self::LwwRegister(register) => register.admit(now_ms, bound_ms),
            Self::GMap(map) => {
                map.iter().filter_map(|(_, slot)| Slot::get(slot)).try_for_each(|state| state.admit(now_ms, bound_ms))
            }
            Self::Pair(pair) => pair.0.admit(now_ms, bound_ms).and_then(|()| pair.1.admit(now_ms, bound_ms)),
            _ => Ok(()),
        }
    }

    /// Those parts that [`admit`](Self::admit) lets in: one register of a map does not keep out the others. Cost: the size
    /// of the state.
    #[must_use]
    pub fn admitted(&self, now_ms: u64, bound_ms: u64) -> Self {
        let mut admitted = self.bottom_alike();
        for part in self.decompose().into_iter().filter(|part| part.admit(now_ms, bound_ms).is_ok()) {
            admitted.merge(part);
        }
        admitted
    }
}
