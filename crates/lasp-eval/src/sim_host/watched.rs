//! A run in virtual time that is watched in a browser: its time passes as fast as the page says, and what the page does to it is
//! noted, for its figures are then no longer those of its configuration.
//!
//! One thread lets time pass and serves the nodes (`paced`); another serves the page, through the first node. The page ends with the
//! run.

use super::{CHURN_EVERY, Errand, World, measured};
use crate::config::Config;
use crate::disturb;
use crate::paced::{Cluster, Paced, Round};
use crate::progress::{Observer, Stop};
use crate::run::{Evidence, PageAt};
use lasp::http::{Action, HttpError, WorldState, serve_world};
use lasp::{Lasp, Settings};
use lasp_node::Node;
use lasp_overlay::{PeerId, Time};
use lasp_sim::Simulator;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread;
use tokio::sync::oneshot;

/// The node that serves the page. Scenarios never take it down.
const FIRST: PeerId = PeerId(1);

/// Runs a configuration in virtual time, with a page.
///
/// # Errors
/// [`HttpError`], if the page cannot be served; nothing has run then.
pub fn run_watched(
    config: &Config,
    watch: &PageAt,
    stop: &Stop,
    observer: &mut dyn Observer,
) -> Result<Evidence, HttpError> {
    let (watched, lasp) = Watched::new(config, watch.speed);
    let run = Paced::new(watched);
    let page = Served::open(watch, config.membership.name(), lasp, run.clone())?;
    observer.note(&format!("watch it at http://{}/", page.addr));
    Ok(measured(config, || {
        run.live(|run, round| run.round(round, stop, observer).map(|problems| run.world.evidence(problems)))
    }))
}

/// A run, and what was done to it.
struct Watched {
    world: World,
    state: WorldState,
    /// What was done to it from the page.
    deeds: Vec<String>,
}

impl Watched {
    /// A run of which the first node is up, and that node.
    fn new(config: &Config, speed: f64) -> (Self, Lasp) {
        let mut world = World::new(config);
        world.errands.remove(&(Time::ZERO, Errand::Start { index: 0, incarnation: 1 }));
        let lasp = world.start(0, 1);
        world.serve();
        let state = WorldState {
            running: true,
            speed,
            reached: 0.0,
            time_ms: 0,
            seed: config.seed,
            nodes: config.nodes as u64,
            up: 0,
            cut: false,
            churn: config.churn * 100.0,
            updates: 0.0,
        };
        (Self { world, state, deeds: Vec::new() }, lasp)
    }

    /// Lets time pass; if the run ends, what stands against it.
    fn round(&mut self, round: Round, stop: &Stop, observer: &mut dyn Observer) -> Option<Vec<String>> {
        let problems = if stop.is_set() {
            vec!["interrupted".to_owned()]
        } else {
            round.pass(self, |run, limit| run.world.run_until(limit, stop, observer))?
        };
        Some(problems.into_iter().chain(std::mem::take(&mut self.deeds)).collect())
    }

    fn disturb(&mut self, action: &Action) -> Result<(), String> {
        let world = &mut self.world;
        match action {
            Action::Split { parts } => {
                disturb::split(&mut world.simulator, usize::try_from(*parts).unwrap_or(usize::MAX), &mut world.rng);
                self.state.cut = true;
            }
            Action::Links { percent } => {
                disturb::cut_links(&mut world.simulator, *percent, &mut world.rng);
                self.state.cut = true;
            }
            Action::Heal {} => {
                world.simulator.heal();
                self.state.cut = false;
            }
            Action::Crash { percent } => {
                let clients: Vec<PeerId> = world.lives.keys().copied().filter(|peer| *peer != FIRST).collect();
                let count = (clients.len() as f64 * percent / 100.0).round() as usize;
                world.rng.sample(&clients, count).into_iter().for_each(|peer| world.crash(peer));
            }
            Action::Kill { .. } => match action.victim()? {
                Some(FIRST) => return Err("this is the node that serves the page".to_owned()),
                Some(peer) if world.lives.contains_key(&peer) => world.crash(peer),
                _ => return Err("no such node is up".to_owned()),
            },
            Action::Churn { percent } => {
                let begins = world.config.churn == 0.0;
                world.set_churn(percent / 100.0);
                if begins {
                    world.errands.insert((world.simulator.now() + CHURN_EVERY, Errand::Churn));
                }
                self.state.churn = *percent;
            }
            Action::Revive {} => return Err("who crashes in a run comes back by itself, a second later".to_owned()),
            Action::Updates { .. } => return Err("a run makes the updates of its scenario".to_owned()),
            Action::Restart { .. } => {
                return Err("a run keeps its seed and its nodes: begin another with --seed and --nodes".to_owned());
            }
            Action::Play {} | Action::Pause {} | Action::Speed { .. } => {}
        }
        Ok(())
    }
}

impl Cluster for Watched {
    fn simulator(&self) -> &Simulator<Node> {
        &self.world.simulator
    }

    fn state(&mut self) -> &mut WorldState {
        &mut self.state
    }

    fn serve(&mut self) {
        self.world.touched.insert(FIRST);
        self.world.serve();
    }

    fn act(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Play {} => self.state.running = true,
            Action::Pause {} => self.state.running = false,
            Action::Speed { factor } => self.state.speed = factor,
            _ => {
                self.disturb(&action)?;
                let at = self.world.simulator.now().as_secs_f64();
                self.deeds.push(format!("disturbed by hand after {at:.1} s: {}", said(&action)));
            }
        }
        Ok(())
    }
}

/// An action in words.
fn said(action: &Action) -> String {
    match action {
        Action::Split { parts } => format!("the network fell into {parts} parts"),
        Action::Links { percent } => format!("{percent} % of the links were cut"),
        Action::Heal {} => "what was cut was mended".to_owned(),
        Action::Crash { percent } => format!("{percent} % of the clients crashed"),
        Action::Kill { node } => format!("node {node} crashed"),
        Action::Churn { percent } => format!("{percent} % of the clients crash a minute from then on"),
        other => format!("{other:?}"),
    }
}

/// A page that is served by a thread of its own, until this is dropped.
struct Served {
    addr: SocketAddr,
    /// Ends the thread when it is dropped.
    _end: oneshot::Sender<()>,
}

impl Served {
    fn open(watch: &PageAt, membership: &'static str, lasp: Lasp, run: Paced<Watched>) -> Result<Self, HttpError> {
        let settings = Settings { http: Some(watch.addr.clone()), ..Settings::default() };
        let refused = |problem| HttpError::Listen { addr: watch.addr.clone(), problem };
        let (end, ended) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
        let serve = move || {
            runtime.block_on(async {
                let served = serve_world(&settings, &lasp, membership, Arc::new(run)).await;
                drop(lasp); // it must keep no node running
                let serves = served.is_ok();
                // Whoever waits for the address is there, or the run is over already.
                let _ = tell.send(served);
                if serves {
                    let _ = ended.await;
                }
            });
        };
        thread::Builder::new().name("page".to_owned()).spawn(serve).map_err(refused)?;
        let addr = told.recv().map_err(|_| refused(std::io::ErrorKind::BrokenPipe.into()))??;
        Ok(Self { addr, _end: end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{AdvertisementCounter, Scenario, Where};
    use std::time::{Duration, Instant};

    fn config() -> Config {
        let scenario = AdvertisementCounter { ads: 1, impressions: 40, ..AdvertisementCounter::default() };
        Config { nodes: 6, place: Where::Sim, scenario: Scenario::AdvertisementCounter(scenario), ..Config::default() }
    }

    fn rounds(inner: &mut Watched, count: usize) -> Option<Vec<String>> {
        let round = Round { real: Duration::from_millis(20), began: Instant::now() + Duration::from_secs(3600) };
        (0..count).find_map(|_| inner.round(round, &Stop::default(), &mut ()))
    }

    #[test]
    fn a_run_in_small_steps_comes_to_the_same_as_one_in_one_go() {
        let config = config();
        let whole = super::super::run(&config, &Stop::default(), &mut ());
        let (mut inner, _lasp) = Watched::new(&config, 1.0);
        let problems = rounds(&mut inner, 10_000).expect("it ends");
        let stepped = inner.world.evidence(problems);
        assert_eq!(stepped.outside.trace_hash, whole.outside.trace_hash);
        assert_eq!((stepped.samples, stepped.records), (whole.samples, whole.records));
    }

    #[test]
    fn time_stands_still_and_passes_as_fast_as_is_said() {
        let (mut inner, _lasp) = Watched::new(&config(), 1.0);
        let time = |inner: &Watched| inner.world.simulator.now().as_micros();
        rounds(&mut inner, 5);
        assert_eq!(time(&inner), 100_000);
        inner.act(Action::Pause {}).expect("done");
        rounds(&mut inner, 5);
        assert_eq!(time(&inner), 100_000);
        inner.act(Action::Play {}).expect("done");
        inner.act(Action::Speed { factor: 0.5 }).expect("done");
        rounds(&mut inner, 5);
        assert_eq!((time(&inner), inner.state.time_ms), (150_000, 150));
        assert_eq!(inner.deeds, Vec::<String>::new());
    }

    #[test]
    fn what_is_done_by_hand_stands_against_the_outcome() {
        let (mut inner, _lasp) = Watched::new(&config(), 1.0);
        rounds(&mut inner, 60);
        assert_eq!(inner.state.up, 6);
        inner.act(Action::Split { parts: 2 }).expect("done");
        inner.act(Action::Kill { node: "3".to_owned() }).expect("done");
        assert_eq!((inner.state.cut, inner.world.lives.len()), (true, 5));
        inner.act(Action::Heal {}).expect("done");
        for refused in [
            Action::Kill { node: "1".to_owned() },
            Action::Kill { node: "ffff".to_owned() },
            Action::Revive {},
            Action::Updates { rate: 1.0 },
            Action::Restart { seed: 2, nodes: 3 },
        ] {
            assert!(inner.act(refused.clone()).is_err(), "{refused:?}");
        }
        let expected = ["the network fell into 2 parts", "node 3 crashed", "what was cut was mended"]
            .map(|deed| format!("disturbed by hand after 1.2 s: {deed}"));
        assert_eq!(inner.deeds, expected);
        rounds(&mut inner, 100);
        assert_eq!(inner.world.lives.len(), 6, "it comes back");
    }

    #[test]
    fn churn_begins_when_it_is_asked_for() {
        let (mut inner, _lasp) = Watched::new(&config(), 1.0);
        rounds(&mut inner, 60);
        inner.act(Action::Churn { percent: 100_000.0 }).expect("done");
        rounds(&mut inner, 20);
        assert!(inner.world.lives.len() < 6);
    }

    #[test]
    fn a_page_that_cannot_be_served_is_refused_before_anything_runs() {
        let watch = PageAt { addr: "0.0.0.0:0".to_owned(), speed: 1.0 };
        let refused = run_watched(&config(), &watch, &Stop::default(), &mut ());
        assert!(matches!(refused, Err(HttpError::Open(_))), "{refused:?}");
    }
}
