//! What an event of Retwis does: 15 % follow, 35 % post, 50 % read a timeline; users are chosen by Zipf's law.
//!
//! As in the published program (github.com/vitorenesduarte/exp), ids of posts have 31 letters and posts 270; a post goes onto
//! its author's wall and, by its id, onto the timeline of each follower that the node knows of. Nobody follows anybody at
//! first: what was published at a coefficient of 0.5 is too little for anything else.

use crate::replication::cluster::Cluster;
use lasp_crdt::fingerprint::mix;
use lasp_dataflow::{Op, State, Type, Value};
use lasp_overlay::Rng;

/// Letters of a post.
const POST: usize = 270;

/// Letters of a post's id.
const ID: usize = 31;

/// Of which events, in percent; what is left reads.
const FOLLOW: u64 = 15;
const WRITE: u64 = 35;

/// The users, and how often each is chosen.
#[derive(Debug)]
pub struct Network {
    /// The chance of a user and all before it.
    cumulated: Vec<f64>,
    seed: u64,
}

impl Network {
    /// So many users, of whom number `n` is chosen with a chance proportional to `n` to the power of `-zipf`.
    pub fn new(users: usize, zipf: f64, seed: u64) -> Self {
        let mut sum = 0.0;
        let mut cumulated: Vec<f64> = (1..=users)
            .map(|rank| {
                sum += (rank as f64).powf(-zipf);
                sum
            })
            .collect();
        cumulated.iter_mut().for_each(|chance| *chance /= sum);
        Self { cumulated, seed }
    }

    fn user(&self, rng: &mut Rng) -> usize {
        let drawn = rng.unit();
        self.cumulated.partition_point(|chance| *chance <= drawn).min(self.cumulated.len() - 1)
    }

    /// Makes event number `event` of a node. What is drawn does not depend on what the node holds.
    pub fn event(&self, cluster: &mut Cluster, node: usize, event: usize) {
        let mut rng = Rng::new(mix(self.seed, mix(node as u64, event as u64)));
        match rng.below(100) {
            kind if kind < FOLLOW => self.follow(cluster, node, &mut rng),
            kind if kind < FOLLOW + WRITE => self.post(cluster, node, &mut rng),
            _ => cluster.read(node, &timeline(self.user(&mut rng))),
        }
    }

    fn follow(&self, cluster: &mut Cluster, node: usize, rng: &mut Rng) {
        let user = self.user(rng);
        let other = loop {
            let other = self.user(rng);
            if other != user {
                break other;
            }
        };
        cluster.update(node, &followers(other), &Type::GSet, Op::Add(Value::Int(user as i64)));
    }

    fn post(&self, cluster: &mut Cluster, node: usize, rng: &mut Rng) {
        let user = self.user(rng);
        let (id, text) = (letters(ID, rng), letters(POST, rng));
        let write = |key: Value, value: Value| Op::Apply(key, Box::new(Op::Set(value)));
        cluster.update(node, &format!("wall/{user}"), &map(), write(id.clone(), text));
        let followed_by: Vec<Value> = match cluster.state(node, &followers(user)) {
            Some(State::GSet(set)) => set.iter().cloned().collect(),
            _ => Vec::new(),
        };
        let time = Value::Int(cluster.now().as_micros() as i64);
        for follower in followed_by {
            if let Value::Int(follower) = follower {
                cluster.update(node, &timeline(follower as usize), &map(), write(time.clone(), id.clone()));
            }
        }
    }
}

fn followers(user: usize) -> String {
    format!("followers/{user}")
}

fn timeline(user: usize) -> String {
    format!("timeline/{user}")
}

fn map() -> Type {
    Type::GMap(Box::new(Type::LwwRegister))
}

fn letters(count: usize, rng: &mut Rng) -> Value {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,!?:()";
    let text: String = (0..count).map(|_| char::from(LETTERS[rng.index(LETTERS.len())])).collect();
    Value::from(text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_as_uneven_as_was_asked() {
        let (flat, steep) = (Network::new(100, 0.0, 1), Network::new(100, 1.5, 1));
        let mut rng = Rng::new(7);
        let mut first = |network: &Network| (0..10_000).filter(|_| network.user(&mut rng) == 0).count();
        assert!((50..150).contains(&first(&flat)));
        // 1 of 2.41: the sum of n to the power of -1.5 up to 100.
        assert!((4_000..4_300).contains(&first(&steep)));
    }
}
