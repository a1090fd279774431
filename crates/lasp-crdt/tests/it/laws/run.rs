//! Many cases per law, by proptest: what fails is made small, and its seed is printed and kept.

use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};
use std::any::Any;
use std::fmt::{self, Debug};
use std::rc::Rc;

/// How many cases per law, unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 10_000;

/// Runs `law`, which panics where it is broken, over `inputs`; `seeds` is where the seeds of failures are kept.
pub(crate) fn check<T: Debug + 'static>(
    inputs: impl Strategy<Value = T> + 'static,
    seeds: &'static str,
    law: &dyn Fn(&T),
) {
    let erased = inputs.prop_map(|input| Input(Rc::new(input))).boxed();
    run(&erased, seeds, &|Input(input)| law((&*input as &dyn Any).downcast_ref().expect("what went in")));
}

/// An input of any type, so that the test runner is compiled once and not for each type of operations.
#[derive(Clone)]
struct Input(Rc<dyn Shown>);

trait Shown: Any + Debug {}

impl<T: Any + Debug> Shown for T {}

impl Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn run(inputs: &BoxedStrategy<Input>, seeds: &'static str, law: &dyn Fn(Input)) {
    let result = TestRunner::new(config(seeds)).run(inputs, |input| {
        law(input);
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

/// For a `proptest!` block, too: `#![proptest_config(config(seeds!("derived", "laws")))]`.
pub(crate) fn config(seeds: &'static str) -> Config {
    let mut config = Config::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    config.failure_persistence = Some(Box::new(FileFailurePersistence::Direct(seeds)));
    config
}

/// Where the seeds of one law of one type are kept.
macro_rules! seeds {
    ($subject:expr, $law:expr) => {
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/proptest-regressions/laws/", $subject, "-", $law, ".txt")
    };
}
pub(crate) use seeds;
