//! Experiments on how state travels: our own on [`interest`], and those of the ICDE'19 paper (Enes, Almeida, Baquero, Leitão, "Efficient Synchronization of
//! State-based CRDTs"), whole nodes on a fixed topology in virtual time.
//!
//! - [`reconcile`]: two replicas that differ a little or a lot meet once ([`mod@bench`]: nodes whose network is cut).
//! - [`micro`]: a set, a counter and maps that change by a tenth to all of their keys, over a tree and a mesh. [`retwis`]: a
//!   social network of many small objects.
//! - [`interest`]: many variables of which each node wants few, over a random overlay.
//! - [`heal`]: a cluster that was cut in two, and is mended. [`slow_peer`]: one node reads slowly while the others write much.
//! - [`way`]: what is compared. [`topology`]: over which links. [`cluster`]: the nodes, their load, and what they spend.
//! - [`outcome`]: one run in figures; [`tables`]: runs side by side.

pub mod bench;
pub mod cluster;
pub mod heal;
pub mod interest;
pub mod micro;
pub mod outcome;
pub mod reconcile;
pub mod retwis;
pub mod slow_peer;
pub mod tables;
pub mod topology;
pub mod way;
