//! Members found by Erlang's port mapper daemon: a stand-in that keeps to its documentation, and the real one where it is
//! installed.

use lasp::{Lasp, Membership};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

type Names = Arc<Mutex<BTreeMap<String, u16>>>;

/// A daemon, as *Erlang Distribution Protocol* describes it; ends when it is dropped.
struct StandIn {
    addr: SocketAddr,
    names: Names,
    serving: JoinHandle<()>,
}

impl StandIn {
    async fn start(addr: &str) -> Self {
        let listener = TcpListener::bind(addr).await.expect("a port is free");
        let (addr, names) = (listener.local_addr().expect("bound"), Names::default());
        let known = Arc::clone(&names);
        let serving = tokio::spawn(async move {
            let mut clients = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("accepts");
                clients.spawn(serve(stream, addr.port(), Arc::clone(&known)));
            }
        });
        Self { addr, names, serving }
    }

    fn names(&self) -> Vec<String> {
        self.names.lock().expect("unharmed").keys().cloned().collect()
    }

    /// Ends, and with it every connection.
    async fn stop(self) -> SocketAddr {
        self.serving.abort();
        let _ = self.serving.await;
        self.addr
    }
}

async fn serve(mut stream: TcpStream, own_port: u16, names: Names) -> Option<()> {
    let len = stream.read_u16().await.ok()?;
    let mut request = vec![0; len.into()];
    stream.read_exact(&mut request).await.ok()?;
    match *request.first()? {
        120 => {
            let port = u16::from_be_bytes([request[1], request[2]]);
            let name_len = usize::from(u16::from_be_bytes([request[9], request[10]]));
            let name = String::from_utf8(request[11..11 + name_len].to_vec()).expect("text");
            if names.lock().expect("unharmed").contains_key(&name) {
                return stream.write_all(&[118, 1, 0, 0, 0, 99]).await.ok();
            }
            names.lock().expect("unharmed").insert(name.clone(), port);
            stream.write_all(&[118, 0, 0, 0, 0, 7]).await.ok()?;
            let _ = stream.read_u8().await; // until it hangs up
            names.lock().expect("unharmed").remove(&name);
        }
        122 => {
            let name = String::from_utf8(request[1..].to_vec()).expect("text");
            let port = names.lock().expect("unharmed").get(&name).copied();
            let answer = match port {
                Some(port) => {
                    let mut answer = vec![119, 0];
                    answer.extend(port.to_be_bytes());
                    answer.extend([77, 0, 0, 6, 0, 5]);
                    answer.extend((name.len() as u16).to_be_bytes());
                    answer.extend(name.as_bytes());
                    answer.extend([0, 0]);
                    answer
                }
                None => vec![119, 1],
            };
            stream.write_all(&answer).await.ok()?;
        }
        110 => {
            let mut answer = u32::from(own_port).to_be_bytes().to_vec();
            for (name, port) in &*names.lock().expect("unharmed") {
                answer.extend(format!("name {name} at port {port}\n").as_bytes());
            }
            stream.write_all(&answer).await.ok()?;
        }
        _ => {}
    }
    Some(())
}

async fn node(cluster: &str, name: &str, epmd_port: u16) -> Lasp {
    let builder = Lasp::builder().cluster(cluster).name(name).listen("127.0.0.1:0");
    builder.membership(Membership::EPMD).epmd_port(epmd_port).start().await.expect("starts")
}

async fn members(lasp: &Lasp) -> usize {
    lasp.members().await.expect("runs").members.len()
}

/// Waits until something holds, well beyond what it takes.
async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let waiting = async {
        while !holds().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(timeout(Duration::from_secs(60), waiting).await.is_ok(), "not in time: {what}");
}

/// Three nodes that know nothing but the daemon become one cluster; a node of another cluster stays by itself.
async fn three_find_each_other(port: u16) -> Vec<Lasp> {
    let mut nodes = Vec::new();
    for name in ["a", "b", "c"] {
        nodes.push(node("shop", name, port).await);
    }
    let stranger = node("bank", "a", port).await;
    for lasp in &nodes {
        until("everybody knows everybody", async || members(lasp).await == 2).await;
    }
    assert_eq!(members(&stranger).await, 0);
    nodes
}

#[tokio::test]
async fn nodes_find_each_other_and_one_that_dies_is_forgotten_by_the_daemon_alone() {
    let epmd = StandIn::start("127.0.0.1:0").await;
    let mut nodes = three_find_each_other(epmd.addr.port()).await;
    let mine = |names: Vec<String>| names.into_iter().filter(|name| name.starts_with("lasp_shop_")).count();
    assert_eq!(mine(epmd.names()), 3);
    let counted = || nodes.iter().map(|lasp| lasp.epmd_stats().expect("it has dealings with a daemon"));
    until("all have looked", async || counted().all(|stats| stats.registrations == 1 && stats.lookups >= 1)).await;
    assert!(counted().all(|stats| (stats.registrations_failed, stats.lookups_failed) == (0, 0)));
    assert!(counted().map(|stats| stats.found).sum::<u64>() >= 2, "three are one by two joins at least");
    nodes.pop().expect("three").shutdown().await;
    until("its name is free", async || mine(epmd.names()) == 2).await;
    for lasp in &nodes {
        until("it has left", async || members(lasp).await == 1).await;
    }
}

#[tokio::test]
async fn a_daemon_that_is_not_there_is_waited_for_and_one_that_is_started_anew_has_all_names_again() {
    let epmd = StandIn::start("127.0.0.1:0").await;
    let addr = epmd.stop().await;
    let one = node("shop", "a", addr.port()).await;
    let other = node("shop", "b", addr.port()).await;
    assert_eq!(members(&one).await, 0, "there is nobody to ask");
    let epmd = StandIn::start(&addr.to_string()).await;
    until("they find each other", async || members(&one).await == 1 && members(&other).await == 1).await;
    let addr = epmd.stop().await;
    assert_eq!(members(&one).await, 1, "the daemon removes nobody");
    let epmd = StandIn::start(&addr.to_string()).await;
    until("both are registered", async || epmd.names().len() == 2).await;
    until("both are counted", async || one.epmd_stats().is_some_and(|stats| stats.registrations == 2)).await;
    let stats = one.epmd_stats().expect("it has dealings with a daemon");
    assert!(stats.registrations_failed >= 1 && stats.lookups_failed >= 1, "{stats:?}");
    let third = node("shop", "c", addr.port()).await;
    until("and are found", async || members(&third).await == 2).await;
}

#[tokio::test]
async fn something_else_than_a_daemon_harms_nobody() {
    let liar = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let port = liar.local_addr().expect("bound").port();
    let asked = Arc::new(Mutex::new(0));
    let times = Arc::clone(&asked);
    let lying = tokio::spawn(async move {
        loop {
            let (mut stream, _) = liar.accept().await.expect("accepts");
            *times.lock().expect("unharmed") += 1;
            let _ = stream.write_all(&[b'x'; 70_000]).await;
        }
    });
    let lines = Arc::new(Mutex::new(Vec::<String>::new()));
    let heard = Arc::clone(&lines);
    let log = lasp::log::Log::new(lasp::log::Level::Warn, move |_, line| {
        heard.lock().expect("unharmed").push(line.to_owned());
    });
    let builder = Lasp::builder().listen("127.0.0.1:0").membership(Membership::EPMD).epmd_port(port).log(log);
    let lasp = builder.start().await.expect("starts");
    let stats = || lasp.epmd_stats().expect("it has dealings with something");
    let again = |stats: lasp::epmd::EpmdStats| stats.registrations_failed >= 2 && stats.lookups >= 2;
    until("it is asked again", async || *asked.lock().expect("unharmed") >= 6 && again(stats())).await;
    assert_eq!(members(&lasp).await, 0);
    // A list of names may have lines that say anything, so that only registering shows that this is no daemon.
    let stats = stats();
    assert_eq!((stats.registrations, stats.found), (0, 0));
    let lines = lines.lock().expect("unharmed");
    let complaints = lines.iter().filter(|line| line.contains("it is no epmd")).count();
    assert!((1..=2).contains(&complaints), "once for each thing that is wanted of it: {lines:?}");
    lying.abort();
}

/// The daemon of Erlang/OTP, ended when it is dropped.
struct Real(Child);

impl Real {
    /// Nothing where it is not installed; `LASP_EPMD` says where it is if not on the path.
    fn start(port: u16) -> Option<Self> {
        let program = std::env::var("LASP_EPMD").unwrap_or_else(|_| "epmd".to_owned());
        let port = port.to_string();
        let command = Command::new(program).args(["-port", &port]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        command.ok().map(Self)
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_daemon_of_erlang_serves_as_well() {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let port = free.local_addr().expect("bound").port();
    drop(free);
    let Some(epmd) = Real::start(port) else {
        eprintln!("SKIPPED: epmd is not installed (package erlang-base); LASP_EPMD says where it is");
        return;
    };
    let nodes = three_find_each_other(port).await;
    drop(epmd);
    let epmd = Real::start(port).expect("it was there before");
    let late = node("shop", "late", port).await;
    until("it finds those that registered again", async || members(&late).await == 3).await;
    drop((nodes, epmd));
}
