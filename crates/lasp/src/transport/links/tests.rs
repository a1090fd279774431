//! Link tables against each other over an in-memory network that delivers in any order.

use super::*;
use proptest::prelude::*;

const NOW: Time = Time::ZERO;

fn addr(text: &str) -> Addr {
    Addr::new(text).expect("short")
}

fn contact(id: u64, incarnation: u64, at: &str) -> Contact {
    Contact { id: PeerId(id), incarnation, addr: addr(at) }
}

fn table(me: &Contact) -> Links {
    Links::new(me.clone(), "shop".to_owned(), "toy".to_owned(), LinkConfig::default())
}

/// One direction of a connection: what was sent and not delivered; `None` at the end closes it.
type Pipe = VecDeque<Option<(Kind, Vec<u8>)>>;

/// A connection: its two ends as (table, id), and what travels to each.
struct Wire {
    ends: [(usize, ConnId); 2],
    to: [Pipe; 2],
    open: [bool; 2],
}

/// What tables told their owners.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Up(PeerId, Option<Addr>),
    Down(PeerId),
    DialFailed(Addr, String),
    InUse(PeerId, u64),
}

/// Several nodes and all that is in flight between them.
struct Net {
    tables: Vec<(Addr, Links)>,
    wires: Vec<Wire>,
    dials: Vec<(usize, ConnId, Addr)>,
    told: Vec<Vec<Told>>,
    nonce: u64,
}

impl Net {
    fn new(nodes: &[Contact]) -> Self {
        let tables: Vec<_> = nodes.iter().map(|me| (me.addr.clone(), table(me))).collect();
        let told = nodes.iter().map(|_| Vec::new()).collect();
        Self { tables, wires: Vec::new(), dials: Vec::new(), told, nonce: 0 }
    }

    fn node(&mut self, n: usize) -> &mut Links {
        &mut self.tables[n].1
    }

    /// Carries out what the tables decided.
    fn act(&mut self) {
        for n in 0..self.tables.len() {
            while let Some(action) = self.tables[n].1.next_action() {
                match action {
                    Action::Connect(id, to) => self.dials.push((n, id, to)),
                    Action::Control(id, kind, body) => self.send(n, id, Some((kind, body))),
                    Action::Hangup(id, refusal) => {
                        self.dials.retain(|dial| (dial.0, dial.1) != (n, id));
                        refusal.into_iter().for_each(|r| self.send(n, id, Some((Kind::Refuse, r.to_bytes()))));
                        self.send(n, id, None);
                    }
                    Action::Finish(id) => self.send(n, id, None),
                    Action::Up { peer, dialed, .. } => self.told[n].push(Told::Up(peer.id, dialed)),
                    Action::Down(peer, _) => self.told[n].push(Told::Down(peer)),
                    Action::DialFailed { addr, why, .. } => self.told[n].push(Told::DialFailed(addr, why)),
                    Action::Refused(..) => {}
                    Action::IdentityInUse(c) => self.told[n].push(Told::InUse(c.id, c.incarnation)),
                }
            }
        }
    }

    fn send(&mut self, n: usize, id: ConnId, packet: Option<(Kind, Vec<u8>)>) {
        let end = |wire: &Wire| wire.ends.iter().position(|end| *end == (n, id));
        let Some((wire, side)) = self.wires.iter_mut().find_map(|w| end(w).map(|side| (w, side))) else { return };
        wire.open[side] &= packet.is_some();
        wire.to[1 - side].push_back(packet);
    }

    /// Does one of the things that can happen next; `false` if nothing can.
    fn step(&mut self, choice: usize) -> bool {
        self.act();
        let mut ready: Vec<(usize, Option<usize>)> = (0..self.dials.len()).map(|d| (d, None)).collect();
        for (w, wire) in self.wires.iter().enumerate() {
            ready.extend((0..2).filter(|side| !wire.to[*side].is_empty()).map(|side| (w, Some(side))));
        }
        if ready.is_empty() {
            return false;
        }
        match ready[choice % ready.len()] {
            (dial, None) => self.connect(dial),
            (wire, Some(side)) => self.deliver(wire, side),
        }
        self.act();
        true
    }

    fn connect(&mut self, dial: usize) {
        let (n, id, to) = self.dials.remove(dial);
        let Some(m) = self.tables.iter().position(|(at, _)| *at == to) else {
            return self.tables[n].1.ended(NOW, id, "connection refused");
        };
        let other = self.node(m).accepted(NOW).expect("few handshakes");
        self.wires.push(Wire { ends: [(n, id), (m, other)], to: [Pipe::new(), Pipe::new()], open: [true; 2] });
        self.nonce += 1;
        let nonce = self.nonce;
        self.node(n).connected(id, nonce);
    }

    fn deliver(&mut self, wire: usize, side: usize) {
        let wire = &mut self.wires[wire];
        let Some(packet) = wire.to[side].pop_front() else { return };
        let ((n, id), open) = (wire.ends[side], wire.open[side]);
        match packet {
            Some((kind, body)) if open => self.node(n).control(NOW, id, kind, &body),
            None if open => self.node(n).ended(NOW, id, "closed by the other side"),
            _ => {}
        }
    }

    fn run(&mut self, choices: &[usize]) {
        let mut choices = choices.iter().cycle();
        for _ in 0..10_000 {
            if !self.step(*choices.next().expect("a cycle")) {
                return;
            }
        }
        panic!("the handshakes never come to rest");
    }

    /// The wire that is the link from `n` to `peer`.
    fn link(&self, n: usize, peer: u64) -> Option<usize> {
        let id = self.tables[n].1.conn_of(PeerId(peer))?;
        self.wires.iter().position(|wire| wire.ends.contains(&(n, id)))
    }
}

fn two() -> [Contact; 2] {
    [contact(1, 10, "a"), contact(2, 20, "b")]
}

/// Node 0 or 1 asks for a link: by address or by contact.
fn ask(net: &mut Net, who: usize, by_contact: bool) {
    let other = two()[1 - who].clone();
    if by_contact { net.node(who).link(NOW, &other) } else { net.node(who).dial(NOW, other.addr) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn peers_that_dial_each_other_keep_one_link_and_never_see_it_go(
        asks in proptest::collection::vec((0usize..2, any::<bool>(), 0usize..6), 1..6),
        choices in proptest::collection::vec(0usize..16, 1..40),
    ) {
        let mut net = Net::new(&two());
        for (who, by_contact, steps) in &asks {
            ask(&mut net, *who, *by_contact);
            for step in 0..*steps { net.step(choices[step % choices.len()]); }
        }
        net.run(&choices);

        let (mine, theirs) = (net.link(0, 2), net.link(1, 1));
        prop_assert!(mine.is_some() && mine == theirs, "{mine:?} {theirs:?} {:?}", net.told);
        for told in &net.told {
            prop_assert!(told.iter().all(|told| !matches!(told, Told::Down(_) | Told::InUse(..))), "{:?}", net.told);
        }
        for who in asks.iter().map(|ask| ask.0) {
            let answered = net.told[who].iter().any(|told| matches!(told, Told::Up(_, Some(_)) | Told::DialFailed(..)));
            prop_assert!(answered, "a dial of {who} was never answered: {:?}", net.told);
        }
    }

    #[test]
    fn closing_and_dialling_again_in_any_order_ends_in_agreement(
        asks in proptest::collection::vec((0usize..2, 0usize..3, 0usize..8), 1..12),
        choices in proptest::collection::vec(0usize..16, 1..40),
    ) {
        let mut net = Net::new(&two());
        for (who, what, steps) in &asks {
            match what {
                0 => { let peer = PeerId(2 - *who as u64); net.node(*who).close(NOW, peer); }
                what => ask(&mut net, *who, *what == 1),
            }
            for step in 0..*steps { net.step(choices[step % choices.len()]); }
        }
        net.run(&choices);
        prop_assert_eq!(net.link(0, 2), net.link(1, 1));
        ask(&mut net, 0, false);
        net.run(&choices);
        prop_assert!(net.link(0, 2).is_some());
        prop_assert_eq!(net.link(0, 2), net.link(1, 1));
    }
}

/// Tables 0 and 1 linked, and a third that claims the identity of table 0 in another incarnation.
fn with_impostor() -> Net {
    let [a, b] = two();
    let mut net = Net::new(&[a, b, contact(1, 99, "c")]);
    net.node(0).dial(NOW, addr("b"));
    net.run(&[0]);
    net.told = vec![Vec::new(), Vec::new(), Vec::new()];
    net
}

#[test]
fn a_second_process_with_a_living_identity_is_refused_and_told_who_holds_it() {
    let mut net = with_impostor();
    net.node(2).dial(NOW, addr("b"));
    net.run(&[0]);
    let why = "identity in use: 1@a holds it and is alive".to_owned();
    assert_eq!(net.told, [vec![], vec![], vec![Told::InUse(PeerId(1), 10), Told::DialFailed(addr("b"), why)]]);
    assert!(net.link(0, 2).is_some() && net.link(0, 2) == net.link(1, 1));
}

#[test]
fn two_processes_that_began_in_the_same_moment_are_told_apart_by_their_addresses() {
    let [a, b] = two();
    let mut net = Net::new(&[a.clone(), b, Contact { addr: addr("c"), ..a }]);
    net.node(0).dial(NOW, addr("b"));
    net.run(&[0]);
    net.node(2).dial(NOW, addr("b"));
    net.run(&[0]);
    assert_eq!(net.told[2].first(), Some(&Told::InUse(PeerId(1), 10)));
    assert!(net.link(0, 2).is_some() && net.link(0, 2) == net.link(1, 1));
}

#[test]
fn a_restarted_peer_replaces_its_dead_link_once_a_probe_goes_unanswered() {
    let mut net = with_impostor();
    let dead = net.wires.remove(0); // host 0 is gone without a word
    net.node(2).dial(NOW, addr("b"));
    net.run(&[0]);
    assert_eq!(net.told[1], [], "probing");
    assert_eq!(net.node(1).next_deadline(), Some(NOW + LinkConfig::default().probe_timeout));

    net.node(1).tick(NOW + LinkConfig::default().probe_timeout);
    net.run(&[0]);
    assert_eq!(net.told[1], [Told::Down(PeerId(1)), Told::Up(PeerId(1), None)]);
    assert_eq!(net.told[2], [Told::Up(PeerId(2), Some(addr("b")))]);
    assert_eq!(net.node(1).peer_of(dead.ends[1].1), None);
}

#[test]
fn an_established_node_survives_a_newcomer_that_was_taken_for_it() {
    let mut net = with_impostor();
    let told = Refusal::new(Reason::IdentityInUse, "", Some(contact(1, 99, "c")));
    net.node(0).dial(NOW, addr("d"));
    net.act();
    let (_, id, _) = net.dials.pop().expect("a dial");
    net.node(0).connected(id, 1);
    net.node(0).control(NOW, id, Kind::Refuse, &told.to_bytes());
    net.act();
    assert_eq!(net.told[0], [Told::DialFailed(addr("d"), "identity in use: ".to_owned())]);
}

#[test]
fn a_dial_that_meets_someone_else_than_expected_fails_and_links_nobody() {
    let mut net = Net::new(&two());
    net.node(0).link(NOW, &contact(7, 1, "b"));
    net.node(1).link(NOW, &contact(1, 9, "a"));
    net.run(&[0]);
    let why = "another node listens there: ";
    assert_eq!(net.told[0], [Told::DialFailed(addr("b"), format!("{why}2@b listens here"))]);
    assert_eq!(net.told[1], [Told::DialFailed(addr("a"), format!("{why}1@a listens here"))]);
}

#[test]
fn a_node_that_dials_itself_is_told_so() {
    let mut net = Net::new(&two());
    net.node(0).dial(NOW, addr("a"));
    net.run(&[0]);
    let why = "that is this node itself: 1@a is the dialler itself".to_owned();
    assert_eq!(net.told[0], [Told::DialFailed(addr("a"), why)]);
}

#[test]
fn another_cluster_is_refused_with_both_names() {
    let [a, b] = two();
    let mut net = Net::new(&[a.clone(), b]);
    net.tables[0].1 = Links::new(a, "zoo".to_owned(), "toy".to_owned(), LinkConfig::default());
    net.node(0).dial(NOW, addr("b"));
    net.run(&[0]);
    let why = "wrong cluster: 2@b belongs to cluster \"shop\", not to \"zoo\"".to_owned();
    assert_eq!((&net.told[0][..], &net.told[1][..]), (&[Told::DialFailed(addr("b"), why)][..], &[][..]));
}

#[test]
fn a_node_that_speaks_another_dialect_is_refused_with_both() {
    let [a, b] = two();
    let mut net = Net::new(&[a.clone(), b]);
    net.tables[0].1 = Links::new(a, "shop".to_owned(), "toi".to_owned(), LinkConfig::default());
    net.node(0).dial(NOW, addr("b"));
    net.run(&[0]);
    let why = "another dialect: 2@b speaks \"toy\", not \"toi\"".to_owned();
    assert_eq!((&net.told[0][..], &net.told[1][..]), (&[Told::DialFailed(addr("b"), why)][..], &[][..]));
}

#[test]
fn dials_beyond_the_limit_wait_and_every_one_is_answered() {
    let me = contact(1, 1, "a");
    let config = LinkConfig { max_dials: 2, max_waiting_dials: 3, ..LinkConfig::default() };
    let mut links = Links::new(me, "shop".to_owned(), "toy".to_owned(), config);
    for n in 0..6 {
        links.dial(NOW, addr(&format!("h{n}")));
    }
    let mut log = Vec::new();
    while let Some(action) = links.next_action() {
        match action {
            Action::Connect(id, to) => {
                log.push(format!("connect {to}"));
                links.ended(NOW, id, "refused");
            }
            Action::DialFailed { addr, why, .. } => log.push(format!("{addr} {why}")),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        log,
        [
            "connect h0",
            "connect h1",
            "h5 too many dials at once",
            "h0 refused",
            "connect h2",
            "h1 refused",
            "connect h3",
            "h2 refused",
            "connect h4",
            "h3 refused",
            "h4 refused",
        ]
    );
}

#[test]
fn handshakes_that_take_too_long_are_given_up() {
    let me = contact(1, 1, "a");
    let mut links = table(&me);
    links.dial(NOW, addr("b"));
    let silent = links.accepted(NOW).expect("room");
    let connecting = match links.next_action() {
        Some(Action::Connect(id, _)) => id,
        other => panic!("{other:?}"),
    };
    links.tick(NOW + Duration::from_secs(4));
    let timeout = Refusal::new(Reason::Timeout, "no handshake within the time", None);
    assert_eq!(links.next_action(), Some(Action::Hangup(connecting, None)));
    let why = "no connection within the time".to_owned();
    assert_eq!(links.next_action(), Some(Action::DialFailed { addr: addr("b"), why, contact: true }));
    links.tick(NOW + Duration::from_secs(5));
    assert_eq!(links.next_action(), Some(Action::Hangup(silent, Some(timeout))));
    assert_eq!(links.next_action(), None);
    assert_eq!(links.next_deadline(), None);
}

#[test]
fn too_many_silent_strangers_are_turned_away() {
    let config = LinkConfig { max_handshakes: 1, ..LinkConfig::default() };
    let mut links = Links::new(contact(1, 1, "a"), "shop".to_owned(), "toy".to_owned(), config);
    assert!(links.accepted(NOW).is_ok());
    assert_eq!(links.accepted(NOW).map_err(|refusal| refusal.reason), Err(Reason::Busy));
}

#[test]
fn packets_out_of_turn_close_the_connection_and_nothing_else() {
    let mut net = with_impostor();
    let stranger = net.node(1).accepted(NOW).expect("room");
    for kind in [Kind::Ready, Kind::Welcome, Kind::Ping] {
        net.node(1).control(NOW, stranger, kind, &[]);
    }
    net.act();
    assert_eq!(net.told[1], []);
    assert!(net.link(1, 1).is_some());
}
