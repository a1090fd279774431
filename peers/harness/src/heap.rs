//! The system's allocator, which counts the live bytes that were asked for while it is told to.
//!
//! Of its own rather than a crate's: those count always, with several atomic additions for each allocation, which
//! would be measured with whatever is timed. This one reads a flag. Each thread counts for itself.

#![expect(unsafe_code, reason = "an allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Installed in every program that uses this crate.
#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Counting;

thread_local! {
    // Constant and without destructors, so that reaching them allocates nothing.
    static COUNTS: Cell<bool> = const { Cell::new(false) };
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

/// What `build` returns, and how many bytes on the heap it left behind: those in its result, and those it leaked.
pub fn live_bytes<T>(build: impl FnOnce() -> T) -> (T, f64) {
    LIVE.set(0);
    COUNTS.set(true);
    let built = build();
    COUNTS.set(false);
    (built, LIVE.get() as f64)
}

fn count(grown: usize, shrunk: usize) {
    if COUNTS.get() {
        LIVE.set(LIVE.get() + grown as isize - shrunk as isize);
    }
}

// SAFETY: every call goes to `System` as it came; counting neither allocates nor panics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_freed_or_moved_is_not_live() {
        let (kept, bytes) = live_bytes(|| {
            drop(vec![0u8; 5 << 20]);
            let mut grown = vec![1u8; 1 << 20];
            grown.reserve_exact(1 << 20);
            grown
        });
        assert_eq!((kept.len(), bytes), (1 << 20, f64::from(2 << 20)));
    }
}
