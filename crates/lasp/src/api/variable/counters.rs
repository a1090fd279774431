//! Operations on counters.

use super::Var;
use crate::api::Ask;
use crate::api::kind;
use lasp_dataflow::{Op, ReplicaName};

/// A grow-only counter.
pub type GCounter = Var<kind::GCounter>;
/// A counter that goes both ways.
pub type PnCounter = Var<kind::PnCounter>;
/// A counter that goes both ways, one number for each replica.
pub type LexCounter = Var<kind::LexCounter>;
/// A counter that never goes below zero.
pub type BCounter = Var<kind::BCounter>;

impl GCounter {
    /// Adds to it.
    pub fn increment(&self, by: u64) -> Ask<()> {
        self.update(Op::Increment(by))
    }
}

macro_rules! counters {
    ($($counter:ident)*) => {$(
        impl $counter {
            /// Adds to it.
            pub fn increment(&self, by: u64) -> Ask<()> {
                self.update(Op::Increment(by))
            }

            /// Takes off it.
            pub fn decrement(&self, by: u64) -> Ask<()> {
                self.update(Op::Decrement(by))
            }
        }
    )*};
}

counters!(PnCounter LexCounter);

/// ```
/// # async fn example(shop: lasp::Lasp, depot: lasp::Lasp) -> Result<(), lasp::Error> {
/// let stock = depot.bcounter("stock").await?;
/// stock.increment(10).await?;
/// // The shop may sell four of them without asking anybody, and no more.
/// stock.transfer(4, shop.me().await?.to_string()).await?;
/// let stock = shop.bcounter("stock").await?;
/// stock.read(lasp::AtLeast(10)).await?;
/// stock.decrement(3).await?;
/// assert!(stock.decrement(2).await.is_err());
/// # Ok(()) }
/// ```
impl BCounter {
    /// Adds to it, and gives this node the right to take as much off.
    pub fn increment(&self, by: u64) -> Ask<()> {
        self.update(Op::Increment(by))
    }

    /// Takes off it; refused where this node has the right to less.
    pub fn decrement(&self, by: u64) -> Ask<()> {
        self.update(Op::Decrement(by))
    }

    /// Gives the right to take so much off to another node: a member by its id, its address or both (`id@address`), or any
    /// replica by its id. Refused where this node has the right to less.
    pub fn transfer(&self, rights: u64, to: impl Into<ReplicaName>) -> Ask<()> {
        self.update(Op::Move(rights, to.into()))
    }
}
