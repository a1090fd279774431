//! The variables of one node, and their sums for comparing.

use crate::interest::Interests;
use crate::key::Key;
use crate::sync::Forest;
use lasp_crdt::ReplicaId;
use lasp_dataflow::{DeclareError, Effects, Graph, Name, State, Type, UndeclareError, VarId};
use std::collections::BTreeMap;

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
    interests: Interests,
    keys: BTreeMap<VarId, Key>,
    vars: BTreeMap<u64, VarId>,
    forest: Forest<VarId>,
    fresh: u64,
}

impl Store {
    /// An empty store of one replica.
    pub(crate) fn new(replica: ReplicaId, interests: Interests) -> Self {
        Self {
            graph: Graph::new(replica),
            interests,
            keys: BTreeMap::new(),
            vars: BTreeMap::new(),
            forest: Forest::new(),
            fresh: 0,
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
        self.interests.covers(key.name().as_str())
    }

    /// Replaces what this node hears; the trees follow.
    pub(crate) fn set_interests(&mut self, interests: Interests) {
        self.interests = interests;
        self.forest = Forest::new();
        for (var, key) in &self.keys {
            if self.interests.covers(key.name().as_str()) {
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

    /// Forgets a variable. Other nodes keep theirs, and comparing with them may bring it back while this node hears it.
    pub(crate) fn undeclare(&mut self, var: VarId) -> Result<(), UndeclareError> {
        self.graph.undeclare(var)?;
        if let Some(key) = self.keys.remove(&var) {
            self.vars.remove(&key.hash());
            self.forest.forget(key.hash());
        }
        Ok(())
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
        if self.interests.covers(name) {
            return false;
        }
        if let Interests::Prefixes(prefixes) = &self.interests {
            let mut prefixes = prefixes.clone();
            prefixes.insert(name.to_owned());
            self.set_interests(Interests::Prefixes(prefixes));
        }
        true
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
            if self.interests.covers(key.name().as_str()) {
                let fingerprint = self.graph.state(change.var).map_or(0, State::fingerprint);
                self.forest.set(key.hash(), key.name().as_str(), change.var, fingerprint);
            }
        }
        effects
    }
}
