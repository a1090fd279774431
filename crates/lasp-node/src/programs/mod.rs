//! Installed programs: data that spreads like a variable and runs at every node that is interested in it.
//!
//! - `registry`: what is installed, as the cluster agrees on it. `info`: what owners are told.
//! - `site`: what one program has set up at this node.
//! - this file: bringing the second in line with the first.
//!
//! A program is set up in one step, with whatever its text sets up, and so is the change from one version to the next:
//! nothing that happens falls between the two. Its triggers are known by what they watch and do, so one that is the same in
//! the next version and has fired does not fire again.

mod info;
pub(crate) mod registry;
mod site;

pub use info::{ProgramError, ProgramInfo, ProgramState};
pub use registry::{BYTES_MAX, NAMES_MAX, TEXT_MAX};

use crate::clock::Clock;
use crate::command::RequestError;
use crate::interest::{Interests, MAX_PREFIXES};
use crate::metrics::Metrics;
use crate::once::{Once, Token};
use crate::requests;
use crate::store::Store;
use crate::system;
use lasp_dataflow::{Name, Op, VarId, WaiterId};
use lasp_lang::diagnostic::render_all;
use lasp_lang::fault::Problem;
use lasp_lang::installable::{Outline, PROGRAM_STEPS, SETUP_STEPS, installable};
use lasp_lang::{Line, Session, Source, Stop};
use lasp_overlay::Time;
use registry::Entry;
use site::{Here, Site};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// How many errors of a program are kept (a guess: enough to see what is wrong).
const ERRORS_KEPT: usize = 16;

/// What of a node programs work with.
#[derive(Debug)]
pub(crate) struct Tools<'n> {
    pub(crate) now: Time,
    pub(crate) store: &'n mut Store,
    pub(crate) clock: &'n mut Clock,
    pub(crate) once: &'n mut Once,
    pub(crate) metrics: &'n mut Metrics,
    pub(crate) ids: &'n mut Ids,
}

impl Tools<'_> {
    /// An update by this node.
    fn update(&mut self, variable: VarId, op: &Op) -> Result<(), RequestError> {
        requests::update(self.now, self.store, self.clock, variable, op)?;
        self.metrics.updates += 1;
        Ok(())
    }
}

/// Waiters that are no owner's: their ids count down from the greatest, owners' up from the least.
#[derive(Debug)]
pub(crate) struct Ids {
    last: u64,
    programs: BTreeMap<WaiterId, Name>,
}

impl Ids {
    pub(crate) const fn new() -> Self {
        Self { last: u64::MAX, programs: BTreeMap::new() }
    }

    pub(crate) fn next(&mut self) -> WaiterId {
        self.last -= 1;
        WaiterId(self.last)
    }

    fn belongs(&mut self, waiter: WaiterId, program: &Name) {
        self.programs.insert(waiter, program.clone());
    }

    fn release(&mut self, waiter: WaiterId) {
        self.programs.remove(&waiter);
    }
}

/// What programs did, for the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// An action printed.
    Printed(Name, String),
    /// An action failed.
    Failed(Name, Arc<str>),
}

/// The programs of one node.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    programs: BTreeMap<Name, Program>,
    /// Programs with something to react to, in order.
    stirred: VecDeque<Name>,
    told: Vec<Told>,
    /// The registry, or what this node hears, has changed.
    stale: bool,
}

#[derive(Debug)]
struct Program {
    entry: Entry,
    source: Arc<Source>,
    outline: Result<Outline, Arc<str>>,
    life: Life,
    /// The triggers that have fired in this generation.
    fired: BTreeSet<u64>,
    errors: VecDeque<Arc<str>>,
    errors_total: u64,
}

#[derive(Debug)]
enum Life {
    Running(Box<Session<Site>>),
    NotInterested,
    Failed(Arc<str>),
    Refused,
}

/// Why a program cannot declare a variable of the runtime.
fn reserved(name: &str) -> Problem {
    Problem::new(format!("{name:?} is a name of the runtime itself"))
        .hint(format!("names that begin with {:?} are reserved", system::RESERVED))
}

/// What the program sets up, or the diagnostics.
fn outline(store: Option<&Store>, source: &Arc<Source>) -> Result<Outline, Arc<str>> {
    let known = |name: &str| {
        if system::is_reserved(name) {
            return Err(reserved(name).message);
        }
        let graph = store.map(Store::graph);
        let info = graph.and_then(|graph| graph.info(graph.lookup(name)?));
        match info {
            Some(info) if info.local => Err(format!("{name} is a variable that never leaves this node")),
            info => Ok(info.map(|info| info.ty.clone())),
        }
    };
    installable(source, &known).map_err(|diagnostics| render_all(&diagnostics, source, false).into())
}

impl Program {
    fn new(name: &Name, entry: Entry, text: &str) -> Self {
        let source = Source::new(name.as_str(), text);
        let outline = outline(None, &source);
        let life = Life::NotInterested;
        let (fired, errors) = (BTreeSet::new(), VecDeque::new());
        Self { entry, source, outline, life, fired, errors, errors_total: 0 }
    }

    /// Whether the owner of this node hears something that the program starts from.
    fn concerns(&self, asked: &Interests) -> bool {
        let Ok(Outline { variables, sources }) = &self.outline else { return false };
        let all: Vec<&String> = if sources.is_empty() { variables.keys().collect() } else { sources.iter().collect() };
        all.is_empty() || all.iter().any(|name| asked.covers(name))
    }

    fn error(&mut self, message: Arc<str>) {
        if self.errors.len() == ERRORS_KEPT {
            self.errors.pop_front();
        }
        self.errors.push_back(message);
        self.errors_total += 1;
    }

    fn info(&self, name: &Name, store: &Store) -> ProgramInfo {
        let state = match (&self.life, &self.outline) {
            (_, Err(report)) => ProgramState::Refused(report.clone()),
            (Life::Running(_), _) => ProgramState::Running,
            (Life::Failed(report), _) => ProgramState::Failed(report.clone()),
            (Life::NotInterested | Life::Refused, _) => ProgramState::NotInterested,
        };
        let (mut errors, mut errors_total) = (Vec::new(), self.errors_total);
        let mut variables = Vec::new();
        if let Life::Running(session) = &self.life {
            let site = session.host_ref();
            variables.extend(site.declared.iter().map(|(name, ty)| (name.clone(), ty.clone())));
            for info in site.variables().iter().filter_map(|variable| store.graph().info(*variable)) {
                errors_total += info.errors.total();
                errors.extend(info.errors.recent().map(Self::place));
            }
        } else if let Ok(outline) = &self.outline {
            let named =
                |(name, ty): (&String, _)| Some((Name::new(name.as_str()).ok()?, lasp_dataflow::Type::clone(ty)));
            variables.extend(outline.variables.iter().filter_map(named));
        }
        errors.extend(self.errors.iter().cloned());
        errors.drain(..errors.len().saturating_sub(ERRORS_KEPT));
        let (name, version, source) = (name.clone(), self.entry.version, self.source.text().into());
        ProgramInfo { name, version, state, errors, errors_total, variables, source }
    }

    /// An error of a derivation with its place in the program that its function stands in.
    fn place(error: &lasp_dataflow::DerivationError) -> Arc<str> {
        let what = error.to_string();
        match error.error.place() {
            Some((program, line, column)) => format!("{what} (at {program}:{line}:{column})").into(),
            None => what.into(),
        }
    }
}

impl Programs {
    /// The registry, or what this node hears, has changed.
    pub(crate) fn touch(&mut self) {
        self.stale = true;
    }

    /// Whether programs may have to be set up or taken down.
    pub(crate) fn is_stale(&self) -> bool {
        self.stale
    }

    /// Whether there is something to do.
    pub(crate) fn is_stirred(&self) -> bool {
        self.stale || !self.stirred.is_empty()
    }

    /// What programs did since the last time.
    pub(crate) fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// What is known of each program.
    pub(crate) fn infos(&self, store: &Store) -> Vec<ProgramInfo> {
        self.programs.iter().map(|(name, program)| program.info(name, store)).collect()
    }

    /// What the programs at work here need to hear.
    fn needed(&self) -> BTreeSet<String> {
        let mut needed = BTreeSet::new();
        for program in self.programs.values() {
            if let Life::Running(session) = &program.life {
                let site = session.host_ref();
                needed.extend(site.declared.keys().map(ToString::to_string));
                needed.extend(site.patterns.iter().cloned());
            }
        }
        needed
    }

    // ---- what happens ----

    /// A threshold is reached that a trigger may wait for.
    pub(crate) fn met(&mut self, ids: &mut Ids, waiter: WaiterId) {
        let Some(name) = ids.programs.remove(&waiter) else { return };
        self.stir(name, |site| site.met(waiter));
    }

    /// It falls to this node to run the action of an enforcement.
    pub(crate) fn due(&mut self, name: Name, trigger: u64) {
        self.stir(name, |site| site.due(trigger));
    }

    fn stir(&mut self, name: Name, tell: impl FnOnce(&mut Site)) {
        if let Some(Program { life: Life::Running(session), .. }) = self.programs.get_mut(&name) {
            tell(session.host());
            if !self.stirred.contains(&name) {
                self.stirred.push_back(name);
            }
        }
    }

    /// Does what there is to do now; `true` if what this node hears has changed.
    pub(crate) fn work(&mut self, tools: &mut Tools<'_>) -> bool {
        let stale = std::mem::take(&mut self.stale);
        if stale {
            self.reconcile(tools);
        }
        while let Some(name) = self.stirred.pop_front() {
            self.react(&name, tools);
        }
        // Actions may declare, too.
        tools.store.set_needed(tools.now, self.needed())
    }

    fn react(&mut self, name: &Name, tools: &mut Tools<'_>) {
        let Some(program) = self.programs.get_mut(name) else { return };
        match std::mem::replace(&mut program.life, Life::NotInterested) {
            Life::Running(session) => {
                let (session, faults) =
                    with_tools(*session, tools, |session, out| session.react(out), name, &mut self.told);
                program.fired = session.fired();
                program.life = Life::Running(Box::new(session));
                tools.metrics.actions_failed += faults.len() as u64;
                for fault in faults {
                    let message: Arc<str> = fault.one_line().into();
                    program.error(message.clone());
                    self.told.push(Told::Failed(name.clone(), message));
                }
            }
            other => program.life = other,
        }
    }

    // ---- in line with the registry ----

    fn reconcile(&mut self, tools: &mut Tools<'_>) {
        let installed: BTreeMap<Name, Entry> = registry::entries(tools.store).into_iter().collect();
        let gone: Vec<Name> = self.programs.keys().filter(|name| !installed.contains_key(*name)).cloned().collect();
        for name in gone {
            self.remove(&name, tools);
        }
        for (name, entry) in installed {
            match &entry.text {
                None => self.remove(&name, tools),
                Some(text) => match self.programs.get(&name) {
                    Some(program) if program.entry == entry => self.follow_interests(&name, tools),
                    _ => {
                        let program = Program::new(&name, entry.clone(), text);
                        self.replace(&name, program, tools);
                    }
                },
            }
        }
    }

    fn remove(&mut self, name: &Name, tools: &mut Tools<'_>) {
        if let Some(mut program) = self.programs.remove(name) {
            for token in program.dismantle(tools) {
                tools.once.forget(tools.store, token);
            }
        }
    }

    /// Sets a program going or lets it rest, as the owner's interests have it.
    fn follow_interests(&mut self, name: &Name, tools: &mut Tools<'_>) {
        let Some(program) = self.programs.get_mut(name) else { return };
        let concerned = program.concerns(tools.store.asked());
        match &program.life {
            Life::NotInterested if concerned => {
                program.set_up(name, tools, &mut self.told);
                self.wake(name);
            }
            Life::Running(_) | Life::Failed(_) if !concerned => {
                for token in program.dismantle(tools) {
                    tools.once.forget(tools.store, token);
                }
            }
            _ => {}
        }
    }

    /// Puts a program in the place of an earlier version of it; gives that one, dismantled.
    fn replace(&mut self, name: &Name, mut program: Program, tools: &mut Tools<'_>) -> Option<Program> {
        let mut before = self.programs.remove(name);
        let mut tokens = BTreeSet::new();
        if let Some(before) = &mut before {
            tokens = before.dismantle(tools);
            if before.entry.generation == program.entry.generation {
                program.fired.clone_from(&before.fired);
            }
        }
        match &program.outline {
            Err(_) => {
                program.life = Life::Refused;
                tools.metrics.programs_refused += 1;
            }
            Ok(_) if program.concerns(tools.store.asked()) => program.set_up(name, tools, &mut self.told),
            Ok(_) => {}
        }
        for token in tokens.difference(&program.tokens()) {
            tools.once.forget(tools.store, *token);
        }
        self.programs.insert(name.clone(), program);
        self.wake(name);
        before
    }

    /// Lets a program that was just set up react to what was reached already.
    fn wake(&mut self, name: &Name) {
        self.stir(name.clone(), Site::open);
    }

    // ---- at the owner's request ----

    /// Installs a program: here first, and if that goes well, in the registry.
    pub(crate) fn install(
        &mut self,
        name: Option<Name>,
        text: &Arc<str>,
        tools: &mut Tools<'_>,
    ) -> Result<(Name, u64), ProgramError> {
        if text.len() > TEXT_MAX {
            return Err(ProgramError::TooLarge { size: text.len(), limit: TEXT_MAX });
        }
        let name = name.unwrap_or_else(|| {
            Name::new(format!("program-{:016x}", registry::hash(text))).expect("a short name is a name")
        });
        let source = Source::new(name.as_str(), &**text);
        outline(Some(tools.store), &source).map_err(ProgramError::Rejected)?;
        if !registry::has_room(tools.store, &name, text.len()) {
            return Err(ProgramError::Full { programs: NAMES_MAX, bytes: BYTES_MAX });
        }
        let last = registry::get(tools.store, &name);
        let entry =
            Entry::next(last.as_ref(), Some(text.clone())).ok_or_else(|| ProgramError::Exhausted(name.clone()))?;
        let before = self.replace(&name, Program::new(&name, entry.clone(), text), tools);
        if let Some(Program { life: Life::Failed(report), .. }) = self.programs.get(&name) {
            let report = report.clone();
            self.programs.remove(&name);
            if let Some(before) = before {
                self.replace(&name, before, tools);
            }
            return Err(ProgramError::Failed(report));
        }
        registry::put(tools.store, &name, &entry);
        tools.metrics.programs_installed += 1;
        self.stale = true;
        Ok((name, entry.version))
    }

    /// Removes a program from the registry, and so from every node.
    pub(crate) fn uninstall(&mut self, name: &Name, tools: &mut Tools<'_>) -> Result<(), ProgramError> {
        let last = registry::get(tools.store, name).filter(|last| last.text.is_some());
        let Some(last) = last else { return Err(ProgramError::Unknown(name.clone())) };
        let entry = Entry::next(Some(&last), None).ok_or_else(|| ProgramError::Exhausted(name.clone()))?;
        registry::put(tools.store, name, &entry);
        self.stale = true;
        Ok(())
    }
}

impl Program {
    fn tokens(&self) -> BTreeSet<Token> {
        match &self.life {
            Life::Running(session) => session.host_ref().tokens(),
            _ => BTreeSet::new(),
        }
    }

    /// Takes down what it has set up; what it enforced is to be forgotten, unless another version goes on with it.
    fn dismantle(&mut self, tools: &mut Tools<'_>) -> BTreeSet<Token> {
        match std::mem::replace(&mut self.life, Life::NotInterested) {
            Life::Running(session) => {
                self.fired = session.fired();
                session.rehost(()).1.dismantle(tools)
            }
            _ => BTreeSet::new(),
        }
    }

    /// Sets everything up, or nothing.
    fn set_up(&mut self, name: &Name, tools: &mut Tools<'_>, told: &mut Vec<Told>) {
        let site = Site::new(name.clone(), self.entry.generation);
        let session = Session::new(site).limited(SETUP_STEPS).limited_in_all(PROGRAM_STEPS).silent();
        let session = session.after(self.fired.clone());
        let source = self.source.clone();
        let (session, result) = with_tools(session, tools, |session, out| session.run(&source, out), name, told);
        self.fired = session.fired();
        let report = match result {
            Ok(_) => overflow(&session, tools.store),
            Err(Stop::Failed(fault)) => Some(fault.diagnostic().render(&fault.source, false)),
            Err(Stop::Rejected(diagnostics)) => Some(render_all(&diagnostics, &self.source, false)),
        };
        self.life = Life::Running(Box::new(session.limited(PROGRAM_STEPS)));
        if let Some(report) = report {
            for token in self.dismantle(tools) {
                tools.once.forget(tools.store, token);
            }
            tools.metrics.programs_failed += 1;
            self.life = Life::Failed(report.into());
        }
    }
}

/// What is wrong if the program needs more names than a node can say it hears.
fn overflow(session: &Session<Site>, store: &Store) -> Option<String> {
    let Interests::Prefixes(asked) = store.asked() else { return None };
    let site = session.host_ref();
    let needs = asked.len() + site.declared.len() + site.patterns.len();
    (needs > MAX_PREFIXES).then(|| {
        format!("this node would hear {needs} names and prefixes; at most {MAX_PREFIXES} can be told to others")
    })
}

/// Lets a program run at its node.
fn with_tools<T>(
    session: Session<Site>,
    tools: &mut Tools<'_>,
    run: impl FnOnce(&mut Session<Here<'_, '_>>, &mut dyn FnMut(Line)) -> T,
    name: &Name,
    told: &mut Vec<Told>,
) -> (Session<Site>, T) {
    let (session, site) = session.rehost(());
    let (mut session, ()) = session.rehost(Here { tools, site });
    let result = run(&mut session, &mut |line| {
        if let Line::Printed { text, .. } = line {
            told.push(Told::Printed(name.clone(), text));
        }
    });
    let (session, here) = session.rehost(());
    (session.rehost(here.site).0, result)
}
