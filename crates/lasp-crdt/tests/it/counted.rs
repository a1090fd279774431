//! Elements that count how often they are hashed, compared or copied: what an operation costs, without a clock.

use std::cell::Cell;
use std::hash::{Hash, Hasher};

thread_local! {
    /// How often an element was hashed, compared or copied.
    static TOUCHES: Cell<usize> = const { Cell::new(0) };
}

/// A number that counts what is done with it.
#[derive(Debug)]
pub(crate) struct Counted(pub(crate) u64);

/// Counts something that was done with an element.
pub(crate) fn touch() {
    TOUCHES.set(TOUCHES.get() + 1);
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        touch();
        Self(self.0)
    }
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        touch();
        self.0 == other.0
    }
}

impl Eq for Counted {}

impl PartialOrd for Counted {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Counted {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        touch();
        self.0.cmp(&other.0)
    }
}

impl Hash for Counted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        touch();
        self.0.hash(state);
    }
}

/// The result, and how many elements it took.
pub(crate) fn touches<T>(f: impl FnOnce() -> T) -> (T, usize) {
    let before = TOUCHES.get();
    let result = f();
    (result, TOUCHES.get() - before)
}
