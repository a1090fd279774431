//! `yrs`: a document with a map. It has no sets and no counters.

use super::{AddWins, Grow};
use ::yrs::updates::decoder::Decode;
use ::yrs::{Doc, Map, MapRef, ReadTxn, StateVector, Transact, Update};

/// A document whose map's keys are the elements.
pub(crate) struct Set {
    doc: Doc,
    map: MapRef,
}

impl Set {
    fn take(&mut self, update: &[u8]) {
        let update = Update::decode_v1(update).expect("an update that was encoded here");
        self.doc.transact_mut().apply_update(update).expect("an update that fits");
    }
}

impl Grow for Set {
    type Element = String;

    fn new(replica: u64) -> Self {
        let doc = Doc::with_client_id(replica);
        let map = doc.get_or_insert_map("set");
        Self { doc, map }
    }

    fn add(&mut self, element: String) {
        self.map.insert(&mut self.doc.transact_mut(), element, true);
    }

    fn fill(&mut self, elements: Vec<String>) {
        let mut transaction = self.doc.transact_mut();
        for element in elements {
            self.map.insert(&mut transaction, element, true);
        }
    }

    /// Asks for what is missing, as its synchronisation protocol does.
    fn merge(&mut self, other: Self) {
        let known = self.doc.transact().state_vector();
        let missing = other.doc.transact().encode_state_as_update_v1(&known);
        self.take(&missing);
    }

    fn fork(&mut self, replica: u64) -> Self {
        Self::decode(replica, &self.encode())
    }

    fn len(&self) -> usize {
        self.map.len(&self.doc.transact()) as usize
    }
}

impl AddWins for Set {
    type Update = Vec<u8>;

    fn tell(&mut self, element: String) -> Vec<u8> {
        let mut transaction = self.doc.transact_mut();
        self.map.insert(&mut transaction, element, true);
        transaction.encode_update_v1()
    }

    fn apply(&mut self, update: Vec<u8>) {
        self.take(&update);
    }

    fn update_bytes(update: &Vec<u8>) -> usize {
        update.len()
    }

    fn remove(&mut self, element: &String) {
        self.map.remove(&mut self.doc.transact_mut(), element);
    }

    fn encode(&mut self) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v1(&StateVector::default())
    }

    fn decode(replica: u64, bytes: &[u8]) -> Self {
        let mut set = Self::new(replica);
        set.take(bytes);
        set
    }
}
