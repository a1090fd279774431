//! Looking for nodes of the cluster at port mapper daemons.

use super::wire::{self, MAX_NAMES, MAX_PORT_ANSWER};
use super::{Counts, Daemon, MAX_HOSTS, Problem, hear, jittered, name, say};
use crate::api::Lasp;
use crate::log::{Level, Log};
use lasp_overlay::membership::AnyMembership;
use lasp_overlay::{Addr, PeerId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// First pause between two looks; doubled up to [`LONGEST`] while nobody new is found. A guess.
const FIRST: Duration = Duration::from_secs(1);

/// Longest pause. A guess: who is new looks at once, so that the others find it by being joined.
const LONGEST: Duration = Duration::from_secs(15);

/// Most strangers that one look asks for; the others' turn comes when these are known. A guess.
const MOST: usize = 256;

/// Finds whom this node does not know.
pub(super) struct Discovery<'a> {
    lasp: &'a Lasp,
    cluster: &'a str,
    me: PeerId,
    daemons: &'a [Daemon],
    counts: &'a Counts,
    log: &'a Log,
    /// Daemons that could not be asked when they last were: each is complained of once.
    silent: BTreeSet<usize>,
}

impl<'a> Discovery<'a> {
    pub(super) const fn new(
        lasp: &'a Lasp,
        cluster: &'a str,
        me: PeerId,
        daemons: &'a [Daemon],
        counts: &'a Counts,
        log: &'a Log,
    ) -> Self {
        Self { lasp, cluster, me, daemons, counts, log, silent: BTreeSet::new() }
    }

    /// Looks for ever, or until the node is gone.
    pub(super) async fn run(mut self) {
        let (mut pause, mut asked) = (FIRST, BTreeMap::new());
        loop {
            let Some(known) = self.known().await else { return };
            let strangers = match known {
                Some(known) => self.strangers(&known).await,
                None => BTreeMap::new(), // it is out, and comes back when it is told to
            };
            // Who was named before and does not answer is dialled by the membership strategy.
            if !strangers.is_empty() && strangers != asked {
                self.log.line(Level::Info, || format!("found {} by epmd", list(&strangers)));
                self.counts.count(|stats| stats.found += strangers.len() as u64);
                self.lasp.join(strangers.values().cloned().collect());
                pause = FIRST;
            } else {
                pause = (pause * 2).min(LONGEST);
            }
            asked = strangers;
            sleep(jittered(pause)).await;
        }
    }

    /// Whom the node knows, those that departed included: who comes back does so itself. `Some(None)` if the node itself is out,
    /// `None` if it is gone.
    async fn known(&self) -> Option<Option<BTreeSet<PeerId>>> {
        let me = self.me;
        let look = self.lasp.inspect(move |node| match node.membership() {
            AnyMembership::FullMesh(mesh) => {
                let is_in = mesh.map().get(me).is_some_and(|member| member.is_in());
                is_in.then(|| mesh.map().iter().map(|member| member.contact.id).collect())
            }
            _ => None,
        });
        look.await.ok()
    }

    /// Whom the daemons name and the node does not know, and where they are.
    async fn strangers(&mut self, known: &BTreeSet<PeerId>) -> BTreeMap<PeerId, Addr> {
        let mut asking = JoinSet::new();
        for (number, daemon) in self.daemons.iter().take(MAX_HOSTS).enumerate() {
            let (daemon, cluster, known) = (daemon.clone(), self.cluster.to_owned(), known.clone());
            asking.spawn(async move { (number, named_by(&daemon, &cluster, &known).await) });
        }
        let mut answers: Vec<_> = asking.join_all().await;
        answers.sort_unstable_by_key(|(number, _)| *number);
        let mut strangers = BTreeMap::new();
        for (number, answer) in answers {
            self.counts.count(|stats| {
                stats.lookups += 1;
                stats.lookups_failed += u64::from(answer.is_err());
            });
            match answer {
                Ok(named) => {
                    self.silent.remove(&number);
                    strangers.extend(named);
                }
                Err(problem) => {
                    let level = if self.silent.insert(number) { Level::Warn } else { Level::Debug };
                    let place = self.daemons[number].address(self.daemons[number].port);
                    self.log.line(level, || format!("cannot ask the epmd at {place} for nodes: {problem}; going on"));
                }
            }
        }
        strangers
    }
}

/// Who is registered with one daemon, of this cluster and not known.
async fn named_by(daemon: &Daemon, cluster: &str, known: &BTreeSet<PeerId>) -> Result<BTreeMap<PeerId, Addr>, Problem> {
    let mut stream = say(daemon, &wire::names_request()).await?;
    let names = hear(&mut stream, MAX_NAMES, wire::read_names).await?;
    let strangers = names.into_iter().filter_map(|(name, _)| Some((name::id_in(cluster, &name)?, name)));
    let mut found = BTreeMap::new();
    for (id, name) in strangers.filter(|(id, _)| !known.contains(id)).take(MOST) {
        let mut stream = say(daemon, &wire::port_request(&name)).await?;
        let port = hear(&mut stream, MAX_PORT_ANSWER, wire::read_port).await?;
        // Nothing if it has gone in between.
        if let Some(addr) = port.filter(|port| *port > 0).and_then(|port| Addr::new(&daemon.address(port))) {
            found.insert(id, addr);
        }
    }
    Ok(found)
}

fn list(strangers: &BTreeMap<PeerId, Addr>) -> String {
    let all: Vec<String> = strangers.iter().map(|(id, addr)| format!("{id}@{addr}")).collect();
    all.join(", ")
}
