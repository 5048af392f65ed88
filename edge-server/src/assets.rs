//! The web client's files: embedded when the server is built (`cargo xtask web` makes them), read from the folder in a debug build.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, OnceLock};

use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Router, body::Bytes};
use data_encoding::HEXLOWER;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;

/// What the pages may load and where they may go: nothing but this server.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; \
    connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Files smaller than this are sent as they are.
const COMPRESS_FROM_BYTES: usize = 1024;

/// What stands in when the client was not built.
const NOT_BUILT: &str = "<!doctype html><title>Tresen</title><h1>The web client is not built</h1>\
    <p>Run <code>cargo xtask web</code> and start the server again. The back office is at <a href=\"/office\">/office</a>.</p>";

#[derive(RustEmbed)]
#[folder = "assets/web"]
#[allow_missing = true]
struct Embedded;

/// The files, each compressed once, when it is first asked for.
pub struct WebClient(BTreeMap<String, File>);

struct File {
    content: Bytes,
    content_type: HeaderValue,
    etag: HeaderValue,
    gzip: OnceLock<Bytes>,
}

impl WebClient {
    /// Takes what is embedded.
    #[must_use]
    pub fn load() -> Arc<Self> {
        let files =
            Embedded::iter().filter_map(|name| Some((name.to_string(), file(&Embedded::get(&name)?)?)));
        let client = Arc::new(Self(files.collect()));
        let warmed = client.clone();
        tokio::task::spawn_blocking(move || {
            for file in warmed.0.values() {
                file.compressed();
            }
        });
        client
    }

    /// Its pages: `/`, `/pair` and every file by its name.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route(
                "/",
                get(|state: State<Arc<Self>>, headers: HeaderMap| async move {
                    state.answer("index.html", &headers)
                }),
            )
            .route(
                "/pair",
                get(|state: State<Arc<Self>>, headers: HeaderMap| async move {
                    state.answer("pair.html", &headers)
                }),
            )
            .route(
                "/{file}",
                get(|state: State<Arc<Self>>, Path(name): Path<String>, headers: HeaderMap| async move {
                    state.answer(&name, &headers)
                }),
            )
            .with_state(self.clone())
    }

    fn answer(&self, name: &str, headers: &HeaderMap) -> Response {
        let Some(file) = self.0.get(name) else {
            return match name {
                "index.html" | "pair.html" => Html(NOT_BUILT).into_response(),
                _ => StatusCode::NOT_FOUND.into_response(),
            };
        };
        let mut response = if headers.get(IF_NONE_MATCH) == Some(&file.etag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            file.body(headers)
        };
        let set = response.headers_mut();
        set.insert(ETAG, file.etag.clone());
        // Asked again each time, answered in a word: so a new server never meets an old client.
        set.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        set.insert(VARY, HeaderValue::from_static("accept-encoding"));
        set.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        set.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        set.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        response
    }
}

fn file(embedded: &rust_embed::EmbeddedFile) -> Option<File> {
    let etag = format!("\"{}\"", HEXLOWER.encode(&embedded.metadata.sha256_hash()[..16]));
    Some(File {
        content: Bytes::copy_from_slice(&embedded.data),
        content_type: HeaderValue::from_str(embedded.metadata.mimetype()).ok()?,
        etag: HeaderValue::from_str(&etag).ok()?,
        gzip: OnceLock::new(),
    })
}

impl File {
    fn body(&self, headers: &HeaderMap) -> Response {
        let accepts = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
        let gzip = accepts.is_some_and(|value| value.split(',').any(|one| one.trim().starts_with("gzip")));
        let compressed = gzip.then(|| self.compressed()).flatten();
        let mut response = compressed.unwrap_or(&self.content).clone().into_response();
        response.headers_mut().insert(CONTENT_TYPE, self.content_type.clone());
        if compressed.is_some() {
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    /// `None` when it is not worth it.
    fn compressed(&self) -> Option<&Bytes> {
        if self.content.len() < COMPRESS_FROM_BYTES {
            return None;
        }
        let compressed = self.gzip.get_or_init(|| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            let written = encoder.write_all(&self.content).and_then(|()| encoder.finish());
            written.map_or_else(|_| self.content.clone(), Bytes::from)
        });
        (compressed.len() < self.content.len()).then_some(compressed)
    }
}
