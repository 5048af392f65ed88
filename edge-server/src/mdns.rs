//! Announces the server on the LAN as `_tresen._udp` (DNS-SD, RFC 6763), so that devices find it. A server without it works all the same.

use std::net::IpAddr;

use mdns_sd::{ServiceDaemon, ServiceInfo};
use tresen_identity::Fingerprint;

const SERVICE: &str = "_tresen._udp.local.";

/// Longest name of a service instance, in bytes (one DNS label).
const MAX_LABEL_BYTES: usize = 63;

/// An announcement; it is taken back when dropped.
pub struct Announcement(ServiceDaemon);

/// Announces a server. `None`, and a line in the log, when that is not possible here.
#[must_use]
pub fn announce(site: &str, name: Fingerprint, addresses: &[IpAddr], port: u16) -> Option<Announcement> {
    match try_announce(site, name, addresses, port) {
        Ok(announcement) => Some(announcement),
        Err(error) => {
            tracing::warn!(%error, "the server can't be announced on the network; devices still find it by pairing code");
            None
        }
    }
}

fn try_announce(
    site: &str,
    name: Fingerprint,
    addresses: &[IpAddr],
    port: u16,
) -> Result<Announcement, mdns_sd::Error> {
    let daemon = ServiceDaemon::new()?;
    let host = format!("tresen-{}.local.", name.short());
    let label = &site[..site.floor_char_boundary(MAX_LABEL_BYTES)];
    let fingerprint = name.to_string();
    let properties = [("fp", fingerprint.as_str()), ("v", "1")];
    daemon.register(ServiceInfo::new(SERVICE, label, &host, addresses, port, &properties[..])?)?;
    Ok(Announcement(daemon))
}

impl Drop for Announcement {
    fn drop(&mut self) {
        let _ = self.0.shutdown();
    }
}
