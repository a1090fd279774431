//! Experiments on clusters, from a configuration to a report.
//!
//! The same scenario runs in real processes and in virtual time: a scenario is a program over the public API, and hosts
//! differ. What nodes write down is the same too, and everything after it is arithmetic.
//!
//! - [`run`]: an evaluation from its configuration to its archive. Start here.
//! - [`config`], with [`choice`] and [`span`]: what is run. [`scenario`]: what nodes do in it.
//! - [`process`], [`sim_host`]: the two hosts. [`progress`]: what they tell while a run goes.
//! - [`journal`], [`record`], [`flow`], [`usage`]: what a node writes down, and what is kept of it. [`watch`]: all nodes at once.
//! - [`summary`], [`aggregate`], [`series`], [`overlay`], [`stats`], [`figure`]: figures from records. [`economy`], with [`tree`]
//!   and [`variables`]: what agreeing took. [`ledger`]: the same of nodes without records.
//! - [`lab`]: experiments on overlays alone. [`replication`]: on how state travels.
//! - [`loopback`]: on nodes as they are run, over real sockets.
//! - [`plot`], with [`palette`], [`report`], [`archive`], [`stamp`]: figures as pictures, a page, a directory.

pub mod aggregate;
pub mod archive;
pub mod choice;
pub mod config;
pub mod disturb;
pub mod economy;
pub mod figure;
pub mod flow;
pub mod journal;
pub mod lab;
pub mod ledger;
pub mod loopback;
pub mod overlay;
pub mod paced;
pub mod palette;
pub mod plot;
pub mod process;
pub mod progress;
pub mod record;
pub mod replay;
pub mod replication;
pub mod report;
pub mod run;
pub mod scenario;
pub mod series;
pub mod sim_host;
pub mod span;
pub mod stamp;
pub mod stats;
pub mod summary;
pub mod tree;
pub mod usage;
pub mod variables;
pub mod watch;
