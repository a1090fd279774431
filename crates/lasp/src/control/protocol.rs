//! What a client and a node say to each other: greetings, requests, answers, and their encoding.
//!
//! A connection begins as every one does, with the preface. The client's first packet is a `Client` control packet with a
//! [`ClientHello`]; the node answers with `Serve` and a [`Served`], or with a refusal. Frames follow, each one message in
//! postcard: [`Message`] from the client, [`Answer`] from the node. A message names the request it belongs to; answers to
//! different requests come in any order. Hostile bytes end the connection they came on.

use lasp_crdt::codec::Plain;
use lasp_crdt::{DecodeError, Reader, Writer};
use lasp_lang::Source;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The oldest version of this protocol that this build speaks. Clients and nodes count apart from peers.
pub const OLDEST_VERSION: u64 = 1;

/// The newest version of this protocol that this build speaks.
pub const NEWEST_VERSION: u64 = 1;

/// Largest message of a client in bytes: the largest program fits.
pub const MAX_MESSAGE: usize = Source::BYTES_MAX + 64 * 1024;

/// Largest answer of a node in bytes. A guess: the text of a set of a million numbers fits.
pub const MAX_ANSWER: usize = 16 << 20;

/// Requests of one client that may be open at once. A guess.
pub const MAX_OPEN: usize = 64;

/// Longest text in a greeting, in bytes.
const MAX_TEXT: usize = 256;

/// A client's first words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// Oldest and newest version that it speaks.
    pub versions: (u64, u64),
    /// The cluster it wants to talk to; empty for any.
    pub cluster: String,
}

impl ClientHello {
    /// The body of a `Client` packet.
    pub fn to_bytes(&self) -> Vec<u8> {
        written(|w| {
            w.varint(self.versions.0);
            w.varint(self.versions.1);
            w.text(&self.cluster);
        })
    }

    /// Reads a body. What a newer version says behind its fields is ignored; where no version is in common, the cluster
    /// is not read.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn from_bytes(body: &[u8]) -> Result<Self, DecodeError> {
        let mut plain = Plain;
        let mut r = Reader::new(body, &mut plain);
        let versions = (r.varint("oldest version")?, r.varint("newest version")?);
        if common_version(versions).is_none() {
            return Ok(Self { versions, cluster: String::new() });
        }
        let cluster = text(&mut r, "cluster name")?;
        if versions.1 <= NEWEST_VERSION {
            r.finish()?;
        }
        Ok(Self { versions, cluster })
    }
}

/// The newest version that both sides speak.
pub fn common_version((oldest, newest): (u64, u64)) -> Option<u64> {
    let version = newest.min(NEWEST_VERSION);
    (version >= oldest && version >= OLDEST_VERSION).then_some(version)
}

/// A node's consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The version that both speak from now on.
    pub version: u64,
    /// The node's cluster.
    pub cluster: String,
    /// The node's name.
    pub name: String,
    /// The version of its program.
    pub software: String,
}

impl Served {
    /// The body of a `Serve` packet.
    pub fn to_bytes(&self) -> Vec<u8> {
        written(|w| {
            w.varint(self.version);
            for text in [&self.cluster, &self.name, &self.software] {
                w.text(&text[..text.floor_char_boundary(MAX_TEXT)]);
            }
        })
    }

    /// Reads a body; more behind its fields is ignored.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn from_bytes(body: &[u8]) -> Result<Self, DecodeError> {
        let mut plain = Plain;
        let mut r = Reader::new(body, &mut plain);
        Ok(Self {
            version: r.varint("version")?,
            cluster: text(&mut r, "cluster name")?,
            name: text(&mut r, "node name")?,
            software: text(&mut r, "software version")?,
        })
    }
}

fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let (mut out, mut plain) = (Vec::new(), Plain);
    write(&mut Writer::new(&mut out, &mut plain));
    out
}

fn text(r: &mut Reader<'_>, what: &'static str) -> Result<String, DecodeError> {
    let at = r.at();
    let text = r.text(what)?;
    if text.len() > MAX_TEXT {
        return Err(DecodeError::TooLong { what, len: text.len() as u64, at });
    }
    Ok(text.to_owned())
}

// ---- messages ----

/// From the client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Names a request; the client does not reuse it while it is open.
    pub id: u32,
    /// What it wants.
    pub ask: Ask,
}

/// From the node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The request.
    pub id: u32,
    /// What it says.
    pub say: Say,
}

/// How values are to be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Style {
    /// As JSON, not in the language's syntax.
    pub json: bool,
    /// Diagnostics with colours.
    pub color: bool,
}

/// A request. Each says how it is answered; any may be answered with [`Say::Refused`], which is then the last answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Ask {
    /// A variable's value: one [`Say::Value`].
    Get {
        /// Its name.
        variable: String,
        /// How to write it.
        style: Style,
    },
    /// Applies an operation, written in the language: [`Say::Done`].
    Update {
        /// The variable's name.
        variable: String,
        /// The operation.
        operation: String,
        /// Declares the variable with this type, written in the language, if the node does not know it.
        declare: Option<String>,
        /// How to write diagnostics.
        style: Style,
    },
    /// A variable's value, now and whenever it changes: [`Say::Value`]s until it is cancelled. Who reads too slowly misses
    /// values, never the last.
    Watch {
        /// Its name.
        variable: String,
        /// How to write it.
        style: Style,
    },
    /// The variables whose name begins with this: [`Say::Variables`], the last of which has no more to come.
    Variables {
        /// The beginning.
        prefix: String,
    },
    /// Who is in the cluster: [`Say::Members`].
    Members,
    /// The links in the overlay: [`Say::Overlay`].
    Overlay,
    /// The node: [`Say::Status`].
    Status,
    /// Installs a program in the cluster: [`Say::Installed`].
    Install {
        /// Its name; without one, one that says what its text is.
        name: Option<String>,
        /// Its text.
        text: String,
    },
    /// Removes an installed program from the cluster: [`Say::Done`].
    Uninstall(String),
    /// The installed programs: [`Say::Programs`].
    Programs,
    /// Runs a program in this connection's session: [`Say::Line`]s, then [`Say::Ran`]. What its triggers print later are
    /// [`Say::Line`]s of the same request. One program at a time; cancelling it interrupts what it waits for.
    Run {
        /// What diagnostics call it.
        name: String,
        /// Its text.
        text: String,
        /// How to write what it prints.
        style: Style,
    },
    /// What is bound in this connection's session: [`Say::Bindings`].
    Bindings,
    /// The dataflow of this connection's session: [`Say::Graph`].
    Graph,
    /// Unbinds a name in this connection's session: [`Say::Done`].
    Forget(String),
    /// Forgets the request of this message's id: a program under way is interrupted, whatever else is open ends without a
    /// further answer.
    Cancel,
    /// Whether a node can be reached from the node asked: [`Say::Pong`].
    Ping {
        /// Its id; or its address, or both (`id@address`), if the node asked knows it.
        node: String,
    },
    /// Who belongs to the cluster, with whom the node keeps links, and who is there just now: [`Say::Cluster`].
    Cluster,
    /// Removes a member of the cluster for good, by its id: [`Say::Done`].
    Evict(String),
    /// Keeps a link to whoever listens at an address: [`Say::Done`].
    Connect(String),
    /// Ends that: [`Say::Done`].
    Disconnect(String),
    /// What changes around the node, after what is known now: [`Say::Changed`]s until it is cancelled. Who reads too slowly
    /// gets several changes in one.
    Events,
    /// Applies an operation, on terms: [`Say::Updated`].
    UpdateOn {
        /// The variable's name.
        variable: String,
        /// The operation.
        operation: String,
        /// Declares the variable with this type, written in the language, if the node does not know it.
        declare: Option<String>,
        /// What is to be so before the answer.
        terms: Terms,
        /// How to write diagnostics.
        style: Style,
    },
    /// A variable's value in a session: [`Say::ValueIn`], once the node is as far as the session.
    GetIn {
        /// Its name.
        variable: String,
        /// The session's token, or nothing for a new one.
        session: String,
        /// How long to wait.
        within_ms: u64,
        /// How to write it.
        style: Style,
    },
    /// A variable's value in a session, now and whenever it changes: [`Say::ValueIn`]s until it is cancelled, the first once the
    /// node is as far as the session. Who reads too slowly misses values, never the last.
    WatchIn {
        /// Its name.
        variable: String,
        /// The session's token, or nothing for a new one.
        session: String,
        /// How long to wait.
        within_ms: u64,
        /// How to write it.
        style: Style,
    },
}

/// What is to be so before an update is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// How many other nodes are to hold it.
    pub acknowledged_by: u32,
    /// How long to wait, for that and for the node to come as far as the session.
    pub within_ms: u64,
    /// The session that makes it: its token, or nothing for a new one.
    pub session: Option<String>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Say {
    /// It is done.
    Done,
    /// It cannot be done; nothing was changed.
    Refused(Refused),
    /// A variable's value.
    Value {
        /// The variable's type, in the language.
        ty: String,
        /// The value, as was asked.
        text: String,
    },
    /// Some variables.
    Variables {
        /// By the order in which the node came to know them.
        variables: Vec<VariableReport>,
        /// Whether more follow.
        more: bool,
    },
    /// Who is in the cluster, as far as the node knows.
    Members {
        /// The node asked.
        me: Peer,
        /// Its neighbours.
        active: Vec<Peer>,
        /// Others that it knows of.
        passive: Vec<Peer>,
    },
    /// The node's links.
    Overlay {
        /// The node asked.
        me: Peer,
        /// Its membership strategy.
        membership: String,
        /// To its neighbours.
        links: Vec<LinkReport>,
    },
    /// The node.
    Status(Box<StatusReport>),
    /// A program is installed.
    Installed {
        /// Its name.
        name: String,
        /// Which of those that were installed under this name.
        version: u64,
    },
    /// The installed programs, by name.
    Programs(Vec<ProgramReport>),
    /// A line of a program.
    Line {
        /// For the output, as was asked.
        text: Option<String>,
        /// For the errors, for people.
        error: Option<String>,
    },
    /// A program has ended.
    Ran {
        /// How.
        end: RunEnd,
        /// Diagnostics for people: why, or warnings.
        report: String,
        /// The names bound in the session, with the types of those that are variables, for completion.
        names: Vec<(String, Option<String>)>,
    },
    /// What is bound in the session.
    Bindings(Vec<Binding>),
    /// The dataflow of the session, as text.
    Graph(String),
    /// The node stops: nothing more comes.
    Stopping,
    /// A node answered.
    Pong {
        /// Its id.
        node: String,
        /// How many links the question crossed.
        hops: u8,
        /// Microseconds from the question to the answer.
        micros: u64,
    },
    /// Who belongs to the cluster, with whom the node keeps links, and who is there.
    Cluster {
        /// The node asked.
        me: Peer,
        /// Its neighbours.
        active: Vec<Peer>,
        /// Others that it knows of.
        passive: Vec<Peer>,
        /// The other members, and how it stands with them: `alive` or `suspect`.
        members: Vec<(Peer, String)>,
        /// The ids of those that are thought to be there just now.
        reachable: Vec<String>,
    },
    /// Something has changed around the node.
    Changed(Box<ChangeReport>),
    /// An update is applied and on its way.
    Updated(UpdateReport),
    /// A variable's value in a session.
    ValueIn {
        /// The variable's type, in the language.
        ty: String,
        /// The value, as was asked.
        text: String,
        /// The session's token from now on.
        session: String,
    },
}

/// What is known of an update that is applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateReport {
    /// The ids of other nodes that hold it.
    pub acknowledged_by: Vec<String>,
    /// How many were to.
    pub wanted: u64,
    /// How many other members the node knew of.
    pub known: u64,
    /// The token of the session that made it.
    pub session: Option<String>,
}

impl UpdateReport {
    /// Whether as many nodes hold it as were to.
    pub fn is_enough(&self) -> bool {
        self.acknowledged_by.len() as u64 >= self.wanted
    }
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    /// Whether a text in the language is at fault; else the request failed.
    pub rejected: bool,
    /// For people.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Refused {
    /// A request that failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { rejected: false, message: message.into(), hint: None }
    }

    /// With a hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunEnd {
    /// It ran to its end.
    Finished,
    /// It has errors; nothing of it was run.
    Rejected,
    /// It failed; what came before is done.
    Failed,
}

/// A name and what it is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The name.
    pub name: String,
    /// The type of a variable, or the kind of a value.
    pub kind: String,
    /// The value, or a variable's current value, shortened.
    pub value: String,
    /// How many elements were left out of a derived variable, and why the last one was.
    pub failures: Option<(u64, String)>,
}

/// A variable at a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariableReport {
    /// Its name.
    pub name: String,
    /// Its type, in the language.
    pub ty: String,
    /// Whether it stays at this node.
    pub local: bool,
    /// Whether something at this node derives into it.
    pub derived: bool,
    /// Elements or keys of a collection.
    pub elements: Option<u64>,
    /// Encoded size; `None` where finding out would be costly.
    pub bytes: Option<u64>,
    /// The value in the language, shortened, and as JSON unless that is long; `None` where it is large.
    pub value: Option<(String, Option<String>)>,
    /// How many elements derivations into it have failed on.
    pub errors: u64,
    /// The last of those.
    pub recent: Vec<ErrorReport>,
}

/// A derivation that failed on an element.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// The operator.
    pub operator: String,
    /// The element, shortened.
    pub element: String,
    /// Why.
    pub message: String,
    /// Where in the text of the function, in bytes.
    pub span: Option<(u32, u32)>,
    /// The same for people.
    pub place: Option<PlaceReport>,
}

/// A place in a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceReport {
    /// What the program is called.
    pub program: String,
    /// From 1.
    pub line: u64,
    /// From 1, in characters.
    pub column: u64,
}

/// An installed program as a node knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramReport {
    /// Its name.
    pub name: String,
    /// Which of those that were installed under this name.
    pub version: u64,
    /// What has become of it there, in a word or two.
    pub state: String,
    /// Why it does not run, if it should.
    pub report: Option<String>,
    /// The last errors while it ran, oldest first.
    pub errors: Vec<String>,
    /// How many errors there were altogether.
    pub errors_total: u64,
    /// The variables it declares, with their types.
    pub variables: Vec<(String, String)>,
}

/// A node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its id.
    pub id: String,
    /// Which of its lives.
    pub incarnation: u64,
    /// Where it is reached.
    pub addr: String,
}

/// What has changed around a node: see [`ViewChange`](crate::ViewChange), whose fields these are; peers that are no more are told
/// by their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeReport {
    /// Who has become a neighbour.
    pub up: Vec<Peer>,
    /// Who is none any more.
    pub down: Vec<String>,
    /// Who has become a member of the cluster.
    pub joined: Vec<Peer>,
    /// Who has said goodbye.
    pub left: Vec<String>,
    /// Who is no member any more for another reason.
    pub gone: Vec<String>,
    /// Members that do not answer any more.
    pub suspected: Vec<String>,
    /// Members that were suspected and answer.
    pub cleared: Vec<String>,
    /// Who is known besides the neighbours.
    pub known: Vec<Peer>,
    /// Who is so no more.
    pub forgotten: Vec<String>,
    /// The neighbours now.
    pub view: Vec<Peer>,
}

/// A link in the overlay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkReport {
    /// To whom.
    pub peer: Peer,
    /// Whether broadcasts go along it; else they are announced only.
    pub eager: bool,
    /// Messages that wait for it.
    pub waiting: u64,
    /// Bytes handed to the transport that the kernel has not taken.
    pub in_flight: u64,
}

/// A node at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// The node.
    pub me: Peer,
    /// Its name.
    pub name: String,
    /// Its cluster.
    pub cluster: String,
    /// Its membership strategy.
    pub membership: String,
    /// The version of its program.
    pub software: String,
    /// How long it has run.
    pub uptime_ms: u64,
    /// Neighbours in the overlay.
    pub active: u64,
    /// Others that it knows of.
    pub passive: u64,
    /// Prefixes of what it hears; `None` for everything.
    pub interests: Option<Vec<String>>,
    /// Variables that it holds.
    pub variables: u64,
    /// Equal for nodes with equal variables.
    pub fingerprint: u64,
    /// Whether nothing is under way there.
    pub quiescent: bool,
    /// Messages that wait for links.
    pub waiting: u64,
    /// Clients connected, this one included.
    pub clients: u64,
    /// What it counted since its start, by name.
    pub counters: Vec<(String, u64)>,
}

/// The bytes of a message.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    postcard::to_allocvec(message).unwrap_or_default() // fails for sequences of unknown length only; there are none
}

/// Reads a message; all of it.
///
/// # Errors
/// Why it is none.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    match postcard::take_from_bytes(bytes) {
        Ok((message, [])) => Ok(message),
        Ok((_, rest)) => Err(format!("{} bytes too many", rest.len())),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn greetings_survive_their_encoding() {
        let hello = ClientHello { versions: (OLDEST_VERSION, NEWEST_VERSION), cluster: "shop".to_owned() };
        assert_eq!(ClientHello::from_bytes(&hello.to_bytes()), Ok(hello));
        let served = Served { version: 1, cluster: "shop".to_owned(), name: "a".to_owned(), software: "1".to_owned() };
        assert_eq!(Served::from_bytes(&served.to_bytes()), Ok(served));
    }

    #[test]
    fn versions_come_first_and_the_newest_common_one_counts() {
        assert_eq!(common_version((1, 1)), Some(1));
        assert_eq!(common_version((1, 9)), Some(NEWEST_VERSION));
        assert_eq!(common_version((NEWEST_VERSION + 1, NEWEST_VERSION + 2)), None);
        let alien = [&[90, 99][..], &[0xff; 7]].concat();
        let hello = ClientHello::from_bytes(&alien).expect("the range is readable");
        assert_eq!(common_version(hello.versions), None);
    }

    #[test]
    fn a_newer_client_may_say_more_an_equal_one_may_not() {
        let more = |newest| {
            let hello = ClientHello { versions: (OLDEST_VERSION, newest), cluster: String::new() };
            ClientHello::from_bytes(&[hello.to_bytes(), vec![7]].concat())
        };
        assert!(more(NEWEST_VERSION + 1).is_ok());
        assert!(more(NEWEST_VERSION).is_err());
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_refused_or_read_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = ClientHello::from_bytes(&bytes);
            let _ = Served::from_bytes(&bytes);
            if let Ok(message) = decode::<Message>(&bytes) {
                prop_assert_eq!(decode::<Message>(&encode(&message)), Ok(message));
            }
            if let Ok(answer) = decode::<Answer>(&bytes) {
                prop_assert_eq!(decode::<Answer>(&encode(&answer)), Ok(answer));
            }
        }

        #[test]
        fn what_is_cut_off_is_refused(cut in 0usize..20) {
            let ask = Ask::Forget("a longer name".to_owned());
            let bytes = encode(&Message { id: 9, ask });
            prop_assume!(cut < bytes.len());
            prop_assert!(decode::<Message>(&bytes[..cut]).is_err());
        }
    }
}
