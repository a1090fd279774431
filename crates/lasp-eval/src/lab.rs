//! Experiments on overlays alone: no variables, only membership and broadcast.
//!
//! - [`run`]: an experiment from its configuration to its archive: start here. [`options`]: what can be set.
//! - [`experiment`]: the HyParView paper's: reliability, healing and shape of an overlay. [`scale`], with [`tree`]: very large ones.
//! - [`subject`]: what is run: the strategy under test, variants of it, others.
//! - [`rapid`]: the Rapid paper's: a full membership under joins, crashes and bad links. [`churn`]: partial views while nodes come
//!   and go. [`idle`]: what a node costs that has nothing to do.
//! - [`broadcast`]: the Plumtree paper's: trees with one sender and many, and after failures.
//! - [`metered`], [`traffic`]: peers whose messages are weighed. [`seeds`]: one experiment under several seeds.
//! - [`strategy`]: what an experiment asks of an overlay. [`simulated`], with [`flood`]: the real state machines in
//!   virtual time, on a [`plane`] if links are to cost something. [`gossip`], [`cyclon`]: models in rounds, for comparison.
//! - [`graph`]: clustering, paths, components.
//! - [`measured`], [`charts`], [`page`], [`published`]: figures over all seeds, beside the published ones.

pub mod broadcast;
pub mod charts;
pub mod churn;
pub mod cyclon;
pub mod experiment;
pub mod flood;
pub mod gossip;
pub mod graph;
pub mod idle;
pub mod measured;
pub mod metered;
pub mod options;
pub mod page;
pub mod plane;
pub mod published;
pub mod rapid;
pub mod run;
pub mod scale;
pub mod seeds;
pub mod simulated;
pub mod strategy;
pub mod subject;
pub mod threads;
pub mod traffic;
pub mod tree;
