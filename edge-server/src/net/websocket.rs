//! Sessions over WebSocket: `GET /session`. The handshake is that of [`crate::browser_auth`]; then each binary message is one wire message.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tresen_identity::{Fingerprint, MAX_HANDSHAKE_BYTES};
use tresen_wire::{CloseCode, ToClient, limits};

use crate::attend::attend;
use crate::browser_auth::{self, Offer};
use crate::instance::link;
use crate::links::{Connection, Packets, Way};
use crate::net::pump::{Incoming, Reader, Writer, pump};
use crate::net::tcp::{Peer, Via};
use crate::site::Site;

/// How long a browser may take for its proof, and for its hello.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest message that is read, in bytes: a wire message, or one of the handshake.
const MAX_MESSAGE_BYTES: usize =
    if limits::TO_SERVER_BYTES > MAX_HANDSHAKE_BYTES { limits::TO_SERVER_BYTES } else { MAX_HANDSHAKE_BYTES };

/// The handler of `/session`.
pub async fn session(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some(offer) = browser_auth::offer(site.demo, peer, &headers) else {
        tracing::warn!(address = %peer.address, "a WebSocket was refused: it comes from a foreign page");
        return (StatusCode::FORBIDDEN, "sessions are opened by this server's own pages\n").into_response();
    };
    upgrade
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .on_upgrade(move |socket| serve(site, socket, peer, offer))
}

async fn serve(site: Arc<Site>, mut socket: WebSocket, peer: Peer, offer: Offer) {
    // The upgrade runs in a task of the web framework; the server waits for it all the same.
    let _running = site.tasks.token();
    let shaken =
        tokio::time::timeout(HANDSHAKE_TIMEOUT, shake_hands(&site, &mut socket, offer, peer.via)).await;
    match shaken.unwrap_or(Err((CloseCode::TimedOut, "it took too long".into()))) {
        Ok((device, hello)) => {
            let (ours, wire) = link::pair();
            let (sink, stream) = socket.split();
            tokio::join!(
                pump(BrowserReader(stream), BrowserWriter(sink), wire),
                attend(site, device, hello, ours, Box::new(peer))
            );
        }
        Err((code, reason)) => {
            tracing::warn!(address = %peer.address, %code, reason, "a browser was not let in");
            let bye = ToClient::Bye { code, text: code.reason().into() }.encode();
            let _ = socket.send(Message::Binary(bye.into())).await;
            let _ = socket.send(close_frame(code)).await;
        }
    }
}

/// The browser's device and its hello.
async fn shake_hands(
    site: &Arc<Site>,
    socket: &mut WebSocket,
    offer: Offer,
    via: Via,
) -> Result<(Fingerprint, Vec<u8>), (CloseCode, String)> {
    let broken = |reason: &str| (CloseCode::Protocol, reason.to_owned());
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| (CloseCode::Internal, error.to_string()))?;
    let (greeting, asked) = browser_auth::ask(site.name, offer, via, random);
    let greeting = serde_json::to_string(&greeting).expect("a greeting is plain data");
    socket.send(Message::Text(greeting.into())).await.map_err(|_| broken("it left"))?;
    let proof = match socket.recv().await {
        Some(Ok(Message::Text(text))) if text.len() <= MAX_HANDSHAKE_BYTES => text,
        Some(Ok(_)) => return Err(broken("it began with something else than its proof")),
        Some(Err(error)) => return Err((refusal(&error), error.to_string())),
        None => return Err(broken("it left")),
    };
    let device = browser_auth::believe(site, &asked, proof.as_str())
        .await
        .map_err(|disbelief| (CloseCode::Unauthorised, disbelief.to_string()))?;
    loop {
        match socket.recv().await {
            Some(Ok(Message::Binary(hello))) => return Ok((device, hello.into())),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(_)) => return Err(broken("its hello is missing")),
            Some(Err(error)) => return Err((refusal(&error), error.to_string())),
            None => return Err(broken("it left")),
        }
    }
}

impl Connection for Peer {
    fn way(&self) -> Way {
        match self.via {
            Via::Port => Way::WebSocket,
            Via::Relay => Way::Passed,
        }
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn packets(&self) -> Option<Packets> {
        // The system sends again what TCP lost. It says how often only to code that is not `forbid(unsafe_code)`.
        None
    }
}

struct BrowserReader(SplitStream<WebSocket>);

struct BrowserWriter(SplitSink<WebSocket, Message>);

impl Reader for BrowserReader {
    async fn next(&mut self) -> Incoming {
        loop {
            return match self.0.next().await {
                Some(Ok(Message::Binary(message))) => Incoming::Message(message.into()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Text(_))) => Incoming::Refused(CloseCode::Protocol),
                Some(Ok(Message::Close(_))) => Incoming::Closed,
                Some(Err(error)) if refusal(&error) == CloseCode::TooLarge => {
                    Incoming::Refused(CloseCode::TooLarge)
                }
                Some(Err(_)) | None => Incoming::Lost,
            };
        }
    }
}

impl Writer for BrowserWriter {
    async fn send(&mut self, messages: Vec<Vec<u8>>) -> bool {
        for message in messages {
            if self.0.feed(Message::Binary(message.into())).await.is_err() {
                return false;
            }
        }
        self.0.flush().await.is_ok()
    }

    async fn close(&mut self, code: CloseCode) {
        let _ = self.0.send(close_frame(code)).await;
        let _ = self.0.close().await;
    }
}

fn close_frame(code: CloseCode) -> Message {
    Message::Close(Some(CloseFrame { code: code.websocket(), reason: code.reason().into() }))
}

/// The code for what the WebSocket library refused.
fn refusal(error: &axum::Error) -> CloseCode {
    // The library's error type is another version's of a crate that we don't use otherwise; its text is what we can see of it.
    if error.to_string().contains("too long") || error.to_string().contains("too large") {
        CloseCode::TooLarge
    } else {
        CloseCode::Protocol
    }
}
