//! Tests of the I/O room over real loopback sockets.

mod api;
mod toy;
mod transport;
