//! A door for commands on the server's own machine: `POST /local/pair`, opened by the password in the data folder's file `local.door`. Who can
//! read that file owns the server anyway.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, Query, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use thiserror::Error;
use tresen_identity::{DeviceClass, Secret};

use crate::net::home::is_at_home;
use crate::net::tcp::Peer;
use crate::site::Site;

const FILE: &str = "local.door";

/// How long a command waits for the server.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most that a command reads of an answer, in bytes.
const MAX_ANSWER_BYTES: u64 = 16 * 1024;

/// Why a command did not get in.
#[derive(Debug, Error)]
pub enum DoorError {
    /// No server.
    #[error("no server runs on {0}: start it with 'tresen-edge run', or name its data folder with --data")]
    NoServer(String),
    /// The server refused.
    #[error("the server refused: {0}")]
    Refused(String),
}

/// The password of a running server.
pub struct Password(Secret<16>);

/// What is asked for.
#[derive(Deserialize)]
pub struct Wish {
    class: DeviceClass,
}

impl Password {
    /// Draws one and writes it into the data folder.
    ///
    /// # Errors
    /// When that can't be written.
    pub fn open(data: &crate::data_dir::DataDir, port: u16) -> Result<Self, crate::data_dir::DataDirError> {
        let secret = Secret::new(rand::random());
        data.write_private(FILE, &format!("{port} {}\n", secret.to_text()))?;
        Ok(Self(secret))
    }

    fn opens(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).and_then(Secret::from_text);
        shown.is_some_and(|shown| shown.same_as(&self.0))
    }
}

/// The handler of `POST /local/pair`: a new pairing code.
pub async fn pair(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<Peer>,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
) -> Response {
    if !is_at_home(peer, &headers) || !site.local_password.opens(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    match site.pairing.open(&site.clock, wish.class) {
        Ok(code) => site.pairing.written(&code).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Asks the server that runs on a data folder for a pairing code, as [`crate::site::PairingDesk::written`] writes it.
///
/// # Errors
/// When none runs, or it refuses.
pub fn ask_for_code(data: &Path, class: DeviceClass) -> Result<String, DoorError> {
    let nobody = || DoorError::NoServer(data.display().to_string());
    let door = std::fs::read_to_string(data.join(FILE)).map_err(|_| nobody())?;
    let (port, password) = door.trim().split_once(' ').ok_or_else(nobody)?;
    let port: u16 = port.parse().map_err(|_| nobody())?;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(|_| nobody())?;
    let request = format!(
        "POST /local/pair?class={class} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {password}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let mut answer = String::new();
    stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.write_all(request.as_bytes()))
        .and_then(|()| stream.take(MAX_ANSWER_BYTES).read_to_string(&mut answer))
        .map_err(|_| nobody())?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(nobody)?;
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) == Some("200") {
        Ok(body.trim().to_owned())
    } else {
        Err(DoorError::Refused(status.to_owned()))
    }
}
