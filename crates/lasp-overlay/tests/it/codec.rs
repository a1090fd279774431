//! The encoding of membership messages: canonical, small, and safe against hostile bytes.

use lasp_crdt::codec::{from_bytes, to_bytes};
use lasp_crdt::{Dot, ReplicaId};
use lasp_overlay::membership::full::{self, MAX_ENTRIES, MAX_RUMOURS, Member, Rumour, Status, Version};
use lasp_overlay::membership::hyparview::{self, LinkId, MAX_PEERS, Priority, Tag};
use lasp_overlay::membership::{AnyMessage, Hail, client_server, list, scamp};
use lasp_overlay::{Addr, Contact, PeerId};
use proptest::prelude::*;

fn contact() -> impl Strategy<Value = Contact> {
    (any::<u64>(), any::<u64>(), "[ -~]{0,20}|.{0,8}").prop_map(|(id, incarnation, addr)| Contact {
        id: PeerId(id),
        incarnation,
        addr: Addr::new(&addr).unwrap(),
    })
}

fn contacts() -> impl Strategy<Value = Vec<Contact>> {
    prop::collection::vec(contact(), 0..10)
}

fn link() -> impl Strategy<Value = LinkId> {
    prop_oneof![any::<u64>(), 0..300u64].prop_map(LinkId)
}

fn priority() -> impl Strategy<Value = Priority> {
    prop_oneof![Just(Priority::High), Just(Priority::Low), Just(Priority::Mend)]
}

fn tag() -> impl Strategy<Value = Tag> {
    "[a-z]{1,32}".prop_map(|text| Tag::new(&text).unwrap())
}

fn partial() -> impl Strategy<Value = hyparview::Message> {
    use hyparview::Message;
    prop_oneof![
        link().prop_map(|link| Message::Join { link }),
        (any::<u8>(), contact()).prop_map(|(ttl, peer)| Message::ForwardJoin { ttl, peer }),
        (link(), priority()).prop_map(|(link, priority)| Message::Request { link, priority }),
        (link(), contacts()).prop_map(|(link, peers)| Message::Accept { link, peers }),
        link().prop_map(|link| Message::Reject { link }),
        (link(), any::<bool>()).prop_map(|(link, alive)| Message::Disconnect { link, alive }),
        (any::<u8>(), contact()).prop_map(|(ttl, origin)| Message::Shuffle { ttl, origin }),
        (contacts(), any::<bool>()).prop_map(|(peers, answer)| Message::Exchange { peers, answer }),
        link().prop_map(|link| Message::Ping { link }),
        (link(), any::<bool>()).prop_map(|(link, known)| Message::Pong { link, known }),
        (link(), contact()).prop_map(|(link, old)| Message::Optimise { link, old }),
        (link(), contact(), any::<u64>().prop_map(PeerId)).prop_map(|(link, old, initiator)| Message::Replace {
            link,
            old,
            initiator
        }),
        link().prop_map(|link| Message::Keep { link }),
        (link(), any::<u64>().prop_map(PeerId)).prop_map(|(link, initiator)| Message::Switch { link, initiator }),
        any::<u32>().prop_map(|nonce| Message::Probe { nonce }),
        any::<u32>().prop_map(|nonce| Message::Echo { nonce }),
        (link(), any::<u64>(), 1..=Dot::MAX_COUNTER)
            .prop_map(|(link, replica, counter)| Message::Visit { link, mark: Dot::new(ReplicaId(replica), counter) }),
        tag().prop_map(|tag| Message::Tag { tag }),
        (any::<u8>(), tag(), contact()).prop_map(|(ttl, tag, origin)| Message::Seek { ttl, tag, origin }),
    ]
}

fn status() -> impl Strategy<Value = Status> {
    let is_in = (any::<u64>(), any::<bool>()).prop_map(|(refutation, suspect)| Status::In { refutation, suspect });
    prop_oneof![is_in, Just(Status::Left), Just(Status::Evicted)]
}

fn version() -> impl Strategy<Value = Version> {
    (any::<u64>(), any::<u64>(), status()).prop_map(|(incarnation, stay, status)| Version { incarnation, stay, status })
}

fn full() -> impl Strategy<Value = full::Message> {
    use full::Message;
    let id = || any::<u64>().prop_map(PeerId);
    let rumour = (contact(), any::<u64>(), status(), any::<u64>()).prop_map(|(contact, stay, status, age)| {
        let member = Member { contact, stay, status };
        Rumour { age: if member.is_in() { 0 } else { age }, member }
    });
    let entries = prop::collection::vec((id(), version()), 0..10);
    prop_oneof![
        (any::<u64>(), any::<u64>()).prop_map(|(fingerprint, count)| Message::Digest { fingerprint, count }),
        Just(Message::Ask),
        (id(), id(), entries).prop_map(|(first, last, entries)| Message::Summary { first, last, entries }),
        (prop::collection::vec(rumour, 0..6), prop::collection::vec(id(), 0..6))
            .prop_map(|(rumours, want)| Message::News { rumours: rumours.into(), want }),
        (any::<u64>(), prop::option::of(version())).prop_map(|(seq, suspected)| Message::Ping { seq, suspected }),
        any::<u64>().prop_map(|seq| Message::Pong { seq }),
        (any::<u64>(), id()).prop_map(|(seq, target)| Message::Probe { seq, target }),
        any::<u64>().prop_map(|seq| Message::Nack { seq }),
        (id(), version(), id()).prop_map(|(peer, version, by)| Message::Suspect { peer, version, by }),
    ]
}

fn hail() -> impl Strategy<Value = Hail> {
    prop_oneof![Just(Hail::Ask), Just(Hail::Accept), Just(Hail::Agree)]
}

fn list<const TAGS: u8>() -> impl Strategy<Value = list::Message<TAGS>> {
    use list::Message;
    let hello = hail().prop_map(Message::Hello);
    prop_oneof![hello, Just(Message::Ping), Just(Message::Pong), Just(Message::Bye)]
}

fn client_server() -> impl Strategy<Value = client_server::Message> {
    use client_server::{Client, Message, Role};
    let client = || (contact(), any::<u64>()).prop_map(|(contact, stay)| Client { contact, stay });
    let role = prop_oneof![Just(Role::Server), Just(Role::Client)];
    prop_oneof![
        full().prop_map(Message::Mesh),
        (role, any::<u64>(), hail()).prop_map(|(role, stay, hail)| Message::Hello { role, stay, hail }),
        Just(Message::Ping),
        Just(Message::Pong),
        Just(Message::Bye),
        Just(Message::Full),
        contacts().prop_map(Message::Servers),
        any::<u64>().prop_map(|version| Message::Roster { version }),
        Just(Message::Ask),
        (any::<u64>(), prop::collection::vec(client(), 0..10))
            .prop_map(|(version, clients)| Message::Clients { version, clients }),
        client().prop_map(Message::Expel),
        Just(Message::Evicted),
    ]
}

fn subscription() -> impl Strategy<Value = scamp::Message> {
    use scamp::Message;
    let degree = || 0..=scamp::MAX_DEGREE;
    prop_oneof![
        any::<u8>().prop_map(|copies| Message::Subscribe { copies }),
        (any::<u8>(), any::<u8>(), any::<u16>(), contact()).prop_map(|(copies, steps, walk, peer)| Message::Indirect {
            copies,
            steps,
            walk,
            peer
        }),
        (any::<u8>(), any::<u16>(), contact()).prop_map(|(hops, walk, peer)| Message::Forward { hops, walk, peer }),
        degree().prop_map(|degree| Message::Arc { degree }),
        degree().prop_map(|degree| Message::Known { degree }),
        Just(Message::End),
        Just(Message::Refuse),
        Just(Message::Leave),
        contact().prop_map(|by| Message::Replace { by }),
    ]
}

fn message() -> impl Strategy<Value = AnyMessage> {
    prop_oneof![
        partial().prop_map(AnyMessage::HyParView),
        full().prop_map(AnyMessage::FullMesh),
        client_server().prop_map(AnyMessage::ClientServer),
        list().prop_map(AnyMessage::Static),
        list().prop_map(AnyMessage::Manual),
        subscription().prop_map(AnyMessage::Scamp),
    ]
}

proptest! {
    #[test]
    fn every_message_survives_the_wire(message in message()) {
        let bytes = to_bytes(&message);
        prop_assert_eq!(from_bytes::<AnyMessage>(&bytes), Ok(message.clone()));
    }

    #[test]
    fn no_prefix_is_a_message(message in message(), cut: prop::sample::Index) {
        let bytes = to_bytes(&message);
        prop_assert!(from_bytes::<AnyMessage>(&bytes[..cut.index(bytes.len())]).is_err());
    }

    #[test]
    fn mutated_bytes_are_refused_or_mean_exactly_one_message(
        message in message(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let mut bytes = to_bytes(&message);
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(decoded) = from_bytes::<AnyMessage>(&bytes) {
            prop_assert_eq!(to_bytes(&decoded), bytes);
        }
    }

    #[test]
    fn random_bytes_are_refused_or_mean_exactly_one_message(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(decoded) = from_bytes::<AnyMessage>(&bytes) {
            prop_assert_eq!(to_bytes(&decoded), bytes);
        }
    }
}

#[test]
fn frequent_messages_take_a_few_bytes() {
    let ping = hyparview::Message::Ping { link: LinkId(40_000) };
    assert_eq!(to_bytes(&ping), [12, 0xc0, 0xb8, 0x02]);
    assert_eq!(to_bytes(&full::Message::Pong { seq: 7 }), [37, 7]);
    let peer = Contact { id: PeerId(1), incarnation: 3, addr: Addr::new("127.0.0.1:4000").unwrap() };
    let walk = hyparview::Message::Shuffle { ttl: 6, origin: peer };
    assert_eq!(to_bytes(&walk).len(), 1 + 1 + 8 + 1 + 15);
}

#[test]
fn too_many_peers_are_refused_and_never_written() {
    let peer = Contact { id: PeerId(1), incarnation: 1, addr: Addr::new("").unwrap() };
    let message = |count| hyparview::Message::Exchange { peers: vec![peer.clone(); count], answer: false };
    let mut bytes = to_bytes(&message(MAX_PEERS + 1));
    assert_eq!(from_bytes::<hyparview::Message>(&bytes), Ok(message(MAX_PEERS)));
    bytes[1] += 1;
    bytes.extend(to_bytes(&peer));
    assert!(from_bytes::<hyparview::Message>(&bytes).is_err());
}

#[test]
fn w52_lists_of_members_have_limits() {
    let contact = Contact { id: PeerId(1), incarnation: 1, addr: Addr::new("").unwrap() };
    let rumour = Rumour { member: Member::new(contact), age: 0 };
    let news = |count| full::Message::News { rumours: vec![rumour.clone(); count].into(), want: Vec::new() };
    let mut bytes = to_bytes(&news(MAX_RUMOURS + 1));
    assert_eq!(from_bytes::<full::Message>(&bytes), Ok(news(MAX_RUMOURS)), "never written");
    bytes[1] += 1;
    assert!(from_bytes::<full::Message>(&bytes).is_err(), "refused");
    let entry = (PeerId(1), rumour.member.version());
    let summary = |count| full::Message::Summary { first: PeerId(0), last: PeerId(9), entries: vec![entry; count] };
    let written = to_bytes(&summary(MAX_ENTRIES + 1));
    assert_eq!(from_bytes::<full::Message>(&written), Ok(summary(MAX_ENTRIES)));
    // A claimed length costs nothing.
    let claim = [35, 0xff, 0xff, 0xff, 0xff, 0x0f];
    assert!(from_bytes::<full::Message>(&claim).is_err());
}

#[test]
fn an_empty_or_overlong_tag_is_refused() {
    let bytes = |len: u8| [vec![15, len], vec![b'a'; len.into()]].concat();
    assert!(from_bytes::<hyparview::Message>(&bytes(32)).is_ok());
    for len in [0, 33, 120] {
        assert!(from_bytes::<hyparview::Message>(&bytes(len)).is_err(), "{len}");
    }
}
