//! Whether a request comes from this machine and means this machine.
//!
//! An address alone does not tell: any web page can make the browser on this machine ask for a name of its own that it pointed at 127.0.0.1 (DNS
//! rebinding), or for a loopback address from a foreign page. So the names count too, over TLS as well as without: what the browser was asked for
//! (`Host`), and whose page asked (`Origin`).

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::{Authority, Uri};

use crate::net::tcp::Peer;

/// Whether a peer on this machine asked for this machine by a name that can mean nothing else, and no page of another one made it ask.
#[must_use]
pub fn is_at_home(peer: Peer, headers: &HeaderMap) -> bool {
    let asked_from_here = headers.get(ORIGIN).is_none_or(|origin| {
        let origin: Option<Uri> = origin.to_str().ok().and_then(|origin| origin.parse().ok());
        origin.is_some_and(|origin| origin.authority().is_some_and(|by| is_here(by.as_str())))
    });
    peer.is_loopback() && names_this_machine(headers) && asked_from_here
}

/// Whether what was asked for (`Host`) can only mean this machine.
#[must_use]
pub fn names_this_machine(headers: &HeaderMap) -> bool {
    headers.get(HOST).and_then(|host| host.to_str().ok()).is_some_and(is_here)
}

fn is_here(authority: &str) -> bool {
    host_and_port(authority).is_some_and(|(host, _)| is_loopback_name(&host))
}

/// Host and port of an authority; the port of a `Host` without one is the scheme's, which is the same on both sides here.
#[must_use]
pub fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    let authority: Authority = authority.parse().ok()?;
    Some((authority.host().to_ascii_lowercase(), authority.port_u16()))
}

/// Whether a host's name, in lower case and without a port, can only mean this machine.
fn is_loopback_name(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn home(peer: &str, host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        is_at_home(Peer { address: peer.parse().unwrap(), tls: true }, &headers)
    }

    /// Promise: what only this machine may see is not shown to a web page that points a name of its own at it.
    #[test]
    fn only_this_machine_by_its_own_name_is_at_home() {
        assert!(home("127.0.0.1:5", "127.0.0.1:7843", None));
        assert!(home("127.0.0.1:5", "LocalHost:7843", Some("https://localhost:7843")));
        assert!(home("[::1]:5", "[::1]:7843", None));
        assert!(!home("192.168.1.9:5", "127.0.0.1:7843", None), "another machine");
        assert!(!home("127.0.0.1:5", "evil.example:7843", None), "DNS rebinding");
        assert!(!home("127.0.0.1:5", "localhost.evil.example:7843", None));
        assert!(!home("127.0.0.1:5", "127.0.0.1:7843", Some("https://evil.example")), "a foreign page");
        assert!(!home("127.0.0.1:5", "127.0.0.1:7843", Some("null")));
        assert!(!is_at_home(Peer { address: "127.0.0.1:5".parse().unwrap(), tls: true }, &HeaderMap::new()));
    }
}
