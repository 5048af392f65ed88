//! Whether the client of a TLS stream that is passed on was answered by its box, as far as that shows from outside.
//!
//! ```text
//! client -> box   hello (it was read before: crate::hello)
//! box -> client   its part of the handshake
//! client -> box   its own part, and what it wants     somebody who only claims to be a client writes anything here
//! box -> client   tickets, answers                    and gets an alert to that
//! ```
//!
//! A record of TLS 1.2 or 1.3 is a type (1 byte), a version (2), a length (2) and as many bytes. In TLS 1.3 whatever comes after the hellos has the type of data, alerts too; but
//! an alert is 19 bytes long then (two, its true type, and 16 that seal them), and what a box sends to somebody who is at work is longer (RFC 8446, 5.1, 5.2 and 6).
//!
//! Invariant: an answer is a record of data, longer than an alert, that began after the client had spoken; and of what the client says counts only what it says
//! between whole records, after a record of data that followed the last one of the handshake that shows as one: our boxes seal what is left of the handshake in one
//! record, and who has to have that whole before he can go on, speaks after it. Nothing is kept of what records hold. Not for proving who the client is: whoever has
//! gone through a handshake was answered.

/// Type of a record of the handshake.
const HANDSHAKE: u8 = 22;

/// Type of a record of data; in TLS 1.3 of everything that is sealed.
const DATA: u8 = 23;

/// A sealed alert, in bytes.
const ALERT_BYTES: u16 = 19;

/// What stands before the bytes of a record.
const HEAD_BYTES: usize = 5;

/// What a box sends to a client.
#[derive(Default)]
pub(crate) struct Answers {
    head: [u8; HEAD_BYTES],
    head_length: usize,
    /// Bytes of the record that are still to come.
    left: u16,
    /// Whether a record of data has come since the handshake's last record.
    has_data: bool,
    /// Whether the client has spoken since then, between records.
    is_asked: bool,
    /// Whether it had when the record began that is coming.
    was_asked: bool,
}

impl Answers {
    /// More came; `has_spoken`: the client has said something since the last time. Whether an answer is among it.
    pub(crate) fn hear(&mut self, mut bytes: &[u8], has_spoken: bool) -> bool {
        let is_between = self.left == 0 && self.head_length == 0;
        self.is_asked |= has_spoken && self.has_data && is_between;
        let mut is_answered = false;
        while !bytes.is_empty() {
            if self.left > 0 {
                let held = bytes.len().min(self.left.into());
                self.left -= held as u16;
                bytes = &bytes[held..];
                continue;
            }
            if self.head_length == 0 {
                self.was_asked = self.is_asked;
            }
            let (byte, rest) = (bytes[0], &bytes[1..]);
            self.head[self.head_length] = byte;
            self.head_length += 1;
            bytes = rest;
            if self.head_length == HEAD_BYTES {
                is_answered |= self.begin();
            }
        }
        is_answered
    }

    /// A record's head is there: whether it is an answer.
    fn begin(&mut self) -> bool {
        let [kind, _, _, high, low] = self.head;
        (self.head_length, self.left) = (0, u16::from_be_bytes([high, low]));
        match kind {
            HANDSHAKE => (self.has_data, self.is_asked) = (false, false),
            DATA => self.has_data = true,
            _ => {}
        }
        kind == DATA && self.was_asked && self.left > ALERT_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, length: u16) -> Vec<u8> {
        [&[kind, 3, 3][..], &length.to_be_bytes(), &vec![DATA; length.into()]].concat()
    }

    /// The records of a hello, and what is sealed after it.
    fn flight() -> Vec<u8> {
        [record(HANDSHAKE, 90), record(20, 1), record(DATA, 700)].concat()
    }

    /// Promise: who has shaken hands and is sent data was answered, however the bytes are cut.
    #[test]
    fn data_is_an_answer() {
        for piece in [1, 3, 7, 10_000] {
            let mut answers = Answers::default();
            let mut hear = |bytes: &[u8], has_spoken: bool| {
                bytes
                    .chunks(piece)
                    .enumerate()
                    .fold(false, |is, (at, bytes)| is | answers.hear(bytes, has_spoken && at == 0))
            };
            assert!(!hear(&flight(), false));
            assert!(!hear(&record(DATA, 300), false), "the client has said nothing");
            assert!(hear(&record(DATA, 20), true), "{piece}");
        }
    }

    /// Promise: noise between two pieces of the box's part of the handshake, wherever it is cut, is not answered by the rest of it, nor by the alert that follows.
    #[test]
    fn noise_in_the_middle_of_a_handshake_is_not_answered() {
        let flight = flight();
        for cut in 0..=flight.len() {
            let (mut answers, (first, rest)) = (Answers::default(), flight.split_at(cut));
            assert!(!answers.hear(first, false) && !answers.hear(rest, true), "{cut}");
            assert!(!answers.hear(&record(DATA, ALERT_BYTES), true), "{cut}");
        }
    }

    /// Promise: an alert is no answer, in the clear or sealed; nor is the handshake, whatever the client says before it, or in the middle of a record, or to have it begun anew.
    #[test]
    fn alerts_and_handshakes_are_no_answers() {
        let mut answers = Answers::default();
        assert!(!answers.hear(&record(21, 2), true), "it was no hello");
        let mut answers = Answers::default();
        assert!(!answers.hear(&flight(), true), "what came with the hello asks for nothing");
        assert!(!answers.hear(&record(DATA, ALERT_BYTES), true) && !answers.hear(&record(21, 40), true));
        let (mut answers, flight) = (Answers::default(), flight());
        let (first, rest) = flight.split_at(flight.len() - 300);
        assert!(!answers.hear(first, false) && !answers.hear(rest, true));
        let mut answers = Answers::default();
        assert!(!answers.hear(&record(HANDSHAKE, 90), false), "another hello is wanted");
        assert!(!answers.hear(&flight, true), "and it gets the handshake");
        assert!(answers.hear(&record(DATA, 60), true));
    }
}
