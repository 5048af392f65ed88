//! The HTTP router: pages, health, sessions as WebSocket.
//!
//! Plain HTTP is served to this machine only, under a name that means this machine: else any web page could read and change the till by a
//! name of its own pointed at 127.0.0.1 (DNS rebinding). Everybody else is sent to HTTPS.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Extension, Request, State};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use tresen_identity::{MAX_HANDSHAKE_BYTES, PairAnswer, PairRequest};

use crate::assets::WebClient;
use crate::browser_auth::browser_key;
use crate::net::home::{is_at_home, names_this_machine};
use crate::net::tcp::Peer;
use crate::net::{body, passed, websocket};
use crate::registry::DeviceKey;
use crate::site::Site;
use crate::{enrol, local_door, metrics, office};

/// Everything that is served over HTTP.
pub fn router(site: &Arc<Site>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/metrics", get(figures))
        .route("/session", get(websocket::session))
        .route("/pair", post(pair).layer(DefaultBodyLimit::max(MAX_HANDSHAKE_BYTES)))
        .route("/local/pair", post(local_door::pair))
        .with_state(site.clone())
        .merge(WebClient::load().router())
        .merge(office::router(site.clone()))
        .layer(middleware::from_fn(body::read_whole))
        .layer(middleware::from_fn_with_state(site.clone(), passed::only_what_is_public))
        .layer(middleware::from_fn(plain_only_at_home))
}

async fn health(State(site): State<Arc<Site>>) -> Response {
    if site.shutdown.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    "ok\n".into_response()
}

/// Figures for Prometheus, for this machine only: they tell how business goes.
async fn figures(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    if !is_at_home(peer, &headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics::text(&site)).into_response()
}

/// A browser pairs; see [`crate::browser_auth`].
async fn pair(State(site): State<Arc<Site>>, request: Result<Json<PairRequest>, JsonRejection>) -> Response {
    let answer = match request {
        Ok(Json(request @ PairRequest::Pair { key: Some(_), .. })) => pair_browser(&site, request).await,
        Ok(Json(PairRequest::Pair { key: None, .. })) | Err(_) => enrol::malformed(),
    };
    let status = match answer {
        PairAnswer::Paired { .. } => StatusCode::OK,
        PairAnswer::Refused { .. } => StatusCode::FORBIDDEN,
    };
    (status, Json(answer)).into_response()
}

async fn pair_browser(site: &Arc<Site>, request: PairRequest) -> PairAnswer {
    let PairRequest::Pair { key, .. } = &request;
    match key.as_deref().and_then(browser_key) {
        Some(key) => enrol::pair(site, request, key.fingerprint(), DeviceKey::Browser).await,
        None => enrol::malformed(),
    }
}

async fn plain_only_at_home(request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    match peer {
        Some(peer) if peer.tls || request.uri().path() == "/health" => next.run(request).await,
        Some(peer) if peer.is_loopback() => {
            if names_this_machine(request.headers()) {
                next.run(request).await
            } else {
                StatusCode::MISDIRECTED_REQUEST.into_response()
            }
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
