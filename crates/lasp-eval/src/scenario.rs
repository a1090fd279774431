//! What nodes do in an evaluation, as programs over the public API: the same code in processes and in virtual time.
//!
//! - [`advertisement`]: the talk's application.
//! - [`shared_load`]: one counter, one set, everybody writes.
//! - [`latency`]: one writes, the others wait.
//! - [`completion`]: how the nodes find out among themselves that all is done.
//! - [`measure`]: what is written down beside it.

pub mod advertisement;
pub mod completion;
pub mod latency;
pub mod measure;
pub mod shared_load;

use crate::config::{Config, Scenario};
use crate::journal::Journal;
use crate::record::Role;
use lasp::{Error, Lasp, Threshold};
use lasp_crdt::fingerprint::mix;
use lasp_overlay::Rng;
use std::sync::Arc;
use std::time::Duration;

/// How long a node leaves the others to come up and find each other: twice the time after which neighbours compare again
/// what they had at first.
const FORMATION: Duration = Duration::from_secs(2);

/// One node's part in a scenario.
#[derive(Clone, Debug)]
pub struct Member {
    /// The node.
    pub lasp: Lasp,
    /// What it writes down.
    pub journal: Journal,
    /// What is run.
    pub config: Arc<Config>,
    /// Its number; 0 is the server.
    pub index: usize,
    /// Which life of it this is, from 1.
    pub incarnation: u64,
}

/// The name and role of node `index`.
pub fn cast(index: usize) -> (String, Role) {
    match index {
        0 => ("server".to_owned(), Role::Server),
        client => (format!("client-{client}"), Role::Client),
    }
}

/// The name of the node with an id: nodes are numbered from 1.
pub fn named(id: u64) -> String {
    cast(usize::try_from(id.saturating_sub(1)).unwrap_or(usize::MAX)).0
}

/// What is counted in a scenario, and how many there will be at least.
pub fn expectation(config: &Config) -> (&'static str, u64) {
    match &config.scenario {
        Scenario::AdvertisementCounter(options) => ("impressions", options.impressions * options.ads as u64),
        Scenario::SharedLoad(options) => {
            ("updates", (options.increments + options.increments / options.increments_per_add) * config.nodes as u64)
        }
        Scenario::Latency(options) => ("updates", options.rounds),
        _ => ("steps", 0),
    }
}

impl Member {
    /// Its name: the key under which the others know it.
    pub fn name(&self) -> String {
        cast(self.index).0
    }

    /// Its number: the key under which it speaks of itself, a byte or two where a name is a dozen.
    pub(crate) const fn number(&self) -> u64 {
        self.index as u64
    }

    /// What it is.
    pub fn role(&self) -> Role {
        cast(self.index).1
    }

    /// Its own source of randomness, from the run's seed.
    pub fn rng(&self) -> Rng {
        Rng::new(mix(self.config.seed, mix(self.index as u64, self.incarnation)))
    }

    /// Plays its part to the end, or until the node stops.
    pub async fn perform(self) {
        let outcome = match &self.config.scenario {
            Scenario::AdvertisementCounter(options) => advertisement::play(&self, options).await,
            Scenario::SharedLoad(options) => shared_load::play(&self, options).await,
            Scenario::Latency(options) => latency::play(&self, options).await,
            // Nothing for a node: these are about overlays alone.
            _ => Ok(()),
        };
        if let Err(error) = outcome
            && !matches!(error, Error::Stopped(_))
        {
            // The record stays incomplete, which the summary reports; this is the cause.
            eprintln!("{}: {error}", self.name());
        }
        self.lasp.shutdown().await;
    }

    /// Says "present", and waits until all nodes have.
    ///
    /// Not before the overlay has had time to form: whoever joins a cluster that holds data fetches it, and a cluster that
    /// forms under load spends more on that than on the load.
    pub(crate) async fn roll_call(&self) -> Result<(), Error> {
        self.lasp.joined().await?;
        self.lasp.sleep(FORMATION).await?;
        let present = self.lasp.gset::<u64>("roll-call").await?;
        present.add(self.number()).await?;
        present.read(Threshold::AtLeast(self.config.nodes as i64)).await?;
        Ok(())
    }
}
