//! What viewers cost, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start. Plain numbers that nothing follows from: any order of memory will do.
#[derive(Debug, Default)]
pub(super) struct Counts {
    events: AtomicU64,
    event_bytes: AtomicU64,
    stalled: AtomicU64,
}

impl Counts {
    /// An event was made for a viewer.
    pub(super) fn made(&self, bytes: usize) {
        self.events.fetch_add(1, Ordering::Relaxed);
        self.event_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// A connection was ended because nobody read what it had to say.
    pub(super) fn stalled(&self) {
        self.stalled.fetch_add(1, Ordering::Relaxed);
    }

    /// By name, with what each is.
    pub(super) fn all(&self) -> [(&'static str, &'static str, u64); 3] {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("lasp_viewer_events_total", "Events made for streams of changes.", count(&self.events)),
            ("lasp_viewer_bytes_total", "Bytes of those.", count(&self.event_bytes)),
            ("lasp_http_stalled_total", "HTTP connections ended because nobody read them.", count(&self.stalled)),
        ]
    }
}
