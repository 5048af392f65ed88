//! Where browsers reach the edge servers of a relay: over TLS on TCP, each under a name of its own, `<edge server's name>.<domain>`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::Fingerprint;

/// Longest domain, in bytes: with an edge server's name before it, it is a DNS name of at most 253.
const MAX_DOMAIN_BYTES: usize = 200;

/// The port that stands in no address.
const HTTPS_PORT: u16 = 443;

/// A domain and a port, as text `<domain>:<port>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicPlace {
    domain: String,
    port: u16,
}

/// Why a text is no such place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected a domain and a port, such as tills.example:443")]
pub struct PublicPlaceError;

impl PublicPlace {
    /// Below this domain, on this port.
    ///
    /// # Errors
    /// When it is no domain, or too long a one, or the port is 0.
    pub fn new(domain: &str, port: u16) -> Result<Self, PublicPlaceError> {
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if port == 0 || domain.len() > MAX_DOMAIN_BYTES || !domain.split('.').all(is_label) {
            return Err(PublicPlaceError);
        }
        Ok(Self { domain: domain.to_ascii_lowercase(), port })
    }

    /// The domain, in lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The port, TCP.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The name of an edge server here.
    #[must_use]
    pub fn host(&self, edge: &Fingerprint) -> String {
        format!("{edge}.{}", self.domain)
    }

    /// The name of an edge server here as it stands in an address: with the port, if that is not the usual one.
    #[must_use]
    pub fn authority(&self, edge: &Fingerprint) -> String {
        let host = self.host(edge);
        if self.port == HTTPS_PORT { host } else { format!("{host}:{}", self.port) }
    }

    /// The edge server whose name here this is.
    #[must_use]
    pub fn edge(&self, host: &str) -> Option<Fingerprint> {
        let (edge, domain) = host.split_once('.')?;
        domain.eq_ignore_ascii_case(&self.domain).then(|| edge.parse().ok())?
    }
}

impl fmt::Display for PublicPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.domain, self.port)
    }
}

impl FromStr for PublicPlace {
    type Err = PublicPlaceError;

    fn from_str(text: &str) -> Result<Self, PublicPlaceError> {
        let (domain, port) = text.rsplit_once(':').ok_or(PublicPlaceError)?;
        Self::new(domain, port.parse().map_err(|_| PublicPlaceError)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGE: Fingerprint = Fingerprint::from_bytes([7; 32]);

    /// Promise: a name below the domain is its edge server's, in small letters and large ones; any other is nobody's.
    #[test]
    fn a_name_tells_its_edge_server() {
        let place: PublicPlace = "Tills.Example:443".parse().unwrap();
        assert_eq!(place.to_string(), "tills.example:443");
        let host = place.host(&EDGE);
        assert_eq!(place.authority(&EDGE), host);
        assert_eq!(place.edge(&host), Some(EDGE));
        assert_eq!(place.edge(&host.to_uppercase()), Some(EDGE));
        for other in [&host[1..], &format!("a.{host}"), &format!("{host}x"), "tills.example", "", "."] {
            assert_eq!(place.edge(other), None, "{other}");
        }
        assert_eq!(
            PublicPlace::new("localhost", 8443).unwrap().authority(&EDGE),
            format!("{EDGE}.localhost:8443")
        );
    }

    #[test]
    fn what_is_no_domain_is_refused() {
        for wrong in
            ["", "a", "a:0", "a:65536", ":443", "a..b:443", "-a:443", "a b:443", "a/b:443", "[::1]:443"]
        {
            assert!(wrong.parse::<PublicPlace>().is_err(), "{wrong}");
        }
        let long = [["a"; 60].concat(), ["b"; 60].concat(), ["c"; 60].concat(), ["d"; 60].concat()].join(".");
        assert!(PublicPlace::new(&long, 443).is_err());
    }
}
