//! Tests of the I/O room over real loopback sockets.

mod api;
mod control;
mod derivations;
mod epmd;
mod http;
mod http_fuzz;
mod letters;
mod sessions;
mod toy;
mod transport;
mod typed;
mod views;
mod virtual_node;
