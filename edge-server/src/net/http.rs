//! The HTTP router: pages, health, sessions as WebSocket.
//!
//! Plain HTTP is served to this machine only; everybody else is sent to HTTPS.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::{StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use crate::net::tcp::Peer;
use crate::office;
use crate::site::Site;

/// Everything that is served over HTTP.
pub fn router(site: &Arc<Site>) -> Router {
    Router::new()
        .route("/health", get(health))
        .with_state(site.clone())
        .merge(office::router(site.clone()))
        .layer(middleware::from_fn(plain_only_at_home))
}

async fn health(State(site): State<Arc<Site>>) -> Response {
    if site.shutdown.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    "ok\n".into_response()
}

async fn plain_only_at_home(request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    match peer {
        Some(peer) if peer.tls || peer.is_loopback() || request.uri().path() == "/health" => {
            next.run(request).await
        }
        _ => match https_uri(&request) {
            Some(uri) => Redirect::permanent(&uri).into_response(),
            None => StatusCode::BAD_REQUEST.into_response(),
        },
    }
}

/// Where the same page is over HTTPS: on the same host and port.
fn https_uri(request: &Request) -> Option<String> {
    let host = request.headers().get(HOST)?.to_str().ok()?;
    let path = request.uri().path_and_query()?;
    let uri = Uri::builder().scheme("https").authority(host).path_and_query(path.clone()).build().ok()?;
    Some(uri.to_string())
}
