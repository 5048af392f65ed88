//! What a router says of a port, as it may stand in the log: short, and on one line, whatever the router sends.

use std::fmt::{self, Display};

/// Longest text, in characters; a router may send a megabyte.
const MOST_CHARS: usize = 200;

/// See the module.
#[derive(Debug, PartialEq, Eq)]
pub struct Said(String);

impl Said {
    /// Of any text.
    pub fn new(text: impl Display) -> Self {
        Self(text.to_string().chars().take(MOST_CHARS).flat_map(char::escape_debug).collect())
    }
}

impl Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why there is no mapping.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The router may have granted it, or not.
    #[error("{0}")]
    Silent(Said),
    /// It did not.
    #[error("{0}")]
    Refused(Said),
}

impl MappingError {
    /// The router may have granted it, or not.
    pub fn silent(text: impl Display) -> Self {
        Self::Silent(Said::new(text))
    }

    /// It did not.
    pub fn refused(text: impl Display) -> Self {
        Self::Refused(Said::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: a router can write neither much nor lines of its own into the log.
    #[test]
    fn what_a_router_says_is_short_and_one_line() {
        assert_eq!(MappingError::refused("the port is taken").to_string(), "the port is taken");
        let forged = "no\n2026-01-01 INFO paid in full\r\u{1b}[2J";
        let said = MappingError::refused(forged).to_string();
        assert!(!said.contains(char::is_control), "{said}");
        assert!(said.starts_with("no\\n2026"));
        for long in ["x".repeat(1_000_000), "\u{1b}".repeat(1_000_000)] {
            assert!(MappingError::silent(long).to_string().len() <= 10 * MOST_CHARS);
        }
    }
}
