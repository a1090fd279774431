//! What of the deltas that arrive is needed: the rest had come before, or is not kept here.
//!
//! The store takes the difference between what arrives and what it holds in any case; here its entries are counted. Bytes are
//! not told apart within an item: of one of which a third of the entries was news, a third of the bytes was needed.

use crate::metrics::Metrics;
use crate::wire::Load;

impl Metrics {
    /// The store has grown by so many entries that arrived.
    pub(crate) const fn learnt(&mut self, entries: usize) {
        self.entries_needed += entries as u64;
    }

    /// An item with these deltas has been taken in; `before` it, `entries_needed` was this.
    pub(crate) fn took(&mut self, load: Load, before: u64) {
        if load == Load::default() {
            return;
        }
        let news = (self.entries_needed - before).min(load.entries);
        self.payloads_received += 1;
        self.payloads_needed += u64::from(news > 0);
        self.entries_received += load.entries;
        self.state_received += load.bytes;
        // Every delta has an entry; what could have none is not divided by.
        self.state_needed += (u128::from(load.bytes) * u128::from(news) / u128::from(load.entries.max(1))) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_news_is_needed_and_no_more_than_came() {
        let mut metrics = Metrics::default();
        let load = Load { bytes: 90, entries: 3 };
        metrics.learnt(3);
        metrics.took(load, 0);
        metrics.took(load, 3);
        metrics.learnt(1);
        metrics.took(load, 3);
        // What is derived from what came, or came with it, is not what came.
        metrics.learnt(7);
        metrics.took(load, 4);
        metrics.took(Load::default(), 11);
        assert_eq!((metrics.payloads_received, metrics.payloads_needed), (4, 3));
        assert_eq!((metrics.state_received, metrics.state_needed), (360, 90 + 30 + 90));
        assert_eq!((metrics.entries_received, metrics.entries_needed), (12, 11));
    }
}
