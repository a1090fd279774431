//! Changes around a node, as a stream.

use super::Lasp;
use crate::host::watchers::Watcher;
use lasp_overlay::membership::change::Change;
use std::future::poll_fn;
use std::sync::Arc;

/// Changes of a node's views and of who is in its cluster: see [`Lasp::view_changes`].
#[derive(Debug)]
#[must_use = "whoever wants to hear asks for the next change"]
pub struct ViewChanges(Arc<Watcher>);

impl ViewChanges {
    /// What has changed since the last one, as soon as anything has; `None` once the node has stopped. The first tells whom
    /// the node knew when it was asked for, as if they had all just come. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Option<Change> {
        poll_fn(|cx| self.0.poll_next(cx)).await
    }
}

impl Lasp {
    /// Who becomes a neighbour and who is one no more, who joins the cluster and who leaves it, fails to answer, or is known
    /// besides: each difference in order. Whoever asks too slowly gets several in one, and misses none that lasts.
    ///
    /// ```
    /// # async fn example(lasp: lasp::Lasp) {
    /// let mut changes = lasp.view_changes();
    /// while let Some(change) = changes.next().await {
    ///     change.left.iter().for_each(|peer| println!("{peer} said goodbye"));
    ///     change.down.iter().for_each(|peer| println!("{peer} is no neighbour any more"));
    ///     println!("{} neighbours", change.view.len());
    /// }
    /// # }
    /// ```
    pub fn view_changes(&self) -> ViewChanges {
        ViewChanges(self.port().watch_views())
    }
}
