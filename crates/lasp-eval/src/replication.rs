//! Experiments on how state travels: those of the ICDE'19 paper (Enes, Almeida, Baquero, Leitão, "Efficient Synchronization of
//! State-based CRDTs"), whole nodes on a fixed topology in virtual time.
//!
//! - [`micro`]: a set, a counter and maps that change by a tenth to all of their keys, over a tree and a mesh. [`retwis`]: a
//!   social network of many small objects.
//! - [`way`]: what is compared. [`topology`]: over which links. [`cluster`]: the nodes, their load, and what they spend.
//! - [`outcome`]: one run in figures; [`tables`]: runs side by side.

pub mod cluster;
pub mod micro;
pub mod outcome;
pub mod retwis;
pub mod tables;
pub mod topology;
pub mod way;
