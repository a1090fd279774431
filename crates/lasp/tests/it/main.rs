//! Tests of the I/O room over real loopback sockets.

mod api;
mod derivations;
mod toy;
mod transport;
mod typed;
mod virtual_node;
