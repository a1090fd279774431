//! The strategies as tests know them: each with its settings, what may be asked of it, and what it must keep to.

use lasp_overlay::membership::MembershipConfig;
use lasp_overlay::membership::client_server::Role;
use lasp_overlay::membership::hyparview::{Config as HyParView, Tag, xbot};
use lasp_overlay::membership::scamp::{Config as Scamp, Version};
use std::collections::BTreeMap;
use std::fmt;

/// Through whom everybody joins: the servers, where there are any; what lists name.
pub(crate) const CONTACTS: [u64; 3] = [0, 1, 2];

/// A strategy with its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    HyParView,
    Optimising,
    Tagged,
    Full,
    ClientServer,
    Static,
    Manual,
    Scamp1,
    Scamp2,
}

use Strategy::*;

impl Strategy {
    pub(crate) const ALL: [Self; 9] =
        [HyParView, Optimising, Tagged, Full, ClientServer, Static, Manual, Scamp1, Scamp2];
    /// Those that know everybody, or are told whom to know.
    pub(crate) const WHOLE: [Self; 4] = [Full, ClientServer, Static, Manual];
    /// Those with partial views.
    pub(crate) const PARTIAL: [Self; 5] = [HyParView, Optimising, Tagged, Scamp1, Scamp2];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            HyParView => "hyparview",
            Optimising => "hyparview+xbot",
            Tagged => "hyparview+tags",
            Full => "full",
            ClientServer => "client-server",
            Static => "static",
            Manual => "manual",
            Scamp1 => "scamp-1",
            Scamp2 => "scamp-2",
        }
    }

    /// The settings of peer `n`. The contacts are the servers: of client-server, and of whoever keeps a place for one.
    pub(crate) fn config(self, n: u64) -> MembershipConfig {
        let serves = CONTACTS.contains(&n);
        let named = |name| MembershipConfig::named(name).expect("a strategy");
        let scamp = |version| MembershipConfig::Scamp(Scamp { version, ..Scamp::default() });
        match self {
            Self::HyParView => named("hyparview"),
            Optimising => MembershipConfig::HyParView(HyParView {
                optimise: Some(xbot::Config::default()),
                ..HyParView::default()
            }),
            Tagged => MembershipConfig::HyParView(if serves { server() } else { client() }),
            Full => named("full"),
            Self::ClientServer => {
                let mut config = named("client-server");
                if let MembershipConfig::ClientServer(config) = &mut config {
                    config.role = if serves { Role::Server } else { Role::Client };
                }
                config
            }
            Static => named("static"),
            Manual => named("manual"),
            Scamp1 => scamp(Version::V1),
            Scamp2 => scamp(Version::V2),
        }
    }

    /// Whether peers are found by address alone: then who is on lists must not move.
    pub(crate) const fn is_by_address(self) -> bool {
        matches!(self, Static | Manual)
    }

    /// Whether views are partial: then who is missing from a view may be there all the same.
    pub(crate) const fn is_partial(self) -> bool {
        matches!(self, Self::HyParView | Optimising | Tagged | Scamp1 | Scamp2)
    }

    pub(crate) const fn is_scamp(self) -> bool {
        matches!(self, Scamp1 | Scamp2)
    }

    /// Whether peer `n` is to know everybody in the end.
    pub(crate) fn knows_all(self, n: u64) -> bool {
        self == Full || (self == Self::ClientServer && CONTACTS.contains(&n))
    }

    /// Most neighbours of peer `n`, and most others that it may know, of `count` peers.
    pub(crate) fn bounds(self, n: u64, count: u64) -> (usize, usize) {
        match self {
            Tagged if CONTACTS.contains(&n) => (SERVER_VIEW, 30),
            Self::HyParView | Optimising | Tagged => (5, 30),
            Scamp1 | Scamp2 => (128 + 256, 128),
            _ => (count as usize - 1, count as usize - 1),
        }
    }

    /// Most bytes a second that a peer sends while nothing happens.
    pub(crate) const fn idle(self) -> f64 {
        if self.is_partial() { 50.0 } else { 16.0 }
    }
}

/// A server's places have to do for its share of the clients.
const SERVER_VIEW: usize = 24;

fn tag() -> Tag {
    Tag::new("server").expect("short")
}

fn server() -> HyParView {
    HyParView { tag: Some(tag()), active_capacity: SERVER_VIEW, ..HyParView::default() }
}

fn client() -> HyParView {
    HyParView { reserved: BTreeMap::from([(tag(), 1)]), ..HyParView::default() }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
