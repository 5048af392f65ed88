//! The files that pages of the back office need, inside the program: style, htmx, letters, icons.

use std::sync::OnceLock;

use axum::extract::{Path, Query};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

/// One file.
struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../assets/office/", $name))
    };
}

macro_rules! style {
    ($($part:literal),*) => {
        concat!($(include_str!(concat!("../../assets/office/css/", $part)), "\n"),*).as_bytes()
    };
}

const CSS: &[u8] = style!(
    "1-base.css",
    "2-frame.css",
    "3-pieces.css",
    "4-pages.css",
    "4b-catalogue.css",
    "4c-network.css",
    "5-forms.css",
    "6-signin.css",
    "7-phone.css"
);

static ASSETS: [Asset; 7] = [
    Asset { name: "office.css", kind: "text/css; charset=utf-8", bytes: CSS },
    Asset { name: "htmx.min.js", kind: "text/javascript; charset=utf-8", bytes: file!("htmx.min.js") },
    Asset { name: "link.js", kind: "text/javascript; charset=utf-8", bytes: file!("link.js") },
    Asset { name: "icons.svg", kind: "image/svg+xml", bytes: file!("icons.svg") },
    Asset { name: "mark.svg", kind: "image/svg+xml", bytes: file!("mark.svg") },
    Asset { name: "inter-latin.woff2", kind: "font/woff2", bytes: file!("inter-latin.woff2") },
    Asset { name: "inter-latin-ext.woff2", kind: "font/woff2", bytes: file!("inter-latin-ext.woff2") },
];

/// Changes when any of them changes.
pub(crate) fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let mut hasher = blake3::Hasher::new();
        ASSETS.iter().for_each(|asset| {
            hasher.update(asset.bytes);
        });
        hasher.finalize().to_hex()[..12].to_owned()
    })
}

#[derive(Deserialize)]
pub(crate) struct Wanted {
    v: Option<String>,
}

/// Serves one; for good when its address carries the version, else the browser asks whether it changed.
pub(crate) async fn serve(
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let lasting = wanted.v.as_deref() == Some(version());
    let cache = if lasting { "public, max-age=31536000, immutable" } else { "no-cache" };
    let tag = format!("\"{}\"", version());
    if headers.get(IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response();
    }
    let head = [(CONTENT_TYPE, asset.kind), (CACHE_CONTROL, cache), (ETAG, tag.as_str())];
    (head, asset.bytes).into_response()
}
