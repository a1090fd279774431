//! Replicated variables and incremental derivations over them.
