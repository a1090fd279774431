//! The far end of every [`Lasp`] handle: what an executor needs to serve one node to its program.
//!
//! The tokio driver of this crate is one such executor; bring your own to run the same program elsewhere, in virtual
//! time for instance. A host knows no clock, no socket and no thread. Serving a node takes three steps, repeated until
//! none has anything to do:
//!
//! 1. [`Host::set_now`], then [`Host::run_tasks`]: the futures that the program gave to [`Lasp::spawn`] make progress;
//! 2. [`Host::commands`]: what the program asked, to be fed to the node as `Input::Command`s;
//! 3. [`Host::event`] for everything that the node emits.
//!
//! Everything is in the order in which it happened; nothing depends on threads or hashes.

pub(crate) mod failures;
pub(crate) mod port;
mod slots;
pub(crate) mod tasks;
pub(crate) mod watchers;

use crate::api::Lasp;
use crate::driver::Owner;
use crate::error::Stop;
use crate::log::{Level, Log};
use lasp_dataflow::Output;
use lasp_node::{Command, Event, Node};
use lasp_overlay::{Time, membership};
use port::{Answer, Port, Queued};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use tasks::Tasks;

/// Limits of a host.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// Requests that may wait for the node; whoever asks more waits for room. A guess.
    pub capacity: usize,
    /// Requests handed to the node at once. A guess: a few milliseconds of work.
    pub batch: usize,
    /// Where lines for the operator go.
    pub log: Log,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self { capacity: 1024, batch: 1024, log: Log::silent() }
    }
}

/// Serves one node to its program.
pub struct Host {
    port: Arc<Port>,
    tasks: Tasks,
    pulled: VecDeque<Queued>,
    batch: usize,
    stopping: bool,
    log: Log,
}

impl Host {
    /// A host and the first handle to its node.
    pub fn new(config: HostConfig) -> (Self, Lasp) {
        let port = Arc::new(Port::new(config.capacity.max(1)));
        let host = Self {
            port: Arc::clone(&port),
            tasks: Tasks::default(),
            pulled: VecDeque::new(),
            batch: config.batch.max(1),
            stopping: false,
            log: config.log,
        };
        (host, Lasp::new(port))
    }

    /// What [`Lasp::now`] says from now on.
    pub fn set_now(&self, now: Time) {
        self.port.set_now(now);
    }

    /// Gives the host a future to run beside the node.
    pub fn spawn(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.add(Box::pin(work));
    }

    /// Polls every woken future once, in the order in which they were spawned; whether any was.
    pub fn run_tasks(&mut self) -> bool {
        for work in self.port.take_works() {
            self.tasks.add(work);
        }
        let ready = self.tasks.is_ready();
        self.tasks.run();
        ready
    }

    /// How many spawned futures have not finished.
    pub fn running_tasks(&self) -> usize {
        self.tasks.len()
    }

    /// Appends what was asked of the node, at most a batch, in order; whether there was anything. Looks at the node
    /// happen here, each after everything that was asked before it.
    pub fn commands(&mut self, node: &Node, into: &mut Vec<Command>) -> bool {
        self.port.show_views(node);
        let (before, mut seen) = (into.len(), false);
        if self.pulled.is_empty() {
            self.port.take(self.batch, &mut self.pulled);
        }
        while let Some(queued) = self.pulled.pop_front() {
            match queued {
                Queued::Request(id, request) => into.push(Command::Request { id, request: *request }),
                Queued::Cancel(id) => into.push(Command::Cancel(id)),
                Queued::Join(contacts) => into.push(Command::Join(contacts)),
                Queued::Look(id, look) if into.is_empty() => {
                    seen = true;
                    self.port.reply(id, Ok(Answer::Seen(look(node))));
                }
                look @ Queued::Look(..) => {
                    self.pulled.push_front(look); // must see the effects of what was asked before
                    break;
                }
                Queued::Stop => {
                    self.stopping = true;
                    into.push(Command::Leave);
                }
            }
        }
        seen || into.len() > before
    }

    /// Hears what the node emits.
    pub fn event(&mut self, event: Event) {
        match event {
            Event::Reply { id, result } => self.port.reply(id, result.map(Answer::Reply)),
            Event::Changed { id, output } => self.port.changed(id, output),
            // It stands for whatever the value is by the time that somebody asks.
            Event::Noticed(id) => self.port.changed(id, Output::Unset),
            Event::Membership(event) => self.on_membership(&event),
            Event::DerivationFailed(error) => {
                self.log.line(Level::Warn, || format!("a derivation failed: {error}"));
                self.port.failed(&error);
            }
            Event::Printed { program, text } => self.log.line(Level::Info, || format!("program {program}: {text}")),
            Event::ActionFailed { program, message } => {
                self.log.line(Level::Warn, || format!("an action of program {program} failed: {message}"));
            }
            Event::TypeConflict { name, here, there } => self.log.line(Level::Warn, || {
                format!("{name} is a {here} here and a {there} at another node: what that node says of it is ignored")
            }),
        }
    }

    /// Whether the program asked the node to stop, or dropped its last handle.
    pub const fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// Whether there is nothing to do: no request waits, no future is ready.
    pub fn is_idle(&self) -> bool {
        self.pulled.is_empty() && !self.port.has_waiting() && !self.tasks.is_ready()
    }

    /// Ends the host: every open request fails with this reason.
    pub fn stop(self, stop: Stop) {
        self.port.close(stop);
    }

    fn on_membership(&self, event: &membership::Event) {
        match event {
            membership::Event::Joined => self.port.set_joined(true),
            membership::Event::Isolated => {
                self.log.line(Level::Warn, || "no neighbour is left; looking for others".to_owned());
                self.port.set_joined(false);
            }
            membership::Event::Evicted => {
                self.log.line(Level::Error, || "this node was evicted; it stays out until it joins again".to_owned());
                self.port.set_joined(false);
            }
            membership::Event::Left(peer) => {
                self.log.line(Level::Info, || format!("{peer} has left the cluster"));
                self.port.farewell(*peer);
            }
            membership::Event::Up(peer) => self.log.line(Level::Debug, || format!("{peer} is a neighbour")),
            membership::Event::Down(peer) => self.log.line(Level::Debug, || format!("{peer} is no longer a neighbour")),
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("port", &self.port).field("tasks", &self.tasks).finish_non_exhaustive()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.port.close(Stop::HostGone);
    }
}

impl Owner<Node> for Host {
    fn poll_commands(&mut self, cx: &mut Context<'_>, now: Time, node: &Node, into: &mut Vec<Command>) -> Poll<()> {
        self.set_now(now);
        self.port.register_host(cx.waker());
        self.tasks.register(cx.waker());
        let ran = self.run_tasks();
        let asked = self.commands(node, into);
        if ran || asked || !self.is_idle() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn event(&mut self, event: Event) {
        Self::event(self, event);
    }

    fn is_stopping(&self) -> bool {
        Self::is_stopping(self)
    }
}
