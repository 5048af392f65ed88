//! What the operator of a relay gives to the operator of an edge server, as text: `<name of the relay>.<secret>`, both base32.

use tresen_identity::{Fingerprint, Secret};

/// Lets one edge server join a relay. No `Debug`.
#[derive(Clone)]
pub struct Enrolment {
    /// The relay's name, to be pinned.
    pub node: Fingerprint,
    /// Good for one edge server, for a day.
    pub secret: Secret<32>,
}

impl Enrolment {
    /// The text.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}.{}", self.node, self.secret.to_text())
    }

    /// From [`Self::to_text`]; `None` when it is not such a text.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (node, secret) = text.trim().split_once('.')?;
        Some(Self { node: node.parse().ok()?, secret: Secret::from_text(secret)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_read_back() {
        let enrolment = Enrolment { node: Fingerprint::from_bytes([1; 32]), secret: Secret::new([2; 32]) };
        let read = Enrolment::from_text(&format!(" {}\n", enrolment.to_text())).expect("an enrolment");
        assert_eq!(read.node, enrolment.node);
        assert!(read.secret.same_as(&enrolment.secret));
        for wrong in ["", ".", "a.b", &enrolment.to_text()[1..], &format!("{}a", enrolment.to_text())] {
            assert!(Enrolment::from_text(wrong).is_none(), "{wrong}");
        }
    }
}
