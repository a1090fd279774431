//! One Lasp peer: store, dataflow, overlay and synchronisation as one state machine.
