//! Who is out for as long as tokens live, as text: kept in a file, so that a restart lets nobody in again.
//!
//! ```text
//! { "version": 1, "floor_s": 0, "revocations": ["<until, Unix seconds> <tenant>[/<edge server>[/<device>]]", ..] }
//! ```

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tresen_path::{ClientName, EdgeName, Gate, Party, Revocation, Subject};

use crate::data::write_whole;
use crate::directory::Damaged;

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    floor_s: u64,
    revocations: Vec<String>,
}

/// Tells a gate what the file says; without one, nobody is revoked.
///
/// # Errors
/// When it can't be read or is damaged.
pub fn load(path: &Path, now_s: u64, gate: &mut Gate) -> Result<(), Damaged> {
    let damaged = |why: String| Damaged::new(path, why);
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(damaged(error.to_string())),
    };
    let stored: Stored = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    if stored.version != VERSION {
        return Err(damaged(format!("it is of version {}", stored.version)));
    }
    gate.raise_floor(stored.floor_s);
    for text in &stored.revocations {
        let revocation = from_text(text).ok_or_else(|| damaged(format!("{text} is no revocation")))?;
        gate.revoke(now_s, revocation);
    }
    Ok(())
}

/// What the file is to say: whose tokens could still be good; the gate forgets the others.
#[must_use]
pub fn encode(gate: &mut Gate, now_s: u64) -> Vec<u8> {
    gate.forget_old(now_s);
    let revocations = gate.revocations().map(|revocation| to_text(&revocation)).collect();
    let stored = Stored { version: VERSION, floor_s: gate.floor_s(), revocations };
    serde_json::to_vec_pretty(&stored).expect("numbers and text are JSON")
}

/// Writes the file.
///
/// # Errors
/// When the disk refuses.
pub fn save(path: &Path, encoded: &[u8]) -> io::Result<()> {
    write_whole(path, encoded)
}

/// A revocation in one line.
#[must_use]
pub fn to_text(revocation: &Revocation) -> String {
    let until_s = revocation.until_s;
    match revocation.subject {
        Subject::Tenant(tenant) => format!("{until_s} {tenant}"),
        Subject::Party(Party::Edge(EdgeName { tenant, edge })) => format!("{until_s} {tenant}/{edge}"),
        Subject::Party(Party::Client(ClientName { edge, device })) => {
            format!("{until_s} {}/{}/{device}", edge.tenant, edge.edge)
        }
    }
}

/// From [`to_text`]; `None` when it is no such line.
#[must_use]
pub fn from_text(text: &str) -> Option<Revocation> {
    let (until_s, name) = text.split_once(' ')?;
    let mut parts = name.split('/');
    let tenant = parts.next()?.parse().ok()?;
    let (edge, device) = (parts.next(), parts.next());
    let subject = match (edge, device) {
        (None, _) => Subject::Tenant(tenant),
        (Some(edge), None) => Subject::Party(Party::Edge(EdgeName { tenant, edge: edge.parse().ok()? })),
        (Some(edge), Some(device)) => {
            let edge = EdgeName { tenant, edge: edge.parse().ok()? };
            Subject::Party(Party::Client(ClientName { edge, device: device.parse().ok()? }))
        }
    };
    parts.next().is_none().then_some(Revocation { subject, until_s: until_s.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use tresen_identity::{Fingerprint, TenantId};

    use super::*;

    const NOW_S: u64 = 1_800_000_000;

    /// Promise: revocations outlive a restart, of all kinds, and a damaged file is refused instead of letting everybody in.
    #[test]
    fn revocations_outlive_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("revocations.json");
        let tenant = TenantId::from_bytes([1; 16]);
        let edge = EdgeName { tenant, edge: Fingerprint::from_bytes([2; 32]) };
        let device = ClientName { edge, device: Fingerprint::from_bytes([3; 32]) };
        let (mut gate, mut again) = (Gate::default(), Gate::default());
        load(&path, NOW_S, &mut gate).expect("none yet");
        for subject in [
            Subject::Tenant(tenant),
            Subject::Party(Party::Edge(edge)),
            Subject::Party(Party::Client(device)),
        ] {
            gate.revoke(NOW_S, Revocation::of_old_tokens(NOW_S, subject));
        }
        gate.raise_floor(7);
        save(&path, &encode(&mut gate, NOW_S)).expect("a file");
        load(&path, NOW_S, &mut again).expect("the file");
        assert!(again.revocations().eq(gate.revocations()));
        assert_eq!((again.revocations().len(), again.floor_s()), (3, 7));
        load(&path, NOW_S + 60 + 900, &mut gate).expect("the file");
        assert_eq!(gate.revocations().len(), 3, "what is in memory is forgotten when the file is written");
        save(&path, &encode(&mut gate, NOW_S + 60 + 900)).expect("a file");
        let text = std::fs::read_to_string(&path).expect("a file");
        assert!(gate.revocations().len() == 0 && text.contains("\"revocations\": []"), "{text}");
        for wrong in ["", "{}", "{\"version\":1,\"floor_s\":0,\"revocations\":[\"5 nobody\"]}"] {
            std::fs::write(&path, wrong).expect("a file");
            assert!(load(&path, NOW_S, &mut Gate::default()).is_err(), "{wrong}");
        }
    }
}
