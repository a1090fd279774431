//! What the overlay looks like: surveys that this node begins, and what it says of itself in those of others.

use crate::command::{Reply, RequestId};
use crate::node::{Node, Timer};
use crate::open::reply;
use crate::wire::{Control, Item};
use lasp_overlay::membership::Membership as _;
use lasp_overlay::survey::{self, MAX_PEERS, Neighbor, Record, Survey};
use lasp_overlay::{Input, Outbox, Output, Protocol, Time};

impl Node {
    /// Asks every node for its views; the reply comes when no more answers do.
    pub(crate) fn survey(&mut self, now: Time, id: RequestId, wide: bool, out: &mut Outbox<Self>) {
        self.feed_survey(now, Input::Command(survey::Command::Begin { token: id.0, wide }), out);
    }

    pub(crate) fn feed_survey(&mut self, now: Time, input: Input<Survey>, out: &mut Outbox<Self>) {
        let mut effects = Outbox::new();
        self.surveys.handle(now, input, &mut effects);
        for effect in effects.drain() {
            match effect {
                Output::Send { to, message } => self.push(to, Item::Control(Control::Survey(message))),
                Output::SetTimer { after, timer } => out.set_timer(after, Timer::Survey(timer)),
                Output::Emit(survey::Event::Describe { id, wide }) => {
                    let record = Box::new(self.describe(wide));
                    self.feed_survey(now, Input::Command(survey::Command::Describe(id, record)), out);
                }
                Output::Emit(survey::Event::Done { token, records }) => {
                    reply(RequestId(token), Ok(Reply::Survey(records)), out);
                }
                // Links are the membership layer's: this layer asks for none.
                Output::Dial(_) | Output::Link(_) | Output::Close(_) => {}
            }
        }
    }

    /// This node as it says of itself: neighbours with their places in the broadcast tree, and the fingerprint of what it
    /// holds.
    pub fn describe(&self, wide: bool) -> Record {
        let (active, passive) = (self.membership().active(), self.membership().passive());
        let eager = |id| self.broadcast().eager().any(|eager| eager == id);
        let neighbor = |id| Neighbor { id, eager: eager(id) };
        let others = if wide { &passive[..] } else { &[] };
        Record {
            contact: self.contact().clone(),
            name: survey::limited(&self.config.label.name),
            role: survey::limited(&self.config.label.role),
            mark: self.fingerprint(),
            degree: active.len() as u64,
            neighbors: active.iter().take(MAX_PEERS).map(|contact| neighbor(contact.id)).collect(),
            known: passive.len() as u64,
            others: others.iter().take(MAX_PEERS).map(|contact| contact.id).collect(),
        }
    }
}
