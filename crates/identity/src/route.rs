//! The way to an edge server through a relay, as text: `<tenant>~<relay's name>~<host:port of the relay>[~<domain:port of its edge servers>]`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::{Fingerprint, PublicPlace, TenantId};

/// Longest host with port, in bytes (a DNS name has at most 253).
const MAX_AUTHORITY_BYTES: usize = 260;

/// Where a relay is, who it is, and whose edge server is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayRoute {
    /// The customer.
    pub tenant: TenantId,
    /// The relay's name, to pin.
    pub relay: Fingerprint,
    /// Where the relay passes TLS on, for browsers and for networks without UDP.
    pub public: Option<PublicPlace>,
    authority: String,
}

/// Why a text is no such way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the way through a relay is malformed")]
pub struct RelayRouteError;

impl RelayRoute {
    /// Through the relay with this name at `authority` (host and port).
    ///
    /// # Errors
    /// When that is no host with a port.
    pub fn new(tenant: TenantId, relay: Fingerprint, authority: &str) -> Result<Self, RelayRouteError> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]_".contains(&byte);
        let port = authority.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        let fits = authority.len() <= MAX_AUTHORITY_BYTES && authority.bytes().all(is_allowed);
        if port.is_none_or(|port| port == 0) || !fits {
            return Err(RelayRouteError);
        }
        Ok(Self { tenant, relay, public: None, authority: authority.to_owned() })
    }

    /// Host and port of the relay.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl fmt::Display for RelayRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}~{}", self.tenant, self.relay, self.authority)?;
        self.public.as_ref().map_or(Ok(()), |public| write!(f, "~{public}"))
    }
}

impl FromStr for RelayRoute {
    type Err = RelayRouteError;

    fn from_str(text: &str) -> Result<Self, RelayRouteError> {
        let mut parts = text.splitn(4, '~');
        let tenant = parts.next().and_then(|part| part.parse().ok()).ok_or(RelayRouteError)?;
        let relay = parts.next().and_then(|part| part.parse().ok()).ok_or(RelayRouteError)?;
        let route = Self::new(tenant, relay, parts.next().ok_or(RelayRouteError)?)?;
        let public = parts.next().map(str::parse).transpose().map_err(|_| RelayRouteError)?;
        Ok(Self { public, ..route })
    }
}

impl Serialize for RelayRoute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RelayRoute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_read_back() {
        let (tenant, relay) = (TenantId::from_bytes([1; 16]), Fingerprint::from_bytes([2; 32]));
        for authority in ["relay.example:7844", "[2001:db8::1]:443", "192.0.2.1:1"] {
            let route = RelayRoute::new(tenant, relay, authority).expect("a way");
            let public = Some(PublicPlace::new("tills.example", 443).expect("a domain"));
            let with_public = RelayRoute { public, ..route.clone() };
            assert_eq!(with_public.to_string(), format!("{route}~tills.example:443"));
            assert_eq!(with_public.to_string().parse(), Ok(with_public));
            assert!(format!("{route}~").parse::<RelayRoute>().is_err());
            assert_eq!(route.to_string().parse(), Ok(route));
        }
        for authority in ["relay.example", "relay.example:0", "relay.example:70000", "a b:1", ":", "", "a~b"]
        {
            assert_eq!(RelayRoute::new(tenant, relay, authority), Err(RelayRouteError), "{authority}");
        }
        assert_eq!("a~b~c:1".parse::<RelayRoute>(), Err(RelayRouteError));
    }
}
