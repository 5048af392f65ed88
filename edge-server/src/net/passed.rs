//! Connections that a relay passes on: TLS of the box's public name, and inside it what every other browser gets.
//!
//! Where a browser is, the relay says. That is good for limits and logs; it gives no right.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;
use tresen_identity::ACME_ALPN;
use tresen_reach::{Pass, PassStream, Passes};

use crate::net::home::host_and_port;
use crate::net::tcp::{Http, Peer, Via, requests};
use crate::site::Site;

/// Connections that the relay may pass on at a time.
pub const MOST: u16 = 1_024;

/// How long a peer may take for a TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// What serves them.
pub struct Passed {
    /// What every connection needs.
    pub http: Http,
    /// TLS of the public name.
    pub tls: TlsAcceptor,
}

impl Passed {
    /// Serves what a relay passes on until its control connection is gone.
    pub async fn serve(self: &Arc<Self>, passes: Passes) {
        while let Some(Pass { from, stream }) = passes.next().await {
            match self.http.gate.admit_passed(from.ip(), self.http.clock.now_ms()) {
                Ok(pass) => {
                    let passed = self.clone();
                    self.http.tasks.spawn(async move {
                        passed.connection(stream, from).await;
                        drop(pass);
                    });
                }
                Err(reason) => {
                    tracing::debug!(%from, ?reason, "a connection through the relay was not admitted")
                }
            }
        }
    }

    async fn connection(&self, stream: PassStream, from: SocketAddr) {
        let mut stream = match tokio::time::timeout(HANDSHAKE_TIMEOUT, self.tls.accept(stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                return tracing::debug!(%from, %error, "TLS handshake through the relay failed");
            }
            Err(_) => return tracing::debug!(%from, "TLS handshake through the relay took too long"),
        };
        if stream.get_ref().1.alpn_protocol() == Some(ACME_ALPN) {
            // An authority has seen what it wanted to see.
            let _ = stream.shutdown().await;
            return;
        }
        requests(stream, Peer { address: from, tls: true, via: Via::Relay }, &self.http).await;
    }
}

/// What comes through a relay has to mean the public name, and gets the back office only when that is configured.
pub async fn only_what_is_public(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let passed = request.extensions().get::<Peer>().is_some_and(|peer| peer.via == Via::Relay);
    if !passed {
        return next.run(request).await;
    }
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).and_then(host_and_port);
    let public = site.relay.public().borrow().as_ref().map(|place| place.host(&site.name));
    if host.map(|(host, _)| host) != public {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    let path = request.uri().path();
    let is_office = path == "/office" || path.starts_with("/office/");
    if is_office && !site.config.public.office {
        let text = "The back office is not open to other networks: 'office = true' in the section [public] of the configuration opens it.\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    next.run(request).await
}
