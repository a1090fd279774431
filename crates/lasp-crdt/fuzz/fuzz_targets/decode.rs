//! Untrusted bytes: see `lasp_crdt_fuzz::decode`.
#![no_main]

use lasp_crdt_fuzz::{decode, seeds};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(init: seeds::write_if_asked(&decode::seeds), |bytes: &[u8]| -> Corpus {
    if decode::run(bytes) { Corpus::Keep } else { Corpus::Reject }
});
