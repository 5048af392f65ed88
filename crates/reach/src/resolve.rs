//! The addresses of a relay's name.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// How long the system may take to find them.
const PATIENCE: Duration = Duration::from_secs(5);

/// Addresses that are tried.
const ADDRESSES: usize = 16;

/// The addresses of a host with a port, in the order in which to try them.
///
/// # Errors
/// When there are none, or the system does not find them in time.
pub async fn resolve(authority: &str) -> io::Result<Vec<SocketAddr>> {
    let found = tokio::time::timeout(PATIENCE, tokio::net::lookup_host(authority)).await;
    let found: Vec<SocketAddr> = found.map_err(|_| io::ErrorKind::TimedOut)??.take(ADDRESSES).collect();
    if found.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(found) }
}
