//! A simulated cluster of whole nodes, spoken to as owners do.

use crate::ways::Ways;
use lasp_dataflow::{Name, Op, Output, State, Type, Value, VarId};
use lasp_node::{Command, Event, Node, Reply, Request, RequestError, RequestId};
use lasp_overlay::{Addr, Contact, PeerId};
use lasp_sim::Simulator;
use std::collections::BTreeMap;
use std::time::Duration;

/// One peer's present life.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    pub(crate) contact: Contact,
    pub(crate) up: bool,
}

/// Nodes by index, each with a number of lives behind it.
pub(crate) struct Cluster {
    pub(crate) sim: Simulator<Node>,
    pub(crate) lives: Vec<Life>,
    pub(crate) ways: Ways,
    seed: u64,
    requests: u64,
}

/// The node whose address never changes.
const SEED: usize = 0;

fn addr(index: usize, life: u64, moved: bool) -> Addr {
    let text = if moved { format!("host-{index}-{life}:1") } else { format!("host-{index}:1") };
    Addr::new(&text).expect("a short address")
}

impl Cluster {
    /// A cluster with no node yet.
    pub(crate) fn new(network: lasp_sim::Config, ways: Ways) -> Self {
        let seed = network.seed;
        Self { sim: Simulator::new(network), lives: Vec::new(), ways, seed, requests: 0 }
    }

    /// Starts the next node; it joins through the first.
    pub(crate) fn start(&mut self) -> usize {
        let index = self.lives.len();
        let contact = Contact { id: PeerId(index as u64 + 1), incarnation: 1, addr: addr(index, 1, false) };
        self.lives.push(Life { contact: contact.clone(), up: true });
        self.spawn(contact);
        if index > 0 {
            self.join(index, 0);
        }
        index
    }

    fn spawn(&mut self, contact: Contact) {
        let seed = self.seed ^ (contact.id.0 << 32) ^ contact.incarnation;
        let config = self.ways.config(contact.id.0 as usize - 1);
        self.sim.spawn(contact.clone(), Node::new(config, contact, seed));
    }

    /// Joins through a node and, as a cluster has seeds that stay where they are, through the first.
    fn join(&mut self, index: usize, through: usize) {
        let seeds = [through, SEED].map(|i| self.lives[i].contact.addr.clone()).to_vec();
        self.sim.command(self.lives[index].contact.id, Command::Join(seeds));
    }

    /// Kills a node: its memory is gone.
    pub(crate) fn crash(&mut self, index: usize) {
        self.lives[index].up = false;
        self.sim.crash(self.lives[index].contact.id);
    }

    /// Starts a killed node anew, a new incarnation, perhaps at another address; it joins through `through`.
    pub(crate) fn restart(&mut self, index: usize, moved: bool, through: usize) {
        let old = &self.lives[index].contact;
        let incarnation = old.incarnation + 1;
        let moved = moved && index != SEED;
        let contact = Contact { id: old.id, incarnation, addr: addr(index, incarnation, moved) };
        self.lives[index] = Life { contact: contact.clone(), up: true };
        self.spawn(contact);
        self.join(index, through);
    }

    /// The indices of the nodes that are up.
    pub(crate) fn up(&self) -> Vec<usize> {
        (0..self.lives.len()).filter(|&i| self.lives[i].up).collect()
    }

    /// One node.
    pub(crate) fn node(&self, index: usize) -> &Node {
        self.sim.peer(self.lives[index].contact.id).expect("the node is up")
    }

    /// Asks what is answered at once.
    pub(crate) fn ask(&mut self, index: usize, request: Request) -> Result<Reply, RequestError> {
        self.requests += 1;
        let id = RequestId(self.requests);
        self.sim.command(self.lives[index].contact.id, Command::Request { id, request });
        let answer = self.sim.drain_events().into_iter().find_map(|(_, _, event)| match event {
            Event::Reply { id: of, result } if of == id => Some(result),
            _ => None,
        });
        answer.expect("the request is answered at once")
    }

    /// Declares a variable at a node.
    pub(crate) fn declare(&mut self, index: usize, name: &str, ty: Type) -> VarId {
        let name = Some(Name::new(name).expect("a name"));
        match self.ask(index, Request::Declare { name, ty, local: false }) {
            Ok(Reply::Var(var)) => var,
            other => panic!("declare: {other:?}"),
        }
    }

    /// Adds a derivation at a node.
    pub(crate) fn derive(
        &mut self,
        index: usize,
        operator: lasp_dataflow::Operator,
        inputs: Vec<VarId>,
        into: lasp_dataflow::Target,
    ) -> VarId {
        let Ok(Reply::Var(var)) = self.ask(index, Request::Derive { operator, inputs, into }) else {
            panic!("the derivation is refused");
        };
        // It is looked at from outside later on, so it must be computed.
        self.ask(index, Request::Query(var)).expect("a variable");
        var
    }

    /// Applies an operation at a node.
    pub(crate) fn update(&mut self, index: usize, var: VarId, op: Op) {
        assert_eq!(self.ask(index, Request::Update { var, op }), Ok(Reply::Done));
    }

    /// The value of a named variable at a node.
    pub(crate) fn value(&self, index: usize, name: &str) -> Output {
        let graph = self.node(index).graph();
        let var = graph.lookup(name).expect("the variable is declared");
        graph.peek(var).expect("the variable is there")
    }

    /// The elements of a named set at a node.
    pub(crate) fn elements(&self, index: usize, name: &str) -> Vec<Value> {
        match self.value(index, name) {
            Output::Set(elements) => elements,
            other => panic!("{name} is no set: {other:?}"),
        }
    }

    /// The state of a named variable at a node.
    pub(crate) fn state(&self, index: usize, name: &str) -> &State {
        let graph = self.node(index).graph();
        graph.state(graph.lookup(name).expect("the variable is declared")).expect("the variable is there")
    }

    /// Every replicated variable of a node that is above bottom, by name.
    pub(crate) fn replicated(&self, index: usize) -> BTreeMap<&Name, &State> {
        let graph = self.node(index).graph();
        let states = graph.vars().filter(|(_, info)| !info.local).map(|(var, info)| (&info.name, graph.state(var)));
        states.filter_map(|(name, state)| Some((name, state.filter(|state| !state.is_bottom())?))).collect()
    }

    /// Runs for a while.
    pub(crate) fn run(&mut self, duration: Duration) {
        self.sim.run_for(duration);
        self.sim.drain_events();
    }

    /// Who links to whom, by index, among the nodes that are up.
    pub(crate) fn overlay(&self) -> BTreeMap<usize, Vec<usize>> {
        let index_of = |id: PeerId| id.0 as usize - 1;
        self.up()
            .into_iter()
            .map(|i| (i, self.node(i).active_view().iter().map(|contact| index_of(contact.id)).collect()))
            .collect()
    }
}
