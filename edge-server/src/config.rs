//! The configuration file: TOML, unknown keys refused, every key optional.
//!
//! ```toml
//! name = "Gasthaus Linde"       # of the site, as devices see it on the network
//! data = "/var/lib/tresen"      # keys, database, spool
//! port = 7843                   # one number, TCP and UDP; 0 takes a free one
//! bind = ["0.0.0.0", "::"]      # addresses to listen on
//! public_host = "till.example"  # what stands in pairing codes; else the first address of the LAN
//! mdns = true                   # announce _tresen._udp on the LAN
//! port_mapping = "auto"         # at a relay, ask the router for a port (PCP, NAT-PMP, UPnP): auto, off, or the router's IPv4 address
//! log = "info"                  # tracing filter: error, warn, info, debug, or per module
//!
//! receipt_pictures = false      # receipts in the spool as pictures, too; the demo always has them
//! prediction = "auto"           # answers sent ahead: auto (round trips of 10 ms and more), always, off
//!
//! [limits]
//! connections = 4096            # open TCP and QUIC connections
//! connects_per_minute = 240     # new connections a minute from one address
//! connections_per_address = 64  # open ones from one address; more when many devices share one, behind a router or a relay
//! ```
//!
//! The section `[public]` is in [`crate::public::Public`].

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use crate::public::Public;

/// The port when none is configured.
pub const DEFAULT_PORT: u16 = 7843;

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Name of the site.
    pub name: String,
    /// Data folder.
    pub data: PathBuf,
    /// Port for everything; 0 takes a free one.
    #[serde(deserialize_with = "port")]
    pub port: u16,
    /// Addresses to listen on.
    pub bind: Vec<IpAddr>,
    /// Host that stands in pairing codes.
    pub public_host: Option<Host>,
    /// Whether the box announces itself on the LAN.
    pub mdns: bool,
    /// Whether a router is asked for a port, when the box is at a relay.
    pub port_mapping: PortMapping,
    /// Filter of the log.
    pub log: String,
    /// Whether the spool has each receipt as a picture, beside the printer's bytes. Costs some milliseconds a receipt.
    pub receipt_pictures: bool,
    /// When answers to taps are sent ahead.
    pub prediction: Prediction,
    /// Limits against floods.
    pub limits: Limits,
    /// The box under its public name.
    pub public: Public,
}

/// When answers to taps are sent ahead, so that a device need not wait for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Prediction {
    /// To devices whose round trips are long enough to be felt.
    #[default]
    Auto,
    /// To all devices that want them.
    Always,
    /// Never.
    Off,
}

/// Whether a router is asked for a port that leads to the box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum PortMapping {
    /// The default gateway is.
    #[default]
    Auto,
    /// None is.
    Off,
    /// This one is.
    Router(Ipv4Addr),
}

impl TryFrom<String> for PortMapping {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        match text.as_str() {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            address => {
                let router =
                    address.parse().map_err(|_| "expected auto, off, or the IPv4 address of a router");
                Ok(Self::Router(router?))
            }
        }
    }
}

/// Limits against floods.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Open connections of all kinds.
    pub connections: Positive,
    /// New connections a minute from one address.
    pub connects_per_minute: Positive,
    /// Open connections from one address.
    pub connections_per_address: Positive,
}

/// A number from 1 to a million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub struct Positive(u32);

impl Positive {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for Positive {
    type Error = &'static str;

    fn try_from(number: i64) -> Result<Self, &'static str> {
        match u32::try_from(number) {
            Ok(number @ 1..=1_000_000) => Ok(Self(number)),
            _ => Err("expected a number from 1 to 1000000"),
        }
    }
}

/// A host name or an IP address, alone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Host(String);

impl Host {
    /// The host with a port behind it, as it stands in a URL.
    #[must_use]
    pub fn with_port(&self, port: u16) -> String {
        if self.0.contains(':') { format!("[{}]:{port}", self.0) } else { format!("{}:{port}", self.0) }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Host {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        // Nothing that ends in a number is a name: it would be a mistyped address.
        let is_name = text.len() <= 253
            && text.split('.').all(is_label)
            && text
                .split('.')
                .next_back()
                .is_some_and(|last| !last.bytes().all(|byte| byte.is_ascii_digit()));
        if is_name || text.parse::<IpAddr>().is_ok() {
            Ok(Self(text))
        } else {
            Err(
                "expected a host name or an IP address, without scheme, port and spaces, such as till.example",
            )
        }
    }
}

fn port<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let number = i64::deserialize(deserializer)?;
    u16::try_from(number).map_err(|_| D::Error::custom("expected a port from 0 to 65535"))
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "Tresen".into(),
            data: "tresen-data".into(),
            port: DEFAULT_PORT,
            bind: vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
            public_host: None,
            mdns: true,
            port_mapping: PortMapping::default(),
            log: "info".into(),
            receipt_pictures: false,
            prediction: Prediction::default(),
            limits: Limits::default(),
            public: Public::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: Positive(4096),
            connects_per_minute: Positive(240),
            connections_per_address: Positive(64),
        }
    }
}

/// What is wrong with a configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("the configuration {path} can't be read: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line of it is wrong.
    #[error("{path}, line {line}: {reason}", path = path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong, and what is allowed.
        reason: String,
    },
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// When it can't be read, or says something that is not allowed: with the line, and what is.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text).map_err(|(line, reason)| ConfigError::Wrong {
            path: path.to_owned(),
            line,
            reason,
        })
    }

    /// Reads a text; an error is a line and a reason.
    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            (line_of(text, at), error.message().replace('\n', "; "))
        })?;
        if config.bind.is_empty() {
            return Err((line_of_key(text, "bind"), "expected at least one address to listen on".into()));
        }
        if tracing_subscriber::EnvFilter::try_new(&config.log).is_err() {
            let allowed =
                "expected error, warn, info, debug, trace, or a tracing filter such as info,quinn=warn";
            return Err((line_of_key(text, "log"), allowed.into()));
        }
        Ok(config)
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

fn line_of_key(text: &str, key: &str) -> usize {
    text.lines().position(|line| line.trim_start().starts_with(key)).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(Config::parse(""), Ok(Config::default()));
    }

    #[test]
    fn an_error_names_its_line_and_what_is_allowed() {
        let wrong = |text: &str| Config::parse(text).unwrap_err();
        let (line, reason) = wrong("name = \"a\"\nprot = 1\n");
        assert_eq!(line, 2);
        assert!(reason.contains("prot") && reason.contains("`port`"), "{reason}");
        let (line, reason) = wrong("name = \"a\"\n\nport = 70000\n");
        assert_eq!((line, reason.as_str()), (3, "expected a port from 0 to 65535"));
        assert_eq!(wrong("port = -1").1, "expected a port from 0 to 65535");
        let (line, reason) = wrong("[limits]\nconnections = 0\n");
        assert_eq!((line, reason.as_str()), (2, "expected a number from 1 to 1000000"));
        assert_eq!(wrong("bind = []").0, 1);
        assert_eq!(wrong("port_mapping = true").0, 1);
        let (line, reason) = wrong("\nport_mapping = \"router.example\"");
        assert_eq!((line, reason.as_str()), (2, "expected auto, off, or the IPv4 address of a router"));
        assert_eq!(wrong("port = 1\nlog = \"=x=\"").0, 2);
        assert_eq!(wrong("name = \"a").0, 1);
    }

    #[test]
    fn the_public_host_is_a_host_alone() {
        let host = |text: &str| Config::parse(&format!("port = 1\npublic_host = \"{text}\""));
        for (text, authority) in [
            ("till.example", "till.example:1"),
            ("kasse-1", "kasse-1:1"),
            ("192.168.1.20", "192.168.1.20:1"),
            ("fd00::1", "[fd00::1]:1"),
        ] {
            assert_eq!(host(text).unwrap().public_host.unwrap().with_port(1), authority);
        }
        for text in [
            "https://till.example",
            "till.example:7843",
            "my till",
            "",
            "a..b",
            "-a",
            "192.168.1",
            "till/",
            "fd00::1%eth0",
        ] {
            let (line, reason) = host(text).unwrap_err();
            assert_eq!(line, 2, "{text}");
            assert!(reason.contains("a host name or an IP address"), "{reason}");
        }
    }
}
