//! The way to the server where UDP is blocked and it is not near: TLS over TCP to the relay, which passes it on by the server's public name. Whoever answers has
//! to hold the server's key, as on every other way.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tresen_identity::{Fingerprint, KeyPair, PublicPlace, RelayRoute};

use crate::websocket::{self, Reached, Target, WebSocketLink};

/// All that goes over UDP is ahead of this: it is better, and has answered by then on any network that lets it through.
const AFTER: Duration = Duration::from_millis(800);

/// How long one address may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Calls the server, after everything else had its time.
///
/// # Errors
/// When the relay passes nothing on, nobody answers, or another server does.
pub async fn connect(route: RelayRoute, server: Fingerprint, key: &KeyPair) -> Result<WebSocketLink> {
    let place = route.public.clone().context("the relay passes no TLS on")?;
    tokio::time::sleep(AFTER).await;
    let mut why = anyhow!("the relay has no address here");
    for address in addresses(&route, &place, &server).await {
        let target = Target {
            address,
            name: place.host(&server),
            authority: place.authority(&server),
            reached: Reached::Passed,
        };
        match tokio::time::timeout(PATIENCE, websocket::connect(&target, server, key)).await {
            Ok(Ok(link)) => return Ok(link),
            Ok(Err(error)) => why = error.context(address),
            Err(_) => why = anyhow!("{address} does not answer"),
        }
    }
    Err(why)
}

/// Where the server's public name leads; and the relay itself, for networks that know no names.
async fn addresses(route: &RelayRoute, place: &PublicPlace, server: &Fingerprint) -> Vec<SocketAddr> {
    let relay = route.authority().rsplit_once(':').map_or("", |(host, _)| host);
    let relay = relay.trim_start_matches('[').trim_end_matches(']').to_owned();
    let mut addresses = Vec::new();
    for host in [place.host(server), relay] {
        if let Ok(found) = tokio::net::lookup_host((host, place.port())).await {
            addresses.extend(found.filter(|address| !addresses.contains(address)).collect::<Vec<_>>());
        }
    }
    addresses
}
