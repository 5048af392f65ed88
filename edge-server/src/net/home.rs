//! Whether a request comes from this machine and means this machine.
//!
//! An address alone does not tell: any web page can make the browser on this machine ask for a name of its own that it pointed at 127.0.0.1 (DNS
//! rebinding), or for a loopback address from a foreign page. So the names count too, over TLS as well as without: what the browser was asked for
//! (`Host`), and whose page asked (`Origin`). And a proxy on this machine has its address without being whoever asks: what says that it was forwarded
//! is not from here. A proxy that does not say so can't be told from this machine.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::{Authority, Uri};

use crate::net::tcp::Peer;

/// What a proxy adds to a request, in lower case.
const FORWARDED: [&str; 6] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];

/// Whether a peer on this machine asked for this machine by a name that can mean nothing else, and no page of another one made it ask, nor a proxy asked for
/// somebody.
#[must_use]
pub fn is_at_home(peer: Peer, headers: &HeaderMap) -> bool {
    let asked_from_here = headers.get(ORIGIN).is_none_or(|origin| {
        let origin: Option<Uri> = origin.to_str().ok().and_then(|origin| origin.parse().ok());
        origin.is_some_and(|origin| origin.authority().is_some_and(|by| is_here(by.as_str())))
    });
    let forwarded = FORWARDED.iter().any(|name| headers.contains_key(*name));
    peer.is_loopback() && names_this_machine(headers) && asked_from_here && !forwarded
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
    use axum::http::{HeaderName, HeaderValue};

    use super::*;
    use crate::net::tcp::Via;

    fn home(peer: &str, host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        is_at_home(Peer { address: peer.parse().unwrap(), tls: true, via: Via::Port }, &headers)
    }

    /// Promise: whoever comes through a proxy on this machine is not at home because the proxy is.
    #[test]
    fn whoever_comes_through_a_proxy_is_not_at_home() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("127.0.0.1:7843"));
        let peer = Peer { address: "127.0.0.1:5".parse().unwrap(), tls: false, via: Via::Port };
        assert!(is_at_home(peer, &headers));
        for name in ["Forwarded", "X-Forwarded-For", "x-forwarded-host", "X-Real-IP", "Via"] {
            let mut headers = headers.clone();
            headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_static(""));
            assert!(!is_at_home(peer, &headers), "{name}");
        }
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
        let here = Peer { address: "127.0.0.1:5".parse().unwrap(), tls: true, via: Via::Port };
        assert!(!is_at_home(here, &HeaderMap::new()));
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("localhost:7843"));
        assert!(is_at_home(here, &headers));
        assert!(!is_at_home(Peer { via: Via::Relay, ..here }, &headers), "a relay may say what it likes");
    }
}
