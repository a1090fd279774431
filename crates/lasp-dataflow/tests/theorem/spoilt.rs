//! The harness can fail: deliberate mistakes, each of which must be found and made small.

use crate::functions::Fun;
use crate::oracle::Mistake;
use crate::program::{Program, Spec};
use crate::run::{Sabotage, run};
use crate::schedule::Schedule;
use crate::shrink::Counterexample;
use crate::{counterexample, of_seed};

/// How many programs a mistake may go unnoticed.
const PROGRAMS: u64 = 500;

/// The first counterexample to programs that `spoil` was applied to.
fn first_found(sabotage: Sabotage, spoil: impl Fn(&mut Program)) -> Option<Counterexample> {
    (1..=PROGRAMS).find_map(|seed| {
        let (mut program, schedule) = of_seed(seed);
        spoil(&mut program);
        counterexample(program, schedule, sabotage, true)
    })
}

fn assert_small(found: &Counterexample) {
    let on = found.program.derivations.iter().filter(|derivation| found.program.has(derivation)).count();
    assert!(on <= 4 && found.schedule.len() <= 8, "not made small:\n{found}");
}

#[test]
fn a_wrong_oracle_is_found_and_the_counterexample_is_small() {
    let mistakes = [
        Mistake::FiltersAreOpen,
        Mistake::IntersectionsAreUnions,
        Mistake::CountsAreOff,
        Mistake::ResultsAreNotKeptApart,
    ];
    for mistake in mistakes {
        let sabotage = Sabotage { mistake, ..Sabotage::default() };
        let found = first_found(sabotage, |_| ()).unwrap_or_else(|| panic!("{mistake:?} is not found"));
        assert_small(&found);
        assert_eq!(
            run(&found.program, &found.schedule, Sabotage::default()),
            Ok(()),
            "not due to {mistake:?}:\n{found}"
        );
    }
}

#[test]
fn an_impure_function_is_found() {
    let spoil = |program: &mut Program| {
        for derivation in &mut program.derivations {
            if let Spec::Map(fun) = &mut derivation.spec {
                *fun = Fun::Impure;
            }
        }
    };
    let found = first_found(Sabotage::default(), spoil).expect("some replica computes something else");
    assert_small(&found);
}

#[test]
fn what_stays_lost_is_found() {
    let found = first_found(Sabotage { no_repair: true, ..Sabotage::default() }, |_| ()).expect("a lost message");
    assert_small(&found);
}

#[test]
fn a_counterexample_prints_as_a_program_and_a_schedule() {
    let sabotage = Sabotage { mistake: Mistake::FiltersAreOpen, ..Sabotage::default() };
    let text = first_found(sabotage, |_| ()).expect("a counterexample").to_string();
    for part in ["should be set[", "= declare(", "filter(v", "update(v"] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
}

#[test]
fn a_seed_has_one_program_and_one_schedule() {
    let text = |seed| {
        let (program, schedule): (Program, Schedule) = of_seed(seed);
        format!("{program}{schedule:?}")
    };
    assert_eq!(text(7), text(7));
    assert_ne!(text(7), text(8));
}
