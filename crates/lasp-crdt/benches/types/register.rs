//! Registers.

use crate::{HERE, numbers};
use divan::Bencher;
use lasp_crdt::{Lattice, LwwRegister, MaxRegister, Stamp, Timestamp};

#[divan::bench]
fn max_write(bencher: Bencher<'_, '_>) {
    let (mut register, mut next) = (MaxRegister::new(), numbers(0));
    bencher.bench_local(|| register.merge(register.write(next())));
}

#[divan::bench]
fn last_writer_wins_write(bencher: Bencher<'_, '_>) {
    let (mut register, mut next) = (LwwRegister::new(), numbers(1));
    bencher.bench_local(|| {
        let value = next();
        register.merge(register.write(Stamp { time: Timestamp(value), replica: HERE }, value))
    });
}
