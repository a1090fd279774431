//! Tests of the I/O room over real loopback sockets.

mod api;
mod control;
mod toy;
mod transport;
