//! How long a derivation lives: as long as somebody has a handle to it.

use super::handle::Lasp;
use super::kind::Kind;
use super::variable::Var;
use lasp_dataflow::DerivationId;
use lasp_node::Request;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Keeps a derivation going. When its last clone is gone, the derivation ends at the node.
#[derive(Clone)]
pub(super) struct Life(Arc<Kept>);

struct Kept {
    lasp: Lasp,
    derivation: DerivationId,
    detached: AtomicBool,
}

impl Life {
    pub(super) fn of(lasp: &Lasp, derivation: DerivationId) -> Self {
        Self(Arc::new(Kept { lasp: lasp.clone(), derivation, detached: AtomicBool::new(false) }))
    }

    /// Lets the derivation go on without handles.
    fn detach(&self) {
        self.0.detached.store(true, Ordering::Relaxed);
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if !self.detached.load(Ordering::Relaxed) {
            self.lasp.port().tell(Request::RemoveDerivation(self.derivation));
        }
    }
}

impl fmt::Debug for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.derivation.fmt(f)
    }
}

/// A node, and the derivations that go on at least as long as this.
#[derive(Clone, Debug)]
pub(super) struct Anchor {
    lasp: Lasp,
    lives: Vec<Life>,
}

impl Anchor {
    pub(super) fn new(lasp: &Lasp) -> Self {
        Self { lasp: lasp.clone(), lives: Vec::new() }
    }

    pub(super) fn lasp(&self) -> &Lasp {
        &self.lasp
    }

    /// With one more derivation to keep.
    pub(super) fn keeping(mut self, life: Life) -> Self {
        self.lives.push(life);
        self
    }

    /// With what another anchor keeps, too.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.lives.extend(other.lives.iter().cloned());
        self
    }

    fn detach(&mut self) {
        self.lives.drain(..).for_each(|life| life.detach());
    }
}

/// Derefs to the node.
impl Deref for Anchor {
    type Target = Lasp;

    fn deref(&self) -> &Lasp {
        &self.lasp
    }
}

/// A derived variable, and what keeps its derivation going: when the last clone of this is dropped, the derivation ends at
/// the node, which forgets the variable. What is under way keeps it going as well: a read that is awaited, a watch, and
/// everything derived from it. A bare [`id`](Var::id) does not. [`detach`](Self::detach) lets it go on until the node stops, as does
/// [giving it a name](super::Deriving::named).
#[must_use = "dropping the last handle ends the derivation; `detach` it to let it go on"]
#[derive(Debug)]
pub struct Derived<K>(Var<K>);

impl<K: Kind> Derived<K> {
    pub(super) fn new(var: Var<K>) -> Self {
        Self(var)
    }

    /// Lets the derivation go on until the node stops, whether or not anybody has a handle.
    pub fn detach(self) -> Var<K> {
        let mut var = self.0.clone();
        var.anchor_mut().detach();
        var
    }
}

impl<K> Clone for Derived<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Everything that can be done with a variable of its kind.
impl<K> Deref for Derived<K> {
    type Target = Var<K>;

    fn deref(&self) -> &Var<K> {
        &self.0
    }
}

/// Keeps a derivation into a declared variable going: when the last clone is dropped, nothing more follows there. What was
/// derived stays, as it does at the other nodes.
#[must_use = "dropping the last handle ends the derivation; `detach` it to let it go on"]
#[derive(Clone, Debug)]
pub struct Feed(Anchor);

impl Feed {
    pub(super) fn new(anchor: Anchor) -> Self {
        Self(anchor)
    }

    /// Lets the derivation go on until the node stops.
    pub fn detach(mut self) {
        self.0.detach();
    }
}
