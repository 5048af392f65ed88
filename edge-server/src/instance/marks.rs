//! Marks: what brings an instance back where it was.
//!
//! A station has one mark. Its number counts the station's marks, so that a later one always stands above an earlier one, whichever device
//! it came from; its content says how far each session has come, and what the application saved:
//!
//! ```text
//! 0x80 + count (1 byte), sessions ever forgotten (4 bytes), then for each session its id (16 bytes) and its highest input (8 bytes), then the
//! application's bytes; numbers are little-endian. Without the 0x80, as earlier versions wrote it, nothing was ever forgotten.
//! ```
//!
//! Invariant: no input is applied twice because its session was forgotten. The id of a session carries how many the station had forgotten when it
//! began. So a device whose session was forgotten gets one with another id; its client then drops what it had not seen acknowledged, and the
//! person is told ([`Marks::session`]).

use indexmap::IndexMap;
use tresen_identity::Fingerprint;
use tresen_ledger::{Ledger, Mark};
use tresen_wire::SessionId;

/// Sessions that a station remembers; the one that was here longest ago is forgotten first.
const MAX_SESSIONS: usize = 32;

/// What is known of a station's sessions.
pub struct Marks {
    station: u16,
    number: u64,
    /// Sessions that were forgotten since the station began.
    forgotten: u32,
    /// The highest input of each session, the one that was here last at the end.
    inputs: IndexMap<SessionId, u64>,
    /// What the application saved last.
    pub saved: Option<Vec<u8>>,
}

/// Bytes of a session's id that name station and device; the rest also carries how many sessions had been forgotten.
const OWNER_BYTES: usize = 12;

/// Set in the first byte of a mark that says how many sessions were forgotten.
const COUNTS_FORGOTTEN: u8 = 0x80;

/// The session of a device at a station: the station's number and the beginning of the device's fingerprint, the last bytes combined with how
/// many sessions the station had forgotten before.
fn session_id(station: u16, device: Fingerprint, forgotten: u32) -> SessionId {
    let mut id = station_key(station);
    id[2..].copy_from_slice(&device.as_bytes()[..14]);
    for (byte, mixed) in id[OWNER_BYTES..].iter_mut().zip(forgotten.to_le_bytes()) {
        *byte ^= mixed;
    }
    SessionId(id)
}

/// Whether two sessions are of the same device at the same station.
fn same_owner(one: SessionId, other: SessionId) -> bool {
    one.0[..OWNER_BYTES] == other.0[..OWNER_BYTES]
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
        let mut marks = Self { station, number: 0, forgotten: 0, inputs: IndexMap::new(), saved: None };
        if let Some(mark) = ledger.mark(&station_key(station)) {
            marks.number = mark.input;
            if let Some((forgotten, inputs, saved)) = decode(&mark.app) {
                (marks.forgotten, marks.inputs) = (forgotten, inputs);
                marks.saved = Some(saved.to_vec());
            }
        }
        marks
    }

    /// The session of a device: the one that is known, or a new one.
    #[must_use]
    pub fn session(&self, device: Fingerprint) -> SessionId {
        let new = session_id(self.station, device, self.forgotten);
        self.inputs.keys().copied().find(|known| same_owner(*known, new)).unwrap_or(new)
    }

    /// Whether a client that had `before` loses what it had not seen acknowledged, because `now` is another session of the same device here.
    #[must_use]
    pub fn loses_inputs(before: SessionId, now: SessionId) -> bool {
        before != now && same_owner(before, now)
    }

    /// The number of the next input of a session.
    #[must_use]
    pub fn next_input(&self, session: SessionId) -> u64 {
        self.inputs.get(&session).map_or(1, |input| input + 1)
    }

    /// Whether this session was here last. Nobody else may go on with what is on the screen.
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
            self.forgotten = self.forgotten.wrapping_add(1);
        }
    }

    /// A mark of this moment.
    pub fn make(&mut self, saved: &[u8]) -> Mark {
        self.number += 1;
        let mut app = Vec::with_capacity(5 + self.inputs.len() * 24 + saved.len());
        app.push(COUNTS_FORGOTTEN | self.inputs.len() as u8);
        app.extend(self.forgotten.to_le_bytes());
        for (session, input) in &self.inputs {
            app.extend(session.0);
            app.extend(input.to_le_bytes());
        }
        app.extend(saved);
        Mark { session: station_key(self.station), input: self.number, app }
    }
}

fn decode(bytes: &[u8]) -> Option<(u32, IndexMap<SessionId, u64>, &[u8])> {
    let (&first, mut bytes) = bytes.split_first()?;
    let mut forgotten = 0;
    if first & COUNTS_FORGOTTEN != 0 {
        let (number, rest) = bytes.split_first_chunk::<4>()?;
        (forgotten, bytes) = (u32::from_le_bytes(*number), rest);
    }
    let mut inputs = IndexMap::new();
    for _ in 0..first & !COUNTS_FORGOTTEN {
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (input, rest) = rest.split_first_chunk::<8>()?;
        inputs.insert(SessionId(*id), u64::from_le_bytes(*input));
        bytes = rest;
    }
    Some((forgotten, inputs, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(byte: u8) -> Fingerprint {
        Fingerprint::from_bytes([byte; 32])
    }

    fn session(byte: u8) -> SessionId {
        session_id(3, device(byte), 0)
    }

    fn empty() -> Marks {
        Marks { station: 3, number: 7, forgotten: 0, inputs: IndexMap::new(), saved: None }
    }

    #[test]
    fn a_mark_says_how_far_each_session_came() {
        let mut marks = empty();
        marks.applied(session(1), 5);
        marks.applied(session(2), 9);
        let mark = marks.make(b"state");
        assert_eq!(mark.input, 8);
        let (_, inputs, saved) = decode(&mark.app).unwrap();
        assert!(marks.is_last(session(2)) && !marks.is_last(session(1)));
        assert_eq!(inputs.last(), Some((&session(2), &9)), "who was last is in the mark");
        assert_eq!((inputs[&session(1)], inputs[&session(2)], saved), (5, 9, b"state".as_slice()));
        assert!(marks.make(b"state").input > mark.input, "a later mark is newer though no input came");
    }

    /// Promise: what a device had not seen acknowledged when its session was forgotten is refused, not applied again; also across a restart.
    #[test]
    fn a_forgotten_device_gets_another_session() {
        let mut marks = empty();
        for byte in 0..=32 {
            marks.applied(session(byte), 1);
            marks.applied(session(0), u64::from(byte) + 1);
        }
        assert_eq!(marks.session(device(0)), session(0), "whoever comes often is remembered");
        assert_eq!(marks.next_input(session(0)), 34);
        let another = marks.session(device(1));
        assert!(Marks::loses_inputs(session(1), another));
        assert!(!Marks::loses_inputs(session(2), session(2)), "known");
        assert!(!Marks::loses_inputs(session(1), session(2)), "another device's");

        let app = marks.make(b"").app;
        (marks.forgotten, marks.inputs, _) = decode(&app).unwrap();
        assert_eq!(marks.session(device(1)), another, "a start later it is the same one");
        marks.applied(another, 1);
        assert_eq!(marks.session(device(1)), another, "and stays it");
        for byte in 40..80 {
            marks.applied(session(byte), 1);
        }
        assert!(Marks::loses_inputs(another, marks.session(device(1))), "forgotten again");
    }

    #[test]
    fn marks_of_earlier_versions_are_read() {
        let old = [&[1][..], &session(1).0, &5_u64.to_le_bytes(), b"state"].concat();
        let (forgotten, inputs, saved) = decode(&old).unwrap();
        assert_eq!((forgotten, inputs[&session(1)], saved), (0, 5, b"state".as_slice()));
        assert!(decode(&[100, 1]).is_none());
    }

    proptest::proptest! {
        /// Promise: a damaged mark crashes nothing, and nothing is read that is not in it.
        #[test]
        fn a_damaged_mark_is_read_or_refused(bytes: Vec<u8>, count in 0_u8..4, new: bool) {
            let first = if new { COUNTS_FORGOTTEN | count } else { count };
            for bytes in [bytes.clone(), [vec![first], bytes].concat()] {
                if let Some((_, inputs, saved)) = decode(&bytes) {
                    let count = usize::from(bytes[0] & !COUNTS_FORGOTTEN);
                    let head = if bytes[0] & COUNTS_FORGOTTEN == 0 { 1 } else { 5 };
                    proptest::prop_assert!(inputs.len() <= count);
                    proptest::prop_assert_eq!(saved, &bytes[head + count * 24..]);
                }
            }
        }
    }
}
