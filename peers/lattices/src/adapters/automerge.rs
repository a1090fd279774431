//! `automerge`: a document with a map and its whole history. It has no sets.

use super::{AddWins, Grow};
use ::automerge::transaction::Transactable;
use ::automerge::{ActorId, AutoCommit, ROOT, ReadDoc};

/// A document whose root's keys are the elements.
pub(crate) struct Set(AutoCommit);

impl Set {
    fn put(&mut self, element: String) {
        self.0.put(ROOT, element, true).expect("a key that can be put");
    }
}

fn actor(replica: u64) -> ActorId {
    ActorId::from(replica.to_be_bytes())
}

impl Grow for Set {
    type Element = String;

    fn new(replica: u64) -> Self {
        Self(AutoCommit::new().with_actor(actor(replica)))
    }

    fn add(&mut self, element: String) {
        self.put(element);
        self.0.commit();
    }

    fn fill(&mut self, elements: Vec<String>) {
        elements.into_iter().for_each(|element| self.put(element));
        self.0.commit();
    }

    fn merge(&mut self, mut other: Self) {
        self.0.merge(&mut other.0).expect("a document that was made here");
    }

    fn fork(&mut self, replica: u64) -> Self {
        Self(self.0.fork().with_actor(actor(replica)))
    }

    fn len(&self) -> usize {
        self.0.length(ROOT)
    }
}

impl AddWins for Set {
    type Update = Vec<u8>;

    fn tell(&mut self, element: String) -> Vec<u8> {
        self.add(element);
        self.0.get_last_local_change().expect("the change that was just made").raw_bytes().to_vec()
    }

    fn apply(&mut self, update: Vec<u8>) {
        self.0.load_incremental(&update).expect("a change that was made here");
    }

    fn update_bytes(update: &Vec<u8>) -> usize {
        update.len()
    }

    fn remove(&mut self, element: &String) {
        self.0.delete(ROOT, element.as_str()).expect("a key that can be deleted");
        self.0.commit();
    }

    fn encode(&mut self) -> Vec<u8> {
        self.0.save()
    }

    fn decode(replica: u64, bytes: &[u8]) -> Self {
        Self(AutoCommit::load(bytes).expect("a document that was saved here").with_actor(actor(replica)))
    }
}
