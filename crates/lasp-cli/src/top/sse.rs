//! Server-sent events (WHATWG HTML §9.2.6): a stream of lines, cut into messages. Only `event` and `data` matter here.

/// Longest message that is read. A guess, above five hundred nodes of an overlay with all their neighbours.
const MAX: usize = 4 << 20;

/// A message: its topic, and what it says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) topic: String,
    pub(super) data: String,
}

/// What of the stream is not yet a message.
#[derive(Debug, Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    message: Message,
    /// A CR was the last byte: a LF that follows belongs to it.
    carriage: bool,
}

impl Parser {
    /// The messages that are whole with these bytes. Time: linear.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Message>, String> {
        let mut whole = Vec::new();
        for &byte in bytes {
            let half = std::mem::replace(&mut self.carriage, byte == b'\r') && byte == b'\n';
            match byte {
                _ if half => {}
                b'\r' | b'\n' => whole.extend(self.end_line()?),
                _ if self.line.len() + self.message.data.len() >= MAX => {
                    return Err(format!("it sends a message of more than {MAX} bytes"));
                }
                _ => self.line.push(byte),
            }
        }
        Ok(whole)
    }

    /// A line is whole; an empty one ends a message.
    fn end_line(&mut self) -> Result<Option<Message>, String> {
        let line = String::from_utf8(std::mem::take(&mut self.line)).map_err(|_| "it sends no UTF-8".to_owned())?;
        if line.is_empty() {
            let message = std::mem::take(&mut self.message);
            return Ok((!message.data.is_empty()).then_some(message));
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.message.topic),
            "data" => {
                if !self.message.data.is_empty() {
                    self.message.data.push('\n');
                }
                self.message.data += value;
            }
            _ => {} // comments, ids, and what is yet to come
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str, data: &str) -> Message {
        Message { topic: topic.to_owned(), data: data.to_owned() }
    }

    const TEXT: &[u8] = b"event: status\ndata: {\"a\":1}\n\n: alive\n\nevent:events\r\ndata: one\r\ndata:two\r\n\r\ndata: bee \xf0\x9f\x90\x9d\n\n";

    fn expected() -> Vec<Message> {
        vec![message("status", "{\"a\":1}"), message("events", "one\ntwo"), message("", "bee 🐝")]
    }

    #[test]
    fn messages_are_the_same_however_the_bytes_come() {
        assert_eq!(Parser::default().feed(TEXT), Ok(expected()));
        for cut in 0..TEXT.len() {
            let mut parser = Parser::default();
            let (first, second) = TEXT.split_at(cut);
            let mut all = parser.feed(first).expect("text");
            all.extend(parser.feed(second).expect("text"));
            assert_eq!(all, expected(), "cut at {cut}");
        }
    }

    #[test]
    fn what_never_ends_is_refused() {
        let mut parser = Parser::default();
        let piece = [b'x'; 1 << 16];
        let refused = (0..=MAX / piece.len()).find_map(|_| parser.feed(&piece).err());
        assert!(refused.is_some_and(|why| why.contains("more than")));
        assert!(parser.line.len() <= MAX);
        let mut lines = Parser::default();
        let line = [b"data: ".as_slice(), &[b'y'; 1 << 16], b"\n"].concat();
        assert!((0..=MAX / (1 << 16)).any(|_| lines.feed(&line).is_err()));
        assert!(Parser::default().feed(b"data: \xff\n\n").is_err());
    }
}
