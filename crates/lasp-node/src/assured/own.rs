//! This node's updates that wait to be held by others.

use super::message::{MAX_HOPS, Message, Passing};
use super::{Acknowledgement, Answer, Around, AssuredConfig, MOST, Outcome, Timer};
use crate::command::{RequestError, RequestId};
use crate::key::Key;
use crate::payload::Batch;
use crate::session::SessionToken;
use crate::wire::entry_len;
use lasp_crdt::fingerprint::mix;
use lasp_dataflow::State;
use lasp_overlay::PeerId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Deltas are entrusted in pieces of about this size, so that they wait with letters. A single part is never cut.
const PIECE: usize = 16 * 1024;

/// Most nodes that are remembered to hold a piece: neighbours that make nodes up cost no more.
const MOST_NAMED: usize = 4 * MOST;

/// How often neighbours alone are asked where there are enough of them, before they are to pass the question on. A guess.
const NEAR_ROUNDS: u32 = 2;

/// What an assurance waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Answers to the question of this round.
    Round(u32),
    /// As long as its owner wants to.
    End,
}

/// Who waits for how many nodes, for how long.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(super) request: RequestId,
    pub(super) wanted: usize,
    pub(super) within: Duration,
    /// The session that makes the update, as it is afterwards.
    pub(super) session: Option<Box<SessionToken>>,
}

/// A part of an update's delta, and who holds it.
#[derive(Debug)]
struct Piece {
    batch: Batch,
    holders: BTreeSet<PeerId>,
}

/// An update that waits.
#[derive(Debug)]
struct Assurance {
    request: RequestId,
    session: Option<Box<SessionToken>>,
    key: Key,
    wanted: usize,
    bytes: usize,
    /// By number, which other nodes call them by.
    pieces: BTreeMap<u64, Piece>,
    /// Neighbours that were asked.
    asked: BTreeSet<PeerId>,
    round: u32,
}

impl Assurance {
    /// Who holds all of it. Cost: the nodes that hold its first piece, for each piece.
    fn holders(&self) -> Vec<PeerId> {
        let mut pieces = self.pieces.values();
        let Some(first) = pieces.next() else { return Vec::new() };
        let others: Vec<&Piece> = pieces.collect();
        let all = |peer: &&PeerId| others.iter().all(|piece| piece.holders.contains(*peer));
        first.holders.iter().filter(all).copied().collect()
    }

    fn holds(&self, peer: PeerId) -> bool {
        self.pieces.values().all(|piece| piece.holders.contains(&peer))
    }

    /// The neighbours that want the variable, in an order of this update's own, so that no neighbour bears more than others.
    fn near(&self, number: u64, around: &Around<'_>) -> Vec<PeerId> {
        let wants = |peer: &PeerId| (around.wants)(*peer, &self.key);
        let mut near: Vec<PeerId> = around.neighbours.iter().copied().filter(wants).collect();
        near.sort_by_key(|peer| mix(number, peer.0));
        near
    }
}

/// The updates of one node that wait.
#[derive(Debug)]
pub(crate) struct Assured {
    config: AssuredConfig,
    me: PeerId,
    life: u64,
    /// How many pieces have been entrusted, this node's and those of others.
    numbers: u64,
    open: BTreeMap<u64, Assurance>,
    /// To which assurance a piece belongs.
    pieces: BTreeMap<u64, u64>,
    bytes: usize,
}

impl Assured {
    /// None yet.
    pub(crate) const fn new(config: AssuredConfig, me: PeerId, life: u64) -> Self {
        Self { config, me, life, numbers: 0, open: BTreeMap::new(), pieces: BTreeMap::new(), bytes: 0 }
    }

    /// Whether nothing waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// A number that nothing else entrusted by this node has.
    pub(crate) const fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Refuses what cannot be waited for; nothing has been applied then.
    ///
    /// # Errors
    /// [`RequestError::TooManyWanted`], [`RequestError::TooManyAssured`].
    pub(crate) fn admit(&self, wanted: usize) -> Result<(), RequestError> {
        if wanted > MOST {
            return Err(RequestError::TooManyWanted { wanted, most: MOST });
        }
        if self.open.len() >= self.config.open || self.bytes >= self.config.open_bytes {
            return Err(RequestError::TooManyAssured { open: self.open.len() });
        }
        Ok(())
    }

    /// Waits for so many nodes to hold a delta, for so long at most, and asks them.
    pub(crate) fn begin(&mut self, terms: Terms, key: &Key, delta: State, around: &Around<'_>) -> Outcome {
        let Terms { request, wanted, within, session } = terms;
        let bytes = entry_len(key, &delta);
        let parts = cut(key, delta, bytes);
        let numbered = parts.into_iter().map(|batch| (self.number(), Piece { batch, holders: BTreeSet::new() }));
        let pieces: BTreeMap<u64, Piece> = numbered.collect();
        let number = *pieces.keys().next().expect("a delta has a piece");
        self.pieces.extend(pieces.keys().map(|&piece| (piece, number)));
        self.bytes += bytes;
        let asked = BTreeSet::new();
        let one = Assurance { request, session, key: key.clone(), wanted, bytes, pieces, asked, round: 0 };
        self.open.insert(number, one);
        let mut outcome = Outcome::default();
        outcome.timers.push((within, Timer { number, turn: Turn::End }));
        self.ask(number, around, &mut outcome);
        outcome
    }

    /// Asks, in the round that it is.
    fn ask(&mut self, number: u64, around: &Around<'_>, out: &mut Outcome) {
        let (me, life) = (self.me, self.life);
        let Some(one) = self.open.get_mut(&number) else { return };
        let near = one.near(number, around);
        let enough = near.len() >= one.wanted;
        if enough && one.round < NEAR_ROUNDS {
            let few = if one.round == 0 { one.wanted } else { near.len() };
            near.into_iter().take(few).for_each(|peer| entrust(one, peer, None, out));
        } else {
            let hops = 1 << (one.round - if enough { NEAR_ROUNDS } else { 0 }).min(5);
            let hops = MAX_HOPS.min(hops);
            // Which nodes are named first may differ from piece to piece.
            let wanted = if one.pieces.len() > 1 { MOST } else { one.wanted };
            let (serial, round) = (number, one.round);
            let passing = Passing { origin: me, life, serial, round, hops, wanted };
            around.neighbours.iter().for_each(|&peer| entrust(one, peer, Some(passing), out));
        }
        let patience = self.config.patience.saturating_mul(1 << one.round.min(16)).min(self.config.patience_most);
        out.timers.push((patience, Timer { number, turn: Turn::Round(one.round) }));
    }

    /// A piece is held: by the neighbour that says so, or by those that it names.
    pub(crate) fn held(&mut self, from: PeerId, piece: u64, by: &[PeerId], known: usize) -> Outcome {
        let mut out = Outcome::default();
        let Some(&number) = self.pieces.get(&piece) else { return out };
        let Some(one) = self.open.get_mut(&number) else { return out };
        let Some(held) = one.pieces.get_mut(&piece) else { return out };
        let named = if by.is_empty() { std::slice::from_ref(&from) } else { by };
        for &peer in named.iter().filter(|peer| **peer != self.me) {
            if held.holders.len() < MOST_NAMED {
                held.holders.insert(peer);
            }
        }
        let by = one.holders();
        if by.len() >= one.wanted {
            self.answer(number, by, known, &mut out);
        }
        out
    }

    fn answer(&mut self, number: u64, by: Vec<PeerId>, known: usize, out: &mut Outcome) {
        let Some(one) = self.forget(number) else { return };
        let acknowledgement = Acknowledgement { by, wanted: one.wanted, known };
        out.answers.push(Answer { request: one.request, acknowledgement, session: one.session });
    }

    fn forget(&mut self, number: u64) -> Option<Assurance> {
        let one = self.open.remove(&number)?;
        one.pieces.keys().for_each(|piece| _ = self.pieces.remove(piece));
        self.bytes -= one.bytes;
        Some(one)
    }

    /// A time is over: asks again, or says who holds it.
    pub(crate) fn expired(&mut self, timer: Timer, known: usize, around: &Around<'_>) -> Outcome {
        let mut out = Outcome::default();
        let Some(one) = self.open.get_mut(&timer.number) else { return out };
        match timer.turn {
            Turn::End => {
                let by = one.holders();
                self.answer(timer.number, by, known, &mut out);
            }
            Turn::Round(round) if round == one.round => {
                one.round += 1;
                self.ask(timer.number, around, &mut out);
            }
            Turn::Round(_) => {}
        }
        out
    }

    /// A neighbour is there: it is asked whatever still waits, where neighbours are.
    pub(crate) fn peer_up(&mut self, peer: PeerId, around: &Around<'_>) -> Outcome {
        let mut out = Outcome::default();
        for one in self.open.values_mut().filter(|one| (around.wants)(peer, &one.key)) {
            entrust(one, peer, None, &mut out);
        }
        out
    }

    /// A neighbour is gone: another is asked in its place, where there is one.
    pub(crate) fn peer_down(&mut self, peer: PeerId, around: &Around<'_>) -> Outcome {
        let mut out = Outcome::default();
        for (&number, one) in &mut self.open {
            if one.asked.remove(&peer) && !one.holds(peer) {
                let others = one.near(number, around);
                if let Some(other) = others.into_iter().find(|other| !one.asked.contains(other)) {
                    entrust(one, other, None, &mut out);
                }
            }
        }
        out
    }

    /// Its owner waits no longer.
    pub(crate) fn cancel(&mut self, request: RequestId) {
        let asked = self.open.iter().find(|(_, one)| one.request == request).map(|(&number, _)| number);
        if let Some(number) = asked {
            self.forget(number);
        }
    }
}

/// Entrusts a neighbour with the pieces that it does not hold; with all of them if it is to pass them on.
fn entrust(one: &mut Assurance, peer: PeerId, passing: Option<Passing>, out: &mut Outcome) {
    one.asked.insert(peer);
    for (&number, piece) in &one.pieces {
        if passing.is_some() || !piece.holders.contains(&peer) {
            let passing = passing.map(|passing| Passing { serial: number, ..passing });
            out.say.push((peer, Message::Entrust { number, passing, batch: piece.batch.clone() }));
        }
    }
}

/// Cuts a delta of so many bytes along its join decomposition.
fn cut(key: &Key, delta: State, bytes: usize) -> Vec<Batch> {
    if bytes <= PIECE {
        return vec![Batch::single(key.clone(), delta)];
    }
    let (mut pieces, mut size) = (vec![State::bottom(key.ty())], 0);
    for part in delta.decompose() {
        let len = entry_len(key, &part);
        if size > 0 && size + len > PIECE {
            pieces.push(State::bottom(key.ty()));
            size = 0;
        }
        size += len;
        pieces.last_mut().expect("never empty").merge(part);
    }
    pieces.into_iter().map(|piece| Batch::single(key.clone(), piece)).collect()
}
