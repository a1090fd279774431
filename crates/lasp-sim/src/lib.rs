//! Many peers, one seed, virtual time, faults.
