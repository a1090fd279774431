//! Tests of the I/O room over real loopback sockets.

mod toy;
mod transport;
