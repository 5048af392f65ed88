//! Live pictures of what the instances show.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Extension, Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tresen_scene::{Node, ObjectId, Size};

use super::Office;
use super::gate::Visitor;
use crate::instance::Handle;
use crate::look;
use crate::picture::{self, PictureError};

/// Width of a picture: twice what the page gives it, for dense displays.
const WIDTH_PX: i32 = 264;

/// How long an instance may take to draw its screen.
const PATIENCE: Duration = Duration::from_millis(500);

/// The newest picture of each instance.
#[derive(Default)]
pub(crate) struct Thumbnails {
    by_station: Mutex<HashMap<u16, Thumbnail>>,
}

#[derive(Clone)]
struct Thumbnail {
    of: ObjectId,
    png: Arc<[u8]>,
}

#[derive(Deserialize)]
pub(crate) struct Wanted {
    v: Option<String>,
    /// The screen pixel for pixel, not a small picture of it.
    full: Option<String>,
}

/// A picture as PNG; the browser keeps it as long as its address names the screen that it shows.
pub(crate) async fn show(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Path(number): Path<u16>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let Some(handle) = office.site.hub.instance(number) else { return office.not_found(&visitor) };
    let Some(root) = screen(&handle).await else { return StatusCode::NOT_FOUND.into_response() };
    let version = version(&root);
    let tag = format!("\"{version}\"");
    if headers.get(IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response();
    }
    if wanted.full.is_some() {
        return full(number, root).await;
    }
    let lasting = wanted.v.as_deref() == Some(version.as_str());
    let cache = if lasting { "private, max-age=600, immutable" } else { "private, no-cache" };
    match office.thumbnails.get(number, root).await {
        Ok(png) => {
            let head = [(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, cache), (ETAG, tag.as_str())];
            (head, png.to_vec()).into_response()
        }
        Err(error) => {
            tracing::error!(station = number, %error, "no picture of an instance");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A screen pixel for pixel, as the reference rasteriser paints it.
async fn full(number: u16, root: Arc<Node>) -> Response {
    let size = root.bounds().size();
    let painted =
        tokio::task::spawn_blocking(move || picture::thumbnail(&picture::paint(&root, size)?, size.w));
    match painted.await {
        Ok(Ok(png)) => ([(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, "no-store")], png).into_response(),
        Ok(Err(error)) => {
            tracing::error!(station = number, %error, "no picture of an instance");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// What an instance shows, or would show if a handheld came.
pub(crate) async fn screen(handle: &Handle) -> Option<Arc<Node>> {
    if handle.status.attached().is_some()
        && let Some(root) = handle.status.root()
    {
        return Some(root);
    }
    tokio::time::timeout(PATIENCE, handle.picture(look::DEFAULT)).await.ok().flatten()
}

/// Changes with the screen.
pub(crate) fn version(root: &Node) -> String {
    data_encoding::HEXLOWER.encode(&root.id().0)
}

/// The size of a screen's picture.
pub(crate) fn size(root: &Node) -> Size {
    picture::scaled(root.bounds().size(), WIDTH_PX)
}

impl Thumbnails {
    /// The picture of a screen, painted when it is not the one that was painted last.
    async fn get(&self, number: u16, root: Arc<Node>) -> Result<Arc<[u8]>, PictureError> {
        let of = root.id();
        if let Some(known) = self.all().get(&number).filter(|known| known.of == of) {
            return Ok(known.png.clone());
        }
        let painted = tokio::task::spawn_blocking(move || {
            let canvas = picture::paint(&root, root.bounds().size())?;
            picture::thumbnail(&canvas, WIDTH_PX)
        });
        let png: Arc<[u8]> = match painted.await {
            Ok(png) => png?.into(),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        self.all().insert(number, Thumbnail { of, png: png.clone() });
        Ok(png)
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<u16, Thumbnail>> {
        self.by_station.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
