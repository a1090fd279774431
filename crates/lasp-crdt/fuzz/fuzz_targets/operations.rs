//! Random histories: see `lasp_crdt_fuzz::operations`.
#![no_main]

use lasp_crdt_fuzz::{operations, seeds};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(init: seeds::write_if_asked(&operations::seeds), |bytes: &[u8]| -> Corpus {
    if operations::run(bytes) { Corpus::Keep } else { Corpus::Reject }
});
