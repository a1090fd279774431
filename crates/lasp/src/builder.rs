//! Starting a node on tokio.

use crate::api::Lasp;
use crate::control::{Access, Facts, MAX_INCOMING, Server};
use crate::driver::{Driver, DriverConfig, Ended};
use crate::error::Stop;
use crate::host::{Host, HostConfig};
use crate::http::{Http, HttpError};
use crate::identity::{Identity, IdentityError, random_u64, wall_clock_ms};
use crate::log::Log;
use crate::settings::membership::{daemons, resolve};
use crate::settings::{ExchangeError, Membership, MembershipError, Settings, exchange};
use crate::transport::hello::MAX_CLUSTER;
use crate::transport::{Transport, TransportConfig};
use lasp_node::{Interests, MAX_FRAME, Node};
use lasp_overlay::membership::client_server::Role;
use lasp_overlay::{Addr, Contact, PeerId};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Where a node listens unless told otherwise. The port is a guess that nobody else uses.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:4100";

/// The cluster that a node belongs to unless told otherwise.
pub const DEFAULT_CLUSTER: &str = "default";

/// Variables whose last changes are remembered where the live view is served. A guess: more than anybody looks at, in less
/// than a megabyte.
const CHANGES: usize = 10_000;

/// Why a node did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// No tokio runtime with network and time is running here.
    #[error("a node runs on tokio: start it inside a runtime with I/O and time enabled")]
    NoRuntime,
    /// Cannot listen.
    #[error("cannot listen at {addr}: {problem}; {}", listen_hint(.addr, .problem))]
    Listen {
        /// Where.
        addr: String,
        /// What the system says.
        problem: io::Error,
    },
    /// The address to be reached at cannot be one.
    #[error("others cannot reach this node at {addr}; give an address to advertise, as HOST:PORT")]
    Advertise {
        /// The address.
        addr: String,
    },
    /// A contact is not an address.
    #[error("cannot join through {addr:?}: it is not HOST:PORT")]
    Contact {
        /// The contact.
        addr: String,
    },
    /// A node that would join through itself alone.
    #[error("cannot join through {addr}: that is this node itself; name another node of the cluster")]
    Itself {
        /// The address.
        addr: String,
    },
    /// The membership cannot be as is set.
    #[error(transparent)]
    Membership(#[from] MembershipError),
    /// Settings of exchanges contradict each other.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// The cluster's name is too long.
    #[error("the cluster's name has {0} bytes; at most {MAX_CLUSTER} are possible")]
    Cluster(usize),
    /// The live view cannot be served.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// There is no identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

fn listen_hint(addr: &str, problem: &io::Error) -> &'static str {
    match problem.kind() {
        io::ErrorKind::AddrInUse if addr.ends_with(":0") => {
            "no port is free: end what uses them up, or widen the range (sysctl net.ipv4.ip_local_port_range)"
        }
        io::ErrorKind::AddrInUse => {
            "another process listens there: stop it, or choose another port (0 takes a free one)"
        }
        io::ErrorKind::PermissionDenied => "ports below 1024 need privileges: choose a higher one",
        io::ErrorKind::AddrNotAvailable => "this machine has no such address",
        _ => "listen at an address of this machine, as HOST:PORT",
    }
}

/// What is set about a node before it starts.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `start`"]
pub struct Builder {
    settings: Settings,
    identity: Option<(PeerId, u64)>,
    seed: Option<u64>,
    node: lasp_node::Config,
    transport: TransportConfig,
    log: Option<Log>,
}

impl Lasp {
    /// Sets up a node: see [`Builder`].
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// The node's name, unique in its cluster: a node of the same name is taken for an earlier life of this one.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = Some(name.into());
        self
    }

    /// The cluster; nodes of other clusters are refused. Default `default`.
    pub fn cluster(mut self, cluster: impl Into<String>) -> Self {
        self.settings.cluster = Some(cluster.into());
        self
    }

    /// Where to listen, `HOST:PORT`; port 0 takes a free one. Default [`DEFAULT_LISTEN`].
    pub fn listen(mut self, addr: impl Into<String>) -> Self {
        self.settings.listen = Some(addr.into());
        self
    }

    /// Where others reach this node, if not where it listens.
    pub fn advertise(mut self, addr: impl Into<String>) -> Self {
        self.settings.advertise = Some(addr.into());
        self
    }

    /// Nodes to join through; retried until one answers.
    pub fn join<I: IntoIterator<Item = S>, S: Into<String>>(mut self, contacts: I) -> Self {
        self.settings.join = Some(contacts.into_iter().map(Into::into).collect());
        self
    }

    /// The membership strategy. Default HyParView.
    pub const fn membership(mut self, membership: Membership) -> Self {
        self.settings.membership = Some(membership);
        self
    }

    /// Hosts whose port mapper daemons are asked for members, `HOST` or `HOST:PORT`, where membership is epmd. Default: this
    /// machine.
    pub fn epmd_hosts<I: IntoIterator<Item = S>, S: Into<String>>(mut self, hosts: I) -> Self {
        self.settings.epmd_hosts = Some(hosts.into_iter().map(Into::into).collect());
        self
    }

    /// Where port mapper daemons listen, this machine's too. Default [`epmd::DEFAULT_PORT`](crate::epmd::DEFAULT_PORT).
    pub const fn epmd_port(mut self, port: u16) -> Self {
        self.settings.epmd_port = Some(port);
        self
    }

    /// What the node is, where membership is client-server.
    pub const fn role(mut self, role: Role) -> Self {
        self.settings.role = Some(role);
        self
    }

    /// Where the node's identity is kept. Without it, a named node has the same identity in every life, an unnamed one
    /// a new one each time.
    pub fn data_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.settings.data_dir = Some(dir.into());
        self
    }

    /// Prefixes of the variables that this node wants to hear. Default: all.
    pub fn interests<I: IntoIterator<Item = S>, S: Into<String>>(mut self, prefixes: I) -> Self {
        self.settings.interest = Some(prefixes.into_iter().map(Into::into).collect());
        self
    }

    /// Which clients it serves on its listener, the `lasp` command for one. Default: none. What the clients run ends with the
    /// node; they keep it from nothing.
    pub const fn control(mut self, access: Access) -> Self {
        self.settings.control = Some(access);
        self
    }

    /// Where to serve the live view over HTTP: [`http`](crate::http). Default: nowhere. An address beyond this machine wants a
    /// token as well ([`Settings::http_token`]).
    pub fn http(mut self, addr: impl Into<String>) -> Self {
        self.settings.http = Some(addr.into());
        self
    }

    /// Everything at once that an operator can set.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// An identity and incarnation from elsewhere; a data directory is not used then. The incarnation must be greater
    /// in each life.
    pub const fn identity(mut self, id: PeerId, incarnation: u64) -> Self {
        self.identity = Some((id, incarnation));
        self
    }

    /// What the node's own randomness follows from. Default: random.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Where lines for the operator go. Default: nowhere.
    pub fn log(mut self, log: Log) -> Self {
        self.log = Some(log);
        self
    }

    /// Tunes the node: broadcast, synchronisation, pacing, membership's times.
    pub fn tune(mut self, tune: impl FnOnce(&mut lasp_node::Config)) -> Self {
        tune(&mut self.node);
        self
    }

    /// Tunes the transport: times and limits.
    pub fn tune_transport(mut self, tune: impl FnOnce(&mut TransportConfig)) -> Self {
        tune(&mut self.transport);
        self
    }

    /// Starts the node on the running tokio runtime; it listens when this returns, and joins in the background.
    ///
    /// # Errors
    /// [`StartError`]; nothing runs then.
    pub async fn start(mut self) -> Result<Lasp, StartError> {
        tokio::runtime::Handle::try_current().map_err(|_| StartError::NoRuntime)?;
        self.node.membership = resolve(&self.settings, self.node.membership)?;
        exchange::apply(&self.settings, &mut self.node)?;
        let epmd = daemons(&self.settings)?;
        let contacts = contacts(self.settings.join.as_deref().unwrap_or_default())?;
        let cluster = self.settings.cluster.clone().unwrap_or_else(|| DEFAULT_CLUSTER.to_owned());
        if cluster.len() > MAX_CLUSTER {
            return Err(StartError::Cluster(cluster.len()));
        }
        let listener = self.bind().await?;
        let addr = self.reachable_at(&listener)?;
        let http = Http::bind(&self.settings).await?;
        if !contacts.is_empty() && contacts.iter().all(|contact| *contact == addr) {
            return Err(StartError::Itself { addr: addr.to_string() });
        }
        let identity = self.identify(&cluster)?;
        let contact = Contact { id: identity.id, incarnation: identity.incarnation, addr };
        let log = self.log.clone().unwrap_or_else(Log::silent);
        let lasp = self.launch(listener, http, cluster.clone(), contact.clone(), identity);
        if let Some(epmd) = epmd {
            epmd.start(&lasp, &cluster, &contact, &log);
        }
        if !contacts.is_empty() {
            lasp.join(contacts);
        }
        Ok(lasp)
    }

    async fn bind(&self) -> Result<TcpListener, StartError> {
        let addr = self.settings.listen.as_deref().unwrap_or(DEFAULT_LISTEN);
        let listening = TcpListener::bind(addr).await;
        listening.map_err(|problem| StartError::Listen { addr: addr.to_owned(), problem })
    }

    /// The address that others are told.
    fn reachable_at(&self, listener: &TcpListener) -> Result<Addr, StartError> {
        let bound = listener.local_addr().map_err(|problem| StartError::Listen { addr: "?".to_owned(), problem })?;
        let nobodys = match bound.ip() {
            IpAddr::V4(ip) => ip.is_unspecified() || ip.is_broadcast() || ip.is_multicast(),
            IpAddr::V6(ip) => ip.is_unspecified() || ip.is_multicast(),
        };
        let nobodys = nobodys && self.settings.advertise.is_none();
        let text = self.settings.advertise.clone().unwrap_or_else(|| bound.to_string());
        match Addr::new(&text) {
            Some(addr) if !nobodys && is_host_and_port(&text) => Ok(addr),
            _ => Err(StartError::Advertise { addr: text }),
        }
    }

    fn identify(&self, cluster: &str) -> Result<Identity, StartError> {
        let name = self.settings.name.as_deref();
        if let Some((id, incarnation)) = self.identity {
            return Ok(Identity::given(id, incarnation, name));
        }
        Ok(match &self.settings.data_dir {
            Some(dir) => Identity::kept(dir, cluster, name)?,
            None => Identity::fleeting(cluster, name),
        })
    }

    fn launch(
        self,
        listener: TcpListener,
        http: Option<Http>,
        cluster: String,
        contact: Contact,
        identity: Identity,
    ) -> Lasp {
        let log = self.log.unwrap_or_else(Log::silent);
        let seed = self.seed.unwrap_or_else(random_u64);
        let mut config = self.node;
        config.label = self.settings.label(&identity.name);
        if let Some(prefixes) = self.settings.interest {
            config.interests = Interests::prefixes(prefixes);
        }
        if http.is_some() {
            config.changes = CHANGES;
        }
        let dialect = config.membership.name();
        let start = Instant::now();
        config.wall_epoch_ms = wall_clock_ms();
        let max_frame = self.transport.max_frame.max(MAX_FRAME);
        let transport = TransportConfig { max_frame, log: log.clone(), ..self.transport };
        let mut transport =
            Transport::new(listener, contact.clone(), cluster.clone(), dialect.to_owned(), seed, transport);
        let (host, lasp) = Host::new(HostConfig { log: log.clone(), ..HostConfig::default() });
        let membership = self.settings.membership.map_or(dialect, Membership::name);
        let facts = Arc::new(Facts::new(identity.name.clone(), cluster, membership.to_owned()));
        if let Some(http) = http {
            http.start(&lasp, facts.clone(), None, &log);
        }
        if let Some(access @ (Access::Loopback | Access::Any)) = self.settings.control {
            let (clients, incoming) = mpsc::channel(MAX_INCOMING);
            transport.serve_clients(clients);
            tokio::spawn(Server::new(&lasp, access, facts, log.clone(), incoming).run());
        }
        let node = Node::new(config, contact, seed);
        let driver = Driver::new(node, host, transport, start, DriverConfig { log, ..DriverConfig::default() });
        lasp.set_transport_stats(driver.stats());
        lasp.set_name(identity.name.clone());
        tokio::spawn(async move {
            let (ended, _node, host) = driver.run().await;
            drop(identity); // unlocks its directory
            host.stop(match ended {
                Ended::Stopped => Stop::Shutdown,
                Ended::IdentityInUse(holder) => Stop::IdentityInUse(holder),
            });
        });
        lasp
    }
}

fn contacts(texts: &[String]) -> Result<Vec<Addr>, StartError> {
    let contact = |text: &String| {
        let addr = Addr::new(text).filter(|_| is_host_and_port(text));
        addr.ok_or_else(|| StartError::Contact { addr: text.clone() })
    };
    texts.iter().map(contact).collect()
}

pub(crate) fn is_host_and_port(text: &str) -> bool {
    let by_name = text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains(':') && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    by_name || text.parse::<SocketAddr>().is_ok_and(|addr| addr.port() > 0)
}
