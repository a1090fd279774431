//! What has changed around a peer between two moments: the difference of its views.
//!
//! [`Event`](super::Event)s tell every change of the active view, one by one. Whoever cannot keep up with them, or wants to
//! know of members and of the passive view as well, compares two [`Views`] instead: however much happened in between, the
//! difference is as long as the views at most, and leads from the one to the other.

use super::{Membership, Standing};
use crate::peer::{Contact, PeerId};
use std::collections::{BTreeMap, BTreeSet};

/// All that a peer can be asked about others, at one moment. The empty views are those of a peer that knows nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Views {
    active: BTreeMap<PeerId, Contact>,
    passive: BTreeMap<PeerId, Contact>,
    members: BTreeMap<PeerId, (Contact, Standing)>,
}

/// How one moment's views lead to another's. A peer that is both in `up` and in `down` has come back in another life or at
/// another address; so of `joined` and `gone`, and of `known` and `forgotten`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Who has entered the active view, ascending.
    pub up: Vec<Contact>,
    /// Who has left it, ascending.
    pub down: Vec<PeerId>,
    /// Who has become a member of the cluster, ascending.
    pub joined: Vec<Contact>,
    /// Who has said goodbye, ascending, whether it was known as a member or not.
    pub left: Vec<PeerId>,
    /// Who is no member any more for another reason: it was evicted, or partial views have no place for it; ascending.
    pub gone: Vec<PeerId>,
    /// Members that do not answer any more, ascending.
    pub suspected: Vec<PeerId>,
    /// Members that were suspected and answer, ascending.
    pub cleared: Vec<PeerId>,
    /// Who has entered the passive view, ascending.
    pub known: Vec<Contact>,
    /// Who has left it, ascending.
    pub forgotten: Vec<PeerId>,
    /// The active view as it is now, ascending.
    pub view: Vec<Contact>,
}

impl Change {
    /// Whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        let Self { up, down, joined, left, gone, suspected, cleared, known, forgotten, view: _ } = self;
        let ids = [down, left, gone, suspected, cleared, forgotten];
        [up, joined, known].iter().all(|list| list.is_empty()) && ids.iter().all(|list| list.is_empty())
    }
}

impl Views {
    /// What a peer knows just now. O(what it knows).
    pub fn of(membership: &impl Membership) -> Self {
        let by_id = |contacts: Vec<Contact>| contacts.into_iter().map(|contact| (contact.id, contact)).collect();
        let members = membership.members().into_iter();
        Self {
            active: by_id(membership.active()),
            passive: by_id(membership.passive()),
            members: members.map(|(contact, standing)| (contact.id, (contact, standing))).collect(),
        }
    }

    /// Whether a peer is in any of them.
    pub fn holds(&self, peer: PeerId) -> bool {
        self.active.contains_key(&peer) || self.passive.contains_key(&peer) || self.members.contains_key(&peer)
    }

    /// What leads to `later`, where those in `left` have said goodbye in between. O(n log n) in both.
    pub fn change_to(&self, later: &Self, left: &BTreeSet<PeerId>) -> Change {
        let (up, down) = differ(&self.active, &later.active, |contact| contact);
        let (known, forgotten) = differ(&self.passive, &later.passive, |contact| contact);
        let (joined, mut gone) = differ(&self.members, &later.members, |(contact, _)| contact);
        gone.retain(|peer| !left.contains(peer));
        let doubted = |views: &Self, peer: &PeerId| {
            views.members.get(peer).is_some_and(|(_, standing)| *standing == Standing::Suspect)
        };
        let turned = |from: &Self, to: &Self| {
            let peers = to.members.keys().filter(|peer| doubted(to, peer) && !doubted(from, peer));
            peers.copied().collect::<Vec<PeerId>>()
        };
        let mut cleared = turned(later, self);
        cleared.retain(|peer| later.members.contains_key(peer));
        Change {
            up,
            down,
            joined,
            left: left.iter().copied().collect(),
            gone,
            suspected: turned(self, later),
            cleared,
            known,
            forgotten,
            view: later.active.values().cloned().collect(),
        }
    }
}

/// Who is in the second map alone, and who in the first alone; who is in both as somebody else is counted for both.
fn differ<T>(
    before: &BTreeMap<PeerId, T>,
    after: &BTreeMap<PeerId, T>,
    contact: impl Fn(&T) -> &Contact,
) -> (Vec<Contact>, Vec<PeerId>) {
    let lacks = |map: &BTreeMap<PeerId, T>, one: &Contact| map.get(&one.id).is_none_or(|other| contact(other) != one);
    let came = after.values().map(&contact).filter(|one| lacks(before, one)).cloned().collect();
    let went = before.values().map(&contact).filter(|one| lacks(after, one)).map(|one| one.id).collect();
    (came, went)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Addr;
    use proptest::prelude::*;

    fn contact(n: u64, life: u64) -> Contact {
        Contact { id: PeerId(n), incarnation: life, addr: Addr::new("p").expect("short") }
    }

    fn views(active: &[u64], passive: &[u64], members: &[(u64, Standing)]) -> Views {
        let by_id = |list: &[u64]| list.iter().map(|n| (PeerId(*n), contact(*n, 1))).collect();
        let members = members.iter().map(|(n, standing)| (PeerId(*n), (contact(*n, 1), *standing)));
        Views { active: by_id(active), passive: by_id(passive), members: members.collect() }
    }

    #[test]
    fn what_has_changed_is_told_by_what_it_means() {
        use Standing::{Alive, Suspect};
        let before = views(&[1, 2], &[3], &[(1, Alive), (2, Alive), (3, Suspect), (4, Alive), (5, Alive)]);
        let after = views(&[1, 3], &[6], &[(1, Suspect), (3, Alive), (6, Alive)]);
        let change = before.change_to(&after, &BTreeSet::from([PeerId(2), PeerId(9)]));
        let expected = Change {
            up: vec![contact(3, 1)],
            down: vec![PeerId(2)],
            joined: vec![contact(6, 1)],
            left: vec![PeerId(2), PeerId(9)],
            gone: vec![PeerId(4), PeerId(5)],
            suspected: vec![PeerId(1)],
            cleared: vec![PeerId(3)],
            known: vec![contact(6, 1)],
            forgotten: vec![PeerId(3)],
            view: vec![contact(1, 1), contact(3, 1)],
        };
        assert_eq!(change, expected);
    }

    #[test]
    fn another_life_is_another_neighbour() {
        let before = views(&[1], &[], &[(1, Standing::Alive)]);
        let mut after = before.clone();
        after.active.insert(PeerId(1), contact(1, 2));
        let change = before.change_to(&after, &BTreeSet::new());
        assert_eq!((change.up, change.down), (vec![contact(1, 2)], vec![PeerId(1)]));
    }

    fn some_views() -> impl Strategy<Value = Views> {
        let some = || prop::collection::btree_map((0u64..6).prop_map(PeerId), 1u64..3, 0..5);
        let standing = prop::sample::select(vec![Standing::Alive, Standing::Suspect]);
        let members = prop::collection::btree_map((0u64..6).prop_map(PeerId), (1u64..3, standing), 0..5);
        let own = |map: BTreeMap<PeerId, u64>| map.into_iter().map(|(id, life)| (id, contact(id.0, life))).collect();
        (some(), some(), members).prop_map(move |(active, passive, members)| {
            let members = members.into_iter().map(|(id, (life, standing))| (id, (contact(id.0, life), standing)));
            Views { active: own(active), passive: own(passive), members: members.collect() }
        })
    }

    /// What one is left with who had `before` and was told `change`.
    fn told(before: &Views, change: &Change) -> Views {
        let mut views = before.clone();
        change.down.iter().for_each(|peer| _ = views.active.remove(peer));
        views.active.extend(change.up.iter().map(|contact| (contact.id, contact.clone())));
        change.forgotten.iter().for_each(|peer| _ = views.passive.remove(peer));
        views.passive.extend(change.known.iter().map(|contact| (contact.id, contact.clone())));
        let suspect = |views: &Views, id: PeerId| views.members.get(&id).map(|(_, standing)| *standing);
        for contact in &change.joined {
            let standing = suspect(&views, contact.id).unwrap_or(Standing::Alive);
            views.members.insert(contact.id, (contact.clone(), standing));
        }
        let joined: BTreeSet<PeerId> = change.joined.iter().map(|contact| contact.id).collect();
        change.gone.iter().filter(|peer| !joined.contains(peer)).for_each(|peer| _ = views.members.remove(peer));
        let mut say = |peers: &[PeerId], standing| {
            peers.iter().for_each(|peer| _ = views.members.get_mut(peer).map(|member| member.1 = standing));
        };
        say(&change.suspected, Standing::Suspect);
        say(&change.cleared, Standing::Alive);
        views
    }

    proptest! {
        #[test]
        fn who_is_told_the_changes_knows_the_views(before in some_views(), after in some_views()) {
            let change = before.change_to(&after, &BTreeSet::new());
            prop_assert_eq!(told(&before, &change), after.clone());
            prop_assert_eq!(change.is_empty(), before == after);
        }
    }
}
