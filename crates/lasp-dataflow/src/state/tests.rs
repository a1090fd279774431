//! The laws of every type's lattice, digest, encoding and fingerprint, over states as histories of replicas leave them.

use super::{Author, Slot, State, StateDigest};
use crate::op::{Op, ReplicaName};
use crate::types::Type;
use crate::value::Value;
use lasp_crdt::codec::{Plain, to_bytes};
use lasp_crdt::{
    BaseId, Basis, Count, DecodeError, Derived, Dot, Event, Extent, Reader, ReplicaId, Stamp, Summary, Support,
    Timestamp, Writer, laws,
};
use proptest::prelude::*;

/// Types of every kind, plain and nested.
pub(super) fn types() -> Vec<Type> {
    let names = [
        "gset",
        "set",
        "twopset",
        "rwset",
        "gcounter",
        "pncounter",
        "lexcounter",
        "bcounter",
        "max",
        "min",
        "boolean",
        "ewflag",
        "dwflag",
        "ivar",
        "lwwregister",
        "mvregister",
        "summary",
        "mvmap",
        "ggraph",
        "twopgraph",
        "awgraph",
        "gmap(set)",
        "gmap(pair(boolean, boolean))",
        "gmap(gmap(ivar))",
        "pair(gcounter, set)",
        "pair(min, pair(lwwregister, gmap(max)))",
        "awmap(set)",
        "awmap(dwflag)",
        "awmap(awmap(pair(mvmap, awmap(rwset))))",
        "awmap(pair(ewflag, awgraph))",
        "gmap(awmap(mvregister))",
    ];
    names.map(|name| name.parse().expect("a type")).to_vec()
}

/// An operation of a type, made of a few arbitrary numbers.
fn op(ty: &Type, numbers: &mut impl Iterator<Item = u8>) -> Op {
    let mut next = || numbers.next().unwrap_or_default();
    let value = |n: u8| if n.is_multiple_of(5) { Value::atom("x") } else { Value::Int((n % 4).into()) };
    let few = |n: u8| (n % 8..n % 8 + 1 + n % 2).map(value).collect::<Vec<_>>();
    match ty {
        Type::GSet => Op::Add(value(next())),
        Type::AwSet | Type::TwoPSet | Type::RwSet | Type::MvRegister | Type::AwGraph if next() % 16 == 0 => {
            if *ty == Type::TwoPSet { Op::RemoveAll(few(next())) } else { Op::Clear }
        }
        Type::AwSet | Type::TwoPSet | Type::RwSet if next() % 3 == 0 => Op::Remove(value(next())),
        Type::AwSet | Type::TwoPSet | Type::RwSet => Op::Add(value(next())),
        Type::BCounter if next() % 4 == 0 => {
            Op::Move((next() % 2).into(), ReplicaName::Id(ReplicaId(1 + u64::from(next() % 3))))
        }
        Type::PnCounter | Type::LexCounter | Type::BCounter if next() % 2 == 0 => Op::Decrement((next() % 3).into()),
        Type::GCounter | Type::PnCounter | Type::LexCounter | Type::BCounter => Op::Increment((next() % 3).into()),
        Type::Max | Type::Min | Type::LwwRegister | Type::IVar | Type::MvRegister => Op::Set(value(next())),
        // It has none; see `summary`.
        Type::Summary => Op::Clear,
        Type::EwFlag | Type::DwFlag if next() % 2 == 0 => Op::Disable,
        Type::Boolean | Type::EwFlag | Type::DwFlag => Op::Enable,
        Type::AwMap(_) | Type::MvMap if next() % 4 == 0 => Op::RemoveKeys(few(next())),
        Type::GMap(inner) | Type::AwMap(inner) => Op::Apply(value(next()), Box::new(op(inner, numbers))),
        Type::MvMap => Op::Apply(value(next()), Box::new(Op::Set(value(next())))),
        Type::Pair(first, _) if next() % 2 == 0 => Op::Fst(Box::new(op(first, numbers))),
        Type::Pair(_, second) => Op::Snd(Box::new(op(second, numbers))),
        Type::TwoPGraph | Type::AwGraph if next() % 3 == 0 => match next() % 2 {
            0 => Op::RemoveVertices(few(next())),
            _ => Op::RemoveEdges(vec![(value(next()), value(next()))]),
        },
        Type::GGraph | Type::TwoPGraph | Type::AwGraph => match next() % 2 {
            0 => Op::AddVertices(few(next())),
            _ => Op::AddEdges(vec![(value(next()), value(next()))]),
        },
    }
}

/// Something that a derivation might say of a few bases.
fn derived(numbers: &mut impl Iterator<Item = u8>) -> State {
    let mut next = || u64::from(numbers.next().unwrap_or_default());
    let mut delta = Derived::new();
    let events: Vec<Event> = (0..next() % 3)
        .map(|_| Event::new(BaseId(1 + next() % 2), Dot::new(ReplicaId(1 + next() % 2), 1 + next() % 3)))
        .collect();
    for event in &events {
        if next() % 3 == 0 {
            delta.see(event.base, event.dot);
        } else {
            delta.see_live(event.base, event.dot);
        }
    }
    delta.add_support(Value::Int((next() % 4) as i64), events.into_iter().collect::<Support>());
    delta.into()
}

/// What a fold might come to.
fn summary(numbers: &mut impl Iterator<Item = u8>) -> State {
    let mut next = || u64::from(numbers.next().unwrap_or_default()) % 3;
    let seen = [1, 2].into_iter().zip([next(), next()]);
    let seen = seen.flat_map(|(by, seen)| (1..=seen).map(move |n| Dot::new(ReplicaId(by), n))).collect();
    let (n, hash) = (next(), next());
    let mut basis = Basis::new();
    basis.know(BaseId(1), Extent { seen, count: Count { n: n.into(), hash: if n > 0 { hash } else { 0 } } });
    State::Summary(Summary::new().write(basis, Value::Int(next() as i64)))
}

/// The states of three replicas, and their deltas, after some operations of which not all are heard by all.
pub(super) fn history(ty: &Type, script: &[Vec<u8>]) -> Vec<State> {
    let mut replicas = vec![State::bottom(ty); 3];
    let mut all = replicas.clone();
    for (time, numbers) in script.iter().enumerate() {
        let mut numbers = numbers.iter().copied();
        let mut next = || usize::from(numbers.next().unwrap_or_default());
        let (at, hears, mode) = (next() % 3, next() % 3, next());
        let by = Author {
            replica: ReplicaId(at as u64 + 1),
            stamp: Stamp { time: Timestamp(time as u64 / 2), replica: ReplicaId(at as u64 + 1) },
        };
        let made = match ty {
            Type::AwSet if mode % 3 == 0 => Ok(derived(&mut numbers)),
            Type::Summary => Ok(summary(&mut numbers)),
            _ => replicas[at].apply(ty, &op(ty, &mut numbers), by),
        };
        let Ok(delta) = made else { continue };
        replicas[at].merge(delta.clone());
        replicas[hears].merge(delta.clone());
        all.extend([delta, replicas[at].clone()]);
    }
    all
}

pub(super) fn scripts() -> impl Strategy<Value = (Vec<Vec<u8>>, [prop::sample::Index; 3])> {
    let script = proptest::collection::vec(proptest::collection::vec(any::<u8>(), 14), 0..12);
    (script, proptest::array::uniform3(any::<prop::sample::Index>()))
}

fn encoded(state: &State) -> Vec<u8> {
    let mut bytes = Vec::new();
    state.encode(&mut Writer::new(&mut bytes, &mut Plain));
    bytes
}

fn decoded(ty: &Type, bytes: &[u8]) -> Result<State, DecodeError> {
    let mut coder = Plain;
    let mut r = Reader::new(bytes, &mut coder);
    let state = State::decode(ty, &mut r)?;
    r.finish()?;
    Ok(state)
}

fn decoded_digest(ty: &Type, bytes: &[u8]) -> Result<StateDigest, DecodeError> {
    let mut coder = Plain;
    let mut r = Reader::new(bytes, &mut coder);
    let digest = StateDigest::decode(ty, &mut r)?;
    r.finish()?;
    Ok(digest)
}

fn encoded_digest(digest: &StateDigest) -> Vec<u8> {
    let mut bytes = Vec::new();
    digest.encode(&mut Writer::new(&mut bytes, &mut Plain));
    bytes
}

/// The bytes with one of them changed, inserted or removed, or the end cut off.
fn damaged(mut bytes: Vec<u8>, at: prop::sample::Index, with: u8, how: u8) -> Vec<u8> {
    let at = at.index(bytes.len() + 1);
    match how % 4 {
        0 => bytes.insert(at, with),
        1 => bytes.truncate(at),
        _ if at == bytes.len() => bytes.push(with),
        2 => bytes[at] = with,
        _ => _ = bytes.remove(at),
    }
    bytes
}

proptest! {
    #[test]
    fn states_of_every_type_obey_the_laws((script, picks) in scripts()) {
        for ty in types() {
            let states = history(&ty, &script);
            let [a, b, c] = picks.map(|pick| Slot::from(pick.get(&states).clone()));
            laws::check_lattice(&a, &b, &c);
            laws::check_decompose(&a);
            laws::check_delta(&a, &b);
            laws::check_fingerprint(&a, &b);
        }
    }

    #[test]
    fn whose_digest_adds_nothing_has_nothing_more((script, [one, other, _]) in scripts()) {
        for ty in types() {
            let states = history(&ty, &script);
            let (one, other) = (one.get(&states), other.get(&states));
            let adds_nothing = one.digest().adds_nothing_to(&other.digest());
            prop_assert!(!adds_nothing || one.leq(other), "{}: {:?} has more than {:?}", &ty, one, other);
            // Of dots alone nothing else is needed to tell.
            if matches!(ty, Type::RwSet | Type::EwFlag | Type::DwFlag | Type::MvRegister | Type::AwMap(_) | Type::AwGraph) {
                prop_assert_eq!(adds_nothing, one.leq(other), "{}: {:?} and {:?}", &ty, one, other);
            }
        }
    }

    #[test]
    fn states_and_digests_survive_the_wire((script, [pick, ..]) in scripts()) {
        for ty in types() {
            let states = history(&ty, &script);
            let state = pick.get(&states);
            prop_assert!(state.is_of(&ty));
            prop_assert_eq!(&decoded(&ty, &encoded(state)), &Ok(state.clone()), "{}", &ty);
            let digest = state.digest();
            prop_assert_eq!(&decoded_digest(&ty, &encoded_digest(&digest)), &Ok(digest), "{}", &ty);
        }
    }

    #[test]
    fn stretches_are_deltas_and_together_what_was_asked_for((script, [from, to, later]) in scripts(), most in 1usize..4) {
        for ty in types() {
            let states = history(&ty, &script);
            let mut state = from.get(&states).clone();
            let known = to.get(&states).clone();
            let asked = [(state.rest(None), State::bottom(&ty)), (state.rest(Some(&known.digest())), known)];
            let before = state.clone();
            for (mut rest, mut there) in asked {
                let mut steps = 0;
                while !rest.is_over() {
                    let stretch = state.stretch(&mut rest, most);
                    prop_assert!(stretch.leq(&state), "{}", &ty);
                    there.merge(stretch);
                    steps += 1;
                    prop_assert!(steps < 1000, "{} has no end", &ty);
                    if steps == 1 && ty.comes_in_stretches() {
                        // What changes meanwhile is heard too.
                        state.merge(later.get(&states).clone());
                        there.merge(later.get(&states).clone());
                    }
                }
                prop_assert!(before.leq(&there), "{}: {:?} lacks of {:?}", &ty, &there, &before);
                prop_assert!(state.stretch(&mut rest, most).is_bottom());
            }
        }
    }

    #[test]
    fn damaged_bytes_are_refused_or_canonical(
        (script, [pick, at, _]) in scripts(), with in any::<u8>(), how in any::<u8>(),
    ) {
        for ty in types() {
            let states = history(&ty, &script);
            let bytes = damaged(encoded(pick.get(&states)), at, with, how);
            if let Ok(state) = decoded(&ty, &bytes) {
                prop_assert_eq!(encoded(&state), bytes, "{}", &ty);
            }
            let bytes = damaged(encoded_digest(&pick.get(&states).digest()), at, with, how);
            if let Ok(digest) = decoded_digest(&ty, &bytes) {
                prop_assert_eq!(encoded_digest(&digest), bytes, "{}", &ty);
            }
        }
    }

    #[test]
    fn random_bytes_are_refused_or_canonical(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        for ty in types() {
            if let Ok(state) = decoded(&ty, &bytes) {
                prop_assert_eq!(&encoded(&state), &bytes, "{}", &ty);
            }
        }
    }

    #[test]
    fn the_counted_cardinality_is_that_of_the_elements((script, picks) in scripts()) {
        let states = history(&Type::AwSet, &script);
        let mut joined = State::bottom(&Type::AwSet);
        for pick in picks {
            joined.merge(pick.get(&states).clone());
            prop_assert_eq!(joined.cardinality(), Some(joined.elements().len()));
        }
    }
}

#[test]
fn states_of_different_types_never_mix() {
    let types = types();
    for (i, ty) in types.iter().enumerate() {
        let script: Vec<Vec<u8>> = (0..12).map(|n| vec![n, n, 1, 7, 9, 11, 13, n, n, n]).collect();
        let state = history(ty, &script).pop().expect("there is bottom at least");
        for (j, other) in types.iter().enumerate() {
            let mut bottom = State::bottom(other);
            let both = |kind: fn(&Type) -> bool| kind(ty) && kind(other);
            let nest = both(|ty| matches!(ty, Type::GMap(_)))
                || both(|ty| matches!(ty, Type::AwMap(_)))
                || both(|ty| matches!(ty, Type::Pair(..)));
            if i != j && !nest {
                assert!(!state.is_of(other), "{ty} as {other}");
                assert!(!bottom.merge(state.clone()) && bottom.is_bottom());
                assert!(
                    !state.leq(&bottom) && state.difference(&bottom) == state && state.delta(&bottom.digest()) == state
                );
            }
        }
    }
}

#[test]
fn an_unused_set_takes_one_byte_and_a_small_one_few() {
    let mut set = State::bottom(&Type::AwSet);
    assert_eq!(encoded(&set).len(), 1);
    let by = Author { replica: ReplicaId(1), stamp: Stamp::default() };
    let delta = set.apply(&Type::AwSet, &Op::Add(5.into()), by).expect("sets can be added to");
    set.merge(delta);
    // Half the size of which is the plain replica id, which links write in one byte.
    assert!(encoded(&set).len() <= 24, "{}", encoded(&set).len());
    assert_eq!(to_bytes(&Value::Int(5)).len(), 1);
}
