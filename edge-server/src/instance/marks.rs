//! Marks: what brings an instance back where it was.
//!
//! A station has one mark. Its number counts the station's marks, so that a later one always stands above an earlier one, whichever device
//! it came from; its content says how far each session has come, and what the application saved:
//!
//! ```text
//! count (1 byte), then for each session its id (16 bytes) and its highest input (8 bytes, little-endian), then the application's bytes
//! ```

use indexmap::IndexMap;
use tresen_identity::Fingerprint;
use tresen_ledger::{Ledger, Mark};
use tresen_wire::SessionId;

/// Sessions that a station remembers; the one that was active longest ago is forgotten first.
const MAX_SESSIONS: usize = 32;

/// What is known of a station's sessions.
pub struct Marks {
    station: u16,
    number: u64,
    /// The highest input of each session, the one that was active last at the end.
    inputs: IndexMap<SessionId, u64>,
    /// What the application saved last.
    pub saved: Option<Vec<u8>>,
}

/// The session of a device at a station: the station's number and the beginning of the device's fingerprint.
#[must_use]
pub fn session_id(station: u16, device: Fingerprint) -> SessionId {
    let mut id = station_key(station);
    id[2..].copy_from_slice(&device.as_bytes()[..14]);
    SessionId(id)
}

fn station_key(station: u16) -> [u8; 16] {
    let mut key = [0; 16];
    key[..2].copy_from_slice(&station.to_le_bytes());
    key
}

impl Marks {
    /// Reads a station's mark.
    #[must_use]
    pub fn read(ledger: &Ledger, station: u16) -> Self {
        let mut marks = Self { station, number: 0, inputs: IndexMap::new(), saved: None };
        if let Some(mark) = ledger.mark(&station_key(station)) {
            marks.number = mark.input;
            if let Some((inputs, saved)) = decode(&mark.app) {
                marks.inputs = inputs;
                marks.saved = Some(saved.to_vec());
            }
        }
        marks
    }

    /// The number of the next input of a session.
    #[must_use]
    pub fn next_input(&self, session: SessionId) -> u64 {
        self.inputs.get(&session).map_or(1, |input| input + 1)
    }

    /// Whether the last input came from this session. Who logged in did so by inputs, so nobody else may go on with what is on the screen.
    #[must_use]
    pub fn is_last(&self, session: SessionId) -> bool {
        self.inputs.last().is_some_and(|(last, _)| *last == session)
    }

    /// Notes that a session's inputs up to this one were applied.
    pub fn applied(&mut self, session: SessionId, input: u64) {
        self.inputs.shift_remove(&session);
        self.inputs.insert(session, input);
        if self.inputs.len() > MAX_SESSIONS {
            self.inputs.shift_remove_index(0);
        }
    }

    /// A mark of this moment.
    pub fn make(&mut self, saved: &[u8]) -> Mark {
        self.number += 1;
        let mut app = Vec::with_capacity(1 + self.inputs.len() * 24 + saved.len());
        app.push(self.inputs.len() as u8);
        for (session, input) in &self.inputs {
            app.extend(session.0);
            app.extend(input.to_le_bytes());
        }
        app.extend(saved);
        Mark { session: station_key(self.station), input: self.number, app }
    }
}

fn decode(mut bytes: &[u8]) -> Option<(IndexMap<SessionId, u64>, &[u8])> {
    let (&count, rest) = bytes.split_first()?;
    bytes = rest;
    let mut inputs = IndexMap::new();
    for _ in 0..count {
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (input, rest) = rest.split_first_chunk::<8>()?;
        inputs.insert(SessionId(*id), u64::from_le_bytes(*input));
        bytes = rest;
    }
    Some((inputs, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(byte: u8) -> SessionId {
        session_id(3, Fingerprint::from_bytes([byte; 32]))
    }

    #[test]
    fn a_mark_says_how_far_each_session_came() {
        let mut marks = Marks { station: 3, number: 7, inputs: IndexMap::new(), saved: None };
        marks.applied(session(1), 5);
        marks.applied(session(2), 9);
        let mark = marks.make(b"state");
        assert_eq!(mark.input, 8);
        let (inputs, saved) = decode(&mark.app).unwrap();
        assert!(marks.is_last(session(2)) && !marks.is_last(session(1)));
        assert_eq!(inputs.last(), Some((&session(2), &9)), "who was last is in the mark");
        assert_eq!((inputs[&session(1)], inputs[&session(2)], saved), (5, 9, b"state".as_slice()));
        assert!(marks.make(b"state").input > mark.input, "a later mark is newer though no input came");
    }

    #[test]
    fn the_longest_silent_session_is_forgotten() {
        let mut marks = Marks { station: 3, number: 0, inputs: IndexMap::new(), saved: None };
        for byte in 0..=32 {
            marks.applied(session(byte), 1);
            marks.applied(session(0), u64::from(byte) + 1);
        }
        assert_eq!(marks.next_input(session(1)), 1);
        assert_eq!(marks.next_input(session(0)), 34);
        assert!(decode(&marks.make(b"").app).is_some());
        assert!(decode(&[200, 1]).is_none());
    }

    proptest::proptest! {
        /// Promise: a damaged mark crashes nothing, and nothing is read that is not in it.
        #[test]
        fn a_damaged_mark_is_read_or_refused(bytes: Vec<u8>, count in 0_u8..4) {
            for bytes in [bytes.clone(), [vec![count], bytes].concat()] {
                if let Some((inputs, saved)) = decode(&bytes) {
                    proptest::prop_assert!(inputs.len() <= usize::from(bytes[0]));
                    proptest::prop_assert_eq!(saved, &bytes[1 + usize::from(bytes[0]) * 24..]);
                }
            }
        }
    }
}
