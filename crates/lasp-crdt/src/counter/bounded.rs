//! The bounded counter: it never goes below zero, without asking anybody.
//!
//! Source: Balegas et al., "Extending Eventually Consistent Cloud Databases for Enforcing Numeric Invariants" (SRDS'15),
//! who take escrow (O'Neil, TODS'86) to replicas. An increment gives the replica that makes it as many *rights*; a
//! decrement uses rights of its own; rights can be transferred. A replica that has not enough of them refuses, though
//! the counter may stand high: it has to get some from others first, and how is the caller's business.
//!
//! The state is the paper's matrix *R* and vector *U*, of which each number only grows and has one writer: `R[i][i]` is
//! what replica *i* created, `R[i][j]` what it transferred to *j*, `U[i]` what it used. So *i* has the rights
//! `R[i][i] + Σ R[j][i] − Σ R[i][j] − U[i]`, and knows all that lowers them, whatever it has not heard: the rights seen
//! by their owner are at most its rights, so what it uses, it has.

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::dot::ReplicaId;
use crate::fingerprint::{self, Fingerprint};
use crate::lattice::{Decompose, Delta, Lattice};
use std::collections::BTreeMap;
use thiserror::Error;

/// A counter that never goes below zero.
///
/// Each replica id has one writer, which holds all that it ever wrote: two writers, or one that has lost its memory, may
/// use the same rights twice. Each number stops at `u64::MAX`: an increment beyond it is lost, a decrement or a transfer
/// beyond it is refused.
///
/// ```
/// use lasp_crdt::{BoundedCounter, Lattice, ReplicaId};
///
/// let (shop, depot) = (ReplicaId(1), ReplicaId(2));
/// let mut stock = BoundedCounter::new();
/// stock.merge(stock.increment(depot, 10));
/// assert!(stock.decrement(shop, 1).is_err());
/// stock.merge(stock.transfer(depot, shop, 4)?);
/// stock.merge(stock.decrement(shop, 3)?);
/// assert_eq!((stock.value(), stock.rights(shop), stock.rights(depot)), (7, 1, 6));
/// # Ok::<(), lasp_crdt::NotEnoughRights>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct BoundedCounter {
    /// No zeroes.
    cells: BTreeMap<Cell, u64>,
    /// What follows from the cells for each replica; no zeroes. Below zero where a transfer to it has not been heard of.
    rights: BTreeMap<ReplicaId, i128>,
    /// Rights created less rights used.
    total: i128,
    fingerprint: u64,
}

/// One number of the matrix or the vector, named by who writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Cell {
    by: ReplicaId,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum What {
    Used,
    Created,
    /// Never to oneself.
    Transferred(ReplicaId),
}

/// A replica asked for more than it may spend. The counter is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("replica {replica} asked for {asked} rights and may spend {owned}")]
pub struct NotEnoughRights {
    /// Who asked.
    pub replica: ReplicaId,
    /// For how many.
    pub asked: u64,
    /// How many it may spend: its rights as far as they are known here; less if the number that would record it is
    /// nearly at `u64::MAX`.
    pub owned: u64,
}

impl BoundedCounter {
    /// The counter at 0, where nobody has rights.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was created less what was used, as far as it is known here; at most `u64::MAX`. It is 0 while a use is known
    /// whose creation is not. Cost: O(1).
    pub fn value(&self) -> u64 {
        clamped(self.total)
    }

    /// How many rights `replica` has, as far as it is known here; at most `u64::MAX`. At `replica` itself these are its own
    /// for sure: others can only have given it more. They are kept, not summed up. Cost: O(log r) for r replicas.
    pub fn rights(&self, replica: ReplicaId) -> u64 {
        self.rights.get(&replica).map_or(0, |&rights| clamped(rights))
    }

    /// The delta that adds `n` on behalf of `replica`, which gets as many rights.
    pub fn increment(&self, replica: ReplicaId, n: u64) -> Self {
        self.raised_by(Cell { by: replica, what: What::Created }, n)
    }

    /// The delta that subtracts `n` on behalf of `replica`, which uses as many rights.
    ///
    /// # Errors
    /// [`NotEnoughRights`] if it has fewer.
    pub fn decrement(&self, replica: ReplicaId, n: u64) -> Result<Self, NotEnoughRights> {
        self.spend(Cell { by: replica, what: What::Used }, n)
    }

    /// The delta that gives `n` of the rights of `from` to `to`; made at `from`. To itself, it gives nothing.
    ///
    /// # Errors
    /// [`NotEnoughRights`] if `from` has fewer, even if it is to itself.
    pub fn transfer(&self, from: ReplicaId, to: ReplicaId, n: u64) -> Result<Self, NotEnoughRights> {
        let delta = self.spend(Cell { by: from, what: What::Transferred(to) }, n)?;
        Ok(if from == to { Self::new() } else { delta })
    }

    fn spend(&self, cell: Cell, n: u64) -> Result<Self, NotEnoughRights> {
        let recordable = u64::MAX - self.cell(cell);
        let owned = self.rights(cell.by).min(recordable);
        if n <= owned {
            Ok(self.raised_by(cell, n))
        } else {
            Err(NotEnoughRights { replica: cell.by, asked: n, owned })
        }
    }

    fn cell(&self, cell: Cell) -> u64 {
        self.cells.get(&cell).copied().unwrap_or(0)
    }

    /// The delta that raises a cell by `n`; bottom if it stays as it is.
    fn raised_by(&self, cell: Cell, n: u64) -> Self {
        let (before, mut delta) = (self.cell(cell), Self::new());
        let after = before.saturating_add(n);
        if after > before {
            delta.raise(cell, after);
        }
        delta
    }

    /// Raises one cell, and with it all that follows; `true` if it was lower.
    fn raise(&mut self, cell: Cell, amount: u64) -> bool {
        let before = self.cell(cell);
        if amount <= before {
            return false;
        }
        self.cells.insert(cell, amount);
        self.fingerprint = self.fingerprint.wrapping_sub(share(cell, before)).wrapping_add(share(cell, amount));
        let more = i128::from(amount - before);
        match cell.what {
            What::Created => {
                self.total += more;
                self.change_rights(cell.by, more);
            }
            What::Used => {
                self.total -= more;
                self.change_rights(cell.by, -more);
            }
            What::Transferred(to) => {
                self.change_rights(cell.by, -more);
                self.change_rights(to, more);
            }
        }
        true
    }

    fn change_rights(&mut self, replica: ReplicaId, by: i128) {
        let rights = self.rights.entry(replica).or_insert(0);
        *rights += by;
        if *rights == 0 {
            self.rights.remove(&replica);
        }
    }

    /// The cells that are higher than in `known`.
    fn above(&self, known: &Self) -> Self {
        let mut part = Self::new();
        for (&cell, &amount) in self.cells.iter().filter(|&(&cell, &amount)| amount > known.cell(cell)) {
            part.raise(cell, amount);
        }
        part
    }
}

/// The share of a cell in the fingerprint; none for a zero.
fn share(cell: Cell, amount: u64) -> u64 {
    if amount == 0 { 0 } else { fingerprint::mix(fingerprint::hash(&cell), amount) }
}

/// Sums of fewer than 2⁶³ numbers below 2⁶⁴ do not overflow an `i128`.
fn clamped(n: i128) -> u64 {
    u64::try_from(n).unwrap_or(if n < 0 { 0 } else { u64::MAX })
}

impl PartialEq for BoundedCounter {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.cells == other.cells
    }
}

impl Eq for BoundedCounter {}

impl Lattice for BoundedCounter {
    fn merge(&mut self, other: Self) -> bool {
        if self.is_bottom() {
            *self = other;
            return !self.is_bottom();
        }
        other.cells.into_iter().fold(false, |grew, (cell, amount)| self.raise(cell, amount) | grew)
    }

    fn leq(&self, other: &Self) -> bool {
        self.cells.iter().all(|(&cell, &amount)| amount <= other.cell(cell))
    }

    fn is_bottom(&self) -> bool {
        self.cells.is_empty()
    }
}

impl Decompose for BoundedCounter {
    /// One part per number that is not zero.
    fn decompose(&self) -> impl Iterator<Item = Self> {
        self.cells.iter().map(|(&cell, &amount)| {
            let mut part = Self::new();
            part.raise(cell, amount);
            part
        })
    }
}

impl Delta for BoundedCounter {
    type Digest = Self;

    fn digest(&self) -> Self {
        self.clone()
    }

    fn delta(&self, since: &Self) -> Self {
        self.above(since)
    }

    fn difference(&self, known: &Self) -> Self {
        self.above(known)
    }
}

impl Fingerprint for BoundedCounter {
    fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

const HAS_USED: u64 = 1;
const HAS_CREATED: u64 = 2;

/// The number of writers; per writer its id, how many it gave to `<< 2` with a bit each for whether it used and created,
/// and then what it used, what it created, and whom it gave how much, ascending.
impl Encode for BoundedCounter {
    fn encode(&self, w: &mut Writer<'_>) {
        let cells: Vec<(&Cell, &u64)> = self.cells.iter().collect();
        let rows = || cells.chunk_by(|(a, _), (b, _)| a.by == b.by);
        w.len(rows().count());
        for row in rows() {
            let flags = row.iter().map(|(cell, _)| match cell.what {
                What::Used => HAS_USED,
                What::Created => HAS_CREATED,
                What::Transferred(_) => 1 << 2,
            });
            w.replica(row[0].0.by);
            w.varint(flags.sum());
            for (cell, amount) in row {
                if let What::Transferred(to) = cell.what {
                    w.replica(to);
                }
                w.varint(**amount);
            }
        }
    }
}

impl Decode for BoundedCounter {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut counter = Self::new();
        for _ in 0..r.len("writers")? {
            let bad = r.not_canonical("writers");
            let by = r.replica()?;
            let flags = r.varint("numbers")?;
            let is_ascending = counter.cells.last_key_value().is_none_or(|(last, _)| last.by < by);
            if flags == 0 || !is_ascending {
                return Err(bad);
            }
            if flags & HAS_USED != 0 {
                counter.decode_cell(r, Cell { by, what: What::Used })?;
            }
            if flags & HAS_CREATED != 0 {
                counter.decode_cell(r, Cell { by, what: What::Created })?;
            }
            // Each takes a byte at least, so the input ends before anything else does.
            for _ in 0..flags >> 2 {
                let bad = r.not_canonical("transfers");
                let cell = Cell { by, what: What::Transferred(r.replica()?) };
                let is_ascending = counter.cells.last_key_value().is_none_or(|(last, _)| *last < cell);
                if cell.what == What::Transferred(by) || !is_ascending {
                    return Err(bad);
                }
                counter.decode_cell(r, cell)?;
            }
        }
        Ok(counter)
    }
}

impl BoundedCounter {
    /// Reads the number of a cell: not zero.
    fn decode_cell(&mut self, r: &mut Reader<'_>, cell: Cell) -> Result<(), DecodeError> {
        let bad = r.not_canonical("number of rights");
        let amount = r.varint("number of rights")?;
        if self.raise(cell, amount) { Ok(()) } else { Err(bad) }
    }
}
