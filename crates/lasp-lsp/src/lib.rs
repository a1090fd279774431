//! The language server: what an editor asks about Lasp programs, over the Language Server Protocol.
//!
//! Start at [`Server`]: messages in, messages out, no I/O. [`stdio`] and [`serve`] drive it.
//!
//! - [`frame`](mod@frame): messages in a byte stream; what is malformed is told and skipped.
//! - `lines`: positions as editors count them (UTF-16) and as we do (bytes).
//! - `document`: an open program and what is known of it.
//! - `answers`: hover, completion, definition, symbols, diagnostics.

mod answers;
mod document;
pub mod frame;
mod lines;
mod server;

pub use server::Server;

use frame::Frame;
use lsp_server::{Connection, Message};
use std::io::{self, BufRead, Write};

/// Serves an editor on a byte stream until it says `exit` or hangs up; whether it took its leave as it should.
///
/// # Errors
/// What reading or writing gives.
pub fn stdio(mut input: impl BufRead, mut output: impl Write) -> io::Result<bool> {
    let mut server = Server::default();
    while !server.is_over() {
        let answers = match frame::read(&mut input)? {
            Frame::End => break,
            Frame::Message(message) => server.handle(message),
            Frame::Malformed(reason) => vec![server.malformed(&reason)],
        };
        for answer in answers {
            Message::write(&answer, &mut output)?;
        }
        output.flush()?;
    }
    Ok(server.was_shut_down())
}

/// Serves an editor on a connection until it says `exit` or hangs up; whether it took its leave as it should.
pub fn serve(connection: &Connection) -> bool {
    let mut server = Server::default();
    while !server.is_over() {
        let Ok(message) = connection.receiver.recv() else {
            break;
        };
        for answer in server.handle(message) {
            if connection.sender.send(answer).is_err() {
                return server.was_shut_down();
            }
        }
    }
    server.was_shut_down()
}
