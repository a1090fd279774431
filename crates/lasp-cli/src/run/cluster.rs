//! The embedded cluster: whole nodes in the simulator, as a host for scripts.
//!
//! Requests are served at an instant of virtual time; only `settle`, `sleep` and waiting reads let time pass. A variable is
//! declared at a node when something first acts on it there; a query alone changes nothing. A derived variable that is
//! local to its node is derived again at another node that asks for it.

use lasp_dataflow::{Name, Op, Operator, Output, State, Target, Threshold, Type, Value, VarId};
use lasp_lang::Interrupt;
use lasp_lang::fault::Problem;
use lasp_lang::host::{Fault, Host, HostEvent, HostPlan, Progress, Refusal, Size, TriggerId};
use lasp_lang::term::Handle;
use lasp_node::{Command, Config, Event, Interests, Node, Reply, Request, RequestId, Token, is_reserved};
use lasp_overlay::membership::MembershipConfig;
use lasp_overlay::{Addr, Contact, PeerId, Time};
use lasp_sim::Simulator;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// Up to this many nodes link all to all; above, partial views (a guess: a full mesh of 8 has 28 links).
const FULL_MESH_MAX: usize = 8;
/// Virtual time without any change after which nodes that differ are taken to stay so (guess: six rounds of comparison).
const PATIENCE: Duration = Duration::from_secs(60);
/// Virtual time that the cluster has for coming together at the start.
const START: Duration = Duration::from_secs(60);

/// A variable as a script knows it.
#[derive(Clone, Debug)]
enum Entry {
    /// Declared under a name.
    Declared(Name, Type),
    /// Declared under a name, by each node for itself.
    Dynamic(Name, Type),
    /// Derived, local to each node.
    Derived { operator: Operator, inputs: Vec<Handle>, ty: Type },
}

/// Something that is to happen once in the cluster, whoever asked for it: every node takes part.
#[derive(Debug)]
struct Enforcement {
    token: Token,
    id: TriggerId,
    variable: Handle,
    threshold: Threshold,
}

/// Nodes 1 to N in a simulator.
pub(crate) struct Cluster {
    sim: Simulator<Node>,
    seed: u64,
    lives: Vec<Contact>,
    entries: Vec<Entry>,
    names: BTreeMap<Name, Handle>,
    /// What a variable is called at a node in its present life.
    places: BTreeMap<(usize, Handle), VarId>,
    requests: u64,
    /// What nodes told and the session has not asked for yet.
    told: VecDeque<(usize, Event)>,
    full_mesh: bool,
    /// What is enforced once, in the order in which it was asked for.
    enforcements: Vec<Enforcement>,
    /// Which of them a node's request is for.
    enforcing: BTreeMap<RequestId, usize>,
    /// The node that acts on behalf of an enforcement.
    acting: Option<(usize, Token)>,
    /// Groups that can reach each other: one, or those of the partition.
    groups: Vec<Vec<usize>>,
    interrupt: Interrupt,
}

impl Cluster {
    /// `nodes` nodes, joined.
    pub(crate) fn new(nodes: usize, seed: u64) -> Self {
        let mut cluster = Self {
            sim: Simulator::new(lasp_sim::Config::seeded(seed)),
            seed,
            lives: Vec::new(),
            entries: Vec::new(),
            names: BTreeMap::new(),
            places: BTreeMap::new(),
            requests: 0,
            told: VecDeque::new(),
            full_mesh: nodes <= FULL_MESH_MAX,
            enforcements: Vec::new(),
            enforcing: BTreeMap::new(),
            acting: None,
            groups: vec![(1..=nodes).collect()],
            interrupt: Interrupt::default(),
        };
        for number in 1..=nodes {
            let addr = Addr::new(&format!("node-{number}:1")).expect("a short address");
            cluster.lives.push(Contact { id: PeerId(number as u64), incarnation: 1, addr });
            cluster.spawn(number);
        }
        let deadline = cluster.sim.now() + START;
        cluster.sim.run_while(deadline, |sim| {
            nodes > 1 && sim.peers().any(|(_, node)| node.active_view().is_empty() || !node.is_quiescent())
        });
        cluster.sim.drain_events();
        cluster
    }

    /// Starts the present life of node `number` and lets it join the others.
    fn spawn(&mut self, number: usize) {
        let contact = self.lives[number - 1].clone();
        let membership =
            if self.full_mesh { MembershipConfig::FullMesh(Default::default()) } else { MembershipConfig::default() };
        let config = Config { membership, ..Config::default() };
        let seed = self.seed ^ contact.id.0.rotate_left(32) ^ contact.incarnation.rotate_left(48);
        self.sim.spawn(contact.clone(), Node::new(config, contact, seed));
        let others = self.lives.iter().filter(|life| life.id != self.lives[number - 1].id);
        let seeds: Vec<Addr> = others.take(FULL_MESH_MAX).map(|life| life.addr.clone()).collect();
        if !seeds.is_empty() {
            self.sim.command(self.lives[number - 1].id, Command::Join(seeds));
        }
    }

    fn node(&self, number: usize) -> Result<&Node, Problem> {
        self.sim.peer(self.lives[number - 1].id).ok_or_else(|| down(number))
    }

    fn number(&self, peer: PeerId) -> usize {
        peer.0 as usize
    }

    // ---- requests ----

    fn next_id(&mut self) -> RequestId {
        self.requests += 1;
        RequestId(self.requests)
    }

    /// Asks node `number` something that it answers at once.
    fn ask(&mut self, number: usize, request: Request) -> Result<Reply, Problem> {
        let id = self.next_id();
        match self.submit(number, id, request)? {
            Some(reply) => reply,
            None => Err(Problem::new(format!("node {number} gave no answer"))),
        }
    }

    /// Hands a request over; the answer, if it came at once.
    fn submit(
        &mut self,
        number: usize,
        id: RequestId,
        request: Request,
    ) -> Result<Option<Result<Reply, Problem>>, Problem> {
        if !self.sim.command(self.lives[number - 1].id, Command::Request { id, request }) {
            return Err(down(number));
        }
        let mut answer = None;
        for (_, peer, event) in self.sim.drain_events() {
            match event {
                Event::Reply { id: of, result } if of == id => {
                    answer = Some(result.map_err(Problem::worded));
                }
                other => self.take(peer, other),
            }
        }
        Ok(answer)
    }

    /// Keeps what concerns the script.
    fn take(&mut self, peer: PeerId, event: Event) {
        if !matches!(event, Event::Membership(_) | Event::TypeConflict { .. }) {
            self.told.push_back((self.number(peer), event));
        }
    }

    fn take_all(&mut self) {
        for (_, peer, event) in self.sim.drain_events() {
            self.take(peer, event);
        }
    }

    // ---- variables ----

    fn entry(&mut self, entry: Entry) -> Handle {
        self.entries.push(entry);
        Handle(self.entries.len() as u32 - 1)
    }

    /// What `variable` is called at node `number`; declared or derived there if need be, and so is what it needs.
    fn locate(&mut self, number: usize, variable: Handle) -> Result<VarId, Problem> {
        let mut missing = BTreeSet::new();
        let mut look = vec![variable];
        while let Some(handle) = look.pop() {
            if self.places.contains_key(&(number, handle)) || !missing.insert(handle) {
                continue;
            }
            if let Entry::Derived { inputs, .. } = &self.entries[handle.0 as usize] {
                look.extend(inputs);
            }
        }
        // Inputs have lower numbers than what is derived from them.
        for handle in missing {
            let request = match &self.entries[handle.0 as usize] {
                Entry::Declared(name, ty) => {
                    Request::Declare { name: Some(name.clone()), ty: ty.clone(), local: false }
                }
                Entry::Dynamic(name, ty) => Request::Declare { name: Some(name.clone()), ty: ty.clone(), local: true },
                Entry::Derived { operator, inputs, .. } => {
                    let inputs = inputs.iter().map(|input| self.places[&(number, *input)]).collect();
                    Request::Derive { operator: operator.clone(), inputs, into: Target::Local(None) }
                }
            };
            match self.ask(number, request)? {
                Reply::Var(var) => _ = self.places.insert((number, handle), var),
                _ => return Err(Problem::new("the node does not know the variable")),
            }
        }
        Ok(self.places[&(number, variable)])
    }

    fn declare_as(
        &mut self,
        node: usize,
        name: Option<&str>,
        ty: &Type,
        entry: fn(Name, Type) -> Entry,
    ) -> Result<Handle, Problem> {
        let name = match name {
            Some(name) => Name::new(name).map_err(|error| Problem::new(error.to_string()))?,
            None => {
                let fresh = (self.entries.len()..).map(|n| Name::new(format!("~{n}")).expect("a short name"));
                let mut unused = fresh.filter(|name| !self.names.contains_key(name));
                unused.next().expect("fewer names than numbers")
            }
        };
        let wanted = entry(name.clone(), ty.clone());
        let handle = match self.names.get(&name) {
            Some(handle) => *handle,
            None => {
                let handle = self.entry(wanted.clone());
                self.names.insert(name.clone(), handle);
                handle
            }
        };
        match (&self.entries[handle.0 as usize], &wanted) {
            (Entry::Declared(_, held) | Entry::Dynamic(_, held), _) if held != ty => {
                return Err(Problem::new(format!("{name} is already declared as {held}, not {ty}")));
            }
            (Entry::Declared(..), Entry::Dynamic(..)) => {
                return Err(Problem::new(format!("{name} is already declared, and is replicated")));
            }
            (Entry::Dynamic(..), Entry::Declared(..)) => {
                return Err(Problem::new(format!("{name} is already declared as dynamic, and is never replicated")));
            }
            _ => {}
        }
        self.locate(node, handle)?;
        Ok(handle)
    }

    /// A name that no node knows any more can be declared as something else.
    fn forget_name(&mut self, variable: Handle) {
        let (Entry::Declared(name, _) | Entry::Dynamic(name, _)) = &self.entries[variable.0 as usize] else {
            return;
        };
        let name = name.clone();
        let is_known = |number: usize| self.node(number).is_ok_and(|node| node.graph().lookup(name.as_str()).is_some());
        if self.names.get(&name) == Some(&variable) && !(1..=self.lives.len()).any(is_known) {
            self.names.remove(&name);
        }
    }

    /// Hands over a request that is answered when its time has come.
    fn wait_for(
        &mut self,
        node: usize,
        variable: Handle,
        request: impl FnOnce(VarId) -> Request,
    ) -> Result<TriggerId, Problem> {
        let var = self.locate(node, variable)?;
        let id = self.next_id();
        if let Some(answer) = self.submit(node, id, request(var))? {
            answer?;
            self.told.push_back((node, Event::Reply { id, result: Ok(Reply::Done) }));
        }
        Ok(TriggerId(id.0))
    }

    fn locate_all(&mut self, number: usize, variables: &[Handle]) -> Result<Vec<VarId>, Problem> {
        variables.iter().map(|variable| self.locate(number, *variable)).collect()
    }

    /// The operation with the replicas of those nodes that it names by number.
    fn resolved(&self, mut op: Op) -> Result<Op, Problem> {
        let mut is_down = None;
        let resolved = op.resolve(&mut |name| {
            let number = usize::try_from(u64::try_from(name).ok()?).ok()?;
            if !(1..=self.lives.len()).contains(&number) {
                return None;
            }
            match self.node(number) {
                Ok(node) => Some(node.graph().replica()),
                Err(problem) => {
                    is_down = Some(problem);
                    None
                }
            }
        });
        match (is_down, resolved) {
            (Some(problem), _) => Err(problem),
            (None, Ok(())) => Ok(op),
            (None, Err(unknown)) => {
                let hint = format!("nodes are 1 to {}; `lasp run --nodes N` sets how many there are", self.lives.len());
                Err(Problem::worded(unknown).hint(hint))
            }
        }
    }

    // ---- enforcements ----

    /// Lets node `number` take part in an enforcement.
    fn enforce_at(&mut self, number: usize, index: usize) -> Result<(), Problem> {
        let Enforcement { token, variable, threshold, .. } = &self.enforcements[index];
        let (token, variable, threshold) = (*token, *variable, threshold.clone());
        let var = self.locate(number, variable)?;
        let id = self.next_id();
        self.enforcing.insert(id, index);
        if let Some(answer) = self.submit(number, id, Request::Enforce { token, var, threshold })? {
            self.told.push_back((number, Event::Reply { id, result: Ok(answer?) }));
        }
        Ok(())
    }

    /// A threshold that was waited for is met.
    fn told_of(&self, id: TriggerId) -> HostEvent {
        // Of a single node, enforcing is waiting.
        if self.token_of(id).is_some() { HostEvent::Due { id, node: 1 } } else { HostEvent::Met(id) }
    }

    /// The enforcement whose trigger this is.
    fn token_of(&self, id: TriggerId) -> Option<Token> {
        self.enforcements.iter().find(|one| one.id == id).map(|one| one.token)
    }

    // ---- agreement ----

    /// Whether nothing is on its way: no message between nodes, none waiting in one.
    fn nothing_in_flight(&self) -> bool {
        let stats = self.sim.stats();
        stats.sent + stats.duplicated == stats.delivered + stats.lost_total()
            && self.sim.peers().all(|(_, node)| node.is_quiescent())
    }

    /// Whether all nodes that can reach each other agree.
    fn agreed(&self) -> bool {
        self.groups.iter().all(|group| {
            let nodes: Vec<&Node> = group.iter().filter_map(|number| self.node(*number).ok()).collect();
            let hears_all = nodes.iter().all(|node| *node.interests() == Interests::All);
            let equal = nodes.windows(2).all(|pair| pair[0].fingerprint() == pair[1].fingerprint());
            equal || (!hears_all && differing(&nodes).is_empty())
        })
    }

    /// Changes whenever a node's state does.
    fn progress(&self) -> u64 {
        self.sim.peers().fold(0, |sum, (id, node)| sum.rotate_left(7) ^ node.fingerprint().wrapping_add(id.0))
    }

    /// Processes one event of the simulation no later than `deadline`; `false` if there is none.
    fn step(&mut self, deadline: Time) -> bool {
        let mut first = true;
        let stepped = self.sim.run_while(deadline, |_| std::mem::take(&mut first));
        self.take_all();
        stepped
    }

    fn run_to_quiet(&mut self) -> Progress {
        let mut progress = self.progress();
        let mut deadline = self.sim.now() + PATIENCE;
        loop {
            if !self.told.is_empty() {
                return Progress::Events;
            }
            if self.interrupt.is_raised() {
                return Progress::Interrupted;
            }
            if self.nothing_in_flight() && self.agreed() {
                return Progress::Quiet;
            }
            if !self.step(deadline) {
                return Progress::Quiet;
            }
            let now = self.progress();
            if now != progress {
                progress = now;
                deadline = self.sim.now() + PATIENCE;
            }
        }
    }
}

fn down(number: usize) -> Problem {
    Problem::new(format!("node {number} is down")).hint(format!("`restart({number})` starts it again"))
}

/// The names of variables on which some of `nodes` differ though they hear of them, ascending.
fn differing(nodes: &[&Node]) -> Vec<String> {
    let mut names = BTreeSet::new();
    for node in nodes {
        names.extend(node.graph().vars().filter(|(_, info)| !info.local).map(|(_, info)| info.name.clone()));
    }
    let fingerprint = |node: &Node, name: &Name| {
        node.graph().lookup(name.as_str()).and_then(|var| node.graph().state(var)).map_or(0, State::fingerprint)
    };
    let differs = |name: &Name| {
        let hearing = nodes.iter().filter(|node| node.interests().covers(name.as_str()));
        let held: BTreeSet<u64> = hearing.map(|node| fingerprint(node, name)).collect();
        held.len() > 1
    };
    // What the runtime says of itself is nothing that a program can look at.
    names.iter().filter(|name| !is_reserved(name.as_str()) && differs(name)).map(ToString::to_string).collect()
}

impl Host for Cluster {
    fn nodes(&self) -> usize {
        self.lives.len()
    }

    fn declare(&mut self, node: usize, name: Option<&str>, ty: &Type) -> Result<Handle, Refusal> {
        self.declare_as(node, name, ty, Entry::Declared)
    }

    fn declare_dynamic(&mut self, node: usize, name: Option<&str>, ty: &Type) -> Result<Handle, Refusal> {
        self.declare_as(node, name, ty, Entry::Dynamic)
    }

    fn undeclare(&mut self, node: usize, variable: Handle) -> Result<(), Refusal> {
        let var = self.locate(node, variable)?;
        self.ask(node, Request::Undeclare(var))?;
        self.places.remove(&(node, variable));
        self.forget_name(variable);
        Ok(())
    }

    fn type_of(&self, variable: Handle) -> Type {
        match &self.entries[variable.0 as usize] {
            Entry::Declared(_, ty) | Entry::Dynamic(_, ty) | Entry::Derived { ty, .. } => ty.clone(),
        }
    }

    fn update(&mut self, node: usize, variable: Handle, op: &Op) -> Result<(), Refusal> {
        let var = self.locate(node, variable)?;
        let op = self.resolved(op.clone())?;
        let request = match self.acting {
            Some((at, token)) if at == node => Request::Act { token, var, op },
            _ => Request::Update { var, op },
        };
        self.ask(node, request).map(drop)
    }

    fn bind(&mut self, node: usize, variable: Handle, value: &Value) -> Result<(), Refusal> {
        let var = self.locate(node, variable)?;
        self.ask(node, Request::Bind { var, value: value.clone() }).map(drop)
    }

    fn bind_to(&mut self, node: usize, into: Handle, from: Handle) -> Result<(), Refusal> {
        let (into, from) = (self.locate(node, into)?, self.locate(node, from)?);
        self.ask(node, Request::BindTo { into, from }).map(drop)
    }

    fn derive(
        &mut self,
        node: usize,
        operator: Operator,
        inputs: &[Handle],
        into: Option<Handle>,
    ) -> Result<Handle, Refusal> {
        let Some(into) = into else {
            // The graph says what follows; until then the entry's type does not matter.
            let handle = self.entry(Entry::Derived { operator, inputs: inputs.to_vec(), ty: Type::AwSet });
            let var = self.locate(node, handle)?;
            if let (Some(made), Entry::Derived { ty, .. }) =
                (self.node(node)?.graph().info(var).map(|info| info.ty.clone()), &mut self.entries[handle.0 as usize])
            {
                *ty = made;
            }
            return Ok(handle);
        };
        let inputs = self.locate_all(node, inputs)?;
        let target = Target::Into(self.locate(node, into)?);
        self.ask(node, Request::Derive { operator, inputs, into: target })?;
        Ok(into)
    }

    fn query(&mut self, node: usize, variable: Handle) -> Result<Output, Refusal> {
        if let Entry::Declared(name, ty) = &self.entries[variable.0 as usize] {
            let graph = self.node(node)?.graph();
            let output = graph.lookup(name.as_str()).and_then(|var| graph.peek(var));
            return Ok(output.unwrap_or_else(|| State::bottom(ty).read()));
        }
        let var = self.locate(node, variable)?;
        match self.ask(node, Request::Query(var))? {
            Reply::Output(output) => Ok(output),
            _ => Err(Problem::new("the node does not know the variable")),
        }
    }

    fn size(&mut self, node: usize, variable: Handle) -> Size {
        let (Some(var), Ok(node)) = (self.places.get(&(node, variable)), self.node(node)) else {
            return Size::default();
        };
        let graph = node.graph();
        let is_local = graph.info(*var).is_some_and(|info| info.local);
        Size::of(graph.peek(*var).as_ref(), graph.state(*var).filter(|_| !is_local))
    }

    fn plan(&mut self, node: usize) -> Option<HostPlan> {
        let here = self.places.iter().filter(|((at, _), _)| *at == node);
        let handles = here.map(|((_, handle), var)| (*var, *handle)).collect();
        Some(HostPlan { plan: self.node(node).ok()?.graph().plan(), handles })
    }

    fn wait(&mut self, node: usize, variable: Handle, threshold: Threshold) -> Result<TriggerId, Refusal> {
        self.wait_for(node, variable, |var| Request::Read { var, threshold })
    }

    fn wait_needed(&mut self, node: usize, variable: Handle, threshold: Threshold) -> Result<TriggerId, Refusal> {
        self.wait_for(node, variable, |var| Request::WaitNeeded { var, threshold })
    }

    /// One node is the whole cluster and acts at once; of several, all that are up take part, and those that start later.
    fn enforce_once(
        &mut self,
        node: usize,
        variable: Handle,
        threshold: Threshold,
        identity: u64,
    ) -> Result<TriggerId, Refusal> {
        let token = Token::of("script", identity);
        if let Some(known) = self.enforcements.iter().find(|one| one.token == token) {
            return Ok(known.id);
        }
        let alone = self.lives.len() == 1;
        let id = if alone { self.wait(node, variable, threshold.clone())? } else { TriggerId(self.next_id().0) };
        self.enforcements.push(Enforcement { token, id, variable, threshold });
        if !alone {
            let up: Vec<usize> = (1..=self.lives.len()).filter(|number| self.node(*number).is_ok()).collect();
            for number in up {
                self.enforce_at(number, self.enforcements.len() - 1)?;
            }
        }
        Ok(id)
    }

    fn begin_once(&mut self, node: usize, id: TriggerId) {
        self.acting = self.token_of(id).filter(|_| self.lives.len() > 1).map(|token| (node, token));
    }

    fn end_once(&mut self, node: usize, _id: TriggerId) {
        if let Some((_, token)) = self.acting.take() {
            // It was due there: the node takes this, unless it is down by now.
            _ = self.ask(node, Request::Acted(token));
        }
    }

    fn watch(&mut self, node: usize, variable: Handle) -> Result<TriggerId, Refusal> {
        let var = self.locate(node, variable)?;
        let id = self.next_id();
        if let Some(answer) = self.submit(node, id, Request::Watch(var))? {
            answer?;
        }
        Ok(TriggerId(id.0))
    }

    fn interests(&mut self, node: usize, patterns: Option<&[String]>) -> Result<(), Refusal> {
        let interests = match patterns {
            None => Interests::All,
            Some(patterns) => Interests::prefixes(patterns.iter().cloned()),
        };
        self.ask(node, Request::Interests(interests)).map(drop)
    }

    fn fault(&mut self, fault: &Fault) -> Result<(), Refusal> {
        match fault {
            Fault::Partition(groups) => {
                let peers = |group: &Vec<usize>| group.iter().map(|number| PeerId(*number as u64)).collect();
                let peers: Vec<Vec<PeerId>> = groups.iter().map(peers).collect();
                self.sim.partition(&peers);
                let rest = (1..=self.lives.len()).filter(|number| groups.iter().all(|group| !group.contains(number)));
                self.groups = groups.iter().cloned().chain([rest.collect()]).collect();
            }
            Fault::Heal => {
                self.sim.heal();
                self.groups = vec![(1..=self.lives.len()).collect()];
            }
            Fault::Crash(number) => {
                if self.sim.crash(self.lives[number - 1].id).is_none() {
                    return Err(Problem::new(format!("node {number} is down already")));
                }
                self.places.retain(|(at, _), _| at != number);
            }
            Fault::Restart(number) => {
                if self.node(*number).is_ok() {
                    return Err(Problem::new(format!("node {number} is up")).hint("`crash` stops a node"));
                }
                self.lives[number - 1].incarnation += 1;
                self.spawn(*number);
                if self.lives.len() > 1 {
                    (0..self.enforcements.len()).try_for_each(|index| self.enforce_at(*number, index))?;
                }
            }
        }
        self.take_all();
        Ok(())
    }

    fn poll(&mut self) -> Option<HostEvent> {
        let (node, event) = self.told.pop_front()?;
        Some(match event {
            Event::Changed { id, output } => HostEvent::Changed(TriggerId(id.0), output),
            Event::DerivationFailed(error) => {
                let mut here = self.places.iter().filter(|((at, _), var)| *at == node && **var == error.var);
                let variable = here.next().map(|((_, handle), _)| *handle);
                HostEvent::derivation_failed(node, variable, &error)
            }
            Event::Reply { id, result } => match self.enforcing.remove(&id) {
                Some(index) if matches!(result, Ok(Reply::Due(_))) => {
                    HostEvent::Due { id: self.enforcements[index].id, node }
                }
                Some(_) => return self.poll(),
                None => self.told_of(TriggerId(id.0)),
            },
            Event::Membership(_)
            | Event::TypeConflict { .. }
            | Event::Printed { .. }
            | Event::ActionFailed { .. }
            | Event::Noticed(_) => {
                return self.poll();
            }
        })
    }

    fn advance(&mut self, deadline_ms: Option<u64>) -> Progress {
        let Some(deadline_ms) = deadline_ms else {
            return self.run_to_quiet();
        };
        let deadline = Time::from_millis(deadline_ms);
        loop {
            if !self.told.is_empty() {
                return Progress::Events;
            }
            if self.interrupt.is_raised() {
                return Progress::Interrupted;
            }
            if !self.step(deadline) {
                return Progress::Deadline;
            }
        }
    }

    fn interruptible(&mut self, interrupt: Interrupt) {
        self.interrupt = interrupt;
    }

    fn now_ms(&self) -> u64 {
        self.sim.now().as_millis()
    }

    fn divergence(&mut self) -> Vec<String> {
        let nodes: Vec<&Node> = (1..=self.lives.len()).filter_map(|number| self.node(number).ok()).collect();
        differing(&nodes)
    }
}
