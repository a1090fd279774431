//! What the transport promises, checked over real sockets: links, refusals, hostile bytes, slow readers.

use super::toy::{Do, Heard, Host, PATIENCE, Setup};
use lasp::driver::Ended;
use lasp::transport::framing::{Decoder, Kind, PREFACE, Packet, write_control, write_frame};
use lasp::transport::hello::{Hello, Reason, Refusal};
use lasp_overlay::{Addr, Contact, PeerId, Rng};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A peer by hand, byte for byte.
struct Raw {
    stream: TcpStream,
    decoder: Decoder,
}

impl Raw {
    async fn connect(to: &Host) -> Self {
        let stream = TcpStream::connect(to.socket()).await.expect("it listens");
        Self { stream, decoder: Decoder::new(1 << 20) }
    }

    /// Connects and says hello as `contact`.
    async fn hello(to: &Host, contact: Contact) -> Self {
        let mut raw = Self::connect(to).await;
        let hello = Hello { cluster: "toys".to_owned(), dialect: "toy".to_owned(), contact, nonce: 5, expected: None };
        raw.write(&with_preface(|out| write_control(out, Kind::Hello, &hello.to_bytes()))).await;
        raw
    }

    /// As `hello`, and becomes a link.
    async fn link(to: &mut Host, contact: Contact) -> Self {
        let id = contact.id.0;
        let mut raw = Self::hello(to, contact).await;
        assert!(matches!(raw.packet().await, Some(Packet::Control(Kind::Welcome, _))));
        let mut ready = Vec::new();
        write_control(&mut ready, Kind::Ready, &[]);
        raw.write(&ready).await;
        assert_eq!(to.heard().await, Heard::Up(id, None));
        raw
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the other side reads");
    }

    async fn packet(&mut self) -> Option<Packet<Vec<u8>>> {
        loop {
            if let Some(packet) = self.decoder.next_packet().expect("well-formed") {
                return Some(packet);
            }
            let read = self.stream.read_buf(self.decoder.buffer());
            if timeout(PATIENCE, read).await.expect("in time").ok()? == 0 {
                return None;
            }
        }
    }

    async fn refusal(&mut self) -> Refusal {
        match self.packet().await {
            Some(Packet::Control(Kind::Refuse, body)) => Refusal::from_bytes(&body).expect("well-formed"),
            other => panic!("not a refusal: {other:?}"),
        }
    }
}

fn with_preface(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = PREFACE.to_vec();
    write(&mut out);
    out
}

fn stranger(id: u64, incarnation: u64) -> Contact {
    Contact { id: PeerId(id), incarnation, addr: Addr::new("127.0.0.1:1").expect("short") }
}

async fn pair() -> (Host, Host) {
    let (mut a, mut b) = (Setup::id(1).start().await, Setup::id(2).start().await);
    a.meet(&mut b).await;
    (a, b)
}

#[tokio::test]
async fn a_link_carries_messages_of_any_size_in_order_both_ways() {
    let (mut a, mut b) = pair().await;
    let sizes = [1, 127, 128, 5_000, 70_000, 1 << 20];
    for size in sizes {
        a.send(&b, &vec![size as u8; size]);
    }
    for size in sizes {
        assert_eq!(b.heard().await, Heard::Message(1, vec![size as u8; size]));
    }
    b.talk(&mut a).await;
}

#[tokio::test]
async fn what_the_kernel_took_is_reported_to_the_byte() {
    let (mut a, b) = pair().await;
    for size in [10, 1, 60_000] {
        a.send(&b, &vec![0; size]);
    }
    let mut drained = 0;
    while drained < 60_011 {
        match a.heard_all().await {
            Heard::Drained(2, bytes) => drained += bytes,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(drained, 60_011);
}

#[tokio::test]
async fn timers_expire_in_their_order() {
    let mut a = Setup::id(1).start().await;
    for (after, timer) in [(30, 3), (1, 1), (15, 2)] {
        a.tell(Do::Timer(Duration::from_millis(after), timer));
    }
    for timer in [1, 2, 3] {
        assert_eq!(a.heard().await, Heard::Timer(timer));
    }
}

#[tokio::test]
async fn a_dial_to_nobody_fails_with_its_address_and_says_why() {
    let mut a = Setup::id(1).start().await;
    let b = Setup::id(2).start().await;
    let addr = b.addr();
    b.stop().await;
    a.tell(Do::Dial(addr.clone()));
    assert_eq!(a.heard().await, Heard::DialFailed(addr.clone()));
    a.logged(&format!("cannot link to {addr}: Connection refused")).await;
    let nonsense = Addr::new("not an address").expect("short");
    a.tell(Do::Dial(nonsense.clone()));
    assert_eq!(a.heard().await, Heard::DialFailed(nonsense));
}

#[tokio::test]
async fn asking_for_a_link_that_is_there_is_answered_at_once() {
    let (mut a, b) = pair().await;
    a.tell(Do::Link(b.contact.clone()));
    assert_eq!(a.heard().await, Heard::Up(2, Some(b.addr())));
    a.tell(Do::Dial(b.addr()));
    assert_eq!(a.heard().await, Heard::Up(2, Some(b.addr())));
}

#[tokio::test]
async fn a_closed_link_delivers_what_was_sent_before_and_is_down_on_the_other_side_only() {
    let (mut a, mut b) = pair().await;
    b.send(&a, &[1; 100]); // unread at a when it closes: must not cost b what a sends
    for _ in 0..200 {
        a.send(&b, &[7; 10_000]);
    }
    a.tell(Do::Close(PeerId(2)));
    for _ in 0..200 {
        assert_eq!(b.heard().await, Heard::Message(1, vec![7; 10_000]));
    }
    assert_eq!(b.heard().await, Heard::Down(1));
    a.tell(Do::Timer(Duration::ZERO, 9));
    let mut heard = a.heard().await;
    if matches!(heard, Heard::Message(..)) {
        heard = a.heard().await;
    }
    assert_eq!(heard, Heard::Timer(9));
    a.meet(&mut b).await;
    a.talk(&mut b).await;
}

#[tokio::test]
async fn stopping_sends_what_was_sent_and_closes_every_link() {
    let (a, mut b) = pair().await;
    for _ in 0..100 {
        a.send(&b, &[3; 50_000]);
    }
    assert_eq!(a.stop().await, Ended::Stopped);
    for _ in 0..100 {
        assert_eq!(b.heard().await, Heard::Message(1, vec![3; 50_000]));
    }
    assert_eq!(b.heard().await, Heard::Down(1));
}

#[tokio::test]
async fn peers_that_dial_each_other_at_once_end_with_one_link_each_and_no_flapping() {
    for round in 0..20 {
        let (mut a, mut b) = (Setup::id(round + 1).start().await, Setup::id(40 - round).start().await);
        a.tell(Do::Dial(b.addr()));
        b.tell(Do::Dial(a.addr()));
        let (a_heard, b_heard) = (a.heard().await, b.heard().await);
        assert!(matches!(a_heard, Heard::Up(..)) && matches!(b_heard, Heard::Up(..)), "{a_heard:?} {b_heard:?}");
        a.send(&b, b"x");
        b.send(&a, b"y");
        for (host, message) in [(&mut a, b"y"), (&mut b, b"x")] {
            let mut heard = host.heard().await;
            while matches!(heard, Heard::Up(..)) {
                heard = host.heard().await;
            }
            assert!(matches!(&heard, Heard::Message(_, text) if text == message), "{heard:?}");
        }
    }
}

#[tokio::test]
async fn another_cluster_is_refused_on_both_sides_with_both_names() {
    let mut a = Setup::id(1).start().await;
    let mut b = Setup { cluster: "zoo", ..Setup::id(2) }.start().await;
    b.tell(Do::Dial(a.addr()));
    assert_eq!(b.heard().await, Heard::DialFailed(a.addr()));
    b.logged("belongs to cluster \"toys\", not to \"zoo\"").await;
    a.logged("refused a connection from 127.0.0.1").await;
    assert!(a.is_silent());
}

#[tokio::test]
async fn an_unknown_version_is_refused_with_the_versions_spoken_here() {
    let a = Setup::id(1).start().await;
    let mut raw = Raw::connect(&a).await;
    raw.write(&with_preface(|out| write_control(out, Kind::Hello, &[13, 14, 200, 1]))).await;
    let refusal = raw.refusal().await;
    assert_eq!(refusal.reason, Reason::Version);
    assert_eq!(refusal.text, "this node speaks versions 12 to 12, the other side 13 to 14");
    assert_eq!(raw.packet().await, None);
}

#[tokio::test]
async fn something_else_than_lasp_is_told_so() {
    let a = Setup::id(1).start().await;
    let mut raw = Raw::connect(&a).await;
    raw.write(b"GET / HTTP/1.1\r\n\r\n").await;
    let refusal = raw.refusal().await;
    assert_eq!(refusal.reason, Reason::NotLasp);
    a.logged("not a Lasp peer").await;
}

#[tokio::test]
async fn a_dial_that_reaches_something_else_than_lasp_fails_and_says_so() {
    let mut a = Setup::id(1).start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = Addr::new(&listener.local_addr().expect("bound").to_string()).expect("short");
    a.tell(Do::Dial(addr.clone()));
    let (mut stream, _) = listener.accept().await.expect("a connection");
    stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.expect("it reads");
    assert_eq!(a.heard().await, Heard::DialFailed(addr));
    a.logged("not a Lasp peer").await;
}

#[tokio::test]
async fn a_second_process_with_a_living_identity_ends_and_the_first_stays_linked() {
    let (mut a, mut b) = pair().await;
    let twin = Setup { incarnation: 2, ..Setup::id(1) }.start().await;
    twin.tell(Do::Dial(b.addr()));
    assert_eq!(twin.ended().await, Ended::IdentityInUse(a.contact.clone()));
    a.talk(&mut b).await;
    assert!(a.is_silent() && b.is_silent());
}

#[tokio::test]
async fn a_process_that_dials_the_living_holder_of_its_identity_ends() {
    let mut a = Setup::id(1).start().await;
    let twin = Setup { incarnation: 2, ..Setup::id(1) }.start().await;
    twin.tell(Do::Dial(a.addr()));
    assert_eq!(twin.ended().await, Ended::IdentityInUse(a.contact.clone()));
    assert!(a.is_silent());
}

#[tokio::test]
async fn a_restarted_peer_replaces_its_half_open_link() {
    let mut b = Setup::id(2).start().await;
    let _half_open = Raw::link(&mut b, stranger(1, 1)).await; // never answers a probe
    let mut a = Setup { incarnation: 2, ..Setup::id(1) }.start().await;
    a.tell(Do::Dial(b.addr()));
    assert_eq!(b.heard().await, Heard::Down(1));
    assert_eq!(b.heard().await, Heard::Up(1, None));
    assert_eq!(a.heard().await, Heard::Up(2, Some(b.addr())));
    a.talk(&mut b).await;
}

#[tokio::test]
async fn a_probe_is_answered() {
    let mut a = Setup::id(1).start().await;
    let mut raw = Raw::link(&mut a, stranger(9, 1)).await;
    let mut ping = Vec::new();
    write_control(&mut ping, Kind::Ping, &[]);
    raw.write(&ping).await;
    assert_eq!(raw.packet().await, Some(Packet::Control(Kind::Pong, Vec::new())));
}

#[tokio::test]
async fn a_frame_beyond_the_limit_closes_that_link_alone_with_a_reason() {
    let mut a = Setup { max_frame: 1000, ..Setup::id(1) }.start().await;
    let mut b = Setup::id(2).start().await;
    a.meet(&mut b).await;
    let mut raw = Raw::link(&mut a, stranger(9, 1)).await;
    let mut frame = Vec::new();
    write_frame(&mut frame, &[0; 1001]);
    raw.write(&frame).await;
    assert_eq!(raw.refusal().await.text, "frame of 1001 bytes; the limit is 1000");
    assert_eq!(a.heard().await, Heard::Down(9));
    a.logged("frame of 1001 bytes; the limit is 1000").await;
    a.talk(&mut b).await;
    assert_eq!(a.stats().violations, 1);
}

#[tokio::test]
async fn a_frame_before_the_handshake_is_a_violation() {
    let mut a = Setup::id(1).start().await;
    let mut raw = Raw::connect(&a).await;
    raw.write(&with_preface(|out| write_frame(out, b"let me in"))).await;
    assert_eq!(raw.refusal().await.reason, Reason::Violation);
    assert!(a.is_silent());
}

#[tokio::test]
async fn a_connection_cut_inside_a_frame_is_a_link_down_and_the_fragment_is_never_delivered() {
    let mut a = Setup::id(1).start().await;
    let mut raw = Raw::link(&mut a, stranger(9, 1)).await;
    raw.write(&[3, b'a', b'b', b'c', 100, b'd']).await;
    drop(raw);
    assert_eq!(a.heard().await, Heard::Message(9, b"abc".to_vec()));
    assert_eq!(a.heard().await, Heard::Down(9));
}

#[tokio::test]
async fn random_bytes_before_and_after_the_handshake_harm_nobody_else() {
    let (mut a, mut b) = pair().await;
    let mut rng = Rng::new(7);
    for round in 0..60u64 {
        let junk: Vec<u8> = (0..rng.below(300)).map(|_| rng.next_u64() as u8).collect();
        let mut raw =
            if round % 3 == 0 { Raw::hello(&a, stranger(100 + round, 1)).await } else { Raw::connect(&a).await };
        if round % 3 == 1 {
            raw.write(&PREFACE).await;
        }
        let _ = raw.stream.write_all(&junk).await; // may be refused half-way
        let _ = raw.stream.shutdown().await;
        let mut rest = Vec::new();
        let _ = timeout(PATIENCE, raw.stream.read_to_end(&mut rest)).await.expect("it is closed in the end");
    }
    b.send(&a, b"still here");
    loop {
        match a.heard().await {
            Heard::Message(2, text) if text == b"still here" => break,
            Heard::Up(id, _) | Heard::Down(id) | Heard::Message(id, _) => assert!(id >= 100, "{id}"),
            other => panic!("{other:?}"),
        }
    }
    a.send(&b, b"me too");
    assert_eq!(b.heard().await, Heard::Message(1, b"me too".to_vec()));
}

#[tokio::test]
async fn a_silent_stranger_is_sent_away_in_time() {
    let a = Setup { handshake_timeout: Duration::from_millis(50), ..Setup::id(1) }.start().await;
    let mut raw = Raw::connect(&a).await;
    assert_eq!(raw.refusal().await.reason, Reason::Timeout);
}

#[tokio::test]
async fn a_slow_reader_delays_nobody_and_loses_nothing() {
    let (mut a, mut b) = pair().await;
    let mut slow = Raw::link(&mut a, stranger(9, 1)).await;
    let total = 24 << 20;
    for n in 0..total / 65_536 {
        a.tell(Do::Send(PeerId(9), vec![n as u8; 65_536]));
    }
    a.talk(&mut b).await;
    a.logged("bytes wait for the slow peer 9").await;
    assert!(a.stats().backlog_warnings > 0);
    for n in 0..total / 65_536 {
        assert_eq!(slow.packet().await, Some(Packet::Frame(vec![n as u8; 65_536])), "frame {n}");
    }
}
