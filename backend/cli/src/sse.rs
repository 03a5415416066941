//! Server-sent events as the HTML standard has them be read: bytes in, events out.

/// Most bytes of a line and of an event: what is longer is not from the service.
const MOST: usize = 4 << 20;

/// An event as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    /// Its name; empty means `message`.
    pub(crate) event: String,
    /// Its lines of data.
    pub(crate) data: String,
    /// Its id, or that of the one before.
    pub(crate) id: Option<String>,
}

/// Reads a stream piece by piece, however it is cut.
#[derive(Default)]
pub(crate) struct Reader {
    line: Vec<u8>,
    ends_with_return: bool,
    event: String,
    data: String,
    has_data: bool,
    last_id: Option<String>,
}

/// The stream is not one of events.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Reader {
    /// The events that these bytes complete.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<Vec<Message>, TooLong> {
        let mut messages = Vec::new();
        for &byte in bytes {
            // Lines end with CR, LF or both.
            let is_second_half = byte == b'\n' && self.ends_with_return;
            self.ends_with_return = byte == b'\r';
            match byte {
                b'\n' if is_second_half => {}
                b'\n' | b'\r' => messages.extend(self.end_line()),
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.len() > MOST {
                return Err(TooLong);
            }
        }
        Ok(messages)
    }

    fn end_line(&mut self) -> Option<Message> {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
        if line.is_empty() {
            return self.end_event();
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.has_data = true;
                self.data.push_str(value);
            }
            "id" if !value.contains('\0') => self.last_id = Some(value.to_owned()),
            // Comments have an empty name; `retry` is for browsers.
            _ => {}
        }
        None
    }

    fn end_event(&mut self) -> Option<Message> {
        let event = std::mem::take(&mut self.event);
        let data = std::mem::take(&mut self.data);
        std::mem::take(&mut self.has_data).then(|| Message {
            event,
            data,
            id: self.last_id.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b": hello\n\nid: 7\nevent: step.started\ndata: {\"a\":\ndata:  1}\n\r\nid\r\ndata:x\r\rdata: cut";

    fn message(event: &str, data: &str, id: &str) -> Message {
        Message {
            event: event.to_owned(),
            data: data.to_owned(),
            id: Some(id.to_owned()),
        }
    }

    #[test]
    fn events_are_the_same_however_the_stream_is_cut() {
        let expected = [
            message("step.started", "{\"a\":\n 1}", "7"),
            message("", "x", ""),
        ];
        for size in 1..STREAM.len() {
            let mut reader = Reader::default();
            let read: Vec<_> = STREAM
                .chunks(size)
                .flat_map(|piece| reader.read(piece).unwrap())
                .collect();
            assert_eq!(read, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut reader = Reader::default();
        assert_eq!(reader.read(&vec![b'a'; MOST + 1]), Err(TooLong));
    }
}
