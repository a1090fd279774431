//! The variables of one node, and their sums for comparing.

use crate::causal::group_of;
use crate::interest::{Interests, of_whole_group};
use crate::key::Key;
use crate::sync::Forest;
use crate::system;
use lasp_crdt::ReplicaId;
use lasp_dataflow::{DeclareError, Effects, Graph, Name, State, Type, UndeclareError, VarId};
use std::collections::{BTreeMap, BTreeSet};

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

/// Whether a variable is compared with neighbours by itself: those of groups are compared together.
fn is_compared(interests: &Interests, key: &Key) -> bool {
    !key.is_grouped() && interests.covers(key.name().as_str())
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
    keys: BTreeMap<VarId, Key>,
    vars: BTreeMap<u64, VarId>,
    forest: Forest<VarId>,
    fresh: u64,
    /// How often each variable was forgotten, by the hash of its key.
    forgotten: BTreeMap<u64, u32>,
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
            keys: BTreeMap::new(),
            vars: BTreeMap::new(),
            forest: Forest::new(),
            fresh: 0,
            forgotten: BTreeMap::new(),
        }
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

    /// Whether this node hears a variable.
    pub(crate) fn wants(&self, key: &Key) -> bool {
        self.interests.covers_whole(key.name().as_str())
    }

    /// What the owner wants to hear, apart from what programs need.
    pub(crate) const fn asked(&self) -> &Interests {
        &self.asked
    }

    /// Replaces what the owner wants to hear; the trees follow.
    pub(crate) fn set_interests(&mut self, interests: Interests) {
        self.asked = interests.of_whole_groups();
        self.follow_interests();
    }

    /// Replaces what programs want to hear; `true` if that changes what this node hears. The trees follow.
    pub(crate) fn set_needed(&mut self, needed: BTreeSet<String>) -> bool {
        let needed: BTreeSet<String> = needed.into_iter().map(of_whole_group).collect();
        if needed == self.needed {
            return false;
        }
        self.needed = needed;
        let before = self.interests.clone();
        self.follow_interests();
        self.interests != before
    }

    fn follow_interests(&mut self) {
        self.interests = self.asked.with(&self.needed);
        self.forest = Forest::new();
        for (var, key) in &self.keys {
            if is_compared(&self.interests, key) {
                let fingerprint = self.graph.state(*var).map_or(0, State::fingerprint);
                self.forest.set(key.hash(), key.name().as_str(), *var, fingerprint);
            }
        }
    }

    /// Declares a variable; a replicated one is heard from now on: `true` if that widened the interests.
    pub(crate) fn declare(&mut self, name: Option<Name>, ty: Type, local: bool) -> Result<(VarId, bool), DeclareError> {
        let name = name.unwrap_or_else(|| self.fresh_name());
        if local {
            return self.graph.declare_local(name, ty).map(|var| (var, false));
        }
        let var = self.graph.declare(name.clone(), ty.clone())?;
        self.register(var, name.clone(), ty);
        Ok((var, self.hear(name.as_str())))
    }

    /// A name that nobody else gives: replica, number.
    fn fresh_name(&mut self) -> Name {
        self.fresh += 1;
        Name::new(format!("_{}.{}", self.graph.replica(), self.fresh)).expect("a short name is a name")
    }

    fn register(&mut self, var: VarId, name: Name, ty: Type) {
        if !self.keys.contains_key(&var) {
            let key = Key::new(name, ty);
            self.vars.insert(key.hash(), var);
            self.keys.insert(var, key);
        }
    }

    fn hear(&mut self, name: &str) -> bool {
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
            self.follow_interests();
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
    pub(crate) fn undeclare(&mut self, var: VarId) -> Result<bool, UndeclareError> {
        self.graph.undeclare(var)?;
        let Some(key) = self.keys.remove(&var) else { return Ok(false) };
        self.vars.remove(&key.hash());
        self.forest.remove(key.hash());
        *self.forgotten.entry(key.hash()).or_default() += 1;
        let Interests::Prefixes(mut prefixes) = self.asked.clone() else { return Ok(false) };
        let narrows = prefixes.remove(key.name().as_str());
        if narrows {
            self.set_interests(Interests::Prefixes(prefixes));
        }
        Ok(narrows)
    }

    /// How often a variable was forgotten here: as long as it is the same, the state only grows.
    pub(crate) fn turn(&self, key: &Key) -> u32 {
        self.forgotten.get(&key.hash()).copied().unwrap_or(0)
    }

    /// Every replicated variable that is heard here and is above bottom. Cost: their number.
    pub(crate) fn replicated(&self) -> impl Iterator<Item = (&Key, &State)> {
        let states = self.keys.iter().filter_map(|(var, key)| Some((key, self.graph.state(*var)?)));
        states.filter(|(key, state)| is_compared(&self.interests, key) && !state.is_bottom())
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
            let Some(key) = self.keys.get(&change.var) else { continue };
            if is_compared(&self.interests, key) {
                let fingerprint = self.graph.state(change.var).map_or(0, State::fingerprint);
                self.forest.set(key.hash(), key.name().as_str(), change.var, fingerprint);
            }
        }
        effects
    }
}
