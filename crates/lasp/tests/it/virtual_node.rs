//! A node without sockets, clock or executor: time passes when the test says so.

use lasp::Lasp;
use lasp::host::{Host, HostConfig};
use lasp_node::{Command, Node};
use lasp_overlay::{Addr, Contact, Input, Outbox, Output, PeerId, Protocol as _, Time};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

pub(crate) struct Virtual {
    pub(crate) node: Node,
    pub(crate) host: Host,
    now: Time,
    timers: Vec<(Time, lasp_node::Timer)>,
}

impl Virtual {
    pub(crate) fn new() -> (Self, Lasp) {
        let addr = Addr::new("v").expect("short");
        let contact = Contact { id: PeerId(1), incarnation: 1, addr };
        let node = Node::new(lasp_node::Config::default(), contact, 1);
        let (host, lasp) = Host::new(HostConfig::default());
        let mut new = Self { node, host, now: Time::ZERO, timers: Vec::new() };
        new.input(Input::Start);
        (new, lasp)
    }

    fn input(&mut self, input: Input<Node>) {
        let mut out = Outbox::new();
        self.node.handle(self.now, input, &mut out);
        for output in out.drain() {
            match output {
                Output::Emit(event) => self.host.event(event),
                Output::SetTimer { after, timer } => self.timers.push((self.now + after, timer)),
                _ => {}
            }
        }
    }

    /// Serves the program until it waits for time.
    pub(crate) fn serve(&mut self) {
        self.host.set_now(self.now);
        let mut commands: Vec<Command> = Vec::new();
        loop {
            let ran = self.host.run_tasks();
            let asked = self.host.commands(&self.node, &mut commands);
            if !ran && !asked {
                return assert!(self.host.is_idle());
            }
            for command in commands.drain(..) {
                self.input(Input::Command(command));
            }
        }
    }

    pub(crate) fn pass(&mut self, duration: Duration) {
        self.now = self.now + duration;
        let now = self.now;
        let (due, later): (Vec<_>, _) = std::mem::take(&mut self.timers).into_iter().partition(|(at, _)| *at <= now);
        self.timers = later;
        for (_, timer) in due {
            self.input(Input::Expired(timer));
        }
        self.serve();
    }

    /// What a program comes to that waits for nothing but the node.
    pub(crate) fn run<T>(&mut self, program: impl Future<Output = T>) -> T {
        let mut program = pin!(program);
        loop {
            if let Poll::Ready(result) = program.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                self.serve();
                return result;
            }
            self.serve();
        }
    }

    /// Polls once, and lets the node do what was asked.
    pub(crate) fn poll<F: Future + Unpin>(&mut self, future: &mut F) -> Poll<F::Output> {
        let polled = Pin::new(&mut *future).poll(&mut Context::from_waker(Waker::noop()));
        self.serve();
        match polled {
            Poll::Pending => Pin::new(future).poll(&mut Context::from_waker(Waker::noop())),
            ready => ready,
        }
    }
}
