//! The variables of one node, and their sums for comparing.

use crate::causal::group_of;
use crate::changes::Changes;
use crate::interest::{Interests, of_whole_group};
use crate::key::Key;
use crate::routes::Common;
use crate::sync::Forest;
use crate::system;
use lasp_crdt::ReplicaId;
use lasp_dataflow::{DeclareError, Effects, Graph, Name, State, Type, UndeclareError, VarId};
use lasp_overlay::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a variable is kept that is not wanted any more and was never declared here. A guess: while the broadcast tree is
/// mended, what passes through a node passes elsewhere, and back.
pub(crate) const LINGER: Duration = Duration::from_secs(10);

/// What became of a received delta.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Applied {
    /// The variable grew.
    Grew,
    /// It brought nothing new.
    Redundant,
    /// This node does not want to hear the variable.
    NotWanted,
    /// Here the name belongs to a variable of this other type.
    Conflict(Type),
}

/// Graph, keys and hash trees, kept in step.
#[derive(Debug)]
pub(crate) struct Store {
    graph: Graph,
    /// What the owner wants to hear, and has declared.
    asked: Interests,
    /// What programs want to hear besides.
    needed: BTreeSet<String>,
    /// Both.
    interests: Interests,
    /// What links keep in common, by which this node keeps more than it hears.
    kept: Vec<Common>,
    /// Variables that came by themselves, and since when they are not wanted.
    guests: BTreeMap<VarId, Option<Time>>,
    keys: BTreeMap<VarId, Key>,
    vars: BTreeMap<u64, VarId>,
    forest: Forest<VarId>,
    fresh: u64,
    /// How often each variable was forgotten, by the hash of its key.
    forgotten: BTreeMap<u64, u32>,
    changes: Changes,
}

impl Store {
    /// An empty store of one replica.
    pub(crate) fn new(replica: ReplicaId, interests: Interests) -> Self {
        let interests = interests.of_whole_groups();
        Self {
            graph: Graph::new(replica),
            asked: interests.clone(),
            needed: BTreeSet::new(),
            interests,
            kept: Vec::new(),
            guests: BTreeMap::new(),
            keys: BTreeMap::new(),
            vars: BTreeMap::new(),
            forest: Forest::new(),
            fresh: 0,
            forgotten: BTreeMap::new(),
            changes: Changes::default(),
        }
    }

    /// One that remembers the last change of so many variables.
    pub(crate) fn remembering(self, changes: usize) -> Self {
        Self { changes: Changes::new(changes), ..self }
    }

    /// How variables came to be as they are.
    pub(crate) const fn changes(&self) -> &Changes {
        &self.changes
    }

    /// The same, to be told what comes.
    pub(crate) const fn changes_mut(&mut self) -> &mut Changes {
        &mut self.changes
    }

    /// The variables.
    pub(crate) const fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The variables, to be changed; [`settle`](Self::settle) must follow.
    pub(crate) const fn graph_mut(&mut self) -> &mut Graph {
        &mut self.graph
    }

    /// What this node hears.
    pub(crate) const fn interests(&self) -> &Interests {
        &self.interests
    }

    /// Whether this node keeps a variable: it hears it, or somebody on both sides of one of its links wants it.
    pub(crate) fn wants(&self, key: &Key) -> bool {
        self.keeps(key.name().as_str())
    }

    /// Whether this node hears a variable: what it keeps for others it may forget.
    pub(crate) fn hears(&self, key: &Key) -> bool {
        self.interests.covers(key.name().as_str())
    }

    /// Of a causal group all of it is kept, or nothing.
    fn keeps(&self, name: &str) -> bool {
        let name = group_of(name).unwrap_or(name);
        self.interests.covers(name) || self.kept.iter().any(|common| common.covers(name))
    }

    /// Whether a variable is compared with neighbours by itself: those of groups are compared together.
    fn is_compared(&self, key: &Key) -> bool {
        !key.is_grouped() && self.wants(key)
    }

    /// Replaces what links keep in common; the trees follow.
    pub(crate) fn set_kept(&mut self, now: Time, kept: Vec<Common>) {
        self.kept = kept;
        self.follow_interests(now);
    }

    /// Whether variables that came by themselves are not wanted any more.
    pub(crate) fn has_unwanted(&self) -> bool {
        self.guests.values().any(Option::is_some)
    }

    /// Forgets variables that came by themselves and have not been wanted for long. What is derived from here, watched or
    /// waited for stays. Cost: the number of variables.
    pub(crate) fn free(&mut self, now: Time) {
        let due = |since: &Option<Time>| since.is_some_and(|since| now >= since + LINGER);
        let gone: Vec<VarId> = self.guests.iter().filter(|(_, since)| due(since)).map(|(var, _)| *var).collect();
        for var in gone {
            if self.graph.undeclare(var).is_err() {
                self.guests.insert(var, Some(now));
                continue;
            }
            self.guests.remove(&var);
            if let Some(key) = self.keys.remove(&var) {
                self.vars.remove(&key.hash());
                self.forest.remove(key.hash());
            }
        }
    }

    /// What the owner wants to hear, apart from what programs need.
    pub(crate) const fn asked(&self) -> &Interests {
        &self.asked
    }

    /// Replaces what the owner wants to hear; the trees follow.
    pub(crate) fn set_interests(&mut self, now: Time, interests: Interests) {
        self.asked = interests.of_whole_groups();
        self.follow_interests(now);
    }

    /// Replaces what programs want to hear; `true` if that changes what this node hears. The trees follow.
    pub(crate) fn set_needed(&mut self, now: Time, needed: BTreeSet<String>) -> bool {
        let needed: BTreeSet<String> = needed.into_iter().map(of_whole_group).collect();
        if needed == self.needed {
            return false;
        }
        self.needed = needed;
        let before = self.interests.clone();
        self.follow_interests(now);
        self.interests != before
    }

    /// Compares what is kept and nothing else. Cost: the number of variables.
    fn follow_interests(&mut self, now: Time) {
        self.interests = self.asked.with(&self.needed);
        let keys = std::mem::take(&mut self.keys);
        for (&var, key) in &keys {
            let keeps = self.wants(key);
            if let Some(since) = self.guests.get_mut(&var) {
                *since = if keeps { None } else { since.or(Some(now)) };
            }
            if keeps && !key.is_grouped() && !self.forest.has(key.hash()) {
                self.sum(var, key);
            } else if !keeps {
                self.forest.remove(key.hash());
            }
        }
        self.keys = keys;
    }

    fn sum(&mut self, var: VarId, key: &Key) {
        let fingerprint = self.graph.state(var).map_or(0, State::fingerprint);
        self.forest.set(key.hash(), key.name().as_str(), var, fingerprint);
    }

    /// Declares a variable; a replicated one is heard from now on: `true` if that widened the interests.
    pub(crate) fn declare(
        &mut self,
        now: Time,
        name: Option<Name>,
        ty: Type,
        local: bool,
    ) -> Result<(VarId, bool), DeclareError> {
        let name = name.unwrap_or_else(|| self.fresh_name());
        if local {
            return self.graph.declare_local(name, ty).map(|var| (var, false));
        }
        let var = self.graph.declare(name.clone(), ty.clone())?;
        self.register(var, name.clone(), ty);
        Ok((var, self.hear(now, name.as_str())))
    }

    /// Declares a variable that is written here and heard no more than it was: reading it shows what was written here, and
    /// what was heard while it was.
    pub(crate) fn declare_unheard(&mut self, name: Name, ty: Type) -> Result<VarId, DeclareError> {
        self.declare_system(name, ty)
    }

    /// A name that nobody else gives: replica, number.
    fn fresh_name(&mut self) -> Name {
        self.fresh += 1;
        Name::new(format!("_{}.{}", self.graph.replica(), self.fresh)).expect("a short name is a name")
    }

    fn register(&mut self, var: VarId, name: Name, ty: Type) {
        self.guests.remove(&var);
        if !self.keys.contains_key(&var) {
            let key = Key::new(name, ty);
            self.vars.insert(key.hash(), var);
            self.keys.insert(var, key);
        }
    }

    fn hear(&mut self, now: Time, name: &str) -> bool {
        // Of a group all of it is heard.
        let name = group_of(name).unwrap_or(name);
        if self.asked.covers(name) {
            return false;
        }
        let heard = self.interests.covers(name);
        if let Interests::Prefixes(prefixes) = &mut self.asked {
            prefixes.insert(name.to_owned());
        }
        if !heard {
            self.follow_interests(now);
        }
        !heard
    }

    /// Declares a variable of the runtime itself, which every node hears.
    pub(crate) fn declare_system(&mut self, name: Name, ty: Type) -> Result<VarId, DeclareError> {
        let var = self.graph.declare(name.clone(), ty.clone())?;
        self.register(var, name, ty);
        Ok(var)
    }

    /// Declares a variable of a program; [`set_needed`](Self::set_needed) is to follow.
    pub(crate) fn declare_for_program(&mut self, name: Name, ty: Type) -> Result<VarId, DeclareError> {
        self.declare_system(name, ty)
    }

    /// Forgets a variable; `true` if the interests narrowed, by what declaring it had added. Other nodes keep theirs, and
    /// comparing with them brings it back while this node is interested in it by more than its declaration.
    pub(crate) fn undeclare(&mut self, now: Time, var: VarId) -> Result<bool, UndeclareError> {
        self.graph.undeclare(var)?;
        self.changes.forget(var);
        let Some(key) = self.keys.remove(&var) else { return Ok(false) };
        self.vars.remove(&key.hash());
        self.guests.remove(&var);
        self.forest.remove(key.hash());
        *self.forgotten.entry(key.hash()).or_default() += 1;
        let Interests::Prefixes(mut prefixes) = self.asked.clone() else { return Ok(false) };
        let narrows = prefixes.remove(key.name().as_str());
        if narrows {
            self.set_interests(now, Interests::Prefixes(prefixes));
        }
        Ok(narrows)
    }

    /// How often a variable was forgotten here: as long as it is the same, the state only grows.
    pub(crate) fn turn(&self, key: &Key) -> u32 {
        self.forgotten.get(&key.hash()).copied().unwrap_or(0)
    }

    /// Every replicated variable that is kept here and is above bottom. Cost: their number.
    pub(crate) fn replicated(&self) -> impl Iterator<Item = (&Key, &State)> {
        let states = self.keys.iter().filter_map(|(var, key)| Some((key, self.graph.state(*var)?)));
        states.filter(|(key, state)| self.is_compared(key) && !state.is_bottom())
    }

    /// The variables of a causal group. Cost: the number of variables.
    pub(crate) fn of_group(&self, group: &str) -> impl Iterator<Item = &Key> {
        self.keys.values().filter(move |key| group_of(key.name().as_str()) == Some(group))
    }

    /// The key of a replicated variable.
    pub(crate) fn key(&self, var: VarId) -> Option<&Key> {
        self.keys.get(&var)
    }

    /// The state of the variable that a key names, if it is known here.
    pub(crate) fn state(&self, key: &Key) -> Option<&State> {
        let var = self.vars.get(&key.hash())?;
        self.graph.state(*var)
    }

    /// The sums.
    pub(crate) const fn forest(&self) -> &Forest<VarId> {
        &self.forest
    }

    /// The sums, to build or drop trees.
    pub(crate) const fn forest_mut(&mut self) -> &mut Forest<VarId> {
        &mut self.forest
    }

    /// Merges a received delta; a variable unknown so far is declared.
    pub(crate) fn apply(&mut self, key: &Key, delta: State) -> Applied {
        if !self.wants(key) {
            return Applied::NotWanted;
        }
        if let Some(ty) = system::type_of(key.name().as_str()).filter(|ty| ty != key.ty()) {
            return Applied::Conflict(ty);
        }
        let var = match self.vars.get(&key.hash()) {
            Some(&var) => var,
            None => match self.graph.declare(key.name().clone(), key.ty().clone()) {
                Ok(var) => {
                    self.vars.insert(key.hash(), var);
                    self.keys.insert(var, key.clone());
                    self.guests.insert(var, None);
                    var
                }
                Err(_) => return Applied::Conflict(self.type_of(key.name())),
            },
        };
        if self.graph.merge(var, delta) { Applied::Grew } else { Applied::Redundant }
    }

    /// The type under which a name is known.
    fn type_of(&self, name: &Name) -> Type {
        let var = self.graph.lookup(name.as_str());
        var.and_then(|var| self.graph.info(var)).map_or(Type::AwSet, |info| info.ty.clone())
    }

    /// Takes what changed since the last call; the sums follow. Cost: the number of changed variables.
    pub(crate) fn settle(&mut self) -> Effects {
        let effects = self.graph.drain();
        for change in &effects.deltas {
            self.changes.note(change);
            let Some(key) = self.keys.get(&change.var) else { continue };
            if self.is_compared(key) {
                let fingerprint = self.graph.state(change.var).map_or(0, State::fingerprint);
                self.forest.set(key.hash(), key.name().as_str(), change.var, fingerprint);
            }
        }
        effects
    }
}
