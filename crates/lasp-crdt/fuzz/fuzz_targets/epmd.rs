//! Answers of a port mapper daemon: see `lasp_crdt_fuzz::epmd`.
#![no_main]

use lasp_crdt_fuzz::{epmd, seeds};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(init: seeds::write_if_asked(&epmd::seeds), |bytes: &[u8]| -> Corpus {
    if epmd::run(bytes) { Corpus::Keep } else { Corpus::Reject }
});
