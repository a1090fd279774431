//! Messages in a byte stream: headers, an empty line, and as many bytes of JSON as the headers say.
//!
//! A body that is no message is skipped whole, so that the next one is found; headers that make no sense are skipped up to
//! the empty line after them.

use lsp_server::Message;
use std::io::{self, BufRead, Read};

/// The longest line of a header.
const HEADER_MAX: u64 = 4 << 10;
/// The longest body: four times the longest program, each character escaped.
const BODY_MAX: usize = 64 << 20;

/// What was read.
#[derive(Debug)]
pub enum Frame {
    /// A message.
    Message(Message),
    /// Something that is none, and why; it was skipped.
    Malformed(String),
    /// The stream ended.
    End,
}

/// Reads the next message.
///
/// # Errors
/// What the stream gives.
pub fn read(input: &mut impl BufRead) -> io::Result<Frame> {
    let mut length = None;
    let mut odd = None;
    loop {
        let mut line = Vec::new();
        input.by_ref().take(HEADER_MAX).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(Frame::End);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => match value.trim().parse() {
                Ok(bytes) => length = Some(bytes),
                Err(_) => odd = Some(format!("{line:?} gives no length")),
            },
            Some(_) => {}
            None => odd = Some(format!("{:?} is no header", line.chars().take(40).collect::<String>())),
        }
    }
    match (length, odd) {
        (Some(length), None) => body(input, length),
        (_, Some(odd)) => Ok(Frame::Malformed(odd)),
        (None, None) => Ok(Frame::Malformed("a message without Content-Length".to_owned())),
    }
}

fn body(input: &mut impl BufRead, length: usize) -> io::Result<Frame> {
    if length > BODY_MAX {
        io::copy(&mut input.by_ref().take(length as u64), &mut io::sink())?;
        return Ok(Frame::Malformed(format!("a message of {length} bytes; at most {BODY_MAX} are read")));
    }
    let mut body = Vec::new();
    input.by_ref().take(length as u64).read_to_end(&mut body)?;
    if body.len() < length {
        return Ok(Frame::End);
    }
    match serde_json::from_slice(&body) {
        Ok(message) => Ok(Frame::Message(message)),
        Err(error) => Ok(Frame::Malformed(format!("a body that is no message: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(bytes: &[u8]) -> Vec<String> {
        let mut input = bytes;
        let mut found = Vec::new();
        loop {
            match read(&mut input).expect("memory can be read") {
                Frame::End => return found,
                Frame::Message(Message::Notification(notification)) => found.push(notification.method),
                Frame::Message(other) => found.push(format!("{other:?}")),
                Frame::Malformed(reason) => found.push(format!("malformed: {reason}")),
            }
        }
    }

    const EXIT: &str = "Content-Length: 33\r\n\r\n{\"jsonrpc\":\"2.0\",\"method\":\"exit\"}";

    #[test]
    fn what_is_malformed_is_skipped() {
        assert_eq!(frames(EXIT.as_bytes()), ["exit"]);
        for odd in ["nonsense\r\n\r\n", "Content-Length: -3\r\n\r\n", "Content-Length: 2\r\n\r\n{]", "Other: 1\r\n\r\n"]
        {
            let found = frames(format!("{odd}{EXIT}").as_bytes());
            assert!(found.len() == 2 && found[0].starts_with("malformed") && found[1] == "exit", "{odd:?}: {found:?}");
        }
    }

    #[test]
    fn a_message_that_is_cut_off_or_endless_takes_no_memory() {
        assert_eq!(frames(b"Content-Length: 1000\r\n\r\n{"), [""; 0]);
        let endless = frames(b"Content-Length: 99999999999\r\n\r\nabc");
        assert!(endless[0].contains("at most"), "{endless:?}");
        let header = "x".repeat(100_000);
        assert!(frames(header.as_bytes()).len() <= 1);
    }
}
