//! Accepting TCP: tells TLS from plain HTTP by the first byte, and serves HTTP/1.1 on both.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::net::gate::Gate;
use crate::site::Clock;

/// First byte of a TLS handshake record (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// How long a peer may take for its first byte, and for a TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a peer may take for the head of a request; also ends idle connections.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// Largest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// How long to wait after an accept failed (usually: out of file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How a request came here; an extension of every request.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Who sent it.
    pub address: SocketAddr,
    /// Whether it came through TLS.
    pub tls: bool,
    /// Which way.
    pub via: Via,
}

/// Which way a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// Straight to this server's port.
    Port,
    /// A relay passed it on, and says from where.
    Relay,
}

impl Peer {
    /// Whether it came from this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.via == Via::Port && self.address.ip().to_canonical().is_loopback()
    }
}

/// What every connection needs.
#[derive(Clone)]
pub struct Http {
    /// For connections that begin with a TLS handshake.
    pub tls: TlsAcceptor,
    /// The pages.
    pub router: Router,
    /// Limits.
    pub gate: Arc<Gate>,
    /// Ends everything.
    pub shutdown: CancellationToken,
    /// The server's clock.
    pub clock: Arc<Clock>,
    /// Counts the connections' tasks.
    pub tasks: TaskTracker,
}

/// Serves one listener until the server stops.
pub async fn serve(listener: TcpListener, http: Http) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = http.shutdown.cancelled() => return,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        match http.gate.admit(address.ip(), http.clock.now_ms()) {
            Ok(pass) => {
                let http = http.clone();
                http.tasks.clone().spawn(async move {
                    // Sessions end by themselves, with a goodbye; only what waits for a request is cut off.
                    connection(stream, address, &http).await;
                    drop(pass);
                });
            }
            Err(reason) => tracing::debug!(%address, ?reason, "a connection was not admitted"),
        }
    }
}

async fn connection(stream: TcpStream, address: SocketAddr, http: &Http) {
    let _ = stream.set_nodelay(true);
    let mut first = [0];
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, stream.peek(&mut first)).await {
        Ok(Ok(1)) => {}
        _ => return,
    }
    if first[0] != TLS_HANDSHAKE {
        return requests(stream, Peer { address, tls: false, via: Via::Port }, http).await;
    }
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, http.tls.accept(stream)).await {
        Ok(Ok(stream)) => requests(stream, Peer { address, tls: true, via: Via::Port }, http).await,
        Ok(Err(error)) => tracing::debug!(%address, %error, "TLS handshake failed"),
        Err(_) => tracing::debug!(%address, "TLS handshake took too long"),
    }
}

/// Serves the requests of a connection until it ends.
pub(super) async fn requests(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    http: &Http,
) {
    let service = TowerToHyperService::new(http.router.clone().layer(Extension(peer)));
    let mut connection = pin!(
        hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(MAX_HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = http.shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(address = %peer.address, %error, "an HTTP connection ended");
    }
}
