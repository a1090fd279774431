//! What the overlay looks like, asked of all its nodes.

use super::ask::{Ask, mismatch};
use super::handle::Lasp;
use crate::host::port::Answer;
use lasp_node::{Reply, Request};
use lasp_overlay::survey::Record;

impl Lasp {
    /// Asks every node of the cluster who its neighbours are: what each says of itself, ascending by id. It takes some hundred
    /// milliseconds, three seconds at most, and costs each node some hundred bytes on each of its links. Whoever is dead or
    /// cut off says nothing. `wide` asks for the passive views, too.
    ///
    /// What comes is passed on by others: good for looking at, not for deciding on.
    pub fn survey(&self, wide: bool) -> Ask<Vec<Record>> {
        Ask::request(self, Request::Survey { wide }, |_, _, answer| match answer {
            Answer::Reply(Reply::Survey(records)) => Ok(records),
            other => Err(mismatch(&other)),
        })
    }
}
