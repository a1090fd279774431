//! Intervals that are larger than a frame are put together from pieces before anything of them is merged: one at a time, so
//! that a node holds no more of them than it is about to hold of the group.

use super::message::{Group, Interval};
use crate::payload::Batch;
use crate::wire::CHUNK;
use lasp_overlay::PeerId;

/// The interval that is being put together.
#[derive(Debug)]
struct Open {
    from: PeerId,
    group: Group,
    number: u64,
    batch: Batch,
    came: Vec<bool>,
    missing: usize,
}

/// What has come of intervals in pieces.
#[derive(Debug)]
pub(super) struct Assembly {
    most: usize,
    open: Option<Open>,
}

impl Assembly {
    /// Nothing yet; for intervals of so many bytes at most.
    pub(super) const fn new(bytes: usize) -> Self {
        Self { most: bytes / CHUNK, open: None }
    }

    /// Whether an interval is not too large.
    pub(super) const fn fits(&self, interval: &Interval) -> bool {
        interval.pieces == 1 || interval.pieces <= self.most
    }

    /// Takes a piece: the whole interval once it is there. While one neighbour's is being put together, those of others are
    /// left alone: they are told again. A later one of the same neighbour takes the place of the one before.
    pub(super) fn add(&mut self, from: PeerId, interval: Interval) -> Option<Batch> {
        let fits = self.fits(&interval);
        let Interval { number, group, piece, pieces, batch, .. } = interval;
        if pieces == 1 {
            return Some(batch);
        }
        if !fits || self.open.as_ref().is_some_and(|open| open.from != from) {
            return None;
        }
        if self.open.as_ref().is_none_or(|open| open.number < number) {
            let (batch, came) = (Batch::default(), vec![false; pieces]);
            self.open = Some(Open { from, group, number, batch, came, missing: pieces });
        }
        let open = self.open.as_mut().filter(|open| open.number == number && open.came.len() == pieces)?;
        if std::mem::replace(&mut open.came[piece], true) {
            return None;
        }
        open.missing -= 1;
        for (key, delta) in batch.iter() {
            open.batch.absorb(key, delta);
        }
        if open.missing > 0 {
            return None;
        }
        self.open.take().map(|open| open.batch)
    }

    /// Gives up what nobody goes on telling.
    pub(super) fn retain(&mut self, goes_on: impl Fn(PeerId, &Group) -> bool) {
        self.open.take_if(|open| !goes_on(open.from, &open.group));
    }
}
