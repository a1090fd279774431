//! A few simulated nodes, spoken to as owners do.

use lasp_dataflow::{Name, Op, Output, Type, Value, VarId};
use lasp_node::{Command, Config, Event, Node, Reply, Request, RequestError, RequestId};
use lasp_overlay::membership::{MembershipConfig, list};
use lasp_overlay::{Addr, Contact, PeerId};
use lasp_sim::Simulator;
use std::time::Duration;

/// Nodes 1, 2, ..., each joined through node 1.
pub(crate) struct Rig {
    pub(crate) sim: Simulator<Node>,
    requests: u64,
}

fn contact(id: u64) -> Contact {
    Contact { id: PeerId(id), incarnation: 1, addr: Addr::new(&format!("node-{id}:1")).expect("short") }
}

impl Rig {
    /// One node for each configuration, linked and calm.
    pub(crate) fn new(network: lasp_sim::Config, configs: Vec<Config>) -> Self {
        let mut rig = Self { sim: Simulator::new(network), requests: 0 };
        for (index, config) in configs.into_iter().enumerate() {
            rig.add(index as u64 + 1, config);
        }
        rig.run(1);
        rig
    }

    /// One node for each configuration, linked as `links` say and calm.
    pub(crate) fn linked(network: lasp_sim::Config, links: &[(u64, u64)], configs: Vec<Config>) -> Self {
        let mut rig = Self { sim: Simulator::new(network), requests: 0 };
        for (id, config) in (1..).zip(configs) {
            let peers = links.iter().filter(|(from, _)| *from == id).map(|(_, to)| contact(*to).addr).collect();
            let membership = MembershipConfig::Static(list::Config { peers, ..list::Config::default() });
            rig.sim.spawn(contact(id), Node::new(Config { membership, ..config }, contact(id), id));
        }
        rig.run(6);
        rig
    }

    /// One more node.
    pub(crate) fn add(&mut self, id: u64, config: Config) {
        self.sim.spawn(contact(id), Node::new(config, contact(id), id));
        if id > 1 {
            self.sim.command(PeerId(id), Command::Join(vec![contact(1).addr]));
        }
    }

    /// Kills a node, which forgets everything.
    pub(crate) fn crash(&mut self, id: u64) {
        self.sim.crash(PeerId(id)).expect("it was up");
    }

    /// Starts a node that crashed, with nothing, in a new life; it joins through another.
    pub(crate) fn restart(&mut self, id: u64, incarnation: u64, through: u64) {
        self.restart_as(id, incarnation, through, Config::default());
    }

    /// The same, with settings.
    pub(crate) fn restart_as(&mut self, id: u64, incarnation: u64, through: u64, config: Config) {
        let contact = Contact { incarnation, ..contact(id) };
        self.sim.spawn(contact.clone(), Node::new(config, contact, id << 8 | incarnation));
        self.sim.command(PeerId(id), Command::Join(vec![self::contact(through).addr]));
    }

    /// Runs for some seconds.
    pub(crate) fn run(&mut self, seconds: u64) {
        self.sim.run_for(Duration::from_secs(seconds));
    }

    pub(crate) fn node(&self, id: u64) -> &Node {
        self.sim.peer(PeerId(id)).expect("it is up")
    }

    /// Asks what is answered at once.
    pub(crate) fn ask(&mut self, id: u64, request: Request) -> Result<Reply, RequestError> {
        self.requests += 1;
        let request_id = RequestId(self.requests);
        self.sim.drain_events();
        self.sim.command(PeerId(id), Command::Request { id: request_id, request });
        let answer = self.sim.drain_events().into_iter().find_map(|(_, _, event)| match event {
            Event::Reply { id, result } if id == request_id => Some(result),
            _ => None,
        });
        answer.expect("answered at once")
    }

    pub(crate) fn declare(&mut self, id: u64, name: &str, ty: Type) -> VarId {
        let name = Some(Name::new(name).expect("a name"));
        match self.ask(id, Request::Declare { name, ty, local: false }) {
            Ok(Reply::Var(var)) => var,
            other => panic!("declare: {other:?}"),
        }
    }

    /// Declares a set at a node and adds to it.
    pub(crate) fn add_all(&mut self, id: u64, name: &str, elements: impl IntoIterator<Item = i64>) {
        let var = self.declare(id, name, Type::AwSet);
        let op = Op::AddAll(elements.into_iter().map(Value::Int).collect());
        assert_eq!(self.ask(id, Request::Update { var, op }), Ok(Reply::Done));
    }

    /// The value of a variable at a node; `None` where it is not known.
    pub(crate) fn value(&self, id: u64, name: &str) -> Option<Output> {
        let graph = self.node(id).graph();
        graph.lookup(name).and_then(|var| graph.peek(var))
    }

    /// How many elements a set has at a node; 0 where it is not known.
    pub(crate) fn cardinality(&self, id: u64, name: &str) -> usize {
        let graph = self.node(id).graph();
        graph.lookup(name).and_then(|var| graph.state(var)?.cardinality()).unwrap_or(0)
    }
}

/// A set of integers, as a query shows it.
pub(crate) fn set(elements: impl IntoIterator<Item = i64>) -> Option<Output> {
    Some(Output::Set(elements.into_iter().map(Value::Int).collect()))
}
