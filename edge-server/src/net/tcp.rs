//! Accepting TCP: tells TLS from plain HTTP by the first byte, and serves HTTP/1.1 on both.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

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
}

impl Peer {
    /// Whether it came from this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.address.ip().to_canonical().is_loopback()
    }
}

/// Serves one listener until `shutdown`.
pub async fn serve(
    listener: TcpListener,
    tls: TlsAcceptor,
    router: Router,
    connections: Arc<Semaphore>,
    shutdown: CancellationToken,
) {
    loop {
        let Ok(permit) = connections.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => return,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (tls, router, shutdown) = (tls.clone(), router.clone(), shutdown.clone());
        tokio::spawn(async move {
            let served = connection(stream, address, tls, router);
            tokio::select! {
                () = served => {}
                () = shutdown.cancelled() => {}
            }
            drop(permit);
        });
    }
}

async fn connection(stream: TcpStream, address: SocketAddr, tls: TlsAcceptor, router: Router) {
    let _ = stream.set_nodelay(true);
    let mut first = [0];
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, stream.peek(&mut first)).await {
        Ok(Ok(1)) => {}
        _ => return,
    }
    if first[0] != TLS_HANDSHAKE {
        return http(stream, Peer { address, tls: false }, router).await;
    }
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
        Ok(Ok(stream)) => http(stream, Peer { address, tls: true }, router).await,
        Ok(Err(error)) => tracing::debug!(%address, %error, "TLS handshake failed"),
        Err(_) => tracing::debug!(%address, "TLS handshake took too long"),
    }
}

async fn http(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer, router: Router) {
    let service = TowerToHyperService::new(router.layer(Extension(peer)));
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(address = %peer.address, %error, "HTTP connection ended");
    }
}
