//! The membership strategy as a choice made at run time.
//!
//! [`AnyMembership`] dispatches to one strategy and is itself a [`Protocol`] and a [`Membership`]. The table at the top
//! lists the strategies; everything else follows from it. One byte names both the strategy and the kind of a
//! message: each strategy owns a range of tags. A message of a strategy that this peer does not run is ignored.

use super::client_server::{self, ClientServer};
use super::coding::measured_by_encoding;
use super::full::{self, FullMesh};
use super::hyparview::{self, HyParView};
use super::list::{Manual, Static};
use super::scamp::{self, Scamp};
use super::{Command, Contradiction, Event, Membership, Metrics, Standing};
use crate::peer::{Contact, PeerId};
use crate::protocol::{Input, Outbox, Output, Protocol};
use crate::rng::Rng;
use crate::time::Time;
use lasp_crdt::{Decode, DecodeError, Encode, Reader, Writer};

/// The list strategies, as the table names their parts.
mod fixed {
    pub(super) use crate::membership::list::{Config, Timer};
    pub(super) type Message = crate::membership::list::Message<128>;
}

mod manual {
    pub(super) use crate::membership::list::{Config, Timer};
    pub(super) type Message = crate::membership::list::Message<144>;
}

/// Makes the choice out of a table. A line is: what the strategy is, its variant and type, its module (which has a
/// `Config` and a `Message` with `decode_after`), its name in settings, and the tags of its messages.
macro_rules! strategies {
    ($( #[doc = $doc:literal] $variant:ident: $module:ident, $name:literal, tags $first:literal..=$last:literal; )+) => {
        /// Which strategy, and its settings.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(clippy::large_enum_variant, reason = "there is one per peer, and only while it starts")]
        pub enum MembershipConfig {
            $( #[doc = $doc] $variant($module::Config), )+
        }

        impl MembershipConfig {
            /// The names of the strategies, as settings spell them; the default first.
            pub const NAMES: &[&str] = &[$( $name ),+];

            /// The strategy of a name, with its default settings; nothing if there is none.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $( $name => Some(Self::$variant($module::Config::default())), )+
                    _ => None,
                }
            }

            /// Checks that the settings can be kept together.
            ///
            /// # Errors
            /// The first that contradicts another.
            pub fn validate(&self) -> Result<(), Contradiction> {
                match self {
                    $( Self::$variant(config) => config.validate(), )+
                }
            }

            /// The strategy's name, one of [`Self::NAMES`].
            pub const fn name(&self) -> &'static str {
                match self {
                    $( Self::$variant(_) => $name, )+
                }
            }
        }

        /// One of the strategies.
        #[derive(Debug)]
        pub enum AnyMembership {
            $( #[doc = $doc] $variant(Box<$variant>), )+
        }

        impl AnyMembership {
            /// The strategy that `config` names, for the peer `contact`.
            pub fn new(config: MembershipConfig, contact: Contact, rng: Rng) -> Self {
                match config {
                    $( MembershipConfig::$variant(config) => {
                        Self::$variant(Box::new($variant::new(config, contact, rng)))
                    } )+
                }
            }
        }

        /// A message of any strategy.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum AnyMessage {
            $( #[doc = $doc] $variant($module::Message), )+
        }

        /// A timer of any strategy.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum AnyTimer {
            $( #[doc = $doc] $variant($module::Timer), )+
        }

        $( impl Listed for $variant {
            fn message(any: AnyMessage) -> Option<Self::Message> {
                #[allow(unreachable_patterns, reason = "if there is one strategy")]
                match any {
                    AnyMessage::$variant(message) => Some(message),
                    _ => None,
                }
            }

            fn timer(any: AnyTimer) -> Option<Self::Timer> {
                #[allow(unreachable_patterns, reason = "if there is one strategy")]
                match any {
                    AnyTimer::$variant(timer) => Some(timer),
                    _ => None,
                }
            }

            fn any_message(message: Self::Message) -> AnyMessage {
                AnyMessage::$variant(message)
            }

            fn any_timer(timer: Self::Timer) -> AnyTimer {
                AnyTimer::$variant(timer)
            }
        } )+

        /// Does the same with whichever strategy it is.
        macro_rules! each {
            ($any:expr, $inner:ident => $does:expr) => {
                match $any {
                    $( AnyMembership::$variant($inner) => $does, )+
                }
            };
        }

        impl Encode for AnyMessage {
            fn encode(&self, w: &mut Writer<'_>) {
                match self {
                    $( Self::$variant(message) => message.encode(w), )+
                }
            }
        }

        impl Decode for AnyMessage {
            fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let at = r.at();
                let tag = r.u8("membership message")?;
                match tag {
                    $( $first..=$last => $module::Message::decode_after(tag, at, r).map(Self::$variant), )+
                    _ => Err(DecodeError::BadTag { what: "membership message", tag: tag.into(), at }),
                }
            }
        }
    };
}

strategies! {
    /// Partial views.
    HyParView: hyparview, "hyparview", tags 0..=31;
    /// Everybody links to everybody.
    FullMesh: full, "full", tags 32..=63;
    /// Servers link to each other, clients to a few servers.
    ClientServer: client_server, "client-server", tags 96..=127;
    /// Links with a fixed list of addresses.
    Static: fixed, "static", tags 128..=143;
    /// Links that commands make and end.
    Manual: manual, "manual", tags 144..=159;
    /// Partial views that find their size by themselves.
    Scamp: scamp, "scamp", tags 160..=191;
}

impl Default for MembershipConfig {
    fn default() -> Self {
        Self::HyParView(hyparview::Config::default())
    }
}

/// A strategy of the table: what of all strategies' messages and timers is its own.
trait Listed: Membership {
    fn message(any: AnyMessage) -> Option<Self::Message>;
    fn timer(any: AnyTimer) -> Option<Self::Timer>;
    fn any_message(message: Self::Message) -> AnyMessage;
    fn any_timer(timer: Self::Timer) -> AnyTimer;
}

impl Protocol for AnyMembership {
    type Command = Command;
    type Message = AnyMessage;
    type Timer = AnyTimer;
    type Event = Event;

    fn handle(&mut self, now: Time, input: Input<Self>, out: &mut Outbox<Self>) {
        each!(self, inner => run(&mut **inner, now, input, out));
    }
}

/// Gives `inner` its input, if it is meant for it, and lifts the effects.
fn run<P: Listed>(inner: &mut P, now: Time, input: Input<AnyMembership>, out: &mut Outbox<AnyMembership>) {
    let Some(input) = narrow::<P>(input) else {
        return;
    };
    let mut effects = Outbox::new();
    inner.handle(now, input, &mut effects);
    for effect in effects.drain() {
        out.push(effect.lift(P::any_message, P::any_timer).unwrap_or_else(Output::Emit));
    }
}

/// The input as the strategy `P` takes it; nothing if it is meant for another.
fn narrow<P: Listed>(input: Input<AnyMembership>) -> Option<Input<P>> {
    Some(match input {
        Input::Start => Input::Start,
        Input::Command(command) => Input::Command(command),
        Input::Received { from, message } => Input::Received { from, message: P::message(message)? },
        Input::Expired(timer) => Input::Expired(P::timer(timer)?),
        Input::LinkUp { peer, dialed } => Input::LinkUp { peer, dialed },
        Input::DialFailed(addr) => Input::DialFailed(addr),
        Input::LinkDown(peer) => Input::LinkDown(peer),
        Input::Drained { peer, bytes } => Input::Drained { peer, bytes },
    })
}

impl Membership for AnyMembership {
    fn contact(&self) -> &Contact {
        each!(self, inner => inner.contact())
    }

    fn active(&self) -> Vec<Contact> {
        each!(self, inner => inner.active())
    }

    fn passive(&self) -> Vec<Contact> {
        each!(self, inner => inner.passive())
    }

    fn members(&self) -> Vec<(Contact, Standing)> {
        each!(self, inner => inner.members())
    }

    fn reachable(&self) -> Vec<Contact> {
        each!(self, inner => inner.reachable())
    }

    fn contact_of(&self, peer: PeerId) -> Option<&Contact> {
        each!(self, inner => inner.contact_of(peer))
    }

    fn is_active(&self, peer: PeerId) -> bool {
        each!(self, inner => inner.is_active(peer))
    }

    fn heard(&mut self, now: Time, from: PeerId) {
        each!(self, inner => inner.heard(now, from));
    }

    fn accepts(&self, command: &Command) -> bool {
        each!(self, inner => inner.accepts(command))
    }

    fn metrics(&self) -> &Metrics {
        each!(self, inner => inner.metrics())
    }
}

measured_by_encoding!(AnyMessage);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_strategy_and_the_default_is_the_first() {
        for name in MembershipConfig::NAMES {
            assert_eq!(MembershipConfig::named(name).map(|config| config.name()), Some(*name));
        }
        assert_eq!(MembershipConfig::named("no-such"), None);
        assert_eq!(MembershipConfig::default().name(), MembershipConfig::NAMES[0]);
    }
}
