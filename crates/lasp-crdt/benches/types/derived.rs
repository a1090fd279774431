//! Sets that are computed from others.

use crate::{HERE, numbers};
use divan::Bencher;
use lasp_crdt::{AwSet, BaseId, Derived, Dot, DotSet, Lattice, Support};

/// The images of an addition to a set and of its removal.
#[divan::bench]
fn add_and_remove_an_image(bencher: Bencher<'_, '_>) {
    let base = BaseId::of("base");
    let (mut source, mut image, mut next) = (AwSet::new(), Derived::new(), numbers(0));
    bencher.bench_local(|| {
        let element = next();
        let addition = source.add(HERE, element);
        image.merge(added(base, source.context().next(HERE), element));
        source.merge(addition);
        let removal = source.remove(&element);
        image.merge(removed(base, removal.context()));
        source.merge(removal);
    });
}

fn added(base: BaseId, dot: Dot, element: u64) -> Derived<u64> {
    let mut image = Derived::new();
    image.see_live(base, dot);
    image.add_support(element * 2, Support::event(base, dot));
    image
}

fn removed(base: BaseId, dots: &DotSet) -> Derived<u64> {
    let mut image = Derived::new();
    image.see_all(base, dots, &DotSet::new());
    image
}
